//! The hash that a file has to have.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::digest;

/// A hash, and by which function.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    function: &'static digest::Algorithm,
    hex: String,
}

impl FromStr for Checksum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no hash: sha256: or sha512:, and hexadecimal digits");
        let (name, hex) = text.split_once(':').ok_or_else(wrong)?;
        let function = match name.to_ascii_lowercase().as_str() {
            "sha256" => &digest::SHA256,
            "sha512" => &digest::SHA512,
            _ => return Err(wrong()),
        };
        let right = hex.len() == function.output_len() * 2
            && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !right {
            return Err(wrong());
        }
        let hex = hex.to_ascii_lowercase();
        Ok(Self { function, hex })
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex)
    }
}

impl Checksum {
    /// What a file has in place of it; none where it has it.
    pub(super) fn other_of(&self, path: &Path) -> io::Result<Option<String>> {
        let mut context = digest::Context::new(self.function);
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            context.update(&buffer[..read]);
        }
        let mut found = String::new();
        for octet in context.finish().as_ref() {
            let _ = write!(found, "{octet:02x}");
        }
        Ok((found != self.hex).then_some(found))
    }
}
