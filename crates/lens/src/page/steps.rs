//! The steps of a connection: what each says, why, its octets, its records, and what it made known.

use super::octets::{OctetsView, plain_hex};
use super::{Mark, Seen, class_of};
use crate::explain::fill_in;
use crate::ledger::{QuantityId, Standing};
use crate::story::{SeenRecord, Verdict, What};

/// How many records of a step are shown.
const MOST_RECORDS: usize = 32;

/// One step.
pub(super) struct StepView {
    /// From 0.
    pub(super) at: usize,
    pub(super) title: String,
    pub(super) side_word: &'static str,
    pub(super) epoch: &'static str,
    pub(super) epoch_word: String,
    pub(super) time: String,
    pub(super) octets: String,
    pub(super) says: String,
    pub(super) why: &'static str,
    pub(super) without: &'static str,
    /// None where its octets are not to be shown.
    pub(super) view: Option<OctetsView>,
    pub(super) records: Vec<RecordView>,
    pub(super) more_records: Option<String>,
    pub(super) derived: Vec<Reference>,
    pub(super) checks: Vec<CheckView>,
}

/// A record.
pub(super) struct RecordView {
    pub(super) number: usize,
    pub(super) content_type: String,
    pub(super) octets: String,
    pub(super) offset: u64,
    pub(super) opening: Option<OpeningView>,
}

/// How a record was decrypted.
pub(super) struct OpeningView {
    pub(super) sequence: u64,
    pub(super) key: Option<Reference>,
    pub(super) iv: Option<Reference>,
    pub(super) nonce: Option<String>,
    pub(super) additional_data: String,
    pub(super) carries: String,
    pub(super) padding: Option<String>,
}

/// A quantity that is spoken of elsewhere.
pub(super) struct Reference {
    /// The id of its explanation.
    pub(super) target: String,
    pub(super) name: String,
    pub(super) mark: Mark,
}

/// Something that was put to the test.
pub(super) struct CheckView {
    pub(super) mark: Mark,
    pub(super) word: &'static str,
    pub(super) claim: String,
    pub(super) verdict: String,
    pub(super) step: usize,
    pub(super) inputs: Vec<Reference>,
}

impl StepView {
    pub(super) fn new(seen: &Seen<'_>, at: usize) -> Self {
        let (story, language) = (seen.story, seen.language);
        let step = &story.steps[at];
        let said = language.step(story, at);
        let is_hidden = step.what == What::ApplicationData && !seen.shows_secrets();
        let more = step.records.len().saturating_sub(MOST_RECORDS);
        Self {
            at,
            title: said.title,
            side_word: language.side(step.side),
            epoch: class_of(step.epoch),
            epoch_word: language.epoch(step.epoch),
            time: language.duration(seen.since_start(step.at)),
            octets: language.octets(step.octets as u64),
            says: said.says,
            why: said.why,
            without: said.without,
            view: (!is_hidden).then(|| OctetsView::new(seen, &step.dissect().0, &step.bytes)),
            records: step
                .records
                .clone()
                .take(MOST_RECORDS)
                .filter_map(|number| {
                    let record = story.records.get(number)?;
                    Some(RecordView::new(seen, number, record))
                })
                .collect(),
            more_records: (more > 0).then(|| {
                fill_in(
                    language.page().more_records,
                    &[("count", &more.to_string())],
                )
            }),
            derived: step
                .derived
                .iter()
                .map(|id| Reference::new(seen, *id))
                .collect(),
            checks: checks(seen)
                .into_iter()
                .filter(|check| check.step == at)
                .collect(),
        }
    }
}

impl RecordView {
    fn new(seen: &Seen<'_>, number: usize, record: &SeenRecord) -> Self {
        let language = seen.language;
        let octets = |octets: usize| language.octets(octets as u64);
        let reference = |id: Option<QuantityId>| id.map(|id| Reference::new(seen, id));
        Self {
            number,
            content_type: record.content_type.to_string(),
            octets: octets(record.octets),
            offset: record.offset,
            opening: record.opening.as_ref().map(|opening| OpeningView {
                sequence: opening.sequence,
                key: reference(opening.key),
                iv: reference(opening.iv),
                // With the number of the record, it tells the secret that it is made of.
                nonce: seen.shows_secrets().then(|| plain_hex(&opening.nonce)),
                additional_data: plain_hex(&opening.additional_data),
                carries: format!(
                    "{}, {}",
                    opening.content_type,
                    octets(opening.content_octets)
                ),
                padding: (opening.padding > 0).then(|| octets(opening.padding)),
            }),
        }
    }
}

impl Reference {
    pub(super) fn new(seen: &Seen<'_>, id: QuantityId) -> Self {
        let ledger = &seen.story.ledger;
        Self {
            target: format!("{}-q{}", seen.id, id.number()),
            name: seen.language.quantity_name(ledger, id),
            mark: mark_of(&ledger.get(id).standing),
        }
    }
}

/// All checks of a story.
pub(super) fn checks(seen: &Seen<'_>) -> Vec<CheckView> {
    let language = seen.language;
    let view = |check: &crate::story::Check| {
        let mark = match check.verdict {
            Verdict::Confirmed => Mark::Confirmed,
            Verdict::Refuted(_) => Mark::Refuted,
            Verdict::NotDerivable(_) => Mark::NotDerivable,
        };
        CheckView {
            mark,
            word: mark.word(language.labels()),
            claim: language.claim(&check.claim),
            verdict: language.verdict(&check.verdict),
            step: check.step,
            inputs: check
                .inputs
                .iter()
                .map(|id| Reference::new(seen, *id))
                .collect(),
        }
    };
    seen.story.checks.iter().map(view).collect()
}

pub(super) fn mark_of(standing: &Standing) -> Mark {
    match standing {
        Standing::Stated => Mark::Stated,
        Standing::Confirmed(_) => Mark::Confirmed,
        Standing::Refuted(_) => Mark::Refuted,
        Standing::NotDerivable(_) => Mark::NotDerivable,
    }
}
