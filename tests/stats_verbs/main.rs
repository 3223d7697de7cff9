//! The verbs `stats`, `power` and `ab` from outside: the published figures, numbers and files, and what is refused.
//!
//! Figures over whole data sets need the folder that `EVALGAUGE_TESTDATA` names (default `../shared/data`); a test that
//! misses it says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs, reason = "test program")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

mod figures;

/// A folder of its own, so that no project file is in sight.
struct Bench {
    folder: TempDir,
}

/// What a call came to.
struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_evalgauge"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("EVALGAUGE_CONFIG")
            .output()
            .unwrap();
        Ran {
            exit: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The object of a call that succeeds. The line is split at spaces; the first word of `line` may be a path.
    fn json(&self, line: &str) -> Value {
        let (ran, exit) = (self.run_json(line), 0);
        assert_eq!(ran.exit, exit, "{line}: {}{}", ran.stdout, ran.stderr);
        ran.json()
    }

    fn run_json(&self, line: &str) -> Ran {
        let mut arguments: Vec<&str> = line.split(' ').collect();
        arguments.extend(["--format", "json"]);
        self.run(&arguments)
    }

    /// The reason of a call that is refused: exit 2, and an object that says why.
    fn refused(&self, line: &str) -> String {
        let ran = self.run_json(line);
        assert_eq!(ran.exit, 2, "{line}: {}{}", ran.stdout, ran.stderr);
        let object = ran.json();
        assert_eq!((&object["schema"], &object["exit_code"]), (&"evalgauge.stats/1".into(), &2.into()), "{line}");
        assert!(object["method"].as_str().is_some_and(|method| !method.is_empty()), "{line}");
        let reason = object["reason"].as_str().unwrap().to_owned();
        assert!(ran.stderr.contains(&reason), "{line}: stderr says it too");
        reason
    }
}

#[track_caller]
fn near(found: &Value, expected: f64) {
    within(found, expected, 1e-9);
}

#[track_caller]
fn within(found: &Value, expected: f64, tolerance: f64) {
    let number = found.as_f64().unwrap_or_else(|| panic!("expected {expected}, found {found}"));
    assert!((number - expected).abs() <= tolerance * expected.abs().max(1e-3), "expected {expected}, found {number}");
}

#[track_caller]
fn near_value(found: &Value, expected: &Value) {
    near(found, expected.as_f64().unwrap());
}

fn row<'v>(object: &'v Value, table: &str, key: &str, value: &str) -> &'v Value {
    let rows = object[table].as_array().unwrap_or_else(|| panic!("no table {table} in {object}"));
    rows.iter().find(|row| row[key] == value).unwrap_or_else(|| panic!("no row with {key} = {value} in {object}"))
}

#[test]
fn numbers_instead_of_a_file() {
    let bench = Bench::new();
    let passk = bench.json("stats passk 20 3 5");
    near(&passk["estimate"], 0.600_877_192_982_456);
    near(&bench.json("stats passk 20 3 5 --hat")["estimate"], 0.0);
    let text = bench.run(&["stats", "passk", "20", "3", "5"]);
    assert!(text.exit == 0 && text.stdout.contains("0.600877") && text.stdout.contains("Chen"), "{}", text.stdout);
    let wilson = bench.json("stats wilson 45 60");
    near(&wilson["estimate"], 0.75);
    within(&wilson["interval"]["low"], 0.627_679, 1e-6);
    within(&wilson["interval"]["high"], 0.842_235, 1e-6);
    assert!(
        bench.json("stats wilson 45 60 --alpha .2")["interval"]["low"].as_f64() > wilson["interval"]["low"].as_f64()
    );
    let mcnemar = bench.json("stats mcnemar 306 209 152 652");
    near(&mcnemar["chi_squared"]["statistic"], 9.0);
    near(&mcnemar["p_exact"], 0.003_150_656_880_360_618);
    near(&mcnemar["difference"], -57.0 / 1319.0);
    // Newcombe 1998, table II a.
    let newcombe = bench.json("stats newcombe 56 70 48 80");
    within(&newcombe["interval"]["low"], 0.0524, 2e-3);
    within(&newcombe["interval"]["high"], 0.3339, 2e-3);
    // Cohen's κ of 50 grant applications.
    near(&bench.json("stats kappa 20 5 10 15")["pairs"][0]["kappa"], 0.4);
    for (method, expected) in [
        ("holm", [0.03, 0.06, 0.06]),
        ("hochberg", [0.03, 0.04, 0.04]),
        ("hommel", [0.03, 0.04, 0.04]),
        ("bh", [0.03, 0.04, 0.04]),
        ("by", [0.055, 0.22 / 3.0, 0.22 / 3.0]),
        ("bonferroni", [0.03, 0.12, 0.09]),
    ] {
        let found = bench.json(&format!("stats {method} .01 .04 .03"));
        for (found, expected) in found["results"].as_array().unwrap().iter().zip(expected) {
            near(&found["adjusted"], expected);
        }
    }
    near(&bench.json("stats mean 1 2 -3")["mean"], 0.0);
    near(&bench.json("stats correlate --x 1,2,3,4 --y 2,4,6,9")["spearman"], 1.0);
    near(&bench.json("stats win-rate 30 20 10")["rate"], 35.0 / 60.0);
    near(&bench.json("stats judge-corrected 45 5 40 10 300 500")["rate"], 0.4 / 0.7);
    near(&bench.json("stats drift --base 50,50 --head 50,50")["psi"], 0.0);
    near(&bench.json("stats ks --x 1,2,3,4 --y 3,4,5,6")["d"], 0.5);
    near(&bench.json("stats permutation --x 1,2,3 --y 0,0,0")["p"], 0.25);
    near(&bench.json("stats mann-whitney --x 1,2,3 --y 4,5,6")["p"], 0.1);
    within(&bench.json("stats group-sequential --looks 2 --boundary pocock")["bounds"][0]["bound_z"], 2.178, 1e-3);
    // R: power.prop.test(p1 = .50, p2 = .75, power = .90) gives 76.7.
    assert_eq!(bench.json("stats power two-proportion --p-a .5 --p-b .75 --power .9")["items_per_arm"], 77);
    let t = bench.json("stats power t --effect .5 --two-sample");
    assert_eq!(t["items"], 64);
}

#[test]
fn files_in_every_format_say_the_same() {
    let bench = Bench::new();
    let csv = bench.file("a.csv", "id,ok\n1,1\n2,0\n3,true\n4,\n");
    let tsv = bench.file("a.tsv", "id\tok\n1\t1\n2\t0\n3\ttrue\n4\t\n");
    let jsonl = bench
        .file("a.jsonl", "{\"id\":1,\"ok\":1}\n{\"id\":2,\"ok\":0}\n{\"id\":3,\"ok\":true}\n{\"id\":4,\"ok\":null}\n");
    let found = [csv, tsv, jsonl].map(|file| bench.json(&format!("stats wilson {file} --outcome ok")));
    assert_eq!((&found[0]["successes"], &found[0]["n"], &found[0]["left_out"]), (&2.into(), &3.into(), &1.into()));
    assert!(found[0] == found[1] && found[0] == found[2]);
    // Labels that are the same number are the same label, in whatever way they are written.
    let mixed = bench.file("mixed.csv", "a,b\n1,1.0\n2,2.0\n1,1\n");
    near(&bench.json(&format!("stats kappa {mixed} --raters a,b"))["pairs"][0]["kappa"], 1.0);
    let written = bench.folder.path().join("out.json");
    let ran = bench.run(&["stats", "wilson", "4", "5", "--format", "json", "-o", written.to_str().unwrap()]);
    assert!(ran.exit == 0 && ran.stdout.is_empty());
    assert!(std::fs::read_to_string(written).unwrap().contains("evalgauge.stats/1"));
}

#[test]
fn texts_and_games() {
    let bench = Bench::new();
    let texts = bench
        .file("t.csv", "id,h,r\n1,the cat sat on the mat,the cat is on the mat\n2,hello world,hello there world\n");
    let columns = format!("{texts} --hypothesis h --reference r");
    let bleu = bench.json(&format!("stats bleu {columns}"));
    assert_eq!(bleu["signature"], "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
    assert_eq!((&bleu["hypothesis_length"], &bleu["reference_length"]), (&8.into(), &9.into()));
    near(&bleu["precisions"][0], 87.5);
    near(&bench.json(&format!("stats rouge {columns}"))["rouge1"], f64::midpoint(5.0 / 6.0, 0.8));
    near(&bench.json(&format!("stats squad {columns}"))["exact_match"], 0.0);
    assert!(bench.json(&format!("stats chrf {columns}"))["chrf"].as_f64().unwrap() > 50.0);
    near(&bench.json(&format!("stats ter {columns} --replicates 0"))["ter"], 200.0 / 9.0);
    let games = bench.file("g.csv", "a,b,w\nx,y,x\nx,y,y\nx,y,x\ny,z,y\ny,z,z\nz,x,tie\n");
    let found = bench.json(&format!("stats bradley-terry {games} --first a --second b --winner w"));
    assert_eq!(found["players"][0]["player"], "x");
    // Who wins everything has no finite strength.
    let sweep = bench.file("s.csv", "a,b,w\nx,y,1\nx,y,1\n");
    assert!(
        bench.refused(&format!("stats bradley-terry {sweep} --first a --second b --winner w")).contains("undefined")
    );
    let elo = bench.json(&format!("stats elo {sweep} --first a --second b --winner w --k 32"));
    within(&elo["players"][0]["elo"], 1_030.530_5, 1e-7);
    let ranked = bench.file("r.csv", "q,rank,grade\n1,1,0\n1,2,1\n2,1,1\n2,2,\n2,,1\n");
    let found = bench.json(&format!("stats retrieval {ranked} --query q --rank rank --grade grade"));
    near(&found["mrr"], 0.75);
    near(&row_at(&found, 1)["recall"], 0.25);
}

fn row_at(object: &Value, k: u64) -> &Value {
    object["at"].as_array().unwrap().iter().find(|row| row["k"] == k).unwrap()
}

/// What is asked, and words of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("stats wilson 0 0", "at least 1"),
    ("stats wilson 70 60", "successes is 70"),
    ("stats wilson 1.5 60", "whole number"),
    ("stats wilson -1 60", "whole number"),
    ("stats proportion 3 2", "successes"),
    ("stats newcombe 1 0 1 2", "at least 1"),
    ("stats mcnemar 0 0 0 0", "at least 1"),
    ("stats passk 5 6 1", "passes is 6"),
    ("stats passk 5 3 6", "k is 6"),
    ("stats passk 5 3 0", "k is 0"),
    ("stats holm .2 1.2", "p-value is 1.2"),
    ("stats holm nan .1", "p-value"),
    ("stats mean 3", "at least 2"),
    ("stats correlate --x 1,1,1 --y 1,2,3", "constant"),
    ("stats correlate --x 1,2 --y 1,2,3", "lengths differ"),
    ("stats win-rate 0 0 0", "at least 1"),
    ("stats judge-corrected 10 10 10 10 5 9", "undefined"),
    ("stats power two-proportion --p-a .5 --p-b .5", "undefined"),
    ("stats power two-proportion --p-a 1.5 --p-b .5", "proportion"),
    ("stats power two-proportion --p-a .5 --p-b .6 --power 1", "power is 1"),
    ("stats power mcnemar --discordance .05 --n 10", "undefined"),
    ("stats wilcoxon --x 1,2 --y 1,2", "undefined"),
    ("stats t-test --x 1,1 --y 2,2", "undefined"),
    ("stats group-sequential --looks 0", "looks"),
    ("stats kappa 0 0 0 0", "at least 1"),
];

#[test]
fn refusals_say_why() {
    let bench = Bench::new();
    for (line, words) in REFUSED {
        let reason = bench.refused(line);
        assert!(reason.contains(words), "{line}: {reason}");
    }
}

#[test]
fn runs_of_an_unchanged_system() {
    let bench = Bench::new();
    let run = |name: &str, of: fn(usize) -> usize| {
        let rows: Vec<String> = (0..200).map(|i| format!("e{i},{}", u8::from(!of(i).is_multiple_of(5)))).collect();
        bench.file(name, &format!("id,score\n{}\n", rows.join("\n")))
    };
    // A fifth fails, other examples in every run: flicker, and no run is better than another.
    let still: Vec<String> = [run("a.csv", |i| i), run("b.csv", |i| i + 1), run("c.csv", |i| i + 2)].into();
    let found = bench.json(&format!("stats noise {}", still.join(" ")));
    within(&found["delta_sd"], 0.0, 1e-12);
    assert_eq!((&found["runs"], &found["examples"], &found["tolerance"]), (&3.into(), &200.into(), &Value::Null));
    assert!(found["reason"].as_str().unwrap().contains("flicker explains"), "{found}");
    // One run in which everything fails moved as a whole.
    let moved = run("d.csv", |_| 0);
    let found = bench.json(&format!("stats noise {} {} {moved}", still[0], still[1]));
    assert!(found["drift_p"].as_f64().unwrap() < 1e-6, "{found}");
    assert_eq!(found["tolerance"], found["drift_sd"]);
    let other = bench.file("e.csv", "id,score\ne0,1\ne1,1\n");
    let ran = bench.run(&["stats", "noise", &still[0], &other]);
    assert!(ran.exit != 0 && (ran.stdout + &ran.stderr).contains("same examples"));
}

/// A file, what is asked of it, and words of the reason: refused by the calculator.
const REFUSED_FILES: &[(&str, &str, &str)] = &[
    ("a,b\n1,1\n1,1\n", "stats alpha FILE --raters a,b", "one value"),
    ("a,b\n1,1\n1,1\n", "stats ac1 FILE --raters a,b", "at least 2"),
    ("a,b\n1,\n,1\n", "stats kappa FILE --raters a,b", "at least 1"),
    ("a,b\n1,1\n0,0\n", "stats cochran-q FILE --columns a,b", "undefined"),
    ("s,g\n1,x\n0,x\n", "stats trials FILE --score s --group g", "at least 2"),
    ("p,l\n.1,a\n,b\n", "stats holm FILE --column p", "no p-value"),
    ("c,k\n1.5,1\n.5,0\n", "stats ece FILE --confidence c --correct k", "outside"),
    ("g,t,s\na,1,1\na,2,0\n", "stats passk FILE --group g --trial t --score s --k 3", "k is 3"),
];

#[test]
fn files_are_refused_with_a_reason() {
    let bench = Bench::new();
    for (text, line, words) in REFUSED_FILES {
        let file = bench.file("refused.csv", text);
        let reason = bench.refused(&line.replace("FILE", &file));
        assert!(reason.contains(words), "{line}: {reason}");
    }
}

/// A file, what is asked, what must be null, and words of the reason: the number there is stays, the certainty does not.
const WITHOUT_CERTAINTY: &[(&str, &str, &str, &str)] = &[
    ("a,b\n1,1\n1,1\n", "stats kappa FILE --raters a,b", "/pairs/0/interval", "/pairs/0/reason"),
    ("a,b\n1,1\n1,1\n", "stats kappa FILE --raters a,b", "/pairs/0/landis_koch", "/pairs/0/reason"),
    ("a,b\n1,1\n2,2\n", "stats kappa FILE --raters a,b", "/pairs/0/interval", "/pairs/0/reason"),
    ("a,b\n1,1\n1,1\n", "stats fleiss FILE --raters a,b", "/interval", "/reason"),
    ("a,b\n1,1\n2,2\n", "stats alpha FILE --raters a,b", "/interval", "/reason"),
    ("a,b\n1,1\n2,2\n", "stats ac1 FILE --raters a,b", "/se", "/reason"),
    ("s\n.5\n.5\n.5\n", "stats mean FILE --score s", "/interval", "/reason"),
    ("s\n.5\n.5\n.5\n", "stats mean FILE --score s", "/se", "/reason"),
    ("s,g\n1,a\n0,a\n", "stats mean FILE --score s --group g", "/interval", "/reason"),
    (
        "g,t,s\na,1,1\nb,1,1\n",
        "stats passk FILE --group g --trial t --score s",
        "/results/0/interval",
        "/results/0/reason",
    ),
    ("a,b\n1,1\n1,1\n", "stats mcnemar FILE --base a --head b", "/wald", "/reason"),
    ("c,k\n.9,1\n.8,0\n", "stats ece FILE --confidence c --correct k", "/interval", "/reason"),
    ("c,k\n.9,1\n.8,1\n", "stats ece FILE --confidence c --correct k", "/auc", "/reason"),
];

#[test]
fn nothing_is_more_certain_than_it_is() {
    let bench = Bench::new();
    for (text, line, absent, reason) in WITHOUT_CERTAINTY {
        let file = bench.file("degenerate.csv", text);
        let found = bench.json(&line.replace("FILE", &file));
        assert_eq!(found.pointer(absent), Some(&Value::Null), "{line}: {absent} in {found}");
        assert!(found.pointer(reason).and_then(Value::as_str).is_some_and(|why| !why.is_empty()), "{line}: {found}");
    }
    // All or none: an interval of positive width, from the number of groups.
    let file = bench.file("all.csv", "s,g\n1,a\n1,a\n1,b\n");
    let found = bench.json(&format!("stats mean {file} --score s --group g"));
    assert_eq!((&found["clusters"], &found["interval"]["high"]), (&2.into(), &1.0.into()));
    within(&found["interval"]["low"], 0.342_38, 1e-4);
    let none = bench.json("stats proportion 0 20");
    assert!(none["wald"].is_null() && none["reason"].is_string());
    for interval in ["wilson", "wilson_corrected", "clopper_pearson", "jeffreys", "uniform_prior", "agresti_coull"] {
        let (low, high) = (none[interval]["low"].as_f64().unwrap(), none[interval]["high"].as_f64().unwrap());
        assert!(low < high, "{interval}");
    }
}

#[test]
fn mistakes_are_named() {
    let bench = Bench::new();
    let file = bench.file("m.csv", "a,b,p\n1,x,2\n0,y,1\n");
    for (line, words) in [
        ("stats wilson nosuch.csv --outcome a", "nosuch.csv"),
        ("stats wilson FILE", "--outcome"),
        ("stats wilson FILE --outcome zz", "no column `zz`"),
        ("stats wilson FILE --outcome p", "expected 0 or 1, found 2"),
        ("stats wilson FILE --outcome b", "expected a number"),
        ("stats wilson 1 2 3", "SUCCESSES TRIALS"),
        ("stats wilson 1 2 --alpha 0", "--alpha"),
        ("stats kappa FILE --raters a,b --weights linear", "--labels"),
        ("stats kappa FILE --raters a", "at least 2"),
        ("stats kappa FILE --raters a,p --labels 0,1", "`2` occurs"),
        ("stats kappa 1 2 3", "square"),
        ("stats alpha FILE --raters a,b --level interval", "numbers"),
        ("stats correlate FILE --x a --y p,a", "one by one"),
        ("stats correlate --x a --y b", "numbers such as"),
        ("stats bleu FILE --hypothesis a --reference b --tokenize x", "13a"),
        ("stats power mcnemar --discordance .1", "--delta"),
        ("power", "--p"),
        ("power --p .5", "--delta"),
        ("power nosuch", "nosuch"),
        ("ab 1 2 3", "SUCCESSES TRIALS"),
        ("ab FILE --variant b --outcome a --control q", "no row"),
        ("ab 1 2 3 4 --looks 3 --look 4", "--look 4"),
    ] {
        let ran = bench.run_json(&line.replace("FILE", &file));
        assert_eq!(ran.exit, 2, "{line}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
        assert!(ran.json()["exit_code"] == 2, "{line}");
    }
    let twice = bench.file("twice.csv", "g,t,s\na,1,1\na,1,1\n");
    let ran = bench.run_json(&format!("stats passk {twice} --group g --trial t --score s"));
    assert!(ran.exit == 2 && ran.stderr.contains("twice"), "{}", ran.stderr);
}

#[test]
fn planning_from_numbers() {
    let bench = Bench::new();
    let found = bench.json("power --p .75 --delta .05 --n 500 --trials 1,3");
    assert_eq!(found["unpaired"]["examples_per_side"], 1251);
    near(&found["unpaired"]["rule_of_16"], 16.0 * 0.725 * 0.275 / 0.0025);
    let rows = found["paired"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["discordance"].as_f64().unwrap()).collect::<Vec<_>>()[..3], [0.1, 0.2, 0.3]);
    assert!(rows.windows(2).all(|pair| pair[0]["examples"].as_u64() < pair[1]["examples"].as_u64()));
    assert!(found["trials"][1]["examples"].as_u64() < found["trials"][0]["examples"].as_u64());
    // What is needed for a drop, shows that drop.
    let needed = bench.json("power --p .75 --delta .05 --discordance .2")["paired"][0]["examples"].as_u64().unwrap();
    let back = bench.json(&format!("power --p .75 --n {needed} --discordance .2"));
    within(&back["paired"][0]["smallest_drop"], 0.05, 2e-3);
    let ran = bench.run_json("power --p .02 --delta .05");
    assert!(ran.exit == 2 && ran.json()["reason"].as_str().unwrap().contains("cannot fall"), "{}", ran.stdout);
    assert_eq!(ran.json()["schema"], "evalgauge.power/1");
}

/// 600 units, alternating between two variants; every eighth outcome differs.
fn experiment(lost: bool) -> String {
    let mut text = "variant,ok,latency\n".to_owned();
    for unit in 0..600 {
        let is_head = unit % 2 == 1;
        if lost && is_head && unit % 4 == 1 {
            continue;
        }
        let ok = if is_head { unit % 16 != 3 } else { unit % 4 != 2 };
        let name = if is_head { "new" } else { "control" };
        let latency = 100 + (unit * 7) % 13 + if is_head { 4 } else { 0 };
        text.push_str(&format!("{name},{},{latency}\n", u8::from(ok)));
    }
    text
}

#[test]
fn online_results() {
    let bench = Bench::new();
    let file = bench.file("ab.csv", &experiment(false));
    let columns = format!("{file} --variant variant --outcome ok");
    let found = bench.json(&format!("ab {columns} --control control --guard latency --looks 4"));
    assert_eq!((&found["schema"], &found["exit_code"]), (&"evalgauge.ab/1".into(), &0.into()));
    near(&found["sample_ratio"]["p"], 1.0);
    let comparison = &found["comparisons"][0];
    let rates: Vec<f64> = found["arms"].as_array().unwrap().iter().map(|arm| arm["rate"].as_f64().unwrap()).collect();
    near(&comparison["difference"], rates[1] - rates[0]);
    assert!(comparison["p"].as_f64().unwrap() < 0.001 && comparison["b_beats_a"].as_f64().unwrap() > 0.99);
    let looks = found["looks"].as_array().unwrap();
    assert!(looks.len() == 4 && looks[3]["crossed"] == true);
    near(&looks[3]["z"], comparison["z"].as_f64().unwrap());
    assert!(found["always_valid"][0]["p"].as_f64().unwrap() > comparison["p"].as_f64().unwrap());
    let guard = &found["guards"][0];
    assert!(guard["moved"] == true && guard["variant_mean"].as_f64() > guard["control_mean"].as_f64(), "{guard}");
    // The same counts without a file, and the other way round.
    let counts: Vec<u64> = found["arms"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|arm| [&arm["successes"], &arm["n"]])
        .map(|n| n.as_u64().unwrap())
        .collect();
    let numbers = bench.json(&format!("ab {} {} {} {}", counts[0], counts[1], counts[2], counts[3]));
    near_value(&numbers["comparisons"][0]["z"], &comparison["z"]);
    let turned = bench.json(&format!("ab {columns} --control new"));
    near(&turned["comparisons"][0]["difference"], rates[0] - rates[1]);

    let lost = bench.file("lost.csv", &experiment(true));
    let ran = bench.run_json(&format!("ab {lost} --variant variant --outcome ok --guard latency"));
    assert_eq!(ran.exit, 4, "{}", ran.stderr);
    let object = ran.json();
    assert_eq!((&object["exit_code"], &object["sample_ratio"]["alert"]), (&4.into(), &true.into()));
    assert!(object["reason"].as_str().unwrap().contains("sample-ratio mismatch"));
    assert!(
        object.get("comparisons").is_none()
            && object.get("guards").is_none()
            && object["arms"][0].get("rate").is_none()
    );
    // As intended, the same counts are no mismatch.
    assert_eq!(bench.run_json(&format!("ab {lost} --variant variant --outcome ok --ratio 2,1")).exit, 0);
    let ran = bench.run_json("ab 0 50 0 50");
    assert!(ran.exit == 2 && ran.json()["reason"].as_str().unwrap().contains("equal"), "{}", ran.stdout);
}

#[test]
fn a_record_is_a_plan() {
    let bench = Bench::new();
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("evalgauge.toml");
    let ran = bench.run(&["power", "baseline", "--config", project.to_str().unwrap(), "--format", "json"]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let plan = ran.json();
    let whole = row(&plan, "slices", "slice", "overall");
    assert_eq!(whole["margin"], 0.02);
    assert!(whole["needed"].as_u64() > whole["n"].as_u64());
    assert!(whole["needed_unpaired"].as_u64() > whole["needed"].as_u64());
    // A margin of 0 has no size that would do, and says so.
    let slices = plan["slices"].as_array().unwrap();
    let safety = slices.iter().find(|cell| cell["margin"] == 0.0).unwrap();
    assert!(safety.get("needed").is_none() && safety["reason"].as_str().unwrap().contains("margin 0"));
    // Levels of tested cells add up to alpha, one-sided.
    let spent: f64 = slices
        .iter()
        .filter(|cell| cell["tested"] == true)
        .map(|cell| cell["alpha_two_sided"].as_f64().unwrap() / 2.0)
        .sum();
    assert!((spent - 0.05).abs() < 1e-9, "{spent}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bench = Bench::new();
    let mut rows = "c,k\n".to_owned();
    for i in 0..400 {
        rows.push_str(&format!("{},{}\n", f64::from(i % 97) / 97.0, u8::from(i % 3 == 0)));
    }
    let file = bench.file("c.csv", &rows);
    let line = format!("stats ece {file} --confidence c --correct k --seed 5");
    let one = bench.run_json(&format!("{line} -j 1")).stdout;
    assert_eq!(one, bench.run_json(&format!("{line} -j 4")).stdout);
    assert_ne!(one, bench.run_json(&line.replace("--seed 5", "--seed 6")).stdout);
}
