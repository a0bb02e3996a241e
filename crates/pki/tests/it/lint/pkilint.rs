//! pkilint beside us, on the same defects.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ravelin_pki::lint::Severity;

use super::judges::{Corpus, judge, venv};
use super::report;
use crate::counts;

/// pkilint's code, and our names for the same.
const SAME: &[(&str, &[&str])] = &[
    (
        "authority_information_access_extension_critical",
        &["info-access-critical"],
    ),
    (
        "authority_key_identifier_critical",
        &["authority-key-identifier-critical"],
    ),
    (
        "authority_key_identifier_extension_absent",
        // What is of no CA by its own words is told with that, and what is too old with its version.
        &[
            "authority-key-identifier-missing",
            "ca-flag-missing",
            "ca-version-not-3",
            "version-not-3",
        ],
    ),
    (
        "basic_constraints_extension_not_critical",
        &["ca-basic-constraints-not-critical"],
    ),
    (
        "ca_certificate_keycertsign_keyusage_not_set",
        &["ca-cert-sign-missing"],
    ),
    ("ca_certificate_no_ku_extension", &["ca-key-usage-missing"]),
    (
        "certificate_name_constraints_extension_not_critical",
        &["name-constraints-not-critical"],
    ),
    (
        "certificate_negative_validity_period",
        &["validity-negative"],
    ),
    (
        "certificate_serial_number_out_of_range",
        &["serial-negative", "serial-zero", "serial-too-long"],
    ),
    (
        "certificate_signature_algorithm_mismatch",
        &["signature-algorithms-differ"],
    ),
    (
        "certificate_skid_ca_missing",
        &["ca-subject-key-identifier-missing"],
    ),
    (
        "certificate_skid_end_entity_missing",
        &[
            "subject-key-identifier-missing",
            "ca-version-not-3",
            "version-not-3",
        ],
    ),
    (
        "certificate_skid_extension_critical",
        &["subject-key-identifier-critical"],
    ),
    (
        "certificate_version_is_not_v3",
        &[
            "ca-version-not-3",
            "version-not-3",
            "extensions-in-old-version",
        ],
    ),
    (
        "distribution_point_does_not_contain_name_or_issuer",
        &["crl-point-empty"],
    ),
    ("duplicate_certificate_policy_oids", &["policy-doubled"]),
    (
        "ee_certificate_keycertsign_keyusage_set",
        &["cert-sign-without-ca"],
    ),
    (
        "end_entity_inhibit_anypolicy_extension_present",
        &["policy-extension-without-ca"],
    ),
    (
        "invalid_asn1_syntax",
        &[
            "path-length-without-ca",
            "country-code",
            "extended-key-usage-empty",
            "attribute-empty",
            "curve-explicit",
            "attribute-too-long",
            "printable-string-characters",
            "key-parameters",
            "signature-parameters",
            "alternative-name-empty",
            "info-access-empty",
            "policies-empty",
            "attribute-string-type",
        ],
    ),
    (
        "invalid_domain_name_syntax",
        &[
            "dns-name-syntax",
            "dns-name-wildcard",
            "dns-name-wide-wildcard",
            "dns-name-is-address",
            "dns-name-too-long",
        ],
    ),
    ("invalid_email_address_syntax", &["email-address-syntax"]),
    ("invalid_uri_syntax", &["uri-syntax"]),
    ("ip_address_wrong_length", &["ip-address-length"]),
    (
        "key_usage_extension_not_critical",
        &["key-usage-not-critical"],
    ),
    (
        "key_usage_value_prohibited_for_ec",
        &["key-usage-not-of-key"],
    ),
    (
        "ldap_uri_not_validated",
        &["info-access-location", "crl-point-location"],
    ),
    (
        "name_constraints_in_ee_certificate",
        &["name-constraints-without-ca"],
    ),
    ("name_constraints_no_subtrees", &["name-constraints-empty"]),
    ("name_empty", &["issuer-empty"]),
    ("no_ku_bits_set", &["key-usage-empty"]),
    (
        "san_extension_is_critical_non_empty_subject",
        &["alternative-name-critical"],
    ),
    (
        "san_extension_not_critical_empty_subject",
        &["alternative-name-not-critical"],
    ),
    ("subject_unique_id_present", &["unique-identifier"]),
    (
        "aki_with_serial_number_but_cert_issuer_absent",
        &["authority-key-identifier-half"],
    ),
    (
        "authority_key_identifier_keyid_missing",
        &["authority-key-identifier-without-key"],
    ),
    (
        "rdn_contains_duplicate_attribute_types",
        &["attribute-doubled"],
    ),
    (
        "certificate_crldp_extension_critical",
        &["crl-point-critical"],
    ),
    (
        "extended_key_usage_extension_with_timestamping_not_critical",
        &["extended-key-usage-time-stamping"],
    ),
    ("subject_email_address_not_in_san", &["email-in-subject"]),
    (
        "issuer_alt_name_extension_critical",
        &["extension-critical"],
    ),
    (
        "certificate_policies_policy_has_qualifier",
        &["policy-qualifier"],
    ),
    ("sct_list_empty", &["sct-list-empty"]),
    (
        "key_usage_value_prohibited_for_edwards_curve",
        &["key-usage-not-of-key"],
    ),
    ("wrong_time_useful_type", &["validity-encoding"]),
];

/// Ours are the identifiers that RFC 7093 proposes; those of the forge are none.
const ANY_IDENTIFIER: &str = "unknown_subject_key_identifier_calculation_method";

/// A certificate (case and file), and what pkilint says of it: severity, code, message.
pub(super) type Said = BTreeMap<(String, String), Vec<[String; 3]>>;

/// Asks pkilint about every certificate in the folders of a folder, from notices up; and
/// about each with its issuer.
pub(super) fn ask(folder: &Path, pairs: bool) -> Said {
    let output = Command::new(venv("python"))
        .arg(judge("judge_pkilint.py"))
        .arg(folder)
        .args(pairs.then_some("pairs"))
        .output()
        .unwrap_or_else(|error| panic!("pkilint must be installed: run ./test: {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut said = Said::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let parts: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [case, file, severity, code, message] = <[String; 5]>::try_from(parts).unwrap();
        said.entry((case, file))
            .or_default()
            .push([severity, code, message]);
    }
    said
}

#[test]
fn what_pkilint_finds_is_found() {
    let corpus = Corpus::write();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for ((case, file), findings) in ask(corpus.folder.path(), false) {
        let report = report(&corpus.chains[case.as_str()]);
        let place = ["leaf.pem", "intermediate.pem", "root.pem"]
            .iter()
            .position(|name| *name == file);
        let ours: Vec<_> = report
            .findings()
            .iter()
            .filter(|finding| Some(finding.certificate) == place)
            .map(|finding| (finding.rule.id, finding.rule.severity))
            .collect();
        for [severity, code, _] in findings {
            let code = code.split_once('.').map_or(code.as_str(), |(_, code)| code);
            if code == ANY_IDENTIFIER {
                continue;
            }
            compared += 1;
            let same = SAME
                .iter()
                .find(|(theirs, _)| *theirs == code)
                .map_or(&[][..], |(_, ours)| ours);
            let least = if severity == "NOTICE" {
                Severity::Notice
            } else {
                Severity::Warning
            };
            if !ours
                .iter()
                .any(|(id, severity)| same.contains(id) && *severity >= least)
            {
                wrong.push(format!(
                    "{case} {file}: {severity} {code}, and we say {ours:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    counts::LINT_PKILINT.assert_is(compared, compared, 0);
}
