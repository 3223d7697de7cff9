//! `evalgauge label`: grades by people.

mod serve;
mod export;
mod import;

use clap::{Args, Subcommand};

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use crate::gate::Exit;

#[derive(Debug, Args)]
pub(super) struct LabelArgs {
    #[command(subcommand)]
    verb: LabelVerb,
}

#[derive(Debug, Subcommand)]
enum LabelVerb {
    /// A page on this machine on which a rater grades blind, with the keyboard
    Serve(serve::ServeArgs),
    /// Write a blind, shuffled, stratified sheet for a rater: CSV, or JSON lines
    Export(export::ExportArgs),
    /// Bring a filled sheet into judges/JUDGE/labels
    Import(import::ImportArgs),
}

pub(super) fn run(args: &LabelArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    match &args.verb {
        LabelVerb::Serve(args) => serve::run(args, global, output),
        LabelVerb::Export(args) => export::run(args, global, output),
        LabelVerb::Import(args) => import::run(args, global, output),
    }
}
