//! Where a certificate lies among all: by its end, and among those that end in the same second by the
//! number of its entry.
//!
//! It is one number, the key of the table: the branches of a tree by that are small and few, so that
//! a certificate among a million is put where it belongs by reading a page or two.

use std::time::SystemTime;

use rusqlite::Row;
use rusqlite::types::Value;

use crate::journal::form::seconds;

/// A place. Those of two certificates are the same only where they end in the same second and 2²⁴
/// entries lie between them; then the latter takes the next that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(i64);

impl Place {
    /// The place of the certificate that ends in a second since 1970 and was issued by an entry.
    pub(crate) fn new(not_after: i64, sequence: u64) -> Self {
        let low = sequence & ((1 << ENTRY_BITS) - 1);
        Self(Self::from_end(not_after).0 | low.cast_signed())
    }

    /// The first place of certificates that do not end before a second. Ends beyond what the journal
    /// can tell, which are years of four digits, are as good as the farthest.
    pub(crate) fn from_end(not_after: i64) -> Self {
        const FARTHEST: i64 = 1 << (62 - ENTRY_BITS);
        Self(not_after.clamp(-FARTHEST, FARTHEST) << ENTRY_BITS)
    }

    pub(crate) fn of_row(row: &Row<'_>, column: usize) -> Result<Self, rusqlite::Error> {
        row.get(column).map(Self)
    }

    /// Whether it is that of a certificate that ends at a time.
    pub(crate) fn is_of(self, not_after: SystemTime) -> bool {
        seconds(not_after) == Some(self.0 >> ENTRY_BITS)
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }
}

impl From<Place> for Value {
    fn from(place: Place) -> Self {
        Self::Integer(place.0)
    }
}

/// Bits of the number of the entry that are in a place.
const ENTRY_BITS: u32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_ends_whatever_the_year() {
        let year_0 = -62_167_219_200;
        let year_9999 = 253_402_300_799;
        let ends = [i64::MIN, year_0, -1, 0, 1, year_9999, i64::MAX];
        let places: Vec<i64> = ends
            .iter()
            .flat_map(|end| [0, 1, 9_999_999].map(|sequence| Place::new(*end, sequence)))
            .map(Place::number)
            .collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        assert_eq!(Place::new(-1, 1 << 24), Place::from_end(-1));
    }
}
