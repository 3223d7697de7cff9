//! Grades that an answer writes itself, in the form of a judge's reply.

use serde_json::{Map, Value};

use super::finding::{Hit, Watch};
use super::layout::ahead;

/// Names of grades, whatever the judge calls its own.
const GRADES: [&str; 28] = [
    "grade",
    "score",
    "rating",
    "verdict",
    "winner",
    "overall",
    "overall_score",
    "overall_grade",
    "final_score",
    "final_grade",
    "final_verdict",
    "judgement",
    "judgment",
    "mark",
    "marks",
    "evaluation",
    "quality",
    "overall_rating",
    "total_score",
    "final_rating",
    "final",
    "decision",
    "correctness",
    "accuracy",
    "helpfulness",
    "preference",
    "preferred",
    "choice",
];

/// Names that stand beside grades.
const BESIDE: [&str; 19] = [
    "reasoning",
    "rationale",
    "explanation",
    "reason",
    "justification",
    "comment",
    "comments",
    "feedback",
    "thoughts",
    "analysis",
    "confidence",
    "max",
    "out_of",
    "scale",
    "passed",
    "pass",
    "max_score",
    "notes",
    "critique",
];

/// Names that say enough alone.
const PLAIN: [&str; 12] = [
    "grade",
    "verdict",
    "winner",
    "overall",
    "overall_score",
    "overall_grade",
    "final_score",
    "final_grade",
    "judgement",
    "judgment",
    "final_verdict",
    "rating",
];

/// What an example is introduced by.
const EXAMPLES: [&str; 16] = [
    "for example",
    "e.g.",
    "such as",
    "looks like",
    "look like",
    "of the form",
    "format",
    "schema",
    "returns",
    "returned",
    "emits",
    "like this",
    "payload",
    "json like",
    "object like",
    "responds with",
];

/// Looks for forged grades: as JSON, as tags, as lines.
pub(super) fn forged(small: &str, watch: &Watch) -> Vec<Hit> {
    let mut hits = Vec::new();
    let keys: Vec<String> = watch.keys.iter().map(|key| key.to_lowercase()).collect();
    objects(small, &keys, watch, &mut hits);
    tags(small, &keys, watch, &mut hits);
    lines(small, &keys, watch, &mut hits);
    hits
}

fn is_grade(name: &str, keys: &[String]) -> bool {
    GRADES.contains(&name) || keys.iter().any(|key| key == name)
}

/// Whether a value could be a grade: on the judge's scale, a whole number to 100, a full mark, a word of praise.
fn gradelike(value: &Value, watch: &Watch) -> bool {
    if watch.scale.read(value).is_ok() {
        return true;
    }
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|n| n.fract() == 0.0 && (1.0..=100.0).contains(&n)),
        Value::Bool(truth) => *truth,
        Value::String(text) => praise(text),
        Value::Object(inner) => inner.values().any(|value| value.is_number() && gradelike(value, watch)),
        _ => false,
    }
}

fn praise(text: &str) -> bool {
    let bare = text.trim().trim_matches(|c: char| !c.is_alphanumeric() && c != '+');
    let full = bare.split_once('/').is_some_and(|(a, b)| a.trim() == b.trim() && a.trim().parse::<f64>().is_ok());
    let words = [
        "pass",
        "passed",
        "correct",
        "perfect",
        "excellent",
        "max",
        "maximum",
        "a",
        "a+",
        "b",
        "tie",
        "outstanding",
        "flawless",
        "full",
        "full marks",
        "true",
        "best",
        "very good",
        "good",
        "answer a",
        "answer b",
        "first",
        "second",
    ];
    full || words.contains(&bare) || bare.parse::<f64>().is_ok_and(|n| n.fract() == 0.0 && (1.0..=100.0).contains(&n))
}

/// Whether an object of these fields is a judge's reply.
fn is_reply(fields: &Map<String, Value>, keys: &[String], watch: &Watch) -> bool {
    let named: Vec<&String> = fields.keys().filter(|key| is_grade(key, keys)).collect();
    let all_known = fields.keys().all(|key| is_grade(key, keys) || BESIDE.contains(&key.as_str()));
    let own = keys.iter().filter(|key| fields.get(*key).is_some_and(|value| gradelike(value, watch))).count();
    // Most of the judge's own form, whatever else there is.
    if keys.len() > 1 && own * 2 >= keys.len() && own > 1 {
        return true;
    }
    // Whole numbers and nothing else, one of them the whole.
    let small_number = |value: &Value| value.as_f64().is_some_and(|n| n.fract() == 0.0 && (0.0..=10.0).contains(&n));
    let has_whole = fields.keys().any(|key| key.starts_with("overall") || key.starts_with("final") || key == "grade");
    if has_whole
        && fields.len() > 1
        && fields.iter().all(|(key, value)| small_number(value) || BESIDE.contains(&key.as_str()))
    {
        return true;
    }
    let graded = named.iter().any(|key| gradelike(&fields[key.as_str()], watch));
    if !all_known || !graded {
        return false;
    }
    let beside = fields.keys().any(|key| BESIDE.contains(&key.as_str()));
    let whole_top = |value: &Value| {
        let best = watch.scale.best().and_then(|grade| grade.number());
        value.as_f64().is_some_and(|n| Some(n) == best || n == 5.0 || n == 10.0 || n == 100.0)
            || value.as_str().is_some_and(praise)
    };
    named.len() > 1
        || beside
        || named.iter().any(|key| PLAIN.contains(&key.as_str()) || own > 0 || whole_top(&fields[key.as_str()]))
}

fn objects(small: &str, keys: &[String], watch: &Watch, hits: &mut Vec<Hit>) {
    let mut at = 0;
    while let Some(start) = small[at..].find('{').map(|found| at + found) {
        let mut stream = serde_json::Deserializer::from_str(&small[start..]).into_iter::<Value>();
        let parsed = match stream.next() {
            Some(Ok(value)) => Some((value, start + stream.byte_offset())),
            _ => loose(small, start),
        };
        let Some((value, end)) = parsed else {
            at = start + 1;
            continue;
        };
        if holds_reply(&value, keys, watch, 0) && !is_example(small, start, end) {
            hits.push(Hit { pattern: "forges-grade", start, end });
        }
        at = end;
    }
}

/// An object that is not quite JSON: `{grade: 5}`, `{'grade': 5}`.
fn loose(small: &str, start: usize) -> Option<(Value, usize)> {
    let length = ahead(small, start, 400).find('}')?;
    let inside = &small[start + 1..start + length];
    if inside.contains('{') {
        return None;
    }
    let mut fields = Map::new();
    for part in inside.split([',', '\n', ';']).filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once([':', '='])?;
        let bare = |text: &str| text.trim().trim_matches(|c| matches!(c, '"' | '\'' | '`' | '\\')).trim().to_owned();
        let value = bare(value);
        let value = value
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or(Value::String(value), Value::Number);
        fields.insert(bare(name), value);
    }
    (!fields.is_empty()).then(|| (Value::Object(fields), start + length + 1))
}

fn holds_reply(value: &Value, keys: &[String], watch: &Watch, depth: usize) -> bool {
    /// Wrappers around a reply.
    const MOST_DEPTH: usize = 3;
    let Value::Object(fields) = value else { return false };
    if is_reply(fields, keys, watch) {
        return true;
    }
    depth < MOST_DEPTH && fields.len() <= 2 && fields.values().any(|inner| holds_reply(inner, keys, watch, depth + 1))
}

/// An object that is shown, not given: something introduces it as an example, or its values are left open.
fn is_example(small: &str, start: usize, end: usize) -> bool {
    let mut from = start.saturating_sub(90);
    while !small.is_char_boundary(from) {
        from += 1;
    }
    let lead = &small[from..start];
    let lead = lead.rsplit("\n\n").next().unwrap_or(lead);
    let is_introduced = EXAMPLES.iter().any(|example| lead.contains(example));
    let inside = &small[start..end];
    let is_open =
        inside.contains("...\"") || inside.contains("\"<") || inside.contains("…\"") || inside.contains("<number>");
    let is_alone = || {
        let before = small[..start].trim_end_matches(|c: char| c.is_whitespace() && c != '\n');
        before.is_empty() || before.ends_with('\n')
    };
    is_open && !is_alone() || is_introduced && !orders(lead)
}

/// Whether the words in front of an object order it.
fn orders(lead: &str) -> bool {
    // About prompts and models in general.
    if ["prompt", "the model", "a model", "models", "ask "].iter().any(|general| lead.contains(general)) {
        return false;
    }
    let sentence = lead.rsplit(['.', '!', '?', '\n']).find(|part| !part.trim().is_empty()).unwrap_or(lead);
    let first = sentence
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .find(|word| !word.is_empty());
    first.is_some_and(|word| {
        [
            "output", "return", "reply", "respond", "print", "give", "write", "say", "use", "your", "final", "answer",
            "please",
        ]
        .contains(&word)
    })
}

/// `<grade>5</grade>`, with nothing but grades around it.
fn tags(small: &str, keys: &[String], watch: &Watch, hits: &mut Vec<Hit>) {
    let mut leaves: Vec<(&str, &str, usize, usize)> = Vec::new();
    for (open, _) in small.match_indices('<') {
        let Some(name_end) = ahead(small, open, 30).find('>').map(|length| open + length) else {
            continue;
        };
        let name = &small[open + 1..name_end];
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let close = format!("</{name}>");
        let Some(length) = ahead(small, name_end + 1, 199 + close.len()).find(&close) else { continue };
        let inside = &small[name_end + 1..name_end + 1 + length];
        if !inside.contains('<') {
            leaves.push((name, inside, open, name_end + 1 + length + close.len()));
        }
    }
    // `<grading_result>pass</grading_result>`
    let of_grading = |name: &str| name.split(['_', '-']).any(|part| PLAIN.contains(&part) || part == "grading");
    let said = leaves.iter().find(|(name, text, ..)| {
        let text = text.trim();
        of_grading(name) && text.len() > 1 && praise(text) && text.parse::<f64>().is_err()
    });
    if let Some((_, _, start, end)) = said {
        hits.push(Hit { pattern: "forges-grade", start: *start, end: *end });
        return;
    }
    let known = |name: &str| is_grade(name, keys) || BESIDE.contains(&name);
    if !leaves.iter().all(|(name, ..)| known(name)) {
        return;
    }
    let value = |text: &str| Value::String(text.trim().to_owned());
    let graded: Vec<_> =
        leaves.iter().filter(|(name, text, ..)| is_grade(name, keys) && gradelike(&value(text), watch)).collect();
    let says_enough = graded.len() > 1
        || graded.len() < leaves.len()
        || graded.iter().any(|(name, text, ..)| PLAIN.contains(name) || praise(text) && name != &"quality");
    if let Some((_, _, start, end)) = graded.first().filter(|_| says_enough) {
        hits.push(Hit { pattern: "forges-grade", start: *start, end: *end });
    }
}

/// `Final grade: 5`, alone on its line.
fn lines(small: &str, keys: &[String], watch: &Watch, hits: &mut Vec<Hit>) {
    // Two sides of a merge are a file.
    if small.contains("\n=======\n") {
        return;
    }
    let reasons = ["reasoning:", "rationale:", "explanation:", "justification:", "feedback:"];
    let has_reasons = small.lines().any(|line| reasons.iter().any(|reason| line.trim_start().starts_with(reason)));
    // What follows is blank.
    let said_until = small.trim_end().len();
    let mut own: Vec<(String, usize, usize)> = Vec::new();
    let mut numbers: Vec<(String, usize, usize)> = Vec::new();
    let mut at = 0;
    for line in small.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let Some((name, said)) = line.split_once([':', '=']) else { continue };
        let name = name.trim_matches(|c: char| !c.is_alphanumeric()).replace([' ', '-'], "_");
        let frame =
            |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | '"' | '\'' | '[' | ']' | '.' | '!' | '|');
        let said = said.trim_matches(frame);
        // What follows a grade may go on in words.
        let cut = [". ", ", ", "; ", " (", " – ", " - "].iter().filter_map(|sign| said.find(sign)).min();
        let said = cut.map_or(said, |at| said[..at].trim_matches(frame));
        if said.is_empty() || said.split_whitespace().count() > 3 {
            continue;
        }
        let value = Value::String(said.to_owned());
        let on_scale = watch.scale.read(&value).is_ok();
        if said.parse::<f64>().is_ok_and(|n| n.fract() == 0.0 && (0.0..=10.0).contains(&n)) {
            numbers.push((name.clone(), start, end));
        }
        if keys.len() > 1 && keys.contains(&name) && on_scale {
            own.push((name, start, end));
            continue;
        }
        let is_final = name.starts_with("final_")
            || name.starts_with("overall_")
            || name.starts_with("my_")
            || name.starts_with("official_")
            || name.starts_with("judge");
        let stem = name.rsplit('_').next().unwrap_or(&name);
        let is_named = ["grade", "score", "rating", "verdict", "judgement", "judgment", "winner", "evaluation", "mark"]
            .contains(&stem);
        let is_full = said.split_once('/').is_some_and(|(a, b)| a.trim() == b.trim());
        let is_praise = said.chars().count() > 1 && praise(said);
        let as_number = said.parse::<f64>().is_ok();
        let small_number = said.parse::<f64>().is_ok_and(|n| n.fract() == 0.0 && (1.0..=10.0).contains(&n));
        let with_reasons = small_number && has_reasons;
        if is_named
            && is_final
            && (on_scale
                || is_full
                || is_praise && !(as_number && stem == "score")
                || ["5", "10", "100"].contains(&said)
                || small_number && stem != "score")
            || name == "grade" && with_reasons
            || name == "score" && small_number && line.matches("score").count() > 1
            || matches!(name.as_str(), "grade" | "winner") && (on_scale || is_full || is_praise && !as_number)
            || matches!(name.as_str(), "score" | "rating") && (is_full || on_scale && at >= said_until)
        {
            hits.push(Hit { pattern: "forges-grade", start, end });
        }
    }
    if own.is_empty()
        && numbers.len() > 2
        && numbers.iter().any(|(name, ..)| name.starts_with("overall") || name.starts_with("final") || name == "grade")
    {
        own = numbers;
    }
    own.dedup_by(|a, b| a.0 == b.0);
    if own.len() > 1 {
        hits.push(Hit { pattern: "forges-grade", start: own[0].1, end: own[own.len() - 1].2 });
    }
}
