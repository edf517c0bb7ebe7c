//! A process killed while it writes.

use crate::child;
use crate::tree::{files, folder_in_memory, names, put};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use vigil_directory::{Files, write};

/// Two sets of 30 files: ten the same in both, ten different, ten in one only.
fn sets() -> [Files; 2] {
    ["one", "two"].map(|name| {
        let file = |number: usize| match number % 3 {
            0 => (format!("same/{number}.yaml"), "same\n".repeat(50)),
            1 => (format!("other-text/{number}.yaml"), format!("{name}\n").repeat(50)),
            _ => (format!("only-{name}/{number}.yaml"), format!("{name}\n").repeat(50)),
        };
        (0..30).map(file).collect()
    })
}

/// The child's part. It ends by itself, should the parent have failed before it could kill it.
pub(crate) fn write_on_and_on(target: &Path) {
    println!("ready");
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        for set in sets() {
            write(target, &set).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment_it_leaves_one_whole_set() {
    let folder = folder_in_memory();
    let target = folder.path().join("out");
    let sets = sets();
    write(&target, &sets[0]).unwrap();
    let notes = [("notes", "mine"), ("same/notes", "mine"), ("only-one/notes", "mine"), (".git/HEAD", "ref")];
    for (path, text) in notes {
        put(target.join(path), text);
    }
    let whole = sets.clone().map(|mut set| {
        set.extend(notes.map(|(path, text)| (path.to_owned(), text.to_owned())));
        set
    });

    let (mut found, mut amid) = ([0; 2], 0);
    for round in 0..150_u64 {
        let mut child = child::command("write on and on", &target).stdout(Stdio::piped()).spawn().unwrap();
        let ready = BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("ready"));
        assert!(ready);
        std::thread::sleep(Duration::from_micros(round * 100));
        child.kill().unwrap();
        child.wait().unwrap();

        let now = files(&target);
        let which = whole.iter().position(|set| *set == now);
        found[which.unwrap_or_else(|| panic!("round {round}: a mixture: {:?}", now.keys()))] += 1;
        amid += usize::from(names(folder.path()).len() > 1);

        let next = usize::from(round % 2 == 0);
        write(&target, &sets[next]).unwrap();
        assert_eq!(files(&target), whole[next], "round {round}");
        assert_eq!(names(folder.path()), ["out"], "round {round}");
    }
    assert!(amid > 10, "only {amid} of 150 kills came amid a write");
    assert!(found.iter().all(|count| *count > 0), "both sets should have been found: {found:?}");
    assert_eq!(fs::read_to_string(target.join("notes")).unwrap(), "mine");
}
