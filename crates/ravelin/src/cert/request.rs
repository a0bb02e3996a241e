//! `ravelin cert request`: a request for another CA.

use std::process::ExitCode;

use ravelin_certs::store::NewFile;
use ravelin_pki::{CertificateRequest, DistinguishedName, Oid, PrivateKey, Template};

use super::{beside, file_stem, write};
use crate::arguments::cert::CertRequestArguments;
use crate::arguments::key::{Form, FormArguments};
use crate::failure::Failure;
use crate::{key, passphrase, words};

pub(super) fn run(arguments: &CertRequestArguments) -> Result<ExitCode, Failure> {
    let stem = file_stem(&arguments.names[0]);
    let subject = subject(&arguments.subject)?;
    let (key, key_file) = match &arguments.key_file {
        Some(file) => {
            let bytes = key::read_file(file)?;
            (key::read_key(file, &bytes, &arguments.passphrase)?, None)
        }
        None => {
            let key = PrivateKey::generate_of(arguments.key_type);
            let key = key.map_err(|error| Failure::of(&error))?;
            (key, Some(beside(&arguments.out, &stem, "key")))
        }
    };
    let mut template = Template::leaf(arguments.names.clone())
        .with_subject(subject)
        .for_purposes(arguments.purpose.purposes());
    template.must_staple = arguments.must_staple;
    let request = CertificateRequest::create(&template, &key).map_err(|e| Failure::of(&e))?;
    let pem = request.to_pem();
    let request_file = beside(&arguments.out, &stem, "csr");
    let mut files = Vec::new();
    let key_bytes;
    if let Some(path) = &key_file {
        let protection = passphrase::of_new(&arguments.protection, &stem)?;
        let form = FormArguments {
            form: Form::Pkcs8,
            der: false,
        };
        key_bytes = key::written(&key, &form, protection.as_ref())?;
        files.push(NewFile {
            path: path.clone(),
            bytes: &key_bytes,
            private: true,
        });
    }
    files.push(NewFile {
        path: request_file.clone(),
        bytes: pem.as_bytes(),
        private: false,
    });
    write(&files, arguments.force)?;
    words::cert::requested(&request, &request_file, key_file.as_deref());
    Ok(ExitCode::SUCCESS)
}

/// Reads `organization=Example`.
fn subject(attributes: &[String]) -> Result<DistinguishedName, Failure> {
    let mut read = Vec::new();
    for text in attributes {
        let (kind, value) = text.split_once('=').unwrap_or((text, ""));
        let known = SUBJECT.iter().find(|(name, short, ..)| {
            kind.eq_ignore_ascii_case(name) || kind.eq_ignore_ascii_case(short)
        });
        let Some((_, _, oid, longest)) = known else {
            let kinds: Vec<_> = SUBJECT.iter().map(|(name, ..)| *name).collect();
            return Err(Failure::usage(format!(
                "\"{kind}\" is not an attribute of a subject; there are: {}",
                kinds.join(", ")
            )));
        };
        if *oid == Oid::COUNTRY
            && !(value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(Failure::usage(format!(
                "\"{value}\" is not a country code of two capital letters (ISO 3166)"
            )));
        }
        if value.is_empty() || value.chars().count() > *longest {
            return Err(Failure::usage(format!(
                "the value of \"{kind}\" must have 1 to {longest} characters"
            )));
        }
        read.push((oid.clone(), value));
    }
    // The order that everyone writes: from the country to the name.
    read.sort_by_key(|(oid, _)| SUBJECT.iter().position(|(_, _, known, _)| known == oid));
    Ok(DistinguishedName::of(&read))
}

/// Names, short names, and the longest values of RFC 5280, appendix A.1.
static SUBJECT: [(&str, &str, Oid, usize); 7] = [
    ("country", "C", Oid::COUNTRY, 2),
    ("state", "ST", Oid::STATE, 128),
    ("locality", "L", Oid::LOCALITY, 128),
    ("organization", "O", Oid::ORGANIZATION, 64),
    ("unit", "OU", Oid::ORGANIZATIONAL_UNIT, 64),
    ("name", "CN", Oid::COMMON_NAME, 64),
    ("email", "emailAddress", Oid::EMAIL_ADDRESS, 255),
];
