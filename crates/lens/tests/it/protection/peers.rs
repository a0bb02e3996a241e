//! Every record of connections of openssl and gnutls, with each cipher that they have.

use ravelin_lens::digest::{Hash, Octets, Prf};
use ravelin_lens::protection::{Keys, Opened, Protection};
use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{Agreed, Handshake, ServerHello};
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{Cipher, ContentType, ExtensionType, Mac, ProtocolVersion};

use crate::peers::{Connection, REQUEST, Server};
use crate::rfc8448::octets;

const ALL_OPENSSL: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

#[test]
fn all_ciphers_of_tls12_of_openssl_open() {
    let server = Server::openssl(&["rsa:2048"], &["-cipher", ALL_OPENSSL]);
    let mut seen = Vec::new();
    for cipher in [
        "AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "AES128-CCM",
        "AES256-CCM",
        "AES128-CCM8",
        "AES256-CCM8",
        "ARIA128-GCM-SHA256",
        "ECDHE-ARIA256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA256",
        "ECDHE-RSA-AES256-SHA384",
        "CAMELLIA128-SHA",
        "CAMELLIA256-SHA256",
        "ECDHE-RSA-CAMELLIA256-SHA384",
        "NULL-MD5",
        "NULL-SHA",
        "NULL-SHA256",
    ] {
        let only = format!("{cipher}:@SECLEVEL=0");
        let connection = server.openssl_client(&["-tls1_2", "-cipher", &only]);
        seen.push(opens(&connection, ProtocolVersion::TLS_1_2));
        if seen.last().is_some_and(|what| what.cipher.is_cbc()) {
            let options = ["-tls1_2", "-no_etm", "-cipher", &only];
            seen.push(opens(
                &server.openssl_client(&options),
                ProtocolVersion::TLS_1_2,
            ));
        }
    }
    assert!(seen.contains(&What {
        cipher: Cipher::Aes256Ccm8,
        mac: None,
        encrypt_then_mac: false,
    }));
    for encrypt_then_mac in [false, true] {
        assert!(seen.contains(&What {
            cipher: Cipher::Aes256Cbc,
            mac: Some(Mac::Sha384),
            encrypt_then_mac,
        }));
    }
}

#[test]
fn all_ciphers_of_tls13_of_openssl_open() {
    let suites = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ];
    let server = Server::openssl(&["rsa:2048"], &["-ciphersuites", &suites.join(":")]);
    for suite in suites {
        for padding in ["0", "512"] {
            let options = [
                "-tls1_3",
                "-ciphersuites",
                suite,
                "-record_padding",
                padding,
            ];
            opens(&server.openssl_client(&options), ProtocolVersion::TLS_1_3);
        }
    }
}

#[test]
fn cbc_of_tls10_and_tls11_of_openssl_opens() {
    let server = Server::openssl(
        &["rsa:2048"],
        &["-cipher", ALL_OPENSSL, "-min_protocol", "TLSv1"],
    );
    for (option, version) in [
        ("-tls1", ProtocolVersion::TLS_1_0),
        ("-tls1_1", ProtocolVersion::TLS_1_1),
    ] {
        for cipher in ["AES128-SHA", "CAMELLIA256-SHA"] {
            let only = format!("{cipher}:@SECLEVEL=0");
            for more in [&[][..], &["-no_etm"]] {
                let options = [&[option, "-cipher", &only], more].concat();
                opens(&server.openssl_client(&options), version);
            }
        }
    }
}

/// RC4, 3DES and Camellia in GCM, which Debian's openssl lacks.
#[test]
fn ciphers_of_gnutls_open() {
    let all = "LEGACY:%UNSAFE_RENEGOTIATION:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:+ARCFOUR-128:+MD5:\
               +CAMELLIA-128-GCM:+CAMELLIA-256-GCM:+AES-256-CCM-8:+RSA:+NULL";
    let server = Server::gnutls(all);
    let mut seen = Vec::new();
    for (cipher, version, more) in [
        ("ARCFOUR-128:+SHA1", "1.0", ""),
        ("ARCFOUR-128:+MD5", "1.1", ""),
        ("ARCFOUR-128:+SHA1", "1.2", ""),
        ("3DES-CBC:+SHA1", "1.0", ""),
        ("3DES-CBC:+SHA1", "1.1", ":%NO_ETM"),
        ("3DES-CBC:+SHA1", "1.2", ""),
        ("AES-256-CBC:+SHA1", "1.0", ":%NO_ETM"),
        ("CAMELLIA-128-GCM:+AEAD", "1.2", ""),
        ("CAMELLIA-256-GCM:+AEAD", "1.2", ""),
        ("AES-256-CCM-8:+AEAD", "1.2", ""),
        ("CHACHA20-POLY1305:+AEAD", "1.2", ""),
        ("NULL:+SHA1", "1.2", ""),
    ] {
        let priorities = format!(
            "NONE:+VERS-TLS{version}:+RSA:+ECDHE-RSA:+GROUP-ALL:+SIGN-ALL:+COMP-NULL:\
             %UNSAFE_RENEGOTIATION:%VERIFY_ALLOW_BROKEN:+{cipher}{more}"
        );
        let minor = version.as_bytes()[2] - b'0';
        let version = ProtocolVersion(0x301 + u16::from(minor));
        seen.push(opens(&server.gnutls_client(&priorities), version).cipher);
    }
    for cipher in [
        Cipher::Rc4_128,
        Cipher::TripleDesEdeCbc,
        Cipher::Camellia128Gcm,
        Cipher::Camellia256Gcm,
        Cipher::Null,
    ] {
        assert!(seen.contains(&cipher), "{cipher:?}");
    }
}

/// How a connection was protected.
#[derive(Debug, PartialEq, Eq)]
struct What {
    cipher: Cipher,
    mac: Option<Mac>,
    encrypt_then_mac: bool,
}

/// Opens all that is encrypted in a connection, which has to hold the request and its answer.
fn opens(connection: &Connection, version: ProtocolVersion) -> What {
    let hellos = Hellos::read(connection);
    assert_eq!(hellos.server().version(), version);
    let (requests, answers) = if version.is_tls13() {
        let side = |stream, side| open_tls13(stream, &hellos, connection, side);
        (
            side(&connection.client, "CLIENT"),
            side(&connection.server, "SERVER"),
        )
    } else {
        let [client, server] = hellos.tls12_keys(connection);
        (
            open_tls12(&connection.client, client),
            open_tls12(&connection.server, server),
        )
    };
    let suite = hellos.server().cipher_suite;
    assert_eq!(String::from_utf8_lossy(&requests), REQUEST, "{suite}");
    let answers = String::from_utf8_lossy(&answers);
    assert!(answers.starts_with("HTTP/1.0 200"), "{suite}: {answers}");
    What {
        cipher: suite.cipher().unwrap(),
        mac: suite.mac(),
        encrypt_then_mac: hellos.encrypt_then_mac(),
    }
}

/// Opens what one side sent after it changed ciphers: its Finished first, then its data.
fn open_tls12(stream: &[u8], mut keys: Protection) -> Vec<u8> {
    let mut records = records(stream)
        .into_iter()
        .skip_while(|record| record.content_type != ContentType::CHANGE_CIPHER_SPEC)
        .skip(1);
    let finished = open(&mut keys, &records.next().unwrap());
    assert_eq!(finished.content_type, ContentType::HANDSHAKE);
    assert_eq!(finished.content[..4], [20, 0, 0, 12]);
    assert_eq!(finished.content.len(), 16);
    records
        .map(|record| open(&mut keys, &record))
        .filter(|opened| opened.content_type == ContentType::APPLICATION_DATA)
        .flat_map(|opened| opened.content.to_vec())
        .collect()
}

/// Opens what one side sent: up to its Finished with the keys of the handshake, then with those of data.
fn open_tls13(stream: &[u8], hellos: &Hellos, connection: &Connection, side: &str) -> Vec<u8> {
    let keys = |label| hellos.tls13_keys(connection, &format!("{side}_{label}"));
    let mut keys_of_data = keys("TRAFFIC_SECRET_0");
    let mut keys = keys("HANDSHAKE_TRAFFIC_SECRET");
    let mut finished = false;
    let mut data = Vec::new();
    for record in records(stream) {
        if record.content_type != ContentType::APPLICATION_DATA {
            continue;
        }
        let opened = open(&mut keys, &record);
        if opened.content_type == ContentType::APPLICATION_DATA {
            assert!(finished, "data with the keys of the handshake");
            data.extend_from_slice(&opened.content);
        }
        let hash = hellos.hash().octets();
        let end = opened.content.len().checked_sub(hash + 4);
        let last = end.and_then(|end| opened.content.get(end..end + 4));
        if !finished && last == Some(&[20, 0, 0, hash as u8]) {
            finished = true;
            std::mem::swap(&mut keys, &mut keys_of_data);
        }
    }
    data
}

/// Opens a record, after one octet of it was changed and it did not.
fn open(keys: &mut Protection, record: &Record<'_>) -> Opened {
    for at in [0, record.fragment.len() / 2, record.fragment.len() - 1] {
        let mut fragment = record.fragment.to_vec();
        fragment[at] ^= 0x40;
        let fragment = &fragment;
        let changed = Record {
            fragment,
            ..*record
        };
        assert!(keys.open(&changed).is_err(), "octet {at}");
    }
    match keys.open(record) {
        Ok(opened) => opened,
        Err(error) => panic!("{keys:?}: {error}, {record:?}"),
    }
}

/// The hellos, header and all.
struct Hellos {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Hellos {
    fn read(connection: &Connection) -> Self {
        let first = |stream| {
            let fragment = records(stream)[0].fragment;
            let length = usize::from(u16::from_be_bytes([fragment[2], fragment[3]]));
            fragment[..4 + length].to_vec()
        };
        Self {
            client: first(&connection.client),
            server: first(&connection.server),
        }
    }

    fn client_random(&self) -> &[u8] {
        &self.client[6..38]
    }

    fn server(&self) -> ServerHello<'_> {
        match Handshake::decode(&self.server, Agreed::default()) {
            Ok(Handshake::ServerHello(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    fn encrypt_then_mac(&self) -> bool {
        let hello = self.server();
        hello
            .extensions()
            .any(|extension| *extension == Extension::Present(ExtensionType::ENCRYPT_THEN_MAC))
    }

    fn hash(&self) -> Hash {
        Hash::of(self.server().cipher_suite.hash().unwrap()).unwrap()
    }

    /// The secret that the client logged of this connection.
    fn logged(&self, connection: &Connection, label: &str) -> Octets {
        let random = octets_of(self.client_random());
        let start = format!("{label} {random} ");
        let log = &connection.key_log;
        let line = log.lines().find_map(|line| line.strip_prefix(&start));
        octets(line.unwrap_or_else(|| panic!("no {label} in {log}")))
    }

    fn tls13_keys(&self, connection: &Connection, label: &str) -> Protection {
        let secret = self.logged(connection, label);
        let suite = self.server().cipher_suite;
        let key_octets = suite.cipher().unwrap().key_octets();
        let key = self.hash().expand_label(&secret, "key", &[], key_octets);
        let iv = self.hash().expand_label(&secret, "iv", &[], 12);
        Protection::tls13(suite, &key, &iv).unwrap()
    }

    /// The keys of both sides (RFC 5246, section 6.3).
    fn tls12_keys(&self, connection: &Connection) -> [Protection; 2] {
        let secret = self.logged(connection, "CLIENT_RANDOM");
        let hello = self.server();
        let (version, suite) = (hello.version(), hello.cipher_suite);
        let prf = if version < ProtocolVersion::TLS_1_2 {
            Prf::Tls10
        } else {
            Prf::Tls12(self.hash())
        };
        let cipher = suite.cipher().unwrap();
        let mac = suite.mac().map_or(0, Mac::key_octets);
        let (key, iv) = (cipher.key_octets(), cipher.fixed_iv_octets(version));
        let seed: &[&[u8]] = &[hello.random, self.client_random()];
        let block = prf.expand(&secret, "key expansion", seed, 2 * (mac + key + iv));
        [0, 1].map(|side| {
            let part = |start: usize, octets| Some(&block[start + side * octets..][..octets]);
            let keys = Keys {
                mac_key: part(0, mac),
                key: part(2 * mac, key),
                iv: part(2 * (mac + key), iv),
            };
            Protection::tls12(version, suite, self.encrypt_then_mac(), keys).unwrap()
        })
    }
}

fn records(mut stream: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    while let Next::Record(record) = Record::next(stream) {
        stream = &stream[record.octets()..];
        records.push(record);
    }
    records
}

fn octets_of(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
