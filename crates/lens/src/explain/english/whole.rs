//! What to think of the whole, and what is weak.

use crate::explain::catalogue::{Advice, Weaknesses, Whole};

pub(super) const WHOLE: Whole = Whole {
    agreed_version: "The two speak {name}.",
    agreed_suite: "Records are protected by {name}.",
    agreed_group: "The shared secret comes from a key exchange in {name}.",
    agreed_host: "The client asked for {name}.",
    agreed_protocol: "The protocol above is {name}.",
    agreed_resumed: "It goes on from an earlier connection, so the server did not need to show its \
        certificate.",
    agreed_unknown: "The two did not agree on a version, as far as it was seen.",
    agreed_incomplete: "The handshake was not completed, as far as it was seen.",
    took_round_trips: "The client had to wait for {trips} before it could send its data.",
    took_early: "Some data went along with the first message and did not wait at all.",
    took_retry: "One of the waits was because the server asked the client to begin again.",
    took_octets: "Until the handshake was complete the client sent {client}, and the server {server}.",
    took_time: "It took {time}.",
    secrecy_full: "Yes. The keys were made for this connection alone and are forgotten with it: whoever records \
        it today and steals the server's key tomorrow can read nothing.",
    secrecy_unknown: "It cannot be told, since too little of the handshake was seen.",
    secrecy_none: "No. Whoever records the connection can read it once a long-term key comes out.",
    secrecy_partly: "In part.",
    leak_rsa: "The secret was encrypted to the RSA key of the certificate: that key opens every recorded \
        connection.",
    leak_static: "The key of a certificate takes part in the key exchange: that key opens every recorded \
        connection.",
    leak_psk: "All keys hang on a key that both had before, without a new key exchange: who gets that key can \
        read everything.",
    leak_early_data: "What was sent early hangs on the key from before: who gets the ticket's key can read that \
        part.",
    leak_ticket: "The ticket holds the session's secret: who gets the key that seals the server's tickets can \
        read this connection. Servers should change that key often.",
    leak_other: "The key exchange hangs on a long-term key.",
    leak_null: "Nothing is encrypted.",
    quantum_exchange_safe: "Safe as far as is known: {group} contains a method that quantum computers do not \
        break.",
    quantum_exchange_unsafe: "Not safe: who records the connection today can read it once there is a quantum \
        computer that breaks {group}. X25519MLKEM768 would prevent that.",
    quantum_exchange_unsafe_key: "Not safe: who records the connection today can read it once there is a \
        quantum computer that breaks this key exchange. TLS 1.3 with X25519MLKEM768 would prevent that.",
    quantum_exchange_psk: "There was no key exchange: all hangs on a key from before, which a quantum computer \
        does not find, if it came about safely.",
    quantum_exchange_unknown: "It cannot be told, since the key exchange was not seen.",
    quantum_signature_safe: "Safe as far as is known: the server signs with {scheme}.",
    quantum_signature_unsafe: "Not safe, and not yet urgent: {scheme} can be forged once there is a large \
        quantum computer, but only from then on, not for connections of today.",
    quantum_signature_unsafe_key: "Not safe, and not yet urgent: the key of the certificate can be computed \
        once there is a large quantum computer, but that cannot undo who the server was today.",
    quantum_signature_psk: "The server proved itself with a key from before, which a quantum computer does not \
        find, if it came about safely.",
    quantum_signature_none: "The server did not prove who it is.",
    quantum_signature_unknown: "It cannot be told, since no signature was seen.",
    sees_name: "The host: {name}, in clear in the first message.",
    sees_no_name: "No host's name, since the client sent none; the address is visible.",
    sees_outer_name: "A host's name, {name}, in clear in the first message. If the encrypted hello (ECH) beside it is \
        real and the server took it, the host that is meant is another.",
    ech_grease: "The client sent what looks like an encrypted hello (ECH) and says nothing (GREASE): the server did not \
        take it, since its Finished message covers the hello in clear, and the client went on all the same.",
    ech_refused: "The encrypted hello (ECH) was real, and the server did not take it: the client ended the connection \
        for that (ech_required). The host that it meant stays hidden.",
    ech_not_taken: "The server did not take the encrypted hello (ECH): the two went on with the one in clear. Either it \
        was real and was refused, or it said nothing (GREASE): the client would end the connection by the alert \
        ech_required in the one case, and send its data in the other, and neither was seen.",
    ech_unknown: "Whether the encrypted hello (ECH) is real cannot be told from this: many clients send octets at random \
        in its place (GREASE), so that real ones do not stand out. What would tell: the last 8 octets of \
        ServerHello.random confirm one that was taken, to those who know the inner hello; one that was not taken is \
        answered with retry_configs by servers that know ECH, and the Finished message of the server then covers the \
        hello in clear. Both are encrypted. Where nothing was taken, the host is the name in clear.",
    sees_offered_protocols: "The protocols that the client offers: {names}.",
    sees_protocol: "The protocol that was agreed: {name}.",
    sees_server_certificate: "The server's certificates, which TLS before 1.3 sends in clear.",
    sees_client_certificate: "The client's certificates, and so who the client is: TLS before 1.3 sends them in \
        clear.",
    sees_offer: "Versions, suites and extensions of the client, which tell programs apart like a fingerprint.",
    sees_ticket: "A ticket or session from before. If one is used twice, it shows that both connections are by \
        the same client.",
    sees_lengths: "How much is sent, when, by whom and to which address.",
    sees_everything: "Everything: nothing is encrypted.",
    can_cut: "Delay the connection and cut it. A cut shows, since a whole connection ends with close_notify.",
    can_replay: "Copy the 0-RTT data and send it again.",
    can_strip: "Keep the client from using TLS at all, if it begins with plain HTTP: HSTS prevents that.",
    can_impersonate: "Be the server: nothing that holds proves who it is.",
    can_splice: "Put words of their own in front of the client's, if the server allows renegotiation \
        (CVE-2009-3555).",
    can_synchronise: "Let two connections have one secret and so act in the client's name (triple handshake, \
        2014).",
    can_read_nothing: "Nothing else without notice: a changed or repeated record ends the connection.",
    link_version: "version",
    link_suite: "cipher suite",
    link_group: "group of the key exchange",
    link_signature: "signature of the handshake",
    link_certificate_key: "key of the certificate",
    link_certificate_signature: "signature of the certificate",
    weakest: "The {link}: {name}, {judgement}.",
    weakest_strong: "None stands out: all links are recommended today.",
    none_weak: "Too little was agreed to tell.",
};

pub(super) const WEAKNESSES: Weaknesses = Weaknesses {
    old_version: Advice {
        what: "{name} is outdated: it rests on hashes and constructions that have been attacked.",
        mend: "Allow TLS 1.2 and 1.3 only, on both sides.",
    },
    draft_version: Advice {
        what: "{name} is a draft that nobody maintains any more.",
        mend: "Update the side that still speaks it.",
    },
    null_cipher: Advice {
        what: "Nothing is encrypted: everybody on the way can read it.",
        mend: "Remove suites with NULL from the configuration.",
    },
    broken_cipher: Advice {
        what: "The cipher of {name} is broken.",
        mend: "Allow suites with AES-GCM or ChaCha20-Poly1305 only.",
    },
    small_blocks: Advice {
        what: "The cipher of {name} has blocks of 64 bits, which give away parts of the text after some \
            gigabytes (Sweet32, 2016).",
        mend: "Allow suites with AES-GCM or ChaCha20-Poly1305 only.",
    },
    no_aead: Advice {
        what: "{name} encrypts after it authenticates. Servers that take a little longer over one kind of error \
            than over another give the text away (Lucky 13, 2013).",
        mend: "Prefer suites with AES-GCM or ChaCha20-Poly1305.",
    },
    export_suite: Advice {
        what: "{name} has keys that were made short on purpose and are found in hours (FREAK, Logjam, 2015).",
        mend: "Remove suites with EXPORT from the configuration.",
    },
    anonymous: Advice {
        what: "The server does not prove who it is: somebody in the middle can be it.",
        mend: "Remove suites with anon from the configuration and use a certificate.",
    },
    rsa_transport: Advice {
        what: "The client encrypted the secret to the RSA key of the certificate. There is no forward secrecy, \
            and servers that err in decrypting it help attackers (ROBOT, 2017).",
        mend: "Allow suites with ECDHE only, or TLS 1.3.",
    },
    static_exchange: Advice {
        what: "The key of a certificate takes part in the key exchange, so there is no forward secrecy.",
        mend: "Allow suites with ECDHE only, or TLS 1.3.",
    },
    psk_alone: Advice {
        what: "A key from before is used without a new key exchange, so there is no forward secrecy.",
        mend: "Use the key together with a key exchange: psk_dhe_ke in TLS 1.3, ECDHE_PSK before.",
    },
    weak_group: Advice {
        what: "The group {name} is too weak, or was only a trial.",
        mend: "Offer X25519MLKEM768, x25519 and secp256r1.",
    },
    finite_field: Advice {
        what: "The server chose the prime of the key exchange, and the client cannot tell a good one from a bad \
            one (Logjam, 2015).",
        mend: "Use curves: suites with ECDHE, or TLS 1.3.",
    },
    weak_signature: Advice {
        what: "The handshake was signed with {name}, which rests on an outdated hash or key.",
        mend: "Accept signatures with SHA-256 and better only.",
    },
    weak_certificate_key: Advice {
        what: "The key of the certificate, {name}, is too short.",
        mend: "Get a certificate for a new key: ECDSA P-256, or RSA of 2048 bits and more.",
    },
    weak_certificate_signature: Advice {
        what: "The certificate is signed with {name}: others can be made that look the same to it.",
        mend: "Get a new certificate, signed with SHA-256 or better.",
    },
    no_extended_main_secret: Advice {
        what: "The main secret does not depend on the whole handshake, so somebody in the middle can make two \
            connections share it (triple handshake, 2014).",
        mend: "Update the side that lacks extended_main_secret (RFC 7627), or use TLS 1.3.",
    },
    no_secure_renegotiation: Advice {
        what: "A new handshake would not be tied to the one before (CVE-2009-3555).",
        mend: "Update the side that lacks renegotiation_info (RFC 5746), or use TLS 1.3.",
    },
    compression: Advice {
        what: "What is sent is compressed before it is encrypted, and its length tells what it holds (CRIME, 2012).",
        mend: "Switch compression in TLS off.",
    },
    early_data: Advice {
        what: "Data was accepted before the handshake was over. Others can copy it and send it again.",
        mend: "Accept only requests that do no harm twice, or switch 0-RTT off.",
    },
    downgraded: Advice {
        what: "The server's random says that a newer version was possible: somebody has changed the handshake.",
        mend: "Break the connection off, and look for what sits in between.",
    },
    refuted: Advice {
        what: "This does not hold: {name}",
        mend: "Do not trust this connection before you know why.",
    },
    heartbleed: Advice {
        what: "A heartbeat asked for more octets than it had: an attempt at Heartbleed (CVE-2014-0160).",
        mend: "Update OpenSSL, change keys and passwords of a server that answered it.",
    },
    not_quantum_exchange: Advice {
        what: "Who records the connection today can read it once there is a large quantum computer.",
        mend: "Offer and accept X25519MLKEM768 on both sides.",
    },
    name_in_clear: Advice {
        what: "The host's name is in clear in the first message.",
        mend: "Where that matters, use ECH, which needs a server in front that offers it.",
    },
    tickets_of_tls12: Advice {
        what: "The ticket holds the session's secret: one key of the server opens all such connections.",
        mend: "Change the ticket key often, or use TLS 1.3, whose tickets do not open earlier connections.",
    },
    truncated: Advice {
        what: "A side stopped without saying that it was done, so a shortened answer would look the same.",
        mend: "Send close_notify, and check lengths above TLS.",
    },
    renegotiation: Advice {
        what: "Keys or handshake were made anew within the connection.",
        mend: "Switch renegotiation off where nothing needs it.",
    },
    legacy_suite: Advice {
        what: "{name} is outdated.",
        mend: "Prefer suites with ECDHE and AES-GCM or ChaCha20-Poly1305.",
    },
    fault: Advice {
        what: "Some of what was sent is not as it has to be; the list of faults says what and where.",
        mend: "Find out which side errs: a program with an error, a broken recording, or an attack.",
    },
};
