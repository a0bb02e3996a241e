//! What `ravelin key` says.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_certs::store::shell_word;
use ravelin_pki::{KeyForm, PrivateKey};
use serde_json::json;

use super::{GREEN, result, tell};
use crate::failure::Failure;

pub(crate) fn made(key: &PrivateKey, file: &Path, encrypted: bool) {
    written("made", key, file, encrypted);
}

pub(crate) fn converted(key: &PrivateKey, file: &Path, encrypted: bool) {
    written("wrote", key, file, encrypted);
}

fn written(done: &str, key: &PrivateKey, file: &Path, encrypted: bool) {
    let protection = if encrypted {
        "encrypted"
    } else {
        "for you alone to read"
    };
    say!(
        "{GREEN}{done:<12}{GREEN:#} {}: {}, {protection}",
        shell_word(file),
        key.key_type()
    );
}

/// What everyone may know of a key.
pub(crate) fn page(key: &PrivateKey, encrypted: bool) -> Result<(), Failure> {
    let lines = [
        ("kind", key.key_type().to_string()),
        ("form", form(key.form(), encrypted)),
        (
            "SHA-256",
            format!("{} of the public key", key.public_fingerprint()),
        ),
        ("pin", pin(key)),
    ];
    let lines = lines.map(|(name, value)| {
        format!(
            "{name:<12} {value}
"
        )
    });
    result(&lines.concat())
}

pub(crate) fn json(key: &PrivateKey, encrypted: bool) -> Result<(), Failure> {
    let facts = json!({
        "kind": key.key_type().to_string(),
        "form": key.form().name(),
        "encrypted": encrypted,
        "public_key_sha256": key.public_fingerprint().to_string(),
        "pin_sha256": pin(key),
    });
    result(&format!("{facts:#}\n"))
}

fn form(form: KeyForm, encrypted: bool) -> String {
    if encrypted {
        format!("{}, encrypted with a passphrase", form.name())
    } else {
        form.name().to_owned()
    }
}

/// The pin of RFC 7469, section 2.4, which curl takes as `--pinnedpubkey sha256//…`.
fn pin(key: &PrivateKey) -> String {
    STANDARD.encode(key.public_fingerprint().as_bytes())
}
