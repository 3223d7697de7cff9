//! What people read: the reports of a pass, a fail and an inconclusive gate.

use crate::harness::{AS_OF, Harness, csv};
use crate::records::project;

/// Two hundred examples in two tiers; those that fail are listed by number.
fn tiers(fails: impl Fn(usize) -> bool) -> String {
    csv("id,tier,score", (0..200).map(|i| format!("e{i:03},{},{}", 1 + i % 2, u8::from(!fails(i)))))
}

/// The report of a gate in both forms, one after the other.
fn both_forms(project: &Harness, arguments: &[&str], exit: i32) -> String {
    let form =
        |format: &str| project.run(&[arguments, &["--as-of", AS_OF, "--format", format]].concat()).exit(exit).report();
    format!("{}\n{}\n{}", form("text"), "=".repeat(80), form("md"))
}

const GATE: &[&str] = &["gate", "base.csv", "head.csv", "--slice", "tier"];

#[test]
fn pass() {
    let project =
        Harness::new().table("base.csv", tiers(|i| i % 10 == 3)).table("head.csv", tiers(|i| i % 10 == 3 && i != 13));
    let report = both_forms(&project, GATE, 0);
    insta::assert_snapshot!(report);
}

#[test]
fn fail() {
    let project = Harness::new()
        .table("base.csv", tiers(|i| i % 10 == 3))
        .table("head.csv", tiers(|i| i % 10 == 3 && i != 13 || i % 6 == 1));
    let report = both_forms(&project, GATE, 1);
    insta::assert_snapshot!(report);
}

#[test]
fn inconclusive() {
    let project = Harness::new()
        .table("base.csv", tiers(|i| i % 5 == 3))
        .table("head.csv", tiers(|i| i % 5 == 3 && i % 7 != 0 || i % 17 == 1));
    let report = both_forms(&project, &[GATE, &["--fail-undecided"]].concat(), 3);
    insta::assert_snapshot!(report);
}

#[test]
fn incomplete() {
    let short: String = tiers(|i| i % 10 == 3).lines().take(150).map(|line| format!("{line}\n")).collect();
    let project = Harness::new().table("base.csv", tiers(|i| i % 10 == 3)).table("head.csv", short);
    let report = both_forms(&project, GATE, 5);
    insta::assert_snapshot!(report);
}

#[test]
fn fail_of_records() {
    // With inputs and answers side by side.
    let project = project();
    project.record(&["--candidate", "recorded"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let head = project.record(&["--candidate", "worse"]);
    let gate = ["gate", "reports/baseline/orders/recorded", head["run_id"].as_str().unwrap()];
    let report = both_forms(&project, &gate, 1);
    insta::assert_snapshot!(report);
}

#[test]
fn compare() {
    let project = Harness::new()
        .table("base.csv", tiers(|i| i % 10 == 3))
        .table("head.csv", tiers(|i| i % 10 == 3 && i != 13 || i % 6 == 1));
    let report = both_forms(&project, &["compare", "base.csv", "head.csv", "--slice", "tier"], 0);
    insta::assert_snapshot!(report);
}

#[test]
fn run() {
    let arguments = ["run", "--candidate", "rules"];
    let outcome = project().run(&arguments).exit(0);
    let said = format!("{}---\n{}", outcome.story(&arguments), outcome.report());
    insta::assert_snapshot!(said);
}
