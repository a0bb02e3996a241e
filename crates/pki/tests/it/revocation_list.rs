//! CRLs: what others made is read, and what is made here others read.

use ravelin_pki::RevocationList;

use crate::peers::{vector, vector_names};

/// Every CRL of the vectors is read, but for those that are made to be wrong.
#[test]
fn the_vectors_of_cryptography_are_read() {
    let mut read = 0;
    let mut refused = Vec::new();
    for folder in ["x509/custom", "x509/PKITS_data/crls"] {
        for name in vector_names(folder) {
            let is_list = name.starts_with("crl_")
                || name.ends_with("_crl.pem")
                || name.rsplit('.').next() == Some("crl");
            if !is_list {
                continue;
            }
            match RevocationList::from_file(&vector(&format!("{folder}/{name}"))) {
                Ok(_) => read += 1,
                Err(error) => {
                    refused.push((name, error.to_string()));
                }
            }
        }
    }
    let refused: Vec<(&str, &str)> = refused
        .iter()
        .map(|(name, error)| (name.as_str(), error.as_str()))
        .collect();
    assert_eq!(refused, REFUSED);
    assert_eq!(read, 194);
}

/// What is refused, and why: all of it is malformed in just that place.
const REFUSED: [(&str, &str); 6] = [
    ("crl_bad_version.pem", "the CRL's version cannot be read"),
    (
        "crl_dup_entry_ext.pem",
        "the CRL's revokedCertificates cannot be read",
    ),
    (
        "crl_inval_cert_issuer_entry_ext.pem",
        "the CRL's revokedCertificates cannot be read",
    ),
    // RFC 5280, section 5.3.2 with 4.1.2.5.2: no fractions of a second.
    (
        "crl_inval_date_fractional_seconds.der",
        "the CRL's revokedCertificates cannot be read",
    ),
    (
        "crl_invalid_time.der",
        "the CRL's thisUpdate cannot be read",
    ),
    // Its signature was damaged where the BIT STRING says how many bits there are.
    (
        "BadCRLSignatureCACRL.crl",
        "the CRL's signatureValue cannot be read",
    ),
];
