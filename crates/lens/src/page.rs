//! One page of HTML that shows a connection: what was agreed, who said what, octet by octet, where the
//! keys come from, and what to think of the whole.
//!
//! It is one file without anything from outside. It works without scripts, on paper, by keyboard and with
//! screen readers. The words are those of [`crate::explain`].

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use askama::Template;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::explain::{Labels, Language, PageWords, fill_in, visible};
use crate::judgement::Judgement;
pub use crate::ledger::Secrets;
use crate::ledger::Side;
use crate::story::{Epoch, Story};

mod graph;
mod octets;
mod overview;
mod sequence;
mod steps;

use graph::{Graph, Value};
use overview::Overview;
use sequence::Sequence;
use steps::StepView;

/// How many connections a page shows; more are counted.
pub const MOST_STORIES: usize = 8;

/// How many steps of a connection a page shows; more are counted.
pub const MOST_STEPS: usize = 200;

/// The style and the script, without indents and lines that are for their readers.
static STYLE: LazyLock<String> = LazyLock::new(|| {
    short(&tight(&lean(
        include_str!("../templates/handshake.css"),
        "/*",
    )))
});
static SCRIPT: LazyLock<String> =
    LazyLock::new(|| lean(include_str!("../templates/handshake.js"), "//"));

/// What a page is to show.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// In which language.
    pub language: Language,
    /// Whether keys are shown.
    pub secrets: Secrets,
    /// What the page is about, for the heading: a host and port, the name of a capture. The name that the
    /// client asked for stands there otherwise.
    pub subject: Option<&'o str>,
    /// Whose connection it is.
    pub audience: Audience,
}

/// Whose connection a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// A connection that the reader looked at from outside.
    #[default]
    Onlooker,
    /// The reader's own: the one that brought the page.
    Visitor,
}

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the page of the handshake")]
pub struct PageError(#[source] askama::Error);

/// Writes the page of these connections. Send it as `text/html; charset=utf-8`, with
/// [`content_security_policy`] and, where secrets are shown, with `Cache-Control: no-store`.
///
/// Its length is bounded: of each connection at most [`MOST_STEPS`] steps are shown, and of each step
/// some kilobytes of octets and some hundreds of fields. What is left out is counted.
pub fn page(stories: &[&Story], options: &Options<'_>) -> Result<String, PageError> {
    let language = options.language;
    let words = language.page();
    let visitor = options.audience == Audience::Visitor;
    let views: Vec<StoryView> = stories
        .iter()
        .take(MOST_STORIES)
        .enumerate()
        .map(|(number, story)| StoryView::new(number, story, options))
        .collect();
    let name = stories
        .iter()
        .find_map(|story| story.agreement.server_name.as_deref());
    let subject = options.subject.or(name);
    let subject = subject.map(|subject| visible(subject.as_bytes()));
    let left_out = stories.len().saturating_sub(MOST_STORIES);
    let document = Document {
        tag: language.tag(),
        labels: language.labels(),
        words,
        policy: policy_of_document(),
        style: &STYLE,
        script: &SCRIPT,
        title: match &subject {
            Some(subject) => format!("{} – {subject}", language.labels().title),
            None => language.labels().title.to_owned(),
        },
        subject,
        intro: if visitor {
            words.intro_visitor
        } else {
            words.intro
        },
        notice: match options.secrets {
            Secrets::Shown => words.secrets_shown,
            Secrets::Hidden => words.secrets_hidden,
        },
        several: views.len() > 1,
        stories: views,
        left_out: (left_out > 0)
            .then(|| fill_in(words.more_connections, &[("count", &left_out.to_string())])),
    };
    document.render().map_err(PageError)
}

/// The `Content-Security-Policy` of pages that [`page`] writes: their own style and script, by hash, and
/// nothing else.
#[must_use]
pub fn content_security_policy() -> String {
    // In the document itself, this part would be ignored with a warning.
    format!("{}; frame-ancestors 'none'", policy_of_document())
}

/// The script of pages as a source for `script-src`: `'sha256-…'`.
#[must_use]
pub fn script_source() -> String {
    source(&SCRIPT)
}

/// The style of pages as a source for `style-src`: `'sha256-…'`.
#[must_use]
pub fn style_source() -> String {
    source(&STYLE)
}

fn policy_of_document() -> String {
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        script_source(),
        style_source()
    )
}

/// Text without the spaces that lines begin with, without empty lines, and without those that are nothing
/// but a comment.
fn lean(text: &str, comment: &str) -> String {
    let lines = text.lines().map(str::trim_start);
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with(comment));
    kept.fold(String::with_capacity(text.len()), |lean, line| {
        lean + line + "\n"
    })
}

/// A style without the spaces that it means the same without: within braces, and behind signs.
fn tight(style: &str) -> String {
    let mut tight = String::with_capacity(style.len());
    let mut quoted = false;
    let mut characters = style.chars().peekable();
    while let Some(character) = characters.next() {
        quoted ^= character == '"';
        let is_idle = character.is_ascii_whitespace()
            && (tight.ends_with(['{', '}', ';', ':', ','])
                || characters
                    .peek()
                    .is_none_or(|next| matches!(next, '{' | '}')));
        if quoted || !is_idle {
            tight.push(character);
        }
    }
    tight
}

/// A style whose variables have names of a letter: they stand in it two hundred times.
fn short(style: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut parts = style.split("--");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        let (name, rest) = part.split_at(part.find(|it| !is_name(it)).unwrap_or(part.len()));
        let known = names.iter().position(|known| *known == name);
        let number = known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        let letter = ('a'..='z').chain('A'..='Z').nth(number);
        short += "--";
        match letter {
            Some(letter) => short.push(letter),
            None => short += name,
        }
        short += rest;
    }
    short
}

fn source(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
}

#[derive(Template)]
#[template(path = "handshake.html", whitespace = "minimize")]
struct Document {
    tag: &'static str,
    labels: &'static Labels,
    words: &'static PageWords,
    policy: String,
    title: String,
    subject: Option<String>,
    intro: &'static str,
    notice: &'static str,
    several: bool,
    stories: Vec<StoryView>,
    left_out: Option<String>,
    /// These two as they were hashed, to the last octet.
    style: &'static str,
    script: &'static str,
}

/// One connection of a page.
struct StoryView {
    /// What the ids of its parts begin with.
    id: String,
    /// Which of several it is.
    heading: String,
    overview: Overview,
    sequence: Sequence,
    steps: Vec<StepView>,
    more_steps: Option<String>,
    graph: Graph,
}

impl StoryView {
    fn new(number: usize, story: &Story, options: &Options<'_>) -> Self {
        let language = options.language;
        let (words, judgement) = (language.page(), Judgement::of(story));
        let id = format!("c{number}");
        let seen = Seen {
            story,
            judgement: &judgement,
            id: &id,
            language,
            secrets: options.secrets,
        };
        let more = story.steps.len().saturating_sub(MOST_STEPS);
        Self {
            heading: fill_in(words.connection, &[("number", &(number + 1).to_string())]),
            overview: Overview::new(&seen),
            sequence: Sequence::new(&seen),
            steps: (0..story.steps.len().min(MOST_STEPS))
                .map(|at| StepView::new(&seen, at))
                .collect(),
            more_steps: (more > 0)
                .then(|| fill_in(words.more_steps, &[("count", &more.to_string())])),
            graph: Graph::new(&seen),
            id,
        }
    }
}

/// A connection as the parts of a page look at it.
struct Seen<'s> {
    story: &'s Story,
    judgement: &'s Judgement,
    id: &'s str,
    language: Language,
    secrets: Secrets,
}

impl Seen<'_> {
    fn shows_secrets(&self) -> bool {
        self.secrets == Secrets::Shown
    }

    /// The time from the first step.
    fn since_start(&self, at: SystemTime) -> Duration {
        let start = self.story.steps.first().map(|step| step.at);
        start
            .and_then(|start| at.duration_since(start).ok())
            .unwrap_or_default()
    }
}

/// The class of what keys of this epoch protect.
fn class_of(epoch: Epoch) -> &'static str {
    match epoch {
        Epoch::Clear => "clear",
        Epoch::EarlyData => "early",
        Epoch::Handshake => "shake",
        Epoch::Application(_) => "data",
    }
}

/// The class of what a side says.
fn class_of_side(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// How something came out, for a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Confirmed,
    Refuted,
    NotDerivable,
    /// Nothing was held against it.
    Stated,
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Self::Confirmed => "good",
            Self::Refuted => "bad",
            Self::NotDerivable => "open",
            Self::Stated => "stated",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Confirmed => "✓",
            Self::Refuted => "✗",
            Self::NotDerivable => "?",
            Self::Stated => "·",
        }
    }

    fn word(self, labels: &Labels) -> &'static str {
        match self {
            Self::Confirmed => labels.confirmed,
            Self::Refuted => labels.refuted,
            Self::NotDerivable => labels.not_derivable,
            Self::Stated => labels.stated,
        }
    }
}
