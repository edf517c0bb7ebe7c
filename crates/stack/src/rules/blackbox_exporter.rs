//! What the blackbox exporter could not probe.

use super::same_name;
use crate::findings::Findings;
use crate::model::{BlackboxExporter, ProbeModule, ProbeTarget, Stack};
use crate::units::Url;
use std::net::IpAddr;
use vigil_forms::name::is_host;
use vigil_forms::url::is_host_and_port;

pub(crate) fn check(exporter: &BlackboxExporter, stack: &Stack, findings: &mut Findings) {
    if !exporter.enabled {
        return;
    }
    if exporter.replicas.get() == 0 {
        findings.error(
            &["blackbox-exporter.replicas"],
            "the blackbox exporter with no replicas probes nothing",
            "expected 1 at least",
            "set `blackbox-exporter.enabled: false` to switch it off",
        );
    }
    if !stack.prometheus.enabled && !exporter.targets.is_empty() {
        findings.warning(
            &["blackbox-exporter.targets", "prometheus.enabled"],
            "nothing asks for the targets of `blackbox-exporter`",
            "`prometheus.enabled` is `false`, so that no Probe is made",
            "enable Prometheus, or have another one ask the exporter",
        );
    }
    let names = exporter.targets.iter().map(|target| &target.name);
    same_name("blackbox-exporter.targets", names, "targets", "one Probe would overwrite the other", findings);
    for (at, target) in exporter.targets.iter().enumerate() {
        let path = format!("blackbox-exporter.targets.{at}");
        let ProbeTarget { name, url, module } = target;
        if let Some((why, help)) = unfit(*module, url.as_str()) {
            findings.error(
                &[&format!("{path}.url"), &format!("{path}.module")],
                format!("the target `{name}` cannot be probed by `{}`", module_name(*module)),
                &why,
                help,
            );
        }
    }
}

/// Why a module cannot probe an address, and what to do; nothing when it can.
fn unfit(module: ProbeModule, url: &str) -> Option<(String, &'static str)> {
    match module {
        ProbeModule::Http2xx | ProbeModule::HttpPost2xx => {
            let why = url.parse::<Url>().err()?;
            Some((why, "write the whole URL, or choose `tcp_connect` for a port that does not speak HTTP"))
        }
        ProbeModule::TcpConnect | ProbeModule::Dns => (!is_host_and_port(url)).then(|| {
            let expected = "expected `host:port`, such as `db.example.com:5432` or `[2001:db8::1]:53`";
            (expected.to_owned(), "write host and port without a scheme, or choose `http_2xx` for a URL")
        }),
        ProbeModule::Icmp => (!is_host(url) && url.parse::<IpAddr>().is_err()).then(|| {
            let expected = "expected a host or an IP address, without a port";
            (expected.to_owned(), "an echo request goes to a host; choose `tcp_connect` for one of its ports")
        }),
    }
}

/// As it is written in `stack.yaml`.
fn module_name(module: ProbeModule) -> &'static str {
    match module {
        ProbeModule::Http2xx => "http_2xx",
        ProbeModule::HttpPost2xx => "http_post_2xx",
        ProbeModule::TcpConnect => "tcp_connect",
        ProbeModule::Dns => "dns",
        ProbeModule::Icmp => "icmp",
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    /// What is said of a stack: the messages of errors, or of warnings when there are none.
    fn said(settings: &str, rest: &str) -> Vec<String> {
        let text = format!("promtail: {{enabled: false}}\nblackbox-exporter: {{{settings}}}\n{rest}");
        let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn addresses_are_what_their_module_probes() {
        for (module, fits, does_not) in [
            (
                "http_2xx",
                &["https://example.com", "http://web.apps.svc:8080/a?b=c", "http://[2001:db8::1]/"][..],
                &["example.com", "example.com:80", "ftp://example.com", "https://a:b@example.com"][..],
            ),
            ("http_post_2xx", &["https://example.com/hook"], &["example.com:80"]),
            (
                "tcp_connect",
                &["db.example.com:5432", "10.0.0.1:22", "[2001:db8::1]:22"],
                &["db.example.com", "https://example.com", "a:b@example.com:1", "a:0", "a:65536", "::1:22", ":22"],
            ),
            ("dns", &["kube-dns.kube-system.svc:53"], &["kube-dns.kube-system.svc"]),
            ("icmp", &["example.com", "10.0.0.1", "2001:db8::1"], &["example.com:80", "https://example.com", "a b"]),
        ] {
            let of =
                |url: &str| said(&format!("enabled: true, targets: [{{name: a, url: '{url}', module: {module}}}]"), "");
            for url in fits {
                assert_eq!(of(url), Vec::<String>::new(), "{module} {url}");
            }
            for url in does_not {
                assert_eq!(of(url), [format!("the target `a` cannot be probed by `{module}`")], "{module} {url}");
            }
        }
    }

    #[test]
    fn every_module_is_called_what_it_is_written_as() {
        use super::{ProbeModule, module_name};
        for module in [
            ProbeModule::Http2xx,
            ProbeModule::HttpPost2xx,
            ProbeModule::TcpConnect,
            ProbeModule::Dns,
            ProbeModule::Icmp,
        ] {
            assert_eq!(serde_json::to_value(module).unwrap(), module_name(module));
        }
    }

    #[test]
    fn what_is_never_probed_is_told() {
        const TARGET: &str = "{name: a, url: 'https://a', module: http_2xx}";
        for (settings, rest, expected) in [
            (format!("enabled: true, targets: [{TARGET}]"), "", None),
            (format!("enabled: true, targets: [{TARGET}, {TARGET}]"), "", Some("two targets are called `a`")),
            (
                "enabled: true, replicas: 0".to_owned(),
                "",
                Some("the blackbox exporter with no replicas probes nothing"),
            ),
            (
                format!("enabled: true, targets: [{TARGET}]"),
                "prometheus: {enabled: false}\nalertmanager: {enabled: false}",
                Some("nothing asks for the targets of `blackbox-exporter`"),
            ),
            (format!("targets: [{TARGET}, {TARGET}]"), "", Some("`blackbox-exporter` has no effect: it is off")),
            (format!("enabled: false, targets: [{TARGET}, {TARGET}]"), "", None),
        ] {
            assert_eq!(said(&settings, rest), expected.into_iter().collect::<Vec<_>>(), "{settings} {rest}");
        }
    }
}
