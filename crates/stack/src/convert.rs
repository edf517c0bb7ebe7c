//! Values of the Helm charts become a stack, as far as it has keys for them.

mod alertmanager;
mod thanos;

use crate::decode::decode;
use crate::helm::{self, Here};
use crate::model::Stack;
use crate::redact::{redacted, redacted_with};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use vigil_forms::name::is_credential;
use vigil_yaml::words::list;
use vigil_yaml::{Data, Entry, Limits, Node, Problem, Source, Span, lay};

/// A chart whose values are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chart {
    KubePrometheusStack,
    LokiStack,
    MetricsServer,
}

impl Chart {
    const ALL: [Self; 3] = [Self::KubePrometheusStack, Self::LokiStack, Self::MetricsServer];

    fn name(self) -> &'static str {
        match self {
            Self::KubePrometheusStack => "kube-prometheus-stack",
            Self::LokiStack => "loki-stack",
            Self::MetricsServer => "metrics-server",
        }
    }

    /// Keys at the top of its values that no other chart of the three has.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::KubePrometheusStack => &[
                "additionalPrometheusRulesMap",
                "alertmanager",
                "coreDns",
                "defaultRules",
                "kubeApiServer",
                "kubeControllerManager",
                "kubeEtcd",
                "kubeProxy",
                "kubeScheduler",
                "kubeStateMetrics",
                "kubelet",
                "nodeExporter",
                "prometheus",
                "prometheusOperator",
            ],
            Self::LokiStack => &["filebeat", "fluent-bit", "logstash", "loki", "promtail", "test_pod"],
            Self::MetricsServer => &["addonResizer", "apiService", "args", "defaultArgs", "metrics"],
        }
    }

    /// What a stack says where the values say nothing, since its defaults are the tutorial's and not the chart's.
    fn usual(self) -> Value {
        match self {
            Self::KubePrometheusStack => json!({
                "prometheus": { "selection": "labelled", "service": { "type": "ClusterIP" } },
                "prometheus-operator": { "admissionWebhooks": "job" },
                "grafana": { "service": { "type": "ClusterIP" }, "dashboards": [] },
            }),
            Self::LokiStack | Self::MetricsServer => json!({}),
        }
    }

    /// The stack's parts that it installs.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::KubePrometheusStack => &[
                "prometheus-operator",
                "prometheus",
                "node-exporter",
                "kube-state-metrics",
                "kubernetes-targets",
                "alertmanager",
                "alerts",
                "grafana",
            ],
            Self::LokiStack => &["loki", "promtail"],
            Self::MetricsServer => &["metrics-server"],
        }
    }

    /// What a key of its values is called in one table for all three.
    fn path(self, key: &str) -> String {
        match self {
            Self::MetricsServer => format!("metrics-server.{key}"),
            Self::KubePrometheusStack | Self::LokiStack => key.to_owned(),
        }
    }
}

/// A stack made of values.
#[derive(Debug)]
pub struct Converted {
    /// The stack, as its file says it.
    pub stack: Value,
    /// What it does not say, and why: one problem for each key of the values, in their order.
    pub left: Vec<Problem>,
}

/// Makes one stack of the values of kube-prometheus-stack, loki-stack and metrics-server. Of two files for one chart the later
/// counts, as for Helm. A chart below its name, as in a chart of charts, is found there.
///
/// # Errors
/// Texts that are no YAML, and those of which no chart is known.
pub fn convert(sources: &[Arc<Source>]) -> Result<Converted, Vec<Problem>> {
    let mut known: Vec<(Chart, Node)> = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        match vigil_yaml::read_one(source, &Limits::default()) {
            Ok(None) => {}
            Ok(Some(root)) => match charts(&root) {
                found if found.is_empty() => problems.push(unknown(source)),
                found => found.into_iter().for_each(|(chart, values)| merge(&mut known, chart, values)),
            },
            Err(wrong) => problems.extend(redacted(wrong, source)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut stack = json!({ "flask": { "enabled": false } });
    for chart in Chart::ALL.into_iter().filter(|chart| !known.iter().any(|(other, _)| other == chart)) {
        chart.parts().iter().for_each(|part| stack[part] = json!({ "enabled": false }));
    }
    let (mut left, mut credentials) = (Vec::new(), Vec::new());
    for (chart, values) in &known {
        lay(&mut stack, &chart.usual());
        let mut conversion = Conversion { chart: *chart, stack: &mut stack, left: Vec::new(), credentials: Vec::new() };
        conversion.selection(values);
        conversion.thanos(values);
        for entry in values.entries() {
            conversion.entry(&chart.path(&entry.key.text), entry);
        }
        left.append(&mut conversion.left);
        credentials.append(&mut conversion.credentials);
    }
    Problem::sort(&mut left);
    for source in sources {
        left = redacted_with(left, source, &credentials);
    }
    Ok(Converted { stack, left })
}

/// The charts that values are of, each with its own.
fn charts(root: &Node) -> Vec<(Chart, Node)> {
    let below: Vec<_> =
        Chart::ALL.into_iter().filter_map(|chart| Some((chart, root.get(chart.name())?.clone()))).collect();
    if !below.is_empty() {
        return below;
    }
    let chart = Chart::ALL.into_iter().max_by_key(|chart| {
        let count = chart.keys().iter().filter(|key| root.get(key).is_some()).count();
        // Of several that are as likely the first.
        (count, Chart::ALL.len() - Chart::ALL.iter().position(|other| other == chart).unwrap_or_default())
    });
    let is_it = |chart: &Chart| chart.keys().iter().any(|key| root.get(key).is_some());
    // Grafana stands in two of them, and is the same part here.
    let grafana = root.get("grafana").map(|_| Chart::KubePrometheusStack);
    chart.filter(is_it).or(grafana).map(|chart| (chart, root.clone())).into_iter().collect()
}

fn unknown(source: &Source) -> Problem {
    let names = Chart::ALL.map(Chart::name);
    Problem::in_file("holds values of no chart that is known", source.name.as_str())
        .label(format!("expected values of {}", list(&names, "or")))
        .help("name the file that `helm install -f` takes")
}

fn merge(known: &mut Vec<(Chart, Node)>, chart: Chart, values: Node) {
    match known.iter_mut().find(|(other, _)| *other == chart) {
        Some((_, earlier)) => *earlier = values.over(earlier),
        None => known.push((chart, values)),
    }
}

/// What stands at a dotted path of an otherwise empty stack.
fn at(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, key| Map::from_iter([(key.to_owned(), value)]).into())
}

/// Why a stack cannot say this, if it cannot: the first reason.
fn objection(stack: &Value) -> Option<Problem> {
    let problems = match vigil_yaml::read_one(&Source::new("the stack", vigil_yaml::write(stack)), &Limits::default()) {
        Ok(node) => node.map(|node| decode::<Stack>(&node, 1).problems).unwrap_or_default(),
        Err(problems) => problems,
    };
    problems.into_iter().next()
}

struct Conversion<'s> {
    chart: Chart,
    stack: &'s mut Value,
    left: Vec<Problem>,
    /// Values that are credentials, though their keys do not say so.
    credentials: Vec<Span>,
}

impl Conversion<'_> {
    /// Converts what stands under a key; whether any of it is said by the stack.
    fn entry(&mut self, path: &str, entry: &Entry) -> bool {
        let value = &entry.value;
        if is_empty(value) {
            return true;
        }
        if self.chart == Chart::LokiStack && ["grafana", "prometheus"].contains(&path) {
            self.leave(
                entry,
                path,
                "the stack has one Grafana and one Prometheus: say it in the values of kube-prometheus-stack",
            );
            return false;
        }
        let last = path.rsplit('.').next().unwrap_or_default();
        if is_credential(last) && value.scalar().is_some() && !matches!(value.boolean(), Some(true | false)) {
            self.leave(entry, path, helm::why(path, value).as_deref().unwrap_or(CREDENTIAL));
            return false;
        }
        match (helm::row(path), value.items()) {
            (Some(Here::Key(ours)), _) => return self.place(entry, path, ours, value),
            (Some(Here::First(ours)), [only]) => return self.place(entry, path, ours, only),
            (Some(Here::First(ours)), _) => {
                self.leave(entry, path, &format!("one of them, as `{ours}`"));
                return false;
            }
            (Some(Here::Words(_)) | None, _) => {}
        }
        if path == "alertmanager.config" {
            let told = alertmanager::convert(path, value);
            lay(self.stack, &at("alertmanager", told.ours));
            for (path, entry, reason) in &told.left {
                self.leave(entry, path, reason);
            }
            self.credentials.extend(told.credentials);
            return true;
        }
        if self.special(path, value) {
            return true;
        }
        let Data::Map(entries) = &value.data else {
            // Many keys are called the same here.
            return self.place(entry, path, path, value);
        };
        let before = self.left.len();
        let said = entries.iter().filter(|entry| self.entry(&format!("{path}.{}", entry.key.text), entry)).count();
        // Of a section of which nothing is said, one line tells more than twenty.
        if said == 0 && path.contains('.') {
            self.left.truncate(before);
            self.leave(entry, path, helm::why(path, value).as_deref().unwrap_or(NO_KEY));
        }
        said > 0
    }

    /// Puts a value into the stack if it can be there; whether it can.
    fn place(&mut self, entry: &Entry, theirs: &str, ours: &str, value: &Node) -> bool {
        let value = self.without_credentials(theirs, value);
        let here = at(ours, value.to_json());
        let Some(wrong) = objection(&here) else {
            lay(self.stack, &here);
            // The charts make a volume where a size is said.
            if let Some(volume) =
                ours.strip_suffix(".size").filter(|volume| theirs != ours && volume.ends_with(".persistence"))
            {
                lay(self.stack, &at(&format!("{volume}.enabled"), true.into()));
            }
            return true;
        };
        let why = helm::why(theirs, &value);
        let reason = why.unwrap_or_else(|| match wrong.label {
            // The same name, and nothing of the kind behind it.
            _ if wrong.message.starts_with("unknown key") => NO_KEY.to_owned(),
            Some(label) => format!("{}: {label}", wrong.message),
            None => wrong.message,
        });
        self.leave(entry, theirs, &reason);
        false
    }

    /// A value without the credentials in it, each of which is told of.
    fn without_credentials(&mut self, path: &str, value: &Node) -> Node {
        let entries = match &value.data {
            Data::Map(entries) => entries,
            Data::List(items) => {
                let items = items.iter().map(|item| self.without_credentials(path, item)).collect();
                return Node { data: Data::List(items), span: value.span.clone() };
            }
            Data::Scalar(_) => return value.clone(),
        };
        let mut kept = Vec::new();
        for entry in entries {
            let below = format!("{path}.{}", entry.key.text);
            if is_credential(&entry.key.text) && entry.value.text().is_some_and(|text| !text.is_empty()) {
                self.leave(entry, &below, CREDENTIAL);
            } else {
                kept.push(Entry { value: self.without_credentials(&below, &entry.value), ..entry.clone() });
            }
        }
        Node { data: Data::Map(kept), span: value.span.clone() }
    }

    /// What is said in another form here; whether it is such a thing.
    fn special(&mut self, path: &str, value: &Node) -> bool {
        if path == "metrics-server.args" || path == "metrics-server.defaultArgs" {
            value.items().iter().filter_map(Node::text).for_each(|flag| self.flag(flag));
            return true;
        }
        // Both are read before.
        if path.ends_with("SelectorNilUsesHelmValues") || path == THANOS {
            return true;
        }
        if path == "prometheusOperator.admissionWebhooks" {
            let is_said = |keys: &[&str], said| value.at(keys).and_then(Node::boolean) == Some(said);
            let by = match (is_said(&["enabled"], false), is_said(&["certManager", "enabled"], true)) {
                (true, _) => "off",
                (false, true) => "cert-manager",
                (false, false) => "job",
            };
            lay(self.stack, &at("prometheus-operator.admissionWebhooks", by.into()));
            return true;
        }
        if let Some(part) = path.strip_suffix(".ingress.tls") {
            let [only] = value.items() else { return false };
            let Some(name) = only.get("secretName").and_then(Node::text) else { return false };
            lay(self.stack, &at(&format!("{part}.ingress.tls.secretName"), name.into()));
            return true;
        }
        let Some(part) = path.strip_suffix(".image") else { return false };
        let part = part.strip_suffix(".prometheusSpec").or(part.strip_suffix(".alertmanagerSpec")).unwrap_or(part);
        let part = if part == "prometheusOperator" { "prometheus-operator" } else { part };
        let said = |key: &str| {
            value.get(key).and_then(|node| match &node.data {
                Data::Scalar(scalar) if !node.is_null() => Some(scalar.text.as_str()),
                _ => None,
            })
        };
        let said = |key: &str| said(key).filter(|text| !text.is_empty());
        // Charts say the digest whole or without its kind.
        let sum = said("digest").map(str::to_owned).or_else(|| said("sha").map(|sum| format!("sha256:{sum}")));
        let Some(repository) = said("repository").filter(|_| said("tag").is_some() || sum.is_some()) else {
            return false;
        };
        let registry = said("registry").map(|registry| format!("{registry}/")).unwrap_or_default();
        let tag = said("tag").map(|tag| format!(":{tag}")).unwrap_or_default();
        let sum = sum.map(|sum| format!("@{sum}")).unwrap_or_default();
        let image = format!("{registry}{repository}{tag}{sum}");
        let here = at(&format!("{part}.image"), image.into());
        let fits = objection(&here).is_none();
        if fits {
            lay(self.stack, &here);
        }
        fits
    }

    /// A flag of metrics-server that the stack has a key for. The others are what it sets in any case.
    fn flag(&mut self, flag: &str) {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let (key, value) = match name {
            "--kubelet-insecure-tls" => ("kubeletInsecureTls", Value::Bool(value != "false")),
            "--kubelet-preferred-address-types" => ("addressTypes", value.split(',').collect()),
            "--metric-resolution" => ("resolution", value.into()),
            _ => return,
        };
        lay(self.stack, &at(&format!("metrics-server.{key}"), value));
    }

    /// Which monitors are taken: five switches of the chart are one choice here.
    fn selection(&mut self, values: &Node) {
        let is_open = |kind: &str| {
            let key = format!("{kind}SelectorNilUsesHelmValues");
            values.at(&["prometheus", "prometheusSpec", &key]).and_then(Node::boolean) == Some(false)
        };
        let choice = match (is_open("serviceMonitor"), is_open("podMonitor") || is_open("rule")) {
            (true, true) => "all",
            (true, false) => "service-monitors",
            (false, _) => return,
        };
        lay(self.stack, &at("prometheus.selection", choice.into()));
    }

    /// The side-car of Thanos, which cannot be without a label that stands elsewhere.
    fn thanos(&mut self, values: &Node) {
        let spec = values.at(&["prometheus", "prometheusSpec"]);
        let thanos = spec.and_then(|spec| spec.entries().iter().find(|entry| entry.key.text == "thanos"));
        let Some(entry) = thanos.filter(|entry| !is_empty(&entry.value)) else { return };
        let labels = spec.and_then(|spec| spec.get("externalLabels"));
        match thanos::convert(&entry.value, labels) {
            thanos::Told::Ours(ours, todo) => {
                lay(self.stack, &ours);
                for todo in &todo {
                    self.leave(entry, THANOS, todo);
                }
            }
            thanos::Told::Left(reason) => self.leave(entry, THANOS, &reason),
        }
    }

    fn leave(&mut self, entry: &Entry, path: &str, reason: &str) {
        let path = if self.chart == Chart::MetricsServer { path.trim_start_matches("metrics-server.") } else { path };
        self.left.push(Problem::warning(format!("`{path}`: {reason}"), entry.key.span.clone()));
    }
}

const NO_KEY: &str = "there is no key for it";

/// Where the chart has the side-car of Thanos.
const THANOS: &str = "prometheus.prometheusSpec.thanos";

const CREDENTIAL: &str = "no credential stands in a stack: create a Secret, and name it";

/// Says nothing: charts list all their keys, most of them so.
fn is_empty(value: &Node) -> bool {
    match &value.data {
        Data::Scalar(scalar) => value.is_null() || scalar.text.is_empty(),
        Data::List(items) => items.is_empty(),
        Data::Map(entries) => entries.iter().all(|entry| is_empty(&entry.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(texts: &[&str]) -> Converted {
        let sources: Vec<_> =
            texts.iter().enumerate().map(|(at, text)| Source::new(format!("{at}.yaml"), *text)).collect();
        convert(&sources).unwrap()
    }

    #[test]
    fn no_credential_comes_along() {
        let values = "grafana:\n  adminPassword: hunter2\n  grafana.ini: { smtp: { password: hunter2, host: a } }\n  \
                      env: { API_TOKEN: hunter2 }\nprometheus:\n  prometheusSpec:\n    \
                      remoteWrite: [{ url: 'https://u:hunter2@a', basicAuth: { password: hunter2 } }]\n";
        let Converted { stack, left } = converted(&[values]);
        assert!(!stack.to_string().contains("hunter2"), "{stack}");
        let told: Vec<_> = left.iter().flat_map(|problem| [problem.one_line(), problem.draw(false)]).collect();
        assert!(!told.concat().contains("hunter2"), "{told:#?}");
        assert_eq!(stack["grafana"]["config"]["smtp"], json!({ "host": "a" }));
        assert_eq!(left.len(), 4, "{told:#?}");
    }

    #[test]
    fn a_chart_is_known_by_its_keys_or_its_name() {
        let of = |text: &str| {
            let root = vigil_yaml::read_one(&Source::new("a", text), &Limits::default()).unwrap().unwrap();
            charts(&root).into_iter().map(|(chart, _)| chart.name()).collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("prometheus: {}\ngrafana: {}\n", vec!["kube-prometheus-stack"]),
            ("grafana: { persistence: {} }\n", vec!["kube-prometheus-stack"]),
            ("loki: {}\ngrafana: {}\n", vec!["loki-stack"]),
            ("args: []\n", vec!["metrics-server"]),
            ("metrics-server: { args: [] }\nloki-stack: {}\nother: {}\n", vec!["loki-stack", "metrics-server"]),
            ("something: 1\n", vec![]),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert!(convert(&[Source::new("a", "something: 1\n")]).is_err());
    }

    #[test]
    fn what_nobody_installs_is_off_and_the_later_file_counts() {
        let first = "prometheus: { prometheusSpec: { retention: 1d, replicas: 2 } }\n";
        let Converted { stack, left } = converted(&[first, "prometheus: { prometheusSpec: { retention: 9d } }\n"]);
        assert_eq!((&stack["prometheus"]["retention"], &stack["prometheus"]["replicas"]), (&json!("9d"), &json!(2)));
        assert_eq!(stack["prometheus"]["selection"], "labelled");
        for part in ["loki", "promtail", "metrics-server", "flask"] {
            assert_eq!(stack[part]["enabled"], false, "{part}");
        }
        assert_eq!(left, []);
    }

    #[test]
    fn who_is_told_of_alerts() {
        let values = r#"
alertmanager:
  config:
    global: { resolve_timeout: 5m, slack_api_url: 'https://hooks.slack.com/services/hunter2', smtp_smarthost: 'mail.example.com:587', smtp_from: 'a@example.com', smtp_auth_username: a, smtp_auth_password: hunter2 }
    receivers:
    - name: 'null'
    - name: On-Call
      slack_configs: [{ channel: '#ops', title: '{{ .GroupLabels.alertname }}' }]
      pagerduty_configs: [{ routing_key: hunter2, severity: critical }]
      webhook_configs: [{ url: 'http://hook.tools.svc:8080/a' }, { url: 'https://example.com/hunter2' }]
    - name: mail
      email_configs: [{ to: 'b@example.com', send_resolved: true }]
      wechat_configs: [{ api_secret: hunter2 }]
    route:
      receiver: mail
      group_by: [alertname]
      group_wait: 10s
      routes:
      - { receiver: 'null', matchers: ['alertname = "Watchdog"'] }
      - receiver: On-Call
        match: { severity: critical }
        match_re: { team: 'a|b' }
        continue: true
        mute_time_intervals: [Nights]
        routes: [{ receiver: gone, matchers: ['{a="b,c", d!~"e"}'] }]
    inhibit_rules:
    - { source_match: { severity: critical }, target_matchers: ['severity =~ warning|info'], equal: [namespace] }
    time_intervals:
    - { name: Nights, time_intervals: [{ times: [{ start_time: '22:00', end_time: '24:00' }], days_of_month: [1], weekdays: ['monday:friday'] }] }
    templates: ['/etc/alertmanager/config/*.tmpl']
"#;
        let Converted { stack, left } = converted(&[values]);
        let secret = |name: &str, key: &str| json!({ "name": format!("alertmanager-{name}"), "key": key });
        let slack = json!({
            "channel": "#ops", "urlSecret": secret("slack", "api-url"), "config": { "title": "{{ .GroupLabels.alertname }}" },
        });
        let pagerduty = json!({ "routingKeySecret": secret("on-call", "pagerduty-routing-key"), "config": { "severity": "critical" } });
        let webhooks =
            json!([{ "url": "http://hook.tools.svc:8080/a" }, { "urlSecret": secret("on-call", "webhook-url") }]);
        let mail = json!({
            "to": "b@example.com", "from": "a@example.com", "smarthost": "mail.example.com:587", "sendResolved": true,
            "authUsername": "a", "authPasswordSecret": secret("email", "auth-password"),
        });
        let expected = json!({
            "receivers": [
                { "name": "On-Call", "slack": [slack], "pagerduty": [pagerduty], "webhook": webhooks },
                { "name": "mail", "email": [mail] },
            ],
            "route": {
                "receiver": "mail", "groupBy": ["alertname"], "groupWait": "10s",
                "routes": [{
                    "receiver": "On-Call", "continue": true, "matchers": ["severity=\"critical\"", "team=~\"a|b\""],
                    "muteTimeIntervals": ["nights"],
                    "routes": [{ "receiver": "null", "matchers": ["a=\"b,c\"", "d!~\"e\""] }],
                }],
            },
            "inhibitRules": [{
                "sourceMatchers": ["severity=\"critical\""], "targetMatchers": ["severity =~ warning|info"], "equal": ["namespace"],
            }],
            "timeIntervals": [{ "name": "nights", "timeIntervals": [{
                "times": [{ "startTime": "22:00", "endTime": "24:00" }], "daysOfMonth": ["1"], "weekdays": ["monday:friday"],
            }] }],
        });
        assert_eq!(stack["alertmanager"], expected);
        let told: Vec<_> = left.iter().map(|problem| problem.message.as_str()).collect();
        let root = "`alertmanager.config.";
        assert_eq!(
            told,
            [
                format!("{root}global.resolve_timeout`: Prometheus says when its alerts end"),
                format!("{root}global.slack_api_url`: create the Secret `alertmanager-slack` with the key `api-url`"),
                format!(
                    "{root}global.smtp_auth_password`: create the Secret `alertmanager-email` with the key `auth-password`"
                ),
                format!(
                    "{root}receivers.On-Call.pagerduty_configs.routing_key`: create the Secret `alertmanager-on-call` with the key `pagerduty-routing-key`"
                ),
                format!(
                    "{root}receivers.On-Call.webhook_configs.url`: create the Secret `alertmanager-on-call` with the key `webhook-url`"
                ),
                format!("{root}receivers.mail.wechat_configs`: there is no key for it"),
            ]
        );
        assert!(
            !left.iter().any(|problem| problem.draw(false).contains("hunter2"))
                && !stack.to_string().contains("hunter2")
        );
        Stack::parse(&Source::new("stack.yaml", vigil_yaml::write(&stack))).unwrap();
    }

    #[test]
    fn what_thanos_stores_in() {
        const S3: &str = "{ secret: { type: S3, config: { bucket: metrics, endpoint: s3.example.com, access_key: hunter2, secret_key: hunter2 } } }";
        let values = |labels: &str, storage: &str| {
            format!(
                "prometheus:\n  prometheusSpec:\n    retention: 2d\n    externalLabels: {labels}\n    thanos: {{ objectStorageConfig: {storage} }}\n"
            )
        };
        let Converted { stack, left } = converted(&[&values("{ cluster: a }", S3)]);
        let key = |key: &str| json!({ "name": "thanos-objectstorage", "key": key });
        let s3 = json!({
            "endpoint": "s3.example.com",
            "credentials": { "accessKeyId": key("access-key-id"), "secretAccessKey": key("secret-access-key") },
        });
        assert_eq!(stack["objectStorage"], json!({ "s3": s3, "buckets": { "thanos": "metrics" } }));
        assert_eq!((&stack["thanos"], left.len()), (&json!({ "enabled": true }), 2));
        assert!(!left.iter().any(|problem| problem.draw(false).contains("hunter2")));
        Stack::parse(&Source::new("stack.yaml", vigil_yaml::write(&stack))).unwrap();
        for (labels, storage) in [("{}", S3), ("{ cluster: a }", "{ existingSecret: { name: a, key: b } }")] {
            let Converted { stack, left } = converted(&[&values(labels, storage)]);
            assert_eq!(
                (stack.get("thanos"), stack.get("objectStorage"), left.len()),
                (None, None, 1),
                "{labels} {storage}"
            );
        }
    }

    /// Whatever is converted is a stack that can be rendered.
    #[test]
    fn forms_that_differ() {
        let values = "prometheusOperator: { admissionWebhooks: { certManager: { enabled: true } } }\nprometheus:\n  \
                      ingress: { enabled: true, hosts: [a.example], tls: [{ secretName: t, hosts: [a.example] }] }\n  \
                      prometheusSpec:\n    image: { registry: r.example, repository: p/q, tag: v3.8.1, sha: SUM }\n    \
                      storageSpec: { volumeClaimTemplate: { spec: { resources: { requests: { storage: 5Gi } } } } }\n";
        let sum = "0".repeat(64);
        let values = &values.replace("SUM", &format!("'{sum}'"));
        let server = "args: [--kubelet-insecure-tls, --metric-resolution=30s, --secure-port=10250]\n";
        let Converted { stack, left } = converted(&[values, server]);
        assert_eq!(left, []);
        assert_eq!(stack["prometheus-operator"]["admissionWebhooks"], "cert-manager");
        let prometheus = json!({
            "image": format!("r.example/p/q:v3.8.1@sha256:{sum}"),
            "ingress": { "enabled": true, "host": "a.example", "tls": { "secretName": "t" } },
            "persistence": { "enabled": true, "size": "5Gi" },
            "selection": "labelled",
            "service": { "type": "ClusterIP" },
        });
        assert_eq!(stack["prometheus"], prometheus);
        assert_eq!(stack["metrics-server"], json!({ "kubeletInsecureTls": true, "resolution": "30s" }));
        let text = vigil_yaml::write(&stack);
        Stack::parse(&Source::new("stack.yaml", text)).unwrap();
    }
}
