// As docs/library.md shows it, from here on.

use axum::{Router, routing::get};
use ravelin_server::{BoxError, Builder, Listener, local_tls};

fn main() -> Result<(), BoxError> {
    let app = Router::new().route("/", get(|| async { "hello\n" }));
    let mut server = Builder::new(local_tls(&["localhost".parse()?])?).serve(app)?;
    server.listen(Listener::bind("127.0.0.1:8443".parse()?, server.workers())?);
    std::io::stdin().read_line(&mut String::new())?;
    Ok(server.shutdown()?)
}
