//! What is wrong with a config file, as it is shown on a terminal: each problem under its own line
//! of the file, with a hint.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::problem::Problem;

/// Everything that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// The file, as it was named by the user.
    pub(super) file: PathBuf,
    /// The text of the file, secrets masked.
    pub(super) text: String,
    /// The problems in the order of the file, at least one.
    pub(super) problems: Vec<Problem>,
    /// The files that it names: one of them may be what is wrong.
    pub(super) watched: Vec<PathBuf>,
}

impl Report {
    /// How many problems there are.
    pub(crate) fn len(&self) -> usize {
        self.problems.len()
    }

    /// The whole report: all problems, an empty line between them, and their number at the end.
    /// With `styled`, in colours (ANSI escapes).
    pub(crate) fn render(&self, styled: bool) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut shown = String::new();
        for problem in &self.problems {
            shown.push_str(&renderer.render(&[self.group(problem)]));
            shown.push_str("\n\n");
        }
        shown.push_str(&self.to_string());
        shown.push('\n');
        shown
    }

    fn group(&self, problem: &Problem) -> Group<'_> {
        let file = self.file.display().to_string();
        let mut group = Group::with_title(Level::ERROR.primary_title(problem.fault.to_string()));
        group = match &problem.place {
            Some(place) => group.element(self.snippet(file, place, problem.earlier.as_ref())),
            None => group.element(Origin::path(file)),
        };
        match problem.fault.hint() {
            Some(hint) => group.element(
                Level::HELP
                    .with_name("hint")
                    .message(annotate_snippets::normalize_untrusted_str(&hint)),
            ),
            None => group,
        }
    }

    /// The line of `place`, and the line of `earlier` too.
    ///
    /// Only the lines from one to the other are handed on: the renderer reads all that it is given,
    /// for each problem anew.
    fn snippet(
        &self,
        file: String,
        place: &Range<usize>,
        earlier: Option<&Range<usize>>,
    ) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let place = self.on_one_line(place);
        let earlier = earlier.map(|earlier| self.on_one_line(earlier));
        let first = earlier
            .as_ref()
            .map_or(place.start, |earlier| earlier.start.min(place.start));
        let last = earlier
            .as_ref()
            .map_or(place.end, |earlier| earlier.end.max(place.end));
        let start = self.text[..first].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[last..]
            .find('\n')
            .map_or(self.text.len(), |at| last + at);
        let shifted = |span: Range<usize>| span.start - start..span.end - start;

        let snippet = Snippet::source(&self.text[start..end])
            .path(file)
            .line_start(1 + self.text[..start].matches('\n').count())
            .annotation(AnnotationKind::Primary.span(shifted(place)));
        match earlier {
            Some(earlier) => snippet.annotation(
                AnnotationKind::Context
                    .span(shifted(earlier))
                    .label("given here first"),
            ),
            None => snippet,
        }
    }

    /// The part of a span that is on its first line.
    fn on_one_line(&self, span: &Range<usize>) -> Range<usize> {
        match self.text.get(span.clone()) {
            Some(text) => {
                let length = text.find('\n').unwrap_or(text.len());
                span.start..span.start + length
            }
            // No place of this text: the parser and the text at hand disagree.
            None => 0..0,
        }
    }
}

/// The number of problems and the file.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{s} in {}", self.len(), self.file.display())
    }
}

impl std::error::Error for Report {}
