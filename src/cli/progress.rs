//! A progress bar on stderr, fed by the events of a run.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use crate::run::RunEvent;

/// Shows how far a run is; quiet where stderr is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    pub(super) failed: usize,
    pub(super) asked: usize,
}

impl Progress {
    pub(super) fn new(output: &Output, wanted: bool) -> Self {
        let visible = wanted && !output.is_quiet() && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg} {per_sec} eta {eta}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, failed: 0, asked: 0 }
    }

    pub(super) fn event(&mut self, event: &RunEvent<'_>, output: &Output) {
        match event {
            RunEvent::Started { planned, replayed } => {
                self.bar.set_length(*planned as u64);
                if *replayed > 0 {
                    output.note(&format!("{replayed} replies are in the journal already"));
                }
            }
            RunEvent::Asked { .. } | RunEvent::Ended { .. } => {}
            RunEvent::Answered { .. } => self.asked += 1,
            RunEvent::Finished { failed, .. } => {
                self.bar.inc(1);
                if *failed {
                    self.failed += 1;
                    self.bar.set_message(format!("({} failed)", self.failed));
                }
            }
            RunEvent::Batch { id, state, done, calls } => {
                output.note(&format!("batch {id}: {state}, {done} of {calls} calls done"));
            }
            RunEvent::BatchFetched { id, state, calls, answered, why } => {
                let lost = calls - answered;
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                let lost = if lost > 0 { format!(", {lost} without an answer{why}") } else { String::new() };
                output.note(&format!("batch {id}: {state}, {answered} of {calls} calls answered{lost}"));
            }
            RunEvent::Unbatched { calls } => {
                output.note(&format!("{calls} calls that no batch answered are asked one by one, at the full price"));
            }
            RunEvent::Stopping { in_flight } => {
                output
                    .note(&format!("stopping: waiting for {in_flight} calls in flight; interrupt again to drop them"));
            }
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
