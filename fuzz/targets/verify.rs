//! Chains and CRLs in DER, one behind the other: a leaf, an anchor, and whatever may be between them.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use ravelin_pki::der::Reader;
use ravelin_pki::{Certificate, Judge, Question, RevocationList, Rules, Trust};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    let mut certificates = Vec::new();
    let mut lists = Vec::new();
    while let Ok(element) = reader.next() {
        certificates.extend(Certificate::from_der(element.whole));
        lists.extend(RevocationList::from_der(element.whole));
    }
    if certificates.is_empty() {
        return;
    }
    let known = certificates.split_off(1);
    let trust = Trust::new(known.iter().take(1).cloned().collect());
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let question = Question::at(at).host("localhost".parse().expect("a name"));
    for rules in [Rules::strict(), Rules::rfc5280()] {
        let most = rules.limits.paths + 1;
        let judge = Judge::new(&trust, rules)
            .knowing(known.iter().cloned())
            .with_lists(lists.iter().cloned());
        let verdict = judge.verify(&certificates[0], &certificates[1..], &question);
        assert!((1..=most).contains(&verdict.paths().len()));
        assert_eq!(verdict.is_valid(), verdict.failures().is_empty());
        assert!(!verdict.to_string().chars().any(|c| c.is_control() && c != '\n'));
        for failure in verdict.failures() {
            let _ = failure.problem.hint();
        }
    }
});
