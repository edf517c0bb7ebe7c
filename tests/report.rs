//! The page about a stack, and the one about a change: whole, safe, and legible without a network.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use regex::Regex;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use support::{approved, snapshot, text, vigil};

/// The page that a command writes.
fn page(directory: &std::path::Path, arguments: &[&str]) -> String {
    let output = vigil(directory, arguments);
    assert!(output.stderr.is_empty(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A page is one whole: every element ends, every link leads somewhere, and nothing is fetched.
fn assert_whole(page: &str) {
    const VOID: [&str; 5] = ["br", "img", "link", "meta", "!doctype"];
    let mut open = Vec::new();
    for tag in Regex::new(r#"<(/?)([a-zA-Z!][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*?)(/?)>"#).unwrap().captures_iter(page) {
        let name = tag[2].to_lowercase();
        assert_ne!(name, "script", "a page that is mailed does nothing");
        match (&tag[1], &tag[4]) {
            ("/", _) => assert_eq!(open.pop().as_deref(), Some(&*name), "what ends with {}", &tag[0]),
            (_, "/") => {}
            _ if VOID.contains(&&*name) => {}
            _ => open.push(name),
        }
    }
    assert_eq!(open, [""; 0]);
    let all = |expression: &str| -> Vec<&str> {
        let expression = Regex::new(expression).unwrap();
        expression.captures_iter(page).map(|found| found.get(1).unwrap().as_str()).collect()
    };
    let ids = all(r#" id="([^"]*)""#);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for anchor in all(r##"href="#([^"]*)""##) {
        assert!(ids.contains(&anchor), "nothing is called {anchor}");
    }
    for source in all(r#" src="([^"]*)""#) {
        assert!(source.starts_with("data:image/"), "{source:.80}");
    }
    for fetched in ["@import", "url(http", "url(//", "<iframe"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    for styled in all(r#"<link [^>]*href="([^"]*)""#) {
        assert!(styled.starts_with("data:"), "{styled}");
    }
}

#[test]
fn every_stack_has_a_page() {
    let wanted = ["workloads", "flows", "exposure", "rights", "alerts", "dashboards", "findings"];
    let nothing = tempfile::tempdir().unwrap();
    for stack in ["tutorial", "switched", "minimal"] {
        let path = support::root().join(format!("stacks/{stack}.yaml"));
        let page = page(nothing.path(), &["report", "--stack", path.to_str().unwrap()]);
        assert_whole(&page);
        let is_small = stack == "minimal";
        for id in wanted.iter().filter(|id| !is_small || !["alerts", "dashboards"].contains(id)) {
            assert!(page.contains(&format!("<section class=\"sheet\" id=\"{id}\">")), "{stack} has no {id}");
        }
        assert!(page.contains("<p class=\"good\">Clean"), "{stack}");
    }
}

/// Whatever manifests say stays text.
#[test]
fn nothing_in_a_manifest_becomes_a_part_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let evil = r#""><script>alert(1)</script><b x=""#;
    let meta = json!({ "name": evil, "namespace": evil, "annotations": { "grafana_folder": evil } });
    let panel = json!({ "type": "stat", "title": evil, "description": evil });
    let dashboard = json!({ "title": evil, "panels": [panel] }).to_string();
    let pod =
        json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [{ "name": "a", "image": evil }] } });
    let alert = json!({
        "alert": evil, "expr": evil, "labels": { "severity": evil },
        "annotations": { "summary": evil, "runbook_url": "javascript:alert(1)" },
    });
    let role = json!({ "kind": "ClusterRole", "name": evil, "apiGroup": "rbac.authorization.k8s.io" });
    let manifest: String = [
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": { "d.json": dashboard } }),
        json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": meta,
            "spec": { "groups": [{ "name": "a", "rules": [alert] }] },
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": { "selector": { "matchLabels": { "a": "b" } }, "template": pod },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "a" },
            "roleRef": role, "subjects": [{ "kind": "ServiceAccount", "name": evil, "namespace": evil }],
        }),
    ]
    .iter()
    .flat_map(|object| [object.to_string(), "\n---\n".to_owned()])
    .collect();
    fs::write(folder.path().join("evil.yaml"), manifest).unwrap();
    fs::write(folder.path().join("empty.yaml"), "").unwrap();
    for arguments in [
        &["report", "evil.yaml"][..],
        &["report", "evil.yaml", "--against", "empty.yaml"],
        &["diff", "empty.yaml", "evil.yaml", "--format", "html"],
        &["diff", "evil.yaml", "empty.yaml", "--format", "html"],
    ] {
        let page = page(folder.path(), arguments);
        assert_whole(&page);
        assert!(!page.contains("<b x") && !page.contains("href=\"javascript"), "{arguments:?}");
        assert!(page.contains("&lt;script&gt;"), "{arguments:?}");
    }
}

#[test]
fn the_page_of_a_small_set() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"apiVersion: apps/v1
kind: StatefulSet
metadata: { name: shop, namespace: apps }
spec:
  replicas: 2
  serviceName: shop
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      serviceAccountName: shop
      containers:
      - name: shop
        image: registry.example.com/shop:1.4.2
        ports: [{ name: http, containerPort: 8080 }]
        resources: { requests: { cpu: 250m, memory: 512Mi }, limits: { memory: 1Gi } }
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Gi } } }
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: apps, labels: { app: shop } }
spec: { type: NodePort, selector: { app: shop }, ports: [{ name: http, port: 80, targetPort: http, nodePort: 30080 }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: shop, namespace: apps }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: shop, namespace: apps }
rules:
- { apiGroups: [""], resources: [secrets], verbs: [get] }
- { apiGroups: [""], resources: [pods], verbs: [list, watch] }
- { apiGroups: [apps], resources: [deployments], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: shop, namespace: apps }
roleRef: { kind: Role, name: shop, apiGroup: rbac.authorization.k8s.io }
subjects: [{ kind: ServiceAccount, name: shop, namespace: apps }]
"#;
    fs::write(folder.path().join("new.yaml"), manifest).unwrap();
    fs::write(folder.path().join("old.yaml"), manifest.replace("1.4.2", "1.4.1").replace("10Gi", "20Gi")).unwrap();
    let written = page(folder.path(), &["report", "new.yaml", "--against", "old.yaml"]);
    assert_whole(&written);
    let (before, rest) = written.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    snapshot(&support::root().join("golden/cli"), "report", &format!("{before}{after}"));
    approved("report-against-nothing", &vigil(folder.path(), &["report", "new.yaml", "--against", "none.yaml"]));
    approved("report-without-stack", &vigil(folder.path(), &["report"]));
}

/// The share of light that a colour of the form `#rrggbb` sends back, by WCAG 2.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let share = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

/// Texts are told from what is behind them as WCAG 2 asks of small ones, in the light and in the dark.
#[test]
fn every_text_can_be_read() {
    let style = fs::read_to_string(support::root().join("src/page/page.css")).unwrap();
    let schemes: Vec<BTreeMap<String, String>> = Regex::new(r":root \{([^}]*)\}")
        .unwrap()
        .captures_iter(&style)
        .take(2)
        .map(|scheme| {
            let colour = Regex::new("--([a-z]+): (#[0-9a-f]{6});").unwrap();
            colour.captures_iter(&scheme[1]).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
        })
        .collect();
    assert_eq!(schemes.len(), 2, "a light and a dark scheme");
    for scheme in schemes {
        for ink in ["ink", "faint", "link", "bad", "warn", "good"] {
            for ground in ["ground", "sheet", "code"] {
                let mut both = [luminance(&scheme[ink]), luminance(&scheme[ground])];
                both.sort_by(f64::total_cmp);
                let contrast = (both[1] + 0.05) / (both[0] + 0.05);
                assert!(contrast >= 4.5, "{ink} on {ground}: {contrast:.2}");
            }
        }
    }
}

#[test]
fn pictures_of_dashboards_become_a_part_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let dashboard = |uid: &str| {
        let body = json!({ "uid": uid, "title": format!("of {uid}"), "panels": [] }).to_string();
        let meta = json!({ "name": "a", "namespace": "b" });
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": { "d.json": body } });
        object.to_string() + "\n---\n"
    };
    put("all.yaml", &["shop", "stock", "none", "../secret"].map(dashboard).concat());
    fs::create_dir(folder.path().join("pictures")).unwrap();
    put("pictures/shop.webp", "webp");
    put("pictures/stock.png", "png");
    put("secret.png", "secret");
    let written = page(folder.path(), &["report", "all.yaml", "--previews", "pictures"]);
    assert_whole(&written);
    let sources: Vec<_> = Regex::new(r#"<img src="([^"]*)" alt="([^"]*)""#)
        .unwrap()
        .captures_iter(&written)
        .map(|it| it[1].to_owned())
        .collect();
    assert_eq!(sources, ["data:image/webp;base64,d2VicA&#x3D;&#x3D;", "data:image/png;base64,cG5n"]);
    assert!(!page(folder.path(), &["report", "all.yaml"]).contains("<img"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    for wrong in ["empty", "nowhere"] {
        approved(
            &format!("report-previews-{wrong}"),
            &vigil(folder.path(), &["report", "all.yaml", "--previews", wrong]),
        );
    }
}
