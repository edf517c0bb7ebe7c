//! Label selectors: their operators, and what they match.

/// What is known of one label of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'a> {
    /// It is this.
    Is(&'a str),
    /// It begins like this, and the cluster decides the rest.
    Begins(&'a str),
    /// There is none.
    Absent,
    /// It may be anything, and need not be there.
    Unknown,
}

impl<'a> Label<'a> {
    /// Of something that has no other labels than those that are known.
    pub fn of(value: Option<&'a str>) -> Self {
        value.map_or(Self::Absent, Self::Is)
    }

    /// Whether it can be this: what `matchLabels` asks for.
    pub fn may_be(self, value: &str) -> bool {
        match self {
            Self::Is(is) => is == value,
            Self::Begins(start) => value.starts_with(start),
            Self::Absent => false,
            Self::Unknown => true,
        }
    }
}

/// What an expression of `matchExpressions` asks of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// One of the values.
    In,
    /// None of the values; no label at all will do.
    NotIn,
    /// Any value.
    Exists,
    /// No label.
    DoesNotExist,
}

impl Operator {
    /// The operators as they are written, in the order of `metav1.LabelSelectorOperator` in k8s.io/apimachinery.
    pub const NAMES: [&'static str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

    /// The operator of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            _ => return None,
        })
    }

    /// Whether a label can be what is asked for. `Requirement.Matches` of k8s.io/apimachinery.
    pub fn may_match<'v>(self, label: Label<'_>, values: impl IntoIterator<Item = &'v str>) -> bool {
        let mut values = values.into_iter();
        match (self, label) {
            (Self::In, _) => values.any(|value| label.may_be(value)),
            // What only begins like a value can still become another.
            (Self::NotIn, Label::Begins(_)) | (Self::NotIn | Self::DoesNotExist, Label::Unknown) => true,
            (Self::NotIn, _) => !values.any(|value| label.may_be(value)),
            (Self::Exists, _) => label != Label::Absent,
            (Self::DoesNotExist, _) => label == Label::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn operators_and_labels() {
        for (name, label, values, expected) in [
            ("In", Label::Is("web"), &["api", "web"][..], true),
            ("In", Label::Is("web"), &["api"], false),
            ("In", Label::Is("web"), &[], false),
            ("In", Label::Absent, &["web"], false),
            ("In", Label::Begins("web-"), &["web-3"], true),
            ("In", Label::Begins("web-"), &["api-3"], false),
            ("NotIn", Label::Is("web"), &["api"], true),
            ("NotIn", Label::Is("web"), &["web"], false),
            ("NotIn", Label::Absent, &["web"], true),
            ("NotIn", Label::Begins("web-"), &["web-3"], true),
            ("Exists", Label::Is(""), &[], true),
            ("Exists", Label::Absent, &[], false),
            ("DoesNotExist", Label::Absent, &[], true),
            ("DoesNotExist", Label::Begins("a"), &[], false),
        ] {
            let operator = Operator::parse(name).unwrap();
            assert_eq!(operator.may_match(label, values.iter().copied()), expected, "{name} {label:?} {values:?}");
        }
        assert_eq!(Operator::parse("in"), None);
        for name in Operator::NAMES {
            assert_eq!(Operator::parse(name).map(|operator| format!("{operator:?}")).as_deref(), Some(name));
        }
    }

    proptest! {
        #[test]
        fn opposites(value in proptest::option::of("[ab]{0,2}"), values in proptest::collection::vec("[ab]{0,2}", 0..4)) {
            let label = Label::of(value.as_deref());
            let matches = |operator: Operator| operator.may_match(label, values.iter().map(String::as_str));
            prop_assert_ne!(matches(Operator::In), matches(Operator::NotIn));
            prop_assert_ne!(matches(Operator::Exists), matches(Operator::DoesNotExist));
        }
    }
}
