//! `ravelin ca list`, `revoke`, `crl` and `audit`: what was issued, taken back and written down.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ravelin_certs::inventory::{NamePattern, Query, Record, SerialPrefix, State};
use ravelin_certs::journal::event::RevocationReason;
use ravelin_certs::journal::{self, Head};
use ravelin_certs::local::issuer_id;
use ravelin_certs::store::{NewFile, write_together};
use ravelin_certs::{Journal, JournalError};

use super::{failure, load_authority};
use crate::arguments::ca::{
    CaAuditArguments, CaCrlArguments, CaListArguments, CaRevokeArguments, ListedState,
};
use crate::cert::{beside, certificates};
use crate::failure::{ANSWER_IS_NO, Failure};
use crate::{ravelin_home, words};

pub(super) fn list(arguments: &CaListArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let mut journal = authority.journal().map_err(|error| failure(&error))?;
    let now = SystemTime::now();
    let mut query = Query::default();
    if let Some(text) = &arguments.text {
        query = query.name(NamePattern::Contains(text.clone()));
    }
    if let Some(span) = arguments.expiring {
        query = query.expiring_before(now + span.0);
    }
    if let Some(state) = arguments.state {
        query = query.state(match state {
            ListedState::Valid => State::Valid,
            ListedState::Expired => State::Expired,
            ListedState::Revoked => State::Revoked,
            ListedState::NotYetValid => State::NotYetValid,
        });
    }
    if let Some(digits) = &arguments.serial {
        query = query.serial(prefix(digits)?);
    }
    let limit = match arguments.limit {
        0 => u64::MAX,
        limit => limit,
    };
    let mut list = words::ca::List::begin(arguments.json, now);
    // One after the other: there may be a million.
    journal
        .for_each(&query, now, |record| list.add(&record, limit))
        .map_err(|error| of_journal(&error))?;
    list.end()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn revoke(arguments: &CaRevokeArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let mut journal = authority.journal().map_err(|error| failure(&error))?;
    let now = SystemTime::now();
    let record = find(&mut journal, &arguments.which, now)?;
    let done = if arguments.undo {
        authority.undo_hold(&record, now)
    } else {
        authority.revoke(&record, arguments.reason, now)
    };
    done.map_err(|error| match &error {
        ravelin_certs::LocalError::Journal(JournalError::Refused(refusal)) => {
            Failure::answer(refusal.to_string())
        }
        _ => failure(&error),
    })?;
    if arguments.undo {
        words::ca::hold_undone(&record);
    } else {
        words::ca::revoked(
            &record,
            arguments.reason == RevocationReason::CertificateHold,
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn crl(arguments: &CaCrlArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let now = SystemTime::now();
    let life = Duration::from_secs(24 * 60 * 60) * arguments.days;
    let issuers = authority.issuers().map_err(|error| failure(&error))?;
    let signed = authority
        .crls(&issuers, life, now)
        .map_err(|error| failure(&error))?;
    let mut lists = Vec::new();
    for (issuer, list) in issuers.iter().zip(signed) {
        let id = issuer_id(&issuer.certificate().public_key().fingerprint());
        let bytes = if arguments.pem {
            list.to_pem().into_bytes()
        } else {
            list.der().to_vec()
        };
        lists.push((beside(&arguments.out, &id, "crl"), bytes, list, issuer));
    }
    let files: Vec<_> = lists
        .iter()
        .map(|(path, bytes, ..)| NewFile {
            path: path.clone(),
            bytes,
            private: false,
        })
        .collect();
    // Each list takes the place of the last.
    write_together(&files, true).map_err(|error| Failure::of(&error).hint(error.hint()))?;
    for (path, _, list, issuer) in &lists {
        words::ca::list_signed(path, list, issuer.certificate());
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn audit(arguments: &CaAuditArguments) -> Result<ExitCode, Failure> {
    let expected = arguments.head.as_deref().map(head).transpose()?;
    load_authority(&arguments.home)?;
    let store = ravelin_home::open(&arguments.home)?;
    let report = journal::audit(&store, expected.as_ref()).map_err(|error| of_journal(&error))?;
    if arguments.json {
        words::ca::audit_json(&report)?;
    } else {
        words::ca::audit(&report)?;
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    })
}

/// The one certificate that a file, digits of a serial number, or a name mean.
fn find(journal: &mut Journal, which: &str, now: SystemTime) -> Result<Record, Failure> {
    let unknown = || {
        Failure::answer(format!("this CA issued no certificate \"{which}\""))
            .hint("\"ravelin ca list\" shows what it issued".to_owned())
    };
    if Path::new(which).is_file() {
        let certificate = certificates(Path::new(which))?.swap_remove(0);
        let digits = certificate.serial_number().to_string();
        let found = journal
            .find(&prefix(&digits)?, now)
            .map_err(|error| of_journal(&error))?;
        return found
            .filter(|record| record.fingerprint == certificate.fingerprint_sha256())
            .ok_or_else(unknown);
    }
    let good = Query::default().name(NamePattern::Is(which.to_owned()));
    let page = journal
        .page(&good, now, None, EXAMPLES)
        .map_err(|error| of_journal(&error))?;
    let live: Vec<_> = page
        .records
        .iter()
        .filter(|record| matches!(record.state, State::Valid | State::NotYetValid))
        .collect();
    match (live.as_slice(), page.records.as_slice()) {
        ([only], _) => Ok((*only).clone()),
        // All are revoked or expired: the command says what is the matter with the last one.
        ([], [.., last]) => Ok(last.clone()),
        // A host may be called "cafe": names come first, and a digit or two are a slip of the hand.
        ([], []) => match which.parse::<SerialPrefix>() {
            Ok(digits) if which.len() >= FEWEST_DIGITS => journal
                .find(&digits, now)
                .map_err(|error| of_journal(&error))?
                .ok_or_else(unknown),
            _ => Err(unknown()),
        },
        (several, _) => {
            let serials: Vec<_> = several.iter().map(|r| r.serial.to_string()).collect();
            Err(Failure::usage(format!(
                "there are several certificates for \"{which}\": {}",
                serials.join(", ")
            ))
            .hint("name one by its serial number".to_owned()))
        }
    }
}

fn prefix(digits: &str) -> Result<SerialPrefix, Failure> {
    digits
        .parse()
        .map_err(|error: ravelin_certs::inventory::SerialPrefixError| {
            Failure::usage(error.to_string())
        })
}

/// Reads `NUMBER:HASH`.
fn head(text: &str) -> Result<Head, Failure> {
    let read = || {
        let (sequence, hash) = text.split_once(':')?;
        Some(Head {
            sequence: sequence.parse().ok()?,
            hash: hash.parse().ok()?,
        })
    };
    read().ok_or_else(|| Failure::usage(format!("\"{text}\" is no head of a journal: NUMBER:HASH")))
}

fn of_journal(error: &JournalError) -> Failure {
    Failure::of(error).hint(error.hint())
}

/// Digits of a serial number that tell a certificate from others well enough to be revoked by: the first
/// eight are the time, in which a slip of the hand would soon find another.
const FEWEST_DIGITS: usize = 12;

/// Certificates of one name that are looked at: more would not be told apart in a message.
const EXAMPLES: usize = 50;
