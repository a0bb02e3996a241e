//! A new root in the place of the old one, while both are trusted.
//!
//! The old root signs the new one's key as well (a cross-certificate). It is sent along with every
//! chain, so that clients that trust the old root alone accept what the new one issues, until the
//! last of them has the new one and the rollover is finished. The new root's key is made where the old
//! one's is: in a file, or in the same token.

use std::time::{Duration, SystemTime};

use ravelin_pki::authority::self_signed;
use ravelin_pki::{
    Authority, AuthorityError, Certificate, KeyType, Oid, Signer as _, Template, pem,
};
use time::OffsetDateTime;

use super::key::{self, AuthorityKey, ROOT_LABEL, load_root_key};
use super::root::ca_subject;
use super::{
    LEASE, LEASE_PATIENCE, LocalAuthority, LocalError, Plan, ROOT, ROOT_KEY, object, record, root,
};
use crate::journal::Journal;
use crate::journal::event::{AuthorityNoted, AuthorityRolledOver, Event};
use crate::store::{FileStore, ObjectName, Store};
use crate::token::{TokenError, TokenKey, TokenUri, Tokens};

/// What a rollover did.
#[derive(Debug, Clone)]
pub struct Rollover {
    /// The root that goes.
    pub old: Certificate,
    /// The root that comes.
    pub new: Certificate,
    /// The new root's key and name, signed by the old root: valid as long as that.
    pub cross: Certificate,
    /// Where the old root is kept.
    pub old_location: String,
}

/// What the new root is to be; all else is as with the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRoot {
    /// The kind of its key.
    pub key_type: KeyType,
    /// How long it is valid.
    pub life: Duration,
}

impl LocalAuthority {
    /// Makes a new root, has the old one sign it too, and puts it in the place of the old one.
    /// Intermediates and kept leaves are made anew when they are next needed; what was issued stays
    /// valid, and can still be revoked. Interrupted, it goes on where it was when it is called
    /// again.
    ///
    /// # Errors
    ///
    /// An earlier rollover is not finished, the old root's key is missing, or its path length leaves
    /// no room for the cross-certificate; or the store fails.
    pub fn rollover(
        store: &FileStore,
        tokens: &Tokens,
        new: NewRoot,
        now: SystemTime,
    ) -> Result<Option<Rollover>, LocalError> {
        let _lease = store.lease(&object(LEASE), LEASE_PATIENCE)?;
        let Some(old) = root::load(store)? else {
            return Ok(None);
        };
        let next = match load_next(store, tokens)? {
            // A rollover was interrupted. Its root is known already where its file was put in place.
            Some(next) => next,
            None if sent_cross(store, &old, now).is_some() => {
                return Err(LocalError::RolloverOpen {
                    root: old.subject().to_owned(),
                    location: store.location(&object(ROOT)),
                });
            }
            None => prepare(store, tokens, &old, new, now)?,
        };
        let (old, old_location) = step_down(store, tokens, &old, &next)?;
        // The root comes last: until then, all of the old one is in its place, and is gone on with.
        put(store, CROSS, next.cross.to_pem().as_bytes())?;
        let key = next.authority.key().to_text();
        put(
            store,
            ROOT_KEY,
            key.map_err(AuthorityError::Key)?.as_bytes(),
        )?;
        let certificate = next.authority.certificate();
        put(store, ROOT, certificate.to_pem().as_bytes())?;
        let event = AuthorityRolledOver {
            from: AuthorityNoted::new(&old),
            to: AuthorityNoted::new(next.authority.certificate()),
        };
        Journal::open(store)?.append(&[Event::AuthorityRolledOver(event)], now)?;
        store.delete(&object(NEXT))?;
        store.delete(&object(NEXT_KEY))?;
        Ok(Some(Rollover {
            old,
            new: next.authority.certificate().clone(),
            cross: next.cross,
            old_location,
        }))
    }

    /// Ends the overlap: the cross-certificate is not sent any more. Gives the roots that were
    /// replaced, which nobody needs to trust from now on.
    pub fn finish_rollover(store: &FileStore) -> Result<Vec<(Certificate, String)>, LocalError> {
        let _lease = store.lease(&object(LEASE), LEASE_PATIENCE)?;
        store.delete(&object(CROSS))?;
        let former = former_roots(store)?.into_iter();
        Ok(former
            .map(|(root, name)| (root, store.location(&name)))
            .collect())
    }

    /// The cross-certificate that is sent behind the intermediate, while there is an overlap.
    pub(super) fn cross(&self, now: SystemTime) -> Option<Certificate> {
        sent_cross(&self.store, &self.root, now)
    }
}

/// The certificate that the root before this one gave it, while that is good and the rollover is not
/// finished.
fn sent_cross(store: &FileStore, root: &Certificate, now: SystemTime) -> Option<Certificate> {
    let object = store.get(&object(CROSS)).ok()??;
    let ders = pem::certificates(&object.bytes).ok()?;
    let cross = Certificate::from_der(ders.first()?).ok()?;
    let ours = cross.public_key() == root.public_key() && cross.is_valid_at(now);
    ours.then_some(cross)
}

/// The roots that were replaced, each with the object that it is kept in.
pub(super) fn former_roots(
    store: &FileStore,
) -> Result<Vec<(Certificate, ObjectName)>, LocalError> {
    let mut roots = Vec::new();
    for name in store.list(FORMER)? {
        let Some(object) = store.get(&name)? else {
            continue;
        };
        if let Ok(ders) = pem::certificates(&object.bytes)
            && let Ok(root) = Certificate::from_der(&ders[0])
        {
            roots.push((root, name));
        }
    }
    Ok(roots)
}

/// A root that is to come, with its cross-certificate.
struct Next {
    authority: Authority<AuthorityKey>,
    cross: Certificate,
}

/// One file has all of it, so that it is there whole or not at all.
fn load_next(store: &FileStore, tokens: &Tokens) -> Result<Option<Next>, LocalError> {
    let Some(object) = store.get(&object(NEXT))? else {
        return Ok(None);
    };
    let read = || {
        let ders = pem::certificates(&object.bytes).ok()?;
        let certificate = Certificate::from_der(ders.first()?).ok()?;
        let key = AuthorityKey::read(&object.bytes, tokens, certificate.public_key()).ok()?;
        let cross = Certificate::from_der(ders.get(1)?).ok()?;
        let authority = Authority::new(certificate, key).ok()?;
        Some(Next { authority, cross })
    };
    // A file that cannot be read was not written by us: it is made anew.
    Ok(read())
}

fn prepare(
    store: &FileStore,
    tokens: &Tokens,
    old: &Certificate,
    new: NewRoot,
    now: SystemTime,
) -> Result<Next, LocalError> {
    let location = store.location(&object(ROOT_KEY));
    let key =
        load_root_key(store, tokens, old.public_key())?.ok_or(LocalError::RootKeyMissing {
            location: location.clone(),
        })?;
    let old = Authority::new(old.clone(), key).map_err(|_| LocalError::RootKeyMismatch {
        key: location,
        root: store.location(&object(ROOT)),
    })?;
    old.key().ready(|| store.location(&object(ROOT_KEY)))?;
    let certificate = old.certificate();
    let key = match old.key() {
        AuthorityKey::File(_) => AuthorityKey::generate(None, tokens, "", new.key_type)?,
        AuthorityKey::Token(old) => key_beside(store, tokens, old.uri(), new.key_type, now)?,
    };
    let organization = certificate.subject_name().get(&Oid::ORGANIZATION);
    let plan = Plan {
        organization: organization.unwrap_or_default().to_owned(),
        ..Plan::default()
    };
    let common_name = root::name_of(&plan, key.public_key());
    let mut template = Template::ca(ca_subject(&plan, &common_name), plan.path_length);
    template.name_constraints = certificate.name_constraints().cloned();
    // The same names and constraints, one CA fewer below it than below the old root.
    let mut cross = template.clone();
    cross.ca = Some(Some(1));
    let cross = old.issue(&cross, key.public_key(), new.life, now)?;
    let cross = Certificate::from_der(&cross).map_err(AuthorityError::ReadBack)?;
    let authority = self_signed(&template, key, new.life, now)?;
    let issued = record::issued(&cross, certificate, "cross", None);
    record::append(store, &[issued, record::made(authority.certificate())], now)?;
    let text = authority.key().to_text().map_err(AuthorityError::Key)?
        + &authority.certificate().to_pem()
        + &cross.to_pem();
    put(store, NEXT, text.as_bytes())?;
    Ok(Next { authority, cross })
}

/// The key for the new root in the token that has the old one's. Which it is to be is written down
/// first: after a crash, the one that was made is found by that, and not left in the token for ever.
fn key_beside(
    store: &FileStore,
    tokens: &Tokens,
    old: &TokenUri,
    key_type: KeyType,
    now: SystemTime,
) -> Result<AuthorityKey, LocalError> {
    let location = store.location(&object(NEXT_KEY));
    let in_token = |source| LocalError::KeyInToken {
        location: location.clone(),
        source,
    };
    let token = old.clone().with_key(None, None);
    let left = store.get(&object(NEXT_KEY))?;
    let left = left.and_then(|file| key::token_uri(&file.bytes).ok()?);
    if let Some(uri) = left.filter(|uri| uri.is_in(&token)) {
        match TokenKey::open_or_generate(tokens, &uri, key_type) {
            // Of another kind than is wanted now: another one is made.
            Err(TokenError::KeyThere { .. }) => {}
            other => return other.map(AuthorityKey::token).map_err(in_token),
        }
    }
    // People tell the roots apart by the day, and Ravelin by the identifier.
    let label = format!("{ROOT_LABEL} of {}", OffsetDateTime::from(now).date());
    let uri = token.for_new_key(&label).map_err(in_token)?;
    put(store, NEXT_KEY, key::in_token(&uri).as_bytes())?;
    TokenKey::open_or_generate(tokens, &uri, key_type)
        .map(AuthorityKey::token)
        .map_err(in_token)
}

/// Keeps the old root and its key under other names. After an interruption, the place of the old
/// root may have been taken already: then it is there under its other name.
fn step_down(
    store: &FileStore,
    tokens: &Tokens,
    current: &Certificate,
    next: &Next,
) -> Result<(Certificate, String), LocalError> {
    if current.der() == next.authority.certificate().der() {
        let former = former_roots(store)?;
        let issued = |(root, _): &&(Certificate, ObjectName)| next.cross.is_signed_by(root);
        if let Some((root, name)) = former.iter().find(issued) {
            return Ok((root.clone(), store.location(name)));
        }
    }
    let digits = current.public_key().fingerprint().short();
    if let Some(key) = store.get(&object(ROOT_KEY))?
        && AuthorityKey::read(&key.bytes, tokens, current.public_key())
            .is_ok_and(|key| key.public_key().bits() == current.public_key().bits())
    {
        put(store, &format!("{FORMER}{digits}.key"), &key.bytes)?;
    }
    let name = format!("{FORMER}{digits}.pem");
    put(store, &name, current.to_pem().as_bytes())?;
    let name: ObjectName = name.parse()?;
    Ok((current.clone(), store.location(&name)))
}

/// Writes an object, whatever was there: the lease is held.
fn put(store: &FileStore, name: &str, bytes: &[u8]) -> Result<(), LocalError> {
    let name: ObjectName = name.parse()?;
    let there = store.get(&name)?;
    if there.as_ref().is_some_and(|object| object.bytes == bytes) {
        return Ok(());
    }
    let version = there.map(|object| object.version);
    store.put_if_unchanged(&name, bytes, version.as_ref())?;
    Ok(())
}

const NEXT: &str = "ca/next-root.pem";
const NEXT_KEY: &str = "ca/next-root.key";
const CROSS: &str = "ca/cross.pem";
const FORMER: &str = "ca/former-root-";
