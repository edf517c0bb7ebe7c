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

/// Longer ones are left to an API server, which has limits of its own.
const LONGEST: usize = 4 * 1024;

/// The library walks expressions by recursion; none of this length needs more.
const STACK: usize = 64 << 20;

/// The rules of a schema, compiled when there is an object to judge.
#[derive(Debug)]
pub(crate) struct Rules {
    schema: Value,
    compiled: OnceLock<Option<CompiledSchema>>,
}

impl Rules {
    /// Those in `schema`.
    pub(super) fn new(schema: Value) -> Self {
        Self { schema, compiled: OnceLock::new() }
    }

    /// Judges `object`, whose schema is fulfilled.
    pub(crate) fn check(&self, object: &Object<'_>, findings: &mut Findings) {
        let json = object.node.map_json(&mut validate::as_kubectl, &mut str::to_owned);
        let broken = apart(|| {
            let compiled = self.compiled.get_or_init(|| is_short(&self.schema).then(|| compile_schema(&self.schema)));
            let broken = Validator::new().validate_compiled(compiled.as_ref()?, &json, None).err()?;
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

/// What is wrong with an expression, if anything.
pub(crate) fn mistake(expression: &str) -> Option<String> {
    // Optional values are a newer part of the language than the library knows.
    if expression.len() > LONGEST || expression.contains(".?") || expression.contains("[?") {
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

/// Whether no expression in a schema is too long.
fn is_short(schema: &Value) -> bool {
    match schema {
        Value::Object(entries) => entries.iter().all(|(key, value)| match key.as_str() {
            "rule" | "messageExpression" => value.as_str().is_none_or(|text| text.len() <= LONGEST) && is_short(value),
            _ => is_short(value),
        }),
        Value::Array(items) => items.iter().all(is_short),
        _ => true,
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
        // No matter how deep, it ends.
        for (open, close) in [("(", ")"), ("[", "]"), ("-(", ")"), ("!", ""), ("a.", "a"), ("1+", "1")] {
            let count = LONGEST / 2 / (open.len() + close.len());
            mistake(&format!("{}1{}", open.repeat(count), close.repeat(count)));
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
