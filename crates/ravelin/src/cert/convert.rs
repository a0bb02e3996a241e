//! `ravelin cert convert`: certificates and keys in another format.

use std::path::Path;
use std::process::ExitCode;

use ravelin_certs::store::NewFile;
use ravelin_pki::contents::{Contents, Item};
use ravelin_pki::{
    Certificate, CertificateRequest, PrivateKey, PublicKey, RevocationList, contents,
};

use crate::arguments::reading::{CertConvertArguments, Format};
use crate::failure::{Failure, chain};
use crate::{key, words};

mod write;

pub(super) fn run(arguments: &CertConvertArguments) -> Result<ExitCode, Failure> {
    let format = format(arguments)?;
    let mut material = Material::default();
    for input in arguments.inputs.iter().chain(&arguments.key) {
        let contents = super::show::read(input, &arguments.passphrase)?;
        material.add(input, contents)?;
    }
    let entries = material.entries()?;
    let written = write::write(format, arguments, &material, &entries)?;
    if key::is_standard(&arguments.output) {
        words::result_bytes(&written.bytes)?;
    } else {
        let file = NewFile {
            path: arguments.output.clone(),
            bytes: &written.bytes,
            private: written.private,
        };
        super::write(&[file], arguments.force)?;
    }
    words::cert::converted(&arguments.output, &written.what, written.private);
    for left_out in &written.left_out {
        words::warn(left_out);
    }
    Ok(ExitCode::SUCCESS)
}

/// The format that was asked for, or that the file's ending says.
fn format(arguments: &CertConvertArguments) -> Result<Format, Failure> {
    if let Some(format) = arguments.to {
        return Ok(format);
    }
    let ending = arguments.output.extension().unwrap_or_default();
    match ending.to_string_lossy().to_ascii_lowercase().as_str() {
        // By far most of these are PEM.
        "pem" | "crt" | "cer" | "key" | "csr" | "crl" => Ok(Format::Pem),
        "der" => Ok(Format::Der),
        "p7b" => Ok(Format::P7b),
        "p7c" => Ok(Format::P7c),
        "p12" | "pfx" => Ok(Format::P12),
        "jks" => Ok(Format::Jks),
        _ => Err(Failure::usage(format!(
            "nothing says in which format \"{}\" is to be",
            key::shown(&arguments.output)
        ))
        .hint("say it with --to: pem, der, p7b, p7c, p12 or jks".to_owned())),
    }
}

/// Everything that was read, whatever files it was in.
#[derive(Default)]
struct Material {
    /// Certificates that were not yet put with a key, in their order.
    loose: Vec<Certificate>,
    /// Keys, with the names that they have in a keystore.
    keys: Vec<(Option<String>, PrivateKey)>,
    /// Certificates that a keystore says are trusted, with the names that they have there.
    trusted: Vec<(Option<String>, Certificate)>,
    requests: Vec<CertificateRequest>,
    lists: Vec<RevocationList>,
    public_keys: Vec<PublicKey>,
}

/// What belongs together.
struct Entry<'m> {
    alias: Option<&'m str>,
    key: Option<&'m PrivateKey>,
    /// The certificate of the key first, then its issuers.
    chain: Vec<&'m Certificate>,
}

impl Material {
    /// Takes all that is in a file; what is damaged in it is not passed over in silence.
    fn add(&mut self, file: &Path, contents: Contents) -> Result<(), Failure> {
        for found in contents.items {
            let place = match found.line {
                Some(line) => format!("\"{}\", line {line}", key::shown(file)),
                None => format!("\"{}\"", key::shown(file)),
            };
            self.take(found.item, None, &place)?;
        }
        Ok(())
    }

    fn take(&mut self, item: Item, alias: Option<&str>, place: &str) -> Result<(), Failure> {
        match item {
            Item::Certificate(certificate) => self.loose.push(*certificate),
            Item::PrivateKey { key, .. } => {
                let known = |(_, other): &(_, PrivateKey)| {
                    other.public_fingerprint() == key.public_fingerprint()
                };
                if !self.keys.iter().any(known) {
                    self.keys.push((alias.map(str::to_owned), *key));
                }
            }
            Item::Request(request) => self.requests.push(*request),
            Item::RevocationList(list) => self.lists.push(*list),
            Item::PublicKey(key) => self.public_keys.push(*key),
            Item::Bundle(items) => {
                for item in items {
                    self.take(item, None, place)?;
                }
            }
            Item::KeyStore(store) => {
                for entry in store.entries {
                    let alias = entry.alias.as_deref();
                    if let Some(key) = entry.key {
                        self.take(key, alias, place)?;
                    }
                    for item in entry.chain {
                        match item {
                            Item::Certificate(certificate) if entry.trusted => {
                                let alias = alias.map(str::to_owned);
                                self.trusted.push((alias, *certificate));
                            }
                            item => self.take(item, None, place)?,
                        }
                    }
                }
            }
            Item::Locked { what, why } => {
                let failure = match why {
                    Some(error) => Failure::answer(format!("{place}: {}", chain(&error))),
                    None => Failure::usage(format!("the {what} in {place} takes a passphrase")),
                };
                return Err(failure.hint("give it with --passphrase-file FILE".to_owned()));
            }
            Item::Damaged { what, why, .. } => {
                let why = chain(why.as_ref());
                return Err(Failure::usage(format!(
                    "the {what} in {place} is damaged: {why}"
                )));
            }
            // Parameters of keys say nothing that the keys do not.
            Item::Other { label } if label.ends_with("PARAMETERS") => {}
            Item::Other { label } => {
                return Err(Failure::usage(format!(
                    "the \"{label}\" in {place} cannot be converted"
                )));
            }
            Item::OcspResponse(_) | Item::OcspRequest(_) => {
                return Err(Failure::usage(format!(
                    "OCSP, as in {place}, has one format only"
                )));
            }
        }
        Ok(())
    }

    /// Puts each key with its certificate and chain; then the certificates that belong to no key, in
    /// order; then the trusted ones.
    fn entries(&self) -> Result<Vec<Entry<'_>>, Failure> {
        let loose: Vec<&Certificate> = self.loose.iter().collect();
        let mut used = vec![false; loose.len()];
        let mut entries = Vec::new();
        for (alias, key) in &self.keys {
            let own = loose
                .iter()
                .position(|certificate| certificate.matches(key));
            if own.is_none() && !loose.is_empty() {
                return Err(mismatch(key, &loose));
            }
            let order = own.map_or_else(Vec::new, |own| contents::ordered(&loose, Some(own)));
            let chain = own.map_or(0, |own| chain_length(&loose, own));
            for index in &order[..chain] {
                used[*index] = true;
            }
            entries.push(Entry {
                alias: alias.as_deref(),
                key: Some(key),
                chain: order[..chain].iter().map(|index| loose[*index]).collect(),
            });
        }
        for index in contents::ordered(&loose, None) {
            let in_chain = |c: &Certificate| {
                entries.iter().any(|entry: &Entry<'_>| {
                    entry.key.is_some() && entry.chain.iter().any(|other| other.der() == c.der())
                })
            };
            if !used[index] && !in_chain(loose[index]) {
                entries.push(Entry {
                    alias: None,
                    key: None,
                    chain: vec![loose[index]],
                });
            }
        }
        for (alias, certificate) in &self.trusted {
            entries.push(Entry {
                alias: alias.as_deref(),
                key: None,
                chain: vec![certificate],
            });
        }
        Ok(entries)
    }
}

/// How many certificates belong to the chain that begins with `own`.
fn chain_length(certificates: &[&Certificate], own: usize) -> usize {
    let issuers = contents::issuers(certificates);
    let mut seen = vec![own];
    while let contents::Issuer::At(next) = issuers[seen[seen.len() - 1]]
        && !seen.contains(&next)
    {
        seen.push(next);
    }
    seen.len()
}

fn mismatch(key: &PrivateKey, certificates: &[&Certificate]) -> Failure {
    let titles: Vec<String> = certificates
        .iter()
        .take(3)
        .map(|certificate| words::show::clean(&certificate.title()))
        .collect();
    Failure::usage(format!(
        "the private key ({}, {}) belongs to none of the certificates ({})",
        key.key_type(),
        key.public_fingerprint().short(),
        titles.join(", ")
    ))
    .hint(
        "\"ravelin cert show\" shows of both which key they have: the line \"key SHA-256\" has to \
         be the same"
            .to_owned(),
    )
}

/// What was made of it.
struct Written {
    bytes: Vec<u8>,
    /// Whether there is a key in it.
    private: bool,
    /// What it is, in words.
    what: String,
    /// What the format cannot hold, in words.
    left_out: Vec<String>,
}

/// The name of an entry that has none.
fn alias_of(entry: &Entry<'_>, index: usize) -> String {
    match (entry.alias, entry.chain.first()) {
        (Some(alias), _) => alias.to_owned(),
        (None, Some(certificate)) => words::show::clean(&certificate.title()),
        (None, None) => format!("key {}", index + 1),
    }
}
