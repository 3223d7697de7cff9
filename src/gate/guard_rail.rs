//! Guard rails: whether latency, cost, length, refusals or errors rose further than they may.

use super::limits::{Amount, GuardRail};
use super::rule::RuleState;
use crate::compare::{Measure, PairedMeasure};
use crate::stats::quantile::quantile_bounds;
use crate::stats::special::binomial_half_cdf;
use crate::stats::{Alpha, BlockMoments};

/// What a guard rail came to.
pub(super) struct Railed {
    pub(super) state: RuleState,
    pub(super) detail: String,
}

/// One limit, tested one-sided at `alpha` both ways: broken when the interval lies beyond it, held when it lies within.
pub(super) fn test(paired: &PairedMeasure, rail: &GuardRail, alpha: Alpha) -> Railed {
    let found: Vec<Railed> = [
        rail.max_increase.map(|amount| increase(paired, amount, alpha)),
        rail.max.map(|amount| highest(paired, amount, alpha)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let worst = found.iter().map(|railed| railed.state).max_by_key(|state| rank(*state)).unwrap_or(RuleState::Held);
    let details: Vec<String> = found.into_iter().map(|railed| railed.detail).collect();
    Railed { state: worst, detail: details.join("; ") }
}

const fn rank(state: RuleState) -> u8 {
    match state {
        RuleState::Held => 0,
        RuleState::Open => 1,
        RuleState::Unmeasured => 2,
        RuleState::Broken => 3,
    }
}

/// The factor on the baseline's value, and what is added to it.
const fn terms(amount: Amount) -> (f64, f64) {
    match amount {
        Amount::Absolute(more) | Amount::Time(more) => (1.0, more),
        Amount::Relative(share) => (1.0 + share, 0.0),
    }
}

fn increase(paired: &PairedMeasure, amount: Amount, alpha: Alpha) -> Railed {
    let (factor, more) = terms(amount);
    let limit = format!("at most +{}", amount.text());
    if let Some(level) = paired.measure.quantile() {
        // Each side at half the error rate, so that both bounds hold together.
        let half = alpha.among(2);
        let (Some(base), Some(head)) = (quantile(paired, level, half, false), quantile(paired, level, half, true))
        else {
            return Railed { state: RuleState::Unmeasured, detail: "no values".to_owned() };
        };
        let allowed = |bound: f64| factor.mul_add(bound, more);
        let state = match (head.low, base.high, head.high, base.low) {
            (Some(low), Some(high), _, _) if low > allowed(high) => RuleState::Broken,
            (_, _, Some(high), Some(low)) if high <= allowed(low) => RuleState::Held,
            _ => RuleState::Open,
        };
        let change = format!("{} → {}", number(paired.measure, base.value), number(paired.measure, head.value));
        return Railed { state, detail: format!("{change}, {limit}") };
    }
    let mut beyond = Changes::default();
    for (block, base, head) in &paired.pairs {
        beyond.push(*block, mean(head) - factor.mul_add(mean(base), more));
    }
    let state = beyond.state(alpha, paired.measure.is_rate().then(|| signs(paired)));
    let change = format!(
        "{} → {}",
        number(paired.measure, side_mean(paired, false)),
        number(paired.measure, side_mean(paired, true))
    );
    Railed { state, detail: format!("{change}, {limit}") }
}

fn highest(paired: &PairedMeasure, amount: Amount, alpha: Alpha) -> Railed {
    let (_, most) = terms(amount);
    let limit = format!("at most {}", amount.text());
    if let Some(level) = paired.measure.quantile() {
        let Some(head) = quantile(paired, level, alpha, true) else {
            return Railed { state: RuleState::Unmeasured, detail: "no values".to_owned() };
        };
        let state = if head.low.is_some_and(|low| low > most) {
            RuleState::Broken
        } else if head.high.is_some_and(|high| high <= most) {
            RuleState::Held
        } else {
            RuleState::Open
        };
        return Railed { state, detail: format!("{}, {limit}", number(paired.measure, head.value)) };
    }
    let mut beyond = Changes::default();
    for (block, _, head) in &paired.pairs {
        beyond.push(*block, mean(head) - most);
    }
    let state = beyond.state(alpha, None);
    Railed { state, detail: format!("{}, {limit}", number(paired.measure, side_mean(paired, true))) }
}

/// How far each block lies beyond a limit.
#[derive(Default)]
struct Changes {
    blocks: Vec<(u32, f64, f64)>,
}

impl Changes {
    fn push(&mut self, block: u32, beyond: f64) {
        self.blocks.push((block, beyond, 1.0));
    }

    /// The t bounds of the mean over blocks on either side of 0; a rate must pass the sign test of its changes too, since t
    /// is too sure of a handful of them.
    fn state(mut self, alpha: Alpha, signs: Option<(u64, u64)>) -> RuleState {
        self.blocks.sort_by_key(|(block, ..)| *block);
        let mut moments = BlockMoments::default();
        for block in self.blocks.chunk_by(|a, b| a.0 == b.0) {
            moments.push(block.iter().map(|(_, beyond, _)| beyond).sum(), block.len() as f64);
        }
        let Ok(mean) = moments.mean() else { return RuleState::Unmeasured };
        let Ok(interval) = moments.t_interval(alpha.two_sided_for_one_sided()) else {
            // Nothing varies: as many equal blocks are a sign test.
            let sure = 0.5_f64.powi(moments.blocks().min(1_000) as i32) <= alpha.get();
            return match (sure, mean > 0.0) {
                (true, true) => RuleState::Broken,
                (true, false) => RuleState::Held,
                (false, _) => RuleState::Open,
            };
        };
        let by_signs = signs.is_none_or(|(up, down)| up > down && binomial_half_cdf(down, up + down) <= alpha.get());
        if interval.low > 0.0 && by_signs {
            RuleState::Broken
        } else if interval.high <= 0.0 {
            RuleState::Held
        } else {
            RuleState::Open
        }
    }
}

/// Examples on which the head's mean is higher, and lower.
fn signs(paired: &PairedMeasure) -> (u64, u64) {
    let count = |holds: fn(f64, f64) -> bool| {
        paired.pairs.iter().filter(|(_, base, head)| holds(mean(head), mean(base))).count() as u64
    };
    (count(|head, base| head > base), count(|head, base| head < base))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn side_mean(paired: &PairedMeasure, head: bool) -> f64 {
    let of = |(_, base, now): &(u32, Vec<f64>, Vec<f64>)| mean(if head { now } else { base });
    paired.pairs.iter().map(of).sum::<f64>() / paired.pairs.len().max(1) as f64
}

fn quantile(
    paired: &PairedMeasure,
    level: f64,
    alpha: Alpha,
    head: bool,
) -> Option<crate::stats::quantile::QuantileEstimate> {
    let values: Vec<f64> =
        paired.pairs.iter().flat_map(|(_, base, now)| if head { now } else { base }).copied().collect();
    let mut blocks: Vec<u32> = paired.pairs.iter().map(|(block, ..)| *block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    quantile_bounds(&values, blocks.len(), level, alpha).ok()
}

fn number(measure: Measure, value: f64) -> String {
    if measure.is_time() {
        format!("{value:.0} ms")
    } else if measure.is_rate() {
        format!("{:.1} %", 100.0 * value)
    } else if measure == Measure::CostPerExample {
        format!("${value:.6}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::{stream, uniform};

    fn paired(measure: Measure, pairs: impl IntoIterator<Item = (f64, f64)>) -> PairedMeasure {
        let pairs = pairs.into_iter().enumerate().map(|(block, (base, head))| (block as u32, vec![base], vec![head]));
        PairedMeasure { measure, pairs: pairs.collect() }
    }

    fn rail(max_increase: Amount) -> GuardRail {
        GuardRail { max_increase: Some(max_increase), max: None }
    }

    fn state(paired: &PairedMeasure, amount: Amount) -> RuleState {
        test(paired, &rail(amount), Alpha::new(0.01).unwrap()).state
    }

    #[test]
    fn a_rise_is_broken_held_or_open() {
        let mut rng = stream(5, 0);
        let mut noisy = |by: f64| {
            let pairs: Vec<(f64, f64)> =
                (0..400).map(|_| (100.0 * uniform(&mut rng), by.mul_add(1.0, 100.0 * uniform(&mut rng)))).collect();
            paired(Measure::OutputLength, pairs)
        };
        assert_eq!(state(&noisy(30.0), Amount::Absolute(10.0)), RuleState::Broken);
        assert_eq!(state(&noisy(0.0), Amount::Absolute(10.0)), RuleState::Held);
        assert_eq!(state(&noisy(10.0), Amount::Absolute(10.0)), RuleState::Open);
        assert_eq!(state(&noisy(30.0), Amount::Relative(0.2)), RuleState::Broken);
        assert_eq!(state(&noisy(0.0), Amount::Relative(0.2)), RuleState::Held);
    }

    #[test]
    fn a_quantile_needs_enough_values() {
        let slow =
            |n: usize| paired(Measure::LatencyP95, (0..n).map(|i| (100.0 + (i % 50) as f64, 900.0 + (i % 50) as f64)));
        assert_eq!(state(&slow(400), Amount::Time(200.0)), RuleState::Broken);
        assert_eq!(state(&slow(60), Amount::Time(200.0)), RuleState::Open);
        assert_eq!(state(&slow(400), Amount::Time(2_000.0)), RuleState::Held);
    }

    #[test]
    fn a_handful_of_refusals_proves_nothing() {
        let refusals = |new: usize| paired(Measure::Refusals, (0..500).map(|i| (0.0, if i < new { 1.0 } else { 0.0 })));
        assert_eq!(state(&refusals(5), Amount::Absolute(0.0)), RuleState::Open);
        assert_eq!(state(&refusals(12), Amount::Absolute(0.0)), RuleState::Broken);
        assert_eq!(state(&refusals(12), Amount::Absolute(0.05)), RuleState::Held);
    }

    #[test]
    fn an_unchanged_system_breaks_no_rail() {
        let alpha = Alpha::new(0.05).unwrap();
        for (measure, amount) in
            [(Measure::LatencyP95, Amount::Relative(0.0)), (Measure::OutputLength, Amount::Relative(0.0))]
        {
            let mut rng = stream(9, 0);
            let broken = (0..400)
                .filter(|_| {
                    let mut draw = || -(1.0 - uniform(&mut rng)).ln() * 100.0;
                    let pairs: Vec<(f64, f64)> = (0..300).map(|_| (draw(), draw())).collect();
                    test(&paired(measure, pairs), &rail(amount), alpha).state == RuleState::Broken
                })
                .count();
            println!("{}: {broken} of 400 unchanged runs break a rail without any slack", measure.name());
            // 5 % of 400 and two standard errors.
            assert!(broken <= 29, "{broken}");
        }
    }
}
