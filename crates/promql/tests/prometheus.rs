//! The parser takes the queries that the parser of Prometheus takes, and no other: queries of every form that the grammar
//! has, half of them with something wrong, are brought to both.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::format_push_string, reason = "texts of tests are put together the plain way")]

#[path = "../../../tests/tools/mod.rs"]
mod tools;

#[path = "../../../tests/tools/random.rs"]
mod random;

mod queries;

use queries::Queries;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use vigil_promql::{Release, parse};

/// That of the Prometheus which stacks run, and of which promtool is built.
const RELEASE: Release = Release(3, 8);

/// How many queries are tried with each set of feature flags.
const COUNT: usize = 10_000;

/// Flags that promtool 3.8 hands on to its parser.
const FLAGS: [&[&str]; 2] = [&[], &["promql-experimental-functions"]];

#[test]
fn both_parsers_agree() {
    let Some(promtool) = tools::promtool() else { return };
    for (seed, flags) in (1..).zip(FLAGS) {
        let queries: Vec<String> = Queries::new(seed).take(COUNT).collect();
        let refused = refused(&promtool, &queries, flags);
        // Nothing is shown by texts that all are right, or all wrong.
        assert!((COUNT / 4..COUNT * 3 / 4).contains(&refused.len()), "{} are refused", refused.len());
        let mut wrong = Vec::new();
        for (at, query) in queries.iter().enumerate() {
            let own = own_refusal(query, flags);
            match (refused.get(&at), own) {
                (Some(theirs), None) => wrong.push(format!("only Prometheus refuses {query:?}: {theirs}")),
                (None, Some(own)) => wrong.push(format!("only this parser refuses {query:?}: {own}")),
                _ => {}
            }
        }
        assert!(wrong.is_empty(), "{} with {flags:?}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Why the parser refuses a query, or what it needs that is not there.
fn own_refusal(query: &str, flags: &[&str]) -> Option<String> {
    match parse(query) {
        Err(error) => Some(error.message),
        Ok(query) => {
            let is_met = |flag: &str| flags.contains(&flag);
            query.needs.into_iter().find(|need| !need.is_met(RELEASE, is_met)).map(|need| need.what)
        }
    }
}

/// The queries that promtool refuses, by their numbers, and why.
fn refused(promtool: &Path, queries: &[String], flags: &[&str]) -> BTreeMap<usize, String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("promql");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}.yaml", flags.join("-")));
    let rules = queries.iter().enumerate().map(|(at, query)| json!({ "record": format!("r{at}"), "expr": query }));
    let rules = json!({ "groups": [{ "name": "g", "rules": rules.collect::<Vec<_>>() }] });
    std::fs::write(&file, rules.to_string()).unwrap();
    let flags = flags.iter().map(|flag| format!("--enable-feature={flag}"));
    let output =
        Command::new(promtool).args(flags).args(["check", "rules", "--lint=none"]).arg(&file).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    let of = |line: &str| {
        let (_, rest) = line.split_once(", \"r")?;
        let (number, why) = rest.split_once("\": ")?;
        Some((number.parse().ok()?, why.to_owned()))
    };
    said.lines().filter_map(of).collect()
}
