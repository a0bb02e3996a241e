//! Where databases of NSS are looked for: below the home folder, and below the home folders that
//! snaps and Flatpak programs see in its place.

use std::fs;
use std::path::{Path, PathBuf};

use crate::trust::{Platform, TrustEnvironment};

/// A folder that holds, or is to hold, a database.
pub(super) struct Database {
    pub(super) folder: PathBuf,
    pub(super) browser: String,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// In the format since NSS 3.12.
    Usable,
    /// In the format before it.
    Legacy,
    /// Not there yet.
    Missing,
}

/// The file that tells that a folder is a database, in the format since NSS 3.12.
const MARK: &str = "cert9.db";

/// The same in the format before it.
const LEGACY_MARK: &str = "cert8.db";

/// Folders below a home folder whose folders may be profiles, each with a database.
const PROFILES: [(&str, &str); 5] = [
    (".mozilla/firefox", "Firefox"),
    (".librewolf", "LibreWolf"),
    (".thunderbird", "Thunderbird"),
    // macOS.
    ("Library/Application Support/Firefox/Profiles", "Firefox"),
    (
        "Library/Application Support/Thunderbird/Profiles",
        "Thunderbird",
    ),
];

/// The same below a folder for configuration, where Firefox keeps its profiles since version 147.
const PROFILES_IN_CONFIG: [(&str, &str); 2] = [
    ("mozilla/firefox", "Firefox"),
    ("librewolf/librewolf", "LibreWolf"),
];

/// What snaps and Flatpak programs are called by people.
const PROGRAMS: [(&str, &str); 15] = [
    ("chromium", "Chromium"),
    ("brave", "Brave"),
    ("opera", "Opera"),
    ("firefox", "Firefox"),
    ("thunderbird", "Thunderbird"),
    ("org.chromium.Chromium", "Chromium"),
    (
        "io.github.ungoogled_software.ungoogled_chromium",
        "Chromium",
    ),
    ("com.google.Chrome", "Chrome"),
    ("com.brave.Browser", "Brave"),
    ("com.microsoft.Edge", "Edge"),
    ("com.opera.Opera", "Opera"),
    ("com.vivaldi.Vivaldi", "Vivaldi"),
    ("org.mozilla.firefox", "Firefox"),
    ("org.mozilla.Thunderbird", "Thunderbird"),
    ("io.gitlab.librewolf-community", "LibreWolf"),
];

/// Every database there is, those of the old format too.
pub(super) fn databases(environment: &TrustEnvironment) -> Vec<Database> {
    let mut found = Found::default();
    // NSS on Windows is only in Firefox, which takes the roots of the system's store.
    let Some(home) = &environment.home else {
        return found.databases;
    };
    if environment.platform == Platform::Windows {
        return found.databases;
    }
    // Whatever is left there of the old format was never Chromium's.
    for shared in shared(environment)
        .into_iter()
        .filter(|folder| is_usable(folder))
    {
        found.add(shared, "Chromium");
    }
    found.add_profiles(home, &PROFILES, None);
    let usual = Some(home.join(".config"));
    let configs = [environment.config_home.clone(), usual];
    for config in configs.into_iter().flatten() {
        found.add_profiles(&config, &PROFILES_IN_CONFIG, None);
    }
    // A snap sees ~/snap/NAME/current as its home, and keeps what outlives versions in "common".
    for (name, snap) in folders(&home.join("snap")) {
        found.add_program(&name, &snap.join("current"), ".config", ".local/share");
        found.add_program(&name, &snap.join("common"), ".config", ".local/share");
    }
    // A Flatpak program sees parts of ~/.var/app/ID as its home.
    for (id, app) in folders(&home.join(".var/app")) {
        found.add_program(&id, &app, "config", "data");
    }
    found.databases
}

/// The database that Chromium would make, where there is none that it uses.
pub(super) fn missing_of_chromium(environment: &TrustEnvironment) -> Option<Database> {
    let mut shared = shared(environment);
    if environment.platform != Platform::Linux || shared.iter().any(|folder| is_usable(folder)) {
        return None;
    }
    shared.truncate(1);
    shared.pop().map(|folder| Database {
        folder,
        browser: "Chromium".to_owned(),
        state: State::Missing,
    })
}

fn is_usable(folder: &Path) -> bool {
    folder.join(MARK).is_file()
}

/// The user's shared database, which Chromium uses, and NSS before the next one (`nsssysinit.c`);
/// and the one where the former does not exist, which Chromium makes since version 146.
fn shared(environment: &TrustEnvironment) -> Vec<PathBuf> {
    let Some(home) = &environment.home else {
        return Vec::new();
    };
    let in_home = std::iter::once(home.join(".pki/nssdb"));
    let in_data = environment
        .data_home
        .iter()
        .map(|data| data.join("pki/nssdb"));
    in_home.chain(in_data).collect()
}

#[derive(Default)]
struct Found {
    databases: Vec<Database>,
}

impl Found {
    /// The databases of a program that has a home folder of its own.
    fn add_program(&mut self, name: &str, home: &Path, config: &str, data: &str) {
        let known = PROGRAMS.iter().find(|(known, _)| *known == name);
        let browser = known.map_or(name, |(_, browser)| browser);
        self.add(home.join(".pki/nssdb"), browser);
        self.add(home.join(data).join("pki/nssdb"), browser);
        self.add_profiles(home, &PROFILES, Some(browser));
        self.add_profiles(&home.join(config), &PROFILES_IN_CONFIG, Some(browser));
    }

    fn add_profiles(&mut self, below: &Path, places: &[(&str, &str)], browser: Option<&str>) {
        for (place, usual) in places {
            for (_, profile) in folders(&below.join(place)) {
                self.add(profile, browser.unwrap_or(usual));
            }
        }
    }

    fn add(&mut self, folder: PathBuf, browser: &str) {
        let state = if is_usable(&folder) {
            State::Usable
        } else if folder.join(LEGACY_MARK).is_file() {
            State::Legacy
        } else {
            return;
        };
        if self.databases.iter().any(|other| other.folder == folder) {
            return;
        }
        self.databases.push(Database {
            folder,
            browser: browser.to_owned(),
            state,
        });
    }
}

/// The folders in a folder, with their names, in the order of these.
fn folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<(String, PathBuf)> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path())
        })
        .filter(|(_, path)| path.is_dir())
        .collect();
    folders.sort();
    folders
}
