//! What was put to the test and what came out, what is wrong with what was sent, and how it ended.

use ravelin_wire::alert::Alert;
use ravelin_wire::reader::{DecodeError, Problem};
use ravelin_wire::record::Foreign;
use time::OffsetDateTime;

use super::Language;
use super::catalogue::{Catalogue, fill, grouped};
use super::certificates;
use crate::ledger::Side;
use crate::proof::{LogEntry, LogState, TimestampPlace};
use crate::story::{Claim, End, Fault, FaultKind, Missing, Refutation, Sealed, Verdict};

impl Language {
    /// What is claimed.
    #[must_use]
    pub fn claim(self, claim: &Claim) -> String {
        let words = self.catalogue();
        let findings = &words.findings;
        let of = |side: Side, sentence| fill(sentence, &[("side", words.side(side))]);
        match claim {
            Claim::Finished(side) => of(*side, findings.finished),
            Claim::HandshakeSignature(side) => of(*side, findings.handshake_signature),
            Claim::ShareSignature => findings.share_signature.to_owned(),
            Claim::Binder(number) => {
                fill(findings.binder, &[("number", &(number + 1).to_string())])
            }
            Claim::Chain(side) => of(*side, findings.chain),
            Claim::CertificateTimestamp {
                log,
                known,
                place,
                at,
            } => {
                let log = match known {
                    Some(entry) => known_log(words, entry),
                    None => unknown_log(words, log),
                };
                let place = match place {
                    TimestampPlace::Certificate => findings.timestamp_in_certificate,
                    TimestampPlace::Ocsp => findings.timestamp_in_ocsp,
                    TimestampPlace::Handshake => findings.timestamp_in_handshake,
                };
                let values = [("log", &*log), ("place", place), ("date", &*date(*at))];
                fill(findings.certificate_timestamp, &values)
            }
            Claim::NoDowngrade => findings.no_downgrade.to_owned(),
            Claim::RetryKept => findings.retry_kept.to_owned(),
            Claim::Records(side) => of(*side, findings.records),
            Claim::SharedSecret => findings.shared_secret.to_owned(),
        }
    }

    /// What came out, in a sentence.
    #[must_use]
    pub fn verdict(self, verdict: &Verdict) -> String {
        let words = self.catalogue();
        let findings = &words.findings;
        match verdict {
            Verdict::Confirmed => findings.confirmed.to_owned(),
            Verdict::Refuted(why) => fill(findings.refuted, &[("why", &refutation(words, why))]),
            Verdict::NotDerivable(missing) => fill(
                findings.not_derivable,
                &[("missing", missing_thing(words, missing))],
            ),
        }
    }

    /// What is wrong, and where.
    #[must_use]
    pub fn fault(self, fault: &Fault) -> String {
        let words = self.catalogue();
        let what = fault_kind(words, &fault.what);
        let values = [("offset", &*grouped(fault.offset)), ("what", &*what)];
        words.said_by(fault.side, words.faults.at, &values)
    }

    /// How a side ended.
    #[must_use]
    pub fn end(self, side: Side, end: End) -> String {
        let words = self.catalogue();
        let faults = &words.faults;
        match end {
            End::Open => words.said_by(side, faults.end_open, &[]),
            End::Said => words.said_by(side, faults.end_said, &[]),
            End::Cut => words.said_by(side, faults.end_cut, &[]),
            End::Hidden => words.said_by(side, faults.end_hidden, &[]),
            End::Reset => words.said_by(side, faults.end_reset, &[]),
            End::Alert(description) => {
                let values = [
                    ("name", &*description.description.to_string()),
                    ("meaning", &*alert(words, description)),
                ];
                words.said_by(side, faults.end_alert, &values)
            }
        }
    }

    /// Why records could not be decrypted.
    #[must_use]
    pub fn sealed(self, why: Sealed) -> String {
        sealed(self.catalogue(), why)
    }

    /// What an alert says.
    #[must_use]
    pub fn alert(self, alert_: Alert) -> String {
        alert(self.catalogue(), alert_)
    }
}

/// A log that is in no list: the beginning of its identifier is enough to tell logs apart.
fn unknown_log(words: &Catalogue, log: &[u8; 32]) -> String {
    let start = log.first_chunk();
    let start = start.map_or(0, |start| u64::from_be_bytes(*start));
    fill(
        words.findings.log_unknown,
        &[("log", &format!("{start:016x}"))],
    )
}

/// A log, by what its list says.
fn known_log(words: &Catalogue, entry: &LogEntry) -> String {
    let findings = &words.findings;
    let state = match entry.state {
        Some(LogState::Pending) => findings.log_pending,
        Some(LogState::Qualified) => findings.log_qualified,
        Some(LogState::Usable) => findings.log_usable,
        Some(LogState::ReadOnly) => findings.log_read_only,
        Some(LogState::Retired) => findings.log_retired,
        Some(LogState::Rejected) => findings.log_rejected,
        None => findings.log_no_state,
    };
    let visible = |text: &str| super::visible(text.as_bytes());
    // The day of the time is enough.
    let since = entry.since.as_deref().unwrap_or_default();
    let day = since.split('T').next().unwrap_or_default();
    let since = if day.is_empty() {
        String::new()
    } else {
        fill(findings.log_since, &[("day", &visible(day))])
    };
    let values = [
        ("name", &*visible(&entry.description)),
        ("operator", &*visible(&entry.operator)),
        ("state", state),
        ("since", &*since),
    ];
    fill(findings.log_known, &values)
}

/// The day of so many milliseconds since 1970; the number itself where there is no such day.
fn date(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).ok();
    let at = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    at.map_or_else(|| milliseconds.to_string(), |at| at.date().to_string())
}

/// What an alert says; nothing of one that is not known.
pub(super) fn alert(words: &Catalogue, alert: Alert) -> String {
    let mut known = words.alerts.iter();
    let text = known.find(|(code, _)| *code == alert.description.0);
    text.map_or(words.values.field_unknown, |(_, text)| *text)
        .to_owned()
}

/// Why records could not be decrypted.
pub(super) fn sealed(words: &Catalogue, sealed: Sealed) -> String {
    let says = &words.says;
    match sealed {
        Sealed::NoKeys => says.sealed_no_keys.to_owned(),
        Sealed::WrongKeys { after: 0 } => says.sealed_wrong_keys_at_once.to_owned(),
        Sealed::WrongKeys { after } => {
            let records = words.counts.records.of(after);
            fill(says.sealed_wrong_keys, &[("records", &records)])
        }
        Sealed::Lost => says.sealed_lost.to_owned(),
        Sealed::UnknownCipher => says.sealed_unknown_cipher.to_owned(),
    }
}

/// What is on the port in the place of TLS.
pub(super) fn foreign(words: &Catalogue, foreign: Foreign) -> &'static str {
    let faults = &words.faults;
    match foreign {
        Foreign::HttpRequest => faults.http_request,
        Foreign::HttpResponse => faults.http_response,
        Foreign::Http2 => faults.http2,
        Foreign::Ssh => faults.ssh,
        Foreign::Greeting => faults.greeting,
        Foreign::SslV2 => faults.sslv2,
        Foreign::ProxyHeader => faults.proxy_header,
        Foreign::Dtls => faults.dtls,
        _ => faults.unknown,
    }
}

/// What is wrong with octets, in a sentence.
pub(super) fn problem(words: &Catalogue, error: &DecodeError) -> String {
    let problems = &words.problems;
    let number = |number: usize| grouped(number as u64);
    let problem = match error.problem {
        Problem::Truncated { needed, left } => fill(
            problems.truncated,
            &[("needed", &number(needed)), ("left", &number(left))],
        ),
        Problem::TooLong { length, left } => fill(
            problems.too_long,
            &[("length", &number(length)), ("left", &number(left))],
        ),
        Problem::Trailing { left } => fill(problems.trailing, &[("left", &number(left))]),
        Problem::Uneven { length, item } => fill(
            problems.uneven,
            &[("length", &number(length)), ("item", &number(item))],
        ),
        Problem::Empty => problems.empty.to_owned(),
        Problem::Size {
            length,
            least,
            most,
        } => fill(
            problems.size,
            &[
                ("length", &number(length)),
                ("least", &number(least)),
                ("most", &number(most)),
            ],
        ),
        Problem::Value { value } => fill(problems.value, &[("value", &value.to_string())]),
        _ => problems.other.to_owned(),
    };
    let values = [
        ("field", error.field),
        ("offset", &*number(error.at)),
        ("problem", &*problem),
    ];
    fill(problems.at, &values)
}

fn refutation(words: &Catalogue, why: &Refutation) -> String {
    let findings = &words.findings;
    match why {
        Refutation::Differs => findings.differs.to_owned(),
        Refutation::BadSignature => findings.bad_signature.to_owned(),
        Refutation::WrongKeyForScheme => findings.wrong_key_for_scheme.to_owned(),
        Refutation::SchemeNotOffered => findings.scheme_not_offered.to_owned(),
        Refutation::BadCertificate(why) => fill(
            findings.bad_certificate,
            &[("why", &certificates::bad_certificate(words, why))],
        ),
        Refutation::BadChain(failures) => fill(
            findings.bad_chain,
            &[("why", &certificates::chain(words, failures))],
        ),
        Refutation::Downgraded(version) => {
            fill(findings.downgraded, &[("version", &version.to_string())])
        }
        Refutation::ChangedHello(what) => fill(findings.changed_hello, &[("what", what)]),
    }
}

fn missing_thing(words: &Catalogue, missing: &Missing) -> &'static str {
    let findings = &words.findings;
    match missing {
        Missing::Keys => findings.missing_keys,
        Missing::Transcript => findings.missing_transcript,
        Missing::Certificate => findings.missing_certificate,
        Missing::Psk => findings.missing_psk,
        Missing::LogKey => findings.missing_log_key,
        Missing::Roots => findings.missing_roots,
        Missing::Algorithm => findings.missing_algorithm,
    }
}

fn fault_kind(words: &Catalogue, what: &FaultKind) -> String {
    let (faults, octets) = (&words.faults, |octets: usize| {
        words.counts.octets.of(octets as u64)
    });
    match what {
        FaultKind::Malformed(error) => {
            fill(faults.malformed, &[("problem", &problem(words, error))])
        }
        FaultKind::RecordTooLong {
            octets: length,
            limit,
        } => fill(
            faults.record_too_long,
            &[("octets", &octets(*length)), ("limit", &octets(*limit))],
        ),
        FaultKind::EmptyRecord(content_type) => {
            fill(faults.empty_record, &[("type", &content_type.to_string())])
        }
        FaultKind::MessageTooLong {
            octets: length,
            limit,
        } => fill(
            faults.message_too_long,
            &[("octets", &octets(*length)), ("limit", &octets(*limit))],
        ),
        FaultKind::OutOfOrder(handshake_type) => fill(
            faults.out_of_order,
            &[("message", &handshake_type.to_string())],
        ),
        FaultKind::Interleaved(content_type) => {
            fill(faults.interleaved, &[("type", &content_type.to_string())])
        }
        FaultKind::Lost { octets } => {
            fill(faults.lost, &[("octets", &words.counts.octets.of(*octets))])
        }
        FaultKind::Truncated { missing } => {
            fill(faults.truncated, &[("octets", &octets(*missing))])
        }
        FaultKind::Foreign(what) => fill(faults.foreign, &[("what", foreign(words, *what))]),
        FaultKind::Undecryptable { sequence } => {
            fill(faults.undecryptable, &[("number", &grouped(*sequence))])
        }
    }
}
