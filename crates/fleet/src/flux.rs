//! What Flux is told of a fleet: for each cluster a folder, which that cluster's own Flux reads.

use crate::Delivered;
use std::collections::BTreeMap;
use vigil_yaml::write;

/// The files for the Flux of each cluster, by their paths: what its stack makes for Flux, with the cluster's folder as the path.
pub fn flux(clusters: &[Delivered]) -> BTreeMap<String, String> {
    let of = |cluster: &Delivered| {
        let objects = cluster.objects.iter().filter(|object| {
            object["apiVersion"].as_str().is_some_and(|version| version.contains(".toolkit.fluxcd.io/"))
        });
        let texts: Vec<String> = objects
            .map(|object| {
                let mut object = object.clone();
                if let Some(path) = object["spec"]["path"].as_str() {
                    object["spec"]["path"] = format!("{path}/clusters/{}", cluster.cluster).into();
                }
                write(&object)
            })
            .collect();
        let text = format!("# {}\n{}", crate::HEAD, texts.join("---\n"));
        (!texts.is_empty()).then(|| (format!("flux/{}/sync.yaml", cluster.cluster), text))
    };
    clusters.iter().filter_map(of).collect()
}
