//! The schemas of CustomResourceDefinitions: structural, as an API server wants them.
//!
//! One walk over each schema. What stands below `allOf`, `anyOf`, `oneOf` and `not` may only narrow down what is said
//! outside of them, so that every value has one place that says what it is.

use super::judge::Judge;
use crate::fields::entries;
use crate::rule::rules;
use crate::schema::cel::mistake;
use crate::schema::custom;
use crate::schema::expression::facts;
use crate::schema::pattern::is_expression;
use crate::schema::typing::{self, Wanted};
use std::collections::HashSet;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Entry, Node, Quoted};

rules! {
    SCHEMA "crd-schema" Error Server "every schema of a CustomResourceDefinition is structural"
    LIST "crd-list-type" Error Server "every list of type `map` or `set` has keys that tell its items apart"
    DEFAULT "crd-default" Error Server "every `default` is valid for its own schema"
    PATTERN "crd-pattern" Error Server "every `pattern` of a schema is a valid regular expression"
    RULE "crd-rule" Error Server "every rule of a schema is valid CEL"
}

/// Judges a schema from its root.
pub(super) fn check(judge: &mut Judge<'_, '_>, schema: &Node) {
    Walk { judge, patterns: HashSet::new() }.structural(&Schema::of(schema), Place::Root, false);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Field,
}

/// The keywords of one schema, found in one pass.
#[derive(Clone, Copy)]
struct Schema<'n> {
    node: &'n Node,
    kind: Option<&'n str>,
    properties: &'n [Entry],
    additional: Option<&'n Entry>,
    items: Option<&'n Node>,
    required: &'n [Node],
    all: &'n [Node],
    any: &'n [Node],
    one: &'n [Node],
    not: Option<&'n Node>,
    default: Option<&'n Entry>,
    nullable: Option<&'n Entry>,
    preserves: Option<&'n Entry>,
    embedded: Option<&'n Entry>,
    int_or_string: bool,
    list_type: Option<&'n Entry>,
    list_keys: &'n [Node],
    map_type: Option<&'n Entry>,
    /// The other keywords: few enough to look at one by one.
    rare: bool,
}

impl<'n> Schema<'n> {
    fn of(node: &'n Node) -> Self {
        let mut schema = Self {
            node,
            kind: None,
            properties: &[],
            additional: None,
            items: None,
            required: &[],
            all: &[],
            any: &[],
            one: &[],
            not: None,
            default: None,
            nullable: None,
            preserves: None,
            embedded: None,
            int_or_string: false,
            list_type: None,
            list_keys: &[],
            map_type: None,
            rare: false,
        };
        for entry in node.entries() {
            let value = &entry.value;
            let is_true = || value.boolean() == Some(true);
            match entry.key.text.as_str() {
                "type" => schema.kind = value.text(),
                "properties" => schema.properties = value.entries(),
                "additionalProperties" if !value.is_null() => schema.additional = Some(entry),
                "items" if !value.is_null() => schema.items = Some(value),
                "required" => schema.required = value.items(),
                "allOf" => schema.all = value.items(),
                "anyOf" => schema.any = value.items(),
                "oneOf" => schema.one = value.items(),
                "not" if !value.is_null() => schema.not = Some(value),
                "default" if !value.is_null() => schema.default = Some(entry),
                "nullable" if is_true() => schema.nullable = Some(entry),
                "x-kubernetes-preserve-unknown-fields" if !value.is_null() => schema.preserves = Some(entry),
                "x-kubernetes-embedded-resource" if is_true() => schema.embedded = Some(entry),
                "x-kubernetes-int-or-string" => schema.int_or_string = is_true(),
                "x-kubernetes-list-type" if !value.is_null() => schema.list_type = Some(entry),
                "x-kubernetes-list-map-keys" => schema.list_keys = value.items(),
                "x-kubernetes-map-type" if !value.is_null() => schema.map_type = Some(entry),
                "description" | "format" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems"
                | "maxItems" | "enum" => {}
                _ => schema.rare = true,
            }
        }
        schema
    }

    fn property(&self, name: &str) -> Option<&'n Node> {
        self.properties.iter().find(|entry| entry.key.text == name).map(|entry| &entry.value)
    }

    fn preserves(&self) -> bool {
        self.preserves.is_some_and(|entry| entry.value.boolean() == Some(true))
    }

    /// The schema of what is not named, if it is one and not just allowed.
    fn each(&self) -> Option<&'n Node> {
        self.additional.map(|entry| &entry.value).filter(|value| matches!(value.data, Data::Map(_)))
    }

    fn is_required(&self, name: &str) -> bool {
        self.required.iter().any(|required| required.text() == Some(name))
    }
}

struct Walk<'j, 'a, 'f, 'n> {
    judge: &'j mut Judge<'a, 'f>,
    /// Those that were looked at: the same few stand in a definition again and again.
    patterns: HashSet<&'n str>,
}

impl<'n> Walk<'_, '_, '_, 'n> {
    /// A schema that says what a value is.
    fn structural(&mut self, schema: &Schema<'n>, place: Place, in_metadata: bool) {
        let Data::Map(_) = schema.node.data else { return };
        self.anywhere(schema);
        self.kind(schema, place);
        self.list(schema);
        if let Some(entry) = schema.default {
            if in_metadata {
                self.judge.add(&DEFAULT, entry, "a default in the metadata of the object").help("remove it");
            } else {
                self.default(schema, entry);
            }
        }
        if place == Place::Root {
            if let Some(entry) = schema.nullable {
                self.judge.add(&SCHEMA, entry, "an object that may be null").help("remove it");
            }
            if let Some(entry) = schema.additional {
                self.judge.add(&SCHEMA, entry, "`additionalProperties` at the root").help("name the fields instead");
            }
        }
        let is_object = place == Place::Root || schema.embedded.is_some();
        for Entry { key, value } in schema.properties {
            let own = is_object && matches!(key.text.as_str(), "metadata" | "apiVersion" | "kind");
            let field = Schema::of(value);
            if own {
                self.own(&key.text, &field, place);
            }
            self.structural(&field, Place::Field, in_metadata || own && place == Place::Root);
        }
        if let Some(items) = schema.items {
            self.structural(&Schema::of(items), Place::Item, in_metadata);
        }
        if let Some(each) = schema.each() {
            self.structural(&Schema::of(each), Place::Field, in_metadata);
        }
        // One way to say what else is said by `x-kubernetes-int-or-string`.
        let any = if is_int_or_string(schema.any) { &[] } else { schema.any };
        for (at, part) in schema.all.iter().enumerate() {
            self.narrowing(part, schema, at == 0);
        }
        for part in any.iter().chain(schema.one).chain(schema.not) {
            self.narrowing(part, schema, false);
        }
    }

    /// What holds wherever a schema stands.
    fn anywhere(&mut self, schema: &Schema<'n>) {
        if let Some(entry) = schema.additional.filter(|entry| {
            !schema.properties.is_empty() && (schema.each().is_some() || entry.value.boolean() == Some(false))
        }) {
            self.judge
                .add(&SCHEMA, entry, "`additionalProperties` beside `properties`")
                .help("an object either has named fields, or any with values of one sort; remove one of the two");
        }
        if let Some(entry) = schema.preserves.filter(|entry| entry.value.boolean() == Some(false)) {
            let finding = self.judge.add(&SCHEMA, entry, "unknown fields cannot be dropped on demand");
            finding.label("expected `true`, or nothing").help("remove it");
        }
        if !schema.rare {
            return;
        }
        for entry in schema.node.entries() {
            let Entry { key, value } = entry;
            let is_filled = || !value.items().is_empty() || !value.entries().is_empty();
            let forbidden = match key.text.as_str() {
                "x-kubernetes-validations" => {
                    value.items().iter().for_each(|rule| self.rule(rule, schema.node));
                    false
                }
                "id" | "$ref" => value.text().is_some_and(|text| !text.is_empty()),
                "additionalItems" | "dependencies" => !value.is_null(),
                "patternProperties" | "definitions" => is_filled(),
                "uniqueItems" => value.boolean() == Some(true),
                "pattern" => {
                    if let Some(text) = value.text().filter(|text| self.patterns.insert(text) && !is_expression(text)) {
                        let finding =
                            self.judge.add(&PATTERN, value, format!("{} is no regular expression", Quoted(text)));
                        finding.help("Go's syntax counts: no look-around, and no references back");
                    }
                    false
                }
                _ => false,
            };
            if forbidden {
                let finding = self.judge.add(&SCHEMA, entry, format!("`{}` is not taken in a schema", key.text));
                finding.help(match key.text.as_str() {
                    "$ref" | "definitions" => "write the schema out where it is used",
                    "uniqueItems" => "write `x-kubernetes-list-type: set`",
                    _ => "remove it",
                });
            }
        }
    }

    /// A rule in CEL.
    fn rule(&mut self, rule: &Node, schema: &Node) {
        self.judge.not_empty(&RULE, rule, "rule");
        let reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
        self.judge.one_of(&RULE, rule.get("reason"), &reasons);
        if let Some(node) =
            rule.get("message").filter(|node| node.text().is_some_and(|text| text.trim().contains('\n')))
        {
            self.judge.add(&RULE, node, "a message of several lines").label("expected one line");
        }
        for (key, node) in ["rule", "messageExpression"].into_iter().filter_map(|key| Some((key, rule.get(key)?))) {
            if let Some(mistake) = node.text().filter(|text| !text.trim().is_empty()).and_then(mistake) {
                self.judge.add(&RULE, node, format!("not an expression: {mistake}")).label("expected CEL");
            }
            let before = self.judge.findings.list.len();
            self.fields(node, schema);
            self.patterns(node);
            let wanted = if key == "rule" { Wanted::Bool } else { Wanted::Text };
            let is_told = self.judge.findings.list.len() > before;
            if let Some(wrong) = node.text().filter(|_| !is_told).and_then(|text| typing::wrong(text, schema, wanted)) {
                self.judge
                    .add(&RULE, node, format!("{} does not compile", Quoted(node.text().unwrap_or_default().trim())))
                    .label(wrong);
            }
        }
    }

    /// The regular expressions that a rule matches with.
    fn patterns(&mut self, rule: &Node) {
        let Some(Ok(facts)) = rule.text().and_then(facts) else { return };
        for pattern in facts.patterns.iter().filter(|pattern| !is_expression(pattern)) {
            let message = format!("{} is not a valid regular expression", Quoted(pattern));
            self.judge.add(&RULE, rule, message).label("expected the syntax of Go's `regexp`");
        }
    }

    /// The fields of an object that a rule names are those of its schema, unless that leaves them open.
    fn fields(&mut self, rule: &Node, schema: &Node) {
        let is_open =
            ["additionalProperties", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"]
                .iter()
                .any(|key| schema.get(key).is_some());
        let properties = entries(schema, "properties");
        let Some(Ok(facts)) = rule.text().and_then(facts).filter(|_| !is_open && !properties.is_empty()) else {
            return;
        };
        for (of, field) in facts.fields.iter().filter(|(of, _)| matches!(of.as_str(), "self" | "oldSelf")) {
            // Names that are none of CEL are escaped with these, and every object has the others.
            let is_other = field.contains("__") || matches!(field.as_str(), "metadata" | "apiVersion" | "kind");
            if is_other || properties.iter().any(|property| property.key.text == *field) {
                continue;
            }
            let finding = self.judge.add(&RULE, rule, format!("{} has no field {}", Quoted(of), Quoted(field)));
            if let Some(near) = nearest(field, properties.iter().map(|property| property.key.text.as_str())) {
                finding.label(format!("did you mean `{near}`?"));
            }
        }
    }

    /// The type, and what goes with it.
    fn kind(&mut self, schema: &Schema<'_>, place: Place) {
        const KINDS: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
        self.judge.one_of(&SCHEMA, schema.node.get("type"), &KINDS);
        let kind = schema.kind.unwrap_or_default();
        if schema.node.get("type").is_some_and(|kind| !kind.is_null() && kind.text().is_none()) {
            return;
        }
        if schema.embedded.is_some() && kind != "object" || place == Place::Root && !matches!(kind, "object" | "") {
            let what = if place == Place::Root { "a resource" } else { "an embedded resource" };
            let finding = self.judge.within(&SCHEMA, schema.node, format!("{what} that is no object"));
            finding.label("expected `type: object`");
        } else if kind.is_empty() && !schema.int_or_string && !schema.preserves() {
            self.judge
                .within(&SCHEMA, schema.node, "a schema without a type")
                .label("expected `type`")
                .help("where anything may stand, write `x-kubernetes-preserve-unknown-fields: true`");
        }
        if kind == "array" && schema.items.is_none() {
            self.judge.within(&SCHEMA, schema.node, "an array without `items`").label("expected `items`");
        }
        if let Some(entry) = schema.preserves.filter(|_| schema.int_or_string && schema.preserves()) {
            self.judge.add(&SCHEMA, entry, "a number or string has no fields").help("remove it");
        }
        let Some(entry) = schema.embedded else { return };
        if schema.int_or_string {
            self.judge.add(&SCHEMA, entry, "a number or string is no resource").help("remove it");
        }
        if let Some(entry) = schema.additional {
            self.judge.add(&SCHEMA, entry, "`additionalProperties` of an embedded resource").help("remove it");
        }
        if schema.properties.is_empty() && !schema.preserves() {
            self.judge
                .add(&SCHEMA, entry, "an embedded resource of which no field is known")
                .label("expected `properties` or `x-kubernetes-preserve-unknown-fields: true`");
        }
    }

    /// What every object has, which an API server checks by itself.
    fn own(&mut self, name: &str, field: &Schema<'_>, place: Place) {
        let expected = if name == "metadata" { "object" } else { "string" };
        if field.kind.is_some_and(|kind| kind != expected) {
            let node = field.node.get("type").unwrap_or(field.node);
            self.judge.add(&SCHEMA, node, format!("`{name}` of another type")).label(format!("expected `{expected}`"));
        }
        if name == "metadata" && place == Place::Root {
            let further = |entry: &&Entry| !matches!(entry.key.text.as_str(), "name" | "generateName");
            if let Some(entry) = field.properties.iter().find(further) {
                self.judge
                    .add(&SCHEMA, entry, "a schema of `metadata` with more than `name` and `generateName`")
                    .help("only `name` and `generateName` can be narrowed down");
            }
        }
    }

    fn list(&mut self, schema: &Schema<'_>) {
        if let Some(entry) = schema.map_type {
            self.judge.one_of(&LIST, Some(&entry.value), &["atomic", "granular"]);
            if schema.kind != Some("object") {
                self.judge.add(&LIST, entry, "a map type of what is no object").label("expected `type: object`");
            }
        }
        let Some(entry) = schema.list_type else {
            if let Some(first) = schema.list_keys.first() {
                self.judge
                    .add(&LIST, first, "keys of a list that is not a map")
                    .help("add `x-kubernetes-list-type: map`");
            }
            return;
        };
        self.judge.one_of(&LIST, Some(&entry.value), &["atomic", "set", "map"]);
        if schema.kind != Some("array") {
            self.judge.add(&LIST, entry, "a list type of what is no list").label("expected `type: array`");
            return;
        }
        let items = schema.items.map(Schema::of);
        let list_type = entry.value.text().unwrap_or_default();
        if matches!(list_type, "set" | "map")
            && let Some(entry) = items.and_then(|items| items.nullable)
        {
            self.judge.add(&LIST, entry, format!("items of a {list_type} that may be null")).help("remove it");
        }
        match (list_type, items) {
            ("set", Some(items)) => {
                let is_atomic = |entry: Option<&Entry>| entry.and_then(|entry| entry.value.text()) == Some("atomic");
                let merged = match items.kind {
                    Some("array") => items.list_type.is_some() && !is_atomic(items.list_type),
                    Some("object") => !is_atomic(items.map_type),
                    _ => false,
                };
                if merged {
                    self.judge
                        .within(&LIST, items.node, "items of a `set` that are not atomic")
                        .label("expected `x-kubernetes-map-type: atomic`")
                        .help("write `x-kubernetes-map-type: atomic` beside `type: object`");
                }
            }
            ("map", items) => self.map(schema, entry, items),
            _ => {
                if let Some(first) = schema.list_keys.first() {
                    self.judge.add(&LIST, first, "keys of a list that is not a map").help("remove them");
                }
            }
        }
    }

    /// A list whose items are told apart by some of their fields.
    fn map(&mut self, schema: &Schema<'_>, entry: &Entry, items: Option<Schema<'_>>) {
        if schema.list_keys.is_empty() {
            let finding = self.judge.add(&LIST, entry, "a map without keys");
            finding.label("expected `x-kubernetes-list-map-keys` beside it");
        }
        let Some(items) = items else { return };
        if items.kind != Some("object") {
            let finding = self.judge.within(&LIST, items.node, "items of a map that are no objects");
            finding.label("expected `type: object`");
            return;
        }
        let mut seen = HashSet::new();
        for node in schema.list_keys {
            let Some(key) = node.text() else { continue };
            if !seen.insert(key) {
                self.judge.add(&LIST, node, format!("{} twice", Quoted(key))).help("name each key once");
            }
            let Some(field) = items.property(key).map(Schema::of) else {
                let names: Vec<&str> = items.properties.iter().map(|entry| entry.key.text.as_str()).collect();
                let finding = self.judge.add(&LIST, node, format!("items have no field {}", Quoted(key)));
                if !names.is_empty() && names.len() < 9 {
                    finding.label(format!("expected {}", list(&names, "or")));
                }
                continue;
            };
            if matches!(field.kind, Some("array" | "object")) {
                self.judge.add(&LIST, node, format!("{} is no single value", Quoted(key))).help("choose another key");
            }
            if !items.is_required(key) && field.default.is_none() {
                self.judge
                    .add(&LIST, node, format!("an item may be without {}", Quoted(key)))
                    .help("list it in `required` of the items, or give it a default");
            }
            if let Some(entry) = field.nullable {
                self.judge.add(&LIST, entry, format!("the key {} may be null", Quoted(key))).help("remove it");
            }
        }
    }

    /// A default must itself be a value of its schema.
    fn default(&mut self, schema: &Schema<'_>, entry: &Entry) {
        let object = self.judge.object;
        for found in custom::misfits(schema.node, &entry.value, object) {
            let finding = self.judge.add(&DEFAULT, entry, format!("the default does not fit: {}", found.message));
            finding.label = found.label;
            finding.help = found.help;
        }
    }

    /// A schema below `allOf`, `anyOf`, `oneOf` or `not`, and the one outside that it narrows down.
    fn narrowing(&mut self, node: &'n Node, outer: &Schema<'_>, is_first: bool) {
        const FORBIDDEN: [&str; 10] = [
            "type",
            "default",
            "title",
            "description",
            "additionalProperties",
            "x-kubernetes-list-type",
            "x-kubernetes-list-map-keys",
            "x-kubernetes-map-type",
            "x-kubernetes-validations",
            "x-kubernetes-embedded-resource",
        ];
        const FLAGS: [&str; 3] = ["nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"];
        let schema = Schema::of(node);
        self.anywhere(&schema);
        for entry in node.entries() {
            let key = entry.key.text.as_str();
            let is_empty = entry.value.is_null()
                || entry.value.text() == Some("")
                || matches!(&entry.value.data, Data::List(items) if items.is_empty());
            let flagged = FLAGS.contains(&key) || key == "x-kubernetes-embedded-resource";
            let counts = if flagged { entry.value.boolean() == Some(true) } else { !is_empty };
            if counts && (FORBIDDEN.contains(&key) || FLAGS.contains(&key)) {
                self.judge
                    .add(&SCHEMA, entry, format!("`{key}` below `allOf`, `anyOf`, `oneOf` or `not`"))
                    .label("only limits may stand here")
                    .help("move it to the schema that these belong to");
            }
        }
        for entry in schema.properties {
            let key = &entry.key.text;
            if key == "metadata" {
                let finding = self.judge.add(&SCHEMA, entry, "metadata that is narrowed down here");
                finding.help("an API server checks it by itself; remove it");
            }
            if let Some(field) = outer.property(key) {
                self.narrowing(&entry.value, &Schema::of(field), false);
            } else {
                self.judge
                    .add(&SCHEMA, entry, format!("{} is not a field of the schema outside", Quoted(key)))
                    .help("say there what it is; here it can only be narrowed down");
            }
        }
        match (schema.items, outer.items) {
            (Some(items), Some(outer)) => self.narrowing(items, &Schema::of(outer), false),
            (Some(items), None) => {
                let finding = self.judge.within(&SCHEMA, items, "items that the schema outside does not know");
                finding.help("say there what they are; here they can only be narrowed down");
            }
            _ => {}
        }
        let any = if is_first && is_int_or_string(schema.any) { &[] } else { schema.any };
        for part in schema.all.iter().chain(any).chain(schema.one).chain(schema.not) {
            self.narrowing(part, outer, false);
        }
    }
}

/// Whether these are a number and a string, and nothing else.
fn is_int_or_string(any: &[Node]) -> bool {
    let is = |node: &Node, kind: &str| node.entries().len() == 1 && node.get("type").and_then(Node::text) == Some(kind);
    matches!(any, [first, second] if is(first, "integer") && is(second, "string"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::{DEFAULT, LIST, PATTERN, RULE, SCHEMA};

    #[test]
    fn schemas_at_their_edges() {
        const OBJECT: &str = "type: object, properties";
        for (schema, rule, times) in [
            ("{type: object}".to_owned(), &SCHEMA, 0),
            ("{}".to_owned(), &SCHEMA, 1),
            ("{type: string}".to_owned(), &SCHEMA, 1),
            ("{x-kubernetes-preserve-unknown-fields: true}".to_owned(), &SCHEMA, 0),
            ("{type: object, additionalProperties: true}".to_owned(), &SCHEMA, 1),
            (
                format!(
                    "{{{OBJECT}: {{a: {{type: object, additionalProperties: true, properties: {{b: {{type: string}}}}}}}}}}"
                ),
                &SCHEMA,
                0,
            ),
            (
                format!(
                    "{{{OBJECT}: {{a: {{type: object, additionalProperties: false, properties: {{b: {{type: string}}}}}}}}}}"
                ),
                &SCHEMA,
                1,
            ),
            (format!("{{{OBJECT}: {{a: {{x-kubernetes-int-or-string: true}}}}}}"), &SCHEMA, 0),
            (
                format!(
                    "{{{OBJECT}: {{a: {{x-kubernetes-int-or-string: true, anyOf: [{{type: integer}}, {{type: string}}]}}}}}}"
                ),
                &SCHEMA,
                0,
            ),
            (
                format!(
                    "{{{OBJECT}: {{a: {{x-kubernetes-int-or-string: true, anyOf: [{{type: string}}, {{type: integer}}]}}}}}}"
                ),
                &SCHEMA,
                2,
            ),
            (
                format!(
                    "{{{OBJECT}: {{a: {{x-kubernetes-int-or-string: true, allOf: [{{anyOf: [{{type: integer}}, {{type: string}}]}}, {{pattern: a}}]}}}}}}"
                ),
                &SCHEMA,
                0,
            ),
            (format!("{{{OBJECT}: {{a: {{type: array, items: {{}}}}}}}}"), &SCHEMA, 1),
            (format!("{{{OBJECT}: {{a: {{type: string, not: {{enum: [b]}}}}}}}}"), &SCHEMA, 0),
            (format!("{{{OBJECT}: {{a: {{type: string, not: {{enum: [b], default: c}}}}}}}}"), &SCHEMA, 1),
            (
                format!(
                    "{{{OBJECT}: {{a: {{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}}}}}"
                ),
                &SCHEMA,
                0,
            ),
            (format!("{{{OBJECT}: {{a: {{type: object, x-kubernetes-embedded-resource: true}}}}}}"), &SCHEMA, 1),
            (format!("{{{OBJECT}: {{metadata: {{type: object}}}}}}"), &SCHEMA, 0),
            // Fields called like keywords are fields.
            (
                format!(
                    "{{{OBJECT}: {{properties: {{type: string}}, $ref: {{type: string}}, default: {{type: string}}}}}}"
                ),
                &SCHEMA,
                0,
            ),
            (
                format!("{{{OBJECT}: {{a: {{type: array, x-kubernetes-list-type: set, items: {{type: string}}}}}}}}"),
                &LIST,
                0,
            ),
            (
                format!(
                    "{{{OBJECT}: {{a: {{type: array, x-kubernetes-list-type: set, items: {{type: string, nullable: true}}}}}}}}"
                ),
                &LIST,
                1,
            ),
            (
                format!(
                    "{{{OBJECT}: {{a: {{type: array, x-kubernetes-list-map-keys: [b], items: {{type: object}}}}}}}}"
                ),
                &LIST,
                1,
            ),
            (format!("{{{OBJECT}: {{a: {{type: string, default: ''}}}}}}"), &DEFAULT, 0),
            (format!("{{{OBJECT}: {{a: {{type: string, default: 1}}}}}}"), &DEFAULT, 1),
            (format!("{{{OBJECT}: {{a: {{type: integer, default: null}}}}}}"), &DEFAULT, 0),
            (format!("{{{OBJECT}: {{a: {{type: array, items: {{type: string}}, default: [b, 1]}}}}}}"), &DEFAULT, 1),
            (format!("{{{OBJECT}: {{metadata: {{type: object, default: {{}}}}}}}}"), &DEFAULT, 1),
            (format!("{{{OBJECT}: {{a: {{type: string, pattern: '^\\$\\{{x\\}}[[]$'}}}}}}"), &PATTERN, 0),
            (format!("{{{OBJECT}: {{a: {{type: string, anyOf: [{{pattern: '('}}]}}}}}}"), &PATTERN, 1),
            ("{type: object, x-kubernetes-validations: [{rule: 'self == oldSelf'}]}".to_owned(), &RULE, 0),
            ("{type: object, x-kubernetes-validations: [{rule: ''}]}".to_owned(), &RULE, 1),
            ("{type: object, x-kubernetes-validations: [{rule: 'true', messageExpression: '('}]}".to_owned(), &RULE, 1),
        ] {
            let text = format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: as.b.c}}\n\
                 spec:\n  group: b.c\n  scope: Cluster\n  names: {{kind: A, plural: as}}\n  versions:\n    \
                 - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}\n"
            );
            broken(&text, rule, times);
        }
    }
}
