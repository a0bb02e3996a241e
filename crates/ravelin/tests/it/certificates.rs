//! `ravelin cert`: what it makes is judged by those who will be shown it.

mod files;
mod instructions;
mod purposes;
mod requests;

use serde_json::Value;

use crate::foreign::{Ran, run};
use crate::server::Place;

/// Everything that the CA of a place issued, as `ravelin ca list --json` tells it.
pub(crate) fn inventory(place: &Place) -> Vec<Value> {
    let listed = place.run(&["ca", "list", "--json", "--limit", "0"]);
    listed.expect(0, &[]);
    serde_json::from_str(&listed.stdout).unwrap()
}

/// How many certificates that are no CA's the CA of a place issued.
pub(crate) fn leaves(place: &Place) -> usize {
    let all = inventory(place);
    let is_leaf =
        |record: &&Value| !matches!(record["profile"].as_str(), Some("intermediate" | "cross"));
    all.iter().filter(is_leaf).count()
}

/// Makes a certificate, which has to succeed.
pub(crate) fn make(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["cert", "new"];
    all.extend(arguments);
    let made = place.run(&all);
    made.expect(0, &["made "]);
    assert_eq!(made.stdout, "");
    made.stderr
}

/// What `openssl verify` says of a file's first certificate to one who trusts `root` alone.
pub(crate) fn openssl_verify(place: &Place, root: &str, file: &str, more: &[&str]) -> Ran {
    let mut all = vec![
        "verify",
        "-x509_strict",
        "-CAfile",
        root,
        "-untrusted",
        file,
    ];
    all.extend(more);
    all.push(file);
    run(place, "openssl", &all)
}

/// The root of a place's own CA.
pub(crate) const ROOT: &str = "home/ca/root.pem";
