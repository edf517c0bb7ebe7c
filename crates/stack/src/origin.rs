//! Where a part of the stack stands, for those who judge it after it has been read.

use vigil_yaml::{Data, Node, Place, Span};

/// The text of a part of the stack. Two parts that say the same are the same, wherever they stand.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<Node>);

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl From<&Node> for Origin {
    fn from(node: &Node) -> Self {
        Self(Some(node.clone()))
    }
}

impl Origin {
    /// Where the text says what stands at a path of keys and positions in this part; the nearest place above it if it does not.
    pub(crate) fn place(&self, path: &[&str]) -> Place {
        self.found(path, |key, value| if matches!(value.data, Data::Scalar(_)) { &value.span } else { key })
    }

    /// The same, of a key itself where it has a value.
    pub(crate) fn key(&self, path: &[&str]) -> Place {
        self.found(path, |key, _| key)
    }

    fn found<'n>(&'n self, path: &[&str], which: impl Fn(&'n Span, &'n Node) -> &'n Span) -> Place {
        let Some(root) = &self.0 else { return Place::File("stack.yaml".to_owned()) };
        let (mut place, mut node) = (&root.span, root);
        for name in path {
            let step = match &node.data {
                Data::Map(_) => node.entry(name).map(|entry| (&entry.key.span, &entry.value)),
                Data::List(items) => {
                    name.parse().ok().and_then(|at: usize| items.get(at)).map(|item| (&item.span, item))
                }
                Data::Scalar(_) => None,
            };
            let Some((key, value)) = step else { break };
            (place, node) = (which(key, value), value);
        }
        Place::Text(first_line(place))
    }
}

/// What a marker is drawn below: an item of a list may be many lines.
fn first_line(span: &Span) -> Span {
    let length = span.text().find('\n').unwrap_or(span.range.len());
    Span::new(&span.source, span.range.start..span.range.start + length)
}
