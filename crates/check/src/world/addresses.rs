//! Addresses: the Service that a URL means, and what is wrong with one that means none.

use super::World;
use super::namespaces::Scope;
use super::services::{Service, Target};
use crate::fields::entries;
use vigil_forms::url::{Authority, Url, implied_port};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// A host of the cluster: what it names, and how.
struct Host<'h> {
    name: &'h str,
    namespace: &'h str,
    /// The namespace is a part of the host.
    is_full: bool,
}

impl<'a> World<'a> {
    /// The label of Services in these namespaces that a selector probably means.
    pub(crate) fn near_label(&self, selector: &Node, scope: &Scope<'_>) -> Option<String> {
        entries(selector, "matchLabels").iter().find_map(|entry| {
            let (key, wanted) = (entry.key.text.as_str(), entry.value.text()?);
            let there = self.services.iter().filter(|service| scope.contains(service.namespace));
            let mut values: Vec<&str> = there.filter_map(|service| service.label(key)).collect();
            values.sort_unstable();
            let near = nearest(wanted, values.iter().copied()).filter(|_| !values.contains(&wanted))?;
            Some(format!("did you mean `{key}: {near}`?"))
        })
    }

    /// The Service that was probably meant: of that name elsewhere, or of a like name in `namespace`.
    pub(crate) fn near_service(&self, name: &str, namespace: &str) -> Option<String> {
        let elsewhere =
            self.services.iter().filter(|service| service.name == name).map(|service| service.namespace).min();
        if let Some(elsewhere) = elsewhere {
            return Some(format!("it is in namespace `{elsewhere}`"));
        }
        let here = self.services.iter().filter(|service| service.namespace == namespace).map(|service| service.name);
        nearest(name, here).map(|near| format!("did you mean `{near}`?"))
    }

    /// The Service and the namespace that a host names, if it is surely one of the cluster. `namespace` is that of the
    /// pod which asks.
    fn host<'h>(&self, host: &'h str, namespace: Option<&'h str>) -> Option<Host<'h>> {
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let (name, namespace, is_full) = match *labels.as_slice() {
            [name] => (name, namespace?, false),
            [name, own] if self.is_ours(name, own) => (name, own, true),
            [name, own, "svc", ..] | [_, name, own, "svc", ..] => (name, own, true),
            _ => return None,
        };
        (name != "localhost" && !name.is_empty()).then_some(Host { name, namespace, is_full })
    }

    /// The Service that a host names to a pod of `namespace`.
    pub(crate) fn service_at(&self, host: &str, namespace: &str) -> Option<&Service<'a>> {
        let host = self.host(host, Some(namespace))?;
        self.service(host.namespace, host.name)
    }

    /// The Service that an address names, and the port. `namespace` is that of the pod which asks.
    pub(crate) fn service_of(&self, url: &str, namespace: Option<&str>) -> Option<(&Service<'a>, i64)> {
        let address = Address::of(url)?;
        let host = self.host(address.host, namespace)?;
        Some((self.service(host.namespace, host.name)?, address.port))
    }

    /// What is wrong with an address, if it is surely one of a Service. `namespace` is that of the pod which asks.
    pub(crate) fn address(&self, url: &str, namespace: Option<&str>) -> Option<Wrong> {
        let address = Address::of(url)?;
        let Some(host) = self.host(address.host, namespace) else {
            let mut labels = address.host.trim_end_matches('.').split('.');
            let (name, own, third) = (labels.next()?, labels.next()?, labels.next()?);
            return self.service(own, name).filter(|_| third != "svc").map(|_| Wrong {
                message: format!("the host {} names no Service", Quoted(address.host)),
                label: Some(format!("expected `svc` in place of {}", Quoted(third))),
                help: None,
                is_beyond: false,
            });
        };
        let Host { name, namespace: own, .. } = host;
        let Some(service) = self.service(own, name) else {
            if self.namespaces.is_open(&Scope::These(vec![own])) {
                return None;
            }
            return Some(self.no_service(&address, &host));
        };
        if service.any_port || service.ports.iter().any(|port| port.number == address.port) {
            return None;
        }
        let ports: Vec<String> = service.ports.iter().map(|port| port.number.to_string()).collect();
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        let implied = if address.is_implied { ", which the address implies" } else { "" };
        Some(Wrong {
            message: format!("Service `{own}/{name}` has no port {}{implied}", address.port),
            label: (!ports.is_empty()).then(|| format!("expected {}", vigil_yaml::words::list(&ports, "or"))),
            help: Some("use a port of the Service; the port of its pods is another one".to_owned())
                .filter(|_| service.ports.iter().any(|port| port.said == Some(Target::Number(address.port)))),
            is_beyond: false,
        })
    }

    fn no_service(&self, address: &Address<'_>, host: &Host<'_>) -> Wrong {
        let Host { name, namespace: own, is_full } = *host;
        let looked_up = if is_full { "" } else { ", where the name is looked up" };
        let mut named = self.services.iter().filter(|service| service.name == name).peekable();
        if named.peek().is_none() && self.namespaces.is_beyond(own) {
            return Wrong {
                message: format!("nothing in the set is in the namespace {}", Quoted(own)),
                label: None,
                help: Some(format!(
                    "see that the cluster has the Service {name} there, or check the manifests of that namespace \
                     together with these"
                )),
                is_beyond: true,
            };
        }
        let here = self.services.iter().filter(|service| service.namespace == own).map(|service| service.name);
        let meant = match named.map(|service| service.namespace).min() {
            Some(namespace) => Some(format!("{name}.{namespace}")),
            None => nearest(name, here).map(|near| if is_full { format!("{near}.{own}") } else { near.to_owned() }),
        };
        Wrong {
            message: format!("there is no Service {} in namespace {}{looked_up}", Quoted(name), Quoted(own)),
            label: meant.map(|meant| format!("did you mean `{meant}`?")),
            help: Some(format!("correct the host {}, or add the Service", Quoted(address.host))),
            is_beyond: false,
        }
    }

    /// Whether `name.namespace` is an address in the cluster: both could be a domain of the internet.
    fn is_ours(&self, name: &str, namespace: &str) -> bool {
        const DOMAINS: [&str; 12] =
            ["com", "net", "org", "io", "dev", "cloud", "app", "info", "local", "internal", "lan", "test"];
        let is_named = || self.services.iter().any(|service| service.name == name);
        self.namespaces.is_known(namespace) || (namespace.len() > 2 && !DOMAINS.contains(&namespace) && is_named())
    }
}

/// What is wrong with a reference, in the parts of a finding.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) label: Option<String>,
    pub(crate) help: Option<String>,
    /// Nothing but that the set holds nothing of the namespace.
    pub(crate) is_beyond: bool,
}

/// The host and the port of a URL.
#[derive(Debug, PartialEq)]
struct Address<'u> {
    host: &'u str,
    port: i64,
    is_implied: bool,
}

impl<'u> Address<'u> {
    /// Of `scheme://host:port/path`, or `host:port` as probers have it; nothing when it is no host name or holds variables.
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, authority) = match Url::split(url) {
            Some(url) => (url.scheme, url.authority),
            None => ("http", Authority::split(url.split(['/', '?', '#']).next()?)),
        };
        let (host, port) = authority.named(implied_port(scheme)?)?;
        Some(Self { host, port: port.into(), is_implied: authority.port.is_none() })
    }
}

/// The hosts and ports of all URLs in a text, of whatever scheme.
pub(crate) fn hosts(text: &str) -> impl Iterator<Item = (&str, i64)> {
    text.match_indices("://").filter_map(move |(at, separator)| {
        let usual = if text[..at].ends_with("https") { 443 } else { 80 };
        let rest = &text[at + separator.len()..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '@' | '_' | '%');
        let authority = Authority::split(&rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())]);
        authority.named(usual).filter(|(host, _)| !host.is_empty()).map(|(host, port)| (host, port.into()))
    })
}

/// The hosts in a text that Thanos looks up as SRV records, each with the name of its port: `dnssrv+_grpc._tcp.store.metrics.svc`.
pub(crate) fn looked_up(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("dnssrv").filter_map(move |(at, scheme)| {
        let rest = &text[at + scheme.len()..];
        let rest = rest.strip_prefix("noa").unwrap_or(rest).strip_prefix("+_")?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let (port, host) = rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())].split_once("._tcp.")?;
        Some((host, port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looked_up_hosts() {
        let text = "- address: dnssrv+_grpc._tcp.store.metrics.svc\n- 'dnssrvnoa+_http._tcp.query'\n- dnssrv+store\n- dns+a:1\n";
        assert_eq!(looked_up(text).collect::<Vec<_>>(), [("store.metrics.svc", "grpc"), ("query", "http")]);
    }

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("http://loki:3100/loki/api/v1/push", Some(("loki", 3100, false))),
            ("http://loki.logs", Some(("loki.logs", 80, true))),
            ("https://user:word@loki.logs.svc/x", Some(("loki.logs.svc", 443, true))),
            ("prober:9115", Some(("prober", 9115, false))),
            ("http://10.0.0.1:9090", None),
            ("http://[::1]:9090", None),
            ("http://${LOKI}:3100", None),
            ("http://{{ host }}/", None),
            ("postgres://db:5432", None),
            ("http://host:port/", None),
        ] {
            let expected = expected.map(|(host, port, is_implied)| Address { host, port, is_implied });
            assert_eq!(Address::of(url), expected, "{url}");
        }
    }
    #[test]
    fn hosts_in_texts() {
        let found = |text| hosts(text).collect::<Vec<_>>();
        assert_eq!(
            found("url: http://loki.logs:3100/loki/api\nb: \"https://web\" grpc://a.b.svc.cluster.local:1\n"),
            [("loki.logs", 3100), ("web", 443), ("a.b.svc.cluster.local", 1)]
        );
        assert_eq!(found("https://grafana.example.com/x and :// alone http://a:b"), [("grafana.example.com", 443)]);
        assert_eq!(found("http://user:word@loki.logs:3100"), [("loki.logs", 3100)]);
    }
}
