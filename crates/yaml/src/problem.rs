//! Problems, their places, and how they are drawn.

use crate::shown::{shown, shown_source};
use crate::source::Span;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be written while it stands.
    Error,
    /// Works, but will surprise somebody.
    Warning,
}

/// Where a problem stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A part of a text: a line of `stack.yaml`, of a template or of a manifest.
    Text(Span),
    /// A file or folder as a whole.
    File(String),
}

/// Something wrong, said so that a stranger can act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, the user's words in backticks.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What was expected, said beside the marker.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self::Text(span)
    }
}

impl Problem {
    /// An error at a place.
    pub fn error(message: impl Into<String>, place: impl Into<Place>) -> Self {
        Self { severity: Severity::Error, message: message.into(), place: place.into(), label: None, help: None }
    }

    /// A warning at a place.
    pub fn warning(message: impl Into<String>, place: impl Into<Place>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, place) }
    }

    /// An error of a whole file or folder.
    pub fn in_file(message: impl Into<String>, path: impl Into<String>) -> Self {
        Self::error(message, Place::File(path.into()))
    }

    /// Adds what was expected.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// By file, then by position: the order in which a person meets them.
    pub fn sort(problems: &mut [Problem]) {
        problems.sort_by(|a, b| a.position().cmp(&b.position()).then_with(|| a.message.cmp(&b.message)));
    }

    fn position(&self) -> (&str, usize) {
        match &self.place {
            Place::Text(span) => (&span.source.name, span.range.start),
            Place::File(path) => (path, 0),
        }
    }

    /// The problem in one line: `file:line:column: message (expectation)`.
    pub fn one_line(&self) -> String {
        let mut line = match &self.place {
            Place::Text(span) => {
                let (line, column) = span.line_column();
                format!("{}:{line}:{column}: {}", span.source.name, self.message)
            }
            Place::File(path) => format!("{path}: {}", self.message),
        };
        for part in self.label.iter().chain(&self.help) {
            line.push_str("; ");
            line.push_str(part);
        }
        shown(&line).into_owned()
    }

    /// The problem as a person reads it: message, place, source line with a marker, what to do.
    pub fn draw(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(shown(&self.message));
        let label = self.label.as_deref().map(shown);
        let mut group = match &self.place {
            Place::File(path) => {
                let group = Group::with_title(title).element(Origin::path(shown(path)));
                if let Some(label) = label { group.element(Level::NOTE.message(label)) } else { group }
            }
            Place::Text(span) => {
                let excerpt = Excerpt::around(span);
                let marker = AnnotationKind::Primary.span(excerpt.marker).label(label);
                Group::with_title(title).element(
                    Snippet::source(excerpt.text)
                        .path(shown(&span.source.name))
                        .line_start(span.line_column().0)
                        .annotation(marker),
                )
            }
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(shown(help)));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// The one line that a problem shows. What stands before the marker stays as long as it is: the column is counted by
/// it, and the renderer cuts it.
struct Excerpt {
    text: String,
    marker: std::ops::Range<usize>,
}

impl Excerpt {
    /// Characters of the marked part, and of what follows.
    const WIDEST: usize = 80;

    fn around(span: &Span) -> Self {
        let text = &span.source.text;
        let line = span.line();
        // A place between the two bytes of a line break is at the end of the line.
        let start = span.range.start.min(line.end);
        let end = span.range.end.clamp(start, line.end);
        let before = shown_source(&text[line.start..start]);
        let marked = cut(shown_source(&text[start..end]));
        let after = cut(shown_source(&text[end..line.end]));
        Self { marker: before.len()..before.len() + marked.len(), text: before + &marked + &after }
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(Excerpt::WIDEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
