//! The file of a policy: TOML, read whole, with the line of what is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use ravelin_pki::constraints::{NameConstraints, Subtree};
use ravelin_pki::{KeyType, Oid, Purpose};
use serde::Deserialize;
use toml::Spanned;

use super::{AuthorityPolicy, DAY, Policy, TemplatePolicy};
use crate::token::TokenUri;

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PolicyFileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawPolicy {
    authority: RawAuthority,
    template: BTreeMap<String, RawTemplate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawAuthority {
    key: Option<Spanned<String>>,
    token: Option<Spanned<String>>,
    intermediate_days: Option<Spanned<u64>>,
    crl: Vec<Spanned<String>>,
    ocsp: Vec<Spanned<String>>,
    issuer: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawTemplate {
    purposes: Option<Vec<Spanned<String>>>,
    days: Option<Spanned<u64>>,
    max_days: Option<Spanned<u64>>,
    keys: Vec<Spanned<String>>,
    names: Vec<Spanned<String>>,
    not_names: Vec<Spanned<String>>,
    organization: Option<Spanned<String>>,
    organizational_unit: Option<Spanned<String>>,
    country: Option<Spanned<String>>,
    must_staple: bool,
}

pub(super) fn read(text: &str) -> Result<Policy, PolicyFileError> {
    let file = File { text };
    let raw: RawPolicy = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        file.error(&span, error.message().to_owned())
    })?;
    let mut policy = Policy::builtin();
    policy.authority = file.authority(raw.authority, &policy.authority)?;
    for (name, raw) in raw.template {
        let known = policy
            .templates
            .iter()
            .position(|template| template.name == name);
        let base = match known {
            Some(index) => policy.templates.remove(index),
            None => TemplatePolicy {
                name,
                purposes: Vec::new(),
                ..policy.templates[0].clone()
            },
        };
        let template = file.template(raw, base)?;
        // What the file says comes first: it is found first where purposes are the same.
        policy.templates.insert(0, template);
    }
    Ok(policy)
}

struct File<'t> {
    text: &'t str,
}

impl File<'_> {
    fn error(&self, span: &Range<usize>, problem: String) -> PolicyFileError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        PolicyFileError {
            line: before.bytes().filter(|octet| *octet == b'\n').count() + 1,
            problem,
        }
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        text: &Spanned<String>,
    ) -> Result<T, PolicyFileError> {
        let parsed = text.get_ref().parse();
        parsed.map_err(|error: T::Err| self.error(&text.span(), error.to_string()))
    }

    fn authority(
        &self,
        raw: RawAuthority,
        base: &AuthorityPolicy,
    ) -> Result<AuthorityPolicy, PolicyFileError> {
        let key_type = raw.key.map_or(Ok(base.key_type), |key| self.parsed(&key))?;
        Ok(AuthorityPolicy {
            key_type,
            token: raw.token.map(|uri| self.token(&uri)).transpose()?,
            intermediate_life: match raw.intermediate_days {
                Some(days) => self.days(&days)?,
                None => base.intermediate_life,
            },
            crls: self.addresses(raw.crl)?,
            ocsp: self.addresses(raw.ocsp)?,
            issuers: self.addresses(raw.issuer)?,
        })
    }

    /// Each intermediate has a key of its own, and so has the one that renews it.
    fn token(&self, text: &Spanned<String>) -> Result<TokenUri, PolicyFileError> {
        let uri: TokenUri = self.parsed(text)?;
        if uri.names_key() {
            let problem = "\"token\" says a token, without object= and id= of a key in it";
            return Err(self.error(&text.span(), problem.to_owned()));
        }
        Ok(uri)
    }

    /// CRLs, certificates and OCSP responses are signed themselves, and fetching them over HTTPS
    /// would need another certificate to be checked first (RFC 5280, section 8).
    fn addresses(&self, addresses: Vec<Spanned<String>>) -> Result<Vec<String>, PolicyFileError> {
        addresses
            .into_iter()
            .map(|address| {
                if address.get_ref().starts_with("http://") && address.get_ref().is_ascii() {
                    return Ok(address.into_inner());
                }
                let problem = format!("\"{}\" must begin with http://", address.get_ref());
                Err(self.error(&address.span(), problem))
            })
            .collect()
    }

    fn template(
        &self,
        raw: RawTemplate,
        base: TemplatePolicy,
    ) -> Result<TemplatePolicy, PolicyFileError> {
        let purposes = match raw.purposes {
            Some(purposes) => purposes
                .iter()
                .map(|purpose| self.purpose(purpose))
                .collect::<Result<_, _>>()?,
            None => base.purposes,
        };
        if purposes.is_empty() {
            let problem = format!("the template \"{}\" needs \"purposes\"", base.name);
            let header = format!("[template.{}]", base.name);
            let start = self.text.find(&header).unwrap_or_default();
            return Err(self.error(&(start..start), problem));
        }
        let longest = raw
            .max_days
            .as_ref()
            .map(|days| self.days(days))
            .transpose()?;
        let longest_life = longest.unwrap_or(base.longest_life);
        let life = match &raw.days {
            Some(days) => {
                let life = self.days(days)?;
                if life > longest_life {
                    let problem = format!(
                        "{} days are more than \"max_days\" allows, which are {}",
                        days.get_ref(),
                        longest_life.as_secs() / DAY.as_secs()
                    );
                    return Err(self.error(&days.span(), problem));
                }
                life
            }
            None => base.life.min(longest_life),
        };
        let keys = raw.keys.iter().map(|key| self.parsed::<KeyType>(key));
        let mut names = NameConstraints::default();
        for subtree in &raw.names {
            names = names.permitting(self.parsed::<Subtree>(subtree)?);
        }
        for subtree in &raw.not_names {
            names = names.excluding(self.parsed::<Subtree>(subtree)?);
        }
        let country = raw
            .country
            .map(|country| self.country(country))
            .transpose()?;
        let text = |text: Option<Spanned<String>>| text.map(Spanned::into_inner);
        let subject = [
            (Oid::COUNTRY, country),
            (Oid::ORGANIZATION, text(raw.organization)),
            (Oid::ORGANIZATIONAL_UNIT, text(raw.organizational_unit)),
        ];
        Ok(TemplatePolicy {
            name: base.name,
            purposes,
            life,
            longest_life,
            keys: keys.collect::<Result<_, _>>()?,
            names,
            subject: subject
                .into_iter()
                .filter_map(|(kind, value)| value.map(|value| (kind, value)))
                .collect(),
            must_staple: raw.must_staple,
        })
    }

    fn days(&self, days: &Spanned<u64>) -> Result<std::time::Duration, PolicyFileError> {
        match *days.get_ref() {
            count @ 1..=36_500 => Ok(DAY * count as u32),
            count => Err(self.error(
                &days.span(),
                format!("{count} is not a number of days from 1 to 36500"),
            )),
        }
    }

    fn purpose(&self, text: &Spanned<String>) -> Result<Purpose, PolicyFileError> {
        let known = Purpose::NAMES
            .iter()
            .find(|(name, _)| name == text.get_ref());
        known.map(|(_, purpose)| *purpose).ok_or_else(|| {
            let names: Vec<_> = Purpose::NAMES.iter().map(|(name, _)| *name).collect();
            let problem = format!(
                "\"{}\" is not a purpose; there are: {}",
                text.get_ref(),
                names.join(", ")
            );
            self.error(&text.span(), problem)
        })
    }

    fn country(&self, text: Spanned<String>) -> Result<String, PolicyFileError> {
        let code = text.get_ref();
        if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(text.into_inner());
        }
        let problem = format!("\"{code}\" is not a country code of two capital letters (ISO 3166)");
        Err(self.error(&text.span(), problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, problem) in [
            ("[authority]\nkye = \"p256\"", 2, "unknown field `kye`"),
            (
                "\n[authority]\nkey = \"dsa\"",
                3,
                "\"dsa\" is not a kind of key",
            ),
            (
                "[authority]\nocsp = [\n\"https://a\"]",
                3,
                "must begin with http://",
            ),
            ("[authority]\ntoken = \"pkcs11:token=a\"", 2, "module-path"),
            (
                "[authority]\ntoken = \"pkcs11:object=a?module-path=/m\"",
                2,
                "without object=",
            ),
            ("[template.x]\ndays = 1", 1, "needs \"purposes\""),
            ("[template.server]\ndays = 0", 2, "not a number of days"),
            (
                "[template.server]\nmax_days = 10\ndays = 20",
                3,
                "more than \"max_days\"",
            ),
            (
                "[template.server]\npurposes = [\"web\"]",
                2,
                "is not a purpose",
            ),
            (
                "[template.server]\nnames = [\"1.2.3.4/99\"]",
                2,
                "1.2.3.4/99",
            ),
            (
                "[template.server]\ncountry = \"Germany\"",
                2,
                "country code",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.to_string().contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn a_template_of_the_file_stands_in_front() {
        let policy = read("[template.iot]\npurposes = [\"client\"]\ndays = 7").unwrap();
        assert_eq!(policy.templates[0].name, "iot");
        assert_eq!(policy.templates.len(), 6);
        assert_eq!(read("").unwrap(), Policy::builtin());
    }
}
