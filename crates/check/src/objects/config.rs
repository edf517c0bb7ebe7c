//! ConfigMaps and Secrets.

use super::judge::Judge;
use crate::fields::{entries, filled_text};
use crate::rule::rules;
use base64::Engine as _;
use std::borrow::Cow;
use vigil_forms::name::is_config_key;
use vigil_yaml::{Entry, Node, Quoted};

rules! {
    KEY "config-key" Error Server "every key of a ConfigMap or Secret is a valid file name"
    SIZE "config-size" Error Server "no ConfigMap or Secret is larger than 1 MiB"
    SECRET_TYPE "secret-type" Error Server "every Secret has the keys that its type requires"
    PEM "secret-pem" Error Program "certificates and keys of TLS Secrets are PEM, and in their places"
}

const LARGEST: usize = 1 << 20;

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    match (object.group, object.kind) {
        ("", "ConfigMap") => {
            keys(judge, &["data", "binaryData"]);
            size(judge, &["data"], "binaryData");
        }
        ("", "Secret") => {
            keys(judge, &["data", "stringData"]);
            size(judge, &["stringData"], "data");
            secret(judge);
        }
        _ => {}
    }
}

fn keys(judge: &mut Judge<'_, '_>, fields: &[&str]) {
    let node = judge.object.node;
    for entry in fields.iter().flat_map(|field| entries(node, field)) {
        let key = &entry.key.text;
        if !is_config_key(key) {
            judge
                .add(&KEY, entry, format!("{} cannot be a key here", Quoted(key)))
                .label("expected at most 253 of `a-z`, `A-Z`, `0-9`, `-`, `_` and `.`");
        }
    }
    if judge.object.kind != "ConfigMap" {
        return;
    }
    let binary = node.get("binaryData");
    for entry in entries(node, "data").iter().filter(|entry| binary.is_some_and(|it| it.get(&entry.key.text).is_some()))
    {
        judge
            .add(&KEY, entry, format!("{} is in `binaryData` too", Quoted(&entry.key.text)))
            .help("remove one of the two");
    }
}

fn size(judge: &mut Judge<'_, '_>, texts: &[&str], bytes: &str) {
    let node = judge.object.node;
    let texts = texts.iter().flat_map(|field| entries(node, field)).filter_map(|entry| Some(entry.value.text()?.len()));
    // Three bytes for four characters, less the padding; line breaks do not count.
    let encoded = entries(node, bytes).iter().filter_map(|entry| {
        let text = entry.value.text()?;
        Some(text.bytes().filter(|b| !matches!(b, b'\n' | b'\r' | b'=')).count() * 3 / 4)
    });
    let total: usize = texts.chain(encoded).sum();
    if total > LARGEST {
        let at = ["data", "binaryData", "stringData"].into_iter().find_map(|key| node.entry(key));
        let message = format!("{total} bytes are too many");
        let finding = match at {
            Some(entry) => judge.add(&SIZE, entry, message),
            None => judge.add(&SIZE, node, message),
        };
        finding.label(format!("expected at most {LARGEST}")).help("split it, or keep large files in a volume");
    }
}

/// Where a key of a Secret stands: `stringData` wins.
fn entry<'n>(node: &'n Node, key: &str) -> Option<(&'n Entry, bool)> {
    let at = |field: &str| node.get(field).and_then(|data| data.entry(key));
    at("stringData").map(|entry| (entry, false)).or_else(|| Some((at("data")?, true)))
}

/// What a value stands for.
fn decoded((entry, is_encoded): (&Entry, bool)) -> Option<Cow<'_, [u8]>> {
    let text = entry.value.text()?;
    if !is_encoded {
        return Some(text.as_bytes().into());
    }
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok().map(Cow::Owned)
}

fn secret(judge: &mut Judge<'_, '_>) {
    let node = judge.object.node;
    let Some((at, kind)) = node.entry("type").and_then(|entry| Some((&entry.value, filled_text(&entry.value)?))) else {
        return;
    };
    let missing = |judge: &mut Judge<'_, '_>, what: &str| {
        let message = format!("a Secret of type `{kind}` without {what}");
        judge.add(&SECRET_TYPE, at, message).help("add it, or make the type `Opaque`");
    };
    let need = |judge: &mut Judge<'_, '_>, key: &str| {
        let found = entry(node, key);
        if found.is_none() {
            missing(judge, &format!("the key `{key}`"));
        }
        found
    };
    match kind {
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            if node.at(&["metadata", "annotations", NAME]).is_none_or(|name| name.text() == Some("") || name.is_null())
            {
                missing(judge, &format!("the annotation `{NAME}`"));
            }
        }
        "kubernetes.io/dockercfg" | "kubernetes.io/dockerconfigjson" => {
            let key = if kind == "kubernetes.io/dockercfg" { ".dockercfg" } else { ".dockerconfigjson" };
            let is_object = |bytes: &[u8]| {
                let json = serde_json::from_str(&String::from_utf8_lossy(bytes));
                json.is_ok_and(|json: serde_json::Value| json.is_object() || json.is_null())
            };
            if let Some(found) = need(judge, key)
                && decoded(found).is_some_and(|bytes| !is_object(&bytes))
            {
                judge
                    .add(&SECRET_TYPE, found.0, format!("`{key}` holds no JSON object"))
                    .help("`kubectl create secret docker-registry --dry-run=client -o yaml` shows how it looks");
            }
        }
        "kubernetes.io/basic-auth" if entry(node, "username").is_none() && entry(node, "password").is_none() => {
            missing(judge, "one of the keys `username` and `password`");
        }
        "kubernetes.io/ssh-auth" => {
            let found = need(judge, "ssh-privatekey");
            if found.and_then(decoded).is_some_and(|bytes| bytes.is_empty()) {
                missing(judge, "a value of the key `ssh-privatekey`");
            }
        }
        "kubernetes.io/tls" => {
            need(judge, "tls.crt");
            need(judge, "tls.key");
            pem(judge);
        }
        _ => {}
    }
}

/// What a TLS Secret holds, and the end of the label of its PEM.
const OF_TLS: [(&str, &str, &str); 3] = [
    ("tls.crt", "certificate", "CERTIFICATE"),
    ("tls.key", "private key", "PRIVATE KEY"),
    ("ca.crt", "certificate", "CERTIFICATE"),
];

/// Judges what the keys of a TLS Secret hold. A server looks at their names alone; an empty one is filled in later.
fn pem(judge: &mut Judge<'_, '_>) {
    let node = judge.object.node;
    for (key, what, label) in OF_TLS {
        let Some(found) = entry(node, key) else { continue };
        let Some(bytes) = decoded(found).filter(|bytes| !bytes.trim_ascii().is_empty()) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        if labels(&text).iter().any(|own| own.ends_with(label)) {
            continue;
        }
        let compact: String = text.split_whitespace().collect();
        let is_twice = base64::engine::general_purpose::STANDARD.decode(compact).is_ok_and(|inner| {
            let inner = String::from_utf8_lossy(&inner);
            !labels(&inner).is_empty()
        });
        let help = if is_twice {
            "it is PEM encoded once too often: encode the file itself, and once".to_owned()
        } else if let Some(other) = labels(&text).first() {
            format!("it holds a {}: see that certificate and key are not in each other's place", other.to_lowercase())
        } else {
            "`kubectl create secret tls NAME --cert=FILE --key=FILE --dry-run=client -o yaml` shows how it looks"
                .to_owned()
        };
        judge
            .add(&PEM, found.0, format!("`{key}` holds no {what} in PEM"))
            .label(format!("expected `-----BEGIN {label}-----`"))
            .help(help);
    }
}

/// The labels of all blocks of PEM in a text: `pem.Decode` of Go.
fn labels(text: &str) -> Vec<&str> {
    let mut labels = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = rest.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----")) {
        rest = after;
        let Some((body, after)) = rest.split_once(&format!("-----END {label}-----")) else { continue };
        // Lines with a colon are headers.
        let body: String = body.lines().filter(|line| !line.contains(':')).flat_map(str::split_whitespace).collect();
        if base64::engine::general_purpose::STANDARD.decode(body).is_ok() {
            labels.push(label);
            rest = after;
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use crate::{Options, check};
    use vigil_yaml::Source;

    #[test]
    fn sizes_and_secrets() {
        let found = |text: String| {
            let report =
                check(&[Source::new("test.yaml", text)], &Options { objects_only: true, ..Options::default() });
            report.findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>()
        };
        let map = |count: usize| {
            let value = "x".repeat(count);
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: {value}\n")
        };
        assert!(found(map(1 << 20)).is_empty());
        assert_eq!(found(map((1 << 20) + 1)), ["config-size"]);
        let secret = |kind: &str, data: &str| {
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ntype: {kind}\n{data}\n")
        };
        for (kind, data, right) in [
            ("kubernetes.io/tls", "stringData: {tls.crt: '', tls.key: ''}", true),
            ("kubernetes.io/tls", "data: {tls.crt: '', tls.key: IA==}", true),
            ("kubernetes.io/tls", "data: {tls.crt: '', tls.key: YQ==}", false),
            ("kubernetes.io/tls", "data: {tls.crt: ''}", false),
            ("kubernetes.io/basic-auth", "stringData: {password: ''}", true),
            ("kubernetes.io/basic-auth", "stringData: {user: a}", false),
            ("kubernetes.io/ssh-auth", "stringData: {ssh-privatekey: a}", true),
            ("kubernetes.io/ssh-auth", "data: {ssh-privatekey: ''}", false),
            ("kubernetes.io/dockerconfigjson", "data: {.dockerconfigjson: e30=}", true),
            ("kubernetes.io/dockerconfigjson", "stringData: {.dockerconfigjson: '[]'}", false),
            ("kubernetes.io/dockercfg", "stringData: {.dockerconfigjson: '{}'}", false),
            ("example.com/own", "", true),
            ("\"\"", "", true),
        ] {
            assert_eq!(found(secret(kind, data)).is_empty(), right, "{kind} {data}");
        }
    }
}
