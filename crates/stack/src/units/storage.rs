//! Names and addresses of object storage.

use super::text_unit;
use vigil_forms::url;

text_unit! {
    /// The name of a bucket, as S3, Google and Azure take it between them. What one of them does not take is told with the
    /// provider.
    BucketName,
    expected: "the name of a bucket: 3 to 63 lower-case letters, digits, `-`, `_` and `.`, starting and ending with a letter or digit",
    pattern: r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$",
    check: |text| {
        let is_outer = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_inner = |b: u8| is_outer(&b) || b"-_.".contains(&b);
        let framed = [text.as_bytes().first(), text.as_bytes().last()].into_iter().flatten().all(is_outer);
        if (3..=63).contains(&text.len()) && framed && text.bytes().all(is_inner) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// The name of a storage account of Azure.
    AzureAccount,
    expected: "the name of a storage account: 3 to 24 lower-case letters and digits",
    pattern: r"^[a-z0-9]{3,24}$",
    check: |text| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if (3..=24).contains(&text.len()) && text.bytes().all(fits) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// A host, and perhaps a port: whether it is asked by TLS is said elsewhere.
    Endpoint,
    expected: "a host such as `s3.eu-central-1.amazonaws.com` or a host and a port such as `s3.example.com:9000`",
    pattern: r"^[A-Za-z0-9.\[\]:-]+$",
    check: |text| match text {
        _ if text.contains("://") => Err("it has no scheme; `insecure: true` says that it speaks no TLS"),
        _ if text.contains(['/', '?', '#']) => Err("it has no path; a bucket has a key of its own"),
        _ => match url::Url::parse_http(&format!("https://{text}")) {
            Ok(_) => Ok(()),
            Err(url::Wrong::Credentials) => Err("credentials do not belong in a file that git keeps"),
            Err(url::Wrong::Port) => Err("the port is not from 1 to 65535"),
            Err(_) => Err(""),
        },
    }
}
