//! What is wrong with the certificates of a file, leaf first, and who refuses them:
//!
//!     cargo run -p ravelin-pki --example lint chain.pem
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;
use std::time::SystemTime;

use ravelin_pki::lint::{self, Consumer, Options};
use ravelin_pki::{Certificate, pem};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("one argument: the file")?;
    let ders = pem::certificates(&std::fs::read(file)?)?;
    let chain: Vec<Certificate> = ders
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()?;

    let report = lint::lint(&chain, SystemTime::now(), Options::default());
    for finding in report.findings() {
        println!("{} {finding}", finding.certificate);
        println!("  {}", finding.rule.mend);
    }
    for consumer in Consumer::ALL {
        let because: Vec<_> = report
            .refusals(consumer)
            .map(|finding| finding.rule.id)
            .collect();
        if !because.is_empty() {
            println!("{consumer} refuses it: {}", because.join(", "));
        }
    }
    Ok(())
}
