//! A request body on its way from the driver that receives it to the handler that reads it.
//!
//! The driver pushes what has come and looks at what was taken, so that it asks the client for more
//! only when the handler wants more. A mutex, although driver and handler run on one thread,
//! because tower services may take the body elsewhere; uncontended it costs a few nanoseconds, and
//! requests without a body have none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;

/// Pieces that wait are joined up to this size: the flow-control window counts bytes, and each of a
/// million pieces of one byte would cost fifty times as much.
const JOINED: usize = 4096;

/// The driver's end of a request body.
#[derive(Debug)]
pub(crate) struct Inbox(Arc<Mutex<State>>);

/// The handler's end. Dropping it tells the driver that nobody wants the rest.
#[derive(Debug)]
pub(crate) struct Outlet(Arc<Mutex<State>>);

/// Why a body ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// The client went away, or took the request back.
    #[error("the client ended the request before its body was complete")]
    Client,
    /// What the client sent cannot be read as a body.
    #[error("the request body is malformed")]
    Malformed,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<BytesMut>,
    buffered: usize,
    /// Bytes that the handler has taken since the driver last looked.
    taken: usize,
    trailers: Option<HeaderMap>,
    end: Option<Result<(), Cut>>,
    /// The handler waits for more.
    waiting: Option<Waker>,
    /// Wakes the driver when there is room.
    driver: Option<Waker>,
    abandoned: bool,
}

/// Both ends of an empty body that is not complete.
pub(crate) fn channel() -> (Inbox, Outlet) {
    let state = Arc::new(Mutex::new(State::default()));
    (Inbox(state.clone()), Outlet(state))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inbox {
    /// Hands a piece to the handler.
    pub(crate) fn push(&self, chunk: Bytes) {
        let mut state = lock(&self.0);
        if state.abandoned {
            state.taken += chunk.len();
            return;
        }
        state.buffered += chunk.len();
        match state.chunks.back_mut() {
            Some(last) if last.len() + chunk.len() <= JOINED => last.extend_from_slice(&chunk),
            _ => state.chunks.push_back(chunk.into()),
        }
        wake(state.waiting.take());
    }

    /// Says that the body is complete.
    pub(crate) fn finish(&self, trailers: Option<HeaderMap>) {
        let mut state = lock(&self.0);
        state.trailers = trailers;
        state.end.get_or_insert(Ok(()));
        wake(state.waiting.take());
    }

    /// Says that the body will never be complete.
    pub(crate) fn cut(&self, why: Cut) {
        let mut state = lock(&self.0);
        state.end.get_or_insert(Err(why));
        wake(state.waiting.take());
    }

    /// Bytes that the handler has taken, or will not take, since the last call. Unless the body
    /// is complete, `cx` is woken when there are more.
    pub(crate) fn taken(&self, cx: &mut Context<'_>) -> usize {
        let mut state = lock(&self.0);
        let taken = std::mem::take(&mut state.taken);
        if state.end.is_none()
            && !state
                .driver
                .as_ref()
                .is_some_and(|w| w.will_wake(cx.waker()))
        {
            state.driver = Some(cx.waker().clone());
        }
        taken
    }

    /// Bytes that wait for the handler.
    pub(crate) fn buffered(&self) -> usize {
        lock(&self.0).buffered
    }

    /// Whether the handler waits for the client.
    pub(crate) fn is_waiting(&self) -> bool {
        lock(&self.0).waiting.is_some()
    }

    /// Whether nobody will read the body any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        lock(&self.0).abandoned
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.cut(Cut::Client);
    }
}

impl Outlet {
    pub(crate) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let mut state = lock(&self.0);
        if let Some(chunk) = state.chunks.pop_front() {
            state.buffered -= chunk.len();
            state.taken += chunk.len();
            wake(state.driver.take());
            return Poll::Ready(Some(Ok(Frame::data(chunk.freeze()))));
        }
        if let Some(trailers) = state.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match state.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(cut)) => Poll::Ready(Some(Err(cut))),
            None => {
                state.waiting = Some(cx.waker().clone());
                wake(state.driver.take());
                Poll::Pending
            }
        }
    }

    /// Whether everything was read.
    pub(crate) fn is_end_stream(&self) -> bool {
        let state = lock(&self.0);
        state.end == Some(Ok(())) && state.chunks.is_empty() && state.trailers.is_none()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.abandoned = true;
        state.waiting = None;
        state.taken += std::mem::take(&mut state.buffered);
        state.chunks.clear();
        wake(state.driver.take());
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(outlet: &Outlet) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        outlet.poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_pushed_is_read_and_counted_as_taken() {
        let (inbox, outlet) = channel();
        assert!(poll(&outlet).is_pending());
        assert!(inbox.is_waiting());
        inbox.push(Bytes::from_static(b"abc"));
        assert_eq!(inbox.buffered(), 3);
        assert!(matches!(poll(&outlet), Poll::Ready(Some(Ok(_)))));
        assert_eq!(inbox.taken(&mut Context::from_waker(Waker::noop())), 3);
        inbox.finish(None);
        assert!(outlet.is_end_stream());
        assert!(matches!(poll(&outlet), Poll::Ready(None)));
    }

    #[test]
    fn many_small_pieces_become_few_and_stay_in_order() {
        let (inbox, outlet) = channel();
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let (first, second) = bytes.split_at(50_000);
        for byte in first {
            inbox.push(Bytes::copy_from_slice(&[*byte]));
        }
        for piece in second.chunks(JOINED + 1) {
            inbox.push(Bytes::copy_from_slice(piece));
        }
        inbox.finish(None);
        assert_eq!(lock(&inbox.0).chunks.len(), 26);
        let mut read = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = poll(&outlet) {
            read.extend_from_slice(&frame.into_data().unwrap());
        }
        assert!(read == bytes);
    }

    #[test]
    fn a_driver_that_goes_away_cuts_the_body() {
        let (inbox, outlet) = channel();
        drop(inbox);
        assert!(matches!(poll(&outlet), Poll::Ready(Some(Err(Cut::Client)))));
    }

    #[test]
    fn what_nobody_reads_counts_as_taken() {
        let (inbox, outlet) = channel();
        inbox.push(Bytes::from_static(b"abc"));
        drop(outlet);
        inbox.push(Bytes::from_static(b"de"));
        assert!(inbox.is_abandoned());
        assert_eq!(inbox.taken(&mut Context::from_waker(Waker::noop())), 5);
        assert_eq!(inbox.buffered(), 0);
    }
}
