//! What is going to be asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::error::RunError;
use super::judges::LoadedJudge;
use super::programs::Programs;
use super::scorers::{combinations, digest, files};
use crate::call::{AnswerSchema, Call, Request, Step, Template};
use crate::candidate::Answer;
use crate::candidate::{Candidate, ChatCandidate, ProgramCandidate, RecordedCandidate};
use crate::evalset::{EvalSet, Example, Selection, Shard};
use crate::judge::{Item, are_related};
use crate::provider::{ModelSpec, ProviderError, ProviderSpec, Router, Surroundings};
use crate::record::{Asked, CandidateId, DatasetId, RunRecord, ScorerId, ShardId};
use crate::score::{Combined, Judges, Scorer, ScorerSpec};
use crate::table::{TableError, sha256_hex};

/// The settings that a plan is made from.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// What providers need: the project's folder, keys, limits, budget.
    pub around: Surroundings<'a>,
    /// The pinned set.
    pub evalset: &'a EvalSet,
    /// Which of its examples.
    pub selection: &'a Selection,
    /// The candidate's name.
    pub candidate: &'a str,
    /// Who answers for it.
    pub provider: System<'a>,
    /// The scorers.
    pub scorers: &'a BTreeMap<String, ScorerSpec>,
    /// The judges that the scorers name, as [`super::load_judges`] gives them.
    pub judges: &'a BTreeMap<String, LoadedJudge>,
    /// The programs that the scorers ask, as [`super::load_programs`] gives them.
    pub programs: &'a Programs,
    /// The answers that pairwise judges compare with; without any, an answer is compared with itself: a tie.
    pub against: Option<&'a Against>,
    /// Trials of every example.
    pub trials: u32,
    /// The number of the first trial: 0, unless trials before it were run already.
    pub first_trial: u32,
    /// The seed.
    pub seed: u64,
    /// The part of the chosen examples that this run asks.
    pub shard: Option<Shard>,
}

/// Who is measured.
#[derive(Clone, Copy)]
pub enum System<'a> {
    /// A candidate of these settings, which is asked.
    Asked(&'a ProviderSpec),
    /// One that was asked before: its answers come as replies, see [`super::recorded_replies`].
    Recorded(&'a CandidateId),
}

/// The answers of a record, for comparing with.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// The record's digest.
    pub record_sha256: String,
    /// The trials of every example, in order.
    answers: BTreeMap<String, Vec<Answer>>,
}

impl Against {
    /// The answers of a record.
    #[must_use]
    pub fn new(record: &RunRecord) -> Self {
        let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
        for sample in &record.samples {
            let answer = sample.answer.clone().map_or_else(
                || {
                    let why = sample.error.clone().unwrap_or_default();
                    Answer::failed(crate::call::CallFailure::new(crate::call::FailureKind::Crash, why))
                },
                Answer::from_text,
            );
            answers.entry(sample.id.clone()).or_default().push(answer);
        }
        Self { record_sha256: record.manifest.record_sha256.clone(), answers }
    }

    /// The answer to compare a trial's with: that of the same trial, and from the beginning again where there are fewer.
    pub(super) fn answer(&self, id: &str, trial: u32) -> Option<&Answer> {
        let trials = self.answers.get(id)?;
        trials.get(trial as usize % trials.len())
    }
}

/// Everything a run needs, checked: prompts render for every example, and at least one scorer applies to each.
pub struct Plan {
    /// What is asked, for the manifest.
    pub asked: Asked,
    /// SHA-256 over the chosen ids.
    pub selection_sha256: String,
    pub(super) examples: Vec<Arc<Example>>,
    planned: usize,
    pub(super) first_trial: u32,
    pub(super) candidate: Candidate,
    pub(super) scorers: Vec<(String, Box<dyn Scorer>)>,
    /// The scorers made of others, each after those that it needs.
    pub(super) combined: Vec<Combined>,
    pub(super) provider: Router,
    pub(super) against: Option<Against>,
    /// What a reader should know before trusting the scores.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Makes a plan.
    ///
    /// # Errors
    /// Settings that cannot be used, a template variable that an example lacks, an example that nothing scores.
    pub fn new(setup: &Setup<'_>) -> Result<Self, RunError> {
        if setup.trials == 0 {
            return Err(RunError::Plan("`trials` is 0; at least one is needed".to_owned()));
        }
        let (examples, shard) = examples(setup)?;
        let (candidate_id, candidate) = match setup.provider {
            System::Asked(spec) => asked(setup, spec)?,
            System::Recorded(id) => {
                let name = setup.candidate.to_owned();
                (id.clone(), Candidate::Recorded(RecordedCandidate { name }))
            }
        };
        let mut scorers: Vec<(String, Box<dyn Scorer>)> = Vec::new();
        let mut scorer_ids = BTreeMap::new();
        let by_name = setup.judges.iter().map(|(name, loaded)| (name.clone(), loaded.judge.clone())).collect();
        let judges = Judges {
            by_name,
            programs: setup.programs.asked(),
            seed: setup.seed,
            files: files(setup.around.root, setup.scorers)?,
        };
        for (name, spec) in setup.scorers.iter().filter(|(_, spec)| spec.combination().is_none()) {
            let scorer = spec.build(&judges).map_err(|source| RunError::Scorer { name: name.clone(), source })?;
            let settings = digest(spec, &judges.files);
            scorer_ids.insert(name.clone(), scorer_id(setup, (name, spec), scorer.as_ref(), settings));
            scorers.push((name.clone(), scorer));
        }
        let combined = combinations(setup.scorers, &mut scorer_ids)?;
        let mut warnings = warnings(setup);
        warnings.extend(unused(&scorers, &examples));
        let mut provider = Router::default();
        // One judgement of one answer serves every decision: only answers are drawn anew.
        let of_scorers = Surroundings { draw: None, ..setup.around };
        for judge in setup.judges.values() {
            provider = judge.routed(provider, &of_scorers)?;
        }
        provider = setup.programs.routed(provider, &of_scorers)?;
        if let System::Asked(spec) = setup.provider {
            let unusable = |source| RunError::Candidate { name: setup.candidate.to_owned(), source };
            // Who learns, learns from the whole set, also where only part of it is asked.
            let around = Surroundings { evalset: setup.around.evalset.or(Some(setup.evalset)), ..setup.around };
            provider = provider.with(setup.candidate, spec.wrapped(&around).map_err(unusable)?);
        }
        let plan = Self {
            asked: Asked {
                dataset: DatasetId {
                    evalset: setup.evalset.name.clone(),
                    tag: setup.evalset.version.tag.clone(),
                    sha256: setup.evalset.version.sha256.clone(),
                    examples: examples.len(),
                },
                candidate: candidate_id,
                scorers: scorer_ids,
                trials: setup.trials,
                seed: setup.seed,
                against: setup.against.filter(|_| compares(setup)).map(|against| against.record_sha256.clone()),
                shard,
            },
            selection_sha256: selection_sha256(&examples),
            planned: examples.len() * setup.trials as usize,
            first_trial: setup.first_trial,
            examples,
            candidate,
            scorers,
            combined,
            provider,
            against: setup.against.filter(|_| compares(setup)).cloned(),
            warnings,
        };
        plan.check()?;
        Ok(plan)
    }

    /// How many answers are planned.
    #[must_use]
    pub const fn answers(&self) -> usize {
        self.planned
    }

    /// The calls that begin the answers, for estimates.
    ///
    /// # Errors
    /// An example that cannot be asked.
    pub fn first_calls(&self) -> Result<Vec<Call>, RunError> {
        let none = BTreeMap::new();
        let mut calls = Vec::with_capacity(self.answers());
        for trial in self.first_trial..self.first_trial + self.asked.trials {
            for example in &self.examples {
                let step = self.candidate.step(example, trial, &crate::call::Replies::new(&none));
                let step = step.map_err(|source| RunError::Prompt { id: example.id.clone(), source })?;
                if let Step::Ask(asked) = step {
                    calls.extend(asked.into_iter().map(|(_, call)| call));
                }
            }
        }
        Ok(calls)
    }

    /// The calls of judges, by judge, for estimates: answers are taken to be of a usual length, and what is asked again is
    /// left out.
    #[must_use]
    pub fn judge_calls<'j>(&self, judges: &'j BTreeMap<String, LoadedJudge>) -> Vec<(&'j str, Call)> {
        /// Words of an answer that is not there yet.
        const USUAL_WORDS: usize = 150;
        let answer = |sign: &str| serde_json::Value::from(vec![sign; USUAL_WORDS].join(" "));
        let mut calls = Vec::new();
        for (scorer, (judge, loaded)) in self.scorers.iter().filter_map(|(name, scorer)| {
            let id = self.asked.scorers.get(name)?.judge.as_ref()?;
            Some((scorer, judges.get_key_value(&id.name)?))
        }) {
            for example in self.examples.iter().filter(|example| scorer.applies(example)) {
                let mut item = Item::new(example.id.clone(), example.input.clone(), answer("words"));
                item.reference = Some(example.expected.clone().unwrap_or_default());
                item.other = Some(answer("other"));
                for call in loaded.first_calls(&item, self.asked.seed) {
                    calls.extend((0..self.asked.trials).map(|_| (judge.as_str(), call.clone())));
                }
            }
        }
        calls
    }

    /// Refuses what would only come to light after part of the answers were paid for.
    fn check(&self) -> Result<(), RunError> {
        if self.scorers.is_empty() {
            return Err(RunError::Plan("there are no scorers; add `[scorers.NAME.KIND]`".to_owned()));
        }
        let none = BTreeMap::new();
        let broken = |example: &Arc<Example>| {
            let step = match self.candidate.step(example, 0, &crate::call::Replies::new(&none)) {
                Ok(step) => step,
                Err(source) => return Some(RunError::Prompt { id: example.id.clone(), source }),
            };
            debug_assert!(matches!(step, Step::Ask(_)), "a candidate asks before it answers");
            let is_scored = self.scorers.iter().any(|(_, scorer)| scorer.applies(example));
            (!is_scored).then(|| RunError::Plan(format!("no scorer applies to example `{}`", example.id)))
        };
        // By all threads, and still the first one in the order of the set.
        self.examples.par_iter().find_map_first(broken).map_or(Ok(()), Err)
    }
}

/// The identity of a candidate that is asked, and the candidate.
fn asked(setup: &Setup<'_>, spec: &ProviderSpec) -> Result<(CandidateId, Candidate), RunError> {
    let root = setup.around.root;
    let prompt = spec.prompt().map(|file| template(root, file)).transpose()?;
    let id = CandidateId {
        name: setup.candidate.to_owned(),
        kind: spec.kind().to_owned(),
        digest: spec
            .digest(root, setup.around.revision)
            .map_err(|source| RunError::Candidate { name: setup.candidate.to_owned(), source })?,
        prompt_sha256: prompt.as_ref().map(|prompt| prompt.digest().to_owned()),
    };
    Ok((id, candidate(setup, spec, prompt)?))
}

/// Scorers that have nothing to say: a label or a place that is misspelt.
fn unused(scorers: &[(String, Box<dyn Scorer>)], examples: &[Arc<Example>]) -> Vec<String> {
    scorers
        .iter()
        .filter(|(_, scorer)| !examples.iter().any(|example| scorer.applies(example)))
        .map(|(name, _)| format!("scorer `{name}` applies to none of the examples"))
        .collect()
}

/// Whether a scorer compares two answers.
fn compares(setup: &Setup<'_>) -> bool {
    setup.judges.values().any(|loaded| loaded.judge.is_pairwise())
}

/// The identity of a scorer; of a judged one it holds everything that its grades follow from.
fn scorer_id(setup: &Setup<'_>, (name, spec): (&str, &ScorerSpec), scorer: &dyn Scorer, settings: String) -> ScorerId {
    let judge = spec.judge().and_then(|judged| Some((judged, setup.judges.get(&judged.judge)?)));
    let judge = judge.map(|(judged, loaded)| (loaded, loaded.id(judged.dimension())));
    let digest = match &judge {
        // An edited program is another scorer, as is another version of it.
        None => match setup.programs.running(name) {
            None => settings,
            Some(running) => sha256_hex(format!("{settings} {running}")),
        },
        Some((loaded, id)) => {
            let pass_at = loaded.judge.pass_at();
            let parts = serde_json::json!([settings, id, pass_at, loaded.judge.scale.offered()]);
            sha256_hex(parts.to_string())
        }
    };
    ScorerId {
        kind: spec.kind().to_owned(),
        version: spec.version(),
        digest,
        scale: scorer.scale(),
        judge: judge.map(|(_, id)| id),
    }
}

/// What is to be known of the judges, and of them beside the candidate.
fn warnings(setup: &Setup<'_>) -> Vec<String> {
    let candidate = match setup.provider {
        System::Asked(spec) => spec.model().map(|(_, spec)| spec.model.as_str()),
        System::Recorded(_) => None,
    };
    let mut found = Vec::new();
    for (name, loaded) in setup.judges {
        found.extend(loaded.warnings.iter().cloned());
        for model in loaded.models() {
            if let Some(candidate) = candidate.filter(|candidate| are_related(candidate, model)) {
                found.push(format!(
                    "judge `{name}` ({model}) and candidate `{}` ({candidate}) are of one family: a judge tends to \
                     prefer what it would have written itself",
                    setup.candidate
                ));
            }
        }
    }
    found
}

/// The candidate of the settings, with its templates.
fn candidate(setup: &Setup<'_>, settings: &ProviderSpec, prompt: Option<Template>) -> Result<Candidate, RunError> {
    let root = setup.around.root;
    let provider = setup.candidate.to_owned();
    let Some((_, spec)) = settings.model() else {
        let body = settings.body().map(|file| template(root, file)).transpose()?;
        return Ok(Candidate::Program(ProgramCandidate { provider, prompt, body, answer: settings.answer() }));
    };
    let system = spec.system.as_deref().map(|file| template(root, file)).transpose()?;
    let schema = spec
        .schema
        .as_deref()
        .map(|file| schema(root, file))
        .transpose()
        .map_err(|source| RunError::Candidate { name: provider.clone(), source })?;
    let ModelSpec { model, tools, tool_choice, params, .. } = spec.clone();
    let request = Request { provider, model, messages: Vec::new(), tools, tool_choice, schema, params, repeat: 0 };
    Ok(Candidate::Chat(ChatCandidate { request, prompt, system }))
}

/// The JSON schema of an answer; its name is the file's.
fn schema(root: &Path, file: &Path) -> Result<AnswerSchema, ProviderError> {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).map_err(TableError::io(&path))?;
    let schema = serde_json::from_str(&text)
        .map_err(|error| ProviderError::Settings(format!("{}: not JSON: {error}", file.display())))?;
    let name = file.file_stem().map_or_else(|| "answer".to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(AnswerSchema { name, schema })
}

fn template(root: &Path, file: &Path) -> Result<Template, RunError> {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| RunError::Record(TableError::io(&path)(error).into()))?;
    Ok(Template::new(&file.display().to_string(), &text)?)
}

/// The chosen examples, or one shard of them with what tells it from the others.
fn examples(setup: &Setup<'_>) -> Result<(Vec<Arc<Example>>, Option<ShardId>), RunError> {
    let whole = setup.selection.choose(&setup.evalset.examples).map_err(RunError::Plan)?;
    let Some(shard) = setup.shard else { return Ok((whole, None)) };
    let part = shard.part(&whole);
    if part.is_empty() {
        let what = format!("shard {shard} is empty: there are {} examples; use at most as many shards", whole.len());
        return Err(RunError::Plan(what));
    }
    let selection_sha256 = selection_sha256(&whole);
    Ok((part, Some(ShardId { index: shard.index, count: shard.count, examples: whole.len(), selection_sha256 })))
}

fn selection_sha256(examples: &[Arc<Example>]) -> String {
    let ids: Vec<&str> = examples.iter().map(|example| example.id.as_str()).collect();
    sha256_hex(ids.join("\n"))
}
