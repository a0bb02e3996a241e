//! What is shown to ACME servers that look whether a name leads here: over TLS by whoever ends TLS in this process, over
//! plain HTTP here.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ravelin_certs::acme::{Answer, Answers};
use ravelin_pki::HostName;
use ravelin_tls::Challenges;

use crate::failure::chain;
use crate::plain_http;

/// Both kinds. Clones are the same.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) tls: Challenges,
    /// The texts by their tokens.
    http: Arc<Mutex<HashMap<String, String>>>,
}

impl Shown {
    pub(crate) fn new(tls: Challenges) -> Self {
        Self {
            tls,
            http: Arc::default(),
        }
    }

    /// Answers who asks over plain HTTP, and nothing but challenges (RFC 8555, section 8.3).
    pub(crate) async fn serve(self, listener: TcpListener) {
        let answer = move |path: &str| {
            let token = path.strip_prefix("/.well-known/acme-challenge/");
            let text = token.and_then(|token| self.texts().get(token).cloned());
            match text {
                Some(text) => plain_http::Answer {
                    is_found: true,
                    media_type: "application/octet-stream",
                    body: text,
                },
                None => plain_http::Answer::text(false, "nothing is here\n".to_owned()),
            }
        };
        plain_http::serve(listener, answer).await;
    }

    fn texts(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for Shown {
    fn show(&self, name: &HostName, answer: &Answer) -> Result<(), String> {
        match answer {
            Answer::Http { token, content } => {
                self.texts().insert(token.clone(), content.clone());
                Ok(())
            }
            Answer::TlsAlpn { certificate, key } => self
                .tls
                .answer(name, certificate.clone(), key.clone_key())
                .map_err(|error| chain(&error)),
        }
    }

    fn withdraw(&self, name: &HostName, answer: &Answer) {
        match answer {
            Answer::Http { token, .. } => {
                self.texts().remove(token);
            }
            Answer::TlsAlpn { .. } => self.tls.withdraw(name),
        }
    }
}
