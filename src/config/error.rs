//! What can be wrong with the configuration.

use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that is not understood.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong, and what was meant perhaps.
        reason: String,
    },
    /// Settings that contradict each other or name something that does not exist.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no configuration where one is needed.
    #[error("there is no evalgauge.toml here; name one with --config FILE")]
    Missing,
}

impl ConfigError {
    /// A parse error with its line, and the known key that comes nearest to an unknown one.
    pub(super) fn parse(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start.min(text.len()))).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Self::Line { path: path.to_owned(), line, reason: with_nearest(error.message()) }
    }
}

/// Adds "did you mean" to a message of the form "unknown field `x`, expected one of `a`, `b`".
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ").then(|| quoted.next()).flatten();
    let Some(unknown) = unknown else { return message.to_owned() };
    let nearest = quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(unknown.len()) / 2);
    let message =
        message.replacen("unknown field", "unknown key", 1).replacen("unknown variant", "unknown kind or value", 1);
    match nearest {
        Some((_, known)) => format!("{message}; did you mean `{known}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named() {
        assert_eq!(
            with_nearest("unknown field `candidat`, expected one of `evalset`, `candidate`"),
            "unknown key `candidat`, expected one of `evalset`, `candidate`; did you mean `candidate`?"
        );
        assert_eq!(with_nearest("invalid type: x"), "invalid type: x");
    }
}
