//! Suites that were weakened for export from the USA: what a script of our own says, in the words of another library,
//! since no program speaks them any more. tshark is the judge of the script.

use ravelin_lens::connection::Limits;
use ravelin_lens::ledger::Side;
use ravelin_lens::server_key::ServerKey;
use ravelin_lens::story::Claim;
use ravelin_wire::registry::{Cipher, ProtocolVersion};

use super::talks::talks;
use super::{Recording, Workshop, is_said};
use crate::traces::all_is_well_but;

/// Each suite in TLS 1.0 and SSL 3.0, opened with the key of the server.
pub(super) fn recordings() -> Vec<Recording> {
    let shop = Workshop::rsa();
    let key = ServerKey::from_pem(&std::fs::read(shop.path("key.pem")).unwrap()).unwrap();
    let certificate = shop.path("certificate.pem");
    let recordings = talks(include_str!("export.py"), &[&certificate]);
    let mut seen = Vec::new();
    for recording in &recordings {
        let story = recording.tell_to(&key, Limits::default());
        all_is_well_but(&story, &[], &[]);
        is_said(&story, Side::Client, "GET /");
        is_said(&story, Side::Server, "pong");
        let has = |claim| story.checks.iter().any(|check| check.claim == claim);
        assert!(has(Claim::SharedSecret));
        let suite = story.agreement.suite.unwrap();
        assert!(suite.is_export());
        seen.push((story.agreement.version.unwrap(), suite.cipher().unwrap()));
    }
    let ciphers = [
        Cipher::Rc4_40,
        Cipher::Rc2Cbc40,
        Cipher::Des40Cbc,
        Cipher::Rc4_56,
    ];
    let versions = [ProtocolVersion::TLS_1_0, ProtocolVersion::SSL_3];
    let all = versions
        .iter()
        .flat_map(|version| ciphers.map(|cipher| (*version, cipher)));
    assert_eq!(seen, all.collect::<Vec<_>>());
    recordings
}
