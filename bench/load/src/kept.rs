//! A connection that is kept, with one request after the other on it, or many streams of HTTP/2.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mio::{Registry, Token};
use rustls::ClientConfig;

use crate::client::{Protocol, TargetSite};
use crate::http2::Http2;
use crate::record::Records;
use crate::response::Response;
use crate::run::OperationError;
use crate::socket::{Received, TlsSocket};

pub(crate) struct Kept {
    socket: TlsSocket,
    speaking: Speaking,
    agreed: bool,
    /// Bytes read and not yet taken in; kept to be used again.
    input: Vec<u8>,
    /// Bytes to send when all that was read is taken in.
    output: Vec<u8>,
}

enum Speaking {
    Http1 {
        request: Vec<u8>,
        response: Response,
        begun: Option<Instant>,
    },
    Http2(Http2),
}

impl Kept {
    /// Connects with the first requests on the way.
    pub(crate) fn begin(
        address: SocketAddr,
        site: &TargetSite,
        config: &Arc<ClientConfig>,
        protocol: Protocol,
        streams: usize,
    ) -> Result<Self, OperationError> {
        let mut output = Vec::new();
        let speaking = match protocol {
            Protocol::Http1 => {
                output.extend_from_slice(&site.request);
                Speaking::Http1 {
                    request: site.request.clone(),
                    response: Response::default(),
                    begun: Some(Instant::now()),
                }
            }
            Protocol::Http2 => Speaking::Http2(Http2::begin(
                &site.authority,
                &site.path,
                streams,
                &mut output,
            )),
        };
        let socket = TlsSocket::connect(address, &site.name, config, &output)?;
        output.clear();
        Ok(Self {
            socket,
            speaking,
            agreed: false,
            input: vec![0; 1 << 16],
            output,
        })
    }

    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token)
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_done(&self) -> bool {
        match &self.speaking {
            Speaking::Http1 { begun, .. } => begun.is_none(),
            Speaking::Http2(http2) => http2.is_done(),
        }
    }

    /// Reads until the socket has no more, and then asks again for each answer, if `more`.
    pub(crate) fn advance(
        &mut self,
        more: bool,
        records: &mut Records,
    ) -> Result<(), OperationError> {
        loop {
            match self.socket.receive()? {
                Received::Nothing => break,
                Received::End => return Err(OperationError::Truncated),
                Received::Plaintext(0) => {}
                Received::Plaintext(bytes) => {
                    self.take(bytes, more, records)?;
                    // With its one answer here, HTTP/1.1 has nothing left to read: a read that
                    // says so would be a system call a request.
                    if matches!(self.speaking, Speaking::Http1 { .. }) && !self.output.is_empty() {
                        break;
                    }
                }
            }
        }
        if !self.output.is_empty() {
            self.socket.send(&self.output)?;
            self.output.clear();
        }
        Ok(())
    }

    fn take(
        &mut self,
        mut bytes: usize,
        more: bool,
        records: &mut Records,
    ) -> Result<(), OperationError> {
        self.check_protocol()?;
        while bytes > 0 {
            let wanted = bytes.min(self.input.len());
            let read = self.socket.tls.reader().read(&mut self.input[..wanted]);
            let read = read.map_err(OperationError::Read)?;
            bytes -= read;
            let input = &self.input[..read];
            match &mut self.speaking {
                Speaking::Http2(http2) => http2.feed(input, more, &mut self.output, records)?,
                Speaking::Http1 {
                    request,
                    response,
                    begun,
                } => {
                    response.feed(input)?;
                    if response.is_whole() {
                        if let Some(begun) = begun.take() {
                            records.done(begun);
                        }
                        response.clear();
                        if more {
                            self.output.extend_from_slice(request);
                            *begun = Some(Instant::now());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn check_protocol(&mut self) -> Result<(), OperationError> {
        if !self.agreed {
            let wanted = match self.speaking {
                Speaking::Http1 { .. } => Protocol::Http1,
                Speaking::Http2(_) => Protocol::Http2,
            };
            if self.socket.tls.alpn_protocol() != Some(wanted.alpn()) {
                return Err(OperationError::Protocol);
            }
            self.agreed = true;
        }
        Ok(())
    }
}
