//! What extensions are for, and what rare messages are.

/// By type.
pub(super) const EXTENSIONS: &[(u16, &str)] = &[
    (
        0,
        "The host that the client wants, so that one address can serve many. It is in clear, unless ECH hides it.",
    ),
    (
        1,
        "Asks for shorter records, for devices with little memory.",
    ),
    (
        2,
        "The client's certificate is to be fetched from an address. It has the server visit what a stranger names.",
    ),
    (3, "Says which authorities the client knows."),
    (
        4,
        "Shortens the MAC of records to ten octets, which is too short to be safe.",
    ),
    (
        5,
        "Asks the server to bring along a statement of the issuer that the certificate is not revoked (OCSP).",
    ),
    (6, "Tells the server under which account the user is known."),
    (
        7,
        "What the client is allowed to do, as statements of third parties.",
    ),
    (
        8,
        "What the server is allowed to do, as statements of third parties.",
    ),
    (9, "Other kinds of certificate than X.509, such as OpenPGP."),
    (
        10,
        "The groups for the key exchange that the sender can use, the best first.",
    ),
    (
        11,
        "How points of curves may be written. Only the uncompressed form is still used.",
    ),
    (12, "The user's name, for suites with passwords (SRP)."),
    (
        13,
        "The signature schemes that the sender accepts for the handshake, the best first.",
    ),
    (
        14,
        "Takes keys for media streams (SRTP) from this handshake.",
    ),
    (
        15,
        "Whether signs of life may be sent. Heartbleed came by it.",
    ),
    (
        16,
        "Which protocol is spoken above, HTTP/2 for example. It saves a round trip (ALPN).",
    ),
    (
        17,
        "Asks for statements on revocation for the whole chain. TLS 1.3 does it another way.",
    ),
    (
        18,
        "Proofs that the certificate is in public logs, where misuse is noticed.",
    ),
    (19, "Which kinds of certificate the client can show."),
    (
        20,
        "Which kinds of certificate the client accepts from the server.",
    ),
    (
        21,
        "Zeros that make the hello longer, for servers that stumble over certain lengths.",
    ),
    (
        22,
        "The MAC is made over what is encrypted, which takes the ground from attacks on padding.",
    ),
    (
        23,
        "Makes the main secret depend on the whole handshake, so that two connections cannot share it.",
    ),
    (24, "Ties logins to this connection. Browsers gave it up."),
    (
        25,
        "Certificates that the client has from before need not be sent again.",
    ),
    (26, "A variant of TLS 1.2 for systems that live long."),
    (27, "How certificates may be compressed."),
    (28, "How long records may be at most."),
    (29, "The user's name, encrypted, for suites with passwords."),
    (30, "The user's name, in clear, for suites with passwords."),
    (31, "The salt of a password."),
    (
        32,
        "Ties the client to a key of the server over several connections.",
    ),
    (
        33,
        "A certificate together with a key that both have from elsewhere.",
    ),
    (
        34,
        "The server may use a key for days that its certificate's key has signed. The certificate's key can stay elsewhere.",
    ),
    (
        35,
        "The client can keep a ticket with the session in it, or shows one (TLS 1.2).",
    ),
    (36, "Lets boxes on the way read parts of the connection."),
    (
        37,
        "Lets boxes on the way read parts of the connection, through a proxy.",
    ),
    (
        38,
        "Lets boxes on the way read parts of the connection, by delegation.",
    ),
    (39, "Ciphers for the keys of conferences."),
    (
        40,
        "Public values for the key exchange, as drafts of TLS 1.3 had them.",
    ),
    (
        41,
        "Keys from earlier connections, with proofs that the client has them. It comes last, since the proofs cover what is before it.",
    ),
    (
        42,
        "Data comes before the handshake is over. It saves a round trip, and others can send it again.",
    ),
    (
        43,
        "The versions of TLS that the sender speaks. The old field for it had to be frozen, since too many servers stumbled over new values.",
    ),
    (
        44,
        "Something to be repeated in the second hello, so that the server need not remember the first.",
    ),
    (
        45,
        "Whether a key from before may be used alone or only together with a new key exchange.",
    ),
    (
        46,
        "How much data a ticket allows to be sent early (drafts of TLS 1.3).",
    ),
    (47, "The authorities whose certificates will do."),
    (48, "What the client's certificate has to hold."),
    (
        49,
        "The client is ready to show a certificate later, when it is asked.",
    ),
    (
        50,
        "The signature schemes that the sender accepts within certificates, where they differ from those of the handshake.",
    ),
    (
        51,
        "Public values for the key exchange, one a group: from one of the client's and one of the server's both compute the shared secret.",
    ),
    (52, "Proofs of the second version of certificate logs."),
    (
        53,
        "An earlier form of identifiers of connections, for DTLS.",
    ),
    (
        54,
        "Identifiers of connections, so that DTLS survives a change of address.",
    ),
    (55, "Ties the handshake to an identity from elsewhere."),
    (56, "Ties the handshake to a session from elsewhere."),
    (57, "How QUIC is to run: limits, time-outs, identifiers."),
    (58, "How many tickets the client would like."),
    (59, "Proofs from DNSSEC that go with the certificate."),
    (60, "How DTLS encrypts the numbers of records."),
    (61, "Checks that an address can be reached, for DTLS."),
    (62, "Many small signals in one extension."),
    (
        4832,
        "Asks the server to make its answer longer, to hide its length.",
    ),
    (
        13172,
        "Which protocol is spoken above, as it was before ALPN.",
    ),
    (
        17513,
        "Settings of the protocol above, sent with the handshake, under an older number (ALPS).",
    ),
    (
        17613,
        "Settings of the protocol above, sent with the handshake, so that they need no round trip (ALPS).",
    ),
    (
        30031,
        "A key of the client that stays the same, under an older number (Channel ID).",
    ),
    (
        30032,
        "A key of the client that stays the same, for logins (Channel ID). Browsers gave it up.",
    ),
    (
        0x8a3b,
        "Proves a password to each other without showing it (PAKE).",
    ),
    (
        35655,
        "Zeros that make the hello longer, under an older number.",
    ),
    (
        0xca34,
        "Which authorities the client trusts, by short names, so that the server can pick its certificate.",
    ),
    (
        0xfd00,
        "What the encrypted hello takes over from the outer one.",
    ),
    (
        0xfe0d,
        "The hello that is really meant, encrypted to the front of the service, so that nobody on the way learns the host (ECH). Clients that know no key of the server send octets at random in its place (GREASE).",
    ),
    (
        0xff01,
        "Ties a new handshake within a connection to the one before, so that nobody can put words of their own in front.",
    ),
    (0xffa5, "How QUIC is to run, as drafts had it."),
    (
        0xffce,
        "The host's name, encrypted: a draft that ECH took the place of.",
    ),
];

/// Messages that are told of by name alone, by type.
pub(super) const RARE_MESSAGES: &[(u8, &str)] = &[
    (
        3,
        "In DTLS, the server asks the client to show that it is at its address.",
    ),
    (
        6,
        "In drafts of TLS 1.3, the server asked the client to begin again with it.",
    ),
    (
        9,
        "In DTLS, it asks for more identifiers of the connection.",
    ),
    (10, "In DTLS, it gives more identifiers of the connection."),
    (
        17,
        "A server asks for a certificate outside of the handshake.",
    ),
    (21, "The client says where its certificate can be fetched."),
    (23, "Further statements that an application asked for."),
    (26, "It carries a key for media streams of a conference."),
    (
        203,
        "The client proves a key of its own that stays the same over connections.",
    ),
    (
        254,
        "It stands for the first hello in the hash of the handshake and is never sent.",
    ),
];
