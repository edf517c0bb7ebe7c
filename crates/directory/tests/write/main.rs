//! What [`vigil_directory`] promises, tried on real directories.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod child;
mod compare;
#[cfg(unix)]
mod foreign;
mod kill;
#[cfg(unix)]
mod limits;
mod own;
mod random;
mod refuse;
/// Where directories cannot be exchanged, there is a moment without a target.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod together;
mod tree;
