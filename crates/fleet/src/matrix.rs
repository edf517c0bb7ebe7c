//! Which cluster runs what.

use crate::layout::owners;
use crate::{Cluster, HEAD};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The matrix as Markdown: versions by ring, clusters by what they are made of, and what only one has.
pub fn matrix(rings: &[&str], clusters: &[Cluster]) -> String {
    let mut text = format!("<!-- {HEAD} -->\n\n# Fleet\n");
    versions(rings, clusters, &mut text);
    makes(rings, clusters, &mut text);
    own(clusters, &mut text);
    text
}

/// One row for each part, one column for each ring.
fn versions(rings: &[&str], clusters: &[Cluster], text: &mut String) {
    let parts: BTreeSet<&String> = clusters.iter().flat_map(|cluster| cluster.facts.versions.keys()).collect();
    let sizes = (0..rings.len()).map(|ring| clusters.iter().filter(|cluster| cluster.ring == ring).count());
    let heads: Vec<_> = rings.iter().zip(sizes).map(|(ring, size)| format!("{ring} ({size})")).collect();
    // Writing to a String cannot fail.
    let _ = write!(text, "\n## Versions\n\nThe number of clusters in brackets.\n\n| | {} |\n|---", heads.join(" | "));
    let _ = writeln!(text, "{}|", "|---".repeat(rings.len()));
    for part in parts {
        let cells = (0..rings.len()).map(|ring| {
            let members: Vec<_> = clusters.iter().filter(|cluster| cluster.ring == ring).collect();
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for cluster in &members {
                *counts.entry(cluster.facts.versions.get(part).map_or("none", String::as_str)).or_default() += 1;
            }
            let cell = counts.iter().map(|(version, count)| {
                let all = *count == members.len();
                if all { (*version).to_owned() } else { format!("{version} ({count})") }
            });
            cell.collect::<Vec<_>>().join(", ")
        });
        let _ = writeln!(text, "| {part} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// One row for clusters that the same files make.
fn makes(rings: &[&str], clusters: &[Cluster], text: &mut String) {
    let mut rows: BTreeMap<(usize, &str, &[String]), Vec<&str>> = BTreeMap::new();
    for cluster in clusters {
        rows.entry((cluster.ring, &cluster.facts.region, &cluster.facts.layers)).or_default().push(&cluster.name);
    }
    let _ = write!(text, "\n## Clusters\n\n| Ring | Region | Stack files | Clusters |\n|---|---|---|---|\n");
    for ((ring, region, layers), names) in rows {
        let layers: Vec<_> = layers.iter().map(|layer| format!("`{layer}`")).collect();
        let _ = writeln!(text, "| {} | {region} | {} | {} |", rings[ring], layers.join(", "), names.join(", "));
    }
}

/// The files that one cluster alone has: where it differs from its ring.
fn own(clusters: &[Cluster], text: &mut String) {
    let owners = owners(clusters);
    let mut rows: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for cluster in clusters {
        let own = cluster.files().filter(|file| owners[file].count == 1);
        rows.entry(own.map(|(path, _)| path).collect()).or_default().push(&cluster.name);
    }
    let _ = write!(text, "\n## Files of one cluster alone\n\n| Clusters | Files |\n|---|---|\n");
    for (files, names) in rows {
        let files: Vec<_> = files.iter().map(|file| format!("`{file}`")).collect();
        let files = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
        let _ = writeln!(text, "| {} | {files} |", names.join(", "));
    }
}
