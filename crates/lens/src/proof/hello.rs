//! What hellos must not do: speak an older version than both could, and change when they are repeated.

use ravelin_wire::extension::{Extension, OfferedPsks};
use ravelin_wire::handshake::{ClientHello, Downgrade, ServerHello};
use ravelin_wire::registry::{CodePoint as _, ExtensionType, ProtocolVersion};

use crate::story::{Refutation, Verdict};

/// Whether the server's random says that it speaks a newer version, which the client offered (RFC 8446,
/// section 4.1.3): then somebody between took the offer out. `offered` are the versions that the client is
/// known to have offered.
#[must_use]
pub fn no_downgrade(hello: &ServerHello<'_>, offered: &[ProtocolVersion]) -> Verdict {
    let agreed = hello.version();
    let could = match hello.downgrade() {
        Some(Downgrade::ToTls12) if agreed <= ProtocolVersion::TLS_1_2 => ProtocolVersion::TLS_1_3,
        Some(Downgrade::ToTls11) if agreed <= ProtocolVersion::TLS_1_1 => ProtocolVersion::TLS_1_2,
        _ => return Verdict::Confirmed,
    };
    let was_offered = offered
        .iter()
        .any(|version| !version.is_grease() && (*version >= could || version.is_tls13()));
    if was_offered {
        Verdict::Refuted(Refutation::Downgraded(could))
    } else {
        Verdict::Confirmed
    }
}

/// Whether the second hello of a client is the first one, but for what the server's request and RFC 8446
/// allow (section 4.1.2).
///
/// They are: another public value, where one was asked for; the cookie; no more 0-RTT data; other proofs of
/// the keys from before, and fewer of these; other padding. RFC 9849 adds what is encrypted in ECH (section
/// 6.1.5).
#[must_use]
pub fn retry_kept(
    first: &ClientHello<'_>,
    request: &ServerHello<'_>,
    second: &ClientHello<'_>,
) -> Verdict {
    let changed = [
        (
            "legacy_version",
            first.legacy_version != second.legacy_version,
        ),
        ("random", first.random != second.random),
        (
            "legacy_session_id",
            first.legacy_session_id != second.legacy_session_id,
        ),
        ("cipher_suites", first.cipher_suites != second.cipher_suites),
        (
            "legacy_compression_methods",
            first.legacy_compression_methods != second.legacy_compression_methods,
        ),
    ];
    let field = changed.iter().find(|(_, changed)| *changed);
    let field = field.map(|(name, _)| *name);
    match field.or_else(|| changed_extension(first, request, second)) {
        Some(name) => Verdict::Refuted(Refutation::ChangedHello(name)),
        None => Verdict::Confirmed,
    }
}

/// The first extension that is not as it must be.
fn changed_extension(
    first: &ClientHello<'_>,
    request: &ServerHello<'_>,
    second: &ClientHello<'_>,
) -> Option<&'static str> {
    let group = request.extensions().find_map(|extension| match extension {
        Extension::KeyShareGroup(group) => Some(*group),
        _ => None,
    });
    let cookie = request.extensions().find_map(|extension| match extension {
        Extension::Cookie(cookie) => Some(*cookie),
        _ => None,
    });
    let mut before = first.extensions().filter(|extension| {
        let kind = extension.extension_type();
        // These may go, and padding may come.
        !(kind == ExtensionType::EARLY_DATA || kind == ExtensionType::PADDING)
    });
    let mut cookie_missing = cookie.is_some();
    for now in second.extensions() {
        let kind = now.extension_type();
        match now {
            Extension::Padding(_) => continue,
            Extension::Present(ExtensionType::EARLY_DATA) => return Some(name(kind)),
            Extension::Cookie(said) => {
                // No first hello has one.
                if cookie != Some(*said) {
                    return Some(name(kind));
                }
                cookie_missing = false;
                continue;
            }
            _ => {}
        }
        // Keys from before that no longer fit the suite may all go, and they come last.
        let Some(was) = before.next() else {
            return Some(name(kind));
        };
        let kept = match (was, now) {
            (Extension::KeyShares(_), Extension::KeyShares(shares)) if group.is_some() => {
                matches!(&shares[..], [share] if Some(share.group) == group)
            }
            (Extension::PreSharedKeys(was), Extension::PreSharedKeys(now)) => fewer(was, now),
            (Extension::EncryptedClientHello(_), Extension::EncryptedClientHello(_)) => true,
            _ => was == now,
        };
        if !kept {
            // Where another one stands in its place, it is gone, or that one was put before it.
            let was = was.extension_type();
            let is_there = |kind| second.extensions().any(|it| it.extension_type() == kind);
            return Some(name(if is_there(was) { kind } else { was }));
        }
    }
    if cookie_missing {
        return Some(name(ExtensionType::COOKIE));
    }
    before
        .find(|left| left.extension_type() != ExtensionType::PRE_SHARED_KEY)
        .map(|left| name(left.extension_type()))
}

/// Whether all keys of the second hello are of the first, in the same order.
fn fewer(was: &OfferedPsks<'_>, now: &OfferedPsks<'_>) -> bool {
    let mut before = was.identities.iter();
    now.identities
        .iter()
        .all(|now| before.any(|was| was.identity == now.identity))
}

fn name(kind: ExtensionType) -> &'static str {
    match kind.assignment() {
        Some(assignment) => assignment.name,
        None => "an extension that is not known",
    }
}
