//! What a server sends, made harmless for a terminal.

use std::fmt::Write as _;

/// Shows octets as text without control characters but line ends and tabs: they can move the cursor, change what a
/// terminal shows as typed, or make it answer. Text may come in pieces that are cut anywhere.
#[derive(Default)]
pub(super) struct Harmless {
    /// The beginning of a character whose rest is to come.
    begun: Vec<u8>,
}

impl Harmless {
    /// What a piece looks like: `^[` for an escape, `\x9b` for what is no text.
    pub(super) fn show(&mut self, piece: &[u8]) -> String {
        let mut octets = std::mem::take(&mut self.begun);
        octets.extend_from_slice(piece);
        let mut shown = String::with_capacity(octets.len());
        let mut rest = &octets[..];
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    show_text(&mut shown, text);
                    rest = &[];
                }
                Err(error) => {
                    let (text, behind) = rest.split_at(error.valid_up_to());
                    // It was just found to be text.
                    show_text(&mut shown, &String::from_utf8_lossy(text));
                    let Some(wrong) = error.error_len() else {
                        self.begun = behind.to_vec();
                        break;
                    };
                    let (wrong, behind) = behind.split_at(wrong);
                    for octet in wrong {
                        let _ = write!(shown, "\\x{octet:02x}");
                    }
                    rest = behind;
                }
            }
        }
        shown
    }
}

fn show_text(shown: &mut String, text: &str) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => shown.push(character),
            // The end of a line; alone it would let what follows overwrite the line.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\0'..='\x1f' => {
                shown.push('^');
                shown.push(char::from(character as u8 ^ 0x40));
            }
            '\x7f' => shown.push_str("^?"),
            // C1 controls, and what turns the direction of text around.
            '\u{80}'..='\u{9f}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(shown, "\\u{{{:x}}}", character as u32);
            }
            _ => shown.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        let mut harmless = Harmless::default();
        assert_eq!(
            harmless.show(b"\x1b]0;title\x07 a\r\nb\tc\rd\x7f\xc2\x9b1m\xff"),
            "^[]0;title^G a\nb\tc^Md^?\\u{9b}1m\\xff"
        );
    }

    #[test]
    fn a_character_may_be_cut_anywhere() {
        let text = "grüße, 你好\n";
        for cut in 0..text.len() {
            let mut harmless = Harmless::default();
            let mut shown = harmless.show(&text.as_bytes()[..cut]);
            shown += &harmless.show(&text.as_bytes()[cut..]);
            assert_eq!(shown, text);
        }
    }
}
