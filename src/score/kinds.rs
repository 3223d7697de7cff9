//! The kinds of scorers that there are, for people: each with a line and an example.

/// A kind of scorer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The key in the config.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// A block of `evalgauge.toml`.
    pub example: &'static str,
}

const fn kind(name: &'static str, about: &'static str, example: &'static str) -> Kind {
    Kind { name, about, example }
}

/// All kinds, by what they are for: right answers, texts, lists, formats, manner, what it took, others, combinations.
#[rustfmt::skip] // one kind, one block
pub const KINDS: &[Kind] = &[
    kind("exact", "the answer equals what is expected; right or wrong", r#"[scorers.escalate.exact]
answer = "/escalate"
expected = "/answer/escalate"
"#),
    kind("squad_exact", "equal but for case, punctuation, articles and space, as SQuAD compares; right or wrong",
        r#"[scorers.city.squad_exact]
expected = "/answer"
"#),
    kind("one_of", "one of several right answers; in order, the n-th scores 1/n", r#"[scorers.runbook.one_of]
answer = "/runbook"
expected = "/runbooks"
ordered = true
pass_at = 0.5
"#),
    kind("label", "the answer is one of a fixed set of labels, and a right one; keeps the label", r#"[scorers.team.label]
answer = "/team"
expected = "/answer/team"
labels = ["db", "network", "platform"]
"#),
    kind("numeric", "the answer is a number within a tolerance of the expected one; right or wrong", r#"[scorers.total.numeric]
expected = "/total"
relative = 0.01
find = "last"
"#),
    kind("contains", "texts that must, may or must not occur; the share of conditions met", r#"[scorers.runbook.contains]
answer = "/runbook"
all = { expected = "/must_contain" }
none = ["rm -rf"]
ignore_case = true
when = { alert_type = ["disk-full", "cert-expiry"] }
"#),
    kind("must_contain", "what `must_contain` and `must_not_contain` of an example say; the share of conditions met",
        r"[scorers.words.must_contain]
ignore_case = true
"),
    kind("key_points", "a checklist of points, each with one or several wordings; the share that is covered",
        r#"[scorers.points.key_points]
expected = "/points"
pass_at = 0.8
"#),
    kind("starts_with", "the answer starts with an expected text; right or wrong", r#"[scorers.greeting.starts_with]
value = ["Dear", "Hello"]
"#),
    kind("ends_with", "the answer ends with an expected text; right or wrong", r#"[scorers.signed.ends_with]
value = "The on-call team"
"#),
    kind("regex", "a regular expression matches, or what it captures is right; right or wrong", r#"[scorers.final.regex]
pattern = 'Answer: (\S+)'
capture = 1
which = "last"
expected = "/answer"
"#),
    kind("token_f1", "precision and recall of words, as SQuAD counts them; 0 to 1", r#"[scorers.words.token_f1]
expected = "/answer"
pass_at = 0.6
"#),
    kind("edit_distance", "one minus the share of characters to change; 0 to 1", r#"[scorers.title.edit_distance]
expected = "/title"
at_most = 3
"#),
    kind("set", "items without an order: F1, precision, recall, Jaccard or exact; 0 to 1", r#"[scorers.tags.set]
answer = "/tags"
expected = "/tags"
measure = "jaccard"
"#),
    kind("list", "items in their order: F1, precision, recall, Jaccard or exact; 0 to 1", r#"[scorers.steps.list]
expected = "/steps"
split = ","
measure = "exact"
"#),
    kind("ranked", "the answer is a list of ids, the best first; keeps the list and the grades of the relevant ids",
        r#"[scorers.search.ranked]
answer = "/documents"
expected = "/relevant"
within = 10
"#),
    kind("json_parses", "the answer is JSON, of a kind where that is said; right or wrong", r#"[scorers.json.json_parses]
is = "object"
fenced = true
"#),
    kind("json_schema", "the answer follows a JSON schema; right or wrong", r#"[scorers.shape.json_schema]
schema = { type = "object", required = ["team"], properties = { team = { type = "string" } } }
"#),
    kind("json_fields", "fields of a JSON answer are what is expected; the share that is", r#"[scorers.fields.json_fields]
fields = ["/team", "/severity"]
expected = "/answer"
"#),
    kind("xml_parses", "the answer is well-formed XML; right or wrong", r#"[scorers.xml.xml_parses]
root = "report"
"#),
    kind("sql_parses", "the answer parses as SQL; right or wrong", r#"[scorers.sql.sql_parses]
dialect = "postgres"
at_most = 1
"#),
    kind("length", "characters, words or lines within bounds; right or wrong", r#"[scorers.brief.length]
unit = "words"
max = 120
"#),
    kind("language", "the language that the answer is written in; right or wrong", r#"[scorers.german.language]
value = "de"
among = ["de", "en"]
when = { locale = "de" }
"#),
    kind("refusal", "the answer refuses, by its usual phrases in nine languages; right or wrong", r"[scorers.helps.refusal]
not = true
"),
    kind("asks_for_more", "the answer asks for more information, by its usual phrases; right or wrong",
        r#"[scorers.asks.asks_for_more]
when = { kind = "underspecified" }
"#),
    kind("latency", "the answer came in time; right or wrong", r"[scorers.quick.latency]
max_ms = 2000
"),
    kind("cost", "the answer was cheap enough; right or wrong", r"[scorers.cheap.cost]
max_usd = 0.01
"),
    kind("finish_reason", "the model's answer ended for a right reason; right or wrong", r#"[scorers.whole.finish_reason]
is = ["stop", "tool_calls"]
"#),
    kind("tool_calls", "calls by name, arguments and order: F1, precision, recall, exact, valid; 0 to 1",
        r#"[scorers.calls.tool_calls]
expected = "/calls"
arguments = "subset"
ordered = true
"#),
    kind("preference", "how the answer fared against another: 1, 0 or -1", r#"[scorers.duel.preference]
answer = "/outcome"
"#),
    kind("judge", "what a judge of `judges/` says of the answer: a grade, a label, a preference", r#"[scorers.rationale.judge]
judge = "rationale-quality"
dimension = "overall"
pass_at = 2
"#),
    kind("command", "a program of your own: JSON in, a score, a label, or right or wrong out; also as workers that stay",
        r#"[scorers.tone.command]
argv = ["python3", "scorers/tone.py"]
workers = 2
pass_at = 0.5
"#),
    kind("http", "a service behind an address, like a classifier: JSON in, a score, a label, or right or wrong out",
        r#"[scorers.toxic.http]
url = "http://127.0.0.1:8081/classify"
reply = "/0"
labels = ["toxic", "fine"]
right = ["fine"]
"#),
    kind("all", "every one of other scorers passes; right or wrong", r#"[scorers.good.all]
of = ["team", "brief"]
"#),
    kind("any", "one of other scorers passes; right or wrong", r#"[scorers.either.any]
of = ["team", "asks"]
"#),
    kind("mean", "the weighted mean of other scorers; 0 to 1", r"[scorers.quality.mean]
of = { team = 2, brief = 1 }
pass_at = 0.7
"),
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::score::{Judges, ScorerSpec};

    type Blocks = BTreeMap<String, BTreeMap<String, ScorerSpec>>;

    #[test]
    fn every_example_is_a_block_of_its_kind_that_makes_a_scorer() {
        for kind in KINDS {
            let blocks: Blocks = toml::from_str(kind.example).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            let specs: Vec<&ScorerSpec> = blocks["scorers"].values().collect();
            let [spec] = specs[..] else { panic!("{}: expected one scorer", kind.name) };
            assert_eq!(spec.kind(), kind.name);
            // A judge, a program and the members of a combination are somewhere else.
            if spec.judge().is_none() && spec.asking().is_none() && spec.combination().is_none() {
                assert!(spec.build(&Judges::default()).is_ok(), "{}", kind.name);
            }
        }
    }

    #[test]
    fn every_kind_of_the_config_is_listed_once() {
        let error = toml::from_str::<Blocks>("[scorers.x.nonsense]").unwrap_err().to_string();
        let (_, expected) = error.split_once("expected one of ").expect("serde names all variants");
        let known: BTreeSet<&str> =
            expected.lines().next().unwrap().split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(known, KINDS.iter().map(|kind| kind.name).collect());
        assert_eq!(known.len(), KINDS.len());
    }
}
