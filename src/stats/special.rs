//! Distribution functions, through `statrs` and `libm`, guarded where those are known to be wrong or to panic.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

/// Above this shape parameter the incomplete beta function of `statrs` loses its accuracy (0.491 for 0.5 at 1e6), so a
/// normal approximation with Wilson–Hilferty-like accuracy takes over.
const BETA_SHAPE_LIMIT: f64 = 5e4;

/// The standard normal distribution function Φ(z).
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The upper tail 1 − Φ(z), exact far out where `1.0 - normal_cdf(z)` would be 0.
#[must_use]
pub fn normal_sf(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal quantile Φ⁻¹(p); −∞ at 0, +∞ at 1.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let z = Normal::standard().inverse_cdf(p);
    // One Newton step against our own Φ makes the pair consistent to the last digits, on the tail where p is small.
    let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * std::f64::consts::PI);
    let residual = if p < 0.5 { normal_cdf(z) - p } else { (1.0 - p) - normal_sf(z) };
    if density > 1e-300 { z - residual / density } else { z }
}

/// Above these degrees of freedom t is brought to a normal deviate; below, the incomplete beta function has all digits.
const NORMAL_SCALE_DF: f64 = 2e4;

/// Student's t distribution function with `df` degrees of freedom.
#[must_use]
pub fn t_cdf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * t_two_sided(t, df);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// Two-sided p of a t statistic: P(|T| ≥ |t|).
///
/// Up to 20,000 degrees of freedom through the incomplete beta function; above through the normal deviate
/// `w + (w³ + 3w)/b − (4w⁷ + 33w⁵ + 240w³ + 855w)/(10b²)` with `w² = a ln(1 + t²/df)`, `a = df − ½`, `b = 48a²`
/// (Hill 1970), whose error is below 10⁻¹² there.
#[must_use]
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    let square = t * t;
    if df > NORMAL_SCALE_DF {
        let a = df - 0.5;
        let b = 48.0 * a * a;
        let w2 = a * libm::log1p(square / df);
        let first = (w2 + 3.0) / b;
        let second = (((4.0 * w2 + 33.0) * w2 + 240.0) * w2 + 855.0) / (10.0 * b * b);
        return 2.0 * normal_sf(libm::sqrt(w2) * (1.0 + first - second));
    }
    if square < 1.0 {
        // The complement keeps the digits of a small t.
        1.0 - beta_cdf(square / (square + df), 0.5, 0.5 * df)
    } else {
        beta_cdf(df / (square + df), 0.5 * df, 0.5)
    }
}

/// The t quantile; −∞ at 0, +∞ at 1. For an upper critical value of a small level negate the lower quantile: `1 − p`
/// has lost the digits of a small `p`.
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if p > 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    if df > NORMAL_SCALE_DF {
        return t_quantile_near_normal(normal_quantile(p), df);
    }
    // Of the tail and the middle, the smaller probability keeps more digits.
    let beyond = |t: f64| {
        let square = t * t;
        if p < 0.25 {
            t_two_sided(t, df) > 2.0 * p
        } else {
            beta_cdf(square / (square + df), 0.5, 0.5 * df) < 1.0 - 2.0 * p
        }
    };
    let (mut low, mut high) = (0.0_f64, 2.0_f64);
    while beyond(high) && high < 1e150 {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high || high - low <= 1e-15 * high {
            return -middle;
        }
        if beyond(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The inverse of the normal deviate in [`t_two_sided`], to the same order.
fn t_quantile_near_normal(z: f64, df: f64) -> f64 {
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let z2 = z * z;
    let first = (z2 + 3.0) / b;
    let second = (((4.0 * z2 + 63.0) * z2 + 360.0) * z2 + 945.0) / (10.0 * b * b);
    let w = z * (1.0 - first + second);
    libm::sqrt(df * libm::expm1(w * w / a)).copysign(z)
}

/// `1 / (1 + e^−x)` without overflow.
#[must_use]
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// `ln(1 + e^x)` without overflow.
#[must_use]
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// The regularised incomplete beta function `I_x(a, b)`: the Beta(a, b) distribution function.
#[must_use]
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if a > BETA_SHAPE_LIMIT && b > BETA_SHAPE_LIMIT {
        // Peizer–Pratt-style cube-root approximation (Abramowitz & Stegun 26.5.22).
        let w1 = libm::cbrt(b * x);
        let w2 = libm::cbrt(a * (1.0 - x));
        let (va, vb) = (1.0 / (9.0 * a), 1.0 / (9.0 * b));
        let z = 3.0 * (w1 * (1.0 - vb) - w2 * (1.0 - va)) / libm::sqrt(w1 * w1 / b + w2 * w2 / a);
        return normal_cdf(z);
    }
    beta_reg(a, b, x)
}

/// The Beta(a, b) quantile by bisection on [`beta_cdf`], which never panics whatever the shape.
#[must_use]
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let start = a / (a + b);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut middle = start;
    for _ in 0..1100 {
        if beta_cdf(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= 1e-16 * high {
            break;
        }
        // Halving the exponent first reaches quantiles like 1e-200 as quickly as 0.5.
        middle = if low == 0.0 && high < 0.1 { high * 1e-3 } else { 0.5 * (low + high) };
        if middle <= low || middle >= high {
            break;
        }
    }
    0.5 * (low + high)
}

/// Upper tail of χ² with `df` degrees of freedom.
#[must_use]
pub fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if (df - 1.0).abs() < f64::EPSILON {
        return libm::erfc(libm::sqrt(0.5 * x));
    }
    ChiSquared::new(df).map_or(f64::NAN, |dist| dist.sf(x))
}

/// ln C(n, k).
#[must_use]
pub fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

/// P(X = k) for X ~ Binomial(n, 1/2).
#[must_use]
pub fn binomial_half_pmf(k: u64, n: u64) -> f64 {
    if k > n {
        return 0.0;
    }
    libm::exp((-(n as f64)).mul_add(std::f64::consts::LN_2, ln_choose(n as f64, k as f64)))
}

/// P(X ≤ k) for X ~ Binomial(n, 1/2), summed from the small end so that tiny tails keep their digits.
#[must_use]
pub fn binomial_half_cdf(k: u64, n: u64) -> f64 {
    if k >= n {
        return 1.0;
    }
    if 2 * k + 1 > n {
        return 1.0 - binomial_half_cdf(n - k - 1, n);
    }
    let mut term = binomial_half_pmf(k, n);
    let mut sum = term;
    // Ratio of neighbours going down: P(k-1)/P(k) = k / (n - k + 1) < 1 on this side.
    let mut j = k;
    while j > 0 && term > sum * 1e-18 {
        term *= j as f64 / (n - j + 1) as f64;
        sum += term;
        j -= 1;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantile_inverts_the_distribution_function() {
        for p in [1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.975, 1.0 - 1e-9] {
            let z = normal_quantile(p);
            assert!((normal_cdf(z) - p).abs() <= 1e-14 + 1e-10 * p, "{p} {z}");
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-13);
    }

    #[test]
    fn t_quantile_matches_tables() {
        assert!((t_quantile(0.975, 11.0) - 2.200_985_160_082_949).abs() < 1e-9);
        assert!((t_quantile(0.05, 5.0) + 2.015_048_372_669_157).abs() < 1e-9);
    }

    #[test]
    fn t_tails_match_thirty_digit_quadrature() {
        let cases = [
            (0.001, 1.0, 0.999_363_380_439_838_9),
            (0.5, 1.0, 0.704_832_764_699_133_5),
            (2.0, 1.0, 0.295_167_235_300_866_5),
            (6.0, 1.0, 0.105_136_913_422_506_86),
            (30.0, 1.0, 0.021_212_804_811_070_848),
            (0.001, 3.0, 0.999_264_894_969_460_9),
            (0.5, 3.0, 0.651_447_964_848_151),
            (2.0, 3.0, 0.139_325_968_558_843_2),
            (6.0, 3.0, 0.009_272_714_892_284_668),
            (30.0, 3.0, 8.135_280_427_163_959e-5),
            (0.001, 5.5, 0.999_237_387_119_349_3),
            (0.5, 5.5, 0.636_440_348_715_413_1),
            (2.0, 5.5, 0.096_754_390_231_185),
            (6.0, 5.5, 0.001_320_782_733_533_626_6),
            (30.0, 5.5, 2.616_053_753_009_35e-7),
            (0.001, 30.0, 0.999_208_735_766_485_1),
            (0.5, 30.0, 0.620_723_004_885_127_3),
            (2.0, 30.0, 0.054_625_044_962_983_1),
            (6.0, 30.0, 1.394_276_876_720_474_3e-6),
            (30.0, 30.0, 6.251_791_630_608_888e-24),
            (0.001, 300.0, 0.999_202_780_198_114_1),
            (0.5, 300.0, 0.617_441_622_554_225_2),
            (2.0, 300.0, 0.046_401_520_983_149_09),
            (6.0, 300.0, 5.676_439_092_359_153e-9),
            (30.0, 300.0, 2.606_214_420_069_845_3e-92),
            (0.001, 19_999.0, 0.999_202_125_546_176_3),
            (0.5, 19_999.0, 0.617_080_578_705_216_3),
            (2.0, 19_999.0, 0.045_513_762_633_452_82),
            (6.0, 19_999.0, 2.007_147_352_237_289_5e-9),
            (30.0, 19_999.0, 1.867_212_166_718_101_2e-193),
            (0.001, 20_001.0, 0.999_202_125_545_178_8),
            (0.5, 20_001.0, 0.617_080_578_155_122_7),
            (2.0, 20_001.0, 0.045_513_761_283_614_555),
            (6.0, 20_001.0, 2.007_143_930_180_339e-9),
            (30.0, 20_001.0, 1.865_426_404_752_490_7e-193),
            (0.001, 1e6, 0.999_202_115_771_649_1),
            (0.5, 1e6, 0.617_075_187_472_371_4),
            (2.0, 1e6, 0.045_500_533_851_319_205),
            (6.0, 1e6, 1.973_849_812_354_434_7e-9),
            (30.0, 1e6, 1.202_009_423_359_915_6e-197),
            (0.001, 1e12, 0.999_202_115_572_178_1),
            (0.5, 1e12, 0.617_075_077_452_083_8),
            (2.0, 1e12, 0.045_500_263_896_628_37),
            (6.0, 1e12, 1.973_175_290_749_819_3e-9),
            (30.0, 1e12, 9.813_429_845_876_364e-198),
        ];
        for (t, df, expected) in cases {
            let p = t_two_sided(t, df);
            assert!((p / expected - 1.0).abs() < 1e-10, "{t} {df}: {p} {expected}");
            // A quantile carries the relative error of p times the slope of ln p, which is about 1/t² far out.
            let quantile = -t_quantile(0.5 * expected, df);
            let tolerance = if t < 0.01 { 1e-9 } else { 1e-10 };
            assert!((quantile / t - 1.0).abs() < tolerance, "{t} {df}: {quantile}");
        }
    }

    #[test]
    fn t_has_no_step_where_the_method_changes() {
        for t in [0.01, 1.0, 3.0, 20.0] {
            let (below, above) = (t_two_sided(t, NORMAL_SCALE_DF), t_two_sided(t, NORMAL_SCALE_DF.next_up()));
            assert!((below / above - 1.0).abs() < 1e-10, "{t}: {below} {above}");
        }
        for p in [1e-200, 1e-9, 0.025, 0.4999] {
            let (below, above) = (t_quantile(p, NORMAL_SCALE_DF), t_quantile(p, NORMAL_SCALE_DF.next_up()));
            assert!((below / above - 1.0).abs() < 1e-10, "{p}: {below} {above}");
        }
    }

    #[test]
    fn t_quantiles_at_the_ends_and_in_the_middle() {
        assert_eq!(
            [t_quantile(0.0, 7.0), t_quantile(0.5, 7.0), t_quantile(1.0, 7.0)],
            [f64::NEG_INFINITY, 0.0, f64::INFINITY]
        );
        // One degree of freedom is Cauchy: a tail of 1e-100 lies at 1e100/π.
        assert!((t_quantile(1e-100, 1.0) * std::f64::consts::PI / -1e100 - 1.0).abs() < 1e-10);
        assert_eq!(t_quantile(0.75, 9.0), -t_quantile(0.25, 9.0));
        assert!((t_cdf(1.0, 1.0) - 0.75).abs() < 1e-14 && (t_cdf(-1.0, 1.0) - 0.25).abs() < 1e-14);
    }

    #[test]
    fn beta_survives_extreme_shapes() {
        assert!((beta_cdf(0.5, 1e6, 1e6) - 0.5).abs() < 1e-9);
        assert!(beta_quantile(1e-60, 0.5, 0.5) > 0.0);
        assert!((beta_quantile(0.975, 1.0, 1.0) - 0.975).abs() < 1e-12);
    }

    #[test]
    fn binomial_tail_is_exact_for_small_n() {
        assert!((binomial_half_cdf(1, 8) - 9.0 / 256.0).abs() < 1e-14);
        assert!((binomial_half_cdf(4, 8) - 163.0 / 256.0).abs() < 1e-14);
    }
}
