//! What is wrong with the input is said: where, what, and the way out.

use std::fmt::Write as _;

use crate::bench::{Bench, judge};

/// A wide table of two raters and a judge.
fn table(items: usize, label: impl Fn(usize, usize) -> String) -> String {
    let mut text = "id,a,b,j\n".to_owned();
    for item in 0..items {
        let _ = writeln!(text, "i{item},{},{},{}", label(item, 0), label(item, 1), label(item, 2));
    }
    text
}

fn mixed(item: usize, _who: usize) -> String {
    (item % 2).to_string()
}

const TWO: &str = "--table t.csv --raters a,b --judge j";

#[test]
fn one_rater_earns_nothing() {
    let bench = Bench::new();
    bench.file("t.csv", table(120, mixed));
    let found = bench.json("--table t.csv --raters a --judge j");
    let licence = &judge(&found)["licence"];
    assert_eq!((&licence["allows"], &licence["basis"]), (&"none".into(), &"one_rater".into()));
    assert!(licence["reasons"][0].as_str().unwrap().contains("one rater only: two are needed"));
}

#[test]
fn forty_labels_earn_nothing() {
    let bench = Bench::new();
    for (items, allows) in [(40, "none"), (49, "none"), (50, "absolute"), (51, "absolute")] {
        bench.file("t.csv", table(items, mixed));
        let found = bench.json(TWO);
        let licence = &judge(&found)["licence"];
        assert_eq!(licence["allows"], allows, "{items}");
        assert_eq!(licence["reasons"][0].as_str().unwrap().contains("50 are needed"), items < 50, "{items}");
    }
}

#[test]
fn items_that_the_judge_did_not_grade_do_not_count() {
    let bench = Bench::new();
    bench.file("t.csv", table(60, |item, who| if who == 2 && item < 11 { String::new() } else { mixed(item, who) }));
    let found = bench.json(TWO);
    assert_eq!(judge(&found)["licence"]["items"], 49);
    assert_eq!(judge(&found)["licence"]["allows"], "none");
    assert!(found["dimensions"][0]["warnings"].to_string().contains("11 of 60 judgements could not be read"));
}

#[test]
fn all_labels_equal_is_said_to_be_degenerate() {
    let bench = Bench::new();
    bench.file("t.csv", table(80, |_, _| "1".to_owned()));
    let found = bench.json(TWO);
    let own = judge(&found);
    assert_eq!(own["against_consensus"]["kappa"]["degenerate"], true);
    assert_eq!(own["licence"]["allows"], "none");
    assert!(own["licence"]["reasons"][0].as_str().unwrap().contains("degenerate"));
    assert!(found["dimensions"][0]["warnings"].to_string().contains("one and the same (degenerate)"));
    let text = bench.run(&["calibrate", "--table", "t.csv", "--raters", "a,b", "--judge", "j"]);
    assert!(text.exit == 0 && text.stdout.contains("0/0") && text.stdout.contains("degenerate"), "{}", text.stdout);
}

#[test]
fn raters_as_rows_are_noticed() {
    let bench = Bench::new();
    let mut text = "rater".to_owned();
    (0..60).for_each(|item| text.push_str(&format!(",i{item}")));
    for who in ["a", "b", "c", "j"] {
        let _ = write!(text, "\n{who}");
        (0..60).for_each(|item| text.push_str(&format!(",{}", item % 3)));
    }
    bench.file("t.csv", text);
    // Named as people think of them, or by the columns that there are.
    for line in [
        "--table t.csv --raters a,b,c --judge j",
        "--table t.csv --raters i* --judge rater --id rater",
        "--table t.csv --raters i0,i1,i2 --judge i3 --id rater",
        "--table t.csv --raters i1,i2,i3,i4,i5,i6 --judge i0",
    ] {
        let said = bench.refused(line);
        assert!(said.contains("transposed") && said.contains("turn the table round"), "{line}: {said}");
    }
    // A long file read as a wide one.
    bench.file("long.csv", "id,rater,label\n1,a,x\n1,j,x\n2,a,y\n2,j,x\n");
    let said = bench.refused("--table long.csv --raters a --judge j --id rater");
    assert!(said.contains("`a` is no column but a value of column `rater`") && said.contains("--rater"), "{said}");
}

#[test]
fn labels_off_the_scale_name_their_line() {
    let bench = Bench::new();
    bench.file("t.csv", table(60, |item, who| if (item, who) == (7, 1) { "9".to_owned() } else { mixed(item, who) }));
    for scale in ["--scale 0,3", "--labels 0,1", "--labels 0,1 --unordered"] {
        let said = bench.refused(&format!("{TWO} {scale}"));
        assert!(said.contains("t.csv:9: column `b`: the label `9` is not on the scale"), "{scale}: {said}");
    }
    // A judge's grade off the scale is never bent onto it: it could not be read.
    bench.file("t.csv", table(60, |item, who| if (item, who) == (7, 2) { "9".to_owned() } else { mixed(item, who) }));
    let found = bench.json(&format!("{TWO} --scale 0,3"));
    assert_eq!(judge(&found)["unparsed"]["off_scale"], serde_json::json!([["9", 1]]));
    assert_eq!(judge(&found)["n"], 59);
    bench.file("long.csv", "id,rater,label\n1,a,good\n1,j,good\n2,a,goood\n2,j,bad\n");
    let said = bench.refused("--table long.csv --rater rater --label label --judge j --labels bad,good");
    assert!(said.contains("long.csv:4: field `label`: the label `goood` is not on the scale"), "{said}");
}

#[test]
fn duplicates_name_both_lines() {
    let bench = Bench::new();
    bench.file("t.csv", "id,a,b,j\n1,0,0,0\n2,1,1,1\n1,0,0,0\n");
    let said = bench.refused(TWO);
    assert!(said.contains("t.csv:4: ") && said.contains("item `1`") && said.contains("on line 2"), "{said}");
    bench.file("long.csv", "id,rater,label\n1,a,x\n1,j,x\n1,a,y\n");
    let said = bench.refused("--table long.csv --rater rater --label label --judge j");
    assert!(said.contains("long.csv:4: ") && said.contains("rater `a`") && said.contains("on line 2"), "{said}");
}

#[test]
fn what_is_missing_is_named() {
    let bench = Bench::new();
    bench.file("t.csv", table(60, mixed)).file(
        "long.csv",
        "id,rater,label,dimension,kind\n1,a,x,tone,human\n1,j,x,tone,\n2,a,y,facts,human\n3,a,x,tone,robot\n",
    );
    let long = "--rater rater --label label --judge j";
    for (line, parts) in [
        ("--table t.csv --raters a,c --judge j", ["no column `c`", "--raters"]),
        ("--table t.csv --raters a,b --judge k", ["no column `k`", "--judge"]),
        ("--table t.csv --raters x* --judge j", ["no column begins with `x`", "the columns are: id, a, b, j"]),
        ("--table t.csv --raters a,a --judge j", ["`a` is named twice", "once"]),
        ("--table t.csv --raters a,j --judge j", ["`j` is named as a rater and as a judge", "leave it out"]),
        ("--table t.csv --raters a,b", ["no judge is named", "--judge COLUMN"]),
        ("--table t.csv --judge j", ["no raters are named", "--rater COLUMN --label COLUMN"]),
        (&format!("{TWO} --labels 0,1,0"), ["names `0` twice", "worst first"]),
        (&format!("{TWO} --labels 0"), ["one label is no scale", "--labels low,mid,high"]),
        (&format!("{TWO} --confidence 95"), ["--confidence 95", "between 0 and 1"]),
        (&format!("{TWO} --tie 0"), ["--tie", "--unparsed tie"]),
        (&format!("{TWO} --unparsed tie --tie 7"), ["there is no label `7`", "--tie LABEL"]),
        (&format!("{TWO} --pass-at good"), ["--pass-at good: there is no such label", "the labels are: `0`, `1`"]),
        (&format!("{TWO} --cost a,b"), ["--cost has 2 columns for 1 judges", "in their order"]),
        (&format!("--table long.csv {long}"), ["long.csv:5: field `kind`: unknown kind of rater `robot`", "stand-in"]),
        ("--table long.csv --rater rater --label what --judge j", ["no column `what`", "--label"]),
    ] {
        let said = bench.refused(line);
        assert!(parts.iter().all(|part| said.contains(part)), "{line}: {said}");
    }
    let ran = bench.run(&["calibrate", "tone"]);
    assert!(ran.exit == 2 && ran.stderr.contains("no judge `tone`") && ran.stderr.contains("judge new tone"));
    bench.file("long.csv", "id,rater,label,dimension\n1,a,x,tone\n1,j,x,tone\n2,a,y,facts\n2,b,y,facts\n");
    let said = bench.refused(&format!("--table long.csv {long}"));
    assert!(said.contains("labels of the dimension `facts`, and no grade of `j`"), "{said}");
    assert!(said.contains("--dimensions"), "{said}");
    bench.json(&format!("--table long.csv {long} --dimensions tone"));
    let said = bench.refused(&format!("--table long.csv {long} --dimensions style"));
    assert!(said.contains("no label is of the dimension `style`") && said.contains("facts"), "{said}");
    let said = bench.refused("--table long.csv --rater rater --label label --judge k");
    assert!(said.contains("no label is from the judge `k`") && said.contains("`a`, `b`, `j`"), "{said}");
}

#[test]
fn words_have_no_order_of_their_own() {
    let bench = Bench::new();
    bench.file("t.csv", table(60, |item, _| ["low", "mid", "high"][item % 3].to_owned()));
    let said = bench.refused(&format!("{TWO} --ordered"));
    assert!(said.contains("whose order only you know") && said.contains("--labels WORST,…,BEST"), "{said}");
    let found = bench.json(&format!("{TWO} --labels low,mid,high"));
    assert_eq!(found["dimensions"][0]["scale"]["measure"], "ordered");
    let found = bench.json(TWO);
    assert_eq!(found["dimensions"][0]["scale"]["measure"], "unordered");
    assert!(judge(&found)["against_consensus"]["ordered"].is_null());
}
