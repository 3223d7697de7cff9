//! From an empty folder to a gate.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, Outcome};

const FIRST: [(&str, &str); 20] = [
    ("France", "Paris"),
    ("Italy", "Rome"),
    ("Norway", "Oslo"),
    ("Spain", "Madrid"),
    ("Austria", "Vienna"),
    ("Japan", "Tokyo"),
    ("Peru", "Lima"),
    ("Kenya", "Nairobi"),
    ("Egypt", "Cairo"),
    ("Chile", "Santiago"),
    ("Ghana", "Accra"),
    ("Cuba", "Havana"),
    ("Iran", "Tehran"),
    ("Iraq", "Baghdad"),
    ("Laos", "Vientiane"),
    ("Mali", "Bamako"),
    ("Nepal", "Kathmandu"),
    ("Oman", "Muscat"),
    ("Qatar", "Doha"),
    ("Togo", "Lomé"),
];

/// Sixty questions (with commas and quotes in them), what is expected, and a style.
fn questions() -> Vec<(String, &'static str, &'static str)> {
    let forms =
        [("What is the capital of {}?", "plain"), ("\"{}\", its capital, is …", "quoted"), ("Hello, {}?", "polite")];
    let of = |(form, style): (&str, &'static str)| {
        FIRST.map(|(country, capital)| (form.replace("{}", country), capital, style))
    };
    forms.into_iter().flat_map(of).collect()
}

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// As a spreadsheet saves it.
fn examples() -> String {
    let rows =
        questions().into_iter().map(|(question, capital, style)| format!("{},{capital},{style}\r\n", cell(&question)));
    format!("\u{feff}Question,Expected Answer,Style\r\n{}", rows.collect::<String>())
}

/// What a system answered that knows nothing of every tenth question, and nothing of one style after a change.
fn answers(without: &str) -> String {
    let rows = questions().into_iter().enumerate().map(|(i, (question, capital, style))| {
        let answer =
            if i % 10 == 0 || style == without { "I do not know.".to_owned() } else { format!("It is {capital}.") };
        format!("{},{}\n", cell(&question), cell(&answer))
    });
    format!("question,answer\n{}", rows.collect::<String>())
}

/// The lines of a block of the README that starts with this.
fn block(name: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let start = format!("```sh {name}\n");
    let (_, rest) = readme.split_once(&start).unwrap_or_else(|| panic!("README.md has no block {name}"));
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

/// Runs commands one after the other in one shell, and gives the exit code of each.
fn shell(project: &Harness, commands: &[String]) -> Vec<i32> {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_evalgauge")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let script: String = commands.iter().map(|command| format!("{command}\necho $? >&3\n")).collect();
    let log = project.path("codes");
    let status = Command::new("bash")
        .args(["-c", &format!("exec 3>'{}'\n{script}", log.display())])
        .current_dir(project.path("."))
        .env("PATH", path)
        .env("GIT_CEILING_DIRECTORIES", project.path(".."))
        .env_remove("EVALGAUGE_CONFIG")
        .output()
        .unwrap();
    let codes = std::fs::read_to_string(&log).unwrap();
    assert_eq!(codes.lines().count(), commands.len(), "{}", String::from_utf8_lossy(&status.stderr));
    codes.lines().map(|code| code.parse().unwrap()).collect()
}

fn newcomer(after: &str) -> Harness {
    Harness::new()
        .file("examples.csv", examples())
        .file("answers.csv", answers(""))
        .file("answers-after-my-change.csv", after)
}

#[test]
fn five_commands_of_the_readme_lead_to_a_gate() {
    let commands = block("five-commands");
    assert_eq!(commands.len(), 5, "{commands:?}");
    assert_eq!(examples().lines().count(), 61, "a header and sixty lines");
    let worse = newcomer(&answers("polite"));
    assert_eq!(shell(&worse, &commands), [0, 0, 0, 0, 1]);
    let report = std::fs::read_dir(worse.path("evals/reports")).unwrap();
    let reports: Vec<String> = report
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("report.md")).ok())
        .filter(|text| text.contains("FAIL"))
        .collect();
    assert!(reports.len() == 1 && reports[0].contains("Style=polite"), "{reports:?}");
    // The same answers once more are no regression.
    assert_eq!(shell(&newcomer(&answers("")), &commands), [0; 5]);
}

/// `init` with these arguments, in a folder of its own.
fn init(files: &[(&str, &str)], arguments: &[&str]) -> (Harness, Outcome) {
    let project = files.iter().fold(Harness::new(), |project, (name, text)| project.file(name, text));
    let outcome = project.run(&[&["init", "--as-of", AS_OF], arguments].concat());
    (project, outcome)
}

#[test]
fn an_empty_folder_becomes_a_project_whose_check_passes() {
    let (project, said) = init(&[], &[]);
    said.exit(0).stdout_has("24 of 24 passed");
    project.run(&["check"]).exit(0).stdout_has("PASS");
    project.run(&["config", "check"]).exit(0);
    project.run(&["evalset", "verify"]).exit(0);
    for name in [".github/workflows/evals.yml", "reports/.gitignore", "evalsets/README.md", "evalsets/.gitattributes"] {
        assert!(project.path(name).is_file(), "{name}");
    }
    // What its README suggests: a rule less is a regression.
    let rules = project.read("candidates/rules.toml");
    let (kept, _) = rules.split_once("[[rule]]\nname   = \"shipping\"").unwrap();
    project.write("candidates/rules.toml", kept);
    project.run(&["check"]).exit(1).stdout_has("topic=shipping");
}

#[test]
fn git_takes_the_baseline_and_leaves_the_runs() {
    let (project, said) = init(&[], &[]);
    said.exit(0);
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(project.path(".")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    let listed = git(&["ls-files"]);
    let reports: Vec<&str> = listed.lines().filter(|name| name.starts_with("reports/")).collect();
    let baseline = |name: &str| format!("reports/baseline/support/rules/{name}");
    assert_eq!(
        reports,
        [
            "reports/.gitattributes",
            "reports/.gitignore",
            &baseline("blessing.json"),
            &baseline("manifest.json"),
            &baseline("measures.jsonl"),
            &baseline("rows.jsonl")
        ]
    );
}

#[test]
fn nothing_is_overwritten() {
    let mine = "# mine\n";
    for name in ["evalgauge.toml", ".github/workflows/evals.yml", "candidates/rules.toml", "reports/.gitignore"] {
        let (project, said) = init(&[(name, mine)], &[]);
        said.exit(2).stderr_has(name).stderr_has("nothing was written");
        assert_eq!(project.read(name), mine);
        let others: Vec<_> = std::fs::read_dir(project.path(".")).unwrap().collect();
        assert_eq!(others.len(), 1, "{name}: something was written");
        // With --force the rest is written.
        let forced = project.run(&["init", "--force"]);
        assert_eq!(project.read(name), mine, "{name}");
        if name != "evalgauge.toml" && name != "candidates/rules.toml" {
            forced.exit(0).stdout_has("24 of 24 passed");
            project.run(&["check"]).exit(0);
        }
    }
    let (project, said) = init(&[], &[]);
    said.exit(0);
    let baseline = project.read("reports/baseline/support/rules/blessing.json");
    project.run(&["init"]).exit(2);
    project.run(&["init", "--force"]).exit(0).stdout_has("wrote      nothing");
    assert_eq!(project.read("reports/baseline/support/rules/blessing.json"), baseline);
}

fn json_init(files: &[(&str, &str)], arguments: &[&str]) -> Value {
    init(files, &[&["--format", "json"], arguments].concat()).1.exit(0).json()
}

#[test]
fn columns_are_guessed_by_their_names_and_values() {
    let rows = |header: &str, row: &dyn Fn(usize) -> String| {
        format!("{header}\n{}", (0..12).map(|i| format!("{}\n", row(i))).collect::<String>())
    };
    let table = rows("ID,Prompt,Target,tier,notes,session_id,response", &|i| {
        format!("q{i},say {i},{i},{},note {i},s{},{i}", i % 2, i % 4)
    });
    let found = json_init(&[("mine.csv", &table)], &["--from", "mine.csv"]);
    assert_eq!(
        found["columns"],
        json!({"id": "ID", "input": "Prompt", "expected": "Target", "answer": "response", "group": "session_id",
               "labels": ["tier"], "unused": ["notes"]})
    );
    assert_eq!((&found["candidate"], &found["passed"]), (&json!("recorded"), &json!(12)));
    assert!(found["scorer"].as_str().unwrap().starts_with("numeric"), "{found}");

    // Two columns of which one has a name that says nothing; ids that repeat are no ids.
    let table = rows("id,frage,answer", &|i| format!("{},say {i},word{i}", i / 2));
    let found = json_init(&[("mine.csv", &table)], &["--from", "mine.csv", "--input-field", "frage"]);
    assert_eq!((&found["columns"]["id"], &found["columns"]["expected"]), (&Value::Null, &json!("answer")));
    let table = rows("frage\tsoll", &|i| format!("say {i}\tword{i}"));
    init(&[("mine.tsv", &table)], &["--from", "mine.tsv"])
        .1
        .exit(2)
        .stderr_has("--input-field")
        .stderr_has("`frage`, `soll`");
    let found = json_init(&[("mine.tsv", &table)], &["--from", "mine.tsv", "--expected-field", "soll"]);
    assert_eq!(found["columns"]["input"], "frage");

    // JSON lines keep what is not text.
    let line = |i: usize| json!({"key": i, "messages": [{"role": "user", "content": "hi"}], "question": format!("q{i}"), "ideal": {"a": i}});
    let lines: String = (0..12).map(|i| format!("{}\n", line(i))).collect();
    let (project, said) = init(&[("mine.jsonl", &lines)], &["--from", "mine.jsonl", "--format", "json"]);
    let found = said.exit(0).json();
    assert_eq!((&found["columns"]["id"], &found["columns"]["expected"]), (&json!("key"), &json!("ideal")));
    let pinned = found["written"].as_array().unwrap().last().unwrap().as_str().unwrap();
    let first: Value = serde_json::from_str(project.read(pinned).lines().next().unwrap()).unwrap();
    assert_eq!((&first["expected"]["a"], &first["messages"][0]["role"]), (&json!(0), &json!("user")));
    project.run(&["check"]).exit(0);
}

#[test]
fn a_program_is_asked() {
    let table: String = (0..12).map(|i| format!("say {i},word{i}\n")).collect();
    let table = format!("question,answer\n{table}");
    let program = "read -r line\nn=${line##*say }; n=${n%%\\\"*}\necho \"the word is word$n\"\n";
    let files = [("mine.csv", table.as_str()), ("app.sh", program)];
    let (project, said) = init(&files, &["--from", "mine.csv", "--command", "sh app.sh"]);
    said.exit(0).stdout_has("12 of 12 passed");
    project.run(&["check"]).exit(0);
    // What cannot be started leaves a project to mend.
    let (project, said) = init(&files, &["--from", "mine.csv", "--command", "./no-such-program"]);
    said.exit(2).stderr_has("its first run failed").stderr_has("baseline bless latest");
    assert!(project.path("evalgauge.toml").is_file());
}

type Case<'c> = (&'c [(&'c str, &'c str)], &'c [&'c str], &'c str);

#[test]
fn what_is_wrong_with_a_table_is_said_before_anything_is_written() {
    let good = "question,answer\nsay 1,one\nsay 2,two\nsay 3,three\n";
    let cases: [Case<'_>; 11] = [
        (&[], &["--from", "mine.csv"], "mine.csv"),
        (&[("mine.csv", "question,answer\n")], &["--from", "mine.csv"], "no rows"),
        (&[("mine.csv", "question;answer\na;b\n")], &["--from", "mine.csv"], "separate the columns by commas"),
        (&[("mine.csv", "question,answer\nsay 1,\n")], &["--from", "mine.csv"], "mine.csv:2: column `answer` is empty"),
        (&[("mine.txt", good)], &["--from", "mine.txt"], "unknown format"),
        (&[("mine.csv", good)], &["--from", "mine.csv", "--label-field", "nope"], "no column `nope`"),
        (&[("mine.csv", good)], &["--from", "mine.csv", "--answer-field", "nope"], "--answer-field"),
        (&[("mine.csv", good)], &["--from", "mine.csv", "--evalset", "a/b"], "use letters"),
        (&[("mine.csv", good)], &["--from", "mine.csv", "--command", "'"], "expected a program"),
        (
            &[("mine.csv", good), ("theirs.csv", "question,answer\nother,one\nthings,two\n")],
            &["--from", "mine.csv", "--answers", "theirs.csv"],
            "no column holds the inputs",
        ),
        (
            &[("mine.csv", "no,question,answer\n1,a,b\n1,c,d\n1,e,f\n")],
            &["--from", "mine.csv", "--id-field", "no"],
            "stands on line 1 already",
        ),
    ];
    for (files, arguments, what) in cases {
        let (project, said) = init(files, arguments);
        said.exit(2).stderr_has(what);
        assert!(!project.path("evalgauge.toml").exists() && !project.path("evalsets").exists(), "{what}");
    }
    init(&[], &["--answers", "mine.csv"]).1.exit(2).stderr_has("--from");
}
