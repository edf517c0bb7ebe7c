//! What pods connect to that is no other workload of the stack: it is said beside their ports.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vigil_forms::name::is_host;
use vigil_forms::url::{Authority, Url, implied_port};
use vigil_stack::Stack;

/// Where pods connect to. What they connect to among the stack's own pods follows from whom those let in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// The API server, whose address is the cluster's own.
    ApiServer,
    /// A port in the network of every node.
    Nodes(u16),
    /// Whatever pods the cluster has, at any port.
    Pods,
    /// A Service of this namespace. A policy sees the port of its pods, which nobody here knows.
    Namespace(String),
    /// A port of hosts outside of the cluster. A policy knows no names.
    Outside(u16, &'static [&'static str]),
    /// What gives machines and pods of a cloud their credentials, at addresses that lead no further than the node.
    CloudIdentity,
    /// Any host, by what no policy has a word for.
    Everything,
}

impl Reach {
    /// A port outside of the cluster that is reached by TCP.
    pub(super) fn outside(port: u16) -> Self {
        Self::Outside(port, &["TCP"])
    }

    /// What speaks TLS at its usual port.
    pub(super) fn https() -> Self {
        Self::outside(443)
    }
}

/// Who reads the addresses: a host with one name is a Service of the reader's own namespace.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) stack: &'a Stack,
    pub(super) namespace: &'a str,
}

impl Caller<'_> {
    /// Where a `host:port` leads; to nothing where that is the pod itself.
    pub(super) fn address(self, text: &str, protocols: &'static [&'static str]) -> Option<Reach> {
        self.authority(Authority::split(text), None, protocols)
    }

    /// Where a URL leads.
    pub(super) fn url(self, text: &str) -> Option<Reach> {
        let url = Url::split(text)?;
        self.authority(url.authority, implied_port(url.scheme), &["TCP"])
    }

    /// Where all URLs lead that something says, at any depth, and what is signed by the identity that a cloud gives.
    pub(super) fn said(self, something: &impl Serialize) -> BTreeSet<Reach> {
        let mut found = BTreeSet::new();
        self.add(&json!(something), &mut found);
        found
    }

    fn add(self, value: &Value, found: &mut BTreeSet<Reach>) {
        match value {
            Value::String(text) => found.extend(urls(text).filter_map(|url| self.url(url))),
            Value::Array(items) => items.iter().for_each(|item| self.add(item, found)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    if ["sigv4", "azureAd"].contains(&key.as_str()) {
                        found.extend([Reach::CloudIdentity, Reach::https()]);
                    }
                    self.add(value, found);
                }
            }
            _ => {}
        }
    }

    fn authority(
        self,
        authority: Authority<'_>,
        implied: Option<u16>,
        protocols: &'static [&'static str],
    ) -> Option<Reach> {
        let Authority { host, is_bracketed, port, .. } = authority;
        let port = port.map_or(implied, |port| port.parse().ok())?;
        let is_loopback = host == "localhost" || host.starts_with("127.") || host == "::1";
        if is_loopback || !(is_bracketed || is_host(host)) {
            return None;
        }
        let namespace = if is_bracketed { None } else { self.namespace_of(host) };
        Some(namespace.map_or(Reach::Outside(port, protocols), |name| Reach::Namespace(name.to_owned())))
    }

    /// The namespace of a Service, as cluster DNS reads its name; none for a name of somebody else. Of two names the second
    /// is a namespace where the stack has one of this name, and a domain elsewhere.
    fn namespace_of<'h>(self, host: &'h str) -> Option<&'h str>
    where
        Self: 'h,
    {
        let of_cluster = host.strip_suffix(".cluster.local").unwrap_or(host).strip_suffix(".svc");
        if let Some(name) = of_cluster {
            return name.rsplit('.').next();
        }
        match host.split_once('.') {
            None => Some(self.namespace),
            Some((_, second)) => self.stack.namespaces.all().iter().any(|own| own.as_str() == second).then_some(second),
        }
    }
}

/// The URLs in a text.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || c == '+';
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>(){}[],;|\\".contains(c);
    text.match_indices("://").map(move |(at, _)| {
        let start = text[..at].trim_end_matches(is_scheme).len();
        let rest = &text[at + 3..];
        // Brackets stand around an address of IPv6.
        let address = rest.strip_prefix('[').and_then(|rest| rest.find(']')).map_or(0, |end| end + 2);
        let length = rest[address..].find(is_end).map_or(rest.len(), |end| address + end);
        &text[start..at + 3 + length]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_into_the_cluster_or_out_of_it() {
        let stack = Stack::default();
        let caller = Caller { stack: &stack, namespace: "mymonitoring" };
        let namespace = |name: &str| Some(Reach::Namespace(name.to_owned()));
        for (url, expected) in [
            ("https://hooks.example.com/x", Some(Reach::https())),
            ("http://example.com:8080", Some(Reach::outside(8080))),
            ("http://example.com", Some(Reach::outside(80))),
            ("https://192.0.2.1:6443/", Some(Reach::outside(6443))),
            ("https://[2001:db8::1]:8443/", Some(Reach::outside(8443))),
            ("http://tempo:3100", namespace("mymonitoring")),
            ("http://loki-stack.myloki:3100", namespace("myloki")),
            ("http://tempo.tracing:3100", Some(Reach::outside(3100))),
            ("http://tempo.tracing.svc:3100", namespace("tracing")),
            ("http://pod-0.tempo.tracing.svc.cluster.local:3100", namespace("tracing")),
            ("https://www.svc.example.com", Some(Reach::https())),
            ("http://localhost:9090", None),
            ("http://127.0.0.1:9090", None),
            ("postgres://user@db.example.com:5432/grafana", Some(Reach::outside(5432))),
            ("postgres://db.example.com/grafana", None),
            ("https://$HOST/x", None),
            ("nothing", None),
        ] {
            assert_eq!(caller.url(url), expected, "{url}");
        }
        assert_eq!(caller.address("mail.example.com:587", &["TCP"]), Some(Reach::outside(587)));
        assert_eq!(caller.address("mail.example.com", &["TCP"]), None);
    }

    #[test]
    fn addresses_are_found_in_texts() {
        let stack = Stack::default();
        let caller = Caller { stack: &stack, namespace: "mymonitoring" };
        for (value, expected) in [
            (json!({"a": [{"b": "https://a.example.com:8443/x"}], "c": 1}), vec![Reach::outside(8443)]),
            (json!("see <http://a.example.com:81>, or (http://b.example.com:82)"), [81, 82].map(Reach::outside).into()),
            (json!("url = \"http://[2001:db8::1]:83/x\"\n"), vec![Reach::outside(83)]),
            (json!("://"), vec![]),
            (json!("http://["), vec![]),
            (json!({"sigv4": {"region": "x"}}), vec![Reach::https(), Reach::CloudIdentity]),
        ] {
            assert_eq!(caller.said(&value).into_iter().collect::<Vec<_>>(), expected, "{value}");
        }
    }
}
