//! All objects of a cluster, by name.

use crate::failure::Result;
use crate::http::Http;
use serde_json::Value;
use std::collections::BTreeSet;

/// What comes and goes by itself.
const FLEETING: [&str; 3] = ["events", "leases.coordination.k8s.io", "ipaddresses.networking.k8s.io"];

/// `resource.group namespace/name` of every object that can be listed.
pub(crate) fn inventory(api: &Http) -> Result<BTreeSet<String>> {
    let mut groups = vec![(String::new(), "/api/v1".to_owned())];
    let known = api.get("/apis")?.ok("the API's groups")?;
    for group in items(&known, "groups") {
        let version = text(&group["preferredVersion"]["groupVersion"]);
        groups.push((format!(".{}", text(&group["name"])), format!("/apis/{version}")));
    }
    let mut found = BTreeSet::new();
    for (group, path) in groups {
        let resources = api.get(&path)?.ok(&path)?;
        for resource in items(&resources, "resources") {
            let name = format!("{}{group}", text(&resource["name"]));
            let listed = items(resource, "verbs").iter().any(|verb| verb == "list");
            if !listed || name.starts_with("events.") || FLEETING.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{path}/{}", text(&resource["name"]));
            let list = api.get(&path)?.ok(&path)?;
            for object in items(&list, "items") {
                let metadata = &object["metadata"];
                found.insert(format!("{name} {}/{}", text(&metadata["namespace"]), text(&metadata["name"])));
            }
        }
    }
    Ok(found)
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
