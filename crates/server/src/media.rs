//! Media types of files, by the extension of their name, and which types are worth compressing.

use http::HeaderValue;

use crate::negotiation::Coding;

/// The `Content-Type` of a file by its name, or by a path that ends in it;
/// `application/octet-stream` where its extension says nothing. Names need not be UTF-8.
///
/// Costs no allocation: the values are static.
#[must_use]
pub fn of_name(name: impl AsRef<[u8]>) -> HeaderValue {
    let media_type = of_extension(extension(name.as_ref()));
    HeaderValue::from_static(media_type.unwrap_or("application/octet-stream"))
}

/// The coding that a file of this name is in by itself, over its [`of_name`] type. Browsers show
/// `.svgz` only where they are told.
#[must_use]
pub fn coding_of_name(name: impl AsRef<[u8]>) -> Coding {
    if extension(name.as_ref()).eq_ignore_ascii_case(b"svgz") {
        Coding::Gzip
    } else {
        Coding::Identity
    }
}

fn extension(name: &[u8]) -> &[u8] {
    let file = memchr::memrchr(b'/', name).map_or(name, |slash| &name[slash + 1..]);
    // A name that only begins with a dot has no extension: `.profile`.
    match memchr::memrchr(b'.', file) {
        Some(dot @ 1..) => &file[dot + 1..],
        _ => &[],
    }
}

/// The `Content-Type` of files with this extension, which is given without its dot, in any case.
#[must_use]
pub fn of_extension(extension: impl AsRef<[u8]>) -> Option<&'static str> {
    let extension = extension.as_ref();
    let mut lower = [0; LONGEST_EXTENSION];
    let lower = lower.get_mut(..extension.len())?;
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    let index = TYPES
        .binary_search_by(|(known, _)| known.as_bytes().cmp(&*lower))
        .ok()?;
    TYPES.get(index).map(|(_, media_type)| *media_type)
}

/// Whether content of this type shrinks enough to be compressed while it is served. Parameters do
/// not matter.
///
/// An event stream is not: what a compressor keeps back would be late.
#[must_use]
pub fn is_compressible(content_type: &HeaderValue) -> bool {
    let bytes = content_type.as_bytes();
    let end = memchr::memchr(b';', bytes).unwrap_or(bytes.len());
    let essence = bytes.get(..end).unwrap_or_default().trim_ascii();
    let starts = |with: &[u8]| {
        essence
            .get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let ends = |with: &[u8]| {
        let start = essence.len().checked_sub(with.len());
        start
            .and_then(|start| essence.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(with))
    };

    if starts(b"text/") {
        return !essence.eq_ignore_ascii_case(b"text/event-stream");
    }
    ends(b"+json")
        || ends(b"+xml")
        || COMPRESSIBLE
            .iter()
            .any(|known| essence.eq_ignore_ascii_case(known.as_bytes()))
}

const LONGEST_EXTENSION: usize = 16;

/// What is compressible beside text, JSON and XML. Formats that are compressed by themselves (most
/// images, sound, archives, WOFF, PDF) only cost time.
const COMPRESSIBLE: &[&str] = &[
    "application/javascript",
    "application/json",
    "application/json5",
    "application/x-ndjson",
    "application/xml",
    "application/xml-dtd",
    "application/wasm",
    "application/yaml",
    "application/toml",
    "application/graphql",
    "application/rtf",
    "application/postscript",
    "application/pem-certificate-chain",
    "application/vnd.apple.mpegurl",
    "application/vnd.ms-fontobject",
    "application/x-tar",
    "audio/mpegurl",
    "font/otf",
    "font/ttf",
    "font/collection",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "message/rfc822",
    "model/obj",
    "model/mtl",
];

/// Extensions and what they stand for, sorted. Text is UTF-8: saying so keeps a browser from
/// guessing. JSON is by definition (RFC 8259), and XML says it in its first line. `ts` is a
/// transport stream, as HLS players need it, and not TypeScript, which no browser runs.
const TYPES: &[(&str, &str)] = &[
    ("3gp", "video/3gpp"),
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("adoc", "text/plain; charset=utf-8"),
    ("ai", "application/postscript"),
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("apk", "application/vnd.android.package-archive"),
    ("apng", "image/apng"),
    ("asc", "text/plain; charset=utf-8"),
    ("atom", "application/atom+xml"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bash", "text/plain; charset=utf-8"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip2"),
    ("c", "text/plain; charset=utf-8"),
    ("cc", "text/plain; charset=utf-8"),
    ("cer", "application/pkix-cert"),
    ("cfg", "text/plain; charset=utf-8"),
    ("cjs", "text/javascript; charset=utf-8"),
    ("conf", "text/plain; charset=utf-8"),
    ("cpp", "text/plain; charset=utf-8"),
    ("crl", "application/pkix-crl"),
    ("crt", "application/x-x509-ca-cert"),
    ("csr", "application/pkcs10"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("cur", "image/vnd.microsoft.icon"),
    ("cxx", "text/plain; charset=utf-8"),
    ("db", "application/vnd.sqlite3"),
    ("deb", "application/vnd.debian.binary-package"),
    ("der", "application/x-x509-ca-cert"),
    ("diff", "text/plain; charset=utf-8"),
    ("dll", "application/x-msdownload"),
    ("dmg", "application/x-apple-diskimage"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("dtd", "application/xml-dtd"),
    ("eml", "message/rfc822"),
    ("eot", "application/vnd.ms-fontobject"),
    ("eps", "application/postscript"),
    ("epub", "application/epub+zip"),
    ("exe", "application/x-msdownload"),
    ("flac", "audio/flac"),
    ("flv", "video/x-flv"),
    ("geojson", "application/geo+json"),
    ("gif", "image/gif"),
    ("glb", "model/gltf-binary"),
    ("gltf", "model/gltf+json"),
    ("go", "text/plain; charset=utf-8"),
    ("gpx", "application/gpx+xml"),
    ("graphql", "application/graphql"),
    ("gz", "application/gzip"),
    ("h", "text/plain; charset=utf-8"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("hpp", "text/plain; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar; charset=utf-8"),
    ("img", "application/octet-stream"),
    ("ini", "text/plain; charset=utf-8"),
    ("iso", "application/x-iso9660-image"),
    ("jar", "application/java-archive"),
    ("java", "text/plain; charset=utf-8"),
    ("jfif", "image/jpeg"),
    ("jp2", "image/jp2"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("json5", "application/json5"),
    ("jsonl", "application/x-ndjson"),
    ("jsonld", "application/ld+json"),
    ("jsx", "text/plain; charset=utf-8"),
    ("jxl", "image/jxl"),
    ("kml", "application/vnd.google-earth.kml+xml"),
    ("kmz", "application/vnd.google-earth.kmz"),
    ("kt", "text/plain; charset=utf-8"),
    ("ktx2", "image/ktx2"),
    ("lock", "text/plain; charset=utf-8"),
    ("log", "text/plain; charset=utf-8"),
    ("lua", "text/plain; charset=utf-8"),
    ("m2ts", "video/mp2t"),
    ("m3u", "audio/mpegurl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("map", "application/json"),
    ("markdown", "text/markdown; charset=utf-8"),
    ("mbox", "application/mbox"),
    ("md", "text/markdown; charset=utf-8"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mka", "audio/matroska"),
    ("mkv", "video/matroska"),
    ("mobi", "application/x-mobipocket-ebook"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("msi", "application/x-msi"),
    ("mtl", "model/mtl"),
    ("ndjson", "application/x-ndjson"),
    ("nix", "text/plain; charset=utf-8"),
    ("obj", "model/obj"),
    ("odg", "application/vnd.oasis.opendocument.graphics"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("ogx", "application/ogg"),
    ("opus", "audio/ogg"),
    ("ors", "application/ocsp-response"),
    ("otf", "font/otf"),
    ("p10", "application/pkcs10"),
    ("p12", "application/x-pkcs12"),
    ("parquet", "application/vnd.apache.parquet"),
    ("patch", "text/plain; charset=utf-8"),
    ("pdf", "application/pdf"),
    ("pem", "application/pem-certificate-chain"),
    ("pfx", "application/x-pkcs12"),
    ("pl", "text/plain; charset=utf-8"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("properties", "text/plain; charset=utf-8"),
    ("ps", "application/postscript"),
    ("psd", "image/vnd.adobe.photoshop"),
    ("py", "text/plain; charset=utf-8"),
    ("qt", "video/quicktime"),
    ("rar", "application/vnd.rar"),
    ("rb", "text/plain; charset=utf-8"),
    ("rpm", "application/x-rpm"),
    ("rs", "text/plain; charset=utf-8"),
    ("rss", "application/rss+xml"),
    ("rst", "text/plain; charset=utf-8"),
    ("rtf", "application/rtf"),
    ("sh", "text/plain; charset=utf-8"),
    ("sha256", "text/plain; charset=utf-8"),
    ("sha512", "text/plain; charset=utf-8"),
    ("shtml", "text/html; charset=utf-8"),
    ("sig", "application/pgp-signature"),
    ("sql", "text/plain; charset=utf-8"),
    ("sqlite", "application/vnd.sqlite3"),
    ("sqlite3", "application/vnd.sqlite3"),
    ("srt", "text/plain; charset=utf-8"),
    ("stl", "model/stl"),
    ("sum", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("svgz", "image/svg+xml"),
    ("swift", "text/plain; charset=utf-8"),
    ("tar", "application/x-tar"),
    ("text", "text/plain; charset=utf-8"),
    ("tgz", "application/gzip"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("torrent", "application/x-bittorrent"),
    ("ts", "video/mp2t"),
    ("tsv", "text/tab-separated-values; charset=utf-8"),
    ("tsx", "text/plain; charset=utf-8"),
    ("ttc", "font/collection"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("usdz", "model/vnd.usdz+zip"),
    ("vcf", "text/vcard; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("war", "application/java-archive"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xht", "application/xhtml+xml"),
    ("xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("xml", "application/xml"),
    ("xsl", "application/xml"),
    ("xslt", "application/xslt+xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zsh", "text/plain; charset=utf-8"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_can_be_found() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (extension, media_type) in TYPES {
            assert_eq!(of_extension(extension), Some(*media_type), "{extension}");
            assert!(
                !extension.bytes().any(|byte| byte.is_ascii_uppercase()),
                "{extension}"
            );
        }
    }

    #[test]
    fn a_file_is_known_by_its_last_extension_in_any_case() {
        for (name, media_type) in [
            ("index.html", "text/html; charset=utf-8"),
            ("INDEX.HTML", "text/html; charset=utf-8"),
            ("/a.b/app.min.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("a.tar.gz", "application/gzip"),
            ("m.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("f.woff2", "font/woff2"),
            ("i.avif", "image/avif"),
            ("i.svg", "image/svg+xml"),
            ("README", "application/octet-stream"),
            ("a.b/README", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("", "application/octet-stream"),
            (
                "a.an-extension-longer-than-any-known",
                "application/octet-stream",
            ),
            ("a.h\u{130}ml", "application/octet-stream"),
        ] {
            assert_eq!(of_name(name), media_type, "{name}");
        }
    }

    #[test]
    fn only_what_shrinks_is_compressed() {
        for name in [
            "a.html",
            "a.json",
            "a.svg",
            "a.wasm",
            "a.geojson",
            "a.ttf",
            "a.xml",
            "a.js",
        ] {
            assert!(is_compressible(&of_name(name)), "{name}");
        }
        for name in [
            "a.png", "a.woff2", "a.mp4", "a.zip", "a.pdf", "a.gz", "a.bin", "a",
        ] {
            assert!(!is_compressible(&of_name(name)), "{name}");
        }
        for (media_type, compressible) in [
            ("TEXT/HTML", true),
            ("application/problem+json ;charset=x", true),
            ("text/event-stream", false),
            ("text/event-stream; charset=utf-8", false),
            ("", false),
            ("text", false),
            (";", false),
        ] {
            let value = HeaderValue::from_static(media_type);
            assert_eq!(is_compressible(&value), compressible, "{media_type}");
        }
    }
}
