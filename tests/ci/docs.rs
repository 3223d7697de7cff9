//! The commands of `docs/ci.md`, run in order, and what it says that comes of them. `EVALGAUGE_UPDATE_DOCS=1` writes what came.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::action::{Runner, as_somebody, fill, git};
use crate::project::{PROGRAM, clean};
use crate::server::{Server, TOKEN};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")
}

/// A fenced block: the words behind its fence, and its text.
#[derive(Debug, Clone)]
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<String> = None;
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            None if ticks.len() >= 3 => {
                blocks.push(Block { info: line[ticks.len()..].to_owned(), text: String::new() });
                fence = Some(ticks);
            }
            Some(open) if line == open => fence = None,
            Some(_) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    assert!(fence.is_none(), "a block that does not end");
    blocks
}

fn block(info: &str) -> String {
    let found = blocks(&std::fs::read_to_string(page()).unwrap());
    found.into_iter().find(|block| block.info == info).unwrap_or_else(|| panic!("no block `{info}`")).text
}

/// A text without what differs from run to run: times, dates, digests, commits.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| if line.starts_with("| latency") { "| latency" } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        let is_date = bare.len() == 10 && digits == 8 && bare.matches('-').count() == 2;
        let is_run = bare.starts_with("20") && bare.contains('T') && bare.contains("Z-") && digits >= 15;
        let is_hex = matches!(bare.len(), 7 | 8 | 12 | 16 | 40 | 64)
            && bare.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && digits > 0;
        out.push_str(if is_date {
            "DATE"
        } else if is_run {
            "RUN"
        } else if is_hex {
            "SHA"
        } else {
            bare
        });
        out.push_str(&word[bare.len()..]);
    }
    out
}

/// Fails unless the page says this in this block; in update mode, makes it say so.
fn says(info: &str, expected: &str, compare: fn(&str) -> String) {
    let expected = format!("{}\n", expected.trim_end());
    let text = std::fs::read_to_string(page()).unwrap();
    let found = block(info);
    if compare(&found) == compare(&expected) {
        return;
    }
    if std::env::var_os("EVALGAUGE_UPDATE_DOCS").is_some() {
        let start = text.find(&format!("`{info}\n")).unwrap() + info.len() + 2;
        let updated = format!("{}{expected}{}", &text[..start], &text[start + found.len()..]);
        std::fs::write(page(), updated).unwrap();
        return;
    }
    panic!("docs/ci.md, block `{info}`, is not what comes out (EVALGAUGE_UPDATE_DOCS=1 writes it):\n{expected}");
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Runs a block in bash, with the program on the path.
fn bash(folder: &Path, script: &str, before_path: Option<&Path>, environment: &[(&str, String)]) -> (i32, String) {
    let mut path = before_path.map_or_else(String::new, |place| format!("{}:", place.display()));
    path += &format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-e", "-u", "-o", "pipefail", "-c", script]).current_dir(folder);
    clean(&mut command, folder);
    as_somebody(&mut command);
    command.env("PATH", path).envs(environment.iter().map(|(name, value)| (*name, value)));
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "init.defaultBranch")
        .env("GIT_CONFIG_VALUE_0", "main");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(!said.contains(TOKEN));
    (output.status.code().unwrap(), said)
}

fn must(folder: &Path, script: &str) {
    let (code, said) = bash(folder, script, None, &[]);
    assert_eq!(code, 0, "{script}\n{said}");
}

/// The project after the page's first block.
fn set_up() -> TempDir {
    let folder = TempDir::with_prefix("evalgauge-test-").unwrap();
    must(folder.path(), &block("sh setup"));
    // What does not belong to the project, but lies in it.
    std::fs::write(folder.path().join(".git/info/exclude"), ".answers\n").unwrap();
    folder
}

#[test]
fn from_init_to_a_pull_request_that_passes_and_one_that_is_blocked() {
    let (folder, server) = (set_up(), Server::start());
    let root = folder.path();
    says(
        "yaml .github/workflows/evals.yml",
        &std::fs::read_to_string(root.join(".github/workflows/evals.yml")).unwrap(),
        as_it_is,
    );
    git(root, &["init", "--quiet", "--bare", ".git/origin"]);
    git(root, &["remote", "add", "origin", ".git/origin"]);
    git(root, &["push", "--quiet", "origin", "HEAD:main"]);
    let comment = |number: u64| {
        let state = server.state.lock().unwrap();
        let of_thread: Vec<_> = state.comments.iter().filter(|comment| comment["number"] == number).collect();
        assert_eq!(of_thread.len(), 1, "one comment on #{number}");
        of_thread[0]["body"].as_str().unwrap().to_owned()
    };
    for (block_number, pull_request, code) in [(1, 1, 0), (2, 2, 1), (3, 2, 0)] {
        must(root, &block(&format!("sh pull-request {block_number}")));
        let mut runner = Runner::new(&server, pull_request);
        runner.set("GITHUB_RUN_ID", &(9000 + block_number).to_string());
        let outcome = runner.run(root);
        assert_eq!(outcome.code, code, "{}", outcome.log());
        says(&format!("markdown comment {block_number}"), &comment(pull_request), steady);
        let marked = outcome.step("Tell the pull request").said.matches("::error file=").count();
        assert_eq!(marked, if code == 1 { 8 } else { 0 }, "the page says eight");
    }
}

/// A recipe as YAML.
fn recipe(info: &str) -> Yaml {
    YamlLoader::load_from_str(&block(info)).unwrap().remove(0)
}

#[test]
fn the_job_matrix_works() {
    let (folder, server) = (set_up(), Server::start());
    let root = folder.path();
    let jobs = &recipe("yaml shards")["jobs"];
    let runner = Runner::new(&server, 7);
    let mut environment = runner.environment.clone();
    environment.push(("GITHUB_TOKEN".to_owned(), TOKEN.to_owned()));
    let environment: Vec<(&str, String)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let gate = jobs["gate"]["steps"].as_vec().unwrap();
    let gate = gate.iter().find_map(|step| step["run"].as_str()).unwrap();
    let run = |break_it: bool| {
        let _ = std::fs::remove_dir_all(root.join("shards"));
        if break_it {
            must(root, "head -n 8 candidates/rules.toml > rules.new; mv rules.new candidates/rules.toml");
        }
        for shard in jobs["shard"]["strategy"]["matrix"]["shard"].as_vec().unwrap() {
            let context = [("matrix.shard".to_owned(), shard.as_i64().unwrap().to_string())].into();
            let steps = jobs["shard"]["steps"].as_vec().unwrap();
            let step = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
            must(root, &fill(step, &context));
        }
        // What uploading and downloading artifacts comes to.
        must(root, "mkdir shards; mv reports/*-shard-* shards/");
        bash(root, gate, None, &environment)
    };
    let (code, said) = run(false);
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(true);
    assert!(code == 1 && said.contains("comment updated"), "{code} {said}");
    let bodies = server.bodies();
    assert!(bodies.len() == 1 && bodies[0].contains("topic=shipping"), "{bodies:?}");
}

#[test]
fn the_other_recipes_work() {
    let folder = set_up();
    let root = folder.path();
    let nightly = recipe("yaml nightly");
    let steps = nightly["jobs"]["full"]["steps"].as_vec().unwrap();
    must(root, steps.iter().find_map(|step| step["run"].as_str()).unwrap());
    assert!(root.join("nightly/report.html").is_file());

    let gitlab = recipe("yaml gitlab");
    for line in gitlab["evals"]["script"].as_vec().unwrap() {
        must(root, line.as_str().unwrap());
    }
    let junit = gitlab["evals"]["artifacts"]["reports"]["junit"].as_str().unwrap();
    assert!(std::fs::read_to_string(root.join(junit)).unwrap().contains("<testsuite"));

    // The command line alone: the image itself is not built here.
    let tools = TempDir::with_prefix("evalgauge-tools-").unwrap();
    let docker = tools.path().join("docker");
    let stub = "#!/bin/sh\nwhile [ \"$1\" != evalgauge ]; do [ $# -gt 0 ] || exit 99; shift; done\nexec \"$@\"\n";
    std::fs::write(&docker, stub).unwrap();
    must(root, &format!("chmod +x {}", docker.display()));
    let (code, said) = bash(root, &block("sh docker"), Some(tools.path()), &[]);
    assert!(code == 0 && said.contains("PASS"), "{said}");
}

#[test]
fn every_block_of_the_page_is_used() {
    let known = [
        "sh setup",
        "yaml .github/workflows/evals.yml",
        "sh pull-request 1",
        "markdown comment 1",
        "sh pull-request 2",
        "markdown comment 2",
        "sh pull-request 3",
        "markdown comment 3",
        "yaml shards",
        "yaml nightly",
        "text",
        "yaml gitlab",
        "sh docker",
    ];
    let found = blocks(&std::fs::read_to_string(page()).unwrap());
    assert_eq!(found.iter().map(|block| block.info.as_str()).collect::<Vec<_>>(), known);
}

#[test]
fn inputs_of_the_page_are_those_of_the_action() {
    let action = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let action = &YamlLoader::load_from_str(&action).unwrap()[0];
    let text = std::fs::read_to_string(page()).unwrap();
    let listed = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name);
    let declared = action["inputs"].as_hash().unwrap().keys().map(|name| name.as_str().unwrap());
    assert_eq!(listed.collect::<Vec<_>>(), declared.collect::<Vec<_>>());
}
