//! The way back: the secrets of a connection as the lines of a key log.

use crate::digest::Octets;
use crate::story::Story;

/// What lines are called, by the names that the schedules have for their secrets. Those after a change of keys follow
/// from those before it, as who reads the log knows.
const LABELS: [(&str, &str); 9] = [
    ("client_early_traffic_secret", "CLIENT_EARLY_TRAFFIC_SECRET"),
    ("early_exporter_secret", "EARLY_EXPORTER_SECRET"),
    (
        "client_handshake_traffic_secret",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    ),
    (
        "server_handshake_traffic_secret",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    ),
    (
        "client_application_traffic_secret_0",
        "CLIENT_TRAFFIC_SECRET_0",
    ),
    (
        "server_application_traffic_secret_0",
        "SERVER_TRAFFIC_SECRET_0",
    ),
    ("exporter_secret", "EXPORTER_SECRET"),
    ("master_secret", "CLIENT_RANDOM"),
    ("premaster_secret", "PMS_CLIENT_RANDOM"),
];

/// The secrets of a connection that are known, wherever they are from, as a key log: it opens the connection to
/// whoever has it.
#[must_use]
pub fn lines(story: &Story) -> Octets {
    let mut lines = Octets::default();
    let mut random = story.agreement.client_random;
    for (_, quantity) in story.ledger.iter() {
        let Some(value) = &quantity.value else {
            continue;
        };
        // A handshake that follows within the connection has a random of its own.
        if quantity.name == "client_random" {
            random = value[..].try_into().ok();
        }
        let Some(random) = &random else { continue };
        let mut known = LABELS.iter().filter(|(name, _)| *name == quantity.name);
        if let Some((_, label)) = known.next() {
            line(&mut lines, label, random, value);
        }
    }
    lines
}

/// Adds a line.
pub(crate) fn line(lines: &mut Octets, label: &str, client_random: &[u8; 32], secret: &[u8]) {
    lines.extend_from_slice(label.as_bytes());
    for octets in [&client_random[..], secret] {
        lines.push(b' ');
        for octet in octets {
            let digits = [octet >> 4, octet & 15];
            lines.extend(digits.map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    lines.push(b'\n');
}
