//! The body of an answer as it comes, and why there is none: the same, whatever it comes over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body as _;

use crate::http3;

/// The body of an answer.
pub(crate) enum Incoming {
    /// Over HTTP/1.1 or HTTP/2.
    Tcp(hyper::body::Incoming),
    /// Over HTTP/3.
    Quic(Box<http3::Incoming>),
}

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Over HTTP/1.1 or HTTP/2.
    #[error(transparent)]
    Tcp(#[from] hyper::Error),
    /// Over HTTP/3.
    #[error(transparent)]
    Quic(#[from] http3::Fault),
}

impl Incoming {
    /// Whether nothing will come.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Tcp(incoming) => incoming.is_end_stream(),
            Self::Quic(_) => false,
        }
    }

    /// The next octets; none at the end.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        let incoming = match self {
            Self::Quic(incoming) => {
                let polled = ready!(incoming.poll_data(cx));
                return Poll::Ready(polled.map(|data| data.map_err(Broken::Quic)));
            }
            Self::Tcp(incoming) => incoming,
        };
        loop {
            match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // Trailers are nothing that anybody asked for.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

impl Broken {
    /// Whether the whole connection is gone, as far as that is known.
    pub(crate) fn is_of_connection(&self) -> bool {
        match self {
            Self::Tcp(_) => true,
            Self::Quic(fault) => fault.is_of_connection(),
        }
    }

    /// Whether a request was left behind: its connection took no more before it went out, or the server said that it
    /// took no more when it came (RFC 9113, section 8.7; RFC 9114, section 4.1.1). Servers do that after a thousand
    /// requests, as a rule.
    pub(crate) fn is_left(&self) -> bool {
        let error = match self {
            Self::Tcp(error) => error,
            Self::Quic(fault) => return fault.is_left(),
        };
        let source = std::error::Error::source(error);
        let h2 = source.and_then(|source| source.downcast_ref::<h2::Error>());
        error.is_canceled()
            || h2.is_some_and(|error| {
                error.reason() == Some(h2::Reason::REFUSED_STREAM)
                    || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
            })
    }
}
