//! Contests whose answer is known beforehand.

use super::super::aggregate::Aggregate;
use super::super::side::{Identity, Labels, MetricValues, Scored};
use super::*;
use crate::score::Scale;

/// A side whose examples have these trials; the label `topic` halves them.
fn side(name: &str, aggregate: Aggregate, examples: &[Vec<f64>]) -> Side {
    let ids: Vec<String> = (0..examples.len()).map(|i| format!("e{i:03}")).collect();
    let mut metric = MetricValues::new("score", Scale::UNIT, true);
    metric.aggregate = aggregate;
    let mut topics = Labels::new("topic");
    topics.names = vec!["a".to_owned(), "b".to_owned()];
    for (i, trials) in examples.iter().enumerate() {
        metric.push(trials.iter().map(|&value| Some(Scored { value, passed: value >= 1.0 })));
        topics.push([u32::from(2 * i >= examples.len())]);
    }
    Side {
        identity: Identity {
            name: name.to_owned(),
            source: name.to_owned(),
            sha256: String::new(),
            candidate: None,
            git_revision: None,
            pins: None,
            complete: true,
        },
        ids: ids.iter().map(String::as_str).collect(),
        groups: None,
        labels: vec![topics],
        metrics: vec![metric],
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured: Vec::new(),
    }
}

fn standings_of(sides: &[Side]) -> (Standings, Vec<String>) {
    let options = ContestOptions {
        slices: SliceKeys::default(),
        min_n: 5,
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        seed: 7,
    };
    let mut found = contest(sides, &options).unwrap();
    (found.metrics.remove(0), found.warnings)
}

const NO_OMNIBUS: &str = "none: the candidates have different numbers of trials";

#[test]
fn a_leaderboard_counts_the_trials_that_its_pairs_count() {
    // Of three trials the majority passes; of the first alone, as the pairs have it, none does, and `one` is better.
    let one: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(u8::from(i % 4 == 0))]).collect();
    let three = vec![vec![0.0, 1.0, 1.0]; 40];
    let sides = [side("three", Aggregate::Majority, &three), side("one", Aggregate::Majority, &one)];
    let (found, warnings) = standings_of(&sides);
    let values: Vec<_> = found.table.iter().map(|row| (row.candidate, row.value)).collect();
    assert_eq!(values, [(1, Some(0.25)), (0, Some(0.0))]);
    assert_eq!(found.pairs[0].delta, Some(0.25));
    assert!(found.omnibus.is_some(), "{:?}", found.no_omnibus);
    assert!(warnings.iter().any(|warning| warning.contains("the first that all of them have")), "{warnings:?}");
    // Of equally many nothing is left out.
    let sides = [side("three", Aggregate::Majority, &three), side("same", Aggregate::Majority, &three)];
    let (found, warnings) = standings_of(&sides);
    assert!(found.table.iter().all(|row| row.value == Some(1.0)));
    assert!(!warnings.iter().any(|warning| warning.contains("trials")), "{warnings:?}");
}

#[test]
fn means_of_unequal_trials_are_not_shuffled() {
    let examples = |trials: usize| -> Vec<Vec<f64>> {
        (0..40).map(|i| (0..trials).map(|trial| f64::from(u8::from((i + trial) % 3 == 0))).collect()).collect()
    };
    let sides =
        |second: usize| [side("a", Aggregate::Mean, &examples(2)), side("b", Aggregate::Mean, &examples(second))];
    let (found, _) = standings_of(&sides(5));
    assert_eq!((found.omnibus, found.no_omnibus.as_deref()), (None, Some(NO_OMNIBUS)));
    let mut scores = examples(2);
    scores[3] = vec![1.0, 1.0];
    let (found, _) = standings_of(&[side("a", Aggregate::Mean, &examples(2)), side("b", Aggregate::Mean, &scores)]);
    assert!(found.omnibus.is_some());
}

#[test]
fn nobody_leads_by_a_pair_that_points_the_other_way() {
    // Both have two trials planned. Alone `a` passes all that it was scored in; where both were scored it fails.
    let full = vec![vec![1.0, 0.0]; 40];
    let mut a = side("a", Aggregate::Mean, &full);
    let mut metric = MetricValues::new("score", Scale::UNIT, true);
    let mut other = metric.clone();
    let scored = |value: f64| Some(Scored { value, passed: value >= 1.0 });
    for i in 0..40 {
        // The first trial counts in the pair: `a` is worse there. The second is `a`'s alone.
        metric.push([scored(f64::from(u8::from(i % 4 == 0))), scored(1.0)]);
        other.push([scored(f64::from(u8::from(i % 4 < 2))), None]);
    }
    a.metrics = vec![metric];
    let b = Side { metrics: vec![other], ..side("b", Aggregate::Mean, &full) };
    let (found, _) = standings_of(&[a, b]);
    assert_eq!((found.table[0].candidate, found.pairs[0].delta), (0, Some(0.25)));
    assert!(found.pairs[0].differs, "{:?}", found.pairs);
    assert!(found.table[1].among_first);
    assert_eq!(found.winner(), None);
    assert!(found.slices.iter().all(|slice| slice.best == [0] && slice.winner.is_none()), "{:?}", found.slices);
    assert_eq!(found.no_omnibus.as_deref(), Some(NO_OMNIBUS));
}

/// Three candidates that differ on so many examples of 60: there the first alone passes.
fn differing_on(count: usize) -> [Side; 3] {
    let passes = |all: usize| -> Vec<Vec<f64>> { (0..60).map(|i| vec![f64::from(u8::from(i < all))]).collect() };
    let of = |name: &str, all: usize| side(name, Aggregate::Mean, &passes(all));
    [of("a", 20 + count), of("b", 20), of("c", 20)]
}

#[test]
fn q_is_read_off_chi_squared_only_where_enough_examples_differ() {
    let omnibus = |count: usize| standings_of(&differing_on(count)).0.omnibus.unwrap();
    let (few, many) = (omnibus(15), omnibus(16));
    assert_eq!((few.test, few.df, few.draws), ("permutation-within-examples", None, Some(2_000)));
    assert_eq!((many.test, many.df, many.draws), ("cochran-q", Some(2), None));
    // One of three passes alone each time: Q is twice their number, however its p is found.
    assert!((few.statistic - 30.0).abs() < 1e-9 && (many.statistic - 32.0).abs() < 1e-9, "{few:?} {many:?}");
    // Of two examples all nine ways are equally likely, and three are as far out; χ² would say .135.
    let two = omnibus(2);
    assert!((two.p - 1.0 / 3.0).abs() < 0.05, "{two:?}");
}

#[test]
fn slices_without_a_leader_count_among_the_slices() {
    // `a` leads in the first half by eight examples to none (p = 2/2⁸); in the second half they are alike.
    let passes =
        |all: usize| -> Vec<Vec<f64>> { (0..60).map(|i| vec![f64::from(u8::from(i < all || i >= 45))]).collect() };
    let of = |name: &str, all: usize| side(name, Aggregate::Mean, &passes(all));
    let (found, _) = standings_of(&[of("a", 18), of("b", 10)]);
    let [led, tied] = &found.slices[..] else { panic!("{:?}", found.slices) };
    assert_eq!((&led.best[..], led.winner), (&[0][..], Some(0)));
    assert!((led.p_adjusted.unwrap() - 2.0 * 2.0 / 256.0).abs() < 1e-12, "{led:?}");
    assert_eq!((&tied.best[..], tied.p_adjusted, tied.winner), (&[0, 1][..], None, None));
}
