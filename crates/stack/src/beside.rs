//! Files beside the stack: what they hold becomes part of it, so that rendering reads nothing.

use crate::findings::Findings;
use crate::model::{Part as _, Stack};
use crate::units::FilePath;
use serde_json::Value;
use vigil_yaml::{Limits, Source};

/// How much a file may hold, counted as its text stands in its object. `kubectl apply` keeps a copy of the object in an
/// annotation, and all annotations of an object together have room for 256 kibibytes.
const FILE_LIMIT: usize = 240 << 10;

/// Gives the text of a file that the stack names, or says what is wrong with it.
pub(crate) type Reader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// How much of a file is read at all.
pub(crate) const LIMIT: usize = 1 << 20;

impl Stack {
    /// Every file that the stack names and that is read with it, as paths relative to the stack's own.
    pub fn files(&self) -> Vec<&FilePath> {
        let mut files = Vec::new();
        if self.grafana.enabled {
            files.extend(self.grafana.dashboards.iter().filter_map(|dashboard| dashboard.file.as_ref()));
        }
        if self.alerts.is_in(self) {
            files.extend(self.alerts.rules.iter().map(|rules| &rules.file));
        }
        files
    }
}

/// Reads every file that the stack names.
pub(crate) fn read(stack: &mut Stack, read: Reader, findings: &mut Findings) {
    if stack.grafana.enabled {
        for (at, dashboard) in stack.grafana.dashboards.iter_mut().enumerate() {
            let Some(file) = &dashboard.file else { continue };
            match text(file, read).and_then(|text| self::dashboard(&text).map(|()| text)) {
                Ok(text) => dashboard.text = Some(text),
                Err(reason) => findings.error(
                    &[&format!("grafana.dashboards.{at}.file")],
                    format!("the dashboard `{file}` {reason}"),
                    "expected a file with one dashboard as JSON",
                    "export it from Grafana, or download it from grafana.com; paths start at the folder of the stack",
                ),
            }
        }
    }
    if stack.alerts.is_in(stack) {
        for (at, rules) in stack.alerts.rules.iter_mut().enumerate() {
            match text(&rules.file, read).and_then(|text| groups(&rules.file, &text)) {
                Ok(groups) => rules.groups = groups,
                Err(reason) => findings.error(
                    &[&format!("alerts.rules.{at}.file")],
                    format!("the rule file `{}` {reason}", rules.file),
                    "expected a file of rules as Prometheus reads it",
                    "write `groups:` with a list of groups, each with `name` and `rules`; paths start at the folder of the stack",
                ),
            }
        }
    }
}

fn text(file: &FilePath, read: Reader) -> Result<String, String> {
    let text = read(file.as_str())?.replace("\r\n", "\n");
    let size = vigil_yaml::last_applied_len(&Value::from(text.as_str()));
    if size > FILE_LIMIT {
        let [size, limit] = [size, FILE_LIMIT].map(|bytes| bytes.div_ceil(1024));
        return Err(format!("takes {size} KiB in an object, and `kubectl apply` has room for {limit}"));
    }
    Ok(text)
}

fn dashboard(text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    if value["title"].as_str().is_none_or(str::is_empty) {
        return Err("has no `title`, without which Grafana does not load it".to_owned());
    }
    Ok(())
}

/// The groups of a rule file. What is in them is judged with the object that they become.
fn groups(file: &FilePath, text: &str) -> Result<Vec<Value>, String> {
    let node = vigil_yaml::read_one(&Source::new(file.as_str(), text), &Limits::default()).map_err(|problems| {
        let first = problems.first().map(vigil_yaml::Problem::one_line);
        format!("is not YAML: {}", first.unwrap_or_default())
    })?;
    let value = node.map_or(Value::Null, |node| node.to_json());
    if let Some(key) = value.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| *key != "groups") {
        return Err(format!("has the key `{key}`, and a rule file has `groups` alone"));
    }
    match value["groups"].as_array() {
        Some(groups) if !groups.is_empty() && groups.iter().all(Value::is_object) => Ok(groups.clone()),
        _ => Err("has no rule groups".to_owned()),
    }
}
