//! Tickets to resume with.

use super::Agreed;
use crate::extension::{Extensions, Place};
use crate::reader::{DecodeError, Reader, Trace};
use crate::writer::{Encode, Writer};

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSessionTicket<'b> {
    /// Of TLS 1.3 (RFC 8446, section 4.6.1).
    Tls13 {
        /// For how many seconds it is good; at most 604,800, which is a week.
        ticket_lifetime: u32,
        /// What the client adds to the age of the ticket, so that nobody sees how old it is.
        ticket_age_add: u32,
        /// What makes the key of this ticket unlike that of the next.
        ticket_nonce: &'b [u8],
        /// The ticket, which says something to the server alone.
        ticket: &'b [u8],
        /// The extensions.
        extensions: Extensions<'b>,
    },
    /// Of TLS 1.2 and before (RFC 5077, section 3.3).
    Tls12 {
        /// For how many seconds it may be kept; 0 says nothing of it.
        ticket_lifetime_hint: u32,
        /// The ticket, which says something to the server alone.
        ticket: &'b [u8],
    },
}

impl<'b> NewSessionTicket<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        if agreed.is_tls13() {
            Ok(Self::Tls13 {
                ticket_lifetime: reader.u32("ticket_lifetime")?,
                ticket_age_add: reader.u32("ticket_age_add")?,
                ticket_nonce: reader.opaque8("ticket_nonce")?,
                ticket: reader.opaque16("ticket")?,
                extensions: Extensions::read(reader, Place::NewSessionTicket)?,
            })
        } else {
            Ok(Self::Tls12 {
                ticket_lifetime_hint: reader.u32("ticket_lifetime_hint")?,
                ticket: reader.opaque16("ticket")?,
            })
        }
    }
}

impl Encode for NewSessionTicket<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Tls13 {
                ticket_lifetime,
                ticket_age_add,
                ticket_nonce,
                ticket,
                extensions,
            } => {
                writer.u32(*ticket_lifetime);
                writer.u32(*ticket_age_add);
                writer.opaque8("ticket_nonce", ticket_nonce);
                writer.opaque16("ticket", ticket);
                extensions.write(writer);
            }
            Self::Tls12 {
                ticket_lifetime_hint,
                ticket,
            } => {
                writer.u32(*ticket_lifetime_hint);
                writer.opaque16("ticket", ticket);
            }
        }
    }
}
