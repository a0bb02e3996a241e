//! Chains, compressed certificates, and keys that were lent a name.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use ravelin_lens::explain::Language;
use ravelin_lens::ledger::Side;
use ravelin_lens::proof::{DecompressError, HandshakeSignature, Signer, chain, decompress};
use ravelin_lens::story::{BadCertificate, Missing, Refutation, Verdict};
use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey, Trust};
use ravelin_wire::extension::DelegatedCredential;
use ravelin_wire::handshake::{CompressedCertificate, DigitallySigned};
use ravelin_wire::registry::{CertificateCompression, ProtocolVersion, SignatureScheme};
use tempfile::TempDir;

#[test]
fn a_chain_is_judged_in_the_words_of_the_judge() {
    let now = SystemTime::now();
    let key = || PrivateKey::generate().unwrap();
    let root = Authority::root("Root", key(), &NameConstraints::local(), now).unwrap();
    let ca = root.intermediate("CA", key(), now).unwrap();
    let host: HostName = "localhost".parse().unwrap();
    let leaf = ca.leaf(std::slice::from_ref(&host), now).unwrap();
    let der = |certificate: &ravelin_pki::Certificate| certificate.der().to_vec();
    let whole = [der(leaf.certificate()), der(ca.certificate())];
    let trust = Trust::new(vec![root.certificate().clone()]);
    let judge = |chain_: &[Vec<u8>], trust, host: &str, at, side| {
        let host = host.parse().ok();
        chain(chain_, trust, host.as_ref(), at, side)
    };
    let good = judge(&whole, Some(&trust), "localhost", now, Side::Server);
    assert_eq!(good, Verdict::Confirmed);
    for (verdict, words) in [
        (
            judge(&whole, Some(&trust), "example.org", now, Side::Server),
            "“example.org” is not one of its names",
        ),
        (
            judge(&whole[..1], Some(&trust), "localhost", now, Side::Server),
            "is not at hand",
        ),
        (
            judge(&whole, Some(&trust), "localhost", now, Side::Client),
            "not for TLS clients",
        ),
        (
            judge(
                &whole,
                Some(&trust),
                "localhost",
                now + Duration::from_secs(400 * 86_400),
                Side::Server,
            ),
            "expired",
        ),
    ] {
        assert!(matches!(verdict, Verdict::Refuted(Refutation::BadChain(_))));
        let said = Language::English.verdict(&verdict);
        assert!(said.contains(words), "{said}");
    }
    let missing = |what| Verdict::NotDerivable(what);
    assert_eq!(
        judge(&[], Some(&trust), "localhost", now, Side::Server),
        missing(Missing::Certificate)
    );
    assert_eq!(
        judge(&whole, None, "localhost", now, Side::Server),
        missing(Missing::Roots)
    );
    assert!(matches!(
        judge(&[vec![0x30]], Some(&trust), "localhost", now, Side::Server),
        Verdict::Refuted(Refutation::BadCertificate(_))
    ));
}

#[test]
fn certificates_that_others_compressed_are_had_in_full() {
    let plain: Vec<u8> = (0..20_000_u32).flat_map(u32::to_be_bytes).collect();
    let zlib = "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))";
    for (algorithm, command) in [
        (CertificateCompression::ZLIB, &["python3", "-c", zlib][..]),
        (CertificateCompression::BROTLI, &["brotli", "--stdout"]),
        (CertificateCompression::ZSTD, &["zstd", "--stdout"]),
    ] {
        let compressed = filter(command, &plain);
        let of = |compressed, octets: usize, limit| {
            let message = CompressedCertificate {
                algorithm,
                uncompressed_length: octets as u32,
                compressed_certificate_message: compressed,
            };
            decompress(&message, limit)
        };
        let length = plain.len();
        assert_eq!(
            of(&compressed, length, length).unwrap(),
            plain,
            "{algorithm}"
        );
        // Neither more nor less than it says, and never more than is allowed.
        for octets in [0, 1, length - 1, length + 1] {
            let result = of(&compressed, octets, usize::MAX);
            let Err(DecompressError::OtherLength { .. }) = result else {
                panic!("{algorithm}, {octets}: {result:?}");
            };
        }
        let result = of(&compressed, length, length - 1);
        assert!(matches!(result, Err(DecompressError::TooLong { .. })));
        for cut in [0, 1, compressed.len() / 2, compressed.len() - 1] {
            assert!(of(&compressed[..cut], length, length).is_err() || cut + 8 > compressed.len());
        }
        let result = of(&b"this was never compressed"[..], length, length);
        assert!(
            matches!(result, Err(DecompressError::Damaged { .. })),
            "{result:?}"
        );
    }
    let message = CompressedCertificate {
        algorithm: CertificateCompression(99),
        uncompressed_length: 1,
        compressed_certificate_message: &[0],
    };
    let result = decompress(&message, 9);
    assert!(matches!(result, Err(DecompressError::Unknown { .. })));
}

/// A certificate of openssl that may delegate, and a credential that its key signed.
#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one credential, made and then broken in each way"
)]
fn a_key_that_was_lent_a_name_signs_until_its_credential_is_over() {
    let folder = TempDir::new().unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let sign = |key: &str, content: &[u8]| {
        fs::write(folder.path().join("content"), content).unwrap();
        openssl(&[
            "dgst",
            "-sha256",
            "-sign",
            key,
            "-out",
            "signature",
            "content",
        ]);
        read("signature")
    };
    let p256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    for (name, more) in [
        ("good", &["-addext", "1.3.6.1.4.1.44363.44=DER:0500"][..]),
        ("bad", &[]),
    ] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.der"));
        let files = ["-keyout", &key, "-out", &certificate, "-outform", "DER"];
        let usage = ["-addext", "keyUsage=critical,digitalSignature"];
        let start = ["req", "-x509", "-subj", "/CN=localhost", "-newkey"];
        openssl(&[&start[..], &p256, &files, &usage, more].concat());
    }
    openssl(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        "dc.key",
    ]);
    openssl(&[
        "pkey", "-in", "dc.key", "-pubout", "-outform", "DER", "-out", "dc.der",
    ]);

    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let day = 86_400;
    let now = SystemTime::now();
    let (spki, hash) = (read("dc.der"), [7; 32]);
    let start = format!("{:64}TLS 1.3, server CertificateVerify\0", "");
    let made = sign("dc.key", &[start.as_bytes(), &hash].concat());
    let signed = DigitallySigned {
        algorithm: Some(scheme),
        signature: &made,
    };
    let verdict = |name: &str, valid_time: u32, context: &str, after: Duration| {
        let certificate = read(&format!("{name}.der"));
        let start = format!("{:64}TLS, {context} delegated credentials\0", "");
        let code = scheme.0.to_be_bytes();
        let length = [0, 0, spki.len() as u8];
        let parts: [&[u8]; 7] = [
            start.as_bytes(),
            &certificate,
            &valid_time.to_be_bytes(),
            &code,
            &length,
            &spki,
            &code,
        ];
        let lent = sign(&format!("{name}.key"), &parts.concat());
        let credential = DelegatedCredential {
            valid_time,
            expected_cert_verify_algorithm: scheme,
            public_key: &spki,
            algorithm: scheme,
            signature: &lent,
        };
        let signature = HandshakeSignature {
            version: ProtocolVersion::TLS_1_3,
            side: Side::Server,
            signer: Signer::Delegated {
                certificate: &certificate,
                credential,
                at: now + after,
            },
            signed: &signed,
            offered: None,
        };
        signature.over_hash(&hash)
    };
    let soon = Duration::from_secs(60);
    let good = verdict("good", 2 * day, "server", soon);
    assert_eq!(good, Verdict::Confirmed);
    let bad = Verdict::Refuted(Refutation::BadSignature);
    assert_eq!(verdict("good", 2 * day, "client", soon), bad);
    for (verdict, why) in [
        (
            verdict("bad", 2 * day, "server", soon),
            BadCertificate::MayNotDelegate,
        ),
        (
            verdict("good", 30, "server", soon),
            BadCertificate::CredentialOver,
        ),
        (
            verdict("good", 9 * day, "server", soon),
            BadCertificate::CredentialTooLong,
        ),
    ] {
        let refuted = Verdict::Refuted(Refutation::BadCertificate(why));
        assert_eq!(verdict, refuted);
    }
}

/// What a program makes of its standard input.
fn filter(command: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command[0]));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}
