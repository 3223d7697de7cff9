//! Gauss–Legendre quadrature on panels.

use std::sync::LazyLock;

/// Nodes a panel.
pub(super) const NODES: usize = 16;

/// Nodes and weights of the rule on [−1, 1].
static RULE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(gauss_legendre);

/// Roots of the Legendre polynomial by Newton's method from Tricomi's approximation.
fn gauss_legendre() -> [(f64, f64); NODES] {
    let n = NODES as f64;
    std::array::from_fn(|i| {
        let mut x = libm::cos(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5));
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut last, mut value) = (1.0, x);
            for k in 1..NODES {
                let k = k as f64;
                (last, value) = (value, ((2.0 * k + 1.0) * x * value - k * last) / (k + 1.0));
            }
            slope = n * (x * value - last) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

/// The nodes and weights on `low..high`.
pub(super) fn nodes(low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> {
    let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
    RULE.iter().map(move |(node, weight)| (half.mul_add(*node, centre), half * weight))
}

/// The integral of `f` over `low..high` in one panel.
pub(super) fn integrate(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    nodes(low, high).map(|(x, weight)| weight * f(x)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_for_polynomials_up_to_degree_31() {
        let integral = integrate(0.0, 2.0, |x| libm::pow(x, 31.0));
        assert!((integral / libm::pow(2.0, 32.0) * 32.0 - 1.0).abs() < 1e-13);
        assert!((integrate(-1.0, 3.0, |_| 1.0) - 4.0).abs() < 1e-14);
    }
}
