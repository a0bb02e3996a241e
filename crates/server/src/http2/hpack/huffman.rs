//! The Huffman code of header strings (RFC 7541, section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols. So
//! the lengths are all there is to know, and what is needed to decode is worked out from them at
//! compile time.

use super::Undecodable;

/// The length of each byte's code, in bits; EOS, the last, is not allowed in a string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
    30,
];

const EOS: u16 = 256;
const LONGEST: usize = 30;

/// Adds the decoded `input` to `out`.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    const BAD: Undecodable = Undecodable("a Huffman-coded string is malformed");
    out.reserve(input.len() * 8 / 5 + 1);
    let mut bytes = input.iter();
    // Bits that were read and not used yet, left-aligned.
    let mut bits: u64 = 0;
    let mut have: u32 = 0;
    loop {
        while have <= 56 {
            let Some(byte) = bytes.next() else { break };
            bits |= u64::from(*byte) << (56 - have);
            have += 8;
        }
        let (symbol, length) = match SHORT[(bits >> 56) as usize] {
            (_, 0) => long(bits),
            (symbol, length) => (u16::from(symbol), u32::from(length)),
        };
        if length > have {
            // What is left is padding: fewer than eight bits, all ones (section 5.2).
            let ones = have < 8 && bits.leading_ones() >= have;
            return if ones { Ok(()) } else { Err(BAD) };
        }
        if symbol == EOS {
            return Err(BAD);
        }
        out.push(symbol as u8);
        bits <<= length;
        have -= length;
    }
}

/// The symbol, and the length of its code, at the beginning of `bits`, where that is longer than
/// eight bits.
fn long(bits: u64) -> (u16, u32) {
    let code = (bits >> (64 - LONGEST)) as u32;
    for (length, group) in GROUPS.iter().enumerate().skip(9) {
        let within = (code >> (LONGEST - length)) - group.first;
        if within < group.count {
            return (SYMBOLS[(group.start + within) as usize], length as u32);
        }
    }
    (EOS, LONGEST as u32)
}

/// The codes of one length.
#[derive(Clone, Copy)]
struct Group {
    first: u32,
    count: u32,
    /// Where their symbols begin in [`SYMBOLS`].
    start: u32,
}

/// All symbols, those with short codes first.
const SYMBOLS: [u16; 257] = symbols();
const GROUPS: [Group; LONGEST + 1] = groups();
/// The symbol, and the length of its code, for each eight bits that begin with a whole code; a
/// length of 0 where the code is longer.
static SHORT: [(u8, u8); 256] = short();

const fn symbols() -> [u16; 257] {
    let mut symbols = [0; 257];
    let (mut n, mut length) = (0, 0);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                symbols[n] = symbol as u16;
                n += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    symbols
}

const fn groups() -> [Group; LONGEST + 1] {
    let mut groups = [Group {
        first: 0,
        count: 0,
        start: 0,
    }; LONGEST + 1];
    let (mut code, mut start, mut length) = (0, 0, 1);
    while length <= LONGEST {
        let (mut count, mut symbol) = (0, 0);
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                count += 1;
            }
            symbol += 1;
        }
        code <<= 1;
        groups[length] = Group {
            first: code,
            count,
            start,
        };
        code += count;
        start += count;
        length += 1;
    }
    groups
}

const fn short() -> [(u8, u8); 256] {
    let mut table = [(0, 0); 256];
    let mut length = 1;
    while length <= 8 {
        let group = GROUPS[length];
        let mut n = 0;
        while n < group.count {
            let first = ((group.first + n) << (8 - length)) as usize;
            let mut at = first;
            while at < first + (1 << (8 - length)) {
                table[at] = (SYMBOLS[(group.start + n) as usize] as u8, length as u8);
                at += 1;
            }
            n += 1;
        }
        length += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(input: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(input, &mut out).ok().map(|()| out)
    }

    /// Codes as the table of the lengths says, to check the decoder with.
    fn encoded(text: &[u8]) -> Vec<u8> {
        let (mut bits, mut have, mut out) = (0_u64, 0, Vec::new());
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let group = GROUPS[length];
            let place = SYMBOLS.iter().position(|s| *s == u16::from(*byte)).unwrap();
            let code = group.first + place as u32 - group.start;
            bits = bits << length | u64::from(code);
            have += length;
            while have >= 8 {
                have -= 8;
                out.push((bits >> have) as u8);
            }
        }
        if have > 0 {
            out.push((bits << (8 - have)) as u8 | (0xff >> have));
        }
        out
    }

    /// RFC 7541, appendix C.4 and C.6.
    #[test]
    fn strings_are_as_in_the_examples() {
        for (text, bytes) in [
            (
                "www.example.com",
                &[
                    0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
                ][..],
            ),
            ("no-cache", &[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]),
            ("302", &[0x64, 0x02]),
            ("private", &[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
        ] {
            assert_eq!(decoded(bytes).as_deref(), Some(text.as_bytes()));
            assert_eq!(encoded(text.as_bytes()), bytes);
        }
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        assert_eq!(decoded(&encoded(&all)), Some(all));
        assert_eq!(decoded(&[]), Some(Vec::new()));
    }

    #[test]
    fn wrong_padding_and_eos_are_refused() {
        assert_eq!(decoded(&[0xff]), None, "eight bits of padding");
        assert_eq!(decoded(&[0x64, 0x02, 0xff]), None);
        assert_eq!(decoded(&[0b0001_1000]), None, "padding that is not ones");
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None, "EOS");
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xfc, 0x00]), None, "EOS");
    }
}
