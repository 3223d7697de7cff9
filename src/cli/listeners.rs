//! Who hears of what happens in a run: the log of `--events`, and a collector of traces where there is one.

use std::path::Path;
#[cfg(feature = "otlp")]
use std::sync::Arc;

use super::event_log::EventLog;
use super::failure::Failure;
use crate::provider::{Notices, ProviderSpec};
use crate::run::RunEvent;
#[cfg(feature = "otlp")]
use crate::{provider::Collector, run::Spans};

pub(super) struct Listeners {
    log: Option<EventLog>,
    #[cfg(feature = "otlp")]
    spans: Option<Arc<Spans>>,
}

impl Listeners {
    /// The log at `events`, and the collector that the environment names; both hear the wrappers around providers from now
    /// on. `providers` are all who may be asked, the candidate first.
    pub(super) fn new<'s>(
        events: Option<&Path>,
        notices: &Notices,
        providers: impl Iterator<Item = (&'s str, &'s ProviderSpec)>,
    ) -> Result<Self, Failure> {
        let log = events.map(EventLog::create).transpose()?;
        #[cfg(feature = "otlp")]
        {
            let mut providers = providers.peekable();
            let candidate = providers.peek().map_or("", |(name, _)| *name);
            let collector = Collector::from_environment(&|name| std::env::var(name).ok())?;
            let spans = collector.map(|collector| Arc::new(Spans::new(collector, candidate, providers)));
            if let Some(spans) = spans.clone() {
                let log = log.clone();
                notices.listen(move |notice, about| {
                    spans.notice(notice, about);
                    if let Some(log) = &log {
                        log.notice(notice, about);
                    }
                });
            } else {
                Self::only_log(log.as_ref(), notices);
            }
            Ok(Self { log, spans })
        }
        #[cfg(not(feature = "otlp"))]
        {
            drop(providers);
            Self::only_log(log.as_ref(), notices);
            Ok(Self { log })
        }
    }

    fn only_log(log: Option<&EventLog>, notices: &Notices) {
        if let Some(log) = log.cloned() {
            notices.listen(move |notice, about| log.notice(notice, about));
        }
    }

    pub(super) fn event(&self, event: &RunEvent<'_>) {
        if let Some(log) = &self.log {
            log.write(event);
        }
        #[cfg(feature = "otlp")]
        if let Some(spans) = &self.spans {
            spans.event(event);
        }
    }

    /// What went wrong with it; nothing of that concerns the run.
    pub(super) fn finish(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.log.as_ref().and_then(EventLog::broken));
        #[cfg(feature = "otlp")]
        lines.extend(self.spans.as_ref().and_then(|spans| spans.finish()));
        lines
    }
}
