//! What came of a check.

use crate::finding::Finding;
use crate::object::Object;
use crate::version::Version;
use vigil_yaml::Severity;

/// What came of a check.
#[derive(Debug)]
pub struct Report {
    /// What was found, by file, place and rule, each once.
    pub findings: Vec<Finding>,
    /// What was found and waived, in the same order.
    pub waived: Vec<Waived>,
    /// The objects that were judged, in the order of the texts.
    pub objects: Vec<Judged>,
    /// The versions of Kubernetes they were judged for.
    pub kubernetes: Vec<Version>,
    /// Whether references were followed; not when a document could not be read, as everything it holds would be missed.
    pub followed: bool,
}

/// A finding that somebody waived.
#[derive(Debug)]
pub struct Waived {
    /// What was found.
    pub finding: Finding,
    /// Why it may be so.
    pub reason: String,
    /// The object's own annotation says it.
    pub in_object: bool,
}

/// An object that was judged.
#[derive(Debug)]
pub struct Judged {
    /// What findings call it.
    pub object: String,
    /// The file it is in.
    pub file: String,
}

impl Judged {
    pub(crate) fn of(object: &Object<'_>) -> Self {
        Self { object: object.to_string(), file: object.node.span.source.name.clone() }
    }
}

impl Report {
    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == severity).count()
    }

    /// Whether there is anything to mend: a note is none.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity() == Severity::Note)
    }
}
