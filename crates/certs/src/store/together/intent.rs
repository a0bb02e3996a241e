//! What is to become of several files of a folder, in a file of its own that is there while they get
//! their names: whoever comes after a crash goes on with it, or takes it back.
//!
//! Nothing is changed that is neither as it was nor as it was to become: somebody has put another
//! file there since, such as one from a backup.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use ravelin_pki::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{NewFile, folder_of, hidden, publish, write_new};
use crate::store::StoreError;
use crate::store::file::{failed, sync_folder};
use crate::store::modes::{Readers, is_mine, new_file};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    files: Vec<Planned>,
}

/// One of the files. All names are of the same folder.
#[derive(Debug, Serialize, Deserialize)]
struct Planned {
    name: String,
    /// Where its new content is, until it has its name.
    new: String,
    /// Where else its old content is.
    old: Option<String>,
    /// The SHA-256 of what was there, where there was anything.
    was: Option<String>,
    /// The SHA-256 of what comes.
    becomes: String,
}

impl Intent {
    /// Of files that are to be written, and where their new and old contents are. `None` where it
    /// cannot be written down: they are in several folders, or their names are no text.
    pub(super) fn of(
        files: &[NewFile<'_>],
        temporary: &[PathBuf],
        old: &[Option<PathBuf>],
    ) -> Result<Option<Self>, StoreError> {
        let folder = files.first().map(|file| folder_of(&file.path));
        let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
        let mut planned = Vec::new();
        for (file, (new, old)) in files.iter().zip(temporary.iter().zip(old)) {
            let names = name(&file.path).zip(name(new));
            let (Some((file_name, new)), true) = (names, folder == Some(folder_of(&file.path)))
            else {
                return Ok(None);
            };
            let was = digest(&file.path).map_err(failed("read", &file.path))?;
            planned.push(Planned {
                name: file_name,
                new,
                old: old.as_deref().and_then(name),
                was,
                becomes: Fingerprint::of(file.bytes).to_string(),
            });
        }
        Ok(Some(Self { files: planned }))
    }

    /// Writes it into the folder: from now on, it is what will happen.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(NAME);
        let temporary = hidden(&path, "new");
        let text = serde_json::to_vec(self).unwrap_or_default();
        let written = || -> io::Result<()> {
            remove(&temporary)?;
            write_new(&temporary, &text, Readers::Owner)?;
            fs::rename(&temporary, &path)
        };
        written().map_err(failed("write", &path))?;
        sync_folder(folder)
    }

    /// Gives the files their names that have not got them yet.
    fn carry_out(&self, folder: &Path) -> Result<(), StoreError> {
        for file in &self.files {
            if file.stand(folder)? == Stand::Old {
                let replace = file.was.is_some();
                publish(&folder.join(&file.new), &folder.join(&file.name), replace)?;
            }
        }
        sync_folder(folder)
    }

    /// Gives the names back to what had them.
    pub(super) fn take_back(&self, folder: &Path) -> Result<(), StoreError> {
        for file in &self.files {
            let path = folder.join(&file.name);
            if file.stand(folder)? == Stand::New {
                match &file.old {
                    Some(old) => fs::rename(folder.join(old), &path),
                    None => fs::remove_file(&path),
                }
                .map_err(failed("replace", &path))?;
            }
        }
        sync_folder(folder)
    }

    /// Removes it, and what is not needed any more. What cannot be removed now is when the next one
    /// comes.
    pub(super) fn forget(&self, folder: &Path) {
        for file in &self.files {
            for name in [Some(&file.new), file.old.as_ref()].into_iter().flatten() {
                let _ = remove(&folder.join(name));
            }
        }
        let _ = remove(&folder.join(NAME));
    }

    /// Whether all files can get their names, wherever it was broken off.
    fn can_be_carried_out(&self, folder: &Path) -> Result<bool, StoreError> {
        self.all(folder, |file, stand| {
            Ok(match stand {
                Stand::New => true,
                Stand::Old => has(&folder.join(&file.new), Some(&file.becomes))?,
                Stand::Other => false,
            })
        })
    }

    fn can_be_taken_back(&self, folder: &Path) -> Result<bool, StoreError> {
        self.all(folder, |file, stand| {
            Ok(match (stand, &file.old) {
                (Stand::Old, _) => true,
                (Stand::New, None) => file.was.is_none(),
                (Stand::New, Some(old)) => has(&folder.join(old), file.was.as_ref())?,
                (Stand::Other, _) => false,
            })
        })
    }

    fn all(
        &self,
        folder: &Path,
        may: impl Fn(&Planned, Stand) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        for file in &self.files {
            if !may(file, file.stand(folder)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One that was read is used where its names are of the kind that is written: none leads out of the
    /// folder, or to a file that is no concern of the intent.
    fn is_sound(&self) -> bool {
        let sound = |file: &Planned| {
            let path = Path::new(&file.name);
            let beside = |suffix| hidden(path, suffix).to_str().map(str::to_owned);
            path.file_name() == Some(path.as_os_str())
                && beside("new").as_ref() == Some(&file.new)
                && (file.old.is_none() || beside("old") == file.old)
                && file.old.is_some() == file.was.is_some()
        };
        self.files.iter().all(sound)
    }
}

/// What is at a file's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Old,
    New,
    Other,
}

impl Planned {
    fn stand(&self, folder: &Path) -> Result<Stand, StoreError> {
        let path = folder.join(&self.name);
        Ok(if has(&path, Some(&self.becomes))? {
            Stand::New
        } else if has(&path, self.was.as_ref())? {
            Stand::Old
        } else {
            Stand::Other
        })
    }
}

/// Whether somebody left an intent in a folder. Whose it is does not show yet.
pub(super) fn is_in(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(NAME)).is_ok()
}

/// Brings what was broken off to one side. The turn must be held.
pub(super) fn finish(folder: &Path) -> Result<(), StoreError> {
    let Some(intent) = read(folder).map_err(failed("read", &folder.join(NAME)))? else {
        return Ok(());
    };
    if intent.can_be_carried_out(folder)? {
        intent.carry_out(folder)?;
    } else if intent.can_be_taken_back(folder)? {
        intent.take_back(folder)?;
    }
    intent.forget(folder);
    Ok(())
}

/// The intent in a folder: this user's, for in a folder of many anybody could write one for files that
/// are not theirs. One that cannot be read was not written here.
fn read(folder: &Path) -> io::Result<Option<Intent>> {
    if !is_in(folder) {
        return Ok(None);
    }
    // Somebody else's, or a link, cannot be opened.
    let Ok(file) = new_file(Readers::Owner).read(true).open(folder.join(NAME)) else {
        return Ok(None);
    };
    let about = file.metadata()?;
    if !about.is_file() || !is_mine(&about) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let intent: Option<Intent> = serde_json::from_slice(&bytes).ok();
    Ok(intent.filter(Intent::is_sound))
}

/// Whether what is at a path has this SHA-256, or is not there, where that is asked.
fn has(path: &Path, wanted: Option<&String>) -> Result<bool, StoreError> {
    let is = digest(path).map_err(failed("read", path))?;
    Ok(is.as_ref() == wanted)
}

/// The SHA-256 of what is in a file, or of where a link leads; `None` where there is nothing. Folders,
/// and pipes, which would never end, have a word in its place.
fn digest(path: &Path) -> io::Result<Option<String>> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if about.is_symlink() {
        let leads_to = fs::read_link(path)?;
        let leads_to = Fingerprint::of(leads_to.as_os_str().as_encoded_bytes());
        return Ok(Some(leads_to.to_string()));
    }
    if !about.is_file() {
        return Ok(Some("no file".to_owned()));
    }
    Ok(Some(Fingerprint::of(&fs::read(path)?).to_string()))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Hidden, and one a folder: those who write into it take turns.
const NAME: &str = ".ravelin-writing";

/// More than the names and digests of any files that are written together.
const LONGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{finish_writing, write_together};
    use super::*;

    const NAMES: [&str; 2] = ["a.key", "a.pem"];

    fn files<'b>(folder: &Path, bytes: &'b [u8]) -> Vec<NewFile<'b>> {
        let new = |name: &str| NewFile {
            path: folder.join(name),
            bytes,
            private: name.ends_with("key"),
        };
        NAMES.map(new).into()
    }

    /// A folder as a writer leaves it that is killed when `published` of the files have their new
    /// names. What was there before is "old", where anything was.
    fn broken_off(there_before: bool, published: usize) -> tempfile::TempDir {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let files = files(folder, b"new");
        let mut news = Vec::new();
        let mut olds = Vec::new();
        for file in &files {
            let (new, old) = (hidden(&file.path, "new"), hidden(&file.path, "old"));
            fs::write(&new, "new").unwrap();
            news.push(new);
            if there_before {
                fs::write(&file.path, "old").unwrap();
                fs::hard_link(&file.path, &old).unwrap();
            }
            olds.push(there_before.then_some(old));
        }
        let intent = Intent::of(&files, &news, &olds).unwrap().unwrap();
        intent.write(folder).unwrap();
        for (file, new) in files.iter().zip(&news).take(published) {
            publish(new, &file.path, there_before).unwrap();
        }
        temporary
    }

    /// What the files have in them now; nothing else may be in the folder.
    fn contents(folder: &Path) -> [Option<String>; 2] {
        let read = NAMES.map(|name| fs::read_to_string(folder.join(name)).ok());
        let there = fs::read_dir(folder).unwrap().count();
        assert_eq!(there, read.iter().flatten().count(), "something is left");
        read
    }

    fn both(text: Option<&str>) -> [Option<String>; 2] {
        [text.map(str::to_owned), text.map(str::to_owned)]
    }

    #[test]
    fn wherever_it_was_broken_off_all_get_their_names() {
        for there_before in [false, true] {
            for published in 0..=2 {
                let folder = broken_off(there_before, published);
                finish_writing(folder.path()).unwrap();
                assert_eq!(contents(folder.path()), both(Some("new")));
                // Nothing is left to be done.
                finish_writing(folder.path()).unwrap();
            }
        }
    }

    #[test]
    fn a_new_content_that_is_gone_takes_all_back() {
        for there_before in [false, true] {
            let folder = broken_off(there_before, 1);
            fs::remove_file(folder.path().join(".a.pem.new")).unwrap();
            finish_writing(folder.path()).unwrap();
            let old = there_before.then_some("old");
            assert_eq!(contents(folder.path()), both(old));
        }
    }

    #[test]
    fn what_somebody_put_there_since_is_not_replaced() {
        for (name, other) in [("a.key", "a.pem"), ("a.pem", "a.key")] {
            let folder = broken_off(true, 1);
            let before = fs::read(folder.path().join(other)).unwrap();
            fs::remove_file(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name), "from a backup").unwrap();
            finish_writing(folder.path()).unwrap();
            let read = |name| fs::read(folder.path().join(name)).unwrap();
            assert_eq!(read(name), b"from a backup");
            assert_eq!(read(other), before);
            contents(folder.path());
        }
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_does_not_keep_others_from_being_written() {
        let folder = broken_off(true, 1);
        let name = folder.path().join("a.pem");
        fs::remove_file(&name).unwrap();
        fs::create_dir(&name).unwrap();
        finish_writing(folder.path()).unwrap();
        assert!(!is_in(folder.path()) && name.is_dir());
    }

    #[test]
    fn links_are_replaced_and_come_back_as_links() {
        for gone in [false, true] {
            let folder = broken_off(true, 0);
            let path = |name: &str| folder.path().join(name);
            fs::create_dir(path("elsewhere")).unwrap();
            fs::write(path("elsewhere/a"), "theirs").unwrap();
            for name in NAMES {
                let (link, old) = (path(name), hidden(&path(name), "old"));
                fs::remove_file(&link).unwrap();
                fs::remove_file(&old).unwrap();
                std::os::unix::fs::symlink("elsewhere/a", &link).unwrap();
                fs::hard_link(&link, &old).unwrap();
            }
            let files = files(folder.path(), b"new");
            let news: Vec<_> = NAMES.map(|name| hidden(&path(name), "new")).into();
            let olds: Vec<_> = NAMES.map(|name| Some(hidden(&path(name), "old"))).into();
            let intent = Intent::of(&files, &news, &olds).unwrap().unwrap();
            intent.write(folder.path()).unwrap();
            publish(&news[0], &files[0].path, true).unwrap();
            if gone {
                fs::remove_file(&news[1]).unwrap();
            }
            finish_writing(folder.path()).unwrap();
            let read = NAMES.map(|name| fs::read_to_string(path(name)).unwrap());
            assert_eq!(
                read,
                if gone {
                    ["theirs", "theirs"]
                } else {
                    ["new", "new"]
                }
            );
            assert_eq!(fs::read(path("elsewhere/a")).unwrap(), b"theirs");
        }
    }

    #[test]
    fn the_next_writer_ends_what_was_begun_before_it_writes() {
        let folder = broken_off(true, 1);
        let other = NewFile {
            path: folder.path().join("a.key"),
            bytes: b"newer",
            private: true,
        };
        write_together(&[other], true).unwrap();
        let both = contents(folder.path());
        assert_eq!(both, ["newer", "new"].map(|text| Some(text.to_owned())));
        write_together(&files(folder.path(), b"newest"), true).unwrap();
        assert_eq!(contents(folder.path())[0].as_deref(), Some("newest"));
        let error = write_together(&files(folder.path(), b"no"), false).unwrap_err();
        assert!(
            matches!(error, StoreError::AlreadyThere { .. }),
            "{error:?}"
        );
        assert_eq!(contents(folder.path())[1].as_deref(), Some("newest"));
    }

    #[cfg(unix)]
    #[test]
    fn an_intent_that_others_may_have_written_is_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = broken_off(true, 1);
        let intent = folder.path().join(NAME);
        fs::set_permissions(&intent, fs::Permissions::from_mode(0o666)).unwrap();
        finish_writing(folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("a.pem")).unwrap(), b"old");
        // Nor one that a link leads to.
        fs::set_permissions(&intent, fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&intent, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &intent).unwrap();
        finish_writing(folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("a.pem")).unwrap(), b"old");
    }

    #[test]
    fn an_intent_for_other_files_than_those_that_are_written_is_not_followed() {
        let sound = Planned {
            name: "a.key".to_owned(),
            new: ".a.key.new".to_owned(),
            old: Some(".a.key.old".to_owned()),
            was: Some("00".to_owned()),
            becomes: "11".to_owned(),
        };
        let is_sound = |change: &dyn Fn(&mut Planned)| {
            let text = serde_json::to_string(&sound).unwrap();
            let mut file: Planned = serde_json::from_str(&text).unwrap();
            change(&mut file);
            Intent { files: vec![file] }.is_sound()
        };
        assert!(is_sound(&|_| {}));
        let changes: [&dyn Fn(&mut Planned); 7] = [
            &|file| file.name = "../a.key".to_owned(),
            &|file| file.name = "/etc/passwd".to_owned(),
            &|file| file.name = "..".to_owned(),
            &|file| file.name = String::new(),
            &|file| file.new = "b".to_owned(),
            &|file| file.old = Some("b".to_owned()),
            &|file| file.was = None,
        ];
        for change in changes {
            assert!(!is_sound(change));
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_one_nothing_is_done_outside(text in ".{0,200}", known in 0..3_usize) {
            let folder = tempfile::tempdir().unwrap();
            let inside = folder.path().join("inside");
            fs::create_dir(&inside).unwrap();
            fs::write(folder.path().join("a"), "outside").unwrap();
            let file = serde_json::json!({
                "name": (if known == 0 { text.as_str() } else { "../a" }),
                "new": (if known == 1 { text.as_str() } else { ".a.new" }),
                "old": null, "was": null, "becomes": Fingerprint::of(b"outside").to_string(),
            });
            let intent = serde_json::json!({ "files": [file] }).to_string();
            let bytes = if known == 2 { text } else { intent };
            write_new(&inside.join(NAME), bytes.as_bytes(), Readers::Owner).unwrap();
            let _ = finish_writing(&inside);
            prop_assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"outside");
        }
    }
}
