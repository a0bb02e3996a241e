//! The UDP socket below a QUIC connection: connected, so that the kernel tells when nobody is there.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

/// A socket for one connection.
pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    refused: Notify,
}

impl Socket {
    pub(crate) fn to(address: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = if address.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let io = std::net::UdpSocket::bind(any)?;
        // Elsewhere what is sent over a connected socket may not say where to, as quinn does.
        if cfg!(target_os = "linux") {
            io.connect(address)?;
        }
        io.set_nonblocking(true)?;
        let state = UdpSocketState::new((&io).into())?;
        // As much as the system allows: what finds no room is lost, and the server takes that for a full network.
        let _ = state.set_recv_buffer_size((&io).into(), MOST_WAITING);
        Ok(Self {
            io: UdpSocket::from_std(io)?,
            state,
            refused: Notify::new(),
        })
    }

    /// Ends when the other end says that it has no such port. Whoever is on the way can say so too: once a connection
    /// is there, nobody asks.
    pub(crate) async fn refused(&self) -> io::Error {
        loop {
            let told = tokio::select! {
                () = self.refused.notified() => return io::ErrorKind::ConnectionRefused.into(),
                told = self.io.ready(Interest::ERROR) => told,
            };
            match told.and_then(|_| self.io.take_error()) {
                Ok(Some(error)) | Err(error) if is_refusal(&error) => return error,
                // Said before, or nothing that ends it.
                _ => {
                    let _ = self.io.try_io(Interest::ERROR, || {
                        Err::<(), _>(io::ErrorKind::WouldBlock.into())
                    });
                }
            }
        }
    }

    /// Whether an error is nothing but a refusal, of which is told then.
    fn tells_of(&self, error: &io::Error) -> bool {
        let is_refusal = is_refusal(error);
        if is_refusal {
            self.refused.notify_one();
        }
        is_refusal
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.io).finish()
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let send = || self.state.try_send((&self.io).into(), transmit);
        match self.io.try_io(Interest::WRITABLE, send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // Whatever else goes wrong is a datagram that was lost, and is sent again.
            Err(error) => {
                self.tells_of(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let receive = || self.state.recv((&self.io).into(), buffers, meta);
            match self.io.try_io(Interest::READABLE, receive) {
                Ok(received) => return Poll::Ready(Ok(received)),
                Err(error) => {
                    self.tells_of(&error);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }
}

/// Waits until more can be sent.
#[derive(Debug)]
struct Writable(Arc<Socket>);

impl UdpPoller for Writable {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.io.poll_send_ready(cx)
    }
}

/// How many octets of datagrams may wait until they are read.
const MOST_WAITING: usize = 2 << 20;
