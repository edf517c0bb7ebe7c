//! Routes: where an alert goes.

use super::super::file::Where;
use super::{ROUTE, matchers};
use crate::fields::{entries, items, text, written};
use crate::finding::Findings;
use crate::schema::formats;
use crate::schema::pattern::is_expression;
use std::collections::HashSet;
use vigil_forms::duration;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Quoted};

const LEFT_OUT: &str = "the operator leaves out the whole AlertmanagerConfig";

/// The names of keys, which the operator spells in another way.
pub(super) struct Keys {
    pub(super) group_by: &'static str,
    pub(super) waits: [&'static str; 3],
    pub(super) uses: [&'static str; 2],
}

pub(super) const FILE: Keys = Keys {
    group_by: "group_by",
    waits: ["group_wait", "group_interval", "repeat_interval"],
    uses: ["mute_time_intervals", "active_time_intervals"],
};

pub(super) const OBJECT: Keys = Keys {
    group_by: "groupBy",
    waits: ["groupWait", "groupInterval", "repeatInterval"],
    uses: ["muteTimeIntervals", "activeTimeIntervals"],
};

/// The fields of a route of an AlertmanagerConfig: `Route` of the operator's API types, which says nothing of the routes
/// below it in its definition.
const ROUTE_FIELDS: [&str; 10] = [
    "receiver",
    "groupBy",
    "groupWait",
    "groupInterval",
    "repeatInterval",
    "matchers",
    "continue",
    "routes",
    "muteTimeIntervals",
    "activeTimeIntervals",
];

const MATCHER_FIELDS: [&str; 4] = ["name", "value", "matchType", "regex"];

/// The routes of a configuration.
pub(super) struct Routes<'w, 'a> {
    pub(super) place: Where<'w, 'a>,
    /// Where the intervals are that routes name.
    pub(super) intervals: &'static [&'static str],
    pub(super) keys: &'static Keys,
}

/// What there is for routes to name.
struct Known<'n> {
    receivers: HashSet<&'n str>,
    intervals: HashSet<&'n str>,
}

impl Routes<'_, '_> {
    pub(super) fn check(&self, root: &Node, findings: &mut Findings) {
        let mut receivers = HashSet::new();
        for receiver in items(root, "receivers") {
            let Some(name) = receiver.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            if !receivers.insert(text) {
                self.place.add(&ROUTE, name, format!("a second receiver is called {}", Quoted(text)), findings);
            }
        }
        let intervals = self.intervals.iter().filter_map(|key| root.get(key)).flat_map(Node::items);
        let intervals = intervals.filter_map(|node| node.get("name")?.text()).collect();
        let known = Known { receivers, intervals };
        for rule in items(root, "inhibit_rules") {
            for key in ["source_matchers", "target_matchers"] {
                self.texts(rule, key, findings);
            }
        }
        for rule in items(root, "inhibitRules") {
            for key in ["sourceMatch", "targetMatch"] {
                for matcher in items(rule, key) {
                    self.expression(matcher, findings);
                }
            }
        }
        let Some(entry) = root.entry("route") else {
            // A part of a configuration may have none.
            if self.is_file() && !root.entries().is_empty() {
                self.place
                    .add(&ROUTE, &root.entries()[0], "there is no `route`".to_owned(), findings)
                    .help("add `route:` with a `receiver`");
            }
            return;
        };
        let route = &entry.value;
        if route.get("receiver").and_then(Node::text).is_none_or(str::is_empty) {
            self.place
                .add(&ROUTE, entry, "the first route has no receiver".to_owned(), findings)
                .label("expected `receiver`");
        }
        if self.is_file() {
            self.first(route, findings);
        }
        self.route(route, true, &known, findings);
    }

    fn is_file(&self) -> bool {
        matches!(self.place, Where::File(..))
    }

    /// The first route of a file, which takes every alert at every time.
    fn first(&self, route: &Node, findings: &mut Findings) {
        let is_filled = |value: &Node| !value.items().is_empty() || !value.entries().is_empty();
        for key in ["match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals"] {
            if let Some(at) = route.entry(key).filter(|at| is_filled(&at.value)) {
                let message = format!("the first route takes every alert, and has `{key}`");
                self.place.add(&ROUTE, at, message, findings).help("put what is matched into `routes`");
            }
        }
        if let Some(at) = route.entry("continue").filter(|at| at.value.boolean() == Some(true)) {
            self.place
                .add(&ROUTE, at, "the first route has `continue`".to_owned(), findings)
                .help("remove it: there is no route beside the first");
        }
    }

    fn route(&self, route: &Node, is_first: bool, known: &Known<'_>, findings: &mut Findings) {
        if let Some(node) = route.get("receiver")
            && let Some(name) = node.text().filter(|name| !name.is_empty())
        {
            self.known("receiver", name, node, &known.receivers, findings);
        }
        for node in self.keys.uses.iter().filter_map(|key| route.get(key)).flat_map(Node::items) {
            if let Some(name) = node.text() {
                self.known("time interval", name, node, &known.intervals, findings);
            }
        }
        self.group(route, findings);
        if self.is_file() {
            self.texts(route, "matchers", findings);
            for entry in entries(route, "match_re") {
                if let Some(text) = entry.value.text().filter(|text| !is_expression(text)) {
                    self.no_expression(&entry.value, text, findings);
                }
            }
        } else {
            for matcher in items(route, "matchers") {
                self.expression(matcher, findings);
            }
        }
        if !self.is_file() {
            self.waits(route, is_first, findings);
        }
        // `continue` in the first and zero in any.
        for key in &self.keys.waits[1..] {
            if let Some(node) = route.get(key)
                && duration::prometheus(written(node)).is_ok_and(|length| length.is_zero())
            {
                self.place
                    .add(&ROUTE, node, format!("`{key}` is zero"), findings)
                    .help("leave it out, or write a duration");
            }
        }
        for below in items(route, "routes") {
            if !self.is_file() {
                self.nested(below, findings);
            }
            self.route(below, false, known, findings);
        }
    }

    /// What alerts are grouped by.
    fn group(&self, route: &Node, findings: &mut Findings) {
        let labels = items(route, self.keys.group_by);
        let mut seen = HashSet::new();
        for label in labels {
            let Some(name) = label.text() else { continue };
            if !seen.insert(name) {
                let message = format!("{} stands twice in `{}`", Quoted(name), self.keys.group_by);
                self.place.add(&ROUTE, label, message, findings).help("remove one of the two");
            } else if name == "..." && labels.len() > 1 {
                let message = format!("`...` beside other labels in `{}`", self.keys.group_by);
                self.place.add(&ROUTE, label, message, findings).help("`...` alone groups by all labels");
            }
        }
    }

    /// Matchers as texts, of a file.
    fn texts(&self, node: &Node, key: &str, findings: &mut Findings) {
        for matcher in items(node, key) {
            if let Some(text) = matcher.text().filter(|text| !matchers::are_matchers(text)) {
                self.place
                    .add(&ROUTE, matcher, format!("{} is no matcher", Quoted(text)), findings)
                    .label("expected `name=\"value\"`, with `=`, `!=`, `=~` or `!~`")
                    .help("what follows `=~` and `!~` is a regular expression of Go");
            }
        }
    }

    /// A matcher of an AlertmanagerConfig, whose expression the operator hands on as it is.
    fn expression(&self, matcher: &Node, findings: &mut Findings) {
        let is_regexp = matches!(text(matcher, "matchType"), Some("=~" | "!~"))
            || matcher.get("regex").and_then(Node::boolean) == Some(true);
        if let Some(value) = matcher.get("value").filter(|_| is_regexp)
            && let Some(text) = value.text().filter(|text| !is_expression(text))
        {
            self.no_expression(value, text, findings);
        }
    }

    fn no_expression(&self, at: &Node, text: &str, findings: &mut Findings) {
        self.place
            .add(&ROUTE, at, format!("{} is not a valid regular expression", Quoted(text)), findings)
            .help("expected the syntax of Go's `regexp`; Alertmanager does not load its configuration");
    }

    /// A route of an AlertmanagerConfig below the first: a server takes anything there, and the operator leaves the whole
    /// object out for what it does not know.
    fn nested(&self, route: &Node, findings: &mut Findings) {
        let Data::Map(fields) = &route.data else {
            self.place
                .add(&ROUTE, route, format!("a route is {}", route.describe()), findings)
                .label("expected a mapping");
            return;
        };
        for entry in fields {
            let key = entry.key.text.as_str();
            // Go's `encoding/json` does not tell upper case from lower.
            let Some(name) = ROUTE_FIELDS.iter().find(|name| name.eq_ignore_ascii_case(key)) else {
                self.unknown(entry, &ROUTE_FIELDS, findings);
                continue;
            };
            let value = &entry.value;
            let expected = match *name {
                _ if value.is_null() => continue,
                "continue" => value.boolean().is_none().then_some("`true` or `false`"),
                "receiver" => value.text().is_none().then_some("a string"),
                _ if self.keys.waits.contains(name) => None,
                _ => (!matches!(value.data, Data::List(_))).then_some("a list"),
            };
            if let Some(expected) = expected {
                let message = format!("`{name}` is {}", shown(value));
                self.place.add(&ROUTE, value, message, findings).label(format!("expected {expected}")).help(LEFT_OUT);
            }
        }
        for matcher in items(route, "matchers") {
            if !matches!(matcher.data, Data::Map(_)) {
                let message = format!("a matcher is {}", matcher.describe());
                self.place
                    .add(&ROUTE, matcher, message, findings)
                    .label("expected `name`, `value` and `matchType`")
                    .help(LEFT_OUT);
            }
            for entry in matcher.entries() {
                if !MATCHER_FIELDS.iter().any(|name| name.eq_ignore_ascii_case(&entry.key.text)) {
                    self.unknown(entry, &MATCHER_FIELDS, findings);
                }
            }
            if let Some(node) = matcher.get("matchType")
                && node.text().is_none_or(|text| !matches!(text, "" | "=" | "!=" | "=~" | "!~"))
            {
                let message = format!("`matchType` is {}", shown(node));
                let finding = self.place.add(&ROUTE, node, message, findings);
                finding.label("expected `=`, `!=`, `=~` or `!~`").help(LEFT_OUT);
            }
        }
    }

    /// How long an AlertmanagerConfig says to wait: the definition lets every text pass, and of the routes below the first
    /// everything.
    fn waits(&self, route: &Node, is_first: bool, findings: &mut Findings) {
        for key in self.keys.waits {
            let Some(node) = route.get(key).filter(|node| !node.is_null()) else { continue };
            let is_one = |text: &str| text.is_empty() || duration::prometheus(text).is_ok();
            // Of the first route the definition knows that it is a text.
            if !node.text().map_or(is_first, is_one) {
                let finding = self.place.add(&ROUTE, node, format!("`{key}` is {}", shown(node)), findings);
                finding.label(match formats::meant(written(node), is_one) {
                    Some(meant) => format!("expected a duration: write `{meant}`"),
                    None => "expected a duration such as `30s` or `4h`".to_owned(),
                });
                finding.help(LEFT_OUT);
            }
        }
    }

    fn unknown(&self, entry: &vigil_yaml::Entry, known: &[&str], findings: &mut Findings) {
        let key = &entry.key.text;
        let finding = self.place.add(&ROUTE, entry, format!("unknown field {}", Quoted(key)), findings);
        if let Some(near) = nearest(key, known.to_vec()) {
            finding.label(format!("did you mean `{near}`?"));
        }
        finding.help("correct it: the operator leaves out the whole AlertmanagerConfig, and older ones drop the field");
    }

    fn known(&self, kind: &str, name: &str, node: &Node, known: &HashSet<&str>, findings: &mut Findings) {
        if known.contains(name) {
            return;
        }
        let mut known: Vec<&str> = known.iter().copied().collect();
        known.sort_unstable();
        let finding = self.place.add(&ROUTE, node, format!("there is no {kind} {}", Quoted(name)), findings);
        if let Some(near) = nearest(name, known.iter().copied()) {
            finding.label(format!("did you mean `{near}`?"));
        } else if !known.is_empty() {
            finding.label(format!("expected {}", list(&known, "or")));
        }
    }
}

/// A value as a message shows it.
fn shown(node: &Node) -> String {
    match node.text() {
        Some(text) => Quoted(text).to_string(),
        None => node.describe().to_string(),
    }
}
