//! The words in English.

mod alerts;
mod certificates;
mod extensions;
mod fields;
mod messages;
mod page;
mod quantities;
mod verdicts;
mod whole;

use super::catalogue::{Catalogue, Count, Counts, Labels, Phrases};

pub(super) static ENGLISH: Catalogue = Catalogue {
    labels: LABELS,
    phrases: PHRASES,
    counts: COUNTS,
    says: messages::SAYS,
    reasons: messages::REASONS,
    values: fields::VALUES,
    problems: verdicts::PROBLEMS,
    derivations: quantities::DERIVATIONS,
    findings: verdicts::FINDINGS,
    chains: certificates::CHAINS,
    encodings: certificates::ENCODINGS,
    faults: verdicts::FAULTS,
    whole: whole::WHOLE,
    weaknesses: whole::WEAKNESSES,
    page: page::PAGE,
    fields: fields::FIELDS,
    extensions: extensions::EXTENSIONS,
    alerts: alerts::ALERTS,
    rare_messages: extensions::RARE_MESSAGES,
    quantities: quantities::QUANTITIES,
    terms: certificates::TERMS,
};

const LABELS: Labels = Labels {
    title: "TLS handshake",
    client: "client",
    server: "server",
    octets: "octets",
    records: "records",
    record: "record",
    step: "step",
    steps: "Step by step",
    version: "version",
    suite: "cipher suite",
    group: "key exchange",
    signature: "signature",
    protocol: "protocol",
    why: "Why it exists",
    without: "Without it",
    fields: "Fields",
    hex: "octets in hexadecimal",
    checks: "Checks",
    check: "check",
    derived: "Derived here",
    key_schedule: "Where the keys come from",
    formula: "formula",
    result: "result",
    unknown: "not known",
    hidden: "hidden",
    whole: "The whole",
    agreed: "What was agreed",
    round_trips: "Round trips, octets and time",
    duration: "duration",
    forward_secrecy: "Forward secrecy",
    key_exchange_post_quantum: "Key exchange against quantum computers",
    authentication_post_quantum: "Authentication against quantum computers",
    passive: "What somebody who listens can see",
    active: "What somebody in the middle can do",
    chain: "The links of the chain",
    weakest: "The weakest link",
    weaknesses: "Weaknesses",
    faults: "Faults",
    offset: "offset",
    end: "How it ended",
    key: "key",
    nonce: "nonce",
    sequence: "record number",
    additional_data: "additional data",
    padding: "padding",
    clear: "in clear",
    early_data: "0-RTT keys",
    handshake_keys: "handshake keys",
    application_keys: "application keys",
    confirmed: "confirmed",
    refuted: "refuted",
    not_derivable: "cannot be told",
    stated: "stated",
    recommended: "recommended",
    special: "for special uses",
    legacy: "outdated",
    broken: "broken",
    grease: "says nothing on purpose (GREASE)",
    unassigned: "not known",
    note: "note",
    minor: "minor",
    serious: "serious",
    critical: "critical",
    sealed: "encrypted",
    contents: "application data",
    inputs: "inputs",
    complete: "the handshake is complete",
    plain: "not TLS",
    colon: ": ",
};

const PHRASES: Phrases = Phrases {
    the_client: "the client",
    the_server: "the server",
    the_client_first: "The client",
    the_server_first: "The server",
    and_two: " and ",
    and_last: " and ",
    comma: ", ",
    clause: ", ",
    quote: "\u{201c}{text}\u{201d}",
    semicolon: "; ",
    stop: " ",
    and_more: " and {count} more",
    nothing: "nothing",
    unknown_value: "not known",
    or_none: "none",
};

const COUNTS: Counts = Counts {
    octets: Count {
        one: "{} octet",
        many: "{} octets",
    },
    following: Count {
        one: "{} octet follows",
        many: "{} octets follow",
    },
    suites: Count {
        one: "{} cipher suite",
        many: "{} cipher suites",
    },
    certificates: Count {
        one: "{} certificate",
        many: "{} certificates",
    },
    records: Count {
        one: "{} record",
        many: "{} records",
    },
    keys: Count {
        one: "{} key",
        many: "{} keys",
    },
    seconds: Count {
        one: "{} second",
        many: "{} seconds",
    },
    minutes: Count {
        one: "{} minute",
        many: "{} minutes",
    },
    hours: Count {
        one: "{} hour",
        many: "{} hours",
    },
    days: Count {
        one: "{} day",
        many: "{} days",
    },
    years: Count {
        one: "{} year",
        many: "{} years",
    },
    cas: Count {
        one: "{} CA",
        many: "{} CAs",
    },
    authorities: Count {
        one: "{} authority",
        many: "{} authorities",
    },
    bits: Count {
        one: "{} bit",
        many: "{} bits",
    },
    round_trips: Count {
        one: "{} round trip",
        many: "{} round trips",
    },
    microseconds: Count {
        one: "{} µs",
        many: "{} µs",
    },
    milliseconds: Count {
        one: "{} ms",
        many: "{} ms",
    },
};
