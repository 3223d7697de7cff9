//! Permutation test of several systems on the same items: their scores are shuffled within each item.

use rayon::prelude::*;

use crate::stats::error::{Result, StatError, at_least, finite_sample, same_length};
use crate::stats::p_value::monte_carlo_p;
use crate::stats::rng::{index_below, stream};

/// Draws that share a task; fixed, so that the work is cut the same way on any number of threads.
const CHUNK: u64 = 64;

/// Other streams than those of tests of two systems under the same seed.
const STREAMS: u64 = 0x51C7_0E4B_92AF_36D8;

/// Statistics are equal that differ by less than this share: the same scores added up in another order.
const TIE: f64 = 1e-12;

/// A Monte Carlo test of "all systems score alike".
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct WithinItems {
    /// `(k − 1) Σ_j S_j² / Σ_ij c_ij²`, with `c` the scores less their item's mean and `S_j` the sum of system j's.
    pub statistic: f64,
    /// `(b + 1) / (draws + 1)`, b draws with a statistic at least as large.
    pub p: f64,
    /// How many times everything was shuffled.
    pub draws: u64,
}

/// Do `k` systems score alike on the same items? A permutation test for randomised blocks (Pitman 1938).
///
/// `rows[i][j]` is the score of system `j` on item `i` (or on a group of items that stand or fall together: their sum).
/// H0: within every item the systems are exchangeable. Each draw shuffles every item's scores. Of 0/1 scores the statistic
/// is Cochran's Q, of ranks within items it is Friedman's; with two systems the test is that of random sign flips.
///
/// Draw i has stream i of `seed`, so the result is the same on any number of threads.
///
/// ```
/// use evalgauge::stats::nonparametric::within_items;
/// let scores = [[0.2, 0.5, 0.9], [0.1, 0.4, 0.7], [0.3, 0.3, 0.8], [0.0, 0.6, 0.9], [0.2, 0.5, 0.6]];
/// let test = within_items(&scores, 2_000, 7)?;
/// assert!(test.p < 0.02 && (test.statistic - 8.739).abs() < 1e-3);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] without an item, with fewer than two systems or no draw; [`StatError::Lengths`] for ragged rows;
/// [`StatError::OutOfRange`] for scores that are not finite; [`StatError::Undefined`] when the systems score the same on
/// every item.
pub fn within_items<R: AsRef<[f64]>>(rows: &[R], draws: u64, seed: u64) -> Result<WithinItems> {
    at_least("items", 1, rows.len())?;
    let systems = rows[0].as_ref().len();
    at_least("systems", 2, systems)?;
    at_least("draws", 1, draws as usize)?;
    // Items on which all score the same say nothing, whoever gets which score.
    let mut centred: Vec<f64> = Vec::new();
    for row in rows {
        let row = row.as_ref();
        same_length("scores of an item and systems", row.len(), systems)?;
        finite_sample("scores", row)?;
        if row.iter().any(|score| *score != row[0]) {
            let mean = row.iter().sum::<f64>() / systems as f64;
            centred.extend(row.iter().map(|score| score - mean));
        }
    }
    let spread: f64 = centred.iter().map(|score| score * score).sum();
    if spread <= 0.0 {
        return Err(StatError::Undefined("a test of several systems that score the same on every item"));
    }
    let mut sums = vec![0.0; systems];
    for row in centred.chunks(systems) {
        sums.iter_mut().zip(row).for_each(|(sum, score)| *sum += score);
    }
    let observed = squares(&sums);
    let reached: u64 = (0..draws.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let range = chunk * CHUNK..draws.min((chunk + 1) * CHUNK);
            range.filter(|&draw| shuffled(&centred, systems, seed, draw) >= observed - TIE * spread).count() as u64
        })
        .sum();
    Ok(WithinItems { statistic: (systems as f64 - 1.0) * observed / spread, p: monte_carlo_p(reached, draws), draws })
}

fn squares(sums: &[f64]) -> f64 {
    sums.iter().map(|sum| sum * sum).sum()
}

/// Σ S² after one shuffle of every item.
fn shuffled(centred: &[f64], systems: usize, seed: u64, draw: u64) -> f64 {
    let mut rng = stream(seed ^ STREAMS, draw);
    let mut sums = vec![0.0; systems];
    let mut item = vec![0.0; systems];
    for row in centred.chunks(systems) {
        item.copy_from_slice(row);
        for last in (1..systems).rev() {
            item.swap(last, index_below(last + 1, &mut rng));
        }
        sums.iter_mut().zip(&item).for_each(|(sum, score)| *sum += score);
    }
    squares(&sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::nonparametric::paired_permutation_exact;
    use crate::stats::paired::cochran_q;
    use crate::stats::rng::uniform;

    #[test]
    fn of_passes_it_is_cochrans_q() {
        let mut rng = stream(3, 0);
        let rows: Vec<[bool; 4]> = (0..80).map(|_| [0.3, 0.4, 0.5, 0.6].map(|rate| uniform(&mut rng) < rate)).collect();
        let scores: Vec<[f64; 4]> = rows.iter().map(|row| row.map(|passed| f64::from(u8::from(passed)))).collect();
        let (q, ours) = (cochran_q(&rows).unwrap(), within_items(&scores, 4_000, 7).unwrap());
        assert!((q.statistic - ours.statistic).abs() < 1e-9, "{q:?} {ours:?}");
        // χ² with 80 items is near; four standard errors of 4,000 draws beside it.
        let error = 4.0 * (q.p * (1.0 - q.p) / 4_000.0).sqrt() + 0.01;
        assert!((q.p - ours.p).abs() < error, "{q:?} {ours:?}");
    }

    #[test]
    fn of_two_systems_it_is_the_test_of_sign_flips() {
        let scores = [[1.0, 2.0], [1.0, 2.5], [0.0, 1.9], [3.0, 2.2], [1.0, 4.0], [2.0, 2.0]];
        let differences: Vec<f64> = scores.iter().map(|[a, b]| b - a).collect();
        let exact = paired_permutation_exact(&differences).unwrap();
        let ours = within_items(&scores, 20_000, 1).unwrap();
        assert!((exact - ours.p).abs() < 0.015, "{exact} {ours:?}");
    }

    #[test]
    fn every_shuffle_is_counted_in_a_small_case() {
        // Two items, three systems: of 36 shuffles the 6 that order both items alike reach the largest statistic.
        let ours = within_items(&[[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]], 60_000, 5).unwrap();
        assert!((ours.p - 1.0 / 6.0).abs() < 0.007, "{ours:?}");
        // S is twice each item's deviations: 2 · 4 Σc² / 2 Σc² = 4.
        assert!((ours.statistic - 4.0).abs() < 1e-12);
    }

    #[test]
    fn equal_systems_are_called_different_at_the_level() {
        let mut rng = stream(11, 0);
        let found = (0..400)
            .filter(|seed| {
                let rows: Vec<[f64; 5]> = (0..40)
                    .map(|_| {
                        let item = uniform(&mut rng);
                        [(); 5].map(|()| item + uniform(&mut rng).powi(4))
                    })
                    .collect();
                within_items(&rows, 199, *seed).unwrap().p <= 0.05
            })
            .count();
        println!("{found} of 400 families of equal systems are called different");
        // 5 % of 400, three standard errors on either side.
        assert!((7..=33).contains(&found), "{found}");
    }

    #[test]
    fn threads_change_nothing_and_nonsense_is_refused() {
        let rows: Vec<[f64; 3]> = (0..50).map(|i| [f64::from(i % 3), f64::from(i % 5), f64::from(i % 7)]).collect();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| within_items(&rows, 1_000, 7).unwrap())
        };
        assert_eq!(on(1), on(3));
        assert!(within_items::<[f64; 2]>(&[], 10, 0).is_err());
        assert!(within_items(&[[1.0]], 10, 0).is_err() && within_items(&[[1.0, f64::NAN]], 10, 0).is_err());
        assert!(within_items(&[vec![1.0, 2.0], vec![1.0]], 10, 0).is_err());
        assert!(within_items(&[[1.0, 1.0], [2.0, 2.0]], 10, 0).is_err());
    }
}
