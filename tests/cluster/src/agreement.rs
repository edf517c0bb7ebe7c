//! Whether a checker judges objects as the API server does.

use crate::assets::Release;
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::kubectl::Said;
use crate::parallel::parallel;
use crate::process::wait_for;
use crate::proof::Proof;
use crate::workplace;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use vigil_check::FoundBy;
use vigil_yaml::{Limits, Source};

const COLUMNS: [&str; 7] = [
    "kind",
    "objects",
    "both take it",
    "both refuse it",
    "only the API server refuses",
    "only the checker refuses",
    "the same, for what no server judges",
];

/// How many disagreements the report shows.
const SHOWN: usize = 100;

/// One object of the corpus, and what the two say of it.
struct Case {
    name: String,
    kind: String,
    path: PathBuf,
    text: String,
    value: Value,
}

/// What the API server, or the checker, says of an object: nothing, or why it refuses it.
type Verdict = Option<String>;

/// Judges every document of the YAML files below `corpus` twice: by a strict dry run of the API server, which knows the
/// definitions in `definitions`, and by `checker` with the object's file as its last argument. The checker says yes
/// with exit status 0 and no with 1.
pub(crate) fn prove(release: &Release, corpus: &Path, definitions: &[PathBuf], checker: &[OsString]) -> Result<Proof> {
    let folder = workplace::folder("corpus-")?;
    let cases = cases(corpus, folder.path())?;
    let plane = ControlPlane::start(release)?;
    let mut files = Vec::new();
    for path in definitions {
        collect(path, &mut files)?;
    }
    files.retain(|path| !path.ends_with("kustomization.yaml"));
    if !files.is_empty() {
        plane.kubectl.define(files.iter().map(PathBuf::as_path))?;
    }
    namespaces(&plane, &cases)?;
    let server = Server::new(&plane.api)?;
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let by_server = parallel(threads, &cases, |case| server.judges(case))?;
    let by_checker = parallel(threads, &cases, |case| checks(checker, &case.path))?;

    let words: Vec<_> = checker.iter().map(|word| word.to_string_lossy()).collect();
    let method = format!(
        "Every object by itself: a strict dry run of the API server of Kubernetes {} on one side, `{}` on the other.",
        release.version,
        words.join(" "),
    );
    let title = format!("The checker and the API server of Kubernetes {}", release.minor());
    Ok(report(&title, &method, &cases, &by_server, &by_checker))
}

fn report(title: &str, method: &str, cases: &[Case], by_server: &[Verdict], by_checker: &[Verdict]) -> Proof {
    let mut proof = Proof::new(title, method, &COLUMNS);
    let mut kinds: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    let mut disagreements = Vec::new();
    for (case, verdicts) in cases.iter().zip(by_server.iter().zip(by_checker)) {
        let column = match verdicts {
            (None, None) => 1,
            (Some(_), Some(_)) => 2,
            (Some(why), None) => {
                disagreements.push(format!("{}: only the API server refuses it: {why}", case.name));
                3
            }
            (None, Some(why)) if is_beyond(why) => 5,
            (None, Some(why)) => {
                disagreements.push(format!("{}: only the checker refuses it: {why}", case.name));
                4
            }
        };
        for kind in [case.kind.as_str(), "all"] {
            let counts = kinds.entry(kind).or_default();
            counts[0] += 1;
            counts[column] += 1;
        }
    }
    let all = kinds.remove("all").unwrap_or_default();
    for (kind, counts) in kinds.iter().chain([(&"all", &all)]) {
        proof.row([(*kind).to_owned()].into_iter().chain(counts.map(|count| count.to_string())));
    }
    let share = |part: usize| if all[0] == 0 { 0.0 } else { 100.0 * f64::from_count(part) / f64::from_count(all[0]) };
    let agreed = share(all[1] + all[2] + all[5]);
    proof.method = format!(
        "{method} They agree on {agreed:.2} % of {} objects; {} are false alarms. {} more would be taken by a server, and refused or \
         left out by the program or operator that reads what is in them.",
        all[0], all[4], all[5]
    );
    let more = disagreements.len().saturating_sub(SHOWN);
    for disagreement in disagreements.into_iter().take(SHOWN) {
        proof.finding(disagreement);
    }
    if more > 0 {
        proof.finding(format!("and {more} more"));
    }
    proof
}

/// Whether a line names a rule of ours that judges what an API server does not look into: files, queries, references.
fn is_beyond(line: &str) -> bool {
    let id = line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(id, _)| id);
    let rule = vigil_check::rules().into_iter().find(|rule| rule.id == id);
    rule.is_some_and(|rule| !matches!(rule.found_by, FoundBy::Server | FoundBy::Kubectl))
}

/// Counts are far below where this loses anything.
trait FromCount {
    fn from_count(count: usize) -> Self;
}

impl FromCount for f64 {
    fn from_count(count: usize) -> Self {
        u32::try_from(count).map_or(f64::INFINITY, Self::from)
    }
}

/// The documents of a corpus, each in a file of its own.
fn cases(corpus: &Path, into: &Path) -> Result<Vec<Case>> {
    let mut files = Vec::new();
    collect(corpus, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let all = fs::read_to_string(&file).context(file.display())?;
        for (index, text) in documents(&all).into_iter().enumerate() {
            let shown = file.strip_prefix(corpus).unwrap_or(&file).display().to_string();
            let name = if index == 0 { shown } else { format!("{shown}, document {}", index + 1) };
            // What no reader of YAML takes is the checker's to refuse as well; the API server is sent it as it is.
            let value = vigil_yaml::read(&Source::new(&name, &text), &Limits::default())
                .ok()
                .and_then(|documents| documents.first().map(vigil_yaml::Node::to_json))
                .unwrap_or_default();
            let path = into.join(format!("{:06}.yaml", cases.len()));
            fs::write(&path, &text).context(path.display())?;
            let kind = value["kind"].as_str().unwrap_or("none").to_owned();
            cases.push(Case { name, kind, path, text, value });
        }
    }
    if cases.is_empty() {
        return Err(Failure::new(format!("{}: no objects in *.yaml files", corpus.display())));
    }
    Ok(cases)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).context(path.display())? {
            collect(&entry.context(path.display())?.path(), files)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "yaml") {
        files.push(path.to_owned());
    }
    Ok(())
}

/// The documents of a stream, by its markers alone: what stands between them may be no YAML at all.
fn documents(stream: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in stream.split_inclusive('\n') {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    let says_something = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    documents.retain(|document| document.lines().any(says_something));
    documents
}

/// Makes the namespaces that objects stand in: whether one is there says nothing about the object.
fn namespaces(plane: &ControlPlane, cases: &[Case]) -> Result<()> {
    let mut names: Vec<_> = cases.iter().filter_map(|case| case.value["metadata"]["namespace"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        // A name that is none for a namespace is refused, and so will be what stands in it.
        plane.api.send("POST", "/api/v1/namespaces", "application/json", &namespace.to_string())?;
    }
    // Admission wants the account that controllers put into each.
    let account = |name: &str| format!("/api/v1/namespaces/{name}/serviceaccounts/default");
    wait_for(Duration::from_secs(30), || !plane.has_controllers() || plane.api.is_ok(&account("default")));
    Ok(())
}

/// What the API server knows: where the objects of a kind live, and whether in a namespace.
struct Server<'a> {
    api: &'a Http,
    kinds: BTreeMap<(String, String), (String, bool)>,
}

impl<'a> Server<'a> {
    fn new(api: &'a Http) -> Result<Self> {
        let mut versions = vec![("v1".to_owned(), "/api/v1".to_owned())];
        let groups = api.get("/apis")?.ok("the API's groups")?;
        for group in groups["groups"].as_array().into_iter().flatten() {
            for version in group["versions"].as_array().into_iter().flatten() {
                let version = version["groupVersion"].as_str().unwrap_or_default();
                versions.push((version.to_owned(), format!("/apis/{version}")));
            }
        }
        let mut kinds = BTreeMap::new();
        for (version, path) in versions {
            let resources = api.get(&path)?.ok(&path)?;
            for resource in resources["resources"].as_array().into_iter().flatten() {
                let text = |key: &str| resource[key].as_str().unwrap_or_default();
                let creates =
                    resource["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "create"));
                if !text("name").contains('/') && creates {
                    let lives = (text("name").to_owned(), resource["namespaced"] == true);
                    kinds.insert((version.clone(), text("kind").to_owned()), (format!("{path} {}", lives.0), lives.1));
                }
            }
        }
        Ok(Self { api, kinds })
    }

    fn judges(&self, case: &Case) -> Result<Verdict> {
        let text = |pointer: &str| case.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let kind = (text("/apiVersion").to_owned(), text("/kind").to_owned());
        let Some((lives, namespaced)) = self.kinds.get(&kind) else {
            return Ok(Some(format!("no matches for kind {:?} in version {:?}", kind.1, kind.0)));
        };
        let (path, resource) = lives.split_once(' ').unwrap_or_default();
        let namespace = match (namespaced, text("/metadata/namespace")) {
            (false, _) => String::new(),
            (true, "") => "/namespaces/default".to_owned(),
            (true, name) => format!("/namespaces/{}", encoded(name)),
        };
        let path = format!("{path}{namespace}/{resource}");
        let strict = "dryRun=All&fieldValidation=Strict";
        let yaml = "application/yaml";
        let mut answer = self.api.send("POST", &format!("{path}?{strict}"), yaml, &case.text)?;
        if answer.status == 409 && answer.text.contains("AlreadyExists") {
            // It is there, as a definition that was brought is: may it be replaced by this?
            let path = format!("{path}/{}", encoded(text("/metadata/name")));
            let there = self.api.get(&path)?.ok(&path)?;
            let mut value = case.value.clone();
            value["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
            answer = self.api.send("PUT", &format!("{path}?{strict}"), "application/json", &value.to_string())?;
        }
        match answer.status {
            200..300 => Ok(None),
            400..500 => {
                let said = answer.json().ok().and_then(|status| status["message"].as_str().map(str::to_owned));
                Ok(Some(said.unwrap_or(answer.text).lines().next().unwrap_or_default().to_owned()))
            }
            // A webhook or a quota that does not answer would be no verdict.
            status => Err(Failure::new(format!("{}: {path}: {status} {}", case.name, answer.text.trim()))),
        }
    }
}

/// Asks the checker.
fn checks(checker: &[OsString], path: &Path) -> Result<Verdict> {
    let [program, arguments @ ..] = checker else { return Err(Failure::new("no checker: name one after `--`")) };
    let output = Command::new(program).args(arguments).arg(path).output().context(program.display())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said =
        Said { status: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    let all = format!("{}\n{}", said.stdout, said.stderr);
    // Where the object lies is a matter of this run alone.
    let lines = || all.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("-->"));
    let objections = || lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    // What a server would say as well is what counts.
    let first = objections().find(|line| !is_beyond(line)).or_else(|| objections().next()).or_else(|| lines().next());
    match said.status {
        0 => Ok(None),
        1 => Ok(Some(first.unwrap_or_default().to_owned())),
        status => Err(Failure::new(format!("{} (exit {status}):\n{all}", program.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart_by_their_markers() {
        let stream = "# nothing\n---\na: 1\n---\n\n---\nb: |\n  ----\n";
        assert_eq!(documents(stream), ["a: 1\n", "b: |\n  ----\n"]);
    }

    #[test]
    fn every_disagreement_is_counted_and_told() {
        let case = |name: &str| Case {
            name: name.to_owned(),
            kind: "Service".to_owned(),
            path: PathBuf::new(),
            text: String::new(),
            value: Value::Null,
        };
        let cases = ["a", "b", "c", "d", "e"].map(case);
        let no = || Some("no".to_owned());
        let deeper = Some("error[query-syntax]: `a +` is no PromQL".to_owned());
        let proof = report("title", "how", &cases, &[None, no(), no(), None, None], &[None, no(), None, no(), deeper]);
        let row = |kind: &str| [kind, "5", "1", "1", "1", "1", "1"].map(str::to_owned).to_vec();
        assert_eq!(proof.rows, [row("Service"), row("all")]);
        assert!(proof.method.contains("agree on 60.00 % of 5 objects; 1 are false alarms. 1 more"), "{}", proof.method);
        assert_eq!(proof.findings, ["c: only the API server refuses it: no", "d: only the checker refuses it: no"]);
    }

    #[test]
    fn the_checker_answers_by_its_exit_status() {
        let shell = |script: &str| ["sh", "-c", script].map(OsString::from);
        assert_eq!(checks(&shell("exit 0"), Path::new("x")).unwrap(), None);
        assert_eq!(checks(&shell("echo no; exit 1"), Path::new("x")).unwrap().as_deref(), Some("no"));
        let both = "echo 'error[query-syntax]: a'; echo 'note[yaml]: b'; echo 'error[schema-type]: c'; exit 1";
        assert_eq!(checks(&shell(both), Path::new("x")).unwrap().as_deref(), Some("error[schema-type]: c"));
        assert!(checks(&shell("exit 2"), Path::new("x")).is_err());
    }
}
