//! Chromium: a page is loaded for real, by a browser that knows the local root from `ravelin ca
//! trust` and nothing else about us.

use std::path::Path;

use crate::browser::UNATTENDED;
use crate::foreign::{Ran, run};
use crate::server::{Place, Server};

/// The site that the README shows.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site");

#[test]
fn a_page_is_a_secure_context_once_the_root_is_trusted() {
    let place = Place::new();
    let server = place.serve(&[EXAMPLE]);

    // What the browser thinks of a page that it does not show, it says on standard error.
    let refused = load(&server);
    assert!(
        refused.stderr.contains("ERR_CERT_AUTHORITY_INVALID"),
        "{}",
        refused.stderr
    );
    assert_eq!(refused.text(), "");

    let said = changed(&place, "trust");
    assert!(said.contains("nssdb"), "{said}");
    let loaded = load(&server);
    // What the page's script finds: a secure context, and how it was reached.
    for found in [r#"id="secure" class="good""#, r#"id="protocol">HTTP/2"#] {
        assert!(
            loaded.text().contains(found),
            "{}\n{}",
            loaded.text(),
            loaded.stderr
        );
    }
    for complaint in ["ERR_", "handshake failed"] {
        assert!(!loaded.stderr.contains(complaint), "{}", loaded.stderr);
    }

    changed(&place, "untrust");
    let refused = load(&server);
    assert!(
        refused.stderr.contains("ERR_CERT_AUTHORITY_INVALID"),
        "{}",
        refused.stderr
    );
}

/// The page as it is when its scripts have run.
fn load(server: &Server) -> Ran {
    let mut arguments = UNATTENDED.to_vec();
    arguments.extend([
        "--disable-quic",
        "--virtual-time-budget=10000",
        "--dump-dom",
    ]);
    // A new one each time, so that nothing is remembered.
    let profile = tempfile::tempdir().unwrap();
    let profile = format!("--user-data-dir={}", profile.path().display());
    let url = server.url("/");
    arguments.extend([profile.as_str(), &url]);
    run(&server.place, "chromium", &arguments).well()
}

/// The words of [`changing`], which has to be content.
pub(crate) fn changed(place: &Place, what: &str) -> String {
    let (code, said) = changing(place, what);
    assert_eq!(code, 0, "{said}");
    said
}

/// The exit code and the words of `ravelin ca trust` and its kin, which must not change the machine that runs the tests: it sees
/// copies of the system's folders, none of its JVMs, and nothing that the system runs after a
/// change.
pub(super) fn changing(place: &Place, what: &str) -> (i32, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_ravelin")).display();
    let script = format!(
        "set -e
        if [ ! -e anchors ]; then mkdir anchors; cp -a /etc/ssl/certs certs; fi
        mount --bind anchors /usr/local/share/ca-certificates
        mount --bind certs /etc/ssl/certs
        mkdir -p empty
        for folder in /etc/ca-certificates/update.d /usr/lib/jvm; do
            [ ! -d $folder ] || mount --bind empty $folder
        done
        '{binary}' ca {what}"
    );
    let mut arguments = vec!["--mount"];
    if !rustix::process::geteuid().is_root() {
        arguments.push("--map-root-user");
    }
    arguments.extend(["sh", "-c", &script]);
    let ran = run(place, "unshare", &arguments);
    (ran.code, ran.text() + &ran.stderr)
}

#[test]
fn programs_of_the_system_trust_the_root_once_it_is_in_the_system_store() {
    let place = Place::new();
    let server = place.serve(&[]);
    let certs = place.path("certs/ca-certificates.crt");
    let asked = |url: &str| {
        run(
            &place,
            "curl",
            &["-sS", "-4", "--cacert", certs.to_str().unwrap(), url],
        )
    };
    changed(&place, "trust");
    assert_eq!(asked(&server.url("/")).well().text(), "hello\n");
    changed(&place, "untrust");
    assert_eq!(asked(&server.url("/")).code, 60);
}
