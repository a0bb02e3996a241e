//! Header compression (RFC 7541): the decoder makes typed fields, and remembers them typed, so that
//! a field which a client repeats costs a reference; the encoder indexes what repeats in responses.

mod decoder;
mod encoder;
mod field;
mod huffman;
mod static_table;

pub(super) use decoder::Decoder;
pub(super) use encoder::{Additions, Encoder};
pub(super) use field::Field;

/// What each entry of a table, and each field of a list, counts beside its bytes (section 4.1).
pub(super) const OVERHEAD: usize = 32;

/// The header block cannot be decoded (section 2.3.3 and others): the connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable(pub(super) &'static str);

/// Adds an integer whose first byte has `prefix` bits for it beside `pattern` (section 5.1).
fn put_integer(out: &mut Vec<u8>, pattern: u8, prefix: u32, value: usize) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | most as u8);
    let mut rest = value - most;
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
}

/// Takes an integer from the front of `input` (section 5.1). More than 28 bits behind the first
/// byte are nothing that we would ever take.
fn take_integer(input: &mut &[u8], prefix: u32) -> Result<usize, Undecodable> {
    let most = (1_usize << prefix) - 1;
    let mut value = usize::from(take_byte(input)?) & most;
    if value < most {
        return Ok(value);
    }
    for shift in [0, 7, 14, 21] {
        let byte = take_byte(input)?;
        value += usize::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Ok(value);
        }
    }
    Err(Undecodable("an integer in a header block is too large"))
}

fn take_byte(input: &mut &[u8]) -> Result<u8, Undecodable> {
    let (first, rest) = input
        .split_first()
        .ok_or(Undecodable("a header block ends within a field"))?;
    *input = rest;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541, appendix C.1.
    #[test]
    fn integers_are_as_in_the_examples() {
        for (value, prefix, bytes) in [
            (10, 5, &[0b01010][..]),
            (1337, 5, &[0b11111, 0b1001_1010, 0b1010]),
            (42, 8, &[42]),
            (30, 5, &[30]),
            (31, 5, &[31, 0]),
        ] {
            let mut out = Vec::new();
            put_integer(&mut out, 0, prefix, value);
            assert_eq!(out, bytes);
            let mut input = bytes;
            assert_eq!(take_integer(&mut input, prefix), Ok(value));
            assert!(input.is_empty());
        }
    }

    #[test]
    fn an_endless_integer_is_refused() {
        assert!(take_integer(&mut &[0xff; 64][..], 7).is_err());
        assert!(take_integer(&mut &[0x7f, 0x80, 0x80, 0x80, 0x80, 0][..], 7).is_err());
        assert!(take_integer(&mut &[0x7f, 0x80][..], 7).is_err());
        assert!(take_integer(&mut &[][..], 7).is_err());
    }
}
