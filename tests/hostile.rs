//! Stack files that are wrong in one way each, and what the program says about them.
//!
//! `tests/hostile/` holds the files, `golden/hostile/` the approved messages: a new file is a new case. What git or an
//! editor would not keep as it is (broken bytes, a megabyte, a missing file) is made here. Files in
//! `tests/hostile/accepted/` look odd and are right: each says what `plain.yaml` says, and renders to the same bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use vigil_yaml::{Limits, Source};
use walkdir::WalkDir;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
const CASES: &str = "tests/hostile";
const ACCEPTED: &str = "tests/hostile/accepted";
const GOLDEN: &str = "golden/hostile";

/// What one run of the program said and wrote.
struct Run {
    stdout: String,
    stderr: String,
    status: Option<i32>,
    written: BTreeMap<PathBuf, String>,
}

impl Run {
    /// Renders `stack`, a path as seen from `folder`, into an empty directory.
    fn new(folder: &Path, stack: &Path) -> Self {
        Self::coloured("never", folder, stack)
    }

    fn coloured(when: &str, folder: &Path, stack: &Path) -> Self {
        let out = TempDir::new().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_vigil"))
            .args(["--color", when, "render", "--stack"])
            .arg(stack)
            .arg("--out")
            .arg(out.path())
            .current_dir(folder)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&*out.path().to_string_lossy(), "<out>");
        Self {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            status: output.status.code(),
            written: contents(out.path()),
        }
    }

    fn assert_refused(&self) {
        assert_eq!(self.status, Some(2), "{}", self.stderr);
        assert!(self.written.is_empty(), "a refused stack wrote {:?}", self.written.keys());
        assert!(self.stdout.is_empty(), "{}", self.stdout);
    }

    /// The talk of the program and its exit status. A refused stack has nothing on stdout, and what an accepted one
    /// renders to is compared with its plain spelling. The talk is no place for a stack trace, or for anything that a
    /// terminal obeys.
    fn assert_snapshot(&self, name: &str, case: Option<&Path>) {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let invisible =
            ['\u{200b}', '\u{202c}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{feff}', '\u{e000}', '\u{e001}'];
        let raw = |c: &char| c.is_control() && *c != '\n' || invisible.contains(c);
        assert_eq!(self.stderr.chars().find(raw), None, "{}", self.stderr.escape_debug());
        let mut said = self.stderr.clone();
        let _ = write!(said, "\nexit status {}", self.status.unwrap());
        let golden = Path::new(PACKAGE).join(GOLDEN).join(name);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(golden.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        if let Some(case) = case {
            settings.set_input_file(Path::new(PACKAGE).join(case));
        }
        settings.bind(|| insta::assert_snapshot!(golden.file_name().unwrap().to_str().unwrap(), said));
    }
}

/// Every file below `folder`, by its path from there.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files.map(move |file| file.path().strip_prefix(folder).unwrap().to_owned())
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, String> {
    files(folder).map(|path| (path.clone(), fs::read_to_string(folder.join(path)).unwrap())).collect()
}

/// The files directly in `folder`, sorted, as paths from the package root.
fn cases(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(PACKAGE);
    let entries = WalkDir::new(root.join(folder)).max_depth(1).sort_by_file_name().into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(root).unwrap().to_owned())
        .collect()
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(OsStr::to_str).unwrap()
}

/// Runs all of `cases`, and names those that failed at the end.
fn all<T: Sync>(cases: &[T], name: impl Fn(&T) -> String + Sync + Send, check: impl Fn(&T) + Sync) {
    let fails = |case: &&T| catch_unwind(AssertUnwindSafe(|| check(case))).is_err();
    let failed: Vec<_> = cases.par_iter().filter(fails).map(name).collect();
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:#?}", failed.len(), cases.len());
}

#[test]
fn hostile_files_are_refused() {
    let cases = cases(CASES);
    assert!(cases.len() >= 60, "{CASES} holds only {} files", cases.len());
    all(
        &cases,
        |case| case.display().to_string(),
        |case| {
            let run = Run::new(Path::new(PACKAGE), case);
            run.assert_refused();
            run.assert_snapshot(stem(case), Some(case));
        },
    );
}

#[test]
fn odd_files_say_the_same_as_the_plain_one() {
    let cases = cases(ACCEPTED);
    assert!(cases.len() > 5, "{ACCEPTED} holds only {} files", cases.len());
    let plain = Run::new(Path::new(PACKAGE), &Path::new(ACCEPTED).join("plain.yaml"));
    all(
        &cases,
        |case| case.display().to_string(),
        |case| {
            let run = Run::new(Path::new(PACKAGE), case);
            assert_eq!(run.status, Some(0), "{}", run.stderr);
            assert_eq!(run.written, plain.written);
            run.assert_snapshot(&format!("accepted/{}", stem(case)), Some(case));
        },
    );
}

type Change = fn(&str) -> String;

/// Line ends, a byte order mark: what git and editors change on their own, and what must not matter.
const CHANGES: [(&str, Change); 4] = [
    ("crlf-line-ends", |text| text.replace('\n', "\r\n")),
    ("cr-line-ends", |text| text.replace('\n', "\r")),
    ("byte-order-mark", |text| format!("\u{feff}{text}")),
    ("byte-order-mark-and-crlf", |text| format!("\u{feff}{}", text.replace('\n', "\r\n"))),
];

#[test]
fn bytes_of_other_systems_are_accepted() {
    let folder = TempDir::new().unwrap();
    let run = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        Run::new(folder.path(), Path::new(name))
    };
    for stem in ["block-texts", "plain"] {
        let text = fs::read_to_string(Path::new(PACKAGE).join(ACCEPTED).join(stem).with_extension("yaml")).unwrap();
        let usual = run("usual.yaml", &text);
        assert_eq!(usual.status, Some(0), "{}", usual.stderr);
        for (name, change) in CHANGES {
            let run = run(&format!("{name}.yaml"), &change(&text));
            assert_eq!(run.status, Some(0), "{}", run.stderr);
            assert_eq!(run.written, usual.written, "{stem} with {name}");
            if stem == "plain" {
                run.assert_snapshot(&format!("accepted/{name}"), None);
            }
        }
    }
}

/// The only escape sequences that reach a terminal are the program's own.
#[test]
fn colour_is_all_that_colours_add() {
    let cases = cases(CASES);
    let hostile: Vec<_> = cases.iter().filter(|case| stem(case).contains("escape-sequence")).collect();
    assert!(hostile.len() > 2);
    for case in hostile {
        let plain = Run::new(Path::new(PACKAGE), case);
        let coloured = Run::coloured("always", Path::new(PACKAGE), case);
        let (first, styled) = coloured.stderr.split_once("\u{1b}[").unwrap();
        let unstyled = styled.split("\u{1b}[").map(|part| {
            let (style, text) = part.split_once('m').unwrap();
            assert!(style.chars().all(|c| c.is_ascii_digit() || c == ';'), "{}", coloured.stderr.escape_debug());
            text
        });
        assert_eq!(first.to_owned() + &unstyled.collect::<String>(), plain.stderr);
    }
}

/// The structure around a text cannot be changed by what the text holds.
#[test]
fn a_hostile_text_arrives_as_it_is() {
    let stack = Path::new(ACCEPTED).join("plain.yaml");
    let run = Run::new(Path::new(PACKAGE), &stack);
    let key = "example.com/note";
    let read = |name: &str, text: &str| vigil_yaml::read(&Source::new(name, text), &Limits::default()).unwrap();
    let annotation = |node: &vigil_yaml::Node| node.get("annotations")?.get(key).map(vigil_yaml::Node::to_json);
    let text = fs::read_to_string(Path::new(PACKAGE).join(stack)).unwrap();
    let wanted = read("stack", &text).first().and_then(annotation);
    assert!(wanted.is_some());
    let manifests = run.written.iter().filter(|(path, _)| path.extension() == Some(OsStr::new("yaml")));
    let objects: Vec<_> = manifests.flat_map(|(path, text)| read(&path.to_string_lossy(), text)).collect();
    let metadata: Vec<_> = objects.iter().filter_map(|object| object.get("metadata")).collect();
    assert!(metadata.len() > 10, "only {} objects were written", metadata.len());
    for metadata in metadata {
        assert_eq!(annotation(metadata), wanted, "{:?}", metadata.span);
    }
}

/// What stands at the path that is given as the stack, if anything does.
enum Made {
    Bytes(Vec<u8>),
    Directory,
    Nothing,
    /// Not for root, who may read everything.
    Unreadable,
}

fn made() -> Vec<(&'static str, Made)> {
    let text = |text: String| Made::Bytes(text.into_bytes());
    let lines = |line: &dyn Fn(usize) -> String, count: usize| text((0..count).map(line).collect());
    vec![
        ("alias-bomb", text(alias_bomb())),
        ("alias-bomb-of-one-long-text", text(long_text_bomb())),
        ("byte-order-mark-in-the-middle", text("kubernetes: \"1.29\"\n\u{feff}grafana:\n".to_owned())),
        ("deep-block-mappings", lines(&|depth| format!("{}a:\n", " ".repeat(depth)), 1000)),
        ("deep-brackets", text(format!("labels: {}", "[".repeat(100_000)))),
        ("deep-dashes", text(format!("labels: \n {}", "- ".repeat(100_000)))),
        ("deep-braces", text(format!("labels: {}", "{a: ".repeat(100_000)))),
        ("directory", Made::Directory),
        ("empty-file", text(String::new())),
        ("escape-sequence-raw", text("grafana:\n  \u{1b}[31mservice\u{1b}[0m:\n    port: 80\n".to_owned())),
        ("control-sequence-introducer-raw", text("labels:\n  team: \u{9b}31mred\n".to_owned())),
        ("bidi-override-raw", text("labels:\n  \u{202e}maet\u{202c}: \u{2066}platform\u{2069}\n".to_owned())),
        ("delete-character-raw", text("labels:\n  team: plat\u{7f}form\n".to_owned())),
        ("larger-than-a-megabyte", text("# still only a comment\n".repeat(50_000))),
        ("line-ends-of-old-macs", text("kubernetes: \"1.29\"\rgrafana:\r  enabled: yes\r".to_owned())),
        ("many-unknown-keys", lines(&|number| format!("key-{number}: {number}\n"), 9000)),
        ("many-values", lines(&|number| format!("- {number}\n"), 30_000)),
        ("missing-file", Made::Nothing),
        ("nul-byte", Made::Bytes(b"kubernetes: \"1.29\"\ngrafana:\0\n".to_vec())),
        ("nul-bytes-only", Made::Bytes(vec![0; 512])),
        ("not-utf-8", Made::Bytes(b"kubernetes: \"1.29\"\nlabels:\n  team: f\xfcr alle\n".to_vec())),
        ("unreadable-file", Made::Unreadable),
        ("utf-16", Made::Bytes("\u{feff}kubernetes: \"1.29\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect())),
        ("very-long-line", text(format!("grafana: {{ {} port: 80 }}\n", "enabled: true, ".repeat(5000)))),
        ("very-long-line-of-wide-characters", text(format!("namespaces: {{ monitoring: {} }}\n", "監視".repeat(5000)))),
        ("very-long-text", text(format!("kubernetes: {}\n", "1.29".repeat(100_000)))),
    ]
}

/// Ten lists, each with ten of the one before: ten thousand million texts.
fn alias_bomb() -> String {
    let mut text = "labels:\n  a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(text, "  a{level}: &a{level} [{aliases}]");
    }
    text
}

/// Few values, but gigabytes of text.
fn long_text_bomb() -> String {
    let aliases = vec!["*a"; 10_000].join(", ");
    format!("labels:\n  a: &a {}\n  b: [{aliases}]\n", "long ".repeat(150_000))
}

#[test]
fn hostile_bytes_are_refused() {
    all(
        &made(),
        |(name, _)| (*name).to_owned(),
        |(name, made)| {
            let folder = TempDir::new().unwrap();
            let file = format!("{name}.yaml");
            let path = folder.path().join(&file);
            match made {
                Made::Bytes(bytes) => fs::write(&path, bytes).unwrap(),
                Made::Directory => fs::create_dir(&path).unwrap(),
                Made::Nothing => {}
                Made::Unreadable => {
                    fs::write(&path, "kubernetes: \"1.29\"\n").unwrap();
                    lock(&path);
                    if fs::read(&path).is_ok() {
                        return;
                    }
                }
            }
            let run = Run::new(folder.path(), Path::new(&file));
            run.assert_refused();
            run.assert_snapshot(name, None);
        },
    );
}

#[cfg(unix)]
fn lock(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
}

#[cfg(not(unix))]
fn lock(_: &Path) {}

#[test]
fn every_snapshot_has_its_case() {
    let wrong = cases(CASES).into_iter().map(|case| stem(&case).to_owned());
    let odd = cases(ACCEPTED).into_iter().map(|case| format!("accepted/{}", stem(&case)));
    let made = made().into_iter().map(|(name, _)| name.to_owned());
    let changed = CHANGES.into_iter().map(|(name, _)| format!("accepted/{name}"));
    let known: BTreeSet<_> = wrong.chain(odd).chain(made).chain(changed).collect();
    let golden = Path::new(PACKAGE).join(GOLDEN);
    let snapshots = files(&golden).filter(|path| path.extension() == Some(OsStr::new("snap")));
    let stale: Vec<_> = snapshots.filter(|path| !known.contains(&*path.with_extension("").to_string_lossy())).collect();
    assert!(stale.is_empty(), "no case makes these: {stale:#?}");
}
