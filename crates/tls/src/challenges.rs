//! What ACME servers are answered that look over TLS whether a name leads here: the challenge `tls-alpn-01` (RFC 8737).
//!
//! What is to be proved, and to whom, is the business of who asks for a certificate; here it is shown to those who ask
//! for it in the way of that RFC, and to nobody else.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ravelin_pki::HostName;
use rustls::Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ServerConfig};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::certificates::{CertificateError, Certificates};
use crate::policy;

/// The protocol of ALPN that an ACME server offers, and no other beside it (RFC 8737, section 3).
pub const ACME_TLS_ALPN: &[u8] = b"acme-tls/1";

/// The names that are to be proved now. Clones are the same: who asks for certificates writes, and all servers of a
/// process read, only when an ACME server comes.
#[derive(Clone)]
pub struct Challenges {
    answers: Arc<RwLock<HashMap<String, Arc<ServerConfig>>>>,
    /// For names of which nothing is to be proved: an alert.
    refusing: Arc<ServerConfig>,
}

impl Challenges {
    /// Nothing is to be proved yet.
    ///
    /// # Errors
    ///
    /// When rustls does not take the policy; that would be a mistake of this crate.
    pub fn new() -> Result<Self, Error> {
        let mut refusing = ServerConfig::builder_with_provider(policy::provider())
            .with_protocol_versions(policy::VERSIONS)?
            // An ACME server has no certificate to show, whatever clients have to.
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates::none()));
        refusing.alpn_protocols = vec![ACME_TLS_ALPN.to_vec()];
        // Nobody comes back to such a connection.
        refusing.session_storage = Arc::new(NoServerSessionStorage {});
        refusing.send_tls13_tickets = 0;
        Ok(Self {
            answers: Arc::default(),
            refusing: Arc::new(refusing),
        })
    }

    /// Shows this certificate to who asks whether `name` leads here.
    ///
    /// # Errors
    ///
    /// The key cannot be used for TLS. Whether it is the certificate's is for the caller to know.
    pub fn answer(
        &self,
        name: &HostName,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), CertificateError> {
        // Not as other certificates: its critical extension is one that rustls-webpki does not know, which would not
        // tell whether the key is its.
        let key = policy::provider()
            .key_provider
            .load_private_key(key)
            .map_err(CertificateError::UnusableKey)?;
        let certified = CertifiedKey::new(vec![certificate], key);
        let mut config = ServerConfig::clone(&self.refusing);
        config.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert(asked_as(name), Arc::new(config));
        Ok(())
    }

    /// Shows nothing more for `name`.
    pub fn withdraw(&self, name: &HostName) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        answers.remove(&asked_as(name));
    }

    /// How a client is answered that asks for `server_name`.
    pub(crate) fn config_for(&self, server_name: Option<&str>) -> Arc<ServerConfig> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let known = server_name.and_then(|name| answers.get(name));
        known.unwrap_or(&self.refusing).clone()
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenges")
    }
}

/// Whether it is an ACME server that looks. Clients that offer other protocols beside are none.
pub(crate) fn is_validation(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else {
        return false;
    };
    offered.next() == Some(ACME_TLS_ALPN) && offered.next().is_none()
}

/// The server name that is asked for. Addresses are asked for by their names for reverse look-ups (RFC 8738, section 6).
fn asked_as(name: &HostName) -> String {
    match name {
        HostName::Dns(name) => name.as_str().to_owned(),
        HostName::Ip(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        HostName::Ip(IpAddr::V6(address)) => {
            let octets = address.octets();
            let nibbles = octets.iter().rev();
            let nibbles = nibbles.map(|octet| format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            nibbles.collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_by_their_reverse_names() {
        let asked = |name: &str| asked_as(&name.parse().unwrap());
        assert_eq!(asked("a.Test"), "a.test");
        assert_eq!(asked("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        let v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(asked("2001:db8::1"), v6);
    }
}
