//! Names, labels and annotations, by the rules of the API server's validation.

use super::text_unit;
use vigil_forms::name::{
    LONGEST_LABEL, LONGEST_SUBDOMAIN, is_dns1123_label, is_dns1123_subdomain, is_label_value, is_qualified_name,
};

text_unit! {
    /// A DNS-1123 label: the name of a namespace, of most objects here, of a container or a port.
    DnsLabel,
    expected: "a DNS-1123 label: up to 63 lower-case letters, digits and `-`, starting and ending with a letter or digit",
    pattern: r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    check: |text| named(text, is_dns1123_label, LONGEST_LABEL)
}

text_unit! {
    /// The name of a stack: a DNS-1123 label that leaves room behind it. The StatefulSet of a second shard of Prometheus,
    /// `prometheus-NAME-prometheus-shard-1`, may have 52 characters.
    StackName,
    expected: "a name of up to 20 lower-case letters, digits and `-`, starting with a letter and ending with a letter or digit",
    pattern: r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$",
    check: |text| {
        if text.len() > 20 {
            Err("too long")
        } else if is_dns1123_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()) {
            Ok(())
        } else {
            Err("")
        }
    }
}

text_unit! {
    /// A DNS-1123 subdomain: labels joined by dots, 253 characters at most. Host names, class names, object names.
    DnsSubdomain,
    expected: "a DNS-1123 name: lower-case letters, digits, `-` and `.`, up to 253 characters",
    pattern: r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    check: |text| named(text, is_dns1123_subdomain, LONGEST_SUBDOMAIN)
}

text_unit! {
    /// The key of a label: a name of up to 63 characters, perhaps behind a DNS prefix and a slash.
    LabelKey,
    expected: "a label key such as `team` or `example.com/team`",
    pattern: r"^([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    check: qualified
}

text_unit! {
    /// The key of a label that a stack may give to objects: none that something finds, joins or shows them by.
    FreeLabelKey,
    expected: "a label key such as `team` or `example.com/team`",
    pattern: r"^([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    check: |text| match qualified(text) {
        Ok(()) if reserved(text) => Err("set by this tool itself"),
        result => result,
    }
}

text_unit! {
    /// The name of a load balancer implementation: written as a label key is.
    LoadBalancerClass,
    expected: "a load balancer class such as `example.com/internal`",
    pattern: r"^([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    check: qualified
}

text_unit! {
    /// The value of a label: up to 63 characters, or empty.
    LabelValue,
    expected: "a label value: up to 63 letters, digits, `-`, `_` and `.`, starting and ending with a letter or digit",
    pattern: r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
    check: |text| named(text, is_label_value, LONGEST_LABEL)
}

text_unit! {
    /// The key of a label or an annotation, or all of them.
    AllowedLabel,
    expected: "a label key such as `team` or `example.com/team`, or `*` for all",
    pattern: r"^(\*|([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$",
    check: |text| if text == "*" { Ok(()) } else { qualified(text) }
}

text_unit! {
    /// The key of an annotation: as a label key.
    AnnotationKey,
    expected: "an annotation key such as `team` or `example.com/team`",
    pattern: r"^([a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    check: qualified
}

text_unit! {
    /// Free text for an annotation. Anything but what the API server refuses (characters that JSON cannot carry) or
    /// nobody could read (control characters other than line ends and tabs, and those that reorder a line, so that a
    /// reviewer sees another text than the cluster).
    AnnotationValue,
    expected: "a text without control characters, up to 4096 bytes",
    pattern: r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    check: |text| {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
        let reorders = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if text.len() > 4096 {
            Err("too long")
        } else if text.contains(reorders) {
            Err("a character that reorders the line")
        } else if text.contains(control) {
            Err("")
        } else {
            Ok(())
        }
    }
}

/// Labels that say what an object is or what is done with it: a user's value would break selectors, join rights to a
/// role, rename a job that alerts know, or show every ConfigMap as a dashboard.
fn reserved(key: &str) -> bool {
    const FAMILIES: [&str; 3] =
        ["app.kubernetes.io/", "pod-security.kubernetes.io/", "rbac.authorization.k8s.io/aggregate-to-"];
    const KEYS: [&str; 8] = [
        "component",
        "grafana_dashboard",
        "grafana_datasource",
        "jobLabel",
        "k8s-app",
        "kubernetes.io/metadata.name",
        "prometheus.io/service-monitor",
        "release",
    ];
    FAMILIES.iter().any(|family| key.starts_with(family)) || KEYS.contains(&key)
}

/// Whether a text is a name of a form; why it is not, as far as its length tells.
fn named(text: &str, is_name: fn(&str) -> bool, longest: usize) -> Result<(), &'static str> {
    match text.len() {
        _ if is_name(text) => Ok(()),
        0 => Err("empty"),
        length if length <= longest => Err(""),
        _ if longest == LONGEST_LABEL => Err("longer than 63 characters"),
        _ => Err("longer than 253 characters"),
    }
}

fn qualified(text: &str) -> Result<(), &'static str> {
    if is_qualified_name(text) {
        return Ok(());
    }
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    prefix.map_or(Ok(()), |prefix| named(prefix, is_dns1123_subdomain, LONGEST_SUBDOMAIN))?;
    named(name, |_| false, LONGEST_LABEL)
}
