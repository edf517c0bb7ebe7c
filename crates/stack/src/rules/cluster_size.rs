//! What is no size of a cluster.

use crate::findings::Findings;
use crate::model::ClusterSize;

pub(super) fn check(size: &ClusterSize, findings: &mut Findings) {
    let estimated = [
        ("clusterSize.nodes", size.nodes.is_some()),
        ("clusterSize.pods", size.pods.is_some()),
        ("clusterSize.applicationSeries", size.application_series.is_some()),
    ];
    let said = estimated.iter().find(|(_, is_said)| *is_said);
    match (said, size.active_series.is_some()) {
        (Some((path, _)), true) => findings.error(
            &[path, "clusterSize.activeSeries"],
            format!("`{path}` has no effect: the series are measured"),
            "`clusterSize.activeSeries` takes the place of the estimate",
            "remove one of the two",
        ),
        (Some((path, _)), false) if !size.tells_series() => findings.error(
            &[path],
            "the series of a cluster are estimated from its nodes and its pods",
            "the other one is missing",
            "say both `nodes` and `pods`, or `activeSeries`",
        ),
        _ => {}
    }
}
