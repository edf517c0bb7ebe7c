//! ConfigMaps and Secrets.

use super::judge::Judge;
use crate::fields::{entries, filled_text, items};
use crate::object::decoded;
use crate::pem::Part;
use crate::rule::rules;
use vigil_forms::name::is_config_key;
use vigil_yaml::Quoted;

rules! {
    KEY "config-key" Error Server "every key of a ConfigMap or Secret is a valid file name"
    SIZE "config-size" Error Server "no ConfigMap or Secret is larger than 1 MiB"
    SECRET_TYPE "secret-type" Error Server "every Secret has the keys that its type requires"
    PEM "secret-pem" Error Program "certificates and keys are PEM, and in their places"
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
        ("admissionregistration.k8s.io" | "apiextensions.k8s.io" | "apiregistration.k8s.io", _) => bundles(judge),
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

fn secret(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    let node = object.node;
    let Some((at, kind)) = node.entry("type").and_then(|entry| Some((&entry.value, filled_text(&entry.value)?))) else {
        return;
    };
    let missing = |judge: &mut Judge<'_, '_>, what: &str| {
        let message = format!("a Secret of type `{kind}` without {what}");
        judge.add(&SECRET_TYPE, at, message).help("add it, or make the type `Opaque`");
    };
    let need = |judge: &mut Judge<'_, '_>, key: &str| {
        if !object.has_key(key) {
            missing(judge, &format!("the key `{key}`"));
        }
        object.held(key)
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
            if let Some((entry, bytes)) = need(judge, key)
                && !is_object(&bytes)
            {
                judge
                    .add(&SECRET_TYPE, entry, format!("`{key}` holds no JSON object"))
                    .help("`kubectl create secret docker-registry --dry-run=client -o yaml` shows how it looks");
            }
        }
        "kubernetes.io/basic-auth" if !object.has_key("username") && !object.has_key("password") => {
            missing(judge, "one of the keys `username` and `password`");
        }
        "kubernetes.io/ssh-auth" => {
            let found = need(judge, "ssh-privatekey");
            if found.is_some_and(|(_, bytes)| bytes.is_empty()) {
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

/// What a TLS Secret holds.
const OF_TLS: [(&str, Part); 3] =
    [("tls.crt", Part::Certificate), ("tls.key", Part::Key), ("ca.crt", Part::Certificate)];

/// Judges what the keys of a TLS Secret hold. A server looks at their names alone.
fn pem(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    for (key, part) in OF_TLS {
        let Some((entry, bytes)) = object.held(key) else { continue };
        if let Some(help) = part.misfit(&bytes) {
            judge
                .add(&PEM, entry, format!("`{key}` holds no {} in PEM", part.name()))
                .label(part.expected())
                .help(help);
        }
    }
}

/// Judges the certificates by which a server trusts those that it asks: it takes every text, and then trusts nobody.
fn bundles(judge: &mut Judge<'_, '_>) {
    let node = judge.object.node;
    let hooks = items(node, "webhooks").iter().filter_map(|hook| hook.get("clientConfig"));
    let conversion = node.at(&["spec", "conversion", "webhook", "clientConfig"]);
    for client in hooks.chain(conversion).chain(node.get("spec")) {
        let Some(entry) = client.entry("caBundle") else { continue };
        let Some(bytes) = entry.value.text().and_then(decoded) else { continue };
        if Part::Certificate.misfit(&bytes).is_some() {
            judge
                .add(&PEM, entry, "`caBundle` holds no certificate in PEM".to_owned())
                .label(Part::Certificate.expected())
                .help("encode the authority's file, once: by another text the API server trusts nobody, and each call fails");
        }
    }
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
        let unreadable = "data: {tls.crt: no base64, tls.key: ''}";
        assert_eq!(found(secret("kubernetes.io/tls", unreadable)), ["schema-value"], "it is there");
    }
}
