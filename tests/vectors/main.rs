//! Golden vectors: every case of a folder of JSON files is computed again and compared, number by number.
//!
//! The folder is `EVALGAUGE_VECTORS`, else `../shared/vectors` where that exists; the small set in
//! `tests/data/vectors` is always checked. A function that no module below knows is a failure, never a skip.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "test program")]

use std::path::{Path, PathBuf};

use serde_json::Value;

mod topics;

/// What a topic made of one case.
pub enum Answer {
    /// Outputs under the names of the case's `expected` object, compared by the runner within the case's tolerance.
    Outputs(Value),
    /// The library refused the input, as it should for inputs without a defined value.
    Refused(String),
    /// The topic compared by itself (Monte Carlo bounds); `Err` says what was off.
    Checked(Result<(), String>),
}

/// One golden case as it stands in the file.
pub struct Case<'a> {
    /// The function that the case exercises.
    pub function: &'a str,
    /// Its arguments.
    pub inputs: &'a Value,
    /// What a trusted library printed.
    pub expected: &'a Value,
    /// `tolerance.abs` and `tolerance.rel`.
    pub tolerance: (f64, f64),
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) if s == "Infinity" => Some(f64::INFINITY),
        Value::String(s) if s == "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Fields that inform the reader and are no outputs.
fn is_information(key: &str) -> bool {
    key.starts_with("published_")
        || key.starts_with("mc_")
        || key.ends_with("_note")
        || key.ends_with("_grid_step")
        || key.contains("mc_sd_unit")
        || matches!(key, "B_ref" | "library_error" | "lattice_step" | "mc_tol")
}

fn compare(path: &str, expected: &Value, got: &Value, tolerance: (f64, f64), out: &mut Vec<String>) {
    match expected {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| !is_information(key)) {
                let at = format!("{path}/{key}");
                match got.get(key) {
                    Some(inner) => compare(&at, value, inner, tolerance, out),
                    None if value.is_null() || value == "NaN" => {}
                    None => out.push(format!("{at}: missing")),
                }
            }
        }
        Value::Array(items) => match got.as_array() {
            Some(others) if others.len() == items.len() => {
                for (i, (a, b)) in items.iter().zip(others).enumerate() {
                    compare(&format!("{path}/{i}"), a, b, tolerance, out);
                }
            }
            _ => out.push(format!("{path}: expected an array of {}, got {got}", items.len())),
        },
        // Undefined in the reference: ours must not be a number pretending otherwise.
        Value::String(text) if text == "NaN" => {
            if number(got).is_some() {
                out.push(format!("{path}: expected undefined, got {got}"));
            }
        }
        _ => match (number(expected), number(got)) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) if (a - b).abs() <= tolerance.0 + tolerance.1 * a.abs() => {}
            (None, None) if expected == got => {}
            _ => out.push(format!("{path}: expected {expected}, got {got}")),
        },
    }
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("tests/data/vectors")];
    match std::env::var_os("EVALGAUGE_VECTORS") {
        Some(path) => found.push(PathBuf::from(path)),
        None if root.join("../shared/vectors").is_dir() => found.push(root.join("../shared/vectors")),
        None => println!("SKIPPED: no EVALGAUGE_VECTORS and no ../shared/vectors; only the repository's own cases run"),
    }
    found.retain(|folder| folder.is_dir());
    found
}

/// Computes one case again; the reasons why it is wrong, if it is.
fn check(case: &Value) -> Vec<String> {
    let function = case["fn"].as_str().unwrap();
    let tolerance =
        (case["tolerance"]["abs"].as_f64().unwrap_or(0.0), case["tolerance"]["rel"].as_f64().unwrap_or(0.0));
    let case = Case { function, inputs: &case["inputs"], expected: &case["expected"], tolerance };
    let must_refuse = case.expected.get("error_or_undefined").is_some_and(|v| v == true);
    let mut wrong = Vec::new();
    match topics::run(&case) {
        None => wrong.push(format!("no module knows the function {function}")),
        Some(Answer::Refused(_)) if must_refuse => {}
        Some(Answer::Refused(why)) => wrong.push(format!("refused: {why}")),
        Some(_) if must_refuse => wrong.push("gave a value where there is none".to_owned()),
        Some(Answer::Outputs(got)) => compare("", case.expected, &got, tolerance, &mut wrong),
        Some(Answer::Checked(result)) => wrong.extend(result.err()),
    }
    wrong
}

/// Checks every case of a folder; how many passed, and what failed.
fn check_folder(folder: &Path) -> (usize, Vec<String>) {
    let only = std::env::var("EVALGAUGE_VECTORS_ONLY").ok();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "json") && !file.ends_with("MANIFEST.json"));
    files.retain(|file| only.as_deref().is_none_or(|only| file.to_string_lossy().contains(only)));
    files.sort();
    let (mut passed, mut failures) = (0, Vec::new());
    for file in files {
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for case in &cases {
            let wrong = check(case);
            if wrong.is_empty() {
                passed += 1;
            } else {
                failures.push(format!("{}: {}", case["name"].as_str().unwrap(), wrong.join("; ")));
            }
        }
    }
    (passed, failures)
}

#[test]
fn golden_vectors() {
    let mut failed = 0;
    for folder in folders() {
        let (passed, failures) = check_folder(&folder);
        println!("{}", folder.display());
        for failure in &failures {
            println!("FAILED {failure}");
        }
        println!("{passed} passed, {} failed", failures.len());
        failed += failures.len();
        assert!(passed > 0, "no golden case ran");
    }
    assert_eq!(failed, 0, "golden cases failed");
}
