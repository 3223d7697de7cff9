//! The same labels in other clothes give the same numbers.

use std::fmt::Write as _;

use evalgauge::table::{Field, Frame, parquet_bytes};
use serde_json::{Value, json};

use crate::bench::{Bench, Draw, judge, near};

/// Items with labels of several raters and a judge: who sees the truth how well, and with how many gaps.
struct Made {
    raters: usize,
    rows: Vec<(String, Vec<Option<usize>>, &'static str)>,
}

impl Made {
    /// The last column is the judge.
    fn new(items: usize, raters: usize, labels: usize, gaps: f64, seed: u64) -> Self {
        let mut draw = Draw(seed);
        let mut rows = Vec::new();
        for item in 0..items {
            let truth = (draw.next() * labels as f64) as usize;
            let mut said = Vec::new();
            for rater in 0..=raters {
                let gap = draw.next() < gaps;
                let wrong = draw.next() < 0.2;
                let other = (draw.next() * labels as f64) as usize;
                let label = if wrong { other } else { truth };
                said.push((!gap || rater == raters).then_some(label));
            }
            let tier = if draw.next() < 0.3 { "hard" } else { "easy" };
            rows.push((format!("it-{item:04}"), said, tier));
        }
        Self { raters, rows }
    }

    fn shuffled(&self, seed: u64) -> Self {
        let mut draw = Draw(seed);
        let mut keyed: Vec<(u64, _)> =
            self.rows.iter().cloned().map(|row| ((draw.next() * 1e15) as u64, row)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        Self { raters: self.raters, rows: keyed.into_iter().map(|(_, row)| row).collect() }
    }

    fn names(&self) -> Vec<String> {
        (1..=self.raters).map(|rater| format!("r{rater:03}")).chain(["j".to_owned()]).collect()
    }

    fn wide(&self, separator: &str, spell: impl Fn(usize) -> String) -> String {
        let mut text =
            format!("{}\n", [&["id".to_owned(), "tier".to_owned()], self.names().as_slice()].concat().join(separator));
        for (id, said, tier) in &self.rows {
            let cells: Vec<String> = said.iter().map(|label| label.map(&spell).unwrap_or_default()).collect();
            let _ = writeln!(text, "{id}{separator}{tier}{separator}{}", cells.join(separator));
        }
        text
    }

    fn wide_lines(&self, spell: impl Fn(usize) -> Value) -> String {
        let row = |(id, said, tier): &(String, Vec<Option<usize>>, &str)| {
            let mut object = json!({"id": id, "tier": tier});
            for (name, label) in self.names().into_iter().zip(said) {
                object[name] = label.map_or(Value::Null, &spell);
            }
            format!("{object}\n")
        };
        self.rows.iter().map(row).collect()
    }

    fn long(&self) -> String {
        let mut text = "item,who,what,tier\n".to_owned();
        for (id, said, tier) in &self.rows {
            for (name, label) in self.names().iter().zip(said) {
                if let Some(label) = label {
                    let _ = writeln!(text, "{id},{name},{label},{tier}");
                }
            }
        }
        text
    }
}

const WIDE: &str = "--raters r* --judge j --slice tier";
const LONG: &str = "--id item --rater who --label what --judge j --slice tier";

/// What was found, without where it was found.
fn found(bench: &Bench, line: &str) -> Value {
    bench.json(line)["dimensions"].clone()
}

#[test]
fn wide_and_long_strings_and_numbers_any_order_of_rows() {
    let made = Made::new(140, 5, 3, 0.15, 11);
    let bench = Bench::new();
    bench.file("wide.csv", made.wide(",", |label| label.to_string()));
    let expected = found(&bench, &format!("--table wide.csv {WIDE}"));
    assert!(expected[0]["consensus"]["ties"].as_u64().unwrap() > 0, "the data have ties");
    assert!(expected[0]["judges"][0]["slices"].as_array().unwrap().len() == 2);
    bench
        .file("wide.tsv", made.shuffled(3).wide("\t", |label| format!("{label}.0")))
        .file("strings.jsonl", made.shuffled(4).wide_lines(|label| json!(label.to_string())))
        .file("numbers.jsonl", made.wide_lines(|label| json!(label)))
        .file("floats.jsonl", made.wide_lines(|label| json!(label as f64)))
        .file("long.csv", made.long())
        .file("shuffled.csv", made.shuffled(5).long());
    for table in ["wide.tsv", "strings.jsonl", "numbers.jsonl", "floats.jsonl"] {
        assert_eq!(found(&bench, &format!("--table {table} {WIDE}")), expected, "{table}");
    }
    for table in ["long.csv", "shuffled.csv"] {
        assert_eq!(found(&bench, &format!("--table {table} {LONG}")), expected, "{table}");
    }
}

#[test]
fn names_have_the_same_agreement_as_numbers() {
    let made = Made::new(90, 3, 3, 0.0, 5);
    let bench = Bench::new();
    bench
        .file("numbers.csv", made.wide(",", |label| label.to_string()))
        .file("names.csv", made.wide(",", |label| ["left", "none", "right"][label].to_owned()));
    let (numbers, names) =
        (found(&bench, &format!("--table numbers.csv {WIDE}")), found(&bench, &format!("--table names.csv {WIDE}")));
    let kappa = |found: &Value| found[0]["judges"][0]["against_consensus"]["kappa"].clone();
    assert_eq!(kappa(&numbers), kappa(&names));
    assert_eq!(numbers[0]["inter_rater"]["fleiss_kappa"], names[0]["inter_rater"]["fleiss_kappa"]);
    // `none` is a label; `NA` is a gap, and is said to be one.
    bench.file("gaps.csv", "id,a,b,j\n1,x,y,x\n2,NA,y,y\n3,x,x,NA\n");
    let found = bench.json("--table gaps.csv --raters a,b --judge j");
    assert_eq!(found["gaps"], json!(["NA"]));
    assert_eq!(found["dimensions"][0]["scale"]["labels"], json!(["x", "y"]));
    assert_eq!(judge(&found)["unparsed"]["n"], 1);
}

#[test]
fn a_hundred_and_twenty_three_raters_with_gaps() {
    let made = Made::new(200, 123, 4, 0.9, 23);
    let bench = Bench::new();
    bench.file("wide.csv", made.wide(",", |label| label.to_string())).file("long.csv", made.long());
    let wide = found(&bench, &format!("--table wide.csv {WIDE}"));
    assert_eq!(wide, found(&bench, &format!("--table long.csv {LONG}")));
    assert_eq!(wide[0]["inter_rater"]["pairs"].as_array().unwrap().len(), 123 * 122 / 2);
    // The majority, counted here once more.
    let (mut same, mut n, mut ties) = (0, 0, 0);
    for (_, said, _) in &made.rows {
        let mut tally = [0; 4];
        said[..123].iter().flatten().for_each(|&label| tally[label] += 1);
        let most = *tally.iter().max().unwrap();
        match tally.iter().filter(|&&count| count == most).count() {
            1 if tally.iter().sum::<i32>() >= 2 => {
                n += 1;
                same += usize::from(tally[said[123].unwrap()] == most);
            }
            _ => ties += usize::from(tally.iter().sum::<i32>() >= 2),
        }
    }
    let own = &wide[0]["judges"][0]["against_consensus"];
    assert_eq!((own["n"].as_u64(), wide[0]["consensus"]["ties"].as_u64()), (u64::try_from(n).ok(), Some(ties as u64)));
    near(&own["agreement"], same as f64 / f64::from(n));
}

#[test]
fn several_dimensions_and_adjudicated_labels() {
    let bench = Bench::new();
    let mut text = String::new();
    for item in 0..8 {
        for (rater, label) in [("a", item % 2), ("b", i32::from(item > 3))] {
            for dimension in ["tone", "facts"] {
                let line = json!({"id": format!("i{item}"), "rater": rater, "dimension": dimension, "label": label});
                let _ = writeln!(text, "{line}");
            }
        }
        let line =
            json!({"id": format!("i{item}"), "rater": "a", "dimension": "facts", "label": 1, "adjudicated": true});
        let _ = writeln!(text, "{line}");
        for dimension in ["tone", "facts"] {
            let line =
                json!({"id": format!("i{item}"), "rater": "j", "dimension": dimension, "label": 1, "kind": null});
            let _ = writeln!(text, "{line}");
        }
    }
    bench.file("labels.jsonl", text);
    let line = "--table labels.jsonl --rater rater --label label --judge j";
    let found = bench.json(line);
    let names: Vec<&str> =
        found["dimensions"].as_array().unwrap().iter().map(|one| one["dimension"].as_str().unwrap()).collect();
    assert_eq!(names, ["facts", "tone"]);
    let facts = &found["dimensions"][0]["judges"][0];
    near(&facts["against_adjudicated"]["agreement"], 1.0);
    assert_eq!(facts["licence"]["basis"], "adjudicated");
    assert_eq!(found["dimensions"][1]["judges"][0]["licence"]["basis"], "smaller_of_two");
    let only = bench.json(&format!("{line} --dimensions tone"));
    assert_eq!(only["dimensions"], json!([found["dimensions"][1]]));
}

#[test]
fn parquet_is_a_table_too() {
    let made = Made::new(60, 3, 3, 0.1, 31);
    let bench = Bench::new();
    bench.file("wide.csv", made.wide(",", |label| label.to_string()));
    let mut frame = Frame::default();
    let text = |cell: &dyn Fn(usize) -> String| Field::Text((0..made.rows.len()).map(|row| Some(cell(row))).collect());
    frame =
        frame.with("id", text(&|row| made.rows[row].0.clone())).with("tier", text(&|row| made.rows[row].2.to_owned()));
    for (at, name) in made.names().iter().enumerate() {
        let labels = made.rows.iter().map(|(_, said, _)| said[at]);
        // A column of texts, of whole numbers, of floats: one label each.
        let field = match at % 3 {
            0 => Field::Text(labels.map(|label| label.map(|label| label.to_string())).collect()),
            1 => Field::Integer(labels.map(|label| label.map(|label| label as i64)).collect()),
            _ => Field::Number(labels.map(|label| label.map(|label| label as f64)).collect()),
        };
        frame = frame.with(name, field);
    }
    bench.file("wide.parquet", parquet_bytes(frame).unwrap());
    let expected = found(&bench, &format!("--table wide.csv {WIDE}"));
    assert_eq!(found(&bench, &format!("--table wide.parquet {WIDE}")), expected);
}
