//! The rows: a kind, its settings, what is expected, an answer, and the score.

use serde_json::{Value, json};

/// What a row is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// What the scorer is for.
    Plain,
    /// The candidate says nothing.
    Empty,
    /// Beyond ASCII.
    Unicode,
    /// A megabyte.
    Huge,
    /// Something else than the scorer looks for.
    Type,
    /// Nothing at the place.
    Missing,
}

use Edge::{Empty, Huge, Missing, Plain, Type, Unicode};

pub const EDGES: [Edge; 6] = [Plain, Empty, Unicode, Huge, Type, Missing];

/// The score that a row must get.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    /// Right or wrong.
    Is(bool),
    /// A share, and whether it passes.
    Share(f64, bool),
    /// Any other value, and whether it passes.
    Value(Value, bool),
    /// The worst value, since the candidate failed to answer.
    Failed,
    /// No value.
    Unscored,
    /// No row: the scorer has nothing to say.
    Nothing,
}

use Want::{Failed, Is, Nothing, Share, Unscored};

pub struct Row {
    pub kind: &'static str,
    pub edge: Edge,
    pub settings: String,
    pub expected: Value,
    pub answer: Value,
    pub want: Want,
    /// Other scorers of the row, for combinations: suffix, kind, settings.
    pub members: Vec<(&'static str, &'static str, &'static str)>,
}

fn row(kind: &'static str, edge: Edge, settings: &str, expected: Value, answer: impl Into<Value>, want: Want) -> Row {
    Row { kind, edge, settings: settings.to_owned(), expected, answer: answer.into(), want, members: Vec::new() }
}

/// A kind that compares texts has the same edges as the others of its sort.
fn same_edges(kind: &'static str, settings: &str, expected: &Value, want: &dyn Fn(bool) -> Want) -> Vec<Row> {
    let at = format!("{settings}answer = \"/a\"\n");
    vec![
        row(kind, Empty, settings, expected.clone(), "", Failed),
        row(kind, Empty, settings, expected.clone(), Value::Null, Failed),
        row(kind, Empty, &format!("{settings}not = true\n"), expected.clone(), "", Failed),
        row(kind, Missing, &at, expected.clone(), r#"{"b": 1}"#, want(false)),
        row(kind, Missing, &at, expected.clone(), "no JSON", want(false)),
        // Turned around, what the candidate leaves out is still its failure.
        row(kind, Missing, &format!("{at}not = true\n"), expected.clone(), r#"{"b": 1}"#, want(false)),
    ]
}

fn is(right: bool) -> Want {
    Is(right)
}

fn share(whole: bool) -> Want {
    Share(f64::from(u8::from(whole)), whole)
}

/// A megabyte of words.
fn huge(ending: &str) -> String {
    format!("{}{ending}", "lorem ipsum ".repeat(90_000))
}

const NOWHERE: &str = "expected = \"/nowhere\"\n";

fn right_answers() -> Vec<Row> {
    let mut rows = vec![
        row("exact", Plain, "", json!("yes"), " yes\n", Is(true)),
        row("exact", Plain, "", json!("yes"), "Yes", Is(false)),
        row("exact", Plain, "ignore_case = true\n", json!("yes"), "YES", Is(true)),
        row("exact", Plain, "not = true\n", json!("yes"), "no", Is(true)),
        row("exact", Plain, "value = \"yes\"\n", json!("no"), "yes", Is(true)),
        row("exact", Plain, "answer = \"/a\"\nexpected = \"/e\"\n", json!({"e": [1, 2]}), r#"{"a": [1, 2]}"#, Is(true)),
        row("exact", Unicode, "ignore_case = true\n", json!("ÉCOLE 学校"), "école 学校", Is(true)),
        row("exact", Unicode, "", json!("é"), "e\u{301}", Is(false)),
        row("exact", Huge, "", json!(huge("end")), huge("end"), Is(true)),
        row("exact", Type, "answer = \"/a\"\n", json!("1"), r#"{"a": 1}"#, Is(true)),
        row("exact", Type, "answer = \"/a\"\n", json!("1"), r#"{"a": [1]}"#, Is(false)),
        row("exact", Missing, NOWHERE, json!({"e": 1}), "1", Unscored),
        row("exact", Missing, "", Value::Null, "1", Unscored),
        row("squad_exact", Plain, "", json!("Eiffel Tower"), "the Eiffel Tower!", Is(true)),
        row("squad_exact", Plain, "", json!(["Paris", "the city of light"]), "City of Light.", Is(true)),
        row("squad_exact", Plain, "not = true\n", json!("Paris"), "London", Is(true)),
        row("squad_exact", Unicode, "", json!("Ångström"), "ångström.", Is(true)),
        row("squad_exact", Huge, "", json!("end"), huge("end"), Is(false)),
        row("squad_exact", Type, "answer = \"/a\"\n", json!("3"), r#"{"a": 3}"#, Is(true)),
        row("squad_exact", Type, "", json!({"x": 1}), "x", Unscored),
        row("squad_exact", Missing, NOWHERE, json!({}), "x", Unscored),
        row("one_of", Plain, "", json!(["db", "sql"]), "sql", Share(1.0, true)),
        row("one_of", Plain, "ordered = true\n", json!(["db", "sql"]), "sql", Share(0.5, true)),
        row("one_of", Plain, "ordered = true\npass_at = 0.6\n", json!(["db", "sql"]), "sql", Share(0.5, false)),
        row("one_of", Plain, "ignore_case = true\n", json!("DB"), "db", Share(1.0, true)),
        row("one_of", Plain, "", json!(["db", "sql"]), "web", Share(0.0, false)),
        row("one_of", Plain, "not = true\nvalue = [\"a\", \"b\"]\n", json!("c"), "c", Share(1.0, true)),
        row("one_of", Unicode, "", json!(["да", "нет"]), "нет", Share(1.0, true)),
        row("one_of", Huge, "", json!(["db"]), huge("db"), Share(0.0, false)),
        row("one_of", Type, "answer = \"/a\"\n", json!(["db"]), r#"{"a": ["db"]}"#, Share(0.0, false)),
        row("one_of", Type, "", json!([]), "db", Unscored),
        row("one_of", Missing, NOWHERE, json!({}), "db", Unscored),
        row("numeric", Plain, "", json!(1200), "$1,200", Is(true)),
        row("numeric", Plain, "absolute = 0.5\n", json!(3), "3.5", Is(true)),
        row("numeric", Plain, "absolute = 0.5\n", json!(3), "3.51", Is(false)),
        row("numeric", Plain, "relative = 0.01\n", json!(200), "198", Is(true)),
        row("numeric", Plain, "relative = 0.01\n", json!(0), "0.001", Is(false)),
        row("numeric", Plain, "", json!(3), "it is 3", Is(false)),
        row("numeric", Plain, "find = \"last\"\n", json!(-3), "of 7 it is -3.", Is(true)),
        row("numeric", Plain, "find = \"first\"\n", json!("7"), "of 7 it is 3", Is(true)),
        row("numeric", Plain, "not = true\n", json!(3), "4", Is(true)),
        row("numeric", Unicode, "find = \"last\"\n", json!(-4), "температура −4 °C", Is(true)),
        row("numeric", Unicode, "", json!(3), "٣", Is(false)),
        row("numeric", Huge, "find = \"last\"\n", json!(5), huge("5"), Is(true)),
        row("numeric", Type, "answer = \"/a\"\n", json!(3), r#"{"a": true}"#, Is(false)),
        row("numeric", Type, "not = true\n", json!(3), "three", Is(false)),
        row("numeric", Type, "", json!("three"), "3", Unscored),
        row("numeric", Type, "", json!(3), "1e400", Is(false)),
        row("numeric", Missing, NOWHERE, json!({}), "3", Unscored),
    ];
    rows.extend(same_edges("exact", "", &json!("yes"), &is));
    rows.extend(same_edges("squad_exact", "", &json!("yes"), &is));
    rows.extend(same_edges("one_of", "", &json!("yes"), &share));
    rows.extend(same_edges("numeric", "", &json!(3), &is));
    rows
}

fn kept_values() -> Vec<Row> {
    let label = "labels = [\"db\", \"web\", \"ü\"]\n";
    let at = format!("{label}answer = \"/a\"\n");
    let value = Want::Value;
    vec![
        row("label", Plain, label, json!("db"), " DB ", value(json!("db"), true)),
        row("label", Plain, label, json!(["db", "web"]), "web", value(json!("web"), true)),
        row("label", Plain, label, json!("db"), "web", value(json!("web"), false)),
        row("label", Empty, label, json!("db"), "", Failed),
        row("label", Unicode, label, json!("ü"), "Ü", value(json!("ü"), true)),
        row("label", Huge, label, json!("db"), huge("db"), value(json!(huge("db")), false)),
        row("label", Type, &at, json!("db"), r#"{"a": ["db"]}"#, value(json!(""), false)),
        row("label", Type, label, json!("nothing of these"), "db", Unscored),
        row("label", Missing, &at, json!("db"), "{}", value(json!(""), false)),
        row("label", Missing, &format!("{label}{NOWHERE}"), json!({}), "db", Unscored),
        row("ranked", Plain, "within = 1\n", json!(["b"]), r#"["a", "b"]"#, value(json!(["a", "b"]), false)),
        row("ranked", Plain, "", json!({"b": 2}), r#"["a", "b", "a"]"#, value(json!(["a", "b"]), true)),
        row("ranked", Empty, "", json!(["a"]), "", Failed),
        row("ranked", Empty, "", json!(["a"]), "[]", value(json!([]), false)),
        row("ranked", Unicode, "", json!(["ü"]), r#"["ü"]"#, value(json!(["ü"]), true)),
        row("ranked", Huge, "", json!(["b"]), huge("b"), value(json!([]), false)),
        row("ranked", Type, "", json!(["a"]), r#"[{"id": "a"}]"#, value(json!([]), false)),
        row("ranked", Type, "", json!([]), r#"["a"]"#, Unscored),
        row("ranked", Missing, "answer = \"/a\"\n", json!(["a"]), "{}", value(json!([]), false)),
        row("ranked", Missing, NOWHERE, json!({}), "[]", Unscored),
        row("preference", Plain, "", Value::Null, "win", value(json!({"preference": 1}), true)),
        row(
            "preference",
            Plain,
            "answer = \"/a\"\n",
            Value::Null,
            r#"{"a": 0}"#,
            value(json!({"preference": 0}), true),
        ),
        row("preference", Empty, "", Value::Null, "", Failed),
        row("preference", Unicode, "", Value::Null, "победа", value(json!({"preference": -1}), false)),
        row("preference", Huge, "", Value::Null, huge("win"), value(json!({"preference": -1}), false)),
        row(
            "preference",
            Type,
            "answer = \"/a\"\n",
            Value::Null,
            r#"{"a": 2}"#,
            value(json!({"preference": -1}), false),
        ),
        row("preference", Missing, "answer = \"/a\"\n", Value::Null, "{}", value(json!({"preference": -1}), false)),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn texts() -> Vec<Row> {
    let must = json!({"must_contain": ["disk", "df"], "must_not_contain": ["rm -rf"]});
    let points = json!(["restart the node", ["page the lead", "call the lead"], "df"]);
    let mut rows = vec![
        row("contains", Plain, "all = [\"disk\", \"node\"]\n", Value::Null, "the disk", Share(0.5, false)),
        row(
            "contains",
            Plain,
            "all = [\"disk\", \"node\"]\npass_at = 0.5\n",
            Value::Null,
            "the disk",
            Share(0.5, true),
        ),
        row("contains", Plain, "any = [\"disk\", \"node\"]\n", Value::Null, "the disk", Share(1.0, true)),
        row("contains", Plain, "none = [\"disk\"]\n", Value::Null, "the disk", Share(0.0, false)),
        row("contains", Plain, "all = { expected = \"/w\" }\n", json!({"w": "DISK"}), "the disk", Share(0.0, false)),
        row("contains", Plain, "all = [\"DISK\"]\nignore_case = true\n", Value::Null, "the disk", Share(1.0, true)),
        row("contains", Plain, "all = [\"disk\"]\nnot = true\n", Value::Null, "the disk", Share(0.0, false)),
        row(
            "contains",
            Unicode,
            "all = [\"ДИСК\", \"磁盘\"]\nignore_case = true\n",
            Value::Null,
            "диск 磁盘",
            Share(1.0, true),
        ),
        row("contains", Huge, "all = [\"end\"]\nnone = [\"END\"]\n", Value::Null, huge("end"), Share(1.0, true)),
        row("contains", Type, "all = [\"disk\"]\n", Value::Null, r#"{"a": ["disk"]}"#, Share(1.0, true)),
        row("contains", Type, "all = { expected = \"/w\" }\n", json!({"w": {}}), "x", Unscored),
        row("contains", Missing, "all = { expected = \"/w\" }\n", json!({}), "x", Unscored),
        row("contains", Missing, "none = [\"x\"]\nanswer = \"/a\"\n", Value::Null, "{}", Share(0.0, false)),
        row("must_contain", Plain, "", must.clone(), "disk, df", Share(1.0, true)),
        row(
            "must_contain",
            Plain,
            "",
            json!({"must_contain": ["a", "b"], "must_not_contain": "c"}),
            "a c",
            Share(1.0 / 3.0, false),
        ),
        row("must_contain", Plain, "pass_at = 0.6\nignore_case = true\n", must.clone(), "DISK", Share(2.0 / 3.0, true)),
        row("must_contain", Plain, "expected = \"/of\"\n", json!({"of": {"must_contain": "a"}}), "a", Share(1.0, true)),
        row("must_contain", Unicode, "", json!({"must_contain": "磁盘"}), "检查磁盘空间", Share(1.0, true)),
        row("must_contain", Huge, "", must.clone(), huge("disk df"), Share(1.0, true)),
        row("must_contain", Type, "", json!({"must_contain": {"a": 1}}), "a", Unscored),
        row("must_contain", Type, "", json!({"must_contain": []}), "a", Unscored),
        // Who names neither has nothing to be said about.
        row("must_contain", Missing, "", json!({"answer": "x"}), "x", Nothing),
        row(
            "key_points",
            Plain,
            "",
            points.clone(),
            "Restart node, then call the lead; look at `df`.",
            Share(1.0, true),
        ),
        row("key_points", Plain, "pass_at = 0.6\n", points.clone(), "Call the lead. Df?", Share(2.0 / 3.0, true)),
        row("key_points", Plain, "", points.clone(), "restarted the nodes, pdf", Share(0.0, false)),
        row("key_points", Unicode, "", json!(["重启", "Überlauf"]), "请重启。überlauf!", Share(1.0, true)),
        row("key_points", Huge, "", json!(["the end", "start"]), huge("end"), Share(0.5, false)),
        row("key_points", Type, "", json!("restart"), "restart", Unscored),
        row("key_points", Type, "", json!(["the"]), "the", Unscored),
        row("key_points", Missing, NOWHERE, json!({}), "x", Unscored),
        row("starts_with", Plain, "", json!("Dear"), "  Dear all", Is(true)),
        row("starts_with", Plain, "value = [\"Dear\", \"Hello\"]\n", Value::Null, "Hello", Is(true)),
        row("starts_with", Plain, "not = true\n", json!("Dear"), "Hi", Is(true)),
        row("starts_with", Plain, "ignore_case = true\n", json!("dear"), "DEAR", Is(true)),
        row("starts_with", Unicode, "", json!("Grüße"), "Grüße aus", Is(true)),
        row("starts_with", Huge, "", json!("lorem"), huge(""), Is(true)),
        row("starts_with", Type, "answer = \"/a\"\n", json!("12"), r#"{"a": 123}"#, Is(true)),
        row("starts_with", Type, "", json!(""), "x", Unscored),
        row("starts_with", Missing, NOWHERE, json!({}), "x", Unscored),
        row("ends_with", Plain, "", json!("team"), "The team\n", Is(true)),
        row("ends_with", Plain, "", json!("team"), "The teams", Is(false)),
        row("ends_with", Unicode, "ignore_case = true\n", json!("ТЕСТ"), "это тест", Is(true)),
        row("ends_with", Huge, "", json!("end"), huge("end"), Is(true)),
        row("ends_with", Type, "", json!({}), "x", Unscored),
        row("ends_with", Missing, NOWHERE, json!({}), "x", Unscored),
        row("regex", Plain, "pattern = 'INC-\\d+'\n", Value::Null, "see INC-12", Is(true)),
        row("regex", Plain, "pattern = '^INC-\\d+$'\nignore_case = true\n", Value::Null, "inc-12", Is(true)),
        row("regex", Plain, "pattern = 'INC'\nnot = true\n", Value::Null, "see INC-12", Is(false)),
        row("regex", Plain, "pattern = 'A: (\\d+)'\ncapture = 1\n", json!("7"), "A: 7, A: 8", Is(true)),
        row(
            "regex",
            Plain,
            "pattern = 'A: (?<n>\\d+)'\ncapture = \"n\"\nwhich = \"last\"\n",
            json!("7"),
            "A: 7, A: 8",
            Is(false),
        ),
        row("regex", Plain, "pattern = 'A: (\\d+)'\ncapture = 1\nnot = true\n", json!("7"), "none", Is(false)),
        row("regex", Unicode, "pattern = '\\p{Han}+'\n", Value::Null, "磁盘", Is(true)),
        row("regex", Huge, "pattern = '(?:lorem ipsum )+(end)$'\ncapture = 1\n", json!("end"), huge("end"), Is(true)),
        row("regex", Type, "pattern = '^\\d$'\nanswer = \"/a\"\n", Value::Null, r#"{"a": 1}"#, Is(true)),
        row("regex", Type, "pattern = '(.)'\ncapture = 1\n", json!({"x": 1}), "x", Unscored),
        row("regex", Missing, "pattern = '(.)'\ncapture = 1\nexpected = \"/x\"\n", json!({}), "x", Unscored),
        row("token_f1", Plain, "", json!(["Barack H. Obama", "Obama"]), "Barack Obama", Share(0.8, false)),
        row("token_f1", Plain, "pass_at = 0.8\n", json!("Barack H. Obama"), "Barack Obama", Share(0.8, true)),
        row("token_f1", Unicode, "", json!("два слова"), "Слова два", Share(1.0, true)),
        row("token_f1", Huge, "", json!("nothing"), huge(""), Share(0.0, false)),
        row("token_f1", Type, "", json!([{}]), "x", Unscored),
        row("token_f1", Missing, NOWHERE, json!({}), "x", Unscored),
        row("edit_distance", Plain, "", json!("kitten"), "sitting", Share(4.0 / 7.0, false)),
        row("edit_distance", Plain, "at_most = 3\n", json!("kitten"), "sitting", Share(4.0 / 7.0, true)),
        row("edit_distance", Plain, "pass_at = 0.5\nnot = true\n", json!("kitten"), "sitting", Share(3.0 / 7.0, false)),
        row("edit_distance", Plain, "ignore_case = true\n", json!("ABC"), "abc", Share(1.0, true)),
        row("edit_distance", Unicode, "", json!("磁盘"), "磁碟", Share(0.5, false)),
        // Too long is the candidate's failure, not a gap that it could hide in.
        row("edit_distance", Huge, "", json!("x"), huge(""), Share(0.0, false)),
        row("edit_distance", Huge, "", json!(huge("")), "x", Unscored),
        row("edit_distance", Type, "answer = \"/a\"\n", json!("12"), r#"{"a": 12}"#, Share(1.0, true)),
        row("edit_distance", Missing, NOWHERE, json!({}), "x", Unscored),
    ];
    rows.extend(same_edges("contains", "all = [\"x\"]\n", &Value::Null, &share));
    rows.extend(same_edges("must_contain", "", &must, &share));
    rows.extend(same_edges("key_points", "", &points, &share));
    rows.extend(same_edges("starts_with", "", &json!("x"), &is));
    rows.extend(same_edges("ends_with", "", &json!("x"), &is));
    rows.extend(same_edges("regex", "pattern = 'x'\n", &Value::Null, &is));
    rows.extend(same_edges("token_f1", "", &json!("x"), &share));
    rows.push(row("token_f1", Type, "answer = \"/a\"\n", json!("true"), r#"{"a": true}"#, Share(1.0, true)));
    rows.extend(same_edges("edit_distance", "", &json!("x"), &share));
    rows
}

fn lists() -> Vec<Row> {
    let ab = json!(["a", "b"]);
    let mut rows = vec![
        row("set", Plain, "", ab.clone(), r#"["b", "c", "b"]"#, Share(0.5, false)),
        row("set", Plain, "measure = \"precision\"\n", ab.clone(), r#"["b"]"#, Share(1.0, true)),
        row("set", Plain, "measure = \"recall\"\n", ab.clone(), r#"["b"]"#, Share(0.5, false)),
        row(
            "set",
            Plain,
            "measure = \"jaccard\"\npass_at = 0.3\n",
            ab.clone(),
            r#"["b", "c"]"#,
            Share(1.0 / 3.0, true),
        ),
        row("set", Plain, "measure = \"exact\"\n", ab.clone(), r#"["b", "a"]"#, Share(1.0, true)),
        row("set", Plain, "split = \",\"\nignore_case = true\n", ab.clone(), "B, A,", Share(1.0, true)),
        row("set", Empty, "", json!([]), "[]", Share(1.0, true)),
        row("set", Empty, "", ab.clone(), "[]", Share(0.0, false)),
        row("set", Unicode, "", json!(["ü", "磁盘"]), r#"["磁盘", "ü"]"#, Share(1.0, true)),
        row("set", Huge, "split = \" \"\n", json!(["lorem", "ipsum"]), huge(""), Share(1.0, true)),
        row("set", Type, "", ab.clone(), "a, b", Share(0.0, false)),
        row("set", Type, "", json!("a"), "[]", Unscored),
        row("set", Type, "", json!([1, {"k": 1}]), r#"["1", {"k": 1}]"#, Share(1.0, true)),
        row("set", Missing, NOWHERE, json!({}), "[]", Unscored),
        row("list", Plain, "", ab.clone(), r#"["a", "b"]"#, Share(1.0, true)),
        row("list", Plain, "", ab.clone(), r#"["b", "a"]"#, Share(0.5, false)),
        row("list", Plain, "measure = \"recall\"\n", ab.clone(), r#"["a", "x", "b"]"#, Share(1.0, true)),
        row("list", Plain, "measure = \"precision\"\n", ab.clone(), r#"["a", "x"]"#, Share(0.5, false)),
        row("list", Plain, "measure = \"jaccard\"\n", ab.clone(), r#"["a"]"#, Share(0.5, false)),
        row("list", Plain, "measure = \"exact\"\n", ab.clone(), r#"["a", "b", "b"]"#, Share(0.0, false)),
        row("list", Plain, "split = \"\\n\"\n", ab.clone(), "a\nb", Share(1.0, true)),
        row("list", Empty, "", json!([]), "[]", Share(1.0, true)),
        row("list", Unicode, "", json!(["ü", "ж"]), r#"["ü", "ж"]"#, Share(1.0, true)),
        row(
            "list",
            Huge,
            "split = \" \"\nmeasure = \"recall\"\n",
            json!(["ipsum", "lorem", "ipsum"]),
            huge(""),
            Share(1.0, true),
        ),
        row("list", Type, "", ab.clone(), r#"{"a": 1}"#, Share(0.0, false)),
        row("list", Type, "", json!({}), "[]", Unscored),
        row("list", Missing, NOWHERE, json!({}), "[]", Unscored),
    ];
    rows.extend(same_edges("set", "", &ab, &share));
    rows.extend(same_edges("list", "", &ab, &share));
    rows
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn formats() -> Vec<Row> {
    let schema =
        "schema = { type = \"object\", required = [\"t\"], properties = { t = { enum = [\"db\", \"ü\"] } } }\n";
    let nothing = Value::Null;
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    let mut rows = vec![
        row("json_parses", Plain, "", nothing.clone(), r#"{"a": 1}"#, Is(true)),
        row("json_parses", Plain, "", nothing.clone(), r#"{"a": 1,}"#, Is(false)),
        row("json_parses", Plain, "", nothing.clone(), "```json\n{}\n```", Is(false)),
        row("json_parses", Plain, "fenced = true\nis = \"object\"\n", nothing.clone(), "```json\n{}\n```", Is(true)),
        row("json_parses", Plain, "not = true\n", nothing.clone(), "prose", Is(true)),
        row("json_parses", Unicode, "", nothing.clone(), "{\"ü\": \"磁盘\"}", Is(true)),
        row("json_parses", Huge, "", nothing.clone(), deep.clone(), Is(false)),
        row(
            "json_parses",
            Huge,
            "is = \"array\"\n",
            nothing.clone(),
            format!("[{}1]", "1, ".repeat(300_000)),
            Is(true),
        ),
        row("json_parses", Type, "is = \"object\"\n", nothing.clone(), "[1]", Is(false)),
        row("json_parses", Type, "is = \"number\"\n", nothing.clone(), "42", Is(true)),
        row("json_schema", Plain, schema, nothing.clone(), r#"{"t": "db"}"#, Is(true)),
        row("json_schema", Plain, schema, nothing.clone(), r#"{"t": "web"}"#, Is(false)),
        row("json_schema", Plain, "schema = \"schema.json\"\n", nothing.clone(), r#"{"t": "db"}"#, Is(true)),
        row("json_schema", Plain, "schema = \"schema.json\"\n", nothing.clone(), r#"{"t": 1}"#, Is(false)),
        row("json_schema", Plain, &format!("{schema}not = true\n"), nothing.clone(), "{}", Is(true)),
        row(
            "json_schema",
            Plain,
            &format!("{schema}fenced = true\n"),
            nothing.clone(),
            "```\n{\"t\": \"db\"}\n```",
            Is(true),
        ),
        row("json_schema", Unicode, schema, nothing.clone(), r#"{"t": "ü"}"#, Is(true)),
        row("json_schema", Huge, schema, nothing.clone(), format!(r#"{{"t": "db", "x": "{}"}}"#, huge("")), Is(true)),
        row("json_schema", Type, schema, nothing.clone(), "no JSON", Is(false)),
        row("json_schema", Type, schema, nothing.clone(), "[1]", Is(false)),
        row(
            "json_fields",
            Plain,
            "fields = [\"/t\", \"/s\"]\n",
            json!({"t": "db", "s": 2}),
            r#"{"t": "db", "s": 3}"#,
            Share(0.5, false),
        ),
        row(
            "json_fields",
            Plain,
            "fields = { \"/t\" = \"/team\" }\n",
            json!({"team": "db"}),
            r#"{"t": "db"}"#,
            Share(1.0, true),
        ),
        row(
            "json_fields",
            Plain,
            "fields = [\"/t\"]\nvalue = { t = \"DB\" }\nignore_case = true\n",
            nothing.clone(),
            r#"{"t": "db"}"#,
            Share(1.0, true),
        ),
        row(
            "json_fields",
            Plain,
            "fields = [\"/t\"]\nfenced = true\n",
            json!({"t": [1]}),
            "```json\n{\"t\": [1]}\n```",
            Share(1.0, true),
        ),
        row("json_fields", Unicode, "fields = [\"/ü\"]\n", json!({"ü": "ж"}), r#"{"ü": "ж"}"#, Share(1.0, true)),
        row(
            "json_fields",
            Huge,
            "fields = [\"/t\"]\n",
            json!({"t": 1}),
            format!(r#"{{"t": 1, "x": "{}"}}"#, huge("")),
            Share(1.0, true),
        ),
        row("json_fields", Type, "fields = [\"/t\"]\n", json!({"t": 1}), "prose", Share(0.0, false)),
        row("json_fields", Type, "fields = [\"/t\"]\n", json!({"t": 1}), r#"{"t": "1"}"#, Share(1.0, true)),
        row("json_fields", Missing, "fields = [\"/t\"]\n", json!({"x": 1}), r#"{"t": 1}"#, Unscored),
        row(
            "json_fields",
            Missing,
            "fields = [\"/t\", \"/s\"]\n",
            json!({"t": 1, "s": 1}),
            r#"{"t": 1}"#,
            Share(0.5, false),
        ),
        row("xml_parses", Plain, "", nothing.clone(), "<a b='1'>x &amp; y</a>", Is(true)),
        row("xml_parses", Plain, "", nothing.clone(), "<a><b></a>", Is(false)),
        row("xml_parses", Plain, "root = \"r\"\nfenced = true\n", nothing.clone(), "```xml\n<r/>\n```", Is(true)),
        row("xml_parses", Plain, "root = \"r\"\n", nothing.clone(), "<a/>", Is(false)),
        row("xml_parses", Plain, "not = true\n", nothing.clone(), "prose", Is(true)),
        row(
            "xml_parses",
            Plain,
            "",
            nothing.clone(),
            "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><a>&e;</a>",
            Is(false),
        ),
        row("xml_parses", Unicode, "", nothing.clone(), "<größe>磁盘</größe>", Is(true)),
        row("xml_parses", Huge, "", nothing.clone(), "<a>".repeat(170_000) + &"</a>".repeat(170_000), Is(true)),
        row("xml_parses", Type, "answer = \"/a\"\n", nothing.clone(), r#"{"a": 1}"#, Is(false)),
        row("sql_parses", Plain, "", nothing.clone(), "SELECT a FROM t WHERE b = 'x' ORDER BY 1;", Is(true)),
        row("sql_parses", Plain, "", nothing.clone(), "SELECT a, FROM", Is(false)),
        row("sql_parses", Plain, "at_most = 1\n", nothing.clone(), "SELECT 1; DROP TABLE t", Is(false)),
        row("sql_parses", Plain, "dialect = \"postgres\"\n", nothing.clone(), "SELECT a::int FROM t", Is(true)),
        row(
            "sql_parses",
            Plain,
            "dialect = \"mysql\"\nfenced = true\n",
            nothing.clone(),
            "```sql\nSELECT `a` FROM t\n```",
            Is(true),
        ),
        row("sql_parses", Plain, "", nothing.clone(), "-- nothing", Is(false)),
        row("sql_parses", Unicode, "", nothing.clone(), "SELECT 'Größe 磁盘' AS \"ü\"", Is(true)),
        row("sql_parses", Huge, "", nothing.clone(), format!("SELECT {}1", "1, ".repeat(300_000)), Is(true)),
        row("sql_parses", Huge, "", nothing.clone(), format!("SELECT {}1", "(".repeat(1_000_000)), Is(false)),
        row("sql_parses", Type, "answer = \"/a\"\n", nothing.clone(), r#"{"a": [1]}"#, Is(false)),
    ];
    rows.extend(same_edges("json_parses", "", &nothing, &is));
    rows.extend(same_edges("json_schema", schema, &nothing, &is));
    rows.extend(same_edges("json_fields", "fields = [\"/t\"]\n", &json!({"t": 1}), &share));
    rows.extend(same_edges("xml_parses", "", &nothing, &is));
    rows.extend(same_edges("sql_parses", "", &nothing, &is));
    rows
}

fn manner() -> Vec<Row> {
    let nothing = Value::Null;
    let german = "Der Datenträger ist voll, und die Datenbank nimmt keine neuen Verbindungen mehr an.";
    let english = "The disk is full, and the database does not accept any new connections.";
    let mut rows = vec![
        row("length", Plain, "max = 3\n", nothing.clone(), " one two three ", Is(true)),
        row("length", Plain, "min = 4\n", nothing.clone(), "one two three", Is(false)),
        row("length", Plain, "unit = \"lines\"\nmin = 2\nmax = 2\n", nothing.clone(), "one\ntwo\n", Is(true)),
        row("length", Plain, "max = 3\nnot = true\n", nothing.clone(), "one", Is(false)),
        row("length", Unicode, "unit = \"characters\"\nmax = 4\n", nothing.clone(), "磁盘üé", Is(true)),
        row("length", Huge, "max = 1000\n", nothing.clone(), huge(""), Is(false)),
        row(
            "length",
            Type,
            "unit = \"characters\"\nmax = 3\nanswer = \"/a\"\n",
            nothing.clone(),
            r#"{"a": [1]}"#,
            Is(true),
        ),
        row("language", Plain, "", json!("de"), german, Is(true)),
        row("language", Plain, "", json!("de-AT"), english, Is(false)),
        row(
            "language",
            Plain,
            "value = [\"deu\", \"en\"]\namong = [\"de\", \"en\"]\n",
            nothing.clone(),
            english,
            Is(true),
        ),
        row("language", Plain, "not = true\n", json!("de"), english, Is(true)),
        row("language", Unicode, "", json!("ja"), "ディスクがいっぱいです", Is(true)),
        row("language", Unicode, "", json!("ko"), "디스크", Is(true)),
        row("language", Huge, "", json!("en"), format!("{english} ").repeat(14_000), Is(true)),
        row("language", Type, "", json!("tlh"), english, Unscored),
        row("language", Type, "", json!("en"), "12 34", Is(false)),
        row("language", Type, "", json!("en"), "OK.", Unscored),
        row("language", Type, "among = [\"en\"]\n", json!("de"), german, Unscored),
        row("language", Missing, NOWHERE, json!({}), german, Unscored),
        row("refusal", Plain, "", nothing.clone(), "I’m sorry, but I can’t help with that.", Is(true)),
        row("refusal", Plain, "", nothing.clone(), english, Is(false)),
        row("refusal", Plain, "not = true\n", nothing.clone(), english, Is(true)),
        row("refusal", Plain, "phrases = [\"no way\"]\n", nothing.clone(), "No   WAY, friend", Is(true)),
        row("refusal", Unicode, "", nothing.clone(), "申し訳ありませんが、お手伝いできません。", Is(true)),
        row("refusal", Unicode, "", nothing.clone(), "Dabei kann ich Ihnen nicht helfen.", Is(true)),
        // Far from the beginning it is a quotation more often than a refusal.
        row("refusal", Huge, "", nothing.clone(), huge("I cannot help with that."), Is(false)),
        row("refusal", Type, "answer = \"/a\"\n", nothing.clone(), r#"{"a": 1}"#, Is(false)),
        row("asks_for_more", Plain, "", nothing.clone(), "Could you provide the log of the node?", Is(true)),
        row("asks_for_more", Plain, "", nothing.clone(), english, Is(false)),
        row("asks_for_more", Plain, "phrases = [\"which node\"]\n", nothing.clone(), "Which node?", Is(true)),
        row("asks_for_more", Unicode, "", nothing.clone(), "Könnten Sie mir sagen, welcher Server?", Is(true)),
        row("asks_for_more", Huge, "", nothing.clone(), huge("could you provide"), Is(false)),
        row("asks_for_more", Type, "answer = \"/a\"\n", nothing.clone(), r#"{"a": {"b": "please provide"}}"#, Is(true)),
    ];
    rows.extend(same_edges("length", "max = 9\n", &nothing, &is));
    rows.extend(same_edges("language", "", &json!("en"), &is));
    rows.extend(same_edges("refusal", "", &nothing, &is));
    rows.extend(same_edges("asks_for_more", "", &nothing, &is));
    rows
}

fn calls() -> Vec<Row> {
    let page = json!([{"name": "page", "arguments": {"team": "db"}}]);
    let two = json!([{"name": "look", "arguments": {}}, {"name": "page", "arguments": {"team": "db"}}]);
    let made = |calls: Value| json!({"tool_calls": calls}).to_string();
    let tools = "measure = \"valid\"\ntools = [{ name = \"page\", parameters = { type = \"object\", required = [\"team\"] } }]\n";
    let many = Value::from(vec![json!("page"); 100_000]);
    let mut rows = vec![
        row("tool_calls", Plain, "", page.clone(), made(page.clone()), Share(1.0, true)),
        row("tool_calls", Plain, "", two.clone(), made(page.clone()), Share(2.0 / 3.0, false)),
        row(
            "tool_calls",
            Plain,
            "measure = \"recall\"\npass_at = 0.5\n",
            two.clone(),
            made(page.clone()),
            Share(0.5, true),
        ),
        row("tool_calls", Plain, "measure = \"precision\"\n", two.clone(), made(page.clone()), Share(1.0, true)),
        row("tool_calls", Plain, "measure = \"jaccard\"\n", two.clone(), made(page.clone()), Share(0.5, false)),
        row("tool_calls", Plain, "measure = \"exact\"\n", two.clone(), made(json!([two[1], two[0]])), Share(1.0, true)),
        row("tool_calls", Plain, "ordered = true\n", two.clone(), made(json!([two[1], two[0]])), Share(0.5, false)),
        row(
            "tool_calls",
            Plain,
            "",
            page.clone(),
            made(json!([{"name": "page", "arguments": {"team": "web"}}])),
            Share(0.0, false),
        ),
        row("tool_calls", Plain, "arguments = \"ignore\"\n", page.clone(), made(json!(["page"])), Share(1.0, true)),
        row(
            "tool_calls",
            Plain,
            "arguments = \"subset\"\n",
            page.clone(),
            made(json!([{"name": "page", "arguments": {"team": "db", "urgent": true}}])),
            Share(1.0, true),
        ),
        // One call would do for both that are expected; the matching leaves it to the one that has no other.
        row(
            "tool_calls",
            Plain,
            "arguments = \"subset\"\n",
            json!([{"name": "f", "arguments": {}}, {"name": "f", "arguments": {"a": 1}}]),
            made(json!([{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {"b": 1}}])),
            Share(1.0, true),
        ),
        row(
            "tool_calls",
            Plain,
            "",
            json!(["page"]),
            made(json!([{"function": {"name": "page", "arguments": "{\"team\": \"db\"}"}}])),
            Share(1.0, true),
        ),
        row(
            "tool_calls",
            Plain,
            tools,
            Value::Null,
            made(json!([{"name": "page", "arguments": {}}, page[0]])),
            Share(0.5, false),
        ),
        row("tool_calls", Plain, tools, Value::Null, made(json!(["dance"])), Share(0.0, false)),
        row("tool_calls", Empty, "", json!([]), made(json!([])), Share(1.0, true)),
        row("tool_calls", Empty, "", page.clone(), made(json!([])), Share(0.0, false)),
        row(
            "tool_calls",
            Unicode,
            "",
            json!([{"name": "пейджер", "arguments": {"ü": "磁"}}]),
            made(json!([{"name": "пейджер", "arguments": {"ü": "磁"}}])),
            Share(1.0, true),
        ),
        row("tool_calls", Huge, "", json!(["page"]), made(many.clone()), Share(0.0, false)),
        row("tool_calls", Huge, "", many, made(json!(["page"])), Unscored),
        row("tool_calls", Type, "", page.clone(), "I would page somebody.", Share(0.0, false)),
        row("tool_calls", Type, "", page.clone(), made(json!([1])), Share(0.0, false)),
        row("tool_calls", Type, "", json!("page"), made(json!([])), Unscored),
        row("tool_calls", Missing, NOWHERE, json!({}), made(json!([])), Unscored),
        row("tool_calls", Missing, tools, Value::Null, made(json!([])), Share(0.0, false)),
    ];
    rows.extend(same_edges("tool_calls", "", &page, &share));
    for (kind, settings, want) in
        [("latency", "max_ms = 1000\n", Is(true)), ("cost", "max_usd = 1\n", Unscored), ("finish_reason", "", Unscored)]
    {
        // Recorded answers take no time, and have neither a price nor a finish reason; what is in them plays no part.
        for (edge, answer) in
            [(Unicode, "磁盘".to_owned()), (Huge, huge("")), (Type, "[1]".to_owned()), (Missing, "x".to_owned())]
        {
            rows.push(row(kind, edge, settings, Value::Null, answer, want.clone()));
        }
        rows.push(row(kind, Empty, settings, Value::Null, "", Failed));
    }
    rows
}

fn combinations() -> Vec<Row> {
    const YES: (&str, &str, &str) = ("y", "exact", "value = \"yes\"\n");
    const LONG: (&str, &str, &str) = ("l", "length", "min = 3\n");
    const HALF: (&str, &str, &str) =
        ("h", "set", "value = [\"yes\", \"b\"]\nsplit = \" \"\nmeasure = \"recall\"\nweight = 3\n");
    const LOST: (&str, &str, &str) = ("u", "exact", "expected = \"/nowhere\"\n");
    const NEVER: (&str, &str, &str) = ("n", "must_contain", "");
    let made =
        |kind, edge, settings: &str, answer: &str, want, members: &[(&'static str, &'static str, &'static str)]| Row {
            members: members.to_vec(),
            ..row(kind, edge, settings, json!({}), answer, want)
        };
    let mut rows = vec![
        made("all", Plain, "of = [\"@y\", \"@l\"]\n", "yes", Is(false), &[YES, LONG]),
        made("all", Plain, "of = [\"@y\"]\n", "yes", Is(true), &[YES]),
        made("all", Plain, "of = [\"@y\", \"@l\"]\nnot = true\n", "yes", Is(true), &[YES, LONG]),
        // One that fails decides, whatever the unscored one would have said.
        made("all", Missing, "of = [\"@u\", \"@l\"]\n", "yes", Is(false), &[LOST, LONG]),
        made("all", Missing, "of = [\"@u\", \"@y\"]\n", "yes", Unscored, &[LOST, YES]),
        // Members that do not apply are left out; without any there is no score.
        made("all", Missing, "of = [\"@n\", \"@y\"]\n", "yes", Is(true), &[NEVER, YES]),
        made("all", Missing, "of = [\"@n\"]\n", "yes", Nothing, &[NEVER]),
        made("any", Plain, "of = [\"@y\", \"@l\"]\n", "yes", Is(true), &[YES, LONG]),
        made("any", Plain, "of = [\"@y\", \"@l\"]\n", "no", Is(false), &[YES, LONG]),
        made("any", Missing, "of = [\"@u\", \"@y\"]\n", "yes", Is(true), &[LOST, YES]),
        made("any", Missing, "of = [\"@u\", \"@l\"]\n", "yes", Unscored, &[LOST, LONG]),
        made("mean", Plain, "of = { \"@y\" = 2, \"@l\" = 1 }\n", "yes", Share(2.0 / 3.0, false), &[YES, LONG]),
        made("mean", Plain, "of = [\"@y\", \"@h\"]\npass_at = 0.6\n", "yes", Share(0.625, true), &[YES, HALF]),
        made(
            "mean",
            Plain,
            "of = [\"@y\", \"@h\"]\npass_at = 0.6\nnot = true\n",
            "yes",
            Share(0.375, false),
            &[YES, HALF],
        ),
        made("mean", Missing, "of = [\"@u\", \"@y\"]\n", "yes", Unscored, &[LOST, YES]),
    ];
    for (kind, value) in [("all", Is(false)), ("any", Is(false)), ("mean", Share(0.0, false))] {
        let of = "of = [\"@y\"]\n";
        rows.push(made(kind, Empty, of, "", Failed, &[YES]));
        rows.push(made(kind, Empty, "of = [\"@y\"]\nnot = true\n", "", Failed, &[YES]));
        rows.push(made(kind, Unicode, of, "да", value.clone(), &[YES]));
        rows.push(made(kind, Huge, of, &huge(""), value.clone(), &[YES]));
        rows.push(made(kind, Type, of, "[1]", value, &[YES]));
    }
    rows
}

/// What only a model's answer has: the server says what the example tells it to say.
pub fn models() -> Vec<Row> {
    let said = |text: &str| json!({"message": {"content": text}, "finish_reason": "stop"});
    let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let called =
        |calls: Vec<Value>| json!({"message": {"content": null, "tool_calls": calls}, "finish_reason": "tool_calls"});
    vec![
        row("finish_reason", Plain, "", Value::Null, said("yes"), Is(true)),
        row(
            "finish_reason",
            Plain,
            "is = [\"length\", \"refusal\"]\n",
            Value::Null,
            json!({"message": {"content": "cut"}, "finish_reason": "length"}),
            Is(true),
        ),
        row("finish_reason", Plain, "not = true\n", Value::Null, said("yes"), Is(false)),
        row(
            "finish_reason",
            Plain,
            "",
            Value::Null,
            json!({"message": {"content": "no"}, "finish_reason": "content_filter"}),
            Is(false),
        ),
        row(
            "refusal",
            Plain,
            "",
            Value::Null,
            json!({"message": {"content": "no"}, "finish_reason": "content_filter"}),
            Is(true),
        ),
        row(
            "tool_calls",
            Plain,
            "",
            json!([{"name": "page", "arguments": {"team": "db"}}]),
            called(vec![call("1", "page", r#"{"team":"db"}"#)]),
            Share(1.0, true),
        ),
        row(
            "tool_calls",
            Plain,
            "ordered = true\n",
            json!(["a", "b"]),
            called(vec![call("1", "b", "{}"), call("2", "a", "{}")]),
            Share(0.5, false),
        ),
        row("tool_calls", Type, "", json!(["page"]), called(vec![call("1", "page", "{not json")]), Share(1.0, true)),
        row("tool_calls", Empty, "", json!(["page"]), said("I will page nobody."), Share(0.0, false)),
        // Ten tokens at a dollar each thousand read and ten written at two: 0.03 dollars.
        row("cost", Plain, "max_usd = 0.04\n", Value::Null, said("yes"), Is(true)),
        row("cost", Plain, "max_usd = 0.02\n", Value::Null, said("yes"), Is(false)),
        row("cost", Plain, "max_usd = 0.02\nnot = true\n", Value::Null, said("yes"), Is(true)),
        row("latency", Plain, "max_ms = 1e12\n", Value::Null, said("yes"), Is(true)),
        row("latency", Plain, "max_ms = 1e-9\n", Value::Null, said("yes"), Is(false)),
        row("latency", Plain, "max_ms = 1e-9\nnot = true\n", Value::Null, said("yes"), Is(true)),
    ]
}

/// All rows whose answers are recorded.
pub fn recorded() -> Vec<Row> {
    [right_answers(), kept_values(), texts(), lists(), formats(), manner(), calls(), combinations()]
        .into_iter()
        .flatten()
        .collect()
}
