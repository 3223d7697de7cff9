//! What every attempt takes: price, and the budget of the run. A wrapper around a provider.

use std::sync::Arc;

use super::budget::Budget;
use super::notice::{Notice, Notices};
use super::price::Price;
use super::router::{Answering, Closing, Provider, ProviderError};
use crate::call::{Answered, Call};

/// Sends only what the budget has room for, and writes the price on the answer.
pub struct Metered {
    inner: Box<dyn Provider>,
    price: Option<Price>,
    budget: Arc<Budget>,
    notices: Notices,
}

impl Metered {
    /// Wraps a provider; without a price its answers have no cost, which is not a cost of 0.
    #[must_use]
    pub fn new(inner: Box<dyn Provider>, price: Option<Price>, budget: Arc<Budget>) -> Self {
        Self { inner, price, budget, notices: Notices::default() }
    }

    /// The same, saying when the budget stops a call.
    #[must_use]
    pub fn telling(mut self, notices: Notices) -> Self {
        self.notices = notices;
        self
    }

    async fn metered(&self, call: &Call) -> Result<Answered, ProviderError> {
        let estimate = call.estimated_usage();
        let usd = self.price.map_or(0.0, |price| price.of(estimate));
        let aside = self.budget.set_aside(estimate.total(), usd).inspect_err(|error| {
            if let ProviderError::Budget(reached) = error {
                let provider = call.provider().to_owned();
                self.notices.tell(Notice::Budget { provider, reached: reached.clone() });
            }
        })?;
        let answered = self.inner.ask(call).await?;
        let cost_usd = answered.cost_usd.or_else(|| Some(self.price?.of(answered.usage?)));
        if matches!(answered.reply, crate::call::Reply::Failed(_)) && answered.usage.is_none() {
            drop(aside);
        } else {
            aside.book(answered.usage, cost_usd);
        }
        Ok(Answered { cost_usd, ..answered })
    }
}

impl Provider for Metered {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(self.metered(call))
    }

    fn close(&self) -> Closing<'_> {
        self.inner.close()
    }
}
