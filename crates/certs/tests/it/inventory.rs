//! The inventory: what is asked is answered, and whatever is done to its file, it is made anew.

mod many;

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use ravelin_certs::inventory::{
    Counts, InventoryError, NamePattern, Query, Record, SerialPrefix, State,
};
use ravelin_certs::journal::event::Issued;
use ravelin_certs::journal::{Entry, Fault, Journal, JournalError};
use ravelin_pki::{Fingerprint, RevocationReason, SerialNumber};

use crate::journal::{Place, event, issuer, now, revoke};

const DAY: Duration = Duration::from_secs(86_400);

/// One that the journal takes and no audit would.
fn record(serial: &[u8], names: &[&str], begins: SystemTime, ends: SystemTime) -> Issued {
    Issued {
        issuer: issuer(),
        serial: SerialNumber::from_der_content(serial),
        subject: String::new(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        not_before: begins,
        not_after: ends,
        profile: "server".to_owned(),
        requester: None,
        request: None,
        certificate: serial.to_vec().into(),
    }
}

fn serials(journal: &mut Journal, query: &Query) -> Vec<String> {
    let page = journal.page(query, now(), None, 100).unwrap();
    assert!(page.next.is_none());
    let mut streamed = Vec::new();
    journal
        .for_each(query, now(), |record| {
            streamed.push(record);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(streamed, page.records);
    page.records
        .iter()
        .map(|record| record.serial.to_string())
        .collect()
}

fn prefix(text: &str) -> SerialPrefix {
    text.parse().unwrap()
}

#[test]
fn certificates_are_found_by_number_name_end_and_state() {
    let place = Place::new();
    let mut journal = place.journal();
    let (past, future) = (now() - DAY, now() + DAY);
    let other_issuer = Fingerprint::of(b"other");
    let all = [
        record(&[0x0a], &["a.test", "A_b%.test"], past, future),
        record(&[0x0a, 0xbc], &["b.test", "10.0.0.1"], past, future + DAY),
        record(&[0x00, 0xff], &["x.a.test"], past - DAY, past),
        record(&[0x00, 0xff, 0x01], &[], future, future + 2 * DAY),
        Issued {
            issuer: other_issuer,
            subject: "CN=Ada".to_owned(),
            ..record(&[0x0a], &["mailto:ada@a.test"], past, now())
        },
        record(&[0x77], &["a.test"], past, future),
    ];
    let revoked = SerialNumber::from_der_content(&[0x77]);
    let unknown = SerialNumber::from_der_content(&[0x12, 0x34]);
    let mut events: Vec<_> = all.iter().map(event).collect();
    events.push(revoke(&revoked, RevocationReason::KeyCompromise));
    events.push(revoke(&unknown, RevocationReason::Superseded));
    journal.append(&events, now()).unwrap();

    let query = Query::default;
    let named = |name: &str| query().name(NamePattern::Is(name.to_owned()));
    let like = |name: &str| query().name(NamePattern::Contains(name.to_owned()));
    let mut found = |query: Query| serials(&mut journal, &query);
    assert_eq!(
        found(query()),
        ["ff", "0a", "0a", "77", "0abc", "ff01"],
        "by their end"
    );
    assert_eq!(found(query().issuer(other_issuer)), ["0a"]);
    assert_eq!(found(query().issuer(Fingerprint::of(b"none"))), [""; 0]);
    assert_eq!(found(query().serial(prefix("0A"))), ["0a", "0a", "0abc"]);
    assert_eq!(found(query().serial(prefix("0xFF"))), ["ff", "ff01"]);
    assert_eq!(found(query().serial(prefix("00:ff:0"))), ["ff01"]);
    assert_eq!(found(query().serial(prefix("b"))), [""; 0]);
    assert_eq!(found(named("A.TEST")), ["0a", "77"]);
    assert_eq!(found(named("cn=ada")), ["0a"]);
    assert_eq!(found(named("a")), [""; 0]);
    assert_eq!(found(like("a.test")), ["ff", "0a", "0a", "77"]);
    assert_eq!(found(like("_b%")), ["0a"], "signs of LIKE mean themselves");
    assert_eq!(found(like("10.0.")), ["0abc"]);
    for long in [9_999, 10_001, 1 << 20] {
        assert_eq!(found(like(&"%".repeat(long))), [""; 0]);
    }
    assert_eq!(found(query().state(State::Valid)), ["0a", "0a", "0abc"]);
    assert_eq!(found(query().state(State::Expired)), ["ff"]);
    assert_eq!(found(query().state(State::Revoked)), ["77"]);
    assert_eq!(found(query().state(State::NotYetValid)), ["ff01"]);
    assert_eq!(
        found(query().expiring_before(future)),
        ["0a"],
        "neither over nor revoked"
    );
    assert_eq!(found(query().expiring_before(future + DAY)), ["0a", "0a"]);
    assert_eq!(found(like("test").state(State::Revoked)), ["77"]);

    assert_eq!(
        journal.counts(now()).unwrap(),
        Counts {
            not_yet_valid: 1,
            valid: 3,
            expired: 1,
            revoked: 1
        }
    );
    let list = journal.revoked(&issuer()).unwrap();
    let list: Vec<_> = list
        .iter()
        .map(|entry| {
            (
                entry.serial.clone(),
                entry.revocation.reason,
                entry.not_after,
            )
        })
        .collect();
    assert_eq!(
        list,
        [
            (unknown.clone(), RevocationReason::Superseded, None),
            (revoked, RevocationReason::KeyCompromise, Some(future)),
        ]
    );
    assert!(journal.revoked(&other_issuer).unwrap().is_empty());
    assert!(journal.revocation(&issuer(), &unknown).unwrap().is_some());
    assert!(
        journal
            .revocation(&other_issuer, &unknown)
            .unwrap()
            .is_none()
    );
}

#[test]
fn one_certificate_is_found_by_the_first_digits_of_its_number() {
    let place = Place::new();
    let mut journal = place.journal();
    let events: Vec<_> = (0..9)
        .map(|last| event(&record(&[0x0a, 0xb0 + last], &[], now(), now())))
        .chain([event(&record(&[0x0a], &[], now(), now()))])
        .collect();
    journal.append(&events, now()).unwrap();
    let mut find = |text: &str| journal.find(&prefix(text), now());
    assert_eq!(find("0ab3").unwrap().unwrap().sequence, 4);
    assert_eq!(
        find("0a").unwrap().unwrap().sequence,
        10,
        "all of it comes first"
    );
    assert_eq!(find("0b").unwrap(), None);
    let error = find("0ab").unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"0ab\" is the beginning of more than 5 serial numbers: 0ab0, 0ab1, 0ab2, 0ab3, 0ab4"
    );
    assert_eq!(error.hint().as_deref(), Some("give more digits"));
    assert!(matches!(
        error,
        JournalError::Inventory(InventoryError::Ambiguous { .. })
    ));
}

#[test]
fn pages_go_on_where_the_last_ended_whatever_comes_meanwhile() {
    let place = Place::new();
    let mut journal = place.journal();
    let day = |number: u8| now() + DAY * u32::from(number);
    // Many end at once.
    let events: Vec<_> = (0..50)
        .map(|number| event(&record(&[1, number], &[], now(), day(number / 10))))
        .collect();
    journal.append(&events, now()).unwrap();
    let query = Query::default();
    let mut cursor = None;
    let mut seen: Vec<u64> = Vec::new();
    for number in 0.. {
        let page = journal.page(&query, now(), cursor, 7).unwrap();
        seen.extend(page.records.iter().map(|record| record.sequence));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        let before = record(&[2, number], &[], now(), now() - DAY);
        journal.append(&[event(&before)], now()).unwrap();
    }
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
}

#[test]
fn records_in_json_are_what_scripts_expect() {
    let place = Place::new();
    let mut journal = place.journal();
    let leaf = Issued {
        requester: Some("ada".to_owned()),
        request: Some(Fingerprint::of(b"r")),
        ..record(&[0, 0xff], &["a.test"], now(), now() + DAY)
    };
    let revoked = revoke(&leaf.serial, RevocationReason::KeyCompromise);
    journal.append(&[event(&leaf), revoked], now()).unwrap();
    let found = journal.find(&prefix("ff"), now()).unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        serde_json::json!({
            "sequence": 1,
            "state": "revoked",
            "serial": "ff",
            "subject": "",
            "names": ["a.test"],
            "not_before": "2026-11-25T00:00:00Z",
            "not_after": "2026-11-26T00:00:00Z",
            "revoked": { "at": "2026-11-25T00:00:00Z", "reason": "keyCompromise" },
            "issued_at": "2026-11-25T00:00:00Z",
            "profile": "server",
            "requester": "ada",
            "request": Fingerprint::of(b"r").to_string(),
            "fingerprint": Fingerprint::of(&[0, 0xff]).to_string(),
            "issuer": issuer().to_string(),
        })
    );
}

fn all(journal: &mut Journal) -> Vec<Record> {
    journal
        .page(&Query::default(), now(), None, 1000)
        .unwrap()
        .records
}

type Harm<'a> = (&'a str, Box<dyn Fn() + 'a>);

#[test]
fn an_inventory_that_is_missing_damaged_or_of_another_kind_is_made_anew() {
    let place = Place::new();
    let mut journal = place.journal();
    let names = ["a.localhost", "b.localhost", "c.localhost"];
    let leaves = names.map(|name| place.issue(name));
    let mut events: Vec<_> = leaves.iter().map(event).collect();
    events.push(revoke(&leaves[0].serial, RevocationReason::Superseded));
    journal.append(&events, now()).unwrap();
    let expected = all(&mut journal);
    drop(journal);
    let database = place.database();
    let sql = |text: &str| {
        rusqlite::Connection::open(&database)
            .unwrap()
            .execute_batch(text)
            .unwrap();
    };
    let whole = fs::read(&database).unwrap();
    let harms: [Harm<'_>; 8] = [
        ("removed", Box::new(|| fs::remove_file(&database).unwrap())),
        ("emptied", Box::new(|| fs::write(&database, "").unwrap())),
        (
            "text",
            Box::new(|| fs::write(&database, "x".repeat(9000)).unwrap()),
        ),
        (
            "cut",
            Box::new(|| fs::write(&database, &whole[..whole.len() / 2]).unwrap()),
        ),
        (
            "zeroed",
            Box::new(|| {
                let mut bytes = whole.clone();
                bytes[4096..].fill(0);
                fs::write(&database, bytes).unwrap();
            }),
        ),
        ("older", Box::new(|| sql("PRAGMA user_version = 0"))),
        ("table lost", Box::new(|| sql("DROP TABLE certificates"))),
        ("behind", Box::new(|| sql("DELETE FROM built"))),
    ];
    for (what, harm) in harms {
        harm();
        let mut journal = place.journal();
        assert_eq!(all(&mut journal), expected, "{what}");
        let twice = journal.append(&[event(&leaves[0])], now()).unwrap_err();
        assert!(
            matches!(twice, JournalError::Refused(_)),
            "{what}: {twice:?}"
        );
        drop(journal);
        let report = place.audit(None);
        assert!(report.is_clean(), "{what}: {report:?}");
    }
}

#[test]
fn an_inventory_damaged_while_it_is_open_is_made_anew() {
    let place = Place::new();
    let (mut journal, mut other) = (place.journal(), place.journal());
    journal
        .append(&[event(&place.issue("a.localhost"))], now())
        .unwrap();
    let expected = all(&mut journal);
    other.rebuild_inventory().unwrap();
    assert_eq!(all(&mut journal), expected, "of one that was thrown away");
    journal
        .append(&[event(&place.issue("b.localhost"))], now())
        .unwrap();
    assert_eq!(all(&mut other), all(&mut journal));
    rusqlite::Connection::open(place.database())
        .unwrap()
        .execute_batch("DROP TABLE certificates")
        .unwrap();
    assert_eq!(all(&mut other).len(), 2);
    other
        .append(&[event(&place.issue("c.localhost"))], now())
        .unwrap();
    drop((journal, other));
    assert!(place.audit(None).is_clean());
}

#[test]
fn an_inventory_follows_a_journal_that_was_replaced() {
    let (place, other) = (Place::new(), Place::new());
    let mut journal = place.journal();
    journal
        .append(&[event(&place.issue("a.localhost"))], now())
        .unwrap();
    let mut elsewhere = other.journal();
    for name in ["b.localhost", "c.localhost"] {
        elsewhere
            .append(&[event(&other.issue(name))], now())
            .unwrap();
    }
    // While it is open.
    fs::copy(other.path(), place.path()).unwrap();
    assert_eq!(all(&mut journal), all(&mut elsewhere));
    journal
        .append(&[event(&place.issue("d.localhost"))], now())
        .unwrap();
    let report = place.audit(None);
    assert_eq!(report.certificates, 3);
    assert!(
        matches!(report.findings[0].fault, Fault::Rewritten { .. }),
        "and it is told"
    );
    assert_eq!(report.findings.len(), 1, "{report:?}");
}

#[test]
fn an_audit_finds_what_the_inventory_has_otherwise() {
    let changes = [
        "UPDATE certificates SET not_after = not_after + 1 WHERE sequence = 1",
        "UPDATE certificates SET names = '[]' WHERE sequence = 1",
        "UPDATE certificates SET profile = 'ca' WHERE sequence = 2",
        "UPDATE certificates SET revoked_at = NULL, reason = NULL",
        "UPDATE revocations SET reason = 4",
        "DELETE FROM revocations",
        "DELETE FROM certificates WHERE sequence = 2",
        "INSERT INTO named VALUES (7, 1)",
        "UPDATE packed SET texts = CAST(texts || 'x' AS BLOB)",
        "DELETE FROM packed",
        "UPDATE crls SET number = 8",
        "UPDATE certificates SET place = place + (1 << 24) WHERE sequence = 1",
        "INSERT INTO certificates SELECT place + 9, 99, issuer, x'01', not_before, not_after, issued_at, NULL,
             NULL, fingerprint, subject, names, profile, requester, request, start, length
         FROM certificates WHERE sequence = 1",
        "UPDATE issuers SET key = zeroblob(32)",
    ];
    for change in changes {
        let place = Place::new();
        let mut journal = place.journal();
        let leaves = ["a.localhost", "b.localhost"].map(|name| place.issue(name));
        let mut events: Vec<_> = leaves.iter().map(event).collect();
        events.push(revoke(&leaves[0].serial, RevocationReason::KeyCompromise));
        events.push(crate::journal::crl(1));
        journal.append(&events, now()).unwrap();
        drop(journal);
        assert!(place.audit(None).is_clean());
        rusqlite::Connection::open(place.database())
            .unwrap()
            .execute_batch(change)
            .unwrap();
        let report = place.audit(None);
        assert!(!report.is_clean(), "{change}");
        place.journal().rebuild_inventory().unwrap();
        let report = place.audit(None);
        assert!(report.is_clean(), "{change}: {report:?}");
    }
}

/// Lines so long that a few are as many bytes as many certificates have.
fn long(number: u8, names: &[&str]) -> Issued {
    Issued {
        requester: Some("x".repeat(1_000_000)),
        ..record(
            &[1, number],
            names,
            now(),
            now() + DAY * u32::from(number % 7),
        )
    }
}

#[test]
fn an_inventory_made_at_once_is_the_one_that_was_made_bit_by_bit() {
    let place = Place::new();
    let mut journal = place.journal();
    let several = ["a.test", "A.test", "b.test"];
    for number in 0..40 {
        let leaf = long(number, &several[..usize::from(number % 4)]);
        journal.append(&[event(&leaf)], now()).unwrap();
    }
    let serial = |number| SerialNumber::from_der_content(&[1, number]);
    let revoked = [
        revoke(&serial(3), RevocationReason::KeyCompromise),
        revoke(&serial(4), RevocationReason::CertificateHold),
        crate::journal::unrevoke(&serial(4)),
        crate::journal::crl(7),
    ];
    journal.append(&revoked, now()).unwrap();
    // A real one does not fit its entry here, so that the audit is asked for the inventory alone.
    let faults = |place: &Place| -> Vec<_> {
        let findings = place.audit(None).findings.into_iter();
        findings
            .filter(|finding| {
                matches!(
                    finding.fault,
                    Fault::Inventory | Fault::InventoryRows { .. } | Fault::InventoryDamaged(_)
                )
            })
            .collect()
    };
    let expected = all(&mut journal);
    assert!(faults(&place).is_empty(), "{:?}", faults(&place));
    journal.rebuild_inventory().unwrap();
    assert_eq!(all(&mut journal), expected);
    assert!(faults(&place).is_empty(), "{:?}", faults(&place));
    let list = journal.revoked(&issuer()).unwrap();
    assert_eq!(list.len(), 1);
    let like = Query::default().name(NamePattern::Contains("B.T".to_owned()));
    assert_eq!(serials(&mut journal, &like).len(), 10);
    let twice = journal.append(&[event(&long(5, &[]))], now()).unwrap_err();
    assert!(matches!(twice, JournalError::Refused(_)), "{twice:?}");
    assert_eq!(journal.last_crl_number(&issuer()).unwrap(), Some(7));
}

#[test]
fn of_many_entries_that_which_gives_a_number_twice_is_told() {
    let place = Place::new();
    let mut journal = place.journal();
    for number in 0..40 {
        journal.append(&[event(&long(number, &[]))], now()).unwrap();
    }
    let head = journal.head().unwrap();
    drop(journal);
    // As nobody but who forges a journal can write it.
    let forged = Entry {
        sequence: head.sequence + 1,
        time: now(),
        previous: head.hash,
        event: event(&long(20, &[])),
    };
    let mut journal = fs::read_to_string(place.path()).unwrap();
    journal.push_str(&forged.to_line().unwrap());
    fs::write(place.path(), journal).unwrap();
    fs::remove_file(place.database()).unwrap();
    let error = Journal::open(&place.store).unwrap_err();
    let damage = error.to_string();
    assert!(
        matches!(error, JournalError::Damaged { line: 41, .. }),
        "{damage}"
    );
}

#[test]
fn certificates_are_told_apart_that_end_in_one_second_2_to_the_24_entries_apart() {
    let place = Place::new();
    let mut journal = place.journal();
    let ends = now() + DAY;
    let events = [1, 2].map(|number| event(&record(&[number], &["a.test"], now(), ends)));
    journal.append(&events[..1], now()).unwrap();
    // As if the first had been the 2nd entry, and 16,777,216 came between.
    rusqlite::Connection::open(place.database())
        .unwrap()
        .execute_batch("UPDATE certificates SET place = place + 1")
        .unwrap();
    journal.append(&events[1..], now()).unwrap();
    let query = Query::default();
    let first = journal.page(&query, now(), None, 1).unwrap();
    let second = journal.page(&query, now(), first.next, 1).unwrap();
    let seen = [first.records, second.records].concat();
    let seen: Vec<u64> = seen.iter().map(|record| record.sequence).collect();
    assert_eq!(seen, [1, 2]);
    assert_eq!(second.next, None);
}

#[test]
fn an_inventory_of_an_older_version_leaves_what_it_knew_of_the_journal_to_audits() {
    let place = Place::new();
    let mut journal = place.journal();
    let events = ["a.localhost", "b.localhost"].map(|name| event(&place.issue(name)));
    for event in events {
        journal.append(&[event], now()).unwrap();
    }
    drop(journal);
    rusqlite::Connection::open(place.database())
        .unwrap()
        .execute_batch("PRAGMA user_version = 1")
        .unwrap();
    // The last line is cut off before this version first sees the journal.
    let lines = fs::read_to_string(place.path()).unwrap();
    let first = lines.lines().next().unwrap();
    fs::write(place.path(), format!("{first}\n")).unwrap();
    assert_eq!(all(&mut place.journal()).len(), 1);
    let report = place.audit(None);
    assert!(
        matches!(report.findings[0].fault, Fault::Missing { .. }),
        "{report:?}"
    );
}

#[test]
fn a_number_that_is_greater_than_all_given_is_still_not_given_twice_among_many() {
    let place = Place::new();
    let mut journal = place.journal();
    let many = |last: u8| -> Vec<_> {
        let serials = (0..20).map(|number| [2, last, number]);
        let serials = serials.chain([[last, 0, 0]]);
        serials
            .map(|serial| event(&record(&serial, &[], now(), now() + DAY)))
            .collect()
    };
    // Known only as one that was revoked, as an issuer that lost its journal may have given it.
    let revoked = SerialNumber::from_der_content(&[0x70, 0, 0]);
    let revoked = revoke(&revoked, RevocationReason::KeyCompromise);
    journal.append(&[revoked], now()).unwrap();
    let twice = journal.append(&many(0x70), now()).unwrap_err();
    assert!(matches!(twice, JournalError::Refused(_)), "{twice:?}");
    let head = journal.append(&many(0x71), now()).unwrap();
    assert_eq!(head.sequence, 1 + 21);
    // Before the index has them, and after.
    for _ in 0..2 {
        let twice = journal.append(&many(0x71), now()).unwrap_err();
        assert!(matches!(twice, JournalError::Refused(_)), "{twice:?}");
        assert_eq!(all(&mut journal).len(), 21);
    }
}
