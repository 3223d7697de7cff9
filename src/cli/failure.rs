//! Why a verb could not do its work: the exit code, what is wrong, and the way out.

use crate::calibrate::CalibrateError;
use crate::check::CheckError;
use crate::compare::CompareError;
use crate::config::ConfigError;
use crate::evalset::EvalsetError;
use crate::gate::Exit;
use crate::judge::{JudgeError, LabelError};
use crate::page::PageError;
use crate::provider::ProviderError;
use crate::provider::cache::CacheError;
use crate::record::RecordError;
use crate::report::ReportError;
use crate::run::RunError;
use crate::table::TableError;

/// A verb that ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) const fn new(exit: Exit, message: String) -> Self {
        Self { exit, message, hint: None }
    }

    /// Something the user can mend: a flag, a file.
    pub(super) const fn input(message: String) -> Self {
        Self::new(Exit::Input, message)
    }

    /// Something the machine did.
    pub(super) const fn machine(message: String) -> Self {
        Self::new(Exit::Failure, message)
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reading what the user named is the user's to mend; a full or broken disk is the machine's.
pub(super) fn io_exit(error: &std::io::Error) -> Exit {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::WriteZero
        | ErrorKind::OutOfMemory => Exit::Failure,
        // EFBIG, EIO and their like have no stable kind.
        _ if matches!(error.raw_os_error(), Some(5 | 27)) => Exit::Failure,
        _ => Exit::Input,
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let exit = match &error {
            TableError::Io { source, .. } => io_exit(source),
            _ => Exit::Input,
        };
        let failure = Self::new(exit, error.to_string());
        match error {
            TableError::NoColumn { .. } => {
                failure.hint("name the columns with --id, --score, --trial, --slice, --group")
            }
            TableError::Io { source, .. } if exit == Exit::Failure => failure
                .hint(format!("nothing already written is lost; free the disk and run again ({})", source.kind())),
            _ => failure,
        }
    }
}

impl From<LabelError> for Failure {
    fn from(error: LabelError) -> Self {
        let hint = error.hint().map(str::to_owned);
        match error {
            LabelError::File(error @ TableError::NoColumn { .. }) => Self::input(error.to_string())
                .hint("name the columns with --raters, --judge, --id, --slice, --dimension, or --rater and --label"),
            LabelError::File(error) => error.into(),
            other => Self { hint, ..Self::input(other.to_string()) },
        }
    }
}

impl From<CalibrateError> for Failure {
    fn from(error: CalibrateError) -> Self {
        Self::input(error.reason).hint(error.hint)
    }
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Table(error) => error.into(),
            CompareError::Input(message) => Self::input(message),
            CompareError::NotComparable(_) => Self::new(Exit::Undecidable, error.to_string()),
            CompareError::Statistic { .. } => {
                Self::input(error.to_string()).hint("choose another --interval, or leave it out")
            }
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Compare(error) => error.into(),
            CheckError::Policy(message) => Self::input(message),
            CheckError::Digest(error) => Self::machine(format!("a record cannot be closed: {error}")),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::input(error.to_string())
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        let message = error.to_string();
        match error {
            PageError::File(error) => error.into(),
            PageError::Labels { .. } => Self::input(message)
                .hint("a rater's file holds that rater's own labels and nothing else; choose another --rater"),
            PageError::Listen { .. } => {
                Self::input(message).hint("another program listens there; choose another --port, or none")
            }
            PageError::Sheet(_) => Self::input(message),
            PageError::Random(_) => Self::machine(message),
        }
    }
}

impl From<EvalsetError> for Failure {
    fn from(error: EvalsetError) -> Self {
        match error {
            EvalsetError::File(error) => error.into(),
            EvalsetError::WrongSha { .. } => Self::input(error.to_string())
                .hint("a pinned file is never edited: restore it, and pin the change as a new version"),
            _ => Self::input(error.to_string()),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        let failure = if error.is_input() { Self::input(error.to_string()) } else { Self::machine(error.to_string()) };
        match error {
            CacheError::Absent { .. } => failure.hint("name another with --store, or set EVALGAUGE_CACHE_DIR"),
            _ => failure,
        }
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::File(error) => error.into(),
            ProviderError::Evalset(error) => error.into(),
            ProviderError::Settings(_) => Self::input(error.to_string()),
            ProviderError::Auth(_) => {
                Self::input(error.to_string()).hint("the key comes from the environment variable that `key_env` names")
            }
            ProviderError::Tls(_) => Self::input(error.to_string()).hint(
                "the system must know the authority of the server's certificate; SSL_CERT_FILE names a file of authorities",
            ),
            ProviderError::Down(_) | ProviderError::Batch(_) | ProviderError::Budget(_) | ProviderError::Ending => {
                Self::new(Exit::Incomplete, error.to_string())
            }
            ProviderError::Start { .. } => {
                Self::input(error.to_string()).hint("`argv` is run without a shell, from the project's folder")
            }
            ProviderError::Cache(error) => error.into(),
            ProviderError::CacheMiss { .. } => Self::new(Exit::Incomplete, error.to_string())
                .hint("fill the cache with a run that may ask: `--cache rw`"),
        }
    }
}

impl From<JudgeError> for Failure {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::File(error) => error.into(),
            _ => Self::input(error.to_string()),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let message = error.to_string();
        match error {
            ReportError::NoVerdict(_) => {
                Self::input(message).hint("name a run that `check` made, or give --base to decide now")
            }
            ReportError::OfTwo(_) => Self::input(message),
            ReportError::Table(error) => error.into(),
            ReportError::Json(_) | ReportError::Template(_) => Self::machine(message),
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let message = error.to_string();
        match error {
            RecordError::File(error) => error.into(),
            RecordError::Unfinished { id, .. } => {
                Self::new(Exit::Incomplete, message).hint(format!("go on with `evalgauge run --resume {id}`"))
            }
            RecordError::MissingShards { .. } => Self::new(Exit::Incomplete, message)
                .hint("name every shard; make one again with `evalgauge run --shard`"),
            // As for records that answer different questions.
            RecordError::Shards(_) => Self::new(Exit::Undecidable, message),
            RecordError::Locked { .. } => Self::input(message).hint("wait for it, or stop it"),
            RecordError::Broken { .. } | RecordError::Changed { .. } | RecordError::Unknown(_) => Self::input(message),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::Provider(error) => error.into(),
            RunError::Candidate { source: ProviderError::File(TableError::NoColumn { .. }), .. } => {
                Self::input(message)
                    .hint("name the recording's columns with `id`, `answer` and `trial` in the candidate's settings")
            }
            RunError::Candidate { source, .. }
            | RunError::JudgeModel { source, .. }
            | RunError::ScorerProgram { source, .. } => Self { message, ..Self::from(source) },
            RunError::Judge(error) => error.into(),
            RunError::Record(error) => error.into(),
            RunError::Interrupted { .. } | RunError::TooManyFailed { .. } => Self::new(Exit::Incomplete, message),
            RunError::Prompt { .. } | RunError::Template(_) | RunError::Scorer { .. } | RunError::Plan(_) => {
                Self::input(message)
            }
        }
    }
}
