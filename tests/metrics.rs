//! What the parts of the metrics side owe each other: flags and rights from one list, jobs that alerts know, targets
//! that go as a whole.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_render::{Object, Rendering};
use vigil_stack::Stack;
use vigil_yaml::{Limits, Source};

/// The shortest stack there is.
const DEFAULTS: &str = "values: {enabled: true}";

fn render(stack: &str) -> Rendering {
    let stack = Stack::parse(&Source::new("stack.yaml", stack)).unwrap().stack;
    vigil_render::render(&stack, &vigil::TEMPLATES).unwrap()
}

fn find<'a>(rendering: &'a Rendering, kind: &str, component: &str) -> Vec<&'a Object> {
    rendering.objects.iter().filter(|object| object.kind() == kind && object.component == component).collect()
}

fn args(workload: &Object) -> Vec<&str> {
    let args = workload.value["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
    args.iter().map(|arg| arg.as_str().unwrap()).collect()
}

#[test]
fn each_flag_of_metrics_server_stands_once_here_and_in_helms_values() {
    for insecure in [true, false] {
        let rendering = render(&format!(
            "metrics-server: {{kubeletInsecureTls: {insecure}, addressTypes: [Hostname, InternalIP]}}"
        ));
        let args = args(find(&rendering, "Deployment", "metrics-server")[0]);
        let names: BTreeSet<_> = args.iter().map(|arg| arg.split('=').next().unwrap()).collect();
        assert_eq!(names.len(), args.len(), "{args:?}");
        assert!(args.contains(&"--kubelet-preferred-address-types=Hostname,InternalIP"), "{args:?}");
        assert_eq!(args.contains(&"--kubelet-insecure-tls"), insecure, "{args:?}");
        let source = Source::new("values", rendering.files["values/metrics-server.yaml"].as_str());
        let values = vigil_yaml::read_one(&source, &Limits::default()).unwrap().unwrap().to_json();
        // The chart adds the port itself.
        assert_eq!(values["defaultArgs"], json!(args[1..]));
        assert!(args[0].starts_with("--secure-port="), "{args:?}");
    }
}

#[test]
fn a_second_metrics_server_gets_a_disruption_budget_and_another_node() {
    let of = |replicas: u8| {
        let rendering = render(&format!("metrics-server: {{replicas: {replicas}}}"));
        let spread = &find(&rendering, "Deployment", "metrics-server")[0].value["spec"]["template"]["spec"];
        let spread = spread["topologySpreadConstraints"].is_array();
        (find(&rendering, "PodDisruptionBudget", "metrics-server").len(), spread)
    };
    assert_eq!(of(1), (0, false));
    assert_eq!(of(2), (1, true));
}

#[test]
fn kube_state_metrics_may_list_what_it_tells_of_and_nothing_else() {
    for secrets in [true, false] {
        let rendering = render(&format!("kube-state-metrics: {{secrets: {secrets}}}"));
        let args = args(find(&rendering, "Deployment", "kube-state-metrics")[0]);
        let told = args.iter().find_map(|arg| arg.strip_prefix("--resources=")).unwrap();
        let rules = &find(&rendering, "ClusterRole", "kube-state-metrics")[0].value["rules"];
        let allowed: Vec<_> =
            rules.as_array().unwrap().iter().map(|rule| rule["resources"][0].as_str().unwrap()).collect();
        assert_eq!(told, allowed.join(","));
        assert_eq!(allowed.contains(&"secrets"), secrets);
        assert!(allowed.is_sorted());
        for rule in rules.as_array().unwrap() {
            assert_eq!(rule["verbs"], json!(["list", "watch"]), "{rule}");
        }
    }
}

#[test]
fn node_exporter_runs_on_every_node_and_reads_all_of_it() {
    let rendering = render("pods: {tolerations: [{key: a, effect: NoSchedule}, {key: b, effect: NoExecute}]}");
    let spec = &find(&rendering, "DaemonSet", "node-exporter")[0].value["spec"]["template"]["spec"];
    let every = json!([
        { "key": "b", "operator": "Exists", "effect": "NoExecute" },
        { "operator": "Exists", "effect": "NoSchedule" },
    ]);
    assert_eq!(spec["tolerations"], every);
    assert_eq!(spec["nodeSelector"], json!({ "kubernetes.io/os": "linux" }));
    assert_eq!((&spec["hostNetwork"], &spec["hostPID"]), (&json!(true), &json!(true)));
}

#[test]
fn the_monitoring_namespace_is_privileged_for_node_exporter_alone() {
    let level = |stack: &str| {
        let rendering = render(stack);
        let mut namespaces = rendering.objects.iter().filter(|object| object.kind() == "Namespace");
        let namespace = namespaces.find(|object| object.name() == "mymonitoring")?;
        let labels = &namespace.value["metadata"]["labels"];
        let levels: BTreeSet<_> = ["enforce", "audit", "warn"]
            .map(|mode| labels[format!("pod-security.kubernetes.io/{mode}")].clone())
            .into_iter()
            .map(|level| level.to_string())
            .collect();
        assert_eq!(levels.len(), 1, "{levels:?}");
        levels.into_iter().next()
    };
    assert_eq!(level(DEFAULTS).as_deref(), Some("\"privileged\""));
    assert_eq!(level("node-exporter: {enabled: false}").as_deref(), Some("\"restricted\""));
    let alone = "prometheus: {enabled: false}\ngrafana: {enabled: false}\nkube-state-metrics: {enabled: false}\n";
    assert_eq!(level(alone).as_deref(), Some("\"privileged\""));
    // The operator and Alertmanager are there still.
    let others = format!("{alone}node-exporter: {{enabled: false}}\n");
    assert_eq!(level(&others).as_deref(), Some("\"restricted\""));
    let none = format!("{others}alertmanager: {{enabled: false}}\nprometheus-operator: {{enabled: false}}\n");
    assert_eq!(level(&none), None);
}

/// The `job` that each ServiceMonitor of a component gives to the metrics of the Services of the set that it selects.
fn jobs(rendering: &Rendering, component: &str) -> BTreeMap<String, Vec<String>> {
    let services = find(rendering, "Service", component);
    let of = |monitor: &&Object| {
        let spec = &monitor.value["spec"];
        let wanted = spec["selector"]["matchLabels"].as_object().unwrap();
        let namespace = spec["namespaceSelector"]["matchNames"][0].as_str().unwrap_or(monitor.namespace());
        let selected = services.iter().filter(|service| {
            let labels = &service.value["metadata"]["labels"];
            service.namespace() == namespace && wanted.iter().all(|(key, value)| &labels[key] == value)
        });
        let job = |service: &&Object| {
            let ports: Vec<&Value> =
                service.value["spec"]["ports"].as_array().unwrap().iter().map(|port| &port["name"]).collect();
            for endpoint in spec["endpoints"].as_array().unwrap() {
                assert!(ports.contains(&&endpoint["port"]), "{}: {endpoint}", monitor.title());
            }
            service.value["metadata"]["labels"][spec["jobLabel"].as_str().unwrap()].as_str().unwrap().to_owned()
        };
        let name = monitor.name().strip_prefix("kube-prometheus-stack-").unwrap().to_owned();
        (name, selected.map(job).collect())
    };
    find(rendering, "ServiceMonitor", component).iter().map(of).collect()
}

#[test]
fn every_job_is_called_what_alerts_and_dashboards_call_it() {
    let rendering = render(DEFAULTS);
    let one = |name: &str, job: &str| (name.to_owned(), vec![job.to_owned()]);
    assert_eq!(jobs(&rendering, "node-exporter"), BTreeMap::from([one("prometheus-node-exporter", "node-exporter")]));
    assert_eq!(
        jobs(&rendering, "kube-state-metrics"),
        BTreeMap::from([one("kube-state-metrics", "kube-state-metrics")])
    );
    // Two Services are the cluster's: their labels `component: apiserver` and `k8s-app: kubelet` say the job.
    assert_eq!(
        jobs(&rendering, "kubernetes-targets"),
        BTreeMap::from([
            ("apiserver".to_owned(), vec![]),
            one("coredns", "coredns"),
            one("kube-controller-manager", "kube-controller-manager"),
            one("kube-etcd", "kube-etcd"),
            one("kube-proxy", "kube-proxy"),
            one("kube-scheduler", "kube-scheduler"),
            ("kubelet".to_owned(), vec![]),
        ])
    );
}

#[test]
fn prometheus_finds_every_service_monitor() {
    for (name, path) in support::stacks() {
        let stack = support::load(&path).stack;
        let expected = stack.name.as_ref().map_or("kube-prometheus-stack", |name| name.as_str());
        for object in support::render(&path).objects.iter().filter(|object| object.kind() == "ServiceMonitor") {
            let release = &object.value["metadata"]["labels"]["release"];
            assert_eq!(release, expected, "{name}: {}", object.title());
        }
    }
}

#[test]
fn a_target_goes_with_all_its_objects() {
    let of_part = |rendering: &Rendering| -> Vec<Object> {
        let objects = rendering.objects.iter().filter(|object| object.component == "kubernetes-targets");
        objects.cloned().collect()
    };
    let names = |objects: &[Object]| -> BTreeSet<String> {
        // The others are rules and dashboards, which may speak of several targets.
        let scrapes = |object: &&Object| matches!(object.kind(), "Service" | "ServiceMonitor");
        objects.iter().filter(scrapes).map(Object::title).collect()
    };
    let asks = |objects: &[Object], job: &str| {
        let mut rules = objects.iter().filter(|object| object.kind() == "PrometheusRule");
        rules.any(|rules| rules.value.to_string().contains(&format!(r#"job=\"{job}\""#)))
    };
    let whole = of_part(&render(DEFAULTS));
    let all = names(&whole);
    let mut gone = BTreeSet::new();
    for (key, name, objects) in [
        ("kubelet", "kubelet", 1),
        ("apiServer", "apiserver", 1),
        ("coreDns", "coredns", 2),
        ("controllerManager", "kube-controller-manager", 2),
        ("scheduler", "kube-scheduler", 2),
        ("etcd", "kube-etcd", 2),
        ("kubeProxy", "kube-proxy", 2),
    ] {
        let rest = of_part(&render(&format!("kubernetes-targets: {{{key}: false}}")));
        assert!(asks(&whole, name) && !asks(&rest, name), "{key}: rules that ask for the job `{name}`");
        let left = names(&rest);
        let missing: BTreeSet<_> = all.difference(&left).cloned().collect();
        assert_eq!(missing.len(), objects, "{key}: {missing:?}");
        assert!(missing.iter().all(|title| title.ends_with(&format!("/kube-prometheus-stack-{name}"))), "{missing:?}");
        gone.extend(missing);
    }
    assert_eq!(gone, all);
    assert!(of_part(&render("prometheus: {enabled: false}")).is_empty());
    assert!(of_part(&render("kubernetes-targets: {enabled: false}")).is_empty());
}
