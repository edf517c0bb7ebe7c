//! The texts that paths on the command line stand for.
//!
//! A file is read whatever it is called, and `-` is standard input. A directory with a kustomization means what
//! `kubectl apply -k` would take of it; in one without, every file of YAML or JSON counts, at any depth. A file that
//! several paths lead to is read once.

use crate::commands::called;
use crate::kustomize::{self, Resource};
use serde_json::Value;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_yaml::words::nearest;
use vigil_yaml::{Documents, Limits, Node, Problem, Quoted, Source, Survey};
use walkdir::WalkDir;

/// How much is read in all, standard input included.
const LIMIT: usize = 512 << 20;

/// What kustomize calls its own file; it takes the first that is there.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys of a kustomization that change no object, or only the order of them.
const HARMLESS: [&str; 8] =
    ["apiVersion", "kind", "metadata", "sortOptions", "generatorOptions", "openapi", "crds", "buildMetadata"];

/// Keys that are left to kubectl, and why.
const LEFT: [(&str, &str); 8] = [
    ("vars", "kustomize has given them up for `replacements`"),
    ("configurations", "they change which fields kustomize knows"),
    ("generators", "they are programs, or what these are told"),
    ("transformers", "they are programs, or what these are told"),
    ("validators", "they are programs, or what these are told"),
    ("helmCharts", "Helm renders them"),
    ("helmGlobals", "Helm reads them"),
    ("helmChartInflationGenerator", "Helm renders it"),
];

/// Keys that name what a kustomization is made of. `bases` is the old word for directories among the resources.
const PARTS: [&str; 3] = ["resources", "bases", "components"];

/// How much of standard input is held in memory where texts are read piece by piece; more of it is in a temporary file.
const HELD: usize = 16 << 20;

/// Reads all that `paths` stand for.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Arc<Source>>, Vec<Problem>> {
    Ok(Inputs::of(paths, false)?.held())
}

/// Reads all that `paths` stand for but kustomizations that cannot be built here, and says why they cannot.
pub(crate) fn read_what_can(paths: &[PathBuf]) -> Result<Partly<Arc<Source>>, Vec<Problem>> {
    let mut inputs = Inputs::of_what_can(paths, false)?;
    let unbuilt = std::mem::take(&mut inputs.unbuilt);
    Ok((inputs.held(), unbuilt))
}

/// What could be read, and why the rest could not.
pub(crate) type Partly<T> = (Vec<T>, Vec<Problem>);

/// Reads all that `path` stands for, where messages shall call it `name`.
pub(crate) fn read_as(path: &Path, name: &str) -> Result<Vec<Arc<Source>>, Vec<Problem>> {
    let mut inputs = Inputs { root: Some((path.to_owned(), name.to_owned())), ..Inputs::default() };
    inputs.path(path);
    Ok(inputs.finished()?.held())
}

/// As [`read_what_can`], to be read a document at a time.
pub(crate) fn texts(paths: &[PathBuf]) -> Result<Partly<Text>, Vec<Problem>> {
    let inputs = Inputs::of_what_can(paths, true)?;
    Ok((inputs.texts, inputs.unbuilt))
}

/// A text that was found readable.
pub(crate) enum Text {
    /// It is in memory.
    Held(Arc<Source>),
    /// It is read from its file whenever it is needed.
    File(PathBuf, Survey),
    /// Standard input, in a file that has no name.
    Unnamed(File, Survey),
}

impl Text {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Held(source) => source.name.clone(),
            Self::File(path, _) => called(path),
            Self::Unnamed(..) => called(Path::new(STDIN)),
        }
    }

    /// How it begins.
    pub(crate) fn beginning(&self) -> &str {
        match self {
            Self::Held(source) => &source.text,
            Self::File(_, survey) | Self::Unnamed(_, survey) => &survey.beginning,
        }
    }

    /// Its documents.
    pub(crate) fn documents(&self) -> Box<dyn Iterator<Item = Result<Arc<Source>, Box<Problem>>> + '_> {
        let unreadable = |error| Box::new(Problem::in_file(format!("cannot be read: {error}"), self.name()));
        let (file, survey) = match self {
            Self::Held(source) => return Box::new(source.documents().into_iter().map(Ok)),
            Self::File(path, survey) => (vigil_yaml::source::open(path), survey),
            Self::Unnamed(file, survey) => (begin(file).map_err(unreadable), survey),
        };
        match file {
            Ok(file) => Box::new(Documents::new(file, self.name(), survey.has_directives)),
            Err(problem) => Box::new(std::iter::once(Err(problem))),
        }
    }
}

/// A file that is open, from its first byte on.
fn begin(file: &File) -> io::Result<File> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// What stands for standard input on the command line.
const STDIN: &str = "-";

#[derive(Default)]
struct Inputs {
    texts: Vec<Text>,
    /// Texts are looked through and not held.
    apart: bool,
    /// A path that messages call otherwise, and how.
    root: Option<(PathBuf, String)>,
    problems: Vec<Problem>,
    /// What is wrong with kustomizations that are left out.
    unbuilt: Vec<Problem>,
    /// How much was read.
    bytes: usize,
    /// The files that were read, by the one path that leads to each without links.
    seen: HashSet<PathBuf>,
    /// There was more than the limit; what is left is not read.
    full: bool,
}

impl Inputs {
    fn of(paths: &[PathBuf], apart: bool) -> Result<Self, Vec<Problem>> {
        let mut inputs = Self { apart, ..Self::default() };
        for path in paths {
            inputs.path(path);
        }
        inputs.finished()
    }

    /// All that `paths` stand for but what cannot be built, if there is anything else.
    fn of_what_can(paths: &[PathBuf], apart: bool) -> Result<Self, Vec<Problem>> {
        let mut inputs = Self { apart, ..Self::default() };
        for path in paths {
            inputs.path(path);
        }
        let unbuilt = if inputs.texts.is_empty() { Vec::new() } else { std::mem::take(&mut inputs.unbuilt) };
        let mut inputs = inputs.finished()?;
        inputs.unbuilt = unbuilt;
        Ok(inputs)
    }

    fn finished(mut self) -> Result<Self, Vec<Problem>> {
        self.problems.append(&mut self.unbuilt);
        Problem::sort(&mut self.problems);
        if self.problems.is_empty() { Ok(self) } else { Err(self.problems) }
    }

    /// The texts in memory.
    fn held(self) -> Vec<Arc<Source>> {
        let held = |text| if let Text::Held(source) = text { Some(source) } else { None };
        self.texts.into_iter().filter_map(held).collect()
    }

    /// What messages call a path.
    fn called(&self, path: &Path) -> String {
        let Some((root, name)) = &self.root else { return called(path) };
        match path.strip_prefix(root) {
            Ok(rest) if rest.as_os_str().is_empty() => name.clone(),
            Ok(rest) => format!("{}/{}", name.trim_end_matches('/'), rest.display()),
            Err(_) => called(path),
        }
    }

    /// Reads a file into memory.
    fn source(&self, path: &Path, limit: usize) -> Result<Arc<Source>, Box<Problem>> {
        match &self.root {
            None => Source::read(path, limit),
            Some(_) => Source::read_from(vigil_yaml::source::open(path)?, &self.called(path), limit),
        }
    }

    fn path(&mut self, path: &Path) {
        if path == Path::new(STDIN) {
            if self.seen.insert(path.to_owned()) {
                let text = stdin(&called(path), self.left(), self.apart);
                self.take(text);
            }
        } else if !path.is_dir() {
            self.file(path);
        } else if let Some(kustomization) = kustomization_of(path) {
            self.whole_kustomization(&kustomization, Tree { builds: true, ..Tree::default() });
        } else {
            self.directory(path);
        }
    }

    fn left(&self) -> usize {
        LIMIT - self.bytes
    }

    fn take(&mut self, text: Result<Text, Box<Problem>>) {
        match text {
            Ok(text) => {
                self.bytes += match &text {
                    Text::Held(source) => source.text.len(),
                    Text::File(_, survey) | Text::Unnamed(_, survey) => survey.bytes,
                };
                self.texts.push(text);
            }
            Err(problem) => self.problems.push(*problem),
        }
    }

    fn file(&mut self, path: &Path) {
        if self.full || !self.seen.insert(real(path)) {
            return;
        }
        if fs::metadata(path).is_ok_and(|file| file.len() > self.left() as u64) {
            self.full = true;
            let message = format!("makes all files together larger than {} MiB", LIMIT >> 20);
            let problem = Problem::in_file(message, self.called(path));
            self.problems.push(problem.help("check in several steps, or name fewer files"));
            return;
        }
        let text = if self.apart {
            let survey = vigil_yaml::source::open(path).and_then(|file| Survey::of(file, &called(path), self.left()));
            survey.map(|survey| Text::File(path.to_owned(), survey))
        } else {
            self.source(path, self.left()).map(Text::Held)
        };
        self.take(text);
    }

    /// Every file of YAML or JSON below a directory, in the order of names; hidden ones are not looked at.
    fn directory(&mut self, directory: &Path) {
        let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
        let mut entries = WalkDir::new(directory).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link to a directory that it lies in: everything there is seen already.
                Err(error) if error.loop_ancestor().is_some() => continue,
                // A link to nowhere matters where a manifest should be.
                Err(error) if is_gone(&error) && !error.path().is_some_and(is_manifest) => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(directory).display().to_string();
                    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.problems.push(Problem::in_file(format!("cannot be read: {reason}"), path));
                    continue;
                }
            };
            let path = entry.path();
            let is_directory = entry.file_type().is_dir();
            if entry.depth() > 0 && hidden(entry.file_name()) {
                if is_directory {
                    entries.skip_current_dir();
                }
            } else if is_directory {
                // Links can lead to one directory in more ways than there are files.
                if !self.seen.insert(real(path)) {
                    entries.skip_current_dir();
                } else if let Some(kustomization) = kustomization_of(path) {
                    self.whole_kustomization(&kustomization, Tree::default());
                    entries.skip_current_dir();
                } else if path.join("Chart.yaml").is_file() {
                    let shown = self.called(path);
                    let problem = Problem::in_file("is a Helm chart: its templates are no manifests yet", &*shown);
                    self.unbuilt
                        .push(problem.help(format!("let Helm render it: `helm template {shown} | vigil check -`")));
                    entries.skip_current_dir();
                }
            } else if entry.file_type().is_file() && is_manifest(path) {
                self.file(path);
            }
        }
    }

    /// A kustomization that no other one names: all of it or nothing.
    fn whole_kustomization(&mut self, path: &Path, mut tree: Tree) {
        let problems = self.problems.len();
        let made = self.kustomization(path, &mut tree);
        let texts = if made.iter().any(|made| matches!(made, Made::Built(..))) {
            self.finished_build(path, made)
        } else {
            self.problems.append(&mut tree.twice);
            made.into_iter().filter_map(|made| if let Made::Text(text) = made { Some(text) } else { None }).collect()
        };
        if self.problems.len() > problems {
            self.unbuilt.extend(self.problems.drain(problems..));
        } else {
            self.texts.extend(texts);
        }
    }

    /// The texts of a tree of kustomizations; those that it leaves as they are keep their places.
    fn finished_build(&mut self, path: &Path, made: Vec<Made>) -> Vec<Text> {
        let mut resources = Vec::new();
        let mut groups = Vec::new();
        for made in made {
            let from = resources.len();
            let (name, text) = match made {
                Made::Built(name, built) => {
                    resources.extend(built);
                    (name, None)
                }
                Made::Text(text) => {
                    resources.extend(self.objects(&text));
                    (text.name(), Some(text))
                }
            };
            groups.push((name, text, from..resources.len()));
        }
        let before: Vec<Value> = resources.iter().map(|resource| resource.value.clone()).collect();
        let told = kustomize::twice(&resources).map(|resource| format!("{} comes twice", resource.told()));
        let unclear = kustomize::finish(&mut resources);
        for what in
            told.into_iter().chain(unclear.into_iter().map(|what| format!("could mean several objects: {what}")))
        {
            self.problems.push(
                Problem::in_file(what, self.called(path))
                    .help("kustomize refuses it: give the objects names of their own"),
            );
        }
        let group = |(name, text, range): (String, Option<Text>, std::ops::Range<usize>)| {
            let is_same = range.clone().all(|at| resources[at].value == before[at]);
            text.filter(|_| is_same).unwrap_or_else(|| {
                let objects = resources[range].iter().map(|resource| &resource.value).filter(|value| !value.is_null());
                let text: String = objects.flat_map(|object| ["---\n".to_owned(), vigil_yaml::write(object)]).collect();
                Text::Held(Source::new(name, text))
            })
        };
        groups.into_iter().map(group).collect()
    }

    /// What a kustomization makes of its resources.
    fn kustomization(&mut self, path: &Path, tree: &mut Tree) -> Vec<Made> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut made = Vec::new();
        tree.above.push(real(folder));
        if let Some(document) = self.kustomization_file(path, folder, tree) {
            if let Some(kind) = document.get("kind").filter(|kind| kind.text() == Some("Component")) {
                let problem = Problem::error("a component is no resource", kind.span.clone());
                self.problems.push(problem.help("name it under `components:`, or write `kind: Kustomization`"));
            }
            made = self.resources(&document, folder, tree);
            let is_built = !kustomize::is_plain(&document) || document.get("components").is_some();
            if tree.builds && is_built {
                let mut resources = self.taken(made);
                self.build(&document, folder, &mut resources, tree);
                let name = format!("{} (built)", self.called(folder));
                made = vec![Made::Built(name, resources)];
            }
        }
        tree.above.pop();
        made
    }

    /// Reads a kustomization, and says what of it is left to kubectl.
    fn kustomization_file(&mut self, path: &Path, folder: &Path, tree: &Tree) -> Option<Node> {
        let source = match self.source(path, Limits::default().bytes.min(self.left())) {
            Ok(source) => source,
            Err(problem) => {
                self.problems.push(*problem);
                return None;
            }
        };
        self.bytes += source.text.len();
        let document = match vigil_yaml::read_one(&source, &Limits::default()) {
            Ok(document) => document,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        let Some(document) = document else {
            let problem = Problem::in_file("is empty", source.name.as_str());
            self.problems.push(problem.help("list the manifests under `resources:`, or remove it"));
            return None;
        };
        let shown = folder.display().to_string();
        let shown = if shown.is_empty() { "." } else { &shown };
        for entry in document.entries() {
            let key = entry.key.text.as_str();
            let is_built = PARTS.contains(&key) || kustomize::BUILT.contains(&key);
            let is_known = is_built || HARMLESS.contains(&key) || LEFT.iter().any(|(left, _)| *left == key);
            let is_done = kustomize::is_nothing(&entry.value) || HARMLESS.contains(&key) || key == "resources";
            if is_known && (is_done || tree.builds && is_built) {
                continue;
            }
            let problem = |what: String| Problem::error(what, entry.key.span.clone());
            self.problems.push(if !is_known {
                let known = PARTS.into_iter().chain(kustomize::BUILT).chain(HARMLESS);
                let problem = problem(format!("kustomize knows no key {}", Quoted(key)));
                let problem =
                    problem.help("correct or remove it: `kubectl apply -k` refuses a key that it does not know");
                match nearest(key, known.collect::<Vec<_>>()) {
                    Some(near) => problem.label(format!("did you mean `{near}`?")),
                    None => problem,
                }
            } else if let Some((_, why)) = LEFT.iter().find(|(left, _)| *left == key) {
                let option = if key.starts_with("helm") { "--enable-helm " } else { "" };
                problem(format!("{} cannot be built here: {why}", Quoted(key)))
                    .help(format!("let kubectl do it: `kubectl kustomize {option}{shown} | vigil check -`"))
            } else {
                problem(format!("{} is not applied here", Quoted(key)))
                    .label("changes what kubectl would take")
                    .help(format!("name the directory, and it is built: `vigil check {shown}`"))
            });
        }
        Some(document)
    }

    fn resources(&mut self, document: &Node, folder: &Path, tree: &mut Tree) -> Vec<Made> {
        let (mut made, mut listed) = (Vec::new(), HashSet::new());
        for resource in
            ["resources", "bases"].iter().flat_map(|key| document.get(key).map(Node::items).unwrap_or_default())
        {
            match self.resource(resource, folder, tree, &mut listed) {
                Ok(more) => made.extend(more),
                Err(problem) => self.problems.push(*problem),
            }
        }
        made
    }

    /// Does what a kustomization says to the objects of its resources.
    fn build(&mut self, document: &Node, folder: &Path, resources: &mut Vec<Resource>, tree: &mut Tree) {
        kustomize::generate::all(document, folder, resources, &mut self.problems);
        for component in document.get("components").map(Node::items).unwrap_or_default() {
            self.component(component, folder, resources, tree);
        }
        kustomize::transform(document, folder, resources, &mut self.problems);
        if let Some(twice) = kustomize::twice(resources) {
            let problem = Problem::error(format!("{} comes twice", twice.told()), document.span.clone());
            self.problems
                .push(problem.help("kustomize refuses it: remove one, or give them names or namespaces of their own"));
        }
    }

    /// A component works on all that is there when it is named.
    fn component(&mut self, component: &Node, folder: &Path, resources: &mut Vec<Resource>, tree: &mut Tree) {
        let path = folder.join(component.text().unwrap_or_default());
        let Some(kustomization) = kustomization_of(&path) else {
            let message = format!("there is no component {}", Quoted(component.text().unwrap_or_default()));
            let problem = Problem::error(message, component.span.clone());
            self.problems.push(problem.help("name a directory with a `kustomization.yaml` of `kind: Component`"));
            return;
        };
        let real = real(&path);
        if tree.above.contains(&real) {
            self.problems.push(leads_back(component));
            return;
        }
        tree.above.push(real);
        if let Some(part) = self.kustomization_file(&kustomization, &path, tree) {
            if part.get("kind").and_then(Node::text).is_none_or(|kind| kind != "Component") {
                let message = format!("{} is no component", Quoted(component.text().unwrap_or_default()));
                let problem = Problem::error(message, component.span.clone());
                self.problems.push(problem.help("write `kind: Component` in it, or name it among the `resources`"));
            } else {
                let made = self.resources(&part, &path, tree);
                resources.extend(self.taken(made));
                self.build(&part, &path, resources, tree);
            }
        }
        tree.above.pop();
    }

    /// What was made, as objects.
    fn taken(&mut self, made: Vec<Made>) -> Vec<Resource> {
        let mut resources = Vec::new();
        for made in made {
            match made {
                Made::Built(_, built) => resources.extend(built),
                Made::Text(text) => resources.extend(self.objects(&text)),
            }
        }
        resources
    }

    /// The objects in a text.
    fn objects(&mut self, text: &Text) -> Vec<Resource> {
        let sources: Result<Vec<_>, _> = text.documents().collect();
        let objects = sources.map_err(|problem| vec![*problem]).and_then(|sources| kustomize::objects(&sources));
        objects.unwrap_or_else(|problems| {
            self.problems.extend(problems);
            Vec::new()
        })
    }

    /// What one resource holds; `listed` are those that the same kustomization has named.
    fn resource(
        &mut self,
        resource: &Node,
        folder: &Path,
        tree: &mut Tree,
        listed: &mut HashSet<PathBuf>,
    ) -> Result<Vec<Made>, Box<Problem>> {
        let wrong = |what: String, help: &str| Box::new(Problem::error(what, resource.span.clone()).help(help));
        let name = resource.text().filter(|name| !name.is_empty()).ok_or_else(|| {
            wrong(format!("{} is no resource", resource.describe()), "write the path of a file or directory")
        })?;
        let path = folder.join(name);
        let is_directory = fs::metadata(&path).map(|it| it.is_dir()).map_err(|error| {
            if is_remote(name) {
                let help = "download it into a directory beside this one, and name that; nothing is fetched here";
                wrong(format!("the resource {} is not on this machine", Quoted(name)), help)
            } else if error.kind() == std::io::ErrorKind::NotFound {
                let help = "correct the path, which starts at this kustomization, or add what is missing";
                wrong(format!("there is no file or directory {}", Quoted(name)), help)
            } else {
                wrong(format!("{} cannot be read: {error}", Quoted(name)), "make it readable")
            }
        })?;
        let real = real(&path);
        if tree.above.contains(&real) {
            return Err(Box::new(leads_back(resource)));
        }
        let help = "remove one of the two: kustomize refuses an object that comes twice";
        let twice = || wrong(format!("{} is a resource already", Quoted(name)), help);
        if !listed.insert(real.clone()) {
            return Err(twice());
        }
        if !tree.resources.insert(real.clone()) {
            tree.twice.push(*twice());
        }
        if is_directory {
            let help = "give it a `kustomization.yaml` that lists its manifests, or list them here";
            let none = || wrong(format!("the directory {} has no kustomization", Quoted(name)), help);
            return Ok(self.kustomization(&kustomization_of(&path).ok_or_else(none)?, tree));
        }
        if !tree.above.last().is_some_and(|folder| real.starts_with(folder)) {
            let help = "move it, or give its directory a kustomization and name the directory: kustomize reads no file elsewhere";
            return Err(wrong(format!("the file {} is outside of its kustomization's directory", Quoted(name)), help));
        }
        // One file may be read for several overlays.
        self.seen.remove(&real);
        let texts = self.texts.len();
        self.file(&path);
        Ok(self.texts.drain(texts..).map(Made::Text).collect())
    }
}

/// That a kustomization names one that it is a part of.
fn leads_back(resource: &Node) -> Problem {
    let message = format!("{} leads back to here", Quoted(resource.text().unwrap_or_default()));
    Problem::error(message, resource.span.clone()).help("remove it: the directories hold each other")
}

/// What a kustomization takes or makes.
enum Made {
    /// A file as it is.
    Text(Text),
    /// Objects, and what messages call them.
    Built(String, Vec<Resource>),
}

/// All of standard input. Where texts are read `apart`, much of it goes to a temporary file without a name: it is read
/// more than once, and may be larger than the memory.
fn stdin(name: &str, limit: usize, apart: bool) -> Result<Text, Box<Problem>> {
    let mut stdin = io::stdin().lock();
    if !apart {
        return Source::read_from(stdin, name, limit).map(Text::Held);
    }
    let unreadable = |error: io::Error| Box::new(Problem::in_file(format!("cannot be read: {error}"), name));
    let mut held = Vec::new();
    stdin.by_ref().take(HELD as u64 + 1).read_to_end(&mut held).map_err(unreadable)?;
    if held.len() <= HELD {
        return Source::read_from(held.as_slice(), name, limit).map(Text::Held);
    }
    let kept = || {
        let mut file = tempfile::tempfile()?;
        // One byte more than the limit tells that there is more.
        io::copy(&mut held.chain(stdin.take((limit + 1 - held.len()) as u64)), &mut file)?;
        begin(&file)
    };
    let file = kept().map_err(|error| {
        let message = format!("cannot be kept in {}: {error}", std::env::temp_dir().display());
        Box::new(Problem::in_file(message, name).help("set `TMPDIR` to a directory with room, or name files"))
    })?;
    let survey = Survey::of(&file, name, limit)?;
    Ok(Text::Unnamed(file, survey))
}

/// Where a walk through kustomizations has been.
#[derive(Default)]
struct Tree {
    /// What kustomizations do is done; otherwise only those that do nothing are taken.
    builds: bool,
    /// The directories from the first one down to here.
    above: Vec<PathBuf>,
    /// Every resource so far.
    resources: HashSet<PathBuf>,
    /// Resources that another kustomization names, too; where something is built they need not be the same objects.
    twice: Vec<Problem>,
}

/// A path without links, so that one file has one; as it is if that cannot be told.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

fn is_gone(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn kustomization_of(directory: &Path) -> Option<PathBuf> {
    KUSTOMIZATIONS.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

/// Whether a resource names something on another machine.
fn is_remote(name: &str) -> bool {
    name.contains("://") || name.contains("?ref=") || name.contains('@') || name.starts_with("github.com/")
}
