//! What messages say, why they exist, and what would be without them.

use crate::explain::catalogue::{Reason, Reasons, Says};

pub(super) const SAYS: Says = Says {
    offers: "{Who} offers {offers}; {asks}.",
    offers_again: "{Who} begins again and offers {offers}; {asks}.",
    offer_share: "a key share for {groups}",
    offer_shares: "key shares for {groups}",
    offer_no_shares: "no key share yet",
    offer_groups: "key exchange in {groups}",
    offer_psks: "{keys} from an earlier connection",
    offer_early_data: "data before the handshake is over (0-RTT)",
    offer_protocols: "{protocols} as the protocol above",
    asks_for: "it asks for {name}",
    asks_for_nobody: "it asks for no host by name",
    asks_outer: "{name} in the open, and perhaps for another host in an encrypted hello (ECH)",
    asks_greased: "{name}, with octets at random where an encrypted hello could be (GREASE)",
    chooses: "{Who} chooses {chosen}.",
    choose_share: "a key exchange in {group}",
    choose_psk: "key number {number} of those that the client has from before",
    resumes_session: "goes on with the earlier session",
    retries: "{Who} asks the client to begin again: {wishes}.",
    retry_group: "with a key share for {group}",
    retry_cookie: "repeating a cookie of {octets}",
    retry_other: "with what both can do",
    encrypted_extensions: "{Who} answers what need not be public: {answers}.",
    no_encrypted_extensions: "{Who} has nothing to add to what it chose.",
    answer_protocol: "the protocol above will be {protocol}",
    answer_early_data: "it accepts the 0-RTT data",
    answer_name: "it has used the name that it was asked for",
    answer_certificate: "certificates are of the kind {kind}",
    answer_others: "it answers {names}",
    certificates: "{Who} shows {certificates}, {octets} in all.",
    certificate_subject: "The first is for {names}, issued by {issuer}, good from {from} to {until}; its \
        key is {key}.",
    raw_public_key: "{Who} shows a bare public key of {octets}, without a certificate.",
    no_certificates: "{Who} has no certificate to show.",
    compressed_certificate: "{Who} shows its certificates, compressed with {algorithm} from {octets} to \
        {compressed}.",
    asks_certificate: "{Who} asks the client for a certificate.",
    asks_certificate_schemes: "It accepts signatures by {schemes}.",
    asks_certificate_authorities: "It names {authorities} whose certificates will do.",
    status: "{Who} adds an OCSP response of {octets}: what the issuer says about whether the \
        certificate is revoked.",
    status_other: "{Who} adds a statement on the certificate of the kind {kind}.",
    exchange_group: "{Who} sends its public value in {group}, {octets}.",
    exchange_prime: "{Who} sends its public value for Diffie-Hellman, with a prime of {bits}.",
    exchange_rsa: "{Who} sends an RSA key of {bits} for this connection.",
    exchange_psk: "{Who} hints at the shared key to use: {hint}.",
    exchange_password: "{Who} sends its public value for a password (SRP), with a prime of {bits}.",
    exchange_other: "{Who} sends its part of the key exchange, {octets} in a form that is not read here.",
    exchange_signed: "It is signed with {scheme}.",
    exchange_unsigned: "Nothing is signed: whoever sits between could have sent it.",
    hello_done: "{Who} has said all it had to say, and waits for {other}.",
    client_share: "{Who} sends its public value, {octets}.",
    client_encrypts: "{Who} sends the secret itself, encrypted to the RSA key of the certificate, {octets}.",
    client_psk: "{Who} names the shared key it takes: {identity}.",
    client_empty: "{Who} sends nothing: its public value is in its certificate.",
    client_other: "{Who} sends its part of the key exchange, {octets} in a form that is not read here.",
    signs: "{Who} signs the handshake so far with the key of its certificate: {scheme}, {octets}.",
    signs_unnamed: "{Who} signs the handshake so far with the key of its certificate, {octets}.",
    finished: "{Who} proves with {octets} that it has the keys and saw the same handshake.",
    early_over: "{Who} says that its 0-RTT data ends here.",
    ticket_tls13: "{Who} gives a ticket of {octets}, with which the next connection can begin faster.",
    ticket_lifetime: "It is good for {lifetime}.",
    ticket_early_data: "It allows {octets} of 0-RTT data.",
    ticket_tls12: "{Who} gives a ticket of {octets} that holds the session, sealed so that only the \
        server can open it.",
    ticket_hint: "It may be kept for {lifetime}.",
    updates_keys: "{Who} takes new keys for what it sends from here on.",
    updates_keys_both: "{Who} takes new keys for what it sends from here on, and asks {other} to do the \
        same.",
    hello_request: "{Who} asks for a new handshake within this connection.",
    next_protocol: "{Who} says which protocol follows: {protocol}.",
    other_message: "{Who} sends {name}, {octets}.",
    changes_cipher: "{Who} says that all it sends from here on is under the new keys.",
    changes_nothing: "{Who} sends a record that says nothing in TLS 1.3.",
    alert_closes: "{Who} says that it sends no more ({name}).",
    alert_fatal: "{Who} ends the connection: {name}. {meaning}",
    alert_warning: "{Who} warns: {name}. {meaning}",
    heartbeat_asks: "{Who} asks for a sign of life and sends {said} to be sent back.",
    heartbeat_answers: "{Who} gives a sign of life and sends {said} back.",
    heartbeat_lies: "{Who} says that {said} are to be sent back, and has sent {there}.",
    application_data: "{Who} sends {octets} of application data in {records}.",
    early_application_data: "{Who} sends {octets} of application data in {records}, before the handshake \
        is over.",
    clear_application_data: "{Who} sends {octets} of application data in {records}, without encryption.",
    sslv2_client_hello: "{Who} says hello in the form of SSL 2.0, asks for {version} at most, and offers \
        {suites}.",
    sslv2_server_hello: "{Who} answers in SSL 2.0 and offers {suites}.",
    sslv2_error: "{Who} says that there will be no connection (error {code} of SSL 2.0).",
    sealed: "{Who} sends {octets} in {records} that cannot be decrypted here.",
    sealed_no_keys: "The keys are not known: a key log or a recorder would have them.",
    sealed_wrong_keys: "The keys that are known stopped fitting after {records}.",
    sealed_wrong_keys_at_once: "The keys that are known are not those of this connection.",
    sealed_lost: "Records before them are missing, so their numbers, which decryption needs, are not \
        known.",
    sealed_unknown_cipher: "Their cipher is not known here.",
    other_record: "{Who} sends a record of the type {name}, {octets}.",
    foreign: "{Who} sends something that is not TLS: {what}.",
    unreadable: "{Who} sends {what} that cannot be read: {problem}",
};

pub(super) const REASONS: Reasons = Reasons {
    client_hello: Reason {
        why: "Two strangers have to find what both can do. The client says it all at once, with a fresh \
            random and, in TLS 1.3, guesses which key exchange the server will take, so that one round \
            trip is enough. It is in clear, since there are no keys yet.",
        without: "There would be nothing to agree on. Everyone on the way can read this message; changing \
            it is noticed later, because the Finished messages cover it.",
    },
    client_hello_again: Reason {
        why: "The server could not use the first hello as it was. The client repeats it with what was asked \
            for; nothing else may change.",
        without: "If more could change, somebody on the way could have one hello judged and another one \
            used.",
    },
    server_hello_tls13: Reason {
        why: "It settles version, cipher suite and group, and carries the server's half of the key \
            exchange. From here on both can compute the same keys, and all that follows is encrypted.",
        without: "Without fresh shares on both sides, whoever records the connection could decrypt it once \
            a long-term key leaks.",
    },
    server_hello_tls12: Reason {
        why: "It settles version and cipher suite. Its random makes this handshake differ from all others, \
            and warns by its last octets if a newer version was possible.",
        without: "Without the server's random, an old handshake could be played again to the client.",
    },
    hello_retry_request: Reason {
        why: "The client guessed a key exchange that the server does not take, or the server wants to see \
            first that the client is really at its address. It costs one more round trip.",
        without: "Client and server that share a group, but not the one guessed, would fail to connect.",
    },
    encrypted_extensions: Reason {
        why: "Some answers are not needed to compute keys. They come after the keys, so that nobody on the \
            way can read them: which protocol is spoken above, for example.",
        without: "In TLS 1.2 these answers were public, and observers sorted connections by them.",
    },
    server_certificate_tls13: Reason {
        why: "It says whose key the server has: an authority that the client trusts vouches for the name. It \
            is encrypted, so that observers do not learn it.",
        without: "Anybody on the way could pretend to be the server; the encryption would then be with the \
            attacker.",
    },
    server_certificate_tls12: Reason {
        why: "It says whose key the server has: an authority that the client trusts vouches for the name. \
            Before TLS 1.3 it is sent in clear.",
        without: "Anybody on the way could pretend to be the server; the encryption would then be with the \
            attacker.",
    },
    client_certificate: Reason {
        why: "The server wants to know who the client is. A client without a certificate says so with an \
            empty list, and the server decides.",
        without: "The server would have to know its clients by other means, such as passwords, which can be \
            stolen and reused.",
    },
    compressed_certificate: Reason {
        why: "Certificates are the largest part of a handshake. Smaller ones fit into the first packets, \
            which saves a round trip.",
        without: "Nothing is less safe without it. The handshake is larger.",
    },
    certificate_request: Reason {
        why: "It has the client prove who it is with a key instead of a password, and says which kinds of \
            certificate and signature will do.",
        without: "The server would know the client only by what is sent later, above TLS.",
    },
    certificate_status: Reason {
        why: "A certificate can be revoked before it ends. The server brings a fresh signed statement of the \
            issuer along, so that the client need not ask the issuer and tell it what it visits.",
        without: "A stolen key would work until its certificate ends, with every client that cannot reach \
            the issuer.",
    },
    server_key_exchange: Reason {
        why: "It carries the server's half of a key exchange made for this connection alone, signed together \
            with both randoms, so that it can be neither swapped nor reused.",
        without: "The secret would have to hang on the long-term key, and whoever gets that key could read \
            all that was ever recorded.",
    },
    server_hello_done: Reason {
        why: "Several of the server's messages are optional. This one says that none is missing.",
        without: "The client would not know when it is its turn.",
    },
    client_key_exchange: Reason {
        why: "It carries the client's half of the key exchange. Both sides now have the same premaster \
            secret, of which all keys are made.",
        without: "There would be no secret that an observer does not have too.",
    },
    server_certificate_verify: Reason {
        why: "A certificate is public and anyone can copy it. The signature over the whole handshake proves \
            that the server has the private key, now, for this handshake.",
        without: "Anybody could show somebody else's certificate.",
    },
    client_certificate_verify: Reason {
        why: "A certificate is public and anyone can copy it. The signature over the whole handshake proves \
            that the client has the private key, now, for this handshake.",
        without: "Anybody could show the client's certificate and act in its name.",
    },
    server_finished_tls13: Reason {
        why: "It is a MAC over all messages so far, under a key that only the two can know. If one octet was \
            changed on the way, in clear or not, it does not match.",
        without: "Somebody on the way could take strong options out of the hellos, and both would agree on \
            weak ones without noticing.",
    },
    client_finished_tls13: Reason {
        why: "The client confirms in turn that it has the keys and saw the same messages. Only now does the \
            server know that it speaks with who began.",
        without: "The server could be talking to somebody who copied a hello and cannot compute the keys.",
    },
    server_finished_tls12: Reason {
        why: "It is the first encrypted message of the server: a digest of all messages so far, made with \
            the main secret. If one octet was changed on the way, it does not match.",
        without: "Somebody on the way could take strong options out of the hellos, and both would agree on \
            weak ones without noticing.",
    },
    client_finished_tls12: Reason {
        why: "It is the first encrypted message of the client: a digest of all messages so far, made with \
            the main secret. If one octet was changed on the way, it does not match.",
        without: "Somebody on the way could take strong options out of the hellos, and both would agree on \
            weak ones without noticing.",
    },
    end_of_early_data: Reason {
        why: "0-RTT data and what comes after it are under different keys. This message marks the border.",
        without: "Somebody could cut off the end of the 0-RTT data without being noticed.",
    },
    new_session_ticket_tls13: Reason {
        why: "With a ticket the next connection needs no certificate and no signature. Its key follows from \
            this handshake, yet gives none of this connection's keys away.",
        without: "Nothing is less safe without it. The next connection costs more time and work.",
    },
    new_session_ticket_tls12: Reason {
        why: "The server hands its memory of the session to the client, sealed with a key of its own, and \
            the next connection saves a round trip.",
        without: "Nothing is less safe without it. With it, whoever gets the server's ticket key can read \
            the connections that used it.",
    },
    key_update: Reason {
        why: "A key should not protect without end. The next key follows from the last in one direction \
            only, so a key that leaks later does not open what was sent before.",
        without: "On very long connections the limits of the cipher would be passed, and one leaked key \
            would open everything.",
    },
    hello_request: Reason {
        why: "TLS 1.2 can negotiate again within a connection, to ask for a certificate late, for example. \
            TLS 1.3 does without.",
        without: "Nothing is less safe without it: renegotiation has been a source of attacks, and is best \
            switched off.",
    },
    next_protocol: Reason {
        why: "Before ALPN, the client picked the protocol with this message, under encryption.",
        without: "Nothing is less safe without it: ALPN took its place.",
    },
    rare_message: Reason {
        why: "It belongs to an addition to TLS that few use.",
        without: "Whether something is less safe without it depends on who relies on it.",
    },
    unknown_message: Reason {
        why: "No RFC that is known here defines it.",
        without: "What nobody asked for has to be refused: it ends the connection.",
    },
    change_cipher_spec_tls13: Reason {
        why: "It makes the connection look like TLS 1.2 to boxes on the way that would stop what they do not \
            know. It is in clear, changes no keys and may be ignored.",
        without: "Nothing is less safe without it. Some networks would cut the connection.",
    },
    change_cipher_spec_tls12: Reason {
        why: "Until here all was in clear. It tells the other side from where to decrypt. It is no handshake \
            message, and the Finished message that follows does not cover it.",
        without: "The receiver would not know which keys to use. If it is accepted too early, keys are weak: \
            that was an attack on OpenSSL in 2014 (CVE-2014-0224).",
    },
    close_notify: Reason {
        why: "It says under the keys of the connection that nothing is missing.",
        without: "Somebody on the way could cut the connection, and a shortened answer would look whole.",
    },
    fatal_alert: Reason {
        why: "The other side learns what went wrong, and nothing more is sent under these keys.",
        without: "The other side would see a cut and could not tell an error from an attack.",
    },
    warning_alert: Reason {
        why: "Something is worth a word, and the connection goes on.",
        without: "Nothing is less safe without it. Many warnings in a row are refused, for they cost work.",
    },
    heartbeat: Reason {
        why: "It finds out whether the other side still lives. Made for UDP; hardly anybody uses it over TCP.",
        without: "Nothing is less safe without it. With it, a server that trusted the stated length gave away \
            its memory: Heartbleed, 2014.",
    },
    application_data: Reason {
        why: "It is what the connection is for. Every record is encrypted, numbered and authenticated: none \
            can be read, changed, dropped or moved without notice.",
        without: "Whoever sits on the way could read and change what is sent.",
    },
    early_application_data: Reason {
        why: "The client saves a round trip by sending its request together with its hello, under a key of an \
            earlier connection.",
        without: "Nothing is less safe without it. With it, somebody can copy the data and send it again: the \
            server has to accept only requests that do no harm twice.",
    },
    sslv2_client_hello: Reason {
        why: "Very old clients say hello in this form so that servers of SSL 2.0 understand them.",
        without: "Nothing is less safe without it. SSL 2.0 is broken and forbidden (RFC 6176).",
    },
    sslv2_server_hello: Reason {
        why: "The server speaks SSL 2.0, as in 1995.",
        without: "Much would be safer. A server that speaks SSL 2.0 lets attackers decrypt TLS connections \
            that use the same key: DROWN, 2016.",
    },
    sslv2_error: Reason {
        why: "SSL 2.0 says so when there will be no connection.",
        without: "The other side would see a cut, and no reason.",
    },
    sealed: Reason {
        why: "It is encrypted, as it should be. What it is shows only to who has the keys.",
        without: "Everybody on the way could read what you would like to read here.",
    },
    other_record: Reason {
        why: "Its type is not one that carries TLS over TCP.",
        without: "What nobody asked for has to be refused: it ends the connection.",
    },
    foreign: Reason {
        why: "What is on this port does not begin with a TLS record.",
        without: "Without TLS, whoever sits on the way can read and change everything.",
    },
};
