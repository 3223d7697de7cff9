//! A project made by `evalgauge init`, checked with a rule less, in an environment like that of a workflow.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::server::{Server, TOKEN};

pub const AS_OF: &str = "2026-11-21";
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_evalgauge");

pub struct Project {
    pub folder: TempDir,
}

impl Project {
    pub fn new() -> Self {
        let project = Self { folder: TempDir::with_prefix("evalgauge-test-").unwrap() };
        let made = project.run(&["init", "--as-of", AS_OF], &[]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What a careless change does.
    pub fn worsen(&self) {
        let rules = self.read("candidates/rules.toml");
        let (kept, _) = rules.split_once("[[rule]]\nname   = \"shipping\"").unwrap();
        std::fs::write(self.path("candidates/rules.toml"), kept).unwrap();
    }

    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.folder.path());
        clean(&mut command, self.folder.path());
        command.envs(environment.iter().copied()).output().unwrap()
    }

    /// What a workflow on pull request 7 sets.
    pub fn workflow(&self, server: &Server) -> Vec<(&'static str, String)> {
        let event = self.path(".event.json");
        let text = json!({"pull_request": {"number": 7, "head": {"sha": "0123456789abcdef0123456789abcdef01234567"}}});
        std::fs::write(&event, text.to_string()).unwrap();
        vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", server.url()),
            ("GITHUB_REPOSITORY", "acme/app".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.example".to_owned()),
            ("GITHUB_EVENT_PATH", event.display().to_string()),
            ("GITHUB_STEP_SUMMARY", self.path(".summary.md").display().to_string()),
            ("GITHUB_WORKSPACE", self.folder.path().display().to_string()),
            ("GITHUB_TOKEN", TOKEN.to_owned()),
            ("GITHUB_RUN_ID", "9001".to_owned()),
        ]
    }

    pub fn publish(&self, environment: &[(&'static str, String)], arguments: &[&str]) -> Said {
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Said::of(&self.run(&[&["publish", "latest"], arguments].concat(), &environment))
    }
}

/// Nothing of the caller's own settings, and no repository around the folder.
pub fn clean(command: &mut Command, folder: &Path) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("EVALGAUGE_") || name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
            command.env_remove(name.as_ref());
        }
    }
    command.env("EVALGAUGE_CACHE_DIR", folder.join(".answers"));
    command.env("NO_COLOR", "1").env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap());
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let said = Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
        assert!(!said.stdout.contains(TOKEN) && !said.stderr.contains(TOKEN), "the token was printed: {said:?}");
        said
    }

    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "stdout lacks `{text}`:\n{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr lacks `{text}`:\n{}\n{}", self.stdout, self.stderr);
        self
    }
}
