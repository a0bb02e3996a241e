//! Keys, as a terminal sends them: octets of UTF-8, controls, and sequences that begin with an escape.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Text(char),
    Enter,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Stop,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    Backspace,
    Delete,
    DeleteWord,
    DeleteBefore,
    DeleteBehind,
    Redraw,
}

/// Takes keys out of octets, which may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The beginning of a key whose rest is to come.
    begun: Vec<u8>,
}

impl Keys {
    /// The key that an octet ends.
    pub(super) fn take(&mut self, octet: u8) -> Option<Key> {
        self.begun.push(octet);
        let key = match self.begun[..] {
            [0x1b] | [0x1b, b'[' | b'O'] => return None,
            [0x1b, b'[' | b'O', ref inner @ .., last] => {
                // Parameters, and then what it is (ECMA-48, section 5.4).
                if !(0x40..=0x7e).contains(&last) && self.begun.len() < LONGEST {
                    return None;
                }
                sequence(inner, last)
            }
            [0x1b, b'b'] => Some(Key::WordLeft),
            [0x1b, b'f'] => Some(Key::WordRight),
            [0x1b, 0x7f] => Some(Key::DeleteWord),
            [0x1b, _] => None,
            [octet @ (..=0x1f | 0x7f)] => control(octet),
            _ => match std::str::from_utf8(&self.begun) {
                Ok(text) => text.chars().next().map(Key::Text),
                Err(error) if error.error_len().is_none() => return None,
                // No text: left out, as a terminal could not show it.
                Err(_) => None,
            },
        };
        self.begun.clear();
        key
    }
}

/// As Emacs and the shells have them.
fn control(octet: u8) -> Option<Key> {
    Some(match octet | 0x40 {
        b'A' => Key::Home,
        b'B' => Key::Left,
        b'C' => Key::Interrupt,
        b'D' => Key::EndOfInput,
        b'E' => Key::End,
        b'F' => Key::Right,
        b'H' | 0x7f => Key::Backspace,
        b'I' => Key::Text('\t'),
        b'J' | b'M' => Key::Enter,
        b'K' => Key::DeleteBehind,
        b'L' => Key::Redraw,
        b'N' => Key::Down,
        b'P' => Key::Up,
        b'U' => Key::DeleteBefore,
        b'W' => Key::DeleteWord,
        b'Z' => Key::Stop,
        _ => return None,
    })
}

fn sequence(inner: &[u8], last: u8) -> Option<Key> {
    // With Ctrl or Alt an arrow goes by words.
    let by_words = matches!(inner, b"1;5" | b"1;3");
    Some(match (inner, last) {
        (_, b'A') => Key::Up,
        (_, b'B') => Key::Down,
        (_, b'C') if by_words => Key::WordRight,
        (_, b'D') if by_words => Key::WordLeft,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"3", b'~') => Key::Delete,
        _ => return None,
    })
}

/// More octets than any key has.
const LONGEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(octets: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        octets
            .iter()
            .filter_map(|octet| keys.take(*octet))
            .collect()
    }

    #[test]
    fn keys_are_told_apart_wherever_octets_come_from() {
        use Key::*;
        assert_eq!(keys("aé你".as_bytes()), ['a', 'é', '你'].map(Text));
        assert_eq!(
            keys(b"\x1b[D\x1bOC\x1b[1;5D\x1b[3~"),
            [Left, Right, WordLeft, Delete]
        );
        assert_eq!(
            keys(b"\r\x7f\x01\x1bf"),
            [Enter, Backspace, Home, WordRight]
        );
        // What nobody knows is left out, and what follows is not.
        assert_eq!(keys(b"\x1b[200~\xff\x1b[99;99Qx"), [Text('x')]);
        assert_eq!(
            keys(&[b"\x1b[" as &[u8], &[b'1'; 99], b"x"].concat()).last(),
            Some(&Text('x'))
        );
    }
}
