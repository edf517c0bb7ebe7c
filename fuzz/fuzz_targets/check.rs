//! The checker: any text is judged, and every finding can be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil_check::{Options, check};
use vigil_yaml::Source;

fuzz_target!(|text: &str| {
    let report = check(&[Source::new("fuzz", text)], &Options::default());
    for finding in &report.findings {
        assert!(!finding.problem().draw(false).is_empty());
        assert!(!finding.problem().one_line().contains('\n'));
    }
});
