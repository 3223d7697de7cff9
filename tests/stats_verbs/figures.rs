//! Figures over whole data sets, to the digits of the references that come with them.

use std::path::PathBuf;

use serde_json::Value;

use crate::{Bench, near, near_value, row};

/// A data set with its reference figures; `None`, said aloud, where the folder is not there.
fn data(set: &str) -> Option<(PathBuf, Value)> {
    let folder = std::env::var_os("EVALGAUGE_TESTDATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let set = folder.join(set);
    let Ok(text) = std::fs::read_to_string(set.join("reference.json")) else {
        println!("SKIPPED: {} is not there; set EVALGAUGE_TESTDATA", set.display());
        return None;
    };
    Some((set.canonicalize().unwrap(), serde_json::from_str(&text).unwrap()))
}

#[test]
fn raters_of_pandalm() {
    let Some((folder, reference)) = data("pandalm") else { return };
    let bench = Bench::new();
    let file = folder.join("labels.csv").display().to_string();
    let humans = "--raters human_1,human_2,human_3";
    let kappa = bench.json(&format!("stats kappa {file} {humans}"));
    let pairs = kappa["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 3);
    for pair in pairs {
        let name = format!("{}~{}", pair["first"].as_str().unwrap(), pair["second"].as_str().unwrap());
        let expected = &reference["cohen_kappa_humans"][&name];
        near_value(&pair["kappa"], &expected["kappa"]);
        near_value(&pair["raw_agreement"], &expected["raw_agreement"]);
        near_value(&pair["se"], &expected["se"]);
        near_value(&pair["interval"]["low"], &expected["ci95"][0]);
        near_value(&pair["interval"]["high"], &expected["ci95"][1]);
    }
    let figures: Vec<String> = pairs.iter().map(|pair| format!("{:.6}", pair["kappa"].as_f64().unwrap())).collect();
    assert_eq!(figures, ["0.852023", "0.878944", "0.861661"]);
    let fleiss = bench.json(&format!("stats fleiss {file} {humans}"));
    near_value(&fleiss["kappa"], &reference["fleiss_kappa_humans"]);
    near_value(&fleiss["free_marginal"], &reference["randolph_kappa_humans"]);
    let alpha = bench.json(&format!("stats alpha {file} {humans}"));
    near_value(&alpha["alpha"], &reference["krippendorff_nominal_humans"]);

    // A judge with unread answers, weights in a stated order, and the classification report.
    let judge = &reference["judges_vs_human_majority"]["judge_gpt35"];
    let against = "--raters human_majority,judge_gpt35";
    let plain = bench.json(&format!("stats kappa {file} {against}"));
    near_value(&plain["pairs"][0]["kappa"], &judge["cohen_kappa"]);
    assert_eq!(plain["pairs"][0]["items"], judge["n"]);
    assert_eq!(plain["pairs"][0]["left_out"], judge["n_unparsed"]);
    for (weights, key) in
        [("linear", "kappa_linear_weighted_order_1_0_2"), ("quadratic", "kappa_quadratic_order_1_0_2")]
    {
        let weighted = bench.json(&format!("stats kappa {file} {against} --weights {weights} --labels 1,0,2"));
        near_value(&weighted["pairs"][0]["kappa"], &judge[key]);
    }
    let report = bench.json(&format!("stats classification {file} --truth human_majority --predicted judge_gpt35"));
    near_value(&report["accuracy"], &judge["accuracy"]);
    near_value(&report["macro"]["f1"], &judge["macro_f1"]);
    assert_eq!(report["matrix"], judge["confusion_rows_human_cols_judge_labels_0_1_2"]);
    let stand_in =
        bench.json(&format!("stats alt-test {file} --humans human_1,human_2,human_3 --judge judge_pandalm7b"));
    assert_eq!(stand_in["annotators"].as_array().unwrap().len(), 3);
}

#[test]
fn attempts_of_tau_airline() {
    let Some((folder, reference)) = data("tau-airline") else { return };
    let bench = Bench::new();
    let file = folder.join("trials.csv").display().to_string();
    let columns = format!("{file} --group task_id --trial trial --score success");
    for (flag, key) in [(" --hat", "pass_hat_k"), ("", "pass_at_k")] {
        let found = bench.json(&format!("stats passk {columns}{flag}"));
        let results = found["results"].as_array().unwrap();
        assert_eq!(results.len(), 4);
        for result in results {
            let expected = &reference[key][result["k"].to_string()];
            near_value(&result["estimate"], &expected["value"]);
            near_value(&result["se"], &expected["task_clustered_se"]);
            let (low, high) =
                (result["interval"]["low"].as_f64().unwrap(), result["interval"]["high"].as_f64().unwrap());
            assert!(low < result["estimate"].as_f64().unwrap() && result["estimate"].as_f64().unwrap() < high);
        }
    }
    let slices = bench.json(&format!("stats passk {columns} --hat --by gold_slice --k 1,4"));
    for slice in slices["slices"].as_array().unwrap() {
        let expected = &reference["by_gold_slice"][slice["value"].as_str().unwrap()];
        near_value(&slice["estimate"], &expected[format!("pass_hat_{}", slice["k"])]);
        assert_eq!(slice["problems"], expected["n_tasks"]);
    }
    let mean = bench.json(&format!("stats mean {file} --group task_id --score success"));
    near(&mean["mean"], 0.42);
    near_value(&mean["se"], &reference["mean_reward_clustered_se_by_task"]);
    near_value(&mean["se_naive"], &reference["mean_reward_naive_se_200_independent"]);
    near_value(&mean["cr0"], &reference["statsmodels_OLS_cluster_se_use_correction_False"]);
    assert_eq!((&mean["n"], &mean["clusters"]), (&200.into(), &50.into()));
    let by_trial = bench.json(&format!("stats mean {file} --score success --by trial"));
    for slice in by_trial["slices"].as_array().unwrap() {
        near_value(&slice["mean"], &reference["by_trial"][slice["value"].as_str().unwrap()]);
    }
    // The same through the planner: what the record's trials buy.
    let plan = bench.json(&format!("power {file} --id task_id --trial trial --score success --slice gold_slice"));
    assert_eq!(plan["schema"], "evalgauge.power/1");
    let whole = row(&plan, "slices", "slice", "overall");
    assert_eq!((&whole["n"], &whole["trials"], &whole["calls"]), (&50.into(), &4.into(), &200.into()));
    let trials = bench.json(&format!("stats trials {file} --group task_id --score success"));
    near_value(&whole["within"], &trials["within"]);
    let drops: Vec<f64> =
        plan["trials"].as_array().unwrap().iter().map(|row| row["smallest_drop"].as_f64().unwrap()).collect();
    assert!(drops.len() == 5 && drops.windows(2).all(|pair| pair[1] < pair[0]), "more trials see more: {drops:?}");
    assert!(row(&plan, "slices", "slice", "gold_slice=1")["needed"].as_u64().unwrap() > 50);
}

#[test]
fn confidences_of_resnet() {
    let Some((folder, reference)) = data("calibration-open") else { return };
    let bench = Bench::new();
    for set in ["resnet110_c10", "resnet110_c100", "snacks"] {
        let expected = &reference["sets"][set];
        let file = folder.join(format!("{set}.csv")).display().to_string();
        let columns = "--confidence confidence --correct correct --replicates 200";
        let found = bench.json(&format!("stats ece {file} {columns}"));
        near_value(&found["ece"], &expected["ece15_equal_width"]);
        near_value(&found["mce"], &expected["mce15_equal_width"]);
        near_value(&found["rmsce"], &expected["rmsce15"]);
        near_value(&found["brier"], &expected["brier_top_label"]);
        near_value(&found["auc"], &expected["auroc_conf_vs_correct"]);
        near_value(&found["accuracy"], &expected["accuracy"]);
        for (bin, expected) in
            found["reliability"].as_array().unwrap().iter().zip(expected["bins15_n_conf_acc"].as_array().unwrap())
        {
            assert_eq!(bin["count"], expected[0]);
        }
        let (low, high) = (&found["interval"]["low"], &found["interval"]["high"]);
        assert!(low.as_f64().unwrap() <= found["ece"].as_f64().unwrap() && found["ece"].as_f64() <= high.as_f64());
        let ten = bench.json(&format!("stats ece {file} {columns} --bins 10"));
        near_value(&ten["ece"], &expected["ece10_equal_width"]);
        let maps = bench.json(&format!("stats recalibrate {file} --confidence confidence --correct correct"));
        let halves = &expected["recalibrated_even_fit_odd_test"];
        near_value(&row(&maps, "held_out", "map", "as stated")["ece"], &halves["before"]["ece15"]);
        near_value(&row(&maps, "held_out", "map", "as stated")["brier"], &halves["before"]["brier"]);
    }
    let text = bench.run(&[
        "stats",
        "ece",
        folder.join("resnet110_c100.csv").to_str().unwrap(),
        "--confidence",
        "confidence",
        "--correct",
        "correct",
        "--replicates",
        "200",
    ]);
    assert!(text.stdout.contains("0.1848045"), "{}", text.stdout);
}

#[test]
fn correlations_of_unieval() {
    let Some((folder, reference)) = data("unieval-scores") else { return };
    let bench = Bench::new();
    let names = ["naturalness", "coherence", "engagingness", "groundedness", "understandability", "overall"];
    let side = |prefix: &str| names.map(|name| format!("{prefix}_{name}")).join(",");
    let chat = folder.join("topical_chat.csv").display().to_string();
    let columns = format!("{chat} --x {} --y {}", side("judge"), side("human"));
    let found = bench.json(&format!("stats correlate {columns}"));
    let mut figures = 0;
    let mut check = |found: &Value, expected: &Value| {
        for (ours, theirs) in [("pearson", "pearson"), ("spearman", "spearman"), ("kendall", "kendall_tau_b")] {
            near_value(&found[ours], &expected[theirs]);
            figures += 1;
        }
    };
    for name in names {
        let pair = row(&found, "pairs", "x", &format!("judge_{name}"));
        let expected = &reference["topical_chat"]["turn_level"][name];
        check(pair, expected);
        near_value(&pair["pearson_interval"]["low"], &expected["pearson_fisher_ci95"][0]);
        for (ours, theirs) in [("pearson_p", "pearson_p"), ("spearman_p", "spearman_p"), ("kendall_p", "kendall_p")] {
            // p-values this small are compared by their own size.
            let (p, q) = (pair[ours].as_f64().unwrap(), expected[theirs].as_f64().unwrap());
            assert!((p / q - 1.0).abs() < 1e-6, "{name} {ours}: {p} against {q}");
        }
    }
    let qags = folder.join("qags.csv").display().to_string();
    let found = bench.json(&format!("stats correlate {qags} --x judge_consistency --y human_consistency --by set"));
    check(row(&found, "slices", "value", "cnndm"), &reference["qags_cnndm"]);
    check(row(&found, "slices", "value", "xsum"), &reference["qags_xsum"]);
    assert_eq!(figures, 24);
    let systems = bench.json(&format!("stats correlate {columns} --means-of system"));
    let within = bench.json(&format!("stats correlate {columns} --by dialogue"));
    for name in names {
        let level = &reference["topical_chat"]["system_level"][name];
        near_value(&row(&systems, "pairs", "x", &format!("judge_{name}"))["spearman"], &level["spearman"]);
        let mean = row(&within, "mean_within", "x", &format!("judge_{name}"));
        let expected = &reference["topical_chat"]["within_dialogue_mean"][name];
        near_value(&mean["spearman"], &expected["spearman_mean_over_non_constant"]);
        assert_eq!(mean["groups_used"], expected["n_dialogues_used"]);
    }
}

#[test]
fn systems_of_gsm8k() {
    let Some((folder, reference)) = data("gsm8k-solutions") else { return };
    let bench = Bench::new();
    let file = folder.join("correct.csv").display().to_string();
    let systems = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"];
    let found = bench.json(&format!("stats cochran-q {file} --columns {} --by steps_slice", systems.join(",")));
    near_value(&found["q"], &reference["cochran_q_4_models"]["statistic"]);
    assert_eq!((format!("{:.3}", found["q"].as_f64().unwrap()), &found["df"]), ("525.395".to_owned(), &3.into()));
    assert!(found["slices"].as_array().unwrap().iter().all(|slice| slice["p_holm"].as_f64() >= slice["p"].as_f64()));
    for system in systems {
        let expected = &reference["accuracy"][system];
        let rate = row(&found, "systems", "system", system);
        near_value(&rate["estimate"], &expected["accuracy"]);
        near_value(&rate["interval"]["low"], &expected["wilson95"][0]);
        let all = bench.json(&format!("stats proportion {file} --outcome {system}"));
        near_value(&all["clopper_pearson"]["high"], &expected["clopper_pearson95"][1]);
    }
    let pairs = reference["pairs"].as_object().unwrap();
    assert!(pairs.len() >= 3);
    for (name, expected) in pairs {
        let (base, head) = name.split_once("->").unwrap();
        let line = format!("stats mcnemar {file} --base {base} --head {head} --by steps_slice");
        let found = bench.json(&line);
        near_value(&found["difference"], &expected["diff_new_minus_base"]);
        near_value(&found["chi_squared"]["statistic"], &expected["mcnemar_chi2"]);
        for (value, expected) in expected["slices_by_steps"].as_object().unwrap() {
            let slice = row(&found, "slices", "value", value);
            assert_eq!((&slice["only_base"], &slice["only_head"]), (&expected["only_base"], &expected["only_new"]));
            for (ours, theirs) in [
                ("p_exact", "mcnemar_exact_p"),
                ("p_mid_doubled", "mcnemar_midp"),
                ("p_holm", "p_holm"),
                ("p_bh", "p_fdr_bh"),
                ("p_bonferroni", "p_bonferroni"),
            ] {
                let (p, q) = (slice[ours].as_f64().unwrap(), expected[theirs].as_f64().unwrap());
                assert!((p / q - 1.0).abs() < 1e-9, "{name} {value} {ours}: {p} against {q}");
            }
        }
    }
}
