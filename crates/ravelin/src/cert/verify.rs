//! `ravelin cert verify`: is there a path to a root that is trusted?

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::LocalRoot;
use ravelin_certs::responder::JournalBooks;
use ravelin_pki::verify::{Problem, Revocation};
use ravelin_pki::{
    Certificate, GeneralName, Judge, Oid, Purpose, Question, RevocationList, Rules, Trust, pem,
};

use super::certificates;
use super::roots::{self, Roots};
use crate::arguments::HomeArgument;
use crate::arguments::cert::{CertVerifyArguments, VerifiedPurpose};
use crate::failure::{ANSWER_IS_NO, Failure, chain};
use crate::{fetch, key, ravelin_home, words};

pub(super) fn run(arguments: &CertVerifyArguments) -> Result<ExitCode, Failure> {
    let (trust, searched) = trusted(&arguments.ca, &arguments.home)?;
    let mut rules = Rules::strict();
    let mut lists = Vec::new();
    for file in &arguments.crl {
        lists.extend(crls(file)?);
    }
    let books = books(&arguments.home);
    if !lists.is_empty() {
        rules.revocation = Revocation::Leaf;
    } else if books.is_some() {
        rules.revocation = Revocation::WhereKnown;
    }
    let mut known = Vec::new();
    for file in &arguments.chain {
        known.extend(certificates(file)?);
    }
    let mut judge = Judge::new(&trust, rules).knowing(known).with_lists(lists);
    if let Some(books) = &books {
        judge = judge.with_books(books);
    }
    let question = question(arguments);
    let mut all_good = true;
    let mut answers = Vec::new();
    for file in &arguments.files {
        let mut chain = certificates(file)?;
        let mut fetched = Vec::new();
        if arguments.fetch {
            fetch_issuers(&judge, &question, &mut chain, &mut fetched);
        }
        let verdict = judge.verify(&chain[0], &chain[1..], &question);
        all_good &= verdict.is_valid();
        let answer = words::verify::Answer {
            file,
            verdict: &verdict,
            question: &question,
            searched: &searched,
            fetched: &fetched,
            all_paths: arguments.paths,
        };
        if arguments.json {
            answers.push(answer.json());
        } else {
            answer.say()?;
        }
    }
    if arguments.json {
        words::verify::json(answers)?;
    }
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    })
}

fn question(arguments: &CertVerifyArguments) -> Question {
    let at = arguments.at.map_or_else(SystemTime::now, |moment| moment.0);
    let mut question = Question::at(at);
    if let Some(mailbox) = &arguments.email {
        question.mailbox = Some(mailbox.clone());
    }
    let usual = match arguments.email {
        Some(_) => Purpose::Email,
        None => Purpose::Server,
    };
    let purpose = arguments
        .purpose
        .map_or(Some(usual), VerifiedPurpose::purpose);
    // A host is only ever asked of a server, and a mailbox of a holder of mail; without any of these,
    // everything it could be for will do.
    if (arguments.purpose.is_some() || arguments.host.is_some() || arguments.email.is_some())
        && let Some(purpose) = purpose
    {
        question = question.purpose(purpose);
    }
    match &arguments.host {
        Some(host) => question.host(host.clone()),
        None => question,
    }
}

/// The roots, and in words where they are from.
pub(crate) fn trusted(
    ca: &[PathBuf],
    home: &HomeArgument,
) -> Result<(Trust, Vec<String>), Failure> {
    let roots = Roots::read(&roots::places(ca), home)?;
    Ok((roots.parsed(), roots.searched))
}

pub(crate) fn local_root(home: &HomeArgument) -> Result<Option<LocalRoot>, Failure> {
    let Some(store) = ravelin_home::open_if_there(home)? else {
        return Ok(None);
    };
    LocalRoot::load(&store).map_err(|error| Failure::of(&error).hint(error.hint()))
}

/// The books of the local CA, where there is one. It knows what it revoked, CRL or not; where its journal
/// cannot be opened, the answer says that nobody was asked.
pub(crate) fn books(home: &HomeArgument) -> Option<JournalBooks> {
    let store = ravelin_home::open_if_there(home).ok()??;
    LocalRoot::load(&store).ok().flatten()?;
    JournalBooks::open(&store).ok()
}

pub(crate) fn crls(file: &Path) -> Result<Vec<RevocationList>, Failure> {
    let what = key::shown(file);
    let bytes = key::read_file(file)?;
    RevocationList::from_file(&bytes).map_err(|error| {
        Failure::usage(format!(
            "cannot read a CRL from \"{what}\": {}",
            chain(&error)
        ))
    })
}

/// Fetches issuers that no path has, from the addresses in the certificates, one after the other.
/// What comes may be anything: it is trusted no more than what is in the file.
fn fetch_issuers(
    judge: &Judge<'_>,
    question: &Question,
    chain: &mut Vec<Certificate>,
    fetched: &mut Vec<String>,
) {
    let mut asked = HashSet::new();
    for _ in 0..MOST_FETCHED {
        let addresses: Vec<String> = {
            let verdict = judge.verify(&chain[0], &chain[1..], question);
            if verdict.is_valid() {
                return;
            }
            let best = verdict.best();
            let missing = |failure: &&ravelin_pki::verify::Failure| {
                matches!(failure.problem, Problem::IssuerMissing { .. })
            };
            let Some(failure) = best.failures.iter().find(missing) else {
                return;
            };
            issuer_addresses(best.certificates[failure.certificate])
        };
        let Some(address) = addresses
            .into_iter()
            .find(|address| asked.insert(address.clone()))
        else {
            return;
        };
        match fetch::get(&address).map(|bytes| any_certificates(&bytes)) {
            Ok(found) if !found.is_empty() => {
                fetched.push(format!("{address}: {} certificates", found.len()));
                chain.extend(found);
            }
            Ok(_) => fetched.push(format!("{address}: what it gave is no certificate")),
            Err(why) => fetched.push(format!("{address}: {why}")),
        }
    }
}

fn issuer_addresses(certificate: &Certificate) -> Vec<String> {
    let access = certificate.authority_info_access().iter();
    access
        .filter(|access| access.method == Oid::CA_ISSUERS)
        .filter_map(|access| match &access.location {
            GeneralName::Uri(uri) => Some(uri.clone()),
            _ => None,
        })
        .collect()
}

/// DER, as RFC 5280 asks for (section 4.2.2.1), a bundle (PKCS#7), or PEM, as some do.
fn any_certificates(bytes: &[u8]) -> Vec<Certificate> {
    let ders = match ravelin_pki::pkcs7::read(bytes) {
        Ok(bundle) => bundle.certificates,
        Err(_) => pem::certificates(bytes).unwrap_or_default(),
    };
    ders.iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

/// Longer chains are a mistake, or a trap.
const MOST_FETCHED: usize = 8;
