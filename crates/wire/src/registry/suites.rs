//! What a cipher suite is made of, read from its name: key exchange, authentication, cipher, MAC and
//! hash. The suites are in `suites_table`, the lengths of what they are made of in `ciphers`.

use super::CodePoint;
use super::suites_openssl::NAMES;
use super::{Cipher, CipherSuite, Hash, Mac};

/// How a suite comes to a secret that only the two know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyExchange {
    /// The client encrypts the secret to the RSA key of the certificate.
    Rsa,
    /// The same, to an RSA key of 512 or 1024 bits that the server signs.
    RsaExport,
    /// Diffie-Hellman with the key of a certificate.
    Dh,
    /// Diffie-Hellman with a key of the moment, be it signed or anonymous.
    Dhe,
    /// Diffie-Hellman on a curve, with the key of a certificate.
    Ecdh,
    /// Diffie-Hellman on a curve with a key of the moment, be it signed or anonymous.
    Ecdhe,
    /// A key that both have (RFC 4279).
    Psk,
    /// A key that both have, and `Dhe`.
    DhePsk,
    /// A key that both have, and `Ecdhe` (RFC 5489).
    EcdhePsk,
    /// A key that both have, and `Rsa`.
    RsaPsk,
    /// A ticket of Kerberos (RFC 2712).
    Krb5,
    /// A password, by SRP (RFC 5054).
    Srp,
    /// The client encrypts the secret to the GOST key of the certificate (RFC 9189).
    Gost,
    /// A password, by Dragonfly (RFC 8492).
    EccPwd,
    /// A password, by J-PAKE on a curve.
    EcJpake,
    /// The key exchange of Fortezza cards (RFC 6101).
    Fortezza,
    /// X25519 and `NewHope` together: Google's trial of 2016.
    Cecpq1,
    /// The client encrypts the secret to the SM2 key of the certificate (GB/T 38636-2020).
    Sm2,
    /// The client encrypts the secret to the name of the server (GB/T 38636-2020).
    Ibc,
    /// Diffie-Hellman with keys of the moment between two names (GB/T 38636-2020).
    Ibsdh,
    /// What the extensions say: the suites of TLS 1.3 leave it open.
    Any,
}

/// How a suite lets the server show who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// Not at all.
    Anonymous,
    /// With an RSA key in a certificate.
    Rsa,
    /// With a DSA key in a certificate.
    Dss,
    /// With an ECDSA or `EdDSA` key in a certificate.
    Ecdsa,
    /// With a key that both have.
    Psk,
    /// With a password that both know something of.
    Password,
    /// By Kerberos.
    Krb5,
    /// With a GOST key in a certificate.
    Gost,
    /// With an SM2 key in a certificate.
    Sm2,
    /// With a key that goes with its name.
    Ibc,
    /// With a Fortezza card.
    Fortezza,
    /// What the extensions say: the suites of TLS 1.3 leave it open.
    Any,
}

impl CipherSuite {
    /// How it comes to a secret. `None` of what is no suite, and of the suite of nothing at all.
    ///
    /// An anonymous exchange is ephemeral, and `Dhe` or `Ecdhe` here.
    #[must_use]
    pub fn key_exchange(self) -> Option<KeyExchange> {
        self.parts()?
            .exchange()
            .map(|(key_exchange, _)| key_exchange)
    }

    /// How the server shows who it is. `None` as with [`key_exchange`](Self::key_exchange).
    #[must_use]
    pub fn authentication(self) -> Option<Authentication> {
        self.parts()?
            .exchange()
            .map(|(_, authentication)| authentication)
    }

    /// How it encrypts. `None` of what is no suite.
    #[must_use]
    pub fn cipher(self) -> Option<Cipher> {
        let draft = matches!(
            self,
            Self::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD
                | Self::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_OLD
                | Self::TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD
        );
        if draft {
            return Some(Cipher::ChaCha20Poly1305Old);
        }
        Cipher::named(self.parts()?.cipher)
    }

    /// Its MAC. `None` where the cipher is an AEAD, and of what is no suite.
    #[must_use]
    pub fn mac(self) -> Option<Mac> {
        if self.cipher()?.is_aead() {
            return None;
        }
        Some(match self.parts()?.hash {
            "MD5" => Mac::Md5,
            "SHA" | "SHA1" => Mac::Sha1,
            "SHA256" => Mac::Sha256,
            "SHA384" => Mac::Sha384,
            "SM3" => Mac::Sm3,
            "GOSTR3411" => Mac::GostR3411,
            "IMIT" => Mac::GostImit,
            "OMAC" if self.cipher() == Some(Cipher::MagmaCtr) => Mac::MagmaOmac,
            "OMAC" => Mac::KuznyechikOmac,
            _ => return None,
        })
    }

    /// The hash of its key derivation: HKDF in TLS 1.3, the PRF in TLS 1.2. `None` of what is no
    /// suite. Before TLS 1.2 there is no choice: MD5 and SHA-1 together, whatever the suite.
    #[must_use]
    pub fn hash(self) -> Option<Hash> {
        let parts = self.parts()?;
        Some(match (parts.exchange, parts.hash) {
            ("GOSTR341094" | "GOSTR341001", _) => Hash::GostR3411,
            ("GOSTR341112_256", _) | (_, "STREEBOG256") => Hash::Streebog256,
            (_, "SHA384") => Hash::Sha384,
            (_, "SHA512") => Hash::Sha512,
            (_, "SM3") => Hash::Sm3,
            (_, "ASCONHASH256") => Hash::AsconHash256,
            // RFC 5246 (section 5): SHA-256 unless the suite says more. So too for the suites that
            // are older than that, and for CCM, which names no hash.
            _ => Hash::Sha256,
        })
    }

    /// Whether it is one of TLS 1.3, and of no earlier version.
    #[must_use]
    pub fn is_tls13(self) -> bool {
        self.key_exchange() == Some(KeyExchange::Any)
    }

    /// Whether it is none, but says something to the server (RFC 5746, RFC 7507).
    #[must_use]
    pub fn is_signal(self) -> bool {
        self == Self::TLS_EMPTY_RENEGOTIATION_INFO_SCSV || self == Self::TLS_FALLBACK_SCSV
    }

    /// Whether what is recorded today stays secret when the long-term keys come out tomorrow. In
    /// TLS 1.3 the suite does not say: it holds unless `psk_ke` was agreed on.
    #[must_use]
    pub fn forward_secret(self) -> bool {
        self.key_exchange().is_some_and(KeyExchange::forward_secret)
    }

    /// Whether it was weakened for export from the USA. In SSL 3 and TLS 1.0, its keys and vectors
    /// come from a second derivation (RFC 2246, section 6.3.1).
    #[must_use]
    pub fn is_export(self) -> bool {
        self.parts()
            .is_some_and(|parts| parts.exchange.contains("EXPORT"))
    }

    /// What OpenSSL calls it, if it has it or had it.
    #[must_use]
    pub fn openssl_name(self) -> Option<&'static str> {
        let at = NAMES
            .binary_search_by_key(&self.0, |(code, _)| *code)
            .ok()?;
        NAMES.get(at).map(|(_, name)| *name)
    }

    /// Its name, taken apart.
    fn parts(self) -> Option<Parts> {
        if self.is_signal() {
            return None;
        }
        let name = self.assignment()?.name;
        let name = name.strip_suffix("_OLD").unwrap_or(name);
        let bare = name
            .strip_prefix("TLS_")
            .or_else(|| name.strip_prefix("SSL_"));
        let (exchange, rest) = match bare {
            // TLS_RSA_WITH_AES_128_CBC_SHA, or, of TLS 1.3, TLS_AES_128_GCM_SHA256.
            Some(bare) => bare.split_once("_WITH_").unwrap_or(("", bare)),
            // TLCP has ECC_SM4_CBC_SM3.
            None => name.split_once('_')?,
        };
        if rest.contains("_MGM_") {
            // RFC 9367: of TLS 1.3, but named like older ones.
            return Some(Parts {
                exchange: "",
                cipher: rest,
                hash: "STREEBOG256",
            });
        }
        let (cipher, hash) = match rest.rsplit_once('_') {
            Some((shorter, hash)) if Cipher::named(rest).is_none() => (shorter, hash),
            _ => (rest, ""),
        };
        Some(Parts {
            exchange,
            cipher,
            hash,
        })
    }
}

impl KeyExchange {
    /// Whether a key that both have from elsewhere is part of it (RFC 4279, RFC 5489).
    #[must_use]
    pub fn has_psk(self) -> bool {
        matches!(
            self,
            Self::Psk | Self::DhePsk | Self::EcdhePsk | Self::RsaPsk
        )
    }

    /// Whether it leaves nothing behind that keys which come out later would open.
    #[must_use]
    pub fn forward_secret(self) -> bool {
        matches!(
            self,
            Self::Dhe
                | Self::Ecdhe
                | Self::DhePsk
                | Self::EcdhePsk
                | Self::Srp
                | Self::EccPwd
                | Self::EcJpake
                | Self::Cecpq1
                | Self::Ibsdh
                | Self::Any
        )
    }
}

/// The parts of the name of a suite. Of TLS 1.3 the exchange is empty, and of CCM the hash.
struct Parts {
    exchange: &'static str,
    cipher: &'static str,
    hash: &'static str,
}

impl Parts {
    fn exchange(&self) -> Option<(KeyExchange, Authentication)> {
        Some(match self.exchange {
            "" => (KeyExchange::Any, Authentication::Any),
            "RSA" | "RSA_FIPS" | "RSA_OLDFIPS" => (KeyExchange::Rsa, Authentication::Rsa),
            "RSA_EXPORT" | "RSA_EXPORT1024" => (KeyExchange::RsaExport, Authentication::Rsa),
            "DH_DSS" | "DH_DSS_EXPORT" => (KeyExchange::Dh, Authentication::Dss),
            "DH_RSA" | "DH_RSA_EXPORT" => (KeyExchange::Dh, Authentication::Rsa),
            "DHE_DSS" | "DHE_DSS_EXPORT" | "DHE_DSS_EXPORT1024" => {
                (KeyExchange::Dhe, Authentication::Dss)
            }
            "DHE_RSA" | "DHE_RSA_EXPORT" => (KeyExchange::Dhe, Authentication::Rsa),
            "DH_anon" | "DH_anon_EXPORT" => (KeyExchange::Dhe, Authentication::Anonymous),
            "ECDH_ECDSA" => (KeyExchange::Ecdh, Authentication::Ecdsa),
            "ECDH_RSA" => (KeyExchange::Ecdh, Authentication::Rsa),
            "ECDHE_ECDSA" => (KeyExchange::Ecdhe, Authentication::Ecdsa),
            "ECDHE_RSA" => (KeyExchange::Ecdhe, Authentication::Rsa),
            "ECDH_anon" => (KeyExchange::Ecdhe, Authentication::Anonymous),
            "PSK" => (KeyExchange::Psk, Authentication::Psk),
            "DHE_PSK" | "PSK_DHE" => (KeyExchange::DhePsk, Authentication::Psk),
            "ECDHE_PSK" => (KeyExchange::EcdhePsk, Authentication::Psk),
            "RSA_PSK" => (KeyExchange::RsaPsk, Authentication::Rsa),
            "KRB5" | "KRB5_EXPORT" => (KeyExchange::Krb5, Authentication::Krb5),
            "SRP_SHA" => (KeyExchange::Srp, Authentication::Password),
            "SRP_SHA_RSA" => (KeyExchange::Srp, Authentication::Rsa),
            "SRP_SHA_DSS" => (KeyExchange::Srp, Authentication::Dss),
            "ECCPWD" => (KeyExchange::EccPwd, Authentication::Password),
            "ECJPAKE" => (KeyExchange::EcJpake, Authentication::Password),
            "GOSTR341094" | "GOSTR341001" | "GOSTR341112_256" => {
                (KeyExchange::Gost, Authentication::Gost)
            }
            "FORTEZZA_KEA" => (KeyExchange::Fortezza, Authentication::Fortezza),
            "CECPQ1_RSA" => (KeyExchange::Cecpq1, Authentication::Rsa),
            "CECPQ1_ECDSA" => (KeyExchange::Cecpq1, Authentication::Ecdsa),
            // Of TLCP, whose keys are SM2's where it does not say RSA.
            "ECDHE" => (KeyExchange::Ecdhe, Authentication::Sm2),
            "ECC" => (KeyExchange::Sm2, Authentication::Sm2),
            "IBC" => (KeyExchange::Ibc, Authentication::Ibc),
            "IBSDH" => (KeyExchange::Ibsdh, Authentication::Ibc),
            _ => return None,
        })
    }
}
