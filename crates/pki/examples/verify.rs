//! Whether a chain holds for a host, and all that is wrong with it:
//!
//!     cargo run -p ravelin-pki --example verify chain.pem roots.pem www.example.org
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_pki::certificate::CertificateError;
use ravelin_pki::{Certificate, Judge, Question, Rules, Trust, pem};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, chain, roots, host] = arguments.as_slice() else {
        return Err("three arguments: the chain, the roots, the host".into());
    };
    let chain = read(&std::fs::read(chain)?)?;
    let trust = Trust::new(read(&std::fs::read(roots)?)?);
    let judge = Judge::new(&trust, Rules::strict());
    let question = Question::at(SystemTime::now()).host(host.parse()?);

    let [leaf, others @ ..] = chain.as_slice() else {
        return Err("the first file holds no certificate".into());
    };
    let verdict = judge.verify(leaf, others, &question);
    for failure in verdict.failures() {
        println!("{failure} ({})", failure.problem.rule());
        if let Some(hint) = failure.problem.hint() {
            println!("  {hint}");
        }
    }
    for remark in verdict.remarks() {
        println!("note: {remark}");
    }
    println!("{}", if verdict.is_valid() { "yes" } else { "no" });
    Ok(ExitCode::from(u8::from(!verdict.is_valid())))
}

fn read(file: &[u8]) -> Result<Vec<Certificate>, Box<dyn Error>> {
    let ders = pem::certificates(file)?;
    let read: Result<_, CertificateError> =
        ders.iter().map(|der| Certificate::from_der(der)).collect();
    Ok(read?)
}
