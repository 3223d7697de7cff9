//! Answers of a program are kept only when the config says what was running, and an edit is always seen.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::Harness;

/// A project whose candidate is a shell script that notes every call in a file outside of it.
struct App {
    project: Harness,
    outside: TempDir,
}

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Ran {
    /// Whether the answers were the first program's.
    is_first: bool,
    /// Calls that reached the program.
    calls: usize,
}

impl App {
    fn new(version: &str) -> Self {
        let app = Self { project: Harness::new(), outside: TempDir::new().unwrap() };
        let config = format!(
            "evalset = \"words\"\ncandidate = \"app\"\n[candidates.app.command]\nargv = [\"sh\", \"agent.sh\"]\n\
             output = \"text\"\n{version}\n[scorers.right.exact]\n"
        );
        let lines = (0..3).map(|i| format!("{{\"id\":\"e{i}\",\"input\":\"{i}\",\"expected\":\"one\"}}\n"));
        app.says("one");
        app.project.write("lib/words.txt", "first");
        let project = app.project.config(config).evalset("words", &lines.collect::<String>());
        Self { project, outside: app.outside }
    }

    /// Edits the program.
    fn says(&self, word: &str) {
        let log = self.outside.path().join("calls");
        self.project.write("agent.sh", format!("cat > /dev/null\necho call >> '{}'\necho {word}\n", log.display()));
    }

    fn calls(&self) -> usize {
        std::fs::read_to_string(self.outside.path().join("calls")).unwrap_or_default().lines().count()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command(arguments);
        command.env("EVALGAUGE_CACHE_DIR", self.outside.path().join("cache"));
        command
    }

    /// A run, the digest of its candidate, and what it said.
    fn run_telling(&self) -> (Ran, String, String) {
        let before = self.calls();
        let outcome = self.project.finish(self.command(&["run", "--format", "json"])).exit(0);
        let printed = outcome.json();
        let manifest = self.project.read(&format!("{}/manifest.json", printed["path"].as_str().unwrap()));
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let is_first = match printed["metrics"][0]["value"].as_f64() {
            Some(1.0) => true,
            Some(0.0) => false,
            other => panic!("answers of two programs in one run: {other:?}"),
        };
        let digest = manifest["asked"]["candidate"]["digest"].as_str().unwrap().to_owned();
        (Ran { is_first, calls: self.calls() - before }, digest, outcome.stderr)
    }

    fn run(&self) -> Ran {
        self.run_telling().0
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]);
        let output = git.arg("-C").arg(self.project.path("")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

const LIVE: usize = 3;

fn first(calls: usize) -> Ran {
    Ran { is_first: true, calls }
}

fn second(calls: usize) -> Ran {
    Ran { is_first: false, calls }
}

#[test]
fn without_a_version_nothing_is_kept() {
    let app = App::new("");
    assert_eq!([app.run(), app.run()], [first(LIVE), first(LIVE)]);
    app.says("two");
    assert_eq!(app.run(), second(LIVE));
    let app = App::new("version = { git = false }");
    assert_eq!([app.run(), app.run()], [first(LIVE), first(LIVE)]);
}

#[test]
fn with_files_or_a_text_answers_are_kept_until_the_program_is_edited() {
    for version in ["{ text = \"v1\" }", "{ files = [\"lib/*.txt\"] }", "{ files = [\"agent.sh\"] }"] {
        let app = App::new(&format!("version = {version}"));
        let (ran, digest, _) = app.run_telling();
        assert_eq!((ran, app.run()), (first(LIVE), first(0)), "{version}");
        // The program itself is looked at whatever the version says.
        app.says("two");
        let (ran, edited, _) = app.run_telling();
        assert_eq!((ran, app.run()), (second(LIVE), second(0)), "{version}");
        assert_ne!(digest, edited, "{version}: the version is part of the manifest");
        app.says("one");
        let (ran, again, _) = app.run_telling();
        assert_eq!((ran, again), (first(0), digest), "{version}: the old program's answers are there again");
    }
}

#[test]
fn a_named_file_and_a_named_text_are_part_of_the_question() {
    let app = App::new("version = { files = [\"lib/*.txt\"] }");
    assert_eq!([app.run(), app.run()], [first(LIVE), first(0)]);
    app.project.write("lib/words.txt", "other");
    assert_eq!([app.run(), app.run()], [first(LIVE), first(0)]);
    app.project.write("lib/more.txt", "more");
    assert_eq!([app.run(), app.run()], [first(LIVE), first(0)]);
    app.project.write("other.txt", "not named");
    assert_eq!(app.run(), first(0));
    let config = app.project.read("evalgauge.toml");
    for (text, calls) in [("v1", LIVE), ("v2", LIVE), ("v1", 0)] {
        let version = format!("version = {{ text = \"{text}\" }}");
        app.project.write("evalgauge.toml", config.replace("version = { files = [\"lib/*.txt\"] }", &version));
        assert_eq!(app.run(), first(calls), "{text}");
    }
    for (wrong, why) in [
        ("{ files = [\"none/*.py\"] }", "there is no file `none/*.py`"),
        ("{ files = [\"lib\"] }", "is a folder"),
        ("{ text = \"\" }", "`version.text` is empty"),
        ("{ git = true }", "no git repository"),
    ] {
        let version = format!("version = {wrong}");
        app.project.write("evalgauge.toml", config.replace("version = { files = [\"lib/*.txt\"] }", &version));
        app.project.finish(app.command(&["run"])).exit(2).stderr_has(why);
    }
}

#[test]
fn by_git_answers_are_kept_only_of_what_is_committed() {
    let app = App::new("version = { git = true }");
    app.git(&["init", "--quiet", "--initial-branch=main"]);
    app.project.finish(app.command(&["run"])).exit(2).stderr_has("no git repository with a commit");
    app.git(&["add", "."]);
    app.git(&["commit", "--quiet", "-m", "one"]);
    // The reports of the first run are new files, and no change of the program.
    assert_eq!([app.run(), app.run()], [first(LIVE), first(0)]);
    // An edit that is not committed: each run asks, and says so.
    app.says("two");
    for _ in 0..2 {
        let (ran, _, stderr) = app.run_telling();
        assert_eq!(ran, second(LIVE));
        assert!(stderr.contains("no answer is kept") && stderr.contains("not committed"), "{stderr}");
    }
    app.project.finish(app.command(&["run", "--cache", "ro"])).exit(2).stderr_has("nobody may be asked");
    app.git(&["commit", "--quiet", "-am", "two"]);
    assert_eq!([app.run(), app.run()], [second(LIVE), second(0)]);
    // A new file may be part of the program.
    app.project.write("lib/new.sh", "");
    assert_eq!(app.run(), second(LIVE));
    app.git(&["stash", "--quiet", "--include-untracked"]);
    app.git(&["checkout", "--quiet", "HEAD~1"]);
    assert_eq!(app.run(), first(0), "the first commit's answers are still there");
    // What git is told to ignore it does not see; the program itself is looked at all the same.
    app.project.write(".git/info/exclude", "agent.sh\n");
    app.git(&["rm", "--quiet", "--cached", "agent.sh"]);
    app.git(&["commit", "--quiet", "-m", "the program is built, not committed"]);
    assert_eq!([app.run(), app.run()], [first(LIVE), first(0)]);
    app.says("two");
    assert_eq!([app.run(), app.run()], [second(LIVE), second(0)]);
}
