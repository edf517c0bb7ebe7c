//! The rules in CEL that a definition adds to its schema (`x-kubernetes-validations`).
//!
//! As for an object that is new: rules that compare with what was there before hold. What the library cannot evaluate
//! holds too, as an API server may know more than it.

use crate::finding::Findings;
use crate::kubectl::as_kubectl;
use crate::object::Object;
use crate::rule::rules;
use kube_cel::cel::Program;
use kube_cel::cel::common::ast::IdedExpr;
use kube_cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;
use std::sync::OnceLock;
use vigil_yaml::{Data, Node, Quoted};

rules! {
    RULE "schema-rule" Error Server "every custom resource passes the CEL rules of its definition (`x-kubernetes-validations`)"
}

/// Longer expressions are left to an API server, which has limits of its own.
const LONGEST: usize = 4 * 1024;

/// So are deeper ones: the parser's time grows with the square of the depth, and worse.
const DEEPEST: usize = 24;

/// And so is what takes more steps than this: an API server counts them, the library does not.
const MOST_STEPS: usize = 2_000_000;

/// What goes through all of a list or a mapping.
const LOOPS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

/// The library walks expressions by recursion; none of this length needs more.
const STACK: usize = 64 << 20;

/// The rules of a schema, compiled when there is an object to judge.
#[derive(Debug)]
pub(crate) struct Rules {
    schema: Value,
    /// How many loops stand inside each other in a rule.
    loops: u32,
    compiled: OnceLock<CompiledSchema>,
}

impl Rules {
    /// Those in `schema`.
    pub(super) fn new(mut schema: Value) -> Self {
        let mut loops = 0;
        drop_large(&mut schema, &mut loops);
        Self { schema, loops, compiled: OnceLock::new() }
    }

    /// Judges `object`, whose schema is fulfilled.
    pub(crate) fn check(&self, object: &Object<'_>, drops_status: bool, findings: &mut Findings) {
        let mut json = object.node.map_json(&mut as_kubectl, &mut str::to_owned);
        drop_nulls(&mut json);
        if drops_status && let Some(fields) = json.as_object_mut() {
            fields.remove("status");
        }
        let (values, longest) = size(&json);
        if values.saturating_mul(longest.saturating_pow(self.loops.saturating_sub(1))) > MOST_STEPS {
            return;
        }
        let broken = apart(|| {
            let compiled = self.compiled.get_or_init(|| compile_schema(&self.schema));
            let broken = Validator::new().validate_compiled(compiled, &json, None).err()?;
            Some(broken.into_vec())
        });
        for broken in broken.flatten().unwrap_or_default() {
            if broken.kind != ErrorKind::ValidationFailure {
                continue;
            }
            let (message, help) = if broken.message.starts_with("failed rule: ") {
                (
                    "a rule of the definition is not fulfilled".to_owned(),
                    format!("it asks for {}", Quoted(&broken.rule)),
                )
            } else {
                (broken.message, format!("the definition asks for {}", Quoted(&broken.rule)))
            };
            let node = find(object.node, &broken.field_path);
            findings.add(&RULE, object, node, message).help(help);
        }
    }
}

/// Takes out what is null, as a server does before it fills in defaults.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What is wrong with an expression, if anything.
pub(crate) fn mistake(expression: &str) -> Option<String> {
    // Optional values are a newer part of the language than the library knows.
    if !is_small(expression) || expression.contains(".?") || expression.contains("[?") {
        return None;
    }
    let found = apart(|| Program::compile(expression).err().map(|error| error.to_string()))??;
    let line = found.lines().next().unwrap_or_default();
    let what = line.split_once("Syntax error: ").map_or(line, |(_, what)| what);
    // All that could stand there would be everything.
    let what = what.split(" expecting {").next().unwrap_or(what);
    Some(what.replace("'<EOF>'", "the end"))
}

/// What `look` finds in an expression that has no mistake; nothing of one that the library does not read.
pub(crate) fn compiled<T: Send>(text: &str, look: impl FnOnce(&IdedExpr) -> T + Send) -> Option<T> {
    // Optional values are a newer part of the language than the library knows.
    if !is_small(text) || text.contains(".?") || text.contains("[?") {
        return None;
    }
    apart(|| Program::compile(text).ok().map(|program| look(program.expression())))?
}

/// Runs something with room for its recursion; nothing comes of it when it fails in a way of its own.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?;
        thread.join().ok()
    })
}

/// Whether an expression is one that the library parses in no time.
fn is_small(expression: &str) -> bool {
    let (mut depth, mut choices) = (0_usize, 0_usize);
    expression.len() <= LONGEST
        && expression.bytes().all(|b| {
            match b {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'?' => choices += 1,
                _ => {}
            }
            depth <= DEEPEST && choices <= DEEPEST
        })
}

/// How many loops stand inside each other in an expression.
fn loops(expression: &str) -> u32 {
    let (mut open, mut depth, mut deepest) = (Vec::new(), 0, 0);
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' => {
                let is_loop = LOOPS.iter().any(|name| expression[..at].ends_with(&format!(".{name}")));
                open.push(is_loop);
                depth += u32::from(is_loop);
                deepest = deepest.max(depth);
            }
            b')' => depth -= u32::from(open.pop().unwrap_or_default()),
            _ => {}
        }
    }
    deepest
}

/// How many values there are, and how many the longest list or mapping has.
fn size(value: &Value) -> (usize, usize) {
    let (length, parts): (usize, Vec<_>) = match value {
        Value::Object(fields) => (fields.len(), fields.values().map(size).collect()),
        Value::Array(items) => (items.len(), items.iter().map(size).collect()),
        _ => (0, Vec::new()),
    };
    parts.into_iter().fold((1, length), |(values, longest), (more, long)| (values + more, longest.max(long)))
}

/// Leaves out the rules whose expressions are not small, and says how many loops stand inside each other in the others.
fn drop_large(schema: &mut Value, deepest: &mut u32) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(rules)) = entries.get_mut("x-kubernetes-validations") {
                let is_fine = |rule: &Value, key: &str| rule[key].as_str().is_none_or(is_small);
                rules.retain(|rule| is_fine(rule, "rule") && is_fine(rule, "messageExpression"));
                let found = rules.iter().filter_map(|rule| rule["rule"].as_str()).map(loops).max();
                *deepest = (*deepest).max(found.unwrap_or_default());
            }
            entries.values_mut().for_each(|value| drop_large(value, deepest));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_large(item, deepest)),
        _ => {}
    }
}

/// The value at a path such as `spec.list[0].key`, or the last one on the way to it.
fn find<'n>(node: &'n Node, path: &str) -> &'n Node {
    let path = path.strip_prefix('.').unwrap_or(path);
    let next = match &node.data {
        Data::Map(entries) => entries
            .iter()
            .filter_map(|entry| Some((entry, path.strip_prefix(entry.key.text.as_str())?)))
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with(['.', '[']))
            // Keys may have dots in them.
            .max_by_key(|(entry, _)| entry.key.text.len())
            .map(|(entry, rest)| (&entry.value, rest)),
        Data::List(items) => path
            .strip_prefix('[')
            .and_then(|path| path.split_once(']'))
            .and_then(|(index, rest)| Some((items.get(index.parse::<usize>().ok()?)?, rest))),
        Data::Scalar(_) => None,
    };
    match next {
        Some((next, rest)) if !path.is_empty() => find(next, rest),
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_inside_each_other() {
        for (expression, expected) in [
            ("self.a > 1", 0),
            ("self.all(x, x > 1) && self.exists(x, x == 2)", 1),
            ("self.all(x, (self.map(y, y + 1)).exists_one(z, z == x))", 2),
            ("self.all(x, self.filter(y, x.list.exists(z, z == y)).size() == 1))", 3),
            ("size(self) == small(self)", 0),
        ] {
            assert_eq!(loops(expression), expected, "{expression}");
        }
    }

    /// Eight thousand million steps, if somebody took them.
    #[test]
    fn rules_that_take_too_long_are_left_out() {
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.example.com}\n\
            spec:\n  group: example.com\n  names: {kind: A, plural: as}\n  scope: Namespaced\n  versions:\n  - name: v1\n    \
            served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          \
            list:\n            type: array\n            items: {type: integer}\n            x-kubernetes-validations:\n            \
            - rule: self.all(a, self.all(b, self.all(c, a + b + c > 0)))\n";
        let options = crate::Options {
            objects_only: true,
            definitions: vec![vigil_yaml::Source::new("definition.yaml", definition)],
            ..crate::Options::default()
        };
        for (item, count, findings) in [(1, 20, 0), (-1, 20, 1), (-1, 2000, 0)] {
            let list = vec![item.to_string(); count].join(", ");
            let text = format!("apiVersion: example.com/v1\nkind: A\nmetadata: {{name: a}}\nlist: [{list}]\n");
            let report = crate::check(&[vigil_yaml::Source::new("a.yaml", text)], &options);
            assert_eq!(report.findings.len(), findings, "{count} times {item}: {:?}", report.findings);
        }
    }

    #[test]
    fn expressions() {
        for right in [
            "self.a > 1",
            "has(self.a) && self.a.all(x, x.b in ['c'])",
            "!has(self.a) || self.a.matches('^[a-z]+$')",
            "self.?a.orValue(1) > 0",
            "self.list.exists_one(x, x == 'a') ? true : false",
            "self.map(x, x.startsWith('a')).size() == 0",
            "quantity(self.a).isGreaterThan(quantity('1Gi'))",
            "self.all(k, v, k != v)",
            "cel.bind(x, self.a, x > 1)",
            "self == oldSelf",
            "self.__namespace__ == r'\\d' || b'a' == b\"a\" || 1u < 2u || 1.5e3 > 0x1F",
            "size(self) == 0 // nothing",
            "[1, 2,] == [1, 2]",
        ] {
            assert_eq!(mistake(right), None, "{right}");
        }
        for wrong in ["self.a >", "self.a = 1", "(self.a", "'a", "self.a &&& self.b", "a b"] {
            assert!(mistake(wrong).is_some(), "{wrong}");
        }
        // No matter how deep, it ends, and says nothing that an API server might not.
        for (open, close) in [("(", ")"), ("[", "]"), ("-(", ")"), ("!", ""), ("a.b + ", ""), ("1 ? 2 : ", "")] {
            for count in [DEEPEST, DEEPEST + 1, LONGEST / (open.len() + close.len())] {
                assert_eq!(mistake(&format!("{}a{}", open.repeat(count), close.repeat(count))), None, "{open} {count}");
            }
        }
    }

    #[test]
    fn places() {
        let text = "a:\n  b.c:\n    - d: 1\n";
        let source = vigil_yaml::Source::new("test.yaml", text.to_owned());
        let node = vigil_yaml::read_one(&source, &vigil_yaml::Limits::default()).unwrap().unwrap();
        for (path, expected) in
            [("a.b.c[0].d", "1"), (".a.b.c[0].d", "1"), ("a.b.c[0].e", "d: 1"), ("a.b.c[1]", "- d: 1"), ("x", text)]
        {
            let found = find(&node, path);
            assert_eq!(found.span.source.text[found.span.range.clone()].trim(), expected.trim(), "{path}");
        }
    }
}
