//! The programs and services that scorers ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::RunError;
use crate::call::{Pointer, Template, VersionSpec};
use crate::provider::{CommandSpec, HttpSpec, OutputForm, ProviderError, ProviderSpec, Router, Surroundings};
use crate::score::{Asked, Asking, ScorerSpec};
use crate::table::{TableError, sha256_hex};

/// The programs and services behind the scorers of a project.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    root: PathBuf,
    by_scorer: BTreeMap<String, LoadedProgram>,
}

/// One of them.
#[derive(Debug, Clone)]
struct LoadedProgram {
    /// The digest of the scorer's settings, by which it finds who it asks.
    settings: String,
    asked: Asked,
    spec: ProviderSpec,
    /// SHA-256 over what is running, as far as that can be told.
    running: String,
}

/// Looks at the programs that scorers ask; `root` is the project's folder.
///
/// # Errors
/// The first that cannot be used: a file that cannot be read, a version that cannot be told.
pub fn load_programs(root: &Path, scorers: &BTreeMap<String, ScorerSpec>) -> Result<Programs, RunError> {
    let mut by_scorer: BTreeMap<String, LoadedProgram> = BTreeMap::new();
    for (name, spec) in scorers {
        let Some(asking) = spec.asking() else { continue };
        let wrong = |source: ProviderError| RunError::ScorerProgram { name: name.clone(), source };
        if asking.version().is_some_and(VersionSpec::needs_revision) {
            let what = "a scorer's `version` is made of `files` or `text`: by `git` every commit would be another scorer, and \
                        nothing could be compared";
            return Err(wrong(ProviderError::Settings(what.to_owned())));
        }
        let provider = provider_spec(asking);
        let body = provider.body().map(|file| template(root, file)).transpose()?.map(Arc::new);
        let running = (
            provider.version_name(root).map_err(wrong)?,
            provider.argv_digest(root).map_err(wrong)?,
            body.as_ref().map(|body| body.digest().to_owned()),
        );
        let loaded = LoadedProgram {
            settings: spec.digest(),
            asked: Asked { provider: format!("scorer/{name}"), body },
            spec: provider,
            running: sha256_hex(serde_json::to_string(&running).unwrap_or_default()),
        };
        let is_taken = |other: &LoadedProgram| other.settings == loaded.settings && other.spec != loaded.spec;
        if let Some((other, _)) = by_scorer.iter().find(|(_, other)| is_taken(other)) {
            // Scorers find whom they ask by what decides a score, and these two differ only in how they ask.
            let what = format!(
                "it differs from scorer `{other}` only in its key, limits, workers or time-outs; give one of them a `version` \
                 with a `text` of its own"
            );
            return Err(wrong(ProviderError::Settings(what)));
        }
        by_scorer.insert(name.clone(), loaded);
    }
    Ok(Programs { root: root.to_owned(), by_scorer })
}

fn template(root: &Path, file: &Path) -> Result<Template, RunError> {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| RunError::Record(TableError::io(&path)(error).into()))?;
    Ok(Template::new(&file.display().to_string(), &text)?)
}

/// The same as a candidate's settings: one way of asking for all.
fn provider_spec(asking: Asking<'_>) -> ProviderSpec {
    match asking {
        Asking::Command(spec) => ProviderSpec::Command(CommandSpec {
            argv: spec.argv.clone(),
            output: OutputForm::Json,
            answer: Pointer::default(),
            prompt: None,
            timeout: spec.timeout,
            max_output: spec.max_output,
            workers: spec.workers,
            in_flight: spec.in_flight,
            start_timeout: spec.start_timeout,
            env: spec.env.clone(),
            version: spec.version.clone(),
        }),
        Asking::Http(spec) => ProviderSpec::Http(HttpSpec {
            url: spec.url.clone(),
            method: spec.method.clone(),
            headers: spec.headers.clone(),
            key_env: spec.key_env.clone(),
            key_header: spec.key_header.clone(),
            body: spec.body.clone(),
            answer: spec.reply.clone(),
            timeout: spec.timeout,
            max_output: spec.max_output,
            retry: spec.retry,
            limits: spec.limits,
            version: spec.version.clone(),
        }),
    }
}

impl Programs {
    /// Who is asked, by the digest of a scorer's settings.
    pub(super) fn asked(&self) -> BTreeMap<String, Asked> {
        self.by_scorer.values().map(|program| (program.settings.clone(), program.asked.clone())).collect()
    }

    /// What tells one version of a scorer's program from another; nothing of a scorer that asks nobody.
    pub(super) fn running(&self, scorer: &str) -> Option<&str> {
        self.by_scorer.get(scorer).map(|program| program.running.as_str())
    }

    /// Whoever is asked, by the router's name.
    pub fn seats(&self) -> impl Iterator<Item = (&str, &ProviderSpec)> {
        self.by_scorer.values().map(|program| (program.asked.provider.as_str(), &program.spec))
    }

    /// The settings of whoever is asked.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderSpec> {
        self.by_scorer.values().map(|program| &program.spec)
    }

    /// Adds them to a router, with the wrappers that a candidate has too.
    ///
    /// # Errors
    /// Settings that cannot be used, a key that is not there.
    pub(super) fn routed(&self, mut router: Router, around: &Surroundings<'_>) -> Result<Router, RunError> {
        // Scorers are the head's, also where the candidate is that of another checkout.
        let around = Surroundings { root: &self.root, ..*around };
        for (name, program) in &self.by_scorer {
            let provider = program
                .spec
                .wrapped(&around)
                .map_err(|source| RunError::ScorerProgram { name: name.clone(), source })?;
            router = router.with(&program.asked.provider, provider);
        }
        Ok(router)
    }
}
