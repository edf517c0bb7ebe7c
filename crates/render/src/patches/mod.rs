//! The patches of a stack: each changes finished objects, in the order of the file. Structure and checks come behind them, so
//! that what a patch breaks is found.

mod rolls;
mod strategic;

use crate::layout;
use crate::{Document, Made};
use json_patch::jsonptr::PointerBuf;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation,
};
use rolls::Change;
use serde_json::Value;
use vigil_stack::Stack;
use vigil_stack::model::{Operation, OperationKind, Patch, PatchTarget};
use vigil_yaml::words::{counted, list, nearest};
use vigil_yaml::{Place, Problem};

/// A problem of a patch, at the place of `at` in it.
fn problem(patch: &Patch, at: &[&str], message: String, label: &str, help: &str) -> Problem {
    Problem::error(message, patch.place(at)).label(label).help(help)
}

/// Applies the patches of a stack to its objects. Returns what their author should know.
///
/// # Errors
/// Patches without a target, and those that do not fit theirs.
pub(crate) fn apply(stack: &Stack, made: &mut [Made]) -> Result<Vec<Problem>, Vec<Problem>> {
    if stack.patches.is_empty() {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    let mut problems = Vec::new();
    let before: Vec<Vec<Value>> = made.iter().map(|made| made.documents.iter().map(configuration).collect()).collect();
    for (number, patch) in stack.patches.iter().enumerate() {
        let (mut found, mut changed) = (false, false);
        let documents = made.iter_mut().filter(|made| layout::holds_objects(made.component));
        for document in documents.flat_map(|made| &mut made.documents) {
            if document.removed || !matches(&patch.target, document.content.head()) {
                continue;
            }
            found = true;
            match patched(patch, &document.content) {
                Ok(new) if new.as_ref() == Some(&*document.content) => {}
                Ok(new) => {
                    changed = true;
                    document.patches.push(number);
                    document.removed = new.is_none();
                    if let Some(new) = new {
                        document.content = new.into();
                    }
                }
                Err(problem) => {
                    // The same mistake in several objects is one.
                    changed = true;
                    if !problems.iter().any(|known: &Problem| known.place == problem.place) {
                        problems.push(*problem);
                    }
                }
            }
        }
        if !found {
            problems.push(no_target(number, patch, made));
        } else if !changed {
            let message = format!("`patches[{number}]` changes nothing");
            let problem = Problem::warning(message, patch.place(&[]));
            let problem = problem.label("the objects are like this without it");
            warnings.push(problem.help("remove it, or correct what it shall change"));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    roll(made, &before);
    Ok(warnings)
}

/// What pods may read of an object, and `null` of any other.
fn configuration(document: &Document) -> Value {
    if rolls::is_read(document.content.head()) { (*document.content).clone() } else { Value::Null }
}

/// Lets pods roll that read what was changed.
fn roll(made: &mut [Made], before: &[Vec<Value>]) {
    let pairs = made.iter().zip(before).flat_map(|(made, before)| made.documents.iter().zip(before));
    let pairs: Vec<_> = pairs
        .filter(|(document, old)| !old.is_null() && *document.content != **old)
        .map(|(document, old)| (old, (*document.content).clone()))
        .collect();
    let changes: Vec<_> = pairs.iter().map(|(old, new)| Change { old, new }).collect();
    if !changes.is_empty() {
        for document in made.iter_mut().flat_map(|made| &mut made.documents) {
            rolls::roll(document.content.head_mut(), &changes);
        }
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn group(object: &Value) -> &str {
    text(object, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group)
}

fn matches(target: &PatchTarget, object: &Value) -> bool {
    let PatchTarget { kind, group, namespace, name } = target;
    kind.as_str() == text(object, "/kind")
        && group.as_ref().is_none_or(|wanted| wanted.as_str() == self::group(object))
        && namespace.as_ref().is_none_or(|wanted| wanted.as_str() == text(object, "/metadata/namespace"))
        && name.as_ref().is_none_or(|wanted| wanted.as_str() == text(object, "/metadata/name"))
}

/// Why a patch has no target, and which one it was probably meant for.
fn no_target(number: usize, patch: &Patch, made: &[Made]) -> Problem {
    let PatchTarget { kind, group, namespace, name } = &patch.target;
    let documents = made.iter().filter(|made| layout::holds_objects(made.component)).flat_map(|made| &made.documents);
    let all: Vec<&Value> = documents.filter(|document| !document.removed).map(|it| it.content.head()).collect();
    let distinct = |pointer: &str, objects: &[&'_ Value]| -> Vec<String> {
        let mut texts: Vec<_> = objects.iter().map(|object| text(object, pointer).to_owned()).collect();
        texts.sort();
        texts.dedup();
        texts
    };
    let of_kind: Vec<&Value> = all.iter().copied().filter(|object| text(object, "/kind") == kind.as_str()).collect();
    let told = |key: &str, wanted: &str, known: Vec<String>, objects: String| {
        let known: Vec<_> = known.iter().map(String::as_str).filter(|known| !known.is_empty()).collect();
        // `grafana` for `kube-prometheus-stack-grafana`.
        let mut holding = known.iter().copied().filter(|known| known.contains(wanted));
        let only = holding.next().filter(|_| holding.next().is_none());
        let label = match only.or_else(|| nearest(wanted, known.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("no {objects} of this stack has it"),
        };
        let shown = &known[..known.len().min(MOST_NAMES)];
        let more = match known.len() - shown.len() {
            0 => String::new(),
            more => format!(", and {}", counted(more, "other")),
        };
        let help = match shown {
            [] => "nothing of this stack has one; leave it out".to_owned(),
            shown => format!(
                "those of this stack: {}{more}",
                list(shown, if more.is_empty() { "and" } else { "," }).replace(" , ", ", ")
            ),
        };
        let message = format!("`patches[{number}]` has no target: there is no {} `{wanted}`", what(key, kind.as_str()));
        problem(patch, &["target", key], message, &label, &help)
    };
    if of_kind.is_empty() {
        return told("kind", kind.as_str(), distinct("/kind", &all), "object".to_owned());
    }
    let called = |object: &&&Value| name.as_ref().is_none_or(|name| name.as_str() == text(object, "/metadata/name"));
    let named: Vec<&Value> = of_kind.iter().filter(called).copied().collect();
    if let (Some(name), true) = (name, named.is_empty()) {
        // A Job's name in the manifests ends in a checksum, which is not there yet.
        return told("name", name.as_str(), distinct("/metadata/name", &of_kind), kind.to_string());
    }
    let placed = |object: &&&Value| {
        namespace.as_ref().is_none_or(|wanted| wanted.as_str() == text(object, "/metadata/namespace"))
    };
    if let (Some(namespace), false) = (namespace, named.iter().any(|object| placed(&object))) {
        return told("namespace", namespace.as_str(), distinct("/metadata/namespace", &named), kind.to_string());
    }
    let mut groups: Vec<_> = named.iter().map(|object| self::group(object).to_owned()).collect();
    groups.dedup();
    told("group", group.as_ref().map_or("", |group| group.as_str()), groups, kind.to_string())
}

/// How many names a message lists.
const MOST_NAMES: usize = 12;

/// What a key of a target tells of an object of a kind.
fn what(key: &str, kind: &str) -> String {
    match key {
        "kind" => "object of the kind".to_owned(),
        "name" => kind.to_owned(),
        "namespace" => format!("such {kind} in the namespace"),
        _ => format!("such {kind} of the group"),
    }
}

/// What a patch makes of an object; `None`: it removes it.
fn patched(patch: &Patch, old: &Value) -> Result<Option<Value>, Box<Problem>> {
    let new = match &patch.merge {
        Some(merge) => strategic::merge(old, merge).map_err(|fault| {
            let at: Vec<_> = ["merge"].into_iter().chain(fault.at.iter().map(String::as_str)).collect();
            let message = format!("{}: {}", title(old), fault.message);
            Box::new(problem(patch, &at, message, &fault.label, &fault.help))
        })?,
        None => Some(operated(patch, old)?),
    };
    let identity = ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"];
    if let Some(new) = &new
        && let Some(pointer) = identity.into_iter().find(|pointer| new.pointer(pointer) != old.pointer(pointer))
    {
        let field: Vec<_> = ["merge"].into_iter().chain(pointer.split('/').skip(1)).collect();
        return Err(Box::new(problem(
            patch,
            if patch.merge.is_some() { &field } else { &["json"] },
            format!("{}: a patch cannot change `{}`", title(old), field[1..].join(".")),
            "it says which object this is",
            "other objects refer to it by that; names follow from other keys of the stack",
        )));
    }
    Ok(new)
}

/// `Kind namespace/name`, as messages call it.
fn title(object: &Value) -> String {
    let [kind, namespace, name] = ["/kind", "/metadata/namespace", "/metadata/name"].map(|it| text(object, it));
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}

/// What the operations of a JSON patch make of an object.
fn operated(patch: &Patch, old: &Value) -> Result<Value, Box<Problem>> {
    let mut new = old.clone();
    for (number, operation) in patch.json.iter().enumerate() {
        let before = new.clone();
        let Some(step) = step(operation) else { continue };
        if let Err(error) = json_patch::patch(&mut new, &[step]) {
            return Err(Box::new(misfit(patch, number, operation, &before, &error.kind)));
        }
    }
    Ok(new)
}

/// The operation in the words of the crate that does it; `None` where the stack was not checked.
fn step(operation: &Operation) -> Option<PatchOperation> {
    let Operation { op, path, value, from } = operation;
    let pointer = |text: &str| PointerBuf::parse(text).ok();
    let path = pointer(path.as_str())?;
    let from = || pointer(from.as_ref()?.as_str());
    Some(match op {
        OperationKind::Add => PatchOperation::Add(AddOperation { path, value: value.clone()? }),
        OperationKind::Replace => PatchOperation::Replace(ReplaceOperation { path, value: value.clone()? }),
        OperationKind::Test => PatchOperation::Test(TestOperation { path, value: value.clone()? }),
        OperationKind::Remove => PatchOperation::Remove(RemoveOperation { path }),
        OperationKind::Copy => PatchOperation::Copy(CopyOperation { path, from: from()? }),
        OperationKind::Move => PatchOperation::Move(MoveOperation { path, from: from()? }),
    })
}

/// Why an operation does not fit an object.
fn misfit(
    patch: &Patch,
    number: usize,
    operation: &Operation,
    object: &Value,
    kind: &json_patch::PatchErrorKind,
) -> Problem {
    let number = number.to_string();
    let (key, pointer) = match (kind, &operation.from) {
        (json_patch::PatchErrorKind::InvalidFromPointer, Some(from)) => ("from", from.as_str()),
        _ => ("path", operation.path.as_str()),
    };
    let at = ["json", &number, key];
    let title = title(object);
    match kind {
        json_patch::PatchErrorKind::TestFailed => {
            let found = object.pointer(pointer).map_or("nothing".to_owned(), Value::to_string);
            let at = ["json", &number, "value"];
            let message = format!("{title}: the test of `{pointer}` fails");
            problem(
                patch,
                &at,
                message,
                &format!("there is {found}"),
                "the object has changed since this was written: look whether the patch is still right",
            )
        }
        json_patch::PatchErrorKind::CannotMoveInsideItself => problem(
            patch,
            &at,
            format!("{title}: `{pointer}` cannot be moved into itself"),
            "lies below `from`",
            "use `op: copy`, or another `path`",
        ),
        _ => {
            let (there, missing, known) = way(object, pointer);
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            let label = match nearest(&missing, known.iter().copied()) {
                Some(near) => format!("did you mean `{there}/{near}`?"),
                None => format!("`{}` has no `{missing}`", if there.is_empty() { "/" } else { &there }),
            };
            let help = match &*known {
                [] => "`add` puts a value into a mapping or list that is there: add that first, or use `merge:`"
                    .to_owned(),
                known => {
                    format!("at `{}` there are {}", if there.is_empty() { "/" } else { &there }, list(known, "and"))
                }
            };
            problem(patch, &at, format!("{title}: there is no `{pointer}`"), &label, &help)
        }
    }
}

/// How far a pointer leads: what is there, the first key that is not, and those that are.
fn way(object: &Value, pointer: &str) -> (String, String, Vec<String>) {
    let mut there = String::new();
    let mut node = object;
    for segment in pointer.split('/').skip(1) {
        let below = node.pointer(&format!("/{segment}"));
        let Some(next) = below else {
            let keys = match node {
                Value::Object(entries) => entries.keys().map(|key| key.replace('~', "~0").replace('/', "~1")).collect(),
                Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
                _ => Vec::new(),
            };
            return (there, segment.to_owned(), keys);
        };
        there = format!("{there}/{segment}");
        node = next;
    }
    (there, String::new(), Vec::new())
}

/// What the head of a file says of the patches of its objects.
pub(crate) fn note(documents: &[Document]) -> Option<String> {
    let mut numbers: Vec<_> = documents.iter().flat_map(|document| &document.patches).collect();
    numbers.sort();
    numbers.dedup();
    let names: Vec<_> = numbers.into_iter().map(|number| format!("patches[{number}]")).collect();
    (!names.is_empty()).then(|| format!("# Patched by stack.yaml: {}\n", names.join(", ")))
}

/// The place of the last patch of an object, if there is one.
pub(crate) fn place(stack: &Stack, patches: &[usize]) -> Option<Place> {
    Some(stack.patches.get(*patches.last()?)?.place(&[]))
}
