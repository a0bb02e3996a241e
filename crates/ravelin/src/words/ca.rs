//! What `ravelin ca` says of the CA and of what it issued.

mod list;

use std::fmt::Write as _;
use std::path::Path;

use ravelin_certs::LocalAuthority;
use ravelin_certs::inventory::Record;
use ravelin_certs::journal::AuditReport;
use ravelin_certs::local::Rollover;
use ravelin_certs::store::shell_word;
use ravelin_pki::{Certificate, RevocationList};
use serde_json::json;

use super::{DIM, GREEN, RED, YELLOW, day, result, tell, until, without_codes};
use crate::failure::{Failure, chain};
pub(crate) use list::List;

/// A CA that was made.
pub(crate) fn made(authority: &LocalAuthority, issuers: &[Certificate], home: &Path) {
    let root = authority.root_certificate();
    say!(
        "{GREEN}made{GREEN:#}         the root of a CA: {}",
        root.subject()
    );
    say!(
        "             {}, good until {}",
        root.public_key().kind(),
        until(root.not_after())
    );
    match root.name_constraints() {
        Some(permitted) => say!("             signs for {permitted} and what is below them"),
        None => say!("             {YELLOW}signs for any name{YELLOW:#}: keep its key safe"),
    }
    for issuer in issuers.iter().skip(1) {
        say!(
            "{GREEN}made{GREEN:#}         an intermediate: {}, good until {}",
            issuer.subject(),
            until(issuer.not_after())
        );
    }
    let home = shell_word(home);
    say!("policy       {home}/ca/policy.toml says what it issues");
    say!("");
    say!(
        "{DIM}next{DIM:#}         keep {home}/ca/root.key somewhere safe: it is needed once in years"
    );
    say!("             ravelin ca trust --home {home}");
    say!("             ravelin cert new --home {home} NAME");
}

/// A root that takes the place of another, and what to do next.
pub(crate) fn rolled_over(rollover: &Rollover, home: &Path) {
    let home = shell_word(home);
    say!(
        "{GREEN}made{GREEN:#}         a new root: {}",
        rollover.new.subject()
    );
    say!(
        "             good until {}",
        until(rollover.new.not_after())
    );
    say!(
        "{GREEN}signed{GREEN:#}       by the old one too: who trusts only that accepts the new one until {}",
        day(rollover.cross.not_after())
    );
    say!(
        "kept         {}",
        shell_word(Path::new(&rollover.old_location))
    );
    say!("");
    say!(
        "{DIM}now{DIM:#}          ravelin ca trust --home {home}    # here, and {home}/ca/root.pem elsewhere"
    );
    say!("{DIM}then{DIM:#}         issue certificates anew; \"ravelin serve\" does so by itself");
    say!("{DIM}at last{DIM:#}      ravelin ca rollover --finish --home {home}");
}

pub(crate) fn rollover_finished(former: &[(Certificate, String)]) {
    for (root, location) in former {
        say!(
            "{GREEN}finished{GREEN:#}     {} is needed no more; it is kept in {}",
            root.subject(),
            shell_word(Path::new(location))
        );
    }
    if former.is_empty() {
        say!("nothing to finish: this root replaced no other");
    }
}

pub(crate) fn exported(file: &Path, root: &Certificate) {
    say!(
        "{GREEN}exported{GREEN:#}     {}: {}, encrypted",
        shell_word(file),
        root.subject()
    );
    say!("             who has the file and its passphrase has the CA");
}

pub(crate) fn imported(root: &Certificate, home: &Path) {
    say!(
        "{GREEN}imported{GREEN:#}     {} into {}",
        root.subject(),
        shell_word(home)
    );
}

pub(crate) fn revoked(record: &Record, hold: bool) {
    let what = if hold { "on hold" } else { "revoked" };
    say!(
        "{GREEN}{what:<12}{GREEN:#} {}, serial number {}",
        called(record),
        record.serial
    );
    say!(
        "{DIM}next{DIM:#}         \"ravelin ca crl\" signs the list that tells of it; \"ravelin ca serve\" tells at once"
    );
}

pub(crate) fn hold_undone(record: &Record) {
    say!(
        "{GREEN}good again{GREEN:#}   {}, serial number {}",
        called(record),
        record.serial
    );
}

pub(crate) fn list_signed(file: &Path, list: &RevocationList, issuer: &Certificate) {
    let until = list
        .next_update()
        .map_or_else(String::new, |end| format!(", good until {}", until(end)));
    say!(
        "{GREEN}signed{GREEN:#}       {}: {} revoked by {}{until}",
        shell_word(file),
        list.len(),
        issuer.common_name().unwrap_or(issuer.subject())
    );
}

/// Whether the journal is whole.
pub(crate) fn audit(report: &AuditReport) -> Result<(), Failure> {
    let mut text = String::new();
    for finding in &report.findings {
        let place = finding
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        let _ = writeln!(
            text,
            "{RED}wrong{RED:#}        {place}{}",
            without_codes(&chain(&finding.fault))
        );
    }
    if report.more_findings > 0 {
        let _ = writeln!(text, "             and {} more", report.more_findings);
    }
    if report.is_clean() {
        let _ = writeln!(
            text,
            "{GREEN}whole{GREEN:#}        {}",
            report.path.display()
        );
    }
    let _ = writeln!(
        text,
        "             {}, {}, {} revoked",
        counted(report.head.sequence, "entry", "entries"),
        counted(report.certificates, "certificate", "certificates"),
        report.revoked
    );
    if report.unknown > 0 {
        let _ = writeln!(
            text,
            "             {} of a newer version",
            counted(report.unknown, "entry", "entries")
        );
    }
    let _ = writeln!(
        text,
        "head         {}:{}",
        report.head.sequence, report.head.hash
    );
    result(&text)
}

fn counted(number: u64, one: &str, many: &str) -> String {
    let unit = if number == 1 { one } else { many };
    format!("{number} {unit}")
}

pub(crate) fn audit_json(report: &AuditReport) -> Result<(), Failure> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| json!({ "line": finding.line, "problem": without_codes(&chain(&finding.fault)) }))
        .collect();
    let facts = json!({
        "whole": report.is_clean(),
        "journal": report.path.display().to_string(),
        "entries": report.head.sequence,
        "head": format!("{}:{}", report.head.sequence, report.head.hash),
        "certificates": report.certificates,
        "revoked": report.revoked,
        "unknown_entries": report.unknown,
        "findings": findings,
        "more_findings": report.more_findings,
    });
    result(&format!("{facts:#}\n"))
}

fn called(record: &Record) -> String {
    if record.names.is_empty() {
        record.subject.clone()
    } else {
        record.names.join(", ")
    }
}
