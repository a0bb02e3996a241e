//! Recomputes every handshake of a capture, and says what did not hold.
//!
//!     cargo run -p ravelin-lens --example survey -- CAPTURE [KEYLOG]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};

use ravelin_lens::capture;
use ravelin_lens::connection::Limits;
use ravelin_lens::keylog::KeyLog;
use ravelin_lens::story::Verdict;
use ravelin_lens::survey::{Keys, Survey};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let capture = arguments.next().ok_or("which capture?")?;
    let log = match arguments.next() {
        Some(file) => KeyLog::of(&fs::read(file)?),
        None => KeyLog::default(),
    };
    let survey = Survey {
        connection: Limits::brief(),
        capture: capture::Limits::default(),
        only: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (mut complete, mut confirmed, mut refuted) = (0_u64, 0_u64, 0_u64);
    let (totals, result) = survey.read(
        File::open(capture)?,
        &Keys::new(log, Vec::new()),
        |told| told,
        |told| {
            complete += u64::from(told.story.agreement.complete.is_some());
            for check in &told.story.checks {
                match check.verdict {
                    Verdict::Confirmed => confirmed += 1,
                    Verdict::Refuted(_) => refuted += 1,
                    Verdict::NotDerivable(_) => {}
                }
            }
        },
    );
    result?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} connections of TLS, {complete} with a whole handshake, {} others; \
         {confirmed} claims confirmed, {refuted} refuted",
        totals.tls, totals.others
    )?;
    Ok(())
}
