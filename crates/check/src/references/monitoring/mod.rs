//! What the operator's objects say of others: monitors of their targets, and Prometheus of its Alertmanagers and stores.

mod monitors;
mod selection;
mod stores;
mod timeouts;

use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::rules;
use crate::world::World;

rules! {
    SELECTOR "monitor-selector" Error "a monitor selects something that is there"
    PORT "monitor-port" Error "a monitor names a port of what it selects"
    JOB_LABEL "monitor-job-label" Note "the label that names a monitor's jobs is on its Services"
    TIMEOUT "scrape-timeout" Error "no scrape may take longer than the interval between two"
    UNSELECTED "monitor-unselected" Warning "every monitor and every rule is selected by somebody"
    ALERTMANAGER "prometheus-alertmanager" Error "Prometheus sends alerts to a Service and a port that are there"
    STORE "prometheus-remote" Error "remote stores in the cluster are there"
    CONFIG_SECRET "alertmanager-config-secret" Error "Alertmanager's configuration has the key that the operator reads"
}

/// Follows the references of all objects of the operator.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    if world.set.objects.iter().any(|object| object.group == MONITORING) {
        monitors::check(world, findings);
        selection::check(world, findings);
        timeouts::check(world, findings);
        stores::check(world, findings);
    }
}
