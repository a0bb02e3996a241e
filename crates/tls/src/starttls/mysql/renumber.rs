//! The numbers of packets, where TLS is on one side of a tunnel alone.
//!
//! Packets are numbered across both directions until a client gives its first command, which begins at 0 again. The
//! request for TLS is one of them, so that the side with TLS is ahead by one as long as a client says who it is.
//!
//! How a client proves it is not changed here. `caching_sha2_password` and `sha256_password` send a password as it is
//! where TLS protects it, and under the server's key where it does not: they work through a tunnel only where both
//! sides think alike, as behind a Unix socket, or where the server remembers the client.

use super::CLIENT_SSL;

/// Both directions of a connection, whose octets are changed in place.
#[derive(Debug)]
pub struct Renumber {
    client: Direction,
    server: Direction,
}

/// The packets of one side.
#[derive(Debug)]
struct Direction {
    /// What is added to each number.
    add: u8,
    /// How many octets of the header of the current packet have come.
    header: usize,
    /// How many octets of its body are still to come; while the header comes, what is known of it.
    left: usize,
    /// Where in the client's first packet, which says what it can, the next octet is.
    first: Option<usize>,
    over: bool,
}

impl Renumber {
    /// TLS between client and tunnel: the client is ahead by one.
    #[must_use]
    pub fn terminate() -> Self {
        Self::new(u8::MAX)
    }

    /// TLS between tunnel and server: the server is ahead by one.
    #[must_use]
    pub fn originate() -> Self {
        Self::new(1)
    }

    fn new(to_server: u8) -> Self {
        Self {
            client: Direction::new(to_server, Some(0)),
            server: Direction::new(to_server.wrapping_neg(), None),
        }
    }

    /// Changes what comes from the client, from behind the request for TLS on.
    pub fn client_to_server(&mut self, octets: &mut [u8]) {
        // A command is numbered 0, and nothing that is said before one is.
        self.client.change(octets, |number| number == 0);
    }

    /// Changes what comes from the server, from behind its greeting on.
    pub fn server_to_client(&mut self, octets: &mut [u8]) {
        // What answers a command is numbered from 1 on, and what a client heard before it from 2 on. It may come when
        // the client has given its command already.
        self.server.change(octets, |number| number < 2);
    }

    /// Whether nothing is changed any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.client.over && self.server.over
    }
}

impl Direction {
    fn new(add: u8, first: Option<usize>) -> Self {
        Self {
            add,
            header: 0,
            left: 0,
            first,
            over: false,
        }
    }

    fn change(&mut self, octets: &mut [u8], ends: impl Fn(u8) -> bool) {
        let mut rest = octets;
        while !self.over {
            let Some(octet) = rest.first_mut() else {
                return;
            };
            let taken = match self.header {
                at @ 0..3 => {
                    self.left |= usize::from(*octet) << (8 * at);
                    self.header += 1;
                    1
                }
                3 => {
                    if ends(*octet) {
                        self.over = true;
                        return;
                    }
                    *octet = octet.wrapping_add(self.add);
                    self.header += 1;
                    1
                }
                _ => {
                    let taken = self.left.min(rest.len());
                    self.in_body(&mut rest[..taken]);
                    self.left -= taken;
                    taken
                }
            };
            if self.header == 4 && self.left == 0 {
                self.header = 0;
                self.first = None;
            }
            rest = &mut rest[taken..];
        }
    }

    /// The side with TLS has said that it speaks it, the other has not.
    fn in_body(&mut self, body: &mut [u8]) {
        let [_, ssl] = CLIENT_SSL.to_le_bytes();
        let Some(at) = self.first else {
            return;
        };
        if let Some(octet) = 1_usize.checked_sub(at).and_then(|next| body.get_mut(next)) {
            if self.add == 1 {
                *octet |= ssl;
            } else {
                *octet &= !ssl;
            }
        }
        self.first = Some(at + body.len());
    }
}

#[cfg(test)]
mod tests;
