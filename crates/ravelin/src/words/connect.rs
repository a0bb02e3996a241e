//! What `ravelin connect` says.

use ravelin_client::Raw;
use ravelin_pki::Certificate;

use super::show::clean;
use super::{DIM, day, tell};
use crate::get::Beliefs;

/// What was agreed on, and who the server is.
pub(crate) fn connected(raw: &Raw, name: &str, beliefs: &Beliefs) {
    match raw.peer {
        Some(peer) => say!("connected    {} {DIM}({peer}){DIM:#}", clean(name)),
        None => say!("connected    {}", clean(name)),
    }
    let tls = &raw.tls;
    let group = tls.group.as_deref().unwrap_or("no group");
    let alpn = tls.alpn.as_deref().map_or_else(String::new, |alpn| {
        format!(", {}", clean(&String::from_utf8_lossy(alpn)))
    });
    say!("agreed       {}, {}, {group}{alpn}", tls.version, tls.suite);
    let leaf = tls
        .chain
        .first()
        .and_then(|der| Certificate::from_der(der).ok());
    let Some(leaf) = leaf.filter(|_| !beliefs.trust.is_everyone()) else {
        return;
    };
    let by = match (beliefs.trust.root_count(), beliefs.trust.pins().len()) {
        (Some(_), 0) => "",
        (Some(_), _) => ", and its key is pinned",
        (None, _) => ", whose key is pinned; no CA was asked",
    };
    say!(
        "verified     {}, issued by {}, until {}{by}",
        clean(&leaf.title()),
        clean(leaf.issuer()),
        day(leaf.not_after())
    );
}
