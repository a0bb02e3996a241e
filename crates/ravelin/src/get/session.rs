//! Cookies and a login that are kept under a name, for one host.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use ravelin_certs::store::{NewFile, write_together};
use ravelin_client::{Credentials, Jar, Request, Url};
use serde::{Deserialize, Serialize};

use crate::arguments::get::RequestArguments;
use crate::failure::Failure;
use crate::ravelin_home;

/// A session, and where it is.
#[derive(Debug)]
pub(super) struct Session {
    path: PathBuf,
    kept: Kept,
}

/// What is in its file.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    cookies: Jar,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    login: Option<Login>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "by")]
enum Login {
    Basic { user: String, password: String },
    Bearer { token: String },
    Digest { user: String, password: String },
}

impl Session {
    /// The session that was asked for, with what was kept of it.
    pub(super) fn open(arguments: &RequestArguments, url: &Url) -> Result<Option<Self>, Failure> {
        let Some(name) = &arguments.login.session else {
            return Ok(None);
        };
        let is_name = !name.is_empty()
            && !name.starts_with('.')
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "-_.".contains(c));
        if !is_name {
            return Err(
                Failure::usage(format!("\"{name}\" is no name for a session"))
                    .hint("letters, digits, -, _ and . may be in it".to_owned()),
            );
        }
        let (host, port) = (url.host_str().unwrap_or_default(), url.port());
        let mut folder = host.trim_matches(['[', ']']).replace(':', "-");
        if let Some(port) = port {
            folder = format!("{folder}_{port}");
        }
        let home = ravelin_home::folder(&arguments.home)?;
        let path = home
            .join("sessions")
            .join(folder)
            .join(format!("{name}.json"));
        let kept = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::local(format!("cannot use \"{}\": {error}", path.display()))
                    .hint("the session begins anew where it is taken away".to_owned())
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Kept::default(),
            Err(error) => {
                let shown = path.display();
                return Err(Failure::local(format!("cannot read \"{shown}\": {error}")));
            }
        };
        Ok(Some(Self { path, kept }))
    }

    pub(super) fn cookies(&self) -> Jar {
        self.kept.cookies.clone()
    }

    pub(super) fn credentials(&self) -> Option<Credentials> {
        Some(match self.kept.login.as_ref()? {
            Login::Basic { user, password } => Credentials::Basic {
                user: user.clone(),
                password: password.clone(),
            },
            Login::Digest { user, password } => Credentials::Digest {
                user: user.clone(),
                password: password.clone(),
            },
            Login::Bearer { token } => Credentials::Bearer(token.clone()),
        })
    }

    /// Writes down what there is now, for its owner alone.
    pub(super) fn keep(&mut self, cookies: Jar, request: &Request) -> Result<(), Failure> {
        self.kept.cookies = cookies;
        if let Some(credentials) = request.who() {
            self.kept.login = Some(match credentials.clone() {
                Credentials::Basic { user, password } => Login::Basic { user, password },
                Credentials::Digest { user, password } => Login::Digest { user, password },
                Credentials::Bearer(token) => Login::Bearer { token },
            });
        }
        let bytes = serde_json::to_vec_pretty(&self.kept).map_err(|error| Failure::of(&error))?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| {
                Failure::local(format!("cannot make \"{}\": {error}", folder.display()))
            })?;
        }
        let new = NewFile {
            path: self.path.clone(),
            bytes: &bytes,
            private: true,
        };
        write_together(&[new], true).map_err(|error| Failure::of(&error).hint(error.hint()))
    }
}
