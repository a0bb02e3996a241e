//! What fields are, and what their octets mean.

use crate::explain::catalogue::Values;

pub(super) const VALUES: Values = Values {
    code: "{name} ({number})",
    grease: "GREASE ({number})",
    unassigned_code: "{number}, not assigned",
    number: "{number}",
    milliseconds_since_1970: "{number} ms since 1970: {date}",
    unread: "not read, since something before it is wrong",
    wrong: "wrong: {problem}",
    extension_unknown: "Nothing is known of this extension here. Who does not know it ignores it.",
    extension_grease: "It says nothing on purpose: it keeps servers used to ignoring what they do not know \
        (GREASE).",
    field_unknown: "Nothing more is known of it here.",
};

/// By name, or by `parent.name`, or by `label.name` where what it stands in has a code point.
pub(super) const FIELDS: &[(&str, &str)] = &[
    // Messages and records.
    ("handshake", "The message, with its header."),
    ("msg_type", "Which message this is."),
    ("sslv2.msg_type", "Which message of SSL 2.0 this is."),
    ("message.msg_type", "Which message of SSL 2.0 this is."),
    ("body", "What the message says."),
    ("length", "How many octets of this follow."),
    ("record", "The envelope that carries messages."),
    ("record.type", "What the record carries."),
    (
        "legacy_record_version",
        "A version that says nothing any more: it is kept as it was so that old boxes on the way let it pass.",
    ),
    (
        "fragment",
        "What the record carries: a piece of a message, or data.",
    ),
    ("alert", "A short message: something ends, or is wrong."),
    (
        "level",
        "How grave it is. In TLS 1.3 this says nothing: the description alone counts.",
    ),
    ("description", "What is wrong."),
    ("change_cipher_spec", "The signal that other keys follow."),
    ("change_cipher_spec.type", "Always 1."),
    ("heartbeat", "A sign of life."),
    ("heartbeat.type", "1 asks for an answer, 2 is one."),
    (
        "payload_length",
        "How many octets are to be sent back, by what the sender says. Who trusts it without counting gives away memory: Heartbleed.",
    ),
    (
        "payload_and_padding",
        "The octets to be sent back, and padding.",
    ),
    (
        "application_data",
        "What the two have to say to each other, above TLS.",
    ),
    (
        "encrypted",
        "Octets that are encrypted, and whose keys are not known.",
    ),
    ("octets", "Octets that are no TLS."),
    (
        "unread",
        "What was not read, since something before it is wrong.",
    ),
    // Hellos.
    (
        "legacy_version",
        "The version as it was said up to TLS 1.2. TLS 1.3 keeps it at 1.2 and says the true one in an extension.",
    ),
    (
        "random",
        "32 octets by chance. They make this handshake unlike any other, so that nothing of it can be used again.",
    ),
    (
        "legacy_session_id",
        "A session to go on with, up to TLS 1.2. In TLS 1.3 it only makes the hello look like an old one.",
    ),
    (
        "legacy_session_id_echo",
        "The session, or in TLS 1.3 what the client sent, repeated.",
    ),
    (
        "cipher_suites",
        "The cipher suites that the client offers, the one it likes best first.",
    ),
    (
        "cipher_suite",
        "How records are encrypted and keys derived; before TLS 1.3 also how keys are exchanged.",
    ),
    (
        "legacy_compression_methods",
        "How the client would compress. Only none is safe.",
    ),
    (
        "compression_method",
        "A way to compress. Compressing secrets gives them away by their length.",
    ),
    (
        "legacy_compression_method",
        "How records are compressed. Only none is safe.",
    ),
    (
        "extensions",
        "What was added to TLS since its beginnings, each with a number of its own.",
    ),
    (
        "extension",
        "One addition: its number, its length, and what it says.",
    ),
    ("extension_type", "Which extension it is."),
    ("extension_data", "What the extension says."),
    // Extensions of hellos.
    (
        "server_name_list",
        "The hosts that the client asks for. There is never more than one.",
    ),
    ("server_name", "A host that the client asks for."),
    ("name_type", "What kind of name it is: always a host's."),
    ("name", "The host's name."),
    (
        "max_fragment_length",
        "How long the contents of a record may be.",
    ),
    (
        "record_size_limit",
        "How long the contents of a record may be for the sender of this.",
    ),
    (
        "padding",
        "Octets that say nothing and make the message longer.",
    ),
    (
        "next_protocol.padding",
        "Octets that hide how long the protocol's name is.",
    ),
    (
        "cookie",
        "Something that the client repeats, so that the server need not remember it.",
    ),
    (
        "renegotiated_connection",
        "The Finished values of the handshake before, to tie the new one to it. Empty in a first handshake.",
    ),
    ("mode", "Whether the other side may send heartbeats."),
    (
        "srtp_protection_profiles",
        "How media streams can be protected.",
    ),
    ("srtp_protection_profile", "A way to protect media streams."),
    ("srtp_mki", "Which key for media streams is meant."),
    (
        "protocol_name_list",
        "The protocols above TLS, the best first; in an answer the one that was taken.",
    ),
    (
        "protocol_name",
        "A protocol above TLS: h2 is HTTP/2, http/1.1 is HTTP/1.1.",
    ),
    (
        "protocols",
        "The protocols above TLS that the server speaks.",
    ),
    (
        "supported_protocols",
        "The protocols whose settings the client would send along.",
    ),
    ("settings", "Settings of the protocol above."),
    (
        "versions",
        "The versions that the client speaks, the best first.",
    ),
    ("version", "A version of TLS."),
    (
        "sslv2.version",
        "The newest version that the client speaks.",
    ),
    ("ech_config.version", "The version of this configuration."),
    ("selected_version", "The version that the server chose."),
    (
        "named_group_list",
        "The groups for the key exchange, the best first.",
    ),
    (
        "named_group",
        "A group: a curve, a finite field, or a method that resists quantum computers.",
    ),
    (
        "ec_point_format_list",
        "How points of curves may be written.",
    ),
    ("ec_point_format", "A way to write points."),
    (
        "client_shares",
        "The client's public values, each for a group that it guesses the server will take.",
    ),
    ("key_share_entry", "A public value and its group."),
    ("group", "The group of the public value."),
    (
        "key_exchange",
        "The public value. Everybody may see it; it is of use only with the private value, which never leaves its owner.",
    ),
    (
        "selected_group",
        "The group in which the server wants a public value.",
    ),
    (
        "supported_signature_algorithms",
        "The signature schemes that the sender accepts, the best first.",
    ),
    (
        "signature_scheme",
        "A way to sign: the kind of key and the hash.",
    ),
    ("algorithms", "Ways to compress certificates."),
    ("authorities", "The authorities that will do."),
    (
        "certificate_authorities",
        "The authorities that will do. An empty list says that any may try.",
    ),
    ("distinguished_name", "The name of an authority, in DER."),
    ("filters", "What a certificate has to hold."),
    ("oid_filter", "An extension that a certificate has to have."),
    (
        "certificate_extension_oid",
        "The identifier of that extension, in DER.",
    ),
    (
        "certificate_extension_values",
        "What has to be in it, in DER. Nothing says that it only has to be there.",
    ),
    ("certificate_types", "Kinds of certificate that will do."),
    ("certificate_type", "A kind of certificate."),
    (
        "message.certificate_type",
        "What the certificate is: 1 for X.509, 0 for none.",
    ),
    ("ke_modes", "How keys from before may be used."),
    (
        "ke_mode",
        "With or without a new key exchange. Without one, there is no forward secrecy.",
    ),
    (
        "identities",
        "The keys from before, by their tickets or names.",
    ),
    ("psk_identity", "A key from before."),
    (
        "server_key_exchange.psk_identity",
        "Which shared key the client takes.",
    ),
    (
        "client_key_exchange.psk_identity",
        "Which shared key the client takes.",
    ),
    (
        "identity",
        "The ticket that the server gave, or the name of the key.",
    ),
    (
        "obfuscated_ticket_age",
        "How old the ticket is, in milliseconds, plus a secret number, so that nobody else can link connections by it. It limits how late 0-RTT data can be sent again.",
    ),
    (
        "binders",
        "Proofs that the client has these keys, one each.",
    ),
    (
        "binder",
        "A MAC over the hello before it, under the key from before.",
    ),
    (
        "selected_identity",
        "Which of the keys from before the server took, counted from 0.",
    ),
    (
        "max_early_data_size",
        "How much data the next connection may send early.",
    ),
    ("transport_parameter", "A setting of QUIC."),
    ("id", "The log's identifier: the SHA-256 of its public key."),
    ("transport_parameter.id", "Which setting of QUIC this is."),
    ("value", "The value of the setting."),
    // ECH.
    (
        "encrypted_client_hello.type",
        "0 in the hello that everybody sees, 1 in the one that is encrypted.",
    ),
    (
        "config_id",
        "Which of the server's keys the hello is encrypted to.",
    ),
    ("kdf_id", "How keys are derived."),
    ("aead_id", "How it is encrypted."),
    ("kem_id", "The kind of the public key."),
    (
        "enc",
        "The client's public value for this encryption alone.",
    ),
    (
        "payload",
        "The hello that is meant, encrypted. Where the client has no configuration of the server, it is random octets, so that all hellos look alike.",
    ),
    (
        "confirmation",
        "A sign for the client alone that the server has read the encrypted hello.",
    ),
    (
        "retry_configs",
        "How to encrypt the next hello, since this one could not be read.",
    ),
    (
        "ech_config",
        "A configuration: a public key and what goes with it.",
    ),
    ("contents", "What the configuration says."),
    ("public_key", "The public key."),
    (
        "maximum_name_length",
        "How long the longest name is that the server hides.",
    ),
    ("public_name", "The name that everybody may see."),
    ("contents.cipher_suites", "How a hello may be encrypted."),
    ("contents.cipher_suite", "How a hello may be encrypted."),
    ("contents.extensions", "Extensions of the configuration."),
    (
        "cipher_suites.cipher_suite",
        "A way to encrypt records and derive keys; before TLS 1.3 also to exchange keys.",
    ),
    (
        "encrypted_client_hello.cipher_suite",
        "How the hello is encrypted.",
    ),
    ("extension.type", "The number of the extension."),
    ("data", "What it says."),
    (
        "outer_extensions",
        "What the encrypted hello takes over from the outer one.",
    ),
    ("outer_extension", "An extension that is taken over."),
    // Status and transparency.
    (
        "status_type",
        "How the state of a certificate is told: OCSP.",
    ),
    (
        "responder_id_list",
        "The responders that the client trusts. Empty: those that the server knows.",
    ),
    ("responder_id", "A responder, in DER."),
    ("request_extensions", "Extensions of the request, in DER."),
    ("request", "What the client would like to know."),
    (
        "certificate_status_req_list",
        "What the client would like to know about certificates.",
    ),
    ("certificate_status_req_item", "A way to ask."),
    (
        "ocsp_response",
        "A statement of the issuer, signed and dated, on whether the certificate is revoked, in DER.",
    ),
    (
        "ocsp_response_list",
        "Statements for each certificate of the chain.",
    ),
    ("response", "A statement in a form that is not known here."),
    (
        "sct_list",
        "Promises of public logs to show the certificate.",
    ),
    (
        "sct",
        "A promise of a log: whoever issues a certificate in secret has to do without.",
    ),
    ("sct_version", "The version of the promise."),
    ("timestamp", "When the log promised it."),
    (
        "sct.extensions",
        "Additions to the promise. None are defined.",
    ),
    ("hash", "The hash of the signature."),
    ("signature_algorithm", "The kind of the signature."),
    // Certificates and signatures.
    (
        "certificate_request_context",
        "What the request said, repeated, so that an answer cannot be given to another. Empty during the handshake.",
    ),
    (
        "certificate_request.certificate_request_context",
        "What the answer has to repeat. Empty during the handshake.",
    ),
    (
        "certificate_list",
        "The certificates: that of the sender first, then that of its issuer, and so on.",
    ),
    ("certificate_entry", "A certificate and what is said of it."),
    ("cert_data", "The certificate, in DER."),
    ("ASN.1Cert", "A certificate, in DER."),
    ("ASN.1_subjectPublicKeyInfo", "A public key, in DER."),
    ("algorithm", "The method that was used."),
    (
        "certificate_verify.algorithm",
        "How it is signed: the kind of key and the hash.",
    ),
    (
        "signed_params.algorithm",
        "How it is signed: the kind of key and the hash.",
    ),
    (
        "delegated_credential.algorithm",
        "How the certificate's key signed the lent key.",
    ),
    (
        "compressed_certificate.algorithm",
        "How the message is compressed.",
    ),
    ("compress_certificate.algorithm", "A way to compress."),
    ("algorithms.algorithm", "A way to compress."),
    (
        "uncompressed_length",
        "How long the message is once it is unpacked. More is not unpacked, so that a small message cannot fill the memory.",
    ),
    (
        "compressed_certificate_message",
        "The certificates, compressed.",
    ),
    (
        "valid_time",
        "How long after the begin of the certificate the lent key is good.",
    ),
    (
        "dc_cert_verify_algorithm",
        "How the handshake is signed with the lent key.",
    ),
    (
        "signature",
        "The signature. Only who has the private key could make it.",
    ),
    (
        "signed_params",
        "The signature over both randoms and the server's public value.",
    ),
    (
        "md5_hash",
        "One half of the proof: MD5 over the whole handshake so far and the secret.",
    ),
    (
        "sha_hash",
        "The other half of the proof: SHA-1 over the whole handshake so far and the secret.",
    ),
    (
        "verify_data",
        "The proof: a MAC over the whole handshake so far.",
    ),
    // Key exchange before TLS 1.3.
    (
        "server_key_exchange",
        "The server's part of the key exchange, in a form that is not read here.",
    ),
    (
        "client_key_exchange",
        "The client's part of the key exchange, in a form that is not read here.",
    ),
    ("params", "The server's part of the key exchange."),
    ("curve_type", "How the curve is told: always by its name."),
    ("namedcurve", "The curve."),
    ("public", "The server's public point on the curve."),
    (
        "dh_p",
        "The prime. The server chooses it, and the client has to trust that it is a good one.",
    ),
    ("dh_g", "The generator."),
    ("dh_Ys", "The server's public value."),
    ("dh_Yc", "The client's public value."),
    ("ecdh_Yc", "The client's public point on the curve."),
    (
        "encrypted_pre_master_secret",
        "The secret, encrypted to the server's RSA key. Whoever has that key, even years later, can read it.",
    ),
    ("rsa_modulus", "The modulus of a short RSA key."),
    ("rsa_exponent", "The exponent of a short RSA key."),
    (
        "psk_identity_hint",
        "Which shared key the client should take.",
    ),
    ("N", "The prime of the group for the password."),
    ("g", "The generator of the group for the password."),
    ("s", "The salt of the password."),
    ("A", "The client's public value."),
    ("B", "The server's public value."),
    // Tickets and what follows.
    (
        "ticket_lifetime",
        "How long the ticket is good; at most a week.",
    ),
    (
        "ticket_lifetime_hint",
        "How long the ticket may be kept. 0 says nothing of it.",
    ),
    (
        "ticket_age_add",
        "A number that the client adds to the age of the ticket, so that nobody else sees how old it is.",
    ),
    (
        "ticket_nonce",
        "A number that gives each ticket a key of its own.",
    ),
    (
        "ticket",
        "The ticket. To the client it is octets and no more; only the server can open it.",
    ),
    (
        "request_update",
        "Whether the other side is to take new keys too.",
    ),
    ("selected_protocol", "The protocol that the client chose."),
    // SSL 2.0.
    ("sslv2", "A message of SSL 2.0."),
    ("msg_length", "How long the message is."),
    ("message", "What the message says."),
    ("error", "Why there is no connection."),
    ("cipher_spec_length", "How long the list of ciphers is."),
    ("cipher_specs_length", "How long the list of ciphers is."),
    ("session_id_length", "How long the session's identifier is."),
    ("challenge_length", "How long the client's random is."),
    ("cipher_specs", "The ciphers."),
    (
        "cipher_spec",
        "A cipher of SSL 2.0, or behind a zero a suite of TLS.",
    ),
    ("session_id", "The session to go on with."),
    ("challenge", "The client's random."),
    ("session_id_hit", "Whether the server knows the session."),
    ("server_version", "The version of the server."),
    ("certificate_length", "How long the certificate is."),
    ("certificate", "The server's certificate, in DER."),
    ("connection_id_length", "How long the server's random is."),
    ("connection_id", "The server's random."),
];
