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
    /// Works as it stands; worth knowing.
    Note,
}

impl Severity {
    /// Its name, as messages begin with it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
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
    /// The rule that it breaks, where rules have names.
    pub rule: Option<&'static str>,
    /// What was expected, said beside the marker.
    pub label: Option<String>,
    /// What it is about, where the place does not tell.
    pub note: Option<String>,
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
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: place.into(),
            rule: None,
            label: None,
            note: None,
            help: None,
        }
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
            Severity::Note => Level::NOTE,
        };
        let mut title = level.clone().primary_title(shown(&self.message));
        if let Some(rule) = self.rule {
            title = title.id(rule);
        }
        let title = Group::with_title(title);
        let label = self.label.as_deref().map(shown);
        let mut groups = match &self.place {
            Place::File(path) => {
                let group = title.element(Origin::path(shown(path)));
                vec![if let Some(label) = label { group.element(Level::NOTE.message(label)) } else { group }]
            }
            Place::Text(span) => {
                let (line, column) = span.line_column();
                let name = shown(&span.source.name);
                let excerpt = Excerpt::around(span);
                let marker = AnnotationKind::Primary.span(excerpt.marker).label(label);
                let snippet = Snippet::source(excerpt.text).line_start(line).annotation(marker);
                if excerpt.counts {
                    vec![title.element(snippet.path(name))]
                } else {
                    let origin = Origin::path(name).line(line).char_column(column);
                    vec![title.element(origin), Group::with_level(level).element(snippet)]
                }
            }
        };
        let note = self.note.as_deref().map(|note| Level::NOTE.message(shown(note)));
        let help = self.help.as_deref().map(|help| Level::HELP.message(shown(help)));
        if let Some(last) = groups.pop() {
            groups.push([note, help].into_iter().flatten().fold(last, Group::element));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&groups)
    }
}

/// The one line that a problem shows, cut to what a person can take in.
struct Excerpt {
    text: String,
    marker: std::ops::Range<usize>,
    /// The marker's column in this text is its column in the line: nothing before it is cut off.
    counts: bool,
}

impl Excerpt {
    /// Characters of the marked part, and of what follows.
    const WIDEST: usize = 80;
    /// Characters before the marked part.
    const FURTHEST: usize = 400;

    fn around(span: &Span) -> Self {
        let text = &span.source.text;
        let line = span.line();
        // A place between the two bytes of a line break is at the end of the line.
        let start = span.range.start.min(line.end);
        let end = span.range.end.clamp(start, line.end);
        let far = text[line.start..start].char_indices().rev().nth(Self::FURTHEST).is_some();
        let near = text[line.start..start].char_indices().rev().nth(Self::WIDEST);
        let before = match near.filter(|_| far) {
            Some((near, _)) => format!("…{}", shown_source(&text[line.start + near..start])),
            None => shown_source(&text[line.start..start]),
        };
        let marked = cut(shown_source(&text[start..end]));
        let after = cut(shown_source(&text[end..line.end]));
        Self { marker: before.len()..before.len() + marked.len(), text: before + &marked + &after, counts: !far }
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(Excerpt::WIDEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn drawn(text: &str, marked: std::ops::Range<usize>) -> String {
        Problem::error("message", Span::new(&Source::new("t", text), marked)).label("label").help("help").draw(false)
    }

    #[test]
    fn the_marker_stands_below_what_it_marks() {
        for text in ["a: bcd", "監: bcd", "\u{9b}: bcd", "\u{a0}: bcd\r\n", "é: bcd\rx"] {
            let at = text.find("bcd").unwrap();
            let drawn = drawn(text, at..at + 3);
            let lines: Vec<_> = drawn.lines().collect();
            let width = |text: &str| text.chars().map(|c| if c == '監' { 2 } else { 1 }).sum::<usize>();
            let column = |line: &str, part: &str| line.find(part).map(|at| width(&line[..at]));
            assert_eq!(lines[1], " --> t:1:4");
            assert_eq!(column(lines[3], "bcd"), column(lines[4], "^^^ label"), "{drawn}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_its_column_still_true() {
        let text = format!("{} bcd {}", "ä".repeat(10_000), "z".repeat(10_000));
        let at = text.find("bcd").unwrap();
        let cut = drawn(&text, at..at + 3);
        assert!(cut.contains("t:1:10002\n") && cut.contains("^^^ label\n") && cut.ends_with("= help: help"), "{cut}");
        assert!(cut.lines().all(|line| line.chars().count() < 200), "{cut}");
        assert!(drawn(&text, 0..at).lines().all(|line| line.chars().count() < 200));
    }

    #[test]
    fn a_place_of_several_lines_is_marked_to_the_end_of_its_first() {
        assert!(drawn("a: b\nc: d\n", 3..9).contains("1 | a: b\n  |    ^ label\n"));
        assert!(drawn("a\r\nb", 2..3).contains("1 | a\n  |  ^ label\n"));
        assert!(drawn("", 0..0).contains(" --> t:1:1\n"));
    }

    #[test]
    fn one_line_is_one_line() {
        let problem = Problem::in_file("a\nb", "t\u{1b}").label("c\rd").help("e\u{202e}");
        assert_eq!(problem.one_line(), "t\\u{1b}: a\\nb; c\\rd; e\\u{202e}");
    }

    #[test]
    fn problems_are_told_in_the_order_of_the_text() {
        let source = Source::new("t", "a: b");
        let at = |at: usize| Problem::error(format!("at {at}"), Span::new(&source, at..at));
        let mut problems = [at(3), Problem::in_file("file", "s"), at(1), at(1)];
        Problem::sort(&mut problems);
        assert_eq!(problems.map(|problem| problem.message), ["file", "at 1", "at 1", "at 3"]);
    }
}
