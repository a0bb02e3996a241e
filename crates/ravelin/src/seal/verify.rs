//! `ravelin seal verify`: does a signature hold, and is the signer's certificate trusted?

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::store::shell_word;
use ravelin_pki::verify::Revocation;
use ravelin_pki::{Judge, KeyUsage, Purpose, Question, Rules};
use ravelin_seal::signed::{Signature, SignedBy, SignedError};

use super::beside;
use super::place::{Source, unread};
use crate::arguments::seal::SealVerifyArguments;
use crate::cert::{self, verify as judging};
use crate::failure::{ANSWER_IS_NO, Failure, chain};
use crate::key::{self, ReadError};
use crate::words::seal as say;

pub(super) fn run(arguments: &SealVerifyArguments) -> Result<ExitCode, Failure> {
    let place = match &arguments.signature {
        Some(place) => place.clone(),
        None if key::is_standard(&arguments.file) => {
            return Err(Failure::usage(
                "the signature of standard input is in no file that could be guessed",
            )
            .hint("name it: ravelin seal verify - SIGNATURE".to_owned()));
        }
        None => beside(&arguments.file, ".p7s"),
    };
    let what = key::shown(&place);
    let file = key::read_file(&place).map_err(|error| unread_signature(arguments, error))?;
    let refused = |error: &SignedError| {
        let text = format!("\"{what}\": {}", chain(error));
        let failure = if error.is_answer() {
            Failure::answer(text)
        } else {
            Failure::usage(text)
        };
        failure.hint(error.hint().map(str::to_owned))
    };
    let signature = Signature::read(&file).map_err(|error| refused(&error))?;
    let mut source = Source::open(&arguments.file)?;
    let signed = signature
        .verify(&mut source)
        .map_err(|error| match &error {
            SignedError::Read(cause) => unread(source.what(), cause),
            _ => refused(&error),
        })?;
    judge(arguments, &signature, &signed)
}

/// A signature that cannot be read; one that is not where it was looked for may be elsewhere, or not be made yet.
fn unread_signature(arguments: &SealVerifyArguments, error: ReadError) -> Failure {
    let is_missing =
        matches!(&error, ReadError::Io { source, .. } if source.kind() == ErrorKind::NotFound);
    let failure = Failure::from(error);
    if !is_missing || arguments.signature.is_some() {
        return failure;
    }
    let file = shell_word(&arguments.file);
    failure.hint(format!(
        "where the signature is elsewhere: ravelin seal verify {file} SIGNATURE; \"ravelin seal sign\" makes one"
    ))
}

fn judge(
    arguments: &SealVerifyArguments,
    signature: &Signature,
    signed: &[SignedBy<'_>],
) -> Result<ExitCode, Failure> {
    let local = [PathBuf::from("local")];
    let ca = if arguments.ca.is_empty() {
        &local[..]
    } else {
        &arguments.ca
    };
    let (trust, searched) = judging::trusted(ca, &arguments.home)?;
    let mut lists = Vec::new();
    for file in &arguments.crl {
        lists.extend(judging::crls(file)?);
    }
    let mut known = signature.certificates().to_vec();
    for file in &arguments.chain {
        known.extend(cert::certificates(file)?);
    }
    let books = judging::books(&arguments.home);
    let mut rules = Rules::strict();
    if !lists.is_empty() {
        rules.revocation = Revocation::Leaf;
    } else if books.is_some() {
        rules.revocation = Revocation::WhereKnown;
    }
    let mut judge = Judge::new(&trust, rules).with_lists(lists);
    if let Some(books) = &books {
        judge = judge.with_books(books);
    }
    let question = question(arguments);
    let mut all_good = true;
    let mut answers = Vec::new();
    for by in signed {
        let verdict = judge.verify(by.certificate, &known, &question);
        let may_sign = by.certificate.key_usage().is_none_or(|usage| {
            usage.has(KeyUsage::DIGITAL_SIGNATURE) || usage.has(KeyUsage::CONTENT_COMMITMENT)
        });
        all_good &= verdict.is_valid() && may_sign;
        let answer = say::Answer {
            file: &arguments.file,
            by,
            may_sign,
            verdict: &verdict,
            question: &question,
            searched: &searched,
        };
        if arguments.json {
            answers.push(answer.json());
        } else {
            answer.say()?;
        }
    }
    if arguments.json {
        say::json(answers)?;
    }
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    })
}

fn question(arguments: &SealVerifyArguments) -> Question {
    let at = arguments.at.map_or_else(SystemTime::now, |moment| moment.0);
    let mut question = Question::at(at);
    question.mailbox.clone_from(&arguments.email);
    question.purpose = match (arguments.purpose, &arguments.email) {
        (Some(purpose), _) => purpose.purpose(),
        (None, Some(_)) => Some(Purpose::Email),
        (None, None) => None,
    };
    question
}
