//! The parser takes the queries that the grammar of Grafana's editor takes: queries of every form that the language has, half of
//! them with something wrong, are brought to both. Each difference has a reason that stands here.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::format_push_string, reason = "texts of tests are put together the plain way")]

#[path = "../../../tests/tools/mod.rs"]
mod tools;

#[path = "../../../tests/tools/random.rs"]
mod random;

mod queries;

use queries::Queries;
use serde::Deserialize;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use vigil_logql::parse;

/// How many queries are tried.
const COUNT: usize = 10_000;

fn queries(seed: u64) -> Vec<String> {
    let queries: Vec<String> = Queries::new(seed).take(COUNT).collect();
    let taken = queries.iter().filter(|query| parse(query).is_ok()).count();
    // Nothing is shown by texts that all are right, or all wrong.
    assert!((COUNT / 3..COUNT * 2 / 3).contains(&taken), "{taken} are taken");
    queries
}

/// What a program answers to queries.
fn asked<T: for<'a> Deserialize<'a>>(command: &mut Command, queries: &[String]) -> Vec<T> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let text = serde_json::to_string(queries).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<T> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), queries.len());
    answers
}

/// What the editor's grammar takes and Loki does not: it has the forms of queries alone. A part of what is said of each.
const LOOSER: [(&str, &[&str]); 8] = [
    ("it does not look into regular expressions", &["the regular expression is wrong", "a named group", "the group `"]),
    ("it does not look into patterns", &["the capture", "a named capture"]),
    ("it does not look into templates", &["template"]),
    (
        "it does not look into other texts",
        &["no way through JSON", "no key of logfmt", "is no address", "has no escape"],
    ),
    ("it takes any selector", &["a selector that matches streams without any label"]),
    (
        "it does not know which functions and operators take what",
        &[
            "counts lines, and takes no",
            "takes the values of a label",
            "takes no number",
            "takes no `by` and no `without`",
            "takes how many it picks first",
            "picks a whole number",
            "takes a quantile first",
            "takes numbers, not lines",
            "takes series on both sides",
            "is formatted twice",
            "is Loki's own",
            "`ip` stands behind",
            "stands in no parentheses",
        ],
    ),
    (
        "it knows fewer words that can be no label",
        &[
            "where a label stands",
            "where an operator or the end stands",
            "where an expression stands",
            "where a quoted text stands",
            "is missing at the end",
        ],
    ),
    (
        "its numbers and lengths of time are not those of Go and Prometheus",
        &["is no length of time", "is no decimal number", "an octal number", "a `p` behind a number"],
    ),
];

/// Whether this is the reason, by the query before the place where the editor's grammar stops, and from there on.
type Reason = fn(&str, &str) -> bool;

/// What Loki takes and the editor's grammar does not know.
const STRICTER: [(&str, Reason); 9] = [
    ("an underscore in a number", |before, rest| {
        rest.starts_with('_') && before.ends_with(|c: char| c.is_ascii_digit())
    }),
    ("a size without a `B`", |before, rest| {
        before.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with(|c| "KMGTk".contains(c))
    }),
    ("words in upper case", |_, rest| word(rest).starts_with(|c: char| c.is_ascii_uppercase())),
    ("an offset behind the values of a label", |before, rest| word(rest) == "offset" && before.contains("unwrap")),
    ("labels with a blank between them", |before, rest| {
        before.ends_with([' ', ')']) && (!word(rest).is_empty() || rest.starts_with('('))
    }),
    ("the values of a label in parentheses", |before, rest| rest.starts_with(')') && before.contains("unwrap")),
    ("`variants`", |before, rest| word(rest) == "variants" || before.contains("variants")),
    ("a time of `0`", |before, rest| before.ends_with('[') && rest.starts_with("0]")),
    ("`ip` beside other texts", |before, _| {
        before.trim_end().ends_with("or") || before.trim_end().ends_with(')') && before.contains("ip(")
    }),
];

/// The word that a text begins with.
fn word(rest: &str) -> &str {
    &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
}

#[test]
fn as_the_editor_reads_it() {
    let Some(packages) = tools::logql_packages() else { return };
    let queries = queries(2);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/logql/verdicts.mjs");
    let verdicts: Vec<Option<usize>> = asked(Command::new("node").arg(program).arg(packages), &queries);
    let (mut looser, mut stricter) = ([0; LOOSER.len()], [0; STRICTER.len()]);
    let mut wrong = Vec::new();
    for (query, theirs) in queries.iter().zip(verdicts) {
        let seen = match (parse(query), theirs) {
            (Ok(_), None) | (Err(_), Some(_)) => continue,
            (Err(own), None) => {
                let is = |(_, parts): &(_, &[&str])| parts.iter().any(|part| own.message.contains(part));
                LOOSER.iter().position(is).map(|reason| &mut looser[reason])
            }
            (Ok(_), Some(at)) => {
                let (before, rest) = query.split_at(place(query, at));
                STRICTER.iter().position(|(_, is)| is(before, rest)).map(|reason| &mut stricter[reason])
            }
        };
        match seen {
            Some(seen) => *seen += 1,
            None => wrong.push(format!("{query:?}: {:?}, and the editor: {theirs:?}", parse(query).err())),
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    // A reason that explains nothing is none.
    assert!(looser.iter().chain(&stricter).all(|count| *count > 0), "{looser:?} {stricter:?}");
}

/// A place that JavaScript counts in halves of UTF-16, in bytes.
fn place(query: &str, at: usize) -> usize {
    let mut units = 0;
    for (byte, c) in query.char_indices() {
        if units >= at {
            return byte;
        }
        units += c.len_utf16();
    }
    query.len()
}
