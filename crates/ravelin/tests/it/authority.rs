//! `ravelin ca`: a CA that is made, keeps its books, takes back, is replaced, moved and killed.

mod dates;
mod init;
mod interrupted;
mod kill;
mod listing;
mod moving;
mod revocation;
mod rollover;
mod serve;

use std::hash::{BuildHasher as _, RandomState};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::server::Place;

/// Starts a command that nobody listens to.
fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// A moment up to `longest`, another one each time.
fn random_moment(longest: Duration) -> Duration {
    longest.mul_f64(f64::from(RandomState::new().hash_one(0) as u32) / f64::from(u32::MAX))
}

/// Kills a process at a random moment up to `longest` from now. Whether it was killed before its end.
fn kill_at_random(mut child: Child, longest: Duration) -> bool {
    // What is waited for is time itself.
    std::thread::sleep(random_moment(longest));
    child.kill().unwrap();
    !child.wait().unwrap().success()
}
