//! A connection to a server, made to be looked at.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ravelin_lens::capture::{self, write::Said};
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::recorder::{self, Recorded, Recorder, Sound};
use ravelin_lens::story::Story;
use ravelin_lens::tickets::Memory;
use ravelin_pki::{HostName, pem};
use ravelin_tls::inspect::ClientOptions;
use ravelin_tls::starttls::{Protocol, StartTls};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};
use rustls_pki_types::ServerName;

use super::believed::Beliefs;
use super::failed::{self, Ended};
use super::walk::{self, Page, Tour};
use super::{MOST_OCTETS, json, language, limits, options, outcome, tell, write_page};
use crate::arguments::inspect::{ConnectionArguments, InspectArguments};
use crate::cert::show::target::Target;
use crate::dial::{self, Timed};
use crate::failure::Failure;
use crate::words::inspect::{Errors, WalkWords};
use crate::{key, words};

/// What is to be done, with everything read and nothing sent.
struct Plan<'a> {
    arguments: &'a InspectArguments,
    host: String,
    port: u16,
    /// As it is shown: `example.org:443`.
    name: String,
    server_name: ServerName<'static>,
    config: Arc<ClientConfig>,
    errors: Errors,
}

/// A connection that was looked at.
struct Look {
    address: SocketAddr,
    /// The address of our end.
    local: Option<SocketAddr>,
    recorder: Recorder,
    ended: Result<(), Ended>,
}

pub(super) fn run(host: &str, arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let plan = Plan::new(host, arguments)?;
    let beliefs = Beliefs::new(arguments)?;
    let mut memory = Memory::new(TICKETS);
    let first = plan.look()?;
    let first_story = plan.story(&first, &memory, &beliefs);
    let mut seen = vec![(first, first_story)];
    if let [(first, story)] = &seen[..]
        && arguments.connection.resume
        && first.ended.is_ok()
    {
        memory.remember(story);
        let second = plan.look()?;
        let story = plan.story(&second, &memory, &beliefs);
        seen.push((second, story));
    }
    let (looks, stories): (Vec<&Look>, Vec<&Story>) =
        seen.iter().map(|(look, story)| (look, story)).unzip();
    let write = || {
        write_page(&stories, &plan.name, arguments)?;
        write_capture(&looks, arguments)
    };
    if arguments.step {
        // A signal may end the walk.
        write()?;
        if let Some(code) = walk_through(&stories, arguments)? {
            return Ok(code);
        }
    } else {
        tell_all(&stories, arguments)?;
        beliefs.hint(language(arguments), &stories);
        write()?;
    }
    for (look, story) in &seen {
        if let Err(ended) = &look.ended {
            let (name, port) = (&plan.name, plan.port);
            return Err(failed::of_client(ended, story, name, port, plan.errors));
        }
    }
    let shown = plan.errors.file(Path::new(&plan.name));
    for story in &stories {
        outcome(story, &shown, plan.errors)?;
    }
    let mut later = stories.iter().skip(1);
    if later.any(|story| story.agreement.resumption.is_none()) {
        return Err(plan.errors.not_resumed());
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells of one connection, or of two and how they compare.
fn tell_all(stories: &[&Story], arguments: &InspectArguments) -> Result<(), Failure> {
    if arguments.json {
        return json(stories, arguments);
    }
    for (number, story) in stories.iter().enumerate() {
        if number > 0 {
            words::inspect::second_connection(language(arguments))?;
        }
        tell(story, arguments)?;
    }
    if let [first, second] = stories {
        let compared = words::inspect::compared(language(arguments), first, second);
        words::result(&format!("\n{compared}"))?;
    }
    Ok(())
}

fn walk_through(
    stories: &[&Story],
    arguments: &InspectArguments,
) -> Result<Option<ExitCode>, Failure> {
    let options = options(arguments);
    let compared = || match stories {
        [first, second] => vec![Page {
            title: WalkWords::of(options.language).compared,
            text: words::inspect::compared(options.language, first, second),
        }],
        _ => Vec::new(),
    };
    let tours = stories
        .iter()
        .map(|story| Tour::new(story, &options, Vec::new(), compared()));
    walk::walk(tours.collect(), &options)
}

/// Writes a capture of connections with their secrets, where one is wanted.
fn write_capture(looks: &[&Look], arguments: &InspectArguments) -> Result<(), Failure> {
    let Some(file) = &arguments.pcapng else {
        return Ok(());
    };
    let mut capture = Vec::new();
    for look in looks {
        let unspecified = SocketAddr::from(([127, 0, 0, 1], 0));
        look.recorder
            .look(|recording| {
                let heard = recording.heard().iter();
                let said = heard.filter_map(|heard| match &heard.what {
                    Sound::Octets(octets) => Some(Said {
                        side: heard.side,
                        at: heard.at,
                        octets,
                        missing: 0,
                    }),
                    Sound::Handshake(_) | Sound::Missed(_) | Sound::Ended { .. } => None,
                });
                let recorded = capture::write::Recorded {
                    client: look.local.unwrap_or(unspecified),
                    server: look.address,
                    said: said.collect(),
                    key_log: &recording.key_log_lines(),
                };
                // A section of its own for each: nothing can fail that is written to memory.
                capture::write::write(&mut capture, &[recorded])
            })
            .map_err(|error| Failure::of(&error))?;
    }
    super::write(file, &capture, Secrets::Shown, language(arguments))
}

impl<'a> Plan<'a> {
    fn new(host: &str, arguments: &'a InspectArguments) -> Result<Self, Failure> {
        let (wanted, errors) = (&arguments.connection, super::errors(arguments));
        let usual = wanted.starttls.map_or(443, Protocol::port);
        let Some(Target::Server { host, port, name }) = Target::server(host, usual) else {
            return Err(errors.no_server(host));
        };
        let server_name = match &wanted.sni {
            Some(name) => name.0.clone(),
            None => ServerName::try_from(host.clone()).map_err(|_| errors.no_name(&host))?,
        };
        Ok(Self {
            arguments,
            config: config(wanted, errors)?,
            errors,
            host,
            port,
            name,
            server_name,
        })
    }

    fn look(&self) -> Result<Look, Failure> {
        let bounds = super::bounds(self.arguments);
        let wanted = &self.arguments.connection;
        let (address, mut stream) = match wanted.connect {
            Some(address) => dial::dial_address(address, bounds).map(|stream| (address, stream)),
            None => dial::dial(&self.host, self.port, bounds),
        }
        .map_err(|error| self.errors.not_dialled(&error))?;
        self.begin(&mut stream)?;
        let local = stream.local().ok();
        let recorder = Recorder::new(MOST_OCTETS);
        let mut stream = recorder.under(stream, Side::Server);
        let ended = recorder.scope(|| self.speak(&mut stream));
        Ok(Look {
            address,
            local,
            recorder,
            ended,
        })
    }

    /// Says what comes before TLS.
    fn begin(&self, stream: &mut Timed) -> Result<(), Failure> {
        let Some(protocol) = self.arguments.connection.starttls else {
            return Ok(());
        };
        let cut = |error: io::Error| self.errors.starttls_cut(&self.name, &error);
        let mut dialogue = StartTls::new(protocol, &self.host);
        let mut turn = dialogue.begin();
        let mut buffer = [0; 4096];
        loop {
            stream.write_all(&turn.say).map_err(cut)?;
            if turn.begin {
                return Ok(());
            }
            let read = stream.read(&mut buffer).map_err(cut)?;
            if read == 0 {
                return Err(cut(ErrorKind::UnexpectedEof.into()));
            }
            turn = dialogue
                .receive(&buffer[..read])
                .map_err(|error| self.errors.starttls_refused(&self.name, &error))?;
        }
    }

    /// The handshake, and what follows it.
    fn speak(&self, stream: &mut Recorded<Timed>) -> Result<(), Ended> {
        let mut tls = ClientConnection::new(self.config.clone(), self.server_name.clone())?;
        shake_hands(&mut tls, stream)?;
        // What follows is more to see. It may fail: the handshake went well, unless an alert takes it back.
        let wanted = &self.arguments.connection;
        let more = if wanted.http {
            self.get(&mut tls, stream)
        } else {
            wait_for_ticket(&mut tls, stream, wanted.resume)
        };
        taken_back(&more)?;
        // The time for what was waited for may be over.
        stream.stream().hurry(FAREWELL);
        tls.send_close_notify();
        while tls.wants_write() && tls.write_tls(stream).is_ok() {}
        stream.stream().shut();
        stream.ended();
        // The other says goodbye too, as a rule.
        let goodbye = read_to_end(&mut tls, stream, 0);
        let is_tls13 = tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        // Who gives tickets has taken what the client sent.
        if is_tls13 && tls.tls13_tickets_received() == 0 {
            taken_back(&goodbye)?;
        }
        Ok(())
    }

    /// One request, whose answer ends the connection.
    fn get(&self, tls: &mut ClientConnection, stream: &mut Recorded<Timed>) -> Result<(), Ended> {
        let host = self.server_name.to_str();
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.into_owned()
        };
        let port = if self.port == 443 {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: ravelin\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n"
        );
        tls.writer().write_all(request.as_bytes())?;
        while tls.wants_write() {
            tls.write_tls(stream)?;
        }
        read_to_end(tls, stream, MOST_ANSWER)
    }

    /// The story of a connection that was looked at, its chain judged.
    fn story(&self, look: &Look, memory: &Memory, beliefs: &Beliefs) -> Story {
        words::inspect::connected(language(self.arguments), &self.name, look.address);
        let mut story = look
            .recorder
            .look(|recording| recording.story_with(memory, limits()));
        let host: Option<HostName> = self.server_name.to_str().parse().ok();
        beliefs.judge(&mut story, host.as_ref());
        story
    }
}

fn config(wanted: &ConnectionArguments, errors: Errors) -> Result<Arc<ClientConfig>, Failure> {
    let versions = match wanted.tls {
        Some(version) => vec![version.alone()],
        None => ravelin_tls::policy::VERSIONS.to_vec(),
    };
    let alpn = match &wanted.alpn {
        Some(names) => names.split(',').collect(),
        None if wanted.starttls.is_some() => Vec::new(),
        None if wanted.http => vec!["http/1.1"],
        None => vec!["h2", "http/1.1"],
    };
    let certificate = match (&wanted.cert, &wanted.key) {
        (Some(cert), Some(file)) => {
            let read = |file| key::read_file(file).map_err(|error| errors.unread(error));
            let chain = pem::certificates(&read(cert)?);
            let private = pem::private_key(&read(file)?);
            Some((
                chain.map_err(|error| errors.bad_pem(cert, &error))?,
                private.map_err(|error| errors.bad_pem(file, &error))?,
            ))
        }
        _ => None,
    };
    let mut witness = recorder::witness();
    if !wanted.group.is_empty() {
        let groups = wanted.group.iter();
        witness.groups = groups
            .filter_map(|group| recorder::group(&group.0))
            .collect();
    }
    let options = ClientOptions {
        versions,
        alpn: alpn
            .into_iter()
            .filter(|name| !name.is_empty())
            .map(|name| name.as_bytes().to_vec())
            .collect(),
        certificate,
        // Whoever connects a single time asks for a ticket too: so do clients that are not looked at.
        sessions: TICKETS,
    };
    ravelin_tls::inspect::client(options, &witness).map_err(|error| errors.no_client(&error))
}

/// Shakes hands, and lets an alert of ours reach the other where that fails.
fn shake_hands(tls: &mut ClientConnection, stream: &mut Recorded<Timed>) -> Result<(), Ended> {
    loop {
        while tls.wants_write() {
            tls.write_tls(stream)?;
        }
        if !tls.is_handshaking() {
            return Ok(());
        }
        receive(tls, stream)?;
    }
}

fn receive(tls: &mut ClientConnection, stream: &mut Recorded<Timed>) -> Result<(), Ended> {
    if tls.read_tls(stream)? == 0 {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    if let Err(error) = tls.process_new_packets() {
        let _ = tls.write_tls(stream);
        stream.ended();
        return Err(error.into());
    }
    Ok(())
}

/// In TLS 1.3 the client is done before the server has seen its certificate and its Finished message: a server
/// that does not like them says so behind the handshake (RFC 8446, section 4.4.2.4).
fn taken_back(more: &Result<(), Ended>) -> Result<(), Ended> {
    match more {
        Err(Ended::Tls(rustls::Error::AlertReceived(alert))) => Err(Ended::TakenBack(*alert)),
        _ => Ok(()),
    }
}

/// Waits for the ticket that a server of TLS 1.3 gives after the handshake: those that give any do so at once.
fn wait_for_ticket(
    tls: &mut ClientConnection,
    stream: &mut Recorded<Timed>,
    wanted: bool,
) -> Result<(), Ended> {
    if tls.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return Ok(());
    }
    let patience = if wanted { TICKET_WANTED } else { TICKET };
    stream.stream().hurry(patience);
    while tls.tls13_tickets_received() == 0 {
        receive(tls, stream)?;
    }
    Ok(())
}

/// Reads until the other ends, and no more than so many octets of application data.
fn read_to_end(
    tls: &mut ClientConnection,
    stream: &mut Recorded<Timed>,
    mut most: usize,
) -> Result<(), Ended> {
    let mut buffer = [0; 4096];
    loop {
        loop {
            match tls.reader().read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) if read > most => return Ok(()),
                Ok(read) => most -= read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        receive(tls, stream)?;
    }
}

/// How many tickets are kept for a second connection.
const TICKETS: usize = 8;

/// How long is waited for a ticket: a round trip more than the handshake took would do.
const TICKET: Duration = Duration::from_millis(500);
const TICKET_WANTED: Duration = Duration::from_secs(3);

/// How long is waited for the other to say goodbye.
const FAREWELL: Duration = Duration::from_millis(500);

/// How much of an answer is read, in octets.
const MOST_ANSWER: usize = 64 << 10;
