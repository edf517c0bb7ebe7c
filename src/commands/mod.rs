//! One file per subcommand: its arguments, and a `run` that does it.

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod images;
pub(crate) mod parity;
pub(crate) mod render;
pub(crate) mod runbook;
pub(crate) mod schema;

use std::path::{Path, PathBuf};
use vigil_render::{Rendering, Templates};
use vigil_stack::{Parsed, Stack};
use vigil_yaml::{Problem, Source};

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and nothing to object to.
    Clean,
    /// Something is not as it should be: a stale directory, a difference from upstream that nobody explained.
    Differs,
}

/// Why a command failed.
pub(crate) struct Failure {
    /// Everything that is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What became of the output.
    pub(crate) consequence: String,
}

impl Failure {
    pub(crate) fn new(problems: Vec<Problem>, consequence: &str) -> Self {
        Self { problems, consequence: consequence.to_owned() }
    }
}

/// What messages call a file.
pub(crate) fn called(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// Which stack a command renders, and with which templates.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// The stack to render
    #[arg(long, value_name = "FILE", default_value = "stack.yaml")]
    stack: PathBuf,
    /// Use the templates of this directory instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// A stack and what it renders to.
pub(crate) struct Rendered {
    /// The name of the stack's file.
    pub(crate) name: String,
    /// The stack, and what its author should know.
    pub(crate) parsed: Parsed,
    /// What it renders to.
    pub(crate) rendering: Rendering,
}

impl Selection {
    /// Whether the templates are those that the program carries.
    pub(crate) fn has_own_templates(&self) -> bool {
        self.templates.is_none()
    }

    pub(crate) fn render(&self) -> Result<Rendered, Vec<Problem>> {
        let mut parsed = load(&self.stack)?;
        let rendering = self.rendering(&parsed.stack)?;
        parsed.warnings.extend_from_slice(&rendering.warnings);
        Ok(Rendered { name: self.stack.display().to_string(), parsed, rendering })
    }

    /// What a stack renders to with these templates.
    pub(crate) fn rendering(&self, stack: &Stack) -> Result<Rendering, Vec<Problem>> {
        match &self.templates {
            Some(directory) => vigil_render::render(stack, &Templates::read(directory)?),
            None => vigil_render::render(stack, &vigil::TEMPLATES),
        }
    }
}

/// The stack in a file.
pub(crate) fn load(stack: &Path) -> Result<Parsed, Vec<Problem>> {
    let source = Source::read(stack, Stack::LIMITS.bytes).map_err(|problem| vec![*problem])?;
    Stack::load(&source, stack)
}
