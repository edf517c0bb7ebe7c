//! What makes pods, how many, and how it replaces them.

use crate::change::Change;
use crate::object::{Identity, integer, items, text};
use serde_json::Value;
use vigil_forms::quantity;
use vigil_yaml::words::counted;

/// The API group of the Prometheus operator's kinds.
pub(crate) const MONITORING: &str = "monitoring.coreos.com";

/// An object that makes pods.
pub(crate) struct Workload<'a> {
    pub(crate) identity: &'a Identity,
    object: &'a Value,
    /// The keys that lead to the template of its pods.
    template: &'static [&'static str],
    /// What a pod of it is; of the operator's kinds, the part of it that the object says.
    pub(crate) pod: &'a Value,
    /// How many pods there are.
    pub(crate) count: Count,
}

/// How many pods a workload has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// As many.
    Pods(i64),
    /// One on each node that takes it.
    EachNode,
    /// As many as somebody else says: an autoscaler, a schedule.
    Unknown,
}

/// Kinds whose pods the operator makes, by a StatefulSet.
pub(crate) const OPERATED: [&str; 4] = ["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"];

impl<'a> Workload<'a> {
    pub(crate) fn of(identity: &'a Identity, object: &'a Value) -> Option<Self> {
        const TEMPLATE: &[&str] = &["spec", "template"];
        let replicas = Count::Pods(integer(object, "/spec/replicas").unwrap_or(1));
        let (template, pod, count): (&'static [&'static str], _, _) = match (&*identity.group, &*identity.kind) {
            ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") => (TEMPLATE, "/spec/template/spec", replicas),
            ("apps", "DaemonSet") => (TEMPLATE, "/spec/template/spec", Count::EachNode),
            ("batch", "Job") => (TEMPLATE, "/spec/template/spec", Count::Unknown),
            ("batch", "CronJob") => (&["spec", "jobTemplate"], "/spec/jobTemplate/spec/template/spec", Count::Unknown),
            ("", "Pod") => (&["spec"], "/spec", Count::Pods(1)),
            (MONITORING, kind) if OPERATED.contains(&kind) => {
                let shards = integer(object, "/spec/shards").unwrap_or(1);
                let count = integer(object, "/spec/replicas").unwrap_or(1).saturating_mul(shards);
                (&["spec"], "/spec", Count::Pods(count))
            }
            _ => return None,
        };
        Some(Self { identity, object, template, pod: object.pointer(pod)?, count })
    }

    /// Whether the operator makes its pods.
    pub(crate) fn is_operated(&self) -> bool {
        self.identity.group == MONITORING
    }

    /// Whether a change is one of its pods.
    pub(crate) fn is_of_pods(&self, change: &Change) -> bool {
        change.path.begins(self.template) && !change.is_equivalent
    }

    /// Its pods, as the subject of a sentence, and what becomes of them when the template changes; `None` when nothing does.
    pub(crate) fn replaced(&self) -> Option<String> {
        let kind = self.identity.kind.as_str();
        let strategy = |key: &str| text(self.object, &format!("/spec/{key}/type"));
        if self.count == Count::Pods(0) {
            return None;
        }
        let one_by_one = |pods: i64, order: &str| match pods {
            1 => "its pod is stopped, then a new one starts: it does not answer meanwhile".to_owned(),
            pods => format!("its {pods} pods are replaced one by one{order}"),
        };
        Some(match (kind, self.count) {
            ("Deployment", Count::Pods(pods)) if strategy("strategy") == "Recreate" => {
                let (its, starts) =
                    if pods == 1 { ("its pod is", "a new one starts") } else { ("all its pods are", "new ones start") };
                format!("{its} stopped, then {starts}: it does not answer meanwhile")
            }
            ("Deployment", Count::Pods(pods)) => self.rolled(pods),
            ("StatefulSet" | "DaemonSet", _) if strategy("updateStrategy") == "OnDelete" => {
                "its pods stay as they are until somebody deletes them (`updateStrategy: OnDelete`)".to_owned()
            }
            ("StatefulSet", Count::Pods(pods)) => {
                let partition = integer(self.object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
                match partition {
                    0 => one_by_one(pods, ", from the last"),
                    _ => format!("its pods from number {partition} on are replaced, the others stay (`partition`)"),
                }
            }
            ("DaemonSet", _) => {
                let at_once = self.object.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
                let nodes = match at_once {
                    Some(Value::Number(nodes)) if nodes.as_i64() != Some(1) => format!("{nodes} nodes at a time"),
                    Some(Value::String(part)) => format!("{part} of the nodes at a time"),
                    _ => "one node after the other".to_owned(),
                };
                format!("its pod is replaced on every node, {nodes}")
            }
            ("CronJob", _) => "its next run is the first with it".to_owned(),
            ("ReplicaSet", _) => "only pods that are made from now on have it".to_owned(),
            (_, Count::Pods(pods)) if self.is_operated() => {
                format!("the operator updates its StatefulSet: {}", one_by_one(pods, ", from the last"))
            }
            _ => return None,
        })
    }

    /// Whether its pods are replaced by themselves when their template changes.
    pub(crate) fn is_rolled(&self) -> bool {
        self.is_operated()
            || ["Deployment", "StatefulSet", "DaemonSet"].contains(&self.identity.kind.as_str())
                && text(self.object, "/spec/updateStrategy/type") != "OnDelete"
    }

    /// How a Deployment replaces its pods.
    fn rolled(&self, pods: i64) -> String {
        let share = |key: &str, up: bool| {
            let value = self.object.pointer(&format!("/spec/strategy/rollingUpdate/{key}"));
            let percent = match value {
                Some(Value::Number(number)) => return number.as_i64().unwrap_or(1),
                Some(Value::String(text)) => {
                    quantity::percent(text).and_then(|it| i64::try_from(it).ok()).unwrap_or(25)
                }
                _ => 25,
            };
            let whole = pods.saturating_mul(percent);
            if up { whole.saturating_add(99) / 100 } else { whole / 100 }
        };
        let (more, less) = (share("maxSurge", true), share("maxUnavailable", false));
        match (pods, more, less) {
            (1, 1.., 0) => "its pod is replaced: the new one is ready before the old one stops".to_owned(),
            (1, ..) => "its pod is stopped, then a new one starts: it does not answer meanwhile".to_owned(),
            (_, _, 0) => format!("its {pods} pods are replaced, {} at a time; none is missing meanwhile", more.max(1)),
            (_, _, less) if less >= pods => format!("its {pods} pods are replaced, all at once"),
            _ => format!(
                "its {pods} pods are replaced; at most {} missing meanwhile",
                if less == 1 { "1 is".to_owned() } else { format!("{less} are") }
            ),
        }
    }

    /// Its pods, counted: `2 pods`, `a pod on each node`.
    pub(crate) fn pods(&self) -> String {
        match self.count {
            Count::Pods(count) => counted(usize::try_from(count).unwrap_or_default(), "pod"),
            Count::EachNode => "a pod on each node".to_owned(),
            Count::Unknown => "pods when it runs".to_owned(),
        }
    }

    /// All its containers.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        ["/initContainers", "/containers"].into_iter().flat_map(|list| items(self.pod, list))
    }

    /// Its volumes that are gone with the pod and hold more than a program's scraps, as (name, where it is mounted).
    pub(crate) fn scratch(&self) -> Vec<(&'a str, &'a str)> {
        let is_scratch = |volume: &&Value| {
            volume.get("emptyDir").is_some_and(|it| text(it, "/medium") != "Memory")
                || volume.get("ephemeral").is_some()
        };
        let mount = |name: &str| {
            let mounts = self.containers().flat_map(|container| items(container, "/volumeMounts"));
            let at = mounts.into_iter().find(|mount| text(mount, "/name") == name);
            at.map(|mount| text(mount, "/mountPath"))
        };
        let volumes = items(self.pod, "/volumes").iter().filter(is_scratch);
        let mounted = volumes.filter_map(|volume| Some((text(volume, "/name"), mount(text(volume, "/name"))?)));
        mounted.filter(|(_, path)| !is_for_scraps(path)).collect()
    }

    /// The names of ConfigMaps and Secrets that its pods read, as (kind, name, only when a container starts).
    pub(crate) fn reads(&self) -> Vec<(&'static str, &'a str, bool)> {
        let mut found = Vec::new();
        let of = |value: &'a Value, at: &str| text(value, at);
        for volume in items(self.pod, "/volumes") {
            found.push(("ConfigMap", of(volume, "/configMap/name"), false));
            found.push(("Secret", of(volume, "/secret/secretName"), false));
            for source in items(volume, "/projected/sources") {
                found.push(("ConfigMap", of(source, "/configMap/name"), false));
                found.push(("Secret", of(source, "/secret/name"), false));
            }
        }
        for container in self.containers() {
            for source in items(container, "/envFrom") {
                found.push(("ConfigMap", of(source, "/configMapRef/name"), true));
                found.push(("Secret", of(source, "/secretRef/name"), true));
            }
            for variable in items(container, "/env") {
                found.push(("ConfigMap", of(variable, "/valueFrom/configMapKeyRef/name"), true));
                found.push(("Secret", of(variable, "/valueFrom/secretKeyRef/name"), true));
            }
        }
        found.retain(|(_, name, _)| !name.is_empty());
        found
    }
}

/// Where programs put what they need only while they run.
fn is_for_scraps(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm", "/var/cache", "/etc"]
        .iter()
        .any(|top| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
