//! Several things at a time, with results in their order.

use crate::failure::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does `job` with every item, `threads` at a time.
pub(crate) fn parallel<I: Sync, T: Send>(
    threads: usize,
    items: &[I],
    job: impl Fn(&I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<T>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((item, result)) = items.get(index).zip(results.get(index)) else { break };
                    let done = job(item);
                    // The others need not go on for nothing.
                    if done.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                }
            });
        }
    });
    let done = results.into_iter().filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    done.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn results_keep_their_order_and_a_failure_ends_all() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(parallel(4, &items, |item| Ok(item * 2)).unwrap()[99], 198);
        assert!(parallel(4, &items, |_| Err::<(), _>(Failure::new("no"))).is_err());
    }
}
