//! Names of the Kubernetes API, of hosts and of Prometheus; keys and paths.
//!
//! Those of Kubernetes are read as k8s.io/apimachinery does in `pkg/util/validation`, and in `pkg/api/validation/path`.

/// The longest DNS label, and the longest part of a label's key or value.
pub const LONGEST_LABEL: usize = 63;
/// The longest DNS subdomain.
pub const LONGEST_SUBDOMAIN: usize = 253;

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether only `inner` bytes stand in it, at least one, and `outer` ones at both ends.
fn is_framed(text: &str, outer: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [only] => outer(*only),
        [first, middle @ .., last] => outer(*first) && outer(*last) && middle.iter().all(|byte| inner(*byte)),
        [] => false,
    }
}

fn is_label_shaped(text: &str) -> bool {
    is_framed(text, is_lower_or_digit, |byte| is_lower_or_digit(byte) || byte == b'-')
}

/// A label of DNS as RFC 1123 has it: `a-1`, `1-a`. `IsDNS1123Label`.
pub fn is_dns1123_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_label_shaped(text)
}

/// Labels of RFC 1123 with dots between them; only the whole has a longest length. `IsDNS1123Subdomain`.
pub fn is_dns1123_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_label_shaped)
}

/// A label of DNS as RFC 1035 has it: one that begins with a letter. `IsDNS1035Label`.
pub fn is_dns1035_label(text: &str) -> bool {
    is_dns1123_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The name of a host that a request can be sent to, in any case: a subdomain whose every label DNS can hold.
pub fn is_host(text: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_alphanumeric();
    let is_label = |label: &str| {
        label.len() <= LONGEST_LABEL && is_framed(label, is_edge, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_label)
}

fn is_name_part(text: &str) -> bool {
    text.len() <= LONGEST_LABEL
        && is_framed(
            text,
            |byte| byte.is_ascii_alphanumeric(),
            |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        )
}

/// A key of labels: a name, and before it a subdomain and `/` if need be. Those of annotations may have capitals in
/// the subdomain: lower them first. `IsQualifiedName`.
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns1123_subdomain(prefix) && is_name_part(name),
        None => is_name_part(text),
    }
}

/// The value of a label. `IsValidLabelValue`.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// The name of a port, an IANA service name: at most 15 of `a-z0-9-`, a letter among them, hyphens one at a time and
/// inside. `IsValidPortName`.
pub fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_label_shaped(text)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
}

/// The name of an environment variable, as every Kubernetes reads it. `IsEnvVarName`.
pub fn is_strict_env_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().all(allowed)
        && text.starts_with(|c: char| !c.is_ascii_digit())
        && text != "."
        && !text.starts_with("..")
}

/// The name of an environment variable, as Kubernetes 1.32 and later read it: printable ASCII without `=`. `IsRelaxedEnvVarName`.
pub fn is_env_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// A key of a ConfigMap or Secret, which is the name of a file where it is mounted. `IsConfigMapKey`.
pub fn is_config_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= LONGEST_SUBDOMAIN
        && text.bytes().all(allowed)
        && text != "."
        && !text.starts_with("..")
}

/// A name that can be a part of a URL's path: what RBAC asks of the names of roles. `IsValidPathSegmentName`.
pub fn is_path_segment(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '%'])
}

/// The name of a metric of Prometheus, in the form that all its versions know. `LegacyValidation` of
/// github.com/prometheus/common.
pub fn is_metric(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':');
    text.bytes().next().is_some_and(is_letter) && text.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// The name of a label of a metric or an alert: as that of a metric, without `:`.
pub fn is_metric_label(text: &str) -> bool {
    is_metric(text) && !text.contains(':')
}

/// Whether a path goes up with one of its parts.
pub fn goes_up(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// Ends of names, without `_` and `-` and in lower case, whose values are credentials.
const CREDENTIALS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "authorization",
    "routingkey",
    "servicekey",
];

/// Whether the value under a name is a credential.
pub fn is_credential(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect();
    let name = name.trim_matches(['"', '\'']);
    // `secrets` are names of Secrets, not what is in them.
    let name = name.strip_suffix('s').filter(|one| !one.ends_with("secret")).unwrap_or(name);
    CREDENTIALS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(is: impl Fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(is(text), "{text:?}");
        }
        for text in wrong {
            assert!(!is(text), "{text:?}");
        }
    }

    #[test]
    fn names() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        let domain = format!("{}a", "a.".repeat(126));
        table(
            is_dns1123_label,
            &["a", "1", "a-1", "1--a", &longest],
            &["", "-a", "a-", "A", "a.b", "a_b", "ä", &longer],
        );
        table(is_dns1035_label, &["a", "a-1", &longest], &["1", "1a", "", "-a", &longer]);
        table(
            is_dns1123_subdomain,
            &["a", "a.b", "1.a-1", &longer, &domain],
            &["", ".", "a.", ".a", "a..b", "A.b", "a.-b", &format!("{domain}.a")],
        );
        table(
            is_host,
            &["a", "A.b", "10.0.0.1", &longest],
            &["", "a..b", ".a", "a.", "a_b", "ä", &longer, &format!("{domain}.a")],
        );
        table(is_path_segment, &["system:node", "a b", "..."], &["", ".", "..", "a/b", "50%"]);
        table(is_strict_env_name, &["A", "a-b.c", "_1", ".a"], &["", "1a", "a b", "..a", ".", "~"]);
        table(is_env_name, &["A", "1a", "a b", "a-b.c", "~"], &["", "a=b", "ä", "a\n", "\u{7f}"]);
    }

    #[test]
    fn keys_and_values() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        table(
            is_qualified_name,
            &["a", "A_b.C-d", "example.com/a", "a/A", &longest, &format!("{longer}/a")],
            &["", "/a", "a/", "a/b/c", "Example.com/a", "-a", "a_", &longer, "a b"],
        );
        table(is_label_value, &["", "a", "1.30", "A_b", &longest], &["-a", "a ", "a/b", "a:b", &longer]);
        let longest = "k".repeat(253);
        table(
            is_config_key,
            &["A_b-c.d", ".a", "-", "_", &longest],
            &["", ".", "..", "..a", "a/b", "a b", &format!("{longest}k")],
        );
    }

    #[test]
    fn names_of_prometheus() {
        table(is_metric, &["a", "_a", ":a", "job:up:sum5m", "a1"], &["", "1a", "a-b", "a.b", "ä", "a b"]);
        table(is_metric_label, &["a", "_a", "__a", "a1"], &["", "1a", "a:b", "a-b", "a.b"]);
    }

    #[test]
    fn ports_and_paths() {
        table(
            is_port_name,
            &["a", "1a", "http-metrics", "a23456789012345"],
            &["", "1", "a--b", "-a", "a-", "A", "a_b", "a234567890123456"],
        );
        table(goes_up, &["..", "a/..", "../a", "a/../b"], &["", "a", "..a", "a..", "a/..b"]);
    }
}
