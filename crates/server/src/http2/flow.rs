//! Flow control (RFC 9113, section 5.2): how much each side may still send.

use super::frame::MAX_WINDOW;

/// What we may send, on a stream or on the connection. A change of the client's settings can make
/// it negative (section 6.9.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct SendWindow(i64);

/// A window that would be larger than 2^31-1.
#[derive(Debug)]
pub(super) struct TooLarge;

impl SendWindow {
    pub(super) fn new(size: u32) -> Self {
        Self(size.into())
    }

    /// Bytes that may be sent now.
    pub(super) fn room(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        // What was sent had room in the window.
        self.0 -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// Adds what a `WINDOW_UPDATE` or a new initial size brings; the latter may be negative.
    pub(super) fn widen(&mut self, bytes: i64) -> Result<(), TooLarge> {
        self.0 += bytes;
        if self.0 > i64::from(MAX_WINDOW) {
            Err(TooLarge)
        } else {
            Ok(())
        }
    }
}

/// What the client may send.
#[derive(Debug)]
pub(super) struct ReceiveWindow {
    size: usize,
    left: usize,
    /// Bytes that are done with, and that the client was not told of yet.
    owed: usize,
}

/// The client has sent more than it may.
#[derive(Debug)]
pub(super) struct Overrun;

impl ReceiveWindow {
    pub(super) fn new(size: u32) -> Self {
        let size = size as usize;
        Self {
            size,
            left: size,
            owed: 0,
        }
    }

    pub(super) fn receive(&mut self, bytes: usize) -> Result<(), Overrun> {
        self.left = self.left.checked_sub(bytes).ok_or(Overrun)?;
        Ok(())
    }

    /// Takes note that `bytes` are done with. Returns what to tell the client in a
    /// `WINDOW_UPDATE`: nothing, until half of the window is owed.
    pub(super) fn release(&mut self, bytes: usize) -> Option<u32> {
        self.owed += bytes;
        if self.owed < self.size / 2 {
            return None;
        }
        self.left += self.owed;
        Some(std::mem::take(&mut self.owed) as u32)
    }

    /// Bytes received that were not released yet.
    pub(super) fn unreleased(&self) -> usize {
        self.size - self.left - self.owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_window_can_be_negative_but_not_too_large() {
        let mut window = SendWindow::new(10);
        window.take(8);
        assert!(window.widen(-5).is_ok());
        assert_eq!(window.room(), 0);
        assert!(window.widen(4).is_ok());
        assert_eq!(window.room(), 1);
        assert!(window.widen(i64::from(MAX_WINDOW)).is_err());
    }

    #[test]
    fn a_client_is_told_of_half_a_window_at_once() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.receive(80).is_ok());
        assert_eq!(window.release(49), None);
        assert_eq!(window.unreleased(), 31);
        assert_eq!(window.release(1), Some(50));
        assert!(window.receive(71).is_err());
        assert!(window.receive(70).is_ok());
    }
}
