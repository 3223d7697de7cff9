//! `check --baselines`: honest baselines over the same examples, beside the candidate. They cost nothing and decide nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Args;

use super::failure::Failure;
use super::output::Output;
use super::outside::Outside;
use super::run::{TOOL, interrupted, shown};
use crate::call::Pointer;
use crate::check::{RecordSource, beside};
use crate::compare::{MetricSpec, default_metrics};
use crate::config::Project;
use crate::evalset::{EvalSet, Selection};
use crate::gate::{HonestBaseline, Verdict};
use crate::provider::cache::CacheMode;
use crate::provider::{Columns, Draw, MajoritySpec, NearestSpec, Notices, Places, ProviderSpec, RandomSpec};
use crate::record::{Journal, Made, RunRecord, State, save};
use crate::run::{Limits, Plan, Setup, System, close, load_programs};
use crate::score::{Combination, ScorerSpec};

/// Questions that are open at a time: the answers are there at once.
const AT_ONCE: usize = 64;

#[derive(Debug, Clone, Default, Args)]
pub(super) struct HonestArgs {
    /// Set baselines that an afternoon makes beside the candidate: candidates of the kinds keyword, random, majority, nearest,
    /// or `random`, `majority` and `nearest` as the scorers' places suggest. They cost nothing, nobody is asked over the network (metrics of
    /// judges and `http` scorers are left out), and they never change the verdict
    /// [default: the config's `baselines`, else all of these]
    #[arg(long, value_name = "NAME,…", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(super) baselines: Option<String>,
}

/// The honest baselines of a check.
pub(super) struct Honest<'p> {
    project: &'p Project,
    chosen: Vec<(String, ProviderSpec)>,
}

impl<'p> Honest<'p> {
    /// The baselines that are asked for, each tried out before anything is asked of the candidate.
    pub(super) fn new(
        project: &'p Project,
        evalset: &EvalSet,
        candidate: &str,
        args: &HonestArgs,
        output: &Output,
    ) -> Result<Self, Failure> {
        let mut chosen = Vec::new();
        let Some(typed) = &args.baselines else { return Ok(Self { project, chosen }) };
        let typed: Vec<&str> = typed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let configured: Vec<&str> = project.config.baselines.iter().map(String::as_str).collect();
        let named = if typed.is_empty() { &configured } else { &typed };
        let every = everything(project);
        let names = if named.is_empty() { &every } else { named };
        for name in names.iter().copied().filter(|name| *name != candidate) {
            let Some(spec) = spec_of(project, name)? else {
                output.note(&format!("no `{name}`: no scorer of the kinds label, exact or numeric says what to learn"));
                continue;
            };
            match spec.build(&project.root, &|_| None, Some(evalset), &Notices::default()) {
                Ok(_) => chosen.push((name.to_owned(), spec)),
                // What nobody named is left out where it has nothing to learn from.
                Err(error) if named.is_empty() && !project.config.candidates.contains_key(name) => {
                    output.note(&format!("no `{name}`: {error}"));
                }
                Err(error) => return Err(Failure::input(format!("honest baseline `{name}`: {error}"))),
            }
        }
        Ok(Self { project, chosen })
    }

    /// Runs them on the head's examples and sets them beside the head. Whatever goes wrong with them is a warning: they never
    /// change the verdict.
    pub(super) fn add_to(&self, verdict: &mut Verdict, head: (&RunRecord, &Path), seed: u64, output: &Output) {
        match self.beside(head, verdict, seed, output) {
            Ok(found) => verdict.honest_baselines = found,
            Err(failure) => {
                verdict.warnings.push(format!("the honest baselines are not shown: {}", failure.message));
            }
        }
    }

    fn beside(
        &self,
        (head, folder): (&RunRecord, &Path),
        verdict: &Verdict,
        seed: u64,
        output: &Output,
    ) -> Result<Vec<HonestBaseline>, Failure> {
        if self.chosen.is_empty() {
            return Ok(Vec::new());
        }
        let Some(terms) = Terms::new(self.project, head, verdict, output)? else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(self.chosen.len());
        for (name, spec) in &self.chosen {
            let place = folder.join("baselines").join(name);
            let record = self.ask(name, spec, &terms, &place, (head, seed))?;
            let (source, head_source) = (shown(&place), shown(folder));
            let scores = beside(
                RecordSource { record: &record, source: &source },
                RecordSource { record: head, source: &head_source },
                &terms.metrics,
                seed,
            )?;
            let asked = &record.manifest.asked;
            found.push(HonestBaseline {
                name: name.clone(),
                kind: spec.kind().to_owned(),
                learned_from: learned_from(spec),
                digest: asked.candidate.digest.clone(),
                source,
                record_sha256: record.manifest.record_sha256.clone(),
                scores,
            });
        }
        Ok(found)
    }

    fn ask(
        &self,
        name: &str,
        spec: &ProviderSpec,
        terms: &Terms,
        place: &Path,
        (head, seed): (&RunRecord, u64),
    ) -> Result<RunRecord, Failure> {
        let outside = Outside::new(self.project, &[spec], AT_ONCE, Some(CacheMode::Off))?;
        let programs = load_programs(&self.project.root, &terms.scorers)?;
        let mut plan = Plan::new(&Setup {
            around: crate::provider::Surroundings { evalset: Some(&terms.whole), ..outside.around() },
            evalset: &terms.asked,
            selection: &Selection::default(),
            candidate: name,
            provider: System::Asked(spec),
            scorers: &terms.scorers,
            judges: &BTreeMap::new(),
            programs: &programs,
            against: None,
            trials: head.manifest.asked.trials,
            first_trial: 0,
            seed,
            shard: None,
        })?;
        std::fs::create_dir_all(place).map_err(|error| Failure::machine(format!("{}: {error}", place.display())))?;
        let now = || jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let started = now();
        let mut journal = Journal::create(place, &plan.asked, &plan.selection_sha256, plan.answers(), &started)?;
        let limits = Limits { concurrency: AT_ONCE, failed: None };
        let runtime = crate::cli::runtime::runtime()?;
        let samples =
            runtime.block_on(crate::run::run(&mut plan, limits, &mut journal, Vec::new(), interrupted, &mut |_| {}))?;
        let made = Made {
            run_id: format!("{}/baselines/{name}", head.manifest.made.run_id),
            tool: TOOL.to_owned(),
            started,
            finished: now(),
            state: State::Complete,
            warnings: Vec::new(),
            merged_from: Vec::new(),
            ..head.manifest.made.clone()
        };
        let record = close(&plan, samples, made)?;
        save(place, &record)?;
        Ok(record)
    }
}

/// What honest baselines are asked and by what they are measured.
struct Terms {
    metrics: BTreeMap<String, MetricSpec>,
    scorers: BTreeMap<String, ScorerSpec>,
    /// The whole set, to learn from.
    whole: EvalSet,
    /// The part of it that the head answered and these scorers apply to.
    asked: EvalSet,
}

impl Terms {
    /// The metrics of the verdict that neither a judge nor a service makes, nor a combination with one: nobody is asked over
    /// the network, and nobody is paid. Nothing where there is none.
    fn new(project: &Project, head: &RunRecord, verdict: &Verdict, output: &Output) -> Result<Option<Self>, Failure> {
        let config = &project.config;
        let mut metrics = if config.metrics.is_empty() { default_metrics(head) } else { config.metrics.clone() };
        metrics.retain(|name, _| verdict.metrics.iter().any(|metric| metric.name == *name));
        let reasons: BTreeMap<String, Option<Outsider>> =
            metrics.iter().map(|(name, spec)| (name.clone(), outsider(&config.scorers, &spec.scorer))).collect();
        for (reason, said) in
            [(Outsider::Judge, "are not judged"), (Outsider::Service, "are not sent to a service that scores")]
        {
            let names: Vec<String> = reasons
                .iter()
                .filter(|(_, found)| **found == Some(reason))
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            if !names.is_empty() {
                output.note(&format!("honest baselines {said}: {} left out", names.join(", ")));
            }
        }
        metrics.retain(|name, _| reasons.get(name).is_some_and(Option::is_none));
        if metrics.is_empty() {
            return Ok(None);
        }
        // Every other scorer, so that their records can be looked at like any other.
        let scorers: BTreeMap<String, ScorerSpec> = config
            .scorers
            .iter()
            .filter(|(name, _)| outsider(&config.scorers, name).is_none())
            .map(|(name, scorer)| (name.clone(), scorer.clone()))
            .collect();
        let dataset = &head.manifest.asked.dataset;
        let whole = project.evalset(Some(&format!("{}@{}", dataset.evalset, dataset.tag)))?;
        let answered: BTreeSet<&str> = head
            .samples
            .iter()
            .filter(|sample| sample.scores.iter().any(|row| scorers.contains_key(&row.scorer)))
            .map(|sample| sample.id.as_str())
            .collect();
        let mut asked = whole.clone();
        asked.examples.retain(|example| answered.contains(example.id.as_str()));
        Ok(Some(Self { metrics, scorers, whole, asked }))
    }
}

/// Who would be asked over the network for a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outsider {
    /// Or nobody knows the scorer any more.
    Judge,
    Service,
}

/// Who would be asked over the network for a scorer's scores, be it for a member of a combination.
fn outsider(scorers: &BTreeMap<String, ScorerSpec>, name: &str) -> Option<Outsider> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        match scorers.get(&name) {
            None | Some(ScorerSpec::Judge(_)) => return Some(Outsider::Judge),
            Some(ScorerSpec::Http(_)) => return Some(Outsider::Service),
            Some(spec) => {
                let members = spec.combination().map(Combination::members).unwrap_or_default();
                let members: Vec<String> = members.into_iter().map(|(member, _)| member.to_owned()).collect();
                // None that leads back to itself gets this far; still, this must end.
                if seen.insert(name) {
                    open.extend(members);
                }
            }
        }
    }
    None
}

/// The names of all honest baselines that a project has: the kinds that learn, and its own candidates of such kinds.
fn everything(project: &Project) -> Vec<&str> {
    let own = project.config.candidates.iter().filter(|(_, spec)| spec.is_honest_baseline());
    let mut names: Vec<&str> = ProviderSpec::LEARNING.to_vec();
    names.extend(own.map(|(name, _)| name.as_str()).filter(|name| !ProviderSpec::LEARNING.contains(name)));
    names
}

/// The settings of a baseline: a candidate's own, or those that the scorers' places suggest.
fn spec_of(project: &Project, name: &str) -> Result<Option<ProviderSpec>, Failure> {
    if let Some(spec) = project.config.candidates.get(name) {
        if !spec.is_honest_baseline() {
            return Err(Failure::input(format!(
                "candidate `{name}` is no honest baseline: its kind is `{}`, and one of keyword, random, majority, nearest is \
                 needed",
                spec.kind()
            )));
        }
        return Ok(Some(spec.clone()));
    }
    let (learn, answer, from, columns) = (places(project), Pointer::default(), None, Columns::default());
    Ok(match name {
        "random" | "majority" | "nearest" if learn.is_none() => None,
        "random" => learn.map(|learn| {
            ProviderSpec::Random(RandomSpec { learn, answer, from, columns, draw: Draw::default(), seed: 0 })
        }),
        "majority" => learn.map(|learn| ProviderSpec::Majority(MajoritySpec { learn, answer, from, columns })),
        "nearest" => learn.map(|learn| {
            let (k1, b) = NearestSpec::CONSTANTS;
            ProviderSpec::Nearest(NearestSpec { learn, answer, from, columns, k1, b })
        }),
        _ => {
            return Err(Failure::input(format!(
                "there is no honest baseline `{name}`; there are: {}",
                everything(project).iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )));
        }
    })
}

/// What there is to learn, by the scorers that compare a place in the answer with one in `expected`.
fn places(project: &Project) -> Option<Places> {
    let mut found: BTreeMap<Pointer, Pointer> = BTreeMap::new();
    for spec in project.config.scorers.values() {
        let (answer, expected) = match spec {
            ScorerSpec::Label(spec) => (&spec.answer, &spec.expected),
            ScorerSpec::Exact(spec) => (&spec.answer, &spec.expected),
            ScorerSpec::Numeric(spec) => (&spec.answer, &spec.expected),
            _ => continue,
        };
        // Of two places where one lies in the other only the first can be answered.
        if !found.keys().any(|known| known.holds(answer) || answer.holds(known)) {
            found.insert(answer.clone(), expected.clone());
        }
    }
    Some(Places::Each(found)).filter(|places| *places != Places::Each(BTreeMap::new()))
}

fn learned_from(spec: &ProviderSpec) -> Option<String> {
    match spec {
        ProviderSpec::Keyword(_) => None,
        _ => Some(match spec.learns_from() {
            Some(file) => format!("from {}", file.display()),
            None => "each example left out".to_owned(),
        }),
    }
}
