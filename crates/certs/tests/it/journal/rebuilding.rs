//! Audits while other processes make the inventory anew, and are killed at that: they look at it as it
//! is at one moment, and raise no alarm for what is only not finished.

use ravelin_certs::FileStore;
use ravelin_certs::journal::{Event, Journal};

use super::{Place, event, now};
use crate::victim::Victim;

/// The variable that makes [`makes_inventories_until_it_is_killed`] the victim.
const VICTIM_HOME: &str = "RAVELIN_TEST_REBUILDING_HOME";

#[test]
fn an_audit_raises_no_alarm_while_the_inventory_is_made_anew() {
    let place = Place::new();
    let events: Vec<Event> = (0..40)
        .map(|_| event(&place.issue("a.localhost")))
        .collect();
    place.journal().append(&events, now()).unwrap();
    let mut seen = 0;
    for round in 0..15 {
        let test = "journal::rebuilding::makes_inventories_until_it_is_killed";
        let victim = Victim::start(test, VICTIM_HOME, place.store.folder());
        for _ in 0..20 {
            let report = place.audit(None);
            assert!(report.is_clean(), "round {round}: {report:?}");
            assert_eq!(report.certificates, 40);
            seen += usize::from(report.inventory == Some(40));
        }
        drop(victim);
        let report = place.audit(None);
        assert!(report.is_clean(), "killed in round {round}: {report:?}");
    }
    assert!(seen > 0, "no audit had an inventory to compare with");
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
