//! What cannot work about the test application.

use crate::findings::Findings;
use crate::model::{Flask, Stack};

pub(crate) fn check(flask: &Flask, _stack: &Stack, findings: &mut Findings) {
    if flask.enabled && flask.ingress.enabled && !flask.service.enabled {
        findings.error(
            &["flask.service.enabled", "flask.ingress.enabled", "flask.enabled"],
            "the Ingress of `flask` has no Service to send to",
            "needs `true` while `flask.ingress.enabled` is `true`",
            "enable the Service, or set `flask.ingress.enabled: false`",
        );
    }
}
