//! Proofs, with signatures, certificates and promises that others made.

mod certificates;
mod hellos;
mod logs;
mod shares;
mod signatures;
