//! The page in use: with a mouse, by keyboard, without scripts, on paper, on a telephone, and from a server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use ravelin_lens::explain::Language;
use ravelin_lens::page::{Options, content_security_policy, page};
use serde_json::json;

use super::{SHOWN, SIMPLE, Sheet, count, story, text};
use crate::browser::Browser;

/// In both schemes and languages: each step by its arrow, and each quantity by its box.
#[test]
fn every_step_and_quantity_opens_with_a_click() {
    let story = story(SIMPLE);
    let mut browser = Browser::open();
    for (scheme, language) in [("light", Language::English), ("dark", Language::Chinese)] {
        let sheet = Sheet::of(&page(&[&story], &Options { language, ..SHOWN }).unwrap());
        browser.scheme(scheme, "screen");
        browser.load(&sheet.address());
        for at in 0..story.steps.len() {
            browser.click(&format!(".arrow[data-step='{at}'] .message"));
            let open = browser.value(
                "[...document.querySelectorAll('.step')].map(step => step.open).indexOf(true)",
            );
            assert_eq!(open, at, "the step of the arrow, and no other");
            assert_eq!(count(&mut browser, ".step[open]"), 1);
            let current = format!(".arrow[data-step='{at}'][aria-current=step]");
            assert_eq!(count(&mut browser, &current), 1);
            let title = language.step(&story, at).title;
            assert_eq!(text(&mut browser, ".step[open] h3"), title);
            let seen = browser.value(
                "(() => {
                    const box = document.querySelector('.step[open] summary').getBoundingClientRect();
                    return box.top >= 0 && box.top < innerHeight;
                })()",
            );
            assert_eq!(seen, true, "{title} is in sight");
        }
        for (id, _) in story.ledger.iter() {
            browser.click(&format!(".node[data-q='{}'] rect", id.number()));
            let shown = text(&mut browser, ".quantity.on h3");
            assert_eq!(shown, language.quantity_name(&story.ledger, id));
            let formula = text(&mut browser, ".quantity.on .formula code");
            assert_eq!(formula, language.formula(&story.ledger, id));
            let inputs = browser.value(
                "[...document.querySelectorAll('.quantity.on .inputs code')]
                    .every(input => /^[0-9a-f]+$/.test(input.textContent))",
            );
            assert_eq!(inputs, true, "the inputs of {shown} have values");
            assert_eq!(count(&mut browser, ".quantity.on"), 1);
        }
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

/// For each field of the first step, and each of its octets.
#[test]
fn fields_and_their_octets_light_up_together() {
    let story = story(SIMPLE);
    let mut browser = Browser::open();
    browser.load(&Sheet::simple().address());
    browser.click(".arrow[data-step='0']");
    browser.value(
        "document.querySelectorAll('.step[open] [aria-expanded=false]')
            .forEach(item => item.setAttribute('aria-expanded', 'true'))",
    );
    let (tree, _) = story.steps[0].dissect();
    let mut fields = vec![&tree];
    let mut at = 0;
    while let Some(field) = fields.pop() {
        fields.extend(field.fields().iter().rev());
        let octets = browser.value(&format!(
            "(() => {{
                const item = document.querySelectorAll('.step[open] .tree li')[{at}];
                item.querySelector('b').dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}));
                const lit = [...document.querySelectorAll('.step[open] .hex .lit')];
                // Without the places that rows begin with.
                const octets = piece => [...piece.childNodes].filter(part => part.nodeType === 3)
                    .map(part => part.data).join('').replaceAll('\\n', ' ');
                return [item.querySelector('b').textContent, lit.map(octets).filter(text => text).join(' ')];
            }})()"
        ));
        let bytes = &story.steps[0].bytes[field.range.clone()];
        let hex: Vec<_> = bytes.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(octets, json!([field.name, hex.join(" ")]));
        at += 1;
    }
    assert_eq!(count(&mut browser, ".step[open] .tree li"), at);

    // With the mouse itself: the octets of the server's name.
    browser.point_at(".step[open] .hex .t");
    assert_eq!(text(&mut browser, ".step[open] .tree .lit b"), "name");
    browser.click(".step[open] .hex .t");
    browser.point_at("h1");
    let focused = browser.value("document.activeElement.querySelector('b').textContent");
    assert_eq!(focused, "name", "a click holds on to it");
    assert_eq!(
        text(&mut browser, ".step[open] .hex .lit"),
        "73 65 72 76\n65 72"
    );
}

#[test]
fn the_keyboard_alone_is_enough() {
    let mut browser = Browser::open();
    browser.load(&Sheet::simple().address());
    let focused = |browser: &mut Browser, what: &str| {
        browser.value(&format!("document.activeElement.{what}"))
    };
    browser.press("Tab");
    assert_eq!(focused(&mut browser, "className"), "skip");
    browser.press("Enter");
    assert_eq!(focused(&mut browser, "id"), "c0-steps");
    // One arrow of the diagram can be reached with Tab, and the others from there.
    browser.press("Tab");
    assert_eq!(focused(&mut browser, "dataset.step"), "0");
    browser.press("Enter");
    assert_eq!(text(&mut browser, ".step[open] h3"), "ClientHello");
    assert_eq!(focused(&mut browser, "tagName"), "SUMMARY");
    for (key, title) in [
        ("j", "ServerHello"),
        ("ArrowDown", "EncryptedExtensions"),
        ("k", "ServerHello"),
        ("End", "Alert"),
        ("j", "Alert"),
        ("Home", "ClientHello"),
    ] {
        browser.press(key);
        assert_eq!(text(&mut browser, ".step[open] h3"), title, "{key}");
        assert_eq!(count(&mut browser, ".step[open]"), 1);
        assert_eq!(
            count(&mut browser, ".step[open] > summary:focus-visible"),
            1
        );
    }
    browser.press("Escape");
    assert_eq!(count(&mut browser, ".step[open]"), 0);
    browser.press("Enter");
    assert_eq!(count(&mut browser, ".step[open]"), 1);

    // Into the tree of fields, and about in it.
    browser.press("Tab");
    for (key, field, octets) in [
        ("ArrowDown", "msg_type", "01"),
        ("ArrowDown", "length", "00 00 c0"),
        ("ArrowUp", "msg_type", "01"),
        ("ArrowLeft", "handshake", "01"),
    ] {
        browser.press(key);
        assert_eq!(
            focused(&mut browser, "querySelector('b').textContent"),
            field,
            "{key}"
        );
        assert_eq!(text(&mut browser, ".step[open] .hex .lit"), octets);
    }
    let rows = |browser: &mut Browser| {
        browser.value(
            "[...document.querySelectorAll('.step[open] .tree li')].filter(li => li.offsetParent).length",
        )
    };
    browser.press("ArrowLeft");
    assert_eq!(rows(&mut browser), 1, "all is folded into the message");
    browser.press("ArrowRight");
    browser.press("End");
    assert_ne!(rows(&mut browser), 1);
    browser.press("Escape");
    assert_eq!(focused(&mut browser, "tagName"), "SUMMARY");

    // The key schedule: from box to box, and to what is told of one.
    browser.value("document.querySelector('.node[tabindex=\"0\"]').focus()");
    for (key, name) in [
        ("ArrowDown", "derived"),
        ("ArrowDown", "handshake_secret"),
        ("ArrowRight", "client_handshake_traffic_secret"),
        ("ArrowRight", "write_key"),
        ("ArrowLeft", "client_handshake_traffic_secret"),
    ] {
        browser.press(key);
        assert_eq!(
            focused(&mut browser, "querySelector('text').textContent"),
            name
        );
    }
    browser.press("Enter");
    let shown = text(&mut browser, ".quantity.on h3");
    assert_eq!(shown, "client_handshake_traffic_secret");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Tab leads through the page in the order of reading, and not through hundreds of fields.
#[test]
fn tab_visits_little_and_in_order() {
    let mut browser = Browser::open();
    browser.load(&Sheet::simple().address());
    browser.value(
        "new Promise(done => {
            const step = document.querySelector('.step');
            step.addEventListener('toggle', () => requestAnimationFrame(done));
            step.open = true;
        })",
    );
    let places = browser.value(
        "(() => {
            const stops = [...document.querySelectorAll('a[href], summary, [tabindex]')].filter(
                stop => stop.tabIndex >= 0 && stop.checkVisibility());
            window.stops = stops;
            return stops.length;
        })()",
    );
    let places = places.as_u64().unwrap();
    assert!(places < 70, "{places} stops");
    let mut before = None;
    for _ in 0..places {
        browser.press("Tab");
        let now = browser
            .value("window.stops.indexOf(document.activeElement)")
            .as_i64();
        let here = browser.value("document.activeElement.outerHTML.slice(0, 80)");
        assert!(now >= Some(0), "{here} is no stop that is known");
        assert!(now > before, "{before:?}, then {now:?}");
        before = now;
    }
}

/// What a server sends: the policy is in a header too.
#[test]
fn the_page_is_whole_under_the_policy_of_a_server() {
    let html = page(&[&story(SIMPLE)], &SHOWN).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/handshake", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(octets @ 1..) => request.extend_from_slice(&piece[..octets]),
                    _ => break,
                }
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                 Content-Security-Policy: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content_security_policy(),
                html.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), html.as_bytes()].concat());
        }
    });
    let mut browser = Browser::open();
    browser.load(&url);
    assert_eq!(count(&mut browser, "html.js"), 1, "the script ran");
    let style = browser.value("getComputedStyle(document.querySelector('.facts')).display");
    assert_eq!(style, "flex", "the style is applied");
    browser.click(".arrow[data-step='3']");
    assert_eq!(text(&mut browser, ".step[open] h3"), "Certificate");
    browser.click(".checks td a[href*=q]");
    assert_eq!(count(&mut browser, ".quantity.on:focus"), 1);
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // The policy is in force, and its refusals would have been seen.
    browser.value(
        "(() => {
            const script = document.createElement('script');
            script.textContent = 'document.title = \"stranger\"';
            document.body.append(script);
        })()",
    );
    assert_ne!(browser.value("document.title"), "stranger");
    assert_ne!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn without_scripts_it_is_a_document() {
    let story = story(SIMPLE);
    let mut browser = Browser::open();
    browser.scripts(false);
    browser.load(&Sheet::simple().address());
    assert_eq!(count(&mut browser, "html.js"), 0);
    // A link of the diagram leads to its step, and opens it.
    browser.click(".arrow[data-step='1'] .message");
    assert_eq!(text(&mut browser, ".step[open] h3"), "ServerHello");
    browser.click(".step[data-step='4'] > summary");
    assert_eq!(count(&mut browser, ".step[open]"), 2);
    // Nothing is folded, and all quantities are told.
    let hidden = browser.value(
        "[...document.querySelectorAll('.step[open] .tree li, .quantity')]
            .filter(part => !part.getClientRects().length).length",
    );
    assert_eq!(hidden, 0);
    assert_eq!(
        count(&mut browser, ".quantity"),
        story.ledger.iter().count() as u64
    );
    let help = browser.value("getComputedStyle(document.querySelector('.keyboard')).display");
    assert_eq!(help, "none", "nothing is promised that takes a script");
}

#[test]
fn on_paper_every_step_is_open() {
    let mut browser = Browser::open();
    for scripts in [false, true] {
        browser.scripts(scripts);
        browser.scheme("light", "print");
        browser.load(&Sheet::simple().address());
        let closed = browser.value(
            "[...document.querySelectorAll('.body, .tree li, .quantity')]
                .filter(part => part.getBoundingClientRect().height < 8).length",
        );
        assert_eq!(closed, 0);
        let cut = browser.value(
            "[...document.querySelectorAll('.tree, .hex')]
                .filter(part => part.scrollHeight > part.clientHeight + 2).length",
        );
        assert_eq!(cut, 0, "nothing scrolls on paper");
    }
    let paper = browser.paper();
    assert!(paper.starts_with(b"%PDF-"));
    let sheets = paper
        .windows(12)
        .filter(|part| part == b"/Type /Page\n")
        .count();
    assert!((12..60).contains(&sheets), "{sheets} sheets");
    assert_eq!(
        count(&mut browser, ".step[open]"),
        0,
        "it is as it was before"
    );
}

#[test]
fn a_telephone_shows_it_without_scrolling_sideways() {
    let mut browser = Browser::open();
    browser.screen(360, 740, true);
    browser.load(&Sheet::simple().address());
    for at in 0..12 {
        browser.click(&format!(".step[data-step='{at}'] > summary"));
    }
    let wide = browser.value(
        "[...document.querySelectorAll('body *')]
            .filter(part => part.getBoundingClientRect().right > 361 && !part.closest('.picture, .scroll'))
            .map(part => part.outerHTML.slice(0, 100)).slice(0, 5)",
    );
    assert_eq!(wide, json!([]));
    assert_eq!(browser.value("document.documentElement.scrollWidth"), 360);
    let hex = browser.value(
        "[...document.querySelectorAll('.step[open] .hex')]
            .filter(part => part.scrollWidth > part.clientWidth).length",
    );
    assert_eq!(hex, 0, "sixteen octets fit into a row");
}
