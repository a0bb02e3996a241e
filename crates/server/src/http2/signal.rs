//! Wakers of streams: each says which stream it was that became ready, and wakes the connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// What a stream was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The handler: its response, or the next piece of it.
    Answer,
    /// The handler, to take or to leave more of the request's body.
    Request,
}

/// The streams of a connection that have become ready.
#[derive(Debug, Default, Clone)]
pub(super) struct Signals(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    ready: Vec<(u32, Cause)>,
    connection: Option<Waker>,
}

#[derive(Debug)]
struct Signal {
    stream: u32,
    cause: Cause,
    signals: Signals,
}

impl Signals {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waker(&self, stream: u32, cause: Cause) -> Waker {
        Waker::from(Arc::new(Signal {
            stream,
            cause,
            signals: self.clone(),
        }))
    }

    /// From now on what becomes ready is only noted: the connection is being polled.
    pub(super) fn listen(&self) {
        self.lock().connection = None;
    }

    /// What has become ready since the last call.
    pub(super) fn take(&self) -> Vec<(u32, Cause)> {
        std::mem::take(&mut self.lock().ready)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().ready.is_empty()
    }

    /// From now on `connection` is woken. `false` where something has become ready meanwhile.
    pub(super) fn sleep(&self, connection: &Waker) -> bool {
        let mut state = self.lock();
        state.connection = Some(connection.clone());
        state.ready.is_empty()
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let connection = {
            let mut state = self.signals.lock();
            let event = (self.stream, self.cause);
            if state.ready.contains(&event) {
                return;
            }
            state.ready.push(event);
            state.connection.take()
        };
        if let Some(connection) = connection {
            connection.wake();
        }
    }
}
