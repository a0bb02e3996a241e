//! Judging certificates: from a leaf to an anchor that is trusted, by the rules of RFC 5280, section 6,
//! and RFC 9525, with an answer that says why.
//!
//! Nothing is fetched and no clock is read. Real handshakes are judged by rustls-webpki: what is here
//! is for telling people what is wrong, all of it, and how to mend it.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use ravelin_pki::{Authority, Judge, NameConstraints, PrivateKey, Question, Rules, Trust};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::now();
//! let root = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
//! let leaf = root.leaf(&["localhost".parse()?], now)?.certificate().clone();
//!
//! let trust = Trust::new(vec![root.certificate().clone()]);
//! let judge = Judge::new(&trust, Rules::strict());
//! let question = Question::at(now).host("localhost".parse()?);
//! assert!(judge.verify(&leaf, &[], &question).is_valid());
//!
//! let question = Question::at(now + Duration::from_secs(91 * 86_400)).host("example.org".parse()?);
//! let verdict = judge.verify(&leaf, &[], &question);
//! let problems: Vec<String> = verdict.failures().iter().map(ToString::to_string).collect();
//! assert!(problems[0].starts_with("\"localhost\": it expired 1 day ago"));
//! assert_eq!(
//!     problems[1],
//!     "\"localhost\": \"example.org\" is not one of its names; it has: localhost"
//! );
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Mutex, PoisonError};

use crate::certificate::Certificate;
use crate::distinguished_name::{DistinguishedName, unprintable};
use crate::fingerprint::Fingerprint;
use crate::public_key::PublicKey;
use crate::revocation_list::RevocationList;
use crate::signature::SignatureError;

mod names;
mod path;
pub(crate) mod policy;
mod problem;
mod purpose;
mod remarks;
mod revocation;
mod rules;
mod search;
mod verdict;

pub use problem::{NoStatus, Problem};
pub use revocation::IssuerBooks;
pub use rules::{Limits, PolicyRules, Question, Revocation, Rules};
pub use verdict::{Failure, Path, Remark, Status, Verdict};

use search::{Role, Search, Work};

/// The certificates that are trusted, indexed once for any number of verdicts.
#[derive(Debug, Clone)]
pub struct Trust {
    anchors: Vec<Certificate>,
    by_subject: NameIndex,
}

/// Judges certificates by rules, against anchors, with what else is known.
///
/// What it learned of signatures of intermediates it keeps, so that many leaves of a few CAs cost one
/// signature each.
#[derive(Debug)]
pub struct Judge<'t> {
    trust: &'t Trust,
    rules: Rules,
    known: Vec<Certificate>,
    by_subject: NameIndex,
    lists: Vec<List>,
    lists_by_issuer: NameIndex,
    books: Option<&'t dyn IssuerBooks>,
    signatures: Mutex<HashMap<Signed, Result<(), SignatureError>>>,
}

/// A CRL, with what names it in the memory of signatures: a large one is hashed once.
#[derive(Debug)]
struct List {
    list: RevocationList,
    fingerprint: Fingerprint,
}

/// What was signed, and the key that is said to have done it.
type Signed = (Fingerprint, Fingerprint);

/// So many signatures are kept in memory, of 80 octets each, and none beyond.
const REMEMBERED: usize = 1 << 16;

impl Trust {
    /// Trusts these certificates; they need not be self-signed.
    #[must_use]
    pub fn new(anchors: Vec<Certificate>) -> Self {
        let mut by_subject = NameIndex::default();
        for (place, anchor) in anchors.iter().enumerate() {
            by_subject.insert(anchor.subject_name(), place);
        }
        Self {
            anchors,
            by_subject,
        }
    }

    /// The certificates that are trusted.
    #[must_use]
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    fn named<'s>(&'s self, name: &'s DistinguishedName) -> impl Iterator<Item = &'s Certificate> {
        named(&self.anchors, &self.by_subject, name)
    }

    fn has(&self, certificate: &Certificate) -> bool {
        self.named(certificate.subject_name())
            .any(|anchor| anchor.der() == certificate.der())
    }
}

impl<'t> Judge<'t> {
    /// Judges by these rules, against these anchors.
    #[must_use]
    pub fn new(trust: &'t Trust, rules: Rules) -> Self {
        Self {
            trust,
            rules,
            known: Vec::new(),
            by_subject: NameIndex::default(),
            lists: Vec::new(),
            lists_by_issuer: NameIndex::default(),
            books: None,
            signatures: Mutex::default(),
        }
    }

    /// Tells it certificates of CAs that paths may go through. They are not trusted for that.
    #[must_use]
    pub fn knowing(mut self, certificates: impl IntoIterator<Item = Certificate>) -> Self {
        for certificate in certificates {
            self.by_subject
                .insert(certificate.subject_name(), self.known.len());
            self.known.push(certificate);
        }
        self
    }

    /// Gives it CRLs. The rules say what comes of them: see [`Rules::revocation`].
    #[must_use]
    pub fn with_lists(mut self, lists: impl IntoIterator<Item = RevocationList>) -> Self {
        for list in lists {
            self.lists_by_issuer
                .insert(list.issuer_name(), self.lists.len());
            let fingerprint = Fingerprint::of(list.der());
            self.lists.push(List { list, fingerprint });
        }
        self
    }

    /// Lets it look into the books of issuers, besides CRLs. The rules say what
    /// comes of it: see [`Rules::revocation`].
    #[must_use]
    pub fn with_books(mut self, books: &'t dyn IssuerBooks) -> Self {
        self.books = Some(books);
        self
    }

    /// The rules that it judges by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Judges a certificate. What came with it may be on its path, in any order.
    #[must_use]
    pub fn verify<'v>(
        &'v self,
        leaf: &'v Certificate,
        others: &'v [Certificate],
        question: &Question,
    ) -> Verdict<'v> {
        let mut by_subject = NameIndex::default();
        for (place, certificate) in others.iter().enumerate() {
            by_subject.insert(certificate.subject_name(), place);
        }
        let mut work = Work::default();
        let search = Search {
            judge: self,
            others,
            by_subject: &by_subject,
            question,
            work: &mut work,
            role: Role::Leaf,
            anchor: None,
            signers: Vec::new(),
            paths: Vec::new(),
        };
        let mut verdict = Verdict {
            paths: search.run(leaf),
            remarks: Vec::new(),
        };
        verdict.remarks = remarks::of(leaf, others, &verdict);
        verdict
    }

    /// What the memory of signatures says; `check` is asked where it says nothing.
    fn signature<E>(
        &self,
        signed: Fingerprint,
        key: &PublicKey,
        check: impl FnOnce() -> Result<Result<(), SignatureError>, E>,
    ) -> Result<Result<(), SignatureError>, E> {
        let signed = (signed, Fingerprint::of(key.der()));
        let memory = || {
            self.signatures
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = memory().get(&signed) {
            return Ok(known.clone());
        }
        let result = check()?;
        let mut memory = memory();
        if memory.len() < REMEMBERED {
            memory.insert(signed, result.clone());
        }
        Ok(result)
    }
}

/// Places by name, whatever its spelling (RFC 5280, section 7.1).
#[derive(Debug, Clone, Default)]
struct NameIndex {
    // Seeded, so that nobody can choose names that all have one hash.
    state: RandomState,
    places: HashMap<u64, Vec<usize>>,
}

impl NameIndex {
    fn insert(&mut self, name: &DistinguishedName, place: usize) {
        let hash = name.hash_of_matching(&self.state);
        self.places.entry(hash).or_default().push(place);
    }

    /// Places of names that may match.
    fn get(&self, name: &DistinguishedName) -> &[usize] {
        if self.places.is_empty() {
            return &[];
        }
        let places = self.places.get(&name.hash_of_matching(&self.state));
        places.map_or(&[], Vec::as_slice)
    }
}

fn named<'s, 'n>(
    certificates: &'s [Certificate],
    index: &'n NameIndex,
    name: &'n DistinguishedName,
) -> impl Iterator<Item = &'s Certificate> + use<'s, 'n> {
    let places = index.get(name).iter();
    let certificates = places.map(|place| &certificates[*place]);
    certificates.filter(|certificate| certificate.subject_name().matches(name))
}

/// What a person would call a certificate, on one line of a terminal.
fn title(certificate: &Certificate) -> String {
    printable(&certificate.title())
}

fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if unprintable(character) {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}
