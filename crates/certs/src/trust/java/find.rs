//! Where the keystores of Java are looked for: the JVMs that a system, `SDKMAN!`, `IntelliJ`, Gradle
//! and their users install, and which of their keystores the system makes out of its own store.

use std::fs;
use std::path::{Path, PathBuf};

use crate::trust::TrustEnvironment;

/// A keystore, and the program to change it with.
pub(super) struct Keystore {
    /// Its file, with links resolved.
    pub(super) file: PathBuf,
    pub(super) keytool: Option<PathBuf>,
    pub(super) origin: Origin,
}

/// Who writes a keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Whoever wants to.
    Own,
    /// The system's programs put into it what is put into the system's store, and leave there what
    /// is taken out: seen with ca-certificates-java 20230710 of Debian 12.
    AddedTo,
    /// The system's programs make it anew each time.
    Made,
}

/// Folders of JVMs, from the file system's root.
const OF_SYSTEM: [&str; 6] = [
    "usr/lib/jvm",
    "usr/lib64/jvm",
    "usr/java",
    "Library/Java/JavaVirtualMachines",
    "Program Files/Java",
    "Program Files/Eclipse Adoptium",
];

/// Folders of JVMs below the home folder.
const OF_USER: [&str; 4] = [
    ".sdkman/candidates/java",
    ".jdks",
    ".gradle/jdks",
    "Library/Java/JavaVirtualMachines",
];

/// Where a JVM keeps its keystores: since Java 9, and before. `jssecacerts` is read in place of
/// `cacerts` where it is.
const KEYSTORES: [&str; 4] = [
    "lib/security/jssecacerts",
    "lib/security/cacerts",
    "jre/lib/security/jssecacerts",
    "jre/lib/security/cacerts",
];

/// Debian's, Alpine's and Arch's keystore for all JVMs.
const SHARED: &str = "etc/ssl/certs/java/cacerts";

/// Keystores that a system's program always makes together with its bundle: p11-kit's on Fedora
/// and Arch, and openSUSE's.
const FOLLOWING: [&str; 3] = [
    "etc/pki/ca-trust/extracted/java/cacerts",
    "etc/ca-certificates/extracted/java-cacerts.jks",
    "var/lib/ca-certificates/java-cacerts",
];

/// Programs that `update-ca-certificates` runs when it has made its bundle: that of Debian's
/// ca-certificates-java, which writes [`SHARED`], and of Alpine's java-cacerts, which makes it.
const HOOKS: [(&str, Origin); 2] = [
    ("etc/ca-certificates/update.d/jks-keystore", Origin::AddedTo),
    ("etc/ca-certificates/update.d/java-cacerts", Origin::Made),
];

/// Every keystore there is, each once, however many links lead to it.
pub(super) fn keystores(environment: &TrustEnvironment) -> Vec<Keystore> {
    let jvms = jvms(environment);
    let of_path = environment.program("keytool");
    let mut keystores: Vec<Keystore> = Vec::new();
    let mut add = |file: PathBuf, keytool: Option<PathBuf>| {
        let Ok(file) = file.canonicalize() else {
            return;
        };
        if file.is_file() && !keystores.iter().any(|other| other.file == file) {
            keystores.push(Keystore {
                origin: origin(&file, environment),
                file,
                keytool,
            });
        }
    };
    let keytools: Vec<Option<PathBuf>> = jvms
        .iter()
        .map(|jvm| keytool_of(jvm, environment).or_else(|| of_path.clone()))
        .collect();
    let any = of_path.or_else(|| keytools.iter().flatten().next().cloned());
    for (jvm, keytool) in jvms.iter().zip(keytools) {
        for keystore in KEYSTORES {
            add(jvm.join(keystore), keytool.clone().or_else(|| any.clone()));
        }
    }
    // It is there where no Java is, too, and of no concern then.
    if any.is_some() {
        add(environment.path(SHARED), any);
    }
    keystores
}

/// The home folders of JVMs.
fn jvms(environment: &TrustEnvironment) -> Vec<PathBuf> {
    let mut jvms: Vec<PathBuf> = environment.java_home.iter().cloned().collect();
    let of_system = OF_SYSTEM.map(|folder| environment.path(folder));
    let home = environment.home.iter();
    let of_user = home.flat_map(|home| OF_USER.map(|folder| home.join(folder)));
    for folder in of_system.into_iter().chain(of_user) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut inside: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        inside.sort();
        jvms.extend(inside);
    }
    // The one of PATH: its programs are links into it. What is not on the file system that is
    // looked at, but on the one that tests run on, is left alone.
    let top = environment.filesystem.canonicalize().ok();
    let programs = ["java", "keytool"].map(|name| environment.program(name));
    jvms.extend(programs.into_iter().flatten().filter_map(|program| {
        let program = program.canonicalize().ok()?;
        let jvm = program.parent()?.parent()?;
        jvm.starts_with(top.as_ref()?).then(|| jvm.to_owned())
    }));
    // Apple's layout.
    jvms.into_iter()
        .map(|jvm| {
            let inside = jvm.join("Contents/Home");
            if inside.is_dir() { inside } else { jvm }
        })
        .collect()
}

fn keytool_of(jvm: &Path, environment: &TrustEnvironment) -> Option<PathBuf> {
    let program = environment.executable("keytool");
    [jvm.join("bin"), jvm.join("jre/bin")]
        .map(|folder| folder.join(&program))
        .into_iter()
        .find(|program| program.is_file())
}

/// Who writes a keystore, whose links are resolved.
fn origin(file: &Path, environment: &TrustEnvironment) -> Origin {
    let is = |place: &str| {
        let place = environment.path(place).canonicalize();
        place.is_ok_and(|place| place == file)
    };
    if FOLLOWING.into_iter().any(is) {
        return Origin::Made;
    }
    let hook = HOOKS
        .into_iter()
        .find(|(hook, _)| is(SHARED) && environment.path(hook).exists());
    hook.map_or(Origin::Own, |(_, origin)| origin)
}
