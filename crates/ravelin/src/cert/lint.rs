//! `ravelin cert lint`: what is wrong with a certificate, and who will refuse it.

use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_pki::lint::{self, Options, Severity};

use super::certificates;
use crate::arguments::cert::CertLintArguments;
use crate::failure::{ANSWER_IS_NO, Failure};
use crate::words;

pub(super) fn run(arguments: &CertLintArguments) -> Result<ExitCode, Failure> {
    let at = arguments.at.map_or_else(SystemTime::now, |moment| moment.0);
    let options = Options {
        public: match (arguments.public, arguments.private) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    };
    let mut sound = true;
    let mut reports = Vec::new();
    for file in &arguments.files {
        let chain = certificates(file)?;
        let report = lint::lint(&chain, at, options);
        sound &= report.severity() != Some(Severity::Error);
        if arguments.json {
            reports.push(words::lint::report_json(file, &chain, &report));
        } else {
            words::lint::report(file, &chain, &report)?;
        }
    }
    if arguments.json {
        words::verify::json(reports)?;
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    })
}
