//! Chains with something wrong, and what is said of them.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use ravelin_pki::ocsp::CertificateStatus;
use ravelin_pki::revocation_list::RevocationListTemplate;
use ravelin_pki::verify::{IssuerBooks, Limits, Problem, Remark, Revocation, Status};
use ravelin_pki::{
    Authority, Certificate, Judge, NameConstraints as LocalNames, PrivateKey, Question,
    RevocationReason, RevokedCertificate, Rules, SerialNumber, Template, Trust, Verdict,
};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};

/// 2026-01-01 00:00:00 UTC, in seconds since 1970.
pub(crate) const NOW: u64 = 1_767_225_600;

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A chain that is right but for what a test changes.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// From the root down.
    pub(crate) cas: Vec<Ca>,
    pub(crate) leaf: Leaf,
    pub(crate) host: &'static str,
}

#[derive(Debug, Clone)]
pub(crate) struct Ca {
    pub(crate) has_ca_flag: bool,
    pub(crate) years: (i32, i32),
    pub(crate) path_length: Option<u8>,
    pub(crate) signs_certificates: bool,
    pub(crate) purpose: Option<ExtendedKeyUsagePurpose>,
    pub(crate) permitted: Vec<&'static str>,
    pub(crate) excluded: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) years: (i32, i32),
    pub(crate) names: Vec<&'static str>,
    pub(crate) purpose: Option<ExtendedKeyUsagePurpose>,
    pub(crate) is_forged: bool,
}

const GOOD_CA: Ca = Ca {
    has_ca_flag: true,
    years: (2020, 2040),
    path_length: None,
    signs_certificates: true,
    purpose: None,
    permitted: Vec::new(),
    excluded: Vec::new(),
};

pub(crate) fn good_chain() -> Chain {
    Chain {
        cas: vec![GOOD_CA, GOOD_CA],
        leaf: Leaf {
            years: (2025, 2027),
            names: vec!["www.a.example"],
            purpose: Some(ExtendedKeyUsagePurpose::ServerAuth),
            is_forged: false,
        },
        host: "www.a.example",
    }
}

/// What a chain is in the end: the root, and the leaf with the intermediates behind it.
pub(crate) struct Made {
    pub(crate) root: Certificate,
    pub(crate) chain: Vec<Certificate>,
}

impl Chain {
    pub(crate) fn make(&self) -> Made {
        let mut issuer: Option<Issuer<'static, KeyPair>> = None;
        let mut made: Vec<Certificate> = Vec::new();
        for (number, ca) in self.cas.iter().enumerate() {
            let params = ca.params(number);
            let (der, key) = sign(&params, issuer.as_ref());
            made.insert(0, Certificate::from_der(&der).unwrap());
            issuer = Some(Issuer::new(params, key));
        }
        let (mut der, _) = sign(&self.leaf.params(), issuer.as_ref());
        if self.leaf.is_forged {
            *der.last_mut().unwrap() ^= 1;
        }
        made.insert(0, Certificate::from_der(&der).unwrap());
        let root = made.pop().unwrap();
        Made { root, chain: made }
    }
}

impl Ca {
    fn params(&self, number: usize) -> CertificateParams {
        let mut params = params(&format!("CA {number}"), self.years);
        let bounded = self.path_length.map(BasicConstraints::Constrained);
        params.is_ca = if self.has_ca_flag {
            IsCa::Ca(bounded.unwrap_or(BasicConstraints::Unconstrained))
        } else {
            IsCa::ExplicitNoCa
        };
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
        if self.signs_certificates && self.has_ca_flag {
            params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }
        params.extended_key_usages = self.purpose.iter().cloned().collect();
        let subtrees = |names: &[&str]| {
            let names = names.iter();
            names
                .map(|name| match CidrSubnet::from_str(name) {
                    Ok(network) => GeneralSubtree::IpAddress(network),
                    Err(()) => GeneralSubtree::DnsName((*name).to_owned()),
                })
                .collect()
        };
        if !self.permitted.is_empty() || !self.excluded.is_empty() {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: subtrees(&self.permitted),
                excluded_subtrees: subtrees(&self.excluded),
            });
        }
        params
    }
}

impl Leaf {
    fn params(&self) -> CertificateParams {
        let mut params = params("leaf", self.years);
        let names = CertificateParams::new(
            self.names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        );
        params.subject_alt_names = names.unwrap().subject_alt_names;
        params.extended_key_usages = self.purpose.iter().cloned().collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        params
    }
}

fn params(common_name: &str, (from, to): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn sign(params: &CertificateParams, issuer: Option<&Issuer<'_, KeyPair>>) -> (Vec<u8>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    (certificate.unwrap().der().to_vec(), key)
}

pub(crate) fn question(host: &str) -> Question {
    Question::at(now()).host(host.parse().unwrap())
}

/// The places in the path and the sentences of all that is wrong.
fn problems(verdict: &Verdict<'_>) -> Vec<(usize, String)> {
    let failures = verdict.failures().iter();
    failures
        .map(|failure| (failure.certificate, failure.problem.to_string()))
        .collect()
}

/// What is wrong with a chain that is right but for a change.
fn problems_after(change: impl FnOnce(&mut Chain)) -> Vec<(usize, String)> {
    let mut chain = good_chain();
    change(&mut chain);
    let made = chain.make();
    let trust = Trust::new(vec![made.root]);
    let judge = Judge::new(&trust, Rules::strict());
    problems(&judge.verify(&made.chain[0], &made.chain[1..], &question(chain.host)))
}

#[test]
fn a_problem_is_told_of_the_certificate_that_has_it() {
    assert_eq!(problems_after(|_| {}), []);
    for (place, start, change) in [
        (
            0,
            "its signature was not made with the key of \"CN=CA 1\"",
            { (|chain| chain.leaf.is_forged = true) as fn(&mut Chain) },
        ),
        (
            0,
            "it expired 1 year ago, at 2025-01-01 00:00:00 UTC",
            |chain| {
                chain.leaf.years = (2024, 2025);
            },
        ),
        (1, "it is not valid before 2027-01-01", |chain| {
            chain.cas[1].years = (2027, 2030);
        }),
        (2, "it expired 2 years 1 day ago", |chain| {
            chain.cas[0].years = (2020, 2024);
        }),
        (
            1,
            "it is not the certificate of a CA, and issued \"www.a.example\"",
            |chain| {
                // Without any key usage that would be wrong as well.
                chain.cas[1].has_ca_flag = false;
            },
        ),
        (
            1,
            "its key is for cRLSign, not for signing certificates",
            |chain| {
                chain.cas[1].signs_certificates = false;
            },
        ),
        (2, "it allows no CA below it, and there are 1", |chain| {
            chain.cas[0].path_length = Some(0);
        }),
        (1, "it is for clientAuth, not for TLS servers", |chain| {
            chain.cas[1].purpose = Some(ExtendedKeyUsagePurpose::ClientAuth);
        }),
        (0, "it is for clientAuth, not for TLS servers", |chain| {
            chain.leaf.purpose = Some(ExtendedKeyUsagePurpose::ClientAuth);
        }),
        (
            0,
            "it is for anyExtendedKeyUsage, not for TLS servers",
            |chain| {
                chain.leaf.purpose = Some(ExtendedKeyUsagePurpose::Any);
            },
        ),
        (
            0,
            "its DNS name \"www.a.example\" is outside of what \"CA 0\" may certify: b.example",
            |chain| chain.cas[0].permitted = vec!["b.example"],
        ),
        (
            0,
            "its DNS name \"www.a.example\" is outside of what \"CA 1\" may certify: not a.example",
            |chain| chain.cas[1].excluded = vec!["a.example"],
        ),
        (
            0,
            "\"b.example\" is not one of its names; it has: www.a.example",
            |chain| {
                chain.host = "b.example";
            },
        ),
    ] {
        let found = problems_after(change);
        assert!(
            found
                .iter()
                .any(|(at, text)| *at == place && text.starts_with(start)),
            "{start}: {found:?}"
        );
    }
}

#[test]
fn all_problems_of_a_path_are_told_at_once() {
    let found = problems_after(|chain| {
        chain.leaf.years = (2020, 2021);
        chain.leaf.purpose = Some(ExtendedKeyUsagePurpose::CodeSigning);
        chain.host = "c.example";
        chain.cas[0].excluded = vec!["www.a.example"];
        chain.cas[0].years = (2020, 2024);
    });
    let places: Vec<usize> = found.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [0, 0, 0, 0, 2], "{found:?}");
}

#[test]
fn a_missing_issuer_is_named_with_its_key() {
    let made = good_chain().make();
    let trust = Trust::new(vec![made.root.clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    let verdict = judge.verify(&made.chain[0], &[], &question("www.a.example"));
    let [failure] = verdict.failures() else {
        panic!("{verdict}");
    };
    let Problem::IssuerMissing {
        issuer,
        key_identifier,
        addresses,
    } = &failure.problem
    else {
        panic!("{failure}");
    };
    assert_eq!(issuer, "CN=CA 1");
    let key = made.chain[1].subject_key_identifier().unwrap();
    let digits = SerialNumber::from_der_content(key).to_string();
    assert_eq!(key_identifier.as_deref(), Some(digits.as_str()));
    assert!(addresses.is_empty());
    assert!(!verdict.best().is_anchored);

    // What others told of CAs mends it, and a root that nobody trusts does not.
    let judge = judge.knowing([made.chain[1].clone()]);
    assert!(
        judge
            .verify(&made.chain[0], &[], &question("www.a.example"))
            .is_valid()
    );
    let nobody = Trust::new(Vec::new());
    let judge = Judge::new(&nobody, Rules::strict()).knowing([made.root, made.chain[1].clone()]);
    let verdict = judge.verify(&made.chain[0], &[], &question("www.a.example"));
    assert!(matches!(
        verdict.failures()[0].problem,
        Problem::NotTrusted { anchors: 0 }
    ));
}

#[test]
fn order_and_surplus_are_remarked_on() {
    let mut long = good_chain();
    long.cas.push(GOOD_CA);
    let Made { root, chain } = long.make();
    let trust = Trust::new(vec![root.clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    let question = question("www.a.example");
    assert_eq!(
        judge.verify(&chain[0], &chain[1..], &question).remarks(),
        []
    );

    let [leaf, two, one] = [0, 1, 2].map(|place| chain[place].clone());
    let swapped = [leaf.clone(), one.clone(), two.clone()];
    let verdict = judge.verify(&swapped[0], &swapped[1..], &question);
    assert!(verdict.is_valid());
    assert_eq!(verdict.remarks(), [Remark::WrongOrder]);

    let backwards = [one.clone(), two.clone(), leaf.clone()];
    let verdict = judge.verify(&backwards[0], &backwards[1..], &question);
    assert!(!verdict.is_valid());
    assert!(matches!(
        &verdict.remarks()[0],
        Remark::LeafNotFirst { leaf, place: 3, .. } if leaf == "www.a.example"
    ));

    let stranger = good_chain().make().root;
    let surplus = [leaf, two, one, root, stranger];
    let verdict = judge.verify(&surplus[0], &surplus[1..], &question);
    assert!(matches!(
        verdict.remarks(),
        [Remark::NotNeeded { place: 5, .. }]
    ));
}

#[test]
fn a_leaf_that_is_trusted_itself_holds_for_its_own_names() {
    let leaf = good_chain().leaf;
    let (der, _) = sign(&leaf.params(), None);
    let chain = [Certificate::from_der(&der).unwrap()];
    let trust = Trust::new(chain.to_vec());
    let judge = Judge::new(&trust, Rules::strict());
    let verdict = judge.verify(&chain[0], &chain[1..], &question("www.a.example"));
    assert!(verdict.is_valid(), "{verdict}");
    assert_eq!(verdict.to_string(), "valid: \"www.a.example\"");
    assert!(
        !judge
            .verify(&chain[0], &chain[1..], &question("b.example"))
            .is_valid()
    );
}

#[test]
fn another_way_is_found_where_one_is_barred() {
    // A CA that is certified by two roots, once with an end that is over.
    let key = KeyPair::generate().unwrap();
    let mut middle = GOOD_CA.params(7);
    let mut roots = Vec::new();
    let mut crossed = Vec::new();
    for (number, years) in [(0, (2020, 2025)), (1, (2020, 2040))] {
        let params = GOOD_CA.params(number);
        let (der, root_key) = sign(&params, None);
        roots.push(Certificate::from_der(&der).unwrap());
        middle.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        middle.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let der = middle
            .signed_by(&key, &Issuer::new(params, root_key))
            .unwrap();
        crossed.push(Certificate::from_der(der.der()).unwrap());
    }
    let (der, _) = sign(&good_chain().leaf.params(), Some(&Issuer::new(middle, key)));
    let leaf = Certificate::from_der(&der).unwrap();
    let trust = Trust::new(roots);
    let judge = Judge::new(&trust, Rules::strict());
    let chain = [leaf, crossed[0].clone(), crossed[1].clone()];
    let verdict = judge.verify(&chain[0], &chain[1..], &question("www.a.example"));
    let path = verdict.path().unwrap();
    assert_eq!(path.certificates[2].subject(), "CN=CA 1");
    let chain = [chain[0].clone(), crossed[0].clone()];
    let verdict = judge.verify(&chain[0], &chain[1..], &question("www.a.example"));
    assert!(problems(&verdict)[0].1.starts_with("it expired 1 year ago"));
}

#[test]
fn crls_count_as_the_rules_say() {
    let root = PrivateKey::generate().unwrap();
    let root = Authority::root("Root", root, &LocalNames::local(), now()).unwrap();
    let mut template = Template::leaf(vec!["a.test".parse().unwrap()]);
    template.crls = vec!["http://crl.test/root.crl".to_owned()];
    let key = PrivateKey::generate().unwrap();
    let day = Duration::from_secs(86_400);
    let leaf = root.issue(&template, key.public_key(), day, now()).unwrap();
    let leaf = Certificate::from_der(&leaf).unwrap();
    let list = |entries: Vec<RevokedCertificate>, from: SystemTime| {
        let template = RevocationListTemplate::new(1, from, from + day);
        template
            .sign(root.certificate(), root.key(), entries)
            .unwrap()
    };
    let entry = RevokedCertificate {
        reason: RevocationReason::Superseded,
        ..RevokedCertificate::new(leaf.serial_number().clone(), now())
    };
    let empty = || list(Vec::new(), now());
    let revoking = || list(vec![entry.clone()], now());
    let stale = || list(Vec::new(), now() - 3 * day);
    let trust = Trust::new(vec![root.certificate().clone()]);
    for (revocation, lists, status, said) in [
        (Revocation::Ignored, vec![revoking()], None, ""),
        (Revocation::WhereKnown, vec![], Some(Status::Unknown), ""),
        (
            Revocation::WhereKnown,
            vec![empty()],
            Some(Status::Good),
            "",
        ),
        (
            Revocation::WhereKnown,
            vec![revoking()],
            Some(Status::Revoked),
            "it was revoked at 2026-01-01 00:00:00 UTC, for the reason superseded",
        ),
        (
            Revocation::Leaf,
            vec![],
            Some(Status::Unknown),
            "whether it was revoked cannot be told: no CRL of \"CN=Root\" is at hand",
        ),
        (
            Revocation::Whole,
            vec![stale()],
            Some(Status::Unknown),
            "whether it was revoked cannot be told: the CRL of \"CN=Root\" should have been \
             replaced 2 days ago, at 2025-12-30 00:00:00 UTC",
        ),
        (
            Revocation::Whole,
            vec![stale(), empty()],
            Some(Status::Good),
            "",
        ),
    ] {
        let rules = Rules {
            revocation,
            ..Rules::strict()
        };
        let judge = Judge::new(&trust, rules).with_lists(lists);
        let verdict = judge.verify(&leaf, &[], &question("a.test"));
        assert_eq!(
            verdict.best().statuses.first().copied(),
            status,
            "{verdict}"
        );
        let found = problems(&verdict);
        let found = found.first().map_or("", |(_, text)| text);
        assert_eq!(found.replace("O=Ravelin local CA, ", ""), said);
    }
    let rules = Rules {
        revocation: Revocation::Leaf,
        ..Rules::strict()
    };
    let judge = Judge::new(&trust, rules);
    let verdict = judge.verify(&leaf, &[], &question("a.test"));
    let hint = verdict.failures()[0].problem.hint();
    assert_eq!(
        hint.as_deref(),
        Some("its CRL can be had from \"http://crl.test/root.crl\"")
    );
}

/// The books of one issuer, in which a certificate has the same entry always.
#[derive(Debug)]
struct Books {
    issuer: Certificate,
    entry: CertificateStatus,
}

impl IssuerBooks for Books {
    fn status(&self, issuer: &Certificate, _: &SerialNumber) -> CertificateStatus {
        if issuer.der() == self.issuer.der() {
            self.entry
        } else {
            CertificateStatus::Unknown
        }
    }
}

#[test]
fn the_books_of_an_issuer_count_besides_its_crls() {
    let root = PrivateKey::generate().unwrap();
    let root = Authority::root("Root", root, &LocalNames::local(), now()).unwrap();
    let leaf = root.leaf(&["a.test".parse().unwrap()], now()).unwrap();
    let leaf = leaf.certificate();
    let revoked = CertificateStatus::Revoked {
        at: now(),
        reason: RevocationReason::KeyCompromise,
    };
    let entry = RevokedCertificate::new(leaf.serial_number().clone(), now());
    let list = RevocationListTemplate::new(1, now(), now() + Duration::from_secs(86_400))
        .sign(root.certificate(), root.key(), vec![entry])
        .unwrap();
    let trust = Trust::new(vec![root.certificate().clone()]);
    for (entry, listed, status) in [
        (CertificateStatus::Good, false, Status::Good),
        (CertificateStatus::Unknown, false, Status::Unknown),
        (revoked, false, Status::Revoked),
        (CertificateStatus::Good, true, Status::Revoked),
        (CertificateStatus::Unknown, true, Status::Revoked),
    ] {
        let books = Books {
            issuer: root.certificate().clone(),
            entry,
        };
        let rules = Rules {
            revocation: Revocation::WhereKnown,
            ..Rules::strict()
        };
        let judge = Judge::new(&trust, rules)
            .with_books(&books)
            .with_lists(listed.then(|| list.clone()));
        let verdict = judge.verify(leaf, &[], &question("a.test"));
        assert_eq!(verdict.best().statuses, [status], "{entry:?}, {listed}");
        assert_eq!(verdict.is_valid(), status != Status::Revoked);
    }
}

#[test]
fn no_octet_of_a_chain_can_be_changed() {
    let made = good_chain().make();
    let trust = Trust::new(vec![made.root]);
    let judge = Judge::new(&trust, Rules::strict());
    let mut refused = 0;
    for place in 0..2 {
        let der = made.chain[place].der().to_vec();
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1 << (at % 8);
            let Ok(changed) = Certificate::from_der(&changed) else {
                continue;
            };
            let mut chain = made.chain.clone();
            chain[place] = changed;
            let verdict = judge.verify(&chain[0], &chain[1..], &question("www.a.example"));
            assert!(!verdict.is_valid(), "octet {at} of certificate {place}");
            refused += 1;
        }
    }
    assert!(refused > 400, "{refused} could be read");
}

/// A signature that was not checked, as there was no more work to spend, is not remembered as wrong.
#[test]
fn what_one_verdict_ran_out_of_work_for_another_can_do() {
    let mut long = good_chain();
    long.cas.push(GOOD_CA);
    let made = long.make();
    let trust = Trust::new(vec![made.root.clone()]);
    let mut rules = Rules::strict();
    rules.limits.signatures = 2;
    let judge = Judge::new(&trust, rules);
    let ask = || judge.verify(&made.chain[0], &made.chain[1..], &question("www.a.example"));
    let first = ask();
    assert!(matches!(
        first.failures(),
        [failure] if matches!(failure.problem, Problem::TooMuchWork { limit: 2, .. })
    ));
    // What the first has done, the second need not.
    assert!(ask().is_valid());
}

/// Every CA of the mesh certifies every other, so that there are far more paths than anyone can try;
/// none leads to what is trusted.
#[test]
fn a_mesh_of_cas_costs_no_more_than_the_bounds_allow() {
    const CAS: usize = 12;
    let keys: Vec<KeyPair> = (0..CAS).map(|_| KeyPair::generate().unwrap()).collect();
    let params: Vec<CertificateParams> = (0..CAS).map(|number| GOOD_CA.params(number)).collect();
    let mut mesh = Vec::new();
    for (above, key) in params.iter().zip(&keys) {
        let issuer = Issuer::from_params(above, key);
        for (below, below_key) in params.iter().zip(&keys) {
            let der = below.signed_by(below_key, &issuer).unwrap();
            mesh.push(Certificate::from_der(der.der()).unwrap());
        }
    }
    let issuer = Issuer::from_params(&params[0], &keys[0]);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = good_chain().leaf.params().signed_by(&leaf_key, &issuer);
    let chain = [Certificate::from_der(leaf.unwrap().der()).unwrap()];
    let stranger = good_chain().make().root;
    let trust = Trust::new(vec![stranger]);
    let judge = Judge::new(&trust, Rules::strict()).knowing(mesh);
    let verdict = judge.verify(&chain[0], &chain[1..], &question("www.a.example"));
    assert!(!verdict.is_valid());
    assert!(verdict.paths().len() <= Limits::default().paths + 1);
    let told = |problem: &Problem| matches!(problem, Problem::TooMuchWork { .. });
    let failures = verdict.paths().iter().flat_map(|path| &path.failures);
    assert!(failures.into_iter().any(|failure| told(&failure.problem)));
}

#[test]
fn names_times_constraints_are_bounded() {
    let mut chain = good_chain();
    let names: Vec<String> = (0..600).map(|n| format!("h{n}.a.example")).collect();
    let leaked: Vec<&'static str> = names.into_iter().map(|n| &*n.leak()).collect();
    chain.cas[0].excluded = leaked.clone();
    chain.leaf.names = vec!["www.a.example"];
    chain.leaf.names.extend(leaked.iter().map(|name| &**name));
    let made = chain.make();
    let trust = Trust::new(vec![made.root]);
    let judge = Judge::new(&trust, Rules::strict());
    let verdict = judge.verify(&made.chain[0], &made.chain[1..], &question("www.a.example"));
    assert!(matches!(
        verdict.failures()[0].problem,
        Problem::TooMuchWork { .. }
    ));
}
