//! The programs that trust stores are read and changed with: where they are, how they are run, what
//! they say when they fail, and how missing ones are installed.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Platform, TrustEnvironment};

impl TrustEnvironment {
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let file = self.executable(name);
        self.programs
            .iter()
            .map(|folder| folder.join(&file))
            .find(|program| program.is_file())
    }

    /// The name of a program's file.
    pub(super) fn executable(&self, name: &str) -> String {
        match self.platform {
            Platform::Windows => format!("{name}.exe"),
            Platform::Linux | Platform::MacOs => name.to_owned(),
        }
    }

    /// The command that installs a package here, by the package managers that are there.
    pub(super) fn install_command(&self, package: Package) -> Option<String> {
        PACKAGE_MANAGERS
            .iter()
            .find(|manager| self.program(manager.program).is_some())
            .map(|manager| {
                let package = match package {
                    Package::NssTools => manager.nss_tools,
                    Package::Certificates => "ca-certificates",
                    Package::Java => manager.java,
                };
                format!("{} {package}", manager.install)
            })
    }

    /// Runs a program with `input`, and gives what it wrote to standard output.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String, String> {
        let output = self.output(program, arguments, input)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(complaint(program, &output, &output.stderr))
    }

    /// Runs a program with `input`, in the language that this code reads.
    pub(super) fn output<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<Output, String> {
        let path = std::env::join_paths(&self.programs).unwrap_or_default();
        let run = || -> std::io::Result<_> {
            let mut child = Command::new(program)
                .args(arguments)
                .env("PATH", path)
                .env("LC_ALL", "C")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // A program that ends without reading tells why by its status.
                let _ = stdin.write_all(input.as_bytes());
            }
            child.wait_with_output()
        };
        run().map_err(|error| format!("\"{}\" cannot be run: {error}", name(program)))
    }
}

/// Why a program failed, in the words that it `said`.
pub(super) fn complaint(program: &Path, output: &Output, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let said = said.trim().replace('\n', " ");
    if said.is_empty() {
        format!("\"{}\" ended with {}", name(program), output.status)
    } else {
        format!("\"{}\" failed: {said}", name(program))
    }
}

fn name(program: &Path) -> impl fmt::Display {
    program.file_name().unwrap_or_default().display()
}

/// What a hint may tell to install.
#[derive(Debug, Clone, Copy)]
pub(super) enum Package {
    NssTools,
    Certificates,
    Java,
}

struct PackageManager {
    program: &'static str,
    /// The command, without the package.
    install: &'static str,
    /// The package of NSS's `certutil`.
    nss_tools: &'static str,
    /// A package with a `keytool`.
    java: &'static str,
}

const PACKAGE_MANAGERS: [PackageManager; 7] = [
    PackageManager {
        program: "apt-get",
        install: "sudo apt-get install",
        nss_tools: "libnss3-tools",
        java: "default-jre-headless",
    },
    PackageManager {
        program: "dnf",
        install: "sudo dnf install",
        nss_tools: "nss-tools",
        java: "java-latest-openjdk-headless",
    },
    PackageManager {
        program: "yum",
        install: "sudo yum install",
        nss_tools: "nss-tools",
        java: "java-21-openjdk-headless",
    },
    PackageManager {
        program: "pacman",
        install: "sudo pacman -S",
        nss_tools: "nss",
        java: "jre-openjdk-headless",
    },
    PackageManager {
        program: "zypper",
        install: "sudo zypper install",
        nss_tools: "mozilla-nss-tools",
        java: "java-21-openjdk-headless",
    },
    PackageManager {
        program: "apk",
        install: "sudo apk add",
        nss_tools: "nss-tools",
        java: "openjdk21-jre-headless",
    },
    PackageManager {
        program: "brew",
        install: "brew install",
        nss_tools: "nss",
        java: "openjdk",
    },
];
