//! Container images.

use super::name::dns_subdomain;
use super::text_unit;

text_unit! {
    /// A container image by tag, digest, or both: `quay.io/prometheus/prometheus:v3.8.1`.
    ///
    /// The grammar is that of the distribution project's reference package; a tag or digest is demanded, and `latest`
    /// refused, because both would let the same manifests mean different programs on different days.
    Image,
    expected: "an image with a tag or digest, such as `docker.io/grafana/loki:3.7.8`",
    pattern: r"^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    check: |text| {
        let parts = Parts::of(text);
        let word = |text: &str, extra: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
        };
        let component = |part: &str| {
            let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            part.bytes().all(|b| inner(b) || b"._-".contains(&b))
                && part.bytes().next().is_some_and(inner)
                && part.bytes().last().is_some_and(inner)
                && !part.contains("..")
        };
        let host = parts.registry.is_none_or(|registry| {
            let (host, port) = registry.split_once(':').unwrap_or((registry, "5000"));
            dns_subdomain(&host.to_ascii_lowercase()).is_ok() && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if text.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err("a space or a character that an image name cannot hold");
        }
        if text.contains("://") {
            return Err("an image has no scheme such as `https://`");
        }
        if parts.repository.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err("capital letters in the name");
        }
        if !host || parts.repository.len() > 255 || !parts.repository.split('/').all(component) {
            return Err("");
        }
        if let Some(digest) = parts.digest {
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            let sha256 = digest.strip_prefix("sha256:").is_some_and(|sum| sum.len() == 64 && sum.bytes().all(hex));
            if !sha256 {
                return Err("the digest is not `sha256:` and 64 hexadecimal digits");
            }
        }
        match parts.tag {
            None if parts.digest.is_none() => Err("no tag"),
            Some("latest") if parts.digest.is_none() => Err("the tag `latest` means another image every day"),
            Some(tag) if tag.len() > 128 || !word(tag, b"._-") || tag.starts_with(['.', '-']) => Err("the tag is malformed"),
            _ => Ok(()),
        }
    }
}

struct Parts<'a> {
    registry: Option<&'a str>,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (registry, rest) = match name.split_once('/') {
            // Docker's rule: the part before the first slash is a host when it looks like one.
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), rest),
            _ => (None, name),
        };
        let (repository, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
        Self { registry, repository, tag, digest }
    }
}

impl Image {
    /// The registry's host, if the image names one.
    pub fn registry(&self) -> Option<&str> {
        Parts::of(self.as_str()).registry
    }

    /// The name without registry, tag and digest.
    pub fn repository(&self) -> &str {
        Parts::of(self.as_str()).repository
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        Parts::of(self.as_str()).tag
    }

    /// The digest, `sha256:` and 64 hexadecimal digits, if there is one.
    pub fn digest(&self) -> Option<&str> {
        Parts::of(self.as_str()).digest
    }
}

text_unit! {
    /// A registry that mirrors images: a host, perhaps a port, perhaps a path.
    Registry,
    expected: "a registry such as `registry.example.com:5000/mirror`",
    pattern: r"^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
    // A registry is what stands before the name of an image; so let the image's own rules tell.
    check: |text| {
        if text.contains("://") {
            return Err("a registry has no scheme such as `https://`");
        }
        let host = text.split('/').next().unwrap_or_default();
        if !(host.contains(['.', ':']) || host == "localhost") {
            return Err("no host");
        }
        format!("{text}/image:tag").parse::<Image>().map(drop).map_err(|_| "")
    }
}
