//! One file per subcommand: its arguments, and a `run` that does it.

pub(crate) mod check;
pub(crate) mod images;
pub(crate) mod parity;
pub(crate) mod render;
pub(crate) mod schema;

use std::path::PathBuf;
use vigil_render::{Rendering, Templates};
use vigil_stack::Stack;
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

impl Selection {
    /// The name of the stack's file, what it renders to, and what its author should know.
    pub(crate) fn render(&self) -> Result<(String, Rendering, Vec<Problem>), Vec<Problem>> {
        let source = Source::read(&self.stack, Stack::LIMITS.bytes).map_err(|problem| vec![*problem])?;
        let parsed = Stack::load(&source, &self.stack)?;
        let rendering = match &self.templates {
            Some(directory) => vigil_render::render(&parsed.stack, &Templates::read(directory)?),
            None => vigil_render::render(&parsed.stack, &vigil::TEMPLATES),
        }?;
        Ok((source.name.clone(), rendering, parsed.warnings))
    }
}
