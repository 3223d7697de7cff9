//! A head that fails on hard examples is never better for it.

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, announce};

/// Answers right; of the hard examples some wrong. The head hangs on every tenth of these: on as many that it would have
/// right as on those it has wrong.
const APP: &str = r#"read -r line
id=${line#*\"id\":\"}; id=${id%%\"*}
number=${id#?}
while [ "${number#0}" != "$number" ] && [ "$number" != 0 ]; do number=${number#0}; done
answer=right
case $id in h*)
    [ $((number % 10)) = 0 ] && answer=wrong
    if [ "$1" = head ]; then
        case $((number % 20)) in 0 | 1) sleep 1000;; esac
    fi;;
esac
echo "{\"answer\": \"$answer\"}"
"#;

const EACH: usize = 240;

#[test]
fn a_head_that_times_out_on_hard_examples_is_named_on_them_and_never_better() {
    let example = |difficulty: &str, i: usize| {
        let id = format!("{}{i:03}", &difficulty[..1]);
        format!("{}\n", json!({"id": id, "input": "?", "expected": "right", "labels": {"difficulty": difficulty}}))
    };
    let lines = (0..EACH).flat_map(|i| [example("easy", i), example("hard", i)]);
    let candidate = |name: &str| {
        format!(
            "[candidates.{name}.command]\nargv = [\"sh\", \"app.sh\", \"{name}\"]\nanswer = \"/answer\"\ntimeout = 3\n"
        )
    };
    let project = Harness::new()
        .config(format!(
            "evalset = \"s\"\nconcurrency = 16\ncandidate = \"base\"\n{}{}[scorers.right.exact]\n",
            candidate("base"),
            candidate("head")
        ))
        .file("app.sh", APP)
        .evalset("s", &lines.collect::<String>());
    let run = |candidate: &str| project.record(&["--candidate", candidate, "--no-progress"]);
    let (base, head) = (run("base"), run("head"));
    assert_eq!((&base["failed"], &head["failed"]), (&json!(0), &json!(EACH / 10)));

    let folder = |record: &Value| record["path"].as_str().unwrap().to_owned();
    let gate = ["gate", &folder(&base), &folder(&head), "--format", "json", "--as-of", AS_OF, "--margin", "0.01"];
    let verdict = project.run(&gate).exit(1).json();
    let regressed: Vec<&str> = verdict["regressed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(regressed.contains(&"difficulty=hard"), "{regressed:?}");
    assert!(!regressed.contains(&"difficulty=easy"), "{regressed:?}");
    assert_eq!(verdict["improved"].as_array().map_or(0, Vec::len), 0, "{}", verdict["improved"]);

    // The same answers without those that failed: what a harness says that leaves failures out.
    let rate = |record: &Value, with_failures: bool| {
        project.run(&["baseline", "bless", record["run_id"].as_str().unwrap()]).exit(0);
        let name = if folder(record).ends_with("head") { "head" } else { "base" };
        let rows = project.read(&format!("reports/baseline/s/{name}/rows.jsonl"));
        let (mut is_hard, mut hard) = (false, Vec::new());
        for line in rows.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            if let Some(sample) = row.get("sample") {
                is_hard = sample["id"].as_str().unwrap().starts_with('h');
            }
            let score = row.get("score").filter(|score| with_failures || score["status"] != "candidate_error");
            hard.extend(score.filter(|_| is_hard).map(|score| score["passed"] == true));
        }
        let passed = hard.iter().filter(|passed| **passed).count();
        passed as f64 / hard.len() as f64
    };
    let (before, counted, dropped) = (rate(&base, true), rate(&head, true), rate(&head, false));
    announce(&format!(
        "difficulty=hard: {before:.3} before, {counted:.3} with the time-outs as failures, {dropped:.3} without them"
    ));
    assert!(counted < before && before < dropped, "{before} {counted} {dropped}");
}
