//! What to think of the whole, in sentences.

use ravelin_wire::registry::CodePoint;

use super::catalogue::{Advice, Catalogue, fill};
use super::{Language, Section, WeaknessWords};
use crate::judgement::{
    EncryptedHello, ForwardSecrecy, Judgement, Leak, Link, LinkKind, Power, QuantumSafety, Seen,
    Weakness,
};
use crate::ledger::Side;
use crate::story::Story;

impl Language {
    /// What to think of a connection as a whole, in sections of sentences. Weaknesses and the links of the
    /// chain are told by [`Language::weakness`] and [`Language::link`].
    #[must_use]
    pub fn whole(self, story: &Story, judgement: &Judgement) -> Vec<Section> {
        let words = self.catalogue();
        let labels = &words.labels;
        let section = |title, sentences| Section { title, sentences };
        vec![
            section(labels.agreed, agreed(words, story)),
            section(labels.round_trips, cost(words, judgement)),
            section(
                labels.forward_secrecy,
                secrecy(words, &judgement.forward_secrecy),
            ),
            section(
                labels.key_exchange_post_quantum,
                vec![quantum_exchange(words, story, judgement.key_exchange)],
            ),
            section(
                labels.authentication_post_quantum,
                vec![quantum_signature(
                    words,
                    story,
                    judgement.server_authentication,
                )],
            ),
            section(
                labels.passive,
                judgement
                    .seen
                    .iter()
                    .map(|seen| sees(words, seen))
                    .collect(),
            ),
            section(
                labels.active,
                judgement
                    .powers
                    .iter()
                    .map(|power| can(words, *power).to_owned())
                    .collect(),
            ),
            section(labels.weakest, vec![weakest(words, judgement)]),
        ]
    }

    /// What a link of the chain is.
    #[must_use]
    pub fn link(self, kind: LinkKind) -> &'static str {
        link(self.catalogue(), kind)
    }

    /// What is weak, and how to mend it.
    #[must_use]
    pub fn weakness(self, weakness: &Weakness) -> WeaknessWords {
        let words = self.catalogue();
        let (advice, name) = advice(self, words, weakness);
        let values = [("name", &*name)];
        WeaknessWords {
            what: fill(advice.what, &values),
            mend: fill(advice.mend, &values),
        }
    }
}

fn agreed(words: &Catalogue, story: &Story) -> Vec<String> {
    let (agreement, whole) = (&story.agreement, &words.whole);
    let mut sentences = Vec::new();
    let mut say = |sentence, name: &str| sentences.push(fill(sentence, &[("name", name)]));
    match agreement.version {
        Some(version) => say(whole.agreed_version, &version.to_string()),
        None => say(whole.agreed_unknown, ""),
    }
    if let Some(suite) = agreement.suite {
        say(whole.agreed_suite, &suite.to_string());
    }
    if let Some(group) = agreement.group {
        say(whole.agreed_group, &group.to_string());
    }
    if let Some(name) = &agreement.server_name {
        say(whole.agreed_host, &words.quoted(name.as_bytes()));
    }
    if let Some(protocol) = &agreement.alpn {
        say(whole.agreed_protocol, &super::visible(protocol));
    }
    if agreement.resumption.is_some() {
        say(whole.agreed_resumed, "");
    }
    if agreement.complete.is_none() {
        say(whole.agreed_incomplete, "");
    }
    sentences
}

fn cost(words: &Catalogue, judgement: &Judgement) -> Vec<String> {
    let (cost, whole, counts) = (&judgement.cost, &words.whole, &words.counts);
    let mut sentences = Vec::new();
    if let Some(trips) = cost.round_trips {
        let trips = counts.round_trips.of(u64::from(trips));
        sentences.push(fill(whole.took_round_trips, &[("trips", &trips)]));
    }
    if cost.retried {
        sentences.push(whole.took_retry.to_owned());
    }
    if cost.early_data {
        sentences.push(whole.took_early.to_owned());
    }
    let [client, server] = cost.octets.map(|octets| counts.octets.of(octets));
    sentences.push(fill(
        whole.took_octets,
        &[("client", &client), ("server", &server)],
    ));
    if !cost.duration.is_zero() {
        let time = words.duration(cost.duration);
        sentences.push(fill(whole.took_time, &[("time", &time)]));
    }
    sentences
}

fn secrecy(words: &Catalogue, secrecy: &ForwardSecrecy) -> Vec<String> {
    let whole = &words.whole;
    match secrecy {
        ForwardSecrecy::Full => vec![whole.secrecy_full.to_owned()],
        ForwardSecrecy::Unknown => vec![whole.secrecy_unknown.to_owned()],
        ForwardSecrecy::None(why) => {
            vec![whole.secrecy_none.to_owned(), leak(words, *why).to_owned()]
        }
        ForwardSecrecy::Partly(leaks) => std::iter::once(whole.secrecy_partly)
            .chain(leaks.iter().map(|why| leak(words, *why)))
            .map(str::to_owned)
            .collect(),
    }
}

fn leak(words: &Catalogue, leak: Leak) -> &'static str {
    let whole = &words.whole;
    match leak {
        Leak::RsaKey => whole.leak_rsa,
        Leak::StaticKey => whole.leak_static,
        Leak::Psk => whole.leak_psk,
        Leak::EarlyData => whole.leak_early_data,
        Leak::TicketKey => whole.leak_ticket,
        Leak::Nothing => whole.leak_null,
        Leak::Other => whole.leak_other,
    }
}

fn quantum_exchange(words: &Catalogue, story: &Story, safety: QuantumSafety) -> String {
    let whole = &words.whole;
    let group = story.agreement.group.map(|group| group.to_string());
    let group = group.as_deref().unwrap_or(words.phrases.unknown_value);
    let sentence = match safety {
        QuantumSafety::Safe => whole.quantum_exchange_safe,
        QuantumSafety::Unsafe if story.agreement.group.is_none() => {
            whole.quantum_exchange_unsafe_key
        }
        QuantumSafety::Unsafe => whole.quantum_exchange_unsafe,
        QuantumSafety::Psk => whole.quantum_exchange_psk,
        QuantumSafety::Absent => whole.leak_null,
        QuantumSafety::Unknown => whole.quantum_exchange_unknown,
    };
    fill(sentence, &[("group", group)])
}

fn quantum_signature(words: &Catalogue, story: &Story, safety: QuantumSafety) -> String {
    let whole = &words.whole;
    let scheme = story
        .agreement
        .server_signature
        .map(|scheme| scheme.to_string());
    let scheme = scheme.as_deref().unwrap_or(words.phrases.unknown_value);
    let sentence = match safety {
        QuantumSafety::Safe => whole.quantum_signature_safe,
        QuantumSafety::Unsafe if story.agreement.server_signature.is_none() => {
            whole.quantum_signature_unsafe_key
        }
        QuantumSafety::Unsafe => whole.quantum_signature_unsafe,
        QuantumSafety::Psk => whole.quantum_signature_psk,
        QuantumSafety::Absent => whole.quantum_signature_none,
        QuantumSafety::Unknown => whole.quantum_signature_unknown,
    };
    fill(sentence, &[("scheme", scheme)])
}

fn sees(words: &Catalogue, seen: &Seen) -> String {
    let whole = &words.whole;
    match seen {
        Seen::Everything => whole.sees_everything.to_owned(),
        Seen::ServerName(name) => {
            fill(whole.sees_name, &[("name", &words.quoted(name.as_bytes()))])
        }
        Seen::OuterName(name) => fill(
            whole.sees_outer_name,
            &[("name", &words.quoted(name.as_bytes()))],
        ),
        Seen::EncryptedHello(hello) => match hello {
            EncryptedHello::Grease => whole.ech_grease,
            EncryptedHello::Refused => whole.ech_refused,
            EncryptedHello::NotTaken => whole.ech_not_taken,
            EncryptedHello::Unknown => whole.ech_unknown,
        }
        .to_owned(),
        Seen::NoName => whole.sees_no_name.to_owned(),
        Seen::Offer => whole.sees_offer.to_owned(),
        Seen::OfferedProtocols(protocols) => {
            let names: Vec<String> = protocols
                .iter()
                .map(|name| super::visible(name.as_bytes()))
                .collect();
            let names = words.phrases.short_list(&names, 6);
            fill(whole.sees_offered_protocols, &[("names", &names)])
        }
        Seen::Protocol(name) => fill(
            whole.sees_protocol,
            &[("name", &super::visible(name.as_bytes()))],
        ),
        Seen::Certificates(Side::Server) => whole.sees_server_certificate.to_owned(),
        Seen::Certificates(Side::Client) => whole.sees_client_certificate.to_owned(),
        Seen::Ticket => whole.sees_ticket.to_owned(),
        Seen::Lengths => whole.sees_lengths.to_owned(),
    }
}

fn can(words: &Catalogue, power: Power) -> &'static str {
    let whole = &words.whole;
    match power {
        Power::Cut => whole.can_cut,
        Power::Strip => whole.can_strip,
        Power::Replay => whole.can_replay,
        Power::Impersonate => whole.can_impersonate,
        Power::Splice => whole.can_splice,
        Power::Synchronise => whole.can_synchronise,
        Power::NothingElse => whole.can_read_nothing,
    }
}

fn link(words: &Catalogue, kind: LinkKind) -> &'static str {
    let whole = &words.whole;
    match kind {
        LinkKind::Version => whole.link_version,
        LinkKind::Suite => whole.link_suite,
        LinkKind::Group => whole.link_group,
        LinkKind::Signature => whole.link_signature,
        LinkKind::CertificateKey => whole.link_certificate_key,
        LinkKind::CertificateSignature => whole.link_certificate_signature,
    }
}

fn weakest(words: &Catalogue, judgement: &Judgement) -> String {
    use ravelin_wire::registry::Judgement as Rating;
    let whole = &words.whole;
    let Some(Link { kind, name, rating }) = judgement.weakest() else {
        return whole.none_weak.to_owned();
    };
    let labels = &words.labels;
    let word = match rating {
        Rating::Recommended => return whole.weakest_strong.to_owned(),
        Rating::Special => labels.special,
        Rating::Legacy => labels.legacy,
        Rating::Broken => labels.broken,
        Rating::Grease => labels.grease,
        Rating::Unknown => labels.unassigned,
    };
    let values = [
        ("link", link(words, *kind)),
        ("name", &super::visible(name.as_bytes())),
        ("judgement", word),
    ];
    fill(whole.weakest, &values)
}

/// The words of a weakness, and the name that they speak of.
fn advice(
    language: Language,
    words: &'static Catalogue,
    weakness: &Weakness,
) -> (&'static Advice, String) {
    let known = &words.weaknesses;
    let none = String::new();
    match weakness {
        Weakness::Refuted(claim) => (&known.refuted, language.claim(claim)),
        Weakness::Downgraded => (&known.downgraded, none),
        Weakness::NullCipher => (&known.null_cipher, none),
        Weakness::Anonymous => (&known.anonymous, none),
        Weakness::OldVersion(version) => (&known.old_version, name(*version)),
        Weakness::DraftVersion(version) => (&known.draft_version, name(*version)),
        Weakness::ExportSuite(suite) => (&known.export_suite, name(*suite)),
        Weakness::BrokenCipher(suite) => (&known.broken_cipher, name(*suite)),
        Weakness::SmallBlocks(suite) => (&known.small_blocks, name(*suite)),
        Weakness::NoAead(suite) => (&known.no_aead, name(*suite)),
        Weakness::LegacySuite(suite) => (&known.legacy_suite, name(*suite)),
        Weakness::RsaTransport => (&known.rsa_transport, none),
        Weakness::StaticExchange => (&known.static_exchange, none),
        Weakness::PskAlone => (&known.psk_alone, none),
        Weakness::WeakGroup(group) => (&known.weak_group, name(*group)),
        Weakness::FiniteField => (&known.finite_field, none),
        Weakness::WeakSignature(scheme) => (&known.weak_signature, name(*scheme)),
        Weakness::WeakCertificateKey(key) => {
            (&known.weak_certificate_key, super::visible(key.as_bytes()))
        }
        Weakness::WeakCertificateSignature(algorithm) => (
            &known.weak_certificate_signature,
            super::visible(algorithm.as_bytes()),
        ),
        Weakness::NoExtendedMainSecret => (&known.no_extended_main_secret, none),
        Weakness::NoSecureRenegotiation => (&known.no_secure_renegotiation, none),
        Weakness::Renegotiation => (&known.renegotiation, none),
        Weakness::Compression => (&known.compression, none),
        Weakness::EarlyData => (&known.early_data, none),
        Weakness::Heartbleed => (&known.heartbleed, none),
        Weakness::Fault => (&known.fault, none),
        Weakness::Truncated => (&known.truncated, none),
        Weakness::TicketsOfTls12 => (&known.tickets_of_tls12, none),
        Weakness::NotQuantumSafe => (&known.not_quantum_exchange, none),
        Weakness::NameInClear => (&known.name_in_clear, none),
    }
}

fn name<C: CodePoint>(code: C) -> String {
    code.to_string()
}
