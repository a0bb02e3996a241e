//! OCSP: what others ask and answer is read, and what is asked and answered here others read.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use ravelin_pki::der::Writer;
use ravelin_pki::extension::Extensions;
use ravelin_pki::ocsp::{
    CertId, CertificateStatus, OcspError, OcspResponseTemplate, OcspSignError, OcspVerifyError,
    ResponseStatus, SingleResponse,
};
use ravelin_pki::signature::Hash;
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, Extension, ExtensionValue, KeyType, KeyUsage, Leaf,
    NameConstraints, OcspRequest, OcspResponse, Oid, PrivateKey, Purpose, RevocationReason,
    SignatureError, Signer, Template,
};

use crate::counts;
use crate::lint::forge;
use crate::openssl::Openssl;
use crate::peers::{python, vector, vector_names};

/// A CA, a certificate of its, and one that may answer for it.
struct House {
    ca: Authority,
    leaf: Leaf,
    responder: Certificate,
    responder_key: PrivateKey,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| House::new(KeyType::EcdsaP256));

impl House {
    fn new(key_type: KeyType) -> Self {
        let key = PrivateKey::generate_of(key_type).unwrap();
        let ca = Authority::root("Test CA", key, &NameConstraints::local(), now()).unwrap();
        let leaf = ca.leaf(&["a.test".parse().unwrap()], now()).unwrap();
        let responder_key = PrivateKey::generate_of(key_type).unwrap();
        let responder = responder_of(&ca, &responder_key, 7 * DAY, &[Purpose::OcspSigning]);
        Self {
            ca,
            leaf,
            responder,
            responder_key,
        }
    }

    /// A folder with all of it.
    fn folder(&self) -> Openssl {
        let openssl = Openssl::new();
        openssl.write("ca.pem", self.ca.certificate().to_pem());
        openssl.write("ca.key", self.ca.key().to_pem().unwrap());
        openssl.write("leaf.pem", self.leaf.certificate().to_pem());
        openssl.write("responder.pem", self.responder.to_pem());
        openssl.write("responder.key", self.responder_key.to_pem().unwrap());
        openssl
    }

    fn cert_id(&self) -> CertId {
        CertId::of(Hash::Sha1, self.leaf.certificate(), self.ca.certificate())
    }

    fn answer(&self, status: CertificateStatus) -> OcspResponseTemplate {
        OcspResponseTemplate {
            produced_at: now(),
            responses: vec![SingleResponse {
                cert_id: self.cert_id(),
                status,
                this_update: now(),
                next_update: Some(now() + DAY),
                extensions: Extensions::default(),
            }],
            nonce: None,
        }
    }

    /// What comes of a response, at a time.
    fn verify_at(
        &self,
        response: &OcspResponse,
        now: SystemTime,
    ) -> Result<CertificateStatus, OcspVerifyError> {
        response
            .verify(self.leaf.certificate(), self.ca.certificate(), None, now)
            .map(|single| single.status)
    }
}

fn responder_of(
    ca: &Authority,
    key: &PrivateKey,
    life: Duration,
    purposes: &[Purpose],
) -> Certificate {
    let subject = DistinguishedName::of(&[(Oid::COMMON_NAME, "Responder")]);
    let mut template = Template::leaf(Vec::new())
        .with_subject(subject)
        .for_purposes(purposes);
    template.ocsp_no_check = true;
    let der = ca.issue(&template, key.public_key(), life, now()).unwrap();
    Certificate::from_der(&der).unwrap()
}

/// To the second, as OCSP tells times.
fn now() -> SystemTime {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap().as_secs())
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn stolen() -> CertificateStatus {
    CertificateStatus::Revoked {
        at: now() - DAY,
        reason: RevocationReason::KeyCompromise,
    }
}

#[test]
fn openssl_and_gnutls_believe_the_ca_and_its_responder() {
    for key_type in [KeyType::EcdsaP256, KeyType::Ed25519, KeyType::Rsa(2048)] {
        let house = House::new(key_type);
        let openssl = house.folder();
        let signers: [(&Certificate, &dyn Signer); 2] = [
            (house.ca.certificate(), house.ca.key()),
            (&house.responder, &house.responder_key),
        ];
        for (certificate, key) in signers {
            for (status, word) in [
                (CertificateStatus::Good, "leaf.pem: good"),
                (stolen(), "leaf.pem: revoked"),
                (CertificateStatus::Unknown, "leaf.pem: unknown"),
            ] {
                let response = house.answer(status).sign(certificate, key).unwrap();
                assert_eq!(house.verify_at(&response, now()), Ok(status));
                openssl.write("resp.der", response.der());
                let said = openssl
                    .run("ocsp -respin resp.der -issuer ca.pem -cert leaf.pem -CAfile ca.pem")
                    .unwrap();
                assert!(said.contains("Response verify OK"), "{key_type}: {said}");
                assert!(said.contains(word), "{key_type}: {said}");
                assert_eq!(
                    said.contains("Reason: keyCompromise"),
                    word.ends_with("revoked"),
                    "{said}"
                );
                let trusted = "--load-issuer ca.pem --load-trust ca.pem";
                let verify = "--verify-response --load-response resp.der";
                let said = openssl
                    .tool(
                        "ocsptool",
                        &format!("{verify} {trusted} --load-cert leaf.pem"),
                    )
                    .unwrap();
                assert!(said.contains("Success"), "{key_type}: {said}");
            }
        }
    }
}

#[test]
fn openssls_responder_answers_what_is_asked_here() {
    let house = &*HOUSE;
    let openssl = house.folder();
    let serial = house
        .leaf
        .certificate()
        .serial_number()
        .to_string()
        .to_uppercase();
    let nonce = [7; 32];
    for hash in [Hash::Sha1, Hash::Sha256] {
        let asked = CertId::of(hash, house.leaf.certificate(), house.ca.certificate());
        let request = OcspRequest::create(&[asked], Some(&nonce));
        openssl.write("req.der", request.der());
        let said = openssl.run("ocsp -reqin req.der -req_text").unwrap();
        assert!(said.contains(&serial) && said.contains("Nonce"), "{said}");
        for (state, expected) in [
            (
                format!("V\t491231235959Z\t\t{serial}\tunknown\t/CN=a\n"),
                "Good",
            ),
            (
                format!("R\t491231235959Z\t250101000000Z,superseded\t{serial}\tunknown\t/CN=a\n"),
                "Superseded",
            ),
            (String::new(), "Unknown"),
        ] {
            openssl.write("index.txt", state);
            openssl
                .run(
                    "ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder.key \
                     -ndays 1 -reqin req.der -respout resp.der",
                )
                .unwrap();
            let response = OcspResponse::from_der(&openssl.read("resp.der")).unwrap();
            let leaf = house.leaf.certificate();
            let single = response
                .verify(leaf, house.ca.certificate(), Some(&nonce), now())
                .unwrap();
            assert!(
                format!("{:?}", single.status).contains(expected),
                "{single:?}"
            );
            assert_eq!(response.basic().unwrap().nonce(), Some(&nonce[..]));
            let error = response.verify(leaf, house.ca.certificate(), Some(&[8; 32]), now());
            assert_eq!(error.unwrap_err(), OcspVerifyError::OtherNonce);
        }
    }
}

#[test]
fn what_openssl_asks_is_read_and_its_nonce_repeated() {
    let house = &*HOUSE;
    let openssl = house.folder();
    for (option, hash) in [("", Hash::Sha1), ("-sha256", Hash::Sha256)] {
        openssl
            .run(&format!(
                "ocsp {option} -issuer ca.pem -cert leaf.pem -reqout req.der"
            ))
            .unwrap();
        let request = OcspRequest::from_der(&openssl.read("req.der")).unwrap();
        let cert_id = &request.cert_ids()[0];
        assert_eq!(cert_id.hash(), Some(hash));
        let issuer = house.ca.certificate();
        assert!(cert_id.is_of_issuer(issuer.subject_name(), issuer.public_key()));
        assert!(!cert_id.is_of_issuer(issuer.subject_name(), house.responder.public_key()));
        assert_eq!(*cert_id, CertId::of(hash, house.leaf.certificate(), issuer));
        assert_eq!(request.unknown_critical_extension(), None);
        let mut template = house.answer(CertificateStatus::Good);
        template.responses[0].cert_id = cert_id.clone();
        template.nonce = Some(request.nonce().unwrap().to_vec());
        let response = template
            .sign(&house.responder, &house.responder_key)
            .unwrap();
        openssl.write("resp.der", response.der());
        let said = openssl
            .run(&format!(
                "ocsp {option} -no_nonce -reqin req.der -respin resp.der -issuer ca.pem \
                 -cert leaf.pem -CAfile ca.pem"
            ))
            .unwrap();
        // It warns where the nonce is missing.
        assert!(
            !said.contains("nonce") && said.contains("leaf.pem: good"),
            "{said}"
        );
    }
}

#[test]
fn python_reads_what_is_written_and_its_answers_are_believed() {
    let house = &*HOUSE;
    let openssl = house.folder();
    let response = house
        .answer(stolen())
        .sign(&house.responder, &house.responder_key)
        .unwrap();
    openssl.write("resp.der", response.der());
    let request = OcspRequest::create(&[house.cert_id()], Some(&[9; 32]));
    openssl.write("req.der", request.der());
    let folder = openssl.path("").display().to_string();
    let said = python(ANSWERING_IN_PYTHON, &[&folder]);
    let serial = house.leaf.certificate().serial_number();
    let expected = format!(
        "{serial} REVOKED key_compromise\n{serial} {}\n",
        "09".repeat(32)
    );
    assert_eq!(said, expected);
    let response = OcspResponse::from_der(&openssl.read("python.der")).unwrap();
    assert!(matches!(
        house.verify_at(&response, now()),
        Ok(CertificateStatus::Revoked {
            reason: RevocationReason::CessationOfOperation,
            ..
        })
    ));
}

const ANSWERING_IN_PYTHON: &str = r#"
import datetime, sys
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.hazmat.primitives import hashes, serialization
def read(name): return open(sys.argv[1] + "/" + name, "rb").read()
r = ocsp.load_der_ocsp_response(read("resp.der"))
print(format(r.serial_number, "x"), r.certificate_status.name, r.revocation_reason.name)
q = ocsp.load_der_ocsp_request(read("req.der"))
nonce = q.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
print(format(q.serial_number, "x"), nonce.hex())
cert, issuer, responder = [x509.load_pem_x509_certificate(read(n))
                           for n in ("leaf.pem", "ca.pem", "responder.pem")]
key = serialization.load_pem_private_key(read("responder.key"), None)
now = datetime.datetime.now(datetime.timezone.utc)
answer = ocsp.OCSPResponseBuilder().add_response(
    cert=cert, issuer=issuer, algorithm=hashes.SHA256(),
    cert_status=ocsp.OCSPCertStatus.REVOKED, this_update=now,
    next_update=now + datetime.timedelta(days=1), revocation_time=now,
    revocation_reason=x509.ReasonFlags.cessation_of_operation,
).responder_id(ocsp.OCSPResponderEncoding.NAME, responder).certificates([responder])
open(sys.argv[1] + "/python.der", "wb").write(
    answer.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
"#;

/// Each file of the vectors as Python's `cryptography` reads it, and as it is read here.
#[test]
fn python_and_we_read_the_same_in_all_ocsp_vectors() {
    let names = vector_names("x509/ocsp");
    let ours: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: {}", outcome(name)))
        .collect();
    let theirs = python(VECTORS_IN_PYTHON, &[]);
    let different: Vec<(&str, &str)> = ours
        .iter()
        .map(String::as_str)
        .zip(theirs.lines())
        .filter(|(ours, theirs)| ours != theirs)
        .collect();
    assert_eq!(different, DIFFERENT);
    assert_eq!(ours.len(), theirs.lines().count());
    counts::OCSP.assert_is(names.len() - different.len(), names.len(), 0);
}

/// Where Python and we differ.
const DIFFERENT: [(&str, &str); 2] = [
    // Python looks at extensions only when it is asked for them.
    (
        "req-duplicate-ext.der: refused",
        "req-duplicate-ext.der:  01af1efbdd5eae0952320b24fe6b5568",
    ),
    // Python reads no requests for several certificates.
    (
        "req-multi-sha1.der:  98d9e5c0b4c373552df77c5d0f1eb5128e4945f9 98d9e5c0b4c373552df77c5d0f1eb5128e4945f0",
        "req-multi-sha1.der: refused",
    ),
];

fn outcome(name: &str) -> String {
    let bytes = vector(&format!("x509/ocsp/{name}"));
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs().to_string()
    };
    let mut text = String::new();
    if name.contains("req") {
        let Ok(request) = OcspRequest::from_der(&bytes) else {
            return "refused".to_owned();
        };
        for cert_id in request.cert_ids() {
            let _ = write!(text, " {}", cert_id.serial_number());
        }
    } else {
        let Ok(response) = OcspResponse::from_der(&bytes) else {
            return "refused".to_owned();
        };
        let Some(basic) = response.basic() else {
            return response.status().to_string();
        };
        for single in &basic.responses {
            let _ = write!(text, " {}", single.cert_id.serial_number());
            let _ = match single.status {
                CertificateStatus::Good => write!(text, " GOOD"),
                CertificateStatus::Unknown => write!(text, " UNKNOWN"),
                CertificateStatus::Revoked { at, reason } => {
                    write!(text, " REVOKED {} {reason}", seconds(at))
                }
            };
            let next = single.next_update.map_or("None".to_owned(), seconds);
            let _ = write!(text, " {} {next}", seconds(single.this_update));
        }
    }
    text
}

const VECTORS_IN_PYTHON: &str = r#"
import pathlib, warnings, cryptography_vectors
from cryptography.x509 import ocsp
warnings.simplefilter("ignore")
folder = pathlib.Path(cryptography_vectors.__path__[0]) / "x509" / "ocsp"
def number(n):
    text = format(n, "x")
    return text if len(text) % 2 == 0 else "0" + text
def seconds(t): return str(None if t is None else int(t.timestamp()))
for path in sorted(folder.iterdir()):
    text = ""
    try:
        if "req" in path.name:
            text = " " + number(ocsp.load_der_ocsp_request(path.read_bytes()).serial_number)
        else:
            response = ocsp.load_der_ocsp_response(path.read_bytes())
            if response.response_status.name != "SUCCESSFUL":
                text = response.response_status.name.lower()
            else:
                for s in response.responses:
                    text += " " + number(s.serial_number) + " " + s.certificate_status.name
                    if s.revocation_time_utc:
                        reason = s.revocation_reason
                        text += " " + seconds(s.revocation_time_utc)
                        text += " " + (reason.value if reason else "unspecified")
                    text += " " + seconds(s.this_update_utc) + " " + seconds(s.next_update_utc)
    except Exception:
        text = "refused"
    print(f"{path.name}: {text}")
"#;

#[test]
fn nobody_is_believed_whom_the_ca_did_not_let_answer() {
    let house = &*HOUSE;
    let good = house.answer(CertificateStatus::Good);
    let key = PrivateKey::generate().unwrap();
    let refused = |responder: &Certificate, at| {
        let response = good.sign(responder, &key).unwrap();
        house.verify_at(&response, at).unwrap_err()
    };
    let not_authorized = |error, words: &str| match error {
        OcspVerifyError::NotAuthorized { reason, .. } => assert_eq!(reason, words),
        other => panic!("{other}"),
    };

    // A responder of another CA of the same name.
    let other = House::new(KeyType::EcdsaP256);
    let stranger = responder_of(&other.ca, &key, DAY, &[Purpose::OcspSigning]);
    not_authorized(
        refused(&stranger, now()),
        "the CA did not issue its certificate",
    );
    // That CA itself.
    let response = good.sign(other.ca.certificate(), other.ca.key()).unwrap();
    let error = house.verify_at(&response, now());
    assert_eq!(error, Err(SignatureError::Wrong.into()));
    // A server of the CA, which may sign no responses.
    let server_key = PrivateKey::from_der(&house.leaf.key).unwrap();
    let error = good
        .sign(house.leaf.certificate(), &server_key)
        .unwrap_err();
    assert!(matches!(error, OcspSignError::NotResponder { .. }));
    let error = good.sign(&house.responder, &server_key).unwrap_err();
    assert!(matches!(error, OcspSignError::Mismatch { .. }));
    // A responder whose certificate is over before its response.
    let short = responder_of(
        &house.ca,
        &key,
        Duration::from_secs(60),
        &[Purpose::OcspSigning],
    );
    let later = now() + Duration::from_secs(3600);
    not_authorized(
        refused(&short, later),
        "its certificate is not valid at this time",
    );
}

#[test]
fn a_server_of_the_ca_cannot_pass_for_its_responder() {
    let house = &*HOUSE;
    // Signed by what may, then its certificate is taken for that of a server with the same key.
    let key = PrivateKey::generate().unwrap();
    let may = responder_of(&house.ca, &key, DAY, &[Purpose::OcspSigning]);
    let may_not = responder_of(&house.ca, &key, DAY, &[Purpose::Client]);
    let response = house
        .answer(CertificateStatus::Good)
        .sign(&may, &key)
        .unwrap();
    let (whole, from, to) = (response.der(), may.der(), may_not.der());
    // The purposes differ in one octet, so both are of one length but for the signature.
    if from.len() != to.len() {
        return a_server_of_the_ca_cannot_pass_for_its_responder();
    }
    let at = whole
        .windows(from.len())
        .position(|part| part == from.as_ref())
        .unwrap();
    let mut forged = whole.to_vec();
    forged[at..at + to.len()].copy_from_slice(to);
    let forged = OcspResponse::from_der(&forged).unwrap();
    let error = house.verify_at(&forged, now()).unwrap_err();
    let OcspVerifyError::NotAuthorized { reason, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(reason, "its extKeyUsage lacks OCSPSigning");
}

#[test]
fn old_answers_and_those_of_others_do_not_count() {
    let house = &*HOUSE;
    let signed = |template: &OcspResponseTemplate| {
        template
            .sign(house.ca.certificate(), house.ca.key())
            .unwrap()
    };
    let mut template = house.answer(CertificateStatus::Good);
    let minute = Duration::from_secs(60);
    let response = signed(&template);
    assert!(house.verify_at(&response, now() + DAY + 4 * minute).is_ok());
    assert_eq!(
        house.verify_at(&response, now() + DAY + 6 * minute),
        Err(OcspVerifyError::Stale)
    );
    assert!(house.verify_at(&response, now() - 4 * minute).is_ok());
    assert_eq!(
        house.verify_at(&response, now() - 6 * minute),
        Err(OcspVerifyError::NotYet)
    );
    template.responses[0].next_update = None;
    let endless = signed(&template);
    assert_eq!(
        house.verify_at(&endless, now() + DAY + 6 * minute),
        Err(OcspVerifyError::Stale)
    );
    let other = house.ca.leaf(&["b.test".parse().unwrap()], now()).unwrap();
    let error = response
        .verify(other.certificate(), house.ca.certificate(), None, now())
        .unwrap_err();
    assert_eq!(error, OcspVerifyError::OtherCertificate);
    let error = OcspResponse::error(ResponseStatus::TryLater);
    assert_eq!(
        house.verify_at(&error, now()),
        Err(OcspVerifyError::NoAnswer(ResponseStatus::TryLater))
    );
    // The later of two answers counts, whichever comes first.
    let mut template = house.answer(CertificateStatus::Good);
    let mut later = template.responses[0].clone();
    later.status = stolen();
    later.this_update += minute;
    template.responses.insert(0, later);
    assert_eq!(house.verify_at(&signed(&template), now()), Ok(stolen()));
    template.responses.reverse();
    assert_eq!(house.verify_at(&signed(&template), now()), Ok(stolen()));
}

#[test]
fn errors_are_what_openssl_knows_them_as() {
    let openssl = HOUSE.folder();
    for (status, words) in [
        (ResponseStatus::MalformedRequest, "malformedrequest"),
        (ResponseStatus::InternalError, "internalerror"),
        (ResponseStatus::TryLater, "trylater"),
        (ResponseStatus::SigRequired, "sigrequired"),
        (ResponseStatus::Unauthorized, "unauthorized"),
    ] {
        let error = OcspResponse::error(status);
        assert_eq!(OcspResponse::from_der(error.der()).as_ref(), Ok(&error));
        openssl.write("resp.der", error.der());
        let said = openssl.run("ocsp -respin resp.der -noverify");
        let said = said.unwrap_or_else(|said| said);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_is_asked_is_bounded() {
    let house = &*HOUSE;
    let most = OcspRequest::create(&vec![house.cert_id(); 100], None);
    assert_eq!(
        OcspRequest::from_der(most.der()).unwrap().cert_ids().len(),
        100
    );
    let more = OcspRequest::create(&vec![house.cert_id(); 101], None);
    let error = OcspRequest::from_der(more.der()).unwrap_err();
    assert!(
        matches!(error, OcspError::TooMany { most: 100, .. }),
        "{error}"
    );
    let huge = OcspRequest::create(&vec![house.cert_id(); 1000], None);
    let error = OcspRequest::from_der(huge.der()).unwrap_err();
    assert!(matches!(error, OcspError::TooLarge { .. }), "{error}");
    let nothing = OcspRequest::create(&[], None);
    assert!(OcspRequest::from_der(nothing.der()).is_err());
    // RFC 9654, section 2.1.
    for (octets, fine) in [(0, false), (1, true), (128, true)] {
        let request = OcspRequest::create(&[house.cert_id()], Some(&vec![1; octets]));
        let read = OcspRequest::from_der(request.der());
        assert_eq!(read.is_ok(), fine, "{octets}");
        assert!(fine || read == Err(OcspError::Nonce { octets }));
    }
}

/// SHA-1 can be forged, and a key that makes no signatures made none.
#[test]
fn weak_answers_and_those_of_keys_for_something_else_do_not_count() {
    let house = &*HOUSE;
    let openssl = house.folder();
    let asked = OcspRequest::create(&[house.cert_id()], None);
    openssl.write("req.der", asked.der());
    openssl.write("index.txt", "");
    for (digest, is_weak) in [("sha256", false), ("sha1", true)] {
        openssl
            .run(&format!(
                "ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder.key \
                 -rmd {digest} -ndays 1 -reqin req.der -respout resp.der"
            ))
            .unwrap();
        let response = OcspResponse::from_der(&openssl.read("resp.der")).unwrap();
        let found = house.verify_at(&response, now());
        let weak = matches!(found, Err(OcspVerifyError::Weak { .. }));
        assert_eq!((weak, found.is_ok()), (is_weak, !is_weak), "{found:?}");
    }

    for (usage, may) in [
        (KeyUsage::DIGITAL_SIGNATURE, true),
        (KeyUsage::KEY_AGREEMENT, false),
    ] {
        let mut chain = forge::good();
        let responder = &mut chain.leaf;
        responder.issuer = chain.root.issuer.clone();
        responder.signer = forge::ForgeKey::Ours(&forge::ROOT_KEY);
        responder.named(&[(Oid::COMMON_NAME, "Responder")]);
        responder.with(forge::extended_key_usage(&[Oid::OCSP_SIGNING]));
        responder.with(forge::key_usage(true, usage));
        let signed = chain.sign();
        let [responder, asked, ca] = signed.all().map(|der| Certificate::from_der(der).unwrap());
        let mut template = house.answer(CertificateStatus::Good);
        template.responses[0].cert_id = CertId::of(Hash::Sha256, &asked, &ca);
        let response = template.sign(&responder, &*forge::LEAF_KEY).unwrap();
        match response.verify(&asked, &ca, None, now()) {
            Ok(_) => assert!(may),
            Err(OcspVerifyError::NotAuthorized { reason, .. }) if !may => {
                assert_eq!(reason, "its keyUsage lacks digitalSignature");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Whoever signs: nothing of an answer can be changed without being noticed.
#[test]
fn no_octet_of_an_answer_can_be_changed() {
    let house = &*HOUSE;
    let template = house.answer(stolen());
    let signers: [(&Certificate, &dyn Signer); 2] = [
        (house.ca.certificate(), house.ca.key()),
        (&house.responder, &house.responder_key),
    ];
    for (certificate, key) in signers {
        let der = template.sign(certificate, key).unwrap().der().to_vec();
        let mut wrong = 0;
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1;
            let Ok(changed) = OcspResponse::from_der(&changed) else {
                continue;
            };
            let (leaf, ca) = (house.leaf.certificate(), house.ca.certificate());
            match changed.verify(leaf, ca, None, now()) {
                Ok(single) => assert_eq!(*single, template.responses[0], "octet {at}"),
                Err(OcspVerifyError::Signature(_)) => wrong += 1,
                Err(_) => {}
            }
        }
        assert!(wrong > 50, "{wrong} signatures were found wrong");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_to_a_response_makes_it_say_another_thing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
        by_ca in any::<bool>(),
    ) {
        let house = &*HOUSE;
        let template = house.answer(stolen());
        let response = if by_ca {
            template.sign(house.ca.certificate(), house.ca.key())
        } else {
            template.sign(&house.responder, &house.responder_key)
        };
        let mut der = response.unwrap().der().to_vec();
        for (index, octet) in changes {
            let index = index.index(der.len());
            der[index] = octet;
        }
        if let Ok(damaged) = OcspResponse::from_der(&der)
            && let Ok(status) = house.verify_at(&damaged, now())
        {
            // What is signed is whole, whatever happened beside it.
            prop_assert!(matches!(status, CertificateStatus::Revoked { .. }), "{:?}", status);
        }
    }

    #[test]
    fn any_damage_to_a_request_is_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut der = OcspRequest::create(&[HOUSE.cert_id()], Some(&[3; 32])).der().to_vec();
        for (index, octet) in changes {
            let index = index.index(der.len());
            der[index] = octet;
        }
        let _ = OcspRequest::from_der(&der[..cut.index(der.len())]);
        if let Ok(request) = OcspRequest::from_der(&der) {
            prop_assert!(!request.cert_ids().is_empty());
            prop_assert!(request.nonce().is_none_or(|nonce| (1..=128).contains(&nonce.len())));
        }
    }
}

/// RFC 6960, section 4.4.4.
#[test]
fn openssl_reads_the_extensions_of_an_answer() {
    let house = House::new(KeyType::EcdsaP256);
    let mut cutoff = Writer::new();
    cutoff.generalized_time(SystemTime::UNIX_EPOCH + 365 * DAY);
    let extension = Extension {
        oid: Oid::from_der_content(b"\x2b\x06\x01\x05\x05\x07\x30\x01\x06").unwrap(),
        critical: false,
        der: cutoff.into_bytes(),
        value: ExtensionValue::Unread,
    };
    let mut template = house.answer(CertificateStatus::Good);
    template.responses[0].extensions = Extensions::from_iter([extension]);
    let response = template
        .sign(house.ca.certificate(), house.ca.key())
        .unwrap();
    let read = &response.basic().unwrap().responses[0];
    assert_eq!(read.extensions, template.responses[0].extensions);
    let openssl = house.folder();
    openssl.write("response", response.der());
    let text = openssl
        .run("ocsp -respin response -noverify -text")
        .unwrap();
    assert!(text.contains("OCSP Archive Cutoff"), "{text}");
    assert!(text.contains("Jan  1 00:00:00 1971 GMT"), "{text}");
}
