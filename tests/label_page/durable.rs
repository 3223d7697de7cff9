//! What was acknowledged is in the file, whenever the program is killed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser_support::say;
use crate::desk::{Desk, RUBRIC, items, lines};

/// Times that the program is killed, each at another moment.
const KILLS: usize = 12;
const POSTS: usize = 20;
/// Grades that are in the file already.
const EARLIER: usize = 100;

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_program_is_killed() {
    let desk = Desk::new(RUBRIC, &items(POSTS));
    // Grades that nobody touches any more: they stay too.
    desk.write("judges/j/labels/r1.jsonl", &lines((0..EARLIER).map(earlier)));
    let mut expected: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut cut_short = 0;
    let mut keys: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let mut served = desk.serve("r1");
        keys = served.keys();
        let acknowledged = std::sync::Mutex::new(Vec::new());
        let (answered, last) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (at, key) in keys.iter().enumerate() {
                    let (dimension, level) = (at % 2, (at + round) % 4);
                    let note = "n".repeat(at * 50);
                    let grading = json!({"item": key, "dimension": dimension, "level": level, "note": note});
                    match served.grade(&grading) {
                        Some(reply) if reply.status == 200 => {
                            acknowledged.lock().unwrap().push(((at, dimension), level));
                        }
                        // It may have been kept or not: nobody was told.
                        _ => acknowledged.lock().unwrap().push(((at, dimension), usize::MAX)),
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                last.store(true, Ordering::SeqCst);
            });
            // Another moment in each round: after so many answers, and somewhere in the one that follows.
            while answered.load(Ordering::SeqCst) < round * (POSTS - 2) / (KILLS - 1) {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_micros(150 * u64::try_from(round % 7).unwrap()));
            cut_short += usize::from(!last.load(Ordering::SeqCst));
            rustix::process::kill_process(served.id(), rustix::process::Signal::KILL).unwrap();
        });
        served.kill();
        expected.extend(acknowledged.into_inner().unwrap());
        check(&desk, &expected, round);
    }
    say(&format!("{KILLS} kills, {cut_short} of them while grades were being sent"));
    assert!(cut_short > KILLS / 2, "the test has to kill in the middle");
    // A fresh start reads all of it.
    let served = desk.serve("r1");
    let labels = served.get("api/sheet")["labels"].clone();
    for ((at, dimension), level) in expected.into_iter().filter(|(_, level)| *level != usize::MAX) {
        assert_eq!(labels[&keys[at]][dimension.to_string()]["level"], level);
    }
    assert_eq!(served.interrupt(), Some(0));
}

/// A grade of an item that the sheet does not have any more.
fn earlier(at: usize) -> Value {
    json!({"id": format!("earlier {at}"), "rater": "r1", "kind": "human", "dimension": "evidence", "label": 1,
           "rationale": "n".repeat(500)})
}

/// Every line is whole, there is one for each grade, and it says what was acknowledged last.
fn check(desk: &Desk, expected: &BTreeMap<(usize, usize), usize>, round: usize) {
    let mut found: BTreeMap<(String, String), Value> = BTreeMap::new();
    for label in desk.labels("r1") {
        let text = |name: &str| label[name].as_str().unwrap().to_owned();
        assert!(found.insert((text("id"), text("dimension")), label["label"].clone()).is_none(), "twice: {label}");
    }
    for at in 0..EARLIER {
        let kept = found.remove(&(format!("earlier {at}"), "evidence".to_owned()));
        assert!(kept.is_some(), "round {round}: the earlier grade {at} is gone");
    }
    let acknowledged = expected.values().filter(|level| **level != usize::MAX).count();
    assert!(found.len() >= acknowledged, "round {round}: {} of {acknowledged} are there", found.len());
    // The page knows items by other names than the file does; what is compared item by item is the page's own view.
    let served = desk.serve("r1");
    let (labels, keys) = (served.get("api/sheet")["labels"].clone(), served.keys());
    for (place, level) in expected.iter().filter(|(_, level)| **level != usize::MAX) {
        let (at, dimension) = place;
        let shown = &labels[&keys[*at]][dimension.to_string()]["level"];
        assert_eq!(shown, *level, "round {round}: item {at}, dimension {dimension}");
    }
}
