//! Handlebars, in a way that no value can change the structure around it.
//!
//! Templates never see a text of the stack. Every string is exchanged for a token before rendering; the rendered text
//! is parsed, and only then, inside the finished tree, each token becomes its string. What the string holds cannot
//! matter: there is no text left to be parsed. Numbers and booleans go in as they are.
//!
//! Helpers: `{{json x}}` places a whole list or mapping in flow style; `{{file "loki/loki.yaml"}}` places the text of
//! `templates/loki/files/loki.yaml`, and `{{checksum "loki/loki.yaml"}}` its SHA-256, so that pods roll when it changes.

use crate::ini;
use crate::parallel;
use crate::templates::Templates;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, RenderErrorReason,
    Renderable, StringOutput, Template, no_escape,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use vigil_yaml::{Limits, Node, Problem, Source, Span, plain};

// What encloses the number of a string; templates that contain these characters are refused.
pub(crate) use vigil_alloy::{CLOSE, OPEN};

/// The key under which the helpers find the rendered files in the context.
const FILES: &str = "files";

/// What templates may use: a JSON value whose strings are tokens, and what the tokens stand for.
pub(crate) struct Values {
    context: Context,
    texts: Vec<String>,
}

impl Values {
    pub(crate) fn new(facts: Value) -> Self {
        let mut texts = Vec::new();
        let mut context = tokens(facts, &mut texts);
        context[FILES] = json!({});
        Self { context: Context::from(context), texts }
    }

    /// Makes the rendered file `path` known to `{{file …}}` and `{{checksum …}}`.
    pub(crate) fn add_file(&mut self, path: &str, text: &str) {
        let entry = tokens(json!({ "text": text, "checksum": checksum(text) }), &mut self.texts);
        self.context.data_mut()[FILES][file_name(path)] = entry;
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn checksum(text: impl AsRef<[u8]>) -> String {
    vigil_forms::hex(Sha256::digest(text))
}

/// `loki/files/loki.yaml.hbs` is `loki/loki.yaml` to templates.
fn file_name(path: &str) -> String {
    path.strip_suffix(".hbs").unwrap_or(path).replacen("/files/", "/", 1)
}

fn tokens(value: Value, texts: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => {
            texts.push(text);
            Value::String(format!("{OPEN}{}{CLOSE}", texts.len() - 1))
        }
        Value::Array(items) => items.into_iter().map(|item| tokens(item, texts)).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, tokens(value, texts))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// `text` with every token replaced by what it stands for; `None` when it holds none.
fn resolve(text: &str, texts: &[String]) -> Option<String> {
    if !text.contains(OPEN) {
        return None;
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        resolved.push_str(before);
        // Only `tokens` writes these characters, always as a pair around a number that it has just given out.
        let (number, tail) = after.split_once(CLOSE).unwrap_or((after, ""));
        resolved.push_str(number.parse().ok().and_then(|at: usize| texts.get(at)).map_or("", String::as_str));
        rest = tail;
    }
    resolved.push_str(rest);
    Some(resolved)
}

/// A text of no format that is known here, such as a configuration of nginx: a value in it is a bare word, so that no value changes
/// what stands around it.
fn bare(path: &str, text: &str, texts: &[String]) -> Result<String, Vec<Problem>> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let mut placed =
        text.split(OPEN).skip(1).filter_map(|rest| texts.get(rest.split(CLOSE).next()?.parse::<usize>().ok()?));
    match placed.find(|value| value.is_empty() || !value.chars().all(is_bare)) {
        Some(value) => Err(vec![
            Problem::in_file(format!("`{}` is no bare word", value.escape_debug()), format!("templates/{path}"))
                .help("place letters, digits, `.`, `-` and `_` alone in files of this format"),
        ]),
        None => Ok(resolve(text, texts).unwrap_or_else(|| text.to_owned())),
    }
}

/// The key of a mapping in a template whose value is laid over what stands beside it: what a user says in a program's own
/// words, over what the template says.
const OVER: &str = "$over";

/// The tree as JSON, with every token resolved. A scalar that held a token is a string, whatever it looks like.
fn to_json(node: &Node, texts: &[String]) -> Value {
    laid_over(node.map_json(
        &mut |scalar| resolve(&scalar.text, texts).map_or_else(|| scalar.to_json(), Value::String),
        &mut |key| resolve(key, texts).unwrap_or_else(|| key.to_owned()),
    ))
}

/// A value in which nothing is to be laid over anything any more.
fn laid_over(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            let over = fields.remove(OVER);
            let mut own = fields.into_iter().map(|(key, value)| (key, laid_over(value))).collect::<Map<_, _>>().into();
            if let Some(over) = over {
                vigil_yaml::lay(&mut own, &over);
            }
            own
        }
        Value::Array(items) => items.into_iter().map(laid_over).collect(),
        plain => plain,
    }
}

/// Templates as Handlebars takes them, each compiled when it is first asked for. Every render of the same [`Templates`]
/// shares them: to compile is most of what one render costs.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The helpers and all partials, or what is wrong with partials.
    registry: OnceLock<Result<Handlebars<'static>, Vec<Problem>>>,
    /// What is rendered, by its path.
    templates: BTreeMap<String, OnceLock<Result<Template, Box<Problem>>>>,
    /// What is read as YAML, by its path.
    nodes: BTreeMap<String, OnceLock<Read>>,
}

/// A file of YAML, or what is wrong with it.
type Read = Result<Option<Node>, Vec<Problem>>;

impl Compiled {
    /// None is compiled yet. `rendered` are the paths of what is rendered, `read` those of what is read as YAML.
    pub(crate) fn new<'a>(rendered: impl Iterator<Item = &'a str>, read: impl Iterator<Item = &'a str>) -> Self {
        let templates = rendered.map(|path| (path.to_owned(), OnceLock::new())).collect();
        let nodes = read.map(|path| (path.to_owned(), OnceLock::new())).collect();
        Self { registry: OnceLock::new(), templates, nodes }
    }

    /// A file of YAML; nothing of one that is empty, or not there.
    pub(crate) fn node(&self, path: &str, sources: &Templates) -> Result<Option<&Node>, Vec<Problem>> {
        let (Some(place), Some(source)) = (self.nodes.get(path), sources.get(path)) else { return Ok(None) };
        let read = place.get_or_init(|| vigil_yaml::read_one(source, &Limits::default()));
        read.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    fn registry(&self, threads: usize, sources: &Templates) -> Result<&Handlebars<'static>, Vec<Problem>> {
        self.registry.get_or_init(|| registry(threads, sources)).as_ref().map_err(Clone::clone)
    }

    fn template(&self, path: &str, sources: &Templates) -> Result<Option<&Template>, Box<Problem>> {
        let (Some(place), Some(source)) = (self.templates.get(path), sources.get(path)) else { return Ok(None) };
        place.get_or_init(|| compile(path, source)).as_ref().map(Some).map_err(Clone::clone)
    }
}

fn registry(threads: usize, sources: &Templates) -> Result<Handlebars<'static>, Vec<Problem>> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(no_escape);
    registry.register_helper("json", Box::new(json_helper));
    registry.register_helper("file", Box::new(FileHelper("text")));
    registry.register_helper("checksum", Box::new(FileHelper("checksum")));
    let named: Vec<_> = sources.partials().collect();
    let compiled = parallel::map(threads, &named, |(name, path)| Some(compile(name, sources.get(path)?)));
    let mut problems = Vec::new();
    for ((name, _), template) in named.into_iter().zip(compiled) {
        match template {
            Some(Ok(template)) => registry.register_template(name, template),
            Some(Err(problem)) => problems.push(*problem),
            None => {}
        }
    }
    if problems.is_empty() { Ok(registry) } else { Err(problems) }
}

/// What renders the templates.
pub(crate) struct Engine<'t> {
    registry: &'t Handlebars<'static>,
    templates: &'t Templates,
}

impl<'t> Engine<'t> {
    /// Compiles the partials and the templates of `components`, as far as no render before has done so. All threads take
    /// part.
    pub(crate) fn new(threads: usize, templates: &'t Templates, components: &[&str]) -> Result<Self, Vec<Problem>> {
        let compiled = templates.compiled();
        let rendered: Vec<&str> = components.iter().flat_map(|component| templates.rendered(component)).collect();
        let registry = compiled.registry(threads, templates);
        let malformed = parallel::map(threads, &rendered, |path| compiled.template(path, templates).err());
        let malformed = malformed.into_iter().flatten().map(|problem| *problem);
        match registry {
            Err(problems) => Err(problems.into_iter().chain(malformed).collect()),
            Ok(registry) => {
                let problems: Vec<_> = malformed.collect();
                if problems.is_empty() { Ok(Self { registry, templates }) } else { Err(problems) }
            }
        }
    }

    /// The documents that the template at `path` makes.
    pub(crate) fn documents(&self, path: &str, values: &Values) -> Result<Vec<Value>, Vec<Problem>> {
        let text = self.text(path, &values.context).map_err(|problem| vec![*problem])?;
        parse(path, text, &values.texts)
    }

    /// The text of the file at `path`: rendered if it ends in `.hbs`, and well-formed in either case. `None` when it
    /// renders to nothing.
    pub(crate) fn file(&self, path: &str, values: &Values) -> Result<Option<String>, Vec<Problem>> {
        let name = path.strip_suffix(".hbs").unwrap_or(path);
        let Some(source) = self.templates.get(path) else { return Ok(None) };
        if matches!(name.rsplit_once('.'), Some((_, "alloy"))) {
            return self.alloy(path, source, values, name != path);
        }
        if name == path {
            // Verbatim: the text stays as it is, comments and all, once it has proved to be what its name says.
            match name.rsplit_once('.').map(|(_, format)| format) {
                Some("ini") => drop(ini::read(source, str::to_owned)?),
                Some("yaml" | "json") => drop(documents_of(source)?),
                // A script is what its interpreter takes.
                _ => {}
            }
            return Ok(Some(source.text.to_string()));
        }
        let text = self.text(path, &values.context).map_err(|problem| vec![*problem])?;
        if name.rsplit_once('.').is_some_and(|(_, format)| format == "ini") {
            let source = Source::new(format!("templates/{path} (rendered)"), text);
            let value = |text: &str| resolve(text, &values.texts).unwrap_or_else(|| text.to_owned());
            let sections = ini::read(&source, value).map_err(|problems| readable(problems, &values.texts))?;
            return Ok(Some(ini::write(&sections)).filter(|text| !text.is_empty()));
        }
        if name.rsplit_once('.').is_some_and(|(_, format)| format == "conf") {
            return bare(path, &text, &values.texts).map(|text| Some(text).filter(|text| !text.trim().is_empty()));
        }
        let documents = parse(path, text, &values.texts)?;
        match (documents.as_slice(), name.rsplit_once('.')) {
            ([], _) => Ok(None),
            ([document], Some((_, "yaml"))) => Ok(Some(vigil_yaml::write(document))),
            ([document], Some((_, "json"))) => Ok(Some(format!("{document:#}\n"))),
            ([_], _) => {
                Err(vec![Problem::in_file("files of this format cannot be rendered", source.name.as_str()).help(
                    "end the name in `.yaml.hbs`, `.json.hbs`, `.ini.hbs`, `.conf.hbs` or `.alloy.hbs`, or without `.hbs` to take it verbatim",
                )])
            }
            _ => Err(vec![Problem::in_file("renders to more than one document", source.name.as_str())]),
        }
    }

    /// A configuration file of Grafana Alloy: neither YAML nor JSON, so its values are placed by its own rules.
    fn alloy(
        &self,
        path: &str,
        source: &Arc<Source>,
        values: &Values,
        is_template: bool,
    ) -> Result<Option<String>, Vec<Problem>> {
        if !is_template {
            return vigil_alloy::place(source, &[]).map(Some);
        }
        let text = self.text(path, &values.context).map_err(|problem| vec![*problem])?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let rendered = Source::new(format!("templates/{path} (rendered)"), text);
        let placed = vigil_alloy::place(&rendered, &values.texts);
        placed.map(|text| Some(vigil_alloy::tidy(&text))).map_err(|problems| readable(problems, &values.texts))
    }

    fn text(&self, path: &str, context: &Context) -> Result<String, Box<Problem>> {
        let Some(template) = self.templates.compiled().template(path, self.templates)? else {
            return Ok(String::new());
        };
        let mut output = StringOutput::new();
        template
            .render(self.registry, context, &mut RenderContext::new(template.name.as_ref()), &mut output)
            .map_err(|error| Box::new(self.render_problem(path, &error)))?;
        // What templates and values hold is UTF-8, and so is what they make.
        Ok(output.into_string().unwrap_or_default())
    }

    fn render_problem(&self, path: &str, error: &RenderError) -> Problem {
        let message = match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => format!("unknown variable `{name}`"),
            RenderErrorReason::PartialNotFound(name) => format!("unknown partial `{name}`"),
            RenderErrorReason::HelperNotFound(name) => format!("unknown variable or helper `{name}`"),
            other => other.to_string(),
        };
        let name = error.template_name.as_deref().unwrap_or(path);
        let path = self.templates.partials().find(|(partial, _)| *partial == name).map_or(name, |(_, path)| path);
        match (self.templates.get(path), error.line_no, error.column_no) {
            (Some(source), Some(line), Some(column)) => {
                Problem::error(message, Span::new(source, at(&source.text, line, column)))
            }
            _ => Problem::in_file(message, format!("templates/{path}")),
        }
    }
}

fn compile(name: &str, source: &Arc<Source>) -> Result<Template, Box<Problem>> {
    if let Some(at) = source.text.find([OPEN, CLOSE]) {
        let span = Span::new(source, at..at + OPEN.len_utf8());
        return Err(Box::new(Problem::error("a character that templates cannot hold: U+E000 or U+E001", span)));
    }
    Template::compile_with_name(&*source.text, name.to_owned()).map_err(|error| {
        let place = error.pos().map_or(0..0, |(line, column)| at(&source.text, line, column));
        let message = format!("the template is malformed: {}", error.reason());
        Box::new(Problem::error(message, Span::new(source, place)))
    })
}

/// The bytes of a 1-based line from a 1-based column on.
fn at(text: &str, line: usize, column: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    start + (column.saturating_sub(1)).min(length)..start + length
}

fn json_helper(
    helper: &Helper,
    _: &Handlebars,
    _: &Context,
    _: &mut RenderContext,
    out: &mut dyn Output,
) -> HelperResult {
    let value = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("json", 0))?;
    if value.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(value.relative_path().cloned()).into());
    }
    Ok(out.write(&value.value().to_string())?)
}

/// Places one part of what is known of a file: its text or its checksum.
struct FileHelper(&'static str);

impl HelperDef for FileHelper {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = helper.param(0).and_then(|name| name.value().as_str()).unwrap_or_default();
        match context.data()[FILES][name][self.0].as_str() {
            Some(token) => Ok(out.write(token)?),
            None => Err(RenderErrorReason::Other(format!("no file `{name}`")).into()),
        }
    }
}

/// Parses rendered text. Scalars that YAML readers disagree on are refused here, where the template's author sees them.
fn parse(path: &str, text: String, texts: &[String]) -> Result<Vec<Value>, Vec<Problem>> {
    let source = Source::new(format!("templates/{path} (rendered)"), text);
    let nodes = documents_of(&source).map_err(|problems| readable(problems, texts))?;
    Ok(nodes.iter().map(|node| to_json(node, texts)).collect())
}

fn documents_of(source: &Arc<Source>) -> Result<Vec<Node>, Vec<Problem>> {
    let nodes = vigil_yaml::read(source, &Limits::default())?;
    let mut problems = Vec::new();
    for node in &nodes {
        node.visit_texts(&mut |text, bare, place| {
            if bare && !plain::is_portable(text) {
                let message = format!("`{text}` means different things to different YAML readers");
                problems.push(Problem::error(message, place.clone()).label("put quotes around it"));
            }
        });
    }
    if problems.is_empty() { Ok(nodes) } else { Err(problems) }
}

/// The problems with the tokens in their texts replaced by what a person knows: the values.
fn readable(problems: Vec<Problem>, texts: &[String]) -> Vec<Problem> {
    let restore = |text: &str| resolve(text, texts).map(|text| text.escape_debug().to_string());
    problems
        .into_iter()
        .map(|mut problem| {
            if let Some(message) = restore(&problem.message) {
                problem.message = message;
            }
            if let vigil_yaml::Place::Text(span) = &problem.place {
                let shown = |text: &str| {
                    let restored = |line| restore(line).unwrap_or_else(|| line.to_owned());
                    text.split('\n').map(restored).collect::<Vec<_>>().join("\n")
                };
                let before = shown(&span.source.text[..span.range.start]);
                let inside = shown(span.text());
                let after = shown(&span.source.text[span.range.end..]);
                let range = before.len()..before.len() + inside.len();
                let source = Source::new(span.source.name.as_str(), before + &inside + &after);
                problem.place = Span::new(&source, range).into();
            }
            problem
        })
        .collect()
}
