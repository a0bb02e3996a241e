//! Name constraints (RFC 5280, section 4.2.1.10): the names that a CA may certify.
//!
//! A local CA is trusted by the machine it was made on, so a stolen key of it could speak for every
//! site of the web. Constraints confine it to names that mean nothing elsewhere.

use std::fmt;
use std::net::IpAddr;

use rcgen::{CidrSubnet, GeneralSubtree};
use x509_parser::extensions::{self, GeneralName};

use crate::name::HostName;

/// The DNS trees and networks that a CA is confined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameConstraints {
    domains: Vec<String>,
    networks: Vec<Network>,
}

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl NameConstraints {
    /// Names and addresses of one's own machine and network: `localhost` and `test` (RFC 6761),
    /// `internal` (reserved by ICANN in 2024), `home.arpa` (RFC 8375), each with all names below
    /// it; loopback, private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291) addresses.
    #[must_use]
    pub fn local() -> Self {
        Self {
            domains: LOCAL_DOMAINS.map(str::to_owned).to_vec(),
            networks: LOCAL_NETWORKS
                .map(|(address, prefix)| Network { address, prefix })
                .to_vec(),
        }
    }

    /// Adds a name: a DNS name with everything below it (constraints know no smaller unit, so
    /// `*.example.org` adds `example.org`), or a single address.
    #[must_use]
    pub fn and(mut self, name: &HostName) -> Self {
        if self.permits(name) {
            return self;
        }
        match name {
            HostName::Dns(name) => self.domains.push(without_wildcard(name).to_owned()),
            HostName::Ip(address) => self.networks.push(Network {
                address: *address,
                prefix: if address.is_ipv4() { 32 } else { 128 },
            }),
        }
        self
    }

    /// Whether a certificate for `name` stays within the constraints.
    #[must_use]
    pub fn permits(&self, name: &HostName) -> bool {
        match name {
            HostName::Dns(name) => {
                let name = without_wildcard(name);
                self.domains.iter().any(|domain| {
                    domain.is_empty()
                        || name
                            .strip_suffix(domain.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                })
            }
            HostName::Ip(address) => self.networks.iter().any(|n| n.contains(*address)),
        }
    }

    /// The constraints as rcgen writes them.
    pub(crate) fn subtrees(&self) -> Vec<GeneralSubtree> {
        let domains = self.domains.iter().cloned().map(GeneralSubtree::DnsName);
        let networks = self.networks.iter().map(|network| {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
                network.address,
                network.prefix,
            ))
        });
        domains.chain(networks).collect()
    }

    /// What a certificate's extension permits. Forms of names that Ravelin never certifies are
    /// left out; exclusions are not read, for no CA made here has any.
    pub(crate) fn from_extension(extension: &extensions::NameConstraints<'_>) -> Self {
        let mut constraints = Self {
            domains: Vec::new(),
            networks: Vec::new(),
        };
        for subtree in extension.permitted_subtrees.iter().flatten() {
            match &subtree.base {
                GeneralName::DNSName(name) => {
                    let name = name.trim_start_matches('.').to_ascii_lowercase();
                    constraints.domains.push(name);
                }
                GeneralName::IPAddress(octets) => {
                    constraints.networks.extend(Network::from_octets(octets));
                }
                _ => {}
            }
        }
        constraints
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let (ours, theirs, width) = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (u128::from(a.to_bits()), u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let ignored = width - u32::from(self.prefix);
        // A shift by the whole width is no shift in Rust: `/0` takes everything.
        (ours ^ theirs).checked_shr(ignored).unwrap_or(0) == 0
    }

    /// Reads address and mask (RFC 5280, section 4.2.1.10). A mask with holes is no network.
    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (address, mask) = octets.split_at_checked(octets.len() / 2)?;
        let (address, ones, zeros) = if let (Ok(address), Ok(mask)) =
            (<[u8; 4]>::try_from(address), <[u8; 4]>::try_from(mask))
        {
            let mask = u32::from_be_bytes(mask);
            let ones = mask.leading_ones();
            (IpAddr::from(address), ones, ones + mask.trailing_zeros())
        } else {
            let mask = u128::from_be_bytes(mask.try_into().ok()?);
            let ones = mask.leading_ones();
            let address = <[u8; 16]>::try_from(address).ok()?;
            (IpAddr::from(address), ones, ones + mask.trailing_zeros())
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        // An all-ones mask has no trailing zeros, an all-zeros mask has them all.
        (zeros == width).then(|| Self {
            address,
            prefix: u8::try_from(ones).unwrap_or(u8::MAX),
        })
    }
}

/// For people: `localhost, *.localhost, …` would be long, so a domain stands for its whole tree.
impl fmt::Display for NameConstraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domains = self.domains.iter().cloned();
        let networks = self.networks.iter().map(|n| {
            let single = if n.address.is_ipv4() { 32 } else { 128 };
            if n.prefix == single {
                n.address.to_string()
            } else {
                format!("{}/{}", n.address, n.prefix)
            }
        });
        f.write_str(&domains.chain(networks).collect::<Vec<_>>().join(", "))
    }
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
    fn masks_with_holes_are_no_networks() {
        assert!(Network::from_octets(&[10, 0, 0, 0, 255, 0, 255, 0]).is_none());
        assert!(Network::from_octets(&[1, 2, 3]).is_none());
        let all = Network::from_octets(&[0; 8]).unwrap();
        assert!(all.contains(v4(8, 8, 8, 8)));
        let one = Network::from_octets(&[1, 2, 3, 4, 255, 255, 255, 255]).unwrap();
        assert!(one.contains(v4(1, 2, 3, 4)) && !one.contains(v4(1, 2, 3, 5)));
    }
}
