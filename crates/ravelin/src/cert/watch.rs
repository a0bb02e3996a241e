//! `ravelin cert watch`: what expires when. Dates are all that is looked at: whether a chain holds is
//! `ravelin cert verify`'s question.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ravelin_pki::Certificate;
use ravelin_pki::contents::{self, Contents, Item, Locked};

use super::show::connect;
use super::show::target::Target;
use crate::arguments::watch::CertWatchArguments;
use crate::failure::{ANSWER_IS_NO, Failure, LOCAL_FAILURE, NETWORK_FAILURE, chain};
use crate::words::watch::{Report, State, Unread, Watched};
use crate::{key, words};

mod folder;

pub(super) fn run(arguments: &CertWatchArguments) -> Result<ExitCode, Failure> {
    // All are told apart before the first is read: a mistake costs no connection.
    let targets: Vec<Target> = arguments
        .targets
        .iter()
        .map(|target| Target::read(target))
        .collect::<Result<_, _>>()?;
    let mut sources: Vec<Source> = Vec::new();
    for target in targets {
        let source = match target {
            Target::File(path) if path.is_dir() => folder::read(&path, arguments.recursive),
            Target::File(path) => file(path.as_path(), true),
            Target::Server { host, port, name } => Source::Server { host, port, name },
        };
        sources.push(source);
    }
    let now = SystemTime::now();
    let findings = ask_servers(sources);
    let report = report(findings, arguments.within.map(|span| span.0), now);
    if arguments.json {
        words::watch::json(&report)?;
    } else if arguments.prometheus {
        words::watch::prometheus(&report)?;
    } else {
        words::watch::table(&report)?;
    }
    words::watch::unread(&report);
    Ok(ExitCode::from(worst(&report)))
}

/// The highest code: a script that knows only the highest misses nothing that it can act upon, and
/// whoever is told that something could not be read has to look anyway.
fn worst(report: &Report) -> u8 {
    let due = report.watched.iter().any(|one| one.state != State::Good);
    let of_unread = report.unread.iter().map(|unread| match unread {
        Unread { notice: true, .. } => 0,
        Unread { server: true, .. } => NETWORK_FAILURE,
        Unread { .. } => LOCAL_FAILURE,
    });
    let due = if due { ANSWER_IS_NO } else { 0 };
    of_unread.chain([due]).max().unwrap_or(0)
}

/// Something that was named, or a server that is to be asked.
enum Source {
    Read(Vec<Finding>),
    Server {
        host: String,
        port: u16,
        name: String,
    },
}

/// What one file or server gave.
#[derive(Default)]
struct Finding {
    /// The file, or `host:port`.
    name: String,
    server: bool,
    /// In its order, each with its line in a file of PEM.
    certificates: Vec<(Option<usize>, Certificate)>,
    /// What could not be read.
    unread: Vec<Unread>,
}

/// What is in one file. One that was named has to hold a certificate.
fn file(path: &Path, named: bool) -> Source {
    let name = if key::is_standard(path) {
        key::shown(path)
    } else {
        plain(path)
    };
    let mut finding = Finding {
        name: name.clone(),
        ..Finding::default()
    };
    let unread = |why: String, notice| Unread {
        source: name.clone(),
        why,
        hint: None,
        server: false,
        notice,
    };
    let bytes = match key::read_file(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let failure = Failure::from(error);
            finding.unread.push(Unread {
                hint: failure.hint,
                ..unread(failure.message, false)
            });
            return Source::Read(vec![finding]);
        }
    };
    match contents::read(&bytes, &mut |_| None) {
        Ok(contents) => take(&contents, &mut finding, named),
        // Folders hold other things as well.
        Err(_) if !named => {}
        Err(error) => {
            let why = format!("there is no certificate in \"{name}\": {error}");
            finding.unread.push(Unread {
                hint: error.hint().map(str::to_owned),
                ..unread(why, false)
            });
        }
    }
    if named && finding.certificates.is_empty() && finding.unread.is_empty() {
        let why = format!("there is no certificate in \"{name}\"");
        finding.unread.push(unread(why, false));
    }
    Source::Read(vec![finding])
}

fn take(contents: &Contents, finding: &mut Finding, named: bool) {
    for found in &contents.items {
        take_item(&found.item, found.line, finding, named);
    }
}

/// Takes the certificates of something. Keys, requests and CRLs, sound or damaged, have no end that is
/// watched here.
fn take_item(item: &Item, line: Option<usize>, finding: &mut Finding, named: bool) {
    let place = match line {
        Some(line) => format!("{}:{line}", finding.name),
        None => finding.name.clone(),
    };
    let source = finding.name.clone();
    let unread = |why, hint, notice| Unread {
        source: source.clone(),
        why,
        hint,
        server: false,
        notice,
    };
    match item {
        Item::Certificate(certificate) => {
            finding.certificates.push((line, (**certificate).clone()));
        }
        Item::Bundle(items) => {
            for item in items {
                take_item(item, line, finding, named);
            }
        }
        Item::KeyStore(store) => {
            for item in store.entries.iter().flat_map(|entry| &entry.chain) {
                take_item(item, line, finding, named);
            }
        }
        Item::Locked { what, .. } if *what != Locked::Key => {
            let why = format!("\"{place}\" is passed over: it takes a passphrase");
            let hint = format!(
                "without its key it needs none: ravelin cert convert {} certificates.p7b",
                ravelin_certs::store::shell_word(Path::new(&finding.name))
            );
            // That nothing of what was named is watched must not look like all being well.
            finding.unread.push(unread(why, Some(hint), !named));
        }
        Item::Damaged { what, why, .. } if WATCHED.contains(what) => {
            let why = format!("cannot read the {what} in \"{place}\": {}", chain(&**why));
            finding.unread.push(unread(why, None, false));
        }
        _ => {}
    }
}

/// Asks servers, a number at a time, and leaves what was read as it is. The order stays.
fn ask_servers(sources: Vec<Source>) -> Vec<Finding> {
    let mut findings: Vec<Mutex<Vec<Finding>>> = Vec::with_capacity(sources.len());
    let mut servers = Vec::new();
    for source in sources {
        match source {
            Source::Read(read) => findings.push(Mutex::new(read)),
            Source::Server { host, port, name } => {
                servers.push((findings.len(), host, port, name));
                findings.push(Mutex::default());
            }
        }
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..servers.len().min(AT_ONCE) {
            scope.spawn(|| {
                while let Some((place, host, port, name)) =
                    servers.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let finding = server(host, *port, name);
                    findings[*place]
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(finding);
                }
            });
        }
    });
    findings
        .into_iter()
        .flat_map(|finding| finding.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

fn server(host: &str, port: u16, name: &str) -> Finding {
    let mut finding = Finding {
        name: name.to_owned(),
        server: true,
        ..Finding::default()
    };
    let unread = |why, hint| Unread {
        source: name.to_owned(),
        why,
        hint,
        server: true,
        notice: false,
    };
    match connect::observe(host, port) {
        Ok((_, seen)) => {
            for (index, der) in seen.chain.iter().enumerate() {
                match Certificate::from_der(der) {
                    Ok(certificate) => finding.certificates.push((None, certificate)),
                    Err(error) => {
                        let number = index + 1;
                        let why = format!(
                            "cannot read certificate number {number} of \"{name}\": {}",
                            chain(&error)
                        );
                        finding.unread.push(unread(why, None));
                    }
                }
            }
        }
        Err(failure) => finding.unread.push(unread(failure.message, failure.hint)),
    }
    finding
}

/// What was found, by its end. The same input gives the same order, whoever answers first.
fn report(findings: Vec<Finding>, within: Option<Duration>, now: SystemTime) -> Report {
    let mut report = Report {
        now,
        within,
        watched: Vec::new(),
        unread: Vec::new(),
    };
    let mut seen = HashSet::new();
    for finding in findings {
        // A file that is named, and in a folder that is too.
        if !seen.insert(finding.name.clone()) {
            continue;
        }
        let count = finding.certificates.len();
        let first = (0..count).min_by_key(|index| finding.certificates[*index].1.not_after());
        for (index, (line, certificate)) in finding.certificates.into_iter().enumerate() {
            let threshold = within.unwrap_or_else(|| usual_threshold(&certificate));
            report.watched.push(Watched {
                source: finding.name.clone(),
                server: finding.server,
                line,
                position: index + 1,
                count,
                ends_first: first == Some(index),
                threshold,
                state: State::of(&certificate, threshold, now),
                certificate,
            });
        }
        report.unread.extend(finding.unread);
    }
    // Stable: among those that end at once, what was named first comes first.
    report
        .watched
        .sort_by_key(|one| one.certificate.not_after());
    report
}

/// When somebody should look: 21 days before the end, or a third of the life where that is less. Public
/// certificates are renewed when a third is left, of 90 days or of 47: what still is not renewed then, or
/// nine days later, will not be by itself.
fn usual_threshold(certificate: &Certificate) -> Duration {
    let life = certificate
        .not_after()
        .duration_since(certificate.not_before())
        .unwrap_or_default();
    (life / 3).min(Duration::from_secs(21 * 86_400))
}

/// A path as text that is the same for no two paths: octets that are no UTF-8 are escaped.
fn plain(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}

/// What holds certificates, by the names that `contents` has for it.
const WATCHED: [&str; 5] = [
    "certificate",
    "PEM block",
    "PKCS#7 bundle",
    "PKCS#12 keystore",
    "Java keystore",
];

/// How many servers are asked at once: with ten seconds each, 1,000 that are silent take five minutes.
const AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use ravelin_pki::{PrivateKey, Template, authority};

    use super::*;

    const DAY: u64 = 86_400;

    fn living(days: u64) -> Certificate {
        let template = Template::leaf(vec!["a.test".parse().unwrap()]);
        let key = PrivateKey::generate().unwrap();
        let life = Duration::from_secs(days * DAY);
        let der =
            authority::self_signed_certificate(&template, &key, life, SystemTime::now()).unwrap();
        Certificate::from_der(&der).unwrap()
    }

    #[test]
    fn the_threshold_follows_the_life_of_what_is_short() {
        let days = |life| usual_threshold(&living(life)).as_secs() / DAY;
        assert_eq!([days(3650), days(90), days(47), days(6)], [21, 21, 15, 2]);
    }

    #[test]
    fn the_state_changes_at_the_seconds_that_it_says() {
        let certificate = living(90);
        let threshold = Duration::from_secs(21 * DAY);
        let (start, end) = (certificate.not_before(), certificate.not_after());
        let second = Duration::from_secs(1);
        let state = |at| State::of(&certificate, threshold, at);
        assert_eq!(state(start - second), State::NotYetValid);
        assert_eq!(state(start), State::Good);
        assert_eq!(state(end - threshold), State::Good);
        assert_eq!(state(end - threshold + second), State::Due);
        assert_eq!(state(end), State::Due);
        assert_eq!(state(end + second), State::Expired);
    }

    #[cfg(unix)]
    #[test]
    fn no_two_paths_have_the_same_name() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = |octets: &[u8]| plain(Path::new(std::ffi::OsStr::from_bytes(octets)));
        assert_eq!(name(b"a\xffb"), "a\\xffb");
        assert_ne!(name(b"\xfe"), name(b"\xff"));
    }
}
