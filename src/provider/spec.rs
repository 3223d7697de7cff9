//! Providers as they stand in the config: `[candidates.NAME.KIND]`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::CommandProvider;
use super::keyword::KeywordProvider;
use super::learned::{LearnedProvider, MajoritySpec, NearestSpec, RandomSpec};
use super::model_spec::{ModelSpec, Vendor};
use super::notice::Notices;
use super::replay::ReplayProvider;
use super::router::{Provider, ProviderError};
use super::version::{Revision, Version, digest_of_argv};
use super::wire::{ModelProvider, TargetProvider};
use super::workers::Workers;
use crate::call::{Headers, LimitSpec, Pointer, RetryPolicy, Seconds, VersionSpec};
use crate::evalset::EvalSet;
use crate::table::{sha256_hex, sha256_of_file};

/// A candidate's settings; the kind is the key. Paths are relative to the project's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderSpec {
    /// Recorded answers.
    Replay(ReplaySpec),
    /// A child process a call, or several that stay.
    Command(CommandSpec),
    /// Rules in a file.
    Keyword(KeywordSpec),
    /// An answer by lot.
    Random(RandomSpec),
    /// The most common answer.
    Majority(MajoritySpec),
    /// The answer of the most similar example.
    Nearest(NearestSpec),
    /// A model behind OpenAI's chat completions, or a server that speaks them.
    #[serde(rename = "openai")]
    OpenAi(ModelSpec),
    /// A model behind OpenAI's responses.
    #[serde(rename = "openai_responses")]
    OpenAiResponses(ModelSpec),
    /// A model behind Anthropic's messages.
    Anthropic(ModelSpec),
    /// A model behind Google's generateContent.
    Google(ModelSpec),
    /// An application behind an address.
    Http(HttpSpec),
}

/// `[candidates.NAME.replay]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaySpec {
    /// CSV, TSV, JSON lines or Parquet with one row an example (and trial).
    pub file: PathBuf,
    /// The column that says which example a row answers.
    #[serde(default = "id")]
    pub id: String,
    /// What that column holds.
    #[serde(default, skip_serializing_if = "RowKey::is_id")]
    pub by: RowKey,
    /// The column of the trial, from 0; without one, every trial replays the same row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<String>,
    /// The column of the answer.
    #[serde(default = "answer")]
    pub answer: String,
}

fn id() -> String {
    "id".to_owned()
}

/// By what a recording is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowKey {
    /// The id of an example.
    #[default]
    Id,
    /// The text of its input, for recordings that know no ids.
    Input,
}

impl RowKey {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_id(&self) -> bool {
        matches!(self, Self::Id)
    }
}

fn answer() -> String {
    "answer".to_owned()
}

/// How a program writes its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// One JSON value; `answer` says where in it the answer is.
    #[default]
    Json,
    /// Everything it prints is the answer.
    Text,
}

/// `[candidates.NAME.command]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// The program and its arguments; no shell in between. It reads one JSON document from stdin.
    pub argv: Vec<String>,
    /// How it writes its answer.
    #[serde(default)]
    pub output: OutputForm,
    /// Where in its JSON output the answer is; the whole of it by default.
    #[serde(default)]
    pub answer: Pointer,
    /// A prompt template to render and send along as `prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PathBuf>,
    /// How long one call may take, in seconds.
    #[serde(default = "a_minute")]
    pub timeout: Seconds,
    /// How many bytes it may print; of a worker: in one line.
    #[serde(default = "one_mebibyte")]
    pub max_output: u64,
    /// So many copies of it stay, and answer one call after another, a JSON line each; without it one is started for every
    /// call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroUsize>,
    /// Calls that a worker is given before it has answered the first; 1 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<NonZeroUsize>,
    /// How long a worker's first answer may take, which is after what it does to begin with; `timeout` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<Seconds>,
    /// Names of environment variables that it may see, beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What was running; without it answers are not cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionSpec>,
}

impl CommandSpec {
    /// How long one call may take.
    pub(super) fn time_out(&self) -> Result<Duration, ProviderError> {
        seconds("timeout", self.timeout)
    }

    /// How long the first answer of a worker may take.
    pub(super) fn first_time_out(&self) -> Result<Duration, ProviderError> {
        self.start_timeout.map_or_else(|| self.time_out(), |start| seconds("start_timeout", start))
    }

    /// Refuses settings that go together in no way.
    fn check(&self) -> Result<(), ProviderError> {
        let wrong = |what: &str| Err(ProviderError::Settings(what.to_owned()));
        match self.workers {
            None if self.in_flight.is_some() => wrong("`in_flight` is for workers; say how many with `workers = 1`"),
            None if self.start_timeout.is_some() => {
                wrong("`start_timeout` is for workers; say how many with `workers = 1`")
            }
            Some(_) if self.output == OutputForm::Text => wrong(
                "`output = \"text\"` is for a program that is started for every call; a worker answers in JSON lines",
            ),
            _ => Ok(()),
        }
    }
}

fn seconds(key: &str, length: Seconds) -> Result<Duration, ProviderError> {
    let wrong = || ProviderError::Settings(format!("`{key}` is {}; expected seconds, more than 0", length.0));
    length.duration().ok_or_else(wrong)
}

const fn a_minute() -> Seconds {
    Seconds(60.0)
}

const fn one_mebibyte() -> u64 {
    1 << 20
}

/// `[candidates.NAME.http]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// The address.
    pub url: String,
    /// The method.
    #[serde(default = "post")]
    pub method: String,
    /// Headers. Not for keys.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// The environment variable that holds a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// The header that the key goes into: `authorization` (then `Bearer KEY`) or another one (then the key alone).
    #[serde(default = "authorization")]
    pub key_header: String,
    /// A template of the body; without one, the JSON document that a program gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<PathBuf>,
    /// Where in its JSON reply the answer is; the whole reply by default, which may then be text.
    #[serde(default)]
    pub answer: Pointer,
    /// How long one attempt may take, in seconds.
    #[serde(default = "a_minute")]
    pub timeout: Seconds,
    /// How many bytes it may answer.
    #[serde(default = "one_mebibyte")]
    pub max_output: u64,
    /// What is tried again, and when.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// How much at once.
    #[serde(default)]
    pub limits: LimitSpec,
    /// What was running; without it answers are not cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionSpec>,
}

fn post() -> String {
    "POST".to_owned()
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// `[candidates.NAME.keyword]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordSpec {
    /// The rules, in TOML.
    pub rules: PathBuf,
}

impl ProviderSpec {
    /// The kind, as it stands in the config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Replay(_) => "replay",
            Self::Command(_) => "command",
            Self::Keyword(_) => "keyword",
            Self::Random(_) => "random",
            Self::Majority(_) => "majority",
            Self::Nearest(_) => "nearest",
            Self::OpenAi(_) => "openai",
            Self::OpenAiResponses(_) => "openai_responses",
            Self::Anthropic(_) => "anthropic",
            Self::Google(_) => "google",
            Self::Http(_) => "http",
        }
    }

    /// The model behind a vendor's API, where it is one.
    #[must_use]
    pub const fn model(&self) -> Option<(Vendor, &ModelSpec)> {
        match self {
            Self::OpenAi(spec) => Some((Vendor::OpenAi, spec)),
            Self::OpenAiResponses(spec) => Some((Vendor::OpenAiResponses, spec)),
            Self::Anthropic(spec) => Some((Vendor::Anthropic, spec)),
            Self::Google(spec) => Some((Vendor::Google, spec)),
            Self::Replay(_)
            | Self::Command(_)
            | Self::Keyword(_)
            | Self::Random(_)
            | Self::Majority(_)
            | Self::Nearest(_)
            | Self::Http(_) => None,
        }
    }

    /// What is tried again and how much at once, of providers behind a network.
    #[must_use]
    pub fn network(&self) -> Option<(RetryPolicy, LimitSpec)> {
        match self {
            Self::Http(spec) => Some((spec.retry, spec.limits)),
            _ => self.model().map(|(_, spec)| (spec.retry, spec.limits)),
        }
    }

    /// The template of a request's body, where the kind has one.
    #[must_use]
    pub fn body(&self) -> Option<&Path> {
        match self {
            Self::Http(spec) => spec.body.as_deref(),
            _ => None,
        }
    }

    /// The files whose contents decide the answers.
    fn files(&self) -> Vec<&Path> {
        let files: Vec<&PathBuf> = match self {
            Self::Replay(spec) => vec![&spec.file],
            Self::Keyword(spec) => vec![&spec.rules],
            Self::Random(RandomSpec { from, .. })
            | Self::Majority(MajoritySpec { from, .. })
            | Self::Nearest(NearestSpec { from, .. }) => from.iter().collect(),
            Self::Command(_) => Vec::new(),
            Self::Http(spec) => spec.body.iter().collect(),
            Self::OpenAi(spec) | Self::OpenAiResponses(spec) | Self::Anthropic(spec) | Self::Google(spec) => {
                [&spec.system, &spec.schema].into_iter().flatten().collect()
            }
        };
        files.into_iter().map(PathBuf::as_path).collect()
    }

    /// The kinds that learn from labelled examples.
    pub const LEARNING: [&'static str; 3] = ["random", "majority", "nearest"];

    /// Whether it is a baseline that an afternoon makes: it answers on this machine, at once, by rules or by what labelled
    /// examples say.
    #[must_use]
    pub const fn is_honest_baseline(&self) -> bool {
        matches!(self, Self::Random(_) | Self::Majority(_) | Self::Keyword(_) | Self::Nearest(_))
    }

    /// What it learns from, where it learns and that is a file.
    #[must_use]
    pub fn learns_from(&self) -> Option<&Path> {
        match self {
            Self::Random(RandomSpec { from, .. })
            | Self::Majority(MajoritySpec { from, .. })
            | Self::Nearest(NearestSpec { from, .. }) => from.as_deref(),
            _ => None,
        }
    }

    /// The prompt template's file, where the kind has one.
    #[must_use]
    pub fn prompt(&self) -> Option<&Path> {
        match self {
            Self::Command(spec) => spec.prompt.as_deref(),
            _ => self.model().and_then(|(_, spec)| spec.prompt.as_deref()),
        }
    }

    /// Where in the output the answer is.
    #[must_use]
    pub fn answer(&self) -> Pointer {
        match self {
            Self::Command(spec) => spec.answer.clone(),
            Self::Http(spec) => spec.answer.clone(),
            _ => Pointer::default(),
        }
    }

    /// What tells one version of the program or application behind it from another, where it is said.
    #[must_use]
    pub const fn version(&self) -> Option<&VersionSpec> {
        match self {
            Self::Command(spec) => spec.version.as_ref(),
            Self::Http(spec) => spec.version.as_ref(),
            _ => None,
        }
    }

    /// What is running, where the settings say how to tell.
    pub(super) fn running(&self, root: &Path, revision: Option<&Revision>) -> Result<Option<Version>, ProviderError> {
        let Some(mut version) = self.version().map(|spec| spec.resolve(root, revision)).transpose()?.flatten() else {
            return Ok(None);
        };
        if let Self::Command(spec) = self {
            // Whatever the version says: an edit of the program itself is another program.
            version.name = format!("{} argv {}", version.name, digest_of_argv(root, &spec.argv)?);
        }
        Ok(Some(version))
    }

    /// The version of what is running as the settings give it, without git.
    ///
    /// # Errors
    /// A file that cannot be read, a version that cannot be told.
    pub fn version_name(&self, root: &Path) -> Result<Option<String>, ProviderError> {
        let version = self.version().map(|spec| spec.resolve(root, None)).transpose()?.flatten();
        Ok(version.map(|version| version.name))
    }

    /// SHA-256 over the files that a program's command line names; nothing where no program is started.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn argv_digest(&self, root: &Path) -> Result<Option<String>, ProviderError> {
        match self {
            Self::Command(spec) => digest_of_argv(root, &spec.argv).map(Some),
            _ => Ok(None),
        }
    }

    /// SHA-256 over the settings, the files that decide the answers (rules, recording, program), and the version of what is
    /// running.
    ///
    /// # Errors
    /// A file that cannot be read, a version that cannot be told.
    pub fn digest(&self, root: &Path, revision: Option<&Revision>) -> Result<String, ProviderError> {
        let told = self.told_digest(root, revision)?;
        // With a version, the program's own files are in it.
        let own = if self.running(root, revision)?.is_none() { self.argv_digest(root)? } else { None };
        Ok(own.map_or_else(|| told.clone(), |own| sha256_hex(format!("{told} {own}"))))
    }

    /// The same without the files of a program of which no version is told.
    ///
    /// # Errors
    /// As [`Self::digest`].
    pub fn told_digest(&self, root: &Path, revision: Option<&Revision>) -> Result<String, ProviderError> {
        let settings = match self {
            // How many workers there are, and how long one may take to begin, change no answer.
            Self::Command(spec) => serde_json::to_string(&Self::Command(CommandSpec {
                workers: spec.workers.map(|_| NonZeroUsize::MIN),
                in_flight: None,
                start_timeout: None,
                ..spec.clone()
            })),
            _ => serde_json::to_string(self),
        };
        let settings = settings.unwrap_or_default();
        let contents = self.files().into_iter().map(|file| Ok(sha256_of_file(&root.join(file))?));
        let mut contents = contents.collect::<Result<Vec<String>, ProviderError>>()?;
        contents.extend(self.running(root, revision)?.map(|version| version.name));
        Ok(sha256_hex(format!("{} {settings} {}", self.kind(), contents.join(" "))))
    }

    /// Makes the provider; reads its files, and its key from the environment, whose variables `env` gives. Those that learn
    /// need the eval set that they are asked about.
    ///
    /// # Errors
    /// Settings or files that cannot be used, a key that is not there.
    pub fn build(
        &self,
        root: &Path,
        env: &dyn Fn(&str) -> Option<String>,
        evalset: Option<&EvalSet>,
        notices: &Notices,
    ) -> Result<Box<dyn Provider>, ProviderError> {
        Ok(match self {
            Self::Random(spec) => Box::new(LearnedProvider::random(spec, root, evalset)?),
            Self::Majority(spec) => Box::new(LearnedProvider::majority(spec, root, evalset)?),
            Self::Nearest(spec) => Box::new(LearnedProvider::nearest(spec, root, evalset)?),
            Self::Replay(spec) => Box::new(ReplayProvider::load(spec, root)?),
            Self::Command(spec) => {
                spec.check()?;
                match spec.workers {
                    None => Box::new(CommandProvider::new(spec, root)?),
                    Some(workers) => Box::new(Workers::new(spec, workers, root, notices)?),
                }
            }
            Self::Keyword(spec) => Box::new(KeywordProvider::load(&root.join(&spec.rules))?),
            Self::OpenAi(spec) => Box::new(ModelProvider::new(Vendor::OpenAi, spec, env)?),
            Self::OpenAiResponses(spec) => Box::new(ModelProvider::new(Vendor::OpenAiResponses, spec, env)?),
            Self::Anthropic(spec) => Box::new(ModelProvider::new(Vendor::Anthropic, spec, env)?),
            Self::Google(spec) => Box::new(ModelProvider::new(Vendor::Google, spec, env)?),
            Self::Http(spec) => Box::new(TargetProvider::new(spec, env)?),
        })
    }
}
