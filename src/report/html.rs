//! A report as one HTML file that needs nothing else: style, script and data are inside, and its policy forbids the rest.
//!
//! The template escapes every text; the data is JSON in an element that is no script, with `<` written as `\u003c`; and the
//! policy (`Content-Security-Policy`) runs this one script and no other, by its digest.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Report;
use super::charts::{Diagram, Matrices, Scatter, Trend, diagrams, matrices, scatter, trends};
use super::examples::{Change, Example, Examples, Outcome};
use super::judged::CORRECTED;
use super::text::{escape_control, escape_lines};
use super::view::{Row, View};
use crate::compare::OVERALL;

const TEMPLATE: &str = include_str!("html/page.html.j2");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Examples in the table; those that changed come first.
const MOST_EXAMPLES: usize = 50_000;
/// Characters of all texts together that a browser should have to hold.
const MOST_TEXT: usize = 32_000_000;
/// Lengths that texts may be cut to, the first that keeps the whole below [`MOST_TEXT`].
const CUTS: [usize; 8] = [20_000, 8_000, 4_000, 2_000, 1_000, 500, 200, 80];
/// Trials of an example that are shown.
const MOST_TRIALS: usize = 5;
/// Examples that the browser reads at a time.
const CHUNK: usize = 1_000;
/// Characters of any other text.
const MOST_CHARACTERS: usize = 2_000;

#[derive(Serialize)]
struct Page {
    title: String,
    tone: &'static str,
    sign: &'static str,
    icon: String,
    style: &'static str,
    style_sha256: String,
    script: &'static str,
    script_sha256: String,
    version: &'static str,
    view: Value,
    corrected_note: &'static str,
    overall: Value,
    groups: Value,
    small_groups: Value,
    confusions: Vec<Matrices>,
    reliability: Vec<Diagram>,
    scatter: Option<Scatter>,
    trend: Vec<Trend>,
    note: String,
    head_data: String,
    rows: Vec<String>,
}

/// The report as HTML.
///
/// # Errors
/// Never for a report that can be built; the template is our own and tested.
pub fn html(report: &Report) -> Result<String, minijinja::Error> {
    let view = &report.view;
    let details = &report.details;
    let (tone, sign, color) = match view.decision {
        None => ("plain", "", "%231f55b5"),
        Some("PASS") => ("pass", "✓", "%231a6b3c"),
        Some("FAIL") => ("fail", "✗", "%23b3261e"),
        Some(_) => ("open", "?", "%23855300"),
    };
    let (head_data, rows, note) = data(&report.examples());
    let overall: Vec<&Row> = view.rows.iter().filter(|row| row.slice == OVERALL).collect();
    let percent = percent_metrics(view);
    let page = Page {
        title: escape_control(&format!("{} {}", view.decision.unwrap_or("Report:"), view.subject), 200),
        tone,
        sign,
        icon: format!(
            "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='{color}'/%3E%3C/svg%3E"
        ),
        style: STYLE,
        style_sha256: sha256_base64(STYLE),
        script: SCRIPT,
        script_sha256: sha256_base64(SCRIPT),
        version: env!("CARGO_PKG_VERSION"),
        view: harmless(view),
        corrected_note: CORRECTED,
        overall: harmless(&overall),
        groups: groups(&view.rows),
        small_groups: groups(&view.small_rows),
        confusions: matrices(&details.confusions),
        reliability: diagrams(&details.reliability),
        scatter: details.candidates.as_ref().map(scatter),
        trend: trends(&details.history, percent.iter().map(|(name, percent)| (name.as_str(), *percent))),
        note,
        head_data,
        rows,
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending turns escaping on.
    environment.add_template("page.html", TEMPLATE)?;
    let page = serde_json::to_value(page)
        .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))?;
    environment.get_template("page.html")?.render(minijinja::value::Serde(&visible(page)))
}

/// The metrics of a view by name, in order, and whether they are written in per cent.
fn percent_metrics(view: &View) -> Vec<(String, bool)> {
    let mut metrics: Vec<(String, bool)> = Vec::new();
    let rows = view.rows.iter().map(|row| (&row.metric, &row.baseline));
    for (metric, value) in rows.chain(view.estimates.iter().map(|row| (&row.metric, &row.value))) {
        if !metrics.iter().any(|(known, _)| known == metric) {
            metrics.push((metric.clone(), value.ends_with('%')));
        }
    }
    metrics
}

/// Rows by metric, in the order in which they come.
fn groups(rows: &[Row]) -> Value {
    let groups = rows.chunk_by(|a, b| a.metric == b.metric);
    groups.map(|rows| json!({"metric": rows[0].metric, "rows": harmless(&rows)})).collect()
}

fn harmless(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Every text of a value with what cannot be seen made visible. Our own style, script and data are long and are left alone.
fn visible(mut page: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::String(text) => *text = escape_control(text, MOST_CHARACTERS),
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(fields) => fields.values_mut().for_each(walk),
            _ => {}
        }
    }
    if let Value::Object(fields) = &mut page {
        for (name, value) in fields {
            if !["style", "script", "head_data", "rows"].contains(&name.as_str()) {
                walk(value);
            }
        }
    }
    page
}

// ---- examples as data ------------------------------------------------------------------------------------------------

/// JSON that may stand inside an element: nothing in it can end that element.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Numbers the values of every label key, in the order of their first appearance.
#[derive(Default)]
struct Dictionary {
    keys: BTreeMap<String, (Vec<String>, BTreeMap<String, usize>)>,
}

impl Dictionary {
    fn learn(&mut self, example: &Example) {
        for (key, values) in &example.labels {
            let (names, codes) = self.keys.entry(key.clone()).or_default();
            for value in values {
                codes.entry(value.clone()).or_insert_with(|| {
                    names.push(value.clone());
                    names.len() - 1
                });
            }
        }
    }

    fn codes(&self, example: &Example) -> Vec<Value> {
        let code = |(key, (_, codes)): (&String, &(Vec<String>, BTreeMap<String, usize>))| {
            let values = example.labels.get(key).map_or(&[][..], Vec::as_slice);
            match values {
                [] => json!(-1),
                [one] => json!(codes.get(one)),
                several => json!(several.iter().map(|value| codes.get(value)).collect::<Vec<_>>()),
            }
        };
        self.keys.iter().map(code).collect()
    }

    fn as_value(&self) -> Value {
        let shown = |text: &String| escape_control(text, 200);
        let pair = |(key, (names, _)): (&String, &(Vec<String>, BTreeMap<String, usize>))| {
            json!([shown(key), names.iter().map(shown).collect::<Vec<_>>()])
        };
        self.keys.iter().map(pair).collect()
    }
}

const CHANGES: [Change; 7] =
    [Change::Broke, Change::Worse, Change::Better, Change::Fixed, Change::Fails, Change::Passes, Change::Unscored];

/// The data of the table: its head, its rows in pieces, and a remark on what was left out.
fn data(examples: &Examples) -> (String, Vec<String>, String) {
    let lines = &examples.lines[..examples.lines.len().min(MOST_EXAMPLES)];
    let cut = cut_of(lines);
    let mut dictionary = Dictionary::default();
    for example in lines {
        dictionary.learn(example);
    }
    let head = json!({
        "paired": examples.paired,
        "changes": CHANGES.map(Change::name),
        "metrics": examples.metrics.iter().map(|metric| json!({"name": escape_control(&metric.name, 200), "gates": metric.gates})).collect::<Vec<_>>(),
        "labels": dictionary.as_value(),
    });
    let row = |example: &Example| row(examples, example, &dictionary, cut);
    let rows = lines.chunks(CHUNK).map(|chunk| embedded(&chunk.iter().map(row).collect())).collect();
    let mut note = Vec::new();
    if lines.len() < examples.lines.len() {
        note.push(format!("The first {} of {} examples; the CSV export has all.", lines.len(), examples.lines.len()));
    }
    if lines.iter().flat_map(texts).any(|text| text.chars().nth(cut).is_some()) {
        note.push(format!("Texts of more than {cut} characters are cut here; the record keeps them whole."));
    }
    if lines.iter().any(|line| line.baseline.len().max(line.head.len()) > MOST_TRIALS) {
        note.push(format!("The first {MOST_TRIALS} trials of each example."));
    }
    if note.is_empty() {
        note.push("Every text is shown whole.".to_owned());
    }
    (embedded(&head), rows, note.join(" "))
}

fn texts(example: &Example) -> impl Iterator<Item = &String> {
    let trials = example.baseline.iter().take(MOST_TRIALS).chain(example.head.iter().take(MOST_TRIALS));
    example.input.iter().chain(trials)
}

/// The longest cut with which all texts together stay readable for a browser.
fn cut_of(lines: &[Example]) -> usize {
    let lengths: Vec<usize> = lines.iter().flat_map(texts).map(String::len).collect();
    let fits = |cut: &&usize| lengths.iter().map(|length| length.min(*cut)).sum::<usize>() <= MOST_TEXT;
    CUTS.iter().find(fits).copied().unwrap_or(CUTS[CUTS.len() - 1])
}

fn row(examples: &Examples, example: &Example, dictionary: &Dictionary, cut: usize) -> Value {
    let place = |change: Change| CHANGES.iter().position(|known| *known == change);
    let shown = |text: &String| escape_lines(text, cut);
    let short = |text: &Option<String>| text.as_ref().map(|text| escape_lines(text, cut.min(600)));
    let outcome = |outcome: &Option<Outcome>| {
        outcome.as_ref().map(|outcome| {
            let before = outcome.baseline.as_ref();
            let mut cells = vec![
                json!(place(outcome.change)),
                json!(before.map(|said| said.passes.passed)),
                json!(before.map(|said| said.passes.trials)),
                json!(outcome.head.passes.passed),
                json!(outcome.head.passes.trials),
                json!(before.and_then(|said| short(&said.value))),
                json!(short(&outcome.head.value)),
                json!(short(&outcome.expected)),
                json!(before.and_then(|said| short(&said.reason))),
                json!(short(&outcome.head.reason)),
            ];
            while cells.last().is_some_and(Value::is_null) {
                cells.pop();
            }
            cells
        })
    };
    let trials = |texts: &[String]| texts.iter().take(MOST_TRIALS).map(shown).collect::<Vec<_>>();
    json!([
        escape_control(&example.id, 200),
        place(examples.change_of(example)),
        dictionary.codes(example),
        example.input.as_ref().map_or_else(String::new, shown),
        trials(&example.baseline),
        trials(&example.head),
        example.outcomes.iter().map(outcome).collect::<Vec<_>>(),
        example.latency_ms.map(|ms| (10.0 * ms).round() / 10.0),
        example.cost_usd.map(|cost| format!("{cost:.6}")),
    ])
}

// ---- digests ---------------------------------------------------------------------------------------------------------

/// SHA-256 in base64, as a policy names a script by it.
fn sha256_base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(text);
    let mut out = String::with_capacity(44);
    for group in digest.chunks(3) {
        let bits = group.iter().chain([0, 0].iter()).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > group.len() { '=' } else { digit.into() });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_that_browsers_compute() {
        // `printf 'abc' | openssl dgst -sha256 -binary | base64`
        assert_eq!(sha256_base64("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn data_cannot_end_its_element() {
        let text = embedded(&json!(["</script><!-- <script>", "\u{2028}"]));
        assert!(!text.contains(['<', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()[0], "</script><!-- <script>");
    }
}
