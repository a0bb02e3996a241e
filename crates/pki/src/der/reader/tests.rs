//! Each rule of DER that reading holds to, at its bounds.

use super::*;

fn problem(bytes: &[u8]) -> DerProblem {
    Reader::new(bytes).next().unwrap_err().problem
}

#[test]
fn ber_is_refused_by_name() {
    assert_eq!(problem(&[0x30, 0x80, 0, 0]), DerProblem::Indefinite);
    assert_eq!(problem(&[0x04, 0x81, 0x01, 0]), DerProblem::LongLength);
    assert_eq!(problem(&[0x04, 0x82, 0x00, 0x80]), DerProblem::LongLength);
    assert_eq!(
        problem(&[0x04, 0x85, 0, 0, 0, 0, 1, 0]),
        DerProblem::LongLength
    );
    assert_eq!(problem(&[0x04, 0xff, 0]), DerProblem::Unsupported);
    assert_eq!(problem(&[0x1f, 0x81, 0]), DerProblem::Unsupported);
    let boolean = Reader::new(&[1, 1, 1]).next().unwrap();
    assert_eq!(
        boolean.boolean().unwrap_err().problem,
        DerProblem::BadBoolean
    );
}

#[test]
fn what_is_cut_off_is_told_with_its_place() {
    assert_eq!(problem(&[]), DerProblem::Truncated);
    assert_eq!(problem(&[0x30]), DerProblem::Truncated);
    assert_eq!(problem(&[0x30, 0x82, 1]), DerProblem::Truncated);
    let outer = Reader::new(&[0x30, 4, 2, 1, 5, 4]).next().unwrap();
    let mut inner = outer.reader();
    assert_eq!(inner.next().unwrap().unsigned(), Ok(5));
    let error = inner.next().unwrap_err();
    assert_eq!((error.at, error.problem), (5, DerProblem::Truncated));
    let error = Reader::new(&[4, 9, 1]).next().unwrap_err();
    let expected = DerProblem::TooLong {
        claimed: 9,
        left: 1,
    };
    assert_eq!(error.problem, expected);
}

#[test]
fn integers_have_one_form() {
    let integer = |content: &[u8]| {
        let mut bytes = vec![2, u8::try_from(content.len()).unwrap()];
        bytes.extend(content);
        Reader::new(&bytes).next().unwrap().unsigned().ok()
    };
    assert_eq!(integer(&[0]), Some(0));
    assert_eq!(integer(&[0, 0xff]), Some(255));
    assert_eq!(
        integer(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Some(u64::MAX)
    );
    for bad in [&[][..], &[0, 1], &[0xff, 0x80], &[0x80], &[1; 9]] {
        assert_eq!(integer(bad), None, "{bad:?}");
    }
}

#[test]
fn times_are_those_of_rfc_5280() {
    let time = |tag: Tag, text: &str| {
        let mut bytes = vec![tag.0, u8::try_from(text.len()).unwrap()];
        bytes.extend(text.bytes());
        let time = Reader::new(&bytes).next().unwrap().time().ok()?;
        Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap(),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap(),
        })
    };
    assert_eq!(time(Tag::UTC_TIME, "700101000001Z"), Some(1));
    assert_eq!(time(Tag::UTC_TIME, "500101000000Z"), Some(-631_152_000));
    assert_eq!(time(Tag::UTC_TIME, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(
        time(Tag::GENERALIZED_TIME, "99991231235959Z"),
        Some(253_402_300_799)
    );
    for text in [
        "700101000001",
        "7001010000Z",
        "700101000001+0000",
        "701301000000Z",
        "700230000000Z",
        "700101240000Z",
    ] {
        assert_eq!(time(Tag::UTC_TIME, text), None, "{text}");
    }
    assert_eq!(time(Tag::GENERALIZED_TIME, "20500101000000.5Z"), None);
}

#[test]
fn lengths_are_written_as_short_as_they_can_be() {
    let octets = |header: &[u8], length: usize| [header, &vec![0; length]].concat();
    for (header, length) in [
        (&[4, 0x7f][..], 127),
        (&[4, 0x81, 0x80], 128),
        (&[4, 0x82, 1, 0], 256),
        (&[4, 0x84, 1, 0, 0, 0], 1 << 24),
    ] {
        let bytes = octets(header, length);
        assert_eq!(Reader::new(&bytes).next().unwrap().content.len(), length);
    }
    let long = octets(&[4, 0x81, 0x7f], 127);
    assert_eq!(problem(&long), DerProblem::LongLength);
    let long = octets(&[4, 0x82, 0, 0xff], 255);
    assert_eq!(problem(&long), DerProblem::LongLength);
    let longer = [4, 0x85, 1, 0, 0, 0, 0, 0];
    assert_eq!(problem(&longer), DerProblem::Unsupported);
}

#[test]
fn bits_that_do_not_count_are_told_and_zero() {
    let bits = |content: &[u8]| {
        let bytes = [&[3, u8::try_from(content.len()).unwrap()], content].concat();
        let element = Reader::new(&bytes).next().unwrap();
        element.bit_string().ok().map(|bits| bits.unused)
    };
    assert_eq!(bits(&[0]), Some(0));
    assert_eq!(bits(&[7, 0x80]), Some(7));
    assert_eq!(bits(&[1, 0xfe]), Some(1));
    // None told, more than there are, more than an octet has, set although they do not count.
    for wrong in [&[][..], &[1], &[8, 0], &[9, 0], &[1, 1], &[7, 0xc0]] {
        assert_eq!(bits(wrong), None, "{wrong:?}");
    }
}

#[test]
fn nothing_stands_where_nothing_may() {
    let element = |bytes: &'static [u8]| Reader::new(bytes).next().unwrap();
    let trailing = |octets| Some(DerProblem::Trailing { octets });
    let only = Reader::only(&[5, 0, 0], Tag::NULL);
    assert_eq!(only.err().map(|error| error.problem), trailing(1));
    let inner = element(&[4, 4, 5, 0, 5, 0]).inner();
    assert_eq!(inner.err().map(|error| error.problem), trailing(2));
    assert!(element(&[4, 2, 5, 0]).inner().is_ok());
    // FALSE is said by saying nothing.
    let default = |bytes: &'static [u8]| {
        let read = Reader::new(bytes).default_false(Tag::BOOLEAN);
        read.map_err(|error| error.problem)
    };
    assert_eq!(default(&[]), Ok(false));
    assert_eq!(default(&[1, 1, 0xff]), Ok(true));
    assert_eq!(default(&[1, 1, 0]), Err(DerProblem::WrittenDefault));
}

#[test]
fn strings_have_the_characters_of_their_type() {
    let text = |tag: Tag, content: &[u8]| {
        let bytes = [&[tag.0, u8::try_from(content.len()).unwrap()], content].concat();
        Reader::new(&bytes).next().unwrap().text().ok()
    };
    assert_eq!(text(Tag::IA5_STRING, b"a").as_deref(), Some("a"));
    assert_eq!(text(Tag::UTF8_STRING, "ä".as_bytes()).as_deref(), Some("ä"));
    assert_eq!(text(Tag::BMP_STRING, &[0, 0xe4]).as_deref(), Some("ä"));
    assert_eq!(text(Tag::TELETEX_STRING, &[0xe4]).as_deref(), Some("ä"));
    let wide = [0, 0, 0, 0xe4];
    assert_eq!(text(Tag::UNIVERSAL_STRING, &wide).as_deref(), Some("ä"));
    for (tag, wrong) in [
        (Tag::IA5_STRING, &[0xe4][..]),
        (Tag::PRINTABLE_STRING, &[0xe4]),
        (Tag::UTF8_STRING, &[0xe4]),
        (Tag::BMP_STRING, &[0xe4]),
        (Tag::BMP_STRING, &[0xd8, 0]),
        (Tag::UNIVERSAL_STRING, &[0, 0xe4]),
        (Tag::UNIVERSAL_STRING, &[0, 0x11, 0, 0]),
        (Tag::OCTET_STRING, b"a"),
    ] {
        assert_eq!(text(tag, wrong), None, "{tag} {wrong:?}");
    }
}
