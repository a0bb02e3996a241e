//! Which servers a client would not come to terms with, by what its hello offers.

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::ClientHello;
use ravelin_wire::registry::{
    Authentication, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme,
};

/// A server that the client would not come to terms with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// One that speaks this version alone.
    Version(ProtocolVersion),
    /// One with an RSA certificate alone.
    RsaCertificate,
    /// One with an ECDSA certificate alone.
    EcdsaCertificate,
    /// One with an Ed25519 certificate alone.
    Ed25519Certificate,
    /// One that agrees on keys in this group alone.
    Group(NamedGroup),
    /// One that speaks TLS 1.3 with this suite alone.
    Suite(CipherSuite),
    /// One that has nothing but suites without forward secrecy, as TLS 1.2 and before allow.
    NoForwardSecrecy,
    /// One that speaks HTTP/2 alone.
    Http2,
    /// One that has to be told which of its names is meant: it answers with any certificate, or none.
    NeedsName,
}

/// The servers that there are, or were, and that this client refuses.
#[must_use]
pub fn refusals(hello: &ClientHello<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let versions = hello.versions();
    // Before there was a list, a client took what it named and all older.
    let listed = hello
        .extensions()
        .any(|extension| matches!(extension, Extension::SupportedVersions(_)));
    let speaks = |version: ProtocolVersion| {
        versions.contains(&version) || (!listed && version.0 <= hello.legacy_version.0)
    };
    for version in [
        ProtocolVersion::TLS_1_3,
        ProtocolVersion::TLS_1_2,
        ProtocolVersion::TLS_1_1,
        ProtocolVersion::TLS_1_0,
    ] {
        if !speaks(version) {
            refused.push(Refusal::Version(version));
        }
    }
    certificates(hello, &mut refused);
    if let Some(groups) = groups(hello) {
        for group in [
            NamedGroup::X25519MLKEM768,
            NamedGroup::X25519,
            NamedGroup::SECP256R1,
            NamedGroup::SECP384R1,
        ] {
            if !groups.contains(&group) {
                refused.push(Refusal::Group(group));
            }
        }
    }
    if speaks(ProtocolVersion::TLS_1_3) {
        for suite in [
            CipherSuite::TLS_AES_128_GCM_SHA256,
            CipherSuite::TLS_AES_256_GCM_SHA384,
            CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        ] {
            if !hello.cipher_suites.contains(&suite) {
                refused.push(Refusal::Suite(suite));
            }
        }
    }
    let keeps_rsa = hello
        .cipher_suites
        .iter()
        .any(|suite| suite.key_exchange() == Some(ravelin_wire::registry::KeyExchange::Rsa));
    if !keeps_rsa {
        refused.push(Refusal::NoForwardSecrecy);
    }
    let protocols = hello.extensions().find_map(|extension| match extension {
        Extension::Alpn(names) => Some(names),
        _ => None,
    });
    if !protocols.is_some_and(|names| names.contains(&&b"h2"[..])) {
        refused.push(Refusal::Http2);
    }
    if hello.server_name().is_none() {
        refused.push(Refusal::NeedsName);
    }
    refused
}

/// By the signatures that will do; or, where TLS 1.2 and before are spoken without naming any, by the suites.
fn certificates(hello: &ClientHello<'_>, refused: &mut Vec<Refusal>) {
    let schemes = hello.extensions().find_map(|extension| match extension {
        Extension::SignatureAlgorithms(list) => Some(list),
        _ => None,
    });
    let Some(schemes) = schemes else {
        let signs = |how| {
            let mut suites = hello.cipher_suites.iter();
            suites.any(|suite| suite.authentication() == Some(how))
        };
        if !signs(Authentication::Rsa) {
            refused.push(Refusal::RsaCertificate);
        }
        if !signs(Authentication::Ecdsa) {
            refused.push(Refusal::EcdsaCertificate);
        }
        refused.push(Refusal::Ed25519Certificate);
        return;
    };
    let takes = |wanted: &[SignatureScheme]| wanted.iter().any(|scheme| schemes.contains(scheme));
    if !takes(&[
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ]) {
        refused.push(Refusal::RsaCertificate);
    }
    if !takes(&[
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::ECDSA_SECP521R1_SHA512,
    ]) {
        refused.push(Refusal::EcdsaCertificate);
    }
    if !takes(&[SignatureScheme::ED25519]) {
        refused.push(Refusal::Ed25519Certificate);
    }
}

fn groups<'h>(hello: &'h ClientHello<'_>) -> Option<&'h Vec<NamedGroup>> {
    hello.extensions().find_map(|extension| match extension {
        Extension::SupportedGroups(groups) => Some(groups),
        _ => None,
    })
}
