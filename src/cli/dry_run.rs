//! `evalgauge run --dry-run`: what a run would send, before anything is sent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::OutputFormat;
use super::failure::Failure;
use super::output::Output;
use super::outside::Outside;
use crate::call::{Call, Usage};
use crate::config::Project;
use crate::provider::ProviderSpec;
use crate::provider::cache::Found;
use crate::record::{Manifest, load};
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
    /// How long it would take with as many calls in flight as the settings say; none in batches.
    expected_seconds: Option<f64>,
    /// What a call is taken to take.
    seconds_a_call: f64,
    /// Where that is from: `cache` or `record` when it was seen, `assumed` when not.
    seconds_a_call_from: &'static str,
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

/// What a call is taken to take where nobody has seen one.
const ASSUMED_SECONDS: f64 = 1.0;

/// Cached answers whose latency is looked at.
const LOOKED_AT: usize = 1000;

/// The mean latency of answers that were asked one by one.
#[derive(Default)]
struct Latency {
    sum_ms: f64,
    count: usize,
}

impl Latency {
    fn add(&mut self, found: &Found) {
        // A batch is answered when the vendor has time.
        if let Found::Answer(answered) = found
            && !answered.batch
        {
            self.sum_ms += answered.latency_ms;
            self.count += 1;
        }
    }

    fn seconds(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms / self.count as f64 / 1e3)
    }
}

/// The mean latency of the answers of the candidate's latest run, in seconds.
pub(super) fn seen_before(project: &Project, candidate: &str) -> Option<f64> {
    let is_of = |folder: &std::path::Path| {
        let text = std::fs::read_to_string(folder.join("manifest.json")).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        (manifest.asked.candidate.name == candidate).then_some(())
    };
    let latest = project.store().runs().into_iter().rev().find(|run| is_of(&run.path).is_some())?;
    // A record that cannot be read is no reason to say nothing about the run to come.
    let record = load(&latest.path).ok()?;
    let latencies: Vec<f64> = record.samples.iter().filter_map(|sample| sample.latency_ms).collect();
    (!latencies.is_empty()).then(|| latencies.iter().sum::<f64>() / latencies.len() as f64 / 1e3)
}

pub(super) fn print(
    plan: &Plan,
    provider: &ProviderSpec,
    judges: &BTreeMap<String, LoadedJudge>,
    outside: &Outside<'_>,
    batch: bool,
    seen_before: Option<f64>,
    output: &Output,
) -> Result<(), Failure> {
    let identity = provider.identity(&outside.around())?.identity();
    let (mut calls, mut cached, mut usage, mut latency) = (0, 0, Usage::default(), Latency::default());
    for call in plan.first_calls()? {
        calls += 1;
        let held = match (&outside.store, &identity) {
            (Some(store), Some(identity)) => {
                let key = identity.key(&call);
                let held = store.holds(&key)?;
                if held && latency.count < LOOKED_AT {
                    latency.add(&store.get(&key)?);
                }
                held
            }
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
    let (seconds_a_call, seconds_a_call_from) = match (latency.seconds(), seen_before) {
        (Some(seconds), _) => (seconds, "cache"),
        (None, Some(seconds)) => (seconds, "record"),
        (None, None) => (ASSUMED_SECONDS, "assumed"),
    };
    let rounds = (to_send + judge_calls_total) as f64 / outside.concurrency.max(1) as f64;
    // The last round takes as long as any other.
    let expected_seconds = (!batch).then(|| rounds.max(f64::from(u8::from(rounds > 0.0))) * seconds_a_call);
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
        expected_seconds,
        seconds_a_call,
        seconds_a_call_from,
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
    let time = match (printed.expected_seconds, seconds_a_call_from) {
        (None, _) => "in batches: within a day".to_owned(),
        (Some(all), "assumed") => format!(
            "about {all:.0} s, if a call takes a second, which is an assumption: none was seen yet ({} in flight)",
            outside.concurrency
        ),
        (Some(all), from) => format!(
            "about {all:.0} s, as calls took {seconds_a_call:.2} s on average (seen in the {from}; {} in flight)",
            outside.concurrency
        ),
    };
    let of_judges: String = printed.judges.iter().map(JudgeCalls::text).collect();
    output.result(&format!(
        "{}: {} examples, {} trials: {calls} calls, {cached} of them in the cache, {to_send} to send\n\
         about {} tokens to read and at most {} to write; {cost}\n\
         {of_judges}{time}\n",
        printed.candidate, printed.examples, printed.trials, printed.input_tokens, printed.output_tokens,
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
