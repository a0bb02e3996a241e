//! What is said of defective certificates, with those who have to take them as judges.

mod baseline;
mod bounds;
mod corpus;
pub(crate) mod forge;
mod issued;
mod judges;
mod pkilint;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ravelin_pki::constraints::Subtree;
use ravelin_pki::lint::{self, Consumer, Options, Report, Severity};
use ravelin_pki::{
    Certificate, CertificateDer, Extension, ExtensionValue, GeneralName, NameConstraints, Oid, pem,
};

use crate::counts;
use forge::Signed;
use judges::Corpus;

/// A little after the forged ones begin, so that none that is to be expired is still valid.
fn now() -> SystemTime {
    *forge::NOW + Duration::from_secs(120)
}

fn report(chain: &Signed) -> Report {
    let read = chain.all().map(|der| Certificate::from_der(der).unwrap());
    lint::lint(&read, now(), PRIVATE)
}

/// All are under a root that its user trusts.
const PRIVATE: Options = Options {
    public: Some(false),
};

#[test]
fn each_defect_is_told_and_nothing_else() {
    for (name, expected, spoil) in corpus::CASES {
        let mut chain = forge::good();
        spoil(&mut chain);
        let report = report(&chain.sign());
        let told: Vec<_> = report
            .findings()
            .iter()
            .map(|finding| finding.rule.id)
            .collect();
        assert_eq!(told, *expected, "{name}: {:?}", report.findings());
        for finding in report.findings() {
            assert!(
                !finding.field.is_empty() && !finding.problem.ends_with('.'),
                "{finding}"
            );
        }
    }
}

#[test]
fn each_rule_has_a_certificate_that_breaks_it() {
    let broken: BTreeSet<_> = corpus::CASES
        .iter()
        .flat_map(|(_, rules, _)| rules.iter().copied())
        .chain(baseline::RULES)
        .collect();
    let without = lint::rules()
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !broken.contains(id));
    assert_eq!(without.collect::<Vec<_>>(), [""; 0]);
}

/// Where we say that a consumer refuses a chain, it does; where it refuses one, we say so.
fn agree(consumer: Consumer, stated: &counts::Count) {
    let corpus = Corpus::write();
    let verdicts = corpus.ask(consumer);
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (name, chain) in &corpus.chains {
        let Some(verdict) = &verdicts[name] else {
            continue;
        };
        asked += 1;
        let report = report(chain);
        let ours: Vec<_> = report
            .refusals(consumer)
            .map(|finding| finding.rule.id)
            .collect();
        match verdict {
            Ok(()) if !ours.is_empty() => wrong.push(format!("{name}: taken in spite of {ours:?}")),
            Err(why) if ours.is_empty() => wrong.push(format!("{name}: refused: {why}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{consumer}:\n{}", wrong.join("\n"));
    stated.assert_is(asked, asked, corpus.chains.len() - asked);
}

#[test]
fn openssl_refuses_what_is_said_of_it() {
    agree(Consumer::OpenSsl, &counts::LINT_OPENSSL);
}

#[test]
fn python_refuses_what_is_said_of_it() {
    agree(Consumer::Python, &counts::LINT_PYTHON);
}

#[test]
fn rustls_refuses_what_is_said_of_it() {
    agree(Consumer::Rustls, &counts::LINT_RUSTLS);
}

#[test]
fn go_refuses_what_is_said_of_it() {
    agree(Consumer::Go, &counts::LINT_GO);
}

#[test]
fn java_refuses_what_is_said_of_it() {
    agree(Consumer::Java, &counts::LINT_JAVA);
}

#[test]
fn chromium_refuses_what_is_said_of_it() {
    agree(Consumer::Chromium, &counts::LINT_CHROMIUM);
}

/// Ten thousand bad names and as many constraints: an answer, soon, and of a length to be read.
#[test]
fn certificates_made_to_drown_a_linter_are_judged() {
    let mut chain = forge::good();
    let name = |n: usize| format!("{n}_{}", "a".repeat(40));
    let names = (0..10_000).map(|n| GeneralName::Dns(name(n))).collect();
    chain.leaf.with(forge::alternative_names(true, names));
    let trees = (0..10_000).map(|n| Subtree::Dns(name(n)));
    let trees = trees.fold(NameConstraints::default(), NameConstraints::permitting);
    let value = ExtensionValue::NameConstraints(trees);
    chain
        .intermediate
        .with(Extension::of(Oid::NAME_CONSTRAINTS, true, value));
    let chain = chain.sign();
    let mut read = chain
        .all()
        .map(|der| Certificate::from_der(der).unwrap())
        .to_vec();
    read.extend(vec![read[2].clone(); 2_000]);
    let report = lint::lint(&read, now(), PRIVATE);
    assert!(report.findings().len() < 50, "{}", report.findings().len());
}

/// The vectors of Python's cryptography: NIST's PKITS, and what was seen in the wild.
#[test]
fn certificates_of_all_makers_are_judged() {
    let mut read = Vec::new();
    for file in files(&vectors()) {
        let bytes = fs::read(&file).unwrap();
        let ders = match pem::certificates(&bytes) {
            Ok(ders) => ders.iter().map(|der| der.to_vec()).collect(),
            Err(_) => vec![bytes],
        };
        read.extend(
            ders.iter()
                .filter_map(|der| Certificate::from_der(der).ok()),
        );
    }
    assert!(read.len() > 300, "only {} can be read", read.len());
    let mut rules = BTreeSet::new();
    for (index, certificate) in read.iter().enumerate() {
        // Alone, and in front of another that it has nothing to do with.
        let pair = [
            certificate.clone(),
            read[(index * 7 + 1) % read.len()].clone(),
        ];
        for public in [None, Some(true), Some(false)] {
            let alone = lint::lint(&pair[..1], now(), Options { public });
            rules.extend(alone.findings().iter().map(|finding| finding.rule.id));
            let _ = lint::lint(&pair, now(), Options { public });
        }
    }
    assert!(rules.len() > 40, "{rules:?}");
}

fn vectors() -> PathBuf {
    let packages = fs::read_dir(judges::venv("../lib")).unwrap().flatten();
    let mut folders = packages.map(|python| {
        python
            .path()
            .join("site-packages/cryptography_vectors/x509")
    });
    folders
        .find(|folder| folder.is_dir())
        .expect("cryptography-vectors must be installed: run ./test")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Their makers are audited: few of what browsers trust is wrong, and most of that is old.
#[test]
fn the_roots_of_the_web_are_almost_clean() {
    let bundle = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let roots = pem::certificates(&bundle).unwrap();
    let errors = |der: &&CertificateDer<'static>| {
        let root = Certificate::from_der(der).unwrap();
        let report = lint::lint(&[root], now(), Options::default());
        report.severity() == Some(Severity::Error)
    };
    let wrong = roots.iter().filter(errors).count();
    assert!(wrong * 5 < roots.len(), "{wrong} of {}", roots.len());
}
