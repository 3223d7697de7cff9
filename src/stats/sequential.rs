//! Looking at a test before all data are in: group-sequential boundaries, alpha spending, mixture likelihood ratios.

use super::error::{Result, StatError, all_finite, at_least, positive, same_length};
use super::interval::Alpha;
use super::p_value::p_value;
use super::quadrature;
use super::special::{normal_quantile, normal_sf};

/// Most looks for which boundaries are computed.
const MAX_LOOKS: usize = 100;
/// Boundaries end here: beyond, the normal tail is below the smallest double.
const MAX_Z: f64 = 37.0;
/// Beyond this many standard deviations nothing of the walk's distribution is left.
const REACH: f64 = 9.0;
/// Width of a panel in standard deviations of a step: 16 nodes integrate two bell curves on it to about 1e-16.
const PANEL: f64 = 3.0;

/// A stopping boundary for two-sided tests of a normal mean.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SequentialDesign {
    /// For each look the |z| from which on H0 is rejected.
    pub bounds: Vec<f64>,
    /// For each look the two-sided p-value of its bound.
    pub nominal_p: Vec<f64>,
    /// Probability, under H0, of having rejected at this look or before.
    pub cumulative_alpha: Vec<f64>,
}

impl SequentialDesign {
    fn new(bounds: Vec<f64>, cumulative_alpha: Vec<f64>) -> Self {
        let nominal_p = bounds.iter().map(|z| p_value(2.0 * normal_sf(*z))).collect();
        Self { bounds, nominal_p, cumulative_alpha }
    }
}

/// Pocock's (1977) boundary: the same bound at each of `looks` equally spaced looks.
///
/// The crossing probability is integrated numerically from look to look (Armitage et al. 1969).
///
/// ```
/// use evalgauge::stats::Alpha;
/// use evalgauge::stats::sequential::pocock;
/// let design = pocock(5, Alpha::FIVE_PERCENT)?; // 2.413 in Jennison & Turnbull (2000), table 2.1
/// assert!((design.bounds[0] - 2.413).abs() < 5e-4);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] unless there are 1 to 100 looks.
pub fn pocock(looks: usize, alpha: Alpha) -> Result<SequentialDesign> {
    scaled_boundary(looks, alpha, |_| 1.0)
}

/// O'Brien & Fleming's (1979) boundary `C √(K/k)` at look k of K equally spaced ones; the last bound is C.
///
/// ```
/// use evalgauge::stats::Alpha;
/// use evalgauge::stats::sequential::obrien_fleming;
/// let design = obrien_fleming(5, Alpha::FIVE_PERCENT)?; // 2.040 in Jennison & Turnbull (2000), table 2.3
/// assert!((design.bounds[4] - 2.040).abs() < 5e-4);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] unless there are 1 to 100 looks.
pub fn obrien_fleming(looks: usize, alpha: Alpha) -> Result<SequentialDesign> {
    scaled_boundary(looks, alpha, |fraction| 1.0 / libm::sqrt(fraction))
}

/// The boundary `C · shape(fraction)` with the C that spends exactly `alpha`.
fn scaled_boundary(looks: usize, alpha: Alpha, shape: impl Fn(f64) -> f64) -> Result<SequentialDesign> {
    check_looks(looks)?;
    let fractions: Vec<f64> = (1..=looks).map(|look| look as f64 / looks as f64).collect();
    let bounds = |constant: f64| fractions.iter().map(|t| (constant * shape(*t)).min(MAX_Z)).collect::<Vec<_>>();
    // One look alone needs z(α); dividing α by the number of looks is always enough.
    let low = alpha.two_sided_z();
    let high = -normal_quantile(alpha.get() / (2.0 * looks as f64));
    let spent = |constant: f64| crossing(&fractions, &bounds(constant)).iter().sum::<f64>();
    let constant = if looks == 1 { low } else { solve_decreasing(low, high, alpha.get(), spent) };
    let bounds = bounds(constant);
    let cumulative = cumulate(crossing(&fractions, &bounds));
    Ok(SequentialDesign::new(bounds, cumulative))
}

fn check_looks(looks: usize) -> Result<()> {
    if (1..=MAX_LOOKS).contains(&looks) {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what: "number of looks", value: looks as f64, range: "1 to 100" })
    }
}

fn cumulate(mut values: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for value in &mut values {
        sum += *value;
        *value = sum;
    }
    values
}

/// How fast the error rate is spent as information comes in (Lan 1983, Biometrika 70, 659).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// `2 (1 − Φ(z_{α/2} / √t))`: little at first, like O'Brien & Fleming's boundary.
    OBrienFleming,
    /// `α ln(1 + (e − 1) t)`: evenly, like Pocock's boundary.
    Pocock,
}

impl Spending {
    /// The error rate spent when the fraction `t` of the information is in.
    #[must_use]
    pub fn spent(self, t: f64, alpha: Alpha) -> f64 {
        if t <= 0.0 {
            return 0.0;
        }
        match self {
            Self::OBrienFleming => {
                let z = alpha.two_sided_z();
                2.0 * normal_sf(z / libm::sqrt(t.min(1.0)))
            }
            Self::Pocock => alpha.get() * libm::log1p((std::f64::consts::E - 1.0) * t.min(1.0)),
        }
    }
}

/// The boundary that spends `alpha` by `spending` at looks with these fractions of the information.
///
/// Looks need not be equally spaced or planned in number; each bound depends on the looks before it only.
///
/// # Errors
/// [`StatError::OutOfRange`] unless there are 1 to 100 fractions, ascending in (0, 1].
pub fn alpha_spending(spending: Spending, fractions: &[f64], alpha: Alpha) -> Result<SequentialDesign> {
    check_looks(fractions.len())?;
    let mut before = 0.0;
    for &t in fractions {
        if !(t > before && t <= 1.0) {
            return Err(StatError::OutOfRange { what: "information fraction", value: t, range: "ascending in (0, 1]" });
        }
        before = t;
    }
    let mut walk = Walk::start();
    let (mut bounds, mut crossed, mut spent) = (Vec::new(), Vec::new(), 0.0);
    for (look, &t) in fractions.iter().enumerate() {
        let target = spending.spent(t, alpha);
        let bound = solve_decreasing(0.0, MAX_Z, target - spent, |z| walk.crossing(t, z));
        crossed.push(walk.crossing(t, bound));
        walk.advance(t, bound, fractions.get(look + 1).copied());
        bounds.push(bound);
        spent = target;
    }
    Ok(SequentialDesign::new(bounds, cumulate(crossed)))
}

/// Where the decreasing `f` falls to `target`: the Illinois variant of false position on the logarithm of `f`.
fn solve_decreasing(mut low: f64, mut high: f64, target: f64, f: impl Fn(f64) -> f64) -> f64 {
    let excess = |x: f64| libm::log(f(x).max(f64::MIN_POSITIVE)) - libm::log(target.max(f64::MIN_POSITIVE));
    let (mut at_low, mut at_high) = (excess(low), excess(high));
    if at_low <= 0.0 {
        return low;
    }
    if at_high >= 0.0 {
        return high;
    }
    for step in 0..200 {
        let secant = (low * at_high - high * at_low) / (at_high - at_low);
        // Now and then a bisection, against slow one-sided convergence.
        let x = if step % 4 == 3 || !(low < secant && secant < high) { 0.5 * (low + high) } else { secant };
        let value = excess(x);
        if value == 0.0 || high - low < 1e-13 * high {
            return x;
        }
        if value > 0.0 {
            (low, at_low) = (x, value);
            at_high *= 0.5;
        } else {
            (high, at_high) = (x, value);
            at_low *= 0.5;
        }
    }
    0.5 * (low + high)
}

/// Probability under H0 of crossing ± the bound first at each look.
fn crossing(fractions: &[f64], bounds: &[f64]) -> Vec<f64> {
    let mut walk = Walk::start();
    let mut crossed = Vec::with_capacity(bounds.len());
    for (look, (&t, &bound)) in fractions.iter().zip(bounds).enumerate() {
        crossed.push(walk.crossing(t, bound));
        walk.advance(t, bound, fractions.get(look + 1).copied());
    }
    crossed
}

/// The part of Brownian motion that has not crossed yet, at the time of the last look.
struct Walk {
    time: f64,
    /// Positions above 0 and the probability there, quadrature weight included; the other half is the mirror image.
    nodes: Vec<(f64, f64)>,
}

impl Walk {
    fn start() -> Self {
        Self { time: 0.0, nodes: vec![(0.0, 0.5)] }
    }

    /// Probability of being outside ± `z` standard deviations at time `t`.
    fn crossing(&self, t: f64, z: f64) -> f64 {
        let (bound, sigma) = (z * libm::sqrt(t), libm::sqrt(t - self.time));
        let outside = |x: f64| normal_sf((bound - x) / sigma) + normal_sf((bound + x) / sigma);
        2.0 * self.nodes.iter().map(|(x, weight)| weight * outside(*x)).sum::<f64>()
    }

    /// Moves on to time `t`, dropping what is outside ± `z` standard deviations; `next` is the time of the next look.
    fn advance(&mut self, t: f64, z: f64, next: Option<f64>) {
        let sigma = libm::sqrt(t - self.time);
        // Panels must resolve both the density, smooth at the scale of this step, and the kernel of the next one.
        let scale = next.map_or(sigma, |next| sigma.min(libm::sqrt(next - t)));
        let bound = z.min(REACH) * libm::sqrt(t);
        let panels = (bound / (PANEL * scale)).ceil().max(1.0) as usize;
        let width = bound / panels as f64;
        let norm = 1.0 / (sigma * libm::sqrt(2.0 * std::f64::consts::PI));
        let kernel = |distance: f64| {
            let steps = distance / sigma;
            if steps.abs() > REACH { 0.0 } else { libm::exp(-0.5 * steps * steps) }
        };
        let mut nodes = Vec::with_capacity(panels * quadrature::NODES);
        for panel in 0..panels {
            let start = panel as f64 * width;
            for (y, weight) in quadrature::nodes(start, start + width) {
                let density: f64 = self.nodes.iter().map(|(x, w)| w * (kernel(y - x) + kernel(y + x))).sum();
                nodes.push((y, weight * norm * density));
            }
        }
        self.nodes = nodes;
        self.time = t;
    }
}

/// One look at a mixture sequential probability ratio test.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MsprtLook {
    /// Pairs seen.
    pub n: usize,
    /// Mean of the second side minus mean of the first.
    pub difference: f64,
    /// Natural logarithm of the mixture likelihood ratio against a difference of 0.
    pub log_likelihood_ratio: f64,
    /// Always-valid p-value: the smallest `1 / ratio` so far, at most 1.
    pub p: f64,
    /// Half-width of the always-valid interval around `difference`.
    pub half_width: f64,
}

impl MsprtLook {
    /// The mixture likelihood ratio; values too large for a double are reported as the largest.
    #[must_use]
    pub fn likelihood_ratio(&self) -> f64 {
        libm::exp(self.log_likelihood_ratio).min(f64::MAX)
    }

    /// `1 / ratio`, at most 1, of this look alone: not valid when looked at repeatedly.
    #[must_use]
    pub fn instant_p(&self) -> f64 {
        p_value(libm::exp(-self.log_likelihood_ratio))
    }
}

/// Mixture SPRT (Robbins 1970; Johari et al. 2017) of pairs (xᵢ, yᵢ) with known variance, after each pair.
///
/// H0: equal means. `variance` is that of one observation, so a pair's difference has `V = 2·variance`; under the
/// alternative the difference of means is mixed over N(0, `tau_squared`):
/// `L = √(V/(V + nτ²)) · exp(n²τ²d²/(2V(V + nτ²)))`. The p-values and intervals hold at all looks together.
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] for no pairs, [`StatError::OutOfRange`] for values that are not finite
/// or variances that are not positive.
pub fn msprt_normal(x: &[f64], y: &[f64], variance: f64, tau_squared: f64, alpha: Alpha) -> Result<Vec<MsprtLook>> {
    positive("variance", variance)?;
    msprt(x, y, tau_squared, alpha, |_, _| 2.0 * variance)
}

/// [`msprt_normal`] for 0/1 outcomes, with the plug-in variance `V = p̂x(1 − p̂x) + p̂y(1 − p̂y)` at each look.
///
/// Approximate for small n. While neither side has varied, V is 0 and the ratio is taken as 1: no evidence yet.
///
/// # Errors
/// As [`msprt_normal`]; [`StatError::OutOfRange`] for outcomes other than 0 and 1.
pub fn msprt_bernoulli(x: &[f64], y: &[f64], tau_squared: f64, alpha: Alpha) -> Result<Vec<MsprtLook>> {
    if let Some(&value) = x.iter().chain(y).find(|value| **value != 0.0 && **value != 1.0) {
        return Err(StatError::OutOfRange { what: "outcome", value, range: "{0, 1}" });
    }
    msprt(x, y, tau_squared, alpha, |px, py| px * (1.0 - px) + py * (1.0 - py))
}

/// The looks after each pair; `variance` gives V from the two means so far.
fn msprt(
    x: &[f64],
    y: &[f64],
    tau_squared: f64,
    alpha: Alpha,
    variance: impl Fn(f64, f64) -> f64,
) -> Result<Vec<MsprtLook>> {
    same_length("pairs", x.len(), y.len())?;
    at_least("pairs", 1, x.len())?;
    all_finite("first of a pair", x)?;
    all_finite("second of a pair", y)?;
    positive("tau squared", tau_squared)?;
    let (mut sum_x, mut sum_y, mut p) = (0.0, 0.0, 1.0_f64);
    let look = |(index, (a, b)): (usize, (&f64, &f64))| {
        sum_x += a;
        sum_y += b;
        let n = (index + 1) as f64;
        let difference = (sum_y - sum_x) / n;
        let v = variance(sum_x / n, sum_y / n);
        let inflated = v + n * tau_squared;
        let (log_likelihood_ratio, half_width) = if v > 0.0 {
            let shrink = libm::log(v / inflated);
            let exponent = n * n * tau_squared * difference * difference / (2.0 * v * inflated);
            let spread = v * inflated / (n * n * tau_squared);
            (0.5 * shrink + exponent, libm::sqrt(spread * (-2.0 * libm::log(alpha.get()) - shrink)))
        } else {
            // The widest a difference of two proportions can be off.
            (0.0, 2.0)
        };
        let mut look = MsprtLook { n: index + 1, difference, log_likelihood_ratio, p, half_width };
        p = p.min(look.instant_p());
        look.p = p;
        look
    };
    Ok(x.iter().zip(y).enumerate().map(look).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Jennison & Turnbull (2000), tables 2.1 and 2.3, α = 0.05.
    #[test]
    fn constants_as_published() {
        let published = [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (10, 2.555, 2.087)];
        for (looks, pocock_constant, obf_constant) in published {
            let bounds = pocock(looks, Alpha::FIVE_PERCENT).unwrap().bounds;
            assert!((bounds[looks - 1] - pocock_constant).abs() < 6e-4, "{looks} {bounds:?}");
            let bounds = obrien_fleming(looks, Alpha::FIVE_PERCENT).unwrap().bounds;
            assert!((bounds[looks - 1] - obf_constant).abs() < 6e-4, "{looks} {bounds:?}");
        }
    }

    #[test]
    fn one_look_is_an_ordinary_test() {
        for design in [
            pocock(1, Alpha::FIVE_PERCENT).unwrap(),
            obrien_fleming(1, Alpha::FIVE_PERCENT).unwrap(),
            alpha_spending(Spending::Pocock, &[1.0], Alpha::FIVE_PERCENT).unwrap(),
        ] {
            assert!((design.bounds[0] - 1.959_963_984_540_054).abs() < 1e-9);
            assert!((design.cumulative_alpha[0] - 0.05).abs() < 1e-9);
        }
    }

    #[test]
    fn spending_spends_what_it_says() {
        let fractions = [0.1, 0.15, 0.6, 0.61, 1.0];
        for spending in [Spending::OBrienFleming, Spending::Pocock] {
            let design = alpha_spending(spending, &fractions, Alpha::FIVE_PERCENT).unwrap();
            for (t, spent) in fractions.iter().zip(&design.cumulative_alpha) {
                assert!((spent - spending.spent(*t, Alpha::FIVE_PERCENT)).abs() < 1e-9, "{t}");
            }
            // The same boundary, integrated in one go.
            let crossed = cumulate(crossing(&fractions, &design.bounds));
            assert!((crossed[4] - 0.05).abs() < 1e-9);
        }
        assert_eq!(Spending::Pocock.spent(0.0, Alpha::FIVE_PERCENT), 0.0);
    }

    #[test]
    fn extreme_designs_stay_finite() {
        let alpha = Alpha::FIVE_PERCENT;
        let early = alpha_spending(Spending::OBrienFleming, &[1e-5, 1.0], alpha).unwrap();
        assert!(early.bounds[0] <= MAX_Z && early.nominal_p[0] > 0.0);
        assert!((early.bounds[1] - 1.96).abs() < 1e-3);
        assert!(pocock(0, alpha).is_err() && pocock(101, alpha).is_err());
        for fractions in [&[][..], &[0.0, 1.0], &[0.5, 0.5], &[0.5, 1.1], &[f64::NAN]] {
            assert!(alpha_spending(Spending::Pocock, fractions, alpha).is_err(), "{fractions:?}");
        }
    }

    #[test]
    fn mixture_ratio_by_hand() {
        // V = 2, n = 1, τ² = 2, d = 2: √(1/2) · exp(8/16).
        let look = msprt_normal(&[0.0], &[2.0], 1.0, 2.0, Alpha::FIVE_PERCENT).unwrap()[0];
        assert!((look.likelihood_ratio() - 0.5_f64.sqrt() * 0.5_f64.exp()).abs() < 1e-14);
        assert!((look.p - 1.0 / look.likelihood_ratio()).abs() < 1e-14);
    }

    #[test]
    fn degenerate_looks() {
        let looks = msprt_bernoulli(&[0.0, 0.0, 1.0], &[1.0, 1.0, 0.0], 0.01, Alpha::FIVE_PERCENT).unwrap();
        assert_eq!((looks[1].log_likelihood_ratio, looks[1].p), (0.0, 1.0));
        assert!(looks[2].half_width > 0.0);
        let strong = msprt_normal(&[0.0; 9], &[1e9; 9], 1.0, 1.0, Alpha::FIVE_PERCENT).unwrap()[8];
        assert!(strong.likelihood_ratio() == f64::MAX && strong.p > 0.0);
        assert!(msprt_bernoulli(&[0.5], &[1.0], 0.01, Alpha::FIVE_PERCENT).is_err());
        assert!(msprt_normal(&[], &[], 1.0, 1.0, Alpha::FIVE_PERCENT).is_err());
        assert!(msprt_normal(&[1.0], &[1.0, 2.0], 1.0, 1.0, Alpha::FIVE_PERCENT).is_err());
        assert!(msprt_normal(&[1.0], &[1.0], 0.0, 1.0, Alpha::FIVE_PERCENT).is_err());
        assert!(msprt_normal(&[1.0], &[1.0], 1.0, f64::NAN, Alpha::FIVE_PERCENT).is_err());
    }

    proptest! {
        #[test]
        fn p_falls_below_alpha_exactly_when_the_interval_excludes_zero(
            pairs in prop::collection::vec((-3.0_f64..3.0, -3.0_f64..4.0), 1..60),
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let looks = msprt_normal(&x, &y, 0.5, 0.3, Alpha::FIVE_PERCENT).unwrap();
            for look in &looks {
                let excludes = look.difference.abs() > look.half_width;
                prop_assume!((look.instant_p() - 0.05).abs() > 1e-9);
                prop_assert_eq!(excludes, look.instant_p() < 0.05);
            }
            prop_assert!(looks.windows(2).all(|pair| pair[1].p <= pair[0].p));
        }

        #[test]
        fn boundaries_of_any_alpha_spend_it(alpha in 0.001_f64..0.3, looks in 2_usize..7) {
            let alpha = Alpha::new(alpha).unwrap();
            for design in [pocock(looks, alpha).unwrap(), obrien_fleming(looks, alpha).unwrap()] {
                prop_assert!((design.cumulative_alpha[looks - 1] / alpha.get() - 1.0).abs() < 1e-9);
                prop_assert!(design.bounds.windows(2).all(|pair| pair[0] >= pair[1]));
            }
        }
    }
}
