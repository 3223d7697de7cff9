//! Running a side of a check again: further trials of the head, or of the baseline where its candidate is at hand.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::RunArgs;
use super::failure::Failure;
use super::git::exact_revision;
use super::output::Output;
use super::outside::Outside;
use super::progress::Progress;
use super::run::{Sides, all, concurrency, interrupted, stopped};
use crate::check::{Again, CheckError, Wanted, Which};
use crate::config::Project;
use crate::evalset::Selection;
use crate::provider::Budget;
use crate::record::{Asked, Journal, RunFolder, Sample};
use crate::run::{Against, Limits, Plan, Setup, System, load_judges, load_programs};
use crate::table::sha256_hex;

impl From<CheckError> for Box<Failure> {
    fn from(error: CheckError) -> Self {
        Self::new(error.into())
    }
}

/// A candidate that can be run.
struct Runner {
    project: Project,
    candidate: String,
    evalset: String,
}

/// The two sides of a check, with what they share.
pub(super) struct Sessions<'a> {
    head: Runner,
    baseline: Option<Runner>,
    pub(super) args: &'a RunArgs,
    pub(super) output: &'a Output,
    /// What the whole check may spend.
    pub(super) budget: Arc<Budget>,
    /// The answers that pairwise judges compare with.
    pub(super) against: Option<Against>,
    /// The head's run, in whose folder the further trials are kept.
    pub(super) folder: PathBuf,
    seed: u64,
    /// Under what the cache keeps these trials.
    draw: String,
    count: u32,
}

/// What a check is about.
pub(super) struct About<'a> {
    pub(super) project: &'a Project,
    /// A checkout that has the baseline's candidate.
    pub(super) base_project: Option<&'a Project>,
    pub(super) candidate: &'a str,
    pub(super) evalset: &'a str,
    /// What the baseline asked.
    pub(super) asked: &'a Asked,
    /// The digest of the head's record.
    pub(super) head: &'a str,
    /// The digest of the baseline's record.
    pub(super) baseline: &'a str,
    pub(super) seed: u64,
}

/// Names the trials that one decision draws.
///
/// From the cache of answers, every pull request would get the same further trials of the baseline, and share their luck. Named
/// by the run or the commit they would be others whenever a check is repeated: running it until it is green would work. So the
/// two records that are decided about name them: another head draws anew, and the same head gets the same answers again.
fn draw(baseline: &str, head: &str) -> String {
    sha256_hex(format!("draw {baseline} {head}"))[..16].to_owned()
}

impl<'a> Sessions<'a> {
    pub(super) fn new(
        about: &About<'_>,
        args: &'a RunArgs,
        output: &'a Output,
        (budget, folder): (Arc<Budget>, PathBuf),
        against: Option<Against>,
    ) -> Self {
        let runner = |project: &Project, candidate: &str| Runner {
            project: project.clone(),
            candidate: candidate.to_owned(),
            evalset: about.evalset.to_owned(),
        };
        let baseline = [about.base_project, Some(about.project)]
            .into_iter()
            .flatten()
            .find_map(|project| Some(runner(project, &candidate_with(project, &about.asked.candidate.digest)?)));
        Self {
            head: runner(about.project, about.candidate),
            baseline,
            args,
            output,
            budget,
            against,
            folder,
            seed: about.seed,
            draw: draw(about.baseline, about.head),
            count: 0,
        }
    }
}

/// The candidate of a project that is, by its digest, the one that a record was made with.
fn candidate_with(project: &Project, digest: &str) -> Option<String> {
    let revision = exact_revision(&project.root);
    let is = |provider: &crate::provider::ProviderSpec| {
        provider.digest(&project.root, revision.as_ref()).is_ok_and(|own| own == digest)
    };
    project.config.candidates.iter().find(|(_, provider)| is(provider)).map(|(name, _)| name.clone())
}

impl Again for Sessions<'_> {
    type Error = Box<Failure>;

    fn run(&mut self, wanted: Wanted<'_>) -> Result<Option<Vec<Sample>>, Self::Error> {
        let (runner, side) = match wanted.which {
            Which::Head => (&self.head, "head"),
            Which::Baseline => match &self.baseline {
                Some(runner) => (runner, "baseline"),
                None => return Ok(None),
            },
        };
        self.count += 1;
        let path = self.folder.join("again").join(format!("{}-{side}", self.count));
        let trials = if wanted.trials == 1 { "1 trial".to_owned() } else { format!("{} trials", wanted.trials) };
        let examples = if wanted.ids.is_empty() { String::new() } else { format!(" of {} examples", wanted.ids.len()) };
        self.output.note(&format!("again: {trials}{examples} of the {side}, {}", runner.candidate));
        self.ask(runner, side, wanted, path).map(Some).map_err(Box::new)
    }
}

impl Sessions<'_> {
    fn ask(&self, runner: &Runner, side: &str, wanted: Wanted<'_>, path: PathBuf) -> Result<Vec<Sample>, Failure> {
        let project = &runner.project;
        let (name, provider) = project.candidate(Some(&runner.candidate))?;
        let judges = load_judges(&self.head.project.root, &self.head.project.config.scorers)?;
        let programs = load_programs(&self.head.project.root, &self.head.project.config.scorers)?;
        let asked = all(provider, &judges, &programs);
        let outside = Outside::new(project, &asked, concurrency(project, self.args), self.args.cache)?
            .spending(Arc::clone(&self.budget))
            // Each side by itself: where a change leaves a question as it was, both would get the one answer.
            .drawing(&format!("{}-{side}", self.draw));
        let evalset = self.head.project.evalset(Some(&runner.evalset))?;
        let sides =
            Sides { candidate: (name, provider), judges: &judges, programs: &programs, against: self.against.as_ref() };
        let selection = if wanted.ids.is_empty() {
            super::run::selection(&self.args.select, self.seed)?
        } else {
            Selection { ids: wanted.ids.to_vec(), ..Selection::default() }
        };
        let mut plan = Plan::new(&Setup {
            around: outside.around(),
            evalset: &evalset,
            selection: &selection,
            candidate: name,
            provider: System::Asked(provider),
            scorers: &self.head.project.config.scorers,
            judges: &judges,
            programs: &programs,
            against: sides.against,
            trials: wanted.trials,
            first_trial: wanted.first,
            shard: None,
            seed: self.seed,
        })?;
        std::fs::create_dir_all(&path).map_err(|error| Failure::machine(format!("{}: {error}", path.display())))?;
        let started = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut journal = Journal::create(&path, &plan.asked, &plan.selection_sha256, plan.answers(), &started)?;
        let mut progress = Progress::new(self.output, !self.args.no_progress);
        let limits = Limits { concurrency: outside.concurrency, failed: project.config.failed_answers(plan.answers()) };
        let runtime = crate::cli::runtime::runtime()?;
        let mut on_event = |event: &crate::run::RunEvent<'_>| progress.event(event, self.output);
        let samples =
            runtime.block_on(crate::run::run(&mut plan, limits, &mut journal, Vec::new(), interrupted, &mut on_event));
        progress.finish();
        let folder = RunFolder { id: path.display().to_string(), path };
        let samples = samples.map_err(|error| stopped(error, &folder, false))?;
        outside.told().iter().for_each(|line| self.output.note(line));
        Ok(samples)
    }
}
