//! What is said of everything that is no certificate: requests, CRLs, OCSP messages, keys, keystores,
//! and what cannot be read.

use ravelin_pki::contents::{Item, Locked, OpenStore};
use ravelin_pki::fingerprint::hex;
use ravelin_pki::ocsp::{BasicResponse, CertificateStatus, OcspRequest, OcspResponse, ResponderId};
use ravelin_pki::{
    Certificate, CertificateRequest, Oid, PrivateKey, PublicKey, RevocationList, RevocationReason,
    RevokedCertificate,
};

use super::super::DIM;
use super::certificate::{extensions, good, key, name, names, places};
use super::layout::{Page, colour_of, distance, grouped, minute, more};
use crate::failure::chain;

pub(super) fn request(page: &mut Page, request: &CertificateRequest, kind: &str) {
    let title = request
        .alternative_names()
        .first()
        .map(ToString::to_string)
        .or_else(|| request.subject().get(&Oid::COMMON_NAME).map(str::to_owned))
        .unwrap_or_else(|| name(request.subject()));
    page.title(&title, kind);
    names(page, "names", request.alternative_names());
    page.row("subject", page.short(&name(request.subject())));
    key(page, request.public_key());
    let algorithm = request.signed().algorithm().name();
    match request.verify_signature() {
        Ok(()) => page.row(
            "signed with",
            format!("{algorithm}, by the key that it names"),
        ),
        Err(error) => page.alarm("signed with", format!("{algorithm}: {}", chain(&error))),
    }
    extensions(page, request.extensions());
    if request.has_challenge_password() {
        page.caution(
            "password",
            "there is a challenge password in it, which all can read",
        );
    }
}

pub(super) fn revocation_list(page: &mut Page, list: &RevocationList, kind: &str) {
    let issuer = list.issuer_name();
    let title = issuer
        .get(&Oid::COMMON_NAME)
        .map_or_else(|| name(issuer), str::to_owned);
    page.title(&title, kind);
    page.row("issuer", page.short(&name(issuer)));
    if let Some(number) = list.number() {
        page.row("number", page.short(&number.to_string()));
    }
    if let Some(base) = list.base_number() {
        page.row(
            "delta",
            format!(
                "what has changed since number {}",
                page.short(&base.to_string())
            ),
        );
    }
    period(page, list.this_update(), list.next_update());
    page.row("signed with", list.signed().algorithm().name());
    if let Some(scope) = list.issuing_distribution_point() {
        let mut about = Vec::new();
        if scope.only_user_certificates {
            about.push("certificates that are no CA's");
        }
        if scope.only_ca_certificates {
            about.push("certificates of CAs");
        }
        if scope.only_attribute_certificates {
            about.push("attribute certificates");
        }
        if scope.only_some_reasons.is_some() {
            about.push("some reasons");
        }
        page.list("only for", &about);
        if scope.indirect {
            page.row(
                "indirect",
                "there may be certificates of other issuers in it",
            );
        }
    }
    page.lines("delta at", &places(list.freshest_crl()), page.limits.names);
    if let Some(oid) = list.unknown_critical_extension() {
        page.caution(
            "extension",
            format!("{}, critical and not known", oid.name_or_dots()),
        );
    }
    page.row(
        "revoked",
        match list.len() {
            0 => "none".to_owned(),
            1 => "1 certificate".to_owned(),
            count => format!("{} certificates", grouped(count)),
        },
    );
    let most = page.limits.entries;
    for entry in list.entries().take(most) {
        page.row("", revoked(page, &entry));
    }
    if list.len() > most {
        page.styled("", DIM, more(list.len() - most));
    }
}

fn revoked(page: &Page, entry: &RevokedCertificate) -> String {
    let serial = page.short(&entry.serial_number.to_string());
    let reason = because(entry.reason);
    format!("{serial}  {}{reason}", minute(entry.revoked_at))
}

fn because(reason: RevocationReason) -> String {
    match reason {
        RevocationReason::Unspecified => String::new(),
        reason => format!(", {reason}"),
    }
}

/// From when to when a CRL or an OCSP response holds.
fn period(page: &mut Page, from: std::time::SystemTime, until: Option<std::time::SystemTime>) {
    let now = page.now;
    let Some(until) = until else {
        page.row(
            "valid",
            format!("from {}, and no end is told", minute(from)),
        );
        return;
    };
    page.row("valid", format!("{} to {}", minute(from), minute(until)));
    let text = if now < from {
        format!("not yet: begins {}", distance(now, from))
    } else if now > until {
        format!("out of date: ended {}", distance(now, until))
    } else {
        format!("the next one comes {} at the latest", distance(now, until))
    };
    page.styled("", colour_of(now, from, until), text);
}

pub(super) fn ocsp_response(page: &mut Page, response: &OcspResponse, kind: &str) {
    let Some(basic) = response.basic() else {
        page.title(&response.status().to_string(), kind);
        page.caution(
            "answer",
            "none: the responder reports an error, which is not signed",
        );
        return;
    };
    match basic.responses.as_slice() {
        [only] => page.title(&format!("serial {}", only.cert_id.serial_number()), kind),
        several => page.title(&format!("{} answers", several.len()), kind),
    }
    page.row("responder", responder(page, basic));
    page.row("signed at", minute(basic.produced_at));
    page.row("signed with", basic.signed().algorithm().name());
    if let Some(nonce) = basic.nonce() {
        page.row("nonce", page.hex(nonce));
    }
    let most = page.limits.entries;
    for single in basic.responses.iter().take(most) {
        if basic.responses.len() > 1 {
            page.row(
                "serial",
                page.short(&single.cert_id.serial_number().to_string()),
            );
        }
        match single.status {
            CertificateStatus::Good => good(page, "answer", "good: not revoked"),
            CertificateStatus::Revoked { at, reason } => {
                page.alarm(
                    "answer",
                    format!("revoked {}{}", minute(at), because(reason)),
                );
            }
            CertificateStatus::Unknown => {
                page.caution("answer", "unknown: the responder does not know it");
            }
        }
        period(page, single.this_update, single.next_update);
    }
    if basic.responses.len() > most {
        page.styled("", DIM, more(basic.responses.len() - most));
    }
    if !basic.certificates.is_empty() {
        let with: Vec<String> = basic.certificates.iter().map(Certificate::title).collect();
        page.list("comes with", &with);
    }
}

fn responder(page: &Page, basic: &BasicResponse) -> String {
    match &basic.responder {
        ResponderId::ByName(name) => page.short(&name.to_string()),
        ResponderId::ByKey(hash) => format!("the key with the SHA-1 {}", hex(hash)),
    }
}

pub(super) fn ocsp_request(page: &mut Page, request: &OcspRequest, kind: &str) {
    match request.cert_ids() {
        [only] => page.title(&format!("serial {}", only.serial_number()), kind),
        several => page.title(&format!("{} questions", several.len()), kind),
    }
    let serials: Vec<String> = request
        .cert_ids()
        .iter()
        .map(|id| id.serial_number().to_string())
        .collect();
    page.list("serials", &serials);
    if let Some(nonce) = request.nonce() {
        page.row("nonce", page.hex(nonce));
    }
    page.row("signed", if request.is_signed() { "yes" } else { "no" });
}

pub(super) fn private_key(page: &mut Page, private: &PrivateKey, encrypted: bool, kind: &str) {
    page.title(&private.key_type().to_string(), kind);
    let form = if encrypted {
        format!("{}, under a passphrase", private.form().name())
    } else {
        format!("{}, not encrypted", private.form().name())
    };
    page.row("form", form);
    page.row("key SHA-256", private.public_fingerprint().to_string());
    page.row("pin-sha256", super::certificate::pin(private.public_key()));
}

pub(super) fn public_key(page: &mut Page, public: &PublicKey, kind: &str) {
    page.title(&public.kind(), kind);
    key(page, public);
}

/// A keystore's entries; its certificates have pages of their own behind.
pub(super) fn store(page: &mut Page, store: &OpenStore, kind: &str) {
    let entries = match store.entries.len() {
        1 => "1 entry".to_owned(),
        count => format!("{} entries", grouped(count)),
    };
    page.title(&entries, kind);
    let most = page.limits.entries;
    for entry in store.entries.iter().take(most) {
        let first = entry.chain.iter().find_map(|item| match item {
            Item::Certificate(certificate) => Some(certificate.title()),
            _ => None,
        });
        let of = first.map_or_else(
            || "without a certificate".to_owned(),
            |title| format!("for {title}"),
        );
        let what = match (&entry.key, entry.trusted) {
            (Some(Item::PrivateKey { key, .. }), _) => {
                format!("{} key {of}", key.key_type())
            }
            (Some(_), _) => format!("a key that cannot be read, {of}"),
            (None, true) => format!("trusted certificate {of}"),
            (None, false) => format!("certificate {of}"),
        };
        let others = match entry.chain.len() {
            0 | 1 => String::new(),
            count => format!(", and {} above it", count - 1),
        };
        let alias = entry.alias.as_deref().unwrap_or("(no name)");
        page.row("entry", page.short(&format!("{alias}: {what}{others}")));
    }
    if store.entries.len() > most {
        page.styled("", DIM, more(store.entries.len() - most));
    }
    page.list("besides", &store.omitted);
}

pub(super) fn locked(
    page: &mut Page,
    what: Locked,
    why: Option<&ravelin_pki::contents::LockedError>,
    kind: &str,
) {
    page.title("encrypted", kind);
    match why {
        Some(error) => page.alarm("", chain(error)),
        None => page.caution(
            "",
            format!("the {what} opens with a passphrase: --passphrase-file FILE"),
        ),
    }
}

pub(super) fn damaged(
    page: &mut Page,
    why: &(dyn std::error::Error + 'static),
    rather: Option<&'static str>,
    kind: &str,
) {
    page.title("damaged", kind);
    page.alarm("", chain(why));
    if let Some(rather) = rather {
        page.row(
            "",
            format!("it looks like another thing than its label says: {rather}"),
        );
    }
}

pub(super) fn other(page: &mut Page, label: &str, kind: &str) {
    page.title(label, kind);
    let text = match label {
        "OPENSSH PRIVATE KEY" => {
            "a key of OpenSSH, which is not read; to convert it: ssh-keygen -p -m PKCS8 -f FILE"
        }
        "DH PARAMETERS" | "EC PARAMETERS" | "DSA PARAMETERS" | "X9.42 DH PARAMETERS" => {
            "parameters, which nothing needs any more"
        }
        label if label.starts_with("PGP ") => "of OpenPGP, which is not read; gpg does",
        _ => "not read",
    };
    page.styled("", DIM, text);
}
