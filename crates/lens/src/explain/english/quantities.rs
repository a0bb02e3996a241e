//! What is derived.

use crate::explain::catalogue::{Derivations, Reason};

pub(super) const DERIVATIONS: Derivations = Derivations {
    name_empty_hash: "hash of nothing",
    name_ticket_psk: "PSK of the ticket",
    given: "given from outside",
    zeros: "{octets} that are zero",
    transcript: "{hash} of all messages from client_hello to {message}",
    transcript_of: "hash up to {message}",
    of_client: "{name} (client)",
    of_server: "{name} (server)",
    ssl3_inside: "MD5 and SHA-1, each of all messages from client_hello to {message} + \"{sender}\" + {secret} + pad1",
    part: "octets {start} to {end} of {of}",
    stated: "computed here, or given; nothing to hold it against",
    confirmed: "confirmed by {by}",
    refuted: "refuted by {by}",
    not_derivable: "cannot be derived, for want of {missing}",
    not_derivable_given: "not known",
    by_key_log: "a key log",
    by_recorder: "what the TLS library used",
    by_decryption: "records that it decrypted",
    by_peer: "what the other side sent",
    quantity_unknown: "A value on the way to the keys.",
};

pub(super) const QUANTITIES: &[(&str, Reason)] = &[
    (
        "0",
        Reason {
            why: "As many zeros as the hash has octets.",
            without: "It stands where a secret could enter the schedule and there is none.",
        },
    ),
    (
        "empty hash",
        Reason {
            why: "The hash of nothing at all.",
            without: "It is the context of steps that do not depend on any message.",
        },
    ),
    (
        "transcript hash",
        Reason {
            why: "A hash of all messages of the handshake so far.",
            without: "It binds keys and proofs to exactly this handshake: one changed octet, and all of them \
            differ.",
        },
    ),
    (
        "PSK",
        Reason {
            why: "A key that both sides have from an earlier connection, or by arrangement.",
            without: "Who has it need not show a certificate again.",
        },
    ),
    (
        "shared_secret",
        Reason {
            why: "What the key exchange gives: both compute it from their own private and the other's public \
            value.",
            without: "Somebody who listens has both public values and still cannot compute it. All keys hang on \
            it.",
        },
    ),
    (
        "early_secret",
        Reason {
            why: "The first stage of the key schedule, made of the key from before, or of zeros.",
            without: "Keys for 0-RTT data and the proofs of keys from before are derived from it.",
        },
    ),
    (
        "derived",
        Reason {
            why: "A value that carries one stage of the key schedule over to the next.",
            without: "It keeps the stages apart: whoever learns keys of one cannot go back or forth.",
        },
    ),
    (
        "handshake_secret",
        Reason {
            why: "The second stage: the shared secret of the key exchange enters.",
            without: "Keys for the rest of the handshake are derived from it.",
        },
    ),
    (
        "main_secret",
        Reason {
            why: "The third stage. RFCs before 2025 call it the master secret.",
            without: "Keys for application data, for exports and for resumption are derived from it.",
        },
    ),
    (
        "binder_key",
        Reason {
            why: "A key that follows from the key from before.",
            without: "With it the client proves, in its first message, that it has that key.",
        },
    ),
    (
        "binder",
        Reason {
            why: "A MAC over the client's hello.",
            without: "It proves that who sent this hello has the key from before, and that the hello is as it was \
            sent.",
        },
    ),
    (
        "finished_key",
        Reason {
            why: "A key that is used for one MAC and nothing else.",
            without: "Keys for one use each cannot be played off against each other.",
        },
    ),
    (
        "verify_data",
        Reason {
            why: "What a Finished message has to say: a MAC over the whole handshake so far.",
            without: "If it is what was sent, both saw the same handshake and have the same keys.",
        },
    ),
    (
        "client_early_traffic_secret",
        Reason {
            why: "The secret of what the client sends before the handshake is over.",
            without: "Key and IV of 0-RTT data come from it.",
        },
    ),
    (
        "early_exporter_secret",
        Reason {
            why: "A secret for others than TLS, before the handshake is over.",
            without: "Protocols above can derive their own keys from it.",
        },
    ),
    (
        "client_handshake_traffic_secret",
        Reason {
            why: "The secret of the client's part of the handshake.",
            without: "Key and IV of those records come from it, and the key of its Finished.",
        },
    ),
    (
        "server_handshake_traffic_secret",
        Reason {
            why: "The secret of the server's part of the handshake.",
            without: "Key and IV of those records come from it, and the key of its Finished.",
        },
    ),
    (
        "client_application_traffic_secret_0",
        Reason {
            why: "The secret of the application data that the client sends.",
            without: "Key and IV of those records come from it.",
        },
    ),
    (
        "server_application_traffic_secret_0",
        Reason {
            why: "The secret of the application data that the server sends.",
            without: "Key and IV of those records come from it.",
        },
    ),
    (
        "client_application_traffic_secret_N",
        Reason {
            why: "The client's next secret, after a change of keys.",
            without: "It follows from the one before, and nobody can compute the one before from it.",
        },
    ),
    (
        "server_application_traffic_secret_N",
        Reason {
            why: "The server's next secret, after a change of keys.",
            without: "It follows from the one before, and nobody can compute the one before from it.",
        },
    ),
    (
        "exporter_secret",
        Reason {
            why: "A secret for others than TLS.",
            without: "Protocols above derive their own keys from it, or bind a login to this connection.",
        },
    ),
    (
        "resumption_secret",
        Reason {
            why: "The secret that the keys of tickets are made of.",
            without: "Tickets carry the trust of this handshake into the next without giving its keys away.",
        },
    ),
    (
        "ticket_nonce",
        Reason {
            why: "A number that is different in each ticket of a connection.",
            without: "Each ticket gets a key of its own.",
        },
    ),
    (
        "PSK of the ticket",
        Reason {
            why: "The key that goes with a ticket.",
            without: "The next connection can begin with it in place of a certificate.",
        },
    ),
    (
        "write_key",
        Reason {
            why: "The key of the cipher, for one direction.",
            without: "It encrypts the records. The two directions have different keys, so that nothing can be \
            sent back to its sender.",
        },
    ),
    (
        "write_iv",
        Reason {
            why: "What each record's number is mixed with to give its nonce.",
            without: "No nonce may come twice under a key; this one also differs from connection to connection.",
        },
    ),
    (
        "write_IV",
        Reason {
            why: "The fixed part of nonces, or the first initialization vector.",
            without: "With it the same text never encrypts to the same octets twice.",
        },
    ),
    (
        "write_MAC_key",
        Reason {
            why: "The key of the MAC, for one direction.",
            without: "The MAC shows whether a record was changed. Newer ciphers (AEAD) do both at once.",
        },
    ),
    (
        "premaster_secret",
        Reason {
            why: "What the key exchange of TLS 1.2 and before gives.",
            without: "The main secret is made of it.",
        },
    ),
    (
        "master_secret",
        Reason {
            why: "The one secret of a session in TLS 1.2 and before, of 48 octets.",
            without: "All keys of the session are made of it, and a resumed session goes on with it.",
        },
    ),
    (
        "key_block",
        Reason {
            why: "One long output of the derivation, to be cut into keys.",
            without: "Keys of both directions are its parts, in a fixed order.",
        },
    ),
    (
        "handshake hash",
        Reason {
            why: "The hashes of all messages of the handshake so far, of who sends this Finished, and of the secret.",
            without: "SSL 3.0 had no HMAC yet: it hashes twice, and the secret is in both hashes.",
        },
    ),
    (
        "no secret",
        Reason {
            why: "No octets at all, in the place of a secret.",
            without: "What is derived with it, everybody can derive.",
        },
    ),
    (
        "iv_block",
        Reason {
            why: "The first initialization vectors of a suite for export, made of what was sent in clear.",
            without: "The laws of the time were about secrets: a vector was to take no bit of them.",
        },
    ),
    (
        "final_write_key",
        Reason {
            why: "The key that is really used: a few secret octets, stretched with the randoms.",
            without: "It looks as long as others, but only 40 or 56 bits of it are secret: a computer finds them by \
            trying.",
        },
    ),
    (
        "client_random",
        Reason {
            why: "The 32 octets by which the client makes this handshake unlike any other.",
            without: "An old handshake cannot be played again to the client.",
        },
    ),
    (
        "server_random",
        Reason {
            why: "The 32 octets by which the server makes this handshake unlike any other.",
            without: "An old handshake cannot be played again to the server.",
        },
    ),
    (
        "message_hash",
        Reason {
            why: "The hash of the first hello, which stands in its place once there was a second.",
            without: "A server that asked to begin again need not remember the first hello.",
        },
    ),
];
