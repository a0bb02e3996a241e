//! HTTPS you can see through: one binary that gets the certificate and serves the site.
//!
//! The only place that reads arguments, prints, and ends the process. What a command does is in the
//! libraries; here it is asked for, and what comes of it is put into words.

mod arguments;
mod ca;
mod certificates;
mod config;
mod failure;
mod listen_on;
mod manual;
mod password;
mod ravelin_home;
mod serve;
mod words;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Every request and handshake allocates a little, and what one thread frees it takes again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => serve::check(&arguments),
        Command::Ca(command) => ca::run(&command),
        Command::Password => password::run(),
        Command::Completions(arguments) => Ok(manual::completions(&arguments)),
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
