//! A checklist of points that an answer should make.

use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::places::texts;
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::evalset::strings_of;
use crate::stats::text::normalize_answer;

settings! {
    /// `[scorers.NAME.key_points]`
    expected share KeyPointsSpec {}
}

/// The share of points that the answer makes. A point is a text, or a list of wordings of which one will do; it is made
/// when a wording stands in the answer as whole words, without regard to case, ASCII punctuation and English articles.
#[derive(Debug)]
struct KeyPoints;

impl Settings for KeyPointsSpec {
    fn kind(&self) -> &'static str {
        "key_points"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(self.values(), KeyPoints)
    }
}

/// Whether a script writes without space between words, so that a word may begin anywhere.
fn is_unspaced(c: char) -> bool {
    // Thai to Khmer, kana to CJK, Hangul is spaced.
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF
        | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

/// Whether a wording stands in a text as whole words.
fn occurs(text: &str, wording: &str) -> bool {
    let joined = |left: Option<char>, right: Option<char>| match (left, right) {
        (Some(left), Some(right)) => {
            left.is_alphanumeric() && right.is_alphanumeric() && !is_unspaced(left) && !is_unspaced(right)
        }
        _ => false,
    };
    let (first, last) = (wording.chars().next(), wording.chars().next_back());
    text.match_indices(wording).any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        !joined(before.chars().next_back(), first) && !joined(last, after.chars().next())
    })
}

/// The points of an example, each with its wordings.
fn points(expected: &Json) -> Result<Vec<Vec<String>>, Miss> {
    let no_list = || Miss::unable(format!("expected {expected} is no list of points"));
    let Json::Array(points) = expected else { return Err(no_list()) };
    let points: Option<Vec<Vec<String>>> = points.iter().map(texts).collect();
    let points = points.filter(|points| !points.is_empty()).ok_or_else(no_list)?;
    let normal = |wordings: Vec<String>| {
        let normal: Vec<String> = wordings.iter().map(|wording| normalize_answer(wording)).collect();
        if normal.is_empty() || normal.iter().any(String::is_empty) {
            return Err(Miss::unable(format!("a point has no words: {wordings:?}")));
        }
        Ok(normal)
    };
    points.into_iter().map(normal).collect()
}

impl Measure for KeyPoints {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let points = points(at.expected()?)?;
        let text = normalize_answer(&strings_of(at.answer()?));
        let made = |wordings: &&Vec<String>| wordings.iter().any(|wording| occurs(&text, wording));
        let missing: Vec<&str> = points
            .iter()
            .filter(|wordings| !made(wordings))
            .filter_map(|wordings| wordings.first().map(String::as_str))
            .collect();
        let found = Found::share((points.len() - missing.len()) as f64 / points.len() as f64);
        Ok(if missing.is_empty() { found } else { found.because(format!("not said: {}", missing.join("; "))) })
    }
}

#[cfg(test)]
mod tests {
    use super::occurs;

    #[test]
    fn a_wording_is_whole_words() {
        for (text, wording, expected) in [
            ("restart node", "restart", true),
            ("restarted node", "restart", false),
            ("unrestart", "restart", false),
            ("unrestart restart", "restart", true),
            ("重启服务器吧", "服务器", true),
            ("über uns", "ber", false),
        ] {
            assert_eq!(occurs(text, wording), expected, "{wording} in {text}");
        }
    }
}
