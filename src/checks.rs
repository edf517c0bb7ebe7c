//! What a stack tells the checker, and what the checker says of what the stack renders to. The build script has this
//! file as a module too: what it writes has been checked by the same code.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use vigil_check::{Finding, Options, Provided, Version, Waiver};
use vigil_render::{Object, Rendering};
use vigil_stack::Parsed;
use vigil_yaml::{Problem, Severity, Source};

/// Definitions of the kinds that a stack may use and does not define, with the fields that it uses: Argo CD's, Flux' and
/// cert-manager's. Whoever checks other objects of theirs names the real ones with `--crds`.
const DEFINITIONS: [(&str, &str); 3] = [
    ("<argo-cd>", include_str!("definitions/argo-cd.yaml")),
    ("<cert-manager>", include_str!("definitions/cert-manager.yaml")),
    ("<flux>", include_str!("definitions/flux.yaml")),
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
        has_stack: true,
        definitions: DEFINITIONS.map(|(name, text)| Source::new(name, text)).into(),
        provided: provided.collect(),
        waivers: waivers.collect(),
        ..Options::default()
    };
    (options, warning)
}

/// Checks the objects of a rendering together, under the names that their files will have in a directory: all of them, or
/// all but those that `is_known` names, which have passed before.
///
/// # Errors
/// All that keeps them from being written; a note does not.
pub fn check(
    rendering: &Rendering,
    directory: &Path,
    options: &Options,
    is_known: impl Fn(&Object) -> bool,
) -> Result<(), Vec<Problem>> {
    let objects = || rendering.objects.iter().filter(|object| !is_known(object));
    let paths: BTreeSet<&String> = objects().map(|object| &object.path).collect();
    let source = |path: &String| {
        let name = directory.join(path).display().to_string();
        Some(Source::new(name, rendering.files.get(path)?.as_str()))
    };
    let sources: Vec<_> = paths.into_iter().filter_map(source).collect();
    let mut templates: HashMap<String, Arc<str>> = HashMap::new();
    for object in objects() {
        let name = directory.join(&object.path).display().to_string();
        let template = templates.entry(name).or_insert_with(|| format!("templates/{}", object.template).into());
        for patch in &object.patches {
            *template = format!("{template}, patched by `patches[{patch}]` of the stack").into();
        }
    }
    let problems = |options: &Options| -> Vec<Problem> {
        let report = vigil_check::check(&sources, options);
        let failing = report.findings.iter().filter(|finding| finding.severity() != Severity::Note);
        failing.map(Finding::problem).collect()
    };
    let options = Options { templates, ..options.clone() };
    let mut found = problems(&options);
    // A place that is remembered may be that in another set.
    if !found.is_empty() && options.memory.is_some() {
        found = problems(&Options { memory: None, ..options });
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}
