//! The order of the modules, as data, and a reader that holds the source to it.
//!
//! The table below is the architecture: change it first when a module needs a new import, and the change is visible in
//! review. The reader works on tokens, so comments, strings and doc text say what they like; items, methods and
//! statements under `#[cfg(test)]` are left out. It follows grouped and renamed imports, `pub use`, inline paths, paths
//! in macro arguments, and `super` however far it climbs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use syn::visit_mut::VisitMut as _;

#[path = "architecture/reader.rs"]
mod reader;

use reader::{ABOVE, MOVED, Mention, WithoutTests, is_for_tests, mentions, module_path};

/// Every module of `src/`, lowest first, and the modules it may import: only ones above it, and only these.
/// A module may be absent until it is written; a folder or file that is not here is an error.
#[rustfmt::skip] // one module, one line
const MODULES: &[(&str, &[&str])] = &[
    // module      may import                                              what it is
    ("stats",     &[]),                                                 // estimates, intervals, tests: pure numbers
    ("table",     &[]),                                                 // columns in and out, and the one hash
    ("call",      &["table"]),                                          // the vendor-neutral words of asking
    ("evalset",   &["table", "call"]),                                  // what is asked
    ("candidate", &["call", "evalset"]),                                // who is measured
    ("judge",     &["table", "call", "evalset"]),                       // an instrument that has to be calibrated
    ("score",     &["stats", "table", "call", "evalset", "candidate", "judge"]), // an answer → values, or unscored
    ("provider",  &["table", "call", "evalset"]),                       // who answers calls
    ("record",    &["table", "call", "evalset", "score"]),              // asked, answered, scored: on disk
    ("run",       &["table", "call", "evalset", "candidate", "judge", "score", "provider", "record"]), // plan → record
    ("compare",   &["stats", "table", "call", "evalset", "judge", "score", "record"]),   // two records or tables → differences
    ("calibrate", &["stats", "judge", "score", "record"]),              // a judge against humans → its licence
    ("gate",      &["stats", "score", "compare", "calibrate"]),         // a comparison → a verdict
    ("report",    &["stats", "table", "score", "record", "compare", "calibrate", "gate"]), // what was found → text
    ("check",     &["stats", "record", "run", "compare", "calibrate", "gate"]), // run, compare, decide, ask for more
    ("publish",   &["table", "report"]),                                // reports to where people read them
    ("page",      &["table", "evalset", "judge"]),                      // the labelling page
    ("config",    &["evalset", "candidate", "judge", "score", "provider", "record", "compare", "calibrate",
                    "gate"]),                                           // the project file → the specs of those above
    ("cli",       &["stats", "table", "call", "evalset", "candidate", "judge", "score", "provider", "record", "run",
                    "compare", "calibrate", "gate", "report", "check", "publish", "page",
                    "config"]),                                         // arguments → one verb: prints, and exits
];

/// Names from outside the crate that only some modules may use; a name that ends in `!` is a macro.
const NAMES: &[(&str, Who)] = &[
    ("polars", Who::Only(&["table"])),
    ("csv", Who::Only(&["table"])),
    ("minijinja", Who::Only(&["call", "report"])),
    // `provider` asks for answers, through cache, budget and limits; what `publish` sends is no call that a record knows.
    ("reqwest", Who::Only(&["provider", "publish"])),
    ("rusqlite", Who::Only(&["provider"])),
    ("zstd", Who::Only(&["provider"])),
    ("httparse", Who::Only(&["page"])),
    ("getrandom", Who::Only(&["page"])),
    ("tokio", Who::Only(&["run", "provider", "publish", "cli"])),
    ("print!", Who::Only(&["cli"])),
    ("println!", Who::Only(&["cli"])),
    ("eprint!", Who::Only(&["cli"])),
    ("eprintln!", Who::Only(&["cli"])),
    ("std::process::exit", Who::Only(&["cli"])),
    ("std::time", Who::AllBut(&["stats"])),
    // The decision part, and everything that says which calls it needs, reads no file, no variable and no clock.
    ("std::fs", Who::AllBut(PURE)),
    ("std::env", Who::AllBut(PURE)),
    ("std::net", Who::AllBut(PURE)),
    ("std::time::Instant", Who::AllBut(PURE)),
    ("std::time::SystemTime", Who::AllBut(PURE)),
];

/// Modules without input and output.
const PURE: &[&str] = &["stats", "call", "candidate", "score", "compare", "calibrate", "gate", "report"];

/// The longest that a file of `src/` may become.
const MAX_LINES: usize = 650;

enum Who {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

#[test]
fn the_table_only_points_upwards() {
    for (at, (module, imports)) in MODULES.iter().enumerate() {
        for import in *imports {
            assert!(
                MODULES[..at].iter().any(|(above, _)| above == import),
                "`{module}` lists `{import}`, which is not above it"
            );
        }
    }
}

#[test]
fn the_source_keeps_to_the_table() {
    let found = violations(&repository().join("src"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn lib_declares_the_modules_in_the_order_of_the_table() {
    let file = syn::parse_file(&read(&repository().join("src/lib.rs"))).unwrap();
    let declared: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| if let syn::Item::Mod(module) = item { Some(module.ident.to_string()) } else { None })
        .collect();
    let expected: Vec<&str> =
        MODULES.iter().map(|(module, _)| *module).filter(|module| declared.iter().any(|name| name == module)).collect();
    assert_eq!(declared, expected);
}

#[test]
fn files_stay_short_enough_to_read() {
    let mut lengths: Vec<(usize, PathBuf)> = rust_files(&repository().join("src"))
        .into_iter()
        .map(|path| (read(&path).lines().count(), path.strip_prefix(repository()).unwrap().to_path_buf()))
        .collect();
    lengths.sort();
    let (lines, path) = lengths.last().expect("src/ has files");
    say(&format!("{} files in src/, the largest is {} with {lines} lines", lengths.len(), path.display()));
    assert!(*lines <= MAX_LINES, "{} has {lines} lines, more than {MAX_LINES}: split it", path.display());
}

#[test]
fn no_file_names_a_place_on_a_developers_machine() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp", "/wt")];
    let mut found = String::new();
    for path in repository_files() {
        // What is not UTF-8 is not text.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (line, content) in text.lines().enumerate() {
            if places.iter().any(|place| names_place(content, place)) {
                writeln!(found, "{}:{}: {content}", path.display(), line + 1).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "paths of one machine:\n{found}");
}

/// `a/place/b` is part of some other path; only one that starts here counts.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || ".-_}".contains(before))
    })
}

#[test]
fn planted_violations_are_caught() {
    assert_eq!(violations(planted(&[]).path()), Vec::<String>::new(), "the clean tree is clean");
    let plants: [(&str, &str, &str); 5] = [
        ("stats/mod.rs", "use crate::run::Plan;", "`stats` may not import `run`"),
        ("score/mod.rs", "fn f() { crate::run::start(1); }", "`score` may not import `run`"),
        ("compare/mod.rs", "pub use crate::gate::Verdict;", "`compare` may not import `gate`"),
        ("score/text/bleu.rs", "use super::super::super::gate::Verdict;", "`score` may not import `gate`"),
        ("compare/mod.rs", "use polars::prelude::DataFrame;", "`compare` may not name `polars`"),
    ];
    let caught = plants.iter().filter(|(file, text, why)| is_caught(file, text, why)).count();
    say(&format!("{} planted, {caught} caught", plants.len()));
    assert_eq!(caught, plants.len());
}

#[test]
fn every_way_to_write_a_path_is_understood() {
    let run = "`score` may not import `run`";
    let root = "`score` takes in the crate root";
    let score = "score/mod.rs";
    for (file, text, why) in [
        (score, "use crate::{call::Reply, run::Plan};", run),
        (score, "use crate::{call::{Call, Reply}, run};", run),
        (score, "use crate::run as r; fn f() { r::start(); }", run),
        (score, "use crate::call::{self, Reply as R}; use super::run::{self as other};", run),
        (score, "fn f() { assert!(crate::run::ready(), \"{}\", 1); }", run),
        (score, "fn f() -> Vec<u8> { vec![1, { use crate::run::two; two() }] }", run),
        (score, "type T = <crate::run::Plan as Iterator>::Item;", run),
        (score, "mod inner { pub fn f() { super::super::run::start() } }", run),
        (score, "macro_rules! m { () => { $crate::run::start() } }", run),
        (score, "#[cfg(not(test))] use crate::run::Plan;", run),
        (score, "#[cfg(any(test, unix))] use crate::run::Plan;", run),
        (score, "pub(crate) use crate::r#run::Plan;", run),
        ("score/text/bleu.rs", "fn f() { super::super::super::run::start() }", run),
        (score, "use crate as root; fn f() { root::run::start() }", run),
        (score, "mod run; fn f() { run::x(); crate::run::start() }", run),
        (score, "use crate as root;", root),
        (score, "use super::*;", root),
        (score, "use crate::Verdict;", "`crate::Verdict` is not in a module of the table"),
        (score, "use super::super::x;", "climbs above the crate"),
        (score, "#[path = \"../run/mod.rs\"] mod other;", "moved by `#[path]`"),
        ("gate/mod.rs", "use csv as c;", "`gate` may not name `csv`"),
        ("report/mod.rs", "fn f() { ::csv::Reader::new(); }", "`report` may not name `csv`"),
        ("report/mod.rs", "extern crate csv as c;", "`report` may not name `csv`"),
        ("gate/mod.rs", "fn f() { println!(\"no\") }", "`gate` may not name `println!`"),
        ("gate/mod.rs", "fn f() { std::eprintln!(\"no\") }", "`gate` may not name `eprintln!`"),
        ("run/mod.rs", "use std::process; fn f() { process::exit(1) }", "`run` may not name `std::process::exit`"),
        ("record/mod.rs", "use {tokio::fs as files};", "`record` may not name `tokio`"),
        ("call/mod.rs", "fn f() { reqwest::get(\"\"); }", "`call` may not name `reqwest`"),
        ("gate/mod.rs", "use minijinja::Environment;", "`gate` may not name `minijinja`"),
        ("stats/mod.rs", "use std::{fs, f64::consts};", "`stats` may not name `std::fs`"),
        ("stats/mod.rs", "fn f() -> std::time::Duration { todo() }", "`stats` may not name `std::time`"),
        ("stats/mod.rs", "use std as s; fn f() { s::env::args(); }", "`stats` may not name `std::env`"),
        ("main.rs", "fn f() { evalgauge::run::start() }", "`main` may not import `run`"),
        ("helpers.rs", "", "`helpers` is not a module of the table"),
        ("helpers/deep/x.rs", "", "`helpers` is not a module of the table"),
    ] {
        assert!(is_caught(file, text, why), "not caught: {file}: {text}");
    }
}

/// Whether the tree with this text in this file, and nothing else wrong, is refused for this reason and at this place.
fn is_caught(file: &str, text: &str, why: &str) -> bool {
    let tree = planted(&[(file, text)]);
    let found = violations(tree.path());
    let hit = !found.is_empty()
        && found.iter().all(|line| line.starts_with(file))
        && found.iter().any(|line| line.contains(why));
    if !hit {
        say(&format!("expected {file}: {why}; found {found:?}"));
    }
    hit
}

/// A small source tree that keeps every rule although it mentions what is forbidden wherever that is harmless, with
/// some text added to some files.
fn planted(extra: &[(&str, &str)]) -> tempfile::TempDir {
    let clean = [
        ("lib.rs", "pub mod stats; pub mod table; pub mod call; pub mod score; pub mod record; pub mod run;\n"),
        ("main.rs", "fn main() -> std::process::ExitCode { evalgauge::cli::main() }\n"),
        (
            "stats/mod.rs",
            "//! Not `crate::run::x()`.\n/* use crate::run; */ // use polars::x;\n\
             pub const S: &str = \"crate::run::x() println!() std::fs\";\npub const R: &str = r#\"use polars::x;\"#;\n\
             #[cfg(test)]\nmod tests { use super::*; use crate::run; fn f() { println!(\"{}\", std::env::args()) } }\n\
             #[cfg(all(test, unix))]\nuse crate::gate::Verdict;\n\
             struct A; impl A { #[cfg(test)] fn f() { crate::run::x(); } }\n\
             fn f() { #[cfg(test)] let _ = crate::run::x(); #[cfg(test)] eprintln!(); }\n\
             fn exit() { if 1 != (2) { exit() } }\n",
        ),
        ("table/mod.rs", "use polars::prelude::*; pub use csv::Reader;\n"),
        ("call/mod.rs", "use crate::table::Column as run; use minijinja::Environment;\n"),
        ("score/mod.rs", "mod text; use crate::{call::Reply, stats}; use super::candidate;\n#[cfg(test)] mod probe;\n"),
        ("score/probe.rs", "use crate::gate::Verdict;\n"),
        ("score/text/mod.rs", "mod bleu; pub(in crate::score) use self::bleu::run; use super::text::bleu;\n"),
        (
            "score/text/bleu.rs",
            "use super::super::Outcome; pub fn run<'csv>() -> impl Sized + use<'csv> { run::<u8>() }\n",
        ),
        ("record/mod.rs", "use crate::score::Outcome;\n"),
        ("run/mod.rs", "use tokio::sync; fn f() { sync::x(); crate::record::y(&crate::score::z()) }\n"),
        ("compare/mod.rs", "use crate::stats;\n"),
        ("gate/mod.rs", "use crate::compare::Comparison;\n"),
        ("report/mod.rs", "mod csv; pub use csv::render; fn f() { self::csv::render(); csv::render() }\n"),
        ("report/csv.rs", "pub fn render() {}\n"),
        ("cli/mod.rs", "use crate::report::csv; fn f() { csv::render(); println!(); std::process::exit(1) }\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<&str, String> = clean.iter().map(|(file, text)| (*file, (*text).to_owned())).collect();
    for (file, text) in extra {
        files.entry(file).or_default().push_str(text);
    }
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What breaks the table, as `file:line: what`, in the order of files and lines.
fn violations(src: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    let mut test_modules = BTreeSet::new();
    for path in rust_files(src) {
        let name = path.strip_prefix(src).unwrap().to_path_buf();
        let module = module_path(&name);
        let mut file = syn::parse_file(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut tests = WithoutTests { module: module.clone(), test_modules: &mut test_modules };
        tests.visit_file_mut(&mut file);
        sources.push((name, module, file));
    }
    for (name, module, file) in sources {
        if (0..=module.len()).any(|length| test_modules.contains(&module[..length])) || is_for_tests(&file.attrs) {
            continue;
        }
        let owner = match name.to_str() {
            Some("lib.rs") => "lib",
            Some("main.rs") => "main",
            _ => module[0].as_str(),
        };
        let known = matches!(owner, "lib" | "main") || MODULES.iter().any(|(listed, _)| *listed == owner);
        if !known {
            found.push(format!("{}:1: `{owner}` is not a module of the table", name.display()));
            continue;
        }
        let mut lines = BTreeSet::new();
        for mention in mentions(&file, &module) {
            lines.extend(judge(owner, &mention).into_iter().map(|what| (mention.line, what)));
        }
        found.extend(lines.into_iter().map(|(line, what)| format!("{}:{line}: {what}", name.display())));
    }
    found
}

/// What one mention breaks.
fn judge(owner: &str, mention: &Mention) -> Vec<String> {
    let mut broken = Vec::new();
    let path: Vec<&str> = mention.path.iter().map(String::as_str).collect();
    let shown = path.join("::");
    match path.as_slice() {
        [ABOVE, ..] => broken.push(format!("`{owner}` has a path that climbs above the crate")),
        [MOVED, ..] => broken.push(format!("`{owner}` has a module that is moved by `#[path]`")),
        ["crate"] | ["crate", "*"] if owner != "lib" => {
            broken.push(format!("`{owner}` takes in the crate root, which hides what it imports"));
        }
        ["crate", target, ..] if *target != owner => {
            let allowed: &[&str] = match owner {
                "lib" => return broken,
                "main" => &["cli"],
                _ => MODULES.iter().find(|(module, _)| *module == owner).map_or(&[], |(_, imports)| imports),
            };
            if !MODULES.iter().any(|(module, _)| module == target) {
                broken.push(format!("`{shown}` is not in a module of the table"));
            } else if !allowed.contains(target) {
                broken.push(format!("`{owner}` may not import `{target}` ({shown})"));
            }
        }
        _ => {}
    }
    for (name, who) in NAMES {
        let named = match name.strip_suffix('!') {
            Some(name) => mention.is_macro && path.last() == Some(&name),
            None => name.split("::").enumerate().all(|(at, part)| path.get(at) == Some(&part)),
        };
        let allowed = match who {
            Who::Only(modules) => modules.contains(&owner),
            Who::AllBut(modules) => !modules.contains(&owner),
        };
        if named && !allowed {
            broken.push(format!("`{owner}` may not name `{name}` ({shown})"));
        }
    }
    broken
}

/// All `.rs` files below a folder, in the order of their names.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = all_files(folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = entries.into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| all_files(folder)));
    files
}

/// What git tracks; in a copy without git, everything but build output and run records.
fn repository_files() -> Vec<PathBuf> {
    let listed = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(repository()).output();
    if let Ok(output) = listed
        && output.status.success()
    {
        let names = String::from_utf8(output.stdout).expect("names in UTF-8");
        return names.split('\0').filter(|name| !name.is_empty()).map(|name| repository().join(name)).collect();
    }
    say("git does not list this folder: looking at every file but target/, reports/ and .git/");
    let kept = |entry: &Path| !["target", "reports", ".git"].iter().any(|skipped| entry.ends_with(skipped));
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) =
        fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
    files.extend(folders.iter().filter(|folder| kept(folder)).flat_map(|folder| all_files(folder)));
    files
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Prints a line of its own, past the capture of passing tests.
fn say(line: &str) {
    io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

/// `cargo remove` takes profiles of crates away that are no direct dependency; nothing but the time of a build tells.
#[test]
fn what_polars_brings_is_built_lightly() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let light = |krate: &str| manifest["profile"]["release"]["package"].get(krate).is_some();
    for krate in
        ["polars", "polars-arrow", "polars-compute", "polars-core", "polars-io", "polars-ops", "polars-parquet"]
    {
        assert!(light(krate), "[profile.release.package] does not name {krate}");
    }
    assert!(manifest["profile"]["dev"]["package"].get("libsqlite3-sys").is_some());
}
