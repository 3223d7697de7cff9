//! `evalgauge calibrate`: how well a judge agrees with people.

mod args;
mod card;
mod grades;
mod judge;
mod printed;
mod table;

pub(super) use args::CalibrateArgs;
pub(super) use card::{Card, digests, is_same, items_of, places, seen, texts};
pub(super) use judge::read_lines;

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use crate::gate::Exit;

pub(super) fn run(args: &CalibrateArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    match (&args.judge_names[..], &args.table) {
        ([], Some(file)) => table::run(args, file, output),
        ([_, ..], None) => judge::run(args, global, output),
        _ => Err(Failure::input("name a judge, or a table of labels and grades".to_owned())
            .hint("`evalgauge calibrate JUDGE`, or `evalgauge calibrate --table FILE --raters A,B,C --judge COLUMN`")),
    }
}
