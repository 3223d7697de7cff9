//! Nothing that was answered is lost: kills, interrupts, locks, full disks.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitStatus};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Harness, Running, announce, until};

/// How many examples a run has.
const EXAMPLES: usize = 24;

/// Answers with its id after a moment, and notes that it was asked.
const SLOW: &str = r#"read -r line
id=${line#*\"id\":\"}; id=${id%%\"*}
echo "$id" >>"calls-$PHASE"
sleep 0.02
printf '{"answer": "%s"}\n' "$id"
"#;

/// Notes that it was asked and answers when there is a file `go` (or after a minute, lest it outlive the test).
const WAITING: &str = r#"read -r line
echo asked >>calls
turns=0
while [ ! -e go ] && [ $turns -lt 6000 ]; do sleep 0.01; turns=$((turns + 1)); done
echo '{"answer": "x"}'
"#;

fn project(script: &str) -> Harness {
    let lines = (0..EXAMPLES).map(|i| json!({"id": format!("e{i:02}"), "input": "?", "expected": format!("e{i:02}")}));
    Harness::new()
        .config(
            "evalset = \"s\"\nconcurrency = 3\n[candidates.app.command]\nargv = [\"sh\", \"app.sh\"]\n\
             answer = \"/answer\"\nenv = [\"PHASE\"]\n[scorers.right.exact]\n",
        )
        .file("app.sh", script)
        .evalset("s", &lines.map(|line| format!("{line}\n")).collect::<String>())
}

/// `run`, whose candidate notes its calls under `phase`.
fn run_in_phase(project: &Harness, phase: &str, more: &[&str]) -> Command {
    let mut command = project.command(&[&["run", "--format", "json"], more].concat());
    command.env("PHASE", phase);
    command
}

fn finish(project: &Harness, phase: &str, more: &[&str]) -> Value {
    project.finish(run_in_phase(project, phase, more)).exit(0).json()
}

/// The ids that the candidate was asked for in a phase.
fn calls(project: &Harness, phase: &str) -> Vec<String> {
    let text = std::fs::read_to_string(project.path(&format!("calls-{phase}"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The ids in the whole lines of a journal.
fn answered(run: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    whole.lines().skip(1).map(row).collect()
}

/// What an undisturbed run comes to.
fn undisturbed() -> Value {
    let record = finish(&project(SLOW), "only", &[]);
    assert_eq!((&record["examples"], &record["failed"]), (&json!(EXAMPLES), &json!(0)));
    record["record_sha256"].clone()
}

/// Resumes the only run, which must end as an undisturbed one without asking again for what was answered.
fn resumes(project: &Harness, expected: &Value) {
    let before = answered(&project.only_run().unwrap());
    let record = finish(project, "resumed", &["--resume"]);
    assert_eq!(record["record_sha256"], *expected);
    let asked = calls(project, "resumed");
    assert_eq!(asked.len(), EXAMPLES - before.len(), "asked for {asked:?}, answered were {before:?}");
    assert!(asked.iter().all(|id| !before.contains(id)), "asked again: {asked:?}, answered were {before:?}");
}

#[test]
fn twenty_kills_lose_nothing() {
    let expected = undisturbed();
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(20);
    let (mut hits, mut misses, mut rows) = (0, 0, Vec::new());
    while hits < 20 {
        assert!(misses < 200, "the run is never hit while it lives");
        let project = project(SLOW);
        // At a different moment each time: after so many answers, and up to one call's length later.
        let after = 1 + (generator.next_u64() % (EXAMPLES as u64 - 4)) as usize;
        let later = std::time::Duration::from_micros(generator.next_u64() % 30_000);
        let mut running = Running::start(run_in_phase(&project, "killed", &[]));
        until("enough answers", || project.journal_rows() >= after || !running.is_alive());
        std::thread::sleep(later);
        let was_alive = running.is_alive();
        running.signal(Signal::KILL);
        let (status, _) = running.wait();
        let there = project.journal_rows();
        let was_killed = std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
        if !was_alive || !was_killed || !(1..EXAMPLES).contains(&there) {
            misses += 1;
            continue;
        }
        hits += 1;
        rows.push(there);
        assert!(!project.only_run().unwrap().join("manifest.json").exists());
        resumes(&project, &expected);
    }
    announce(&format!(
        "{hits} kills of a living run with {rows:?} of {EXAMPLES} answers (and {misses} that came too late): all resumed"
    ));
}

#[test]
fn a_torn_last_line_is_asked_again() {
    let expected = undisturbed();
    for cut in [1, 20, usize::MAX] {
        let project = project(SLOW);
        stop_in_the_middle(&project, Signal::KILL);
        let journal = project.only_run().unwrap().join("journal.jsonl");
        let mut bytes = std::fs::read(&journal).unwrap();
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        // Of the last line is left: one byte, some, all but the line's end.
        bytes.truncate(last + cut.min(bytes.len() - 1 - last));
        std::fs::write(&journal, bytes).unwrap();
        // Torn and stopped once more: what was left of the line must not spoil the one after it.
        stop_after(&project, &["--resume"], project.journal_rows() + 2, Signal::KILL);
        resumes(&project, &expected);
    }
}

#[test]
fn a_journal_that_is_damaged_elsewhere_is_refused() {
    let project = project(SLOW);
    stop_in_the_middle(&project, Signal::KILL);
    let journal = project.only_run().unwrap().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("{\"id\"", "{id", 1)).unwrap();
    project.run(&["run", "--resume"]).exit(2).stderr_has("journal.jsonl:2: not a row of a journal");
}

/// Starts a run and stops it between its first and its last answer; what it said.
fn stop_in_the_middle(project: &Harness, signal: Signal) -> (ExitStatus, String) {
    stop_after(project, &[], 3, signal)
}

/// Stops a run when its journal has so many answers.
fn stop_after(project: &Harness, more: &[&str], rows: usize, signal: Signal) -> (ExitStatus, String) {
    let mut running = Running::start(run_in_phase(project, "stopped", more));
    until("enough answers", || project.journal_rows() >= rows || !running.is_alive());
    running.signal(signal);
    let outcome = running.wait();
    assert!((1..EXAMPLES).contains(&project.journal_rows()), "{} answers", project.journal_rows());
    outcome
}

#[test]
fn an_interrupt_ends_with_how_to_go_on() {
    let expected = undisturbed();
    for signal in [Signal::INT, Signal::TERM] {
        let project = project(SLOW);
        let (status, stderr) = stop_in_the_middle(&project, signal);
        assert_eq!(status.code(), Some(5), "{stderr}");
        assert!(stderr.contains("stopping: waiting for"), "{stderr}");
        // Calls in flight were waited for: each that was asked is answered.
        assert_eq!(calls(&project, "stopped").len(), project.journal_rows());
        assert!(
            stderr.contains(&format!("interrupted with {} of {EXAMPLES} answers", project.journal_rows())),
            "{stderr}"
        );
        let run = project.only_run().unwrap();
        let id = run.file_name().unwrap().to_str().unwrap();
        assert!(stderr.contains(&format!("go on with `evalgauge run --resume {id}`")), "{stderr}");

        // It is no record yet, and says so.
        project.run(&["baseline", "bless", id]).exit(5).stderr_has("did not finish");
        project.run(&["gate", id, id, "--format", "json"]).exit(5);
        let record = finish(&project, "resumed", &["--resume", id]);
        assert_eq!(record["record_sha256"], expected);
        assert_eq!(record["run_id"], id);
        project.run(&["run", "--resume", id]).exit(2).stderr_has("nothing to resume");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_interrupt_does_not_wait() {
    let project = project(HANGING);
    let running = Running::start(project.command(&["run", "--concurrency", "2"]));
    until("two calls", || pids(&project).len() == 4);
    running.signal(Signal::INT);
    until("the first to be heard", || running.said().contains("stopping: waiting for 2 calls"));
    running.signal(Signal::INT);
    let (status, stderr) = running.wait();
    assert_eq!(status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("interrupted with 0 of"), "{stderr}");
    all_end(&pids(&project));
}

#[test]
fn two_processes_do_not_write_one_run() {
    let project = project(WAITING);
    let first = Running::start(project.command(&["run"]));
    until("a call", || project.path("calls").exists());
    let run = project.only_run().unwrap();
    let id = run.file_name().unwrap().to_str().unwrap();
    let second = project.run(&["run", "--resume", id]).exit(2);
    second.stderr_has("another evalgauge is running here").stderr_has("hint: wait for it, or stop it");
    project.write("go", "");
    let (status, stderr) = first.wait();
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(run.join("manifest.json").exists());
}

#[test]
fn a_run_is_not_resumed_as_another_one() {
    let project = project(SLOW);
    stop_in_the_middle(&project, Signal::KILL);
    let resume = |more: &[&str], said: &str| {
        project
            .run(&[&["run", "--resume"], more].concat())
            .exit(2)
            .stderr_has("this run asked something else")
            .stderr_has(said);
    };
    resume(&["--trials", "2"], "another number of trials");
    resume(&["--seed", "8"], "another seed");
    resume(&["--limit", "3"], "another eval set or selection");
    let config = project.read("evalgauge.toml");
    project
        .write("evalgauge.toml", config.replace("[scorers.right.exact]", "[scorers.right.exact]\nignore_case = true"));
    resume(&[], "other scorers");
    project.write("evalgauge.toml", config.replace("answer = \"/answer\"", "answer = \"/reply\""));
    resume(&[], "another candidate");
    project.write("evalgauge.toml", config);
    finish(&project, "resumed", &["--resume"]);
}

/// The same, where no file may grow beyond so many blocks; the signal that would end the process is ignored, so that writing
/// fails as on a full disk.
fn limited(run: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    limited.args(["-c", &script]).arg(run.get_program()).args(run.get_args());
    limited.current_dir(run.get_current_dir().unwrap());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

/// Answers with forty kilobytes that nothing packs well.
const LONG: &str =
    "cat >/dev/null\nprintf '{\"answer\": \"%s\"}' \"$(head -c 30000 /dev/urandom | base64 | tr -d '\\n')\"\n";

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_table_is_the_machines() {
    let project = project(LONG);
    let shard =
        |index: &str| project.record(&["--shard", index, "--no-progress"])["run_id"].as_str().unwrap().to_owned();
    let shards = [shard("1/2"), shard("2/2")];
    let merge = || project.command(&["merge", &shards[0], &shards[1], "--format", "json"]);
    let outcome =
        project.finish(limited(&merge(), 600)).exit(6).stderr_has("samples.parquet").stderr_has("free the disk");
    assert_eq!(outcome.json()["exit_code"], 6);
    // With room, the same is done.
    project.finish(merge()).exit(0);
}

#[test]
fn a_full_disk_loses_nothing() {
    let expected = undisturbed();
    let project = project(SLOW);
    let limited = limited(&run_in_phase(&project, "limited", &[]), 4);
    let outcome = project.finish(limited).exit(6).stderr_has("journal.jsonl").stderr_has("nothing answered is lost");
    assert_eq!(outcome.json()["exit_code"], 6);
    assert!((1..EXAMPLES).contains(&project.journal_rows()), "{} answers", project.journal_rows());
    resumes(&project, &expected);
}

#[test]
fn a_result_that_cannot_be_written_is_no_pass() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        announce("SKIPPED a full device: there is no /dev/full here");
        return;
    }
    let same = "id,score\na,1\nb,1\n";
    let project = Harness::new().table("base.csv", same).table("head.csv", same);
    // By way of a link, which is written through and not replaced: nor is what is no file.
    std::os::unix::fs::symlink(full, project.path("full")).unwrap();
    project.run(&["gate", "base.csv", "head.csv", "-o", "full"]).exit(6).stderr_has("full: No space left on device");
    assert!(project.path("full").is_symlink());

    let mut to_device = project.command(&["gate", "base.csv", "head.csv"]);
    to_device.stdout(std::fs::OpenOptions::new().write(true).open(full).unwrap()).stderr(std::process::Stdio::null());
    assert_eq!(to_device.status().unwrap().code(), Some(6));

    // Into a file that is not writable, or a folder that is not one, is the user's to mend.
    project.write("file", "x");
    project.run(&["gate", "base.csv", "head.csv", "-o", "file/verdict.txt"]).exit(2);
    project.run(&["gate", "base.csv", "head.csv", "-o", "verdict.txt"]).exit(0);
    assert!(project.read("verdict.txt").starts_with("PASS"));
    let leftovers = std::fs::read_dir(project.path("."))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".evalgauge-"));
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn a_reader_that_stops_reading_changes_nothing() {
    // A verdict longer than a pipe holds, read by nobody.
    let table = |score: u8| -> String {
        let rows = (0..3000).map(|i| format!("{i},slice-{},{score}\n", i % 140));
        ["id,slice,score\n".to_owned()].into_iter().chain(rows).collect()
    };
    let project = Harness::new().table("base.csv", table(1)).table("head.csv", table(0));
    let mut command = project.command(&["gate", "base.csv", "head.csv", "--slice", "slice", "--format", "json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// Never answers, and starts another program that does not end either.
#[cfg(target_os = "linux")]
const HANGING: &str = "echo $$ >>pids\nsleep 1000 &\necho $! >>pids\nwait\n";

/// The processes that the candidate noted.
#[cfg(target_os = "linux")]
fn pids(project: &Harness) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("pids")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
fn all_end(pids: &[String]) {
    for pid in pids {
        until(&format!("the end of {pid}"), || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").map_or("gone", |(_, rest)| &rest[..1]);
            matches!(state, "gone" | "Z" | "X")
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_hangs_is_ended_with_all_that_it_started() {
    let project = project(HANGING);
    let config = project.read("evalgauge.toml").replacen("env =", "timeout = 0.5\nenv =", 1);
    let project = project.config(config);
    assert_eq!(project.record(&["--limit", "2"])["failed"], 2);
    let pids = pids(&project);
    assert_eq!(pids.len(), 4);
    all_end(&pids);
}
