// As docs/library.md shows it, from here on.

use std::time::Duration;

use ravelin_pki::HostName;
use ravelin_server::{BoxError, Server, local_tls};

pub fn keep_renewed(server: &Server, names: &[HostName]) -> Result<(), BoxError> {
    loop {
        std::thread::sleep(Duration::from_secs(24 * 60 * 60));
        server.set_tls(local_tls(names)?);
    }
}
