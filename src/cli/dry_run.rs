//! `evalgauge run --dry-run`: what a run would send, before anything is sent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::OutputFormat;
use super::failure::Failure;
use super::output::Output;
use super::outside::Outside;
use crate::call::{Call, Usage};
use crate::provider::ProviderSpec;
use crate::run::{LoadedJudge, Plan};

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    candidate: String,
    examples: usize,
    trials: u32,
    /// First calls of every answer; further turns and tool loops come on top.
    calls: usize,
    cached: usize,
    to_send: usize,
    /// Of what is to be sent: four characters a token, and the longest answers allowed.
    input_tokens: u64,
    output_tokens: u64,
    /// Upper bound; none where the price is not known.
    usd: Option<f64>,
    prices_as_of: String,
    /// With every call taking a second.
    seconds_at_one_second_a_call: f64,
    /// What the judges would be asked on top, for answers of a usual length.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judges: Vec<JudgeCalls>,
}

/// What a judge would be asked.
#[derive(Serialize)]
struct JudgeCalls {
    judge: String,
    calls: usize,
    input_tokens: u64,
    output_tokens: u64,
    /// Upper bound; none where a price is not known.
    usd: Option<f64>,
}

pub(super) fn print(
    plan: &Plan,
    provider: &ProviderSpec,
    judges: &BTreeMap<String, LoadedJudge>,
    outside: &Outside<'_>,
    batch: bool,
    output: &Output,
) -> Result<(), Failure> {
    let identity = provider.identity(&outside.around())?.identity();
    let (mut calls, mut cached, mut usage) = (0, 0, Usage::default());
    for call in plan.first_calls()? {
        calls += 1;
        let held = match (&outside.store, &identity) {
            (Some(store), Some(identity)) => store.holds(&identity.key(&call))?,
            _ => false,
        };
        if held {
            cached += 1;
        } else {
            usage = usage + Call::estimated_usage(&call);
        }
    }
    let judged = judge_calls(plan, judges, outside);
    let judge_calls_total: usize = judged.iter().map(|judge| judge.calls).sum();
    let price = provider.model().and_then(|(_, spec)| outside.prices.of(&spec.model));
    let share = if batch { outside.prices.batch } else { 1.0 };
    let to_send = calls - cached;
    let printed = Printed {
        schema: "evalgauge.dry-run/1",
        candidate: plan.asked.candidate.name.clone(),
        examples: plan.asked.dataset.examples,
        trials: plan.asked.trials,
        calls,
        cached,
        to_send,
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        usd: price.map(|price| price.times(share).of(usage)),
        prices_as_of: outside.prices.as_of.clone(),
        seconds_at_one_second_a_call: (to_send + judge_calls_total).div_ceil(outside.concurrency.max(1)) as f64,
        judges: judged,
    };
    if output.format() == OutputFormat::Json {
        return output.json(&printed);
    }
    let cost = match (printed.usd, provider.model()) {
        (Some(usd), _) if batch => {
            format!("at most {usd:.4} USD in batches, at {share} of the price (prices of {})", printed.prices_as_of)
        }
        (Some(usd), _) => format!("at most {usd:.4} USD (prices of {})", printed.prices_as_of),
        (None, Some((_, spec))) => format!("no price is known of `{}`", spec.model),
        (None, None) => "no price: not a model behind an API".to_owned(),
    };
    let of_judges: String = printed.judges.iter().map(JudgeCalls::text).collect();
    output.result(&format!(
        "{}: {} examples, {} trials: {calls} calls, {cached} of them in the cache, {to_send} to send\n\
         about {} tokens to read and at most {} to write; {cost}\n\
         {of_judges}at a second a call and {} in flight: {:.0} s\n",
        printed.candidate,
        printed.examples,
        printed.trials,
        printed.input_tokens,
        printed.output_tokens,
        outside.concurrency,
        printed.seconds_at_one_second_a_call,
    ))
}

/// What the judges would be asked, at the most: answers that are in no cache are taken for ones of a usual length, and what
/// the cache holds of a judge is not known before there are answers.
fn judge_calls(plan: &Plan, judges: &BTreeMap<String, LoadedJudge>, outside: &Outside<'_>) -> Vec<JudgeCalls> {
    let mut of: BTreeMap<&str, JudgeCalls> = BTreeMap::new();
    for (name, call) in plan.judge_calls(judges) {
        let entry = of.entry(name).or_insert_with(|| JudgeCalls {
            judge: name.to_owned(),
            calls: 0,
            input_tokens: 0,
            output_tokens: 0,
            usd: Some(0.0),
        });
        let usage = Call::estimated_usage(&call);
        let model = judges.get(name).and_then(|judge| judge.provider(call.provider())?.model());
        let usd = model.map_or(Some(0.0), |(_, spec)| outside.prices.of(&spec.model).map(|price| price.of(usage)));
        entry.calls += 1;
        entry.input_tokens += usage.input_tokens;
        entry.output_tokens += usage.output_tokens;
        entry.usd = entry.usd.zip(usd).map(|(sum, more)| sum + more);
    }
    of.into_values().collect()
}

impl JudgeCalls {
    fn text(&self) -> String {
        let cost = self.usd.map_or_else(|| "no price is known".to_owned(), |usd| format!("at most {usd:.4} USD"));
        format!(
            "judge {}: at most {} calls, about {} tokens to read and at most {} to write; {cost}\n",
            self.judge, self.calls, self.input_tokens, self.output_tokens
        )
    }
}
