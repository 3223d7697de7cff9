//! The mean change over blocks: units that are independent of each other, of equal or unequal size.

use super::error::{Result, at_least};
use super::interval::{Alpha, Interval};
use super::mean::MeanEstimate;

/// Sufficient statistics of Σ X / Σ m over blocks with sum `X` and size `m`.
///
/// An example with nothing grouped is a block of size 1 whose `X` is its value (the mean over its trials); examples of
/// one group form one block. The estimate is the ratio mean, its error the cluster-robust CR1 with G − 1 degrees of
/// freedom, which for blocks of size 1 is the ordinary t interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BlockMoments {
    blocks: u64,
    size: f64,
    sum: f64,
    sum_squares: f64,
    sum_products: f64,
    size_squares: f64,
}

impl BlockMoments {
    /// Adds a block with `size` members whose values sum to `sum`.
    pub fn push(&mut self, sum: f64, size: f64) {
        self.blocks += 1;
        self.size += size;
        self.sum += sum;
        self.sum_squares += sum * sum;
        self.sum_products += sum * size;
        self.size_squares += size * size;
    }

    /// Number of blocks, G.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Number of members, Σ m.
    #[must_use]
    pub const fn size(&self) -> f64 {
        self.size
    }

    /// Σ X² over blocks.
    #[must_use]
    pub const fn sum_squares(&self) -> f64 {
        self.sum_squares
    }

    /// The mean over all members, Σ X / Σ m.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] without a block.
    pub fn mean(&self) -> Result<f64> {
        at_least("blocks", 1, self.blocks as usize)?;
        Ok(self.sum / self.size)
    }

    /// The CR1 standard error √(G/(G−1) · Σ (X − mean·m)²) / Σ m (Cameron & Miller 2015; G blocks).
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] for fewer than two blocks: one block says nothing about variation.
    pub fn standard_error(&self) -> Result<f64> {
        at_least("blocks", 2, self.blocks as usize)?;
        let mean = self.mean()?;
        let residuals =
            mean.mul_add(mean * self.size_squares, (-2.0 * mean).mul_add(self.sum_products, self.sum_squares));
        let blocks = self.blocks as f64;
        // What rounding leaves of equal blocks is no variation.
        if residuals <= blocks * f64::EPSILON * self.sum_squares {
            return Ok(0.0);
        }
        Ok((residuals * blocks / (blocks - 1.0)).sqrt() / self.size)
    }

    /// The mean with its CR1 standard error on G − 1 degrees of freedom.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] for fewer than two blocks.
    pub fn estimate(&self) -> Result<MeanEstimate> {
        Ok(MeanEstimate { mean: self.mean()?, se: self.standard_error()?, df: self.blocks as f64 - 1.0 })
    }

    /// Mean ± t(G−1) × CR1.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] for fewer than two blocks; [`super::StatError::Undefined`] when the blocks do not
    /// vary at all: see [`BlockMoments::with_pseudo_pair`].
    pub fn t_interval(&self, alpha: Alpha) -> Result<Interval> {
        self.estimate()?.t_interval(alpha)
    }

    /// Two-sided p of "the mean is zero" by the t test on blocks; 1 when every block is 0.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] for fewer than two blocks; [`super::StatError::Undefined`] when all blocks have the
    /// same mean and it is not 0: t has no value then, and agreement of a few blocks is no proof.
    pub fn t_test(&self) -> Result<f64> {
        let estimate = self.estimate()?;
        if estimate.mean == 0.0 && estimate.se == 0.0 {
            return Ok(1.0);
        }
        estimate.t_test()
    }

    /// The same with two further blocks of size 1 whose sums are `+value` and `−value`.
    ///
    /// The pair keeps the centre near the estimate and the width honest where few blocks moved: without it, "no change
    /// in 20 examples" would have an interval of zero width. For differences of 0..1 scores over k trials the value is
    /// 1/√k, the largest change of one example scaled to the error of a mean of k.
    #[must_use]
    pub fn with_pseudo_pair(mut self, value: f64) -> Self {
        self.push(value, 1.0);
        self.push(-value, 1.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_one_are_the_ordinary_t_interval() {
        let mut moments = BlockMoments::default();
        for x in [1.0, 2.0, 3.0, 4.0, 10.0] {
            moments.push(x, 1.0);
        }
        // Sample variance 12.5, so the error of the mean is sqrt(12.5 / 5).
        assert!((moments.standard_error().unwrap() - 2.5_f64.sqrt()).abs() < 1e-12);
        let interval = moments.t_interval(Alpha::FIVE_PERCENT).unwrap();
        assert!((interval.high - (4.0 + 2.776_445_105_197_8 * 2.5_f64.sqrt())).abs() < 1e-6);
    }

    #[test]
    fn blocks_that_agree_exactly_are_no_proof() {
        // Three tenths are not a binary fraction: the sums round.
        let mut moments = BlockMoments::default();
        (0..20).for_each(|_| moments.push(0.3, 1.0));
        assert_eq!(moments.standard_error(), Ok(0.0));
        assert!(moments.t_interval(Alpha::FIVE_PERCENT).is_err() && moments.t_test().is_err());
    }

    #[test]
    fn one_block_has_no_error() {
        let mut moments = BlockMoments::default();
        moments.push(1.0, 3.0);
        assert!(moments.t_interval(Alpha::FIVE_PERCENT).is_err());
    }

    #[test]
    fn a_pseudo_pair_never_lets_the_width_vanish() {
        let mut moments = BlockMoments::default();
        (0..20).for_each(|_| moments.push(0.0, 1.0));
        assert!(moments.t_interval(Alpha::FIVE_PERCENT).is_err());
        assert_eq!(moments.t_test(), Ok(1.0));
        let honest = moments.with_pseudo_pair(1.0).t_interval(Alpha::FIVE_PERCENT).unwrap();
        assert!(honest.low < -0.1 && honest.high > 0.1);
    }
}
