//! The folder of files: two writers, leases, disks that fill, and what a crash leaves.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ravelin_certs::store::{ObjectName, Version};
use ravelin_certs::{FileStore, Store, StoreError};

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

#[test]
fn the_slower_of_two_writers_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let a = name("a");
    assert_eq!(store.get(&a).unwrap(), None);
    let first = store.put_if_unchanged(&a, b"one", None).unwrap();
    let second = store.put_if_unchanged(&a, b"two", Some(&first)).unwrap();
    for stale in [None, Some(&first)] {
        let refused = store.put_if_unchanged(&a, b"three", stale).unwrap_err();
        assert!(matches!(refused, StoreError::Changed { .. }), "{refused:?}");
    }
    let object = store.get(&a).unwrap().unwrap();
    assert_eq!(
        (object.bytes.as_slice(), &object.version),
        (&b"two"[..], &second)
    );
    assert_eq!(second, Version::of(b"two"));
    assert!(store.delete(&a).unwrap());
    assert!(!store.delete(&a).unwrap());
    assert!(store.put_if_unchanged(&a, b"four", Some(&second)).is_err());
    assert!(store.put_if_unchanged(&a, b"four", None).is_ok());
}

#[test]
fn objects_are_listed_and_files_of_people_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    for object in ["b/2", "a", "b/1", "bb"] {
        store.put_if_unchanged(&name(object), b"", None).unwrap();
    }
    fs::write(folder.path().join("b/.hidden"), "").unwrap();
    fs::write(folder.path().join("Notes To Self.txt"), "").unwrap();
    let _lease = store.lease(&name("l"), Duration::ZERO).unwrap();
    let list = |prefix| -> Vec<String> {
        let names = store.list(prefix).unwrap();
        names.iter().map(ToString::to_string).collect()
    };
    assert_eq!(list(""), ["a", "b/1", "b/2", "bb"]);
    assert_eq!(list("b/"), ["b/1", "b/2"]);
    assert!(list("none").is_empty());
}

#[test]
fn a_lease_has_one_holder_and_tokens_grow() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let lease = store.lease(&name("work"), Duration::ZERO).unwrap();
    let other = FileStore::open(folder.path()).unwrap();
    let refused = other
        .lease(&name("work"), Duration::from_millis(30))
        .unwrap_err();
    assert!(matches!(refused, StoreError::Leased { .. }), "{refused:?}");
    other.lease(&name("other-work"), Duration::ZERO).unwrap();
    let token = lease.token();
    drop(lease);
    assert!(other.lease(&name("work"), Duration::ZERO).unwrap().token() > token);
    // Opened by a new process, the count goes on.
    let again = FileStore::open(folder.path()).unwrap();
    assert!(again.lease(&name("work"), Duration::ZERO).unwrap().token() > token + 1);
}

#[test]
fn what_a_crash_left_half_written_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let root = name("ca/root.pem");
    let version = store.put_if_unchanged(&root, b"old", None).unwrap();
    let left = folder.path().join("ca/.root.pem.new");
    fs::write(&left, "half of the ne").unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.get(&root).unwrap().unwrap().bytes, b"old");
    store
        .put_if_unchanged(&root, b"new", Some(&version))
        .unwrap();
    assert_eq!(store.get(&root).unwrap().unwrap().bytes, b"new");
    assert!(!left.exists());
}

#[test]
fn files_of_people_in_the_folder_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mine = [".env.new", "node_modules/a/.b.new", "ca/.mine.new"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "not ours").unwrap();
        path
    });
    let store = FileStore::open(folder.path()).unwrap();
    store
        .put_if_unchanged(&name("ca/root.pem"), b"new", None)
        .unwrap();
    for path in mine {
        assert!(path.exists(), "{}", path.display());
    }
}

#[test]
fn a_folder_that_cannot_be_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [
        file.clone(),
        file.join("below"),
        "/proc/nothing/here".into(),
    ] {
        let error = FileStore::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
        let named = [path.as_path(), path.parent().unwrap()];
        assert!(
            named
                .iter()
                .any(|path| error.to_string().contains(&*path.to_string_lossy())),
            "{error}"
        );
    }
}

#[test]
fn errors_of_the_system_come_with_what_helps() {
    let error = |kind: ErrorKind| StoreError::Io {
        action: "write",
        path: "/store/ca/root.pem".into(),
        source: kind.into(),
    };
    let full = error(ErrorKind::StorageFull);
    assert_eq!(full.to_string(), "cannot write \"/store/ca/root.pem\"");
    assert!(full.hint().unwrap().starts_with("free some space"));
    assert!(
        error(ErrorKind::ReadOnlyFilesystem)
            .hint()
            .unwrap()
            .contains("--home")
    );
    assert!(
        error(ErrorKind::PermissionDenied)
            .hint()
            .unwrap()
            .contains("ls -ld")
    );
}

/// The variable that makes [`writes_where_no_file_may_grow`] the writer.
const LIMITED_HOME: &str = "RAVELIN_TEST_LIMITED_HOME";

/// A disk that fills in the middle of a file, played by the limit on the size of files: the write
/// stops half-way with an error.
#[test]
fn a_write_that_fails_half_way_leaves_the_old_object() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    store.put_if_unchanged(&name("a"), b"old", None).unwrap();
    let status = Command::new("bash")
        // Blocks are 1024 bytes. Ignoring the signal turns it into an error of write(2).
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "store::writes_where_no_file_may_grow"])
        .env(LIMITED_HOME, folder.path())
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
    let done = fs::read_to_string(folder.path().join("done")).unwrap();
    assert!(
        done.contains("cannot write") && done.contains("/a\""),
        "{done}"
    );
    assert_eq!(store.get(&name("a")).unwrap().unwrap().bytes, b"old");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "a, .lock and done: {left:?}");
}

/// The writer of the test above, run by it in a process of its own.
#[test]
fn writes_where_no_file_may_grow() {
    let Some(home) = std::env::var_os(LIMITED_HOME) else {
        return;
    };
    let store = FileStore::open(Path::new(&home)).unwrap();
    let old = store.get(&name("a")).unwrap().unwrap();
    let error = store
        .put_if_unchanged(&name("a"), &[b'x'; 5000], Some(&old.version))
        .unwrap_err();
    fs::write(Path::new(&home).join("done"), error.to_string()).unwrap();
}
