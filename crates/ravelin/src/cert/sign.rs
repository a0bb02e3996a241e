//! `ravelin cert sign`: a request of somebody else's, signed by the local CA.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::LocalAuthority;
use ravelin_certs::local::Asked;
use ravelin_certs::policy::Wish;
use ravelin_certs::store::NewFile;
use ravelin_pki::{CertificateRequest, Fingerprint, pem};

use super::{DAY, beside, chain_pem, check_places, cut_short, file_stem, local_failure, write};
use crate::arguments::cert::CertSignArguments;
use crate::failure::{Failure, chain};
use crate::{key, passphrase, ravelin_home, words};

pub(super) fn run(arguments: &CertSignArguments) -> Result<ExitCode, Failure> {
    let request = read(&arguments.request)?;
    let now = SystemTime::now();
    let store = ravelin_home::open(&arguments.home)?;
    let authority = LocalAuthority::open_with_tokens(&store, &[], &passphrase::tokens(), now)
        .map_err(|e| local_failure(&e))?;
    let policy = authority.policy().map_err(|e| local_failure(&e))?;
    let wish = Wish {
        life: arguments.days.map(|days| DAY * days),
        template: arguments.template.clone(),
        ..Wish::of_request(&request)
    };
    let grant = policy
        .decide(&wish, request.public_key())
        .map_err(|refused| Failure::answer(format!("the request is refused: {refused}")))?;
    words::cert::to_sign(&request, &grant)?;
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let stem = match grant.template.names.first() {
        Some(name) => file_stem(name),
        None => "certificate".to_owned(),
    };
    let file = beside(&arguments.out, &stem, "pem");
    check_places([&file], arguments.force)?;
    let asked = Asked {
        by: Some("ravelin cert sign".to_owned()),
        request: Some(Fingerprint::of(request.der())),
    };
    let chain = authority
        .issue(&grant, request.public_key(), &asked, now)
        .map_err(|error| match local_failure(&error) {
            refused if refused.is_usage() => {
                Failure::answer(format!("the request is refused: {}", refused.message))
                    .hint(refused.hint)
            }
            failure => failure,
        })?;
    let text = chain_pem(&chain);
    let new = NewFile {
        path: file.clone(),
        bytes: text.as_bytes(),
        private: false,
    };
    write(&[new], arguments.force)?;
    words::cert::signed(&chain[0], &file);
    if let Some(change) = cut_short(&chain, grant.life, now) {
        words::cert::changed(&change);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<CertificateRequest, Failure> {
    let what = key::shown(file);
    let bytes = key::read_file(file)?;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        let why = chain(error);
        Failure::usage(format!("cannot read the request in \"{what}\": {why}"))
    };
    let der = pem::certificate_request(&bytes).map_err(|error| wrong(&error))?;
    let request = CertificateRequest::from_der(&der).map_err(|error| wrong(&error))?;
    request.verify_signature().map_err(|error| {
        Failure::answer(format!(
            "the request in \"{what}\" is refused: whoever made it did not prove to have its key: {error}"
        ))
    })?;
    Ok(request)
}
