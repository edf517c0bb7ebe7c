//! One world for all rules: whatever asks for a pod, a Service or a file gets the same answer.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use vigil_check::{Options, Report, check};
use vigil_yaml::{Severity, Source};

/// Objects are one a line, in flow style.
fn report(text: &str, options: &Options) -> Report {
    let text: String = text.lines().flat_map(|line| ["---\n", line.trim(), "\n"]).collect();
    let report = check(&[Source::new("t", text)], options);
    assert!(report.followed, "{:?}", report.findings);
    report
}

/// The rules that are broken; those of schemas and notes left out, as objects are cut to what is looked at.
fn broken(text: &str) -> Vec<&'static str> {
    let report = report(text, &Options::default());
    let worse = report.findings.iter().filter(|finding| finding.severity() != Severity::Note);
    worse
        .map(|finding| finding.rule.id)
        .filter(|id| {
            ["service-", "monitor-", "network-policy-", "referenced-", "prometheus-", "grafana-", "ingress-"]
                .iter()
                .any(|area| id.starts_with(area))
        })
        .collect()
}

fn owner(kind: &str, spec: &str) -> String {
    let version = if kind == "PrometheusAgent" { "v1alpha1" } else { "v1" };
    let selector = "podMonitorSelector: {}, serviceMonitorSelector: {}";
    format!(
        "{{apiVersion: monitoring.coreos.com/{version}, kind: {kind}, metadata: {{name: main}}, spec: {{{selector}, {spec}}}}}\n"
    )
}

/// Whether a Service and a PodMonitor find a port of pods with these labels.
fn found(owner: &str, labels: &str, port: &str) -> [bool; 2] {
    let service = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: s}}, spec: {{selector: {{{labels}}}, ports: [{{port: 1, \
         targetPort: {port}}}]}}}}\n"
    );
    let monitor = format!(
        "{{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {{name: m}}, spec: {{selector: {{matchLabels: \
         {{{labels}}}}}, podMetricsEndpoints: [{{port: {port}}}]}}}}\n"
    );
    [service, monitor].map(|asks| broken(&(owner.to_owned() + &asks)).is_empty())
}

#[test]
fn services_and_monitors_agree_on_what_the_operator_makes() {
    for (kind, spec, labels, port, expected) in [
        ("Prometheus", "", "prometheus: main", "web", true),
        // The agent's pods do not have it, and the mode is a label of the StatefulSet alone.
        ("PrometheusAgent", "", "prometheus: main", "web", false),
        ("PrometheusAgent", "", "operator.prometheus.io/mode: agent", "web", false),
        ("Prometheus", "", "operator.prometheus.io/mode: server", "web", false),
        ("PrometheusAgent", "", "operator.prometheus.io/name: main", "web", true),
        ("PrometheusAgent", "", "app.kubernetes.io/name: prometheus-agent", "reloader-web", true),
        ("PrometheusAgent", "mode: DaemonSet", "operator.prometheus.io/name: main", "web", true),
        ("Prometheus", "listenLocal: true", "prometheus: main", "web", false),
        ("Prometheus", "listenLocal: true", "prometheus: main", "reloader-web", false),
        ("Prometheus", "listenLocal: true, thanos: {}", "prometheus: main", "http", true),
        ("Prometheus", "thanos: {}", "prometheus: main", "http", true),
        ("Prometheus", "thanos: {}", "prometheus: main", "grpc", true),
        ("Prometheus", "", "prometheus: main", "http", false),
        ("Prometheus", "portName: ui", "prometheus: main", "ui", true),
        ("Prometheus", "portName: ui", "prometheus: main", "web", false),
        ("Alertmanager", "listenLocal: true", "alertmanager: main", "web", false),
        ("Alertmanager", "listenLocal: true", "alertmanager: main", "mesh-tcp", true),
        ("ThanosRuler", "", "thanos-ruler: main", "grpc", true),
        ("ThanosRuler", "", "thanos-ruler: main", "http", false),
        ("ThanosRuler", "listenLocal: true", "thanos-ruler: main", "web", false),
        ("Prometheus", "version: v3.8.0", "app.kubernetes.io/version: 3.8.0", "web", true),
        ("Prometheus", "version: v3.8.0", "app.kubernetes.io/version: 3.7.0", "web", false),
        ("Prometheus", "", "app.kubernetes.io/version: 3.7.0", "web", true),
    ] {
        assert_eq!(found(&owner(kind, spec), labels, port), [expected; 2], "{kind} {spec}: {labels}, {port}");
    }
}

#[test]
fn a_port_of_an_init_container_is_scraped_and_not_served() {
    let pods = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {metadata: {labels: {app: d}}, \
                spec: {initContainers: [{name: i, ports: [{name: early, containerPort: 1}]}], containers: [{name: c}]}}}}\n";
    assert_eq!(found(&(owner("Prometheus", "") + pods), "app: d", "early"), [false, true]);
    assert_eq!(found(&owner("Prometheus", ""), "prometheus: main", "reloader-init"), [false, true]);
}

#[test]
fn governing_services_are_those_of_the_operator() {
    let monitor = |labels: &str| {
        format!(
            "{{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {{name: m}}, spec: {{selector: \
             {{matchLabels: {{{labels}}}}}, endpoints: [{{port: web}}]}}}}\n"
        )
    };
    for (kind, spec, labels, expected) in [
        ("Prometheus", "", "operated-prometheus: 'true'", ""),
        ("PrometheusAgent", "", "operated-prometheus: 'true'", ""),
        ("PrometheusAgent", "", "operated-prometheus-agent: 'true'", "monitor-selector"),
        ("PrometheusAgent", "mode: DaemonSet", "operated-prometheus: 'true'", "monitor-selector"),
        ("Prometheus", "", "app.kubernetes.io/managed-by: prometheus-operator, operated-prometheus: 'true'", ""),
        ("Prometheus", "serviceName: own", "operated-prometheus: 'true'", "monitor-selector"),
    ] {
        assert_eq!(broken(&(owner(kind, spec) + &monitor(labels))).join(" "), expected, "{kind} {spec} {labels}");
    }
    let ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {defaultBackend: {service: \
                   {name: prometheus-operated, port: {number: 9090}}}}}\n";
    assert_eq!(broken(&(owner("Prometheus", "") + ingress)).join(" "), "");
    assert_eq!(broken(&(owner("Prometheus", "serviceName: own") + ingress)).join(" "), "ingress-service");
}

#[test]
fn monitors_see_the_pods_of_the_cluster() {
    let monitor = |label: &str| {
        format!(
            "{{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {{name: m}}, spec: {{namespaceSelector: \
             {{matchNames: [kube-system]}}, selector: {{matchLabels: {{{label}}}}}, podMetricsEndpoints: [{{port: x}}]}}}}\n"
        )
    };
    for (label, expected) in [("k8s-app: kube-dns", ""), ("k8s-app: kube-dnss", "monitor-selector")] {
        assert_eq!(broken(&(owner("Prometheus", "") + &monitor(label))).join(" "), expected, "{label}");
    }
}

#[test]
fn what_makes_no_pods_hides_no_mistake() {
    let monitor = "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {name: m}, spec: {selector: \
                   {matchLabels: {app: x}}, podMetricsEndpoints: [{port: x}]}}\n";
    for (other, expected) in [
        ("{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}}", "monitor-selector"),
        ("{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: k, namespace: default}}", ""),
    ] {
        let text = owner("Prometheus", "") + monitor + other + "\n";
        let options =
            Options { allowed_kinds: vec!["Kafka".to_owned(), "ExternalSecret".to_owned()], ..Options::default() };
        let report = report(&text, &options);
        let ids: Vec<_> = report.findings.iter().map(|it| it.rule.id).filter(|id| id.starts_with("monitor-")).collect();
        assert_eq!(ids.join(" "), expected, "{other}");
    }
}

/// What a policy that lets nobody in breaks where `app` reads `http://loki:3100` in this way.
fn called(spec: &str) -> String {
    let set = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {url: 'http://loki:3100', other: a}}\n\
               {apiVersion: v1, kind: Service, metadata: {name: loki}, spec: {selector: {app: loki}, ports: [{port: 3100}]}}\n\
               {apiVersion: apps/v1, kind: Deployment, metadata: {name: loki}, spec: {template: {metadata: {labels: {app: \
               loki}}, spec: {containers: [{name: c, ports: [{containerPort: 3100}]}]}}}}\n\
               {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {podSelector: \
               {matchLabels: {app: loki}}}}\n";
    let app = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: app}}, spec: {{template: {{metadata: {{labels: {{app: \
         app}}}}, spec: {{{spec}}}}}}}}}\n"
    );
    broken(&(set.to_owned() + &app)).join(" ")
}

#[test]
fn whoever_has_an_address_calls_it() {
    let flow = "network-policy-flow";
    for (spec, expected) in [
        ("containers: [{name: c}]", ""),
        ("volumes: [{name: v, configMap: {name: c}}]", flow),
        ("volumes: [{name: v, projected: {sources: [{configMap: {name: c}}]}}]", flow),
        ("volumes: [{name: v, projected: {sources: [{configMap: {name: c, items: [{key: other, path: x}]}}]}}]", ""),
        ("containers: [{name: c, env: [{name: U, valueFrom: {configMapKeyRef: {name: c, key: url}}}]}]", flow),
        ("containers: [{name: c, env: [{name: U, valueFrom: {configMapKeyRef: {name: c, key: other}}}]}]", ""),
        ("containers: [{name: c, envFrom: [{configMapRef: {name: c}}]}]", flow),
    ] {
        assert_eq!(called(spec), expected, "{spec}");
    }
}

#[test]
fn a_sub_path_is_a_file_of_its_volume() {
    let set = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a.yaml: x}}\n\
               {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {key: x}}\n";
    let mount = |path: &str, volume: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: c, volumeMounts: [{{name: v, \
             mountPath: /x, {path}}}]}}], volumes: [{{name: v, {volume}}}]}}}}\n"
        )
    };
    let wrong = "referenced-key";
    for (path, volume, expected) in [
        ("subPath: a.yaml", "configMap: {name: c}", ""),
        ("subPath: ./a.yaml/", "configMap: {name: c}", ""),
        ("subPath: a.yml", "configMap: {name: c}", wrong),
        ("subPath: a.yml", "configMap: {name: c, optional: true}", ""),
        ("subPath: a.yml", "emptyDir: {}", ""),
        ("subPathExpr: a.yml", "configMap: {name: c}", wrong),
        ("subPathExpr: $(NAME)", "configMap: {name: c}", ""),
        ("subPath: a.yaml", "configMap: {name: c, items: [{key: a.yaml, path: d/b.yaml}]}", wrong),
        ("subPath: d/b.yaml", "configMap: {name: c, items: [{key: a.yaml, path: d/b.yaml}]}", ""),
        ("subPath: d", "configMap: {name: c, items: [{key: a.yaml, path: d/b.yaml}]}", ""),
        ("subPath: key", "secret: {secretName: s}", ""),
        ("subPath: kye", "secret: {secretName: s}", wrong),
        ("subPath: key", "projected: {sources: [{secret: {name: s}}, {configMap: {name: c}}]}", ""),
        ("subPath: kye", "projected: {sources: [{secret: {name: s}}, {configMap: {name: c}}]}", wrong),
        ("subPath: kye", "projected: {sources: [{secret: {name: s}}, {configMap: {name: c, optional: true}}]}", ""),
        ("subPath: token", "projected: {sources: [{serviceAccountToken: {path: token}}]}", ""),
        ("subPath: labels", "downwardAPI: {items: [{path: labels}]}", ""),
        ("subPath: label", "downwardAPI: {items: [{path: labels}]}", wrong),
        ("subPath: ca.crt", "configMap: {name: kube-root-ca.crt}", ""),
        ("subPath: ca.pem", "configMap: {name: kube-root-ca.crt}", wrong),
    ] {
        assert_eq!(broken(&(set.to_owned() + &mount(path, volume))).join(" "), expected, "{path} {volume}");
    }
    let claimed = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: d}, spec: {volumeClaimTemplates: [{metadata: \
                   {name: v}}], template: {spec: {containers: [{name: c, volumeMounts: [{name: v, mountPath: /x, subPath: \
                   z}]}], volumes: [{name: v, configMap: {name: c}}]}}}}\n";
    assert_eq!(broken(&(set.to_owned() + claimed)).join(" "), "");
}

#[test]
fn who_selects_what_is_one_question() {
    // Prometheus takes monitors of one namespace by its name, which is known of namespaces that nobody makes here, too.
    let set = |namespace: &str| {
        format!(
            "{{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {{name: main}}, spec: {{podMonitorSelector: \
             {{}}, podMonitorNamespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: there}}}}}}}}\n\
             {{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {{name: m, namespace: {namespace}}}, spec: \
             {{namespaceSelector: {{matchNames: [default]}}, selector: {{matchLabels: {{prometheus: main}}}}, \
             podMetricsEndpoints: [{{port: web}}]}}}}\n"
        )
    };
    assert_eq!(broken(&set("there")).join(" "), "");
    assert_eq!(broken(&set("elsewhere")).join(" "), "monitor-unselected");
    let by_others =
        |expression: &str| set("elsewhere").replace("matchLabels: {kubernetes.io/metadata.name: there}", expression);
    for expression in ["matchLabels: {team: a}", "matchExpressions: [{key: off, operator: DoesNotExist}]"] {
        assert_eq!(broken(&by_others(expression)).join(" "), "", "{expression}");
    }
}

#[test]
fn a_probe_needs_two_connections() {
    let program = |name: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{selector: {{matchLabels: {{app: \
             {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c, image: 'i:1', \
             ports: [{{name: http, containerPort: 9}}]}}]}}}}}}}}\n\
             {{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{selector: {{app: {name}}}, ports: \
             [{{port: 80, targetPort: http}}]}}}}\n"
        )
    };
    let set = |closed: &str, from: &str, target: &str| {
        format!(
            "{}{}{{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {{name: main}}, spec: {{probeSelector: \
             {{}}}}}}\n\
             {{apiVersion: monitoring.coreos.com/v1, kind: Probe, metadata: {{name: p}}, spec: {{prober: {{url: prober}}, \
             targets: {{staticConfig: {{static: ['{target}']}}}}}}}}\n\
             {{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: n}}, spec: {{podSelector: \
             {{matchLabels: {{app: {closed}}}}}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{matchLabels: \
             {{{from}}}}}}}], ports: [{{port: 9}}]}}]}}}}\n",
            program("prober"),
            program("web"),
        )
    };
    for (closed, from, target, expected) in [
        ("prober", "prometheus: main", "http://web/health", ""),
        ("prober", "app: web", "http://web/health", "network-policy-flow"),
        ("web", "app: prober", "http://web/health", ""),
        ("web", "prometheus: main", "http://web/health", "network-policy-flow"),
        ("web", "prometheus: main", "http://web.default.svc:80/", "network-policy-flow"),
        // Whether the prober asks by TCP is not known, or it is not there that it asks.
        ("web", "prometheus: main", "web:80", ""),
        ("web", "prometheus: main", "http://web:81/", ""),
        ("web", "prometheus: main", "https://example.com", ""),
    ] {
        assert_eq!(broken(&set(closed, from, target)).join(" "), expected, "{closed} {from} {target}");
    }
}

#[test]
fn a_finding_for_one_of_several_versions_says_which() {
    let autoscaler = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 2, \
                      scaleTargetRef: {apiVersion: v1, kind: ReplicationController, name: r}}}\n";
    let host = "{apiVersion: v1, kind: Namespace, metadata: {name: one, labels: {pod-security.kubernetes.io/enforce: \
                baseline}}}\n\
                {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: one}, spec: {containers: [{name: c, image: 'c:1', \
                livenessProbe: {httpGet: {port: 1, host: h}}}]}}\n";
    let unmasked = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: 'c:1', \
                    securityContext: {procMount: Unmasked}}]}}\n";
    let service = "{apiVersion: v1, kind: Service, metadata: {name: 1st}, spec: {ports: [{port: 1}]}}\n";
    for (text, rule, versions) in [
        (autoscaler, "autoscaler-replicas", "1.34"),
        (host, "pod-security", "1.34"),
        (unmasked, "container-security", "1.34"),
        (service, "object-name", "1.29, 1.34"),
    ] {
        let kubernetes = ["1.29", "1.34", "1.37"].map(|version| version.parse().unwrap());
        for (asked, expected) in [(&kubernetes[..2], versions), (&kubernetes[..1], ""), (&kubernetes[1..2], "")] {
            let options = Options { kubernetes: asked.to_vec(), ..Options::default() };
            let report = report(text, &options);
            let finding = report.findings.iter().find(|finding| finding.rule.id == rule);
            let holds = versions.split(", ").any(|version| asked.iter().any(|it| it.to_string() == version));
            assert_eq!(finding.is_some(), holds, "{rule} {asked:?}: {:?}", report.findings);
            let Some(finding) = finding else { continue };
            let said: Vec<_> = finding.versions.iter().map(ToString::to_string).collect();
            let all = said.is_empty() && asked.len() == versions.split(", ").count();
            assert!(all || said.join(", ") == expected, "{rule} {asked:?}: {said:?}");
        }
    }
}
