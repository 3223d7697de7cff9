//! `run --batch` from outside, against a stand-in for both vendors.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::vendor::{Line, Script, Vendor};
use crate::{KEY, Project};

const KINDS: [&str; 2] = ["openai", "anthropic"];
const EXAMPLES: usize = 30;
/// Two trials of each example.
const CALLS: usize = 2 * EXAMPLES;

fn project(vendor: &Vendor, kind: &str, settings: &str) -> Project {
    let model = format!(
        "trials = 2\nprices = \"prices.toml\"\n{settings}\n[candidates.model.{kind}]\nmodel = \"m\"\nkey_env = \"MODEL_KEY\"\n\
         base_url = \"{}\"\nstream = true\nretry = {{ base = 0.01, cap = 0.05 }}\nparams = {{ max_tokens = 500 }}\n",
        vendor.base_url()
    );
    let project = Project::at(EXAMPLES, &model);
    let prices = "as_of = \"2026-05-01\"\n[models]\nm = { input = 2.0, output = 8.0 }\n";
    std::fs::write(project.path().join("prices.toml"), prices).unwrap();
    project
}

/// What one answer costs in a batch: half of 1,000 tokens at 2 and 500 at 8 USD a million.
const HALF: f64 = 0.003;

/// Every example was answered rightly, in both trials.
#[track_caller]
fn assert_right(project: &Project, printed: &Value) {
    assert_eq!((&printed["failed"], &printed["metrics"][0]["value"]), (&0.into(), &1.0.into()));
    assert_eq!(printed["metrics"][0]["scored"], CALLS);
    let again = project.json(&["run", "--cache", "ro"]);
    assert_eq!(again["record_sha256"], printed["record_sha256"], "the same record, and nobody is asked");
}

fn batch(project: &Project, arguments: &[&str]) -> (i32, Value, String) {
    let (code, stdout, stderr) = project.run(&[arguments, &["--format", "json", "--events", "events.jsonl"]].concat());
    (code, serde_json::from_str(&stdout).unwrap_or_default(), stderr)
}

#[test]
fn answers_come_in_one_batch_for_half_the_price() {
    for kind in KINDS {
        let vendor = Vendor::start(|_| Script::default());
        let project = project(&vendor, kind, "");
        let dry =
            |arguments: &[&str]| project.json(&[&["run", "--dry-run"], arguments].concat())["usd"].as_f64().unwrap();
        assert!((dry(&["--batch"]) - dry(&[]) / 2.0).abs() < 1e-12);
        let (code, printed, stderr) = batch(&project, &["run", "--batch"]);
        assert_eq!(code, 0, "{stderr}");
        println!("{kind}: {CALLS} distinct calls, batches of {:?}, {} live", vendor.sizes(), vendor.live());
        assert_eq!((vendor.sizes(), vendor.live()), (vec![CALLS], 0), "calls submitted = distinct keys");
        assert_right(&project, &printed);
        let cost = format!("sent {CALLS} requests, {} tokens, {:.4} USD", 1500 * CALLS, HALF * CALLS as f64);
        assert!(stderr.contains(&cost) && stderr.contains("0.5 of the price"), "{cost}: {stderr}");
        let record = project.record(printed["run_id"].as_str().unwrap());
        for sample in &record.samples {
            assert!((sample.cost_usd.unwrap() - HALF).abs() < 1e-12);
            assert_eq!(sample.latency_ms, None, "how long a batch takes says nothing");
        }
        let events = std::fs::read_to_string(project.path().join("events.jsonl")).unwrap();
        let states: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |event: &str| states.iter().filter(|line| line["event"] == event).count();
        assert!(of("batch") >= 2 && of("batch_fetched") == 1 && of("unbatched") == 0, "{events}");
        // What is in the cache is not handed over; what is new is.
        let (code, _, stderr) = batch(&project, &["run", "--batch", "--trials", "3"]);
        assert_eq!((code, vendor.sizes()), (0, vec![CALLS, EXAMPLES]), "{stderr}");
        let (code, ..) = batch(&project, &["run", "--batch"]);
        assert_eq!((code, vendor.sizes().len(), vendor.live()), (0, 2, 0));
        assert_eq!(vendor.state.lock().unwrap().wrong_keys, 0);
        project.has_nowhere(KEY);
    }
}

#[test]
fn what_a_batch_did_not_answer_goes_into_a_second_one() {
    for kind in KINDS {
        let vendor = Vendor::start(|batch| Script {
            ending: if batch == 0 { "expired" } else { "completed" },
            line: match batch {
                0 => |at| match at {
                    0..5 => Line::Broken,
                    5..8 => Line::Rejected,
                    8..20 => Line::Left,
                    20..22 => Line::Forgotten,
                    _ => Line::Answer,
                },
                _ => |at| if at < 4 { Line::Broken } else { Line::Answer },
            },
            ..Script::default()
        });
        let project = project(&vendor, kind, "");
        let (code, printed, stderr) = batch(&project, &["run", "--batch"]);
        assert_eq!(code, 0, "{stderr}");
        println!("{kind}: {CALLS} calls, batches of {:?}, {} live", vendor.sizes(), vendor.live());
        // Those that broke, were left or forgotten; then one by one what broke again, and what is not taken in a batch.
        assert_eq!((vendor.sizes(), vendor.live()), (vec![CALLS, 19], 7));
        assert!(stderr.contains("7 calls that no batch answered") && stderr.contains("full price"), "{stderr}");
        let cost = format!("{:.4} USD", HALF * (CALLS - 7) as f64 + 2.0 * HALF * 7.0);
        assert!(stderr.contains(&cost), "{cost}: {stderr}");
        assert_right(&project, &printed);
    }
}

#[test]
fn a_batch_that_was_cancelled_ends_the_run_and_the_rest_is_asked_when_it_goes_on() {
    for kind in KINDS {
        for (arguments, sizes, live) in
            [(&["run", "--resume"][..], vec![CALLS], 10), (&["run", "--resume", "--batch"], vec![CALLS, 10], 0)]
        {
            let vendor = Vendor::start(|batch| Script {
                ending: if batch == 0 { "cancelled" } else { "completed" },
                line: if batch == 0 { |at| if at < 10 { Line::Left } else { Line::Answer } } else { |_| Line::Answer },
                ..Script::default()
            });
            let project = project(&vendor, kind, "");
            let (code, _, stderr) = batch(&project, &["run", "--batch"]);
            assert!(code == 5 && stderr.contains("cancelled") && stderr.contains("--resume"), "{code} {stderr}");
            assert_eq!((vendor.sizes(), vendor.live()), (vec![CALLS], 0));
            let (code, printed, stderr) = batch(&project, arguments);
            assert_eq!((code, vendor.sizes(), vendor.live()), (0, sizes, live), "{stderr}");
            assert_right(&project, &printed);
        }
    }
}

#[test]
fn a_batch_that_failed_as_a_whole_says_why_and_can_be_handed_over_again() {
    let vendor =
        Vendor::start(|batch| Script { ending: if batch == 0 { "failed" } else { "completed" }, ..Script::default() });
    let project = project(&vendor, "openai", "");
    let (code, _, stderr) = batch(&project, &["run", "--batch"]);
    assert!(code == 5 && stderr.contains("token_limit_exceeded: Enqueued token limit"), "{code} {stderr}");
    assert_eq!(vendor.live(), 0, "nothing is asked at the full price unasked");
    let (code, printed, stderr) = batch(&project, &["run", "--resume", "--batch"]);
    assert_eq!((code, vendor.sizes(), vendor.live()), (0, vec![CALLS, CALLS], 0), "{stderr}");
    assert_right(&project, &printed);
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_killed_run_finds_its_batch_again_and_never_hands_it_over_twice() {
    for kind in KINDS {
        // Killed while the batch is worked on, several times over.
        let vendor = Vendor::start(|_| Script::default());
        vendor.hold(true);
        let project = project(&vendor, kind, "");
        let mut child = project.start(&["run", "--batch"]);
        let ledger = |project: &Project| {
            let runs = project.runs();
            let path = project.path().join("reports").join(runs.first()?).join("batches.json");
            serde_json::from_str::<Value>(&std::fs::read_to_string(path).ok()?).ok()
        };
        until("the id on the disk", || ledger(&project).is_some_and(|it| it["batches"][0]["state"] == "open"));
        for _ in 0..3 {
            assert!(child.try_wait().unwrap().is_none(), "a living run is hit");
            child.kill().unwrap();
            child.wait().unwrap();
            let looks = vendor.looks(0);
            child = project.start(&["run", "--resume"]);
            until("the next run looks at it", || vendor.looks(0) > looks);
        }
        // Another run does not hand over what is in a batch already.
        let (code, _, stderr) = batch(&project, &["run", "--batch"]);
        assert!(code == 2 && stderr.contains(&format!("{CALLS} of these calls")), "{code} {stderr}");
        assert_eq!(project.runs().len(), 1, "and is none");
        vendor.hold(false);
        assert!(child.wait().unwrap().success());
        println!(
            "{kind}: 3 kills between submission and results: batches of {:?}, {} live",
            vendor.sizes(),
            vendor.live()
        );
        assert_eq!((vendor.sizes(), vendor.live()), (vec![CALLS], 0), "calls submitted = distinct keys");
        let printed = project.json(&["run"]);
        assert_right(&project, &printed);
        assert_eq!((vendor.sizes().len(), vendor.live()), (1, 0));
    }
}

#[test]
fn a_batch_whose_id_was_never_told_is_found() {
    for kind in KINDS {
        // The vendor has it; the answer is lost. The same process looks before it hands over again.
        let vendor = Vendor::start(|batch| Script { loses_answer: batch == 0, ..Script::default() });
        let project = project(&vendor, kind, "");
        let (code, printed, stderr) = batch(&project, &["run", "--batch"]);
        assert_eq!((code, vendor.sizes(), vendor.live()), (0, vec![CALLS], 0), "{stderr}");
        assert_right(&project, &printed);
        // Killed before the id was on the disk: the ledger is put back to what it then was.
        let project = self::project(&vendor, kind, "");
        vendor.hold(true);
        let mut child = project.start(&["run", "--batch"]);
        until("the batch is there", || vendor.looks(1) > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        let path = project.path().join("reports").join(&project.runs()[0]).join("batches.json");
        let mut ledger: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (ledger["batches"][0]["id"], ledger["batches"][0]["state"]) = (Value::Null, "submitting".into());
        std::fs::write(&path, ledger.to_string()).unwrap();
        vendor.hold(false);
        let (code, _, stderr) = batch(&project, &["run", "--resume"]);
        assert_eq!((code, vendor.sizes(), vendor.live()), (0, vec![CALLS, CALLS], 0), "{kind}: {stderr}");
        // One that never arrived is handed over then, also where another's batch looks like it from outside.
        let project = self::project(&vendor, kind, "");
        vendor.hold(true);
        let mut child = project.start(&["run", "--batch"]);
        until("the batch is there", || vendor.looks(2) > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        let path = project.path().join("reports").join(&project.runs()[0]).join("batches.json");
        let mut ledger: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (ledger["batches"][0]["id"], ledger["batches"][0]["state"]) = (Value::Null, "submitting".into());
        ledger["batches"][0]["nonce"] = "never-arrived".into();
        std::fs::write(&path, ledger.to_string()).unwrap();
        vendor.forget_all_but_a_foreign_one();
        vendor.hold(false);
        let (code, _, stderr) = batch(&project, &["run", "--resume", "--batch"]);
        assert_eq!((code, vendor.sizes(), vendor.live()), (0, vec![CALLS, CALLS], 0), "{kind}: {stderr}");
    }
}

#[test]
fn a_batch_is_no_larger_than_the_budget() {
    // As many calls as the budget has room for are handed over, and no more.
    for kind in KINDS {
        let vendor = Vendor::start(|_| Script::default());
        let project = project(&vendor, kind, "[budget]\nrequests = 45\n");
        let (code, _, stderr) = batch(&project, &["run", "--batch"]);
        assert!(code == 5 && stderr.contains("45 of 45 requests"), "{code} {stderr}");
        assert_eq!((vendor.sizes(), vendor.live()), (vec![45], 0));
        let config = project.path().join("evalgauge.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        // The earlier start counts.
        std::fs::write(&config, text.replace("requests = 45", "requests = 59")).unwrap();
        let (code, _, stderr) = batch(&project, &["run", "--resume", "--batch"]);
        assert_eq!((code, vendor.sizes(), vendor.live()), (5, vec![45, 14], 0), "{stderr}");
        std::fs::write(&config, text.replace("requests = 45", "requests = 60")).unwrap();
        let (code, _, stderr) = batch(&project, &["run", "--resume", "--batch"]);
        assert_eq!((code, vendor.sizes(), vendor.live()), (0, vec![45, 14, 1], 0), "{stderr}");
        // Not even one fits: nothing is handed over.
        let project = self::project(&vendor, kind, "[budget]\nusd = 0.001\n");
        let (code, _, stderr) = batch(&project, &["run", "--batch"]);
        assert!(code == 5 && stderr.contains("USD"), "{code} {stderr}");
        assert_eq!((vendor.sizes().len(), vendor.live()), (3, 0));
    }
}

#[test]
fn who_has_no_batches_says_so_before_there_is_a_run() {
    let vendor = Vendor::start(|_| Script::default());
    let url = vendor.base_url();
    for (candidate, why) in [
        ("[candidates.model.command]\nargv = [\"true\"]".to_owned(), "a `command` candidate has no batches"),
        (format!("[candidates.model.google]\nmodel = \"m\"\nbase_url = \"{url}\""), "`google`"),
        (
            format!("[candidates.model.openai]\nmodel = \"m\"\nbase_url = \"{url}\"\napi_version = \"2024-10-21\""),
            "Azure",
        ),
    ] {
        let project = Project::at(3, &candidate);
        for arguments in [&["run", "--batch"][..], &["run", "--batch", "--dry-run"]] {
            let (code, _, stderr) = project.run(arguments);
            assert!(code == 2 && stderr.contains(why) && stderr.contains("without --batch"), "{code} {stderr}");
        }
        assert!(project.runs().is_empty());
    }
    let project = project(&vendor, "openai", "");
    for mode in ["ro", "off", "refresh"] {
        if mode == "ro" {
            project.ok(&["run", "--limit", "1"]);
        }
        let (code, _, stderr) = project.run(&["run", "--batch", "--cache", mode]);
        assert!(code == 2 && stderr.contains("--cache rw"), "{mode}: {code} {stderr}");
    }
    // A server that speaks chat completions and has no batches.
    let server =
        crate::http::serve(|_| crate::http::Said(404, "application/json", b"{\"error\": \"not found\"}".to_vec()));
    let model = format!("[candidates.model.openai]\nmodel = \"m\"\nbase_url = \"http://{server}/v1\"");
    let (code, _, stderr) = Project::at(3, &model).run(&["run", "--batch"]);
    assert!(code == 2 && stderr.contains("the batch was not taken: HTTP 404"), "{code} {stderr}");
    assert!(vendor.sizes().is_empty());
}
