//! Name constraints (RFC 5280, section 4.2.1.10): the names that a CA may certify.
//!
//! A local CA is trusted by the machine it was made on, so a stolen key of it could speak for every
//! site of the web. Constraints confine it to names that mean nothing elsewhere.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::general_name::GeneralName;
use crate::mailbox::Mailbox;
use crate::name::HostName;

/// The names that a CA is confined to, and those that it is barred from.
///
/// A kind of name of which nothing is permitted by name is permitted altogether: a CA that is
/// confined to DNS names alone may certify any address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// All names of a kind at or below a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subtree {
    /// A DNS name and all below it; the empty one stands for all. With a dot in front, which RFC
    /// 5280 does not have and many CAs write, it is the same here, as in most verifiers.
    Dns(String),
    /// Addresses that share the bits of a mask.
    Ip(Network),
    /// A mailbox, all mailboxes of a host, or, with a dot in front, of all hosts below a domain.
    Email(String),
    /// URIs of a host or, with a dot in front, of all hosts below a domain.
    Uri(String),
    /// Distinguished names that begin with this one.
    Directory(DistinguishedName),
    /// A kind that is never compared: what it says in DER.
    Other(GeneralName),
}

/// An address and the bits of it that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// As an address of the same family. RFC 5280 wants CIDR style; a mask with holes is kept as it
    /// is, and compared bit by bit.
    mask: IpAddr,
}

impl NameConstraints {
    /// Names and addresses of one's own machine and network: `localhost` and `test` (RFC 6761),
    /// `internal` (reserved by ICANN in 2024), `home.arpa` (RFC 8375), each with all names below
    /// it; loopback, private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291) addresses.
    #[must_use]
    pub fn local() -> Self {
        let domains = LOCAL_DOMAINS.map(|domain| Subtree::Dns(domain.to_owned()));
        let networks =
            LOCAL_NETWORKS.map(|(address, prefix)| Subtree::Ip(Network::new(address, prefix)));
        Self {
            permitted: domains.into_iter().chain(networks).collect(),
            excluded: Vec::new(),
        }
    }

    /// Permits a name more: a DNS name with everything below it (constraints know no smaller unit,
    /// so `*.example.org` adds `example.org`), or a single address.
    #[must_use]
    pub fn and(mut self, name: &HostName) -> Self {
        if !self.permits(name) {
            self.permitted.push(Subtree::around(name));
        }
        self
    }

    /// Bars a name, though a wider one is permitted.
    #[must_use]
    pub fn but(mut self, name: &HostName) -> Self {
        self.excluded.push(Subtree::around(name));
        self
    }

    /// Permits all names of a subtree.
    #[must_use]
    pub fn permitting(mut self, subtree: Subtree) -> Self {
        self.permitted.push(subtree);
        self
    }

    /// Bars all names of a subtree.
    #[must_use]
    pub fn excluding(mut self, subtree: Subtree) -> Self {
        self.excluded.push(subtree);
        self
    }

    /// What is permitted by name.
    #[must_use]
    pub fn permitted(&self) -> &[Subtree] {
        &self.permitted
    }

    /// What is barred.
    #[must_use]
    pub fn excluded(&self) -> &[Subtree] {
        &self.excluded
    }

    /// Whether a certificate for `name` stays within the constraints.
    #[must_use]
    pub fn permits(&self, name: &HostName) -> bool {
        self.permits_name(&GeneralName::from(name))
    }

    /// Whether a certificate for `name` stays within the constraints. A name of a kind that is never
    /// compared is outside as soon as there is a constraint of its kind.
    #[must_use]
    pub fn permits_name(&self, name: &GeneralName) -> bool {
        let mut permitted = self
            .permitted
            .iter()
            .filter(|subtree| subtree.concerns(name))
            .map(|subtree| subtree.contains(name) == Some(true))
            .peekable();
        // What cannot be compared counts as excluded, and as not permitted.
        let excluded = self.excluded.iter().any(|subtree| {
            (subtree.concerns(name) && subtree.contains(name) != Some(false))
                || subtree.is_within_wildcard(name)
        });
        !excluded && (permitted.peek().is_none() || permitted.any(|contains| contains))
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        let subtrees = |w: &mut Writer, tag, subtrees: &[Subtree]| {
            if !subtrees.is_empty() {
                w.constructed(Tag::context_constructed(tag), |w| {
                    for subtree in subtrees {
                        w.sequence(|w| subtree.general_name().write(w));
                    }
                });
            }
        };
        w.sequence(|w| {
            subtrees(w, 0, &self.permitted);
            subtrees(w, 1, &self.excluded);
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let subtrees = |list: Option<Element<'_>>| match list {
            None => Ok(Vec::new()),
            Some(list) if list.content.is_empty() => Err(DerProblem::Empty.at(list.at)),
            Some(list) => Subtree::read_all(list.reader()),
        };
        let permitted = subtrees(reader.optional(Tag::context_constructed(0))?)?;
        let excluded = subtrees(reader.optional(Tag::context_constructed(1))?)?;
        reader.finish()?;
        Ok(Self {
            permitted,
            excluded,
        })
    }
}

/// Why a text is no subtree of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" names no set of names, such as \"example.org\" (with all below it), \"10.0.0.0/8\", \
     \"@example.org\" (its mailboxes) or \"uri:example.org\""
)]
pub struct SubtreeError(String);

impl FromStr for Subtree {
    type Err = SubtreeError;

    /// Reads `example.org` (with all below it), `10.1.2.3`, `10.0.0.0/8`, `ada@example.org`,
    /// `@example.org` (all mailboxes of the host), `@.example.org` (of all hosts below it),
    /// `uri:example.org` and `uri:.example.org`.
    fn from_str(text: &str) -> Result<Self, SubtreeError> {
        let error = || SubtreeError(text.chars().take(80).collect());
        let host = |host: &str| {
            let (dot, name) = match host.strip_prefix('.') {
                Some(name) => (".", name),
                None => ("", host),
            };
            match name.parse() {
                Ok(HostName::Dns(name)) if !name.starts_with('*') => Ok(format!("{dot}{name}")),
                _ => Err(error()),
            }
        };
        if let Some(rest) = text.strip_prefix("uri:") {
            return host(rest).map(Self::Uri);
        }
        if let Some(rest) = text.strip_prefix('@') {
            return host(rest).map(Self::Email);
        }
        if text.contains('@') {
            return match text.parse() {
                Ok(GeneralName::Email(mailbox)) => Ok(Self::Email(mailbox)),
                _ => Err(error()),
            };
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| error())?;
            let prefix: u8 = prefix.parse().map_err(|_| error())?;
            let widest = if address.is_ipv4() { 32 } else { 128 };
            return if prefix <= widest {
                Ok(Self::Ip(Network::new(address, prefix)))
            } else {
                Err(error())
            };
        }
        let name = text
            .strip_prefix("*.")
            .or(text.strip_prefix('.'))
            .unwrap_or(text);
        match name.parse::<HostName>() {
            Ok(name) if !name.is_wildcard() => Ok(Self::around(&name)),
            _ => Err(error()),
        }
    }
}

impl Subtree {
    /// The smallest subtree that has the name in it.
    fn around(name: &HostName) -> Self {
        match name {
            HostName::Dns(name) => Self::Dns(without_wildcard(name).to_owned()),
            HostName::Ip(address) => Self::Ip(Network::new(*address, u8::MAX)),
        }
    }

    fn read_all(mut reader: Reader<'_>) -> Result<Vec<Self>, DerError> {
        let mut subtrees = Vec::new();
        while !reader.is_at_end() {
            let mut subtree = reader.sequence()?;
            let base = subtree.next()?;
            let name = GeneralName::read(base)?;
            // Minimum is 0 and maximum absent, always (RFC 5280, section 4.2.1.10).
            if let Some(minimum) = subtree.optional(Tag::context(0))? {
                return Err(DerProblem::WrittenDefault.at(minimum.at));
            }
            subtree.finish()?;
            subtrees.push(match name {
                GeneralName::Dns(name) => Self::Dns(name),
                GeneralName::Ip(octets) => {
                    let network = Network::from_octets(&octets);
                    Self::Ip(network.ok_or(DerProblem::OutOfRange.at(base.at))?)
                }
                GeneralName::Email(text) => Self::Email(text),
                GeneralName::Uri(text) => Self::Uri(text),
                GeneralName::Directory(name) => Self::Directory(name),
                other => Self::Other(other),
            });
        }
        Ok(subtrees)
    }

    fn general_name(&self) -> GeneralName {
        match self {
            Self::Dns(name) => GeneralName::Dns(name.clone()),
            Self::Ip(network) => GeneralName::Ip(network.octets()),
            Self::Email(text) => GeneralName::Email(text.clone()),
            Self::Uri(text) => GeneralName::Uri(text.clone()),
            Self::Directory(name) => GeneralName::Directory(name.clone()),
            Self::Other(name) => name.clone(),
        }
    }

    /// Whether it says something about names of this kind.
    fn concerns(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(_), GeneralName::Dns(_))
            | (Self::Ip(_), GeneralName::Ip(_))
            | (Self::Uri(_), GeneralName::Uri(_))
            | (Self::Directory(_), GeneralName::Directory(_)) => true,
            // Constraints of mailboxes are for those of other alphabets too (RFC 9598, section 6).
            (Self::Email(_), mailbox) => mailbox.is_mailbox(),
            (Self::Other(ours), theirs) => {
                std::mem::discriminant(ours) == std::mem::discriminant(theirs)
            }
            _ => false,
        }
    }

    /// Whether the name is a wildcard that covers this very subtree's top: who is barred from
    /// `a.example.org` must not speak for it as `*.example.org`.
    fn is_within_wildcard(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(domain), GeneralName::Dns(name)) => {
                let parent = domain.trim_start_matches('.').split_once('.');
                let covered = name.strip_prefix("*.");
                covered
                    .zip(parent)
                    .is_some_and(|(covered, (_, parent))| covered.eq_ignore_ascii_case(parent))
            }
            _ => false,
        }
    }

    /// Whether the name is at or below it; none where that cannot be told.
    fn contains(&self, name: &GeneralName) -> Option<bool> {
        match (self, name) {
            (Self::Dns(domain), GeneralName::Dns(name)) => Some(is_at_or_below(
                without_wildcard(name),
                domain.trim_start_matches('.'),
            )),
            (Self::Ip(network), GeneralName::Ip(octets)) => Some(network.contains(octets)),
            (Self::Email(constraint), name) => {
                let mailbox = name.mailbox()?;
                Some(if constraint.contains('@') {
                    Mailbox::in_certificate(constraint) == Some(mailbox)
                } else {
                    matches_host(constraint, mailbox.host())
                })
            }
            (Self::Uri(constraint), GeneralName::Uri(uri)) => {
                // An address, or no host at all, is within no constraint (section 4.2.1.10).
                Some(matches_host(constraint, uri_host(uri)?))
            }
            (Self::Directory(base), GeneralName::Directory(name)) => Some(name.is_below(base)),
            _ => None,
        }
    }
}

impl Network {
    /// The addresses that share the first `prefix` bits of `address`.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        let mask = match address {
            IpAddr::V4(_) => {
                let unused = 32 - u32::from(prefix).min(32);
                IpAddr::from(u32::MAX.checked_shl(unused).unwrap_or(0).to_be_bytes())
            }
            IpAddr::V6(_) => {
                let unused = 128 - u32::from(prefix).min(128);
                IpAddr::from(u128::MAX.checked_shl(unused).unwrap_or(0).to_be_bytes())
            }
        };
        Self { address, mask }
    }

    /// Reads address and mask (RFC 5280, section 4.2.1.10).
    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (address, mask) = octets.split_at_checked(octets.len() / 2)?;
        let read = |octets: &[u8]| {
            let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            v4.or(<[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
        };
        Some(Self {
            address: read(address)?,
            mask: read(mask)?,
        })
    }

    fn octets(&self) -> Vec<u8> {
        let octets = |address| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        [octets(self.address), octets(self.mask)].concat()
    }

    /// Whether an address, given by its octets, shares the bits of the mask.
    fn contains(&self, theirs: &[u8]) -> bool {
        let same = |ours: &[u8], mask: &[u8]| {
            let mut octets = ours.iter().zip(theirs).zip(mask);
            ours.len() == theirs.len() && octets.all(|((a, b), mask)| (a ^ b) & mask == 0)
        };
        match (self.address, self.mask) {
            (IpAddr::V4(ours), IpAddr::V4(mask)) => same(&ours.octets(), &mask.octets()),
            (IpAddr::V6(ours), IpAddr::V6(mask)) => same(&ours.octets(), &mask.octets()),
            _ => false,
        }
    }
}

/// For people: `localhost, *.localhost, …` would be long, so a domain stands for its whole tree.
impl fmt::Display for NameConstraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permitted = self.permitted.iter().map(Subtree::to_string);
        let excluded = self.excluded.iter().map(|subtree| format!("not {subtree}"));
        f.write_str(&permitted.chain(excluded).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(network) => network.fmt(f),
            Self::Dns(name) if name.is_empty() => f.write_str("every DNS name"),
            _ => self.general_name().fmt(f),
        }
    }
}

/// `10.0.0.0/8`; a single address without its prefix; a mask with holes as a mask.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ones, zeros, width) = match self.mask {
            IpAddr::V4(mask) => {
                let mask = mask.to_bits();
                (mask.leading_ones(), mask.trailing_zeros(), 32)
            }
            IpAddr::V6(mask) => {
                let mask = mask.to_bits();
                (mask.leading_ones(), mask.trailing_zeros(), 128)
            }
        };
        match ones {
            _ if ones + zeros != width => write!(f, "{}/{}", self.address, self.mask),
            _ if ones == width => self.address.fmt(f),
            _ => write!(f, "{}/{ones}", self.address),
        }
    }
}

/// A host, or with a dot in front a domain of which the host is below.
fn matches_host(constraint: &str, host: &str) -> bool {
    match constraint.strip_prefix('.') {
        Some(domain) => host.len() > domain.len() + 1 && is_at_or_below(host, domain),
        None => constraint.eq_ignore_ascii_case(host),
    }
}

fn is_at_or_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.as_bytes(), domain.as_bytes());
    let Some(longer_by) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (rest, end) = name.split_at(longer_by);
    let whole_labels = rest.is_empty() || rest.ends_with(b".");
    domain.is_empty() || (whole_labels && end.eq_ignore_ascii_case(domain))
}

/// The host in a URI's authority (RFC 3986, section 3.2), where it is a name.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return None;
    }
    let host = host.split(':').next()?;
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then_some(host)
}

fn without_wildcard(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

const LOCAL_DOMAINS: [&str; 4] = ["localhost", "test", "internal", "home.arpa"];

const LOCAL_NETWORKS: [(IpAddr, u8); 8] = [
    (v4(127, 0, 0, 0), 8),
    (v4(10, 0, 0, 0), 8),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 168, 0, 0), 16),
    (v4(169, 254, 0, 0), 16),
    (v6(0, 1), 128),
    (v6(0xfc00, 0), 7),
    (v6(0xfe80, 0), 10),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}

/// An IPv6 address of which only the first and the last group are not zero.
const fn v6(first: u16, last: u16) -> IpAddr {
    IpAddr::V6(std::net::Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    #[test]
    fn local_names_and_addresses_are_permitted() {
        let local = NameConstraints::local();
        for text in [
            "localhost",
            "*.localhost",
            "a.b.localhost",
            "x.test",
            "db.internal",
            "nas.home.arpa",
            "127.0.0.1",
            "127.255.255.255",
            "10.1.2.3",
            "172.31.255.1",
            "192.168.0.1",
            "169.254.1.1",
            "::1",
            "fd12::1",
            "fe80::1",
        ] {
            assert!(local.permits(&name(text)), "{text}");
        }
        for text in [
            "example.org",
            "notlocalhost",
            "localhost.example.org",
            "*.arpa",
            "nas",
            "printer.local",
            "8.8.8.8",
            "172.32.0.1",
            "0.0.0.0",
            "::",
            "::2",
            "2001:db8::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!local.permits(&name(text)), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_added_is_permitted_with_all_below_it() {
        let constraints = NameConstraints::local()
            .and(&name("*.example.org"))
            .and(&name("192.0.2.1"));
        assert!(constraints.permits(&name("example.org")));
        assert!(constraints.permits(&name("a.b.example.org")));
        assert!(constraints.permits(&name("192.0.2.1")));
        assert!(!constraints.permits(&name("192.0.2.2")));
        assert!(!constraints.permits(&name("badexample.org")));
    }

    #[test]
    fn networks_are_compared_by_their_mask() {
        let all = Network::from_octets(&[0; 8]).unwrap();
        assert!(all.contains(&[8, 8, 8, 8]) && !all.contains(&[0; 16]));
        let one = Network::from_octets(&[1, 2, 3, 4, 255, 255, 255, 255]).unwrap();
        assert!(one.contains(&[1, 2, 3, 4]) && !one.contains(&[1, 2, 3, 5]));
        assert_eq!(one, Network::new(v4(1, 2, 3, 4), 32));
        let holes = Network::from_octets(&[10, 0, 1, 0, 255, 0, 255, 0]).unwrap();
        assert!(holes.contains(&[10, 7, 1, 7]) && !holes.contains(&[10, 7, 2, 7]));
        assert!(Network::from_octets(&[1, 2, 3]).is_none());
        let shown = [all, one, holes, Network::new(v4(10, 0, 0, 0), 8)].map(|n| n.to_string());
        assert_eq!(
            shown,
            ["0.0.0.0/0", "1.2.3.4", "10.0.1.0/255.0.255.0", "10.0.0.0/8"]
        );
    }

    #[test]
    fn mailboxes_and_uris_are_compared_by_their_hosts() {
        let permits = |constraint: Subtree, name: &str| {
            let constraints = NameConstraints::default().permitting(constraint);
            constraints.permits_name(&name.parse().unwrap())
        };
        let email = |constraint: &str, name| permits(Subtree::Email(constraint.into()), name);
        assert!(email("a@b.example", "a@b.example") && !email("a@b.example", "c@b.example"));
        assert!(email("b.example", "c@B.example") && !email("b.example", "c@d.b.example"));
        assert!(email(".b.example", "c@d.b.example") && !email(".b.example", "c@b.example"));
        let uri = |constraint: &str, name| permits(Subtree::Uri(constraint.into()), name);
        assert!(
            uri("b.example", "https://u@b.example:1/x") && !uri("b.example", "https://d.b.example")
        );
        assert!(uri(".b.example", "https://d.b.example?q") && !uri(".b.example", "urn:a"));
        assert!(!uri("1.2.3.4", "https://1.2.3.4/"));
        // A kind that no constraint names is free.
        assert!(email("a@b.example", "c.example"));
    }

    #[test]
    fn subtrees_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Subtree>();
        for (text, subtree) in [
            ("*.Example.org", Subtree::Dns("example.org".into())),
            ("10.0.0.0/8", Subtree::Ip(Network::new(v4(10, 0, 0, 0), 8))),
            ("::1", Subtree::Ip(Network::new(v6(0, 1), 128))),
            ("@.a.example", Subtree::Email(".a.example".into())),
            ("b@a.example", Subtree::Email("b@a.example".into())),
            ("uri:.a.example", Subtree::Uri(".a.example".into())),
        ] {
            assert_eq!(read(text), Ok(subtree), "{text}");
        }
        for text in ["", "10.0.0.0/33", "@", "a@", "uri:", "*.*.a", "a b"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn wildcards_reach_neither_what_is_excluded_nor_beyond_what_is_permitted() {
        let barred = NameConstraints::default().but(&name("a.example.org"));
        for text in ["*.example.org", "*.a.example.org", "a.example.org"] {
            assert!(!barred.permits(&name(text)), "{text}");
        }
        for text in ["*.b.example.org", "*.org", "example.org"] {
            assert!(barred.permits(&name(text)), "{text}");
        }
        let one = NameConstraints::default().permitting(Subtree::Dns("a.example.org".into()));
        assert!(!one.permits(&name("*.example.org")) && one.permits(&name("*.a.example.org")));
    }

    #[test]
    fn exclusions_win_over_permissions() {
        let constraints = NameConstraints::local().but(&name("secret.internal"));
        assert!(constraints.permits(&name("db.internal")));
        assert!(!constraints.permits(&name("a.secret.internal")));
        let mut writer = Writer::new();
        constraints.write(&mut writer);
        let element = Reader::only(writer.bytes(), Tag::SEQUENCE).unwrap();
        assert_eq!(NameConstraints::read(element), Ok(constraints));
    }
}
