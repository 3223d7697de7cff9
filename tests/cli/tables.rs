//! Gating and comparing what another tool produced: plain tables.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, Outcome, csv, testdata};

const BASE: &str = "6b_verification";
const HEAD: &str = "175b_finetuning";

/// A verb on two columns of the solutions to grade-school problems, sliced by the number of steps.
fn gsm8k(folder: &Path, verb: &str, base: &str, head: &str, more: &[&str]) -> Outcome {
    let file = folder.join("correct.csv");
    let file = file.to_str().unwrap();
    let fixed = ["--base-score", base, "--head-score", head, "--slice", "steps_slice", "--format", "json"];
    Harness::new().run(&[&[verb, file, file], &fixed[..], more].concat())
}

fn reference(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("reference.json")).unwrap()).unwrap()
}

/// Equal to the six significant digits that the program prints.
#[track_caller]
fn same_six(ours: &Value, theirs: &Value, what: &str) {
    let (Some(ours), Some(theirs)) = (ours.as_f64(), theirs.as_f64()) else { panic!("{what}: {ours}, {theirs}") };
    assert!((ours - theirs).abs() <= 5.001e-6 * theirs.abs(), "{what} is {ours}, expected {theirs}");
}

fn cell<'v>(result: &'v Value, slice: &str) -> &'v Value {
    result["cells"].as_array().unwrap().iter().find(|cell| cell["slice"] == slice).unwrap()
}

/// The parts of a pair of the reference, each with the name that its slice has here.
fn parts(pair: &Value) -> Vec<(String, &Value)> {
    let slices = pair["slices_by_steps"].as_object().unwrap().iter();
    let slices: Vec<_> = slices.map(|(value, part)| (format!("steps_slice={value}"), part)).collect();
    assert_eq!(slices.len(), 6);
    [("overall".to_owned(), pair)].into_iter().chain(slices).collect()
}

#[test]
fn compare_agrees_with_the_reference_on_all_six_pairs() {
    let Some(folder) = testdata("gsm8k-solutions", "compare on gsm8k") else { return };
    let reference = reference(&folder);
    let pairs = reference["pairs"].as_object().unwrap();
    assert_eq!(pairs.len(), 6);
    for (name, pair) in pairs {
        let (base, head) = name.split_once("->").unwrap();
        let result = gsm8k(&folder, "compare", base, head, &["--interval", "wald"]).exit(0).json();
        for (slice, part) in parts(pair) {
            let cell = cell(&result, &slice);
            for (ours, theirs) in [("delta", &part["diff_new_minus_base"]), ("mcnemar_exact", &part["mcnemar_exact_p"])]
            {
                same_six(&cell[ours], theirs, &format!("{name}, {slice}: {ours}"));
            }
            if part["only_base"] == part["only_new"] {
                // Where as many broke as recovered, the reference doubles the one-sided mid-p (hence 1) and does not clamp
                // the correction of χ² at 0; the program subtracts half the probability of the table (Fagerland, Lydersen
                // and Laake), and clamps.
                assert!(cell["mcnemar_mid_p"].as_f64().unwrap() < 1.0);
                assert_eq!((&cell["mcnemar_chi2"], &cell["mcnemar_chi2_p"]), (&json!(0.0), &json!(1.0)));
            } else {
                for (ours, theirs) in [
                    ("mcnemar_mid_p", "mcnemar_midp"),
                    ("mcnemar_chi2", "mcnemar_chi2_cc"),
                    ("mcnemar_chi2_p", "mcnemar_p_cc"),
                ] {
                    same_six(&cell[ours], &part[theirs], &format!("{name}, {slice}: {ours}"));
                }
            }
            assert_eq!(cell["method"], "wald");
            for (end, place) in [("low", 0), ("high", 1)] {
                same_six(&cell["ci"][end], &part["paired_wald95"][place], &format!("{name}, {slice}: {end}"));
            }
            let table = ["both", "only_baseline", "only_head", "neither"].map(|key| &cell["passes"][key]);
            assert_eq!(table, ["both", "only_base", "only_new", "neither"].map(|key| &part[key]), "{name}, {slice}");
            assert_eq!(cell["n"], part["n"]);
        }
        for (side, model) in [("baseline", base), ("head", head)] {
            let accuracy = &reference["accuracy"][model];
            let cell = cell(&result, "overall");
            same_six(&cell[side], &accuracy["accuracy"], model);
            for (end, place) in [("low", 0), ("high", 1)] {
                same_six(&cell[format!("{side}_ci")][end], &accuracy["wilson95"][place], &format!("{model}: {end}"));
            }
        }
    }
}

#[test]
fn a_larger_model_that_is_worse() {
    let Some(folder) = testdata("gsm8k-solutions", "the worse pair of gsm8k") else { return };
    let result = gsm8k(&folder, "compare", BASE, HEAD, &[]).exit(0).json();
    let overall = cell(&result, "overall");
    assert_eq!(overall["delta"], json!(-0.043_214_6));
    assert_eq!(overall["mcnemar_exact"], json!(0.003_150_66));
}

#[test]
fn bootstrap_intervals_are_near_the_reference() {
    let Some(folder) = testdata("gsm8k-solutions", "bootstrap on gsm8k") else { return };
    let reference = reference(&folder);
    for (name, pair) in reference["pairs"].as_object().unwrap() {
        let (base, head) = name.split_once("->").unwrap();
        let result = gsm8k(&folder, "compare", base, head, &["--interval", "bootstrap"]).exit(0).json();
        let overall = cell(&result, "overall");
        for (end, place) in [("low", 0), ("high", 1)] {
            let theirs = pair["bootstrap_percentile95_10000_seed7"][place].as_f64().unwrap();
            let ours = overall["ci"][end].as_f64().unwrap();
            assert!((ours - theirs).abs() <= 0.002, "{name}: {end} is {ours}, expected {theirs}");
        }
    }
}

#[test]
fn the_gate_names_what_fell() {
    let Some(folder) = testdata("gsm8k-solutions", "gate on gsm8k") else { return };
    gsm8k(&folder, "gate", BASE, HEAD, &[]).exit(1).names(&["overall", "steps_slice=2"]);
    gsm8k(&folder, "gate", BASE, HEAD, &["--margin", "0.05"]).exit(1).names(&["steps_slice=2"]);
    gsm8k(&folder, "gate", HEAD, BASE, &[]).exit(0).names(&[]);
    gsm8k(&folder, "gate", BASE, BASE, &[]).exit(0).names(&[]);
}

/// 120 examples of two intents; in the head, intent 2 lost 20 of 60.
fn two_intents(fails: impl Fn(usize) -> bool) -> String {
    csv("id,intent,score", (0..120).map(|i| format!("e{i},{},{}", 1 + i % 2, u8::from(!fails(i)))))
}

#[test]
fn a_slice_that_fell_is_named() {
    Harness::new()
        .table("base.csv", two_intents(|i| i % 10 == 0))
        .table("head.csv", two_intents(|i| i % 10 == 0 || i % 6 == 1))
        .gate(&["--slice", "intent"])
        .exit(1)
        .names(&["overall", "intent=2"]);
}

#[test]
fn values_that_would_be_ambiguous_are_quoted() {
    let table = |failing: u8| {
        let rows = (0..80).map(move |i| format!("e{i},\"a b\",\"x=1,y\",{}", if i < 40 { failing } else { 1 }));
        csv("id,team name,rule,score", rows)
    };
    Harness::new()
        .table("base.csv", table(1))
        .table("head.csv", table(0))
        .gate(&["--slice", "team name", "--slice", "rule", "--slice", "team name,rule"])
        .exit(1)
        .names(&["overall", "team name=\"a b\"", "rule=\"x=1,y\"", "team name=\"a b\",rule=\"x=1,y\""]);
}

#[test]
fn scores_on_other_scales_and_low_scores_that_are_good() {
    // Grades of 0 to 3; all of them one grade lower.
    let grades = |shift: usize| csv("id,grade", (0..60).map(|i| format!("e{i},{}", 1 + i % 3 - shift)));
    let graded = Harness::new().table("base.csv", grades(0)).table("head.csv", grades(1));
    graded.gate(&["--score", "grade", "--scale", "0,3"]).exit(1).names(&["overall"]);
    graded.gate(&["--score", "grade", "--scale", "0,3", "--lower-is-better"]).exit(0).names(&[]);
    // The fall is a third of the scale: a margin is a share of it.
    graded.gate(&["--score", "grade", "--scale", "0,3", "--margin", "0.32"]).exit(1);
    graded.gate(&["--score", "grade", "--scale", "0,3", "--margin", "0.34"]).exit(0);
}

#[test]
fn a_tolerated_drop_must_be_exceeded_for_sure() {
    // Thirty of a thousand broke, none was mended: 3 points.
    let table = |broken: usize| csv("id,score", (0..1000).map(|i| format!("e{i},{}", u8::from(i >= broken))));
    let fallen = Harness::new().table("base.csv", table(0)).table("head.csv", table(30));
    let plain = fallen.gate(&[]).exit(1).json();
    assert_eq!(plain["metrics"][0]["tolerance"], 0.0);
    // Clearly more than 1 point, not clearly more than 2.5.
    assert_eq!(fallen.gate(&["--tolerance", "0.01"]).exit(1).json()["metrics"][0]["tolerance"], 0.01);
    let open = fallen.gate(&["--tolerance", "0.025"]).exit(0).json();
    assert_eq!(open["cells"][0]["state"], "undecided");
    let p = |verdict: &serde_json::Value| verdict["cells"][0]["p"].as_f64().unwrap();
    assert!(p(&plain) < 1e-6 && p(&open) > 0.05, "{} {}", p(&plain), p(&open));
    fallen.gate(&["--tolerance", "1.5"]).exit(2).stderr_has("`tolerance` is 1.5");
    // With several trials, with groups, and with unequal trials the same holds.
    let trials = |broken: usize, trials: usize| {
        let rows = (0..300)
            .flat_map(move |i| (0..trials).map(move |t| format!("e{i},g{},{t},{}", i / 2, u8::from(i >= broken))));
        csv("id,group,trial,score", rows)
    };
    for head_trials in [2, 3] {
        let fallen = Harness::new().table("base.csv", trials(0, 2)).table("head.csv", trials(60, head_trials));
        fallen.gate(&["--tolerance", "0.1"]).exit(1);
        fallen.gate(&["--tolerance", "0.19"]).exit(0);
    }
}

#[test]
fn a_group_counts_once() {
    // Fifty broken examples are evidence; fifty examples of two broken groups are not.
    let table = |fails: bool| {
        csv("id,group,score", (0..200).map(|i| format!("e{i},g{},{}", i / 25, u8::from(!(fails && i < 50)))))
    };
    let grouped = Harness::new().table("base.csv", table(false)).table("head.csv", table(true));
    grouped.gate(&[]).exit(0).stdout_has("only 8 independent groups");
    let alone = |fails| table(fails).replace("group", "team");
    let single = Harness::new().table("base.csv", alone(false)).table("head.csv", alone(true));
    single.gate(&[]).exit(1).names(&["overall"]);
}

#[test]
fn csv_json_lines_and_parquet_give_the_same_bytes() {
    // Each side is a run whose answers are the scores: so the program itself writes them as Parquet, with labels,
    // groups and trials; the other formats hold the same rows.
    let tiers = ["1", "2", "3"];
    let score = |side: usize, i: usize, trial: usize| usize::from((i * 7 + trial * 3) % 10 >= 2 + 2 * side * (i % 3));
    let rows = || (0..90_usize).flat_map(|i| (0..2).map(move |trial| (i, trial)));
    let set: String = (0..90)
        .map(|i| {
            let labels = json!({"tier": tiers[i % 3]});
            format!("{}\n", json!({"id": format!("e{i}"), "input": "?", "expected": "1", "labels": labels, "group": format!("g{}", i / 2)}))
        })
        .collect();
    let config: String = ["base", "head"]
        .map(|name| format!("[candidates.{name}.replay]\nfile = \"{name}.csv\"\ntrial = \"trial\"\n"))
        .concat();
    let mut project = Harness::new().config(format!("evalset = \"s\"\ntrials = 2\n{config}[scorers.right.exact]\n"));
    for (side, name) in ["base", "head"].into_iter().enumerate() {
        let labels = |i: usize| format!("{{\"tier\":\"{}\"}}", tiers[i % 3]);
        let line = |(i, t): (usize, usize)| {
            format!("e{i},{t},{},g{},\"{}\"", score(side, i, t), i / 2, labels(i).replace('"', "\"\""))
        };
        let object = |(i, t): (usize, usize)| {
            let labels = json!({"tier": tiers[i % 3]});
            format!(
                "{}\n",
                json!({"id": format!("e{i}"), "trial": t, "answer": score(side, i, t), "group": format!("g{}", i / 2), "labels": labels})
            )
        };
        project = project
            .table(&format!("{name}.csv"), csv("id,trial,answer,group,labels", rows().map(line)))
            .table(&format!("{name}.jsonl"), rows().map(object).collect::<String>());
    }
    let project = project.evalset("s", &set);
    for name in ["base", "head"] {
        let made = project.record(&["--candidate", name]);
        let samples = project.path(made["path"].as_str().unwrap()).join("samples.parquet");
        std::fs::copy(samples, project.path(&format!("{name}.parquet"))).unwrap();
    }
    let gate = |ending: &str, format: &str| {
        let (base, head) = (format!("base.{ending}"), format!("head.{ending}"));
        let arguments = ["gate", &base, &head, "--score", "answer", "--format", format, "--as-of", AS_OF];
        let outcome = project.run(&arguments).exit(1);
        let mut text = outcome.stdout.replace(&format!(".{ending}"), "");
        for name in [&base, &head] {
            let sha256 = sha256(&std::fs::read(project.path(name)).unwrap());
            text = text.replace(&sha256, "[digest]").replace(&sha256[..16], "[digest]");
        }
        text
    };
    for format in ["text", "json", "md"] {
        let from_csv = gate("csv", format);
        assert!(from_csv.contains("tier=3"), "{from_csv}");
        assert_eq!(from_csv, gate("jsonl", format));
        assert_eq!(from_csv, gate("parquet", format));
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
