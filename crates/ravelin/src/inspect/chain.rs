//! The server's chain, judged after the fact: the connection took whatever came.

use std::time::SystemTime;

use ravelin_lens::ledger::Side;
use ravelin_lens::story::{Check, Claim, Missing, Refutation, Story, Verdict, What};
use ravelin_pki::{Certificate, HostName, Judge, Purpose, Question, Rules, Trust};
use ravelin_wire::registry::HandshakeType;

/// Adds to `story` whether the chain leads to a root of `trust` and is for `host`. Nothing is added where no
/// certificate was shown, as in a connection that goes on from one before.
pub(super) fn judge(story: &mut Story, trust: &Trust, host: Option<&HostName>, now: SystemTime) {
    let Some(step) = step(story) else { return };
    let verdict = verdict(&story.agreement.server_chain, trust, host, now);
    story.checks.push(Check {
        claim: Claim::Chain(Side::Server),
        verdict,
        step,
        inputs: Vec::new(),
    });
}

fn step(story: &Story) -> Option<usize> {
    if story.agreement.server_chain.is_empty() {
        return None;
    }
    story.steps.iter().position(|step| {
        step.side == Side::Server
            && matches!(
                step.what,
                What::Handshake(HandshakeType::CERTIFICATE | HandshakeType::COMPRESSED_CERTIFICATE)
            )
    })
}

fn verdict(chain: &[Vec<u8>], trust: &Trust, host: Option<&HostName>, now: SystemTime) -> Verdict {
    let mut read = Vec::new();
    for (place, der) in chain.iter().enumerate() {
        match Certificate::from_der(der) {
            Ok(certificate) => read.push(certificate),
            // One behind the first may be of no use, and the chain good without it.
            Err(error) if place == 0 => {
                return Verdict::Refuted(Refutation::BadCertificate(crate::failure::chain(&error)));
            }
            Err(_) => {}
        }
    }
    let Some((leaf, issuers)) = read.split_first() else {
        return Verdict::NotDerivable(Missing::Certificate);
    };
    let mut question = Question::at(now).purpose(Purpose::Server);
    if let Some(host) = host {
        question = question.host(host.clone());
    }
    let judge = Judge::new(trust, Rules::strict());
    let verdict = judge.verify(leaf, issuers, &question);
    if verdict.is_valid() {
        return Verdict::Confirmed;
    }
    let problem = verdict.best().failures.first();
    let why = problem.map_or_else(
        || "no path leads to a root that is trusted".to_owned(),
        |failure| failure.problem.to_string(),
    );
    Verdict::Refuted(Refutation::BadChain(why))
}
