//! What a CA is to be.

use std::time::Duration;

use ravelin_pki::authority::ROOT_LIFE;
use ravelin_pki::{HostName, KeyType, NameConstraints};

/// What a CA is to be, once for all: its root is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The common name of the root. It should differ from one CA to the next: verifiers look issuers
    /// up by it. By default it has the machine's name and digits of the key in it.
    pub name: Option<String>,
    /// The organisation in the names of root and intermediates.
    pub organization: String,
    /// The kind of the root's key.
    pub key_type: KeyType,
    /// How long the root is valid.
    pub root_life: Duration,
    /// The names that it may certify; all where none.
    pub constraints: Option<NameConstraints>,
    /// How many CAs may stand between the root and the last certificate; any number where none.
    pub path_length: Option<u32>,
}

impl Default for Plan {
    /// What is made where nothing is asked for: confined to local names, with an ECDSA P-256 key,
    /// for ten years.
    fn default() -> Self {
        Self {
            name: None,
            organization: "Ravelin local CA".to_owned(),
            key_type: KeyType::EcdsaP256,
            root_life: ROOT_LIFE,
            constraints: Some(NameConstraints::local()),
            // One for the intermediate, one for the root that will replace this one.
            path_length: Some(2),
        }
    }
}

impl Plan {
    /// The default, with names of one's own permitted too.
    #[must_use]
    pub fn local(extra_names: &[HostName]) -> Self {
        let constraints = extra_names
            .iter()
            .fold(NameConstraints::local(), NameConstraints::and);
        Self {
            constraints: Some(constraints),
            ..Self::default()
        }
    }
}
