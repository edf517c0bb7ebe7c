//! What a check costs: `cargo bench --bench check`. Schemas alone are a figure of their own, since other tools stop there.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first surprise, and has no readers")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::sync::Arc;
use vigil_check::{Options, report};
use vigil_stack::Stack;
use vigil_yaml::Source;

fn main() {
    divan::main();
}

/// The tutorial's set, with or without its definitions, and further copies of what lives in namespaces.
fn set(definitions: bool, copies: usize) -> Vec<Arc<Source>> {
    let text = include_str!("../stacks/tutorial.yaml");
    let stack = Stack::parse(&Source::new("tutorial.yaml", text)).unwrap().stack;
    let mut rendered = vigil_render::render(&stack, &vigil::TEMPLATES).unwrap().objects;
    rendered.retain(|it| definitions || it.kind() != "CustomResourceDefinition");
    let objects = || rendered.iter();
    let first = objects().map(|object| Source::new(object.path.as_str(), object.value.text()));
    let further = (1..copies).flat_map(|copy| {
        let renamed = move |text: &str| {
            ["mymonitoring", "myloki"]
                .iter()
                .fold(text.to_owned(), |text, name| text.replace(name, &format!("{name}-{copy}")))
        };
        objects()
            .filter(|object| !object.namespace().is_empty() || object.kind() == "Namespace")
            .map(move |object| Source::new(format!("{copy}/{}", object.path), renamed(&object.value.text())))
    });
    first.chain(further).collect()
}

fn check(bencher: Bencher, sources: &[Arc<Source>], options: &Options) {
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    bencher
        .counter(ItemsCount::new(sources.len()))
        .counter(BytesCount::new(bytes))
        .bench(|| vigil_check::check(black_box(sources), options));
}

#[divan::bench(args = [1, 100])]
fn everything(bencher: Bencher, copies: usize) {
    check(bencher, &set(false, copies), &Options::default());
}

#[divan::bench(args = [1, 100])]
fn objects_only(bencher: Bencher, copies: usize) {
    check(bencher, &set(false, copies), &Options { objects_only: true, ..Options::default() });
}

/// The set as it is applied: most of its text are definitions.
#[divan::bench]
fn with_definitions(bencher: Bencher) {
    check(bencher, &set(true, 1), &Options::default());
}

/// Several versions at once share what they can.
#[divan::bench]
fn every_version(bencher: Bencher) {
    let (oldest, newest) = vigil_check::versions();
    check(bencher, &set(false, 1), &Options { kubernetes: vec![oldest, newest], ..Options::default() });
}

/// A report with a finding in every object.
#[divan::bench(args = ["text", "json", "sarif", "github", "junit"])]
fn tell(bencher: Bencher, format: &str) {
    let broken = set(false, 10)
        .iter()
        .map(|it| Source::new(it.name.as_str(), format!("{}stray: 1\n", it.text)))
        .collect::<Vec<_>>();
    let found = vigil_check::check(&broken, &Options::default());
    bencher.counter(ItemsCount::new(found.findings.len())).bench(|| match format {
        "text" => report::text(&found, usize::MAX, false),
        "json" => report::json(&found).to_string(),
        "sarif" => report::sarif(&found, "0").to_string(),
        "github" => report::github(&found),
        _ => report::junit(&found),
    });
}
