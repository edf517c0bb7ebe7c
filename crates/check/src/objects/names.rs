//! The forms of names that an API server knows.

/// Letters in lower case, digits and `-`, at most 63, not beginning or ending with `-`.
pub(crate) fn is_dns1123_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| inner(b) || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Labels joined by dots, at most 253 characters; a label may be as long as the whole.
pub(crate) fn is_dns1123_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// A label that begins with a letter.
pub(crate) fn is_dns1035_label(text: &str) -> bool {
    is_dns1123_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// A name of at most 63 characters, perhaps after a subdomain and `/`.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    prefix.is_none_or(is_dns1123_subdomain)
        && name.len() <= 63
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && edge(name.bytes().next())
        && edge(name.bytes().last())
}

/// The name of a port: at most 15 of letters in lower case, digits and single `-`, at least one of them a letter.
pub(crate) fn is_port_name(text: &str) -> bool {
    is_dns1123_label(text) && text.len() <= 15 && !text.contains("--") && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// The key of a ConfigMap or a Secret, which is a file's name once it is mounted.
pub(crate) fn is_config_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && text != "."
        && !text.starts_with("..")
}

/// What can stand between two slashes of an address of the API.
pub(crate) fn is_path_segment(text: &str) -> bool {
    !matches!(text, "." | "..") && !text.contains(['/', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(holds: fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(holds(text), "{text}");
        }
        for text in wrong {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn forms_of_names() {
        let long = "a".repeat(64);
        table(is_dns1123_label, &["a", "1", "a-b", &long[1..]], &["", "A", "-a", "a-", "a.b", "a_b", &long]);
        table(is_dns1123_subdomain, &["a", "a.b", "1.2", &long], &["", "a..b", ".a", "a.", "a.-b", "*.a"]);
        table(is_dns1035_label, &["a1"], &["1a"]);
        table(is_qualified_name, &["a", "A_b.c", "a.b/C"], &["", "/a", "a/", "a/b/c", "_a", "A/b", &long]);
        table(
            is_port_name,
            &["http", "a-1", "1a", "abcdefghijklmno"],
            &["1", "a--b", "HTTP", "abcdefghijklmnop", "-a"],
        );
        table(is_config_key, &["a.b", ".a", "_", "A-1", "a..b"], &["", ".", "..", "..a", "a/b", "a b"]);
        table(is_path_segment, &["a:b", "system:x"], &[".", "..", "a/b", "a%b"]);
    }
}
