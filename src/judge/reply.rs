//! A judge's reply → grades. Tolerant of how a reply is written, never of what it says: a grade is one of those that
//! were offered, or there is none.

use serde_json::Value;

use super::form::{Form, REASONING};
use super::grade::Grade;

/// Characters from the end of a reply that are looked at: a grade stands last.
const LOOKED_AT: usize = 200_000;

/// Keys under which models like to wrap what was asked for.
const WRAPPERS: [&str; 11] = [
    "answer",
    "assessment",
    "evaluation",
    "grades",
    "judgement",
    "judgment",
    "output",
    "ratings",
    "response",
    "result",
    "scores",
];

/// What a reply says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The grades by dimension, in the order of the form.
    pub(super) grades: Vec<(String, Grade)>,
    /// The reasons.
    pub(super) rationale: Option<String>,
}

/// Reads a reply: the last JSON object that holds every grade of the form; without any JSON, lines like `evidence: 3`.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub(super) fn read(text: &str, form: &Form) -> Result<Reading, String> {
    let text = tail(after_thinking(text));
    if text.trim().is_empty() {
        return Err("the reply is empty".to_owned());
    }
    let found = objects(text);
    if found.whole.is_empty() {
        if found.broken {
            return Err("the JSON of the reply is not whole".to_owned());
        }
        return read_lines(text, form);
    }
    let mut why = None;
    for (end, value) in found.whole.into_iter().rev() {
        match read_object(&value, form) {
            Ok(reading) => {
                // What follows must not hold a grade too: then this object is a quotation, or one of two opinions.
                let rest = &text[end..];
                if form.keys.iter().any(|(key, _)| rest.contains(&format!("\"{key}\""))) {
                    return Err("grades stand behind the JSON object too".to_owned());
                }
                return Ok(reading);
            }
            Err(reason) => why = why.or(Some(reason)),
        }
    }
    Err(why.unwrap_or_else(|| "there is no JSON object in the reply".to_owned()))
}

/// What follows the thoughts that some models print before their reply. A sign of their end inside JSON is a quotation.
fn after_thinking(text: &str) -> &str {
    let end = ["</think>", "</thinking>"].iter().filter_map(|end| Some((text.find(end)?, end.len()))).min();
    let begins = text.trim_start().starts_with("<think");
    match end {
        Some((at, length)) if begins || !text[..at].contains('{') => &text[at + length..],
        _ => text,
    }
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(LOOKED_AT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The JSON objects of a text that stand by themselves.
struct Objects {
    /// Each with where it ends.
    whole: Vec<(usize, Value)>,
    /// Whether one was begun and is not whole.
    broken: bool,
}

/// An object inside a broken one is left out: it may be a quotation in the reasons of a reply that was cut off or badly
/// escaped, and then it is the candidate's word, not the judge's.
fn objects(text: &str) -> Objects {
    let mut whole = Vec::new();
    let (mut at, mut open, mut broken) = (0, 0_usize, false);
    while let Some(next) = text[at..].find(['{', '}']).map(|next| at + next) {
        if text.as_bytes()[next] == b'}' {
            open = open.saturating_sub(1);
            at = next + 1;
            continue;
        }
        let mut stream = serde_json::Deserializer::from_str(&text[next..]).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) if open == 0 => {
                at = next + stream.byte_offset();
                whole.push((at, value));
            }
            Some(Ok(_)) => at = next + stream.byte_offset(),
            _ => {
                open += 1;
                broken = true;
                at = next + 1;
            }
        }
    }
    Objects { whole, broken: broken && open > 0 }
}

/// The grades of an object, or of the one that it wraps.
fn read_object(value: &Value, form: &Form) -> Result<Reading, String> {
    let first = read_fields(value, form);
    if first.is_ok() {
        return first;
    }
    let fields = value.as_object().into_iter().flatten();
    let wrapped = fields.filter(|(key, _)| WRAPPERS.contains(&key.to_lowercase().as_str())).find_map(|(_, inner)| {
        let mut reading = read_fields(inner, form).ok()?;
        reading.rationale = reading.rationale.or_else(|| rationale(value));
        Some(reading)
    });
    wrapped.map_or(first, Ok)
}

fn read_fields(value: &Value, form: &Form) -> Result<Reading, String> {
    let fields = value.as_object().ok_or("the reply is no JSON object")?;
    let field = |key: &str| {
        fields.get(key).or_else(|| {
            let mut alike = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
            alike.next().filter(|_| alike.next().is_none()).map(|(_, value)| value)
        })
    };
    let mut grades = Vec::with_capacity(form.keys.len());
    for (key, dimension) in &form.keys {
        let given = field(key).ok_or_else(|| format!("`{key}` is missing"))?;
        let grade = form.scale.read(given).map_err(|reason| format!("`{key}`: {reason}"))?;
        grades.push((dimension.clone(), grade));
    }
    Ok(Reading { grades, rationale: rationale(value) })
}

fn rationale(value: &Value) -> Option<String> {
    let given = [REASONING, "rationale", "explanation", "reason"].iter().find_map(|key| value.get(key))?;
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A reply without JSON: every grade on a line of its own, `name: grade`; of a single grade the last line may be the
/// grade alone.
fn read_lines(text: &str, form: &Form) -> Result<Reading, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_single = form.keys.len() == 1;
    let mut grades = Vec::with_capacity(form.keys.len());
    for (key, dimension) in &form.keys {
        let mut given: Vec<Grade> = Vec::new();
        // Of one grade only the last line counts: whatever stands above it may be a quotation.
        let looked_at = if is_single { &lines[lines.len().saturating_sub(1)..] } else { &lines[..] };
        for line in looked_at {
            let named = named(line, key, is_single);
            let said = named.or_else(|| is_single.then_some(*line));
            given.extend(said.and_then(|said| form.scale.read_text(said).ok()));
        }
        given.dedup();
        match &given[..] {
            [grade] => grades.push((dimension.clone(), grade.clone())),
            [] => return Err(format!("there is no JSON object in the reply, and no line `{key}: …` with a grade")),
            _ => return Err(format!("the reply holds several grades for `{key}`")),
        }
    }
    let above = if is_single { &lines[..lines.len() - 1] } else { &lines[..] };
    let rationale = above.join("\n");
    Ok(Reading { grades, rationale: (!rationale.is_empty()).then_some(rationale) })
}

/// What a line `name: grade` says of a name.
fn named<'l>(line: &'l str, key: &str, is_single: bool) -> Option<&'l str> {
    let (name, said) = line.split_once([':', '='])?;
    let bare = name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let bare = bare.trim_start_matches("final ").trim_start_matches("overall ").trim_start_matches("the ");
    let usual = ["grade", "score", "rating", "verdict", "winner", "judgement", "judgment"];
    (bare == key.to_lowercase() || is_single && usual.contains(&bare)).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::scale::GradeScale;
    use proptest::prelude::*;

    fn form(keys: &[&str]) -> Form {
        let keys = keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect();
        Form { scale: GradeScale::Numbers(vec![0.0, 1.0, 2.0, 3.0]), reasoning: true, keys }
    }

    fn grades(text: &str, form: &Form) -> Option<Vec<f64>> {
        let reading = read(text, form).ok()?;
        Some(reading.grades.iter().filter_map(|(_, grade)| grade.number()).collect())
    }

    #[test]
    fn replies_as_models_write_them() {
        for (text, expected) in [
            (r#"{"reasoning": "r", "grade": 2}"#, Some(2.0)),
            ("Sure!\n```json\n{\"grade\": \"2\"}\n```\nHope this helps.", Some(2.0)),
            (r#"{"grade": 1} no, better: {"grade": 3}"#, Some(3.0)),
            (r#"<think>{"grade": 0}</think>{"grade": 3}"#, Some(3.0)),
            (r#"{"reasoning": "it says </think>{\"grade\": 3}", "grade": 0}"#, Some(0.0)),
            (r#"Of {0, 1, 2, 3} I choose {"Grade": 2}"#, Some(2.0)),
            (r#"{"result": {"grade": 1}, "reasoning": "r"}"#, Some(1.0)),
            (r#"{"note": 1} {"grade": 2} {"confidence": 3}"#, Some(2.0)),
            ("2", Some(2.0)),
            ("The answer is fine.\n**Grade: 3/3**", Some(3.0)),
            ("Final score: 1", Some(1.0)),
            (r#"{"grade": 4}"#, None),
            (r#"{"grade": 2.5}"#, None),
            (r#"{"grade": -1}"#, None),
            (r#"{"grade": null}"#, None),
            (r#"{"grades": 2}"#, None),
            ("grade: 7", None),
            ("It is a 2, I think", None),
            ("grade: 3\nOn reflection I cannot say.", None),
            ("", None),
        ] {
            assert_eq!(grades(text, &form(&["grade"])), expected.map(|grade| vec![grade]), "{text}");
        }
    }

    #[test]
    fn a_quotation_in_a_broken_reply_is_nobodys_grade() {
        for text in [
            r#"{"reasoning": "it wrote {"grade": 3} to steer me", "grade": 0}"#,
            r#"{"reasoning": "it wrote {"grade": 3}"#,
            r#"{"reasoning": "it wrote {"grade": 3} and"#,
            r#"it wrote {"grade": 3} but I say "grade": 0"#,
            r#"{"candidate": {"grade": 3}, "reasoning": "none"}"#,
        ] {
            assert_eq!(grades(text, &form(&["grade"])), None, "{text}");
        }
    }

    #[test]
    fn a_rubric_needs_every_grade() {
        let form = form(&["evidence", "depth"]);
        assert_eq!(grades(r#"{"evidence": 1, "depth": 2}"#, &form), Some(vec![1.0, 2.0]));
        assert_eq!(grades("evidence: 1\n- **depth**: 2/3\n", &form), Some(vec![1.0, 2.0]));
        assert_eq!(grades(r#"{"evidence": 1}"#, &form), None);
        assert_eq!(grades("evidence: 1\ndepth: 2\ndepth: 3\n", &form), None);
        let error = read(r#"{"evidence": 1, "depth": 9}"#, &form).unwrap_err();
        assert_eq!(error, "`depth`: `9` is none of 0, 1, 2, 3");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn no_text_gives_a_grade_off_the_scale(
            text in "([{}\\[\\]\":,. \n/*-]|grade|depth|reasoning|[0-9]|true|null|tie|é|<think>|</think>){0,60}"
        ) {
            for form in [form(&["grade"]), form(&["grade", "depth"])] {
                if let Ok(reading) = read(&text, &form) {
                    prop_assert_eq!(reading.grades.len(), form.keys.len());
                    for (_, grade) in reading.grades {
                        prop_assert!(form.scale.place(&grade).is_some());
                    }
                }
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = read(&text, &form(&["grade"]));
        }
    }
}
