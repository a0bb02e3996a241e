//! The roots that a command is told to trust: read, and not looked into before somebody has to judge by them.
//!
//! A system has more than a hundred of which a connection needs one: parsing all of them, as a judge does who can
//! say what is wrong, would take longer than the handshake.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ravelin_certs::trust::{TrustEnvironment, system};
use ravelin_pki::{Certificate, CertificateDer, Trust, pem};

use super::certificates;
use super::verify::local_root;
use crate::arguments::HomeArgument;
use crate::failure::{Failure, chain};
use crate::key;

/// Where roots are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    System,
    Local,
    /// The local root, where there is one.
    LocalIfThere,
    /// A file or a folder. Each certificate of a file has to be readable where somebody asked for that file.
    Path {
        path: PathBuf,
        is_asked_for: bool,
    },
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    pub(crate) ders: Vec<CertificateDer<'static>>,
    /// In words, where they are from.
    pub(crate) searched: Vec<String>,
}

/// The places that are asked for; the local root and the system's where none is.
pub(crate) fn places(asked: &[PathBuf]) -> Vec<Place> {
    if asked.is_empty() {
        return vec![Place::LocalIfThere, Place::System];
    }
    asked.iter().map(|path| place(path)).collect()
}

/// The place that a word is.
pub(crate) fn place(path: &Path) -> Place {
    match path.to_str() {
        Some("system") => Place::System,
        Some("local") => Place::Local,
        _ => Place::Path {
            path: path.to_owned(),
            is_asked_for: true,
        },
    }
}

impl Roots {
    pub(crate) fn read(places: &[Place], home: &HomeArgument) -> Result<Self, Failure> {
        let mut roots = Self::default();
        for place in places {
            roots.add(place, home)?;
        }
        Ok(roots)
    }

    /// The same, to judge by. What cannot be read is left out.
    pub(crate) fn parsed(&self) -> Trust {
        let parsed = self.ders.iter();
        let parsed = parsed.filter_map(|der| Certificate::from_der(der).ok());
        Trust::new(parsed.collect())
    }

    fn add(&mut self, place: &Place, home: &HomeArgument) -> Result<(), Failure> {
        let (found, what) = match place {
            Place::System => {
                let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
                let (file, roots) = system::roots(&environment).ok_or_else(|| {
                    Failure::local("this system has no bundle of roots that is known")
                })?;
                let what = format!("{} roots of the system, {}", roots.len(), file.display());
                (roots, what)
            }
            Place::Local | Place::LocalIfThere => match local_root(home)? {
                Some(root) => (
                    vec![root.certificate.der().clone()],
                    format!("the local root, {}", root.location),
                ),
                None if *place == Place::LocalIfThere => return Ok(()),
                None => {
                    return Err(Failure::usage("there is no local CA")
                        .hint("\"ravelin ca status\" says where it is looked for".to_owned()));
                }
            },
            Place::Path { path, is_asked_for } => {
                let roots = if path.is_dir() {
                    of_folder(path)?
                } else if *is_asked_for {
                    let checked = certificates(path)?;
                    checked.iter().map(|root| root.der().clone()).collect()
                } else {
                    of_file(path)?
                };
                let what = format!("{} in {}", roots.len(), path.display());
                (roots, what)
            }
        };
        self.ders.extend(found);
        self.searched.push(what);
        Ok(())
    }
}

fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let what = key::shown(path);
    pem::unread_certificates(&key::read_file(path)?).map_err(|error| {
        Failure::usage(format!(
            "cannot read certificates from \"{what}\": {}",
            chain(&error)
        ))
    })
}

/// All certificates of the files of a folder, each once: such folders have links to the same files by other names,
/// a file of all of them together, and keys and lists beside them.
fn of_folder(folder: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let what = folder.display();
    let unreadable =
        |error: std::io::Error| Failure::local(format!("cannot read \"{what}\": {error}"));
    let (mut files, mut seen) = (HashSet::new(), HashSet::new());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_new = fs::metadata(&path)
            .is_ok_and(|facts| facts.is_file() && files.insert((facts.dev(), facts.ino())));
        if is_new && let Ok(some) = fs::read(&path) {
            let some = pem::unread_certificates(&some).unwrap_or_default();
            found.extend(some.into_iter().filter(|one| seen.insert(one.clone())));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use ravelin_pki::{Authority, NameConstraints, PrivateKey};

    use super::*;

    #[test]
    fn a_folder_gives_each_certificate_once_however_often_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = |name: &str| {
            let key = PrivateKey::generate().unwrap();
            let now = std::time::SystemTime::now();
            let made = Authority::root(name, key, &NameConstraints::local(), now).unwrap();
            made.certificate().to_pem()
        };
        let (one, other) = (root("one"), root("other"));
        let at = |name: &str| folder.path().join(name);
        fs::write(at("one.pem"), &one).unwrap();
        fs::write(at("all.pem"), format!("{one}{other}")).unwrap();
        fs::write(
            at("key.pem"),
            PrivateKey::generate().unwrap().to_pem().unwrap(),
        )
        .unwrap();
        fs::write(at("notes.txt"), "nothing").unwrap();
        fs::create_dir(at("below")).unwrap();
        std::os::unix::fs::symlink("one.pem", at("12345678.0")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        assert_eq!(of_folder(folder.path()).unwrap().len(), 2);
    }
}
