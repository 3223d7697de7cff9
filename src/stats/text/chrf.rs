//! chrF (Popović 2015) and chrF++ (Popović 2017) in the conventions of sacrebleu.

use std::ops::AddAssign;

use super::grams::{Grams, clipped_matches};
use super::tokenize::{is_space, words};
use super::vocabulary::Vocabulary;
use super::{each_pair, references_field};
use crate::stats::error::{Result, StatError, at_least};

/// Largest order of character n-grams.
pub const CHARACTER_ORDER: usize = 6;
/// Largest order of word n-grams that [`ChrfOptions::word_order`] may ask for.
pub const MAX_WORD_ORDER: usize = 2;
const ORDERS: usize = CHARACTER_ORDER + MAX_WORD_ORDER;
/// A character and its successor fit into this many bits.
const CHARACTER_BITS: u32 = 21;

/// What a chrF score depends on besides the texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChrfOptions {
    /// Largest order of word n-grams: 0 for chrF, 2 for chrF++.
    pub word_order: usize,
    /// Weight of recall against precision.
    pub beta: f64,
    /// Whether case is ignored.
    pub lowercase: bool,
}

impl Default for ChrfOptions {
    fn default() -> Self {
        Self { word_order: 0, beta: 2.0, lowercase: false }
    }
}

impl ChrfOptions {
    /// The options of chrF++: word unigrams and bigrams beside the characters.
    #[must_use]
    pub fn plus_plus() -> Self {
        Self { word_order: 2, ..Self::default() }
    }

    /// The signature that makes a score reproducible; `references` is `None` where their number varies.
    #[must_use]
    pub fn signature(&self, references: Option<usize>) -> String {
        format!(
            "nrefs:{}|case:{}|eff:yes|nc:{CHARACTER_ORDER}|nw:{}|space:no|version:{}",
            references_field(references),
            if self.lowercase { "lc" } else { "mixed" },
            self.word_order,
            super::SACREBLEU_VERSION,
        )
    }

    fn check(&self) -> Result<()> {
        if self.word_order > MAX_WORD_ORDER {
            return Err(StatError::OutOfRange {
                what: "word order",
                value: self.word_order as f64,
                range: "0, 1 and 2",
            });
        }
        if !(self.beta > 0.0 && self.beta.is_finite()) {
            return Err(StatError::OutOfRange { what: "beta", value: self.beta, range: "(0, ∞)" });
        }
        Ok(())
    }
}

/// n-grams of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct OrderCounts {
    /// n-grams of the hypothesis (0 where the reference has none).
    pub hypothesis: u64,
    /// n-grams of the reference.
    pub reference: u64,
    /// Clipped matches.
    pub matches: u64,
}

/// The counts of one pair, or the sum over many, on which chrF depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ChrfStatistics {
    /// Characters of order 1 to 6, then words of order 1 and 2 (empty where these are not asked for).
    pub orders: [OrderCounts; ORDERS],
}

impl AddAssign for ChrfStatistics {
    fn add_assign(&mut self, other: Self) {
        for (sum, one) in self.orders.iter_mut().zip(other.orders) {
            sum.hypothesis += one.hypothesis;
            sum.reference += one.reference;
            sum.matches += one.matches;
        }
    }
}

summable!(ChrfStatistics);

impl ChrfStatistics {
    /// The score of these counts, 0 to 100: the F-beta of precision and recall, each averaged over the orders in which
    /// both sides have n-grams; 0 where there is no such order.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a word order above 2 or a beta that is not positive.
    pub fn score(&self, options: &ChrfOptions) -> Result<f64> {
        options.check()?;
        Ok(self.f_beta(options.beta))
    }

    fn f_beta(&self, beta: f64) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for counts in self.orders.iter().filter(|counts| counts.hypothesis > 0 && counts.reference > 0) {
            precision += counts.matches as f64 / counts.hypothesis as f64;
            recall += counts.matches as f64 / counts.reference as f64;
            orders += 1.0;
        }
        if precision == 0.0 || recall == 0.0 {
            return 0.0;
        }
        let (precision, recall, factor) = (precision / orders, recall / orders, beta * beta);
        100.0 * (1.0 + factor) * precision * recall / factor.mul_add(precision, recall)
    }
}

/// The n-grams of one text.
#[derive(Debug, Clone)]
struct TextGrams {
    characters: Grams,
    words: Grams,
}

impl TextGrams {
    const fn new() -> Self {
        Self { characters: Grams::new(CHARACTER_ORDER, CHARACTER_BITS), words: Grams::new(MAX_WORD_ORDER, 32) }
    }
}

/// Counts n-grams of pairs of texts; keep one for a corpus, since it remembers words and buffers.
#[derive(Debug, Clone)]
pub struct ChrfScorer {
    options: ChrfOptions,
    vocabulary: Vocabulary,
    symbols: Vec<u32>,
    hypothesis: TextGrams,
    reference: TextGrams,
}

impl ChrfScorer {
    /// A scorer with these options.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a word order above 2 or a beta that is not positive.
    pub fn new(options: ChrfOptions) -> Result<Self> {
        options.check()?;
        Ok(Self {
            options,
            vocabulary: Vocabulary::default(),
            symbols: Vec::new(),
            hypothesis: TextGrams::new(),
            reference: TextGrams::new(),
        })
    }

    /// The counts of one hypothesis against the reference with which it scores best (the first of several).
    ///
    /// # Errors
    /// [`StatError::TooFew`] without a reference.
    pub fn statistics<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<ChrfStatistics> {
        at_least("references", 1, references.len())?;
        self.fill(hypothesis, true);
        let mut best = (f64::NEG_INFINITY, ChrfStatistics::default());
        for reference in references {
            self.fill(reference.as_ref(), false);
            let statistics = self.compare();
            let score = statistics.f_beta(self.options.beta);
            if score > best.0 {
                best = (score, statistics);
            }
        }
        Ok(best.1)
    }

    /// The counts of each pair of a corpus; their sum gives the corpus score.
    ///
    /// `references[i]` holds the references of `hypotheses[i]`.
    ///
    /// ```
    /// use evalgauge::stats::text::{ChrfOptions, ChrfScorer, ChrfStatistics};
    /// let options = ChrfOptions::default();
    /// let pairs = ChrfScorer::new(options)?.corpus(&["the cat sat on the mat"], &[vec!["the cat is on the mat"]])?;
    /// let corpus: ChrfStatistics = pairs.iter().sum();
    /// assert!((corpus.score(&options)? - 64.577_942_062_528_7).abs() < 1e-9);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatError::TooFew`] for an empty corpus or a pair without references, [`StatError::Lengths`] when the two
    /// slices differ in length.
    pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
        &mut self,
        hypotheses: &[H],
        references: &[Vec<R>],
    ) -> Result<Vec<ChrfStatistics>> {
        each_pair(hypotheses, references, |own, theirs| self.statistics(own, theirs))
    }

    fn fill(&mut self, text: &str, is_hypothesis: bool) {
        let lower;
        let text = if self.options.lowercase {
            lower = text.to_lowercase();
            &lower
        } else {
            text
        };
        let grams = if is_hypothesis { &mut self.hypothesis } else { &mut self.reference };
        self.symbols.clear();
        // 0 is no symbol, so U+0000 becomes 1.
        self.symbols.extend(text.chars().filter(|&c| !is_space(c)).map(|c| u32::from(c) + 1));
        grams.characters.fill(&self.symbols);
        if self.options.word_order > 0 {
            self.symbols.clear();
            for word in words(text) {
                let (first, second) = split_punctuation(word);
                self.symbols.push(self.vocabulary.id(first));
                self.symbols.extend(second.map(|part| self.vocabulary.id(part)));
            }
            grams.words.fill(&self.symbols);
        }
    }

    fn compare(&mut self) -> ChrfStatistics {
        let mut statistics = ChrfStatistics::default();
        let (characters, words) = statistics.orders.split_at_mut(CHARACTER_ORDER);
        let sides = [
            (characters, &self.hypothesis.characters, &mut self.reference.characters),
            (&mut words[..self.options.word_order], &self.hypothesis.words, &mut self.reference.words),
        ];
        for (counts, hypothesis, reference) in sides {
            for (index, counts) in counts.iter_mut().enumerate() {
                counts.reference = reference.total(index + 1);
                // An order that the reference does not reach must not lower the precision.
                if counts.reference > 0 {
                    counts.hypothesis = hypothesis.total(index + 1);
                    counts.matches = clipped_matches(hypothesis, std::slice::from_mut(reference), index + 1);
                }
            }
        }
        statistics
    }
}

/// A word and the ASCII punctuation mark at its end, else at its start; never both.
fn split_punctuation(word: &str) -> (&str, Option<&str>) {
    let is_mark = |c: char| c.is_ascii_punctuation();
    if word.chars().nth(1).is_none() {
        (word, None)
    } else if word.ends_with(is_mark) {
        let (stem, mark) = word.split_at(word.len() - 1);
        (stem, Some(mark))
    } else if word.starts_with(is_mark) {
        let (mark, stem) = word.split_at(1);
        (mark, Some(stem))
    } else {
        (word, None)
    }
}

/// chrF of one sentence against its references.
///
/// # Errors
/// [`StatError::TooFew`] without a reference, [`StatError::OutOfRange`] for options out of range.
pub fn sentence_chrf<S: AsRef<str>>(hypothesis: &str, references: &[S], options: &ChrfOptions) -> Result<f64> {
    ChrfScorer::new(*options)?.statistics(hypothesis, references)?.score(options)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_of_a_small_pair() {
        let mut scorer = ChrfScorer::new(ChrfOptions::plus_plus()).unwrap();
        let statistics = scorer.statistics("(ab) ab", &["ab a"]).unwrap();
        let counts = |index: usize| {
            let OrderCounts { hypothesis, reference, matches } = statistics.orders[index];
            (hypothesis, reference, matches)
        };
        assert_eq!(counts(0), (6, 3, 3)); // characters ( a b ) a b against a b a
        assert_eq!(counts(1), (5, 2, 1)); // only "ab" is common, and the reference has it once
        assert_eq!(counts(3), (0, 0, 0)); // the reference has no 4-gram
        assert_eq!(counts(6), (3, 2, 1)); // words "(ab", ")", "ab"
        assert_eq!(counts(7), (2, 1, 0));
    }

    #[test]
    fn only_one_mark_is_split_off() {
        assert_eq!(split_punctuation("(hi)"), ("(hi", Some(")")));
        assert_eq!(split_punctuation("(hi"), ("(", Some("hi")));
        assert_eq!(split_punctuation("…"), ("…", None));
        assert_eq!(split_punctuation("!"), ("!", None));
        assert_eq!(split_punctuation("é!"), ("é", Some("!")));
    }

    #[test]
    fn nothing_in_common_scores_zero() {
        assert_eq!(sentence_chrf("", &["abc"], &ChrfOptions::default()), Ok(0.0));
        assert_eq!(sentence_chrf("abc", &[""], &ChrfOptions::default()), Ok(0.0));
        assert_eq!(sentence_chrf("xyz", &["abc"], &ChrfOptions::plus_plus()), Ok(0.0));
        assert!(sentence_chrf("a", &["a"], &ChrfOptions { word_order: 3, ..ChrfOptions::default() }).is_err());
        assert!(sentence_chrf("a", &["a"], &ChrfOptions { beta: 0.0, ..ChrfOptions::default() }).is_err());
    }

    proptest! {
        #[test]
        fn a_text_against_itself_scores_100(text in "[a-e!]{1,9}( [a-e]{1,9}){0,5}") {
            let score = sentence_chrf(&text, &[&text], &ChrfOptions::plus_plus()).unwrap();
            prop_assert!((score - 100.0).abs() < 1e-9);
        }

        #[test]
        fn the_best_reference_counts(a in "[a-c ]{0,20}", b in "[a-c ]{0,20}", c in "[a-c ]{0,20}") {
            let options = ChrfOptions::plus_plus();
            let score = |references: &[&str]| sentence_chrf(&a, references, &options).unwrap();
            prop_assert_eq!(score(&[&b, &c]), score(&[&b]).max(score(&[&c])));
        }
    }
}
