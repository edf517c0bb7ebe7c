//! What holds for every text that somebody may write into `stack.yaml`.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;
use std::path::Path;
use vigil_stack::Stack;
use vigil_yaml::{Place, Problem, Source};

const STACKS: [&str; 3] = [
    include_str!("../../../stacks/tutorial.yaml"),
    include_str!("../../../stacks/minimal.yaml"),
    include_str!("../../../stacks/switched.yaml"),
];

fn parse(text: &str) -> Result<Stack, String> {
    let one_line = |problems: Vec<Problem>| problems.iter().map(|p| p.one_line() + "\n").collect();
    // Beside the examples lies the dashboard that one of them names.
    let path = Path::new("../../stacks/any.yaml");
    Stack::load(&Source::new("stack.yaml", text), path).map(|parsed| parsed.stack).map_err(one_line)
}

/// The stack with every key written out.
fn written(stack: &Stack) -> String {
    vigil_yaml::write(&serde_json::to_value(stack).unwrap())
}

#[test]
fn the_defaults_read_back() {
    assert_eq!(parse(&written(&Stack::default())), Ok(Stack::default()));
}

#[test]
fn an_almost_empty_text_is_the_defaults() {
    for text in ["{}", "labels:", "grafana:\nloki: ~\nflask: {}\n", "kubernetes: 1.29"] {
        assert_eq!(parse(text), Ok(Stack::default()), "{text}");
    }
}

#[test]
fn every_example_reads_back() {
    for text in STACKS {
        let stack = parse(text).unwrap();
        assert_eq!(parse(&written(&stack)).as_ref(), Ok(&stack));
    }
}

/// Whatever the text: the same answer each time; problems in the order of the text, each inside it, and drawn without a
/// character that a terminal would obey.
fn check(text: &str) {
    let source = Source::new("stack.yaml", text);
    let Err(problems) = Stack::parse(&source) else { return };
    assert!(!problems.is_empty());
    let places: Vec<_> = problems
        .iter()
        .filter_map(|problem| match &problem.place {
            Place::Text(span) => Some(span.range.clone()),
            Place::File(_) => None,
        })
        .collect();
    assert!(places.is_sorted_by_key(|range| range.start));
    assert!(places.iter().all(|range| text.get(range.clone()).is_some()));
    for problem in &problems {
        let line = problem.one_line();
        assert!(!line.contains(char::is_control), "{line:?}");
        let drawn = problem.draw(false);
        assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
    }
    assert_eq!(Stack::parse(&source).err(), Some(problems));
}

fn scrap() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "[ \\n\\r\\t:#&*!|>'\"%@`?~<=,.a-c0-9\\[\\]{}\\\\-]{0,60}",
        "[\\x00-\\x7f\\u{80}-\\u{a0}\\u{2028}\\u{202e}\\u{feff}\\u{e000}]{0,6}",
        prop::sample::select(vec![
            "\n---\n",
            "&a ",
            "*a",
            "<<: *a",
            "!!int ",
            "? ",
            "null",
            "{{ x }}",
            "\t",
            "\r\n",
            "\u{feff}",
            "- ",
            ": ",
            "\"\\0\"",
            "!!null \"\\0\"",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A change that a slip of the hand makes: something cut out, something put in, a line moved.
#[derive(Clone, Debug)]
enum Slip {
    Cut(Index, usize),
    Insert(Index, String),
    Move(Index, Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        (any::<Index>(), 1..30_usize).prop_map(|(at, length)| Slip::Cut(at, length)),
        (any::<Index>(), scrap()).prop_map(|(at, text)| Slip::Insert(at, text)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Slip::Move(from, to)),
    ]
}

fn apply(text: &str, slip: &Slip) -> String {
    let characters: Vec<char> = text.chars().collect();
    let split = |at: &Index| characters.split_at(at.index(characters.len() + 1));
    match slip {
        Slip::Cut(at, length) => {
            let (before, after) = split(at);
            before.iter().chain(after.iter().skip(*length)).collect()
        }
        Slip::Insert(at, scrap) => {
            let (before, after) = split(at);
            before.iter().copied().chain(scrap.chars()).chain(after.iter().copied()).collect()
        }
        Slip::Move(from, to) => {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            if !lines.is_empty() {
                let line = lines.remove(from.index(lines.len()));
                lines.insert(to.index(lines.len() + 1), line);
            }
            lines.concat()
        }
    }
}

/// Failing cases are kept in `parse.regressions`: beside this file, which is below no `lib.rs`.
fn config() -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases: 400, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_is_too_strange(scraps in prop::collection::vec(scrap(), 0..12)) {
        check(&scraps.concat());
    }

    #[test]
    fn no_slip_of_the_hand_is_too_strange(text in prop::sample::select(&STACKS), slips in prop::collection::vec(slip(), 1..6)) {
        check(&slips.iter().fold(text.to_owned(), |text, slip| apply(&text, slip)));
    }
}
