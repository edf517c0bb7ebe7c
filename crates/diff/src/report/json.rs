//! For programs.

use super::summary;
use crate::effect::Class;
use crate::{Diff, Identity, shown};
use serde_json::{Value, json};

/// The report as one object. Nothing is cut short; credentials are not in it.
pub fn json(diff: &Diff) -> Value {
    let effects = diff.effects.iter().map(|effect| {
        json!({
            "class": effect.class.id(),
            "object": object(&effect.object),
            "fields": effect.fields.iter().map(field).collect::<Vec<_>>(),
            "says": effect.says,
            "commands": effect.commands,
            "causes": effect.causes,
        })
    });
    let changed = diff.changed.iter().map(|changed| {
        let fields = changed.changes.iter().flat_map(|change| shown::fields(&changed.object, change));
        json!({ "object": object(&changed.object), "fields": fields.map(|it| field(&it)).collect::<Vec<_>>() })
    });
    let counts = Class::ALL.map(|class| (class.id().to_owned(), Value::from(diff.of(class).count())));
    json!({
        "summary": summary(diff),
        "effects": effects.collect::<Vec<_>>(),
        "counts": Value::Object(counts.into_iter().collect()),
        "changed": changed.collect::<Vec<_>>(),
        "new": diff.added.iter().map(object).collect::<Vec<_>>(),
        "gone": diff.gone.iter().map(object).collect::<Vec<_>>(),
        "totals": diff.totals.rows.iter().map(|row| {
            json!({ "name": row.name, "before": row.before, "after": row.after })
        }).collect::<Vec<_>>(),
    })
}

fn object(identity: &Identity) -> Value {
    let Identity { namespace, kind, group, name } = identity;
    json!({ "group": group, "kind": kind, "namespace": namespace, "name": name })
}

fn field(field: &crate::Field) -> Value {
    json!({ "path": field.path, "before": field.before, "after": field.after })
}
