//! A picture of who connects to whom, in the languages that draw it.

mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use vigil_check::graph::{Connection, End, Why};

/// Boxes by namespace, and arrows between them.
pub(crate) struct Picture {
    /// Every end, with the name that arrows call it by.
    ends: BTreeMap<End, String>,
    arrows: Vec<Connection>,
}

impl Picture {
    pub(crate) fn of(arrows: Vec<Connection>) -> Self {
        let ends: BTreeSet<End> = arrows.iter().flat_map(|it| [it.from.clone(), it.to.clone()]).collect();
        let ends = ends.into_iter().enumerate().map(|(number, end)| (end, format!("n{number}"))).collect();
        Self { ends, arrows }
    }

    /// The pods by their namespaces.
    fn namespaces(&self) -> BTreeMap<&str, Vec<(&String, String, &str)>> {
        let mut namespaces: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (end, id) in &self.ends {
            if let End::Pods { namespace, kind, name } = end {
                let kind = if kind.is_empty() { "of the cluster" } else { kind };
                namespaces.entry(namespace).or_default().push((id, name.clone(), kind));
            }
        }
        namespaces
    }

    /// The ends that are in no namespace.
    fn alone(&self) -> impl Iterator<Item = (&String, &'static str)> {
        self.ends.iter().filter_map(|(end, id)| match end {
            End::Outside => Some((id, "outside")),
            End::ApiServer => Some((id, "API server")),
            End::Pods { .. } => None,
        })
    }

    fn label(arrow: &Connection) -> String {
        match arrow.why {
            // The way in says enough.
            Why::Enters => arrow.ports.join(", "),
            why => format!("{} {}", why.verb(), arrow.ports.join(", ")),
        }
    }

    pub(crate) fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        let quoted = |text: &str| text.replace('"', "#quot;");
        // Writing to a String cannot fail.
        for (id, name) in self.alone() {
            let _ = writeln!(text, "  {id}([\"{name}\"])");
        }
        for (number, (namespace, pods)) in self.namespaces().into_iter().enumerate() {
            let _ = writeln!(text, "  subgraph s{number}[\"{}\"]", quoted(namespace));
            for (id, name, kind) in pods {
                let _ = writeln!(text, "    {id}[\"{}<br/>{kind}\"]", quoted(&name));
            }
            text.push_str("  end\n");
        }
        for arrow in &self.arrows {
            let line = if arrow.why == Why::Scrapes { "-.->" } else { "-->" };
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            let _ = writeln!(text, "  {from} {line}|\"{}\"| {to}", quoted(&Self::label(arrow)));
        }
        text
    }

    pub(crate) fn dot(&self) -> String {
        let mut text = String::from(
            "digraph {\n  rankdir=LR\n  node [shape=box fontname=\"sans-serif\" fontsize=11]\n  \
             edge [fontname=\"sans-serif\" fontsize=9]\n",
        );
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        for (id, name) in self.alone() {
            let _ = writeln!(text, "  {id} [label=\"{name}\" shape=oval]");
        }
        for (number, (namespace, pods)) in self.namespaces().into_iter().enumerate() {
            let name = quoted(namespace);
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label=\"{name}\"\n    fontname=\"sans-serif\"");
            for (id, name, kind) in pods {
                let _ = writeln!(text, "    {id} [label=\"{}\\n{kind}\"]", quoted(&name));
            }
            text.push_str("  }\n");
        }
        for arrow in &self.arrows {
            let style = if arrow.why == Why::Scrapes { " style=dashed" } else { "" };
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            let _ = writeln!(text, "  {from} -> {to} [label=\"{}\"{style}]", quoted(&Self::label(arrow)));
        }
        text + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end(number: usize) -> End {
        match number {
            0 => End::Outside,
            1 => End::ApiServer,
            _ => End::Pods {
                namespace: format!("space-{}", number % 3),
                kind: if number.is_multiple_of(5) { String::new() } else { "Deployment".to_owned() },
                name: format!("<{}>", "name-".repeat(number)),
            },
        }
    }

    fn connection() -> impl Strategy<Value = Connection> {
        let why = prop::sample::select(vec![Why::Enters, Why::IsAsked, Why::Scrapes, Why::Calls, Why::Gossips]);
        (0..14_usize, 0..14_usize, why, prop::collection::vec("[0-9a-z*<& ]{0,30}", 0..3))
            .prop_map(|(from, to, why, ports)| Connection { from: end(from), to: end(to), why, ports })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
        /// Loops, circles, several arrows between two and boxes that nothing leads to are all placed.
        #[test]
        fn whoever_connects_is_drawn(arrows in prop::collection::vec(connection(), 0..40)) {
            let picture = Picture::of(arrows.clone());
            let drawn = picture.svg();
            prop_assert_eq!(drawn.matches("<g class=\"box\">").count(), picture.ends.len());
            prop_assert_eq!(drawn.matches("<g class=\"arrow").count(), arrows.len());
            prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
            prop_assert_eq!(&drawn, &Picture::of(arrows).svg());
        }
    }
}
