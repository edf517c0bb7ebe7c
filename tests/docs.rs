//! Documents: their commands run as they are written, their links lead somewhere, and the index has them all.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use support::{root, text, vigil};
use tempfile::TempDir;
use vigil_yaml::{Limits, Source};
use walkdir::WalkDir;

/// A repository as `vigil init --repository` makes it, with two commits, and the program on the path.
struct Repository {
    folder: TempDir,
    programs: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap(), programs: tempfile::tempdir().unwrap() };
        let program = repository.programs.path().join("vigil");
        fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_vigil"))).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(program, executable).unwrap();
        let copied = Command::new("cp").arg("-a").arg(Self::made().join(".")).arg(repository.folder.path()).status();
        assert!(copied.unwrap().success());
        repository
    }

    /// One is made, and the others are copies of it.
    fn made() -> &'static Path {
        static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
            // Of an earlier run, of which it is not known with which program.
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            fs::create_dir_all(&folder).unwrap();
            assert!(vigil(&folder, &["init", "--repository"]).status.success());
            for arguments in [
                &["init", "--quiet"][..],
                &["add", "."],
                &["commit", "--quiet", "--message", "a stack"],
                &["commit", "--quiet", "--allow-empty", "--message", "nothing"],
            ] {
                support::git(&folder, arguments);
            }
            folder
        });
        &MADE
    }

    /// Writes a file of a document; the keys of a stack go over those that it says already.
    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        if name != "stack.yaml" {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            return;
        }
        let read =
            |text: &str| vigil_diff::read(&vigil_yaml::read(&Source::new(name, text), &Limits::default()).unwrap()[0]);
        let mut stack = read(&fs::read_to_string(&path).unwrap());
        lay(&mut stack, &read(text));
        fs::write(path, vigil_yaml::write(&stack)).unwrap();
    }

    /// Runs a command as a shell does. What `vigil` finds to say about a change is no failure of the document.
    fn run(&self, command: &str) -> String {
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", command]).current_dir(self.folder.path()).env("PATH", path);
        for (name, value) in [("NAME", "x"), ("EMAIL", "x@example.com")] {
            shell.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        for set in ["GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_STEP_SUMMARY", "CI_MERGE_REQUEST_DIFF_BASE_SHA"] {
            shell.env_remove(set);
        }
        let output = shell.output().unwrap();
        let compares = ["vigil diff", "vigil ci", "vigil size"].iter().any(|compare| command.starts_with(compare));
        let most = i32::from(compares);
        assert!(output.status.code().unwrap() <= most, "$ {command}\n{}", text(&output));
        text(&output)
    }
}

fn lay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// What stands between fences: the language, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let block = Regex::new("(?ms)^```([a-z]+)\n(.*?)^```$").unwrap();
    block.captures_iter(page).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

/// Runs what a page shows: files that name themselves, and commands with what they say.
fn follow(page: &str) -> usize {
    let repository = Repository::new();
    let mut commands = 0;
    for (language, block) in blocks(page) {
        if let Some((first, _)) = block.split_once('\n').filter(|_| language == "yaml") {
            repository.put(first.strip_prefix("# ").unwrap_or_else(|| panic!("`{first}` names no file")), &block);
        }
        let mut said = String::new();
        for line in block.lines().filter(|_| language == "console") {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    said = repository.run(command);
                    commands += 1;
                }
                None => assert!(said.contains(line), "`{line}` is not said:\n{said}"),
            }
        }
    }
    commands
}

#[test]
fn tasks_can_be_done_as_they_are_written() {
    let mut commands = 0;
    for page in pages("docs/tasks") {
        println!("{}", page.display());
        commands += follow(&fs::read_to_string(&page).unwrap());
    }
    assert!(commands > 15, "{commands}");
}

#[test]
fn two_clusters_can_be_had_as_it_is_written() {
    assert_eq!(follow(&fs::read_to_string(root().join("docs/layers.md")).unwrap()), 3);
}

/// Commands with a remark behind them, in the folder of the example.
#[test]
fn a_fleet_can_be_had_as_it_is_written() {
    let repository = Repository::new();
    for (file, text) in support::texts(&root().join("examples/fleet")) {
        repository.put(&file, &text);
    }
    let page = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let line = Regex::new(r"(?m)^\$ (vigil .*?)(?:   .*)?$").unwrap();
    let commands: Vec<_> = line.captures_iter(&page).map(|found| found[1].trim_end().to_owned()).collect();
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        repository.run(&command);
        // What is compared with is committed.
        if command == "vigil fleet render" {
            repository.run("git add --all && git commit --quiet --message fleet");
        }
    }
}

/// The program as documents call it: its command, and the flags that follow.
fn calls(page: &str) -> Vec<(String, Vec<String>)> {
    let call = Regex::new(r"(?:\bvigil|cargo run (?:--quiet )?--) ([a-z]+(?: [^`|>#&\n]*)?)").unwrap();
    let flag = Regex::new(r"(?:^| )(--[a-z-]+)").unwrap();
    let flags = |text: &str| flag.captures_iter(text).map(|found| found[1].to_owned()).collect();
    // Only what is code.
    let code = Regex::new("(?ms)^```[a-z]+$.*?^```$|`[^`\n]*`").unwrap();
    let texts = code.find_iter(page).map(|found| found.as_str().replace("\\|", "|"));
    texts
        .flat_map(|text| call.captures_iter(&text).map(|found| found[1].to_owned()).collect::<Vec<_>>())
        .map(|call| (call.split_whitespace().next().unwrap().to_owned(), flags(&call)))
        .collect()
}

#[test]
fn documents_call_the_program_as_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let help = |words: &[&str]| text(&vigil(folder.path(), &[words, &["--help"]].concat()));
    let commands = help(&[]);
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let (mut wrong, mut count) = (Vec::new(), 0);
    let own = ["README.md", "README.ko.md"].map(|name| root().join(name));
    for page in pages("docs").into_iter().chain(own) {
        for (command, flags) in calls(&fs::read_to_string(&page).unwrap()) {
            count += 1;
            let name = page.strip_prefix(root()).unwrap().display();
            if !commands.contains(&format!("\n  {command} ")) {
                wrong.push(format!("{name}: `vigil {command}`"));
                continue;
            }
            let all = known.entry(command.clone()).or_insert_with(|| {
                let below = ["render", "check", "diff", "matrix", "promote"].iter().filter(|_| command == "fleet");
                let below: String = below.map(|below| help(&[&command, below])).collect();
                help(&[&command]) + &below
            });
            let unknown = flags.iter().filter(|flag| !Regex::new(&format!(r"{flag}[\s=\[,]")).unwrap().is_match(all));
            wrong.extend(unknown.map(|flag| format!("{name}: `vigil {command} {flag}`")));
        }
    }
    assert!(count > 150, "{count} calls");
    assert_eq!(wrong, [""; 0]);
}

/// Every page below a folder, but for those that are generated one for each alert.
fn pages(folder: &str) -> Vec<PathBuf> {
    let entries = WalkDir::new(root().join(folder)).sort_by_file_name().into_iter().map(Result::unwrap);
    let paths = entries.map(walkdir::DirEntry::into_path);
    paths.filter(|path| path.extension().is_some_and(|it| it == "md")).collect()
}

/// The names that headings of a page have on GitHub.
fn anchors(page: &str) -> BTreeSet<String> {
    let fence = Regex::new("(?ms)^```.*?^```$").unwrap();
    let page = fence.replace_all(page, "");
    let mut anchors = BTreeSet::new();
    for heading in page.lines().filter(|line| line.starts_with('#')) {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..100).map(|count| format!("{name}-{count}")).find(|next| !anchors.contains(next));
        anchors.insert(again.filter(|_| anchors.contains(&name)).unwrap_or(name));
    }
    anchors
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([A-Za-z0-9:/._#-]+)\)").unwrap();
    let code = Regex::new("(?ms)^```.*?^```$|`[^`\n]*`").unwrap();
    let mut broken = Vec::new();
    let own = ["README.md", "README.ko.md"].map(|name| root().join(name));
    for page in pages("docs").into_iter().chain(own) {
        let text = fs::read_to_string(&page).unwrap();
        // A link's words can be code.
        let prose = code.replace_all(&text, "code");
        for target in link.captures_iter(&prose).map(|found| found[1].to_owned()) {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').map_or((target.as_str(), None), |(path, it)| (path, Some(it)));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let is_there = file.exists()
                && anchor.is_none_or(|anchor| {
                    file.extension().is_none_or(|it| it != "md")
                        || anchors(&fs::read_to_string(&file).unwrap()).contains(anchor)
                });
            if !is_there {
                broken.push(format!("{}: {target}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn the_index_has_every_page() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    let pages = pages("docs");
    let of_index = |page: &&PathBuf| {
        let page = page.strip_prefix(root().join("docs")).unwrap();
        !page.starts_with("runbooks") && !page.starts_with("upstream") && page != Path::new("README.md")
    };
    for page in pages.iter().filter(of_index) {
        let name = page.strip_prefix(root().join("docs")).unwrap().display().to_string();
        assert!(index.contains(&format!("]({name}")), "docs/README.md does not have {name}");
    }
}
