//! What a stack tells the checker, and where it says so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use vigil_stack::Stack;
use vigil_yaml::{Place, Source};

/// `Kind namespace/name` of everything that a stack takes for granted.
fn provided(text: &str) -> Vec<String> {
    let stack = Stack::parse(&Source::new("stack.yaml", text)).unwrap().stack;
    let title = |object: &vigil_stack::model::Provided| match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    };
    stack.provided().iter().map(title).collect()
}

#[test]
fn what_a_stack_names_is_there() {
    let nothing = "flask: {enabled: false, ingress: {enabled: false}}\n";
    assert_eq!(provided(nothing), [""; 0]);
    let text = "\
checks:
  provided:
  - { kind: ClusterRole, name: 'example:reader' }
  - { kind: Secret, namespace: mymonitoring, name: extra }
pods: {priorityClassName: urgent, imagePullSecrets: [mirror]}
flask: {namespace: shop, ingress: {className: outer, tls: {secretName: shop-tls}}}
grafana:
  adminSecret: {existing: admin}
  persistence: {enabled: true, storageClassName: fast}
  ingress: {enabled: false, className: unused, tls: {secretName: unused}}
prometheus:
  remoteWrite:
  - url: https://store.example.com/
    basicAuth: {username: {name: store, key: user}, password: {name: store, key: password}}
  - url: https://other.example.com/
    name: other
    authorization: {credentials: {name: token, key: token}}
  remoteRead:
  - url: https://archive.example.com/
    authorization: {credentials: {name: archive, key: token}}
  scrapeConfigs:
  - name: database
    targets: ['db.example.com:9187']
    scheme: https
    basicAuth: {username: {name: database, key: user}, password: {name: database, key: password}}
    tls: {ca: {name: authority, key: ca.crt}, cert: {name: client, key: tls.crt}, key: {name: client, key: tls.key}}
kubernetes-targets:
  addresses:
    etcd: {targets: ['10.0.0.1:2379'], tls: {ca: {name: etcd, key: ca.crt}}}
alertmanager:
  receivers:
  - name: team
    webhook: [{urlSecret: {name: hook, key: url}}]
    slack: [{urlSecret: {name: slack, key: url}}]
    pagerduty: [{routingKeySecret: {name: pager, key: key}}]
    opsgenie: [{apiKeySecret: {name: genie, key: key}}]
    email:
    - {to: a@example.com, from: b@example.com, smarthost: 'mail.example.com:587', authUsername: b, authPasswordSecret: {name: mail, key: password}}
";
    let monitoring = [
        "admin",
        "archive",
        "authority",
        "client",
        "database",
        "etcd",
        "extra",
        "genie",
        "hook",
        "mail",
        "pager",
        "slack",
        "store",
        "token",
    ]
    .map(|name| format!("Secret mymonitoring/{name}"));
    let others = [
        "ClusterRole example:reader",
        "IngressClass outer",
        "Namespace shop",
        "PriorityClass urgent",
        "Secret mirror",
        "Secret shop/shop-tls",
        "StorageClass fast",
    ];
    let mut expected: Vec<_> = monitoring.into_iter().chain(others.map(str::to_owned)).collect();
    let mut found = provided(text);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_waiver_knows_its_place() {
    let text = "checks:\n  waivers:\n  - { rule: yaml, object: Secret x, reason: why }\n";
    let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
    let told = |path: &str| match parsed.place(path) {
        Place::Text(span) => span.text().to_owned(),
        Place::File(file) => file,
    };
    assert_eq!(told("checks.waivers.0.rule"), "yaml");
    assert_eq!(told("checks.waivers.0.object"), "Secret x");
    assert_eq!(told("kubernetes"), "stack.yaml");
}

#[test]
fn a_value_that_is_refused_is_not_said_to_be_missing() {
    let text = "checks:\n  provided:\n  - { kind: secret, name: x }\n  - { name: y }\n";
    let problems = Stack::parse(&Source::new("stack.yaml", text)).unwrap_err();
    let lines: Vec<_> = problems.iter().map(vigil_yaml::Problem::one_line).collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("`checks.provided[0].kind` cannot be `secret`"), "{lines:#?}");
    assert!(lines[1].contains("`checks.provided[1]` lacks the key `kind`"), "{lines:#?}");
}
