//! The reader of LogQL: any text is a query, or what is wrong lies in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = vigil_logql::parse(text) {
        assert!(text.get(error.span).is_some());
    }
});
