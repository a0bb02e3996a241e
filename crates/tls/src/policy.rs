//! What Ravelin speaks: protocol versions, cipher suites and key exchange groups.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

#[cfg(target_arch = "x86_64")]
mod aes_gcm;

/// TLS 1.3 (RFC 8446) and TLS 1.2 (RFC 5246).
pub static VERSIONS: &[&SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

pub use rustls::version::{TLS12, TLS13};

/// The groups offered and taken, best first: the post-quantum hybrid
/// (draft-ietf-tls-ecdhe-mlkem), X25519 (RFC 7748), P-256 and P-384.
pub static GROUPS: &[&dyn SupportedKxGroup] = &[
    kx_group::X25519MLKEM768,
    kx_group::X25519,
    kx_group::SECP256R1,
    kx_group::SECP384R1,
];

/// AEAD suites only, AES-128-GCM first. A server that follows a client's wish for
/// `TLS_AES_256_GCM_SHA384` spends 19 % of its handshake on SHA-384, for which x86 had no
/// instructions when SHA-256 had them, and gains nothing that an attacker could use.
pub(crate) static AES_FIRST: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// The same suites for clients that put `ChaCha20` first: they have no AES instructions.
pub(crate) static CHACHA_FIRST: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// The provider of every Ravelin connection: aws-lc-rs with the suites and groups above. Where `ring` encrypts
/// records faster, it does.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(provider_with(AES_FIRST))
}

/// The suite of this name, where it is one that is spoken here: `TLS_AES_128_GCM_SHA256` as IANA registers it, or
/// `TLS13_AES_128_GCM_SHA256` as rustls calls it.
#[must_use]
pub fn suite(name: &str) -> Option<SupportedCipherSuite> {
    let is_called = |suite: &&SupportedCipherSuite| {
        let own = suite.suite().as_str().unwrap_or_default();
        let registered = own.strip_prefix("TLS13_").unwrap_or(own);
        own == name || name.strip_prefix("TLS_") == Some(registered)
    };
    AES_FIRST.iter().find(is_called).copied()
}

/// [`provider`] with these groups in place of its own.
#[must_use]
pub fn provider_with_groups(groups: Vec<&'static dyn SupportedKxGroup>) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: groups,
        ..provider_with(AES_FIRST)
    })
}

/// The same with these suites alone, where there are any.
pub(crate) fn with_suites(
    provider: Arc<CryptoProvider>,
    suites: &[SupportedCipherSuite],
) -> Arc<CryptoProvider> {
    if suites.is_empty() {
        return provider;
    }
    Arc::new(CryptoProvider {
        cipher_suites: fastest(suites),
        ..CryptoProvider::clone(&provider)
    })
}

pub(crate) fn provider_with(suites: &[SupportedCipherSuite]) -> CryptoProvider {
    CryptoProvider {
        cipher_suites: fastest(suites),
        kx_groups: GROUPS.to_vec(),
        ..aws_lc_rs::default_provider()
    }
}

#[cfg(target_arch = "x86_64")]
fn fastest(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    suites.iter().copied().map(aes_gcm::fastest).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn fastest(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    suites.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_known_by_both_of_their_names_and_no_other() {
        for name in ["TLS_AES_128_GCM_SHA256", "TLS13_AES_128_GCM_SHA256"] {
            assert_eq!(suite(name), Some(cipher_suite::TLS13_AES_128_GCM_SHA256));
        }
        let older = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
        assert!(suite(older).is_some());
        assert!(suite(older.trim_start_matches("TLS_")).is_none());
        assert!(suite("TLS_RSA_WITH_AES_128_CBC_SHA").is_none());
    }
}
