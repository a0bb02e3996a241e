//! Who is believed, and who the client is, as the command line says.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use ravelin_client::{Identity, Trust};
use ravelin_pki::contents::{self, Item};
use ravelin_pki::{Certificate, Judge, PrivateKey, Question, RevocationList, Rules, verify};

use crate::arguments::HomeArgument;
use crate::arguments::get::TrustArguments;
use crate::cert::roots::{self, Place, Roots};
use crate::cert::verify::crls;
use crate::failure::{self, Failure};
use crate::{key, passphrase};

/// The rule by which servers are verified, and what is needed to tell of it.
pub(crate) struct Beliefs {
    pub(crate) trust: Trust,
    /// The same roots, for judging once more what was refused; read when that comes to pass.
    roots: Roots,
    anchors: OnceLock<verify::Trust>,
    lists: Vec<RevocationList>,
    /// Whether a CA is asked, or would be, were it not for --insecure.
    asks_ca: bool,
}

impl Beliefs {
    pub(crate) fn new(wanted: &TrustArguments, home: &HomeArgument) -> Result<Self, Failure> {
        let asks_ca = !wanted.ca.iter().any(|place| place.as_os_str() == "none");
        if !asks_ca && wanted.ca.len() > 1 {
            return Err(Failure::usage("--ca none takes no other --ca beside it"));
        }
        if !asks_ca && wanted.pin.is_empty() && !wanted.insecure {
            return Err(Failure::usage(
                "--ca none without --pin trusts nobody, so that no server would do",
            )
            .hint("add --pin sha256/…, or leave --ca none out".to_owned()));
        }
        let roots = if asks_ca {
            match Roots::read(&places(&wanted.ca), home) {
                Ok(found) => found,
                // What would have failed cannot be told without roots; that nobody asks is.
                Err(_) if wanted.insecure => Roots::default(),
                Err(failure) => return Err(failure),
            }
        } else {
            Roots::default()
        };
        let mut lists = Vec::new();
        for file in &wanted.crl {
            lists.extend(crls(file)?);
        }
        let trust = if wanted.insecure {
            Trust::everyone()
        } else if asks_ca {
            let ders = lists.iter().map(|list| list.der().to_vec().into());
            Trust::roots(roots.ders.iter().cloned()).with_lists(ders)
        } else {
            Trust::pins_alone()
        };
        Ok(Self {
            trust: trust.pinned(wanted.pin.iter().map(|pin| pin.0)),
            roots,
            anchors: OnceLock::new(),
            lists,
            asks_ca,
        })
    }

    /// In words, where roots were looked for.
    pub(crate) fn searched(&self) -> &[String] {
        &self.roots.searched
    }

    /// Whether a CA would be asked, were it not for --insecure.
    pub(crate) fn asks_ca(&self) -> bool {
        self.asks_ca
    }

    /// Judges a chain as the server sent it, and hands the verdict on.
    pub(crate) fn judge<T>(
        &self,
        chain: &[Certificate],
        host: &str,
        tell: impl FnOnce(&verify::Verdict<'_>, &Question) -> T,
    ) -> Option<T> {
        let mut rules = Rules::strict();
        if !self.lists.is_empty() {
            rules.revocation = verify::Revocation::Leaf;
        }
        let anchors = self.anchors.get_or_init(|| self.roots.parsed());
        let judge = Judge::new(anchors, rules).with_lists(self.lists.clone());
        let mut question = Question::at(SystemTime::now());
        question = match host.parse() {
            Ok(host) => question.host(host),
            Err(_) => question.purpose(ravelin_pki::Purpose::Server),
        };
        let (leaf, others) = chain.split_first()?;
        let verdict = judge.verify(leaf, others, &question);
        Some(tell(&verdict, &question))
    }
}

/// Where roots are looked for. OpenSSL's variables stand for what the system trusts, in all programs that read them.
fn places(asked: &[PathBuf]) -> Vec<Place> {
    let set: Vec<Place> = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .filter_map(std::env::var_os)
        .filter(|value| !value.is_empty())
        .flat_map(|value| std::env::split_paths(&value).collect::<Vec<_>>())
        .map(|path| Place::Path {
            path,
            is_asked_for: false,
        })
        .collect();
    roots::places(asked)
        .into_iter()
        .flat_map(|place| match place {
            Place::System if !set.is_empty() => set.clone(),
            place => vec![place],
        })
        .collect()
}

/// The certificate and key that the client shows.
pub(crate) fn identity(arguments: &TrustArguments) -> Result<Option<Identity>, Failure> {
    let Some(file) = &arguments.cert else {
        return Ok(None);
    };
    let mut chain = Vec::new();
    let mut private = None;
    take(file, arguments, &mut chain, &mut private)?;
    if let Some(file) = &arguments.key {
        private = Some(key::read_key(
            file,
            &key::read_file(file)?,
            &arguments.passphrase,
        )?);
    }
    let shown = file.display();
    let Some(private) = private else {
        return Err(
            Failure::usage(format!("there is no private key in \"{shown}\""))
                .hint("where it is in a file of its own: --key FILE".to_owned()),
        );
    };
    if chain.is_empty() {
        return Err(Failure::usage(format!(
            "there is no certificate in \"{shown}\""
        )));
    }
    // The certificate of the key comes first, as TLS asks.
    match chain
        .iter()
        .position(|certificate| certificate.matches(&private))
    {
        Some(place) => chain[..=place].rotate_right(1),
        None => {
            return Err(Failure::usage(format!(
                "the private key belongs to no certificate in \"{shown}\""
            )));
        }
    }
    Ok(Some(Identity {
        chain: chain.iter().map(|one| one.der().clone()).collect(),
        key: private.der().map_err(|error| Failure::of(&error))?,
    }))
}

/// Takes the certificates and the key of a file of any format.
fn take(
    file: &Path,
    arguments: &TrustArguments,
    chain: &mut Vec<Certificate>,
    private: &mut Option<PrivateKey>,
) -> Result<(), Failure> {
    let what = key::shown(file);
    let mut asked = Ok(());
    let found = contents::read(&key::read_file(file)?, &mut |_| {
        // A key of its own is read from its own file.
        if arguments.key.is_some() && asked.is_err() {
            return None;
        }
        match passphrase::of_existing(&arguments.passphrase, &what) {
            Ok(passphrase) => Some(passphrase),
            Err(failure) => {
                asked = Err(failure);
                None
            }
        }
    });
    asked?;
    let found = found.map_err(|error| {
        Failure::usage(format!(
            "cannot read \"{what}\": {}",
            failure::chain(&error)
        ))
        .hint(error.hint().map(str::to_owned))
    })?;
    chain.extend(found.certificates().into_iter().cloned());
    for item in found.items {
        take_key(item.item, &what, private)?;
    }
    Ok(())
}

fn take_key(item: Item, what: &str, private: &mut Option<PrivateKey>) -> Result<(), Failure> {
    match item {
        Item::PrivateKey { key, .. } => {
            private.get_or_insert(*key);
        }
        Item::KeyStore(store) => {
            for entry in store.entries {
                if let Some(key) = entry.key {
                    take_key(key, what, private)?;
                }
            }
        }
        Item::Locked { why: Some(why), .. } => {
            return Err(Failure::answer(format!("\"{what}\": {why}")));
        }
        _ => {}
    }
    Ok(())
}
