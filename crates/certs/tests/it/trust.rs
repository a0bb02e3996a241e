//! Trust stores, in a home folder and a file system of their own: Debian's own
//! `update-ca-certificates` and NSS's own `certutil` change them, `certutil` and Python look. Other
//! databases, keystores and systems have a module each.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ravelin_certs::trust::{self, Outcome, Platform, TrustEnvironment, TrustStore, TrustedRoot};
use ravelin_certs::{FileStore, LocalAuthority};
use tempfile::TempDir;

use crate::judges::run;

mod elsewhere;
mod families;
mod java;
mod nss;

/// A machine of its own: home folder, Debian's folders, and a store with a local CA.
struct Machine {
    folder: TempDir,
    authority: LocalAuthority,
    environment: TrustEnvironment,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for below in [
            "home",
            "bin",
            "usr/local/share/ca-certificates",
            "usr/share/ca-certificates",
            "etc/ssl/certs",
            "hooks",
        ] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        // With no root at all, update-ca-certificates writes no bundle.
        fs::write(root.join("etc/ca-certificates.conf"), "stock.crt\n").unwrap();
        let stock = FileStore::open(root.join("stock")).unwrap();
        let stock = LocalAuthority::open(&stock, &[], SystemTime::now()).unwrap();
        let file = root.join("usr/share/ca-certificates/stock.crt");
        fs::write(file, stock.root_pem()).unwrap();
        // The system's own program, told to leave this system alone.
        let wrapper = root.join("bin/update-ca-certificates");
        let text = format!(
            "#!/bin/sh\nexec /usr/sbin/update-ca-certificates --certsconf {0}/etc/ca-certificates.conf \
             --certsdir {0}/usr/share/ca-certificates \
             --localcertsdir {0}/usr/local/share/ca-certificates --etccertsdir {0}/etc/ssl/certs \
             --hooksdir {0}/hooks \"$@\"\n",
            root.display()
        );
        program(&wrapper, &text);
        let programs = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
        let environment = TrustEnvironment {
            platform: Platform::Linux,
            home: Some(root.join("home")),
            config_home: Some(root.join("home/.config")),
            java_home: None,
            data_home: Some(root.join("home/.local/share")),
            filesystem: root.to_owned(),
            programs: [vec![root.join("bin")], programs.to_vec()].concat(),
        };
        let store = FileStore::open(root.join("store")).unwrap();
        let authority = LocalAuthority::open(&store, &[], SystemTime::now()).unwrap();
        Self {
            folder,
            authority,
            environment,
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn root(&self) -> TrustedRoot<'_> {
        TrustedRoot {
            certificate: self.authority.root_certificate(),
            file: Path::new("/home/ann/.local/share/ravelin/ca/root.pem"),
        }
    }

    fn outcomes(
        &self,
        act: fn(TrustedRoot<'_>, &TrustEnvironment) -> Vec<trust::TrustChange>,
    ) -> Vec<Outcome> {
        let changes = act(self.root(), &self.environment);
        changes.into_iter().map(|change| change.outcome).collect()
    }

    fn nss_database(&self, below: &str) {
        let folder = self.path(below);
        fs::create_dir_all(&folder).unwrap();
        let database = format!("sql:{}", folder.display());
        let (made, text) = run("certutil", &["-N", "--empty-password", "-d", &database]);
        assert!(made, "{text}");
    }

    fn certutil_lists(&self, below: &str) -> String {
        let database = format!("sql:{}", self.path(below).display());
        let (listed, text) = run("certutil", &["-L", "-d", &database]);
        assert!(listed, "{text}");
        text
    }

    /// Whether Python's ssl, given the bundle of this machine, trusts the root.
    fn python_trusts(&self) -> bool {
        let script = "import ssl, sys\n\
             context = ssl.create_default_context(cafile=sys.argv[1])\n\
             names = [dict(sum(c['subject'], ()))['commonName'] for c in context.get_ca_certs()]\n\
             sys.exit(0 if sys.argv[2] in names else 9)";
        let bundle = self.path("etc/ssl/certs/ca-certificates.crt");
        let name = self.authority.root_certificate().common_name().unwrap();
        run("python3", &["-c", script, bundle.to_str().unwrap(), name]).0
    }
}

/// Writes a script that can be run.
fn program(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_root_goes_into_all_stores_and_out_again() {
    let machine = Machine::new();
    machine.nss_database("home/.mozilla/firefox/ab12.default");
    machine.nss_database("home/snap/firefox/common/.mozilla/firefox/cd34.default");
    let name = machine.authority.root_certificate().common_name().unwrap();
    let stores = [
        "home/.pki/nssdb",
        "home/.mozilla/firefox/ab12.default",
        "home/snap/firefox/common/.mozilla/firefox/cd34.default",
    ];
    let in_system =
        || trust::is_trusted_by_system(machine.root().certificate, &machine.environment);
    assert!(!in_system());

    assert_eq!(machine.outcomes(trust::install), vec![Outcome::Added; 4]);
    for store in stores {
        let list = machine.certutil_lists(store);
        assert!(list.contains(name) && list.contains("C,,"), "{list}");
    }
    assert!(in_system() && machine.python_trusts());

    let again = machine.outcomes(trust::install);
    assert_eq!(again, vec![Outcome::AlreadyThere; 4]);
    assert_eq!(machine.outcomes(trust::status), again);

    assert_eq!(machine.outcomes(trust::remove), vec![Outcome::Removed; 4]);
    for store in stores {
        let list = machine.certutil_lists(store);
        assert!(!list.contains("Ravelin"), "{list}");
    }
    assert!(!in_system() && !machine.python_trusts());
    let links = fs::read_dir(machine.path("etc/ssl/certs")).unwrap();
    let dangling = links
        .map(|link| link.unwrap().path())
        .find(|path| !path.exists());
    assert_eq!(dangling, None, "a link to the root was left");
    let local = fs::read_dir(machine.path("usr/local/share/ca-certificates")).unwrap();
    assert_eq!(local.count(), 0);
    assert_eq!(machine.outcomes(trust::remove), vec![Outcome::NotThere; 4]);
    assert_eq!(machine.outcomes(trust::status), vec![Outcome::NotThere; 4]);
}

/// NSS itself, which Firefox and Chromium build on, takes the chain for a server's.
#[test]
fn nss_verifies_a_leaf_below_the_root() {
    let machine = Machine::new();
    let _ = trust::install(machine.root(), &machine.environment);
    let names = ["localhost", "a.test", "127.0.0.1", "::1"].map(|name| name.parse().unwrap());
    let leaf = machine.authority.leaf(&names, SystemTime::now()).unwrap();
    let database = format!("sql:{}", machine.path("home/.pki/nssdb").display());
    for (index, der) in leaf.chain.iter().enumerate() {
        let file = machine.path("chain.der");
        fs::write(&file, der).unwrap();
        let name = format!("chain-{index}");
        let file = file.to_str().unwrap();
        let (added, text) = run(
            "certutil",
            &["-A", "-d", &database, "-n", &name, "-t", ",,", "-i", file],
        );
        assert!(added, "{text}");
    }
    let verify = || {
        run(
            "certutil",
            &["-V", "-d", &database, "-n", "chain-0", "-u", "V", "-e"],
        )
    };
    let (valid, text) = verify();
    assert!(valid && text.contains("certificate is valid"), "{text}");
    let _ = trust::remove(machine.root(), &machine.environment);
    assert!(!verify().0, "nothing else makes it valid");
}

#[test]
fn the_roots_of_others_stay() {
    let machine = Machine::new();
    let other = LocalAuthority::open(
        &FileStore::open(machine.path("other")).unwrap(),
        &[],
        SystemTime::now(),
    )
    .unwrap();
    let other_root = TrustedRoot {
        certificate: other.root_certificate(),
        file: Path::new("/other.pem"),
    };
    let _ = trust::install(other_root, &machine.environment);
    assert_eq!(machine.outcomes(trust::install), vec![Outcome::Added; 2]);
    assert_eq!(machine.outcomes(trust::remove), vec![Outcome::Removed; 2]);
    let left = trust::status(other_root, &machine.environment);
    assert!(
        left.iter()
            .all(|change| change.outcome == Outcome::AlreadyThere),
        "{left:?}"
    );
}

#[test]
fn an_untrusted_root_in_a_database_becomes_trusted() {
    let machine = Machine::new();
    machine.nss_database("home/.pki/nssdb");
    let pem = machine.path("root.pem");
    fs::write(&pem, machine.authority.root_pem()).unwrap();
    let database = format!("sql:{}", machine.path("home/.pki/nssdb").display());
    let name = machine.authority.root_certificate().common_name().unwrap();
    let (added, text) = run(
        "certutil",
        &[
            "-A",
            "-d",
            &database,
            "-n",
            name,
            "-t",
            ",,",
            "-i",
            pem.to_str().unwrap(),
        ],
    );
    assert!(added, "{text}");
    assert_eq!(machine.outcomes(trust::status)[1], Outcome::NotThere);
    assert_eq!(machine.outcomes(trust::install)[1], Outcome::Added);
    assert!(machine.certutil_lists("home/.pki/nssdb").contains("C,,"));
}

#[test]
fn what_is_missing_is_told_with_the_command_that_helps() {
    let mut machine = Machine::new();
    let apt = machine.path("bin/apt-get");
    fs::write(&apt, "").unwrap();
    fs::remove_dir_all(machine.path("usr/local")).unwrap();
    machine.environment.programs = vec![machine.path("bin")];
    let changes = trust::install(machine.root(), &machine.environment);
    assert_eq!(changes[0].store, TrustStore::System { anchors: None });
    for (change, hint) in changes.iter().zip(["ca-certificates", "libnss3-tools"]) {
        let Outcome::Failed {
            hint: Some(text), ..
        } = &change.outcome
        else {
            panic!("{change:?}");
        };
        assert_eq!(*text, format!("sudo apt-get install {hint}"));
    }
    assert!(!machine.path("home/.pki").exists(), "nothing is half-made");
}

#[test]
fn a_database_that_is_broken_or_locked_is_told_and_the_others_go_on() {
    let machine = Machine::new();
    let broken = machine.path("home/.mozilla/firefox/broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("cert9.db"), "this is no database").unwrap();
    // A database with a password: only its owner can change what it trusts.
    let locked = machine.path("home/.mozilla/firefox/locked");
    fs::create_dir_all(&locked).unwrap();
    fs::write(locked.join("password"), "secret-9\n").unwrap();
    let database = format!("sql:{}", locked.display());
    let password = locked.join("password");
    let (made, text) = run(
        "certutil",
        &["-N", "-d", &database, "-f", password.to_str().unwrap()],
    );
    assert!(made, "{text}");
    let outcomes = machine.outcomes(trust::install);
    assert_eq!(outcomes[..2], [Outcome::Added, Outcome::Added]);
    assert!(
        matches!(outcomes[2], Outcome::Failed { .. }),
        "{outcomes:?}"
    );
    assert!(
        matches!(&outcomes[3], Outcome::Failed { hint: Some(hint), .. } if hint.contains("Firefox's settings")),
        "{outcomes:?}"
    );
}

#[test]
fn a_program_that_fails_leaves_nothing_behind() {
    let machine = Machine::new();
    let program = machine.path("bin/update-ca-certificates");
    fs::write(&program, "#!/bin/sh\necho 'no luck' >&2\nexit 1\n").unwrap();
    let outcomes = machine.outcomes(trust::install);
    assert!(
        matches!(&outcomes[0], Outcome::Failed { why, .. } if why.contains("no luck")),
        "{outcomes:?}"
    );
    let local = fs::read_dir(machine.path("usr/local/share/ca-certificates")).unwrap();
    assert_eq!(local.count(), 0);
}
