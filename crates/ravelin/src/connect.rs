//! `ravelin connect`: a TLS connection between standard input and output.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use ravelin_client::{ClientOptions, Connector, Proxies, Raw};
use ravelin_tls::starttls::Protocol;

use crate::arguments::connect::ConnectArguments;
use crate::arguments::inspect::Version;
use crate::cert::show::target::Target;
use crate::failure::{Failure, chain};
use crate::get::{Beliefs, identity, refused};
use crate::{keylog, words};

mod editing;
pub(crate) mod ends;
mod harmless;

use editing::Editing;
use ends::{Goodbye, Input, Output};

/// Connects, and carries octets until the server ends.
pub(crate) fn run(arguments: &ConnectArguments) -> Result<ExitCode, Failure> {
    let usual = arguments.starttls.map_or(443, Protocol::port);
    let Some(Target::Server { host, port, name }) = Target::server(&arguments.host, usual) else {
        let given = &arguments.host;
        return Err(
            Failure::usage(format!("no server can be called \"{given}\""))
                .hint(words::HOW_SERVERS_ARE_GIVEN.to_owned()),
        );
    };
    let beliefs = Beliefs::new(&arguments.trust, &arguments.home)?;
    let connector = connector(arguments, &beliefs)?;
    let runtime = crate::event_loop::new()?;
    let result = runtime.block_on(async {
        let failed = |error| refused::connection(&error, &beliefs);
        let raw = connector.connect(&host, port).await.map_err(failed)?;
        tell(&raw, (&host, &name), arguments, &beliefs);
        let (_editing, mut input, output) =
            ends_here(arguments).map_err(|error| Failure::of(&error))?;
        let goodbye = if arguments.stay {
            Goodbye::Kept
        } else {
            Goodbye::Said
        };
        let carried = ends::carry(raw.io, &mut input, output, goodbye).await;
        carried.map_err(|error| match error {
            ends::Error::Peer {
                source,
                first: true,
            } if source.kind() != ErrorKind::UnexpectedEof => {
                failed(connector.explain(&host, port, source))
            }
            error => error.of(&format!("\"{name}\"")),
        })
    });
    // A thread that waits for more input is left behind.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

fn connector(arguments: &ConnectArguments, beliefs: &Beliefs) -> Result<Connector, Failure> {
    let alpn = arguments.alpn.iter().flat_map(|names| names.split(','));
    let options = ClientOptions {
        versions: arguments.tls.map(Version::alone).into_iter().collect(),
        alpn: alpn.map(|name| name.as_bytes().to_vec()).collect(),
        identity: identity(&arguments.trust)?,
        witness: arguments
            .keylog
            .as_deref()
            .map(keylog::witness)
            .transpose()?,
        ..ClientOptions::default()
    };
    let mut connector =
        Connector::new(&beliefs.trust, options).map_err(|error| Failure::usage(chain(&error)))?;
    if let Some(protocol) = arguments.starttls {
        connector = connector.starttls(protocol);
    }
    if let Some(name) = &arguments.sni {
        connector = connector.server_name(name);
    }
    if let Some(choice) = &arguments.proxy {
        let proxies = choice.0.clone().map_or_else(Proxies::none, Proxies::all);
        connector = connector
            .proxies(proxies)
            .map_err(|error| Failure::usage(chain(&error)))?;
    }
    for resolve in &arguments.resolve {
        connector = connector.resolve(&resolve.host, resolve.port, vec![resolve.address]);
    }
    if let Some(span) = arguments.connect_timeout {
        connector = connector.patience(span.0);
    }
    Ok(connector)
}

/// Our own ends of the connection, and the terminal, where they are one.
fn ends_here(arguments: &ConnectArguments) -> io::Result<(Option<Editing>, Input, Output)> {
    if !arguments.no_edit && editing::is_possible() {
        let (editing, input, output) = Editing::begin(arguments.crlf)?;
        return Ok((Some(editing), input, output));
    }
    Ok((None, Input::new(arguments.crlf), Output::new()?))
}

/// Tells what was agreed on, and who the server is.
fn tell(raw: &Raw, (host, name): (&str, &str), arguments: &ConnectArguments, beliefs: &Beliefs) {
    if !arguments.quiet {
        words::connect::connected(raw, name, beliefs);
    }
    if arguments.trust.insecure {
        let host = arguments.sni.as_deref().unwrap_or(host);
        refused::warn(&raw.tls, host, beliefs);
    }
}
