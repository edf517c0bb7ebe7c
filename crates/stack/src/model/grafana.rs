use super::{
    Annotations, Ingress, Labels, OtherContainer, Persistence, Pods, Resources, SecretReference, Service, ServiceType,
    part, settings,
};
use crate::beside::{Beside, Compact, Kind};
use crate::units::{
    DashboardId, DashboardRevision, DnsLabel, DnsSubdomain, FilePath, FolderName, HttpPath, Image, Line, Percent,
    PluginName, PluginVersion, Replicas, SettingName, SettingValue, Url,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

settings! {
    /// Grafana, the dashboards.
    pub struct Grafana {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// The image of the side-cars that load data sources and dashboards from ConfigMaps. It also makes the admin
        /// Secret and downloads dashboards before Grafana starts.
        pub sidecar_image: Image,
        /// How people reach it; by a load balancer unless it says otherwise.
        pub service: Service,
        /// The address in the browser, for links that Grafana makes. Its path is where Grafana answers. Without one,
        /// the address that `ingress` gives, if it has a host.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_url: Option<Url>,
        /// A way in by an ingress controller that is there already.
        pub ingress: Ingress,
        /// Where users, settings and dashboards made in the browser live.
        pub persistence: Persistence,
        /// The name and password of the administrator.
        pub admin_secret: AdminSecret,
        /// Bring the dashboards of the stack's parts.
        pub bundled_dashboards: bool,
        /// Dashboards beside those that ConfigMaps with the label `grafana_dashboard: "1"` bring, in any namespace.
        pub dashboards: Vec<Dashboard>,
        /// Where dashboards with an `id` are downloaded from, for clusters with a mirror.
        pub dashboards_url: Url,
        /// Plugins, each with its version: `grafana-clock-panel@2.1.8`. They are downloaded whenever the pod starts; an image of
        /// your own that has them needs no internet.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub plugins: Vec<PluginVersion>,
        /// Where plugins are downloaded from, for clusters with a mirror.
        #[serde(skip_serializing_if = "is_usual_plugins_url")]
        pub plugins_url: Url,
        /// Let the side-cars read Secrets too: dashboards from every namespace's, data sources from Grafana's own. The
        /// pod can then read every Secret of the cluster.
        pub sidecar_secrets: bool,
        /// Any setting of Grafana, by section and key as in grafana.ini: `auth.anonymous: { enabled: true }`. What the stack
        /// sets by itself, and credentials, are refused here.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub config: BTreeMap<SettingName, BTreeMap<SettingName, SettingValue>>,
        /// Settings that are credentials, by section and key: the key of a Secret that you create in Grafana's namespace. A
        /// new value counts from the next start of the pod.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub config_secrets: BTreeMap<SettingName, BTreeMap<SettingName, SecretReference>>,
        /// Secrets whose keys become variables of Grafana's environment. You create them in its namespace.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub env_from_secrets: Vec<DnsSubdomain>,
        /// Where the configuration for LDAP is: the key of a Secret that you create in Grafana's namespace, with the text of
        /// Grafana's `ldap.toml`. It switches on `auth.ldap`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ldap_secret: Option<SecretReference>,
        /// Data sources beside those of the stack's own parts.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub data_sources: Vec<DataSource>,
        /// As many pods as its load asks for; one without. Needs a database that all of them share: the file that one has
        /// otherwise is its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub autoscaling: Option<Autoscaling>,
        /// Where its pod runs and what it may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

/// How many pods a HorizontalPodAutoscaler makes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Autoscaling {
    /// At least so many; 2 unless said otherwise.
    #[serde(default = "usual_min_replicas")]
    pub min_replicas: Replicas,
    /// At most so many.
    pub max_replicas: Replicas,
    /// CPU time that its pods use on average, in percent of what they request, above which there are more; 80 unless said
    /// otherwise.
    #[serde(default = "usual_target_cpu")]
    pub target_cpu: Percent,
}

fn usual_min_replicas() -> Replicas {
    Replicas::known(2)
}

fn usual_target_cpu() -> Percent {
    Percent::known(80)
}

impl Default for Grafana {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("docker.io/grafana/grafana:12.3.1"),
            sidecar_image: Image::known("quay.io/kiwigrid/k8s-sidecar:2.1.2"),
            service: Service::default(),
            external_url: None,
            ingress: Ingress::default(),
            persistence: Persistence::default(),
            admin_secret: AdminSecret::default(),
            bundled_dashboards: true,
            dashboards: vec![Dashboard {
                name: DnsLabel::known("kube-state-metrics-v2"),
                id: Some(DashboardId::known(13332)),
                revision: Some(DashboardRevision::known(12)),
                folder: None,
                file: None,
                text: None,
            }],
            dashboards_url: Url::known("https://grafana.com/api/dashboards"),
            plugins: Vec::new(),
            plugins_url: Url::known(PLUGINS_URL),
            sidecar_secrets: false,
            config: BTreeMap::new(),
            config_secrets: BTreeMap::new(),
            env_from_secrets: Vec::new(),
            ldap_secret: None,
            data_sources: Vec::new(),
            autoscaling: None,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

/// Grafana's own catalogue of plugins.
const PLUGINS_URL: &str = "https://grafana.com/api/plugins";

fn is_usual_plugins_url(url: &Url) -> bool {
    url.as_str() == PLUGINS_URL
}

part!(Grafana: pods("100m", "256Mi", "1Gi", containers), metadata, service, ingress, volume, secrets, files, namespace(monitoring), rules(grafana));

impl Grafana {
    /// The side-cars are Pythons with a client of the API in them: some 140 MiB before they have read anything, and up to
    /// 190 MiB have been seen; a second process that watches Secrets takes 40 more. What runs before them takes 20 to 30
    /// MiB, and ten times as much as the largest dashboard.
    fn containers(&self) -> Vec<OtherContainer> {
        let (memory, limit) = if self.sidecar_secrets { ("200Mi", "448Mi") } else { ("160Mi", "384Mi") };
        let sidecar = || Some(Resources::known("10m", memory, limit));
        let sidecars = ["grafana-init-sc-datasources", "grafana-sc-dashboard", "grafana-sc-datasources"];
        let mut containers: Vec<OtherContainer> = sidecars.map(|name| (name, sidecar())).into();
        if self.admin_secret.existing.is_none() {
            containers.push(("admin-secret", Some(Resources::known("10m", "32Mi", "128Mi"))));
        }
        if self.dashboards.iter().any(|dashboard| dashboard.id.is_some()) {
            containers.push(("download-dashboards", Some(Resources::known("10m", "64Mi", "256Mi"))));
        }
        if !self.plugins.is_empty() {
            containers.push(("install-plugins", Some(Resources::known("10m", "64Mi", "256Mi"))));
        }
        containers
    }
}

settings! {
    /// The Secret with the keys `admin-user` and `admin-password`.
    #[derive(Default)]
    pub struct AdminSecret {
        /// A Secret of your own in Grafana's namespace. Without one, the pod makes a Secret with a random password when
        /// there is none, and never changes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub existing: Option<DnsSubdomain>,
    }
}

/// A dashboard: one of grafana.com by `id` and `revision`, or one from a `file`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dashboard {
    /// What its file and its ConfigMap are called.
    pub name: DnsLabel,
    /// Its number on grafana.com. It is downloaded whenever the pod starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DashboardId>,
    /// Its revision there, so that the same stack always shows the same dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<DashboardRevision>,
    /// The folder in Grafana that it is in; without one, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderName>,
    /// A JSON file beside the stack, for clusters without internet: a path relative to the stack's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
    /// The text of `file`, once it is read.
    #[serde(skip)]
    pub text: Option<String>,
}

/// Where Grafana reads data from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DataSource {
    /// What Grafana calls it, and links of dashboards: its `uid`.
    pub name: DnsLabel,
    /// Its kind: the name of a plugin that Grafana has.
    pub r#type: PluginName,
    /// Where it is: a URL, or a host and a port, as its kind wants it. Without credentials.
    pub url: Line,
    /// The user there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Line>,
    /// What else its kind asks for, as Grafana's provisioning has it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub json_data: Map<String, Value>,
    /// Its credentials, by the names that its kind asks for, such as `password`: the key of a Secret that you create in
    /// Grafana's namespace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<SettingName, SecretReference>,
}

const DASHBOARD: Kind = Kind {
    name: "dashboard",
    expected: "a file with one dashboard as JSON",
    help: "export it from Grafana, or download it from grafana.com",
    compact: Some(Compact {
        write: |text| serde_json::from_str::<Value>(text).ok().map(|value| value.to_string()),
        help: "split it into several dashboards that link to each other, or put it where `grafana.dashboardsUrl` leads and name it by \
               `id` and `revision`: Grafana's pod downloads it then",
    }),
};

impl Grafana {
    fn files(&self) -> Vec<Beside<'_>> {
        let all = self.dashboards.iter().enumerate();
        all.filter_map(|(at, dashboard)| {
            Some(Beside { list: "dashboards", at, file: dashboard.file.as_ref()?, kind: &DASHBOARD })
        })
        .collect()
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        let value: Value = serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))?;
        if value["title"].as_str().is_none_or(str::is_empty) {
            return Err("has no `title`, without which Grafana does not load it".to_owned());
        }
        self.dashboards[at].text = Some(text);
        Ok(())
    }

    /// The Secrets of your own: with the password, and with what settings and data sources need.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        let settings = self.config_secrets.values().flat_map(BTreeMap::values);
        let sources = self.data_sources.iter().flat_map(|source| source.secrets.values());
        let references = settings.chain(sources).chain(&self.ldap_secret).map(|secret| &secret.name);
        self.admin_secret.existing.iter().chain(&self.env_from_secrets).chain(references).collect()
    }

    /// Whether its database is a server's, and not a file of its own.
    pub(crate) fn has_database(&self) -> bool {
        let section = SettingName::known("database");
        let of = |key| self.config.get(&section)?.get(&SettingName::known(key)).map(SettingValue::as_str);
        let secrets = self.config_secrets.get(&section);
        let url_in_secret = secrets.is_some_and(|secrets| secrets.contains_key(&SettingName::known("url")));
        url_in_secret || of("url").or_else(|| of("type")).is_some_and(|value| !value.starts_with("sqlite"))
    }

    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::LoadBalancer, None)
    }

    /// The address in the browser, as far as the stack says it.
    pub fn address(&self) -> Option<String> {
        let ingress = || {
            let host = self.ingress.host.as_ref().filter(|_| self.ingress.enabled)?;
            let scheme = self.ingress.scheme();
            let path = self.ingress.path.as_ref().map_or("/", HttpPath::as_str);
            Some(format!("{scheme}://{host}{path}"))
        };
        self.external_url.as_ref().map(ToString::to_string).or_else(ingress)
    }

    /// The path that its Ingress answers to: its own, or that of the address in the browser.
    pub fn ingress_path(&self) -> String {
        let own = self.ingress.path.as_ref().map(ToString::to_string);
        own.or_else(|| Some(self.path()).filter(|path| !path.is_empty())).unwrap_or_else(|| "/".to_owned())
    }

    /// The path that Grafana answers below: empty, or `/` and what follows, without a slash at the end.
    pub fn path(&self) -> String {
        let address = self.address().unwrap_or_default();
        vigil_forms::url::Url::split(&address).map_or("", |url| url.path).trim_end_matches('/').to_owned()
    }
}
