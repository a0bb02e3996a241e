//! Waits until one of some files has changed.
//!
//! What tells is what `stat` says of the files themselves, links followed. Events of their folders
//! only say when to look: they name neither the file behind a link that was turned, as Kubernetes
//! does, nor all that happened when there was too much of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Programs write a file in several steps, and a certificate and its key one after the other.
const SETTLE: Duration = Duration::from_millis(200);

/// Files that are never left alone are read all the same.
const LONGEST_SETTLE: Duration = Duration::from_secs(2);

/// A log that is written beside the files has its folder tell of each line. So long there is a pause
/// at least, and so many times what a look takes, where thousands of files are looked at.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_FOR_EACH_LOOK: u32 = 20;

/// Without any event the files are looked at this often: folders come and go, links lead elsewhere,
/// and there may be no events to be had.
const BACKSTOP: Duration = Duration::from_secs(10);

/// Files, as they were when they were last read, and the folders that they lie in.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    /// Something has happened in one of the folders.
    stirred: Arc<Notify>,
    /// Each with the folder that is watched under its name: one that was removed and made again is
    /// another one.
    folders: HashMap<PathBuf, Option<Identity>>,
    read: BTreeMap<PathBuf, Option<State>>,
    changing: Option<Changing>,
    looked: Instant,
    pause: Duration,
}

/// How the files are that are not as they were read.
struct Changing {
    files: BTreeMap<PathBuf, Option<State>>,
    since: Instant,
    /// Since when they have been just so.
    settled_since: Instant,
}

/// Device and inode.
type Identity = (u64, u64);

/// What changes with a file: its identity, its size, and the times of its content and its inode.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State(Identity, u64, [(i64, i64); 2]);

impl Watch {
    pub(crate) fn new() -> Self {
        let stirred = Arc::new(Notify::new());
        let stir = stirred.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Reading is no change. An error may be one.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                stir.notify_one();
            }
        });
        Self {
            watcher: watcher.ok(),
            stirred,
            folders: HashMap::new(),
            read: BTreeMap::new(),
            changing: None,
            looked: Instant::now(),
            pause: PAUSE,
        }
    }

    /// Notes how the files are now, these among them: they are about to be read. No change may fall
    /// between the two.
    pub(crate) fn note(&mut self, files: &[PathBuf]) {
        let named = files
            .iter()
            .filter_map(|file| std::path::absolute(file).ok());
        let known = std::mem::take(&mut self.read).into_keys();
        let files = known.chain(named).map(|file| (state(&file), file));
        self.read = files.map(|(state, file)| (file, state)).collect();
        self.begin();
    }

    /// Watches these files and no others from now on: as they were noted, or as they are now.
    pub(crate) fn set(&mut self, files: &[PathBuf]) {
        let mut noted = std::mem::take(&mut self.read);
        for file in files
            .iter()
            .filter_map(|file| std::path::absolute(file).ok())
        {
            let state = noted.remove(&file).unwrap_or_else(|| state(&file));
            self.read.insert(file, state);
        }
        self.begin();
    }

    fn begin(&mut self) {
        self.changing = None;
        self.watch_folders();
        // What has changed before its folder was watched is looked for.
        self.stirred.notify_one();
    }

    /// Returns when the files are not as they were read, and have been left alone for a moment. What
    /// it knows is kept where it is dropped before.
    pub(crate) async fn changed(&mut self) {
        loop {
            sleep_until(self.looked + self.pause).await;
            let due = self.changing.as_ref().map(Changing::due);
            let until = due.unwrap_or(self.looked + BACKSTOP);
            let _ = timeout_at(until, self.stirred.notified()).await;
            if self.look() {
                return;
            }
        }
    }

    /// Whether there is a change, and a settled one.
    fn look(&mut self) -> bool {
        let begun = Instant::now();
        self.watch_folders();
        let files = self.now();
        self.looked = Instant::now();
        self.pause = PAUSE.max(PAUSE_FOR_EACH_LOOK * (self.looked - begun));
        if files == self.read {
            self.changing = None;
            return false;
        }
        let changing = self.changing.get_or_insert_with(|| Changing {
            files: files.clone(),
            since: self.looked,
            settled_since: self.looked,
        });
        if changing.files != files {
            changing.files = files;
            changing.settled_since = self.looked;
        }
        changing.due() <= self.looked
    }

    fn now(&self) -> BTreeMap<PathBuf, Option<State>> {
        let files = self.read.keys();
        files.map(|file| (file.clone(), state(file))).collect()
    }

    /// Has the folders of the files tell of what happens in them. Folders rather than files: editors
    /// and certificate tools put a new file in the place of the old one.
    fn watch_folders(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let wanted: HashSet<&Path> = self.read.keys().filter_map(|file| file.parent()).collect();
        self.folders.retain(|folder, _| {
            let stays = wanted.contains(folder.as_path());
            if !stays {
                let _ = watcher.unwatch(folder);
            }
            stays
        });
        for folder in wanted {
            let found = state(folder).map(|state| state.0);
            if self.folders.get(folder) == Some(&found) {
                continue;
            }
            let _ = watcher.unwatch(folder);
            // One that cannot be watched is looked at now and then, as all are.
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
            self.folders.insert(folder.to_owned(), found);
        }
    }
}

impl Changing {
    fn due(&self) -> Instant {
        (self.settled_since + SETTLE).min(self.since + LONGEST_SETTLE)
    }
}

/// What is there now; `None` where nothing is.
fn state(path: &Path) -> Option<State> {
    let found = std::fs::metadata(path).ok()?;
    Some(State(
        (found.dev(), found.ino()),
        found.size(),
        [
            (found.mtime(), found.mtime_nsec()),
            (found.ctime(), found.ctime_nsec()),
        ],
    ))
}
