//! Logging in to a token: where the PIN comes from, and not to lock the token with a wrong one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::session::{SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use ravelin_pki::Passphrase;

use super::{OpenToken, TokenError, TokenUri, Tokens, TriesLeft, failed, label, lock};

/// Which PIN is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRequest {
    /// The label of the token.
    pub token: String,
    /// How many wrong ones it takes.
    pub left: TriesLeft,
}

impl Tokens {
    /// Logs in, unless this process is logged in already.
    pub(super) fn log_in(
        &self,
        module: &Pkcs11,
        slot: Slot,
        token: &OpenToken,
        uri: &TokenUri,
    ) -> Result<(), TokenError> {
        // Held while somebody is asked: others wait for the one answer.
        let mut refused = lock(&self.shared.refused);
        let label = || label(&token.info);
        let failed = failed(&token.info);
        let state = token.session.get_session_info().map_err(&failed)?;
        let logged_in = matches!(
            state.session_state(),
            SessionState::RoUser | SessionState::RwUser
        );
        if logged_in || !token.info.login_required() {
            return Ok(());
        }
        let now = module.get_token_info(slot).map_err(&failed)?;
        let Some(pin) = self.pin(&now, uri)? else {
            let answer = token.session.login(UserType::User, None);
            return judged(answer, &label(), || tries_left(module, slot)).map(drop);
        };
        let refused = refused
            .entry(token.info.serial_number().to_owned())
            .or_default();
        if refused.iter().any(|old| old.as_bytes() == pin.as_bytes()) {
            return Err(TokenError::PinRefused { token: label() });
        }
        // Overwritten when it is dropped, as the passphrase is.
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        let answer = token.session.login_with_raw(UserType::User, &raw);
        let judged = judged(answer, &label(), || tries_left(module, slot));
        if matches!(judged, Err(TokenError::PinWrong { .. })) && refused.len() < MOST_REFUSED {
            refused.push(pin);
        }
        judged
    }

    /// The PIN; none where it is typed at the token itself.
    fn pin(&self, info: &TokenInfo, uri: &TokenUri) -> Result<Option<Passphrase>, TokenError> {
        let token = || label(info);
        let left = TriesLeft::of(info);
        if left == TriesLeft::None {
            return Err(TokenError::PinLocked { token: token() });
        }
        if let Some(file) = uri.pin_source() {
            if left == TriesLeft::One {
                return Err(TokenError::PinLastTry { token: token() });
            }
            return read(file).map(Some).map_err(|source| TokenError::PinFile {
                file: file.to_owned(),
                source,
            });
        }
        if info.protected_authentication_path() {
            return Ok(None);
        }
        let request = PinRequest {
            token: token(),
            left,
        };
        let asker = self.shared.asker.as_ref();
        asker
            .and_then(|ask| ask(&request))
            .map(Some)
            .ok_or_else(|| TokenError::PinNeeded { token: token() })
    }
}

impl TriesLeft {
    fn of(info: &TokenInfo) -> Self {
        Self::of_flags(
            info.user_pin_locked(),
            info.user_pin_final_try(),
            info.user_pin_count_low(),
        )
    }

    /// The graver one, where a token sets several.
    fn of_flags(locked: bool, last: bool, low: bool) -> Self {
        match (locked, last, low) {
            (true, ..) => Self::None,
            (_, true, _) => Self::One,
            (.., true) => Self::Fewer,
            _ => Self::Enough,
        }
    }
}

fn tries_left(module: &Pkcs11, slot: Slot) -> TriesLeft {
    module
        .get_token_info(slot)
        .map_or(TriesLeft::Enough, |info| TriesLeft::of(&info))
}

/// What a token's answer to a PIN means.
fn judged(
    answer: Result<(), CryptokiError>,
    token: &str,
    left: impl FnOnce() -> TriesLeft,
) -> Result<(), TokenError> {
    let token = || token.to_owned();
    match answer {
        // Another thread was faster.
        Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(CryptokiError::Pkcs11(
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
            _,
        )) => Err(TokenError::PinWrong {
            token: token(),
            left: left(),
        }),
        Err(CryptokiError::Pkcs11(RvError::PinLocked, _)) => {
            Err(TokenError::PinLocked { token: token() })
        }
        Err(error) => Err(TokenError::Failed {
            token: token(),
            source: error.into(),
        }),
    }
}

/// A PIN from a file: all of it, but for a line break at its end.
fn read(file: &Path) -> io::Result<Passphrase> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    let mut file = File::open(file)?.take(MOST_OCTETS as u64 + 1);
    // Never grown, so that no copy of it is left in freed memory.
    let mut octets = Vec::with_capacity(MOST_OCTETS + 2);
    let read = file.read_to_end(&mut octets);
    let length = octets.len();
    let end = octets.strip_suffix(b"\n").map_or(length, |rest| {
        rest.strip_suffix(b"\r").unwrap_or(rest).len()
    });
    octets.truncate(end);
    let pin = Passphrase::from(octets);
    read?;
    match length {
        _ if pin.is_empty() => Err(invalid("it is empty")),
        0..=MOST_OCTETS => Ok(pin),
        _ => Err(invalid("it is too long for a PIN")),
    }
}

/// More than tokens take.
const MOST_OCTETS: usize = 255;

/// PINs that are remembered a token. One locks before as many.
const MOST_REFUSED: usize = 64;

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn what_tokens_say_of_pins_is_told_apart() {
        let answer = |code| {
            let answer = Err(CryptokiError::Pkcs11(code, Function::Login));
            judged(answer, "vault", || TriesLeft::One)
        };
        let wrong = answer(RvError::PinIncorrect).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "the PIN is not that of the token \"vault\"; one more wrong one locks it"
        );
        let locked = answer(RvError::PinLocked).unwrap_err();
        assert!(matches!(locked, TokenError::PinLocked { .. }));
        answer(RvError::UserAlreadyLoggedIn).unwrap();
        let failed = answer(RvError::DeviceRemoved).unwrap_err();
        assert!(failed.is_lost());
        let source = std::error::Error::source(&failed).unwrap().to_string();
        assert_eq!(source, "C_Login answered \"device removed\"");
        assert!(!answer(RvError::PinExpired).unwrap_err().is_lost());
    }

    #[test]
    fn the_gravest_of_a_tokens_flags_counts() {
        for (flags, left) in [
            ((false, false, false), TriesLeft::Enough),
            ((false, false, true), TriesLeft::Fewer),
            ((false, true, true), TriesLeft::One),
            ((true, true, true), TriesLeft::None),
        ] {
            assert_eq!(TriesLeft::of_flags(flags.0, flags.1, flags.2), left);
        }
    }

    #[test]
    fn a_pin_in_a_file_loses_its_line_break_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        for (content, pin) in [
            ("1234", Some("1234")),
            ("1234\n", Some("1234")),
            ("1234\r\n", Some("1234")),
            (" 12 34 \n\n", Some(" 12 34 \n")),
            ("\n", None),
            ("", None),
        ] {
            std::fs::write(&file, content).unwrap();
            let read = read(&file).ok();
            assert_eq!(
                read.as_ref().map(Passphrase::as_bytes),
                pin.map(str::as_bytes),
                "{content:?}"
            );
        }
        std::fs::write(&file, "1".repeat(256)).unwrap();
        read(&file).unwrap_err();
        read(folder.path()).unwrap_err();
    }
}
