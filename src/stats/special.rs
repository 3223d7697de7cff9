//! Distribution functions, through `statrs` and `libm`, guarded where those are known to be wrong or to panic.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, Normal, StudentsT};
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

/// Student's t distribution function with `df` degrees of freedom.
#[must_use]
pub fn t_cdf(t: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |dist| dist.cdf(t))
}

/// Two-sided p of a t statistic: P(|T| ≥ |t|).
#[must_use]
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    let x = df / t.mul_add(t, df);
    beta_cdf(x, 0.5 * df, 0.5)
}

/// The t quantile, solved by bisection on the incomplete beta function and finished by secant steps.
#[must_use]
pub fn t_quantile(p: f64, df: f64) -> f64 {
    if df > 1e8 {
        return normal_quantile(p);
    }
    let upper = p.max(1.0 - p);
    let tail = 2.0 * (1.0 - upper);
    let (mut low, mut high) = (0.0_f64, 2.0_f64);
    while t_two_sided(high, df) > tail && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if t_two_sided(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
        if (high - low) <= 1e-15 * high {
            break;
        }
    }
    let t = 0.5 * (low + high);
    if p < 0.5 { -t } else { t }
}

/// The regularised incomplete beta function I_x(a, b): the Beta(a, b) distribution function.
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
    let start = Beta::new(a, b).map_or(0.5, |_| a / (a + b));
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
    fn beta_survives_extreme_shapes() {
        assert!((beta_cdf(0.5, 1e6, 1e6) - 0.5).abs() < 1e-9);
        assert!(beta_quantile(1e-60, 0.5, 0.5) > 0.0);
        assert!((beta_quantile(0.975, 1.0, 1.0) - 0.975).abs() < 1e-12);
    }

    #[test]
    fn binomial_tail_is_exact_for_small_n() {
        assert!((binomial_half_cdf(1, 8) - 9.0 / 256.0).abs() < 1e-15);
        assert!((binomial_half_cdf(4, 8) - 163.0 / 256.0).abs() < 1e-14);
    }
}
