//! What is in a file, whatever it is: vectors of Python's cryptography, and damage of every kind.

use ravelin_pki::contents::{self, Contents, ContentsError, Issuer, Item, Locked};
use ravelin_pki::{Certificate, Passphrase};

use crate::peers::{vector, vector_names};

fn read(bytes: &[u8]) -> Result<Contents, ContentsError> {
    contents::read(bytes, &mut |_| None)
}

fn only(bytes: &[u8]) -> Item {
    let contents = read(bytes).unwrap();
    assert_eq!(contents.items.len(), 1, "{contents:?}");
    contents.items.into_iter().next().unwrap().item
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Certificate(_) => "certificate",
        Item::Request(_) => "request",
        Item::RevocationList(_) => "CRL",
        Item::OcspResponse(_) => "OCSP response",
        Item::OcspRequest(_) => "OCSP request",
        Item::PrivateKey { .. } => "private key",
        Item::PublicKey(_) => "public key",
        Item::Bundle(_) => "bundle",
        Item::KeyStore(_) => "keystore",
        Item::Locked { .. } => "locked",
        Item::Other { .. } => "other",
        Item::Damaged { what, .. } => what,
    }
}

#[test]
fn everything_in_a_folder_of_vectors_is_taken_for_what_it_is() {
    for (folder, wanted, other) in [
        ("x509/requests", "request", "certificate request"),
        ("x509/ocsp", "OCSP response", "OCSP request"),
        ("pkcs12", "keystore", "locked"),
        ("pkcs7", "bundle", "PKCS#7 bundle"),
    ] {
        for name in vector_names(folder) {
            // Folders, and mails around PKCS#7.
            if !name.contains('.') || name.ends_with("san.pem") {
                continue;
            }
            let contents = read(&vector(&format!("{folder}/{name}"))).unwrap();
            for found in &contents.items {
                let kind = kind(&found.item);
                assert!(kind == wanted || kind == other, "{folder}/{name}: {kind}");
            }
        }
    }
}

#[test]
fn a_certificate_that_is_cut_off_anywhere_is_still_called_one() {
    let pem = vector("x509/cryptography.io.pem");
    let der = read(&pem).unwrap().certificates()[0].der().to_vec();
    for length in 40..der.len() {
        match only(&der[..length]) {
            Item::Damaged { what, rather, .. } => assert_eq!((what, rather), ("certificate", None)),
            item => panic!("{length}: {item:?}"),
        }
    }
    let doubled = [der.as_slice(), &der].concat();
    let Item::Damaged { why, .. } = only(&doubled) else {
        panic!();
    };
    assert!(why.to_string().contains("follow behind the end"), "{why}");
}

#[test]
fn base64_without_its_armour_is_read() {
    let pem = String::from_utf8(vector("x509/cryptography.io.pem")).unwrap();
    let inner: Vec<&str> = pem.lines().filter(|line| !line.contains('-')).collect();
    for text in [inner.join("\n"), inner.join("\r\n"), inner.concat()] {
        assert_eq!(kind(&only(text.as_bytes())), "certificate");
    }
}

#[test]
fn lines_end_in_any_way_and_keep_their_numbers() {
    let pem = String::from_utf8(vector("x509/cryptography.io.pem")).unwrap();
    let lines = pem.trim_end().lines().count();
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("bag\n{}before\n{}", pem.replace('\n', end), pem);
        let contents = read(text.as_bytes()).unwrap();
        let found: Vec<_> = contents.items.iter().map(|found| found.line).collect();
        assert_eq!(found, [Some(2), Some(lines + 3)], "{end:?}");
        assert_eq!(contents.certificates().len(), 2);
    }
}

#[test]
fn a_passphrase_is_asked_for_once_a_key_and_not_for_ever() {
    let key = vector("asymmetric/PKCS8/enc-rsa-pkcs8.pem");
    let mut asked = 0;
    let contents = contents::read(&key.repeat(20), &mut |what| {
        assert_eq!(what, Locked::Key);
        asked += 1;
        Some(Passphrase::from("foobar"))
    })
    .unwrap();
    assert_eq!(contents.items.len(), 20);
    let opened = contents
        .items
        .iter()
        .filter(|found| kind(&found.item) == "private key");
    assert_eq!(
        (asked, opened.count()),
        (contents::MAX_LOCKED, contents::MAX_LOCKED)
    );
    assert!(contents.items[19].item.is_faulty());
    let wrong = contents::read(&key, &mut |_| Some("wrong".into())).unwrap();
    assert!(wrong.items[0].item.is_faulty());
    assert!(
        !read(&key).unwrap().items[0].item.is_faulty(),
        "nobody has tried it"
    );
}

#[test]
fn chains_are_put_in_order_and_impostors_are_told() {
    let now = std::time::SystemTime::now();
    let key = || ravelin_pki::PrivateKey::generate().unwrap();
    let constraints = ravelin_pki::NameConstraints::local();
    let root = ravelin_pki::Authority::root("root", key(), &constraints, now).unwrap();
    let forged = ravelin_pki::Authority::root("root", key(), &constraints, now).unwrap();
    let sub = root.intermediate("sub", key(), now).unwrap();
    let leaf = sub.leaf(&["a.test".parse().unwrap()], now).unwrap();
    let [root, forged] = [root.certificate(), forged.certificate()];
    let leaf = leaf.certificate().clone();
    let heap: Vec<&Certificate> = vec![forged, root, &leaf, sub.certificate(), root];
    let issuers = contents::issuers(&heap);
    let wanted = [
        Issuer::Itself,
        Issuer::Itself,
        Issuer::At(3),
        Issuer::At(1),
        Issuer::Itself,
    ];
    assert_eq!(issuers, wanted);
    assert_eq!(contents::ordered(&heap, Some(2)), [2, 3, 1, 0]);
    assert_eq!(
        contents::issuers(&[forged, sub.certificate()])[1],
        Issuer::Impostor(0)
    );
    assert_eq!(contents::issuers(&[&leaf]), [Issuer::Missing]);
}
