//! What single integrations refuse besides keys that are missing: parts that are not whole, and values that they do not know.
//!
//! Source: the `UnmarshalYAML` functions of `config/notifiers.go` of github.com/prometheus/alertmanager 0.30; for objects
//! `pkg/alertmanager/validation/v1alpha1` and the `Validate` functions of the API types of prometheus-operator 0.87.

use super::super::file::Where;
use super::RECEIVER;
use super::receivers::Written;
use crate::fields::{entries, filled, given, is_set, items, text};
use crate::finding::{At, Finding, Findings};
use vigil_forms::url::{Url, is_host_and_port};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

/// The fields of an AlertmanagerConfig whose addresses the operator reads; those of the file have a type that says so.
const ADDRESSES: [(&str, &str); 5] = [
    ("pagerdutyConfigs", "url"),
    ("opsgenieConfigs", "apiURL"),
    ("webhookConfigs", "url"),
    ("wechatConfigs", "apiURL"),
    ("victoropsConfigs", "apiUrl"),
];

const RESPONDERS: [&str; 5] = ["team", "teams", "user", "escalation", "schedule"];

/// What VictorOps says of every alert.
const RESERVED: [&str; 7] = [
    "routing_key",
    "message_type",
    "state_message",
    "entity_display_name",
    "monitoring_tool",
    "entity_id",
    "entity_state",
];

/// The receiver that is judged, and what follows of anything wrong in it.
pub(super) struct Details<'r, 'w, 'a> {
    pub(super) place: Where<'w, 'a>,
    pub(super) receiver: &'r Node,
    pub(super) written: Written,
    pub(super) effect: &'static str,
}

impl<'r> Details<'r, '_, '_> {
    pub(super) fn check(&self, findings: &mut Findings) {
        if self.written == Written::Object {
            self.addresses(findings);
        }
        self.opsgenie(findings);
        for node in self.configs("pushover") {
            if let Some(entry) = node.entry("monospace").filter(|_| is_set(node, "html") && is_set(node, "monospace")) {
                self.add(entry, "`monospace` beside `html`", findings).label("expected one of the two");
            }
        }
        for node in self.configs("victorops") {
            let listed = items(node, "customFields").iter().filter_map(|field| filled(field, "key"));
            let mapped = entries(node, "custom_fields").iter().map(|entry| (&entry.value, entry.key.text.as_str()));
            for (at, _) in listed.chain(mapped).filter(|(_, name)| RESERVED.contains(name)) {
                let message = "a custom field with a name of VictorOps' own";
                self.add(at, message, findings).label(format!("expected none of {}", list(&RESERVED, "or")));
            }
        }
        for node in self.configs("telegram") {
            let chat = node.get("chatID").or_else(|| node.get("chat_id"));
            if let Some(chat) = chat.filter(|chat| chat.integer() == Some(0)) {
                self.add(chat, "a chat of number 0 is none", findings).label("expected the number of a chat");
            }
        }
        for node in self.configs("slack") {
            self.slack(node, findings);
        }
        self.signatures(findings);
        if self.written == Written::File {
            self.one_of("telegram", "parse_mode", &["Markdown", "MarkdownV2", "HTML"], findings);
            self.one_of("wechat", "message_type", &["text", "markdown"], findings);
            self.one_of("jira", "api_type", &["auto", "cloud", "datacenter"], findings);
        }
    }

    fn one_of(&self, integration: &str, key: &str, known: &[&str], findings: &mut Findings) {
        let values = self.configs(integration).iter().filter_map(|node| filled(node, key));
        for (at, value) in values.filter(|(_, value)| !known.contains(value)) {
            self.add(at, format!("there is no `{key}` {}", Quoted(value)), findings)
                .label(format!("expected {}", list(known, "or")));
        }
    }

    fn add<'f, 'n>(
        &self,
        at: impl Into<At<'n>>,
        message: impl Into<String>,
        findings: &'f mut Findings,
    ) -> &'f mut Finding {
        self.place.add(&RECEIVER, at, message, findings).help(self.effect)
    }

    /// The configurations of one integration.
    fn configs(&self, integration: &str) -> &'r [Node] {
        let key = match self.written {
            Written::File => format!("{integration}_configs"),
            Written::Object => format!("{integration}Configs"),
        };
        items(self.receiver, key.as_str())
    }

    fn addresses(&self, findings: &mut Findings) {
        for (list, key) in ADDRESSES {
            for (at, text) in items(self.receiver, list).iter().filter_map(|node| filled(node, key)) {
                let is_one = Url::split(text)
                    .is_some_and(|url| matches!(url.scheme, "http" | "https") && !url.authority.host.is_empty());
                if !is_one {
                    self.add(at, format!("{} is no address", Quoted(text)), findings)
                        .label("expected `http://` or `https://` and a host");
                }
            }
        }
        for (at, text) in self.configs("email").iter().filter_map(|node| filled(node, "smarthost")) {
            if !is_host_and_port(text) && !text.starts_with(':') {
                self.add(at, format!("{} is no server of mails", Quoted(text)), findings).label("expected `host:port`");
            }
        }
    }

    fn opsgenie(&self, findings: &mut Findings) {
        for responder in self.configs("opsgenie").iter().flat_map(|node| items(node, "responders")) {
            if ["id", "name", "username"].iter().all(|key| text(responder, key).is_none()) {
                self.add(responder, "a responder of nobody", findings).label("expected `id`, `name` or `username`");
            }
            if let Some((at, kind)) = filled(responder, "type").filter(|(_, kind)| !kind.contains("{{"))
                && self.written == Written::File
                && !RESPONDERS.contains(&kind.to_ascii_lowercase().as_str())
            {
                let finding = self.add(at, format!("{} is no type of a responder", Quoted(kind)), findings);
                match nearest(kind, RESPONDERS) {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.label(format!("expected {}", list(&RESPONDERS, "or"))),
                };
            }
        }
    }

    /// The definition of the operator says most of it.
    fn slack(&self, node: &Node, findings: &mut Findings) {
        let is_file = self.written == Written::File;
        let mut need = |part: &Node, what: &str, keys: &[&str]| {
            if !keys.iter().any(|key| text(part, *key).is_some()) {
                let keys = list(keys, "or");
                self.add(part, format!("{what} of Slack without {keys}"), findings).label(format!("expected {keys}"));
            }
        };
        for action in items(node, "actions") {
            need(action, "an action", &["url", "name"]);
            if is_file {
                need(action, "an action", &["type"]);
                need(action, "an action", &["text"]);
            }
            if let Some(confirm) = given(action, "confirm").filter(|_| is_file) {
                need(confirm, "a question", &["text"]);
            }
        }
        if !is_file {
            return;
        }
        for field in items(node, "fields") {
            need(field, "a field", &["title"]);
            need(field, "a field", &["value"]);
        }
    }

    /// Keys for AWS, of which each is nothing without the other.
    fn signatures(&self, findings: &mut Findings) {
        let (access, secret) = match self.written {
            Written::File => ("access_key", "secret_key"),
            Written::Object => ("accessKey", "secretKey"),
        };
        for signature in self.configs("sns").iter().filter_map(|node| given(node, "sigv4")) {
            let half = match (signature.entry(access), signature.entry(secret)) {
                (Some(entry), None) => Some((entry, secret)),
                (None, Some(entry)) => Some((entry, access)),
                _ => None,
            };
            if let Some((entry, missing)) = half {
                let message = format!("`{}` without `{missing}`", entry.key.text);
                self.add(entry, message, findings).label(format!("expected `{missing}` too"));
            }
        }
    }
}
