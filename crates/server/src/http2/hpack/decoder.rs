//! From a header block to fields (RFC 7541, sections 3 and 6).

use std::collections::VecDeque;

use super::field::{Field, Name};
use super::{OVERHEAD, Undecodable, huffman, static_table, take_integer};

/// The largest dynamic table that a client may use: the default, so that it need not be told.
const TABLE: usize = 4096;

/// One direction's compression state, kept for as long as the connection.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    /// The newest entry first, each with the length of its name and of its value.
    entries: VecDeque<(Field, u16, u16)>,
    size: usize,
    limit: usize,
    /// Where Huffman codes are undone.
    scratch: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            size: 0,
            limit: TABLE,
            scratch: Vec::new(),
        }
    }
}

impl Decoder {
    /// Decodes `block`, giving each field to `sink` with the size that it counts in a header list
    /// (RFC 9113, section 6.5.2).
    pub(in super::super) fn decode(
        &mut self,
        block: &[u8],
        mut sink: impl FnMut(Field, usize),
    ) -> Result<(), Undecodable> {
        let mut input = block;
        let mut begun = false;
        while let Some(first) = input.first() {
            match first {
                // Indexed (section 6.1).
                0x80.. => {
                    let index = take_integer(&mut input, 7)?;
                    let (field, size) = self.indexed(index)?;
                    sink(field, size);
                }
                // Literal, to be indexed (section 6.2.1).
                0x40.. => {
                    let (field, name, value) = self.literal(&mut input, 6)?;
                    self.insert(field.clone(), name, value);
                    sink(field, name + value + OVERHEAD);
                }
                // A new size of the table, at the beginning of a block only (section 4.2).
                0x20.. => {
                    let limit = take_integer(&mut input, 5)?;
                    if begun || limit > TABLE {
                        return Err(Undecodable("a header table's size is out of place"));
                    }
                    self.limit = limit;
                    self.evict(limit);
                    continue;
                }
                // Literal, never to be indexed (section 6.2.3), or not now (section 6.2.2).
                _ => {
                    let sensitive = first & 0x10 != 0;
                    let (mut field, name, value) = self.literal(&mut input, 4)?;
                    if sensitive {
                        field.set_sensitive();
                    }
                    sink(field, name + value + OVERHEAD);
                }
            }
            begun = true;
        }
        Ok(())
    }

    /// Gives back what only lives while a block is decoded.
    pub(in super::super) fn shrink(&mut self) {
        self.scratch = Vec::new();
    }

    fn indexed(&self, index: usize) -> Result<(Field, usize), Undecodable> {
        if index <= static_table::ENTRIES {
            let found = static_table::field(index);
            found.map(|(field, name, value)| (field, name + value + OVERHEAD))
        } else {
            let found = self.entries.get(index - static_table::ENTRIES - 1);
            found.map(|(field, name, value)| (field.clone(), size(*name, *value)))
        }
        .ok_or(NO_ENTRY)
    }

    fn literal(
        &mut self,
        input: &mut &[u8],
        prefix: u32,
    ) -> Result<(Field, usize, usize), Undecodable> {
        let index = take_integer(input, prefix)?;
        let (name, name_length) = match index {
            0 => {
                let name = take_string(input, &mut self.scratch)?;
                (Name::new(name), name.len())
            }
            1..=static_table::ENTRIES => static_table::name(index).ok_or(NO_ENTRY)?,
            _ => {
                let entry = self.entries.get(index - static_table::ENTRIES - 1);
                let (field, length, _) = entry.ok_or(NO_ENTRY)?;
                (field.name(), usize::from(*length))
            }
        };
        let value = take_string(input, &mut self.scratch)?;
        Ok((Field::new(name, value), name_length, value.len()))
    }

    /// Section 4.4: an entry that does not fit leaves an empty table.
    fn insert(&mut self, field: Field, name: usize, value: usize) {
        let size = name + value + OVERHEAD;
        if size > self.limit {
            self.evict(0);
            return;
        }
        self.evict(self.limit - size);
        self.size += size;
        // Both are below the limit, which fits.
        self.entries.push_front((field, name as u16, value as u16));
    }

    fn evict(&mut self, limit: usize) {
        while self.size > limit
            && let Some((_, name, value)) = self.entries.pop_back()
        {
            self.size -= size(name, value);
        }
    }
}

const NO_ENTRY: Undecodable = Undecodable("a header block refers to an entry that does not exist");

fn size(name: u16, value: u16) -> usize {
    usize::from(name) + usize::from(value) + OVERHEAD
}

/// Takes a string from the front of `input` (section 5.2).
fn take_string<'a, 'b: 'a>(
    input: &mut &'b [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], Undecodable> {
    let coded = input.first().is_some_and(|first| first & 0x80 != 0);
    let length = take_integer(input, 7)?;
    let (string, rest) = input
        .split_at_checked(length)
        .ok_or(Undecodable("a string in a header block is cut off"))?;
    *input = rest;
    if !coded {
        return Ok(string);
    }
    scratch.clear();
    huffman::decode(string, scratch)?;
    Ok(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Undecodable> {
        let mut fields = Vec::new();
        decoder.decode(block, |field, _| {
            fields.push(match field {
                Field::Method(method) => format!(":method: {method}"),
                Field::Scheme(scheme) => format!(":scheme: {scheme}"),
                Field::Authority(authority) => format!(":authority: {authority}"),
                Field::Path(path) => format!(":path: {path}"),
                Field::Regular(name, value) => format!("{name}: {}", value.to_str().unwrap()),
                Field::Malformed => "malformed".to_owned(),
            });
        })?;
        Ok(fields)
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    const REQUESTS: [&[&str]; 3] = [
        &[
            ":method: GET",
            ":scheme: http",
            ":path: /",
            ":authority: www.example.com",
        ],
        &[
            ":method: GET",
            ":scheme: http",
            ":path: /",
            ":authority: www.example.com",
            "cache-control: no-cache",
        ],
        &[
            ":method: GET",
            ":scheme: https",
            ":path: /index.html",
            ":authority: www.example.com",
            "custom-key: custom-value",
        ],
    ];

    /// RFC 7541, appendix C.3.
    #[test]
    fn requests_are_as_in_the_examples() {
        let mut decoder = Decoder::default();
        let blocks = [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ];
        for ((block, fields), size) in blocks.iter().zip(REQUESTS).zip([57, 110, 164]) {
            assert_eq!(decode(&mut decoder, &hex(block)).unwrap(), fields);
            assert_eq!(decoder.size, size);
        }
    }

    /// RFC 7541, appendix C.4.
    #[test]
    fn requests_with_huffman_codes_are_as_in_the_examples() {
        let mut decoder = Decoder::default();
        let blocks = [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ];
        for ((block, fields), size) in blocks.iter().zip(REQUESTS).zip([57, 110, 164]) {
            assert_eq!(decode(&mut decoder, &hex(block)).unwrap(), fields);
            assert_eq!(decoder.size, size);
        }
    }

    #[test]
    fn the_table_evicts_its_oldest_entries() {
        let mut decoder = Decoder::default();
        // 3fe13f: a size of 4096, 200: of 0; then 100 (3f45).
        assert_eq!(decode(&mut decoder, &hex("203f45")).unwrap(), [""; 0]);
        decode(&mut decoder, &hex("4001610162")).unwrap();
        decode(&mut decoder, &hex("4001630164")).unwrap();
        assert_eq!(
            decode(&mut decoder, &hex("bebf")).unwrap(),
            ["c: d", "a: b"]
        );
        decode(&mut decoder, &hex("4001650166")).unwrap();
        assert_eq!(
            decode(&mut decoder, &hex("bebf")).unwrap(),
            ["e: f", "c: d"]
        );
        assert!(decode(&mut decoder, &hex("c0")).is_err());
        // A name may come from an entry that its own insertion evicts.
        assert_eq!(decode(&mut decoder, &hex("7f000178")).unwrap(), ["c: x"]);
        // Too large for the table: all others go, and the field is taken.
        let long = [&hex("4001617f15")[..], &[b'x'; 148]].concat();
        assert_eq!(decode(&mut decoder, &long).unwrap().len(), 1);
        assert!(decode(&mut decoder, &hex("be")).is_err());
    }

    #[test]
    fn blocks_that_are_not_what_they_should_be_are_refused() {
        for block in [
            "80", "ff", "82203f", "8220", "3fe21f", "40", "400161", "40016105", "0f", "be",
        ] {
            assert!(
                decode(&mut Decoder::default(), &hex(block)).is_err(),
                "{block}"
            );
        }
    }

    #[test]
    fn a_malformed_field_that_was_indexed_stays_malformed() {
        let mut decoder = Decoder::default();
        let fields = decode(&mut decoder, &hex("4001410162 be 7e0163")).unwrap();
        assert_eq!(fields, ["malformed"; 3]);
        assert_eq!(decoder.size, 68);
    }

    proptest! {
        #[test]
        fn no_block_makes_it_panic(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..5)) {
            let mut decoder = Decoder::default();
            for block in blocks {
                let _ = decoder.decode(&block, |_, _| {});
                let size: usize = decoder.entries.iter().map(|(_, n, v)| size(*n, *v)).sum();
                prop_assert_eq!(size, decoder.size);
                prop_assert!(decoder.size <= decoder.limit);
            }
        }
    }
}
