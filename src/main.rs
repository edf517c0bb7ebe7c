//! The command line: arguments in, one of three exit codes out. 0: done and clean, 1: something differs, 2: failed.

mod commands;
mod inputs;
mod kustomize;
mod page;
mod picture;
mod progress;
mod revision;
mod terminal;

use clap::{CommandFactory as _, Parser, Subcommand};
use commands::{
    Outcome, check, ci, completions, convert, diff, explain, fleet, graph, images, init, man, origin, parity, render,
    report, runbook, schema, size,
};
use std::process::ExitCode;

/// Manifests become millions of small values on all cores at once, which the usual allocators are slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One stack.yaml in, a complete Kubernetes monitoring stack as plain manifests out
#[derive(Parser)]
#[command(version, about, after_help = "Exit status: 0 done and clean, 1 something differs, 2 failed")]
struct Arguments {
    /// Colour messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: terminal::Colour,
    /// Say nothing but what was asked for and what is wrong: no warnings, notes and summaries
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Render(render::Arguments),
    Report(report::Arguments),
    Check(check::Arguments),
    Ci(ci::Arguments),
    Completions(completions::Arguments),
    Convert(convert::Arguments),
    Diff(diff::Arguments),
    Explain(explain::Arguments),
    Fleet(fleet::Arguments),
    Graph(graph::Arguments),
    Images(images::Arguments),
    Man(man::Arguments),
    Parity(parity::Arguments),
    Runbook(runbook::Arguments),
    Schema(schema::Arguments),
    Size(size::Arguments),
    Where(origin::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = terminal::Terminal::new(arguments.color, arguments.quiet);
    let result = match arguments.command {
        Command::Init(arguments) => init::run(&arguments, &terminal),
        Command::Render(arguments) => render::run(&arguments, &terminal),
        Command::Report(arguments) => report::run(&arguments, &terminal),
        Command::Check(arguments) => check::run(&arguments, &terminal),
        Command::Ci(arguments) => ci::run(&arguments, &terminal),
        Command::Completions(arguments) => completions::run(&arguments, Arguments::command(), &terminal),
        Command::Convert(arguments) => convert::run(&arguments, &terminal),
        Command::Diff(arguments) => diff::run(&arguments, &terminal),
        Command::Explain(arguments) => explain::run(&arguments, &terminal),
        Command::Fleet(arguments) => fleet::run(&arguments, &terminal),
        Command::Graph(arguments) => graph::run(&arguments, &terminal),
        Command::Images(arguments) => images::run(&arguments, &terminal),
        Command::Man(arguments) => man::run(&arguments, Arguments::command(), &terminal),
        Command::Parity(arguments) => parity::run(&arguments, &terminal),
        Command::Runbook(arguments) => runbook::run(&arguments, &terminal),
        Command::Schema(arguments) => schema::run(&arguments, &terminal),
        Command::Size(arguments) => size::run(&arguments, &terminal),
        Command::Where(arguments) => origin::run(&arguments, &terminal),
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(1),
        Err(failure) => {
            terminal.fail(&failure);
            ExitCode::from(2)
        }
    }
}
