//! How a program of Prometheus' family asks another: at most one way to show who it is, each of them whole.
//!
//! Source: the `Validate` functions of `config/http_config.go` in github.com/prometheus/common 0.67, which Prometheus and
//! Alertmanager call.

use super::file::Where;
use crate::fields::{filled, given, written};
use crate::finding::Findings;
use crate::rule::Rule;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

const METHODS: [&str; 5] = ["authorization", "basic_auth", "bearer_token", "bearer_token_file", "oauth2"];

const TLS_VERSIONS: [&str; 4] = ["TLS10", "TLS11", "TLS12", "TLS13"];

/// Keys of which one at most may be there, each with where they stand.
const EXCLUSIVE: [(&str, &str, &str); 7] = [
    ("basic_auth", "username", "username_file"),
    ("basic_auth", "password", "password_file"),
    ("authorization", "credentials", "credentials_file"),
    ("oauth2", "client_secret", "client_secret_file"),
    ("tls_config", "ca", "ca_file"),
    ("tls_config", "cert", "cert_file"),
    ("tls_config", "key", "key_file"),
];

/// Judges the settings of a client in `holder`.
pub(super) fn check(place: Where<'_, '_>, rule: &'static Rule, holder: &Node, findings: &mut Findings) {
    let mut methods = METHODS.iter().filter(|key| given(holder, **key).is_some());
    if let (Some(first), Some(second)) = (methods.next(), methods.next())
        && let Some(entry) = holder.entry(second)
    {
        let message = format!("`{second}` beside `{first}`");
        place.add(rule, entry, message, findings).label("expected one method of authentication");
    }
    for (of, one, other) in EXCLUSIVE {
        let Some(of) = given(holder, of) else { continue };
        if filled(of, one).is_some()
            && let Some(entry) = of.entry(other).filter(|entry| !written(&entry.value).is_empty())
        {
            place.add(rule, entry, format!("`{other}` beside `{one}`"), findings).label("expected one of the two");
        }
    }
    if let Some((node, kind)) = filled(holder, ["authorization", "type"])
        && kind.trim().eq_ignore_ascii_case("basic")
    {
        place.add(rule, node, "`authorization.type` is `basic`", findings).help("take `basic_auth`");
    }
    if let Some(oauth2) = given(holder, "oauth2") {
        for key in ["client_id", "token_url"] {
            if filled(oauth2, key).is_none() {
                place.add(rule, oauth2, format!("`oauth2` without `{key}`"), findings);
            }
        }
    }
    if let Some(tls) = given(holder, "tls_config") {
        tls_settings(place, rule, tls, findings);
    }
}

fn tls_settings(place: Where<'_, '_>, rule: &'static Rule, tls: &Node, findings: &mut Findings) {
    for key in ["min_version", "max_version"] {
        if let Some((node, version)) = filled(tls, key).filter(|(_, version)| !TLS_VERSIONS.contains(version)) {
            let finding = place.add(rule, node, format!("there is no `{key}` {}", Quoted(version)), findings);
            match nearest(version, TLS_VERSIONS) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding.label(format!("expected {}", list(&TLS_VERSIONS, "or"))),
            };
        }
    }
    let has = |keys: [&str; 2]| keys.into_iter().any(|key| filled(tls, key).is_some());
    match (has(["cert", "cert_file"]), has(["key", "key_file"])) {
        (true, false) => {
            place.add(rule, tls, "a client certificate without `key_file`", findings).help("it needs its key");
        }
        (false, true) => {
            place.add(rule, tls, "a client key without `cert_file`", findings).help("it needs its certificate");
        }
        _ => {}
    }
}
