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
mod helm;
pub mod model;
mod redact;
mod rules;
pub mod units;

pub use convert::{Converted, convert};
use findings::Findings;
pub use model::Stack;
use std::path::Path;
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
        Self::parse_with(source, &|_| Err("cannot be read: the stack itself came from no file".to_owned()))
    }

    /// Reads a stack from the text of the file at `path`, and the files that it names, which lie beside it.
    ///
    /// # Errors
    /// All problems of the text and of those files, in the order of the text; never an empty list.
    pub fn load(source: &Arc<Source>, path: &Path) -> Result<Parsed, Vec<Problem>> {
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse_with(source, &|file| {
            let source = Source::read(&folder.join(file), beside::LIMIT).map_err(|problem| problem.message)?;
            Ok(source.text.to_string())
        })
    }

    fn parse_with(source: &Arc<Source>, read: beside::Reader) -> Result<Parsed, Vec<Problem>> {
        match Self::parse_text(source, read) {
            Ok(parsed) => Ok(Parsed {
                warnings: redact::redacted(parsed.warnings, source),
                notes: redact::redacted(parsed.notes, source),
                ..parsed
            }),
            Err(problems) => Err(redact::redacted(problems, source)),
        }
    }

    fn parse_text(source: &Arc<Source>, read: beside::Reader) -> Result<Parsed, Vec<Problem>> {
        let (document, mut problems) = vigil_yaml::salvage(source, &Self::LIMITS);
        let Some(node) = document else {
            if problems.is_empty() {
                problems.push(
                    Problem::in_file("holds no stack", source.name.as_str()).help(
                        "every key has a default: a single line such as `kubernetes: \"1.29\"` is a complete stack",
                    ),
                );
            }
            return Err(in_order(problems, source));
        };
        if let Some(problem) = object(&node) {
            return Err(vec![problem]);
        }
        let mut decoded = decode::decode::<Self>(&clusters::with_profile(&node), MOST_PROBLEMS);
        let (mut warnings, mut notes) = (Vec::new(), Vec::new());
        // What the reader left out may be just what a rule would ask for.
        if let Some(stack) = decoded.value.as_mut().filter(|_| problems.is_empty()) {
            let mut findings = Findings::new(&node, &decoded.doubtful);
            beside::read(stack, read, &mut findings);
            rules::check(stack, &mut findings);
            [notes, warnings, problems] = findings.split();
        }
        problems.extend(decoded.problems);
        match decoded.value {
            Some(mut stack) if problems.is_empty() => {
                let mut root = node;
                redact::without_credentials(&mut root, source);
                for (patch, node) in stack.patches.iter_mut().zip(root.get("patches").map_or(&[][..], Node::items)) {
                    patch.origin.0 = Some(node.clone());
                }
                Ok(Parsed { stack, warnings, notes, root })
            }
            _ => Err(in_order(problems, source)),
        }
    }
}

/// Says of a Kubernetes object that it is one.
fn object(node: &Node) -> Option<Problem> {
    let (kind, version) = (node.entry("kind")?, node.entry("apiVersion")?);
    let title = format!("this is a Kubernetes object, a `{}`, and no stack", kind.value.text()?);
    Some(
        Problem::error(title, version.key.span.clone())
            .label("a stack has no such key")
            .help("`vigil check FILE` judges objects; a stack says what the cluster runs, and `vigil init` writes one"),
    )
}

/// More than anybody reads, and far more than a stack of a few hundred values can make by accident.
const MOST_PROBLEMS: usize = 50;

/// The problems in the order of the text, and no more than anybody reads.
fn in_order(mut problems: Vec<Problem>, source: &Source) -> Vec<Problem> {
    Problem::sort(&mut problems);
    if problems.len() > MOST_PROBLEMS {
        problems.truncate(MOST_PROBLEMS);
        let more = Problem::in_file(format!("more than {MOST_PROBLEMS} problems"), source.name.as_str());
        problems.push(more.help("mend these first; the others are not shown"));
    }
    problems
}
