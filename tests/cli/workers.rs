//! Workers of a `command` candidate: nothing is lost and nothing is called twice, whatever a worker does.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{Harness, Running, announce, until};

/// What a worker in the shell begins with: the call's name, its attempt, the example's id.
const READS: &str = r#"echo $$ >>pids
while read -r line; do
call=${line#*\"call\":\"}; call=${call%%\"*}
attempt=${line#*\"attempt\":}; attempt=${attempt%%,*}
id=${call%%/*}
"#;

/// And ends with.
const ANSWERS: &str = r#"
printf '{"call":"%s","output":{"answer":"%s"}}\n' "$call" "$id"
done
"#;

/// A worker that does something of its own before it answers.
fn worker(between: &str) -> String {
    format!("{READS}{between}{ANSWERS}")
}

fn project(examples: usize, settings: &str, script: &str) -> Harness {
    let lines = (0..examples).map(|i| json!({"id": format!("e{i:05}"), "input": "?", "expected": format!("e{i:05}")}));
    Harness::new()
        .config(format!(
            "evalset = \"s\"\nconcurrency = 32\n[candidates.app.command]\nargv = [\"sh\", \"worker.sh\"]\n\
             answer = \"/answer\"\n{settings}\n[scorers.right.exact]\n"
        ))
        .file("worker.sh", script)
        .evalset("s", &lines.map(|line| format!("{line}\n")).collect::<String>())
}

/// The lines of a file that workers wrote, none where there is no file.
fn lines(project: &Harness, name: &str) -> Vec<String> {
    std::fs::read_to_string(project.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The answers in the journal of the only run: by id, how often it was asked, and what came of it.
fn journal(project: &Harness) -> BTreeMap<String, (u64, String)> {
    let text = std::fs::read_to_string(project.only_run().unwrap().join("journal.jsonl")).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let answered = &row["answered"];
        let reply = &answered["reply"];
        let said = match reply.get("output") {
            Some(output) => output["answer"].as_str().unwrap().to_owned(),
            None => format!("{}: {}", reply["failed"]["kind"].as_str().unwrap(), reply["failed"]["message"]),
        };
        (row["id"].as_str().unwrap().to_owned(), (answered["attempts"].as_u64().unwrap(), said))
    };
    let rows: Vec<_> = text.lines().skip(1).map(row).collect();
    let count = rows.len();
    let by_id: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(by_id.len(), count, "a call is in the journal twice");
    by_id
}

fn all_end(project: &Harness) {
    for pid in lines(project, "pids") {
        until(&format!("the end of worker {pid}"), || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").map_or("gone", |(_, rest)| &rest[..1]);
            matches!(state, "gone" | "Z" | "X")
        });
    }
}

/// Notes that it has a call before it answers, and that it has answered after.
const LOGGING: &str = r#"echo "has $attempt $id" >>log"#;

#[test]
fn killing_workers_in_the_middle_of_10_000_calls_loses_nothing_and_calls_nothing_twice() {
    const CALLS: usize = 10_000;
    const IN_FLIGHT: usize = 4;
    // Two of them end by themselves, with a call that they have read and noted.
    const BY_THEMSELVES: [&str; 2] = ["e01234", "e05678"];
    let [first, second] = BY_THEMSELVES;
    let ends = format!("[ $attempt = 1 ] && case $id in {first} | {second}) kill -KILL $$;; esac");
    let script =
        worker(&format!("{LOGGING}\n{ends}")).replace("\ndone\n", "\necho \"answered $attempt $id\" >>log\ndone\n");
    let project = project(CALLS, &format!("workers = 3\nin_flight = {IN_FLIGHT}"), &script);
    let mut running = Running::start(project.command(&["run", "--no-progress"]));
    let mut killed = BY_THEMSELVES.len();
    for rows in [2_000, 4_000, 6_000, 8_000] {
        until("enough answers", || project.journal_rows() >= rows || !running.is_alive());
        assert!(running.is_alive(), "it ended early: {}", running.said());
        // The latest that was started: one that nobody has ended.
        let pid = lines(&project, "pids").last().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        killed += 1;
    }
    let (status, stderr) = running.wait();
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains(&format!("before its time {killed} times")), "{stderr}");

    // All rows are there, each with the answer of its own call.
    let rows = journal(&project);
    assert_eq!(rows.len(), CALLS);
    assert!(rows.iter().all(|(id, (_, said))| id == said));
    // What the workers themselves noted.
    let log = lines(&project, "log");
    let mut had: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &log {
        let [what, attempt, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        match what {
            "has" => had.entry(id).or_default().push(attempt),
            _ => *answered.entry(id).or_default() += 1,
        }
    }
    assert_eq!(had.len(), CALLS);
    // No call was answered twice; one that a worker was killed with may have been answered before it was noted.
    assert!(answered.values().all(|&count| count == 1), "answered twice");
    assert!(answered.len() >= CALLS - killed, "{} of {CALLS}", answered.len());
    let again: BTreeSet<&str> = had.iter().filter(|(_, attempts)| attempts.len() > 1).map(|(id, _)| *id).collect();
    for (id, attempts) in &had {
        assert!(attempts[..] == ["1"] || attempts[..] == ["1", "2"] || attempts[..] == ["2"], "{id}: {attempts:?}");
        // It is in the journal how often a call was sent.
        assert_eq!(attempts.last().unwrap(), &rows[*id].0.to_string(), "{id}");
    }
    let marked = rows.values().filter(|(attempts, _)| *attempts == 2).count();
    assert!(BY_THEMSELVES.iter().all(|id| again.contains(id)), "{again:?}");
    assert!(again.len() <= marked && marked <= killed * IN_FLIGHT, "{again:?}, {marked} marked");
    announce(&format!(
        "{killed} workers killed in {CALLS} calls: {} rows, {} calls noted once, {} twice, {marked} marked as sent again",
        rows.len(),
        CALLS - again.len(),
        again.len()
    ));
    all_end(&project);
}

#[test]
fn a_call_that_ends_every_worker_fails_alone() {
    let poison = r#"case $id in *7) echo "no memory for $id" >&2; exit 9;; esac"#;
    let project = project(40, "workers = 2\nin_flight = 8", &worker(poison));
    assert_eq!(project.record(&[])["failed"], 4);
    for (id, (attempts, said)) in journal(&project) {
        if id.ends_with('7') {
            assert_eq!(attempts, 2, "{id}");
            assert!(said.starts_with("crash") && said.contains(&format!("code 9: no memory for {id}")), "{said}");
        } else {
            assert_eq!(said, id);
        }
    }
    all_end(&project);
}

#[test]
fn a_call_that_hangs_is_late_alone_and_is_not_asked_again() {
    let hangs = "case $id in *7) sleep 1000;; esac";
    let project = project(40, "workers = 2\nin_flight = 8\ntimeout = 2", &worker(&format!("{LOGGING}\n{hangs}")));
    assert_eq!(project.record(&[])["failed"], 4);
    for (id, (_, said)) in journal(&project) {
        let fails = id.ends_with('7');
        assert_eq!(said.starts_with("timeout: \"no answer within 2 s"), fails, "{id}: {said}");
    }
    let log = lines(&project, "log");
    assert_eq!(log.iter().filter(|line| line.ends_with('7')).count(), 4, "{log:?}");
    all_end(&project);
}

#[test]
fn a_worker_that_never_stops_talking_is_late_all_the_same() {
    for talks in ["exec yes ''", "yes >&2"] {
        let project = project(1, "workers = 1\ntimeout = 1", &worker(talks));
        assert_eq!(project.record(&[])["failed"], 1, "{talks}");
        let (_, said) = &journal(&project)["e00000"];
        assert!(said.starts_with("timeout: \"no answer within 1 s"), "{talks}: {said}");
        all_end(&project);
    }
}

#[test]
fn workers_may_answer_in_any_order() {
    // Four at a time, answered from the last to the first.
    let script = format!(
        "{}\nlast=\"$call $last\"\ncount=$((count + 1))\n[ $count = 4 ] || continue\nfor call in $last; do\n\
         id=${{call%%/*}}\nprintf '{{\"call\":\"%s\",\"output\":{{\"answer\":\"%s\"}}}}\\n' \"$call\" \"$id\"\ndone\n\
         last=; count=0\ndone\n",
        READS.replacen("while", "count=0\nlast=\nwhile", 1)
    );
    // One worker: of two, each could be left with a part of four, which it would keep.
    let project = project(40, "workers = 1\nin_flight = 4", &script);
    let config = project.read("evalgauge.toml").replace("concurrency = 32", "concurrency = 4");
    project.write("evalgauge.toml", config);
    assert_eq!(project.record(&[])["failed"], 0);
    assert!(journal(&project).iter().all(|(id, (attempts, said))| id == said && *attempts == 1));
}

#[test]
fn a_worker_that_ends_after_a_few_calls_is_started_again() {
    let project = project(
        20,
        "workers = 2\nin_flight = 4",
        &worker("n=$((n + 1))").replace("\ndone\n", "\n[ $n -lt 3 ] || exit 0\ndone\n"),
    );
    let record = project.record(&[]);
    assert_eq!(record["failed"], 0);
    assert!(lines(&project, "pids").len() >= 7);
}

#[test]
fn what_breaks_the_protocol_is_a_failure_of_the_call_that_did() {
    for (does, settings, kind, says) in [
        ("echo loading", "", "garbage", "a line that is no reply (expected value): loading"),
        ("call=other", "", "garbage", "answered a call `other`, which it was not sent"),
        (r#"echo '{"output":1}'"#, "", "garbage", "has no `call`"),
        (r#"echo "{\"call\":\"$call\"}""#, "", "garbage", "neither `output` nor `error`"),
        (r#"echo "{\"call\":\"$call\",\"error\":\"too hot\"}"; continue"#, "", "crash", "the worker says: too hot"),
        (r"printf '\377\376\n'", "", "garbage", "bytes that are not UTF-8"),
        ("head -c 100000 /dev/zero | tr '\\0' x; echo", "max_output = 2000", "too_large", "more than 2000 bytes"),
        ("head -c 100000 /dev/zero | tr '\\0' x; sleep 1000", "max_output = 2000", "too_large", "`max_output`"),
    ] {
        let script = worker(&format!("case $id in *7) {does};; esac"));
        let project = project(20, &format!("workers = 1\n{settings}"), &script);
        assert_eq!(project.record(&[])["failed"], 2, "{does}");
        for (id, (_, said)) in journal(&project) {
            let fails = id.ends_with('7');
            assert_eq!(said.starts_with(kind) && said.contains(says), fails, "{does}: {id}: {said}");
        }
        all_end(&project);
    }
}

#[test]
fn a_program_that_is_no_worker_ends_the_run_with_the_way_out() {
    for (script, says) in [
        ("echo 'no module named x' >&2\nexit 3\n", "code 3: no module named x"),
        ("exit 0\n", "code 0"),
        ("cat >/dev/null\n", "no answer within 0.3 s"),
        ("echo hello\ncat >/dev/null\n", "a line that is no reply (expected value): hello"),
        ("read -r line\necho '{\"answer\": 1}'\n", "has no `call`"),
    ] {
        let project = project(8, "workers = 2\ntimeout = 0.3", script);
        let outcome = project.run(&["run"]).exit(2);
        outcome.stderr_has(says).stderr_has("none has answered a call").stderr_has("`command` without `workers`");
    }
    let project = project(3, "workers = 2", "");
    let config = project.read("evalgauge.toml").replace("\"sh\", \"worker.sh\"", "\"./not-there\"");
    project.write("evalgauge.toml", config);
    project.run(&["run"]).exit(2).stderr_has("cannot start `./not-there`");
}

#[test]
fn settings_that_go_together_in_no_way_are_refused() {
    for (settings, says) in [
        ("in_flight = 2", "`in_flight` is for workers"),
        ("start_timeout = 2", "`start_timeout` is for workers"),
        ("workers = 1\noutput = \"text\"", "a worker answers in JSON lines"),
        ("workers = 0", "expected a nonzero"),
        ("workers = 1\nstart_timeout = 0", "`start_timeout` is 0"),
    ] {
        let project = project(1, "", "");
        let config = project.read("evalgauge.toml").replace("[scorers", &format!("{settings}\n[scorers"));
        project.write("evalgauge.toml", config);
        project.run(&["config", "check"]).exit(2).stderr_has(says);
    }
}

#[test]
fn the_first_answer_may_take_longer() {
    let slow = worker("").replacen("while", "sleep 1\nwhile", 1);
    let impatient = project(3, "workers = 1\ntimeout = 0.4", &slow);
    impatient.run(&["run", "--limit", "1"]).exit(0);
    assert!(journal(&impatient)["e00000"].1.starts_with("timeout"));
    let patient = project(3, "workers = 1\ntimeout = 0.4\nstart_timeout = 30", &slow);
    assert_eq!(patient.record(&[])["failed"], 0);
}

#[test]
fn workers_end_with_the_run_also_when_it_is_interrupted() {
    let ends = worker("").trim_end().to_owned() + "\necho \"over $$\" >>log\n";
    let whole = project(20, "workers = 3", &ends);
    whole.record(&[]);
    // Each saw the end of its input, and came to its own end.
    assert_eq!(lines(&whole, "log").len(), lines(&whole, "pids").len());

    for interrupts in [1, 2] {
        let waits = "echo has >>log\nturns=0\nwhile [ ! -e go ] && [ $turns -lt 6000 ]; do sleep 0.01; turns=$((turns + 1)); done";
        let project = project(20, "workers = 2", &worker(waits));
        let running = Running::start(project.command(&["run", "--concurrency", "6"]));
        until("two calls", || lines(&project, "log").len() == 2);
        running.signal(Signal::INT);
        until("the interrupt to be heard", || running.said().contains("stopping"));
        if interrupts == 2 {
            running.signal(Signal::INT);
        } else {
            project.write("go", "");
        }
        let (status, stderr) = running.wait();
        assert_eq!(status.code(), Some(5), "{stderr}");
        // What waited for a worker was not sent; what was sent was waited for, once.
        assert_eq!(project.journal_rows(), if interrupts == 1 { 2 } else { 0 });
        assert_eq!(lines(&project, "log").len(), 2);
        all_end(&project);
        project.write("go", "");
        project.run(&["run", "--resume"]).exit(0);
        assert_eq!(journal(&project).len(), 20);
    }
}

#[test]
fn an_edited_worker_is_another_candidate_with_and_without_a_version() {
    for (version, kept) in [("", false), ("version = { text = \"1\" }", true)] {
        let project = project(5, &format!("workers = 1\n{version}"), &worker("echo asked >>log"));
        let cache = project.path("cache");
        let run = || {
            let mut command = project.command(&["run", "--format", "json"]);
            command.env("EVALGAUGE_CACHE_DIR", &cache);
            let printed = project.finish(command).exit(0).json();
            let manifest = project.read(&format!("{}/manifest.json", printed["path"].as_str().unwrap()));
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            let passed = printed["metrics"][0]["value"].as_f64().unwrap();
            (
                manifest["asked"]["candidate"]["digest"].as_str().unwrap().to_owned(),
                passed,
                lines(&project, "log").len(),
            )
        };
        let (digest, passed, calls) = run();
        assert_eq!((passed, calls), (1.0, 5));
        let (same, passed, calls) = run();
        assert_eq!((&same, passed, calls), (&digest, 1.0, if kept { 5 } else { 10 }), "{version}");
        project.write("worker.sh", worker("echo asked >>log\nid=wrong"));
        let (edited, passed, after) = run();
        assert_ne!(edited, digest, "{version}");
        assert_eq!((passed, after), (0.0, calls + 5), "{version}");
    }
}
