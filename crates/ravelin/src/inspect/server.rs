//! `ravelin inspect --listen`: be the server, and show what clients offer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use http::HeaderValue;
use ravelin_lens::explain::Language;
use ravelin_lens::fingerprint::{Fingerprint, Transport};
use ravelin_lens::ledger::Side;
use ravelin_lens::page::{self, Audience, content_security_policy};
use ravelin_lens::recorder::{self, Recorded, Recorder};
use ravelin_lens::story::{Story, Value};
use ravelin_lens::text::Options;
use ravelin_server::negotiation;
use ravelin_tls::{Certificates, ServerTls, Tickets};
use ravelin_wire::handshake::{ClientHello, Handshake};
use ravelin_wire::registry::HandshakeType;
use rustls::ServerConnection;
use rustls::server::Acceptor;

use super::failed::{self, Ended};
use super::walk::{self, Page, Tour};
use super::{MOST_OCTETS, limits, options, tell};
use crate::arguments::inspect::InspectArguments;
use crate::dial::{Bounds, Timed};
use crate::failure::{Failure, NETWORK_FAILURE};
use crate::listen_on::ListenOn;
use crate::words::inspect::WalkWords;
use crate::{certificates, words};

/// Servers for clients that offer HTTP/1.1 by ALPN, and for those that do not: who offers anything else alone
/// is to get a handshake all the same.
struct Servers {
    http: ServerTls,
    without: ServerTls,
}

/// A client that was answered, and what became of it.
struct Client {
    address: SocketAddr,
    story: Story,
    ended: Result<(), Ended>,
}

pub(super) fn run(listen: &ListenOn, arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let host = Arc::new(Host {
        servers: servers(arguments)?,
        bounds: super::bounds(arguments),
        options: options(arguments),
    });
    let errors = super::errors(arguments);
    let bound = listen.bind();
    let listeners = bound.map_err(|error| errors.not_listened(error.address, &error.source))?;
    let mut addresses = Vec::new();
    let (sender, clients) = sync_channel(WAITING);
    for listener in listeners {
        addresses.push(listener.local_addr().map_err(|error| Failure::of(&error))?);
        let listener = Arc::new(listener);
        // Browsers open connections that they say nothing on, and nobody is to wait for those.
        for _ in 0..AT_ONCE {
            let (host, listener, sender) = (host.clone(), listener.clone(), sender.clone());
            thread::spawn(move || host.accept(&listener, &sender));
        }
    }
    drop(sender);
    let language = super::language(arguments);
    words::inspect::listening(language, &addresses);
    let mut code = ExitCode::SUCCESS;
    for client in clients {
        code = told(&client, language, arguments)?;
        if arguments.once {
            break;
        }
    }
    Ok(code)
}

/// Tells of one client, whole. The exit code, should it be the last.
fn told(
    client: &Client,
    language: Language,
    arguments: &InspectArguments,
) -> Result<ExitCode, Failure> {
    let story = &client.story;
    words::inspect::client(language, client.address);
    let offered =
        hello(story).map(|(hello, octets)| words::inspect::offered(language, &hello, octets));
    if arguments.step && !story.steps.is_empty() {
        if let Some(code) = walk_through(story, offered, arguments)? {
            return Ok(code);
        }
    } else {
        match offered {
            Some(offered) => words::result(&offered)?,
            None => words::inspect::no_hello(language, failed::foreign(story))?,
        }
        if !story.steps.is_empty() {
            tell(story, arguments)?;
        }
    }
    if let Err(ended) = &client.ended
        && failed::foreign(story).is_none()
    {
        words::inspect::client_failed(language, &ended.of_server());
    }
    Ok(match client.ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(NETWORK_FAILURE),
    })
}

/// Walks through what a client offers, where it came to that, and what followed.
fn walk_through(
    story: &Story,
    offered: Option<String>,
    arguments: &InspectArguments,
) -> Result<Option<ExitCode>, Failure> {
    let options = options(arguments);
    let title = WalkWords::of(options.language).offered;
    let before = offered.map(|text| Page { title, text }).into_iter();
    let tour = Tour::new(story, &options, before.collect(), Vec::new());
    walk::walk(vec![tour], &options)
}

/// What all clients are answered with.
struct Host {
    servers: Servers,
    bounds: Bounds,
    options: Options,
}

impl Host {
    /// Answers one client after the other.
    fn accept(&self, listener: &TcpListener, clients: &SyncSender<Client>) {
        loop {
            match listener.accept() {
                // Where nobody looks at clients any more, the program ends.
                Ok((stream, address)) => {
                    if clients.send(self.answer(stream, address)).is_err() {
                        return;
                    }
                }
                // A client that has gone again; or no descriptor is left, until a connection ends.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    words::inspect::not_accepted(self.options.language, &error);
                    return;
                }
            }
        }
    }

    fn answer(&self, stream: TcpStream, address: SocketAddr) -> Client {
        let recorder = Recorder::new(MOST_OCTETS);
        let timed = Timed::new(stream, Instant::now() + self.bounds.patience, self.bounds);
        let mut stream = recorder.under(timed, Side::Client);
        let ended = recorder.scope(|| self.speak(&mut stream, &recorder));
        Client {
            address,
            story: recorder.look(|recording| recording.story(limits())),
            ended,
        }
    }
    /// The handshake, and an answer to what the client asks over it.
    fn speak(&self, stream: &mut Recorded<Timed>, recorder: &Recorder) -> Result<(), Ended> {
        let mut acceptor = Acceptor::default();
        let accepted = loop {
            if acceptor.read_tls(stream)? == 0 {
                return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
            }
            match acceptor.accept() {
                Ok(Some(accepted)) => break accepted,
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let story = recorder.look(|recording| recording.story(limits()));
                    if failed::foreign(&story).is_some() {
                        // An alert would say nothing to who speaks plain HTTP.
                        let _ = stream.write_all(PLAIN);
                    } else {
                        let _ = alert.write_all(stream);
                    }
                    farewell(stream);
                    return Err(error.into());
                }
            }
        };
        let offers_http = accepted
            .client_hello()
            .alpn()
            .is_some_and(|mut names| names.any(|name| name == b"http/1.1"));
        let tls = if offers_http {
            &self.servers.http
        } else {
            &self.servers.without
        };
        let config = tls.for_client(
            &accepted.client_hello(),
            std::net::Ipv4Addr::UNSPECIFIED.into(),
        );
        let mut tls = match accepted.into_connection(config) {
            Ok(tls) => tls,
            Err((error, mut alert)) => {
                let _ = alert.write_all(stream);
                farewell(stream);
                return Err(error.into());
            }
        };
        while tls.is_handshaking() || tls.wants_write() {
            while tls.wants_write() {
                tls.write_tls(stream)?;
            }
            if tls.is_handshaking() {
                receive(&mut tls, stream)?;
            }
        }
        // The handshake went well: what follows is more to see, and may fail.
        let _ = self.respond(&mut tls, stream, recorder);
        tls.send_close_notify();
        while tls.wants_write() && tls.write_tls(stream).is_ok() {}
        farewell(stream);
        Ok(())
    }

    /// Answers a request: browsers with the page of their own handshake, others with their fingerprints; who asks
    /// nothing gets nothing.
    fn respond(
        &self,
        tls: &mut ServerConnection,
        stream: &mut Recorded<Timed>,
        recorder: &Recorder,
    ) -> Result<(), Ended> {
        stream.stream().hurry(REQUEST);
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            match tls.reader().read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => request.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => receive(tls, stream)?,
                Err(error) => return Err(error.into()),
            }
            if request.len() > MOST_REQUEST {
                return Ok(());
            }
        }
        let story = recorder.look(|recording| recording.story(limits()));
        let response = self.response(&story, &request);
        // What is not sent yet, TLS keeps no more than 64 KiB of.
        for part in response.as_bytes().chunks(16 << 10) {
            tls.writer().write_all(part)?;
            while tls.wants_write() {
                tls.write_tls(stream)?;
            }
        }
        Ok(())
    }

    fn response(&self, story: &Story, request: &[u8]) -> String {
        let page = wants_page(request).then(|| self.page(story)).flatten();
        let (content_type, policy, text) = match page {
            Some(page) => ("text/html", content_security_policy(), page),
            None => (
                "text/plain",
                "default-src 'none'".to_owned(),
                fingerprints(story),
            ),
        };
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: {policy}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )
    }

    /// The page of the connection that it is sent over.
    fn page(&self, story: &Story) -> Option<String> {
        let options = page::Options {
            language: self.options.language,
            secrets: self.options.secrets,
            subject: None,
            audience: Audience::Visitor,
        };
        page::page(&[story], &options).ok()
    }
}

/// The first hello of the client, and how many octets it has.
fn hello(story: &Story) -> Option<(ClientHello<'_>, usize)> {
    let step = story.messages(HandshakeType::CLIENT_HELLO).next()?;
    match step.value() {
        Ok(Value::Handshake(Handshake::ClientHello(hello))) => Some((hello, step.octets)),
        _ => None,
    }
}

/// Whether a client asks for a page, as browsers do.
fn wants_page(request: &[u8]) -> bool {
    let head = String::from_utf8_lossy(request);
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let accept = fields.find(|(name, _)| name.eq_ignore_ascii_case("accept"));
    let accept = accept.and_then(|(_, value)| HeaderValue::from_str(value.trim()).ok());
    negotiation::wants_html(accept.as_ref())
}

fn fingerprints(story: &Story) -> String {
    hello(story).map_or_else(String::new, |(hello, _)| {
        let found = Fingerprint::of(&hello, Transport::Tcp);
        format!("JA3 {}\nJA4 {}\n", found.ja3, found.ja4)
    })
}

fn receive(tls: &mut ServerConnection, stream: &mut Recorded<Timed>) -> Result<(), Ended> {
    if tls.read_tls(stream)? == 0 {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    if let Err(error) = tls.process_new_packets() {
        while tls.wants_write() && tls.write_tls(stream).is_ok() {}
        farewell(stream);
        return Err(error.into());
    }
    Ok(())
}

/// Ends our side, and hears the other out: a connection that is closed with something unread is reset, and
/// what was said is lost.
fn farewell(stream: &mut Recorded<Timed>) {
    stream.stream().shut();
    stream.ended();
    stream.stream().hurry(FAREWELL);
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

fn servers(arguments: &InspectArguments) -> Result<Servers, Failure> {
    let wanted = &arguments.connection;
    let served = match (&wanted.cert, &wanted.key) {
        (Some(cert), Some(key)) => certificates::from_files(cert, key, None)?.0,
        _ => certificates::local(&arguments.home)?,
    };
    let certificates = Arc::new(Certificates::new(served));
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let witness = recorder::witness();
    let with = |alpn: &[&[u8]]| {
        ServerTls::witnessed(certificates.clone(), &tickets, alpn, &witness)
            .map_err(|error| Failure::of(&error))
    };
    Ok(Servers {
        http: with(&[b"http/1.1"])?,
        without: with(&[])?,
    })
}

/// How many clients are answered at a time, by each of two addresses at most.
const AT_ONCE: usize = 16;

/// How many wait to be told of.
const WAITING: usize = 16;

/// How long a client may take to ask for something.
const REQUEST: std::time::Duration = std::time::Duration::from_secs(2);

const FAREWELL: std::time::Duration = std::time::Duration::from_millis(500);

const MOST_REQUEST: usize = 16 << 10;

const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 49\r\nConnection: close\r\n\r\nThis port speaks TLS: the address is https://...\n";
