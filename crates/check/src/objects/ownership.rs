//! Who owns the files of volumes that outlive their pods.

use super::judge::Judge;
use crate::fields::{given, items};
use crate::object::MONITORING;
use crate::rule::rules;
use crate::world::template::PodTemplate;
use vigil_yaml::Node;

rules! {
    OWNER "volume-owner" Note Nobody "no pod start waits for a recursive `fsGroup` change of its volumes"
}

/// Judges the pods of an object, or those that the operator makes of it.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let (spec, claims) = if let Some(template) = PodTemplate::of(judge.object) {
        let claimed = |volume: &&Node| given(volume, "persistentVolumeClaim").or(given(volume, "ephemeral")).is_some();
        let own = judge.object.at(&["spec", "volumeClaimTemplates"]).filter(|_| judge.object.kind == "StatefulSet");
        let own = own.map(Node::items).is_some_and(|claims| !claims.is_empty());
        (template.spec, own || items(template.spec, "volumes").iter().any(|volume| claimed(&volume)))
    } else if judge.object.group == MONITORING {
        let Some(spec) = judge.object.at(&["spec"]) else { return };
        let claims = given(spec, "storage").filter(|storage| given(storage, "emptyDir").is_none());
        (spec, claims.is_some())
    } else {
        return;
    };
    let Some(context) = given(spec, "securityContext").filter(|_| claims) else { return };
    if let Some(group) = context.entry("fsGroup").filter(|entry| !entry.value.is_null())
        && given(context, "fsGroupChangePolicy").is_none()
    {
        judge
            .add(&OWNER, group, "every start of the pod changes the group of all files in its volumes")
            .label("expected `fsGroupChangePolicy: OnRootMismatch` beside it")
            .help("where there are many files, it takes minutes; with the policy only a new volume is gone through");
    }
}
