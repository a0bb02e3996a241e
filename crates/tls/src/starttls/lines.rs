//! Protocols of lines: SMTP, IMAP, POP3, FTP, `ManageSieve` and NNTP.

use super::{MOST_OCTETS, OfferFault, Protocol, StartTls, StartTlsError, Turn, shown};

/// What was learned of lines that are part of one answer.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Whether the server said that it can.
    offered: bool,
}

/// A line, as its protocol reads it.
enum Line {
    /// More of the answer follows.
    More,
    /// The answer is over, and good.
    Good,
    /// The answer is over, and says no.
    Bad,
    /// It is no line of the protocol.
    Strange,
}

pub(super) fn answer(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    loop {
        let Some(end) = dialogue.heard.iter().position(|octet| *octet == b'\n') else {
            if dialogue.heard.len() > MOST_LINE {
                return Err(StartTlsError::TooLong);
            }
            return Ok(Turn::default());
        };
        if end > MOST_LINE {
            return Err(StartTlsError::TooLong);
        }
        let mut line: Vec<u8> = dialogue.heard.drain(..=end).collect();
        line.truncate(line.trim_ascii_end().len());
        if dialogue.turn == 0 {
            dialogue
                .greeting
                .extend(greeting_line(dialogue.protocol, &line));
        }
        match read(dialogue, &line) {
            Line::More => {}
            Line::Good => return good(dialogue),
            Line::Bad => return Err(StartTlsError::Refused(shown(&line))),
            Line::Strange => return Err(dialogue.unexpected(&line)),
        }
    }
}

/// A line of a greeting, as a client without TLS is greeted.
fn greeting_line(protocol: Protocol, line: &[u8]) -> Vec<u8> {
    match (protocol, imap_text(line)) {
        // What the server can before TLS is not what it can then: the client asks, as nothing is said.
        (Protocol::Imap, Some(text)) => [b"* OK ", text, b"\r\n"].concat(),
        (Protocol::Smtp | Protocol::Imap | Protocol::Pop3, _) => [line, b"\r\n"].concat(),
        // Theirs say what they can, or their data has rules of its own.
        _ => Vec::new(),
    }
}

/// The words for people in an untagged `OK` of IMAP, without the code in brackets that may be before them.
pub(super) fn imap_text(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_end();
    let (ok, text) = line.split_at_checked(b"* OK ".len())?;
    if !ok.eq_ignore_ascii_case(b"* OK ") {
        return None;
    }
    let text = match text.first() {
        Some(b'[') => text.get(text.iter().position(|octet| *octet == b']')? + 1..)?,
        _ => text,
    };
    let text = text.trim_ascii_start();
    Some(if text.is_empty() { b"Ready" } else { text })
}

/// How many octets the greeting of a service of SMTP, IMAP or POP3 has.
pub(super) fn read_greeting(
    protocol: Protocol,
    octets: &[u8],
) -> Result<Option<usize>, OfferFault> {
    let mut read = 0;
    loop {
        let rest = octets.get(read..).unwrap_or_default();
        let end = rest.iter().position(|octet| *octet == b'\n');
        let length = end.unwrap_or(rest.len());
        if length > MOST_LINE || read + length > MOST_OCTETS {
            return Err(OfferFault::LongGreeting);
        }
        let Some(line) = end.and_then(|end| rest.get(..end)) else {
            return Ok(None);
        };
        read += line.len() + 1;
        let line = line.trim_ascii_end();
        match read_greeting_line(protocol, line) {
            Line::More => {}
            Line::Good => return Ok(Some(read)),
            Line::Bad => return Err(OfferFault::ServiceRefuses(shown(line))),
            Line::Strange => {
                return Err(OfferFault::NotGreeted {
                    protocol,
                    said: shown(line),
                });
            }
        }
    }
}

fn read_greeting_line(protocol: Protocol, line: &[u8]) -> Line {
    match protocol {
        Protocol::Smtp => numbered(line, 220),
        Protocol::Pop3 if line.starts_with(b"+OK") => Line::Good,
        Protocol::Pop3 if line.starts_with(b"-ERR") => Line::Bad,
        Protocol::Imap if imap_text(line).is_some() => Line::Good,
        Protocol::Imap => {
            let mut words = line.split(|octet| *octet == b' ');
            let (first, second) = (words.next(), words.next().map(<[u8]>::to_ascii_uppercase));
            match (first, second.as_deref()) {
                // Nobody says who they are any more: what they do would be done without TLS.
                (Some(b"*"), Some(b"BYE" | b"PREAUTH" | b"NO" | b"BAD")) => Line::Bad,
                _ => Line::Strange,
            }
        }
        _ => Line::Strange,
    }
}

/// What to say once the server has answered well.
fn good(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    let asks_first = matches!(dialogue.protocol, Protocol::Smtp | Protocol::Imap);
    let tells_first = dialogue.protocol == Protocol::Sieve;
    let told = match dialogue.turn {
        0 => tells_first,
        1 => asks_first,
        _ => false,
    };
    if told && !dialogue.lines.offered {
        return Err(StartTlsError::NotOffered);
    }
    let say: &[u8] = match (dialogue.protocol, dialogue.turn) {
        // Who we are is nobody's business, and no server may want to know (RFC 5321, section 4.1.4).
        (Protocol::Smtp, 0) => b"EHLO localhost\r\n",
        (Protocol::Smtp, 1) | (Protocol::Sieve | Protocol::Nntp, 0) => b"STARTTLS\r\n",
        (Protocol::Imap, 0) => b"a1 CAPABILITY\r\n",
        (Protocol::Imap, 1) => b"a2 STARTTLS\r\n",
        (Protocol::Pop3, 0) => b"STLS\r\n",
        (Protocol::Ftp, 0) => b"AUTH TLS\r\n",
        _ => return Ok(Turn::now()),
    };
    Ok(dialogue.say(say.to_vec()))
}

fn read(dialogue: &mut StartTls, line: &[u8]) -> Line {
    let turn = dialogue.turn;
    let words = || {
        line.split(|octet| octet.is_ascii_whitespace() || *octet == b'-')
            .map(<[u8]>::to_ascii_uppercase)
    };
    match dialogue.protocol {
        Protocol::Smtp => {
            dialogue.lines.offered |= turn == 1 && words().nth(1).as_deref() == Some(b"STARTTLS");
            numbered(line, if turn == 1 { 250 } else { 220 })
        }
        Protocol::Ftp => {
            // Lines of one answer need no number but the first and the last (RFC 959, section 4.2).
            let bare = !line
                .get(..3)
                .is_some_and(|code| code.iter().all(u8::is_ascii_digit));
            if bare && dialogue.lines.offered {
                return Line::More;
            }
            let read = numbered(line, if turn == 0 { 220 } else { 234 });
            dialogue.lines.offered = matches!(read, Line::More);
            read
        }
        Protocol::Nntp => match (turn, numbered(line, if turn == 0 { 200 } else { 382 })) {
            (0, Line::Bad) => numbered(line, 201),
            (_, read) => read,
        },
        Protocol::Imap => imap(dialogue, line),
        Protocol::Pop3 if line.starts_with(b"+OK") => Line::Good,
        Protocol::Pop3 if line.starts_with(b"-ERR") => Line::Bad,
        Protocol::Sieve => sieve(dialogue, line),
        _ => Line::Strange,
    }
}

/// `220-more`, `220 last`: the number that is good, or another.
fn numbered(line: &[u8], good: u16) -> Line {
    let Some((code, rest)) = line.split_first_chunk::<3>() else {
        return Line::Strange;
    };
    let code = str::from_utf8(code).ok().and_then(|code| code.parse().ok());
    match (code, rest.first()) {
        (Some(code), Some(b'-')) if code == good => Line::More,
        (Some(code), Some(b' ') | None) if code == good => Line::Good,
        (Some(400..=599_u16), _) | (Some(100..=399), Some(b' ' | b'-') | None) => Line::Bad,
        _ => Line::Strange,
    }
}

fn imap(dialogue: &mut StartTls, line: &[u8]) -> Line {
    let upper = line.to_ascii_uppercase();
    let tag = match dialogue.turn {
        0 => &b"*"[..],
        1 => b"A1",
        _ => b"A2",
    };
    let mut words = upper.split(|octet| *octet == b' ');
    let (first, second) = (words.next(), words.next());
    match (first, second) {
        (Some(first), Some(b"OK")) if first == tag => Line::Good,
        // Who is let in without a word has no TLS to begin any more: that would be a way around it.
        (Some(first), Some(b"NO" | b"BAD" | b"BYE" | b"PREAUTH")) if first == tag => Line::Bad,
        (Some(b"*"), Some(b"BYE")) => Line::Bad,
        (Some(b"*"), Some(b"CAPABILITY")) if dialogue.turn == 1 => {
            dialogue.lines.offered |= words.any(|word| word == b"STARTTLS");
            Line::More
        }
        (Some(b"*"), Some(_)) if dialogue.turn > 0 => Line::More,
        _ => Line::Strange,
    }
}

fn sieve(dialogue: &mut StartTls, line: &[u8]) -> Line {
    let upper = line.to_ascii_uppercase();
    let word = upper
        .split(|octet| matches!(octet, b' ' | b'('))
        .next()
        .unwrap_or_default();
    match word {
        b"OK" => Line::Good,
        b"NO" | b"BYE" => Line::Bad,
        _ if dialogue.turn == 0 && upper.starts_with(b"\"") => {
            dialogue.lines.offered |= upper.starts_with(b"\"STARTTLS\"");
            Line::More
        }
        _ => Line::Strange,
    }
}

/// How long a line may be, in octets.
const MOST_LINE: usize = 8 << 10;
