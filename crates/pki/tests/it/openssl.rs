//! The judges: openssl, and other programs beside it. A test fails where one is missing.

use std::fs;
use std::path::{Path, PathBuf};
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
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace());
        self.command(&mut command)
    }

    /// Runs a command in the folder, and gives all that it printed.
    pub(crate) fn command(&self, command: &mut Command) -> Result<String, String> {
        let program = command.get_program().to_owned();
        let output = command
            .current_dir(self.0.path())
            .output()
            .unwrap_or_else(|error| panic!("{} must be installed: {error}", program.display()));
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
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

/// The Python of `.venv`, which `./test` makes.
pub(crate) fn python() -> Command {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    assert!(
        python.exists(),
        "there is no .venv in the repository: ./test makes it"
    );
    Command::new(python)
}
