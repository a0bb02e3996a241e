//! The schedule of TLS 1.2 and before, with `openssl kdf` as judge of each step.

use std::fmt::Write as _;
use std::process::Command;

use ravelin_lens::digest::{Hash, Octets, Prf};
use ravelin_lens::ledger::{Ledger, QuantityId, Side};
use ravelin_lens::schedule::tls12::{Schedule, Seed};
use ravelin_wire::registry::{CipherSuite, ProtocolVersion};

use crate::rfc8448::octets;

const PREMASTER: &str = "0303112233445566778899aabbccddeeff00";
const CLIENT_RANDOM: &str = "c1c2c3c4c5c6c7c8";
const SERVER_RANDOM: &str = "5152535455565758";
const HASH: &str = "f0f1f2f3f4f5f6f7f8f9";

/// What OpenSSL derives.
fn openssl(digest: &str, secret: &[u8], label: &str, seed: &[&[u8]], octets: usize) -> Octets {
    let output = Command::new("openssl")
        .args(["kdf", "-keylen", &octets.to_string()])
        .args(["-kdfopt", &format!("digest:{digest}")])
        .args(["-kdfopt", &format!("hexsecret:{}", hex(secret))])
        .args(["-kdfopt", &format!("hexseed:{}", hex(label.as_bytes()))])
        .args(["-kdfopt", &format!("hexseed:{}", hex(&seed.concat()))])
        .args(["-binary", "TLS1-PRF"])
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{output:?}");
    Octets::new(output.stdout)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[test]
fn each_step_is_that_of_openssl() {
    for (prf, digest, version) in [
        (Prf::Tls10, "MD5-SHA1", ProtocolVersion::TLS_1_0),
        (Prf::Tls12(Hash::Sha256), "SHA256", ProtocolVersion::TLS_1_2),
        (Prf::Tls12(Hash::Sha384), "SHA384", ProtocolVersion::TLS_1_2),
    ] {
        for extended in [false, true] {
            steps(prf, digest, version, extended);
        }
    }
}

fn steps(prf: Prf, digest: &str, version: ProtocolVersion, extended: bool) {
    let mut ledger = Ledger::default();
    let mut given = |name, hex| ledger.given(name, None, Some(octets(hex)));
    let premaster = given("premaster_secret", PREMASTER);
    let client_random = given("client_random", CLIENT_RANDOM);
    let server_random = given("server_random", SERVER_RANDOM);
    let hash = given("session_hash", HASH);
    let seed = if extended {
        Seed::Session(hash)
    } else {
        Seed::Randoms
    };
    let randoms = (client_random, server_random);
    let schedule = Schedule::new(&mut ledger, prf, premaster, randoms, seed);

    let [premaster, client, server, hash_value] =
        [PREMASTER, CLIENT_RANDOM, SERVER_RANDOM, HASH].map(octets);
    let main = if extended {
        openssl(
            digest,
            &premaster,
            "extended master secret",
            &[&hash_value],
            48,
        )
    } else {
        openssl(digest, &premaster, "master secret", &[&client, &server], 48)
    };
    assert_eq!(ledger.value(schedule.main()), Some(&main[..]));

    for (side, label) in [
        (Side::Client, "client finished"),
        (Side::Server, "server finished"),
    ] {
        let id = schedule.verify_data(&mut ledger, side, hash);
        let wanted = openssl(digest, &main, label, &[&hash_value], 12);
        assert_eq!(ledger.value(id), Some(&wanted[..]), "{label}");
    }

    // CBC has MAC keys, and before TLS 1.1 vectors; GCM has the fixed part of nonces.
    let block = |octets| openssl(digest, &main, "key expansion", &[&server, &client], octets);
    let cbc = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    let iv = if version == ProtocolVersion::TLS_1_0 {
        16
    } else {
        0
    };
    parts(&mut ledger, schedule, (version, cbc), [20, 16, iv], &block);
    if version == ProtocolVersion::TLS_1_2 {
        let gcm = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
        parts(&mut ledger, schedule, (version, gcm), [0, 32, 4], &block);
    }
}

/// The keys of both sides lie one behind the other in the key block, the client's of each kind first.
fn parts(
    ledger: &mut Ledger,
    schedule: Schedule,
    (version, suite): (ProtocolVersion, CipherSuite),
    sizes: [usize; 3],
    block: &dyn Fn(usize) -> Octets,
) {
    let [client, server] = schedule.write_keys(ledger, version, suite).unwrap();
    let value = |id: Option<QuantityId>| id.map_or(&[][..], |id| ledger.value(id).unwrap());
    let kinds = [
        (client.mac_key, server.mac_key),
        (client.key, server.key),
        (client.iv, server.iv),
    ];
    let mut together = Vec::new();
    for ((client, server), size) in kinds.into_iter().zip(sizes) {
        assert_eq!(value(client).len(), size, "{suite}");
        assert_eq!(value(server).len(), size, "{suite}");
        together.extend_from_slice(value(client));
        together.extend_from_slice(value(server));
    }
    assert_eq!(together, *block(together.len()), "{suite}");
}
