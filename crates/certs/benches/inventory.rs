//! What a journal with a million certificates costs: making its inventory, opening it, asking it,
//! and issuing into it beside an empty one.
//!
//!     cargo bench -p ravelin-certs --bench inventory -- [CERTIFICATES] [FOLDER] [grown] [spread]
//!
//! A folder is kept, and used again; `ravelin ca list --home FOLDER` then reads it. With `grown`, the
//! certificates are not put into the journal's file but issued into it, 1,000 at a time. With `spread`
//! each lives for as long as chance has it, so that new ones end anywhere between all others: the worst
//! that can be for an inventory that is sorted by ends, and nothing that a CA does. Not Criterion: what is measured is one journal that takes a while to make, and waits for the disk, of
//! which single figures say more than statistics.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "what fails here is to be seen")]

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ravelin_certs::inventory::{NamePattern, Query, SerialPrefix};
use ravelin_certs::journal::event::Issued;
use ravelin_certs::journal::{Entry, Event};
use ravelin_certs::{FileStore, Journal, LocalAuthority};
use ravelin_pki::{
    Authority, Certificate, CertificateDer, Fingerprint, NameConstraints, PrivateKey, SerialNumber,
    Template,
};
use rustix::fs::Advice;
use rustix::time::ClockId;
use time::OffsetDateTime;
use time::macros::format_description;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let count: u64 = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments
        .next()
        .map_or(temporary.path().join("full"), PathBuf::from);
    let how: Vec<String> = arguments.collect();
    let is = |word| how.iter().any(|wanted| wanted == word);
    let grown = is("grown");
    let mut issuer = Issuer::new(is("spread"));
    let full = FileStore::open(&folder).unwrap();
    LocalAuthority::open(&full, &[], issuer.now).unwrap();
    build(&full, &mut issuer, count, grown);
    sizes(&folder);

    for _ in 0..3 {
        forget(&folder);
        let mut journal = measure("open, nothing of it in memory", || {
            Journal::open(&full).unwrap()
        });
        measure("list, nothing of it in memory", || {
            expiring(&mut journal, &issuer)
        });
        drop(journal);
        forget(&folder);
        let mut journal = Journal::open(&full).unwrap();
        measure("part of a name, nothing of it in memory", || {
            part(&mut journal, &issuer);
        });
    }
    for _ in 0..3 {
        let mut journal = measure("open", || Journal::open(&full).unwrap());
        let found = measure("list what expires in 30 days", || {
            expiring(&mut journal, &issuer)
        });
        println!("  {found} of {count}");
        ask(&mut journal, &issuer);
    }
    append(&full, &temporary.path().join("empty"), &mut issuer);
    let mut journal = Journal::open(&full).unwrap();
    measure("make the inventory anew", || {
        journal.rebuild_inventory().unwrap();
    });
}

/// Issues what is missing, as quickly as the file can be written: what would take minutes to sign and
/// sync is only there to be asked about.
fn build(store: &FileStore, issuer: &mut Issuer, count: u64, grown: bool) {
    let mut journal = Journal::open(store).unwrap();
    let head = journal.head().unwrap();
    let missing = count.saturating_sub(head.sequence);
    let start = Instant::now();
    // As if they had been issued in the year before, one after the other.
    let now = issuer.now;
    let time = |left: u64| now - YEAR.mul_f64(number(left) / number(missing.max(1)));
    if grown {
        let mut left = missing;
        while left > 0 {
            let size = left.min(1000);
            let events: Vec<Event> = (0..size).map(|_| issuer.issue(time(left))).collect();
            journal.append(&events, time(left)).unwrap();
            left -= size;
        }
    } else {
        let path = journal.path().to_owned();
        drop(journal);
        let mut file = BufWriter::new(OpenOptions::new().append(true).open(path).unwrap());
        let mut previous = head.hash;
        for sequence in head.sequence + 1..=head.sequence + missing {
            let time = time(head.sequence + missing - sequence);
            let entry = Entry {
                sequence,
                time,
                previous,
                event: issuer.issue(time),
            };
            let line = entry.to_line().unwrap();
            previous = Fingerprint::of(line.as_bytes());
            file.write_all(line.as_bytes()).unwrap();
        }
        file.into_inner().unwrap().sync_all().unwrap();
    }
    if missing > 0 {
        let each = micros(start.elapsed()) / number(missing);
        println!("{missing} certificates: {each:.1} µs each to write down");
    }
    measure("bring the inventory up to it", || {
        Journal::open(store).unwrap();
    });
}

fn expiring(journal: &mut Journal, issuer: &Issuer) -> u64 {
    let month = Duration::from_secs(30 * 86_400);
    let query = Query::default().expiring_before(issuer.now + month);
    let mut found = 0;
    journal
        .for_each(&query, issuer.now, |record| {
            black_box(&record);
            found += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn part(journal: &mut Journal, issuer: &Issuer) {
    let query = Query::default().name(NamePattern::Contains("-99a".to_owned()));
    black_box(journal.page(&query, issuer.now, None, 100).unwrap());
}

fn ask(journal: &mut Journal, issuer: &Issuer) {
    let now = issuer.now;
    let all = Query::default();
    let record = journal.page(&all, now, None, 1).unwrap().records.remove(0);
    let prefix = SerialPrefix::from(&record.serial);
    let short: SerialPrefix = record.serial.to_string()[..12].parse().unwrap();
    let named = |pattern| Query::default().name(pattern);
    let is = named(NamePattern::Is(record.names[0].clone()));
    let everyones = named(NamePattern::Contains("localhost".to_owned()));
    measure("find by serial number", || {
        journal.find(&prefix, now).unwrap()
    });
    measure("find by 12 digits of it", || {
        journal.find(&short, now).unwrap()
    });
    measure("find by name", || {
        journal.page(&is, now, None, 100).unwrap()
    });
    measure("first 100 with a part of a name", || part(journal, issuer));
    measure("first 100 with what all names have", || {
        journal.page(&everyones, now, None, 100).unwrap()
    });
    measure("first 100 of all", || {
        journal.page(&all, now, None, 100).unwrap()
    });
    measure("counts", || journal.counts(now).unwrap());
    measure("the certificate itself", || {
        journal.certificate(record.sequence).unwrap()
    });
}

/// Turn by turn, so that a disk that is slow for a while is so for both: first what it takes to write
/// certificates down, then to issue them, each with a key of its own and a signature. First with the
/// files in memory, as they are after a while, then each time from the disk.
fn append(full: &FileStore, empty: &Path, issuer: &mut Issuer) {
    std::fs::read(full.folder().join("ca/inventory.db")).unwrap();
    for (what, size, turns, cold, whole) in [
        ("append 1", 1, 2000, false, false),
        // So many that the inventory catches up with them in between.
        ("append 100", 100, 220, false, false),
        ("append 1, nothing of it in memory", 1, 50, true, false),
        ("append 100, nothing of it in memory", 100, 20, true, false),
        ("issue 1", 1, 2000, false, true),
        ("issue 100", 100, 220, false, true),
        ("issue 1, nothing of it in memory", 1, 50, true, true),
        ("issue 100, nothing of it in memory", 100, 20, true, true),
    ] {
        let stores = [&FileStore::open(empty.join(what)).unwrap(), full];
        let mut journals = stores.map(|store| Journal::open(store).unwrap());
        let mut times = [Vec::new(), Vec::new()];
        let mut used = [Duration::ZERO; 2];
        for turn in 0..turns {
            // Each is first as often as second: the second finds the disk busy with the first.
            for which in [turn % 2, 1 - turn % 2] {
                let (journal, store) = (&mut journals[which], stores[which]);
                let (times, used) = (&mut times[which], &mut used[which]);
                let now = SystemTime::now();
                // What is really issued is issued within what is measured.
                let ready = (!whole).then(|| (0..size).map(|_| issuer.issue(now)).collect());
                if cold {
                    // What SQLite has in the memory of this process goes too.
                    forget(store.folder());
                    *journal = Journal::open(store).unwrap();
                }
                let (start, before) = (Instant::now(), cpu_time());
                let sign = || (0..size).map(|_| issuer.sign(now)).collect();
                let events: Vec<Event> = ready.unwrap_or_else(sign);
                journal.append(&events, now).unwrap();
                times.push(start.elapsed());
                *used += cpu_time().saturating_sub(before);
            }
        }
        let figures = times.map(|mut times| {
            times.sort();
            let sum: Duration = times.iter().sum();
            (
                micros(times[times.len() / 2]),
                micros(sum) / number(times.len() as u64),
                micros(times[times.len() - 1]),
            )
        });
        let [
            (median, mean, longest),
            (full_median, full_mean, full_longest),
        ] = figures;
        let [used, full_used] = used.map(|used| micros(used) / number(turns as u64));
        println!(
            "{what}: median {median:.0} µs into an empty one, {full_median:.0} µs into this (ratio \
             {:.2}); mean {mean:.0} and {full_mean:.0} µs (ratio {:.2}); longest {longest:.0} and \
             {full_longest:.0} µs; {used:.0} and {full_used:.0} µs of CPU (ratio {:.2})",
            full_median / median,
            full_mean / mean,
            full_used / used
        );
    }
}

/// Issues certificates that are alike but for serial number, name and end. They are one that was
/// signed, with those written over: nobody looks at their signatures here, and a million take
/// seconds. Which they are is the same in each run, but for the day it begins.
struct Issuer {
    authority: Authority,
    key: Fingerprint,
    signed: Certificate,
    places: [usize; 4],
    spread: bool,
    now: SystemTime,
    random: u64,
    issued: u64,
}

impl Issuer {
    fn new(spread: bool) -> Self {
        let now = SystemTime::now();
        let key = PrivateKey::generate().unwrap();
        let authority = Authority::root("Bench", key, &NameConstraints::local(), now).unwrap();
        let holder = PrivateKey::generate().unwrap();
        let names = [name(0, 0), "localhost".to_owned()];
        let names = names.iter().map(|name| name.parse().unwrap());
        let template = Template::leaf(names.collect());
        let life = Duration::from_secs(86_400);
        let der = authority
            .issue(&template, holder.public_key(), life, now)
            .unwrap();
        let signed = Certificate::from_der(&der).unwrap();
        let place = |what: &[u8]| {
            let mut places = der.windows(what.len()).enumerate();
            places.find(|(_, octets)| *octets == what).unwrap().0
        };
        Self {
            key: authority.certificate().public_key().fingerprint(),
            authority,
            places: [
                place(signed.serial_number().der_content()),
                place(name(0, 0).as_bytes()),
                place(utc_time(signed.not_before()).as_bytes()),
                place(utc_time(signed.not_after()).as_bytes()),
            ],
            signed,
            spread,
            now,
            random: 88_172_645_463_325_252,
            issued: 0,
        }
    }

    fn issue(&mut self, at: SystemTime) -> Event {
        self.issued += 1;
        let mut serial = SerialNumber::random(at).unwrap().der_content().to_vec();
        let random: Vec<u8> = (0..2).flat_map(|_| self.next().to_be_bytes()).collect();
        serial.truncate(4);
        serial.extend(&random[..14]);
        let name = name(self.next(), self.issued % 100_000);
        let chance = self.next();
        let life = if self.spread {
            DAY + Duration::from_secs(chance % YEAR.as_secs())
        } else {
            DAY * LIVES[chance as usize % LIVES.len()]
        };
        let (begin, end) = (utc_time(at), at + life);
        let mut der = self.signed.der().to_vec();
        let new = [
            &serial,
            name.as_bytes(),
            begin.as_bytes(),
            utc_time(end).as_bytes(),
        ]
        .map(<[u8]>::to_vec);
        for (place, octets) in self.places.iter().zip(&new) {
            der[*place..place + octets.len()].copy_from_slice(octets);
        }
        let serial = SerialNumber::from_der_content(&serial);
        let names = vec![name, "localhost".to_owned()];
        self.event(serial, names, (at, end), CertificateDer::from(der))
    }

    /// One that is really issued.
    fn sign(&mut self, at: SystemTime) -> Event {
        self.issued += 1;
        let name = name(self.next(), self.issued % 100_000);
        let names = vec![name, "localhost".to_owned()];
        let template = Template::leaf(names.iter().map(|name| name.parse().unwrap()).collect());
        let life = DAY * LIVES[self.issued as usize % LIVES.len()];
        let key = PrivateKey::generate().unwrap();
        let der = self.authority.issue(&template, key.public_key(), life, at);
        let certificate = Certificate::from_der(&der.unwrap()).unwrap();
        let serial = certificate.serial_number().clone();
        let times = (certificate.not_before(), certificate.not_after());
        self.event(serial, names, times, certificate.der().clone())
    }

    fn event(
        &self,
        serial: SerialNumber,
        names: Vec<String>,
        (not_before, not_after): (SystemTime, SystemTime),
        certificate: CertificateDer<'static>,
    ) -> Event {
        let issued = Issued {
            issuer: self.key,
            serial,
            subject: self.signed.subject().to_owned(),
            names,
            not_before,
            not_after,
            profile: "server".to_owned(),
            requester: None,
            request: None,
            certificate,
        };
        issued.asked_by("the benchmark").into()
    }

    /// Xorshift (Marsaglia, 2003).
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = DAY.saturating_mul(365);

/// For how many days certificates are issued.
const LIVES: [u32; 3] = [90, 180, 365];

/// All are of one length.
fn name(random: u64, site: u64) -> String {
    format!("host-{random:016x}.site-{site:05}.internal")
}

/// As it stands in a certificate (RFC 5280, section 4.1.2.5.1).
fn utc_time(time: SystemTime) -> String {
    OffsetDateTime::from(time)
        .format(format_description!(
            "[year repr:last_two][month][day][hour][minute][second]Z"
        ))
        .unwrap()
}

/// By the clock, and the time of a CPU in that: what is between them was spent on waiting for the
/// disk, or for others who use the machine.
fn measure<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, used) = (Instant::now(), cpu_time());
    let result = work();
    let (time, used) = (start.elapsed(), cpu_time().saturating_sub(used));
    let [time, used] = [time, used].map(|time| micros(time) / 1e3);
    println!("{what}: {time:.3} ms ({used:.3} ms of CPU)");
    result
}

fn cpu_time() -> Duration {
    rustix::time::clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .unwrap()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn number(count: u64) -> f64 {
    u32::try_from(count).unwrap().into()
}

fn sizes(folder: &Path) {
    for file in FILES {
        let length = std::fs::metadata(folder.join(file)).map_or(0, |file| file.len());
        println!("{file}: {} MB", length / 1_000_000);
    }
}

/// What the kernel has of the files in memory goes.
fn forget(folder: &Path) {
    for file in FILES {
        if let Ok(file) = File::open(folder.join(file)) {
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        }
    }
}

const FILES: [&str; 3] = ["ca/journal.jsonl", "ca/inventory.db", "ca/inventory.db-wal"];
