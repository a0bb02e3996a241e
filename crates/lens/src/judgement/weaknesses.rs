//! What is weak about a connection. Each weakness is named by what goes wrong, not by a number.

use ravelin_pki::PublicKey;
use ravelin_pki::public_key::KeyType;
use ravelin_pki::signature::{AlgorithmIdentifier, Hash, SignatureAlgorithm};
use ravelin_wire::registry::{
    Authentication, Cipher, CipherSuite, CodePoint, Judgement as Rating, KeyExchange, NamedGroup,
    ProtocolVersion, SignatureScheme,
};

use super::{Link, LinkKind, QuantumSafety, View};
use crate::story::{Claim, EarlyData, Resumption, Verdict};

/// What is weak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weakness {
    /// A claim of the handshake does not hold.
    Refuted(Claim),
    /// The server says that a newer version was possible.
    Downgraded,
    /// Nothing is encrypted.
    NullCipher,
    /// Whoever is in the middle can be the server.
    Anonymous,
    /// A version that RFCs forbid or advise against.
    OldVersion(ProtocolVersion),
    /// A draft of TLS 1.3.
    DraftVersion(ProtocolVersion),
    /// Keys short enough to be found.
    ExportSuite(CipherSuite),
    /// A cipher that can be broken in practice.
    BrokenCipher(CipherSuite),
    /// Blocks of 64 bits, which repeat after some gigabytes (Sweet32, 2016).
    SmallBlocks(CipherSuite),
    /// Encryption and MAC are apart, and their order lets padding be guessed (Lucky 13, 2013).
    NoAead(CipherSuite),
    /// The suite is outdated for another reason.
    LegacySuite(CipherSuite),
    /// The secret was encrypted to the RSA key of the certificate.
    RsaTransport,
    /// The key of a certificate takes part in the key exchange.
    StaticExchange,
    /// A pre-shared key, and no key exchange beside it.
    PskAlone,
    /// The group of the key exchange is weak.
    WeakGroup(NamedGroup),
    /// Diffie-Hellman over a finite field, before TLS 1.3: the server picks the prime.
    FiniteField,
    /// The handshake was signed with a weak scheme.
    WeakSignature(SignatureScheme),
    /// The certificate has a weak key.
    WeakCertificateKey(String),
    /// The certificate was signed with a weak algorithm.
    WeakCertificateSignature(String),
    /// The main secret does not belong to this handshake alone.
    NoExtendedMainSecret,
    /// The two do not say what they negotiated before.
    NoSecureRenegotiation,
    /// Another handshake followed within the connection.
    Renegotiation,
    /// Records are compressed, and their lengths tell what they hold (CRIME, 2012).
    Compression,
    /// Data was sent early, and can be sent again by others.
    EarlyData,
    /// A heartbeat asked for more than it had (CVE-2014-0160).
    Heartbleed,
    /// What is wrong with what was sent.
    Fault,
    /// The end was cut off, or nobody said that it is one.
    Truncated,
    /// Who holds the key of the server's tickets can read the connection.
    TicketsOfTls12,
    /// Who records the key exchange can break it with a quantum computer.
    NotQuantumSafe,
    /// The host is in the clear.
    NameInClear,
}

/// How grave a weakness is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nearly all connections have it.
    Note,
    /// It helps an attacker who has something else already.
    Minor,
    /// No attack ends it today, but one that is known comes near.
    Serious,
    /// Somebody in the right place can read or change what is sent.
    Critical,
}

impl Weakness {
    /// How grave it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Refuted(_)
            | Self::Downgraded
            | Self::NullCipher
            | Self::Anonymous
            | Self::ExportSuite(_)
            | Self::BrokenCipher(_)
            | Self::Heartbleed
            | Self::Compression => Severity::Critical,
            Self::OldVersion(version) => broken_or_serious(version.judgement()),
            Self::WeakGroup(group) => broken_or_serious(group.judgement()),
            Self::WeakSignature(scheme) => broken_or_serious(scheme.judgement()),
            Self::WeakCertificateKey(_)
            | Self::WeakCertificateSignature(_)
            | Self::SmallBlocks(_)
            | Self::RsaTransport
            | Self::StaticExchange
            | Self::PskAlone
            | Self::NoExtendedMainSecret
            | Self::NoSecureRenegotiation
            | Self::Fault => Severity::Serious,
            Self::NoAead(_)
            | Self::LegacySuite(_)
            | Self::FiniteField
            | Self::EarlyData
            | Self::DraftVersion(_)
            | Self::Renegotiation
            | Self::TicketsOfTls12 => Severity::Minor,
            Self::Truncated | Self::NotQuantumSafe | Self::NameInClear => Severity::Note,
        }
    }
}

fn broken_or_serious(rating: Rating) -> Severity {
    match rating {
        Rating::Broken => Severity::Critical,
        _ => Severity::Serious,
    }
}

/// The weaknesses of a connection, the gravest first.
pub(super) fn of(view: &View<'_>, links: &[Link]) -> Vec<Weakness> {
    let mut found: Vec<Weakness> = view
        .story
        .checks
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Refuted(_)))
        .map(|check| match &check.claim {
            Claim::NoDowngrade => Weakness::Downgraded,
            claim => Weakness::Refuted(claim.clone()),
        })
        .collect();
    found.extend(of_version(view));
    found.extend(of_suite(view));
    found.extend(of_links(view, links));
    found.extend(of_course(view));
    let mut distinct: Vec<Weakness> = Vec::with_capacity(found.len());
    for weakness in found {
        if !distinct.contains(&weakness) {
            distinct.push(weakness);
        }
    }
    distinct.sort_by_key(|weakness| std::cmp::Reverse(weakness.severity()));
    distinct
}

fn of_version(view: &View<'_>) -> Vec<Weakness> {
    let agreement = view.agreement;
    let Some(version) = agreement.version else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if version.draft().is_some() {
        found.push(Weakness::DraftVersion(version));
    } else if matches!(version.judgement(), Rating::Legacy | Rating::Broken) {
        found.push(Weakness::OldVersion(version));
    }
    if !version.is_tls13() && agreement.complete.is_some() {
        if !agreement.extended_main_secret {
            found.push(Weakness::NoExtendedMainSecret);
        }
        if !agreement.secure_renegotiation {
            found.push(Weakness::NoSecureRenegotiation);
        }
        if agreement.tickets > 0 || agreement.resumption == Some(Resumption::Ticket) {
            found.push(Weakness::TicketsOfTls12);
        }
        if agreement.rekeyed != [0, 0] {
            found.push(Weakness::Renegotiation);
        }
    }
    found
}

fn of_suite(view: &View<'_>) -> Vec<Weakness> {
    let Some(suite) = view.agreement.suite else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if view.is_null() {
        found.push(Weakness::NullCipher);
    }
    if view.authentication() == Some(Authentication::Anonymous) {
        found.push(Weakness::Anonymous);
    }
    if suite.is_export() {
        found.push(Weakness::ExportSuite(suite));
    }
    match view.key_exchange_kind() {
        Some(KeyExchange::Rsa | KeyExchange::RsaPsk) => found.push(Weakness::RsaTransport),
        Some(KeyExchange::Dh | KeyExchange::Ecdh) => found.push(Weakness::StaticExchange),
        Some(KeyExchange::Psk) => found.push(Weakness::PskAlone),
        Some(KeyExchange::Dhe | KeyExchange::DhePsk) => found.push(Weakness::FiniteField),
        Some(KeyExchange::Any)
            if view.agreement.resumption
                == Some(Resumption::Psk {
                    key_exchange: false,
                }) =>
        {
            found.push(Weakness::PskAlone);
        }
        _ => {}
    }
    let small_blocks = view
        .cipher()
        .is_some_and(|cipher| cipher.is_cbc() && cipher.block_octets() == 8);
    let is_stream = matches!(
        view.cipher(),
        Some(Cipher::Rc4_40 | Cipher::Rc4_56 | Cipher::Rc4_128)
    );
    if small_blocks {
        found.push(Weakness::SmallBlocks(suite));
    } else if is_stream || (suite.judgement() == Rating::Broken && found.is_empty()) {
        found.push(Weakness::BrokenCipher(suite));
    } else if view.cipher().is_some_and(Cipher::is_cbc) && !view.agreement.encrypt_then_mac {
        found.push(Weakness::NoAead(suite));
    } else if suite.judgement() == Rating::Legacy && found.is_empty() {
        found.push(Weakness::LegacySuite(suite));
    }
    found
}

fn of_links(view: &View<'_>, links: &[Link]) -> Vec<Weakness> {
    let mut found = Vec::new();
    let is_weak = |rating| matches!(rating, Rating::Legacy | Rating::Broken);
    if let Some(group) = view
        .agreement
        .group
        .filter(|group| is_weak(group.judgement()))
    {
        found.push(Weakness::WeakGroup(group));
    }
    let scheme = view.agreement.server_signature;
    if let Some(scheme) = scheme.filter(|scheme| is_weak(scheme.judgement())) {
        found.push(Weakness::WeakSignature(scheme));
    }
    for link in links.iter().filter(|link| is_weak(link.rating)) {
        match link.kind {
            LinkKind::CertificateKey => {
                found.push(Weakness::WeakCertificateKey(link.name.clone()));
            }
            LinkKind::CertificateSignature => {
                found.push(Weakness::WeakCertificateSignature(link.name.clone()));
            }
            _ => {}
        }
    }
    if view.key_exchange() == QuantumSafety::Unsafe {
        found.push(Weakness::NotQuantumSafe);
    }
    found
}

/// What came up on the way.
fn of_course(view: &View<'_>) -> Vec<Weakness> {
    let mut found = Vec::new();
    if view.is_compressed() {
        found.push(Weakness::Compression);
    }
    if view.agreement.early_data == EarlyData::Accepted {
        found.push(Weakness::EarlyData);
    }
    if view.has_lying_heartbeat() {
        found.push(Weakness::Heartbleed);
    }
    if !view.story.faults.is_empty() {
        found.push(Weakness::Fault);
    }
    if view.was_cut() {
        found.push(Weakness::Truncated);
    }
    if view.shows_name() {
        found.push(Weakness::NameInClear);
    }
    found
}

/// What to think of the key of a certificate: RSA below 1024 bits has been factored, and below 2048 nobody
/// vouches for it any more.
pub(super) fn rate_key(key: &PublicKey) -> Rating {
    match key.key_type() {
        Some(KeyType::Rsa(bits) | KeyType::RsaPss(bits)) => match bits {
            ..1024 => Rating::Broken,
            1024..2048 => Rating::Legacy,
            _ => Rating::Recommended,
        },
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::Ed25519) => Rating::Recommended,
        Some(KeyType::EcdsaP521 | KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87) => {
            Rating::Special
        }
        None => Rating::Unknown,
    }
}

/// The identifiers of RSA with MD2 and with MD5 (RFC 3279, section 2.2.1): 1.2.840.113549.1.1.2 and .4.
const BROKEN_SIGNATURES: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x02],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04],
];

/// What to think of what a certificate is signed with. A certificate that is signed over MD5 or SHA-1 can
/// have a twin with other names (`RapidSSL`, 2008; `SHAttered`, 2017).
pub(super) fn rate_certificate_signature(algorithm: &AlgorithmIdentifier) -> Rating {
    use SignatureAlgorithm as S;
    let hash = match algorithm.signature_algorithm() {
        Some(S::RsaPkcs1(hash) | S::Ecdsa(hash)) => Some(hash),
        Some(S::RsaPss(pss)) => Some(pss.hash),
        Some(S::Ed25519) => None,
        Some(S::MlDsa44 | S::MlDsa65 | S::MlDsa87) => return Rating::Special,
        None if BROKEN_SIGNATURES.contains(&algorithm.oid.der_content()) => return Rating::Broken,
        None => return Rating::Unknown,
    };
    if hash == Some(Hash::Sha1) {
        Rating::Broken
    } else {
        Rating::Recommended
    }
}
