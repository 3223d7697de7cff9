//! Where a judge's grades come from: a file, a run, or the judge itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args::CalibrateArgs;
use super::card::{Card, digests, is_same, seen};
use super::printed::Source;
use crate::calibrate::Digests;
use crate::call::Pointer;
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::outside::Outside;
use crate::cli::run::interrupted;
use crate::config::Project;
use crate::judge::{Extra, Grade, Item, JudgeLine, ONLY_DIMENSION, read_judgements};
use crate::provider::Router;
use crate::record::{RunRecord, load};
use crate::run::{JudgedItem, Work, judge_items};
use crate::score::{ScorerSpec, Value};
use crate::table::{sha256_hex, sha256_of_file};

/// What the judge said, and where that comes from.
pub(super) struct Grades {
    pub(super) lines: Vec<JudgeLine>,
    pub(super) path: PathBuf,
    pub(super) source: Source,
    /// Who said it, where that is recorded; else it is the judge as it is now.
    pub(super) by: Option<Digests>,
}

/// The grades of every judge, in their order.
pub(super) fn grades(
    args: &CalibrateArgs,
    cards: &[Card],
    (project, global, output): (&Project, &Global, &Output),
) -> Result<Vec<Grades>, Failure> {
    if !args.judgements.is_empty() {
        if args.judgements.len() != cards.len() {
            let (files, judges) = (args.judgements.len(), cards.len());
            return Err(Failure::input(format!("--judgements names {files} files for {judges} judges"))
                .hint("name one file for each judge, in their order"));
        }
        let one = |file: &PathBuf| {
            Ok(Grades {
                lines: read_judgements(file, ONLY_DIMENSION)?,
                path: file.clone(),
                source: Source { file: file.display().to_string(), sha256: sha256_of_file(file)? },
                by: None,
            })
        };
        return args.judgements.iter().map(one).collect();
    }
    let Some(run) = &args.run else { return live(args, cards, (project, global, output)) };
    if args.scorer.is_some() && cards.len() > 1 {
        return Err(Failure::input("--scorer is for one judge".to_owned())
            .hint("of several judges the scorer is the one that the judge is behind"));
    }
    let record = load(&project.store().find(run)?)?;
    let one = |card: &Card| {
        let (lines, by) = of_record(args, (project, card), &record)?;
        let source = Source {
            file: format!("run {}", record.manifest.made.run_id),
            sha256: record.manifest.record_sha256.clone(),
        };
        Ok(Grades { lines, path: PathBuf::from(run), source, by })
    };
    cards.iter().map(one).collect()
}

/// Asks the judges themselves, through cache, retries, limits and one budget like any other run.
fn live(
    args: &CalibrateArgs,
    cards: &[Card],
    (project, global, output): (&Project, &Global, &Output),
) -> Result<Vec<Grades>, Failure> {
    if let Some(card) = cards.iter().find(|card| card.items.is_empty()) {
        return Err(Failure::input(format!("judge `{}` has no items to judge", card.name)).hint(
            "add items.jsonl to its folder, or take the answers of a run: `evalgauge label export RUN --for JUDGE`",
        ));
    }
    let concurrency = args.concurrency.map_or(project.config.concurrency, usize::from);
    let providers: Vec<_> = cards.iter().flat_map(|card| card.loaded.providers()).collect();
    let outside = Outside::new(project, &providers, concurrency, args.cache)?;
    let runtime = crate::cli::runtime::runtime()?;
    let one = |card: &Card| {
        let router = card.loaded.routed(Router::default(), &outside.around())?;
        let work = Work {
            judge: &card.loaded.judge,
            items: &card.items,
            seed: global.seed.unwrap_or(project.config.seed),
            provider: &router,
            concurrency,
        };
        Ok(asked(card, &runtime.block_on(judge_items(work, interrupted()))?))
    };
    let grades = cards.iter().map(one).collect();
    outside.told().iter().for_each(|line| output.note(line));
    grades
}

/// What a judge said when it was asked.
fn asked(card: &Card, judged: &[JudgedItem]) -> Grades {
    let lines: Vec<JudgeLine> = judged.iter().flat_map(|item| of_item(card, item)).collect();
    let said: Vec<String> = lines
        .iter()
        .map(|line| {
            let grade = line.grade.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{}\t{}\t{grade}", line.id, line.dimension)
        })
        .collect();
    let source = Source { file: "the judge, asked".to_owned(), sha256: sha256_hex(said.join("\n")) };
    Grades { lines, path: card.folder.join("items.jsonl"), source, by: None }
}

/// The grades of one item, a line a dimension; without a readable reply each is unparsed.
fn of_item(card: &Card, item: &JudgedItem) -> Vec<JudgeLine> {
    let one = |dimension: &String| {
        let (grade, rationale) = match &item.judged {
            Ok(judgement) => (judgement.grade(dimension).cloned(), judgement.remarks()),
            Err(why) => (None, Some(why.clone())),
        };
        let extra = Extra { rationale, cost: item.judging.cost_usd, latency: Some(item.judging.latency_ms) };
        JudgeLine { id: item.id.clone(), dimension: dimension.clone(), grade, extra, line: 0 }
    };
    card.dimensions.iter().map(one).collect()
}

/// The grades of one scorer of a record, and who gave them. An item is an answer: `example#trial`, trials from 1.
fn of_record(
    args: &CalibrateArgs,
    (project, card): (&Project, &Card),
    record: &RunRecord,
) -> Result<(Vec<JudgeLine>, Option<Digests>), Failure> {
    let scorers = &record.manifest.asked.scorers;
    let own = scorers.iter().find(|(_, id)| id.judge.as_ref().is_some_and(|judge| judge.name == card.name));
    let wanted = args.scorer.clone().or_else(|| own.map(|(name, _)| name.clone())).unwrap_or_else(|| card.name.clone());
    let Some(scorer) = scorers.get(&wanted) else {
        let has: Vec<&str> = scorers.keys().map(String::as_str).collect();
        return Err(Failure::input(format!("the run has no scorer `{wanted}`"))
            .hint(format!("name the judged scorer with --scorer; there are: {}", has.join(", "))));
    };
    let by = scorer.judge.as_ref();
    let whole = by.map(|id| id.dimension.as_str()).filter(|dimension| *dimension != "*").unwrap_or(ONLY_DIMENSION);
    let known: BTreeMap<&str, &Item> = card.items.iter().map(|item| (item.id.as_str(), item)).collect();
    let shown = project.config.scorers.get(&wanted).and_then(ScorerSpec::judge);
    let place = shown.map_or_else(Pointer::default, |spec| spec.answer.clone());
    let mut lines = Vec::new();
    for sample in &record.samples {
        let named = [format!("{}#{}", sample.id, sample.trial + 1), sample.id.clone()];
        let Some(item) = named.iter().find_map(|id| known.get(id.as_str())) else { continue };
        let is_answer = |answer: &String| {
            let part = seen(answer, &place);
            is_same(&item.answer, &serde_json::Value::String(answer.clone()))
                || part.is_some_and(|part| is_same(&item.answer, &part))
        };
        if !sample.answer.as_ref().is_some_and(is_answer) {
            // Labels are of another answer.
            continue;
        }
        for row in sample.scores.iter().filter(|row| row.scorer == wanted) {
            lines.push(JudgeLine {
                id: item.id.clone(),
                dimension: if row.part.is_empty() { whole.to_owned() } else { row.part.clone() },
                grade: row.value.as_ref().and_then(|value| grade_of(card, value)),
                extra: Extra { rationale: row.reason.clone(), ..Extra::default() },
                line: 0,
            });
        }
    }
    if lines.is_empty() {
        return Err(Failure::input("no answer of the run is among the judge's items".to_owned())
            .hint("items are answers: make them from this run with `evalgauge label export RUN --for JUDGE`"));
    }
    Ok((lines, by.map(digests)))
}

fn grade_of(card: &Card, value: &Value) -> Option<Grade> {
    match value {
        Value::Number(number) => Some(Grade::Number(*number)),
        Value::Bool(truth) => Some(card.truth(*truth)),
        Value::Label(label) => Some(Grade::Label(label.clone())),
        Value::Preference(side) => {
            let name = match side {
                1.. => "A",
                0 => "tie",
                _ => "B",
            };
            Some(Grade::Label(name.to_owned()))
        }
        Value::Ranked(_) => None,
    }
}
