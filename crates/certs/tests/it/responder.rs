//! What a CA answers over HTTP, with openssl as client: OCSP, CRLs, its certificates.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_certs::inventory::{Query, Record};
use ravelin_certs::local::issuer_id;
use ravelin_certs::responder::{Answer, Responder};
use ravelin_certs::{FileStore, LocalAuthority, LocalRegister};
use ravelin_pki::ocsp::{CertId, CertificateStatus, ResponseStatus};
use ravelin_pki::signature::Hash;
use ravelin_pki::{
    Certificate, Leaf, OcspRequest, OcspResponse, RevocationList, RevocationReason, SerialNumber,
    pem,
};
use tempfile::TempDir;

use crate::judges::run;

struct House {
    folder: TempDir,
    responder: Responder<LocalRegister>,
    leaf: Leaf,
    issuer: Certificate,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path().join("store")).unwrap();
        let authority = LocalAuthority::open(&store, &[], now()).unwrap();
        let leaf = authority.leaf(&["a.test".parse().unwrap()], now()).unwrap();
        let issuer = Certificate::from_der(&leaf.chain[1]).unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("root.pem", authority.root_pem());
        write("issuer.pem", issuer.to_pem());
        write("leaf.pem", leaf.certificate().to_pem());
        let responder = Responder::new(LocalRegister::new(authority).unwrap());
        Self {
            folder,
            responder,
            leaf,
            issuer,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn request(&self, nonce: Option<&[u8]>) -> OcspRequest {
        let cert_id = CertId::of(Hash::Sha1, self.leaf.certificate(), &self.issuer);
        OcspRequest::create(&[cert_id], nonce)
    }

    fn post(&self, request: &OcspRequest, at: SystemTime) -> Answer {
        self.responder.answer("POST", "/ocsp", request.der(), at)
    }

    fn get(&self, request: &OcspRequest, at: SystemTime) -> Answer {
        let path = format!("/ocsp/{}", STANDARD.encode(request.der()));
        self.responder.answer("GET", &path, &[], at)
    }

    fn status(&self, answer: &Answer, at: SystemTime) -> CertificateStatus {
        let response = OcspResponse::from_der(&answer.body).unwrap();
        let leaf = self.leaf.certificate();
        response
            .verify(leaf, &self.issuer, None, at)
            .unwrap()
            .status
    }

    fn record(&self) -> Record {
        let mut journal = self.responder.register().authority().journal().unwrap();
        let query = Query::default().serial(self.leaf.certificate().serial_number().into());
        journal
            .page(&query, now(), None, 1)
            .unwrap()
            .records
            .remove(0)
    }

    fn revoke(&self, at: SystemTime) {
        let authority = self.responder.register().authority();
        let reason = RevocationReason::CertificateHold;
        authority.revoke(&self.record(), reason, at).unwrap();
    }

    fn crl_path(&self) -> String {
        format!(
            "/crl/{}.crl",
            issuer_id(&self.issuer.public_key().fingerprint())
        )
    }
}

/// To the second, as answers tell times.
fn now() -> SystemTime {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap().as_secs())
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn error(answer: &Answer) -> ResponseStatus {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    OcspResponse::from_der(&answer.body).unwrap().status()
}

#[test]
fn openssl_asks_and_believes_the_answer() {
    let house = House::new();
    let (issuer, leaf) = (house.path("issuer.pem"), house.path("leaf.pem"));
    let (ask, answer) = (house.path("req.der"), house.path("resp.der"));
    for revoked in [false, true] {
        if revoked {
            house.revoke(now());
        }
        for hash in ["-sha1", "-sha256"] {
            let asked = [
                "ocsp", hash, "-issuer", &issuer, "-cert", &leaf, "-reqout", &ask,
            ];
            assert!(run("openssl", &asked).0);
            let request = std::fs::read(&ask).unwrap();
            let answered = house.responder.answer("POST", "/ocsp", &request, now());
            assert!(answered.problem.is_none(), "{:?}", answered.problem);
            assert_eq!(
                answered.header("content-type"),
                Some("application/ocsp-response")
            );
            std::fs::write(&answer, &answered.body).unwrap();
            let mut judged = vec![
                "ocsp",
                hash,
                "-no_nonce",
                "-reqin",
                &ask,
                "-respin",
                &answer,
            ];
            let root = house.path("root.pem");
            judged.extend(["-issuer", &issuer, "-cert", &leaf]);
            judged.extend(["-CAfile", &root, "-verify_other", &issuer]);
            let (fine, said) = run("openssl", &judged);
            let word = if revoked {
                "leaf.pem: revoked"
            } else {
                "leaf.pem: good"
            };
            assert!(fine && said.contains("Response verify OK"), "{said}");
            assert!(said.contains(word) && !said.contains("nonce"), "{said}");
        }
    }
}

#[test]
fn what_was_signed_is_sent_until_half_its_time_is_gone_or_it_changes() {
    let house = House::new();
    // One clock: between two looks at it a second may end, and what is counted from it differs.
    let start = now();
    let request = house.request(None);
    let first = house.get(&request, start);
    assert_eq!(house.status(&first, start), CertificateStatus::Good);
    let later = house.get(&request, start + 11 * HOUR);
    assert_eq!(later.body, first.body);
    let cache = |answer: &Answer| answer.header("cache-control").unwrap().to_owned();
    assert!(cache(&first).contains("max-age=86400"), "{}", cache(&first));
    assert!(cache(&later).contains("max-age=46800"), "{}", cache(&later));
    assert_eq!(later.header("etag"), first.header("etag"));
    assert_eq!(later.header("last-modified"), first.header("last-modified"));

    let renewed = house.get(&request, start + 13 * HOUR);
    assert_ne!(renewed.body, first.body);
    assert!(cache(&renewed).contains("max-age=86400"));

    house.revoke(start + 13 * HOUR);
    let revoked = house.get(&request, start + 13 * HOUR);
    assert!(matches!(
        house.status(&revoked, start + 13 * HOUR),
        CertificateStatus::Revoked {
            reason: RevocationReason::CertificateHold,
            ..
        }
    ));
    let authority = house.responder.register().authority();
    authority
        .undo_hold(&house.record(), start + 14 * HOUR)
        .unwrap();
    let good = house.get(&request, start + 14 * HOUR);
    assert_eq!(
        house.status(&good, start + 14 * HOUR),
        CertificateStatus::Good
    );
}

#[test]
fn the_responders_certificate_is_in_the_journal_and_renewed_in_time() {
    let house = House::new();
    let issued = || {
        let mut journal = house.responder.register().authority().journal().unwrap();
        let all = journal
            .page(&Query::default(), now(), None, 100)
            .unwrap()
            .records;
        all.into_iter()
            .filter(|record| record.profile == "ocsp")
            .count()
    };
    let request = house.request(None);
    assert_eq!(issued(), 0);
    for (days, expected) in [(0, 1), (1, 1), (4, 1), (5, 2), (9, 2), (11, 3)] {
        let at = now() + days * 24 * HOUR;
        house.status(&house.get(&request, at), at);
        assert_eq!(issued(), expected, "after {days} days");
    }
}

#[test]
fn nonces_are_repeated_and_such_answers_not_cached() {
    let house = House::new();
    let answer = house.post(&house.request(Some(&[5; 32])), now());
    let response = OcspResponse::from_der(&answer.body).unwrap();
    assert_eq!(response.basic().unwrap().nonce(), Some(&[5; 32][..]));
    assert_eq!(house.status(&answer, now()), CertificateStatus::Good);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = house.get(&house.request(Some(&[6; 32])), now());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = house.post(&house.request(None), now());
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store"),
        "a POST is not cached"
    );
    let answer = house.post(&house.request(Some(&[])), now());
    assert_eq!(error(&answer), ResponseStatus::MalformedRequest);
}

#[test]
fn nothing_is_signed_for_what_was_never_issued() {
    let house = House::new();
    let (name, key) = (house.issuer.subject_name(), house.issuer.public_key());
    let made_up = CertId::new(Hash::Sha1, name, key, &"1234".parse().unwrap());
    let answer = house.post(
        &OcspRequest::create(std::slice::from_ref(&made_up), None),
        now(),
    );
    assert_eq!(error(&answer), ResponseStatus::Unauthorized);
    // Another CA's.
    let other = House::new();
    let answer = house.post(&other.request(None), now());
    assert_eq!(error(&answer), ResponseStatus::Unauthorized);
    // Beside one that is known, it is told not to be.
    let known = house.request(None).cert_ids()[0].clone();
    let answer = house.post(&OcspRequest::create(&[known, made_up], None), now());
    let response = OcspResponse::from_der(&answer.body).unwrap();
    let statuses = response
        .basic()
        .unwrap()
        .responses
        .iter()
        .map(|single| single.status);
    assert_eq!(
        statuses.collect::<Vec<_>>(),
        [CertificateStatus::Good, CertificateStatus::Unknown]
    );
    for body in [&b""[..], b"x", &vec![0x30; 40_000]] {
        let answer = house.responder.answer("POST", "/ocsp", body, now());
        assert_eq!(error(&answer), ResponseStatus::MalformedRequest);
    }
}

#[test]
fn requests_in_paths_are_read_escaped_or_not() {
    let house = House::new();
    let encoded = STANDARD.encode(house.request(None).der());
    let escaped = encoded
        .replace('/', "%2F")
        .replace('+', "%2b")
        .replace('=', "%3D");
    for text in [&encoded, &escaped, encoded.trim_end_matches('=')] {
        let answer = house
            .responder
            .answer("GET", &format!("/ocsp/{text}"), &[], now());
        assert_eq!(house.status(&answer, now()), CertificateStatus::Good);
    }
    for text in ["!", "%", "AAAA"] {
        let answer = house
            .responder
            .answer("GET", &format!("/ocsp/{text}"), &[], now());
        assert_eq!(error(&answer), ResponseStatus::MalformedRequest);
    }
}

#[test]
fn the_list_is_new_once_something_was_revoked() {
    let house = House::new();
    let get = |at| {
        let answer = house.responder.answer("GET", &house.crl_path(), &[], at);
        assert_eq!(answer.status, 200, "{:?}", answer.problem);
        assert_eq!(answer.header("content-type"), Some("application/pkix-crl"));
        let list = RevocationList::from_der(&answer.body).unwrap();
        assert!(list.is_signed_by(&house.issuer));
        list
    };
    let first = get(now());
    assert!(first.is_empty() && first.is_current_at(now() + 6 * 24 * HOUR));
    assert_eq!(get(now() + 24 * HOUR), first, "nothing changed");
    house.revoke(now() + 24 * HOUR);
    let second = get(now() + 24 * HOUR + 2 * MINUTE);
    let serial = house.leaf.certificate().serial_number();
    assert!(second.lookup(serial).is_some() && second.number() > first.number());
    let third = get(now() + 5 * 24 * HOUR);
    assert!(third.number() > second.number(), "half its time is gone");

    std::fs::write(house.path("crl.pem"), second.to_pem()).unwrap();
    let (chain, crl, leaf) = (
        house.path("chain.pem"),
        house.path("crl.pem"),
        house.path("leaf.pem"),
    );
    let root = std::fs::read_to_string(house.path("root.pem")).unwrap();
    std::fs::write(&chain, root + &house.issuer.to_pem()).unwrap();
    let arguments = [
        "verify",
        "-crl_check",
        "-CAfile",
        &chain,
        "-CRLfile",
        &crl,
        "-no_check_time",
        &leaf,
    ];
    let (fine, said) = run("openssl", &arguments);
    assert!(!fine && said.contains("certificate revoked"), "{said}");
}

#[test]
fn certificates_of_the_ca_are_where_leaves_say() {
    let house = House::new();
    let root = pem::certificates(&std::fs::read(house.path("root.pem")).unwrap()).unwrap();
    let root = Certificate::from_der(&root[0]).unwrap();
    for certificate in [&root, &house.issuer] {
        let id = issuer_id(&certificate.public_key().fingerprint());
        let answer = house
            .responder
            .answer("GET", &format!("/issuer/{id}.cer"), &[], now());
        assert_eq!(answer.body.as_ref(), certificate.der().as_ref());
        assert_eq!(answer.header("content-type"), Some("application/pkix-cert"));
    }
}

#[test]
fn nothing_else_is_there() {
    let house = House::new();
    let status = |method, path: &str| house.responder.answer(method, path, &[], now()).status;
    for path in [
        "/",
        "/crl/",
        "/crl/.crl",
        "/crl/0.crl",
        "/issuer/../root.key",
        "/ca/root.key",
        "/issuer/0.cer",
    ] {
        assert_eq!(status("GET", path), 404, "{path}");
    }
    assert_eq!(status("GET", "/ocsp"), 405);
    assert_eq!(status("PUT", "/ocsp/AAAA"), 405);
    assert_eq!(status("POST", &house.crl_path()), 405);
    assert_eq!(status("HEAD", &house.crl_path()), 200);
}

#[test]
fn staples_are_for_certificates_of_the_ca_alone() {
    let house = House::new();
    let staple = house
        .responder
        .staple(house.leaf.certificate(), now())
        .unwrap();
    let response = OcspResponse::from_der(&staple.response).unwrap();
    let leaf = house.leaf.certificate();
    let single = response.verify(leaf, &house.issuer, None, now()).unwrap();
    assert_eq!(single.status, CertificateStatus::Good);
    assert_eq!(house.responder.staple(leaf, now() + HOUR).unwrap(), staple);
    let other = House::new();
    assert!(
        house
            .responder
            .staple(other.leaf.certificate(), now())
            .is_err()
    );
}

#[test]
fn what_was_answered_is_at_hand_until_the_journal_grows_or_half_its_time_is_gone() {
    let house = House::new();
    let path = format!("/ocsp/{}", STANDARD.encode(house.request(None).der()));
    let at_hand = |at| house.responder.answer_at_hand("GET", &path, &[], at);
    assert!(at_hand(now()).is_none(), "nothing was asked yet");
    // The first has a responder's certificate made, which the journal tells of.
    let _ = house.get(&house.request(None), now());
    let first = house.get(&house.request(None), now());
    let found = at_hand(now()).unwrap();
    assert_eq!(found.body, first.body);
    assert_eq!(found.header("etag"), first.header("etag"));
    let posted = house
        .responder
        .answer_at_hand("POST", "/ocsp", house.request(None).der(), now())
        .unwrap();
    assert_eq!(posted.body, first.body);
    assert_eq!(posted.header("cache-control"), Some("no-store"));

    house.revoke(now());
    assert!(at_hand(now()).is_none(), "it may be another one now");
    let revoked = house.get(&house.request(None), now());
    assert_eq!(at_hand(now()).unwrap().body, revoked.body);
    let status = house.status(&revoked, now());
    assert!(matches!(status, CertificateStatus::Revoked { .. }));
    // The issuers are read again each minute, whatever was kept.
    let later = now() + 13 * HOUR;
    let _ = house.responder.answer("GET", &house.crl_path(), &[], later);
    assert!(at_hand(later).is_none());
}

#[test]
fn what_has_to_be_signed_or_looked_up_is_not_at_hand() {
    let house = House::new();
    for _ in 0..2 {
        let _ = house.get(&house.request(None), now());
    }
    let at_hand = |request: &OcspRequest| {
        house
            .responder
            .answer_at_hand("POST", "/ocsp", request.der(), now())
    };
    assert!(at_hand(&house.request(None)).is_some());
    assert!(at_hand(&house.request(Some(b"a nonce of some length"))).is_none());
    let key = house.issuer.public_key();
    let unknown = SerialNumber::from_der_content(&[7; 16]);
    let unknown = CertId::new(Hash::Sha1, house.issuer.subject_name(), key, &unknown);
    let unknown = OcspRequest::create(&[unknown], None);
    for _ in 0..2 {
        assert!(at_hand(&unknown).is_none());
        assert_eq!(
            error(&house.post(&unknown, now())),
            ResponseStatus::Unauthorized
        );
    }
}

#[test]
fn lists_and_certificates_are_at_hand_for_a_minute() {
    let house = House::new();
    let digits = issuer_id(&house.issuer.public_key().fingerprint());
    for path in [house.crl_path(), format!("/issuer/{digits}.cer")] {
        let at_hand = |at| house.responder.answer_at_hand("GET", &path, &[], at);
        let start = now() + MINUTE;
        // Another's time, so that nothing was read before.
        let first = house.responder.answer("GET", &path, &[], start);
        assert_eq!(at_hand(start).unwrap().body, first.body);
        assert!(at_hand(start + 2 * MINUTE).is_none());
    }
    let nothing = house
        .responder
        .answer_at_hand("GET", "/elsewhere", &[], now());
    assert_eq!(nothing.unwrap().status, 404);
}

#[test]
fn many_threads_ask_at_once_and_all_are_told_the_same() {
    let house = House::new();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = || house.get(&house.request(None), now()).body;
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for body in answers {
        let response = OcspResponse::from_der(&body).unwrap();
        let leaf = house.leaf.certificate();
        let single = response.verify(leaf, &house.issuer, None, now()).unwrap();
        assert_eq!(single.status, CertificateStatus::Good);
    }
}
