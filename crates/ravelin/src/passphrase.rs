//! Passphrases: asked for on the terminal, or read from where they were put. Never an argument, which
//! everyone on the machine could read, nor the environment, which programs inherit.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal, Read, Write as _};
use std::path::{Path, PathBuf};

use ravelin_certs::token::{Tokens, TriesLeft};
use ravelin_pki::Passphrase;
use zeroize::Zeroizing;

use crate::arguments::key::{PassphraseArguments, ProtectionArguments};
use crate::failure::Failure;

/// The passphrase of something that was found to be encrypted, called `what`.
pub(crate) fn of_existing(
    arguments: &PassphraseArguments,
    what: &str,
) -> Result<Passphrase, Failure> {
    match source(
        arguments.passphrase_file.as_deref(),
        arguments.passphrase_fd,
    ) {
        Some(place) => first_line(&place),
        None => ask(
            &format!("Passphrase of {what}: "),
            "--passphrase-file FILE, or --passphrase-fd N",
        ),
    }
}

/// The passphrase that something is to be encrypted with; none where it is not.
pub(crate) fn of_new(
    arguments: &ProtectionArguments,
    what: &str,
) -> Result<Option<Passphrase>, Failure> {
    let place = source(
        arguments.new_passphrase_file.as_deref(),
        arguments.new_passphrase_fd,
    );
    if place.is_none() && !arguments.encrypt {
        return Ok(None);
    }
    let passphrase = match place {
        Some(place) => first_line(&place)?,
        None => ask_twice(what)?,
    };
    if passphrase.is_empty() {
        return Err(Failure::usage("the new passphrase is empty"));
    }
    Ok(Some(passphrase))
}

/// The passphrase that something has to be encrypted with.
pub(crate) fn of_new_required(
    arguments: &ProtectionArguments,
    what: &str,
) -> Result<Passphrase, Failure> {
    match of_new(arguments, what)? {
        Some(passphrase) => Ok(passphrase),
        None => ask_twice(what),
    }
}

/// PKCS#11 tokens, whose PINs are asked for where their URIs name no file.
pub(crate) fn tokens() -> Tokens {
    Tokens::asking(|request| {
        let token: String = request.token.escape_debug().collect();
        let left = match request.left {
            TriesLeft::Enough => "",
            TriesLeft::Fewer => ", fewer tries left",
            TriesLeft::One => ", one try left",
            TriesLeft::None => ", locked",
        };
        let prompt = format!("PIN of the token \"{token}\"{left}: ");
        ask(&prompt, "pin-source=file:/… in the token's URI").ok()
    })
}

/// Something secret that a plugin of age asks for, in its own words. None where nobody can be asked.
pub(crate) fn asked_by_plugin(question: &str) -> Option<Passphrase> {
    let prompt = format!("{}: ", question.escape_debug());
    ask(&prompt, "a terminal").ok()
}

/// Something that may be seen while it is typed. None where nobody can be asked.
pub(crate) fn typed(question: &str) -> Option<Zeroizing<String>> {
    // As passphrases are: standard input stays data.
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    write!(terminal, "{}: ", question.escape_debug()).ok()?;
    let mut line = Zeroizing::new(String::new());
    let mut typed = BufReader::new(terminal.take(LONGEST as u64));
    typed.read_line(&mut line).ok()?;
    Some(Zeroizing::new(line.trim_end().to_owned()))
}

fn ask_twice(what: &str) -> Result<Passphrase, Failure> {
    let hint = "--new-passphrase-file FILE, or --new-passphrase-fd N";
    let first = ask(&format!("New passphrase for {what}: "), hint)?;
    if first.as_bytes() != ask("Once more: ", hint)?.as_bytes() {
        return Err(Failure::usage("the two passphrases differ"));
    }
    Ok(first)
}

fn source(file: Option<&Path>, descriptor: Option<u32>) -> Option<PathBuf> {
    file.map(Path::to_owned)
        .or_else(|| descriptor.map(|number| PathBuf::from(format!("/dev/fd/{number}"))))
}

fn ask(prompt: &str, options: &str) -> Result<Passphrase, Failure> {
    // rpassword asks on /dev/tty whatever standard input is: what is piped in stays data.
    if !std::io::stderr().is_terminal() && !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "a passphrase is needed, and there is no terminal to ask for it",
        )
        .hint(format!("give it with {options}")));
    }
    rpassword::prompt_password(prompt)
        .map(Passphrase::from)
        .map_err(|error| Failure::local(format!("cannot ask for the passphrase: {error}")))
}

fn first_line(place: &Path) -> Result<Passphrase, Failure> {
    let unreadable = |error| {
        Failure::local(format!(
            "cannot read the passphrase from \"{}\": {error}",
            place.display()
        ))
    };
    let mut octets = Vec::with_capacity(LONGEST + 2);
    File::open(place)
        .and_then(|file| file.take(LONGEST as u64 + 2).read_to_end(&mut octets))
        .map_err(unreadable)?;
    let end = octets.iter().position(|octet| *octet == b'\n');
    octets.truncate(end.unwrap_or(octets.len()));
    if octets.last() == Some(&b'\r') {
        octets.pop();
    }
    if octets.len() > LONGEST {
        return Err(Failure::usage(format!(
            "the passphrase in \"{}\" is longer than {LONGEST} bytes",
            place.display()
        )));
    }
    Ok(Passphrase::from(octets))
}

/// Longer than what anyone types.
const LONGEST: usize = 1024;
