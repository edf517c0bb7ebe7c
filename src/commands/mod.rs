//! One file per subcommand: its arguments, and a `run` that does it.

pub(crate) mod causes;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod fleet;
pub(crate) mod graph;
pub(crate) mod images;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod origin;
pub(crate) mod parity;
pub(crate) mod render;
pub(crate) mod report;
pub(crate) mod runbook;
pub(crate) mod schema;
pub(crate) mod size;

use crate::inputs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_check::Options;
use vigil_render::{Rendering, Templates};
use vigil_stack::{Parsed, Stack};
use vigil_yaml::words::nearest;
use vigil_yaml::{Problem, Source, Span};

/// What commands take for the stack when nobody names one.
pub(crate) const STACK: &str = "stack.yaml";

/// Why there is no stack at a path, and where one is.
fn missing(stack: &Path) -> Option<Problem> {
    let name = stack.display().to_string();
    let inside = stack.join(STACK);
    if stack.is_dir() {
        let help = if inside.is_file() {
            format!("did you mean {}?", inside.display())
        } else {
            "name the file inside it".to_owned()
        };
        return Some(Problem::in_file("is a directory", name).help(help));
    }
    // A link to nowhere is there.
    if stack.symlink_metadata().is_ok() {
        return None;
    }
    let folder = stack.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("there is no folder {}", folder.display());
        return Some(Problem::in_file(message, name).help("correct the path, which starts at the folder you are in"));
    }
    let file_name = stack.file_name().unwrap_or_default().to_string_lossy();
    let above = Path::new("..").join(STACK);
    let mut beside: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    beside.sort();
    let near = nearest(&file_name, beside.iter().map(String::as_str));
    let help = if let Some(near) = near {
        format!("did you mean {}?", folder.map_or(PathBuf::from(near), |folder| folder.join(near)).display())
    } else if name == STACK && above.is_file() {
        "there is one in the folder above: go there first".to_owned()
    } else if name == STACK {
        "`vigil init` writes one to begin with; `vigil render FILE` takes one that is elsewhere".to_owned()
    } else {
        "check the path, which starts at the folder you are in; `vigil init FILE` writes one to begin with".to_owned()
    };
    Some(Problem::in_file("there is no such file", name).help(help))
}

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

/// Where a mistake in an argument stands.
const COMMAND_LINE: &str = "<command line>";

/// A part of an argument, to show a mistake in it.
fn on_command_line(argument: &str, part: Range<usize>) -> Span {
    Span::new(&Source::new(COMMAND_LINE, argument), part)
}

/// What messages call a file.
pub(crate) fn called(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// Gives a file another text: all of it, or none.
fn replace(file: &Path, text: &str) -> Result<(), Vec<Problem>> {
    let written = || {
        let file = file.canonicalize()?;
        let mut beside = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
        beside.write_all(text.as_bytes())?;
        beside.as_file().set_permissions(file.metadata()?.permissions())?;
        beside.persist(&file)?;
        Ok(())
    };
    written().map_err(|error: io::Error| vec![Problem::in_file(format!("cannot be written: {error}"), called(file))])
}

/// Which stack a command renders, and with which templates.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// The stack to render
    #[arg(long, value_name = "FILE", default_value = STACK)]
    stack: PathBuf,
    /// Use the templates of this directory instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// The objects of a rendering that are applied.
fn applied(rendering: &Rendering) -> Vec<Value> {
    let applied = rendering.objects.iter().filter(|object| object.is_applied());
    applied.map(|object| (*object.value).clone()).collect()
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

impl Rendered {
    /// The files that are applied, under the names that they have in a directory.
    fn sources(&self, directory: &Path) -> Vec<Arc<Source>> {
        let applied = self.rendering.objects.iter().filter(|object| object.is_applied());
        let paths: BTreeSet<&String> = applied.map(|object| &object.path).collect();
        let files = self.rendering.files.iter().filter(|(path, _)| paths.contains(path));
        files.map(|(path, text)| Source::new(directory.join(path).display().to_string(), text.as_str())).collect()
    }
}

impl Selection {
    /// The manifests in some files and directories, for the newest version of Kubernetes; without any, what the stack renders
    /// to and is applied, as the stack asks for it to be checked.
    fn manifests(&self, paths: &[PathBuf]) -> Result<(Vec<Arc<Source>>, Options), Vec<Problem>> {
        if !paths.is_empty() {
            let kubernetes = vec![vigil_check::versions().1];
            return Ok((inputs::read(paths)?, Options { kubernetes, ..Options::default() }));
        }
        let rendered = self.render()?;
        Ok((rendered.sources(Path::new("")), vigil::checks::options(&rendered.parsed).0))
    }

    /// The stack in a file, with the templates that the program carries.
    pub(crate) fn of_file(stack: &Path) -> Self {
        Self { stack: stack.to_owned(), templates: None }
    }

    /// The same templates for the stack in another file, if one is named.
    pub(crate) fn of(&self, file: Option<&Path>) -> Self {
        Self { stack: file.unwrap_or(&self.stack).to_owned(), templates: self.templates.clone() }
    }

    /// Whether the templates are those that the program carries.
    pub(crate) fn has_own_templates(&self) -> bool {
        self.templates.is_none()
    }

    pub(crate) fn render(&self) -> Result<Rendered, Vec<Problem>> {
        let mut parsed = load(&self.stack)?;
        let rendering = self.rendering(&parsed.stack)?;
        parsed.warnings.extend_from_slice(&rendering.warnings);
        let sizes = vigil::size::warnings(&parsed);
        parsed.warnings.extend(sizes);
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
    if let Some(problem) = missing(stack) {
        return Err(vec![problem]);
    }
    let source = Source::read(stack, Stack::LIMITS.bytes).map_err(|problem| vec![*problem])?;
    Stack::load(&source, stack)
}

/// The stack that a text is, which stands for the one in a file.
pub(crate) fn load_text(text: &str, stack: &Path) -> Result<Parsed, Vec<Problem>> {
    Stack::load(&Source::new(stack.display().to_string(), text), stack)
}
