//! What is said in clear before TLS begins, over a stream.

use std::io;

use ravelin_tls::starttls::{Protocol, StartTls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::Error;
use crate::stream::BoxedIo;

/// Speaks `protocol` with `host`, up to where TLS begins. `place` is how the server is called in errors.
pub(crate) async fn begin(
    io: &mut BoxedIo,
    protocol: Protocol,
    host: &str,
    place: &str,
) -> Result<(), Error> {
    let broken = |source| Error::Handshake {
        host: place.to_owned(),
        source,
    };
    let mut dialogue = StartTls::new(protocol, host);
    let mut turn = dialogue.begin();
    let mut buffer = [0; 4096];
    loop {
        io.write_all(&turn.say).await.map_err(broken)?;
        io.flush().await.map_err(broken)?;
        if turn.begin {
            return Ok(());
        }
        let read = io.read(&mut buffer).await.map_err(broken)?;
        if read == 0 {
            return Err(broken(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server ended the connection before TLS began",
            )));
        }
        let heard = buffer.get(..read).unwrap_or_default();
        turn = dialogue.receive(heard).map_err(|source| Error::StartTls {
            host: place.to_owned(),
            source,
        })?;
    }
}
