//! What `ravelin ca serve` says.

use std::net::SocketAddr;

use ravelin_certs::local::issuer_id;
use ravelin_pki::Certificate;

use super::{BOLD, DIM, LINK, tell, until};

/// Where the CA answers, and for which issuers.
pub(crate) fn started(addresses: &[SocketAddr], issuers: &[Certificate]) {
    say!("{BOLD}Ravelin{BOLD:#} answers for a CA: OCSP, CRLs and its certificates\n");
    for address in addresses {
        say!("  {LINK}http://{address}{LINK:#}");
    }
    say!("");
    for issuer in issuers {
        let id = issuer_id(&issuer.public_key().fingerprint());
        say!(
            "{id}  {}, good until {}",
            issuer.subject(),
            until(issuer.not_after())
        );
    }
    say!("\n{DIM}paths{DIM:#}        /ocsp  /crl/ISSUER.crl  /issuer/ISSUER.cer");
}
