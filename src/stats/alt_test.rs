//! The alternative annotator test: may a judge stand in for the human annotators?

use rayon::prelude::*;

use super::error::{Result, StatError, all_finite, at_least, same_length};
use super::interval::Alpha;
use super::multiplicity::{Adjustment, adjust, rejected};
use super::p_value::p_value;
use super::special::t_two_sided;

/// How well one annotation fits those of the remaining annotators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// The share of the others with the very same value: for labels (as codes).
    Accuracy,
    /// Minus the root mean squared difference to the others: for scores.
    NegativeRmse,
}

impl Scoring {
    fn score(self, own: f64, others: &[f64]) -> f64 {
        let count = others.len() as f64;
        match self {
            Self::Accuracy => others.iter().filter(|&&other| other == own).count() as f64 / count,
            Self::NegativeRmse => {
                -libm::sqrt(others.iter().map(|other| (own - other) * (own - other)).sum::<f64>() / count)
            }
        }
    }
}

/// What the test is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AltTestOptions {
    /// How annotations are compared.
    pub scoring: Scoring,
    /// How much worse than a human the judge may do for being cheaper: 0.2 against experts, 0.15 against skilled
    /// annotators, 0.1 against crowd workers.
    pub epsilon: f64,
    /// False discovery rate over the annotators.
    pub q: Alpha,
    /// Annotators with fewer usable instances are left out; 30 by convention.
    pub min_instances: usize,
}

/// The judge against one annotator, each measured by the other annotators.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct AgainstAnnotator {
    /// Position of the annotator in the input.
    pub annotator: usize,
    /// Instances that both of them, and at least one more annotator, have.
    pub instances: usize,
    /// Share of instances on which the judge fits the others at least as well.
    pub judge_advantage: f64,
    /// Share of instances on which the annotator does; ties count for both.
    pub human_advantage: f64,
    /// One-sided t-test p of: the annotator's advantage exceeds the judge's by less than ε.
    pub p: f64,
    /// Whether that is accepted after Benjamini–Yekutieli: the judge wins.
    pub judge_wins: bool,
}

/// Outcome of the alternative annotator test.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AltTest {
    /// Share of the annotators the judge wins against.
    pub winning_rate: f64,
    /// Mean of `judge_advantage`: how probably the judge is as good as a random annotator.
    pub advantage_probability: f64,
    /// `winning_rate` is at least one half.
    pub passes: bool,
    /// The annotators with enough instances, in input order.
    pub annotators: Vec<AgainstAnnotator>,
}

/// The alternative annotator test (Calderon, Reichart & Dror 2025).
///
/// `humans` has one list an annotator, `judge` one value an instance, all aligned, `None` where there is none. Each
/// annotator in turn is left out; on each instance the judge and the annotator are scored against the remaining
/// annotators, and the difference of the two win indicators is t-tested against ε. Instances are assumed independent;
/// the annotators' p-values are dependent, hence Benjamini–Yekutieli. Differences without any variance have p = 0
/// (printed as the smallest positive number) when they lie below ε, else 1.
///
/// # Errors
/// [`StatError::TooFew`] below two annotators or when nobody has `min_instances`; [`StatError::Lengths`] for lists
/// that are not aligned; [`StatError::OutOfRange`] for an ε outside 0..1 or values that are not finite.
pub fn alt_test<R: AsRef<[Option<f64>]>>(
    humans: &[R],
    judge: &[Option<f64>],
    options: &AltTestOptions,
) -> Result<AltTest> {
    at_least("annotators", 2, humans.len())?;
    at_least("instances an annotator", 2, options.min_instances)?;
    if !(0.0..1.0).contains(&options.epsilon) {
        return Err(StatError::OutOfRange { what: "epsilon", value: options.epsilon, range: "[0, 1)" });
    }
    for annotations in humans.iter().map(AsRef::as_ref).chain([judge]) {
        same_length("instances of an annotator and of the judge", annotations.len(), judge.len())?;
        for value in annotations.iter().flatten() {
            all_finite("annotation", std::slice::from_ref(value))?;
        }
    }
    let mut annotators = Vec::with_capacity(humans.len());
    let mut most_instances = 0;
    // Each annotator is counted by itself, so threads change nothing.
    let humans: Vec<&[Option<f64>]> = humans.iter().map(AsRef::as_ref).collect();
    let counted: Vec<Wins> = (0..humans.len())
        .into_par_iter()
        .map(|annotator| Wins::count(&humans, judge, annotator, options.scoring))
        .collect();
    for (annotator, wins) in counted.into_iter().enumerate() {
        most_instances = most_instances.max(wins.instances);
        if wins.instances >= options.min_instances {
            annotators.push(wins.test(annotator, options.epsilon));
        }
    }
    if annotators.is_empty() {
        return Err(StatError::TooFew {
            what: "instances shared by the judge, an annotator and another one",
            needed: options.min_instances,
            got: most_instances,
        });
    }
    let wins = reject(&mut annotators, options.q)?;
    let count = annotators.len() as f64;
    let winning_rate = wins as f64 / count;
    Ok(AltTest {
        winning_rate,
        advantage_probability: annotators.iter().map(|one| one.judge_advantage).sum::<f64>() / count,
        passes: 2 * wins >= annotators.len(),
        annotators,
    })
}

/// On how many instances the judge, or the annotator, fits the others better.
struct Wins {
    instances: usize,
    judge: usize,
    human: usize,
}

impl Wins {
    fn count<R: AsRef<[Option<f64>]>>(humans: &[R], judge: &[Option<f64>], left_out: usize, scoring: Scoring) -> Self {
        let mut wins = Self { instances: 0, judge: 0, human: 0 };
        let mut others = Vec::with_capacity(humans.len());
        for (instance, (own, judged)) in humans[left_out].as_ref().iter().zip(judge).enumerate() {
            let (Some(own), Some(judged)) = (*own, *judged) else { continue };
            others.clear();
            let rest = humans.iter().enumerate().filter(|&(human, _)| human != left_out);
            others.extend(rest.filter_map(|(_, annotations)| annotations.as_ref()[instance]));
            if others.is_empty() {
                continue;
            }
            let (human_score, judge_score) = (scoring.score(own, &others), scoring.score(judged, &others));
            wins.instances += 1;
            wins.judge += usize::from(judge_score >= human_score);
            wins.human += usize::from(human_score >= judge_score);
        }
        wins
    }

    fn test(&self, annotator: usize, epsilon: f64) -> AgainstAnnotator {
        let n = self.instances as f64;
        // An instance is won by the judge, by the human or by both: differences are −1, 1 and 0.
        let (only_human, only_judge) = ((self.instances - self.judge) as f64, (self.instances - self.human) as f64);
        let mean = (only_human - only_judge) / n;
        let squares = only_human * (1.0 - mean) * (1.0 - mean)
            + only_judge * (1.0 + mean) * (1.0 + mean)
            + (n - only_human - only_judge) * mean * mean;
        let p = if squares > 0.0 {
            let t = (mean - epsilon) / libm::sqrt(squares / (n - 1.0) / n);
            let tail = 0.5 * t_two_sided(t, n - 1.0);
            if t < 0.0 { tail } else { 1.0 - tail }
        } else if mean < epsilon {
            0.0
        } else {
            1.0
        };
        AgainstAnnotator {
            annotator,
            instances: self.instances,
            judge_advantage: self.judge as f64 / n,
            human_advantage: self.human as f64 / n,
            p: p_value(p),
            judge_wins: false,
        }
    }
}

/// Benjamini & Yekutieli (2001) at rate `q`: marks the annotators the judge wins against and counts them.
fn reject(annotators: &mut [AgainstAnnotator], q: Alpha) -> Result<usize> {
    let p: Vec<f64> = annotators.iter().map(|one| one.p).collect();
    let wins = rejected(&adjust(&p, Adjustment::BenjaminiYekutieli)?, q);
    annotators.iter_mut().zip(&wins).for_each(|(one, &wins)| one.judge_wins = wins);
    Ok(wins.into_iter().filter(|&wins| wins).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(epsilon: f64) -> AltTestOptions {
        AltTestOptions { scoring: Scoring::Accuracy, epsilon, q: Alpha::FIVE_PERCENT, min_instances: 30 }
    }

    fn full(values: &[u32]) -> Vec<Option<f64>> {
        values.iter().map(|&value| Some(f64::from(value))).collect()
    }

    #[test]
    fn a_judge_like_everybody_wins_and_one_like_nobody_loses() {
        let label: Vec<u32> = (0..40).map(|i| i % 3).collect();
        let humans = vec![full(&label); 3];
        let copy = alt_test(&humans, &full(&label), &options(0.1)).unwrap();
        assert_eq!((copy.winning_rate, copy.advantage_probability, copy.passes), (1.0, 1.0, true));
        assert!(copy.annotators.iter().all(|one| one.p == f64::MIN_POSITIVE && one.judge_wins));
        let stranger: Vec<u32> = label.iter().map(|value| value + 1).collect();
        let lost = alt_test(&humans, &full(&stranger), &options(0.1)).unwrap();
        assert_eq!((lost.winning_rate, lost.advantage_probability, lost.passes), (0.0, 0.0, false));
        assert!(lost.annotators.iter().all(|one| one.p == 1.0 && one.human_advantage == 1.0));
    }

    #[test]
    fn t_test_by_hand() {
        // Forty instances: the human alone is right on 4, the judge alone on 8.
        let wins = Wins { instances: 40, judge: 36, human: 32 };
        let result = wins.test(0, 0.1);
        let mean = -0.1_f64;
        let variance = (12.0 - 40.0 * mean * mean) / 39.0;
        let t = (mean - 0.1) / (variance / 40.0).sqrt();
        assert!((t + 2.319_33).abs() < 1e-5, "{t}");
        assert!((result.p - 0.5 * t_two_sided(t, 39.0)).abs() < 1e-15);
        assert!(Wins { instances: 40, judge: 32, human: 36 }.test(0, 0.1).p > 0.49);
    }

    #[test]
    fn benjamini_yekutieli_steps_up() {
        let with = |p: f64| AgainstAnnotator {
            annotator: 0,
            instances: 30,
            judge_advantage: 0.5,
            human_advantage: 0.5,
            p,
            judge_wins: false,
        };
        // Thresholds for three: .05/(1 + 1/2 + 1/3) × rank/3 = .00909, .01818, .02727. The second alone would fail.
        let mut family = [with(0.02), with(0.027), with(0.001)];
        assert_eq!(reject(&mut family, Alpha::FIVE_PERCENT), Ok(3));
        let mut family = [with(0.02), with(0.028), with(0.001)];
        assert_eq!(reject(&mut family, Alpha::FIVE_PERCENT), Ok(1));
        assert!(family[2].judge_wins && !family[0].judge_wins);
    }

    #[test]
    fn closeness_counts_for_scores() {
        assert_eq!(Scoring::NegativeRmse.score(3.0, &[1.0, 5.0]), -2.0);
        assert_eq!(Scoring::Accuracy.score(3.0, &[3.0, 5.0]), 0.5);
    }

    #[test]
    fn annotators_with_few_instances_are_left_out_but_still_judge_others() {
        let label: Vec<u32> = (0..40).map(|i| i % 2).collect();
        let mut part_time = full(&label);
        part_time[29..].fill(None);
        let humans = [full(&label), full(&label), part_time];
        let result = alt_test(&humans, &full(&label), &options(0.1)).unwrap();
        assert_eq!(result.annotators.iter().map(|one| one.annotator).collect::<Vec<_>>(), [0, 1]);
        let mut silent = full(&label);
        silent[..20].fill(None);
        let refused = alt_test(&humans, &silent, &options(0.1));
        assert_eq!(
            refused.unwrap_err(),
            StatError::TooFew {
                what: "instances shared by the judge, an annotator and another one",
                needed: 30,
                got: 20,
            }
        );
    }

    #[test]
    fn refusals() {
        let some = full(&[0; 40]);
        assert!(matches!(alt_test(std::slice::from_ref(&some), &some, &options(0.1)), Err(StatError::TooFew { .. })));
        let humans = [some.clone(), some.clone()];
        assert!(matches!(alt_test(&humans, &some[1..], &options(0.1)), Err(StatError::Lengths { .. })));
        assert!(matches!(alt_test(&humans, &some, &options(f64::NAN)), Err(StatError::OutOfRange { .. })));
        let mut broken = some.clone();
        broken[3] = Some(f64::NAN);
        assert!(matches!(alt_test(&humans, &broken, &options(0.1)), Err(StatError::OutOfRange { .. })));
    }

    proptest! {
        #[test]
        fn order_of_annotators_and_instances_does_not_matter(
            rows in prop::collection::vec(prop::array::uniform4(prop::option::weighted(0.9, 0_u32..3)), 45..80)
        ) {
            let column = |k: usize| rows.iter().map(|row| row[k].map(f64::from)).collect::<Vec<_>>();
            let (mut humans, mut judge) = (vec![column(0), column(1), column(2)], column(3));
            let Ok(before) = alt_test(&humans, &judge, &options(0.15)) else { return Ok(()) };
            humans.reverse();
            for human in &mut humans {
                human.reverse();
            }
            judge.reverse();
            let after = alt_test(&humans, &judge, &options(0.15)).unwrap();
            prop_assert_eq!(before.winning_rate, after.winning_rate);
            prop_assert!((before.advantage_probability - after.advantage_probability).abs() < 1e-12);
            for one in before.annotators {
                prop_assert!(one.p > 0.0 && one.p <= 1.0);
                prop_assert!(one.judge_advantage + one.human_advantage >= 1.0 - 1e-12);
            }
        }
    }
}
