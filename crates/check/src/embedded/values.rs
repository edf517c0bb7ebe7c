//! The forms that values of configurations have: what the lists of keys in `configurations/` call them, and what the
//! programs read there.

use crate::fields::written;
use crate::schema::pattern::is_expression;
use vigil_forms::{calendar::is_date, duration, url::Url};
use vigil_yaml::plain::Plain;
use vigil_yaml::{Data, Node};

/// What was expected of a value of the form `wanted`, where it is none; nothing where it is one, or where `wanted` is no
/// form of a single value.
pub(super) fn misfit(wanted: &str, node: &Node) -> Option<&'static str> {
    let is_scalar = matches!(node.data, Data::Scalar(_));
    let text = written(node);
    let (fits, expected): (bool, &'static str) = match wanted {
        "." => (is_scalar, "a single value"),
        "bool" => (node.boolean().is_some(), "`true` or `false`"),
        // gopkg.in/yaml.v2 cuts a float off.
        "int" => (is_number(node), "a whole number"),
        "float" => (is_number(node), "a number"),
        "duration" => (is_scalar && duration::prometheus(text).is_ok(), "a duration such as `30s`, `5m` or `7d`"),
        "go-duration" if is_number(node) => {
            (node.integer().is_some_and(|number| number <= 0), "a unit, as in `30s`: a number alone is nanoseconds")
        }
        "go-duration" => (is_scalar && duration::go(text).is_ok(), "a duration such as `30s`, `5m` or `24h`"),
        "size" => (is_scalar && is_size(text), "a size such as `512KB` or `4MB`"),
        "date" => (is_scalar && is_date(text), "a date such as `2024-01-31`"),
        "http-url" => (is_scalar && is_http_url(text), "a URL that begins with `http://` or `https://`"),
        "host-port" => (is_scalar && is_host_port(text), "`host:port`"),
        "regexp" => (is_scalar && is_expression(text), "a regular expression of Go"),
        // Alertmanager's own, which its routes are judged with.
        "matchers" => (is_scalar, "a text such as `severity=\"critical\"`"),
        // A text with variables, of which comes what is wanted.
        "bool-text" | "int-text" if text.contains('$') => return None,
        "bool-text" => (is_scalar && is_true_or_false(text), "`true` or `false`"),
        "int-text" => (is_scalar && (text.is_empty() || text.parse::<i64>().is_ok()), "a whole number"),
        _ => return None,
    };
    (!fits).then_some(expected)
}

/// Whether `wanted` is the form of a single value, and no type with keys.
#[cfg(test)]
pub(super) fn is_form(wanted: &str) -> bool {
    let forms = ["", "go-duration", "size", "date", "http-url", "host-port", "regexp", "matchers", "duration"];
    forms.contains(&wanted) || matches!(wanted, "." | "bool" | "int" | "float" | "bool-text" | "int-text")
}

fn is_number(node: &Node) -> bool {
    matches!(node.scalar(), Some(Plain::Integer(_) | Plain::Unsigned(_) | Plain::Float(_)))
}

/// What a program that reads a text first takes for a boolean.
fn is_true_or_false(text: &str) -> bool {
    matches!(text, "" | "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False")
}

/// A number and a unit: what `datasize.ByteSize` of github.com/c2h5oh/datasize 0.0.0-20231215233829 reads in upper case, and
/// `ParseBase2Bytes` of github.com/alecthomas/units.
pub(super) fn is_size(text: &str) -> bool {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = text[end..].trim().to_ascii_lowercase();
    let stem = unit.trim_end_matches(['b', 'i']);
    let is_word = || {
        let word = unit.strip_suffix("byte").or_else(|| unit.strip_suffix("bytes")).unwrap_or(&unit);
        matches!(word, "" | "kilo" | "mega" | "giga" | "tera" | "peta" | "exa")
    };
    text[..end].parse::<f64>().is_ok()
        && (unit.len() <= 3 && matches!(stem, "" | "k" | "m" | "g" | "t" | "p" | "e") || is_word())
}

/// `parseURL` in config/config.go of Alertmanager 0.30; a template, which newer ones take at some places, is not judged.
pub(super) fn is_http_url(text: &str) -> bool {
    let is_one = |url: Url<'_>| matches!(url.scheme, "http" | "https") && !url.authority.host.is_empty();
    text.contains("{{") || text == "<secret>" || Url::split(text).is_some_and(is_one)
}

/// `net.SplitHostPort` of Go with a port behind it; an empty text is none at all.
pub(super) fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return text.is_empty() };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    !port.is_empty() && (is_bracketed || !host.contains([':', '[', ']']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn forms() {
        for (wanted, right, wrong) in [
            ("duration", "0 30s 1h30m 7d 1y", "30 1.5h '30' 30x -5m '15 m'"),
            ("go-duration", "0 -1 30s 1.5h '0' 100ms", "30 '30' 7d 30x '5 m'"),
            ("size", "4MB 4mb '4 MB' 1048576 1GiB 512KB 3b 2kilobytes", "x 4XB MB 4MBs"),
            ("date", "2024-01-31 2024-02-29 '2020-05-15'", "2024-13-01 2023-02-29 24-01-01 today"),
            ("http-url", "http://a https://a.b:1/c?d '{{ .X }}'", "a.b/c ftp://a http:// https:///x"),
            ("host-port", "a:25 :25 '[::1]:25' ''", "a a: ::1 a:b:c"),
            ("bool", "true no on False", "\"yes\" 1 x"),
            ("int", "1 0x10 -5 1e3", "x \"1\" 4MB"),
            ("float", "1 1.5 -2e3", "4MB \"1\" x"),
            ("regexp", "a.* '(?i)b'", "'(a' '(?!a)'"),
        ] {
            for (texts, fits) in [(right, true), (wrong, false)] {
                let list = format!("[{}]", texts.replace("' ", "', ").replace("\" ", "\", "));
                // Spaces part the values, but for those in quotes.
                let parted = split(&list[1..list.len() - 1]);
                for text in parted {
                    let node = read_one(&Source::new("t", format!("{text}\n")), &Limits::default()).unwrap().unwrap();
                    assert_eq!(misfit(wanted, &node).is_none(), fits, "{wanted}: {text}");
                }
            }
        }
    }

    /// Words, of which one in quotes may hold spaces.
    fn split(text: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in text.chars() {
            match (quote, c) {
                (None, ' ' | ',') => words.push(String::new()),
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                _ => {}
            }
            if quote.is_some() || !matches!(c, ' ' | ',') {
                words.last_mut().unwrap().push(c);
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }
}
