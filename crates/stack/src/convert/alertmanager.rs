//! Alertmanager's own configuration, as the chart of kube-prometheus-stack takes it, in the keys of the stack.

use super::{NO_KEY, at, is_empty, objection};
use serde_json::{Map, Value, json};
use vigil_forms::name::is_credential;
use vigil_yaml::{Data, Entry, Node, Span};

/// Alertmanager's lists of ways to tell somebody, and what they are here.
const WAYS: [(&str, &str); 14] = [
    ("discord_configs", "discord"),
    ("email_configs", "email"),
    ("jira_configs", "jira"),
    ("msteamsv2_configs", "teams"),
    ("opsgenie_configs", "opsgenie"),
    ("pagerduty_configs", "pagerduty"),
    ("pushover_configs", "pushover"),
    ("rocketchat_configs", "rocketchat"),
    ("slack_configs", "slack"),
    ("sns_configs", "sns"),
    ("telegram_configs", "telegram"),
    ("victorops_configs", "victorops"),
    ("webex_configs", "webex"),
    ("webhook_configs", "webhook"),
];

/// Keys of ways that hold a credential, by way: what they are here. Each may end in `_file` as well.
const SECRETS: [(&str, &str, &str); 13] = [
    ("discord", "webhook_url", "urlSecret"),
    ("email", "auth_password", "authPasswordSecret"),
    ("opsgenie", "api_key", "apiKeySecret"),
    ("pagerduty", "routing_key", "routingKeySecret"),
    ("pushover", "token", "tokenSecret"),
    ("pushover", "user_key", "userKeySecret"),
    ("rocketchat", "token", "tokenSecret"),
    ("rocketchat", "token_id", "tokenIdSecret"),
    ("slack", "api_url", "urlSecret"),
    ("teams", "webhook_url", "urlSecret"),
    ("telegram", "bot_token", "botTokenSecret"),
    ("victorops", "api_key", "apiKeySecret"),
    ("webhook", "url", "urlSecret"),
];

/// Keys of ways that have a key of their own here. What is in neither list stands below `config`.
const PLAIN: [(&str, &[&str]); 14] = [
    ("discord", &[]),
    ("email", &["to", "from", "smarthost", "auth_username", "require_tls"]),
    ("jira", &["api_url", "project", "issue_type"]),
    ("opsgenie", &["api_url"]),
    ("pagerduty", &[]),
    ("pushover", &[]),
    ("rocketchat", &["api_url", "channel"]),
    ("slack", &["channel"]),
    ("sns", &["sigv4", "topic_arn"]),
    ("teams", &[]),
    ("telegram", &["chat_id", "parse_mode"]),
    ("victorops", &["routing_key"]),
    ("webex", &["room_id"]),
    ("webhook", &[]),
];

/// Keys of `global` that hold for each way of a kind which does not say its own.
const GLOBAL: [(&str, &str, &str); 12] = [
    ("jira_api_url", "jira", "api_url"),
    ("opsgenie_api_key", "opsgenie", "api_key"),
    ("opsgenie_api_url", "opsgenie", "api_url"),
    ("rocketchat_api_url", "rocketchat", "api_url"),
    ("slack_api_url", "slack", "api_url"),
    ("smtp_auth_password", "email", "auth_password"),
    ("smtp_auth_username", "email", "auth_username"),
    ("smtp_from", "email", "from"),
    ("smtp_require_tls", "email", "require_tls"),
    ("smtp_smarthost", "email", "smarthost"),
    ("telegram_bot_token", "telegram", "bot_token"),
    ("victorops_api_key", "victorops", "api_key"),
];

/// Keys of routes that are alike here but for their spelling.
const OF_ROUTES: [&str; 5] = ["group_by", "group_interval", "group_wait", "receiver", "repeat_interval"];

/// The receiver that tells nobody, which is always there.
const NOBODY: &str = "null";

/// What became of a configuration.
pub(super) struct Told<'n> {
    /// What stands below `alertmanager`.
    pub(super) ours: Value,
    /// What was left out or has to be done, by its path.
    pub(super) left: Vec<(String, &'n Entry, String)>,
    /// Credentials, whatever their keys are.
    pub(super) credentials: Vec<Span>,
}

/// Converts a configuration that stands at a path.
pub(super) fn convert<'n>(path: &str, config: &'n Node) -> Told<'n> {
    let mut told = Told { ours: json!({}), left: Vec::new(), credentials: Vec::new() };
    let mut receivers = Vec::new();
    for entry in config.entries() {
        let here = format!("{path}.{}", entry.key.text);
        match entry.key.text.as_str() {
            "global" => told.global(&here, entry),
            "receivers" => {
                let all = entry.value.items().iter();
                receivers = all.filter_map(|receiver| told.receiver(&here, receiver, config.get("global"))).collect();
            }
            "inhibit_rules" => told.list("inhibitRules", &here, entry, inhibition),
            "time_intervals" | "mute_time_intervals" => told.list("timeIntervals", &here, entry, time_interval),
            // They are told of with the receivers that are left.
            "route" => {}
            // What the chart says by itself.
            "templates" if is_usual(&entry.value) => {}
            "templates" => told.leave(here, entry, "templates are files beside the stack: `alertmanager.templates`"),
            _ if is_empty(&entry.value) => {}
            _ => told.leave(here, entry, NO_KEY),
        }
    }
    if let Some(entry) = config.entries().iter().find(|entry| entry.key.text == "route") {
        told.route(&format!("{path}.route"), entry, &receivers);
    }
    if !receivers.is_empty() {
        told.ours["receivers"] = receivers.into();
    }
    told
}

impl<'n> Told<'n> {
    fn leave(&mut self, path: String, entry: &'n Entry, reason: impl Into<String>) {
        self.left.push((path, entry, reason.into()));
    }

    /// What of `global` is no way's.
    fn global(&mut self, path: &str, entry: &'n Entry) {
        for entry in entry.value.entries() {
            let key = entry.key.text.as_str();
            let (here, plain) = (format!("{path}.{key}"), key.strip_suffix("_file").unwrap_or(key));
            if GLOBAL.iter().any(|(global, ..)| *global == plain) || is_empty(&entry.value) {
                continue;
            }
            let why = if key == "resolve_timeout" { "Prometheus says when its alerts end" } else { NO_KEY };
            self.leave(here, entry, why);
        }
    }

    /// A receiver, with the ways that the stack has; none of one that tells nobody.
    fn receiver(&mut self, path: &str, receiver: &'n Node, global: Option<&'n Node>) -> Option<Value> {
        let name = receiver.get("name").and_then(Node::text)?;
        let mut ours = Map::from_iter([("name".to_owned(), json!(name))]);
        for entry in receiver.entries().iter().filter(|entry| entry.key.text != "name" && !is_empty(&entry.value)) {
            let here = format!("{path}.{name}.{}", entry.key.text);
            let Some((_, way)) = WAYS.iter().find(|(theirs, _)| *theirs == entry.key.text) else {
                self.leave(here, entry, NO_KEY);
                continue;
            };
            let (mut ways, before) = (Vec::new(), self.left.len());
            for item in entry.value.items() {
                let made = self.way(&here, (way, name), item, global);
                let receiver = json!({ "name": name, *way: [made] });
                match objection(&at("alertmanager.receivers", json!([receiver]))) {
                    None => ways.push(made),
                    Some(wrong) => {
                        self.left.truncate(before);
                        self.leave(
                            here.clone(),
                            entry,
                            wrong.label.map_or(wrong.message.clone(), |label| format!("{}: {label}", wrong.message)),
                        );
                    }
                }
            }
            if !ways.is_empty() {
                ours.insert((*way).to_owned(), ways.into());
            }
        }
        (ours.len() > 1).then(|| ours.into())
    }

    /// One way to tell somebody.
    fn way(&mut self, path: &str, (way, receiver): (&str, &str), item: &'n Node, global: Option<&'n Node>) -> Value {
        let plain = PLAIN.iter().find(|(of, _)| *of == way).map_or(&[][..], |(_, keys)| keys);
        let own = item.entries().iter().map(|entry| (entry.key.text.as_str(), entry, receiver));
        let usual = global.map(Node::entries).unwrap_or_default().iter().filter_map(|entry| {
            let key = entry.key.text.as_str();
            let (_, _, theirs) =
                GLOBAL.iter().find(|(name, of, _)| *of == way && *name == key.trim_end_matches("_file"))?;
            let is_said = |said: &&Entry| said.key.text.trim_end_matches("_file") == *theirs;
            item.entries().iter().find(is_said).is_none().then_some((*theirs, entry, way))
        });
        let (mut ours, mut config) = (json!({}), Map::new());
        for (key, entry, owner) in own.chain(usual).filter(|(_, entry, _)| !is_empty(&entry.value)) {
            let secret = SECRETS.iter().find(|(of, theirs, _)| *of == way && *theirs == key.trim_end_matches("_file"));
            if way == "webhook" && key == "url" && entry.value.text().is_some_and(is_inside) {
                ours["url"] = entry.value.to_json();
            } else if let Some((.., our_key)) = secret {
                self.credentials.push(entry.value.span.clone());
                let named = secret_for(owner, way, key);
                ours[*our_key] = named.clone();
                let text = |key: &str| named[key].as_str().unwrap_or_default().to_owned();
                let mut todo = format!("create the Secret `{}` with the key `{}`", text("name"), text("key"));
                if way == "discord" {
                    todo.push_str(", and put `/slack` behind the address");
                }
                let path = if owner == receiver {
                    format!("{path}.{key}")
                } else {
                    format!("alertmanager.config.global.{}", entry.key.text)
                };
                if !self.left.iter().any(|(known, ..)| *known == path) {
                    self.leave(path, entry, todo);
                }
            } else if key == "send_resolved" || plain.contains(&key) {
                ours[camel_case(key)] = entry.value.to_json();
            } else if key == "http_config" {
                self.leave(
                    format!("{path}.{key}"),
                    entry,
                    "how Alertmanager logs in there is `http` of this way, with credentials in Secrets",
                );
            } else if is_credential(key.trim_end_matches("_file")) {
                self.leave(format!("{path}.{key}"), entry, super::CREDENTIAL);
            } else {
                config.insert(key.to_owned(), entry.value.to_json());
            }
        }
        if !config.is_empty() {
            ours["config"] = config.into();
        }
        ours
    }

    /// The route of every alert.
    fn route(&mut self, path: &str, entry: &'n Entry, receivers: &[Value]) {
        let mut ours = self.below(path, &entry.value, receivers);
        for key in ["matchers", "continue", "activeTimeIntervals", "muteTimeIntervals"] {
            ours.remove(key);
        }
        match objection(&at("alertmanager.route", ours.clone().into())) {
            None => self.ours["route"] = ours.into(),
            Some(wrong) => self.leave(path.to_owned(), entry, wrong.message),
        }
    }

    /// What a route says, and those below it.
    fn below(&mut self, path: &str, route: &'n Node, receivers: &[Value]) -> Map<String, Value> {
        let mut ours = Map::new();
        for entry in route.entries().iter().filter(|entry| !is_empty(&entry.value)) {
            match entry.key.text.as_str() {
                "receiver" => {
                    let name = entry.value.text().unwrap_or_default();
                    let is_there = receivers.iter().any(|receiver| receiver["name"] == name);
                    ours.insert("receiver".to_owned(), json!(if is_there { name } else { NOBODY }));
                }
                "matchers" | "match" | "match_re" => {}
                "continue" => drop(ours.insert("continue".to_owned(), entry.value.to_json())),
                "active_time_intervals" | "mute_time_intervals" => {
                    let names = entry.value.items().iter().filter_map(Node::text).map(label_of);
                    ours.insert(camel_case(&entry.key.text), names.collect());
                }
                "routes" => {
                    let routes = entry.value.items().iter().filter(|route| !is_of_watchdog(route));
                    let routes: Vec<_> = routes.map(|route| Value::from(self.below(path, route, receivers))).collect();
                    if !routes.is_empty() {
                        ours.insert("routes".to_owned(), routes.into());
                    }
                }
                key if OF_ROUTES.contains(&key) => drop(ours.insert(camel_case(key), entry.value.to_json())),
                key => self.leave(format!("{path}.{key}"), entry, NO_KEY),
            }
        }
        ours.insert("matchers".to_owned(), matchers(route, "").into());
        ours
    }

    /// A list of which each item has a form of its own here.
    fn list(&mut self, ours: &str, path: &str, entry: &'n Entry, form: fn(&Node) -> Value) {
        let items: Vec<_> = entry.value.items().iter().map(form).collect();
        match objection(&at(&format!("alertmanager.{ours}"), items.clone().into())) {
            _ if items.is_empty() => {}
            None => self.ours[ours] = items.into(),
            Some(wrong) => self.leave(path.to_owned(), entry, wrong.message),
        }
    }
}

/// A Secret to be made for a credential of a receiver, or of all ways of a kind.
fn secret_for(owner: &str, way: &str, key: &str) -> Value {
    let key = label_of(key.trim_end_matches("_file"));
    let key = if owner == way { key } else { format!("{way}-{key}") };
    json!({ "name": format!("alertmanager-{}", label_of(owner)), "key": key })
}

/// A name as Kubernetes takes it.
fn label_of(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// A key of Alertmanager's as the stack spells it.
fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        all + &head.to_ascii_uppercase() + tail
    })
}

/// Whether an address is one inside of the cluster and holds no credential. Others often are credentials.
fn is_inside(url: &str) -> bool {
    let Some(url) = vigil_forms::url::Url::split(url) else { return false };
    let host = url.authority.host;
    let is_service = !host.contains('.') || host.ends_with(".svc") || host.ends_with(".svc.cluster.local");
    is_service && url.query.is_none() && url.authority.credentials.is_none()
}

/// What labels must be, by the old keys and the new one, each with what stands before it: `source_`, `target_`.
fn matchers(node: &Node, before: &str) -> Vec<String> {
    let old = [("match", "="), ("match_re", "=~")].into_iter().flat_map(|(key, operator)| {
        let pairs = node.get(&format!("{before}{key}")).map(Node::entries).unwrap_or_default();
        pairs.iter().map(move |pair| format!("{}{operator}{}", pair.key.text, quoted(scalar(&pair.value))))
    });
    let new = node.get(&format!("{before}matchers")).map(Node::items).unwrap_or_default();
    old.chain(new.iter().filter_map(Node::text).flat_map(apart)).collect()
}

fn scalar(node: &Node) -> &str {
    match &node.data {
        Data::Scalar(scalar) => &scalar.text,
        _ => "",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The matchers of one text, which may hold several: `{a="b", c=~"d,e"}`.
fn apart(text: &str) -> Vec<String> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let (mut found, mut is_quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        match c {
            ',' if !is_quoted => {
                found.push(String::new());
                continue;
            }
            '"' if !escaped => is_quoted = !is_quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.into_iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// Whether a route is the one that is there in any case: the alert that always fires tells nobody.
fn is_of_watchdog(route: &Node) -> bool {
    let plain: Vec<String> = matchers(route, "").iter().map(|it| it.replace([' ', '"'], "")).collect();
    route.get("receiver").is_none_or(|name| name.text() == Some(NOBODY) || name.is_null())
        && plain == ["alertname=Watchdog"]
        && route.get("routes").is_none()
}

/// Whether templates are where the chart puts them, unless told otherwise.
fn is_usual(templates: &Node) -> bool {
    templates.items().iter().all(|path| path.text() == Some("/etc/alertmanager/config/*.tmpl"))
}

fn inhibition(rule: &Node) -> Value {
    let mut ours = json!({ "sourceMatchers": matchers(rule, "source_"), "targetMatchers": matchers(rule, "target_") });
    if let Some(equal) = rule.get("equal").filter(|equal| !is_empty(equal)) {
        ours["equal"] = equal.to_json();
    }
    ours
}

fn time_interval(interval: &Node) -> Value {
    let times = interval.get("time_intervals").map(Node::items).unwrap_or_default();
    let name = label_of(interval.get("name").and_then(Node::text).unwrap_or_default());
    json!({ "name": name, "timeIntervals": times.iter().map(spelt_here).collect::<Vec<_>>() })
}

/// A node with its keys in the spelling of the stack, and its days and years as the texts that they are.
fn spelt_here(node: &Node) -> Value {
    match &node.data {
        Data::Map(entries) => entries
            .iter()
            .map(|entry| (camel_case(&entry.key.text), spelt_here(&entry.value)))
            .collect::<Map<_, _>>()
            .into(),
        Data::List(items) => items.iter().map(spelt_here).collect(),
        Data::Scalar(scalar) => scalar.text.as_str().into(),
    }
}
