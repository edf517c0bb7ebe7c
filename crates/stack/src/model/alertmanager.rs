use super::{Annotations, Ingress, Labels, Persistence, Pods, Receiver, Service, ServiceType, choice, part, settings};
use crate::beside::{Beside, Kind};
use crate::units::{
    ClockTime, DayRange, DnsLabel, DnsSubdomain, Duration, FilePath, GroupLabel, Image, Matcher, MetricLabel,
    MonthRange, ReceiverName, Replicas, TimeZone, Url, WeekdayRange, YearRange,
};
use std::ops::Not;

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
        /// Times that routes name, in which they tell or are silent.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub time_intervals: Vec<TimeInterval>,
        /// Alerts that keep others to themselves, beside those that the stack knows of.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub inhibit_rules: Vec<InhibitRule>,
        /// Files with templates of messages, which `config` of a receiver can name.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub templates: Vec<TemplateFile>,
        /// Which alerts the AlertmanagerConfigs of the cluster are about.
        pub config_matching: ConfigMatching,
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
            time_intervals: Vec::new(),
            inhibit_rules: Vec::new(),
            templates: Vec::new(),
            config_matching: ConfigMatching::OnNamespace,
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

const TEMPLATES: Kind = Kind {
    name: "template file",
    expected: "a file with templates of Alertmanager's messages",
    help: "write `{{ define \"name\" }}…{{ end }}`",
    compact: None,
};

impl Alertmanager {
    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::ClusterIP, None)
    }

    fn files(&self) -> Vec<Beside<'_>> {
        let named = self.templates.iter().enumerate();
        named.map(|(at, named)| Beside { list: "templates", at, file: &named.file, kind: &TEMPLATES }).collect()
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        // What stands outside of definitions is never shown.
        let mut actions = text.split("{{").skip(1).map(|action| action.trim_start_matches('-').trim_start());
        if !actions.any(|action| action.starts_with("define")) {
            return Err("defines no template".to_owned());
        }
        self.templates[at].text = Some(text);
        Ok(())
    }

    /// The Secrets that receivers take credentials from.
    pub fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.receivers.iter().flat_map(Receiver::secrets).map(|secret| &secret.name).collect()
    }
}

part!(Alertmanager: pods("10m", "64Mi", "256Mi"), metadata, operated, service, ingress, volume, secrets, files, namespace(monitoring), rules(alertmanager));

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
    #[serde(default, skip_serializing_if = "Not::not")]
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
    /// The `timeIntervals` in which it tells; outside of them it is silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<DnsLabel>,
    /// The `timeIntervals` in which it is silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<DnsLabel>,
    /// Exceptions from this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<SubRoute>,
}

/// Times that routes call by a name.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimeInterval {
    /// What routes call it.
    pub name: DnsLabel,
    /// When it is: whenever one of these says so.
    pub time_intervals: Vec<Times>,
}

/// Times at which everything that is said here is true.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Times {
    /// Of the day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimesOfDay>,
    /// Days of the week, such as `monday:friday`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<WeekdayRange>,
    /// Days of the month, such as `1:7`, or `-1` for the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days_of_month: Vec<DayRange>,
    /// Months, such as `december` or `1:3`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<MonthRange>,
    /// Years, such as `2026:2028`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub years: Vec<YearRange>,
    /// Whose clock it is by, such as `Europe/Berlin`; UTC without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<TimeZone>,
}

/// From one time of the day to another.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimesOfDay {
    /// Its first minute.
    pub start_time: ClockTime,
    /// The minute after its last.
    pub end_time: ClockTime,
}

/// Alerts that keep others to themselves: while one that `sourceMatchers` match fires, nobody is told of those that
/// `targetMatchers` match and that have the same labels `equal`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InhibitRule {
    /// The cause.
    pub source_matchers: Vec<Matcher>,
    /// What follows from it.
    pub target_matchers: Vec<Matcher>,
    /// The labels in which both agree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<MetricLabel>,
}

/// A file with templates of messages, as Alertmanager reads them: `{{ define "…" }}`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TemplateFile {
    /// What its file in the pod is called, without `.tmpl`.
    pub name: DnsLabel,
    /// The file beside the stack: a path relative to the stack's own file.
    pub file: FilePath,
    /// The text of `file`, once it is read.
    #[serde(skip)]
    pub text: Option<String>,
}

choice! {
    /// Which alerts the routes and inhibitions of an AlertmanagerConfig are about.
    pub enum ConfigMatching {
        /// Those with the namespace of the AlertmanagerConfig in their label `namespace`.
        OnNamespace,
        /// Those too, but that all alerts are the business of an AlertmanagerConfig in Alertmanager's own namespace.
        OnNamespaceExceptForAlertmanagerNamespace,
        /// All alerts.
        None,
    }
}
