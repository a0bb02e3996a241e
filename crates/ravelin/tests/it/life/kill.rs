//! `kill -9` while the first certificates are made: the next start works with what is left. The
//! store's own test kills at more moments; this one kills the program itself.

use std::path::Path;
use std::process::Stdio;

use crate::foreign::fetch;
use crate::server::Place;

const KILLS: usize = 40;

/// The files and folders under `folder`, those half written too. One that goes while it is counted
/// is not counted, nor is what SQLite puts beside its database while it is open.
fn entries_under(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let of_sqlite = |name: &str| name.starts_with("inventory.db-");
    entries
        .filter(|entry| !entry.file_name().to_str().is_some_and(of_sqlite))
        .map(|entry| 1 + entries_under(&entry.path()))
        .sum()
}

#[test]
fn a_start_after_a_kill_while_certificates_are_made_works() {
    let whole = Place::new();
    whole.serve(&[]).stop();
    let steps = entries_under(&whole.home()) + 1;
    let mut without_leaf = 0;
    for kill in 0..KILLS {
        let place = Place::new();
        let mut command = place.command(&["serve", "public", "--listen", "127.0.0.1:0"]);
        let mut victim = command.stderr(Stdio::null()).spawn().unwrap();
        // As soon as so much is there: by what is done, not by the clock, which says nothing about
        // how far a start has come on a busy machine. Sleeping between looks would be too coarse.
        // The books are kept in files that come and go, so that their number does not tell when the
        // first leaf is there: the last step of each turn waits for that itself.
        let step = kill % steps;
        let leaves = place.home().join("leaves");
        let is_enough = || {
            if step + 1 == steps {
                entries_under(&leaves) > 0
            } else {
                entries_under(&place.home()) >= step
            }
        };
        while !is_enough() {
            assert!(victim.try_wait().unwrap().is_none(), "it lives until then");
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        without_leaf += usize::from(entries_under(&leaves) == 0);

        let server = place.serve(&[]);
        assert_eq!(fetch(&server, "/", &[]).text(), "hello\n");
        server.stop();
    }
    assert!(
        without_leaf > 0 && without_leaf < KILLS,
        "{without_leaf} of {KILLS} were killed before the first leaf"
    );
}
