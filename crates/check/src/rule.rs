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

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}

/// Declares the rules of one area, each as `NAME "id" Severity "title"`, and the list of them, `RULES`.
macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $title:literal)*) => {
        $(
            pub(crate) static $name: $crate::rule::Rule = $crate::rule::Rule {
                id: $id,
                severity: vigil_yaml::Severity::$severity,
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
