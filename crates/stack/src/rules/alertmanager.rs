//! Who is told of what: what Alertmanager would refuse, and what would reach nobody.

use super::{Kept, in_their_words, ingress, same_name, without_login, without_volume};
use crate::findings::Findings;
use crate::model::{Alertmanager, Part as _, Receiver, Stack, SubRoute, alertmanager_key};
use crate::units::{Duration, GroupLabel, ReceiverName};
use serde_json::Value;
use std::collections::BTreeSet;
use vigil_yaml::words::list;

/// The receiver that tells nobody, which is always there.
const NOBODY: &str = "null";

/// The ways to tell somebody that Alertmanager has not always known, and the minor version that brought each (its
/// CHANGELOG.md). The operator refuses them for an older one too.
const SINCE: [(&str, (u32, u32)); 5] =
    [("telegram", (0, 24)), ("webex", (0, 25)), ("teams", (0, 28)), ("jira", (0, 28)), ("rocketchat", (0, 28))];

const KEPT: Kept = Kept {
    part: "alertmanager",
    name: "Alertmanager",
    data: "silences",
    changes: "`image`, `retention`, `externalUrl` or memory limit",
};

pub(crate) fn check(alertmanager: &Alertmanager, stack: &Stack, findings: &mut Findings) {
    if !alertmanager.enabled {
        return;
    }
    if !stack.prometheus.enabled {
        findings.warning(
            &["alertmanager.enabled", "prometheus.enabled"],
            "nothing sends alerts to Alertmanager",
            "`prometheus.enabled` is `false`",
            "set `alertmanager.enabled: false`, unless a Prometheus of your own sends them",
        );
    }
    if alertmanager.replicas.get() == 0 {
        findings.error(
            &["alertmanager.replicas"],
            "Alertmanager with no replicas tells nobody",
            "expected 1 at least",
            "set `alertmanager.enabled: false` to switch it off",
        );
    }
    for (at, receiver) in alertmanager.receivers.iter().enumerate() {
        self::receiver(alertmanager, at, receiver, findings);
    }
    let service = alertmanager.effective_service();
    without_login("alertmanager", "Alertmanager", &service, &alertmanager.ingress, findings);
    // Several replicas tell each other.
    if alertmanager.replicas.get() == 1 {
        without_volume(&KEPT, &alertmanager.persistence, findings);
    }
    let route = &alertmanager.route;
    let path = "alertmanager.route";
    known(alertmanager, route.receiver.as_str(), path, findings);
    groups(&route.group_by, path, findings);
    for (key, time) in [("groupInterval", &route.group_interval), ("repeatInterval", &route.repeat_interval)] {
        not_zero(time, &format!("{path}.{key}"), findings);
    }
    routes(alertmanager, &route.routes, path, findings);
    time_intervals(alertmanager, findings);
    inhibit_rules(alertmanager, findings);
    let templates = alertmanager.templates.iter().map(|template| &template.name);
    same_name("alertmanager.templates", templates, "templates", "one would overwrite the other", findings);
    unreached(alertmanager, findings);
    nobody(alertmanager, stack, findings);
    ingress("alertmanager", &alertmanager.ingress, alertmanager.external_url.as_ref(), findings);
}

fn receiver(alertmanager: &Alertmanager, at: usize, receiver: &Receiver, findings: &mut Findings) {
    let path = format!("alertmanager.receivers.{at}");
    let name = format!("{path}.name");
    if receiver.name.as_str() == NOBODY {
        findings.error(&[&name], "the receiver `null` is there already", "it tells nobody", "give yours another name");
    } else if alertmanager.receivers[..at].iter().any(|other| other.name == receiver.name) {
        findings.error(
            &[&name],
            format!("the receiver `{}` stands twice", receiver.name),
            "a name of its own for each",
            "put the ways of both into one: each way is a list",
        );
    }
    for (at, way) in receiver.webhook.iter().enumerate() {
        if way.url.is_some() == way.url_secret.is_some() {
            findings.error(
                &[&format!("{path}.webhook.{at}")],
                "a webhook needs one address",
                "expected `urlSecret` or `url`, and not both",
                "use `urlSecret` for an address that is a credential itself, `url` for any other",
            );
        }
    }
    for (at, way) in receiver.webex.iter().enumerate() {
        if way.http.as_ref().is_none_or(|http| http.authorization.is_none()) {
            findings.error(
                &[&format!("{path}.webex.{at}")],
                "Webex wants the token of a bot",
                "expected `http.authorization`",
                "add `http: { authorization: { credentials: { name: …, key: … } } }` with a Secret that holds the token",
            );
        }
    }
    let said = serde_json::to_value(receiver).unwrap_or_default();
    ways(&path, &said, findings);
    too_old(&path, alertmanager, &said, findings);
    for (at, way) in receiver.email.iter().enumerate() {
        if way.auth_username.is_some() != way.auth_password_secret.is_some() {
            findings.error(
                &[&format!("{path}.email.{at}")],
                "a mail server wants a user and a password, or neither",
                "`authUsername` and `authPasswordSecret` go together",
                "add the one that is missing, or remove the other",
            );
        }
    }
}

/// What holds for every way: it logs in once, and its `config` says what no key says.
fn ways(path: &str, receiver: &Value, findings: &mut Findings) {
    for way in Receiver::WAYS {
        for (at, said) in receiver[way].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{way}.{at}");
            if said.pointer("/http/basicAuth").is_some() && said.pointer("/http/authorization").is_some() {
                findings.error(
                    &[&format!("{path}.http.basicAuth")],
                    "Alertmanager logs in by a password or by a token",
                    "`basicAuth` and `authorization` exclude each other",
                    "remove one of the two",
                );
            }
            let keys = said.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
            let own: Vec<_> =
                keys.chain(["http", "sendResolved"]).map(|key| (key, alertmanager_key(way, key))).collect();
            in_their_words(
                &path,
                &said["config"],
                &own,
                "name a Secret by a key that ends with `Secret`, or below `http`",
                findings,
            );
        }
    }
}

/// Ways that the deployed version does not know.
fn too_old(path: &str, alertmanager: &Alertmanager, receiver: &Value, findings: &mut Findings) {
    let Some(version) = alertmanager.image.minor_version() else { return };
    for (way, since) in SINCE.into_iter().filter(|(way, since)| receiver.get(way).is_some() && version < *since) {
        findings.error(
            &[&format!("{path}.{way}"), "alertmanager.image"],
            format!("Alertmanager {}.{} does not know the way `{way}`", version.0, version.1),
            &format!("it came with {}.{}", since.0, since.1),
            &format!("set `alertmanager.image` to version {}.{} or newer", since.0, since.1),
        );
    }
}

fn time_intervals(alertmanager: &Alertmanager, findings: &mut Findings) {
    let names = alertmanager.time_intervals.iter().map(|interval| &interval.name);
    same_name("alertmanager.timeIntervals", names, "time intervals", "Alertmanager refuses it", findings);
    for (at, interval) in alertmanager.time_intervals.iter().enumerate() {
        let path = format!("alertmanager.timeIntervals.{at}");
        let is_used = |route: &SubRoute| {
            let mut used = route.active_time_intervals.iter().chain(&route.mute_time_intervals);
            used.any(|name| *name == interval.name)
        };
        if !any_route(&alertmanager.route.routes, &is_used) {
            findings.warning(
                &[&format!("{path}.name")],
                format!("no route names the time interval `{}`", interval.name),
                "without effect",
                "name it in `muteTimeIntervals` or `activeTimeIntervals` of one of `alertmanager.route.routes`",
            );
        }
        for (number, times) in interval.time_intervals.iter().enumerate() {
            for (at, times) in times.times.iter().enumerate() {
                if times.start_time.minutes() >= times.end_time.minutes() {
                    findings.error(
                        &[&format!("{path}.timeIntervals.{number}.times.{at}.endTime")],
                        format!("it ends at {} and begins at {}", times.end_time, times.start_time),
                        "expected a later time of the same day",
                        "write a night as two: until `\"24:00\"`, and from `\"00:00\"`",
                    );
                }
            }
        }
    }
}

fn any_route(routes: &[SubRoute], is: &impl Fn(&SubRoute) -> bool) -> bool {
    routes.iter().any(|route| is(route) || any_route(&route.routes, is))
}

fn inhibit_rules(alertmanager: &Alertmanager, findings: &mut Findings) {
    for (at, rule) in alertmanager.inhibit_rules.iter().enumerate() {
        if rule.source_matchers.is_empty() || rule.target_matchers.is_empty() {
            findings.error(
                &[&format!("alertmanager.inhibitRules.{at}")],
                "an inhibition without matchers is about every alert",
                "expected a matcher at least in `sourceMatchers` and in `targetMatchers`",
                "say which alerts are the cause and which follow from it",
            );
        }
    }
}

fn routes(alertmanager: &Alertmanager, routes: &[SubRoute], above: &str, findings: &mut Findings) {
    for (at, route) in routes.iter().enumerate() {
        let path = format!("{above}.routes.{at}");
        if let Some(receiver) = &route.receiver {
            known(alertmanager, receiver.as_str(), &path, findings);
        }
        for (key, names) in
            [("activeTimeIntervals", &route.active_time_intervals), ("muteTimeIntervals", &route.mute_time_intervals)]
        {
            for (at, name) in names.iter().enumerate() {
                if !alertmanager.time_intervals.iter().any(|interval| interval.name == *name) {
                    findings.error(
                        &[&format!("{path}.{key}.{at}"), "alertmanager.timeIntervals"],
                        format!("there is no time interval `{name}`"),
                        "expected one of `alertmanager.timeIntervals`",
                        "add it to `alertmanager.timeIntervals`",
                    );
                }
            }
        }
        groups(route.group_by.as_deref().unwrap_or_default(), &path, findings);
        for (key, time) in [("groupInterval", &route.group_interval), ("repeatInterval", &route.repeat_interval)] {
            if let Some(time) = time {
                not_zero(time, &format!("{path}.{key}"), findings);
            }
        }
        self::routes(alertmanager, &route.routes, &path, findings);
    }
}

fn known(alertmanager: &Alertmanager, receiver: &str, path: &str, findings: &mut Findings) {
    if receiver != NOBODY && !alertmanager.receivers.iter().any(|known| known.name.as_str() == receiver) {
        findings.error(
            &[&format!("{path}.receiver"), "alertmanager.receivers"],
            format!("there is no receiver `{receiver}`"),
            "expected one of `alertmanager.receivers`, or `null`",
            "add it to `alertmanager.receivers`",
        );
    }
}

/// The receivers that some route names.
fn reached(alertmanager: &Alertmanager) -> BTreeSet<&str> {
    fn add<'a>(routes: &'a [SubRoute], found: &mut BTreeSet<&'a str>) {
        for route in routes {
            found.extend(route.receiver.as_ref().map(ReceiverName::as_str));
            add(&route.routes, found);
        }
    }
    let mut found = BTreeSet::from([alertmanager.route.receiver.as_str()]);
    add(&alertmanager.route.routes, &mut found);
    found
}

/// Receivers that are told of nothing, or that tell nobody.
fn unreached(alertmanager: &Alertmanager, findings: &mut Findings) {
    let reached = reached(alertmanager);
    for (at, receiver) in alertmanager.receivers.iter().enumerate() {
        let path = format!("alertmanager.receivers.{at}");
        let name = &receiver.name;
        if !reached.contains(name.as_str()) {
            findings.warning(
                &[&format!("{path}.name"), "alertmanager.route"],
                format!("no route names the receiver `{name}`: it gets no alert"),
                "not in `alertmanager.route`",
                &format!("set `alertmanager.route.receiver: {name}` for all alerts, or add a route with it to `alertmanager.route.routes`"),
            );
        }
        if receiver.ways() == 0 {
            findings.warning(
                &[&path],
                format!("the receiver `{name}` has no way to tell anybody"),
                &format!("it has none of {}", list(Receiver::WAYS, "or")),
                "add one of them, or use the receiver `null`, which is there for that",
            );
        }
    }
}

/// Alerts that reach nobody at all. It is said, not warned of: who looks at Grafana every day may want it so.
fn nobody(alertmanager: &Alertmanager, stack: &Stack, findings: &mut Findings) {
    let told = !stack.prometheus.alertmanagers.is_empty();
    if alertmanager.receivers.is_empty() && stack.alerts.is_in(stack) && !told {
        findings.note(
            &["alertmanager.receivers", "alertmanager"],
            "alerts reach nobody: Alertmanager has no receiver",
            "they are shown by Grafana, Prometheus and Alertmanager only",
            "add one to `alertmanager.receivers` and name it in `alertmanager.route.receiver`; docs/stack.md has an example",
        );
    }
}

fn groups(labels: &[GroupLabel], path: &str, findings: &mut Findings) {
    let path = format!("{path}.groupBy");
    if labels.len() > 1 && labels.iter().any(|label| label.as_str() == "...") {
        findings.error(
            &[&path],
            "`...` stands for all labels, and goes with no other",
            "Alertmanager refuses it",
            "leave only `...`, or name the labels",
        );
    }
    for (at, label) in labels.iter().enumerate().filter(|(at, label)| labels[..*at].contains(label)) {
        findings.error(
            &[&format!("{path}.{at}")],
            format!("the label `{label}` stands twice"),
            "each counts once",
            "remove one of the two",
        );
    }
}

fn not_zero(time: &Duration, path: &str, findings: &mut Findings) {
    if time.length().is_zero() {
        findings.error(
            &[path],
            "an interval of 0 would tell without end",
            "expected more than 0",
            "remove it for the usual one",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    /// The first lines of everything that is wrong with a stack whose Alertmanager says `text`.
    fn errors(text: &str) -> Vec<String> {
        let text = format!("alertmanager: {text}\n");
        let problems = Stack::parse(&Source::new("stack.yaml", text)).map_or_else(|found| found, |_| Vec::new());
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn what_alertmanager_would_refuse() {
        for (text, message) in [
            ("{replicas: 0}", "Alertmanager with no replicas tells nobody"),
            ("{route: {receiver: team}}", "there is no receiver `team`"),
            ("{route: {routes: [{matchers: [a=b], receiver: x}]}}", "there is no receiver `x`"),
            ("{route: {routes: [{matchers: [], routes: [{matchers: [], receiver: y}]}]}}", "there is no receiver `y`"),
            ("{route: {groupBy: [a, ...]}}", "`...` stands for all labels, and goes with no other"),
            ("{route: {groupBy: [a, a]}}", "the label `a` stands twice"),
            ("{route: {repeatInterval: \"0\"}}", "an interval of 0 would tell without end"),
            ("{receivers: [{name: a}, {name: a}]}", "the receiver `a` stands twice"),
            ("{receivers: [{name: \"null\"}]}", "the receiver `null` is there already"),
            ("{receivers: [{name: a, webex: [{roomId: b}]}]}", "Webex wants the token of a bot"),
            (
                "{receivers: [{name: a, slack: [{urlSecret: {name: b, key: c}, config: {api_url: https://d}}]}]}",
                "`api_url` has a key of its own: `urlSecret`",
            ),
            (
                "{receivers: [{name: a, teams: [{urlSecret: {name: b, key: c}, config: {webhook_url_file: /d}}]}]}",
                "`webhook_url_file` has a key of its own: `urlSecret`",
            ),
            (
                "{receivers: [{name: a, webhook: [{url: http://b, config: {http_config: {}}}]}]}",
                "`http_config` has a key of its own: `http`",
            ),
            (
                "{receivers: [{name: a, webhook: [{url: http://b, config: {x: [{password: c}]}}]}]}",
                "`password` is a credential",
            ),
            (
                "{receivers: [{name: a, webhook: [{url: http://b, http: {basicAuth: {username: c, password: {name: d, key: e}}, \
                 authorization: {credentials: {name: d, key: e}}}}]}]}",
                "Alertmanager logs in by a password or by a token",
            ),
            (
                "{image: 'a/b:v0.27.0', receivers: [{name: a, teams: [{urlSecret: {name: b, key: c}}]}]}",
                "Alertmanager 0.27 does not know the way `teams`",
            ),
            ("{route: {routes: [{matchers: [a=b], muteTimeIntervals: [night]}]}}", "there is no time interval `night`"),
            (
                "{timeIntervals: [{name: a, timeIntervals: [{times: [{startTime: '22:00', endTime: '06:00'}]}]}]}",
                "it ends at 06:00 and begins at 22:00",
            ),
            (
                "{timeIntervals: [{name: a, timeIntervals: []}, {name: a, timeIntervals: []}]}",
                "two time intervals are called `a`",
            ),
            (
                "{inhibitRules: [{sourceMatchers: [], targetMatchers: [a=b]}]}",
                "an inhibition without matchers is about every alert",
            ),
            ("{receivers: [{name: a, webhook: [{}]}]}", "a webhook needs one address"),
            (
                "{receivers: [{name: a, webhook: [{url: http://a, urlSecret: {name: b, key: c}}]}]}",
                "a webhook needs one address",
            ),
            (
                "{receivers: [{name: a, email: [{to: a@b, from: a@b, smarthost: \"b:25\", authUsername: u}]}]}",
                "a mail server wants a user and a password, or neither",
            ),
            (
                "{ingress: {enabled: true, path: /a}, externalUrl: https://b/c}",
                "`alertmanager` is served at `/c`, and its Ingress answers to `/a`",
            ),
        ] {
            assert_eq!(errors(text), [message], "{text}");
        }
    }

    /// The first lines of what is said of a stack that is sound.
    fn said(text: &str) -> Vec<String> {
        let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
        parsed.warnings.into_iter().chain(parsed.notes).map(|problem| problem.message).collect()
    }

    #[test]
    fn alerts_that_reach_nobody_are_said() {
        let nobody = "alerts reach nobody: Alertmanager has no receiver";
        let others = "alertmanager: {persistence: {enabled: true}}\nprometheus: {persistence: {enabled: true}, service: {type: ClusterIP}}\n\
                      grafana: {enabled: false}\nloki: {enabled: false}\npromtail: {enabled: false}\n";
        assert_eq!(said(others), [nobody]);
        assert_eq!(said(&format!("{others}alerts: {{enabled: false}}\n")), [""; 0]);
        let with = |receivers: &str, route: &str| {
            said(&others.replace(
                "{persistence: {enabled: true}}\np",
                &format!("{{persistence: {{enabled: true}}, receivers: [{receivers}], route: {route}}}\np"),
            ))
        };
        let team = "{name: team, webhook: [{url: 'http://chat'}]}";
        assert_eq!(with(team, "{}"), ["no route names the receiver `team`: it gets no alert"]);
        assert_eq!(with(team, "{receiver: team}"), [""; 0]);
        assert_eq!(with(team, "{routes: [{matchers: [a=b], routes: [{matchers: [], receiver: team}]}]}"), [""; 0]);
        assert_eq!(with("{name: team}", "{receiver: team}"), ["the receiver `team` has no way to tell anybody"]);
    }

    #[test]
    fn no_key_takes_a_credential() {
        for (way, key) in [
            ("slack", "apiUrl: https://hooks.slack.com/x"),
            ("pagerduty", "routingKey: x"),
            ("opsgenie", "apiKey: x"),
            ("email", "authPassword: x"),
            ("webhook", "password: x"),
            ("teams", "url: https://x"),
            ("telegram", "botToken: x"),
        ] {
            let found = errors(&format!("{{receivers: [{{name: a, {way}: [{{{key}}}]}}]}}"));
            assert!(found.iter().any(|message| message.starts_with("unknown key")), "{way}: {found:?}");
        }
    }
}
