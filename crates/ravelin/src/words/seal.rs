//! What `ravelin seal` says.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, stdout};
use std::path::Path;

use ravelin_certs::store::shell_word;
use ravelin_pki::verify::Verdict;
use ravelin_pki::{Certificate, Question};
use ravelin_seal::signed::SignedBy;
use serde_json::{Value, json};

use super::show::{clean, rfc3339, safe};
use super::{DIM, GREEN, RED, result, result_bytes, tell, verify, warn};
use crate::failure::Failure;
use crate::seal::{Recipients, Tally};

/// A line of a list of checksums. For a program it is written as it is; on a terminal a file's name may do nothing
/// to it.
pub(crate) fn checksum(line: &[u8]) -> Result<(), Failure> {
    if stdout().is_terminal() {
        let text = String::from_utf8_lossy(line);
        result(&(clean(text.trim_end_matches('\n')) + "\n"))
    } else {
        result_bytes(line)
    }
}

/// What a plugin of age has to say while it works: "touch the key".
pub(crate) fn plugin(message: &str) {
    tell(format_args!("plugin       {}", clean(message)));
}

/// What became of a file in a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Checked {
    Good,
    Other,
    Unread,
}

pub(crate) fn checked(file: &Path, checked: Checked) -> Result<(), Failure> {
    let name = clean(&file.display().to_string());
    result(&match checked {
        Checked::Good => format!("{name}: {GREEN}OK{GREEN:#}\n"),
        Checked::Other => format!("{name}: {RED}FAILED{RED:#}\n"),
        Checked::Unread => format!("{name}: {RED}FAILED to read{RED:#}\n"),
    })
}

/// What is to be said of some lists as a whole, unless all is well.
pub(crate) fn tally(tally: &Tally) {
    let files = |count: usize, what: &str| match count {
        1 => format!("1 file {what}"),
        count => format!("{count} files {what}"),
    };
    if tally.other > 0 {
        warn(files(tally.other, "not as listed"));
    }
    if tally.unread > 0 {
        warn(files(tally.unread, "not to be read"));
    }
    if tally.malformed > 0 {
        let lines = if tally.malformed == 1 {
            "line is"
        } else {
            "lines are"
        };
        warn(format_args!("{} {lines} no checksum", tally.malformed));
    }
    if tally.good + tally.other + tally.unread == 0 {
        warn("none of the listed files is there");
    }
}

pub(crate) fn encrypted(file: &Path, recipients: &Recipients) {
    let whom = match recipients {
        Recipients::Passphrase => "with a passphrase".to_owned(),
        Recipients::Age(recipients) => match recipients.len() {
            1 => "for one recipient".to_owned(),
            count => format!("for {count} recipients"),
        },
        Recipients::Certificates(certificates) => {
            let titles: Vec<_> = certificates.iter().map(|one| clean(&one.title())).collect();
            format!("for {}", titles.join(", "))
        }
    };
    say!("{GREEN}encrypted{GREEN:#}    {}, {whom}", shown(file));
}

pub(crate) fn decrypted(file: &Path) {
    say!(
        "{GREEN}decrypted{GREEN:#}    {}, for you alone to read",
        shown(file)
    );
}

pub(crate) fn signed(file: &Path, by: &Certificate) {
    say!(
        "{GREEN}signed{GREEN:#}       {}, by {}",
        shown(file),
        clean(&by.title())
    );
}

pub(crate) fn made(file: &Path) {
    say!(
        "{GREEN}made{GREEN:#}         {}, for you alone to read",
        shown(file)
    );
}

pub(crate) fn recipient(recipient: &str) {
    say!("recipient    {recipient}");
}

/// How many guesses a passphrase is worth.
pub(crate) fn strength(bits: usize) {
    say!("{DIM}strength     {bits} bits{DIM:#}");
}

/// A file as a shell takes it, and as a terminal may have it.
fn shown(file: &Path) -> String {
    clean(&shell_word(file))
}

/// What is to be said of a signature that holds.
pub(crate) struct Answer<'a> {
    pub(crate) file: &'a Path,
    pub(crate) by: &'a SignedBy<'a>,
    /// Whether the certificate lets its key sign.
    pub(crate) may_sign: bool,
    pub(crate) verdict: &'a Verdict<'a>,
    pub(crate) question: &'a Question,
    pub(crate) searched: &'a [String],
}

impl Answer<'_> {
    pub(crate) fn say(&self) -> Result<(), Failure> {
        let mut text = String::new();
        let file = clean(&self.file.display().to_string());
        let _ = writeln!(
            text,
            "{GREEN}holds{GREEN:#}        {file}: signed by {}",
            clean(&self.by.certificate.title())
        );
        let _ = writeln!(
            text,
            "signature    {}{}",
            self.by.algorithm,
            self.by.at.map_or(String::new(), |at| format!(
                ", at {} as the signer says",
                rfc3339(at)
            ))
        );
        if !self.may_sign {
            let _ = writeln!(
                text,
                "{RED}no{RED:#}           the certificate does not let its key sign: its key usage lacks \
                 digitalSignature"
            );
        }
        result(&text)?;
        verify::Answer {
            file: Path::new("its certificate"),
            verdict: self.verdict,
            question: self.question,
            searched: self.searched,
            fetched: &[],
            all_paths: false,
        }
        .say()
    }

    pub(crate) fn json(&self) -> Value {
        let certificate = verify::Answer {
            file: self.file,
            verdict: self.verdict,
            question: self.question,
            searched: self.searched,
            fetched: &[],
            all_paths: false,
        };
        json!({
            "signer": self.by.certificate.title(),
            "algorithm": self.by.algorithm,
            "signed_at": self.by.at.map(rfc3339),
            "may_sign": self.may_sign,
            "certificate": certificate.json(),
        })
    }
}

pub(crate) fn json(signers: Vec<Value>) -> Result<(), Failure> {
    result(&(safe(&format!("{:#}", Value::Array(signers))) + "\n"))
}
