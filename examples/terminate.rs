//! TLS in front of a service, with the library of `ravelin tunnel`:
//!
//! ```sh
//! cargo run -p ravelin-tunnel --example terminate -- 127.0.0.1:8443 127.0.0.1:8080 chain.pem key.pem
//! ```
//!
//! Each connection is told of when it is over. Ctrl-C ends the program, connections and all.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ravelin_pki::pem;
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};
use ravelin_tunnel::{
    Backends, Balance, Builder, Door, Entry, Limits, Place, Service, Target, Terminate, Tunnel,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, to, chain, key] = &arguments[..] else {
        return Err(
            "write LISTEN TO CHAIN KEY: 127.0.0.1:8443 127.0.0.1:8080 chain.pem key.pem".into(),
        );
    };
    let (host, port) = to.rsplit_once(':').ok_or("TO is a host and a port")?;

    let chain = pem::certificates(&std::fs::read(chain)?)?;
    let key = pem::private_key(&std::fs::read(key)?)?;
    let served = ServedCertificate::new(chain, key, &[])?;
    let tls = ServerTls::new(Arc::new(Certificates::new(served)), &Tickets::new()?, &[])?;

    let service = Service {
        backends: Backends::new(
            vec![Target::Tcp {
                host: host.to_owned(),
                port: port.parse()?,
            }],
            Balance::First,
        ),
        originate: None,
        proxy_header: None,
        connect_timeout: Duration::from_secs(5),
    };
    let mut tunnels = Builder::default()
        .on_record(|record| println!("{:?} {}", record.client, record.ending))
        .on_notice(|notice| eprintln!("{notice:?}"))
        .start()?;
    let door = Door::open(&[], &Place::Tcp(listen.parse()?), tunnels.workers())?;
    println!("listening on {}", door.place());
    let tunnel = Tunnel {
        name: "example".into(),
        listen: vec![door.place()],
        takes_proxy_header: false,
        entry: Entry::Terminate(Box::new(Terminate {
            tls,
            not_after: None,
            starttls: None,
            allow: Vec::new(),
        })),
        routes: Vec::new(),
        service: Some(Arc::new(service)),
        limits: Limits::default(),
        meters: Arc::default(),
    };
    tunnels.set(vec![tunnel], vec![door])?;
    loop {
        std::thread::park();
    }
}
