//! What metrics-server would refuse.

use crate::findings::Findings;
use crate::model::{MetricsServer, Stack};

pub(crate) fn check(settings: &MetricsServer, stack: &Stack, findings: &mut Findings) {
    let path = "metrics-server.addressTypes";
    if settings.address_types.is_empty() {
        findings.error(
            &[path],
            "metrics-server has no address to ask the kubelets at",
            "expected at least one of the types",
            "set `addressTypes: [InternalIP]`",
        );
    }
    for (at, kind) in settings.address_types.iter().enumerate() {
        if settings.address_types[..at].contains(kind) {
            findings.error(
                &[&format!("{path}.{at}")],
                format!("the address type `{kind:?}` stands twice"),
                "each counts once",
                "remove one of the two",
            );
        }
    }
    if let Some(needed) = settings.needs(&stack.kubernetes) {
        findings.warning(
            &["metrics-server.image", "kubernetes"],
            format!("this metrics-server is made for Kubernetes 1.{needed} and newer"),
            &format!("`kubernetes` is {}", stack.kubernetes),
            "leave `image` out: the one that is made for the cluster is taken",
        );
    }
    if settings.resolution.length().as_secs() < 10 {
        findings.error(
            &["metrics-server.resolution"],
            format!("the resolution `{}` is below 10s", settings.resolution),
            "metrics-server refuses to start",
            "set `resolution: 15s`",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{MetricsServer, Stack};
    use vigil_yaml::Source;

    /// What is warned of in a stack.
    fn warnings(text: &str) -> Vec<String> {
        let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
        parsed.warnings.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn the_metrics_server_is_one_that_is_made_for_the_cluster() {
        const IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server";
        let said = |kubernetes: &str, image: &str| {
            warnings(&format!(
                "promtail: {{enabled: false}}\nkubernetes: \"{kubernetes}\"\nmetrics-server: {{image: {image}}}"
            ))
        };
        let warning = ["this metrics-server is made for Kubernetes 1.31 and newer".to_owned()];
        for (kubernetes, tag, expected) in [
            ("1.30", "v0.8.0", &warning[..]),
            ("1.31", "v0.8.0", &[][..]),
            ("1.29", "v0.9.1", &warning),
            ("1.29", "v0.7.2", &[]),
            ("1.29", "custom", &[]),
        ] {
            assert_eq!(said(kubernetes, &format!("{IMAGE}:{tag}")), expected, "{kubernetes} {tag}");
        }
        for (kubernetes, tag) in [("1.29", "v0.7.2"), ("1.30", "v0.7.2"), ("1.31", "v0.8.0"), ("1.37", "v0.8.0")] {
            assert_eq!(said(kubernetes, ""), [""; 0], "{kubernetes}");
            let image = MetricsServer::default().effective_image(&kubernetes.parse().unwrap());
            assert_eq!(image.to_string(), format!("{IMAGE}:{tag}"), "{kubernetes}");
        }
    }
}
