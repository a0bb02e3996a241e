//! The key exchange messages of TLS 1.2 and before, which the cipher suite gives their form.

use super::{Agreed, DigitallySigned};
use crate::reader::{DecodeError, Problem, Reader, Trace};
use crate::registry::{Authentication, EcCurveType, KeyExchange, NamedGroup, ProtocolVersion};
use crate::writer::{Encode, Writer};

/// The server's share (RFC 5246, section 7.4.3; RFC 8422, section 5.4; RFC 4279, section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKeyExchange<'b> {
    /// Which shared key the client should take, where suites have one.
    pub psk_identity_hint: Option<&'b [u8]>,
    /// The share.
    pub parameters: ServerParameters<'b>,
    /// The signature over both randoms and the share, where the suite has the server signed.
    pub signature: Option<DigitallySigned<'b>>,
}

/// What the server contributes to the shared secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerParameters<'b> {
    /// Nothing: the suite has a shared key alone.
    None,
    /// For Diffie-Hellman over a prime field.
    Dh(DhParameters<'b>),
    /// For Diffie-Hellman over an elliptic curve.
    Ec(EcParameters<'b>),
    /// A key of at most 512 bits, as laws on export once asked for (RFC 2246, section 7.4.3).
    Rsa {
        /// The modulus.
        modulus: &'b [u8],
        /// The exponent.
        exponent: &'b [u8],
    },
    /// For passwords (RFC 5054, section 2.8.3).
    Srp {
        /// The prime.
        n: &'b [u8],
        /// The generator.
        g: &'b [u8],
        /// The salt.
        s: &'b [u8],
        /// The server's public value.
        b: &'b [u8],
    },
    /// Whatever it is: the suite is not known, or of a kind that is not read here.
    Opaque(&'b [u8]),
}

/// A group and a public value in it (RFC 5246, section 7.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhParameters<'b> {
    /// The prime.
    pub p: &'b [u8],
    /// The generator.
    pub g: &'b [u8],
    /// The server's public value.
    pub ys: &'b [u8],
}

/// A curve and a point on it (RFC 8422, section 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcParameters<'b> {
    /// The curve.
    pub named_curve: NamedGroup,
    /// The server's public point.
    pub public: &'b [u8],
}

/// The client's share (RFC 5246, section 7.4.7; RFC 8422, section 5.7; RFC 4279, sections 2 to 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeyExchange<'b> {
    /// Which shared key the client took, where suites have one.
    pub psk_identity: Option<&'b [u8]>,
    /// The share.
    pub share: ClientShare<'b>,
}

/// What the client contributes to the shared secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientShare<'b> {
    /// Nothing: the suite has a shared key alone, or the share is in the client's certificate.
    None,
    /// The secret itself, encrypted to the server's RSA key. Whoever gets that key later can read all.
    EncryptedSecret {
        /// What is encrypted.
        encrypted: &'b [u8],
        /// Whether a length stands before it, which SSL 3.0 left out.
        has_length: bool,
    },
    /// A public value over a prime field.
    Dh(&'b [u8]),
    /// A public point.
    Ec(&'b [u8]),
    /// Whatever it is: the suite is not known, or of a kind that is not read here.
    Opaque(&'b [u8]),
}

impl<'b> ServerKeyExchange<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        use KeyExchange as Kx;
        let Some(exchange) = agreed.key_exchange() else {
            return Ok(Self::opaque(reader));
        };
        let psk_identity_hint = if exchange.has_psk() {
            Some(reader.opaque16("psk_identity_hint")?)
        } else {
            None
        };
        let parameters = match exchange {
            Kx::Psk | Kx::RsaPsk => ServerParameters::None,
            Kx::Dh | Kx::Dhe | Kx::DhePsk => ServerParameters::Dh(DhParameters::read(reader)?),
            Kx::Ecdh | Kx::Ecdhe | Kx::EcdhePsk => {
                ServerParameters::Ec(EcParameters::read(reader)?)
            }
            Kx::RsaExport => ServerParameters::Rsa {
                modulus: reader.opaque16("rsa_modulus")?,
                exponent: reader.opaque16("rsa_exponent")?,
            },
            Kx::Srp => ServerParameters::Srp {
                n: reader.opaque16("N")?,
                g: reader.opaque16("g")?,
                s: reader.opaque8("s")?,
                b: reader.opaque16("B")?,
            },
            _ => return Ok(Self::opaque(reader)),
        };
        // SRP suites without a certificate leave the signature out (RFC 5054, section 2.8.3).
        let is_unsigned = psk_identity_hint.is_some()
            || agreed.authentication() == Some(Authentication::Anonymous)
            || agreed.authentication() == Some(Authentication::Psk)
            || exchange == Kx::Srp && reader.is_empty();
        Ok(Self {
            psk_identity_hint,
            parameters,
            signature: if is_unsigned {
                None
            } else {
                Some(reader.group("signed_params", |reader| {
                    DigitallySigned::read(reader, agreed)
                })?)
            },
        })
    }

    fn opaque<T: Trace>(reader: &mut Reader<'b, T>) -> Self {
        Self {
            psk_identity_hint: None,
            parameters: ServerParameters::Opaque(reader.rest("server_key_exchange")),
            signature: None,
        }
    }
}

impl Encode for ServerKeyExchange<'_> {
    fn write(&self, writer: &mut Writer) {
        if let Some(hint) = self.psk_identity_hint {
            writer.opaque16("psk_identity_hint", hint);
        }
        self.parameters.write(writer);
        if let Some(signature) = &self.signature {
            signature.write(writer);
        }
    }
}

/// The octets that the server's signature covers after the two randoms (RFC 5246, section 7.4.3).
impl Encode for ServerParameters<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::None => {}
            Self::Dh(parameters) => {
                writer.opaque16("dh_p", parameters.p);
                writer.opaque16("dh_g", parameters.g);
                writer.opaque16("dh_Ys", parameters.ys);
            }
            Self::Ec(parameters) => {
                writer.code(EcCurveType::NAMED_CURVE);
                writer.code(parameters.named_curve);
                writer.opaque8("public", parameters.public);
            }
            Self::Rsa { modulus, exponent } => {
                writer.opaque16("rsa_modulus", modulus);
                writer.opaque16("rsa_exponent", exponent);
            }
            Self::Srp { n, g, s, b } => {
                writer.opaque16("N", n);
                writer.opaque16("g", g);
                writer.opaque8("s", s);
                writer.opaque16("B", b);
            }
            Self::Opaque(octets) => writer.octets(octets),
        }
    }
}

impl<'b> DhParameters<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        reader.group("params", |reader| {
            Ok(Self {
                p: reader.opaque16("dh_p")?,
                g: reader.opaque16("dh_g")?,
                ys: reader.opaque16("dh_Ys")?,
            })
        })
    }
}

impl<'b> EcParameters<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        reader.group("params", |reader| {
            let curve = reader.peek().first().copied().unwrap_or_default();
            if !reader.is_empty() && curve != EcCurveType::NAMED_CURVE.0 {
                // Curves spelled out were never safe to take from a peer: RFC 8422 forbids them.
                let value = u64::from(curve);
                return Err(reader.wrong("curve_type", Problem::Value { value }));
            }
            let _: EcCurveType = reader.code("curve_type")?;
            Ok(Self {
                named_curve: reader.code("namedcurve")?,
                public: reader.opaque8("public")?,
            })
        })
    }
}

impl<'b> ClientKeyExchange<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        use KeyExchange as Kx;
        let Some(exchange) = agreed.key_exchange() else {
            return Ok(Self::opaque(reader));
        };
        let psk_identity = if exchange.has_psk() {
            Some(reader.opaque16("psk_identity")?)
        } else {
            None
        };
        let share = match exchange {
            Kx::Psk => ClientShare::None,
            Kx::Dh | Kx::Dhe | Kx::Ecdh | Kx::Ecdhe if reader.is_empty() => ClientShare::None,
            Kx::Dh | Kx::Dhe | Kx::DhePsk => ClientShare::Dh(reader.opaque16("dh_Yc")?),
            Kx::Ecdh | Kx::Ecdhe | Kx::EcdhePsk => ClientShare::Ec(reader.opaque8("ecdh_Yc")?),
            Kx::Rsa | Kx::RsaExport | Kx::RsaPsk if agreed.version <= ProtocolVersion::SSL_3 => {
                ClientShare::EncryptedSecret {
                    encrypted: reader.rest("encrypted_pre_master_secret"),
                    has_length: false,
                }
            }
            Kx::Rsa | Kx::RsaExport | Kx::RsaPsk => ClientShare::EncryptedSecret {
                encrypted: reader.opaque16("encrypted_pre_master_secret")?,
                has_length: true,
            },
            Kx::Srp => ClientShare::Dh(reader.opaque16("A")?),
            _ => return Ok(Self::opaque(reader)),
        };
        Ok(Self {
            psk_identity,
            share,
        })
    }

    fn opaque<T: Trace>(reader: &mut Reader<'b, T>) -> Self {
        Self {
            psk_identity: None,
            share: ClientShare::Opaque(reader.rest("client_key_exchange")),
        }
    }
}

impl Encode for ClientKeyExchange<'_> {
    fn write(&self, writer: &mut Writer) {
        if let Some(identity) = self.psk_identity {
            writer.opaque16("psk_identity", identity);
        }
        match self.share {
            ClientShare::None => {}
            ClientShare::EncryptedSecret {
                encrypted,
                has_length: true,
            } => writer.opaque16("encrypted_pre_master_secret", encrypted),
            ClientShare::EncryptedSecret {
                encrypted: octets,
                has_length: false,
            }
            | ClientShare::Opaque(octets) => writer.octets(octets),
            ClientShare::Dh(value) => writer.opaque16("dh_Yc", value),
            ClientShare::Ec(point) => writer.opaque8("ecdh_Yc", point),
        }
    }
}
