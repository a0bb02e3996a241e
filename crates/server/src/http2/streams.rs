//! The streams of a connection that are not over at once (RFC 9113, section 5.1).
//!
//! A request without a body whose response is sent whole never gets here.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use foldhash::HashMap;
use http::Response;

use super::flow::{ReceiveWindow, SendWindow};
use super::signal::{Cause, Signals};
use crate::body::Body;
use crate::inbox::{Cut, Inbox};

/// Streams that we have reset are remembered, because frames may be on their way to them.
const REMEMBERED: usize = 256;

/// How much of a request is still taken after its response, before it is reset (RFC 9113, section
/// 8.1): more than its window, so that the client has seen the response before. curl 7.88, for one,
/// forgets a response that comes together with a reset.
const PATIENCE: usize = 512 * 1024;

pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) window: SendWindow,
    pub(super) sending: Sending,
    /// The request's body; `None` where it had none.
    pub(super) receiving: Option<Receiving>,
    /// The request was a HEAD: its response has no body.
    pub(super) is_head: bool,
    /// Woken by the handler.
    pub(super) waker: Waker,
    queued: bool,
}

/// What is being done about the response.
pub(super) enum Sending {
    /// The handler works on it.
    Answer(Pin<Box<dyn Future<Output = Response<Body>>>>),
    /// Its body is under way.
    Body(BodyInTransit),
    /// It was sent whole; the request is not.
    Done,
}

pub(super) struct BodyInTransit {
    pub(super) body: Body,
    /// What the windows had no room for.
    pub(super) rest: Bytes,
    /// Whether the handler has to make more of it first.
    pub(super) waits_for_handler: bool,
}

/// The body of a request.
pub(super) struct Receiving {
    pub(super) inbox: Inbox,
    pub(super) window: ReceiveWindow,
    /// Bytes that are still to come, where the client has said how many.
    pub(super) left: Option<u64>,
    /// The client has sent all of it.
    pub(super) ended: bool,
    /// Bytes that are still taken where nobody wants them and the response was sent.
    pub(super) patience: usize,
    /// The client waits for a 100 (Continue).
    pub(super) expects_continue: bool,
    /// Woken when the handler has taken some of it.
    pub(super) waker: Waker,
}

impl Stream {
    pub(super) fn new(
        id: u32,
        window: SendWindow,
        sending: Sending,
        signals: &Signals,
    ) -> Box<Self> {
        Box::new(Self {
            id,
            window,
            sending,
            receiving: None,
            is_head: false,
            waker: signals.waker(id, Cause::Answer),
            queued: false,
        })
    }

    /// The request's body, if more of it may come.
    pub(super) fn receiving(&mut self) -> Option<&mut Receiving> {
        self.receiving.as_mut().filter(|receiving| !receiving.ended)
    }

    /// Whether a handler has something to do, or waits for its client.
    pub(super) fn is_working(&self) -> bool {
        match &self.sending {
            Sending::Answer(_) => true,
            Sending::Body(transit) => transit.waits_for_handler,
            Sending::Done => false,
        }
    }
}

impl Receiving {
    pub(super) fn new(inbox: Inbox, window: u32, left: Option<u64>, waker: Waker) -> Self {
        Self {
            inbox,
            window: ReceiveWindow::new(window),
            left,
            ended: false,
            patience: PATIENCE,
            expects_continue: false,
            waker,
        }
    }

    /// Bytes that the handler has taken since the last call.
    pub(super) fn taken(&self) -> usize {
        self.inbox.taken(&mut Context::from_waker(&self.waker))
    }
}

/// All streams of a connection, and whose turn it is.
#[derive(Default)]
pub(super) struct Streams {
    open: HashMap<u32, Box<Stream>>,
    /// Those that have something to do, each once.
    queue: VecDeque<u32>,
    /// Those that wait for the connection's window.
    starved: Vec<u32>,
    reset: VecDeque<u32>,
}

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(&id).map(|stream| &mut **stream)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.open.values().map(|stream| &**stream)
    }

    pub(super) fn insert(&mut self, stream: Box<Stream>) {
        self.open.insert(stream.id, stream);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        self.open.remove(&id)
    }

    /// Gives a stream a turn, behind the others.
    pub(super) fn enqueue(&mut self, id: u32) {
        if let Some(stream) = self.open.get_mut(&id)
            && !stream.queued
        {
            stream.queued = true;
            self.queue.push_back(id);
        }
    }

    pub(super) fn has_next(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes out the stream whose turn it is.
    pub(super) fn take_next(&mut self) -> Option<Box<Stream>> {
        while let Some(id) = self.queue.pop_front() {
            if let Some(mut stream) = self.open.remove(&id) {
                stream.queued = false;
                return Some(stream);
            }
        }
        None
    }

    /// Lets a stream wait for the connection's window.
    pub(super) fn starve(&mut self, id: u32) {
        if !self.starved.contains(&id) {
            self.starved.push(id);
        }
    }

    /// Gives those a turn that waited for the connection's window.
    pub(super) fn feed(&mut self) {
        for id in std::mem::take(&mut self.starved) {
            self.enqueue(id);
        }
    }

    /// Changes all streams' windows by `change` and gives them a turn (section 6.9.2). `false`
    /// where a window became too large.
    pub(super) fn shift_windows(&mut self, change: i64) -> bool {
        let mut fine = true;
        for (id, stream) in &mut self.open {
            fine &= stream.window.widen(change).is_ok();
            if change > 0 && !stream.queued {
                stream.queued = true;
                self.queue.push_back(*id);
            }
        }
        fine
    }

    /// Cuts the requests that are not complete, since nothing more comes, and gives those a turn that
    /// wait for a window.
    pub(super) fn end_requests(&mut self) {
        self.open.retain(|id, stream| {
            if let Some(receiving) = stream.receiving() {
                receiving.inbox.cut(Cut::Client);
                receiving.ended = true;
            }
            if !stream.queued {
                stream.queued = true;
                self.queue.push_back(*id);
            }
            !matches!(stream.sending, Sending::Done)
        });
    }

    pub(super) fn remember_reset(&mut self, id: u32) {
        if self.reset.len() == REMEMBERED {
            self.reset.pop_front();
        }
        self.reset.push_back(id);
    }

    pub(super) fn was_reset(&self, id: u32) -> bool {
        self.reset.contains(&id)
    }

    /// Ends all streams, and gives back the memory.
    pub(super) fn clear(&mut self) {
        let reset = std::mem::take(&mut self.reset);
        *self = Self::default();
        self.reset = reset;
    }
}
