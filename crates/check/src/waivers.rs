//! Waivers: the word that an object may break a rule, with a reason, in an annotation of it or in the stack.

use crate::fields::entries;
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::outcome::Waived;
use crate::rule::{Rule, rules};
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_yaml::words::nearest;
use vigil_yaml::{Entry, Place, Quoted};

rules! {
    UNUSED "waiver-unused" Warning Nobody "every waiver has an effect"
    NO_REASON "waiver-without-reason" Warning Nobody "every waiver gives a reason"
    UNKNOWN_RULE "waiver-unknown-rule" Warning Nobody "every waiver names a known rule"
}

/// What the key of an annotation starts with that waives the rule named behind it.
const PREFIX: &str = "waive.vigil/";

/// A waiver, wherever it is written.
struct Waiver<'a> {
    rule: &'a str,
    object: String,
    reason: &'a str,
    written: Written<'a>,
}

/// Where a waiver is written.
enum Written<'a> {
    /// In an annotation of its object.
    Annotation(&'a Object<'a>, &'a Entry),
    /// Somewhere else: the places of the rule and of the object.
    Elsewhere(&'a Place, &'a Place),
}

impl Waiver<'_> {
    fn tell<'f>(&self, rule: &'static Rule, message: String, findings: &'f mut Findings) -> &'f mut Finding {
        match self.written {
            Written::Annotation(object, entry) => findings.add(rule, object, entry, message),
            Written::Elsewhere(place, _) => findings.add_outside(rule, place.clone(), message),
        }
    }
}

/// Whether an object has annotations that waive something.
pub(crate) fn has_any(object: &Object<'_>) -> bool {
    entries(object.node, ["metadata", "annotations"]).iter().any(|entry| entry.key.text.starts_with(PREFIX))
}

/// Parts `findings` into what stands and what is waived. What is wrong with the waivers themselves is found as well:
/// `rules` tells all rules that there are.
pub(crate) fn apply(
    set: &Set<'_>,
    followed: bool,
    findings: Vec<Finding>,
    rules: fn() -> Vec<&'static Rule>,
) -> (Vec<Finding>, Vec<Waived>) {
    let waivers = collect(set);
    if waivers.is_empty() {
        return (findings, Vec::new());
    }
    let mut told = Findings::default();
    let (valid, good) = judge(&waivers, rules, &mut told);
    let mut used = vec![false; waivers.len()];
    let mut standing = Vec::new();
    let mut waived = Vec::new();
    for finding in findings {
        let object = finding.object.as_deref().unwrap_or_default();
        match good.get(&(object, finding.rule.id)) {
            Some(at) => {
                used[*at] = true;
                let in_object = matches!(waivers[*at].written, Written::Annotation(..));
                let reason = waivers[*at].reason.to_owned();
                waived.push(Waived { finding, reason, in_object });
            }
            None => standing.push(finding),
        }
    }
    // What was not looked for cannot be missed.
    if followed {
        let unused: Vec<_> = (0..waivers.len()).filter(|at| valid[*at] && !used[*at]).collect();
        if !unused.is_empty() {
            let objects: HashSet<String> = set.objects.iter().map(ToString::to_string).collect();
            for at in unused {
                tell_unused(&waivers[at], &objects, &mut told);
            }
        }
    }
    standing.extend(told.list);
    standing.sort_by(|a, b| a.key().cmp(&b.key()));
    (standing, waived)
}

/// Which waivers are valid, and the one that counts for each object and rule: of two for the same, the second waives
/// nothing.
fn judge<'w>(
    waivers: &'w [Waiver<'_>],
    rules: fn() -> Vec<&'static Rule>,
    told: &mut Findings,
) -> (Vec<bool>, HashMap<(&'w str, &'w str), usize>) {
    let known: HashSet<&str> = rules().into_iter().map(|rule| rule.id).collect();
    let mut valid = vec![false; waivers.len()];
    let mut good = HashMap::new();
    for (at, waiver) in waivers.iter().enumerate() {
        if !known.contains(waiver.rule) {
            let message = format!("there is no rule {}", Quoted(waiver.rule));
            let finding = waiver.tell(&UNKNOWN_RULE, message, told);
            if let Some(near) = nearest(waiver.rule, known.iter().copied()) {
                finding.label(format!("did you mean `{near}`?"));
            }
            finding.help("`vigil explain` lists all rules");
        } else if waiver.reason.trim().is_empty() {
            let message = format!("the waiver of `{}` has no reason", waiver.rule);
            waiver
                .tell(&NO_REASON, message, told)
                .label("expected a reason")
                .help("say why this object may break the rule; without a reason it may not");
        } else {
            valid[at] = true;
            good.entry((waiver.object.as_str(), waiver.rule)).or_insert(at);
        }
    }
    (valid, good)
}

fn tell_unused(waiver: &Waiver<'_>, objects: &HashSet<String>, told: &mut Findings) {
    if let (Written::Elsewhere(_, place), false) = (&waiver.written, objects.contains(&waiver.object)) {
        let message = format!("there is no {}", Quoted(&waiver.object));
        let finding = told.add_outside(&UNUSED, (*place).clone(), message);
        if let Some(near) = nearest(&waiver.object, objects.iter().map(String::as_str)) {
            finding.label(format!("did you mean `{near}`?"));
        }
        finding.help("remove the waiver, or correct its object: `Kind namespace/name`, as findings call it");
        return;
    }
    let message = format!("{} does not break `{}`", Quoted(&waiver.object), waiver.rule);
    waiver.tell(&UNUSED, message, told).help("remove the waiver: it would hide a later mistake");
}

/// The waivers of the set, then those of the options.
fn collect<'a>(set: &'a Set<'a>) -> Vec<Waiver<'a>> {
    let mut waivers = Vec::new();
    for object in &set.objects {
        let annotations = entries(object.node, ["metadata", "annotations"]);
        for entry in annotations {
            let Some(rule) = entry.key.text.strip_prefix(PREFIX) else { continue };
            waivers.push(Waiver {
                rule,
                object: object.to_string(),
                reason: entry.value.text().unwrap_or_default(),
                written: Written::Annotation(object, entry),
            });
        }
    }
    waivers.extend(set.options.waivers.iter().map(|waiver| Waiver {
        rule: &waiver.rule,
        object: waiver.object.clone(),
        reason: &waiver.reason,
        written: Written::Elsewhere(&waiver.rule_place, &waiver.object_place),
    }));
    waivers
}

#[cfg(test)]
mod tests {
    use crate::{Options, Waiver, check};
    use vigil_yaml::{Place, Source};

    /// An object with a field too many, and these annotations.
    fn object(annotations: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: x, annotations: {{{annotations}}}}}\nstray: 1\n"
        )
    }

    fn options(waivers: &[(&str, &str)]) -> Options {
        let place = Place::File("stack.yaml".to_owned());
        let waiver = |(rule, object): &(&str, &str)| Waiver {
            rule: (*rule).to_owned(),
            object: (*object).to_owned(),
            reason: "why not".to_owned(),
            rule_place: place.clone(),
            object_place: place.clone(),
        };
        Options { waivers: waivers.iter().map(waiver).collect(), ..Options::default() }
    }

    /// The rules that are broken, notes left out, and how many findings are waived, in an object and elsewhere.
    fn found(text: &str, options: &Options) -> (Vec<&'static str>, usize, usize) {
        let report = check(&[Source::new("a.yaml", text)], options);
        let rules =
            report.findings.iter().filter(|it| it.severity() != vigil_yaml::Severity::Note).map(|it| it.rule.id);
        let own = report.waived.iter().filter(|it| it.in_object).count();
        (rules.collect(), own, report.waived.len() - own)
    }

    #[test]
    fn what_waives_and_what_does_not() {
        let stray = "schema-unknown-field";
        let annotation = format!("waive.vigil/{stray}: known");
        for (annotations, waivers, expected) in [
            ("", &[][..], (vec![stray], 0, 0)),
            (annotation.as_str(), &[], (vec![], 1, 0)),
            ("", &[(stray, "ConfigMap x/a")], (vec![], 0, 1)),
            // The annotation comes first, and the stack's waives nothing more.
            (annotation.as_str(), &[(stray, "ConfigMap x/a")], (vec!["waiver-unused"], 1, 0)),
            ("", &[(stray, "ConfigMap a")], (vec![stray, "waiver-unused"], 0, 0)),
            ("", &[(stray, "ConfigMap x/a"), (stray, "ConfigMap x/a")], (vec!["waiver-unused"], 0, 1)),
            ("waive.vigil/schema-unknown-field: ' '", &[], (vec!["waiver-without-reason", stray], 0, 0)),
            ("waive.vigil/schema-unknown-field: 5", &[], (vec!["schema-type", "waiver-without-reason", stray], 0, 0)),
            ("waive.vigil/nothing: x", &[], (vec!["waiver-unknown-rule", stray], 0, 0)),
        ] {
            let (mut rules, own, other) = found(&object(annotations), &options(waivers));
            let mut expected = expected;
            rules.sort_unstable();
            expected.0.sort_unstable();
            assert_eq!((rules, own, other), expected, "{annotations} {waivers:?}");
        }
    }

    #[test]
    fn what_was_not_looked_for_is_not_missed() {
        let waiver = options(&[("yaml", "ConfigMap x/a")]);
        assert_eq!(found(&object(""), &waiver).0.len(), 2);
        let alone = Options { objects_only: true, ..waiver };
        assert_eq!(found(&object(""), &alone).0, ["schema-unknown-field"]);
    }
}
