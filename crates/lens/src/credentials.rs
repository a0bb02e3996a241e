//! Whether the two of a connection are who they say: their chains, and what logs promised, put to the test
//! once its story is told.
//!
//! Apart from [`crate::connection`], which needs no roots and no list of logs to tell what was said.

use std::time::SystemTime;

use ravelin_pki::{HostName, Trust};
use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{Certificate, Handshake};
use ravelin_wire::registry::HandshakeType;

use crate::ledger::Side;
use crate::proof::{self, Logs};
use crate::story::{Check, Claim, Step, Story, Value, Verdict, What};

mod chains;

pub use chains::Chains;

/// The longest certificate message that is decompressed, in octets.
const MAX_CERTIFICATE_OCTETS: usize = 1 << 18;

/// Who is believed.
#[derive(Debug, Clone, Copy)]
pub struct Believed<'b> {
    /// The roots; `None` where they are not known.
    pub trust: Option<&'b Trust>,
    /// The logs.
    pub logs: &'b Logs,
    /// Whom the client meant to reach; `None` for the name that it asked for, if there is one.
    pub host: Option<&'b HostName>,
}

/// Adds the checks of both chains, and of each timestamp of a log, to a story.
pub fn check(story: &mut Story, believed: Believed<'_>) {
    let asked = story.agreement.server_name.as_deref();
    let asked: Option<HostName> = asked.and_then(|name| name.parse().ok());
    let host = believed.host.or(asked.as_ref());
    let mut checks = chains(story, |chain, at, side| {
        let host = host.filter(|_| side == Side::Server);
        proof::chain(chain, believed.trust, host, at, side)
    });
    if let Some((step, _)) = shown(story, Side::Server) {
        let agreement = &story.agreement;
        let promised = promised(story, step);
        let promised: Vec<&[u8]> = promised.iter().map(|it| &it[..]).collect();
        let response = agreement.ocsp_response.as_deref();
        let seen = proof::timestamps(&agreement.server_chain, response, &promised, believed.logs);
        for timestamp in seen {
            let claim = timestamp.claim(believed.logs);
            checks.push(of(step, claim, timestamp.verdict));
        }
    }
    story.checks.extend(checks);
}

/// The checks of the chains that were shown, as `judge` judges them.
fn chains(
    story: &Story,
    mut judge: impl FnMut(&[Vec<u8>], SystemTime, Side) -> Verdict,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for side in [Side::Client, Side::Server] {
        let chain = match side {
            Side::Client => &story.agreement.client_chain,
            Side::Server => &story.agreement.server_chain,
        };
        if chain.is_empty() {
            continue;
        }
        if let Some((step, at)) = shown(story, side) {
            let verdict = judge(chain, at, side);
            checks.push(of(step, Claim::Chain(side), verdict));
        }
    }
    checks
}

fn of(step: usize, claim: Claim, verdict: Verdict) -> Check {
    Check {
        claim,
        verdict,
        step,
        inputs: Vec::new(),
    }
}

/// At which step a side showed its certificate last, and when.
fn shown(story: &Story, side: Side) -> Option<(usize, SystemTime)> {
    let is_certificate = |step: &Step| {
        let what = step.what;
        step.side == side
            && (what == What::Handshake(HandshakeType::CERTIFICATE)
                || what == What::Handshake(HandshakeType::COMPRESSED_CERTIFICATE))
    };
    let at = story.steps.iter().rposition(is_certificate)?;
    Some((at, story.steps.get(at)?.at))
}

/// The timestamps that came with the handshake (RFC 6962, section 3.3.1): in the server's hello before TLS 1.3,
/// with the certificate since.
fn promised(story: &Story, step: usize) -> Vec<Vec<u8>> {
    let of = |extensions: &[Extension<'_>]| -> Vec<Vec<u8>> {
        let lists = extensions.iter().filter_map(|extension| match extension {
            Extension::SignedCertificateTimestamps(list) => Some(list),
            _ => None,
        });
        lists
            .flatten()
            .map(|timestamp| timestamp.to_vec())
            .collect()
    };
    let of_certificate = |certificate: &Certificate<'_>| match certificate {
        Certificate::Tls13 {
            certificate_list, ..
        } => {
            let first = certificate_list.first();
            first
                .map(|entry| of(&entry.extensions.0))
                .unwrap_or_default()
        }
        _ => Vec::new(),
    };
    match story.steps.get(step).map(Step::value) {
        Some(Ok(Value::Handshake(Handshake::Certificate(
            certificate @ Certificate::Tls13 { .. },
        )))) => of_certificate(&certificate),
        Some(Ok(Value::Handshake(Handshake::CompressedCertificate(compressed)))) => {
            let body = proof::decompress(&compressed, MAX_CERTIFICATE_OCTETS).unwrap_or_default();
            Certificate::decode_tls13(&body).map_or_else(|_| Vec::new(), |it| of_certificate(&it))
        }
        _ => {
            let before = story.steps.iter().take(step).rev();
            let mut hellos =
                before.filter(|step| step.what == What::Handshake(HandshakeType::SERVER_HELLO));
            match hellos.next().map(Step::value) {
                Some(Ok(Value::Handshake(Handshake::ServerHello(hello)))) => hello
                    .extensions
                    .map(|extensions| of(&extensions.0))
                    .unwrap_or_default(),
                _ => Vec::new(),
            }
        }
    }
}
