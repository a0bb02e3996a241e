//! `ravelin password`: what a config keeps in place of a password.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::failure::Failure;
use crate::words;

/// Asks for a password, twice on a terminal, and prints its hash.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let password = if std::io::stdin().is_terminal() {
        ask()?
    } else {
        first_line(std::io::stdin().lock())?
    };
    if password.is_empty() {
        return Err(Failure::usage("the password is empty")
            .hint("type one, or send it: printf %s PASSWORD | ravelin password".to_owned()));
    }
    words::result(&format!("{}\n", hash(&password)?))?;
    Ok(ExitCode::SUCCESS)
}

fn ask() -> Result<String, Failure> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map_err(|error| Failure::local(format!("cannot ask for the password: {error}")))
    };
    let password = ask("Password: ")?;
    if !password.is_empty() && ask("Once more: ")? != password {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    input
        .take(LONGEST + 1)
        .read_line(&mut line)
        .map_err(|error| Failure::local(format!("cannot read the password: {error}")))?;
    if line.len() as u64 > LONGEST {
        return Err(Failure::usage(format!(
            "the password is longer than {LONGEST} bytes"
        )));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Argon2id with 19 MiB and two passes, as OWASP's Password Storage Cheat Sheet asks for at least:
/// the server pays it at each first request of a client.
fn hash(password: &str) -> Result<String, Failure> {
    let mut salt = [0; 16];
    rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| Failure::local(format!("the system gives no random bytes: {error}")))?;
    let hash = SaltString::encode_b64(&salt).and_then(|salt| {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
            .hash_password(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    });
    hash.map_err(|error| Failure::of(&error))
}

/// Longer than what any browser's dialog is used for, and no memory to speak of.
const LONGEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use argon2::{PasswordHash, PasswordVerifier};

    use super::*;

    #[test]
    fn the_hash_is_the_passwords_and_salted_anew_each_time() {
        let (one, other) = (hash("love:lace").unwrap(), hash("love:lace").unwrap());
        assert_ne!(one, other);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let verify = |password: &str| {
            Argon2::default()
                .verify_password(password.as_bytes(), &PasswordHash::new(&one).unwrap())
        };
        verify("love:lace").unwrap();
        verify("love:lac").unwrap_err();
    }

    #[test]
    fn a_line_is_read_without_its_end_and_not_for_ever() {
        assert_eq!(first_line(&b"a b \r\nc"[..]).unwrap(), "a b ");
        assert_eq!(first_line(&b""[..]).unwrap(), "");
        assert!(first_line(std::io::BufReader::new(std::io::repeat(b'a'))).is_err());
    }
}
