//! The policy beside the cells: named examples, thresholds, guard rails, waivers, safety; through the binary.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::Value;

use crate::harness::{AS_OF, Harness, announce};
use crate::simulation::for_each_seed;

/// 200 examples, of which the head fails those in `broken` and takes `slower` times as long.
fn project(policy: &str, broken: &[usize], slower: f64) -> Harness {
    let side = |head: bool| {
        let mut text = String::from("id,kind,safety,score,style,latency_ms,cost_usd,refused\n");
        for example in 0..200 {
            let fails = example % 10 == 0 || head && broken.contains(&example);
            let latency = (100.0 + example as f64) * if head { slower } else { 1.0 };
            let kind = ["a", "b"][example % 2];
            let safety = if example % 20 == 3 { "injection" } else { "none" };
            let _ = writeln!(text, "e{example:03},{kind},{safety},{},1,{latency},0.002,0", u8::from(!fails));
        }
        text
    };
    Harness::new().config(policy).table("base.csv", side(false)).table("head.csv", side(true))
}

fn gate(project: &Harness, more: &[&str]) -> Value {
    let fixed = ["gate", "base.csv", "head.csv", "--slice", "kind", "--slice", "safety", "--score", "score", "--score"];
    project.run(&[&fixed[..], &["style", "--format", "json", "--as-of", AS_OF], more].concat()).json()
}

fn rule<'v>(verdict: &'v Value, kind: &str) -> &'v Value {
    verdict["rules"].as_array().unwrap().iter().find(|outcome| outcome["rule"] == kind).unwrap()
}

#[test]
fn named_examples_must_pass_or_flip() {
    let policy = "[gate.require]\nmust_pass = [\"e001\"]\nmust_flip = [\"e010\"]\n";
    let verdict = gate(&project(policy, &[], 1.0), &[]);
    assert_eq!(rule(&verdict, "must-pass")["state"], "held");
    // e010 fails on both sides: the change does not do what it claims.
    assert_eq!(rule(&verdict, "must-flip")["state"], "broken");
    assert_eq!((verdict["exit_code"].as_u64(), verdict["decision"].as_str()), (Some(1), Some("fail")));
    assert!(verdict["reason"].as_str().unwrap().contains("must flip: e010"), "{}", verdict["reason"]);

    let verdict = gate(&project("[gate.require]\nmust_pass = [\"e001\"]\n", &[1], 1.0), &[]);
    assert_eq!(
        (rule(&verdict, "must-pass")["state"].as_str(), verdict["exit_code"].as_u64()),
        (Some("broken"), Some(1))
    );
    // An example that is not there cannot be said to pass.
    let verdict = gate(&project("[gate.require]\nmust_pass = [\"nobody\"]\n", &[], 1.0), &[]);
    assert_eq!(
        (rule(&verdict, "must-pass")["state"].as_str(), verdict["exit_code"].as_u64()),
        (Some("broken"), Some(1))
    );
}

#[test]
fn examples_that_broke_for_good_fail_only_where_the_policy_says() {
    let two = [1, 2];
    assert_eq!(gate(&project("", &two, 1.0), &[])["exit_code"], 0);
    let with = |most: u32| gate(&project(&format!("[gate.require]\nbroken = {{ max = {most} }}\n"), &two, 1.0), &[]);
    assert_eq!((with(2)["exit_code"].as_u64(), with(1)["exit_code"].as_u64()), (Some(0), Some(1)));
}

#[test]
fn a_threshold_is_tested_by_the_end_of_the_interval() {
    // 180 of 200 pass: 90 % [85.1, 93.4].
    let with = |least: f64, more: &[&str]| {
        gate(&project(&format!("[gate.metric.score]\nmin = {{ overall = {least} }}\n"), &[], 1.0), more)
    };
    let state = |verdict: &Value| rule(verdict, "minimum")["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&with(0.85, &[])), "held");
    assert_eq!(state(&with(0.88, &[])), "open");
    assert_eq!(state(&with(0.94, &[])), "broken");
    assert_eq!(with(0.94, &[])["exit_code"], 1);
    // What the evidence leaves open passes, unless the policy says otherwise.
    assert_eq!(with(0.88, &[])["exit_code"], 0);
    assert_eq!(with(0.88, &["--fail-undecided"])["exit_code"], 3);
}

#[test]
fn guard_rails_hold_or_break_by_an_interval() {
    let policy =
        "[gate.guard]\nlatency_p50 = { max_increase = \"20%\" }\ncost_per_example = { max_increase = \"20%\" }\n";
    let verdict = gate(&project(policy, &[], 1.05), &[]);
    assert_eq!(verdict["exit_code"], 0);
    let verdict = gate(&project(policy, &[], 2.5), &[]);
    assert_eq!(verdict["exit_code"], 1);
    let broken: Vec<&str> = verdict["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|outcome| outcome["state"] == "broken")
        .map(|outcome| outcome["subject"].as_str().unwrap())
        .collect();
    assert_eq!(broken, ["latency_p50"]);
    // What was not measured is no pass.
    let verdict = gate(&project("[gate.guard]\noutput_length = { max_increase = \"20%\" }\n", &[], 1.0), &[]);
    assert_eq!(
        (rule(&verdict, "guard-rail")["state"].as_str(), verdict["exit_code"].as_u64()),
        (Some("unmeasured"), Some(4))
    );
}

#[test]
fn a_waiver_takes_a_fall_until_it_expires() {
    let broken: Vec<usize> = (0..200).filter(|example| example % 4 == 1).collect();
    let cells = ["score @ overall", "score @ kind=b", "score @ safety=none"];
    let waivers = |until: &str| -> String {
        let waiver = |cell: &&str| {
            format!("[[gate.accept]]\ncell = \"{cell}\"\nreason = \"moved\"\nby = \"team\"\nuntil = \"{until}\"\n")
        };
        cells.iter().map(waiver).collect()
    };
    assert_eq!(gate(&project("", &broken, 1.0), &[])["exit_code"], 1);
    let verdict = gate(&project(&waivers("2099-12-31"), &broken, 1.0), &[]);
    assert_eq!(verdict["exit_code"], 0, "{verdict:#}");
    let accepted = verdict["cells"].as_array().unwrap().iter().filter(|cell| cell["state"] == "accepted").count();
    assert_eq!(accepted, 3);
    let said = verdict["warnings"].to_string();
    assert!(cells.iter().all(|cell| said.contains(&format!("waiver for {cell}"))), "{said}");
    // On its last day it holds, on the next it fails, whether or not anything fell.
    assert_eq!(gate(&project(&waivers(AS_OF), &broken, 1.0), &[])["exit_code"], 0);
    let verdict = gate(&project(&waivers("2020-01-01"), &[], 1.0), &[]);
    assert_eq!((rule(&verdict, "waiver")["state"].as_str(), verdict["exit_code"].as_u64()), (Some("broken"), Some(1)));
}

#[test]
fn a_safety_flip_waits_for_confirmation() {
    let policy = "[gate.safety]\nslices = [\"safety=injection\"]\n";
    let verdict = gate(&project(policy, &[3], 1.0), &[]);
    let outcome = rule(&verdict, "safety");
    assert_eq!((outcome["state"].as_str(), outcome["subject"].as_str()), (Some("open"), Some("e003 (score)")));
    assert_eq!(verdict["exit_code"], 0);
    // A flip elsewhere is none of safety.
    let verdict = gate(&project(policy, &[4], 1.0), &[]);
    assert!(verdict["rules"].as_array().unwrap().is_empty());
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    for (policy, says) in [
        ("[gate.guard]\nlatency_p95 = {}\n", "max_increase"),
        ("[gate.guard]\nlatency = { max_increase = 1 }\n", "latency_p50"),
        ("[gate.guard]\nrefusals = { max_increase = \"a lot\" }\n", "no amount"),
        ("[gate.safety]\nslices = [\"safety\"]\n", "key=value"),
        ("[[gate.accept]]\ncell = \"x\"\nreason = \"r\"\nby = \"b\"\nuntil = \"2099-01-01\"\n", "metric @ slice"),
        ("[[gate.accept]]\ncell = \"x @ y\"\nreason = \"r\"\nby = \"b\"\nuntil = \"soon\"\n", "until"),
        ("[gate.weight]\n\"tier=1\" = 0\n", "weight"),
        ("[gate]\nguard_alpha = 2.0\n", "guard_alpha"),
    ] {
        project(policy, &[], 1.0).run(&["gate", "base.csv", "head.csv", "--score", "score"]).exit(2).stderr_has(says);
    }
}

/// Two metrics, slices, groups of rails, a threshold and safety at once, on a system that did not change.
#[test]
fn everything_switched_on_rarely_fails_an_unchanged_system() {
    const SEEDS: u64 = 400;
    let policy = "
        [gate.metric.score]
        min = { overall = 0.7 }
        [gate.safety]
        slices = [\"kind=s\"]
        [gate.guard]
        latency_p50 = { max_increase = 0 }
        latency_p95 = { max_increase = \"5%\" }
        cost_per_example = { max_increase = 0 }
        refusals = { max_increase = 0 }
    ";
    let side = |generator: &mut Xoshiro256PlusPlus| {
        let mut uniform = || (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut text = String::from("id,kind,tier,score,style,latency_ms,cost_usd,refused\n");
        for example in 0..500 {
            let kind = ["a", "b", "c", "d", "s"][example % 5];
            let tier = example % 3;
            let passes = 0.5 + 0.5 * ((example * 7919) % 100) as f64 / 100.0;
            let score = u8::from(uniform() < passes);
            let style = (4.0 * uniform()).floor() / 4.0;
            let latency = 200.0 - 300.0 * (1.0 - uniform()).ln();
            let cost = 0.001 + 0.002 * uniform();
            let refused = u8::from(uniform() < 0.03);
            let _ = writeln!(text, "{example},{kind},{tier},{score},{style},{latency},{cost},{refused}");
        }
        text
    };
    let [failed, by_cells, by_rules] = [const { AtomicUsize::new(0) }; 3];
    for_each_seed(SEEDS, |project, name, seed| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(90_000 + seed);
        let (base, head, config) = (format!("{name}-b.csv"), format!("{name}-h.csv"), format!("{name}.toml"));
        project.write(&config, policy);
        project.write(&base, side(&mut generator));
        project.write(&head, side(&mut generator));
        let fixed = [
            "gate",
            &base,
            &head,
            "--config",
            &config,
            "--threads",
            "1",
            "--slice",
            "kind",
            "--slice",
            "tier",
            "--slice",
            "kind,tier",
        ];
        let metrics = ["--score", "score", "--score", "style", "--format", "json", "--as-of", AS_OF];
        let verdict = project.run(&[&fixed[..], &metrics[..]].concat()).json();
        let count = |counter: &AtomicUsize, is: bool| counter.fetch_add(usize::from(is), Ordering::Relaxed);
        count(&failed, verdict["decision"] == "fail");
        count(&by_cells, !verdict["regressed"].as_array().unwrap().is_empty());
        let broken = |outcome: &Value| outcome["state"] == "broken";
        count(&by_rules, verdict["rules"].as_array().unwrap().iter().any(broken));
    });
    let [failed, by_cells, by_rules] = [failed, by_cells, by_rules].map(AtomicUsize::into_inner);
    announce(&format!(
        "everything switched on, nothing changed: {failed} of {SEEDS} fail (at most 35), {by_cells} by cells, \
         {by_rules} by rules"
    ));
    assert!(failed <= 35, "{failed}");
    assert!(by_cells >= 1, "the gate does not use its 5 %");
}
