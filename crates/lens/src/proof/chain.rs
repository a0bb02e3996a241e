//! Whether a chain leads to somebody who is trusted, by the judge of `ravelin-pki`.

use std::time::SystemTime;

use ravelin_pki::{Certificate, HostName, Judge, Purpose, Question, Rules, Trust};

use super::signer::certificate;
use crate::ledger::Side;
use crate::story::{Missing, Refutation, Verdict};

/// Whether the first of these certificates, in DER, is good for `side` at this time, by the strict rules
/// (RFC 5280, section 6; RFC 9525). Without a host, its names are not looked at; those of clients never are.
///
/// What came behind it and cannot be read is of no use to the chain, and does no harm.
#[must_use]
pub fn chain(
    certificates: &[Vec<u8>],
    trust: Option<&Trust>,
    host: Option<&HostName>,
    at: SystemTime,
    side: Side,
) -> Verdict {
    let Some((leaf, others)) = certificates.split_first() else {
        return Verdict::NotDerivable(Missing::Certificate);
    };
    let leaf = match certificate(leaf) {
        Ok(leaf) => leaf,
        Err(verdict) => return verdict,
    };
    let Some(trust) = trust else {
        return Verdict::NotDerivable(Missing::Roots);
    };
    let others: Vec<Certificate> = others
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let mut question = Question::at(at).purpose(match side {
        Side::Client => Purpose::Client,
        Side::Server => Purpose::Server,
    });
    if let Some(host) = host.filter(|_| side == Side::Server) {
        question = question.host(host.clone());
    }
    let judge = Judge::new(trust, Rules::strict());
    let verdict = judge.verify(&leaf, &others, &question);
    if verdict.is_valid() {
        return Verdict::Confirmed;
    }
    Verdict::Refuted(Refutation::BadChain(verdict.failures().to_vec()))
}
