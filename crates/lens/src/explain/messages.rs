//! What each message says, in a sentence with its values. It is long because there are many messages, each
//! with a sentence of its own, and nothing else.

use ravelin_pki::Certificate as Parsed;
use ravelin_wire::alert::Alert;
use ravelin_wire::extension::{EncryptedClientHello, Extension};
use ravelin_wire::handshake::{
    Certificate, CertificateRequest, ClientHello, ClientShare, DigitallySigned, Handshake,
    NewSessionTicket, ServerHello, ServerKeyExchange, ServerParameters,
};
use ravelin_wire::record::Heartbeat;
use ravelin_wire::registry::{
    AlertDescription, CodePoint, ExtensionType, HandshakeType, KeyUpdateRequest, NamedGroup,
};
use ravelin_wire::sslv2;

use super::StepWords;
use super::catalogue::{Catalogue, Reason, fill};
use crate::judgement::EncryptedHello;
use crate::ledger::Side;
use crate::story::{Epoch, Resumption, Step, Story, Value, What};

/// How many of a list of names a sentence holds.
const SHOWN_NAMES: usize = 6;

/// What step `at` of `story` says.
pub(super) fn step(words: &'static Catalogue, story: &Story, at: usize) -> StepWords {
    let Some(step) = story.steps.get(at) else {
        return StepWords {
            title: words.phrases.nothing.to_owned(),
            says: String::new(),
            why: "",
            without: "",
        };
    };
    let said = Said {
        words,
        story,
        step,
        at,
    };
    let value = step.value();
    let title = match &value {
        Ok(Value::Handshake(Handshake::ServerHello(hello))) if hello.is_retry() => {
            "HelloRetryRequest".to_owned()
        }
        _ => title(words, step.what),
    };
    let (says, reason) = match value {
        Ok(value) => said.value(&value),
        Err(error) => {
            let problem = super::findings::problem(words, &error);
            let says = said.by(
                words.says.unreadable,
                &[("what", &title), ("problem", &problem)],
            );
            (says, said.reason_of(step.what))
        }
    };
    StepWords {
        title,
        says,
        why: reason.why,
        without: reason.without,
    }
}

/// What a step is called.
pub(super) fn title(words: &Catalogue, what: What) -> String {
    match what {
        What::Handshake(handshake_type) => camel_case(&handshake_type.to_string()),
        What::ChangeCipherSpec => "ChangeCipherSpec".to_owned(),
        What::Alert => "Alert".to_owned(),
        What::Heartbeat => "Heartbeat".to_owned(),
        What::ApplicationData => words.labels.contents.to_owned(),
        What::SslV2 => "SSL 2.0".to_owned(),
        What::Sealed(_) => words.labels.sealed.to_owned(),
        What::Other(content_type) => content_type.to_string(),
        What::Foreign(_) => words.labels.plain.to_owned(),
    }
}

/// A name of IANA as RFCs write messages: `client_hello` is `ClientHello`.
fn camel_case(name: &str) -> String {
    if name.starts_with("0x") {
        return name.to_owned();
    }
    let mut camel = String::with_capacity(name.len());
    for part in name.split('_') {
        let mut characters = part.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    camel
}

struct Said<'s> {
    words: &'static Catalogue,
    story: &'s Story,
    step: &'s Step,
    at: usize,
}

impl Said<'_> {
    /// A sentence of who speaks.
    fn by(&self, sentence: &str, values: &[(&str, &str)]) -> String {
        self.words.said_by(self.step.side, sentence, values)
    }

    fn octets(&self, octets: usize) -> String {
        self.words.counts.octets.of(octets as u64)
    }

    fn list<S: AsRef<str>>(&self, things: &[S]) -> String {
        self.words.phrases.short_list(things, SHOWN_NAMES)
    }

    fn is_tls13(&self) -> bool {
        self.step.agreed.is_tls13()
    }

    fn value(&self, value: &Value<'_>) -> (String, &'static Reason) {
        let (says, reasons) = (&self.words.says, &self.words.reasons);
        match value {
            Value::Handshake(message) => self.handshake(message),
            Value::ChangeCipherSpec if self.is_tls13() => (
                self.by(says.changes_nothing, &[]),
                &reasons.change_cipher_spec_tls13,
            ),
            Value::ChangeCipherSpec => (
                self.by(says.changes_cipher, &[]),
                &reasons.change_cipher_spec_tls12,
            ),
            Value::Alert(alert) => (self.alert(*alert), self.reason_of(self.step.what)),
            Value::Heartbeat(heartbeat) => (self.heartbeat(heartbeat), &reasons.heartbeat),
            Value::SslV2(message) => self.sslv2(message),
            Value::Octets(_) => (self.octets_of_others(), self.reason_of(self.step.what)),
        }
    }

    fn handshake(&self, message: &Handshake<'_>) -> (String, &'static Reason) {
        let (says, reasons) = (&self.words.says, &self.words.reasons);
        let reason = self.reason_of(self.step.what);
        let sentence = match message {
            Handshake::HelloRequest => self.by(says.hello_request, &[]),
            Handshake::ClientHello(hello) => self.client_hello(hello),
            Handshake::ServerHello(hello) if hello.is_retry() => {
                return (self.retry(hello), &reasons.hello_retry_request);
            }
            Handshake::ServerHello(hello) => {
                let reason = if hello.version().is_tls13() {
                    &reasons.server_hello_tls13
                } else {
                    &reasons.server_hello_tls12
                };
                return (self.server_hello(hello), reason);
            }
            Handshake::NewSessionTicket(ticket) => self.ticket(ticket),
            Handshake::EndOfEarlyData => self.by(says.early_over, &[]),
            Handshake::EncryptedExtensions(extensions) => self.answers(&extensions.0),
            Handshake::Certificate(certificate) => self.certificate(certificate),
            Handshake::CompressedCertificate(compressed) => self.by(
                says.compressed_certificate,
                &[
                    ("algorithm", &compressed.algorithm.to_string()),
                    (
                        "compressed",
                        &self.octets(compressed.compressed_certificate_message.len()),
                    ),
                    (
                        "octets",
                        &self.octets(compressed.uncompressed_length as usize),
                    ),
                ],
            ),
            Handshake::ServerKeyExchange(exchange) => self.server_share(exchange),
            Handshake::CertificateRequest(request) => self.certificate_request(request),
            Handshake::ServerHelloDone => self.by(says.hello_done, &[]),
            Handshake::CertificateVerify(signed) => self.signs(signed),
            Handshake::ClientKeyExchange(exchange) => {
                let psk = exchange.psk_identity.map(|identity| {
                    let identity = self.words.quoted(identity);
                    self.by(says.client_psk, &[("identity", &identity)])
                });
                let share = match exchange.share {
                    ClientShare::None if psk.is_some() => None,
                    ClientShare::None => Some(self.by(says.client_empty, &[])),
                    ClientShare::EncryptedSecret { encrypted, .. } => {
                        let octets = self.octets(encrypted.len());
                        Some(self.by(says.client_encrypts, &[("octets", &octets)]))
                    }
                    ClientShare::Dh(share) | ClientShare::Ec(share) => {
                        let octets = self.octets(share.len());
                        Some(self.by(says.client_share, &[("octets", &octets)]))
                    }
                    ClientShare::Opaque(share) => {
                        let octets = self.octets(share.len());
                        Some(self.by(says.client_other, &[("octets", &octets)]))
                    }
                };
                self.sentences(&[psk, share])
            }
            Handshake::Finished(verify_data) => self.by(
                says.finished,
                &[("octets", &self.octets(verify_data.len()))],
            ),
            Handshake::CertificateStatus(status) => self.status(status),
            Handshake::KeyUpdate(KeyUpdateRequest::UPDATE_REQUESTED) => {
                self.by(says.updates_keys_both, &[])
            }
            Handshake::KeyUpdate(_) => self.by(says.updates_keys, &[]),
            Handshake::NextProtocol {
                selected_protocol, ..
            } => {
                let protocol = self.words.quoted(selected_protocol);
                self.by(says.next_protocol, &[("protocol", &protocol)])
            }
            Handshake::Unknown {
                handshake_type,
                body,
            } => self.other_message(*handshake_type, body.len()),
            _ => self.other_message(message.handshake_type(), self.step.octets),
        };
        (sentence, reason)
    }

    fn sentences(&self, sentences: &[Option<String>]) -> String {
        let said: Vec<&str> = sentences.iter().flatten().map(String::as_str).collect();
        said.join(self.words.phrases.stop)
    }

    fn client_hello(&self, hello: &ClientHello<'_>) -> String {
        let (says, counts, phrases) = (&self.words.says, &self.words.counts, &self.words.phrases);
        let suites = hello.cipher_suites.iter();
        let suites = suites
            .filter(|suite| !suite.is_grease() && !suite.is_signal())
            .count();
        let mut offers = vec![
            counts.suites.of(suites as u64),
            phrases.list(&names(hello.versions())),
        ];
        let mut name = hello.server_name().map(|name| self.words.quoted(name));
        let (mut groups, mut shares) = (None, None);
        for extension in hello.extensions() {
            match extension {
                Extension::KeyShares(entries) => {
                    shares = Some(names(entries.iter().map(|entry| entry.group)));
                }
                Extension::SupportedGroups(list) => {
                    groups = Some(names(list.iter().copied()));
                }
                Extension::PreSharedKeys(psks) => {
                    let keys = counts.keys.of(psks.identities.len() as u64);
                    offers.push(fill(says.offer_psks, &[("keys", &keys)]));
                }
                Extension::Present(ExtensionType::EARLY_DATA) => {
                    offers.push(says.offer_early_data.to_owned());
                }
                Extension::Alpn(protocols) => {
                    let protocols: Vec<_> =
                        protocols.iter().map(|name| super::visible(name)).collect();
                    let protocols = self.list(&protocols);
                    offers.push(fill(says.offer_protocols, &[("protocols", &protocols)]));
                }
                Extension::EncryptedClientHello(EncryptedClientHello::Outer { .. }) => {
                    let asks = match EncryptedHello::of(self.story) {
                        Some(EncryptedHello::Grease) => says.asks_greased,
                        _ => says.asks_outer,
                    };
                    name = name.map(|name| fill(asks, &[("name", &name)]));
                }
                _ => {}
            }
        }
        let exchange = match (shares, groups) {
            (Some(shares), _) if shares.len() == 1 => {
                Some(fill(says.offer_share, &[("groups", &self.list(&shares))]))
            }
            (Some(shares), _) if !shares.is_empty() => {
                Some(fill(says.offer_shares, &[("groups", &self.list(&shares))]))
            }
            (Some(_), _) => Some(says.offer_no_shares.to_owned()),
            (None, Some(groups)) => {
                Some(fill(says.offer_groups, &[("groups", &self.list(&groups))]))
            }
            (None, None) => None,
        };
        if let Some(exchange) = exchange {
            offers.insert(2, exchange);
        }
        let asks = match &name {
            Some(name) => fill(says.asks_for, &[("name", name)]),
            None => says.asks_for_nobody.to_owned(),
        };
        let offers = offers.join(phrases.clause);
        let sentence = if self.is_second_hello() {
            says.offers_again
        } else {
            says.offers
        };
        self.by(sentence, &[("offers", &offers), ("asks", &asks)])
    }

    /// Whether a request to begin again came before this hello.
    fn is_second_hello(&self) -> bool {
        let before = self.story.steps.get(..self.at).unwrap_or_default();
        before.iter().any(|step| {
            step.what == What::Handshake(HandshakeType::SERVER_HELLO)
                && matches!(step.value(), Ok(Value::Handshake(Handshake::ServerHello(hello))) if hello.is_retry())
        })
    }

    fn server_hello(&self, hello: &ServerHello<'_>) -> String {
        let (says, phrases) = (&self.words.says, &self.words.phrases);
        let mut chosen = vec![hello.version().to_string(), hello.cipher_suite.to_string()];
        for extension in hello.extensions() {
            match extension {
                Extension::KeyShare(share) => {
                    let group = share.group.to_string();
                    chosen.push(fill(says.choose_share, &[("group", &group)]));
                }
                Extension::PreSharedKey(number) => {
                    let number = (u32::from(*number) + 1).to_string();
                    chosen.push(fill(says.choose_psk, &[("number", &number)]));
                }
                _ => {}
            }
        }
        let before = matches!(
            self.story.agreement.resumption,
            Some(Resumption::Ticket | Resumption::SessionId)
        );
        if before && !hello.version().is_tls13() {
            chosen.push(says.resumes_session.to_owned());
        }
        self.by(says.chooses, &[("chosen", &phrases.list(&chosen))])
    }

    fn retry(&self, hello: &ServerHello<'_>) -> String {
        let says = &self.words.says;
        let wishes: Vec<String> = hello
            .extensions()
            .filter_map(|extension| match extension {
                Extension::KeyShareGroup(group) => {
                    Some(fill(says.retry_group, &[("group", &group.to_string())]))
                }
                Extension::Cookie(cookie) => {
                    let octets = self.octets(cookie.len());
                    Some(fill(says.retry_cookie, &[("octets", &octets)]))
                }
                _ => None,
            })
            .collect();
        let wishes = if wishes.is_empty() {
            says.retry_other.to_owned()
        } else {
            self.words.phrases.list(&wishes)
        };
        self.by(says.retries, &[("wishes", &wishes)])
    }

    fn answers(&self, extensions: &[Extension<'_>]) -> String {
        let says = &self.words.says;
        let mut answers = Vec::new();
        let mut others = Vec::new();
        for extension in extensions {
            match extension {
                Extension::Alpn(protocols) if !protocols.is_empty() => {
                    let protocol = protocols.iter().map(|name| super::visible(name));
                    let protocol = protocol.collect::<Vec<_>>().join(", ");
                    answers.push(fill(says.answer_protocol, &[("protocol", &protocol)]));
                }
                Extension::Present(ExtensionType::EARLY_DATA) => {
                    answers.push(says.answer_early_data.to_owned());
                }
                Extension::Present(ExtensionType::SERVER_NAME) => {
                    answers.push(says.answer_name.to_owned());
                }
                Extension::CertificateType(_, kind) => {
                    let kind = kind.to_string();
                    answers.push(fill(says.answer_certificate, &[("kind", &kind)]));
                }
                other => others.push(other.extension_type().to_string()),
            }
        }
        if !others.is_empty() {
            let names = self.list(&others);
            answers.push(fill(says.answer_others, &[("names", &names)]));
        }
        if answers.is_empty() {
            return self.by(says.no_encrypted_extensions, &[]);
        }
        let answers = answers.join(self.words.phrases.semicolon);
        self.by(says.encrypted_extensions, &[("answers", &answers)])
    }

    fn certificate(&self, certificate: &Certificate<'_>) -> String {
        let (says, counts) = (&self.words.says, &self.words.counts);
        let chain: Vec<&[u8]> = match certificate {
            Certificate::Tls13 {
                certificate_list, ..
            } => certificate_list
                .iter()
                .map(|entry| entry.cert_data)
                .collect(),
            Certificate::Tls12(chain) => chain.clone(),
            Certificate::RawPublicKey(key) => {
                let octets = self.octets(key.len());
                return self.by(says.raw_public_key, &[("octets", &octets)]);
            }
        };
        let Some(own) = chain.first() else {
            return self.by(says.no_certificates, &[]);
        };
        let octets = self.octets(chain.iter().map(|certificate| certificate.len()).sum());
        let count = counts.certificates.of(chain.len() as u64);
        let shown = self.by(
            says.certificates,
            &[("certificates", &count), ("octets", &octets)],
        );
        let subject = Parsed::from_der(own).ok().map(|own| {
            let names: Vec<String> = own
                .names()
                .iter()
                .map(|name| super::visible(name.to_string().as_bytes()))
                .collect();
            let names = if names.is_empty() {
                super::visible(own.title().as_bytes())
            } else {
                self.list(&names)
            };
            fill(
                says.certificate_subject,
                &[
                    ("names", &names),
                    ("issuer", &super::visible(own.issuer().as_bytes())),
                    ("key", &own.public_key().kind()),
                    ("from", &super::fields::date(own.not_before())),
                    ("until", &super::fields::date(own.not_after())),
                ],
            )
        });
        self.sentences(&[Some(shown), subject])
    }

    fn certificate_request(&self, request: &CertificateRequest<'_>) -> String {
        let (says, counts) = (&self.words.says, &self.words.counts);
        let (mut schemes, mut authorities) = (Vec::new(), 0);
        match request {
            CertificateRequest::Tls13 { extensions, .. } => {
                for extension in &extensions.0 {
                    match extension {
                        Extension::SignatureAlgorithms(list) => {
                            schemes = names(list.iter().copied());
                        }
                        Extension::CertificateAuthorities(names) => authorities = names.len(),
                        _ => {}
                    }
                }
            }
            CertificateRequest::Tls12 {
                supported_signature_algorithms,
                certificate_authorities,
                ..
            } => {
                let list = supported_signature_algorithms.iter().flatten().copied();
                schemes = names(list);
                authorities = certificate_authorities.len();
            }
        }
        let asks = self.by(says.asks_certificate, &[]);
        let signed = (!schemes.is_empty()).then(|| {
            let schemes = self.list(&schemes);
            fill(says.asks_certificate_schemes, &[("schemes", &schemes)])
        });
        let issued = (authorities > 0).then(|| {
            let count = counts.authorities.of(authorities as u64);
            fill(
                says.asks_certificate_authorities,
                &[("authorities", &count)],
            )
        });
        self.sentences(&[Some(asks), signed, issued])
    }

    fn status(&self, status: &ravelin_wire::handshake::CertificateStatus<'_>) -> String {
        use ravelin_wire::handshake::CertificateStatus as Status;
        let says = &self.words.says;
        match status {
            Status::Ocsp(response) => {
                self.by(says.status, &[("octets", &self.octets(response.len()))])
            }
            Status::OcspMulti(responses) => {
                let octets = responses.iter().map(|response| response.len()).sum();
                self.by(says.status, &[("octets", &self.octets(octets))])
            }
            Status::Unknown { status_type, .. } => {
                self.by(says.status_other, &[("kind", &status_type.to_string())])
            }
        }
    }

    fn server_share(&self, exchange: &ServerKeyExchange<'_>) -> String {
        let (says, counts) = (&self.words.says, &self.words.counts);
        let hint = exchange.psk_identity_hint.map(|hint| {
            let hint = self.words.quoted(hint);
            self.by(says.exchange_psk, &[("hint", &hint)])
        });
        let share = match &exchange.parameters {
            ServerParameters::None => None,
            ServerParameters::Ec(share) => {
                let group: NamedGroup = share.named_curve;
                let octets = self.octets(share.public.len());
                let values = [("group", &*group.to_string()), ("octets", &*octets)];
                Some(self.by(says.exchange_group, &values))
            }
            ServerParameters::Dh(share) => {
                let bits = counts.bits.of(bits(share.p));
                Some(self.by(says.exchange_prime, &[("bits", &bits)]))
            }
            ServerParameters::Rsa { modulus, .. } => {
                let bits = counts.bits.of(bits(modulus));
                Some(self.by(says.exchange_rsa, &[("bits", &bits)]))
            }
            ServerParameters::Srp { n, .. } => {
                let bits = counts.bits.of(bits(n));
                Some(self.by(says.exchange_password, &[("bits", &bits)]))
            }
            ServerParameters::Opaque(octets) => {
                let octets = self.octets(octets.len());
                return self.by(says.exchange_other, &[("octets", &octets)]);
            }
        };
        let signed = match &exchange.signature {
            Some(DigitallySigned {
                algorithm: Some(algorithm),
                ..
            }) => {
                let scheme = algorithm.to_string();
                Some(fill(says.exchange_signed, &[("scheme", &scheme)]))
            }
            Some(_) => None,
            None if hint.is_some() => None,
            None => Some(says.exchange_unsigned.to_owned()),
        };
        self.sentences(&[hint, share, signed])
    }

    fn signs(&self, signed: &DigitallySigned<'_>) -> String {
        let says = &self.words.says;
        let octets = self.octets(signed.signature.len());
        match signed.algorithm {
            Some(scheme) => self.by(
                says.signs,
                &[("scheme", &scheme.to_string()), ("octets", &octets)],
            ),
            None => self.by(says.signs_unnamed, &[("octets", &octets)]),
        }
    }

    fn ticket(&self, ticket: &NewSessionTicket<'_>) -> String {
        let says = &self.words.says;
        match ticket {
            NewSessionTicket::Tls13 {
                ticket_lifetime,
                ticket,
                extensions,
                ..
            } => {
                let lifetime = self.words.lifetime(u64::from(*ticket_lifetime));
                let given = self.by(says.ticket_tls13, &[("octets", &self.octets(ticket.len()))]);
                let lifetime = fill(says.ticket_lifetime, &[("lifetime", &lifetime)]);
                let early = extensions.0.iter().find_map(|extension| match extension {
                    Extension::MaxEarlyDataSize(octets) => {
                        let octets = self.octets(*octets as usize);
                        Some(fill(says.ticket_early_data, &[("octets", &octets)]))
                    }
                    _ => None,
                });
                self.sentences(&[Some(given), Some(lifetime), early])
            }
            NewSessionTicket::Tls12 {
                ticket_lifetime_hint,
                ticket,
            } => {
                let given = self.by(says.ticket_tls12, &[("octets", &self.octets(ticket.len()))]);
                let hint = (*ticket_lifetime_hint > 0).then(|| {
                    let lifetime = self.words.lifetime(u64::from(*ticket_lifetime_hint));
                    fill(says.ticket_hint, &[("lifetime", &lifetime)])
                });
                self.sentences(&[Some(given), hint])
            }
        }
    }

    fn other_message(&self, handshake_type: HandshakeType, octets: usize) -> String {
        let name = camel_case(&handshake_type.to_string());
        let octets = self.octets(octets);
        let says = self.by(
            self.words.says.other_message,
            &[("name", &name), ("octets", &octets)],
        );
        let mut rare = self.words.rare_messages.iter();
        let what = rare.find(|(code, _)| *code == handshake_type.0);
        self.sentences(&[Some(says), what.map(|(_, text)| (*text).to_owned())])
    }

    fn alert(&self, alert: Alert) -> String {
        let says = &self.words.says;
        let meaning = super::findings::alert(self.words, alert);
        let name = alert.description.to_string();
        let values = [("name", &*name), ("meaning", &*meaning)];
        if alert.description == AlertDescription::CLOSE_NOTIFY {
            self.by(says.alert_closes, &values)
        } else if self.is_fatal(alert) {
            self.by(says.alert_fatal, &values)
        } else {
            self.by(says.alert_warning, &values)
        }
    }

    fn is_fatal(&self, alert: Alert) -> bool {
        use ravelin_wire::registry::AlertLevel;
        // In TLS 1.3 the level says nothing (RFC 8446, section 6).
        let harmless = [
            AlertDescription::CLOSE_NOTIFY,
            AlertDescription::USER_CANCELED,
        ];
        alert.level == AlertLevel::FATAL
            || self.is_tls13() && !harmless.contains(&alert.description)
    }

    fn heartbeat(&self, heartbeat: &Heartbeat<'_>) -> String {
        let says = &self.words.says;
        let said = self.octets(usize::from(heartbeat.payload_length));
        let there = self.octets(heartbeat.payload_and_padding.len());
        let values = [("said", &*said), ("there", &*there)];
        let sentence = match heartbeat.message_type {
            _ if usize::from(heartbeat.payload_length) > heartbeat.payload_and_padding.len() => {
                says.heartbeat_lies
            }
            1 => says.heartbeat_asks,
            _ => says.heartbeat_answers,
        };
        self.by(sentence, &values)
    }

    fn sslv2(&self, message: &sslv2::Message<'_>) -> (String, &'static Reason) {
        let (says, reasons) = (&self.words.says, &self.words.reasons);
        match message {
            sslv2::Message::ClientHello(hello) => {
                let version = hello.version.to_string();
                let suites = self.words.counts.suites.of(hello.cipher_specs.len() as u64);
                let values = [("version", &*version), ("suites", &*suites)];
                (
                    self.by(says.sslv2_client_hello, &values),
                    &reasons.sslv2_client_hello,
                )
            }
            sslv2::Message::ServerHello(hello) => {
                let suites = self.words.counts.suites.of(hello.cipher_specs.len() as u64);
                (
                    self.by(says.sslv2_server_hello, &[("suites", &suites)]),
                    &reasons.sslv2_server_hello,
                )
            }
            sslv2::Message::Error(code) => (
                self.by(says.sslv2_error, &[("code", &code.to_string())]),
                &reasons.sslv2_error,
            ),
        }
    }

    /// Steps that are octets and nothing else.
    fn octets_of_others(&self) -> String {
        let says = &self.words.says;
        let octets = self.octets(self.step.octets);
        let records = self.words.counts.records.of(self.step.records.len() as u64);
        let values = [("octets", &*octets), ("records", &*records)];
        match self.step.what {
            What::ApplicationData => match self.step.epoch {
                Epoch::Clear => self.by(says.clear_application_data, &values),
                Epoch::EarlyData => self.by(says.early_application_data, &values),
                _ => self.by(says.application_data, &values),
            },
            What::Sealed(sealed) => {
                let sent = self.by(says.sealed, &values);
                let because = super::findings::sealed(self.words, sealed);
                self.sentences(&[Some(sent), Some(because)])
            }
            What::Foreign(foreign) => {
                let what = super::findings::foreign(self.words, foreign);
                self.by(says.foreign, &[("what", what)])
            }
            What::Other(content_type) => {
                let name = content_type.to_string();
                self.by(says.other_record, &[("name", &name), ("octets", &octets)])
            }
            _ => self.by(says.sealed, &values),
        }
    }

    /// Why something of this kind exists, where its type says it already.
    fn reason_of(&self, what: What) -> &'static Reason {
        use HandshakeType as H;
        let reasons = &self.words.reasons;
        let by_server = self.step.side == Side::Server;
        let handshake_type = match what {
            What::Handshake(handshake_type) => handshake_type,
            What::ChangeCipherSpec if self.is_tls13() => return &reasons.change_cipher_spec_tls13,
            What::ChangeCipherSpec => return &reasons.change_cipher_spec_tls12,
            What::Alert => {
                return match self.step.value() {
                    Ok(Value::Alert(alert))
                        if alert.description == AlertDescription::CLOSE_NOTIFY =>
                    {
                        &reasons.close_notify
                    }
                    Ok(Value::Alert(alert)) if !self.is_fatal(alert) => &reasons.warning_alert,
                    _ => &reasons.fatal_alert,
                };
            }
            What::Heartbeat => return &reasons.heartbeat,
            What::ApplicationData if self.step.epoch == Epoch::EarlyData => {
                return &reasons.early_application_data;
            }
            What::ApplicationData => return &reasons.application_data,
            What::SslV2 if by_server => return &reasons.sslv2_server_hello,
            What::SslV2 => return &reasons.sslv2_client_hello,
            What::Sealed(_) => return &reasons.sealed,
            What::Other(_) => return &reasons.other_record,
            What::Foreign(_) => return &reasons.foreign,
        };
        match (handshake_type, self.is_tls13(), by_server) {
            (H::CLIENT_HELLO, ..) if self.is_second_hello() => &reasons.client_hello_again,
            (H::CLIENT_HELLO, ..) => &reasons.client_hello,
            (H::SERVER_HELLO, true, _) => &reasons.server_hello_tls13,
            (H::SERVER_HELLO, false, _) => &reasons.server_hello_tls12,
            (H::HELLO_RETRY_REQUEST, ..) => &reasons.hello_retry_request,
            (H::ENCRYPTED_EXTENSIONS, ..) => &reasons.encrypted_extensions,
            (H::CERTIFICATE, _, false) => &reasons.client_certificate,
            (H::CERTIFICATE, true, true) => &reasons.server_certificate_tls13,
            (H::CERTIFICATE, false, true) => &reasons.server_certificate_tls12,
            (H::COMPRESSED_CERTIFICATE, ..) => &reasons.compressed_certificate,
            (H::CERTIFICATE_REQUEST, ..) => &reasons.certificate_request,
            (H::CERTIFICATE_STATUS, ..) => &reasons.certificate_status,
            (H::SERVER_KEY_EXCHANGE, ..) => &reasons.server_key_exchange,
            (H::SERVER_HELLO_DONE, ..) => &reasons.server_hello_done,
            (H::CLIENT_KEY_EXCHANGE, ..) => &reasons.client_key_exchange,
            (H::CERTIFICATE_VERIFY, _, true) => &reasons.server_certificate_verify,
            (H::CERTIFICATE_VERIFY, _, false) => &reasons.client_certificate_verify,
            (H::FINISHED, true, true) => &reasons.server_finished_tls13,
            (H::FINISHED, true, false) => &reasons.client_finished_tls13,
            (H::FINISHED, false, true) => &reasons.server_finished_tls12,
            (H::FINISHED, false, false) => &reasons.client_finished_tls12,
            (H::END_OF_EARLY_DATA, ..) => &reasons.end_of_early_data,
            (H::NEW_SESSION_TICKET, true, _) => &reasons.new_session_ticket_tls13,
            (H::NEW_SESSION_TICKET, false, _) => &reasons.new_session_ticket_tls12,
            (H::KEY_UPDATE, ..) => &reasons.key_update,
            (H::HELLO_REQUEST, ..) => &reasons.hello_request,
            (H::NEXT_PROTOCOL, ..) => &reasons.next_protocol,
            (known, ..) if known.assignment().is_some() => &reasons.rare_message,
            _ => &reasons.unknown_message,
        }
    }
}

/// The names of code points, but for those that say nothing.
fn names<C: CodePoint>(codes: impl IntoIterator<Item = C>) -> Vec<String> {
    let known = codes.into_iter().filter(|code| !code.is_grease());
    known.map(|code| code.to_string()).collect()
}

/// How many bits a big number has.
fn bits(number: &[u8]) -> u64 {
    let start = number.iter().position(|octet| *octet != 0);
    let digits = number
        .get(start.unwrap_or(number.len())..)
        .unwrap_or_default();
    match digits.first() {
        Some(first) => digits.len() as u64 * 8 - u64::from(first.leading_zeros()),
        None => 0,
    }
}
