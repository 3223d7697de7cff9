//! The JSON Schema of evalgauge.toml says what the program says.

#![allow(clippy::unwrap_used, reason = "test program")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use evalgauge::config::{Config, schema};
use jsonschema::Validator;
use serde_json::{Value, json};

/// The file that has every key.
const EVERYTHING: &str = include_str!("data/config/everything.toml");

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn parsed(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("evalgauge.toml"), text).map_err(|error| error.to_string())
}

fn as_json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

/// What the schema complains about.
fn complaints(validator: &Validator, instance: &Value) -> Vec<String> {
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Says something that is to be seen also when the test passes.
fn say(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").unwrap();
}

#[test]
fn the_published_schema_is_what_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    // There is no project in this folder.
    let output = Command::new(env!("CARGO_BIN_EXE_evalgauge"))
        .args(["config", "schema"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let published = std::fs::read_to_string(repository().join("docs/schemas/config.schema.json")).unwrap();
    assert!(
        printed == published,
        "the settings have changed: `evalgauge config schema -o docs/schemas/config.schema.json` writes their schema anew"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&published).unwrap()["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

/// All names of properties below a schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::Object(own) if key == "properties" => {
                        names.extend(own.keys().cloned());
                        own.values().for_each(|value| properties(value, names));
                    }
                    _ => properties(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}

/// All keys of a document.
fn keys(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                names.insert(key.clone());
                keys(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        _ => {}
    }
}

#[test]
fn everything_is_accepted_and_is_everything() {
    let config = parsed(EVERYTHING).unwrap();
    let everything = as_json(EVERYTHING);
    assert_eq!(complaints(&validator(), &everything), Vec::<String>::new());
    let (mut known, mut used) = (BTreeSet::new(), BTreeSet::new());
    properties(&schema(), &mut known);
    keys(&everything, &mut used);
    let missing: Vec<&String> = known.difference(&used).collect();
    assert!(missing.is_empty(), "tests/data/config/everything.toml has no {missing:?}");
    assert!(known.len() > 100, "{known:?}");

    // What `config show` prints of it is accepted too, and has nothing that the schema does not know.
    let shown = serde_json::to_value(&config).unwrap();
    assert_eq!(complaints(&validator(), &shown), Vec::<String>::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("evalgauge.toml"), EVERYTHING).unwrap();
    let show =
        Command::new(env!("CARGO_BIN_EXE_evalgauge")).args(["config", "show"]).current_dir(folder.path()).output();
    let show = String::from_utf8(show.unwrap().stdout).unwrap();
    assert_eq!(complaints(&validator(), &as_json(&show)), Vec::<String>::new());
    assert_eq!(parsed(&show).unwrap(), config);
}

/// The JSON pointers of all values of a document, and of the tables among them.
fn places(value: &Value, at: &str, all: &mut Vec<String>, tables: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(object) => {
            tables.push(at.to_owned());
            for (key, value) in object {
                places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all, tables);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{number}"), all, tables);
            }
        }
        _ => {}
    }
}

/// Both judge a changed document: the schema never refuses what the program takes. Whether each refuses it.
fn both(validator: &Validator, changed: &Value, what: &str) -> (bool, bool) {
    let text = toml::to_string(changed).unwrap();
    let program = parsed(&text).err();
    let complaints = complaints(validator, changed);
    assert!(
        complaints.is_empty() || program.is_some(),
        "{what}: the schema refuses what the program takes: {complaints:?}"
    );
    if let Some(reason) = &program
        && (reason.contains("unknown field") || reason.contains("unknown variant") || reason.contains("invalid type"))
    {
        assert!(!complaints.is_empty(), "{what}: the schema takes what the program does not know: {reason}");
    }
    (program.is_some(), !complaints.is_empty())
}

#[test]
fn a_wrong_key_is_refused_by_both() {
    let (validator, everything) = (validator(), as_json(EVERYTHING));
    let (mut all, mut tables) = (Vec::new(), Vec::new());
    places(&everything, "", &mut all, &mut tables);
    let mut free = BTreeSet::new();
    for table in &tables {
        let mut changed = everything.clone();
        let object = changed.pointer_mut(table).unwrap().as_object_mut().unwrap();
        // With a value that stands under a right one.
        let value = object.values().next().cloned().unwrap_or_else(|| json!("x"));
        object.insert("wrong_key".to_owned(), value);
        if both(&validator, &changed, &format!("a wrong key in {table}")) != (true, true) {
            free.insert(table.rsplit('/').next().unwrap());
        }
    }
    say(&format!("a wrong key in {} tables; these take names of the user's own: {free:?}", tables.len()));
    // `0` is a tool that stands in the config as JSON.
    let expected = [
        "0",
        "fields",
        "of",
        "candidates",
        "scorers",
        "metrics",
        "headers",
        "when",
        "parameters",
        "extra",
        "margin",
        "metric",
        "min",
        "weight",
    ];
    assert_eq!(free, expected.into());
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_by_both() {
    let (validator, everything) = (validator(), as_json(EVERYTHING));
    let (mut all, mut tables) = (Vec::new(), Vec::new());
    places(&everything, "", &mut all, &mut tables);
    let mut refused = 0;
    for place in all.iter().filter(|place| !place.is_empty()) {
        for wrong in [json!([[{"x": 1}]]), json!({"x": {"y": [true]}})] {
            let mut changed = everything.clone();
            *changed.pointer_mut(place).unwrap() = wrong;
            refused += usize::from(both(&validator, &changed, place) == (true, true));
        }
    }
    say(&format!("{} values of two wrong kinds each: {refused} refused by both", all.len() - 1));
    assert!(refused >= 2 * (all.len() - 1) - 40, "{refused} of {}", 2 * (all.len() - 1));
}

/// The TOML files of the repository that are projects, and the blocks of the documents that read as one.
fn projects() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in ["evalgauge.toml", "judged.toml", "judged-local.toml"] {
        found.push((name.to_owned(), std::fs::read_to_string(repository().join(name)).unwrap()));
    }
    let mut documents: Vec<PathBuf> =
        std::fs::read_dir(repository().join("docs")).unwrap().map(|e| e.unwrap().path()).collect();
    documents.push(repository().join("README.md"));
    documents.sort();
    let mut others = 0;
    for path in documents.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(path).unwrap();
        for (number, block) in text.split("```toml\n").skip(1).enumerate() {
            let block = block.split("\n```").next().unwrap();
            let is_project = block.contains("[gate") || block.contains("[candidates.") || block.contains("[scorers.");
            // A place holder is no project.
            if is_project && !block.contains(".KIND]") {
                found.push((format!("{}, block {}", path.display(), number + 1), block.to_owned()));
            } else {
                others += 1;
            }
        }
    }
    say(&format!("{} project files and blocks of documents; {others} blocks of other files are left out", found.len()));
    found
}

#[test]
fn every_project_that_is_shipped_or_shown_is_accepted() {
    let validator = validator();
    let projects = projects();
    assert!(projects.len() >= 6, "{}", projects.len());
    for (name, text) in projects {
        assert_eq!(complaints(&validator, &as_json(&text)), Vec::<String>::new(), "{name}");
    }
}
