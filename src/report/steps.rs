//! What a reader should do about a verdict.

use std::collections::BTreeSet;

use super::view::grouped_digits;
use crate::gate::{Cell, Decision, RuleState, State, Verdict};

/// What to do now, the most useful first.
pub(super) fn next_steps(verdict: &Verdict) -> Vec<String> {
    match verdict.decision {
        Decision::Fail => failed(verdict),
        Decision::Inconclusive => settle(verdict).into_iter().chain([again()]).collect(),
        Decision::Undecidable => {
            vec![
                "Make the metric measurable on both sides (the reason above says what is missing).".to_owned(),
                again(),
            ]
        }
        Decision::Incomplete => {
            vec!["Finish the run: evalgauge run --resume asks only for what is missing.".to_owned(), again()]
        }
        Decision::Pass => settle(verdict).into_iter().collect(),
    }
}

fn again() -> String {
    "Then run evalgauge check again.".to_owned()
}

fn failed(verdict: &Verdict) -> Vec<String> {
    let worse = verdict.flips.pass_to_fail.iter().chain(&verdict.flips.wavering_worse);
    let broke = worse.map(|flip| flip.id.as_str()).collect::<BTreeSet<_>>().len();
    let mut steps = Vec::new();
    let rules = verdict.rules.iter().filter(|outcome| outcome.state == RuleState::Broken).count();
    if rules > 0 {
        let what = if rules == 1 { "the broken rule".to_owned() } else { format!("the {rules} broken rules") };
        steps.push(format!("Look at {what} under Rules; each says what it found."));
    }
    if broke > 0 {
        let what = if broke == 1 {
            "the example".to_owned()
        } else {
            format!("the {} examples", grouped_digits(broke as u64))
        };
        steps.push(format!("Read {what} that passed before and now fail (below) and mend what they share."));
    }
    steps.push(
        "Not your change? Two runs of one system differ too: more trials (--trials) show what is noise.".to_owned(),
    );
    steps.push(
        "Meant to be so? Accept that cell for a while ([[gate.accept]], with a reason and a last day), in a change of its own."
            .to_owned(),
    );
    steps.push(again());
    steps
}

/// How much evidence the open cell that needs least would take.
fn settle(verdict: &Verdict) -> Option<String> {
    let open: Vec<&Cell> =
        verdict.cells.iter().filter(|cell| matches!(cell.state, State::Undecided | State::Untestable)).collect();
    if open.is_empty() {
        return None;
    }
    let many = if open.len() == 1 { "One cell is".to_owned() } else { format!("{} cells are", open.len()) };
    let needed =
        open.iter().filter_map(|cell| Some((cell.needed_n?, *cell))).min_by_key(|(needed, cell)| (*needed, cell.n));
    Some(match needed {
        Some((needed, cell)) => format!(
            "{many} undecided. More trials (--trials) or more examples would settle that; the nearest is {}, with about \
             {} examples instead of {}.",
            cell.name(),
            grouped_digits(needed),
            grouped_digits(cell.n)
        ),
        None => format!("{many} undecided: read the examples that changed there."),
    })
}
