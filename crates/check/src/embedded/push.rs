//! Where collectors send logs to.

use super::readers::Readers;
use super::syntax::Read;
use crate::cluster::Cluster;
use crate::finding::Findings;
use crate::rule::rules;
use vigil_yaml::Node;

rules! {
    PUSH "collector-url" Error "collectors of logs send to a Service and a port that are there"
}

pub(super) fn check(read: &[Read<'_, '_>], readers: &Readers<'_>, cluster: &Cluster<'_>, findings: &mut Findings) {
    for Read { file, documents } in read {
        for root in documents {
            let client = root.get("client").into_iter();
            for client in root.get("clients").map(Node::items).unwrap_or_default().iter().chain(client) {
                // Clients of something else have addresses, too.
                let is_loki = |url: &str| url.contains("/loki/api/");
                let is_read = || readers.is_read_by(&file.object, |program| program == "promtail");
                let Some(url) = client.get("url") else { continue };
                let Some(text) = url.text().filter(|url| is_loki(url) || is_read()) else { continue };
                if let Some(wrong) = cluster.address(text, Some(file.object.namespace)) {
                    file.add(&PUSH, root, url, wrong.message, findings).append(wrong.label, wrong.help);
                }
            }
        }
    }
}
