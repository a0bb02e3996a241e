//! Requests to ACME servers, by the client that `ravelin get` is.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use ravelin_certs::acme::{Http, HttpFuture};
use ravelin_client::{Client, Proxies, Trust};
use ravelin_pki::CertificateDer;

use crate::arguments::HomeArgument;
use crate::cert::roots::{self, Place, Roots};
use crate::config::AcmeConfig;
use crate::failure::{Failure, chain};

/// A client of HTTPS for one CA.
#[derive(Clone)]
pub(super) struct Requests {
    client: Arc<Client>,
    /// Whom it believes.
    pub(super) roots: Vec<CertificateDer<'static>>,
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Requests")
    }
}

impl Requests {
    pub(super) fn new(config: &AcmeConfig, home: &HomeArgument) -> Result<Self, Failure> {
        let places = match &config.ca[..] {
            [] => vec![Place::System],
            some => roots::places(some),
        };
        let roots = Roots::read(&places, home)?;
        let proxies = Proxies::from_environment(|name| std::env::var(name).ok())
            .map_err(|error| Failure::usage(chain(&error)))?;
        let client = Client::builder()
            .trust(Trust::roots(roots.ders.iter().cloned()))
            .proxies(proxies)
            .redirects(0)
            .decompress(false)
            .timeout(PATIENCE)
            .longest(LONGEST)
            .build()
            .map_err(|error| Failure::usage(chain(&error)))?;
        Ok(Self {
            client: Arc::new(client),
            roots: roots.ders,
        })
    }

    async fn exchange(self, request: Request<Bytes>) -> Result<Response<Bytes>, Wrong> {
        let (head, body) = request.into_parts();
        let fields: HeaderMap = head.headers;
        let request = ravelin_client::Request::new(head.method, &head.uri.to_string())?
            .headers(fields)
            .body(body);
        let mut answer = self.client.send(request).await?;
        let body = answer.bytes(LONGEST).await?;
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

type Wrong = Box<dyn Error + Send + Sync>;

impl Http for Requests {
    fn send(&self, request: Request<Bytes>) -> HttpFuture {
        Box::pin(self.clone().exchange(request))
    }
}

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Chains are a few KiB; so are directories.
const LONGEST: u64 = 1 << 20;
