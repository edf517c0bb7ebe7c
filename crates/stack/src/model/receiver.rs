//! Who is told of an alert, and by which ways.

use super::{SecretReference, TokenAuth, choice};
use crate::units::{ChatId, DnsSubdomain, Email, HostPort, Line, ReceiverName, Region, Url};
use serde_json::{Map, Value};
use std::ops::Not;

/// A value of a way to tell somebody, which may be in a Secret.
trait Setting {
    /// The Secret that holds it.
    fn secret(&self) -> Option<&SecretReference> {
        None
    }
}

impl Setting for SecretReference {
    fn secret(&self) -> Option<&SecretReference> {
        Some(self)
    }
}

impl<T: Setting> Setting for Option<T> {
    fn secret(&self) -> Option<&SecretReference> {
        self.as_ref().and_then(Setting::secret)
    }
}

macro_rules! no_secrets {
    ($($setting:ident)+) => { $(impl Setting for $setting {})+ };
}

no_secrets!(bool ChatId Email HostPort Line ParseMode SigV4 Url);

/// Declares the ways to tell somebody, and with them the [`Receiver`], which has any number of each.
///
/// A way has the keys that it `needs` and those that it `may` have. Behind them come those of all ways: `sendResolved`, whose
/// usual value is Alertmanager's; `http`, where Alertmanager speaks HTTP; and `config`, for the rest.
macro_rules! ways {
    ($(
        $(#[doc = $doc:literal])+
        $key:ident: $name:ident {
            needs { $($(#[doc = $need_doc:literal])+ $need:ident: $needed:ident,)* }
            may { $($(#[doc = $may_doc:literal])+ $may:ident: $allowed:ident,)* }
            resolved: $resolved:literal $(, $http:ident)?
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(deny_unknown_fields, rename_all = "camelCase")]
            pub struct $name {
                $($(#[doc = $need_doc])+ pub $need: $needed,)*
                $(
                    $(#[doc = $may_doc])+
                    #[serde(default, skip_serializing_if = "Option::is_none")]
                    pub $may: Option<$allowed>,
                )*
                /// Tell when the alert is over, too.
                #[serde(default = $resolved)]
                pub send_resolved: bool,
                $(
                    /// How Alertmanager logs in there, and which way it goes.
                    #[serde(default, skip_serializing_if = "Option::is_none")]
                    pub $http: Option<Http>,
                )?
                /// What else Alertmanager can be told of this way, in its own words: texts, titles, priorities. Credentials are
                /// refused here.
                #[serde(default, skip_serializing_if = "Map::is_empty")]
                pub config: Map<String, Value>,
            }

            impl $name {
                /// The Secrets that hold its credentials.
                fn secrets(&self) -> Vec<&SecretReference> {
                    let own: &[&dyn Setting] = &[$(&self.$need,)* $(&self.$may,)*];
                    let secrets = own.iter().filter_map(|setting| setting.secret());
                    $(let secrets = secrets.chain(self.$http.iter().flat_map(Http::secrets));)?
                    secrets.collect()
                }
            }
        )+

        /// Somebody who is told, by any number of ways. Credentials stand in Secrets that you create in the namespace of
        /// Alertmanager; there is no key to write one here.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct Receiver {
            /// What routes call it.
            pub name: ReceiverName,
            $(
                $(#[doc = $doc])+
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                pub $key: Vec<$name>,
            )+
        }

        impl Receiver {
            /// The keys of all ways.
            pub(crate) const WAYS: &[&str] = &[$(stringify!($key)),+];

            /// In how many ways it tells somebody.
            pub(crate) fn ways(&self) -> usize {
                [$(self.$key.len()),+].into_iter().sum()
            }

            /// The Secrets that hold its credentials, each once for each use.
            pub(crate) fn secrets(&self) -> Vec<&SecretReference> {
                let mut secrets = Vec::new();
                $(secrets.extend(self.$key.iter().flat_map($name::secrets));)+
                secrets
            }
        }
    };
}

ways! {
    /// By an HTTP request.
    webhook: Webhook {
        needs {}
        may {
            /// Where it goes, when the address is no secret.
            url: Url,
            /// Where it goes, as the content of a Secret: such addresses are often credentials.
            url_secret: SecretReference,
        }
        resolved: "yes", http
    }
    /// In a channel of Slack, or of what takes messages as Slack does, such as Mattermost.
    slack: Slack {
        needs {
            /// The address of the incoming webhook, as the content of a Secret.
            url_secret: SecretReference,
        }
        may {
            /// The channel or the user.
            channel: Line,
        }
        resolved: "no", http
    }
    /// By e-mail.
    email: EmailTo {
        needs {
            /// Who gets it.
            to: Email,
            /// Who sends it.
            from: Email,
            /// The mail server, as `host:port`.
            smarthost: HostPort,
        }
        may {
            /// The user at the mail server.
            auth_username: Line,
            /// The password at the mail server.
            auth_password_secret: SecretReference,
            /// Refuse to send without TLS; so it is unless you say `false`.
            require_tls: bool,
        }
        resolved: "no"
    }
    /// By PagerDuty.
    pagerduty: Pagerduty {
        needs {
            /// The integration key of the Events API v2.
            routing_key_secret: SecretReference,
        }
        may {}
        resolved: "yes", http
    }
    /// By Opsgenie, or Jira Service Management, which takes the same messages at another address.
    opsgenie: Opsgenie {
        needs {
            /// The API key.
            api_key_secret: SecretReference,
        }
        may {
            /// The address of its API, when it is not the usual one.
            api_url: Url,
        }
        resolved: "yes", http
    }
    /// In a channel of Microsoft Teams, by a workflow with the trigger "When a Teams webhook request is received".
    teams: Teams {
        needs {
            /// The address of the workflow, as the content of a Secret.
            url_secret: SecretReference,
        }
        may {}
        resolved: "yes", http
    }
    /// In a channel of Discord, which takes messages as Slack does.
    discord: Discord {
        needs {
            /// The address of the webhook with `/slack` behind it, as the content of a Secret.
            url_secret: SecretReference,
        }
        may {}
        resolved: "yes", http
    }
    /// In a chat of Telegram.
    telegram: Telegram {
        needs {
            /// The token of the bot.
            bot_token_secret: SecretReference,
            /// The chat; groups have negative numbers.
            chat_id: ChatId,
        }
        may {
            /// How the message is written; `HTML` unless you say otherwise.
            parse_mode: ParseMode,
        }
        resolved: "yes", http
    }
    /// On a phone by Pushover.
    pushover: Pushover {
        needs {
            /// The key of the user or the group.
            user_key_secret: SecretReference,
            /// The token of the application.
            token_secret: SecretReference,
        }
        may {}
        resolved: "yes", http
    }
    /// By an issue of Jira.
    jira: Jira {
        needs {
            /// The address of its REST API, such as `https://example.atlassian.net/rest/api/2/`. `http.basicAuth` logs in there.
            api_url: Url,
            /// The key of the project.
            project: Line,
            /// The type of the issue, such as `Bug`.
            issue_type: Line,
        }
        may {}
        resolved: "yes", http
    }
    /// By Amazon SNS. It logs in as the ServiceAccount of Alertmanager, for which the cluster knows a role.
    sns: Sns {
        needs {
            /// How requests are signed.
            sigv4: SigV4,
            /// The topic.
            topic_arn: Line,
        }
        may {}
        resolved: "yes", http
    }
    /// By Splunk On-Call, formerly VictorOps.
    victorops: Victorops {
        needs {
            /// The API key.
            api_key_secret: SecretReference,
            /// Which team is told.
            routing_key: Line,
        }
        may {}
        resolved: "yes", http
    }
    /// In a room of Webex. `http.authorization` logs in there.
    webex: Webex {
        needs {
            /// The room.
            room_id: Line,
        }
        may {}
        resolved: "yes", http
    }
    /// In a channel of Rocket.Chat.
    rocketchat: Rocketchat {
        needs {
            /// The number of the user's token.
            token_id_secret: SecretReference,
            /// The user's token.
            token_secret: SecretReference,
        }
        may {
            /// Its address.
            api_url: Url,
            /// The channel.
            channel: Line,
        }
        resolved: "no", http
    }
}

choice! {
    /// How a message of Telegram is written.
    pub enum ParseMode {
        /// As HTML.
        HTML,
        /// As MarkdownV2.
        MarkdownV2,
        /// As Markdown.
        Markdown,
    }
}

/// How requests to Amazon are signed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SigV4 {
    /// The region, such as `eu-central-1`.
    pub region: Region,
    /// A role to take on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<Line>,
}

/// How Alertmanager logs in by HTTP, and which way it goes there.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Http {
    /// A user and a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<PasswordOf>,
    /// A token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
    /// How the server is known to be the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// A proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<Url>,
}

impl Http {
    /// The Secrets that hold its credentials.
    fn secrets(&self) -> Vec<&SecretReference> {
        let password = self.basic_auth.iter().map(|auth| &auth.password);
        let token = self.authorization.iter().map(|auth| &auth.credentials);
        password.chain(token).chain(self.tls.iter().filter_map(|tls| tls.ca.as_ref())).collect()
    }
}

/// A user, and a password in a Secret.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordOf {
    /// The user's name.
    pub username: Line,
    /// The password.
    pub password: SecretReference,
}

/// TLS of a client.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Tls {
    /// The certificate of an authority of your own, in a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretReference>,
    /// The name in the server's certificate, where it is not the host of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<DnsSubdomain>,
    /// Take any certificate.
    #[serde(skip_serializing_if = "Not::not")]
    pub insecure_skip_verify: bool,
}

/// What Alertmanager calls a key of a way. A key that is a Secret here is the file of that key there: `url` and `url_file`.
pub fn alertmanager_key(way: &str, key: &str) -> String {
    match (way, key) {
        ("slack" | "discord", "urlSecret") => "api_url".to_owned(),
        ("teams", "urlSecret") => "webhook_url".to_owned(),
        (_, "http") => "http_config".to_owned(),
        (_, "tls") => "tls_config".to_owned(),
        _ => {
            let letter =
                |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.into() };
            key.strip_suffix("Secret").unwrap_or(key).chars().map(letter).collect()
        }
    }
}

fn yes() -> bool {
    true
}

fn no() -> bool {
    false
}
