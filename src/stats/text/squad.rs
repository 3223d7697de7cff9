//! Answer matching of the `SQuAD` reading-comprehension benchmark (Rajpurkar et al. 2016, 2018).

use std::collections::HashMap;

use super::tokenize::{is_space, words};
use crate::stats::error::{Result, at_least};

/// Exact match and token F1 of a predicted answer against the accepted answers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct SquadScore {
    /// Whether the prediction equals one of the accepted answers after normalisation.
    pub exact_match: bool,
    /// Largest token F1 over the accepted answers, in [0, 1].
    pub f1: f64,
}

/// An answer as `SQuAD` compares it: lower case, ASCII punctuation removed (not replaced by a space), the articles *a*,
/// *an* and *the* removed, runs of whitespace made one space.
///
/// ```
/// use evalgauge::stats::text::normalize_answer;
/// assert_eq!(normalize_answer("The  Eiffel-Tower!"), "eiffeltower");
/// ```
#[must_use]
pub fn normalize_answer(answer: &str) -> String {
    let mut bare = answer.to_lowercase();
    bare.retain(|c| !c.is_ascii_punctuation());
    let mut normalized = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(first) = rest.chars().next() {
        // Articles are whole runs of word characters, which a run of whitespace need not delimit ("a…" is one too).
        let end = rest.find(|c| in_word(c) != in_word(first)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        normalized.push_str(if matches!(run, "a" | "an" | "the") { " " } else { run });
        rest = tail;
    }
    let mut joined = String::with_capacity(normalized.len());
    for word in words(&normalized) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

/// Whether `prediction` equals one of `accepted` after [`normalize_answer`].
///
/// # Errors
/// [`crate::stats::StatError::TooFew`] when `accepted` is empty.
pub fn exact_match<S: AsRef<str>>(prediction: &str, accepted: &[S]) -> Result<bool> {
    Ok(squad(prediction, accepted)?.exact_match)
}

/// Largest token F1 of `prediction` over `accepted`: the harmonic mean of precision and recall of the multisets of
/// tokens after [`normalize_answer`]. Where either side has no token, F1 is 1 if both have none, else 0.
///
/// # Errors
/// [`crate::stats::StatError::TooFew`] when `accepted` is empty.
pub fn token_f1<S: AsRef<str>>(prediction: &str, accepted: &[S]) -> Result<f64> {
    Ok(squad(prediction, accepted)?.f1)
}

/// Exact match and token F1 in one go; see [`exact_match`] and [`token_f1`].
///
/// ```
/// use evalgauge::stats::text::squad;
/// let score = squad("Barack Obama", &["Barack H. Obama", "Obama"])?;
/// assert!(!score.exact_match);
/// assert!((score.f1 - 0.8).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`crate::stats::StatError::TooFew`] when `accepted` is empty.
pub fn squad<S: AsRef<str>>(prediction: &str, accepted: &[S]) -> Result<SquadScore> {
    at_least("accepted answers", 1, accepted.len())?;
    let prediction = normalize_answer(prediction);
    let mut score = SquadScore { exact_match: false, f1: 0.0 };
    for answer in accepted {
        let answer = normalize_answer(answer.as_ref());
        score.exact_match |= prediction == answer;
        score.f1 = score.f1.max(normalized_f1(&prediction, &answer));
    }
    Ok(score)
}

fn normalized_f1(prediction: &str, answer: &str) -> f64 {
    let mut left: HashMap<&str, u32> = HashMap::new();
    let mut answer_tokens = 0_u32;
    for token in answer.split(is_space).filter(|token| !token.is_empty()) {
        *left.entry(token).or_default() += 1;
        answer_tokens += 1;
    }
    let (mut predicted_tokens, mut common) = (0_u32, 0_u32);
    for token in words(prediction) {
        predicted_tokens += 1;
        if let Some(count) = left.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    if answer_tokens == 0 || predicted_tokens == 0 {
        return f64::from(u8::from(answer_tokens == predicted_tokens));
    }
    2.0 * f64::from(common) / f64::from(answer_tokens + predicted_tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::StatError;

    #[test]
    fn articles_go_only_as_whole_words() {
        assert_eq!(normalize_answer("A theatre, an Anchor; the-end"), "theatre anchor theend");
        assert_eq!(normalize_answer("the… a/an —a—"), "… aan — —");
        assert_eq!(normalize_answer("Ångström\u{a0}the\tÉCOLE"), "ångström école");
    }

    #[test]
    fn only_articles_means_no_answer() {
        assert_eq!(squad("the", &["a"]), Ok(SquadScore { exact_match: true, f1: 1.0 }));
        assert_eq!(squad("", &["Paris"]), Ok(SquadScore { exact_match: false, f1: 0.0 }));
        assert_eq!(squad("", &["Paris", ""]), Ok(SquadScore { exact_match: true, f1: 1.0 }));
    }

    #[test]
    fn repeated_tokens_count_as_often_as_they_occur() {
        assert_eq!(token_f1("x x x", &["x y"]), Ok(0.4));
        assert_eq!(token_f1("x y", &["z"]), Ok(0.0));
    }

    #[test]
    fn no_accepted_answer_is_refused() {
        let none: [&str; 0] = [];
        assert!(matches!(exact_match("x", &none), Err(StatError::TooFew { .. })));
    }

    proptest! {
        #[test]
        fn f1_is_symmetric_and_one_for_equal_answers(a in "[abc ]{0,12}", b in "[abc ]{0,12}") {
            prop_assert_eq!(token_f1(&a, &[&b]), token_f1(&b, &[&a]));
            prop_assert_eq!(squad(&a, &[&a]), Ok(SquadScore { exact_match: true, f1: 1.0 }));
        }

        #[test]
        fn normalising_again_changes_nothing_without_new_articles(a in "\\PC{0,20}") {
            let once = normalize_answer(&a);
            prop_assert!(!once.contains("  ") && once.trim() == once);
            prop_assert!(!once.split(' ').any(|word| matches!(word, "a" | "an" | "the")));
        }
    }
}
