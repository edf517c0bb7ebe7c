//! What an expression in CEL asks for: the names that it takes from outside, the functions that it calls, and what comes of it,
//! as far as its text tells.

use super::cel::{compiled, mistake};
use kube_cel::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use std::collections::BTreeSet;

/// What comes of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Text,
    Number,
    List,
    Map,
    /// A value of an object, which may be any: a server asks for more where it wants one kind.
    Any,
    /// This is not known here.
    Unknown,
}

impl Kind {
    /// As messages call it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Text => "a string",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Any | Self::Unknown => "a value of any kind",
        }
    }
}

/// What is known of an expression.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The names that are none of its own.
    pub(crate) names: BTreeSet<String>,
    /// The functions that it calls.
    pub(crate) functions: BTreeSet<String>,
    /// The fields that it takes of names, as `request` and `name`.
    pub(crate) fields: BTreeSet<(String, String)>,
    /// The regular expressions that it matches with.
    pub(crate) patterns: Vec<String>,
    pub(crate) result: Kind,
    /// An operator whose sides are of kinds that do not go together.
    pub(crate) clash: Option<(String, Kind, Kind)>,
}

/// What is known of an expression; what is wrong with one that does not compile; nothing of one that is too large, or newer
/// than the library.
pub(crate) fn facts(text: &str) -> Option<Result<Facts, String>> {
    if let Some(mistake) = mistake(text) {
        return Some(Err(mistake));
    }
    compiled(text, |expression| {
        let mut walk = Walk::default();
        walk.expression(expression);
        let Walk { names, functions, fields, patterns, clash, .. } = walk;
        Ok(Facts { names, functions, fields, patterns, result: kind(expression), clash })
    })
}

#[derive(Default)]
struct Walk {
    /// The variables of loops that an expression stands in.
    bound: Vec<String>,
    names: BTreeSet<String>,
    functions: BTreeSet<String>,
    fields: BTreeSet<(String, String)>,
    patterns: Vec<String>,
    clash: Option<(String, Kind, Kind)>,
}

impl Walk {
    fn expression(&mut self, expression: &IdedExpr) {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                if !name.starts_with('@') && !self.bound.contains(name) {
                    self.names.insert(name.trim_start_matches('.').to_owned());
                }
            }
            Expr::Select(it) => {
                if let Expr::Ident(name) = &it.operand.expr
                    && !self.bound.contains(name)
                {
                    self.fields.insert((name.clone(), it.field.clone()));
                }
                self.expression(&it.operand);
            }
            Expr::List(it) => it.elements.iter().for_each(|element| self.expression(element)),
            Expr::Map(it) => it.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(it) => it.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Call(it) => {
                if it.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    self.functions.insert(it.func_name.clone());
                }
                self.clash = self.clash.take().or_else(|| clash(it));
                if let (
                    "matches" | "find" | "findAll",
                    [IdedExpr { expr: Expr::Literal(LiteralValue::String(text)), .. }, ..],
                ) = (it.func_name.as_str(), it.args.as_slice())
                {
                    self.patterns.push(text.to_string());
                }
                // Loops that the parser takes for calls name their variables first.
                let made = BINDING.iter().find(|(name, _)| *name == it.func_name).map_or(0, |(_, count)| *count);
                let before = self.bound.len();
                for variable in it.args.iter().take(made) {
                    if let Expr::Ident(name) = &variable.expr {
                        self.bound.push(name.clone());
                    }
                }
                for part in it.target.iter().map(Box::as_ref).chain(&it.args) {
                    self.expression(part);
                }
                self.bound.truncate(before);
            }
            Expr::Comprehension(it) => {
                self.expression(&it.iter_range);
                self.expression(&it.accu_init);
                let before = self.bound.len();
                self.bound.extend([it.iter_var.clone(), it.accu_var.clone()]);
                self.bound.extend(it.iter_var2.clone());
                for part in [&it.loop_cond, &it.loop_step, &it.result] {
                    self.expression(part);
                }
                self.bound.truncate(before);
            }
        }
    }

    fn entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.expression(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.expression(&entry.key);
                self.expression(&entry.value);
            }
        }
    }
}

/// Macros, and how many variables each makes: cel-go's `ext` and `OptionalTypes`.
const BINDING: [(&str, usize); 7] = [
    ("bind", 1),
    ("optFlatMap", 1),
    ("optMap", 1),
    ("sortBy", 1),
    ("transformList", 2),
    ("transformMap", 2),
    ("transformMapEntry", 2),
];

/// Whether a function is a macro that makes names of its own.
pub(super) fn binds(name: &str) -> bool {
    BINDING.iter().any(|(known, _)| *known == name)
}

const COMPARING: [&str; 6] = ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"];

/// Two sides of an operator that are surely of different kinds.
fn clash(call: &CallExpr) -> Option<(String, Kind, Kind)> {
    let [left, right] = call.args.as_slice() else { return None };
    let is_known = |kind: Kind| matches!(kind, Kind::Bool | Kind::Text | Kind::Number | Kind::List | Kind::Map);
    let (one, other) = (kind(left), kind(right));
    let concerns = COMPARING.contains(&call.func_name.as_str()) || call.func_name == "_+_";
    (concerns && is_known(one) && is_known(other) && one != other)
        .then(|| (call.func_name.trim_matches('_').to_owned(), one, other))
}

fn kind(expression: &IdedExpr) -> Kind {
    match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => Kind::Bool,
        Expr::Literal(LiteralValue::String(_)) => Kind::Text,
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => Kind::Number,
        Expr::List(_) => Kind::List,
        Expr::Map(_) => Kind::Map,
        Expr::Ident(name) if matches!(name.as_str(), "object" | "oldObject" | "params") => Kind::Any,
        Expr::Select(it) if it.test => Kind::Bool,
        Expr::Select(it) if kind(&it.operand) == Kind::Any => Kind::Any,
        Expr::Call(it) => called(it),
        // What a loop begins with tells what it makes: `exists_one` counts, and compares in the end.
        Expr::Comprehension(it) => match (kind(&it.accu_init), kind(&it.result)) {
            (Kind::List, _) => Kind::List,
            (Kind::Map, _) => Kind::Map,
            (Kind::Bool, _) | (_, Kind::Bool) => Kind::Bool,
            _ => Kind::Unknown,
        },
        _ => Kind::Unknown,
    }
}

fn called(call: &CallExpr) -> Kind {
    let of = |index: usize| call.args.get(index).map_or(Kind::Unknown, kind);
    match call.func_name.as_str() {
        "_&&_" | "_||_" | "!_" | "@in" | "_in_" => Kind::Bool,
        name if COMPARING.contains(&name) => Kind::Bool,
        "_?_:_" if of(1) == of(2) => of(1),
        "_+_" if of(0) == of(1) && of(0) != Kind::Any => of(0),
        "size" | "int" | "uint" | "double" => Kind::Number,
        "string" => Kind::Text,
        "startsWith" | "endsWith" | "contains" | "matches" if call.args.len() == 1 => Kind::Bool,
        "_[_]" if of(0) == Kind::Any => Kind::Any,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_expressions() {
        for (text, names, functions, result) in [
            ("object.spec.replicas <= 5", "object", "", Kind::Bool),
            ("object.spec.hostNetwork", "object", "", Kind::Any),
            ("object.spec.containers.all(c, c.image.startsWith('a'))", "object", "startsWith", Kind::Bool),
            ("object.items.exists_one(i, i == 1)", "object", "", Kind::Bool),
            ("object.items.map(i, i.name)", "object", "", Kind::List),
            ("has(object.a) ? 'b' : 'c'", "object", "", Kind::Text),
            ("'a' + string(params.b)", "params", "string", Kind::Text),
            ("size(objekt.a) + 1", "objekt", "size", Kind::Number),
            ("variables.a && !variables.b", "variables", "", Kind::Bool),
            ("'a' in object.b", "object", "", Kind::Bool),
            ("Object{spec: Object.spec{replicas: object.spec.replicas + 1}}", "object", "", Kind::Unknown),
            ("[JSONPatch{op: 'add', path: '/a', value: Object.a{b: 'c'}}]", "", "", Kind::List),
            (
                "!format.dns1123Label().validate(object.a).hasValue()",
                "format object",
                "dns1123Label hasValue validate",
                Kind::Bool,
            ),
            ("request.dryRun", "request", "", Kind::Unknown),
        ] {
            let facts = facts(text).unwrap().unwrap();
            let join = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            assert_eq!((join(&facts.names).as_str(), join(&facts.functions).as_str()), (names, functions), "{text}");
            assert_eq!(facts.result, result, "{text}");
        }
        assert!(facts("object.spec.replicas <").unwrap().is_err());
        for (text, clashes) in
            [("1 == 'a'", true), ("object.a == 'a'", false), ("size(object.a) == '3'", true), ("1 < 2.0", false)]
        {
            assert_eq!(facts(text).unwrap().unwrap().clash.is_some(), clashes, "{text}");
        }
    }
}
