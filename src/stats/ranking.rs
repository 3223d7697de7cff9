//! Strengths from pairwise comparisons: Bradley–Terry, Elo, win rate.

use super::error::{Result, StatError, all_finite, at_least, in_unit_interval, positive, same_length};
use super::interval::{Alpha, Interval};
use super::nonparametric::sign_test;
use super::proportion::Proportion;
use super::special::{logistic, softplus};

/// Elo points per unit of log-strength: a tenfold ratio of strengths is 400 points.
const ELO_SCALE: f64 = 400.0 / std::f64::consts::LN_10;

/// A fitted Bradley–Terry model.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BradleyTerry {
    /// Natural log-strength of each player, centred to mean 0.
    pub log_strengths: Vec<f64>,
    /// Standard error of each centred log-strength, from the expected information.
    pub standard_errors: Vec<f64>,
    /// Negative log-likelihood at the estimate.
    pub negative_log_likelihood: f64,
}

impl BradleyTerry {
    /// The strengths in Elo points, with mean `anchor`: `anchor + 400 / ln 10 · θ`.
    #[must_use]
    pub fn elo(&self, anchor: f64) -> Vec<f64> {
        self.log_strengths.iter().map(|theta| ELO_SCALE.mul_add(*theta, anchor)).collect()
    }

    /// P(row beats column) for each pair; 1/2 on the diagonal.
    #[must_use]
    pub fn win_probabilities(&self) -> Vec<Vec<f64>> {
        let row = |a: &f64| self.log_strengths.iter().map(|b| logistic(a - b)).collect();
        self.log_strengths.iter().map(row).collect()
    }
}

/// Maximum-likelihood fit of `P(i beats j) = 1 / (1 + exp(θj − θi))` (Bradley & Terry 1952; Zermelo 1929).
///
/// `wins[i][j]` is how often player i beat player j; a tie counts as half a win for each. Comparisons are assumed
/// independent. Newton's method on the concave likelihood; the sum of the θ is fixed at 0.
///
/// A finite estimate exists if and only if, however the players are split in two groups, somebody of each group beat
/// somebody of the other (Ford 1957): the graph of wins is strongly connected. This is checked first.
///
/// ```
/// use evalgauge::stats::ranking::bradley_terry;
/// let fit = bradley_terry(&[vec![0.0, 7.0], vec![3.0, 0.0]])?;
/// assert!((fit.log_strengths[0] - fit.log_strengths[1] - (7.0_f64 / 3.0).ln()).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for fewer than two players, [`StatError::Lengths`] for a matrix that is not square,
/// [`StatError::OutOfRange`] for a count that is negative or not finite or a player against itself,
/// [`StatError::Undefined`] when no finite estimate exists.
pub fn bradley_terry(wins: &[Vec<f64>]) -> Result<BradleyTerry> {
    check_wins(wins)?;
    if !(reaches_all(wins, |from, to| wins[from][to] > 0.0) && reaches_all(wins, |from, to| wins[to][from] > 0.0)) {
        return Err(StatError::Undefined(
            "no finite Bradley–Terry estimate: some players never lost to, or never met, the others",
        ));
    }
    let mut theta = vec![0.0; wins.len()];
    let mut loss = negative_log_likelihood(wins, &theta);
    for _ in 0..200 {
        let (mut step, information) = gradient_and_information(wins, &theta);
        let factor = Cholesky::new(information)?;
        factor.solve(&mut step);
        let largest = step.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
        let mut scale = 1.0;
        loop {
            let moved: Vec<f64> = theta.iter().zip(&step).map(|(t, d)| scale * d + t).collect();
            let moved_loss = negative_log_likelihood(wins, &moved);
            if moved_loss <= loss + 1e-13 * (1.0 + loss) || scale < 1e-9 {
                theta = moved;
                loss = moved_loss;
                break;
            }
            scale *= 0.5;
        }
        if largest < 1e-13 * (1.0 + theta.iter().fold(0.0_f64, |most, t| most.max(t.abs()))) {
            break;
        }
    }
    let mean = theta.iter().sum::<f64>() / theta.len() as f64;
    for t in &mut theta {
        *t -= mean;
    }
    let (_, information) = gradient_and_information(wins, &theta);
    Ok(BradleyTerry {
        standard_errors: Cholesky::new(information)?.centred_standard_errors(),
        negative_log_likelihood: negative_log_likelihood(wins, &theta),
        log_strengths: theta,
    })
}

fn check_wins(wins: &[Vec<f64>]) -> Result<()> {
    at_least("players", 2, wins.len())?;
    for (i, row) in wins.iter().enumerate() {
        same_length("rows and columns of the win matrix", wins.len(), row.len())?;
        for (j, &value) in row.iter().enumerate() {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(StatError::OutOfRange { what: "number of wins", value, range: "[0, ∞)" });
            }
            if i == j && value != 0.0 {
                return Err(StatError::OutOfRange { what: "wins of a player against itself", value, range: "{0}" });
            }
        }
    }
    Ok(())
}

/// Whether every player is reached from the first along edges.
fn reaches_all(wins: &[Vec<f64>], edge: impl Fn(usize, usize) -> bool) -> bool {
    let mut seen = vec![false; wins.len()];
    let mut stack = vec![0];
    seen[0] = true;
    while let Some(from) = stack.pop() {
        for (to, seen) in seen.iter_mut().enumerate() {
            if !*seen && edge(from, to) {
                *seen = true;
                stack.push(to);
            }
        }
    }
    seen.into_iter().all(|reached| reached)
}

fn negative_log_likelihood(wins: &[Vec<f64>], theta: &[f64]) -> f64 {
    let mut loss = 0.0;
    for (i, row) in wins.iter().enumerate() {
        for (j, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            loss += count * softplus(theta[j] - theta[i]);
        }
    }
    loss
}

/// Gradient of the log-likelihood, and its information with the direction (1, …, 1), in which the likelihood does not
/// change, filled up by the mean curvature.
fn gradient_and_information(wins: &[Vec<f64>], theta: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let players = wins.len();
    let mut gradient = vec![0.0; players];
    let mut information = vec![vec![0.0; players]; players];
    let mut trace = 0.0;
    for i in 0..players {
        for j in 0..i {
            let games = wins[i][j] + wins[j][i];
            let p = logistic(theta[i] - theta[j]);
            let surplus = wins[i][j] - games * p;
            gradient[i] += surplus;
            gradient[j] -= surplus;
            let weight = games * p * (1.0 - p);
            information[i][i] += weight;
            information[j][j] += weight;
            information[i][j] -= weight;
            information[j][i] -= weight;
            trace += 2.0 * weight;
        }
    }
    let fill = trace / (players * players) as f64;
    information.iter_mut().flatten().for_each(|entry| *entry += fill);
    (gradient, information)
}

/// The lower triangle L of a positive definite matrix L·Lᵀ.
struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    fn new(mut matrix: Vec<Vec<f64>>) -> Result<Self> {
        for i in 0..matrix.len() {
            let (done, rest) = matrix.split_at_mut(i);
            let row = &mut rest[0];
            for (j, other) in done.iter().enumerate() {
                let dot: f64 = row[..j].iter().zip(&other[..j]).map(|(a, b)| a * b).sum();
                row[j] = (row[j] - dot) / other[j];
            }
            let pivot = row[i] - row[..i].iter().map(|a| a * a).sum::<f64>();
            if pivot.is_nan() || pivot <= 0.0 {
                return Err(StatError::Undefined("the Bradley–Terry likelihood is flat at double precision"));
            }
            row[i] = libm::sqrt(pivot);
        }
        Ok(Self(matrix))
    }

    /// Replaces `b` by the solution of L·Lᵀ·x = b.
    fn solve(&self, b: &mut [f64]) {
        let rows = &self.0;
        for (i, row) in rows.iter().enumerate() {
            let dot: f64 = row[..i].iter().zip(&b[..i]).map(|(a, x)| a * x).sum();
            b[i] = (b[i] - dot) / row[i];
        }
        for i in (0..b.len()).rev() {
            let dot: f64 = rows[i + 1..].iter().zip(&b[i + 1..]).map(|(row, x)| row[i] * x).sum();
            b[i] = (b[i] - dot) / rows[i][i];
        }
    }

    /// Square roots of the diagonal of the pseudo-inverse of the information without the fill.
    fn centred_standard_errors(&self) -> Vec<f64> {
        let players = self.0.len();
        let column = |at: usize| {
            // Solving for a centred unit vector removes the filled direction.
            let mut b = vec![-1.0 / players as f64; players];
            b[at] += 1.0;
            self.solve(&mut b);
            b[at]
        };
        (0..players).map(|at| libm::sqrt(column(at).max(0.0))).collect()
    }
}

/// One game for [`elo`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Game {
    /// Number of the first player, from 0.
    pub first: usize,
    /// Number of the second player, from 0.
    pub second: usize,
    /// Result for the first player: 1 won, 1/2 tied, 0 lost.
    pub score: f64,
}

/// Elo (1978) ratings after `games`, played in this order.
///
/// Each player starts at `initial`; after a game with expected score `E = 1 / (1 + 10^((Rb − Ra)/400))` the first
/// player gains `k · (score − E)` and the second loses as much. The result depends on the order of the games: for a
/// fixed set of comparisons use [`bradley_terry`].
///
/// ```
/// use evalgauge::stats::ranking::{Game, elo};
/// let ratings = elo(&[Game { first: 0, second: 1, score: 1.0 }], 2, 32.0, 1000.0)?;
/// assert_eq!(ratings, [1016.0, 984.0]);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no games or fewer than two players, [`StatError::OutOfRange`] for a player's number not
/// below `players`, a player against itself, a score outside [0, 1], or a `k` that is not positive.
pub fn elo(games: &[Game], players: usize, k: f64, initial: f64) -> Result<Vec<f64>> {
    at_least("players", 2, players)?;
    at_least("games", 1, games.len())?;
    positive("k", k)?;
    all_finite("initial rating", &[initial])?;
    let mut ratings = vec![initial; players];
    for &Game { first, second, score } in games {
        if first.max(second) >= players || first == second {
            let value = first.max(second) as f64;
            return Err(StatError::OutOfRange { what: "player", value, range: "two different numbers below players" });
        }
        in_unit_interval("score of a game", score)?;
        let expected = 1.0 / (1.0 + libm::pow(10.0, (ratings[second] - ratings[first]) / 400.0));
        let gain = k * (score - expected);
        ratings[first] += gain;
        ratings[second] -= gain;
    }
    Ok(ratings)
}

/// How often one side was preferred.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct WinRate {
    /// `(wins + ties/2) / n`.
    pub rate: f64,
    /// Standard error of `rate` from the sample variance of the scores 1, 1/2 and 0; none for a single comparison.
    pub standard_error: Option<f64>,
    /// `wins / (wins + losses)`; none when all are ties.
    pub rate_without_ties: Option<f64>,
    /// Wilson interval of `rate_without_ties`.
    pub interval_without_ties: Option<Interval>,
    /// Two-sided sign test of wins against losses.
    pub sign_test_p: f64,
}

/// Win rate of independent comparisons with ties.
///
/// ```
/// use evalgauge::stats::Alpha;
/// use evalgauge::stats::ranking::win_rate;
/// let rate = win_rate(60, 30, 10, Alpha::FIVE_PERCENT)?;
/// assert_eq!(rate.rate, 0.65);
/// assert!((rate.sign_test_p - 0.002_060_265_680_963).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no comparisons.
pub fn win_rate(wins: u64, losses: u64, ties: u64, alpha: Alpha) -> Result<WinRate> {
    let decided = wins + losses;
    let total = decided + ties;
    at_least("comparisons", 1, total as usize)?;
    let n = total as f64;
    let rate = (ties as f64).mul_add(0.5, wins as f64) / n;
    let squares = wins as f64 * (1.0 - rate).powi(2) + losses as f64 * rate * rate + ties as f64 * (0.5 - rate).powi(2);
    let without_ties = Proportion::new(wins, decided).ok();
    Ok(WinRate {
        rate,
        standard_error: (total > 1).then(|| libm::sqrt(squares / (n - 1.0) / n)),
        rate_without_ties: without_ties.map(Proportion::rate),
        interval_without_ties: without_ties.map(|share| share.wilson(alpha)),
        sign_test_p: sign_test(wins, losses),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Agresti (2002), table 10.10: American League baseball 1987. Strengths against Baltimore.
    #[test]
    fn baseball_as_published() {
        let wins = [
            [0.0, 7.0, 9.0, 7.0, 7.0, 9.0, 11.0],
            [6.0, 0.0, 7.0, 5.0, 11.0, 9.0, 9.0],
            [4.0, 6.0, 0.0, 7.0, 7.0, 8.0, 12.0],
            [6.0, 8.0, 6.0, 0.0, 6.0, 7.0, 10.0],
            [6.0, 2.0, 6.0, 7.0, 0.0, 7.0, 12.0],
            [4.0, 4.0, 5.0, 6.0, 6.0, 0.0, 6.0],
            [2.0, 4.0, 1.0, 3.0, 1.0, 7.0, 0.0],
        ];
        let fit = bradley_terry(&wins.map(|row| row.to_vec())).unwrap();
        let published = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684];
        for (theta, expected) in fit.log_strengths.iter().zip(published) {
            assert!((theta - fit.log_strengths[6] - expected).abs() < 6e-4);
        }
        assert!(fit.log_strengths.iter().sum::<f64>().abs() < 1e-12);
    }

    #[test]
    fn expected_wins_equal_observed_wins_at_the_estimate() {
        let wins = vec![vec![0.0, 4.5, 1.0, 0.0], vec![3.5, 0.0, 5.5, 2.0], vec![2.0, 4.5, 0.0, 30.0], vec![1.0; 4]];
        let mut wins = wins;
        wins[3][3] = 0.0;
        let fit = bradley_terry(&wins).unwrap();
        let p = fit.win_probabilities();
        for i in 0..4 {
            let observed: f64 = wins[i].iter().sum();
            let expected: f64 = (0..4).map(|j| (wins[i][j] + wins[j][i]) * p[i][j]).sum();
            assert!((observed - expected).abs() < 1e-9, "{observed} {expected}");
        }
    }

    #[test]
    fn strengths_far_apart_still_converge() {
        let fit = bradley_terry(&[vec![0.0, 1e6, 0.0], vec![1.0, 0.0, 1e6], vec![0.0, 1.0, 0.0]]).unwrap();
        assert!((fit.log_strengths[0] - fit.log_strengths[2] - 2.0 * 1e6_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn no_finite_estimate_is_refused() {
        let undefined = |wins: &[Vec<f64>]| matches!(bradley_terry(wins), Err(StatError::Undefined(_)));
        assert!(undefined(&[vec![0.0, 3.0], vec![0.0, 0.0]]));
        assert!(undefined(&[vec![0.0; 2], vec![0.0; 2]]));
        // Two pairs that never meet, and a champion who never lost.
        assert!(undefined(&[
            vec![0.0, 3.0, 0.0, 0.0],
            vec![2.0, 0.0, 0.0, 0.0],
            vec![0.0, 0.0, 0.0, 4.0],
            vec![0.0, 0.0, 1.0, 0.0]
        ]));
        assert!(undefined(&[vec![0.0, 1.0, 1.0], vec![0.0, 0.0, 2.0], vec![0.0, 2.0, 0.0]]));
        assert!(bradley_terry(&[vec![0.0]]).is_err());
        assert!(bradley_terry(&[vec![0.0, 1.0], vec![1.0]]).is_err());
        assert!(bradley_terry(&[vec![0.0, -1.0], vec![1.0, 0.0]]).is_err());
        assert!(bradley_terry(&[vec![1.0, 1.0], vec![1.0, 0.0]]).is_err());
        assert!(bradley_terry(&[vec![0.0, f64::NAN], vec![1.0, 0.0]]).is_err());
    }

    #[test]
    fn elo_conserves_points_and_refuses_nonsense() {
        let game = |first, second, score| Game { first, second, score };
        let games = [game(0, 1, 1.0), game(1, 2, 0.5), game(2, 0, 0.0)];
        let ratings = elo(&games, 3, 16.0, 1500.0).unwrap();
        assert!((ratings.iter().sum::<f64>() - 4500.0).abs() < 1e-9);
        assert_ne!(ratings, elo(&[games[2], games[1], games[0]], 3, 16.0, 1500.0).unwrap());
        for bad in [game(0, 3, 1.0), game(1, 1, 1.0), game(0, 1, 1.5), game(0, 1, f64::NAN)] {
            assert!(elo(&[bad], 3, 16.0, 1500.0).is_err(), "{bad:?}");
        }
        assert!(elo(&[], 3, 16.0, 1500.0).is_err());
        assert!(elo(&games, 3, 0.0, 1500.0).is_err());
    }

    #[test]
    fn ties_alone_leave_the_rate_at_one_half() {
        let rate = win_rate(0, 0, 4, Alpha::FIVE_PERCENT).unwrap();
        assert_eq!((rate.rate, rate.standard_error, rate.sign_test_p), (0.5, Some(0.0), 1.0));
        assert_eq!((rate.rate_without_ties, rate.interval_without_ties), (None, None));
        assert_eq!(win_rate(1, 0, 0, Alpha::FIVE_PERCENT).unwrap().standard_error, None);
        assert!(win_rate(0, 0, 0, Alpha::FIVE_PERCENT).is_err());
    }

    proptest! {
        #[test]
        fn swapping_sides_mirrors_the_rate(wins in 0_u64..50, losses in 0_u64..50, ties in 1_u64..50) {
            let one = win_rate(wins, losses, ties, Alpha::FIVE_PERCENT).unwrap();
            let other = win_rate(losses, wins, ties, Alpha::FIVE_PERCENT).unwrap();
            prop_assert!((one.rate + other.rate - 1.0).abs() < 1e-12);
            prop_assert_eq!(one.sign_test_p, other.sign_test_p);
            if let (Some(rate), Some(interval)) = (one.rate_without_ties, one.interval_without_ties) {
                prop_assert!(interval.contains(rate) && interval.width() > 0.0);
            }
        }

        #[test]
        fn players_may_be_renumbered(counts in prop::collection::vec(1_u32..9, 6)) {
            let c: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
            let one = bradley_terry(&[vec![0.0, c[0], c[1]], vec![c[2], 0.0, c[3]], vec![c[4], c[5], 0.0]]).unwrap();
            let other = bradley_terry(&[vec![0.0, c[2], c[3]], vec![c[0], 0.0, c[1]], vec![c[5], c[4], 0.0]]).unwrap();
            prop_assert!((one.log_strengths[0] - other.log_strengths[1]).abs() < 1e-9);
            prop_assert!((one.standard_errors[2] - other.standard_errors[2]).abs() < 1e-9);
        }
    }
}
