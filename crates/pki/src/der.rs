//! DER (ITU-T X.690, 2021), read strictly and written in one pass.
//!
//! Reading keeps the place of every element, so that an error can say at which byte of a file what is
//! wrong. What BER allows and DER forbids is refused by name. What an element means is its caller's
//! business.

use std::fmt;

mod fields;
mod reader;
mod writer;

pub(crate) use fields::{FieldError, Fields, from_field_errors};
pub use reader::{BitString, Element, Reader};
pub use writer::Writer;

/// The identifier octet of an element (X.690, 8.1.2). Tags above 30 take more than one octet and occur
/// nowhere in X.509.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub u8);

#[allow(missing_docs, reason = "the names are those of X.680")]
impl Tag {
    pub const BOOLEAN: Self = Self(0x01);
    pub const INTEGER: Self = Self(0x02);
    pub const BIT_STRING: Self = Self(0x03);
    pub const OCTET_STRING: Self = Self(0x04);
    pub const NULL: Self = Self(0x05);
    pub const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub const ENUMERATED: Self = Self(0x0a);
    pub const UTF8_STRING: Self = Self(0x0c);
    pub const NUMERIC_STRING: Self = Self(0x12);
    pub const PRINTABLE_STRING: Self = Self(0x13);
    pub const TELETEX_STRING: Self = Self(0x14);
    pub const IA5_STRING: Self = Self(0x16);
    pub const UTC_TIME: Self = Self(0x17);
    pub const GENERALIZED_TIME: Self = Self(0x18);
    pub const VISIBLE_STRING: Self = Self(0x1a);
    pub const UNIVERSAL_STRING: Self = Self(0x1c);
    pub const BMP_STRING: Self = Self(0x1e);
    pub const SEQUENCE: Self = Self(0x30);
    pub const SET: Self = Self(0x31);

    /// `[n]` around or in the place of a primitive type; `n` is at most 30.
    #[must_use]
    pub const fn context(n: u8) -> Self {
        Self(0x80 | n)
    }

    /// `[n]` around or in the place of a constructed type; `n` is at most 30.
    #[must_use]
    pub const fn context_constructed(n: u8) -> Self {
        Self(0xa0 | n)
    }

    /// Whether elements of this tag consist of elements.
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

/// `SEQUENCE`, `[3]`: as the standards write it.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::BOOLEAN => "BOOLEAN",
            Self::INTEGER => "INTEGER",
            Self::BIT_STRING => "BIT STRING",
            Self::OCTET_STRING => "OCTET STRING",
            Self::NULL => "NULL",
            Self::OBJECT_IDENTIFIER => "OBJECT IDENTIFIER",
            Self::ENUMERATED => "ENUMERATED",
            Self::UTF8_STRING => "UTF8String",
            Self::NUMERIC_STRING => "NumericString",
            Self::PRINTABLE_STRING => "PrintableString",
            Self::TELETEX_STRING => "TeletexString",
            Self::IA5_STRING => "IA5String",
            Self::UTC_TIME => "UTCTime",
            Self::GENERALIZED_TIME => "GeneralizedTime",
            Self::VISIBLE_STRING => "VisibleString",
            Self::UNIVERSAL_STRING => "UniversalString",
            Self::BMP_STRING => "BMPString",
            Self::SEQUENCE => "SEQUENCE",
            Self::SET => "SET",
            Self(octet) if octet & 0xc0 == 0x80 => return write!(f, "[{}]", octet & 0x1f),
            Self(octet) => return write!(f, "tag 0x{octet:02x}"),
        };
        f.write_str(name)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with DER, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct DerError {
    /// The place, in octets from the beginning of what was read; the first is 0.
    pub at: usize,
    /// What is wrong there.
    pub problem: DerProblem,
}

/// What can be wrong with DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerProblem {
    /// The bytes end in the middle of an element: mostly a file that was cut off.
    #[error("the data ends in the middle of a field that begins")]
    Truncated,
    /// An element is longer than the one that it stands in, or than the file.
    #[error("a field claims {claimed} bytes where only {left} are left, in what begins")]
    TooLong {
        /// The length that it gives.
        claimed: usize,
        /// What is there.
        left: usize,
    },
    /// There is something behind the end.
    #[error("{octets} more bytes follow where nothing may follow,")]
    Trailing {
        /// How much.
        octets: usize,
    },
    /// Something else was to be here.
    #[error("{expected} was expected and {found} was found")]
    Unexpected {
        /// What was to be here.
        expected: Tag,
        /// What is here.
        found: Tag,
    },
    /// The enclosing element ends where another was to be.
    #[error("{expected} is missing")]
    Missing {
        /// What was to be here.
        expected: Tag,
    },
    /// A length in BER's indefinite form (X.690, 10.1).
    #[error("a length in the indefinite form, which is BER and not DER, is")]
    Indefinite,
    /// A length in more octets than it takes (X.690, 10.1).
    #[error("a length written longer than it has to be, which is BER and not DER, is")]
    LongLength,
    /// A length beyond 4 GiB, or a tag of several octets.
    #[error("a field that cannot be part of a certificate is")]
    Unsupported,
    /// An INTEGER of no octets, or of more than it takes (X.690, 8.3.2).
    #[error("an INTEGER that is empty or longer than it has to be is")]
    BadInteger,
    /// A number beyond what its place allows.
    #[error("a number beyond the permitted range is")]
    OutOfRange,
    /// A BOOLEAN other than 0 and 255 (X.690, 11.1).
    #[error("a BOOLEAN that is neither 0x00 nor 0xff, which is BER and not DER, is")]
    BadBoolean,
    /// A default value that is written out (X.690, 11.5).
    #[error("a default value that DER forbids to write out is")]
    WrittenDefault,
    /// A BIT STRING whose unused bits are not told or not zero (X.690, 11.2).
    #[error("a BIT STRING with a wrong number of unused bits, or unused bits that are set, is")]
    BadBitString,
    /// An OBJECT IDENTIFIER whose octets do not end, or begin with padding (X.690, 8.19).
    #[error("a malformed OBJECT IDENTIFIER is")]
    BadObjectIdentifier,
    /// A string with characters that its type does not have.
    #[error("a string with characters that its type does not have is")]
    BadString,
    /// A time that is none, or in a form that RFC 5280 forbids (section 4.1.2.5).
    #[error("a time that is not one of the two forms of RFC 5280 is")]
    BadTime,
    /// An element that must have content is empty.
    #[error("a field that must not be empty is empty")]
    Empty,
    /// Something that may be there once is there twice.
    #[error("what may be there once is there twice, the second time")]
    Doubled,
    /// More elements than any certificate has, where each costs more than the one before.
    #[error("more than {most} elements of a kind, too many to be read, are there: the next is")]
    TooMany {
        /// So many are read.
        most: usize,
    },
    /// Elements nested deeper than any structure of X.509 is.
    #[error("fields nested too deeply are")]
    TooDeep,
}

impl DerProblem {
    /// The problem at a place.
    #[must_use]
    pub fn at(self, at: usize) -> DerError {
        DerError { at, problem: self }
    }
}
