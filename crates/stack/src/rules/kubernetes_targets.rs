//! What cannot be scraped of Kubernetes, and what is said of a target that is off.

use super::{client_certificate, no_address};
use crate::findings::Findings;
use crate::model::{DroppedMetrics, KubernetesTargets, Stack};

pub(crate) fn check(settings: &KubernetesTargets, stack: &Stack, findings: &mut Findings) {
    if !settings.enabled || !stack.prometheus.enabled {
        return;
    }
    let DroppedMetrics { kubelet, cadvisor, api_server, core_dns, controller_manager, scheduler, etcd, kube_proxy } =
        &settings.drop;
    let addresses = &settings.addresses;
    let switched = [
        ("drop.kubelet", !kubelet.is_empty(), "kubelet", settings.kubelet),
        // A page of the kubelets.
        ("drop.cadvisor", !cadvisor.is_empty(), "kubelet", settings.kubelet),
        ("drop.apiServer", !api_server.is_empty(), "apiServer", settings.api_server),
        ("drop.coreDns", !core_dns.is_empty(), "coreDns", settings.core_dns),
        ("drop.controllerManager", !controller_manager.is_empty(), "controllerManager", settings.controller_manager),
        ("drop.scheduler", !scheduler.is_empty(), "scheduler", settings.scheduler),
        ("drop.etcd", !etcd.is_empty(), "etcd", settings.etcd),
        ("drop.kubeProxy", !kube_proxy.is_empty(), "kubeProxy", settings.kube_proxy),
        (
            "addresses.controllerManager",
            addresses.controller_manager.is_some(),
            "controllerManager",
            settings.controller_manager,
        ),
        ("addresses.scheduler", addresses.scheduler.is_some(), "scheduler", settings.scheduler),
        ("addresses.etcd", addresses.etcd.is_some(), "etcd", settings.etcd),
    ];
    for (key, _, switch, _) in switched.into_iter().filter(|(_, is_said, _, is_on)| *is_said && !is_on) {
        let path = format!("kubernetes-targets.{key}");
        findings.error(
            &[&path, &format!("kubernetes-targets.{switch}")],
            format!("`{path}` has no effect: it is not scraped"),
            &format!("`kubernetes-targets.{switch}` is `false`"),
            &format!("set `kubernetes-targets.{switch}: true`, or remove it"),
        );
    }
    for (key, addresses) in [
        ("controllerManager", &addresses.controller_manager),
        ("scheduler", &addresses.scheduler),
        ("etcd", &addresses.etcd),
    ] {
        let Some(addresses) = addresses else { continue };
        let path = format!("kubernetes-targets.addresses.{key}");
        no_address(&path, &addresses.targets, key, findings);
        if let Some(tls) = &addresses.tls {
            client_certificate(&format!("{path}.tls"), tls, findings);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn what_cannot_be_scraped_is_told() {
        for (settings, expected) in [
            (
                "etcd: false, addresses: {etcd: {targets: ['a:1']}}",
                "`kubernetes-targets.addresses.etcd` has no effect: it is not scraped",
            ),
            (
                "kubelet: false, drop: {cadvisor: [a]}",
                "`kubernetes-targets.drop.cadvisor` has no effect: it is not scraped",
            ),
            (
                "coreDns: false, drop: {coreDns: [a]}",
                "`kubernetes-targets.drop.coreDns` has no effect: it is not scraped",
            ),
            ("addresses: {scheduler: {targets: []}}", "`scheduler` has nothing to scrape"),
            ("addresses: {etcd: {targets: ['a:1'], tls: {cert: {name: a, key: b}}}}", "`cert` without `key`"),
            ("drop: {etcd: ['a(']}", "`kubernetes-targets.drop.etcd[0]` cannot be `a(`"),
        ] {
            let text = format!("kubernetes-targets: {{{settings}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).map(drop).unwrap_err();
            let messages: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(messages, [expected], "{settings}");
        }
        for settings in ["enabled: false, etcd: false, addresses: {etcd: {targets: []}}", "drop: {etcd: ['a.*']}"] {
            let text = format!("kubernetes-targets: {{{settings}}}\n");
            assert!(Stack::parse(&Source::new("stack.yaml", text)).is_ok(), "{settings}");
        }
    }
}
