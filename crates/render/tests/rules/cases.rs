//! The cases, as their files say them.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use vigil_played::yaml;

/// A file of cases: `prometheus/self` for the rules of `templates/prometheus/rules/self.yaml`.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) rules: Vec<Cases>,
}

/// The cases of one rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cases {
    /// The alert or the recorded series.
    #[serde(alias = "alert", alias = "record")]
    pub(crate) name: String,
    /// Series on which it fires, or that it records something of.
    #[serde(default)]
    pub(crate) fires: Vec<Fires>,
    /// Series on which it never fires.
    #[serde(default)]
    pub(crate) silent: Vec<Silent>,
    /// It fires without any series.
    #[serde(default)]
    pub(crate) without_data: bool,
    /// Why the result may differ when all is scraped twice.
    #[serde(default)]
    pub(crate) not_doubled: Option<String>,
    /// Labels by which what is silent cannot stand beside what fires, and why.
    #[serde(default)]
    pub(crate) alone: BTreeMap<String, String>,
}

/// Series by their selector, each with promtool's notation of its samples, one a minute. A number stands for a series
/// that has it all the time.
pub(crate) type Series = BTreeMap<String, Samples>;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Samples {
    Always(serde_json::Number),
    Notation(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fires {
    #[serde(default)]
    pub(crate) why: String,
    pub(crate) series: Series,
    /// The minute from which on it fires, and before which it does not: `15m`.
    pub(crate) from: String,
    /// All labels but the alert's name and those that its rule sets to a fixed value. One entry for each alert that fires.
    #[serde(default)]
    pub(crate) labels: Vec<BTreeMap<String, String>>,
    /// Its texts, without where its runbook is.
    #[serde(default)]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    /// Which of several rules of one name it is.
    #[serde(default)]
    pub(crate) severity: Option<String>,
    /// What a recorded series holds at `from`: its labels, and its value.
    #[serde(default)]
    pub(crate) samples: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Silent {
    pub(crate) why: String,
    pub(crate) series: Series,
}

/// All files of cases.
pub(crate) fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/cases");
    let mut paths: Vec<PathBuf> = folders(&root).iter().flat_map(|folder| folders(folder)).collect();
    paths.sort();
    paths.iter().map(|path| file(&root, path)).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn file(root: &Path, path: &Path) -> File {
    let name = path.strip_prefix(root).unwrap().with_extension("").to_str().unwrap().to_owned();
    let is_number = |line: &&str| line.split_once(": 0x").is_some_and(|(_, rest)| !rest.contains(' '));
    let text = fs::read_to_string(path).unwrap();
    let number = text.lines().find(is_number);
    assert!(number.is_none(), "{name}: YAML reads a number in base 16, quote it: {}", number.unwrap_or_default());
    File { name, rules: yaml(path) }
}
