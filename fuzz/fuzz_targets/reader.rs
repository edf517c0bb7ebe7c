//! The YAML reader: any text is read or refused with places inside it, whole and cut into its documents alike, by the
//! reader of ordinary manifests as by the full parser, and what the canonical writer makes of it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil_yaml::{Limits, Node, Source, read, salvage_all, write};

fuzz_target!(|text: &str| {
    let source = Source::new("fuzz", text);
    let limits = Limits { bytes: 1 << 16, nodes: 10_000, depth: 64 };
    let (documents, problems) = salvage_all(&source, &limits);
    for problem in &problems {
        assert!(!problem.draw(false).is_empty() && !problem.one_line().contains('\n'));
    }
    for part in source.documents() {
        let _ = salvage_all(&part, &limits);
    }
    by_the_full_parser(&source, &limits);
    if !problems.is_empty() {
        return;
    }
    let apart: Vec<_> = source.documents().iter().flat_map(|part| read(part, &limits).unwrap_or_default()).collect();
    let json = |nodes: &[vigil_yaml::Node]| nodes.iter().map(vigil_yaml::Node::to_json).collect::<Vec<_>>();
    assert_eq!(json(&documents), json(&apart), "documents apart and together");
    for value in json(&documents) {
        let written = Source::new("written", write(&value));
        // A document may outgrow a limit when it is written out; what it means may not change.
        if let Ok(again) = read(&written, &Limits::default()) {
            assert_eq!(json(&again), [value], "{}", written.text);
        }
    }
});

/// Texts with a directive are left to the full parser: behind one, the same text means the same, at the same places.
fn by_the_full_parser(source: &Source, limits: &Limits) {
    let text = &*source.text;
    if text.starts_with(['%', '\u{feff}']) || text.contains("\n%") {
        return;
    }
    let starts =
        text.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
    let directive = if starts { "%YAML 1.2\n" } else { "%YAML 1.2\n---\n" };
    let limits = Limits { bytes: limits.bytes + directive.len(), ..*limits };
    let behind = Source::new("behind", format!("{directive}{text}"));
    let ((ours, problems), (full, others)) =
        (salvage_all(&Source::new("fuzz", text), &limits), salvage_all(&behind, &limits));
    assert_eq!(problems.len(), others.len());
    let drawn = |nodes: &[Node], shift: usize| {
        let mut drawn = Vec::new();
        for node in nodes {
            node.visit_texts(&mut |text, plain, span| {
                drawn.push((text.to_owned(), plain, span.range.start - shift..span.range.end - shift));
            });
            drawn.push((node.to_json().to_string(), false, node.span.range.start - shift..node.span.range.end - shift));
        }
        drawn
    };
    assert_eq!(drawn(&ours, 0), drawn(&full, directive.len()));
}
