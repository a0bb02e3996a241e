//! `kill -9` while certificates are made: whatever is left, the next start works with it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ravelin_certs::{FileStore, LocalAuthority};
use ravelin_pki::HostName;

use crate::local::verify;
use crate::victim::Victim;

/// The variable that makes [`makes_certificates_until_it_is_killed`] the victim.
const VICTIM_HOME: &str = "RAVELIN_TEST_VICTIM_HOME";

/// How often to kill.
const KILLS: u32 = 150;

#[test]
fn a_process_killed_anywhere_leaves_a_store_that_works() {
    let folder = tempfile::tempdir().unwrap();
    // The shortest of some: beside other programs one may take several times as long as those that follow.
    let times = (0..5).map(|run| time_of_one_run(&folder.path().join(format!("measured-{run}"))));
    let mut span = times.min().unwrap();
    let mut unfinished = 0;
    for kill in 0..KILLS {
        let home = folder.path().join(kill.to_string());
        // Spread over a run and a little more, in steps that are no multiple of each other.
        let moment = span.mul_f64(f64::from(kill * 59 % KILLS) / f64::from(KILLS) * 1.2);
        start(&home).kill_after(moment);
        if Files::count(&home) < 4 {
            unfinished += 1;
        } else {
            // It took less than that. By little at a time, since one that is killed late tells nothing.
            span = span.min(moment).max(span.mul_f64(0.95));
        }
        let store = FileStore::open(&home).unwrap();
        let now = SystemTime::now();
        let authority = LocalAuthority::open(&store, &[], now).unwrap();
        let leaf = authority.leaf(&names(), now).unwrap();
        verify(&authority, &leaf, &[]).unwrap();
        assert_eq!(
            Files::temporary(&home),
            0,
            "temporary files are written over"
        );
    }
    // Else the moments missed what they were to hit.
    assert!(
        unfinished > KILLS / 5,
        "only {unfinished} of {KILLS} kills came in time"
    );
}

/// The victim, run by the test above in a process of its own: makes a CA and a leaf, then waits.
#[test]
fn makes_certificates_until_it_is_killed() {
    let Some(home) = std::env::var_os(VICTIM_HOME) else {
        return;
    };
    // Tells that the process is up, so that the moments count from here.
    println!("\nready");
    let store = FileStore::open(Path::new(&home)).unwrap();
    let now = SystemTime::now();
    let authority = LocalAuthority::open(&store, &[], now).unwrap();
    authority.leaf(&names(), now).unwrap();
    println!("\ndone");
    loop {
        thread::park();
    }
}

fn names() -> Vec<HostName> {
    vec!["localhost".parse().unwrap()]
}

fn time_of_one_run(home: &Path) -> Duration {
    let mut victim = start(home);
    let ready = Instant::now();
    victim.wait_for("done");
    ready.elapsed()
}

fn start(home: &Path) -> Victim {
    Victim::start(
        "kill::makes_certificates_until_it_is_killed",
        VICTIM_HOME,
        home,
    )
}

struct Files;

impl Files {
    /// How many of the four objects are in place.
    fn count(home: &Path) -> usize {
        Self::all(home)
            .filter(|name| !name.starts_with('.'))
            .count()
    }

    fn temporary(home: &Path) -> usize {
        Self::all(home)
            .filter(|name| Path::new(name).extension().is_some_and(|e| e == "new"))
            .count()
    }

    fn all(home: &Path) -> impl Iterator<Item = String> {
        let folders = ["ca", "leaves"].map(|below| fs::read_dir(home.join(below)));
        let entries = folders.into_iter().flatten().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
    }
}
