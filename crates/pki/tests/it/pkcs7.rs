//! PKCS#7 bundles, written and read by openssl, certtool, keytool and Python's cryptography.

use ravelin_pki::der::DerProblem;
use ravelin_pki::pkcs7::{self, Bundle, Pkcs7Error};
use ravelin_pki::{CertificateDer, pem};
use rustls_pki_types::CertificateRevocationListDer;

use crate::identity::Identity;
use crate::peers::python;

/// An identity with a CRL of the issuer in `crl.pem` and `crl.der`.
fn with_crl() -> (Identity, CertificateRevocationListDer<'static>) {
    let identity = Identity::new("");
    let folder = &identity.folder;
    folder.write("index.txt", "");
    folder.write(
        "ca.cnf",
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n",
    );
    folder
        .run("ca -config ca.cnf -gencrl -keyfile issuer.key -cert issuer.pem -out crl.pem")
        .unwrap();
    folder
        .run("crl -in crl.pem -outform DER -out crl.der")
        .unwrap();
    let crl = CertificateRevocationListDer::from(folder.read("crl.der"));
    (identity, crl)
}

/// The chain in the order that DER has it in.
fn sorted(identity: &Identity) -> Vec<CertificateDer<'static>> {
    let mut chain = identity.chain.clone();
    chain.sort_by(|one, other| one.as_ref().cmp(other));
    chain
}

#[test]
fn what_openssl_writes_is_read_in_every_form() {
    let (identity, crl) = with_crl();
    let folder = &identity.folder;
    for (form, more, crls) in [
        ("PEM", "-nocrl", vec![]),
        ("DER", "-nocrl", vec![]),
        ("PEM", "-in crl.pem", vec![crl.clone()]),
        ("DER", "-in crl.pem", vec![crl]),
    ] {
        folder
            .run(&format!(
                "crl2pkcs7 {more} -certfile chain.pem -outform {form} -out made"
            ))
            .unwrap();
        let expected = Bundle {
            certificates: identity.chain.clone(),
            crls,
        };
        let file = folder.read("made");
        assert_eq!(pkcs7::read(&file), Ok(expected), "{form} {more}");
        assert_eq!(pkcs7::is_pkcs7(&file), form == "DER");
    }
    // With signers and content, and streamed, which openssl writes as BER.
    folder.write("text", "hello");
    for (form, more) in [
        ("PEM", ""),
        ("DER", ""),
        ("DER", "-stream -nodetach -indef"),
    ] {
        folder
            .run(&format!(
                "cms -sign -binary -in text -signer leaf.pem -inkey leaf.key -certfile above.pem \
                 -outform {form} -out made {more}"
            ))
            .unwrap();
        let file = folder.read("made");
        if !more.is_empty() {
            assert_eq!(file[1], 0x80, "this is to test BER");
        }
        let mut found = pkcs7::read(&file).unwrap().certificates;
        found.sort_by(|one, other| one.as_ref().cmp(other));
        assert_eq!(found, sorted(&identity), "{form} {more}");
    }
}

#[test]
fn what_is_written_is_read_by_openssl_certtool_keytool_and_python() {
    let (identity, crl) = with_crl();
    let bundle = Bundle {
        certificates: sorted(&identity),
        crls: vec![crl],
    };
    let folder = &identity.folder;
    let mut unsorted = bundle.clone();
    unsorted.certificates.reverse();
    folder.write("ours.p7b", unsorted.to_pem());
    folder.write("ours.p7c", bundle.to_der());
    assert_eq!(pkcs7::read(&folder.read("ours.p7b")).as_ref(), Ok(&bundle));
    assert_eq!(pkcs7::read(&folder.read("ours.p7c")).as_ref(), Ok(&bundle));
    let renamed = bundle.to_pem().replace("PKCS7", "CERTIFICATE");
    assert_eq!(pkcs7::read(renamed.as_bytes()).as_ref(), Ok(&bundle));

    folder
        .run("pkcs7 -in ours.p7b -print_certs -out all.pem")
        .unwrap();
    let printed = folder.read("all.pem");
    assert_eq!(pem::certificates(&printed).unwrap(), sorted(&identity));
    assert!(String::from_utf8_lossy(&printed).contains("BEGIN X509 CRL"));
    folder
        .run("pkcs7 -inform DER -in ours.p7c -print_certs -noout")
        .unwrap();

    let words = folder
        .tool("certtool", "--p7-info --infile ours.p7b")
        .unwrap();
    assert!(words.contains("Number of certificates: 3"), "{words}");
    assert!(words.contains("Number of CRLs: 1"), "{words}");

    let words = folder.tool("keytool", "-printcert -file ours.p7b").unwrap();
    assert_eq!(words.matches("Owner: ").count(), 3, "{words}");

    let words = python(IN_PYTHON, &[folder.name()]);
    // And no warning.
    assert_eq!(words.trim(), "issuer leaf root");
}

const IN_PYTHON: &str = "
import os, sys, warnings
os.chdir(sys.argv[1])
warnings.simplefilter('error')
from cryptography.hazmat.primitives.serialization import pkcs7
found = pkcs7.load_pem_pkcs7_certificates(open('ours.p7b', 'rb').read())
assert pkcs7.load_der_pkcs7_certificates(open('ours.p7c', 'rb').read()) == found
print(*sorted(one.subject.rdns[0].rfc4514_string()[3:] for one in found))
";

#[test]
fn what_is_no_bundle_is_told() {
    let identity = Identity::new("");
    let error = |file: &[u8]| pkcs7::read(file).unwrap_err();
    let found = "\"CERTIFICATE\"".to_owned();
    assert_eq!(
        error(&identity.folder.read("leaf.pem")),
        Pkcs7Error::NoBlock { found }
    );
    let unexpected = error(&identity.chain[0]);
    assert!(
        matches!(unexpected, Pkcs7Error::Damaged(_)),
        "{unexpected:?}"
    );
    let bundle = Bundle {
        certificates: identity.chain.clone(),
        crls: Vec::new(),
    };
    let der = bundle.to_der();
    for cut in [1, 5, 30, 500, der.len() - 1] {
        let cut = pem::encode("PKCS7", &der[..cut]);
        assert!(matches!(error(cut.as_bytes()), Pkcs7Error::Damaged(_)));
    }
    let longer = pem::encode("PKCS7", &[der.as_slice(), &[0]].concat());
    let Pkcs7Error::Damaged(trailing) = error(longer.as_bytes()) else {
        panic!("{longer}");
    };
    assert_eq!(trailing.problem, DerProblem::Trailing { octets: 1 });
    identity.folder.write("text", "hello");
    identity
        .folder
        .run("cms -data_create -in text -outform DER -out made")
        .unwrap();
    let data = error(&identity.folder.read("made"));
    assert_eq!(
        data.to_string(),
        "it is plain data, which carries no certificates to take out"
    );

    let many = Bundle {
        certificates: vec![CertificateDer::from(vec![0x30, 0]); 10_001],
        crls: Vec::new(),
    };
    assert_eq!(error(many.to_pem().as_bytes()), Pkcs7Error::TooMany);
    assert_eq!(
        pkcs7::read(&Bundle::default().to_der()),
        Ok(Bundle::default())
    );
}
