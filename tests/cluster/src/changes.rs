//! Changes, and whether the API server refuses those that `vigil diff` says it refuses.

use crate::assets::Release;
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Result};
use crate::parallel::parallel;
use crate::prerequisites;
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::{Rendered, root};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use vigil_diff::{Class, Diff, Options};
use vigil_yaml::{Limits, Problem, Source};

const METHOD: &str = "\
The first set of every case in `crates/diff/cases` is applied, then the second as a dry run of the API server. In the first stack
single fields are changed or removed, one of each object at a time; changes that would be refused in a new object as well
do not count. What the API server refuses must be what `vigil diff` announces: a refusal without an announcement is a
finding, and so is an announcement without a refusal.";

const COLUMNS: [&str; 5] = ["Kubernetes", "what", "changes", "refused", "announced"];

/// How often one field of each object is changed.
const ROUNDS: usize = 3;

/// What an object is called in what kubectl says.
type Refused = BTreeSet<(String, String)>;

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("What a change does", METHOD, &COLUMNS);
    proof.take(parallel(releases.len(), releases, |release| with(release, stacks))?);
    Ok(proof)
}

fn with(release: &Release, stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::default();
    let plane = ControlPlane::start(release)?;
    // Pods of the cases run as it; the controller that makes it is not there.
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    prerequisites::create(&plane, "/api/v1/namespaces/default/serviceaccounts", &account)?;
    let options = options(release);
    let folder = root().join("crates/diff/cases");
    let entries = fs::read_dir(&folder).context(folder.display())?;
    let mut cases: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    cases.sort();
    for case in &cases {
        one(&plane, release, case, options, &mut proof)?;
    }
    if let Some(stack) = stacks.first() {
        fields(&plane, release, stack, options, &mut proof)?;
    }
    Ok(proof)
}

/// What `vigil diff` is told of a release.
pub(crate) fn options(release: &Release) -> Options {
    let minor = release.minor().rsplit('.').next().and_then(|minor| minor.parse().ok());
    Options { minor: minor.unwrap_or_default() }
}

/// The objects that a comparison announces to be refused.
pub(crate) fn announced(diff: &Diff) -> Refused {
    diff.of(Class::Refused).map(|effect| (effect.object.kind.clone(), effect.object.name.clone())).collect()
}

fn one(plane: &ControlPlane, release: &Release, case: &Path, options: Options, proof: &mut Proof) -> Result<()> {
    let name = case.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let [before, after] = ["before.yaml", "after.yaml"].map(|file| case.join(file));
    let diff = vigil_diff::compare(&objects(&before)?, &objects(&after)?, options);
    let [before, after] = [before, after].map(|path| path.display().to_string());
    plane.kubectl.run(&["apply", "-f", &before])?.ok(&name)?;
    if fs::read_to_string(&before).context(&before)?.contains("kind: CustomResourceDefinition") {
        let wait = ["wait", "--for", "condition=established", "--timeout=60s", "crd", "--all"];
        plane.kubectl.run(&wait)?.ok("the definitions")?;
    }
    let said = plane.kubectl.run(&["apply", "--dry-run=server", "-f", &after])?;
    let refusals = refused(&said.stderr);
    let is_told = said.status == 0 || !refusals.is_empty();
    proof.expect(is_told, || format!("{name}: {}", said.stderr.trim_end()));
    compare(&format!("Kubernetes {}, {name}", release.version), &refusals, &announced(&diff), proof);
    let changes = diff.changed.len() + diff.added.len();
    let row = [
        release.version.clone(),
        name,
        changes.to_string(),
        refusals.len().to_string(),
        announced(&diff).len().to_string(),
    ];
    proof.row(row);
    plane.kubectl.run(&["delete", "--ignore-not-found", "--wait=false", "-f", &before])?.ok("the case")?;
    Ok(())
}

/// Tells what came and was not announced, and the other way.
pub(crate) fn compare(title: &str, came: &Refused, announced: &Refused, proof: &mut Proof) {
    for (kind, name) in came.difference(announced) {
        proof.finding(format!("{title}: {kind} {name} is refused, and `vigil diff` does not say so"));
    }
    for (kind, name) in announced.difference(came) {
        proof.finding(format!("{title}: `vigil diff` says that {kind} {name} is refused, and it is not"));
    }
}

/// The objects that an API server refused, from all that kubectl says: `StatefulSet.apps "a" is invalid: …`, in a line of
/// its own or behind the patch that was tried.
pub(crate) fn refused(stderr: &str) -> Refused {
    let parts = stderr.match_indices("\" is invalid: ").filter_map(|(end, _)| {
        let (before, name) = stderr[..end].rsplit_once(" \"")?;
        let kind = before.rsplit([' ', '\n']).next()?.split('.').next()?;
        Some((kind.to_owned(), name.to_owned()))
    });
    parts.collect()
}

/// Changes single fields of a stack that is applied.
fn fields(
    plane: &ControlPlane,
    release: &Release,
    stack: &Rendered,
    options: Options,
    proof: &mut Proof,
) -> Result<()> {
    prerequisites::bring(plane, stack)?;
    plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok(&stack.name)?;
    // A definition that is another one makes all objects of its kind another thing.
    let is_it = |value: &&Value| {
        !["CustomResourceDefinition", "Namespace"].contains(&value["kind"].as_str().unwrap_or_default())
    };
    let before: Vec<Value> = stack.objects.iter().map(|object| (*object.value).clone()).collect();
    let objects: Vec<Value> = before.iter().filter(is_it).cloned().collect();
    let (mut changes, mut came, mut said) = (0, 0, 0);
    for round in 0..ROUNDS {
        let second: Vec<Value> = objects.iter().enumerate().map(|(index, it)| altered(it, round, index)).collect();
        let diff = vigil_diff::compare(&objects, &second, options);
        let (refused, announced) = (dry_run(plane, &second)?, announced(&diff));
        // What is no valid object is refused whatever stood there before.
        let called = |object: &Value| (text(object, "/kind"), text(object, "/metadata/name"));
        let is_refused = |object: &&Value| refused.contains(&called(object)) || announced.contains(&called(object));
        let fresh: Vec<Value> = second.iter().filter(is_refused).map(renamed).collect();
        let invalid = dry_run(plane, &fresh)?;
        let is_valid = |(kind, name): &(String, String)| !invalid.contains(&(kind.clone(), format!("{name}{NEW}")));
        let [refused, announced] = [refused, announced].map(|it| it.into_iter().filter(is_valid).collect::<Refused>());
        let title = format!("Kubernetes {}, {}, round {round}", release.version, stack.name);
        compare(&title, &refused, &announced, proof);
        changes += diff.changed.len() - invalid.len();
        came += refused.len();
        said += announced.len();
    }
    let what = format!("fields of {}", stack.name);
    proof.row([release.version.clone(), what, changes.to_string(), came.to_string(), said.to_string()]);
    Ok(())
}

fn text(object: &Value, at: &str) -> String {
    object.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a name ends in where the object shall be a new one.
const NEW: &str = "-new";

fn renamed(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(name) = object.pointer_mut("/metadata/name") {
        *name = format!("{}{NEW}", name.as_str().unwrap_or_default()).into();
    }
    object
}

/// The objects that the API server would refuse.
fn dry_run(plane: &ControlPlane, objects: &[Value]) -> Result<Refused> {
    if objects.is_empty() {
        return Ok(Refused::new());
    }
    let path = plane.directory().join("changed.yaml");
    let text: String = objects.iter().flat_map(|object| ["---\n".to_owned(), vigil_yaml::write(object)]).collect();
    fs::write(&path, text).context(path.display())?;
    let said = plane.kubectl.run(&["apply", "--dry-run=server", "-f", &path.display().to_string()])?;
    Ok(refused(&said.stderr))
}

/// The object with one field changed or removed: another one in each round.
fn altered(object: &Value, round: usize, index: usize) -> Value {
    let mut object = object.clone();
    let mut leaves = Vec::new();
    collect(&object, String::new(), &mut leaves);
    leaves.retain(|at| {
        !["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"].contains(&at.as_str())
            && !at.starts_with("/data/")
    });
    if leaves.is_empty() {
        return object;
    }
    let at = leaves[(round * 7919 + index * 104_729) % leaves.len()].clone();
    // Not the same field at every removal, also where the fields are a multiple of three.
    let is_removed = (round + round / 3) % 3 == 2;
    if let Some((above, key)) = at.rsplit_once('/').filter(|_| is_removed)
        && let Some(Value::Object(above)) = object.pointer_mut(above)
    {
        above.remove(&key.replace("~1", "/").replace("~0", "~"));
        return object;
    }
    if let Some(value) = object.pointer_mut(&at) {
        *value = match &*value {
            Value::Bool(value) => Value::Bool(!value),
            Value::Number(number) => json!(number.as_i64().unwrap_or_default() + 1),
            Value::String(text) => {
                let digit = text
                    .strip_suffix("Gi")
                    .or_else(|| text.strip_suffix("Mi"))
                    .is_some_and(|it| it.parse::<u32>().is_ok());
                Value::String(if digit { format!("1{text}") } else { format!("{text}x") })
            }
            other => other.clone(),
        };
    }
    object
}

/// The JSON pointers of all single values.
fn collect(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                collect(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, format!("{at}/{index}"), into);
            }
        }
        _ => into.push(at),
    }
}

pub(crate) fn objects(path: &Path) -> Result<Vec<Value>> {
    let drawn = |problems: Vec<Problem>| {
        crate::failure::Failure::new(problems.iter().map(|problem| problem.draw(false)).collect::<String>())
    };
    let source = Source::read(path, Limits::default().bytes).map_err(|problem| drawn(vec![*problem]))?;
    let documents = vigil_yaml::read(&source, &Limits::default()).map_err(drawn)?;
    Ok(documents.iter().map(vigil_diff::read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_is_another_one() {
        let object = json!({"kind": "X", "metadata": {"name": "x", "labels": {"a/b": "c"}}, "spec": {"n": [1, true]}});
        let mut seen = BTreeSet::new();
        for round in 0..9 {
            let other = altered(&object, round, 0);
            assert_ne!(other, object);
            seen.insert(other.to_string());
        }
        assert_eq!(seen.len(), 4, "another label, none, and both items changed: {seen:?}");
        assert_eq!(renamed(&object)["metadata"]["name"], "x-new");
    }

    #[test]
    fn refusals_are_found_wherever_they_stand() {
        let said = "The Service \"a\" is invalid: spec: no\nfor: \"x.yaml\": error when patching \"x.yaml\": Job.batch \"b\" is invalid: no\n";
        let expected = [("Job", "b"), ("Service", "a")].map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        assert_eq!(refused(said), Refused::from(expected));
        assert!(refused("Warning: \"a\" is odd").is_empty());
    }
}
