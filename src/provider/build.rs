//! Settings → a provider with its wrappers.

use std::path::Path;
use std::sync::Arc;

use super::budget::Budget;
use super::limited::Limited;
use super::metered::Metered;
use super::notice::Notices;
use super::price::PriceTable;
use super::retrying::Retrying;
use super::router::{Provider, ProviderError};
use super::spec::ProviderSpec;

/// What a provider needs from outside its own settings.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// Environment variables: where keys are.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Calls that the run has in flight at the most.
    pub concurrency: usize,
    /// What the run may take.
    pub budget: &'a Arc<Budget>,
    /// Prices by model.
    pub prices: &'a PriceTable,
    /// Where wrappers speak.
    pub notices: &'a Notices,
}

impl ProviderSpec {
    /// Makes the provider and what is around it: retries outside, each attempt limited and metered.
    ///
    /// Programs, rule files and recordings have nothing around them: they are this machine's own.
    ///
    /// # Errors
    /// Settings or files that cannot be used; a model without a price under a budget in dollars.
    pub fn wrapped(&self, around: &Surroundings<'_>) -> Result<Box<dyn Provider>, ProviderError> {
        let inner = self.build(around.root, around.environment)?;
        let Some((retry, limits)) = self.network() else { return Ok(inner) };
        retry.check().and_then(|()| limits.check()).map_err(ProviderError::Settings)?;
        let price = self.model().and_then(|(_, spec)| around.prices.of(&spec.model));
        if let (Some((_, spec)), None, true) = (self.model(), price, around.budget.needs_prices()) {
            return Err(ProviderError::Settings(format!(
                "there is a budget in USD and no price of `{}`; give one in a file that `prices` names",
                spec.model
            )));
        }
        let metered = Metered::new(inner, price, Arc::clone(around.budget));
        let limited = Limited::new(Box::new(metered), limits, around.concurrency, around.notices.clone());
        Ok(Box::new(Retrying::new(Box::new(limited), retry, around.notices.clone())))
    }
}
