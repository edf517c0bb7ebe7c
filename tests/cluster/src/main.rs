//! Proves, on a real control plane and with the real programs, that what Vigil renders does what it is for.
//!
//! ```text
//! tools/cluster/build ─► programs ─ assets ─┐
//! stacks/*.yaml ─ stacks ─► manifests/ ─────┴► control_plane ─► apply, … ─ proof ─► docs/proof.md
//! ```

mod apply;
mod assets;
mod control_plane;
mod failure;
mod http;
mod inventory;
mod kubectl;
mod pki;
mod prerequisites;
mod process;
mod proof;
mod recipe;
mod stacks;
mod upgrade;
mod workplace;

use clap::Parser;
use control_plane::ControlPlane;
use failure::{Context as _, Failure, Result};
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

/// Prove the stacks on a real control plane
///
/// Exit status: 0 when all is as it should be, 1 when something was found, 2 when it could not be tried.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Prove(Prove),
    /// Start an empty control plane and keep it until standard input ends
    Serve {
        /// The minor version of Kubernetes; the newest without it
        #[arg(long, value_name = "1.N")]
        kubernetes: Option<String>,
    },
    /// Become another program, which ends when its parent does
    #[command(name = process::HOLD, hide = true)]
    Hold {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// Carry out the proofs
#[derive(clap::Args)]
struct Prove {
    /// Only these stacks
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    stack: Vec<String>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Prove(arguments) => prove(&arguments),
        Command::Serve { kubernetes } => serve(kubernetes.as_deref()).map(|()| false),
        Command::Hold { command } => process::hold(&command).map(|()| false),
    };
    match done {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

fn prove(arguments: &Prove) -> Result<bool> {
    let _folder = workplace::open()?;
    let stacks = stacks::rendered(&arguments.stack)?;
    let releases = assets::releases()?;
    let proof = if std::env::var("U").is_ok() { upgrade::prove(&releases, &stacks)? } else { apply::prove(&releases, &stacks)? };
    println!("{}", proof.markdown());
    Ok(!proof.findings.is_empty())
}

fn serve(minor: Option<&str>) -> Result<()> {
    let _folder = workplace::open()?;
    let releases = assets::releases()?;
    let wanted = releases.iter().rfind(|release| minor.is_none_or(|minor| release.minor() == minor));
    let release = wanted.ok_or_else(|| Failure::new("no such Kubernetes; see tools/cluster/build"))?;
    let plane = ControlPlane::start(release)?;
    eprintln!("Kubernetes {} runs until the end of standard input (Ctrl-D)", release.version);
    println!("export KUBECONFIG={}", plane.kubectl.kubeconfig().display());
    println!("export PATH={}:$PATH", release.kubectl.parent().unwrap_or(Path::new("/")).display());
    io::stdin().read_to_end(&mut Vec::new()).context("standard input")?;
    Ok(())
}
