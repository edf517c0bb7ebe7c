//! Pods against the security level of their namespace.
//!
//! A level's rules became laxer over the releases in a few places; the laxest counts here, as a namespace may ask for
//! any of them. Where they became stricter, a finding says for which versions.

use crate::fields::{entries, filled, given, is_set, items};
use crate::finding::{At, Findings};
use crate::object::Object;
use crate::rule::{Rule, rules};
use crate::set::Set;
use crate::version::Version;
use crate::world::World;
use crate::world::template::PodTemplate;
use std::collections::HashMap;
use vigil_yaml::words::list;
use vigil_yaml::{Node, Quoted};

rules! {
    ENFORCED "pod-security" Error Server "pods meet the pod-security level that their namespace enforces"
    WATCHED "pod-security-warn" Note Server "pods meet the pod-security level that their namespace warns about"
}

const PREFIX: &str = "pod-security.kubernetes.io/";
/// Capabilities that `baseline` lets containers have.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Sysctls that only change the pod's own part of the kernel.
const SYSCTLS: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
/// Types of SELinux that are for containers.
const SELINUX_TYPES: [&str; 4] = ["container_engine_t", "container_init_t", "container_kvm_t", "container_t"];
/// Sources of volumes that `restricted` lets pods have.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
/// Profiles that hold a container back.
const PROFILES: [&str; 2] = ["Localhost", "RuntimeDefault"];

/// How much pods may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

impl Level {
    fn read(text: &str) -> Option<Self> {
        match text {
            "privileged" => Some(Self::Privileged),
            "baseline" => Some(Self::Baseline),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// What a namespace asks of its pods.
struct Policy<'a> {
    namespace: &'a str,
    /// Pods that do more are refused.
    enforced: Level,
    /// Pods that do more are told of.
    watched: Level,
    /// The versions asked for by whose rules probes and hooks may not name a host: 1.34 and newer, unless the namespace
    /// keeps to older rules.
    recent: Vec<Version>,
}

/// Judges all pods whose namespace is in the set.
pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    let set = world.set;
    let mut policies: HashMap<&str, Policy<'_>> = HashMap::new();
    for namespace in set.of_kind("", "Namespace") {
        let policy = policy(set, namespace);
        policies.entry(namespace.name).or_insert(policy);
    }
    if policies.is_empty() {
        return;
    }
    for object in &set.objects {
        let Some(policy) = policies.get(object.namespace).filter(|_| !object.damaged) else { continue };
        let Some(pod) = PodTemplate::of(object) else { continue };
        let [mut enforced, mut watched] = [Findings::default(), Findings::default()];
        Judge { object, policy, rule: &ENFORCED, level: policy.enforced, findings: &mut enforced }.pod(&pod);
        if policy.watched > policy.enforced {
            Judge { object, policy, rule: &WATCHED, level: policy.watched, findings: &mut watched }.pod(&pod);
            watched.list.retain(|other| !enforced.list.iter().any(|finding| finding.place == other.place));
        }
        findings.list.extend(enforced.list.into_iter().chain(watched.list));
    }
}

/// The labels of a namespace; says which of them are none.
fn policy<'a>(set: &Set<'_>, namespace: &Object<'a>) -> Policy<'a> {
    let oldest = Version::new(1, 34);
    let mut policy = Policy {
        namespace: namespace.name,
        enforced: Level::Privileged,
        watched: Level::Privileged,
        recent: set.options.kubernetes.iter().copied().filter(|version| *version >= oldest).collect(),
    };
    let labels = entries(namespace.node, ["metadata", "labels"]);
    for entry in labels {
        let Some(kind) = entry.key.text.strip_prefix(PREFIX) else { continue };
        let Some(text) = entry.value.text() else { continue };
        match kind {
            // What is no level is told of the namespace itself.
            "enforce" | "warn" | "audit" => match Level::read(text) {
                Some(level) if kind == "enforce" => policy.enforced = level,
                Some(level) => policy.watched = policy.watched.max(level),
                None => {}
            },
            "enforce-version" | "warn-version" | "audit-version" if text != "latest" => {
                let version = text.strip_prefix('v').and_then(|text| text.parse::<Version>().ok());
                if version.is_none_or(|version| version < oldest) {
                    policy.recent.clear();
                }
            }
            _ => {}
        }
    }
    policy
}

struct Judge<'a, 'o> {
    object: &'a Object<'o>,
    policy: &'a Policy<'a>,
    rule: &'static Rule,
    level: Level,
    findings: &'a mut Findings,
}

impl Judge<'_, '_> {
    fn refuse<'n>(&mut self, at: impl Into<At<'n>>, what: &str) {
        let message = match self.level {
            _ if self.rule.id == ENFORCED.id => format!("pods with {what} are refused"),
            _ => format!("pods with {what} give a warning"),
        };
        let finding = self.findings.add(self.rule, self.object, at, message);
        finding.label(format!("the namespace {} is `{}`", Quoted(self.policy.namespace), self.level.name()));
        finding.help("do without it, or let the namespace have another level");
    }

    fn entry(&mut self, node: &Node, key: &str, what: &str) {
        if let Some(entry) = node.entry(key) {
            self.refuse(entry, what);
        }
    }

    fn pod(&mut self, pod: &PodTemplate<'_>) {
        if self.level == Level::Privileged {
            return;
        }
        let spec = pod.spec;
        for key in ["hostNetwork", "hostPID", "hostIPC"].into_iter().filter(|key| is_set(spec, *key)) {
            self.entry(spec, key, &format!("`{key}`"));
        }
        let own_users = spec.get("hostUsers").and_then(Node::boolean) == Some(false);
        for volume in pod.volumes() {
            self.volume(volume);
        }
        let context = given(spec, "securityContext");
        if let Some(context) = context {
            self.context(context);
            for sysctl in items(context, "sysctls") {
                if let Some((node, name)) = filled(sysctl, "name").filter(|(_, name)| !SYSCTLS.contains(name)) {
                    self.refuse(node, &format!("the sysctl {}", Quoted(name)));
                }
            }
            if self.level == Level::Restricted && !own_users {
                self.as_root(context);
            }
        }
        for entry in entries(pod.node, ["metadata", "annotations"]) {
            let is_app_armor = entry.key.text.starts_with("container.apparmor.security.beta.kubernetes.io/");
            if is_app_armor && entry.value.text() == Some("unconfined") {
                self.refuse(&entry.value, "no profile of AppArmor");
            }
        }
        let is_windows = spec.at(&["os", "name"]).and_then(Node::text) == Some("windows");
        let ephemeral = items(spec, "ephemeralContainers");
        for container in pod.containers().chain(ephemeral) {
            self.container(container, own_users);
            if self.level == Level::Restricted {
                self.restricted(container, context, own_users, is_windows);
            }
        }
    }

    fn volume(&mut self, volume: &Node) {
        for entry in volume.entries().iter().filter(|entry| !entry.value.is_null()) {
            let kind = entry.key.text.as_str();
            if kind == "hostPath" || self.level == Level::Restricted && kind != "name" && !VOLUMES.contains(&kind) {
                self.refuse(entry, &format!("a volume of {}", Quoted(kind)));
            }
        }
    }

    /// What the contexts of pods and of containers have in common.
    fn context(&mut self, context: &Node) {
        for (key, name) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
            let kind = given(context, key).and_then(|profile| filled(profile, "type"));
            if let Some((node, _)) = kind.filter(|(_, kind)| !PROFILES.contains(kind)) {
                self.refuse(node, &format!("no profile of {name}"));
            }
        }
        if let Some(options) = given(context, "seLinuxOptions") {
            if let Some((node, kind)) = filled(options, "type").filter(|(_, kind)| !SELINUX_TYPES.contains(kind)) {
                self.refuse(node, &format!("the type {} of SELinux", Quoted(kind)));
            }
            for key in ["user", "role"] {
                if let Some((node, _)) = filled(options, key) {
                    self.refuse(node, &format!("a {key} of SELinux"));
                }
            }
        }
        if let Some(options) = given(context, "windowsOptions").filter(|options| is_set(options, "hostProcess")) {
            self.entry(options, "hostProcess", "processes of the node");
        }
    }

    /// Root, and the wish to be root.
    fn as_root(&mut self, context: &Node) {
        if let Some(node) = context.get("runAsUser").filter(|node| node.integer() == Some(0)) {
            self.refuse(node, "the user 0");
        }
        if let Some(node) = context.get("runAsNonRoot").filter(|node| node.boolean() == Some(false)) {
            self.refuse(node, "`runAsNonRoot: false`");
        }
    }

    fn container(&mut self, container: &Node, own_users: bool) {
        for port in items(container, "ports") {
            if let Some(node) = port.get("hostPort").filter(|node| node.integer().is_some_and(|port| port != 0)) {
                self.refuse(node, "a port of the node");
            }
        }
        let before = self.findings.list.len();
        if !self.policy.recent.is_empty() {
            self.hosts(container);
        }
        for finding in &mut self.findings.list[before..] {
            finding.versions.clone_from(&self.policy.recent);
        }
        let Some(context) = given(container, "securityContext") else { return };
        self.context(context);
        if is_set(context, "privileged") {
            self.entry(context, "privileged", "privileged containers");
        }
        if let Some((node, _)) = filled(context, "procMount").filter(|(_, kind)| *kind != "Default")
            && !(own_users && self.level == Level::Baseline)
        {
            self.refuse(node, "an unmasked `/proc`");
        }
        let added = items(context, ["capabilities", "add"]);
        for node in added {
            let Some(name) = node.text() else { continue };
            let allowed = match self.level {
                Level::Restricted => name == "NET_BIND_SERVICE",
                _ => CAPABILITIES.contains(&name),
            };
            if !allowed {
                self.refuse(node, &format!("the capability {}", Quoted(name)));
            }
        }
    }

    /// Probes and hooks that let the kubelet call another host.
    fn hosts(&mut self, container: &Node) {
        let probes =
            ["livenessProbe", "readinessProbe", "startupProbe"].into_iter().filter_map(|key| given(container, key));
        let lifecycle = given(container, "lifecycle");
        let hooks = ["postStart", "preStop"].into_iter().filter_map(|key| given(lifecycle?, key));
        for handler in probes.chain(hooks) {
            for call in ["httpGet", "tcpSocket"].into_iter().filter_map(|key| given(handler, key)) {
                if let Some((node, _)) = filled(call, "host") {
                    self.refuse(node, "a probe or hook of another host");
                }
            }
        }
    }

    /// What `restricted` wants to be said.
    fn restricted(&mut self, container: &Node, of_pod: Option<&Node>, own_users: bool, is_windows: bool) {
        let own = given(container, "securityContext");
        if let Some(own) = own.filter(|_| !own_users) {
            self.as_root(own);
        }
        let boolean = |context: Option<&Node>, key: &str| context?.get(key)?.boolean();
        let has_profile =
            |context: Option<&Node>| context.is_some_and(|context| given(context, "seccompProfile").is_some());
        let mut missing = Vec::new();
        if !own_users && boolean(own, "runAsNonRoot").or_else(|| boolean(of_pod, "runAsNonRoot")).is_none() {
            missing.push("runAsNonRoot: true");
        }
        if !is_windows {
            if boolean(own, "allowPrivilegeEscalation") != Some(false) {
                missing.push("allowPrivilegeEscalation: false");
            }
            let dropped = own.and_then(|own| own.at(&["capabilities", "drop"])).map(Node::items).unwrap_or_default();
            if !dropped.iter().any(|node| node.text() == Some("ALL")) {
                missing.push("capabilities.drop: [ALL]");
            }
            if !has_profile(own) && !has_profile(of_pod) {
                missing.push("seccompProfile.type: RuntimeDefault");
            }
        }
        if missing.is_empty() {
            return;
        }
        let name = filled(container, "name").map_or("", |(_, name)| name);
        let verb = if self.rule.id == ENFORCED.id { "refused" } else { "told of" };
        let message = format!("pods with the container {} are {verb}", Quoted(name));
        self.findings
            .add(self.rule, self.object, container, message)
            .label(format!("the namespace {} is `restricted`", Quoted(self.policy.namespace)))
            .help(format!("add {} to its `securityContext`", list(&missing, "and")));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, check};
    use vigil_yaml::Source;

    /// The rules that a pod breaks in a namespace with these labels.
    fn broken(labels: &str, pod: &str) -> Vec<&'static str> {
        let text = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: one, labels: {{{labels}}}}}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: one}}\nspec: {pod}\n"
        );
        let report = check(&[Source::new("test.yaml", text)], &Options::default());
        let ids = report.findings.iter().map(|finding| finding.rule.id);
        ids.filter(|id| id.starts_with("pod-security")).collect()
    }

    fn enforce(level: &str) -> String {
        format!("pod-security.kubernetes.io/enforce: {level}")
    }

    const PLAIN: &str = "{containers: [{name: a, image: a}]}";
    const RESTRICTED: &str = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, \
         containers: [{name: a, image: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}";

    #[test]
    fn levels() {
        for (pod, baseline, restricted) in [
            (PLAIN, 0, 1),
            (RESTRICTED, 0, 0),
            ("{hostPID: true, containers: []}", 1, 1),
            ("{volumes: [{name: a, nfs: {server: a, path: /a}}], containers: []}", 0, 1),
            ("{volumes: [{name: a, hostPath: {path: /a}}], containers: []}", 1, 1),
            (
                "{securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: a}, {name: kernel.msgmax, value: a}]}, containers: []}",
                1,
                1,
            ),
            (
                "{securityContext: {runAsUser: 0, seLinuxOptions: {type: spc_t, user: a, role: ''}}, containers: []}",
                2,
                3,
            ),
            (
                "{containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: 1}, {containerPort: 2, hostPort: 0}]}]}",
                1,
                2,
            ),
            ("{containers: [{name: a, image: a, securityContext: {capabilities: {add: [CHOWN, NET_ADMIN]}}}]}", 1, 3),
            ("{containers: [{name: a, image: a, securityContext: {seccompProfile: {type: Unconfined}}}]}", 1, 2),
            ("{containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 1, host: b}}}]}", 1, 2),
            ("{hostUsers: false, containers: [{name: a, image: a, securityContext: {procMount: Unmasked}}]}", 0, 2),
        ] {
            assert_eq!(broken(&enforce("privileged"), pod).len(), 0, "{pod}");
            assert_eq!(broken(&enforce("baseline"), pod).len(), baseline, "baseline: {pod}");
            assert_eq!(broken(&enforce("restricted"), pod).len(), restricted, "restricted: {pod}");
        }
    }

    #[test]
    fn who_warns_and_who_refuses() {
        let both = "pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/warn: restricted";
        assert_eq!(broken(both, PLAIN), ["pod-security-warn"]);
        assert_eq!(broken(both, "{hostPID: true, containers: []}"), ["pod-security"]);
        assert_eq!(
            broken("pod-security.kubernetes.io/audit: baseline", "{hostPID: true, containers: []}"),
            ["pod-security-warn"]
        );
        assert_eq!(broken(&enforce("strict"), PLAIN), ["pod-security-level"]);
        assert_eq!(broken("pod-security.kubernetes.io/enforce-version: v1", PLAIN), ["pod-security-level"]);
        assert_eq!(broken("pod-security.kubernetes.io/enforce-version: v1.30", PLAIN).len(), 0);
    }

    #[test]
    fn hosts_of_probes_are_a_matter_of_the_version() {
        let pod = "{containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 1, host: b}}}]}";
        let older = format!("{}, pod-security.kubernetes.io/enforce-version: v1.33", enforce("baseline"));
        assert_eq!(broken(&older, pod).len(), 0);
    }
}
