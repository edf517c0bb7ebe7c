//! Proves, on a real control plane and with the real programs, that what Vigil renders does what it is for.
//!
//! ```text
//! tools/cluster/build ─► programs ─ assets ─┐
//! stacks/*.yaml ─ stacks ─► manifests/ ─────┴► control_plane ─► apply, upgrade, helm, changes, occupied, controllers,
//!                                           │                   timeouts, argocd, fleet, story, alerts ────────────┐
//!                                           └► rules, replay, longterm, receive ───────────────────────────────────┤
//! corpus, a checker ─────────────────────────────────────────► agreement ────────────────────────────────────────┴► docs/proof.md
//! ```

mod agreement;
mod alerts;
mod apply;
mod argocd;
mod assets;
mod changes;
mod control_plane;
mod controllers;
mod corpus;
mod cost;
mod delivery;
mod failure;
mod fleet;
mod helm;
mod http;
mod inventory;
mod kubectl;
mod longterm;
mod monitoring;
mod nodes;
mod occupied;
mod parallel;
mod pki;
mod prerequisites;
mod process;
mod processes;
mod proof;
mod receive;
mod recipe;
mod replay;
mod rules;
mod stacks;
mod story;
mod surroundings;
mod timeouts;
mod upgrade;
#[path = "../../tools/volumes.rs"]
mod volumes;
mod workplace;

use assets::Release;
use clap::{Parser, ValueEnum};
use control_plane::ControlPlane;
use failure::{Context as _, Failure, Result};
use proof::Proof;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Prove the stacks on a real control plane
///
/// The programs come from tools/cluster/build, the control plane from KUBEBUILDER_ASSETS if that is set. All of it runs
/// on the loopback and is gone afterwards. Exit status: 0 when all is as it should be, 1 when something was found, 2
/// when it could not be tried.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Prove(Prove),
    Agree(Agree),
    Cost(Cost),
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

/// Carry out proofs, all of them without a name
#[derive(clap::Args)]
struct Prove {
    /// What to prove
    proofs: Vec<What>,
    /// Only these stacks
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    stack: Vec<String>,
    /// Only these minor versions of Kubernetes
    #[arg(long, value_name = "1.N", value_delimiter = ',')]
    kubernetes: Vec<String>,
    /// What `helm template` makes of the charts: a YAML file, or a folder of them
    #[arg(long, value_name = "PATH")]
    charts: Option<PathBuf>,
    #[command(flatten)]
    page: Page,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Every stack is applied, applied again, compared and deleted
    Apply,
    /// From every stack to every other
    Upgrade,
    /// From releases of the charts to the stack; needs `--charts`
    Helm,
    /// The API server refuses what `vigil diff` says, and nothing else
    Diff,
    /// A cluster that has a metrics-server already is left alone
    Occupied,
    /// The stack's controllers run with their arguments and rights
    Controllers,
    /// The operator takes the scrape timeouts that the checker takes, and no other
    Timeouts,
    /// Argo CD brings every stack from git, and finds nothing to do afterwards
    Argocd,
    /// Argo CD brings a fleet of two clusters: a ring moves when its turn comes, and nothing is pruned without a word
    Fleet,
    /// The programs run with their configuration: logs reach Loki, metrics reach Prometheus
    Story,
    /// Prometheus evaluates all rules of every stack without an error
    Rules,
    /// An alert fires, reaches a webhook through Alertmanager, and ends
    Alerts,
    /// Loki replays its log after a crash, within the memory of its container
    Replay,
    /// Thanos stores samples of two replicas, finds them once, downsamples and deletes; needs
    /// `tools/cluster/build thanos versitygw`
    Thanos,
    /// Receivers of Thanos take samples of another cluster and lose none with one of them; needs the same
    Receive,
    /// Loki as many programs takes lines, and finds them with one of three ingesters lost; needs
    /// `tools/cluster/build loki versitygw`, nginx and memcached
    Loki,
}

/// Compare the verdicts of a checker with the API server's
///
/// The checker gets the file of one object as its last argument, and says yes with exit status 0, no with 1.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  vigil-cluster agree --definitions manifests/crds -- vigil check --objects-only --crds manifests/crds")]
struct Agree {
    /// The objects: a YAML file, or a folder of them; without it those of the stacks, each broken in many ways
    #[arg(long, value_name = "PATH")]
    objects: Option<PathBuf>,
    /// How often each object of the stacks is broken
    #[arg(long, value_name = "COUNT", default_value_t = 8, conflicts_with = "objects")]
    mutants: usize,
    /// Custom resource definitions that the API server shall know
    #[arg(long, value_name = "PATH")]
    definitions: Vec<PathBuf>,
    /// The minor version of Kubernetes; the newest without it
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    #[command(flatten)]
    page: Page,
    /// The checker and its arguments
    #[arg(last = true, required = true)]
    checker: Vec<OsString>,
}

/// Measure what the rules of a stack cost Prometheus
#[derive(clap::Args)]
struct Cost {
    /// The nodes of the cluster
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    nodes: usize,
    /// Its pods
    #[arg(long, value_name = "COUNT", default_value_t = 3000)]
    pods: usize,
    #[command(flatten)]
    page: Page,
}

/// Where the report goes.
#[derive(clap::Args)]
struct Page {
    /// The page whose sections are written anew; the report goes to standard output without it
    #[arg(long, value_name = "FILE", requires = "date")]
    write: Option<PathBuf>,
    /// The date that the sections carry
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Prove(arguments) => prove(&arguments),
        Command::Agree(arguments) => agree(&arguments),
        Command::Cost(arguments) => cost(&arguments),
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
    // To build Thanos takes as long as half of all the others, and Loki runs on request alone, so they are not of those that are meant
    // by none; and charts are not
    // everywhere.
    let wanted = |what: &What| match &*arguments.proofs {
        [] => {
            !matches!(what, What::Thanos | What::Receive | What::Loki)
                && (*what != What::Helm || arguments.charts.is_some())
        }
        named => named.contains(what),
    };
    let wanted: Vec<What> = What::value_variants().iter().copied().filter(wanted).collect();
    let mut releases = Vec::new();
    if wanted.iter().any(|what| !matches!(what, What::Rules | What::Replay | What::Thanos | What::Receive | What::Loki))
    {
        releases = assets::releases()?;
        releases.retain(|release| arguments.kubernetes.is_empty() || arguments.kubernetes.contains(&release.minor()));
        if releases.is_empty() {
            return Err(Failure::new("no such Kubernetes; see tools/cluster/build"));
        }
    }
    let mut found = false;
    for what in wanted {
        let proof = match what {
            What::Apply => apply::prove(&releases, &stacks)?,
            What::Upgrade => upgrade::prove(&releases, &stacks)?,
            What::Helm => {
                let missing = || Failure::new("`prove helm` needs `--charts PATH`, the output of `helm template`");
                helm::prove(&releases, &stacks, arguments.charts.as_deref().ok_or_else(missing)?)?
            }
            What::Diff => changes::prove(&releases, &stacks)?,
            What::Occupied => occupied::prove(&releases, &stacks)?,
            What::Controllers => controllers::prove(&releases, &stacks)?,
            What::Timeouts => timeouts::prove(&releases, &stacks)?,
            What::Argocd => argocd::prove(&releases, &stacks)?,
            What::Fleet => fleet::prove(&releases)?,
            What::Story => story::prove(&releases, &stacks)?,
            What::Rules => rules::prove(&stacks)?,
            What::Alerts => alerts::prove(&releases)?,
            What::Replay => replay::prove(&stacks)?,
            What::Thanos => longterm::prove(&stacks)?,
            What::Receive => receive::prove(&stacks)?,
            What::Loki => processes::prove(&stacks)?,
        };
        found |= !proof.findings.is_empty();
        publish(&proof, &arguments.page)?;
    }
    Ok(found)
}

fn agree(arguments: &Agree) -> Result<bool> {
    let _folder = workplace::open()?;
    let release = release(arguments.kubernetes.as_deref())?;
    let generated = workplace::folder("generated-")?;
    let objects = if let Some(path) = &arguments.objects {
        path
    } else {
        corpus::write(&stacks::rendered(&[])?, arguments.mutants, generated.path())?;
        generated.path()
    };
    let proof = agreement::prove(&release, objects, &arguments.definitions, &arguments.checker)?;
    publish(&proof, &arguments.page)?;
    Ok(!proof.findings.is_empty())
}

fn cost(arguments: &Cost) -> Result<bool> {
    let _folder = workplace::open()?;
    let stacks = stacks::rendered(&["tutorial".to_owned()])?;
    let stack = stacks.first().ok_or_else(|| Failure::new("there is no stack"))?;
    let proof = cost::measure(stack, arguments.nodes, arguments.pods)?;
    publish(&proof, &arguments.page)?;
    Ok(!proof.findings.is_empty())
}

fn serve(minor: Option<&str>) -> Result<()> {
    let _folder = workplace::open()?;
    let release = release(minor)?;
    let plane = ControlPlane::start(&release)?;
    eprintln!("Kubernetes {} runs until the end of standard input (Ctrl-D)", release.version);
    println!("export KUBECONFIG={}", plane.kubectl.kubeconfig().display());
    println!("export PATH={}:$PATH", release.kubectl.parent().unwrap_or(Path::new("/")).display());
    io::stdin().read_to_end(&mut Vec::new()).context("standard input")?;
    Ok(())
}

fn release(minor: Option<&str>) -> Result<Release> {
    let wanted = assets::releases()?.into_iter().rfind(|release| minor.is_none_or(|minor| release.minor() == minor));
    wanted.ok_or_else(|| Failure::new("no such Kubernetes; see tools/cluster/build"))
}

fn publish(proof: &Proof, page: &Page) -> Result<()> {
    if let (Some(path), Some(date)) = (&page.write, &page.date) {
        return proof.write_to(path, date);
    }
    println!("{}", proof.section("Not dated"));
    Ok(())
}
