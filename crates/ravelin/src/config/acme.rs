//! A CA that is asked for certificates over ACME, from a file or from the command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ravelin_certs::acme::{ExternalAccount, Kind, LETS_ENCRYPT, Settings};
use ravelin_pki::HostName;
use zeroize::Zeroizing;

/// The CA, and how names are proved to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcmeConfig {
    pub(crate) settings: Settings,
    /// The roots of the CA's own server, where they are not the system's: files, folders, "system" or "local".
    pub(crate) ca: Vec<PathBuf>,
    /// Where challenges over plain HTTP are answered; nowhere where empty.
    pub(crate) http: Vec<SocketAddr>,
}

impl AcmeConfig {
    /// The proofs that can be given for names, best first. TLS can be looked at where it begins with the connection.
    pub(crate) fn kinds(&self, has_tls: bool) -> Vec<Kind> {
        let http = (!self.http.is_empty()).then_some(Kind::Http);
        http.into_iter()
            .chain(has_tls.then_some(Kind::TlsAlpn))
            .collect()
    }
}

/// The account that another is to be bound to, with its key from a file.
pub(crate) fn external_account_of(id: &str, key: &Path) -> Result<ExternalAccount, Wrong> {
    let shown = key.display();
    let text = std::fs::read_to_string(key)
        .map(Zeroizing::new)
        .map_err(|error| {
            (
                format!("\"{shown}\" cannot be read: {}", error.kind()),
                "name the file that has the key which the CA gave you, and nothing else".to_owned(),
            )
        })?;
    ExternalAccount::new(id, &text).map_err(|error| {
        (
            format!("\"{shown}\": {error}"),
            "copy the key anew from where the CA shows it, and nothing else".to_owned(),
        )
    })
}

/// What is wrong, and what mends it.
pub(crate) type Wrong = (String, String);

/// The address of a directory.
pub(crate) fn directory_of(text: &str) -> Result<String, Wrong> {
    let url = url::Url::parse(text).ok();
    let is_https = url.is_some_and(|url| url.scheme() == "https" && url.host().is_some());
    let is_plain = text.bytes().all(|octet| octet.is_ascii_graphic());
    if is_https && is_plain && !text.contains('#') {
        Ok(text.to_owned())
    } else {
        Err((
            format!("{text:?} is no address of an ACME directory"),
            format!(
                "write the address that the CA tells, with https://: {LETS_ENCRYPT:?} is that of Let's Encrypt"
            ),
        ))
    }
}

/// Where a CA may write to: an address of mail, with `mailto:` before it or without.
pub(crate) fn contact_of(text: &str) -> Result<String, Wrong> {
    let mailbox = text.strip_prefix("mailto:").unwrap_or(text);
    if mailbox.parse::<ravelin_pki::Mailbox>().is_ok() {
        Ok(format!("mailto:{mailbox}"))
    } else {
        Err((
            format!("{text:?} is no address that takes mail"),
            "write contact = \"ada@example.org\", or leave it out".to_owned(),
        ))
    }
}

/// That the terms of a CA have to be agreed to.
pub(crate) fn not_agreed(directory: &str, mend: &str) -> Wrong {
    let terms = if is_lets_encrypt(directory) {
        "https://letsencrypt.org/repository/".to_owned()
    } else {
        format!("what the key termsOfService in {directory} names")
    };
    (
        "nobody has agreed to the terms of service of the CA".to_owned(),
        format!("read them ({terms}), and then say so: {mend}"),
    )
}

/// Why the CA cannot sign for a name, where that is known without asking.
pub(crate) fn unsignable(host: &HostName, directory: &str) -> Option<Wrong> {
    if host.is_wildcard() {
        return Some((
            format!("`{host}` would have to be proved by DNS, which cannot be done yet"),
            "name each host, or name the files of a certificate".to_owned(),
        ));
    }
    if is_lets_encrypt(directory) && host.is_private() {
        return Some((
            format!(
                "no CA that everybody trusts signs for `{host}`, which is a name of your own network"
            ),
            "the local CA does: certificate = \"local\"; or name the directory of a CA of your own"
                .to_owned(),
        ));
    }
    None
}

fn is_lets_encrypt(directory: &str) -> bool {
    let host = url::Url::parse(directory).ok();
    let host = host.as_ref().and_then(|url| url.host_str());
    host.is_some_and(|host| host.ends_with(".letsencrypt.org"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_addresses_of_https() {
        assert!(directory_of(LETS_ENCRYPT).is_ok());
        assert!(directory_of("https://127.0.0.1:14000/dir").is_ok());
        for wrong in [
            "",
            "ca",
            "http://ca.test/dir",
            "https://",
            "https://ca.test/#a",
            "https://c a/",
        ] {
            assert!(directory_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn contacts_are_mailboxes() {
        let contact = Ok("mailto:ada@example.org".to_owned());
        assert_eq!(contact_of("ada@example.org"), contact);
        assert_eq!(contact_of("mailto:ada@example.org"), contact);
        assert!(contact_of("ada").is_err() && contact_of("tel:+1").is_err());
    }

    #[test]
    fn only_a_ca_of_ones_own_signs_for_names_of_ones_own() {
        let wrong =
            |name: &str, directory: &str| unsignable(&name.parse().unwrap(), directory).is_some();
        assert!(wrong("db.internal", LETS_ENCRYPT) && wrong("10.0.0.1", LETS_ENCRYPT));
        assert!(!wrong("db.internal", "https://ca.internal/dir"));
        assert!(!wrong("example.org", LETS_ENCRYPT));
        assert!(wrong("*.example.org", "https://ca.internal/dir"));
    }
}
