//! Keeps passwords and their hashes out of what is shown of the file.
//!
//! A report shows lines of the file as they stand, and a line that is wrong near a password often
//! holds it. Everything in a table called `auth` or `users`, but the realm, is masked, also where
//! the file is no TOML and only its words tell.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// `text` with asterisks in place of secrets, byte for byte, so that places stay true.
pub(super) fn masked(text: &str, document: &DeTable<'_>, broken: bool) -> String {
    let mut secrets = Vec::new();
    in_table(document, false, &mut secrets);
    hashes(text, &mut secrets);
    if broken {
        near_words(text, &mut secrets);
    }
    let mut bytes = text.as_bytes().to_vec();
    for secret in secrets {
        for byte in bytes.get_mut(secret).into_iter().flatten() {
            if !byte.is_ascii_whitespace() {
                *byte = b'*';
            }
        }
    }
    // The spans are whole characters, so what is left is UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Keys whose values are not shown, misspelt or out of place though they may be.
const GUARDED: [&str; 6] = ["auth", "user", "users", "password", "passwords", "secret"];

fn in_table(table: &DeTable<'_>, guarded: bool, secrets: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let guarded = (guarded && key != "realm") || GUARDED.contains(&key);
        in_value(value.get_ref(), value.span(), guarded, secrets);
    }
}

fn in_value(
    value: &DeValue<'_>,
    place: Range<usize>,
    guarded: bool,
    secrets: &mut Vec<Range<usize>>,
) {
    match value {
        DeValue::Table(table) => in_table(table, guarded, secrets),
        DeValue::Array(array) => {
            for item in array {
                in_value(item.get_ref(), item.span(), guarded, secrets);
            }
        }
        _ if guarded => secrets.push(place),
        _ => {}
    }
}

/// PHC strings, wherever they stand.
fn hashes(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (start, _) in text.match_indices("$argon2") {
        let length = text[start..]
            .find(['"', '\'', '\n'])
            .unwrap_or(text.len() - start);
        secrets.push(start..start + length);
    }
}

/// From a guarded word to the next table: where the file is broken, what belongs to the word cannot
/// be told more exactly.
fn near_words(text: &str, secrets: &mut Vec<Range<usize>>) {
    let mut guarded = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let word = GUARDED
            .iter()
            .filter_map(|word| line.find(word).map(|at| at + word.len()))
            .min();
        if line.trim_start().starts_with('[') {
            guarded = word.is_some();
        } else if guarded || word.is_some() {
            let from = if guarded { 0 } else { word.unwrap_or(0) };
            secrets.push(start + from..start + line.len());
            guarded = true;
        }
        start += line.len();
    }
}
