//! INI files: sections of `key = value` lines, as Grafana reads them with gopkg.in/ini.v1.

use std::ops::Range;

/// A line that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'t> {
    /// All of it, without the spaces around it.
    pub text: &'t str,
    /// Where that is.
    pub at: Range<usize>,
    /// What it says.
    pub says: Says<'t>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says<'t> {
    /// `[name]`.
    Section {
        /// What stands between the brackets.
        name: &'t str,
        /// Where that is.
        at: Range<usize>,
    },
    /// `key = value`, or with a colon.
    Key {
        /// The key.
        key: &'t str,
        /// Where it is.
        at: Range<usize>,
        /// The value without its comment and its quotes.
        value: &'t str,
        /// Where that is.
        value_at: Range<usize>,
        /// All that stands behind the separator.
        raw: &'t str,
    },
    /// Nothing that is taken: a section whose bracket is not closed.
    OpenSection,
    /// Nothing that is taken: neither a section nor a key with a value.
    NoValue,
}

/// The lines of a text, but for those that are empty or comments.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    let mut quoted = false;
    let mut continued = false;
    text.split_inclusive('\n').filter_map(move |whole| {
        let line = whole.trim();
        let at = start + (whole.len() - whole.trim_start().len());
        start += whole.len();
        // A value in three quotes, or with `\` at the end of a line, goes on in the next.
        let is_inside = quoted || continued;
        let is_comment = !is_inside && line.starts_with(['#', ';']);
        quoted ^= !is_comment && line.matches("\"\"\"").count() % 2 == 1;
        continued = line.ends_with('\\') && !is_comment;
        let is_skipped = is_inside || is_comment || line.is_empty();
        (!is_skipped).then(|| Line { text: line, at: at..at + line.len(), says: says(line, at) })
    })
}

/// What a line says that begins at `start`.
fn says(line: &str, start: usize) -> Says<'_> {
    if let Some(rest) = line.strip_prefix('[') {
        return rest.rfind(']').map_or(Says::OpenSection, |end| Says::Section {
            name: rest[..end].trim(),
            at: start + 1..start + 1 + end,
        });
    }
    let Some(end) = line.find(['=', ':']) else { return Says::NoValue };
    let (key, raw) = (line[..end].trim(), line[end + 1..].trim());
    let value = value(raw);
    let value_start = start + end + 1 + line[end + 1..].find(value).unwrap_or_default();
    Says::Key { key, at: start..start + key.len(), value, value_at: value_start..value_start + value.len(), raw }
}

fn value(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix("\"\"\"") {
        return inner.split("\"\"\"").next().unwrap_or_default();
    }
    for quote in ['`', '"', '\''] {
        if let Some(inner) = text.strip_prefix(quote)
            && let Some(end) = inner.find(quote)
        {
            return &inner[..end];
        }
    }
    text.find(['#', ';']).map_or(text, |comment| text[..comment].trim_end())
}

/// Whether a value is a text of one line to every reader of INI, which agree on no way to quote: no quotes, no comment,
/// no continuation, and neither of the expansions that Grafana knows, `%(name)s` and `$__provider{…}`.
pub fn is_plain(value: &str) -> bool {
    let special = |c: char| c.is_control() || "\"'`#;\\\u{2028}\u{2029}\u{feff}".contains(c);
    value.trim() == value && !value.contains(special) && !["%(", "${", "$__"].iter().any(|known| value.contains(known))
}

/// Whether the name of a section or a key is the same to every reader of INI.
pub fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_and_values() {
        let text =
            "top = 1\r\n[a.b] ; c\n  key=\"v\" # why\n# no\nlong = \"\"\"x\n[y]\nz\"\"\"\nbare\n[open\nlast: a;b\n";
        let found: Vec<(String, String)> = lines(text)
            .map(|line| match line.says {
                Says::Section { name, at } => (name.to_owned(), text[at].to_owned()),
                Says::Key { key, at, value, value_at, .. } => {
                    assert_eq!(&text[value_at], value);
                    (format!("{key}={value}"), text[at].to_owned())
                }
                Says::OpenSection | Says::NoValue => ("!".to_owned(), text[line.at].to_owned()),
            })
            .collect();
        let expected = [
            ("top=1", "top"),
            ("a.b", "a.b"),
            ("key=v", "key"),
            ("long=x", "long"),
            ("!", "bare"),
            ("!", "[open"),
            ("last=a", "last"),
        ];
        assert_eq!(found, expected.map(|(meaning, place)| (meaning.to_owned(), place.to_owned())));
    }

    #[test]
    fn raw_values_and_mistakes() {
        let one = |text| lines(text).next().unwrap().says;
        let raw = |text| match one(text) {
            Says::Key { raw, .. } => raw,
            other => panic!("{other:?}"),
        };
        assert_eq!((raw("a = 1 # b"), raw("a:b=c"), raw("a = \"b\" "), raw("a =")), ("1 # b", "b=c", "\"b\"", ""));
        assert_eq!(lines("# \"\"\"\n; a \\\nb = c\\\n# d\\\ne\n[f]").count(), 2, "comments open nothing");
        assert_eq!((one("[a"), one("a b")), (Says::OpenSection, Says::NoValue));
    }

    #[test]
    fn plain_texts() {
        for text in ["", "a b", "https://x/y?a=b", "a:b", "ä", "50%", "$HOME"] {
            assert!(is_plain(text), "{text:?}");
        }
        for text in ["1\nd = 2", "1\r[b]", "\u{85}", " 1", "1 ", "`", "\"\"\"", "'", "#", ";", "a\\", "\u{2028}"] {
            assert!(!is_plain(text), "{text:?}");
        }
        for text in ["%(a)s", "${A}", "$__file{/x}"] {
            assert!(!is_plain(text), "{text:?}");
        }
        assert!(is_plain_name("auth.generic_oauth-x1"));
        assert!(!is_plain_name("") && !is_plain_name("a b") && !is_plain_name("a:b") && !is_plain_name("ä"));
    }

    proptest! {
        #[test]
        fn a_plain_value_comes_back(key in "[a-z_.-]{1,8}", value in r"\PC{0,20}") {
            prop_assume!(is_plain(&value));
            let text = format!("{key} = {value}\n");
            let found: Vec<_> = lines(&text).collect();
            let [Line { says: Says::Key { key: found_key, value: read, value_at, raw, .. }, .. }] = &found[..] else {
                return Err(TestCaseError::fail(format!("{found:?}")));
            };
            prop_assert_eq!((*found_key, *read, *raw), (key.as_str(), value.as_str(), value.as_str()));
            prop_assert_eq!(&text[value_at.clone()], value.as_str());
        }

        #[test]
        fn every_place_is_in_the_text(text in r#"([a-z\[\]=:;# "'`\\\n]|""")*"#) {
            for line in lines(&text) {
                prop_assert_eq!(&text[line.at], line.text);
                match line.says {
                    Says::Section { name, at } => prop_assert_eq!(text[at].trim(), name),
                    Says::Key { key, at, value, value_at, .. } => {
                        prop_assert_eq!(&text[at], key);
                        prop_assert_eq!(&text[value_at], value);
                    }
                    Says::OpenSection | Says::NoValue => {}
                }
            }
        }
    }
}
