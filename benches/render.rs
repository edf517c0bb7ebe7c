//! What a render costs, step by step: `cargo bench`. Budgets are in docs/design.md.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first surprise, and has no readers")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::path::Path;
use vigil_render::{Rendering, Templates};
use vigil_stack::Stack;
use vigil_yaml::Source;

fn main() {
    divan::main();
}

fn stack() -> Stack {
    let text = include_str!("../stacks/tutorial.yaml");
    Stack::parse(&Source::new("tutorial.yaml", text)).unwrap().stack
}

fn rendering() -> Rendering {
    vigil_render::render(&stack(), &vigil::TEMPLATES).unwrap()
}

#[divan::bench]
fn load_templates() -> Templates {
    Templates::read(Path::new("templates")).unwrap()
}

#[divan::bench]
fn load_stack() -> Stack {
    black_box(stack())
}

#[divan::bench(args = [1, 2])]
fn render_all(bencher: Bencher, threads: usize) {
    let stack = stack();
    bencher
        .counter(ItemsCount::new(rendering().objects.len()))
        .bench(|| vigil_render::render_on(threads, &stack, &vigil::TEMPLATES, None).unwrap());
}

#[divan::bench]
fn canonical_write(bencher: Bencher) {
    let objects = rendering().objects;
    bencher
        .counter(ItemsCount::new(objects.len()))
        .bench(|| objects.iter().map(|object| object.value.text().len()).sum::<usize>());
}

/// Everything of a second render but the start of the process: read, render, compare with the directory.
#[divan::bench]
fn render_again(bencher: Bencher) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("manifests");
    vigil_directory::write(&out, &rendering().files).unwrap();
    bencher.counter(ItemsCount::new(rendering().objects.len())).bench(|| {
        let changes = vigil_directory::write(&out, &rendering().files).unwrap();
        assert!(changes.is_empty());
    });
}

/// A first render into an empty place.
#[divan::bench]
fn render_first(bencher: Bencher) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("manifests");
    bencher
        .counter(ItemsCount::new(rendering().objects.len()))
        .with_inputs(|| {
            let _ = std::fs::remove_dir_all(&out);
        })
        .bench_values(|()| vigil_directory::write(&out, &rendering().files).unwrap());
}
