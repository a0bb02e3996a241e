//! The live page in a browser that trusts the local root: every step and every quantity of the connection that
//! brought it.

use std::fs;
use std::path::Path;

use crate::browser::Browser;
use crate::judges::chromium::changed;
use crate::server::{Place, Server};

#[test]
fn the_live_page_opens_at_every_click_and_the_browser_has_nothing_to_complain_of() {
    let (place, server) = served();
    let mut browser = Browser::at_home(&place.path("user"));
    browser.load(&server.url("/handshake"));
    let reached = browser
        .value("[isSecureContext, performance.getEntriesByType('navigation')[0].nextHopProtocol]");
    assert_eq!(reached, serde_json::json!([true, "h2"]));

    let steps = number(&mut browser, "document.querySelectorAll('.step').length");
    // One that is resumed has fewer than a full one: browsers open several connections.
    assert!(steps > 8, "{steps} steps of a whole handshake");
    for at in 0..steps {
        browser.click(&format!(".arrow[data-step='{at}'] .message"));
        let found = browser.value(&format!(
            "(() => {{
                const open = [...document.querySelectorAll('.step[open]')];
                const said = document.querySelector(\".arrow[data-step='{at}'] .message\").textContent;
                const box = open[0].querySelector('summary').getBoundingClientRect();
                return [open.length, open[0].dataset.step, open[0].querySelector('h3').textContent === said,
                    open[0].querySelectorAll('.hex b').length > 0, box.top >= 0 && box.top < innerHeight];
            }})()"
        ));
        let expected = serde_json::json!([1, at.to_string(), true, true, true]);
        assert_eq!(found, expected, "step {at}");
    }
    let quantities =
        browser.value("[...document.querySelectorAll('.node')].map(node => node.dataset.q)");
    let quantities = quantities.as_array().unwrap();
    assert!(quantities.len() > 20, "{quantities:?}");
    for number in quantities {
        browser.click(&format!(".node[data-q={number}] rect"));
        let shown = browser.value("document.querySelector('.quantity.on').dataset.q");
        assert_eq!(&shown, number);
    }
    let refuted =
        browser.value("document.querySelectorAll('.checks tr.bad, .quantity.bad').length");
    assert_eq!(refuted, 0, "everything that was tested holds");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// With hybrid key shares, and however many records of HTTP/2 have come before it is made.
#[test]
fn the_live_page_of_chromium_is_small_and_stands_under_its_policy() {
    let (place, server) = served();
    let mut browser = Browser::at_home(&place.path("user"));
    browser.load(&server.url("/handshake"));
    let size = number(
        &mut browser,
        "performance.getEntriesByType('navigation')[0].decodedBodySize",
    );
    assert!(size < 150_000, "{size} octets");
    let hybrid = browser.value("document.querySelector('.facts').textContent.includes('MLKEM768')");
    assert_eq!(hybrid, true);

    browser.screen(1100, 720, false);
    browser.click(".arrow[data-step='0']");
    browser.value("document.querySelector('.top').scrollIntoView()");
    let picture = browser.picture();
    assert!(picture.len() < 150_000, "{} octets", picture.len());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images/handshake-live.png");
    if std::env::var_os("RAVELIN_KEEP_PICTURES").is_some() {
        fs::write(&file, picture).unwrap();
    } else {
        assert!(file.is_file(), "set RAVELIN_KEEP_PICTURES to make it");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // What would be complained of is seen: a script of a stranger, and a request to elsewhere.
    browser.value(
        "(() => {
            const script = document.createElement('script');
            script.textContent = 'document.title = \"stranger\"';
            document.body.append(script);
            fetch('/').catch(() => {});
        })()",
    );
    assert_ne!(browser.value("document.title"), "stranger");
    let complaints = browser.complaints().join("\n");
    for directive in ["script-src", "connect-src"] {
        assert!(complaints.contains(directive), "{directive}: {complaints}");
    }
}

/// `ravelin serve --explain`, whose root the user of the folder trusts.
fn served() -> (Place, Server) {
    let place = Place::new();
    let server = place.serve(&["--explain"]);
    changed(&place, "trust");
    (place, server)
}

fn number(browser: &mut Browser, expression: &str) -> u64 {
    browser.value(expression).as_u64().unwrap()
}
