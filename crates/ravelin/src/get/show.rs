//! The body of an answer, on a terminal or in a pipe; and how far an upload is.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header;
use ravelin_client::{Request, Response};

use super::answer::{Answer, write_pieces};
use super::json;
use crate::arguments::get::OutputArguments;
use crate::failure::{Failure, chain};
use crate::words;
use crate::words::get::Progress;

/// Shows the body: as it came in a pipe, harmless and laid out on a terminal. Whether somebody reads on.
pub(super) async fn body(
    answer: &mut Answer,
    arguments: &OutputArguments,
) -> Result<bool, Failure> {
    let on_terminal = io::stdout().is_terminal();
    if arguments.raw || !(on_terminal || arguments.format) {
        return raw(answer).await;
    }
    formatted(answer, on_terminal).await?;
    Ok(true)
}

async fn formatted(answer: &mut Answer, on_terminal: bool) -> Result<(), Failure> {
    let mut held = match answer.chunk().await? {
        Some(chunk) => chunk.to_vec(),
        None => return Ok(()),
    };
    if !may_be_json(&answer.response, &held) {
        return if on_terminal {
            text(answer, held).await
        } else {
            words::result_bytes(&held)?;
            raw(answer).await.map(drop)
        };
    }
    while let Some(chunk) = answer.chunk().await? {
        held.extend_from_slice(&chunk);
        if held.len() > MOST_HELD {
            if on_terminal {
                return text(answer, held).await;
            }
            words::result_bytes(&held)?;
            return raw(answer).await.map(drop);
        }
    }
    match std::str::from_utf8(&held).ok().and_then(json::laid_out) {
        Some(laid_out) => words::result(&laid_out),
        None if on_terminal => text(answer, held).await,
        None => words::result_bytes(&held),
    }
}

/// Whether a body says that it is JSON, or begins like it.
fn may_be_json(response: &Response, begin: &[u8]) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().windows(4).any(|four| four == b"json"))
        || begin.trim_ascii_start().starts_with(b"{")
        || begin.trim_ascii_start().starts_with(b"[")
}

/// Shows text line by line, as it comes.
async fn text(answer: &mut Answer, mut pending: Vec<u8>) -> Result<(), Failure> {
    loop {
        let chunk = answer.chunk().await?;
        let is_over = chunk.is_none();
        let end = match pending.iter().rposition(|octet| *octet == b'\n') {
            _ if is_over => pending.len(),
            Some(end) => end + 1,
            None if pending.len() < LONGEST_LINE => 0,
            None => pending.len(),
        };
        let lines: Vec<u8> = pending.drain(..end).collect();
        match std::str::from_utf8(&lines) {
            Ok(text) if !text.contains('\0') => words::get::text(text)?,
            _ => {
                words::get::not_text();
                return Ok(());
            }
        }
        match chunk {
            Some(chunk) => pending.extend_from_slice(&chunk),
            None => return Ok(()),
        }
    }
}

async fn raw(answer: &mut Answer) -> Result<bool, Failure> {
    // Not through a buffer of lines, which makes two writes of one.
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let mut stdout = File::from(stdout.map_err(|error| unwritable(&error))?);
    loop {
        let pieces = answer.chunks().await?;
        match write_pieces(&mut stdout, &pieces) {
            Ok(()) if pieces.is_empty() => return Ok(true),
            Ok(()) => {}
            // Who closes the pipe early has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(unwritable(&error)),
        }
    }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::local(format!("cannot write to standard output: {error}"))
}

/// The failure of a body that breaks off.
pub(super) fn broken(error: ravelin_client::Error) -> Failure {
    let failure = Failure::network(chain(&error));
    match error {
        ravelin_client::Error::TooLong(_) => {
            failure.hint("--max-size OCTETS takes more".to_owned())
        }
        error => failure.hint(error.hint().map(str::to_owned)),
    }
}

/// Tells on a terminal how much of a body went out.
pub(super) fn tell_upload(request: Request) -> Request {
    let is_long = request
        .content()
        .length()
        .is_none_or(|length| length > LONG);
    if request.content().is_empty() || !is_long || !io::stderr().is_terminal() {
        return request;
    }
    let progress = Progress::new("sent", request.content().length());
    let sent = AtomicU64::new(0);
    request.telling(move |octets| {
        let all = sent.fetch_add(octets, Ordering::Relaxed) + octets;
        progress.show(all);
    })
}

/// How much of a body is held for laying it out.
const MOST_HELD: usize = 16 << 20;

/// What has no end of a line for so long is cut.
const LONGEST_LINE: usize = 1 << 20;

/// Uploads that are not over at once.
const LONG: u64 = 1 << 20;
