//! URLs, and the hosts and ports in them.

use crate::name::is_host;
use std::net::Ipv6Addr;

/// A URL in its parts, as RFC 3986 divides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// What stands before `://`.
    pub scheme: &'a str,
    /// The host and its port.
    pub authority: Authority<'a>,
    /// The path, from its `/` on; empty when there is none.
    pub path: &'a str,
    /// What stands behind `?`.
    pub query: Option<&'a str>,
    /// What stands behind `#`.
    pub fragment: Option<&'a str>,
}

/// What a URL says between `://` and the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// Who asks, before `@`: a user, and mostly a password.
    pub credentials: Option<&'a str>,
    /// The host; an address of IPv6 without its brackets.
    pub host: &'a str,
    /// Whether brackets stand around the host.
    pub is_bracketed: bool,
    /// The port, as it is written.
    pub port: Option<&'a str>,
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A scheme other than `http` and `https`, or none.
    Scheme,
    /// A user or password.
    Credentials,
    /// A character that must be written in another way.
    Character,
    /// A host that is none.
    Host,
    /// A port that is none.
    Port,
}

impl<'a> Url<'a> {
    /// The parts of a text; none when it has no `://`.
    pub fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some(Self { scheme, authority: Authority::split(authority), path, query, fragment })
    }

    /// The address of something that answers HTTP: `http` or `https`, a host of DNS or an address, and nobody's password.
    pub fn parse_http(text: &'a str) -> Result<Self, Wrong> {
        let url = Self::split(text).filter(|url| matches!(url.scheme, "http" | "https")).ok_or(Wrong::Scheme)?;
        let Authority { credentials, host, is_bracketed, port } = url.authority;
        if credentials.is_some() {
            return Err(Wrong::Credentials);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
            return Err(Wrong::Character);
        }
        let is_right = if is_bracketed { host.parse::<Ipv6Addr>().is_ok() } else { is_host(host) };
        if !is_right {
            return Err(Wrong::Host);
        }
        match port.map(port_number) {
            None | Some(Some(_)) => Ok(url),
            Some(None) => Err(Wrong::Port),
        }
    }
}

impl<'a> Authority<'a> {
    /// The parts of `host:port`, with `user:password@` before them if need be.
    pub fn split(text: &'a str) -> Self {
        let (credentials, rest) = text.rsplit_once('@').map_or((None, text), |(user, rest)| (Some(user), rest));
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        // What stands between a bracket and a colon is part of no port: it is kept with the host, which it spoils.
        if let Some((host, tail)) = bracketed
            && (tail.is_empty() || tail.starts_with(':'))
        {
            return Self { credentials, host, is_bracketed: true, port: tail.strip_prefix(':') };
        }
        let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        Self { credentials, host, is_bracketed: false, port }
    }

    /// The host and the number of its port, or `implied` when none is written. None when what is written is no number,
    /// or the host is an address or holds what no name does, such as a variable.
    pub fn named(&self, implied: u16) -> Option<(&'a str, u16)> {
        let port = self.port.map_or(Some(implied), |port| port.parse().ok())?;
        let is_name = self.host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        let is_number = self.host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (is_name && !is_number && !self.is_bracketed).then_some((self.host, port))
    }
}

/// The port that a scheme means when none is written.
pub fn implied_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whether a text is a host or an address, an IPv6 one in brackets, with a port behind it.
pub fn is_host_and_port(text: &str) -> bool {
    let Authority { credentials, host, is_bracketed, port } = Authority::split(text);
    let is_right = if is_bracketed { host.parse::<Ipv6Addr>().is_ok() } else { is_host(host) };
    credentials.is_none() && is_right && port.and_then(port_number).is_some()
}

/// A port from 1 to 65535, in digits.
pub fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// `text` with a star for each byte of what stands between a scheme and an `@`; `None` when there is none. Places in
/// it stay true.
pub fn without_credentials(text: &str) -> Option<String> {
    const SCHEME: &str = "://";
    let mut clean = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME) {
        let (before, after) = rest.split_at(at + SCHEME.len());
        clean.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(after.len());
        let secret = credentials(&after[..end]);
        clean.push_str(&"*".repeat(secret));
        found |= secret > 0;
        rest = &after[secret..];
    }
    clean.push_str(rest);
    found.then_some(clean)
}

/// How many bytes of a URL behind its scheme are credentials.
fn credentials(url: &str) -> usize {
    let host = url.find(['/', '?', '#']).unwrap_or(url.len());
    let port = url[..host].rsplit_once(':').map(|(_, port)| port);
    // A password may hold what ends a host: then there is no number where the port would be.
    let within = if port.is_some_and(|port| port.parse::<u16>().is_err()) { url } else { &url[..host] };
    within.rfind('@').unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts() {
        let url = Url::split("https://u:p@w@a.b:1/c/d?e=/f#/g").unwrap();
        assert_eq!((url.scheme, url.path, url.query, url.fragment), ("https", "/c/d", Some("e=/f"), Some("/g")));
        let Authority { credentials, host, is_bracketed, port } = url.authority;
        assert_eq!((credentials, host, is_bracketed, port), (Some("u:p@w"), "a.b", false, Some("1")));
        let address = Authority::split("[::1]:80");
        assert_eq!((address.host, address.is_bracketed, address.port), ("::1", true, Some("80")));
        assert_eq!(Url::split("http://a#b?c").unwrap().query, None);
        assert_eq!(Url::split("a.b/c"), None);
    }

    #[test]
    fn addresses_of_http() {
        for text in [
            "http://a",
            "https://grafana.example.com/x?y=1#z",
            "http://[::1]:3000/",
            "http://10.0.0.1:80",
            "https://A.b/@x",
        ] {
            assert!(Url::parse_http(text).is_ok(), "{text}");
        }
        for (text, wrong) in [
            ("", Wrong::Scheme),
            ("a.b", Wrong::Scheme),
            ("ftp://a", Wrong::Scheme),
            ("javascript:alert(1)", Wrong::Scheme),
            ("http://", Wrong::Host),
            ("http:///x", Wrong::Host),
            ("http://[::x]/", Wrong::Host),
            ("http://[::1]x/", Wrong::Host),
            ("http://[10.0.0.1]/", Wrong::Host),
            ("http://a..b", Wrong::Host),
            ("http://u:p@h/", Wrong::Credentials),
            ("http://h:0", Wrong::Port),
            ("http://h:", Wrong::Port),
            ("http://h:+1", Wrong::Port),
            ("http://h:99999", Wrong::Port),
            ("http://a b", Wrong::Character),
            ("http://h/\"x", Wrong::Character),
            ("http://h/\n", Wrong::Character),
            ("http://ä", Wrong::Character),
        ] {
            assert_eq!(Url::parse_http(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn named_hosts() {
        for (text, expected) in [
            ("loki:3100", Some(("loki", 3100))),
            ("loki.logs", Some(("loki.logs", 80))),
            ("user:word@loki.logs.svc", Some(("loki.logs.svc", 80))),
            ("10.0.0.1:9090", None),
            ("[::1]:9090", None),
            ("${LOKI}:3100", None),
            ("host:port", None),
            ("", None),
        ] {
            assert_eq!(Authority::split(text).named(80), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_make_the_whole(text in r"[a-z]{1,5}://([a-z:]{0,5}@)?[a-z.]{0,9}(:[0-9]{1,5})?(/[a-z/]{0,9})?(\?[a-z?=]{0,5})?(#[a-z#]{0,5})?") {
            let Url { scheme, authority, path, query, fragment } = Url::split(&text).unwrap();
            let part = |before: &str, part: Option<&str>| part.map(|part| format!("{before}{part}")).unwrap_or_default();
            let user = authority.credentials.map(|user| format!("{user}@")).unwrap_or_default();
            let host = format!("{user}{}{}", authority.host, part(":", authority.port));
            prop_assert_eq!(format!("{scheme}://{host}{path}{}{}", part("?", query), part("#", fragment)), text);
        }

        #[test]
        fn any_text_is_read(text in r"https?://[a-z0-9:@\[\].%/?#-]{0,30}|\PC*") {
            let _ = (Url::split(&text), Url::parse_http(&text), Authority::split(&text).named(80));
        }
    }

    #[test]
    fn credentials_are_starred_and_nothing_else() {
        for (text, expected) in [
            ("a: https://u:p@x.example/y", Some("a: https://***@x.example/y")),
            ("a: \"https://u:p/w@x\" # b@c", Some("a: \"https://*****@x\" # b@c")),
            ("https://token@x, https://é@x", Some("https://*****@x, https://**@x")),
            ("https://u:p@w@x/", Some("https://*****@x/")),
            ("https://x.example/@me", None),
            ("https://x.example:443/@me", None),
            ("a: b@c", None),
            ("://", None),
        ] {
            assert_eq!(without_credentials(text).as_deref(), expected, "{text}");
            assert!(without_credentials(text).is_none_or(|clean| clean.len() == text.len()), "{text}");
        }
    }
}
