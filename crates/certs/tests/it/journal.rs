//! The journal: what is written is read back, what cannot be is refused, two write at once, disks
//! that fill, and what a crash or a person did to the file.

mod kill;
mod rebuilding;
mod tampering;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use ravelin_certs::inventory::Query;
use ravelin_certs::journal::event::{
    AuthorityNoted, AuthorityRolledOver, CrlIssued, Issued, OtherEvent, RevocationUndone, Revoked,
};
use ravelin_certs::journal::{
    AuditReport, Event, Fault, Head, Journal, JournalError, Refusal, audit,
};
use ravelin_certs::{FileStore, StoreError};
use ravelin_pki::{
    Authority, Certificate, Fingerprint, HostName, NameConstraints, PrivateKey, RevocationReason,
    SerialNumber,
};

/// 2026-11-25T00:00:00Z.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800)
}

/// A folder with a journal, and a CA whose certificates are real.
pub(crate) struct Place {
    _folder: tempfile::TempDir,
    pub(crate) store: FileStore,
    authority: Authority,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: FileStore::open(folder.path()).unwrap(),
            _folder: folder,
            authority: authority(),
        }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(&self.store).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.store.folder().join("ca/journal.jsonl")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.store.folder().join("ca/inventory.db")
    }

    pub(crate) fn issue(&self, name: &str) -> Issued {
        issue(&self.authority, name)
    }

    pub(crate) fn audit(&self, expected: Option<&Head>) -> AuditReport {
        audit(&self.store, expected).unwrap()
    }
}

pub(crate) fn authority() -> Authority {
    let key = PrivateKey::generate().unwrap();
    Authority::root("Journal CA", key, &NameConstraints::local(), now()).unwrap()
}

pub(crate) fn issue(authority: &Authority, name: &str) -> Issued {
    let names: Vec<HostName> = vec![name.parse().unwrap()];
    let leaf = authority.leaf(&names, now()).unwrap();
    issued(leaf.certificate())
}

pub(crate) fn issuer() -> Fingerprint {
    Fingerprint::of(b"issuer")
}

fn issued(certificate: &Certificate) -> Issued {
    let issued = Issued {
        issuer: issuer(),
        ..Issued::new(certificate, certificate.public_key(), "server")
    };
    issued
        .asked_by("the tests")
        .from_request(Fingerprint::of(b"request"))
}

pub(crate) fn event(issued: &Issued) -> Event {
    Event::Issued(Box::new(issued.clone()))
}

pub(crate) fn revoke(serial: &SerialNumber, reason: RevocationReason) -> Event {
    Event::Revoked(Revoked {
        issuer: issuer(),
        serial: serial.clone(),
        reason,
        at: now(),
    })
}

pub(crate) fn unrevoke(serial: &SerialNumber) -> Event {
    Event::RevocationUndone(RevocationUndone {
        issuer: issuer(),
        serial: serial.clone(),
    })
}

pub(crate) fn crl(number: u64) -> Event {
    Event::CrlIssued(CrlIssued {
        issuer: issuer(),
        number,
        fingerprint: Fingerprint::of(b"crl"),
    })
}

fn refusal(error: JournalError) -> Refusal {
    match error {
        JournalError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_written_is_read_back_and_a_person_can_read_it_too() {
    let place = Place::new();
    let noted = |name: &str| AuthorityNoted {
        issuer: issuer(),
        fingerprint: Fingerprint::of(name.as_bytes()),
        subject: format!("CN={name} \"quoted\"\nand \u{7f}"),
    };
    let leaf = place.issue("a.localhost");
    let events = [
        Event::AuthorityMade(noted("made")),
        Event::AuthorityImported(noted("imported")),
        event(&leaf),
        revoke(&leaf.serial, RevocationReason::CertificateHold),
        unrevoke(&leaf.serial),
        crl(7),
        Event::AuthorityExported(noted("exported")),
        Event::AuthorityRolledOver(AuthorityRolledOver {
            from: noted("old"),
            to: noted("new"),
        }),
        Event::Other(OtherEvent {
            name: "from-the-future".to_owned(),
            details: "{\n  \"a\": [1,\r\n 2]\n}".to_owned(),
        }),
    ];
    let mut journal = place.journal();
    let head = journal.append(&events[..4], now()).unwrap();
    assert_eq!(head.sequence, 4);
    let head = journal.append(&events[4..], now()).unwrap();
    assert_eq!(head.to_string().parse(), Ok(head));

    let entries: Vec<_> = journal.entries(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries.len(), events.len());
    for (entry, (number, event)) in entries.iter().zip((1..).zip(&events)) {
        assert_eq!((entry.sequence, entry.time), (number, now()));
        match (&entry.event, event) {
            (Event::Other(read), Event::Other(written)) => {
                assert_eq!(read.name, written.name);
                let json = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(json(&read.details), json(&written.details));
            }
            (read, written) => assert_eq!(read, written),
        }
    }
    assert_eq!(journal.entries(9).unwrap().count(), 1);
    assert_eq!(journal.certificate(3).unwrap(), leaf.certificate);
    assert!(matches!(
        journal.certificate(4),
        Err(JournalError::NoEntry { sequence: 4, .. })
    ));

    let report = place.audit(Some(&head));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        (report.certificates, report.revoked, report.unknown),
        (1, 0, 1)
    );
    assert_eq!((report.head, report.inventory), (head, Some(9)));
    for file in [place.path(), place.database()] {
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn python_reads_the_lines_and_computes_the_same_hashes() {
    let place = Place::new();
    let mut journal = place.journal();
    for name in ["a.localhost", "b.localhost"] {
        journal.append(&[event(&place.issue(name))], now()).unwrap();
    }
    let program = "
import base64, hashlib, json, subprocess, sys
previous = '0' * 64
for number, line in enumerate(open(sys.argv[1], 'rb'), 1):
    entry = json.loads(line)
    assert entry['sequence'] == number and entry['event'] == 'issued', entry
    assert entry['time'] == '2026-11-25T00:00:00Z', entry
    assert entry['previous'] == previous, entry
    previous = hashlib.sha256(line).hexdigest()
    der = base64.b64decode(entry['details']['certificate'])
    out = subprocess.run(['openssl', 'x509', '-inform', 'DER', '-noout', '-serial'],
                         input=der, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert out.strip().lower() == 'serial=' + entry['details']['serial'], out
print(f'{number}:{previous}')
";
    let output = Command::new("python3")
        .args(["-c", program])
        .arg(place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.trim().parse(), Ok(journal.head().unwrap()));
}

#[test]
fn no_serial_number_is_given_twice_whoever_gives_it() {
    let place = Place::new();
    let (mut one, mut other) = (place.journal(), place.journal());
    let leaf = place.issue("a.localhost");
    one.append(&[event(&leaf)], now()).unwrap();
    let fresh = place.issue("b.localhost");
    for events in [
        vec![event(&leaf)],
        vec![event(&fresh), event(&leaf)],
        vec![event(&fresh), event(&fresh)],
    ] {
        let before = fs::read(place.path()).unwrap();
        let refused = refusal(other.append(&events, now()).unwrap_err());
        assert!(
            matches!(refused, Refusal::SerialTwice { .. }),
            "{refused:?}"
        );
        assert_eq!(
            fs::read(place.path()).unwrap(),
            before,
            "nothing is written"
        );
    }
    // Of another issuer it is another number.
    let elsewhere = Issued {
        issuer: Fingerprint::of(b"other issuer"),
        ..leaf.clone()
    };
    other.append(&[event(&elsewhere)], now()).unwrap();
    // One that was revoked without being in the journal was given, too.
    let unknown = SerialNumber::from_der_content(&[0, 0x99]);
    one.append(&[revoke(&unknown, RevocationReason::KeyCompromise)], now())
        .unwrap();
    let again = Issued {
        serial: unknown,
        ..leaf
    };
    assert!(matches!(
        refusal(other.append(&[event(&again)], now()).unwrap_err()),
        Refusal::SerialTwice { .. }
    ));
    assert_eq!(one.head().unwrap().sequence, 3);
}

/// Many at once go past the index, which must not be noticed.
#[test]
fn no_serial_number_is_given_twice_among_many_at_once() {
    let place = Place::new();
    let (mut one, mut other) = (place.journal(), place.journal());
    let many =
        |count: usize| -> Vec<Issued> { (0..count).map(|_| place.issue("a.localhost")).collect() };
    let events = |leaves: &[Issued]| -> Vec<Event> { leaves.iter().map(event).collect() };
    let (first, second) = (many(50), many(50));
    one.append(&events(&first), now()).unwrap();
    other.append(&events(&second), now()).unwrap();
    let third = many(50);
    one.append(&events(&third), now()).unwrap();
    for known in [&first[7], &second[0], &third[49]] {
        for journal in [&mut one, &mut other, &mut place.journal()] {
            for others in [0, 30] {
                let mut leaves = many(others);
                leaves.push(known.clone());
                let refused = refusal(journal.append(&events(&leaves), now()).unwrap_err());
                assert!(
                    matches!(refused, Refusal::SerialTwice { .. }),
                    "{refused:?}"
                );
            }
        }
    }
    let twice = [many(20), vec![first[0].clone()]].concat();
    assert!(other.append(&events(&twice), now()).is_err());
    let mut twice = many(20);
    twice.push(twice[3].clone());
    assert!(other.append(&events(&twice), now()).is_err());

    // One that was revoked, by whoever, is no reason to stumble.
    one.append(
        &[revoke(&third[0].serial, RevocationReason::Superseded)],
        now(),
    )
    .unwrap();
    other.append(&events(&many(10)), now()).unwrap();
    one.append(&events(&many(10)), now()).unwrap();
    one.rebuild_inventory().unwrap();
    let head = other.append(&events(&many(10)), now()).unwrap();
    assert_eq!(head.sequence, 181);
    let refused = refusal(
        one.append(&events(&[many(10), third].concat()), now())
            .unwrap_err(),
    );
    assert!(
        matches!(refused, Refusal::SerialTwice { .. }),
        "{refused:?}"
    );
    let page = one.page(&Query::default(), now(), None, 1000).unwrap();
    assert_eq!(page.records.len(), 180, "a question sees all of them");
    let report = place.audit(Some(&head));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.certificates, report.inventory), (180, Some(181)));
}

#[test]
fn only_what_can_happen_is_written() {
    let place = Place::new();
    let mut journal = place.journal();
    let leaf = place.issue("a.localhost");
    let serial = &leaf.serial;
    journal.append(&[event(&leaf), crl(5)], now()).unwrap();
    let mut refused = |event: Event| refusal(journal.append(&[event], now()).unwrap_err());

    assert!(matches!(
        refused(unrevoke(serial)),
        Refusal::NotRevoked { .. }
    ));
    for number in [0, 5] {
        assert!(matches!(
            refused(crl(number)),
            Refusal::CrlNumber { last: 5, .. }
        ));
    }
    assert!(matches!(refused(crl(u64::MAX)), Refusal::Number(_)));
    let removed = revoke(serial, RevocationReason::RemoveFromCrl);
    assert!(matches!(refused(removed), Refusal::NotAReason));
    for octets in [&[0x80][..], &[0, 1], &[]] {
        let serial = SerialNumber::from_der_content(octets);
        let wrong = Issued {
            serial,
            ..leaf.clone()
        };
        assert!(
            matches!(refused(event(&wrong)), Refusal::Serial(_)),
            "{octets:?}"
        );
    }
    let long = Issued {
        profile: "x".repeat(2 << 20),
        ..place.issue("b.localhost")
    };
    assert!(matches!(refused(event(&long)), Refusal::TooLong { .. }));
    let late = Issued {
        not_after: SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000),
        ..place.issue("b.localhost")
    };
    assert!(matches!(refused(event(&late)), Refusal::Form(_)));
    let no_json = OtherEvent {
        name: "x".to_owned(),
        details: "{} {}".to_owned(),
    };
    assert!(matches!(refused(Event::Other(no_json)), Refusal::Form(_)));

    // A hold can end, or become final; what is final stays.
    let hold = RevocationReason::CertificateHold;
    for event in [
        revoke(serial, hold),
        unrevoke(serial),
        revoke(serial, hold),
        revoke(serial, RevocationReason::KeyCompromise),
    ] {
        journal.append(&[event], now()).unwrap();
    }
    let mut refused = |event: Event| refusal(journal.append(&[event], now()).unwrap_err());
    assert!(matches!(
        refused(unrevoke(serial)),
        Refusal::NotOnHold { .. }
    ));
    for reason in [hold, RevocationReason::Superseded] {
        assert!(matches!(
            refused(revoke(serial, reason)),
            Refusal::RevokedBefore { .. }
        ));
    }
    assert!(place.audit(None).is_clean());
}

#[test]
fn a_last_line_that_a_crash_tore_gives_way_to_the_next() {
    let place = Place::new();
    let mut journal = place.journal();
    journal
        .append(&[event(&place.issue("a.localhost"))], now())
        .unwrap();
    let whole = fs::read(place.path()).unwrap();
    for torn in [
        &b"{"[..],
        &whole[..whole.len() - 1],
        &[0; 5000],
        &vec![b'x'; 70_000],
    ] {
        let before = fs::read(place.path()).unwrap();
        add(&place.path(), torn);
        // It is nothing that a reader stumbles over.
        let count = place
            .journal()
            .entries(1)
            .unwrap()
            .map(Result::unwrap)
            .count();
        let report = place.audit(None);
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.unfinished, torn.len() as u64);
        let head = place
            .journal()
            .append(&[event(&place.issue("b.localhost"))], now())
            .unwrap();
        assert_eq!(head.sequence, count as u64 + 1);
        assert!(fs::read(place.path()).unwrap().starts_with(&before));
        let report = place.audit(None);
        assert!(report.is_clean() && report.unfinished == 0, "{report:?}");
    }
}

#[test]
fn an_entry_that_only_lost_its_newline_is_kept() {
    let place = Place::new();
    let mut journal = place.journal();
    let leaf = place.issue("a.localhost");
    let head = journal.append(&[event(&leaf)], now()).unwrap();
    let whole = fs::read(place.path()).unwrap();
    fs::write(place.path(), &whole[..whole.len() - 1]).unwrap();
    let mut journal = place.journal();
    let twice = refusal(journal.append(&[event(&leaf)], now()).unwrap_err());
    assert!(matches!(twice, Refusal::SerialTwice { .. }));
    journal
        .append(&[event(&place.issue("b.localhost"))], now())
        .unwrap();
    let report = place.audit(Some(&head));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.head.sequence, 2);
}

#[test]
fn damage_is_told_with_its_line_and_nothing_is_written_behind_it() {
    let place = Place::new();
    let mut journal = place.journal();
    let names = ["a.localhost", "b.localhost", "c.localhost"];
    let events: Vec<Event> = names.iter().map(|name| event(&place.issue(name))).collect();
    journal.append(&events, now()).unwrap();
    drop(journal);
    let text = fs::read_to_string(place.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let written = |lines: &[&str]| {
        fs::write(place.path(), lines.join("\n") + "\n").unwrap();
        fs::remove_file(place.database()).unwrap();
        let error = Journal::open(&place.store).unwrap_err();
        let hint = error.hint().unwrap();
        assert!(hint.contains("audit") && hint.contains("backup"), "{hint}");
        match error {
            JournalError::Damaged { line, fault, .. } => (line, fault),
            other => panic!("{other:?}"),
        }
    };
    let (line, fault) = written(&[lines[0], "no entry", lines[2]]);
    assert!(matches!((line, fault), (2, Fault::Form(_))));
    let (line, fault) = written(&[lines[0], lines[2]]);
    assert!(matches!((line, fault), (2, Fault::Sequence { found: 3 })));
    let changed = lines[0].replace("server", "client");
    let (line, fault) = written(&[&changed, lines[1], lines[2]]);
    assert!(matches!((line, fault), (2, Fault::Chain)));
    let long = "x".repeat(3 << 20);
    let (line, fault) = written(&[lines[0], &long, lines[2]]);
    assert!(matches!((line, fault), (2, Fault::TooLong)));
    let report = place.audit(None);
    let places: Vec<_> = report.findings.iter().map(|finding| finding.line).collect();
    assert_eq!(
        places,
        [Some(2), Some(3)],
        "the audit goes on behind it: {report:?}"
    );
    fs::write(place.path(), &text).unwrap();
    assert!(place.journal().append(&[crl(1)], now()).is_ok());
}

#[test]
fn an_audit_finds_records_that_are_not_of_their_certificates() {
    let place = Place::new();
    let mut journal = place.journal();
    let (one, other) = (place.issue("a.localhost"), place.issue("b.localhost"));
    // The journal takes what the CA says: it is the audit that reads the certificates.
    let wrong = [
        Issued {
            names: vec!["c.localhost".to_owned()],
            ..one.clone()
        },
        Issued {
            serial: SerialNumber::from_der_content(&[1]),
            subject: "CN=x".to_owned(),
            not_before: now(),
            not_after: now(),
            ..other.clone()
        },
        Issued {
            serial: SerialNumber::from_der_content(&[2]),
            certificate: b"no certificate".to_vec().into(),
            ..other
        },
    ];
    journal
        .append(&wrong.map(|issued| event(&issued)), now())
        .unwrap();
    let report = place.audit(None);
    let found: Vec<(u64, &str)> = report
        .findings
        .iter()
        .map(|finding| match finding.fault {
            Fault::Field { field } => (finding.line.unwrap(), field),
            Fault::Certificate(_) => (finding.line.unwrap(), "certificate"),
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, "names"),
            (2, "serial"),
            (2, "subject"),
            (2, "not_before"),
            (2, "not_after"),
            (3, "certificate"),
        ]
    );
}

#[test]
fn a_journal_whose_end_was_cut_off_is_told_by_what_was_noted_of_it() {
    let place = Place::new();
    let mut journal = place.journal();
    journal.append(&[crl(1)], now()).unwrap();
    let short = fs::read(place.path()).unwrap();
    let head = journal.append(&[crl(2)], now()).unwrap();
    drop(journal);
    fs::write(place.path(), short).unwrap();
    let missing = |report: &AuditReport| {
        let found = report
            .findings
            .iter()
            .find_map(|finding| match finding.fault {
                Fault::Missing { seen } => Some((finding.line, seen)),
                _ => None,
            });
        assert_eq!(found, Some((Some(2), head.hash)), "{report:?}");
    };
    // The inventory remembers, and does so when it was made anew.
    missing(&place.audit(None));
    assert_eq!(place.journal().head().unwrap().sequence, 1);
    missing(&place.audit(None));
    // Somebody who removes it cannot hide from a head that was noted elsewhere.
    fs::remove_file(place.database()).unwrap();
    assert!(place.audit(None).is_clean());
    missing(&place.audit(Some(&head)));
    // Another entry in its place is another.
    place.journal().append(&[crl(3)], now()).unwrap();
    let report = place.audit(Some(&head));
    assert!(matches!(report.findings[0].fault, Fault::Rewritten { seen } if seen == head.hash));
}

/// The variables that make [`appends_what_it_is_told`] the child of a test.
const CHILD_HOME: &str = "RAVELIN_TEST_JOURNAL_HOME";
const CHILD_COUNT: &str = "RAVELIN_TEST_JOURNAL_COUNT";

fn child(home: &Path, count: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "journal::appends_what_it_is_told", "--nocapture"])
        .env(CHILD_HOME, home)
        .env(CHILD_COUNT, count.to_string());
    command
}

/// The child of the tests below: issues certificates and tells what became of it.
#[test]
fn appends_what_it_is_told() {
    let Some(home) = std::env::var_os(CHILD_HOME) else {
        return;
    };
    let count: u32 = std::env::var(CHILD_COUNT).unwrap().parse().unwrap();
    let authority = authority();
    let mut journal = Journal::open(&FileStore::open(Path::new(&home)).unwrap()).unwrap();
    for _ in 0..count {
        let leaf = issue(&authority, "a.localhost");
        match journal.append(&[event(&leaf)], now()) {
            Ok(_) => println!("\nissued {}", leaf.serial),
            Err(error) => {
                println!("\nfailed {error}; {}", error.hint().unwrap_or_default());
                return;
            }
        }
    }
}

fn serials(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    text.lines()
        .filter_map(|line| line.strip_prefix("issued "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn two_processes_write_one_journal_at_once() {
    let place = Place::new();
    let children: Vec<_> = (0..3)
        .map(|_| {
            child(place.store.folder(), 40)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut told = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        told.extend(serials(&output.stdout));
    }
    assert_eq!(told.len(), 120);
    let report = place.audit(None);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.head.sequence, report.certificates), (120, 120));
    assert_kept(&place, &told);
}

fn assert_kept(place: &Place, told: &[String]) {
    let mut kept: Vec<String> = place
        .journal()
        .entries(1)
        .unwrap()
        .map(|entry| match entry.unwrap().event {
            Event::Issued(issued) => issued.serial.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    kept.sort();
    let count = kept.len();
    kept.dedup();
    assert_eq!(kept.len(), count, "a serial number twice");
    for serial in told {
        assert!(
            kept.binary_search(serial).is_ok(),
            "{serial} was told and is not kept"
        );
    }
}

/// A real one: 4 MiB of memory, seen only by the child.
#[test]
fn a_disk_that_fills_while_issuing_leaves_what_was_told_and_the_next_goes_on() {
    let place = Place::new();
    let home = place.store.folder();
    let script = "mount -t tmpfs -o size=4m none \"$0\" && \"$@\"; cp -r \"$0\"/ca \"$0\".kept";
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "bash", "-c", script])
        .arg(home)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "journal::appends_what_it_is_told", "--nocapture"])
        .env(CHILD_HOME, home)
        .env(CHILD_COUNT, "10000")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let failed = text
        .lines()
        .find(|line| line.starts_with("failed "))
        .unwrap();
    assert!(
        failed.contains("cannot ") && failed.contains("free some space"),
        "{failed}"
    );
    let told = serials(&output.stdout);
    assert!(told.len() > 5, "{text}");
    // The same files, on a disk with room.
    let kept = home.with_extension("kept");
    let kept = if kept.exists() {
        kept
    } else {
        PathBuf::from(format!("{}.kept", home.display()))
    };
    fs::rename(&kept, home.join("ca")).unwrap();
    let report = place.audit(None);
    assert!(report.is_clean() && report.unfinished == 0, "{report:?}");
    place
        .journal()
        .append(&[event(&place.issue("b.localhost"))], now())
        .unwrap();
    assert_kept(&place, &told);
    let report = place.audit(None);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.certificates, told.len() as u64 + 1);
}

/// A disk that fills in the middle of the journal's own write, played by the limit on the size of
/// files.
#[test]
fn a_write_that_fails_half_way_is_taken_back() {
    let place = Place::new();
    let mut journal = place.journal();
    for number in 1..=100 {
        // So that the journal is longer than the index beside it may grow.
        let leaf = Issued {
            profile: "x".repeat(20_000),
            ..place.issue("a.localhost")
        };
        journal.append(&[event(&leaf), crl(number)], now()).unwrap();
    }
    drop(journal);
    let before = fs::read(place.path()).unwrap();
    let limit = before.len() / 1024 + 1;
    let output = Command::new("bash")
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\""),
        ])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "journal::appends_what_it_is_told", "--nocapture"])
        .env(CHILD_HOME, place.store.folder())
        .env(CHILD_COUNT, "10")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = format!("failed cannot write \"{}\"", place.path().display());
    assert!(text.contains(&failed), "{output:?}");
    let told = serials(&output.stdout);
    let after = fs::read(place.path()).unwrap();
    assert!(after.starts_with(&before) && after.ends_with(b"\n"));
    let report = place.audit(None);
    assert!(report.is_clean() && report.unfinished == 0, "{report:?}");
    assert_eq!(report.certificates, 100 + told.len() as u64);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca"), "in the way").unwrap();
    let error = Journal::open(&FileStore::open(folder.path()).unwrap()).unwrap_err();
    assert!(
        matches!(error, JournalError::Store(StoreError::Io { .. })),
        "{error:?}"
    );
    assert!(error.to_string().contains("/ca"), "{error}");
}

fn add(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
