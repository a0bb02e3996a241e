//! Where redirects lead, what rewrites make of a path, and redirects that never end.

use std::borrow::Cow;

use http::StatusCode;
use ravelin_pki::HostName;
use ravelin_server::site::{Handler, PathPattern, Template, TemplatePart};

use super::super::fault::Fault;
use super::super::placed::{At, TextOr};
use super::super::raw;
use super::route::PlacedRoute;
use super::{Check, path};

/// Reads `redirect`.
pub(super) fn redirect(
    at: &At<TextOr<raw::Redirect>>,
    pattern: Option<&PathPattern>,
    check: &mut Check<'_>,
) -> Option<Handler> {
    let (place, to, status) = match &at.value {
        TextOr::Text(to) => (&at.place, to, DEFAULT_STATUS),
        TextOr::Table(raw) => {
            let to = raw.to.given()?;
            let status = raw.status.copied_or(DEFAULT_STATUS);
            (&to.place, &to.value, status)
        }
    };
    let to = check.problems.take(place, target(to, pattern))?;
    // The schema has kept it to those of a redirect.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::PERMANENT_REDIRECT);
    Some(Handler::Redirect { to, status })
}

/// Reads `rewrite`: a path, in which the query, that is none of it, has no place.
pub(super) fn rewrite(text: &str, pattern: Option<&PathPattern>) -> Result<Template, Fault> {
    let template = template(text, "{rest}, {path} and {host}", pattern)?;
    if template.0.contains(&TemplatePart::Query) {
        return Err(Fault::Placeholder {
            name: "query".to_owned(),
            known: "{rest}, {path} and {host}",
        });
    }
    let why = if !text.starts_with('/') && template.0.first() != Some(&TemplatePart::Path) {
        "does not start with `/`"
    } else if text.contains(['?', '#']) {
        "has a query or fragment, and files have none"
    } else if text
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        "has a `.` or `..` segment"
    } else {
        return Ok(template);
    };
    Err(Fault::Rewrite {
        text: text.to_owned(),
        why,
    })
}

fn target(text: &str, pattern: Option<&PathPattern>) -> Result<Template, Fault> {
    let template = template(text, "{rest}, {path}, {host} and {query}", pattern)?;
    if let Some((_, rest)) = text.split_once("://")
        && (text.starts_with("https:") || text.starts_with("http:"))
    {
        check_authority(rest, text)?;
    } else {
        let is_path = text.starts_with('/') || template.0.first() == Some(&TemplatePart::Path);
        // `//example.org` is a URL without its scheme.
        if !is_path || text.starts_with("//") {
            return Err(Fault::Target(text.to_owned()));
        }
    }
    Ok(template)
}

/// The host of a URL: a name, or `{host}`, and a port. `https://{rest}/` would send visitors
/// wherever the writer of a link likes.
fn check_authority(rest: &str, whole: &str) -> Result<(), Fault> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // `{path}` starts with a slash, so it ends the host as well as `/` does.
    let authority = authority.split("{path}").next().unwrap_or_default();
    if authority.contains("{rest}") || authority.contains("{query}") {
        return Err(Fault::OpenTarget(whole.to_owned()));
    }
    let sample = authority.replace("{host}", "host");
    let (host, port) = split_port(&sample);
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    match host.parse::<HostName>() {
        Ok(host) if is_port && !host.is_wildcard() => Ok(()),
        _ => Err(Fault::TargetHost(whole.to_owned())),
    }
}

/// Cuts a template up and checks the text between its placeholders.
fn template(
    text: &str,
    known: &'static str,
    pattern: Option<&PathPattern>,
) -> Result<Template, Fault> {
    let template = Template::parse(text).map_err(|name| match name.as_str() {
        "{" => Fault::OpenBrace,
        _ => Fault::Placeholder { name, known },
    })?;
    for part in &template.0 {
        if let TemplatePart::Text(part) = part {
            path::check_percent(part)?;
            let may_stand = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
            if !part.bytes().all(may_stand) {
                return Err(Fault::TargetCharacter(text.to_owned()));
            }
        }
    }
    if template.0.contains(&TemplatePart::Rest)
        && let Some(PathPattern::Exact(path)) = pattern
    {
        return Err(Fault::EmptyRest(path.clone()));
    }
    Ok(template)
}

/// Notes the redirects that lead back to themselves, straight or by way of others.
///
/// Each is followed with a sample of the paths that it takes, so what depends on the path asked for
/// is not seen: this is for slips of the pen, not a proof.
pub(super) fn find_loops(routes: &[PlacedRoute], hosts: &[HostName], check: &mut Check<'_>) {
    for (start, placed) in routes.iter().enumerate() {
        let mut path = sample_path(&placed.route.path);
        let mut at = start;
        // In a circle of several, the first in the file is named.
        let mut smallest = start;
        for _ in 0..MOST_HOPS {
            let Some(next) = follow(&routes[at], &path, hosts, check) else {
                break;
            };
            let Some(found) = best_match(routes, &next) else {
                break;
            };
            smallest = smallest.min(found);
            (at, path) = (found, next);
            if at == start {
                if smallest == start {
                    let from = path::text(&placed.route.path);
                    check.problems.add(&placed.place, Fault::Loop { from });
                }
                break;
            }
        }
    }
}

/// The path that the route sends to, decoded, if it is a redirect to a host of the same site.
fn follow(
    placed: &PlacedRoute,
    path: &str,
    hosts: &[HostName],
    check: &Check<'_>,
) -> Option<String> {
    let Handler::Redirect { to, .. } = &placed.route.handler else {
        return None;
    };
    let host = hosts.first()?;
    let mut url = String::new();
    for part in &to.0 {
        match part {
            TemplatePart::Text(text) => url.push_str(text),
            TemplatePart::Rest => url.push_str(placed.route.path.rest(path)?),
            TemplatePart::Host => url.push_str(&host.to_string().replacen('*', "any", 1)),
            TemplatePart::Path => url.push_str(path),
            TemplatePart::Query => {}
        }
    }
    let local = match url.split_once("://") {
        Some((scheme, rest)) if !url.starts_with('/') => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let (name, port) = split_port(authority);
            let name = name.parse().ok()?;
            let port = port.map_or(443, |port| port.parse().unwrap_or(0));
            let own = scheme == "https"
                && hosts.iter().any(|host| host.covers(&name))
                && check.listen.iter().any(|address| address.port() == port);
            own.then_some(path)?
        }
        _ => &url,
    };
    let path = local.split(['?', '#']).next().unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded.ok().map(Cow::into_owned)
}

/// `host:8443` and `[::1]:8443` as host and port; `[::1]` has none.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The route that takes `path`: an exact one before a prefix, a longer prefix before a shorter.
fn best_match(routes: &[PlacedRoute], path: &str) -> Option<usize> {
    let takes = routes
        .iter()
        .enumerate()
        .filter(|(_, placed)| placed.route.path.rest(path).is_some());
    takes
        .max_by_key(|(_, placed)| match &placed.route.path {
            PathPattern::Exact(_) => usize::MAX,
            PathPattern::Prefix(prefix) => prefix.len(),
        })
        .map(|(number, _)| number)
}

/// A path that the route takes, and that no other is likely to.
fn sample_path(pattern: &PathPattern) -> String {
    match pattern {
        PathPattern::Exact(path) => path.clone(),
        PathPattern::Prefix(prefix) => format!("{prefix}any"),
    }
}

const DEFAULT_STATUS: u16 = 308;
/// Browsers give up at about as many.
const MOST_HOPS: usize = 20;
