//! What cannot work about the test application.

use crate::findings::Findings;
use crate::model::{Admission, Flask, FlaskIngress, Part as _, SloSource, Stack};

pub(crate) fn check(flask: &Flask, stack: &Stack, findings: &mut Findings) {
    if flask.enabled && flask.ingress.enabled && !flask.service.enabled {
        findings.error(
            &["flask.service.enabled", "flask.ingress.enabled", "flask.enabled"],
            "the Ingress of `flask` has no Service to send to",
            "needs `true` while `flask.ingress.enabled` is `true`",
            "enable the Service, or set `flask.ingress.enabled: false`",
        );
    }
    if flask.enabled {
        containers(flask, findings);
        admission(flask, stack, findings);
        slo(flask, stack, findings);
        let FlaskIngress { class_name, gateway, tls, .. } = &flask.ingress;
        let has_class = *class_name != FlaskIngress::default().class_name;
        super::gateway("flask", gateway.is_some(), has_class, tls.is_some(), findings);
    }
}

/// What `slo` needs of the rest of the stack: whom nobody asks, or who sees no request, counts none.
fn slo(flask: &Flask, stack: &Stack, findings: &mut Findings) {
    let Some(source) = flask.slo.source else {
        if flask.slo.namespace.is_some() {
            findings.error(
                &["flask.slo.namespace"],
                "`flask.slo.namespace` has no effect: nobody counts requests",
                "there is no `flask.slo.source`",
                "set `flask.slo.source: ingress` or `gateway`, or remove it",
            );
        }
        return;
    };
    let (sees, label, help) = match source {
        SloSource::Ingress => (
            flask.ingress.enabled && flask.ingress.gateway.is_none(),
            "the test application has no Ingress",
            "set `flask.ingress.enabled: true` without `gateway`, or another source",
        ),
        SloSource::Gateway => (
            flask.ingress.enabled && flask.ingress.gateway.is_some(),
            "the test application has no HTTPRoute",
            "set `flask.ingress.gateway`, or another source",
        ),
        SloSource::AccessLog if !flask.nginx => {
            (false, "`flask.nginx` is `false`", "set `flask.nginx: true`, or another source")
        }
        SloSource::AccessLog => (
            stack.loki.enabled && stack.alertmanager.enabled,
            "Loki's ruler reads it, and tells Alertmanager",
            "set `loki.enabled` and `alertmanager.enabled` to `true`, or another source",
        ),
    };
    let (sees, label, help) = if stack.alerts.is_in(stack) {
        (sees, label, help)
    } else {
        (false, "no rule is evaluated", "set `alerts.enabled` and `prometheus.enabled` to `true`, or remove it")
    };
    if !sees {
        findings.error(&["flask.slo.source"], "nothing counts the requests to `flask`", label, help);
    }
    if source == SloSource::AccessLog && flask.slo.namespace.is_some() {
        findings.error(
            &["flask.slo.namespace"],
            "`flask.slo.namespace` has no effect: the access log is the pods' own",
            "`flask.slo.source` is `access-log`",
            "remove it",
        );
    }
}

/// Namespaces of OpenShift in which no SecurityContextConstraints hold.
const UNCONSTRAINED: [&str; 3] = ["default", "kube-public", "kube-system"];

fn admission(flask: &Flask, stack: &Stack, findings: &mut Findings) {
    let namespace = flask.namespace.as_str();
    if stack.namespaces.admission != Admission::Openshift || UNCONSTRAINED.contains(&namespace) {
        return;
    }
    let (label, help) = if flask.nginx || flask.run_as_user.get() == 0 {
        let help = "set `flask.namespace: default`, where no constraints hold, or `flask.enabled: false`";
        ("it begins as root, which `restricted-v2` refuses", help)
    } else if stack.namespaces.all().contains(&&flask.namespace) {
        return;
    } else {
        let help = "set `flask.namespace` to one of the stack's own, or `flask.enabled: false`";
        ("it names its user, which `restricted-v2` refuses", help)
    };
    let message = format!("OpenShift refuses the pods of `flask` in the namespace `{namespace}`");
    findings.error(&["flask.namespace", "flask", "namespaces.admission", "cluster"], message, label, help);
}

fn containers(flask: &Flask, findings: &mut Findings) {
    let of_nginx = [("nginxImage", flask.nginx_image.is_some()), ("nginxPort", flask.nginx_port.is_some())];
    for (key, _) in of_nginx.into_iter().filter(|(_, said)| *said && !flask.nginx) {
        findings.error(
            &[&format!("flask.{key}"), "flask.nginx"],
            format!("`flask.{key}` is of a container that is not there"),
            "`flask.nginx` is `false`",
            "remove it, or set `flask.nginx: true`",
        );
    }
    if flask.nginx && flask.port == flask.effective_nginx_port() {
        findings.error(
            &["flask.port", "flask.nginxPort"],
            format!("both containers of `flask` listen on port {}", flask.port),
            "the containers of a pod share its ports",
            "give one of them another port, or set `flask.nginx: false` for an application that needs nothing before it",
        );
    } else if flask.nginx && flask.port.get() != Flask::NGINX_PASSES_TO && flask.nginx_image.is_none() {
        findings.error(
            &["flask.port", "flask.nginx"],
            format!(
                "nginx passes everything on to port {}, and the application listens on {}",
                Flask::NGINX_PASSES_TO,
                flask.port
            ),
            "the port stands in nginx's image",
            "set `flask.nginx: false`, or `flask.nginxImage` to one that passes on to this port",
        );
    }
    for (at, folder) in flask.writable.iter().enumerate() {
        if flask.writable[..at].contains(folder) {
            findings.error(
                &[&format!("flask.writable.{at}")],
                format!("the folder `{folder}` stands twice"),
                "the API server refuses the pods",
                "remove one of the two",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    /// What is said of a stack: the messages, and whether they are errors.
    fn said(text: &str) -> Vec<(String, bool)> {
        let (problems, is_error) = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => (parsed.warnings, false),
            Err(problems) => (problems, true),
        };
        problems.into_iter().map(|problem| (problem.message, is_error)).collect()
    }

    #[test]
    fn openshift_refuses_root_and_users_that_pods_name() {
        let refused = Some("OpenShift refuses the pods of `flask` in the namespace");
        for (flask, expected) in [
            ("{}", None),
            ("{namespace: shop}", refused),
            ("{namespace: shop, nginx: false}", refused),
            ("{namespace: mymonitoring}", refused),
            ("{namespace: mymonitoring, nginx: false}", None),
            ("{namespace: mymonitoring, nginx: false, runAsUser: 0}", refused),
            ("{namespace: shop, enabled: false}", None),
        ] {
            let found = said(&format!("cluster: openshift\npromtail: {{enabled: false}}\nflask: {flask}"));
            assert_eq!(found.len(), usize::from(expected.is_some()), "{flask}: {found:?}");
            assert!(found.iter().all(|(message, _)| message.starts_with(expected.unwrap_or_default())), "{found:?}");
        }
    }

    #[test]
    fn requests_are_counted_where_rules_are_evaluated() {
        for (rest, expected) in [
            ("alerts: {enabled: false}", 1),
            ("loki: {enabled: false}", 1),
            ("alertmanager: {enabled: false}", 1),
            ("grafana: {enabled: false}", 0),
        ] {
            let found = said(&format!("promtail: {{enabled: false}}\nflask: {{slo: {{source: access-log}}}}\n{rest}"));
            assert_eq!(found.iter().filter(|(message, _)| message.starts_with("nothing counts")).count(), expected);
        }
    }

    #[test]
    fn containers_of_the_test_application() {
        for (flask, expected) in [
            ("nginx: false", None),
            ("nginx: false, port: 80", None),
            ("nginxImage: docker.io/a/b:1, port: 8080", None),
            ("nginxImage: docker.io/a/b:1, nginxPort: 8080", None),
            ("nginx: false, nginxPort: 8080", Some("`flask.nginxPort` is of a container that is not there")),
            (
                "nginx: false, nginxImage: docker.io/a/b:1",
                Some("`flask.nginxImage` is of a container that is not there"),
            ),
            ("port: 80", Some("both containers of `flask` listen on port 80")),
            ("nginxPort: 8001", Some("both containers of `flask` listen on port 8001")),
            ("port: 8080", Some("nginx passes everything on to port 8001, and the application listens on 8080")),
            ("writable: [/tmp, /a, /tmp]", Some("the folder `/tmp` stands twice")),
            ("enabled: false, port: 80", None),
            ("slo: {source: ingress, namespace: edge}", None),
            ("ingress: {gateway: {name: public}}, slo: {source: gateway}", None),
            ("slo: {source: access-log}", None),
            ("slo: {source: gateway}", Some("nothing counts the requests to `flask`")),
            (
                "ingress: {gateway: {name: public}}, slo: {source: ingress}",
                Some("nothing counts the requests to `flask`"),
            ),
            ("ingress: {enabled: false}, slo: {source: ingress}", Some("nothing counts the requests to `flask`")),
            ("nginx: false, slo: {source: access-log}", Some("nothing counts the requests to `flask`")),
            ("slo: {namespace: edge}", Some("`flask.slo.namespace` has no effect: nobody counts requests")),
            (
                "slo: {source: access-log, namespace: edge}",
                Some("`flask.slo.namespace` has no effect: the access log is the pods' own"),
            ),
            ("ingress: {gateway: {name: public}}", None),
            (
                "ingress: {gateway: {name: public}, className: b}",
                Some("`className` is of an Ingress, and `gateway` makes an HTTPRoute"),
            ),
        ] {
            let found = said(&format!("promtail: {{enabled: false}}\nflask: {{{flask}}}"));
            let expected: Vec<_> = expected.into_iter().map(|message| (message.to_owned(), true)).collect();
            assert_eq!(found, expected, "{flask}");
        }
    }
}
