//! Every word that Ravelin says on the terminal, but for errors of the config file.
//!
//! Standard output carries results, standard error everything else.

/// A line on standard error.
macro_rules! say {
    ($($line:tt)*) => {
        tell(format_args!($($line)*))
    };
}

pub(crate) mod acme;
pub(crate) mod ca;
pub(crate) mod ca_serve;
pub(crate) mod cert;
pub(crate) mod connect;
pub(crate) mod get;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod lint;
pub(crate) mod listen;
pub(crate) mod seal;
pub(crate) mod show;
pub(crate) mod staple;
pub(crate) mod tunnel;
pub(crate) mod verify;
pub(crate) mod watch;

use std::collections::HashSet;
use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use ravelin_certs::LocalRoot;
use ravelin_certs::store::shell_word;
use ravelin_certs::trust::{Outcome, TrustChange, TrustStore};
use ravelin_lens::explain::Language;
use ravelin_pki::{Certificate, HostName};
use ravelin_server::Notice;
use ravelin_server::log::LogNotice;
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

/// How servers are called, for who called none.
pub(crate) const HOW_SERVERS_ARE_GIVEN: &str =
    "a server is given as HOST, HOST:PORT, [2001:db8::1]:443 or https://HOST";

/// Addresses shown at the start; a server of thousands of sites names these and a number.
const SHOWN_ADDRESSES: usize = 8;

/// What is said where a server stops.
pub(crate) struct Stopping {
    pub(crate) begins: &'static str,
    pub(crate) at_once: &'static str,
}

/// What is said where sites stop.
pub(crate) const STOPPING: Stopping = Stopping {
    begins: "stopping: running requests end first",
    at_once: "stopped at once: requests under way were cut off",
};

/// The result of a command, for a person or a pipe. Whoever closes the pipe early, as `head` does,
/// has seen enough.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    written(anstream::stdout(), text.as_bytes())
}

/// A result that is no text.
pub(crate) fn result_bytes(bytes: &[u8]) -> Result<(), Failure> {
    written(std::io::stdout(), bytes)
}

fn written(mut stdout: impl std::io::Write, bytes: &[u8]) -> Result<(), Failure> {
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::local(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// A line on standard error. One that cannot be written is lost: on a full disk, or where the
/// terminal is gone, the server goes on.
fn tell(line: impl Display) {
    let _ = anstream::stderr().write_all(format!("{line}\n").as_bytes());
}

pub(crate) fn say_failure(failure: &Failure) {
    if let Some(report) = &failure.report {
        say!("{}", report.trim_end());
        return;
    }
    let signs = inspect::Signs::of(failure.language);
    let message = harmless(&without_codes(&failure.message));
    let error = signs.error;
    say!("{RED}{error}{RED:#}{message}");
    if let Some(hint) = &failure.hint {
        say!("{BOLD}{}{BOLD:#}{}", signs.hint, harmless(hint));
    }
}

/// A text in which names of files, or what others sent, do nothing to a terminal.
fn harmless(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(show::clean).collect();
    lines.join("\n")
}

/// Something that did not stop the server, with why.
pub(crate) fn warn(message: impl Display) {
    warn_in(Language::English, message);
}

fn warn_in(language: Language, message: impl Display) {
    let sign = inspect::Signs::of(language).warning;
    let message = harmless(&without_codes(&message.to_string()));
    say!("{YELLOW}{sign}{YELLOW:#}{message}");
}

/// Something that happened to the server.
pub(crate) fn event(message: impl Display) {
    say!("{DIM}{}{DIM:#} {message}", time_of_day());
}

pub(crate) fn notice(notice: &Notice) {
    match notice {
        Notice::OutOfFiles => warn(
            "no file descriptors are left: idle connections are closed until there are \
             (raise the limit with ulimit -n or LimitNOFILE=)",
        ),
        Notice::TooManyConnections => {
            warn("the connection limit is reached: the longest idle ones are closed");
        }
        Notice::TooManyFromOne(client) => warn(format_args!(
            "{client} holds as many connections as one client may: further ones are closed"
        )),
        // What a later server may tell of, and this program has no words for yet.
        other => warn(format_args!("the server reports {other:?}")),
    }
}

pub(crate) fn log_notice(notice: &LogNotice) {
    match notice {
        LogNotice::Failing(why) => warn(format_args!("the access log cannot be written: {why}")),
        LogNotice::NotRotated(why) => {
            warn(format_args!("the access log cannot be rotated: {why}"));
        }
        LogNotice::Recovered { lost } => event(format_args!(
            "the access log is written again: {lost} lines were lost"
        )),
    }
}

/// What is served where, and who vouches for it.
pub(crate) fn started(
    config: &Config,
    addresses: &[SocketAddr],
    redirects: &[SocketAddr],
    sources: &[Source],
) {
    let what = match &config.sites[..] {
        [only] => match only.site.routes.first().map(|route| &route.handler) {
            Some(ravelin_server::site::Handler::Files(files)) => files.root.display().to_string(),
            _ => "one site".to_owned(),
        },
        sites => format!("{} sites", sites.len()),
    };
    say!("{BOLD}Ravelin{BOLD:#} serves {what}\n");
    let urls = urls(config, addresses);
    for url in urls.iter().take(SHOWN_ADDRESSES) {
        // A wildcard stands for names that we cannot guess: it is nothing to click on.
        let style = if url.contains('*') {
            Style::new()
        } else {
            LINK
        };
        say!("  {style}{url}{style:#}");
    }
    if urls.len() > SHOWN_ADDRESSES {
        say!("  and {} more", urls.len() - SHOWN_ADDRESSES);
    }
    say!("");
    for address in redirects {
        say!("redirect     from http://{address}");
    }
    if let Some(first) = sources.iter().min_by_key(|source| source.not_after) {
        let until = until(first.not_after);
        match &first.file {
            None => say!("certificate  made by your local CA, good until {until}"),
            Some(file) => say!("certificate  {}, good until {until}", file.display()),
        }
        // Thousands of sites may share one file.
        let files: HashSet<_> = sources.iter().flat_map(|source| &source.file).collect();
        let local = sources
            .iter()
            .filter(|source| source.file.is_none())
            .count();
        match files.len() + local {
            0 | 1 => {}
            all => say!(
                "             and {} more, good for as long at least",
                all - 1
            ),
        }
    }
    staple::started(sources);
}

/// That a certificate is served which clients will refuse.
pub(crate) fn out_of_date(file: &Path, certificate: &Certificate, now: SystemTime) {
    let file = file.display();
    if now > certificate.not_after() {
        let day = day(certificate.not_after());
        warn(format_args!(
            "the certificate in \"{file}\" expired on {day}: clients refuse it until it is renewed"
        ));
    } else {
        let day = day(certificate.not_before());
        warn(format_args!(
            "the certificate in \"{file}\" is not valid before {day}: is this machine's clock right?"
        ));
    }
}

/// That a local certificate serves on beyond the time to renew it.
pub(crate) fn not_renewed(failure: &Failure, not_after: SystemTime) {
    warn(format_args!(
        "the local certificate could not be renewed, and is good until {}: {}",
        until(not_after),
        failure.message
    ));
}

/// How to have the local root trusted.
pub(crate) fn not_trusted_yet(root: &str, home_option: Option<&Path>) {
    let home = home_option.map_or(String::new(), |home| {
        format!(" --home {}", shell_word(home))
    });
    let root = shell_word(Path::new(root));
    say!("trust        your system does not know the local CA yet. To tell browsers and curl:");
    say!("                 {BOLD}ravelin ca trust{home}{BOLD:#}");
    say!("             or, for one command: curl --cacert {root} …");
}

pub(crate) fn trusted() {
    say!("trust        your system trusts the local CA");
}

pub(crate) fn how_to_stop() {
    say!(
        "\n{DIM}Ctrl-C stops the server; running requests end first. A second one does not wait for them.{DIM:#}"
    );
}

/// That there is a local CA from now on.
pub(crate) fn root_made(root: &LocalRoot) {
    say!("made         a local CA: {}", root.location);
}

pub(crate) fn trust_changes(changes: &[TrustChange]) {
    for change in changes {
        let store = &change.store;
        match &change.outcome {
            Outcome::Added => say!("{GREEN}added{GREEN:#}        to {store}"),
            Outcome::AlreadyThere => say!("already      in {store}"),
            Outcome::Removed => say!("{GREEN}removed{GREEN:#}      from {store}"),
            Outcome::NotThere => say!("not there    {store}"),
            Outcome::LeftAlone { .. } | Outcome::Failed { .. } => store_with_reason(change),
        }
    }
}

/// Browsers and JVMs read their stores when they start.
pub(crate) fn restart_programs(changes: &[TrustChange]) {
    let added_to = |kind: fn(&TrustStore) -> bool| {
        changes
            .iter()
            .any(|change| change.outcome == Outcome::Added && kind(&change.store))
    };
    let browser = added_to(|store| matches!(store, TrustStore::Nss { .. }));
    let java = added_to(|store| matches!(store, TrustStore::Java { .. }));
    let who = match (browser, java) {
        (true, true) => "A browser or Java program",
        (true, false) => "A browser",
        (false, true) => "A Java program",
        (false, false) => return,
    };
    say!("\n{DIM}{who} that is running learns of it when it starts again.{DIM:#}");
}

/// The local root and the stores: the result of `ravelin ca status`, but for stores that failed.
pub(crate) fn trust_status(root: &LocalRoot, stores: &[TrustChange]) -> Result<(), Failure> {
    let certificate = &root.certificate;
    let name = certificate.common_name().unwrap_or("it has no name");
    let mut lines = vec![
        format!("root         {}", root.location),
        format!(
            "             {name}, good until {}",
            until(certificate.not_after())
        ),
        format!("             SHA-256 {}", certificate.fingerprint_sha256()),
    ];
    if let Some(permitted) = certificate.name_constraints() {
        lines.push(format!("signs for    {permitted} and what is below them"));
    }
    for TrustChange { store, outcome } in stores {
        match outcome {
            Outcome::Added | Outcome::AlreadyThere => {
                lines.push(format!("{GREEN}trusted{GREEN:#}      by {store}"));
            }
            Outcome::Removed | Outcome::NotThere => {
                lines.push(format!("{YELLOW}not trusted{YELLOW:#}  by {store}"));
            }
            Outcome::LeftAlone { .. } | Outcome::Failed { .. } => {}
        }
    }
    result(&(lines.join("\n") + "\n"))?;
    stores.iter().for_each(store_with_reason);
    Ok(())
}

/// A store that was left alone or failed, why, and what helps; nothing for others.
fn store_with_reason(change: &TrustChange) {
    let store = &change.store;
    let hint = match &change.outcome {
        Outcome::LeftAlone { why, hint } => {
            say!("{YELLOW}left alone{YELLOW:#}   {store}: {why}");
            hint
        }
        Outcome::Failed { why, hint } => {
            say!("{RED}failed{RED:#}       {store}: {}", without_codes(why));
            hint
        }
        _ => return,
    };
    if let Some(hint) = hint {
        say!("             {BOLD}hint:{BOLD:#} {hint}");
    }
}

pub(crate) fn pages_written(pages: usize, folder: &Path) {
    let folder = shell_word(folder);
    say!("{GREEN}wrote{GREEN:#}        {pages} pages to {folder}: man {folder}/ravelin.1");
}

/// The addresses that a browser can be given.
fn urls(config: &Config, addresses: &[SocketAddr]) -> Vec<String> {
    let hosts = config.sites.iter().flat_map(|site| &site.site.hosts);
    hosts.filter_map(|host| url(host, addresses)).collect()
}

/// Where a host is to be found, if it is on these addresses.
fn url(host: &HostName, addresses: &[SocketAddr]) -> Option<String> {
    let reaches = |address: &&SocketAddr| match host {
        HostName::Dns(_) => true,
        // Sockets of IPv6 take nothing else.
        HostName::Ip(host) => {
            address.ip() == *host
                || address.ip().is_unspecified() && address.is_ipv4() == host.is_ipv4()
        }
    };
    let port = addresses.iter().find(reaches)?.port();
    let host = match host {
        HostName::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
        other => other.to_string(),
    };
    Some(match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    })
}

/// `xn--bcher-kva.example (bücher.example)`: a DNS name as it is shown, and how it looks where that
/// misleads nobody.
fn beside_unicode(shown: &str, name: &str) -> String {
    match ravelin_pki::name::in_unicode(name) {
        Some(unicode) => format!("{shown} ({unicode})"),
        None => shown.to_owned(),
    }
}

/// `2027-02-20 (in 90 days)`.
fn until(moment: SystemTime) -> String {
    let (date, now) = (day(moment), SystemTime::now());
    if moment < now {
        format!("{date}, which is over")
    } else {
        format!("{date} ({})", show::distance(now, moment))
    }
}

fn day(moment: SystemTime) -> String {
    OffsetDateTime::from(moment).date().to_string()
}

/// What the system said, without the number that stands for it: `(os error 13)`.
fn without_codes(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (os error ") {
        words.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    words + rest
}

fn time_of_day() -> String {
    in_seconds(SystemTime::now())
}

/// `2026-11-30T05:40:12Z`.
fn in_seconds(time: SystemTime) -> String {
    OffsetDateTime::from(time)
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_that_lead_somewhere() {
        let shown = |host: &str, listen: &[&str]| {
            let addresses: Vec<_> = listen.iter().map(|on| on.parse().unwrap()).collect();
            url(&host.parse().unwrap(), &addresses)
        };
        let some = |url: &str| Some(url.to_owned());
        assert_eq!(shown("::1", &["0.0.0.0:1"]), None);
        assert_eq!(shown("127.0.0.1", &["[::]:1"]), None);
        assert_eq!(shown("127.0.0.1", &["127.0.0.2:1"]), None);
        assert_eq!(
            shown("::1", &["0.0.0.0:1", "[::]:2"]),
            some("https://[::1]:2")
        );
        assert_eq!(
            shown("127.0.0.1", &["0.0.0.0:443"]),
            some("https://127.0.0.1")
        );
        assert_eq!(shown("a.test", &["[::]:1"]), some("https://a.test:1"));
    }

    #[test]
    fn numbers_of_system_errors_are_left_out() {
        let told = "cannot read \"a\": No such file or directory (os error 2)";
        assert_eq!(
            without_codes(told),
            "cannot read \"a\": No such file or directory"
        );
        assert_eq!(
            without_codes("a (os error 1): b (os error 2), c"),
            "a: b, c"
        );
        assert_eq!(
            without_codes("nothing to leave out (here)"),
            "nothing to leave out (here)"
        );
    }
}
