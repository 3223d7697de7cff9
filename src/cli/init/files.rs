//! The files of a new project.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::scorer::Scoring;
use crate::cli::failure::Failure;
use crate::table::{TableError, write_atomically};

/// Files to write, each below the project's folder.
#[derive(Default)]
pub(super) struct Files(Vec<(PathBuf, Vec<u8>)>);

impl Files {
    pub(super) fn add(&mut self, name: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.into(), bytes.into()));
    }

    /// What every project has, whatever is in it.
    pub(super) fn add_common(&mut self, config: &str, set: &str) {
        let filled = |text: &str| {
            text.replace("@CONFIG@", config).replace("@SET@", set).replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        };
        self.add(".github/workflows/evals.yml", filled(include_str!("evals.yml")));
        self.add("evalsets/README.md", filled(include_str!("README.md")));
        // In the folders that they are about: a repository around them has its own.
        self.add(
            "evalsets/.gitattributes",
            "# Identified by the SHA-256 of their bytes: no line ending is converted.\n*.jsonl -text\n",
        );
        self.add("reports/.gitattributes", "*.jsonl -text\n");
        self.add(
            "reports/.gitignore",
            "# Runs stay here; the baseline is committed.\n/*\n!/.gitignore\n!/.gitattributes\n!/baseline\n",
        );
    }

    /// Those that are there already.
    pub(super) fn existing(&self, root: &Path) -> Vec<String> {
        let there = self.0.iter().filter(|(name, _)| root.join(name).symlink_metadata().is_ok());
        there.map(|(name, _)| name.display().to_string()).collect()
    }

    /// Writes what is not there; the names of what was written.
    pub(super) fn write(&self, root: &Path) -> Result<Vec<String>, Failure> {
        let mut written = Vec::new();
        for (name, bytes) in &self.0 {
            let path = root.join(name);
            if path.symlink_metadata().is_ok() {
                continue;
            }
            write_atomically(&path, bytes)?;
            written.push(name.display().to_string());
        }
        Ok(written)
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// The candidate of a new project.
pub(super) enum System {
    /// Rules in a file: the starter, or a stand-in that always answers the same.
    Rules { name: &'static str, file: &'static str },
    /// Answers in a table.
    Replay { file: String, key: String, by_input: bool, answer: String },
    /// A program.
    Command { argv: Vec<String> },
}

impl System {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Rules { name, .. } => name,
            Self::Replay { .. } => "recorded",
            Self::Command { .. } => "app",
        }
    }

    fn settings(&self) -> String {
        match self {
            Self::Rules { name, file } => format!("[candidates.{name}.keyword]\nrules = {}\n", quoted(file)),
            Self::Replay { file, key, by_input, answer } => {
                let by =
                    if *by_input { "by     = \"input\"   # that column holds the input, not the id\n" } else { "" };
                format!(
                    "# Recorded answers: after a change, write this file anew and run `evalgauge check`.\n\
                     [candidates.recorded.replay]\nfile   = {}\nid     = {}\n{by}answer = {}\n",
                    quoted(file),
                    quoted(key),
                    quoted(answer)
                )
            }
            Self::Command { argv } => format!(
                "# Started once an example: {{\"id\", \"trial\", \"input\"}} on stdin, the answer on stdout.\n\
                 [candidates.app.command]\nargv   = {}\noutput = \"text\"\n",
                list(argv)
            ),
        }
    }
}

/// What else may stand in the place of the candidate.
const OTHERS: &str = "\
# Your system instead: a program, an application behind an address, or a model (`openai`, `anthropic`, `google`).
# [candidates.app.command]
# argv   = [\"python3\", \"app.py\"]          # {\"id\", \"trial\", \"input\"} on stdin, the answer on stdout
# output = \"text\"
# [candidates.app.openai]
# model   = \"…\"
# key_env = \"OPENAI_API_KEY\"
# prompt  = \"prompts/app.md.j2\"
";

/// What a project's settings are made of.
pub(super) struct Settings<'a> {
    pub(super) set: &'a str,
    pub(super) system: &'a System,
    pub(super) scoring: &'a Scoring,
    pub(super) labels: &'a [String],
    pub(super) examples: usize,
}

impl Settings<'_> {
    pub(super) fn text(&self) -> String {
        let Self { set, system, scoring, labels, examples } = self;
        // A slice of fewer says next to nothing; small sets have small slices.
        let min_n = if *examples < 40 {
            8
        } else if *examples < 100 {
            10
        } else {
            20
        };
        format!(
            "# What is run, scored and gated. `evalgauge config show` prints every default, `evalgauge config check` loads all.\n\
             evalset   = {}\ncandidate = {}\n\n{}\n{OTHERS}\n{}\n\
             [metrics]\naccuracy = {{ scorer = {}, estimate = \"pass_rate\" }}\n\n\
             [slices]\nkeys  = {}\nmin_n = {min_n}                 # smaller slices are shown, not tested\n\n\
             # A fall beyond its margin fails the gate when the evidence holds for all cells together.\n\
             [gate]\nmetrics = [\"accuracy\"]\n\n[gate.margin]\noverall = 0.02\nslice   = 0.05\n",
            quoted(set),
            quoted(system.name()),
            system.settings(),
            scoring.settings(),
            quoted(Scoring::NAME),
            list(labels),
        )
    }
}

/// Examples as JSON lines.
pub(super) fn json_lines(examples: &[Value]) -> Vec<u8> {
    examples.iter().flat_map(|example| format!("{example}\n").into_bytes()).collect()
}

/// A table of ids and answers.
pub(super) fn answers_csv(answers: &[(String, Option<String>)]) -> String {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text = "id,answer\n".to_owned();
    for (id, answer) in answers {
        text.push_str(&format!("{},{}\n", cell(id), answer.as_deref().map_or_else(String::new, cell)));
    }
    text
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(path).map_err(TableError::io(path))?)
}
