//! Plugins of age: programs named `age-plugin-NAME` that have keys elsewhere, in smart cards or with services.
//!
//! The `age` crate speaks with them. They may have something to say or to ask while they work; who answers is told
//! here.

use std::fmt;
use std::sync::Arc;

use age::plugin::{IdentityPluginV1, RecipientPluginV1, ResolveError};
use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::AgeError;

pub(super) use age::plugin::{Identity, Recipient};

/// Whom plugins speak to.
pub trait Listener: Send + Sync {
    /// Something to be seen: "touch the key".
    fn hear(&self, message: &str);

    /// Something to choose: whether it is `yes`. None where nobody can be asked.
    fn choose(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool>;

    /// Something to be typed, which others may see or not. None where nobody can be asked.
    fn answer(&self, question: &str, secret: bool) -> Option<Zeroizing<String>>;
}

/// The plugins of this machine, and who answers them: nobody, unless it is said.
#[derive(Clone, Default)]
pub struct Plugins(Option<Arc<dyn Listener>>);

impl Plugins {
    /// Plugins that speak to somebody.
    pub fn heard_by(listener: impl Listener + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins")
            .field("heard", &self.0.is_some())
            .finish()
    }
}

impl age::Callbacks for Plugins {
    fn display_message(&self, message: &str) {
        if let Some(listener) = &self.0 {
            listener.hear(message);
        }
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.0.as_ref()?.choose(message, yes, no)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        let answer = self.0.as_ref()?.answer(description, false)?;
        Some(answer.to_string())
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let answer = self.0.as_ref()?.answer(description, true)?;
        Some(SecretString::from(answer.to_string()))
    }
}

/// One for each plugin, with all its recipients, in the order in which they are named first.
pub(super) fn recipients(
    all: &[(&Recipient, &Plugins)],
) -> Result<Vec<Box<dyn age::Recipient>>, AgeError> {
    let own: Vec<_> = all.iter().map(|(one, _)| (*one).clone()).collect();
    let named = in_turn(all, |(one, _)| one.plugin());
    let started = named.map(
        |(one, plugins)| -> Result<Box<dyn age::Recipient>, AgeError> {
            let plugin = RecipientPluginV1::new(one.plugin(), &own, &[], (*plugins).clone());
            Ok(Box::new(plugin.map_err(of_resolving)?))
        },
    );
    started.collect()
}

/// One for each plugin, with all its identities.
pub(super) fn identities(
    all: &[Identity],
    plugins: &Plugins,
) -> Result<Vec<Box<dyn age::Identity>>, AgeError> {
    let named = in_turn(all, |one| one.plugin());
    let started = named.map(|one| -> Result<Box<dyn age::Identity>, AgeError> {
        let plugin = IdentityPluginV1::new(one.plugin(), all, plugins.clone());
        Ok(Box::new(plugin.map_err(of_resolving)?))
    });
    started.collect()
}

/// The first of each name.
fn in_turn<T>(all: &[T], name: impl Fn(&T) -> &str) -> impl Iterator<Item = &T> {
    let first = move |at: usize| {
        let before = &all[..at];
        before.iter().all(|other| name(other) != name(&all[at]))
    };
    let numbered = all.iter().enumerate();
    numbered.filter_map(move |(at, one)| first(at).then_some(one))
}

pub(super) fn of_resolving(error: ResolveError) -> AgeError {
    AgeError::NoPlugin {
        program: match error {
            ResolveError::MissingPlugin { binary_name } => binary_name,
            ResolveError::InvalidPluginName { name } => format!("age-plugin-{name}"),
            _ => "age-plugin-…".to_owned(),
        },
    }
}

/// What plugins say is wrong. The crate has no name for it, but its words.
pub(super) fn of_plugin(errors: &[impl ToString]) -> AgeError {
    let said = errors.iter().map(ToString::to_string);
    AgeError::Plugin {
        said: said.collect::<Vec<_>>().join("; "),
    }
}
