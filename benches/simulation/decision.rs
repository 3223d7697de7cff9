//! One simulated comparison through the functions that the program uses, and what other rules would have said.

use evalgauge::compare::{CompareOptions, Comparison, IntervalMethod, OVERALL, Side, SliceKeys, Tests, compare};
use evalgauge::config::DEFAULT_SEED;
use evalgauge::gate::{Decision, GatePolicy, Given, MIN_N, Margins, State, Verdict, decide};
use evalgauge::stats::Alpha;
use evalgauge::stats::mean::MeanEstimate;

use crate::world::Case;

/// The policy of a case: the defaults but for margins and the share of unscored pairs.
pub fn policy(case: &Case) -> GatePolicy {
    let mut policy = GatePolicy::default();
    if let Some(margin) = case.margin {
        policy.margin = Margins::uniform(margin);
    }
    policy.require.unscored.max = case.unscored_max;
    policy.tolerance = case.tolerance;
    policy.overall_share = case.overall_share;
    policy
}

/// Compares and decides as `evalgauge gate` does.
pub fn verdict(case: &Case, baseline: &Side, head: &Side) -> (Comparison, Verdict) {
    let options = CompareOptions {
        slices: SliceKeys::default(),
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: policy(case).tolerances(),
        watched: Vec::new(),
        seed: DEFAULT_SEED,
    };
    let comparison = compare(baseline, head, &options).unwrap();
    let verdict = decide(&comparison, &policy(case), &Given::on("2000-01-01")).unwrap();
    (comparison, verdict)
}

/// What one gate said, and what other rules would have.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule's answer")]
pub struct Outcome {
    /// The gate failed: exit 1.
    pub failed: bool,
    /// The gate could not decide: exit 4.
    pub undecidable: bool,
    /// A cell has an adjusted p of at most α: the family's error, whatever the margins.
    pub rejected: bool,
    /// A cell has, and fell beyond its margin: what the gate would do without the guard.
    pub unguarded: bool,
    /// Share of the tested cells that stay open.
    pub open: f64,
    /// `overall` was called fine.
    pub fine: bool,
    /// Some cell's own 95 % interval lies below 0 and it fell beyond its margin.
    pub uncorrected: bool,
    /// Some cell's own one-sided p is at most 5 %.
    pub single_tests: bool,
    /// Some cell fell by more than five points.
    pub tolerance: bool,
    /// `overall` fell at all.
    pub any_drop: bool,
    /// `overall` fell, with an exact two-sided McNemar p of at most 5 %.
    pub mcnemar: bool,
    /// `overall` fell, and the 95 % t interval of two independent samples lies below 0.
    pub two_samples: bool,
}

impl Outcome {
    pub fn of(case: &Case, baseline: &Side, head: &Side) -> Self {
        let (comparison, verdict) = verdict(case, baseline, head);
        let tested = || verdict.cells.iter().filter(|cell| cell.state != State::Shown);
        let rejects = |p: Option<f64>| p.is_some_and(|p| p <= verdict.alpha);
        let fell_beyond = |cell: &evalgauge::gate::Cell, margin: f64| cell.delta.is_some_and(|delta| -delta > margin);
        let open = tested().filter(|cell| matches!(cell.state, State::Undecided | State::Untestable)).count();
        let overall = comparison.cells.iter().find(|cell| cell.slice == OVERALL);
        let fell = overall.and_then(|cell| cell.delta).is_some_and(|delta| delta < 0.0);
        let width = case.scale().width();
        Self {
            failed: verdict.decision == Decision::Fail,
            undecidable: verdict.decision == Decision::Undecidable,
            rejected: tested().any(|cell| rejects(cell.p_adjusted) && fell_beyond(cell, 0.0)),
            unguarded: tested().any(|cell| rejects(cell.p_adjusted) && fell_beyond(cell, cell.margin)),
            open: open as f64 / tested().count().max(1) as f64,
            fine: verdict.cells.iter().any(|cell| cell.slice == OVERALL && cell.state == State::Fine),
            uncorrected: tested()
                .any(|cell| fell_beyond(cell, cell.margin) && cell.ci.is_some_and(|[_, high]| high < 0.0)),
            single_tests: tested().any(|cell| rejects(cell.p)),
            tolerance: tested().any(|cell| cell.n >= MIN_N && fell_beyond(cell, 0.05 * width)),
            any_drop: fell,
            mcnemar: fell
                && overall.is_some_and(
                    |cell| matches!(cell.tests, Some(Tests::McNemar { mcnemar_exact, .. }) if mcnemar_exact <= 0.05),
                ),
            two_samples: fell && two_samples(baseline, head),
        }
    }
}

/// Whether the 95 % interval of the difference of two means lies below 0 when the samples are taken for independent:
/// what many a harness prints.
fn two_samples(baseline: &Side, head: &Side) -> bool {
    let estimate = |side: &Side| {
        let metric = side.metrics.first()?;
        let means: Vec<f64> = (0..side.ids.len())
            .filter_map(|example| {
                let values: Vec<f64> = metric.of(example).iter().flatten().map(|scored| scored.value).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            })
            .collect();
        MeanEstimate::of(&means).ok()
    };
    let (Some(b), Some(h)) = (estimate(baseline), estimate(head)) else { return false };
    let half = Alpha::FIVE_PERCENT.two_sided_t(b.df + h.df) * b.se.hypot(h.se);
    h.mean - b.mean + half < 0.0
}
