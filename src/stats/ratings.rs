//! Ratings of units by any number of raters, as tallies.

use super::error::{Result, all_finite, at_least, same_length};

/// One unit's ratings: which value (as position in the sorted list of values), and how often.
pub(super) type Tally = (u32, u32);

/// Ratings of units, gaps left out: for each unit, how many ratings fell on each value.
///
/// Who rated does not matter to the coefficients of [`super::multirater`] and [`super::alpha`], so it is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    values: Vec<f64>,
    starts: Vec<usize>,
    tallies: Vec<Tally>,
}

impl Ratings {
    /// Reads one list a rater, `None` where that rater left a unit out; all lists have one entry for each unit.
    ///
    /// Transposing raters and units gives a plausible wrong number: the outer list is the raters.
    ///
    /// # Errors
    /// [`TooFew`](super::StatError::TooFew) without two raters or without any rating,
    /// [`Lengths`](super::StatError::Lengths) for lists of different length,
    /// [`OutOfRange`](super::StatError::OutOfRange) for values that are not finite.
    pub fn from_raters<R: AsRef<[Option<f64>]>>(raters: &[R]) -> Result<Self> {
        at_least("raters", 2, raters.len())?;
        let units = raters[0].as_ref().len();
        for rater in raters {
            same_length("units of two raters", units, rater.as_ref().len())?;
        }
        let given: Vec<f64> = raters.iter().flat_map(|rater| rater.as_ref().iter().copied().flatten()).collect();
        let mut build = Builder::new(given)?;
        for unit in 0..units {
            build.unit(raters.iter().filter_map(|rater| rater.as_ref()[unit]));
        }
        Ok(build.finish())
    }

    /// Reads one list a unit, holding whatever ratings it got, in any order.
    ///
    /// # Errors
    /// [`TooFew`](super::StatError::TooFew) without any rating,
    /// [`OutOfRange`](super::StatError::OutOfRange) for values that are not finite.
    pub fn from_units<U: AsRef<[f64]>>(units: &[U]) -> Result<Self> {
        let given: Vec<f64> = units.iter().flat_map(|unit| unit.as_ref().iter().copied()).collect();
        let mut build = Builder::new(given)?;
        for unit in units {
            build.unit(unit.as_ref().iter().copied());
        }
        Ok(build.finish())
    }

    /// Adds values that could have been given but were not; AC1 and AC2 depend on how many there are.
    ///
    /// # Errors
    /// [`OutOfRange`](super::StatError::OutOfRange) for values that are not finite.
    pub fn with_categories(mut self, categories: &[f64]) -> Result<Self> {
        all_finite("category", categories)?;
        let mut values = self.values.clone();
        values.extend(categories.iter().map(|value| value + 0.0));
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        for tally in &mut self.tallies {
            tally.0 = code(&values, self.values[tally.0 as usize]);
        }
        self.values = values;
        Ok(self)
    }

    /// The distinct values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of units with at least one rating.
    #[must_use]
    pub fn units(&self) -> usize {
        self.starts.len() - 1
    }

    /// The tallies of each unit.
    pub(super) fn tallies(&self) -> impl Iterator<Item = &[Tally]> {
        self.starts.windows(2).map(|ends| &self.tallies[ends[0]..ends[1]])
    }
}

/// The number of ratings in a unit.
pub(super) fn size(unit: &[Tally]) -> f64 {
    f64::from(unit.iter().map(|tally| tally.1).sum::<u32>())
}

/// The position of a value that is known to be in the sorted list.
fn code(values: &[f64], value: f64) -> u32 {
    values.partition_point(|&other| other < value) as u32
}

struct Builder {
    ratings: Ratings,
    codes: Vec<u32>,
}

impl Builder {
    fn new(mut values: Vec<f64>) -> Result<Self> {
        at_least("ratings", 1, values.len())?;
        all_finite("rating", &values)?;
        for value in &mut values {
            *value += 0.0; // -0 and 0 are one value
        }
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        Ok(Self { ratings: Ratings { values, starts: vec![0], tallies: Vec::new() }, codes: Vec::new() })
    }

    fn unit(&mut self, ratings: impl Iterator<Item = f64>) {
        self.codes.clear();
        self.codes.extend(ratings.map(|value| code(&self.ratings.values, value)));
        if self.codes.is_empty() {
            return;
        }
        self.codes.sort_unstable();
        let tallies = &mut self.ratings.tallies;
        tallies.extend(self.codes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)));
        self.ratings.starts.push(tallies.len());
    }

    fn finish(self) -> Ratings {
        self.ratings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_empty_units_are_dropped() {
        let raters = [[Some(2.0), None, Some(1.0)], [Some(2.0), None, None]];
        let ratings = Ratings::from_raters(&raters).unwrap();
        assert_eq!(ratings, Ratings::from_units(&[vec![2.0, 2.0], vec![], vec![1.0]]).unwrap());
        assert_eq!((ratings.units(), ratings.values()), (2, [1.0, 2.0].as_slice()));
        let tallies: Vec<_> = ratings.tallies().map(<[Tally]>::to_vec).collect();
        assert_eq!(tallies, [vec![(1, 2)], vec![(0, 1)]]);
    }

    #[test]
    fn the_two_zeros_are_one_value() {
        let ratings = Ratings::from_units(&[[0.0, -0.0]]).unwrap();
        assert_eq!(ratings.values(), [0.0]);
    }

    #[test]
    fn more_categories_move_the_codes() {
        let ratings = Ratings::from_units(&[[2.0, 4.0]]).unwrap().with_categories(&[1.0, 3.0, 4.0]).unwrap();
        assert_eq!(ratings.values(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ratings.tallies().next().unwrap(), [(1, 1), (3, 1)]);
    }

    #[test]
    fn refusals() {
        assert!(Ratings::from_raters(&[[Some(1.0)]]).is_err());
        assert!(Ratings::from_raters::<Vec<_>>(&[]).is_err());
        assert!(Ratings::from_raters(&[[None], [None]]).is_err());
        assert!(Ratings::from_raters(&[vec![Some(1.0)], vec![Some(1.0), None]]).is_err());
        assert!(Ratings::from_units(&[[1.0, f64::NAN]]).is_err());
        assert!(Ratings::from_units(&[[1.0, 2.0]]).unwrap().with_categories(&[f64::INFINITY]).is_err());
    }
}
