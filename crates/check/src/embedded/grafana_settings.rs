//! Grafana's own configuration: `grafana.ini`, the variables that stand for its keys, and provisioning files.
//!
//! `crates/check/configurations/grafana.ini` lists sections, keys and what they hold. Grafana passes over what it does
//! not know, and takes its default for what it cannot read: a slip changes nothing, and nobody is told.

use super::configuration::{Keys, Walk};
use super::file::{File, Syntax};
use super::grafana::Loaded;
use super::syntax::Read;
use crate::fields::items;
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use crate::world::template::PodTemplate;
use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;
use vigil_forms::duration;
use vigil_forms::ini::{self, Says};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Quoted, Span};

rules! {
    KEY "grafana-key" Warning Nobody "every section and key of grafana.ini is known to Grafana"
    VALUE "grafana-value" Warning Nobody "every value of grafana.ini has the type that Grafana reads"
}

/// The versions of Grafana whose keys are listed.
const VERSIONS: ((u32, u32), (u32, u32)) = ((10, 0), (12, 3));

/// The levels of what Grafana logs.
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "critical"];

/// What the image's own script reads.
const SCRIPT: [&str; 6] =
    ["GF_PATHS_CONFIG", "GF_PATHS_HOME", "GF_INSTALL_PLUGINS", "GF_INSTALL_IMAGE_RENDERER_PLUGIN", "GF_UID", "GF_GID"];

type Section = BTreeMap<&'static str, &'static str>;

/// All that Grafana can be told.
struct Settings {
    sections: BTreeMap<&'static str, Section>,
    /// The variables that stand for a key, with what it holds.
    variables: BTreeMap<String, &'static str>,
    /// What the variables of sections begin with; whether the section takes any key.
    prefixes: BTreeMap<String, bool>,
}

impl Settings {
    fn get() -> &'static Self {
        static SETTINGS: OnceLock<Settings> = OnceLock::new();
        SETTINGS.get_or_init(|| {
            let mut sections: BTreeMap<_, Section> = BTreeMap::new();
            let mut current = "";
            for line in ini::lines(include_str!("../../configurations/grafana.ini")) {
                match line.says {
                    Says::Section { name, .. } => {
                        current = name;
                        sections.entry(name).or_default();
                    }
                    Says::Key { key, value, .. } => {
                        sections.entry(current).or_default().insert(key, value);
                    }
                    Says::OpenSection | Says::NoValue => {}
                }
            }
            let mut settings = Self { sections, variables: BTreeMap::new(), prefixes: BTreeMap::new() };
            let (mut variables, mut prefixes) = (BTreeMap::new(), BTreeMap::new());
            for name in settings.sections.keys().filter(|name| !name.starts_with('=')) {
                let Some(keys) = settings.keys(name) else { continue };
                let prefix = if name.is_empty() { "DEFAULT" } else { name.trim_end_matches(".*") };
                let prefix = format!("GF_{}_", upper(prefix));
                let held = keys.iter().filter(|(key, _)| **key != "*");
                variables.extend(held.map(|(key, sort)| (prefix.clone() + &upper(key), *sort)));
                *prefixes.entry(prefix).or_default() |= keys.contains_key("*");
            }
            (settings.variables, settings.prefixes) = (variables, prefixes);
            settings
        })
    }

    /// The keys of a section of this name.
    fn keys(&self, name: &str) -> Option<&Section> {
        let matching = || {
            let mut parents = name.match_indices('.').map(|(at, _)| &name[..at]).rev();
            parents.find_map(|parent| self.sections.get(format!("{parent}.*").as_str()))
        };
        let own = self.sections.get(name).or_else(matching)?;
        let shared = own.get("*").filter(|value| value.starts_with('['));
        shared.map_or(Some(own), |shared| self.sections.get(shared.trim_matches(['[', ']'])))
    }

    /// What a key of a section holds; `any` where the section takes any key.
    fn sort(&self, section: &str, keys: &Section, key: &str) -> Option<&'static str> {
        let own = keys.get(key).or_else(|| keys.get("*")).copied();
        // A section has what the section above it has, and so a key may stand there for all below.
        let below = || {
            let mut below = self.sections.iter().filter(|(name, _)| {
                name.strip_prefix(section).is_some_and(|rest| !section.is_empty() && rest.starts_with('.'))
            });
            below.find_map(|(_, keys)| keys.get(key)).copied()
        };
        own.or_else(below)
    }

    /// The sections that have such a key.
    fn sections_with(&self, key: &str) -> Vec<&'static str> {
        let named = self.sections.iter().filter(|(name, keys)| !name.starts_with('=') && keys.contains_key(key));
        named.map(|(name, _)| *name).collect()
    }
}

fn upper(name: &str) -> String {
    name.replace(['.', '-'], "_").to_uppercase()
}

/// Judges what Grafanas of known versions are configured by.
pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    let is_known = |program: Program<'_>| {
        program.is_grafana() && program.version.is_some_and(|it| VERSIONS.0 <= it && it <= VERSIONS.1)
    };
    for Read { file, .. } in read.iter().filter(|read| read.file.syntax == Syntax::GrafanaIni) {
        if world.readers(&file.object).any(is_known) {
            ini(file, findings);
        }
    }
    for object in &world.set.objects {
        let Some(template) = PodTemplate::of(object).filter(|_| !object.damaged) else { continue };
        for container in template.containers() {
            if Program::of(container).is_some_and(is_known) {
                variables(object, container, findings);
            }
        }
    }
}

fn ini(file: &File<'_>, findings: &mut Findings) {
    let settings = Settings::get();
    let mut section = "";
    let mut keys = settings.keys(section);
    for line in file.ini_lines() {
        match line.says {
            Says::OpenSection | Says::NoValue => {}
            Says::Section { name, at } => {
                section = if name == "DEFAULT" { "" } else { name };
                keys = settings.keys(section);
                if keys.is_none() {
                    let message = format!("Grafana has no section {}", Quoted(name));
                    let finding = file.add_at(&KEY, &Span::new(&file.source, at), message, findings);
                    let known = settings.sections.keys().copied().filter(|known| !known.contains(['*', '=']));
                    suggest(finding, nearest(name, known));
                }
            }
            Says::Key { key, at, value, value_at, .. } => {
                let Some(keys) = keys else { continue };
                let Some(sort) = settings.sort(section, keys, key) else {
                    let place =
                        if section.is_empty() { "above all sections".to_owned() } else { format!("in `[{section}]`") };
                    let message = format!("Grafana has no key {} {place}", Quoted(key));
                    let finding = file.add_at(&KEY, &Span::new(&file.source, at), message, findings);
                    suggest(finding, nearest(key, keys.keys().copied()));
                    if let ([other], None) = (settings.sections_with(key).as_slice(), &finding.label) {
                        finding.help(format!("move it to `[{other}]`; Grafana passes over it here"));
                    }
                    continue;
                };
                if let Err(expected) = fits(value, sort) {
                    let message = format!("{} is {}", Quoted(key), Quoted(value));
                    let at = if value_at.is_empty() { at } else { value_at };
                    let finding = file.add_at(&VALUE, &Span::new(&file.source, at), message, findings);
                    finding.label(expected).help("Grafana takes its default, or does not start");
                }
            }
        }
    }
}

fn suggest(finding: &mut Finding, near: Option<&str>) {
    match near {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding.help("remove it; Grafana passes over what it does not know"),
    };
}

/// The variables of a container, each of which stands for a key.
fn variables(object: &Object<'_>, container: &Node, findings: &mut Findings) {
    let settings = Settings::get();
    for variable in items(container, "env") {
        let Some(at) = variable.get("name") else { continue };
        let Some(whole) = at.text().filter(|name| name.starts_with("GF_") && !SCRIPT.contains(name)) else { continue };
        // Of a file, the image's script takes what it holds.
        let name = whole.strip_suffix("__FILE").unwrap_or(whole);
        if let Some(sort) = settings.variables.get(name) {
            if let Some(node) = variable.get("value").filter(|_| name == whole)
                && let Some(Err(expected)) = node.text().map(|value| fits(value, sort))
            {
                let message = format!("`{name}` is {}", Quoted(node.text().unwrap_or_default()));
                let finding = findings.add(&VALUE, object, node, message);
                finding.label(expected).help("Grafana takes its default, or does not start");
            }
            continue;
        }
        let sections = settings.prefixes.iter().filter(|(prefix, _)| name.starts_with(prefix.as_str()));
        let sections: Vec<(&String, &bool)> = sections.collect();
        if sections.iter().any(|(_, is_open)| **is_open) {
            continue;
        }
        // Of no section at all it may be somebody else's, unless it is one with a slip.
        let near = nearest(name, settings.variables.keys().map(String::as_str));
        let slips = near.map_or(usize::MAX, |near| strsim::osa_distance(name, near));
        if !sections.is_empty() || slips <= 2 {
            let finding = findings.add(&KEY, object, at, format!("{} stands for no key of Grafana's", Quoted(whole)));
            suggest(finding, near.filter(|_| slips <= 4));
        }
    }
}

/// Whether a value is one of a sort; what is expected if it is not.
fn fits(value: &str, sort: &str) -> Result<(), String> {
    let value = value.trim();
    // Nothing is the default, and what is interpolated is not known here.
    if value.is_empty() || value.contains(['$', '%']) {
        return Ok(());
    }
    let is = |fits: bool, expected: &str| if fits { Ok(()) } else { Err(format!("expected {expected}")) };
    match sort {
        "any" => Ok(()),
        "bool" => is(is_boolean(value), "`true` or `false`"),
        "int" => is(is_integer(value), "a whole number"),
        "number" => is(value.parse::<f64>().is_ok(), "a number"),
        "duration" => is(duration::is_grafana(value), "a time with its unit, such as `30s`"),
        "url" => is(
            value.starts_with('/')
                || value.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()),
            "a URL, such as `https://host`",
        ),
        "level" => is(LEVELS.contains(&value.to_ascii_lowercase().as_str()), &list(&LEVELS, "or")),
        words => {
            let words: Vec<&str> = words.split('|').collect();
            is(words.contains(&value), &list(&words, "or"))
        }
    }
}

/// What Grafana's reader of INI takes for a boolean.
fn is_boolean(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    matches!(lower.as_str(), "1" | "t" | "true" | "y" | "yes" | "on" | "0" | "f" | "false" | "n" | "no" | "off")
}

fn is_integer(value: &str) -> bool {
    let digits = value.trim_start_matches(['+', '-']);
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let is_hexadecimal = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.map_or_else(|| value.parse::<i64>().is_ok(), is_hexadecimal)
}

/// The keys of provisioning files.
fn provisioning() -> Option<&'static Keys<'static>> {
    static KEYS: OnceLock<Option<Keys<'static>>> = OnceLock::new();
    let text = include_str!("../../configurations/grafana-provisioning.json");
    KEYS.get_or_init(|| serde_json::from_str(text).ok()).as_ref()
}

/// Judges the provisioning files that Grafanas load.
pub(super) fn check_provisioning(loaded: &[Loaded<'_, '_, '_>], findings: &mut Findings) {
    let Some(keys) = provisioning() else { return };
    let mut judged: HashSet<*const Node> = HashSet::new();
    for (file, root) in loaded.iter().flat_map(|loaded| &loaded.provisioning) {
        // The keys of version 0 are spelt in another way.
        let is_newest = root.get("apiVersion").and_then(Node::integer).is_some_and(|version| version > 0);
        if !is_newest || !judged.insert(std::ptr::from_ref(*root)) {
            continue;
        }
        let mut walk =
            Walk::new(file, root, keys, &KEY, "remove it; Grafana passes over what it does not know", findings);
        walk.value(root, None, keys.root);
        for source in items(root, "datasources") {
            let kind = source.get("type").and_then(Node::text).unwrap_or_default();
            if let Some(data) = source.get("jsonData").filter(|data| matches!(data.data, Data::Map(_))) {
                walk.value(data, None, &format!("jsonData.{kind}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_read_and_are_whole() {
        let settings = Settings::get();
        for (name, keys) in &settings.sections {
            assert!(settings.keys(name).is_some_and(|keys| !keys.is_empty()), "{name}");
            for (key, sort) in keys.iter().filter(|(_, sort)| !sort.starts_with('[')) {
                let is_named =
                    matches!(*sort, "any" | "bool" | "int" | "number" | "duration" | "url" | "level" | "redis");
                assert!(is_named || sort.contains('|'), "[{name}] {key} = {sort}");
            }
        }
        assert!(settings.variables.len() > 500, "{}", settings.variables.len());
        let keys = provisioning().unwrap();
        for value in keys.types.values().flat_map(|keys| keys.values().copied()).chain([keys.root]) {
            let name = value.trim_start_matches(['[', '{']);
            assert!(
                matches!(name, "" | "." | "bool" | "int" | "bool-text" | "int-text") || keys.types.contains_key(name),
                "{value}"
            );
        }
    }

    #[test]
    fn keys_and_sections() {
        let settings = Settings::get();
        let sort = |section: &str, key: &str| {
            settings.keys(section).map(|keys| settings.sort(section, keys, key).unwrap_or("none"))
        };
        for (section, key, expected) in [
            ("server", "http_port", Some("int")),
            ("server", "http_prot", Some("none")),
            ("", "app_mode", Some("production|development")),
            ("sever", "http_port", None),
            ("auth.github", "client_id", Some("any")),
            ("auth.github", "clientid", Some("none")),
            ("auth.anonymus", "enabled", None),
            ("auth.saml.any", "x", Some("any")),
            ("plugin.some-panel", "x", Some("any")),
            ("feature_toggles", "x", Some("any")),
            ("log", "format", Some("text|console|json")),
            ("external_image_storage", "bucket", Some("any")),
        ] {
            assert_eq!(sort(section, key), expected, "[{section}] {key}");
        }
    }

    #[test]
    fn values() {
        for (value, sort, expected) in [
            ("true", "bool", true),
            ("Off", "bool", true),
            ("ture", "bool", false),
            ("", "bool", true),
            ("${HIDE}", "bool", true),
            ("$__file{/etc/secret}", "int", true),
            ("3000", "int", true),
            ("0660", "int", true),
            ("-1", "int", true),
            ("3000m", "int", false),
            ("7d", "duration", true),
            ("1h30m", "duration", true),
            ("1.5h", "duration", true),
            ("0", "duration", true),
            ("30", "duration", false),
            ("30 s", "duration", false),
            ("1d12h", "duration", false),
            ("s", "duration", false),
            ("%(protocol)s://%(domain)s:%(http_port)s/grafana/", "url", true),
            ("https://grafana.example.com/", "url", true),
            ("grafana.example.com", "url", false),
            ("lax", "lax|strict", true),
            ("Lax", "lax|strict", false),
            ("WARN", "level", true),
            ("loud", "level", false),
        ] {
            assert_eq!(fits(value, sort).is_ok(), expected, "{value}: {sort}");
        }
    }
}
