//! The types of an expression in CEL over a schema: what a server refuses because no function or operator takes such values.
//!
//! What is not known here is of any type, and goes with everything: nothing is told that a server would take.

use super::cel::compiled;
use crate::fields::{entries, is_set, text};
use kube_cel::cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue};
use vigil_yaml::Node;

/// The type of a value.
#[derive(Clone, Debug)]
enum Type<'n> {
    Bool,
    Text,
    Int,
    Double,
    Time,
    Duration,
    List(Box<Self>),
    Map(Box<Self>),
    /// An object with the properties of this schema.
    Object(&'n Node),
    Any,
}

impl<'n> Type<'n> {
    fn of(schema: &'n Node) -> Self {
        let is_open = [
            "x-kubernetes-int-or-string",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-embedded-resource",
            "nullable",
        ]
        .iter()
        .any(|key| is_set(schema, *key));
        match (text(schema, "type"), text(schema, "format")) {
            _ if is_open => Self::Any,
            (Some("string"), Some("date-time" | "date")) => Self::Time,
            (Some("string"), Some("duration")) => Self::Duration,
            (Some("string"), Some("byte")) => Self::Any,
            (Some("string"), _) => Self::Text,
            (Some("integer"), _) => Self::Int,
            (Some("number"), _) => Self::Double,
            (Some("boolean"), _) => Self::Bool,
            (Some("array"), _) => Self::List(Box::new(schema.get("items").map_or(Self::Any, Self::of))),
            (Some("object"), _) if !entries(schema, "properties").is_empty() => Self::Object(schema),
            (Some("object"), _) => match schema.get("additionalProperties") {
                Some(each) if !each.entries().is_empty() => Self::Map(Box::new(Self::of(each))),
                _ => Self::Any,
            },
            _ => Self::Any,
        }
    }

    /// As messages call it.
    fn shown(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Text => "a string",
            Self::Int => "a whole number",
            Self::Double => "a number with a fraction",
            Self::Time => "a time",
            Self::Duration => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
            Self::Any => "a value of any type",
        }
    }

    fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether the two may be of one type.
    fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other)) | (Self::Map(one), Self::Map(other)) => one.goes_with(other),
            // A literal of a map may stand for an object.
            (Self::Any, _) | (_, Self::Any) | (Self::Object(_) | Self::Map(_), Self::Object(_) | Self::Map(_)) => true,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}

/// What comes of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Text,
}

/// What is wrong with the types of an expression over a schema; nothing where nothing is known to be.
pub(crate) fn wrong(expression: &str, schema: &Node, wanted: Wanted) -> Option<String> {
    let of_self = Type::of(schema);
    let types = |expression: &IdedExpr| {
        let mut scope =
            Scope { variables: vec![("self".to_owned(), of_self.clone()), ("oldSelf".to_owned(), of_self.clone())] };
        let result = scope.of(expression)?;
        match (wanted, &result) {
            (_, Type::Any) | (Wanted::Bool, Type::Bool) | (Wanted::Text, Type::Text) => Ok(()),
            (Wanted::Bool, _) => Err(format!("it gives {}, where a boolean is expected", result.shown())),
            (Wanted::Text, _) => Err(format!("it gives {}, where a string is expected", result.shown())),
        }
    };
    compiled(expression, types)?.err()
}

/// The variables that an expression knows, and their types.
struct Scope<'n> {
    variables: Vec<(String, Type<'n>)>,
}

type Typed<'n> = Result<Type<'n>, String>;

impl<'n> Scope<'n> {
    fn of(&mut self, expression: &IdedExpr) -> Typed<'n> {
        Ok(match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => Type::Bool,
            Expr::Literal(LiteralValue::String(_)) => Type::Text,
            Expr::Literal(LiteralValue::Int(_)) => Type::Int,
            Expr::Literal(LiteralValue::Double(_)) => Type::Double,
            Expr::Ident(name) => {
                let known = self.variables.iter().rfind(|(known, _)| known == name);
                known.map_or(Type::Any, |(_, of)| of.clone())
            }
            Expr::Select(it) => {
                let of = self.of(&it.operand)?;
                let field = field(&of, &it.field)?;
                if it.test { Type::Bool } else { field }
            }
            Expr::List(it) => {
                let mut all: Option<Type<'n>> = None;
                for element in &it.elements {
                    let of = self.of(element)?;
                    all = Some(match all {
                        Some(first) if !first.is_any() && first.goes_with(&of) => first,
                        Some(_) => Type::Any,
                        None => of,
                    });
                }
                Type::List(Box::new(all.unwrap_or(Type::Any)))
            }
            Expr::Map(_) => Type::Map(Box::new(Type::Any)),
            Expr::Call(it) => self.call(it)?,
            Expr::Comprehension(it) => self.comprehension(it)?,
            _ => Type::Any,
        })
    }

    fn call(&mut self, call: &CallExpr) -> Typed<'n> {
        // What makes names of its own is not looked into.
        if super::expression::binds(&call.func_name) {
            return Ok(Type::Any);
        }
        let target = call.target.as_ref().map(|target| self.of(target)).transpose()?;
        let arguments = call.args.iter().map(|argument| self.of(argument)).collect::<Result<Vec<_>, _>>()?;
        let name = call.func_name.as_str();
        match (name, target.as_ref(), arguments.as_slice()) {
            ("!_", None, [one]) => both(name, one, &Type::Bool).map(|()| Type::Bool),
            ("_&&_" | "_||_", None, [one, other]) => {
                both(name, one, &Type::Bool)?;
                both(name, other, &Type::Bool).map(|()| Type::Bool)
            }
            ("_?_:_", None, [condition, one, other]) => {
                both(name, condition, &Type::Bool)?;
                both(name, one, other).map(|()| if one.is_any() { other.clone() } else { one.clone() })
            }
            ("_==_" | "_!=_", None, [one, other]) => both(name, one, other).map(|()| Type::Bool),
            ("_<_" | "_<=_" | "_>_" | "_>=_", None, [one, other]) => {
                let is_ordered = |of: &Type<'_>| !matches!(of, Type::List(_) | Type::Map(_) | Type::Object(_));
                let are_numbers = one.is_number() && other.is_number();
                if !is_ordered(one) || !is_ordered(other) || !are_numbers && !one.goes_with(other) {
                    return Err(between(name, one, other));
                }
                Ok(Type::Bool)
            }
            ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", None, [one, other]) => arithmetic(name, one, other),
            ("_[_]", None, [of, index]) => element(of, index),
            ("@in" | "_in_", None, [one, list]) => {
                match list {
                    Type::List(each) => both("in", one, each)?,
                    Type::Map(_) => both("in", one, &Type::Text)?,
                    Type::Any | Type::Object(_) => {}
                    other => return Err(between("in", one, other)),
                }
                Ok(Type::Bool)
            }
            ("size", Some(of), []) | ("size", None, [of]) => match of {
                Type::Text | Type::List(_) | Type::Map(_) | Type::Any => Ok(Type::Int),
                other => Err(format!("`size` of {}", other.shown())),
            },
            ("startsWith" | "endsWith" | "contains" | "matches", Some(of), [part]) => {
                if !of.goes_with(&Type::Text) || !part.goes_with(&Type::Text) {
                    return Err(format!("`{name}` between {} and {}", of.shown(), part.shown()));
                }
                Ok(Type::Bool)
            }
            _ => Ok(Type::Any),
        }
    }

    /// A loop, as its macro is written out.
    fn comprehension(&mut self, it: &ComprehensionExpr) -> Typed<'n> {
        let each = match self.of(&it.iter_range)? {
            Type::List(each) if it.iter_var2.is_none() => *each,
            Type::Map(_) if it.iter_var2.is_none() => Type::Text,
            Type::Any | Type::List(_) | Type::Map(_) | Type::Object(_) => Type::Any,
            other => return Err(format!("a loop over {}", other.shown())),
        };
        let made = self.of(&it.accu_init)?;
        let before = self.variables.len();
        self.variables.push((it.iter_var.clone(), each));
        self.variables.extend(it.iter_var2.clone().map(|name| (name, Type::Any)));
        self.variables.push((it.accu_var.clone(), made));
        let result = self.of(&it.loop_step).and_then(|_| self.of(&it.result));
        self.variables.truncate(before);
        result
    }
}

/// A field of a value.
fn field<'n>(of: &Type<'n>, name: &str) -> Typed<'n> {
    match of {
        Type::Object(schema) => {
            let known = entries(schema, "properties").iter().find(|property| property.key.text == name);
            // Names that are none of CEL are escaped; and every object has these.
            let is_other = name.contains("__") || matches!(name, "metadata" | "apiVersion" | "kind");
            match known {
                Some(property) => Ok(Type::of(&property.value)),
                None if is_other || is_set(schema, "x-kubernetes-preserve-unknown-fields") => Ok(Type::Any),
                None => Err(format!("an object of this schema has no field `{name}`")),
            }
        }
        Type::Map(each) => Ok((**each).clone()),
        Type::Any => Ok(Type::Any),
        other => Err(format!("the field `{name}` of {}", other.shown())),
    }
}

fn element<'n>(of: &Type<'n>, index: &Type<'n>) -> Typed<'n> {
    match of {
        Type::List(each) if index.goes_with(&Type::Int) => Ok((**each).clone()),
        Type::Map(each) if index.goes_with(&Type::Text) => Ok((**each).clone()),
        Type::Any | Type::Object(_) => Ok(Type::Any),
        other => Err(format!("{} in brackets behind {}", index.shown(), other.shown())),
    }
}

fn arithmetic<'n>(name: &str, one: &Type<'n>, other: &Type<'n>) -> Typed<'n> {
    let is_sum = name == "_+_";
    match (one, other) {
        (Type::Any, _) | (_, Type::Any) | (Type::Time | Type::Duration, Type::Time | Type::Duration) => Ok(Type::Any),
        (Type::Int, Type::Int) => Ok(Type::Int),
        (Type::Double, Type::Double) if name != "_%_" => Ok(Type::Double),
        (Type::Text, Type::Text) if is_sum => Ok(Type::Text),
        (Type::List(_), Type::List(_)) if is_sum => Ok(one.clone()),
        _ => Err(between(name, one, other)),
    }
}

fn both(name: &str, one: &Type<'_>, other: &Type<'_>) -> Result<(), String> {
    if one.goes_with(other) { Ok(()) } else { Err(between(name, one, other)) }
}

fn between(name: &str, one: &Type<'_>, other: &Type<'_>) -> String {
    format!("`{}` between {} and {}", name.trim_matches('_'), one.shown(), other.shown())
}

#[cfg(test)]
mod tests {
    use crate::{Options, check};
    use vigil_yaml::Source;

    const PROPERTIES: &str = "{s: {type: string}, i: {type: integer}, n: {type: number}, b: {type: boolean}, \
        l: {type: array, items: {type: string}}, lm: {type: array, maxItems: 10, items: {type: string, maxLength: 10}}, \
        m: {type: object, additionalProperties: {type: integer}}, \
        o: {type: object, properties: {x: {type: string}, if: {type: string}, a-b: {type: string}}}, \
        d: {type: string, format: date-time}, io: {x-kubernetes-int-or-string: true}, \
        any: {type: object, x-kubernetes-preserve-unknown-fields: true}}";

    /// What an API server of Kubernetes 1.37 says of rules over these properties, by a dry run; what it refuses for its cost alone
    /// counts as taken.
    #[test]
    fn as_a_server_types() {
        for line in include_str!("../../tests/typing.txt").lines() {
            let (verdict, rule) = line.split_once('\t').unwrap();
            let definition = format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: as.b.c}}\nspec: {{group: b.c, \
                 names: {{kind: A, plural: as}}, scope: Namespaced, versions: [{{name: v1, served: true, storage: true, schema: \
                 {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {PROPERTIES}, \
                 x-kubernetes-validations: [{{rule: {}}}]}}}}}}}}}}]}}\n",
                serde_json::Value::from(rule)
            );
            let options = Options { objects_only: true, ..Options::default() };
            let report = check(&[Source::new("t", definition)], &options);
            let said: Vec<_> = report.findings.iter().map(|finding| finding.problem().one_line()).collect();
            assert_eq!(said.is_empty(), verdict == "taken", "{rule}: {said:?}");
        }
    }
}
