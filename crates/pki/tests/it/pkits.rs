//! NIST's test suite for path validation (PKITS), whole: paths are not given but found, among all its
//! certificates, with all its CRLs at hand.

use std::time::{Duration, SystemTime};

use ravelin_pki::verify::PolicyRules;
use ravelin_pki::{Certificate, Judge, Oid, Question, RevocationList, Rules, Trust};

use crate::counts;
use crate::peers::{vector, vector_names};

const FOLDER: &str = "x509/PKITS_data";

/// The tests: what they are is said in the file.
const TABLE: &str = include_str!("pkits.txt");

/// Those that do not come out as NIST wants.
const NOT_PASSED: [(&str, &str); 2] = [
    ("4.1.4", "aws-lc-rs has no DSA"),
    ("4.1.5", "aws-lc-rs has no DSA"),
];

#[test]
fn pkits_is_passed_but_for_dsa() {
    let suite = Suite::read();
    let mut passed = 0;
    let mut not_passed = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let [number, leaf, expected] = [(); 3].map(|()| words.next().unwrap());
        let rules = Rules {
            policies: policies(words),
            ..Rules::rfc5280()
        };
        let leaf = Certificate::from_der(&vector(&format!("{FOLDER}/certs/{leaf}EE.crt")));
        let Ok(leaf) = leaf else {
            assert_eq!(expected, "no", "{line}");
            passed += 1;
            continue;
        };
        let chain = [leaf];
        let judge = suite.judge(rules);
        let verdict = judge.verify(
            &chain[0],
            &chain[1..],
            &Question::at(SystemTime::UNIX_EPOCH + WHEN),
        );
        if verdict.is_valid() == (expected == "yes") {
            passed += 1;
        } else {
            eprintln!("{line}\n{verdict}\n");
            not_passed.push(number);
        }
    }
    eprintln!("PKITS: {passed} passed, not passed: {not_passed:?}");
    assert_eq!(not_passed, NOT_PASSED.map(|(number, _)| number));
    counts::PKITS.assert_is(passed, passed + not_passed.len(), 0);
}

/// The start of 2020, within the life of nearly all of its certificates, from 1970.
const WHEN: Duration = Duration::from_secs(1_577_836_800);

struct Suite {
    trust: Trust,
    cas: Vec<Certificate>,
    lists: Vec<RevocationList>,
}

impl Suite {
    fn read() -> Self {
        let mut refused = Vec::new();
        let mut cas = Vec::new();
        let mut names = 0;
        for name in vector_names(&format!("{FOLDER}/certs")) {
            names += 1;
            match Certificate::from_der(&vector(&format!("{FOLDER}/certs/{name}"))) {
                Ok(ca) if !name.ends_with("EE.crt") => cas.push(ca),
                Ok(_) => {}
                Err(_) => refused.push(name),
            }
        }
        let mut lists = Vec::new();
        for name in vector_names(&format!("{FOLDER}/crls")) {
            match RevocationList::from_der(&vector(&format!("{FOLDER}/crls/{name}"))) {
                Ok(list) => lists.push(list),
                Err(_) => refused.push(name),
            }
        }
        // Their signatures were made wrong by changing the first octet: how many bits are unused.
        let wrong = [
            "BadSignedCACert.crt",
            "InvalidDSASignatureTest6EE.crt",
            "BadCRLSignatureCACRL.crl",
        ];
        assert_eq!(refused, wrong);
        assert_eq!((names, cas.len(), lists.len()), (405, 181, 172));
        let root = vector(&format!("{FOLDER}/certs/TrustAnchorRootCertificate.crt"));
        Self {
            trust: Trust::new(vec![Certificate::from_der(&root).unwrap()]),
            cas,
            lists,
        }
    }

    fn judge(&self, rules: Rules) -> Judge<'_> {
        Judge::new(&self.trust, rules)
            .knowing(self.cas.iter().cloned())
            .with_lists(self.lists.iter().cloned())
    }
}

fn policies<'w>(words: impl Iterator<Item = &'w str>) -> PolicyRules {
    let mut rules = PolicyRules::default();
    for word in words {
        match word {
            "explicit" => rules.explicit = true,
            "inhibit-mapping" => rules.inhibit_mapping = true,
            "inhibit-any" => rules.inhibit_any = true,
            number => rules.acceptable.push(
                format!("2.16.840.1.101.3.2.1.48.{number}")
                    .parse::<Oid>()
                    .unwrap(),
            ),
        }
    }
    rules
}
