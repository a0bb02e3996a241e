//! What a journal with a million certificates costs: opening it, asking it, and issuing into it
//! beside an empty one.
//!
//!     cargo bench -p ravelin-certs --bench inventory -- [CERTIFICATES] [FOLDER]
//!
//! A folder is kept, and used again. Not Criterion: what is measured is one journal that takes a
//! minute to build, and waits for the disk, of which single figures say more than statistics.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "what fails here is to be seen")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ravelin_certs::inventory::{NamePattern, Query, SerialPrefix};
use ravelin_certs::journal::event::Issued;
use ravelin_certs::journal::{Event, audit};
use ravelin_certs::{FileStore, Journal};
use ravelin_pki::{Authority, Certificate, NameConstraints, PrivateKey, Template};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let count: u64 = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments
        .next()
        .map_or(temporary.path().join("full"), PathBuf::from);
    let mut issuer = Issuer::new();
    let full = FileStore::open(&folder).unwrap();
    build(&full, &mut issuer, count);
    sizes(&folder);

    forget_caches();
    let mut journal = measure("open, nothing of it in memory", || {
        Journal::open(&full).unwrap()
    });
    measure("  first list of what expires in 30 days", || {
        expiring(&mut journal, &issuer)
    });
    drop(journal);
    let mut journal = measure("open", || Journal::open(&full).unwrap());
    for _ in 0..3 {
        let found = measure("list what expires in 30 days", || {
            expiring(&mut journal, &issuer)
        });
        println!("  {found} of {count}");
    }
    ask(&mut journal, &issuer);
    // As it is after a while: the kernel has the index in memory.
    std::fs::read(folder.join("ca/inventory.db")).unwrap();
    append(&full, &temporary.path().join("empty"), &mut issuer);
    drop(journal);

    let report = measure("audit", || audit(&full, None).unwrap());
    assert!(report.is_clean(), "{:?}", report.findings.first());
    let mut journal = Journal::open(&full).unwrap();
    measure("make the inventory anew", || {
        journal.rebuild_inventory().unwrap();
    });
}

fn build(store: &FileStore, issuer: &mut Issuer, count: u64) {
    let mut journal = Journal::open(store).unwrap();
    let mut issuing = Duration::ZERO;
    let start = Instant::now();
    let first = journal.head().unwrap().sequence;
    let mut at = first;
    while at < count {
        let signing = Instant::now();
        let size = 1000.min(count - at);
        let events: Vec<Event> = (0..size).map(|_| issuer.issue(at)).collect();
        issuing += signing.elapsed();
        at = journal.append(&events, issuer.now).unwrap().sequence;
    }
    let made = at.saturating_sub(first);
    if made > 0 {
        let writing = start.elapsed().saturating_sub(issuing);
        let each = |time: Duration| micros(time) / number(made);
        println!(
            "{made} certificates: {:.1} µs each to sign and read back, {:.1} µs to write down",
            each(issuing),
            each(writing)
        );
    }
}

fn expiring(journal: &mut Journal, issuer: &Issuer) -> u64 {
    let month = Duration::from_secs(30 * 86_400);
    let query = Query::default().expiring_before(issuer.now + month);
    let mut found = 0;
    journal
        .for_each(&query, issuer.now, |record| {
            black_box(&record);
            found += 1;
        })
        .unwrap();
    found
}

fn ask(journal: &mut Journal, issuer: &Issuer) {
    let now = issuer.now;
    let all = Query::default();
    let record = journal.page(&all, now, None, 1).unwrap().records.remove(0);
    let prefix = SerialPrefix::from(&record.serial);
    let short: SerialPrefix = record.serial.to_string()[..12].parse().unwrap();
    let named = |pattern| Query::default().name(pattern);
    let is = named(NamePattern::Is(record.names[0].clone()));
    let contains = named(NamePattern::Contains("host-99".to_owned()));
    measure("find by serial number", || {
        journal.find(&prefix, now).unwrap()
    });
    measure("find by 12 digits of it", || {
        journal.find(&short, now).unwrap()
    });
    measure("find by name", || {
        journal.page(&is, now, None, 100).unwrap()
    });
    measure("first 100 with a part of a name", || {
        journal.page(&contains, now, None, 100).unwrap()
    });
    measure("first 100 of all", || {
        journal.page(&all, now, None, 100).unwrap()
    });
    measure("counts", || journal.counts(now).unwrap());
    measure("the certificate itself", || {
        journal.certificate(record.sequence).unwrap()
    });
}

/// Turn by turn, so that a disk that is slow for a while is so for both.
fn append(full: &FileStore, empty: &Path, issuer: &mut Issuer) {
    for size in [1, 100] {
        let empty = FileStore::open(empty.join(size.to_string())).unwrap();
        let mut journals = [Journal::open(&empty).unwrap(), Journal::open(full).unwrap()];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..2000 / size {
            for (journal, times) in journals.iter_mut().zip(&mut times) {
                let events: Vec<Event> = (0..size).map(|_| issuer.issue(0)).collect();
                let start = Instant::now();
                journal.append(&events, issuer.now).unwrap();
                times.push(start.elapsed());
            }
        }
        let figures = times.map(|mut times| {
            times.sort();
            let sum: Duration = times.iter().sum();
            (
                micros(times[times.len() / 2]),
                micros(sum) / number(times.len() as u64),
            )
        });
        let [(median, mean), (full_median, full_mean)] = figures;
        println!(
            "append {size}: median {median:.0} µs into an empty one, {full_median:.0} µs into this \
             (ratio {:.2}); mean {mean:.0} and {full_mean:.0} µs (ratio {:.2})",
            full_median / median,
            full_mean / mean
        );
    }
}

/// Issues real certificates, with one key for all holders: keys are not what is measured.
struct Issuer {
    authority: Authority,
    holder: PrivateKey,
    now: SystemTime,
    random: u64,
}

impl Issuer {
    fn new() -> Self {
        let now = SystemTime::now();
        let key = PrivateKey::generate().unwrap();
        Self {
            authority: Authority::root("Bench", key, &NameConstraints::local(), now).unwrap(),
            holder: PrivateKey::generate().unwrap(),
            now,
            random: 88_172_645_463_325_252,
        }
    }

    fn issue(&mut self, near: u64) -> Event {
        let random = self.next();
        let name = format!("host-{random:016x}.site-{near}.internal");
        let template = Template::leaf(vec![name.parse().unwrap(), "localhost".parse().unwrap()]);
        // Ends spread over a year.
        let life = Duration::from_secs(86_400 + self.next() % (365 * 86_400));
        let key = self.holder.public_key();
        let der = self
            .authority
            .issue(&template, key, life, self.now)
            .unwrap();
        let certificate = Certificate::from_der(&der).unwrap();
        let issuer = self.authority.certificate().public_key();
        Issued::new(&certificate, issuer, "server")
            .asked_by("the benchmark")
            .into()
    }

    /// Xorshift (Marsaglia, 2003).
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

fn measure<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let time = start.elapsed().as_secs_f64();
    println!("{what}: {:.3} ms", time * 1e3);
    result
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn number(count: u64) -> f64 {
    u32::try_from(count).unwrap().into()
}

fn sizes(folder: &Path) {
    for file in ["journal.jsonl", "inventory.db", "inventory.db-wal"] {
        let length = std::fs::metadata(folder.join("ca").join(file)).map_or(0, |file| file.len());
        println!("{file}: {} MB", length / 1_000_000);
    }
}

/// Where root may: what the kernel has of files in memory goes.
fn forget_caches() {
    let done = std::process::Command::new("sync").status().is_ok()
        && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
    if !done {
        println!("(files stay in memory: not root)");
    }
}
