//! Every word that Ravelin says on the terminal, but for errors of the config file.
//!
//! Standard output carries results, standard error everything else.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where printing is done")]

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anstream::{eprint, eprintln, print};
use anstyle::{AnsiColor, Style};
use ravelin_certs::trust::{Outcome, TrustChange};
use ravelin_pki::HostName;
use ravelin_server::Notice;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::certificates::Source;
use crate::config::Config;
use crate::failure::Failure;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const LINK: Style = AnsiColor::Cyan.on_default();

/// Addresses shown at the start; a server of thousands of sites names these and a number.
const SHOWN_ADDRESSES: usize = 8;

/// The result of a command, for a person or a pipe.
pub(crate) fn result(text: &str) {
    print!("{text}");
}

pub(crate) fn say_failure(failure: &Failure) {
    if let Some(report) = &failure.report {
        eprint!("{report}");
        return;
    }
    eprintln!("{RED}error:{RED:#} {}", failure.message);
    if let Some(hint) = &failure.hint {
        eprintln!("{BOLD}hint:{BOLD:#} {hint}");
    }
}

/// Something that did not stop the server, with why.
pub(crate) fn warn(message: impl Display) {
    eprintln!("{YELLOW}warning:{YELLOW:#} {message}");
}

/// Something that happened to the server.
pub(crate) fn event(message: impl Display) {
    eprintln!("{DIM}{}{DIM:#} {message}", time_of_day());
}

pub(crate) fn notice(notice: &Notice) {
    match notice {
        Notice::OutOfFiles => warn(
            "no file descriptors are left: idle connections are closed until there are \
             (raise the limit with ulimit -n or LimitNOFILE=)",
        ),
        Notice::TooManyConnections => {
            warn("there are as many connections as may be: the longest idle ones are closed");
        }
        other => warn(format_args!("{other:?}")),
    }
}

/// What is served where, and who vouches for it.
pub(crate) fn started(config: &Config, addresses: &[SocketAddr], sources: &[Source]) {
    let what = match &config.sites[..] {
        [only] => match only.site.routes.first().map(|route| &route.handler) {
            Some(ravelin_server::site::Handler::Files(files)) => files.root.display().to_string(),
            _ => "one site".to_owned(),
        },
        sites => format!("{} sites", sites.len()),
    };
    eprintln!("{BOLD}Ravelin{BOLD:#} serves {what}\n");
    let urls = urls(config, addresses);
    for url in urls.iter().take(SHOWN_ADDRESSES) {
        eprintln!("  {LINK}{url}{LINK:#}");
    }
    if urls.len() > SHOWN_ADDRESSES {
        eprintln!("  and {} more", urls.len() - SHOWN_ADDRESSES);
    }
    eprintln!();
    if let Some(first) = sources.iter().min_by_key(|source| source.not_after) {
        let until = until(first.not_after);
        match &first.file {
            None => eprintln!("certificate  made by your local CA, good until {until}"),
            Some(file) => eprintln!("certificate  {}, good until {until}", file.display()),
        }
        if sources.len() > 1 {
            eprintln!("             and {} more, all good for longer", sources.len() - 1);
        }
    }
}

/// How to have the local root trusted.
pub(crate) fn not_trusted_yet(root: &str, home_option: Option<&Path>) {
    let home = home_option.map_or(String::new(), |home| format!(" --home {}", home.display()));
    eprintln!("trust        your system does not know the local CA yet. For browsers and curl:");
    eprintln!("                 {BOLD}ravelin ca trust{home}{BOLD:#}");
    eprintln!("             or for one command: curl --cacert {root} …");
}

pub(crate) fn trusted() {
    eprintln!("trust        your system trusts the local CA");
}

pub(crate) fn how_to_stop() {
    eprintln!("\n{DIM}Ctrl-C stops the server; running requests end first.{DIM:#}");
}

pub(crate) fn trust_changes(changes: &[TrustChange]) {
    for change in changes {
        let store = &change.store;
        match &change.outcome {
            Outcome::Added => eprintln!("{GREEN}added{GREEN:#}        to {store}"),
            Outcome::AlreadyThere => eprintln!("already       in {store}"),
            Outcome::Removed => eprintln!("{GREEN}removed{GREEN:#}      from {store}"),
            Outcome::NotThere => eprintln!("not there     in {store}"),
            Outcome::Failed { why, hint } => {
                eprintln!("{RED}failed{RED:#}       {store}: {why}");
                if let Some(hint) = hint {
                    eprintln!("             {BOLD}hint:{BOLD:#} {hint}");
                }
            }
        }
    }
}

/// The addresses that a browser can be given. A wildcard stands for names that we cannot guess.
fn urls(config: &Config, addresses: &[SocketAddr]) -> Vec<String> {
    let mut urls = Vec::new();
    for host in config.sites.iter().flat_map(|site| &site.site.hosts) {
        let reachable = addresses.iter().find(|address| match (host, address.ip()) {
            (_, ip) if ip.is_unspecified() => true,
            (HostName::Ip(host), ip) => *host == ip,
            (HostName::Dns(_), _) => true,
        });
        let Some(address) = reachable else { continue };
        let host = match host {
            HostName::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            other => other.to_string(),
        };
        urls.push(match address.port() {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        });
    }
    urls
}

/// `2027-02-20 (in 90 days)`.
fn until(moment: SystemTime) -> String {
    let date = OffsetDateTime::from(moment);
    let date = date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
    match moment.duration_since(SystemTime::now()) {
        Ok(left) if left < Duration::from_secs(48 * 3600) => {
            format!("{date} (in {} hours)", left.as_secs() / 3600)
        }
        Ok(left) => format!("{date} (in {} days)", left.as_secs() / 86_400),
        Err(_) => format!("{date}, which is over"),
    }
}

fn time_of_day() -> String {
    let now = OffsetDateTime::from(SystemTime::now());
    now.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default()
}
