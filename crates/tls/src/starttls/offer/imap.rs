//! IMAP (RFC 9051, section 6.2.1).

use super::super::{Protocol, lines};
use super::{OfferFault, Step, shown, unexpected, words};

/// What the service says it can is what it can with a login in clear: clients are told what is true before TLS.
pub(super) fn greeting(line: &[u8]) -> Result<Vec<u8>, OfferFault> {
    let Some(text) = lines::imap_text(line) else {
        return Err(OfferFault::NotGreeted {
            protocol: Protocol::Imap,
            said: shown(line),
        });
    };
    Ok([b"* OK [CAPABILITY ", CAPABILITIES, b"] ", text, b"\r\n"].concat())
}

pub(super) fn answer(line: &[u8]) -> Result<Step, OfferFault> {
    // What follows such a line is no command, and nothing here takes it (RFC 7888).
    if line.trim_ascii_end().ends_with(b"+}") {
        return Err(unexpected(Protocol::Imap, line));
    }
    let Some(tag) = tag(line) else {
        return Ok(Step::Say(b"* BAD This is no command\r\n".to_vec()));
    };
    let mut words = words(line).skip(1);
    let verb = words.next();
    let bare = words.next().is_none();
    let with = |before: &[u8], after: &[u8]| [before, tag, after, b"\r\n"].concat();
    Ok(match (verb.as_deref(), bare) {
        (Some(b"CAPABILITY"), true) => {
            let told = [b"* CAPABILITY ", CAPABILITIES, b"\r\n"].concat();
            Step::Say(with(&told, b" OK Done"))
        }
        (Some(b"NOOP"), true) => Step::Say(with(b"", b" OK Done")),
        (Some(b"LOGOUT"), true) => Step::End(OfferFault::Left, with(b"* BYE Bye\r\n", b" OK Done")),
        (Some(b"STARTTLS"), true) => Step::Begin(with(b"", b" OK Begin TLS")),
        (Some(b"CAPABILITY" | b"NOOP" | b"LOGOUT" | b"STARTTLS"), false) | (None, _) => {
            Step::Say(with(b"", b" BAD This is no command"))
        }
        (Some(_), _) => Step::Say(with(
            b"",
            b" NO [PRIVACYREQUIRED] TLS is required: begin it with STARTTLS",
        )),
    })
}

/// A tag is repeated, so it is one (RFC 9051, section 9: `tag`).
fn tag(line: &[u8]) -> Option<&[u8]> {
    let tag = line.split(u8::is_ascii_whitespace).next()?;
    let plain = |octet: &u8| octet.is_ascii_graphic() && !b"(){%*\"\\+".contains(octet);
    (!tag.is_empty() && tag.len() <= MOST_TAG && tag.iter().all(plain)).then_some(tag)
}

const CAPABILITIES: &[u8] = b"IMAP4rev1 STARTTLS LOGINDISABLED";

/// Clients number their commands.
const MOST_TAG: usize = 64;
