//! The judges: openssl, and other programs beside it. A test fails where one is missing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A folder in which openssl works.
pub(crate) struct Openssl(TempDir);

impl Openssl {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs openssl in the folder, with words split at spaces, and gives all that it printed.
    pub(crate) fn run(&self, arguments: &str) -> Result<String, String> {
        self.tool("openssl", arguments)
    }

    /// Runs another program in the folder in the same way.
    pub(crate) fn tool(&self, program: &str, arguments: &str) -> Result<String, String> {
        let output = Command::new(program)
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            Ok(text)
        } else {
            Err(text)
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Where the folder is, for programs that are told.
    pub(crate) fn name(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Whether `leaf` holds below `root`, at openssl's strictest; its words if not.
    pub(crate) fn verify(
        &self,
        root: &str,
        intermediate: &str,
        leaf: &str,
        more: &str,
    ) -> Result<(), String> {
        self.write("root.pem", root);
        self.write("intermediate.pem", intermediate);
        self.write("leaf.pem", leaf);
        self.run(&format!(
            "verify -x509_strict -purpose sslserver {more} -CAfile root.pem \
             -untrusted intermediate.pem leaf.pem"
        ))
        .map(drop)
    }
}
