//! The YAML reader: any text is read or refused with places inside it, whole and cut into its documents alike, and what
//! the canonical writer makes of it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil_yaml::{Limits, Source, read, salvage_all, write};

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
