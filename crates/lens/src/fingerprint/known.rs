//! Hellos of clients that are known, and which of them one looks like.
//!
//! The table is made by the tests, of the hellos that programs on the machine of the tests sent: nothing in
//! it is hearsay.

use std::collections::BTreeSet;

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::ClientHello;
use ravelin_wire::registry::{CodePoint, ExtensionType};

/// A client whose hello is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it is called: `curl`.
    pub program: &'static str,
    /// The version whose hello it is, and that of its library: `7.88.1 (OpenSSL 3.0.19)`.
    pub version: &'static str,
    /// Its hello.
    hello: &'static str,
}

/// What of a hello is the client's own: neither whom it speaks to nor what it remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    suites: BTreeSet<u64>,
    extensions: BTreeSet<u64>,
    groups: BTreeSet<u64>,
    schemes: BTreeSet<u64>,
}

/// How much a hello is like that of a client that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// The client.
    pub known: Known,
    /// From 0, nothing in common, to 100, the same suites, extensions, groups and signatures.
    pub percent: u8,
}

/// The clients whose hellos are most like this one, all to the same degree: programs share libraries. None
/// where nothing comes near.
#[must_use]
pub fn closest(hello: &ClientHello<'_>) -> Vec<Likeness> {
    let traits = Traits::of(hello);
    let mut closest: Vec<_> = clients()
        .map(|known| Likeness {
            known,
            percent: traits.likeness(&known.traits()),
        })
        .filter(|likeness| likeness.percent >= NEAR)
        .collect();
    let most = closest.iter().map(|likeness| likeness.percent).max();
    closest.retain(|likeness| Some(likeness.percent) == most);
    closest
}

/// The clients that are known.
pub fn clients() -> impl Iterator<Item = Known> {
    CLIENTS.lines().filter_map(|line| {
        let mut fields = line.splitn(3, '|');
        Some(Known {
            program: fields.next()?,
            version: fields.next()?,
            hello: fields.next()?,
        })
    })
}

impl Known {
    /// What of its hello is its own.
    #[must_use]
    pub fn traits(&self) -> Traits {
        let mut lists = self.hello.split('|').map(|list| {
            let codes = list.split(',');
            codes
                .filter_map(|code| u64::from_str_radix(code, 16).ok())
                .collect()
        });
        let mut next = || lists.next().unwrap_or_default();
        Traits {
            suites: next(),
            extensions: next(),
            groups: next(),
            schemes: next(),
        }
    }
}

impl Traits {
    /// Those of this hello.
    #[must_use]
    pub fn of(hello: &ClientHello<'_>) -> Self {
        let mut traits = Self {
            suites: codes(hello.cipher_suites.iter().copied()),
            extensions: codes(hello.extensions().map(Extension::extension_type)),
            groups: BTreeSet::new(),
            schemes: BTreeSet::new(),
        };
        for passing in PASSING {
            traits.extensions.remove(&passing.code());
        }
        for extension in hello.extensions() {
            match extension {
                Extension::SupportedGroups(list) => traits.groups = codes(list.iter().copied()),
                Extension::SignatureAlgorithms(list) => {
                    traits.schemes = codes(list.iter().copied());
                }
                _ => {}
            }
        }
        traits
    }

    /// The traits as a line of the table has them.
    #[must_use]
    pub fn line(&self) -> String {
        [&self.suites, &self.extensions, &self.groups, &self.schemes]
            .map(|codes| {
                let codes: Vec<_> = codes.iter().map(|code| format!("{code:04x}")).collect();
                codes.join(",")
            })
            .join("|")
    }

    /// How much of what one of both has the other has too, in percent: the mean over the four lists.
    fn likeness(&self, other: &Self) -> u8 {
        let shares = [
            (&self.suites, &other.suites),
            (&self.extensions, &other.extensions),
            (&self.groups, &other.groups),
            (&self.schemes, &other.schemes),
        ]
        .map(|(one, other)| {
            let all = one.union(other).count();
            if all == 0 {
                return 100;
            }
            100 * one.intersection(other).count() / all
        });
        (shares.iter().sum::<usize>() / shares.len()) as u8
    }
}

fn codes<C: CodePoint>(codes: impl Iterator<Item = C>) -> BTreeSet<u64> {
    codes
        .filter(|code| !code.is_grease())
        .map(CodePoint::code)
        .collect()
}

/// A line a client: program, version, suites, extensions, groups, signatures.
const CLIENTS: &str = include_str!("known.txt");

/// Extensions that the same client sends or not, by whom it speaks to and what it remembers.
const PASSING: [ExtensionType; 7] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
    ExtensionType::PADDING,
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType::EARLY_DATA,
    ExtensionType::COOKIE,
    ExtensionType::SESSION_TICKET,
];

/// Below this, two hellos have in common what all have.
const NEAR: u8 = 60;
