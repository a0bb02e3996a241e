//! What plugins of age have to say and to ask, on the terminal.

use ravelin_seal::age_file::{Listener, Plugins};
use zeroize::Zeroizing;

use crate::passphrase;
use crate::words::seal as say;

/// Plugins that speak to whoever sits here.
pub(super) fn plugins() -> Plugins {
    Plugins::heard_by(Terminal)
}

struct Terminal;

impl Listener for Terminal {
    fn hear(&self, message: &str) {
        say::plugin(message);
    }

    fn choose(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("no");
        let answer = passphrase::typed(&format!("{question} (y: {yes}, n: {no})"))?;
        Some(answer.trim().eq_ignore_ascii_case("y"))
    }

    fn answer(&self, question: &str, secret: bool) -> Option<Zeroizing<String>> {
        if !secret {
            return passphrase::typed(question);
        }
        let answer = passphrase::asked_by_plugin(question)?;
        let text = std::str::from_utf8(answer.as_bytes()).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    }
}
