//! Fedora, Arch and openSUSE, as far as a file system and a program that writes a bundle go: what
//! is written where, and which program is run with which arguments.

use std::fs;

use ravelin_certs::trust::{self, Outcome, TrustStore};

use super::{Machine, program};

struct Family {
    anchors: &'static str,
    /// The only call that the family's program takes after a root was put in.
    add: &'static str,
    /// The same after one was taken out.
    remove: &'static str,
    bundle: &'static str,
    suffix: &'static str,
}

const FAMILIES: [Family; 3] = [
    // update-ca-trust(8) of Fedora's ca-certificates.
    Family {
        anchors: "etc/pki/ca-trust/source/anchors",
        add: "update-ca-trust extract",
        remove: "update-ca-trust extract",
        bundle: "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        suffix: "pem",
    },
    // update-ca-trust(8) of Arch's ca-certificates-utils.
    Family {
        anchors: "etc/ca-certificates/trust-source/anchors",
        add: "update-ca-trust",
        remove: "update-ca-trust",
        bundle: "etc/ca-certificates/extracted/tls-ca-bundle.pem",
        suffix: "crt",
    },
    // update-ca-certificates(8) of openSUSE.
    Family {
        anchors: "etc/pki/trust/anchors",
        add: "update-ca-certificates",
        remove: "update-ca-certificates",
        bundle: "etc/ssl/ca-bundle.pem",
        suffix: "pem",
    },
];

impl Family {
    /// A machine of this family: its program writes a bundle of all roots, with other lines between
    /// them and of another length, as p11-kit and openssl do.
    fn machine(&self) -> Machine {
        let machine = Machine::new();
        fs::remove_dir_all(machine.path("usr/local")).unwrap();
        fs::create_dir_all(machine.path(self.anchors)).unwrap();
        fs::create_dir_all(machine.path(self.bundle).parent().unwrap()).unwrap();
        let (name, _) = self.add.split_once(' ').unwrap_or((self.add, ""));
        let text = format!(
            "#!/bin/sh\n\
             echo \"{name}${{1:+ $*}}\" >> {0}/ran\n\
             for file in {0}/{1}/*.{2}; do\n\
             [ ! -e \"$file\" ] || {{ echo '# A root'; openssl x509 -in \"$file\"; echo; }}\n\
             done > {0}/{3}\n",
            machine.path("").display(),
            self.anchors,
            self.suffix,
            self.bundle
        );
        program(&machine.path("bin").join(name), &text);
        machine
    }
}

#[test]
fn each_family_has_its_folder_its_program_and_its_bundle() {
    for family in FAMILIES {
        let machine = family.machine();
        let ran = || fs::read_to_string(machine.path("ran")).unwrap_or_default();
        let changes = trust::install(machine.root(), &machine.environment);
        assert_eq!(changes[0].outcome, Outcome::Added, "{}", family.anchors);
        let store = TrustStore::System {
            anchors: Some(machine.path(family.anchors)),
        };
        assert_eq!(changes[0].store, store);
        assert_eq!(ran(), format!("{}\n", family.add));
        let files: Vec<_> = fs::read_dir(machine.path(family.anchors))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].extension().unwrap(), family.suffix);

        assert_eq!(machine.outcomes(trust::status)[0], Outcome::AlreadyThere);
        assert_eq!(machine.outcomes(trust::install)[0], Outcome::AlreadyThere);
        assert_eq!(ran(), format!("{}\n", family.add), "not run in vain");

        assert_eq!(machine.outcomes(trust::remove)[0], Outcome::Removed);
        assert_eq!(ran(), format!("{}\n{}\n", family.add, family.remove));
        assert!(!files[0].exists());
        assert_eq!(machine.outcomes(trust::status)[0], Outcome::NotThere);
    }
}

#[test]
fn a_program_that_is_missing_is_told_and_nothing_stays_behind() {
    for family in FAMILIES {
        let mut machine = family.machine();
        machine.environment.programs = Vec::new();
        let outcome = machine.outcomes(trust::install).swap_remove(0);
        let Outcome::Failed {
            why,
            hint: Some(hint),
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        let (name, _) = family.add.split_once(' ').unwrap_or((family.add, ""));
        assert!(why.contains(name), "{why}");
        assert!(hint.ends_with(&format!("&& sudo {}", family.add)), "{hint}");
        let left = fs::read_dir(machine.path(family.anchors)).unwrap();
        assert_eq!(left.count(), 0);
    }
}
