//! Files that were served lately, with everything about them that does not change.
//!
//! One cache a worker, so that no lock is shared. An entry is checked against the file system once
//! in each turn of the event loop (see [`Turn`]): a file that changes is served changed, always.
//! That check is one `stat`, about 0.7 µs, shared by all requests that arrive together.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt};
use http::HeaderValue;

use super::folder::{Folder, Identity};
use crate::conditional::EntityTag;
use crate::media;
use crate::prepared::PreparedFields;
use crate::worker::Turn;

/// Files up to this size are kept in memory.
pub(crate) const IN_MEMORY: u64 = 256 * 1024;

/// What the cache of one worker may hold.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const MAX_ENTRIES: usize = 4096;

/// What an entry costs beside its content, and what an open file descriptor is reckoned at, so
/// that at most 256 are kept open.
const ENTRY_COST: usize = 1024;
const OPEN_FILE_COST: usize = 128 * 1024;

/// A file changed less than this ago may change again within one tick of the file system's clock,
/// and nobody could tell: such content is not kept.
const SETTLED: Duration = Duration::from_millis(40);

/// A file as it can be served.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it lies, relative to its folder.
    pub(crate) location: Box<[u8]>,
    pub(crate) identity: Identity,
    pub(crate) content: Content,
    pub(crate) content_type: HeaderValue,
    pub(crate) content_length: HeaderValue,
    pub(crate) etag: EntityTag,
    pub(crate) modified: SystemTime,
    pub(crate) last_modified: HeaderValue,
    pub(crate) compressible: bool,
    /// The content compressed, by coding, made when first asked for.
    pub(crate) compressed: [OnceCell<(Bytes, EntityTag)>; 3],
    /// The fields of a plain answer with this file as it is.
    pub(crate) prepared: OnceCell<Rc<PreparedFields>>,
    /// The turn in which the entry was last found true.
    checked: Cell<u64>,
    used: Cell<bool>,
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

impl Entry {
    pub(crate) fn new(location: &[u8], identity: Identity, content: Content) -> Self {
        let modified = identity.modified();
        let content_type = media::of_name(location);
        Self {
            location: location.into(),
            content,
            compressible: media::is_compressible(&content_type),
            content_type,
            content_length: identity.size().into(),
            etag: EntityTag::of_file(modified, identity.size()),
            modified,
            last_modified: HeaderValue::try_from(httpdate::fmt_http_date(modified))
                .unwrap_or(HeaderValue::from_static("")),
            identity,
            compressed: Default::default(),
            prepared: OnceCell::new(),
            checked: Cell::new(0),
            used: Cell::new(true),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.identity.size()
    }

    /// Whether the file is still as it was read, asked at most once a turn.
    fn is_current(&self, folder: &Folder, turn: u64) -> bool {
        if self.checked.get() == turn {
            return true;
        }
        let current = folder.identity(&self.location) == Some(self.identity);
        if current {
            self.checked.set(turn);
        }
        current
    }

    /// Whether a change would show: the last one is long enough ago.
    fn is_settled(&self) -> bool {
        SystemTime::now()
            .duration_since(self.modified)
            .is_ok_and(|age| age > SETTLED)
    }

    fn cost(&self) -> usize {
        ENTRY_COST
            + match &self.content {
                // Compressed forms are smaller; reckoned as if all three were there.
                Content::Memory(bytes) => bytes.len() * if self.compressible { 2 } else { 1 },
                Content::File(_) => OPEN_FILE_COST,
            }
    }
}

/// Entries by the name that they were asked for, those used lately kept (second chance).
#[derive(Debug)]
pub(crate) struct Cache {
    turn: Turn,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Box<[u8]>, Rc<Entry>>,
    order: VecDeque<Box<[u8]>>,
    cost: usize,
}

impl Cache {
    pub(crate) fn new(turn: Turn) -> Self {
        Self {
            turn,
            state: RefCell::new(State {
                entries: HashMap::new(),
                ..State::default()
            }),
        }
    }

    /// The entry for `name`, if the file is still as it was.
    pub(crate) fn get(&self, folder: &Folder, name: &[u8]) -> Option<Rc<Entry>> {
        let mut state = self.state.borrow_mut();
        let entry = state.entries.get(name)?;
        if entry.is_current(folder, self.turn.number()) {
            entry.used.set(true);
            return Some(entry.clone());
        }
        let outdated = state.entries.remove(name)?;
        state.cost -= outdated.cost();
        None
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.state.take();
    }

    /// Keeps `entry` under `name`, at the cost of what was not used lately.
    pub(crate) fn insert(&self, name: &[u8], entry: &Rc<Entry>) {
        entry.checked.set(self.turn.number());
        if !entry.is_settled() {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        state.cost += entry.cost();
        match state.entries.insert(name.into(), entry.clone()) {
            Some(replaced) => state.cost -= replaced.cost(),
            None => state.order.push_back(name.into()),
        }
        while state.cost > MAX_BYTES || state.order.len() > MAX_ENTRIES {
            let Some(name) = state.order.pop_front() else {
                break;
            };
            match state.entries.get(&name) {
                Some(entry) if entry.used.replace(false) => state.order.push_back(name),
                Some(_) => {
                    if let Some(gone) = state.entries.remove(&name) {
                        state.cost -= gone.cost();
                    }
                }
                None => {}
            }
        }
    }
}
