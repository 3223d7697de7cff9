//! Scorers that ask a program or a service: what they say is a score, and what breaks is never the candidate's fault.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::Harness;

/// Scores by what stands in the answer, once for every call.
const ONCE: &str = r#"read -r line
echo asked >>log
answer=${line#*\"answer\":\"}; answer=${answer%%\"*}
case $answer in
good) echo '{"score": 0.9, "reason": "very good"}';;
fair) echo '{"score": 0.4, "passed": true}';;
bare) echo 0.75;;
yes) echo true;;
beyond) echo '{"score": 7}';;
silent) ;;
words) echo 'I think it is fine';;
empty) echo '{"reason": "hm"}';;
broken) echo 'no model' >&2; exit 3;;
esac
"#;

fn project(answers: &[&str], scorer: &str) -> Harness {
    let example =
        |(i, _): (usize, &&str)| format!("{}\n", json!({"id": format!("e{i}"), "input": "?", "expected": "ok"}));
    let said = |(i, answer): (usize, &&str)| format!("{}\n", json!({"id": format!("e{i}"), "answer": answer}));
    Harness::new()
        .config(format!("evalset = \"s\"\n[candidates.app.replay]\nfile = \"said.jsonl\"\n{scorer}\n"))
        .file("said.jsonl", answers.iter().enumerate().map(said).collect::<String>())
        .file("score.sh", ONCE)
        .evalset("s", &answers.iter().enumerate().map(example).collect::<String>())
}

/// The scores of a run, in the order of the examples: value, passed, status and reason.
fn scores(project: &Harness, record: &Value) -> Vec<(Value, Value, String, String)> {
    project.run(&["baseline", "bless", record["run_id"].as_str().unwrap()]).exit(0);
    let rows = project.read("reports/baseline/s/app/rows.jsonl");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let score = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let score = row.get("score")?;
        Some((score["value"].clone(), score["passed"].clone(), text(&score["status"]), text(&score["reason"])))
    };
    rows.lines().filter_map(score).collect()
}

const COMMAND: &str = "[scorers.tone.command]\nargv = [\"sh\", \"score.sh\"]\npass_at = 0.5";

#[test]
fn a_program_gives_scores_and_what_it_breaks_is_unscored() {
    let answers = ["good", "fair", "bare", "yes", "beyond", "silent", "words", "empty", "broken"];
    let project = project(&answers, COMMAND);
    let record = project.record(&[]);
    assert_eq!(record["failed"], 0);
    let rows = scores(&project, &record);
    assert_eq!(rows.len(), answers.len());
    for ((value, passed, status, reason), (answer, expected, passes, why)) in rows.into_iter().zip([
        ("good", json!(0.9), json!(true), "very good"),
        ("fair", json!(0.4), json!(true), ""),
        ("bare", json!(0.75), json!(true), ""),
        ("yes", json!(1.0), json!(true), ""),
        ("beyond", Value::Null, Value::Null, "the score 7 is outside of 0 to 1; set `scale`"),
        ("silent", Value::Null, Value::Null, "the program printed nothing"),
        ("words", Value::Null, Value::Null, "the output is not JSON"),
        ("empty", Value::Null, Value::Null, "neither `score` nor `passed`"),
        ("broken", Value::Null, Value::Null, "code 3: no model"),
    ]) {
        assert_eq!((value.as_f64(), &passed), (expected.as_f64(), &passes), "{answer}");
        assert_eq!(status, if passes.is_null() { "unscored" } else { "scored" }, "{answer}");
        assert!(reason.contains(why), "{answer}: {reason}");
    }
}

#[test]
fn a_worker_scores_as_the_program_does() {
    let worker = r#"while read -r line; do
call=${line#*\"call\":\"}; call=${call%%\"*}
said=$(printf '%s\n' "$line" | sh score.sh 2>/dev/null) || said='"broken"'
printf '{"call":"%s","output":%s}\n' "$call" "$said"
done
"#;
    let answers = ["good", "fair", "bare", "yes", "beyond"];
    let once = project(&answers, COMMAND);
    let staying = project(&answers, &COMMAND.replace("score.sh\"]", "worker.sh\"]\nworkers = 2\nin_flight = 2"));
    staying.write("worker.sh", worker);
    assert_eq!(scores(&once, &once.record(&[])), scores(&staying, &staying.record(&[])));
}

#[test]
fn a_candidate_that_failed_is_not_shown_to_it() {
    let project = project(&["good", ""], COMMAND);
    let record = project.record(&[]);
    let rows = scores(&project, &record);
    assert_eq!(rows[1].0.as_f64(), Some(0.0));
    assert_eq!((&rows[1].1, rows[1].2.as_str()), (&json!(false), "candidate_error"));
    assert_eq!(project.read("log").lines().count(), 1);
}

#[test]
fn labels_are_kept_and_compared() {
    let script = "read -r line\ncase $line in *good*) echo '{\"label\": \"Ok\"}';; *fair*) echo '\"spam\"';; *) echo '\"new\"';; esac\n";
    let settings = "[scorers.class.command]\nargv = [\"sh\", \"score.sh\"]\nlabels = [\"ok\", \"spam\"]";
    let by_expected = project(&["good", "fair", "other"], settings);
    by_expected.write("score.sh", script);
    let rows = scores(&by_expected, &by_expected.record(&[]));
    let shown: Vec<_> =
        rows.iter().map(|(value, passed, status, _)| (value.as_str(), passed.as_bool(), &status[..])).collect();
    let expected =
        [(Some("ok"), Some(true), "scored"), (Some("spam"), Some(false), "scored"), (None, None, "unscored")];
    assert_eq!(shown, expected);
    let by_name = project(&["good", "fair"], &format!("{settings}\nright = [\"spam\"]"));
    by_name.write("score.sh", script);
    let rows = scores(&by_name, &by_name.record(&[]));
    assert_eq!(rows.iter().map(|row| row.1.as_bool()).collect::<Vec<_>>(), [Some(false), Some(true)]);
}

#[test]
fn another_version_of_the_program_is_another_scorer() {
    for version in ["", "version = { text = \"1\" }", "version = { files = [\"words.txt\"] }"] {
        let project = project(&["good", "fair"], &format!("{COMMAND}\n{version}"));
        project.write("words.txt", "first");
        let run = |project: &Harness| project.record(&[])["path"].as_str().unwrap().to_owned();
        let (first, second) = (run(&project), run(&project));
        project.run(&["compare", &first, &second]).exit(0);
        // More workers, or more patience, is the same scorer.
        let config = project.read("evalgauge.toml");
        project.write("evalgauge.toml", config.replace("pass_at", "timeout = 5\npass_at"));
        project.run(&["compare", &first, &run(&project)]).exit(0);
        project.write("evalgauge.toml", &config);

        project.write("score.sh", format!("# edited\n{ONCE}"));
        project.run(&["compare", &first, &run(&project)]).exit(4).stderr_has("tone");
        project.write("score.sh", ONCE);
        project.run(&["compare", &first, &run(&project)]).exit(0);
        if version.contains("files") {
            project.write("words.txt", "second");
            project.run(&["compare", &first, &run(&project)]).exit(4);
        }
        if version.contains("text") {
            project.write("evalgauge.toml", config.replace("text = \"1\"", "text = \"2\""));
            project.run(&["compare", &first, &run(&project)]).exit(4);
        }
    }
}

#[test]
fn what_a_versioned_program_said_is_kept_until_it_is_edited() {
    let project = project(&["good", "fair"], &format!("{COMMAND}\nversion = {{ text = \"1\" }}"));
    let asked = || project.read("log").lines().count();
    let run = || {
        let mut command = project.command(&["run", "--format", "json"]);
        command.env("EVALGAUGE_CACHE_DIR", project.path("cache"));
        project.finish(command).exit(0);
        asked()
    };
    assert_eq!([run(), run()], [2, 2]);
    project.write("score.sh", format!("# edited\n{ONCE}"));
    assert_eq!(run(), 4);
}

#[test]
fn settings_that_make_no_scorer_are_refused() {
    for (settings, says) in [
        ("version = { git = true }", "every commit would be another scorer"),
        ("pass_at = 2", "outside of the scale"),
        ("scale = { low = 1, high = 1 }", "`low` must be below `high`"),
        ("right = [\"a\"]", "say with `labels`"),
        ("labels = [\"a\"]\nright = [\"b\"]", "none of `labels`"),
        ("labels = [\"a\"]\npass_at = 0.5", "are for scores"),
        ("in_flight = 2", "`in_flight` is for workers"),
        ("output = \"text\"", "unknown key `output`"),
        ("version = { files = [\"none.txt\"] }", "none.txt"),
    ] {
        let scorer = "[scorers.tone.command]\nargv = [\"sh\", \"score.sh\"]";
        let project = project(&["good"], scorer);
        let config = format!("{}{settings}\n", project.read("evalgauge.toml"));
        project.write("evalgauge.toml", config);
        project.run(&["config", "check"]).exit(2).stderr_has(says);
    }
}

/// A service that scores by the length of what it is sent, as long as the test runs.
fn service(calls: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}/score", listener.local_addr().unwrap());
    let serve = move || {
        let mut bodies = Vec::new();
        while bodies.len() < calls {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            let mut buffer = [0; 4096];
            let body = loop {
                let count = stream.read(&mut buffer).unwrap();
                received.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&received).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if Some(body.len()) == length {
                    break body.to_owned();
                }
            };
            let (status, said) = match () {
                () if body.contains("broken") => ("400 Bad Request", "no".to_owned()),
                () if body.contains("good") => ("200 OK", json!({"result": {"score": 1}}).to_string()),
                () => ("200 OK", json!({"result": {"score": 0, "reason": "poor"}}).to_string()),
            };
            let reply = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
                said.len()
            );
            stream.write_all(reply.as_bytes()).unwrap();
            bodies.push(body);
        }
        bodies
    };
    (address, std::thread::spawn(serve))
}

#[test]
fn a_service_scores_what_it_is_sent() {
    for template in [false, true] {
        let (url, served) = service(3);
        let body = if template { "body = \"body.json.j2\"\n" } else { "" };
        let project = project(
            &["good", "bad", "broken"],
            &format!("[scorers.tone.http]\nurl = \"{url}\"\nreply = \"/result\"\n{body}"),
        );
        project.write("body.json.j2", r#"{"inputs": {{ answer | tojson }}, "about": "{{ id }}"}"#);
        let rows = scores(&project, &project.record(&[]));
        let bodies = served.join().unwrap();
        assert_eq!((rows[0].0.as_f64(), &rows[0].1), (Some(1.0), &json!(true)));
        assert_eq!((rows[1].0.as_f64(), &rows[1].1, rows[1].3.as_str()), (Some(0.0), &json!(false), "poor"));
        assert_eq!(rows[2].2, "unscored");
        let sent: Value = serde_json::from_str(bodies.iter().find(|body| body.contains("good")).unwrap()).unwrap();
        let expected = if template {
            json!({"inputs": "good", "about": "e0"})
        } else {
            json!({"id": "e0", "input": "?", "answer": "good", "expected": "ok", "labels": {}})
        };
        assert_eq!(sent, expected);
    }
}

#[test]
fn one_service_by_two_keys_is_refused_unless_they_are_told_apart() {
    let scorer = |name: &str, more: &str| {
        format!("[scorers.{name}.http]\nurl = \"http://127.0.0.1:9/x\"\nkey_env = \"KEY_{name}\"\n{more}")
    };
    let alike = project(&["good"], &(scorer("ours", "") + &scorer("theirs", "")));
    alike.run(&["config", "check"]).exit(2).stderr_has("it differs from scorer `ours` only in its key");
    alike.run(&["run"]).exit(2).stderr_has("scorer `theirs`");
    let apart = project(&["good"], &(scorer("ours", "") + &scorer("theirs", "version = { text = \"theirs\" }\n")));
    let stderr = apart.run(&["config", "check"]).stderr;
    assert!(!stderr.contains("it differs from scorer"), "{stderr}");
}
