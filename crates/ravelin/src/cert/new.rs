//! `ravelin cert new`: a key and a certificate, from the local CA or signed by itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::local::Asked;
use ravelin_certs::policy::{Policy, Wish};
use ravelin_certs::store::NewFile;
use ravelin_certs::{LocalAuthority, LocalRoot};
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::keystore::{Entry, jks, pkcs12};
use ravelin_pki::{Certificate, KeyForm, KeyStore, Passphrase, PrivateKey, PrivateKeyDer};

use super::{DAY, beside, chain_pem, check_places, cut_short, file_stem, local_failure, write};
use crate::arguments::cert::CertNewArguments;
use crate::arguments::key::{Form, FormArguments};
use crate::failure::Failure;
use crate::words::cert::{Files, New};
use crate::{key, passphrase, ravelin_home, words};

pub(super) fn run(arguments: &CertNewArguments) -> Result<ExitCode, Failure> {
    let stem = file_stem(&arguments.names[0]);
    let files = files(arguments, &stem);
    check_places(files.all(), arguments.force)?;
    // Asked before anything is made: whoever cannot answer has lost nothing.
    let store = arguments.p12 || arguments.jks;
    let protection = if store {
        Some(passphrase::of_new_required(&arguments.protection, &stem)?)
    } else {
        passphrase::of_new(&arguments.protection, &stem)?
    };
    let key = PrivateKey::generate_of(arguments.key_type).map_err(|error| Failure::of(&error))?;
    let now = SystemTime::now();
    let made = if arguments.self_signed {
        self_signed(arguments, &key, now)?
    } else {
        from_local_ca(arguments, &key, now)?
    };
    if let Some(root) = &made.new_root {
        words::root_made(root);
    }
    write_files(
        arguments,
        &files,
        &stem,
        &key,
        &made.chain,
        protection.as_ref(),
        now,
    )?;
    words::cert::made(&New {
        certificate: &made.chain[0],
        changes: &made.changes,
        root: made.root.as_deref(),
        files: &files,
        encrypted: arguments.protection_asked(),
        self_signed: arguments.self_signed,
    });
    Ok(ExitCode::SUCCESS)
}

struct Made {
    chain: Vec<Certificate>,
    changes: Vec<ravelin_certs::policy::Change>,
    /// Where the root is, that has to be trusted.
    root: Option<PathBuf>,
    /// The root, where it was made just now.
    new_root: Option<LocalRoot>,
}

fn from_local_ca(
    arguments: &CertNewArguments,
    key: &PrivateKey,
    now: SystemTime,
) -> Result<Made, Failure> {
    let store = ravelin_home::open(&arguments.home)?;
    let authority = LocalAuthority::open_with_tokens(&store, &[], &passphrase::tokens(), now)
        .map_err(|e| local_failure(&e))?;
    let policy = authority.policy().map_err(|e| local_failure(&e))?;
    let grant = policy
        .decide(&wish(arguments), key.public_key())
        .map_err(|refused| Failure::usage(refused.to_string()))?;
    let asked = Asked {
        by: Some("ravelin cert new".to_owned()),
        request: None,
    };
    let chain = authority
        .issue(&grant, key.public_key(), &asked, now)
        .map_err(|e| local_failure(&e))?;
    let mut changes = grant.changes;
    changes.extend(cut_short(&chain, grant.life, now));
    Ok(Made {
        chain,
        changes,
        root: Some(authority.root_location().into()),
        new_root: authority.created().then(|| LocalRoot {
            certificate: authority.root_certificate().clone(),
            location: authority.root_location(),
        }),
    })
}

fn self_signed(
    arguments: &CertNewArguments,
    key: &PrivateKey,
    now: SystemTime,
) -> Result<Made, Failure> {
    let grant = Policy::builtin()
        .decide(&wish(arguments), key.public_key())
        .map_err(|refused| Failure::usage(refused.to_string()))?;
    let der = self_signed_certificate(&grant.template, key, grant.life, now)
        .map_err(|error| Failure::of(&error))?;
    let certificate = Certificate::from_der(&der).map_err(|error| Failure::of(&error))?;
    Ok(Made {
        chain: vec![certificate],
        changes: grant.changes,
        root: None,
        new_root: None,
    })
}

fn wish(arguments: &CertNewArguments) -> Wish {
    let template = arguments.template.clone();
    Wish {
        names: arguments.names.clone(),
        purposes: template.is_none().then(|| {
            let purposes = arguments.purpose.purposes();
            purposes.iter().map(|purpose| purpose.oid()).collect()
        }),
        life: arguments.days.map(|days| DAY * days),
        template,
        ..Wish::default()
    }
}

/// The files that are asked for.
fn files(arguments: &CertNewArguments, stem: &str) -> Files {
    let file = |extension| beside(&arguments.out, stem, extension);
    Files {
        key: file("key"),
        chain: file("pem"),
        p12: arguments.p12.then(|| file("p12")),
        jks: arguments.jks.then(|| file("jks")),
    }
}

/// Writes all files that were asked for, or none.
fn write_files(
    arguments: &CertNewArguments,
    files: &Files,
    stem: &str,
    key: &PrivateKey,
    chain: &[Certificate],
    protection: Option<&Passphrase>,
    now: SystemTime,
) -> Result<(), Failure> {
    let form = FormArguments {
        form: Form::Pkcs8,
        der: false,
    };
    // The key of NAME.key stands without a passphrase unless it is asked for: servers start alone.
    let encrypted = protection.filter(|_| arguments.protection_asked());
    let key_bytes = key::written(key, &form, encrypted)?;
    let chain_text = chain_pem(chain);
    let keystore = |passphrase: &Passphrase| -> Result<[Vec<u8>; 2], Failure> {
        let store = key_store(stem, key, chain)?;
        let failed = |error| Failure::of(&error);
        let p12 = pkcs12::write(&store, passphrase, pkcs12::Pkcs12For::Windows).map_err(failed)?;
        let jks = jks::write(&store, passphrase, now).map_err(failed)?;
        Ok([p12, jks])
    };
    let [p12_bytes, jks_bytes] = match protection {
        Some(passphrase) if arguments.p12 || arguments.jks => keystore(passphrase)?,
        _ => [Vec::new(), Vec::new()],
    };
    let file = |path: &PathBuf, bytes, private| NewFile {
        path: path.clone(),
        bytes,
        private,
    };
    let mut all = vec![file(&files.key, key_bytes.as_slice(), true)];
    all.extend(files.p12.as_ref().map(|path| file(path, &p12_bytes, true)));
    all.extend(files.jks.as_ref().map(|path| file(path, &jks_bytes, true)));
    all.push(file(&files.chain, chain_text.as_bytes(), false));
    write(&all, arguments.force)
}

fn key_store(alias: &str, key: &PrivateKey, chain: &[Certificate]) -> Result<KeyStore, Failure> {
    let der = key
        .to_der(KeyForm::Pkcs8)
        .map_err(|error| Failure::of(&error))?;
    let PrivateKeyDer::Pkcs8(pkcs8) = der else {
        return Err(Failure::local("the key has no PKCS#8 form"));
    };
    let chain = chain.iter().map(|c| c.der().clone()).collect();
    Ok(KeyStore {
        entries: vec![Entry::key(alias, pkcs8, chain)],
        ..KeyStore::default()
    })
}

impl CertNewArguments {
    /// Whether the key itself is to have a passphrase, not only what it is packed into.
    fn protection_asked(&self) -> bool {
        self.protection.encrypt
            || !(self.p12 || self.jks)
                && (self.protection.new_passphrase_file.is_some()
                    || self.protection.new_passphrase_fd.is_some())
    }
}
