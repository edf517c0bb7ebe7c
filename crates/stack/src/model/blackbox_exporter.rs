use super::{Annotations, Labels, Pods, choice, part, settings};
use crate::units::{DnsLabel, DnsSubdomain, Image, Line, Replicas};

settings! {
    /// The blackbox exporter, which tells whether addresses answer, and how: URLs, ports, DNS servers, hosts.
    pub struct BlackboxExporter {
        /// Run it.
        pub enabled: bool,
        /// Its image; the configuration here is for 0.28.
        pub image: Image,
        /// How many pods. Each probe is done by one of them.
        pub replicas: Replicas,
        /// What is probed, as often as `prometheus.scrapeInterval` says.
        pub targets: Vec<ProbeTarget>,
        /// The protocol of hosts that have addresses of both.
        pub ip_protocol: IpProtocol,
        /// What the module `dns` asks for.
        pub dns_query: DnsQuery,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for BlackboxExporter {
    fn default() -> Self {
        Self {
            enabled: false,
            image: Image::known("quay.io/prometheus/blackbox-exporter:v0.28.0"),
            replicas: Replicas::known(1),
            targets: Vec::new(),
            ip_protocol: IpProtocol::Ip4,
            dns_query: DnsQuery::default(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(BlackboxExporter: pods("10m", "32Mi", "128Mi"), metadata, namespace(monitoring), rules(blackbox_exporter));

/// Something that is probed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProbeTarget {
    /// The end of its Probe's name, and the label `target` of its metrics.
    pub name: DnsLabel,
    /// Its address: a URL for `http_2xx` and `http_post_2xx`, `host:port` for `tcp_connect` and `dns`, a host or an IP
    /// address for `icmp`.
    pub url: Line,
    /// How it is probed.
    pub module: ProbeModule,
}

choice! {
    /// A module of the blackbox exporter's configuration.
    pub enum ProbeModule {
        /// It answers `GET` with a status from 200 to 299, behind any redirects.
        #[serde(rename = "http_2xx")]
        Http2xx,
        /// It answers an empty `POST` with a status from 200 to 299.
        #[serde(rename = "http_post_2xx")]
        HttpPost2xx,
        /// It takes a TCP connection.
        #[serde(rename = "tcp_connect")]
        TcpConnect,
        /// It answers `dnsQuery` with `NOERROR`.
        #[serde(rename = "dns")]
        Dns,
        /// It answers an echo request (ping).
        #[serde(rename = "icmp")]
        Icmp,
    }
}

choice! {
    /// A version of the Internet Protocol.
    pub enum IpProtocol {
        /// IPv4, and IPv6 where a host has no other address.
        #[serde(rename = "ip4")]
        Ip4,
        /// IPv6, and IPv4 where a host has no other address.
        #[serde(rename = "ip6")]
        Ip6,
    }
}

settings! {
    /// A question to a DNS server.
    pub struct DnsQuery {
        /// The name, from the root on.
        pub name: DnsSubdomain,
        /// The type of the record.
        pub r#type: DnsRecord,
    }
}

impl Default for DnsQuery {
    fn default() -> Self {
        Self { name: DnsSubdomain::known("kubernetes.default.svc.cluster.local"), r#type: DnsRecord::A }
    }
}

choice! {
    /// The type of a DNS record.
    pub enum DnsRecord {
        /// An IPv4 address.
        A,
        /// An IPv6 address.
        AAAA,
        /// Another name.
        CNAME,
        /// A mail server.
        MX,
        /// A name server.
        NS,
        /// The name of an address.
        PTR,
        /// The start of a zone.
        SOA,
        /// The host and port of a service.
        SRV,
        /// A text.
        TXT,
    }
}
