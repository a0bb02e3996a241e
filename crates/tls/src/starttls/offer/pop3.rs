//! POP3 (RFC 2595, section 4).

use super::super::Protocol;
use super::{OfferFault, Step, unexpected, words};

pub(super) fn answer(line: &[u8]) -> Result<Step, OfferFault> {
    let mut words = words(line);
    let verb = words.next();
    let bare = words.next().is_none();
    let say = |text: &[u8]| Ok(Step::Say(text.to_vec()));
    match (verb.as_deref(), bare) {
        (Some(b"CAPA"), _) => say(b"+OK\r\nSTLS\r\n.\r\n"),
        (Some(b"NOOP"), _) => say(b"+OK\r\n"),
        (Some(b"QUIT"), _) => Ok(Step::End(OfferFault::Left, b"+OK Bye\r\n".to_vec())),
        (Some(b"STLS"), true) => Ok(Step::Begin(b"+OK Begin TLS\r\n".to_vec())),
        (Some(_), _) => say(b"-ERR TLS is required: begin it with STLS\r\n"),
        (None, _) => Err(unexpected(Protocol::Pop3, line)),
    }
}
