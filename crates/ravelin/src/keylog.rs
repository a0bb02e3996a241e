//! The secrets of connections, as NSS began to write them down and all others do.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

use crate::failure::Failure;

/// A file to which secrets are appended. A new one can be read by its owner alone.
#[derive(Debug)]
pub(crate) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
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
        let mut line = format!("{label} ");
        hex(&mut line, client_random);
        line.push(' ');
        hex(&mut line, secret);
        line.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, so that lines of several programs do not mix. What cannot be written is for nobody's harm.
        let _ = file.write_all(line.as_bytes());
    }
}

fn hex(line: &mut String, octets: &[u8]) {
    for octet in octets {
        let _ = write!(line, "{octet:02x}");
    }
}
