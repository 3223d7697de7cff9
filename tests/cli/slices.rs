//! Slices and crossings: which cells there are, and that small ones are shown and never tested.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness};

/// Ten examples are `tier=1,locale=de`; the head fails all of them, and nothing else.
const SMALL: usize = 10;

fn labels(example: usize) -> (u32, &'static str) {
    match example {
        0..SMALL => (1, "de"),
        SMALL..400 => (1, "en us"),
        400..700 => (2, "de"),
        _ => (2, "en us"),
    }
}

fn passes(example: usize, head: bool) -> bool {
    if example < SMALL { !head } else { !example.is_multiple_of(4) }
}

fn tables() -> Harness {
    let side = |head: bool| {
        let mut text = String::from("id,tier,locale,score\n");
        for example in 0..1_000 {
            let (tier, locale) = labels(example);
            let _ = writeln!(text, "e{example:04},{tier},{locale},{}", u8::from(passes(example, head)));
        }
        text
    };
    Harness::new().table("base.csv", side(false)).table("head.csv", side(true))
}

const SLICES: [&str; 6] = ["--slice", "tier", "--slice", "locale", "--slice", "tier,locale"];

fn cell<'v>(verdict: &'v Value, slice: &str) -> &'v Value {
    let cells = verdict["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["slice"] == slice).unwrap_or_else(|| panic!("no cell `{slice}`: {cells:#?}"))
}

fn slices(verdict: &Value) -> Vec<&str> {
    verdict["cells"].as_array().unwrap().iter().map(|cell| cell["slice"].as_str().unwrap()).collect()
}

const ALL: [&str; 9] = [
    "overall",
    "tier=1",
    "tier=2",
    "locale=de",
    "locale=\"en us\"",
    "tier=1,locale=de",
    "tier=1,locale=\"en us\"",
    "tier=2,locale=de",
    "tier=2,locale=\"en us\"",
];

#[test]
fn a_cell_below_min_n_is_shown_and_not_tested() {
    let project = tables();
    // Everybody's answers in it broke; with 20 as the least it can neither fail nor be undecided.
    let outcome = project.gate(&SLICES).exit(0);
    let verdict = outcome.json();
    assert_eq!(slices(&verdict), ALL);
    let small = cell(&verdict, "tier=1,locale=de");
    assert_eq!((&small["state"], &small["n"], &small["delta"]), (&json!("shown"), &json!(SMALL), &json!(-1.0)));
    assert_eq!((&small["p"], &small["p_adjusted"]), (&Value::Null, &Value::Null));
    assert!(!verdict["undecided"].to_string().contains("tier=1,locale=de"), "{verdict:#}");
    // It is in no family: the others' p are those that they have without it.
    let without = project.gate(&["--slice", "tier", "--slice", "locale"]).exit(0).json();
    assert_eq!(cell(&without, "overall")["p"], cell(&verdict, "overall")["p"]);
    for (format, says) in [("md", "too small"), ("text", "too small to test: tier=1,locale=de (10)")] {
        let report =
            project.run(&[&["gate", "base.csv", "head.csv", "--as-of", AS_OF, "-f", format][..], &SLICES].concat());
        let report = report.exit(0);
        assert!(report.stdout.contains("tier=1,locale=de"), "{format}: {}", report.stdout);
        assert!(report.stdout.contains(says), "{format} lacks `{says}`: {}", report.stdout);
    }

    // With ten as the least it is tested, and the only cell that fell.
    let verdict = project.gate(&[&SLICES[..], &["--min-n", "10"]].concat()).exit(1).names(&["tier=1,locale=de"]).json();
    assert_eq!(cell(&verdict, "tier=1,locale=de")["state"], "regressed");
    // With more than any slice has, only the whole is left.
    let verdict = project.gate(&[&SLICES[..], &["--min-n", "691"]].concat()).exit(0).json();
    let tested = |cell: &&Value| cell["state"] != "shown";
    let tested: Vec<&Value> = verdict["cells"].as_array().unwrap().iter().filter(tested).collect();
    assert_eq!(tested.len(), 1, "{tested:#?}");
    assert_eq!(tested[0]["slice"], "overall");
}

#[test]
fn a_key_that_nothing_has_is_an_error() {
    let project = tables();
    project.gate(&["--slice", "tier,region"]).exit(2).stderr_has("region");
    project.gate(&["--slice", "region"]).exit(2).stderr_has("region");
}

/// The same through a project: labels of the pin, slices of the config.
fn project(slices: &str) -> Harness {
    let examples: String = (0..1_000)
        .map(|example| {
            let (tier, locale) = labels(example);
            let mut labels = json!({"tier": tier, "locale": locale});
            // An example may be in several slices of a key, or in none.
            labels["topic"] = match example % 3 {
                0 => json!(["a", "b"]),
                1 => json!("a"),
                _ => json!([]),
            };
            format!("{}\n", json!({"id": format!("e{example:04}"), "input": "?", "expected": "1", "labels": labels}))
        })
        .collect();
    let recording = |head: bool| -> String {
        let line = |example: usize| json!({"id": format!("e{example:04}"), "said": u8::from(passes(example, head)).to_string()});
        (0..1_000).map(|example| format!("{}\n", line(example))).collect()
    };
    let candidate = |name: &str| format!("[candidates.{name}.replay]\nfile = \"{name}.jsonl\"\nanswer = \"said\"\n");
    let config = format!(
        "evalset = \"s\"\ncandidate = \"new\"\n{}{}[scorers.right.exact]\n[slices]\n{slices}",
        candidate("old"),
        candidate("new")
    );
    let project = Harness::new().config(config).file("old.jsonl", recording(false)).file("new.jsonl", recording(true));
    let project = project.evalset("s", &examples);
    project.run(&["run", "--candidate", "old"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project
}

fn check(project: &Harness) -> (i32, Value) {
    let outcome = project.run(&["check", "--base", "old", "--format", "json", "--as-of", AS_OF]);
    let verdict = outcome.json();
    (verdict["exit_code"].as_i64().unwrap() as i32, verdict)
}

#[test]
fn keys_crossings_and_min_n_of_the_config_make_the_cells() {
    let keys = "keys = [\"tier\", \"locale\"]\ncrossings = [[\"tier\", \"locale\"]]\n";
    let (code, verdict) = check(&project(keys));
    assert_eq!((code, slices(&verdict)), (0, ALL.to_vec()));
    assert_eq!(cell(&verdict, "tier=1,locale=de")["state"], "shown");
    let (code, verdict) = check(&project(&format!("{keys}min_n = 10\n")));
    assert_eq!((code, &verdict["regressed"]), (1, &json!(["tier=1,locale=de"])));
    // A crossing without its keys.
    let (code, verdict) = check(&project("keys = []\ncrossings = [[\"tier\", \"locale\"]]\nmin_n = 10\n"));
    assert_eq!((code, slices(&verdict)), (1, [&ALL[..1], &ALL[5..]].concat()));
}

#[test]
fn an_example_is_in_every_slice_that_its_labels_name() {
    let (_, verdict) = check(&project("keys = [\"topic\"]\ncrossings = [[\"tier\", \"topic\"]]\n"));
    // A third is in both topics, a third in one, a third in none.
    let n = |slice: &str| cell(&verdict, slice)["n"].as_u64().unwrap();
    assert_eq!((n("overall"), n("topic=a"), n("topic=b")), (1_000, 667, 334));
    assert_eq!(n("tier=1,topic=a") + n("tier=2,topic=a"), n("topic=a"));
    assert_eq!(n("tier=1,topic=b") + n("tier=2,topic=b"), n("topic=b"));
}

#[test]
fn slices_that_make_no_sense_are_refused() {
    for slices in ["keys = [\"region\"]\n", "crossings = [[\"tier\", \"region\"]]\n"] {
        let outcome = project(slices).run(&["check", "--base", "old", "--as-of", AS_OF]);
        outcome.exit(2).stderr_has("has no label `region`").stderr_has("`locale`, `tier`, `topic`");
    }
    for (slices, says) in [
        ("crossings = [\"tier\"]\n", "evalgauge.toml:2"),
        ("min_n = -1\n", "evalgauge.toml:2"),
        ("minimum = 3\n", "min_n"),
    ] {
        let project = tables().config(format!("[slices]\n{slices}"));
        project.run(&["gate", "base.csv", "head.csv", "--format", "json"]).exit(2).stderr_has(says);
    }
}
