//! What object storage of a lab is not for.

use super::{Kept, without_volume};
use crate::findings::Findings;
use crate::model::{LabObjectStorage, Stack};

const KEPT: Kept = Kept {
    part: "lab-object-storage",
    name: "the lab's object storage",
    data: "what the buckets held",
    changes: "`image`, pod label or memory limit",
};

pub(crate) fn check(lab: &LabObjectStorage, _stack: &Stack, findings: &mut Findings) {
    if !lab.enabled {
        return;
    }
    findings.warning(
        &["lab-object-storage.enabled", "lab-object-storage"],
        "the object storage of a lab is not for production",
        "one process, one volume, no second copy",
        "name a store that keeps copies in `objectStorage`, and move what the buckets hold before you switch this one off",
    );
    without_volume(&KEPT, &lab.persistence, findings);
}
