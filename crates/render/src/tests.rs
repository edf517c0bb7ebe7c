//! The engine's promises, on small templates and on the real ones.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use vigil_stack::model::{
    Alloy, EVENT_LABELS, JOURNAL_LABELS, LOG_LABELS, NodeCollector, Part, ProbeModule, ProbeTarget,
};

static REAL: LazyLock<Templates> =
    LazyLock::new(|| Templates::read(std::path::Path::new("../../templates")).expect("the repository's templates"));

static ENGINE: LazyLock<Engine<'static>> =
    LazyLock::new(|| Engine::new(1, &REAL, &components()).expect("the repository's templates"));

/// Every component, switched on or not.
fn components() -> Vec<&'static str> {
    let names: Vec<_> = REAL.iter().map(|(path, _)| path.split('/').next().unwrap()).collect();
    names.chunk_by(|a, b| a == b).map(|same| same[0]).filter(|name| *name != "partials").collect()
}

/// Renders `template` as a document of the component flask with `facts`, and returns the documents.
fn documents(template: &str, facts: Value) -> Result<Vec<Value>, String> {
    let templates = Templates::new([("flask/x.yaml.hbs", template)]);
    let values = Values::new(facts);
    Engine::new(1, &templates, &["flask"])
        .and_then(|engine| engine.documents("flask/x.yaml.hbs", &values))
        .map_err(|problems| drawn(&problems))
}

fn drawn(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.draw(false)).collect::<Vec<_>>().join("\n\n")
}

fn error(template: &str, facts: Value) -> String {
    documents(template, facts).expect_err("the template is refused")
}

#[test]
fn strings_stay_strings_and_numbers_numbers() {
    let facts =
        json!({ "text": "on", "digits": "123", "empty": "", "number": 3, "flag": true, "list": ["a", 1, null] });
    let template = "a: {{text}}\nb: {{digits}}\nc: {{empty}}\nd: {{number}}\ne: {{flag}}\nf: {{json list}}\ng: x-{{text}}.{{number}}\n";
    assert_eq!(
        documents(template, facts).unwrap(),
        [json!({ "a": "on", "b": "123", "c": "", "d": 3, "e": true, "f": ["a", 1, null], "g": "x-on.3" })]
    );
}

#[test]
fn values_are_not_escaped_for_html() {
    assert_eq!(documents("a: {{x}}", json!({ "x": "<&>\"'" })).unwrap(), [json!({ "a": "<&>\"'" })]);
    assert_eq!(documents("a: [{{json x}}]", json!({ "x": {"k": "<&>"} })).unwrap(), [json!({ "a": [{"k": "<&>"}] })]);
}

#[test]
fn an_unknown_variable_is_an_error_with_its_line() {
    let message = error("a: 1\nb: {{loki.nam}}\n", json!({ "loki": { "name": "x" } }));
    assert_eq!(
        message,
        "error: unknown variable `loki.nam`\n --> templates/flask/x.yaml.hbs:2:4\n  |\n2 | b: {{loki.nam}}\n  |    ^^^^^^^^^^^^"
    );
    assert!(error("b: {{json loki.nam}}\n", json!({ "loki": {} })).contains("unknown variable"));
    assert!(error("{{#each loki.nam}}{{/each}}\n", json!({ "loki": {} })).contains("loki.nam"));
}

#[test]
fn malformed_templates_are_errors_with_their_line() {
    assert!(error("a: 1\nb: {{#if}\n", json!({})).contains("templates/flask/x.yaml.hbs:2"));
    assert!(error("{{#if a}}\n", json!({})).contains("templates/flask/x.yaml.hbs:"));
    assert!(error("a: {{> nothing}}\n", json!({})).contains("unknown partial `nothing`"));
    assert!(error("a: \u{e000}0\u{e001}\n", json!({})).contains("U+E000"));
}

#[test]
fn what_yaml_readers_disagree_on_is_refused() {
    for scalar in ["on", "0644", "1_000", "12e3", "=", "127.0.0.1"] {
        let message = error(&format!("a:\n  b: {scalar}\n"), json!({}));
        assert!(
            message.contains(&format!("`{scalar}` means different things")) && message.contains("2:6"),
            "{message}"
        );
    }
}

#[test]
fn broken_yaml_shows_the_value_and_not_its_token() {
    let message = error("a: [{{x}}\n", json!({ "x": "the value" }));
    assert!(message.contains("the value") && !message.contains('\u{e000}'), "{message}");
}

#[test]
fn what_is_laid_over_wins_key_by_key() {
    let facts = json!({ "config": { "b": { "c": "on", "e": [1] }, "f": null } });
    let template = "a: 1\nb:\n  c: off-by-default\n  d: 2\n\"$over\": {{json config}}\n";
    let expected = json!({ "a": 1, "b": { "c": "on", "d": 2, "e": [1] }, "f": null });
    assert_eq!(documents(template, facts.clone()), Ok(vec![expected.clone()]));
    let below = format!("x:\n- {}\n", template.trim_end().replace('\n', "\n  "));
    assert_eq!(documents(&below, facts), Ok(vec![json!({ "x": [expected] })]));
}

#[test]
fn files_are_placed_whole_with_their_checksum() {
    let stack = Stack::default();
    let files = |body: &'static str| {
        let templates = Templates::new([
            ("flask/files/f.yaml.hbs", body),
            (
                "flask/x.yaml.hbs",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: apps\n  labels: {{json flask.labels}}\ndata:\n  f: {{file \"flask/f.yaml\"}}\n  sum: {{checksum \"flask/f.yaml\"}}\n",
            ),
        ]);
        render(&stack, &templates).map(|rendering| rendering.objects[0].value["data"].clone()).map_err(|p| drawn(&p))
    };
    let one = files("b: 1\na: {{flask.name}}\n").unwrap();
    assert_eq!(one["f"], "a: deploy-flask\nb: 1\n");
    assert_eq!(one["sum"].as_str().unwrap().len(), 64);
    assert_ne!(one["sum"], files("b: 2\n").unwrap()["sum"]);
    assert!(files("a: [\n").unwrap_err().contains("templates/flask/files/f.yaml.hbs"));
    assert!(files("").unwrap_err().contains("no file `flask/f.yaml`"));
}

#[test]
fn ini_files_keep_their_lines() {
    let templates = |body: &'static str| {
        Templates::new([
            ("flask/files/f.ini.hbs", body),
            (
                "flask/x.yaml.hbs",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: apps\n  labels: {{json flask.labels}}\ndata:\n  f: {{file \"flask/f.ini\"}}\n",
            ),
        ])
    };
    let file = |body: &'static str| {
        render(&Stack::default(), &templates(body))
            .map(|rendering| rendering.objects[0].value["data"]["f"].clone())
            .map_err(|problems| drawn(&problems))
    };
    assert_eq!(file("# why\n[a]\nb={{flask.name}}/x\n").unwrap(), "[a]\nb = deploy-flask/x\n");
    let message = file("[a]\nb = {{flask.name}} # x\n").unwrap_err();
    assert!(message.contains("`deploy-flask # x` means different things to different INI readers"), "{message}");
    assert!(message.contains("templates/flask/files/f.ini.hbs (rendered):2:1"), "{message}");
    assert!(file("[a]\nb = 1\n{{flask.name}} = 2\n").unwrap_err().contains("expected the name of a key"));
    assert!(file("[{{flask.name}}]\n").unwrap_err().contains("expected the name of a section"));
}

#[test]
fn a_text_of_no_known_format_takes_bare_words_alone() {
    let file = |facts: Value| {
        let templates = Templates::new([("flask/files/f.conf.hbs", "listen {{flask.name}}; # {{flask.port}}\n")]);
        let engine = Engine::new(1, &templates, &["flask"]).unwrap();
        engine.file("flask/files/f.conf.hbs", &Values::new(facts)).map_err(|problems| drawn(&problems))
    };
    let with = |name: &str| file(json!({ "flask": { "name": name, "port": 80 } }));
    assert_eq!(with("a-b.c_1").unwrap().unwrap(), "listen a-b.c_1; # 80\n");
    for name in ["a b", "a;", "{", "", "a\nb", "ä"] {
        assert!(with(name).unwrap_err().contains("is no bare word"), "{name}");
    }
}

/// What a stack's Grafana is told in its INI file.
#[test]
fn grafana_answers_below_a_path_only_if_its_address_has_one() {
    let ini = |grafana: &str| {
        let text = format!("grafana: {{ {grafana} }}");
        let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).unwrap().stack;
        let rendering = render(&stack, &REAL).unwrap();
        let object = rendering.objects.iter().find(|object| object.value["data"]["grafana.ini"].is_string()).unwrap();
        let lines = object.value["data"]["grafana.ini"].as_str().unwrap().lines();
        lines.filter(|line| line.contains("root_url") || line.contains("sub_path")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(ini(""), "");
    assert_eq!(ini("externalUrl: https://x.example"), "root_url = https://x.example");
    assert_eq!(ini("externalUrl: https://x.example/g/"), "root_url = https://x.example/g/, serve_from_sub_path = true");
    assert_eq!(
        ini("ingress: { enabled: true, host: x.example, path: /g }"),
        "root_url = http://x.example/g, serve_from_sub_path = true"
    );
}

#[test]
fn plain_data_gets_labels_and_annotations_and_stays_as_it_is() {
    const PLAIN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: apps\n  labels:\n    own: \"1\"\ndata:\n  a: \"{{not}} a template\"\n  b: |\n    metadata:\n";
    let stack =
        Stack::parse(&vigil_yaml::Source::new("stack.yaml", "annotations: {example.com/x: y}\n")).unwrap().stack;
    let rendering = render(&stack, &Templates::new([("flask/x.yaml", PLAIN)])).unwrap();
    let object = &rendering.objects[0];
    assert_eq!(object.title(), "ConfigMap apps/x");
    assert_eq!(object.value["metadata"]["labels"]["own"], "1");
    assert_eq!(object.value["metadata"]["labels"]["app.kubernetes.io/name"], "flask-web-deploy");
    assert_eq!(object.value["metadata"]["annotations"]["example.com/x"], "y");
    assert_eq!(object.value["data"], json!({ "a": "{{not}} a template", "b": "metadata:\n" }));
    let text = &rendering.files["flask/x.yaml"];
    assert!(
        text.starts_with("# Generated by `vigil render` from templates/flask/x.yaml; edits are lost.\napiVersion: v1")
    );
    assert!(
        text.ends_with(&format!("\n{}", object.value.text()))
            && text.ends_with(&PLAIN[PLAIN.find("\ndata:").unwrap()..])
    );
    assert_eq!(object.value.text(), vigil_yaml::write(&object.value), "canonical as a whole");
}

/// What is said of a dashboard of the test application with two panels, which link and name what is given.
fn dashboard(link: &str, alerts: [&str; 2]) -> String {
    let panel = |alert: &str| format!("  - {{ title: {alert} there, explain: x, alerts: [{alert}] }}\n");
    let file = format!(
        "title: T\nfolder: F\ndescription: D\nvariables: []\nlinks:\n- {{ title: L, dashboard: {link} }}\nrows:\n- title: R\n  panels:\n{}{}",
        panel(alerts[0]),
        panel(alerts[1])
    );
    let rules = "groups:\n- name: app\n  rules:\n  - alert: AppDown\n    expr: vector(1)\n    labels: { severity: warning }\n    annotations: { summary: s, description: d }\n  - alert: AppSlow\n    expr: vector(1)\n    labels: { severity: warning }\n    annotations: { summary: s, description: d }\n";
    let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", "flask: {}\n")).unwrap().stack;
    let templates = Templates::new([("flask/dashboards/app.yaml", file.as_str()), ("flask/rules/app.yaml", rules)]);
    render(&stack, &templates).map_or_else(|problems| drawn(&problems), |_| String::new())
}

#[test]
fn dashboards_name_what_there_is_and_an_alert_once() {
    let wrong = |said: &str| {
        format!("error: {}", said.replacen('|', "\n--> templates/flask/dashboards/app.yaml\n = help: ", 1))
    };
    assert_eq!(dashboard("flask/app", ["AppDown", "AppSlow"]), "");
    assert_eq!(
        dashboard("flask/ap", ["AppDown", "AppSlow"]),
        wrong("there is no dashboard `flask/ap`|did you mean `flask/app`?")
    );
    assert_eq!(
        dashboard("flask/app", ["AppDown", "AppSlo"]),
        wrong("there is no alert `AppSlo`|did you mean `AppSlow`?")
    );
    assert_eq!(
        dashboard("flask/app", ["AppDown", "AppDown"]),
        wrong(
            "two panels name the alert `AppDown`: `AppDown there` and `AppDown there`|Grafana leads to one; the other is in templates/flask/dashboards/app.yaml"
        )
    );
}

#[test]
fn plain_data_is_checked_when_it_is_read() {
    let folder = std::env::temp_dir().join(format!("vigil-plain-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("crds")).unwrap();
    let message = |text: &str| {
        std::fs::write(folder.join("crds/x.yaml"), text).unwrap();
        Templates::read(&folder).map(drop).map_err(|problems| drawn(&problems))
    };
    assert_eq!(message("apiVersion: v1\nkind: X\nspec:\n  a: 1\n"), Ok(()));
    assert!(message("kind: X\napiVersion: v1\n").unwrap_err().contains("not in canonical form"));
    let late = message("apiVersion: v1\nkind: X\nspec:\n  b: 1\n  a: 1\n").unwrap_err();
    assert!(late.contains("not in canonical form") && late.contains(":4:"), "{late}");
    assert!(message("apiVersion: v1\nkind: 'ä'\n").unwrap_err().contains("not in canonical form"));
    assert!(message("a: 1\n---\nb: 1\n").unwrap_err().contains("second document"));
    assert!(message("a: [\n").is_err());
    assert!(message("").unwrap_err().contains("not in canonical form"));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// An object of a component, for the structure rules.
fn object(kind: &str, namespace: &str, body: Value) -> Object {
    let labels: serde_json::Map<_, _> = ["name", "instance", "component", "part-of", "managed-by"]
        .iter()
        .map(|label| (format!("app.kubernetes.io/{label}"), "x".into()))
        .collect();
    let mut value = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "x", "labels": labels } });
    if !namespace.is_empty() {
        value["metadata"]["namespace"] = namespace.into();
    }
    if let Value::Object(body) = body {
        value.as_object_mut().unwrap().extend(body);
    }
    Object {
        component: "flask",
        path: "flask/x.yaml".to_owned(),
        template: "flask/x.yaml.hbs".to_owned(),
        value: value.into(),
        patches: Vec::new(),
    }
}

fn findings(objects: &[Object]) -> Vec<String> {
    structure::check(&Stack::default(), objects).into_iter().map(|problem| problem.message).collect()
}

#[test]
fn every_structure_rule_can_fail() {
    let pods = |selector: Value, labels: Value| json!({ "spec": { "selector": { "matchLabels": selector }, "template": { "metadata": { "labels": labels } } } });
    let fine = object("Deployment", "y", pods(json!({ "a": "1" }), json!({ "a": "1", "b": "2" })));
    assert_eq!(findings(std::slice::from_ref(&fine)), [""; 0]);
    assert_eq!(
        findings(&[fine.clone(), fine]),
        ["Deployment y/x: made a second time; first by templates/flask/x.yaml.hbs"]
    );
    assert_eq!(
        findings(&[object("Deployment", "y", pods(json!({ "a": "1" }), json!({ "a": "2" })))]),
        ["Deployment y/x: its selector wants `a`, which its own pods do not carry"]
    );
    let version = json!({ "app.kubernetes.io/version": "1" });
    assert_eq!(
        findings(&[object("Deployment", "y", pods(version.clone(), version))]),
        ["Deployment y/x: its selector holds `app.kubernetes.io/version`, which changes with a release"]
    );
    assert_eq!(findings(&[object("Service", "", json!({}))]), ["Service x: no namespace"]);
    assert_eq!(findings(&[object("ClusterRole", "y", json!({}))]), ["ClusterRole y/x: its kind has no namespace"]);
    assert_eq!(findings(&[object("Servise", "y", json!({}))]), ["Servise y/x: unknown kind `Servise`"]);
    assert_eq!(findings(&[object("Service", "y", json!({ "kind": "" }))]), [" y/x: not an object"]);
    let bare = json!({ "metadata": { "name": "x", "namespace": "y", "labels": {} } });
    assert_eq!(findings(&[object("Service", "y", bare)]).len(), 5);
    // Each bracket takes six bytes in what kubectl keeps.
    let large = |bytes: usize| object("ConfigMap", "y", json!({ "data": { "a": "<".repeat(bytes / 6) } }));
    assert_eq!(findings(&[large(250 << 10)]), [""; 0]);
    let [found] = &findings(&[large(253 << 10)])[..] else { panic!("one finding") };
    assert!(found.starts_with("ConfigMap y/x: its annotations would hold 259"), "{found}");
}

fn labels_and_annotations(objects: &[Object]) -> impl Iterator<Item = (&Object, &Value, &Value)> {
    objects.iter().map(|object| {
        let metadata = &object.value.head()["metadata"];
        (object, &metadata["labels"], &metadata["annotations"])
    })
}

/// What is taken as it stands is not measured at every render.
#[test]
fn no_template_is_larger_than_kubectl_can_apply() {
    // Labels and annotations of a stack come on top.
    const ROOM: usize = (256 << 10) - (16 << 10);
    let objects = render(&switched(), &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    let mut sizes: Vec<_> =
        objects.iter().map(|object| (vigil_yaml::last_applied_len(&object.value), object.title())).collect();
    sizes.sort_unstable();
    let (largest, title) = sizes.last().expect("objects");
    assert!(*largest > 100_000 && *largest < ROOM, "{title}: {largest} bytes");
}

/// Changes the settings of every part, as they stand below its key.
fn change_parts(stack: &mut Stack, mut change: impl FnMut(&dyn Part, &mut Value)) {
    let mut value = serde_json::to_value(&*stack).expect("a stack");
    stack.parts().into_iter().for_each(|(name, part)| change(part, &mut value[name]));
    let changed: Stack = serde_json::from_value(value).expect("a stack");
    // Their texts were read from beside the stack.
    let dashboards = std::mem::take(&mut stack.grafana.dashboards);
    *stack = changed;
    stack.grafana.dashboards = dashboards;
}

#[test]
fn labels_and_annotations_of_a_component_come_before_the_common_ones() {
    let mut stack = switched();
    let key = |text: &str| text.parse().expect("a key");
    stack.labels = [("of-all", "common"), ("of-one", "common")].map(|(k, v)| (key(k), v.parse().unwrap())).into();
    stack.annotations =
        [("a", "common"), ("b", "common")].map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).into();
    let common = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    let selectors = |objects: &[Object]| {
        let parts = ["/spec/selector", "/spec/podSelector", "/spec/namespaceSelector"];
        let of = |object: &Object| parts.map(|part| object.value.pointer(part).cloned());
        objects.iter().map(of).collect::<Vec<_>>()
    };
    change_parts(&mut stack, |part, settings| {
        if part.metadata().is_some() {
            settings["labels"]["of-one"] = "own".into();
            settings["annotations"]["b"] = "own".into();
        }
    });
    let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    for (object, labels, annotations) in labels_and_annotations(&objects) {
        let expected = if ["namespaces", "crds"].contains(&object.component) { "common" } else { "own" };
        let found = [&labels["of-all"], &labels["of-one"], &annotations["a"], &annotations["b"]];
        assert_eq!(found, ["common", expected, "common", expected], "{}", object.title());
    }
    assert_eq!(selectors(&objects), selectors(&common), "labels of the stack are no part of selectors");
}

/// What no key of the stack reaches, nobody can change when it is killed for its memory.
#[test]
fn every_container_has_a_key_for_what_it_may_use() {
    use vigil_stack::model::AdmissionWebhooks;
    let mut stack = switched();
    stack.promtail.enabled = true;
    stack.flask.nginx = true;
    stack.grafana.admin_secret.existing = None;
    stack.prometheus_operator.admission_webhooks = AdmissionWebhooks::Job;
    stack.prometheus_operator.reloader_resources.limits.memory = "77Mi".parse().ok();
    let mut keys = 0;
    change_parts(&mut stack, |part, settings| {
        let Some(pods) = part.pods() else { return };
        settings["pods"]["resources"]["limits"]["memory"] = "4444Mi".into();
        for (at, (name, _)) in pods.other_containers().into_iter().enumerate() {
            settings["pods"]["containers"][name]["limits"]["memory"] = format!("555{at}Mi").into();
            keys += 1;
        }
    });
    let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    let (mut mains, mut others) = (0, std::collections::BTreeSet::new());
    for object in &objects {
        let spec = &object.value.head()["spec"];
        if ["Prometheus", "Alertmanager"].contains(&object.kind()) {
            assert_eq!(spec["resources"]["limits"]["memory"], "4444Mi", "{}", object.title());
        }
        if let Some(limit) = spec["thanos"]["resources"]["limits"]["memory"].as_str() {
            others.insert(("thanos", limit.to_owned()));
        }
        let lists = ["containers", "initContainers"].map(|list| spec["template"]["spec"][list].as_array());
        for container in lists.into_iter().flatten().flatten() {
            let limit = container["resources"]["limits"]["memory"].as_str().unwrap_or("none");
            let request = container["resources"]["requests"]["memory"].as_str();
            assert!(request.is_some(), "{} {}", object.title(), container["name"]);
            match limit {
                "4444Mi" => mains += 1,
                limit => {
                    assert!(limit.starts_with("555"), "{} {}: {limit}", object.title(), container["name"]);
                    others.insert((object.component, limit.to_owned()));
                }
            }
            let arguments = container["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut told = arguments.filter_map(|argument| argument.strip_prefix("--config-reloader-memory-limit="));
            assert!(told.all(|limit| limit == "77Mi"), "{}", object.title());
        }
    }
    assert!(mains >= 9, "{mains} main containers");
    assert_eq!(others.len(), keys, "a key for each: {others:?}");
}

/// Whatever key the templates set themselves, a stack cannot.
#[test]
fn no_label_of_the_stack_collides_with_our_own() {
    let mut stack = switched();
    for labels in [
        &mut stack.labels,
        &mut stack.grafana.labels,
        &mut stack.namespaces.labels,
        &mut stack.pods.labels,
        &mut stack.prometheus.pods.labels,
    ] {
        labels.clear();
    }
    stack.promtail.enabled = true;
    stack.promtail.monitored = true;
    let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    let mut keys = std::collections::BTreeSet::new();
    for (_, labels, _) in labels_and_annotations(&objects) {
        keys.extend(labels.as_object().expect("labels").keys().cloned());
    }
    assert!(keys.len() > 8, "{keys:?}");
    for key in keys {
        let text = format!("labels:\n  {key}: x\n");
        let problems = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).expect_err("reserved");
        let shown = drawn(&problems);
        assert!(shown.contains("set by this tool itself") && shown.contains("stack.yaml:2:3"), "{key}: {shown}");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let stack = Stack::default();
    let one = render_on(1, &stack, &REAL, None).unwrap();
    for threads in [2, 3, 64] {
        for _ in 0..3 {
            let many = render_on(threads, &stack, &REAL, None).unwrap();
            assert!(many.files == one.files && many.objects == one.objects, "{threads} threads");
        }
    }
}

#[test]
fn a_templates_directory_that_is_none() {
    let message = |path: &str| drawn(&Templates::read(std::path::Path::new(path)).unwrap_err());
    assert!(message("no/such/place").contains("cannot be read as a templates directory"));
    let empty = std::env::temp_dir().join(format!("vigil-no-templates-{}", std::process::id()));
    std::fs::create_dir_all(&empty).unwrap();
    assert!(message(&empty.display().to_string()).contains("holds no templates"));
    std::fs::remove_dir(&empty).unwrap();
}

/// All documents of all components, straight from `facts`: objects, values files, and bodies parsed.
fn everything(facts: &Value) -> Result<BTreeMap<String, Vec<Value>>, String> {
    let mut all = BTreeMap::new();
    let mut values = Values::new(facts.clone());
    for component in components() {
        for name in REAL.files_of(component) {
            if let Some(text) = ENGINE.file(name, &values).map_err(|problems| drawn(&problems))? {
                if name.ends_with(".alloy.hbs") {
                    all.insert(name.to_owned(), vigil_alloy::words(&text).map_err(|problem| problem.message)?);
                    values.add_file(name, "the file");
                    continue;
                }
                if !name.contains(".yaml") && !name.contains(".json") {
                    all.insert(name.to_owned(), vec![lines(&text)]);
                    values.add_file(name, "the file");
                    continue;
                }
                let source = vigil_yaml::Source::new(name, text.as_str());
                let body = vigil_yaml::read_one(&source, &vigil_yaml::Limits::default()).map_err(|p| drawn(&p))?;
                all.insert(name.to_owned(), body.iter().map(vigil_yaml::Node::to_json).collect());
                // Its text stands in an object too, quoted anew for each value: what counts there is compared above.
                values.add_file(name, "the file");
            }
        }
    }
    for component in components() {
        for name in REAL.documents_of(component).filter(|path| path.ends_with(".hbs")) {
            all.insert(name.to_owned(), ENGINE.documents(name, &values).map_err(|problems| drawn(&problems))?);
        }
    }
    Ok(all)
}

/// What a reader of INI files takes for comments, sections, keys and values, line by line. A value may hold another `=`.
fn lines(text: &str) -> Value {
    let parts = |line: &str| -> Value {
        line.splitn(2, '=').flat_map(|part| part.split(['#', ';'])).map(|part| Value::from(part.trim())).collect()
    };
    text.split(['\n', '\r']).map(parts).collect()
}

/// The stack with every switch the other way, without its patches: what they are for may be off where a test changes it.
fn switched() -> Stack {
    let path = std::path::Path::new("../../stacks/switched.yaml");
    let source = vigil_yaml::Source::read(path, Stack::LIMITS.bytes).expect("the repository's stack");
    Stack { patches: Vec::new(), ..Stack::load(&source, path).expect("a sound stack").stack }
}

#[test]
fn an_image_that_names_the_mirror_is_pulled_as_it_is_written() {
    let text = "imageRegistry: registry.example.com:5000/mirror\n\
                flask: {image: 'registry.example.com:5000/team/shop:1'}\n\
                grafana: {image: 'docker.io/grafana/grafana:12.3.0'}\n";
    let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).unwrap().stack;
    let objects = render(&stack, &REAL).unwrap().objects;
    let images = |component: &str| -> Vec<String> {
        let mut deployments = objects.iter().filter(|object| object.kind() == "Deployment");
        let found = deployments.find(|object| object.component == component).unwrap();
        let containers = found.value["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        containers.iter().map(|container| container["image"].as_str().unwrap().to_owned()).collect()
    };
    assert!(images("flask").contains(&"registry.example.com:5000/team/shop:1".to_owned()), "{:?}", images("flask"));
    let grafana = "registry.example.com:5000/mirror/grafana/grafana:12.3.0".to_owned();
    assert!(images("grafana").contains(&grafana), "{:?}", images("grafana"));
}

/// Loki in object storage of each kind: the section of its configuration, what stands in for Secrets, and what is mounted.
#[test]
fn what_object_storage_asks_for_is_in_the_pod() {
    let secret = "{name: a, key: b}";
    let keys = format!("credentials: {{accessKeyId: {secret}, secretAccessKey: {secret}}}, caSecret: {secret}");
    let mounted = |file: &str| json!({ "secretName": "a", "items": [{ "key": "b", "path": file }] });
    for (kind, provider, settings, env, volume, expands) in [
        (
            "s3",
            format!("{{endpoint: 's3.example.com', {keys}}}"),
            json!({ "bucket_name": "logs", "endpoint": "s3.example.com", "insecure": false, "http": { "tls_ca_path": "/etc/object-storage/ca.crt" } }),
            "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY",
            mounted("ca.crt"),
            false,
        ),
        (
            "s3",
            "{endpoint: a, insecure: true}".to_owned(),
            json!({ "bucket_name": "logs", "endpoint": "a", "insecure": true }),
            "",
            Value::Null,
            false,
        ),
        (
            "gcs",
            format!("{{serviceAccount: {secret}}}"),
            json!({ "bucket_name": "logs" }),
            "GOOGLE_APPLICATION_CREDENTIALS",
            mounted("service-account.json"),
            false,
        ),
        ("gcs", "{}".to_owned(), json!({ "bucket_name": "logs" }), "", Value::Null, false),
        (
            "azure",
            format!("{{account: acme, endpointSuffix: blob.example.com, accountKey: {secret}}}"),
            json!({ "account_name": "acme", "container_name": "logs", "endpoint_suffix": "blob.example.com", "account_key": "${AZURE_STORAGE_KEY}" }),
            "AZURE_STORAGE_KEY",
            Value::Null,
            true,
        ),
        (
            "azure",
            "{account: acme}".to_owned(),
            json!({ "account_name": "acme", "container_name": "logs" }),
            "",
            Value::Null,
            false,
        ),
    ] {
        let text = format!(
            "objectStorage: {{{kind}: {provider}, buckets: {{loki: logs}}}}\n\
             loki: {{schema: [{{from: 2024-01-01}}, {{from: 2026-01-01, objectStore: {kind}}}]}}\n"
        );
        let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text.as_str())).unwrap().stack;
        let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
        let of = |kind: &str| &objects.iter().find(|it| it.component == "loki" && it.kind() == kind).unwrap().value;
        let config = of("ConfigMap")["data"]["loki.yaml"].as_str().unwrap();
        let config =
            vigil_yaml::read_one(&vigil_yaml::Source::new("loki.yaml", config), &vigil_yaml::Limits::default());
        let config = config.unwrap().unwrap().to_json();
        let stores = &config["storage_config"]["object_store"];
        assert_eq!(stores[kind], settings, "{text}");
        assert_eq!(stores["filesystem"], json!({ "dir": "/data/loki/chunks" }), "{text}");
        assert_eq!(config["compactor"]["delete_request_store"], kind, "{text}");
        let pod = &of("StatefulSet")["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let own = variables(container).filter(|name| *name != "GOMEMLIMIT").collect::<Vec<_>>().join(" ");
        assert_eq!(own, env, "{text}");
        let found = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "object-storage");
        assert_eq!(found.map_or(Value::Null, |found| found["secret"].clone()), volume, "{text}");
        assert_eq!(
            container["args"].as_array().unwrap().contains(&json!("-config.expand-env=true")),
            expands,
            "{text}"
        );
        let needed = stack.provided().iter().any(|it| it.kind.as_str() == "Secret" && it.name.as_str() == "a");
        assert_eq!(needed, !env.is_empty(), "{text}");
    }
}

/// Log lines go to other Lokis as well, or alone: both collectors say so in their own way, and take credentials from Secrets.
#[test]
fn collectors_send_to_other_lokis() {
    const OUTPUTS: &str = "outputs: [{url: 'https://a.example.com/push', tenant: t, basicAuth: {username: {name: s, key: u}, password: {name: s, key: p}}}, {url: 'https://b.example.com/push', authorization: {credentials: {name: z, key: k}}}]";
    for (promtail, loki) in [(true, true), (true, false), (false, true), (false, false)] {
        let (on, off) = if promtail { ("promtail", "alloy") } else { ("alloy", "promtail") };
        let text =
            format!("{on}: {{enabled: true, {OUTPUTS}}}\n{off}: {{enabled: false}}\nloki: {{enabled: {loki}}}\n");
        let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text.as_str())).unwrap().stack;
        let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
        let of = |kind: &str| &objects.iter().find(|it| it.component == on && it.kind() == kind).unwrap().value;
        let configs = of("ConfigMap")["data"].as_object().unwrap();
        let config = configs.values().next().unwrap().as_str().unwrap();
        assert_eq!(config.contains("loki-stack.myloki"), loki, "{text}{config}");
        for word in ["https://a.example.com/push", "https://b.example.com/push", "tenant_id"] {
            assert!(config.contains(word), "{text}{config}");
        }
        let pod = &of("DaemonSet")["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        if promtail {
            for path in ["s/u", "s/p", "z/k"] {
                assert!(config.contains(&format!("_file: /etc/log-outputs/{path}")), "{config}");
            }
            let mounted: Vec<_> = pod["volumes"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|it| it["secret"]["secretName"].as_str())
                .collect();
            assert_eq!(mounted, ["s", "z"]);
        } else {
            let used = ["LOG_OUTPUT_0_USERNAME", "LOG_OUTPUT_0_PASSWORD", "LOG_OUTPUT_1_CREDENTIALS"];
            assert!(used.iter().all(|name| config.contains(&format!("sys.env(\"{name}\")"))), "{config}");
            let set: Vec<_> = variables(container).filter(|name| name.starts_with("LOG_OUTPUT")).collect();
            assert_eq!(set, used);
        }
        let secrets = stack.provided().into_iter().filter(|it| it.kind.as_str() == "Secret");
        assert_eq!(secrets.map(|it| it.name.to_string()).collect::<Vec<_>>(), ["s", "z"]);
    }
}

/// The configuration of a collector.
fn collector_config(stack: &Stack, component: &str) -> String {
    let objects = render(stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
    let config = objects.iter().find(|it| it.component == component && it.kind() == "ConfigMap").unwrap();
    let mut files = config.value["data"].as_object().unwrap().iter();
    // Beside files of people.
    let own = files.find(|(name, _)| ["config.alloy", "promtail.yaml"].contains(&name.as_str()));
    own.unwrap().1.as_str().unwrap().to_owned()
}

/// The stack of all switches with Promtail, which does with lines what Alloy does there.
fn with_promtail() -> Stack {
    let mut stack = switched();
    stack.promtail.enabled = true;
    stack.promtail.pipelines = std::mem::take(&mut stack.alloy.pipelines);
    stack.promtail.journal = std::mem::take(&mut stack.alloy.journal);
    stack.alloy.enabled = false;
    stack
}

/// Every stage in the words of Promtail; Alloy's are in `golden/switched`.
#[test]
fn promtail_does_with_lines_what_the_stack_says() {
    let stack = with_promtail();
    let yaml = |text: &str| {
        let read = vigil_yaml::read_one(&vigil_yaml::Source::new("t", text), &vigil_yaml::Limits::default());
        read.unwrap().unwrap().to_json()
    };
    let scrapes = &yaml(&collector_config(&stack, "promtail"))["scrape_configs"];
    let expected = json!([
        { "cri": {} },
        { "replace": { "expression": "(?i)(?:password|token)[=:]\\s*(\\S+)", "replace": "***" } },
        { "replace": { "expression": "\\b(\\d{4}-?\\d{4}-?\\d{4}-?\\d{4})\\b", "replace": "" } },
        { "drop": { "older_than": "168h" } },
        { "drop": { "longer_than": "262144B" } },
        { "match": { "selector": "{namespace=\"apps\", container=\"echo\"}", "stages": [
            { "multiline": { "firstline": "^\\d{4}-\\d{2}-\\d{2} ", "max_wait_time": "1500ms", "max_lines": 500 } },
            { "regex": { "expression": "(?s)^(?P<time>\\S+ \\S+) (?P<level>[A-Z]+) (?P<rest>.*)" } },
            { "logfmt": { "mapping": { "trace": "trace-id" }, "source": "rest" } },
            { "timestamp": { "source": "time", "format": "2006-01-02 15:04:05", "location": "Europe/Berlin" } },
            { "labels": { "level": "level" } },
            { "structured_metadata": { "trace_id": "trace" } },
            { "output": { "source": "rest" } },
        ] } },
        { "match": { "selector": "{app=~\"shop-.+\", stream=\"stdout\"}", "stages": [
            { "json": { "expressions": {
                "agent": "request.headers.\"user-agent\"", "level": "level", "nested": "nested", "path": "request.path",
            } } },
            { "json": { "expressions": { "code": "errors[0].code" }, "source": "nested" } },
            { "regex": { "expression": "^/(?P<area>[a-z]+)", "source": "path" } },
            { "replace": { "expression": "([0-9]+)", "replace": "N", "source": "path" } },
            { "labels": { "area": "area", "severity": "level" } },
            { "structured_metadata": { "agent": "agent", "code": "code", "path": "path", "pod": "pod" } },
            { "drop": { "source": "level", "value": "debug" } },
            { "drop": { "source": "path", "expression": "^/health" } },
        ] } },
        { "match": { "selector": "{job=\"systemd-journal\", level=\"debug\"}", "stages": [
            { "drop": { "source": "unit" } },
        ] } },
    ]);
    assert_eq!(scrapes[0]["pipeline_stages"], expected);
    let journal = json!({
        "job_name": "journal",
        "journal": { "max_age": "24h", "labels": { "job": "systemd-journal", "site": "berlin" } },
        // Its lines are no files of a container runtime.
        "pipeline_stages": expected.as_array().unwrap()[1..],
        "relabel_configs": [
            { "action": "replace", "source_labels": ["__journal__systemd_unit"], "target_label": "unit" },
            {
                "action": "replace", "source_labels": ["unit"], "replacement": "$1.$2", "target_label": "unit",
                "regex": "(session|run|docker|crio|cri-containerd)-[^.]+\\.(scope|service)",
            },
            { "action": "replace", "source_labels": ["__journal_priority_keyword"], "target_label": "level" },
            { "action": "replace", "source_labels": ["__journal__hostname"], "target_label": "node" },
        ],
    });
    assert_eq!(scrapes[1], journal);
    // The chart gets the same.
    let values = yaml(&render(&stack, &REAL).unwrap().files["values/loki-stack.yaml"]);
    let snippets = &values["promtail"]["config"]["snippets"];
    assert_eq!(snippets["pipelineStages"], expected);
    assert_eq!(yaml(snippets["extraScrapeConfigs"].as_str().unwrap()), json!([journal]));
}

/// What the stack takes for the labels of lines are those that both configurations give them, the file that collectors add, and
/// the stream that the container runtime tells.
#[test]
fn the_labels_of_lines_are_those_of_the_configurations() {
    let targets = |config: &str| -> BTreeSet<String> {
        let lines = config.lines().filter_map(|line| line.trim().strip_prefix("target_label"));
        let names = lines.map(|rest| rest.trim_matches([' ', '=', ':', '"']).to_owned());
        names.filter(|name| !name.starts_with("__")).chain(["filename", "stream"].map(str::to_owned)).collect()
    };
    let known: BTreeSet<String> = LOG_LABELS.into_iter().chain(JOURNAL_LABELS).map(str::to_owned).collect();
    assert_eq!(targets(&collector_config(&switched(), "alloy")), known);
    assert_eq!(targets(&collector_config(&with_promtail(), "promtail")), known);
    let objects = render(&switched(), &REAL).unwrap().objects;
    let events = objects.iter().find(|it| it.kind() == "ConfigMap" && it.name() == "alloy-events").unwrap();
    let config = events.value["data"]["config.alloy"].as_str().unwrap();
    let (_, labels) = config.split_once("stage.labels {").unwrap();
    let (labels, _) = labels.split_once("\t\t}").unwrap();
    let labels: Vec<_> = labels.lines().filter_map(|line| line.trim().strip_suffix(',')?.split(" = ").next()).collect();
    assert_eq!(labels, EVENT_LABELS);
}

/// What files beside the stack may not declare again, and may refer to.
#[test]
fn the_components_of_alloy_are_those_of_its_configuration() {
    let source = vigil_yaml::Source::new("config.alloy", collector_config(&switched(), "alloy"));
    let blocks = vigil_alloy::outline(&source).unwrap().blocks.into_iter().filter(|block| block.is_outermost);
    let declared: BTreeSet<_> = blocks.map(|block| block.named.name).collect();
    assert_eq!(declared, Alloy::all_components().into_iter().map(str::to_owned).collect());
}

/// Events come from one pod, which may read them and nothing else, where the stack says so and nowhere besides.
#[test]
fn events_have_a_pod_of_their_own() {
    let of = |events: &str| {
        let text = format!("promtail: {{enabled: false}}\nalloy: {{enabled: true, events: {events}}}\n");
        let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).unwrap().stack;
        let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
        let its = objects.into_iter().filter(|it| it.name() == "alloy-events");
        its.map(|it| format!("{} {}", it.kind(), it.namespace())).collect::<Vec<_>>()
    };
    assert_eq!(of("{}"), [""; 0]);
    let common = ["ConfigMap myloki", "Deployment myloki", "ClusterRole "];
    let behind = ["Service myloki", "ServiceAccount myloki", "ServiceMonitor myloki"];
    let with = |bindings: &[&'static str]| [common.as_slice(), bindings, behind.as_slice()].concat();
    assert_eq!(of("{enabled: true}"), with(&["ClusterRoleBinding "]));
    assert_eq!(of("{enabled: true, namespaces: [a, b]}"), with(&["RoleBinding a", "RoleBinding b"]));
}

fn policies(objects: &[Object]) -> impl Iterator<Item = &Object> {
    objects.iter().filter(|object| object.kind() == "NetworkPolicy")
}

/// A component that is added without a policy would be cut off in silence.
#[test]
fn every_service_of_a_closed_namespace_has_its_policy() {
    let objects = render(&switched(), &REAL).unwrap().objects;
    let selects = |policy: &Object| policy.value["spec"]["podSelector"]["matchLabels"].clone();
    let denied = policies(&objects).filter(|policy| policy.name() == "default-deny-ingress");
    let closed: Vec<_> = denied.map(Object::namespace).collect();
    assert_eq!(closed.len(), 2);
    let mut services = 0;
    for service in objects.iter().filter(|object| object.kind() == "Service" && closed.contains(&object.namespace())) {
        let selector = &service.value["spec"]["selector"];
        let made = |object: &&Object| object.value.pointer("/spec/selector/matchLabels") == Some(selector);
        let pods = objects.iter().find(made).map(|object| &object.value["spec"]["template"]["spec"]);
        // Policies do not reach what runs in the node's network.
        if pods.is_some_and(|pods| pods["hostNetwork"] == true) {
            continue;
        }
        let found =
            policies(&objects).any(|policy| policy.namespace() == service.namespace() && selects(policy) == *selector);
        assert!(found, "no policy lets anything reach {}: {selector}", service.title());
        services += 1;
    }
    assert!(services > 2);
}

/// All stacks of the repository, with policies in both directions.
fn closed_stacks() -> Vec<(String, Stack)> {
    let files = std::fs::read_dir("../../stacks").unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    let closed = files.into_iter().map(|path| {
        let source = vigil_yaml::Source::read(&path, Stack::LIMITS.bytes).unwrap();
        let mut stack = Stack { patches: Vec::new(), ..Stack::load(&source, &path).expect("a sound stack").stack };
        stack.network_policies.enabled = true;
        stack.network_policies.egress.enabled = true;
        (path.display().to_string(), stack)
    });
    closed.collect()
}

fn rules<'a>(policy: &'a Object, direction: &str) -> impl Iterator<Item = &'a Value> {
    policy.value["spec"][direction].as_array().into_iter().flatten()
}

/// Whether a rule is for a port of the pods that a policy is for.
fn is_for(rule: &Value, end: &str, pods: &Object, port: &Value) -> bool {
    let namespace = json!({ "matchLabels": { "kubernetes.io/metadata.name": pods.namespace() } });
    let is_peer = |peer: &Value| {
        let is_namespace = peer["namespaceSelector"] == namespace || peer["namespaceSelector"] == json!({});
        is_namespace && (peer["podSelector"].is_null() || peer["podSelector"] == pods.value["spec"]["podSelector"])
    };
    let any = |list: &Value, is_it: &dyn Fn(&Value) -> bool| list.as_array().is_none_or(|list| list.iter().any(is_it));
    any(&rule[end], &is_peer) && any(&rule["ports"], &|own| own == port)
}

/// The pods that a peer names, by the policy that is for them, and the ports of its rule.
fn named<'a>(
    all: &'a [Object],
    rule: &'a Value,
    end: &'a str,
) -> impl Iterator<Item = (&'a Object, &'a Value)> + use<'a> {
    let whose = |peer: &&Value| !peer["podSelector"].is_null();
    let peers = rule[end].as_array().into_iter().flatten().filter(whose);
    let ports = || rule["ports"].as_array().into_iter().flatten();
    peers.flat_map(move |peer| {
        let namespace = &peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"];
        let is_it = |policy: &&Object| {
            policy.value["spec"]["podSelector"] == peer["podSelector"] && namespace == policy.namespace()
        };
        let pods = policies(all).find(is_it).unwrap_or_else(|| panic!("no policy is for {peer}"));
        ports().map(move |port| (pods, port))
    })
}

/// What one end allows and the other denies is a connection that times out.
#[test]
fn both_ends_of_a_connection_have_a_rule_for_it() {
    for (path, stack) in closed_stacks() {
        let objects = render(&stack, &REAL).unwrap().objects;
        let mut connections = 0;
        for (direction, end, other, other_end) in
            [("ingress", "from", "egress", "to"), ("egress", "to", "ingress", "from")]
        {
            for policy in policies(&objects) {
                for (pods, port) in rules(policy, direction).flat_map(|rule| named(&objects, rule, end)) {
                    // A port is that of the pods that let in.
                    let agrees = rules(pods, other).any(|rule| is_for(rule, other_end, policy, port));
                    let (here, there) = (policy.title(), pods.title());
                    assert!(agrees, "{path}: {direction} of {here} has port {port} of {there}, {other} there has not");
                    connections += 1;
                }
            }
        }
        assert!(connections > 2, "{path}");
    }
}

/// What is closed and has no rule of its own reaches nothing, and what has rules looks up names.
#[test]
fn all_pods_of_a_closed_namespace_have_a_policy_for_egress() {
    for (path, stack) in closed_stacks() {
        let objects = render(&stack, &REAL).unwrap().objects;
        let denied = policies(&objects).filter(|policy| policy.name() == "default-deny-egress");
        let closed: Vec<_> = denied.map(Object::namespace).collect();
        let own = || policies(&objects).filter(|policy| !policy.name().starts_with("default-deny"));
        let mut pods = 0;
        for object in objects.iter().filter(|object| closed.contains(&object.namespace())) {
            let Some(template) = object.value.pointer("/spec/template") else { continue };
            if template["spec"]["hostNetwork"] == true {
                continue;
            }
            let labels = &template["metadata"]["labels"];
            let is_for_it = |policy: &Object| {
                let selector = policy.value["spec"]["podSelector"]["matchLabels"].as_object().unwrap();
                policy.namespace() == object.namespace() && selector.iter().all(|(key, value)| labels[key] == *value)
            };
            assert!(own().any(is_for_it), "{path}: {}", object.title());
            pods += 1;
        }
        assert!(pods > 0, "{path}");
        for policy in own() {
            assert_eq!(policy.value["spec"]["policyTypes"], json!(["Egress", "Ingress"]), "{path}: {}", policy.title());
            let dns = json!({ "port": 53, "protocol": "UDP" });
            let is_dns = |rule: &Value| rule["to"].is_null() && rule["ports"].as_array().unwrap().contains(&dns);
            let mut all = rules(policy, "egress").peekable();
            assert!(all.peek().is_none() || all.any(is_dns), "{path}: {}", policy.title());
        }
    }
}

/// The ports at which each part reaches what is outside of the cluster, or in the network of nodes.
#[test]
fn what_pods_reach_follows_from_the_stack() {
    let ports = |text: &str, name: &str, to: &Value| {
        let text = format!("network-policies: {{enabled: true, egress: {{enabled: true}}}}\n{text}");
        let stack = Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).unwrap().stack;
        let objects = render(&stack, &REAL).unwrap().objects;
        let policy = policies(&objects).find(|policy| policy.name() == name).expect("a policy").value.clone();
        let rules = policy["spec"]["egress"].as_array().cloned().unwrap_or_default();
        let found = rules.iter().filter(|rule| rule["to"] == *to).filter_map(|rule| rule["ports"].as_array().cloned());
        found.flatten().map(|port| port["port"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let outside = json!([{ "ipBlock": { "cidr": "0.0.0.0/0" } }, { "ipBlock": { "cidr": "::/0" } }]);
    let [prometheus, alertmanager, grafana, loki] =
        ["prometheus", "alertmanager", "grafana", "loki"].map(|name| match name {
            "loki" => "loki-stack".to_owned(),
            name => format!("kube-prometheus-stack-{name}"),
        });
    let receiver = |way: &str| {
        format!("alertmanager: {{enabled: true, receivers: [{{name: a, {way}}}], route: {{receiver: a}}}}\n")
    };
    for (text, name, expected) in [
        ("grafana: {dashboards: []}\n".to_owned(), &grafana, vec![]),
        ("grafana: {dashboards: [], plugins: ['grafana-clock-panel@2.1.8']}\n".to_owned(), &grafana, vec![443]),
        ("grafana: {dashboards: [{name: a, id: 1, revision: 1}]}\n".to_owned(), &grafana, vec![443]),
        ("grafana: {dashboards: [], config: {smtp: {enabled: 'true', host: 'mail.example.com:587'}}}\n".to_owned(), &grafana, vec![587]),
        (
            "grafana: {dashboards: [], config: {auth.generic_oauth: {enabled: 'true', token_url: 'https://sso.example.com:8443/token'}}}\n"
                .to_owned(),
            &grafana,
            vec![8443],
        ),
        (receiver("webhook: [{url: 'http://hooks.example.com:8080/a'}]"), &alertmanager, vec![8080]),
        (
            receiver("email: [{to: a@example.com, from: b@example.com, smarthost: 'mail.example.com:25'}]"),
            &alertmanager,
            vec![25],
        ),
        (receiver("slack: [{urlSecret: {name: a, key: b}}]"), &alertmanager, vec![443]),
        (receiver("webhook: [{url: 'http://hook.apps.svc:8080/a'}]"), &alertmanager, vec![]),
        (
            "prometheus: {remoteWrite: [{url: 'https://mimir.example.com:9009/api/v1/push'}]}\n".to_owned(),
            &prometheus,
            vec![9009],
        ),
        (
            "prometheus: {scrapeConfigs: [{name: a, targets: ['db.example.com:9187']}]}\n".to_owned(),
            &prometheus,
            vec![9187],
        ),
        (
            "objectStorage: {s3: {endpoint: 's3.example.com:9000', credentials: {accessKeyId: {name: a, key: b}, \
             secretAccessKey: {name: a, key: c}}}, buckets: {loki: logs}}\nloki: {schema: [{from: 2026-01-01, objectStore: s3}]}\n"
                .to_owned(),
            &loki,
            vec![9000],
        ),
        (
            "objectStorage: {gcs: {}, buckets: {loki: logs}}\nloki: {schema: [{from: 2026-01-01, objectStore: gcs}]}\n"
                .to_owned(),
            &loki,
            vec![443],
        ),
    ] {
        assert_eq!(ports(&text, name, &outside), expected, "{name}: {text}");
    }
    // No `to`: cluster DNS, the API server, and what is in the network of nodes.
    let kept = "kubernetes-targets: {addresses: {etcd: {targets: ['10.0.0.1:2379']}}, kubeProxy: false}\n";
    let expected = [53, 53, 443, 6443, 2379, 9100, 10250, 10257, 10259];
    assert_eq!(ports(kept, &prometheus, &Value::Null), expected);
    assert_eq!(ports("", "metrics-server", &Value::Null), [53, 53, 443, 6443, 10250]);
}

#[test]
fn policies_follow_the_stack() {
    let sources = |stack: &Stack, name: &str| {
        let objects = render(stack, &REAL).unwrap().objects;
        let policy = policies(&objects).find(|policy| policy.name() == name).expect("a policy").value.clone();
        let rules = policy["spec"]["ingress"].as_array().expect("rules").clone();
        rules.iter().map(|rule| rule["from"].as_array().map_or(usize::MAX, Vec::len)).collect::<Vec<_>>()
    };
    let mut stack = switched();
    let prometheus = "kube-prometheus-stack-prometheus";
    assert_eq!(sources(&stack, prometheus)[0], usize::MAX, "a LoadBalancer is open to everybody");
    stack.prometheus.service.r#type = Some(vigil_stack::model::ServiceType::ClusterIP);
    assert_eq!(sources(&stack, prometheus)[0], 3, "Prometheus itself, Grafana and the ingress controller");
    stack.prometheus.ingress.enabled = false;
    assert_eq!(sources(&stack, prometheus)[0], 2, "Prometheus itself and Grafana");
    stack.grafana.enabled = false;
    assert_eq!(sources(&stack, prometheus)[0], 1, "Prometheus itself");
    assert_eq!(sources(&stack, "loki-stack")[0], 3, "Alloy, its pod for Events and Prometheus");
    stack.alloy.events.enabled = false;
    assert_eq!(sources(&stack, "loki-stack")[0], 2, "Alloy and Prometheus");
    stack.loki.monitored = false;
    assert_eq!(sources(&stack, "loki-stack")[0], 1, "Alloy");
    assert_eq!(sources(&stack, "alloy"), [1], "Prometheus");
    stack.alloy.monitored = false;
    assert!(sources(&stack, "alloy").is_empty(), "nobody");
    assert_eq!(sources(&stack, "prometheus-blackbox-exporter"), [1], "Prometheus");
    for (url, module, expected) in [
        ("http://loki-stack.logs:3100/ready", ProbeModule::Http2xx, 2),
        ("loki-stack.logs.svc.cluster.local:3100", ProbeModule::TcpConnect, 2),
        ("http://kube-prometheus-stack-grafana/", ProbeModule::Http2xx, 2),
        ("http://loki-stack.elsewhere:3100/ready", ProbeModule::Http2xx, 1),
        ("https://logs.example.com", ProbeModule::Http2xx, 1),
        ("http://[2001:db8::1]/", ProbeModule::Http2xx, 1),
        ("10.0.0.1:22", ProbeModule::TcpConnect, 1),
        ("router", ProbeModule::Icmp, 1),
    ] {
        let target = ProbeTarget { name: "a".parse().unwrap(), url: url.parse().unwrap(), module };
        stack.blackbox_exporter.targets = vec![target];
        assert_eq!(sources(&stack, "loki-stack")[0], expected, "Alloy, and the blackbox exporter for {url}");
    }
}

/// An echo request takes a right that the pods have only where one is sent.
#[test]
fn pods_may_ping_where_a_target_asks_for_it() {
    let sysctls = |module| {
        let mut stack = switched();
        let target = ProbeTarget { name: "a".parse().unwrap(), url: "router:1".parse().unwrap(), module };
        stack.blackbox_exporter.targets = vec![target];
        let objects = render(&stack, &REAL).unwrap().objects;
        let is_it = |object: &&Object| object.component == "blackbox-exporter" && object.kind() == "Deployment";
        let pod = &objects.iter().find(is_it).expect("its Deployment").value["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsGroup"], 65534);
        pod["securityContext"]["sysctls"].clone()
    };
    assert_eq!(sysctls(ProbeModule::TcpConnect), Value::Null);
    assert_eq!(sysctls(ProbeModule::Icmp), json!([{ "name": "net.ipv4.ping_group_range", "value": "65534 65534" }]));
}

/// The root file systems are read-only: sockets of the watchers, and the files that they or the download write.
#[test]
fn what_the_side_cars_write_to_is_a_volume() {
    let objects = render(&Stack::default(), &REAL).unwrap().objects;
    let deployment =
        objects.iter().find(|object| object.title().ends_with("-grafana") && object.kind() == "Deployment");
    let pod = &deployment.expect("Grafana").value["spec"]["template"]["spec"];
    let writable = |container: &Value, path: &str| {
        let mounts = container["volumeMounts"].as_array().expect("mounts");
        let mount = mounts.iter().find(|mount| mount["mountPath"] == path && mount["readOnly"] != true);
        let volumes = pod["volumes"].as_array().expect("volumes");
        mount.is_some_and(|mount| volumes.iter().any(|one| one["name"] == mount["name"] && one["emptyDir"].is_object()))
    };
    let containers = |list: &str| pod[list].as_array().expect("containers").clone();
    let mut watchers = 0;
    for container in containers("containers").into_iter().chain(containers("initContainers")) {
        let env = container["env"].as_array().cloned().unwrap_or_default();
        let Some(folder) = env.iter().find(|variable| variable["name"] == "FOLDER") else { continue };
        let container = &container;
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert!(writable(container, "/tmp"), "{container:#}");
        assert!(writable(container, folder["value"].as_str().expect("a path")), "{container:#}");
        watchers += 1;
    }
    let downloads =
        containers("initContainers").into_iter().filter(|container| container["name"] == "download-dashboards");
    assert!(downloads.filter(|container| writable(container, "/tmp/dashboards")).count() == 1 && watchers == 3);
}

/// What the programs of a container are, where no `GOMEMLIMIT` is set for one with a memory limit, and why.
const WITHOUT_GO_MEMORY: [(&str, &str); 6] = [
    ("alloy", "takes nine tenths of its limit by itself"),
    ("echo", "whatever somebody has in place of the test application"),
    ("kube-webhook-certgen", "ends after some seconds"),
    ("k8s-sidecar", "Python"),
    ("myflask_ch10", "Python"),
    ("mynginxf_ch10", "C"),
];

#[test]
fn every_program_of_go_stays_below_its_memory_limit() {
    let mut seen = 0;
    for stack in [Box::new(Stack::default()), Box::new(switched())] {
        for object in render(&stack, &REAL).unwrap().objects {
            for list in ["initContainers", "containers"] {
                let containers = object.value.pointer(&format!("/spec/template/spec/{list}")).and_then(Value::as_array);
                for container in containers.into_iter().flatten() {
                    let limited = container.pointer("/resources/limits/memory").is_some();
                    let image = container["image"].as_str().unwrap();
                    let program = image.rsplit('/').next().unwrap().split(':').next().unwrap();
                    let set = variables(container).any(|name| name == "GOMEMLIMIT");
                    let other = WITHOUT_GO_MEMORY.iter().any(|(known, _)| *known == program);
                    assert_eq!(set, limited && !other, "{}: {image}", object.title());
                    seen += usize::from(set);
                }
            }
        }
    }
    assert!(seen > 10, "{seen} programs of Go");
    // The operator makes these containers: Prometheus 3 takes nine tenths by itself, Alertmanager when it is asked to.
    let features = |image: &str| {
        let mut stack = Stack::default();
        stack.alertmanager.image = image.parse().unwrap();
        let objects = render(&stack, &REAL).unwrap().objects;
        objects.into_iter().find(|object| object.kind() == "Alertmanager").unwrap().value["spec"]["enableFeatures"]
            .clone()
    };
    assert_eq!(features("quay.io/prometheus/alertmanager:v0.28.0"), json!(["auto-gomemlimit"]));
    for none in ["quay.io/prometheus/alertmanager:v0.27.0", "quay.io/prometheus/alertmanager:main"] {
        assert_eq!(features(none), Value::Null, "{none}");
    }
}

fn variables(container: &Value) -> impl Iterator<Item = &str> {
    container["env"].as_array().into_iter().flatten().filter_map(|variable| variable["name"].as_str())
}

/// Who switches one of these collectors off is told of alerts and panels that are empty then.
#[test]
fn collectors_that_rules_and_panels_ask_are_known() {
    let names = "bonding:bonding boot:stat cpu:cpu disk:diskstats edac:edac filefd:filefd filesystem:filesystem load1:loadavg \
                 load5:loadavg load15:loadavg md:mdadm memory:meminfo network_carrier:netclass netstat:netstat network:netdev nf:conntrack \
                 pressure:pressure textfile:textfile time:time timex:timex uname:uname vmstat:vmstat";
    let names: Vec<_> = names.split_whitespace().filter_map(|pair| pair.split_once(':')).collect();
    // What the kubelets' controller and node-exporter itself tell.
    let others = ["node_collector_", "node_scrape_collector_"];
    let mut seen = std::collections::BTreeSet::new();
    let asking = REAL.iter().filter(|(path, _)| path.contains("/rules/") || path.contains("/dashboards/"));
    for (path, source) in asking {
        for metric in source.split(|c: char| !c.is_ascii_alphanumeric() && !"_:{".contains(c)) {
            let Some(metric) = metric.split('{').next().filter(|it| metric.contains('{') && it.starts_with("node_"))
            else {
                continue;
            };
            if metric.contains(':') || others.iter().any(|other| metric.starts_with(other)) {
                continue;
            }
            let rest = &metric["node_".len()..];
            let collector = names
                .iter()
                .find(|(start, _)| rest.starts_with(start) && !rest[start.len()..].starts_with(char::is_alphanumeric));
            let (_, collector) = collector.unwrap_or_else(|| panic!("{path}: whose is {metric}?"));
            let known: NodeCollector = serde_json::from_value(json!(collector)).unwrap();
            assert!(known.is_usual() && known.is_asked(), "{path}: {metric}");
            seen.insert(*collector);
        }
    }
    let expected = names.iter().map(|(_, collector)| *collector).collect();
    assert_eq!(seen, expected);
}

/// The API server refuses a change of a Job.
#[test]
fn a_job_has_a_new_name_when_it_does_something_else() {
    let names = |change: &dyn Fn(&mut Stack)| {
        let mut stack = switched();
        stack.prometheus_operator.admission_webhooks = vigil_stack::model::AdmissionWebhooks::Job;
        change(&mut stack);
        let objects = render(&stack, &REAL).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects;
        let jobs = objects.iter().filter(|object| object.kind() == "Job");
        jobs.map(|job| job.name().to_owned()).collect::<Vec<_>>()
    };
    let before = names(&|_| ());
    assert_eq!(before.len(), 2);
    assert_eq!(before, names(&|stack| stack.grafana.enabled = false));
    let after = names(&|stack| stack.prometheus_operator.certgen_image = "example.com/certgen:2".parse().unwrap());
    assert!(before.iter().all(|name| !after.contains(name)), "{before:?} {after:?}");
}

#[test]
fn argo_cd_is_told_the_order_only_when_it_is_there() {
    let waves = |stack: &Stack| {
        let objects = render(stack, &REAL).unwrap().objects;
        let wave =
            |object: &&Object| !object.value["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"].is_null();
        let applied = objects.iter().filter(|object| object.is_applied()).count();
        (objects.iter().filter(wave).count(), applied, objects.len())
    };
    let (waves_of_switched, applied, all) = waves(&switched());
    assert!(waves_of_switched == applied && applied < all);
    assert_eq!(waves(&Stack::default()).0, 0);
}

/// The pointers of all strings below `value`.
fn strings(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(pointer.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| strings(item, &format!("{pointer}/{at}"), found));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, item)| {
            strings(item, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        _ => {}
    }
}

fn replaced(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => text.replace(from, to).into(),
        Value::Array(items) => items.iter().map(|item| replaced(item, from, to)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, item)| (key.replace(from, to), replaced(item, from, to)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// A stack in which every optional string is there.
fn full_facts() -> Value {
    let mut stack = switched();
    // No stack has both collectors, or Flux and Argo CD, but all of them have templates.
    stack.promtail.enabled = true;
    stack.flux.enabled = true;
    stack.flux.secret = "key".parse().ok();
    stack.flux.service_account = "deployer".parse().ok();
    stack.flux.depends_on = vec!["infrastructure".parse().unwrap()];
    stack.name = "other".parse().ok();
    stack.promtail.pipelines.clone_from(&stack.alloy.pipelines);
    stack.promtail.journal.clone_from(&stack.alloy.journal);
    let mut facts = facts::facts(&stack);
    // It takes the place of the stack's own provider.
    stack.lab_object_storage.enabled = true;
    facts["lab-object-storage"] = facts::facts(&stack)["lab-object-storage"].take();
    facts
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[ \\n\\t:#{}\\[\\],&*!|>%@`'\"-]{0,12}",
        "[\\x00-\\x7f]{0,8}",
        Just("x\n  injected: true".to_owned()),
        Just("\"\nkind: Secret".to_owned()),
        Just("'}, {kind: Pod".to_owned()),
        Just("---\napiVersion: v1\nkind: Pod\n".to_owned()),
        Just("{{loki.name}} {{{flask}}} {{> labels}}".to_owned()),
        Just("\u{e000}0\u{e001}".to_owned()),
        Just("yes".to_owned()),
        Just("0o17".to_owned()),
        Just("<<".to_owned()),
        Just("*alias".to_owned()),
        Just(String::new()),
        Just("\u{2028}\u{85}\u{feff}\r".to_owned()),
    ]
}

#[test]
fn the_facts_have_strings_to_attack() {
    let mut pointers = Vec::new();
    strings(&full_facts(), "", &mut pointers);
    assert!(pointers.len() > 80, "{}", pointers.len());
}

proptest! {
    // Many values at once, as the time goes into the templates.
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    /// Any strings in any places change just the strings that hold them: no key, no type, no other value.
    #[test]
    fn no_value_changes_the_structure(attacks in prop::collection::vec((any::<prop::sample::Index>(), hostile()), 12)) {
        let facts = full_facts();
        let mut pointers = Vec::new();
        strings(&facts, "", &mut pointers);
        let mut attacks: BTreeMap<&String, String> =
            attacks.into_iter().map(|(at, text)| (&pointers[at.index(pointers.len())], text)).collect();
        // No mark is the beginning of another one.
        let marks: BTreeMap<&String, String> =
            attacks.keys().zip(10..).map(|(pointer, number)| (*pointer, format!("Vigil-marks-{number}"))).collect();
        let with = |texts: &BTreeMap<&String, String>| {
            let mut facts = facts.clone();
            for (pointer, mark) in &marks {
                *facts.pointer_mut(pointer).unwrap() = texts.get(pointer).unwrap_or(mark).as_str().into();
            }
            everything(&facts)
        };
        let marked = with(&BTreeMap::new()).unwrap();
        let mut attacked = with(&attacks);
        // No INI file can hold some of them: none may be in one that can be written.
        if attacked.as_ref().is_err_and(|message| message.contains("different INI readers")) {
            let ini = marked["grafana/files/grafana.ini.hbs"][0].to_string();
            let before = attacks.len();
            attacks.retain(|pointer, _| !ini.contains(&marks[pointer]));
            prop_assert!(attacks.len() < before, "{:?}", attacks);
            attacked = with(&attacks);
        }
        let expected = |value: &Value| {
            attacks.iter().fold(value.clone(), |value, (pointer, text)| replaced(&value, &marks[pointer], text))
        };
        let expected: BTreeMap<_, Vec<_>> =
            marked.iter().map(|(name, all)| (name.clone(), all.iter().map(expected).collect())).collect();
        prop_assert_eq!(attacked.unwrap(), expected, "{:?}", attacks);
    }

    /// The free text of a stack, annotations, arrives as it was written, on every object.
    #[test]
    fn annotations_arrive_as_written(
        texts in prop::collection::vec("[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]{0,40}", 12)
    ) {
        let texts = texts.into_iter().filter(|text| text.parse::<vigil_stack::units::AnnotationValue>().is_ok());
        let written: serde_json::Map<_, _> =
            texts.enumerate().map(|(number, text)| (format!("example.com/{number}"), text.into())).collect();
        // Dashboards are a megabyte of text below heads that are written by the same hand.
        let stack = json!({ "annotations": written, "grafana": { "bundledDashboards": false } });
        let stack = vigil_yaml::write(&stack);
        let parsed = Stack::parse(&vigil_yaml::Source::new("stack.yaml", stack)).unwrap();
        let rendering = render(&parsed.stack, &REAL).unwrap();
        for object in &rendering.objects {
            let head = object.value.head();
            for (key, text) in &written {
                prop_assert_eq!(&head["metadata"]["annotations"][key], text);
            }
            if object.kind() == "CustomResourceDefinition" {
                // Its head is written by the same hand; to read all of it again and again would take minutes.
                continue;
            }
            let source = vigil_yaml::Source::new("written", rendering.files[&object.path].as_str());
            let documents = vigil_yaml::read(&source, &vigil_yaml::Limits::default()).unwrap();
            prop_assert!(documents.iter().any(|document| document.to_json() == *object.value));
        }
    }
}

/// A stack that a text says, rendered by the repository's templates.
fn rendered(text: &str) -> Rendering {
    let parsed =
        Stack::parse(&vigil_yaml::Source::new("stack.yaml", text)).map_err(|problems| drawn(&problems)).unwrap();
    render(&parsed.stack, &REAL).map_err(|problems| drawn(&problems)).unwrap()
}

#[test]
fn pods_roll_with_what_a_patch_changes() {
    let checksums = |rendering: &Rendering| {
        let object = rendering.objects.iter().find(|object| object.title() == "StatefulSet myloki/loki-stack");
        object.unwrap().value["spec"]["template"]["metadata"]["annotations"].clone()
    };
    let (plain, patched) = (
        rendered("promtail: {enabled: false}"),
        rendered(
            "promtail: {enabled: false}\npatches:\n- target: {kind: ConfigMap, name: loki-stack}\n  \
             merge: {data: {loki.yaml: 'auth_enabled: true'}}\n",
        ),
    );
    let (before, after) = (checksums(&plain), checksums(&patched));
    assert_ne!(before["checksum/config"], after["checksum/config"]);
    assert_eq!(after["checksum/config"], engine::checksum("auth_enabled: true"));
    let text = &patched.files["loki/configmap.yaml"];
    assert_eq!(text.lines().nth(1), Some("# Patched by stack.yaml: patches[0]"));
}

#[test]
fn what_a_patch_removes_is_in_no_file() {
    let remove = "patches: [{target: {kind: Ingress}, merge: {$patch: delete}}]";
    let rendering = rendered(&format!("promtail: {{enabled: false}}\n{remove}\n"));
    assert!(rendering.objects.iter().all(|object| object.kind() != "Ingress"));
    let kustomization = &rendering.files["flask/kustomization.yaml"];
    assert!(
        !kustomization.contains("ingress") && !rendering.files.contains_key("flask/ingress.yaml"),
        "{kustomization}"
    );
}

/// A Job that a patch changes is another one, or the API server refuses it.
#[test]
fn a_patched_job_has_another_name() {
    let stack = "promtail: {enabled: false}\nprometheus-operator: {admissionWebhooks: job}\n";
    let patch = "patches: [{target: {kind: Job}, merge: {spec: {backoffLimit: 9}}}]\n";
    let jobs = |rendering: &Rendering| -> Vec<String> {
        rendering.objects.iter().filter(|object| object.kind() == "Job").map(|job| job.name().to_owned()).collect()
    };
    let (before, after) = (jobs(&rendered(stack)), jobs(&rendered(&format!("{stack}{patch}"))));
    assert_eq!((before.len(), after.len()), (2, 2));
    assert!(before.iter().all(|name| !after.contains(name)));
}

#[test]
fn labels_of_objects_and_of_pods_are_apart() {
    let rendering = rendered(
        "promtail: {enabled: false}\nlabels: {team: a}\nannotations: {note: b}\npods: {labels: {pod: c}, annotations: {d: e}}\n\
         grafana: {labels: {team: f}, pods: {labels: {pod: g}}}\n",
    );
    let mut pods = 0;
    for object in rendering.objects.iter().filter(|object| object.kind() != "CustomResourceDefinition") {
        let metadata = &object.value["metadata"];
        let grafana = object.component == "grafana";
        assert_eq!(metadata["labels"]["team"], if grafana { "f" } else { "a" }, "{}", object.title());
        assert_eq!(metadata["annotations"]["note"], "b", "{}", object.title());
        assert_eq!(
            (metadata["labels"].get("pod"), metadata["annotations"].get("d")),
            (None, None),
            "{}",
            object.title()
        );
        let of_pods = ["/spec/template/metadata", "/spec/podMetadata"];
        let makes = matches!(object.kind(), "Deployment" | "DaemonSet" | "StatefulSet" | "Prometheus" | "Alertmanager");
        let found: Vec<_> = of_pods.iter().filter_map(|at| object.value.pointer(at)).collect();
        assert_eq!(found.len(), usize::from(makes), "{}", object.title());
        for of_pods in found {
            assert_eq!(of_pods["labels"]["pod"], if grafana { "g" } else { "c" }, "{}", object.title());
            assert_eq!((of_pods["labels"].get("team"), &of_pods["annotations"]["d"]), (None, &json!("e")));
            pods += 1;
        }
    }
    assert!(pods > 6, "{pods}");
}

/// Beside a request a limit of nothing is refused by API servers, and a program that is told of it holds back for nothing.
#[test]
fn a_limit_of_nothing_is_none() {
    let rendering = rendered("promtail: {enabled: false}\npods: {resources: {limits: {memory: '0'}}}\n");
    let mut containers = 0;
    for object in &rendering.objects {
        let Some(spec) = object.value.pointer("/spec/template/spec") else { continue };
        let main = spec["containers"].as_array().unwrap().iter().filter(|it| it["resources"]["requests"].is_object());
        for container in
            main.filter(|it| it["name"] != "grafana-sc-dashboard" && it["name"] != "grafana-sc-datasources")
        {
            assert_eq!(container["resources"].get("limits"), None, "{}", object.title());
            containers += 1;
        }
    }
    assert!(containers > 4, "{containers}");
}

#[test]
fn one_namespace_or_somebody_elses() {
    let one = rendered(
        "promtail: {enabled: false}\nnamespaces: {monitoring: all, logging: all}\nnetwork-policies: {enabled: true}\n",
    );
    let named: Vec<_> = one.objects.iter().filter(|object| object.kind() == "Namespace").map(Object::name).collect();
    assert_eq!(named, ["all"]);
    let theirs = rendered("promtail: {enabled: false}\nnamespaces: {create: false}\n");
    assert!(theirs.objects.iter().all(|object| object.kind() != "Namespace"));
    assert!(!theirs.files["kustomization.yaml"].contains("namespaces"));
}
