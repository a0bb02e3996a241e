//! Makes a certificate that vouches for itself, with all names by which a server is reached: `cert.pem`, `key.pem`.
//!
//!     cargo run -p ravelin-client --example self_signed -- localhost 127.0.0.1 ::1
//!
//! In Python: `examples/python/self_signed.py`, with the package `cryptography`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::{Certificate, GeneralName, PrivateKey, Template};

fn main() -> Result<()> {
    let names: Vec<GeneralName> = std::env::args()
        .skip(1)
        .map(|name| name.parse().context("a name is a host or an IP address"))
        .collect::<Result<_>>()?;
    ensure!(!names.is_empty(), "usage: self_signed NAME…");
    // All names are subjectAltNames, of their kinds: clients have not looked at the common name for years, and an
    // address among the DNS names covers nothing. It is for servers, and no CA: whoever trusts it trusts these names
    // alone, and nothing that its key might sign.
    let template = Template::leaf(names);
    let key = PrivateKey::generate()?;
    let life = Duration::from_secs(90 * 24 * 60 * 60);
    let der = self_signed_certificate(&template, &key, life, SystemTime::now())?;
    let certificate = Certificate::from_der(&der)?;
    write("key.pem", 0o600, &key.to_pem()?)?;
    write("cert.pem", 0o644, &certificate.to_pem())?;
    println!("cert.pem and key.pem, for {}", certificate.title());
    println!("its key, for who pins it: {}", key.public_fingerprint());
    Ok(())
}

/// Writes a file that was not there, with its rights from the beginning: a key that is open for a moment was open.
fn write(file: &str, rights: u32, contents: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(rights).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(contents.as_bytes()));
    written.with_context(|| format!("cannot write \"{file}\""))
}
