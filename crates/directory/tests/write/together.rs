//! Several at once.

use crate::tree::{files, folder_in_memory, names, put, set};
use std::fs::{self, File};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vigil_directory::{Error, compare, write};

#[test]
fn a_second_writer_is_told_to_wait() {
    let folder = folder_in_memory();
    let (target, work) = (folder.path().join("out"), folder.path().join(".out.vigil"));
    write(&target, &set([("a", "1")])).unwrap();
    fs::create_dir(&work).unwrap();
    let lock = File::create(work.join("lock")).unwrap();
    lock.lock().unwrap();

    let error = write(&target, &set([("a", "2")])).unwrap_err();
    assert_eq!(error.to_string(), format!("another vigil is writing `{}`", target.display()));
    assert_eq!(error.help().unwrap(), "wait for it or end it");
    assert_eq!(files(&target), set([("a", "1")]));
    assert!(work.join("lock").exists(), "the other's lock must stay");
    assert_eq!(compare(&target, &set([("a", "2")])).unwrap().changed.len(), 1, "a comparison needs no lock");

    drop(lock);
    write(&target, &set([("a", "2")])).unwrap();
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn writers_and_readers_see_whole_sets_only() {
    let folder = folder_in_memory();
    let target = folder.path().join("out");
    let sets = [set([("a", "1"), ("b/c", "1"), ("b/d", "1")]), set([("a", "2"), ("b/c", "2"), ("e", "2")])];
    write(&target, &sets[0]).unwrap();
    put(target.join("notes"), "mine");
    let (done, written, seen) = (AtomicBool::new(false), AtomicUsize::new(0), [0; 2].map(AtomicUsize::new));
    let end = Instant::now() + Duration::from_secs(1);

    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let (target, set, written) = (&target, &sets[number % 2], &written);
                scope.spawn(move || {
                    while Instant::now() < end {
                        match write(target, set) {
                            Ok(_) => _ = written.fetch_add(1, Ordering::Relaxed),
                            Err(Error::Locked { .. }) => std::thread::yield_now(),
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let changes = compare(&target, &sets[0]).unwrap();
                    let counts = (changes.added.len(), changes.changed.len(), changes.removed.len(), changes.unchanged);
                    match counts {
                        (0, 0, 0, 3) => seen[0].fetch_add(1, Ordering::Relaxed),
                        (1, 2, 1, 0) => seen[1].fetch_add(1, Ordering::Relaxed),
                        mixture => panic!("a mixture of both sets: {mixture:?}"),
                    };
                }
            });
        }
        let ends: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ends.iter().all(Result::is_ok), "a writer failed");
    });

    assert!(written.into_inner() > 10);
    assert!(seen.into_iter().all(|seen| seen.into_inner() > 0), "each set should have been seen");
    assert_eq!(fs::read_to_string(target.join("notes")).unwrap(), "mine");
    assert_eq!(names(folder.path()), ["out"]);
}
