//! How many items a t test needs: power, sample size and smallest detectable effect, exact for normal data.

use super::error::{Result, StatError};
use super::interval::Alpha;
use super::noncentral_t::{noncentral_t_cdf, noncentral_t_sf};
use super::power::{boundary, check_power, check_size};
use super::special::t_quantile;

/// The data of a t test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TDesign {
    /// One mean against a constant, or a mean of paired differences; n is the number of items or pairs.
    OneSample,
    /// Two means of independent groups of equal size; n is the size of each.
    TwoSample,
}

/// What a t test looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tails {
    /// A difference in either direction, alpha/2 on each side.
    Both,
    /// A positive difference, all of alpha on that side.
    Upper,
}

/// A planned t test, whose power is asked for. Effects are standardised: d = difference / standard deviation (of the differences
/// when paired).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTestPlan {
    /// One sample (or pairs) or two.
    pub design: TDesign,
    /// Two-sided or not.
    pub tails: Tails,
    /// The level of the test.
    pub alpha: Alpha,
}

impl TTestPlan {
    /// Degrees of freedom and noncentrality for one unit of effect.
    fn geometry(&self, items: f64) -> (f64, f64) {
        match self.design {
            TDesign::OneSample => (items - 1.0, libm::sqrt(items)),
            TDesign::TwoSample => (2.0 * (items - 1.0), libm::sqrt(0.5 * items)),
        }
    }

    fn check_target(&self, power: f64) -> Result<()> {
        check_power(power)?;
        if power <= self.alpha.get() {
            return Err(StatError::Undefined("a difference of zero has the power asked for"));
        }
        Ok(())
    }

    /// Power against the standardised effect `effect` with `items` items (in each group), from the noncentral t
    /// distribution; exact for normal data. Both tails count in a two-sided test.
    ///
    /// ```
    /// use evalgauge::stats::Alpha;
    /// use evalgauge::stats::t_power::{TDesign, TTestPlan, Tails};
    /// // R: power.t.test(n = 20, delta = 1, sd = 1) gives 0.869.
    /// let test = TTestPlan { design: TDesign::TwoSample, tails: Tails::Both, alpha: Alpha::FIVE_PERCENT };
    /// assert!((test.power(1.0, 20.0)? - 0.869).abs() < 5e-4);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for fewer than two items or an effect so large that the noncentrality leaves ±10⁴.
    pub fn power(&self, effect: f64, items: f64) -> Result<f64> {
        check_size(items, 2.0, "[2, inf)")?;
        let (df, unit) = self.geometry(items);
        let noncentrality = effect * unit;
        match self.tails {
            Tails::Upper => noncentral_t_sf(-t_quantile(self.alpha.get(), df), df, noncentrality),
            Tails::Both => {
                let critical = self.alpha.two_sided_t(df);
                let upper = noncentral_t_sf(critical, df, noncentrality)?;
                Ok((upper + noncentral_t_cdf(-critical, df, noncentrality)?).min(1.0))
            }
        }
    }

    /// Items (in each group) needed for the power asked for; at least 2.
    ///
    /// ```
    /// use evalgauge::stats::Alpha;
    /// use evalgauge::stats::t_power::{TDesign, TTestPlan, Tails};
    /// // R: power.t.test(power = .90, delta = 1) gives n = 22.02110.
    /// let test = TTestPlan { design: TDesign::TwoSample, tails: Tails::Both, alpha: Alpha::FIVE_PERCENT };
    /// assert!((test.sample_size(1.0, 0.90)? - 22.021_10).abs() < 5e-5);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a power outside (0, 1); [`StatError::Undefined`] for an effect of zero (or below,
    /// in a one-sided test), a power of alpha or less, or more than 10¹² items.
    pub fn sample_size(&self, effect: f64, power: f64) -> Result<f64> {
        self.check_target(power)?;
        let wrong_way = self.tails == Tails::Upper && effect < 0.0;
        if effect == 0.0 || wrong_way {
            return Err(StatError::Undefined("no sample is large enough for this effect"));
        }
        let (mut low, mut high) = (2.0, 2.0);
        while self.power(effect, high)? < power {
            low = high;
            high *= 2.0;
            if high > 1e12 {
                return Err(StatError::Undefined("the effect needs more than 10^12 items"));
            }
        }
        if high == low {
            return Ok(high);
        }
        Ok(boundary(low, high, |items| self.power(effect, items).is_ok_and(|reached| reached >= power)))
    }

    /// Smallest standardised effect found with `items` items (in each group) and the power asked for.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for fewer than two items, a power outside (0, 1) or an effect so large that the
    /// noncentrality exceeds 10⁴; [`StatError::Undefined`] for a power of alpha or less.
    pub fn detectable_effect(&self, items: f64, power: f64) -> Result<f64> {
        self.check_target(power)?;
        check_size(items, 2.0, "[2, inf)")?;
        let mut high = 1.0 / self.geometry(items).1;
        let mut low = 0.0;
        while self.power(high, items)? < power {
            low = high;
            high *= 2.0;
        }
        Ok(boundary(low, high, |effect| self.power(effect, items).is_ok_and(|reached| reached >= power)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn t_test(design: TDesign, tails: Tails) -> TTestPlan {
        TTestPlan { design, tails, alpha: Alpha::FIVE_PERCENT }
    }

    #[test]
    fn t_power_matches_published_values() {
        // Help pages of R's power.t.test and of its package pwr.
        let two = t_test(TDesign::TwoSample, Tails::Both);
        assert!((two.power(1.0, 20.0).unwrap() - 0.868_952_8).abs() < 5e-7);
        let one_sided = t_test(TDesign::TwoSample, Tails::Upper);
        assert!((one_sided.sample_size(1.0, 0.90).unwrap() - 17.847_13).abs() < 5e-5);
        let ten_percent = TTestPlan { alpha: Alpha::new(0.10).unwrap(), ..t_test(TDesign::OneSample, Tails::Both) };
        assert!((ten_percent.power(0.2, 60.0).unwrap() - 0.455_581_8).abs() < 5e-7);
    }

    #[test]
    fn without_an_effect_power_is_the_level() {
        for design in [TDesign::OneSample, TDesign::TwoSample] {
            for tails in [Tails::Both, Tails::Upper] {
                for items in [2.0, 5.0, 400.0, 2e6] {
                    let power = t_test(design, tails).power(0.0, items).unwrap();
                    assert!((power - 0.05).abs() < 1e-8, "{design:?} {tails:?} {items}: {power}");
                }
            }
        }
    }

    #[test]
    fn t_sizes_that_do_not_exist_are_refused() {
        let both = t_test(TDesign::OneSample, Tails::Both);
        let upper = t_test(TDesign::OneSample, Tails::Upper);
        assert!(both.sample_size(0.0, 0.8).is_err());
        assert!(upper.sample_size(-0.2, 0.8).is_err());
        assert!(both.sample_size(0.2, 0.05).is_err());
        assert!(both.sample_size(f64::NAN, 0.8).is_err());
        assert!(both.sample_size(1e-9, 0.8).is_err());
        assert!(both.power(0.2, 1.0).is_err());
        assert!(both.power(f64::INFINITY, 10.0).is_err());
        assert!(both.detectable_effect(1.0, 0.8).is_err());
        assert_eq!(both.sample_size(100.0, 0.8).unwrap(), 2.0);
        assert!((both.sample_size(-0.3, 0.8).unwrap() - both.sample_size(0.3, 0.8).unwrap()).abs() < 1e-6);
        // Large samples: (z_a + z_b)²/d² with z_a = 1.644854 and z_b = 0.841621.
        let size = upper.sample_size(1e-4, 0.8).unwrap();
        assert!((size / 618_255_736.0 - 1.0).abs() < 1e-6, "{size}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn t_power_inverts(
            effect in 0.05..2.0, power in 0.2..0.99, one_sample in any::<bool>(), both in any::<bool>(),
        ) {
            let design = if one_sample { TDesign::OneSample } else { TDesign::TwoSample };
            let test = t_test(design, if both { Tails::Both } else { Tails::Upper });
            let items = test.sample_size(effect, power).unwrap();
            if items > 2.0 {
                prop_assert!((test.power(effect, items).unwrap() - power).abs() < 1e-9);
                prop_assert!((test.detectable_effect(items, power).unwrap() - effect).abs() < 1e-7);
            }
        }
    }
}
