//! Waits until one of some files has changed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::words;

/// Programs write a file in several steps, and a certificate and its key one after the other.
const SETTLE: Duration = Duration::from_millis(200);

/// Watches the folders of files rather than the files: editors and certificate tools put a new
/// file in the place of the old one.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    events: mpsc::UnboundedReceiver<Event>,
    files: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl Watch {
    pub(crate) fn new(files: &[PathBuf]) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Ok(event) = event
                && !matches!(event.kind, EventKind::Access(_))
            {
                let _ = sender.send(event);
            }
        });
        let watcher = watcher
            .inspect_err(|error| {
                words::warn(format_args!(
                    "files are not watched, reload with SIGHUP: {error}"
                ));
            })
            .ok();
        let mut watch = Self {
            watcher,
            events,
            files: HashSet::new(),
            folders: HashSet::new(),
        };
        watch.set(files);
        watch
    }

    /// Watches these files from now on.
    pub(crate) fn set(&mut self, files: &[PathBuf]) {
        self.files = files
            .iter()
            .filter_map(|file| std::path::absolute(file).ok())
            .collect();
        let folders: HashSet<_> = self
            .files
            .iter()
            .filter_map(|file| file.parent().map(Path::to_owned))
            .collect();
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.folders.difference(&folders) {
            let _ = watcher.unwatch(gone);
        }
        for new in folders.difference(&self.folders) {
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                words::warn(format_args!(
                    "\"{}\" is not watched: {error}",
                    new.display()
                ));
            }
        }
        self.folders = folders;
    }

    /// Returns when a file has changed and has been left alone for a moment.
    pub(crate) async fn changed(&mut self) {
        loop {
            match self.events.recv().await {
                Some(event) if event.paths.iter().any(|path| self.files.contains(path)) => break,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
        while let Ok(Some(_)) = tokio::time::timeout(SETTLE, self.events.recv()).await {}
    }
}
