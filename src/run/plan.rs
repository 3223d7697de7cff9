//! What is going to be asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::error::RunError;
use crate::call::{AnswerSchema, Call, Request, Step, Template};
use crate::candidate::{Candidate, ChatCandidate, ProgramCandidate};
use crate::evalset::{EvalSet, Example, Selection};
use crate::provider::{ModelSpec, ProviderError, ProviderSpec, Router, Surroundings};
use crate::record::{Asked, CandidateId, DatasetId, ScorerId};
use crate::score::{Scorer, ScorerSpec};
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
    /// The candidate's settings.
    pub provider: &'a ProviderSpec,
    /// The scorers.
    pub scorers: &'a BTreeMap<String, ScorerSpec>,
    /// Trials of every example.
    pub trials: u32,
    /// The seed.
    pub seed: u64,
}

/// Everything a run needs, checked: prompts render for every example, and at least one scorer applies to each.
pub struct Plan {
    /// What is asked, for the manifest.
    pub asked: Asked,
    /// SHA-256 over the chosen ids.
    pub selection_sha256: String,
    pub(super) examples: Vec<Arc<Example>>,
    planned: usize,
    pub(super) candidate: Candidate,
    pub(super) scorers: Vec<(String, Box<dyn Scorer>)>,
    pub(super) provider: Router,
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
        let examples = setup.selection.choose(&setup.evalset.examples).map_err(RunError::Plan)?;
        let prompt = setup.provider.prompt().map(|file| template(setup.around.root, file)).transpose()?;
        let unusable = |source| RunError::Candidate { name: setup.candidate.to_owned(), source };
        let candidate_id = CandidateId {
            name: setup.candidate.to_owned(),
            kind: setup.provider.kind().to_owned(),
            digest: setup.provider.digest(setup.around.root).map_err(unusable)?,
            prompt_sha256: prompt.as_ref().map(|prompt| prompt.digest().to_owned()),
        };
        let candidate = candidate(setup, prompt)?;
        let mut scorers: Vec<(String, Box<dyn Scorer>)> = Vec::new();
        let mut scorer_ids = BTreeMap::new();
        for (name, spec) in setup.scorers {
            let scorer = spec.build().map_err(|source| RunError::Scorer { name: name.clone(), source })?;
            let id = ScorerId {
                kind: spec.kind().to_owned(),
                version: spec.version(),
                digest: spec.digest(),
                scale: scorer.scale(),
            };
            scorer_ids.insert(name.clone(), id);
            scorers.push((name.clone(), scorer));
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
            },
            selection_sha256: selection_sha256(&examples),
            planned: examples.len() * setup.trials as usize,
            examples,
            candidate,
            scorers,
            provider: Router::default().with(setup.candidate, setup.provider.wrapped(&setup.around).map_err(unusable)?),
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
        for trial in 0..self.asked.trials {
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

    /// Refuses what would only come to light after part of the answers were paid for.
    fn check(&self) -> Result<(), RunError> {
        if self.scorers.is_empty() {
            return Err(RunError::Plan("there are no scorers; add `[scorers.NAME.KIND]`".to_owned()));
        }
        let none = BTreeMap::new();
        for example in &self.examples {
            let step = self.candidate.step(example, 0, &crate::call::Replies::new(&none));
            let step = step.map_err(|source| RunError::Prompt { id: example.id.clone(), source })?;
            debug_assert!(matches!(step, Step::Ask(_)), "a candidate asks before it answers");
            if !self.scorers.iter().any(|(_, scorer)| scorer.applies(example)) {
                return Err(RunError::Plan(format!("no scorer applies to example `{}`", example.id)));
            }
        }
        Ok(())
    }
}

/// The candidate of the settings, with its templates.
fn candidate(setup: &Setup<'_>, prompt: Option<Template>) -> Result<Candidate, RunError> {
    let root = setup.around.root;
    let provider = setup.candidate.to_owned();
    let Some((_, spec)) = setup.provider.model() else {
        let body = setup.provider.body().map(|file| template(root, file)).transpose()?;
        return Ok(Candidate::Program(ProgramCandidate { provider, prompt, body, answer: setup.provider.answer() }));
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

fn selection_sha256(examples: &[Arc<Example>]) -> String {
    let ids: Vec<&str> = examples.iter().map(|example| example.id.as_str()).collect();
    sha256_hex(ids.join("\n"))
}
