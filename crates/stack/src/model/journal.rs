//! What collectors read beside the logs of pods: the journal of nodes.

use super::settings;
use crate::units::{Duration, Line, MetricLabel};
use std::collections::BTreeMap;

settings! {
    /// The journal of every node, in which systemd keeps what its services write: the kubelet, the container runtime, sshd, the
    /// kernel.
    pub struct Journal {
        /// Read it.
        pub enabled: bool,
        /// How far back it is read at first, and after a time in which nobody has read it.
        pub max_age: Duration,
        /// Labels for its lines, beside `job`, `unit`, `level` and `node`.
        pub labels: BTreeMap<MetricLabel, Line>,
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { enabled: false, max_age: Duration::known("7h"), labels: BTreeMap::new() }
    }
}

/// The labels that lines of the journal get from it.
pub const JOURNAL_LABELS: [&str; 3] = ["level", "node", "unit"];
