//! The problems of a stack, each at the place of the keys that it speaks of.

use vigil_yaml::{Data, Node, Place, Problem, Severity, Span};

/// The problems found so far. Each speaks of the dotted paths of keys: first the one to be changed, then those that it
/// does not go together with.
pub struct Findings<'a> {
    root: &'a Node,
    /// Paths whose values are not what their author meant: what a rule said of them would be about the default.
    doubtful: &'a [String],
    problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(root: &'a Node, doubtful: &'a [String]) -> Self {
        Self { root, doubtful, problems: Vec::new() }
    }

    /// Notes, warnings and errors, each in the order of the text.
    pub(crate) fn split(self) -> [Vec<Problem>; 3] {
        let mut problems = self.problems;
        Problem::sort(&mut problems);
        let of = |severity| problems.iter().filter(|problem| problem.severity == severity).cloned().collect();
        [of(Severity::Note), of(Severity::Warning), of(Severity::Error)]
    }

    pub(crate) fn error(&mut self, paths: &[&str], message: impl Into<String>, label: &str, help: &str) {
        self.push(paths, Problem::error(message, self.place(paths)).label(label).help(help));
    }

    pub(crate) fn warning(&mut self, paths: &[&str], message: impl Into<String>, label: &str, help: &str) {
        self.push(paths, Problem::warning(message, self.place(paths)).label(label).help(help));
    }

    pub(crate) fn note(&mut self, paths: &[&str], message: impl Into<String>, label: &str, help: &str) {
        let problem = Problem { severity: Severity::Note, ..Problem::warning(message, self.place(paths)) };
        self.push(paths, problem.label(label).help(help));
    }

    fn push(&mut self, paths: &[&str], problem: Problem) {
        // Messages call an item `list[0]`; rules find it at `list.0`.
        let doubtful = |path: &str| paths.iter().any(|known| overlap(&path.replace('[', ".").replace(']', ""), known));
        if !self.doubtful.iter().any(|path| doubtful(path)) {
            self.problems.push(problem);
        }
    }

    /// Whether the text says `path`, or leaves it to the default.
    pub(crate) fn says(&self, path: &str) -> bool {
        find(self.root, path).is_some_and(|(_, whole)| whole)
    }

    /// The keys that the text says below `path`, in its order.
    pub(crate) fn keys(&self, path: &str) -> Vec<String> {
        let names = path.split('.').filter(|name| !name.is_empty());
        let node = names.into_iter().try_fold(self.root, |node, name| node.entry(name).map(|entry| &entry.value));
        match node.map(|node| &node.data) {
            Some(Data::Map(entries)) => entries.iter().map(|entry| entry.key.text.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The first of `paths` that the text says; otherwise the nearest key above one; otherwise the file.
    pub(crate) fn place(&self, paths: &[&str]) -> Place {
        let found = |wanted: bool| {
            let mut places = paths.iter().filter_map(|path| find(self.root, path));
            places.find(|(_, whole)| *whole == wanted).map(|(span, _)| span)
        };
        let file = || Place::File(self.root.span.source.name.clone());
        found(true).or_else(|| found(false)).map_or_else(file, Place::Text)
    }
}

/// Whether one path is the other or lies below it.
fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| short.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The place that `path` names, a number naming an item of a list, and whether it is found wholly. `None` when the
/// text does not even say its first key.
pub(crate) fn find(root: &Node, path: &str) -> Option<(Span, bool)> {
    let mut node = root;
    let mut place = None;
    let mut rest = path;
    while !rest.is_empty() {
        let Some((key, value, below)) = step(node, rest) else { return place.map(|place| (place, false)) };
        (node, rest) = (value, below);
        place = match &node.data {
            Data::Scalar(_) if !node.span.range.is_empty() => Some(node.span.clone()),
            _ => Some(key.clone()),
        };
    }
    place.map(|place| (place, true))
}

/// What stands at `path`.
pub(crate) fn at<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    let (mut node, mut rest) = (root, path);
    while !rest.is_empty() {
        (_, node, rest) = step(node, rest)?;
    }
    Some(node)
}

/// The first key or item that `path` names: its place, its value, and the rest of the path.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(&'n Span, &'n Node, &'p str)> {
    // A key may hold dots itself, such as a section of a program's settings.
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let (place, value, end) = match &node.data {
        Data::Map(_) => ends.into_iter().find_map(|end| {
            let entry = node.entry(&path[..end])?;
            Some((&entry.key.span, &entry.value, end))
        }),
        Data::List(items) => ends.into_iter().next().and_then(|end| {
            let item = items.get(path[..end].parse::<usize>().ok()?)?;
            Some((&item.span, item, end))
        }),
        Data::Scalar(_) => None,
    }?;
    Some((place, value, path[end..].trim_start_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn paths_overlap_where_one_lies_below_the_other() {
        for (one, other, expected) in [
            ("", "loki", true),
            ("loki", "loki", true),
            ("loki.image", "loki", true),
            ("pods.tolerations", "pods.tolerations[1].effect", true),
            ("loki", "loki-stack", false),
            ("loki.image", "loki.retention", false),
        ] {
            assert_eq!((overlap(one, other), overlap(other, one)), (expected, expected), "{one} and {other}");
        }
    }

    #[test]
    fn a_finding_stands_where_the_text_says_most() {
        let root = read_one(&Source::new("t", "a:\n  b: [x, {c: y}]\n  d:\n  e.f: {g: h}\n"), &Limits::default());
        let root = root.unwrap().unwrap();
        let findings = Findings::new(&root, &[]);
        let place = |paths: &[&str]| match findings.place(paths) {
            Place::Text(span) => format!("{span:?} {}", span.text()),
            Place::File(name) => name,
        };
        assert_eq!(place(&["a.b.1.c"]), "t:2:14 y");
        assert_eq!(place(&["a.b.0", "a"]), "t:2:7 x");
        assert_eq!(place(&["a.b"]), "t:2:3 b");
        assert_eq!(place(&["a.d"]), "t:3:3 d");
        assert_eq!(place(&["a.x", "a.b.7", "a.d"]), "t:3:3 d");
        assert_eq!(place(&["a.x"]), "t:1:1 a");
        assert_eq!(place(&["a.e.f.g"]), "t:4:12 h");
        assert_eq!(place(&["x.y"]), "t");
    }
}
