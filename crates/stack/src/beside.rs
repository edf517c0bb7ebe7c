//! Files beside the stack: what they hold becomes part of it, so that rendering reads nothing.

use crate::findings::Findings;
use crate::model::Stack;
use crate::units::FilePath;
use serde_json::Value;

/// How much a file may hold, counted as its text stands in its object. `kubectl apply` keeps a copy of the object in an
/// annotation, and all annotations of an object together have room for 256 kibibytes.
const FILE_LIMIT: usize = 240 << 10;

/// Gives the text of a file that the stack names, or says what is wrong with it.
pub(crate) type Reader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// How much of a file is read at all.
pub(crate) const LIMIT: usize = 1 << 20;

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

impl Stack {
    /// Every file that the stack names and that is read with it, as paths relative to the stack's own.
    pub fn files(&self) -> Vec<&FilePath> {
        let parts = self.parts().into_iter().filter(|(_, part)| part.is_in(self));
        parts.flat_map(|(_, part)| part.files()).map(|beside| beside.file).collect()
    }
}

/// Reads every file that the stack names.
pub(crate) fn read(stack: &mut Stack, read: Reader, findings: &mut Findings) {
    let is_in: Vec<bool> = stack.parts().into_iter().map(|(_, part)| part.is_in(stack)).collect();
    for ((name, part), _) in stack.parts_mut().into_iter().zip(is_in).filter(|(_, is_in)| *is_in) {
        let files: Vec<_> = part.files().into_iter().map(|it| (it.list, it.at, it.file.clone(), it.kind)).collect();
        for (list, at, file, kind) in files {
            let taken = text(&file, read).and_then(|text| part.take_file(at, text));
            if let Err(reason) = taken {
                findings.error(
                    &[&format!("{name}.{list}.{at}.file")],
                    format!("the {} `{file}` {reason}", kind.name),
                    &format!("expected {}", kind.expected),
                    &format!("{}; paths start at the folder of the stack", kind.help),
                );
            }
        }
    }
}

fn text(file: &FilePath, read: Reader) -> Result<String, String> {
    let text = read(file.as_str())?.replace("\r\n", "\n");
    let size = vigil_yaml::last_applied_len(&Value::from(text.as_str()));
    if size > FILE_LIMIT {
        let [size, limit] = [size, FILE_LIMIT].map(|bytes| bytes.div_ceil(1024));
        return Err(format!("takes {size} KiB in an object, and `kubectl apply` has room for {limit}"));
    }
    Ok(text)
}
