//! One grade, rubrics, comparisons, panels, repeats.

use serde_json::{Value, json};

use crate::project::{COMPARE, PROMPT, Project};
use crate::server::{Asked, Say, Server};

const GRADE: &str = "kind = \"grade\"";
const SCALE: &str = "[scale]\nvalues = [1, 2, 3, 4, 5]";
const SCORER: &str = "[scorers.quality.judge]\njudge = \"j\"\n";

/// The digit at the end of the answer is its grade.
fn last_digit(asked: &Asked) -> u64 {
    u64::from(asked.block("ANSWER").chars().next_back().unwrap().to_digit(10).unwrap())
}

#[test]
fn a_grade_is_read_however_it_is_written() {
    let server = Server::start(|asked| {
        let grade = last_digit(asked);
        Say::Text(match grade {
            1 => r#"{"reasoning": "weak", "grade": 1}"#.to_owned(),
            2 => "Here:\n```json\n{\"reasoning\": \"so so\", \"grade\": \"2/5\"}\n```".to_owned(),
            3 => "I think it is fair.\n**Grade: 3**".to_owned(),
            _ => format!(r#"{{"grade": {grade}.0, "reasoning": "good"}}"#),
        })
    });
    let project = Project::new(&["a1", "a2", "a3", "a4", "a5"], SCORER);
    project.judge("j", &server.base_url(), GRADE, SCALE, PROMPT);
    let run = project.json(0, &["run"]);
    assert_eq!(project.values(), [1.0, 2.0, 3.0, 4.0, 5.0].map(Value::from));
    let passed: Vec<Value> = project.scores().iter().map(|(_, score)| score["passed"].clone()).collect();
    // The upper half of five grades is 4 and 5.
    assert_eq!(passed, [false, false, false, true, true].map(Value::from));
    assert_eq!(run["metrics"][0]["value"], 3.0);
    assert_eq!(run["judging"]["calls"], 5);
    // Reasons first, by schema, and only the offered grades.
    let body = &server.asked()[0].body;
    let schema = &body["response_format"]["json_schema"]["schema"];
    assert_eq!(schema["required"], json!(["reasoning", "grade"]));
    assert_eq!(schema["properties"]["grade"]["enum"], json!([1, 2, 3, 4, 5]));
    let reason = project.scores()[0].1["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "weak");
}

#[test]
fn labels_are_graded_and_pass_from_the_last() {
    let server = Server::start(|asked| {
        let said = if asked.block("ANSWER") == "good" { "PASS" } else { "fail" };
        Say::json(&json!({"reasoning": "r", "grade": said}))
    });
    let project = Project::new(&["good", "bad"], SCORER);
    project.judge("j", &server.base_url(), GRADE, "[scale]\nvalues = [\"fail\", \"pass\"]", PROMPT);
    let run = project.json(0, &["run"]);
    assert_eq!(project.values(), [json!(true), json!(false)]);
    assert_eq!(run["metrics"][0]["value"], 0.5);
}

const RUBRIC: &str = "[scale]\nvalues = [0, 1, 2]\n\
    [[dimension]]\nname = \"depth\"\nabout = \"how deep\"\n[[dimension]]\nname = \"truth\"\nabout = \"how true\"\n";

#[test]
fn a_rubric_gives_a_part_a_dimension_and_the_whole() {
    for (overall, whole) in [("mean", 1.5), ("min", 1.0), ("asked", 0.0)] {
        let server = Server::start(|_| Say::json(&json!({"reasoning": "r", "depth": 2, "truth": 1, "overall": 0})));
        let project = Project::new(&["x"], SCORER);
        project.judge("j", &server.base_url(), &format!("kind = \"rubric\"\noverall = \"{overall}\""), RUBRIC, PROMPT);
        project.ok(&["run"]);
        let scores = project.scores();
        let parts: Vec<(&str, f64)> = scores
            .iter()
            .map(|(_, score)| (score["part"].as_str().unwrap(), score["value"].as_f64().unwrap()))
            .collect();
        assert_eq!(parts, [("", whole), ("depth", 2.0), ("truth", 1.0)], "{overall}");
        // One dimension alone is the whole of its scorer.
        project.settings("[scorers.quality.judge]\njudge = \"j\"\ndimension = \"truth\"\npass_at = 2\n");
        project.ok(&["run"]);
        let score = &project.scores()[0].1;
        assert_eq!((&score["part"], &score["value"], &score["passed"]), (&json!(""), &json!(1.0), &json!(false)));
    }
}

#[test]
fn a_reference_is_shown_where_it_is_asked_for_and_missed_where_it_is_not_there() {
    let server = Server::start(|asked| {
        let right = asked.block("REFERENCE") == "f0";
        Say::json(&json!({"reasoning": "r", "grade": if right { 5 } else { 1 }}))
    });
    let prompt = "{{ input }}\n{{ reference }}\n{{ answer }}\n{{ form }}\n";
    let project = Project::new(&["x"], "[scorers.quality.judge]\njudge = \"j\"\nreference = \"/fact\"\n");
    project.judge("j", &server.base_url(), "kind = \"grade\"\nreference = true", SCALE, prompt);
    project.ok(&["run"]);
    assert_eq!(project.values(), [json!(5.0)]);
    project.settings("[scorers.quality.judge]\njudge = \"j\"\nreference = \"/elsewhere\"\n");
    project.ok(&["run"]);
    let score = &project.scores()[0].1;
    assert_eq!((&score["status"], &score["value"]), (&json!("unscored"), &Value::Null));
    assert!(score["reason"].as_str().unwrap().contains("/elsewhere"));
}

/// Says that the first answer is better, whatever it is, unless one of them is `best`.
fn position_biased(asked: &Asked) -> Say {
    let winner = match (asked.block("FIRST"), asked.block("SECOND")) {
        (_, "best") => "B",
        _ => "A",
    };
    Say::json(&json!({"reasoning": "r", "winner": winner}))
}

#[test]
fn a_comparison_is_asked_both_ways_and_a_flip_is_a_tie() {
    let server = Server::start(position_biased);
    let project = Project::new(&["one", "best", "same", "three"], SCORER);
    project.judge("j", &server.base_url(), "kind = \"pairwise\"", "", COMPARE);
    project.answers("other", &["two", "poor", "same", "best"]);
    let candidate = "[candidates.other.replay]\nfile = \"other.jsonl\"\n";
    project.settings(&format!("{SCORER}{candidate}"));
    let (_, stderr) = project.exits(0, &["run", "--candidate", "other"]);
    assert!(stderr.contains("there is no baseline to compare with"), "{stderr}");
    // Compared with itself, nobody is asked and everything is a tie.
    assert_eq!(server.count(), 0);
    project.ok(&["baseline", "bless", "latest"]);
    let run = project.json(0, &["run", "--candidate", "app", "--against", "reports/baseline/qs/other"]);
    // Equal answers are a tie without a question; the others are asked both ways.
    assert_eq!(server.count(), 6);
    let scores = project.scores();
    let values: Vec<i64> = scores.iter().map(|(_, score)| score["value"]["preference"].as_i64().unwrap()).collect();
    assert_eq!(values, [0, 1, 0, -1]);
    assert_eq!(scores[0].1["marks"], json!(["flip"]));
    assert!(scores[0].1["reason"].as_str().unwrap().starts_with("[flip: in 1 of 1"), "{}", scores[0].1);
    let sum = &run["judging"]["scorers"]["quality"];
    assert_eq!((&sum["judged"], &sum["flips"], &sum["flip_rate"]), (&json!(4), &json!(1), &json!(0.25)));
    let text = project.ok(&["run", "--candidate", "app", "--against", "reports/baseline/qs/other"]);
    assert!(text.contains("1 flips (noise floor 25.0 %)"), "{text}");
}

#[test]
fn against_a_failed_answer_there_is_no_question() {
    let server = Server::start(position_biased);
    let project = Project::new(&["one", "two"], SCORER);
    project.judge("j", &server.base_url(), "kind = \"pairwise\"", "", COMPARE);
    project.write("other.jsonl", "{\"id\": \"e00\", \"answer\": \"\"}\n{\"id\": \"e01\", \"answer\": \"x\"}\n");
    project.settings(&format!("{SCORER}[candidates.other.replay]\nfile = \"other.jsonl\"\n"));
    project.ok(&["run", "--candidate", "other"]);
    project.ok(&["baseline", "bless", "latest"]);
    project.write("app.jsonl", "{\"id\": \"e00\", \"answer\": \"one\"}\n{\"id\": \"e01\", \"answer\": \"\"}\n");
    project.ok(&["run", "--against", "reports/baseline/qs/other"]);
    let values: Vec<Value> = project.values().iter().map(|value| value["preference"].clone()).collect();
    assert_eq!(values, [json!(1), json!(-1)]);
    assert_eq!(server.count(), 0);
}

#[test]
fn a_panel_is_the_median_of_its_members_and_keeps_what_they_disagree_about() {
    let answer = |grade: u64| Server::start(move |_| Say::json(&json!({"reasoning": "r", "grade": grade})));
    let servers = [answer(1), answer(4), answer(5)];
    let project = Project::new(&["x"], SCORER);
    for (name, server) in ["m1", "m2", "m3"].iter().zip(&servers) {
        project.judge(name, &server.base_url(), GRADE, SCALE, PROMPT);
    }
    project.write("judges/j/judge.toml", "kind = \"panel\"\nmembers = [\"m1\", \"m2\", \"m3\"]\n");
    let run = project.json(0, &["run"]);
    let score = &project.scores()[0].1;
    assert_eq!(score["value"], 4.0);
    assert_eq!(score["marks"], json!(["split"]));
    assert!(score["reason"].as_str().unwrap().contains("overall: m1 1, m2 4, m3 5"), "{score}");
    assert_eq!(run["judging"]["scorers"]["quality"]["split"], 1);
    assert_eq!(run["judging"]["calls"], 3);
    project.write("judges/j/judge.toml", "kind = \"panel\"\ncombine = \"majority\"\nmembers = [\"m2\", \"m3\"]\n");
    project.ok(&["run"]);
    assert_eq!(project.values(), [json!(4.0)]);
    // Members that grade other things make no panel.
    project.judge("m3", &servers[2].base_url(), GRADE, "[scale]\nvalues = [0, 1]", PROMPT);
    let (_, stderr) = project.exits(2, &["run"]);
    assert!(stderr.contains("do not grade the same dimensions on one scale"), "{stderr}");
}

#[test]
fn repeats_are_separate_calls_and_the_median_counts() {
    let server = Server::start({
        let asked = std::sync::atomic::AtomicU64::new(0);
        move |_| {
            let grade = [5, 1, 2][asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) as usize % 3];
            Say::json(&json!({"reasoning": "r", "grade": grade}))
        }
    });
    let project = Project::new(&["x"], SCORER);
    project.judge("j", &server.base_url(), "kind = \"grade\"\nrepeats = 3", SCALE, PROMPT);
    project.ok(&["run"]);
    assert_eq!((project.values(), server.count()), (vec![json!(2.0)], 3));
    // Each repeat is kept for itself.
    project.ok(&["run", "--cache", "ro"]);
    assert_eq!((project.values(), server.count()), (vec![json!(2.0)], 3));
}

#[test]
fn in_a_gate_the_preference_is_the_change() {
    // The better answer is the one with the higher digit at its end.
    let server = Server::start(|asked| {
        let rank = |block: &str| asked.block(block).chars().next_back().unwrap();
        let winner = match rank("FIRST").cmp(&rank("SECOND")) {
            std::cmp::Ordering::Greater => "A",
            std::cmp::Ordering::Less => "B",
            std::cmp::Ordering::Equal => "tie",
        };
        Say::json(&json!({"reasoning": "r", "winner": winner}))
    });
    let answers = |version: u8| (0..30).map(|at| format!("answer {at} v{version}")).collect::<Vec<_>>();
    let texts = |answers: &[String]| answers.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let first = texts(&answers(5));
    let project = Project::new(&first.iter().map(String::as_str).collect::<Vec<_>>(), SCORER);
    project.judge("j", &server.base_url(), "kind = \"pairwise\"", "", COMPARE);
    let set = |version: u8| {
        let all = answers(version);
        project.answers("app", &all.iter().map(String::as_str).collect::<Vec<_>>());
    };
    project.ok(&["run"]);
    project.ok(&["baseline", "bless", "latest"]);
    // `compare` needs no licence, which a judge without labels has not.
    let delta = || {
        project.ok(&["run"]);
        let comparison = project.json(0, &["compare", "reports/baseline/qs/app", "latest"]);
        let cell =
            comparison["cells"].as_array().unwrap().iter().find(|cell| cell["slice"] == "overall").unwrap().clone();
        cell["delta"].as_f64().unwrap()
    };
    // Every answer is better: the change is the mean preference.
    set(7);
    assert_eq!(delta(), 1.0);
    project.ok(&["baseline", "bless", "latest"]);
    // The new baseline won everywhere against the old one; a head as good as it has not fallen by that.
    assert_eq!(delta(), 0.0);
    set(6);
    assert_eq!(delta(), -1.0);
    let (stdout, _) = project.exits(4, &["check", "--as-of", "2026-11-21"]);
    assert!(stdout.contains("`evalgauge calibrate j`"), "{stdout}");
    // Compared with some other record, its preferences say nothing about this baseline.
    project.ok(&["run"]);
    set(5);
    project.ok(&["run", "--against", "latest"]);
    let (_, stderr) = project.exits(4, &["compare", "reports/baseline/qs/app", "latest"]);
    assert!(stderr.contains("was not compared with the answers of this baseline"), "{stderr}");
}
