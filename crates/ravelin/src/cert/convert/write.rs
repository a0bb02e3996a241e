//! Writing what was read in one of the formats, and saying what the format leaves out.

use std::collections::HashSet;
use std::time::SystemTime;

use ravelin_pki::keystore::{self, KeyStore, KeyStoreError, jks, pkcs12};
use ravelin_pki::pkcs7::Bundle;
use ravelin_pki::{
    Certificate, Derivation, KeyForm, Passphrase, PrivateKey, PrivateKeyDer, encrypted_key, pem,
};

use super::{Entry, Material, Written, alias_of};
use crate::arguments::reading::{CertConvertArguments, Format};
use crate::failure::{Failure, chain};
use crate::{key, passphrase};

pub(super) fn write(
    format: Format,
    arguments: &CertConvertArguments,
    material: &Material,
    entries: &[Entry<'_>],
) -> Result<Written, Failure> {
    match format {
        Format::Pem => to_pem(arguments, material, entries),
        Format::Der => to_der(arguments, material, entries),
        Format::P7b | Format::P7c => to_pkcs7(format, material, entries),
        Format::P12 | Format::Jks => to_keystore(format, arguments, material, entries),
    }
}

/// Keys, each before its chain; then the other certificates; then all else.
fn to_pem(
    arguments: &CertConvertArguments,
    material: &Material,
    entries: &[Entry<'_>],
) -> Result<Written, Failure> {
    let private = !material.keys.is_empty();
    let protection = if private {
        passphrase::of_new(&arguments.protection, &key::shown(&arguments.output))?
    } else {
        None
    };
    let mut text = String::new();
    for entry in entries {
        if let Some(key) = entry.key {
            text += &key_pem(key, protection.as_ref())?;
        }
        for certificate in &entry.chain {
            text += &certificate.to_pem();
        }
    }
    for request in &material.requests {
        text += &request.to_pem();
    }
    for list in &material.lists {
        text += &list.to_pem();
    }
    for key in &material.public_keys {
        text += &pem::encode("PUBLIC KEY", key.der());
    }
    Ok(Written {
        bytes: text.into_bytes(),
        private,
        what: summary(material, entries),
        left_out: Vec::new(),
    })
}

fn key_pem(key: &PrivateKey, protection: Option<&Passphrase>) -> Result<String, Failure> {
    let der = pkcs8(key)?;
    match protection {
        None => Ok(pem::encode("PRIVATE KEY", der.secret_pkcs8_der())),
        Some(passphrase) => encrypted_key::encrypt_to_pem(&der, passphrase, Derivation::default())
            .map_err(|error| Failure::of(&error)),
    }
}

/// The one thing that there is.
fn to_der(
    arguments: &CertConvertArguments,
    material: &Material,
    entries: &[Entry<'_>],
) -> Result<Written, Failure> {
    let certificates = certificates(entries);
    let counts = [
        certificates.len(),
        material.keys.len(),
        material.requests.len(),
        material.lists.len(),
        material.public_keys.len(),
    ];
    if counts.iter().sum::<usize>() != 1 {
        let what = summary(material, entries);
        return Err(
            Failure::usage(format!("a DER file holds one thing, and here are {what}"))
                .hint("--to p7c holds several certificates, --to p12 keys with them".to_owned()),
        );
    }
    let private = !material.keys.is_empty();
    let bytes = if let [certificate] = certificates.as_slice() {
        certificate.der().to_vec()
    } else if let [(_, private_key)] = material.keys.as_slice() {
        let der = pkcs8(private_key)?;
        match passphrase::of_new(&arguments.protection, &key::shown(&arguments.output))? {
            None => der.secret_pkcs8_der().to_vec(),
            Some(passphrase) => encrypted_key::encrypt(&der, &passphrase, Derivation::default())
                .map_err(|error| Failure::of(&error))?,
        }
    } else if let [request] = material.requests.as_slice() {
        request.der().to_vec()
    } else if let [list] = material.lists.as_slice() {
        list.der().to_vec()
    } else {
        material
            .public_keys
            .iter()
            .flat_map(|key| key.der().iter().copied())
            .collect()
    };
    Ok(Written {
        bytes,
        private,
        what: summary(material, entries),
        left_out: Vec::new(),
    })
}

fn to_pkcs7(
    format: Format,
    material: &Material,
    entries: &[Entry<'_>],
) -> Result<Written, Failure> {
    let certificates = certificates(entries);
    if certificates.is_empty() && material.lists.is_empty() {
        return Err(Failure::usage(format!(
            "PKCS#7 holds certificates and CRLs, and here are {}",
            summary(material, entries)
        )));
    }
    let bundle = Bundle {
        certificates: certificates.iter().map(|c| c.der().clone()).collect(),
        crls: material
            .lists
            .iter()
            .map(|list| list.der().to_vec().into())
            .collect(),
    };
    let mut left_out = Vec::new();
    if !material.keys.is_empty() {
        left_out.push("the private key is left out: PKCS#7 has no place for it".to_owned());
    }
    leave_out(&mut left_out, "PKCS#7", material, false);
    Ok(Written {
        bytes: match format {
            Format::P7c => bundle.to_der(),
            _ => bundle.to_pem().into_bytes(),
        },
        private: false,
        what: counted(&[
            (certificates.len(), "certificate"),
            (material.lists.len(), "CRL"),
        ]),
        left_out,
    })
}

fn to_keystore(
    format: Format,
    arguments: &CertConvertArguments,
    material: &Material,
    entries: &[Entry<'_>],
) -> Result<Written, Failure> {
    if entries.is_empty() {
        return Err(Failure::usage(format!(
            "keystores hold keys and certificates, and here are {}",
            summary(material, entries)
        )));
    }
    let store = keystore_of(format, arguments, entries)?;
    let output = key::shown(&arguments.output);
    let passphrase = passphrase::of_new_required(&arguments.protection, &output)?;
    if format == Format::Jks && passphrase.as_bytes().len() < KEYTOOLS_SHORTEST {
        return Err(Failure::usage(format!(
            "the passphrase of a Java keystore has to have {KEYTOOLS_SHORTEST} characters: keytool \
             takes no shorter one"
        )));
    }
    let bytes = match format {
        Format::Jks => jks::write(&store, &passphrase, SystemTime::now()),
        _ => pkcs12::write(&store, &passphrase, arguments.reader.into()),
    };
    let bytes = bytes.map_err(|error| match error {
        KeyStoreError::SameAlias { .. } | KeyStoreError::Unwritable { .. } => {
            Failure::usage(chain(&error)).hint("name the key with --alias NAME".to_owned())
        }
        error => Failure::of(&error).hint(error.hint().map(str::to_owned)),
    })?;
    let mut left_out = Vec::new();
    leave_out(&mut left_out, "a keystore", material, true);
    Ok(Written {
        bytes,
        private: !material.keys.is_empty(),
        what: summary(material, entries),
        left_out,
    })
}

fn keystore_of(
    format: Format,
    arguments: &CertConvertArguments,
    entries: &[Entry<'_>],
) -> Result<KeyStore, Failure> {
    let keys = entries.iter().filter(|entry| entry.key.is_some()).count();
    if arguments.alias.is_some() && keys > 1 {
        return Err(Failure::usage(format!(
            "--alias names one key, and there are {keys}"
        )));
    }
    let mut taken = HashSet::new();
    let mut store = KeyStore::default();
    for (index, entry) in entries.iter().enumerate() {
        let named = arguments
            .alias
            .clone()
            .filter(|_| entry.key.is_some() || entries.len() == 1);
        let wanted = named.unwrap_or_else(|| alias_of(entry, index));
        let alias = unique(&mut taken, &wanted);
        let ders = entry.chain.iter().map(|c| c.der().clone());
        store.entries.push(match entry.key {
            Some(_) if format == Format::Jks && entry.chain.is_empty() => {
                return Err(
                    Failure::usage("a Java keystore takes no key without its certificate")
                        .hint("name the file with the certificate too".to_owned()),
                );
            }
            Some(key) => keystore::Entry::key(alias, pkcs8(key)?, ders.collect()),
            None => match entry.chain.first() {
                Some(certificate) => keystore::Entry::trusted(alias, certificate.der().clone()),
                None => continue,
            },
        });
    }
    Ok(store)
}

/// The alias, with a number behind it where another entry has it. Java does not tell upper case from
/// lower.
fn unique(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut alias = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(alias.to_lowercase()) {
        alias = format!("{wanted} ({number})");
        number += 1;
    }
    alias
}

fn pkcs8(key: &PrivateKey) -> Result<ravelin_pki::PrivatePkcs8KeyDer<'static>, Failure> {
    match key
        .to_der(KeyForm::Pkcs8)
        .map_err(|error| Failure::of(&error))?
    {
        PrivateKeyDer::Pkcs8(der) => Ok(der),
        _ => unreachable!("PKCS#8 was asked for"),
    }
}

/// All certificates, each once, in order.
fn certificates<'m>(entries: &[Entry<'m>]) -> Vec<&'m Certificate> {
    let mut seen = HashSet::new();
    entries
        .iter()
        .flat_map(|entry| &entry.chain)
        .copied()
        .filter(|certificate| seen.insert(certificate.der().as_ref()))
        .collect()
}

fn leave_out(left_out: &mut Vec<String>, format: &str, material: &Material, lists: bool) {
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            let what = counted(&[(count, what)]);
            left_out.push(format!("left out: {what}, for which {format} has no place"));
        }
    };
    add(material.requests.len(), "request");
    add(material.public_keys.len(), "public key");
    if lists {
        add(material.lists.len(), "CRL");
    }
}

/// `1 key, 3 certificates`.
fn summary(material: &Material, entries: &[Entry<'_>]) -> String {
    counted(&[
        (material.keys.len(), "key"),
        (certificates(entries).len(), "certificate"),
        (material.requests.len(), "request"),
        (material.lists.len(), "CRL"),
        (material.public_keys.len(), "public key"),
    ])
}

fn counted(counts: &[(usize, &str)]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        })
        .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What keytool asks of passphrases at least.
const KEYTOOLS_SHORTEST: usize = 6;
