//! What a rule is.

use std::fmt;
use vigil_yaml::Severity;

/// A rule: something that manifests must or should fulfil.
///
/// Its folder, `crates/check/rules/<id>/`, says why (`why.md`), and shows manifests that break it (`fail.yaml`), what
/// is said of them (`fail.txt`), and manifests that fulfil it (`pass.yaml`).
pub struct Rule {
    /// The name by which it is explained and waived.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// Who else would say so.
    pub found_by: FoundBy,
    /// What it asks for, in one line.
    pub title: &'static str,
    /// Why it is there: Markdown.
    pub why: &'static str,
    /// Manifests that break it.
    pub fail: &'static str,
    /// What is said of them.
    pub said: &'static str,
    /// Manifests that do not.
    pub pass: &'static str,
}

/// Who else says that something is wrong, and so when it is found without this check: the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// kubectl or kustomize, before anything reaches the cluster.
    Kubectl,
    /// The API server, which refuses the object or warns.
    Server,
    /// The kubelet, the scheduler or a controller of Kubernetes: pods wait or fail, and events say why.
    Cluster,
    /// prometheus-operator, which leaves the object out and says so in its log and in events.
    Operator,
    /// The program that reads it, in its log or when it is used; some do not start.
    Program,
    /// Nobody: it is accepted, and does not do what was meant.
    Nobody,
}

impl FoundBy {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubectl => "kubectl",
            Self::Server => "API server",
            Self::Cluster => "events",
            Self::Operator => "operator",
            Self::Program => "program",
            Self::Nobody => "nobody",
        }
    }

    /// In a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Kubectl => "Without this check kubectl or kustomize says so, before anything reaches the cluster.",
            Self::Server => "Without this check the API server says so, when it is applied.",
            Self::Cluster => "Without this check it is applied, and only events of the cluster say so.",
            Self::Operator => "Without this check it is applied, and only prometheus-operator's log and events say so.",
            Self::Program => "Without this check it is applied, and only the program that reads it says so.",
            Self::Nobody => "Without this check nobody says so.",
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}

/// Declares the rules of one area, each as `NAME "id" Severity FoundBy "title"`, and the list of them, `RULES`.
macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $found_by:ident $title:literal)*) => {
        $(
            pub(crate) static $name: $crate::rule::Rule = $crate::rule::Rule {
                id: $id,
                severity: vigil_yaml::Severity::$severity,
                found_by: $crate::rule::FoundBy::$found_by,
                title: $title,
                why: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/", $id, "/why.md")),
                fail: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/", $id, "/fail.yaml")),
                said: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/", $id, "/fail.txt")),
                pass: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/", $id, "/pass.yaml")),
            };
        )*
        /// The rules of this area.
        pub(crate) static RULES: &[&$crate::rule::Rule] = &[$(&$name),*];
    };
}

pub(crate) use rules;
