//! A key in a token, which signs as one in a file does.

use std::fmt;
use std::sync::Mutex;

use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::object::{Attribute, ObjectHandle};
use ravelin_pki::{KeyType, PublicKey, SignError, SignatureAlgorithm, Signer};

use super::{Access, OpenToken, TokenError, TokenUri, Tokens, failed, form, label, lock};
use crate::causes;

/// A private key in a token: ECDSA, Ed25519 or RSA.
///
/// It may be used by many threads, which sign one after the other. Its session is opened when it is
/// first needed, and anew when it was lost. Each signature is checked before it is given away: one
/// that is wrong by a fault of the token can betray the key.
pub struct TokenKey {
    tokens: Tokens,
    uri: TokenUri,
    public: PublicKey,
    session: Mutex<Option<OpenKey>>,
}

struct OpenKey {
    token: OpenToken,
    private: ObjectHandle,
}

impl TokenKey {
    /// Finds a key.
    ///
    /// # Errors
    ///
    /// The token or the key is not there, the PIN is wrong, or more than one key fits.
    pub fn open(tokens: &Tokens, uri: &TokenUri) -> Result<Self, TokenError> {
        let token = tokens.open(uri, Access::Read)?;
        let (private, public) = token.found(tokens, uri)?;
        let public = public.filter(|key| key.key_type().is_some());
        let public = public.ok_or_else(|| TokenError::NoPublicHalf {
            uri: Box::new(uri.clone()),
        })?;
        let key = Self::expected(tokens, uri, public);
        *lock(&key.session) = Some(OpenKey { token, private });
        Ok(key)
    }

    /// The key whose public half is known, as from its certificate: nothing is looked for, and
    /// nobody asked for a PIN, before it is to sign.
    #[must_use]
    pub fn expected(tokens: &Tokens, uri: &TokenUri, public: PublicKey) -> Self {
        Self {
            tokens: tokens.clone(),
            uri: uri.clone(),
            public,
            session: Mutex::default(),
        }
    }

    /// Makes a key in a token. It cannot be read out. The URI says which, or is completed: see
    /// [`Self::uri`].
    ///
    /// # Errors
    ///
    /// There is such a key already, or the token makes none of this kind.
    pub fn generate(
        tokens: &Tokens,
        uri: &TokenUri,
        key_type: KeyType,
    ) -> Result<Self, TokenError> {
        let token = tokens.open(uri, Access::Write)?;
        let alone = lock(&tokens.shared.objects);
        if uri.names_key()
            && let Some(there) = token.private_keys(uri)?.first()
        {
            let public = token.public_half(*there)?;
            return Err(TokenError::KeyThere {
                uri: Box::new(uri.clone()),
                key: public.map_or_else(|| "unknown".to_owned(), |key| key.kind()),
            });
        }
        let uri = uri.clone().for_new_key(LABEL)?;
        token.generate(&uri, key_type)?;
        drop(alone);
        Self::open(tokens, &uri)
    }

    /// Finds a key, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// As of both; [`TokenError::KeyThere`] where it is of another kind.
    pub fn open_or_generate(
        tokens: &Tokens,
        uri: &TokenUri,
        key_type: KeyType,
    ) -> Result<Self, TokenError> {
        match Self::open(tokens, uri) {
            Ok(key) if key.public.key_type() == Some(key_type) => Ok(key),
            Ok(key) => Err(TokenError::KeyThere {
                uri: Box::new(uri.clone()),
                key: key.public.kind(),
            }),
            Err(TokenError::NoKey { .. }) => Self::generate(tokens, uri, key_type),
            Err(error) => Err(error),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn uri(&self) -> &TokenUri {
        &self.uri
    }

    /// Opens the session where there is none yet, so that what is wrong is told as what it is, and
    /// before anything is done.
    ///
    /// # Errors
    ///
    /// The token or the key is not there, is another's, or the PIN is wrong.
    pub fn ready(&self) -> Result<(), TokenError> {
        let mut session = lock(&self.session);
        if session.is_none() {
            *session = Some(self.find()?);
        }
        Ok(())
    }

    /// Signs, as [`Signer::sign`] does.
    ///
    /// # Errors
    ///
    /// The token is gone, or refuses.
    pub fn signed(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let mut session = lock(&self.session);
        let was_open = session.is_some();
        match self.sign_in(&mut session, message) {
            // Once more, as after a card was pulled and put back; not where that was tried just now.
            Err(error) if was_open && error.is_lost() => self.sign_in(&mut session, message),
            other => other,
        }
    }

    fn sign_in(
        &self,
        session: &mut Option<OpenKey>,
        message: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        let open = match session.take() {
            Some(open) => open,
            None => self.find()?,
        };
        let algorithm = self.algorithm();
        let (mechanism, input) =
            form::signing(algorithm, message).ok_or_else(|| TokenError::Kind {
                token: label(&open.token.info),
                key_type: self.public.key_type().unwrap_or_default(),
            })?;
        let raw = open
            .token
            .session
            .sign(&mechanism, open.private, &input)
            .map_err(failed(&open.token.info))?;
        // Kept where it was good alone: what is wrong with it may be told by opening it anew.
        *session = Some(open);
        form::signature(algorithm, raw)
            .filter(|signature| algorithm.verify(&self.public, message, signature).is_ok())
            .ok_or_else(|| TokenError::Signature {
                uri: Box::new(self.uri.clone()),
            })
    }

    fn find(&self) -> Result<OpenKey, TokenError> {
        let token = self.tokens.open(&self.uri, Access::Read)?;
        let (private, public) = token.found(&self.tokens, &self.uri)?;
        // Where the token does not tell it, the first signature does.
        if public.is_some_and(|public| public != self.public) {
            return Err(TokenError::OtherKey {
                uri: Box::new(self.uri.clone()),
            });
        }
        Ok(OpenKey { token, private })
    }
}

impl OpenToken {
    /// A key, and its public half where the token tells it.
    fn found(
        &self,
        tokens: &Tokens,
        uri: &TokenUri,
    ) -> Result<(ObjectHandle, Option<PublicKey>), TokenError> {
        let _alone = lock(&tokens.shared.objects);
        let private = self.private_key(uri)?;
        Ok((private, self.public_half(private)?))
    }

    fn generate(&self, uri: &TokenUri, key_type: KeyType) -> Result<(), TokenError> {
        let kind = || TokenError::Kind {
            token: label(&self.info),
            key_type,
        };
        let (mechanism, forms) = form::generation(key_type).ok_or_else(kind)?;
        let named = [
            Attribute::Token(true),
            Attribute::Label(uri.object().unwrap_or_default().as_bytes().to_vec()),
            Attribute::Id(uri.id().unwrap_or_default().to_vec()),
        ];
        let mut private = named.to_vec();
        private.extend([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        let mut refused = None;
        for form in forms {
            let mut public = named.to_vec();
            public.extend([Attribute::Private(false), Attribute::Verify(true)]);
            public.extend(form);
            match self
                .session
                .generate_key_pair(&mechanism, &public, &private)
            {
                Ok(_) => return Ok(()),
                Err(error) => refused = Some(error),
            }
        }
        Err(match refused {
            Some(CryptokiError::Pkcs11(
                RvError::MechanismInvalid | RvError::CurveNotSupported | RvError::KeySizeRange,
                _,
            ))
            | None => kind(),
            Some(error) => failed(&self.info)(error),
        })
    }
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.public
            .key_type()
            .unwrap_or_default()
            .signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signed(message).map_err(|error| SignError {
            key: self.public.fingerprint().short(),
            reason: causes::chain(&error),
        })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("uri", &self.uri.to_string())
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The label of keys that were given none.
const LABEL: &str = "ravelin";
