//! Time intervals: when a route is muted or active.
//!
//! Source: `timeinterval/timeinterval.go` of github.com/prometheus/alertmanager 0.30, which the operator's own checks are
//! copied from.

use super::super::file::Where;
use super::INTERVAL;
use crate::fields::{filled, integer, items, text};
use crate::finding::Findings;
use std::collections::HashSet;
use vigil_forms::calendar::{self, Wrong, whole_number};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// The names of keys, which the operator spells in another way.
pub(super) struct Keys {
    start: &'static str,
    end: &'static str,
    days: &'static str,
    /// Days of the month are texts such as `1:5`; of the operator, mappings with two numbers.
    is_file: bool,
}

pub(super) const FILE: Keys = Keys { start: "start_time", end: "end_time", days: "days_of_month", is_file: true };
pub(super) const OBJECT: Keys = Keys { start: "startTime", end: "endTime", days: "daysOfMonth", is_file: false };

/// Judges the intervals below the keys `lists` of `root`.
pub(super) fn check(place: Where<'_, '_>, root: &Node, lists: &[&str], keys: &Keys, findings: &mut Findings) {
    let mut names = HashSet::new();
    for named in lists.iter().flat_map(|list| items(root, *list)) {
        match text(named, "name") {
            Some(name) if !names.insert(name) => {
                place.add(&INTERVAL, named, format!("a second time interval is called {}", Quoted(name)), findings);
            }
            None if !named.entries().is_empty() => {
                place.add(&INTERVAL, named, "a time interval without a name", findings).label("expected `name`");
            }
            _ => {}
        }
        let intervals = ["time_intervals", "timeIntervals"].iter().flat_map(|key| items(named, *key));
        for interval in intervals {
            times(place, interval, keys, findings);
            if let Some((node, zone)) =
                filled(interval, "location").filter(|(_, zone)| *zone != "Local" && !calendar::is_time_zone(zone))
            {
                let near = nearest(zone, calendar::time_zones());
                let finding = place.add(&INTERVAL, node, format!("{} is no time zone", Quoted(zone)), findings);
                finding.label(near.map_or_else(
                    || "expected one such as `Europe/Berlin`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ));
            }
            days(place, interval, keys, findings);
            let weekday = |text: &str| calendar::weekday(text).or_else(|| whole_number(text).filter(|_| !keys.is_file));
            ranges(place, interval, "weekdays", "a day such as `monday:friday`", weekday, keys, findings);
            ranges(
                place,
                interval,
                "months",
                "a month such as `january:march` or `1:3`",
                calendar::month,
                keys,
                findings,
            );
            ranges(place, interval, "years", "a year such as `2026:2027`", whole_number, keys, findings);
        }
    }
}

fn wrong(place: Where<'_, '_>, at: &Node, message: String, expected: &str, findings: &mut Findings) {
    place.add(&INTERVAL, at, message, findings).label(format!("expected {expected}"));
}

fn times(place: Where<'_, '_>, interval: &Node, keys: &Keys, findings: &mut Findings) {
    for range in items(interval, "times") {
        let mut ends = Vec::new();
        for key in [keys.start, keys.end] {
            // As it is written: `09:00` is a number of YAML 1.1, and Alertmanager takes its text.
            let Some(node) = range.get(key) else {
                wrong(place, range, format!("a range of times without `{key}`"), &format!("`{key}: HH:MM`"), findings);
                continue;
            };
            let written = crate::fields::written(node);
            match calendar::time_of_day(written) {
                Some(minutes) => ends.push((minutes, node)),
                // The definition of the operator has a pattern for it.
                None if !keys.is_file => {}
                None => {
                    wrong(place, node, format!("{} is no time", Quoted(written)), "`HH:MM`, up to `24:00`", findings);
                }
            }
        }
        if let [(start, _), (end, at)] = ends.as_slice()
            && start >= end
        {
            let message = format!("`{}` is not after `{}`", keys.end, keys.start);
            wrong(place, at, message, "a later time; split a range over midnight into two", findings);
        }
    }
}

/// Ranges of days in a month, which count from its end below zero.
fn days(place: Where<'_, '_>, interval: &Node, keys: &Keys, findings: &mut Findings) {
    for range in items(interval, keys.days) {
        let ends = if keys.is_file {
            calendar::ends(crate::fields::written(range), whole_number)
        } else {
            integer(range, "start").zip(integer(range, "end"))
        };
        let expected = "days from 1 to 31 or from -31 to -1, the first one first";
        match ends {
            None if keys.is_file => {
                wrong(
                    place,
                    range,
                    format!("{} is no range of days", Quoted(crate::fields::written(range))),
                    expected,
                    findings,
                );
            }
            Some((start, end)) if !calendar::is_range_of_days(start, end) => {
                wrong(place, range, format!("`{start}:{end}` is no range of days"), expected, findings);
            }
            _ => {}
        }
    }
}

fn ranges(
    place: Where<'_, '_>,
    interval: &Node,
    key: &str,
    expected: &str,
    of: impl Fn(&str) -> Option<i64>,
    keys: &Keys,
    findings: &mut Findings,
) {
    for node in items(interval, key) {
        let written = crate::fields::written(node);
        match calendar::range(written, &of) {
            // The definition of the operator has a pattern for it.
            Err(Wrong::Form) if keys.is_file => {
                wrong(place, node, format!("{} is nothing that `{key}` takes", Quoted(written)), expected, findings);
            }
            Err(Wrong::Order) => {
                wrong(place, node, format!("{} ends before it begins", Quoted(written)), expected, findings);
            }
            _ => {}
        }
    }
}
