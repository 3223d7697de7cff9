//! Why an answer ended.

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Finish;

settings! {
    /// `[scorers.NAME.finish_reason]`
    call FinishReasonSpec {
        /// The reasons that are right; `stop` where none is named.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub is: Vec<Finish>,
    }
}

/// The model's answer ended for a right reason.
#[derive(Debug)]
struct FinishReason {
    is: Vec<Finish>,
}

impl Settings for FinishReasonSpec {
    fn kind(&self) -> &'static str {
        "finish_reason"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let is = if self.is.is_empty() { vec![Finish::Stop] } else { self.is.clone() };
        self.common().measured(ValueKind::Right, FinishReason { is })
    }
}

impl Measure for FinishReason {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let unknown = || Miss::unable("the candidate gives no finish reason; only models do");
        let finish = at.case.answer.finish.ok_or_else(unknown)?;
        let right = self.is.contains(&finish);
        Ok(if right { Found::right(true) } else { Found::right(false).because(format!("ended by {}", finish.name())) })
    }
}
