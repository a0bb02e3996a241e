//! What a CA certifies: for which purposes, names and keys, and for how long.
//!
//! A small TOML file, `ca/policy.toml`, beside what holds where there is none. What is asked for is
//! kept, changed with a reason, or refused; nothing is done silently. Signing is [`crate::local`]'s
//! business.

use std::time::Duration;

use ravelin_pki::constraints::NameConstraints;
use ravelin_pki::{
    CertificateRequest, DistinguishedName, GeneralName, HostName, KeyType, KeyUsage, Oid,
    PublicKey, Purpose, Template,
};

use crate::token::TokenUri;

mod file;

pub use file::PolicyFileError;

/// The policy of a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What is written into all that it issues, and how its intermediates are made.
    pub authority: AuthorityPolicy,
    /// The kinds of certificates that it issues.
    pub templates: Vec<TemplatePolicy>,
}

/// What concerns the CA itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityPolicy {
    /// The kind of key of new intermediates.
    pub key_type: KeyType,
    /// The token that keys of new intermediates are made in; in files of the store where none.
    pub token: Option<TokenUri>,
    /// How long new intermediates are valid.
    pub intermediate_life: Duration,
    /// Addresses of CRLs.
    pub crls: Vec<String>,
    /// Addresses of OCSP responders.
    pub ocsp: Vec<String>,
    /// Addresses of the issuer's certificate.
    pub issuers: Vec<String>,
}

/// One kind of certificate that a CA issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePolicy {
    /// What it is called: `server`.
    pub name: String,
    /// What such certificates are for.
    pub purposes: Vec<Purpose>,
    /// How long they are valid where nothing else is asked.
    pub life: Duration,
    /// How long they are valid at most.
    pub longest_life: Duration,
    /// The kinds of keys that are certified; all where empty.
    pub keys: Vec<KeyType>,
    /// The names that are certified; all that the CA may where empty.
    pub names: NameConstraints,
    /// Attributes of the subject, written into each.
    pub subject: Vec<(Oid, String)>,
    /// Whether servers must staple an OCSP response (RFC 7633).
    pub must_staple: bool,
}

/// What somebody asks a CA for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// The names.
    pub names: Vec<GeneralName>,
    /// The subject.
    pub subject: Option<DistinguishedName>,
    /// The purposes; none where it does not say.
    pub purposes: Option<Vec<Oid>>,
    /// How long.
    pub life: Option<Duration>,
    /// The template, by its name.
    pub template: Option<String>,
    /// Whether it is to be a CA.
    pub ca: bool,
    /// What the key is to do, where it says.
    pub key_usage: Option<KeyUsage>,
    /// Extensions that no template has, by their names.
    pub other_extensions: Vec<String>,
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the certificate says.
    pub template: Template,
    /// The kind of certificate, by its name in the policy.
    pub profile: String,
    /// How long it is valid.
    pub life: Duration,
    /// What is not as it was asked for.
    pub changes: Vec<Change>,
}

/// Something that is given otherwise than it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What: `lifetime`.
    pub field: &'static str,
    /// What was asked for.
    pub asked: String,
    /// What is given.
    pub given: String,
    /// Why.
    pub why: String,
}

/// The most names in one certificate. Public CAs take 100.
pub const MOST_NAMES: usize = 1000;

/// Why a wish is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no template of that name.
    #[error("there is no template \"{name}\" in the policy, but: {there_are}")]
    NoTemplate {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        there_are: String,
    },
    /// No template is for these purposes.
    #[error("no template of the policy is for {purposes}; there are: {there_are}")]
    Purposes {
        /// What was asked for.
        purposes: String,
        /// What there is.
        there_are: String,
    },
    /// A name is outside what the template allows.
    #[error(
        "\"{name}\" is outside the names of the template \"{template}\", which are: {permitted}"
    )]
    Name {
        /// The name.
        name: String,
        /// The template.
        template: String,
        /// What it allows.
        permitted: String,
    },
    /// Such keys are not certified.
    #[error("the template \"{template}\" certifies no keys of the kind {key}, but: {there_are}")]
    Key {
        /// The kind that was brought.
        key: String,
        /// The template.
        template: String,
        /// The kinds that it takes.
        there_are: String,
    },
    /// Nobody gets a CA by asking for a certificate.
    #[error("it asks for the certificate of a CA, which no template gives")]
    Ca,
    /// There is nothing that it could be for.
    #[error("it asks for no name")]
    NoNames,
    /// More names than anyone can have looked at, and than the journal has room for.
    #[error(
        "it asks for {count} names, and no certificate has more than {}",
        MOST_NAMES
    )]
    TooManyNames {
        /// How many there are.
        count: usize,
    },
    /// A certificate of no length.
    #[error("a certificate must be valid for a second at least")]
    NoTime,
}

impl Policy {
    /// What holds where there is no file: certificates for servers, clients, both, mail and code,
    /// of 90 days, and of 397 at most.
    #[must_use]
    pub fn builtin() -> Self {
        let template = |name: &str, purposes: &[Purpose]| TemplatePolicy {
            name: name.to_owned(),
            purposes: purposes.to_vec(),
            life: 90 * DAY,
            longest_life: 397 * DAY,
            keys: Vec::new(),
            names: NameConstraints::default(),
            subject: Vec::new(),
            must_staple: false,
        };
        Self {
            authority: AuthorityPolicy {
                key_type: KeyType::EcdsaP256,
                token: None,
                intermediate_life: ravelin_pki::authority::INTERMEDIATE_LIFE,
                crls: Vec::new(),
                ocsp: Vec::new(),
                issuers: Vec::new(),
            },
            templates: vec![
                template("server", &[Purpose::Server]),
                template("client", &[Purpose::Client]),
                template("both", &[Purpose::Server, Purpose::Client]),
                template("email", &[Purpose::Email]),
                template("code", &[Purpose::Code]),
            ],
        }
    }

    /// Reads a policy. What it leaves out is as in [`Self::builtin`].
    pub fn from_toml(text: &str) -> Result<Self, PolicyFileError> {
        file::read(text)
    }

    /// What is given to somebody who asks for `wish` with a key.
    ///
    /// # Errors
    ///
    /// The policy refuses it.
    pub fn decide(&self, wish: &Wish, key: &PublicKey) -> Result<Grant, Refused> {
        if wish.ca {
            return Err(Refused::Ca);
        }
        let mut changes = Vec::new();
        let template = self.template_for(wish, &mut changes)?;
        let names = wish.names_given(template, &mut changes)?;
        if !template.keys.is_empty() && !key.key_type().is_some_and(|k| template.keys.contains(&k))
        {
            let there_are: Vec<_> = template.keys.iter().map(ToString::to_string).collect();
            return Err(Refused::Key {
                key: key.kind(),
                template: template.name.clone(),
                there_are: there_are.join(", "),
            });
        }
        let life = template.life_given(wish.life, &mut changes)?;
        let subject = template.subject_given(wish, &names, &mut changes);
        for extension in &wish.other_extensions {
            changes.push(Change {
                field: "extension",
                asked: extension.clone(),
                given: "left out".to_owned(),
                why: format!("the template \"{}\" does not have it", template.name),
            });
        }
        let mut given = Template::leaf(names)
            .with_subject(subject)
            .for_purposes(&template.purposes);
        given.crls.clone_from(&self.authority.crls);
        given.ocsp.clone_from(&self.authority.ocsp);
        given.ca_issuers.clone_from(&self.authority.issuers);
        given.must_staple = template.must_staple;
        let usage = given.key_usage_for(key);
        if let Some(asked) = wish.key_usage.filter(|asked| *asked != usage) {
            let names = |usage: KeyUsage| usage.names().collect::<Vec<_>>().join(", ");
            changes.push(Change {
                field: "key usage",
                asked: names(asked),
                given: names(usage),
                why: "it is what such a key does for these purposes".to_owned(),
            });
        }
        Ok(Grant {
            template: given,
            profile: template.name.clone(),
            life,
            changes,
        })
    }

    fn template_for(
        &self,
        wish: &Wish,
        changes: &mut Vec<Change>,
    ) -> Result<&TemplatePolicy, Refused> {
        let there_are = || {
            let names: Vec<_> = self.templates.iter().map(|t| t.name.as_str()).collect();
            names.join(", ")
        };
        let purposes = |oids: &[Oid]| {
            let names: Vec<_> = oids.iter().map(Oid::name_or_dots).collect();
            names.join(", ")
        };
        if let Some(name) = &wish.template {
            let template = self
                .templates
                .iter()
                .find(|template| template.name == *name);
            let template = template.ok_or_else(|| Refused::NoTemplate {
                name: name.clone(),
                there_are: there_are(),
            })?;
            if let Some(asked) = &wish.purposes
                && !same_purposes(asked, &template.purposes)
            {
                changes.push(Change {
                    field: "purposes",
                    asked: purposes(asked),
                    given: purposes(&oids(&template.purposes)),
                    why: format!("the template \"{name}\" is for these"),
                });
            }
            return Ok(template);
        }
        let wanted = wish
            .purposes
            .clone()
            .unwrap_or_else(|| vec![Oid::SERVER_AUTH]);
        let template = self
            .templates
            .iter()
            .find(|template| same_purposes(&wanted, &template.purposes))
            .ok_or_else(|| Refused::Purposes {
                purposes: purposes(&wanted),
                there_are: there_are(),
            })?;
        if wish.purposes.is_none() {
            changes.push(Change {
                field: "purposes",
                asked: "none".to_owned(),
                given: purposes(&wanted),
                why: "a certificate that says nothing would be good for everything".to_owned(),
            });
        }
        Ok(template)
    }
}

impl TemplatePolicy {
    fn life_given(
        &self,
        asked: Option<Duration>,
        changes: &mut Vec<Change>,
    ) -> Result<Duration, Refused> {
        let Some(asked) = asked else {
            return Ok(self.life);
        };
        if asked < Duration::from_secs(1) {
            return Err(Refused::NoTime);
        }
        if asked > self.longest_life {
            changes.push(Change {
                field: "lifetime",
                asked: in_days(asked),
                given: in_days(self.longest_life),
                why: format!("the template \"{}\" gives no more", self.name),
            });
        }
        Ok(asked.min(self.longest_life))
    }

    /// The attributes of the policy, and of what was asked the common name if it is proven: one of
    /// the names, or that of somebody who is no server.
    fn subject_given(
        &self,
        wish: &Wish,
        names: &[GeneralName],
        changes: &mut Vec<Change>,
    ) -> DistinguishedName {
        let server = self.purposes.contains(&Purpose::Server);
        let asked = wish.subject.as_ref().filter(|subject| !subject.is_empty());
        let common_name = asked
            .and_then(|subject| subject.get(&Oid::COMMON_NAME))
            .filter(|name| !server || names.iter().any(|other| other.to_string() == *name))
            .map(str::to_owned)
            // Certificates of people and programs are listed by their common names.
            .or_else(|| names.first().filter(|_| !server).map(ToString::to_string));
        let mut attributes: Vec<(Oid, &str)> = self
            .subject
            .iter()
            .map(|(kind, value)| (kind.clone(), value.as_str()))
            .collect();
        let shortened: String;
        if let Some(name) = common_name {
            // RFC 5280, appendix A.1, ub-common-name.
            shortened = name.chars().take(64).collect();
            attributes.push((Oid::COMMON_NAME, &shortened));
        }
        if attributes.is_empty() {
            attributes.push((Oid::ORGANIZATION, ORGANISATION));
        }
        let given = DistinguishedName::of(&attributes);
        if let Some(asked) = asked
            && !asked.matches(&given)
        {
            changes.push(Change {
                field: "subject",
                asked: asked.to_string(),
                given: given.to_string(),
                why: "only the policy's attributes and a name that is certified are kept"
                    .to_owned(),
            });
        }
        given
    }
}

impl Wish {
    /// What a request asks for.
    #[must_use]
    pub fn of_request(request: &CertificateRequest) -> Self {
        let known = [
            Oid::SUBJECT_ALT_NAME,
            Oid::BASIC_CONSTRAINTS,
            Oid::KEY_USAGE,
            Oid::EXTENDED_KEY_USAGE,
            Oid::SUBJECT_KEY_IDENTIFIER,
        ];
        let others = request
            .extensions()
            .iter()
            .filter(|e| !known.contains(&e.oid));
        Self {
            names: request.alternative_names().to_vec(),
            subject: Some(request.subject().clone()),
            purposes: request.extended_key_usage().map(<[Oid]>::to_vec),
            life: None,
            template: None,
            ca: request.asks_for_ca(),
            key_usage: request.key_usage(),
            other_extensions: others.map(|e| e.oid.name_or_dots()).collect(),
        }
    }

    /// The names, each once: those that were asked for, else the one in the common name, as requests
    /// of old have it.
    fn names_given(
        &self,
        template: &TemplatePolicy,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<GeneralName>, Refused> {
        if self.names.len() > MOST_NAMES {
            return Err(Refused::TooManyNames {
                count: self.names.len(),
            });
        }
        let mut names: Vec<GeneralName> = Vec::new();
        for name in &self.names {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let common_name = self.subject.as_ref().and_then(|s| s.get(&Oid::COMMON_NAME));
        if names.is_empty()
            && let Some(host) = common_name.and_then(|name| name.parse::<HostName>().ok())
        {
            changes.push(Change {
                field: "names",
                asked: "none".to_owned(),
                given: host.to_string(),
                why: "it is the common name, in which nobody looks for names (RFC 9525)".to_owned(),
            });
            names.push(GeneralName::from(&host));
        }
        if names.is_empty()
            && (template.purposes.contains(&Purpose::Server) || common_name.is_none())
        {
            return Err(Refused::NoNames);
        }
        match names.iter().find(|name| !template.names.permits_name(name)) {
            Some(name) => Err(Refused::Name {
                name: name.to_string(),
                template: template.name.clone(),
                permitted: template.names.to_string(),
            }),
            None => Ok(names),
        }
    }
}

fn oids(purposes: &[Purpose]) -> Vec<Oid> {
    purposes.iter().map(|purpose| purpose.oid()).collect()
}

fn same_purposes(asked: &[Oid], given: &[Purpose]) -> bool {
    let given = oids(given);
    asked.iter().all(|oid| given.contains(oid)) && given.iter().all(|oid| asked.contains(oid))
}

fn in_days(life: Duration) -> String {
    let (days, rest) = (life.as_secs() / 86_400, life.as_secs() % 86_400);
    match (days, rest) {
        (1, 0) => "1 day".to_owned(),
        (_, 0) => format!("{days} days"),
        (0, _) => format!("{} seconds", life.as_secs()),
        _ => format!("{days} days and {rest} seconds"),
    }
}

const ORGANISATION: &str = "Ravelin local certificate";

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use ravelin_pki::PrivateKey;

    use super::*;

    fn wish(names: &[&str]) -> Wish {
        Wish {
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            purposes: Some(vec![Oid::SERVER_AUTH]),
            ..Wish::default()
        }
    }

    fn decide(policy: &Policy, wish: &Wish) -> Result<Grant, Refused> {
        policy.decide(wish, PrivateKey::generate().unwrap().public_key())
    }

    #[test]
    fn what_is_asked_is_given_without_a_word() {
        let grant = decide(&Policy::builtin(), &wish(&["a.test", "a.test", "::1"])).unwrap();
        assert_eq!(grant.template.names.len(), 2);
        assert_eq!((grant.profile.as_str(), grant.life), ("server", 90 * DAY));
        assert_eq!(grant.changes, []);
    }

    #[test]
    fn what_is_changed_is_told_with_a_reason() {
        let mut wish = wish(&[]);
        wish.subject = Some(DistinguishedName::of(&[
            (Oid::ORGANIZATION, "My Bank"),
            (Oid::COMMON_NAME, "a.test"),
        ]));
        wish.life = Some(1000 * DAY);
        wish.purposes = None;
        wish.other_extensions = vec!["nameConstraints".to_owned()];
        let grant = decide(&Policy::builtin(), &wish).unwrap();
        let fields: Vec<_> = grant.changes.iter().map(|change| change.field).collect();
        assert_eq!(
            fields,
            ["purposes", "names", "lifetime", "subject", "extension"]
        );
        assert_eq!(grant.life, 397 * DAY);
        assert_eq!(grant.template.subject.to_string(), "CN=a.test");
    }

    #[test]
    fn what_the_policy_does_not_give_is_refused() {
        let text = "[template.server]\nkeys = [\"p384\"]\nnames = [\"internal\"]\n";
        let policy = Policy::from_toml(text).unwrap();
        let refused = |wish: &Wish| decide(&policy, wish).unwrap_err();
        assert!(matches!(refused(&wish(&["a.test"])), Refused::Name { .. }));
        assert!(matches!(
            refused(&wish(&["a.internal"])),
            Refused::Key { .. }
        ));
        assert_eq!(refused(&wish(&[])), Refused::NoNames);
        let ca = Wish {
            ca: true,
            ..wish(&["a.internal"])
        };
        assert_eq!(refused(&ca), Refused::Ca);
        let other = Wish {
            template: Some("x".to_owned()),
            ..wish(&["a.internal"])
        };
        assert!(matches!(refused(&other), Refused::NoTemplate { .. }));
        let time_stamps = Wish {
            purposes: Some(vec![Oid::TIME_STAMPING]),
            ..wish(&["a.internal"])
        };
        assert!(matches!(refused(&time_stamps), Refused::Purposes { .. }));
    }
}
