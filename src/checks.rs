//! What a stack tells the checker.

use vigil_check::{Options, Provided, Version, Waiver};
use vigil_stack::Parsed;
use vigil_yaml::{Problem, Source};

/// Definitions of the kinds that a stack may use and does not define, with the fields that it uses: Argo CD's and
/// cert-manager's. Whoever checks other objects of theirs names the real ones with `--crds`.
const DEFINITIONS: [(&str, &str); 2] = [
    ("<argo-cd>", include_str!("definitions/argo-cd.yaml")),
    ("<cert-manager>", include_str!("definitions/cert-manager.yaml")),
];

/// The options for the objects of a stack, and what its author should know of them.
pub fn options(parsed: &Parsed) -> (Options, Option<Problem>) {
    let stack = &parsed.stack;
    let (oldest, newest) = vigil_check::versions();
    let wanted: Version = stack.kubernetes.as_str().parse().unwrap_or(newest);
    let version = wanted.clamp(oldest, newest);
    let warning = (version != wanted).then(|| {
        Problem::warning(format!("the API of Kubernetes {wanted} is not known here"), parsed.place("kubernetes"))
            .label(format!("checked for {version} instead"))
            .help("a newer version of this program may know it")
    });
    let provided = stack.provided().into_iter().map(|object| Provided {
        kind: object.kind.to_string(),
        namespace: object.namespace.as_ref().map(ToString::to_string).unwrap_or_default(),
        name: object.name.to_string(),
    });
    let waivers = stack.checks.waivers.iter().enumerate().map(|(at, waiver)| Waiver {
        rule: waiver.rule.to_string(),
        object: waiver.object.to_string(),
        reason: waiver.reason.to_string(),
        rule_place: parsed.place(&format!("checks.waivers.{at}.rule")),
        object_place: parsed.place(&format!("checks.waivers.{at}.object")),
    });
    let options = Options {
        kubernetes: vec![version],
        definitions: DEFINITIONS.map(|(name, text)| Source::new(name, text)).into(),
        provided: provided.collect(),
        waivers: waivers.collect(),
        ..Options::default()
    };
    (options, warning)
}
