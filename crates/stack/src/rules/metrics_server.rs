//! What metrics-server would refuse.

use crate::findings::Findings;
use crate::model::{MetricsServer, Stack};

pub(crate) fn check(settings: &MetricsServer, _stack: &Stack, findings: &mut Findings) {
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
    if settings.resolution.length().as_secs() < 10 {
        findings.error(
            &["metrics-server.resolution"],
            format!("the resolution `{}` is below 10s", settings.resolution),
            "metrics-server refuses to start",
            "set `resolution: 15s`",
        );
    }
}
