//! What the codec promises of any bytes, and what it makes of the bytes of others.

mod properties;
mod real;
