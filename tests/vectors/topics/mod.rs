//! One module a topic; each answers the functions it knows.

use crate::{Answer, Case};

mod bootstrap;
mod calibration;
mod classification;
mod clustered_se;
mod correlation;
mod inputs;
mod judge_bias;
mod kappa;
mod multiple_comparisons;
mod multirater;
mod paired_binary;
mod pass_at_k;
mod power;
mod proportion_ci;
mod ranking;
mod retrieval;
mod sequential;
mod text;

/// A topic: `None` for functions of other topics.
type Topic = fn(&Case<'_>) -> Option<Answer>;

const TOPICS: [Topic; 17] = [
    bootstrap::run,
    calibration::run,
    classification::run,
    clustered_se::run,
    correlation::run,
    judge_bias::run,
    kappa::run,
    multiple_comparisons::run,
    multirater::run,
    paired_binary::run,
    pass_at_k::run,
    power::run,
    proportion_ci::run,
    ranking::run,
    retrieval::run,
    sequential::run,
    text::run,
];

/// Asks every topic in turn. A case about undefined input names the function that must refuse it.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    let function = if case.function == "undefined" { case.inputs["target_fn"].as_str()? } else { case.function };
    let case = Case { function, ..*case };
    TOPICS.into_iter().find_map(|topic| topic(&case))
}
