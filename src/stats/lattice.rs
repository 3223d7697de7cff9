//! Changes as whole numbers, so that sums are exact and do not depend on their order.

/// The largest common denominator that is tried: covers 0/1 scores with up to 10 trials (lcm 2520), grades with two
/// decimals, and their products with few trials.
const MOST_DENOMINATOR: u32 = 2_520;

/// Values that are not on a lattice are held to this many binary digits of the largest one.
const FIXED_POINT_BITS: i32 = 40;

/// The smallest `D` up to 2,520 of which every value is a multiple of `1/D`, if there is one.
pub(super) fn common_denominator(values: &[f64]) -> Option<f64> {
    (1..=MOST_DENOMINATOR).map(f64::from).find(|d| {
        values.iter().all(|value| {
            let scaled = value * d;
            (scaled - scaled.round()).abs() <= 1e-9 && scaled.abs() < 1e12
        })
    })
}

/// The greatest common divisor; that of 0 and `a` is `a`.
pub(super) const fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Whole numbers proportional to `values`.
///
/// When all values are multiples of `1/D` for some `D` up to 2,520 the result is `value * D`, exactly; otherwise each
/// value is rounded to 40 binary digits below the largest magnitude. Either way the sum of any subset, with any signs,
/// is exact: equal sums are equal integers.
#[must_use]
pub fn proportional_integers(values: &[f64]) -> Vec<i64> {
    if let Some(d) = common_denominator(values) {
        return values.iter().map(|value| (value * d).round() as i64).collect();
    }
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let (_, exponent) = libm::frexp(largest);
    values.iter().map(|&value| libm::ldexp(value, FIXED_POINT_BITS - exponent).round() as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_and_grades_are_exact() {
        assert_eq!(proportional_integers(&[1.0 / 3.0, -2.0 / 3.0, 1.0]), [1, -2, 3]);
        assert_eq!(proportional_integers(&[0.25, -0.5]), [1, -2]);
        assert_eq!(proportional_integers(&[1.0, 0.0, -1.0]), [1, 0, -1]);
    }

    #[test]
    fn other_values_keep_their_order_and_ties() {
        let integers =
            proportional_integers(&[0.123_456_789_1, -0.3, std::f64::consts::FRAC_1_SQRT_2, 0.123_456_789_1]);
        assert_eq!(integers[0], integers[3]);
        assert!(integers[1] < 0 && integers[0] < integers[2]);
    }
}
