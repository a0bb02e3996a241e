//! XMPP: a stream of XML (RFC 6120, section 5). It is not parsed: what is looked for is what servers write,
//! and who writes it otherwise is told not to offer TLS, which is the safe mistake.

use super::{StartTls, StartTlsError, Turn};

pub(super) fn open(host: &str) -> Vec<u8> {
    format!(
        "<?xml version='1.0'?><stream:stream to='{host}' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    )
    .into_bytes()
}

pub(super) fn answer(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    let heard = dialogue.heard.trim_ascii_start();
    if heard.first().is_some_and(|first| *first != b'<') {
        return Err(dialogue.unexpected(heard));
    }
    if let Some(at) = find(heard, ERROR) {
        if find(&heard[at..], b"</stream:error>").is_none() {
            return Ok(Turn::default());
        }
        return Err(StartTlsError::Refused(super::shown(&heard[at..])));
    }
    if dialogue.turn == 1 {
        // Those that end first: what comes behind them is not theirs.
        let ends = [&b"</stream:features>"[..], b"<stream:features/>"];
        let ends = ends.into_iter().filter_map(|end| end_of(heard, end));
        let Some(end) = ends.min() else {
            return Ok(Turn::default());
        };
        if find(&heard[..end], b"<starttls").is_none() {
            return Err(StartTlsError::NotOffered);
        }
        let skipped = dialogue.heard.len() - heard.len();
        dialogue.heard.drain(..skipped + end);
        return Ok(dialogue.say(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_vec()));
    }
    if heard.starts_with(FAILURE) {
        return Err(StartTlsError::Refused("failure".to_owned()));
    }
    // Each may have come in part.
    let may_be = |word: &&[u8]| heard.starts_with(word) || word.starts_with(heard);
    if ![PROCEED, FAILURE, ERROR].iter().any(may_be) {
        return Err(dialogue.unexpected(heard));
    }
    let Some(tag) = end_of(heard, b">") else {
        return Ok(Turn::default());
    };
    let end = if heard[..tag].ends_with(b"/>") {
        tag
    } else {
        match end_of(heard, b"</proceed>") {
            Some(end) => end,
            None => return Ok(Turn::default()),
        }
    };
    let skipped = dialogue.heard.len() - heard.len();
    dialogue.heard.drain(..skipped + end);
    Ok(Turn::now())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn end_of(text: &[u8], part: &[u8]) -> Option<usize> {
    find(text, part).map(|at| at + part.len())
}

const PROCEED: &[u8] = b"<proceed";
const FAILURE: &[u8] = b"<failure";
const ERROR: &[u8] = b"<stream:error";
