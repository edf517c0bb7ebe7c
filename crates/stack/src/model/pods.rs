use super::metadata::merged;
use super::{Annotations, Labels, Stack, choice, settings};
use crate::units::{DnsLabel, DnsSubdomain, LabelKey, LabelValue, Quantity, Replicas};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

settings! {
    /// Where pods run and what they may use: for all components under `pods`, for one of them under its own `pods`.
    /// What a component does not say is taken from the general ones, and what neither says is Vigil's choice.
    #[derive(Default)]
    pub struct Pods {
        /// Labels that a node must carry.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub node_selector: Option<BTreeMap<LabelKey, LabelValue>>,
        /// Taints that do not keep the pods away. What runs on every node tolerates the control plane's in any case.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tolerations: Option<Vec<Toleration>>,
        /// The PriorityClass, which must exist.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub priority_class_name: Option<DnsSubdomain>,
        /// Secrets to pull images with. You create them in the component's namespace.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub image_pull_secrets: Option<Vec<DnsSubdomain>>,
        /// Near what the pods run, or far from it, as Kubernetes has it: `nodeAffinity`, `podAffinity`, `podAntiAffinity`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub affinity: Option<Map<String, Value>>,
        /// Spread replicas over nodes where possible; `true` unless said otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub topology_spread: Option<bool>,
        /// Let a drain take one replica at a time; `true` unless said otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disruption_budget: Option<bool>,
        /// Let a VerticalPodAutoscaler, which the cluster has, find out what the pods need and request that for them.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vertical_autoscaler: Option<VerticalAutoscaler>,
        /// Labels for the pods, and for nothing else; a component's own come first, key by key.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub labels: Labels,
        /// Annotations for the pods, and for nothing else; a component's own come first, key by key.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub annotations: Annotations,
        /// The account that the pods are in the cluster, for components that have one.
        #[serde(skip_serializing_if = "ServiceAccount::is_empty")]
        pub service_account: ServiceAccount,
        /// What the main container may use.
        pub resources: Resources,
        /// What the other containers of a component's pods may use, by the names of the containers; only below a
        /// component.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub containers: BTreeMap<DnsLabel, Resources>,
    }
}

/// How a VerticalPodAutoscaler sets what the containers of pods request. Their limits stay.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VerticalAutoscaler {
    /// When it does.
    pub update_mode: UpdateMode,
    /// Ready pods that there must be before it evicts one; without it as the cluster's has it, which is usually 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<Replicas>,
    /// What a container requests at least.
    #[serde(default, skip_serializing_if = "ResourceAmounts::is_empty")]
    pub min_allowed: ResourceAmounts,
    /// What a container requests at most.
    #[serde(default, skip_serializing_if = "ResourceAmounts::is_empty")]
    pub max_allowed: ResourceAmounts,
}

choice! {
    /// When a VerticalPodAutoscaler sets requests.
    pub enum UpdateMode {
        /// Never: it only says what it would.
        Off,
        /// When a pod is made.
        Initial,
        /// Also by evicting pods that are far off.
        Recreate,
        /// In running pods, and by evicting them where that does not work.
        InPlaceOrRecreate,
    }
}

settings! {
    /// A ServiceAccount.
    #[derive(Default)]
    pub struct ServiceAccount {
        /// Annotations for it, such as the role of a cloud that its pods take on: `eks.amazonaws.com/role-arn`.
        pub annotations: Annotations,
    }
}

impl ServiceAccount {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

settings! {
    /// A taint that does not keep pods away.
    #[derive(Default)]
    pub struct Toleration {
        /// The taint's key; without one, every taint (`operator: Exists`).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub key: Option<LabelKey>,
        /// How the taint's value is compared; without one, `Equal` where there is a value, else `Exists`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub operator: Option<TolerationOperator>,
        /// The value; for `Equal`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub value: Option<LabelValue>,
        /// The effect; without one, all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub effect: Option<TaintEffect>,
    }
}

impl Toleration {
    /// The operator with everything filled in.
    pub(crate) fn effective_operator(&self) -> TolerationOperator {
        let usual = if self.value.is_some() { TolerationOperator::Equal } else { TolerationOperator::Exists };
        self.operator.unwrap_or(usual)
    }

    /// Tolerates every taint.
    pub fn of_everything() -> Self {
        Self { operator: Some(TolerationOperator::Exists), ..Self::default() }
    }

    /// Tolerates every taint with a key and an effect.
    pub fn known(key: &str, effect: TaintEffect) -> Self {
        Self { key: Some(LabelKey::known(key)), effect: Some(effect), ..Self::of_everything() }
    }
}

choice! {
    /// How the value of a taint is compared.
    pub enum TolerationOperator {
        /// Any value will do.
        Exists,
        /// The same value.
        Equal,
    }
}

choice! {
    /// What a taint does to pods that do not tolerate it.
    pub enum TaintEffect {
        /// They are not placed there.
        NoSchedule,
        /// They are placed there when nothing else is left.
        PreferNoSchedule,
        /// They are removed.
        NoExecute,
    }
}

settings! {
    /// What a container may use.
    #[derive(Default)]
    pub struct Resources {
        /// What the scheduler sets aside for it.
        #[serde(skip_serializing_if = "ResourceAmounts::is_empty")]
        pub requests: ResourceAmounts,
        /// What it never exceeds; `"0"`: as much as the node has.
        #[serde(skip_serializing_if = "ResourceAmounts::is_empty")]
        pub limits: ResourceAmounts,
    }
}

settings! {
    /// Amounts of CPU and memory.
    #[derive(Default)]
    pub struct ResourceAmounts {
        /// Cores: `100m` is a tenth of one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu: Option<Quantity>,
        /// Bytes: `128Mi`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory: Option<Quantity>,
    }
}

impl ResourceAmounts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Resources {
    /// CPU and memory requests, and a memory limit. A CPU limit only slows a program down that could have used an idle
    /// core, so there is none by default.
    pub(crate) fn known(cpu: &str, memory: &str, memory_limit: &str) -> Self {
        let amount = |text| Some(Quantity::known(text));
        Self {
            requests: ResourceAmounts { cpu: amount(cpu), memory: amount(memory) },
            limits: ResourceAmounts { cpu: None, memory: amount(memory_limit) },
        }
    }

    pub(crate) fn or(&self, other: &Self) -> Self {
        let amounts = |own: &ResourceAmounts, other: &ResourceAmounts| ResourceAmounts {
            cpu: own.cpu.clone().or_else(|| other.cpu.clone()),
            memory: own.memory.clone().or_else(|| other.memory.clone()),
        };
        Self { requests: amounts(&self.requests, &other.requests), limits: amounts(&self.limits, &other.limits) }
    }

    /// Without the limits that are none. Written out, an API server would refuse them beside a request.
    fn limited(self) -> Self {
        let some = |limit: &Quantity| limit.as_thousandths() > 0.0;
        let ResourceAmounts { cpu, memory } = self.limits;
        Self { limits: ResourceAmounts { cpu: cpu.filter(some), memory: memory.filter(some) }, ..self }
    }
}

impl Pods {
    fn or(&self, other: &Self) -> Self {
        Self {
            node_selector: self.node_selector.clone().or_else(|| other.node_selector.clone()),
            tolerations: self.tolerations.clone().or_else(|| other.tolerations.clone()),
            priority_class_name: self.priority_class_name.clone().or_else(|| other.priority_class_name.clone()),
            image_pull_secrets: self.image_pull_secrets.clone().or_else(|| other.image_pull_secrets.clone()),
            affinity: self.affinity.clone().or_else(|| other.affinity.clone()),
            topology_spread: self.topology_spread.or(other.topology_spread),
            disruption_budget: self.disruption_budget.or(other.disruption_budget),
            vertical_autoscaler: self.vertical_autoscaler.clone().or_else(|| other.vertical_autoscaler.clone()),
            labels: merged(&other.labels, Some(&self.labels)),
            annotations: merged(&other.annotations, Some(&self.annotations)),
            service_account: ServiceAccount {
                annotations: merged(&other.service_account.annotations, Some(&self.service_account.annotations)),
            },
            resources: self.resources.or(&other.resources),
            containers: self.containers.clone(),
        }
    }
}

/// Pods that are all alike and hold nothing.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// How many pods there are.
    pub replicas: Replicas,
}

/// A container beside the main one, and what it uses when nobody says otherwise; `None`: what the main one uses.
pub type OtherContainer = (&'static str, Option<Resources>);

/// A component that runs pods.
pub trait HasPods {
    /// What the stack says of them.
    fn pods(&self) -> &Pods;
    /// What its main container uses when nobody says otherwise.
    fn usual_resources(&self) -> Resources;
    /// The other containers that the stack wants in its pods, those that run before the main one among them.
    fn other_containers(&self) -> Vec<OtherContainer> {
        Vec::new()
    }
}

impl Stack {
    /// The settings that hold for the pods of a component, everything taken together: of every container what it uses.
    pub fn pods_of(&self, component: &(impl HasPods + ?Sized)) -> Pods {
        let usual = Pods { resources: component.usual_resources(), ..Pods::default() };
        let mut pods = component.pods().or(&self.pods).or(&usual);
        for toleration in pods.tolerations.iter_mut().flatten() {
            toleration.operator = Some(toleration.effective_operator());
        }
        let written = std::mem::take(&mut pods.containers);
        let whole = |(name, usual): OtherContainer| {
            let name = DnsLabel::known(name);
            let own = written.get(&name).cloned().unwrap_or_default();
            (name, own.or(usual.as_ref().unwrap_or(&pods.resources)).limited())
        };
        pods.containers = component.other_containers().into_iter().map(whole).collect();
        pods.resources = pods.resources.limited();
        pods
    }
}
