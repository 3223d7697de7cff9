//! `evalgauge run --batch`: the first calls in batches, before the run.

use super::args::RunArgs;
use super::failure::Failure;
use super::output::Output;
use super::outside::Outside;
use super::run::interrupted;
use crate::provider::{BatchDesk, ProviderSpec, Surroundings};
use crate::record::{BatchLedger, BatchState, RunFolder, Store};
use crate::run::{FirstCalls, Plan, RunError, RunEvent, ask_in_batches};

/// Where batches of a candidate are handed over.
pub(super) fn desk(provider: &ProviderSpec, around: Surroundings<'_>) -> Result<BatchDesk, Failure> {
    provider.batches(&around).map_err(|error| Failure::from(error).hint("run it without --batch"))
}

/// What is needed for batches, where they are wanted.
pub(super) struct Batches<'o> {
    submit: bool,
    provider: &'o ProviderSpec,
    outside: &'o Outside<'o>,
    ready: Option<(BatchDesk, FirstCalls)>,
}

impl<'o> Batches<'o> {
    /// Refuses a candidate without batches before there is a run.
    pub(super) fn new(
        args: &RunArgs,
        provider: &'o ProviderSpec,
        outside: &'o Outside<'o>,
        plan: &Plan,
    ) -> Result<Self, Failure> {
        let mut batches = Self { submit: args.batch, provider, outside, ready: None };
        if args.batch {
            batches.prepare(plan)?;
        }
        Ok(batches)
    }

    fn prepare(&mut self, plan: &Plan) -> Result<(), Failure> {
        let desk = desk(self.provider, self.outside.around())?;
        let first = FirstCalls::of(plan, &desk)?;
        self.ready = Some((desk, first));
        Ok(())
    }

    /// Refuses to hand over what is in a batch of another run that is not finished: it is paid for there.
    pub(super) fn are_nowhere_else(&self, store: &Store) -> Result<(), Failure> {
        let Some((_, first)) = &self.ready else { return Ok(()) };
        for run in store.runs().into_iter().filter(|run| !run.is_closed()) {
            let ledger = BatchLedger::open(&run.path)?;
            let open = ledger.batches().iter().filter(|batch| batch.state != BatchState::Done);
            let count: usize = open.map(|batch| first.count(&batch.keys)).sum();
            if count > 0 {
                let what = format!("{count} of these calls are in a batch of the run {} already", run.id);
                let hint = format!(
                    "go on with `evalgauge run --resume {} --batch`, or delete {} and pay for them again",
                    run.id,
                    run.path.display()
                );
                return Err(Failure::input(what).hint(hint));
            }
        }
        Ok(())
    }

    /// Asks in batches, as far as that is wanted; also waits for what an earlier start of the run handed over.
    pub(super) async fn ask(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        output: &Output,
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Result<(), RunError> {
        let mut ledger = BatchLedger::open(&folder.path)?;
        let spent = ledger.spent();
        let tokens = crate::call::Usage { input_tokens: spent.tokens, ..Default::default() };
        self.outside.budget.already(Some(tokens), Some(spent.usd), spent.requests);
        if self.ready.is_none() && ledger.is_open() {
            let desk = self.provider.batches(&self.outside.around())?;
            let first = FirstCalls::of(plan, &desk)?;
            self.ready = Some((desk, first));
        }
        let Some((desk, first)) = &self.ready else { return Ok(()) };
        let prices = &self.outside.prices;
        output.note(&format!("answers in batches cost {} of the price (prices of {})", prices.batch, prices.as_of));
        tokio::select! {
            biased;
            () = interrupted() => {
                output.note("stopped; what is in batches goes on at the vendor");
                Err(RunError::Interrupted { done: 0, planned: plan.answers() })
            }
            asked = ask_in_batches(first, desk, &mut ledger, self.submit, on_event) => asked,
        }
    }
}
