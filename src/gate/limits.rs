//! Policy of everything beside the cells: examples by name, thresholds, guard rails, safety, waivers.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::compare::{Measure, OVERALL};

/// `[gate.require] broken`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokenLimit {
    /// The most examples that may break for good: all trials passed, now none does.
    pub max: u64,
}

/// The least acceptable value of a metric: one number for `overall`, or a table by slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or a table like { overall = 0.8, \"tier=1\" = 0.9 }")]
pub enum Minimum {
    /// Of the whole set.
    Overall(f64),
    /// By slice.
    Slices(BTreeMap<String, f64>),
}

impl Minimum {
    /// Each slice with its threshold.
    #[must_use]
    pub fn entries(&self) -> Vec<(&str, f64)> {
        match self {
            Self::Overall(least) => vec![(OVERALL, *least)],
            Self::Slices(slices) => slices.iter().map(|(slice, least)| (slice.as_str(), *least)).collect(),
        }
    }
}

/// How far a measure may rise: `"200ms"`, `"1.5s"`, `"20%"` of the baseline's, or a number in units of the measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "AmountText", into = "AmountText")]
pub enum Amount {
    /// In units of the measure (milliseconds for times).
    Absolute(f64),
    /// As a share of the baseline's value.
    Relative(f64),
    /// A time, in milliseconds.
    Time(f64),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or a text like \"20%\" or \"200ms\"")]
enum AmountText {
    Number(f64),
    Text(String),
}

impl TryFrom<AmountText> for Amount {
    type Error = String;

    fn try_from(text: AmountText) -> Result<Self, String> {
        let text = match text {
            AmountText::Number(number) => return Self::Absolute(number).checked(),
            AmountText::Text(text) => text,
        };
        let wrong =
            || format!("`{text}` is no amount; expected a number, a share like \"20%\" or a time like \"200ms\"");
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let trimmed = text.trim();
        if let Some(percent) = trimmed.strip_suffix('%') {
            return Self::Relative(number(percent)? / 100.0).checked();
        }
        if let Some(milliseconds) = trimmed.strip_suffix("ms") {
            return Self::Time(number(milliseconds)?).checked();
        }
        if let Some(seconds) = trimmed.strip_suffix('s') {
            return Self::Time(1_000.0 * number(seconds)?).checked();
        }
        Self::Absolute(number(trimmed)?).checked()
    }
}

impl From<Amount> for AmountText {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Absolute(number) => Self::Number(number),
            // Rounded, since 0.07 times 100 is not 7 in binary.
            Amount::Relative(share) => Self::Text(format!("{}%", (share * 1e8).round() / 1e6)),
            Amount::Time(milliseconds) => Self::Text(format!("{milliseconds}ms")),
        }
    }
}

impl Amount {
    fn checked(self) -> Result<Self, String> {
        let (Self::Absolute(number) | Self::Relative(number) | Self::Time(number)) = self;
        if number.is_finite() && number >= 0.0 {
            Ok(self)
        } else {
            Err(format!("an amount of {number} is no limit; expected 0 or more"))
        }
    }

    /// The amount as people write it.
    #[must_use]
    pub fn text(self) -> String {
        match AmountText::from(self) {
            AmountText::Number(number) => number.to_string(),
            AmountText::Text(text) => text,
        }
    }
}

/// What a measure may do.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardRail {
    /// How far it may rise above the baseline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_increase: Option<Amount>,
    /// The highest it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Amount>,
}

/// `[gate.guard]`
pub type GuardRails = BTreeMap<Measure, GuardRail>;

/// A map by measures takes no other key.
pub(super) fn rails_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": generator.subschema_for::<Measure>(),
        "additionalProperties": generator.subschema_for::<GuardRail>()
    })
}

/// `[gate.safety]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SafetyPolicy {
    /// The slices: `key=value`, or `key=*` for all values of a key.
    pub slices: Vec<String>,
    /// How often both sides are run again on an example that passed and now fails.
    #[serde(default = "default_confirm")]
    pub confirm: u32,
}

const fn default_confirm() -> u32 {
    5
}

impl SafetyPolicy {
    /// Whether an example in these slices (`key=value`) is one of safety.
    #[must_use]
    pub fn covers(&self, slices: &[String]) -> bool {
        let matches = |pattern: &str, slice: &str| {
            pattern == slice
                || pattern.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('=') && slice.starts_with(prefix))
        };
        self.slices.iter().any(|pattern| slices.iter().any(|slice| matches(pattern, slice)))
    }
}

/// `[[gate.accept]]`: a fall that the team takes, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The cell, `metric @ slice`.
    pub cell: String,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    #[serde(deserialize_with = "day")]
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub until: jiff::civil::Date,
}

/// A day; the library's own complaint names neither the key nor the form.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<jiff::civil::Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    let complaint = || serde::de::Error::custom(format!("`until` is `{text}`; expected a day like \"2026-12-31\""));
    text.parse().map_err(|_| complaint())
}

/// Refuses what no rule could be made of.
///
/// # Errors
/// A sentence naming the key.
pub(super) fn check(guard: &GuardRails, safety: Option<&SafetyPolicy>, accept: &[Waiver]) -> Result<(), String> {
    for (measure, rail) in guard {
        let name = measure.name();
        let amounts = [rail.max_increase, rail.max].into_iter().flatten();
        if amounts.clone().next().is_none() {
            return Err(format!("`guard.{name}` has no limit; give it `max_increase` or `max`"));
        }
        if let Some(Amount::Relative(_)) = rail.max {
            return Err(format!("`guard.{name}.max` is a share of nothing; give it in units of the measure"));
        }
        if amounts.into_iter().any(|amount| matches!(amount, Amount::Time(_))) && !measure.is_time() {
            return Err(format!("`guard.{name}` is no time; give it a number or a share like \"20%\""));
        }
    }
    if let Some(safety) = safety {
        if let Some(slice) = safety.slices.iter().find(|slice| !slice.contains('=')) {
            return Err(format!("`safety.slices` has `{slice}`; expected `key=value` or `key=*`"));
        }
        if !(3..=50).contains(&safety.confirm) {
            return Err(format!("`safety.confirm` is {}; expected 3 to 50", safety.confirm));
        }
    }
    for waiver in accept {
        if !waiver.cell.contains(" @ ") {
            return Err(format!("`accept` has the cell `{}`; expected `metric @ slice`", waiver.cell));
        }
        for (key, text) in [("reason", &waiver.reason), ("by", &waiver.by)] {
            if text.trim().is_empty() {
                return Err(format!("`accept` of `{}` has an empty `{key}`", waiver.cell));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, amount) in [
            ("\"20%\"", Amount::Relative(0.2)),
            ("\"7 %\"", Amount::Relative(0.07)),
            ("\"200ms\"", Amount::Time(200.0)),
            ("\"1.5s\"", Amount::Time(1_500.0)),
            ("0.01", Amount::Absolute(0.01)),
            ("\"3\"", Amount::Absolute(3.0)),
        ] {
            let read: Amount = serde_json::from_str(text).unwrap();
            assert_eq!(read, amount, "{text}");
            let written = serde_json::to_string(&amount).unwrap();
            assert_eq!(serde_json::from_str::<Amount>(&written).unwrap(), amount, "{written}");
        }
        for text in ["\"20 percent\"", "-1", "\"-5%\"", "\"NaN\"", "true"] {
            assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let rails = |text: &str| check(&serde_json::from_str(text).unwrap(), None, &[]);
        assert!(rails(r#"{"latency_p95": {"max_increase": "200ms"}, "refusals": {"max_increase": 0.01}}"#).is_ok());
        for text in [
            r#"{"latency_p95": {}}"#,
            r#"{"latency_p95": {"max": "20%"}}"#,
            r#"{"refusals": {"max_increase": "200ms"}}"#,
        ] {
            assert!(rails(text).is_err(), "{text}");
        }
        let safety = |text: &str| check(&GuardRails::new(), Some(&serde_json::from_str(text).unwrap()), &[]);
        assert!(safety(r#"{"slices": ["safety=*"]}"#).is_ok());
        assert!(safety(r#"{"slices": ["safety"]}"#).is_err());
        assert!(safety(r#"{"slices": [], "confirm": 1}"#).is_err());
    }

    #[test]
    fn safety_slices_are_named_or_all_of_a_key() {
        let safety = SafetyPolicy { slices: vec!["safety=*".to_owned(), "tier=1".to_owned()], confirm: 5 };
        let covers = |slice: &str| safety.covers(&[slice.to_owned()]);
        assert!(covers("safety=injection") && covers("tier=1") && !covers("tier=11") && !covers("safetyx=1"));
    }
}
