//! Settings → a provider with its wrappers.

use std::path::Path;
use std::sync::Arc;

use super::budget::Budget;
use super::cache::{CacheMode, Cached, Identity, Store};
use super::limited::Limited;
use super::metered::Metered;
use super::notice::{Notice, Notices};
use super::price::{Price, PriceTable};
use super::retrying::Retrying;
use super::router::{Provider, ProviderError};
use super::spec::ProviderSpec;
use super::version::Revision;
use crate::evalset::EvalSet;

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
    /// What git says of the project, where a version needs it.
    pub revision: Option<&'a Revision>,
    /// What is asked about, for providers that learn from it, or must not have seen it.
    pub evalset: Option<&'a EvalSet>,
    /// Where answers are kept, and how that is used.
    pub cache: Option<(&'a Arc<Store>, CacheMode)>,
    /// Sets answers apart from all that are kept of the same questions: trials that are to be new ones for a decision, and the
    /// same again when the decision is made again.
    pub draw: Option<&'a str>,
}

impl ProviderSpec {
    /// Makes the provider and what is around it: the cache outside, then retries, each attempt limited and metered.
    ///
    /// Programs, rule files and recordings have no retries, limits and prices: they are this machine's own.
    ///
    /// # Errors
    /// Settings or files that cannot be used; a model without a price under a budget in dollars.
    pub fn wrapped(&self, around: &Surroundings<'_>) -> Result<Box<dyn Provider>, ProviderError> {
        let inner = self.build(around.root, around.environment, around.evalset, around.notices)?;
        let inner = match self.network() {
            None => inner,
            Some((retry, limits)) => {
                retry.check().and_then(|()| limits.check()).map_err(ProviderError::Settings)?;
                let price = self.price(around)?;
                let metered = Metered::new(inner, price, Arc::clone(around.budget)).telling(around.notices.clone());
                let limited = Limited::new(Box::new(metered), limits, around.concurrency, around.notices.clone());
                Box::new(Retrying::new(Box::new(limited), retry, around.notices.clone()))
            }
        };
        let Some((store, mode)) = around.cache else { return Ok(inner) };
        Ok(match self.identity(around)? {
            Kept::As(identity) => {
                let cached = Cached::new(inner, identity, Arc::clone(store), mode);
                Box::new(cached.telling(around.notices.clone()))
            }
            Kept::Never => inner,
            Kept::NotNow(why) if mode == CacheMode::ReadOnly => {
                return Err(ProviderError::Settings(format!("nobody may be asked, and no answer is kept: {why}")));
            }
            Kept::NotNow(why) => {
                around.notices.tell(Notice::Warning { message: format!("no answer is kept: {why}") });
                inner
            }
        })
    }

    /// The price of its answers, where it is a model that has one.
    ///
    /// # Errors
    /// A model without a price under a budget in dollars.
    pub(super) fn price(&self, around: &Surroundings<'_>) -> Result<Option<Price>, ProviderError> {
        let Some((_, spec)) = self.model() else { return Ok(None) };
        let price = around.prices.of(&spec.model);
        if price.is_none() && around.budget.needs_prices() {
            return Err(ProviderError::Settings(format!(
                "there is a budget in USD and no price of `{}`; give one in a file that `prices` names",
                spec.model
            )));
        }
        Ok(price)
    }

    /// Who answers, as far as answers may be kept: a model always, an application or a program when it is said what is
    /// running.
    ///
    /// # Errors
    /// A file that the version is made of and that cannot be read; a version by git where there is no commit.
    pub fn identity(&self, around: &Surroundings<'_>) -> Result<Kept, ProviderError> {
        let drawn = |identity: Identity| match around.draw {
            Some(draw) => identity.with("draw", draw),
            None => identity,
        };
        if let Some((vendor, spec)) = self.model() {
            let base_url = spec.base_url.as_deref().unwrap_or_else(|| vendor.base_url());
            let identity = Identity::new(self.kind(), base_url).with_headers(&spec.headers);
            return Ok(Kept::As(drawn(match &spec.api_version {
                Some(version) => identity.with("api_version", version),
                None => identity,
            })));
        }
        let Some(version) = self.running(around.root, around.revision)? else { return Ok(Kept::Never) };
        if let Some(why) = version.unfit {
            return Ok(Kept::NotNow(why));
        }
        let identity = match self {
            Self::Http(spec) => Identity::new(self.kind(), &spec.url).with_headers(&spec.headers),
            _ => Identity::new(self.kind(), ""),
        };
        Ok(Kept::As(drawn(identity.with("settings", &self.digest(around.root, around.revision)?))))
    }
}

/// Whether answers are kept, and under whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Under this.
    As(Identity),
    /// They are not: nobody says what is running.
    Never,
    /// They would be, but what is running cannot be told now.
    NotNow(&'static str),
}

impl Kept {
    /// Under whose name they are kept.
    #[must_use]
    pub fn identity(self) -> Option<Identity> {
        match self {
            Self::As(identity) => Some(identity),
            Self::Never | Self::NotNow(_) => None,
        }
    }
}
