//! What an answer took: time and money.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.latency]`
    call LatencySpec {
        /// The longest that an answer may take, in milliseconds.
        pub max_ms: f64,
    }
}

settings! {
    /// `[scorers.NAME.cost]`
    call CostSpec {
        /// The most that an answer may cost, in US dollars.
        pub max_usd: f64,
    }
}

/// The answer came in time. All calls of the candidate for the example count together; of a reply from the cache, the
/// time of the original call.
#[derive(Debug)]
struct Latency {
    max_ms: f64,
}

/// The answer was cheap enough.
#[derive(Debug)]
struct Cost {
    max_usd: f64,
}

impl Settings for LatencySpec {
    fn kind(&self) -> &'static str {
        "latency"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if !(self.max_ms > 0.0 && self.max_ms.is_finite()) {
            return Err(SpecError::new("say how long an answer may take with `max_ms`, above 0".to_owned()));
        }
        self.common().measured(ValueKind::Right, Latency { max_ms: self.max_ms })
    }
}

impl Settings for CostSpec {
    fn kind(&self) -> &'static str {
        "cost"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if !(self.max_usd > 0.0 && self.max_usd.is_finite()) {
            return Err(SpecError::new("say what an answer may cost with `max_usd`, above 0".to_owned()));
        }
        self.common().measured(ValueKind::Right, Cost { max_usd: self.max_usd })
    }
}

impl Measure for Latency {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let unknown = || Miss::unable("how long the answer took is not known: it came in a batch");
        let latency = at.case.took.latency_ms.ok_or_else(unknown)?;
        let found = Found::right(latency <= self.max_ms);
        // The time itself is no part of the reason: it differs from run to run where the score does not.
        Ok(if latency <= self.max_ms { found } else { found.because(format!("more than {} ms", self.max_ms)) })
    }
}

impl Measure for Cost {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let unknown = || Miss::unable("what the answer cost is not known: the candidate has no price");
        let cost = at.case.took.cost_usd.ok_or_else(unknown)?;
        let found = Found::right(cost <= self.max_usd);
        Ok(if cost <= self.max_usd { found } else { found.because(format!("more than ${}", self.max_usd)) })
    }
}
