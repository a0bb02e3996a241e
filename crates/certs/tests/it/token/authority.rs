//! A CA whose keys are in a token.

use std::fs;
use std::time::{Duration, SystemTime};

use ravelin_certs::FileStore;
use ravelin_certs::local::{LocalAuthority, LocalError, NewRoot, Plan, Rollover};
use ravelin_certs::token::{TokenError, TokenKey, TokenUri, Tokens};
use ravelin_pki::{Certificate, HostName, KeyType, Leaf, Signer as _};

use super::{PIN, Vault, with_vault};
use crate::judges::openssl_verify;
use crate::local::verify;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Vault {
    fn store(&self) -> FileStore {
        FileStore::open(self.file("home")).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file("home").join(name)).unwrap()
    }

    /// The policy that puts intermediates into the token.
    fn write_policy(&self, uri: &TokenUri) {
        fs::create_dir_all(self.file("home/ca")).unwrap();
        let text = format!("[authority]\ntoken = \"{uri}\"\n");
        fs::write(self.file("home/ca/policy.toml"), text).unwrap();
    }

    fn plan(&self) -> Plan {
        Plan {
            root_key: Some(self.uri("")),
            ..Plan::default()
        }
    }
}

fn names() -> Vec<HostName> {
    vec!["localhost".parse().unwrap()]
}

fn intermediate(leaf: &Leaf) -> Certificate {
    Certificate::from_der(&leaf.chain[1]).unwrap()
}

#[test]
fn root_and_intermediate_in_a_token_issue_what_openssl_verifies() {
    let name = "token::authority::root_and_intermediate_in_a_token_issue_what_openssl_verifies";
    with_vault(name, |vault| {
        vault.write_policy(&vault.uri(""));
        let now = SystemTime::now();
        let authority = LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        let leaf = authority.leaf(&names(), now).unwrap();
        verify(&authority, &leaf, &["-verify_hostname", "localhost"]).unwrap();
        // Another hand finds both keys in the token: what openssl verified is theirs.
        let root = authority.root_certificate().public_key();
        assert!(vault.holds("Ravelin root", root));
        let below = intermediate(&leaf);
        assert!(vault.holds("Ravelin intermediate", below.public_key()));
        for file in ["ca/root.key", "ca/intermediate.pem"] {
            let text = vault.read(file);
            assert!(
                text.contains("\npkcs11:token=vault;object=Ravelin%20"),
                "{text}"
            );
            assert!(
                !text.contains("PRIVATE KEY") && !text.contains(PIN),
                "{text}"
            );
        }
        assert!(!format!("{authority:?}").contains(PIN));

        // Later, in what is as good as another process: nothing is signed, so nobody is asked.
        fs::remove_file(vault.file("pin")).unwrap();
        let again = LocalAuthority::open(&vault.store(), &[], now + DAY).unwrap();
        assert_eq!(again.leaf(&names(), now + DAY).unwrap().chain, leaf.chain);
        drop(authority);
        let other = vec!["other.localhost".parse().unwrap()];
        let error = again.leaf(&other, now).unwrap_err();
        let pin_file = matches!(
            &error,
            LocalError::KeyInToken { source: TokenError::PinFile { .. }, location }
                if location.ends_with("ca/intermediate.pem")
        );
        assert!(pin_file, "{error:?}");
        assert!(error.hint().is_some());
        fs::write(vault.file("pin"), PIN).unwrap();
        let leaf = again.leaf(&other, now).unwrap();
        verify(&again, &leaf, &["-verify_hostname", "other.localhost"]).unwrap();

        // The intermediate is renewed with a key of its own, by the root in the token.
        let late = intermediate(&leaf).renew_at();
        let renewed = again.leaf(&names(), late).unwrap();
        assert_ne!(
            intermediate(&renewed).public_key(),
            intermediate(&leaf).public_key()
        );
        let seconds = late
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        verify(&again, &renewed, &["-attime", &seconds.to_string()]).unwrap();
    });
}

#[test]
fn the_root_alone_may_be_in_a_token_and_is_of_any_kind_there() {
    let name = "token::authority::the_root_alone_may_be_in_a_token_and_is_of_any_kind_there";
    with_vault(name, |vault| {
        let now = SystemTime::now();
        for key_type in [KeyType::EcdsaP384, KeyType::Rsa(2048), KeyType::Ed25519] {
            let store = FileStore::open(vault.file(&format!("home {key_type}"))).unwrap();
            let plan = Plan {
                key_type,
                ..vault.plan()
            };
            let authority = LocalAuthority::init(&store, &plan, "", now).unwrap();
            let root = authority.root_certificate().public_key();
            assert_eq!(root.key_type(), Some(key_type));
            let leaf = authority.leaf(&names(), now).unwrap();
            verify(&authority, &leaf, &[]).unwrap();
        }
        let mut kinds: Vec<_> = Tokens::new()
            .keys(&vault.uri(""))
            .unwrap()
            .into_iter()
            .map(|key| key.public.unwrap().kind())
            .collect();
        kinds.sort();
        assert_eq!(kinds, ["ECDSA P-384", "Ed25519", "RSA 2048"]);
    });
}

#[test]
fn a_root_key_made_at_a_ceremony_is_used_and_one_of_another_kind_is_not() {
    let name =
        "token::authority::a_root_key_made_at_a_ceremony_is_used_and_one_of_another_kind_is_not";
    with_vault(name, |vault| {
        let make = [
            "-k",
            "--key-type",
            "EC:secp384r1",
            "--label",
            "ceremony",
            "--id",
            "01",
        ];
        vault.pkcs11_tool(&make).unwrap();
        let now = SystemTime::now();
        let plan = |key_type| Plan {
            root_key: Some(vault.uri(";object=ceremony")),
            key_type,
            ..Plan::default()
        };
        let error = LocalAuthority::init(&vault.store(), &plan(KeyType::EcdsaP256), "", now);
        let error = error.unwrap_err();
        let there = matches!(
            &error,
            LocalError::KeyInToken {
                source: TokenError::KeyThere { .. },
                ..
            }
        );
        assert!(there, "{error:?}");
        let authority = LocalAuthority::init(&vault.store(), &plan(KeyType::EcdsaP384), "", now);
        let authority = authority.unwrap();
        let root = authority.root_certificate().public_key();
        assert!(vault.holds("ceremony", root));
        verify(&authority, &authority.leaf(&names(), now).unwrap(), &[]).unwrap();
    });
}

#[test]
fn a_start_that_was_broken_off_goes_on_with_the_key_that_it_named() {
    let name = "token::authority::a_start_that_was_broken_off_goes_on_with_the_key_that_it_named";
    with_vault(name, |vault| {
        let now = SystemTime::now();
        // Before the key was made, and before the root was.
        for made in [false, true] {
            let store = FileStore::open(vault.file(&format!("home {made}"))).unwrap();
            let uri = vault.uri("").for_new_key("named").unwrap();
            let file = vault.file(&format!("home {made}/ca/root.key"));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, format!("# In a token\n{uri}\n")).unwrap();
            let key =
                made.then(|| TokenKey::generate(&Tokens::new(), &uri, KeyType::EcdsaP256).unwrap());
            let authority = LocalAuthority::init(&store, &vault.plan(), "", now).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(&uri.to_string()), "{text}");
            let root = authority.root_certificate().public_key();
            let found = TokenKey::open(&Tokens::new(), &uri).unwrap();
            assert_eq!(found.public_key(), root);
            assert!(key.is_none_or(|key| key.public_key() == root));
        }
        assert_eq!(Tokens::new().keys(&vault.uri("")).unwrap().len(), 2);
    });
}

#[test]
fn while_the_token_is_away_what_is_kept_serves_on() {
    let name = "token::authority::while_the_token_is_away_what_is_kept_serves_on";
    with_vault(name, |vault| {
        let now = SystemTime::now();
        let authority = LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        let leaf = authority.leaf(&names(), now).unwrap();
        vault.softhsm(&["--delete-token", "--token", "vault"]);
        let open = |at| LocalAuthority::open(&vault.store(), &[], at);
        // The root signs nothing but intermediates: an old one serves to its end.
        let late = intermediate(&leaf).renew_at() + DAY;
        let kept = open(late).unwrap().leaf(&names(), late).unwrap();
        assert_eq!(kept.chain[1], leaf.chain[1]);
        let error = open(intermediate(&leaf).not_after() + DAY).unwrap_err();
        let away = matches!(
            &error,
            LocalError::KeyInToken { source: TokenError::NoToken { .. }, location }
                if location.ends_with("ca/root.key")
        );
        assert!(away, "{error:?}");
        // So where the module is.
        let text = vault
            .read("ca/root.key")
            .replace("libsofthsm2.so", "gone.so");
        fs::write(vault.file("home/ca/root.key"), text).unwrap();
        open(late).unwrap();
        let error = open(intermediate(&leaf).not_after() + DAY).unwrap_err();
        let away = matches!(
            &error,
            LocalError::KeyInToken {
                source: TokenError::Module { .. },
                ..
            }
        );
        assert!(away, "{error:?}");
        // A PIN that somebody put into the file is not repeated.
        let text = format!("pkcs11:token=vault?module-path=/m&pin-value={PIN}\n");
        fs::write(vault.file("home/ca/root.key"), text).unwrap();
        let error = open(intermediate(&leaf).not_after() + DAY).unwrap_err();
        assert!(matches!(error, LocalError::KeyUri { .. }), "{error:?}");
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(
            !shown.contains(PIN) && shown.contains("pin-source"),
            "{shown}"
        );
    });
}

#[test]
fn an_intermediate_whose_key_is_gone_is_told_with_the_way_to_another() {
    let name =
        "token::authority::an_intermediate_whose_key_is_gone_is_told_with_the_way_to_another";
    with_vault(name, |vault| {
        vault.write_policy(&vault.uri(""));
        let now = SystemTime::now();
        LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        let label = ["--label", "Ravelin intermediate"];
        for class in ["privkey", "pubkey"] {
            let delete = ["--delete-object", "-y", class, label[0], label[1]];
            vault.pkcs11_tool(&delete).unwrap();
        }
        let open = || LocalAuthority::open(&vault.store(), &[], now).unwrap();
        let error = open().leaf(&names(), now).unwrap_err();
        let gone = matches!(
            &error,
            LocalError::KeyInToken {
                source: TokenError::NoKey { .. },
                ..
            }
        );
        assert!(gone, "{error:?}");
        let file = vault.file("home/ca/intermediate.pem");
        let hint = error.hint().unwrap();
        assert!(hint.ends_with(&format!("rm {}", file.display())), "{hint}");
        fs::remove_file(file).unwrap();
        let authority = open();
        verify(&authority, &authority.leaf(&names(), now).unwrap(), &[]).unwrap();
    });
}

const PART: &str = "RAVELIN_TEST_TOKEN_PART";

#[test]
fn two_processes_at_once_make_one_intermediate_and_issue_from_it() {
    let name = "token::authority::two_processes_at_once_make_one_intermediate_and_issue_from_it";
    with_vault(name, |vault| {
        let now = SystemTime::now();
        let leaf = |authority: &LocalAuthority, part: &str, number: u32| {
            let name = format!("part{part}-{number}.localhost").parse().unwrap();
            authority.leaf(&[name], now).unwrap()
        };
        if let Ok(part) = std::env::var(PART) {
            let authority = LocalAuthority::open(&vault.store(), &[], now).unwrap();
            for number in 0..10 {
                verify(&authority, &leaf(&authority, &part, number), &[]).unwrap();
            }
            return;
        }
        LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        fs::remove_file(vault.file("home/ca/intermediate.pem")).unwrap();
        vault.write_policy(&vault.uri(""));
        let parts = ["1", "2"].map(|part| vault.again(name).env(PART, part).spawn().unwrap());
        for mut part in parts {
            assert!(part.wait().unwrap().success());
        }
        // One more for each root and intermediate that was made, and no more than those.
        assert_eq!(Tokens::new().keys(&vault.uri("")).unwrap().len(), 2);
        let authority = LocalAuthority::open(&vault.store(), &[], now).unwrap();
        let issuers = [("1", 0), ("2", 9)]
            .map(|(part, number)| leaf(&authority, part, number).chain[1].clone());
        assert_eq!(issuers[0], issuers[1]);
    });
}

const NEW_ROOT: NewRoot = NewRoot {
    key_type: KeyType::EcdsaP256,
    life: Duration::from_secs(3650 * 24 * 60 * 60),
};

fn roll_over(vault: &Vault, new: NewRoot) -> Result<Rollover, LocalError> {
    let rolled = LocalAuthority::rollover(&vault.store(), &Tokens::new(), new, SystemTime::now());
    Ok(rolled?.unwrap())
}

#[test]
fn a_root_that_replaces_one_in_a_token_has_its_key_there_too() {
    let name = "token::authority::a_root_that_replaces_one_in_a_token_has_its_key_there_too";
    with_vault(name, |vault| {
        vault.write_policy(&vault.uri(""));
        let now = SystemTime::now();
        LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        let old_root = vault.read("ca/root.pem");
        let rollover = roll_over(vault, NEW_ROOT).unwrap();
        let day = time::OffsetDateTime::from(now).date();
        let label = format!("Ravelin root of {day}");
        // Another hand finds both keys, and no file has one.
        assert!(vault.holds("Ravelin root", rollover.old.public_key()));
        assert!(vault.holds(&label, rollover.new.public_key()));
        for file in fs::read_dir(vault.file("home/ca")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap_or_default();
            assert!(
                !text.contains("PRIVATE KEY") && !text.contains(PIN),
                "{text}"
            );
        }
        assert!(!vault.file("home/ca/next-root.key").exists());
        // Those who trust either root accept what is issued now.
        let authority = LocalAuthority::open(&vault.store(), &[], now).unwrap();
        let leaf = authority.leaf(&names(), now).unwrap();
        assert_eq!(leaf.chain.len(), 3);
        verify(&authority, &leaf, &["-verify_hostname", "localhost"]).unwrap();
        let chain = leaf.chain_pem();
        openssl_verify(
            &old_root,
            &chain,
            &chain,
            &["-verify_hostname", "localhost"],
        )
        .unwrap();
        // Both sign their lists.
        let lists = authority
            .crls(&authority.issuers().unwrap(), DAY, now)
            .unwrap();
        assert_eq!(lists.len(), 4);
        // The next one, on the same day, is another key.
        LocalAuthority::finish_rollover(&vault.store()).unwrap();
        let rollover = roll_over(vault, NEW_ROOT).unwrap();
        assert_eq!(
            rollover.old.public_key(),
            authority.root_certificate().public_key()
        );
        let keys =
            Tokens::new().keys(&vault.uri(&format!(";object={}", label.replace(' ', "%20"))));
        assert_eq!(keys.unwrap().len(), 2);
    });
}

#[test]
fn a_rollover_in_a_token_that_was_broken_off_goes_on_with_the_key_that_it_named() {
    let name = "token::authority::a_rollover_in_a_token_that_was_broken_off_goes_on_with_the_key_that_it_named";
    with_vault(name, |vault| {
        let now = SystemTime::now();
        LocalAuthority::init(&vault.store(), &vault.plan(), "", now).unwrap();
        let keys = || Tokens::new().keys(&vault.uri("")).unwrap().len();
        assert_eq!(keys(), 1);
        // Before the key was made, and after; of the kind that is wanted, and of another.
        for (made, key_type) in [
            (None, KeyType::EcdsaP256),
            (Some(KeyType::EcdsaP256), KeyType::EcdsaP256),
            (Some(KeyType::EcdsaP384), KeyType::EcdsaP256),
        ] {
            let uri = vault.uri("").for_new_key("named").unwrap();
            let file = vault.file("home/ca/next-root.key");
            fs::write(&file, format!("# In a token\n{uri}\n")).unwrap();
            let key = made.map(|kind| TokenKey::generate(&Tokens::new(), &uri, kind).unwrap());
            let before = keys();
            let rollover = roll_over(
                vault,
                NewRoot {
                    key_type,
                    ..NEW_ROOT
                },
            )
            .unwrap();
            let public = rollover.new.public_key();
            let uses_it = made.is_none_or(|kind| kind == key_type);
            assert_eq!(
                vault.read("ca/root.key").contains(&uri.to_string()),
                uses_it
            );
            assert!(key.is_none_or(|key| (key.public_key() == public) == uses_it));
            assert_eq!(keys() - before, usize::from(made != Some(key_type)));
            assert!(!file.exists());
            LocalAuthority::finish_rollover(&vault.store()).unwrap();
        }
        // A token that is away changes nothing.
        let before = vault.read("ca/root.pem");
        vault.softhsm(&["--delete-token", "--token", "vault"]);
        let error = roll_over(vault, NEW_ROOT).unwrap_err();
        assert!(matches!(error, LocalError::KeyInToken { .. }), "{error:?}");
        assert_eq!(vault.read("ca/root.pem"), before);
    });
}
