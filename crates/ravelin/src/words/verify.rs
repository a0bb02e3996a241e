//! What `ravelin cert verify` answers.

use std::fmt::Write as _;
use std::path::Path as FilePath;

use ravelin_pki::extension::DistributionPointName;
use ravelin_pki::verify::{Path, Status, Verdict};
use ravelin_pki::{Certificate, GeneralName, Question};
use serde_json::{Value, json};

use super::{BOLD, DIM, GREEN, RED, YELLOW, beside_unicode, day, result, until};
use crate::failure::Failure;

/// One answer.
pub(crate) struct Answer<'a> {
    pub(crate) file: &'a FilePath,
    pub(crate) verdict: &'a Verdict<'a>,
    pub(crate) question: &'a Question,
    /// Where roots were looked for.
    pub(crate) searched: &'a [String],
    /// What was fetched, and what came of it.
    pub(crate) fetched: &'a [String],
    pub(crate) all_paths: bool,
}

impl Answer<'_> {
    pub(crate) fn say(&self) -> Result<(), Failure> {
        result(&self.text())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let best = self.verdict.best();
        if best.holds() {
            let _ = writeln!(
                text,
                "{GREEN}yes{GREEN:#}          {}: good{}, until {}",
                self.file.display(),
                self.asked(),
                until(earliest_end(best))
            );
        } else {
            let _ = writeln!(
                text,
                "{RED}no{RED:#}           {}: not good{}",
                self.file.display(),
                self.asked()
            );
        }
        for failure in &best.failures {
            let _ = writeln!(text, "{RED}wrong{RED:#}        {failure}");
            let _ = writeln!(text, "             {DIM}{}{DIM:#}", failure.problem.rule());
            if let Some(hint) = failure.problem.hint() {
                let _ = writeln!(text, "             {BOLD}hint:{BOLD:#} {hint}");
            }
        }
        tree(&mut text, "path", best);
        if self.all_paths {
            for path in self
                .verdict
                .paths()
                .iter()
                .filter(|path| !std::ptr::eq(*path, best))
            {
                tree(&mut text, "tried", path);
                for failure in &path.failures {
                    let _ = writeln!(text, "             {RED}wrong{RED:#} {failure}");
                }
            }
        } else if self.verdict.paths().len() > 1 && !best.holds() {
            let _ = writeln!(
                text,
                "{DIM}             the nearest of {} paths; --paths shows all{DIM:#}",
                self.verdict.paths().len()
            );
        }
        if best.holds() && !matches!(best.statuses.first(), Some(Status::Good)) {
            let _ = writeln!(text, "{DIM}not asked    {}{DIM:#}", not_asked(best));
        }
        for remark in self.verdict.remarks() {
            let _ = writeln!(text, "{YELLOW}note{YELLOW:#}         {remark}");
        }
        for line in self.fetched {
            let _ = writeln!(text, "fetched      {line}");
        }
        if !best.holds() {
            for (index, place) in self.searched.iter().enumerate() {
                let label = if index == 0 { "searched" } else { "" };
                let _ = writeln!(text, "{label:<12} {place}");
            }
        }
        text
    }

    fn asked(&self) -> String {
        let mut text = String::new();
        let Question { host, mailbox, .. } = self.question;
        let host = host.as_ref().map(|host| {
            let host = host.to_string();
            beside_unicode(&host, &host)
        });
        let whom = host.or(mailbox.as_ref().map(ToString::to_string));
        match (whom, self.question.purpose) {
            (Some(whom), _) => {
                let _ = write!(text, " for {whom}");
            }
            (None, Some(purpose)) => {
                let _ = write!(text, " as {}", purpose.oid().name_or_dots());
            }
            (None, None) => {}
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let best = self.verdict.best();
        json!({
            "file": self.file.display().to_string(),
            "valid": best.holds(),
            "host": self.question.host.as_ref().map(ToString::to_string),
            "email": self.question.mailbox.as_ref().map(ToString::to_string),
            "purpose": self.question.purpose.map(|purpose| purpose.oid().name_or_dots()),
            "failures": best.failures.iter().map(|failure| json!({
                "certificate": failure.certificate,
                "title": failure.title,
                "problem": failure.problem.to_string(),
                "rule": failure.problem.rule(),
                "hint": failure.problem.hint(),
            })).collect::<Vec<_>>(),
            "path": best.certificates.iter().enumerate().map(|(place, c)| {
                certificate(c, best.statuses.get(place))
            }).collect::<Vec<_>>(),
            "anchored": best.is_anchored,
            "paths_tried": self.verdict.paths().len(),
            "remarks": self.verdict.remarks().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "fetched": self.fetched,
            "searched": self.searched,
        })
    }
}

pub(crate) fn json(answers: Vec<Value>) -> Result<(), Failure> {
    result(&format!("{:#}\n", Value::Array(answers)))
}

fn certificate(certificate: &Certificate, status: Option<&Status>) -> Value {
    json!({
        "revoked": match status {
            Some(Status::Good) => Value::Bool(false),
            Some(Status::Revoked) => Value::Bool(true),
            Some(Status::Unknown) | None => Value::Null,
        },
        "subject": certificate.subject(),
        "names": certificate.alternative_names().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "serial": certificate.serial_number().to_string(),
        "sha256": certificate.fingerprint_sha256().to_string(),
    })
}

/// A path, each issuer below what it issued.
fn tree(text: &mut String, label: &str, path: &Path<'_>) {
    for (depth, certificate) in path.certificates.iter().enumerate() {
        let indent = "  ".repeat(depth.saturating_sub(1));
        let branch = if depth == 0 { "" } else { "└ " };
        let label = if depth == 0 { label } else { "" };
        let last = depth + 1 == path.certificates.len();
        let trusted = if last && path.is_anchored {
            format!("  {GREEN}trusted{GREEN:#}")
        } else {
            String::new()
        };
        let status = match path.statuses.get(depth) {
            Some(Status::Revoked) => format!("  {RED}revoked{RED:#}"),
            Some(Status::Good) => "  not revoked".to_owned(),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{label:<12} {indent}{branch}{}{DIM}, until {}{DIM:#}{trusted}{status}",
            called(certificate),
            day(certificate.not_after())
        );
    }
    if !path.is_anchored {
        let depth = path.certificates.len();
        let indent = "  ".repeat(depth.saturating_sub(1));
        let issuer = path.certificates.last().map_or("", |c| c.issuer());
        let _ = writeln!(text, "             {indent}└ {RED}?{RED:#} {issuer}");
    }
}

fn called(certificate: &Certificate) -> String {
    if certificate.alternative_names().is_empty() {
        certificate.subject().to_owned()
    } else {
        // Names are escaped as they are shown.
        let name = &certificate.alternative_names()[0];
        match name {
            GeneralName::Dns(dns) => beside_unicode(&name.to_string(), dns),
            _ => name.to_string(),
        }
    }
}

/// A yes is worth less where nobody knows whether the certificate was revoked, and says so.
fn not_asked(path: &Path<'_>) -> String {
    let points = path.certificates[0].crl_distribution_points();
    let address = points.iter().find_map(|point| match &point.name {
        Some(DistributionPointName::Full(names)) => names.iter().find_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        }),
        _ => None,
    });
    match address {
        Some(address) => format!("whether it was revoked: --crl FILE, with what is at {address}"),
        None => "whether it was revoked: its issuer's CRL tells, with --crl FILE".to_owned(),
    }
}

fn earliest_end(path: &Path<'_>) -> std::time::SystemTime {
    let ends = path.certificates.iter().map(|c| c.not_after());
    ends.min().unwrap_or(std::time::UNIX_EPOCH)
}
