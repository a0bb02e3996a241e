//! CRLs: what others made is read, and what is made here others read.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use ravelin_pki::extension::{DistributionPoint, DistributionPointName, IssuingDistributionPoint};
use ravelin_pki::revocation_list::{RevocationListTemplate, RevocationListTemplateError};
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, GeneralName, KeyType, NameConstraints, Oid,
    PrivateKey, RevocationList, RevocationReason, RevokedCertificate, SerialNumber, SignatureError,
    pem,
};

use crate::counts;
use crate::openssl::Openssl;
use crate::peers::{python, vector, vector_names};

/// Every CRL of the vectors is read, but for those that are made to be wrong.
#[test]
fn the_vectors_of_cryptography_are_read() {
    let mut read = 0;
    let mut refused = Vec::new();
    for folder in ["x509/custom", "x509/PKITS_data/crls"] {
        for name in vector_names(folder) {
            let is_list =
                folder.ends_with("crls") || name.starts_with("crl_") || name.ends_with("_crl.pem");
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
    counts::CRLS.assert_is(read, read + refused.len(), 0);
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

/// A CA and, in a folder for openssl, its certificate.
fn ca(key_type: KeyType) -> (Authority, Openssl) {
    let key = PrivateKey::generate_of(key_type).unwrap();
    let ca = Authority::root("Test CA", key, &NameConstraints::local(), now()).unwrap();
    let openssl = Openssl::new();
    openssl.write("ca.pem", ca.certificate().to_pem());
    (ca, openssl)
}

/// To the second, as CRLs tell times.
fn now() -> SystemTime {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap().as_secs())
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn template() -> RevocationListTemplate {
    RevocationListTemplate::new(0xff_0001, now(), now() + 7 * DAY)
}

/// A certificate for each reason that a full list can have, with small and large numbers.
fn revoked_for_every_reason() -> Vec<RevokedCertificate> {
    let serials = [
        "01",
        "00ff",
        "7f",
        "80",
        "0100",
        "ffffffffffffffffffff",
        "123456789abcdef0",
        "3a",
    ];
    let reasons = RevocationReason::ALL
        .into_iter()
        .filter(|reason| *reason != RevocationReason::RemoveFromCrl);
    serials
        .iter()
        .chain(&["40"])
        .zip(reasons)
        .map(|(serial, reason)| RevokedCertificate {
            reason,
            invalid_since: (reason == RevocationReason::KeyCompromise).then(|| now() - 30 * DAY),
            ..RevokedCertificate::new(serial.parse().unwrap(), now() - DAY)
        })
        .collect()
}

#[test]
fn openssl_and_gnutls_take_what_keys_of_every_family_sign() {
    for key_type in [
        KeyType::EcdsaP256,
        KeyType::EcdsaP384,
        KeyType::Ed25519,
        KeyType::Rsa(2048),
    ] {
        let (ca, openssl) = ca(key_type);
        let list = template()
            .sign(ca.certificate(), ca.key(), revoked_for_every_reason())
            .unwrap();
        assert!(list.is_signed_by(ca.certificate()), "{key_type}");
        openssl.write("crl.pem", list.to_pem());
        let said = openssl
            .run("crl -in crl.pem -noout -text -CAfile ca.pem")
            .unwrap();
        for expected in [
            "verify OK",
            "Version 2 (0x1)",
            "16711681",
            "Key Compromise",
            "Invalidity Date",
            "CA Compromise",
            "Affiliation Changed",
            "Superseded",
            "Cessation Of Operation",
            "Certificate Hold",
            "Privilege Withdrawn",
            "AA Compromise",
            "FFFFFFFFFFFFFFFFFFFF",
        ] {
            assert!(said.contains(expected), "{key_type}, {expected}: {said}");
        }
        let said = openssl
            .tool(
                "certtool",
                "--verify-crl --load-ca-certificate ca.pem --infile crl.pem",
            )
            .unwrap();
        assert!(said.contains("Verified"), "{said}");
    }
}

#[test]
fn openssl_refuses_what_the_list_has_taken_back_and_nothing_else() {
    let (ca, openssl) = ca(KeyType::EcdsaP256);
    let leaf = |name: &str| {
        let leaf = ca.leaf(&["a.test".parse().unwrap()], now()).unwrap();
        openssl.write(name, leaf.certificate().to_pem());
        leaf
    };
    let (good, bad) = (leaf("good.pem"), leaf("bad.pem"));
    let serial = bad.certificate().serial_number();
    let list = template()
        .sign(
            ca.certificate(),
            ca.key(),
            [RevokedCertificate::new(serial.clone(), now())],
        )
        .unwrap();
    openssl.write("crl.pem", list.to_pem());
    let verify = |name| {
        openssl.run(&format!(
            "verify -x509_strict -crl_check -CAfile ca.pem -CRLfile crl.pem {name}"
        ))
    };
    verify("good.pem").unwrap();
    let said = verify("bad.pem").unwrap_err();
    assert!(said.contains("certificate revoked"), "{said}");
    assert!(list.lookup(serial).is_some());
    assert_eq!(list.lookup(good.certificate().serial_number()), None);
}

#[test]
fn python_reads_the_same_as_was_written() {
    let (ca, openssl) = ca(KeyType::EcdsaP256);
    let entries = revoked_for_every_reason();
    let mut template = template();
    template.issuing_distribution_point = Some(IssuingDistributionPoint {
        name: Some(DistributionPointName::Full(vec![GeneralName::Uri(
            "http://ca.test/a.crl".to_owned(),
        )])),
        only_user_certificates: true,
        only_some_reasons: None,
        ..IssuingDistributionPoint::default()
    });
    template.base_number = Some(7);
    template.freshest_crl = vec![DistributionPoint::at(vec![GeneralName::Uri(
        "http://ca.test/delta.crl".to_owned(),
    )])];
    let list = template
        .sign(ca.certificate(), ca.key(), entries.clone())
        .unwrap();
    openssl.write("crl.der", list.der());
    let said = python(
        LIST_IN_PYTHON,
        &[&openssl.path("crl.der").display().to_string()],
    );
    assert_eq!(
        said,
        lines(&list) + "critical: deltaCRLIndicator issuingDistributionPoint\n"
    );
    assert_eq!(list.entries().collect::<Vec<_>>(), entries);
    assert_eq!(list.number().unwrap().to_string(), "ff0001");
    assert_eq!(list.base_number().unwrap().to_string(), "07");
    let back = RevocationList::from_file(list.to_pem().as_bytes()).unwrap();
    assert_eq!(back, [list]);
}

/// Python's `cryptography` on all vectors that both read: each entry, with its time and reason.
#[test]
fn python_reads_the_same_in_the_vectors() {
    let mut compared = 0;
    for name in [
        "crl_all_reasons.pem",
        "crl_almost_10k.pem",
        "crl_empty.pem",
        "crl_no_next_update.pem",
        "crl_ian_aia_aki.pem",
        "valid_signature_crl.pem",
    ] {
        let bytes = vector(&format!("x509/custom/{name}"));
        let list = &RevocationList::from_file(&bytes).unwrap()[0];
        let openssl = Openssl::new();
        openssl.write("crl.der", list.der());
        let said = python(
            LIST_IN_PYTHON,
            &[&openssl.path("crl.der").display().to_string()],
        );
        let entries: Vec<&str> = said
            .lines()
            .filter(|line| !line.starts_with("critical"))
            .collect();
        assert_eq!(entries, lines(list).lines().collect::<Vec<_>>(), "{name}");
        compared += list.len();
    }
    assert_eq!(compared, 10_011);
}

/// What [`LIST_IN_PYTHON`] prints.
fn lines(list: &RevocationList) -> String {
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            .to_string()
    };
    let next = list.next_update().map_or("None".to_owned(), seconds);
    let mut text = format!("{} {next}\n", seconds(list.this_update()));
    for entry in list.entries() {
        let since = entry.invalid_since.map_or("-".to_owned(), seconds);
        let serial = entry.serial_number.to_string();
        let serial = match serial.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let _ = writeln!(
            text,
            "{serial} {} {} {since}",
            seconds(entry.revoked_at),
            entry.reason
        );
    }
    text
}

const LIST_IN_PYTHON: &str = r#"
import sys
from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID as E
crl = x509.load_der_x509_crl(open(sys.argv[1], "rb").read())
def seconds(t): return None if t is None else int(t.timestamp())
print(seconds(crl.last_update_utc), seconds(crl.next_update_utc))
for r in crl:
    def get(oid):
        try: return r.extensions.get_extension_for_oid(oid).value
        except x509.ExtensionNotFound: return None
    reason, since = get(E.CRL_REASON), get(E.INVALIDITY_DATE)
    print(format(r.serial_number, "x"), seconds(r.revocation_date_utc),
          reason.reason.value if reason else "unspecified",
          seconds(since.invalidity_date_utc) if since else "-")
print("critical:", *[e.oid._name for e in crl.extensions if e.critical])
"#;

#[test]
fn what_openssls_ca_issues_is_read() {
    let openssl = Openssl::new();
    openssl.write("ca.cnf", CA_CONFIG);
    openssl.write("index.txt", INDEX);
    openssl.write("number", "1000\n");
    openssl
        .run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /O=Other/CN=CA")
        .unwrap();
    openssl
        .run("ca -gencrl -config ca.cnf -out crl.pem")
        .unwrap();
    let list = &RevocationList::from_file(&openssl.read("crl.pem")).unwrap()[0];
    let ca =
        Certificate::from_der(&pem::certificates(&openssl.read("ca.pem")).unwrap()[0]).unwrap();
    assert!(list.is_signed_by(&ca));
    assert!(!list.is_signed_by(self::ca(KeyType::EcdsaP256).0.certificate()));
    assert_eq!(list.number().unwrap().to_string(), "1000");
    assert_eq!(list.len(), 2);
    let stolen = list.lookup(&"1A2B".parse().unwrap()).unwrap();
    assert_eq!(stolen.reason, RevocationReason::KeyCompromise);
    let gone = list.lookup(&"03".parse().unwrap()).unwrap();
    assert_eq!(gone.reason, RevocationReason::Unspecified);
    assert!(list.is_current_at(now()) && !list.is_current_at(now() + 8 * DAY));
}

const CA_CONFIG: &str = "
[ca]
default_ca = this
[this]
database = index.txt
crlnumber = number
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 7
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
";

/// The database of `openssl ca`: state, end, when and why revoked, serial number, file, subject.
const INDEX: &str = "R\t491231235959Z\t250101000000Z,keyCompromise\t1A2B\tunknown\t/CN=a\n\
                     R\t491231235959Z\t250102000000Z\t03\tunknown\t/CN=b\n\
                     V\t491231235959Z\t\t04\tunknown\t/CN=c\n";

#[test]
fn entries_of_other_issuers_are_theirs_alone() {
    let (ca, _openssl) = ca(KeyType::EcdsaP256);
    let other = DistinguishedName::of(&[(Oid::COMMON_NAME, "Another CA")]);
    let of_other = RevokedCertificate {
        certificate_issuer: vec![GeneralName::Directory(other.clone())],
        ..RevokedCertificate::new("02".parse().unwrap(), now())
    };
    let entries =
        ["01", "03"].map(|serial| RevokedCertificate::new(serial.parse().unwrap(), now()));
    let [own, behind] = entries;
    let list = template()
        .sign(ca.certificate(), ca.key(), [own, of_other, behind])
        .unwrap();
    let of = |issuer: &DistinguishedName, serial: &str| {
        list.lookup_of(issuer, &serial.parse().unwrap()).is_some()
    };
    let own = ca.certificate().subject_name();
    assert_eq!(
        [of(own, "01"), of(own, "02"), of(own, "03")],
        [true, false, false]
    );
    // One that does not say whose it is belongs to the issuer named before (section 5.3.3).
    assert_eq!(
        [of(&other, "01"), of(&other, "02"), of(&other, "03")],
        [false, true, true]
    );
    assert_eq!(list.lookup(&"03".parse().unwrap()), None);
}

/// The index looks at the first octets of a number; the rest decides.
#[test]
fn serial_numbers_that_begin_alike_are_told_apart() {
    let (ca, _) = ca(KeyType::EcdsaP256);
    let serial = |last: u8| SerialNumber::from_der_content(&[[7; 8], [last; 8]].concat());
    let entries = (0..100).rev().map(|last| RevokedCertificate {
        reason: RevocationReason::Superseded,
        ..RevokedCertificate::new(serial(last), now() - u32::from(last) * DAY)
    });
    let list = template()
        .sign(ca.certificate(), ca.key(), entries.clone())
        .unwrap();
    for entry in entries {
        assert_eq!(list.lookup(&entry.serial_number), Some(entry));
    }
    assert_eq!(list.lookup(&serial(100)), None);
}

#[test]
fn revoked_counts_before_taken_off_the_list() {
    let (ca, _openssl) = ca(KeyType::EcdsaP256);
    let entry = |reason| RevokedCertificate {
        reason,
        ..RevokedCertificate::new("05".parse().unwrap(), now())
    };
    let off = RevocationReason::RemoveFromCrl;
    let on = RevocationReason::CertificateHold;
    for (entries, expected) in [(vec![off, on], on), (vec![on, off], on), (vec![off], off)] {
        let entries = entries.into_iter().map(entry);
        let list = template()
            .sign(ca.certificate(), ca.key(), entries)
            .unwrap();
        let found = list.lookup(&"05".parse().unwrap()).unwrap();
        assert_eq!(found.reason, expected);
    }
}

#[test]
fn what_must_be_known_to_use_a_list_is_told() {
    let list = |name: &str| {
        RevocationList::from_file(&vector(&format!("x509/custom/{name}")))
            .unwrap()
            .remove(0)
    };
    let unknown = list("crl_md2_unknown_crit_entry_ext.pem");
    assert_eq!(
        unknown.unknown_critical_extension().unwrap().to_string(),
        "1.2.3.4"
    );
    assert_eq!(
        list("crl_delta_crl_indicator.pem").unknown_critical_extension(),
        None
    );
    assert!(!list("crl_inner_outer_mismatch.der").algorithms_agree());
    let ca = Certificate::from_der(
        &pem::certificates(&vector("x509/custom/valid_signature_cert.pem")).unwrap()[0],
    )
    .unwrap();
    list("valid_signature_crl.pem")
        .verify_signature(ca.public_key())
        .unwrap();
    let error = list("invalid_signature_crl.pem").verify_signature(ca.public_key());
    assert_eq!(error, Err(SignatureError::Wrong));
}

#[test]
fn nobody_signs_lists_who_may_not() {
    let (ca, _openssl) = ca(KeyType::EcdsaP256);
    let leaf = ca.leaf(&["a.test".parse().unwrap()], now()).unwrap();
    let key = PrivateKey::from_der(&leaf.key).unwrap();
    let error = template().sign(leaf.certificate(), &key, []).unwrap_err();
    assert!(error.to_string().contains("lacks cRLSign"), "{error}");
    let error = template().sign(ca.certificate(), &key, []).unwrap_err();
    assert!(matches!(
        error,
        RevocationListTemplateError::Mismatch { .. }
    ));
    let never = RevocationListTemplate::new(1, now(), now());
    let error = never.sign(ca.certificate(), ca.key(), []).unwrap_err();
    assert!(matches!(error, RevocationListTemplateError::Times));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_reading_through_finds(
        serials in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..12), 0..60),
        asked in prop::collection::vec(any::<u8>(), 1..12),
    ) {
        let serials: Vec<SerialNumber> = serials
            .iter()
            .chain([&asked])
            .map(|octets| {
                let digits = octets.iter().fold(String::new(), |mut digits, octet| {
                    let _ = write!(digits, "{octet:02x}");
                    digits
                });
                digits.parse().unwrap()
            })
            .collect();
        let (asked, listed) = serials.split_last().unwrap();
        let entries = listed.iter().map(|serial| RevokedCertificate::new(serial.clone(), now()));
        let list = template().sign(CA.certificate(), CA.key(), entries).unwrap();
        prop_assert_eq!(list.len(), listed.len());
        for serial in listed {
            prop_assert_eq!(&list.lookup(serial).unwrap().serial_number, serial);
        }
        prop_assert_eq!(list.lookup(asked).is_some(), listed.contains(asked));
    }

    #[test]
    fn any_damage_to_a_list_is_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in prop::bool::weighted(0.2),
    ) {
        let entries = revoked_for_every_reason();
        let mut der = template().sign(CA.certificate(), CA.key(), entries).unwrap().der().to_vec();
        let whole = der.clone();
        for (index, octet) in changes {
            let index = index.index(der.len());
            der[index] = octet;
        }
        if cuts {
            der.truncate(cut.index(der.len()));
        }
        if let Ok(list) = RevocationList::from_der(&der) {
            prop_assert_eq!(list.entries().count(), list.len());
            for entry in list.entries() {
                let found = list.lookup(&entry.serial_number);
                prop_assert!(found.is_some() || !entry.certificate_issuer.is_empty());
            }
            prop_assert!(der == whole || !list.is_signed_by(CA.certificate()));
        }
    }
}

static CA: LazyLock<Authority> = LazyLock::new(|| ca(KeyType::EcdsaP256).0);

/// Prints how long a million entries take; run it optimised:
/// `cargo test -p ravelin-pki --config profile.dev.package.ravelin-pki.opt-level=3 -- --ignored --nocapture a_million`
#[test]
#[ignore = "a measurement"]
fn a_million_entries_are_read_in_a_moment() {
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state
    };
    let serials: Vec<SerialNumber> = (0..1_000_000)
        .map(|_| {
            format!("4{:015x}{:016x}", random() >> 4, random())
                .parse()
                .unwrap()
        })
        .collect();
    let entries = serials.iter().map(|serial| RevokedCertificate {
        reason: RevocationReason::Superseded,
        ..RevokedCertificate::new(serial.clone(), now())
    });
    let start = Instant::now();
    let list = template()
        .sign(CA.certificate(), CA.key(), entries)
        .unwrap();
    println!(
        "written and signed, read back: {:?}, {} bytes",
        start.elapsed(),
        list.der().len()
    );
    let start = Instant::now();
    let read = RevocationList::from_der(list.der()).unwrap();
    println!("read: {:?}", start.elapsed());
    let start = Instant::now();
    assert!(read.is_signed_by(CA.certificate()));
    println!("signature verified: {:?}", start.elapsed());
    let start = Instant::now();
    assert!(serials.iter().all(|serial| read.lookup(serial).is_some()));
    println!("a million looked up: {:?}", start.elapsed());
    let openssl = Openssl::new();
    openssl.write("crl.der", list.der());
    let start = Instant::now();
    openssl
        .run("crl -inform DER -in crl.der -noout -crlnumber")
        .unwrap();
    println!("openssl crl -noout: {:?}", start.elapsed());
}
