//! The paths of routes.

use ravelin_server::site::PathPattern;

use super::super::fault::Fault;

/// Reads `/hello` or `/old/*`, decoded: requests are compared by what their path means, so
/// `/k%C3%A4se` and `/käse` are the same.
pub(super) fn pattern(text: &str) -> Result<PathPattern, Fault> {
    if !text.starts_with('/') {
        return Err(Fault::PathRelative(text.to_owned()));
    }
    if text.contains(['?', '#']) {
        return Err(Fault::PathQuery(text.to_owned()));
    }
    let (path, prefix) = match text.strip_suffix("/*") {
        Some(folder) => (&text[..=folder.len()], true),
        None => (text, false),
    };
    if path.contains('*') {
        return Err(Fault::PathStar {
            path: text.to_owned(),
            mend: with_star_at_end(text),
        });
    }
    if let Some(brace) = path.find('{') {
        return Err(Fault::PathPlaceholder {
            path: text.to_owned(),
            mend: format!("{}*", &path[..brace]),
        });
    }
    let decoded = decoded(path, text)?;
    let mut segments = decoded.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(Fault::PathDots(text.to_owned())),
            "" if segments.peek().is_some() => {
                return Err(Fault::PathEmptySegment(text.to_owned()));
            }
            _ => {}
        }
    }
    Ok(if prefix {
        PathPattern::Prefix(decoded)
    } else {
        PathPattern::Exact(decoded)
    })
}

/// The pattern as the user may write it.
pub(super) fn text(pattern: &PathPattern) -> String {
    match pattern {
        PathPattern::Exact(path) => path.clone(),
        PathPattern::Prefix(path) => format!("{path}*"),
    }
}

/// Checks that every `%` has two hexadecimal digits behind it.
pub(super) fn check_percent(text: &str) -> Result<(), Fault> {
    for (at, _) in text.match_indices('%') {
        let found = &text[at..];
        let digits = found.as_bytes().get(1..3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(Fault::Percent {
                found: found.chars().take(3).collect(),
            });
        }
    }
    Ok(())
}

fn decoded(path: &str, whole: &str) -> Result<String, Fault> {
    check_percent(path)?;
    let forbidden = |found| Fault::PathForbidden {
        path: whole.to_owned(),
        found,
    };
    let upper = path.to_ascii_uppercase();
    if upper.contains("%2F") {
        return Err(forbidden("an encoded slash"));
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    let decoded = decoded.map_err(|_| forbidden("bytes that are not UTF-8"))?;
    if decoded.contains(char::is_control) {
        return Err(forbidden("a control character"));
    }
    if decoded.contains('\\') {
        return Err(forbidden("a backslash"));
    }
    Ok(decoded.into_owned())
}

/// `/old*` as `/old/*`, `/a/*/b` as `/a/*`.
fn with_star_at_end(text: &str) -> String {
    let folder = text.split('*').next().unwrap_or_default();
    format!("{}/*", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_exact_or_a_prefix() {
        assert_eq!(pattern("/hello"), Ok(PathPattern::Exact("/hello".into())));
        assert_eq!(pattern("/"), Ok(PathPattern::Exact("/".into())));
        assert_eq!(pattern("/*"), Ok(PathPattern::Prefix("/".into())));
        assert_eq!(pattern("/old/*"), Ok(PathPattern::Prefix("/old/".into())));
    }

    #[test]
    fn paths_are_what_they_mean() {
        let exact = |path: &str| Ok(PathPattern::Exact(path.into()));
        assert_eq!(pattern("/%7euser"), exact("/~user"));
        assert_eq!(pattern("/caf%c3%a9"), exact("/café"));
        assert_eq!(pattern("/café"), exact("/café"));
        assert_eq!(pattern("/a b"), exact("/a b"));
        assert_eq!(pattern("/100%25"), exact("/100%"));
    }

    #[test]
    fn paths_that_no_request_has_are_refused() {
        for text in [
            "",
            "a",
            "/a//b",
            "//*",
            "/a/../b",
            "/.",
            "/%2e%2E/x",
            "/a%2fb",
            "/a%5cb",
            "/%00",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a\nb",
            "/%ff",
            "/a*",
            "/*/b",
            "/a?b",
            "/a#b",
            "/{id}",
            "/%é",
        ] {
            assert!(pattern(text).is_err(), "{text:?}");
        }
    }
}
