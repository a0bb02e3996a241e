//! The code points of TLS: what IANA calls them, where they are defined, what to think of them.
//!
//! Each registry is a type of its own whose values may be any number: an unknown one is kept as it
//! is. The judgements are ours. They start from the "Recommended" column of IANA (RFC 9847) and say
//! of the rest whether it is merely old or broken.

use std::fmt;

mod table;

mod certificates;
mod ciphers;
mod groups;
mod messages;
mod others;
mod signatures;
mod suites;
mod suites_openssl;
mod suites_table;

pub use certificates::{
    CertificateCompression, CertificateStatusType, CertificateType, ClientCertificateType,
};
pub use ciphers::{Cipher, Hash, Mac};
pub use groups::{EcCurveType, EcPointFormat, NamedGroup};
pub use messages::{
    AlertDescription, AlertLevel, ContentType, ExtensionType, HandshakeType, ProtocolVersion,
};
pub use others::{
    CompressionMethod, HeartbeatMode, HpkeAead, HpkeKdf, HpkeKem, KeyUpdateRequest,
    MaxFragmentLength, NameType, PskKeyExchangeMode, QuicTransportParameter, SslV2CipherKind,
};
pub use signatures::{HashAlgorithm, SignatureAlgorithm, SignatureScheme};
pub use suites::{Authentication, KeyExchange};
pub use suites_table::CipherSuite;

/// A code point of some registry.
pub trait CodePoint: Copy + fmt::Debug + fmt::Display + Eq + Sized + 'static {
    /// The registry that it is in.
    const REGISTRY: &'static Registry;

    /// The number on the wire.
    fn code(self) -> u64;

    /// The code point with this number, which is cut to the width of the registry.
    fn from_code(code: u64) -> Self;

    /// What it is assigned to; `None` where nothing is known of it.
    #[must_use]
    fn assignment(self) -> Option<&'static Assignment> {
        Self::REGISTRY.get(self.code())
    }

    /// What to think of it.
    #[must_use]
    fn judgement(self) -> Judgement {
        Self::REGISTRY.judgement(self.code())
    }

    /// Whether it is one of the values that say nothing, sent so that peers stay tolerant (RFC 8701).
    #[must_use]
    fn is_grease(self) -> bool {
        Self::REGISTRY.is_grease(self.code())
    }
}

/// A registry of code points.
#[derive(Debug)]
pub struct Registry {
    /// What IANA calls it.
    pub name: &'static str,
    /// How many octets a code takes on the wire; 0 where that varies with the code.
    pub octets: usize,
    /// Where its values that say nothing are (RFC 8701).
    pub grease: Grease,
    /// What is assigned, by rising code.
    pub assignments: &'static [Assignment],
}

/// Which values of a registry say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grease {
    /// None.
    None,
    /// Two equal octets that end in A: 0x0A0A, 0x1A1A and so on to 0xFAFA (RFC 8701, section 2).
    Pairs,
    /// 0x0B, 0x2A and so on in steps of 31 to 0xE4 (RFC 8701, section 2).
    Steps,
    /// 27 and so on in steps of 31 (RFC 9000, section 18.1).
    Quic,
}

/// One line of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The number on the wire.
    pub code: u64,
    /// The name, as IANA spells it.
    pub name: &'static str,
    /// Where it is defined: an RFC, a draft, or whose it is.
    pub reference: &'static str,
    /// What to think of it.
    pub judgement: Judgement,
}

/// What to think of a code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// For everybody: IANA recommends it and nothing is held against it.
    Recommended,
    /// Nothing is wrong with it, but it is for some uses alone, or few have examined it.
    Special,
    /// No attack ends it today, but something better took its place: no forward secrecy, no AEAD,
    /// SHA-1, a protocol that RFCs deprecate.
    Legacy,
    /// Whoever relies on it can be attacked in practice, or has no protection at all.
    Broken,
    /// It says nothing on purpose (RFC 8701).
    Grease,
    /// Nothing is known of it.
    Unknown,
}

impl Registry {
    /// The line of `code`.
    #[must_use]
    pub fn get(&self, code: u64) -> Option<&'static Assignment> {
        let at = self
            .assignments
            .binary_search_by_key(&code, |assignment| assignment.code)
            .ok()?;
        self.assignments.get(at)
    }

    /// What to think of `code`.
    #[must_use]
    pub fn judgement(&self, code: u64) -> Judgement {
        match self.get(code) {
            Some(assignment) => assignment.judgement,
            None if self.is_grease(code) => Judgement::Grease,
            None => Judgement::Unknown,
        }
    }

    /// Whether `code` says nothing on purpose.
    #[must_use]
    pub fn is_grease(&self, code: u64) -> bool {
        match self.grease {
            Grease::None => false,
            Grease::Pairs => code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff,
            Grease::Steps => code <= 0xe4 && code % 0x1f == 0x0b,
            Grease::Quic => code % 0x1f == 27,
        }
    }

    /// The bits that a code can have.
    fn mask(&self) -> u64 {
        match self.octets {
            octets @ 1..8 => (1 << (8 * octets)) - 1,
            _ => u64::MAX,
        }
    }

    /// Writes `code` for a person: its name, or the number and that nothing is known of it.
    fn show(&self, code: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.octets * 2;
        match self.get(code) {
            Some(assignment) => f.pad(assignment.name),
            None if self.is_grease(code) => write!(f, "GREASE 0x{code:0digits$x}"),
            None => write!(f, "0x{code:0digits$x}"),
        }
    }
}

impl Judgement {
    /// The judgement in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Special => "special",
            Self::Legacy => "legacy",
            Self::Broken => "broken",
            Self::Grease => "grease",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests;
