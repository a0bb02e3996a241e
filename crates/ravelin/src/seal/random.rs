//! `ravelin seal random`: bytes, passphrases, UUIDs and keys of age.

use std::io::Write as _;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ravelin_certs::store::{NewFile, write_together};
use ravelin_pki::fingerprint::hex;
use ravelin_seal::{age_file, random};
use zeroize::Zeroizing;

use super::place::{Destination, Writing, refuse_terminal, unwritten};
use crate::arguments::seal::{RandomForm, SealRandomArguments};
use crate::failure::Failure;
use crate::key;
use crate::words::{self, seal as say};

pub(super) fn run(arguments: &SealRandomArguments) -> Result<ExitCode, Failure> {
    let form = arguments.form;
    if arguments.count.is_some() && matches!(form, RandomForm::Uuid | RandomForm::Age) {
        return Err(Failure::usage("UUIDs and keys have one length"));
    }
    if form == RandomForm::Age {
        return age(arguments);
    }
    let writing = Writing {
        force: arguments.force,
        private: true,
        held: false,
    };
    if form == RandomForm::Raw {
        refuse_terminal(&arguments.out)?;
    }
    let mut destination = Destination::open(&arguments.out, writing)?;
    let written = match form {
        RandomForm::Uuid => line(&mut destination, random::uuid()?.as_bytes()),
        RandomForm::Words => {
            let count = arguments.count.unwrap_or(WORDS);
            if count > MOST_WORDS {
                return Err(Failure::usage(format!(
                    "more than {MOST_WORDS} words help nobody"
                )));
            }
            line(&mut destination, random::words(count as usize)?.as_bytes())
        }
        _ => octets(arguments.count.unwrap_or(OCTETS), form, &mut destination)?,
    };
    written.map_err(|error| unwritten(destination.what(), &error))?;
    destination.finish()?;
    if form == RandomForm::Words {
        say::strength(arguments.count.unwrap_or(WORDS) as usize * random::BITS_OF_A_WORD);
    }
    if !key::is_standard(&arguments.out) {
        say::made(&arguments.out);
    }
    Ok(ExitCode::SUCCESS)
}

/// An identity file as age-keygen writes it, and the recipient for those who are to write to it.
fn age(arguments: &SealRandomArguments) -> Result<ExitCode, Failure> {
    let (secret, recipient) = age_file::generate();
    let file = Zeroizing::new(format!("# public key: {recipient}\n{}\n", *secret));
    if key::is_standard(&arguments.out) {
        words::result_bytes(file.as_bytes())?;
        say::recipient(&recipient);
        return Ok(ExitCode::SUCCESS);
    }
    let new = NewFile {
        path: arguments.out.clone(),
        bytes: file.as_bytes(),
        private: true,
    };
    write_together(&[new], arguments.force)
        .map_err(|error| Failure::of(&error).hint(error.hint()))?;
    say::recipient(&recipient);
    say::made(&arguments.out);
    Ok(ExitCode::SUCCESS)
}

/// Pieces that base64 writes without padding in between.
fn octets(
    count: u32,
    form: RandomForm,
    destination: &mut Destination,
) -> Result<std::io::Result<()>, Failure> {
    let mut left = count as usize;
    let mut buffer = Zeroizing::new(vec![0; PIECE.min(left)]);
    while left > 0 {
        let piece = &mut buffer[..PIECE.min(left)];
        random::fill(piece)?;
        left -= piece.len();
        let text = Zeroizing::new(match form {
            RandomForm::Base64 => STANDARD.encode(&*piece),
            RandomForm::Base64url => URL_SAFE_NO_PAD.encode(&*piece),
            RandomForm::Raw => String::new(),
            _ => hex(piece),
        });
        let written = match form {
            RandomForm::Raw => destination.write_all(piece),
            _ => destination.write_all(text.as_bytes()),
        };
        if written.is_err() {
            return Ok(written);
        }
    }
    Ok(match form {
        RandomForm::Raw => Ok(()),
        _ => destination.write_all(b"\n"),
    })
}

fn line(destination: &mut Destination, text: &[u8]) -> std::io::Result<()> {
    destination.write_all(text)?;
    destination.write_all(b"\n")
}

impl From<random::NoRandomness> for Failure {
    fn from(error: random::NoRandomness) -> Self {
        Self::of(&error)
    }
}

/// 256 bits.
const OCTETS: u32 = 32;
/// 110 bits.
const WORDS: u32 = 10;
const MOST_WORDS: u32 = 1000;

/// A multiple of 3.
const PIECE: usize = 48 << 10;
