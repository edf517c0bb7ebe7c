//! What objects are known by, and what is said of them: kinds, names, fields, rules, reasons.

use super::text_unit;
use vigil_forms::name::{LONGEST_SUBDOMAIN, is_path_segment};

text_unit! {
    /// The name of a rule of `vigil check`.
    RuleName,
    expected: "the name of a rule, as findings show it, such as `schema-type`",
    pattern: r"^[a-z][a-z0-9-]*$",
    check: |text| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(fits) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// A kind of the Kubernetes API.
    KindName,
    expected: "a kind such as `Secret`",
    pattern: r"^[A-Z][A-Za-z0-9]*$",
    check: kind
}

text_unit! {
    /// The name of an object of any kind.
    ObjectName,
    expected: "the name of an object",
    pattern: r"^[^/%\s]+$",
    check: name
}

text_unit! {
    /// An object, as findings call it.
    ObjectTitle,
    expected: "an object as findings call it, `Kind namespace/name` or `Kind name`",
    pattern: r"^[A-Z][A-Za-z0-9]* ([^/%\s]+/)?[^/%\s]+$",
    check: |text| {
        let (kind, path) = text.split_once(' ').ok_or("no name")?;
        self::kind(kind)?;
        path.split_once('/').map_or_else(|| name(path), |(namespace, path)| name(namespace).and_then(|()| name(path)))
    }
}

text_unit! {
    /// The place of a field in an object (RFC 6901).
    Pointer,
    expected: "a path such as `/spec/replicas`",
    pattern: r"^(/([^/~]|~[01])*)+$",
    check: |text| match text {
        _ if !text.starts_with('/') => Err("does not begin with `/`"),
        _ if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) => {
            Err("a `~` in a key is written `~0`, and `~1` is a `/` in a key")
        }
        _ if text.contains(char::is_control) => Err(""),
        _ => Ok(()),
    }
}

text_unit! {
    /// Why a rule may be broken.
    Reason,
    expected: "a reason on one line",
    pattern: r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
    check: |text| match text.trim() {
        "" => Err("empty"),
        _ if text.len() > 1024 || text.contains(char::is_control) => Err(""),
        _ => Ok(()),
    }
}

fn kind(text: &str) -> Result<(), &'static str> {
    let starts = text.starts_with(|c: char| c.is_ascii_uppercase());
    if starts && text.bytes().all(|b| b.is_ascii_alphanumeric()) { Ok(()) } else { Err("") }
}

fn name(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("empty"),
        _ if text.len() > LONGEST_SUBDOMAIN => Err("longer than 253 characters"),
        _ if !is_path_segment(text) || text.contains(|c: char| c.is_whitespace() || c.is_control()) => Err(""),
        _ => Ok(()),
    }
}
