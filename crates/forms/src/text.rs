//! Texts in quotes as Go reads them: those of PromQL and LogQL.

use std::ops::Range;

/// A text that was in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it stands for.
    pub value: String,
    /// How many bytes it takes, with its quotes.
    pub length: usize,
}

/// Why a text in quotes is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It does not end, at least not in its line; with the bytes before that.
    Open(usize),
    /// An escape that Go does not know, and its place.
    Escape(Range<usize>),
}

/// Reads the text that `text` begins with, in `"`, `'` or `` ` ``: what `strconv.Unquote` takes, and with `'` what it takes with
/// `"`.
///
/// # Errors
/// The first thing that is wrong.
pub fn quoted(text: &str) -> Result<Text, Wrong> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else { return Err(Wrong::Open(0)) };
    if quote == '`' {
        let end = text[1..].find('`').ok_or(Wrong::Open(text.len()))?;
        return Ok(Text { value: text[1..=end].to_owned(), length: end + 2 });
    }
    let mut bytes = Vec::new();
    let mut at = 1;
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next().filter(|c| *c != '\n') else { return Err(Wrong::Open(at)) };
        if c == '\\' {
            let Some((value, length)) = escape(rest, quote) else {
                let length = rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                return Err(Wrong::Escape(at..at + length));
            };
            match value {
                Escape::Byte(byte) => bytes.push(byte),
                Escape::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
            at += length;
            continue;
        }
        let width = c.len_utf8();
        if c == quote {
            return Ok(Text { value: String::from_utf8_lossy(&bytes).into_owned(), length: at + width });
        }
        bytes.extend(&rest.as_bytes()[..width]);
        at += width;
    }
}

enum Escape {
    Byte(u8),
    Char(char),
}

/// What the escape at the beginning of a text stands for, and how long it is.
fn escape(text: &str, quote: char) -> Option<(Escape, usize)> {
    let c = text[1..].chars().next()?;
    let number = |start: usize, length: usize, base: u32| {
        let digits = text.get(start..start + length).filter(|digits| digits.chars().all(|c| c.is_digit(base)))?;
        Some((u32::from_str_radix(digits, base).ok()?, start + length))
    };
    let byte = |(value, length): (u32, usize)| Some((Escape::Byte(u8::try_from(value).ok()?), length));
    let char = |(value, length): (u32, usize)| Some((Escape::Char(char::from_u32(value)?), length));
    match c {
        'a' => Some((Escape::Byte(7), 2)),
        'b' => Some((Escape::Byte(8), 2)),
        'f' => Some((Escape::Byte(12), 2)),
        'n' => Some((Escape::Byte(b'\n'), 2)),
        'r' => Some((Escape::Byte(b'\r'), 2)),
        't' => Some((Escape::Byte(b'\t'), 2)),
        'v' => Some((Escape::Byte(11), 2)),
        '\\' => Some((Escape::Byte(b'\\'), 2)),
        '0'..='7' => byte(number(1, 3, 8)?),
        'x' => byte(number(2, 2, 16)?),
        'u' => char(number(2, 4, 16)?),
        'U' => char(number(2, 8, 16)?),
        _ if c == quote => Some((Escape::Char(c), 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts() {
        for (text, value, length) in [
            (r#""a" b"#, "a", 3),
            (r#""\"\\\n\x41\101\u00e9""#, "\"\\\nAA\u{e9}", 22),
            (r"'\'a'", "'a", 5),
            (r"`\d` and", r"\d", 4),
            ("`a\nb`", "a\nb", 5),
            (r#""é""#, "é", 4),
        ] {
            assert_eq!(quoted(text), Ok(Text { value: value.to_owned(), length }), "{text}");
        }
        for (text, wrong) in [
            ("a", Wrong::Open(0)),
            ("\"a", Wrong::Open(2)),
            ("\"a\nb\"", Wrong::Open(2)),
            ("`a", Wrong::Open(2)),
            (r#""a\q""#, Wrong::Escape(2..4)),
            (r#""\'""#, Wrong::Escape(1..3)),
            (r#""\400""#, Wrong::Escape(1..3)),
            (r#""\ud800""#, Wrong::Escape(1..3)),
            (r#""\"#, Wrong::Escape(1..2)),
        ] {
            assert_eq!(quoted(text), Err(wrong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\"'`][a\"'`\\\\0-7xuUné\n]{0,12}|\\PC{0,12}") {
            match quoted(&text) {
                Ok(it) => prop_assert!(text.get(..it.length).is_some()),
                Err(Wrong::Open(end)) => prop_assert!(text.get(..end).is_some()),
                Err(Wrong::Escape(span)) => prop_assert!(text.get(span).is_some()),
            }
        }
    }
}
