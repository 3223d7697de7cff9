//! Settings → a provider with its wrappers.

use std::path::Path;
use std::sync::Arc;

use super::budget::Budget;
use super::cache::{CacheMode, Cached, Identity, Store};
use super::limited::Limited;
use super::metered::Metered;
use super::notice::Notices;
use super::price::PriceTable;
use super::retrying::Retrying;
use super::router::{Provider, ProviderError};
use super::spec::{ProviderSpec, VersionSpec};
use crate::table::sha256_of_file;

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
    /// The commit of the project, where nothing is changed since.
    pub revision: Option<&'a str>,
    /// Where answers are kept, and how that is used.
    pub cache: Option<(&'a Arc<Store>, CacheMode)>,
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
        let metered = Metered::new(inner, price, Arc::clone(around.budget)).telling(around.notices.clone());
        let limited = Limited::new(Box::new(metered), limits, around.concurrency, around.notices.clone());
        let retrying = Box::new(Retrying::new(Box::new(limited), retry, around.notices.clone()));
        Ok(match (around.cache, self.identity(around)?) {
            (Some((store, mode)), Some(identity)) => {
                let cached = Cached::new(retrying, identity, Arc::clone(store), mode);
                Box::new(cached.telling(around.notices.clone()))
            }
            _ => retrying,
        })
    }

    /// Who answers, as far as answers may be kept: a model always, an application when it is said what is running.
    ///
    /// # Errors
    /// A file that the version is made of and that cannot be read; a version by git where there is no commit, or where
    /// something is changed since.
    pub fn identity(&self, around: &Surroundings<'_>) -> Result<Option<Identity>, ProviderError> {
        if let Some((vendor, spec)) = self.model() {
            let base_url = spec.base_url.as_deref().unwrap_or_else(|| vendor.base_url());
            let identity = Identity::new(self.kind(), base_url).with_headers(&spec.headers);
            return Ok(Some(match &spec.api_version {
                Some(version) => identity.with("api_version", version),
                None => identity,
            }));
        }
        let Self::Http(spec) = self else { return Ok(None) };
        let Some(version) = &spec.version else { return Ok(None) };
        let version = match version {
            VersionSpec::Git(false) => return Ok(None),
            VersionSpec::Git(true) => around.revision.map(str::to_owned).ok_or_else(|| {
                let why = "`version = { git = true }`: the project is in no git repository, or has changes that are not \
                           committed: it is not known what is running";
                ProviderError::Settings(why.to_owned())
            })?,
            VersionSpec::Files(files) => {
                let digests = files.iter().map(|file| Ok(sha256_of_file(&around.root.join(file))?));
                digests.collect::<Result<Vec<String>, ProviderError>>()?.join(" ")
            }
            VersionSpec::Text(text) => text.clone(),
        };
        let identity = Identity::new(self.kind(), &spec.url).with_headers(&spec.headers);
        Ok(Some(identity.with("settings", &self.digest(around.root)?).with("version", &version)))
    }
}
