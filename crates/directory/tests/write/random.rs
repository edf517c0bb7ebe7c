//! Any sequence of sets, with any foreign files between them.

use crate::tree::{Entry, Kind, files, folder_in_memory, names, put, tree};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::sample::select;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vigil_directory::{Error, Files, compare, write};

const OURS: [&str; 9] = ["a", "b", "d", "d/a", "d/b", "d/e/f", "e", "e/f/g", "e/f/h"];
const FOREIGN: [&str; 7] = ["notes", "d/notes", "d/e/notes", "e/notes", "e/f/notes", ".git/HEAD", "z/z/z"];

#[derive(Clone, Debug)]
enum Step {
    Write(Files),
    Put(&'static str, &'static str),
    Remove(&'static str),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = || select(vec!["", "1\n", "2\n"]);
    let set = btree_map(select(OURS.to_vec()), text(), 0..7).prop_map(|mut set| {
        // Of a file and a folder with its name, keep the file.
        let all = set.clone();
        set.retain(|path, _| !all.keys().any(|other| path.starts_with(&format!("{other}/"))));
        set.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
    });
    let step = prop_oneof![
        3 => set.prop_map(Step::Write),
        1 => (select(FOREIGN.to_vec()), text()).prop_map(|(path, text)| Step::Put(path, text)),
        1 => select(FOREIGN.to_vec()).prop_map(Step::Remove),
    ];
    (Just(Step::Write(Files::new())), vec(step, 1..12)).prop_map(|(first, rest)| [vec![first], rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_directory_is_the_set_and_what_is_foreign(steps in steps()) {
        let folder = folder_in_memory();
        let target = folder.path().join("out");
        let (mut ours, mut foreign) = (Files::new(), Files::new());
        for step in steps {
            match step {
                Step::Put(path, text) => {
                    // Where a file of ours is in the way, nobody can put one.
                    if !ours.keys().any(|file| path.starts_with(&format!("{file}/"))) {
                        put(target.join(path), text);
                        foreign.insert(path.to_owned(), text.to_owned());
                    }
                }
                Step::Remove(path) => {
                    if foreign.remove(path).is_some() {
                        std::fs::remove_file(target.join(path)).unwrap();
                        remove_empty_folders_of_nobody(&target, path, &ours);
                    }
                }
                Step::Write(set) => {
                    let before = if target.exists() { tree(&target) } else { BTreeMap::new() };
                    let blocked = set.keys().any(|file| {
                        foreign.keys().any(|other| other.starts_with(&format!("{file}/")))
                    });
                    let compared = compare(&target, &set);
                    let written = write(&target, &set);
                    if blocked {
                        assert!(matches!(compared, Err(Error::Foreign { .. })), "{compared:?}");
                        assert!(matches!(written, Err(Error::Foreign { .. })), "{written:?}");
                        assert_eq!(tree(&target), before);
                    } else {
                        assert_eq!(compared.unwrap(), written.unwrap());
                        ours = set;
                        check_unchanged(&before, &tree(&target));
                    }
                }
            }
            let mut expected = ours.clone();
            expected.extend(foreign.clone());
            assert_eq!(files(&target), expected);
            assert_eq!(names(folder.path()), ["out"]);
        }
    }
}

/// A file with the same text is the same file.
fn check_unchanged(before: &BTreeMap<PathBuf, Entry>, after: &BTreeMap<PathBuf, Entry>) {
    for (path, entry) in before {
        if let (Kind::File(old), Some(Entry { kind: Kind::File(new), .. })) = (&entry.kind, after.get(path))
            && old == new
        {
            assert_eq!(entry, &after[path], "{}", path.display());
        }
    }
}

/// A folder that somebody left empty is foreign and would be in the way of a file.
fn remove_empty_folders_of_nobody(target: &Path, path: &str, ours: &Files) {
    for folder in Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        if !ours.keys().any(|file| Path::new(file).starts_with(folder)) {
            let _ = std::fs::remove_dir(target.join(folder));
        }
    }
}
