//! What a file is that holds nothing of ours, as far as its first bytes tell.

use super::ContentsError;

/// Names it for a message.
pub(super) fn what_it_is(bytes: &[u8]) -> ContentsError {
    let known = |looks, mend| ContentsError::Other { looks, mend };
    if let Some((_, looks, mend)) = BEGINNINGS
        .iter()
        .find(|(beginning, _, _)| bytes.starts_with(beginning))
    {
        return known(looks, *mend);
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = bytes.trim_ascii_start();
    let start = text[..text.len().min(256)].to_ascii_lowercase();
    if let Some((_, looks, mend)) = TEXTS
        .iter()
        .find(|(beginning, _, _)| start.starts_with(beginning))
    {
        return known(looks, *mend);
    }
    if holds(&start, b"ssh-rsa ") || holds(&start, b"ssh-ed25519 ") || holds(&start, b"ecdsa-sha2-")
    {
        return known("public keys of SSH", SSH_PUBLIC);
    }
    if text.iter().take(4096).enumerate().any(|(at, octet)| {
        octet.is_ascii_alphabetic() && text.get(at + 1) == Some(&0) && text.get(at + 3) == Some(&0)
    }) {
        return known("text in UTF-16", UTF16);
    }
    // Certificates and keys in base64 begin so: a SEQUENCE whose length takes two or one more octets.
    if [&b"mii"[..], b"mig", b"mih"]
        .iter()
        .any(|b64| start.starts_with(b64))
    {
        return known(
            "base64 of a certificate or a key that was cut off or changed",
            Some("copy it anew, whole, with its BEGIN and END lines"),
        );
    }
    if holds(&start, b"begin") && start.starts_with(b"-") {
        return known(
            "a PEM file whose BEGIN line is broken",
            Some("it has to be five hyphens on both sides: -----BEGIN CERTIFICATE-----"),
        );
    }
    let head = &text[..text.len().min(4096)];
    if head
        .iter()
        .all(|octet| matches!(octet, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0x80..))
        && std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
    {
        return known("plain text", None);
    }
    let begins: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
    ContentsError::Unknown {
        begins: begins.join(" "),
    }
}

fn holds(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

type Known = (&'static [u8], &'static str, Option<&'static str>);

/// By their first bytes, exactly.
const BEGINNINGS: [Known; 14] = [
    (&[0xff, 0xfe], "text in UTF-16", UTF16),
    (&[0xfe, 0xff], "text in UTF-16", UTF16),
    (
        &[0x1f, 0x8b],
        "a gzip archive",
        Some("unpack it first: gunzip FILE.gz"),
    ),
    (
        b"PK\x03\x04",
        "a ZIP archive",
        Some("unpack it first: unzip FILE.zip"),
    ),
    (
        b"BZh",
        "a bzip2 archive",
        Some("unpack it first: bunzip2 FILE.bz2"),
    ),
    (
        b"\xfd7zXZ\0",
        "an xz archive",
        Some("unpack it first: unxz FILE.xz"),
    ),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        "a zstd archive",
        Some("unpack it first: unzstd FILE.zst"),
    ),
    (b"%PDF", "a PDF document", None),
    (b"\x7fELF", "a program", None),
    (b"\x89PNG", "an image", None),
    (b"\xff\xd8\xff", "an image", None),
    (
        b"SQLite format 3\0",
        "a SQLite database, as browsers keep certificates in",
        NSS,
    ),
    (
        b"PuTTY-User-Key-File",
        "a key of PuTTY",
        Some("convert it: puttygen key.ppk -O private-openssh-new -o key"),
    ),
    (
        b"SSH PRIVATE KEY FILE FORMAT",
        "a private key of SSH 1, which nothing uses any more",
        None,
    ),
];

/// By the first words, in lower case.
const TEXTS: [Known; 8] = [
    (b"<!doctype html", "a web page", PAGE),
    (b"<html", "a web page", PAGE),
    (b"<head", "a web page", PAGE),
    (b"<", "XML or a web page", PAGE),
    (b"{", "JSON", JSON),
    (b"[", "JSON or a list", JSON),
    (b"---- begin ssh2", "a public key of SSH", SSH_PUBLIC),
    (b"http/1.", "the answer of a web server", PAGE),
];

const UTF16: Option<&str> = Some("convert it: iconv -f UTF-16 -t UTF-8 in.pem > out.pem");
const PAGE: Option<&str> =
    Some("it may be an error page: look at it, and download the certificate again");
const JSON: Option<&str> =
    Some("take the certificate out of it first, such as with: jq -r .certificate FILE");
const SSH_PUBLIC: Option<&str> =
    Some("such keys have no certificate of this kind; show one with: ssh-keygen -l -f FILE");
const NSS: Option<&str> = Some("list what is in it: certutil -L -d FOLDER");
