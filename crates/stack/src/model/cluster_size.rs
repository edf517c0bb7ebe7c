use super::settings;
use crate::units::Quantity;

settings! {
    /// How large the cluster is, for `vigil size`, and for warnings where the stack is too small for it. Nothing is rendered
    /// from it.
    #[derive(Default)]
    pub struct ClusterSize {
        /// Its nodes; with `pods`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nodes: Option<u32>,
        /// Its pods; with `nodes`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pods: Option<u32>,
        /// Series of the applications themselves, which nodes and pods do not tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub application_series: Option<u64>,
        /// All series, as `prometheus_tsdb_head_series` says, in place of the estimate from nodes and pods.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub active_series: Option<u64>,
        /// Log lines a day, in bytes, such as `20G`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub logs_per_day: Option<Quantity>,
    }
}

impl ClusterSize {
    /// Whether it says enough to estimate the series by.
    pub fn tells_series(&self) -> bool {
        self.active_series.is_some() || (self.nodes.is_some() && self.pods.is_some())
    }

    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}
