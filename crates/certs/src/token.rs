//! Keys in PKCS#11 tokens: smart cards, security modules, or programs that stand for
//! one. They sign there and never leave.
//!
//! A token speaks through a module, a library of its maker's that is loaded into this process when
//! it is first needed. PINs come from a file that the key's URI names, or from whom [`Tokens`] was
//! told to ask; they are not kept. Which keys a CA has is [`crate::local`]'s business.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo};
use ravelin_pki::{Passphrase, PublicKey};

mod error;
mod form;
mod key;
mod pin;
mod uri;

pub use error::{ModuleAnswer, TokenError, TriesLeft};
pub use key::TokenKey;
pub use pin::PinRequest;
pub use uri::{TokenUri, TokenUriError};

/// The tokens of this machine: their modules, loaded as they are needed, and who knows their PINs.
///
/// Whether this process is logged in to a token is one state for all who use it here (PKCS#11,
/// section 5.6.8): with several `Tokens`, the second login finds the first's.
#[derive(Clone, Default)]
pub struct Tokens {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    asker: Option<Box<Asker>>,
    modules: Mutex<HashMap<PathBuf, Pkcs11>>,
    /// Locked during a login, so that nobody is asked twice. The PINs that were refused, by the
    /// serial numbers of tokens: a service that tries again each minute must not lock one.
    refused: Mutex<HashMap<String, Vec<Passphrase>>>,
    /// Locked while objects are made or looked for. Modules say that threads may do so at once, but
    /// `SoftHSM` 2.6 fails then, now and again: <https://github.com/softhsm/SoftHSMv2/issues/573>.
    objects: Mutex<()>,
}

type Asker = dyn Fn(&PinRequest) -> Option<Passphrase> + Send + Sync;

/// A private key that is in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Where: whole, with the token's own names.
    pub uri: TokenUri,
    /// Its public half, where the token tells it.
    pub public: Option<PublicKey>,
}

impl Tokens {
    /// Tokens whose PINs are in files, or typed at the token.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens whose PINs somebody can be asked for. It is asked where the URI names no file, again
    /// after a token was lost, and may answer with none.
    #[must_use]
    pub fn asking(
        asker: impl Fn(&PinRequest) -> Option<Passphrase> + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                asker: Some(Box::new(asker)),
                ..Shared::default()
            }),
        }
    }

    /// The tokens that a module has.
    ///
    /// # Errors
    ///
    /// The module is missing or broken.
    pub fn tokens(&self, module: &Path) -> Result<Vec<TokenUri>, TokenError> {
        let uri = TokenUri::of_module(module);
        let found = tokens_of(&self.module(module)?, &uri)?;
        let named = |(_, info): (_, TokenInfo)| uri.clone().with_token(names(&info));
        Ok(found.into_iter().map(named).collect())
    }

    /// The private keys that are in a token and go with what the URI says.
    ///
    /// # Errors
    ///
    /// The token is not there, or does not let anyone in.
    pub fn keys(&self, uri: &TokenUri) -> Result<Vec<ListedKey>, TokenError> {
        let token = self.open(uri, Access::Read)?;
        let _alone = lock(&self.shared.objects);
        let listed = |handle| -> Result<ListedKey, TokenError> {
            let label = token.text(handle, AttributeType::Label)?;
            let label = (!label.is_empty()).then(|| String::from_utf8_lossy(&label).into_owned());
            let id = token.text(handle, AttributeType::Id)?;
            let id = (!id.is_empty()).then_some(id);
            Ok(ListedKey {
                uri: uri
                    .clone()
                    .with_token(names(&token.info))
                    .with_key(label.as_deref(), id.as_deref()),
                public: token.public_half(handle)?,
            })
        };
        token.private_keys(uri)?.into_iter().map(listed).collect()
    }

    /// Opens a session with the one token that the URI names, and logs in.
    fn open(&self, uri: &TokenUri, access: Access) -> Result<OpenToken, TokenError> {
        let module = self.module(uri.module())?;
        let mut found = tokens_of(&module, uri)?;
        let labels = |found: &[(Slot, TokenInfo)]| {
            let labels: Vec<_> = found
                .iter()
                .map(|(_, info)| {
                    format!(
                        "\"{}\" ({})",
                        label(info),
                        info.serial_number().escape_debug()
                    )
                })
                .collect();
            labels.join(", ")
        };
        if found.len() > 1 {
            return Err(TokenError::SeveralTokens {
                uri: Box::new(uri.clone()),
                there_are: labels(&found),
            });
        }
        let Some((slot, info)) = found.pop() else {
            let all = tokens_of(&module, &TokenUri::of_module(uri.module()))?;
            return Err(TokenError::NoToken {
                uri: Box::new(uri.clone()),
                there_are: match labels(&all) {
                    none if none.is_empty() => "none".to_owned(),
                    some => some,
                },
            });
        };
        let failed = failed(&info);
        let session = match access {
            Access::Read => module.open_ro_session(slot),
            Access::Write => module.open_rw_session(slot),
        };
        let token = OpenToken {
            session: session.map_err(failed)?,
            info,
        };
        self.log_in(&module, slot, &token, uri)?;
        Ok(token)
    }

    fn module(&self, path: &Path) -> Result<Pkcs11, TokenError> {
        let mut modules = lock(&self.shared.modules);
        let broken = |error: CryptokiError| TokenError::Module {
            module: path.to_owned(),
            source: error.into(),
        };
        let module = match modules.get(path) {
            Some(module) => module.clone(),
            None => {
                let module = Pkcs11::new(path).map_err(broken)?;
                // Never unloaded: it may have threads, and others may use it.
                std::mem::forget(module.clone());
                modules.insert(path.to_owned(), module.clone());
                module
            }
        };
        // Each time: a library that uses the same module may have ended its work in the meantime.
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // By another `Tokens`, or a library: it is one state for the whole process.
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
                Ok(module)
            }
            Err(error) => Err(broken(error)),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("modules", &lock(&self.shared.modules).keys())
            .finish_non_exhaustive()
    }
}

/// What a session may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// A session with a token that this process is logged in to. The login lasts as long as a session.
struct OpenToken {
    session: Session,
    info: TokenInfo,
}

impl OpenToken {
    /// The one private key that a URI names.
    fn private_key(&self, uri: &TokenUri) -> Result<ObjectHandle, TokenError> {
        let uri = || Box::new(uri.clone());
        match self.private_keys(&uri())?.as_slice() {
            [] => Err(TokenError::NoKey { uri: uri() }),
            [one] => {
                let asks = self.attributes(*one, &[AttributeType::AlwaysAuthenticate])?;
                if asks.contains(&Attribute::AlwaysAuthenticate(true)) {
                    return Err(TokenError::AlwaysAsks { uri: uri() });
                }
                Ok(*one)
            }
            several => Err(TokenError::SeveralKeys {
                uri: uri(),
                count: several.len(),
            }),
        }
    }

    fn private_keys(&self, uri: &TokenUri) -> Result<Vec<ObjectHandle>, TokenError> {
        let mut wanted = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
        wanted.extend(
            uri.object()
                .map(|label| Attribute::Label(label.as_bytes().to_vec())),
        );
        wanted.extend(uri.id().map(|id| Attribute::Id(id.to_vec())));
        self.find(&wanted)
    }

    /// The public half of a private key: what it says itself, or the public key or the certificate
    /// of the same identifier, or of the same label where it has none.
    fn public_half(&self, private: ObjectHandle) -> Result<Option<PublicKey>, TokenError> {
        if let Some(key) = form::public_key(&self.attributes(private, &form::PUBLIC)?) {
            return Ok(Some(key));
        }
        let id = self.text(private, AttributeType::Id)?;
        let same = if id.is_empty() {
            Attribute::Label(self.text(private, AttributeType::Label)?)
        } else {
            Attribute::Id(id)
        };
        for public in self.find(&[Attribute::Class(ObjectClass::PUBLIC_KEY), same.clone()])? {
            if let Some(key) = form::public_key(&self.attributes(public, &form::PUBLIC)?) {
                return Ok(Some(key));
            }
        }
        for certificate in self.find(&[Attribute::Class(ObjectClass::CERTIFICATE), same])? {
            let value = self.attributes(certificate, &[AttributeType::Value])?;
            if let Some(key) = form::of_certificate(&value) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn find(&self, wanted: &[Attribute]) -> Result<Vec<ObjectHandle>, TokenError> {
        self.session
            .find_objects(wanted)
            .map_err(failed(&self.info))
    }

    fn attributes(
        &self,
        object: ObjectHandle,
        wanted: &[AttributeType],
    ) -> Result<Vec<Attribute>, TokenError> {
        self.session
            .get_attributes(object, wanted)
            .map_err(failed(&self.info))
    }

    /// A label or an identifier; empty where there is none.
    fn text(&self, object: ObjectHandle, wanted: AttributeType) -> Result<Vec<u8>, TokenError> {
        let said = self.attributes(object, &[wanted])?.pop();
        Ok(match said {
            Some(Attribute::Label(octets) | Attribute::Id(octets)) => octets,
            _ => Vec::new(),
        })
    }
}

/// The tokens of a module that go with a URI.
fn tokens_of(module: &Pkcs11, uri: &TokenUri) -> Result<Vec<(Slot, TokenInfo)>, TokenError> {
    let slots = module
        .get_slots_with_token()
        .map_err(|error| TokenError::Failed {
            token: uri.to_string(),
            source: error.into(),
        })?;
    // A reader that fails does not hide the others.
    Ok(slots
        .into_iter()
        .filter_map(|slot| Some((slot, module.get_token_info(slot).ok()?)))
        .filter(|(slot, info)| info.token_initialized() && uri.fits(names(info), slot.id()))
        .collect())
}

fn names(info: &TokenInfo) -> [&str; 4] {
    [
        info.label(),
        info.manufacturer_id(),
        info.model(),
        info.serial_number(),
    ]
}

/// A token's label as it is told to people: what it sends to their terminal is no control character.
fn label(info: &TokenInfo) -> String {
    info.label().escape_debug().to_string()
}

fn failed(info: &TokenInfo) -> impl Fn(CryptokiError) -> TokenError + use<> {
    let token = label(info);
    move |error| TokenError::Failed {
        token: token.clone(),
        source: error.into(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
