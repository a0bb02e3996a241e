//! What tshark calls what, where it says more than we do, and where it spells otherwise.

use super::pdml::Element;

/// The name of a field. Where tshark has none there is text, which begins with what it is.
pub(super) fn of(field: &Element) -> String {
    let name = field.name();
    if !name.is_empty() {
        return name.to_owned();
    }
    let show = field.attribute("show");
    let end = show.find([':', '(']).unwrap_or(show.len());
    format!("\"{}\"", show.get(..end).unwrap_or_default().trim())
}

/// What is compared as a message of its own, or is no octets of the message.
pub(super) fn is_elsewhere(name: &str) -> bool {
    matches!(name, "tls.handshake" | "tls.alert_message" | "_ws.expert") || name.starts_with("_ws.")
}

/// What tshark divides further than we do, or looks at a second time.
pub(super) fn is_finer(name: &str) -> bool {
    FINER.contains(&name)
}

/// What is inside of certificates, names and signatures.
pub(super) fn is_of_another_layer(name: &str) -> bool {
    OTHER_LAYERS.contains(&name)
}

const FINER: &[&str] = &[
    // A scheme is one code point since TLS 1.3, and was two before.
    "tls.handshake.sig_hash_hash",
    "tls.handshake.sig_hash_sig",
    // What is inside of a name, behind the tag and the length that DER puts before all.
    "tls.handshake.dname",
    // TLS 1.3 has no clock in it, and hardly anyone who speaks TLS 1.2 puts one there.
    "tls.handshake.random_time",
    "tls.handshake.random_bytes",
];

const OTHER_LAYERS: &[&str] = &[
    "tls.handshake.certificate",
    "tls.handshake.dname",
    "ocsp",
    // What it was before it was compressed.
    "tls.compress_certificate.compressed_certificate_message",
];

/// Names of tshark, and what the same range is with us.
pub(super) const NAMES: &[(&str, &[&str])] = &[
    ("ocsp", &["ocsp_response.ocsp_response"]),
    ("\"Diffie-Hellman Client Params\"", &["handshake[]"]),
    ("\"Diffie-Hellman Server Params\"", &["handshake[]"]),
    ("\"EC Diffie-Hellman Client Params\"", &["handshake[]"]),
    ("\"EC Diffie-Hellman Server Params\"", &["handshake[]"]),
    ("\"Extension\"", &["extension"]),
    ("\"Key Share Entry\"", &["key_share_entry"]),
    ("\"Key Share extension\"", &["extension[]"]),
    ("\"PSK Client Params\"", &["handshake[]"]),
    ("\"PSK Identity\"", &["psk_identity"]),
    ("\"PSK Server Params\"", &["handshake[]"]),
    ("\"Pre-Shared Key extension\"", &["extension[]"]),
    ("\"RSA Encrypted PreMaster Secret\"", &["handshake[]"]),
    ("\"Renegotiation Info extension\"", &["extension[]"]),
    ("\"Signed Certificate Timestamp\"", &["sct"]),
    ("\"Server Name Indication extension\"", &["extension[]"]),
    ("\"TLS Session Ticket\"", &["handshake[]"]),
    ("tls.alert_message.desc", &["alert.description"]),
    ("tls.alert_message.level", &["alert.level"]),
    ("tls.app_data", &["fragment.fragment"]),
    ("tls.change_cipher_spec", &["fragment.fragment"]),
    (
        "tls.compress_certificate.algorithm",
        &["algorithms.algorithm", "handshake.algorithm"],
    ),
    (
        "tls.compress_certificate.algorithms_length",
        &["algorithms.length"],
    ),
    (
        "tls.compress_certificate.compressed_certificate_message",
        &["compressed_certificate_message.compressed_certificate_message"],
    ),
    (
        "tls.compress_certificate.compressed_certificate_message.length",
        &["compressed_certificate_message.length"],
    ),
    (
        "tls.compress_certificate.uncompressed_length",
        &["handshake.uncompressed_length"],
    ),
    (
        "tls.early_data.max_early_data_size",
        &["extension.max_early_data_size"],
    ),
    ("tls.extension.psk_ke_mode", &["ke_modes.ke_mode"]),
    ("tls.extension.psk_ke_modes_length", &["ke_modes.length"]),
    (
        "tls.handshake.cert_type",
        &["certificate_types.certificate_type"],
    ),
    ("tls.handshake.cert_types", &["certificate_types[]"]),
    (
        "tls.handshake.cert_types_count",
        &["certificate_types.length"],
    ),
    (
        "tls.handshake.certificate",
        &["cert_data.cert_data", "ASN.1Cert.ASN.1Cert"],
    ),
    (
        "tls.handshake.certificate_length",
        &["cert_data.length", "ASN.1Cert.length"],
    ),
    (
        "tls.handshake.certificate_request_context_length",
        &["certificate_request_context.length"],
    ),
    ("tls.handshake.certificates", &["certificate_list[]"]),
    (
        "tls.handshake.certificates_length",
        &["certificate_list.length"],
    ),
    (
        "tls.handshake.cipher_suites_length",
        &["cipher_suites.length"],
    ),
    (
        "tls.handshake.ciphersuite",
        &["cipher_suites.cipher_suite", "handshake.cipher_suite"],
    ),
    ("tls.handshake.ciphersuites", &["cipher_suites[]"]),
    (
        "tls.handshake.client_cert_vrfy.sig",
        &["signature.signature"],
    ),
    (
        "tls.handshake.client_cert_vrfy.sig_len",
        &["signature.length"],
    ),
    ("tls.handshake.client_point", &["ecdh_Yc.ecdh_Yc"]),
    ("tls.handshake.client_point_len", &["ecdh_Yc.length"]),
    (
        "tls.handshake.comp_method",
        &[
            "handshake.legacy_compression_method",
            "legacy_compression_methods.compression_method",
        ],
    ),
    (
        "tls.handshake.comp_methods",
        &["legacy_compression_methods[]"],
    ),
    (
        "tls.handshake.comp_methods_length",
        &["legacy_compression_methods.length"],
    ),
    ("tls.handshake.dname_len", &["distinguished_name.length"]),
    (
        "tls.handshake.dnames",
        &["certificate_authorities[]", "authorities[]"],
    ),
    (
        "tls.handshake.dnames_len",
        &["certificate_authorities.length", "authorities.length"],
    ),
    (
        "tls.handshake.epms",
        &[
            "encrypted_pre_master_secret.encrypted_pre_master_secret",
            // In SSL 3.0 it has no length.
            "handshake.encrypted_pre_master_secret",
        ],
    ),
    (
        "tls.handshake.epms_len",
        &["encrypted_pre_master_secret.length"],
    ),
    ("tls.handshake.extension.data", &["extension[]"]),
    ("tls.handshake.extension.len", &["extension.length"]),
    (
        "tls.handshake.extension.type",
        &["extension.extension_type"],
    ),
    ("tls.handshake.extensions.psk.binders", &["binders[]"]),
    (
        "tls.handshake.extensions.psk.binders_len",
        &["binders.length"],
    ),
    (
        "tls.handshake.extensions.psk.identities.length",
        &["identities.length"],
    ),
    (
        "tls.handshake.extensions.psk.identity.identity",
        &["identity.identity"],
    ),
    (
        "tls.handshake.extensions.psk.identity.identity_length",
        &["identity.length"],
    ),
    (
        "tls.handshake.extensions.psk.identity.obfuscated_ticket_age",
        &["psk_identity.obfuscated_ticket_age"],
    ),
    (
        "tls.handshake.extensions.psk.identity.selected",
        &["extension.selected_identity"],
    ),
    (
        "tls.handshake.extensions.supported_version",
        &["extension.selected_version", "versions.version"],
    ),
    (
        "tls.handshake.extensions.supported_versions_len",
        &["versions.length"],
    ),
    (
        "tls.handshake.extensions_alpn_len",
        &["protocol_name_list.length"],
    ),
    (
        "tls.handshake.extensions_alpn_list",
        &["protocol_name_list[]"],
    ),
    (
        "tls.handshake.extensions_alpn_str",
        &["protocol_name.protocol_name"],
    ),
    (
        "tls.handshake.extensions_alpn_str_len",
        &["protocol_name.length"],
    ),
    (
        "tls.handshake.extensions_ec_point_format",
        &["ec_point_format_list.ec_point_format"],
    ),
    (
        "tls.handshake.extensions_ec_point_formats",
        &["ec_point_format_list[]"],
    ),
    (
        "tls.handshake.extensions_ec_point_formats_length",
        &["ec_point_format_list.length"],
    ),
    (
        "tls.handshake.extensions_key_share_client_length",
        &["client_shares.length"],
    ),
    (
        "tls.handshake.extensions_key_share_group",
        &["key_share_entry.group"],
    ),
    (
        "tls.handshake.extensions_key_share_key_exchange",
        &["key_exchange.key_exchange"],
    ),
    (
        "tls.handshake.extensions_key_share_key_exchange_length",
        &["key_exchange.length"],
    ),
    (
        "tls.handshake.extensions_key_share_selected_group",
        &["extension.selected_group"],
    ),
    ("tls.handshake.extensions_length", &["extensions.length"]),
    (
        "tls.handshake.extensions_padding_data",
        &["extension.padding"],
    ),
    (
        "tls.handshake.extensions_reneg_info",
        &["renegotiated_connection.renegotiated_connection"],
    ),
    (
        "tls.handshake.extensions_reneg_info_len",
        &["renegotiated_connection.length"],
    ),
    ("tls.handshake.extensions_server_name", &["name.name"]),
    ("tls.handshake.extensions_server_name_len", &["name.length"]),
    (
        "tls.handshake.extensions_server_name_list_len",
        &["server_name_list.length"],
    ),
    (
        "tls.handshake.extensions_server_name_type",
        &["server_name.name_type"],
    ),
    (
        "tls.handshake.extensions_status_request_exts_len",
        &["request_extensions.length"],
    ),
    (
        "tls.handshake.extensions_status_request_responder_ids_len",
        &["responder_id_list.length"],
    ),
    (
        "tls.handshake.extensions_status_request_type",
        &["extension.status_type", "handshake.status_type"],
    ),
    (
        "tls.handshake.extensions_supported_group",
        &["named_group_list.named_group"],
    ),
    (
        "tls.handshake.extensions_supported_groups",
        &["named_group_list[]"],
    ),
    (
        "tls.handshake.extensions_supported_groups_length",
        &["named_group_list.length"],
    ),
    ("tls.handshake.g", &["dh_g.dh_g"]),
    ("tls.handshake.g_len", &["dh_g.length"]),
    (
        "tls.handshake.hint",
        &["psk_identity_hint.psk_identity_hint"],
    ),
    ("tls.handshake.hint_len", &["psk_identity_hint.length"]),
    ("tls.handshake.identity", &["psk_identity.psk_identity"]),
    ("tls.handshake.identity_len", &["psk_identity.length"]),
    (
        "tls.handshake.key_update.request_update",
        &["handshake.request_update"],
    ),
    ("tls.handshake.length", &["handshake.length"]),
    ("tls.handshake.ocsp_response_len", &["ocsp_response.length"]),
    (
        "tls.handshake.ocsp_response",
        &["ocsp_response.ocsp_response"],
    ),
    ("tls.handshake.p", &["dh_p.dh_p"]),
    ("tls.handshake.p_len", &["dh_p.length"]),
    ("tls.handshake.random", &["handshake.random"]),
    ("tls.handshake.server_curve_type", &["params.curve_type"]),
    ("tls.handshake.server_named_curve", &["params.namedcurve"]),
    ("tls.handshake.server_point", &["public.public"]),
    ("tls.handshake.server_point_len", &["public.length"]),
    (
        "tls.handshake.session_id",
        &[
            "legacy_session_id.legacy_session_id",
            "legacy_session_id_echo.legacy_session_id_echo",
        ],
    ),
    (
        "tls.handshake.session_id_length",
        &["legacy_session_id.length", "legacy_session_id_echo.length"],
    ),
    ("tls.handshake.session_ticket", &["ticket.ticket"]),
    (
        "tls.handshake.session_ticket_age_add",
        &["handshake.ticket_age_add"],
    ),
    ("tls.handshake.session_ticket_length", &["ticket.length"]),
    (
        "tls.handshake.session_ticket_lifetime_hint",
        &[
            "handshake.ticket_lifetime",
            "handshake.ticket_lifetime_hint",
        ],
    ),
    (
        "tls.handshake.session_ticket_nonce",
        &["ticket_nonce.ticket_nonce"],
    ),
    (
        "tls.handshake.session_ticket_nonce_length",
        &["ticket_nonce.length"],
    ),
    ("tls.handshake.sig", &["signature.signature"]),
    (
        "tls.handshake.sig_hash_alg",
        &[
            "handshake.algorithm",
            "supported_signature_algorithms.signature_scheme",
            "signed_params.algorithm",
            "supported_signature_algorithms.signature_algorithm",
            "hash, signature_algorithm",
        ],
    ),
    (
        "tls.handshake.sig_hash_alg_len",
        &["supported_signature_algorithms.length"],
    ),
    (
        "tls.handshake.sig_hash_algs",
        &["supported_signature_algorithms[]"],
    ),
    ("tls.handshake.sig_len", &["signature.length"]),
    ("tls.handshake.type", &["handshake.msg_type"]),
    ("tls.handshake.md5_hash", &["handshake.md5_hash"]),
    ("tls.handshake.sha_hash", &["handshake.sha_hash"]),
    ("tls.handshake.verify_data", &["handshake.verify_data"]),
    ("tls.handshake.version", &["handshake.legacy_version"]),
    ("tls.handshake.yc", &["dh_Yc.dh_Yc"]),
    ("tls.handshake.yc_len", &["dh_Yc.length"]),
    ("tls.handshake.ys", &["dh_Ys.dh_Ys"]),
    ("tls.handshake.ys_len", &["dh_Ys.length"]),
    ("tls.record.content_type", &["record.type"]),
    ("tls.record.length", &["fragment.length"]),
    ("tls.record.opaque_type", &["record.type"]),
    ("tls.record.version", &["record.legacy_record_version"]),
    ("tls.sct.sct_extensions", &["extensions.extensions"]),
    ("tls.sct.sct_extensions_length", &["extensions.length"]),
    ("tls.sct.sct_length", &["sct.length"]),
    ("tls.sct.sct_logid", &["sct.id"]),
    ("tls.sct.sct_signature", &["signature.signature"]),
    ("tls.sct.sct_signature_length", &["signature.length"]),
    ("tls.sct.sct_timestamp", &["sct.timestamp"]),
    ("tls.sct.sct_version", &["sct.sct_version"]),
    ("tls.sct.scts_length", &["sct_list.length"]),
    ("tls.record_size_limit", &["extension.record_size_limit"]),
];

/// Code points that tshark spells otherwise than IANA.
const SPELLINGS: &[(&str, &str)] = &[
    (
        "PSK with (EC)DHE key establishment (psk_dhe_ke)",
        "psk_dhe_ke",
    ),
    ("PSK-only key establishment (psk_ke)", "psk_ke"),
    ("extended_master_secret", "extended_main_secret"),
    ("SHA1 DSA", "dsa_sha1"),
    ("SHA224 DSA", "dsa_sha224"),
    ("SHA224 ECDSA", "ecdsa_sha224"),
    ("SHA224 RSA", "rsa_pkcs1_sha224"),
    ("SHA256 DSA", "dsa_sha256"),
    ("SHA384 DSA", "dsa_sha384"),
    ("SHA512 DSA", "dsa_sha512"),
];

/// The name of a code point in a line such as `Version: TLS 1.2 (0x0303)`.
pub(super) fn code_point(shown: &str) -> Option<&str> {
    let (_, name) = shown.split_once(": ")?;
    let (name, _) = name.rsplit_once(" (")?;
    Some(name)
}

/// Whether both mean the same: letters and digits count, and what tshark does not know says nothing.
pub(super) fn is_same_code_point(theirs: &str, ours: Option<&str>, is_grease: bool) -> bool {
    if theirs.starts_with("Unknown") {
        return true;
    }
    if theirs == "Reserved (GREASE)" {
        return is_grease;
    }
    let Some(ours) = ours else { return false };
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    plain(theirs) == plain(ours) || SPELLINGS.contains(&(theirs, ours))
}
