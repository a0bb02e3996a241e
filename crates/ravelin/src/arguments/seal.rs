//! `ravelin seal`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ravelin_pki::Mailbox;
use ravelin_seal::age_file::WorkFactor;
use ravelin_seal::hash::Algorithm;
use ravelin_seal::openssl_enc;

use super::HomeArgument;
use super::cert::{Moment, VerifiedPurpose};
use super::key::PassphraseArguments;

/// Hash, encrypt and sign files
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    ravelin seal hash --check SHA256SUMS\n  \
    ravelin seal encrypt notes.txt\n  \
    ravelin seal sign release.tar --key ada.key --cert ada.pem")]
pub(crate) enum SealCommand {
    Hash(SealHashArguments),
    Encrypt(SealEncryptArguments),
    Decrypt(SealDecryptArguments),
    Sign(SealSignArguments),
    Verify(SealVerifyArguments),
    Random(SealRandomArguments),
}

/// Print the hashes of files, or check a list of them
///
/// Lists are those of sha256sum, b3sum, cksum and openssl dgst. With --check, the exit code is 1 where
/// a file is missing or another than the list says.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal hash *.iso > SHA256SUMS\n  \
    ravelin seal hash --check SHA256SUMS\n  \
    ravelin seal hash --algorithm blake3 --tag release.tar")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct SealHashArguments {
    /// The files, or lists with --check; - for standard input [default: -]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The hash: sha224, sha256, sha384, sha512, sha512-256, sha3-224, sha3-256, sha3-384, sha3-512 or
    /// blake3 [default: sha256, or what a list says]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) algorithm: Option<Algorithm>,
    /// Check the files that the lists name
    #[arg(long, short, conflicts_with = "tag")]
    pub(crate) check: bool,
    /// Say in each line which hash it is, as BSD does
    #[arg(long)]
    pub(crate) tag: bool,
    /// Say nothing of files that are right
    #[arg(long, short, requires = "check")]
    pub(crate) quiet: bool,
    /// Pass over files that are not there
    #[arg(long, requires = "check")]
    pub(crate) ignore_missing: bool,
}

/// Encrypt a file: with a passphrase, or for the keys of others
///
/// With a passphrase or for recipients of age, it becomes an age file, which age and rage open. For
/// certificates it becomes CMS (AuthEnvelopedData, AES-256-GCM), which openssl cms opens.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal encrypt notes.txt   # asks for a passphrase, writes notes.txt.age\n  \
    ravelin seal encrypt --to age.pub --out backup.age backup.tar\n  \
    ravelin seal encrypt --to ada.pem --to bob.pem report.pdf\n  \
    tar c folder | ravelin seal encrypt --to recipients.txt > folder.tar.age")]
pub(crate) struct SealEncryptArguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// For whom: a recipient (age1…), a file of recipients, or a file with a certificate; repeatable
    #[arg(long, short, value_name = "WHO")]
    pub(crate) to: Vec<PathBuf>,
    /// The file to write; - for standard output [default: FILE.age, or FILE.cms for certificates]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write text, for mail and terminals
    #[arg(long, short)]
    pub(crate) armor: bool,
    /// Encrypt with the first line of this file [default: without --to, it is asked for]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["new_passphrase_fd", "to"])]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// Encrypt with the first line of this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "to")]
    pub(crate) new_passphrase_fd: Option<u32>,
    /// How hard a passphrase is to guess, 10 to 22: each step doubles time and memory
    #[arg(long, value_name = "N", default_value = "18", value_parser = work_factor)]
    pub(crate) work_factor: WorkFactor,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Decrypt a file that was encrypted for you
///
/// Opens age files, CMS of certificates (AuthEnvelopedData), and with --openssl-enc what openssl enc
/// -pbkdf2 made. A file is written once all of it was found to be genuine, and is yours alone to read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal decrypt notes.txt.age\n  \
    ravelin seal decrypt --key ada.key report.pdf.cms\n  \
    ravelin seal decrypt --key age.key folder.tar.age --out - | tar x\n  \
    ravelin seal decrypt --openssl-enc --iter 100000 --out old.tar old.tar.enc")]
pub(crate) struct SealDecryptArguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Your key: a file of age identities, which may be under a passphrase, or the private key of a
    /// certificate; repeatable
    #[arg(long, short, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// The file to write; - for standard output [default: FILE without its ending .age, .cms or .enc]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    /// Open what openssl enc made with -pbkdf2. Nothing in such a file tells whether it was changed
    #[arg(long, conflicts_with = "key")]
    pub(crate) openssl_enc: bool,
    /// The cipher that openssl enc was told
    #[arg(
        long,
        value_name = "CIPHER",
        requires = "openssl_enc",
        default_value = "aes-256-cbc"
    )]
    pub(crate) cipher: Cipher,
    /// Its -md
    #[arg(
        long,
        value_name = "HASH",
        requires = "openssl_enc",
        default_value = "sha256"
    )]
    pub(crate) md: MessageDigest,
    /// Its -iter
    #[arg(
        long,
        value_name = "N",
        requires = "openssl_enc",
        default_value = "10000"
    )]
    pub(crate) iter: NonZeroU32,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Sign a file with a certificate's key
///
/// The signature stands beside the file: CMS SignedData with the certificate and its chain, which
/// openssl cms -verify takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal sign release.tar --key ada.key --cert ada.pem\n  \
    git archive HEAD | ravelin seal sign - --key ada.key --cert ada.pem --pem > release.pem\n  \
    ravelin seal sign a.tar --cert ada.pem --key 'pkcs11:token=card?module-path=/usr/lib/opensc-pkcs11.so'")]
pub(crate) struct SealSignArguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The private key: a file, or where it is in a PKCS#11 token,
    /// pkcs11:token=NAME;object=KEY?module-path=/usr/lib/…/module.so. The token's PIN is asked for,
    /// unless pin-source=file:/… says where it is
    #[arg(long, short, value_name = "FILE|pkcs11:…")]
    pub(crate) key: PathBuf,
    /// Its certificate, and the intermediates behind it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) cert: PathBuf,
    /// The signature to write; - for standard output [default: FILE.p7s]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write PEM in place of DER
    #[arg(long)]
    pub(crate) pem: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    /// Replace the signature if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Verify a signature: does it hold, and is the signer's certificate trusted?
///
/// The local CA is trusted, and with --ca what you name in its place: that a certificate is somebody's
/// says little about a file, and anybody can have one of a public CA. The exit code is 1 where the
/// answer is no.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal verify release.tar\n  \
    ravelin seal verify release.tar release.tar.p7s --ca team-root.pem --email ada@example.org")]
pub(crate) struct SealVerifyArguments {
    /// The file that was signed; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The signature, in PEM or DER [default: FILE.p7s]
    #[arg(value_name = "SIGNATURE")]
    pub(crate) signature: Option<PathBuf>,
    /// What is trusted: a file of roots, "system" or "local"; repeatable [default: local]
    #[arg(long, value_name = "FILE|system|local")]
    pub(crate) ca: Vec<PathBuf>,
    /// Intermediates that may help, beside those in the signature; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Vec<PathBuf>,
    /// Lists of what was revoked (CRLs); repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// The mailbox that the signer's certificate must be for
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<Mailbox>,
    /// What the certificate must be good for [default: email with --email, else any]
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<VerifiedPurpose>,
    /// Judge as of this time: 2027-06-01, or 2027-06-01T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Print something random: bytes, a passphrase, a UUID or a key for age
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin seal random\n  \
    ravelin seal random 16 --as base64\n  \
    ravelin seal random 8 --as words\n  \
    ravelin seal random --as age --out age.key   # says the recipient to encrypt to")]
pub(crate) struct SealRandomArguments {
    /// How many bytes, or words [default: 32 bytes, 10 words]
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub(crate) count: Option<u32>,
    /// How it is written
    #[arg(long = "as", value_name = "FORM", default_value = "hex")]
    pub(crate) form: RandomForm,
    /// The file to write, which is yours alone to read; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) out: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RandomForm {
    /// Two digits a byte
    Hex,
    /// Base64
    Base64,
    /// Base64 for URLs and file names, without padding
    Base64url,
    /// The bytes as they are
    Raw,
    /// Words of a list of 2,048, worth 11 bits each
    Words,
    /// A UUID of version 4
    Uuid,
    /// An identity of age
    Age,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Cipher {
    #[value(name = "aes-128-cbc")]
    Aes128,
    #[value(name = "aes-192-cbc")]
    Aes192,
    #[value(name = "aes-256-cbc")]
    Aes256,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MessageDigest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl SealDecryptArguments {
    /// How openssl enc made the file.
    pub(crate) fn openssl_options(&self) -> openssl_enc::Options {
        use openssl_enc::{Cipher as C, Hash as H};
        openssl_enc::Options {
            cipher: match self.cipher {
                Cipher::Aes128 => C::Aes128Cbc,
                Cipher::Aes192 => C::Aes192Cbc,
                Cipher::Aes256 => C::Aes256Cbc,
            },
            hash: match self.md {
                MessageDigest::Sha1 => H::Sha1,
                MessageDigest::Sha256 => H::Sha256,
                MessageDigest::Sha384 => H::Sha384,
                MessageDigest::Sha512 => H::Sha512,
            },
            rounds: self.iter,
        }
    }
}

fn work_factor(text: &str) -> Result<WorkFactor, String> {
    let factor = text.parse().ok().and_then(WorkFactor::new);
    factor.ok_or_else(|| format!("\"{text}\" is not a number from 10 to 22"))
}
