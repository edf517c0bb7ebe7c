//! The programs that containers run, as far as their images tell.

use std::sync::OnceLock;
use vigil_forms::image::{Image, version};
use vigil_yaml::Node;

/// What is known of some versions of a program, in a text that is read when it is first asked for.
pub(crate) struct Known<T: 'static> {
    /// As its image is called.
    pub(crate) name: &'static str,
    /// The oldest and the newest version that know nothing else.
    pub(crate) versions: ((u32, u32), (u32, u32)),
    text: &'static str,
    read: OnceLock<T>,
}

impl<T> Known<T> {
    pub(crate) const fn new(name: &'static str, versions: ((u32, u32), (u32, u32)), text: &'static str) -> Self {
        Self { name, versions, text, read: OnceLock::new() }
    }

    /// What a list knows of a program of a version, as `read` reads it.
    pub(crate) fn of(
        list: &'static [Self],
        name: &str,
        version: Option<(u32, u32)>,
        read: fn(&'static str) -> T,
    ) -> Option<&'static T> {
        let is_between = |(oldest, newest)| version.is_some_and(|version| (oldest..=newest).contains(&version));
        let known = list.iter().find(|known| known.name == name && is_between(known.versions))?;
        Some(known.read.get_or_init(|| read(known.text)))
    }
}

/// A container, by the program that it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    /// The last part of its image's name, such as `loki`.
    pub(crate) name: &'a str,
    /// Major and minor of the image's tag, if it says them.
    pub(crate) version: Option<(u32, u32)>,
    /// The container.
    pub(crate) container: &'a Node,
}

impl<'a> Program<'a> {
    /// The program of a container; none without an image.
    pub(crate) fn of(container: &'a Node) -> Option<Self> {
        let image = Image::split(container.get("image").and_then(Node::text)?);
        Some(Self { name: image.program(), version: image.tag.and_then(version), container })
    }

    /// Whether it is Grafana.
    pub(crate) fn is_grafana(&self) -> bool {
        matches!(self.name, "grafana" | "grafana-oss" | "grafana-enterprise")
    }

    /// Whether it is the blackbox exporter.
    pub(crate) fn is_blackbox_exporter(&self) -> bool {
        matches!(self.name, "blackbox-exporter" | "blackbox_exporter")
    }

    /// What a flag is set to on its command line, `-name=value` or `-name value` with one dash or two, and the word that
    /// says so. The last one counts.
    pub(crate) fn flag(&self, name: &str) -> Option<(&'a Node, &'a str)> {
        let words = ["command", "args"].into_iter().filter_map(|key| self.container.get(key)).flat_map(Node::items);
        let (mut found, mut is_next) = (None, false);
        for (node, word) in words.filter_map(|node| Some((node, node.text()?))) {
            if is_next {
                found = Some((node, word));
                is_next = false;
                continue;
            }
            let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
            let Some(rest) = flag.and_then(|flag| flag.strip_prefix(name)) else { continue };
            is_next = rest.is_empty();
            found = rest.strip_prefix('=').map(|value| (node, value)).or(found);
        }
        found
    }

    /// Whether its command names this file as the configuration.
    pub(crate) fn is_configured_by(&self, name: &str) -> bool {
        self.flag("config.file").is_some_and(|(_, path)| path.rsplit('/').next() == Some(name))
    }

    /// The memory that it may use, as a quantity.
    pub(crate) fn memory_limit(&self) -> Option<&'a Node> {
        self.container.at(&["resources", "limits", "memory"]).filter(|limit| !limit.is_null())
    }

    /// One of its environment variables; the last of that name counts.
    pub(crate) fn variable(&self, name: &str) -> Option<&'a Node> {
        let variables = self.container.get("env").map(Node::items).unwrap_or_default();
        variables.iter().rfind(|variable| variable.get("name").and_then(Node::text) == Some(name))
    }

    /// The value of a variable, where the container says it itself.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.variable(name)?.get("value")?.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn flags() {
        for (words, expected) in [
            ("[-config.file=/etc/a.yaml]", Some("/etc/a.yaml")),
            ("[--config.file, /etc/a.yaml]", Some("/etc/a.yaml")),
            ("[-config.file=a, --config.file=b]", Some("b")),
            ("[-config.file, -config.file=b]", Some("-config.file=b")),
            ("[---config.file=a, config.file=b, -config.files=c]", None),
            ("[-config.file]", None),
        ] {
            let text = format!("image: loki:3.7.8\nargs: {words}\n");
            let node = read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            let found = Program::of(&node).unwrap().flag("config.file");
            assert_eq!(found.map(|(_, value)| value), expected, "{words}");
        }
    }
}
