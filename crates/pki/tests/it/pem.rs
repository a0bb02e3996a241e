//! What is said about files that are not what they should be.

use std::time::SystemTime;

use ravelin_pki::{Authority, NameConstraints, PemError, PrivateKey, pem};

struct Files {
    certificate: String,
    key: String,
}

fn files() -> Files {
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    let root = Authority::root("Test root", key, &NameConstraints::local(), now).unwrap();
    Files {
        certificate: root.certificate().to_pem(),
        key: root.key().to_pem().unwrap(),
    }
}

#[test]
fn certificates_are_found_among_other_blocks_and_text() {
    let Files { certificate, key } = files();
    let chatty = format!("Subject: CN=x\r\n{certificate}\n\n{key}bye\n{certificate}");
    assert_eq!(pem::certificates(chatty.as_bytes()).unwrap().len(), 2);
    assert!(pem::private_key(chatty.as_bytes()).is_ok());
    let windows = format!("\u{feff}{}", certificate.replace('\n', "\r\n"));
    assert_eq!(pem::certificates(windows.as_bytes()).unwrap().len(), 1);
    let der = pem::certificates(certificate.as_bytes()).unwrap();
    assert_eq!(pem::certificates(&der[0]).unwrap(), der);
}

#[test]
fn a_bundle_is_taken_apart_without_a_look_into_it() {
    let Files { certificate, .. } = files();
    let der = pem::certificates(certificate.as_bytes()).unwrap();
    let damaged = pem::encode("CERTIFICATE", b"no certificate");
    let bundle = format!("{damaged}{certificate}");
    assert!(pem::certificates(bundle.as_bytes()).is_err());
    let unread = pem::unread_certificates(bundle.as_bytes()).unwrap();
    assert_eq!(unread[1..], der);
    assert_eq!(pem::unread_certificates(&der[0]).unwrap(), der);
    assert!(pem::unread_certificates(b"nothing").is_err());
}

#[test]
fn what_is_wrong_with_a_certificate_file_is_told() {
    let Files { certificate, key } = files();
    let error = |bytes: &[u8]| pem::certificates(bytes).unwrap_err();
    assert_eq!(error(b""), PemError::Empty);
    assert_eq!(error(b" \n\t\n"), PemError::Empty);
    assert_eq!(error(b"<html>not found</html>"), PemError::NoBlock);
    assert_eq!(
        error(key.as_bytes()).to_string(),
        "it holds no certificate but \"PRIVATE KEY\""
    );
    let cut = format!("{certificate}{}", &certificate[..certificate.len() / 2]);
    let lines = certificate.lines().count();
    assert_eq!(
        error(cut.as_bytes()),
        PemError::NoEnd {
            label: "CERTIFICATE".into(),
            line: lines + 1
        }
    );
    let no_base64 = certificate.replacen("MII", "M!I", 1);
    assert!(matches!(
        error(no_base64.as_bytes()),
        PemError::BadBase64 { line: 1, .. }
    ));
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(certificate.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(error(&utf16), PemError::Utf16);
    assert!(error(&utf16).hint().unwrap().contains("iconv"));
}

#[test]
fn the_damaged_one_of_several_certificates_is_told() {
    let Files { certificate, .. } = files();
    let der = pem::certificates(certificate.as_bytes()).unwrap();
    let mut longer = der[0].to_vec();
    longer.extend(b"junk");
    let file = certificate.clone() + &pem::encode("CERTIFICATE", &longer);
    let error = pem::certificates(file.as_bytes()).unwrap_err();
    let line = certificate.lines().count() + 1;
    assert_eq!(
        error.to_string(),
        format!("certificate number 2, in line {line}, is damaged")
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "4 bytes follow behind the end of the certificate");
    for cut in [1, 100, longer.len() - 5] {
        let file = pem::encode("CERTIFICATE", &longer[..cut]);
        let error = pem::certificates(file.as_bytes()).unwrap_err();
        assert!(
            matches!(error, PemError::BadCertificate { number: 1, .. }),
            "{error:?}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_key_file_is_told() {
    let Files { certificate, key } = files();
    let error = |text: &str| pem::private_key(text.as_bytes()).unwrap_err();
    assert_eq!(
        error(&certificate).to_string(),
        "it holds no private key but \"CERTIFICATE\""
    );
    let lines = key.lines().count();
    assert_eq!(
        error(&(key.clone() + &key)),
        PemError::SeveralKeys { line: lines + 1 }
    );
    let openssh = key.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY");
    assert!(matches!(error(&openssh), PemError::UnsupportedKey { .. }));
    assert!(error(&openssh).hint().unwrap().contains("ssh-keygen"));
    let der = pem::certificates(certificate.as_bytes()).unwrap();
    assert!(matches!(
        pem::private_key(&der[0]).unwrap_err(),
        PemError::NoKey { .. }
    ));
}

#[test]
fn labels_cannot_smuggle_control_characters_into_messages() {
    let file = "-----BEGIN \u{1b}[31mX-----\nAAAA\n-----END \u{1b}[31mX-----\n";
    assert_eq!(
        pem::certificates(file.as_bytes()).unwrap_err(),
        PemError::NoBlock
    );
}
