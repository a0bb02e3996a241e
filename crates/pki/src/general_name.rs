//! The names that a certificate can be for (RFC 5280, section 4.2.1.6): hosts, addresses, mailboxes,
//! URIs and rarer ones.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::distinguished_name::{DistinguishedName, unprintable};
use crate::fingerprint::hex;
use crate::mailbox::Mailbox;
use crate::name::{HostName, HostNameError};
use crate::oid::Oid;

/// A `GeneralName`, as it stands in a certificate: what others wrote may be no valid name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GeneralName {
    /// A name of another kind: its identifier, and its value in DER.
    Other(Oid, Vec<u8>),
    /// A mailbox: `ada@example.org`.
    Email(String),
    /// A DNS name, which may begin with a wildcard label.
    Dns(String),
    /// An X.400 address in DER.
    X400(Vec<u8>),
    /// A distinguished name.
    Directory(DistinguishedName),
    /// An EDI party name in DER.
    EdiParty(Vec<u8>),
    /// A URI: `spiffe://example.org/service`.
    Uri(String),
    /// The octets of an address: 4 or 16 of them where it is valid; 8 or 32, with the mask, in name
    /// constraints.
    Ip(Vec<u8>),
    /// An object identifier.
    RegisteredId(Oid),
}

/// Why a text is no name for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeneralNameError {
    /// It looks like a host name and is none.
    #[error(transparent)]
    Host(#[from] HostNameError),
    /// It looks like a mailbox and is none.
    #[error("\"{0}\" is not an email address that a certificate can carry")]
    Email(String),
    /// It looks like a URI and is none.
    #[error("\"{0}\" is not a URI that a certificate can carry")]
    Uri(String),
}

impl GeneralName {
    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let ascii = || {
            if element.content.is_ascii() {
                Ok(String::from_utf8_lossy(element.content).into_owned())
            } else {
                Err(DerProblem::BadString.at(element.at))
            }
        };
        Ok(match element.tag {
            Tag(0xa0) => {
                let mut reader = element.reader();
                let kind = reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
                let value = reader.expect(Tag::context_constructed(0))?;
                reader.finish()?;
                Self::Other(kind, value.content.to_vec())
            }
            Tag(0x81) => Self::Email(ascii()?),
            Tag(0x82) => Self::Dns(ascii()?),
            Tag(0xa3) => Self::X400(element.content.to_vec()),
            // A CHOICE cannot be tagged implicitly, so there is a SEQUENCE within.
            Tag(0xa4) => Self::Directory(DistinguishedName::read(element.inner()?)?),
            Tag(0xa5) => Self::EdiParty(element.content.to_vec()),
            Tag(0x86) => Self::Uri(ascii()?),
            Tag(0x87) => Self::Ip(element.content.to_vec()),
            Tag(0x88) => Self::RegisteredId(element.oid()?),
            found => {
                let expected = Tag::context(2);
                return Err(DerProblem::Unexpected { expected, found }.at(element.at));
            }
        })
    }

    pub(crate) fn read_all(mut reader: Reader<'_>) -> Result<Vec<Self>, DerError> {
        let mut names = Vec::new();
        while !reader.is_at_end() {
            names.push(Self::read(reader.next()?)?);
        }
        Ok(names)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            Self::Other(kind, value) => w.constructed(Tag::context_constructed(0), |w| {
                w.oid(kind);
                w.constructed(Tag::context_constructed(0), |w| w.raw(value));
            }),
            Self::Email(text) => w.primitive(Tag::context(1), text.as_bytes()),
            Self::Dns(text) => w.primitive(Tag::context(2), text.as_bytes()),
            Self::X400(der) => w.primitive(Tag::context_constructed(3), der),
            Self::Directory(name) => w.primitive(Tag::context_constructed(4), name.der()),
            Self::EdiParty(der) => w.primitive(Tag::context_constructed(5), der),
            Self::Uri(text) => w.primitive(Tag::context(6), text.as_bytes()),
            Self::Ip(octets) => w.primitive(Tag::context(7), octets),
            Self::RegisteredId(oid) => w.primitive(Tag::context(8), oid.der_content()),
        }
    }

    /// Whether it has no letters but those that its kind has in a certificate (`IA5String`).
    pub(crate) fn is_ascii(&self) -> bool {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => text.is_ascii(),
            _ => true,
        }
    }

    /// The host that it names, where it names one. `127.0.0.1` as a DNS name is a mistake that no
    /// client accepts, and names none.
    #[must_use]
    pub fn host(&self) -> Option<HostName> {
        match self {
            Self::Dns(name) => name
                .parse()
                .ok()
                .filter(|name| matches!(name, HostName::Dns(_))),
            Self::Ip(octets) => address(octets).map(HostName::Ip),
            _ => None,
        }
    }

    /// Whether it is to name a mailbox.
    pub(crate) fn is_mailbox(&self) -> bool {
        match self {
            Self::Email(_) => true,
            Self::Other(kind, _) => *kind == Oid::SMTP_UTF8_MAILBOX,
            _ => false,
        }
    }

    /// The mailbox that it names, where it names one: an `rfc822Name`, or a `SmtpUTF8Mailbox` (RFC 9598).
    #[must_use]
    pub fn mailbox(&self) -> Option<Mailbox> {
        match self {
            Self::Email(text) => Mailbox::in_certificate(text),
            Self::Other(kind, der) if *kind == Oid::SMTP_UTF8_MAILBOX => Mailbox::in_smtp_utf8(der),
            _ => None,
        }
    }

    /// What kind of name it is, in words: `DNS name`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Other(..) => "other name",
            Self::Email(_) => "email address",
            Self::Dns(_) => "DNS name",
            Self::X400(_) => "X.400 address",
            Self::Directory(_) => "directory name",
            Self::EdiParty(_) => "EDI party name",
            Self::Uri(_) => "URI",
            Self::Ip(_) => "IP address",
            Self::RegisteredId(_) => "registered identifier",
        }
    }
}

impl From<&HostName> for GeneralName {
    fn from(name: &HostName) -> Self {
        match name {
            HostName::Dns(name) => Self::Dns(name.clone()),
            HostName::Ip(IpAddr::V4(address)) => Self::Ip(address.octets().to_vec()),
            HostName::Ip(IpAddr::V6(address)) => Self::Ip(address.octets().to_vec()),
        }
    }
}

impl FromStr for GeneralName {
    type Err = GeneralNameError;

    /// Tells names apart by their look: one with a scheme is a URI (RFC 3986), one with an `@` a
    /// mailbox (RFC 5321), all else a host name or an address (see [`HostName`]). International host
    /// names, those of mailboxes too, become A-labels.
    fn from_str(text: &str) -> Result<Self, GeneralNameError> {
        if has_scheme(text) {
            let bad = |c: char| !c.is_ascii_graphic() || "<>\"{}|\\^`".contains(c);
            return if text.chars().any(bad) {
                Err(GeneralNameError::Uri(text.to_owned()))
            } else {
                Ok(Self::Uri(text.to_owned()))
            };
        }
        if !text.contains('@') {
            return Ok(Self::from(&text.parse::<HostName>()?));
        }
        match text.parse::<Mailbox>() {
            Ok(mailbox) if mailbox.local().is_ascii() => Ok(Self::Email(mailbox.to_string())),
            _ => Err(GeneralNameError::Email(text.to_owned())),
        }
    }
}

/// The name as people write it; what cannot be shown safely is escaped.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => escaped(text, f),
            Self::Ip(octets) => match address(octets) {
                Some(address) => address.fmt(f),
                None => write!(f, "#{}", hex(octets)),
            },
            Self::Directory(name) => name.fmt(f),
            Self::RegisteredId(oid) => oid.fmt(f),
            Self::Other(kind, value) => match self.mailbox() {
                Some(mailbox) => escaped(&mailbox.to_string(), f),
                None => write!(f, "{}:#{}", kind.name_or_dots(), hex(value)),
            },
            Self::X400(der) | Self::EdiParty(der) => write!(f, "#{}", hex(der)),
        }
    }
}

fn escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    text.chars().try_for_each(|character| match character {
        _ if unprintable(character) => write!(f, "\\x{:02x}", u32::from(character)),
        _ => write!(f, "{character}"),
    })
}

/// `https://…` or `urn:…`: a scheme, and something behind it. `localhost:8443` has none that names
/// could have, as what follows are digits alone.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(letters)
        && (rest.starts_with("//") || scheme.eq_ignore_ascii_case("urn"))
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
    v4.or(v6).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_their_look() {
        let name = |text: &str| text.parse::<GeneralName>();
        assert_eq!(name("a.example"), Ok(GeneralName::Dns("a.example".into())));
        assert_eq!(
            name("::1"),
            Ok(GeneralName::Ip([[0; 15].as_slice(), &[1]].concat()))
        );
        let email = GeneralName::Email("ada.b@xn--bcher-kva.example".into());
        assert_eq!(name("ada.b@bücher.example"), Ok(email));
        let uri = "spiffe://example.org/a";
        assert_eq!(name(uri), Ok(GeneralName::Uri(uri.into())));
        assert_eq!(
            name("urn:uuid:1"),
            Ok(GeneralName::Uri("urn:uuid:1".into()))
        );
        for bad in [
            "",
            "@a.example",
            "a@",
            "a@1.2.3.4",
            "a b@c.example",
            ".a@b.example",
            "ä@b.example",
            "https://a b",
            "localhost:8443",
            "a@*.b.example",
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_form_is_read_back() {
        let directory = DistinguishedName::of(&[(Oid::COMMON_NAME, "a")]);
        for name in [
            GeneralName::Other(Oid::COMMON_NAME, vec![5, 0]),
            GeneralName::Email("a@b.example".into()),
            GeneralName::Dns("*.a.example".into()),
            GeneralName::X400(vec![5, 0]),
            GeneralName::Directory(directory),
            GeneralName::EdiParty(vec![5, 0]),
            GeneralName::Uri("https://a".into()),
            GeneralName::Ip(vec![1, 2, 3, 4]),
            GeneralName::RegisteredId(Oid::COMMON_NAME),
        ] {
            let mut writer = Writer::new();
            name.write(&mut writer);
            let read = GeneralName::read_all(Reader::new(writer.bytes()));
            assert_eq!(read, Ok(vec![name]));
        }
    }

    #[test]
    fn what_is_shown_cannot_move_the_cursor() {
        let name = GeneralName::Dns("a\u{1b}[2J\u{7f}".into());
        assert_eq!(name.to_string(), "a\\x1b[2J\\x7f");
    }
}
