//! Staples on a clock that the tests move, and a CA that fails when they want it to.

use ravelin_certs::inventory::{NamePattern, Query};
use ravelin_pki::RevocationReason;
use tempfile::TempDir;

use super::super::{Before, prepare};
use super::*;
use crate::config;

/// A CA whose certificates say where to ask for their status, and a site with one of them.
struct House {
    folder: TempDir,
    home: HomeArgument,
    config: Config,
    tickets: Tickets,
}

const HOUR: Duration = Duration::from_secs(3600);

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home/ca")).unwrap();
        std::fs::create_dir(folder.path().join("public")).unwrap();
        std::fs::write(
            folder.path().join("home/ca/policy.toml"),
            "[authority]\nocsp = [\"http://pki.test/ocsp\"]\n",
        )
        .unwrap();
        let text = "[[site]]\nhosts = [\"a.test\"]\nroute = [{ files = \"public\" }]\n";
        let file = folder.path().join("ravelin.toml");
        let config = config::read(text.as_bytes(), &file, None, None).unwrap();
        Self {
            home: HomeArgument {
                home: Some(folder.path().join("home")),
            },
            folder,
            config,
            tickets: Tickets::new().unwrap(),
        }
    }

    fn prepare(&self, now: SystemTime, before: Before<'_>) -> Prepared {
        prepare(&self.config, &self.home, &self.tickets, now, before).unwrap()
    }

    fn restaple(&self, prepared: &mut Prepared, now: SystemTime) -> bool {
        prepared
            .restaple(&self.config, &self.home, &self.tickets, now)
            .unwrap()
    }

    /// Revokes the site's certificate, or takes that back, as another process does.
    fn revoke(&self, now: SystemTime, undo: bool) {
        let store = ravelin_home::open(&self.home).unwrap();
        let authority = LocalAuthority::load(&store).unwrap().unwrap();
        let query = Query::default().name(NamePattern::Is("a.test".to_owned()));
        let page = authority.journal().unwrap().page(&query, now, None, 1);
        let record = page.unwrap().records.remove(0);
        if undo {
            authority.undo_hold(&record, now).unwrap();
        } else {
            let reason = RevocationReason::CertificateHold;
            authority.revoke(&record, reason, now).unwrap();
        }
    }

    /// Lets nobody read what the CA has issued, or lets them again.
    fn hide_journal(&self, hidden: bool) {
        let journal = self.folder.path().join("home/ca/journal.jsonl");
        let aside = self.folder.path().join("aside");
        if hidden {
            std::fs::rename(&journal, &aside).unwrap();
            std::fs::create_dir(&journal).unwrap();
        } else {
            std::fs::remove_dir(&journal).unwrap();
            std::fs::rename(&aside, &journal).unwrap();
        }
    }
}

fn staple(prepared: &Prepared) -> Option<&Staple> {
    let [source] = &prepared.sources[..] else {
        panic!("there is one site");
    };
    let sent = source.served.staple();
    assert_eq!(sent, source.staple.as_ref().map(|staple| &*staple.response));
    let tls = prepared
        .tls
        .certificates()
        .find(Some("a.test"), [0; 4].into())
        .unwrap();
    assert_eq!(tls.staple(), sent);
    source.staple.as_ref()
}

#[test]
fn a_revocation_is_stapled_at_the_next_look_and_so_is_that_it_was_taken_back() {
    let house = House::new();
    let now = SystemTime::now();
    let mut prepared = house.prepare(now, Before::Nothing);
    assert_eq!(staple(&prepared).unwrap().status, CertificateStatus::Good);
    assert_eq!(prepared.until_restapling(now), Some(LOOKED_AT_AGAIN));
    assert!(!house.restaple(&mut prepared, now + LOOKED_AT_AGAIN));
    for undo in [false, true] {
        house.revoke(now + LOOKED_AT_AGAIN, undo);
        assert!(house.restaple(&mut prepared, now + 2 * LOOKED_AT_AGAIN));
        let is_good = staple(&prepared).unwrap().status == CertificateStatus::Good;
        assert_eq!(is_good, undo);
    }
}

#[test]
fn a_staple_is_renewed_when_half_its_time_is_gone() {
    let house = House::new();
    let now = SystemTime::now();
    let mut prepared = house.prepare(now, Before::Nothing);
    let first = staple(&prepared).unwrap().clone();
    assert!(!house.restaple(&mut prepared, now + 11 * HOUR));
    assert_eq!(staple(&prepared), Some(&first));
    assert!(house.restaple(&mut prepared, now + 13 * HOUR));
    assert!(staple(&prepared).unwrap().until > first.until + 12 * HOUR);
}

#[test]
fn a_staple_that_cannot_be_renewed_is_sent_to_its_end_and_no_longer() {
    let house = House::new();
    let now = SystemTime::now();
    let mut prepared = house.prepare(now, Before::Nothing);
    let first = staple(&prepared).unwrap().clone();
    house.hide_journal(true);
    assert!(!house.restaple(&mut prepared, now + 13 * HOUR));
    assert_eq!(staple(&prepared), Some(&first));
    let before_end = first.until - HOUR / 60 / 2;
    let left = prepared.until_restapling(before_end);
    assert_eq!(left, Some(HOUR / 60 / 2), "it is looked at just then");
    assert!(!house.restaple(&mut prepared, before_end));
    assert!(house.restaple(&mut prepared, first.until));
    assert_eq!(staple(&prepared), None);
    house.hide_journal(false);
    assert!(house.restaple(&mut prepared, first.until + LOOKED_AT_AGAIN));
    assert!(staple(&prepared).is_some());
}

#[test]
fn a_reload_keeps_the_staple_where_the_ca_fails_and_the_same_one_where_it_does_not() {
    let house = House::new();
    let now = SystemTime::now();
    let prepared = house.prepare(now, Before::Nothing);
    let first = staple(&prepared).unwrap().clone();
    let reloaded = house.prepare(now + HOUR, Before::Reload(&prepared));
    assert_eq!(staple(&reloaded), Some(&first));
    house.hide_journal(true);
    let mut failing = house.prepare(now + 13 * HOUR, Before::Reload(&reloaded));
    assert_eq!(staple(&failing), Some(&first));
    assert!(failing.staples_fail);
    house.hide_journal(false);
    assert!(house.restaple(&mut failing, now + 14 * HOUR));
}

#[test]
fn a_local_ca_that_is_broken_does_not_matter_to_certificates_of_others() {
    let own = House::new();
    let now = SystemTime::now();
    let mut sources = own.prepare(now, Before::Nothing).sources;
    sources[0].set_staple(None);
    sources[0].stapled_by = StapledBy::Nobody;
    let other = House::new();
    other.prepare(now, Before::Nothing);
    for (house, fails) in [(&other, false), (&own, true)] {
        house.hide_journal(true);
        let (stapler, failed) = begin(&mut sources, &house.home, now, None);
        assert!(stapler.is_none());
        assert_eq!(failed, fails);
    }
}

#[test]
fn certificates_that_nobody_asks_about_are_not_stapled() {
    let house = House::new();
    std::fs::remove_file(house.folder.path().join("home/ca/policy.toml")).unwrap();
    let now = SystemTime::now();
    let prepared = house.prepare(now, Before::Nothing);
    assert_eq!(staple(&prepared), None);
    assert_eq!(prepared.until_restapling(now), None);
}
