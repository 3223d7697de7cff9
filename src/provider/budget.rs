//! What a whole run may cost, over candidate and judges together.

use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::router::ProviderError;
use crate::call::Usage;

/// `[budget]`
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSpec {
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Tokens, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Requests that are sent, repeated ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

impl BudgetSpec {
    /// Refuses a limit that is none: nothing is more than a number that is no number.
    ///
    /// # Errors
    /// A sentence naming the key.
    pub fn check(&self) -> Result<(), String> {
        match self.usd {
            Some(usd) if !(usd.is_finite() && usd >= 0.0) => {
                Err(format!("`budget.usd` is {usd}; expected US dollars, 0 or more"))
            }
            _ => Ok(()),
        }
    }
}

/// What was sent and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spent {
    /// US dollars, of calls whose price is known.
    pub usd: f64,
    /// Tokens.
    pub tokens: u64,
    /// Requests.
    pub requests: u64,
    /// Answers whose price is not known.
    pub unpriced: u64,
}

/// A budget that is never exceeded: what a call may take at the most is set aside before it is sent.
#[derive(Debug, Default)]
pub struct Budget {
    spec: BudgetSpec,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: Spent,
    /// Set aside for calls in flight.
    aside: Spent,
}

/// What was set aside for one call; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Aside<'b> {
    budget: &'b Budget,
    usd: f64,
    tokens: u64,
}

impl Budget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new(spec: BudgetSpec) -> Self {
        Self { spec, state: Mutex::default() }
    }

    /// What was spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.lock().spent
    }

    /// Whether it limits dollars, so that a call without a price cannot be sent.
    #[must_use]
    pub const fn needs_prices(&self) -> bool {
        self.spec.usd.is_some()
    }

    /// Counts what an earlier start of a run took.
    pub fn already(&self, usage: Option<Usage>, usd: Option<f64>, requests: u64) {
        let mut state = self.lock();
        state.spent.tokens += usage.map_or(0, Usage::total);
        state.spent.usd += usd.unwrap_or(0.0);
        state.spent.requests += requests;
    }

    /// Sets aside what a call may take.
    pub(super) fn set_aside(&self, tokens: u64, usd: f64) -> Result<Aside<'_>, ProviderError> {
        let mut state = self.lock();
        let State { spent, aside } = &*state;
        let reached = |what: String| Err(ProviderError::Budget(what));
        if let Some(most) = self.spec.requests
            && spent.requests + 1 > most
        {
            return reached(format!("{} of {most} requests are sent", spent.requests));
        }
        if let Some(most) = self.spec.tokens
            && spent.tokens + aside.tokens + tokens > most
        {
            return reached(format!("{} of {most} tokens are used, and the next call may take {tokens}", spent.tokens));
        }
        if let Some(most) = self.spec.usd
            && spent.usd + aside.usd + usd > most
        {
            return reached(format!("{:.4} of {most} USD are spent, and the next call may cost {usd:.4}", spent.usd));
        }
        state.spent.requests += 1;
        state.aside.tokens += tokens;
        state.aside.usd += usd;
        Ok(Aside { budget: self, usd, tokens })
    }

    /// Sets aside what a call may take that is on its way already.
    pub(super) fn hold(&self, tokens: u64, usd: f64) -> Aside<'_> {
        let mut state = self.lock();
        state.spent.requests += 1;
        state.aside.tokens += tokens;
        state.aside.usd += usd;
        Aside { budget: self, usd, tokens }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside<'_> {
    /// Books what the call took.
    pub(super) fn book(self, usage: Option<Usage>, usd: Option<f64>) {
        let mut state = self.budget.lock();
        // Where the server says nothing, what was set aside counts as used.
        state.spent.tokens += usage.map_or(self.tokens, Usage::total);
        state.spent.usd += usd.unwrap_or(0.0);
        state.spent.unpriced += u64::from(usd.is_none());
        drop(state);
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.aside.tokens -= self.tokens;
        state.aside.usd -= self.usd;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_flight_counts() {
        let budget = Budget::new(BudgetSpec { tokens: Some(100), ..BudgetSpec::default() });
        let first = budget.set_aside(40, 0.0).unwrap();
        let second = budget.set_aside(40, 0.0).unwrap();
        assert!(budget.set_aside(40, 0.0).unwrap_err().to_string().contains("of 100 tokens"));
        first.book(Some(Usage { output_tokens: 10, ..Usage::default() }), None);
        drop(second);
        assert_eq!(budget.spent().tokens, 10);
        assert!(budget.set_aside(90, 0.0).is_ok() && budget.set_aside(91, 0.0).is_err());
    }

    #[test]
    fn a_limit_that_is_none_is_refused() {
        let usd = |usd| BudgetSpec { usd: Some(usd), ..BudgetSpec::default() };
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(usd(wrong).check().is_err(), "{wrong}");
        }
        assert!(usd(0.0).check().is_ok() && BudgetSpec::default().check().is_ok());
    }

    #[test]
    fn dollars_and_requests() {
        let budget = Budget::new(BudgetSpec { usd: Some(1.0), requests: Some(3), ..BudgetSpec::default() });
        budget.set_aside(1, 0.6).unwrap().book(None, Some(0.5));
        assert!(budget.set_aside(1, 0.6).is_err());
        budget.set_aside(1, 0.5).unwrap().book(None, Some(0.4));
        budget.already(None, Some(0.05), 1);
        assert!(budget.set_aside(1, 0.0).unwrap_err().to_string().contains("3 of 3 requests"));
        assert!((budget.spent().usd - 0.95).abs() < 1e-12);
    }
}
