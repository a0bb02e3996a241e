//! Files that were served lately, with everything about them that does not change.
//!
//! One cache a folder and worker, so that no lock is shared, and one [`Room`] that all caches of a
//! worker have together. An entry is checked against the file system once in each turn
//! of the event loop (see [`Turn`]): a file that changes is served changed, always. That check is
//! one `stat`, about 0.5 µs, shared by all requests that arrive together.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt};
use http::HeaderValue;
use tokio::sync;

use super::Opened;
use super::folder::{Folder, Identity};
use crate::conditional::EntityTag;
use crate::media;
use crate::negotiation::Coding;
use crate::prepared::PreparedFields;
use crate::worker::Turn;

/// Codings of precompressed files and of dynamic compression, best first.
pub(crate) const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

/// Files up to this size are kept in memory.
pub(crate) const IN_MEMORY: u64 = 256 * 1024;

/// What the caches of one worker may hold.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const MAX_ENTRIES: usize = 4096;

/// Folders that one worker keeps open: a server of ten thousand sites has few of them in use, and
/// opening one costs a microsecond or two.
const MAX_FOLDERS: usize = 256;

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
    pub(crate) etag: EntityTag,
    pub(crate) modified: SystemTime,
    pub(crate) last_modified: HeaderValue,
    /// The coding that it is in by itself. It is served in no other.
    pub(crate) coding: Coding,
    pub(crate) compressible: bool,
    /// The content compressed, by coding, made when first asked for; `None` where that did not make
    /// it shorter.
    coded: [sync::OnceCell<Option<Coded>>; CODINGS.len()],
    lacks: Cell<Lacks>,
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
    File { file: Arc<File>, size: u64 },
}

/// Precompressed files that are known not to lie beside a file.
#[derive(Debug, Clone, Copy, Default)]
struct Lacks {
    /// By coding, for as long as the folder that they would lie in is as it was.
    codings: [bool; CODINGS.len()],
    parent: Option<Identity>,
    /// The turn in which that was last found true.
    checked: u64,
}

/// A file's content compressed.
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) content: Content,
    pub(crate) etag: EntityTag,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }
}

impl Entry {
    pub(crate) fn new(location: &[u8], identity: Identity, content: Content) -> Self {
        let modified = identity.modified();
        let content_type = media::of_name(location);
        let coding = media::coding_of_name(location);
        // Not of the time and the length alone: whoever builds reproducibly sets all times to one
        // moment, and the new content under the old tag would never reach those who have the old.
        // What is too long to be read now is told apart by what the kernel notes of each change.
        // The machines of a fleet have different tags for it then: a download that is cut can go
        // on only where it began, and begins anew elsewhere.
        let etag = match &content {
            Content::Memory(bytes) => EntityTag::of(bytes),
            Content::File { .. } => EntityTag::of(&identity.to_bytes()),
        };
        Self {
            location: location.into(),
            content,
            compressible: coding == Coding::Identity && media::is_compressible(&content_type),
            coding,
            content_type,
            etag,
            modified,
            last_modified: HeaderValue::try_from(httpdate::fmt_http_date(modified))
                .unwrap_or(HeaderValue::from_static("")),
            identity,
            coded: Default::default(),
            lacks: Cell::default(),
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

    /// The content in this coding, where it has been made.
    pub(crate) fn coded(&self, coding: Coding) -> &sync::OnceCell<Option<Coded>> {
        &self.coded[slot(coding)]
    }

    /// Notes that no file in this coding lies beside it. To be called in the turn in which
    /// [`Cache::offered`] was.
    pub(crate) fn note_lack(&self, coding: Coding) {
        let mut lacks = self.lacks.get();
        // As with files: one that is made within the same tick would not show.
        if lacks.parent.is_some_and(is_settled) {
            lacks.codings[slot(coding)] = true;
            self.lacks.set(lacks);
        }
    }

    /// The folder that it lies in, relative to the one that is served.
    fn parent(&self) -> &[u8] {
        match memchr::memrchr(b'/', &self.location) {
            Some(slash) => &self.location[..slash],
            None => b".",
        }
    }

    fn cost(&self) -> usize {
        ENTRY_COST
            + match &self.content {
                // Compressed forms are smaller; reckoned as if all three were there.
                Content::Memory(bytes) => bytes.len() * if self.compressible { 2 } else { 1 },
                Content::File { .. } => OPEN_FILE_COST,
            }
    }
}

fn slot(coding: Coding) -> usize {
    CODINGS
        .iter()
        .position(|known| *known == coding)
        .unwrap_or(0)
}

/// Whether a change would show: the last one is long enough ago by the kernel's own clock, which
/// nobody sets to a time to come, as archives do with the time of modification.
fn is_settled(identity: Identity) -> bool {
    SystemTime::now()
        .duration_since(identity.changed())
        .is_ok_and(|age| age > SETTLED)
}

/// Entries of one folder, by the name that they were asked for.
pub(crate) struct Cache {
    turn: Turn,
    entries: Rc<Entries>,
    room: Rc<Room>,
}

type Entries = RefCell<HashMap<Box<[u8]>, Rc<Entry>>>;

impl Cache {
    pub(crate) fn new(turn: Turn, room: Rc<Room>) -> Self {
        Self {
            turn,
            entries: Rc::new(RefCell::new(HashMap::new())),
            room,
        }
    }

    /// The entry for `name`, if the file is still as it was. An outdated one stays in its place until
    /// the new one takes it, or its turn to go has come.
    pub(crate) fn get(&self, folder: &Folder, name: &[u8]) -> Option<Rc<Entry>> {
        let entries = self.entries.borrow();
        let entry = entries.get(name)?;
        entry.is_current(folder, self.turn.number()).then(|| {
            entry.used.set(true);
            entry.clone()
        })
    }

    /// The codings in which a precompressed file may lie beside `entry`. Looking for all three would
    /// be three system calls a request that most often find nothing; that nothing has changed in
    /// the folder since is one, asked once a turn.
    pub(crate) fn offered(&self, folder: &Folder, entry: &Entry) -> Vec<Coding> {
        let turn = self.turn.number();
        let mut lacks = entry.lacks.get();
        if lacks.checked != turn {
            let parent = folder.identity(entry.parent());
            if parent != lacks.parent {
                lacks.codings = Default::default();
            }
            (lacks.parent, lacks.checked) = (parent, turn);
            entry.lacks.set(lacks);
        }
        let lacking = |coding: &Coding| lacks.codings[slot(*coding)];
        CODINGS
            .into_iter()
            .filter(|coding| !lacking(coding))
            .collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for entry in self.entries.take().into_values() {
            self.room.release(&entry);
        }
    }

    /// Keeps `entry` under `name`, at the cost of what was not used lately, in whatever folder.
    pub(crate) fn insert(&self, name: &[u8], entry: &Rc<Entry>) {
        entry.checked.set(self.turn.number());
        if !is_settled(entry.identity) {
            return;
        }
        let replaced = self.entries.borrow_mut().insert(name.into(), entry.clone());
        self.room.take(entry);
        match replaced {
            Some(replaced) => self.room.release(&replaced),
            None => self.room.line_up(&self.entries, name),
        }
        self.room.tidy();
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.clear();
    }
}

/// An entry, by its folder's entries and its name.
type Kept = (Weak<Entries>, Box<[u8]>);

/// What all folders of a worker hold together: so much, however many they are.
#[derive(Default)]
pub(crate) struct Room {
    cost: Cell<usize>,
    /// Entries in the order in which they were kept. Those used since are passed over once (second
    /// chance).
    kept: RefCell<VecDeque<Kept>>,
    /// Folders in the order in which they were opened.
    folders: RefCell<VecDeque<Weak<RefCell<Option<Opened>>>>>,
}

impl Room {
    /// Notes that `folder` has been opened, and closes the one that has been open for longest where
    /// there are too many. It is opened again when it is asked for.
    pub(crate) fn opened(&self, folder: &Rc<RefCell<Option<Opened>>>) {
        let mut folders = self.folders.borrow_mut();
        folders.push_back(Rc::downgrade(folder));
        while folders.len() > MAX_FOLDERS {
            if let Some(longest) = folders.pop_front().and_then(|folder| folder.upgrade()) {
                longest.take();
            }
        }
    }

    fn take(&self, entry: &Entry) {
        self.cost.set(self.cost.get() + entry.cost());
    }

    fn release(&self, entry: &Entry) {
        self.cost.set(self.cost.get() - entry.cost());
    }

    fn line_up(&self, entries: &Rc<Entries>, name: &[u8]) {
        let last = (Rc::downgrade(entries), name.into());
        self.kept.borrow_mut().push_back(last);
    }

    /// Gives up what was not used lately, until the rest fits.
    fn tidy(&self) {
        let mut kept = self.kept.borrow_mut();
        while self.cost.get() > MAX_BYTES || kept.len() > MAX_ENTRIES {
            let Some((folder, name)) = kept.pop_front() else {
                break;
            };
            // A folder that is served no more has released its entries.
            let Some(entries) = folder.upgrade() else {
                continue;
            };
            let mut entries = entries.borrow_mut();
            let used = entries.get(&name).map(|entry| entry.used.replace(false));
            if used == Some(true) {
                kept.push_back((folder, name));
            } else if let Some(gone) = entries.remove(&name) {
                self.release(&gone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::folder::Found;
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_looked_for_again_when_the_folder_has_changed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("sub")).unwrap();
        fs::write(place.path().join("sub/a.txt"), "a").unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let Found::File(_, stat) = folder.find(b"sub/a.txt").unwrap() else {
            panic!("it is a file")
        };
        let content = Content::Memory(Bytes::from_static(b"a"));
        let entry = Entry::new(b"sub/a.txt", (&stat).into(), content);
        let turn = Turn::default();
        let cache = Cache::new(turn.clone(), Rc::default());
        let offered = || {
            turn.begin();
            cache.offered(&folder, &entry)
        };
        // While the folder may still change within the tick of its last change, nothing is noted.
        while offered().len() == 3 {
            entry.note_lack(Coding::Brotli);
        }
        assert_eq!(offered(), [Coding::Zstd, Coding::Gzip]);
        entry.note_lack(Coding::Gzip);
        assert_eq!(offered(), [Coding::Zstd]);
        fs::write(place.path().join("sub/a.txt.br"), "b").unwrap();
        assert_eq!(offered(), CODINGS);
    }
}
