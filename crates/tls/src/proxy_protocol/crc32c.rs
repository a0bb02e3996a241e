//! The checksum of Castagnoli, as RFC 9260 has it (appendix A).

pub(super) fn of(octets: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for octet in octets {
        sum ^= u32::from(*octet);
        for _ in 0..8 {
            let low = sum & 1;
            sum = sum >> 1 ^ (POLYNOMIAL * low);
        }
    }
    !sum
}

/// 0x1edc6f41, the other way round.
const POLYNOMIAL: u32 = 0x82f6_3b78;

#[test]
fn the_checksum_is_the_one_that_everybody_has() {
    assert_eq!(of(b"123456789"), 0xe306_9283);
    assert_eq!(of(&[0; 32]), 0x8a91_36aa);
}
