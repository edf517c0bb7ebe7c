//! This test program as a second process: for what one process cannot do to itself.

use crate::kill;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use crate::together;
use std::env;
use std::error::Error as _;
use std::path::Path;
use std::process::Command;

const ROLE: &str = "VIGIL_DIRECTORY_TEST_ROLE";
const TARGET: &str = "VIGIL_DIRECTORY_TEST_TARGET";

/// The command that runs this program in a role.
pub(crate) fn command(role: &str, target: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child::act", "--nocapture"]).env(ROLE, role).env(TARGET, target);
    command
}

/// Not a test: where the second process begins.
#[test]
fn act() {
    let (Ok(role), Some(target)) = (env::var(ROLE), env::var_os(TARGET)) else { return };
    let target = Path::new(&target);
    match role.as_str() {
        "write once" => match vigil_directory::write(target, &crate::tree::set([("a", "1\n")])) {
            Ok(changes) => println!("<{} added>", changes.added.len()),
            Err(error) => {
                let source = error.source().map(ToString::to_string).unwrap_or_default();
                println!("<{error}|{source}|{}>", error.help().unwrap_or_default());
            }
        },
        "write on and on" => kill::write_on_and_on(target),
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        "hold the lock" => together::hold_the_lock(target),
        _ => panic!("unknown role {role}"),
    }
}

/// Runs the command and gives what it printed between `<` and `>`.
pub(crate) fn answer(command: &mut Command) -> std::io::Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = text.split_once('<').unwrap_or_else(|| panic!("no answer in {output:?}"));
    Ok(rest.rsplit_once('>').unwrap().0.to_owned())
}
