//! `evalgauge compare`: two sides cell by cell, or several candidates; never a decision that ends the program with 1.

mod args;
mod several;
mod two;

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use crate::gate::Exit;

pub(super) use args::CompareArgs;

pub(super) fn run(args: &CompareArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    match &args.head {
        Some(head) if !args.has_several() => two::run(args, head, global, output),
        _ => several::run(args, global, output),
    }
}
