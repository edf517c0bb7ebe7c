//! ConfigMaps, Secrets, service accounts, claims and classes that objects ask for.

use super::absent::{self, Wanted};
use crate::fields::{filled, items, text};
use crate::finding::{Finding, Findings};
use crate::rule::{Rule, rules};
use crate::world::pods::Pod;
use crate::world::runtime::Keys;
use crate::world::uses::{Use, Used};
use crate::world::{World, volumes};
use std::collections::HashSet;
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

rules! {
    CONFIG_MAP "configmap-missing" Error Cluster "every ConfigMap that is referenced exists"
    SECRET "secret-missing" Error Cluster "every Secret that is referenced exists"
    KEY "referenced-key" Error Cluster "every referenced key exists in its ConfigMap or Secret"
    PULL_SECRET "pull-secret-missing" Warning Cluster "every `imagePullSecret` exists"
    TLS_SECRET "ingress-tls-secret" Warning Nobody "every TLS Secret of an Ingress or a Gateway exists"
    SERVICE_ACCOUNT "serviceaccount-missing" Error Cluster "every ServiceAccount that pods run as exists"
    CLAIM "claim-missing" Error Cluster "every PersistentVolumeClaim that pods mount exists"
    PRIORITY_CLASS "priorityclass-missing" Error Server "every PriorityClass that pods name exists"
    CLASS "class-assumed" Note Cluster "classes that the cluster must bring are listed"
}

/// Judges what objects ask for.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let mut told = HashSet::new();
    for it in &world.uses {
        let (group, kind) = it.of.kind();
        let Some(keys) = world.keys(group, kind, it.namespace, it.name) else {
            // A pod asks for the same thing at many places, and everything for the same class.
            let by = if rule(it.of).id == CLASS.id { std::ptr::null() } else { std::ptr::from_ref(it.by) };
            if !it.optional && told.insert((by, it.of, it.name)) {
                missing(world, it, findings);
            }
            continue;
        };
        if let Keys::These(keys) = keys
            && !it.optional
        {
            for (key, at) in it.keys.iter().filter(|(key, _)| !keys.contains(key)) {
                no_key(it, key, at, &keys, findings);
            }
        }
    }
    world.pods.iter().for_each(|pod| sub_paths(world, pod, findings));
}

/// Mounts of single files: each `subPath` names one that its volume has.
fn sub_paths<'a>(world: &World<'a>, pod: &Pod<'a>, findings: &mut Findings) {
    let Some((object, spec)) = pod.object.zip(pod.spec).filter(|(object, _)| !object.damaged) else { return };
    let containers = ["initContainers", "containers", "ephemeralContainers"].into_iter();
    for mount in containers.flat_map(|key| items(spec, key)).flat_map(|container| items(container, "volumeMounts")) {
        // What a variable makes of a path is known when the pod starts.
        let expression = || filled(mount, "subPathExpr").filter(|(_, path)| !path.contains("$("));
        let Some((at, path)) = filled(mount, "subPath").or_else(expression) else { continue };
        let volume = volumes::volume(pod, text(mount, "name").unwrap_or_default());
        let Some(files) = volume.and_then(|volume| world.files(pod, volume)).filter(|files| !files.have(path)) else {
            continue;
        };
        let message = match files.of {
            Some((of, name)) => format!("the {} {} has no key {}", of.kind().1, Quoted(name), Quoted(path)),
            None => format!("the volume has no file {}", Quoted(path)),
        };
        let finding = findings.add(&KEY, object, at, message);
        name_known(finding, path, &files.paths, if files.of.is_some() { "keys" } else { "files" });
        finding.help("correct the path, or add the key; in its place the kubelet mounts an empty directory");
    }
}

fn rule(of: Used) -> &'static Rule {
    match of {
        Used::ConfigMap => &CONFIG_MAP,
        Used::Secret => &SECRET,
        Used::PullSecret => &PULL_SECRET,
        Used::TlsSecret => &TLS_SECRET,
        Used::ServiceAccount => &SERVICE_ACCOUNT,
        Used::Claim => &CLAIM,
        Used::PriorityClass => &PRIORITY_CLASS,
        Used::RuntimeClass | Used::StorageClass | Used::IngressClass => &CLASS,
    }
}

fn missing(world: &World<'_>, it: &Use<'_>, findings: &mut Findings) {
    let (group, kind) = it.of.kind();
    let rule = rule(it.of);
    if rule.id == CLASS.id {
        let message = format!("the cluster must have the {kind} {}", Quoted(it.name));
        findings.add(rule, it.by, it.at, message).help("nothing in the set makes it; see that the cluster does");
        return;
    }
    absent::missing(
        world,
        findings,
        rule,
        it.by,
        it.at,
        Wanted { group, kind, namespace: it.namespace, name: it.name },
    );
}

fn no_key(it: &Use<'_>, key: &str, at: &Node, keys: &[&str], findings: &mut Findings) {
    let message = format!("the {} {} has no key {}", it.of.kind().1, Quoted(it.name), Quoted(key));
    let finding = findings.add(&KEY, it.by, at, message);
    name_known(finding, key, keys, "keys");
    finding.help("correct the key, or add it; a pod does not start without it");
}

/// Adds the name that was probably meant, or all that there are.
fn name_known(finding: &mut Finding, name: &str, known: &[&str], what: &str) {
    if let Some(near) = nearest(name, known.iter().copied()) {
        finding.label(format!("did you mean {}?", Quoted(near)));
    } else if known.len() <= 5 {
        finding.label(format!("its {what} are {}", vigil_yaml::words::list(known, "and")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};

    const SECRET: &str = "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: MQ==}, stringData: {b: x}}\n";
    const MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: x}, binaryData: {b: MQ==}}\n";

    /// The rules that pods with this specification break.
    fn pods(spec: &str) -> Vec<&'static str> {
        broken(&(SECRET.to_owned() + MAP + &deployment("web", spec)))
            .into_iter()
            .filter(|id| *id != "object-unused")
            .collect()
    }

    #[test]
    fn what_pods_ask_for() {
        for (spec, expected) in [
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: s, key: a}}}]}]", ""),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: s, key: b}}}]}]", ""),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: s, key: c}}}]}]", "referenced-key"),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: s, key: c, optional: yes}}}]}]", ""),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: t, key: a}}}]}]", "secret-missing"),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: t, key: a, optional: true}}}]}]", ""),
            ("containers: [{env: [{valueFrom: {secretKeyRef: {name: provided, key: a}}}]}]", ""),
            ("initContainers: [{env: [{valueFrom: {configMapKeyRef: {name: m, key: c}}}]}]", "referenced-key"),
            ("ephemeralContainers: [{envFrom: [{configMapRef: {name: o}}]}]", "configmap-missing"),
            ("containers: [{envFrom: [{secretRef: {name: t, optional: true}}, {secretRef: {name: s}}]}]", ""),
            ("volumes: [{configMap: {name: m, items: [{key: b, path: b}]}}]", ""),
            ("volumes: [{configMap: {name: m, items: [{key: c, path: c}]}}]", "referenced-key"),
            ("volumes: [{configMap: {name: kube-root-ca.crt, items: [{key: ca.crt}]}}]", ""),
            ("volumes: [{configMap: {name: kube-root-ca.crt, items: [{key: ca.pem}]}}]", "referenced-key"),
            ("volumes: [{secret: {secretName: m}}]", "secret-missing"),
            ("volumes: [{projected: {sources: [{secret: {name: t}}, {configMap: {name: m}}]}}]", "secret-missing"),
            ("volumes: [{projected: {sources: [{secret: {name: t, optional: true}}]}}]", ""),
            ("volumes: [{csi: {driver: d, nodePublishSecretRef: {name: t}}}]", "secret-missing"),
            ("volumes: [{persistentVolumeClaim: {claimName: c}}]", "claim-missing"),
            ("volumes: [{emptyDir: {}}, {hostPath: {path: /}}]", ""),
            ("serviceAccountName: default", ""),
            ("serviceAccountName: web", "serviceaccount-missing"),
            ("serviceAccount: web", "serviceaccount-missing"),
            ("priorityClassName: system-node-critical", ""),
            ("priorityClassName: high", "priorityclass-missing"),
            ("runtimeClassName: gvisor", "class-assumed"),
            ("imagePullSecrets: [{name: t}]", "pull-secret-missing"),
            // Told once for a pod, however often it asks.
            (
                "containers: [{envFrom: [{secretRef: {name: t}}]}, {envFrom: [{secretRef: {name: t}}]}]",
                "secret-missing",
            ),
        ] {
            assert_eq!(pods(spec).join(" "), expected, "{spec}");
        }
    }

    #[test]
    fn what_others_make() {
        let asks = |name: &str, key: &str| {
            deployment(
                "web",
                &format!("containers: [{{env: [{{valueFrom: {{secretKeyRef: {{name: {name}, key: {key}}}}}}}]}}]"),
            )
        };
        let role = |verb: &str| {
            format!(
                "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: r}}, rules: [{{apiGroups: \
                 [''], resources: [secrets], verbs: [{verb}]}}]}}\n\
                 {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: r}}, roleRef: {{kind: \
                 Role, name: r}}, subjects: [{{kind: ServiceAccount, name: default}}]}}\n"
            )
        };
        let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: {containers: [{args: \
                   [create, --secret-name=made]}]}}}}\n";
        for (text, expected) in [
            (role("create") + job + &asks("made", "any"), ""),
            (role("get") + job + &asks("made", "any"), "secret-missing"),
            (role("create") + job + &asks("mad", "any"), "secret-missing"),
            (role("'*'") + &job.replace("args", "env: [{name: N, value: made}], x") + &asks("made", "any"), ""),
            ("{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: c}, spec: {secretName: tls}}\n".to_owned()
                + &asks("tls", "tls.crt"), ""),
            ("{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: c}, spec: {secretName: tls}}\n".to_owned()
                + &asks("tls", "cert"), "referenced-key"),
            ("{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}, spec: {data: [{secretKey: k}]}}\n"
                .to_owned() + &asks("e", "k"), ""),
            ("{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}, spec: {data: [{secretKey: k}]}}\n"
                .to_owned() + &asks("e", "l"), "referenced-key"),
            ("{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: b}, spec: {encryptedData: {k: x}}}\n"
                .to_owned() + &asks("b", "k"), ""),
            // A Secret without keys is one that a controller fills.
            ("{apiVersion: v1, kind: Secret, metadata: {name: empty}}\n".to_owned() + &asks("empty", "k"), ""),
            ("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: \
              {name: data}}]}}\n".to_owned()
                + &deployment("backup", "volumes: [{persistentVolumeClaim: {claimName: data-db-0}}]"), ""),
            ("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: \
              {name: data}}]}}\n".to_owned()
                + &deployment("backup", "volumes: [{persistentVolumeClaim: {claimName: data-db-x}}]"), "claim-missing"),
        ] {
            assert_eq!(broken(&text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_the_operators_resources_ask_for() {
        let monitor = |endpoint: &str| {
            format!(
                "{{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {{name: x}}, spec: {{selector: \
                 {{}}, endpoints: [{endpoint}]}}}}\n"
            )
        };
        let prometheus = |spec: &str| {
            format!(
                "{{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {{name: x}}, spec: {{{spec}}}}}\n"
            )
        };
        for (text, expected) in [
            (monitor("{basicAuth: {username: {name: s, key: a}, password: {name: s, key: z}}}"), "referenced-key"),
            (monitor("{tlsConfig: {ca: {secret: {name: t, key: a}}, cert: {configMap: {name: m, key: a}}}}"), "secret-missing"),
            (monitor("{tlsConfig: {ca: {configMap: {name: s, key: a}}}}"), "configmap-missing"),
            (monitor("{authorization: {credentials: {name: t, key: a, optional: true}}}"), "secret-missing"),
            (monitor("{params: {name: [a], key: [b]}}"), ""),
            (prometheus("secrets: [s, t], configMaps: [m]"), "secret-missing"),
            (prometheus("configMaps: [s]"), "configmap-missing"),
            (prometheus("additionalScrapeConfigs: {name: s, key: a}"), ""),
            (prometheus("externalLabels: {name: t, key: a}"), ""),
            (prometheus("remoteWrite: [{basicAuth: {password: {name: s, key: q}}}]"), "referenced-key"),
            (prometheus("serviceAccountName: prom"), "serviceaccount-missing"),
            (prometheus("containers: [{name: c, envFrom: [{secretRef: {name: t}}]}]"), "secret-missing"),
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: Alertmanager, metadata: {name: x}, spec: {configSecret: t}}\n"
                    .to_owned(),
                "secret-missing",
            ),
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: x}, spec: {groups: [{name: \
                 g, rules: [{alert: a, expr: b, labels: {name: t, key: a}}]}]}}\n"
                    .to_owned(),
                "",
            ),
        ] {
            let found = broken(&(SECRET.to_owned() + MAP + &text));
            let found: Vec<_> = found.into_iter().filter(|id| *id != "object-unused").collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
