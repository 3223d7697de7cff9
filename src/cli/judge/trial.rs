//! `evalgauge judge try`: known cases, and answers that try to steer the judge.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::args::{Global, OutputFormat};
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::outside::Outside;
use super::super::run::interrupted;
use super::TryArgs;
use super::attacks::read_attacks;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{Expected, Finding, Item, Judged, SanitySpec};
use crate::provider::Router;
use crate::provider::cache::CacheMode;
use crate::record::Judging;
use crate::report::escape_control;
use crate::run::{JudgedItem, LoadedJudge, RunError, Work, judge_items, load_judge};

/// Characters of foreign text in a line of the result.
const SHOWN: usize = 100;

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    judge: String,
    sha256: String,
    /// Whether the judge's model was asked (its cache counts as asking).
    asked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_asked_because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanity: Option<Sanity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attacks: Option<Attacks>,
    took: Judging,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Sanity {
    cases: usize,
    right: usize,
    results: Vec<CaseResult>,
}

#[derive(Serialize)]
struct CaseResult {
    name: String,
    right: bool,
    expected: BTreeMap<String, Expected>,
    #[serde(flatten)]
    said: Said,
    /// What is wrong, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wrong: Vec<String>,
}

/// What a judge said, or why nothing.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Grades(BTreeMap<String, Value>),
    Unscored(String),
}

#[derive(Serialize)]
struct Attacks {
    answers: usize,
    /// Answers in which an attempt to steer the judge was found.
    reported: usize,
    /// Prompts whose markers are whole.
    markers_intact: usize,
    /// Replies that gave grades; none where nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    parsed: Option<usize>,
    results: Vec<AttackResult>,
}

#[derive(Serialize)]
struct AttackResult {
    id: String,
    reported: bool,
    patterns: Vec<Finding>,
    markers_intact: bool,
    /// What the judge said; none where nobody was asked.
    parsed: Option<Value>,
}

pub(super) fn run(args: &TryArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let loaded = load_judge(&project.root, &args.name)?;
    let seed = global.seed.unwrap_or(project.config.seed);
    let attacks = args.attacks.as_deref().map(read_attacks).transpose()?;
    let cases = if attacks.is_none() || args.sanity { cases(&loaded, &args.name)? } else { Vec::new() };
    let with_sanity = !cases.is_empty();
    let attacked: Vec<Item> = attacks.unwrap_or_default().into_iter().map(|item| completed(&loaded, item)).collect();
    let providers: Vec<_> = loaded.providers().collect();
    let concurrency = args.concurrency.map_or(project.config.concurrency, usize::from);
    let cache = if args.offline { Some(CacheMode::Off) } else { args.cache };
    let outside = Outside::new(project, &providers, concurrency, cache)?;
    let router = if args.offline { Err("--offline".to_owned()) } else { router(&loaded, &outside, with_sanity)? };
    let items: Vec<Item> = cases.iter().map(|case| of_case(case)).chain(attacked.iter().cloned()).collect();
    let (mut judged, because) = match router {
        Err(why) => (Vec::new(), Some(why)),
        Ok(router) => {
            let judge = &*loaded.judge;
            let work = Work { judge, items: &items, seed, provider: &router, concurrency };
            let runtime = crate::cli::runtime::runtime()?;
            (runtime.block_on(judge_items(work, interrupted()))?, None)
        }
    };
    outside.told().iter().for_each(|line| output.note(line));
    let of_attacks = judged.split_off(cases.len().min(judged.len()));
    let mut took = Judging::default();
    for judging in judged.iter().chain(&of_attacks).map(|item| item.judging) {
        add(&mut took, judging);
    }
    let printed = Printed {
        schema: "evalgauge.judge-try/1",
        judge: args.name.clone(),
        sha256: loaded.judge.sha256().to_owned(),
        asked: because.is_none(),
        not_asked_because: because,
        sanity: with_sanity.then(|| sanity(&cases, &judged)),
        attacks: args.attacks.as_ref().map(|_| looked_at(&loaded, &attacked, &of_attacks, seed)).transpose()?,
        took,
        warnings: loaded.warnings.clone(),
    };
    printed.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&printed))?,
    }
    let right = printed.sanity.as_ref().is_none_or(|sanity| sanity.right == sanity.cases);
    let intact = printed.attacks.as_ref().is_none_or(|attacks| attacks.markers_intact == attacks.answers);
    Ok(if right && intact { Exit::Pass } else { Exit::Regression })
}

/// The known cases; of a panel those of its members.
fn cases<'j>(loaded: &'j LoadedJudge, name: &str) -> Result<Vec<&'j SanitySpec>, Failure> {
    let own = loaded.judge.spec.sanity.iter();
    let of_members = loaded.judge.members().into_iter().filter(|member| member.name != name);
    let cases: Vec<&SanitySpec> = own.chain(of_members.flat_map(|member| &member.spec.sanity)).collect();
    if cases.is_empty() {
        return Err(Failure::input(format!("the judge `{name}` has no cases to try"))
            .hint("add `[[sanity]]` to its judge.toml: answers whose right grade is known, good ones and bad ones"));
    }
    Ok(cases)
}

fn of_case(case: &SanitySpec) -> Item {
    let mut item = Item::new(format!("sanity/{}", case.name), case.input.clone(), case.answer.clone());
    (item.other, item.reference) = (case.other.clone(), case.reference.clone());
    item
}

/// With a plain text in the place of what the file does not give and the judge needs.
fn completed(loaded: &LoadedJudge, mut item: Item) -> Item {
    if loaded.judge.is_pairwise() && item.other.is_none() {
        item.other = Some(json!("Restart the service and look at its log."));
    }
    if loaded.judge.sees_reference() && item.reference.is_none() {
        item.reference = Some(json!("Restart the service and look at its log."));
    }
    item
}

/// Whoever is asked. Where there is no key, an attack is still looked at, and a known case cannot be tried.
fn router(loaded: &LoadedJudge, outside: &Outside<'_>, needed: bool) -> Result<Result<Router, String>, Failure> {
    match loaded.routed(Router::default(), &outside.around()) {
        Ok(router) => Ok(Ok(router)),
        Err(error) => {
            let lacks_key = loaded.routed(Router::default(), &outside.around_without_keys()).is_ok();
            if lacks_key && !needed { Ok(Err(error.to_string())) } else { Err(RunError::into(error)) }
        }
    }
}

/// Adds what another item took.
pub(super) fn add(sum: &mut Judging, more: Judging) {
    sum.calls += more.calls;
    sum.latency_ms += more.latency_ms;
    if let Some(usage) = more.usage {
        sum.usage = Some(sum.usage.unwrap_or_default() + usage);
    }
    if let Some(usd) = more.cost_usd {
        sum.cost_usd = Some(sum.cost_usd.unwrap_or(0.0) + usd);
    }
}

fn said(judged: &Judged) -> Said {
    match judged {
        Ok(judgement) => {
            Said::Grades(judgement.grades.iter().map(|(name, grade)| (name.clone(), json!(grade))).collect())
        }
        Err(why) => Said::Unscored(why.clone()),
    }
}

fn sanity(cases: &[&SanitySpec], judged: &[JudgedItem]) -> Sanity {
    let results: Vec<CaseResult> = cases
        .iter()
        .zip(judged)
        .map(|(case, item)| {
            let wrong: Vec<String> = match &item.judged {
                Err(why) => vec![why.clone()],
                Ok(judgement) => case
                    .expect
                    .iter()
                    .filter_map(|(dimension, expected)| match judgement.grade(dimension) {
                        Some(grade) if expected.meets(grade) => None,
                        Some(grade) => Some(format!("{dimension} is {grade}, expected {expected}")),
                        None => Some(format!("no grade for {dimension}")),
                    })
                    .collect(),
            };
            CaseResult {
                name: case.name.clone(),
                right: wrong.is_empty(),
                expected: case.expect.clone(),
                said: said(&item.judged),
                wrong,
            }
        })
        .collect();
    Sanity { cases: results.len(), right: results.iter().filter(|result| result.right).count(), results }
}

fn looked_at(loaded: &LoadedJudge, items: &[Item], judged: &[JudgedItem], seed: u64) -> Result<Attacks, Failure> {
    let mut results = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let prompts = loaded.judge.prompts(item, seed)?;
        let patterns = loaded.judge.attempts(item);
        let parsed = judged.get(at).map(|item| serde_json::to_value(said(&item.judged)).unwrap_or_default());
        results.push(AttackResult {
            id: item.id.clone(),
            reported: !patterns.is_empty(),
            patterns,
            markers_intact: prompts.iter().all(crate::judge::Prompt::is_intact),
            parsed,
        });
    }
    let count = |is: &dyn Fn(&AttackResult) -> bool| results.iter().filter(|result| is(result)).count();
    let has_grades = |result: &AttackResult| result.parsed.as_ref().is_some_and(|said| said.get("grades").is_some());
    Ok(Attacks {
        answers: results.len(),
        reported: count(&|result| result.reported),
        markers_intact: count(&|result| result.markers_intact),
        parsed: (!judged.is_empty()).then(|| count(&has_grades)),
        results,
    })
}

fn text(printed: &Printed) -> String {
    let mut text = String::new();
    if let Some(sanity) = &printed.sanity {
        text.push_str(&format!(
            "{}: {} of {} known cases are graded right\n",
            printed.judge, sanity.right, sanity.cases
        ));
        for case in &sanity.results {
            let name = escape_control(&case.name, SHOWN);
            let verdict = if case.right { "right".to_owned() } else { format!("WRONG: {}", case.wrong.join("; ")) };
            text.push_str(&format!("  {name}: {}\n", escape_control(&verdict, 4 * SHOWN)));
        }
    }
    if let Some(attacks) = &printed.attacks {
        text.push_str(&format!(
            "{}: of {} answers {} try to steer the judge; the markers are whole in {}",
            printed.judge, attacks.answers, attacks.reported, attacks.markers_intact
        ));
        match (attacks.parsed, &printed.not_asked_because) {
            (Some(parsed), _) => text.push_str(&format!("; {parsed} replies gave grades\n")),
            (None, Some(why)) => text.push_str(&format!("\nthe judge's model was not asked: {why}\n")),
            (None, None) => text.push('\n'),
        }
        for result in &attacks.results {
            let patterns: Vec<String> =
                result.patterns.iter().map(|finding| escape_control(&finding.to_string(), SHOWN)).collect();
            let found = if patterns.is_empty() { "nothing found".to_owned() } else { patterns.join("; ") };
            let broken = if result.markers_intact { "" } else { "  MARKERS BROKEN" };
            text.push_str(&format!("  {}: {found}{broken}\n", escape_control(&result.id, SHOWN)));
        }
    }
    text
}
