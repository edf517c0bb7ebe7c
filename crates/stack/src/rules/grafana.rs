//! What cannot work about Grafana: addresses, and dashboards that come from nowhere.

use super::{Kept, host, same_name, with_login, without_volume};
use crate::findings::Findings;
use crate::model::{Autoscaling, Dashboard, Grafana, Stack, UpdateMode};
use crate::units::{HttpPath, SettingName, Url};

const KEPT: Kept = Kept {
    part: "grafana",
    name: "Grafana",
    data: "users, settings and dashboards made in the browser",
    changes: "`image`, `externalUrl`, pod label or memory limit",
};

pub(crate) fn check(grafana: &Grafana, stack: &Stack, findings: &mut Findings) {
    if !grafana.enabled {
        return;
    }
    let urls = [
        ("externalUrl", grafana.external_url.as_ref()),
        ("dashboardsUrl", Some(&grafana.dashboards_url)),
        ("pluginsUrl", Some(&grafana.plugins_url)),
    ];
    for (key, url) in urls {
        let Some(url) = url.filter(|url| !has_plain_path(url)) else { continue };
        findings.error(
            &[&format!("grafana.{key}")],
            format!("the path of `{url}` is more than letters, digits, `-`, `_`, `.` and `~`"),
            "expected an address without query and without special characters",
            "give the address of Grafana's start page, such as `https://example.com/grafana`",
        );
    }
    let (path, ingress) = (grafana.path(), grafana.ingress_path().trim_end_matches('/').to_owned());
    let below = path.strip_prefix(ingress.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if grafana.ingress.enabled && !below {
        findings.error(
            &["grafana.ingress.path", "grafana.externalUrl"],
            format!("the Ingress passes on `{ingress}`, and Grafana answers at `{path}/`"),
            "expected the path of `grafana.externalUrl`",
            "set `grafana.externalUrl` to the address in the browser, path and all, or `grafana.ingress.path: /`",
        );
    }
    host("grafana", &grafana.ingress, grafana.external_url.as_ref(), findings);
    without_volume(&KEPT, &grafana.persistence, findings);
    with_login("grafana", &grafana.ingress, "Grafana has a login of its own, by the same header", findings);
    dashboards(&grafana.dashboards, findings);
    plugins(grafana, findings);
    settings(grafana, findings);
    data_sources(grafana, findings);
    autoscaling(grafana, stack, findings);
}

/// What keeps several pods from being one Grafana.
fn autoscaling(grafana: &Grafana, stack: &Stack, findings: &mut Findings) {
    const PATH: &str = "grafana.autoscaling";
    let Some(Autoscaling { min_replicas, max_replicas, .. }) = &grafana.autoscaling else { return };
    if !grafana.has_database() {
        findings.error(
            &[PATH],
            "each pod of Grafana would have users, sessions and dashboards of its own",
            "without a database that they share",
            "set `grafana.config.database.type` to `postgres` or `mysql`, with `host`, `name` and `user`, and the password by \
             `grafana.configSecrets.database.password`; or remove `autoscaling`",
        );
    }
    if grafana.persistence.enabled {
        findings.error(
            &["grafana.persistence.enabled", PATH],
            "several pods of Grafana cannot share its volume",
            "it is for the pods of one node",
            "set `grafana.persistence.enabled: false`: what it keeps is in the database",
        );
    }
    if min_replicas.get() == 0 || min_replicas > max_replicas {
        findings.error(
            &["grafana.autoscaling.minReplicas", "grafana.autoscaling.maxReplicas"],
            format!("Grafana cannot have between {min_replicas} and {max_replicas} pods"),
            "the API server refuses the HorizontalPodAutoscaler",
            "set `minReplicas` to 1 or more, and `maxReplicas` to no less",
        );
    }
    let vertical = stack.pods_of(grafana).vertical_autoscaler;
    if vertical.is_some_and(|vertical| vertical.update_mode != UpdateMode::Off) {
        findings.error(
            &["grafana.pods.verticalAutoscaler", "pods.verticalAutoscaler", PATH],
            "two autoscalers would answer the same load of Grafana",
            "one by more pods, the other by larger ones, of which the first then sees less load",
            "remove one of the two, or set `grafana.pods.verticalAutoscaler.updateMode: Off`",
        );
    }
}

/// Settings that follow from other keys of the stack, by section and key, and what to say instead. A key of `*` is all.
const OWN: [(&str, &str, &str); 9] = [
    ("paths", "*", "folders of the container follow from its volumes"),
    ("server", "root_url", "set `grafana.externalUrl`"),
    ("server", "serve_from_sub_path", "set `grafana.externalUrl`: its path is where Grafana answers"),
    ("server", "domain", "set `grafana.externalUrl`"),
    ("server", "http_port", "the port outside is `grafana.service.port`"),
    ("server", "protocol", "TLS ends at the Ingress: `grafana.ingress.tls`"),
    ("security", "admin_user", "it stands in the Secret that `grafana.adminSecret.existing` names"),
    ("security", "admin_password", "it stands in the Secret that `grafana.adminSecret.existing` names"),
    ("auth.ldap", "config_file", "set `grafana.ldapSecret`"),
];

/// Ends of keys whose values are credentials.
const CREDENTIALS: [&str; 6] = ["password", "secret", "secret_key", "token", "api_key", "private_key"];

fn settings(grafana: &Grafana, findings: &mut Findings) {
    let names = |said: Vec<(&SettingName, Vec<&SettingName>)>| -> Vec<(String, String)> {
        let each = |(section, keys): (&SettingName, Vec<&SettingName>)| {
            keys.into_iter().map(move |key| (section.to_string(), key.to_string())).collect::<Vec<_>>()
        };
        said.into_iter().flat_map(each).collect()
    };
    let plain = names(grafana.config.iter().map(|(section, keys)| (section, keys.keys().collect())).collect());
    let secret = names(grafana.config_secrets.iter().map(|(section, keys)| (section, keys.keys().collect())).collect());
    for (list, said) in [("config", &plain), ("configSecrets", &secret)] {
        for (section, key) in said {
            let path = format!("grafana.{list}.{section}.{key}");
            let own = OWN.iter().find(|(of, name, _)| of == section && (*name == "*" || name == key));
            if let Some((.., help)) = own {
                findings.error(
                    &[&path],
                    format!("`{key}` in the section `{section}` follows from the rest of the stack"),
                    "cannot be set here",
                    help,
                );
            } else if list == "config" && CREDENTIALS.iter().any(|end| key.ends_with(end)) {
                findings.error(
                    &[&path],
                    format!("`{key}` in the section `{section}` is a credential"),
                    "no credential stands in a stack",
                    &format!(
                        "create a Secret, and write `{section}: {{ {key}: {{ name: …, key: … }} }}` below `grafana.configSecrets`"
                    ),
                );
            } else if list == "configSecrets" && plain.contains(&(section.clone(), key.clone())) {
                findings.error(
                    &[&path, &format!("grafana.config.{section}.{key}")],
                    format!("`{key}` in the section `{section}` stands twice"),
                    "by `config` and by `configSecrets`",
                    "remove one of the two",
                );
            }
        }
    }
}

fn plugins(grafana: &Grafana, findings: &mut Findings) {
    for (at, plugin) in grafana.plugins.iter().enumerate() {
        if grafana.plugins[..at].iter().any(|other| other.name() == plugin.name()) {
            findings.error(
                &[&format!("grafana.plugins.{at}")],
                format!("the plugin `{}` stands twice", plugin.name()),
                "Grafana has one version of it",
                "remove one of the two",
            );
        }
    }
    if !grafana.plugins.is_empty() {
        findings.warning(
            &["grafana.plugins"],
            "Grafana's pod downloads plugins whenever it starts",
            "one that cannot be had is missing until the next start",
            "where that matters, or there is no internet, put them into an image of your own, `grafana.image`, or into a mirror, \
             `grafana.pluginsUrl`",
        );
    }
}

fn data_sources(grafana: &Grafana, findings: &mut Findings) {
    let names = grafana.data_sources.iter().map(|source| &source.name);
    same_name("grafana.dataSources", names, "data sources", "one would overwrite the other", findings);
    for (at, source) in grafana.data_sources.iter().enumerate() {
        let name = source.name.as_str();
        let authority = source.url.as_str().split_once("://").map_or(source.url.as_str(), |(_, rest)| rest);
        if authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
            findings.error(
                &[&format!("grafana.dataSources.{at}.url")],
                format!("the address of the data source `{name}` holds a user or a password"),
                "no credential stands in a stack",
                "say `user`, and name a Secret: `secrets: { password: { name: …, key: … } }`",
            );
        }
        if ["alertmanager", "loki", "prometheus"].contains(&name) {
            findings.error(
                &[&format!("grafana.dataSources.{at}.name")],
                format!("the data source `{name}` is the stack's own"),
                "it leads to that part",
                "give yours another name",
            );
        }
    }
}

/// Whether a URL ends after a path that no program takes for anything else.
fn has_plain_path(url: &Url) -> bool {
    vigil_forms::url::Url::split(url.as_str()).is_some_and(|url| {
        let is_path = |path: &str| path.strip_suffix('/').unwrap_or(path).parse::<HttpPath>().is_ok();
        url.query.or(url.fragment).is_none() && (matches!(url.path, "" | "/") || is_path(url.path))
    })
}

fn dashboards(dashboards: &[Dashboard], findings: &mut Findings) {
    let names = dashboards.iter().map(|dashboard| &dashboard.name);
    same_name("grafana.dashboards", names, "dashboards", "one would overwrite the other", findings);
    for (at, dashboard) in dashboards.iter().enumerate() {
        let path = format!("grafana.dashboards.{at}");
        let name = &dashboard.name;
        let (message, help) = match (dashboard.id, dashboard.revision, &dashboard.file) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => continue,
            (Some(_), _, Some(_)) => ("has both `id` and `file`", "remove one of the two"),
            (None, Some(_), _) => ("has a `revision`, and no `id`", "add the `id` that it has on grafana.com"),
            (Some(_), None, None) => {
                ("has no `revision`", "add the one that grafana.com shows; the newest would change by itself")
            }
            (None, None, None) => {
                ("comes from nowhere", "add `id` and `revision` of grafana.com, or a `file` beside the stack")
            }
        };
        findings.error(
            &[&path],
            format!("the dashboard `{name}` {message}"),
            "expected `id` and `revision`, or `file`",
            help,
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn several_pods_share_a_database() {
        const POSTGRES: &str = "config: {database: {type: postgres, host: 'db.example.com:5432'}}";
        let own = Some("each pod of Grafana would have users, sessions and dashboards of its own");
        for (grafana, expected) in [
            ("autoscaling: {maxReplicas: 3}".to_owned(), own),
            (format!("{POSTGRES}, autoscaling: {{maxReplicas: 3}}"), None),
            ("config: {database: {type: sqlite3}}, autoscaling: {maxReplicas: 3}".to_owned(), own),
            ("configSecrets: {database: {url: {name: a, key: b}}}, autoscaling: {maxReplicas: 3}".to_owned(), None),
            (
                format!("{POSTGRES}, persistence: {{enabled: true}}, autoscaling: {{maxReplicas: 3}}"),
                Some("several pods of Grafana cannot share its volume"),
            ),
            (format!("{POSTGRES}, autoscaling: {{maxReplicas: 1}}"), Some("Grafana cannot have between 2 and 1 pods")),
            (
                format!(
                    "{POSTGRES}, pods: {{verticalAutoscaler: {{updateMode: Recreate}}}}, autoscaling: {{maxReplicas: 3}}"
                ),
                Some("two autoscalers would answer the same load of Grafana"),
            ),
            (
                format!(
                    "{POSTGRES}, pods: {{verticalAutoscaler: {{updateMode: 'Off'}}}}, autoscaling: {{maxReplicas: 3}}"
                ),
                None,
            ),
            ("enabled: false, autoscaling: {maxReplicas: 3}".to_owned(), None),
        ] {
            let text = format!("promtail: {{enabled: false}}\ngrafana: {{{grafana}}}");
            let found: Vec<_> = match Stack::parse(&Source::new("stack.yaml", text)) {
                Ok(_) => Vec::new(),
                Err(problems) => problems.into_iter().map(|problem| problem.message).collect(),
            };
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{grafana}");
        }
    }
}
