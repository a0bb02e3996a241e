//! The problems found in one file, and where each of them is.

use std::collections::HashSet;
use std::ops::Range;

use super::fault::Fault;

/// One thing wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What of the file is wrong; the file as a whole where there is no such place.
    pub(super) place: Option<Range<usize>>,
    /// What it collides with.
    pub(super) earlier: Option<Range<usize>>,
    pub(super) fault: Fault,
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    /// Start of the table and key of the values that were refused.
    cut: HashSet<(usize, String)>,
}

impl Problems {
    pub(super) fn add(&mut self, place: &Range<usize>, fault: Fault) {
        self.list.push(Problem {
            place: Some(place.clone()),
            earlier: None,
            fault,
        });
    }

    /// Something that was given before, at `earlier`.
    pub(super) fn again(&mut self, place: &Range<usize>, earlier: &Range<usize>, fault: Fault) {
        self.list.push(Problem {
            place: Some(place.clone()),
            earlier: Some(earlier.clone()),
            fault,
        });
    }

    /// Something that the file as a whole lacks.
    pub(super) fn whole(&mut self, fault: Fault) {
        self.list.push(Problem {
            place: None,
            earlier: None,
            fault,
        });
    }

    /// The value, or `None` and the problem noted.
    pub(super) fn take<T>(&mut self, place: &Range<usize>, value: Result<T, Fault>) -> Option<T> {
        value.map_err(|fault| self.add(place, fault)).ok()
    }

    /// Notes that the value of a key was refused and is not there for later checks.
    pub(super) fn cut(&mut self, table: &Range<usize>, key: &str) {
        self.cut.insert((table.start, key.to_owned()));
    }

    /// Whether the table that starts at this place did have this key.
    pub(super) fn was_cut(&self, table: &Range<usize>, key: &str) -> bool {
        self.cut.contains(&(table.start, key.to_owned()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All problems, in the order of the file.
    pub(super) fn in_order(mut self) -> Vec<Problem> {
        self.list
            .sort_by_key(|problem| problem.place.as_ref().map(|place| (place.start, place.end)));
        self.list
    }
}
