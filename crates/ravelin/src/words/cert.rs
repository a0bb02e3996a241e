//! What `ravelin cert` says when it has made something.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ravelin_certs::policy::{Change, Grant};
use ravelin_certs::store::shell_word;
use ravelin_pki::{Certificate, CertificateRequest, GeneralName, Oid};

use super::{BOLD, DIM, GREEN, YELLOW, result, tell, until};
use crate::failure::Failure;

/// A certificate that was made, for [`made`].
pub(crate) struct New<'n> {
    pub(crate) certificate: &'n Certificate,
    pub(crate) changes: &'n [Change],
    pub(crate) root: Option<&'n Path>,
    pub(crate) files: &'n Files,
    pub(crate) encrypted: bool,
    pub(crate) self_signed: bool,
}

/// Where it is.
pub(crate) struct Files {
    pub(crate) key: PathBuf,
    pub(crate) chain: PathBuf,
    pub(crate) p12: Option<PathBuf>,
    pub(crate) jks: Option<PathBuf>,
}

impl Files {
    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.key, &self.chain]
            .into_iter()
            .chain(&self.p12)
            .chain(&self.jks)
    }
}

/// What was made, and how to use it.
pub(crate) fn made(new: &New<'_>) {
    let certificate = new.certificate;
    let names: Vec<_> = names(certificate.alternative_names());
    say!(
        "{GREEN}made{GREEN:#}         a certificate for {}",
        names.join(", ")
    );
    say!(
        "             {}, good until {}",
        certificate.public_key().kind(),
        until(certificate.not_after())
    );
    for change in new.changes {
        changed(change);
    }
    let key = shell_word(&new.files.key);
    let chain = shell_word(&new.files.chain);
    let with = if new.self_signed {
        ""
    } else {
        ", with the intermediate's"
    };
    say!("certificate  {chain}{with}");
    let protection = if new.encrypted {
        "encrypted"
    } else {
        "for you alone to read"
    };
    say!("key          {key}, {protection}");
    for (file, what) in [
        (&new.files.p12, "PKCS#12"),
        (&new.files.jks, "Java keystore"),
    ] {
        if let Some(file) = file {
            say!("keystore     {}: both, as {what}", shell_word(file));
        }
    }
    say!("");
    let serves = certificate
        .extended_key_usage()
        .is_some_and(|p| p.contains(&Oid::SERVER_AUTH));
    let proves = certificate
        .extended_key_usage()
        .is_some_and(|p| p.contains(&Oid::CLIENT_AUTH));
    if serves {
        how_to_serve(new.files);
    }
    if proves {
        how_to_connect(new.files);
    }
    if serves && let Some(host) = certificate.names().iter().find(|name| !name.is_wildcard()) {
        let trusted = if new.self_signed {
            chain.clone()
        } else {
            new.root.map_or_else(String::new, shell_word)
        };
        let host = match host {
            ravelin_pki::HostName::Ip(std::net::IpAddr::V6(ip)) => format!("[{ip}]"),
            other => other.to_string(),
        };
        say!("{DIM}curl{DIM:#}         curl --cacert {trusted} https://{host}");
    }
}

fn how_to_serve(files: &Files) {
    let (chain, key) = (shell_word(&files.chain), shell_word(&files.key));
    say!("{DIM}nginx{DIM:#}        ssl_certificate {chain};");
    say!("             ssl_certificate_key {key};");
    say!("{DIM}Python{DIM:#}       context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)");
    let (chain, key) = (python_string(&files.chain), python_string(&files.key));
    say!("             context.load_cert_chain({chain}, {key})");
}

fn how_to_connect(files: &Files) {
    let (chain, key) = (shell_word(&files.chain), shell_word(&files.key));
    say!("{DIM}curl{DIM:#}         curl --cert {chain} --key {key} https://…");
    let (chain, key) = (python_string(&files.chain), python_string(&files.key));
    say!("{DIM}Python{DIM:#}       requests.get(\"https://…\", cert=({chain}, {key}))");
}

/// A path as a literal of Python, which reads what JSON escapes as JSON does.
fn python_string(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

/// Something that is given otherwise than it was asked for.
pub(crate) fn changed(change: &Change) {
    say!(
        "{YELLOW}changed{YELLOW:#}      {}: {} instead of {}, as {}",
        change.field,
        change.given,
        change.asked,
        change.why
    );
}

/// A request that was made, and what to do with it.
pub(crate) fn requested(request: &CertificateRequest, file: &Path, key: Option<&Path>) {
    let names = names(request.alternative_names());
    say!(
        "{GREEN}made{GREEN:#}         a request for {}, {}",
        names.join(", "),
        request.public_key().kind()
    );
    say!("request      {}: send it to your CA", shell_word(file));
    if let Some(key) = key {
        say!(
            "key          {}, for you alone to read: keep it",
            shell_word(key)
        );
    }
}

/// What is asked for, and what is given: the result of `ravelin cert sign`.
pub(crate) fn to_sign(request: &CertificateRequest, grant: &Grant) -> Result<(), Failure> {
    let given = &grant.template;
    let changed = |field: &str| grant.changes.iter().find(|change| change.field == field);
    let mut rows = vec![["", "asked", "given"].map(str::to_owned)];
    let mut row = |field: &'static str, shown: &str, asked: String, kept: String| {
        let (asked, kept) = match changed(field) {
            Some(change) => (change.asked.clone(), change.given.clone()),
            None => (asked, kept),
        };
        rows.push([shown.to_owned(), asked, kept]);
    };
    let asked_names = names(request.alternative_names()).join(", ");
    row(
        "names",
        "names",
        asked_names,
        names(&given.names).join(", "),
    );
    row(
        "subject",
        "subject",
        dash(request.subject().to_string()),
        dash(given.subject.to_string()),
    );
    let purposes = |oids: &[Oid]| {
        oids.iter()
            .map(Oid::name_or_dots)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let asked = dash(
        request
            .extended_key_usage()
            .map(purposes)
            .unwrap_or_default(),
    );
    row("purposes", "purposes", asked, purposes(&given.purposes));
    row(
        "key",
        "key",
        request.public_key().kind(),
        request.public_key().kind(),
    );
    let days = format!("{} days", grant.life.as_secs() / 86_400);
    row("lifetime", "lifetime", "—".to_owned(), days);
    for change in grant
        .changes
        .iter()
        .filter(|change| matches!(change.field, "extension" | "key usage"))
    {
        rows.push([
            change.field.to_owned(),
            change.asked.clone(),
            change.given.clone(),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
            .min(48)
    };
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for (index, [field, asked, given]) in rows.iter().enumerate() {
        let line = format!("{field:<first$}  {asked:<second$}  {given}");
        let line = line.trim_end();
        if index == 0 {
            let _ = writeln!(text, "{BOLD}{line}{BOLD:#}");
        } else if asked == given || asked == "—" {
            let _ = writeln!(text, "{line}");
        } else {
            let _ = writeln!(text, "{YELLOW}{line}{YELLOW:#}");
        }
    }
    for change in &grant.changes {
        let _ = writeln!(text, "{DIM}{:<first$}  {}{DIM:#}", change.field, change.why);
    }
    result(&text)
}

pub(crate) fn signed(certificate: &Certificate, file: &Path) {
    say!(
        "{GREEN}signed{GREEN:#}       {}, with the intermediate's, good until {}",
        shell_word(file),
        until(certificate.not_after())
    );
}

/// A file in another format.
pub(crate) fn converted(file: &Path, what: &str, private: bool) {
    let protection = if private {
        ", for you alone to read"
    } else {
        ""
    };
    say!(
        "{GREEN}wrote{GREEN:#}        {}: {what}{protection}",
        shell_word(file)
    );
}

fn names(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn dash(text: String) -> String {
    if text.is_empty() {
        "—".to_owned()
    } else {
        text
    }
}
