//! Whether a flip of a safety example is real: both sides are run on it again.

use serde::{Deserialize, Serialize};

/// The re-runs of one example under one metric. They decide about this flip alone and enter no estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerun {
    /// The example.
    pub id: String,
    /// The metric.
    pub metric: String,
    /// Whether each re-run of the baseline passed.
    pub baseline: Vec<bool>,
    /// Whether each re-run of the head passed.
    pub head: Vec<bool>,
}

/// What re-runs say about a flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// The baseline always passes and the head mostly fails.
    Confirmed,
    /// The baseline fails too: the example flickers.
    Flaky,
    /// The head mostly passes.
    NotConfirmed,
    /// As many re-runs again are needed.
    Open,
}

/// What re-runs of an example say, `batch` of them a side at first and as many again where that leaves it open.
///
/// Any failure of the baseline: flaky. Of the first batch, four fifths or more of the head failing confirm the flip, less
/// than two fifths do not, and in between a second batch decides with three fifths of both. With batches of five an example
/// that flickers alike on both sides is confirmed with probability at most 0.74 %, whatever its flicker; re-running the head
/// alone would fail up to 74 % of unchanged pull requests on ten such examples.
#[must_use]
pub fn confirmation(batch: u32, baseline: &[bool], head: &[bool]) -> Confirmation {
    let batch = batch as usize;
    if baseline.iter().any(|passed| !passed) {
        return Confirmation::Flaky;
    }
    if baseline.len() < batch || head.len() < batch {
        return Confirmation::Open;
    }
    let failed = |trials: &[bool]| trials.iter().filter(|passed| !**passed).count();
    let first = failed(&head[..batch]);
    if 5 * first >= 4 * batch {
        return Confirmation::Confirmed;
    }
    if 5 * first < 2 * batch {
        return Confirmation::NotConfirmed;
    }
    if baseline.len() < 2 * batch || head.len() < 2 * batch {
        return Confirmation::Open;
    }
    if 5 * failed(&head[..2 * batch]) >= 3 * 2 * batch { Confirmation::Confirmed } else { Confirmation::NotConfirmed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::{stream, uniform};

    fn trials(failures: usize, of: usize) -> Vec<bool> {
        (0..of).map(|trial| trial >= failures).collect()
    }

    #[test]
    fn the_two_steps_are_those_of_the_chapter() {
        let clean = trials(0, 5);
        for (failures, expected) in [
            (0, Confirmation::NotConfirmed),
            (1, Confirmation::NotConfirmed),
            (2, Confirmation::Open),
            (3, Confirmation::Open),
            (4, Confirmation::Confirmed),
            (5, Confirmation::Confirmed),
        ] {
            assert_eq!(confirmation(5, &clean, &trials(failures, 5)), expected, "{failures}");
        }
        let mut head = trials(3, 5);
        head.extend(trials(2, 5));
        assert_eq!(confirmation(5, &trials(0, 10), &head), Confirmation::NotConfirmed);
        head[9] = false;
        assert_eq!(confirmation(5, &trials(0, 10), &head), Confirmation::Confirmed);
        assert_eq!(confirmation(5, &trials(1, 5), &trials(5, 5)), Confirmation::Flaky);
        assert_eq!(confirmation(5, &[], &[]), Confirmation::Open);
    }

    #[test]
    fn an_example_that_flickers_is_hardly_ever_confirmed() {
        let mut worst: f64 = 0.0;
        for percent in (5..100).step_by(5) {
            let passes = f64::from(percent) / 100.0;
            let mut rng = stream(11, u64::from(percent as u32));
            let draws = 20_000;
            let confirmed = (0..draws)
                .filter(|_| {
                    let mut side = |n| (0..n).map(|_| uniform(&mut rng) < passes).collect::<Vec<bool>>();
                    let (mut baseline, mut head) = (side(5), side(5));
                    if confirmation(5, &baseline, &head) == Confirmation::Open {
                        baseline.extend(side(5));
                        head.extend(side(5));
                    }
                    confirmation(5, &baseline, &head) == Confirmation::Confirmed
                })
                .count();
            worst = worst.max(confirmed as f64 / f64::from(draws));
        }
        println!("confirmed at the worst flicker: {:.2} %", 100.0 * worst);
        // 0.74 % and three standard errors of 20,000 draws at the worst of 19 rates.
        assert!(worst > 0.002 && worst < 0.0093, "{worst}");
    }
}
