//! A local CA in a folder, a certificate of it, one that is revoked, and what the inventory says:
//!
//!     cargo run -p ravelin-certs --example inventory /tmp/example-ca
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use ravelin_certs::inventory::{NamePattern, Query};
use ravelin_certs::{FileStore, LocalAuthority};
use ravelin_pki::RevocationReason;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("one argument: the folder")?;
    let now = SystemTime::now();
    // Made where there is none yet; keys are on the disk with mode 0600.
    let ca = LocalAuthority::open(&FileStore::open(folder)?, &[], now)?;
    ca.leaf(&["wiki.internal".parse()?], now)?;
    ca.leaf(&["shop.internal".parse()?, "10.0.0.1".parse()?], now)?;

    let mut journal = ca.journal()?;
    let shop = Query::default().name(NamePattern::Contains("shop".to_owned()));
    for record in journal.page(&shop, now, None, 10)?.records {
        ca.revoke(&record, RevocationReason::Superseded, now)?;
    }
    let soon = Query::default().expiring_before(now + 100 * DAY);
    journal.for_each(&soon, now, |record| {
        println!("{} {}", record.serial, record.names.join(", "));
        ControlFlow::Continue(())
    })?;
    let counts = journal.counts(now)?;
    println!("{} valid, {} revoked", counts.valid, counts.revoked);
    Ok(())
}
