//! An object against its schema.
//!
//! Nothing here is stricter than an API server with strict field validation: null is the same as absent, a whole number
//! may be written as a float, a field with a default may be missing.

use super::formats;
use super::model::{Additional, Combined, Form, Id, Kind, Limits, List, Release, Schema, Schemas};
use super::shipped::Shipped;
use crate::finding::{Finding, Findings};
use crate::kubectl::as_kubectl;
use crate::object::Object;
use crate::rule::{Rule, rules};
use serde_json::Value;
use std::collections::HashSet;
use vigil_forms::quantity::Quantity;
use vigil_yaml::plain::Plain;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Entry, Key, Node, Quoted, Scalar};

rules! {
    UNKNOWN_FIELD "schema-unknown-field" Error Server "every field is known to its kind"
    TYPE "schema-type" Error Server "every value has the type of its field"
    REQUIRED "schema-required" Error Server "every required field is there"
    VALUE "schema-value" Error Server "every value is allowed by its field: enum, pattern, minimum, maximum, length"
    NEWER "schema-newer" Note Nobody "what a newer prometheus-operator may know than the definitions here are of is listed"
    DUPLICATE_ITEM "schema-duplicate-item" Error Server "no two items of a list have the same merge key"
}

/// Judges `object` by the schema of its kind.
pub(crate) fn validate(schemas: &Schemas, kind: Kind, object: &Object<'_>, findings: &mut Findings) {
    Walk { schemas, drops_status: kind.drops_status, shipped: kind.shipped, ..Walk::new(schemas, object, findings) }
        .value(object.node, kind.schema);
}

/// Judges a part of `object` by the schema `id`.
pub(super) fn value(schemas: &Schemas, id: Id, node: &Node, object: &Object<'_>, findings: &mut Findings) {
    Walk::new(schemas, object, findings).value(node, id);
}

struct Walk<'a> {
    schemas: &'a Schemas,
    /// Of the status of a custom resource, a server knows nothing but its fields when the object is made.
    drops_status: bool,
    /// Required fields must be there.
    complete: bool,
    /// Fields must be known; alternatives name only those that they are about.
    closed: bool,
    /// Whose definition it is, where that comes with Vigil.
    shipped: Option<Shipped>,
    /// The schemas of the mappings that the value stands in, from the object down.
    around: Vec<&'a Schema>,
    object: &'a Object<'a>,
    findings: &'a mut Findings,
}

impl<'a> Walk<'a> {
    fn new(schemas: &'a Schemas, object: &'a Object<'a>, findings: &'a mut Findings) -> Self {
        Self {
            schemas,
            drops_status: false,
            complete: true,
            closed: true,
            shipped: None,
            around: Vec::new(),
            object,
            findings,
        }
    }

    fn value(&mut self, node: &Node, id: Id) {
        let schema = self.schemas.get(id);
        if node.is_null() {
            // Only in a list does a null stay: to Go's types it is the empty value.
            if !schema.required.is_empty() && !schema.custom {
                self.wrong_type(node, "a mapping");
            }
            return;
        }
        if !self.has_form(node, schema) {
            return;
        }
        match &node.data {
            Data::Map(entries) => {
                self.around.push(schema);
                self.mapping(node, entries, schema);
                self.around.pop();
            }
            Data::List(items) => self.list(items, schema),
            Data::Scalar(_) => {}
        }
        if !schema.values.is_empty() {
            self.one_of(node, &schema.values);
        }
        if let Some(limits) = schema.limits.as_deref().filter(|_| schema.custom) {
            self.limits(node, limits, schema.form);
        }
        if let Some(combined) = &schema.combined {
            // Defaults are there before alternatives are looked at.
            match self.filled_in(node, schema) {
                Some(filled) => self.combined(&filled, combined),
                None => self.combined(node, combined),
            }
        }
    }

    /// The mapping with the texts that a server adds to it; nothing when it adds none.
    fn filled_in(&self, node: &Node, schema: &Schema) -> Option<Node> {
        let is_missing = |name: &str| node.get(name).is_none_or(Node::is_null);
        let added = schema.properties.iter().filter(|(name, _)| is_missing(name)).filter_map(|(name, id)| {
            let text = self.schemas.get(*id).default.as_ref()?.as_str()?;
            let scalar = Scalar { text: text.to_owned(), plain: false };
            Some(Entry {
                key: Key { text: name.to_string(), plain: true, span: node.span.clone() },
                value: Node { data: Data::Scalar(scalar), span: node.span.clone() },
            })
        });
        let added: Vec<_> = added.collect();
        let Data::Map(entries) = &node.data else { return None };
        let kept = entries.iter().filter(|entry| !added.iter().any(|new| new.key.text == entry.key.text)).cloned();
        (!added.is_empty())
            .then(|| Node { data: Data::Map(kept.chain(added.iter().cloned()).collect()), span: node.span.clone() })
    }

    fn add(&mut self, rule: &'static Rule, node: &Node, message: String) -> &mut Finding {
        self.findings.add(rule, self.object, node, message)
    }

    fn wrong_type(&mut self, node: &Node, expected: &str) -> &mut Finding {
        let found = described(node);
        self.add(&TYPE, node, format!("expected {expected}, found {found}"))
    }

    /// Whether the value is of the type; says so if not.
    fn has_form(&mut self, node: &Node, schema: &Schema) -> bool {
        let scalar = node.scalar();
        match schema.form {
            Form::Any => true,
            Form::Object if matches!(node.data, Data::Map(_)) => true,
            Form::Object => {
                let fields: Vec<&str> = schema.properties.iter().map(|(name, _)| &**name).collect();
                let help = match fields.as_slice() {
                    [] => "write `key: value` lines below it".to_owned(),
                    [only] => format!("write its field below it: `{only}`"),
                    fields if fields.len() <= 12 => format!("write its fields below it, of {}", list(fields, "and")),
                    _ => "write its fields below it".to_owned(),
                };
                self.wrong_type(node, "a mapping").help(help);
                false
            }
            Form::Array if matches!(node.data, Data::List(_)) => true,
            Form::Array => {
                let text = node.span.text();
                let is_short = || text.split(", ").all(|word| !word.contains(char::is_whitespace));
                let help = match &node.data {
                    Data::Scalar(_) if is_short() => format!("write a list: `[{text}]`"),
                    Data::Scalar(_) => "write a list, each item on a line of its own after `- `".to_owned(),
                    _ => self.listed(node, schema),
                };
                self.wrong_type(node, "a list").help(help);
                false
            }
            Form::String | Form::Time | Form::Bytes if scalar == Some(Plain::Text) => self.text(node, schema),
            Form::String | Form::Time | Form::Bytes => {
                let meant = Self::unit_meant(node, schema);
                let finding = self.wrong_type(node, "a string");
                match node.items() {
                    _ if scalar.is_some() => {}
                    [only] if only.text().is_some() => {
                        finding.help(format!("write it without a list: `{}`", only.span.text()));
                    }
                    _ => {
                        finding
                            .help("write one text: `|` behind the key, and the lines of the text below it, further in");
                    }
                }
                if let Some(scalar) = scalar {
                    let of_name = || {
                        let is_time = matches!(scalar, Plain::Integer(_)) && formats::is_named_for_time(&finding.path);
                        is_time.then(|| with_unit(&format!("{}s", scalar_text(node))))
                    };
                    let help = meant.or_else(of_name).unwrap_or_else(|| "put quotes around it".to_owned());
                    finding.help(help);
                }
                false
            }
            Form::Boolean if matches!(scalar, Some(Plain::Bool(_))) => true,
            Form::Boolean => {
                let quoted = is_quoted(node, |text| matches!(text, "true" | "false"));
                let finding = self.wrong_type(node, "a boolean");
                finding.help(if quoted { "remove the quotes" } else { "write `true` or `false`" });
                false
            }
            Form::Integer(bits) => self.integer(node, scalar, self.bits(bits, schema)),
            Form::Number if matches!(scalar, Some(Plain::Integer(_) | Plain::Unsigned(_) | Plain::Float(_))) => true,
            Form::Number => {
                self.wrong_type(node, "a number");
                false
            }
            Form::IntOrString if scalar == Some(Plain::Text) => true,
            Form::IntOrString if scalar.is_some_and(|scalar| whole(&scalar)) => {
                self.integer(node, node.scalar(), if schema.custom { 64 } else { 32 })
            }
            Form::IntOrString => {
                self.wrong_type(node, "a whole number or a string");
                false
            }
            Form::Quantity => self.quantity(node, scalar),
        }
    }

    /// What to do about a mapping where a list should be.
    fn listed(&self, node: &Node, schema: &Schema) -> String {
        let fields = schema.items.map(|id| &self.schemas.get(id).properties).filter(|fields| !fields.is_empty());
        let is_item = |fields: &[(Box<str>, Id)]| {
            let is_field = |entry: &Entry| fields.binary_search_by(|(name, _)| (**name).cmp(&entry.key.text)).is_ok();
            node.entries().iter().any(is_field)
        };
        match fields {
            Some(fields) if !node.entries().is_empty() && !is_item(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
                let names = if names.len() <= 6 { format!(", of {}", list(&names, "and")) } else { String::new() };
                format!("write a list: a `- ` for each item, and its fields behind it{names}")
            }
            _ => "put `- ` before each item".to_owned(),
        }
    }

    /// What a number without a unit should be, where the pattern of its field asks for a time or a size.
    fn unit_meant(node: &Node, schema: &Schema) -> Option<String> {
        let pattern = schema.limits.as_deref()?.pattern.as_ref()?;
        let number = scalar_text(node);
        let (_, meant) = pattern.amount(number).filter(|_| !pattern.matches(number))?;
        Some(with_unit(&meant))
    }

    /// How many bits a server gives to a whole number.
    fn bits(&self, bits: u8, schema: &Schema) -> u8 {
        if schema.custom && !formats::limits_numbers(self.schemas.version) { 64 } else { bits }
    }

    fn text(&mut self, node: &Node, schema: &Schema) -> bool {
        let text = node.text().unwrap_or_default();
        let (right, expected, help) = match schema.form {
            // To Go's types, and without a type no server refuses anything here.
            Form::Time => (formats::is_date_time(text), "a time", "write it as 2026-01-31T12:00:00Z"),
            Form::Bytes => {
                let help = "encode it, or use `stringData` where it is a Secret";
                let right = formats::is_base64(text) && !(schema.custom && (text.is_empty() || text.contains('\n')));
                (right, "base64", help)
            }
            _ => return true,
        };
        if !right {
            self.add(&VALUE, node, format!("{} is not {expected}", Quoted(text))).help(help);
        }
        right
    }

    fn integer(&mut self, node: &Node, scalar: Option<Plain>, bits: u8) -> bool {
        let fits = match scalar {
            Some(Plain::Integer(value)) => bits != 32 || i32::try_from(value).is_ok(),
            Some(Plain::Unsigned(_)) => false,
            Some(Plain::Float(value)) if value.fract() == 0.0 => {
                let largest = if bits == 32 { f64::from(i32::MAX) } else { 9.2e18 };
                value.abs() <= largest
            }
            _ => {
                let quoted = is_quoted(node, |text| text.parse::<i64>().is_ok());
                let finding = self.wrong_type(node, "a whole number");
                if quoted {
                    finding.help("remove the quotes");
                }
                return false;
            }
        };
        if !fits {
            let text = scalar_text(node);
            self.add(&VALUE, node, format!("{} does not fit into {bits} bits", Quoted(text)));
        }
        fits
    }

    fn quantity(&mut self, node: &Node, scalar: Option<Plain>) -> bool {
        let text = scalar_text(node);
        match scalar {
            Some(Plain::Integer(_) | Plain::Unsigned(_) | Plain::Float(_)) => true,
            Some(Plain::Text) if Quantity::parse(text).is_ok() => true,
            Some(Plain::Text) => {
                self.add(&VALUE, node, format!("{} is no quantity", Quoted(text)))
                    .label("expected a number with a unit, such as `500m`, `2`, `128Mi` or `1G`")
                    .help(match formats::quantity_meant(text) {
                        Some(meant) => format!("write `{meant}`"),
                        None => "the units are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei".to_owned(),
                    });
                false
            }
            _ => {
                self.wrong_type(node, "a quantity");
                false
            }
        }
    }

    fn mapping(&mut self, node: &Node, entries: &[Entry], schema: &Schema) {
        for entry in entries {
            let key = entry.key.text.as_str();
            match schema.properties.binary_search_by(|(name, _)| (**name).cmp(key)) {
                // Null is absent.
                Ok(_) if entry.value.is_null() => {}
                Ok(at) if key == "status" && std::ptr::eq(node, self.object.node) => {
                    self.status(&entry.value, schema.properties[at].1, schema.custom);
                }
                Ok(at) => self.value(&entry.value, schema.properties[at].1),
                Err(_) => match schema.additional {
                    Additional::Open => {}
                    Additional::Each(id) => self.value(&entry.value, id),
                    Additional::Closed if schema.form == Form::Any || !self.closed => {}
                    Additional::Closed => self.unknown(entry, schema),
                },
            }
        }
        if !self.complete {
            return;
        }
        for name in &schema.required {
            if self.closed && is_misspelt(name, entries, schema) {
                continue;
            }
            let value = node.get(name);
            if value.is_none_or(Node::is_null) && !(schema.custom && self.is_filled_in(name, schema, value.is_some())) {
                self.missing(node, name);
            }
        }
    }

    /// The status, which a server drops when the object is made: of Kubernetes' own kinds after Go's types have read
    /// it, of custom resources after it has looked for unknown fields.
    fn status(&mut self, node: &Node, id: Id, custom: bool) {
        if !custom {
            self.complete = false;
            self.value(node, id);
            self.complete = true;
        } else if self.drops_status {
            let found = self.aside(node, id, self.closed).list;
            self.findings.list.extend(found.into_iter().filter(|finding| finding.rule.id == UNKNOWN_FIELD.id));
        } else {
            self.value(node, id);
        }
    }

    /// Whether a required field of a custom resource has a default, or is null and may be.
    fn is_filled_in(&self, name: &str, schema: &Schema, is_null: bool) -> bool {
        let at = schema.properties.binary_search_by(|(known, _)| (**known).cmp(name));
        at.is_ok_and(|at| {
            let field = self.schemas.get(schema.properties[at].1);
            field.default.is_some() || is_null && field.nullable
        })
    }

    fn unknown(&mut self, entry: &Entry, schema: &Schema) {
        let names: Vec<&str> = schema.properties.iter().map(|(name, _)| &**name).collect();
        let key = &entry.key.text;
        let message = format!("unknown field {}", Quoted(key));
        if let Some(newer) = self.newer(key, &names) {
            self.findings.add(&NEWER, self.object, entry, message).help(newer);
            return;
        }
        let finding = self.findings.add(&UNKNOWN_FIELD, self.object, entry, message);
        if let Some((name, help)) = former(key, &names) {
            if !help.contains(" it below ") {
                finding.label(format!("did you mean `{name}`?"));
            }
            finding.help(help);
            return;
        }
        if let Some(help) = misplaced(self.schemas, &self.around, key, &finding.path) {
            finding.help(help);
            return;
        }
        // Of a field that a newer operator may know, another one that looks a little like it is none that was meant.
        let is_alike = |name: &&str| self.shipped.is_none() || strsim::damerau_levenshtein(key, name) <= 3;
        if let Some(name) = nearest(key, names.iter().copied()).filter(is_alike) {
            finding.label(format!("did you mean `{name}`?"));
        }
        match names.as_slice() {
            [] => finding.help("no field may stand here"),
            // Other channels have more fields.
            _ if self.shipped == Some(Shipped::GatewayApi) => finding.help(older(Shipped::GatewayApi)),
            [only] => finding.help(format!("the only field here is `{only}`")),
            names if names.len() <= 12 => finding.help(format!("the fields here are {}", list(names, "and"))),
            _ => finding.help(self.shipped.map_or_else(
                || "an API server refuses it, or drops it without a word; correct or remove it".to_owned(),
                older,
            )),
        };
    }

    /// What to do about a word that a newer operator than the definitions are of may know; nothing where there is none, or
    /// where the word is a known one but for a letter or two.
    fn newer(&self, word: &str, known: &[&str]) -> Option<String> {
        let shipped = self.shipped.filter(|shipped| *shipped == Shipped::Operator)?;
        let operator = self.schemas.operator.filter(|operator| *operator > shipped.release())?;
        let word = word.to_lowercase();
        let is_misspelt = |name: &&str| strsim::damerau_levenshtein(&word, &name.to_lowercase()) <= 2;
        (!known.iter().any(is_misspelt)).then(|| {
            format!(
                "the definitions here are of {shipped}, and the set runs {}: add the definitions of that one with `--crds`",
                shown(operator)
            )
        })
    }

    fn missing(&mut self, node: &Node, name: &str) {
        // The first key says best which mapping is meant; all of the mapping would be too much.
        let message = format!("the field `{name}` is missing");
        let finding = match node.entries().first() {
            Some(entry) => self.findings.add(&REQUIRED, self.object, entry, message),
            None => self.findings.add(&REQUIRED, self.object, node, message),
        };
        finding.label("expected beside this").help(format!("add `{name}:`"));
        if let Some((path, _)) = finding.path.rsplit_once('.').filter(|_| !node.entries().is_empty()) {
            finding.path = path.to_owned();
        } else if !node.entries().is_empty() {
            finding.path = String::new();
        }
    }

    fn list(&mut self, items: &[Node], schema: &Schema) {
        if let Some(id) = schema.items {
            for item in items {
                // Of a custom resource's lists, a server takes no null out.
                let of = self.schemas.get(id);
                if of.custom && item.is_null() && !of.nullable && of.form != Form::Any {
                    self.wrong_type(item, "a value").help("remove the item, or write what it should be");
                } else {
                    self.value(item, id);
                }
            }
        }
        if !schema.custom {
            return;
        }
        let identity = |item: &Node| match &schema.list {
            List::Atomic => None,
            List::Set => Some(item.to_json().to_string()),
            List::Map(keys) => {
                let values: Vec<_> = keys.iter().map(|key| item.get(key).map(Node::to_json)).collect();
                values.iter().any(Option::is_some).then(|| format!("{values:?}"))
            }
        };
        let mut seen = HashSet::new();
        for item in items {
            let Some(key) = identity(item) else { continue };
            if !seen.insert(key) {
                let message = match &schema.list {
                    List::Map(keys) => {
                        let keys: Vec<_> = keys.iter().map(|key| &**key).collect();
                        format!("an earlier item has the same {}", list(&keys, "and"))
                    }
                    _ => "an earlier item is the same".to_owned(),
                };
                self.add(&DUPLICATE_ITEM, item, message).help("keep one of the two");
            }
        }
    }

    fn one_of(&mut self, node: &Node, values: &[Value]) {
        let found = node.map_json(&mut as_kubectl, &mut str::to_owned);
        if values.contains(&found) {
            return;
        }
        let names: Vec<String> =
            values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = scalar_text(node);
        let message = format!("{} is not allowed here", Quoted(text));
        if let Some(newer) = self.newer(text, &names) {
            self.add(&NEWER, node, message).help(newer);
            return;
        }
        let finding = self.add(&VALUE, node, message);
        finding.label(format!("expected {}", list(&names, "or")));
        if let Some(name) = nearest(text, names.iter().copied()) {
            finding.help(format!("write `{name}`"));
        }
    }

    fn limits(&mut self, node: &Node, limits: &Limits, form: Form) {
        for (message, expected) in formats::broken(node, limits) {
            self.add(&VALUE, node, message).label(expected);
        }
        if let Form::Integer(bits) = form
            && formats::limits_numbers(self.schemas.version)
            && let Some((key, bound)) = formats::boundless(limits, bits)
        {
            self.add(&VALUE, node, format!("no number is taken here: the definition's `{key}` is {bound}"))
                .label(format!("expected a `{key}` of {bits} bits in the definition"))
                .help("a mistake of the definition, which Kubernetes 1.36 and later do not overlook");
        }
    }

    /// What is said of `node` by the schema `id`, kept apart.
    fn aside(&mut self, node: &Node, id: Id, closed: bool) -> Findings {
        let mut findings = Findings::default();
        let apart = Walk {
            closed,
            complete: self.complete,
            shipped: self.shipped,
            ..Walk::new(self.schemas, self.object, &mut findings)
        };
        { apart }.value(node, id);
        findings
    }

    fn combined(&mut self, node: &Node, combined: &Combined) {
        for id in &combined.all {
            let broken = self.aside(node, *id, false);
            self.findings.list.extend(broken.list);
        }
        let holds =
            |walk: &mut Self, ids: &[Id]| ids.iter().filter(|id| walk.aside(node, **id, false).list.is_empty()).count();
        if !combined.any.is_empty() && holds(self, &combined.any) == 0 {
            self.add(&VALUE, node, "none of the alternatives that the schema names is fulfilled".to_owned());
        }
        if !combined.one.is_empty() {
            match holds(self, &combined.one) {
                1 => {}
                0 => {
                    self.add(&VALUE, node, "none of the alternatives that the schema names is fulfilled".to_owned());
                }
                _ => {
                    self.add(&VALUE, node, "more than one of the alternatives that exclude each other".to_owned());
                }
            }
        }
        if let Some(id) = combined.not
            && self.aside(node, id, false).list.is_empty()
        {
            self.add(&VALUE, node, "a value that the schema excludes".to_owned());
        }
    }
}

/// Whether an unknown field stands for a missing one but for its spelling, which is told as such.
fn is_misspelt(name: &str, entries: &[Entry], schema: &Schema) -> bool {
    let is_known = |key: &str| schema.properties.binary_search_by(|(known, _)| (**known).cmp(key)).is_ok();
    let names = || schema.properties.iter().map(|(name, _)| &**name).collect::<Vec<_>>();
    matches!(schema.additional, Additional::Closed)
        && entries.iter().any(|entry| {
            let key = entry.key.text.as_str();
            !is_known(key) && nearest(key, names()) == Some(name)
        })
}

/// Where a field belongs that is unknown in the innermost of the mappings `around` it: below one of its fields, further
/// out, or to what has the same name further out. `path` is where it stands.
fn misplaced(schemas: &Schemas, around: &[&Schema], key: &str, path: &str) -> Option<String> {
    let find = |schema: &Schema, name: &str| {
        let at = schema.properties.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(schemas.get(schema.properties[at].1))
    };
    let (inner, outer) = around.split_last()?;
    let is_selector = inner.properties.len() == 2 && find(inner, "matchLabels").is_some();
    if is_selector {
        return Some(format!("labels stand below `matchLabels:`, so write `{key}` there"));
    }
    let holds = |(name, id): &&(Box<str>, Id)| {
        let schema = schemas.get(*id);
        let schema = schema.items.map_or(schema, |id| schemas.get(id));
        &**name != "status" && find(schema, key).is_some()
    };
    let below: Vec<&(Box<str>, Id)> = inner.properties.iter().filter(holds).collect();
    let needed = below.iter().find(|(name, _)| inner.required.iter().any(|needed| **needed == **name));
    if let Some((name, id)) = needed.or(below.first().filter(|_| below.len() == 1)) {
        let of = if schemas.get(*id).items.is_some() { "to the items of" } else { "below" };
        return Some(format!("it belongs {of} `{name}`"));
    }
    let mut way = Vec::new();
    let mut deeper = *inner;
    while let Some((name, schema)) =
        ["jobTemplate", "template", "spec"].iter().find_map(|name| Some((name, find(deeper, name)?)))
    {
        way.push(*name);
        if find(schema, key).is_some() {
            return Some(format!("it belongs below `{}`", way.join(".")));
        }
        deeper = schema;
    }
    // Each mapping is one step of the way.
    let mut place = path;
    let mut own = "";
    for (steps, schema) in std::iter::once(inner).chain(outer.iter().rev()).enumerate() {
        place = place.rsplit_once('.').map_or("", |(place, _)| place);
        if steps == 0 {
            own = place.rsplit('.').next().unwrap_or_default();
            continue;
        }
        let within = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        if find(schema, own).and_then(|same| find(same, key)).is_some() {
            return Some(format!("it belongs to `{}`", within(own)));
        }
        if find(schema, key).is_some() {
            return Some(format!("write it as `{}`", within(key)));
        }
    }
    None
}

/// What took the place of a field that an earlier version of the same kind had, or where one belongs that is a key of a free
/// mapping: the field, and what to write. `known` are the fields that it has now.
fn former(key: &str, known: &[&str]) -> Option<(&'static str, &'static str)> {
    const FORMER: [(&str, &str, &str); 10] = [
        ("serviceName", "service", "write `service:`, and its `name:` below it"),
        ("servicePort", "service", "write `service:`, and below it `port:` with `number:` or `name:`"),
        (
            "targetCPUUtilizationPercentage",
            "metrics",
            "write `metrics:` with an item of `type: Resource`, whose `resource` has `name: cpu` and a `target` of `type: Utilization` with `averageUtilization:`",
        ),
        ("cpu", "requests", "write it below `requests:`, `limits:` or both"),
        ("memory", "requests", "write it below `requests:`, `limits:` or both"),
        ("severity", "labels", "write it below `labels:`"),
        ("summary", "annotations", "write it below `annotations:`"),
        ("description", "annotations", "write it below `annotations:`"),
        ("message", "annotations", "write it below `annotations:`"),
        ("runbook_url", "annotations", "write it below `annotations:`"),
    ];
    let of = |(was, is, _): &&(&str, &str, &str)| *was == key && known.contains(is);
    FORMER.iter().find(of).map(|(_, is, help)| (*is, *help))
}

/// What to do about a field that definitions of another version may know.
fn older(shipped: Shipped) -> String {
    format!("the definitions here are of {shipped}; check what others know with `--crds` and their definitions")
}

fn with_unit(meant: &str) -> String {
    format!("write it with its unit, such as `{meant}`")
}

fn shown((major, minor): Release) -> String {
    format!("{major}.{minor}")
}

fn whole(scalar: &Plain) -> bool {
    match scalar {
        Plain::Integer(_) | Plain::Unsigned(_) => true,
        Plain::Float(value) => value.fract() == 0.0,
        _ => false,
    }
}

/// The text of a scalar as it is written.
fn scalar_text(node: &Node) -> &str {
    match &node.data {
        Data::Scalar(scalar) => &scalar.text,
        _ => "",
    }
}

fn is_quoted(node: &Node, meant: impl Fn(&str) -> bool) -> bool {
    matches!(&node.data, Data::Scalar(scalar) if !scalar.plain && meant(&scalar.text))
}

fn described(node: &Node) -> &'static str {
    match (&node.data, node.scalar()) {
        (Data::List(_), _) => "a list",
        (Data::Map(_), _) => "a mapping",
        (_, Some(Plain::Bool(_))) => "a boolean",
        (_, Some(Plain::Integer(_) | Plain::Unsigned(_))) => "a whole number",
        (_, Some(Plain::Float(_))) => "a number",
        (_, Some(Plain::Null)) => "nothing",
        _ => "a string",
    }
}
