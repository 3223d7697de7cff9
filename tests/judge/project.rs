//! A project with judges in a temporary folder, and the program run in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The prompt of most judges here.
pub const PROMPT: &str = "Asked:\n{{ input }}\nAnswer:\n{{ answer }}\n{{ form }}\n";

/// The prompt of comparisons.
pub const COMPARE: &str = "Asked:\n{{ input }}\nFirst:\n{{ first }}\nSecond:\n{{ second }}\n{{ form }}\n";

/// A project whose candidate replays answers.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// With these answers to `q0`, `q1`, …, and this behind the settings; judges are added later.
    pub fn new(answers: &[&str], settings: &str) -> Self {
        let project = Self { folder: TempDir::with_prefix("evalgauge-judge-").unwrap() };
        let mut examples = String::new();
        for at in 0..answers.len() {
            writeln!(examples, r#"{{"id":"e{at:02}","input":"q{at}","expected":{{"fact":"f{at}"}}}}"#).unwrap();
        }
        project.write("examples.jsonl", &examples);
        project.answers("app", answers);
        project.settings(settings);
        project.ok(&["evalset", "pin", "qs", "--from", "examples.jsonl", "--tag", "v1", "--as-of", "2026-11-21"]);
        project
    }

    /// The recording of a candidate.
    pub fn answers(&self, candidate: &str, answers: &[&str]) {
        let mut rows = String::new();
        for (at, answer) in answers.iter().enumerate() {
            writeln!(rows, "{}", serde_json::json!({"id": format!("e{at:02}"), "answer": answer})).unwrap();
        }
        self.write(&format!("{candidate}.jsonl"), &rows);
    }

    pub fn settings(&self, settings: &str) {
        let top = "evalset = \"qs\"\ncandidate = \"app\"\n";
        self.write("evalgauge.toml", &format!("{top}{settings}\n[candidates.app.replay]\nfile = \"app.jsonl\"\n"));
    }

    /// Adds a judge behind a server; `settings` stand before and after `[model.openai]`.
    pub fn judge(&self, name: &str, base_url: &str, head: &str, tail: &str, prompt: &str) {
        let model = format!(
            "[model.openai]\nmodel = \"{name}-model-2026-01-01\"\nbase_url = \"{base_url}\"\n\
             params = {{ temperature = 0, max_tokens = 50 }}\nretry = {{ attempts = 2, base = 0.001, cap = 1 }}\n"
        );
        self.write(&format!("judges/{name}/judge.toml"), &format!("{head}\n{model}{tail}\n"));
        self.write(&format!("judges/{name}/prompt.md.j2"), prompt);
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: impl AsRef<Path>) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(arguments).current_dir(self.path()).env_remove("EVALGAUGE_CONFIG").env("NO_COLOR", "1");
        command.env("EVALGAUGE_CACHE_DIR", self.path().join("cache"));
        command.env("GIT_CEILING_DIRECTORIES", self.path().parent().unwrap());
        for key in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"] {
            command.env_remove(key);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    #[track_caller]
    pub fn exits(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let (found, stdout, stderr) = self.run(arguments);
        assert_eq!(found, code, "{arguments:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        (stdout, stderr)
    }

    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.exits(0, arguments).0
    }

    #[track_caller]
    pub fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let (stdout, stderr) = self.exits(code, &[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
    }

    /// The scores of the latest run, blessed as text: (example, part) → row.
    pub fn scores(&self) -> Vec<(String, Value)> {
        self.ok(&["baseline", "bless", "latest"]);
        let rows = self.read("reports/baseline/qs/app/rows.jsonl");
        let mut id = String::new();
        let mut scores = Vec::new();
        for line in rows.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(sample) = line.get("sample") {
                id = format!("{}#{}", sample["id"].as_str().unwrap(), sample["trial"]);
            }
            if let Some(score) = line.get("score") {
                scores.push((id.clone(), score.clone()));
            }
        }
        scores
    }

    /// The values of the latest run, in order; a part has its name.
    pub fn values(&self) -> Vec<Value> {
        self.scores().into_iter().map(|(_, score)| score["value"].clone()).collect()
    }

    pub fn manifest(&self) -> Value {
        let mut runs: Vec<PathBuf> = std::fs::read_dir(self.path().join("reports"))
            .unwrap()
            .map(|run| run.unwrap().path())
            .filter(|run| run.join("journal.jsonl").is_file())
            .collect();
        runs.sort();
        let manifest = std::fs::read_to_string(runs.last().unwrap().join("manifest.json")).unwrap();
        serde_json::from_str(&manifest).unwrap()
    }
}
