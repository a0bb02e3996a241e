//! Files that change while they are served are served changed, at once.

use crate::foreign::httpx::Httpx;
use crate::server::Place;

const CHANGES: usize = 200;

#[test]
fn a_file_that_is_written_anew_is_served_anew() {
    assert_served_as_it_is(|place, text| {
        place.write("public/page.txt", text);
    });
}

#[test]
fn a_file_that_is_replaced_is_served_replaced() {
    assert_served_as_it_is(|place, text| place.replace("public/page.txt", text));
}

/// Has `change` give `page.txt` new texts, and checks that each is what comes next.
fn assert_served_as_it_is(change: impl Fn(&Place, &str)) {
    for version in [1, 2] {
        let place = Place::new();
        let server = place.serve(&[]);
        let mut client = Httpx::new(&server, version);
        for count in 0..CHANGES {
            // Of one length and within one tick of the file system's clock, so that neither tells.
            let text = format!("change {count:04}\n");
            change(&place, &text);
            assert_eq!(
                client.ask("text /page.txt"),
                as_json(&text),
                "over HTTP/{version}"
            );
        }
    }
}

#[test]
fn a_file_comes_and_goes() {
    for version in [1, 2] {
        let place = Place::new();
        let server = place.serve(&[]);
        let mut client = Httpx::new(&server, version);
        for _ in 0..20 {
            assert_eq!(client.get("/page.txt").status, 404);
            let path = place.write("public/page.txt", "here\n");
            assert_eq!(client.get("/page.txt").status, 200);
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_download_under_way_keeps_the_file_it_began_with() {
    for version in [1, 2] {
        let place = Place::new();
        let large = super::large_file(&place);
        let server = place.serve(&[]);
        let mut client = Httpx::new(&server, version);
        client.open("/large.bin");
        place.replace("public/large.bin", "small now\n");
        client.assert_rest_is(&large);
        assert_eq!(client.ask("text /large.bin"), as_json("small now\n"));
    }
}

/// What the client makes of a text.
fn as_json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
