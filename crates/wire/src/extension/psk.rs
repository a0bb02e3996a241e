//! Keys from before (RFC 8446, section 4.2.11).

use crate::reader::{DecodeError, Reader, Trace};
use crate::writer::{Encode, Writer};

/// The keys that a client has, and the proofs that it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPsks<'b> {
    /// Which keys.
    pub identities: Vec<PskIdentity<'b>>,
    /// The proofs, in the same order: an HMAC with the key over the hello up to where they begin.
    pub binders: Vec<&'b [u8]>,
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PskIdentity<'b> {
    /// A ticket, or what two sides call a key that they share.
    pub identity: &'b [u8],
    /// How old the ticket is in milliseconds, plus the number that came with it, modulo 2^32.
    pub obfuscated_ticket_age: u32,
}

impl<'b> OfferedPsks<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            identities: reader.vector16("identities", |reader| {
                reader.list(|reader| {
                    reader.group("psk_identity", |reader| {
                        Ok(PskIdentity {
                            identity: reader.opaque16("identity")?,
                            obfuscated_ticket_age: reader.u32("obfuscated_ticket_age")?,
                        })
                    })
                })
            })?,
            binders: reader.vector16("binders", |reader| {
                reader.list(|reader| reader.opaque8("binder"))
            })?,
        })
    }

    /// How many octets the binders take at the end of the hello, their length included: the proofs
    /// are over what comes before (RFC 8446, section 4.2.11.2).
    #[must_use]
    pub fn binder_octets(&self) -> usize {
        let each = |binder: &&[u8]| 1 + binder.len();
        2 + self.binders.iter().map(each).sum::<usize>()
    }
}

impl Encode for OfferedPsks<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.vector16("identities", |writer| {
            for identity in &self.identities {
                writer.opaque16("identity", identity.identity);
                writer.u32(identity.obfuscated_ticket_age);
            }
        });
        writer.vector16("binders", |writer| {
            for binder in &self.binders {
                writer.opaque8("binder", binder);
            }
        });
    }
}
