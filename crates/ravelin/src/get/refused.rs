//! What to tell of a request that came to nothing: above all of a server that is not believed.

use ravelin_client::{Error, Refusal, Refused, Response};
use ravelin_pki::Certificate;

use super::trust::Beliefs;
use crate::arguments::get::RequestArguments;
use crate::failure::{Failure, chain};
use crate::words;

/// The failure that an error is, after what there is to be shown has been.
pub(super) fn failure(error: Error, arguments: &RequestArguments, beliefs: &Beliefs) -> Failure {
    match error {
        Error::Refused { host, refused } => refusal(&host, &refused, beliefs),
        Error::TakenBack { had_identity, .. } => {
            let hint = if had_identity {
                "the server does not like the certificate of --cert: it may be of another CA, expired, or not for \
                 clients; \"ravelin cert show\" tells"
            } else {
                "the server wants a certificate of the client: --cert FILE --key FILE"
            };
            Failure::network(chain(&error)).hint(hint.to_owned())
        }
        Error::Downgrade(_) => {
            Failure::network(chain(&error)).hint("--allow-http follows it".to_owned())
        }
        Error::Redirects { .. } => Failure::network(chain(&error))
            .hint("--verbose shows where to, and --redirects N follows more".to_owned()),
        Error::TooLong(_) => {
            Failure::network(chain(&error)).hint("--max-size OCTETS takes more".to_owned())
        }
        Error::TimedOut { .. } | Error::Stalled { .. } => Failure::network(chain(&error)),
        Error::Lookup { .. } | Error::Connect { .. } => {
            let hint = arguments.way.retry.is_none();
            Failure::network(chain(&error))
                .hint(hint.then(|| "where that passes, --retry N asks again".to_owned()))
        }
        Error::BodyGone => {
            Failure::network(chain(&error)).hint("give the body as a file: --body FILE".to_owned())
        }
        Error::Input { .. } => Failure::of(&error),
        error => {
            let hint = error.hint().map(str::to_owned);
            Failure::network(chain(&error)).hint(hint)
        }
    }
}

fn refusal(host: &str, refused: &Refused, beliefs: &Beliefs) -> Failure {
    let chain_sent = certificates(refused.chain.iter().map(AsRef::as_ref));
    let failed = Failure::answer(format!(
        "\"{host}\" is not believed, and nothing was sent: {}",
        refused.why
    ));
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
                words::get::verdict(host, verdict, question, &beliefs.searched);
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
pub(super) fn warn(response: &Response, beliefs: &Beliefs) {
    let hop = response.hops().last();
    let Some((hop, tls)) = hop.and_then(|hop| Some((hop, hop.tls.as_ref()?))) else {
        return;
    };
    words::get::insecure();
    if !beliefs.asks_ca() {
        return;
    }
    let host = hop.url.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let sent = certificates(tls.chain.iter().map(AsRef::as_ref));
    beliefs.judge(&sent, host, |verdict, question| {
        if verdict.is_valid() {
            words::get::needlessly_insecure();
        } else {
            words::get::verdict(host, verdict, question, &beliefs.searched);
        }
    });
}

/// What can be read of a chain.
fn certificates<'d>(ders: impl Iterator<Item = &'d [u8]>) -> Vec<Certificate> {
    ders.filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}
