//! A folder of the store that comes whole: all that is to be in it is made elsewhere in the store
//! first, and takes its place with one rename. What a crash leaves is in a hidden folder, and no object.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::file::{failed, sync_folder};
use super::{FileStore, ObjectName, StoreError};

/// A store inside a store, for what is not whole yet. Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub(crate) struct Staging {
    home: FileStore,
    store: FileStore,
}

impl FileStore {
    /// An empty store for what is to take its place here. What a process left that was killed is
    /// swept. A lease has to keep others from doing the same.
    pub(crate) fn stage(&self) -> Result<Staging, StoreError> {
        self.sweep()?;
        Ok(Staging {
            store: FileStore::open(self.staged())?,
            home: self.clone(),
        })
    }

    /// Removes what a process left that was killed. A lease has to keep others out.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        let folder = self.staged();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &folder)(error))
            }
            _ => Ok(()),
        }
    }

    fn staged(&self) -> PathBuf {
        self.folder.join(STAGED)
    }
}

impl Staging {
    /// Where things are made.
    pub(crate) fn store(&self) -> &FileStore {
        &self.store
    }

    /// Puts the folder called `name` into its place, where there is none, or one with nothing in it
    /// but what `derived` says can be made anew.
    ///
    /// # Errors
    ///
    /// [`StoreError::AlreadyThere`] with what is in the way.
    pub(crate) fn publish(
        self,
        name: &str,
        derived: impl Fn(&ObjectName) -> bool,
    ) -> Result<(), StoreError> {
        let _lock = self.home.lock()?;
        let place = self.home.folder.join(name);
        let there = fs::symlink_metadata(&place);
        if there.is_ok() {
            clear(&place, name, derived)?;
        }
        fs::rename(self.store.folder.join(name), &place).map_err(failed("write", &place))?;
        sync_folder(&self.home.folder)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays is swept by the next one.
        let _ = self.home.sweep();
    }
}

/// Removes a folder in which there is nothing but what can be made anew, and what writers that were
/// killed left.
fn clear(
    place: &Path,
    name: &str,
    derived: impl Fn(&ObjectName) -> bool,
) -> Result<(), StoreError> {
    let unread = failed("read", place);
    let mut remains = Vec::new();
    for entry in fs::read_dir(place).map_err(&unread)? {
        let path = entry.map_err(&unread)?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let object = format!("{name}/{file}").parse::<ObjectName>();
        let hidden = file.starts_with('.') && (file.ends_with(".new") || file.ends_with(".lock"));
        if !(hidden || object.is_ok_and(|object| derived(&object))) {
            return Err(StoreError::AlreadyThere { path });
        }
        remains.push(path);
    }
    let remove = || -> io::Result<()> {
        for path in &remains {
            fs::remove_file(path)?;
        }
        // It fails where somebody put something in meanwhile.
        fs::remove_dir(place)
    };
    remove().map_err(failed("replace", place))
}

/// Hidden, so that nothing in it is an object.
const STAGED: &str = ".staged";
