//! Who asks: from the command line, a session or a netrc file, in this order.

use ravelin_client::{Credentials, Request};

use super::netrc;
use super::session::Session;
use crate::arguments::get::RequestArguments;
use crate::failure::Failure;

/// The request with who asks.
pub(super) fn login(
    request: Request,
    arguments: &RequestArguments,
    session: Option<&Session>,
) -> Result<Request, Failure> {
    let wanted = &arguments.login;
    if let Some(token) = &wanted.bearer {
        return Ok(request.credentials(Credentials::Bearer(token.clone())));
    }
    if let Some(user) = &wanted.user {
        let (user, password) = match user.split_once(':') {
            Some((user, password)) => (user.to_owned(), password.to_owned()),
            None => (user.clone(), ask(user, &request)?),
        };
        return Ok(request.credentials(if wanted.digest {
            Credentials::Digest { user, password }
        } else {
            Credentials::Basic { user, password }
        }));
    }
    let is_given = request.given().contains_key(http::header::AUTHORIZATION);
    if is_given || request.has_credentials() {
        return Ok(request);
    }
    if let Some(credentials) = session.and_then(Session::credentials) {
        return Ok(request.credentials(credentials));
    }
    let host = request.url().host_str().unwrap_or_default().to_owned();
    match netrc::find(wanted.netrc.as_deref(), &host)? {
        Some((user, password)) => Ok(request.credentials(Credentials::Basic { user, password })),
        None => Ok(request),
    }
}

fn ask(user: &str, request: &Request) -> Result<String, Failure> {
    let host = request.url().host_str().unwrap_or_default();
    rpassword::prompt_password(format!("Password of {user} at {host}: ")).map_err(|error| {
        Failure::usage(format!(
            "there is no terminal to ask for the password: {error}"
        ))
        .hint("give it with --user USER:PASSWORD, or in a netrc file".to_owned())
    })
}
