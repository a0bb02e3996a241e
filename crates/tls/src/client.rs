//! The client side of a connection that is meant: whose certificates are believed, what is shown of oneself.
//!
//! Handshakes are judged by rustls-webpki, and beside it by pins and stapled answers. Why one was refused comes
//! out of the connection as [`Refused`], with the chain as the server sent it: who tells a person about it judges
//! that anew with `ravelin_pki::Judge`, which knows all that is wrong.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ravelin_pki::ocsp::{CertificateStatus, OcspVerifyError};
use ravelin_pki::{Certificate, Fingerprint, OcspResponse, PemError, pem};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
};

use crate::carried_by;
use crate::inspect::Witness;
use crate::policy;

/// Whose certificates are believed: one rule, of which no part is left out silently.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    authorities: Authorities,
    pins: Vec<Fingerprint>,
    lists: Vec<CertificateRevocationListDer<'static>>,
}

#[derive(Debug, Clone, Default)]
enum Authorities {
    /// A path to one of these has to be there, for the name, at this time.
    Roots(Roots),
    /// No CA is asked. Without pins nobody is believed, which is the default.
    #[default]
    None,
    /// Everybody is believed.
    Everyone,
}

/// Shared: a system has more than a hundred.
type Roots = Arc<[CertificateDer<'static>]>;

impl Trust {
    /// Believes certificates with a path to one of these roots, for the name that was asked for.
    #[must_use]
    pub fn roots(roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self {
            authorities: Authorities::Roots(roots.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Asks no CA: what is believed is what [`Trust::pinned`] names, whatever name and dates its certificate has.
    #[must_use]
    pub fn pins_alone() -> Self {
        Self::default()
    }

    /// Believes everybody. Whoever is on the way can read and change all that is sent.
    #[must_use]
    pub fn everyone() -> Self {
        Self {
            authorities: Authorities::Everyone,
            ..Self::default()
        }
    }

    /// Asks besides that the server's key is one of these: SHA-256 of its `SubjectPublicKeyInfo`
    /// (RFC 7469, section 2.4).
    #[must_use]
    pub fn pinned(mut self, pins: impl IntoIterator<Item = Fingerprint>) -> Self {
        self.pins.extend(pins);
        self
    }

    /// Asks besides that one of these CRLs, which must be current, says that the server's certificate was not
    /// revoked.
    #[must_use]
    pub fn with_lists(
        mut self,
        lists: impl IntoIterator<Item = CertificateRevocationListDer<'static>>,
    ) -> Self {
        self.lists.extend(lists);
        self
    }

    /// The same roots alone: pins and CRLs are about one server, and not about a proxy on the way to it.
    #[must_use]
    pub fn without_pins(&self) -> Self {
        Self {
            authorities: self.authorities.clone(),
            ..Self::default()
        }
    }

    /// Whether everybody is believed.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        matches!(self.authorities, Authorities::Everyone)
    }

    /// How many roots there are; none where no CA is asked.
    #[must_use]
    pub fn root_count(&self) -> Option<usize> {
        match &self.authorities {
            Authorities::Roots(roots) => Some(roots.len()),
            _ => None,
        }
    }

    /// The pins.
    #[must_use]
    pub fn pins(&self) -> &[Fingerprint] {
        &self.pins
    }

    /// How many CRLs there are.
    #[must_use]
    pub fn list_count(&self) -> usize {
        self.lists.len()
    }
}

/// One's own certificates, the one of the key first, and the key: a server's, or what a client shows where it is asked.
#[derive(Debug)]
pub struct Identity {
    /// The chain.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM, which may be of one file.
    ///
    /// # Errors
    ///
    /// There is no certificate, or not exactly one key, or the key is encrypted.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, PemError> {
        Ok(Self {
            chain: pem::certificates(chain)?,
            key: pem::private_key(key)?,
        })
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

/// How a client connects, besides whom it believes.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// The versions offered; those of [`policy::VERSIONS`] where empty.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The cipher suites offered, best first; those of [`policy`] where empty. [`policy::suite`] knows them by name.
    pub suites: Vec<SupportedCipherSuite>,
    /// The protocols offered by ALPN (RFC 7301), best first; none is no ALPN.
    pub alpn: Vec<Vec<u8>>,
    /// Who the client is.
    pub identity: Option<Identity>,
    /// Who is told the secrets of the connections. Sessions are then not resumed, so that each shows all of it.
    pub witness: Option<Witness>,
}

/// The configuration of connections to servers that `trust` believes.
///
/// # Errors
///
/// The client's certificate and key do not belong together or cannot be used, or a CRL cannot be read.
pub fn config(trust: &Trust, options: ClientOptions) -> Result<Arc<ClientConfig>, Error> {
    let provider = match &options.witness {
        Some(witness) => policy::provider_with_groups(witness.groups.clone()),
        None => policy::provider(),
    };
    let provider = policy::with_suites(provider, &options.suites);
    let verifier = Arc::new(Verifier::new(trust, provider.clone())?);
    let versions = match &options.versions[..] {
        [] => policy::VERSIONS,
        some => some,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match options.identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = options.alpn;
    if let Some(witness) = &options.witness {
        config.key_log = witness.key_log.clone();
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// A server that was not believed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the server's certificate is not believed")]
pub struct Refused {
    /// The certificates, as they were sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// By which part of the rule.
    #[source]
    pub why: Refusal,
}

/// The part of the rule that a server does not satisfy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No path to a root holds.
    #[error("no path to a root holds: {0}")]
    Authorities(Error),
    /// No CA is asked, and no pin is there.
    #[error("nobody is trusted: there are neither roots nor pins")]
    Nobody,
    /// Its key is none that was pinned.
    #[error("its key, sha256/{}, is none of those that are pinned", base64(shown))]
    Pin {
        /// SHA-256 of its `SubjectPublicKeyInfo`.
        shown: Fingerprint,
    },
    /// The certificate cannot be read.
    #[error("its certificate cannot be read")]
    Unreadable,
    /// The stapled answer of its CA says that it was revoked.
    #[error("its CA says, in the answer that is stapled to it, that it was revoked")]
    Revoked,
    /// It promises a stapled answer (RFC 7633), and there is none that may be believed.
    #[error("it says that it always comes with a stapled answer of its CA, and {}", staple(why.as_ref()))]
    StapleMissing {
        /// Why the one that is there is not believed.
        why: Option<OcspVerifyError>,
    },
}

impl Refused {
    /// What is in an error of a connection, where it came to that.
    #[must_use]
    pub fn in_error(error: &Error) -> Option<&Self> {
        carried_by(error)
    }
}

/// Standard base64, as pins are written.
fn base64(fingerprint: &Fingerprint) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |value: u32| char::from(DIGITS[(value & 63) as usize]);
    let mut text = String::with_capacity(44);
    for three in fingerprint.as_bytes().chunks(3) {
        let octet = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for place in 0..4 {
            if place <= three.len() {
                text.push(digit(bits >> (18 - 6 * place)));
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn staple(why: Option<&OcspVerifyError>) -> String {
    match why {
        Some(why) => format!("the one that is there is not believed: {why}"),
        None => "there is none".to_owned(),
    }
}

struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    /// None where no CA is asked, or there is no root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    fn new(trust: &Trust, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        if let Authorities::Roots(roots) = &trust.authorities {
            // Names and keys are taken from them, and no certificate is copied.
            let borrowed = roots.iter().map(|root| CertificateDer::from(&root[..]));
            store.add_parsable_certificates(borrowed);
        }
        let webpki = if store.is_empty() {
            None
        } else {
            let mut builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone());
            if !trust.lists.is_empty() {
                builder = builder
                    .with_crls(trust.lists.clone())
                    .only_check_end_entity_revocation()
                    .enforce_revocation_expiration();
            }
            Some(
                builder
                    .build()
                    .map_err(|error| Error::General(error.to_string()))?,
            )
        };
        Ok(Self {
            trust: trust.clone(),
            provider,
            webpki,
        })
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        match &self.trust.authorities {
            Authorities::Everyone => return Ok(()),
            Authorities::None if self.trust.pins.is_empty() => return Err(Refusal::Nobody),
            Authorities::None => {}
            Authorities::Roots(_) => {
                let webpki = self.webpki.as_ref().ok_or(Refusal::Nobody)?;
                webpki
                    .verify_server_cert(leaf, others, name, staple, now)
                    .map_err(Refusal::Authorities)?;
            }
        }
        let asks_no_ca = self.webpki.is_none();
        if self.trust.pins.is_empty() && staple.is_empty() && !promises_staple(leaf) {
            return Ok(());
        }
        let leaf = Certificate::from_der(leaf).map_err(|_| Refusal::Unreadable)?;
        if !self.trust.pins.is_empty() {
            let shown = leaf.public_key().fingerprint();
            if !self.trust.pins.contains(&shown) {
                return Err(Refusal::Pin { shown });
            }
        }
        if asks_no_ca {
            return Ok(());
        }
        self.ask_staple(&leaf, others, staple, now)
    }

    /// What the CA says in the stapled answer (RFC 6066, section 8). One that cannot be believed is as good as
    /// none: whoever is on the way could have left it out.
    fn ask_staple(
        &self,
        leaf: &Certificate,
        others: &[CertificateDer<'_>],
        staple: &[u8],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let said = self.read_staple(leaf, others, staple, now);
        match said {
            Some(Ok(CertificateStatus::Revoked { .. })) => Err(Refusal::Revoked),
            Some(Ok(CertificateStatus::Good)) => Ok(()),
            Some(Err(why)) if leaf.must_staple() => Err(Refusal::StapleMissing { why: Some(why) }),
            _ if leaf.must_staple() => Err(Refusal::StapleMissing { why: None }),
            _ => Ok(()),
        }
    }

    fn read_staple(
        &self,
        leaf: &Certificate,
        others: &[CertificateDer<'_>],
        staple: &[u8],
        now: UnixTime,
    ) -> Option<Result<CertificateStatus, OcspVerifyError>> {
        let response = OcspResponse::from_der(staple).ok()?;
        let sent = others
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok());
        // A root may have signed a stapled answer by itself.
        let roots: &[CertificateDer<'_>] = match &self.trust.authorities {
            Authorities::Roots(roots) => roots,
            _ => &[],
        };
        let roots = roots
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok());
        let issuer = sent.chain(roots).find(|other| {
            leaf.issuer_name().matches(other.subject_name()) && leaf.is_signed_by(other)
        })?;
        let now: SystemTime = UNIX_EPOCH + Duration::from_secs(now.as_secs());
        Some(
            response
                .verify(leaf, &issuer, None, now)
                .map(|single| single.status),
        )
    }
}

/// Whether the octets of a certificate have the name of the extension of RFC 7633 in them: a look that spares
/// reading most.
fn promises_staple(leaf: &CertificateDer<'_>) -> bool {
    const TLS_FEATURE: [u8; 10] = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18];
    leaf.windows(TLS_FEATURE.len())
        .any(|octets| octets == TLS_FEATURE)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates, server_name, ocsp_response, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|why| {
                let chain = std::iter::once(end_entity).chain(intermediates);
                let refused = Refused {
                    chain: chain.map(|der| der.clone().into_owned()).collect(),
                    why,
                };
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use ravelin_pki::{Authority, NameConstraints, PrivateKey};

    use super::*;

    struct Made {
        root: CertificateDer<'static>,
        leaf: Certificate,
    }

    fn made() -> Made {
        let now = SystemTime::now();
        let key = PrivateKey::generate().unwrap();
        let root = Authority::root("root", key, &NameConstraints::local(), now).unwrap();
        let leaf = root.leaf(&["localhost".parse().unwrap()], now).unwrap();
        Made {
            root: root.certificate().der().clone(),
            leaf: leaf.certificate().clone(),
        }
    }

    fn judge(trust: &Trust, made: &Made, name: &'static str) -> Result<(), Refusal> {
        let verifier = Verifier::new(trust, policy::provider()).unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.judge(made.leaf.der(), &[], &name, &[], UnixTime::now())
    }

    #[test]
    fn a_server_is_believed_by_the_whole_rule_or_not_at_all() {
        let made = made();
        let other = Fingerprint::of(b"another key");
        let own = made.leaf.public_key().fingerprint();
        let roots = Trust::roots([made.root.clone()]);
        judge(&roots, &made, "localhost").unwrap();
        judge(&roots.clone().pinned([other, own]), &made, "localhost").unwrap();
        let refused = judge(&roots.clone().pinned([other]), &made, "localhost");
        assert_eq!(refused, Err(Refusal::Pin { shown: own }));
        // A pin on top of a CA takes nothing from what the CA is asked.
        let wrong_name = judge(&roots.pinned([own]), &made, "example.org");
        assert!(matches!(wrong_name, Err(Refusal::Authorities(_))));
    }

    #[test]
    fn without_a_ca_the_pin_alone_counts_and_without_either_nobody_is_believed() {
        let made = made();
        let own = made.leaf.public_key().fingerprint();
        judge(&Trust::pins_alone().pinned([own]), &made, "example.org").unwrap();
        assert_eq!(
            judge(&Trust::pins_alone(), &made, "localhost"),
            Err(Refusal::Nobody)
        );
        assert_eq!(
            judge(&Trust::roots([]), &made, "localhost"),
            Err(Refusal::Nobody)
        );
        judge(&Trust::everyone(), &made, "example.org").unwrap();
    }

    #[test]
    fn pins_are_told_as_they_are_written() {
        // RFC 4648 by way of "openssl dgst -sha256 -binary | openssl base64".
        let told = base64(&Fingerprint::of(b""));
        assert_eq!(told, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
