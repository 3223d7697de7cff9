//! How often the gate is right: systems whose truth is known, written to files and gated through the binary.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::Value;

use crate::harness::{AS_OF, Harness, announce};

const SLICES: [&str; 4] = ["a", "b", "c", "d"];
const EXAMPLES: usize = 1000;
const TRIALS: usize = 3;
const SUCCESS: f64 = 0.75;

/// One side: 1,000 examples in four equal slices, three trials each.
fn side(generator: &mut Xoshiro256PlusPlus, success: impl Fn(&str) -> f64) -> String {
    let mut text = String::from("id,trial,intent,score\n");
    for example in 0..EXAMPLES {
        let slice = SLICES[example % SLICES.len()];
        for trial in 0..TRIALS {
            // 53 bits make a number in 0..1.
            let uniform = (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            let _ = writeln!(text, "{example},{trial},{slice},{}", u8::from(uniform < success(slice)));
        }
    }
    text
}

/// The verdict on one simulated change, in which slice `c` may have got worse.
fn verdict(project: &Harness, name: &str, seed: u64, head_of_c: f64) -> Value {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (base, head) = (format!("{name}-base.csv"), format!("{name}-head.csv"));
    project.write(&base, side(&mut generator, |_| SUCCESS));
    project.write(&head, side(&mut generator, |slice| if slice == "c" { head_of_c } else { SUCCESS }));
    let fixed = ["--slice", "intent", "--format", "json", "--as-of", AS_OF, "--threads", "1"];
    project.run(&[&["gate", &base, &head], &fixed[..]].concat()).json()
}

/// Runs `of` for every seed, two at a time.
pub fn for_each_seed(seeds: u64, of: impl Fn(&Harness, &str, u64) + Sync) {
    let project = Harness::new();
    std::thread::scope(|scope| {
        for worker in 0..2_u64 {
            let (project, of) = (&project, &of);
            scope.spawn(move || {
                (worker..seeds).step_by(2).for_each(|seed| of(project, &format!("worker-{worker}"), seed));
            });
        }
    });
}

fn names(verdict: &Value) -> Vec<&str> {
    verdict["regressed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn a_slice_that_lost_ten_points_is_named_and_no_other() {
    const SEEDS: u64 = 200;
    let (named, others, overall) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    for_each_seed(SEEDS, |project, name, seed| {
        let verdict = verdict(project, name, 1_000 + seed, 0.65);
        let found = names(&verdict);
        named.fetch_add(usize::from(found.contains(&"intent=c")), Ordering::Relaxed);
        overall.fetch_add(usize::from(found.contains(&"overall")), Ordering::Relaxed);
        let is_wrong = |slice: &&str| *slice != "overall" && *slice != "intent=c";
        others.fetch_add(usize::from(found.iter().any(is_wrong)), Ordering::Relaxed);
        assert_eq!(verdict["exit_code"], u8::from(!found.is_empty()));
        assert_eq!(verdict["trials"], 3);
        assert_eq!(verdict["cells"].as_array().unwrap().len(), 5);
    });
    let (named, others, overall) = (named.into_inner(), others.into_inner(), overall.into_inner());
    announce(&format!(
        "one slice .75 → .65: named in {named} of {SEEDS} (at least 180), another slice in {others} (at most 20), \
         overall, which truly fell, in {overall}"
    ));
    assert!(named >= 180, "named in {named}");
    assert!(others <= 20, "another slice in {others}");
}

#[test]
fn an_unchanged_system_rarely_fails() {
    const SEEDS: u64 = 400;
    let failed = AtomicUsize::new(0);
    for_each_seed(SEEDS, |project, name, seed| {
        let verdict = verdict(project, name, 5_000 + seed, SUCCESS);
        failed.fetch_add(usize::from(verdict["decision"] == "fail"), Ordering::Relaxed);
        assert_eq!(verdict["decision"] == "fail", !names(&verdict).is_empty());
    });
    let failed = failed.into_inner();
    announce(&format!("nothing changed: {failed} of {SEEDS} fail (at most 35; a true 5 % is 20)"));
    assert!(failed <= 35, "{failed} failed");
    // A gate that never fails anybody would pass the line above.
    assert!(failed >= 1, "none failed: the gate does not use its 5 %");
}
