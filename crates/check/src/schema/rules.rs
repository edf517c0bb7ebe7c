//! The rules in CEL that a definition adds to its schema (`x-kubernetes-validations`).
//!
//! As for an object that is new: rules that compare with what was there before hold. What the library cannot evaluate
//! holds too, as an API server may know more than it.

use super::{RULE, validate};
use crate::finding::Findings;
use crate::object::Object;
use kube_cel::cel::Program;
use kube_cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;
use std::sync::OnceLock;
use vigil_yaml::{Data, Node, Quoted};

/// Longer expressions are left to an API server, which has limits of its own.
const LONGEST: usize = 4 * 1024;

/// So are deeper ones: the parser's time grows with the square of the depth, and worse.
const DEEPEST: usize = 24;

/// The library walks expressions by recursion; none of this length needs more.
const STACK: usize = 64 << 20;

/// The rules of a schema, compiled when there is an object to judge.
#[derive(Debug)]
pub(crate) struct Rules {
    schema: Value,
    compiled: OnceLock<CompiledSchema>,
}

impl Rules {
    /// Those in `schema`.
    pub(super) fn new(mut schema: Value) -> Self {
        drop_large(&mut schema);
        Self { schema, compiled: OnceLock::new() }
    }

    /// Judges `object`, whose schema is fulfilled.
    pub(crate) fn check(&self, object: &Object<'_>, drops_status: bool, findings: &mut Findings) {
        let mut json = object.node.map_json(&mut validate::as_kubectl, &mut str::to_owned);
        drop_nulls(&mut json);
        if drops_status && let Some(fields) = json.as_object_mut() {
            fields.remove("status");
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
    Some(line.split_once("Syntax error: ").map_or(line, |(_, what)| what).to_owned())
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

/// Leaves out the rules whose expressions are not small.
fn drop_large(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(rules)) = entries.get_mut("x-kubernetes-validations") {
                let is_fine = |rule: &Value, key: &str| rule[key].as_str().is_none_or(is_small);
                rules.retain(|rule| is_fine(rule, "rule") && is_fine(rule, "messageExpression"));
            }
            entries.values_mut().for_each(drop_large);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_large),
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
