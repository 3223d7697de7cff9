//! The noncentral t distribution, on which the power of t tests rests.

use super::error::{Result, StatError, all_finite};
use super::special::{normal_cdf, normal_sf};

/// Terms below e^−45 of the largest weight add nothing to a sum in double precision.
const NEGLIGIBLE_LOG_WEIGHT: f64 = -45.0;

/// Beyond this noncentrality the grid would need too many points.
const LARGEST_NONCENTRALITY: f64 = 1e4;

/// P(T ≤ t) for T = (Z + noncentrality) / √(χ²(df)/df).
///
/// The expectation of Φ(t·S − noncentrality) over the scale S = √(χ²(df)/df), by the trapezoidal rule in ln S. The
/// integrand is analytic and dies out doubly exponentially on the right and exponentially on the left, so the rule
/// converges faster than any power of the step: the absolute error stays below 1e−13. The weights are normalised
/// by their own sum, so no gamma function of a large argument is subtracted from another.
///
/// ```
/// use evalgauge::stats::noncentral_t::noncentral_t_cdf;
/// // With noncentrality 0 it is Student's t, whose 0.975 quantile for 11 degrees of freedom is 2.200985.
/// assert!((noncentral_t_cdf(2.200_985_160_082_949, 11.0, 0.0)? - 0.975).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::OutOfRange`] unless `t` is finite, `df` finite and at least 1, and the noncentrality within ±10⁴.
pub fn noncentral_t_cdf(t: f64, df: f64, noncentrality: f64) -> Result<f64> {
    expectation(t, df, noncentrality, |scale| normal_cdf(t * scale - noncentrality))
}

/// P(T > t), the upper tail of [`noncentral_t_cdf`] with its own digits where it is small.
///
/// # Errors
/// As [`noncentral_t_cdf`].
pub fn noncentral_t_sf(t: f64, df: f64, noncentrality: f64) -> Result<f64> {
    expectation(t, df, noncentrality, |scale| normal_sf(t * scale - noncentrality))
}

/// Mean of `tail(S)` over S = √(χ²(df)/df).
fn expectation(t: f64, df: f64, noncentrality: f64, tail: impl Fn(f64) -> f64) -> Result<f64> {
    all_finite("t", &[t])?;
    if !(df >= 1.0 && df.is_finite()) {
        return Err(StatError::OutOfRange { what: "degrees of freedom", value: df, range: "[1, inf)" });
    }
    if !(-LARGEST_NONCENTRALITY..=LARGEST_NONCENTRALITY).contains(&noncentrality) {
        return Err(StatError::OutOfRange { what: "noncentrality", value: noncentrality, range: "[-10000, 10000]" });
    }
    // In u = ln S the density has width 1/√(2·df), and Φ(t·e^u − δ) bends within 1/max(1, |δ|) where it bends at all.
    // Half of their harmonic combination leaves a truncation error of e^−79; the cap serves the long tail of small df.
    let bend = noncentrality.abs().max(1.0);
    let step = (0.5 / libm::sqrt(2.0 * df + bend * bend)).min(0.1);
    let log_weight = |u: f64| df * (u - 0.5 * libm::expm1(2.0 * u));
    let (mut weights, mut sum) = (1.0, tail(1.0));
    for direction in [-1.0, 1.0] {
        for index in 1_u32.. {
            let u = direction * step * f64::from(index);
            let log_weight = log_weight(u);
            if log_weight < NEGLIGIBLE_LOG_WEIGHT {
                break;
            }
            let weight = libm::exp(log_weight);
            weights += weight;
            sum += weight * tail(libm::exp(u));
        }
    }
    Ok((sum / weights).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_forty_digit_quadrature() {
        let cases = [
            (2.0, 5.0, 1.0, 0.778_074_662_616_214_9),
            (12.706_204_736_174_7, 1.0, 3.0, 0.813_891_925_753_714_8),
            (2.2, 11.0, 0.0, 0.974_956_944_509_097_9),
            (-1.0, 3.0, 2.0, 0.003_005_247_595_398_506),
            (1.98, 99.0, 2.0, 0.490_114_223_872_456_6),
            (50.0, 20.0, 45.0, 0.702_749_900_022_087_7),
            (0.0, 7.0, 1.5, 0.066_807_201_268_858_07),
            (1.9, 1.5, -0.5, 0.943_545_490_027_053),
            (60.0, 1000.0, 60.0, 0.495_657_427_888_467_2),
            (3.0, 1.0, 300.0, 0.0),
            (1000.0, 2.0, 1000.0, 0.367_879_809_049_963_8),
            (200.0, 10.0, 150.0, 0.845_658_093_690_270_8),
            (4.6, 2.3, 0.7, 0.953_451_337_282_337),
            (2.0, 1e6, 3.0, 0.158_655_374_916_562_2),
        ];
        for (t, df, noncentrality, expected) in cases {
            let cdf = noncentral_t_cdf(t, df, noncentrality).unwrap();
            assert!((cdf - expected).abs() < 1e-13, "{t} {df} {noncentrality}: {cdf} {expected}");
            let sf = noncentral_t_sf(t, df, noncentrality).unwrap();
            assert!((sf + cdf - 1.0).abs() < 1e-13, "{t} {df} {noncentrality}: {sf}");
        }
    }

    #[test]
    fn small_tails_keep_their_digits() {
        let tail = noncentral_t_cdf(-2.0, 30.0, 4.0).unwrap();
        assert!((tail / 3.199_143_569_535_17e-9 - 1.0).abs() < 1e-10, "{tail}");
    }

    #[test]
    fn one_degree_of_freedom_without_shift_is_cauchy() {
        for t in [-30.0, -1.0, 0.0, 0.3, 5.0, 1e6] {
            let cauchy = 0.5 + f64::atan(t) / std::f64::consts::PI;
            assert!((noncentral_t_cdf(t, 1.0, 0.0).unwrap() - cauchy).abs() < 1e-13, "{t}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        assert!(noncentral_t_cdf(f64::NAN, 5.0, 1.0).is_err());
        assert!(noncentral_t_cdf(1.0, 0.5, 1.0).is_err());
        assert!(noncentral_t_cdf(1.0, f64::INFINITY, 1.0).is_err());
        assert!(noncentral_t_cdf(1.0, f64::NAN, 1.0).is_err());
        assert!(noncentral_t_sf(1.0, 5.0, 1e5).is_err());
        assert!(noncentral_t_sf(1.0, 5.0, f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn mirrored_and_monotone(t in -20.0..20.0, df in 1.0..500.0, noncentrality in -20.0..20.0) {
            let cdf = noncentral_t_cdf(t, df, noncentrality).unwrap();
            prop_assert!((cdf - noncentral_t_sf(-t, df, -noncentrality).unwrap()).abs() < 1e-13);
            prop_assert!(noncentral_t_cdf(t + 0.5, df, noncentrality).unwrap() >= cdf - 1e-14);
            prop_assert!(noncentral_t_cdf(t, df, noncentrality + 0.5).unwrap() <= cdf + 1e-14);
        }
    }
}
