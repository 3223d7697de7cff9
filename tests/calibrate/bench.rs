//! A folder of files, and the program run in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// The date of every decision in these tests.
pub const AS_OF: &str = "2026-11-21";

pub struct Bench {
    pub folder: TempDir,
}

pub struct Ran {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: TempDir::with_prefix("evalgauge-calibrate-").unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(arguments).args(["--as-of", AS_OF]).current_dir(self.folder.path()).env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EVALGAUGE_")) {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        Ran {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// `calibrate` with words, which must measure: the JSON object.
    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        let ran = self.run(&words(line));
        assert_eq!(ran.exit, 0, "{line}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// `calibrate` with words, which must refuse with exit 2: what stderr says.
    #[track_caller]
    pub fn refused(&self, line: &str) -> String {
        let ran = self.run(&words(line));
        assert_eq!(ran.exit, 2, "{line}: {}{}", ran.stdout, ran.stderr);
        let object: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!((&object["schema"], &object["exit_code"]), (&"evalgauge.error/1".into(), &2.into()), "{line}");
        assert!(ran.stderr.contains("hint: "), "{line}: no way out: {}", ran.stderr);
        ran.stderr
    }
}

fn words(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = line.split(' ').collect();
    words.insert(0, "calibrate");
    words.extend(["--format", "json"]);
    words
}

/// The only judge of the only dimension.
#[track_caller]
pub fn judge(found: &Value) -> &Value {
    let dimensions = found["dimensions"].as_array().unwrap();
    assert_eq!(dimensions.len(), 1);
    let judges = dimensions[0]["judges"].as_array().unwrap();
    assert_eq!(judges.len(), 1);
    &judges[0]
}

#[track_caller]
pub fn near(found: &Value, expected: f64) {
    let number = found.as_f64().unwrap_or_else(|| panic!("expected {expected}, found {found}"));
    assert!((number - expected).abs() <= 1e-12, "expected {expected}, found {number}");
}

#[track_caller]
pub fn near_value(found: &Value, expected: &Value) {
    near(found, expected.as_f64().unwrap());
}

/// A stream of numbers in 0..1 that is the same everywhere.
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A folder of reference data; `None`, after saying so, where there is none.
pub fn testdata(name: &str, test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("EVALGAUGE_TESTDATA").map_or_else(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    // The macros of the standard library would be captured.
    writeln!(
        std::io::stderr().lock(),
        "SKIPPED {test}: no folder {name} of reference data; name its parent in EVALGAUGE_TESTDATA"
    )
    .unwrap();
    None
}
