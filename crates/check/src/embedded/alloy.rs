//! Components of Alloy: whether there are such, with such settings, and whether what they refer to is there.
//!
//! `crates/check/configurations/alloy.txt` lists them, and says of which versions. Of other versions that alone is told which
//! is surely a slip: a name that is nearly a known one.

use super::file::{File, Syntax};
use super::syntax::Read;
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::relabeling::ACTIONS;
use crate::rule::rules;
use crate::schema::pattern::is_expression;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque, hash_map};
use std::sync::OnceLock;
use vigil_alloy::{Block, Named, Outline, Setting, Value};
use vigil_forms::duration;
use vigil_yaml::Quoted;
use vigil_yaml::words::{counted, list, nearest};

rules! {
    COMPONENT "alloy-component" Error Program "every component of Alloy is known, with its settings, and so is what it refers to"
}

/// The versions that the list holds everything of: those that `tools/configurations/generate` reads.
const LISTED: [(u32, u32); 2] = [(1, 10), (1, 11)];

/// Blocks of a file that are no components: `internal/runtime` and `internal/service` of Alloy.
const OTHERS: [&str; 12] = [
    "argument",
    "declare",
    "export",
    "foreach",
    "http",
    "import.file",
    "import.git",
    "import.http",
    "import.string",
    "livedebugging",
    "logging",
    "remotecfg",
];

/// Where settings are made of what is told elsewhere.
const MODULES: [&str; 6] = ["declare", "foreach", "import.file", "import.git", "import.http", "import.string"];

/// What Kubernetes is asked for: `discovery/kubernetes` of github.com/prometheus/prometheus.
const ROLES: [&str; 6] = ["node", "pod", "service", "endpoints", "endpointslice", "ingress"];

/// The functions of `internal/stdlib` of github.com/grafana/alloy/syntax 0.1.1, with the least and the most arguments that each
/// takes; those without a dot are deprecated, but for two.
const FUNCTIONS: [(&str, usize, usize); 43] = [
    ("array.combine_maps", 3, 3),
    ("array.concat", 0, usize::MAX),
    ("array.group_by", 3, 3),
    ("base64_decode", 1, 1),
    ("coalesce", 0, usize::MAX),
    ("concat", 0, usize::MAX),
    ("convert.nonsensitive", 1, 1),
    ("encoding.from_URLbase64", 1, 1),
    ("encoding.from_base64", 1, 1),
    ("encoding.from_json", 1, 1),
    ("encoding.from_yaml", 1, 1),
    ("encoding.to_URLbase64", 1, 1),
    ("encoding.to_base64", 1, 1),
    ("encoding.to_json", 1, 1),
    ("encoding.url_decode", 1, 1),
    ("encoding.url_encode", 1, 1),
    ("env", 1, 1),
    ("file.path_join", 0, usize::MAX),
    ("format", 1, usize::MAX),
    ("join", 2, 2),
    ("json_decode", 1, 1),
    ("json_path", 2, 2),
    ("nonsensitive", 1, 1),
    ("replace", 3, 3),
    ("split", 2, 2),
    ("string.format", 1, usize::MAX),
    ("string.join", 2, 2),
    ("string.replace", 3, 3),
    ("string.split", 2, 2),
    ("string.to_lower", 1, 1),
    ("string.to_upper", 1, 1),
    ("string.trim", 2, 2),
    ("string.trim_prefix", 2, 2),
    ("string.trim_space", 1, 1),
    ("string.trim_suffix", 2, 2),
    ("sys.env", 1, 1),
    ("to_lower", 1, 1),
    ("to_upper", 1, 1),
    ("trim", 2, 2),
    ("trim_prefix", 2, 2),
    ("trim_space", 1, 1),
    ("trim_suffix", 2, 2),
    ("yaml_decode", 1, 1),
];

/// What may stand in a component or a block: settings and blocks, by name.
type Fields = BTreeMap<&'static str, Field>;

struct Field {
    is_block: bool,
    is_needed: bool,
    /// The sort of a setting's value; the type of a block.
    sort: &'static str,
}

struct Component {
    takes: &'static str,
    gives: &'static str,
}

/// All that is known of components.
#[derive(Default)]
struct Known {
    components: HashMap<&'static str, Component>,
    types: HashMap<&'static str, Fields>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut known = Known::default();
        let mut current = "";
        for line in include_str!("../../configurations/alloy.txt").lines() {
            let words: Vec<&'static str> = line.split(' ').collect();
            match words[..] {
                ["component", name, takes, gives] => drop(known.components.insert(name, Component { takes, gives })),
                ["type", name] => {
                    current = name;
                    known.types.insert(name, Fields::new());
                }
                [kind @ ("attr" | "block"), name, sort] => {
                    let is_needed = name.ends_with('!');
                    let field = Field { is_block: kind == "block", is_needed, sort };
                    known.types.entry(current).or_default().insert(name.trim_end_matches('!'), field);
                }
                _ => {}
            }
        }
        known
    })
}

/// A file that an Alloy reads, with the others that are read with it.
struct Judge<'w, 'f, 'a> {
    file: &'w File<'a>,
    outline: &'w Outline,
    /// The version is one of those that everything is known of.
    is_listed: bool,
    findings: &'f mut Findings,
}

/// Judges all files of Alloy.
pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    let files: Vec<&File<'_>> = read.iter().map(|read| read.file).filter(|file| file.syntax == Syntax::Alloy).collect();
    let of_object = |object: &Object<'_>| std::ptr::from_ref(object.node);
    let outlines: Vec<Option<Outline>> =
        files.iter().map(|file| vigil_alloy::outline(&file.source).ok().filter(|_| !file.is_template())).collect();
    for (file, outline) in files.iter().zip(&outlines) {
        let Some(outline) = outline else { continue };
        let version =
            world.readers(&file.object).find(|reader| reader.name == "alloy").and_then(|reader| reader.version);
        let is_listed = version.is_some_and(|version| LISTED.contains(&version));
        let mut judge = Judge { file, outline, is_listed, findings };
        judge.blocks();
        judge.calls();
        // All files of a directory are one configuration.
        let beside =
            files.iter().zip(&outlines).filter(|(other, _)| of_object(&other.object) == of_object(&file.object));
        let beside: Option<Vec<&Outline>> = beside.map(|(_, outline)| outline.as_ref()).collect();
        if let Some(beside) = beside {
            judge.references(&beside);
            judge.cycles(&beside);
        }
    }
}

impl Judge<'_, '_, '_> {
    fn add(&mut self, at: &Named, message: String) -> &mut Finding {
        self.file.add_at(&COMPONENT, &at.span, message, self.findings)
    }

    fn is_modular(outline: &Outline) -> bool {
        outline.blocks.iter().any(|block| MODULES.contains(&block.kind.as_str()))
    }

    fn blocks(&mut self) {
        let outline = self.outline;
        let mut seen = HashSet::new();
        // The type of what each block holds, where it is known.
        let mut types: Vec<Option<&'static str>> = Vec::new();
        for (number, block) in outline.blocks.iter().enumerate() {
            let of = match block.parent {
                None => self.component(block, &mut seen),
                Some(parent) => types.get(parent).copied().flatten().and_then(|of| self.inner(block, of)),
            };
            types.push(of);
            if let Some(fields) = of.and_then(|of| known().types.get(of)) {
                self.settings(number, block, fields);
            }
        }
    }

    /// A block that stands in no other; the type of what it holds.
    fn component(&mut self, block: &Block, seen: &mut HashSet<String>) -> Option<&'static str> {
        let kind = block.kind.as_str();
        let Some((_, component)) = known().components.get_key_value(kind) else {
            let near = nearest(kind, known().components.keys().copied().chain(OTHERS).collect::<Names>());
            let is_own = OTHERS.contains(&kind) || Self::is_modular(self.outline);
            if !is_own && (self.is_listed || near.is_some()) {
                let finding = self.add(&block.named, format!("there is no component {}", Quoted(kind)));
                match near {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help("Alloy does not load its configuration"),
                };
            }
            return None;
        };
        if !block.is_labelled {
            self.add(&block.named, format!("the component {} has no label", Quoted(kind)))
                .label("expected a name in quotes behind it")
                .help("others refer to it by this name, and Alloy does not load a component without one");
        } else if !seen.insert(block.named.name.clone()) {
            self.add(&block.named, format!("there are two components {}", Quoted(&block.named.name)))
                .help("give each a label of its own");
        }
        Some(component.takes)
    }

    /// A block in another, whose type is `of`; the type of what it holds.
    fn inner(&mut self, block: &Block, of: &'static str) -> Option<&'static str> {
        let kind = block.kind.strip_prefix("dynamic.").unwrap_or(&block.kind);
        let fields = known().types.get(of)?;
        match fields.get(kind) {
            Some(field) if field.is_block => return Some(field.sort),
            Some(_) => {
                self.add(&block.named, format!("{} is a setting, and no block", Quoted(kind)))
                    .label(format!("expected `{kind} = …`"));
            }
            None => self.unknown(&block.named, "block", kind, fields),
        }
        None
    }

    fn unknown(&mut self, at: &Named, what: &str, name: &str, fields: &'static Fields) {
        let is_block = what == "block";
        let names = fields.iter().filter(|(_, field)| field.is_block == is_block).map(|(name, _)| *name);
        let near = nearest(name, names.collect::<Names>());
        if near.is_none() && !self.is_listed {
            return;
        }
        let finding = self.add(at, format!("there is no {what} {} here", Quoted(name)));
        match near {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help("Alloy does not load its configuration"),
        };
    }

    fn settings(&mut self, number: usize, block: &Block, fields: &'static Fields) {
        for setting in &block.settings {
            match fields.get(setting.named.name.as_str()) {
                Some(field) if field.is_block => {
                    let name = &setting.named.name;
                    self.add(&setting.named, format!("{} is a block, and no setting", Quoted(name)))
                        .label(format!("expected `{name} {{ … }}`"));
                }
                Some(field) => self.value(setting, field.sort),
                None => self.unknown(&setting.named, "setting", &setting.named.name, fields),
            }
        }
        let is_there = |name: &str, is_block: bool| {
            let inner = || self.outline.blocks.iter().filter(|inner| inner.parent == Some(number));
            if is_block {
                inner().any(|inner| inner.kind.ends_with(name))
            } else {
                block.settings.iter().any(|it| it.named.name == name)
            }
        };
        let needed = fields.iter().filter(|(_, field)| field.is_needed);
        let missing: Vec<&str> =
            needed.filter(|(name, field)| !is_there(name, field.is_block)).map(|(name, _)| *name).collect();
        // A misspelt one is told as such.
        let is_misspelt = |name: &&str| block.settings.iter().any(|it| nearest(&it.named.name, [*name]).is_some());
        for name in missing.into_iter().filter(|name| !is_misspelt(name)) {
            self.add(&block.named, format!("{} without {}", Quoted(&block.kind), Quoted(name)))
                .help(format!("add `{name}`: Alloy does not load its configuration without it"));
        }
        self.expressions(block);
        if block.kind == "prometheus.scrape" {
            self.timeout(block);
        }
    }

    /// Regular expressions and actions of relabelings and stages, and roles of discoveries.
    fn expressions(&mut self, block: &Block) {
        for setting in &block.settings {
            let Value::Text(text) = &setting.value else { continue };
            let at = Named { name: setting.named.name.clone(), span: setting.span.clone() };
            match setting.named.name.as_str() {
                "regex" | "expression"
                    if block.kind == "rule" || matches!(block.kind.as_str(), "stage.regex" | "stage.replace") =>
                {
                    let text = text.replace("\\\\", "\\").replace("\\\"", "\"");
                    if !is_expression(&text) {
                        self.add(&at, format!("{} is not a valid regular expression", Quoted(&text)))
                            .label("expected the syntax of Go's `regexp`");
                    }
                }
                "role" if block.kind == "discovery.kubernetes" && !ROLES.contains(&text.as_str()) => {
                    let finding = self.add(&at, format!("there is no role {}", Quoted(text)));
                    match nearest(text, ROLES) {
                        Some(near) => finding.label(format!("did you mean `{near}`?")),
                        None => finding.label(format!("expected {}", list(&ROLES, "or"))),
                    };
                }
                "action" if block.kind == "rule" && !ACTIONS.contains(&text.to_ascii_lowercase().as_str()) => {
                    let finding = self.add(&at, format!("there is no action {}", Quoted(text)));
                    if let Some(near) = nearest(text, ACTIONS) {
                        finding.label(format!("did you mean `{near}`?"));
                    }
                }
                _ => {}
            }
        }
    }

    fn timeout(&mut self, block: &Block) {
        let of = |name: &str| {
            let setting = block.settings.iter().find(|it| it.named.name == name)?;
            let Value::Text(text) = &setting.value else { return None };
            Some((setting, text, duration::go(text).ok()?))
        };
        if let (Some((setting, text, timeout)), Some((_, between, interval))) =
            (of("scrape_timeout"), of("scrape_interval"))
            && timeout > interval
        {
            self.add(
                &setting.named,
                format!("`scrape_timeout` {} greater than `scrape_interval` {}", Quoted(text), Quoted(between)),
            )
            .help("take the same or less");
        }
    }

    fn value(&mut self, setting: &Setting, sort: &str) {
        let expected = match (sort, &setting.value) {
            (_, Value::Expression)
            | ("bool", Value::Boolean)
            | ("string", Value::Text(_))
            | ("number", Value::Number)
            | ("list", Value::List) => None,
            ("bool", _) => Some("`true` or `false`"),
            ("string", Value::Boolean | Value::Number | Value::List) => Some("a text in quotes"),
            ("number", Value::Boolean | Value::List) => Some("a number"),
            ("list", Value::Boolean | Value::Number) => Some("a list"),
            ("duration", Value::Text(text)) => {
                duration::go(text).is_err().then_some("a duration such as `30s` or `5m`")
            }
            ("duration", _) => Some("a duration in quotes, such as `\"30s\"`"),
            _ => None,
        };
        if let Some(expected) = expected {
            let at = Named { name: String::new(), span: setting.span.clone() };
            self.add(&at, format!("`{}` is `{}`", setting.named.name, setting.span.text()))
                .label(format!("expected {expected}"));
        }
    }

    /// Functions of the standard library, and how many arguments each takes.
    fn calls(&mut self) {
        for call in &self.outline.calls {
            let name = call.named.name.as_str();
            let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
                let near = nearest(name, FUNCTIONS.map(|(known, ..)| known));
                let is_exported = Self::is_modular(self.outline) || known_as_component(name);
                if !is_exported && (self.is_listed || near.is_some()) {
                    let finding = self.add(&call.named, format!("there is no function {}", Quoted(name)));
                    match near {
                        Some(near) => finding.label(format!("did you mean `{near}`?")),
                        None => finding.help("Alloy does not load its configuration"),
                    };
                }
                continue;
            };
            if !(*least..=*most).contains(&call.arguments) {
                let expected = match (least, most) {
                    (least, most) if least == most => counted(*least, "argument"),
                    (least, _) => format!("{} or more", counted(*least, "argument")),
                };
                self.add(&call.named, format!("{} with {}", Quoted(name), counted(call.arguments, "argument")))
                    .label(format!("expected {expected}"));
            }
        }
    }

    /// Components that wait for each other: told at each that is in this file.
    fn cycles(&mut self, beside: &[&Outline]) {
        if beside.iter().any(|outline| Self::is_modular(outline)) {
            return;
        }
        let edges = edges(beside);
        for block in self.outline.blocks.iter().filter(|block| block.is_outermost) {
            let name = block.named.name.as_str();
            let Some(way) = way_back(&edges, name) else { continue };
            let message = match way.as_slice() {
                [] => format!("{} refers to itself", Quoted(name)),
                way => format!("{} waits for itself, by way of {}", Quoted(name), list(way, "and")),
            };
            self.add(&block.named, message)
                .help("take one of the references away: Alloy does not load its configuration");
        }
    }

    /// Names of other components, in the files `beside` this one.
    fn references(&mut self, beside: &[&Outline]) {
        if beside.iter().any(|outline| Self::is_modular(outline)) {
            return;
        }
        let declared: HashSet<&str> = beside
            .iter()
            .flat_map(|outline| outline.blocks.iter().filter(|block| block.is_outermost))
            .map(|block| block.named.name.as_str())
            .collect();
        for reference in &self.outline.references {
            let parts: Vec<&str> = reference.name.split('.').collect();
            let kind = (1..parts.len())
                .rev()
                .find_map(|length| known().components.get_key_value(parts[..length].join(".").as_str()));
            let Some((kind, component)) = kind else { continue };
            let rest = &parts[kind.split('.').count()..];
            let name = format!("{kind}.{}", rest[0]);
            if !declared.contains(name.as_str()) {
                let mut names: Vec<&str> = declared.iter().copied().filter(|it| it.starts_with(*kind)).collect();
                names.sort_unstable();
                let finding = self.add(reference, format!("there is no component {}", Quoted(&name)));
                match nearest(&name, names.iter().copied()).or_else(|| names.first().copied()) {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help("add it, or correct the name: Alloy does not load its configuration"),
                };
            } else if let (Some(export), Some(fields)) = (rest.get(1), known().types.get(component.gives))
                && !fields.contains_key(export)
            {
                let names: Vec<&str> = fields.keys().copied().collect();
                self.add(reference, format!("{} exports no {}", Quoted(&name), Quoted(export)))
                    .label(format!("expected {}", list(&names, "or")));
            }
        }
    }
}

/// Whether a name begins with that of a component: what that exports may be a function.
fn known_as_component(name: &str) -> bool {
    known().components.keys().any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.')))
}

/// Which components refer to which.
fn edges<'o>(outlines: &[&'o Outline]) -> HashMap<&'o str, Vec<&'o str>> {
    let mut edges: HashMap<&str, Vec<&str>> = HashMap::new();
    let blocks = || outlines.iter().flat_map(|outline| outline.blocks.iter().filter(|block| block.is_outermost));
    let declared: HashSet<&str> = blocks().map(|block| block.named.name.as_str()).collect();
    for outline in outlines {
        let outermost: Vec<&Block> = outline.blocks.iter().filter(|block| block.is_outermost).collect();
        for reference in &outline.references {
            let at = reference.span.range.start;
            // What stands behind the name of one block, and not behind that of the next.
            let Some(of) = outermost.iter().rfind(|block| block.named.span.range.start <= at) else { continue };
            let ends = reference.name.match_indices('.').map(|(end, _)| &reference.name[..end]);
            if let Some(to) = ends.rev().find_map(|name| declared.get(name)) {
                edges.entry(of.named.name.as_str()).or_default().push(to);
            }
        }
    }
    edges
}

/// The components between one and itself, on the shortest way along its references; nothing where none leads back.
fn way_back<'o>(edges: &HashMap<&'o str, Vec<&'o str>>, from: &'o str) -> Option<Vec<&'o str>> {
    // From where each was come to first.
    let mut reached: HashMap<&str, &str> = HashMap::new();
    let mut ahead = VecDeque::from([from]);
    while let Some(at) = ahead.pop_front() {
        for to in edges.get(at).into_iter().flatten() {
            if *to == from {
                let mut way: Vec<_> = std::iter::successors(Some(at), |at| reached.get(at).copied())
                    .take_while(|at| *at != from)
                    .collect();
                way.reverse();
                return Some(way);
            }
            if let hash_map::Entry::Vacant(first) = reached.entry(to) {
                first.insert(at);
                ahead.push_back(to);
            }
        }
    }
    None
}

/// Names in their order: of two that are as near the first is told.
type Names = BTreeSet<&'static str>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_named_is_listed() {
        let Known { components, types } = known();
        assert!(components.len() > 100);
        let named = components.values().flat_map(|it| [it.takes, it.gives]);
        let blocks = types.values().flat_map(|fields| fields.values()).filter(|field| field.is_block);
        for name in named.chain(blocks.map(|field| field.sort)).filter(|name| *name != "-") {
            assert!(types.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_block_that_holds_its_own_kind_holds_all_others_too() {
        let Known { components, types } = known();
        let stages = |of: &str| {
            let names = types[of].keys().copied().filter(|name| name.starts_with("stage."));
            names.collect::<Vec<_>>()
        };
        let process = components["loki.process"].takes;
        assert_eq!(stages(types[process]["stage.match"].sort), stages(process));
    }

    #[test]
    fn a_component_whose_name_is_a_constant_of_its_source_is_listed() {
        assert!(known().components.contains_key("prometheus.relabel"));
    }
}
