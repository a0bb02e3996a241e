//! What a sealed file is, by how it begins, and the way through PEM to what is in it.

use std::io::{self, BufRead, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;

/// The formats that are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// The age format, armoured or not.
    Age,
    /// CMS in DER or BER.
    Cms,
    /// CMS in PEM.
    CmsPem,
    /// What `openssl enc` makes: `Salted__`, or the same in base64.
    OpensslEnc,
}

impl Contents {
    /// What a file is that begins with these octets, [`ENOUGH`] of them or all that there are.
    #[must_use]
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let text = beginning.trim_ascii_start();
        if beginning.starts_with(b"age-encryption.org/") || text.starts_with(b"-----BEGIN AGE ") {
            Some(Self::Age)
        } else if beginning.starts_with(b"Salted__") || beginning.starts_with(b"U2FsdGVkX1") {
            Some(Self::OpensslEnc)
        } else if text.starts_with(b"-----BEGIN CMS") || text.starts_with(b"-----BEGIN PKCS7") {
            Some(Self::CmsPem)
        } else if beginning.first() == Some(&0x30) {
            Some(Self::Cms)
        } else {
            None
        }
    }
}

/// What is in the first block of PEM, as it comes. An error of the kind `InvalidData` says that it is no base64.
pub fn pem_body<R: BufRead>(input: R) -> impl Read {
    let text = Body {
        input,
        line: Vec::new(),
        at: 0,
        place: Place::Before,
    };
    DecoderReader::new(text, &STANDARD)
}

/// The lines between BEGIN and END, without what breaks them.
struct Body<R> {
    input: R,
    line: Vec<u8>,
    at: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Before,
    Within,
    Behind,
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.line.len() && self.place != Place::Behind {
            self.next_line()?;
        }
        let read = buffer.len().min(self.line.len() - self.at);
        buffer[..read].copy_from_slice(&self.line[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

impl<R: BufRead> Body<R> {
    fn next_line(&mut self) -> io::Result<()> {
        self.line.clear();
        self.at = 0;
        let mut limited = (&mut self.input).take(LONGEST_LINE);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            // The END is missing.
            return Err(io::ErrorKind::InvalidData.into());
        }
        let marks = self.line.starts_with(b"-----");
        match self.place {
            Place::Before if marks => self.place = Place::Within,
            Place::Within if marks => self.place = Place::Behind,
            Place::Within => {
                self.line.retain(|octet| !octet.is_ascii_whitespace());
                return Ok(());
            }
            _ => {}
        }
        self.line.clear();
        Ok(())
    }
}

/// Writes what it is given as one block of PEM, which [`PemWriter::finish`] closes.
pub fn pem_writer<W: Write>(label: &'static str, output: W) -> PemWriter<W> {
    PemWriter {
        output,
        label,
        rest: Vec::new(),
        begun: false,
    }
}

/// A block of PEM that is being written.
pub struct PemWriter<W> {
    output: W,
    label: &'static str,
    /// What does not fill a line yet.
    rest: Vec<u8>,
    begun: bool,
}

impl<W: Write> PemWriter<W> {
    /// Writes what is left, and the last line.
    pub fn finish(mut self) -> io::Result<()> {
        self.begin()?;
        if !self.rest.is_empty() {
            writeln!(self.output, "{}", STANDARD.encode(&self.rest))?;
        }
        writeln!(self.output, "-----END {}-----", self.label)?;
        self.output.flush()
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            writeln!(self.output, "-----BEGIN {}-----", self.label)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for PemWriter<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.begin()?;
        self.rest.extend_from_slice(octets);
        let (lines, rest) = self.rest.as_chunks::<IN_A_LINE>();
        let mut text = String::with_capacity(lines.len() * 65);
        for line in lines {
            STANDARD.encode_string(line, &mut text);
            text.push('\n');
        }
        self.output.write_all(text.as_bytes())?;
        self.rest = rest.to_vec();
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// How many octets make the 64 characters of a line.
const IN_A_LINE: usize = 48;

/// Of RFC 7468 they have 64 characters; some write all in one.
const LONGEST_LINE: u64 = 64 << 10;

/// How much of a file tells what it is.
pub const ENOUGH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_pem_is_what_was_put_into_it() {
        let octets: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let pem = ravelin_pki::pem::encode("CMS", &octets);
        let mut body = Vec::new();
        pem_body(pem.as_bytes()).read_to_end(&mut body).unwrap();
        assert!(body == octets);
        let cut = &pem.as_bytes()[..pem.len() - 30];
        let error = pem_body(cut).read_to_end(&mut body).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn pem_in_pieces_is_what_it_is_in_one() {
        for length in [0, 1, 47, 48, 49, 200] {
            let octets = vec![7; length];
            for piece in [1, 13, 500] {
                let mut text = Vec::new();
                let mut writer = pem_writer("CMS", &mut text);
                for piece in octets.chunks(piece) {
                    writer.write_all(piece).unwrap();
                }
                writer.finish().unwrap();
                assert_eq!(text, ravelin_pki::pem::encode("CMS", &octets).as_bytes());
            }
        }
    }

    #[test]
    fn formats_are_told_apart() {
        for (beginning, contents) in [
            (&b"age-encryption.org/v1\n"[..], Some(Contents::Age)),
            (b"\n-----BEGIN AGE ENCRYPTED FILE-----", Some(Contents::Age)),
            (b"Salted__12345678", Some(Contents::OpensslEnc)),
            (b"U2FsdGVkX18AAAAA", Some(Contents::OpensslEnc)),
            (b"-----BEGIN CMS-----\n", Some(Contents::CmsPem)),
            (&[0x30, 0x80, 6], Some(Contents::Cms)),
            (b"", None),
            (b"hello", None),
        ] {
            assert_eq!(Contents::of(beginning), contents);
        }
    }
}
