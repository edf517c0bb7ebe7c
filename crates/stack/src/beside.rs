//! Files beside the stack: their texts become part of it, so that rendering reads nothing.

use crate::findings::Findings;
use crate::model::Stack;
use serde_json::Value;

/// How much JSON a dashboard may hold, counted as it stands in its object. `kubectl apply` keeps a copy of the
/// object in an annotation, and all annotations of an object together have room for 256 kibibytes.
const DASHBOARD_LIMIT: usize = 240 << 10;

/// Gives the text of a file that the stack names, or says what is wrong with it.
pub(crate) type Reader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// How much of a file is read at all.
pub(crate) const LIMIT: usize = 1 << 20;

/// Reads every file that the stack names.
pub(crate) fn read(stack: &mut Stack, read: Reader, findings: &mut Findings) {
    if !stack.grafana.enabled {
        return;
    }
    for (at, dashboard) in stack.grafana.dashboards.iter_mut().enumerate() {
        let Some(file) = &dashboard.file else { continue };
        let text = read(file.as_str()).map(|text| text.replace("\r\n", "\n"));
        match text.and_then(|text| self::dashboard(&text).map(|()| text)) {
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

fn dashboard(text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    if value["title"].as_str().is_none_or(str::is_empty) {
        return Err("has no `title`, without which Grafana does not load it".to_owned());
    }
    let size = vigil_yaml::last_applied_len(&Value::from(text));
    if size > DASHBOARD_LIMIT {
        let [size, limit] = [size, DASHBOARD_LIMIT].map(|bytes| bytes.div_ceil(1024));
        return Err(format!("takes {size} KiB in a ConfigMap, and `kubectl apply` has room for {limit}"));
    }
    Ok(())
}
