//! Metrics over records, from outside: pin, run, compare, gate.
//!
//! These tests drive the binary and do not link the library.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot go on is a failed test, also in helpers")]

#[expect(dead_code, reason = "shared with the tests of the command line, which use all of it")]
#[path = "cli/harness.rs"]
mod harness;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{AS_OF, Harness, announce, testdata};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

/// A metric of what `run` prints.
fn metric<'v>(run: &'v Value, name: &str) -> &'v Value {
    let metrics = run["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["metric"] == name).unwrap_or_else(|| panic!("no metric {name}: {run:#}"))
}

#[track_caller]
fn assert_near(found: &Value, expected: &Value, tolerance: f64) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
}

/// Six significant digits are printed.
const PRINTED: f64 = 5e-6;

/// A cell of a verdict or a comparison.
fn cell<'v>(verdict: &'v Value, metric: &str, slice: &str) -> &'v Value {
    let cells = verdict["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["metric"] == metric && cell["slice"] == slice).unwrap()
}

/// The rows of a CSV file whose cells hold no commas, by the names of the columns.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row =
        |line: &str| header.iter().map(|name| (*name).to_owned()).zip(line.split(',').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// A JSON-lines file of values.
fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().fold(String::new(), |mut text, value| {
        writeln!(text, "{value}").unwrap();
        text
    })
}

#[test]
fn repeated_attempts_have_the_published_figures_with_intervals_by_task() {
    let Some(data) = testdata("tau-airline", "pass@k of tau-bench airline") else { return };
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("reference.json")).unwrap()).unwrap();
    let trials = rows(&data.join("trials.csv"));
    let tasks: BTreeMap<String, String> =
        trials.iter().map(|row| (row["task_id"].clone(), row["gold_slice"].clone())).collect();
    let examples = tasks.iter().map(
        |(id, slice)| json!({"id": id, "input": format!("task {id}"), "expected": "1", "labels": {"gold": slice}}),
    );
    let answers = trials.iter().map(|row| {
        json!({"id": row["task_id"], "trial": row["trial"].parse::<u32>().unwrap(),
        "answer": row["success"]})
    });
    let mut config = "evalset = \"airline\"\ntrials = 4\n\
        [candidates.agent.replay]\nfile = \"answers.jsonl\"\ntrial = \"trial\"\n\
        [scorers.success.exact]\n[slices]\nmin_n = 5\n[metrics]\n"
        .to_owned();
    for k in 1..=4 {
        writeln!(config, "hat{k} = {{ scorer = \"success\", estimate = \"pass_hat_k\", k = {k} }}").unwrap();
        writeln!(config, "at{k} = {{ scorer = \"success\", estimate = \"pass_at_k\", k = {k} }}").unwrap();
    }
    let project =
        Harness::new().file("answers.jsonl", lines(answers)).evalset("airline", &lines(examples)).config(config);
    let run = project.record(&[]);
    for (name, family) in [("hat", "pass_hat_k"), ("at", "pass_at_k")] {
        for k in 1..=4 {
            let found = metric(&run, &format!("{name}{k}"));
            let expected = &reference[family][k.to_string()];
            assert_near(&found["value"], &expected["value"], PRINTED);
            assert_eq!((&found["estimate"], &found["scored"]), (&json!(family), &json!(200)));
            // t(49; .975) = 2.009575: the interval is that of 50 tasks, not of 200 trials.
            let half = f64::midpoint(found["ci"]["high"].as_f64().unwrap(), -found["ci"]["low"].as_f64().unwrap());
            assert_near(&json!(half / 2.009_575_237_129_24), &expected["task_clustered_se"], PRINTED);
        }
    }
    // By slice, against itself: nothing changed.
    let compared = project.run(&["compare", "latest", "latest", "--format", "json"]).exit(0).json();
    for (slice, expected) in reference["by_gold_slice"].as_object().unwrap() {
        for k in 1..=4 {
            let at = cell(&compared, &format!("hat{k}"), &format!("gold={slice}"));
            assert_near(&at["baseline"], &expected[format!("pass_hat_{k}")], PRINTED);
            assert_near(
                &cell(&compared, &format!("at{k}"), &format!("gold={slice}"))["head"],
                &expected[format!("pass_at_{k}")],
                PRINTED,
            );
            assert_eq!((&at["delta"], &at["n"]), (&json!(0.0), &expected["n_tasks"]));
            assert!(at["ci"]["low"].as_f64().unwrap() < 0.0 && at["ci"]["high"].as_f64().unwrap() > 0.0);
        }
    }
    // Fewer trials than k.
    let refused = project.run(&["run", "--trials", "3"]).exit(2);
    assert!(
        refused.stderr.contains("metric `at4`: `pass_at_k` with k = 4 needs at least 4 trials"),
        "{}",
        refused.stderr
    );
}

#[test]
fn labels_have_the_published_precision_recall_and_f1() {
    let Some(data) = testdata("pandalm", "macro-F1 of the pandalm judges") else { return };
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("reference.json")).unwrap()).unwrap();
    let labels = rows(&data.join("labels.csv"));
    for judge in ["judge_pandalm7b", "judge_gpt35"] {
        let judged: Vec<_> = labels.iter().filter(|row| !row[judge].is_empty()).collect();
        let examples = judged.iter().map(|row| {
            json!({"id": row["id"], "input": "which?", "expected": row["human_majority"],
            "labels": {"model": row["model_1"]}})
        });
        let answers = judged.iter().map(|row| json!({"id": row["id"], "answer": row[judge]}));
        let mut config = "evalset = \"pairs\"\n[candidates.judge.replay]\nfile = \"answers.jsonl\"\n\
            [scorers.verdict.label]\nlabels = [\"0\", \"1\", \"2\"]\n[metrics]\n"
            .to_owned();
        for estimate in ["accuracy", "macro_f1", "micro_f1", "macro_precision", "macro_recall"] {
            writeln!(config, "{estimate} = {{ scorer = \"verdict\", estimate = \"{estimate}\" }}").unwrap();
        }
        for label in 0..3 {
            for estimate in ["precision", "recall"] {
                writeln!(
                    config,
                    "{estimate}_{label} = {{ scorer = \"verdict\", estimate = \"{estimate}\", label = \"{label}\" }}"
                )
                .unwrap();
            }
        }
        let project =
            Harness::new().file("answers.jsonl", lines(answers)).evalset("pairs", &lines(examples)).config(config);
        let run = project.record(&[]);
        let expected = &reference["judges_vs_human_majority"][judge];
        for name in ["accuracy", "macro_f1", "macro_precision", "macro_recall"] {
            assert_near(&metric(&run, name)["value"], &expected[name], PRINTED);
        }
        assert_near(&metric(&run, "micro_f1")["value"], &expected["accuracy"], PRINTED);
        for label in 0..3 {
            for (at, name) in ["precision", "recall"].into_iter().enumerate() {
                // Precision, recall, F1 and support one after the other, each with one value a class.
                let value = &expected["per_class_p_r_f1_support"][at][label];
                assert_near(&metric(&run, &format!("{name}_{label}"))["value"], value, PRINTED);
            }
        }
        assert_eq!(run["confusion"]["verdict"]["counts"], expected["confusion_rows_human_cols_judge_labels_0_1_2"]);
        assert_eq!(run["confusion"]["verdict"]["right"], json!(["0", "1", "2"]));
        for found in run["metrics"].as_array().unwrap() {
            let (value, ci) = (found["value"].as_f64().unwrap(), &found["ci"]);
            let (low, high) = (ci["low"].as_f64().unwrap(), ci["high"].as_f64().unwrap());
            assert!(low < value && value < high && high - low < 0.25, "{found}");
        }
    }
}

#[test]
fn confidences_have_the_published_calibration() {
    let Some(data) = testdata("calibration-open", "calibration of resnet110 on CIFAR-10") else { return };
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("reference.json")).unwrap()).unwrap();
    let expected = &reference["sets"]["resnet110_c10"];
    let items = rows(&data.join("resnet110_c10.csv"));
    let examples = items.iter().map(|row| json!({"id": row["id"], "input": "an image", "expected": row["true_label"]}));
    let answers = items.iter().map(|row| {
        let answer = json!({"class": row["pred_label"], "sure": row["confidence"].parse::<f64>().unwrap()});
        json!({"id": row["id"], "answer": answer.to_string()})
    });
    let config = "evalset = \"images\"\n[candidates.net.replay]\nfile = \"answers.jsonl\"\n\
        [scorers.class.exact]\nanswer = \"/class\"\nconfidence = \"/sure\"\n[metrics]\n\
        ece = { scorer = \"class\", estimate = \"ece\" }\nbrier = { scorer = \"class\", estimate = \"brier\" }\n\
        auc = { scorer = \"class\", estimate = \"auc\" }\n";
    let project =
        Harness::new().file("answers.jsonl", lines(answers)).evalset("images", &lines(examples)).config(config);
    let run = project.record(&[]);
    assert_near(&metric(&run, "ece")["value"], &expected["ece15_equal_width"], PRINTED);
    assert_near(&metric(&run, "brier")["value"], &expected["brier_top_label"], PRINTED);
    assert_near(&metric(&run, "auc")["value"], &expected["auroc_conf_vs_correct"], PRINTED);
    for name in ["ece", "brier", "auc"] {
        let found = metric(&run, name);
        let (low, high) = (found["ci"]["low"].as_f64().unwrap(), found["ci"]["high"].as_f64().unwrap());
        assert!(low < high && low <= found["value"].as_f64().unwrap() && found["value"].as_f64().unwrap() <= high);
    }
}

#[test]
fn rankings_and_preferences_have_the_values_of_their_definitions() {
    let examples = [
        json!({"id": "a", "input": "q", "expected": {"relevant": {"d1": 3, "d2": 1}}}),
        json!({"id": "b", "input": "q", "expected": {"relevant": ["d7"]}}),
    ];
    let answers = [
        json!({"id": "a", "answer": "{\"ids\": [\"x\", \"d2\", \"d1\", \"x\"], \"against\": \"win\"}"}),
        json!({"id": "b", "answer": "{\"ids\": [\"d7\"], \"against\": 0}"}),
    ];
    let config = "evalset = \"search\"\n[candidates.engine.replay]\nfile = \"answers.jsonl\"\n\
        [scorers.found.ranked]\nanswer = \"/ids\"\nexpected = \"/relevant\"\n\
        [scorers.against.preference]\nanswer = \"/against\"\n[metrics]\n\
        recall1 = { scorer = \"found\", estimate = \"recall_at_k\", k = 1 }\n\
        recall2 = { scorer = \"found\", estimate = \"recall_at_k\", k = 2 }\n\
        mrr = { scorer = \"found\", estimate = \"reciprocal_rank\" }\n\
        ndcg = { scorer = \"found\", estimate = \"ndcg_at_k\", k = 3 }\n\
        map = { scorer = \"found\", estimate = \"average_precision\" }\n\
        wins = { scorer = \"against\", estimate = \"win_rate\" }\n\
        strength = { scorer = \"against\", estimate = \"bradley_terry\" }\n";
    let project =
        Harness::new().file("answers.jsonl", lines(answers)).evalset("search", &lines(examples)).config(config);
    let run = project.record(&[]);
    let log2 = |x: f64| x.log2();
    let ndcg = (1.0 / log2(3.0) + 3.0 / log2(4.0)) / (3.0 / log2(2.0) + 1.0 / log2(3.0));
    for (name, expected) in [
        ("recall1", 0.5),
        ("recall2", 0.75),
        ("mrr", 0.75),
        ("ndcg", f64::midpoint(ndcg, 1.0)),
        ("map", f64::midpoint(f64::midpoint(0.5, 2.0 / 3.0), 1.0)),
        ("wins", 0.75),
    ] {
        assert_near(&metric(&run, name)["value"], &json!(expected), PRINTED);
    }
    // log(1.5 wins / 0.5 losses).
    assert_near(&metric(&run, "strength")["value"], &json!(3.0_f64.ln()), PRINTED);
    // The record reads back as what was written, also from its baseline form.
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let compared = project.run(&["compare", "baseline", "latest", "--format", "json"]).exit(0).json();
    assert_near(&cell(&compared, "ndcg", "overall")["baseline"], &metric(&run, "ndcg")["value"], 0.0);
    assert_near(&cell(&compared, "strength", "overall")["baseline"], &metric(&run, "strength")["value"], 0.0);
}

/// A project of one label scorer with these lines of `[metrics]`, and one answer.
fn small(metrics: &str) -> Harness {
    Harness::new()
        .file("answers.jsonl", lines([json!({"id": "1", "answer": "a"}), json!({"id": "2", "answer": "b"})]))
        .evalset("e", &lines([
            json!({"id": "1", "input": "x", "expected": "a"}), json!({"id": "2", "input": "y", "expected": "a"})]))
        .config(format!(
            "evalset = \"e\"\n[candidates.c.replay]\nfile = \"answers.jsonl\"\n[scorers.team.label]\nlabels = [\"a\", \"b\"]\n\
             [scorers.words.contains]\nany = [\"a\"]\n[metrics]\n{metrics}\n"
        ))
}

#[test]
fn what_a_metric_cannot_be_made_of_is_refused_in_a_sentence() {
    for (metrics, message) in [
        ("m = { scorer = \"team\", estimate = \"macro_f2\" }", "did you mean `macro_f1`?"),
        (
            "m = { scorer = \"words\", estimate = \"macro_f1\" }",
            "metric `m`: `macro_f1` needs labels, which a `label` scorer gives; a `contains` scorer has none",
        ),
        ("m = { scorer = \"team\", estimate = \"ece\" }", "metric `m`: `ece` needs confidences"),
        ("m = { scorer = \"team\", estimate = \"ndcg_at_k\", k = 5 }", "`ndcg_at_k` needs ranked ids"),
        ("m = { scorer = \"team\", estimate = \"win_rate\" }", "`win_rate` needs preferences"),
        ("m = { scorer = \"team\", estimate = \"median\" }", "`median` needs numbers"),
        ("m = { scorer = \"team\", estimate = \"pass_at_k\" }", "`pass_at_k` needs `k`, as in `k = 3`"),
        ("m = { scorer = \"team\", estimate = \"pass_at_k\", k = 0 }", "evalgauge.toml:"),
        ("m = { scorer = \"team\", estimate = \"mean\", k = 2 }", "`mean` has no `k`"),
        ("m = { scorer = \"team\", estimate = \"recall\" }", "`recall` needs `label`"),
        (
            "m = { scorer = \"team\", estimate = \"recall\", label = \"c\" }",
            "scorer `team` has no label `c`; it has `a`, `b`",
        ),
        (
            "m = { scorer = \"team\", estimate = \"pass_hat_k\", k = 2 }",
            "needs at least 2 trials of each example; the run has 1",
        ),
    ] {
        let refused = small(metrics).run(&["run"]).exit(2);
        assert!(refused.stderr.contains(message), "{metrics}: {}", refused.stderr);
    }
    // A confidence that no answer states.
    let project = small("m = { scorer = \"team\", estimate = \"brier\" }");
    let config = project.read("evalgauge.toml").replace("[scorers.words", "confidence = \"/sure\"\n[scorers.words");
    project.write("evalgauge.toml", config);
    project.run(&["run"]).exit(2).stderr_has("metric `m`: `brier` needs confidences");
}

#[test]
fn a_confidence_leaves_the_digest_of_those_who_state_none() {
    // The lines of a score without confidence are what they were before there was one.
    let project = small("m = { scorer = \"team\" }");
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let rows = project.read("reports/baseline/e/c/rows.jsonl");
    let passed = r#"{"score":{"scorer":"team","part":"","value":"a","passed":true,"status":"scored"}}"#;
    let failed = r#"{"score":{"scorer":"team","part":"","value":"b","passed":false,"status":"scored","expected":"a"}}"#;
    assert!(rows.contains(passed) && rows.contains(failed), "{rows}");
}

#[test]
fn whatever_can_be_named_is_listed() {
    let project = Harness::new();
    let listed = project.run(&["list", "metrics", "--format", "json"]).exit(0).json();
    let names: Vec<&str> = listed["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    for name in ["pass_at_k", "macro_f1", "precision", "ece", "bradley_terry", "ndcg_at_k"] {
        assert!(names.contains(&name), "{name}");
    }
    let text = project.run(&["list", "metrics"]).exit(0);
    assert_eq!(text.stdout.lines().count(), names.len());
    project.run(&["list", "scorers"]).exit(0).stdout_has("\nlabel ").stdout_has("ranked ").stdout_has("preference ");
}

const CLASSES: [(&str, usize); 5] = [("a", 160), ("b", 100), ("c", 80), ("d", 40), ("e", 20)];

/// A project of 400 examples of five unequal classes, each with a region; candidates are named on the command line.
fn classifiers() -> Harness {
    let all = CLASSES.iter().flat_map(|(class, count)| std::iter::repeat_n(*class, *count)).enumerate();
    let examples = all.map(|(at, class)| {
        let region = if at % 2 == 0 { "north" } else { "south" };
        json!({"id": format!("{at:03}"), "input": "x", "expected": class, "labels": {"region": region}})
    });
    Harness::new().evalset("classes", &lines(examples))
}

/// The answers of a system that names a class with its recall, and else another class.
fn answers(generator: &mut Xoshiro256PlusPlus, recall: impl Fn(&str) -> f64) -> String {
    let all = CLASSES.iter().flat_map(|(class, count)| std::iter::repeat_n(*class, *count)).enumerate();
    lines(all.map(|(at, class)| {
        let uniform = (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let other = CLASSES[(generator.next_u64() % 5) as usize].0;
        json!({"id": format!("{at:03}"), "answer": if uniform < recall(class) { class } else { other }})
    }))
}

/// Runs both sides and gates them on macro-F1.
fn verdict(project: &Harness, name: &str, seed: u64, head: impl Fn(&str) -> f64) -> Value {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut ids = Vec::new();
    let config = format!("{name}.toml");
    for (side, text) in [("base", answers(&mut generator, |_| 0.8)), ("head", answers(&mut generator, head))] {
        let file = format!("{name}-{side}.jsonl");
        project.write(&file, text);
        project.write(&config, format!(
            "evalset = \"classes\"\n[candidates.{name}-{side}.replay]\nfile = \"{file}\"\n\
             [scorers.class.label]\nlabels = [\"a\", \"b\", \"c\", \"d\", \"e\"]\n[metrics]\n\
             f1 = {{ scorer = \"class\", estimate = \"macro_f1\" }}\nright = {{ scorer = \"class\", estimate = \"accuracy\" }}\n"
        ));
        let run = project.record(&["--config", &config, "--threads", "1"]);
        ids.push(run["run_id"].as_str().unwrap().to_owned());
    }
    let fixed = ["--config", &config, "--format", "json", "--as-of", AS_OF, "--threads", "1"];
    project.run(&[&["gate", ids[0].as_str(), &ids[1]], &fixed[..]].concat()).json()
}

#[test]
fn a_fall_of_macro_f1_is_caught_and_an_unchanged_one_rarely() {
    const SEEDS: u64 = 40;
    let project = classifiers();
    let [caught, by_accuracy, false_alarms] = [const { AtomicUsize::new(0) }; 3];
    std::thread::scope(|scope| {
        for worker in 0..2_u64 {
            let (project, caught, by_accuracy, false_alarms) = (&project, &caught, &by_accuracy, &false_alarms);
            scope.spawn(move || {
                for seed in (worker..SEEDS).step_by(2) {
                    let name = format!("worker-{worker}");
                    // The two rarest classes, 15 % of the examples, are hardly recognised any more.
                    let rare = |class: &str| if matches!(class, "d" | "e") { 0.25 } else { 0.8 };
                    let fallen = verdict(project, &name, 1_000 + seed, rare);
                    let state = |metric| &cell(&fallen, metric, "overall")["state"];
                    caught.fetch_add(usize::from(state("f1") == "regressed"), Ordering::Relaxed);
                    by_accuracy.fetch_add(usize::from(state("right") == "regressed"), Ordering::Relaxed);
                    assert_eq!(cell(&fallen, "f1", "overall")["method"], "paired-bootstrap");

                    let same = verdict(project, &name, 5_000 + seed, |_| 0.8);
                    false_alarms.fetch_add(usize::from(same["decision"] == "fail"), Ordering::Relaxed);
                }
            });
        }
    });
    let [caught, by_accuracy, false_alarms] = [caught, by_accuracy, false_alarms].map(AtomicUsize::into_inner);
    announce(&format!(
        "two rare classes .80 → .25: macro-F1 regressed in {caught} of {SEEDS} (at least 34), accuracy in {by_accuracy}; \
         nothing changed: {false_alarms} of {SEEDS} fail (at most 6; a true 5 % is 2)"
    ));
    assert!(caught >= 34, "caught in {caught}");
    assert!(false_alarms <= 6, "{false_alarms} false alarms");
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let project = classifiers();
    verdict(&project, "x", 3, |class| if class == "e" { 0.5 } else { 0.8 });
    let runs: Vec<String> = {
        let runs = std::fs::read_dir(project.path("reports")).unwrap();
        let mut runs: Vec<String> = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
        runs.sort();
        runs
    };
    let out = |verb: &str, threads: &str| {
        let fixed = ["--config", "x.toml", "--format", "json", "--as-of", AS_OF, "--threads", threads];
        project.run(&[&[verb, runs[0].as_str(), &runs[1]], &fixed[..]].concat()).stdout
    };
    for verb in ["gate", "compare"] {
        let one = out(verb, "1");
        assert!(one.contains("paired-bootstrap"), "{one}");
        // No change can be larger than the scale, however few examples there are.
        let json: Value = serde_json::from_str(&one).unwrap();
        let f1 = json["cells"].as_array().unwrap().iter().filter(|cell| cell["metric"] == "f1");
        for ci in f1.map(|cell| &cell["ci"]) {
            let end = |at: usize, name: &str| ci.get(at).unwrap_or(&ci[name]).as_f64().unwrap();
            assert!(end(0, "low") >= -1.0 && end(1, "high") <= 1.0, "{ci}");
        }
        for threads in ["2", "8"] {
            assert_eq!(one, out(verb, threads), "{verb} on {threads} threads");
        }
    }
    // Other kinds of intervals do not exist for macro-F1.
    project
        .run(&["compare", &runs[0], &runs[1], "--config", "x.toml", "--interval", "bca"])
        .exit(2)
        .stderr_has("f1 @ overall");
}
