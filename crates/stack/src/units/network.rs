//! Ports, addresses, URLs and paths.

use super::{number_unit, text_unit};
use vigil_forms::address::{self, Network};
use vigil_forms::url;

number_unit! {
    /// A TCP or UDP port.
    Port, 1 to 65535, expected: "a port from 1 to 65535"
}

number_unit! {
    /// A port that a Service opens on every node, from the API server's default range.
    NodePort, 30000 to 32767, expected: "a node port from 30000 to 32767"
}

number_unit! {
    /// How many pods of a kind run.
    Replicas, 0 to 1000, expected: "a number of replicas from 0 to 1000"
}

text_unit! {
    /// An IPv4 or IPv6 address.
    IpAddress,
    expected: "an IP address such as `192.168.1.240`",
    pattern: r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$",
    check: |text| address::plain_ip(text).map(drop).ok_or("")
}

text_unit! {
    /// A network: an address, a slash and the length of its prefix.
    Cidr,
    expected: "a network such as `10.0.0.0/8`",
    pattern: r"^[0-9a-fA-F:.]+/[0-9]{1,3}$",
    check: |text| match Network::parse_plain(text) {
        Ok(_) => Ok(()),
        Err(address::Wrong::NoPrefix) => Err("no `/` and prefix length"),
        Err(address::Wrong::TooLong) => Err("the prefix is longer than the address"),
        Err(address::Wrong::HostBits) => Err("the address has bits behind the prefix"),
        Err(address::Wrong::Form) => Err(""),
    }
}

text_unit! {
    /// An absolute http or https URL without credentials.
    Url,
    expected: "a URL such as `https://grafana.example.com/`, without credentials",
    pattern: r"^https?://[^/?#@\s]+([/?#]\S*)?$",
    check: |text| match url::Url::parse_http(text) {
        Ok(_) => Ok(()),
        Err(url::Wrong::Credentials) => Err("credentials do not belong in a file that git keeps"),
        Err(url::Wrong::Character) => Err("a character that a URL cannot hold"),
        Err(url::Wrong::Port) => Err("the port is not from 1 to 65535"),
        Err(url::Wrong::Scheme | url::Wrong::Host) => Err(""),
    }
}

impl Url {
    /// The host, without its port.
    pub fn host(&self) -> &str {
        url::Url::split(self.as_str()).map_or("", |url| url.authority.host)
    }

    /// What stands before `://`.
    pub fn scheme(&self) -> &str {
        url::Url::split(self.as_str()).map_or("", |url| url.scheme)
    }

    /// The host with its port: that of the scheme when there is none.
    pub fn address(&self) -> String {
        let Some(url) = url::Url::split(self.as_str()) else { return String::new() };
        let host = if url.authority.is_bracketed { format!("[{}]", self.host()) } else { self.host().to_owned() };
        let port = url.authority.port.unwrap_or(if url.scheme == "https" { "443" } else { "80" });
        format!("{host}:{port}")
    }

    /// The path, without a slash at its end: empty when there is none.
    pub fn path(&self) -> &str {
        url::Url::split(self.as_str()).map_or("", |url| url.path).trim_end_matches('/')
    }
}

text_unit! {
    /// The path of a URL: `/` and segments of letters, digits, `-`, `_`, `.` and `~`, without a trailing slash.
    HttpPath,
    expected: "a path such as `/grafana`, without a slash at the end",
    pattern: r"^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$",
    check: |text| {
        let path = text.strip_prefix('/').ok_or("no `/` at the start")?;
        if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b)) {
            Err("only letters, digits, `-`, `_`, `.` and `~` may stand between the slashes")
        } else if path.split('/').any(|segment| segment == "." || segment == "..") {
            Err("`.` and `..` lead elsewhere")
        } else if path.ends_with('/') || format!("/{path}").contains("//") {
            Err("a `/` with nothing behind it")
        } else {
            Ok(())
        }
    }
}

text_unit! {
    /// A region of a cloud.
    Region,
    expected: "a region such as `eu-central-1`",
    pattern: r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    check: |text| if vigil_forms::name::is_dns1123_label(text) { Ok(()) } else { Err("") }
}
