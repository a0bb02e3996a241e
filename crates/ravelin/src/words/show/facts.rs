//! The same facts as the pages, as JSON. The names of the fields are documented in
//! docs/certificates.md, and stay.

use std::fmt::Write as _;
use std::time::SystemTime;

use ravelin_pki::contents::{Found, Issuer, Item, issuers};
use ravelin_pki::distinguished_name::unprintable;
use ravelin_pki::extension::Sct;
use ravelin_pki::fingerprint::hex;
use ravelin_pki::ocsp::{CertificateStatus, OcspResponse, ResponderId};
use ravelin_pki::{
    Certificate, CertificateRequest, DistinguishedName, Extension, ExtensionValue, GeneralName,
    KeyUsage, Oid, PublicKey, RevocationList, RevocationReason,
};
use serde_json::{Value, json};

use super::certificate::{oids, pin, places};
use super::layout::rfc3339;
use super::{Connection, Source, Unread};
use crate::failure::chain;
use crate::words::without_codes;

/// All that is known of the sources.
pub(super) fn of<'s>(
    sources: impl IntoIterator<Item = Result<&'s Source, &'s Unread>>,
    now: SystemTime,
) -> Value {
    let facts = |one: Result<&Source, &Unread>| one.map_or_else(unread, |read| source(read, now));
    let sources: Vec<Value> = sources.into_iter().map(facts).collect();
    json!({ "sources": sources })
}

/// The fields of every source are there: whoever counts items finds none.
fn unread(unread: &Unread) -> Value {
    json!({
        "source": unread.name,
        "connection": null,
        "items": [],
        "error": without_codes(&unread.failure.message),
        "hint": unread.failure.hint,
    })
}

/// The text with all that a terminal must not get in JSON's own escapes.
pub(in crate::words) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && unprintable(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

fn source(source: &Source, now: SystemTime) -> Value {
    let certificates = source.contents.certificates();
    let mut facts = Facts {
        issuers: issuers(&certificates),
        certificates,
        next: 0,
        now,
    };
    let items: Vec<Value> = source
        .contents
        .items
        .iter()
        .map(|Found { line, item }| {
            let mut value = facts.item(item);
            if let (Some(line), Value::Object(fields)) = (line, &mut value) {
                fields.insert("line".to_owned(), json!(line));
            }
            value
        })
        .collect();
    json!({
        "source": source.name,
        "connection": source.connection.as_ref().map(|c| connection(c, now)),
        "items": items,
    })
}

fn connection(connection: &Connection, now: SystemTime) -> Value {
    let seen = &connection.observation;
    let stapled = match OcspResponse::from_der(&seen.ocsp_response) {
        _ if seen.ocsp_response.is_empty() => Value::Null,
        Ok(response) => ocsp_response(&response, now),
        Err(error) => damaged("OCSP response", &error, None),
    };
    json!({
        "address": connection.address,
        "version": seen.version,
        "cipher_suite": seen.cipher_suite,
        "group": seen.group,
        "alpn": seen.alpn,
        "holds_key": seen.holds_key,
        "failure": seen.failure,
        "stapled_ocsp": stapled,
    })
}

struct Facts<'c> {
    certificates: Vec<&'c Certificate>,
    issuers: Vec<Issuer>,
    next: usize,
    now: SystemTime,
}

impl Facts<'_> {
    fn item(&mut self, item: &Item) -> Value {
        match item {
            Item::Certificate(certificate) => self.certificate(certificate),
            Item::Request(request) => request_facts(request),
            Item::RevocationList(list) => revocation_list(list, self.now),
            Item::OcspResponse(response) => ocsp_response(response, self.now),
            Item::OcspRequest(request) => json!({
                "type": "ocsp_request",
                "serials": request.cert_ids().iter()
                    .map(|id| id.serial_number().to_string()).collect::<Vec<_>>(),
                "nonce": request.nonce().map(hex),
                "signed": request.is_signed(),
            }),
            Item::PrivateKey { key, encrypted } => json!({
                "type": "private_key",
                "form": key.form().name(),
                "encrypted": encrypted,
                "key": public_key(key.public_key()),
            }),
            Item::PublicKey(key) => json!({ "type": "public_key", "key": public_key(key) }),
            Item::Bundle(items) => json!({
                "type": "pkcs7",
                "items": items.iter().map(|item| self.item(item)).collect::<Vec<_>>(),
            }),
            Item::KeyStore(store) => {
                let entries: Vec<Value> = store
                    .entries
                    .iter()
                    .map(|entry| {
                        json!({
                            "alias": entry.alias,
                            "created": entry.created.map(rfc3339),
                            "trusted": entry.trusted,
                            "key": entry.key.as_ref().map(|key| self.item(key)),
                            "chain": entry.chain.iter().map(|c| self.item(c)).collect::<Vec<_>>(),
                        })
                    })
                    .collect();
                let format = match store.format {
                    ravelin_pki::contents::Locked::Jks => "jks",
                    _ => "pkcs12",
                };
                json!({
                    "type": "keystore",
                    "format": format,
                    "entries": entries,
                    "omitted": store.omitted,
                })
            }
            Item::Locked { what, why } => json!({
                "type": "locked",
                "what": what.to_string(),
                "why": why.as_ref().map(|error| chain(error)),
            }),
            Item::Other { label } => json!({ "type": "other", "label": label }),
            Item::Damaged { what, why, rather } => damaged(what, why.as_ref(), *rather),
        }
    }

    fn certificate(&mut self, certificate: &Certificate) -> Value {
        let issuer = self.issuers.get(self.next).copied();
        self.next += 1;
        let signed_by = match issuer {
            Some(Issuer::Itself) => Some(certificate.fingerprint_sha256().to_string()),
            Some(Issuer::At(index)) => {
                Some(self.certificates[index].fingerprint_sha256().to_string())
            }
            _ => None,
        };
        let (from, until) = (certificate.not_before(), certificate.not_after());
        let state = if self.now < from {
            "not yet valid"
        } else if self.now > until {
            "expired"
        } else {
            "valid"
        };
        let mut facts = json!({
            "type": "certificate",
            "title": certificate.title(),
            "names": names(certificate.alternative_names()),
            "subject": name(certificate.subject_name()),
            "issuer": name(certificate.issuer_name()),
            "version": certificate.version(),
            "serial": certificate.serial_number().to_string(),
            "not_before": rfc3339(from),
            "not_after": rfc3339(until),
            "state": state,
            "seconds_left": seconds(self.now, until),
            "life_gone": life_gone(self.now, from, until),
            "key": public_key(certificate.public_key()),
            "signature_algorithm": certificate.signature_algorithm().name(),
            "self_signed": issuer == Some(Issuer::Itself),
            "signed_by": signed_by,
            "sha256": certificate.fingerprint_sha256().to_string(),
            "sha1": hex(&certificate.fingerprint_sha1()),
        });
        extend(&mut facts, certificate.extensions());
        facts
    }
}

fn request_facts(request: &CertificateRequest) -> Value {
    let mut facts = json!({
        "type": "request",
        "names": names(request.alternative_names()),
        "subject": name(request.subject()),
        "key": public_key(request.public_key()),
        "signature_algorithm": request.signed().algorithm().name(),
        "signature_good": request.verify_signature().is_ok(),
        "has_challenge_password": request.has_challenge_password(),
    });
    extend(&mut facts, request.extensions());
    facts
}

fn revocation_list(list: &RevocationList, now: SystemTime) -> Value {
    let revoked: Vec<Value> = list
        .entries()
        .map(|entry| {
            json!({
                "serial": entry.serial_number.to_string(),
                "revoked_at": rfc3339(entry.revoked_at),
                "reason": reason(entry.reason),
            })
        })
        .collect();
    json!({
        "type": "crl",
        "issuer": name(list.issuer_name()),
        "number": list.number().map(ToString::to_string),
        "base_number": list.base_number().map(ToString::to_string),
        "this_update": rfc3339(list.this_update()),
        "next_update": list.next_update().map(rfc3339),
        "current": list.is_current_at(now),
        "signature_algorithm": list.signed().algorithm().name(),
        "revoked": revoked,
        "extensions": extensions(list.extensions()),
    })
}

fn ocsp_response(response: &OcspResponse, now: SystemTime) -> Value {
    let answers: Vec<Value> = response
        .basic()
        .iter()
        .flat_map(|basic| &basic.responses)
        .map(|single| {
            let (answer, at, why) = match single.status {
                CertificateStatus::Good => ("good", None, None),
                CertificateStatus::Revoked { at, reason } => ("revoked", Some(at), Some(reason)),
                CertificateStatus::Unknown => ("unknown", None, None),
            };
            let until = single.next_update;
            json!({
                "serial": single.cert_id.serial_number().to_string(),
                "answer": answer,
                "revoked_at": at.map(rfc3339),
                "reason": why.map(reason),
                "this_update": rfc3339(single.this_update),
                "next_update": until.map(rfc3339),
                "current": single.this_update <= now && until.is_none_or(|until| now <= until),
            })
        })
        .collect();
    json!({
        "type": "ocsp_response",
        "status": response.status().to_string(),
        "responder": response.basic().map(|basic| match &basic.responder {
            ResponderId::ByName(name) => name.to_string(),
            ResponderId::ByKey(hash) => hex(hash),
        }),
        "produced_at": response.basic().map(|basic| rfc3339(basic.produced_at)),
        "signature_algorithm": response.basic().map(|b| b.signed().algorithm().name()),
        "nonce": response.basic().and_then(|basic| basic.nonce()).map(hex),
        "answers": answers,
    })
}

fn damaged(what: &str, why: &(dyn std::error::Error + 'static), rather: Option<&str>) -> Value {
    json!({ "type": "damaged", "what": what, "why": chain(why), "looks_like": rather })
}

fn reason(reason: RevocationReason) -> Option<String> {
    (reason != RevocationReason::Unspecified).then(|| reason.to_string())
}

fn public_key(key: &PublicKey) -> Value {
    json!({
        "kind": key.kind(),
        "sha256": key.fingerprint().to_string(),
        "pin_sha256": pin(key),
    })
}

fn name(name: &DistinguishedName) -> Value {
    let attributes: Vec<Value> = name
        .attributes()
        .map(|attribute| json!({ "kind": attribute.kind.name_or_dots(), "value": attribute.value }))
        .collect();
    json!({ "text": name.to_string(), "attributes": attributes })
}

fn names(names: &[GeneralName]) -> Vec<Value> {
    names
        .iter()
        .map(|name| json!({ "kind": name.kind(), "value": name.to_string() }))
        .collect()
}

/// Adds what the extensions say; `null` or an empty list where they say nothing.
fn extend(facts: &mut Value, list: &[Extension]) {
    let value = |oid: &Oid| list.iter().find(|e| e.oid == *oid).map(|e| &e.value);
    let usage = match value(&Oid::KEY_USAGE) {
        Some(ExtensionValue::KeyUsage(usage)) => Some(KeyUsage::names(*usage).collect::<Vec<_>>()),
        _ => None,
    };
    let purposes = match value(&Oid::EXTENDED_KEY_USAGE) {
        Some(ExtensionValue::ExtendedKeyUsage(purposes)) => Some(oids(purposes)),
        _ => None,
    };
    let constraints = match value(&Oid::BASIC_CONSTRAINTS) {
        Some(ExtensionValue::BasicConstraints(constraints)) => Some(*constraints),
        _ => None,
    };
    let confined = match value(&Oid::NAME_CONSTRAINTS) {
        Some(ExtensionValue::NameConstraints(constraints)) => Some(json!({
            "permitted": constraints.permitted().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "excluded": constraints.excluded().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })),
        _ => None,
    };
    let policies: Vec<Value> = match value(&Oid::CERTIFICATE_POLICIES) {
        Some(ExtensionValue::CertificatePolicies(policies)) => policies
            .iter()
            .map(|information| {
                json!({
                    "oid": information.policy.to_string(),
                    "name": information.policy.name(),
                    "cps": information.cps,
                })
            })
            .collect(),
        _ => Vec::new(),
    };
    let access = |method: &Oid| -> Vec<String> {
        match value(&Oid::AUTHORITY_INFO_ACCESS) {
            Some(ExtensionValue::InfoAccess(list)) => list
                .iter()
                .filter(|access| access.method == *method)
                .map(|access| access.location.to_string())
                .collect(),
            _ => Vec::new(),
        }
    };
    let crls = match value(&Oid::CRL_DISTRIBUTION_POINTS) {
        Some(ExtensionValue::DistributionPoints(points)) => places(points),
        _ => Vec::new(),
    };
    let scts: Vec<Value> = match value(&Oid::SCT_LIST) {
        Some(ExtensionValue::SctList(scts)) => scts.iter().map(sct).collect(),
        _ => Vec::new(),
    };
    let features: &[u64] = match value(&Oid::TLS_FEATURE) {
        Some(ExtensionValue::TlsFeature(features)) => features,
        _ => &[],
    };
    let key_id = match value(&Oid::SUBJECT_KEY_IDENTIFIER) {
        Some(ExtensionValue::SubjectKeyIdentifier(id)) => Some(hex(id)),
        _ => None,
    };
    let issuer_key_id = match value(&Oid::AUTHORITY_KEY_IDENTIFIER) {
        Some(ExtensionValue::AuthorityKeyIdentifier(id)) => id.key_identifier.as_deref().map(hex),
        _ => None,
    };
    let said = json!({
        "ca": constraints.is_some_and(|c| c.ca),
        "path_length": constraints.and_then(|c| c.path_length),
        "key_usage": usage,
        "extended_key_usage": purposes,
        "name_constraints": confined,
        "policies": policies,
        "ca_issuers": access(&Oid::CA_ISSUERS),
        "ocsp": access(&Oid::OCSP),
        "crl": crls,
        "scts": scts,
        "tls_features": features,
        "subject_key_id": key_id,
        "authority_key_id": issuer_key_id,
        "extensions": extensions(list),
    });
    if let (Value::Object(facts), Value::Object(said)) = (facts, said) {
        facts.extend(said);
    }
}

fn sct(sct: &Sct) -> Value {
    json!({ "log": hex(&sct.log), "time": rfc3339(sct.time) })
}

fn extensions(list: &[Extension]) -> Vec<Value> {
    list.iter()
        .map(|extension| {
            json!({
                "oid": extension.oid.to_string(),
                "name": extension.oid.name(),
                "critical": extension.critical,
                "hex": hex(&extension.der[..extension.der.len().min(MOST_OCTETS)]),
                "octets": extension.der.len(),
            })
        })
        .collect()
}

/// Seconds until a time; negative behind it.
fn seconds(now: SystemTime, until: SystemTime) -> i64 {
    let count =
        |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match until.duration_since(now) {
        Ok(left) => count(left),
        Err(error) => -count(error.duration()),
    }
}

/// How much of a life is gone: 0 at its beginning, 1 at its end, to three places.
fn life_gone(now: SystemTime, from: SystemTime, until: SystemTime) -> f64 {
    let life = seconds(from, until);
    if life <= 0 {
        return 1.0;
    }
    let thousandths = i128::from(seconds(from, now)) * 1000 / i128::from(life);
    // Exact: it is between 0 and 1000.
    f64::from(thousandths.clamp(0, 1000) as i32) / 1000.0
}

/// Octets of an extension that are given in hexadecimal digits.
const MOST_OCTETS: usize = 4096;
