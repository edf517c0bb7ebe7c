//! What containers ask for, and what they may use at most.

use super::super::judge::Judge;
use crate::fields::{BILLION, amount, entries, given, written};
use crate::rule::rules;
use vigil_forms::{name, quantity};
use vigil_yaml::words::nearest;
use vigil_yaml::{Entry, Node, Quoted};

rules! {
    RESOURCES "container-resources" Error Server "no container requests more than its limit"
    FRACTION "memory-fraction" Warning Server "amounts of memory are whole bytes"
}

/// Resources whose names stand without a domain.
const KNOWN: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const HUGE_PAGES: &str = "hugepages-";

/// Whether nodes may promise more of it than they have.
fn is_overcommitted(name: &str) -> bool {
    is_native(name) && !name.starts_with(HUGE_PAGES)
}

/// Whether it is Kubernetes' own, and no device of a plugin.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// The resources of a container.
pub(super) fn check(judge: &mut Judge<'_, '_>, container: &Node) {
    if let Some(resources) = given(container, "resources") {
        requirements(judge, resources);
    }
}

/// A container may have no more than its pod.
pub(super) fn within(judge: &mut Judge<'_, '_>, spec: &Node, container: &Node) {
    for limit in entries(container, ["resources", "limits"]) {
        let whole = spec.at(&["resources", "limits"]).and_then(|limits| limits.get(&limit.key.text));
        if let (Some(own), Some(whole)) = (amount(&limit.value), whole.and_then(amount))
            && own > whole
        {
            judge
                .add(&RESOURCES, limit, format!("a limit for {} above that of the pod", Quoted(&limit.key.text)))
                .help("lower it, or raise the pod's");
        }
    }
}

/// Requests and limits, of a container or of a pod.
pub(super) fn requirements(judge: &mut Judge<'_, '_>, resources: &Node) {
    let limits = entries(resources, "limits");
    let requests = entries(resources, "requests");
    for entry in limits.iter().chain(requests).filter(|entry| !entry.value.is_null()) {
        resource(judge, entry);
    }
    for entry in requests {
        let name = entry.key.text.as_str();
        let Some(request) = amount(&entry.value) else { continue };
        let limit = resources.get("limits").and_then(|limits| limits.get(name));
        let Some(limit) = limit else {
            if !is_overcommitted(name) && is_name(name) {
                judge
                    .add(&RESOURCES, entry, format!("a request for {} without a limit", Quoted(name)))
                    .help("write it under `limits:`; the request is then the same");
            }
            continue;
        };
        // An API server reads null as 0 here.
        let Some(most) = amount(limit).or(limit.is_null().then_some(0)) else { continue };
        let (asked, limit) = (written(&entry.value), written(limit));
        if !is_overcommitted(name) && request != most {
            judge
                .add(&RESOURCES, &entry.value, format!("{} is not the limit of {}", Quoted(asked), Quoted(limit)))
                .label(format!("expected the same: nodes do not share out more {} than they have", Quoted(name)));
        } else if request > most {
            judge
                .add(&RESOURCES, &entry.value, format!("{} is above the limit of {}", Quoted(asked), Quoted(limit)))
                .label("expected at most the limit")
                .help("lower the request, or raise the limit");
        }
    }
    let mut names = limits.iter().chain(requests).map(|entry| entry.key.text.as_str());
    let huge = limits.iter().chain(requests).find(|entry| entry.key.text.starts_with(HUGE_PAGES));
    if let Some(entry) = huge.filter(|_| !names.any(|name| matches!(name, "cpu" | "memory"))) {
        judge.add(&RESOURCES, entry, "huge pages alone").label("expected `cpu` or `memory` besides");
    }
}

fn is_name(name: &str) -> bool {
    KNOWN.contains(&name)
        || name.starts_with(HUGE_PAGES)
        || name.contains('/')
            && name::is_qualified_name(name)
            && (is_native(name)
                || !name.starts_with("requests.") && name::is_qualified_name(&format!("requests.{name}")))
}

fn resource(judge: &mut Judge<'_, '_>, entry: &Entry) {
    let name = entry.key.text.as_str();
    if !is_name(name) {
        let finding = judge.add(&RESOURCES, entry, format!("{} is no resource of containers", Quoted(name)));
        finding.label("expected `cpu`, `memory`, `ephemeral-storage`, `hugepages-…` or one such as `example.com/gpu`");
        if let Some(known) = nearest(name, KNOWN) {
            finding.help(format!("write `{known}`"));
        }
        return;
    }
    let Some(value) = amount(&entry.value) else { return };
    let text = written(&entry.value);
    if value < 0 {
        judge.add(&RESOURCES, &entry.value, format!("{} is below zero", Quoted(text)));
    } else if !is_native(name) && value % BILLION != 0 {
        judge
            .add(&RESOURCES, &entry.value, format!("{} is not whole", Quoted(text)))
            .label(format!("expected a whole number of {}", Quoted(name)));
    } else if let Some(size) = name.strip_prefix(HUGE_PAGES) {
        let page = quantity::nanos(size).filter(|page| *page > 0 && page % BILLION == 0);
        if page.is_none_or(|page| value % page != 0) {
            judge
                .add(&RESOURCES, &entry.value, format!("{} is no number of pages of {}", Quoted(text), Quoted(size)))
                .label("expected a multiple of the size in the name");
        }
    } else if name != "cpu" && value % BILLION != 0 {
        judge
            .add(
                &FRACTION,
                &entry.value,
                format!("{} is {} of a byte", Quoted(text), if value < BILLION { "a part" } else { "no whole number" }),
            )
            .label("expected whole bytes, such as `128Mi`")
            .help("`m` is for thousandths, as in `cpu: 500m`; `M` and `Mi` are millions");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::container;
    use super::{FRACTION, RESOURCES};

    #[test]
    fn requests_and_limits() {
        for (text, times) in [
            ("requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: 0.1, memory: 1024Mi}", 0),
            ("requests: {cpu: 1}, limits: {cpu: 999m}", 1),
            ("requests: {memory: 1Gi}, limits: {memory: 1G}", 1),
            ("requests: {cpu: \"2\"}, limits: {memory: 1G}", 0),
            ("requests: {cpu: -1}", 1),
            ("requests: {cpu: null}, limits: {cpu: 1}", 0),
            ("limits: {CPU: 1}", 1),
            ("limits: {storage: 1Gi}", 1),
            ("limits: {pods: 1}", 1),
            ("limits: {nvidia.com/gpu: 1}", 0),
            ("limits: {nvidia.com/gpu: 500m}", 1),
            ("requests: {nvidia.com/gpu: 1}", 1),
            ("requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 2}", 1),
            ("requests: {a.kubernetes.io/b: 1}", 0),
            ("limits: {hugepages-2Mi: 4Mi, cpu: 1}", 0),
            ("limits: {hugepages-2Mi: 3Mi, cpu: 1}", 1),
            ("limits: {hugepages-2Mi: 4Mi}", 1),
            ("requests: {hugepages-2Mi: 4Mi, cpu: 1}", 1),
        ] {
            container(&format!("resources: {{{text}}}"), &RESOURCES, times);
        }
    }

    #[test]
    fn whole_bytes() {
        for (text, times) in [("128M", 0), ("128m", 1), ("0.5", 1), ("1.5Ki", 0), ("100.5m", 1)] {
            container(&format!("resources: {{limits: {{memory: {text}}}}}"), &FRACTION, times);
        }
        container("resources: {limits: {cpu: 1m}}", &FRACTION, 0);
    }
}
