//! The answer is no: something that was put to the test does not hold.

use ravelin_lens::explain::fill_in;
use ravelin_lens::story::{Check, Claim, Refutation, Verdict};
use ravelin_pki::verify::Problem;

use super::{Errors, counted};
use crate::failure::Failure;

impl Errors {
    /// A connection of which a check came out wrong. `name` is what was looked at.
    pub(crate) fn does_not_hold(self, name: &str, check: &Check) -> Failure {
        let values = [
            ("name", name),
            ("claim", &*self.language.claim(&check.claim)),
            ("why", &*self.language.verdict(&check.verdict)),
        ];
        Failure::answer(fill_in(self.words.does_not_hold, &values)).hint(self.check_hint(check))
    }

    fn check_hint(self, check: &Check) -> Option<String> {
        let Verdict::Refuted(Refutation::BadChain(failures)) = &check.verdict else {
            return None;
        };
        if !matches!(check.claim, Claim::Chain(_)) {
            return None;
        }
        let is_any =
            |wanted: fn(&Problem) -> bool| failures.iter().any(|failure| wanted(&failure.problem));
        if is_any(|problem| {
            matches!(
                problem,
                Problem::NotTrusted { .. } | Problem::IssuerMissing { .. }
            )
        }) {
            Some(self.words.trust_hint.to_owned())
        } else if is_any(|problem| matches!(problem, Problem::WrongHost { .. })) {
            Some(self.words.host_hint.to_owned())
        } else {
            None
        }
    }

    /// The keys that are known are none of the connection's.
    pub(crate) fn wrong_keys(self) -> Failure {
        Failure::answer(self.words.wrong_keys).hint(self.words.wrong_keys_hint.to_owned())
    }

    /// So many connections of a capture have other keys than those that are known.
    pub(crate) fn wrong_keys_of(self, count: u64, name: &str) -> Failure {
        let words = self.words;
        let text = [words.wrong_keys_one, words.wrong_keys_many];
        Failure::answer(counted(count, text, &[("name", name)]))
            .hint(words.wrong_keys_hint.to_owned())
    }

    /// Of so many connections of a capture something does not hold.
    pub(crate) fn some_do_not_hold(self, count: u64, name: &str) -> Failure {
        let words = self.words;
        let text = [words.one_does_not_hold, words.more_do_not_hold];
        Failure::answer(counted(count, text, &[("name", name)]))
            .hint(words.which_fails_hint.to_owned())
    }

    /// The second connection began anew.
    pub(crate) fn not_resumed(self) -> Failure {
        Failure::answer(self.words.not_resumed)
    }
}
