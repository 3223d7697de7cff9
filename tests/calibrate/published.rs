//! Published tables come out of the command line, to their digits.

use serde_json::Value;

use crate::bench::{Bench, judge, near, near_value, testdata};

fn reference(folder: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("reference.json")).unwrap()).unwrap()
}

/// `PandaLM`: three people, two judges, 999 pairs.
#[test]
fn pandalm() {
    let Some(folder) = testdata("pandalm", "published::pandalm") else { return };
    let expected = reference(&folder);
    let bench = Bench::new();
    let table = folder.join("labels.csv");
    let run = |rest: &str| bench.json(&format!("--table {} --raters human_1,human_2,human_3 {rest}", table.display()));
    let found = run("--judge judge_pandalm7b --slice app");
    let dimension = &found["dimensions"][0];
    for pair in dimension["inter_rater"]["pairs"].as_array().unwrap() {
        let name = format!("{}~{}", pair["first"].as_str().unwrap(), pair["second"].as_str().unwrap());
        let expected = &expected["cohen_kappa_humans"][name.as_str()];
        near_value(&pair["kappa"]["value"], &expected["kappa"]);
        near_value(&pair["kappa"]["se"], &expected["se"]);
        near_value(&pair["kappa"]["interval"]["low"], &expected["ci95"][0]);
        near_value(&pair["agreement"], &expected["raw_agreement"]);
    }
    let raters = &dimension["inter_rater"];
    near_value(&raters["fleiss_kappa"]["value"], &expected["fleiss_kappa_humans"]);
    near_value(&raters["free_marginal_kappa"], &expected["randolph_kappa_humans"]);
    near_value(&raters["alpha_nominal"]["value"], &expected["krippendorff_nominal_humans"]);
    assert_eq!(judge(&found)["licence"]["allows"], "relative");
    let apps = judge(&found)["slices"].as_array().unwrap();
    assert!(apps.len() > 20 && apps.iter().map(|slice| slice["items"].as_u64().unwrap()).sum::<u64>() == 999);
    for name in ["judge_pandalm7b", "judge_gpt35"] {
        let expected = &expected["judges_vs_human_majority"][name];
        let found = run(&format!("--judge {name} --unparsed drop --labels 1,0,2"));
        let own = judge(&found);
        assert_eq!(own["unparsed"]["n"], expected["n_unparsed"]);
        let against = &own["against_consensus"];
        assert_eq!(against["n"], expected["n"]);
        near_value(&against["agreement"], &expected["accuracy"]);
        near_value(&against["kappa"]["value"], &expected["cohen_kappa"]);
        near_value(&against["kappa"]["se"], &expected["kappa_se_delta"]);
        near_value(&against["kappa"]["interval"]["low"], &expected["kappa_ci95"][0]);
        near_value(&against["kappa"]["interval"]["high"], &expected["kappa_ci95"][1]);
        near_value(&against["ordered"]["quadratic_kappa"]["value"], &expected["kappa_quadratic_order_1_0_2"]);
        near_value(&against["ordered"]["linear_kappa"]["value"], &expected["kappa_linear_weighted_order_1_0_2"]);
        let scores = &against["classes"]["macro_average"];
        near_value(&scores["precision"], &expected["macro_precision"]);
        near_value(&scores["recall"], &expected["macro_recall"]);
        near_value(&scores["f1"], &expected["macro_f1"]);
        let found = run(&format!("--judge {name} --slice model_1,model_2"));
        let own = judge(&found);
        assert_eq!(
            own["against_consensus"]["confusion"]["rows"],
            expected["confusion_rows_human_cols_judge_labels_0_1_2"]
        );
        for slice in own["slices"].as_array().unwrap() {
            let parts: Vec<&str> = slice["slice"].as_str().unwrap().split([',', '=']).skip(1).step_by(2).collect();
            let expected = &expected["agreement_by_model_pair"][parts.join("_").as_str()];
            assert_eq!(slice["against"]["n"], expected["n"], "{parts:?}");
            near_value(&slice["against"]["agreement"], &expected["rate"]);
        }
    }
    let found = run("--judge judge_gpt35,judge_pandalm7b");
    for own in found["dimensions"][0]["judges"].as_array().unwrap() {
        for rater in own["against_raters"].as_array().unwrap() {
            let expected = &expected["judge_vs_each_human_kappa"][own["judge"].as_str().unwrap()];
            near_value(&rater["kappa"]["value"], &expected[rater["reference"].as_str().unwrap()]);
        }
    }
}

/// The paper counts verdicts that could not be read as ties; the other reading leaves them out.
#[test]
fn both_readings_of_unparsed_verdicts() {
    let Some(folder) = testdata("pandalm", "published::both_readings_of_unparsed_verdicts") else { return };
    let all = reference(&folder);
    let bench = Bench::new();
    for table in ["labels.csv", "pairs.jsonl"] {
        let run = |unparsed: &str| {
            let table = folder.join(table);
            bench.json(&format!("--table {} --raters human_* --judge judge_gpt35 {unparsed}", table.display()))
        };
        // `human_*` takes the majority's column too.
        assert_eq!(run("--unparsed drop")["dimensions"][0]["raters"].as_array().unwrap().len(), 4);
    }
    let table = folder.join("labels.csv");
    for (flags, expected, counted_as) in [
        ("--unparsed drop", &all["judges_vs_human_majority"]["judge_gpt35"], "left out"),
        ("--unparsed tie", &all["gpt35_with_25_unparsed_counted_as_tie"], "0"),
        ("--unparsed tie --tie 0", &all["gpt35_with_25_unparsed_counted_as_tie"], "0"),
    ] {
        let line = format!("--table {} --raters human_1,human_2,human_3 --judge judge_gpt35 {flags}", table.display());
        let found = bench.json(&line);
        let own = judge(&found);
        assert_eq!(own["unparsed"]["n"], 25);
        assert_eq!(own["unparsed"]["counted_as"], counted_as);
        near(&own["unparsed"]["rate"], 25.0 / 999.0);
        let against = &own["against_consensus"];
        assert_eq!(against["n"], expected["n"]);
        near_value(&against["agreement"], &expected["accuracy"]);
        near_value(&against["kappa"]["value"], &expected["cohen_kappa"]);
        near_value(&against["classes"]["macro_average"]["precision"], &expected["macro_precision"]);
        near_value(&against["classes"]["macro_average"]["recall"], &expected["macro_recall"]);
        near_value(&against["classes"]["macro_average"]["f1"], &expected["macro_f1"]);
    }
}

/// `UniEval`: scores without steps against mean ratings; 18 correlations by dimension and 6 by slice.
#[test]
fn unieval() {
    let Some(folder) = testdata("unieval-scores", "published::unieval") else { return };
    let expected = reference(&folder);
    let bench = Bench::new();
    let names = "naturalness,coherence,engagingness,groundedness,understandability,overall";
    let table = folder.join("topical_chat.csv");
    let found =
        bench.json(&format!("--table {} --raters human_{{}} --judge judge_{{}} --dimensions {names}", table.display()));
    let mut checked = 0;
    let mut check = |found: &Value, expected: &Value| {
        near_value(&found["pearson"]["coefficient"], &expected["pearson"]);
        near_value(&found["spearman"]["coefficient"], &expected["spearman"]);
        near_value(&found["kendall"]["tau_b"], &expected["kendall_tau_b"]);
        checked += 3;
    };
    for dimension in found["dimensions"].as_array().unwrap() {
        let own = &dimension["judges"][0];
        let expected = &expected["topical_chat"]["turn_level"][dimension["dimension"].as_str().unwrap()];
        check(&own["against_raters"][0]["ordered"], expected);
        near_value(
            &own["against_raters"][0]["ordered"]["pearson"]["interval"]["low"],
            &expected["pearson_fisher_ci95"][0],
        );
        assert_eq!(own["licence"]["allows"], "none");
    }
    // One dimension at a time says the same.
    let one = bench
        .json(&format!("--table {} --raters human_coherence --judge judge_coherence --slice system", table.display()));
    assert_eq!(
        judge(&one)["against_raters"][0]["ordered"],
        found["dimensions"][1]["judges"][0]["against_raters"][0]["ordered"]
    );
    let table = folder.join("qags.csv");
    let found = bench.json(&format!(
        "--table {} --raters human_consistency --judge judge_consistency --slice set --pass-at 1",
        table.display()
    ));
    for (slice, set) in judge(&found)["slices"].as_array().unwrap().iter().zip(["cnndm", "xsum"]) {
        assert_eq!(slice["slice"], format!("set={set}"));
        check(&slice["against"]["ordered"], &expected[format!("qags_{set}").as_str()]);
    }
    assert_eq!(checked, 24);
    let mapped = &judge(&found)["reliability"];
    assert_eq!((&mapped["n"], &mapped["passes"]), (&474.into(), &229.into()));
    assert!(mapped["brier"].as_f64() < mapped["brier_of_grades"].as_f64(), "the mapping is better than the raw grade");
}
