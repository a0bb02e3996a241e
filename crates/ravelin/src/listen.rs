//! `ravelin listen`: a TLS server for tests.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ravelin_client::{Acceptor, Error};
use ravelin_pki::CertificateDer;
use ravelin_tls::{Certificates, ClientAuth, ServerOptions, ServerTls, Tickets};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::arguments::inspect::Version;
use crate::arguments::listen::ListenArguments;
use crate::cert::verify::trusted;
use crate::failure::{Failure, chain};
use crate::listen_on::BindError;
use crate::{certificates, keylog, words};

mod service;

use service::Service;

pub(crate) fn run(arguments: &ListenArguments) -> Result<ExitCode, Failure> {
    let host = Rc::new(Host {
        acceptor: Acceptor::from(tls(arguments)?),
        service: Service::of(arguments),
        once: arguments.once,
        quiet: arguments.quiet,
    });
    let runtime = crate::event_loop::new()?;
    let result = runtime.block_on(serve(host, arguments));
    // A thread that waits for more input is left behind.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

/// What clients are answered with.
struct Host {
    acceptor: Acceptor,
    service: Service,
    once: bool,
    quiet: bool,
}

async fn serve(host: Rc<Host>, arguments: &ListenArguments) -> Result<(), Failure> {
    let (sender, mut clients) = mpsc::channel(1);
    let mut addresses = Vec::new();
    let bound = arguments.listen.bind();
    for listener in bound.map_err(|error| refused(&error))? {
        let listener = listener
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(listener))
            .map_err(|error| Failure::of(&error))?;
        addresses.extend(listener.local_addr());
        let sender = sender.clone();
        tokio::spawn(async move {
            loop {
                let accepted = listener.accept().await;
                if sender.send(accepted).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    words::listen::listening(&addresses);
    let places = Arc::new(Semaphore::new(host.service.at_once()));
    while let Some(accepted) = clients.recv().await {
        let (stream, address) = match accepted {
            Ok(client) => client,
            Err(error) => {
                words::listen::not_accepted(&error);
                // Where no descriptor is left, one may be soon.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if host.once {
            return host.answer(stream, address).await;
        }
        // Never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let host = host.clone();
        tokio::task::spawn_local(async move {
            if let Err(failure) = host.answer(stream, address).await {
                words::listen::failed(address, &failure);
            }
            drop(place);
        });
    }
    Ok(())
}

/// Why nobody can listen there, and what helps.
fn refused(error: &BindError) -> Failure {
    let hint = match error.source.kind() {
        ErrorKind::AddrInUse => Some(format!(
            "another program listens there (ss -ltnp 'sport = :{}' says which); 0 takes a port that is free",
            error.address.port()
        )),
        ErrorKind::PermissionDenied => {
            Some("ports below 1024 are for the administrator: take a higher one".to_owned())
        }
        ErrorKind::AddrNotAvailable => Some(
            "this machine has no such address; a port alone is for this machine alone".to_owned(),
        ),
        _ => None,
    };
    Failure::of(error).hint(hint)
}

impl Host {
    async fn answer(&self, stream: TcpStream, address: SocketAddr) -> Result<(), Failure> {
        let accepted = self.acceptor.accept(stream, address).await;
        let accepted = accepted.map_err(|error| {
            let why = match &error {
                Error::Handshake { source, .. } => chain(source),
                other => chain(other),
            };
            Failure::network(format!("no TLS with {address}: {why}"))
        })?;
        let client = words::listen::Client::of(&accepted);
        if !self.quiet {
            client.tell();
        }
        self.service.answer(accepted.io, &client).await
    }
}

fn tls(arguments: &ListenArguments) -> Result<ServerTls, Failure> {
    let served = match (&arguments.cert, &arguments.key) {
        (Some(cert), Some(key)) => certificates::from_files(cert, key, None)?.0,
        _ => certificates::local(&arguments.home)?,
    };
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let alpn = arguments.alpn.iter().flat_map(|names| names.split(','));
    let options = ServerOptions {
        alpn: alpn.map(|name| name.as_bytes().to_vec()).collect(),
        versions: arguments.tls.map(Version::alone).into_iter().collect(),
        client_auth: client_auth(arguments)?,
        witness: arguments
            .keylog
            .as_deref()
            .map(keylog::witness)
            .transpose()?,
        ..ServerOptions::default()
    };
    ServerTls::with(Arc::new(Certificates::new(served)), &tickets, &options)
        .map_err(|error| Failure::usage(chain(&error)))
}

fn client_auth(arguments: &ListenArguments) -> Result<ClientAuth, Failure> {
    if arguments.client_auth.is_empty() {
        return Ok(ClientAuth::Nobody);
    }
    let (trust, _) = trusted(&arguments.client_auth, &arguments.home)?;
    let roots = trust.anchors().iter().map(|root| root.der().clone());
    let roots: Vec<CertificateDer<'static>> = roots.collect();
    Ok(if arguments.client_optional {
        ClientAuth::Optional(roots)
    } else {
        ClientAuth::Required(roots)
    })
}
