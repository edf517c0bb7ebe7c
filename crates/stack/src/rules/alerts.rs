//! Rules of one's own: each file makes one object.

use crate::findings::Findings;
use crate::model::{Alerts, Stack};

pub(crate) fn check(alerts: &Alerts, _: &Stack, findings: &mut Findings) {
    for (at, file) in alerts.rules.iter().enumerate() {
        let name = &file.name;
        if alerts.rules[..at].iter().any(|other| other.name == *name) {
            findings.error(
                &[&format!("alerts.rules.{at}.name")],
                format!("two rule files are called `{name}`"),
                "one would overwrite the other",
                "give each a name of its own",
            );
        }
    }
}
