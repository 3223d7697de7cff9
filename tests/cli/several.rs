//! `compare` with several candidates: the published figures, who may replace whom, and what is refused.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, announce, csv, testdata};

/// Equal to the six significant digits that the program prints.
#[track_caller]
fn same_six(ours: &Value, theirs: &Value, what: &str) {
    let (Some(ours), Some(theirs)) = (ours.as_f64(), theirs.as_f64()) else { panic!("{what}: {ours}, {theirs}") };
    assert!((ours - theirs).abs() <= 5.001e-6 * theirs.abs(), "{what} is {ours}, expected {theirs}");
}

const MODELS: [&str; 4] = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"];

/// All four models on the grade-school problems.
fn four_models(folder: &Path, more: &[&str]) -> Value {
    let file = folder.join("correct.csv");
    let columns: Vec<&str> = MODELS.iter().flat_map(|model| ["--column", *model]).collect();
    let fixed = ["compare", file.to_str().unwrap(), "--slice", "steps_slice", "--format", "json"];
    Harness::new().run(&[&fixed[..], &columns, more].concat()).exit(0).json()
}

#[test]
fn four_models_are_those_of_the_reference() {
    let Some(folder) = testdata("gsm8k-solutions", "four models of gsm8k") else { return };
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("reference.json")).unwrap()).unwrap();
    let result = four_models(&folder, &["--interval", "wald"]);
    let metric = &result["metrics"][0];
    same_six(&metric["omnibus"]["statistic"], &json!(525.395), "Cochran's Q");
    assert_eq!((&metric["omnibus"]["test"], &metric["omnibus"]["df"]), (&json!("cochran-q"), &json!(3)));

    let pairs = metric["pairs"].as_array().unwrap();
    let theirs = reference["pairs"].as_object().unwrap();
    assert_eq!((pairs.len(), theirs.len()), (6, 6));
    let place = |model: &str| json!(MODELS.iter().position(|known| *known == model).unwrap());
    for (name, pair) in theirs {
        let (base, new) = name.split_once("->").unwrap();
        let ours = pairs.iter().find(|ours| ours["first"] == place(base) && ours["second"] == place(new)).unwrap();
        same_six(&ours["delta"], &pair["diff_new_minus_base"], name);
        same_six(&ours["p"], &pair["mcnemar_exact_p"], name);
        same_six(&ours["ci"]["low"], &pair["paired_wald95"][0], name);
        same_six(&ours["ci"]["high"], &pair["paired_wald95"][1], name);
        assert_eq!((&ours["test"], &ours["n"]), (&json!("mcnemar-exact"), &pair["n"]));
        assert_eq!((&ours["wins"], &ours["losses"]), (&pair["only_new"], &pair["only_base"]), "{name}");
        let ties = pair["both"].as_u64().unwrap() + pair["neither"].as_u64().unwrap();
        assert_eq!(ours["ties"], json!(ties), "{name}");
        assert_eq!(ours["differs"], true, "{name}: the largest of them is .0032");
    }
    for row in metric["table"].as_array().unwrap() {
        let model = MODELS[row["candidate"].as_u64().unwrap() as usize];
        let accuracy = &reference["accuracy"][model];
        same_six(&row["value"], &accuracy["accuracy"], model);
        same_six(&row["ci"]["low"], &accuracy["wilson95"][0], model);
        same_six(&row["ci"]["high"], &accuracy["wilson95"][1], model);
    }
    assert_eq!(metric["table"][0]["candidate"], place("175b_verification"));
    assert_eq!(metric["slices"].as_array().unwrap().len(), 6);
}

#[test]
fn pairs_are_those_of_two_alone() {
    let Some(folder) = testdata("gsm8k-solutions", "pairs as of two alone") else { return };
    let several = four_models(&folder, &[]);
    let file = folder.join("correct.csv");
    let file = file.to_str().unwrap();
    let two = ["compare", file, file, "--base-score", MODELS[1], "--head-score", MODELS[2], "--format", "json"];
    let two = Harness::new().run(&two).exit(0).json();
    let pairs = several["metrics"][0]["pairs"].as_array().unwrap();
    let pair = pairs.iter().find(|pair| pair["first"] == 1 && pair["second"] == 2).unwrap();
    for (ours, theirs) in [("delta", "delta"), ("ci", "ci"), ("p", "mcnemar_exact"), ("n", "n"), ("method", "method")] {
        assert_eq!(pair[ours], two["cells"][0][theirs], "{ours}");
    }
    // The larger model is worse: it may not be said to be able to replace the smaller.
    let name = |model: &str| format!("{file}:{model}");
    let (base, worse, better) = (name(MODELS[1]), name(MODELS[2]), name(MODELS[3]));
    let asked = ["compare", &base, &worse, &better, "--format", "json"];
    let answers = Harness::new().run(&asked).exit(0).json()["replace"]["answers"].clone();
    assert_eq!((&answers[0]["answer"], &answers[1]["answer"]), (&json!("not-shown"), &json!("may")), "{answers}");
}

#[test]
fn clusters_are_those_of_stats_mean() {
    let Some(folder) = testdata("tau-airline", "clusters of tau-airline") else { return };
    let file = folder.join("trials.csv");
    let file = file.to_str().unwrap();
    let project = Harness::new();
    project
        .run(&["stats", "mean", file, "--group", "task_id", "--score", "success"])
        .exit(0)
        .stdout_has("clusters         50")
        .stdout_has("se               0.0522162");
    // Mean ± t(49) × SE of 50 clusters; of 200 independent trials the half width would be .069.
    let half = 2.009_575 * 0.052_216_2;
    let interval = |ci: &Value| {
        let [low, high] = ["low", "high"].map(|end| ci[end].as_f64().unwrap());
        assert!((low - (0.42 - half)).abs() < 1e-5 && (high - (0.42 + half)).abs() < 1e-5, "{ci}");
    };
    let columns = ["--id", "task_id", "--score", "success", "--format", "json"];
    let several = project.run(&[&["compare", file, file, file], &columns[..]].concat()).exit(0).json();
    assert_eq!(several["metrics"][0]["blocks"], 50);
    several["metrics"][0]["table"].as_array().unwrap().iter().for_each(|row| interval(&row["ci"]));
    let two = project.run(&[&["compare", file, file], &columns[..]].concat()).exit(0).json();
    interval(&two["cells"][0]["head_ci"]);
    let gate = [&["gate", file, file, "--as-of", AS_OF], &columns[..]].concat();
    assert_eq!(project.run(&gate).exit(0).json()["cells"][0]["blocks"], 50);
}

/// A table of candidates: `passes(candidate, example)`, with a label and a group of five.
fn table(candidates: usize, examples: usize, passes: impl Fn(usize, usize) -> bool) -> String {
    let names: String = (0..candidates).map(|candidate| format!(",c{candidate}")).collect();
    let rows = (0..examples).map(|i| {
        let mut row = format!("e{i:04},{},{},{}", i % 3, ["dev", "test"][usize::from(i % 4 == 0)], i / 5);
        (0..candidates).for_each(|candidate| {
            let _ = write!(row, ",{}", u8::from(passes(candidate, i)));
        });
        row
    });
    csv(&format!("id,topic,split,block{names}"), rows)
}

/// A number that looks random, below `below`.
fn mixed(seed: usize, below: usize) -> usize {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as usize % below
}

fn columns(candidates: usize) -> Vec<String> {
    (0..candidates).flat_map(|candidate| ["--column".to_owned(), format!("c{candidate}")]).collect()
}

fn run(project: &Harness, candidates: usize, more: &[&str]) -> crate::harness::Outcome {
    let columns = columns(candidates);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    project.run(&[&["compare", "t.csv"], &columns[..], more].concat())
}

#[test]
fn threads_and_the_order_of_rows_change_nothing() {
    let text = table(6, 300, |candidate, i| mixed(i * 31 + candidate, 100) < 60 + 4 * candidate);
    let reversed: Vec<&str> =
        text.lines().take(1).chain(text.lines().skip(1).collect::<Vec<_>>().into_iter().rev()).collect();
    let project = Harness::new().table("t.csv", &text);
    let form = |threads: &str, form: &str| {
        let more = ["--slice", "topic", "--slice", "split", "-j", threads, "-f", form, "--holdout", "0.3"];
        run(&project, 6, &more).exit(0).stdout
    };
    for shape in ["json", "text", "md", "html"] {
        assert_eq!(form("1", shape), form("4", shape), "{shape}");
    }
    let without_digest =
        |text: String| text.lines().filter(|line| !line.contains("sha256")).map(str::to_owned).collect::<Vec<_>>();
    let before = form("2", "json");
    project.write("t.csv", reversed.join("\n"));
    assert_eq!(without_digest(before), without_digest(form("2", "json")));
}

#[test]
fn groups_make_blocks_and_a_permutation_takes_the_place_of_q() {
    let project = Harness::new().table("t.csv", table(3, 400, |c, i| mixed(i / 5 * 7 + c, 100) < 50));
    let result = run(&project, 3, &["--group", "block", "-f", "json"]).exit(0).json();
    let metric = &result["metrics"][0];
    assert_eq!((&metric["n"], &metric["blocks"]), (&json!(400), &json!(80)));
    assert_eq!(metric["omnibus"]["test"], "permutation-within-examples");
    assert!(metric["pairs"][0]["test"].as_str().unwrap().starts_with("sign-flip"));
    let of_pair = |key: &str| metric["pairs"][0][key].as_u64().unwrap();
    assert_eq!(of_pair("wins") + of_pair("ties") + of_pair("losses"), 80, "groups are counted, not examples");
    // Of eighty coins that five examples share each, examples alone would be far too sure.
    let naive = run(&project, 3, &["-f", "json"]).exit(0).json();
    let width = |result: &Value| {
        let ci = &result["metrics"][0]["pairs"][0]["ci"];
        ci["high"].as_f64().unwrap() - ci["low"].as_f64().unwrap()
    };
    assert!(width(&result) > 1.8 * width(&naive), "{} {}", width(&result), width(&naive));
}

#[test]
fn a_holdout_asks_about_one_picked_without_it() {
    // Candidate 3 is better by far, candidate 2 looks best on the part for picking only.
    let passes = |c: usize, i: usize| {
        let rate = match c {
            3 => 75,
            2 if i.is_multiple_of(4) => 20,
            2 => 97,
            _ => 60,
        };
        mixed(i * 13 + c, 100) < rate
    };
    let project = Harness::new().table("t.csv", table(4, 1200, passes));
    let result = run(&project, 4, &["--holdout", "split=test", "-f", "json"]).exit(0).json();
    let selection = &result["replace"]["selection"];
    assert_eq!(
        selection,
        &json!({"kind": "holdout", "held_out": "the examples with split=test", "picked": 2,
        "metric": "score", "picking": 900, "checking": 300})
    );
    assert_eq!(result["replace"]["answers"].as_array().unwrap().len(), 1);
    assert_eq!(result["replace"]["answers"][0]["answer"], "may-not", "what was picked fails on what was held out");
    assert_eq!((&result["examples"], &result["metrics"][0]["table"][0]["candidate"]), (&json!(900), &json!(2)));
    run(&project, 4, &["--holdout", "split=test"]).exit(0).stdout_has("Checked on a holdout: c2 was picked by score");
    run(&project, 4, &[]).exit(0).stdout_has("Corrected for the selection among 3 candidates: Holm's");

    let share = run(&project, 4, &["--holdout", "0.25", "-f", "json", "--group", "block"]).exit(0).json();
    assert_eq!(share["replace"]["selection"]["checking"], 300);
}

#[test]
fn nobody_wins_a_slice_in_which_nobody_can_be_told_apart() {
    // Topic 1 is candidate 2's; elsewhere all are alike.
    let passes = |c: usize, i: usize| mixed(i * 17 + c, 100) < if c == 2 && i % 3 == 1 { 95 } else { 60 };
    let project = Harness::new().table("t.csv", table(3, 900, passes));
    let result = run(&project, 3, &["--slice", "topic", "-f", "json"]).exit(0).json();
    let winners: Vec<_> =
        result["metrics"][0]["slices"].as_array().unwrap().iter().map(|s| s["winner"].clone()).collect();
    assert_eq!(winners, [Value::Null, json!(2), Value::Null]);
    run(&project, 3, &["--slice", "topic"]).exit(0).stdout_has("no winner shown");
    run(&project, 3, &["--slice", "topic", "--min-n", "301"]).exit(0).stdout_has("3 slices are too small");
}

/// A table of one candidate with what its answers took.
fn measured(rate: usize, dollars: f64, milliseconds: f64, seed: usize) -> String {
    csv(
        "id,score,cost_usd,latency_ms",
        (0..600).map(|i| {
            let passed = u8::from(mixed(i * 19 + seed, 100) < rate);
            format!("e{i:03},{passed},{},{}", dollars + 0.00001 * (i % 7) as f64, milliseconds + (i % 50) as f64)
        }),
    )
}

#[test]
fn cost_and_latency_stand_beside_quality_and_rails_hold() {
    let project = Harness::new()
        .config(
            "[gate.guard]\nlatency_p95 = { max_increase = \"200ms\" }\ncost_per_example = { max_increase = \"50%\" }\n",
        )
        .table("old.csv", measured(60, 0.001, 300.0, 1))
        .table("same.csv", measured(75, 0.0012, 310.0, 2))
        .table("slow.csv", measured(90, 0.0012, 900.0, 3))
        .table("dear.csv", measured(95, 0.01, 300.0, 4));
    let names = ["compare", "old.csv", "same.csv", "slow.csv", "dear.csv"];
    let result = project.run(&[&names[..], &["-f", "json"]].concat()).exit(0).json();
    let answers: Vec<&Value> = result["replace"]["answers"].as_array().unwrap().iter().map(|a| &a["answer"]).collect();
    assert_eq!(answers, [&json!("may"), &json!("may-not"), &json!("may-not")]);
    let fronts: Vec<(&Value, &Value)> = result["metrics"][0]["table"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["candidate"], &row["on_front"]))
        .collect();
    assert_eq!(fronts.len(), 4);
    // The slow one costs what `same` does and is better, so that `same` is off the front; the guard rail knows better.
    for (candidate, on_front) in fronts {
        assert_eq!(on_front, &json!(*candidate != json!(1)), "{candidate}");
    }
    project
        .run(&names)
        .exit(0)
        .stdout_has("May replace old.csv: same.csv.")
        .stdout_has("slow.csv: guard rail: latency_p95 broken")
        .stdout_has("2 guard rails at 0.01 together");
    project.run(&[&names[..], &["-o", "page.html"]].concat()).exit(0);
    assert!(project.read("page.html").contains("class=\"front\""));
}

#[test]
fn different_pins_cannot_be_compared_and_nothing_else_ends_badly() {
    let project = crate::records::project();
    let baseline = project.record(&["--candidate", "recorded"]);
    let worse = project.record(&["--candidate", "worse"]);
    let id = |record: &Value| record["run_id"].as_str().unwrap().to_owned();
    let (baseline, worse) = (id(&baseline), id(&worse));
    let names = ["compare", &baseline, &worse, &worse];
    let result = project.run(&[&names[..], &["-f", "json"]].concat()).exit(0).json();
    assert_eq!(result["schema"], "evalgauge.candidates/1");
    let labels: Vec<&str> =
        result["candidates"].as_array().unwrap().iter().map(|c| c["label"].as_str().unwrap()).collect();
    assert!(labels[0] == "recorded" && labels[1].starts_with("worse (") && labels[2] == "worse #2", "{labels:?}");

    // The same answers again need no test, and have no p.
    let again = project.run(&["compare", &baseline, &baseline, &baseline, "-f", "json"]).exit(0).json();
    let again = &again["replace"]["answers"][0];
    assert_eq!(
        (&again["answer"], &again["p"], &again["p_adjusted"]),
        (&json!("may"), &Value::Null, &Value::Null),
        "{again}"
    );

    let other = std::fs::read_to_string(project.path("orders.jsonl")).unwrap();
    let fewer: String = other.lines().skip(1).map(|line| format!("{line}\n")).collect();
    project.write("fewer.jsonl", fewer);
    project.run(&["evalset", "pin", "orders", "--from", "fewer.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
    let moved = id(&project.record(&["--candidate", "worse"]));
    project.run(&["compare", &baseline, &worse, &moved]).exit(4).stderr_has("SHA-256");
}

#[test]
fn what_several_refuse() {
    let project = Harness::new().table("t.csv", table(3, 60, |c, i| mixed(i + c, 2) == 0));
    let many: Vec<String> = (0..21).map(|_| "t.csv:c0".to_owned()).collect();
    let many: Vec<&str> = std::iter::once("compare").chain(many.iter().map(String::as_str)).collect();
    for (arguments, said) in [
        (&many[..], "21 candidates; between 2 and 20"),
        (&["compare", "t.csv"], "required"),
        (&["compare", "t.csv", "--column", "c0"], "1 candidates"),
        (&["compare", "t.csv", "--column", "c0", "--column", "nope"], "nope"),
        (&["compare", "t.csv", "t.csv", "--column", "c0"], "cannot be used with"),
        (&["compare", "t.csv:c0", "t.csv:c1", "none.csv"], "none.csv: no such file"),
        (&["compare", "t.csv:c0", "t.csv:c1", "t.csv:c2", "--base-score", "c0"], "are for two sides"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--metric", "other"], "has no metric `other`; it has `score`"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--holdout", "2"], "expected a share between 0 and 1"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--holdout", "split=none"], "has no value `none`"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--holdout", "nokey=1"], "has no label `nokey`"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--leaderboard", "-f", "junit"], "junit shows a decision"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--leaderboard", "-f", "csv"], "csv holds the cells of two sides"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--leaderboard", "--margin", "7"], "a margin is a share"),
        (&["compare", "t.csv:c0", "t.csv:c1", "--leaderboard", "--alpha", "0"], "--alpha"),
    ] {
        project.run(arguments).exit(2).stderr_has(said);
    }
    project.write("other.csv", "id,score\nx1,1\nx2,0\n");
    project.run(&["compare", "t.csv:c0", "t.csv:c1", "other.csv"]).exit(4).stderr_has("no id that all candidates have");
}

#[test]
fn twenty_candidates_of_two_thousand_examples_are_no_burden() {
    let rate = |c: usize| 50 + c / 2;
    let project = Harness::new().table("t.csv", table(20, 2_000, |c, i| mixed(i * 41 + c, 100) < rate(c)));
    let began = std::time::Instant::now();
    let result = run(&project, 20, &["--slice", "topic", "--slice", "split", "-f", "json"]).exit(0).json();
    // Said, not asserted: it depends on the machine and the build.
    announce(&format!(
        "20 candidates × 2,000 examples × 6 cells: {:.1} s in this build",
        began.elapsed().as_secs_f64()
    ));
    assert_eq!(result["metrics"][0]["pairs"].as_array().unwrap().len(), 190);
}

#[test]
fn a_cell_without_a_margin_has_no_p() {
    // c1 gains everywhere and loses nothing, c2 is the baseline again, c3 loses one.
    let passes = |c: usize, i: usize| match c {
        1 => i % 4 != 3,
        3 => i.is_multiple_of(2) && i > 0,
        _ => i.is_multiple_of(2),
    };
    let project = Harness::new().table("t.csv", table(4, 400, passes));
    let answers = |more: &[&str]| {
        let result = run(&project, 4, &[&["-f", "json"], more].concat()).exit(0).json();
        result["replace"]["answers"].as_array().unwrap().clone()
    };
    for answer in answers(&["--margin", "0"]) {
        let reasons = answer["reasons"].to_string();
        assert_eq!(
            (&answer["p"], &answer["p_adjusted"], &answer["hardest"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(answer["answer"], "not-shown", "nothing was tested: {answer}");
        assert!(reasons.contains("no cell with a margin") && answer["cells"].as_u64() > Some(0), "{reasons}");
        assert_eq!(reasons.contains("1 passing examples now fail"), answer["candidate"] == 3, "{reasons}");
    }
    run(&project, 4, &["--margin", "0"]).exit(0).stdout_has("None of them is shown");
    for answer in answers(&["--margin", "0.1"]) {
        assert_eq!(answer["answer"], "may");
        assert!(answer["p"].as_f64().is_some_and(|p| p > 0.0), "{answer}");
    }
}

#[test]
fn a_holdout_by_label_keeps_groups_whole() {
    let project = Harness::new().table("t.csv", table(3, 60, |c, i| mixed(i + c, 2) == 0));
    let torn = ["--holdout", "split=test", "--group", "block"];
    run(&project, 3, &torn).exit(2).stderr_has("--holdout: group `0` is on both sides of split=test");
    run(&project, 3, &torn[..2]).exit(0);
}
