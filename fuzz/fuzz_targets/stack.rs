//! stack.yaml: any text is a stack that renders, or is refused with problems that can be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use vigil_render::{Templates, render_on};
use vigil_stack::Stack;
use vigil_yaml::Source;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    Templates::read(&path).unwrap_or_else(|problems| panic!("{problems:?}"))
});

fuzz_target!(|text: &str| {
    match Stack::parse(&Source::new("stack.yaml", text)) {
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(!problem.draw(false).is_empty());
            }
        }
        Ok(parsed) => {
            if let Err(problems) = render_on(1, &parsed.stack, &TEMPLATES, None) {
                assert!(problems.iter().all(|problem| !problem.draw(false).is_empty()));
            }
        }
    }
});
