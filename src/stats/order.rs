//! Order, ranks and quantiles.

/// Positions of the values in ascending order; equal values keep theirs.
pub(super) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

/// Mid-ranks from 1 of `values`, in their order, and Σ(t³ − t) over groups of t equal values.
pub(super) fn mid_ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut ranks = vec![0.0; values.len()];
    let (mut ties, mut done) = (0.0, 0.0);
    for group in ascending(values).chunk_by(|&a, &b| values[a] == values[b]) {
        let size = group.len() as f64;
        for &index in group {
            ranks[index] = done + 0.5 * (size + 1.0);
        }
        ties += size * size * size - size;
        done += size;
    }
    (ranks, ties)
}

/// The quantile of type 7 (linear between order statistics, as in R and NumPy) of ascending values, at a level clamped
/// to `[0, 1]`. `sorted` must not be empty.
pub(super) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let last = sorted.len() - 1;
    let at = level.clamp(0.0, 1.0) * last as f64;
    let below = (libm::floor(at) as usize).min(last);
    let above = (below + 1).min(last);
    (at - below as f64).mul_add(sorted[above] - sorted[below], sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_mean_rank() {
        let (ranks, ties) = mid_ranks(&[3.0, -0.0, 3.0, 0.0, 7.0, 3.0]);
        assert_eq!(ranks, [4.0, 1.5, 4.0, 1.5, 6.0, 4.0]);
        assert_eq!(ties, 30.0);
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0, 7.0].map(|level| quantile(&values, level)), [1.0, 1.75, 2.5, 4.0, 4.0]);
        assert!((quantile(&values, 0.9) - 3.7).abs() < 1e-15);
        assert_eq!(quantile(&[8.0], 0.3), 8.0);
    }
}
