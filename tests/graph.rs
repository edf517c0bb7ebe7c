//! The picture of who connects to whom.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use support::{approved, text, vigil};

/// The picture in docs/tutorial.md, drawn by `VIGIL_UPDATE_GRAPH=1 cargo test --test graph`.
#[test]
fn the_tutorials_stack_is_shown() {
    let output = vigil(support::root(), &["graph", "--stack", "stacks/tutorial.yaml"]);
    assert!(output.status.success(), "{}", text(&output));
    let drawn = String::from_utf8(output.stdout).unwrap();
    let path = support::root().join("docs/tutorial.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("```mermaid\n").expect("a picture");
    let (shown, after) = rest.split_once("```\n").expect("an end of it");
    if std::env::var_os("VIGIL_UPDATE_GRAPH").is_some() {
        fs::write(&path, format!("{before}```mermaid\n{drawn}```\n{after}")).unwrap();
    } else {
        assert_eq!(shown, drawn, "VIGIL_UPDATE_GRAPH=1 cargo test --test graph");
    }
}

#[test]
fn every_way_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.yaml"),
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "a:1", ports: [{ name: http, containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { type: NodePort, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http, nodePort: 30080 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec:
  rules:
  - host: shop.example.com
    http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec:
  hostnames: [a.example.com, b.example.com]
  parentRefs: [{ name: front }]
  rules: [{ backendRefs: [{ name: web, port: 80 }] }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: web }
webhooks:
- name: web.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: { service: { name: web, namespace: shop, port: 80 } }
"#,
    )
    .unwrap();
    approved("graph-mermaid", &vigil(folder.path(), &["graph", "a.yaml"]));
    approved("graph-dot", &vigil(folder.path(), &["graph", "a.yaml", "--format", "dot"]));
    approved("graph-svg", &vigil(folder.path(), &["graph", "a.yaml", "--format", "svg"]));
    approved("graph-of-nothing", &vigil(folder.path(), &["graph", "b.yaml"]));
    let root = support::root();
    approved("graph-production", &vigil(root, &["graph", "--stack", "stacks/production.yaml"]));
}
