//! Which client it is, told by its hello: JA3 and JA4 (the TLS client fingerprint alone).
//!
//! Both leave out all values that say nothing (GREASE, RFC 8701). JA3 keeps the order of extensions, which
//! Chromium has shuffled since 2023; JA4 sorts them. Neither proves anything: who wants to look like another
//! client sends its hello.

use std::fmt::Write as _;

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::ClientHello;
use ravelin_wire::registry::{CodePoint, ExtensionType, ProtocolVersion};

use crate::digest::Hash;

pub mod known;
pub mod refusals;

/// What carries the hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TLS over TCP.
    Tcp,
    /// QUIC.
    Quic,
}

/// The fingerprints of a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// JA3: 32 hexadecimal digits, the MD5 of [`Self::ja3_text`].
    pub ja3: String,
    /// What JA3 is of: version, suites, extensions, groups and point formats, as decimal numbers.
    pub ja3_text: String,
    /// JA4: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
    pub ja4: String,
    /// JA4 with lists in place of their hashes, which `FoxIO` calls `JA4_r`.
    pub ja4_raw: String,
}

impl Fingerprint {
    /// The fingerprints of this hello.
    #[must_use]
    pub fn of(hello: &ClientHello<'_>, transport: Transport) -> Self {
        let ja3_text = ja3_text(hello);
        let ja4 = Ja4::of(hello, transport);
        Self {
            ja3: hex(&Hash::Md5.digest(&[ja3_text.as_bytes()])),
            ja4: ja4.hashed(),
            ja4_raw: ja4.raw(),
            ja3_text,
        }
    }
}

/// `771,4865-4866,0-11-10,29-23,0`.
fn ja3_text(hello: &ClientHello<'_>) -> String {
    let extensions = hello.extensions().map(Extension::extension_type);
    let mut groups = String::new();
    let mut formats = String::new();
    for extension in hello.extensions() {
        match extension {
            Extension::SupportedGroups(list) => groups = numbers(list.iter().copied()),
            Extension::EcPointFormats(list) => formats = numbers(list.iter().copied()),
            _ => {}
        }
    }
    format!(
        "{},{},{},{groups},{formats}",
        hello.legacy_version.0,
        numbers(hello.cipher_suites.iter().copied()),
        numbers(extensions),
    )
}

fn numbers<C: CodePoint>(codes: impl Iterator<Item = C>) -> String {
    let mut text = String::new();
    for code in codes.filter(|code| !code.is_grease()) {
        if !text.is_empty() {
            text.push('-');
        }
        let _ = write!(text, "{}", code.code());
    }
    text
}

/// The parts of JA4.
struct Ja4 {
    /// `t13d1516h2`.
    first: String,
    /// Sorted, in hexadecimal digits with commas between.
    suites: String,
    /// Likewise, and without the server name and ALPN, which depend on whom the client speaks to.
    extensions: String,
    /// In the order in which the client has them.
    schemes: String,
}

impl Ja4 {
    fn of(hello: &ClientHello<'_>, transport: Transport) -> Self {
        let suites = codes(hello.cipher_suites.iter().copied());
        let all = codes(hello.extensions().map(Extension::extension_type));
        let named = all.contains(&code_of(ExtensionType::SERVER_NAME));
        let mut schemes = String::new();
        let mut protocol = None;
        for extension in hello.extensions() {
            match extension {
                Extension::SignatureAlgorithms(list) => {
                    schemes = listed(codes(list.iter().copied()));
                }
                Extension::Alpn(list) => protocol = list.first().copied(),
                _ => {}
            }
        }
        let mut extensions = all.clone();
        extensions.retain(|code| {
            ![
                code_of(ExtensionType::SERVER_NAME),
                code_of(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION),
            ]
            .contains(code)
        });
        extensions.sort_unstable();
        let first = format!(
            "{}{}{}{:02}{:02}{}",
            match transport {
                Transport::Tcp => 't',
                Transport::Quic => 'q',
            },
            version(hello),
            if named { 'd' } else { 'i' },
            suites.len().min(MOST_COUNTED),
            all.len().min(MOST_COUNTED),
            ends(protocol.unwrap_or_default()),
        );
        let mut sorted = suites;
        sorted.sort_unstable();
        Self {
            first,
            suites: listed(sorted),
            extensions: listed(extensions),
            schemes,
        }
    }

    fn hashed(&self) -> String {
        let third = if self.extensions.is_empty() {
            String::new()
        } else {
            self.third()
        };
        format!(
            "{}_{}_{}",
            self.first,
            shortened(&self.suites),
            shortened(&third)
        )
    }

    fn raw(&self) -> String {
        format!("{}_{}_{}", self.first, self.suites, self.third())
    }

    fn third(&self) -> String {
        if self.schemes.is_empty() {
            self.extensions.clone()
        } else {
            format!("{}_{}", self.extensions, self.schemes)
        }
    }
}

/// The newest version that the hello offers.
fn version(hello: &ClientHello<'_>) -> &'static str {
    let versions = hello.versions();
    let offered = versions.into_iter().filter(|version| !version.is_grease());
    // By number: that is what all do, and drafts of 1.3 are not told apart from what is not known.
    match offered.max_by_key(|version| version.0) {
        Some(ProtocolVersion::TLS_1_3) => "13",
        Some(ProtocolVersion::TLS_1_2) => "12",
        Some(ProtocolVersion::TLS_1_1) => "11",
        Some(ProtocolVersion::TLS_1_0) => "10",
        Some(ProtocolVersion::SSL_3) => "s3",
        Some(ProtocolVersion::DTLS_1_3) => "d3",
        Some(ProtocolVersion::DTLS_1_2) => "d2",
        Some(ProtocolVersion::DTLS_1_0) => "d1",
        _ => "00",
    }
}

/// The first and last letter of a protocol, or of its octets in hexadecimal digits where these are none.
fn ends(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0xf)
}

fn codes<C: CodePoint>(codes: impl Iterator<Item = C>) -> Vec<u64> {
    codes
        .filter(|code| !code.is_grease())
        .map(CodePoint::code)
        .collect()
}

fn code_of(code: impl CodePoint) -> u64 {
    code.code()
}

/// `1301,1302`.
fn listed(codes: Vec<u64>) -> String {
    let mut text = String::new();
    for code in codes {
        if !text.is_empty() {
            text.push(',');
        }
        let _ = write!(text, "{code:04x}");
    }
    text
}

/// The first 12 digits of the SHA-256 of a list; as many zeros of one that is empty.
fn shortened(list: &str) -> String {
    if list.is_empty() {
        return "0".repeat(SHORT_DIGITS);
    }
    let digest = Hash::Sha256.digest(&[list.as_bytes()]);
    hex(&digest[..SHORT_DIGITS / 2])
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

const SHORT_DIGITS: usize = 12;

/// Two digits hold no more.
const MOST_COUNTED: usize = 99;

#[cfg(test)]
mod tests {
    use ravelin_wire::extension::Extensions;
    use ravelin_wire::registry::{CipherSuite, SignatureScheme};

    use super::*;

    /// A hello with these extensions by their types alone, but for those that a fingerprint looks into.
    fn fingerprint(
        suites: &[u16],
        types: &[u16],
        schemes: &[u16],
        alpn: &'static [u8],
    ) -> Fingerprint {
        let extensions = types.iter().map(|code| match *code {
            0x0d => Extension::SignatureAlgorithms(
                schemes.iter().copied().map(SignatureScheme).collect(),
            ),
            0x10 => Extension::Alpn(vec![alpn]),
            0x2b => Extension::SupportedVersions(vec![
                ProtocolVersion(0x3a3a),
                ProtocolVersion::TLS_1_3,
                ProtocolVersion::TLS_1_2,
            ]),
            code => Extension::Present(ExtensionType(code)),
        });
        let hello = ClientHello {
            legacy_version: ProtocolVersion::TLS_1_2,
            random: &[0; 32],
            legacy_session_id: &[],
            cipher_suites: suites.iter().copied().map(CipherSuite).collect(),
            legacy_compression_methods: Vec::new(),
            extensions: Some(Extensions(extensions.collect())),
        };
        Fingerprint::of(&hello, Transport::Tcp)
    }

    #[test]
    fn ja4_is_that_of_the_published_example() {
        // The example of FoxIO's description, whose hello has GREASE in all of its lists.
        let found = fingerprint(
            &[
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            &[
                0xfafa, 0x0000, 0x0033, 0x000d, 0x0023, 0x000b, 0xff01, 0x000a, 0x001b, 0x4469,
                0x0012, 0x002d, 0x0010, 0x0005, 0x002b, 0x0017, 0x1a1a, 0x0015,
            ],
            &[
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            b"h2",
        );
        assert_eq!(found.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(
            found.ja4_raw,
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
             0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
             0403,0804,0401,0503,0805,0501,0806,0601"
        );
    }

    #[test]
    fn protocols_that_are_no_words_are_shown_by_their_digits() {
        for (protocol, shown) in [
            (&b"h2"[..], "h2"),
            (b"http/1.1", "h1"),
            (b"h", "hh"),
            (b"", "00"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
        ] {
            assert_eq!(ends(protocol), shown, "{protocol:?}");
        }
    }

    #[test]
    fn a_hello_with_nothing_in_it_has_a_fingerprint() {
        let found = fingerprint(&[], &[], &[], b"");
        assert_eq!(found.ja4, "t12i000000_000000000000_000000000000");
        assert_eq!(found.ja3_text, "771,,,,");
    }
}
