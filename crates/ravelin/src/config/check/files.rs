//! `files`: that the folder and the fallback are there, and that nothing secret is served with them.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use ravelin_server::site::Files;

use super::super::fault::Fault;
use super::super::placed::{At, Key, TextOr};
use super::super::raw;
use super::super::unserved::{Unservable, Unserved, is_hidden};
use super::{Check, header};

/// How the folder is served.
pub(super) fn files(at: &At<TextOr<raw::Files>>, check: &mut Check<'_>) -> Files {
    let raw = match &at.value {
        TextOr::Text(root) => {
            let root = root_folder(root, &at.place, check);
            return Files::new(root.unwrap_or_default());
        }
        TextOr::Table(raw) => raw,
    };
    let root = raw
        .root
        .given()
        .and_then(|at| root_folder(&at.value, &at.place, check));
    let fallback = fallback(&raw.fallback, root.as_deref(), check);
    let cache_control = raw.cache_control.given().and_then(|at| {
        let value = header::parse_value("Cache-Control", &at.value);
        check.problems.take(&at.place, value)
    });
    let default = Files::new(root.unwrap_or_default());
    Files {
        index: index(&raw.index, check).unwrap_or(default.index),
        listing: raw.listing.copied_or(default.listing),
        fallback,
        precompressed: raw.precompressed.copied_or(default.precompressed),
        compress: raw.compress.copied_or(default.compress),
        cache_control,
        root: default.root,
    }
}

/// The folder, if it is one that can be read.
fn root_folder(text: &str, place: &Range<usize>, check: &mut Check<'_>) -> Option<PathBuf> {
    let mut root = check.path(text);
    if root.as_os_str().is_empty() {
        root = PathBuf::from(".");
    }
    let fault = match std::fs::read_dir(&root) {
        Ok(_) => {
            check_unserved(&root, place, check);
            return Some(root);
        }
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound => Fault::RootMissing(root),
            std::io::ErrorKind::NotADirectory => Fault::RootIsFile(root),
            kind => Fault::RootUnreadable {
                path: root,
                why: kind.to_string(),
            },
        },
    };
    check.problems.add(place, fault);
    None
}

fn index(key: &Key<String>, check: &mut Check<'_>) -> Option<String> {
    let at = key.given()?;
    let name = at.value.as_str();
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        check.problems.add(&at.place, Fault::Index(name.to_owned()));
    }
    Some(at.value.clone())
}

/// The fallback relative to the root: what the server would not serve cannot stand in for others.
fn fallback(key: &Key<String>, root: Option<&Path>, check: &mut Check<'_>) -> Option<String> {
    let at = key.given()?;
    let text = || at.value.clone();
    let relative = Path::new(at.value.trim_start_matches("./"));
    let mut components = relative.components().peekable();
    let fault = if components.peek().is_none()
        || components.any(|component| !matches!(component, Component::Normal(_)))
    {
        Some(Fault::FallbackOutside(text()))
    } else if is_hidden(relative) {
        Some(Fault::FallbackHidden(text()))
    } else {
        root.and_then(|root| match root.join(relative).canonicalize() {
            Ok(file) if !file.is_file() => Some(Fault::FallbackMissing(root.join(relative))),
            Ok(file) => (!is_inside(&file, root)).then(|| Fault::FallbackOutside(text())),
            Err(_) => Some(Fault::FallbackMissing(root.join(relative))),
        })
    };
    if let Some(fault) = fault {
        check.problems.add(&at.place, fault);
    }
    Some(relative.to_string_lossy().into_owned())
}

/// Whether a file lies in `root` once links are followed.
fn is_inside(file: &Path, root: &Path) -> bool {
    match (file.canonicalize(), root.canonicalize()) {
        (Ok(file), Ok(root)) => file.starts_with(root),
        _ => false,
    }
}

/// What must not be served: the private keys of all sites, the store, the log, and the config
/// itself where it holds password hashes.
pub(super) fn unserved(
    raw: &raw::File,
    file: &Path,
    folder: &Path,
    home: Option<&Path>,
) -> Unserved {
    let mut unserved = Unserved::default();
    let sites = || raw.site.value().into_iter().flatten().map(|at| &at.value);
    let mut routes = sites().flat_map(|site| site.route.value().into_iter().flatten());
    if routes.any(|route| route.value.auth.value().is_some()) {
        unserved.add(file, Unservable::Config);
    }
    if let Some(to) = raw.log.value().and_then(|log| log.to.value())
        && to != "stdout"
    {
        unserved.add(&folder.join(to), Unservable::Log);
    }
    if let Some(home) = home {
        unserved.add_store(home);
    }
    for site in sites() {
        if let Some(TextOr::Table(files)) = site.certificate.value()
            && let Some(key) = files.key.value().map(|key| folder.join(key))
            && key.is_file()
        {
            unserved.add(&key, Unservable::Key);
        }
    }
    unserved
}

fn check_unserved(root: &Path, place: &Range<usize>, check: &mut Check<'_>) {
    for (below, what) in check.unserved.below(root) {
        let fault = match what {
            Unservable::Key => Fault::KeyServed(below),
            Unservable::Store => Fault::StoreServed,
            Unservable::Log => Fault::LogServed(below),
            Unservable::Config => Fault::ConfigServed,
        };
        check.problems.add(place, fault);
    }
}
