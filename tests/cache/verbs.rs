//! `evalgauge cache`, from outside.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::stub::fill;

const DAY: i64 = 86_400_000;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a verb on a store to the expected exit code; gives stdout and stderr.
    #[track_caller]
    fn run(&self, store: &str, arguments: &[&str], exit: i32) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.arg("cache").args(arguments).current_dir(self.0.path()).env("EVALGAUGE_CACHE_DIR", self.path("unused"));
        if !store.is_empty() {
            command.args(["--store", store]);
        }
        let output = command.output().unwrap();
        let [said, complained] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}\n{said}{complained}");
        (said, complained)
    }

    #[track_caller]
    fn json(&self, store: &str, arguments: &[&str], exit: i32) -> Value {
        serde_json::from_str(&self.run(store, &[arguments, &["--format", "json"]].concat(), exit).0).unwrap()
    }

    fn sql(&self, store: &str, sql: &str) -> usize {
        Connection::open(self.path(store)).unwrap().execute(sql, []).unwrap()
    }

    fn lines(&self, export: &str) -> Vec<String> {
        let text = zstd::decode_all(std::fs::File::open(self.path(export)).unwrap()).unwrap();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }
}

#[tokio::test]
async fn stat_counts_and_makes_nothing() {
    let folder = Folder::new();
    let empty = folder.json("", &["stat"], 0);
    assert_eq!((empty["entries"].as_u64(), empty["schema"].as_str()), (Some(0), Some("evalgauge.cache_stat/1")));
    assert!(!folder.path("unused").exists(), "looking makes no store");
    // EVALGAUGE_CACHE_DIR names the folder.
    fill(&folder.path("unused/answers.sqlite"), 0..30).await;
    folder.sql("unused/answers.sqlite", "UPDATE answer SET model = 'model-2' WHERE id > 20");
    let stat = folder.json("", &["stat"], 0);
    assert_eq!(stat["entries"], 30);
    let models: Vec<(&str, u64)> = stat["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| (kept["model"].as_str().unwrap(), kept["entries"].as_u64().unwrap()))
        .collect();
    assert_eq!(models, [("model-1", 20), ("model-2", 10)]);
    assert!(stat["file_bytes"].as_u64() > stat["bytes"].as_u64());
    let (text, _) = folder.run("", &["stat"], 0);
    assert!(text.contains("30 entries") && text.contains("openai model-2"), "{text}");
}

#[tokio::test]
async fn verify_finds_what_is_broken_and_repair_removes_it() {
    let folder = Folder::new();
    let (_, why) = folder.run("none.sqlite", &["verify"], 2);
    assert!(why.contains("none.sqlite") && why.contains("there is no cache here"), "{why}");
    fill(&folder.path("a.sqlite"), 0..10).await;
    folder.run("a.sqlite", &["verify"], 0);
    assert_eq!(folder.sql("a.sqlite", "UPDATE answer SET value = zeroblob(length(value)) WHERE id IN (3, 7)"), 2);
    let found = folder.json("a.sqlite", &["verify"], 2);
    assert_eq!((found["entries"].as_u64(), found["broken"].as_array().unwrap().len()), (Some(10), 2));
    let key = found["broken"][0]["key"].as_str().unwrap();
    let (text, _) = folder.run("a.sqlite", &["verify"], 2);
    assert!(text.contains(key) && text.contains("2 broken") && text.contains("checksum"), "{text}");
    // What is broken does not travel.
    folder.run("a.sqlite", &["export", "a.jsonl.zst"], 2);
    assert_eq!(folder.lines("a.jsonl.zst").len(), 8);
    folder.run("a.sqlite", &["verify", "--repair"], 0);
    let found = folder.json("a.sqlite", &["verify"], 0);
    assert_eq!(found["entries"], 8);
}

#[tokio::test]
async fn a_damaged_file_is_found_wherever_the_damage_is() {
    let folder = Folder::new();
    fill(&folder.path("whole.sqlite"), 0..200).await;
    let whole = folder.read("whole.sqlite");
    let answers = |name: &str| folder.run(name, &["export", "out"], 0);
    answers("whole.sqlite");
    let expected = folder.read("out");
    let mut caught = 0;
    let mut harmless = 0;
    // A byte in every part of the file, the header with its free fields left out.
    for at in (100..whole.len()).step_by(whole.len() / 60) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(folder.path("damaged.sqlite"), damaged).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        let path = folder.path("damaged.sqlite");
        let output = command.args(["cache", "verify", "--store"]).arg(&path).output().unwrap();
        match output.status.code() {
            Some(2) => caught += 1,
            // Room that nothing uses. Then everything must still be there.
            Some(0) => {
                harmless += 1;
                // The time of the last use is in no export, and nothing depends on it.
                answers("damaged.sqlite");
                assert_eq!(folder.read("out"), expected, "byte {at}");
            }
            other => panic!("byte {at}: {other:?} {}", String::from_utf8_lossy(&output.stderr)),
        }
    }
    crate::stub::say(&format!(
        "a byte flipped in {} places: {caught} found, {harmless} in unused room",
        caught + harmless
    ));
    assert!(caught > 30);
}

#[tokio::test]
async fn an_export_has_the_same_bytes_however_the_store_was_filled() {
    let folder = Folder::new();
    fill(&folder.path("a.sqlite"), 0..40).await;
    folder.run("a.sqlite", &["export", "a.jsonl.zst"], 0);
    let lines = folder.lines("a.jsonl.zst");
    assert_eq!(lines.len(), 40);
    assert!(lines.is_sorted() && lines.iter().all(|line| line.starts_with(r#"{"key":""#)));
    // Half of them, plain, the other way round; then all.
    let mut half: Vec<&str> = lines.iter().rev().step_by(2).map(String::as_str).collect();
    std::fs::write(folder.path("half.jsonl"), half.join("\n")).unwrap();
    folder.run("b.sqlite", &["import", "half.jsonl"], 0);
    let second = folder.json("b.sqlite", &["import", "a.jsonl.zst"], 0);
    assert_eq!((second["added"].as_u64(), second["same"].as_u64()), (Some(20), Some(20)));
    folder.run("b.sqlite", &["export", "b.jsonl.zst"], 0);
    assert_eq!(folder.read("b.jsonl.zst"), folder.read("a.jsonl.zst"));
    // From store to store.
    half.truncate(10);
    std::fs::write(folder.path("ten.jsonl"), half.join("\n")).unwrap();
    folder.run("c.sqlite", &["merge", "ten.jsonl", "b.sqlite", "a.jsonl.zst"], 0);
    folder.run("c.sqlite", &["export", "c.jsonl.zst"], 0);
    assert_eq!(folder.read("c.jsonl.zst"), folder.read("a.jsonl.zst"));
    folder.run("c.sqlite", &["verify"], 0);
}

#[tokio::test]
async fn of_two_answers_the_older_one_stays_in_whatever_order() {
    let folder = Folder::new();
    fill(&folder.path("a.sqlite"), 0..5).await;
    // The same questions in another order have other answers, and they are younger.
    std::thread::sleep(std::time::Duration::from_millis(5));
    fill(&folder.path("b.sqlite"), (0..7).rev()).await;
    for (target, sources) in [("ab", ["a.sqlite", "b.sqlite"]), ("ba", ["b.sqlite", "a.sqlite"])] {
        let merged = folder.json(target, &[&["merge"], &sources[..]].concat(), 0);
        // Question 3 got `answer 3` both times, every other one of the five two different ones.
        assert_eq!(merged["conflicts"].as_array().unwrap().len(), 4, "{merged}");
        assert_eq!((merged["added"].as_u64(), merged["same"].as_u64()), (Some(7), Some(1)));
        for conflict in merged["conflicts"].as_array().unwrap() {
            assert!(conflict["kept"].as_i64() < conflict["dropped"].as_i64());
        }
        folder.run(target, &["export", &format!("{target}.zst")], 0);
    }
    assert_eq!(folder.read("ab.zst"), folder.read("ba.zst"));
    folder.run("a.sqlite", &["export", "a.zst"], 0);
    let merged = folder.lines("ab.zst");
    assert!(folder.lines("a.zst").iter().all(|line| merged.contains(line)), "the older ones stayed");
    let (text, _) = folder.run("a.sqlite", &["merge", "b.sqlite"], 0);
    assert!(text.contains("4 with another answer") && text.contains("kept the older"), "{text}");
}

#[tokio::test]
async fn a_wrong_import_names_its_line() {
    let folder = Folder::new();
    fill(&folder.path("a.sqlite"), 0..3).await;
    folder.run("a.sqlite", &["export", "a.zst"], 0);
    let lines = folder.lines("a.zst");
    for (edit, why) in [
        (lines[1].replace("answer ", "better "), "check"),
        (lines[1].replace("model-1", "model-9"), "check"),
        (lines[1].replace(r#""key":""#, r#""key":"X"#), "64 hex digits"),
        (lines[1].replace(r#""kind""#, r#""sort""#), "unknown field `sort`"),
        (lines[1][..lines[1].len() - 1].to_owned(), "EOF"),
        ("{}".to_owned(), "missing field"),
    ] {
        assert_ne!(edit, lines[1]);
        std::fs::write(folder.path("edited.jsonl"), format!("{}\n{edit}\n{}\n", lines[0], lines[2])).unwrap();
        let _ = std::fs::remove_file(folder.path("b.sqlite"));
        let (_, said) = folder.run("b.sqlite", &["import", "edited.jsonl"], 2);
        assert!(said.contains("edited.jsonl:2:") && said.contains(why), "{said}");
        assert_eq!(folder.json("b.sqlite", &["stat"], 0)["entries"], 1, "what came before is kept");
    }
    let (_, said) = folder.run("b.sqlite", &["import", "a.sqlite"], 2);
    assert!(said.contains("use `merge`"), "{said}");
    let (_, said) = folder.run("new.sqlite", &["merge", "a.zst", "none.zst"], 2);
    assert!(said.contains("none.zst") && !Path::new(&folder.path("new.sqlite")).exists(), "{said}");
    let mut cut = folder.read("a.zst");
    cut.truncate(cut.len() - 9);
    std::fs::write(folder.path("cut.zst"), cut).unwrap();
    folder.run("b.sqlite", &["import", "cut.zst"], 2);
}

#[tokio::test]
async fn gc_removes_what_is_old_unused_or_too_much() {
    let folder = Folder::new();
    let left = |name: &str| folder.json(name, &["stat"], 0)["entries"].as_u64().unwrap();
    let ages = |name: &str| {
        let sql = format!("UPDATE answer SET created = created - {DAY} * id, used = used - {DAY} * (id % 10)");
        folder.sql(name, &sql);
    };
    fill(&folder.path("a.sqlite"), 0..100).await;
    ages("a.sqlite");
    let (_, said) = folder.run("a.sqlite", &["gc"], 2);
    assert!(said.contains("--older-than"), "{said}");
    folder.run("a.sqlite", &["gc", "--older-than", "90"], 2);
    folder.run("none.sqlite", &["gc", "--older-than", "90d"], 2);
    assert!(!folder.path("none.sqlite").exists());

    let planned = folder.json("a.sqlite", &["gc", "--older-than", "90d", "--dry-run"], 0);
    assert_eq!((planned["removed"].as_u64(), left("a.sqlite")), (Some(11), 100));
    folder.run("a.sqlite", &["gc", "--older-than", "90d"], 0);
    assert_eq!(left("a.sqlite"), 89);
    // Those whose number ends in 9 were used nine days ago.
    folder.run("a.sqlite", &["gc", "--unused", "8d12h"], 2);
    folder.run("a.sqlite", &["gc", "--unused", "204h"], 0);
    assert_eq!(left("a.sqlite"), 89 - 9);
    let before = std::fs::metadata(folder.path("a.sqlite")).unwrap().len();
    folder.run("a.sqlite", &["gc", "--max-size", "10kB"], 0);
    let stat = folder.json("a.sqlite", &["stat"], 0);
    let (entries, bytes) = (stat["entries"].as_u64().unwrap(), stat["bytes"].as_u64().unwrap());
    assert!(entries > 5 && bytes + 200 * entries <= 10_000, "{stat}");
    assert!(std::fs::metadata(folder.path("a.sqlite")).unwrap().len() < before, "the file became smaller");
    // Those that were used today were kept before others.
    let oldest: i64 = Connection::open(folder.path("a.sqlite"))
        .unwrap()
        .query_row("SELECT max(id % 10) FROM answer", [], |row| row.get(0))
        .unwrap();
    assert!(oldest < 5, "{oldest}");
    folder.run("a.sqlite", &["gc", "--max-size", "0"], 0);
    assert_eq!(left("a.sqlite"), 0);
}
