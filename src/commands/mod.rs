//! One file per subcommand: its arguments, and a `run` that does it.

pub(crate) mod render;
pub(crate) mod schema;

use vigil_yaml::Problem;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and nothing to object to.
    Clean,
    /// Something is not as it should be: a stale directory.
    Differs,
}

/// Why a command failed.
pub(crate) struct Failure {
    /// Everything that is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What became of the output.
    pub(crate) consequence: String,
}
