//! Lists of checksums: the lines that `sha256sum`, `b3sum`, `cksum` and `openssl dgst` write and check.
//!
//! A line is `HASH  NAME` (GNU; `*` before the name says that it was read as binary), or `SHA256 (NAME) = HASH`
//! (BSD, with `--tag`). A name with a line break or a backslash in it is written with escapes, and the line then
//! begins with a backslash.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::hash::{Algorithm, Digest};

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The hash function, where the line says it.
    pub algorithm: Option<Algorithm>,
    /// The digest that the file is to have.
    pub digest: Digest,
    /// The file.
    pub name: PathBuf,
}

impl Entry {
    /// Reads a line, without its end; none where it is no line of a list.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (escaped, line) = match line.strip_prefix(b"\\") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (algorithm, digest, name) = untagged(line).or_else(|| tagged(line))?;
        let name = if escaped {
            unescape(name)?
        } else {
            name.to_vec()
        };
        (!name.is_empty()).then(|| Self {
            algorithm,
            digest,
            name: PathBuf::from(OsString::from_vec(name)),
        })
    }

    /// The function that the file is to be hashed with: what the line says, what was asked for, or the member of
    /// SHA-2 that makes digests of this length. None where the digest is of another length.
    #[must_use]
    pub fn algorithm(&self, asked: Option<Algorithm>) -> Option<Algorithm> {
        use Algorithm as A;
        let octets = self.digest.as_bytes().len();
        let usual = [A::Sha256, A::Sha512, A::Sha384, A::Sha224];
        self.algorithm
            .or(asked)
            .or_else(|| usual.into_iter().find(|usual| usual.octets() == octets))
            .filter(|algorithm| algorithm.octets() == octets)
    }
}

/// A line for a file, with its end.
#[must_use]
pub fn line(algorithm: Algorithm, digest: &Digest, name: &Path, tag: bool) -> Vec<u8> {
    let (escaped, name) = escape(name.as_os_str().as_bytes());
    let mut line = Vec::with_capacity(name.len() + 160);
    if escaped {
        line.push(b'\\');
    }
    if tag {
        line.extend_from_slice(algorithm.tag().as_bytes());
        line.extend_from_slice(b" (");
        line.extend_from_slice(&name);
        line.extend_from_slice(format!(") = {digest}\n").as_bytes());
    } else {
        line.extend_from_slice(format!("{digest}  ").as_bytes());
        line.extend_from_slice(&name);
        line.push(b'\n');
    }
    line
}

type Parts<'l> = (Option<Algorithm>, Digest, &'l [u8]);

fn untagged(line: &[u8]) -> Option<Parts<'_>> {
    let end = line.iter().position(|octet| *octet == b' ')?;
    let (digest, rest) = line.split_at(end);
    let name = rest
        .strip_prefix(b"  ")
        .or_else(|| rest.strip_prefix(b" *"))?;
    let digest = Digest::from_hex(str::from_utf8(digest).ok()?)?;
    // Shorter ones are older functions'.
    (digest.as_bytes().len() >= SHORTEST).then_some((None, digest, name))
}

/// The name may have `) = ` in it itself: the last one counts.
fn tagged(line: &[u8]) -> Option<Parts<'_>> {
    let open = line.iter().position(|octet| *octet == b'(')?;
    let tag = str::from_utf8(&line[..open]).ok()?;
    let algorithm = Algorithm::of_tag(tag.strip_suffix(' ').unwrap_or(tag))?;
    let close = line.iter().rposition(|octet| *octet == b')')?;
    let name = line.get(open + 1..close)?;
    let after = str::from_utf8(&line[close + 1..]).ok()?;
    let digest = after.trim_start_matches(' ').strip_prefix("= ")?;
    let digest = Digest::from_hex(digest)?;
    (digest.as_bytes().len() == algorithm.octets()).then_some((Some(algorithm), digest, name))
}

fn escape(name: &[u8]) -> (bool, Vec<u8>) {
    let mut escaped = false;
    let mut out = Vec::with_capacity(name.len());
    for octet in name {
        let letter = match octet {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\\' => b'\\',
            other => {
                out.push(*other);
                continue;
            }
        };
        escaped = true;
        out.extend_from_slice(&[b'\\', letter]);
    }
    (escaped, out)
}

fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut octets = name.iter();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'\\' => match octets.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            other => *other,
        });
    }
    Some(out)
}

/// SHA-224's digests are the shortest.
const SHORTEST: usize = 28;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    fn of(algorithm: Algorithm) -> Digest {
        hash::of(algorithm, &mut &b"abc"[..]).unwrap()
    }

    proptest! {
        #[test]
        fn lines_are_read_back_whatever_a_file_is_called(
            name in prop::collection::vec(1_u8.., 1..40),
            which in 0..Algorithm::ALL.len(),
            tag: bool,
        ) {
            let algorithm = Algorithm::ALL[which].2;
            let name = PathBuf::from(OsString::from_vec(name));
            let line = line(algorithm, &of(algorithm), &name, tag);
            let (end, line) = line.split_last().unwrap();
            prop_assert!(*end == b'\n' && !line.contains(&b'\n'));
            let entry = Entry::parse(line).unwrap();
            prop_assert_eq!(entry.algorithm(Some(algorithm)), Some(algorithm));
            prop_assert_eq!(entry.algorithm, tag.then_some(algorithm));
            prop_assert_eq!((entry.digest, entry.name), (of(algorithm), name));
        }

        #[test]
        fn no_line_makes_reading_panic(line: Vec<u8>) {
            let _ = Entry::parse(&line);
        }
    }

    #[test]
    fn lines_of_other_programs_are_read() {
        let hex = of(Algorithm::Sha256).to_string();
        for line in [
            format!("{hex}  a b"),
            format!("{hex} *a b"),
            format!("{}  a b\r", hex.to_uppercase()),
            format!("SHA256 (a b) = {hex}"),
            format!("SHA2-256(a b)= {hex}"),
        ] {
            let entry = Entry::parse(line.as_bytes()).unwrap();
            assert_eq!(entry.algorithm(None), Some(Algorithm::Sha256), "{line}");
            assert_eq!(entry.name, Path::new("a b"));
        }
    }

    #[test]
    fn what_is_no_checksum_is_told_from_one() {
        let hex = of(Algorithm::Sha256).to_string();
        for line in [
            String::new(),
            hex.clone(),
            format!("{hex}  "),
            format!("{hex} a"),
            format!("\\{hex}  a\\x"),
            format!("SHA512 (a) = {hex}"),
            format!("MD5 (a) = {hex}"),
            "d41d8cd98f00b204e9800998ecf8427e  a".to_owned(),
        ] {
            assert_eq!(Entry::parse(line.as_bytes()), None, "{line:?}");
        }
        let entry = Entry::parse(format!("{hex}  a").as_bytes()).unwrap();
        assert_eq!(entry.algorithm(Some(Algorithm::Sha512)), None);
        assert_eq!(
            entry.algorithm(Some(Algorithm::Blake3)),
            Some(Algorithm::Blake3)
        );
    }
}
