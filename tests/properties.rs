//! What must hold for every comparison and every verdict, whatever the data: proptest over the functions that the program
//! uses.

#![allow(clippy::unwrap_used, missing_docs, reason = "test program")]

use evalgauge::compare::{
    CompareOptions, Comparison, Identity, IntervalMethod, Labels, MetricValues, Scored, Side, SliceKeys, Tolerances,
    compare,
};
use evalgauge::gate::{Cell, Decision, GatePolicy, Given, Verdict, decide};
use evalgauge::score::Scale;
use evalgauge::stats::Alpha;
use evalgauge::table::Text;
use proptest::prelude::*;

/// Scores of an example in tenths: of the baseline's and of the head's trials.
type Scores = (Vec<u8>, Vec<u8>);

/// Examples with one to three trials a side, few distinct scores, a third of them unchanged.
fn examples() -> impl Strategy<Value = Vec<Scores>> {
    (1_usize..=3, 1_usize..=3).prop_flat_map(|(baseline, head)| {
        let score = prop::sample::select(vec![0_u8, 0, 3, 5, 10, 10, 10]);
        let example = (prop::collection::vec(score.clone(), baseline), prop::collection::vec(score, head));
        prop::collection::vec(example, 24..60)
    })
}

struct Layout {
    factor: f64,
    group_size: Option<usize>,
    interval: IntervalMethod,
}

const PLAIN: Layout = Layout { factor: 1.0, group_size: None, interval: IntervalMethod::Auto };

fn side(examples: &[Scores], pick: fn(&Scores) -> &Vec<u8>, layout: &Layout) -> Side {
    let scale = Scale { low: 0.0, high: layout.factor, higher_is_better: true };
    let mut metric = MetricValues::new("m", scale, true);
    let mut label = Labels::new("half");
    label.names = vec!["a".to_owned(), "b".to_owned()];
    for (number, example) in examples.iter().enumerate() {
        let scored =
            |&tenths: &u8| Some(Scored { value: layout.factor * f64::from(tenths) / 10.0, passed: tenths == 10 });
        metric.push(pick(example).iter().map(scored));
        label.push([(number % 2) as u32]);
    }
    let groups = layout.group_size.map(|size| (0..examples.len()).map(|i| Some(format!("g{:03}", i / size))).collect());
    let identity = Identity {
        name: "side".to_owned(),
        source: "side".to_owned(),
        sha256: String::new(),
        candidate: None,
        git_revision: None,
        pins: None,
        complete: true,
    };
    let ids: Vec<String> = (0..examples.len()).map(|i| format!("e{i:03}")).collect();
    Side {
        identity,
        ids: ids.iter().map(String::as_str).collect::<Text>(),
        groups,
        labels: vec![label],
        metrics: vec![metric],
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured: Vec::new(),
    }
}

fn decided(examples: &[Scores], layout: &Layout) -> (Comparison, Verdict) {
    let options = CompareOptions {
        slices: SliceKeys::default(),
        metrics: Vec::new(),
        interval: layout.interval,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: Tolerances::default(),
        watched: Vec::new(),
        seed: 7,
    };
    let policy = GatePolicy { min_n: 5, ..GatePolicy::default() };
    let comparison = compare(&side(examples, |e| &e.0, layout), &side(examples, |e| &e.1, layout), &options).unwrap();
    let verdict = decide(&comparison, &policy, &Given::on("2026-01-01")).unwrap();
    (comparison, verdict)
}

/// What a verdict says of its cells.
fn said(verdict: &Verdict) -> Vec<(String, Option<f64>, Option<f64>, String)> {
    let of = |cell: &Cell| (cell.slice.clone(), cell.p, cell.p_adjusted, format!("{:?}", cell.state));
    verdict.cells.iter().map(of).collect()
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn p_is_a_probability_and_never_zero(examples in examples()) {
        let (_, verdict) = decided(&examples, &PLAIN);
        for cell in &verdict.cells {
            for p in [cell.p, cell.p_adjusted].into_iter().flatten() {
                prop_assert!(p > 0.0 && p <= 1.0, "{p}");
            }
            if let (Some(p), Some(adjusted)) = (cell.p, cell.p_adjusted) {
                prop_assert!(adjusted >= p);
            }
        }
    }

    #[test]
    fn intervals_contain_their_estimates(examples in examples()) {
        for interval in [IntervalMethod::Auto, IntervalMethod::Wald, IntervalMethod::Bootstrap] {
            let layout = Layout { interval, ..PLAIN };
            for cell in decided(&examples, &layout).0.cells {
                for (interval, estimate) in
                    [(cell.ci, cell.delta), (cell.baseline_ci, cell.baseline), (cell.head_ci, cell.head)]
                {
                    if let (Some(interval), Some(estimate)) = (interval, estimate) {
                        prop_assert!(interval.contains(estimate), "{estimate} is not in {interval:?}");
                        prop_assert!(interval.width() > 0.0);
                    }
                }
            }
        }
    }

    #[test]
    fn exchanging_the_sides_turns_everything(examples in examples()) {
        let exchanged: Vec<Scores> = examples.iter().map(|(b, h)| (h.clone(), b.clone())).collect();
        let (there, there_verdict) = decided(&examples, &PLAIN);
        let (back, back_verdict) = decided(&exchanged, &PLAIN);
        for (a, b) in there.cells.iter().zip(&back.cells) {
            prop_assert!(near(a.delta, b.delta.map(|delta| -delta)));
            prop_assert!(near(a.ci.map(|ci| ci.low), b.ci.map(|ci| -ci.high)), "{:?} {:?}", a.ci, b.ci);
        }
        prop_assert_eq!(there.flips.pass_to_fail.len(), back.flips.fail_to_pass.len());
        prop_assert_eq!(there.flips.wavering_worse.len(), back.flips.wavering_better.len());
        let fail = |verdict: &Verdict| verdict.decision == Decision::Fail;
        let both = there_verdict.regressed.iter().find(|slice| back_verdict.regressed.contains(slice));
        prop_assert!(both.is_none(), "{both:?} fell both ways");
        prop_assert!(!(fail(&there_verdict) && there.cells.iter().all(|cell| cell.delta >= Some(0.0))));
    }

    #[test]
    fn the_scale_has_no_say(examples in examples(), factor in prop::sample::select(vec![2.0, 5.0, 100.0])) {
        let (plain, _) = decided(&examples, &PLAIN);
        let (scaled, verdict) = decided(&examples, &Layout { factor, ..PLAIN });
        for (a, b) in plain.cells.iter().zip(&scaled.cells) {
            prop_assert!(near(a.delta, b.delta.map(|delta| delta / factor)));
        }
        let (_, expected) = decided(&examples, &PLAIN);
        for (a, b) in said(&expected).into_iter().zip(said(&verdict)) {
            prop_assert!(near(a.1, b.1) && near(a.2, b.2) && a.3 == b.3, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_group_of_one_is_an_example(examples in examples()) {
        let (alone, alone_verdict) = decided(&examples, &PLAIN);
        let (grouped, grouped_verdict) = decided(&examples, &Layout { group_size: Some(1), ..PLAIN });
        prop_assert_eq!(alone.cells, grouped.cells);
        prop_assert_eq!(said(&alone_verdict), said(&grouped_verdict));
    }

    /// A head that fails an example more cannot look better for it.
    #[test]
    fn another_broken_example_never_helps(examples in examples(), which in any::<prop::sample::Index>()) {
        let mut worse = examples.clone();
        let broken = which.index(worse.len());
        worse[broken].1.fill(0);
        let (_, before) = decided(&examples, &PLAIN);
        let (_, after) = decided(&worse, &PLAIN);
        let (a, b) = (&before.cells[0], &after.cells[0]);
        prop_assert!(b.delta <= a.delta && b.head <= a.head);
        // The same coins: the sum falls by more than it does under any of them. A recomputed spread may cost a little.
        if let (Some(p), Some(q)) = (a.p, b.p) {
            prop_assert!(q <= p + 0.02, "{p} {q}");
        }
    }

    #[test]
    fn threads_have_no_say(examples in examples()) {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| serde_json::to_string(&decided(&examples, &PLAIN).1).unwrap())
        };
        let one = on(1);
        prop_assert_eq!(&one, &on(2));
        prop_assert_eq!(&one, &on(5));
    }
}
