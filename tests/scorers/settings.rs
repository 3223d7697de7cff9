//! Settings of scorers: what is refused and how, what is listed, and what makes two scorers the same.

use serde_json::Value;

use crate::harness::Harness;

const PROJECT: &str = "evalset = \"one\"\n[candidates.app.replay]\nfile = \"answers.jsonl\"\n";

fn project(scorers: &str) -> Harness {
    Harness::new()
        .file("answers.jsonl", "{\"id\": \"a\", \"answer\": \"yes\"}\n")
        .evalset("one", "{\"id\": \"a\", \"input\": \"?\", \"expected\": \"yes\"}\n")
        .config(format!("{PROJECT}{scorers}"))
}

#[test]
fn settings_that_make_no_scorer_are_refused_with_the_way_out() {
    let mut wrong = String::new();
    for (scorers, complaint) in [
        ("[scorers.x.exact]\nexpected = \"/a\"\nvalue = 1\n", "`expected` and `value` are two answers to one question"),
        ("[scorers.x.exact]\npass_at = 1\n", "unknown key `pass_at`"),
        ("[scorers.x.length]\nexpected = \"/a\"\n", "unknown key `expected`"),
        ("[scorers.x.latency]\nanswer = \"/a\"\n", "unknown key `answer`"),
        ("[scorers.x.token_f1]\npass_at = 2\n", "`pass_at` is a share from 0 to 1"),
        ("[scorers.x.exact]\nweight = 0\n", "`weight` must be above 0"),
        ("[scorers.x.exact]\nanswer = \"a\"\n", "`a` is no JSON pointer; expected one like `/a`"),
        ("[scorers.x.regex]\n", "say what to look for with `pattern`"),
        ("[scorers.x.regex]\npattern = '('\n", "unclosed group"),
        ("[scorers.x.regex]\npattern = 'a'\ncapture = 1\n", "`pattern` has no group 1, only 0"),
        ("[scorers.x.regex]\npattern = 'a'\ncapture = \"n\"\n", "`pattern` has no group `n`"),
        ("[scorers.x.regex]\npattern = 'a'\nvalue = \"b\"\n", "unless `capture` names a group"),
        ("[scorers.x.length]\n", "say how long with `min`, `max` or both"),
        ("[scorers.x.length]\nmin = 3\nmax = 2\n", "nothing is that long"),
        ("[scorers.x.latency]\n", "`max_ms`, above 0"),
        ("[scorers.x.cost]\nmax_usd = -1\n", "`max_usd`, above 0"),
        ("[scorers.x.finish_reason]\nis = [\"done\"]\n", "unknown kind or value `done`"),
        ("[scorers.x.sql_parses]\ndialect = \"klingon\"\n", "there is no dialect `klingon`; there are ansi"),
        ("[scorers.x.language]\namong = [\"tlh\"]\n", "`tlh` is no language known here"),
        ("[scorers.x.refusal]\nphrases = [\" \"]\n", "a phrase is empty"),
        ("[scorers.x.set]\nsplit = \"\"\n", "`split` is empty"),
        ("[scorers.x.edit_distance]\nat_most = 1\npass_at = 1\n", "give one"),
        ("[scorers.x.json_fields]\n", "name the `fields` to compare"),
        ("[scorers.x.json_schema]\n", "name the `schema`"),
        ("[scorers.x.json_schema]\nschema = \"none.json\"\n", "none.json: "),
        ("[scorers.x.json_schema]\nschema = { type = \"nonsense\" }\n", "no JSON schema"),
        // Nothing is fetched: neither from a network nor from the disk.
        ("[scorers.x.json_schema]\nschema = { \"$ref\" = \"http://127.0.0.1:1/s.json\" }\n", "no JSON schema"),
        ("[scorers.x.json_schema]\nschema = { \"$ref\" = \"file:///etc/hostname\" }\n", "no JSON schema"),
        ("[scorers.x.tool_calls]\nmeasure = \"valid\"\n", "`valid` needs the `tools`"),
        ("[scorers.x.tool_calls]\ntools = []\n", "`tools` is for `measure = \"valid\"`"),
        (
            "[scorers.x.tool_calls]\nmeasure = \"valid\"\ntools = [{ nam = 1 }]\n",
            "expected a list of { name, parameters }",
        ),
        ("[scorers.x.all]\n", "name the scorers to combine"),
        ("[scorers.x.all]\nof = [\"y\"]\n[scorers.z.exact]\n", "there is no scorer `y`; there are: `x`, `z`"),
        ("[scorers.x.all]\nof = [\"y\", \"y\"]\n[scorers.y.exact]\n", "`y` stands twice in `of`"),
        ("[scorers.x.all]\nof = [\"y\"]\n[scorers.y.any]\nof = [\"x\"]\n", "it is made of itself"),
        ("[scorers.x.mean]\nof = { y = -1 }\n[scorers.y.exact]\n", "`weight` must be above 0"),
        ("[scorers.x.mean]\nof = [\"y\"]\npass_at = 7\n[scorers.y.exact]\n", "`pass_at` is a share from 0 to 1"),
    ] {
        let refused = project(scorers).run(&["config", "check"]).exit(2).stderr;
        if !refused.contains(complaint) {
            wrong.push_str(&format!("{scorers}expected `{complaint}` in\n{refused}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_judge_is_not_hidden_in_a_combination() {
    let project = project("[scorers.x.all]\nof = [\"j\"]\n[scorers.j.judge]\njudge = \"grade\"\n")
        .file(
            "judges/grade/judge.toml",
            "kind = \"grade\"\n[scale]\nvalues = [\"fail\", \"pass\"]\n[model.openai]\nmodel = \"j\"\n\
             base_url = \"http://127.0.0.1:1/v1\"\n",
        )
        .file("judges/grade/prompt.md.j2", "{{ input }} {{ answer }} {{ form }}\n");
    let refused = project.run(&["config", "check"]).exit(2);
    assert!(refused.stderr.contains("would hide from the gate that a judge decided"), "{}", refused.stderr);
}

#[test]
fn a_scorer_without_examples_is_a_warning() {
    let project = project("[scorers.x.exact]\n[scorers.y.exact]\nwhen = { tier = \"1\" }\n");
    project.run(&["config", "check"]).exit(0).stderr_has("scorer `y` applies to none of the examples");
}

/// The identity of the scorer `x` in the record of a run.
fn identity(project: &Harness) -> Value {
    let run = project.record(&["--cache", "off"]);
    let id = run["run"].as_str().or_else(|| run["run_id"].as_str()).or_else(|| run["id"].as_str()).expect("a run's id");
    let manifest = project.read(&format!("reports/{id}/manifest.json"));
    serde_json::from_str::<Value>(&manifest).unwrap()["asked"]["scorers"]["x"]["digest"].clone()
}

#[test]
fn what_decides_a_score_is_in_its_identity_and_nothing_else() {
    let plain = identity(&project("[scorers.x.exact]\n"));
    assert_eq!(identity(&project("[scorers.x.exact]\nweight = 3\n")), plain, "the weight is the mean's business");
    for settings in
        ["not = true", "ignore_case = true", "value = \"yes\"", "when = { tier = \"1\" }\n[scorers.y.exact]"]
    {
        assert_ne!(identity(&project(&format!("[scorers.x.exact]\n{settings}\n"))), plain, "{settings}");
    }
    // A schema counts by what it says, not by where it stands in the file.
    let with = |schema: &str| project("[scorers.x.json_schema]\nschema = \"s.json\"\n").file("s.json", schema);
    let text = identity(&with("{\"type\": \"string\"}"));
    assert_eq!(identity(&with("{\n  \"type\": \"string\"\n}\n")), text);
    assert_ne!(identity(&with("{\"type\": \"number\"}")), text);
    // A combination is what its members are, and how much each counts.
    let mean =
        |member: &str| identity(&project(&format!("[scorers.x.mean]\nof = [\"y\"]\n[scorers.y.exact]\n{member}")));
    let combined = mean("");
    assert_ne!(mean("not = true\n"), combined);
    assert_ne!(mean("weight = 2\n"), combined);
}

#[test]
fn records_by_other_settings_are_not_compared() {
    let project = project("[scorers.x.json_schema]\nschema = \"s.json\"\n").file("s.json", "{\"type\": \"string\"}");
    project.run(&["run"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.write("s.json", "{\"type\": \"number\"}");
    project.run(&["run"]).exit(0);
    project.run(&["gate", "baseline", "latest"]).exit(4);
}

#[test]
fn the_list_shows_a_block_of_each() {
    let project = project("[scorers.x.exact]\n");
    let text = project.run(&["list", "scorers"]).exit(0).stdout;
    let listed = project.run(&["list", "scorers", "--format", "json"]).exit(0).json();
    for kind in listed["entries"].as_array().unwrap() {
        let (name, example) = (kind["name"].as_str().unwrap(), kind["example"].as_str().unwrap());
        assert!(text.contains(kind["about"].as_str().unwrap()), "{name}");
        for line in example.lines() {
            assert!(text.contains(&format!("    {line}\n")), "{name}: {line}");
        }
        // What a combination needs, and a judge, is not there; every other block works as it is printed.
        if !["judge", "all", "any", "mean"].contains(&name) {
            let config = format!("{PROJECT}[scorers.always.length]\nmin = 0\n{example}");
            project.write("evalgauge.toml", config);
            project.run(&["config", "check"]).exit(0);
        }
    }
}

#[test]
fn the_page_on_scorers_has_the_block_of_each() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scorers.md")).unwrap();
    let listed = Harness::new().run(&["list", "scorers", "--format", "json"]).exit(0).json();
    for kind in listed["entries"].as_array().unwrap() {
        let (name, example) = (kind["name"].as_str().unwrap(), kind["example"].as_str().unwrap());
        assert!(page.contains(&format!("### `{name}`")), "docs/scorers.md has no heading for `{name}`");
        assert!(
            page.contains(&format!("```toml\n{example}```")),
            "docs/scorers.md lacks the block of `{name}`:\n{example}"
        );
    }
}
