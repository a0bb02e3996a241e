//! What objects for a set of names are called.

use ravelin_pki::{Fingerprint, HostName};

/// `localhost-1a2b3c4d5e6f7a8b`: a name for people, the digits for the set of names, in whatever order they are given.
/// None where there is none.
pub(crate) fn stem(names: &[HostName]) -> Option<String> {
    let sorted = sorted(names);
    let plain = sorted.iter().find(|name| !name.is_wildcard());
    let shown = plain.or(sorted.first())?;
    let readable: String = shown
        .to_string()
        .chars()
        .map(|c| match c {
            '*' => '_',
            ':' => '-',
            c => c,
        })
        .take(100)
        .collect();
    let all: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    let digits = Fingerprint::of(all.join("\n").as_bytes()).to_string();
    Some(format!("{readable}-{}", &digits[..16]))
}

pub(crate) fn sorted(names: &[HostName]) -> Vec<&HostName> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort();
    names.dedup();
    names
}
