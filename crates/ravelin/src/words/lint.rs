//! What `ravelin cert lint` finds.

use std::fmt::Write as _;
use std::path::Path;

use ravelin_pki::Certificate;
use ravelin_pki::lint::{Consumer, Report, Severity};
use serde_json::{Value, json};

use super::{BOLD, DIM, GREEN, RED, YELLOW, result};
use crate::failure::Failure;

pub(crate) fn report(file: &Path, chain: &[Certificate], report: &Report) -> Result<(), Failure> {
    let mut text = String::new();
    let baseline = if report.is_public() {
        ", as a public certificate"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "{BOLD}{}{BOLD:#}{DIM}{baseline}{DIM:#}",
        file.display()
    );
    for finding in report.findings() {
        let rule = finding.rule;
        let mark = match rule.severity {
            Severity::Error => format!("{RED}{:<12}{RED:#}", "error"),
            Severity::Warning => format!("{YELLOW}{:<12}{YELLOW:#}", "warning"),
            Severity::Notice => format!("{DIM}{:<12}{DIM:#}", "notice"),
        };
        let which = match chain.get(finding.certificate) {
            Some(certificate) if chain.len() > 1 => format!("\"{}\": ", title(certificate)),
            _ => String::new(),
        };
        let _ = writeln!(text, "{mark} {which}{}: {}", finding.field, finding.problem);
        let _ = writeln!(
            text,
            "             {DIM}{}, {}{DIM:#}",
            rule.id, rule.source
        );
        let _ = writeln!(text, "             {BOLD}hint:{BOLD:#} {}", rule.mend);
    }
    if report.findings().is_empty() {
        let count = match chain.len() {
            1 => "the certificate".to_owned(),
            several => format!("{several} certificates"),
        };
        let _ = writeln!(text, "{GREEN}nothing{GREEN:#}      is wrong with {count}");
    }
    let _ = writeln!(text, "who refuses it");
    for consumer in Consumer::ALL {
        let mut rules: Vec<_> = report
            .refusals(consumer)
            .map(|finding| finding.rule.id)
            .collect();
        rules.dedup();
        let answer = if rules.is_empty() {
            format!("{GREEN}nothing known against it{GREEN:#}")
        } else {
            format!("{RED}refuses{RED:#}: {}", rules.join(", "))
        };
        let _ = writeln!(text, "  {:<17} {answer}", consumer.to_string());
    }
    result(&text)
}

pub(crate) fn report_json(file: &Path, chain: &[Certificate], report: &Report) -> Value {
    let findings = report.findings().iter().map(|finding| {
        json!({
            "rule": finding.rule.id,
            "severity": match finding.rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Notice => "notice",
            },
            "certificate": finding.certificate,
            "title": chain.get(finding.certificate).map(Certificate::title),
            "field": finding.field,
            "problem": finding.problem,
            "source": finding.rule.source,
            "mend": finding.rule.mend,
        })
    });
    let refusals = Consumer::ALL.into_iter().map(|consumer| {
        let mut rules: Vec<_> = report
            .refusals(consumer)
            .map(|finding| finding.rule.id)
            .collect();
        rules.dedup();
        json!({ "consumer": consumer.to_string(), "refuses": !rules.is_empty(), "because": rules })
    });
    json!({
        "file": file.display().to_string(),
        "public": report.is_public(),
        "findings": findings.collect::<Vec<_>>(),
        "consumers": refusals.collect::<Vec<_>>(),
    })
}

/// What a person would call it, on one line.
fn title(certificate: &Certificate) -> String {
    match certificate.alternative_names().first() {
        Some(name) => name.to_string(),
        None => certificate.subject().to_owned(),
    }
}
