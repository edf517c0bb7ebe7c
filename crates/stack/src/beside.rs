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
    /// Of files whose spaces and line ends mean nothing: the same in as few bytes, and what to do about one that is too large even so.
    pub(crate) compact: Option<Compact>,
}

/// How a file becomes smaller.
#[derive(Debug)]
pub(crate) struct Compact {
    /// The same text in as few bytes; nothing of one that is malformed, which is told elsewhere.
    pub(crate) write: fn(&str) -> Option<String>,
    /// What to do about one that is too large even so.
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
            let taken = text(&path, kind, read).and_then(|text| {
                part.take_file(at, text).map_err(|reason| (reason, format!("{}; {PATHS}", kind.help)))
            });
            if let Err((reason, help)) = taken {
                let expected = format!("expected {}", kind.expected);
                findings.error(&[&key], format!("the {} `{file}` {reason}", kind.name), &expected, &help);
            }
            paths.push(path);
        }
    }
    paths
}

const PATHS: &str = "paths start at the folder of the stack";

/// The text of a file, or why it cannot be used and what to do about it.
fn text(file: &Path, kind: &Kind, read: Reader) -> Result<String, (String, String)> {
    let text = read(file).map_err(|reason| (reason, format!("{}; {PATHS}", kind.help)))?.text.replace("\r\n", "\n");
    let size = |text: &str| vigil_yaml::last_applied_len(&Value::from(text));
    let whole = size(&text);
    if whole <= FILE_LIMIT {
        return Ok(text);
    }
    let compact = kind.compact.as_ref().and_then(|compact| Some(((compact.write)(&text)?, compact.help)));
    let (smaller, help) = compact.map_or((None, kind.help), |(text, help)| (Some(text), help));
    let least = smaller.as_deref().map_or(whole, size);
    if let Some(smaller) = smaller.filter(|_| least <= FILE_LIMIT) {
        return Ok(smaller);
    }
    let [least, limit] = [least, FILE_LIMIT].map(|bytes| bytes.div_ceil(1024));
    Err((format!("takes {least} KiB in an object, and `kubectl apply` has room for {limit}"), help.to_owned()))
}
