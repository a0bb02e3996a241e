//! The secrets of connections, as NSS began to write them down and all others do.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ravelin_pki::fingerprint::hex;
use ravelin_tls::Witness;
use rustls::KeyLog;

use crate::failure::Failure;

/// A file to which secrets are appended. A new one can be read by its owner alone.
#[derive(Debug)]
struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| {
                Failure::local(format!("cannot write to \"{}\": {error}", path.display()))
            })?;
        Ok(Self(Mutex::new(file)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, so that lines of several programs do not mix. What cannot be written is for nobody's harm.
        let _ = file.write_all(line.as_bytes());
    }
}

/// Who writes down the secrets of all connections in this file.
pub(crate) fn witness(path: &Path) -> Result<Witness, Failure> {
    Ok(Witness {
        groups: ravelin_tls::policy::GROUPS.to_vec(),
        key_log: Arc::new(KeyLogFile::open(path)?),
    })
}
