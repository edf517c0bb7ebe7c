//! What reached new code in ten minutes of `just fuzz check`, some of it: texts that are judged, and whose findings can be
//! drawn.

use vigil_check::{Options, check};
use vigil_yaml::Source;

#[test]
fn what_fuzzing_found() {
    for line in include_str!("fuzzed.jsonl").lines() {
        let text: String = serde_json::from_str(line).unwrap_or_default();
        assert!(!text.is_empty(), "{line}");
        for finding in check(&[Source::new("fuzzed", text)], &Options::default()).findings {
            assert!(!finding.problem().draw(false).is_empty(), "{line}");
            assert!(!finding.problem().one_line().contains('\n'), "{line}");
        }
    }
}
