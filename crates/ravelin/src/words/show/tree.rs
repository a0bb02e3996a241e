//! Which certificate signed which, as a tree: roots at the top, and what is missing above them.

use std::collections::{BTreeMap, HashMap, HashSet};

use ravelin_pki::Certificate;
use ravelin_pki::contents::Issuer;

use super::super::{BOLD, DIM, GREEN, YELLOW};
use super::layout::{Page, colour_of, distance, more};

/// Draws the tree of certificates, each of them once.
pub(super) fn show(page: &mut Page, certificates: &[&Certificate], issuers: &[Issuer]) {
    let mut forest = Forest::of(certificates, issuers);
    if forest.count < 2 {
        return;
    }
    page.line(&format!("\n{BOLD}chain{BOLD:#}"));
    let missing: Vec<String> = forest.missing.keys().cloned().collect();
    for root in std::mem::take(&mut forest.roots) {
        forest.draw(page, root, "  ");
    }
    for name in missing {
        let shown = page.short(&name);
        forest.put(
            page,
            &format!("  {YELLOW}?{YELLOW:#} {shown}  {YELLOW}not here{YELLOW:#}"),
        );
        let below = forest.missing.remove(&name).unwrap_or_default();
        forest.children(page, below, "  ");
    }
    // Certificates that sign each other in a circle hang from nothing.
    for index in 0..certificates.len() {
        if forest.distinct.contains(&index) && !forest.drawn.contains(&index) {
            forest.draw(page, index, "  ");
        }
    }
    if forest.left_out > 0 {
        page.line(&format!("  {DIM}{}{DIM:#}", more(forest.left_out)));
    }
}

struct Forest<'c> {
    certificates: &'c [&'c Certificate],
    /// The first of each that is there several times.
    distinct: HashSet<usize>,
    count: usize,
    roots: Vec<usize>,
    below: HashMap<usize, Vec<usize>>,
    /// What hangs from issuers that are not there, by their names.
    missing: BTreeMap<String, Vec<usize>>,
    drawn: HashSet<usize>,
    lines: usize,
    left_out: usize,
}

impl<'c> Forest<'c> {
    fn of(certificates: &'c [&'c Certificate], issuers: &[Issuer]) -> Self {
        let mut seen = HashSet::new();
        let mut forest = Self {
            certificates,
            distinct: HashSet::new(),
            count: 0,
            roots: Vec::new(),
            below: HashMap::new(),
            missing: BTreeMap::new(),
            drawn: HashSet::new(),
            lines: 0,
            left_out: 0,
        };
        for (index, (certificate, issuer)) in certificates.iter().zip(issuers).enumerate() {
            if !seen.insert(certificate.der().as_ref()) {
                continue;
            }
            forest.distinct.insert(index);
            forest.count += 1;
            match issuer {
                Issuer::Itself => forest.roots.push(index),
                Issuer::At(issuer) => forest.below.entry(*issuer).or_default().push(index),
                Issuer::Missing | Issuer::Impostor(_) => {
                    let mut name = super::certificate::name(certificate.issuer_name());
                    if matches!(issuer, Issuer::Impostor(_)) {
                        name += " (another key)";
                    }
                    forest.missing.entry(name).or_default().push(index);
                }
            }
        }
        forest
    }

    fn draw(&mut self, page: &mut Page, index: usize, indent: &str) {
        if self.drawn.insert(index) {
            let line = format!("{indent}{}", self.label(page, index));
            self.put(page, &line);
            let below = self.below.remove(&index).unwrap_or_default();
            self.children(page, below, indent);
        }
    }

    fn children(&mut self, page: &mut Page, below: Vec<usize>, indent: &str) {
        let last = below.len().saturating_sub(1);
        for (place, index) in below.into_iter().enumerate() {
            if !self.drawn.insert(index) {
                continue;
            }
            let (branch, stem) = if place == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let line = format!("{indent}{DIM}{branch}{DIM:#}{}", self.label(page, index));
            self.put(page, &line);
            let below = self.below.remove(&index).unwrap_or_default();
            // Real chains have four at most; what is deeper is drawn flat, so that neither lines nor
            // the stack grow with it.
            let indent = if indent.chars().count() < DEEPEST {
                format!("{indent}{stem}")
            } else {
                indent.to_owned()
            };
            if self.lines < page.limits.lines {
                self.children(page, below, &indent);
            } else {
                self.left_out += below.len();
                self.drawn.extend(below);
            }
        }
    }

    fn put(&mut self, page: &mut Page, line: &str) {
        if self.lines < page.limits.lines {
            page.line(line);
        } else {
            self.left_out += 1;
        }
        self.lines += 1;
    }

    fn label(&self, page: &Page, index: usize) -> String {
        let certificate = self.certificates[index];
        let (now, from, until) = (page.now, certificate.not_before(), certificate.not_after());
        let colour = colour_of(now, from, until);
        let when = if now > until {
            format!("expired {}", distance(now, until))
        } else if now < from {
            format!("begins {}", distance(now, from))
        } else {
            format!("ends {}", distance(now, until))
        };
        let role = match (certificate.is_self_issued(), certificate.is_ca()) {
            (true, true) => format!("{GREEN}root{GREEN:#}, "),
            (true, false) => "signed by itself, ".to_owned(),
            (false, true) => "CA, ".to_owned(),
            (false, false) => String::new(),
        };
        let title = page.short(&certificate.title());
        format!("{title}  {DIM}{role}{DIM:#}{colour}{when}{colour:#}")
    }
}

/// Indentation beyond which nothing moves to the right any more.
const DEEPEST: usize = 30;
