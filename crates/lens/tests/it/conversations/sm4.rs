//! The suites of RFC 8998, by a script of our own, since no program here speaks them. tshark opens the one with GCM too.

use ravelin_lens::connection::Limits;
use ravelin_lens::ledger::{By, Side, Standing};
use ravelin_lens::story::{Claim, Verdict};
use ravelin_wire::registry::Cipher;

use super::talks::talks;
use super::{Recording, Shared, is_said};
use crate::traces::all_is_well_but;

pub(super) fn recordings() -> Vec<Recording> {
    talks(include_str!("sm4.py"), &[])
}

#[test]
fn all_of_a_handshake_with_sm3_and_sm4_is_computed_from_the_key_that_both_have() {
    let mut seen = Vec::new();
    for recording in recordings() {
        let story = recording.tell_to(Shared, Limits::default());
        all_is_well_but(&story, &[], &[]);
        let binder = story
            .checks
            .iter()
            .find(|check| check.claim == Claim::Binder(0));
        assert_eq!(binder.unwrap().verdict, Verdict::Confirmed);
        is_said(&story, Side::Client, "GET /");
        is_said(&story, Side::Server, "pong");
        seen.push(story.agreement.suite.unwrap().cipher().unwrap());
        // What the script derived is what we derive.
        let story = recording.tell_to((Shared, &recording.known), Limits::default());
        let logged = |standing: &Standing| *standing == Standing::Confirmed(By::KeyLog);
        let confirmed = story.ledger.iter().filter(|(_, it)| logged(&it.standing));
        assert_eq!(confirmed.count(), 4);
    }
    assert_eq!(seen, [Cipher::Sm4Gcm, Cipher::Sm4Ccm]);
}
