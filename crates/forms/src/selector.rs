//! Label selectors: their operators, and what they match. Selectors of log streams.

use crate::name;

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

/// Whether a text selects by labels, as `kubectl -l` takes it: `a=b,c in (d,e),!f`. `Parse` of
/// k8s.io/apimachinery/pkg/labels.
pub fn is_label_selector(text: &str) -> bool {
    requirements(text).is_some()
}

/// Whether a text selects something by its labels; `None` where it is no selector. `label` tells the value of a label.
pub fn selects<'l>(text: &str, label: impl Fn(&str) -> Option<&'l str>) -> Option<bool> {
    Some(requirements(text)?.iter().all(|requirement| requirement.is_met(label(requirement.key))))
}

/// What a selector asks of one label.
struct Requirement<'a> {
    key: &'a str,
    demand: Demand<'a>,
}

enum Demand<'a> {
    Of(Operator, Vec<&'a str>),
    Above(i64),
    Below(i64),
}

impl Requirement<'_> {
    /// `Requirement.Matches` of k8s.io/apimachinery/pkg/labels.
    fn is_met(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|label| label.parse::<i64>().ok());
        match &self.demand {
            Demand::Of(operator, values) => operator.may_match(Label::of(label), values.iter().copied()),
            Demand::Above(bound) => number().is_some_and(|number| number > *bound),
            Demand::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn requirements(text: &str) -> Option<Vec<Requirement<'_>>> {
    let (mut depth, mut start, mut requirements) = (0_u32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                requirements.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    requirements.push(&text[start..]);
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    (depth == 0).then(|| requirements.into_iter().map(requirement).collect())?
}

fn requirement(text: &str) -> Option<Requirement<'_>> {
    let text = text.trim();
    let (key, demand) = if let Some(key) = text.strip_prefix('!') {
        (key.trim(), Demand::Of(Operator::DoesNotExist, Vec::new()))
    } else if let Some((head, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let mut words = head.split_whitespace();
        let key = words.next().unwrap_or_default();
        let operator = match (words.next(), words.next()) {
            (Some("in"), None) => Operator::In,
            (Some("notin"), None) => Operator::NotIn,
            _ => return None,
        };
        let values: Vec<_> = values.split(',').map(str::trim).collect();
        values.iter().all(|value| name::is_label_value(value)).then_some(())?;
        (key, Demand::Of(operator, values))
    } else if let Some((sign, (key, value))) =
        ["!=", "==", "=", ">", "<"].into_iter().find_map(|sign| Some((sign, text.split_once(sign)?)))
    {
        let value = value.trim();
        let demand = match sign {
            ">" => Demand::Above(value.parse().ok()?),
            "<" => Demand::Below(value.parse().ok()?),
            _ if !name::is_label_value(value) => return None,
            "!=" => Demand::Of(Operator::NotIn, vec![value]),
            _ => Demand::Of(Operator::In, vec![value]),
        };
        (key.trim(), demand)
    } else {
        (text, Demand::Of(Operator::Exists, Vec::new()))
    };
    name::is_qualified_name(key).then_some(Requirement { key, demand })
}

/// Whether a text selects by fields: `status.phase=Running,spec.nodeName!=a`. `ParseSelector` of
/// k8s.io/apimachinery/pkg/fields.
pub fn is_field_selector(text: &str) -> bool {
    text.split(',').all(|term| term.is_empty() || term.contains('='))
}

/// What a selector of streams asks of one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamMatcher<'t> {
    /// The label.
    pub label: &'t str,
    /// `=`, `!=`, `=~` or `!~`.
    pub operator: &'t str,
    /// What stands between the quotes.
    pub value: &'t str,
    /// The quotes are `` ` ``, between which nothing is escaped.
    pub is_raw: bool,
}

impl StreamMatcher<'_> {
    /// The regular expression that the label must match, if it is one and can be told.
    pub fn expression(&self) -> Option<String> {
        let is_one = matches!(self.operator, "=~" | "!~");
        is_one.then(|| if self.is_raw { Some(self.value.to_owned()) } else { unescaped(self.value) }).flatten()
    }

    /// Whether it says what is wanted, and not only what is not.
    fn names_something(&self) -> bool {
        match self.operator {
            "=" => !self.value.is_empty(),
            "=~" => !matches!(self.value, "" | ".*"),
            _ => false,
        }
    }
}

/// The matchers of a selector of streams as LogQL has it; nothing if it is none.
pub fn stream_matchers(text: &str) -> Option<Vec<StreamMatcher<'_>>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut matchers = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (label, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| tail.starts_with(operator))?;
        let quote = tail[operator.len()..].trim_start();
        let (value, tail) = quoted(quote)?;
        if !crate::name::is_metric_label(label) {
            return None;
        }
        matchers.push(StreamMatcher { label, operator, value, is_raw: quote.starts_with('`') });
        match tail.trim_start() {
            "" => return Some(matchers),
            tail => rest = tail.strip_prefix(',')?,
        }
    }
}

/// Whether `text` selects streams as LogQL has it: matchers in braces, of which one at least names something. Loki refuses to
/// look through all streams.
pub fn is_stream_selector(text: &str) -> bool {
    stream_matchers(text).is_some_and(|matchers| matchers.iter().any(StreamMatcher::names_something))
}

/// A text without its escapes; nothing where it has others than those that people write.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        out.push(match c {
            '\\' => match rest.next()? {
                c @ ('\\' | '"') => c,
                'n' => '\n',
                't' => '\t',
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

/// A text in quotes, as it is written, and what comes after it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '`'))?;
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if quote == '"' => is_escaped = true,
            _ if c == quote => return Some((&text[1..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_of_texts() {
        let label = |key: &str| match key {
            "app" => Some("web"),
            "rank" => Some("3"),
            _ => None,
        };
        for (text, expected) in [
            ("", Some(true)),
            ("app=web, rank", Some(true)),
            ("app==api", Some(false)),
            ("app!=api,tier!=a", Some(true)),
            ("app in (api, web),tier notin (a)", Some(true)),
            ("!app", Some(false)),
            ("rank>2,rank<4", Some(true)),
            ("app>2", Some(false)),
            ("app in web", None),
        ] {
            assert_eq!(selects(text, label), expected, "{text}");
        }
    }

    #[test]
    fn selectors_as_texts() {
        for (text, expected) in [
            ("", true),
            ("a=b", true),
            ("a==b,c!=d", true),
            ("a", true),
            ("!a", true),
            ("example.com/a in (b, c),d notin (e)", true),
            ("a in ()", true),
            ("a > 1", true),
            ("a=", true),
            ("a in (b", false),
            ("a in b", false),
            ("a within (b)", false),
            ("a=b)", false),
            ("a=b,", false),
            ("a:b", false),
            ("a=b c", false),
            ("a>b", false),
        ] {
            assert_eq!(is_label_selector(text), expected, "{text}");
        }
        assert!(is_field_selector("status.phase=Running,spec.nodeName!=a"));
        assert!(!is_field_selector("spec.nodeName in (a)"));
    }

    #[test]
    fn streams() {
        for text in [r#"{a="b"}"#, r#"{ a = "b", c!="d" }"#, r#"{a=~"b.+", c!~`d"}`}"#, r#"{a="\"}"}"#] {
            assert!(is_stream_selector(text), "{text}");
        }
        for text in [
            "",
            "{}",
            "a=\"b\"",
            "{a=b}",
            r#"{a="b"#,
            r#"{a!="b"}"#,
            r#"{a=~".*"}"#,
            r#"{a=""}"#,
            r#"{a="b" c="d"}"#,
            r#"{a="b",}"#,
            r#"{1="b"}"#,
        ] {
            assert!(!is_stream_selector(text), "{text}");
        }
    }

    #[test]
    fn matchers_and_their_expressions() {
        let of = |text: &str| stream_matchers(text).map(|all| all.iter().map(StreamMatcher::expression).collect());
        assert_eq!(of(r#"{a="b"}"#), Some(vec![None]));
        assert_eq!(of(r#"{a=~"b\\.\"c", d!~`\.`}"#), Some(vec![Some(r#"b\."c"#.to_owned()), Some(r"\.".to_owned())]));
        assert_eq!(of(r#"{a=~"\x41"}"#), Some(vec![None]));
        assert_eq!(of(r#"{a!="b"}"#), Some(vec![None]));
        assert_eq!(of("{a}"), None);
    }
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
