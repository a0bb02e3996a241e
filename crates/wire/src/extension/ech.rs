//! Hellos that only the front of a service can read (RFC 9849).

use crate::reader::{DecodeError, Problem, Reader, Trace};
use crate::registry::{HpkeAead, HpkeKdf, HpkeKem};
use crate::writer::{Encode, Writer};

/// What a client's hello says of an encrypted one (section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptedClientHello<'b> {
    /// In the hello that everybody sees.
    Outer {
        /// How the inner one is encrypted.
        suite: HpkeSuite,
        /// Which key it is encrypted to.
        config_id: u8,
        /// The client's public value; empty in a second hello.
        enc: &'b [u8],
        /// The inner hello, encrypted.
        payload: &'b [u8],
    },
    /// In the hello that is meant.
    Inner,
}

/// How something is encrypted to a public key (RFC 9180).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HpkeSuite {
    /// How keys are derived.
    pub kdf_id: HpkeKdf,
    /// How it is encrypted.
    pub aead_id: HpkeAead,
}

/// How to encrypt a hello to a service (section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EchConfig<'b> {
    /// The version: 0xfe0d.
    pub version: u16,
    /// What the version says.
    pub contents: EchConfigContents<'b>,
}

/// What an [`EchConfig`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EchConfigContents<'b> {
    /// Of version 0xfe0d.
    Known {
        /// Which key it is.
        config_id: u8,
        /// The kind of the key.
        kem_id: HpkeKem,
        /// The public key.
        public_key: &'b [u8],
        /// How hellos may be encrypted.
        cipher_suites: Vec<HpkeSuite>,
        /// How long the longest name may be, 0 to 255 octets.
        maximum_name_length: u8,
        /// The name that everybody may see.
        public_name: &'b [u8],
        /// Extensions, each a type and a body.
        extensions: Vec<(u16, &'b [u8])>,
    },
    /// Of another version.
    Unknown(&'b [u8]),
}

/// The version of configurations that RFC 9849 defines.
const ECH_VERSION: u16 = 0xfe0d;

const OUTER: u8 = 0;
const INNER: u8 = 1;

impl<'b> EncryptedClientHello<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        match reader.u8("type")? {
            OUTER => Ok(Self::Outer {
                suite: HpkeSuite::read(reader)?,
                config_id: reader.u8("config_id")?,
                enc: reader.opaque16("enc")?,
                payload: reader.opaque16("payload")?,
            }),
            INNER => Ok(Self::Inner),
            other => {
                let value = u64::from(other);
                Err(reader.wrong("type", Problem::Value { value }))
            }
        }
    }
}

impl Encode for EncryptedClientHello<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Outer {
                suite,
                config_id,
                enc,
                payload,
            } => {
                writer.u8(OUTER);
                suite.write(writer);
                writer.u8(*config_id);
                writer.opaque16("enc", enc);
                writer.opaque16("payload", payload);
            }
            Self::Inner => writer.u8(INNER),
        }
    }
}

impl HpkeSuite {
    fn read<T: Trace>(reader: &mut Reader<'_, T>) -> Result<Self, DecodeError> {
        reader.group("cipher_suite", |reader| {
            Ok(Self {
                kdf_id: reader.code("kdf_id")?,
                aead_id: reader.code("aead_id")?,
            })
        })
    }
}

impl Encode for HpkeSuite {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.kdf_id);
        writer.code(self.aead_id);
    }
}

impl<'b> EchConfig<'b> {
    /// The configurations that `bytes` are: what a DNS record of type HTTPS holds under `ech`.
    ///
    /// # Errors
    ///
    /// They are not exactly one list of them.
    pub fn decode_list(bytes: &'b [u8]) -> Result<Vec<Self>, DecodeError> {
        Reader::new(bytes, ()).enclosed("ech_config_list", bytes.len(), Self::read_list)
    }

    pub(super) fn read_list<T: Trace>(
        reader: &mut Reader<'b, T>,
    ) -> Result<Vec<Self>, DecodeError> {
        reader.vector16("retry_configs", |reader| {
            reader.list(|reader| reader.group("ech_config", Self::read))
        })
    }

    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let version = reader.u16("version")?;
        let contents = reader.vector16("contents", |reader| {
            if version == ECH_VERSION {
                EchConfigContents::read(reader)
            } else {
                Ok(EchConfigContents::Unknown(reader.rest("contents")))
            }
        })?;
        Ok(Self { version, contents })
    }

    pub(super) fn write_list(configs: &[Self], writer: &mut Writer) {
        writer.vector16("retry_configs", |writer| {
            for config in configs {
                writer.u16(config.version);
                writer.vector16("contents", |writer| config.contents.write(writer));
            }
        });
    }
}

impl<'b> EchConfigContents<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self::Known {
            config_id: reader.u8("config_id")?,
            kem_id: reader.code("kem_id")?,
            public_key: reader.opaque16("public_key")?,
            cipher_suites: reader
                .vector16("cipher_suites", |reader| reader.list(HpkeSuite::read))?,
            maximum_name_length: reader.u8("maximum_name_length")?,
            public_name: reader.vector8("public_name", |reader| Ok(reader.text("public_name")))?,
            extensions: reader.vector16("extensions", |reader| {
                reader.list(|reader| {
                    reader.group("extension", |reader| {
                        Ok((reader.u16("type")?, reader.opaque16("data")?))
                    })
                })
            })?,
        })
    }
}

impl Encode for EchConfigContents<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Known {
                config_id,
                kem_id,
                public_key,
                cipher_suites,
                maximum_name_length,
                public_name,
                extensions,
            } => {
                writer.u8(*config_id);
                writer.code(*kem_id);
                writer.opaque16("public_key", public_key);
                writer.vector16("cipher_suites", |writer| {
                    for suite in cipher_suites {
                        suite.write(writer);
                    }
                });
                writer.u8(*maximum_name_length);
                writer.opaque8("public_name", public_name);
                writer.vector16("extensions", |writer| {
                    for (extension_type, body) in extensions {
                        writer.u16(*extension_type);
                        writer.opaque16("data", body);
                    }
                });
            }
            Self::Unknown(contents) => writer.octets(contents),
        }
    }
}
