//! PDML, in which tshark writes what it found: XML of tags and attributes alone.

use std::str::FromStr;

/// A packet, a protocol or a field.
#[derive(Debug, Default)]
pub(super) struct Element {
    attributes: Vec<(String, String)>,
    pub(super) elements: Vec<Element>,
}

impl Element {
    /// The outermost element of a document.
    pub(super) fn read(text: &str) -> Self {
        let mut open = vec![Self::default()];
        for piece in text.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').expect("a tag ends");
            if tag.starts_with(['?', '!']) {
                continue;
            }
            if !tag.starts_with('/') {
                open.push(Self::begin(tag));
            }
            if tag.starts_with('/') || tag.ends_with('/') {
                let element = open.pop().expect("what ends has begun");
                open.last_mut().expect("as above").elements.push(element);
            }
        }
        assert_eq!(open.len(), 1, "a document that was cut off");
        open.remove(0).elements.remove(0)
    }

    fn begin(tag: &str) -> Self {
        let (_, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((key, behind)) = rest.split_once("=\"") {
            let (value, behind) = behind.split_once('"').expect("a value ends");
            attributes.push((key.trim().to_owned(), plain(value)));
            rest = behind;
        }
        Self {
            attributes,
            elements: Vec::new(),
        }
    }

    /// The value of an attribute; empty where it is not there.
    pub(super) fn attribute(&self, key: &str) -> &str {
        let found = self.attributes.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn name(&self) -> &str {
        self.attribute("name")
    }

    pub(super) fn number<N: FromStr>(&self, key: &str) -> Option<N> {
        self.attribute(key).parse().ok()
    }

    /// The first of this name, at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        let below = || self.elements.iter().find_map(|element| element.find(name));
        if self.name() == name {
            Some(self)
        } else {
            below()
        }
    }
}

fn plain(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
