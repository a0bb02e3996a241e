//! How a connection comes to its end (RFC 9113, section 6.8). What is said at each step, and to
//! whom, is the [`Session`](super::session::Session)'s business.

/// The steps of an ending, in their order: none is taken back, some may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    Open,
    /// The client has said goodbye. As soon as all is answered we say it too, and not before: some
    /// clients take that for the end, whatever is still under way.
    Leaving,
    /// The client is told to open no more streams, and asked to say when it has read that. Those
    /// that it opens meanwhile are still served.
    Announced,
    /// The client is told which stream was the last, and those behind it are ignored.
    Concluded,
    /// The client has ended its side of the connection: nothing more comes.
    HalfClosed,
    /// The client has made an error. It is told; nothing else is done.
    Failed,
}

impl Ending {
    /// Goes on to `step`. `false` where the connection is there already, or further.
    pub(super) fn advance(&mut self, step: Self) -> bool {
        let before = *self;
        *self = before.max(step);
        *self != before
    }

    /// Whether nothing will be said any more, with this many streams left.
    pub(super) fn is_over(self, streams: usize) -> bool {
        match self {
            Self::Open | Self::Leaving | Self::Announced => false,
            Self::Concluded | Self::HalfClosed => streams == 0,
            Self::Failed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_taken_back_or_twice() {
        let mut ending = Ending::Open;
        assert!(ending.advance(Ending::Announced));
        assert!(!ending.advance(Ending::Leaving) && !ending.advance(Ending::Announced));
        assert!(ending.advance(Ending::Failed));
        assert!(!ending.advance(Ending::HalfClosed));
        assert_eq!(ending, Ending::Failed);
    }
}
