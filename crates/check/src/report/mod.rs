//! What was found, told to people ([`text()`]) and to programs. All are functions of the report alone.

mod github;
mod json;
mod junit;
mod parts;
mod sarif;
mod text;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;
