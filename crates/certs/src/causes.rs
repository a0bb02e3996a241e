//! Why something failed, down to its first cause: as it is told, and as the store keeps it of an order that came to
//! nothing.

use std::error::Error;
use std::fmt::Write as _;

/// An error and what caused it, in one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Because {
        what: &'static str,
        #[source]
        of: io::Error,
    }

    #[test]
    fn every_cause_is_told_once_the_first_of_all_last() {
        let first = io::Error::other("the disk is full");
        let below = Because {
            what: "cannot write \"a\"",
            of: first,
        };
        let above = Because {
            what: "the order is not noted",
            of: io::Error::other(below),
        };
        let told = "the order is not noted: cannot write \"a\": the disk is full";
        assert_eq!(chain(&above), told);
    }
}
