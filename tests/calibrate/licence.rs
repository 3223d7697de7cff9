//! What a judge may be used for, at the limits and against flattery.

use std::fmt::Write as _;

use serde_json::Value;

use crate::bench::{Bench, Draw, judge, near};

/// A table in which three raters agree throughout, and the judge with them but for `wrong` items of each kind.
fn against_three(items: usize, wrong: usize) -> String {
    let mut text = "id,a,b,c,j\n".to_owned();
    for item in 0..items {
        let truth = item % 2;
        let says = if item / 2 < wrong { 1 - truth } else { truth };
        let _ = writeln!(text, "i{item:04},{truth},{truth},{truth},{says}");
    }
    text
}

fn licence(bench: &Bench, raters: &str, text: String) -> Value {
    bench.file("t.csv", text);
    judge(&bench.json(&format!("--table t.csv --raters {raters} --judge j")))["licence"].clone()
}

/// With balanced labels and errors κ is 1 − 2 · errors / items, here 1 − wrong / 50: every limit can be hit exactly.
#[test]
fn limits_of_kappa() {
    let bench = Bench::new();
    for (wrong, kappa, allows) in [
        (19, 0.62, "absolute"),
        (20, 0.6, "absolute"),
        (21, 0.58, "relative"),
        (29, 0.42, "relative"),
        (30, 0.4, "relative"),
        (31, 0.38, "none"),
    ] {
        let found = licence(&bench, "a,b,c", against_three(200, wrong));
        near(&found["kappa"], kappa);
        assert_eq!(found["allows"], allows, "{wrong}");
        assert_eq!(found["basis"], "consensus");
        assert!(found["strict"].as_str().unwrap() != "absolute", "the lower end is lower: {found}");
    }
    let found = licence(&bench, "a,b,c", against_three(400, 0));
    assert_eq!((&found["allows"], &found["strict"]), (&"absolute".into(), &"absolute".into()));
}

/// Raters who agree with each other below .4 have an ambiguous rubric: no licence, however good the judge looks.
#[test]
fn raters_who_do_not_agree_license_nobody() {
    let bench = Bench::new();
    let mut draw = Draw(3);
    let mut text = "id,a,b,c,j\n".to_owned();
    for item in 0..200 {
        let labels: Vec<usize> = (0..3).map(|_| usize::from(draw.next() < 0.5)).collect();
        let majority = usize::from(labels.iter().sum::<usize>() >= 2);
        let _ = writeln!(text, "i{item},{},{},{},{majority}", labels[0], labels[1], labels[2]);
    }
    let found = licence(&bench, "a,b,c", text);
    near(&found["kappa"], 1.0);
    assert_eq!(found["allows"], "none");
    assert!(found["reasons"][0].as_str().unwrap().contains("the rubric is ambiguous"));
}

/// A judge that errs exactly as people do agrees with each of two of them as they do with each other. Dropping the items
/// on which the two disagree would lift its κ; the licence goes by the smaller κ instead.
#[test]
fn a_judge_as_good_as_a_rater_earns_no_more_than_its_kappa_to_each() {
    let bench = Bench::new();
    let mut flattered = 0;
    for seed in 0..10 {
        let mut draw = Draw(seed);
        let mut text = "id,a,b,j\n".to_owned();
        for item in 0..600 {
            let truth = usize::from(draw.next() < 0.5);
            let mut say = || if draw.next() < 0.12 { 1 - truth } else { truth };
            let _ = writeln!(text, "i{item:04},{},{},{}", say(), say(), say());
        }
        bench.file("t.csv", text);
        let found = bench.json("--table t.csv --raters a,b --judge j");
        let own = judge(&found);
        let value = |one: &Value| one["kappa"]["value"].as_f64().unwrap();
        let each: Vec<f64> = own["against_raters"].as_array().unwrap().iter().map(value).collect();
        let least = each[0].min(each[1]);
        near(&own["licence"]["kappa"], least);
        assert_eq!(own["licence"]["basis"], "smaller_of_two");
        let expected = if least >= 0.6 { "absolute" } else { "relative" };
        assert_eq!(own["licence"]["allows"], expected);
        // What dropping would have said.
        assert!(value(&own["against_consensus"]) > least + 0.05);
        flattered += usize::from(value(&own["against_consensus"]) >= 0.6 && least < 0.6);
        assert!(found["dimensions"][0]["warnings"].to_string().contains("are the easy ones"));
    }
    assert!(flattered > 0, "the data tell the two rules apart");
}

/// Many raters, two an item: a consensus would again be the items on which two people agree.
#[test]
fn two_labels_an_item_of_changing_people_are_two_raters() {
    let bench = Bench::new();
    let mut draw = Draw(9);
    let mut text = "id,rater,label\n".to_owned();
    for item in 0..400 {
        let truth = usize::from(draw.next() < 0.5);
        let first = (draw.next() * 6.0) as usize;
        for rater in [format!("r{first}"), format!("r{}", (first + 1) % 6), "j".to_owned()] {
            let label = if draw.next() < 0.12 { 1 - truth } else { truth };
            let _ = writeln!(text, "i{item},{rater},{label}");
        }
    }
    bench.file("long.csv", text);
    let found = bench.json("--table long.csv --rater rater --label label --judge j");
    let own = judge(&found);
    assert_eq!(own["licence"]["basis"], "smaller_of_two");
    assert!(own["licence"]["kappa"].as_f64() < own["against_consensus"]["kappa"]["value"].as_f64());
}

#[test]
fn stand_ins_are_said_and_count_for_nothing_beside_people() {
    let bench = Bench::new();
    bench.file("t.csv", against_three(120, 6));
    let run = |flags: &str| bench.json(&format!("--table t.csv --raters a,b,c --judge j {flags}"));
    let all = run("--stand-in a,b,c");
    assert_eq!(judge(&all)["licence"]["stand_in"], true);
    assert!(judge(&all)["licence"]["reasons"].to_string().contains("allow_stand_in"));
    let one = run("--stand-in c");
    assert_eq!(judge(&one)["licence"]["stand_in"], false);
    assert_eq!(judge(&one)["licence"]["raters"], 2);
    let two = run("--stand-in b,c");
    assert_eq!(judge(&two)["licence"]["stand_in"], true, "one person is not enough, so stand-ins count");
}

/// Labels in an order: κ with quadratic weights counts, and a judge that is off by one is not a judge that is off by three.
#[test]
fn ordered_labels_go_by_quadratic_kappa() {
    let bench = Bench::new();
    let mut text = "id,a,b,c,j\n".to_owned();
    for item in 0..160 {
        let truth = item % 4;
        let near = if item % 3 == 0 { (truth + 1).min(3) } else { truth };
        let _ = writeln!(text, "i{item},{truth},{truth},{truth},{near}");
    }
    bench.file("t.csv", text);
    let run = |flags: &str| bench.json(&format!("--table t.csv --raters a,b,c --judge j {flags}"));
    let (names, ordered) = (run("--unordered"), run("--ordered"));
    let kappa = |found: &Value| judge(found)["licence"]["kappa"].as_f64().unwrap();
    assert!(kappa(&ordered) > kappa(&names) + 0.1);
    assert_eq!(
        judge(&ordered)["licence"]["kappa"],
        judge(&ordered)["against_consensus"]["ordered"]["quadratic_kappa"]["value"]
    );
    assert_eq!(ordered["dimensions"][0]["inter_rater"]["headline"], "Krippendorff's alpha, ordinal");
    // The same order, stated another way.
    assert_eq!(kappa(&run("--scale 0,3")), kappa(&ordered));
    assert_eq!(kappa(&run("--labels 0,1,2,3")), kappa(&ordered));
    // A scale with a step that nobody used is another scale.
    assert_eq!(run("--scale 0,4")["dimensions"][0]["scale"]["labels"].as_array().unwrap().len(), 5);
}
