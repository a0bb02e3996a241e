//! The walk without a terminal: through the handshake of RFC 8448, section 3.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::explain::Language;
use ravelin_lens::knowledge::Knowledge;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::story::Story;
use ravelin_lens::text::{Detail, Options};

use unicode_width::UnicodeWidthStr as _;

use super::state::{Key, Next, State};
use super::tour::{Page, Tour};
use super::view;

mod picture;
mod terminal;

const OPTIONS: Options = Options {
    language: Language::English,
    width: 0,
    colour: true,
    detail: Detail::Steps,
    secrets: Secrets::Shown,
};

/// The secret that the RFC says both sides agreed on.
struct Rfc;

impl Knowledge for Rfc {
    fn shared_secret(&self, _: &[u8]) -> Option<Octets> {
        let secret = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
        Some(Octets::new(octets(secret)))
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// The handshake of the RFC, with times that it does not have.
fn story() -> Story {
    let trace = include_str!("../../../../lens/tests/it/rfc8448/section-3.txt");
    let mut connection = Connection::new(Rfc, Limits::default());
    let mut at = SystemTime::UNIX_EPOCH;
    for line in trace.lines() {
        let side = match line.split(' ').next() {
            Some("client") => Side::Client,
            Some("server") => Side::Server,
            _ => continue,
        };
        connection.receive(side, at, &octets(line.split(' ').nth(1).unwrap()));
        at += Duration::from_micros(412);
    }
    connection.finish()
}

fn state<'s>(stories: &'s [Story], options: &Options) -> State<'s> {
    let tours = stories
        .iter()
        .map(|story| Tour::new(story, options, Vec::new(), Vec::new()));
    State::new(tours.collect(), options)
}

/// What is on a screen of this size.
fn draw(state: &mut State<'_>, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    state.resize(area);
    view::draw(state, &mut buffer);
    buffer
}

/// The lines of a screen. A character of two columns has a space behind it.
fn lines(buffer: &Buffer) -> Vec<String> {
    let rows = buffer.content.chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .collect()
}

fn screen(state: &mut State<'_>, width: u16, height: u16) -> String {
    lines(&draw(state, width, height)).join("\n")
}

/// The line that is marked.
fn marked(buffer: &Buffer) -> String {
    let x = 0;
    let row = (0..buffer.area.height)
        .find(|y| buffer[(x, *y)].modifier.contains(Modifier::REVERSED))
        .unwrap();
    lines(buffer).swap_remove(usize::from(row))
}

fn press(state: &mut State<'_>, keys: &[Key]) {
    for key in keys {
        assert_ne!(state.press(*key), Next::Leave);
    }
}

#[test]
fn arrows_lead_from_step_to_step_and_to_what_follows_them() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let first = draw(&mut state, 120, 40);
    assert!(marked(&first).contains("─ ClientHello ─"), "{first:?}");
    press(&mut state, &[Key::Up, Key::Down, Key::Down]);
    let third = draw(&mut state, 120, 40);
    assert!(marked(&third).contains("─ EncryptedExtensions ─"));
    assert!(lines(&third).join("\n").contains("3 EncryptedExtensions"));
    press(&mut state, &[Key::End, Key::Down]);
    let last = screen(&mut state, 120, 40);
    assert!(last.contains("What was agreed"), "{last}");
    press(&mut state, &[Key::Up]);
    let checks = screen(&mut state, 120, 40);
    assert!(checks.contains("✓ The Finished message"), "{checks}");
    press(&mut state, &[Key::Up]);
    let keys = screen(&mut state, 120, 40);
    assert!(keys.contains("early_secret"), "{keys}");
    press(&mut state, &[Key::Home]);
    assert_eq!(lines(&draw(&mut state, 120, 40)), lines(&first));
}

#[test]
fn the_list_says_who_sent_what_when_how_much_and_under_which_keys() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let seen = lines(&draw(&mut state, 120, 40));
    let head: Vec<_> = seen[1].split_whitespace().take(4).collect();
    assert_eq!(head, ["client", "server", "octets", "time"]);
    let line = |title: &str| {
        let mut lines = seen
            .iter()
            .map(|line| line.chars().take(54).collect::<String>());
        lines.find(|line| line.contains(title)).unwrap()
    };
    assert!(line("ClientHello").contains("▶│") && line("ClientHello").contains("0 µs"));
    assert!(line(" ServerHello").contains("│◀─") && line(" ServerHello").contains("412 µs"));
    assert!(line("CertificateVerify").contains("─│ H"));
    assert!(line("application data").contains("▶│ A"));
    // Where there is less room, times give way first.
    let narrower = screen(&mut state, 80, 40);
    assert!(
        narrower.contains("│◀ EncryptedExtensions ─│ H     40│"),
        "{narrower}"
    );
}

#[test]
fn left_and_right_tell_less_and_more() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let seen = |state: &mut State<'_>| screen(state, 120, 200);
    let [field, octets] = ["legacy_version", "0000  01 00 00 c0"];
    let words = seen(&mut state);
    assert!(!words.contains(field) && !words.contains(octets));
    press(&mut state, &[Key::Right]);
    let fields = seen(&mut state);
    assert!(fields.contains(field) && !fields.contains(octets));
    press(&mut state, &[Key::Right, Key::Right]);
    let all = seen(&mut state);
    assert!(all.contains(field) && all.contains(octets), "{all}");
    // The next step is told as deep.
    press(&mut state, &[Key::Down]);
    assert!(seen(&mut state).contains("0000  02 00 00 56"));
    press(&mut state, &[Key::Up, Key::Left, Key::Left, Key::Left]);
    assert_eq!(seen(&mut state), words);
}

#[test]
fn a_long_text_is_scrolled_to_its_end_and_no_further() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    press(&mut state, &[Key::Right, Key::Right]);
    let top = screen(&mut state, 100, 20);
    press(&mut state, &[Key::PageDown]);
    let below = screen(&mut state, 100, 20);
    assert_ne!(below, top);
    press(&mut state, &[Key::PageUp]);
    assert_eq!(screen(&mut state, 100, 20), top);
    press(&mut state, &[Key::PageDown; 50]);
    let end = screen(&mut state, 100, 20);
    assert_eq!(state.scroll, state.last_scroll());
    assert!(end.contains("records"), "{end}");
    // A larger screen shows what is above.
    draw(&mut state, 100, 500);
    assert_eq!(state.scroll, 0);
    // The space bar alone leads through everything.
    let mut spaces = 0;
    while state.place() + 1 < state.tours[0].places.len() || state.scroll < state.last_scroll() {
        press(&mut state, &[Key::Space]);
        draw(&mut state, 100, 20);
        spaces += 1;
        assert!(spaces < 200);
    }
    assert!(spaces > state.tours[0].places.len());
}

#[test]
fn tab_leads_to_the_other_connection_and_back_to_the_same_step() {
    let stories = [story(), story()];
    let tour = |number: usize| {
        let page = Page {
            title: "compared",
            text: format!("page {number}\n"),
        };
        Tour::new(&stories[number], &OPTIONS, Vec::new(), vec![page])
    };
    let mut state = State::new(vec![tour(0), tour(1)], &OPTIONS);
    press(&mut state, &[Key::Down, Key::Down]);
    let before = screen(&mut state, 100, 30);
    assert!(before.contains("connection 1 of 2"));
    press(&mut state, &[Key::Tab]);
    let second = screen(&mut state, 100, 30);
    assert!(second.contains("connection 2 of 2") && second.contains("1 ClientHello"));
    press(&mut state, &[Key::End]);
    assert!(screen(&mut state, 100, 30).contains("page 1"));
    press(&mut state, &[Key::BackTab]);
    assert_eq!(screen(&mut state, 100, 30), before);
}

#[test]
fn a_narrow_terminal_has_one_pane_which_enter_turns() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let diagram = screen(&mut state, 60, 30);
    assert!(diagram.contains("─ ClientHello ─") && !diagram.contains("Why it exists"));
    press(&mut state, &[Key::Enter]);
    let text = screen(&mut state, 60, 30);
    assert!(
        !text.contains("─ ClientHello ─") && text.contains("Why it exists"),
        "{text}"
    );
    press(&mut state, &[Key::Down]);
    assert!(screen(&mut state, 60, 30).contains("2 ServerHello"));
    let both = screen(&mut state, 80, 30);
    assert!(both.contains("─ ClientHello ─") && both.contains("Why it exists"));
}

#[test]
fn help_says_what_keys_do_and_any_key_closes_it() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let before = screen(&mut state, 100, 40);
    press(&mut state, &[Key::Help]);
    let help = screen(&mut state, 100, 40);
    for text in ["PgUp PgDn", "H  handshake keys", "✗  refuted"] {
        assert!(help.contains(text), "{help}");
    }
    press(&mut state, &[Key::Leave]);
    assert_eq!(screen(&mut state, 100, 40), before);
    assert_eq!(state.press(Key::Leave), Next::Leave);
    press(&mut state, &[Key::Help]);
    assert_eq!(state.press(Key::Interrupt), Next::Leave);
}

#[test]
fn chinese_keeps_its_columns() {
    let stories = [story()];
    let options = Options {
        language: Language::Chinese,
        ..OPTIONS
    };
    let mut state = state(&stories, &options);
    for width in [80, 100, 60] {
        let buffer = draw(&mut state, width, 30);
        let is_line = |x: u16, y: u16| buffer[(x, y)].symbol() == "│";
        let lifelines = |y: u16| {
            (0..48.min(width))
                .filter(|x| is_line(*x, y))
                .collect::<Vec<_>>()
        };
        let first = lifelines(2);
        assert!(first.len() >= 2);
        for y in 3..2 + stories[0].steps.len() as u16 {
            assert_eq!(lifelines(y), first);
        }
    }
    let text = screen(&mut state, 100, 30).replace(' ', "");
    for words in ["客户端", "时间", "为何需要", "总评", "退出"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn without_colours_there_are_none() {
    let stories = [story()];
    let coloured = |colour| {
        let options = Options { colour, ..OPTIONS };
        let mut state = state(&stories, &options);
        press(&mut state, &[Key::Down, Key::Down]);
        let buffer = draw(&mut state, 100, 30);
        let is_coloured =
            |cell: &&ratatui::buffer::Cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset);
        buffer.content.iter().filter(is_coloured).count()
    };
    assert!(coloured(true) > 50);
    assert_eq!(coloured(false), 0);
}

#[test]
fn no_sequence_but_styles_gets_through() {
    let hostile =
        "a\u{1b}[2J\u{1b}]0;title\u{7}b\u{1b}[31mred\u{1b}[0m\u{9b}1mc\u{8}\n\u{1b}[5;5Hend";
    let lines = super::tour::lines(hostile);
    assert_eq!(lines.len(), 2);
    let spans = lines.iter().flat_map(|line| &line.spans);
    let mut text = String::new();
    for span in spans {
        assert!(!span.content.contains(char::is_control), "{span:?}");
        assert_eq!(span.style.fg == Some(Color::Red), span.content == "red");
        text += &span.content;
    }
    assert!(
        text.starts_with("abred") && text.ends_with("end"),
        "{text:?}"
    );
}

/// All keys of what was typed, and what is left over for more to come.
fn keys(mut typed: &[u8]) -> (Vec<Key>, &[u8]) {
    let mut keys = Vec::new();
    while let Some((key, octets)) = super::keys::first(typed) {
        keys.push(key);
        typed = &typed[octets..];
    }
    (keys, typed)
}

#[test]
fn keys_are_known_by_what_terminals_send() {
    for (typed, key) in [
        ("\u{1b}[A \u{1b}OA k", Key::Up),
        ("\u{1b}[B \u{1b}[1;2B j", Key::Down),
        ("\u{1b}[C \u{1b}OC l", Key::Right),
        ("\u{1b}[D \u{1b}[1;5D h", Key::Left),
        ("\u{1b}[H \u{1b}[1~ \u{1b}[7~ \u{1b}OH g", Key::Home),
        ("\u{1b}[F \u{1b}[4~ \u{1b}[8~ \u{1b}OF G", Key::End),
        ("\u{1b}[5~", Key::PageUp),
        ("\u{1b}[6~", Key::PageDown),
        ("\u{1b}[Z", Key::BackTab),
        ("\u{1b}OP \u{1b}[11~ ?", Key::Help),
        ("\u{1b}\u{1b} q", Key::Leave),
        ("\u{1b}x \u{1b}[200~ \u{1b}[[ x \u{7f}", Key::Other),
    ] {
        for one in typed.split(' ') {
            assert_eq!(keys(one.as_bytes()).0, [key], "{one:?}");
        }
    }
    let (typed, rest) = keys(b"j\x03\x1b[B\x1b[1;");
    assert_eq!(typed, [Key::Down, Key::Interrupt, Key::Down]);
    assert_eq!(rest, b"\x1b[1;", "more is to come");
    assert_eq!(keys("\u{4e2d}".as_bytes()).0, [Key::Other; 3]);
}

#[test]
fn what_was_written_for_a_wider_terminal_is_wrapped() {
    let line =
        "\u{1b}[1mJA3\u{1b}[0m  771,4865-4866 and  more            recommended\n  中文字符中文\n";
    let wrapped = |columns| {
        let lines = super::wrap::wrapped(super::tour::lines(line), columns);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(wrapped(60).len(), 2, "it fits as it is");
    assert_eq!(wrapped(45)[0], "JA3  771,4865-4866 and  more  recommended");
    assert_eq!(
        wrapped(15),
        [
            "JA3",
            "  771,4865-4866",
            "  and  more",
            "  recommended",
            "  中文字符中文"
        ]
    );
    for columns in 5..60 {
        let lines = wrapped(columns);
        let bare = |text: &str| text.replace(char::is_whitespace, "");
        assert!(
            lines.iter().all(|line| line.width() <= columns),
            "{lines:?}"
        );
        assert!(bare(&lines.concat()).contains("JA3771,4865-4866andmorerecommended中"));
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    prop::sample::select(vec![
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Space,
        Key::Home,
        Key::End,
        Key::Tab,
        Key::BackTab,
        Key::Enter,
        Key::Help,
        Key::Other,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever is pressed, at whatever size: there is a picture, and the step is in it where there is room.
    #[test]
    fn every_key_and_every_size_has_its_picture(
        typed in prop::collection::vec(any::<u8>(), 0..32),
        moves in prop::collection::vec((any_key(), 0_u16..140, 0_u16..50), 1..24),
        chinese: bool,
    ) {
        let language = if chinese { Language::Chinese } else { Language::English };
        let stories = [story(), story()];
        let mut state = state(&stories, &Options { language, ..OPTIONS });
        let typed = keys(&typed).0.into_iter().filter(|key| *key != Key::Interrupt);
        let typed: Vec<_> = typed.collect();
        for (number, (key, width, height)) in moves.into_iter().enumerate() {
            state.press(typed.get(number).copied().unwrap_or(key));
            let buffer = draw(&mut state, width, height);
            prop_assert!(state.scroll <= state.last_scroll());
            if width >= 80 && height >= 5 && !state.help {
                marked(&buffer);
            }
            for row in buffer.content.chunks(usize::from(width.max(1))) {
                let cut = row.windows(2).any(|two| two[0].symbol().width() > 1 && two[1].symbol() != " ");
                prop_assert!(!cut, "half of a character is covered");
            }
        }
    }
}
