//! Certificates with any defect, written field by field: what no issuer should make.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use ravelin_pki::der::{Tag, Writer};
use ravelin_pki::extension::{AuthorityKeyIdentifier, BasicConstraints};
use ravelin_pki::{
    DistinguishedName, Extension, ExtensionValue, GeneralName, KeyType, KeyUsage, Oid, PrivateKey,
    PublicKey, Signer, pem,
};

use crate::openssl::Openssl;

/// The host that every chain is for.
pub(crate) const HOST: &str = "www.example.com";

/// A certificate that is still to be signed: every field as it will stand there.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) version: u64,
    pub(crate) serial: Vec<u8>,
    /// The `AlgorithmIdentifier` within what is signed, and the one outside.
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    pub(crate) issuer: DistinguishedName,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    /// Whether times are written as `GeneralizedTime`, whatever the year.
    pub(crate) generalized: bool,
    pub(crate) subject: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) unique_identifier: bool,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) signer: ForgeKey,
}

/// What signs a draft.
#[derive(Clone)]
pub(crate) enum ForgeKey {
    Ours(&'static PrivateKey),
    /// A private key in PEM and a hash that openssl signs with: what we refuse to make.
    Openssl(String, &'static str),
}

/// A root, an intermediate and a leaf.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) root: Draft,
    pub(crate) intermediate: Draft,
    pub(crate) leaf: Draft,
    /// The leaf's private key, where there is one.
    pub(crate) leaf_key: Option<String>,
}

/// The three in DER.
pub(crate) struct Signed {
    pub(crate) root: Vec<u8>,
    pub(crate) intermediate: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
    pub(crate) leaf_key: Option<String>,
}

pub(crate) static ROOT_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate().unwrap());
pub(crate) static INTERMEDIATE_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate().unwrap());
pub(crate) static LEAF_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate().unwrap());

pub(crate) const ECDSA_SHA256: [u8; 12] = *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
pub(crate) const ECDSA_SHA384: [u8; 12] = *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
pub(crate) const ECDSA_SHA1: [u8; 11] = *b"\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01";
pub(crate) const RSA_MD5: [u8; 15] =
    *b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00";
pub(crate) const RSA_SHA256_NO_NULL: [u8; 13] =
    *b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
pub(crate) const RSA_SHA256: [u8; 15] =
    *b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";

/// The same for all, so that all chains have one root but those whose root is spoilt.
pub(crate) static NOW: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Each intermediate has a name of its own, so that no consumer takes one that it remembers for another.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A chain without a defect, valid now.
pub(crate) fn good() -> Chain {
    let now = *NOW;
    let root_name = name(&[
        (Oid::ORGANIZATION, "Forge"),
        (Oid::COMMON_NAME, "Forge root"),
    ]);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let common_name = format!("Forge intermediate {number}");
    let intermediate_name = name(&[
        (Oid::ORGANIZATION, "Forge"),
        (Oid::COMMON_NAME, &common_name),
    ]);
    let draft =
        |serial: u8, issuer: &DistinguishedName, subject: &DistinguishedName, key, days| Draft {
            version: 2,
            serial: [&[0x41, serial][..], b"fourteen bytes"].concat(),
            inner_algorithm: ECDSA_SHA256.to_vec(),
            outer_algorithm: ECDSA_SHA256.to_vec(),
            issuer: issuer.clone(),
            not_before: now - Duration::from_secs(3600),
            not_after: now + DAY * days,
            generalized: false,
            subject: subject.der().to_vec(),
            key: PublicKey::der(key).to_vec(),
            unique_identifier: false,
            extensions: Vec::new(),
            signer: ForgeKey::Ours(&ROOT_KEY),
        };
    let mut root = draft(1, &root_name, &root_name, ROOT_KEY.public_key(), 3650);
    root.extensions = vec![
        basic_constraints(true, true, None),
        key_usage(true, KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN)),
        subject_key(&ROOT_KEY),
    ];
    let mut intermediate = draft(
        2,
        &root_name,
        &intermediate_name,
        INTERMEDIATE_KEY.public_key(),
        1800,
    );
    intermediate.extensions = vec![
        basic_constraints(true, true, Some(0)),
        key_usage(true, KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN)),
        extended_key_usage(&[Oid::SERVER_AUTH]),
        subject_key(&INTERMEDIATE_KEY),
        authority_key(&ROOT_KEY),
    ];
    let empty = name(&[]);
    let mut leaf = draft(3, &intermediate_name, &empty, LEAF_KEY.public_key(), 90);
    leaf.signer = ForgeKey::Ours(&INTERMEDIATE_KEY);
    leaf.extensions = vec![
        basic_constraints(true, false, None),
        key_usage(true, KeyUsage::DIGITAL_SIGNATURE),
        extended_key_usage(&[Oid::SERVER_AUTH]),
        alternative_names(true, vec![GeneralName::Dns(HOST.to_owned())]),
        subject_key(&LEAF_KEY),
        authority_key(&INTERMEDIATE_KEY),
    ];
    Chain {
        root,
        intermediate,
        leaf,
        leaf_key: Some(LEAF_KEY.to_pem().unwrap()),
    }
}

impl Chain {
    pub(crate) fn sign(&self) -> Signed {
        Signed {
            root: self.root.sign(),
            intermediate: self.intermediate.sign(),
            leaf: self.leaf.sign(),
            leaf_key: self.leaf_key.clone(),
        }
    }

    /// Gives the leaf another key.
    pub(crate) fn leaf_of(&mut self, kind: KeyType) {
        let key = PrivateKey::generate_of(kind).unwrap();
        self.leaf.key = key.public_key().der().to_vec();
        self.leaf_key = Some(key.to_pem().unwrap());
    }

    /// Gives the leaf a key that openssl makes.
    pub(crate) fn leaf_by_openssl(&mut self, generate: &str) {
        let (private, public) = openssl_key(generate);
        self.leaf.key = public;
        self.leaf_key = Some(private);
    }
}

impl Signed {
    pub(crate) fn all(&self) -> [&[u8]; 3] {
        [&self.leaf, &self.intermediate, &self.root]
    }
}

impl Draft {
    pub(crate) fn without(&mut self, oid: &Oid) {
        let before = self.extensions.len();
        self.extensions.retain(|extension| extension.oid != *oid);
        assert!(self.extensions.len() < before, "there was no {oid}");
    }

    /// Puts an extension in the place of the one of its kind, or at the end.
    pub(crate) fn with(&mut self, extension: Extension) {
        match self
            .extensions
            .iter_mut()
            .find(|other| other.oid == extension.oid)
        {
            Some(other) => *other = extension,
            None => self.extensions.push(extension),
        }
    }

    pub(crate) fn critical(&mut self, oid: &Oid, critical: bool) {
        let found = self
            .extensions
            .iter_mut()
            .find(|extension| extension.oid == *oid);
        found.unwrap().critical = critical;
    }

    pub(crate) fn named(&mut self, attributes: &[(Oid, &str)]) {
        self.subject = name(attributes).der().to_vec();
    }

    pub(crate) fn to_be_signed(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|w| {
            if self.version > 0 {
                w.constructed(Tag::context_constructed(0), |w| w.unsigned(self.version));
            }
            w.primitive(Tag::INTEGER, &self.serial);
            w.raw(&self.inner_algorithm);
            w.raw(self.issuer.der());
            w.sequence(|w| {
                for time in [self.not_before, self.not_after] {
                    if self.generalized {
                        w.generalized_time(time);
                    } else {
                        w.time(time);
                    }
                }
            });
            w.raw(&self.subject);
            w.raw(&self.key);
            if self.unique_identifier {
                w.primitive(Tag::context(2), &[0, 1]);
            }
            if !self.extensions.is_empty() {
                w.constructed(Tag::context_constructed(3), |w| {
                    w.sequence(|w| {
                        self.extensions
                            .iter()
                            .for_each(|extension| write(w, extension));
                    });
                });
            }
        });
        writer.into_bytes()
    }

    pub(crate) fn sign(&self) -> Vec<u8> {
        let tbs = self.to_be_signed();
        let signature = match &self.signer {
            ForgeKey::Ours(key) => key.sign(&tbs).unwrap(),
            ForgeKey::Openssl(private, hash) => {
                let openssl = Openssl::new();
                openssl.write("key.pem", private);
                openssl.write("tbs", &tbs);
                openssl
                    .run(&format!("dgst -{hash} -sign key.pem -out signature tbs"))
                    .unwrap();
                openssl.read("signature")
            }
        };
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.raw(&tbs);
            w.raw(&self.outer_algorithm);
            w.octet_bits(&signature);
        });
        writer.into_bytes()
    }
}

fn write(w: &mut Writer, extension: &Extension) {
    w.sequence(|w| {
        w.oid(&extension.oid);
        if extension.critical {
            w.boolean(true);
        }
        w.octet_string(&extension.der);
    });
}

/// A key that openssl makes: private in PEM, public in DER.
pub(crate) fn openssl_key(generate: &str) -> (String, Vec<u8>) {
    let openssl = Openssl::new();
    openssl
        .run(&format!("genpkey {generate} -out key.pem"))
        .unwrap();
    openssl
        .run("pkey -in key.pem -pubout -outform DER -out public.der")
        .unwrap();
    let private = String::from_utf8(openssl.read("key.pem")).unwrap();
    (private, openssl.read("public.der"))
}

pub(crate) fn name(attributes: &[(Oid, &str)]) -> DistinguishedName {
    DistinguishedName::of(attributes)
}

/// A name of one attribute whose value is of a type and octets of one's choice.
pub(crate) fn raw_name(kind: &Oid, tag: Tag, value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.constructed(Tag::SET, |w| {
            w.sequence(|w| {
                w.oid(kind);
                w.primitive(tag, value);
            });
        });
    });
    writer.into_bytes()
}

pub(crate) fn raw(oid: Oid, critical: bool, der: &[u8]) -> Extension {
    let value = ExtensionValue::Unread;
    Extension {
        oid,
        critical,
        der: der.to_vec(),
        value,
    }
}

pub(crate) fn basic_constraints(critical: bool, ca: bool, path_length: Option<u32>) -> Extension {
    let value = ExtensionValue::BasicConstraints(BasicConstraints { ca, path_length });
    Extension::of(Oid::BASIC_CONSTRAINTS, critical, value)
}

pub(crate) fn key_usage(critical: bool, usage: KeyUsage) -> Extension {
    Extension::of(Oid::KEY_USAGE, critical, ExtensionValue::KeyUsage(usage))
}

pub(crate) fn extended_key_usage(purposes: &[Oid]) -> Extension {
    let value = ExtensionValue::ExtendedKeyUsage(purposes.to_vec());
    Extension::of(Oid::EXTENDED_KEY_USAGE, false, value)
}

pub(crate) fn alternative_names(critical: bool, names: Vec<GeneralName>) -> Extension {
    Extension::of(
        Oid::SUBJECT_ALT_NAME,
        critical,
        ExtensionValue::SubjectAltName(names),
    )
}

fn key_id(key: &PrivateKey) -> Vec<u8> {
    key.public_key().fingerprint().as_bytes()[..20].to_vec()
}

fn subject_key(key: &PrivateKey) -> Extension {
    let value = ExtensionValue::SubjectKeyIdentifier(key_id(key));
    Extension::of(Oid::SUBJECT_KEY_IDENTIFIER, false, value)
}

pub(crate) fn authority_key(key: &PrivateKey) -> Extension {
    let value = ExtensionValue::AuthorityKeyIdentifier(AuthorityKeyIdentifier {
        key_identifier: Some(key_id(key)),
        ..AuthorityKeyIdentifier::default()
    });
    Extension::of(Oid::AUTHORITY_KEY_IDENTIFIER, false, value)
}

pub(crate) fn to_pem(der: &[u8]) -> String {
    pem::encode("CERTIFICATE", der)
}
