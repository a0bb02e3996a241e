//! Whose AES-GCM encrypts records.
//!
//! All cryptography is aws-lc's, with one exception. Of AES by wide registers (VAES) it makes use together with AVX-512
//! alone. AMD's Zen 3, and what Intel makes for desks and laps since 2021, have the one without the other: there `ring`
//! encrypts records of 16 KiB twice as fast, on a Zen 3 at 6.6 GB/s in place of 3.5, which is 12 to 23 % of what a
//! tunnel costs for a GB. Keys are agreed on, derived and proven by aws-lc all the same: `ring` gets those of records.
//! QUIC's packets are short, and stay with aws-lc.
//!
//! Once aws-lc does as much with these processors (its pull request 2934 is about that), this file can go.

use std::sync::LazyLock;

use rustls::crypto::{aws_lc_rs, ring};
use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};

/// The suite, with its records by whoever is faster on this processor.
pub(super) fn fastest(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    if has_vaes_without_avx512() {
        by_ring(suite)
    } else {
        suite
    }
}

fn has_vaes_without_avx512() -> bool {
    is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("vpclmulqdq")
        && is_x86_feature_detected!("avx2")
        && !is_x86_feature_detected!("avx512f")
}

/// The suite with its records by `ring`, where it is one of AES-GCM.
fn by_ring(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    /// Made once: rustls wants them for as long as the program runs.
    static BY_RING: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
        let suites = aws_lc_rs::ALL_CIPHER_SUITES.iter();
        suites.copied().filter(is_of_aes).filter_map(twin).collect()
    });
    *BY_RING
        .iter()
        .find(|twin| **twin == suite)
        .unwrap_or(&suite)
}

fn is_of_aes(suite: &SupportedCipherSuite) -> bool {
    let name = suite.suite().as_str().unwrap_or_default();
    name.contains("_AES_")
}

fn twin(suite: SupportedCipherSuite) -> Option<SupportedCipherSuite> {
    let of_ring = ring::ALL_CIPHER_SUITES.iter();
    match (
        suite,
        *of_ring.copied().find(|twin| *twin == suite).as_ref()?,
    ) {
        (SupportedCipherSuite::Tls13(suite), SupportedCipherSuite::Tls13(records)) => {
            let twin = Tls13CipherSuite {
                common: common(&suite.common),
                hkdf_provider: suite.hkdf_provider,
                aead_alg: records.aead_alg,
                quic: suite.quic,
            };
            Some(SupportedCipherSuite::Tls13(Box::leak(Box::new(twin))))
        }
        (SupportedCipherSuite::Tls12(suite), SupportedCipherSuite::Tls12(records)) => {
            let twin = Tls12CipherSuite {
                common: common(&suite.common),
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign: suite.sign,
                aead_alg: records.aead_alg,
            };
            Some(SupportedCipherSuite::Tls12(Box::leak(Box::new(twin))))
        }
        _ => None,
    }
}

fn common(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::ops::DerefMut;
    use std::sync::Arc;
    use std::time::SystemTime;

    use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
    use rustls::{
        ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
        ServerConnection, SideData,
    };

    use super::super::{AES_FIRST, provider_with};
    use super::*;

    /// Several records, the last of them short.
    const OCTETS: usize = 40_001;

    /// Whoever encrypts at which end, the other reads it: also with the keys behind the first.
    #[test]
    fn both_libraries_write_what_the_other_reads() {
        let (roots, server) = ends();
        let mut suites = 0;
        for &by_aws_lc in AES_FIRST.iter().filter(|suite| is_of_aes(suite)) {
            let by_ring = by_ring(by_aws_lc);
            assert!(!same_records(by_ring, by_aws_lc));
            let name = by_aws_lc.suite().as_str().unwrap_or_default();
            if name.contains("_RSA_") {
                continue; // The server's key is not one of RSA, and records are the same.
            }
            suites += 1;
            for (client, server_suite) in [(by_ring, by_aws_lc), (by_aws_lc, by_ring)] {
                let mut client = client_with(client, &roots);
                let mut server = ServerConnection::new(server(server_suite)).unwrap();
                while client.is_handshaking() || server.is_handshaking() {
                    deliver(&mut client, &mut server);
                    deliver(&mut server, &mut client);
                }
                for _ in 0..2 {
                    assert_carries(&mut client, &mut server);
                    assert_carries(&mut server, &mut client);
                    if name.starts_with("TLS13") {
                        client.refresh_traffic_keys().unwrap();
                        server.refresh_traffic_keys().unwrap();
                    }
                }
            }
        }
        assert_eq!(suites, 4, "two of TLS 1.3 and two of TLS 1.2");
    }

    #[test]
    fn what_was_changed_on_its_way_is_refused() {
        let (roots, server) = ends();
        let suite = by_ring(AES_FIRST[0]);
        let mut client = client_with(suite, &roots);
        let mut server = ServerConnection::new(server(suite)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            deliver(&mut client, &mut server);
            deliver(&mut server, &mut client);
        }
        client.writer().write_all(b"ten octets").unwrap();
        let mut sent = sent_by(&mut client);
        *sent.last_mut().unwrap() ^= 1;
        server.read_tls(&mut &sent[..]).unwrap();
        let refused = server.process_new_packets().unwrap_err();
        assert_eq!(refused, rustls::Error::DecryptError);
    }

    #[test]
    fn suites_without_aes_stay_as_they_are() {
        for &suite in AES_FIRST.iter().filter(|suite| !is_of_aes(suite)) {
            assert!(same_records(by_ring(suite), suite));
        }
    }

    fn same_records(one: SupportedCipherSuite, other: SupportedCipherSuite) -> bool {
        match (one, other) {
            (SupportedCipherSuite::Tls13(one), SupportedCipherSuite::Tls13(other)) => {
                std::ptr::eq(one, other)
            }
            (SupportedCipherSuite::Tls12(one), SupportedCipherSuite::Tls12(other)) => {
                std::ptr::eq(one, other)
            }
            _ => false,
        }
    }

    /// Roots, and a server whose certificate they know.
    fn ends() -> (
        Arc<RootCertStore>,
        impl Fn(SupportedCipherSuite) -> Arc<ServerConfig>,
    ) {
        let now = SystemTime::now();
        let key = || PrivateKey::generate().unwrap();
        let root = Authority::root("root", key(), &NameConstraints::local(), now).unwrap();
        let names: Vec<HostName> = vec!["a.test".parse().unwrap()];
        let issuer = root.intermediate("issuer", key(), now).unwrap();
        let leaf = issuer.leaf(&names, now).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.certificate().der().clone()).unwrap();
        let server = move |suite| {
            let config = ServerConfig::builder_with_provider(Arc::new(provider_of(suite)))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(leaf.chain.clone(), leaf.key.clone_key())
                .unwrap();
            Arc::new(config)
        };
        (Arc::new(roots), server)
    }

    fn client_with(suite: SupportedCipherSuite, roots: &Arc<RootCertStore>) -> ClientConnection {
        let config = ClientConfig::builder_with_provider(Arc::new(provider_of(suite)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        ClientConnection::new(Arc::new(config), "a.test".try_into().unwrap()).unwrap()
    }

    /// This suite alone, with no other library for its records than its own.
    fn provider_of(suite: SupportedCipherSuite) -> rustls::crypto::CryptoProvider {
        rustls::crypto::CryptoProvider {
            cipher_suites: vec![suite],
            ..provider_with(&[suite])
        }
    }

    fn sent_by<S: SideData>(from: &mut ConnectionCommon<S>) -> Vec<u8> {
        let mut sent = Vec::new();
        while from.wants_write() {
            from.write_tls(&mut sent).unwrap();
        }
        sent
    }

    /// Hands on what waits to be sent. What was in it.
    fn deliver<A: SideData, B: SideData>(
        from: &mut impl DerefMut<Target = ConnectionCommon<A>>,
        to: &mut impl DerefMut<Target = ConnectionCommon<B>>,
    ) -> Vec<u8> {
        let sent = sent_by(from);
        let mut left = &sent[..];
        let mut came = Vec::new();
        while !left.is_empty() {
            to.read_tls(&mut left).unwrap();
            let more = to.process_new_packets().unwrap().plaintext_bytes_to_read();
            let before = came.len();
            came.resize(before + more, 0);
            to.reader().read_exact(&mut came[before..]).unwrap();
        }
        came
    }

    fn assert_carries<A: SideData, B: SideData>(
        from: &mut impl DerefMut<Target = ConnectionCommon<A>>,
        to: &mut impl DerefMut<Target = ConnectionCommon<B>>,
    ) {
        let octets: Vec<u8> = (0..OCTETS).map(|octet| (octet % 251) as u8).collect();
        from.writer().write_all(&octets).unwrap();
        assert!(deliver(from, to) == octets);
    }
}
