//! Where collectors send log lines besides: what their configurations say of it, and how credentials come from Secrets to
//! them. Promtail reads files, and Alloy variables.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use vigil_stack::model::{LogOutput, SecretReference};

/// The folder with a folder for each Secret.
const FOLDER: &str = "/etc/log-outputs";

/// One output, by its number in the list.
pub(super) fn output((at, output): (usize, &LogOutput)) -> Value {
    let key = |kind: &str, secret: &SecretReference| json!({ "variable": variable(at, kind), "path": format!("{FOLDER}/{}/{}", secret.name, secret.key) });
    json!({
        "url": output.url,
        "tenant": output.tenant,
        "basicAuth": output.basic_auth.as_ref().map(|auth| {
            json!({ "username": key(USERNAME, &auth.username), "password": key(PASSWORD, &auth.password) })
        }),
        "authorization": output.authorization.as_ref().map(|auth| {
            json!({ "type": auth.r#type, "credentials": key(CREDENTIALS, &auth.credentials) })
        }),
    })
}

const USERNAME: &str = "USERNAME";
const PASSWORD: &str = "PASSWORD";
const CREDENTIALS: &str = "CREDENTIALS";

fn variable(at: usize, kind: &str) -> String {
    format!("LOG_OUTPUT_{at}_{kind}")
}

/// The variables that hold the credentials of outputs.
pub(super) fn output_env(outputs: &[LogOutput]) -> Vec<Value> {
    let of = |(at, output): (usize, &LogOutput)| {
        let env = |kind: &str, secret: &SecretReference| json!({ "name": variable(at, kind), "secret": secret.name, "key": secret.key });
        let basic =
            output.basic_auth.iter().flat_map(|auth| [env(USERNAME, &auth.username), env(PASSWORD, &auth.password)]);
        let token = output.authorization.iter().map(|auth| env(CREDENTIALS, &auth.credentials));
        basic.chain(token).collect::<Vec<_>>()
    };
    outputs.iter().enumerate().flat_map(of).collect()
}

/// The Secrets that hold the credentials of outputs, each as a volume, and where it is mounted.
pub(super) fn output_volumes(outputs: &[LogOutput]) -> Vec<Value> {
    let names: BTreeSet<_> = outputs.iter().flat_map(LogOutput::secrets).map(|secret| &secret.name).collect();
    let volume =
        |(at, name)| json!({ "name": format!("output-{at}"), "secret": name, "folder": format!("{FOLDER}/{name}") });
    names.into_iter().enumerate().map(volume).collect()
}
