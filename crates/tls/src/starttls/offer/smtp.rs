//! SMTP (RFC 3207).

use super::super::Protocol;
use super::{OfferFault, Step, unexpected, words};

pub(super) fn answer(greeting: &[u8], line: &[u8]) -> Result<Step, OfferFault> {
    let mut words = words(line);
    let verb = words.next();
    let bare = words.next().is_none();
    let name = name(greeting);
    let say = |text: &[u8]| Ok(Step::Say(text.to_vec()));
    match (verb.as_deref(), bare) {
        (Some(b"EHLO"), _) => say(&[b"250-", name, b"\r\n250 STARTTLS\r\n"].concat()),
        (Some(b"HELO"), _) => say(&[b"250 ", name, b"\r\n"].concat()),
        (Some(b"NOOP"), _) => say(b"250 2.0.0 OK\r\n"),
        (Some(b"QUIT"), _) => Ok(Step::End(OfferFault::Left, b"221 2.0.0 Bye\r\n".to_vec())),
        (Some(b"STARTTLS"), true) => Ok(Step::Begin(b"220 2.0.0 Begin TLS\r\n".to_vec())),
        (Some(b"STARTTLS"), false) => say(b"501 5.5.4 STARTTLS takes no parameters\r\n"),
        (Some(_), _) => say(b"530 5.7.0 TLS is required: begin it with STARTTLS\r\n"),
        (None, _) => Err(unexpected(Protocol::Smtp, line)),
    }
}

/// The name that the service greets with (RFC 5321, section 4.2).
fn name(greeting: &[u8]) -> &[u8] {
    let name = greeting
        .get(4..)
        .and_then(|rest| rest.split(u8::is_ascii_whitespace).next())
        .unwrap_or_default();
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_:[]".contains(octet);
    if name.is_empty() || name.len() > MOST_NAME || !name.iter().all(plain) {
        return b"localhost";
    }
    name
}

/// How long a name of the DNS may be.
const MOST_NAME: usize = 255;
