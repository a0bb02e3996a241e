//! By which rules paths are judged, and what is asked of one certificate.

use std::time::SystemTime;

use crate::mailbox::Mailbox;
use crate::name::HostName;
use crate::oid::Oid;
use crate::template::Purpose;

/// The rules that paths are judged by.
///
/// Where RFC 5280 leaves a choice, or others are stricter than it, it is a field here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Rules {
    /// Whether an anchor's own dates and constraints count. RFC 5280, section 6.1.1(d), takes of it
    /// a name and a key alone; RFC 5937, OpenSSL and Go let the rest of its certificate count.
    pub anchor_limits: bool,
    /// The shortest RSA key that is taken, in bits (CA/Browser Forum, section 6.1.5).
    pub minimum_rsa_bits: u16,
    /// Whether signatures over SHA-1 are taken.
    pub sha1: bool,
    /// Whether serial numbers must be positive and of at most 20 octets (RFC 5280, section 4.1.2.2).
    pub serial_numbers: bool,
    /// Whether a certificate with `anyExtendedKeyUsage` is good for every purpose.
    pub any_purpose_counts: bool,
    /// Whether the certificate of a CA may stand at the end of a path, where a purpose is asked for.
    pub ca_as_leaf: bool,
    /// What must be known of revocation.
    pub revocation: Revocation,
    /// What is asked of certificate policies.
    pub policies: PolicyRules,
    /// How much work one verdict may cost.
    pub limits: Limits,
}

/// What must be known of whether certificates were revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// Nothing is looked up.
    #[default]
    Ignored,
    /// A revoked certificate fails; one of which the CRLs at hand say nothing does not.
    WhereKnown,
    /// The last certificate's status must be known; the rest as in `WhereKnown`.
    Leaf,
    /// The status of all certificates but the anchor must be known.
    Whole,
}

/// The inputs of RFC 5280, section 6.1.1(c) and (e) to (g).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyRules {
    /// The acceptable policies; any where empty.
    pub acceptable: Vec<Oid>,
    /// Whether the path must be valid for at least one of them.
    pub explicit: bool,
    /// Whether policies may not be mapped.
    pub inhibit_mapping: bool,
    /// Whether `anyPolicy` stands for nothing.
    pub inhibit_any: bool,
}

/// How much work one verdict may cost. Certificates that sign each other across make exponentially
/// many paths, and constraints times names are quadratic: both were used to stop servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most certificates in a path, the anchor not counted.
    pub path_length: usize,
    /// The most signatures that are checked.
    pub signatures: usize,
    /// The most issuers that are tried for a place in a path.
    pub candidates: usize,
    /// The most paths that are judged.
    pub paths: usize,
    /// The most comparisons of a name with a constraint, over all paths.
    pub comparisons: usize,
}

/// What is asked of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// When.
    pub at: SystemTime,
    /// What it is to be good for; anything where absent.
    pub purpose: Option<Purpose>,
    /// The host that it must be for.
    pub host: Option<HostName>,
    /// The mailbox that it must be for.
    pub mailbox: Option<Mailbox>,
}

impl Rules {
    /// What a careful client of today asks for: RFC 5280, and what browsers ask beyond it.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            anchor_limits: true,
            minimum_rsa_bits: 2048,
            sha1: false,
            serial_numbers: true,
            any_purpose_counts: false,
            ca_as_leaf: false,
            revocation: Revocation::Ignored,
            policies: PolicyRules::default(),
            limits: Limits::default(),
        }
    }

    /// RFC 5280, section 6, and nothing else: neither sizes of keys nor ages of hashes, and of
    /// anchors their names and keys alone. The status of all certificates must be known.
    #[must_use]
    pub fn rfc5280() -> Self {
        Self {
            anchor_limits: false,
            minimum_rsa_bits: 0,
            sha1: true,
            serial_numbers: false,
            any_purpose_counts: true,
            ca_as_leaf: true,
            revocation: Revocation::Whole,
            ..Self::strict()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            path_length: 16,
            signatures: 128,
            candidates: 4096,
            paths: 64,
            comparisons: 250_000,
        }
    }
}

impl Question {
    /// Whether the certificate is good at a time, whatever for.
    #[must_use]
    pub fn at(at: SystemTime) -> Self {
        Self {
            at,
            purpose: None,
            host: None,
            mailbox: None,
        }
    }

    /// Whether it is good for a purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// Whether it is good for the TLS server that is reached under a name.
    #[must_use]
    pub fn host(mut self, host: HostName) -> Self {
        self.purpose.get_or_insert(Purpose::Server);
        self.host = Some(host);
        self
    }

    /// Whether it is good for mail of a mailbox.
    #[must_use]
    pub fn mailbox(mut self, mailbox: Mailbox) -> Self {
        self.purpose.get_or_insert(Purpose::Email);
        self.mailbox = Some(mailbox);
        self
    }
}
