//! Files beside the stack: what they hold becomes part of it, so that rendering reads nothing.

use crate::findings::Findings;
use crate::layers::{Layers, Reader};
use crate::model::Stack;
use crate::units::FilePath;
use serde_json::Value;
use std::path::{Path, PathBuf};
use vigil_yaml::Place;

/// How much a file may hold, counted as its text stands in its object. `kubectl apply` keeps a copy of the object in an
/// annotation, and all annotations of an object together have room for 256 kibibytes.
const FILE_LIMIT: usize = 240 << 10;

/// A file that an item of a list of a part names.
#[derive(Clone, Debug)]
pub struct Beside<'a> {
    /// The key of the list, below that of the part.
    pub(crate) list: &'static str,
    /// The number of the item in it.
    pub(crate) at: usize,
    /// The file.
    pub(crate) file: &'a FilePath,
    /// What is in it.
    pub(crate) kind: &'static Kind,
}

/// A kind of files, as messages speak of it.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What a file of it is.
    pub(crate) name: &'static str,
    /// What completes "expected …".
    pub(crate) expected: &'static str,
    /// What to do about a wrong one.
    pub(crate) help: &'static str,
}

/// Reads every file that the stack names, and says where they are.
pub(crate) fn read(stack: &mut Stack, layers: &Layers, read: Reader, findings: &mut Findings) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let is_in: Vec<bool> = stack.parts().into_iter().map(|(_, part)| part.is_in(stack)).collect();
    for ((name, part), _) in stack.parts_mut().into_iter().zip(is_in).filter(|(_, is_in)| *is_in) {
        let files: Vec<_> = part.files().into_iter().map(|it| (it.list, it.at, it.file.clone(), it.kind)).collect();
        for (list, at, file, kind) in files {
            let key = format!("{name}.{list}.{at}.file");
            // Each is relative to the file that says it.
            let path = match findings.place(&[&key]) {
                Place::Text(span) => layers.path(&span, file.as_str()),
                Place::File(_) => PathBuf::from(file.as_str()),
            };
            let taken = text(&path, read).and_then(|text| part.take_file(at, text));
            if let Err(reason) = taken {
                findings.error(
                    &[&key],
                    format!("the {} `{file}` {reason}", kind.name),
                    &format!("expected {}", kind.expected),
                    &format!("{}; paths start at the folder of the stack", kind.help),
                );
            }
            paths.push(path);
        }
    }
    paths
}

fn text(file: &Path, read: Reader) -> Result<String, String> {
    let text = read(file)?.text.replace("\r\n", "\n");
    let size = vigil_yaml::last_applied_len(&Value::from(text.as_str()));
    if size > FILE_LIMIT {
        let [size, limit] = [size, FILE_LIMIT].map(|bytes| bytes.div_ceil(1024));
        return Err(format!("takes {size} KiB in an object, and `kubectl apply` has room for {limit}"));
    }
    Ok(text)
}
