//! The sequence diagram: two lifelines, and an arrow for each step, in the colour of the keys that protect
//! it.

use super::steps::checks;
use super::{MOST_STEPS, Mark, Seen, class_of};
use crate::ledger::Side;
use crate::story::{Epoch, What};

/// Where things are, in units of the picture.
const WIDTH: usize = 560;
const CLIENT: usize = 112;
const SERVER: usize = 448;
const TOP: usize = 74;
const ROW: usize = 50;
/// Above the line of completion, which stands between two steps.
const BREAK: usize = 34;

/// The diagram.
pub(super) struct Sequence {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) client: usize,
    pub(super) server: usize,
    pub(super) middle: usize,
    /// Where the lifelines end.
    pub(super) bottom: usize,
    pub(super) arrows: Vec<Arrow>,
    /// Where the handshake is complete.
    pub(super) complete: Option<usize>,
    /// Which keys protect something in it, with their classes.
    pub(super) legend: Vec<(&'static str, String)>,
}

/// A step, as an arrow.
pub(super) struct Arrow {
    pub(super) step: usize,
    pub(super) title: String,
    pub(super) side_word: &'static str,
    pub(super) epoch: &'static str,
    pub(super) epoch_word: String,
    /// Of the line.
    pub(super) y: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where the mark stands, near the head.
    pub(super) mark_x: usize,
    /// The path of its head, from its tip.
    pub(super) head: &'static str,
    pub(super) time: Option<String>,
    pub(super) octets: String,
    /// What came of its checks, where there are some.
    pub(super) mark: Option<Mark>,
    /// Whether it could not be read, or is the end of everything.
    pub(super) broken: bool,
}

impl Arrow {
    /// Whether keys protect it.
    pub(super) fn locked(&self) -> bool {
        self.epoch != "clear"
    }
}

impl Sequence {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        let (story, language) = (seen.story, seen.language);
        let checks = checks(seen);
        let mut arrows: Vec<Arrow> = Vec::new();
        let mut legend: Vec<(Epoch, String)> = Vec::new();
        let mut complete = None;
        let mut y = TOP;
        let mut time_before = None;
        for (at, step) in story.steps.iter().enumerate().take(MOST_STEPS) {
            let (from, to, head, mark_x) = match step.side {
                Side::Client => (CLIENT, SERVER, "m0 0l-9-5v10z", SERVER - 22),
                Side::Server => (SERVER, CLIENT, "m0 0l9-5v10z", CLIENT + 22),
            };
            let said = language.step(story, at);
            let time = language.duration(seen.since_start(step.at));
            let is_fatal = step.what == What::Alert && step.bytes.first() == Some(&2);
            let of_step = checks.iter().filter(|check| check.step == at);
            arrows.push(Arrow {
                step: at,
                title: said.title,
                side_word: language.side(step.side),
                epoch: class_of(step.epoch),
                epoch_word: language.epoch(step.epoch),
                y,
                from,
                to,
                mark_x,
                head,
                time: (time_before.as_ref() != Some(&time)).then(|| time.clone()),
                octets: language.octets(step.octets as u64),
                mark: worst(of_step.map(|check| check.mark)),
                broken: is_fatal || matches!(step.what, What::Sealed(_) | What::Foreign(_)),
            });
            time_before = Some(time);
            if !legend
                .iter()
                .any(|(epoch, _)| class_of(*epoch) == class_of(step.epoch))
            {
                // The first keys of their kind stand for those that follow them.
                let first = match step.epoch {
                    Epoch::Application(_) => Epoch::Application(0),
                    epoch => epoch,
                };
                legend.push((first, language.epoch(first)));
            }
            y += ROW;
            if story.agreement.complete == Some(at) {
                complete = Some(y - ROW / 2 + BREAK / 2);
                y += BREAK;
            }
        }
        legend.sort_by_key(|(epoch, _)| *epoch);
        let bottom = y - ROW + 30;
        Self {
            width: WIDTH,
            height: bottom + 6,
            client: CLIENT,
            server: SERVER,
            middle: usize::midpoint(CLIENT, SERVER),
            bottom,
            arrows,
            complete,
            legend: legend
                .into_iter()
                .map(|(epoch, word)| (class_of(epoch), word))
                .collect(),
        }
    }
}

/// The mark that says most: one refuted check weighs more than all that held.
fn worst(marks: impl Iterator<Item = Mark>) -> Option<Mark> {
    marks.min_by_key(|mark| match mark {
        Mark::Refuted => 0,
        Mark::NotDerivable => 1,
        Mark::Stated => 2,
        Mark::Confirmed => 3,
    })
}
