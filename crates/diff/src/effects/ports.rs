//! Node ports that are taken: a cluster has each once, and what is left behind keeps its own.

use super::{Effects, Sets};
use crate::Set;
use crate::effect::{Class, Effect};
use crate::object::{Identity, integer, items, text};
use std::collections::BTreeMap;

/// Services that want a node port which one of the first set has.
pub(super) fn taken(sets: &Sets<'_>, effects: &mut Effects<'_>) {
    let holders = ports(sets.before);
    for ((port, protocol), identity) in &ports(sets.after) {
        let holder = holders.get(&(*port, protocol.clone()));
        let Some(holder) = holder.filter(|holder| holder != &identity) else { continue };
        let what = format!("node port {port} is allocated to {holder}");
        let effect = if sets.after.contains_key(*holder) {
            let says =
                format!("{what}, which gets another one in the same apply: apply again when this one was sent first");
            Effect::new(Class::Refused, identity, says)
        } else {
            let says = format!("{what}, which stays in the cluster: delete that, then apply again");
            Effect::new(Class::Refused, identity, says).command(format!("kubectl delete {}", holder.arguments()))
        };
        effects.add(effect);
    }
}

/// The node ports that Services ask for by number.
fn ports<'a>(set: &'a Set<'_>) -> BTreeMap<(i64, String), &'a Identity> {
    let mut all = BTreeMap::new();
    for (identity, object) in set.iter().filter(|(identity, _)| identity.is("", "Service")) {
        for port in items(object, "/spec/ports") {
            let protocol = text(port, "/protocol");
            let protocol = if protocol.is_empty() { "TCP" } else { protocol }.to_owned();
            if let Some(number) = integer(port, "/nodePort").filter(|number| *number != 0) {
                all.insert((number, protocol), identity);
            }
        }
    }
    all
}
