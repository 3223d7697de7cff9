//! The same input gives the same bytes.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::harness::{AS_OF, Harness, announce};
use crate::records::project;

/// Rows of graded trials in eleven overlapping slices; in the head some fell.
fn rows(side: u64) -> Vec<String> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(100 + side);
    let mut grade = |worse: bool| (generator.next_u64() % if worse { 3 } else { 5 }).min(3);
    (0..700_u64)
        .flat_map(|i| (0..3_u64).map(move |trial| (i, trial)))
        .map(|(i, trial)| {
            let worse = side == 1 && i % 5 == 2;
            format!(
                "e{i},{trial},g{},{},{},{},{}",
                i / 2,
                i % 5,
                ["de", "en", "fr"][i as usize % 3],
                i % 2,
                grade(worse)
            )
        })
        .collect()
}

fn table(rows: &[String]) -> String {
    format!("id,trial,group,tier,locale,half,score\n{}\n", rows.join("\n"))
}

const GATE: [&str; 15] = [
    "gate",
    "base.csv",
    "head.csv",
    "--scale",
    "0,3",
    "--slice",
    "tier",
    "--slice",
    "locale",
    "--slice",
    "half",
    "--slice",
    "tier,locale",
    "--as-of",
    AS_OF,
];

fn graded() -> Harness {
    Harness::new().table("base.csv", table(&rows(0))).table("head.csv", table(&rows(1)))
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let project = graded();
    for format in ["text", "json", "md"] {
        let mut first: Option<String> = None;
        for threads in ["1", "2", "8"] {
            let outcome = project.run(&[&GATE[..], &["--format", format, "--threads", threads, "-v"]].concat()).exit(1);
            let saw = outcome.stderr.lines().find(|line| line.ends_with(" worker threads")).unwrap_or_default();
            announce(&format!("--threads {threads}, --format {format}: {saw}"));
            assert_eq!(saw, format!("evalgauge: {threads} worker threads"));
            assert!(outcome.stdout.contains("tier=2,locale=de"), "{}", outcome.stdout);
            match &first {
                None => first = Some(outcome.stdout),
                Some(first) => assert_eq!(*first, outcome.stdout, "{threads} threads, {format}"),
            }
        }
    }
}

#[test]
fn the_seed_and_the_date_are_all_that_is_not_in_the_files() {
    let project = graded();
    let gate = |more: &[&str]| project.run(&[&GATE[..], &["--format", "json"], more].concat()).exit(1).stdout;
    assert_eq!(gate(&[]), gate(&[]));
    // Both are printed, so both change the bytes.
    assert_ne!(gate(&[]), gate(&["--seed", "8"]));
    let dated = |date: &str| {
        let mut arguments = GATE;
        arguments[14] = date;
        project.run(&arguments).exit(1).stdout
    };
    assert_ne!(dated(AS_OF), dated("2026-11-22"));
    assert_eq!(dated(AS_OF), dated("2026-11-22").replace("2026-11-22", AS_OF));
}

/// Rows in another order.
fn shuffled(mut rows: Vec<String>, seed: u64) -> Vec<String> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    for last in (1..rows.len()).rev() {
        rows.swap(last, (generator.next_u64() % (last as u64 + 1)) as usize);
    }
    rows
}

#[test]
fn the_order_of_rows_changes_nothing() {
    // A file in another order has another digest, which the verdict prints: that is left out.
    let decided = |project: &Harness| {
        let mut verdict = project.run(&[&GATE[..], &["--format", "json"]].concat()).exit(1).json();
        for side in ["baseline", "head"] {
            verdict[side]["sha256"].take();
        }
        verdict.to_string()
    };
    let expected = decided(&graded());
    for seed in 1..4 {
        let (base, head) = (shuffled(rows(0), seed), shuffled(rows(1), seed + 10));
        assert_ne!(base, rows(0));
        let project = Harness::new().table("base.csv", table(&base)).table("head.csv", table(&head));
        assert_eq!(decided(&project), expected, "shuffle {seed}");
    }
}

#[test]
fn the_report_of_a_record_has_the_same_bytes_twice() {
    let project = project();
    project.record(&["--candidate", "recorded"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let head = project.record(&["--candidate", "worse"]);
    let gate = |format: &str, threads: &str| {
        let (base, head) = ("reports/baseline/orders/recorded", head["path"].as_str().unwrap());
        let fixed = ["--margin", "0.05", "--as-of", AS_OF, "--format", format, "--threads", threads];
        project.run(&[&["gate", base, head], &fixed[..]].concat()).exit(1).stdout
    };
    for format in ["text", "json", "md"] {
        assert_eq!(gate(format, "1"), gate(format, "8"));
        assert_eq!(gate(format, "8"), gate(format, "8"));
    }
}

#[test]
fn two_records_of_the_same_answers_differ_in_name_only() {
    let project = project();
    project.record(&["--candidate", "recorded"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let verdict = |concurrency: &str| {
        let head = project.record(&["--candidate", "worse", "--concurrency", concurrency]);
        let id = head["run_id"].as_str().unwrap();
        let gate = ["gate", "reports/baseline/orders/recorded", id, "--format", "md", "--as-of", AS_OF];
        project.run(&gate).exit(1).stdout.replace(id, "[run]")
    };
    assert_eq!(verdict("1"), verdict("16"));
}
