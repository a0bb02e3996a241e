//! Frames that concern the connection, or say what becomes of a stream (RFC 9113, sections 6.4 to
//! 6.9).

use super::ending::Ending;
use super::frame::{self, Code, Failure, Header, flag, kind, setting};
use super::session::{LEAST_MAX_FRAME, SEEN, Session, Stage};

const MOST_MAX_FRAME: u32 = (1 << 24) - 1;

impl Session {
    /// Section 6.5.
    pub(super) fn settings(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        on_connection(header)?;
        if header.has(flag::ACK) {
            return length_is(payload, 0);
        }
        let (settings, rest) = payload.as_chunks::<6>();
        length_is(rest, 0)?;
        for [i0, i1, v0, v1, v2, v3] in settings {
            let id = u16::from_be_bytes([*i0, *i1]);
            self.setting(id, u32::from_be_bytes([*v0, *v1, *v2, *v3]))?;
        }
        self.stage = Stage::Frames;
        self.acknowledge(kind::SETTINGS, &[]);
        Ok(())
    }

    /// Section 6.5.2.
    fn setting(&mut self, id: u16, value: u32) -> Result<(), Failure> {
        let fail = |code| Err(Failure::Connection(code, "a setting is out of range"));
        match id {
            setting::HEADER_TABLE_SIZE => self.encoder.set_limit(value as usize),
            setting::ENABLE_PUSH if value > 1 => return fail(Code::Protocol),
            setting::INITIAL_WINDOW_SIZE => {
                let change = i64::from(value) - i64::from(self.peer.initial_window);
                self.peer.initial_window = value;
                if value > frame::MAX_WINDOW || !self.streams.shift_windows(change) {
                    return fail(Code::FlowControl);
                }
            }
            setting::MAX_FRAME_SIZE => {
                if !(LEAST_MAX_FRAME..=MOST_MAX_FRAME).contains(&value) {
                    return fail(Code::Protocol);
                }
                self.peer.max_frame = value as usize;
            }
            _ => {}
        }
        Ok(())
    }

    /// Section 6.7.
    pub(super) fn ping(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        on_connection(header).and(length_is(payload, 8))?;
        if !header.has(flag::ACK) {
            self.acknowledge(kind::PING, payload);
        } else if payload == SEEN && self.ending == Ending::Announced {
            self.conclude();
        }
        Ok(())
    }

    fn acknowledge(&mut self, kind: u8, payload: &[u8]) {
        frame::put(self.output.buffer(), kind, flag::ACK, 0, payload);
        self.acknowledged += (frame::HEADER + payload.len()) as u64;
    }

    /// Section 6.8: the client will not accept streams of ours, which there are none of, and as a
    /// rule is about to leave.
    pub(super) fn goodbye(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        on_connection(header)?;
        if payload.len() < 8 {
            return length_is(payload, 8);
        }
        if self.ending == Ending::Announced {
            // It has nothing more to ask, so what came was all.
            self.conclude();
        } else {
            self.ending.advance(Ending::Leaving);
        }
        Ok(())
    }

    /// Section 6.9.
    pub(super) fn window_update(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        length_is(payload, 4)?;
        let increment = frame::number(payload, 0) & frame::MAX_WINDOW;
        if header.stream == 0 {
            if increment == 0 {
                let words = "a WINDOW_UPDATE of nothing";
                return Err(Failure::Connection(Code::Protocol, words));
            }
            let widened = self.window.widen(increment.into());
            widened.map_err(|_| Failure::Connection(Code::FlowControl, "a window is too large"))?;
            self.streams.feed();
            return Ok(());
        }
        self.check_opened(header.stream)?;
        if let Some(stream) = self.streams.get_mut(header.stream) {
            if increment == 0 {
                return Err(Failure::Stream(header.stream, Code::Protocol));
            }
            let widened = stream.window.widen(increment.into());
            widened.map_err(|_| Failure::Stream(header.stream, Code::FlowControl))?;
            self.streams.enqueue(header.stream);
        }
        Ok(())
    }

    /// Section 6.4.
    pub(super) fn reset_by_client(
        &mut self,
        header: Header,
        payload: &[u8],
    ) -> Result<(), Failure> {
        on_stream(header).and(length_is(payload, 4))?;
        self.check_opened(header.stream)?;
        if let Some(stream) = self.streams.remove(header.stream) {
            self.let_go(&stream);
        }
        self.count_reset()
    }
}

/// Fails for a frame that concerns a stream and names none.
pub(super) fn on_stream(header: Header) -> Result<(), Failure> {
    if header.stream == 0 {
        let words = "a frame that needs a stream and has none";
        return Err(Failure::Connection(Code::Protocol, words));
    }
    Ok(())
}

fn on_connection(header: Header) -> Result<(), Failure> {
    if header.stream != 0 {
        let words = "a frame of the connection on a stream";
        return Err(Failure::Connection(Code::Protocol, words));
    }
    Ok(())
}

pub(super) fn length_is(payload: &[u8], length: usize) -> Result<(), Failure> {
    if payload.len() == length {
        return Ok(());
    }
    let words = "a frame has the wrong length";
    Err(Failure::Connection(Code::FrameSize, words))
}
