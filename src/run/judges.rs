//! Judges with the models that they ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::error::RunError;
use crate::call::{Call, Params, Replies, Request, Step, engine_version};
use crate::judge::{Asker, Files, Item, Judge, JudgeError, JudgeId, JudgeKind, ModelFacts, family, warnings};
use crate::provider::{ModelSpec, ProviderError, ProviderSpec, Router, Surroundings, VersionSpec};
use crate::score::ScorerSpec;
use crate::table::sha256_hex;

/// A judge that is ready to be asked.
#[derive(Debug, Clone)]
pub struct LoadedJudge {
    /// The judge.
    pub judge: Arc<Judge>,
    /// What a reader should know before trusting it.
    pub warnings: Vec<String>,
    /// Who is asked: the router's name and the settings; of a panel one a member.
    seats: Vec<(String, ProviderSpec)>,
    model: String,
    model_sha256: String,
}

/// The part of `judge.toml` that says who is asked.
#[derive(Deserialize)]
struct Model {
    model: Option<ProviderSpec>,
}

/// Where the judges of a project are.
#[must_use]
pub fn judges_folder(root: &Path) -> PathBuf {
    // As people write it: `judges`, not `./judges`.
    if root == Path::new(".") { PathBuf::from("judges") } else { root.join("judges") }
}

/// Loads the judges that scorers name; `root` is the project's folder.
///
/// # Errors
/// The first judge that cannot be used.
pub fn load_judges(
    root: &Path,
    scorers: &BTreeMap<String, ScorerSpec>,
) -> Result<BTreeMap<String, LoadedJudge>, RunError> {
    let mut loaded = BTreeMap::new();
    for spec in scorers.values().filter_map(ScorerSpec::judge) {
        if !loaded.contains_key(&spec.judge) {
            loaded.insert(spec.judge.clone(), load_judge(root, &spec.judge)?);
        }
    }
    Ok(loaded)
}

/// Loads a judge, of a panel its members too.
///
/// # Errors
/// A folder, a prompt or a model that cannot be used.
pub fn load_judge(root: &Path, name: &str) -> Result<LoadedJudge, RunError> {
    let files = Files::read(&judges_folder(root), name)?;
    if files.spec.kind != JudgeKind::Panel {
        return single(root, files);
    }
    let mut warned = warnings(&files, None);
    let mut members = Vec::new();
    let mut seats = Vec::new();
    let (mut models, mut digests) = (Vec::new(), Vec::new());
    for member in &files.spec.members {
        let of_member = Files::read(&judges_folder(root), member)?;
        if of_member.spec.kind == JudgeKind::Panel {
            let reason = format!("the member `{member}` is a panel itself");
            return Err(JudgeError::Settings { path: files.settings(), reason }.into());
        }
        let loaded = single(root, of_member)?;
        warned.extend(loaded.warnings);
        seats.extend(loaded.seats);
        models.push(loaded.model);
        digests.push(loaded.model_sha256);
        members.extend(Arc::into_inner(loaded.judge));
    }
    Ok(LoadedJudge {
        judge: Arc::new(Judge::panel(files, members)?),
        warnings: warned,
        seats,
        model: models.join(" + "),
        model_sha256: sha256_hex(digests.join(" ")),
    })
}

/// A judge with a model of its own.
fn single(root: &Path, files: Files) -> Result<LoadedJudge, RunError> {
    let path = files.settings();
    let Model { model } = toml::from_str(&files.text).map_err(|error| JudgeError::parse(&path, &files.text, &error))?;
    let settings = |reason: String| JudgeError::Settings { path: path.clone(), reason };
    let spec = model.ok_or_else(|| settings("there is no `[model.KIND]`".to_owned()))?;
    check_model(&spec).map_err(settings)?;
    let provider = format!("judge/{}", files.name);
    let model_sha256 =
        model_digest(&spec, root).map_err(|source| RunError::JudgeModel { name: files.name.clone(), source })?;
    let facts = spec.model().map(|(vendor, model)| ModelFacts {
        name: &model.model,
        is_hosted: model.base_url.as_deref().is_none_or(|url| url.trim_end_matches('/') == vendor.base_url()),
        temperature: model.params.temperature,
    });
    let warnings = warnings(&files, facts);
    let name = spec.model().map_or_else(|| spec.kind().to_owned(), |(_, model)| model.model.clone());
    let asker = asker(provider.clone(), &spec);
    let judge = Arc::new(Judge::one(files, asker)?);
    Ok(LoadedJudge { judge, warnings, seats: vec![(provider, spec)], model: name, model_sha256 })
}

fn asker(provider: String, spec: &ProviderSpec) -> Asker {
    match spec.model() {
        None => Asker::Program { provider, answer: spec.answer() },
        Some((_, model)) => Asker::Model(Box::new(Request {
            provider,
            model: model.model.clone(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            schema: None,
            params: model.params.clone(),
            repeat: 0,
        })),
    }
}

/// Refuses keys of a candidate that mean nothing for a judge.
fn check_model(spec: &ProviderSpec) -> Result<(), String> {
    let model = spec.model().map(|(_, model)| model);
    let of_a_candidate = [
        (spec.prompt().is_some(), "prompt"),
        (spec.body().is_some(), "body"),
        (model.is_some_and(|model| model.system.is_some()), "system"),
        (model.is_some_and(|model| model.schema.is_some()), "schema"),
        (model.is_some_and(|model| !model.tools.is_empty() || model.tool_choice.is_some()), "tools"),
    ];
    if spec.version().is_some_and(VersionSpec::needs_revision) {
        return Err("a judge's `version` is made of `files` or `text`: by `git` every commit would be another judge, and end its licence".to_owned());
    }
    match of_a_candidate.iter().find(|(wrong, _)| *wrong) {
        None => Ok(()),
        Some((_, key)) => Err(format!(
            "`[model.{}]` has `{key}`, which is a candidate's: a judge's prompt is prompt.md.j2, and the form of its \
             reply follows from its scale",
            spec.kind()
        )),
    }
}

/// SHA-256 over what decides a model's replies. How long is waited, how often it is tried, and which variable holds the
/// key change nothing about them.
fn model_digest(spec: &ProviderSpec, root: &Path) -> Result<String, ProviderError> {
    let Some((vendor, model)) = spec.model() else {
        let told = spec.told_digest(root, None)?;
        // An edited program is another judge, also where no version is said: a licence must not outlive it.
        return Ok(spec.argv_digest(root)?.map_or_else(|| told.clone(), |own| sha256_hex(format!("{told} {own}"))));
    };
    let ModelSpec { model, base_url, api_version, headers, params, .. } = model;
    let base_url = base_url.as_deref().unwrap_or_else(|| vendor.base_url()).trim_end_matches('/');
    let settings: (&str, &str, &str, _, _, &Params) = (spec.kind(), model, base_url, api_version, headers, params);
    Ok(sha256_hex(serde_json::to_string(&settings).unwrap_or_default()))
}

impl LoadedJudge {
    /// Its identity, for one dimension or `*`.
    #[must_use]
    pub fn id(&self, dimension: &str) -> JudgeId {
        let families: Vec<&str> = self.models().into_iter().filter_map(family).collect();
        let same = families.windows(2).all(|pair| pair[0] == pair[1]);
        JudgeId {
            name: self.judge.name.clone(),
            kind: self.judge.spec.kind.name().to_owned(),
            sha256: self.judge.sha256().to_owned(),
            model: self.model.clone(),
            model_sha256: self.model_sha256.clone(),
            family: families.first().filter(|_| same).map(|family| (*family).to_owned()),
            prompt_sha256: self.judge.prompt_sha256().to_owned(),
            engine: engine_version().to_owned(),
            dimension: dimension.to_owned(),
        }
    }

    /// The names of the models behind it; programs have none.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        self.seats.iter().filter_map(|(_, spec)| spec.model().map(|(_, model)| model.model.as_str())).collect()
    }

    /// The settings of whoever is asked; of a panel one a member.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderSpec> {
        self.seats.iter().map(|(_, spec)| spec)
    }

    /// Whoever is asked, by the router's name; of a panel one a member.
    pub fn seats(&self) -> impl Iterator<Item = (&str, &ProviderSpec)> {
        self.seats.iter().map(|(name, spec)| (name.as_str(), spec))
    }

    /// The settings behind a name of the router.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&ProviderSpec> {
        self.seats.iter().find(|(known, _)| known == name).map(|(_, spec)| spec)
    }

    /// Adds whoever is asked to a router, with the wrappers that a candidate has too.
    ///
    /// # Errors
    /// Settings that cannot be used, a key that is not there.
    pub fn routed(&self, mut router: Router, around: &Surroundings<'_>) -> Result<Router, RunError> {
        for (name, spec) in &self.seats {
            let provider = spec.wrapped(around).map_err(|source| {
                let name = self.judge.name.clone();
                RunError::JudgeModel { name, source }
            })?;
            router = router.with(name, provider);
        }
        Ok(router)
    }

    /// The calls that one item takes, without those that are made again.
    #[must_use]
    pub fn first_calls(&self, item: &Item, seed: u64) -> Vec<Call> {
        match self.judge.step(item, seed, &Replies::new(&BTreeMap::new())) {
            Step::Ask(calls) => calls.into_iter().map(|(_, call)| call).collect(),
            Step::Done(_) => Vec::new(),
        }
    }
}
