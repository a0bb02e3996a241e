//! Options about a CA that is asked for certificates over ACME.

use std::path::PathBuf;

use clap::Args;

use super::super::config::{contact_of, directory_of};
use crate::listen_on::ListenOn;

/// With whom there is to be an account, and how names are proved.
#[derive(Debug, Args)]
#[command(next_help_heading = "ACME")]
#[group(skip)]
pub(crate) struct AcmeArguments {
    /// Ask a CA for a certificate for the names of --host: Let's Encrypt, where --acme-directory names no other
    #[arg(long, requires = "host", conflicts_with_all = ["config", "cert"])]
    pub(crate) acme: bool,
    /// Agree to the terms of service of the CA, which you have read
    #[arg(long, requires = "acme")]
    pub(crate) agree_to_terms: bool,
    /// The address of the CA's directory [default: that of Let's Encrypt]
    #[arg(long, value_name = "URL", requires = "acme", value_parser = directory)]
    pub(crate) acme_directory: Option<String>,
    /// Where the CA may write to; repeatable
    #[arg(long, value_name = "ADDRESS", requires = "acme", value_parser = contact)]
    pub(crate) acme_contact: Vec<String>,
    /// Answer challenges over plain HTTP there, in place of TLS on the tunnel: *:80, to which CAs connect
    #[arg(long, value_name = "WHERE", requires = "acme")]
    pub(crate) acme_http: Option<ListenOn>,
    /// The identifier of the account that the CA wants this one bound to (EAB)
    #[arg(long, value_name = "ID", requires = "acme", requires = "acme_eab_key")]
    pub(crate) acme_eab_id: Option<String>,
    /// The file with the key of that account, in base64url
    #[arg(long, value_name = "FILE", requires = "acme_eab_id")]
    pub(crate) acme_eab_key: Option<PathBuf>,
    /// The kind of certificate, where the CA has several
    #[arg(long, value_name = "NAME", requires = "acme")]
    pub(crate) acme_profile: Option<String>,
    /// The roots of the CA's own server: a file, a folder of files, "system" or "local"; repeatable [default: system]
    #[arg(long, value_name = "FILE|DIR|system|local", requires = "acme")]
    pub(crate) acme_ca: Vec<PathBuf>,
}

fn directory(text: &str) -> Result<String, String> {
    directory_of(text).map_err(|(what, mend)| format!("{what}: {mend}"))
}

fn contact(text: &str) -> Result<String, String> {
    contact_of(text).map_err(|(what, mend)| format!("{what}: {mend}"))
}
