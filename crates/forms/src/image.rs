//! Names of container images.

use crate::name::is_host;
use crate::url::{Authority, port_number};
use std::fmt;

/// The name of an image: `quay.io/prometheus/prometheus:v3.8.1@sha256:…`.
///
/// The grammar is that of github.com/distribution/reference, which Docker, containerd and CRI-O read images with. What
/// stands before the first slash is a registry if it looks like a host (`splitDockerDomain`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// The host of the registry, with its port; none for what Docker Hub has.
    pub registry: Option<&'a str>,
    /// The name without registry, tag and digest.
    pub repository: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, with its algorithm: `sha256:` and 64 hexadecimal digits.
    pub digest: Option<&'a str>,
}

/// What is wrong with the name of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A registry that is no host.
    Registry,
    /// A capital letter in the repository.
    Capital,
    /// A repository that is none.
    Repository,
    /// A tag that is none.
    Tag,
    /// A digest that is none.
    Digest,
    /// Neither a tag nor a digest.
    NoTag,
    /// The tag `latest`, and no digest.
    Latest,
}

impl<'a> Image<'a> {
    /// The parts of a text, whether it is the name of an image or not.
    pub fn split(text: &'a str) -> Self {
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let looks_like_a_host = |text: &str| {
            text == "localhost" || text.bytes().any(|b| matches!(b, b'.' | b':') || b.is_ascii_uppercase())
        };
        let (registry, rest) = match name.split_once('/') {
            Some((host, rest)) if looks_like_a_host(host) => (Some(host), rest),
            _ => (None, name),
        };
        let (repository, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
        Self { registry, repository, tag, digest }
    }

    /// The name of an image that can be pulled: `reference.ParseNormalizedNamed`.
    pub fn parse(text: &'a str) -> Result<Self, Wrong> {
        let image = Self::split(text);
        if image.registry.is_some_and(|registry| !is_registry(registry)) {
            return Err(Wrong::Registry);
        }
        if image.repository.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Wrong::Capital);
        }
        let of_hub = matches!(image.registry, None | Some("docker.io" | "index.docker.io"));
        let prefix = if of_hub && !image.repository.contains('/') { LIBRARY.len() } else { 0 };
        let is_sum = text.len() == 64 && text.bytes().all(is_lower_hex);
        if prefix + image.repository.len() > 255 || is_sum || !image.repository.split('/').all(is_component) {
            return Err(Wrong::Repository);
        }
        if image.tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(Wrong::Tag);
        }
        if image.digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(Wrong::Digest);
        }
        Ok(image)
    }

    /// The name of one program, today and tomorrow: with a tag other than `latest` or with a digest of SHA-256, and from
    /// a registry whose host is one of DNS.
    pub fn parse_pinned(text: &'a str) -> Result<Self, Wrong> {
        let image = Self::parse(text)?;
        match image.registry {
            // A registry by its capitals alone is more likely a slip.
            Some(registry) if registry != "localhost" && !registry.contains(['.', ':']) => return Err(Wrong::Capital),
            Some(registry) if !is_registry_of_dns(registry) => return Err(Wrong::Registry),
            _ => {}
        }
        match (image.tag, image.digest) {
            (_, Some(digest)) if !digest.starts_with("sha256:") => Err(Wrong::Digest),
            (None, None) => Err(Wrong::NoTag),
            (Some("latest"), None) => Err(Wrong::Latest),
            _ => Ok(image),
        }
    }

    /// The last part of the repository, which is mostly what the program is called: `loki`.
    pub fn program(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }

    /// Whether a kubelet pulls it each time a container starts, unless it is told otherwise: the tag is `latest`, or
    /// there is neither tag nor digest. `SetDefaults_Container` of Kubernetes.
    pub fn is_pulled_always(&self) -> bool {
        self.tag.map_or(self.digest.is_none(), |tag| tag == "latest")
    }
}

/// The name with nothing left out: registry, `library/` and tag. `reference.TagNameOnly` of what `parse` names.
impl fmt::Display for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = match self.registry {
            None | Some("index.docker.io") => "docker.io",
            Some(registry) => registry,
        };
        let library = if registry == "docker.io" && !self.repository.contains('/') { LIBRARY } else { "" };
        write!(f, "{registry}/{library}{}", self.repository)?;
        match (self.tag, self.digest) {
            (Some(tag), _) => write!(f, ":{tag}")?,
            (None, None) => f.write_str(":latest")?,
            (None, Some(_)) => {}
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// What Docker Hub calls the owner of images that have none.
const LIBRARY: &str = "library/";

/// Major and minor of a version that a tag begins with, such as `v3.7.8` or `12.3.1-ubuntu`.
pub fn version(tag: &str) -> Option<(u32, u32)> {
    let mut parts = tag.trim_start_matches('v').split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A host, of DNS or an address of IPv6 in brackets, and perhaps a port.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_label = |label: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        edge(label.as_bytes().first())
            && edge(label.as_bytes().last())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(is_label),
    };
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_registry_of_dns(text: &str) -> bool {
    let Authority { host, port, .. } = Authority::split(text);
    is_host(host) && port.is_none_or(|port| port_number(port).is_some())
}

/// A part of a repository: letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_component(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let edges = text.bytes().next().is_some_and(is_inner) && text.bytes().next_back().is_some_and(is_inner);
    let is_separator = |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    edges && text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// A digest by one of the algorithms that github.com/opencontainers/go-digest knows.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, sum)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    sum.len() == length && sum.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts() {
        let all = |text| {
            let Image { registry, repository, tag, digest } = Image::split(text);
            (registry, repository, tag, digest)
        };
        assert_eq!(
            all("localhost:5000/grafana/loki:3.7.8"),
            (Some("localhost:5000"), "grafana/loki", Some("3.7.8"), None)
        );
        assert_eq!(all("localhost:5000"), (None, "localhost", Some("5000"), None));
        assert_eq!(all("a/b@sha256:00"), (None, "a/b", None, Some("sha256:00")));
        assert_eq!(Image::split("quay.io/a/prometheus-operator").program(), "prometheus-operator");
        assert_eq!(Image::split("loki").program(), "loki");
    }

    #[test]
    fn names_that_can_be_pulled() {
        let (long, sum) = ("a".repeat(255), "a".repeat(64));
        for text in [
            "nginx",
            "a.b/c-d__e:v1",
            "a/b---c",
            "[::1]:5000/a",
            "[::1]/a",
            "A/a",
            "host:0/a:1",
            &format!("a.b/{long}"),
            &format!("a:{}", "t".repeat(128)),
            &format!("a:latest@sha256:{sum}"),
            &format!("a@sha512:{sum}{sum}"),
            &format!("{sum}:1"),
        ] {
            assert_eq!(Image::parse(text), Ok(Image::split(text)), "{text}");
        }
        for (text, wrong) in [
            ("", Wrong::Repository),
            ("ng inx:1", Wrong::Repository),
            (":1", Wrong::Repository),
            ("a//b:1", Wrong::Repository),
            ("../a:1", Wrong::Registry),
            ("a..b:1", Wrong::Repository),
            ("a._b:1", Wrong::Repository),
            ("a___b:1", Wrong::Repository),
            ("a-:1", Wrong::Repository),
            (&long, Wrong::Repository),
            (&sum, Wrong::Repository),
            ("NGINX:1", Wrong::Capital),
            ("http://a/b:1", Wrong::Registry),
            ("a_b.c/d:1", Wrong::Registry),
            ("a.b:/c", Wrong::Registry),
            ("nginx:", Wrong::Tag),
            ("nginx:-1", Wrong::Tag),
            ("a:b:c", Wrong::Tag),
            ("a/b:1\n", Wrong::Tag),
            ("nginx@sha256:abc", Wrong::Digest),
            (&format!("a@sha256:{}", "A".repeat(64)), Wrong::Digest),
            ("nginx@md5:aaaa", Wrong::Digest),
            ("nginx@", Wrong::Digest),
        ] {
            assert_eq!(Image::parse(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn names_of_one_program() {
        let sum = "a".repeat(64);
        for text in
            ["nginx:1.29", "localhost:5000/a/b:1", &format!("a@sha256:{sum}"), &format!("a:latest@sha256:{sum}")]
        {
            assert_eq!(Image::parse_pinned(text), Image::parse(text), "{text}");
        }
        for (text, wrong) in [
            ("nginx", Wrong::NoTag),
            ("nginx:latest", Wrong::Latest),
            ("Grafana/loki:3", Wrong::Capital),
            ("host:0/a:1", Wrong::Registry),
            ("[::1]/a:1", Wrong::Registry),
            (&format!("{}.b/a:1", "a".repeat(64)), Wrong::Registry),
            (&format!("a@sha512:{sum}{sum}"), Wrong::Digest),
        ] {
            assert!(Image::parse(text).is_ok(), "{text}");
            assert_eq!(Image::parse_pinned(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn images_have_one_spelling() {
        for (written, means) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/nginx:1", "docker.io/library/nginx:1"),
            ("index.docker.io/grafana/loki:3", "docker.io/grafana/loki:3"),
            ("quay.io/a", "quay.io/a:latest"),
            ("LOCAL/a:1", "LOCAL/a:1"),
            ("registry:5000/a", "registry:5000/a:latest"),
            ("a/b@sha256:00", "docker.io/a/b@sha256:00"),
            ("a/b:1@sha256:00", "docker.io/a/b:1@sha256:00"),
        ] {
            assert_eq!(Image::split(written).to_string(), means);
        }
    }

    #[test]
    fn pulled_each_time_or_once() {
        for (text, always) in [
            ("a", true),
            ("a:latest", true),
            ("a:1", false),
            ("a@sha256:00", false),
            ("a:latest@sha256:00", true),
            ("a:not-latest", false),
            ("localhost:5000/a", true),
        ] {
            assert_eq!(Image::split(text).is_pulled_always(), always, "{text}");
        }
    }

    #[test]
    fn versions_of_tags() {
        for (tag, expected) in [
            ("v3.7.8", Some((3, 7))),
            ("12.3.1-ubuntu", Some((12, 3))),
            ("3.7", Some((3, 7))),
            ("main-abc", None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(version(tag), expected, "{tag}");
        }
    }

    proptest! {
        #[test]
        fn what_is_spelled_out_stays(text in r"((docker\.io|localhost:5|a\.b)/)?[a-z]{1,3}(/[a-z]{1,3})?(:[a-z0-9]{1,3})?") {
            let spelled = Image::parse(&text).unwrap().to_string();
            let again = Image::parse(&spelled).unwrap();
            prop_assert_eq!(again.to_string(), spelled.as_str());
            prop_assert!(again.registry.is_some() && again.tag.is_some());
        }

        #[test]
        fn any_text_is_read(text in r"[a-zA-Z0-9.:/@_\[\]-]{0,40}|\PC*") {
            let _ = (Image::parse(&text), Image::parse_pinned(&text), Image::split(&text).to_string());
        }
    }
}
