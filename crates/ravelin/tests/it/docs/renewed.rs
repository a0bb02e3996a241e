// As docs/library.md shows it, from here on.

use std::time::Duration;

use ravelin_pki::HostName;
use ravelin_server::{Server, local_tls};

pub fn keep_renewed(server: &Server, names: &[HostName]) {
    loop {
        std::thread::sleep(Duration::from_secs(24 * 60 * 60));
        match local_tls(names) {
            Ok(tls) => server.set_tls(tls),
            // What is served is good for weeks more.
            Err(error) => eprintln!("the certificate was not renewed: {error}"),
        }
    }
}
