//! What `ravelin tunnel` says.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use ravelin_tunnel::{Ending, Notice, Record, TlsFacts, Tunnel};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::show::clean;
use super::{BOLD, DIM, Stopping, result, tell, warn};
use crate::config::{CertificateSource, TunnelCertificate, TunnelConfig, TunnelsConfig};
use crate::failure::Failure;

/// What is said where tunnels stop.
pub(crate) const STOPPING: Stopping = Stopping {
    begins: "stopping: open connections end first",
    at_once: "stopped at once: open connections were cut off",
};

/// That a file has nothing wrong with it.
pub(crate) fn right(file: Option<&Path>, config: &TunnelsConfig) -> Result<(), Failure> {
    let file = file.unwrap_or(Path::new("")).display();
    let many = config.tunnels.len();
    let tunnels = if many == 1 { "tunnel" } else { "tunnels" };
    result(&format!("{file} is right: {many} {tunnels}\n"))
}

/// Where clients come in, and where they get.
pub(crate) fn started(config: &TunnelsConfig, tunnels: &[Tunnel], metrics: &[TcpListener]) {
    let what = match tunnels {
        [_] => "one tunnel".to_owned(),
        tunnels => format!("{} tunnels", tunnels.len()),
    };
    say!("{BOLD}Ravelin{BOLD:#} runs {what}\n");
    for (tunnel, config) in tunnels.iter().zip(&config.tunnels) {
        let listen: Vec<_> = tunnel.listen.iter().map(ToString::to_string).collect();
        let to: Vec<_> = config.to.iter().map(ToString::to_string).collect();
        let mut to = to.join(", ");
        if !config.routes.is_empty() {
            if !to.is_empty() {
                to.push_str(", ");
            }
            let _ = write!(to, "by name to {} more", config.routes.len());
        }
        let (front, back) = sides(config);
        say!("  {}", listen.join(", "));
        say!("    {DIM}→{DIM:#} {to}");
        say!("    {DIM}{front}; {back}{DIM:#}");
    }
    say!("");
    for listener in metrics {
        if let Ok(address) = listener.local_addr() {
            say!("metrics      http://{address}/metrics");
        }
    }
}

/// What is spoken on either side.
fn sides(config: &TunnelConfig) -> (String, String) {
    let after = |protocol: Option<ravelin_tls::starttls::Protocol>| {
        protocol.map_or(String::new(), |protocol| {
            format!(" after STARTTLS of {protocol}")
        })
    };
    let front = if config.mode.terminates() {
        let certificate = match &config.certificate {
            TunnelCertificate::Acme => "a certificate that is asked for over ACME".to_owned(),
            TunnelCertificate::Given(CertificateSource::Local) => {
                "a certificate of the local CA".to_owned()
            }
            TunnelCertificate::Given(CertificateSource::Files { cert, .. }) => {
                cert.display().to_string()
            }
        };
        let mut front = format!("TLS{} ends here with {certificate}", after(config.starttls));
        if !config.client_ca.is_empty() {
            front.push_str(", and clients show theirs");
        }
        front
    } else if config.mode == crate::config::Mode::Pass {
        "TLS passes through as it is".to_owned()
    } else {
        "clients in clear".to_owned()
    };
    let back = if config.mode.originates() {
        format!("TLS{} begins here", after(config.server.starttls))
    } else if config.mode == crate::config::Mode::Pass {
        "to be read by its server alone".to_owned()
    } else {
        "servers in clear".to_owned()
    };
    (front, back)
}

pub(crate) fn how_to_stop() {
    say!(
        "{DIM}Ctrl-C stops the tunnels; open connections may end first. A second one does not wait for them.{DIM:#}"
    );
}

pub(crate) fn notice(notice: &Notice) {
    match notice {
        Notice::OutOfFiles => warn(
            "no file descriptors are left: nobody is let in until there are \
             (raise the limit with ulimit -n or LimitNOFILE=)",
        ),
        Notice::TooMany(tunnel) => warn(format_args!(
            "tunnel \"{tunnel}\" holds as many connections as it may: further ones are closed"
        )),
        Notice::TooManyFromOne(client) => warn(format_args!(
            "{client} holds as many connections as one client may: further ones are closed"
        )),
        Notice::ServiceFailed {
            tunnel,
            server,
            why,
        } => warn(format_args!("tunnel \"{tunnel}\": {server}: {why}")),
        // What a later crate may tell of, and this program has no words for yet.
        other => warn(format_args!("the tunnels report {other:?}")),
    }
}

/// Of connections that came to nothing, a few are told of, however many there are: how many is somebody else's choice.
#[derive(Default)]
pub(crate) struct Brake(Mutex<Option<(Instant, usize)>>);

impl Brake {
    /// How this one is to be told of, if at all.
    fn lets_through(&self) -> Option<bool> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (since, told) = window.get_or_insert((now, 0));
        if now.duration_since(*since) > WINDOW {
            (*since, *told) = (now, 0);
        }
        *told += 1;
        match *told {
            told if told < MOST_TOLD => Some(false),
            MOST_TOLD => Some(true),
            _ => None,
        }
    }
}

const WINDOW: Duration = Duration::from_secs(10);
const MOST_TOLD: usize = 10;

/// A connection that came to nothing, where there is no log to say so.
pub(crate) fn ended(record: &Record, brake: &Brake) {
    // Servers that fail are told of as such, and whoever is stopped knows it.
    let expected = matches!(
        record.ending,
        Ending::Done
            | Ending::Idle(_)
            | Ending::Stopped
            | Ending::Validation
            | Ending::Unreachable(_)
    );
    if expected {
        return;
    }
    let Some(is_last) = brake.lets_through() else {
        return;
    };
    warn(format_args!(
        "tunnel \"{}\": {}: {}{}",
        record.tunnel,
        client(record),
        record.ending,
        if is_last {
            "; further ones are not told of for ten seconds (--log tells of all)"
        } else {
            ""
        }
    ));
}

fn client(record: &Record) -> String {
    record
        .client
        .map_or("a client of the Unix socket".to_owned(), |client| {
            client.to_string()
        })
}

/// A line of the log for people.
pub(crate) fn line(record: &Record) -> String {
    let mut line = format!(
        "{} {} {}",
        written_time(record),
        record.tunnel,
        record
            .client
            .map_or("unix".to_owned(), |client| client.to_string())
    );
    let mut part = |text: &str| {
        line.push(' ');
        line.push_str(&clean(text));
    };
    if let Some(tls) = &record.tls {
        part(&agreed(tls));
    }
    if let Some(name) = &record.server_name {
        part(&format!("for {name}"));
    }
    if let Some(identity) = &record.identity {
        part(&format!("as {identity:?}"));
    }
    if let Some(service) = &record.service {
        part(&format!("-> {service}"));
    }
    if let Some(tls) = &record.service_tls {
        part(&agreed(tls));
    }
    part(&format!(
        "received {} sent {} in {:.3}s: {}",
        record.received,
        record.sent,
        record.duration.as_secs_f64(),
        record.ending
    ));
    line
}

fn agreed(tls: &TlsFacts) -> String {
    let resumed = if tls.resumed { " resumed" } else { "" };
    format!("{} {}{resumed}", tls.version, tls.suite)
}

/// A line of the log for programs.
pub(crate) fn json(record: &Record) -> String {
    let mut line = Map::new();
    line.insert("time".to_owned(), written_time(record).into());
    line.insert("tunnel".to_owned(), record.tunnel.as_ref().into());
    let mut some = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            line.insert(key.to_owned(), value);
        }
    };
    some(
        "client",
        record.client.map(|client| client.to_string().into()),
    );
    some("server_name", record.server_name.clone().map(Value::from));
    some("identity", record.identity.clone().map(Value::from));
    some("tls", record.tls.as_ref().map(facts));
    some("service", record.service.clone().map(Value::from));
    some("service_tls", record.service_tls.as_ref().map(facts));
    some("received", Some(record.received.into()));
    some("sent", Some(record.sent.into()));
    let duration = u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX);
    some("duration_us", Some(duration.into()));
    some("ending", Some(record.ending.word().into()));
    if !matches!(record.ending, Ending::Done) {
        some("why", Some(record.ending.to_string().into()));
    }
    Value::Object(line).to_string()
}

fn facts(tls: &TlsFacts) -> Value {
    json!({
        "version": tls.version,
        "suite": tls.suite,
        "group": tls.group,
        "resumed": tls.resumed,
        "alpn": tls.alpn,
    })
}

fn written_time(record: &Record) -> String {
    let time = OffsetDateTime::from(record.time);
    let millis = time.nanosecond() / 1_000_000 * 1_000_000;
    time.replace_nanosecond(millis)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}
