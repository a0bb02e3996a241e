//! The load of `bench/run` that h2load cannot give: full handshakes, resumed handshakes, and
//! thousands of idle connections. One thread, one JSON line on standard output.

// A load generator's result is its standard output; there is no terminal layer to go through.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod client;
mod connection;
mod record;
mod run;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::client::{ClientOptions, KeyExchange, Resumption, Target};
use crate::run::{LoadError, Pace, Summary};

#[derive(Parser)]
#[command(about = "Handshakes, resumptions and idle connections for bench/run")]
struct Arguments {
    #[command(subcommand)]
    load: Load,
}

#[derive(Subcommand)]
enum Load {
    /// Full TLS 1.3 handshake, one request, close; again and again
    Handshake(Repeated),
    /// The same with a session ticket (psk_dhe_ke); a handshake that was not resumed is an error
    Resume(Repeated),
    /// Connections that made one request each and then stay open until standard input ends
    Idle(Idle),
}

#[derive(Args)]
struct Repeated {
    #[command(flatten)]
    common: Common,
    /// How long new connections are begun
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections under way at a time
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
}

#[derive(Args)]
struct Idle {
    #[command(flatten)]
    common: Common,
    /// Connections to open and keep
    #[arg(long, default_value_t = 5000)]
    connections: usize,
}

#[derive(Args)]
struct Common {
    /// Address of the server
    #[arg(long)]
    connect: SocketAddr,
    /// Name for SNI and Host; with --names N it takes a number for `{}`
    #[arg(long, default_value = "localhost")]
    name: String,
    /// Pick one of N names at random for each connection: `--name 'site{}.test' --names 10000`
    #[arg(long, default_value_t = 1)]
    names: usize,
    #[arg(long, default_value = "/1k")]
    path: String,
    /// Key exchange groups offered, best first; the first gets the key share
    #[arg(long, value_enum, value_delimiter = ',', default_value = "x25519")]
    groups: Vec<KeyExchange>,
    /// Offer AES-256 before AES-128, as OpenSSL does; browsers do the reverse, which is the default
    #[arg(long)]
    openssl_order: bool,
    /// Where to write a line for each operation, in the form of h2load's log file
    #[arg(long)]
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(summary) => {
            println!("{}", summary.json());
            for error in &summary.examples {
                eprintln!("error: {error}");
            }
            if summary.errors == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<Summary, LoadError> {
    match arguments.load {
        Load::Handshake(load) => repeat(&load, Resumption::Never),
        Load::Resume(load) => repeat(&load, Resumption::Always),
        Load::Idle(load) => {
            let mut records = load.common.records()?;
            run::hold_idle(
                &load.common.target(true)?,
                &load.common.client(Resumption::Never),
                load.connections,
                &mut records,
                |summary| println!("{}", summary.json()),
            )
        }
    }
}

fn repeat(load: &Repeated, resumption: Resumption) -> Result<Summary, LoadError> {
    let mut records = load.common.records()?;
    let pace = Pace {
        concurrency: load.concurrency,
        duration: Duration::from_secs_f64(load.seconds),
    };
    let summary = run::repeat(
        &load.common.target(false)?,
        &load.common.client(resumption),
        &pace,
        &mut records,
    )?;
    records.finish()?;
    Ok(summary)
}

impl Common {
    fn target(&self, keep_open: bool) -> Result<Target, LoadError> {
        Target::new(self.connect, &self.name, self.names, &self.path, keep_open)
    }

    fn client(&self, resumption: Resumption) -> ClientOptions {
        ClientOptions {
            groups: self.groups.clone(),
            openssl_order: self.openssl_order,
            resumption,
        }
    }

    fn records(&self) -> Result<record::Records, LoadError> {
        Ok(record::Records::new(self.log.as_deref())?)
    }
}
