use super::{Annotations, Ingress, Labels, Persistence, Pods, SecretReference, Service, ServiceType, part, settings};
use crate::units::{
    DnsSubdomain, Duration, Email, GroupLabel, HostPort, Image, Line, Matcher, ReceiverName, Replicas, Url,
};

settings! {
    /// Alertmanager, which tells people about alerts.
    pub struct Alertmanager {
        /// Run it.
        pub enabled: bool,
        /// Its image; the tag is its version.
        pub image: Image,
        /// How many pods; they agree among themselves on who tells.
        pub replicas: Replicas,
        /// How people reach it; from inside the cluster only, unless it says otherwise.
        pub service: Service,
        /// The way in from outside through an ingress controller.
        pub ingress: Ingress,
        /// The address in the browser, for links in messages.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_url: Option<Url>,
        /// How long silences and what was told are kept.
        pub retention: Duration,
        /// Where silences live.
        pub persistence: Persistence,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Who is told. The receiver `null`, which tells nobody, is always there.
        pub receivers: Vec<Receiver>,
        /// Which alert is told to whom.
        pub route: Route,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Alertmanager {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("quay.io/prometheus/alertmanager:v0.30.0"),
            replicas: Replicas::known(1),
            service: Service::default(),
            ingress: Ingress::default(),
            external_url: None,
            retention: Duration::known("120h"),
            persistence: Persistence::default(),
            pods: Pods::default(),
            receivers: Vec::new(),
            route: Route::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Alertmanager {
    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::ClusterIP, None)
    }

    /// The Secrets that receivers take credentials from.
    pub fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.receivers.iter().flat_map(Receiver::secrets).map(|secret| &secret.name).collect()
    }
}

part!(Alertmanager: pods("10m", "64Mi", "256Mi"), metadata, operated, service, ingress, volume, secrets, namespace(monitoring), rules(alertmanager));

settings! {
    /// The route of every alert, unless one of `routes` takes it.
    pub struct Route {
        /// Who is told; `null`: nobody.
        pub receiver: ReceiverName,
        /// Alerts that agree in these labels are told together.
        pub group_by: Vec<GroupLabel>,
        /// How long the first message of a group waits for more alerts.
        pub group_wait: Duration,
        /// How long before a group that grew is told again.
        pub group_interval: Duration,
        /// How long before a group that did not change is told again.
        pub repeat_interval: Duration,
        /// Exceptions; the first that matches counts. Behind them comes the one for the Watchdog, which always fires: it
        /// tells nobody.
        pub routes: Vec<SubRoute>,
    }
}

impl Default for Route {
    fn default() -> Self {
        Self {
            receiver: ReceiverName::known("null"),
            group_by: vec![GroupLabel::known("namespace")],
            group_wait: Duration::known("30s"),
            group_interval: Duration::known("5m"),
            repeat_interval: Duration::known("12h"),
            routes: Vec::new(),
        }
    }
}

/// An exception from the route above it. What it does not say, it has from there.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubRoute {
    /// Who is told; without one, whom the route above tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<ReceiverName>,
    /// What the alert's labels must be, all of them.
    pub matchers: Vec<Matcher>,
    /// Let the exceptions behind this one look at the alert too.
    #[serde(default)]
    pub r#continue: bool,
    /// Alerts that agree in these labels are told together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<GroupLabel>>,
    /// How long the first message of a group waits for more alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Duration>,
    /// How long before a group that grew is told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<Duration>,
    /// How long before a group that did not change is told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<Duration>,
    /// Exceptions from this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<SubRoute>,
}

/// Somebody who is told, by any number of ways. Credentials stand in Secrets that you create in the namespace of
/// Alertmanager; there is no key to write one here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// What routes call it.
    pub name: ReceiverName,
    /// By an HTTP request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<Webhook>,
    /// In a channel of Slack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slack: Vec<Slack>,
    /// By e-mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<EmailTo>,
    /// By PagerDuty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pagerduty: Vec<Pagerduty>,
    /// By Opsgenie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opsgenie: Vec<Opsgenie>,
}

impl Receiver {
    /// In how many ways it tells somebody.
    pub(crate) fn ways(&self) -> usize {
        self.webhook.len() + self.slack.len() + self.email.len() + self.pagerduty.len() + self.opsgenie.len()
    }

    /// The Secrets that hold its credentials.
    fn secrets(&self) -> Vec<&SecretReference> {
        let mut secrets: Vec<_> = self.webhook.iter().filter_map(|way| way.url_secret.as_ref()).collect();
        secrets.extend(self.slack.iter().map(|way| &way.url_secret));
        secrets.extend(self.email.iter().filter_map(|way| way.auth_password_secret.as_ref()));
        secrets.extend(self.pagerduty.iter().map(|way| &way.routing_key_secret));
        secrets.extend(self.opsgenie.iter().map(|way| &way.api_key_secret));
        secrets
    }
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Webhook {
    /// Where it goes, as the content of a Secret: such addresses are often credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_secret: Option<SecretReference>,
    /// Where it goes, when the address is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Tell when the alert is over, too.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

/// A message in a channel of Slack.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Slack {
    /// The address of the incoming webhook, as the content of a Secret.
    pub url_secret: SecretReference,
    /// The channel or the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Line>,
    /// Tell when the alert is over, too.
    #[serde(default)]
    pub send_resolved: bool,
}

/// An e-mail.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailTo {
    /// Who gets it.
    pub to: Email,
    /// Who sends it.
    pub from: Email,
    /// The mail server, as `host:port`.
    pub smarthost: HostPort,
    /// The user at the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<Line>,
    /// The password at the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_password_secret: Option<SecretReference>,
    /// Refuse to send without TLS.
    #[serde(default = "yes")]
    pub require_tls: bool,
    /// Tell when the alert is over, too.
    #[serde(default)]
    pub send_resolved: bool,
}

/// An incident at PagerDuty.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pagerduty {
    /// The integration key of the Events API v2.
    pub routing_key_secret: SecretReference,
    /// Tell when the alert is over, too.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

/// An alert at Opsgenie.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Opsgenie {
    /// The API key.
    pub api_key_secret: SecretReference,
    /// The address of its API, when it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<Url>,
    /// Tell when the alert is over, too.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

fn yes() -> bool {
    true
}
