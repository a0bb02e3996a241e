//! A key with a chain of three certificates, made by openssl, in whose folder the judges work.

use ravelin_pki::keystore::{Entry, KeyStore};
use ravelin_pki::{CertificateDer, pem};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::openssl::Openssl;

pub(crate) struct Identity {
    pub(crate) folder: Openssl,
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
    /// The leaf, its issuer, the root.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

impl Identity {
    /// The files `leaf.key`, `leaf.pem`, `above.pem`, `chain.pem` and `root.pem`, and the passphrase in `pass`.
    pub(crate) fn new(passphrase: &str) -> Self {
        let folder = Openssl::new();
        folder.write("pass", format!("{passphrase}\n"));
        let new = |name: &str, more: &str| {
            let made = folder.run(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
                 -subj /CN={name} -keyout {name}.key -out {name}.pem {more}"
            ));
            made.unwrap();
        };
        new("root", "");
        new("issuer", "-CA root.pem -CAkey root.key");
        new(
            "leaf",
            "-CA issuer.pem -CAkey issuer.key -addext basicConstraints=critical,CA:FALSE",
        );
        let above = [folder.read("issuer.pem"), folder.read("root.pem")].concat();
        folder.write("above.pem", &above);
        folder.write(
            "chain.pem",
            [folder.read("leaf.pem"), above.clone()].concat(),
        );
        folder
            .run("pkcs8 -topk8 -nocrypt -in leaf.key -outform DER -out leaf.der")
            .unwrap();
        let all = [folder.read("leaf.pem"), above].concat();
        Self {
            key: PrivatePkcs8KeyDer::from(folder.read("leaf.der")),
            chain: pem::certificates(&all).unwrap(),
            folder,
        }
    }

    /// A keystore with the key under an alias, and the root as a trusted certificate.
    pub(crate) fn store(&self, alias: &str) -> KeyStore {
        let mut store = KeyStore::default();
        store
            .entries
            .push(Entry::key(alias, self.key.clone_key(), self.chain.clone()));
        store
            .entries
            .push(Entry::trusted("trusted root", self.chain[2].clone()));
        store
    }

    /// That a keystore of another program has the key, with the whole chain.
    pub(crate) fn assert_in(&self, store: &KeyStore, by: &str) {
        let keys: Vec<_> = store.keys().collect();
        let [(key, chain)] = keys.as_slice() else {
            panic!("{by}: {store:?}");
        };
        assert_eq!(key.secret_pkcs8_der(), self.key.secret_pkcs8_der(), "{by}");
        assert_eq!(*chain, self.chain, "{by}");
    }
}
