//! What an API server refuses to change: the fields that are immutable, and the way around.
//!
//! From the functions that validate updates in k8s.io/kubernetes 1.29 to 1.37, `Validate…Update` in
//! `pkg/apis/*/validation/validation.go`, and of definitions in k8s.io/apiextensions-apiserver. A field that a manifest leaves out is
//! what the API server fills in, which [`Change::is_equivalent`] knows.

use crate::change::{Change, Path};
use crate::object::{Identity, integer, is_set, items, text};
use serde_json::Value;
use vigil_forms::quantity;
use vigil_forms::selector::{Label, Operator};

/// How to make way for an object that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// Delete the object and leave its pods and claims; the new one adopts them, where its selector finds them.
    Orphan,
    /// Delete the object with its pods, which the selector of the new one does not find. Claims stay.
    WithPods,
    /// Delete the object; the next apply makes it again, and nothing else is lost.
    Delete,
    /// Deleting it deletes what it holds.
    Destroys(&'static str),
}

/// Fields of a kind that are immutable.
struct Immutable {
    group: &'static str,
    kind: &'static str,
    /// The mapping that they stand in.
    within: &'static [&'static str],
    keys: Keys,
    remedy: Remedy,
}

/// Some of the keys of a mapping.
enum Keys {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}
use Keys::{AllBut, Only};

const fn fields(
    group: &'static str,
    kind: &'static str,
    within: &'static [&'static str],
    keys: Keys,
    remedy: Remedy,
) -> Immutable {
    Immutable { group, kind, within, keys, remedy }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";
const DEFINITIONS: &str = "apiextensions.k8s.io";

#[rustfmt::skip]
const IMMUTABLE: &[Immutable] = &[
    fields("apps", "Deployment", &["spec"], Only(&["selector"]), Remedy::Orphan),
    fields("apps", "DaemonSet", &["spec"], Only(&["selector"]), Remedy::Orphan),
    fields("apps", "ReplicaSet", &["spec"], Only(&["selector"]), Remedy::Orphan),
    fields("apps", "StatefulSet", &["spec"], AllBut(&[
        "replicas", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy", "minReadySeconds", "ordinals",
        "revisionHistoryLimit",
    ]), Remedy::Orphan),
    fields("apps", "ControllerRevision", &[], Only(&["data"]), Remedy::Delete),
    fields("batch", "Job", &["spec"], Only(&[
        "selector", "completions", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy",
        "successPolicy",
    ]), Remedy::Delete),
    fields("", "PersistentVolumeClaim", &["spec"], AllBut(&["resources", "volumeAttributesClassName", "volumeName"]),
        Remedy::Destroys("the volume goes with its claim where the reclaim policy is Delete, so copy the data first")),
    fields("", "PersistentVolume", &["spec"], AllBut(&[
        "accessModes", "capacity", "claimRef", "mountOptions", "persistentVolumeReclaimPolicy", "storageClassName",
        "volumeAttributesClassName",
    ]), Remedy::Destroys("the claim that is bound to it loses its volume")),
    fields("", "Pod", &["spec"], AllBut(&["activeDeadlineSeconds", "containers", "initContainers", "tolerations"]), Remedy::Delete),
    fields("", "Secret", &[], Only(&["type"]), Remedy::Delete),
    fields("", "ResourceQuota", &["spec"], Only(&["scopes"]), Remedy::Delete),
    fields(RBAC, "RoleBinding", &[], Only(&["roleRef"]), Remedy::Delete),
    fields(RBAC, "ClusterRoleBinding", &[], Only(&["roleRef"]), Remedy::Delete),
    fields(STORAGE, "StorageClass", &[], Only(&["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]), Remedy::Delete),
    fields(STORAGE, "CSIDriver", &["spec"], Only(&["attachRequired", "volumeLifecycleModes"]), Remedy::Delete),
    fields(STORAGE, "VolumeAttachment", &[], Only(&["spec"]), Remedy::Delete),
    fields("scheduling.k8s.io", "PriorityClass", &[], Only(&["value", "preemptionPolicy"]), Remedy::Delete),
    fields("networking.k8s.io", "IngressClass", &["spec"], Only(&["controller"]), Remedy::Delete),
    fields("node.k8s.io", "RuntimeClass", &[], Only(&["handler"]), Remedy::Delete),
    fields("discovery.k8s.io", "EndpointSlice", &[], Only(&["addressType"]), Remedy::Delete),
    fields(DEFINITIONS, "CustomResourceDefinition", &["spec"], Only(&["group", "scope"]), OBJECTS_GO),
    fields(DEFINITIONS, "CustomResourceDefinition", &["spec", "names"], Only(&["kind", "plural"]), OBJECTS_GO),
];

const OBJECTS_GO: Remedy = Remedy::Destroys("every object of this kind is deleted with its definition");

/// Since which minor of Kubernetes 1 a StatefulSet's `revisionHistoryLimit` may change.
const REVISIONS_SINCE: u32 = 33;

/// Changes of one object that are refused, why, and the commands that make way.
pub(crate) struct Refusal<'c> {
    pub(crate) changes: Vec<&'c Change>,
    pub(crate) why: String,
    pub(crate) commands: Vec<String>,
}

/// What an API server of Kubernetes 1.`minor` refuses of an object's changes.
pub(crate) fn refusals<'c>(
    identity: &Identity,
    before: &Value,
    after: &Value,
    changes: &'c [Change],
    minor: u32,
) -> Vec<Refusal<'c>> {
    let mut found = Vec::new();
    let mut add = |within: &[&str], remedy, is_it: &dyn Fn(&Change) -> bool| {
        let refused = changes.iter().filter(|change| !change.is_equivalent && is_it(change));
        found.extend(refusal(identity, within, refused.collect(), remedy));
    };
    for immutable in IMMUTABLE.iter().filter(|it| identity.is(it.group, it.kind)) {
        let is_it = |change: &Change| immutable.covers(&change.path) && !is_allowed(identity, before, after, change);
        let remedy = match immutable.remedy {
            Remedy::Orphan if !finds_pods(before, after) => Remedy::WithPods,
            remedy => remedy,
        };
        add(immutable.within, remedy, &is_it);
    }
    let spec = &["spec"];
    match (identity.group.as_str(), identity.kind.as_str()) {
        ("apps", "StatefulSet") if minor < REVISIONS_SINCE => {
            add(spec, Remedy::Orphan, &|change| change.path.begins(&["spec", "revisionHistoryLimit"]));
        }
        ("", "Service") => add(spec, Remedy::Delete, &|change| is_fixed_in_service(before, after, change)),
        ("", "PersistentVolumeClaim") => {
            let why = Remedy::Destroys("a claim can grow and never shrink, so copy the data to a new one first");
            add(spec, why, &is_shrunk);
        }
        ("", "Pod") => add(spec, Remedy::Delete, &|change| {
            let names: Vec<&str> = change.path.names().collect();
            names.len() > 1 && ["containers", "initContainers"].contains(&names[1]) && names.last() != Some(&"image")
        }),
        (DEFINITIONS, "CustomResourceDefinition") => found.extend(stored(identity, before, after, changes)),
        ("", "ConfigMap" | "Secret") if is_set(before, "/immutable") => {
            // The API server compares bytes, so that a comment counts.
            let is_content = |change: &&Change| {
                let is_it = |key: &&str| change.path.begins(&[key]);
                ["data", "stringData", "binaryData", "immutable"].iter().any(is_it)
            };
            found.extend(refusal(identity, &[], changes.iter().filter(is_content).collect(), Remedy::Delete));
        }
        _ => {}
    }
    found
}

impl Immutable {
    fn covers(&self, path: &Path) -> bool {
        if !path.touches(self.within) {
            return false;
        }
        let key = path.names().nth(self.within.len());
        key.is_none_or(|key| match self.keys {
            Only(keys) => keys.contains(&key),
            AllBut(keys) => !keys.contains(&key),
        })
    }
}

/// What may change in a field that is otherwise immutable.
fn is_allowed(identity: &Identity, before: &Value, after: &Value, change: &Change) -> bool {
    match identity.kind.as_str() {
        // An Indexed Job may grow with its parallelism; one that is suspended may be scheduled elsewhere.
        "Job" if change.path.begins(&["spec", "completions"]) => {
            text(after, "/spec/completionMode") == "Indexed"
                && integer(after, "/spec/completions") == Some(integer(after, "/spec/parallelism").unwrap_or(1))
        }
        "Job" if change.path.begins(&["spec", "template"]) && is_set(before, "/spec/suspend") => {
            let scheduling = ["nodeSelector", "tolerations", "affinity", "schedulingGates"];
            change.path.begins(&["spec", "template", "metadata"])
                || scheduling.iter().any(|key| change.path.begins(&["spec", "template", "spec", key]))
        }
        // Set once, by whoever binds it, or by hand.
        "PersistentVolume" => change.path.begins(&["spec", "nodeAffinity"]) && change.before.is_none(),
        // A token may be added to those that a pod has.
        "Pod" => change.path.begins(&["spec", "tolerations"]) && change.before.is_none(),
        _ => false,
    }
}

/// Whether a field of a Service changes that stays as it is once it is set.
fn is_fixed_in_service(before: &Value, after: &Value, change: &Change) -> bool {
    let kinds = [before, after].map(|it| text(it, "/spec/type"));
    if kinds.contains(&"ExternalName") {
        return false;
    }
    let names: Vec<&str> = change.path.names().collect();
    match names.as_slice() {
        // What a manifest leaves out stays as it is.
        ["spec", "clusterIP"] | ["spec", "clusterIPs", ..] => change.after.as_ref().is_some_and(|it| it != ""),
        ["spec", "ipFamilies", ..] => {
            let first = |it| items(it, "/spec/ipFamilies").first();
            first(before).zip(first(after)).is_some_and(|(before, after)| before != after)
        }
        ["spec", "healthCheckNodePort"] => change.before.is_some() && change.after.is_some(),
        ["spec", "loadBalancerClass"] => kinds == ["LoadBalancer"; 2],
        _ => false,
    }
}

/// Whether the selector of the second object finds the pods of the first. Those that it does not find would go on running beside the
/// new ones, or keep a StatefulSet from making pods of their names.
fn finds_pods(before: &Value, after: &Value) -> bool {
    let label = |key: &str| {
        let labels = before.pointer("/spec/template/metadata/labels");
        Label::of(labels.and_then(|labels| labels.get(key)).and_then(Value::as_str))
    };
    let wanted = after.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let is_found = |(key, value): (&String, &Value)| value.as_str().is_some_and(|value| label(key).may_be(value));
    let is_met = |expression: &Value| {
        let values = items(expression, "/values").iter().filter_map(Value::as_str);
        Operator::parse(text(expression, "/operator"))
            .is_none_or(|operator| operator.may_match(label(text(expression, "/key")), values))
    };
    wanted.into_iter().flatten().all(is_found) && items(after, "/spec/selector/matchExpressions").iter().all(is_met)
}

/// The version that is gone while objects are stored in it.
fn stored<'c>(identity: &Identity, before: &Value, after: &Value, changes: &'c [Change]) -> Option<Refusal<'c>> {
    let mut names = items(before, "/spec/versions").iter().filter(|version| is_set(version, "/storage"));
    let is_kept = |name: &str| items(after, "/spec/versions").iter().any(|version| text(version, "/name") == name);
    let gone = names.find(|version| !is_kept(text(version, "/name"))).map(|version| text(version, "/name"))?;
    let why = format!(
        "objects are stored in version `{gone}`: keep it with `served: false` until they are written anew, and \
         `status.storedVersions` does not name it"
    );
    let arguments = identity.arguments();
    let command = format!("kubectl get {arguments} --output jsonpath='{{.status.storedVersions}}'");
    let is_version = |change: &&Change| change.path.begins(&["spec", "versions"]) && change.path.0.len() == 3;
    Some(Refusal { changes: changes.iter().filter(is_version).collect(), why, commands: vec![command] })
}

fn is_shrunk(change: &Change) -> bool {
    let amount = |value: &Option<Value>| quantity::nanos(value.as_ref()?.as_str()?);
    change.path.begins(&["spec", "resources", "requests", "storage"])
        && amount(&change.before).zip(amount(&change.after)).is_some_and(|(before, after)| after < before)
}

fn refusal<'c>(identity: &Identity, within: &[&str], changes: Vec<&'c Change>, remedy: Remedy) -> Option<Refusal<'c>> {
    let mut fields: Vec<String> = Vec::new();
    for change in &changes {
        let field = change.path.names().take(within.len() + 1).collect::<Vec<_>>().join(".");
        if !fields.iter().any(|known| known[1..known.len() - 1] == field) {
            fields.push(format!("`{field}`"));
        }
    }
    let is = if fields.len() > 1 { "are" } else { "is" };
    let fields = fields.split_last().map(|(last, all)| match all {
        [] => last.clone(),
        _ => format!("{} and {last}", all.join(", ")),
    })?;
    let arguments = identity.arguments();
    let (then, command) = match remedy {
        Remedy::Orphan => (
            "its pods and claims stay, and the next apply adopts them".to_owned(),
            format!("kubectl delete {arguments} --cascade=orphan"),
        ),
        Remedy::WithPods => {
            let claims = if identity.kind == "StatefulSet" { "; claims stay" } else { "" };
            let says = format!("its pods go with it, as the new selector does not find them{claims}");
            (says, format!("kubectl delete {arguments}"))
        }
        Remedy::Delete => ("the next apply makes it again".to_owned(), format!("kubectl delete {arguments}")),
        Remedy::Destroys(what) => (what.to_owned(), format!("kubectl delete {arguments}")),
    };
    let why = format!("{fields} {is} immutable: nothing of the object changes until it is deleted; {then}");
    Some(Refusal { changes, why, commands: vec![command] })
}
