//! Regular expressions as Go reads them, compiled.

use regex::Regex;
use vigil_forms::regex::go;

/// Whether a text is an expression.
pub(crate) fn is_expression(text: &str) -> bool {
    go(text).is_ok()
}

/// Compiles an expression; nothing when it is none, or needs what this build does without, such as classes of Unicode.
pub(crate) fn compile(text: &str) -> Option<Regex> {
    Regex::new(&go(text).ok()?.rust).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_it() {
        for (pattern, matching, other) in [
            ("^a{2}$", "aa", "a{2}"),
            ("^a{x}$", "a{x}", "a"),
            ("^[[a]$", "[", "b"),
            ("^[^]a]$", "b", "]"),
            ("^[a&&b]+$", "&", "c"),
            ("^[[:alpha:]]$", "x", ":"),
            ("^[+--]$", ",", "."),
            (r"^\<a\>$", "<a>", "a"),
            ("^(?i:A)$", "a", "b"),
            (r"^\d{1,3}$", "12", "x"),
            ("^ü{2,}$", "üü", "ü"),
        ] {
            let regex = compile(pattern).unwrap();
            assert!(regex.is_match(matching), "{pattern} {matching}");
            assert!(!regex.is_match(other), "{pattern} {other}");
        }
        for pattern in ["(", "a)", "[a", "*", "a**(", r"\", "(?=a)", "{1}", "a{3,1}"] {
            assert!(!is_expression(pattern) && compile(pattern).is_none(), "{pattern}");
        }
        for pattern in [r"\Qa\E", r"^\p{L}$"] {
            assert!(is_expression(pattern), "{pattern}");
        }
    }
}
