//! Images and quantities that are written differently and mean the same.

use vigil_forms::quantity;

/// An image with its registry and tag spelled out.
pub(crate) fn image(text: &str) -> String {
    let (first, rest) = text.split_once('/').unwrap_or(("", text));
    let mut whole = if first.is_empty() {
        format!("docker.io/library/{rest}")
    } else if first == "index.docker.io" {
        format!("docker.io/{rest}")
    } else if first.contains(['.', ':']) || first == "localhost" {
        text.to_owned()
    } else {
        format!("docker.io/{text}")
    };
    if !whole.contains('@') && !whole.rsplit('/').next().is_some_and(|last| last.contains(':')) {
        whole.push_str(":latest");
    }
    whole
}

/// When a server pulls this image unless it is told otherwise.
pub(crate) fn pull_policy(text: &str) -> &'static str {
    if image(text).ends_with(":latest") { "Always" } else { "IfNotPresent" }
}

/// A quantity in one spelling: `0.1` and `100m`, `1Gi` and `1024Mi`. What is none stays as it is.
pub(crate) fn quantity(text: &str) -> String {
    quantity::nanos(text).map_or_else(|| text.to_owned(), quantity::spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_one_spelling() {
        for (written, means) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("grafana/loki:3.0.0", "docker.io/grafana/loki:3.0.0"),
            ("docker.io/grafana/loki:3.0.0", "docker.io/grafana/loki:3.0.0"),
            ("index.docker.io/grafana/loki:3", "docker.io/grafana/loki:3"),
            ("quay.io/a/b", "quay.io/a/b:latest"),
            ("localhost:5000/a:1", "localhost:5000/a:1"),
            ("registry:5000/a", "registry:5000/a:latest"),
            ("a/b@sha256:00", "docker.io/a/b@sha256:00"),
        ] {
            assert_eq!(image(written), means);
        }
        assert_eq!(
            (pull_policy("a"), pull_policy("a:latest"), pull_policy("a:1")),
            ("Always", "Always", "IfNotPresent")
        );
    }

    #[test]
    fn quantities_have_one_spelling() {
        for (written, means) in [
            ("0.1", "100m"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1G", "1000000000"),
            ("0", "0"),
            ("0.0001", "100u"),
            ("1e3", "1000"),
            ("18446744073709551615Ei", "9223372036854775807"),
            ("much", "much"),
            ("", ""),
            ("-1", "-1"),
        ] {
            assert_eq!(quantity(written), means, "{written}");
        }
    }
}
