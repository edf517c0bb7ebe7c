//! `stack.yaml`, typed: the one file that says what a cluster runs.
//!
//! [`Stack::parse`] reads a text and returns the stack or every problem in it, each with its line. The structs in
//! [`model`] are the file's keys; their doc comments are the descriptions in `stack.schema.json`. [`units`] are the
//! values with a form of their own. What no single value can tell, such as two node ports that collide, is in
//! `rules`.

mod advice;
mod beside;
mod clusters;
mod convert;
mod decode;
mod findings;
mod fleet;
mod helm;
mod layers;
pub mod model;
mod origin;
mod provenance;
mod redact;
mod rules;
pub mod units;

pub use convert::{Converted, convert};
use findings::Findings;
pub use fleet::{Fleet, FleetFile, Gate, Member, Ring, Sending, VARIABLE_KEYS};
pub use layers::MERGED_LISTS;
use layers::{Hidden, Layer, Layers, Reader};
pub use model::Stack;
pub use provenance::{Said, Saying};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_yaml::{Limits, Node, Place, Problem, Source};

/// A stack and what its author should know about it.
#[derive(Debug)]
pub struct Parsed {
    /// The stack.
    pub stack: Stack,
    /// Things that work today but will surprise somebody.
    pub warnings: Vec<Problem>,
    /// What somebody chose who may not know what follows; one line each.
    pub notes: Vec<Problem>,
    /// Every file that was read: the stack's own is not among them.
    pub files: Vec<PathBuf>,
    /// What a file says and another, above it, says otherwise; the lowest file first.
    hidden: Vec<Hidden>,
    /// The text, with the place of everything it says.
    root: Node,
}

impl Parsed {
    /// Where the text says what stands at a dotted path, such as `checks.waivers.0.rule`; the nearest place above it if
    /// it does not.
    pub fn place(&self, path: &str) -> Place {
        let file = || Place::File(self.root.span.source.name.clone());
        findings::find(&self.root, path).map_or_else(file, |(span, _)| Place::Text(span))
    }
}

impl Stack {
    /// How much a stack file may hold. A real one has a few hundred values.
    pub const LIMITS: Limits = Limits { bytes: 1 << 20, nodes: 20_000, depth: 32 };

    /// Reads a stack from the text of a file. One that names further files needs [`Stack::load`].
    ///
    /// # Errors
    /// All problems of the text, in its order; never an empty list.
    pub fn parse(source: &Arc<Source>) -> Result<Parsed, Vec<Problem>> {
        let top = Layer { source: source.clone(), path: PathBuf::new() };
        Self::of(top, &|_| Err("cannot be read: the stack itself came from no file".to_owned()))
    }

    /// Reads a stack from the text of the file at `path`, and the files that it names, each relative to the file that does.
    ///
    /// # Errors
    /// All problems of the text and of those files, in the order of the text; never an empty list.
    pub fn load(source: &Arc<Source>, path: &Path) -> Result<Parsed, Vec<Problem>> {
        let top = Layer { source: source.clone(), path: path.to_owned() };
        Self::of(top, &|path| Source::read(path, Self::LIMITS.bytes).map_err(|problem| problem.message))
    }

    fn of(top: Layer, read: Reader) -> Result<Parsed, Vec<Problem>> {
        let name = top.source.name.clone();
        Self::finished(&Layers::read(top, read), read, name)
    }

    /// The stack that its files together are, or all problems; `name` is the file that a message about too many names.
    fn finished(layers: &Layers, read: Reader, name: String) -> Result<Parsed, Vec<Problem>> {
        match Self::decode(layers, read) {
            Ok(parsed) => Ok(Parsed {
                warnings: layers.redacted(parsed.warnings),
                notes: layers.redacted(parsed.notes),
                ..parsed
            }),
            Err(problems) => Err(in_order(layers.redacted(problems), name)),
        }
    }

    /// The stack that all its files together are.
    fn decode(layers: &Layers, read: Reader) -> Result<Parsed, Vec<Problem>> {
        let Some(mut root) = layers.root.clone() else { return Err(layers.problems.clone()) };
        let mut decoded = decode::decode::<Self>(&clusters::with_profile(&root), MOST_PROBLEMS);
        let mut problems = layers.problems.clone();
        let (mut warnings, mut notes, mut files) = (layers.warnings.clone(), Vec::new(), layers.paths());
        // What the reader left out may be just what a rule would ask for.
        if let Some(stack) = decoded.value.as_mut().filter(|_| problems.is_empty()) {
            let mut findings = Findings::new(&root, &decoded.doubtful);
            files.extend(beside::read(stack, layers, read, &mut findings));
            rules::check(stack, &mut findings);
            let [found, warned, wrong] = findings.split();
            (notes, problems) = (found, wrong);
            warnings.extend(warned);
        }
        let is_told = |problem: &Problem| layers.problems.iter().any(|told| told.place == problem.place);
        problems.extend(decoded.problems.into_iter().filter(|problem| !is_told(problem)));
        match decoded.value {
            Some(mut stack) if problems.is_empty() => {
                layers.without_credentials(&mut root);
                for (patch, node) in stack.patches.iter_mut().zip(root.get("patches").map_or(&[][..], Node::items)) {
                    patch.origin = node.into();
                }
                for (name, part) in stack.parts_mut() {
                    part.stands_at(root.get(name).map(Into::into).unwrap_or_default());
                }
                Ok(Parsed { stack, warnings, notes, files, hidden: layers.hidden.clone(), root })
            }
            _ => Err(problems.into_iter().map(|problem| layers.with_hidden(problem)).collect()),
        }
    }
}

/// More than anybody reads, and far more than a stack of a few hundred values can make by accident.
const MOST_PROBLEMS: usize = 50;

/// The problems in the order of the text, and no more than anybody reads.
fn in_order(mut problems: Vec<Problem>, file: String) -> Vec<Problem> {
    Problem::sort(&mut problems);
    if problems.len() > MOST_PROBLEMS {
        problems.truncate(MOST_PROBLEMS);
        let more = Problem::in_file(format!("more than {MOST_PROBLEMS} problems"), file);
        problems.push(more.help("mend these first; the others are not shown"));
    }
    problems
}
