//! What is said where: the product on stdout, the talk on stderr, colour only where somebody sees it.

use crate::commands::Failure;
use crate::progress::Progress;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use vigil_yaml::words::counted;
use vigil_yaml::{Problem, Severity};

/// When to colour messages.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams and whether they take colour.
pub(crate) struct Terminal {
    colour: Colour,
    /// Only what was asked for and what is wrong is said.
    quiet: bool,
}

#[expect(clippy::unused_self, reason = "whoever speaks does it through the terminal that main made")]
impl Terminal {
    pub(crate) fn new(colour: Colour, quiet: bool) -> Self {
        Self { colour, quiet }
    }

    fn colours(&self, stream: &impl IsTerminal) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Whether text on stdout may be coloured.
    pub(crate) fn colours_stdout(&self) -> bool {
        self.colours(&io::stdout())
    }

    /// Writes the command's product to stdout. A reader that goes away, as `head` does, is no failure.
    pub(crate) fn product(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure {
                problems: vec![Problem::in_file(format!("cannot be written: {error}"), "<stdout>")],
                consequence: "the output is not whole".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes what a command that changes files has done to stdout.
    pub(crate) fn done(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { self.product(text) }
    }

    /// Tells problems that do not stop the command.
    pub(crate) fn warn(&self, problems: &[Problem]) {
        if !self.quiet {
            self.draw(problems);
        }
    }

    fn draw(&self, problems: &[Problem]) {
        for problem in problems {
            self.say(&format!("{}\n", problem.draw(self.colours(&io::stderr()))));
        }
    }

    /// Tells what is worth knowing, a line each.
    pub(crate) fn note(&self, problems: &[Problem]) {
        for problem in problems.iter().filter(|_| !self.quiet) {
            self.say(&format!("note: {}", problem.one_line()));
        }
    }

    /// Tells what came of it, and what to do next, beside a product on stdout.
    pub(crate) fn conclude(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Tells how far something is, where somebody looks on and has not asked for quiet.
    pub(crate) fn progress(&self, doing: &str, total: Option<usize>) -> Progress {
        if self.quiet || !can_redraw(io::stderr().is_terminal(), std::env::var_os("TERM").as_deref()) {
            return Progress::default();
        }
        Progress::new(io::stderr(), doing.to_owned(), total)
    }

    /// Tells why the command failed.
    pub(crate) fn fail(&self, failure: &Failure) {
        self.draw(&failure.problems);
        let warnings = failure.problems.iter().filter(|problem| problem.severity == Severity::Warning).count();
        let counts = [(failure.problems.len() - warnings, "error"), (warnings, "warning")];
        let counts: Vec<_> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect();
        self.say(&format!("{}; {}", counts.join(", "), failure.consequence));
    }

    fn say(&self, text: &str) {
        // Nobody is left to be told when stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Whether a line can be drawn over the one before.
fn can_redraw(is_terminal: bool, kind: Option<&OsStr>) -> bool {
    is_terminal && kind.is_some_and(|kind| kind != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_again_where_that_can_be() {
        for (is_terminal, kind, expected) in [
            (true, Some("xterm"), true),
            (true, Some("dumb"), false),
            (true, None, false),
            (false, Some("xterm"), false),
        ] {
            assert_eq!(can_redraw(is_terminal, kind.map(OsStr::new)), expected, "{is_terminal} {kind:?}");
        }
    }
}
