//! `judge audit`: a bias is found in the judge into which it was planted, and in no other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::project::{COMPARE, PROMPT, Project};
use crate::server::{Asked, Say, Server};

const GRADE: &str = "kind = \"grade\"";
const SCALE: &str = "[scale]\nvalues = [0, 1, 2, 3]";
const ITEMS: usize = 24;

/// The quality of an answer that a fair judge sees: how many of these facts it names.
fn facts(text: &str) -> u64 {
    ["disk", "deploy", "rollback"].iter().filter(|fact| text.contains(**fact)).count() as u64
}

fn grade(grade: u64) -> Say {
    Say::json(&json!({"reasoning": "r", "grade": grade.min(3)}))
}

/// Answers of none to two facts; the last word makes each different.
fn answer(at: usize) -> String {
    let says = ["Nothing is known.", "The disk is full.", "The disk is full after the deploy."][at % 3];
    format!("{says} This is case number {at}.")
}

fn project(server: &Server, kind: &str) -> Project {
    let project = Project::new(&["x"], "[scorers.right.exact]\nexpected = \"/fact\"\n");
    let (tail, prompt) = if kind == GRADE { (SCALE, PROMPT) } else { ("", COMPARE) };
    project.judge("j", &server.base_url(), kind, tail, prompt);
    let lines: Vec<String> = (0..ITEMS)
        .map(|at| json!({"id": format!("i{at}"), "input": "why?", "answer": answer(at), "other": answer(at + 1)}))
        .map(|item| item.to_string())
        .collect();
    project.write("judges/j/items.jsonl", &lines.join("\n"));
    project
}

/// Experiment → outcome, of the last line of each.
fn outcomes(audit: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = audit["experiments"].as_array().unwrap();
    lines.iter().map(|line| (text(&line["experiment"]), text(&line["outcome"]))).collect()
}

fn line<'a>(audit: &'a Value, experiment: &str) -> &'a Value {
    audit["experiments"].as_array().unwrap().iter().rfind(|line| line["experiment"] == experiment).unwrap()
}

#[track_caller]
fn only_found(audit: &Value, found: &[&str]) {
    let outcomes = outcomes(audit);
    for experiment in ["position", "length", "format", "verbosity", "tone", "noise"] {
        let outcome = &outcomes[experiment];
        assert_eq!(outcome == "found", found.contains(&experiment), "{experiment}: {outcome}\n{audit:#}");
    }
    // Whatever has a number has an interval around it that is not a point.
    for line in audit["experiments"].as_array().unwrap().iter().filter(|line| line["outcome"] != "not-measured") {
        let end = |name: &str| line["interval"][name].as_f64().unwrap();
        let effect = line["effect"].as_f64().unwrap();
        assert!(end("low") < end("high") && end("low") <= effect && effect <= end("high"), "{line:#}");
    }
}

#[test]
fn a_fair_judge_has_no_bias() {
    let server = Server::start(|asked| grade(facts(asked.block("ANSWER"))));
    let project = project(&server, GRADE);
    let audit = project.json(0, &["judge", "audit", "j"]);
    only_found(&audit, &[]);
    assert_eq!(line(&audit, "position")["outcome"], "not-measured");
    assert_eq!((&line(&audit, "length")["n"], &line(&audit, "length")["effect"]), (&json!(ITEMS), &json!(0.0)));
    // Plain, five forms, and two more times: each is asked once, and a second audit asks nobody.
    assert_eq!((server.count(), &audit["took"]["calls"]), (ITEMS * 8, &json!(ITEMS * 8)));
    let again = project.json(0, &["judge", "audit", "j", "--cache", "ro"]);
    assert_eq!((server.count(), &again["experiments"]), (ITEMS * 8, &audit["experiments"]));
    let server = Server::start(|asked| {
        let (first, second) = (facts(asked.block("FIRST")), facts(asked.block("SECOND")));
        let winner = match first.cmp(&second) {
            std::cmp::Ordering::Equal => "tie",
            std::cmp::Ordering::Greater => "A",
            std::cmp::Ordering::Less => "B",
        };
        Say::json(&json!({"reasoning": "r", "winner": winner}))
    });
    let audit = crate::audit::project(&server, "kind = \"pairwise\"").json(0, &["judge", "audit", "j"]);
    only_found(&audit, &[]);
    assert_eq!(outcomes(&audit)["position"], "not-found");
}

#[test]
fn each_planted_bias_is_found_where_it_is() {
    type Bias = fn(&str) -> bool;
    let planted: [(&str, Bias); 3] = [
        ("format", |text| text.starts_with("- ")),
        ("verbosity", |text| text.contains("comes to its end")),
        ("tone", |text| text.contains("absolutely sure")),
    ];
    for (experiment, is_swayed) in planted {
        let server = Server::start(move |asked| {
            let text = asked.block("ANSWER");
            grade(facts(text) + u64::from(is_swayed(text)))
        });
        let audit = project(&server, GRADE).json(0, &["judge", "audit", "j", "--repeats", "2"]);
        only_found(&audit, &[experiment]);
        assert_eq!(line(&audit, experiment)["up"], ITEMS, "{experiment}");
    }
}

#[test]
fn a_judge_that_counts_letters_prefers_length() {
    // A wordy frame is long as well; both tones are equally so.
    let length = |text: &str| u64::from(text.len() > 150);
    let server = Server::start(move |asked| {
        let text = asked.block("ANSWER");
        grade(facts(text) + length(text))
    });
    let alone = project(&server, GRADE);
    only_found(&alone.json(0, &["judge", "audit", "j"]), &["length", "verbosity"]);
    let text = alone.ok(&["judge", "audit", "j", "--only", "length"]);
    assert!(text.contains("adding filler raises the grade by 1 of 3 (95 % "), "{text}");
    assert!(text.contains("n = 24): length sways this judge") && text.contains("FOUND"), "{text}");
    let table = alone.ok(&["judge", "audit", "j", "--only", "length,tone", "--format", "md"]);
    assert!(
        table.contains("| length | change of the grade | 24 | 1.00 | ") && table.contains("| **found** |"),
        "{table}"
    );
    let server = Server::start(|asked| {
        let longer = asked.block("FIRST").len().cmp(&asked.block("SECOND").len());
        let winner = match longer {
            std::cmp::Ordering::Less => "B",
            std::cmp::Ordering::Equal => "tie",
            std::cmp::Ordering::Greater => "A",
        };
        Say::json(&json!({"reasoning": "r", "winner": winner}))
    });
    let audit =
        project(&server, "kind = \"pairwise\"").json(0, &["judge", "audit", "j", "--only", "length,tone,position"]);
    let found = outcomes(&audit);
    assert_eq!((&*found["length"], &*found["tone"], &*found["position"]), ("found", "not-found", "not-found"));
    assert_eq!((&line(&audit, "length")["up"], &line(&audit, "length")["effect"]), (&json!(ITEMS), &json!(1.0)));
}

#[test]
fn a_judge_that_takes_the_first_is_found_out() {
    let server = Server::start(|_| Say::json(&json!({"reasoning": "r", "winner": "A"})));
    let audit = project(&server, "kind = \"pairwise\"").json(0, &["judge", "audit", "j"]);
    only_found(&audit, &["position"]);
    let flips = &audit["experiments"][0];
    assert_eq!(
        (&flips["measure"], &flips["effect"], &flips["up"]),
        (&json!("share of flips"), &json!(1.0), &json!(ITEMS))
    );
    assert_eq!(line(&audit, "position")["effect"], 1.0);
    let server = Server::start(|_| Say::json(&json!({"reasoning": "r", "winner": "B"})));
    let audit = project(&server, "kind = \"pairwise\"").json(0, &["judge", "audit", "j", "--only", "position"]);
    assert_eq!(
        (line(&audit, "position")["effect"].as_f64(), outcomes(&audit)["position"].as_str()),
        (Some(-1.0), "found")
    );
}

#[test]
fn a_judge_that_changes_its_mind_is_noisy() {
    let seen: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let server = Server::start(move |asked: &Asked| {
        let text = asked.block("ANSWER").to_owned();
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(text.clone()).or_default();
        *times += 1;
        // Every third item gets one more the second time.
        grade(facts(&text) + u64::from(*times == 2 && facts(&text) == 1))
    });
    let project = project(&server, GRADE);
    let audit = project.json(0, &["judge", "audit", "j", "--repeats", "4"]);
    only_found(&audit, &["noise"]);
    let noise = line(&audit, "noise");
    assert!((noise["effect"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6, "{noise}");
    // Of four grades one is off by 1: variance .25; in a third of the items.
    assert!((noise["sd"].as_f64().unwrap() - f64::sqrt(0.25 / 3.0)).abs() < 1e-5, "{noise}");
    assert!(noise["sd_interval"]["low"].as_f64() < noise["sd_interval"]["high"].as_f64());
}

#[test]
fn own_family_is_compared_beside_human_labels() {
    let server = Server::start(|asked| {
        let text = asked.block("ANSWER");
        grade(facts(text) + u64::from(text.contains("own work")))
    });
    let project = project(&server, GRADE);
    let audit = |arguments: &[&str]| {
        let all = [&["judge", "audit", "j", "--only", "self-preference"], arguments].concat();
        let (_, stdout, _) = project.run(&[&all[..], &["--format", "json"]].concat());
        let audit: Value = serde_json::from_str(&stdout).unwrap();
        line(&audit, "self-preference").clone()
    };
    assert!(audit(&[])["sentence"].as_str().unwrap().contains("family of the judge's model `j-model-2026-01-01`"));
    let says_nothing = audit(&["--family", "gpt"]);
    assert!(says_nothing["sentence"].as_str().unwrap().contains("no item says who wrote"), "{says_nothing}");
    let mut items = String::new();
    let mut labels = String::new();
    for at in 0..40 {
        let own = at % 2 == 0;
        let text = format!("{} {}", answer(at), if own { "own work" } else { "" });
        let model = if own { "gpt-4o-mini-2024-07-18" } else { "claude-opus-4-1-20250805" };
        let id = format!("i{at}");
        items += &(json!({"id": id, "answer": text, "labels": {"model": model}}).to_string() + "\n");
        for (rater, more) in [("r1", 0), ("r2", u64::from(at % 5 == 0))] {
            // The second rater is kinder to some, as often of one family as of the other.
            let label = facts(&text) + more;
            let row = json!({"id": id, "rater": rater, "kind": "human", "dimension": "overall", "label": label});
            labels += &(row.to_string() + "\n");
        }
    }
    project.write("judges/j/items.jsonl", &items);
    let unlabelled = audit(&["--family", "gpt"]);
    assert_eq!(unlabelled["outcome"], "not-measured");
    assert!(unlabelled["sentence"].as_str().unwrap().contains("no human labels"), "{unlabelled}");
    // Stand-ins are no people: they may prefer a family too.
    project.write("judges/j/labels/a.jsonl", &labels.replace("\"human\"", "\"stand-in\""));
    let by_stand_ins = audit(&["--family", "gpt"]);
    assert_eq!(by_stand_ins["outcome"], "not-measured");
    assert!(by_stand_ins["sentence"].as_str().unwrap().contains("only labels of stand-ins"), "{by_stand_ins}");
    // Beside people they count for nothing.
    let kinder = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        (row["rater"], row["kind"], row["label"]) = (json!("s"), json!("stand-in"), json!(3));
        row.to_string()
    };
    let rest: Vec<String> = labels.lines().filter(|line| line.contains("\"r1\"")).map(kinder).collect();
    let both = format!("{labels}{}\n", rest.join("\n"));
    project.write("judges/j/labels/a.jsonl", &both);
    let found = audit(&["--family", "gpt"]);
    assert_eq!(
        (&found["outcome"], &found["effect"], &found["n"]),
        (&json!("found"), &json!(1.0), &json!(40)),
        "{found}"
    );
    // Seen from another family it is the other way round.
    assert_eq!(audit(&["--family", "claude"])["effect"], -1.0);
}

#[test]
fn only_the_prose_of_json_is_varied_and_the_rest_is_left_out() {
    let server = Server::start(|asked| {
        let answer: Value = serde_json::from_str(asked.block("ANSWER")).unwrap();
        assert_eq!(answer["team"], "db");
        grade(facts(answer["why"].as_str().unwrap()))
    });
    let project = project(&server, GRADE);
    let items: Vec<String> = (0..ITEMS)
        .map(|at| {
            let why = if at < 4 { String::new() } else { answer(at) };
            json!({"id": format!("i{at}"), "answer": {"team": "db", "why": why, "sure": true}}).to_string()
        })
        .collect();
    project.write("other.jsonl", &items.join("\n"));
    let audit = project.json(0, &["judge", "audit", "j", "--items", "other.jsonl"]);
    only_found(&audit, &[]);
    assert_eq!((&line(&audit, "tone")["n"], &line(&audit, "tone")["left_out"]), (&json!(20), &json!(4)));
}

#[test]
fn too_little_is_said_and_is_no_interval() {
    let server = Server::start(|asked| grade(facts(asked.block("ANSWER"))));
    let project = project(&server, GRADE);
    let audit = project.json(4, &["judge", "audit", "j", "--limit", "9"]);
    assert_eq!(audit["items"], 9);
    for line in audit["experiments"].as_array().unwrap() {
        assert_eq!((&line["outcome"], &line["interval"]), (&json!("not-measured"), &Value::Null), "{line}");
    }
    assert!(line(&audit, "length")["sentence"].as_str().unwrap().contains("too few items: 9"), "{audit}");
    // The same ones are drawn each time.
    let count = server.count();
    project.json(4, &["judge", "audit", "j", "--limit", "9"]);
    assert_eq!(server.count(), count);
    std::fs::remove_file(project.path().join("judges/j/items.jsonl")).unwrap();
    let (_, stderr) = project.exits(2, &["judge", "audit", "j"]);
    assert!(stderr.contains("has no items to audit it on") && stderr.contains("--items"), "{stderr}");
    for wrong in [["--only", "lenght"], ["--limit", "0"], ["--repeats", "1"], ["--confidence", "1"], ["--items", "no"]]
    {
        project.exits(2, &[&["judge", "audit", "j"], &wrong[..]].concat());
    }
}

#[test]
fn a_judge_that_cannot_be_read_gives_no_numbers() {
    let server = Server::start(|_| Say::Text("I would rather not.".to_owned()));
    let audit = project(&server, GRADE).json(4, &["judge", "audit", "j", "--only", "length,noise"]);
    assert_eq!((&line(&audit, "length")["n"], &line(&audit, "length")["left_out"]), (&json!(0), &json!(ITEMS)));
}
