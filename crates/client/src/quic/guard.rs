//! What a server may send over a stream of HTTP/3, and where it may stop (RFC 9114, section 7.1).
//!
//! h3 gathers whatever length a frame says that it has, and takes a stream that ends within a DATA frame for whole.
//! So frames are counted before h3 sees them.

/// Why a stream is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    /// A frame other than DATA is too long, or there are too many of them.
    #[error("its head, or what it sends besides, is longer than {MOST} octets")]
    Long,
    /// The stream ended before its last frame did.
    #[error("the stream ended within a frame")]
    Cut,
}

/// Where a stream is.
#[derive(Debug)]
pub(crate) struct Guard {
    kind: Kind,
    /// The beginning of a frame, or of a stream: what there is of its numbers.
    begun: Vec<u8>,
    /// How much is missing of the frame, and its type.
    left: u64,
    frame: u64,
    /// All that came besides DATA.
    besides: u64,
    payload: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The type of the stream is still to come.
    Unknown,
    Request,
    Control,
    /// Nothing that has frames.
    Other,
}

/// What came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Octets of DATA.
    pub(crate) data: u64,
    /// The first request that the server does not answer any more (section 5.2).
    pub(crate) goes_before: Option<u64>,
}

impl Guard {
    /// Of a stream with a request.
    pub(crate) fn of_request() -> Self {
        Self::of(Kind::Request)
    }

    /// Of a stream that the server began.
    pub(crate) fn of_server() -> Self {
        Self::of(Kind::Unknown)
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            begun: Vec::new(),
            left: 0,
            frame: 0,
            besides: 0,
            payload: Vec::new(),
        }
    }

    /// Looks at what came.
    pub(crate) fn pass(&mut self, mut octets: &[u8]) -> Result<Passed, Excess> {
        let mut passed = Passed::default();
        while !octets.is_empty() {
            if self.kind == Kind::Other {
                return Ok(passed);
            }
            if self.left == 0 {
                self.begun.push(octets[0]);
                octets = &octets[1..];
                self.begin()?;
                continue;
            }
            let now = self.left.min(octets.len() as u64);
            let (these, rest) = octets.split_at(now as usize);
            octets = rest;
            self.left -= now;
            if self.frame == DATA {
                passed.data += now;
            } else if self.frame == GOAWAY && self.kind == Kind::Control {
                self.payload.extend_from_slice(these);
                if self.left == 0 {
                    passed.goes_before = number(&self.payload).map(|(first, _)| first);
                    self.payload.clear();
                }
            }
        }
        Ok(passed)
    }

    /// Whether the stream may end here.
    pub(crate) fn end(&self) -> Result<(), Excess> {
        let is_within = self.left > 0 || !self.begun.is_empty();
        if is_within && self.kind == Kind::Request {
            return Err(Excess::Cut);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Excess> {
        let Some((first, rest)) = number(&self.begun) else {
            return Ok(());
        };
        if self.kind == Kind::Unknown {
            self.kind = if first == CONTROL {
                Kind::Control
            } else {
                Kind::Other
            };
            self.begun.clear();
            return Ok(());
        }
        let Some((length, _)) = number(rest) else {
            return Ok(());
        };
        if first != DATA || length == 0 {
            self.besides = self
                .besides
                .saturating_add(length)
                .saturating_add(self.begun.len() as u64);
            if self.besides > MOST {
                return Err(Excess::Long);
            }
        }
        self.frame = first;
        self.left = length;
        self.begun.clear();
        Ok(())
    }
}

/// A number of variable length (RFC 9000, section 16), where it is whole, and what follows.
fn number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let length = 1 << (octets.first()? >> 6);
    let (number, rest) = octets.split_at_checked(length)?;
    let value = number
        .iter()
        .fold(0, |value, octet| value << 8 | u64::from(*octet));
    Some((value & (u64::MAX >> (66 - 8 * length as u32)), rest))
}

const DATA: u64 = 0x00;
const GOAWAY: u64 = 0x07;

/// The type of a control stream (RFC 9114, section 6.2.1).
const CONTROL: u64 = 0x00;

/// How much a stream may carry besides DATA: heads, trailers, and what nobody knows.
const MOST: u64 = 256 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a guard makes of octets that come in these pieces, and whether they may end there.
    fn passed<'p>(
        mut guard: Guard,
        pieces: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<(Passed, Result<(), Excess>), Excess> {
        let mut all = Passed::default();
        for piece in pieces {
            let passed = guard.pass(piece)?;
            all.data += passed.data;
            all.goes_before = passed.goes_before.or(all.goes_before);
        }
        Ok((all, guard.end()))
    }

    #[test]
    fn bodies_are_counted_and_must_end_with_a_frame() {
        let whole = b"\x01\x03abc\x21\x02??\x00\x05octet\x00\x00\x40\x00\x40\x02ts";
        let (all, end) = passed(Guard::of_request(), [&whole[..]]).unwrap();
        assert_eq!((all.data, end), (7, Ok(())));
        for cut in [1, 2, 3, 8, 11, whole.len() - 1] {
            let (_, end) = passed(Guard::of_request(), [&whole[..cut]]).unwrap();
            assert_eq!(end, Err(Excess::Cut), "after {cut}");
        }
    }

    #[test]
    fn no_head_is_longer_than_it_may_be_and_no_other_frames_are_without_end() {
        let head_of_a_gigabyte = b"\x01\xc0\x00\x00\x00\x40\x00\x00\x00";
        let refused = passed(Guard::of_request(), [&head_of_a_gigabyte[..]]);
        assert_eq!(refused, Err(Excess::Long));
        let body_of_a_gigabyte = b"\x00\xc0\x00\x00\x00\x40\x00\x00\x00";
        let taken = passed(Guard::of_request(), [&body_of_a_gigabyte[..]]);
        assert!(taken.is_ok());
        for nothing in [b"\x00\x00", b"\x21\x00"] {
            let endless = nothing.repeat(MOST as usize);
            let refused = passed(Guard::of_request(), [&endless[..]]);
            assert_eq!(refused, Err(Excess::Long));
        }
    }

    #[test]
    fn a_server_that_goes_says_before_which_request() {
        let control = b"\x00\x04\x00\x07\x02\x40\x08";
        let (all, _) = passed(Guard::of_server(), [&control[..]]).unwrap();
        assert_eq!(all.goes_before, Some(8));
        // The same octets on a stream of another type mean nothing.
        let other = b"\x02\x04\x00\x07\x02\x40\x08";
        let (all, _) = passed(Guard::of_server(), [&other[..]]).unwrap();
        assert_eq!(all.goes_before, None);
    }

    proptest! {
        #[test]
        fn where_octets_are_cut_makes_no_difference(
            octets in prop::collection::vec(prop_oneof![0_u8..8, any::<u8>()], 0..200),
            size in 1_usize..9,
            is_of_server: bool,
        ) {
            let guard = || if is_of_server { Guard::of_server() } else { Guard::of_request() };
            prop_assert_eq!(passed(guard(), [&octets[..]]), passed(guard(), octets.chunks(size)));
        }
    }
}
