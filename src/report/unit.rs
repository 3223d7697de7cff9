//! How numbers of a metric are written.

use crate::compare::MetricSummary;

/// How numbers of a metric are written: shares as per cent and points, others with three decimals.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    percent: bool,
}

impl Unit {
    pub(super) const fn new(percent: bool) -> Self {
        Self { percent }
    }

    pub(super) fn of(metrics: &[MetricSummary], name: &str) -> Self {
        let unit = metrics.iter().find(|metric| metric.name == name).map(|metric| metric.scale);
        Self { percent: unit.is_none_or(|scale| scale.low == 0.0 && scale.high == 1.0) }
    }

    pub(super) fn value(self, value: Option<f64>) -> String {
        value.map_or_else(
            || "–".to_owned(),
            |v| if self.percent { format!("{:.1} %", 100.0 * v) } else { format!("{v:.3}") },
        )
    }

    pub(super) const fn is_percent(self) -> bool {
        self.percent
    }

    /// An interval of a value.
    pub(super) fn range(self, ci: Option<(f64, f64)>) -> String {
        ci.map_or_else(
            || "–".to_owned(),
            |(low, high)| format!("[{}, {}]", self.value(Some(low)), self.value(Some(high))),
        )
    }

    pub(super) fn change(self, value: Option<f64>) -> String {
        value.map_or_else(|| "–".to_owned(), |v| self.signed(v))
    }

    pub(super) fn signed(self, value: f64) -> String {
        let text = if self.percent { format!("{:+.1}", 100.0 * value) } else { format!("{value:+.3}") };
        let digits = text.trim_start_matches(['+', '-']);
        let is_zero = digits.bytes().all(|b| b == b'0' || b == b'.');
        if is_zero { digits.to_owned() } else { text.replace('-', "−") }
    }

    pub(super) fn interval(self, ci: Option<(f64, f64)>) -> String {
        ci.map_or_else(|| "–".to_owned(), |(low, high)| format!("[{}, {}]", self.signed(low), self.signed(high)))
    }
}
