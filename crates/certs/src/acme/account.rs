//! The account with a CA, kept in the store from one start to the next.

use instant_acme::{Account, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::error::AcmeError;
use super::transport::Transport;
use crate::store::{FileStore, ObjectName, Store as _, StoreError};

/// `account.json`.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    contact: Vec<String>,
    credentials: AccountCredentials,
}

/// The account that is kept; a new one where there is none. Where the contact has changed, the CA is told.
pub(super) async fn open(
    store: &FileStore,
    name: &ObjectName,
    settings: &Settings,
    transport: &Transport,
) -> Result<Account, AcmeError> {
    let object = store.get(name)?;
    let kept = object
        .as_ref()
        .and_then(|object| serde_json::from_slice::<Kept>(&object.bytes).ok());
    // Another directory's account would send its requests there.
    let kept = kept.filter(|kept| kept.directory == settings.directory);
    let Some(kept) = kept else {
        return make(store, name, settings, transport).await;
    };
    let contact = kept.contact;
    let builder = Account::builder_with_http(Box::new(transport.clone()));
    let account = builder
        .from_credentials(kept.credentials)
        .await
        .map_err(|error| AcmeError::of(error, "its directory", transport))?;
    if contact != settings.contact {
        let wanted: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
        account
            .update_contacts(&wanted)
            .await
            .map_err(|error| AcmeError::of(error, "the contact", transport))?;
        if let Some(object) = &object
            && let Ok(mut kept) = serde_json::from_slice::<Kept>(&object.bytes)
        {
            kept.contact.clone_from(&settings.contact);
            put(store, name, &kept, Some(&object.version))?;
        }
    }
    Ok(account)
}

async fn make(
    store: &FileStore,
    name: &ObjectName,
    settings: &Settings,
    transport: &Transport,
) -> Result<Account, AcmeError> {
    let meta = transport.look().await?;
    if let Some(terms) = meta.terms_of_service.filter(|_| !settings.agrees_to_terms) {
        return Err(AcmeError::Terms { terms });
    }
    let external = settings.external_account.as_ref();
    if meta.external_account_required && external.is_none() {
        return Err(AcmeError::Binding);
    }
    let binding = external.map(super::ExternalAccount::key);
    let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contact,
        terms_of_service_agreed: settings.agrees_to_terms,
        only_return_existing: false,
    };
    let before = store.get(name)?.map(|object| object.version);
    let (account, credentials) = Account::builder_with_http(Box::new(transport.clone()))
        .create(&wanted, settings.directory.clone(), binding.as_ref())
        .await
        .map_err(|error| AcmeError::of(error, "an account", transport))?;
    let kept = Kept {
        directory: settings.directory.clone(),
        contact: settings.contact.clone(),
        credentials,
    };
    match put(store, name, &kept, before.as_ref()) {
        // Another process was faster: both accounts are good, and the next start takes that one.
        Ok(()) | Err(StoreError::Changed { .. }) => Ok(account),
        Err(error) => Err(error.into()),
    }
}

fn put(
    store: &FileStore,
    name: &ObjectName,
    kept: &Kept,
    before: Option<&crate::store::Version>,
) -> Result<(), StoreError> {
    let text = serde_json::to_vec_pretty(kept).unwrap_or_default();
    store.put_if_unchanged(name, &text, before)?;
    Ok(())
}
