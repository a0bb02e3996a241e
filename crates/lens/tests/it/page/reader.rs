//! The page for those who hear it, and for those who see little: landmarks, headings, names, contrast.

use std::collections::HashMap;

use ravelin_lens::explain::Language;
use ravelin_lens::page::{Options, page};
use serde_json::Value;

use super::{SHOWN, SIMPLE, Sheet, story};
use crate::browser::Browser;

#[test]
fn a_screen_reader_finds_landmarks_headings_and_names() {
    let story = story(SIMPLE);
    let mut browser = Browser::open();
    for language in Language::ALL {
        let sheet = Sheet::of(&page(&[&story], &Options { language, ..SHOWN }).unwrap());
        browser.load(&sheet.address());
        browser.click(".arrow[data-step='0']");
        let nodes = browser.accessible();
        let role = |node: &Value| node["role"]["value"].as_str().unwrap_or("").to_owned();
        let name = |node: &Value| {
            node["name"]["value"]
                .as_str()
                .unwrap_or("")
                .trim()
                .to_owned()
        };
        let mut roles: HashMap<String, usize> = HashMap::new();
        for node in &nodes {
            *roles.entry(role(node)).or_default() += 1;
        }
        for (landmark, number) in [("main", 1), ("banner", 1), ("contentinfo", 1)] {
            assert_eq!(roles.get(landmark), Some(&number), "{landmark}");
        }
        assert!(roles["navigation"] >= 2, "{roles:?}");
        assert_eq!(roles["tree"], 1, "the fields of the step that is open");
        // Whatever can be worked or gone to says what it is.
        let named = [
            "link",
            "button",
            "DisclosureTriangle",
            "treeitem",
            "tree",
            "navigation",
            "region",
            "heading",
            "table",
            "article",
        ];
        for node in &nodes {
            if named.contains(&role(node).as_str())
                && role(node) != "article"
                && role(node) != "table"
            {
                assert_ne!(name(node), "", "{node}");
            }
        }
        // Names of navigation tell them apart.
        let mut maps: Vec<_> = nodes
            .iter()
            .filter(|node| role(node) == "navigation")
            .map(name)
            .collect();
        let all = maps.len();
        maps.sort();
        maps.dedup();
        assert_eq!(maps.len(), all);
        // One heading of the page, and none skips a level.
        let levels = browser.value(
            "[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => Number(heading.tagName[1]))",
        );
        let levels: Vec<i64> = serde_json::from_value(levels).unwrap();
        assert_eq!(levels[0], 1);
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
        for pair in levels.windows(2) {
            assert!(pair[1] <= pair[0] + 1, "{levels:?}");
        }
        // What is said of the state of things.
        let state = |node: &Value, property: &str| {
            let properties = node["properties"].as_array().cloned().unwrap_or_default();
            let known = properties
                .into_iter()
                .find(|known| known["name"] == property);
            known.map(|known| known["value"]["value"].clone())
        };
        let expanded = nodes
            .iter()
            .filter(|node| role(node) == "DisclosureTriangle")
            .filter(|node| state(node, "expanded") == Some(Value::Bool(true)));
        assert_eq!(expanded.count(), 1);
        let tag = browser.value("document.documentElement.lang");
        assert_eq!(tag, language.tag());
    }
}

/// Of tables each row has its heading, pictures have a title and a description, and no id is there twice.
#[test]
fn tables_and_pictures_say_what_they_are() {
    let mut browser = Browser::open();
    let story = story(SIMPLE);
    // Twice on one page.
    browser.load(&Sheet::of(&page(&[&story, &story], &SHOWN).unwrap()).address());
    for expression in [
        "[...document.querySelectorAll('tr')].filter(row => !row.querySelector('th[scope]')).length",
        "[...document.querySelectorAll('svg')].filter(svg => !svg.querySelector('title')?.textContent
            || !svg.querySelector('desc')?.textContent).length",
        "(() => { const ids = [...document.querySelectorAll('[id]')].map(part => part.id);
            return ids.length - new Set(ids).size; })()",
        "[...document.querySelectorAll('[aria-labelledby]')].filter(part => part.getAttribute('aria-labelledby')
            .split(' ').some(id => !document.getElementById(id))).length",
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(
            link => !document.getElementById(link.getAttribute('href').slice(1))).length",
        "document.querySelectorAll('[style], [onclick], [onload], img, iframe, object, form').length",
    ] {
        assert_eq!(browser.value(expression), 0, "{expression}");
    }
    assert_eq!(
        browser.value("document.querySelectorAll('article.story').length"),
        2
    );
    // Each walks on its own.
    browser.click("#c1 .arrow[data-step='2']");
    assert_eq!(
        browser.value("document.querySelectorAll('#c0 .step[open]').length"),
        0
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#c1 .step[open]').length"),
        1
    );
}

/// WCAG 2.2, 1.4.3: a contrast of 4.5 to 1, in light and dark, of every text, in the pictures too.
#[test]
fn all_text_stands_out_from_its_ground() {
    let mut browser = Browser::open();
    for scheme in ["light", "dark"] {
        browser.scheme(scheme, "screen");
        browser.load(&Sheet::simple().address());
        for at in 0..12 {
            browser.value(&format!(
                "document.querySelectorAll('.step')[{at}].open = true"
            ));
        }
        browser.click(".step[data-step='0'] .tree li li");
        browser.click(".node[data-q='7']");
        let faint = browser.value(
            "(() => {
                const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
                const light = ([r, g, b]) => {
                    const [x, y, z] = [r, g, b].map(value => {
                        value /= 255;
                        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
                    });
                    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
                };
                const ground = part => {
                    const svg = part.closest('svg');
                    const box = svg && part.parentElement.querySelector('rect');
                    if (box) {
                        const fill = numbers(getComputedStyle(box).fill);
                        if (fill[3] !== 0) return fill;
                    }
                    for (let up = svg || part; up; up = up.parentElement) {
                        const colour = numbers(getComputedStyle(up).backgroundColor);
                        if (colour[3] !== 0) return colour;
                    }
                    return [255, 255, 255];
                };
                const faint = [];
                let all = 0;
                const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                while (walk.nextNode()) {
                    const part = walk.currentNode.parentElement;
                    if (!walk.currentNode.data.trim() || !part.getClientRects().length) continue;
                    if (part.closest('script, style, title, desc, .skip')) continue;
                    all += 1;
                    const style = getComputedStyle(part);
                    const [a, b] = [light(numbers(part.closest('svg') ? style.fill : style.color)), light(ground(part))];
                    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                    if (contrast < 4.5) faint.push([part.outerHTML.slice(0, 120), contrast]);
                }
                return all > 500 ? faint.slice(0, 5) : ['few texts', all];
            })()",
        );
        assert_eq!(faint, serde_json::json!([]), "{scheme}");
    }
}
