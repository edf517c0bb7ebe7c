//! What cannot work about Grafana: addresses, and dashboards that come from nowhere.

use super::{Kept, host, same_name, without_volume};
use crate::findings::Findings;
use crate::model::{Dashboard, Grafana, Stack};
use crate::units::{HttpPath, Url};

const KEPT: Kept = Kept {
    part: "grafana",
    name: "Grafana",
    data: "users, settings and dashboards made in the browser",
    changes: "`image`, `externalUrl`, pod label or memory limit",
};

pub(crate) fn check(grafana: &Grafana, _stack: &Stack, findings: &mut Findings) {
    if !grafana.enabled {
        return;
    }
    let urls = [("externalUrl", grafana.external_url.as_ref()), ("dashboardsUrl", Some(&grafana.dashboards_url))];
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
    dashboards(&grafana.dashboards, findings);
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
