//! Container images.

use super::text_unit;
use vigil_forms::image::{self, Wrong};

text_unit! {
    /// A container image by tag, digest, or both: `quay.io/prometheus/prometheus:v3.8.1`.
    ///
    /// A tag or digest is demanded, and `latest` refused, because both would let the same manifests mean different
    /// programs on different days.
    Image,
    expected: "an image with a tag or digest, such as `docker.io/grafana/loki:3.7.8`",
    pattern: r"^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    check: |text| {
        if text.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err("a space or a character that an image name cannot hold");
        }
        if text.contains("://") {
            return Err("an image has no scheme such as `https://`");
        }
        image::Image::parse_pinned(text).map(drop).map_err(|wrong| match wrong {
            Wrong::Capital => "capital letters in the name",
            Wrong::Digest => "the digest is not `sha256:` and 64 hexadecimal digits",
            Wrong::NoTag => "no tag",
            Wrong::Latest => "the tag `latest` means another image every day",
            Wrong::Tag => "the tag is malformed",
            Wrong::Registry | Wrong::Repository => "",
        })
    }
}

impl Image {
    fn parts(&self) -> image::Image<'_> {
        image::Image::split(self.as_str())
    }

    /// The registry's host, if the image names one.
    pub fn registry(&self) -> Option<&str> {
        self.parts().registry
    }

    /// The name without registry, tag and digest.
    pub fn repository(&self) -> &str {
        self.parts().repository
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.parts().tag
    }

    /// The version that the tag says it is, as far as its minor number: `v0.30.0` is `(0, 30)`. `None` for a tag that says
    /// something else.
    pub fn minor_version(&self) -> Option<(u32, u32)> {
        self.tag().and_then(vigil_forms::image::version)
    }

    /// The digest, `sha256:` and 64 hexadecimal digits, if there is one.
    pub fn digest(&self) -> Option<&str> {
        self.parts().digest
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
