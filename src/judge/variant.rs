//! Copies of an answer that say the same in another form: what a judge of content must not care about.
//!
//! All of it is deterministic and pure, so that a second audit finds every answer in the cache. Of an answer that is JSON
//! only its longest text is varied, and it stays JSON with the same fields in the same order.

use serde_json::Value;

/// Another form of the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// With sentences behind it that say nothing, about as long again as the answer.
    Padded,
    /// Its sentences as a list of points.
    Bulleted,
    /// With a wordy opening and a wordy end.
    Wordy,
    /// Between sentences that doubt it.
    Hedged,
    /// Between sentences that are sure of it.
    Assertive,
}

/// Sentences that add nothing to any answer, and say nothing about its quality.
const FILLER: [&str; 12] = [
    "This covers the matter that was raised in the text above.",
    "The points stand in the order in which they came up.",
    "The wording follows what was given and nothing beyond it.",
    "Each part belongs to the same matter as the parts around it.",
    "The text above can be read from its beginning to its end.",
    "What was given was looked at as it was given.",
    "The matter is the one that was described at the outset.",
    "The parts above belong together and concern one and the same matter.",
    "Nothing further was part of what was given here.",
    "The text keeps to the matter that it is about.",
    "All that is written above concerns the case at hand.",
    "The above was written down after the case had been read.",
];

/// Characters of filler at the least.
const LEAST_FILLER: usize = 200;

/// Characters of filler at the most, so that a long answer stays inside what a model reads.
const MOST_FILLER: usize = 2_000;

const WORDY: (&str, &str) = (
    "When one turns to the matter that was raised and takes the time to go through it, the following can be put down in \
     writing about it.",
    "That, then, is what there was to be put down in writing about the matter that was raised, and with this the text \
     comes to its end.",
);

// The two frames are of one length, so that tone alone differs.
const HEDGED: (&str, &str) = ("I am far from sure, but it might perhaps be so:", "I may well be wrong about this.");
const ASSERTIVE: (&str, &str) = ("I am absolutely sure, and it is definitely so:", "I am certainly right about this.");

/// Words before a dot that ends no sentence.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "etc", "vs", "cf", "approx", "no", "fig", "dr", "mr", "mrs", "ms", "st", "ca"];

impl Variant {
    /// The answer in this form; `None` where it has no text that could take it (no text at all, one sentence that makes
    /// no list, a list already).
    #[must_use]
    pub fn of(self, answer: &Value) -> Option<Value> {
        if let Value::String(text) = answer {
            return match embedded(text) {
                Some(inner) => self.in_text_of_json(text, &inner).map(Value::String),
                None => self.of_text(text).map(Value::String),
            };
        }
        let mut copy = answer.clone();
        let prose = longest(&mut copy)?;
        *prose = self.of_text(prose)?;
        Some(copy)
    }

    /// A text that is JSON keeps its blanks where the varied text stands in it once, as written.
    fn in_text_of_json(self, text: &str, inner: &Value) -> Option<String> {
        let mut copy = inner.clone();
        let prose = longest(&mut copy)?;
        let before = Value::String(prose.clone()).to_string();
        *prose = self.of_text(prose)?;
        let after = Value::String(prose.clone()).to_string();
        if text.matches(&before).count() == 1 {
            return Some(text.replacen(&before, &after, 1));
        }
        serde_json::to_string(&copy).ok()
    }

    fn of_text(self, text: &str) -> Option<String> {
        let bare = text.trim_end();
        if bare.trim_start().is_empty() {
            return None;
        }
        match self {
            Self::Padded => Some(format!("{bare} {}", filler(bare))),
            Self::Bulleted => bulleted(bare),
            Self::Wordy => Some(framed(bare, WORDY)),
            Self::Hedged => Some(framed(bare, HEDGED)),
            Self::Assertive => Some(framed(bare, ASSERTIVE)),
        }
    }
}

fn framed(text: &str, (before, behind): (&str, &str)) -> String {
    format!("{before} {} {behind}", text.trim_start())
}

/// Whether a text is a JSON object or list.
fn embedded(text: &str) -> Option<Value> {
    let bare = text.trim();
    if !bare.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(bare).ok()
}

/// The longest text inside an object or a list that is prose: two words or more. Of equal ones the first.
fn longest(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::String(text) => text.split_whitespace().nth(1).is_some().then_some(text),
        Value::Array(values) => longer(values.iter_mut()),
        Value::Object(fields) => longer(fields.values_mut()),
        _ => None,
    }
}

fn longer<'v>(values: impl Iterator<Item = &'v mut Value>) -> Option<&'v mut String> {
    values
        .filter_map(longest)
        .reduce(|best, text| if text.chars().count() > best.chars().count() { text } else { best })
}

/// Filler about as long as a text; where it begins follows from the text, so that items do not all get the same.
fn filler(text: &str) -> String {
    let length = text.chars().count().clamp(LEAST_FILLER, MOST_FILLER);
    let start = text.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let mut filler = String::new();
    for sentence in FILLER.iter().cycle().skip(start % FILLER.len()) {
        if filler.len() >= length {
            break;
        }
        if !filler.is_empty() {
            filler.push(' ');
        }
        filler.push_str(sentence);
    }
    filler
}

/// The same words as points; `None` for a single sentence, and for what has points or code already.
fn bulleted(text: &str) -> Option<String> {
    let is_marked = |line: &str| {
        let line = line.trim_start();
        let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
        line.starts_with(['-', '*', '•', '#', '|', '>'])
            || line.starts_with("```")
            || numbered.len() < line.len() && numbered.starts_with([')', '.'])
    };
    if text.lines().any(is_marked) {
        return None;
    }
    let points: Vec<&str> = text.lines().flat_map(sentences).collect();
    (points.len() > 1).then(|| points.iter().map(|point| format!("- {point}")).collect::<Vec<_>>().join("\n"))
}

/// The sentences of a line: a full stop, blanks, and then no small letter.
fn sentences(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, end) in line.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?')) {
        let after = at + end.len_utf8();
        let rest = &line[after..];
        let next = rest.trim_start().chars().next();
        let breaks = rest.starts_with(char::is_whitespace) && next.is_some_and(|next| !next.is_lowercase());
        let word = line[start..at].rsplit(char::is_whitespace).next().unwrap_or_default().to_lowercase();
        let is_short = end == '.' && (ABBREVIATIONS.contains(&word.as_str()) || word.chars().count() == 1);
        if breaks && !is_short {
            found.push(line[start..after].trim());
            start = after;
        }
    }
    found.push(line[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: [Variant; 5] = [Variant::Padded, Variant::Bulleted, Variant::Wordy, Variant::Hedged, Variant::Assertive];

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().filter(|word| *word != "-").collect()
    }

    #[test]
    fn the_words_of_the_answer_are_all_there_in_their_order() {
        let text = "The disk is full, e.g. on db-1. Rotate the logs! Then restart v1.2 of the service.";
        for variant in ALL {
            let varied = variant.of(&json!(text)).unwrap();
            let varied = varied.as_str().unwrap();
            let (own, all) = (words(text), words(varied));
            assert!(all.windows(own.len()).any(|part| part == own), "{variant:?}: {varied}");
            assert_eq!(Some(json!(varied)), variant.of(&json!(text)), "{variant:?}");
        }
        let points = Variant::Bulleted.of(&json!(text)).unwrap();
        assert_eq!(points.as_str().unwrap().lines().count(), 3, "{points}");
    }

    #[test]
    fn padding_is_as_long_as_the_answer() {
        for length in [5, 300, 5_000] {
            let text = "word ".repeat(length / 5);
            let padded = Variant::Padded.of(&json!(text)).unwrap();
            let added = padded.as_str().unwrap().len() - text.trim_end().len();
            let wanted = length.clamp(LEAST_FILLER, MOST_FILLER);
            assert!((wanted..wanted + 90).contains(&added), "{length}: {added}");
        }
    }

    #[test]
    fn both_tones_are_of_one_length() {
        let length = |(before, behind): (&str, &str)| before.len() + behind.len();
        assert_eq!(length(HEDGED), length(ASSERTIVE));
    }

    #[test]
    fn json_stays_json_and_only_prose_changes() {
        let object = json!({"team": "db", "why": "The disk is full. Rotate logs.", "tags": ["a b", "c"], "n": 1});
        for variant in ALL {
            let varied = variant.of(&object).unwrap();
            assert_ne!(varied["why"], object["why"]);
            for same in ["team", "tags", "n"] {
                assert_eq!(varied[same], object[same], "{variant:?}");
            }
            assert_eq!(
                varied.as_object().unwrap().keys().collect::<Vec<_>>(),
                object.as_object().unwrap().keys().collect::<Vec<_>>()
            );
            // As a text: blanks stay.
            let text = "{ \"team\": \"db\",\n  \"why\": \"The disk is full. Rotate logs.\" }";
            let Some(Value::String(varied)) = variant.of(&json!(text)) else { panic!() };
            assert!(varied.starts_with("{ \"team\": \"db\",\n  \"why\": \""), "{varied}");
            assert!(serde_json::from_str::<Value>(&varied).unwrap()["why"].as_str().unwrap().contains("Rotate logs."));
        }
        for nothing in [json!({"team": "db", "n": 1}), json!(1), json!(null), json!(""), json!({"why": ""})] {
            assert_eq!(Variant::Padded.of(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn no_list_is_made_of_one_sentence_or_of_a_list() {
        for text in ["Restart it.", "- one. Two.\n- three", "1. One. Two.", "```\nls. Two\n```", "See no. 5 of it"] {
            assert_eq!(Variant::Bulleted.of(&json!(text)), None, "{text}");
        }
    }
}
