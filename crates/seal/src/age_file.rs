//! Files in the age format (age-encryption.org/v1), by the `age` crate: for a passphrase, for age's own keys, or for
//! those that its plugins have.
//!
//! Content is in chunks of 64 KiB, each authenticated before it is given out. What comes out before an error is
//! genuine, and cut off: it is whole only where there was no error.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::str::FromStr;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::{ExposeSecret as _, SecretString};
use age::{DecryptError, EncryptError, scrypt, tag, tagpq, x25519};
use ravelin_pki::Passphrase;
use zeroize::Zeroizing;

use head::Head;

pub use plugin::{Listener, Plugins};

mod head;
mod plugin;
mod stream;

/// Whom a file is encrypted for: what age calls a recipient.
#[derive(Clone)]
pub struct Recipient(Kind);

#[derive(Clone)]
enum Kind {
    X25519(x25519::Recipient),
    /// A key that a plugin has.
    Plugin(plugin::Recipient, Plugins),
    /// A key in hardware, on the curve P-256.
    Tag(tag::Recipient),
    /// The same, safe from quantum computers too.
    TagPostQuantum(Box<tagpq::Recipient>),
}

/// What opens files: the secret halves of recipients, or what plugins find them by.
pub struct Identities {
    keys: Vec<x25519::Identity>,
    of_plugins: Vec<plugin::Identity>,
    plugins: Plugins,
}

/// How hard it is to guess a passphrase: 2 to this power is scrypt's cost, and the memory that it takes is that
/// many KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFactor(u8);

/// What a file is closed with.
pub enum Lock<'a> {
    /// A passphrase.
    Passphrase(&'a Passphrase, WorkFactor),
    /// The keys of others.
    Recipients(&'a [Recipient]),
}

/// What a file is opened with.
pub enum Opener<'a> {
    /// A passphrase.
    Passphrase(&'a Passphrase),
    /// One's own keys.
    Identities(&'a Identities),
}

/// Why a file is not encrypted or not decrypted.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// The recipient is none.
    #[error("\"{text}\" is not a recipient of age, which begins with \"age1\"")]
    Recipient {
        /// What it is, shortened.
        text: String,
    },
    /// The recipients cannot share a file: age does not mix those that are safe from quantum computers with others.
    #[error(
        "these recipients cannot share a file: some are safe from quantum computers, and others are not"
    )]
    Mixed,
    /// There is nobody to encrypt to.
    #[error("there is no recipient")]
    NoRecipient,
    /// An identity file has something else in it. The text is not told: it may be a secret.
    #[error(
        "line {line} is no identity of age, which begins with \"AGE-SECRET-KEY-1\" or \"AGE-PLUGIN-\""
    )]
    Identity {
        /// The line, from 1.
        line: usize,
    },
    /// An identity file has no identity.
    #[error("there is no identity of age in it")]
    NoIdentity,
    /// The plugin is not on this machine.
    #[error("there is no program \"{program}\" in the PATH, which has the key")]
    NoPlugin {
        /// Its program.
        program: String,
    },
    /// A plugin refuses.
    #[error("a plugin fails: {said}")]
    Plugin {
        /// Why, in its own words.
        said: String,
    },
    /// A plugin does not do what plugins do.
    #[error("a plugin ended amid its work, or cannot be started")]
    PluginBroken(#[source] io::Error),
    /// Passphrases are text in age.
    #[error("the passphrase is not UTF-8, which the age format asks for")]
    PassphraseNotText,
    /// The passphrase is another's.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// None of the keys is one that the file is for.
    #[error("it is encrypted for other keys")]
    NoMatchingKey,
    /// It asks for a passphrase, or for keys, and was given the other.
    #[error("{}", if *.passphrase {
        "it is encrypted with a passphrase, and no key opens it"
    } else {
        "it is encrypted for keys, and no passphrase opens it"
    })]
    OtherLock {
        /// Whether it asks for a passphrase.
        passphrase: bool,
    },
    /// Trying the passphrase would take too long.
    #[error(
        "its passphrase takes 2^{required} rounds of scrypt to try, and 2^{MOST_WORK} is the limit"
    )]
    TooMuchWork {
        /// Its work factor.
        required: u8,
    },
    /// It is of a version that is not known.
    #[error("it is of a version of age that is not known")]
    Version,
    /// It was changed or cut off.
    #[error("it is damaged or cut off: {what}")]
    Damaged {
        /// Where.
        what: &'static str,
    },
    /// Reading failed.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// Writing failed.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

/// Encrypts all of `input`. Armour is base64 between two lines, for mails and terminals.
pub fn encrypt(
    lock: &Lock<'_>,
    armoured: bool,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), AgeError> {
    let (head, stream) = match lock {
        Lock::Passphrase(passphrase, work) => {
            let mut recipient = scrypt::Recipient::new(secret(passphrase)?);
            recipient.set_work_factor(work.0);
            head::make(&[&recipient])?
        }
        Lock::Recipients(recipients) => {
            let of_plugins = recipients.iter().filter_map(Recipient::of_plugin);
            let of_plugins = plugin::recipients(&of_plugins.collect::<Vec<_>>())?;
            let all = recipients.iter().filter_map(Recipient::dynamic);
            let all = all.chain(of_plugins.iter().map(|one| &**one));
            head::make(&all.collect::<Vec<_>>())?
        }
    };
    if !armoured {
        output.write_all(&head).map_err(AgeError::Write)?;
        stream.encrypt(input, output)?;
        return output.flush().map_err(AgeError::Write);
    }
    let mut armour =
        ArmoredWriter::wrap_output(output, Format::AsciiArmor).map_err(AgeError::Write)?;
    armour.write_all(&head).map_err(AgeError::Write)?;
    stream.encrypt(input, &mut armour)?;
    let output = armour.finish().map_err(AgeError::Write)?;
    output.flush().map_err(AgeError::Write)
}

/// A file whose head was read.
pub struct AgeFile<'r> {
    head: Head,
    rest: Box<dyn BufRead + 'r>,
}

impl<'r> AgeFile<'r> {
    /// Reads the head, armoured or not.
    pub fn read(input: impl Read + 'r) -> Result<Self, AgeError> {
        let mut input = BufReader::new(input);
        let beginning = input.fill_buf().map_err(AgeError::Read)?;
        // The crate's reader of armour takes what has none too, in pieces of 48 octets.
        let mut rest: Box<dyn BufRead + 'r> = if beginning.first() == Some(&b'a') {
            Box::new(input)
        } else {
            Box::new(BufReader::new(ArmoredReader::new(input)))
        };
        let head = Head::read(&mut rest)?;
        Ok(Self { head, rest })
    }

    /// Whether it is a passphrase that opens it.
    #[must_use]
    pub fn wants_passphrase(&self) -> bool {
        self.head.wants_passphrase()
    }

    /// Decrypts the whole of it.
    pub fn decrypt(mut self, opener: &Opener<'_>, output: &mut dyn Write) -> Result<(), AgeError> {
        let passphrase = self.wants_passphrase();
        let stream = match opener {
            Opener::Passphrase(given) if passphrase => {
                let mut identity = scrypt::Identity::new(secret(given)?);
                identity.set_max_work_factor(MOST_WORK);
                self.head.open(&[&identity])
            }
            Opener::Identities(identities) if !passphrase => {
                let of_plugins = plugin::identities(&identities.of_plugins, &identities.plugins)?;
                let keys = identities.keys.iter();
                let all = keys.map(|one| one as &dyn age::Identity);
                let all = all.chain(of_plugins.iter().map(|one| &**one));
                self.head.open(&all.collect::<Vec<_>>())
            }
            _ => return Err(AgeError::OtherLock { passphrase }),
        }?;
        stream.decrypt(&mut *self.rest, output)?;
        output.flush().map_err(AgeError::Write)
    }
}

impl Recipient {
    /// Those that the `age` crate encrypts to itself.
    fn dynamic(&self) -> Option<&dyn age::Recipient> {
        match &self.0 {
            Kind::X25519(recipient) => Some(recipient),
            Kind::Plugin(..) => None,
            Kind::Tag(recipient) => Some(recipient),
            Kind::TagPostQuantum(recipient) => Some(&**recipient),
        }
    }

    fn of_plugin(&self) -> Option<(&plugin::Recipient, &Plugins)> {
        match &self.0 {
            Kind::Plugin(recipient, plugins) => Some((recipient, plugins)),
            _ => None,
        }
    }

    /// The same, whose plugin, if it has one, speaks to somebody.
    #[must_use]
    pub fn with_plugins(self, plugins: &Plugins) -> Self {
        match self.0 {
            Kind::Plugin(recipient, _) => Self(Kind::Plugin(recipient, plugins.clone())),
            other => Self(other),
        }
    }

    /// The recipients of a file: one a line, and lines of comment, which begin with `#`.
    pub fn of_file(text: &str) -> Result<Vec<Self>, AgeError> {
        lines(text).map(|(_, line)| line.parse()).collect()
    }
}

impl FromStr for Recipient {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let x25519 = text.parse().map(Kind::X25519).ok();
        x25519
            .or_else(|| text.parse().map(Kind::Tag).ok())
            .or_else(|| {
                let tag = text.parse().map(Box::new);
                tag.map(Kind::TagPostQuantum).ok()
            })
            .or_else(|| {
                let plugin = text.parse().ok();
                plugin.map(|one| Kind::Plugin(one, Plugins::default()))
            })
            .map(Self)
            .ok_or_else(|| AgeError::Recipient {
                text: text.chars().take(80).collect(),
            })
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::X25519(_) => "Recipient(X25519)",
            Kind::Plugin(..) => "Recipient(plugin)",
            Kind::Tag(_) => "Recipient(P-256)",
            Kind::TagPostQuantum(_) => "Recipient(ML-KEM-768 and P-256)",
        })
    }
}

impl Identities {
    /// Those in a file: one a line, and lines of comment.
    pub fn of_file(text: &str) -> Result<Self, AgeError> {
        let (mut keys, mut of_plugins) = (Vec::new(), Vec::new());
        for (number, line) in lines(text) {
            match (line.parse(), line.parse()) {
                (Ok(key), _) => keys.push(key),
                (_, Ok(identity)) => of_plugins.push(identity),
                _ => return Err(AgeError::Identity { line: number }),
            }
        }
        if keys.is_empty() && of_plugins.is_empty() {
            return Err(AgeError::NoIdentity);
        }
        Ok(Self {
            keys,
            of_plugins,
            plugins: Plugins::default(),
        })
    }

    /// The same, whose plugins, if there are some, speak to somebody.
    #[must_use]
    pub fn with_plugins(self, plugins: &Plugins) -> Self {
        let plugins = plugins.clone();
        Self { plugins, ..self }
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.keys.len() + self.of_plugins.len();
        write!(f, "Identities({count})")
    }
}

/// A new identity as a line of an identity file, and its recipient, which anyone may know.
#[must_use]
pub fn generate() -> (Zeroizing<String>, String) {
    let identity = x25519::Identity::generate();
    let secret = Zeroizing::new(identity.to_string().expose_secret().to_owned());
    (secret, identity.to_public().to_string())
}

impl WorkFactor {
    /// What `age` itself takes: a quarter of a GiB of memory, and about a second.
    pub const USUAL: Self = Self(18);

    /// A work factor from 10 to 22.
    #[must_use]
    pub fn new(power: u8) -> Option<Self> {
        (10..=MOST_WORK).contains(&power).then_some(Self(power))
    }
}

/// The lines that say something, and their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (index + 1, line))
}

fn secret(passphrase: &Passphrase) -> Result<SecretString, AgeError> {
    let text = str::from_utf8(passphrase.as_bytes()).map_err(|_| AgeError::PassphraseNotText)?;
    Ok(SecretString::from(text.to_owned()))
}

fn of_encryption(error: EncryptError) -> AgeError {
    match error {
        EncryptError::MissingRecipients => AgeError::NoRecipient,
        // A head is written to memory: it is plugins that have files.
        EncryptError::Io(error) => AgeError::PluginBroken(error),
        EncryptError::Plugin(errors) => plugin::of_plugin(&errors),
        EncryptError::PluginResolve(error) => plugin::of_resolving(error),
        _ => AgeError::Mixed,
    }
}

fn of_decryption(error: DecryptError, passphrase: bool) -> AgeError {
    let damaged = |what| AgeError::Damaged { what };
    match error {
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys
            if passphrase =>
        {
            AgeError::WrongPassphrase
        }
        DecryptError::NoMatchingKeys => AgeError::NoMatchingKey,
        DecryptError::ExcessiveWork { required, .. } => AgeError::TooMuchWork { required },
        DecryptError::UnknownFormat => AgeError::Version,
        DecryptError::Plugin(errors) => plugin::of_plugin(&errors),
        DecryptError::PluginResolve(error) => plugin::of_resolving(error),
        DecryptError::InvalidMac => damaged("its head was changed"),
        DecryptError::Io(error) => of_content(error),
        _ => damaged("its head makes no sense"),
    }
}

/// The crate says by the kind of an error of reading that what was read is not genuine.
fn of_content(error: io::Error) -> AgeError {
    let what = match error.kind() {
        io::ErrorKind::InvalidData => "what it holds was changed",
        io::ErrorKind::UnexpectedEof => "its end is missing",
        _ => return AgeError::Read(error),
    };
    AgeError::Damaged { what }
}

/// What a file may ask for: 4 GiB of memory and some 20 seconds. Its maker chooses, and may mean harm.
const MOST_WORK: u8 = 22;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> (Identities, Vec<Recipient>) {
        let (secret, public) = generate();
        let recipients = Recipient::of_file(&format!("# me\n\n{public}\n")).unwrap();
        (Identities::of_file(&secret).unwrap(), recipients)
    }

    fn sealed(lock: &Lock<'_>, armoured: bool, content: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        encrypt(lock, armoured, &mut { content }, &mut file).unwrap();
        file
    }

    fn opened(opener: &Opener<'_>, file: &[u8]) -> Result<Vec<u8>, AgeError> {
        let mut content = Vec::new();
        AgeFile::read(file)?.decrypt(opener, &mut content)?;
        Ok(content)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn anything_comes_back(length in 0..200_000_usize, armoured: bool) {
            let (identities, recipients) = keys();
            let content: Vec<u8> = (0..length).map(|at| (at * 7) as u8).collect();
            let file = sealed(&Lock::Recipients(&recipients), armoured, &content);
            prop_assert!(opened(&Opener::Identities(&identities), &file).unwrap() == content);
        }
    }

    #[test]
    fn what_is_cut_off_anywhere_or_changed_is_refused() {
        let (identities, recipients) = keys();
        let file = sealed(&Lock::Recipients(&recipients), false, b"attack at dawn");
        let opener = Opener::Identities(&identities);
        for end in 0..file.len() {
            assert!(opened(&opener, &file[..end]).is_err(), "{end}");
            let mut changed = file.clone();
            changed[end] ^= 1;
            assert!(opened(&opener, &changed).is_err(), "{end}");
        }
        // At the border of two chunks, where nothing but the missing end tells.
        let file = sealed(&Lock::Recipients(&recipients), false, &vec![1; 65_536 * 2]);
        let cut = file.len() - 65_536 - 16;
        assert!(matches!(
            opened(&opener, &file[..cut]),
            Err(AgeError::Damaged { .. })
        ));
    }

    #[test]
    fn other_keys_and_passphrases_are_told_from_damage() {
        let (identities, recipients) = keys();
        let (others, _) = keys();
        let (right, wrong) = (Passphrase::from("right"), Passphrase::from("wrong"));
        let file = sealed(&Lock::Recipients(&recipients), true, b"x");
        let error = |opener: Opener<'_>, file: &[u8]| opened(&opener, file).unwrap_err();
        assert!(matches!(
            error(Opener::Identities(&others), &file),
            AgeError::NoMatchingKey
        ));
        assert!(matches!(
            error(Opener::Passphrase(&right), &file),
            AgeError::OtherLock { passphrase: false }
        ));
        let work = WorkFactor::new(10).unwrap();
        let file = sealed(&Lock::Passphrase(&right, work), false, b"x");
        assert_eq!(opened(&Opener::Passphrase(&right), &file).unwrap(), b"x");
        assert!(matches!(
            error(Opener::Passphrase(&wrong), &file),
            AgeError::WrongPassphrase
        ));
        assert!(matches!(
            error(Opener::Identities(&identities), &file),
            AgeError::OtherLock { passphrase: true }
        ));
    }

    #[test]
    fn a_file_that_asks_for_hours_of_work_is_refused_at_once() {
        let head = "age-encryption.org/v1\n-> scrypt 7s9ixZ9yXYZJgkDMb3AKWg 40\n\
                    W2shwHLpPNLlNCjJxyDSw4s2MbSmXPkiIpAFKuRPeFk\n--- ";
        let mac = "A".repeat(43);
        let mut file = format!("{head}{mac}\n").into_bytes();
        file.extend_from_slice(&[0; 40]);
        let passphrase = Passphrase::from("x");
        let error = opened(&Opener::Passphrase(&passphrase), &file).unwrap_err();
        assert!(
            matches!(error, AgeError::TooMuchWork { required: 40 }),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_key_is_said_without_its_text() {
        let error = Identities::of_file("# me\nAGE-SECRET-KEY-1XYZ\n").unwrap_err();
        assert!(matches!(error, AgeError::Identity { line: 2 }), "{error}");
        assert!(!error.to_string().contains("XYZ"));
        assert!(matches!(
            Identities::of_file("# nothing\n"),
            Err(AgeError::NoIdentity)
        ));
        assert!("age1nonsense".parse::<Recipient>().is_err());
    }
}
