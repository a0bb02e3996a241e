//! What must never be served: private keys, the store of the local CA, the access log, and a config
//! with password hashes in it. A folder that would publish one of them is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files and folders that must not be served: where they are, and what leads there.
#[derive(Debug, Default)]
pub(crate) struct Unserved {
    files: BTreeMap<PathBuf, Unservable>,
    /// The folders of the store with keys in them.
    stores: Vec<PathBuf>,
}

/// Why a path must not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unservable {
    Key,
    Store,
    Log,
    Config,
}

impl Unserved {
    pub(crate) fn add(&mut self, path: &Path, what: Unservable) {
        self.files.insert(resolved(path), what);
        // A link with a name that is served publishes also what is hidden: `tls.key` leads to
        // `..data/tls.key` where Kubernetes has put it.
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            self.files.insert(resolved(folder).join(name), what);
        }
    }

    /// The folders of a store that its keys lie in. Beside them may lie what the user likes.
    pub(crate) fn add_store(&mut self, home: &Path) {
        let folders = ["ca", "leaves"].map(|folder| resolved(&home.join(folder)));
        self.stores.extend(folders);
    }

    /// What a served folder would publish, each with its path below the folder, the store once.
    pub(crate) fn below(&self, root: &Path) -> Vec<(PathBuf, Unservable)> {
        let root = resolved(root);
        // Paths are in order by their components, so all below the root follow it.
        let inside = self.files.range(root.clone()..);
        let inside = inside.map_while(|(path, what)| Some((path.strip_prefix(&root).ok()?, *what)));
        let mut found: Vec<_> = inside
            .filter(|(below, _)| !below.as_os_str().is_empty() && !is_hidden(below))
            .map(|(below, what)| (below.to_owned(), what))
            .collect();
        let publishes = |store: &PathBuf| {
            let below = store.strip_prefix(&root);
            root.starts_with(store) || below.is_ok_and(|below| !is_hidden(below))
        };
        if self.stores.iter().any(publishes) {
            found.push((PathBuf::new(), Unservable::Store));
        }
        found
    }
}

/// Whether the server hides this path below a root: `/.well-known/` (RFC 8615) alone is not hidden.
pub(super) fn is_hidden(below: &Path) -> bool {
    below.iter().enumerate().any(|(depth, name)| {
        name.as_encoded_bytes().starts_with(b".") && (depth > 0 || name != ".well-known")
    })
}

/// The path with all links followed, also of what is still to be made.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(found), ..) => found,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), ..) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_what_is_hidden_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("..1")).unwrap();
        std::fs::write(path("..1/tls.key"), "").unwrap();
        std::os::unix::fs::symlink("..1", path("..data")).unwrap();
        std::os::unix::fs::symlink("..data/tls.key", path("tls.key")).unwrap();
        let mut unserved = Unserved::default();
        unserved.add(&path("tls.key"), Unservable::Key);
        let found = unserved.below(folder.path());
        assert_eq!(found, [(PathBuf::from("tls.key"), Unservable::Key)]);
    }

    #[test]
    fn what_lies_below_a_served_folder_is_found() {
        let mut unserved = Unserved::default();
        unserved.add(Path::new("/nowhere/site/key.pem"), Unservable::Key);
        unserved.add(Path::new("/nowhere/site/.hidden/key.pem"), Unservable::Key);
        unserved.add(Path::new("/nowhere/sites.log"), Unservable::Log);
        unserved.add_store(Path::new("/nowhere/home"));
        let below = |root: &str| unserved.below(Path::new(root));
        assert_eq!(
            below("/nowhere/site"),
            [(PathBuf::from("key.pem"), Unservable::Key)]
        );
        assert_eq!(below("/nowhere").len(), 3);
        assert_eq!(below("/nowhere/home").len(), 1);
        for inside in ["/nowhere/home/ca", "/nowhere/home/leaves/deeper"] {
            assert_eq!(below(inside).len(), 1, "{inside}");
        }
        // A site may lie beside the folders of a store.
        assert!(below("/nowhere/home/public").is_empty());
    }
}
