//! `kill -9` while the first certificates are made: the next start works with what is left. The
//! store's own test kills at more moments; this one kills the program itself.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::foreign::fetch;
use crate::server::Place;

const KILLS: u32 = 40;

#[test]
fn a_start_after_a_kill_while_certificates_are_made_works() {
    let begun = Instant::now();
    Place::new().serve(&[]).stop();
    let span = begun.elapsed().min(Duration::from_secs(1));
    let mut unfinished = 0;
    for kill in 0..KILLS {
        let place = Place::new();
        let mut command = place.command(&["serve", "public", "--listen", "127.0.0.1:0"]);
        let mut victim = command.stderr(Stdio::null()).spawn().unwrap();
        // In steps that are no multiple of each other. Sleeping would be too coarse.
        let until = Instant::now() + span.mul_f64(f64::from(kill * 17 % KILLS) / f64::from(KILLS));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        let leaves = std::fs::read_dir(place.home().join("leaves"));
        unfinished += u32::from(leaves.map_or(0, Iterator::count) == 0);

        let server = place.serve(&[]);
        assert_eq!(fetch(&server, "/", &[]).text(), "hello\n");
        server.stop();
    }
    assert!(
        unfinished > 3 && unfinished < KILLS,
        "{unfinished} of {KILLS} came in time"
    );
}
