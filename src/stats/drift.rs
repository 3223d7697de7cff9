//! Whether two distributions over the same categories, or two samples, have drifted apart.

use super::error::{Result, StatError, all_finite, at_least, finite_sample, same_length};
use super::p_value::p_value;
use super::special::chi_squared_sf;

/// What replaces an empty cell in [`population_stability_index`].
pub const PSI_EMPTY_CELL: f64 = 1e-4;

/// Shares of two sets of counts over the same categories.
fn shares(a: &[f64], b: &[f64]) -> Result<(Vec<f64>, Vec<f64>)> {
    same_length("categories", a.len(), b.len())?;
    at_least("categories", 1, a.len())?;
    let share = |counts: &[f64]| {
        all_finite("count", counts)?;
        if let Some(&value) = counts.iter().find(|count| **count < 0.0) {
            return Err(StatError::OutOfRange { what: "count", value, range: "[0, ∞)" });
        }
        let total: f64 = counts.iter().sum();
        if total <= 0.0 {
            return Err(StatError::TooFew { what: "counted items", needed: 1, got: 0 });
        }
        Ok(counts.iter().map(|count| count / total).collect())
    };
    Ok((share(a)?, share(b)?))
}

/// Population stability index `Σ (aᵢ − bᵢ) ln(aᵢ / bᵢ)` of the shares a and b of two sets of counts (natural
/// logarithm; symmetric). Shares of 0 are replaced by [`PSI_EMPTY_CELL`], the others left as they are.
///
/// Customary reading: below 0.1 stable, above 0.25 shifted.
///
/// ```
/// use evalgauge::stats::drift::population_stability_index;
/// let psi = population_stability_index(&[50.0, 50.0], &[90.0, 10.0])?;
/// assert!((psi - 0.878_889_830_934_488).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] for no category or a side without items, [`StatError::OutOfRange`] for
/// a count that is negative or not finite.
pub fn population_stability_index(a: &[f64], b: &[f64]) -> Result<f64> {
    let (a, b) = shares(a, b)?;
    let filled = |share: f64| if share == 0.0 { PSI_EMPTY_CELL } else { share };
    let term = |(p, q): (&f64, &f64)| {
        let (p, q) = (filled(*p), filled(*q));
        (p - q) * libm::log(p / q)
    };
    Ok(a.iter().zip(&b).map(term).sum())
}

/// Kullback–Leibler (1951) divergence `Σ pᵢ ln(pᵢ / qᵢ)` in nats of the shares of two sets of counts.
///
/// A category empty in p adds nothing. One that is empty in q only makes the divergence infinite: that is its value,
/// and the result is `f64::INFINITY` then.
///
/// # Errors
/// As [`population_stability_index`].
pub fn kl_divergence(p: &[f64], q: &[f64]) -> Result<f64> {
    let (p, q) = shares(p, q)?;
    Ok(relative_entropy(&p, &q))
}

fn relative_entropy(p: &[f64], q: &[f64]) -> f64 {
    let sum: f64 = p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * libm::log(p / q)).sum();
    sum.max(0.0)
}

/// Jensen–Shannon divergence (Lin 1991) in nats: the mean divergence of either side from their average; 0 to ln 2.
///
/// # Errors
/// As [`population_stability_index`].
pub fn js_divergence(a: &[f64], b: &[f64]) -> Result<f64> {
    let (a, b) = shares(a, b)?;
    let middle: Vec<f64> = a.iter().zip(&b).map(|(p, q)| 0.5 * (p + q)).collect();
    Ok(0.5 * (relative_entropy(&a, &middle) + relative_entropy(&b, &middle)))
}

/// Whether two sets of counts can come from one distribution.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Homogeneity {
    /// Pearson's χ².
    pub chi_squared: f64,
    /// Degrees of freedom: categories that occur, less one.
    pub df: u64,
    /// p-value of χ².
    pub p: f64,
    /// Likelihood-ratio statistic `2 Σ O ln(O / E)`.
    pub g: f64,
    /// p-value of G.
    pub g_p: f64,
    /// Cramér's V: `√(χ² / n)` for two rows.
    pub cramers_v: f64,
}

/// The table of two sets of counts with its expected counts, categories that never occur left out.
fn contingency(a: &[f64], b: &[f64]) -> Result<Vec<[(f64, f64); 2]>> {
    shares(a, b)?;
    let (total_a, total_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    let n = total_a + total_b;
    let cells: Vec<_> = a
        .iter()
        .zip(b)
        .filter(|(x, y)| **x + **y > 0.0)
        .map(|(x, y)| [(*x, (x + y) * total_a / n), (*y, (x + y) * total_b / n)])
        .collect();
    if cells.len() < 2 {
        return Err(StatError::Undefined("χ² test of a single category"));
    }
    Ok(cells)
}

/// Pearson's (1900) χ² and the G test of homogeneity of two sets of counts, without continuity correction.
///
/// Assumes independent items; the χ² approximation wants expected counts of about 5. Categories empty on both sides are
/// left out.
///
/// # Errors
/// As [`population_stability_index`]; [`StatError::Undefined`] when only one category occurs.
pub fn homogeneity(a: &[f64], b: &[f64]) -> Result<Homogeneity> {
    let cells = contingency(a, b)?;
    let (mut chi_squared, mut g, mut n) = (0.0, 0.0, 0.0);
    for &(observed, expected) in cells.iter().flatten() {
        chi_squared += (observed - expected) * (observed - expected) / expected;
        if observed > 0.0 {
            g += 2.0 * observed * libm::log(observed / expected);
        }
        n += observed;
    }
    let g = g.max(0.0);
    let df = cells.len() as u64 - 1;
    let tail = |statistic| p_value(chi_squared_sf(statistic, df as f64));
    Ok(Homogeneity {
        chi_squared,
        df,
        p: tail(chi_squared),
        g,
        g_p: tail(g),
        cramers_v: libm::sqrt(chi_squared / n).min(1.0),
    })
}

/// χ² of a 2 × 2 table with the correction of Yates (1934): each deviation is reduced by 1/2, at most to 0.
///
/// # Errors
/// As [`homogeneity`]; [`StatError::Lengths`] unless there are two categories.
pub fn yates_chi_squared(a: &[f64], b: &[f64]) -> Result<f64> {
    same_length("categories of a 2 × 2 table", 2, a.len())?;
    let cells = contingency(a, b)?;
    Ok(cells
        .iter()
        .flatten()
        .map(|(observed, expected)| ((observed - expected).abs() - 0.5).max(0.0).powi(2) / expected)
        .sum())
}

/// Fisher's (1935) exact test of a 2 × 2 table of whole counts, two-sided: the probability, given the margins, of all
/// tables at most as probable as the observed one.
///
/// ```
/// use evalgauge::stats::drift::fisher_exact;
/// // The lady tasting tea, three of four cups right on either side.
/// assert!((fisher_exact([3, 1], [1, 3]) - 34.0 / 70.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn fisher_exact(a: [u64; 2], b: [u64; 2]) -> f64 {
    let mut observed = 0.0;
    hypergeometric_weights(a, b, |first, weight| {
        if first == a[0] {
            observed = weight;
        }
    });
    let (mut all, mut as_rare) = (0.0, 0.0);
    hypergeometric_weights(a, b, |_, weight| {
        all += weight;
        // Tables as probable as the observed one must count whatever rounding made of them.
        if weight <= observed * (1.0 + 1e-7) {
            as_rare += weight;
        }
    });
    p_value(as_rare / all)
}

/// Calls `visit` with each possible first cell of a table with the margins of `[a, b]` and its probability relative to
/// the most probable one, as far as that is not 0 in double precision.
fn hypergeometric_weights(a: [u64; 2], b: [u64; 2], mut visit: impl FnMut(u64, f64)) {
    let (row, column, other_row) = (a[0] + a[1], a[0] + b[0], b[0] + b[1]);
    let (lowest, highest) = (column.saturating_sub(other_row), row.min(column));
    // Probability of `first + 1` over that of `first`.
    let ratio = |first: u64| {
        let last = other_row + first + 1 - column;
        (row - first) as f64 * (column - first) as f64 / ((first + 1) as f64 * last as f64)
    };
    let expected = (row + 1) as f64 * (column + 1) as f64 / ((row + other_row) as f64 + 2.0);
    let mode = (expected as u64).clamp(lowest, highest);
    let mut weight = 1.0;
    for first in mode..=highest {
        visit(first, weight);
        if first == highest || weight == 0.0 {
            break;
        }
        weight *= ratio(first);
    }
    weight = 1.0;
    for first in (lowest..mode).rev() {
        weight /= ratio(first);
        if weight == 0.0 {
            break;
        }
        visit(first, weight);
    }
}

/// First Wasserstein distance of two samples: the area between their empirical distribution functions, in the unit of
/// the values.
///
/// # Errors
/// [`StatError::TooFew`] for an empty sample, [`StatError::OutOfRange`] for values that are not finite.
pub fn wasserstein(x: &[f64], y: &[f64]) -> Result<f64> {
    finite_sample("first sample", x)?;
    finite_sample("second sample", y)?;
    let step = |values: &[f64], height: f64| values.iter().map(|v| (*v, height)).collect::<Vec<_>>();
    let mut steps = step(x, 1.0 / x.len() as f64);
    steps.extend(step(y, -1.0 / y.len() as f64));
    steps.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut height, mut area) = (0.0_f64, 0.0);
    for pair in steps.windows(2) {
        height += pair[0].1;
        area += height.abs() * (pair[1].0 - pair[0].0);
    }
    Ok(area)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn divergences_by_hand() {
        // 1/2 against 1/4: KL = ½ ln 2 + ½ ln ⅔, the other way ¼ ln ½ + ¾ ln 3/2.
        let (p, q) = ([1.0, 1.0], [1.0, 3.0]);
        assert!((kl_divergence(&p, &q).unwrap() - 0.5 * (4.0_f64 / 3.0).ln()).abs() < 1e-15);
        assert!((kl_divergence(&q, &p).unwrap() - 0.130_812_035_941_137).abs() < 1e-14);
        assert!((js_divergence(&[1.0, 0.0], &[0.0, 5.0]).unwrap() - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!(kl_divergence(&[1.0, 1.0], &[1.0, 0.0]), Ok(f64::INFINITY));
        assert!((kl_divergence(&[1.0, 0.0], &[1.0, 1.0]).unwrap() - std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn empty_cells_of_the_stability_index_are_filled() {
        let psi = population_stability_index(&[1.0, 1.0, 0.0], &[1.0, 1.0, 2.0]).unwrap();
        let expected = 2.0 * 0.25 * 2.0_f64.ln() + (0.5 - 1e-4) * (0.5e4_f64).ln();
        assert!((psi - expected).abs() < 1e-12);
    }

    #[test]
    fn bad_counts_are_refused() {
        for (a, b) in [
            (vec![], vec![]),
            (vec![1.0], vec![1.0, 2.0]),
            (vec![0.0, 0.0], vec![1.0, 2.0]),
            (vec![1.0, -1.0], vec![1.0, 2.0]),
            (vec![1.0, f64::NAN], vec![1.0, 2.0]),
        ] {
            assert!(population_stability_index(&a, &b).is_err(), "{a:?}");
            assert!(kl_divergence(&a, &b).is_err(), "{a:?}");
            assert!(js_divergence(&b, &a).is_err(), "{a:?}");
            assert!(homogeneity(&a, &b).is_err(), "{a:?}");
        }
        assert!(matches!(homogeneity(&[3.0, 0.0], &[4.0, 0.0]), Err(StatError::Undefined(_))));
        assert!(yates_chi_squared(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).is_err());
        assert!(wasserstein(&[], &[1.0]).is_err());
    }

    /// Agresti (2002), table 3.1, after the Physicians' Health Study (1988): aspirin and heart attacks, X² = 25.01.
    #[test]
    fn aspirin_as_published() {
        let test = homogeneity(&[189.0, 10_845.0], &[104.0, 10_933.0]).unwrap();
        assert!((test.chi_squared - 25.014).abs() < 1e-3 && test.df == 1 && test.p < 1e-6);
        assert!((test.cramers_v - (test.chi_squared / 22_071.0).sqrt()).abs() < 1e-15);
        assert!(yates_chi_squared(&[189.0, 10_845.0], &[104.0, 10_933.0]).unwrap() < test.chi_squared);
    }

    #[test]
    fn categories_that_never_occur_change_nothing() {
        let with = homogeneity(&[5.0, 0.0, 7.0], &[6.0, 0.0, 1.0]).unwrap();
        assert_eq!(with, homogeneity(&[5.0, 7.0], &[6.0, 1.0]).unwrap());
    }

    #[test]
    fn exact_test_counts_tables() {
        // Margins 3 + 3 and 3 + 3: weights 1, 9, 9, 1 of 20.
        assert!((fisher_exact([3, 0], [0, 3]) - 0.1).abs() < 1e-12);
        assert!((fisher_exact([2, 1], [1, 2]) - 1.0).abs() < 1e-12);
        assert_eq!(fisher_exact([0, 0], [3, 4]), 1.0);
        assert!(fisher_exact([1_000_000, 0], [0, 1_000_000]) > 0.0);
        // One column empty leaves a single table.
        assert_eq!(fisher_exact([5, 0], [7, 0]), 1.0);
    }

    #[test]
    fn transport_by_hand() {
        assert_eq!(wasserstein(&[1.0, 2.0, 3.0], &[10.0, 11.0, 12.0, 13.0]), Ok(9.5));
        assert_eq!(wasserstein(&[0.0, 4.0], &[1.0]), Ok(2.0));
    }

    proptest! {
        #[test]
        fn scaling_counts_leaves_divergences(
            cells in prop::collection::vec((1_u32..50, 1_u32..50), 2..6), factor in 2_u32..9,
        ) {
            let a: Vec<f64> = cells.iter().map(|cell| f64::from(cell.0)).collect();
            let b: Vec<f64> = cells.iter().map(|cell| f64::from(cell.1)).collect();
            let scaled: Vec<f64> = a.iter().map(|count| count * f64::from(factor)).collect();
            for divergence in [population_stability_index, kl_divergence, js_divergence] {
                prop_assert!((divergence(&a, &b).unwrap() - divergence(&scaled, &b).unwrap()).abs() < 1e-12);
                prop_assert!(divergence(&a, &a).unwrap().abs() < 1e-12);
                prop_assert!(divergence(&a, &b).unwrap() >= 0.0);
            }
            let (one, other) = (homogeneity(&a, &b).unwrap(), homogeneity(&b, &a).unwrap());
            prop_assert!((one.chi_squared - other.chi_squared).abs() < 1e-9);
            prop_assert!((one.g_p - other.g_p).abs() < 1e-9);
        }

        #[test]
        fn exact_test_is_symmetric(a in 0_u64..30, b in 0_u64..30, c in 0_u64..30, d in 0_u64..30) {
            let p = fisher_exact([a, b], [c, d]);
            for other in [fisher_exact([c, d], [a, b]), fisher_exact([b, a], [d, c]), fisher_exact([a, c], [b, d])] {
                prop_assert!((p - other).abs() < 1e-9, "{} {}", p, other);
            }
        }
    }
}
