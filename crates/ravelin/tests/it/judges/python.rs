//! Python's own ssl and http.client, and requests.

use crate::foreign::run_python;
use crate::server::Place;

#[test]
fn python_as_it_comes_is_content() {
    judged_by("standard.py");
}

#[test]
fn requests_is_content() {
    judged_by("with_requests.py");
}

fn judged_by(script: &str) {
    let place = Place::new();
    place.write("public/long.txt", "many words ".repeat(1_000));
    let server = place.serve(&[]);
    let (port, root) = (server.port().to_string(), place.root());
    run_python(&place, script, &[&port, root.to_str().unwrap()]).well();
}
