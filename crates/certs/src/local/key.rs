//! The key of a CA: in a file of the store, or in a token that a file of the store names.

use ravelin_pki::{
    AuthorityError, KeyError, KeyType, PrivateKey, PublicKey, SignError, SignatureAlgorithm, Signer,
};

use super::{LocalError, Plan, ROOT_KEY, object};
use crate::store::{FileStore, Object, Store};
use crate::token::{TokenKey, TokenUri, TokenUriError, Tokens};

/// The key of a CA.
#[derive(Debug)]
pub enum AuthorityKey {
    /// In a file of the store.
    File(PrivateKey),
    /// In a token. The file has its URI in the key's place.
    Token(Box<TokenKey>),
}

/// Why what a file says of a key is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthorityKeyError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Uri(#[from] TokenUriError),
}

impl AuthorityKey {
    /// Reads what [`Self::to_text`] wrote, of a key whose public half is known. A token is not
    /// looked for yet.
    pub(super) fn read(
        bytes: &[u8],
        tokens: &Tokens,
        public: &PublicKey,
    ) -> Result<Self, AuthorityKeyError> {
        Ok(match token_uri(bytes)? {
            Some(uri) => Self::token(TokenKey::expected(tokens, &uri, public.clone())),
            None => Self::File(PrivateKey::from_pem(bytes)?),
        })
    }

    /// Makes a key: in the token where one is said, else for a file.
    pub(super) fn generate(
        token: Option<&TokenUri>,
        tokens: &Tokens,
        label: &str,
        key_type: KeyType,
    ) -> Result<Self, LocalError> {
        let Some(uri) = token else {
            let key = PrivateKey::generate_of(key_type).map_err(AuthorityError::Key)?;
            return Ok(Self::File(key));
        };
        let made = uri
            .clone()
            .for_new_key(label)
            .and_then(|uri| TokenKey::generate(tokens, &uri, key_type));
        Ok(Self::token(made.map_err(|source| LocalError::NewKey {
            uri: Box::new(uri.clone()),
            source,
        })?))
    }

    pub(super) fn token(key: TokenKey) -> Self {
        Self::Token(Box::new(key))
    }

    /// What is written into the store: the key, or where it is.
    pub(super) fn to_text(&self) -> Result<String, KeyError> {
        match self {
            Self::File(key) => key.to_pem(),
            Self::Token(key) => Ok(in_token(key.uri())),
        }
    }

    /// Sees to it that it can sign: opens the token where it is in one.
    pub(super) fn ready(&self, location: impl FnOnce() -> String) -> Result<(), LocalError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Token(key) => key.ready().map_err(|source| LocalError::KeyInToken {
                location: location(),
                source,
            }),
        }
    }
}

impl Signer for AuthorityKey {
    fn public_key(&self) -> &PublicKey {
        match self {
            Self::File(key) => key.public_key(),
            Self::Token(key) => key.public_key(),
        }
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::File(key) => key.algorithm(),
            Self::Token(key) => key.algorithm(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::File(key) => key.sign(message),
            Self::Token(key) => key.sign(message),
        }
    }
}

/// The root's key, for the certificate that is there.
pub(super) fn load_root_key(
    store: &dyn Store,
    tokens: &Tokens,
    public: &PublicKey,
) -> Result<Option<AuthorityKey>, LocalError> {
    let read = |file: Object| {
        AuthorityKey::read(&file.bytes, tokens, public).map_err(|error| error.at(store))
    };
    store.get(&object(ROOT_KEY))?.map(read).transpose()
}

/// The key for a root that is to be made. What a start left that was broken off is used, where it is
/// what is planned.
pub(super) fn for_new_root(
    store: &FileStore,
    plan: &Plan,
    tokens: &Tokens,
) -> Result<AuthorityKey, LocalError> {
    let left = store.get(&object(ROOT_KEY))?;
    let version = left.as_ref().map(|file| file.version.clone());
    let bytes = left.map(|file| file.bytes).unwrap_or_default();
    let left = token_uri(&bytes).map_err(|error| AuthorityKeyError::from(error).at(store))?;
    let put =
        |text: &str| store.put_if_unchanged(&object(ROOT_KEY), text.as_bytes(), version.as_ref());
    let in_token_at = |source| LocalError::KeyInToken {
        location: store.location(&object(ROOT_KEY)),
        source,
    };
    let uri = match (&plan.root_key, left) {
        (Some(planned), Some(left)) if left.is_in(planned) => Some(left),
        (Some(planned), _) => {
            // Written before the key is made: after a crash between both it is found, not forgotten.
            let uri = if planned.names_key() {
                planned.clone()
            } else {
                planned
                    .clone()
                    .for_new_key(ROOT_LABEL)
                    .map_err(in_token_at)?
            };
            put(&in_token(&uri))?;
            Some(uri)
        }
        (None, left) => left,
    };
    if let Some(uri) = uri {
        let key = TokenKey::open_or_generate(tokens, &uri, plan.key_type).map_err(in_token_at)?;
        return Ok(AuthorityKey::token(key));
    }
    if !bytes.is_empty() {
        let key = PrivateKey::from_pem(&bytes).map_err(|e| AuthorityKeyError::from(e).at(store))?;
        if key.key_type() == plan.key_type {
            return Ok(AuthorityKey::File(key));
        }
    }
    let key = AuthorityKey::generate(None, tokens, ROOT_LABEL, plan.key_type)?;
    put(&key.to_text().map_err(AuthorityError::Key)?)?;
    Ok(key)
}

impl AuthorityKeyError {
    fn at(self, store: &dyn Store) -> LocalError {
        let location = store.location(&object(ROOT_KEY));
        match self {
            Self::Key(source) => LocalError::RootKeyDamaged { location, source },
            Self::Uri(source) => LocalError::KeyUri { location, source },
        }
    }
}

/// The text that stands for a key which is in a token.
pub(super) fn in_token(uri: &TokenUri) -> String {
    format!("# This key is in a PKCS#11 token (RFC 7512). Nothing here is secret.\n{uri}\n")
}

/// The URI in a file that has one in the place of a private key.
pub(super) fn token_uri(bytes: &[u8]) -> Result<Option<TokenUri>, TokenUriError> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("PRIVATE KEY-----") {
        return Ok(None);
    }
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| line.starts_with("pkcs11:"))
        .map(str::parse)
        .transpose()
}

pub(super) const ROOT_LABEL: &str = "Ravelin root";

/// The label of intermediates' keys, which are told apart by their identifiers.
pub(super) const INTERMEDIATE_LABEL: &str = "Ravelin intermediate";
