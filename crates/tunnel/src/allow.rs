//! Who may pass, by what is in the certificate.

use ravelin_pki::{Certificate, Fingerprint, GeneralName, Oid};
use ravelin_tls::ClientRule;

/// What a certificate must have: all that is given here. Of several rules, one has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// The common name of the subject.
    pub cn: Option<String>,
    /// One of the organizational units of the subject.
    pub ou: Option<String>,
    /// One of the DNS names (RFC 5280, section 4.2.1.6), in lower case. It is compared as it stands: `*.example.org`
    /// fits a certificate for just that.
    pub dns: Option<String>,
    /// One of the URIs, a SPIFFE ID for one. `*` at the end stands for whatever follows, and `*` as a whole segment of
    /// the path for one segment.
    pub uri: Option<String>,
    /// The key: SHA-256 of the `SubjectPublicKeyInfo` (RFC 7469, section 2.4).
    pub pin: Option<Fingerprint>,
}

impl Rule {
    /// Whether `certificate` has all of it. A rule that asks for nothing fits nobody.
    #[must_use]
    pub fn fits(&self, certificate: &Certificate) -> bool {
        let subject = certificate.subject_name();
        let has = |kind: &Oid, wanted: &str| {
            subject
                .attributes()
                .any(|attribute| attribute.kind == *kind && attribute.value == wanted)
        };
        let names = certificate.alternative_names();
        let dns = |wanted: &str| {
            names.iter().any(
                |name| matches!(name, GeneralName::Dns(own) if own.eq_ignore_ascii_case(wanted)),
            )
        };
        let uri = |wanted: &str| {
            names
                .iter()
                .any(|name| matches!(name, GeneralName::Uri(own) if uri_fits(wanted, own)))
        };
        *self != Self::default()
            && self
                .cn
                .as_deref()
                .is_none_or(|cn| has(&Oid::COMMON_NAME, cn))
            && self
                .ou
                .as_deref()
                .is_none_or(|ou| has(&Oid::ORGANIZATIONAL_UNIT, ou))
            && self.dns.as_deref().is_none_or(dns)
            && self.uri.as_deref().is_none_or(uri)
            && self
                .pin
                .is_none_or(|pin| certificate.public_key().fingerprint() == pin)
    }
}

/// Whether `certificate` may pass by these rules; where there is none, each may.
#[must_use]
pub fn allows(rules: &[Rule], certificate: Option<&Certificate>) -> bool {
    rules.is_empty()
        || certificate.is_some_and(|certificate| rules.iter().any(|rule| rule.fits(certificate)))
}

/// The same in the handshake, so that clients that may not pass hear of it by an alert; none where there is no rule.
#[must_use]
pub fn client_rule(rules: &[Rule]) -> Option<ClientRule> {
    let rules = rules.to_vec();
    (!rules.is_empty()).then(|| {
        ClientRule::new(move |certificate| {
            allows(&rules, Certificate::from_der(certificate).ok().as_ref())
        })
    })
}

fn uri_fits(pattern: &str, uri: &str) -> bool {
    let mut own = uri.split('/');
    let mut wanted = pattern.split('/').peekable();
    while let Some(segment) = wanted.next() {
        match (segment, own.next()) {
            // At the end it stands for all that is left, which must be something.
            ("*", Some(rest)) if wanted.peek().is_none() => return !rest.is_empty(),
            ("*", Some(one)) if !one.is_empty() => {}
            (segment, Some(one)) if segment == one => {}
            _ => return false,
        }
    }
    own.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_segments_and_never_for_part_of_one() {
        let all = "spiffe://example.org/*";
        assert!(uri_fits(all, "spiffe://example.org/ns/prod/sa/web"));
        assert!(!uri_fits(all, "spiffe://example.org.evil/ns"));
        assert!(!uri_fits(all, "spiffe://example.org/"));
        assert!(!uri_fits(all, "spiffe://example.org"));
        let one = "spiffe://example.org/*/web";
        assert!(uri_fits(one, "spiffe://example.org/prod/web"));
        assert!(!uri_fits(one, "spiffe://example.org/prod/x/web"));
        assert!(!uri_fits(one, "spiffe://example.org//web"));
        assert!(uri_fits("urn:a", "urn:a"));
        assert!(!uri_fits("urn:a", "urn:ab"));
        assert!(!uri_fits(
            "spiffe://example.org/w*",
            "spiffe://example.org/web"
        ));
    }
}
