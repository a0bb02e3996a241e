//! The addresses of a command: on its line among the items, and in a file, one a line.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ravelin_client::{Body, Request};

use super::download::numbered;
use crate::arguments::get::RequestArguments;
use crate::failure::Failure;
use crate::key;

/// The addresses, in their order, and what is left for items.
pub(super) fn read(arguments: &RequestArguments) -> Result<(Vec<String>, Vec<String>), Failure> {
    let mut addresses = Vec::new();
    let mut items = Vec::new();
    for (place, word) in arguments.words.iter().enumerate() {
        let is_first = place == 0 && arguments.urls.is_none();
        if is_first || word.starts_with("https://") || word.starts_with("http://") {
            addresses.push(word.clone());
        } else {
            items.push(word.clone());
        }
    }
    if let Some(file) = &arguments.urls {
        let body = arguments.body.body.as_deref();
        if key::is_standard(file) && body.is_some_and(key::is_standard) {
            return Err(Failure::usage(
                "standard input is --urls or --body, not both",
            ));
        }
        addresses.extend(lines(file)?);
    }
    Ok((addresses, items))
}

/// The lines of a file, but for empty ones and those that begin with `#`.
fn lines(file: &Path) -> Result<Vec<String>, Failure> {
    let what = key::shown(file);
    let text = String::from_utf8(key::read_file(file)?)
        .map_err(|_| Failure::usage(format!("\"{what}\" is no text")))?;
    let lines = text.lines().map(str::trim);
    let addresses: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if addresses.is_empty() {
        return Err(Failure::usage(format!("there is no address in \"{what}\"")));
    }
    Ok(addresses)
}

/// Refuses what is about one address where there are several.
pub(super) fn refuse_what_is_for_one(
    arguments: &RequestArguments,
    requests: &[Request],
    body: &Body,
) -> Result<(), Failure> {
    let output = &arguments.output;
    let count = requests.len();
    if output.output.is_some() || output.checksum.is_some() {
        let option = if output.output.is_some() {
            "--output"
        } else {
            "--checksum"
        };
        return Err(Failure::usage(format!(
            "{option} is for one file, and there are {count} addresses"
        ))
        .hint("--download calls each file as its server does".to_owned()));
    }
    if !body.can_repeat() {
        return Err(Failure::usage(format!(
            "standard input can be sent once, and there are {count} addresses"
        )));
    }
    let origins: HashSet<_> = requests.iter().map(|one| one.url().origin()).collect();
    if arguments.login.session.is_some() && origins.len() > 1 {
        return Err(Failure::usage(
            "--session is for one host, and there are several",
        ));
    }
    Ok(())
}

/// What the files of several addresses are called here: those of one name get numbers, which are the same each time.
pub(super) fn apart(names: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut taken: HashMap<PathBuf, u32> = HashMap::new();
    names
        .map(|name| {
            let mut number = taken.get(&name).copied().unwrap_or(0);
            let mut free = numbered(&name, number);
            while number > 0 && taken.contains_key(&free) {
                number += 1;
                free = numbered(&name, number);
            }
            taken.insert(name, number + 1);
            taken.entry(free.clone()).or_insert(1);
            free
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_told_apart() {
        let names = ["a.txt", "a.txt", "a-1.txt", "b", "a.txt"].map(PathBuf::from);
        let apart = apart(names.into_iter());
        let expected = ["a.txt", "a-1.txt", "a-1-1.txt", "b", "a-2.txt"].map(PathBuf::from);
        assert_eq!(apart, expected);
    }
}
