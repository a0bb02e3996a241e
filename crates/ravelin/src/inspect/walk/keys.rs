//! What is typed, as keys.
//!
//! It is read here and not by crossterm, which loses a key that comes together with a change of size, reads a
//! closed terminal over and over, and takes an arrow that a slow line brings in two parts for an Escape.

use std::io::{self, stdin};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::state::Key;

/// What is typed from now on. It ends with the terminal.
pub(super) fn typed() -> io::Result<UnboundedReceiver<Key>> {
    let (sender, receiver) = unbounded_channel();
    // It ends with the program at the latest: nobody can take it out of a read.
    thread::Builder::new().spawn(move || {
        // A terminal that cannot be read any more is as good as closed.
        let _ = read(&sender);
    })?;
    Ok(receiver)
}

fn read(sender: &UnboundedSender<Key>) -> io::Result<()> {
    let stdin = stdin();
    let mut buffer = [0; 1024];
    let mut begun: Vec<u8> = Vec::new();
    while !sender.is_closed() {
        let patience = (!begun.is_empty()).then_some(&REST);
        let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut terminal, patience) {
            Err(Errno::INTR) => continue,
            // Nothing follows: it was the Escape key, or one that is not known here.
            Ok(0) => {
                let key = if begun == [ESCAPE] {
                    Key::Leave
                } else {
                    Key::Other
                };
                begun.clear();
                let _ = sender.send(key);
                continue;
            }
            polled => polled?,
        };
        match rustix::io::read(&stdin, &mut buffer) {
            Err(Errno::INTR) => continue,
            Ok(0) => return Ok(()),
            read => begun.extend(buffer.iter().take(read?)),
        }
        while let Some((key, octets)) = first(&begun) {
            begun.drain(..octets);
            let _ = sender.send(key);
        }
    }
    Ok(())
}

/// The first key of what was typed, and how many octets it is; nothing where more must follow.
pub(super) fn first(typed: &[u8]) -> Option<(Key, usize)> {
    match typed {
        [ESCAPE, b'[', rest @ ..] => {
            let end = rest.iter().position(|octet| (0x40..0x7f).contains(octet));
            match end {
                Some(end) => Some((sequence(&rest[..end], rest[end]), end + 3)),
                // No key says so much.
                None => (rest.len() > 16).then_some((Key::Other, typed.len())),
            }
        }
        [ESCAPE, b'O', last, ..] => Some((sequence(&[], *last), 3)),
        [ESCAPE] | [ESCAPE, b'O'] | [] => None,
        [ESCAPE, ESCAPE, ..] => Some((Key::Leave, 1)),
        // With the Alt key.
        [ESCAPE, _, ..] => Some((Key::Other, 2)),
        [octet, ..] => Some((letter(*octet), 1)),
    }
}

/// A key that terminals have a sequence for, by its parameters and its last octet (ECMA-48; xterm and the VT220).
fn sequence(parameters: &[u8], last: u8) -> Key {
    match (parameters, last) {
        (_, b'A') => Key::Up,
        (_, b'B') => Key::Down,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"5", b'~') => Key::PageUp,
        (b"6", b'~') => Key::PageDown,
        (_, b'Z') => Key::BackTab,
        (_, b'P') | (b"11", b'~') => Key::Help,
        _ => Key::Other,
    }
}

fn letter(octet: u8) -> Key {
    match octet {
        b'k' => Key::Up,
        b'j' => Key::Down,
        b'h' => Key::Left,
        b'l' => Key::Right,
        b' ' => Key::Space,
        b'g' => Key::Home,
        b'G' => Key::End,
        b'\t' => Key::Tab,
        b'\r' | b'\n' => Key::Enter,
        b'?' => Key::Help,
        b'q' => Key::Leave,
        CTRL_C => Key::Interrupt,
        CTRL_L => Key::Repaint,
        CTRL_Z => Key::Suspend,
        _ => Key::Other,
    }
}

const ESCAPE: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
const CTRL_L: u8 = 0x0c;
const CTRL_Z: u8 = 0x1a;

/// How long the rest of a sequence may take, on a slow line.
const REST: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
