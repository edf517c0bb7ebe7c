//! Several at once.

use crate::child;
use crate::tree::{files, folder_in_memory, names, put, set};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vigil_directory::{Error, compare, write};

/// The child's part, until it is killed; or for a minute, should the parent have failed before. Held in this process, the
/// lock would be every program's that another test is just about to start.
pub(crate) fn hold_the_lock(target: &Path) {
    let work = target.with_file_name(".out.vigil");
    fs::create_dir(&work).unwrap();
    let lock = File::create(work.join("lock")).unwrap();
    lock.lock().unwrap();
    println!("held");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_second_writer_is_told_to_wait() {
    let folder = folder_in_memory();
    let (target, work) = (folder.path().join("out"), folder.path().join(".out.vigil"));
    write(&target, &set([("a", "1")])).unwrap();
    let mut other = child::command("hold the lock", &target).stdout(Stdio::piped()).spawn().unwrap();
    let held = BufReader::new(other.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("held"));
    assert!(held);

    let error = write(&target, &set([("a", "2")])).unwrap_err();
    assert_eq!(error.to_string(), format!("another vigil is writing `{}`", target.display()));
    assert_eq!(error.help().unwrap(), "wait for it or end it");
    assert_eq!(files(&target), set([("a", "1")]));
    assert!(work.join("lock").exists(), "the other's lock must stay");
    assert_eq!(compare(&target, &set([("a", "2")])).unwrap().changed.len(), 1, "a comparison needs no lock");

    other.kill().unwrap();
    other.wait().unwrap();
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
    // A second is plenty, but on a machine that has other things to do.
    let (end, limit) = (Instant::now() + Duration::from_secs(1), Instant::now() + Duration::from_secs(60));
    let enough = || {
        written.load(Ordering::Relaxed) > 10 && seen.iter().all(|seen: &AtomicUsize| seen.load(Ordering::Relaxed) > 0)
    };
    let on = || Instant::now() < end || (!enough() && Instant::now() < limit);

    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let (target, set, written, on) = (&target, &sets[number % 2], &written, &on);
                scope.spawn(move || {
                    while on() {
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

    assert!(enough(), "{written:?} writes; each set should have been seen: {seen:?}");
    assert_eq!(fs::read_to_string(target.join("notes")).unwrap(), "mine");
    assert_eq!(names(folder.path()), ["out"]);
}
