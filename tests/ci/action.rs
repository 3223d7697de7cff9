//! Runs the steps of `action.yml` as a runner does: `run:` in bash with its environment, `if:` and `${{ }}` filled in, and in
//! place of the four actions that it uses, folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::project::{PROGRAM, Project, Said, clean};
use crate::server::{Fault, Server, TOKEN};

/// What a step left behind.
#[derive(Debug)]
pub struct Step {
    pub name: String,
    pub ran: bool,
    pub said: String,
}

/// A run of the action.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub steps: Vec<Step>,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Outcome {
    pub fn step(&self, name: &str) -> &Step {
        self.steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no step `{name}`: {self:?}"))
    }

    pub fn log(&self) -> String {
        self.steps.iter().fold(String::new(), |log, step| log + "== " + &step.name + "\n" + &step.said + "\n")
    }
}

fn event_text(number: u64) -> String {
    let head = json!({"sha": "8c1f7ab3d2e94650a1b2c3d4e5f60718293a4b5c"});
    json!({"pull_request": {"number": number, "head": head}}).to_string()
}

/// Where workflows of one repository run.
pub struct Runner {
    /// What lives as long as the repository: caches and artifacts.
    pub store: TempDir,
    pub environment: Vec<(String, String)>,
    pub inputs: BTreeMap<String, String>,
}

impl Runner {
    /// For a pull request against `main`.
    pub fn new(server: &Server, number: u64) -> Self {
        let store = TempDir::with_prefix("evalgauge-runner-").unwrap();
        let event = store.path().join("event.json");
        std::fs::write(&event, event_text(number)).unwrap();
        let set = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", server.url()),
            ("GITHUB_REPOSITORY", "acme/app".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.example".to_owned()),
            ("GITHUB_EVENT_PATH", event.display().to_string()),
            ("GITHUB_BASE_REF", "main".to_owned()),
            ("GITHUB_RUN_ID", "9001".to_owned()),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", "X64".to_owned()),
        ];
        let environment = set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { store, environment, inputs: BTreeMap::from([("binary".to_owned(), PROGRAM.to_owned())]) }
    }

    pub fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(has, _)| has != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Runs all steps in a checkout.
    pub fn run(&self, checkout: &Path) -> Outcome {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/action.yml")).unwrap();
        let action = &YamlLoader::load_from_str(&text).unwrap()[0];
        let declared = action["inputs"].as_hash().unwrap();
        let temp = TempDir::with_prefix("evalgauge-temp-").unwrap();
        let mut context = BTreeMap::from([
            ("github.token".to_owned(), TOKEN.to_owned()),
            ("github.action_path".to_owned(), env!("CARGO_MANIFEST_DIR").to_owned()),
            ("runner.temp".to_owned(), temp.path().display().to_string()),
            ("runner.os".to_owned(), "Linux".to_owned()),
            ("runner.arch".to_owned(), "X64".to_owned()),
        ]);
        for (name, input) in declared {
            let name = name.as_str().unwrap();
            let given = self.inputs.get(name).cloned();
            let value = given.unwrap_or_else(|| fill(scalar(&input["default"]).as_str(), &context));
            context.insert(format!("inputs.{name}"), value);
        }
        for name in self.inputs.keys() {
            assert!(context.contains_key(&format!("inputs.{name}")), "the action has no input `{name}`");
        }
        let mut outcome = Outcome { code: 0, steps: Vec::new(), outputs: BTreeMap::new(), summary: String::new() };
        for (number, step) in action["runs"]["steps"].as_vec().unwrap().iter().enumerate() {
            let name = step["name"].as_str().expect("every step has a name").to_owned();
            let wanted = step["if"].as_str().is_none_or(|condition| holds(condition, &context));
            if !wanted || outcome.code != 0 {
                outcome.steps.push(Step { name, ran: false, said: String::new() });
                continue;
            }
            let place = temp.path().join(format!("step-{number}"));
            std::fs::create_dir(&place).unwrap();
            let said = if let Some(uses) = step["uses"].as_str() {
                let with = map(&step["with"], &context);
                let outputs = self.stand_in(uses, &with);
                std::fs::write(place.join("output"), outputs).unwrap();
                format!("{uses} {with:?}")
            } else {
                let (code, said) = self.bash(step, &context, checkout, temp.path(), &place);
                outcome.code = code;
                said
            };
            let output = std::fs::read_to_string(place.join("output")).unwrap_or_default();
            for line in output.lines() {
                let (key, value) = line.split_once('=').unwrap();
                if let Some(id) = step["id"].as_str() {
                    context.insert(format!("steps.{id}.outputs.{key}"), value.to_owned());
                }
            }
            outcome.summary.push_str(&std::fs::read_to_string(place.join("summary")).unwrap_or_default());
            outcome.steps.push(Step { name, ran: true, said });
        }
        for (name, output) in action["outputs"].as_hash().unwrap() {
            let value = fill(output["value"].as_str().unwrap(), &context);
            outcome.outputs.insert(name.as_str().unwrap().to_owned(), value);
        }
        let log = outcome.log();
        assert!(!log.contains(TOKEN), "the token was printed:\n{log}");
        outcome
    }

    fn bash(
        &self,
        step: &Yaml,
        context: &BTreeMap<String, String>,
        checkout: &Path,
        temp: &Path,
        place: &Path,
    ) -> (i32, String) {
        assert_eq!(step["shell"].as_str(), Some("bash"), "a composite action names the shell of every step");
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "an input in the text of a script is an injection; use `env`:\n{run}");
        let script = place.join("script.sh");
        std::fs::write(&script, run).unwrap();
        let folder = step["working-directory"].as_str().map_or_else(|| ".".to_owned(), |folder| fill(folder, context));
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(&script);
        command.current_dir(checkout.join(folder));
        clean(&mut command, checkout);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .env("RUNNER_TEMP", temp)
            .env("GITHUB_WORKSPACE", checkout)
            .env("GITHUB_OUTPUT", place.join("output"))
            .env("GITHUB_STEP_SUMMARY", place.join("summary"));
        command.envs(map(&step["env"], context));
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), said)
    }

    /// Does what the actions of GitHub do that this one uses, as far as it matters; gives the outputs.
    fn stand_in(&self, uses: &str, with: &BTreeMap<String, String>) -> String {
        let store = |key: &str| self.store.path().join("cache").join(key);
        let path = PathBuf::from(&with["path"]);
        match uses {
            "actions/cache/restore@v4" => {
                let mut found: Vec<_> =
                    std::fs::read_dir(store("")).into_iter().flatten().map(Result::unwrap).collect();
                found.retain(|entry| entry.file_name().to_string_lossy().starts_with(&with["restore-keys"]));
                found.sort_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
                let Some(newest) = found.pop() else { return String::new() };
                std::fs::copy(newest.path(), path).unwrap();
                format!("cache-matched-key={}\n", newest.file_name().display())
            }
            "actions/cache/save@v4" => {
                std::fs::create_dir_all(store("")).unwrap();
                std::fs::copy(path, store(&with["key"])).unwrap();
                String::new()
            }
            "actions/upload-artifact@v4" => {
                let folder = self.store.path().join("artifacts").join(&with["name"]);
                let _ = std::fs::remove_dir_all(&folder);
                std::fs::create_dir_all(&folder).unwrap();
                for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
                    std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
                }
                String::new()
            }
            other => panic!("no stand-in for {other}"),
        }
    }
}

fn scalar(value: &Yaml) -> String {
    match value {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Boolean(value) => value.to_string(),
        Yaml::Integer(value) => value.to_string(),
        Yaml::Null | Yaml::BadValue => String::new(),
        other => panic!("no text: {other:?}"),
    }
}

fn map(yaml: &Yaml, context: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let entries = yaml.as_hash().into_iter().flatten();
    entries.map(|(name, value)| (scalar(name), fill(&scalar(value), context))).collect()
}

/// A text with its expressions filled in; a name that nothing has is empty, as on GitHub, but has to be of a known kind.
pub fn fill(text: &str, context: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, behind) = after.split_once("}}").unwrap();
        out.push_str(before);
        out.push_str(&value(expression, context));
        rest = behind;
    }
    out + rest
}

fn value(expression: &str, context: &BTreeMap<String, String>) -> String {
    let expression = expression.trim();
    if let Some(text) = expression.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return text.to_owned();
    }
    let known = context.get(expression).cloned();
    assert!(known.is_some() || expression.starts_with("steps."), "unknown expression `{expression}`");
    known.unwrap_or_default()
}

/// `a == b && c != d`: more is not used.
fn holds(condition: &str, context: &BTreeMap<String, String>) -> bool {
    condition.split(" && ").all(|term| {
        let (a, b, wanted) = match (term.split_once(" == "), term.split_once(" != ")) {
            (Some((a, b)), None) => (a, b, true),
            (None, Some((a, b))) => (a, b, false),
            _ => panic!("not understood: {term}"),
        };
        (value(a, context) == value(b, context)) == wanted
    })
}

/// Runs git in a folder.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "init.defaultBranch=main"]).args(arguments).current_dir(folder);
    clean(&mut command, folder);
    as_somebody(&mut command);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn as_somebody(command: &mut Command) {
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "A. Newcomer").env(format!("GIT_{role}_EMAIL"), "newcomer@example.org");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
}

/// A project that is a repository with an origin.
fn repository() -> Project {
    let project = Project::new();
    let root = project.folder.path();
    git(root, &["init", "--quiet"]);
    git(root, &["add", "--all"]);
    git(root, &["commit", "--quiet", "--message", "Evals"]);
    git(root, &["init", "--quiet", "--bare", ".git/origin"]);
    git(root, &["remote", "add", "origin", ".git/origin"]);
    git(root, &["push", "--quiet", "origin", "HEAD:main"]);
    project
}

#[test]
fn a_pull_request_is_blocked_and_let_through() {
    let (project, server) = (repository(), Server::start());
    let runner = Runner::new(&server, 7);
    let good = runner.run(project.folder.path());
    assert_eq!((good.code, good.outputs["decision"].as_str()), (0, "pass"), "{}", good.log());
    assert_eq!(good.outputs["regressed"], "[]");
    project.worsen();
    let bad = runner.run(project.folder.path());
    assert_eq!((bad.code, bad.outputs["decision"].as_str()), (1, "fail"), "{}", bad.log());
    assert_eq!(bad.outputs["regressed"], r#"["overall","topic=shipping","language=en"]"#);
    assert_eq!(bad.step("Tell the pull request").said.matches("::error file=evalsets/support/v1_").count(), 8);
    let bodies = server.bodies();
    assert!(bodies.len() == 1 && bodies[0].contains("## ❌ FAIL"), "{bodies:?}");
    assert!(bad.summary.contains("## ❌ FAIL"), "{}", bad.summary);
    for name in ["report.md", "report.html", "verdict.json", "junit.xml"] {
        assert!(runner.store.path().join("artifacts/evalgauge-report").join(name).is_file(), "{name}");
    }
}

#[test]
fn what_a_system_answers_is_no_command_of_the_workflow() {
    let (project, server) = (repository(), Server::start());
    // On lines of their own, as far as a report lets it.
    let rules =
        project.read("candidates/rules.toml").replace("\"shipping\"\n", "\"\\n::set-output name=x::y\\n##[error]z\"\n");
    std::fs::write(project.path("candidates/rules.toml"), rules).unwrap();
    let outcome = Runner::new(&server, 7).run(project.folder.path());
    assert_eq!(outcome.code, 1, "{}", outcome.log());
    let said = &outcome.step("Check").said;
    let (_, rest) = said.split_once("::stop-commands::").unwrap();
    let (word, rest) = rest.split_once('\n').unwrap();
    let (inside, outside) = rest.split_once(&format!("\n::{word}::\n")).unwrap();
    assert!(word.len() == 32 && inside.contains("FAIL"), "{said}");
    assert!(!outside.contains("::") && !outside.contains("##["), "{said}");
    for line in outcome.step("Tell the pull request").said.lines() {
        let command = line.trim_start();
        let ours = command.starts_with("::error file=") || command.starts_with("::warning file=");
        assert!(ours || !command.starts_with("::"), "{line}");
    }
}

#[test]
fn a_pull_request_cannot_bless_itself_where_the_target_branch_decides() {
    let (project, server) = (repository(), Server::start());
    project.worsen();
    assert_eq!(project.run(&["run"], &[]).status.code(), Some(0));
    assert_eq!(project.run(&["baseline", "bless", "latest"], &[]).status.code(), Some(0));
    git(project.folder.path(), &["commit", "--quiet", "--all", "--message", "Worse, and blessed"]);
    let committed = Runner::new(&server, 7).run(project.folder.path());
    assert_eq!(committed.code, 0, "{}", committed.log());
    let of_target = Runner::new(&server, 7).input("baseline", "base-branch").run(project.folder.path());
    assert_eq!(of_target.code, 1, "{}", of_target.log());
    assert!(of_target.step("The baseline of the target branch").said.contains("the baseline is that of main"));
    // Without a target branch, or a baseline there.
    git(project.folder.path(), &["checkout", "--quiet", "."]);
    let mut push = Runner::new(&server, 7).input("baseline", "base-branch");
    push.environment.retain(|(name, _)| name != "GITHUB_BASE_REF");
    assert_eq!(push.run(project.folder.path()).code, 0);
    git(project.folder.path(), &["checkout", "--quiet", "--orphan", "empty"]);
    git(project.folder.path(), &["rm", "-r", "--quiet", "--cached", "."]);
    git(project.folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "Nothing"]);
    git(project.folder.path(), &["push", "--quiet", "--force", "origin", "HEAD:main"]);
    let first = Runner::new(&server, 7).input("baseline", "base-branch").run(project.folder.path());
    assert!(first.code == 0 && first.log().contains("::notice::main has no baseline yet"), "{}", first.log());
}

#[test]
fn every_input_reaches_the_program() {
    let (project, server) = (repository(), Server::start());
    let nested = project.path("nested");
    std::fs::create_dir(&nested).unwrap();
    for name in ["evalgauge.toml", "evalsets", "reports", "candidates"] {
        std::fs::rename(project.path(name), nested.join(name)).unwrap();
    }
    std::fs::rename(nested.join("evalgauge.toml"), nested.join("gate.toml")).unwrap();
    // One of two dozen: no regression that could be shown, and none that could be ruled out.
    let rules = nested.join("candidates/rules.toml");
    std::fs::write(&rules, std::fs::read_to_string(&rules).unwrap().replace("\"delivery\", ", "")).unwrap();
    let runner = Runner::new(&server, 7)
        .input("working-directory", "nested")
        .input("config", "gate.toml")
        .input("candidate", "rules")
        .input("baseline", "reports/baseline/support/rules")
        .input("mode", "non-inferiority")
        .input("budget", "0.50")
        .input("name", "strict")
        .input("resolve", "true")
        .input("cache", "false")
        .input("artifact", "")
        .input("comment", "true");
    let outcome = runner.run(project.folder.path());
    assert_eq!((outcome.code, outcome.outputs["decision"].as_str()), (3, "inconclusive"), "{}", outcome.log());
    assert!(server.bodies()[0].starts_with("<!-- evalgauge strict -->"), "{:?}", server.bodies());
    assert!(!runner.store.path().join("artifacts").exists());
    let quiet = Runner::new(&server, 8)
        .input("working-directory", "nested")
        .input("config", "gate.toml")
        .input("comment", "false");
    let outcome = quiet.run(project.folder.path());
    assert_eq!((outcome.code, server.bodies().len()), (0, 1), "{}", outcome.log());
    assert!(outcome.summary.contains("PASS"));
    for (name, wrong) in [("candidate", "nobody"), ("budget", "much"), ("config", "none.toml"), ("mode", "$(touch x)")]
    {
        let outcome = Runner::new(&server, 9)
            .input("working-directory", "nested")
            .input("config", "gate.toml")
            .input(name, wrong);
        let outcome = outcome.run(project.folder.path());
        assert_eq!((outcome.code, outcome.outputs["decision"].as_str()), (2, ""), "{name}: {}", outcome.log());
        assert!(outcome.log().contains("::error::evalgauge ended with exit code 2"));
        assert!(!nested.join("x").exists());
    }
}

#[test]
fn a_fork_gets_its_report_in_the_summary_and_its_verdict() {
    let project = repository();
    let server = Server::with(0, |request, _| (request.method != "GET").then(|| Fault::of(403, "")));
    project.worsen();
    let outcome = Runner::new(&server, 7).run(project.folder.path());
    assert_eq!((outcome.code, server.bodies().len()), (1, 0), "{}", outcome.log());
    assert!(outcome.summary.contains("topic=shipping"));
    assert!(outcome.step("Tell the pull request").said.contains("no comment: this token may not comment"));
    let outcome = Runner::new(&Server::start(), 7).input("token", "").run(project.folder.path());
    assert!(
        outcome.code == 1 && outcome.summary.contains("FAIL") && outcome.log().contains("there is no GITHUB_TOKEN")
    );
    let broken = Server::with(0, |_, _| Some(Fault::of(500, "retry-after: 0\r\n")));
    let outcome = Runner::new(&broken, 7).run(project.folder.path());
    assert!(
        outcome.code == 1 && outcome.log().contains("::warning::the report could not be posted"),
        "{}",
        outcome.log()
    );
}

#[test]
fn answers_are_kept_by_their_content() {
    let (project, server) = (repository(), Server::start());
    // A system whose answers may be kept, since the settings say what was running.
    let app = format!(
        "[candidates.app.http]\nurl = \"{}/answer\"\nanswer = \"/team\"\nversion = {{ text = \"1\" }}\n",
        server.url()
    );
    std::fs::write(project.path("evalgauge.toml"), format!("{}\n{app}", project.read("evalgauge.toml"))).unwrap();
    assert_eq!(project.run(&["run", "--candidate", "app"], &[]).status.code(), Some(0));
    assert_eq!(project.run(&["baseline", "bless", "latest"], &[]).status.code(), Some(0));
    let asked = || server.state.lock().unwrap().asked;
    let runner = Runner::new(&server, 7).input("candidate", "app");
    let kept = || std::fs::read_dir(runner.store.path().join("cache")).map_or(0, Iterator::count);
    let before = asked();
    let first = runner.run(project.folder.path());
    assert_eq!((first.code, asked() - before, kept()), (0, 24, 1), "{}", first.log());
    // On another machine, with nothing but what was kept.
    let second = runner.run(project.folder.path());
    assert_eq!((second.code, asked() - before, kept()), (0, 24, 1), "{}", second.log());
    assert!(!second.step("Keep the answers").ran, "the same answers are kept once");
    // What cannot be read is asked again.
    let file = std::fs::read_dir(runner.store.path().join("cache")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, "no answers").unwrap();
    let third = runner.run(project.folder.path());
    assert_eq!((third.code, asked() - before), (0, 48), "{}", third.log());
    // Rules are not worth keeping: there is nothing to keep, and nothing goes wrong.
    let rules = Runner::new(&server, 7);
    assert_eq!(rules.run(project.folder.path()).code, 0);
    assert!(!rules.store.path().join("cache").exists());
}

#[test]
fn workflows_are_yaml_and_name_what_the_action_has() {
    let read = |name: &str| {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")).remove(0)
    };
    let action = read("action.yml");
    let check = |workflow: &Yaml, uses: &str| {
        let mut found = 0;
        for (_, job) in workflow["jobs"].as_hash().unwrap() {
            for step in job["steps"].as_vec().unwrap() {
                if step["uses"].as_str().is_some_and(|name| name.starts_with(uses)) {
                    found += 1;
                    for (input, _) in step["with"].as_hash().unwrap() {
                        assert!(!action["inputs"][input.as_str().unwrap()].is_badvalue(), "no input {input:?}");
                    }
                }
            }
        }
        assert_eq!(found, 1);
    };
    check(&read(".github/workflows/evals.yml"), "./");
    let made = Project::new().read(".github/workflows/evals.yml");
    check(&YamlLoader::load_from_str(&made).unwrap()[0], "evalgauge/evalgauge@v");
    assert!(made.contains(&format!("evalgauge/evalgauge@v{}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn this_repository_passes_its_own_gate() {
    let server = Server::start();
    let copy = TempDir::with_prefix("evalgauge-test-").unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut listed = Command::new("git");
    listed.args(["ls-files", "-z", "evalgauge.toml", "evalsets", "reports", "judges"]).current_dir(source);
    let names = String::from_utf8(listed.output().unwrap().stdout).unwrap();
    if names.is_empty() {
        crate::announce("SKIPPED this_repository_passes_its_own_gate: git does not list this folder");
        return;
    }
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let target = copy.path().join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        match std::fs::read_link(source.join(name)) {
            Ok(place) => std::os::unix::fs::symlink(place, target).unwrap(),
            Err(_) => drop(std::fs::copy(source.join(name), target).unwrap()),
        }
    }
    let outcome = Runner::new(&server, 7).run(copy.path());
    assert_eq!((outcome.code, outcome.outputs["decision"].as_str()), (0, "pass"), "{}", outcome.log());
    let worse = Runner::new(&server, 7).input("candidate", "rules-worse").input("baseline", "rules").run(copy.path());
    assert_eq!((worse.code, worse.outputs["decision"].as_str()), (1, "fail"), "{}", worse.log());
    let said = Said { code: Some(worse.code), stdout: worse.log(), stderr: String::new() };
    said.stdout_has("alert_type=payment-failure");
}
