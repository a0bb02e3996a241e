//! A CA in twenty lines: a root, a certificate below it, and whether it holds.
//!
//!     cargo run -p ravelin-pki --example ca
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;
use std::time::SystemTime;

use ravelin_pki::{Authority, Judge, NameConstraints, PrivateKey, Question, Rules, Trust};

fn main() -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now();
    let names = NameConstraints::local().and(&"corp.example.com".parse()?);
    let root = Authority::root("Example root", PrivateKey::generate()?, &names, now)?;
    let leaf = root.leaf(&["wiki.corp.example.com".parse()?], now)?;

    let trust = Trust::new(vec![root.certificate().clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    let question = Question::at(now).host("wiki.corp.example.com".parse()?);
    let verdict = judge.verify(leaf.certificate(), &[], &question);
    assert!(verdict.is_valid());

    print!("{}{}", leaf.chain_pem(), root.certificate().to_pem());
    Ok(())
}
