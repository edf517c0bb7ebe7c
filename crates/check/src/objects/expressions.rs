//! Expressions in CEL that an API server compiles before it takes an object: of admission policies, of webhooks, and of what
//! selects devices.
//!
//! Source: `pkg/admission/plugin/cel` and `pkg/admission/plugin/policy` of k8s.io/apiserver 0.37, and the libraries of
//! `pkg/cel/library` there. What depends on the types of objects is left to the server.

use super::judge::{Judge, QUALIFIED};
use crate::fields::{filled, given, items};
use crate::rule::rules;
use crate::schema::expression::{Facts, Kind, facts};
use crate::schema::pattern::is_expression;
use vigil_forms::name::is_qualified_name;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    EXPRESSION "cel-expression" Error Server "every CEL expression of policies, webhooks and device selectors compiles"
}

/// What a policy's expressions may name, but for `params` and `variables`.
const ADMISSION: [&str; 5] = ["object", "oldObject", "request", "authorizer", "namespaceObject"];

/// The fields of what a server hands to expressions, where all are known: `pkg/admission/plugin/cel/compile.go` of
/// k8s.io/apiserver, and `cel/compile.go` of k8s.io/dynamic-resource-allocation.
const FIELDS: [(&str, &[&str]); 3] = [
    ("device", &["allowMultipleAllocations", "attributes", "capacity", "driver"]),
    ("namespaceObject", &["metadata", "spec", "status"]),
    (
        "request",
        &[
            "dryRun",
            "kind",
            "name",
            "namespace",
            "operation",
            "options",
            "requestKind",
            "requestResource",
            "requestSubResource",
            "resource",
            "subResource",
            "userInfo",
        ],
    ),
];

/// Names of types and of groups of functions, which stand where a variable could.
const TYPES: &str = "bool int uint double bytes string list map null_type type dyn optional optional_type google kubernetes \
    net sets math strings base64 ip cidr format jsonpatch semver lists cel";

/// Functions of the language and of the libraries that a server adds to it.
const FUNCTIONS: &str = "\
    abs add allowed byte date datetime dns1035Label dns1035LabelPrefix dns1123Label dns1123LabelPrefix \
    dns1123Subdomain dns1123SubdomainPrefix labelValue qualifiedName uri uuid asApproximateFloat asInteger bind bool bytes ceil charAt check cidr compareTo \
    contains containsCIDR containsIP decode distinct double duration dyn encode endsWith equivalent \
    error errored escapeKey family fieldSelector find findAll first flatten floor format getDate \
    getDayOfMonth getDayOfWeek getDayOfYear getEscapedPath getFullYear getHost getHostname getHours \
    getMilliseconds getMinutes getMonth getPort getQuery getScheme getSeconds greatest group hasValue \
    includes indexOf int intersects ip isCIDR isCanonical isGlobalUnicast isGreaterThan isIP isInteger \
    isLessThan isLinkLocalMulticast isLinkLocalUnicast isLoopback isQuantity isSemver isSorted isURL \
    isUnspecified join labelSelector last lastIndexOf least lowerAscii major masked matches max min \
    minor name named namespace none of ofNonZeroValue optFlatMap optMap or orValue patch path \
    prefixLength quantity quote range reason replace resource reverse round semver serviceAccount sign \
    size slice sort sortBy split startsWith string sub subresource substring sum timestamp transformList \
    transformMap transformMapEntry trim trunc type uint unwrap unwrapOpt upperAscii url validate value";

/// The names in [`FUNCTIONS`].
fn functions() -> std::str::SplitAsciiWhitespace<'static> {
    FUNCTIONS.split_ascii_whitespace()
}

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]).or_else(|| judge.object.at(&["webhooks"])) else { return };
    match (judge.object.group, judge.object.kind) {
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
            policy(judge, spec);
        }
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            for hook in items(judge.object.node, "webhooks") {
                twice(judge, hook, "matchConditions", "name");
                conditions(judge, hook);
                for condition in items(hook, "matchConditions") {
                    one(judge, condition, "expression", &ADMISSION[..4], &[Kind::Bool]);
                }
            }
        }
        ("resource.k8s.io", "DeviceClass") => devices(judge, spec),
        ("resource.k8s.io", "ResourceClaim") => claim(judge, spec),
        ("resource.k8s.io", "ResourceClaimTemplate") => {
            if let Some(spec) = spec.get("spec") {
                claim(judge, spec);
            }
        }
        _ => {}
    }
}

fn policy(judge: &mut Judge<'_, '_>, spec: &Node) {
    let mut names = ADMISSION.to_vec();
    if let Some(parameters) = given(spec, "paramKind") {
        judge.need(&EXPRESSION, parameters, "kind");
        names.push("params");
    }
    for (list, key) in [("matchConditions", "name"), ("variables", "name"), ("auditAnnotations", "key")] {
        twice(judge, spec, list, key);
    }
    conditions(judge, spec);
    for condition in items(spec, "matchConditions") {
        one(judge, condition, "expression", &names, &[Kind::Bool]);
    }
    names.push("variables");
    let variables: Vec<&str> = items(spec, "variables").iter().filter_map(|it| it.get("name")?.text()).collect();
    for (at, variable) in items(spec, "variables").iter().enumerate() {
        let said = one(judge, variable, "expression", &names, &[]);
        // Those behind it are not there yet.
        unknown_variables(judge, said, variables.get(..at).unwrap_or_default());
    }
    for validation in items(spec, "validations") {
        let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
        judge.set_to_one_of(&EXPRESSION, validation.get("reason"), &reasons);
        let said = one(judge, validation, "expression", &names, &[Kind::Bool]);
        unknown_variables(judge, said, &variables);
        let said = one(judge, validation, "messageExpression", &names, &[Kind::Text]);
        unknown_variables(judge, said, &variables);
    }
    for annotation in items(spec, "auditAnnotations") {
        let said = one(judge, annotation, "valueExpression", &names, &[Kind::Text]);
        unknown_variables(judge, said, &variables);
    }
    // A mutation makes objects of types that are named after fields.
    names.extend(["Object", "JSONPatch"]);
    for mutation in items(spec, "mutations") {
        for key in ["applyConfiguration", "jsonPatch"] {
            if let Some(patch) = mutation.get(key) {
                one(judge, patch, "expression", &names, &[]);
            }
        }
    }
}

fn claim(judge: &mut Judge<'_, '_>, spec: &Node) {
    for request in items(spec, ["devices", "requests"]) {
        devices(judge, request);
        if let Some(exactly) = request.get("exactly") {
            devices(judge, exactly);
        }
        for request in items(request, "firstAvailable") {
            devices(judge, request);
        }
    }
}

fn devices(judge: &mut Judge<'_, '_>, holder: &Node) {
    for selector in items(holder, "selectors") {
        if let Some(cel) = selector.get("cel") {
            one(judge, cel, "expression", &["device"], &[Kind::Bool]);
        }
    }
}

/// The names of conditions.
fn conditions(judge: &mut Judge<'_, '_>, holder: &Node) {
    for (node, name) in items(holder, "matchConditions").iter().filter_map(|condition| filled(condition, "name")) {
        if !is_qualified_name(name) {
            judge.add(&EXPRESSION, node, format!("{} is no name of a condition", Quoted(name))).label(QUALIFIED);
        }
    }
}

/// Two items of a list that go by one name.
fn twice(judge: &mut Judge<'_, '_>, holder: &Node, list: &str, key: &str) {
    let mut seen = Vec::new();
    for node in items(holder, list).iter().filter_map(|item| item.get(key)) {
        let Some(name) = node.text() else { continue };
        if seen.contains(&name) {
            judge.add(&EXPRESSION, node, format!("a second item of `{list}` is called {}", Quoted(name)));
        }
        seen.push(name);
    }
}

/// Judges the variables that an expression takes: those that the policy makes before it.
fn unknown_variables(judge: &mut Judge<'_, '_>, said: Option<(&Node, Facts)>, known: &[&str]) {
    let Some((node, facts)) = said else { return };
    for (_, name) in facts.fields.iter().filter(|(of, name)| of == "variables" && !known.contains(&name.as_str())) {
        let finding = judge.add(&EXPRESSION, node, format!("no variable before this is called {}", Quoted(name)));
        match nearest(name, known.to_vec()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label("expected a `name` of `spec.variables`"),
        };
    }
}

/// Judges the expression at a key: what it may name, and what must come of it, if anything. Gives what is known of it.
fn one<'n>(
    judge: &mut Judge<'_, '_>,
    holder: &'n Node,
    key: &str,
    names: &[&str],
    wanted: &[Kind],
) -> Option<(&'n Node, Facts)> {
    let node = holder.get(key)?;
    let text = node.text().filter(|text| !text.trim().is_empty())?;
    let facts = match facts(text)? {
        Err(mistake) => {
            judge.add(&EXPRESSION, node, format!("{} does not compile", Quoted(text.trim()))).label(mistake);
            return None;
        }
        Ok(facts) => facts,
    };
    for pattern in facts.patterns.iter().filter(|pattern| !is_expression(pattern)) {
        judge
            .add(&EXPRESSION, node, format!("{} is not a valid regular expression", Quoted(pattern)))
            .label("expected the syntax of Go's `regexp`");
    }
    for name in facts
        .names
        .iter()
        .filter(|name| !names.contains(&name.as_str()) && !TYPES.split_ascii_whitespace().any(|known| known == *name))
    {
        // The first part of a name such as `a.b.Type`.
        if name.contains('.') || name.starts_with(|c: char| c.is_ascii_uppercase()) {
            continue;
        }
        let finding = judge.add(&EXPRESSION, node, format!("nothing is called {} here", Quoted(name)));
        match nearest(name, names.to_vec()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("expected {}", list(names, "or"))),
        };
        if name == "params" {
            finding.help("`params` is there where the policy has a `paramKind`");
        }
    }
    for name in facts.functions.iter().filter(|name| !functions().any(|known| known == *name)) {
        let finding = judge.add(&EXPRESSION, node, format!("there is no function {}", Quoted(name)));
        if let Some(near) = nearest(name, functions()) {
            finding.label(format!("did you mean `{near}`?"));
        }
    }
    for (of, field) in &facts.fields {
        let Some((_, known)) = FIELDS.iter().find(|(name, _)| name == of && names.contains(name)) else { continue };
        if !known.contains(&field.as_str()) {
            let finding = judge.add(&EXPRESSION, node, format!("`{of}` has no field {}", Quoted(field)));
            match nearest(field, known.to_vec()) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding.label(format!("expected {}", list(known, "or"))),
            };
        }
    }
    if let Some((operator, one, other)) = &facts.clash {
        let message = format!("`{operator}` between {} and {}", one.shown(), other.shown());
        judge.add(&EXPRESSION, node, message).label("the two sides are of different types");
    }
    if let [wanted] = wanted
        && facts.result != *wanted
        && facts.result != Kind::Unknown
    {
        let message = format!("the expression gives {}", facts.result.shown());
        judge
            .add(&EXPRESSION, node, message)
            .label(format!("expected {}", wanted.shown()))
            .help("compare it with something: a server takes no value of unknown type for one");
    }
    Some((node, facts))
}
