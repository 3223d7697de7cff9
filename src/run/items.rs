//! Judging a list of items outside of a run: the same steps and providers, no record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::error::RunError;
use crate::call::{Answered, Call, Key, Replies, Reply, Source, Step};
use crate::judge::{Item, Judge, Judged};
use crate::provider::Provider;
use crate::record::Judging;

/// What is to be judged, by whom.
#[derive(Clone, Copy)]
pub struct Work<'w> {
    /// The judge.
    pub judge: &'w Judge,
    /// The items.
    pub items: &'w [Item],
    /// What the codes of the markers follow from.
    pub seed: u64,
    /// Who answers, under the names that the judge asks.
    pub provider: &'w dyn Provider,
    /// Calls in flight.
    pub concurrency: usize,
}

/// An item and what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedItem {
    /// The item's id.
    pub id: String,
    /// The judgement, or why there is none.
    pub judged: Judged,
    /// What it took.
    pub judging: Judging,
    /// Whether somebody was asked just now.
    pub is_live: bool,
}

/// An item on its way.
#[derive(Default)]
struct Open {
    replies: BTreeMap<Key, Reply>,
    asked: BTreeSet<Key>,
    judging: Judging,
    is_live: bool,
}

/// Judges items; what is said comes in their order, whatever came first.
///
/// `interrupt` ends when the user wants to stop; calls in flight are waited for then.
///
/// # Errors
/// Whatever would fail every call: no key, no program, a budget that is reached; or an interrupt.
pub async fn judge_items(work: Work<'_>, interrupt: impl Future<Output = ()>) -> Result<Vec<JudgedItem>, RunError> {
    let planned = work.items.len();
    let mut open: Vec<Open> = (0..planned).map(|_| Open::default()).collect();
    let mut done: Vec<Option<JudgedItem>> = vec![None; planned];
    let mut waiting: VecDeque<(usize, Key, Call)> = VecDeque::new();
    let mut next = 0;
    let mut in_flight = FuturesUnordered::new();
    let mut interrupt = Box::pin(interrupt);
    let mut ended: Option<RunError> = None;
    loop {
        while ended.is_none() && in_flight.len() < work.concurrency.max(1) {
            while waiting.is_empty() && next < planned {
                advance(&work, next, &mut open[next], &mut done[next], &mut waiting);
                next += 1;
            }
            let Some((index, key, call)) = waiting.pop_front() else { break };
            let provider = work.provider;
            in_flight.push(async move { (index, key, provider.ask(&call).await) });
        }
        if in_flight.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = &mut interrupt, if ended.is_none() => {
                let finished = done.iter().flatten().count();
                ended = Some(RunError::Interrupted { done: finished, planned });
            }
            Some((index, key, answered)) = in_flight.next() => match answered {
                Ok(answered) => {
                    open[index].take(key, answered);
                    advance(&work, index, &mut open[index], &mut done[index], &mut waiting);
                }
                Err(error) => ended = ended.or(Some(error.into())),
            }
        }
    }
    drop(in_flight);
    work.provider.close().await;
    match ended {
        Some(error) => Err(error),
        None => Ok(done.into_iter().flatten().collect()),
    }
}

impl Open {
    fn take(&mut self, key: Key, answered: Answered) {
        self.judging.add(&answered);
        self.is_live |= answered.source == Source::Live;
        self.replies.insert(key, answered.reply);
    }
}

/// Lets an item say what it needs, or finishes it.
fn advance(
    work: &Work<'_>,
    index: usize,
    open: &mut Open,
    done: &mut Option<JudgedItem>,
    waiting: &mut VecDeque<(usize, Key, Call)>,
) {
    let item = &work.items[index];
    match work.judge.step(item, work.seed, &Replies::new(&open.replies)) {
        Step::Ask(calls) => {
            for (key, call) in calls {
                if open.asked.insert(key.clone()) {
                    waiting.push_back((index, key, call));
                }
            }
        }
        Step::Done(judged) => {
            *done = Some(JudgedItem { id: item.id.clone(), judged, judging: open.judging, is_live: open.is_live });
            open.replies.clear();
        }
    }
}
