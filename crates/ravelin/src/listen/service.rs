//! What clients of `ravelin listen` get.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ravelin_client::BoxedIo;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::arguments::listen::ListenArguments;
use crate::connect::ends::{self, Goodbye, Input, Output};
use crate::failure::Failure;
use crate::words::listen::Client;

/// What clients get.
pub(super) enum Service {
    /// Standard input, and their own octets come to standard output.
    Ends(Mutex<Input>),
    /// What they send.
    Echo,
    /// What a command makes of it.
    Exec(String),
    /// A file.
    Respond(PathBuf),
}

impl Service {
    pub(super) fn of(arguments: &ListenArguments) -> Self {
        match (&arguments.exec, &arguments.respond) {
            (Some(command), _) => Self::Exec(command.clone()),
            (_, Some(file)) => Self::Respond(file.clone()),
            _ if arguments.echo => Self::Echo,
            _ => Self::Ends(Mutex::new(Input::new(false))),
        }
    }

    /// How many clients are answered at a time.
    pub(super) fn at_once(&self) -> usize {
        match self {
            Self::Ends(_) => 1,
            _ => 256,
        }
    }

    /// Answers a client, to its end.
    pub(super) async fn answer(&self, mut stream: BoxedIo, client: &Client) -> Result<(), Failure> {
        let result = match self {
            Self::Ends(input) => {
                let output = Output::new().map_err(|error| Failure::of(&error))?;
                let mut input = input.lock().await;
                return ends::carry(stream, &mut input, output, Goodbye::SaidIfAny)
                    .await
                    .map_err(|error| error.of("the client"));
            }
            Self::Echo => echo(&mut stream).await,
            Self::Exec(command) => return exec(stream, command, client).await,
            Self::Respond(file) => return respond(&mut stream, file).await,
        };
        result.map_err(broken)
    }
}

fn broken(source: std::io::Error) -> Failure {
    ends::Error::Peer {
        source,
        first: false,
    }
    .of("the client")
}

async fn echo(stream: &mut BoxedIo) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return stream.shutdown().await;
        }
        stream
            .write_all(buffer.get(..read).unwrap_or_default())
            .await?;
        stream.flush().await?;
    }
}

/// Runs a command, which is killed should the client be gone before it ends.
async fn exec(stream: BoxedIo, command: &str, client: &Client) -> Result<(), Failure> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env("RAVELIN_PEER", client.address.to_string())
        .env("RAVELIN_CLIENT", client.name.as_deref().unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::local(format!("cannot run the command: {error}")))?;
    let (from_client, mut to_client) = tokio::io::split(stream);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let heard = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            copy(from_client, &mut stdin).await;
        }
    });
    if let Some(stdout) = stdout {
        copy(stdout, &mut to_client).await;
    }
    let _ = to_client.shutdown().await;
    heard.abort();
    let status = child.wait().await.map_err(|error| Failure::of(&error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::answer(format!("the command ended with {status}")))
    }
}

/// Copies what comes, at once, until one of the two ends.
async fn copy(mut from: impl AsyncRead + Unpin, to: &mut (impl AsyncWrite + Unpin)) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let piece = buffer.get(..read).unwrap_or_default();
        if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}

/// Hears the client out, as far as a request goes, and sends it the file.
async fn respond(stream: &mut BoxedIo, file: &Path) -> Result<(), Failure> {
    let shown = file.display();
    let unreadable =
        |error: std::io::Error| Failure::local(format!("cannot read \"{shown}\": {error}"));
    let mut file = File::open(file).await.map_err(unreadable)?;
    hear_out(stream).await.map_err(broken)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).await.map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let piece = buffer.get(..read).unwrap_or_default();
        let sent = stream.write_all(piece).await;
        sent.map_err(broken)?;
    }
    let ended = stream.shutdown().await;
    ended.map_err(broken)
}

async fn hear_out(stream: &mut BoxedIo) -> std::io::Result<()> {
    let mut heard = Vec::new();
    let mut buffer = vec![0; 4096];
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") && heard.len() < MOST_REQUEST {
        let read = stream.read(&mut buffer);
        let read = if heard.is_empty() {
            read.await?
        } else {
            match tokio::time::timeout(SILENCE, read).await {
                Ok(read) => read?,
                Err(_) => return Ok(()),
            }
        };
        if read == 0 {
            return Ok(());
        }
        heard.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    Ok(())
}

const MOST_REQUEST: usize = 64 << 10;

/// After how long a client that has said something has said all.
const SILENCE: Duration = Duration::from_millis(500);
