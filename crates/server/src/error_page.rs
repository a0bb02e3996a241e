//! The body of a response that tells of an error: a small page for browsers, one line of text for
//! everyone else.

use askama::Template;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::negotiation::wants_html;

/// The `Content-Type` and body of a response with `status`, an error.
///
/// `accept` is the request's `Accept`; a client that does not ask for HTML by name gets a line of
/// text. `detail` says what is particular to this request; what in it begins with `https://`
/// becomes a link. On pages [`page::CONTENT_SECURITY_POLICY`](crate::page::CONTENT_SECURITY_POLICY)
/// may be sent.
#[must_use]
pub fn body(
    status: StatusCode,
    accept: Option<&HeaderValue>,
    detail: Option<&str>,
) -> (HeaderValue, Bytes) {
    let reason = status.canonical_reason().unwrap_or("Error");
    let sentence = sentence(status);
    if wants_html(accept) {
        let start = matches!(status.as_u16(), 403..=405);
        let page = Page {
            status: status.as_u16(),
            reason,
            sentence,
            detail,
            start,
        };
        if let Ok(page) = page.render() {
            return (
                HeaderValue::from_static("text/html; charset=utf-8"),
                page.into(),
            );
        }
    }
    let line = format!(
        "{} {reason}: {}\n",
        status.as_str(),
        detail.unwrap_or(sentence)
    );
    (
        HeaderValue::from_static("text/plain; charset=utf-8"),
        line.into(),
    )
}

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    status: u16,
    reason: &'a str,
    sentence: &'a str,
    detail: Option<&'a str>,
    /// Whether to offer the way to the front page.
    start: bool,
}

/// What happened and what can be done, in words for whoever sees it in a browser.
fn sentence(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The server could not make sense of this request. Go back and try again.",
        401 => "This page asks for a user name and a password. Load it again to enter them.",
        403 => "This page is not open to you. If it should be, ask whoever runs this site.",
        404 => {
            "There is nothing at this address. Look for a typing error in it, or start at the front page."
        }
        405 => "This address does not take requests of this kind. Open it as a page instead.",
        408 => "The request took too long to arrive. Try again over a better connection.",
        412 => "This page has changed since you last saw it. Load it again.",
        413 => "What was sent is larger than this address takes. Send something smaller.",
        416 => "The file does not have the part that was asked for. Start the download anew.",
        421 => {
            "The request came over a connection that was made for another site. Load the page again."
        }
        429 => "Too many requests came from your address. Wait a little, then try again.",
        431 => {
            "The browser sent more header data than the server takes. Deleting this site's cookies helps as a rule."
        }
        500 => "Something went wrong on the server. It is not your doing; try again later.",
        503 => "The server has too much to do, or is about to restart. Try again in a moment.",
        _ if status.is_client_error() => {
            "The server does not take this request. Go back and try again."
        }
        _ => "The server could not answer this request. Try again later.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: HeaderValue =
        HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8");

    fn text(status: u16, accept: Option<&HeaderValue>, detail: Option<&str>) -> (String, String) {
        let (content_type, body) = body(StatusCode::from_u16(status).unwrap(), accept, detail);
        (
            content_type.to_str().unwrap().to_owned(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[test]
    fn a_program_gets_one_line() {
        let (content_type, line) = text(404, Some(&HeaderValue::from_static("*/*")), None);
        assert_eq!(content_type, "text/plain; charset=utf-8");
        assert!(
            line.starts_with("404 Not Found: There is nothing at this address."),
            "{line}"
        );
        assert!(line.ends_with(".\n") && line.lines().count() == 1);
        let (_, line) = text(400, None, Some("two Content-Length fields"));
        assert_eq!(line, "400 Bad Request: two Content-Length fields\n");
    }

    #[test]
    fn a_browser_gets_a_page() {
        let (content_type, page) = text(404, Some(&BROWSER), None);
        assert_eq!(content_type, "text/html; charset=utf-8");
        assert!(page.contains("<title>404 Not Found</title>"));
        assert!(page.contains("<a href=\"/\">"));
        assert!(!page.contains("class=\"detail\""));
    }

    #[test]
    fn every_error_has_its_words() {
        for status in 400..600 {
            let (_, page) = text(status, Some(&BROWSER), None);
            assert!(page.contains(&format!("<title>{status} ")));
            let (_, line) = text(status, None, None);
            assert!(line.ends_with(".\n") && line.lines().count() == 1, "{line}");
        }
    }

    #[test]
    fn a_detail_is_escaped_and_only_https_becomes_a_link() {
        let detail = "use https://a.test/?a=\"b or <b>javascript:x http://c.test/";
        let (_, page) = text(400, Some(&BROWSER), Some(detail));
        let start = page.find("<p class=\"detail\">").unwrap();
        let shown = &page[start..start + page[start..].find("</p>").unwrap()];
        assert_eq!(
            shown,
            "<p class=\"detail\">use <a href=\"https://a.test/?a=&#34;b\">\
             https://a.test/?a=&#34;b</a> or &#60;b&#62;javascript:x http://c.test/"
        );
    }
}
