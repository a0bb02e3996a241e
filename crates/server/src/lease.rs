//! A connection's place in its worker: how long it may stay, and how it is told to leave.
//!
//! Each connection has one coarse timer that looks at what the connection is doing and how far it
//! has come since the last look. That costs nothing per request, and times out within a quarter of
//! the shortest limit.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use crate::limits::Limits;
use crate::worker::Turn;

/// The time over which `Limits::min_body_rate` is measured.
const RATE_WINDOW: Duration = Duration::from_secs(10);

/// How long a connection with nothing to do stays open after the server was told to stop: a
/// request that is on its way then is still answered, with `Connection: close`.
const DRAIN_GRACE: Duration = Duration::from_millis(500);

/// How many connections are polled in one turn at most.
const POLLS_A_TURN: u32 = 64;

/// Of so many connections one more is evicted along with those that have to go.
const EVICTED_TOGETHER: usize = 128;

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// The next request.
    Idle,
    /// The rest of a header block whose first byte came then.
    Head(Instant),
    /// The client, to send or to take body bytes.
    Client,
    /// Our own side: a handler that is busy.
    Working,
}

/// All connections of a worker.
#[derive(Debug)]
pub(crate) struct Registry {
    slots: RefCell<Vec<Option<Rc<Slot>>>>,
    free: RefCell<Vec<usize>>,
    open: Cell<usize>,
    draining: Rc<Cell<bool>>,
    turn: Turn,
    /// Polls of connections since the last turn that they began.
    polls: Cell<u32>,
    /// Woken when a connection ends.
    left: tokio::sync::Notify,
}

#[derive(Debug)]
struct Slot {
    waker: RefCell<Option<Waker>>,
    /// Since when the connection has been waiting for its client, as of the last look.
    waiting_since: Cell<Option<Instant>>,
    /// The connection is to make room.
    evicted: Cell<bool>,
}

impl Registry {
    pub(crate) fn new(turn: Turn) -> Rc<Self> {
        Rc::new(Self {
            slots: RefCell::default(),
            free: RefCell::default(),
            open: Cell::new(0),
            draining: Rc::default(),
            turn,
            polls: Cell::new(0),
            left: tokio::sync::Notify::new(),
        })
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.open.get()
    }

    /// Takes a connection in.
    pub(crate) fn enter(self: &Rc<Self>, limits: &Limits) -> Lease {
        let slot = Rc::new(Slot {
            waker: RefCell::default(),
            waiting_since: Cell::new(Some(Instant::now())),
            evicted: Cell::new(false),
        });
        let mut slots = self.slots.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            slots.push(None);
            slots.len() - 1
        });
        slots[index] = Some(slot.clone());
        self.open.set(self.open.get() + 1);
        let tick = (limits.header_timeout.min(limits.idle_timeout) / 4)
            .clamp(Duration::from_millis(20), Duration::from_millis(2500));
        Lease {
            slot,
            index,
            registry: self.clone(),
            clock: RefCell::new(Clock {
                timer: None,
                armed: false,
                looked: false,
                looked_at: Instant::now(),
                tick,
                kind: Kind::Working,
                since: Instant::now(),
                received: 0,
                sent: 0,
            }),
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            min_body_rate: limits.min_body_rate,
        }
    }

    /// Tells all connections to end when their running requests have.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        for slot in self.slots.borrow().iter().flatten() {
            slot.wake();
        }
    }

    /// Ends those connections that have waited longest for their client, so that fewer than `most`
    /// stay. Some more go with them: to find out which costs a look at all, and is not to be done
    /// for every one that comes.
    pub(crate) fn make_room(&self, most: usize) {
        let slots = self.slots.borrow();
        let mut waiting = Vec::new();
        let mut working = 0;
        for slot in slots.iter().flatten() {
            match slot.waiting_since.get() {
                Some(since) if !slot.evicted.get() => waiting.push((since, slot)),
                // Told already, and about to go.
                Some(_) => {}
                None => working += 1,
            }
        }
        let mut leave = (waiting.len() + working + 1).saturating_sub(most);
        if leave > 0 {
            leave += most / EVICTED_TOGETHER;
        }
        if leave < waiting.len() {
            waiting.select_nth_unstable_by_key(leave, |(since, _)| *since);
        }
        for (_, slot) in waiting.into_iter().take(leave) {
            slot.evicted.set(true);
            slot.wake();
        }
    }

    /// Waits until all connections have ended.
    pub(crate) async fn emptied(&self) {
        while self.open() > 0 {
            self.left.notified().await;
        }
    }
}

impl Slot {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// One connection's entry in the [`Registry`]; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Lease {
    slot: Rc<Slot>,
    index: usize,
    registry: Rc<Registry>,
    clock: RefCell<Clock>,
    header_timeout: Duration,
    idle_timeout: Duration,
    min_body_rate: u64,
}

#[derive(Debug)]
struct Clock {
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer is to wake the task that polled last.
    armed: bool,
    looked: bool,
    looked_at: Instant,
    tick: Duration,
    /// What the connection was doing at the last look, since when, and how far it had come then.
    kind: Kind,
    since: Instant,
    received: u64,
    sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Idle,
    Head,
    Client,
    Working,
}

impl Lease {
    /// Counts as busy from now on, whatever becomes of the connection.
    pub(crate) fn stay(&self) {
        self.slot.waiting_since.set(None);
    }

    /// Whether the last [`Lease::poll_over`] had a look at the connection: now and then.
    pub(crate) fn has_looked(&self) -> bool {
        self.clock.borrow().looked
    }

    /// Whether the server is stopping.
    pub(crate) fn is_draining(&self) -> bool {
        self.registry.draining.get()
    }

    /// The same, for closures that outlive the borrow.
    pub(crate) fn draining(&self) -> Rc<Cell<bool>> {
        self.registry.draining.clone()
    }

    /// Begins a turn of its own, for a client that may have acted on what it was sent in this one.
    pub(crate) fn begin_turn(&self) {
        self.registry.turn.begin();
    }

    /// Counts a poll of a connection. The event loop begins a turn whenever it has asked the system
    /// for events, but says nothing of that while there are tasks that yield: hence an end to each.
    pub(crate) fn begin_poll(&self) {
        let polls = self.registry.polls.get() + 1;
        self.registry.polls.set(polls % POLLS_A_TURN);
        if polls == POLLS_A_TURN {
            self.begin_turn();
        }
    }

    /// Waits for `work`, unless the connection has to make room for others meanwhile.
    pub(crate) async fn unless_evicted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.register(cx);
            if self.slot.evicted.get() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Has `cx` woken when the connection is told to leave. Whether it was to be already.
    fn register(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.slot.waker.borrow_mut();
        let known = waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            *waker = Some(cx.waker().clone());
        }
        known
    }

    /// Ready when the connection's time is over. `received` and `sent` count what has come and
    /// gone so far.
    pub(crate) fn poll_over(
        &self,
        cx: &mut Context<'_>,
        activity: Activity,
        received: u64,
        sent: u64,
    ) -> Poll<()> {
        let known = self.register(cx);
        let mut clock = self.clock.borrow_mut();
        if self.slot.evicted.get() {
            // It was chosen by what it was doing at the last look: a response that has begun since
            // is not cut.
            let waits = matches!(activity, Activity::Idle | Activity::Head(_));
            if waits || activity == Activity::Client && clock.kind == Kind::Client {
                return Poll::Ready(());
            }
            self.slot.evicted.set(false);
            let waiting = (activity != Activity::Working).then(Instant::now);
            self.slot.waiting_since.set(waiting);
        }
        let tick = if self.is_draining() {
            DRAIN_GRACE / 4
        } else {
            clock.tick
        };
        let clock = &mut *clock;
        clock.looked = false;
        let timer = clock
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(tick)));
        if self.is_draining() && clock.tick > tick {
            clock.tick = tick;
            clock.since = Instant::now();
            clock.armed = false;
            timer.as_mut().reset(tokio::time::Instant::now() + tick);
        }
        // A timer that is to wake this task already need not be told so again.
        if known && clock.armed && !timer.is_elapsed() {
            return Poll::Pending;
        }
        loop {
            // A task that has used up its budget does not get as far as to the timer.
            let reaches_timer = tokio::task::coop::has_budget_remaining();
            if timer.as_mut().poll(cx).is_pending() {
                clock.armed = reaches_timer;
                return Poll::Pending;
            }
            clock.looked = true;
            let now = Instant::now();
            timer.as_mut().reset((now + tick).into());
            let kind = match activity {
                Activity::Idle => Kind::Idle,
                Activity::Head(_) => Kind::Head,
                Activity::Client => Kind::Client,
                Activity::Working => Kind::Working,
            };
            let moved = (received - clock.received) + (sent - clock.sent);
            let steady = kind == clock.kind && (kind != Kind::Idle || moved == 0);
            let for_so_long = if steady {
                now - clock.since
            } else {
                Duration::ZERO
            };
            let idle_timeout = if self.is_draining() {
                DRAIN_GRACE
            } else {
                self.idle_timeout
            };
            let over = match activity {
                Activity::Idle => steady && for_so_long >= idle_timeout,
                Activity::Head(since) => now - since >= self.header_timeout,
                Activity::Client => {
                    steady
                        && for_so_long >= RATE_WINDOW
                        && moved < self.min_body_rate * RATE_WINDOW.as_secs()
                }
                Activity::Working => false,
            };
            if over {
                return Poll::Ready(());
            }
            if !steady || for_so_long >= RATE_WINDOW && kind == Kind::Client {
                clock.kind = kind;
                clock.since = now;
                clock.received = received;
                clock.sent = sent;
                // Reckoned from the look before: those not looked at yet count from their beginning.
                let waiting = (kind != Kind::Working).then_some(clock.looked_at);
                self.slot.waiting_since.set(waiting);
            }
            clock.looked_at = now;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.registry.slots.borrow_mut()[self.index] = None;
        self.registry.free.borrow_mut().push(self.index);
        self.registry.open.set(self.registry.open.get() - 1);
        self.registry.left.notify_waiters();
    }
}
