//! What to tell of a request that came to nothing: above all of a server that is not believed.

use ravelin_client::{Error, Refusal, Refused, TlsFacts};
use ravelin_pki::Certificate;

use super::trust::Beliefs;
use crate::arguments::get::RequestArguments;
use crate::failure::{Failure, chain};
use crate::words;

/// The failure that an error is, after what there is to be shown has been.
pub(super) fn failure(error: &Error, arguments: &RequestArguments, beliefs: &Beliefs) -> Failure {
    let hint = match error {
        Error::Downgrade(_) => "--allow-http follows it",
        Error::Redirects { .. } => "--verbose shows where to, and --redirects N follows more",
        Error::TooLong(_) => "--max-size OCTETS takes more",
        Error::Lookup { .. } | Error::Connect { .. } if arguments.way.retry.is_none() => {
            "where that passes, --retry N asks again"
        }
        Error::NoQuic { .. } | Error::NoHttp3 { .. } => {
            "--http 2 asks over TCP; of many servers the UDP port is closed, or a firewall lets none through"
        }
        Error::NotOverQuic { .. } => return not_over_quic(error, arguments),
        Error::BodyGone => "give the body as a file: --body FILE",
        _ => return connection(error, beliefs),
    };
    Failure::network(chain(error)).hint(hint.to_owned())
}

/// What is asked for by the command line, and cannot be; or led to by a redirect.
fn not_over_quic(error: &Error, arguments: &RequestArguments) -> Failure {
    let hint = if arguments.way.proxy.is_none() && arguments.way.unix_socket.is_none() {
        "--http 2 goes everywhere; where the proxy is of the environment, --proxy none goes through none"
    } else {
        "--http 2 goes everywhere"
    };
    Failure::usage(chain(error)).hint(hint.to_owned())
}

/// The same of what is about the connection alone.
pub(crate) fn connection(error: &Error, beliefs: &Beliefs) -> Failure {
    let hint = match error {
        Error::Refused { host, refused } => return refusal(host, refused, beliefs),
        Error::Input { .. } => return Failure::of(error),
        Error::TakenBack {
            had_identity: true, ..
        } => Some(
            "the server does not like the certificate of --cert: it may be of another CA, expired, or not for \
             clients; \"ravelin cert show\" tells",
        ),
        Error::TakenBack { .. } => {
            Some("the server wants a certificate of the client: --cert FILE --key FILE")
        }
        error => error.hint(),
    };
    Failure::network(chain(error)).hint(hint.map(str::to_owned))
}

/// The same of a host of which it was told before.
pub(super) fn again(host: &str, refused: &Refused) -> Failure {
    Failure::answer(format!(
        "\"{host}\" is not believed, and nothing was sent: {}",
        refused.why
    ))
}

fn refusal(host: &str, refused: &Refused, beliefs: &Beliefs) -> Failure {
    let chain_sent = certificates(refused.chain.iter().map(AsRef::as_ref));
    let failed = again(host, refused);
    match &refused.why {
        Refusal::Pin { .. } => {
            words::get::chain_as_sent(&chain_sent);
            failed.hint(
                "where the server has a new key, and you know that from elsewhere, pin that one"
                    .to_owned(),
            )
        }
        Refusal::Authorities(_) | Refusal::Revoked => {
            let told = beliefs.judge(&chain_sent, host, |verdict, question| {
                words::get::verdict(host, verdict, question, beliefs.searched());
                verdict.is_valid()
            });
            words::get::chain_as_sent(&chain_sent);
            match (told, &refused.why) {
                (Some(false), Refusal::Authorities(_)) => {
                    Failure::answer(format!("\"{host}\" is not believed, and nothing was sent"))
                }
                _ => failed,
            }
        }
        _ => {
            words::get::chain_as_sent(&chain_sent);
            failed
        }
    }
}

/// What nobody asked: that the server is not verified, and what would have failed.
pub(crate) fn warn(tls: &TlsFacts, host: &str, beliefs: &Beliefs) {
    words::get::insecure();
    if !beliefs.asks_ca() {
        return;
    }
    let sent = certificates(tls.chain.iter().map(AsRef::as_ref));
    beliefs.judge(&sent, host, |verdict, question| {
        if verdict.is_valid() {
            words::get::needlessly_insecure();
        } else {
            words::get::verdict(host, verdict, question, beliefs.searched());
        }
    });
}

/// What can be read of a chain.
fn certificates<'d>(ders: impl Iterator<Item = &'d [u8]>) -> Vec<Certificate> {
    ders.filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}
