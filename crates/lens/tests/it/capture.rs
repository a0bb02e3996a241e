//! Captures: files, links, segments, QUIC, and the way back.

mod files;
mod judges;
mod links;
mod packets;
mod prefaces;
mod quic;
mod tcp;
