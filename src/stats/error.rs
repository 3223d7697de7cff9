//! Why a statistic refuses to give a number.

/// The reason why a computation has no defined, trustworthy result.
///
/// Every function of [`crate::stats`] that can be asked for something undefined returns this instead of NaN, infinity
/// or an interval of zero width.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatError {
    /// Fewer observations than the method needs.
    #[error("{what}: needs at least {needed}, got {got}")]
    TooFew {
        /// What there are too few of, e.g. `"observations"`.
        what: &'static str,
        /// The smallest number that has a defined result.
        needed: usize,
        /// How many there were.
        got: usize,
    },
    /// A parameter or an observation lies outside the range on which the method is defined.
    #[error("{what} is {value}, outside {range}")]
    OutOfRange {
        /// The name of the offending quantity.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The permitted range in words, e.g. `"(0, 1)"`.
        range: &'static str,
    },
    /// Two inputs that must have the same length have not.
    #[error("{what}: lengths differ ({left} and {right})")]
    Lengths {
        /// What the two inputs are.
        what: &'static str,
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// The formula divides zero by zero, or the estimate does not exist, on this input.
    #[error("undefined: {0}")]
    Undefined(&'static str),
}

/// The result of a statistic.
pub type Result<T> = std::result::Result<T, StatError>;

/// Refuses fewer than `needed` of `what`.
///
/// # Errors
/// [`StatError::TooFew`] when `got < needed`.
pub const fn at_least(what: &'static str, needed: usize, got: usize) -> Result<()> {
    if got < needed { Err(StatError::TooFew { what, needed, got }) } else { Ok(()) }
}

/// Refuses two inputs of different length.
///
/// # Errors
/// [`StatError::Lengths`] when `left != right`.
pub const fn same_length(what: &'static str, left: usize, right: usize) -> Result<()> {
    if left == right { Ok(()) } else { Err(StatError::Lengths { what, left, right }) }
}

/// Refuses an empty sample, and NaN and infinity anywhere in it.
///
/// # Errors
/// [`StatError::TooFew`] for no values, [`StatError::OutOfRange`] for one that is not finite.
pub fn finite_sample(what: &'static str, values: &[f64]) -> Result<()> {
    at_least(what, 1, values.len())?;
    all_finite(what, values)
}

/// Refuses zero, negative numbers, NaN and infinity.
///
/// # Errors
/// [`StatError::OutOfRange`] naming `what` and the value.
pub fn positive(what: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what, value, range: "(0, ∞)" })
    }
}

/// Refuses a number outside `[0, 1]`, NaN included.
///
/// # Errors
/// [`StatError::OutOfRange`] naming `what` and the value.
pub fn in_unit_interval(what: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(StatError::OutOfRange { what, value, range: "[0, 1]" }) }
}

/// Refuses numbers outside `[0, 1]`, NaN included, anywhere in `values`.
///
/// # Errors
/// [`StatError::OutOfRange`] naming `what` and the first such value.
pub fn all_in_unit_interval(what: &'static str, values: &[f64]) -> Result<()> {
    values.iter().try_for_each(|&value| in_unit_interval(what, value))
}

/// Refuses NaN and infinity anywhere in `values`.
///
/// # Errors
/// [`StatError::OutOfRange`] naming `what` and the first value that is not finite.
pub fn all_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(StatError::OutOfRange { what, value, range: "the finite numbers" }),
        None => Ok(()),
    }
}
