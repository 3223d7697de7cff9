//! From the trials of an example to its one value.

use crate::stats::pass_at_k::{pass_at_k, pass_hat_k};

/// What becomes of the trials of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregate {
    /// Their mean.
    #[default]
    Mean,
    /// The chance that at least one of k passes.
    PassAtK(u32),
    /// The chance that all of k pass.
    PassHatK(u32),
    /// Whether at least k pass.
    AtLeastK(u32),
    /// Whether more than half pass.
    Majority,
    /// Their median.
    Median,
}

impl Aggregate {
    /// The fewest trials from which it can be made.
    #[must_use]
    pub const fn fewest_trials(self) -> u32 {
        match self {
            Self::PassAtK(k) | Self::PassHatK(k) | Self::AtLeastK(k) => k,
            Self::Mean | Self::Majority | Self::Median => 1,
        }
    }

    /// Whether every example's value is 0 or 1, whatever its trials are.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::AtLeastK(_) | Self::Majority)
    }

    /// The value of an example with these trials, of which `passes` passed; `None` for fewer than it needs.
    #[must_use]
    pub fn of(self, trials: &[f64], passes: u32) -> Option<f64> {
        let n = trials.len() as u32;
        if n < self.fewest_trials() {
            return None;
        }
        let share = |holds: bool| Some(f64::from(u8::from(holds)));
        match self {
            Self::Mean => Some(trials.iter().sum::<f64>() / f64::from(n)),
            Self::PassAtK(k) => pass_at_k(n.into(), passes.into(), k.into()).ok(),
            Self::PassHatK(k) => pass_hat_k(n.into(), passes.into(), k.into()).ok(),
            Self::AtLeastK(k) => share(passes >= k),
            Self::Majority => share(2 * passes > n),
            Self::Median => {
                let mut sorted = trials.to_vec();
                sorted.sort_by(f64::total_cmp);
                let (below, above) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
                Some(f64::midpoint(below, above))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_makes_one_value_of_the_trials() {
        let trials = [1.0, 0.0, 1.0, 0.0];
        for (aggregate, expected) in [
            (Aggregate::Mean, Some(0.5)),
            (Aggregate::PassAtK(2), Some(5.0 / 6.0)),
            (Aggregate::PassHatK(2), Some(1.0 / 6.0)),
            (Aggregate::PassHatK(5), None),
            (Aggregate::AtLeastK(2), Some(1.0)),
            (Aggregate::AtLeastK(3), Some(0.0)),
            (Aggregate::AtLeastK(5), None),
            (Aggregate::Majority, Some(0.0)),
            (Aggregate::Median, Some(0.5)),
        ] {
            let value = aggregate.of(&trials, 2);
            match (value, expected) {
                (Some(value), Some(expected)) => assert!((value - expected).abs() < 1e-15, "{aggregate:?}: {value}"),
                (value, expected) => assert_eq!(value, expected, "{aggregate:?}"),
            }
        }
        assert_eq!(Aggregate::Majority.of(&[1.0, 1.0, 0.0], 2), Some(1.0));
        assert_eq!(Aggregate::Median.of(&[3.0, 0.0, 2.0], 0), Some(2.0));
        assert_eq!(Aggregate::Mean.of(&[], 0), None);
    }
}
