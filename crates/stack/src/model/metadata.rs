use super::Stack;
use crate::units::{AnnotationKey, AnnotationValue, FreeLabelKey, LabelValue};
use std::collections::BTreeMap;

/// Labels that a stack gives to objects.
pub type Labels = BTreeMap<FreeLabelKey, LabelValue>;

/// Annotations that a stack gives to objects.
pub type Annotations = BTreeMap<AnnotationKey, AnnotationValue>;

impl Stack {
    /// The labels for the objects of the component that `stack.yaml` calls by this name: its own, and the common ones
    /// that it does not say. What has no key of its own there, such as the namespaces, has the common ones.
    pub fn labels_of(&self, component: &str) -> Labels {
        merged(&self.labels, self.own(component).map(|(labels, _)| labels))
    }

    /// The annotations for those objects, likewise.
    pub fn annotations_of(&self, component: &str) -> Annotations {
        merged(&self.annotations, self.own(component).map(|(_, annotations)| annotations))
    }

    fn own(&self, component: &str) -> Option<(&Labels, &Annotations)> {
        self.parts().into_iter().find(|(name, _)| *name == component)?.1.metadata()
    }
}

pub(super) fn merged<K: Clone + Ord, V: Clone>(
    common: &BTreeMap<K, V>,
    own: Option<&BTreeMap<K, V>>,
) -> BTreeMap<K, V> {
    let mut all = common.clone();
    all.extend(own.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    all
}
