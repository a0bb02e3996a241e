//! An axum app over HTTPS, HTTP/2 and HTTP/1.1, with a certificate of the local CA:
//!
//!     cargo run -p ravelin-server --example axum
//!     curl --cacert <(cargo run -- ca root) https://localhost:8443
#![allow(clippy::print_stdout, reason = "a program may print")]

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Version;
use axum::routing::{get, post};
use axum::{Extension, Router};
use ravelin_server::{BoxError, Builder, Connection, Listener, local_tls};

fn main() -> Result<(), BoxError> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:8443".to_owned());

    let app = Router::new()
        .route("/", get(hello))
        .route("/echo", post(echo));
    let mut server = Builder::new(local_tls(&["localhost".parse()?])?).serve(app)?;
    server.listen(Listener::bind(address.parse()?, server.workers())?);

    for address in server.addresses() {
        println!(
            "https://localhost:{} (Enter ends the server)",
            address.port()
        );
    }
    std::io::stdin().read_line(&mut String::new())?;
    Ok(server.shutdown()?)
}

/// Handlers learn from the request's extensions whom they talk to, and how.
async fn hello(version: Version, Extension(connection): Extension<Arc<Connection>>) -> String {
    let tls = connection
        .tls
        .as_ref()
        .map_or("plain text", |tls| tls.version);
    format!(
        "hello {}, over {version:?} and {tls}\n",
        connection.peer.ip()
    )
}

async fn echo(body: Bytes) -> Bytes {
    body
}
