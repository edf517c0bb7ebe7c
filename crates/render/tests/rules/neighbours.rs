//! What fires does so beside others of its kind that are well, and they do not.

use crate::cases::{Cases, Fires, Samples, Series};

/// The series of a case that fires with those of the silent cases beside it: once for each label of its alerts, which is all
/// that tells the silent ones from it. Each with what it is.
///
/// A rule that forgets to join by a label, or to group by it, takes them for one.
pub(crate) fn of(cases: &Cases, fires: &Fires) -> Vec<(String, Series)> {
    let labels = fires.labels.first().into_iter().flat_map(|labels| labels.keys());
    // A `job` is no object: it says which exporter a series is from.
    let labels = labels.filter(|label| *label != "job" && !cases.alone.contains_key(*label));
    labels.filter_map(|label| Some((format!("beside another {label}"), beside(cases, fires, label)?))).collect()
}

fn beside(cases: &Cases, fires: &Fires, label: &str) -> Option<Series> {
    let start = format!("{label}=\"");
    let (_, shared) = split(&fires.series, &start);
    let mut all = fires.series.clone();
    for (at, silent) in cases.silent.iter().enumerate() {
        let (own, others) = split(&silent.series, &start);
        // What does not have the label is there once: it is the same for both, or they are no neighbours.
        if others == shared {
            let renamed = |selector: &str| selector.replacen(&start, &format!("{start}beside-{at}-"), 1);
            all.extend(own.iter().map(|(selector, samples)| (renamed(selector), (*samples).clone())));
        }
    }
    (all.len() > fires.series.len()).then_some(all)
}

type Part<'a> = Vec<(&'a String, &'a Samples)>;

/// The series with a label, and those without it.
fn split<'a>(series: &'a Series, start: &str) -> (Part<'a>, Part<'a>) {
    let has = |selector: &str| selector.match_indices(start).any(|(at, _)| selector[..at].ends_with(['{', ',']));
    series.iter().partition(|(selector, _)| has(selector))
}
