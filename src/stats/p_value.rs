//! The range of p-values.

/// `p` inside (0, 1]: a tail too small for a double is reported as the smallest positive one, never as 0.
pub(super) fn p_value(p: f64) -> f64 {
    p.clamp(f64::MIN_POSITIVE, 1.0)
}

/// The p-value `(hits + 1) / (draws + 1)` of a simulation in which `hits` of `draws` were as extreme as the data, which
/// count as one more draw.
pub(super) fn monte_carlo_p(hits: u64, draws: u64) -> f64 {
    (hits as f64 + 1.0) / (draws as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_p_value_is_zero_or_above_one() {
        assert_eq!([p_value(0.0), p_value(0.3), p_value(1.0 + 1e-15)], [f64::MIN_POSITIVE, 0.3, 1.0]);
        assert_eq!([monte_carlo_p(0, 99), monte_carlo_p(99, 99)], [0.01, 1.0]);
    }
}
