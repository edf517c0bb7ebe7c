//! What the checks of many sets have in common, so that it is done once.

use crate::documents::{self, Documents};
use crate::embedded::query::{self, Parsed};
use crate::set::Served;
use std::collections::HashSet;
use std::collections::hash_map::{DefaultHasher, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_yaml::{Limits, Source};

/// What the checks of many sets have in common: the documents and queries that several of them hold, the schemas of
/// their kinds, and which queries are clean. It grows with what is common, and by a few bytes for each text that is not.
///
/// A finding in a document that an earlier set held as well names the place there.
#[derive(Default)]
pub struct Memory {
    /// Hashes of the texts that one set held.
    seen: Mutex<HashSet<u64>>,
    documents: Mutex<HashMap<u64, Arc<Documents>>>,
    /// Those of rules, and those with variables of Grafana's.
    queries: [Mutex<HashMap<String, Arc<Parsed>>>; 2],
    served: Mutex<HashMap<String, Arc<Vec<Served>>>>,
    /// Hashes of queries with what surrounds them, that nothing is wrong with.
    clean: Mutex<HashSet<u64>>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Memory").field("documents", &lock(&self.documents).len()).finish_non_exhaustive()
    }
}

/// What is there; what another thread left is as good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that stands for a value.
pub(crate) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Memory {
    /// What a text holds; kept from the second time on.
    pub(crate) fn documents(&self, source: &Arc<Source>) -> Arc<Documents> {
        let key = hash((&*source.text, source.first_line));
        if let Some(known) = lock(&self.documents).get(&key).filter(|known| known.is_of(source)) {
            return Arc::clone(known);
        }
        let read = Arc::new(documents::read(source, &Limits::default()));
        if !lock(&self.seen).insert(key) {
            lock(&self.documents).insert(key, Arc::clone(&read));
        }
        read
    }

    /// What is known of a query; kept from the second time on.
    pub(crate) fn query(&self, text: &str, variables: bool) -> Arc<Parsed> {
        let queries = &self.queries[usize::from(variables)];
        if let Some(known) = lock(queries).get(text) {
            return Arc::clone(known);
        }
        let parsed = Arc::new(query::parse(text, variables));
        if !lock(&self.seen).insert(hash((text, variables))) {
            lock(queries).insert(text.to_owned(), Arc::clone(&parsed));
        }
        parsed
    }

    /// Whether nothing was wrong with what a hash stands for.
    pub(crate) fn is_clean(&self, key: u64) -> bool {
        lock(&self.clean).contains(&key)
    }

    pub(crate) fn found_clean(&self, key: u64) {
        lock(&self.clean).insert(key);
    }

    /// The schemas of the kinds that `key` names.
    pub(crate) fn served(&self, key: String, make: impl FnOnce() -> Vec<Served>) -> Arc<Vec<Served>> {
        if let Some(known) = lock(&self.served).get(&key) {
            return Arc::clone(known);
        }
        let schemas = Arc::new(make());
        Arc::clone(lock(&self.served).entry(key).or_insert(schemas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, check};

    /// Two sets that share a text, and one that breaks a rule.
    const TEXTS: [&str; 3] = [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {a: b}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n",
    ];

    #[test]
    fn what_is_said_does_not_depend_on_what_is_remembered() {
        let memory = Arc::new(Memory::default());
        let said = |texts: &[&str], memory: Option<&Arc<Memory>>| {
            let sources: Vec<_> = texts.iter().map(|text| Source::new("t", *text)).collect();
            let options = Options { memory: memory.cloned(), ..Options::default() };
            check(&sources, &options).findings.iter().map(|it| it.problem().draw(false)).collect::<Vec<_>>()
        };
        for texts in [&TEXTS[..2], &TEXTS[..], &TEXTS[1..], &TEXTS[..1], &TEXTS[..]] {
            assert_eq!(said(texts, Some(&memory)), said(texts, None));
        }
        assert_eq!(lock(&memory.documents).len(), 3);
    }

    /// The same rule in two sets, where what it reads is scraped more and less often.
    #[test]
    fn a_verdict_on_queries_is_that_of_the_same_surroundings() {
        const RULE: &str = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r}\nspec: {groups: [{name: g, rules: \
                            [{record: 'a:b', expr: 'rate(http_requests_total[2m])'}]}]}\n";
        let prometheus = |interval: &str| {
            format!(
                "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {{name: p}}\nspec: {{ruleSelector: {{}}, \
                 scrapeInterval: {interval}}}\n"
            )
        };
        let memory = Arc::new(Memory::default());
        let said = |interval: &str, memory: Option<&Arc<Memory>>| {
            let sources = [Source::new("rule", RULE), Source::new("prometheus", prometheus(interval))];
            let options = Options { memory: memory.cloned(), ..Options::default() };
            check(&sources, &options).findings.iter().map(|it| it.problem().draw(false)).collect::<Vec<_>>()
        };
        for interval in ["30s", "1m", "30s"] {
            assert_eq!(said(interval, Some(&memory)), said(interval, None));
        }
        assert_eq!(said("1m", None).len(), said("30s", None).len() + 1);
        assert_eq!(lock(&memory.clean).len(), 1);
    }

    #[test]
    fn a_text_that_came_once_is_not_kept() {
        let memory = Memory::default();
        memory.documents(&Source::new("t", TEXTS[0]));
        assert!(lock(&memory.documents).is_empty());
        let second = memory.documents(&Source::new("u", TEXTS[0]));
        assert!(Arc::ptr_eq(&second, &memory.documents(&Source::new("v", TEXTS[0]))));
        let kept = memory.query("up", false);
        assert!(!Arc::ptr_eq(&kept, &memory.query("up", false)));
        assert!(Arc::ptr_eq(&memory.query("up", false), &memory.query("up", false)));
    }
}
