//! How an internationalised DNS name looks to people, where showing it misleads nobody.
//!
//! A name is what its A-labels say. Its look may be that of another name: so what is shown must lead back
//! to the same labels, and letters that pass for others, or turn the line around, are not shown.

use crate::distinguished_name::unprintable;

/// The Unicode form of a DNS name that has A-labels (RFC 5890): `bücher.example` of
/// `xn--bcher-kva.example`, with a wildcard label kept. To be shown beside the name, never instead.
///
/// None where no label is one, or one is malformed, and where the form could deceive: labels that mix
/// Latin, Greek, Cyrillic, Armenian or Cherokee letters, that are Cyrillic or Greek and look Latin,
/// that have letters of scripts written from right to left, joiners, or marks and letters that are
/// hardly told from ASCII (Unicode Technical Standard 39, section 4, says more of such).
#[must_use]
pub fn in_unicode(name: &str) -> Option<String> {
    let (wildcard, below) = match name.strip_prefix("*.") {
        Some(below) => ("*.", below),
        None => ("", name),
    };
    let is_a_label = |label: &str| {
        let start = label.get(..4);
        start.is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    if below.len() > 253 || !below.split('.').any(is_a_label) {
        return None;
    }
    let (unicode, result) = idna::domain_to_unicode(below);
    result.ok()?;
    let back = idna::domain_to_ascii_strict(&unicode).ok()?;
    let honest = back.eq_ignore_ascii_case(below) && unicode.split('.').all(is_plain);
    honest.then(|| format!("{wildcard}{unicode}"))
}

fn is_plain(label: &str) -> bool {
    let mut scripts = label.chars().filter_map(Script::of);
    let script = scripts.next();
    let looks_latin = match script {
        Some(Script::Cyrillic) => all_among(label, CYRILLIC_LIKE_LATIN),
        Some(Script::Greek) => all_among(label, GREEK_LIKE_LATIN),
        _ => false,
    };
    scripts.all(|other| Some(other) == script) && !looks_latin && !label.chars().any(deceives)
}

/// Scripts whose letters are taken for those of another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

impl Script {
    fn of(character: char) -> Option<Self> {
        Some(match character {
            'a'..='z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Self::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Self::Greek,
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => {
                Self::Cyrillic
            }
            '\u{530}'..='\u{58f}' => Self::Armenian,
            '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Self::Cherokee,
            _ => return None,
        })
    }
}

fn all_among(label: &str, letters: &str) -> bool {
    label
        .chars()
        .filter(|character| Script::of(*character).is_some())
        .all(|letter| letters.contains(letter))
}

const CYRILLIC_LIKE_LATIN: &str = "аһесԁіјӏոорԛгѕԝхуъьҽпѵѡ";
const GREEK_LIKE_LATIN: &str = "αγικνορτυχω";

/// Whether a letter or mark passes for ASCII or for none at all, or turns the line around.
fn deceives(character: char) -> bool {
    unprintable(character)
        || matches!(character,
            // Middle dot, dotless i and j, kra, Latin letters for phonetics, spacing modifiers and
            // combining marks.
            '\u{b7}' | '\u{131}' | '\u{237}' | '\u{138}' | '\u{250}'..='\u{36f}'
            // Joiners and other formats, fractions and slashes, what looks like one in Japanese.
            | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{206f}' | '\u{2100}'..='\u{2bff}'
            | '\u{3033}'..='\u{3035}' | '\u{a720}'..='\u{a7ff}'
            // Hebrew, Arabic and their like.
            | '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_languages_are_shown_as_they_are_written() {
        for name in [
            "bücher.example",
            "*.bücher.example",
            "пример.example",
            "παράδειγμα.example",
            "日本語.example",
            "हिन्दी.example",
            "straße.example",
        ] {
            let below = name.strip_prefix("*.");
            let ascii = idna::domain_to_ascii_strict(below.unwrap_or(name)).unwrap();
            let ascii = format!("{}{ascii}", if below.is_some() { "*." } else { "" });
            assert_eq!(in_unicode(&ascii).as_deref(), Some(name), "{ascii}");
            assert_eq!(in_unicode(&ascii.to_uppercase()).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_no_international_name_has_no_other_form() {
        for name in [
            "example.org",
            "localhost",
            "",
            "xn--",
            "xn--zz.example",
            "xn--example-.org",
            // What is written is no name of IDNA, or another.
            "xn--a.example",
            "xn--BCHER-kva-.example",
            &format!("xn--bcher-kva.{}", "a.".repeat(150)),
        ] {
            assert_eq!(in_unicode(name), None, "{name}");
        }
    }

    /// The names that were registered to show how it is done, and what else deceives.
    #[test]
    fn names_that_look_like_others_are_not_shown() {
        for name in [
            // аррӏе.com, all Cyrillic, and аpple.com with one letter of it.
            "xn--80ak6aa92e.com",
            "xn--pple-43d.com",
            // оорs in Cyrillic and Latin, νίο in Greek with an o of Latin.
            "оорs.example",
            "νiο.example",
            "κοντα.example",
            // A dotless i, a phonetic g, a Hebrew and an Arabic name, a joiner, a mark.
            "gıthub.example",
            "ɡoogle.example",
            "ישראל.example",
            "مثال.example",
            "क्\u{200d}ष.example",
            "q\u{307}a.example",
            "a·b.example",
        ] {
            let ascii = idna::domain_to_ascii_strict(name).unwrap();
            assert!(ascii.contains("xn--"), "{name}");
            assert_eq!(in_unicode(&ascii), None, "{name} {ascii}");
        }
    }
}
