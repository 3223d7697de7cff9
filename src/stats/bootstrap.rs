//! Bootstrap intervals: percentile, basic, BCa and studentized; for means, clustered means, differences and any
//! statistic.
//!
//! Every function takes its [`Resampling`] (number of resamples and seed) and gives the same bits on any number of
//! threads; replicates of means and ratios do not depend on the order of the data either. On 0/1 data a percentile
//! bootstrap is Wald's interval in disguise: use [`super::proportion`] there.

use std::collections::HashMap;
use std::hash::Hash;

use super::binomial;
use super::error::{Result, StatError, all_finite, at_least, finite_sample, positive, same_length};
use super::interval::{Alpha, Interval};
use super::mean::{MeanEstimate, differences, mean};
use super::replicates::TIE;
pub use super::replicates::{
    Bca, BcaCorrection, Replicates, Ties, acceleration, jackknife_standard_error, mean_acceleration,
};
pub use super::resample::Resampling;
use super::resample::{replicated, resampled_sums};
use super::rng::index_below;

/// The replicates of a mean.
///
/// With `K` distinct values one multinomial draw a replicate is enough, whatever their number; continuous data cost
/// about half a nanosecond a drawn value.
///
/// # Errors
/// [`StatError::TooFew`] below two values or 100 replicates; [`StatError::OutOfRange`] for a value that is not finite.
pub fn mean_replicates(values: &[f64], resampling: Resampling) -> Result<Replicates> {
    at_least("values", 2, values.len())?;
    let estimate = mean(values)?;
    Replicates::new(estimate, means(values, resampling.checked()?))
}

/// Means of resamples, in the order of the replicates.
fn means(values: &[f64], resampling: Resampling) -> Vec<f64> {
    let rows: Vec<[f64; 1]> = values.iter().map(|&x| [x]).collect();
    let n = values.len() as f64;
    resampled_sums(&rows, resampling).into_iter().map(|[sum]| sum / n).collect()
}

/// The replicates of `mean(a - b)` for two scores of the same items; items are resampled, never single scores.
///
/// # Errors
/// [`StatError::Lengths`]; as [`mean_replicates`].
pub fn paired_replicates(a: &[f64], b: &[f64], resampling: Resampling) -> Result<Replicates> {
    mean_replicates(&differences(a, b)?, resampling)
}

/// The replicates of `mean(a) - mean(b)` for scores of different, independent items; each side is resampled by itself.
///
/// # Errors
/// As [`mean_replicates`], for either side.
pub fn independent_difference_replicates(a: &[f64], b: &[f64], resampling: Resampling) -> Result<Replicates> {
    at_least("values of A", 2, a.len())?;
    at_least("values of B", 2, b.len())?;
    let estimate = mean(a)? - mean(b)?;
    let resampling = resampling.checked()?;
    // The sides must not share streams, or equal data would be resampled in step.
    let other = Resampling { seed: resampling.seed ^ 0x6A09_E667_F3BC_C908, ..resampling };
    let replicates = means(a, resampling).into_iter().zip(means(b, other)).map(|(a, b)| a - b).collect();
    Replicates::new(estimate, replicates)
}

/// A studentized (bootstrap-t) interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Studentized {
    /// The statistic on the data.
    pub estimate: f64,
    /// Its standard error on the data.
    pub se: f64,
    /// `estimate − q(1 − α/2) se .. estimate − q(α/2) se` with quantiles `q` of the replicates of t.
    pub interval: Interval,
    /// How many resamples had a standard error above 0; the others have no t and are left out.
    pub used: usize,
}

/// The studentized interval of a mean (Davison & Hinkley 1997): second-order correct, hence shorter or longer on the
/// side that skewness asks for.
///
/// # Errors
/// As [`mean_replicates`]; [`StatError::Undefined`] when all values are equal.
pub fn studentized_mean(values: &[f64], resampling: Resampling, alpha: Alpha) -> Result<Studentized> {
    let MeanEstimate { mean: estimate, se, df } = MeanEstimate::of(values)?;
    let n = values.len() as f64;
    let rows: Vec<[f64; 2]> = values.iter().map(|x| [x - estimate, (x - estimate) * (x - estimate)]).collect();
    let t = resampled_sums(&rows, resampling.checked()?)
        .into_iter()
        .filter_map(|[sum, squares]| {
            let spread = squares - sum * sum / n;
            // Below this the resample drew one value only and the rest is rounding.
            (spread > TIE * squares).then(|| sum / n / libm::sqrt(spread / (df * n)))
        })
        .collect();
    studentized_from(estimate, se, t, alpha)
}

/// The studentized interval from replicates of the statistic and of its standard error; pairs without a positive
/// standard error are left out.
///
/// # Errors
/// [`StatError::Lengths`]; [`StatError::Undefined`] for a standard error of 0 on the data; [`StatError::TooFew`] when
/// fewer than two replicates are left.
pub fn studentized(
    estimate: f64,
    se: f64,
    replicates: &[f64],
    replicate_errors: &[f64],
    alpha: Alpha,
) -> Result<Studentized> {
    same_length("replicates and their standard errors", replicates.len(), replicate_errors.len())?;
    all_finite("bootstrap replicate", replicates)?;
    all_finite("standard error", replicate_errors)?;
    let pairs = replicates.iter().zip(replicate_errors).filter(|&(_, &error)| error > 0.0);
    studentized_from(estimate, se, pairs.map(|(replicate, error)| (replicate - estimate) / error).collect(), alpha)
}

fn studentized_from(estimate: f64, se: f64, t: Vec<f64>, alpha: Alpha) -> Result<Studentized> {
    if !(se > 0.0 && se.is_finite()) {
        return Err(StatError::Undefined("a studentized interval with a standard error of 0"));
    }
    // The replicates of t stand around 0, wherever the estimate lies.
    let t = Replicates::new(0.0, t)?;
    let quantiles = t.percentile(alpha)?;
    let interval = Interval::new(estimate - quantiles.high * se, estimate - quantiles.low * se);
    Ok(Studentized { estimate, se, interval, used: t.sorted().len() })
}

/// The total of one cluster: the sum of its values, and their number or another weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterTotal {
    /// Sum of the values.
    pub sum: f64,
    /// Number of values, or the sum of their weights; must be positive.
    pub weight: f64,
}

/// Sums values by cluster, clusters in order of first appearance.
///
/// # Errors
/// [`StatError::Lengths`]; [`StatError::TooFew`] for no values; [`StatError::OutOfRange`] for a value that is not finite.
pub fn cluster_totals<K: Eq + Hash>(values: &[f64], clusters: &[K]) -> Result<Vec<ClusterTotal>> {
    same_length("values and clusters", values.len(), clusters.len())?;
    finite_sample("values", values)?;
    let mut position: HashMap<&K, usize> = HashMap::new();
    let mut totals: Vec<ClusterTotal> = Vec::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let at = *position.entry(cluster).or_insert(totals.len());
        if at == totals.len() {
            totals.push(ClusterTotal { sum: 0.0, weight: 0.0 });
        }
        totals[at].sum += value;
        totals[at].weight += 1.0;
    }
    Ok(totals)
}

fn ratio(clusters: &[ClusterTotal]) -> Result<(f64, f64)> {
    at_least("clusters", 2, clusters.len())?;
    clusters.iter().try_for_each(|cluster| positive("cluster weight", cluster.weight))?;
    let sum: f64 = clusters.iter().map(|cluster| cluster.sum).sum();
    all_finite("sum over clusters", &[sum])?;
    Ok((sum, clusters.iter().map(|cluster| cluster.weight).sum()))
}

/// The replicates of the ratio mean `Σ sum / Σ weight` when whole clusters are resampled: the cluster bootstrap of a mean
/// over grouped items or over trials of an item.
///
/// # Errors
/// [`StatError::TooFew`] below two clusters or 100 replicates; [`StatError::OutOfRange`] for a weight that is not positive
/// or a sum that is not finite.
pub fn ratio_replicates(clusters: &[ClusterTotal], resampling: Resampling) -> Result<Replicates> {
    let (sum, weight) = ratio(clusters)?;
    let rows: Vec<[f64; 2]> = clusters.iter().map(|cluster| [cluster.sum, cluster.weight]).collect();
    let sums = resampled_sums(&rows, resampling.checked()?);
    Replicates::new(sum / weight, sums.into_iter().map(|[sum, weight]| sum / weight).collect())
}

/// The acceleration of the ratio mean, from its jackknife over clusters.
///
/// # Errors
/// As [`ratio_replicates`].
pub fn ratio_acceleration(clusters: &[ClusterTotal]) -> Result<f64> {
    let (sum, weight) = ratio(clusters)?;
    let leave_out = |cluster: &ClusterTotal| (sum - cluster.sum) / (weight - cluster.weight);
    acceleration(&clusters.iter().map(leave_out).collect::<Vec<_>>())
}

/// Values of any statistic on resamples of `n` items; `statistic` gets the drawn indices and answers `None` where it is
/// undefined on them. Pass the result to [`Replicates::new`].
///
/// # Errors
/// [`StatError::TooFew`] below two items or 100 replicates; [`StatError::Undefined`] when the statistic exists on fewer than
/// half of the resamples: those that are left would not represent it.
pub fn resampled<F>(n: usize, resampling: Resampling, statistic: F) -> Result<Vec<f64>>
where
    F: Fn(&[usize]) -> Option<f64> + Sync,
{
    at_least("items", 2, n)?;
    let resampling = resampling.checked()?;
    let values = replicated(
        resampling,
        || vec![0; n],
        |drawn, rng| {
            for item in drawn.iter_mut() {
                *item = index_below(n, rng);
            }
            statistic(drawn).filter(|value| value.is_finite())
        },
    );
    let defined: Vec<f64> = values.into_iter().flatten().collect();
    if 2 * defined.len() < resampling.replicates {
        return Err(StatError::Undefined("the statistic on most of the bootstrap resamples"));
    }
    Ok(defined)
}

/// As [`resampled`] for items of which only the class matters: `counts` items of each class; `statistic` gets how many of
/// each were drawn. It takes as long as there are classes, however many items there are.
///
/// # Errors
/// As [`resampled`].
pub fn resampled_counts<F>(counts: &[u64], resampling: Resampling, statistic: F) -> Result<Vec<f64>>
where
    F: Fn(&[u64]) -> Option<f64> + Sync,
{
    let n: u64 = counts.iter().sum();
    at_least("items", 2, n as usize)?;
    let resampling = resampling.checked()?;
    let values = replicated(
        resampling,
        || vec![0; counts.len()],
        |drawn: &mut Vec<u64>, rng| {
            let (mut left, mut rest) = (n, n);
            for (drawn, &count) in drawn.iter_mut().zip(counts) {
                // Of what is left to draw, those of this class; the last class with items takes all.
                *drawn = if count == 0 { 0 } else { binomial::draw(left, count as f64 / rest as f64, rng) };
                left -= *drawn;
                rest -= count;
            }
            statistic(drawn).filter(|value| value.is_finite())
        },
    );
    let defined: Vec<f64> = values.into_iter().flatten().collect();
    if 2 * defined.len() < resampling.replicates {
        return Err(StatError::Undefined("the statistic on most of the bootstrap resamples"));
    }
    Ok(defined)
}

/// Leave-one-out values of any statistic, for [`acceleration`].
///
/// # Errors
/// [`StatError::TooFew`] below two items; [`StatError::Undefined`] when the statistic does not exist without some item.
pub fn jackknife<F>(n: usize, statistic: F) -> Result<Vec<f64>>
where
    F: Fn(&[usize]) -> Option<f64>,
{
    at_least("items", 2, n)?;
    // Leaving out item i: the first n - 1 places hold every other index.
    let mut kept: Vec<usize> = (1..n).collect();
    (0..n)
        .map(|left_out| {
            if left_out > 0 {
                kept[left_out - 1] = left_out - 1;
            }
            statistic(&kept)
                .filter(|value| value.is_finite())
                .ok_or(StatError::Undefined("the statistic without one of the items"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;
    const FEW: Resampling = Resampling { replicates: 2_000, seed: 1 };

    /// Efron & Tibshirani (1993), table 14.1: 26 children's scores on a spatial test, test A.
    const SPATIAL: [f64; 26] = [
        48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0, 28.0, 34.0, 4.0, 32.0,
        24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
    ];

    fn plug_in_variance(drawn: &[f64]) -> f64 {
        let centre = drawn.iter().sum::<f64>() / drawn.len() as f64;
        drawn.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / drawn.len() as f64
    }

    #[test]
    fn variance_of_the_spatial_test() {
        // Published: estimate 171.5, acceleration .061, BCa 90 % interval (115.8, 259.6), percentile (100.8, 233.9).
        let statistic =
            |drawn: &[usize]| Some(plug_in_variance(&drawn.iter().map(|&i| SPATIAL[i]).collect::<Vec<_>>()));
        let estimate = plug_in_variance(&SPATIAL);
        assert!((estimate - 171.5).abs() < 0.05);
        let drawn = resampled(26, Resampling { replicates: 20_000, seed: 5 }, statistic).unwrap();
        let replicates = Replicates::new(estimate, drawn).unwrap();
        let a = acceleration(&jackknife(26, statistic).unwrap()).unwrap();
        assert!((a - 0.061).abs() < 5e-4, "{a}");
        let alpha = Alpha::new(0.1).unwrap();
        let (percentile, bca) = (replicates.percentile(alpha).unwrap(), replicates.bca(alpha, a).unwrap().interval);
        assert!((percentile.low - 100.8).abs() < 4.0 && (percentile.high - 233.9).abs() < 4.0, "{percentile:?}");
        assert!((bca.low - 115.8).abs() < 4.0 && (bca.high - 259.6).abs() < 8.0, "{bca:?}");
    }

    #[test]
    fn refuses_too_little_or_broken_data() {
        assert!(mean_replicates(&[1.0], FEW).is_err() && mean_replicates(&[1.0, f64::NAN], FEW).is_err());
        assert!(mean_replicates(&[1.0, 2.0], Resampling { replicates: 1, seed: 1 }).is_err());
        assert!(paired_replicates(&[1.0, 2.0], &[1.0], FEW).is_err());
        assert!(independent_difference_replicates(&[1.0, 2.0], &[1.0], FEW).is_err());
        assert!(studentized_mean(&[0.1, 0.1, 0.1], FEW, FIVE).is_err());
        assert!(ratio_replicates(&[ClusterTotal { sum: 1.0, weight: 1.0 }], FEW).is_err());
        let weightless = ClusterTotal { sum: 1.0, weight: 0.0 };
        assert!(ratio_replicates(&[weightless; 3], FEW).is_err() && ratio_acceleration(&[weightless; 3]).is_err());
        assert!(resampled(3, FEW, |_| None).is_err() && resampled(1, FEW, |_| Some(1.0)).is_err());
        assert!(jackknife(3, |kept| (kept[0] == 0).then_some(1.0)).is_err());
        assert!(Replicates::new(f64::NAN, vec![1.0, 2.0]).is_err());
    }

    #[test]
    fn equal_values_have_no_interval() {
        let replicates = mean_replicates(&[0.1; 7], FEW).unwrap();
        assert!(replicates.percentile(FIVE).is_err() && replicates.basic(FIVE).is_err());
        assert!(replicates.bca(FIVE, mean_acceleration(&[0.1; 7]).unwrap()).is_err());
    }

    #[test]
    fn classes_are_drawn_as_their_items_are() {
        // Nine of thirty pass: the replicates are Binomial(30, .3)/30.
        let share = |drawn: &[u64]| Some(drawn[1] as f64 / drawn.iter().sum::<u64>() as f64);
        let values = resampled_counts(&[21, 9, 0], FEW, share).unwrap();
        assert!(values.iter().all(|value| (30.0 * value).fract().abs() < 1e-9 || (30.0 * value).fract() > 1.0 - 1e-9));
        let found = Replicates::new(0.3, values).unwrap();
        let centre = found.sorted().iter().sum::<f64>() / 2000.0;
        assert!((centre - 0.3).abs() < 0.01, "{centre}");
        assert!((found.standard_error() - f64::sqrt(0.3 * 0.7 / 30.0)).abs() < 0.005);
        assert!(resampled_counts(&[1], FEW, share).is_err() && resampled_counts(&[4, 5], FEW, |_| None).is_err());
    }

    #[test]
    fn jackknife_leaves_out_each_item_once() {
        let seen = jackknife(5, |kept| Some(10.0 - kept.iter().sum::<usize>() as f64)).unwrap();
        assert_eq!(seen, [0.0, 1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn closed_form_acceleration_is_the_jackknife_one() {
        let n = SPATIAL.len();
        let mean_of = |kept: &[usize]| Some(kept.iter().map(|&i| SPATIAL[i]).sum::<f64>() / kept.len() as f64);
        let slow = acceleration(&jackknife(n, mean_of).unwrap()).unwrap();
        assert!((mean_acceleration(&SPATIAL).unwrap() - slow).abs() < 1e-13);
        let singletons: Vec<ClusterTotal> = SPATIAL.iter().map(|&sum| ClusterTotal { sum, weight: 1.0 }).collect();
        assert!((ratio_acceleration(&singletons).unwrap() - slow).abs() < 1e-13);
    }

    #[test]
    fn clusters_of_one_are_the_plain_bootstrap() {
        let ids: Vec<usize> = (0..SPATIAL.len()).collect();
        let totals = cluster_totals(&SPATIAL, &ids).unwrap();
        assert_eq!(ratio_replicates(&totals, FEW).unwrap(), mean_replicates(&SPATIAL, FEW).unwrap());
        let grouped = cluster_totals(&[1.0, 2.0, 4.0], &["a", "b", "a"]).unwrap();
        assert_eq!(grouped[0], ClusterTotal { sum: 5.0, weight: 2.0 });
    }

    #[test]
    fn studentized_interval_is_stretched_towards_the_long_tail() {
        let skewed: Vec<f64> = (1..30).map(|i| f64::from(i).powi(3)).collect();
        let result = studentized_mean(&skewed, FEW, FIVE).unwrap();
        assert!(result.interval.high - result.estimate > 1.1 * (result.estimate - result.interval.low));
        assert!(result.used <= FEW.replicates && result.used > 1990);
    }

    #[test]
    fn bootstrap_error_is_the_plug_in_error() {
        let replicates = mean_replicates(&SPATIAL, Resampling { replicates: 40_000, seed: 2 }).unwrap();
        let ideal = (plug_in_variance(&SPATIAL) / 26.0).sqrt();
        assert!((replicates.standard_error() / ideal - 1.0).abs() < 0.02);
    }

    proptest! {
        #[test]
        fn order_of_the_data_never_matters(mut values in prop::collection::vec(-5.0..5.0_f64, 2..60)) {
            let first = mean_replicates(&values, FEW).unwrap().percentile(FIVE).unwrap();
            values.reverse();
            let other = mean_replicates(&values, FEW).unwrap().percentile(FIVE).unwrap();
            prop_assert_eq!(first, other);
            let rest = values.iter().map(|x| x * 4.0).collect::<Vec<_>>();
            prop_assert_eq!(mean_replicates(&rest, FEW).unwrap().percentile(FIVE).unwrap(), first.scaled(4.0));
        }
    }
}
