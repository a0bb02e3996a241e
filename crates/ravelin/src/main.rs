//! HTTPS you can see through: one binary that gets the certificate and serves the site.
//!
//! The only place that reads arguments, prints, and ends the process. What a command does is in the
//! libraries; here it is asked for, and what comes of it is put into words.

mod acme;
mod arguments;
mod ca;
mod cert;
mod certificates;
mod config;
mod connect;
mod dial;
mod event_loop;
mod failure;
mod fetch;
mod get;
mod inspect;
mod key;
mod keylog;
mod listen;
mod listen_on;
mod manual;
mod passphrase;
mod password;
mod plain_http;
mod ravelin_home;
mod seal;
mod serve;
mod tunnel;
mod words;

use std::process::ExitCode;

use clap::Parser;
use http::Method;

use arguments::{Arguments, Command};

/// Every request and handshake allocates a little, and what one thread frees it takes again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    use_small_pages();
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => serve::check(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Get(arguments) => get::run(&Method::GET, arguments),
        Command::Post(arguments) => get::run(&Method::POST, arguments),
        Command::Put(arguments) => get::run(&Method::PUT, arguments),
        Command::Patch(arguments) => get::run(&Method::PATCH, arguments),
        Command::Delete(arguments) => get::run(&Method::DELETE, arguments),
        Command::Head(arguments) => get::run(&Method::HEAD, arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Tunnel(arguments) => tunnel::run(&arguments),
        Command::Key(command) => key::run(&command),
        Command::Cert(command) => cert::run(&command),
        Command::Ca(command) => ca::run(&command),
        Command::Seal(command) => seal::run(&command),
        Command::Password => password::run(),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            words::say_failure(&failure);
            failure.exit_code()
        }
    }
}

/// Keeps the allocator's memory in pages of 4 KiB, in place of transparent huge ones of 2 MiB, each
/// resident as a whole once a byte of it is touched. A server of one worker that has answered a
/// million requests holds 9 MiB in place of 17; the cost of a request is the same to within noise.
fn use_small_pages() {
    // A kernel without it leaves everything as it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
