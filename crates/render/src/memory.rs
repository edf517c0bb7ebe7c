//! What the renders of many stacks have in common, so that it is done once.

use crate::rules::Filled;
use crate::words::Words;
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_yaml::Problem;

/// What the renders of many stacks have in common: the texts of objects that several of them have, and rules with the words
/// of a stack filled in. It grows with what is common, and by a few bytes for each object that is not.
#[derive(Debug, Default)]
pub struct Memory {
    /// Hashes of the values that were written once.
    seen: Mutex<HashSet<u64>>,
    texts: Mutex<HashMap<u64, Arc<(Value, String)>>>,
    rules: Mutex<HashMap<Words, HashMap<String, Arc<Filled>>>>,
}

/// What is there; what another thread left is as good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Appends the canonical text of a value; kept from the second time on.
    pub(crate) fn write(&self, value: &Value, text: &mut String) {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let key = hasher.finish();
        let known = lock(&self.texts).get(&key).cloned();
        if let Some(known) = known.filter(|known| known.0 == *value) {
            return text.push_str(&known.1);
        }
        let written = vigil_yaml::write(value);
        text.push_str(&written);
        if !lock(&self.seen).insert(key) {
            lock(&self.texts).insert(key, Arc::new((value.clone(), written)));
        }
    }

    /// The rules at `path` with these words filled in.
    pub(crate) fn rules(
        &self,
        path: &str,
        words: &Words,
        fill: impl FnOnce() -> Result<Filled, Vec<Problem>>,
    ) -> Result<Arc<Filled>, Vec<Problem>> {
        if let Some(known) = lock(&self.rules).get(words).and_then(|files| files.get(path)) {
            return Ok(Arc::clone(known));
        }
        let filled = Arc::new(fill()?);
        let mut rules = lock(&self.rules);
        Ok(Arc::clone(rules.entry(words.clone()).or_default().entry(path.to_owned()).or_insert(filled)))
    }
}
