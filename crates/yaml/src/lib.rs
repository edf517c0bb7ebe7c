//! YAML as Vigil needs it, and the problems found in it.
//!
//! - [`Source`] and [`Span`]: a text with a name, and a part of it.
//! - [`read`]: a text to [`Node`] trees whose every key and value knows its place. The events come from the
//!   parser of `serde-saphyr`; what is refused here (duplicate keys, alias bombs, custom tags) is refused with
//!   that place.
//! - [`plain`]: what an unquoted scalar means, and whether all YAML readers agree on it.
//! - [`write()`]: a JSON value to the one canonical text.
//! - [`lay()`]: one value over another one.
//! - [`amend()`]: what one file says, said in another, whose other lines stay.
//! - [`words`]: what was probably meant.
//! - [`Problem`]: an error or a warning with its place, drawn with the source line and a marker.

mod amend;
mod block;
mod lay;
pub mod node;
pub mod plain;
pub mod problem;
pub mod read;
mod shown;
pub mod source;
mod syntax;
pub mod words;
pub mod write;

pub use amend::{Amended, Amendment, amend};
pub use lay::lay;
pub use node::{Data, Entry, Key, Node, Scalar};
pub use problem::{Place, Problem, Severity};
pub use read::{Limits, read, read_one, salvage, salvage_all};
pub use shown::Quoted;
pub use source::{Documents, Source, Span, Survey};
pub use write::{last_applied_len, write};
