//! The load of `bench/run` that h2load cannot give: full handshakes, resumed handshakes, and
//! thousands of idle connections. One thread, one JSON line on standard output.

// A load generator's result is its standard output; there is no terminal layer to go through.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod client;
mod connection;
mod http2;
mod kept;
mod record;
mod response;
mod run;
mod socket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::client::{ClientOptions, KeyExchange, Protocol, Target};
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
    /// The same with a session ticket and a new key exchange; a handshake that was not resumed is an error
    Resume(Resume),
    /// Requests on connections that are kept
    Requests(Requests),
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
struct Resume {
    #[command(flatten)]
    load: Repeated,
    /// Full handshakes that fetch tickets first, outside the time and the count
    #[arg(long, default_value_t = 5000)]
    full: u64,
}

#[derive(Args)]
struct Requests {
    #[command(flatten)]
    load: Repeated,
    #[arg(long, value_enum, default_value = "http/1.1")]
    protocol: Protocol,
    /// Requests under way on each connection; HTTP/2 only
    #[arg(long, default_value_t = 1)]
    streams: usize,
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
        Load::Handshake(load) => {
            let (target, mut records) = (load.common.target(false)?, load.common.records()?);
            let options = load.common.client();
            let summary = run::handshake(&target, &options, &load.pace(), &mut records)?;
            records.finish()?;
            Ok(summary)
        }
        Load::Resume(Resume { load, full }) => {
            let (target, mut records) = (load.common.target(false)?, load.common.records()?);
            let options = load.common.client();
            let fetched = || println!("{{\"fetched\":{full}}}");
            let summary =
                run::resume(&target, &options, &load.pace(), full, &mut records, fetched)?;
            records.finish()?;
            Ok(summary)
        }
        Load::Requests(Requests {
            load,
            protocol,
            streams,
        }) => {
            let (target, mut records) = (load.common.target(true)?, load.common.records()?);
            let options = load.common.client();
            let summary = run::requests(
                &target,
                &options,
                protocol,
                &load.pace(),
                streams,
                &mut records,
            )?;
            records.finish()?;
            Ok(summary)
        }
        Load::Idle(load) => {
            let (target, mut records) = (load.common.target(true)?, load.common.records()?);
            let options = load.common.client();
            let open = |summary: &Summary| println!("{}", summary.json());
            run::hold_idle(&target, &options, load.connections, &mut records, open)
        }
    }
}

impl Repeated {
    fn pace(&self) -> Pace {
        Pace {
            concurrency: self.concurrency,
            duration: Duration::from_secs_f64(self.seconds),
        }
    }
}

impl Common {
    fn target(&self, keep_open: bool) -> Result<Target, LoadError> {
        Target::new(self.connect, &self.name, self.names, &self.path, keep_open)
    }

    fn client(&self) -> ClientOptions {
        ClientOptions {
            groups: self.groups.clone(),
            openssl_order: self.openssl_order,
        }
    }

    fn records(&self) -> Result<record::Records, LoadError> {
        Ok(record::Records::new(self.log.as_deref())?)
    }
}
