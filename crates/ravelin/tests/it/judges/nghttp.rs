//! nghttp, which says every frame of HTTP/2 that comes.

use crate::foreign::run;
use crate::server::Place;

#[test]
fn many_streams_of_one_connection_end_well() {
    let place = Place::new();
    let sizes = [0, 1, 1_000, 16_384, 16_385, 100_000, 1_000_000];
    let mut urls = Vec::new();
    for size in sizes {
        place.write(&format!("public/{size}.bin"), vec![b'x'; size]);
        urls.push(size);
    }
    let server = place.serve(&[]);
    let urls: Vec<_> = urls
        .iter()
        .map(|size| server.url(&format!("/{size}.bin")))
        .collect();
    // All of them at once, and whatever comes is thrown away but for the frames.
    let mut arguments = vec!["-v", "-n", "-y"];
    arguments.extend(urls.iter().map(String::as_str));
    let frames = run(&place, "nghttp", &arguments).well().text();
    assert!(frames.contains("The negotiated protocol: h2"), "{frames}");
    assert_eq!(
        frames.matches(":status: 200").count(),
        sizes.len(),
        "{frames}"
    );
    for size in sizes {
        assert!(
            frames.contains(&format!("content-length: {size}\n")),
            "{size}: {frames}"
        );
    }
    for wrong in [
        "RST_STREAM",
        "error_code=PROTOCOL_ERROR",
        "error_code=INTERNAL_ERROR",
    ] {
        assert!(!frames.contains(wrong), "{frames}");
    }
    // The server's own settings, and its yes to ours.
    assert!(frames.contains("recv SETTINGS frame"), "{frames}");
    assert!(
        frames.contains("[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):128]"),
        "{frames}"
    );
    assert!(frames.contains("; ACK"), "{frames}");
    // Uncoded lines and bodies would be longer than this.
    assert!(!frames.contains("connection: "), "{frames}");
}

#[test]
fn more_streams_than_are_allowed_at_once_are_served_in_turn() {
    let place = Place::new();
    let server = place.serve(&[]);
    let url = server.url("/");
    let ran = run(
        &place,
        "h2load",
        &["-n", "2000", "-c", "2", "-m", "500", &url],
    )
    .well();
    let said = ran.text();
    assert!(
        said.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"),
        "{said}"
    );
}

#[test]
fn a_post_is_answered() {
    let place = Place::new();
    place.write("data", vec![b'x'; 10_000]);
    let server = place.serve_config(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nhosts = [\"localhost\"]\n\
         route = [{ respond = { status = 403, body = \"no\\n\" } }]\n",
    );
    let ran = run(&place, "nghttp", &["-y", "-d", "data", &server.url("/")]).well();
    assert_eq!(ran.text(), "no\n");
}
