//! Which CRLs count for a certificate, and which do not: each rule of RFC 5280, section 6.3.3, with a list
//! that breaks just this one.

use std::time::{Duration, SystemTime};

use ravelin_pki::der::{Tag, Writer};
use ravelin_pki::extension::{
    AuthorityKeyIdentifier, DistributionPoint, DistributionPointName, IssuingDistributionPoint,
};
use ravelin_pki::verify::{Revocation, Status};
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, Extension, ExtensionValue, GeneralName, Judge,
    KeyUsage, NameConstraints, Oid, PrivateKey, Question, RevocationList, RevocationListTemplate,
    Rules, SerialNumber, Signer, Template, Trust,
};

use crate::lint::forge::{
    Chain, DAY, ECDSA_SHA1, ECDSA_SHA256, ECDSA_SHA384, HOST, INTERMEDIATE_KEY, NOW, ROOT_KEY,
    good, key_usage, name, raw,
};
use crate::openssl::Openssl;

/// A CRL that is still to be signed.
#[derive(Clone)]
struct Draft {
    issuer: DistinguishedName,
    inner_algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    this_update: SystemTime,
    revoked: Option<Vec<u8>>,
    entry_extension: Option<Extension>,
    extensions: Vec<Extension>,
    key: &'static PrivateKey,
}

/// An empty one of the intermediate that counts.
fn list(chain: &Chain) -> Draft {
    Draft {
        issuer: chain.leaf.issuer.clone(),
        inner_algorithm: ECDSA_SHA256.to_vec(),
        outer_algorithm: ECDSA_SHA256.to_vec(),
        this_update: *NOW,
        revoked: None,
        entry_extension: None,
        extensions: vec![number(5)],
        key: &INTERMEDIATE_KEY,
    }
}

fn number_of(oid: Oid, number: u64, critical: bool) -> Extension {
    let octets = number.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let padded = [&[0][..], &octets[zeros..]].concat();
    let needless = padded.len() > 1 && padded[1] < 0x80;
    let number = SerialNumber::from_der_content(&padded[usize::from(needless)..]);
    Extension::of(oid, critical, ExtensionValue::CrlNumber(number))
}

fn number(of: u64) -> Extension {
    number_of(Oid::CRL_NUMBER, of, false)
}

/// It says the changes to the list with this number.
fn delta_to(base: u64) -> Extension {
    number_of(Oid::DELTA_CRL_INDICATOR, base, true)
}

fn about(point: IssuingDistributionPoint) -> Extension {
    let value = ExtensionValue::IssuingDistributionPoint(point);
    Extension::of(Oid::ISSUING_DISTRIBUTION_POINT, true, value)
}

fn unknown() -> Extension {
    raw("1.3.6.1.4.1.99999.1".parse().unwrap(), true, &[5, 0])
}

impl Draft {
    fn revoking(mut self, chain: &Chain) -> Self {
        self.revoked = Some(chain.leaf.serial.clone());
        self
    }

    fn with(mut self, extension: Extension) -> Self {
        self.extensions.retain(|other| other.oid != extension.oid);
        self.extensions.push(extension);
        self
    }

    fn to_be_signed(&self) -> Vec<u8> {
        let extensions = |w: &mut Writer, list: &[Extension]| {
            w.sequence(|w| {
                for extension in list {
                    w.sequence(|w| {
                        w.oid(&extension.oid);
                        if extension.critical {
                            w.boolean(true);
                        }
                        w.octet_string(&extension.der);
                    });
                }
            });
        };
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.unsigned(1);
            w.raw(&self.inner_algorithm);
            w.raw(self.issuer.der());
            w.time(self.this_update);
            w.time(self.this_update + 7 * DAY);
            if let Some(serial) = &self.revoked {
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.primitive(Tag::INTEGER, serial);
                        w.time(self.this_update);
                        if let Some(extension) = &self.entry_extension {
                            extensions(w, std::slice::from_ref(extension));
                        }
                    });
                });
            }
            w.constructed(Tag::context_constructed(0), |w| {
                extensions(w, &self.extensions);
            });
        });
        writer.into_bytes()
    }

    fn signed_with(&self, signature: &[u8]) -> RevocationList {
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.raw(&self.to_be_signed());
            w.raw(&self.outer_algorithm);
            w.octet_bits(signature);
        });
        RevocationList::from_der(writer.bytes()).unwrap()
    }

    fn sign(&self) -> RevocationList {
        self.signed_with(&self.key.sign(&self.to_be_signed()).unwrap())
    }
}

/// The status of the leaf of a chain by some lists, and what is said where it has to be known.
fn status(chain: &Chain, lists: Vec<RevocationList>) -> (Status, String) {
    let signed = chain.sign();
    let [leaf, intermediate, root] = signed.all().map(|der| Certificate::from_der(der).unwrap());
    let trust = Trust::new(vec![root]);
    let rules = Rules {
        revocation: Revocation::Leaf,
        ..Rules::strict()
    };
    let judge = Judge::new(&trust, rules).with_lists(lists);
    let at = *NOW + Duration::from_secs(120);
    let question = Question::at(at).host(HOST.parse().unwrap());
    let others = [intermediate];
    let verdict = judge.verify(&leaf, &others, &question);
    let said = verdict.failures().first();
    let said = said.map_or_else(String::new, |failure| failure.problem.to_string());
    (verdict.best().statuses[0], said)
}

#[track_caller]
fn assert_unknown(chain: &Chain, list: &RevocationList, why: &str) {
    let (status, said) = status(chain, vec![list.clone()]);
    assert_eq!(status, Status::Unknown);
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_list_that_is_right_says_good_or_revoked() {
    let chain = good();
    let right = list(&chain);
    // The status of the leaf has to be known, and that of the intermediate need not.
    let good = (Status::Good, String::new());
    assert_eq!(status(&chain, vec![right.sign()]), good);
    // What is not critical need not be understood.
    let mut more = unknown();
    more.critical = false;
    let more = right.clone().with(more).sign();
    assert_eq!(status(&chain, vec![more]).0, Status::Good);
    let revoking = right.revoking(&chain).sign();
    assert_eq!(status(&chain, vec![revoking]).0, Status::Revoked);
}

#[test]
fn a_list_with_something_that_is_not_understood_says_nothing() {
    let chain = good();
    let strange = list(&chain).with(unknown()).sign();
    assert_unknown(
        &chain,
        &strange,
        "has a critical extension that is not understood",
    );
    let mut strange = list(&chain);
    strange.revoked = Some(vec![1]);
    strange.entry_extension = Some(unknown());
    let strange = strange.sign();
    assert_unknown(
        &chain,
        &strange,
        "has a critical extension that is not understood",
    );
}

#[test]
fn a_list_that_is_signed_in_another_way_than_it_says_does_not_count() {
    let chain = good();
    let mut two = list(&chain);
    two.inner_algorithm = ECDSA_SHA384.to_vec();
    assert_unknown(&chain, &two.sign(), "was not signed by a key that may");

    let mut weak = list(&chain);
    weak.inner_algorithm = ECDSA_SHA1.to_vec();
    weak.outer_algorithm = ECDSA_SHA1.to_vec();
    let openssl = Openssl::new();
    openssl.write("key.pem", INTERMEDIATE_KEY.to_pem().unwrap());
    openssl.write("tbs", weak.to_be_signed());
    openssl
        .run("dgst -sha1 -sign key.pem -out signature tbs")
        .unwrap();
    let weak = weak.signed_with(&openssl.read("signature"));
    assert_unknown(&chain, &weak, "is signed with SHA-1, which can be forged");
}

/// The same key under another name, or for certificates alone, signs no lists of this issuer.
#[test]
fn a_list_is_signed_by_its_issuer_where_that_may_sign_lists() {
    let signer = |change: fn(&mut Chain)| {
        let mut chain = good();
        let list = list(&chain).sign();
        change(&mut chain);
        let issuer = Certificate::from_der(&chain.intermediate.sign()).unwrap();
        list.is_signed_by(&issuer)
    };
    assert!(signer(|_| {}));
    assert!(signer(|c| c.intermediate.without(&Oid::KEY_USAGE)));
    assert!(!signer(|c| c
        .intermediate
        .named(&[(Oid::COMMON_NAME, "Another")])));
    let certificates = |c: &mut Chain| {
        c.intermediate
            .with(key_usage(true, KeyUsage::KEY_CERT_SIGN));
    };
    assert!(!signer(certificates));
}

#[test]
fn a_list_counts_from_its_first_second_on() {
    let chain = good();
    let mut early = list(&chain);
    early.this_update = *NOW + Duration::from_secs(180);
    assert_unknown(&chain, &early.sign(), "is not valid before");
    let mut just = list(&chain);
    just.this_update = *NOW + Duration::from_secs(120);
    assert_eq!(status(&chain, vec![just.sign()]).0, Status::Good);
}

#[test]
fn a_delta_counts_with_the_list_that_it_changes_alone() {
    let chain = good();
    let delta = list(&chain)
        .with(number(6))
        .with(delta_to(5))
        .revoking(&chain);
    // By itself it does not even say that what it lists is revoked, let alone that the rest is good.
    assert_unknown(&chain, &delta.sign(), "no CRL of");
    let other_key = ExtensionValue::AuthorityKeyIdentifier(AuthorityKeyIdentifier {
        key_identifier: Some(vec![1; 20]),
        ..AuthorityKeyIdentifier::default()
    });
    let other_key = Extension::of(Oid::AUTHORITY_KEY_IDENTIFIER, false, other_key);
    let users = about(IssuingDistributionPoint {
        only_user_certificates: true,
        ..IssuingDistributionPoint::default()
    });
    for (base, delta, counts) in [
        (5, delta.clone(), true),
        (7, delta.clone(), false),
        // It is no later than the list.
        (5, delta.clone().with(number(5)), false),
        // It begins behind the list.
        (5, delta.clone().with(number(9)).with(delta_to(6)), false),
        (5, delta.clone().with(other_key), false),
        (5, delta.clone().with(users), false),
        // Numbers are no strings.
        (
            255,
            delta.clone().with(number(256)).with(delta_to(255)),
            true,
        ),
        (256, delta.with(number(255)).with(delta_to(254)), false),
    ] {
        let base = list(&chain).with(number(base)).sign();
        let (status, said) = status(&chain, vec![base, delta.sign()]);
        let expected = if counts {
            Status::Revoked
        } else {
            Status::Good
        };
        assert_eq!(status, expected, "{said}");
    }
}

/// RFC 5280, section 6.3.3 (b)(1): a list that speaks for another issuer says so.
#[test]
fn a_list_of_another_issuer_counts_where_it_is_indirect() {
    let root_name = name(&[
        (Oid::ORGANIZATION, "Forge"),
        (Oid::COMMON_NAME, "Forge root"),
    ]);
    let uri = || GeneralName::Uri("http://crl.example/a.crl".to_owned());
    let mut chain = good();
    let mut point = DistributionPoint::at(vec![uri()]);
    point.crl_issuer = vec![GeneralName::Directory(root_name.clone())];
    chain.leaf.with(Extension::of(
        Oid::CRL_DISTRIBUTION_POINTS,
        false,
        ExtensionValue::DistributionPoints(vec![point]),
    ));
    for (indirect, expected) in [(true, Status::Good), (false, Status::Unknown)] {
        let mut draft = list(&chain);
        draft.issuer = root_name.clone();
        draft.key = &ROOT_KEY;
        let draft = draft.with(about(IssuingDistributionPoint {
            name: Some(DistributionPointName::Full(vec![uri()])),
            indirect,
            ..IssuingDistributionPoint::default()
        }));
        let (status, said) = status(&chain, vec![draft.sign()]);
        assert_eq!(status, expected, "{said}");
    }
}

/// RFC 5280, section 6.3.3 (f): who signs a CRL for an issuer is below the same anchor.
#[test]
fn the_signer_of_a_crl_below_another_anchor_does_not_count() {
    let root = |title: &str| {
        let key = PrivateKey::generate().unwrap();
        Authority::root(title, key, &NameConstraints::local(), *NOW).unwrap()
    };
    let (ours, other) = (root("Ours"), root("Other"));
    let day = Duration::from_secs(86_400);
    let template = Template::leaf(vec!["a.test".parse().unwrap()]);
    let key = PrivateKey::generate().unwrap();
    let leaf = ours.issue(&template, key.public_key(), day, *NOW).unwrap();
    let leaf = Certificate::from_der(&leaf).unwrap();
    // A signer of the name of our root, certified by one of the two.
    let signer_below = |above: &Authority| {
        let key = PrivateKey::generate().unwrap();
        let subject = ours.certificate().subject_name().clone();
        let template = Template::ca(subject, Some(0));
        let der = above.issue(&template, key.public_key(), day, *NOW).unwrap();
        (Certificate::from_der(&der).unwrap(), key)
    };
    let trust = Trust::new(vec![
        ours.certificate().clone(),
        other.certificate().clone(),
    ]);
    let rules = Rules {
        revocation: Revocation::WhereKnown,
        ..Rules::strict()
    };
    for (above, status) in [(&ours, Status::Good), (&other, Status::Unknown)] {
        let (signer, key) = signer_below(above);
        let template = RevocationListTemplate::new(1, *NOW, *NOW + day);
        let list: RevocationList = template.sign(&signer, &key, []).unwrap();
        let judge = Judge::new(&trust, rules.clone())
            .knowing([signer])
            .with_lists([list]);
        let question = Question::at(*NOW).host("a.test".parse().unwrap());
        let verdict = judge.verify(&leaf, &[], &question);
        assert_eq!(verdict.best().statuses, [status], "{verdict}");
    }
}
