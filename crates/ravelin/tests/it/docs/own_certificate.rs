// As docs/library.md shows it, from here on.

use std::path::Path;
use std::sync::Arc;

use ravelin_server::{ALPN, BoxError};
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};

pub fn own_tls(fullchain: &Path, key: &Path) -> Result<ServerTls, BoxError> {
    let chain = ravelin_pki::pem::certificates(&std::fs::read(fullchain)?)?;
    let key = ravelin_pki::pem::private_key(&std::fs::read(key)?)?;
    let served = ServedCertificate::new(chain, key, &["example.org".parse()?])?;
    let certificates = Arc::new(Certificates::new(served));
    Ok(ServerTls::new(certificates, &Tickets::new()?, ALPN)?)
}
