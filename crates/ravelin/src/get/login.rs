//! Who asks: from the command line, a session or a netrc file, in this order.

use ravelin_client::{Credentials, Request, Url};

use super::netrc;
use super::session::Session;
use crate::arguments::get::RequestArguments;
use crate::failure::Failure;

/// Who asks as the command line says. A password that it does not say is asked for, once.
pub(super) fn given(
    arguments: &RequestArguments,
    first: &Url,
) -> Result<Option<Credentials>, Failure> {
    let wanted = &arguments.login;
    if let Some(token) = &wanted.bearer {
        return Ok(Some(Credentials::Bearer(token.clone())));
    }
    let Some(user) = &wanted.user else {
        return Ok(None);
    };
    let (user, password) = match user.split_once(':') {
        Some((user, password)) => (user.to_owned(), password.to_owned()),
        None => (user.clone(), ask(user, first)?),
    };
    Ok(Some(if wanted.digest {
        Credentials::Digest { user, password }
    } else {
        Credentials::Basic { user, password }
    }))
}

/// Puts into a request who asks.
pub(super) fn login(
    request: &mut Request,
    given: Option<&Credentials>,
    arguments: &RequestArguments,
    session: Option<&Session>,
) -> Result<(), Failure> {
    let has_own = request.given().contains_key(http::header::AUTHORIZATION);
    let found = match given {
        Some(given) => Some(given.clone()),
        None if has_own || request.has_credentials() => None,
        None => match session.and_then(Session::credentials) {
            Some(kept) => Some(kept),
            None => of_netrc(request, arguments)?,
        },
    };
    if let Some(credentials) = found {
        *request = request.clone().credentials(credentials);
    }
    Ok(())
}

fn of_netrc(
    request: &Request,
    arguments: &RequestArguments,
) -> Result<Option<Credentials>, Failure> {
    let host = request.url().host_str().unwrap_or_default();
    let found = netrc::find(arguments.login.netrc.as_deref(), host)?;
    Ok(found.map(|(user, password)| Credentials::Basic { user, password }))
}

fn ask(user: &str, first: &Url) -> Result<String, Failure> {
    let host = first.host_str().unwrap_or_default();
    rpassword::prompt_password(format!("Password of {user} at {host}: ")).map_err(|error| {
        Failure::usage(format!(
            "there is no terminal to ask for the password: {error}"
        ))
        .hint("give it with --user USER:PASSWORD, or in a netrc file".to_owned())
    })
}
