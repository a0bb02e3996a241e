//! The page that shows what is in a folder.
//!
//! Who may see it, and what is in the folder, is the files handler's business. File names are
//! strangers' input here: they are escaped as text, and encoded byte by byte in links.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::SystemTime;

use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use time::OffsetDateTime;

use crate::media;

/// The entries that a page shows at most; more would be megabytes of page, and are counted instead.
pub const MOST_ENTRIES: usize = 10_000;

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without any path.
    pub name: OsString,
    /// Whether it is a folder itself, or a link to one.
    pub folder: bool,
    /// Its length in bytes; of no account for folders.
    pub size: u64,
    /// When its content changed, where that is known.
    pub modified: Option<SystemTime>,
}

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the listing of the folder")]
pub struct ListingError(#[source] askama::Error);

/// Writes the page of the folder at `path`, the request's path as the client sent it, which must
/// end in `/`: the links are relative to it.
///
/// Dotfiles are left out. Folders come first, then files, each sorted as people count (`a2` before
/// `a10`, and upper case beside lower case). Send it with
/// [`page::CONTENT_SECURITY_POLICY`](crate::page::CONTENT_SECURITY_POLICY), as
/// `text/html; charset=utf-8`.
pub fn render(path: &str, mut entries: Vec<Entry>) -> Result<String, ListingError> {
    entries.retain(|entry| !entry.name.as_bytes().starts_with(b"."));
    entries.sort_by(|a, b| {
        b.folder
            .cmp(&a.folder)
            .then_with(|| natural(a.name.as_bytes(), b.name.as_bytes()))
    });
    let crumbs = crumbs(path);
    let page = Page {
        title: title(&crumbs),
        summary: summary(&entries),
        crumbs,
        left_out: entries.len().saturating_sub(MOST_ENTRIES),
        rows: entries.iter().take(MOST_ENTRIES).map(Row::new).collect(),
    };
    page.render().map_err(ListingError)
}

#[derive(Template)]
#[template(path = "listing.html")]
struct Page {
    title: String,
    summary: String,
    crumbs: Vec<Crumb>,
    rows: Vec<Row>,
    left_out: usize,
}

/// A folder on the way to this one.
struct Crumb {
    name: String,
    href: String,
}

struct Row {
    name: String,
    href: String,
    icon: &'static str,
    bytes: u64,
    size: String,
    modified: String,
}

impl Row {
    fn new(entry: &Entry) -> Self {
        let slash = if entry.folder { "/" } else { "" };
        // Without the dot a name such as `javascript:x` would be a URL of its own.
        let href = format!(
            "./{}{slash}",
            percent_encode(entry.name.as_bytes(), SEGMENT)
        );
        Self {
            name: shown(&entry.name),
            href,
            icon: if entry.folder {
                "folder"
            } else {
                icon(&entry.name)
            },
            bytes: if entry.folder { 0 } else { entry.size },
            size: if entry.folder {
                "–".to_owned()
            } else {
                human(entry.size)
            },
            modified: entry.modified.map_or_else(|| "–".to_owned(), date),
        }
    }
}

/// The folders from the top to this one, with links that lead up.
fn crumbs(path: &str) -> Vec<Crumb> {
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
    let up = |levels: usize| {
        if levels == 0 {
            "./".to_owned()
        } else {
            "../".repeat(levels)
        }
    };
    let top = Crumb {
        name: String::new(),
        href: up(names.len()),
    };
    let below = names.iter().enumerate().map(|(index, name)| {
        let name: Vec<u8> = percent_decode_str(name).collect();
        Crumb {
            name: shown(OsStr::from_bytes(&name)),
            href: up(names.len() - 1 - index),
        }
    });
    std::iter::once(top).chain(below).collect()
}

fn title(crumbs: &[Crumb]) -> String {
    let names: Vec<_> = crumbs.iter().map(|crumb| crumb.name.as_str()).collect();
    format!("{}/", names.join("/"))
}

/// `2 folders, 14 files, 3.1 MB`.
fn summary(entries: &[Entry]) -> String {
    let folders = entries.iter().filter(|entry| entry.folder).count();
    let files = entries.len() - folders;
    let count = |count: usize, noun: &str| match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    };
    let bytes = entries
        .iter()
        .filter(|entry| !entry.folder)
        .fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
    let parts = [
        count(folders, "folder"),
        count(files, "file"),
        (files > 0).then(|| human(bytes)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "Nothing here".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A name as text: what would break or turn the line stands as a sign for itself.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy()
        .chars()
        .map(|character| match character {
            // U+2400 and on are pictures of the control characters.
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            // Unicode's bidirectional overrides make `exe.gpj` look like `jpg.exe`.
            '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            _ => character,
        })
        .collect()
}

/// Sizes as people read them, in powers of 1000.
fn human(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, rounded down, so that 999,999 is not 1000.0 kB.
    let mut tenths = bytes / 100;
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        if tenths < 10_000 {
            return match tenths {
                ..1000 => format!("{}.{} {unit}", tenths / 10, tenths % 10),
                _ => format!("{} {unit}", tenths / 10),
            };
        }
        tenths /= 1000;
    }
    format!("{} EB", tenths / 10)
}

/// `2026-08-05 12:34`, in UTC.
fn date(time: SystemTime) -> String {
    let Ok(since) = time.duration_since(SystemTime::UNIX_EPOCH) else {
        return "–".to_owned();
    };
    let Ok(time) = OffsetDateTime::from_unix_timestamp(since.as_secs().cast_signed()) else {
        return "–".to_owned();
    };
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, _) = time.to_hms();
    format!(
        "{year:04}-{:02}-{day:02} {hour:02}:{minute:02}",
        u8::from(month)
    )
}

/// The picture of a file, by its media type.
fn icon(name: &OsStr) -> &'static str {
    let media_type = media::of_name(name.as_bytes());
    let essence = media_type.to_str().unwrap_or_default();
    let (kind, subtype) = essence.split_once('/').unwrap_or((essence, ""));
    match kind {
        "image" => "image",
        "video" => "video",
        "audio" => "audio",
        "text" | "message" => "text",
        _ if ARCHIVES.contains(&subtype) => "archive",
        _ => match subtype {
            "wasm" => "other",
            _ if kind == "application" && media::is_compressible(&media_type) => "text",
            "pdf" | "msword" | "epub+zip" => "text",
            _ if subtype.contains("document") => "text",
            _ => "other",
        },
    }
}

/// Compares names as people count: runs of digits by their number, letters without their case.
/// Names that are the same so far are told apart by their bytes.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y);
                (x, left) = number(left);
                (y, right) = number(right);
                // Without leading zeros the longer number is the larger one.
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some(x), Some(y)) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (&left[1..], &right[1..]);
            }
        }
    }
}

/// The digits at the start without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    (&digits[zeros..], rest)
}

/// What is encoded in a path segment: all but the unreserved characters (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const ARCHIVES: &[&str] = &[
    "gzip",
    "java-archive",
    "vnd.android.package-archive",
    "vnd.debian.binary-package",
    "vnd.rar",
    "x-7z-compressed",
    "x-apple-diskimage",
    "x-bzip2",
    "x-iso9660-image",
    "x-rpm",
    "x-tar",
    "x-xz",
    "zip",
    "zstd",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn file(name: &[u8]) -> Entry {
        Entry {
            name: OsStr::from_bytes(name).to_owned(),
            folder: false,
            size: 1,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_933_296)),
        }
    }

    fn folder(name: &str) -> Entry {
        Entry {
            folder: true,
            ..file(name.as_bytes())
        }
    }

    /// The links of the rows and their texts.
    fn links(page: &str) -> Vec<(String, String)> {
        page.lines()
            .filter_map(|line| {
                let (href, rest) = line.strip_prefix("<tr><td><a href=\"")?.split_once('"')?;
                let (_, name) = rest.split_once("<bdi>")?;
                Some((href.to_owned(), name.split_once("</bdi>")?.0.to_owned()))
            })
            .collect()
    }

    #[test]
    fn names_are_safe_as_text_and_as_links() {
        for (name, href, text) in [
            (&b"a b%?#.txt"[..], "./a%20b%25%3F%23.txt", "a b%?#.txt"),
            (
                b"\"'<b>&",
                "./%22%27%3Cb%3E%26",
                "&#34;&#39;&#60;b&#62;&#38;",
            ),
            (b"two\nlines\x1b", "./two%0Alines%1B", "two␊lines␛"),
            (b"\xff\xc3\xa9", "./%FF%C3%A9", "\u{fffd}é"),
            (
                b"javascript:alert(1)",
                "./javascript%3Aalert%281%29",
                "javascript:alert(1)",
            ),
            (
                "\u{202e}gpj.exe".as_bytes(),
                "./%E2%80%AEgpj.exe",
                "\u{fffd}gpj.exe",
            ),
            (b"a\\b", "./a%5Cb", "a\\b"),
        ] {
            let page = render("/", vec![file(name)]).unwrap();
            assert_eq!(links(&page), [(href.to_owned(), text.to_owned())]);
        }
    }

    #[test]
    fn folders_come_first_and_numbers_count() {
        let names = ["a10", "b", "A2", "a1", "Z", ".hidden", "a02"];
        let mut entries: Vec<_> = names.iter().map(|name| file(name.as_bytes())).collect();
        entries.extend([folder("z"), folder("c"), folder(".git")]);
        let page = render("/", entries).unwrap();
        let hrefs: Vec<_> = links(&page).into_iter().map(|(href, _)| href).collect();
        assert_eq!(
            hrefs,
            [
                "./c/", "./z/", "./a1", "./A2", "./a02", "./a10", "./b", "./Z"
            ]
        );
        assert!(!page.contains(".hidden") && !page.contains(".git"));
    }

    #[test]
    fn the_way_up_is_relative() {
        let page = render("/a%20b/%3Cx%3E/", vec![]).unwrap();
        assert!(page.contains("<title>/a b/&#60;x&#62;/</title>"));
        for link in [
            "<a href=\"../../\" aria-label=\"Top folder\">",
            "<a href=\"../\"><bdi>a b</bdi></a>",
            "<a href=\"./\" aria-current=\"page\"><bdi>&#60;x&#62;</bdi></a>",
        ] {
            assert!(page.contains(link), "{link}");
        }
        assert!(page.contains("This folder is empty."));
        assert!(page.contains("Parent folder"));
        assert!(!render("/", vec![]).unwrap().contains("Parent folder"));
    }

    #[test]
    fn a_huge_folder_is_cut() {
        let entries = (0..MOST_ENTRIES + 3)
            .map(|n| file(format!("f{n}").as_bytes()))
            .collect();
        let page = render("/", entries).unwrap();
        assert_eq!(links(&page).len(), MOST_ENTRIES);
        assert!(page.contains("3 more are not shown."));
        assert!(page.contains("10003 files"));
    }

    #[test]
    fn sizes_and_dates_are_as_people_read_them() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1536, "1.5 kB"),
            (99_999, "99.9 kB"),
            (100_000, "100 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (4_294_967_296, "4.2 GB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(human(bytes), text);
        }
        assert_eq!(date(SystemTime::UNIX_EPOCH), "1970-01-01 00:00");
        assert_eq!(date(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "–");
        let page = render("/", vec![file(b"a"), folder("b")]).unwrap();
        assert!(page.contains("2026-08-05 12:34"));
        assert!(page.contains("1 folder, 1 file, 1 B"));
    }

    #[test]
    fn a_page_needs_nothing_from_outside() {
        let page = render("/", vec![file(b"a.png")]).unwrap();
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("@import"));
    }

    proptest! {
        #[test]
        fn any_name_is_one_row_that_leads_to_it(name in proptest::collection::vec(1..=255_u8, 1..40)) {
            prop_assume!(!name.contains(&b'/') && name[0] != b'.');
            let links = links(&render("/", vec![file(&name)]).unwrap());
            prop_assert_eq!(links.len(), 1);
            let (href, text) = &links[0];
            prop_assert!(!text.contains(['<', '>', '"']));
            let decoded: Vec<u8> = percent_decode_str(&href[2..]).collect();
            prop_assert_eq!(decoded, name);
        }

        #[test]
        fn the_order_is_an_order(
            mut names in proptest::collection::vec("[aAbB019]{0,6}", 0..20),
        ) {
            // Sorting panics where it finds that an order is none.
            names.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
            for pair in names.windows(2) {
                prop_assert_ne!(
                    natural(pair[0].as_bytes(), pair[1].as_bytes()),
                    Ordering::Greater
                );
            }
        }
    }
}
