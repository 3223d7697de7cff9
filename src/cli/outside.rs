//! What providers need from outside the project file: keys, prices, the budget of this run, the cache.

use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::git::exact_revision;
use crate::config::Project;
use crate::provider::cache::{CacheMode, Store, default_place};
use crate::provider::{
    BreakerState, Budget, BudgetSpec, Kept, Notice, Notices, PriceTable, ProviderSpec, Revision, Surroundings,
    VersionSpec,
};

pub(super) struct Outside<'p> {
    root: &'p Path,
    pub(super) concurrency: usize,
    pub(super) budget: Arc<Budget>,
    pub(super) prices: PriceTable,
    pub(super) notices: Notices,
    pub(super) store: Option<Arc<Store>>,
    mode: CacheMode,
    revision: Option<Revision>,
    draw: Option<String>,
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A key for checks that send nothing.
#[expect(clippy::unnecessary_wraps, reason = "stands for the environment")]
fn any_key(_: &str) -> Option<String> {
    Some("unused".to_owned())
}

impl<'p> Outside<'p> {
    /// For asking some providers. The cache is opened only where somebody's answers may be kept.
    pub(super) fn new(
        project: &'p Project,
        providers: &[&ProviderSpec],
        concurrency: usize,
        mode: Option<CacheMode>,
    ) -> Result<Self, Failure> {
        let mode = mode.unwrap_or(project.config.cache);
        let by_git = providers.iter().any(|provider| provider.version().is_some_and(VersionSpec::needs_revision));
        let mut outside = Self {
            root: &project.root,
            concurrency,
            budget: Arc::new(Budget::new(project.config.budget)),
            prices: project.prices()?,
            notices: Notices::default(),
            store: None,
            mode,
            revision: by_git.then(|| exact_revision(&project.root)).flatten(),
            draw: None,
        };
        let mut may_keep = false;
        for provider in providers {
            may_keep |= provider.identity(&outside.around())? != Kept::Never;
        }
        if mode != CacheMode::Off && may_keep {
            let place = default_place().ok_or_else(|| {
                Failure::input("there is no folder for the cache of answers".to_owned())
                    .hint("set EVALGAUGE_CACHE_DIR, or run with --cache off")
            })?;
            let shared = project.config.shared_cache.as_ref();
            let store = match (mode, shared) {
                // What others have is kept here too, where that can be.
                (CacheMode::ReadOnly, Some(_)) => Store::open(&place).or_else(|_| Store::open_read_only(&place)),
                (CacheMode::ReadOnly, None) => Store::open_read_only(&place),
                _ => Store::open(&place),
            }?;
            outside.store = Some(Arc::new(match shared {
                Some(shared) => store.with_shared(Arc::new(shared.connect(&environment)?)),
                None => store,
            }));
        }
        Ok(outside)
    }

    /// Under a budget that others spend from too.
    pub(super) fn spending(mut self, budget: Arc<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// With candidates' answers apart from all that are kept under other names: see [`Surroundings::draw`].
    pub(super) fn drawing(mut self, draw: &str) -> Self {
        self.draw = Some(draw.to_owned());
        self
    }

    /// With another limit in dollars than the settings name, where one is given.
    pub(super) fn with_usd(mut self, project: &Project, usd: Option<f64>) -> Self {
        if usd.is_some() {
            self.budget = Arc::new(Budget::new(BudgetSpec { usd, ..project.config.budget }));
        }
        self
    }

    /// What providers see of it.
    pub(super) fn around(&self) -> Surroundings<'_> {
        Surroundings {
            root: self.root,
            environment: &environment,
            concurrency: self.concurrency,
            budget: &self.budget,
            prices: &self.prices,
            notices: &self.notices,
            revision: self.revision.as_ref(),
            evalset: None,
            cache: self.store.as_ref().map(|store| (store, self.mode)),
            draw: self.draw.as_deref(),
        }
    }

    /// The same for a check that sends nothing, and so needs no key.
    pub(super) fn around_without_keys(&self) -> Surroundings<'_> {
        Surroundings { environment: &any_key, ..self.around() }
    }

    /// What is worth knowing after a run: what the cache did, what was spent, what went wrong on the way.
    pub(super) fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(store) = &self.store {
            let report = store.report();
            lines.push(format!(
                "cache {}: {} answers from it, {}{} new{}",
                self.mode,
                report.hits + report.coalesced,
                if report.shared > 0 { format!("{} from the shared one, ", report.shared) } else { String::new() },
                report.stored,
                if report.corrupted > 0 {
                    format!(", {} broken and asked again", report.corrupted)
                } else {
                    String::new()
                }
            ));
            lines.extend(store.take_warnings());
        }
        let spent = self.budget.spent();
        if spent.requests > 0 {
            let price = if spent.tokens == 0 {
                "nothing to pay for came back".to_owned()
            } else if spent.unpriced > 0 {
                format!("no price is known of {} answers", spent.unpriced)
            } else {
                format!("{:.4} USD (prices of {})", spent.usd, self.prices.as_of)
            };
            lines.push(format!("sent {} requests, {} tokens, {price}", spent.requests, spent.tokens));
        }
        let told = self.notices.take();
        for notice in told.notices {
            match notice {
                Notice::Breaker { provider, state: BreakerState::Open, rest_ms } => lines.push(format!(
                    "`{provider}` kept failing and was left alone for {:.1} s",
                    rest_ms.unwrap_or_default() / 1e3
                )),
                Notice::Breaker { provider, state: BreakerState::Closed, .. } => {
                    lines.push(format!("`{provider}` answers again"));
                }
                Notice::Warning { message } => lines.push(message),
                _ => {}
            }
        }
        if told.retries > 0 {
            lines.push(format!("{} attempts failed and were made again", told.retries));
        }
        lines
    }
}
