//! The local CA, from an empty folder to renewed leaves.

use std::path::Path;
use std::time::{Duration, SystemTime};

use ravelin_certs::{FileStore, LocalAuthority};
use ravelin_pki::{HostName, Leaf, pem};

use crate::judges::openssl_verify;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn names(texts: &[&str]) -> Vec<HostName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn open(home: &Path, now: SystemTime) -> LocalAuthority {
    LocalAuthority::open(&FileStore::open(home).unwrap(), &[], now).unwrap()
}

fn verify(authority: &LocalAuthority, leaf: &Leaf, host: &[&str]) -> Result<(), String> {
    openssl_verify(
        &authority.root_pem(),
        &pem::encode("CERTIFICATE", &leaf.chain[1]),
        &pem::encode("CERTIFICATE", &leaf.chain[0]),
        host,
    )
}

#[test]
fn the_first_use_makes_a_chain_that_openssl_verifies() {
    let home = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    let authority = open(home.path(), now);
    assert!(authority.created());
    let leaf = authority
        .leaf(
            &names(&["localhost", "*.app.localhost", "127.0.0.1", "::1"]),
            now,
        )
        .unwrap();
    for host in [
        ["-verify_hostname", "localhost"],
        ["-verify_hostname", "a.app.localhost"],
        ["-verify_ip", "127.0.0.1"],
        ["-verify_ip", "::1"],
    ] {
        verify(&authority, &leaf, &host).unwrap();
    }
    verify(&authority, &leaf, &["-verify_hostname", "other.localhost"]).unwrap_err();
    // Addresses alone: no name in the subject that constraints could be held against.
    let leaf = authority.leaf(&names(&["127.0.0.1"]), now).unwrap();
    verify(&authority, &leaf, &["-verify_ip", "127.0.0.1"]).unwrap();
    let _ = DAY;
}
