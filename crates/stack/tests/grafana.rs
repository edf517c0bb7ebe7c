//! Grafana's rules: what is refused, and in which words; and the files that a stack names.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test stops at the first surprise, and has no readers")]

use std::fs;
use std::path::Path;
use vigil_stack::Stack;
use vigil_yaml::Source;

fn messages(stack: &str) -> Vec<String> {
    match Stack::parse(&Source::new("stack.yaml", stack)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.message).collect(),
    }
}

fn refused(grafana: &str, message: &str) {
    assert_eq!(messages(&format!("grafana: {grafana}\n")), [message], "{grafana}");
    assert_eq!(messages(&format!("grafana: {{ enabled: false, {}\n", &grafana[1..])), [""; 0], "{grafana}");
}

#[test]
fn combinations_that_cannot_work() {
    refused(
        "{ externalUrl: 'https://example.com/x?y=1' }",
        "the path of `https://example.com/x?y=1` is more than letters, digits, `-`, `_`, `.` and `~`",
    );
    refused(
        "{ externalUrl: 'https://example.com/%(protocol)s' }",
        "the path of `https://example.com/%(protocol)s` is more than letters, digits, `-`, `_`, `.` and `~`",
    );
    refused(
        "{ ingress: { enabled: true, path: /grafana } }",
        "the Ingress passes on `/grafana`, and Grafana answers at `/`",
    );
    refused(
        "{ externalUrl: 'https://example.com/grafana2', ingress: { enabled: true, path: /grafana } }",
        "the Ingress passes on `/grafana`, and Grafana answers at `/grafana2/`",
    );
    refused("{ plugins: [a@1, b@1, a@2] }", "the plugin `a` stands twice");
    refused("{ dashboards: [{ name: a, id: 1 }] }", "the dashboard `a` has no `revision`");
    refused("{ dashboards: [{ name: a, revision: 1 }] }", "the dashboard `a` has a `revision`, and no `id`");
    refused("{ dashboards: [{ name: a }] }", "the dashboard `a` comes from nowhere");
    refused(
        "{ dashboards: [{ name: a, id: 1, revision: 1 }, { name: a, id: 2, revision: 1 }] }",
        "two dashboards are called `a`",
    );
    refused(
        "{ dashboards: [{ name: a, file: a.json }] }",
        "the dashboard `a.json` cannot be read: the stack itself came from no file",
    );
}

#[test]
fn combinations_that_work() {
    for grafana in [
        "{ externalUrl: 'https://example.com' }",
        "{ externalUrl: 'https://example.com:3000/a/b/' }",
        "{ externalUrl: 'https://example.com/grafana', ingress: { enabled: true } }",
        "{ externalUrl: 'https://example.com/grafana/', ingress: { enabled: true, path: /grafana } }",
        "{ ingress: { enabled: true, host: example.com, path: /grafana } }",
        "{ dashboards: [{ name: a, id: 1, revision: 1 }, { name: b, id: 1, revision: 2 }] }",
    ] {
        assert_eq!(messages(&format!("grafana: {grafana}\n")), [""; 0], "{grafana}");
    }
}

#[test]
fn a_mistake_in_an_item_is_told_once() {
    assert_eq!(messages("grafana: { dashboards: [{ name: a, id: 70000, revision: 1 }] }\n").len(), 1);
    assert_eq!(messages("grafana: { dashboards: [{ name: a, file: ../x.json }] }\n").len(), 1);
}

#[test]
fn a_name_is_demanded_of_a_dashboard() {
    assert_eq!(messages("grafana: { dashboards: [{ id: 1, revision: 1 }] }\n").len(), 1);
}

#[test]
fn the_path_comes_from_the_address() {
    let of = |grafana: &str| {
        let text = format!("grafana: {grafana}\n");
        let grafana = Stack::parse(&Source::new("stack.yaml", text)).unwrap().stack.grafana;
        (grafana.address().unwrap_or_default(), grafana.path())
    };
    let pair = |address: &str, path: &str| (address.to_owned(), path.to_owned());
    assert_eq!(of("{}"), pair("", ""));
    assert_eq!(of("{ ingress: { host: x.example } }"), pair("", ""));
    assert_eq!(of("{ externalUrl: 'https://x.example/a/b/' }"), pair("https://x.example/a/b/", "/a/b"));
    assert_eq!(of("{ ingress: { enabled: true, host: x.example } }"), pair("http://x.example/", ""));
    assert_eq!(
        of("{ ingress: { enabled: true, host: x.example, path: /g, tls: { secretName: x } } }"),
        pair("https://x.example/g", "/g")
    );
}

#[test]
fn files_beside_the_stack() {
    let folder = std::env::temp_dir().join(format!("vigil-beside-{}", std::process::id()));
    fs::create_dir_all(folder.join("boards")).unwrap();
    let stack = folder.join("stack.yaml");
    let load = |body: Option<&str>| {
        let file = folder.join("boards/a.json");
        match body {
            Some(body) => fs::write(&file, body).unwrap(),
            None => drop(fs::remove_file(&file)),
        }
        fs::write(&stack, "grafana: { dashboards: [{ name: a, file: boards/a.json }] }\n").unwrap();
        let source = Source::read(&stack, 1 << 20).unwrap();
        Stack::load(&source, &stack)
            .map(|parsed| parsed.stack.grafana.dashboards[0].text.clone().unwrap())
            .map_err(|problems| problems.into_iter().map(|problem| problem.draw(false)).collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(load(Some("{\r\n\"title\": \"x\"}")).unwrap(), "{\n\"title\": \"x\"}");
    let error = |body: Option<&str>| load(body).unwrap_err();
    assert!(error(None).contains("the dashboard `boards/a.json` cannot be read: No such file"));
    assert!(error(None).contains("stack.yaml:1:42"), "{}", error(None));
    assert!(error(Some("{")).contains("is not JSON: EOF"));
    assert!(error(Some("[]")).contains("has no `title`"));
    let large = format!("{{ \"title\": \"x\", \"y\": \"{}\" }}", "\\n".repeat(90_000));
    assert!(error(Some(&large)).contains("takes 264 KiB in an object, and `kubectl apply` has room for 240"));
    assert!(error(Some(&large)).contains("split it into several dashboards"), "{}", error(Some(&large)));
    let wide = format!("{{ \"title\": \"x\",{}\"y\": 1 }}", " ".repeat(300_000));
    assert_eq!(load(Some(&wide)).unwrap(), "{\"title\":\"x\",\"y\":1}", "only what is too large loses its form");
    assert!(error(Some(&"x".repeat(2 << 20))).contains("is larger than 1048576 bytes"));
    fs::remove_dir_all(Path::new(&folder)).unwrap();
}
