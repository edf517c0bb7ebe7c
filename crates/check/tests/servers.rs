//! What API servers of the oldest and the newest version said of small objects, by a strict dry run, and what is said
//! here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use vigil_check::{Options, Version, check};
use vigil_yaml::{Severity, Source};

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: probes.probe.example.com}
spec:
  group: probe.example.com
  names: {kind: Probe, plural: probes}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.count, statusReplicasPath: .status.b}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          status: {type: object, required: [a], properties: {a: {type: string}, b: {type: integer}}}
          spec:
            type: object
            properties:
              obj: {type: object, required: [x], properties: {x: {type: string}}}
              void: {type: object, required: [v], properties: {v: {type: string, nullable: true}}}
              full: {type: object, required: [v], properties: {v: {type: string}}}
              map: {type: object, additionalProperties: {type: string}}
              list: {type: array, items: {type: string}}
              any: {type: array, items: {x-kubernetes-preserve-unknown-fields: true}}
              ios: {x-kubernetes-int-or-string: true}
              b: {type: string, format: byte}
              i32: {type: integer, format: int32}
              i64: {type: integer, format: int64}
              i: {type: integer}
              count: {type: integer}
              big: {type: integer, format: int32, maximum: 4294967295}
              one:
                type: object
                properties: {type: {type: string, default: IP}, value: {type: string}}
                oneOf:
                - properties: {type: {enum: [IP]}, value: {format: ipv4}}
                - properties: {type: {not: {enum: [IP]}}}
              some:
                type: object
                properties: {a: {type: string}, b: {type: string}}
                anyOf: [{required: [a]}, {required: [b]}]
              ref:
                type: object
                properties: {kind: {type: string, default: Service}, port: {type: integer}}
                x-kubernetes-validations: [{rule: \"self.kind != 'Service' || has(self.port)\"}]
  - name: v0
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}
";

/// How many errors are found for a version of Kubernetes.
fn errors(text: &str, version: &str) -> (usize, String) {
    let options = Options {
        kubernetes: vec![version.parse::<Version>().unwrap()],
        objects_only: true,
        definitions: vec![Source::new("definition.yaml", DEFINITION)],
        ..Options::default()
    };
    let report = check(&[Source::new("test.yaml", text.to_owned())], &options);
    let said: Vec<_> = report.findings.iter().map(|finding| finding.problem().one_line()).collect();
    (report.count(Severity::Error), said.join("\n"))
}

/// The old server and the new one refuse it, or not.
fn judged(text: &str, old: bool, new: bool) {
    for (version, refused) in [("1.29", old), ("1.37", new)] {
        let (count, said) = errors(text, version);
        assert_eq!(count > 0, refused, "Kubernetes {version}:\n{text}\n{said}");
    }
}

#[test]
fn custom_resources() {
    for (rest, old, new) in [
        ("spec: {obj: null}", false, false),
        ("spec: {void: {v: null}}", false, false),
        ("spec: {full: {v: null}}", true, true),
        ("spec: {map: {a: null}}", false, false),
        ("spec: {list: [null]}", true, true),
        ("spec: {any: [null]}", false, false),
        ("spec: {ios: 5000000000}", false, false),
        ("spec: {ios: 1.5}", true, true),
        ("spec: {b: ''}", true, true),
        ("spec: {b: LS0tLS1CRUdJTi==}", false, false),
        ("spec: {b: \"LS0t\\nLS1C\"}", true, true),
        ("spec: {i32: 3000000000}", false, true),
        ("spec: {i64: 9223372036854775808}", true, true),
        ("spec: {i: 9223372036854775808}", true, true),
        ("spec: {i: 1.0}", false, false),
        ("spec: {big: 1}", false, true),
        ("spec: {count: 0}", false, false),
        ("spec: {count: -1}", true, true),
        ("spec: {one: {value: 10.0.0.1}}", false, false),
        ("spec: {one: {value: a.b}}", true, true),
        ("spec: {one: {type: Name, value: a.b}}", false, false),
        ("spec: {some: {a: x}}", false, false),
        ("spec: {some: {}}", true, true),
        ("spec: {some: {a: x, c: x}}", true, true),
        ("spec: {ref: {}}", true, true),
        ("spec: {ref: {kind: null}}", true, true),
        ("spec: {ref: {kind: Other}}", false, false),
        ("status: {b: x}", false, false),
        ("status: {zz: x}", true, true),
        ("spec: {map: {a: .inf}}", true, true),
        ("spec: {map: {a: \"b\\/c\"}}", true, true),
        ("spec: {map: {a: '.inf', b: 'b\\/c', c: \"b\\\\/c\"}}", false, false),
    ] {
        let text = format!("apiVersion: probe.example.com/v1\nkind: Probe\nmetadata: {{name: a}}\n{rest}\n");
        judged(&text, old, new);
    }
    let twice = "metadata: {name: a, finalizers: [a.b/c, a.b/c]}\n";
    judged(&format!("apiVersion: probe.example.com/v1\nkind: Probe\n{twice}"), false, false);
    judged("apiVersion: probe.example.com/v0\nkind: Probe\nmetadata: {name: a}\n", true, true);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn kinds_of_kubernetes() {
    let pod = |container: &str, pod: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: a{container}}}]{pod}}}\n"
        )
    };
    let object = |version: &str, kind: &str, rest: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n")
    };
    let resources = "resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]";
    for (text, old, new) in [
        (pod(", env: [{name: 1A, value: x}]", ""), true, false),
        (pod(", resources: {requests: {memory: 1Mi}, limits: {memory: null}}", ""), true, true),
        (pod(", resources: {requests: {memory: null}, limits: {memory: 1Mi}}", ""), false, false),
        (
            object("policy/v1", "PodDisruptionBudget", "spec: {maxUnavailable: 1, unhealthyPodEvictionPolicy: ''}"),
            true,
            true,
        ),
        (
            object(
                "networking.k8s.io/v1",
                "Ingress",
                "spec: {defaultBackend: {service: {name: '', port: {number: 80}}}}",
            ),
            true,
            true,
        ),
        (pod(", env: [{name: A-1.b, value: x}]", ""), false, false),
        (pod(", securityContext: {procMount: Unmasked}", ""), false, true),
        (pod(", securityContext: {procMount: Unmasked}", ", hostUsers: false"), false, false),
        (pod("", ", priority: 10"), true, true),
        (pod("", ", priority: 0"), false, false),
        (pod("", ", priority: 2000000000, priorityClassName: system-cluster-critical"), false, false),
        (pod(", resources: {limits: {cpu: '1 '}}", ""), false, false),
        (object("networking.k8s.io/v1", "Ingress", ""), true, true),
        (object("networking.k8s.io/v1", "IngressClass", "spec: {parameters: {kind: A, name: b}}"), true, true),
        (
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "spec: {maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: a}}",
            ),
            false,
            true,
        ),
        (
            object("policy/v1", "PodDisruptionBudget", "spec: {maxUnavailable: 1, selector: {}}").replace("a}", "A}"),
            false,
            false,
        ),
        (
            object("v1", "Namespace", "").replace("a}", "a, labels: {pod-security.kubernetes.io/warn-version: null}}"),
            true,
            true,
        ),
        (object("v1", "ResourceQuota", "spec: {hard: {pods: 1500m}}"), true, true),
        (object("v1", "ResourceQuota", "spec: {hard: {cpu: 1500m}}"), false, false),
        (object("v1", "LimitRange", "spec: {limits: [{type: Container, max: {cpus: 1}}]}"), true, true),
        (
            object(
                "flowcontrol.apiserver.k8s.io/v1beta3",
                "PriorityLevelConfiguration",
                "spec: {type: Limited, limited: {limitResponse: {type: Reject}}}",
            ),
            false,
            true,
        ),
        (
            object(
                "admissionregistration.k8s.io/v1alpha1",
                "ValidatingAdmissionPolicyBinding",
                "spec: {policyName: a}",
            ),
            true,
            true,
        ),
        (
            object(
                "admissionregistration.k8s.io/v1",
                "MutatingAdmissionPolicyBinding",
                &format!("spec: {{policyName: a, matchResources: {{{resources}}}}}"),
            ),
            true,
            false,
        ),
        (
            object(
                "admissionregistration.k8s.io/v1",
                "MutatingAdmissionPolicyBinding",
                &format!("spec: {{policyName: a, matchResources: {{{}}}}}", resources.replace("CREATE", "''")),
            ),
            true,
            true,
        ),
        (
            object(
                "admissionregistration.k8s.io/v1",
                "MutatingAdmissionPolicyBinding",
                "spec: {policyName: a, matchResources: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}}",
            ),
            true,
            true,
        ),
        (
            object(
                "apps/v1",
                "Deployment",
                "spec: {selector: {matchLabels: {a: null}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}",
            ),
            true,
            true,
        ),
        (
            object(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                "spec: {podSelector: {}, ingress: [{ports: [{port: 80, protocol: ''}]}]}",
            ),
            true,
            true,
        ),
        (
            object(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                "spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}",
            ),
            false,
            false,
        ),
    ] {
        judged(&text, old, new);
    }
}

/// Further objects, each with what the newest API server said of it.
#[test]
fn what_the_newest_server_says_of_further_objects() {
    let newest = vigil_check::versions().1;
    for line in include_str!("dry-run.jsonl").lines() {
        let said: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = said["object"].as_str().unwrap();
        let options = Options { objects_only: true, kubernetes: vec![newest], ..Options::default() };
        let report = check(&[Source::new("object", text)], &options);
        let errors = report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
        let errors: Vec<_> = errors.map(|finding| finding.problem().one_line()).collect();
        assert_eq!(errors.is_empty(), said["taken"].as_bool().unwrap(), "{text}\n{errors:?}");
    }
}
