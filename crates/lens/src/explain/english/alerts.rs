//! What alerts say.

/// By the number of the description.
pub(super) const ALERTS: &[(u8, &str)] = &[
    (0, "No more data follows, and nothing is missing."),
    (
        1,
        "The data that was sent early ends here (drafts of TLS 1.3).",
    ),
    (10, "A message came that has no place here."),
    (
        20,
        "A record could not be authenticated: it was changed, or the keys differ.",
    ),
    (
        21,
        "A record could not be decrypted. Saying so apart from a bad MAC helps attackers, so it is no longer \
        used.",
    ),
    (22, "A record is longer than any may be."),
    (30, "What was compressed could not be unpacked."),
    (
        40,
        "The two found nothing that both can do: no common cipher suite, group or signature scheme.",
    ),
    (41, "The client has no certificate (SSL 3.0)."),
    (42, "The certificate is damaged, or its signature is wrong."),
    (43, "The certificate is of a kind that is not supported."),
    (44, "The issuer has revoked the certificate."),
    (45, "The certificate has ended, or does not hold yet."),
    (46, "Something about the certificate is not acceptable."),
    (47, "A value contradicts others or is not allowed."),
    (
        48,
        "The certificate leads to no authority that is trusted here. A private authority has to be added to \
        the trusted ones.",
    ),
    (49, "The certificate is valid, and its owner has no access."),
    (
        50,
        "A message could not be read: a length or a value is wrong.",
    ),
    (
        51,
        "A signature or a proof was wrong: somebody changed the handshake, or the keys differ.",
    ),
    (52, "Too many connection identifiers were asked for."),
    (
        60,
        "The negotiation broke laws on export that are long gone.",
    ),
    (70, "The version that the client offers is not supported."),
    (71, "What the client offers is too weak for the server."),
    (
        80,
        "Something went wrong that has nothing to do with the other side.",
    ),
    (
        86,
        "The client fell back to an older version although the server speaks a newer one: somebody may be \
        in between.",
    ),
    (90, "The user broke it off."),
    (100, "It will not negotiate again within the connection."),
    (109, "An extension is missing that this handshake needs."),
    (110, "An extension came that nobody asked for."),
    (
        111,
        "The certificate could not be fetched from where it was said to be.",
    ),
    (112, "The server does not know the host that was asked for."),
    (113, "The statement about revocation is not acceptable."),
    (
        114,
        "The certificate that was fetched is not the one that was meant.",
    ),
    (115, "The shared key that the client named is not known."),
    (
        116,
        "The server insists on a certificate of the client, and got none.",
    ),
    (117, "Something went wrong, and no other alert fits."),
    (
        120,
        "None of the protocols that the client offers is spoken here.",
    ),
    (
        121,
        "The encrypted hello could not be read, and the client insists on it.",
    ),
];
