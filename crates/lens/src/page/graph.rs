//! The key schedule as a picture: quantities are boxes, and what is computed of them is beside or below.
//!
//! What comes from outside stands in a lane on the left. The secrets of the stages, each extracted from
//! the one before, go down the spine; what is derived of each goes to the right.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::octets::plain_hex;
use super::steps::{Reference, mark_of};
use super::{Mark, Seen, class_of_side};
use crate::explain::fill_in;
use crate::ledger::{Formula, Ledger, QuantityId};

/// How many quantities are drawn and told.
const MOST_QUANTITIES: usize = 160;

/// Where the columns begin and how wide their boxes are, in units of the picture: the lane, the spine,
/// and what is derived in one, two and three steps.
const COLUMNS: [(usize, usize); 5] = [(0, 214), (246, 152), (506, 284), (868, 128), (1054, 116)];
const LANE: usize = 0;
const SPINE: usize = 1;
const WIDTH: usize = 1172;
const ROW: usize = 44;
/// How high boxes are, as the style has it.
const BOX: usize = 30;
const TOP: usize = 10;

/// How wide a character is at most, in tenths of a unit, and what is beside a name: margins and a mark.
const CHARACTER: usize = 73;
const BESIDE_NAME: usize = 28;

/// The picture, and what is told of each quantity.
pub(super) struct Graph {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) quantities: Vec<QuantityView>,
    pub(super) more: Option<String>,
}

/// A quantity as a box.
pub(super) struct Node {
    pub(super) target: String,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    /// As much of its name as there is room for.
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) side: &'static str,
    pub(super) mark: Mark,
    pub(super) mark_word: &'static str,
    /// Whether it comes from outside.
    pub(super) outside: bool,
}

/// An input of a formula.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) path: String,
    /// Whether it is the secret of the formula, rather than what is mixed in.
    pub(super) main: bool,
    /// The label of the formula, and where it stands.
    pub(super) label: Option<(String, usize, usize)>,
}

/// What is told of a quantity.
pub(super) struct QuantityView {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    /// The quantity at which that was told before.
    pub(super) told_at: Option<String>,
    pub(super) formula: String,
    pub(super) inputs: Vec<Reference>,
    pub(super) value: Value,
    pub(super) octets: Option<String>,
    pub(super) mark: Mark,
    pub(super) standing: String,
}

/// The value of a quantity, as a page shows it.
pub(super) enum Value {
    Shown(String),
    Hidden,
    Unknown,
}

impl Graph {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        let ledger = &seen.story.ledger;
        let total = ledger.iter().count();
        let layout = Layout::of(ledger);
        let mut nodes = Vec::new();
        let mut edges = Vec::new();
        let mut quantities = Vec::new();
        // Where what quantities of a name are is told of. It is the same for all, and long.
        let mut told: HashMap<&str, usize> = HashMap::new();
        for (id, quantity) in ledger.iter().take(MOST_QUANTITIES) {
            if let Some(place) = layout.places.get(&id) {
                nodes.push(Node::new(seen, id, *place));
                edges.extend(edges_of(ledger, &layout, id));
            }
            let mut view = QuantityView::new(seen, id);
            match told.entry(quantity.name) {
                Entry::Occupied(first) => {
                    view.told_at = Some(format!("{}-q{}", seen.id, first.get()));
                }
                Entry::Vacant(first) => {
                    first.insert(view.number);
                }
            }
            quantities.push(view);
        }
        // What was derived first is drawn last, above the lines that pass below it.
        edges.sort_by_key(|edge| edge.main);
        let more = total.saturating_sub(MOST_QUANTITIES);
        Self {
            width: WIDTH,
            height: TOP * 2 + layout.rows.max(1) * ROW,
            nodes,
            edges,
            quantities,
            more: (more > 0).then(|| {
                fill_in(
                    seen.language.page().more_quantities,
                    &[("count", &more.to_string())],
                )
            }),
        }
    }
}

impl Node {
    fn new(seen: &Seen<'_>, id: QuantityId, place: Place) -> Self {
        let quantity = seen.story.ledger.get(id);
        let full_name = seen.language.quantity_name(&seen.story.ledger, id);
        let (x, width) = COLUMNS[place.column];
        let room = (width - BESIDE_NAME) * 10 / CHARACTER;
        let mark = mark_of(&quantity.standing);
        Self {
            target: format!("{}-q{}", seen.id, id.number()),
            x,
            y: TOP + place.row * ROW,
            width,
            // In the picture the colour tells whose it is.
            name: shortened(
                if place.column == LANE {
                    &full_name
                } else {
                    quantity.name
                },
                room,
            ),
            full_name,
            side: quantity.side.map_or("both", class_of_side),
            mark,
            mark_word: mark.word(seen.language.labels()),
            outside: place.column == LANE,
        }
    }
}

impl QuantityView {
    fn new(seen: &Seen<'_>, id: QuantityId) -> Self {
        let (ledger, language) = (&seen.story.ledger, seen.language);
        let quantity = ledger.get(id);
        let said = language.quantity(quantity.name);
        Self {
            number: id.number(),
            name: language.quantity_name(ledger, id),
            what: said.what,
            why: said.why,
            told_at: None,
            formula: language.formula(ledger, id),
            inputs: distinct(quantity.formula.inputs())
                .into_iter()
                .map(|input| Reference::new(seen, input))
                .collect(),
            value: Value::of(seen, id),
            octets: ledger
                .value(id)
                .map(|value| language.octets(value.len() as u64)),
            mark: mark_of(&quantity.standing),
            standing: language.standing(ledger, id),
        }
    }
}

impl Value {
    fn of(seen: &Seen<'_>, id: QuantityId) -> Self {
        let quantity = seen.story.ledger.get(id);
        match (quantity.shown(seen.secrets), &quantity.value) {
            (Some(value), _) => Self::Shown(plain_hex(value)),
            (None, Some(_)) => Self::Hidden,
            (None, None) => Self::Unknown,
        }
    }
}

/// Where a box is.
#[derive(Debug, Clone, Copy)]
struct Place {
    column: usize,
    row: usize,
}

/// Where all boxes are.
struct Layout {
    places: HashMap<QuantityId, Place>,
    rows: usize,
}

impl Layout {
    fn of(ledger: &Ledger) -> Self {
        let ids: Vec<QuantityId> = ledger
            .iter()
            .take(MOST_QUANTITIES)
            .map(|(id, _)| id)
            .collect();
        let salts: HashSet<QuantityId> = ids
            .iter()
            .filter_map(|id| match ledger.get(*id).formula {
                Formula::Extract { salt, .. } => Some(salt),
                _ => None,
            })
            .collect();
        let mut children: HashMap<QuantityId, Vec<QuantityId>> = HashMap::new();
        let mut tops = Vec::new();
        for id in &ids {
            match parent(ledger, *id) {
                Some(parent) => children.entry(parent).or_default().push(*id),
                None if !is_outside(ledger, *id) => tops.push(*id),
                None => {}
            }
        }
        let mut layout = Self {
            places: HashMap::new(),
            rows: 0,
        };
        for top in tops {
            layout.spine(ledger, top, &children, &salts);
        }
        layout.lane(ledger, &ids);
        layout
    }

    /// Goes down the spine from `id`: what is derived of it first, then the next stage.
    fn spine(
        &mut self,
        ledger: &Ledger,
        id: QuantityId,
        children: &HashMap<QuantityId, Vec<QuantityId>>,
        salts: &HashSet<QuantityId>,
    ) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let row = self.rows;
            self.places.insert(id, Place { column: SPINE, row });
            let mut below = row;
            for child in children.get(&id).into_iter().flatten() {
                let is_stage = matches!(ledger.get(*child).formula, Formula::Extract { .. });
                if salts.contains(child) || is_stage {
                    next = Some(*child);
                } else {
                    below = self.branch(ledger, *child, SPINE + 1, below, children);
                }
            }
            self.rows = below.max(row + 1);
        }
    }

    /// Places `id` at this column and row, and what is derived of it to the right; gives the row below all
    /// of it.
    fn branch(
        &mut self,
        ledger: &Ledger,
        id: QuantityId,
        column: usize,
        row: usize,
        children: &HashMap<QuantityId, Vec<QuantityId>>,
    ) -> usize {
        let column = column.min(COLUMNS.len() - 1);
        self.places.insert(id, Place { column, row });
        let mut below = row;
        let mut updates = Vec::new();
        for child in children.get(&id).into_iter().flatten() {
            if is_update(ledger, *child) || column + 1 == COLUMNS.len() {
                updates.push(*child);
            } else {
                below = self.branch(ledger, *child, column + 1, below, children);
            }
        }
        below = below.max(row + 1);
        // Keys that take the place of others stand below them.
        for update in updates {
            below = self.branch(ledger, update, column, below, children);
        }
        below
    }

    /// Places what comes from outside, each beside the first that it is used for, as far as there is room.
    fn lane(&mut self, ledger: &Ledger, ids: &[QuantityId]) {
        let mut taken = HashSet::new();
        for id in ids.iter().filter(|id| is_outside(ledger, **id)) {
            let user = ids
                .iter()
                .filter(|user| ledger.get(**user).formula.inputs().contains(id))
                .filter_map(|user| self.places.get(user).map(|place| place.row))
                .min();
            // What nothing is derived of, but a signature is over, stands below all others.
            let mut row = user.unwrap_or(self.rows);
            while !taken.insert(row) {
                row += 1;
            }
            self.places.insert(*id, Place { column: LANE, row });
            self.rows = self.rows.max(row + 1);
        }
    }
}

/// The secret that a quantity is derived of; the salt, where one stage is extracted from another.
fn parent(ledger: &Ledger, id: QuantityId) -> Option<QuantityId> {
    let parent = match &ledger.get(id).formula {
        Formula::Extract { salt, .. } => *salt,
        Formula::ExpandLabel { secret, .. }
        | Formula::Prf { secret, .. }
        | Formula::Ssl3Inside { secret, .. }
        | Formula::Ssl3Outside { secret, .. } => *secret,
        Formula::Digest { parts, .. } => *parts.first()?,
        Formula::Hmac { key, .. } => *key,
        Formula::Part { of, .. } => *of,
        _ => return None,
    };
    (!is_outside(ledger, parent)).then_some(parent)
}

fn is_outside(ledger: &Ledger, id: QuantityId) -> bool {
    matches!(
        ledger.get(id).formula,
        Formula::Given | Formula::Zeros(_) | Formula::EmptyHash(_) | Formula::TranscriptHash { .. }
    )
}

fn is_update(ledger: &Ledger, id: QuantityId) -> bool {
    matches!(ledger.get(id).formula, Formula::ExpandLabel { label, .. } if label == "traffic upd")
}

fn edges_of(ledger: &Ledger, layout: &Layout, id: QuantityId) -> Vec<Edge> {
    let Some(to) = layout.places.get(&id) else {
        return Vec::new();
    };
    let formula = &ledger.get(id).formula;
    let secret = parent(ledger, id);
    let edge = |input: QuantityId| {
        let from = layout.places.get(&input)?;
        let is_extracted = matches!(formula, Formula::Extract { secret, .. } if *secret == input);
        let main = Some(input) == secret || is_extracted;
        let label = main.then(|| label_of(formula)).flatten();
        Some(Edge {
            from: input.number(),
            to: id.number(),
            path: path(*from, *to),
            main,
            label: label.and_then(|label| {
                let (x, _) = COLUMNS[to.column];
                let y = TOP + to.row * ROW + BOX / 2 - 5;
                (to.column > from.column).then(|| (label, x - 8, y))
            }),
        })
    };
    distinct(formula.inputs())
        .into_iter()
        .filter_map(edge)
        .collect()
}

/// What the formula calls what it derives.
fn label_of(formula: &Formula) -> Option<String> {
    match formula {
        Formula::ExpandLabel { label, .. } | Formula::Prf { label, .. } => {
            (!label.is_empty()).then(|| (*label).to_owned())
        }
        Formula::Hmac { .. } => Some("HMAC".to_owned()),
        Formula::Digest { .. } | Formula::Ssl3Inside { .. } | Formula::Ssl3Outside { .. } => {
            Some("hash".to_owned())
        }
        _ => None,
    }
}

/// A line from the right of one box to the left of another, or down to the one below.
fn path(from: Place, to: Place) -> String {
    let (from_x, from_width) = COLUMNS[from.column];
    let (to_x, to_width) = COLUMNS[to.column];
    let top = |place: Place| TOP + place.row * ROW;
    if from.column == to.column {
        let (x, end_x) = (from_x + 22, to_x + to_width.min(44) / 2);
        return format!("M{x} {}L{end_x} {}", top(from) + BOX, top(to));
    }
    let (x, y) = (from_x + from_width, top(from) + BOX / 2);
    let end = top(to) + BOX / 2;
    if y == end {
        return format!("M{x} {y}H{to_x}");
    }
    // It leaves the box, goes down, and turns into the other with round corners.
    let turn = x + 14;
    let (before, after) = if end > y {
        (end - 8, end)
    } else {
        (end + 8, end)
    };
    let start = if end > y { y + 8 } else { y - 8 };
    format!(
        "M{x} {y}H{}Q{turn} {y} {turn} {start}V{before}Q{turn} {after} {} {after}H{to_x}",
        turn - 8,
        turn + 8
    )
}

fn shortened(name: &str, room: usize) -> String {
    if name.chars().count() <= room {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Each once, in their order.
fn distinct(ids: Vec<QuantityId>) -> Vec<QuantityId> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}
