//! `vigil ci`, in a repository of its own, and the script that posts what it writes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{approved, snapshot, text, tutorial};
use tempfile::TempDir;

/// A repository with the tutorial's stack and its manifests.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        fs::copy(tutorial(), repository.path("stack.yaml")).unwrap();
        repository.git(&["init", "--quiet"]);
        repository.git(&["add", "stack.yaml"]);
        repository.git(&["commit", "--quiet", "--message", "a stack"]);
        repository.rendered();
        repository
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, arguments: &[&str]) {
        support::git(self.0.path(), arguments);
    }

    /// Renders and commits.
    fn rendered(&self) {
        assert!(support::vigil(self.0.path(), &["render"]).status.success());
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", "manifests"]);
    }

    fn edit(&self, from: &str, to: &str) {
        let stack = fs::read_to_string(self.path("stack.yaml")).unwrap();
        assert!(stack.contains(from), "{from}");
        fs::write(self.path("stack.yaml"), stack.replace(from, to)).unwrap();
    }

    /// The command, as it runs in no CI or in that which variables say.
    fn ci(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
        for set in ["GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_STEP_SUMMARY", "CI_MERGE_REQUEST_DIFF_BASE_SHA"] {
            command.env_remove(set);
        }
        command.current_dir(self.0.path()).arg("ci").args(arguments).envs(variables.iter().copied()).output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn comment(name: &str, text: &str) {
    snapshot(&support::root().join("golden/cli"), name, text);
}

#[test]
fn a_pull_request_is_judged() {
    let repository = Repository::new();
    approved("ci-nothing-changed", &repository.ci(&[], &[]));
    approved("ci-first-manifests", &repository.ci(&["--base", "HEAD~1"], &[]));
    // An edit that nobody has rendered, then the same with its manifests.
    repository.edit("retention: 10d", "retention: 5d");
    let stale = repository.ci(&["--comment", "stale.md"], &[]);
    assert_eq!(stale.status.code(), Some(1), "{}", text(&stale));
    assert!(
        repository.read("stale.md").contains("| manifests | stale: 0 files added, "),
        "{}",
        repository.read("stale.md")
    );
    repository.rendered();
    approved("ci-changed", &repository.ci(&["--base", "HEAD~1"], &[]));
    let arguments =
        ["--base", "HEAD~1", "--fail-on", "data-loss,refused", "--comment", "comment.md", "--full", "whole.md"];
    assert_eq!(repository.ci(&arguments, &[]).status.code(), Some(1));
    comment("ci-comment", &repository.read("comment.md"));
    assert_eq!(repository.read("comment.md"), repository.read("whole.md"));
    assert_eq!(repository.ci(&["--base", "HEAD~1", "--fail-on", "refused"], &[]).status.code(), Some(0));
}

#[test]
fn code_hosts_say_what_the_base_is() {
    let repository = Repository::new();
    repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repository.edit("retention: 10d", "retention: 5d");
    repository.rendered();
    let summary = repository.path("summary.md");
    let variables =
        [("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "main"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    approved("ci-github", &repository.ci(&["--fail-on", "exposure"], &variables));
    assert!(repository.read("summary.md").contains("`stack.yaml` over `origin/main`"));
    // A second step adds its own.
    repository.ci(&[], &variables);
    assert_eq!(repository.read("summary.md").matches("<!-- vigil ci -->").count(), 2);
    let gitlab = repository.ci(&["--comment", "gitlab.md"], &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", "origin/main")]);
    assert_eq!(gitlab.status.code(), Some(0), "{}", text(&gitlab));
    assert!(repository.read("gitlab.md").contains("over `origin/main`"));
}

#[test]
fn what_cannot_be_judged_is_told_in_the_comment_too() {
    let repository = Repository::new();
    approved("ci-unknown-base", &repository.ci(&["--base", "nowhere", "--comment", "comment.md"], &[]));
    assert!(repository.read("comment.md").contains("git has no such revision here"));
    approved("ci-option-as-base", &repository.ci(&["--base=--all"], &[]));
    repository.edit("retention: 10d", "retentoin: 10d");
    approved("ci-broken-stack", &repository.ci(&["--comment", "comment.md"], &[]));
    comment("ci-comment-of-a-broken-stack", &repository.read("comment.md"));
    let absolute = repository.path("manifests");
    let output = repository.ci(&["--out", absolute.to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    approved("ci-unwritable", &repository.ci(&["--comment", "no/such/folder.md"], &[]));
}

/// Runs the script with programs in the place of `gh` and `curl` that keep what they are asked.
fn posted(folder: &Path, known: &str, variables: &[(&str, &str)]) -> (Output, String) {
    let log = folder.join("log");
    fs::write(&log, "").unwrap();
    let stub = format!(
        "#!/bin/sh\necho \"$(basename \"$0\") $*\" | sed 's|/dev/fd/[0-9]*|<(header)|' >> '{}'\n\
         case \"$*\" in *PATCH*|*POST*|*PUT*) ;; *) {known} ;; esac\n",
        log.display()
    );
    for name in ["gh", "curl"] {
        let path = folder.join(name);
        fs::write(&path, &stub).unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        fs::set_permissions(&path, permissions).unwrap();
    }
    fs::write(folder.join("comment.md"), "<!-- vigil ci -->\nhello\n").unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg(support::root().join("tools/ci/comment")).arg("comment.md").current_dir(folder).env("PATH", path);
    let output = command.env_remove("GITLAB_CI").envs(variables.iter().copied()).output().unwrap();
    (output, fs::read_to_string(log).unwrap())
}

#[cfg(unix)]
#[test]
fn one_comment_is_kept_up_to_date() {
    if Command::new("jq").arg("--version").output().is_err() {
        return tools::not_checked("jq, with which the script reads what GitLab answers", "install it");
    }
    let folder = tempfile::tempdir().unwrap();
    let github = [("GITHUB_REPOSITORY", "a/b"), ("PULL_REQUEST", "7")];
    let (output, first) = posted(folder.path(), "true", &github);
    assert!(output.status.success(), "{}", text(&output));
    let (_, second) = posted(folder.path(), "echo 42", &github);
    let (forbidden, _) = posted(folder.path(), "exit 1", &github);
    assert!(forbidden.status.success() && text(&forbidden).contains("::notice::"), "{}", text(&forbidden));
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
        ("CI_PROJECT_ID", "3"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("GITLAB_TOKEN", "hidden"),
    ];
    let (output, third) = posted(folder.path(), "echo '[]'", &gitlab);
    assert!(output.status.success(), "{}", text(&output));
    let (_, fourth) = posted(folder.path(), r#"echo '[{"id": 9, "body": "<!-- vigil ci -->\\nold"}]'"#, &gitlab);
    let all = [first, second, third, fourth].join("\n");
    assert!(!all.contains("hidden"), "a token on a command line");
    snapshot(&support::root().join("golden/cli"), "ci-posted", &all);
}
