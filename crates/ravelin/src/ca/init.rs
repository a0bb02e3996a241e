//! `ravelin ca init`: a CA that is not the one that is made on first use.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::LocalAuthority;
use ravelin_certs::local::Plan;
use ravelin_certs::policy::Policy;
use ravelin_pki::NameConstraints;

use super::{YEAR, failure};
use crate::arguments::ca::CaInitArguments;
use crate::failure::Failure;
use crate::{passphrase, ravelin_home, words};

pub(super) fn run(arguments: &CaInitArguments) -> Result<ExitCode, Failure> {
    let policy = policy_text(arguments);
    // What is wrong in an argument is told before anything is made.
    Policy::from_toml(&policy)
        .map_err(|error| Failure::usage(format!("--address: {}", error.problem)))?;
    let store = ravelin_home::open(&arguments.home)?;
    let authority = LocalAuthority::init_with_tokens(
        &store,
        &plan(arguments),
        &policy,
        &passphrase::tokens(),
        SystemTime::now(),
    )
    .map_err(|error| failure(&error))?;
    let issuers = authority
        .issuer_certificates()
        .map_err(|error| failure(&error))?;
    words::ca::made(&authority, &issuers, store.folder());
    Ok(ExitCode::SUCCESS)
}

fn plan(arguments: &CaInitArguments) -> Plan {
    let base = Plan::default();
    let constraints = (!arguments.any_name).then(|| {
        let start = if arguments.only {
            NameConstraints::default()
        } else {
            NameConstraints::local()
        };
        let permitted = arguments.permit.iter().cloned();
        permitted.fold(start, NameConstraints::permitting)
    });
    let excluded = arguments.exclude.iter().cloned();
    let constraints = match constraints {
        // Exclusions alone are constraints as well.
        None if arguments.exclude.is_empty() => None,
        constraints => {
            Some(excluded.fold(constraints.unwrap_or_default(), NameConstraints::excluding))
        }
    };
    let organization = arguments.organization.clone();
    Plan {
        name: arguments.name.clone(),
        organization: organization.unwrap_or(base.organization),
        key_type: arguments.key_type,
        root_life: YEAR * arguments.years,
        constraints,
        path_length: Some(arguments.path_length),
        root_key: arguments.token.clone(),
    }
}

/// The policy of a new CA, as a file that its owner goes on with.
fn policy_text(arguments: &CaInitArguments) -> String {
    let kind = ravelin_pki::KeyType::NAMES
        .iter()
        .find(|(_, kind)| *kind == arguments.key_type)
        .map_or("p256", |(name, _)| name);
    let mut text = format!(
        "# What this CA issues. docs/certificates.md explains every line.\n\n[authority]\nkey = \
         \"{kind}\"\nintermediate_days = {}\n",
        arguments.intermediate_days
    );
    if let Some(token) = &arguments.token {
        let _ = writeln!(text, "token = \"{token}\"");
    }
    if let Some(address) = &arguments.address {
        let address = address.trim_end_matches('/').replace(['"', '\\', '\n'], "");
        let _ = write!(
            text,
            "crl = [\"{address}/crl/{{issuer}}.crl\"]\nocsp = [\"{address}/ocsp\"]\nissuer = \
             [\"{address}/issuer/{{issuer}}.cer\"]\n"
        );
    }
    text +=
        "\n# [template.server]\n# days = 90\n# max_days = 397\n# names = [\"corp.example.com\"]\n";
    text
}
