//! Receivers: the address and the keys that each integration needs.

use super::super::file::Where;
use super::super::http_client;
use super::RECEIVER;
use super::details::Details;
use crate::fields::{given, items, text};
use crate::finding::Findings;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

/// How keys are spelt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// In Alertmanager's own file.
    File,
    /// In an AlertmanagerConfig.
    Object,
}

/// Keys of which one at least must be there, in an integration itself or, by other names, in `global`.
struct Needed {
    here: &'static [&'static str],
    global: &'static [&'static str],
}

/// What an integration needs.
struct Integration {
    list: &'static str,
    needed: &'static [Needed],
    /// Keys of which one at most may be there.
    exclusive: &'static [[&'static str; 2]],
}

const fn here(keys: &'static [&'static str]) -> Needed {
    Needed { here: keys, global: &[] }
}

const fn or_global(here: &'static [&'static str], global: &'static [&'static str]) -> Needed {
    Needed { here, global }
}

const WEBHOOK: &[Needed] = &[here(&["webhook_url", "webhook_url_file"])];
const ONE_WEBHOOK: &[[&str; 2]] = &[["webhook_url", "webhook_url_file"]];

/// Those of the file. Newer versions than 0.30 take some keys from a file or from `global` that older ones do not: these
/// count as well.
const FILE: &[Integration] = &[
    Integration { list: "discord_configs", needed: WEBHOOK, exclusive: ONE_WEBHOOK },
    Integration { list: "msteams_configs", needed: WEBHOOK, exclusive: ONE_WEBHOOK },
    Integration { list: "msteamsv2_configs", needed: WEBHOOK, exclusive: ONE_WEBHOOK },
    Integration {
        list: "mattermost_configs",
        needed: &[or_global(
            &["webhook_url", "webhook_url_file"],
            &["mattermost_webhook_url", "mattermost_webhook_url_file"],
        )],
        exclusive: ONE_WEBHOOK,
    },
    Integration {
        list: "email_configs",
        needed: &[here(&["to"]), or_global(&["smarthost"], &["smtp_smarthost"]), or_global(&["from"], &["smtp_from"])],
        exclusive: &[],
    },
    Integration {
        list: "incidentio_configs",
        needed: &[here(&["url", "url_file"])],
        exclusive: &[["url", "url_file"], ["alert_source_token", "alert_source_token_file"]],
    },
    Integration {
        list: "pagerduty_configs",
        needed: &[here(&["routing_key", "routing_key_file", "service_key", "service_key_file"])],
        exclusive: &[["routing_key", "routing_key_file"], ["service_key", "service_key_file"]],
    },
    Integration {
        list: "slack_configs",
        needed: &[or_global(
            &["api_url", "api_url_file", "app_token", "app_token_file"],
            &["slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file"],
        )],
        exclusive: &[["api_url", "api_url_file"], ["app_token", "app_token_file"], ["api_url", "app_token"]],
    },
    Integration { list: "webhook_configs", needed: &[here(&["url", "url_file"])], exclusive: &[["url", "url_file"]] },
    Integration {
        list: "opsgenie_configs",
        needed: &[or_global(&["api_key", "api_key_file"], &["opsgenie_api_key", "opsgenie_api_key_file"])],
        exclusive: &[["api_key", "api_key_file"]],
    },
    Integration {
        list: "wechat_configs",
        needed: &[
            or_global(&["api_secret", "api_secret_file"], &["wechat_api_secret", "wechat_api_secret_file"]),
            or_global(&["corp_id"], &["wechat_api_corp_id"]),
        ],
        exclusive: &[["api_secret", "api_secret_file"]],
    },
    Integration {
        list: "pushover_configs",
        needed: &[here(&["user_key", "user_key_file"]), here(&["token", "token_file"])],
        exclusive: &[["user_key", "user_key_file"], ["token", "token_file"]],
    },
    Integration {
        list: "victorops_configs",
        needed: &[
            here(&["routing_key", "routing_key_file"]),
            or_global(&["api_key", "api_key_file"], &["victorops_api_key", "victorops_api_key_file"]),
        ],
        exclusive: &[["api_key", "api_key_file"]],
    },
    Integration {
        list: "sns_configs",
        needed: &[here(&["target_arn", "topic_arn", "phone_number"])],
        exclusive: &[["target_arn", "topic_arn"], ["topic_arn", "phone_number"], ["target_arn", "phone_number"]],
    },
    Integration {
        list: "telegram_configs",
        needed: &[
            or_global(&["bot_token", "bot_token_file"], &["telegram_bot_token", "telegram_bot_token_file"]),
            here(&["chat_id", "chat_id_file"]),
        ],
        exclusive: &[["bot_token", "bot_token_file"]],
    },
    Integration { list: "webex_configs", needed: &[here(&["room_id"]), here(&["http_config"])], exclusive: &[] },
    Integration {
        list: "jira_configs",
        needed: &[here(&["project"]), here(&["issue_type"]), or_global(&["api_url"], &["jira_api_url"])],
        exclusive: &[],
    },
    Integration {
        list: "rocketchat_configs",
        needed: &[
            or_global(&["token", "token_file"], &["rocketchat_token", "rocketchat_token_file"]),
            or_global(&["token_id", "token_id_file"], &["rocketchat_token_id", "rocketchat_token_id_file"]),
        ],
        exclusive: &[["token", "token_file"], ["token_id", "token_id_file"]],
    },
];

/// Those of the operator's kind, as far as its definition does not say it.
const OBJECT: &[Integration] = &[
    Integration { list: "pagerdutyConfigs", needed: &[here(&["routingKey", "serviceKey"])], exclusive: &[] },
    Integration { list: "webhookConfigs", needed: &[here(&["url", "urlSecret"])], exclusive: &[] },
    Integration { list: "emailConfigs", needed: &[here(&["to"])], exclusive: &[] },
    Integration { list: "victoropsConfigs", needed: &[here(&["routingKey"])], exclusive: &[] },
    Integration {
        list: "pushoverConfigs",
        needed: &[here(&["userKey", "userKeyFile"]), here(&["token", "tokenFile"])],
        exclusive: &[],
    },
    Integration {
        list: "snsConfigs",
        needed: &[here(&["targetARN", "topicARN", "phoneNumber"])],
        exclusive: &[["targetARN", "topicARN"], ["topicARN", "phoneNumber"], ["targetARN", "phoneNumber"]],
    },
    Integration {
        list: "telegramConfigs",
        needed: &[here(&["botToken", "botTokenFile"])],
        exclusive: &[["botToken", "botTokenFile"]],
    },
];

/// What an AlertmanagerConfig may leave to `global` of the configuration that its routes become a part of.
const LEFT_TO_GLOBAL: &[Integration] = &[
    Integration {
        list: "slackConfigs",
        needed: &[or_global(
            &["apiURL"],
            &["slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file"],
        )],
        exclusive: &[],
    },
    Integration {
        list: "emailConfigs",
        needed: &[or_global(&["smarthost"], &["smtp_smarthost"]), or_global(&["from"], &["smtp_from"])],
        exclusive: &[],
    },
    Integration {
        list: "opsgenieConfigs",
        needed: &[or_global(&["apiKey"], &["opsgenie_api_key", "opsgenie_api_key_file"])],
        exclusive: &[],
    },
    Integration {
        list: "victoropsConfigs",
        needed: &[or_global(&["apiKey"], &["victorops_api_key", "victorops_api_key_file"])],
        exclusive: &[],
    },
    Integration {
        list: "wechatConfigs",
        needed: &[
            or_global(&["apiSecret"], &["wechat_api_secret", "wechat_api_secret_file"]),
            or_global(&["corpID"], &["wechat_api_corp_id"]),
        ],
        exclusive: &[],
    },
];

/// Judges what the receivers of an AlertmanagerConfig leave to the configuration `root` of an Alertmanager that takes them.
pub(super) fn check_global(place: Where<'_, '_>, spec: &Node, root: &Node, findings: &mut Findings) {
    let effect = "Alertmanager does not load its configuration, with all that is in it";
    for receiver in items(spec, "receivers") {
        for integration in LEFT_TO_GLOBAL {
            for node in items(receiver, integration.list) {
                integration.check(place, node, root.get("global"), effect, findings);
            }
        }
    }
}

/// Judges the receivers of a configuration.
pub(super) fn check(place: Where<'_, '_>, root: &Node, written: Written, findings: &mut Findings) {
    let (integrations, effect) = match written {
        Written::File => (FILE, "Alertmanager does not load its configuration"),
        Written::Object => (OBJECT, "the operator leaves out the whole AlertmanagerConfig"),
    };
    let global = root.get("global");
    if let Some(config) = root.at(&["global", "http_config"]).filter(|_| written == Written::File) {
        http_client::check(place, &RECEIVER, config, findings);
    }
    for receiver in items(root, "receivers") {
        if written == Written::File && text(receiver, "name").is_none() && !receiver.entries().is_empty() {
            place.add(&RECEIVER, receiver, "a receiver without a name", findings).label("expected `name`").help(effect);
        }
        for integration in integrations {
            for node in items(receiver, integration.list) {
                integration.check(place, node, global, effect, findings);
            }
        }
        Details { place, receiver, written, effect }.check(findings);
        if written == Written::File {
            let configs = receiver.entries().iter().filter(|entry| entry.key.text.ends_with("_configs"));
            for config in configs.flat_map(|entry| entry.value.items()).filter_map(|node| given(node, "http_config")) {
                http_client::check(place, &RECEIVER, config, findings);
            }
        }
        for node in items(receiver, "webex_configs") {
            if given(node, "http_config").is_some_and(|config| given(config, "authorization").is_none()) {
                place
                    .add(&RECEIVER, node, "a `webex_configs` item without `http_config.authorization`", findings)
                    .help(effect);
            }
        }
        for key in ["email_configs", "emailConfigs"] {
            for node in items(receiver, key) {
                headers(place, node, effect, findings);
            }
        }
    }
}

/// Whether a key is there with something in it.
fn has(node: &Node, key: &str) -> bool {
    given(node, key).is_some_and(|value| value.text() != Some(""))
}

impl Integration {
    fn check(&self, place: Where<'_, '_>, node: &Node, global: Option<&Node>, effect: &str, findings: &mut Findings) {
        for needed in self.needed {
            let is_global = || global.is_some_and(|global| needed.global.iter().any(|key| has(global, key)));
            if needed.here.iter().any(|key| has(node, key)) || is_global() || self.is_misspelt(node, needed.here) {
                continue;
            }
            let shown = |keys: &[&str]| list(keys, "or");
            let message = format!("an item of `{}` without {}", self.list, shown(needed.here));
            let help = match needed.global {
                [] => format!("add it: {effect}"),
                keys => {
                    format!(
                        "add it, or {} under `global` of Alertmanager's file: {effect}",
                        shown(&keys[..keys.len().min(2)])
                    )
                }
            };
            place.add(&RECEIVER, node, message, findings).label(format!("expected {}", shown(needed.here))).help(help);
        }
        for [first, second] in self.exclusive {
            if let Some(entry) = node.entry(second).filter(|_| has(node, first) && has(node, second)) {
                place
                    .add(&RECEIVER, entry, format!("{} beside `{first}`", Quoted(second)), findings)
                    .label("expected one of the two")
                    .help(format!("remove one: {effect}"));
            }
        }
    }
}

impl Integration {
    /// Whether one of these keys is there but for its spelling, which is told as such.
    fn is_misspelt(&self, node: &Node, keys: &[&str]) -> bool {
        let is_known = |key: &str| self.needed.iter().any(|needed| needed.here.contains(&key));
        node.entries().iter().any(|entry| {
            let key = entry.key.text.as_str();
            !is_known(key) && nearest(key, keys.to_vec()).is_some()
        })
    }
}

/// Headers of a mail, whose names are the same in upper case and in lower.
fn headers(place: Where<'_, '_>, node: &Node, effect: &str, findings: &mut Findings) {
    let mut seen = std::collections::HashSet::new();
    let written =
        node.get("headers").into_iter().flat_map(Node::entries).map(|entry| (&entry.value, entry.key.text.as_str()));
    let listed = items(node, "headers").iter().filter_map(|header| Some((header, text(header, "key")?)));
    for (at, name) in written.chain(listed) {
        if !seen.insert(name.to_ascii_lowercase()) {
            place.add(&RECEIVER, at, format!("the header {} stands twice", Quoted(name)), findings).help(effect);
        }
    }
}
