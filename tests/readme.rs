//! The README in Korean says what the one in English says.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;

fn read(name: &str) -> String {
    fs::read_to_string(support::root().join(name)).unwrap()
}

/// What stands between fences, with these.
fn blocks(text: &str) -> Vec<&str> {
    Regex::new("(?s)```[a-z]*\n.*?```\n").unwrap().find_iter(text).map(|block| block.as_str()).collect()
}

/// The levels of the headings outside of blocks.
fn levels(text: &str) -> Vec<usize> {
    let mut outside = text.to_owned();
    for block in blocks(text) {
        outside = outside.replacen(block, "", 1);
    }
    let headings = outside.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.chars().take_while(|c| *c == '#').count()).collect()
}

/// What stands in backticks, and where links lead, outside of blocks.
fn names(text: &str) -> BTreeSet<String> {
    let mut prose = text.to_owned();
    for block in blocks(text) {
        prose = prose.replacen(block, "", 1);
    }
    let code = Regex::new("`([^`\n]+)`").unwrap();
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    code.captures_iter(&prose).chain(link.captures_iter(&prose)).map(|found| found[1].to_owned()).collect()
}

/// `VIGIL_UPDATE_README=1 cargo test --test readme` brings pictures and examples over.
#[test]
fn korean_and_english_have_the_same_headings_commands_and_links() {
    let english = read("README.md");
    let mut korean = read("README.ko.md");
    let theirs = blocks(&english);
    assert_eq!(blocks(&korean).len(), theirs.len(), "blocks between fences");
    if std::env::var_os("VIGIL_UPDATE_README").is_some() {
        for (own, other) in blocks(&korean.clone()).into_iter().zip(&theirs) {
            korean = korean.replacen(own, other, 1);
        }
        fs::write(support::root().join("README.ko.md"), &korean).unwrap();
    }
    for (own, other) in blocks(&korean).into_iter().zip(theirs) {
        assert_eq!(own, other, "VIGIL_UPDATE_README=1 cargo test --test readme");
    }
    assert_eq!(levels(&korean), levels(&english));
    let (own, other) = (names(&korean), names(&english));
    // Each leads to the other.
    let is_other = |name: &&String| !name.starts_with("README") && !name.ends_with(".ko.md");
    let missing: Vec<_> = other.difference(&own).filter(is_other).collect();
    assert!(missing.is_empty(), "README.ko.md does not have {missing:?}");
    let added: Vec<_> = own.difference(&other).filter(is_other).collect();
    assert!(added.is_empty(), "README.md does not have {added:?}");
}
