//! BLEU (Papineni et al. 2002) in the conventions of sacrebleu (Post 2018).

use std::ops::AddAssign;

use super::grams::{Grams, clipped_matches};
use super::tokenize::{Spacer, Tokenizer, words};
use super::vocabulary::Vocabulary;
use super::{each_pair, references_field};
use crate::stats::error::{Result, StatError, at_least};

/// Largest order of the n-grams.
pub const MAX_ORDER: usize = 4;

/// What takes the place of an n-gram precision of zero (Chen & Cherry 2014).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Smoothing {
    /// Nothing: one order without a match makes the score 0.
    None,
    /// This many matches instead of none; 0.1 is customary.
    Floor(f64),
    /// This much added to matches and totals of every order above the first; 1 is customary.
    AddK(f64),
    /// 1/2 match at the first order without one, 1/4 at the second, and so on: the default of published scores.
    #[default]
    Exponential,
}

impl Smoothing {
    fn signature(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Floor(value) => format!("floor[{value:.2}]"),
            Self::AddK(value) => format!("add-k[{value:.2}]"),
            Self::Exponential => "exp".to_owned(),
        }
    }

    fn check(self) -> Result<()> {
        match self {
            Self::Floor(value) | Self::AddK(value) if !(value > 0.0 && value.is_finite()) => {
                Err(StatError::OutOfRange { what: "smoothing value", value, range: "(0, ∞)" })
            }
            _ => Ok(()),
        }
    }
}

/// What a BLEU score depends on besides the texts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BleuOptions {
    /// How texts are split.
    pub tokenizer: Tokenizer,
    /// Whether case is ignored.
    pub lowercase: bool,
    /// What takes the place of precisions of zero.
    pub smoothing: Smoothing,
    /// Leave out the orders for which the hypothesis is too short; meant for single sentences.
    pub effective_order: bool,
}

impl BleuOptions {
    /// The options for single sentences: the defaults with `effective_order`.
    #[must_use]
    pub fn sentence() -> Self {
        Self { effective_order: true, ..Self::default() }
    }

    /// The signature that makes a score reproducible; `references` is `None` where their number varies.
    #[must_use]
    pub fn signature(&self, references: Option<usize>) -> String {
        format!(
            "nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}|version:{}",
            references_field(references),
            if self.lowercase { "lc" } else { "mixed" },
            if self.effective_order { "yes" } else { "no" },
            self.tokenizer.name(),
            self.smoothing.signature(),
            super::SACREBLEU_VERSION,
        )
    }
}

/// The counts of one pair, or the sum over many, on which BLEU depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct BleuStatistics {
    /// Tokens of the hypothesis.
    pub hypothesis_length: u64,
    /// Tokens of the reference closest in length (of two as close, the shorter).
    pub reference_length: u64,
    /// Clipped n-gram matches for n = 1, 2, 3, 4.
    pub matches: [u64; MAX_ORDER],
    /// n-grams of the hypothesis for n = 1, 2, 3, 4.
    pub totals: [u64; MAX_ORDER],
}

impl AddAssign for BleuStatistics {
    fn add_assign(&mut self, other: Self) {
        self.hypothesis_length += other.hypothesis_length;
        self.reference_length += other.reference_length;
        for order in 0..MAX_ORDER {
            self.matches[order] += other.matches[order];
            self.totals[order] += other.totals[order];
        }
    }
}

summable!(BleuStatistics);

/// A BLEU score and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BleuScore {
    /// The score, 0 to 100.
    pub score: f64,
    /// Smoothed n-gram precisions in percent.
    pub precisions: [f64; MAX_ORDER],
    /// `exp(1 − r/h)` for a hypothesis of h tokens shorter than the reference of r, else 1.
    pub brevity_penalty: f64,
}

impl BleuStatistics {
    /// The score of these counts: the brevity penalty times the geometric mean of the n-gram precisions.
    ///
    /// Nothing matched: 0. An order without n-grams (a hypothesis too short) makes the score 0 too, unless
    /// `effective_order` leaves such orders out.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for a smoothing value that is not positive.
    pub fn score(&self, options: &BleuOptions) -> Result<BleuScore> {
        options.smoothing.check()?;
        let (hypothesis, reference) = (self.hypothesis_length as f64, self.reference_length as f64);
        let brevity_penalty = if hypothesis == 0.0 && reference > 0.0 {
            0.0
        } else if hypothesis < reference {
            libm::exp(1.0 - reference / hypothesis)
        } else {
            1.0
        };
        let mut precisions = [0.0; MAX_ORDER];
        if self.matches.iter().all(|&matches| matches == 0) {
            return Ok(BleuScore { score: 0.0, precisions, brevity_penalty });
        }
        let mut halvings = 1.0;
        let mut orders = if options.effective_order { 0 } else { MAX_ORDER };
        for (index, precision) in precisions.iter_mut().enumerate() {
            let (mut matches, mut total) = (self.matches[index] as f64, self.totals[index] as f64);
            if let (Smoothing::AddK(k), 1..) = (options.smoothing, index) {
                matches += k;
                total += k;
            }
            if total == 0.0 {
                break;
            }
            if options.effective_order {
                orders = index + 1;
            }
            if matches == 0.0 {
                matches = match options.smoothing {
                    Smoothing::Exponential => {
                        halvings *= 0.5;
                        halvings
                    }
                    Smoothing::Floor(value) => value,
                    Smoothing::None | Smoothing::AddK(_) => 0.0,
                };
            }
            *precision = 100.0 * matches / total;
        }
        let used = &precisions[..orders];
        let score = if used.contains(&0.0) {
            0.0
        } else {
            let mean = used.iter().map(|&precision| libm::log(precision)).sum::<f64>() / orders as f64;
            brevity_penalty * libm::exp(mean)
        };
        Ok(BleuScore { score: score.min(100.0), precisions, brevity_penalty })
    }
}

/// Counts n-grams of pairs of texts; keep one for a corpus, since it remembers words and buffers.
#[derive(Debug, Clone)]
pub struct BleuScorer {
    options: BleuOptions,
    spacer: Spacer,
    vocabulary: Vocabulary,
    tokens: Vec<u32>,
    hypothesis: Grams,
    references: Vec<Grams>,
}

impl BleuScorer {
    /// A scorer with these options.
    #[must_use]
    pub fn new(options: BleuOptions) -> Self {
        Self {
            options,
            spacer: Spacer::default(),
            vocabulary: Vocabulary::default(),
            tokens: Vec::new(),
            hypothesis: Grams::new(MAX_ORDER, 32),
            references: Vec::new(),
        }
    }

    fn tokenize(&mut self, text: &str) -> u64 {
        let lower;
        let text = if self.options.lowercase {
            lower = text.to_lowercase();
            &lower
        } else {
            text
        };
        self.tokens.clear();
        let spaced = self.spacer.space(self.options.tokenizer, text);
        self.tokens.extend(words(spaced).map(|word| self.vocabulary.id(word)));
        self.tokens.len() as u64
    }

    /// The counts of one hypothesis against its references.
    ///
    /// # Errors
    /// [`StatError::TooFew`] without a reference.
    pub fn statistics<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<BleuStatistics> {
        at_least("references", 1, references.len())?;
        let hypothesis_length = self.tokenize(hypothesis);
        self.hypothesis.fill(&self.tokens);
        if self.references.len() < references.len() {
            self.references.resize(references.len(), Grams::new(MAX_ORDER, 32));
        }
        let mut closest = (u64::MAX, 0);
        for (index, reference) in references.iter().enumerate() {
            let length = self.tokenize(reference.as_ref());
            self.references[index].fill(&self.tokens);
            closest = closest.min((length.abs_diff(hypothesis_length), length));
        }
        let mut statistics =
            BleuStatistics { hypothesis_length, reference_length: closest.1, ..BleuStatistics::default() };
        for n in 1..=MAX_ORDER {
            statistics.totals[n - 1] = self.hypothesis.total(n);
            statistics.matches[n - 1] = clipped_matches(&self.hypothesis, &mut self.references[..references.len()], n);
        }
        Ok(statistics)
    }

    /// The counts of each pair of a corpus; their sum gives the corpus score.
    ///
    /// `references[i]` holds the references of `hypotheses[i]`.
    ///
    /// ```
    /// use evalgauge::stats::text::{BleuOptions, BleuScorer, BleuStatistics};
    /// let options = BleuOptions::default();
    /// let pairs = BleuScorer::new(options).corpus(&["the cat sat on the mat"], &[vec!["the cat is on the mat"]])?;
    /// let corpus: BleuStatistics = pairs.iter().sum();
    /// assert_eq!(corpus.matches, [5, 3, 1, 0]);
    /// assert!((corpus.score(&options)?.score - 37.991_784_282_579_63).abs() < 1e-9);
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
    ) -> Result<Vec<BleuStatistics>> {
        each_pair(hypotheses, references, |own, theirs| self.statistics(own, theirs))
    }
}

/// BLEU of one sentence against its references; see [`BleuOptions::sentence`].
///
/// # Errors
/// [`StatError::TooFew`] without a reference, [`StatError::OutOfRange`] for a smoothing value that is not positive.
pub fn sentence_bleu<S: AsRef<str>>(hypothesis: &str, references: &[S], options: &BleuOptions) -> Result<BleuScore> {
    BleuScorer::new(*options).statistics(hypothesis, references)?.score(options)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first example of Papineni et al. (2002): seven times "the" has a clipped unigram precision of 2/7.
    #[test]
    fn clipping_as_in_the_paper() {
        let references = ["The cat is on the mat.", "There is a cat on the mat."];
        let options = BleuOptions { lowercase: true, ..BleuOptions::default() };
        let statistics = BleuScorer::new(options).statistics("the the the the the the the", &references).unwrap();
        assert_eq!((statistics.matches, statistics.totals), ([2, 0, 0, 0], [7, 6, 5, 4]));
        assert_eq!(statistics.reference_length, 7);
    }

    #[test]
    fn smoothing_replaces_only_what_is_missing() {
        let counts = BleuStatistics {
            hypothesis_length: 10,
            reference_length: 10,
            matches: [5, 2, 0, 0],
            totals: [10, 9, 8, 7],
        };
        let precisions = |smoothing| counts.score(&BleuOptions { smoothing, ..BleuOptions::default() }).unwrap();
        assert_eq!(precisions(Smoothing::None).score, 0.0);
        assert_eq!(precisions(Smoothing::Exponential).precisions[2..], [6.25, 100.0 / 28.0]);
        assert_eq!(precisions(Smoothing::Floor(0.1)).precisions[2..], [1.25, 10.0 / 7.0]);
        assert_eq!(precisions(Smoothing::AddK(1.0)).precisions, [50.0, 30.0, 100.0 / 9.0, 12.5]);
        assert!(counts.score(&BleuOptions { smoothing: Smoothing::Floor(0.0), ..BleuOptions::default() }).is_err());
    }

    #[test]
    fn the_penalty_punishes_only_short_hypotheses() {
        let counts = |hypothesis_length, reference_length| BleuStatistics {
            hypothesis_length,
            reference_length,
            matches: [1; MAX_ORDER],
            totals: [1; MAX_ORDER],
        };
        let penalty = |statistics: BleuStatistics| statistics.score(&BleuOptions::default()).unwrap().brevity_penalty;
        assert_eq!(penalty(counts(12, 10)), 1.0);
        assert!((penalty(counts(5, 10)) - (-1.0_f64).exp()).abs() < 1e-15);
        assert_eq!(penalty(counts(0, 10)), 0.0);
    }

    #[test]
    fn short_sentences_need_the_effective_order() {
        assert_eq!(sentence_bleu("yes", &["yes"], &BleuOptions::default()).unwrap().score, 0.0);
        assert!((sentence_bleu("yes", &["yes"], &BleuOptions::sentence()).unwrap().score - 100.0).abs() < 1e-9);
        assert_eq!(sentence_bleu("", &["yes"], &BleuOptions::sentence()).unwrap().score, 0.0);
        let none: [&str; 0] = [];
        assert!(sentence_bleu("yes", &none, &BleuOptions::sentence()).is_err());
    }

    #[test]
    fn a_corpus_needs_as_many_references_as_hypotheses() {
        let mut scorer = BleuScorer::new(BleuOptions::default());
        assert!(scorer.corpus(&["a"], &[vec!["a"], vec!["b"]]).is_err());
        assert!(scorer.corpus::<&str, &str>(&[], &[]).is_err());
    }

    proptest! {
        #[test]
        fn a_text_against_itself_scores_100(text in "[a-e]( [a-e]){3,20}") {
            let score = sentence_bleu(&text, &[&text], &BleuOptions::default()).unwrap();
            prop_assert!((score.score - 100.0).abs() < 1e-9);
        }

        #[test]
        fn more_references_never_lose_matches(
            hypothesis in "[a-e]( [a-e]){0,20}", one in "[a-e]( [a-e]){0,20}", two in "[a-e]( [a-e]){0,20}",
        ) {
            let mut scorer = BleuScorer::new(BleuOptions::default());
            let single = scorer.statistics(&hypothesis, &[&one]).unwrap();
            let both = scorer.statistics(&hypothesis, &[&one, &two]).unwrap();
            let swapped = scorer.statistics(&hypothesis, &[&two, &one]).unwrap();
            prop_assert_eq!(both, swapped);
            prop_assert!(single.matches.iter().zip(both.matches).all(|(&fewer, more)| fewer <= more));
        }
    }
}
