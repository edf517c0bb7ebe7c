//! What a server fills in: stating it and leaving it out mean the same.

use serde_json::Value;

/// (kind or `*`, the mapping it stands in, key, default as JSON).
#[rustfmt::skip]
const DEFAULTS: &[(&str, &str, &str, &str)] = &[
    // Pods
    ("*", "spec", "restartPolicy", "\"Always\""),
    ("*", "spec", "dnsPolicy", "\"ClusterFirst\""),
    ("*", "spec", "schedulerName", "\"default-scheduler\""),
    ("*", "spec", "terminationGracePeriodSeconds", "30"),
    ("*", "spec", "enableServiceLinks", "true"),
    ("*", "spec", "automountServiceAccountToken", "true"),
    ("*", "spec", "serviceAccountName", "\"default\""),
    ("*", "spec", "hostNetwork", "false"),
    ("*", "spec", "hostPID", "false"),
    ("*", "spec", "hostIPC", "false"),
    ("*", "spec", "shareProcessNamespace", "false"),
    ("*", "securityContext", "fsGroupChangePolicy", "\"Always\""),
    ("*", "*", "terminationMessagePath", "\"/dev/termination-log\""),
    ("*", "*", "terminationMessagePolicy", "\"File\""),
    ("*", "tolerations", "operator", "\"Equal\""),
    // Ports
    ("*", "ports", "protocol", "\"TCP\""),
    ("*", "ports", "hostPort", "0"),
    // Probes
    ("*", "*Probe", "initialDelaySeconds", "0"),
    ("*", "*Probe", "timeoutSeconds", "1"),
    ("*", "*Probe", "periodSeconds", "10"),
    ("*", "*Probe", "successThreshold", "1"),
    ("*", "*Probe", "failureThreshold", "3"),
    ("*", "httpGet", "scheme", "\"HTTP\""),
    ("*", "httpGet", "path", "\"/\""),
    // Volumes
    ("*", "volumeMounts", "readOnly", "false"),
    ("*", "volumeMounts", "mountPropagation", "\"None\""),
    ("*", "hostPath", "type", "\"\""),
    ("*", "files", "defaultMode", "420"),
    ("*", "files", "optional", "false"),
    ("*", "secret", "defaultMode", "420"),
    ("*", "secret", "optional", "false"),
    ("*", "configMap", "defaultMode", "420"),
    ("*", "configMap", "optional", "false"),
    ("*", "configMapKeyRef", "optional", "false"),
    ("*", "secretKeyRef", "optional", "false"),
    ("*", "projected", "defaultMode", "420"),
    ("*", "serviceAccountToken", "expirationSeconds", "3600"),
    ("*", "fieldRef", "apiVersion", "\"v1\""),
    ("*", "spec", "volumeMode", "\"Filesystem\""),
    // Workloads
    ("Deployment", "spec", "replicas", "1"),
    ("Deployment", "spec", "revisionHistoryLimit", "10"),
    ("Deployment", "spec", "progressDeadlineSeconds", "600"),
    ("Deployment", "spec", "paused", "false"),
    ("Deployment", "spec", "minReadySeconds", "0"),
    ("Deployment", "strategy", "type", "\"RollingUpdate\""),
    ("Deployment", "rollingUpdate", "maxSurge", "\"25%\""),
    ("Deployment", "rollingUpdate", "maxUnavailable", "\"25%\""),
    ("StatefulSet", "spec", "replicas", "1"),
    ("StatefulSet", "spec", "revisionHistoryLimit", "10"),
    ("StatefulSet", "spec", "podManagementPolicy", "\"OrderedReady\""),
    ("StatefulSet", "spec", "minReadySeconds", "0"),
    ("StatefulSet", "updateStrategy", "type", "\"RollingUpdate\""),
    ("StatefulSet", "rollingUpdate", "partition", "0"),
    ("StatefulSet", "persistentVolumeClaimRetentionPolicy", "whenDeleted", "\"Retain\""),
    ("StatefulSet", "persistentVolumeClaimRetentionPolicy", "whenScaled", "\"Retain\""),
    ("DaemonSet", "spec", "revisionHistoryLimit", "10"),
    ("DaemonSet", "spec", "minReadySeconds", "0"),
    ("DaemonSet", "updateStrategy", "type", "\"RollingUpdate\""),
    ("DaemonSet", "rollingUpdate", "maxUnavailable", "1"),
    ("DaemonSet", "rollingUpdate", "maxSurge", "0"),
    ("Job", "spec", "backoffLimit", "6"),
    ("Job", "spec", "completions", "1"),
    ("Job", "spec", "parallelism", "1"),
    // Classes
    ("StorageClass", "", "reclaimPolicy", "\"Delete\""),
    ("StorageClass", "", "volumeBindingMode", "\"Immediate\""),
    ("PriorityClass", "", "preemptionPolicy", "\"PreemptLowerPriority\""),
    ("PersistentVolume", "spec", "persistentVolumeReclaimPolicy", "\"Retain\""),
    // Services
    ("Service", "spec", "type", "\"ClusterIP\""),
    ("Service", "spec", "sessionAffinity", "\"None\""),
    ("Service", "spec", "internalTrafficPolicy", "\"Cluster\""),
    ("Service", "spec", "externalTrafficPolicy", "\"Cluster\""),
    ("Service", "spec", "ipFamilyPolicy", "\"SingleStack\""),
    ("Service", "spec", "publishNotReadyAddresses", "false"),
    ("Service", "spec", "allocateLoadBalancerNodePorts", "true"),
    // Accounts, roles, Secrets
    ("ServiceAccount", "", "automountServiceAccountToken", "true"),
    ("*", "", "immutable", "false"),
    ("Secret", "", "type", "\"Opaque\""),
    ("*", "roleRef", "apiGroup", "\"rbac.authorization.k8s.io\""),
    // Webhooks, aggregation
    ("*", "webhooks", "failurePolicy", "\"Fail\""),
    ("*", "webhooks", "matchPolicy", "\"Equivalent\""),
    ("*", "webhooks", "timeoutSeconds", "10"),
    ("*", "webhooks", "reinvocationPolicy", "\"Never\""),
    ("*", "webhooks", "namespaceSelector", "{}"),
    ("*", "webhooks", "objectSelector", "{}"),
    ("*", "rules", "scope", "\"*\""),
    ("*", "service", "port", "443"),
    ("APIService", "spec", "insecureSkipTLSVerify", "false"),
    // The operator's custom resources
    ("ServiceMonitor", "endpoints", "scheme", "\"http\""),
    ("ServiceMonitor", "endpoints", "path", "\"/metrics\""),
    ("ServiceMonitor", "endpoints", "followRedirects", "true"),
    ("ServiceMonitor", "endpoints", "enableHttp2", "true"),
    ("ServiceMonitor", "*elabelings", "action", "\"replace\""),
    ("Prometheus", "spec", "replicas", "1"),
    ("Prometheus", "spec", "shards", "1"),
    ("Prometheus", "spec", "logLevel", "\"info\""),
    ("Prometheus", "spec", "logFormat", "\"logfmt\""),
    ("Prometheus", "spec", "routePrefix", "\"/\""),
    ("Prometheus", "spec", "portName", "\"web\""),
    ("Prometheus", "spec", "scrapeInterval", "\"30s\""),
    ("Prometheus", "spec", "evaluationInterval", "\"30s\""),
    ("Prometheus", "spec", "walCompression", "true"),
    ("Prometheus", "tsdb", "outOfOrderTimeWindow", "\"0s\""),
    ("Prometheus", "alertmanagers", "pathPrefix", "\"/\""),
    ("Prometheus", "alertmanagers", "scheme", "\"http\""),
    ("Alertmanager", "spec", "replicas", "1"),
    ("Alertmanager", "spec", "logLevel", "\"info\""),
    ("Alertmanager", "spec", "logFormat", "\"logfmt\""),
    ("Alertmanager", "spec", "routePrefix", "\"/\""),
    ("Alertmanager", "spec", "portName", "\"web\""),
    ("Alertmanager", "spec", "retention", "\"120h\""),
];

/// Whether a server would put `value` there by itself.
pub fn is_default(kind: &str, group: &str, parent: &str, key: &str, value: &Value) -> bool {
    // The operator leaves out what is false, but for the switches that are on by themselves.
    if group == "monitoring.coreos.com" && *value == false {
        return !["automountServiceAccountToken", "enableHttp2", "followRedirects", "walCompression"].contains(&key);
    }
    DEFAULTS.iter().any(|(of, within, name, default)| {
        *name == key
            && (*of == "*" || *of == kind)
            && within.strip_prefix('*').map_or(*within == parent, |end| parent.ends_with(end))
            && serde_json::from_str::<Value>(default).is_ok_and(|default| default == *value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_default_is_json_and_is_taken_as_one() {
        for (kind, within, key, default) in DEFAULTS {
            let value: Value = serde_json::from_str(default).unwrap();
            assert!(is_default(kind, "", within, key, &value), "{kind} {within} {key}");
        }
    }

    #[test]
    fn a_default_belongs_to_its_place() {
        assert!(is_default("DaemonSet", "apps", "rollingUpdate", "maxUnavailable", &json!(1)));
        assert!(!is_default("Deployment", "apps", "rollingUpdate", "maxUnavailable", &json!(1)));
        assert!(!is_default("Service", "", "ports", "protocol", &json!("UDP")));
        assert!(is_default("Prometheus", "monitoring.coreos.com", "spec", "paused", &json!(false)));
        assert!(!is_default("ServiceMonitor", "monitoring.coreos.com", "endpoints", "enableHttp2", &json!(false)));
    }
}
