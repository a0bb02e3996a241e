//! Whatever a client may send.

use proptest::prelude::*;

use super::*;

/// Frames of all kinds, most of them not quite right.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let any_frame = (
        0..11_u8,
        any::<u8>(),
        0..8_u32,
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(kind, flags, stream, payload)| framed(kind, flags & 0x2d, stream, &payload));
    let path = prop::sample::select(vec![
        "/hello", "/echo", "/large", "/stream", "/never", "/ignore",
    ]);
    let request = (0..8_u32, path.clone()).prop_map(|(n, path)| get(2 * n + 1, path));
    let upload = (0..8_u32, path).prop_map(|(n, path)| post(2 * n + 1, path, &[]));
    let body = (0..16_u32, 0..20_000_usize, any::<bool>())
        .prop_map(|(id, length, ends)| data(id, &vec![7; length.min(16_384)], ends));
    let widen = (0..16_u32, 0..100_000_u32).prop_map(|(id, increment)| window(id, increment));
    prop_oneof![any_frame, request, upload, body, widen]
}

proptest! {
    /// However frames are cut in pieces, the same is answered, and nothing panics. Handlers have
    /// their turns between frames: what is said may depend on how many have come by then.
    #[test]
    fn the_cut_of_frames_does_not_matter(
        frames in prop::collection::vec(frames(), 0..12),
        cuts in prop::collection::vec(1..300_usize, 1..20),
    ) {
        let mut whole = Client::raw(&Limits::default());
        let mut cut = Client::raw(&Limits::default());
        let mut cuts = cuts.iter().cycle();
        for frame in [hello(&[])].iter().chain(&frames) {
            whole.send(frame);
            let mut rest = &frame[..];
            while !rest.is_empty() {
                let length = cuts.next().map_or(1, |cut| *cut).min(rest.len());
                cut.send(&rest[..length]);
                rest = &rest[length..];
            }
        }
        let by_stream = |client: &mut Client| {
            let mut streams = std::collections::BTreeMap::<u32, (Vec<u8>, Vec<u8>)>::new();
            for (header, payload) in client.frames() {
                let seen = streams.entry(header.stream).or_default();
                match header.kind {
                    // Window updates and frames of a body may be cut differently.
                    kind::DATA => seen.1.extend(payload),
                    kind::WINDOW_UPDATE | kind::GOAWAY => {}
                    _ => seen.0.extend([&[header.kind, header.flags][..], &payload].concat()),
                }
            }
            streams.retain(|id, _| *id > 0);
            streams
        };
        prop_assert_eq!(whole.session.is_over(), cut.session.is_over());
        if !whole.session.is_over() {
            prop_assert!(by_stream(&mut whole) == by_stream(&mut cut));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let mut client = Client::new();
        client.send(&bytes);
    }
}
