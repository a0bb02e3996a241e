//! Name constraints along a path (RFC 5280, section 6.1.3 (b) and (c), 6.1.4 (g)).
//!
//! To be within the intersection of what all CAs above permit, and outside of the union of what they
//! exclude, is to be within the constraints of each; so each is asked, and a failure can say whose.

use super::problem::Problem;
use super::rules::Limits;
use super::search::Work;
use super::title;
use crate::certificate::Certificate;
use crate::constraints::NameConstraints;
use crate::general_name::GeneralName;
use crate::oid::Oid;

/// The constraints of the CAs above a certificate.
#[derive(Default)]
pub(super) struct Constraints<'v> {
    all: Vec<(&'v Certificate, &'v NameConstraints)>,
    told: usize,
}

/// So many failures are told in a path, as the texts may be long, and as many as both sides make.
const MOST_TOLD: usize = 8;

/// So many letters of the constraints are told.
const MOST_LETTERS: usize = 300;

impl<'v> Constraints<'v> {
    pub(super) fn add(&mut self, certificate: &'v Certificate) {
        let constraints = certificate.name_constraints();
        self.all
            .extend(constraints.map(|constraints| (certificate, constraints)));
    }

    pub(super) fn check(
        &mut self,
        certificate: &Certificate,
        limits: &Limits,
        work: &mut Work,
        fail: &mut impl FnMut(Problem),
    ) {
        if self.all.is_empty() {
            return;
        }
        let implied = names_of_subject(certificate);
        let names = || certificate.alternative_names().iter().chain(&implied);
        for (ca, constraints) in &self.all {
            let subtrees = constraints.permitted().len() + constraints.excluded().len();
            let comparisons = names().count().saturating_mul(subtrees.max(1));
            if let Err(exhausted) = work.comparisons(comparisons, limits) {
                fail(exhausted.into());
                return;
            }
            for name in names().filter(|name| !constraints.permits_name(name)) {
                if self.told == MOST_TOLD {
                    break;
                }
                self.told += 1;
                fail(Problem::NameNotPermitted {
                    kind: name.kind(),
                    name: name.to_string(),
                    ca: title(ca),
                    constraints: shortened(&constraints.to_string()),
                });
            }
        }
    }
}

/// The subject is constrained as a directory name, and the email addresses in it as such where there
/// are none among the other names (section 4.2.1.10).
fn names_of_subject(certificate: &Certificate) -> Vec<GeneralName> {
    let subject = certificate.subject_name();
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(GeneralName::Directory(subject.clone()));
    }
    if !certificate
        .alternative_names()
        .iter()
        .any(GeneralName::is_mailbox)
    {
        let addresses = subject
            .attributes()
            .filter(|attribute| attribute.kind == Oid::EMAIL_ADDRESS);
        names.extend(addresses.map(|address| GeneralName::Email(address.value.clone())));
    }
    names
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
