//! A folded text as words in sentences.

use super::fold::{Folded, without_leet};

/// A word or a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// Small letters and digits; apostrophes are left out.
    pub(super) text: String,
    /// The same with digits read as letters, where it mixes both.
    pub(super) unleet: Option<String>,
    /// Bytes of the original text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The number of its sentence.
    pub(super) sentence: usize,
    /// Whether it begins a sentence or a line.
    pub(super) is_first: bool,
    /// The first sign behind it that is no blank.
    pub(super) after: char,
    /// Whether it stands in a quotation of several words, beside words that are none.
    pub(super) is_quoted: bool,
    /// Of a number: its kind.
    pub(super) number: Option<Number>,
}

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// `3`, `4.5`
    Plain(f64),
    /// `10/10`, `5 out of 5`, `100%`
    Full,
    /// `3/10`
    Share,
}

impl Word {
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.text.as_str())
    }
}

/// The words of a folded text.
pub(super) fn words(folded: &Folded) -> Vec<Word> {
    let chars = &folded.chars;
    let mut words: Vec<Word> = Vec::new();
    let (mut at, mut sentence, mut is_first) = (0, 0, true);
    while at < chars.len() {
        let c = chars[at];
        if c.is_alphanumeric() {
            let end = word_end(chars, at);
            let text: String = chars[at..end].iter().filter(|c| !is_apostrophe(**c)).collect();
            let after = chars[end..].iter().find(|c| !matches!(c, ' ' | '\t')).copied().unwrap_or('\n');
            words.push(Word {
                unleet: without_leet(&text),
                number: number(&text),
                text,
                start: folded.at[at],
                end: folded.at[end],
                sentence,
                is_first,
                after,
                is_quoted: false,
            });
            is_first = false;
            at = end;
            continue;
        }
        if ends_sentence(chars, at) {
            sentence += 1;
            is_first = true;
        } else if c == '\n' {
            // A line goes on in the next one only where that begins with a small letter in running text.
            is_first = true;
            let goes_on = chars[at + 1..].iter().find(|c| !matches!(c, ' ' | '\t')).is_some_and(|c| c.is_alphabetic());
            if !goes_on {
                sentence += 1;
            }
        }
        at += 1;
    }
    merged(words)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '`')
}

fn word_end(chars: &[char], start: usize) -> usize {
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut end = start;
    while let Some(&c) = chars.get(end) {
        let inside_number = matches!(c, '.' | '/') && is_digit(end + 1) && end > start && is_digit(end - 1);
        let inside_word = (is_apostrophe(c) || matches!(c, '@' | '$'))
            && chars.get(end + 1).is_some_and(|c| c.is_alphanumeric())
            && end > start;
        if !(c.is_alphanumeric() || inside_number || inside_word) {
            break;
        }
        end += 1;
    }
    if chars.get(end) == Some(&'%') && is_digit(end - 1) {
        end += 1;
    }
    end.max(start + 1)
}

fn ends_sentence(chars: &[char], at: usize) -> bool {
    match chars[at] {
        '.' | '!' | '?' | ';' => {
            chars.get(at + 1).is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '”' | '\'' | ')'))
        }
        '。' | '！' | '？' => true,
        _ => false,
    }
}

fn number(text: &str) -> Option<Number> {
    if text == "100%" {
        return Some(Number::Full);
    }
    if let Some((share, whole)) = text.split_once('/') {
        let (share, whole) = (share.parse::<f64>().ok()?, whole.parse::<f64>().ok()?);
        return Some(if share == whole && whole > 1.0 { Number::Full } else { Number::Share });
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Plain)
}

/// `5 out of 5` is one word.
fn merged(words: Vec<Word>) -> Vec<Word> {
    let mut merged: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        if let [.., of, out] = &merged[..]
            && let (Some(Number::Plain(share)), Some(Number::Plain(whole))) =
                (merged.len().checked_sub(3).and_then(|at| merged[at].number), word.number)
            && (of.text.as_str(), out.text.as_str()) == ("out", "of")
        {
            merged.truncate(merged.len() - 2);
            if let Some(first) = merged.last_mut() {
                first.text = format!("{}/{}", first.text, word.text);
                first.end = word.end;
                first.after = word.after;
                first.number = Some(if share == whole { Number::Full } else { Number::Share });
            }
            continue;
        }
        merged.push(word);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn words_numbers_and_sentences() {
        let of = |text: &str| words(&fold(text));
        let texts = |text: &str| of(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("Don't give 5 out of 5, v1.2 10/10!"), ["dont", "give", "5/5", "v1.2", "10/10"]);
        let words = of("First one. Second\nline goes on\n\nThird: a");
        let sentences: Vec<usize> = words.iter().map(|word| word.sentence).collect();
        assert_eq!(sentences, [0, 0, 1, 1, 1, 1, 2, 2]);
        assert!(words[2].is_first && words[3].is_first && words[6].is_first && words[6].after == ':');
        assert_eq!(
            of("100% 3/10").iter().map(|w| w.number).collect::<Vec<_>>(),
            [Some(Number::Full), Some(Number::Share)]
        );
    }
}
