//! The program against a model server that fails: nothing paid for is lost, asked for twice, or given away.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

mod batches;
mod draws;
mod http;
mod server;
mod shared;
mod tls;
mod vendor;

use server::{Fate, Server};

/// What marks the key: in no file, whatever happens.
const KEY: &str = "sk-MARKED-7c1f09a2e5d84b36";

/// A project whose candidate is a model behind a server.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(server: &Server, examples: usize, settings: &str) -> Self {
        Self::at(examples, &settings.replace("URL", &server.base_url()))
    }

    /// A project whose settings say themselves where the model is.
    fn at(examples: usize, settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let lines: Vec<String> =
            (0..examples).map(|i| format!(r#"{{"id":"e{i:05}","input":"word {i}","expected":"WORD {i}"}}"#)).collect();
        std::fs::write(folder.path().join("examples.jsonl"), lines.join("\n") + "\n").unwrap();
        let config = format!(
            "evalset = \"words\"\ncandidate = \"model\"\nconcurrency = 64\n{settings}\n[scorers.right.exact]\n"
        );
        std::fs::write(folder.path().join("evalgauge.toml"), config).unwrap();
        let project = Self { folder };
        project.ok(&["evalset", "pin", "words", "--from", "examples.jsonl", "--tag", "v1"]);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(arguments).current_dir(self.path()).env_remove("EVALGAUGE_CONFIG");
        command.env("EVALGAUGE_CACHE_DIR", self.path().join("cache")).env("MODEL_KEY", KEY);
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--format", "json"]].concat())).unwrap()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn record(&self, run: &str) -> evalgauge::record::RunRecord {
        evalgauge::record::load(&self.path().join("reports").join(run)).unwrap()
    }

    /// The ids that a run's journal has answers of; none while there is no run.
    fn acknowledged(&self, run: &str) -> BTreeSet<String> {
        let journal = self.path().join("reports").join(run).join("journal.jsonl");
        let text = std::fs::read_to_string(journal).unwrap_or_default();
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).ok()?;
            row["answered"]["reply"]["completion"].is_object().then(|| row["id"].as_str().unwrap().to_owned())
        };
        text.lines().skip(1).filter_map(row).collect()
    }

    /// Looks for a secret in every file and inside everything compressed: it must be nowhere. How many of both there are.
    fn has_nowhere(&self, secret: &str) -> (usize, usize) {
        let (mut files, mut layers) = (0, 0);
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(holds(format!("x{secret}y").as_bytes()));
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                assert!(!holds(&bytes), "{}", path.display());
                files += 1;
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("zst") => {
                        assert!(!holds(&zstd::decode_all(&bytes[..]).unwrap()), "inside {}", path.display());
                        layers += 1;
                    }
                    Some("sqlite") => layers += values_of(&path, &holds),
                    Some("parquet") => {
                        let record = evalgauge::record::load(path.parent().unwrap()).unwrap();
                        assert!(!holds(format!("{record:?}").as_bytes()), "inside {}", path.display());
                        layers += 1;
                    }
                    _ => {}
                }
            }
        }
        (files, layers)
    }

    fn runs(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path().join("reports")) else { return Vec::new() };
        let mut runs: Vec<String> = folder.map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
        runs.sort();
        runs
    }
}

/// The lines of an event log, and how many there are of each event.
fn events(path: &Path) -> (Vec<Value>, BTreeMap<String, usize>) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut counts = BTreeMap::new();
    for line in &lines {
        assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
        *counts.entry(line["event"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (lines, counts)
}

const MODEL: &str = "[candidates.model.openai]\nmodel = \"m\"\nbase_url = \"URL\"\nkey_env = \"MODEL_KEY\"\n";

#[test]
fn faults_cost_attempts_and_nothing_else() {
    const CALLS: usize = 10_000;
    // Every seventh is refused for now; of the others one in twenty is cut off, one in twenty comes broken.
    let server = Server::start(Duration::ZERO, |request| match request {
        n if n % 7 == 0 => Fate::TooMany,
        n if n % 20 == 3 => Fate::Reset,
        n if n % 20 == 11 => Fate::Malformed,
        _ => Fate::Answer,
    });
    let retry = "retry = { attempts = 20, base = 0.001, cap = 1 }\n";
    let project = Project::new(&server, CALLS, &format!("{MODEL}{retry}"));
    let run = project.json(&["run", "--candidate", "model"]);
    let seen = server.seen.lock().unwrap();
    let faults: u64 = seen.faults.values().sum();
    println!(
        "{CALLS} calls: {} requests served, {} answers, faults {:?}; rows failed: {}",
        seen.requests,
        seen.answered.len(),
        seen.faults,
        run["failed"]
    );
    assert_eq!((run["failed"].as_u64(), run["examples"].as_u64()), (Some(0), Some(CALLS as u64)));
    assert_eq!(seen.requests, CALLS as u64 + faults, "calls served = distinct keys + injected faults");
    assert_eq!(seen.answered.iter().collect::<BTreeSet<_>>().len(), CALLS);
    assert!(seen.faults.values().all(|&count| count > 300), "{:?}", seen.faults);
    assert_eq!(run["metrics"][0]["value"], 1.0);
    let requests = seen.requests;
    drop(seen);
    // Everything again: nobody is asked, and the record is the same.
    let again = project.json(&["run", "--cache", "ro"]);
    assert_eq!(again["record_sha256"], run["record_sha256"]);
    assert_eq!(server.seen.lock().unwrap().requests, requests);
}

#[test]
fn what_was_acknowledged_before_a_kill_is_never_asked_for_again() {
    const EXAMPLES: usize = 600;
    const KILLS: usize = 20;
    let server = Server::start(Duration::from_millis(8), |_| Fate::Answer);
    let project = Project::new(&server, EXAMPLES, MODEL);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let mut at_kills = Vec::new();
    let mut asked_again = 0;
    while at_kills.len() < KILLS {
        let before = project.runs();
        let already = server.seen.lock().unwrap().answered.len();
        let mut child = project.start(&["run", "--concurrency", "8"]);
        let target = acknowledged.len() + 5 + 3 * (at_kills.len() % 7);
        let deadline = Instant::now() + Duration::from_mins(1);
        let run = loop {
            assert!(Instant::now() < deadline, "the run does not get on");
            let new = project.runs().into_iter().find(|run| !before.contains(run));
            if let Some(run) = new.filter(|run| project.acknowledged(run).len() >= target) {
                break run;
            }
            assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
            std::thread::sleep(Duration::from_millis(1));
        };
        child.kill().unwrap();
        child.wait().unwrap();
        // What this run asked for, and what had been acknowledged before it.
        let seen = server.seen.lock().unwrap();
        let id = |prompt: &String| format!("e{:05}", prompt.trim_start_matches("word ").parse::<usize>().unwrap());
        asked_again += seen.answered[already..].iter().filter(|prompt| acknowledged.contains(&id(prompt))).count();
        drop(seen);
        let of_run = project.acknowledged(&run);
        assert!(!of_run.is_empty() && of_run.len() < EXAMPLES, "{} answers: no living run was hit", of_run.len());
        acknowledged.extend(of_run);
        at_kills.push(acknowledged.len());
    }
    let requests = server.seen.lock().unwrap().requests;
    let finished = project.json(&["run"]);
    assert_eq!((finished["failed"].as_u64(), finished["examples"].as_u64()), (Some(0), Some(EXAMPLES as u64)));
    let last = server.seen.lock().unwrap().requests - requests;
    println!("{KILLS} kills of a living run with {at_kills:?} acknowledged answers: {asked_again} asked for again");
    println!("the last run asked for {last} of {EXAMPLES}");
    assert_eq!(asked_again, 0);
    assert!(last as usize <= EXAMPLES - acknowledged.len());
    project.ok(&["cache", "verify"]);
}

#[test]
fn the_key_is_in_no_file() {
    // The server repeats the key in its errors, as some do.
    let server = Server::start(Duration::ZERO, |request| match request % 5 {
        0 => Fate::Refuse,
        1 => Fate::TooMany,
        _ => Fate::Answer,
    });
    let retry = "retry = { attempts = 8, base = 0.001, cap = 1 }\n";
    let project = Project::new(&server, 200, &format!("{MODEL}{retry}"));
    let mut said = String::new();
    for arguments in
        [&["run", "--events", "events.jsonl", "-v"][..], &["run", "--cache", "refresh", "--format", "json"]]
    {
        let (_, stdout, stderr) = project.run(arguments);
        said += &(stdout + &stderr);
    }
    project.ok(&["cache", "export", "answers.jsonl.zst"]);
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.keys.iter().collect::<Vec<_>>(), [&format!("Bearer {KEY}")], "the key was sent");
    assert!(seen.faults["400"] > 50, "the server gave the key back");
    drop(seen);
    assert!(!said.contains(KEY), "printed");
    let errors = |run: &str| {
        project.record(run).samples.iter().any(|s| s.error.as_ref().is_some_and(|e| e.contains("you sent")))
    };
    assert!(project.runs().iter().all(|run| errors(run)), "what the server said is in the record");
    let (files, layers) = project.has_nowhere(KEY);
    println!("{files} files and {layers} compressed parts looked through: the key is in none");
    assert!(files > 10 && layers > 100);
}

/// Looks into every value of a store; how many there are.
fn values_of(path: &Path, holds: &dyn Fn(&[u8]) -> bool) -> usize {
    let store = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = {
        let mut names = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut decoded = 0;
    for table in tables {
        let mut rows = store.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let rusqlite::types::ValueRef::Blob(blob) | rusqlite::types::ValueRef::Text(blob) =
                    row.get_ref(column).unwrap()
                {
                    assert!(!holds(blob));
                    if let Ok(inside) = zstd::decode_all(blob) {
                        assert!(!holds(&inside));
                        decoded += 1;
                    }
                }
            }
        }
    }
    decoded
}

#[test]
fn a_time_out_is_a_failed_example_and_can_be_asked_again() {
    let server = Server::start(Duration::ZERO, |request| if request == 3 { Fate::Silence } else { Fate::Answer });
    let settings = "timeout = 0.3\nretry = { attempts = 1 }\n";
    let project = Project::new(&server, 10, &format!("{MODEL}{settings}"));
    let run = project.json(&["run", "--concurrency", "1"]);
    assert_eq!((run["failed"].as_u64(), run["metrics"][0]["value"].as_f64()), (Some(1), Some(0.9)));
    let id = run["run_id"].as_str().unwrap();
    let (code, _, stderr) = project.run(&["run", "--resume", id]);
    assert_eq!(code, 2, "{stderr}");
    let again = project.json(&["run", "--resume", id, "--retry-errors"]);
    assert_eq!((again["failed"].as_u64(), again["metrics"][0]["value"].as_f64()), (Some(0), Some(1.0)));
    assert_eq!(server.seen.lock().unwrap().requests, 11);
}

#[test]
fn a_missing_answer_in_a_read_only_run_is_named() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let project = Project::new(&server, 20, MODEL);
    project.ok(&["run", "--limit", "15"]);
    let (code, _, stderr) = project.run(&["run", "--cache", "ro"]);
    assert_eq!(code, 5, "{stderr}");
    let names_key =
        stderr.split_whitespace().any(|word| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(names_key && stderr.contains("word 1"), "{stderr}");
    assert_eq!(server.seen.lock().unwrap().requests, 15);
}

#[test]
fn a_budget_stops_a_run_that_goes_on_where_it_stopped() {
    let server = Server::start(Duration::from_millis(2), |_| Fate::Answer);
    let model = MODEL.replace("model = \"m\"", "model = \"gpt-4o-mini\"\nparams = { max_tokens = 10 }");
    let project = Project::new(&server, 40, &format!("[budget]\nrequests = 25\n{model}"));
    let (code, _, stderr) = project.run(&["run"]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("25 of 25 requests") && stderr.contains("--resume"), "{stderr}");
    assert_eq!(server.seen.lock().unwrap().requests, 25);
    // What was answered stays: with more budget the rest is asked, and nothing twice.
    let config = project.path().join("evalgauge.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("requests = 25", "requests = 45")).unwrap();
    let run = project.json(&["run", "--resume"]);
    assert_eq!(run["failed"], 0);
    assert_eq!(server.seen.lock().unwrap().requests, 40);
    // An incomplete run never passes: there is no record to gate.
    let dollars = format!("[budget]\nusd = 0.0001\n{model}");
    let project = Project::new(&server, 400, &dollars);
    let (code, _, stderr) = project.run(&["run"]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("USD"), "{stderr}");
    let (code, ..) = project.run(&["baseline", "bless", "latest"]);
    assert_ne!(code, 0);
    // Without a price there can be no budget in dollars.
    let project = Project::new(&server, 4, &format!("[budget]\nusd = 1\n{MODEL}"));
    let (code, _, stderr) = project.run(&["run"]);
    assert!(code == 2 && stderr.contains("no price of `m`"), "{code} {stderr}");
}

#[test]
fn a_dry_run_sends_nothing_and_knows_the_cache() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let project = Project::new(&server, 30, &MODEL.replace("model = \"m\"", "model = \"gpt-4o-mini\""));
    project.ok(&["run", "--limit", "10"]);
    let dry = |arguments: &[&str]| project.json(&[&["run", "--dry-run", "--trials", "2"], arguments].concat());
    // How long calls took is seen in the cache, in the latest record, or nowhere.
    let from = |dry: &Value| dry["seconds_a_call_from"].as_str().unwrap().to_owned();
    assert_eq!(from(&dry(&["--cache", "off"])), "record");
    std::fs::remove_dir_all(project.path().join("reports")).unwrap();
    let assumed = dry(&["--cache", "off", "--concurrency", "4"]);
    assert_eq!((from(&assumed), &assumed["expected_seconds"]), ("assumed".to_owned(), &15.0.into()));
    let dry = dry(&[]);
    assert_eq!(from(&dry), "cache");
    assert!(dry["seconds_a_call"].as_f64().unwrap() < 1.0, "{dry}");
    assert_eq!((&dry["calls"], &dry["cached"], &dry["to_send"]), (&60.into(), &10.into(), &50.into()));
    assert!(dry["usd"].as_f64().unwrap() > 0.0);
    assert_eq!(server.seen.lock().unwrap().requests, 10);
}

#[test]
fn a_wrong_key_ends_the_run_at_once() {
    let server = Server::start(Duration::ZERO, |_| Fate::Deny);
    let project = Project::new(&server, 200, MODEL);
    let (code, _, stderr) = project.run(&["run", "--concurrency", "4"]);
    assert!(code == 2 && stderr.contains("bad key") && stderr.contains("key_env"), "{code} {stderr}");
    let requests = server.seen.lock().unwrap().requests;
    assert!(requests <= 4, "{requests} requests with a wrong key");
}

#[test]
fn every_attempt_is_an_event() {
    const CALLS: usize = 300;
    let server = Server::start(Duration::ZERO, |request| match request {
        n if n % 5 == 0 => Fate::TooMany,
        n if n % 7 == 0 => Fate::Reset,
        _ => Fate::Answer,
    });
    let retry = "retry = { attempts = 20, base = 0.001, cap = 1 }\n";
    let project = Project::new(&server, CALLS, &format!("{MODEL}{retry}"));
    project.ok(&["run", "--events", "events.jsonl"]);
    let (lines, counts) = events(&project.path().join("events.jsonl"));
    let seen = server.seen.lock().unwrap();
    println!("{CALLS} calls, {} requests: {counts:?}", seen.requests);
    for event in ["asked", "answered", "finished"] {
        assert_eq!(counts[event], CALLS, "{event}");
    }
    assert_eq!(counts["attempt"] as u64, seen.requests);
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let failed = |kind: &str| of("attempt").iter().filter(|line| line["failure"]["kind"] == kind).count() as u64;
    assert_eq!((failed("rate_limited"), failed("connection")), (seen.faults["429"], seen.faults["reset"]));
    // What failed is waited for, what did not is the end of its call; each says whose it is.
    for line in of("attempt") {
        assert_eq!(line["failure"].is_object(), line["wait_ms"].is_number(), "{line}");
        assert!(line["attempt"].as_u64() >= Some(1) && line["provider"] == "model", "{line}");
        assert!(line["id"].is_string() && line["key"] == "turn/1" && line["trial"] == 0, "{line}");
    }
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for line in of("attempt") {
        let before = last.insert(line["id"].as_str().unwrap(), line["attempt"].as_u64().unwrap());
        assert_eq!(before.unwrap_or(0) + 1, line["attempt"].as_u64().unwrap());
    }
    let result = |result: &str| of("cache").iter().filter(|line| line["result"] == result).count();
    assert_eq!((result("miss"), result("stored"), result("hit")), (CALLS, CALLS, 0));
    assert!(of("concurrency").iter().any(|line| line["why"] == "refused"));
    assert_eq!(lines.first().unwrap()["event"], "started");
    assert_eq!(lines.last().unwrap()["event"], "ended");
    drop(seen);
    project.ok(&["run", "--events", "again.jsonl"]);
    let (lines, counts) = events(&project.path().join("again.jsonl"));
    assert!(!counts.contains_key("attempt"));
    assert_eq!(lines.iter().filter(|line| line["result"] == "hit").count(), CALLS);
}

#[test]
fn a_budget_a_breaker_and_an_end_are_events() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let project = Project::new(&server, 40, &format!("[budget]\nrequests = 25\n{MODEL}"));
    let (code, ..) = project.run(&["run", "--events", "events.jsonl"]);
    let (lines, counts) = events(&project.path().join("events.jsonl"));
    assert_eq!((code, counts["attempt"]), (5, 25));
    assert!(counts["budget"] >= 1 && lines.iter().any(|l| l["reached"] == "25 of 25 requests are sent"));
    let end = lines.last().unwrap();
    assert!(end["event"] == "ended" && end["error"].as_str().unwrap().contains("budget"), "{end}");
    // A server that is down for a while.
    let server = Server::start(Duration::ZERO, |request| if request <= 6 { Fate::Reset } else { Fate::Answer });
    let retry = "retry = { attempts = 50, base = 0.001, cap = 0.05, breaker = 3 }\n";
    let project = Project::new(&server, 10, &format!("{MODEL}{retry}"));
    project.ok(&["run", "--concurrency", "1", "--events", "events.jsonl"]);
    let (lines, _) = events(&project.path().join("events.jsonl"));
    let states: Vec<&str> = lines.iter().filter_map(|line| line["state"].as_str()).collect();
    assert_eq!((states.first(), states.last()), (Some(&"open"), Some(&"closed")), "{states:?}");
    assert!(states.iter().filter(|state| **state == "half_open").count() >= 2, "{states:?}");
    assert!(lines.iter().filter(|line| line["state"] == "open").all(|line| line["rest_ms"].as_f64() > Some(0.0)));
    // A log that cannot be written costs no answer.
    if Path::new("/dev/full").exists() {
        let (code, _, stderr) = project.run(&["run", "--events", "/dev/full"]);
        assert!(code == 0 && stderr.contains("/dev/full: incomplete"), "{code} {stderr}");
    } else {
        println!("skipped: there is no /dev/full, so a full disk is not tried");
    }
}

#[test]
fn what_was_not_sent_when_a_run_ends_is_not_sent_any_more() {
    // Slow enough that many wait for a place when the budget is gone.
    let server =
        Server::start(Duration::from_millis(200), |request| if request == 1 { Fate::Deny } else { Fate::Answer });
    let project = Project::new(&server, 100, MODEL);
    let (code, ..) = project.run(&["run", "--concurrency", "16"]);
    let requests = server.seen.lock().unwrap().requests;
    assert!(code == 2 && requests <= 16, "code {code}, {requests} requests");
}

/// A collector of OpenTelemetry: what was posted to it.
#[cfg(feature = "otlp")]
mod collector;

#[cfg(feature = "otlp")]
#[test]
fn calls_are_spans_in_the_words_of_opentelemetry() {
    const CALLS: usize = 40;
    let server = Server::start(Duration::ZERO, |request| match request {
        n if n % 9 == 0 => Fate::TooMany,
        n if n % 13 == 0 => Fate::Refuse,
        _ => Fate::Answer,
    });
    let retry = "retry = { attempts = 20, base = 0.001, cap = 1 }\nparams = { temperature = 0.5, max_tokens = 10 }\n";
    let project = Project::new(&server, CALLS, &format!("{MODEL}{retry}"));
    let collector = collector::Collector::start(200);
    let secret = "collector-MARKED-91c2";
    let traced = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base());
        command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("x-token={secret}")).output().unwrap()
    };
    let output = traced(&["run", "--events", "events.jsonl"]);
    assert!(output.status.success(), "{output:?}");
    let posts = collector.posts();
    assert!(posts.iter().all(|post| post.head.starts_with("POST /v1/traces ") && post.head.contains(secret)));
    let spans = collector.spans();
    let text = |span: &Value, key: &str| {
        let attributes = span["attributes"].as_array().unwrap();
        let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
        found["value"].as_object().unwrap().values().next().map(|value| value.to_string().replace('"', ""))
    };
    let calls: Vec<&Value> = spans.iter().filter(|span| span["kind"] == 3).collect();
    assert_eq!((calls.len(), spans.len()), (CALLS, CALLS + 1));
    let root = spans.iter().find(|span| span["kind"] == 1).unwrap();
    assert_eq!(root["name"], "evalgauge run model");
    let seen = server.seen.lock().unwrap();
    let mut failed_attempts = 0;
    for span in &calls {
        assert_eq!(
            (&span["name"], &span["traceId"], &span["parentSpanId"]),
            (&"chat m".into(), &root["traceId"], &root["spanId"])
        );
        for (key, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.request.temperature", "0.5"),
            ("gen_ai.request.max_tokens", "10"),
            ("server.address", "127.0.0.1"),
        ] {
            assert_eq!(text(span, key).as_deref(), Some(value), "{span}");
        }
        let refused = text(span, "error.type");
        assert_eq!(refused.is_some(), span["status"]["code"] == 2, "{span}");
        if refused.is_none() {
            assert_eq!(text(span, "gen_ai.usage.input_tokens").as_deref(), Some("10"));
            assert_eq!(text(span, "gen_ai.usage.output_tokens").as_deref(), Some("5"));
            assert_eq!(text(span, "gen_ai.response.finish_reasons").map(|r| r.contains("stop")), Some(true));
        }
        let nano = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(nano("startTimeUnixNano") <= nano("endTimeUnixNano"));
        failed_attempts += span["events"].as_array().unwrap().len() as u64;
    }
    assert_eq!(failed_attempts, seen.faults["429"] + seen.faults["400"]);
    drop(seen);
    // Nothing that was asked or answered, and no key, is in them, nor the collector's key in anything else.
    let sent: String = posts.iter().map(|post| post.body.as_str()).collect();
    for word in ["WORD", "word 1", KEY, secret, "you sent"] {
        assert!(!sent.contains(word), "{word}");
    }
    let printed = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(project.path().join("events.jsonl")).unwrap();
    assert!(!printed.contains(secret) && !log.contains(secret));
    // What the cache gives was not asked: the run is a span, its kept answers are none.
    let before = collector.spans().len();
    let (code, ..) = project.run(&["run"]);
    assert_eq!((code, collector.spans().len()), (0, before), "no variable, no spans");
    assert!(traced(&["run", "--filter", "x=y"]).status.code() == Some(2));
    println!(
        "{CALLS} calls: {} spans in {} posts, {failed_attempts} failed attempts in them",
        spans.len(),
        posts.len()
    );
}

#[cfg(feature = "otlp")]
#[test]
fn a_collector_that_fails_breaks_nothing() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let project = Project::new(&server, 20, MODEL);
    let digest = project.json(&["run"])["record_sha256"].clone();
    let failing = collector::Collector::start(500);
    let nobody = "http://127.0.0.1:9".to_owned();
    for (endpoint, said) in [(failing.base(), "answered 500"), (nobody, "cannot be reached")] {
        let mut command = project.command(&["run", "--cache", "refresh", "--format", "json"]);
        let output = command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && stderr.contains("traces: ") && stderr.contains(said), "{stderr}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["record_sha256"], digest);
    }
    let output = project.command(&["run"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
