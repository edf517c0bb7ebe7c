//! The rules of the collectors and of delivery: what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use vigil_stack::Stack;
use vigil_yaml::Source;

/// One line for every problem of `text`, warnings included.
fn findings(text: &str) -> Vec<String> {
    let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
        Ok(parsed) => parsed.warnings,
        Err(problems) => problems,
    };
    problems.iter().map(vigil_yaml::Problem::one_line).collect()
}

fn one(text: &str) -> String {
    let mut found = findings(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.pop().unwrap()
}

#[test]
fn one_collector_with_a_loki() {
    let both = findings("alloy: {enabled: true}\n");
    assert!(both.iter().any(|line| line.contains("Promtail and Alloy both carry the logs")), "{both:#?}");
    assert_eq!(findings("alloy: {enabled: true}\npromtail: {enabled: false}\n"), [""; 0]);
    let alone = one("alloy: {enabled: true}\npromtail: {enabled: false}\nloki: {enabled: false}\n");
    assert!(alone.contains("Alloy has no Loki to send to"), "{alone}");
    assert!(one("kubernetes: \"1.30\"\n").contains("end of life"));
}

#[test]
fn argo_cd_needs_what_it_reads() {
    let stack = |argocd: &str| format!("promtail: {{enabled: false}}\nargocd:\n  enabled: true\n{argocd}");
    assert!(one(&stack("")).contains("no repository"));
    let repository = "  repository: https://git.example.com/a.git\n";
    assert_eq!(findings(&stack(repository)), [""; 0]);
    let charts = format!("{repository}  install: charts\n");
    assert_eq!(findings(&stack(&charts)), [""; 0]);
    assert!(one(&stack(&format!("{charts}values: {{enabled: false}}\n"))).contains("no values files"));
    let policies = one(&stack(&format!("{charts}network-policies: {{enabled: true}}\n")));
    assert!(policies.contains("does not apply the network policies"), "{policies}");
    assert!(one(&stack(&format!("{repository}  namespace: myloki\n"))).contains("namespace of the stack itself"));
    assert!(one(&stack("  repository: https://u:p@git.example.com/a.git\n")).contains("credentials"));
}
