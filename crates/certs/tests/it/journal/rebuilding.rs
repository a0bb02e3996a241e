//! Audits while other processes make the inventory anew, and are killed at that: they look at it as it
//! is at one moment, and raise no alarm for what is only not finished.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use ravelin_certs::FileStore;
use ravelin_certs::journal::{Event, Journal};

use super::{Place, event, now};

/// The variable that makes [`makes_inventories_until_it_is_killed`] the victim.
const VICTIM_HOME: &str = "RAVELIN_TEST_REBUILDING_HOME";

#[test]
fn an_audit_raises_no_alarm_while_the_inventory_is_made_anew() {
    let place = Place::new();
    let events: Vec<Event> = (0..40)
        .map(|_| event(&place.issue("a.localhost")))
        .collect();
    place.journal().append(&events, now()).unwrap();
    let (mut seen, mut behind) = (0, 0);
    for round in 0..15 {
        let mut victim = start(&place);
        for _ in 0..20 {
            let report = place.audit(None);
            assert!(report.is_clean(), "round {round}: {report:?}");
            assert_eq!(report.certificates, 40);
            seen += usize::from(report.inventory == Some(40));
            behind += usize::from(report.inventory != Some(40));
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        let report = place.audit(None);
        assert!(report.is_clean(), "killed in round {round}: {report:?}");
    }
    assert_eq!(seen + behind, 300);
    assert_eq!(place.journal().head().unwrap().sequence, 40);
}

/// The victim, run by the test above in a process of its own.
#[test]
fn makes_inventories_until_it_is_killed() {
    let Some(home) = std::env::var_os(VICTIM_HOME) else {
        return;
    };
    let store = FileStore::open(std::path::Path::new(&home)).unwrap();
    println!("\nready");
    loop {
        // What was open before is closed when there is another already.
        let mut journal = Journal::open(&store).unwrap();
        journal.rebuild_inventory().unwrap();
    }
}

fn start(place: &Place) -> Child {
    let test = "journal::rebuilding::makes_inventories_until_it_is_killed";
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM_HOME, place.store.folder())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim() != "ready" {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the victim ended");
    }
    process
}
