//! What passes out of how many. Each suite asserts its own numbers, and docs/certificates.md, which
//! states them in a table, is held to them here.

use std::fs;
use std::path::Path;

/// A row of the table.
pub(crate) struct Count {
    /// How its first cell begins.
    row: &'static str,
    right: usize,
    of: usize,
    /// Those of the suite that are not asked, as Ravelin has nothing that they are about.
    left_out: usize,
}

const fn count(row: &'static str, right: usize, of: usize, left_out: usize) -> Count {
    Count {
        row,
        right,
        of,
        left_out,
    }
}

pub(crate) const PKITS: Count = count("NIST PKITS 1.0.1", 245, 247, 0);
pub(crate) const ECDSA: Count = count("Project Wycheproof, ECDSA", 3_098, 3_098, 26_805);
pub(crate) const RSA: Count = count("Project Wycheproof, RSA PKCS #1", 3_106, 3_106, 3_096);
pub(crate) const RSA_PSS: Count = count("Project Wycheproof, RSA-PSS", 1_776, 1_964, 1_533);
pub(crate) const ED25519: Count = count("Project Wycheproof, Ed25519", 151, 151, 87);
pub(crate) const ML_DSA: Count = count("Project Wycheproof, ML-DSA", 610, 610, 21);
pub(crate) const CERTIFICATES: Count = count("`cryptography-vectors`, certificates", 113, 127, 0);
pub(crate) const REQUESTS: Count = count("`cryptography-vectors`, requests", 22, 26, 0);
pub(crate) const CRLS: Count = count("`cryptography-vectors` and PKITS, CRLs", 194, 200, 0);
pub(crate) const OCSP: Count = count("`cryptography-vectors`, OCSP", 26, 28, 0);
pub(crate) const PKCS12: Count = count("`cryptography-vectors`, PKCS#12", 31, 31, 0);
pub(crate) const PKCS7: Count = count("`cryptography-vectors`, PKCS#7", 4, 10, 0);
pub(crate) const ENCRYPTED_KEYS: Count =
    count("`cryptography-vectors`, encrypted private keys", 28, 40, 0);
pub(crate) const RANDOM_CHAINS: Count =
    count("openssl and rustls-webpki, random chains", 160, 160, 0);
pub(crate) const CONSTRAINED: Count = count("openssl and rustls-webpki, names", 225, 225, 0);
pub(crate) const LINT_OPENSSL: Count = count("openssl, lint", 158, 158, 0);
pub(crate) const LINT_RUSTLS: Count = count("rustls-webpki, lint", 158, 158, 0);
pub(crate) const LINT_GO: Count = count("Go, lint", 158, 158, 0);
pub(crate) const LINT_JAVA: Count = count("Java, lint", 158, 158, 0);
pub(crate) const LINT_PYTHON: Count = count("Python's ssl, lint", 148, 148, 10);
pub(crate) const LINT_CHROMIUM: Count = count("Chromium, lint", 137, 137, 21);
pub(crate) const LINT_PKILINT: Count = count("pkilint, lint", 106, 106, 0);

const ALL: [&Count; 22] = [
    &PKITS,
    &ECDSA,
    &RSA,
    &RSA_PSS,
    &ED25519,
    &ML_DSA,
    &CERTIFICATES,
    &REQUESTS,
    &CRLS,
    &OCSP,
    &PKCS12,
    &PKCS7,
    &ENCRYPTED_KEYS,
    &RANDOM_CHAINS,
    &CONSTRAINED,
    &LINT_OPENSSL,
    &LINT_RUSTLS,
    &LINT_GO,
    &LINT_JAVA,
    &LINT_PYTHON,
    &LINT_CHROMIUM,
    &LINT_PKILINT,
];

impl Count {
    /// How many are asked, where that is for the suite to choose.
    pub(crate) fn asked(&self) -> u32 {
        u32::try_from(self.of).unwrap()
    }

    /// The suite came to these numbers.
    pub(crate) fn assert_is(&self, right: usize, of: usize, left_out: usize) {
        let stated = (self.right, self.of, self.left_out);
        assert_eq!((right, of, left_out), stated, "{}", self.row);
    }
}

/// `3,098`.
fn in_thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", in_thousands(number / 1000), number % 1000),
    }
}

#[test]
fn the_documents_state_what_passes_and_what_does_not() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/certificates.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## Who has judged it\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'))
        .map(|line| line.split(" | ").map(str::trim).collect())
        .collect();
    let mut wrong = Vec::new();
    for count in ALL {
        let wanted = format!(
            "{} of {}",
            in_thousands(count.right),
            in_thousands(count.of)
        );
        let left_out = (count.left_out > 0).then(|| in_thousands(count.left_out));
        match rows.iter().find(|row| row[0].starts_with(count.row)) {
            Some(row) if row[1] != wanted => wrong.push(format!("{}: {wanted}", count.row)),
            Some(row) if left_out.is_some_and(|number| !row[2].contains(&number)) => {
                wrong.push(format!("{}: {} are left out", count.row, count.left_out));
            }
            // What does not pass, and what is not asked, has a reason.
            Some(row) if count.right < count.of && row[2].is_empty() => {
                wrong.push(format!("{}: no reason", count.row));
            }
            Some(_) => {}
            None => wrong.push(format!("no row {:?}", count.row)),
        }
    }
    for row in rows
        .iter()
        .filter(|row| row[1].starts_with(|c: char| c.is_ascii_digit()))
    {
        if !ALL.iter().any(|count| row[0].starts_with(count.row)) {
            wrong.push(format!("{:?} is asserted by no suite", row[0]));
        }
    }
    let rules = format!("Each of its {} rules", ravelin_pki::lint::rules().len());
    if !page.contains(&rules) {
        wrong.push(rules);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
