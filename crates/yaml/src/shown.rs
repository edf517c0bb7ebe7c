//! Foreign text in messages: nothing that a terminal obeys, nothing that nobody sees, nothing endless.

use std::borrow::Cow;
use std::fmt;

/// `text` with every character escaped that a terminal would obey or a reader could not see: control characters,
/// spaces that are none to YAML, marks that reorder or join letters, private-use characters.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hidden) {
        text.chars().fold(String::with_capacity(text.len()), push_shown).into()
    } else {
        text.into()
    }
}

/// As [`shown`], for a line of source: one character for each, so that markers stay below what they mark. A tab is an
/// everyday thing there.
pub(crate) fn shown_source(line: &str) -> String {
    line.chars().map(|c| if is_hidden(c) && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn push_shown(mut text: String, c: char) -> String {
    if is_hidden(c) {
        text.extend(c.escape_debug());
    } else {
        text.push(c);
    }
    text
}

fn is_hidden(c: char) -> bool {
    let marks = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    c != ' ' && (c.is_control() || c.is_whitespace() || marks || private)
}

/// A word of the user as messages quote it: in backticks, cut when it is too long to be read, and seen when it is
/// empty.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        if self.0.is_empty() {
            return f.write_str("`\"\"`");
        }
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "`{}…`", &self.0[..end]),
            None => write!(f, "`{}`", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_shown() {
        for (text, expected) in [
            ("plain `text`, \"quoted\" \\ ünïcödé 監視 🙂 e\u{301}", None),
            ("\u{1b}[31mred", Some("\\u{1b}[31mred")),
            ("a\0b\u{7f}\u{9b}", Some("a\\0b\\u{7f}\\u{9b}")),
            ("two\nlines\r\tand a tab", Some("two\\nlines\\r\\tand a tab")),
            ("\u{a0}\u{2028}\u{3000}", Some("\\u{a0}\\u{2028}\\u{3000}")),
            ("\u{202e}live\u{202c}\u{200b}\u{feff}", Some("\\u{202e}live\\u{202c}\\u{200b}\\u{feff}")),
            ("\u{e000}0\u{e001}", Some("\\u{e000}0\\u{e001}")),
        ] {
            assert_eq!(shown(text), expected.unwrap_or(text));
        }
        assert_eq!(shown_source("\ta\u{1b}[1m"), "\ta\u{fffd}[1m");
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(Quoted("word").to_string(), "`word`");
        assert_eq!(Quoted("").to_string(), "`\"\"`");
        assert_eq!(Quoted(&"ä".repeat(100)).to_string(), format!("`{}`", "ä".repeat(100)));
        assert_eq!(Quoted(&"ä".repeat(101)).to_string(), format!("`{}…`", "ä".repeat(100)));
    }
}
