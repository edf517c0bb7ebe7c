//! What names a place in a git repository.

use super::text_unit;
use vigil_forms::url;

text_unit! {
    /// A branch, tag or commit.
    GitRevision,
    expected: "a branch, tag or commit such as `main` or `v1.2.0`",
    pattern: r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9_-])?$",
    check: |text| {
        let edge = |b: Option<&u8>, more: &[u8]| b.is_some_and(|b| b.is_ascii_alphanumeric() || more.contains(b));
        let bytes = text.as_bytes();
        match bytes.len() {
            0 => Err("empty"),
            256.. => Err("longer than 255 characters"),
            _ if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(b)) => Err(""),
            _ if !edge(bytes.first(), b"") || !edge(bytes.last(), b"_-") => Err(""),
            _ if text.contains("..") || text.contains("//") => Err("git refuses `..` and `//`"),
            _ => Ok(()),
        }
    }
}

text_unit! {
    /// A folder of a repository, relative to its root: segments of letters, digits, `-`, `_` and `.`.
    FolderPath,
    expected: "a folder such as `manifests` or `clusters/a/manifests`, without a slash at either end",
    pattern: r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
    check: |text| {
        let segment = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if text.split('/').all(segment) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// The address of a git repository, without a password: `https://`, `ssh://`, or `git@host:path` as git writes it.
    GitUrl,
    expected: "the URL of a git repository such as `https://git.example.com/team/monitoring.git`, or one of `ssh://`, without a password",
    pattern: r"^((https?|ssh)://\S+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:\S+)$",
    check: |text| match text.split_once("://") {
        Some(("http" | "https", _)) => url::Url::parse_http(text).map(drop).map_err(reason),
        Some(("ssh", rest)) => by_ssh(rest),
        // The colon is where a URL has a slash.
        None if text.contains('@') && text.contains(':') => by_ssh(&text.replacen(':', "/", 1)),
        _ => Err(""),
    }
}

/// What is wrong with a URL, in the words of a message.
fn reason(wrong: url::Wrong) -> &'static str {
    match wrong {
        url::Wrong::Credentials => PASSWORD,
        url::Wrong::Character => "a character that a URL cannot hold",
        url::Wrong::Port => "the port is not from 1 to 65535",
        url::Wrong::Scheme | url::Wrong::Host => "",
    }
}

const PASSWORD: &str = "credentials do not belong in a file that git keeps";

/// `user@host:port/path`, without the user or the port as well.
fn by_ssh(text: &str) -> Result<(), &'static str> {
    let (user, rest) = text.split_once('@').map_or((None, text), |(user, rest)| (Some(user), rest));
    if user.is_some_and(|user| user.contains([':', '/'])) {
        return Err(PASSWORD);
    }
    let is_name =
        |user: &str| !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !user.is_none_or(is_name) {
        return Err("");
    }
    match url::Url::parse_http(&format!("http://{rest}")) {
        Ok(url) if url.path.len() > 1 => Ok(()),
        Ok(_) => Err("no path behind the host"),
        Err(wrong) => Err(reason(wrong)),
    }
}

impl GitUrl {
    /// Whether it is `user@host:path`, which is no URL.
    pub fn is_scp(&self) -> bool {
        !self.as_str().contains("://")
    }
}

text_unit! {
    /// An artifact of a registry, without its tag.
    OciUrl,
    expected: "the address of an artifact such as `oci://registry.example.com/team/monitoring`, without a tag",
    pattern: r"^oci://[^/?#@\s]+/[a-z0-9._/-]+$",
    check: |text| {
        let rest = text.strip_prefix("oci://").ok_or("")?;
        let url = format!("http://{rest}");
        match url::Url::parse_http(&url) {
            Ok(url) if url.query.is_some() || url.fragment.is_some() => Err(""),
            Ok(url) if url.path.len() > 1 && url.path.bytes().all(|b| b"-_./".contains(&b) || b.is_ascii_lowercase() || b.is_ascii_digit()) => Ok(()),
            Ok(url) if url.path.contains(':') => Err("the tag is a key of its own"),
            Err(wrong) => Err(reason(wrong)),
            Ok(_) => Err(""),
        }
    }
}
