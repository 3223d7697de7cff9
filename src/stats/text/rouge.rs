//! ROUGE (Lin 2004) in the conventions of rouge-score.

use std::collections::HashMap;

use super::each_pair;
use super::grams::{Grams, clipped_matches};
use super::masks::{PatternMasks, common_subsequence};
use super::porter;
use super::vocabulary::Vocabulary;
use crate::stats::error::{Result, at_least};

/// What precision, recall and F of one ROUGE variant are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RougeCounts {
    /// Units common to both texts.
    pub matches: u64,
    /// Units of the hypothesis.
    pub hypothesis: u64,
    /// Units of the reference.
    pub reference: u64,
}

impl RougeCounts {
    /// Share of the hypothesis that the reference has; 0 for a hypothesis without units.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.matches as f64 / self.hypothesis.max(1) as f64
    }

    /// Share of the reference that the hypothesis has; 0 for a reference without units.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.matches as f64 / self.reference.max(1) as f64
    }

    /// Harmonic mean of precision and recall; 0 where both are 0.
    #[must_use]
    pub fn f_measure(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }
}

/// The counts of one pair of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RougeStatistics {
    /// ROUGE-1: words.
    pub rouge1: RougeCounts,
    /// ROUGE-2: pairs of neighbouring words.
    pub rouge2: RougeCounts,
    /// ROUGE-L: longest common subsequence of words of the whole texts.
    pub rouge_l: RougeCounts,
    /// ROUGE-Lsum: union of the longest common subsequences of each reference line with the hypothesis lines.
    pub rouge_l_sum: RougeCounts,
}

/// Mean F-measures over a corpus, which is how ROUGE of a corpus is defined.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct RougeMeans {
    /// ROUGE-1.
    pub rouge1: f64,
    /// ROUGE-2.
    pub rouge2: f64,
    /// ROUGE-L.
    pub rouge_l: f64,
    /// ROUGE-Lsum.
    pub rouge_l_sum: f64,
}

impl RougeMeans {
    /// The mean F-measures of `pairs`, for instance of those that a bootstrap drew.
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] for no pairs.
    pub fn of<'a>(pairs: impl IntoIterator<Item = &'a RougeStatistics>) -> Result<Self> {
        let mut sum = Self::default();
        let mut count = 0;
        for pair in pairs {
            sum.rouge1 += pair.rouge1.f_measure();
            sum.rouge2 += pair.rouge2.f_measure();
            sum.rouge_l += pair.rouge_l.f_measure();
            sum.rouge_l_sum += pair.rouge_l_sum.f_measure();
            count += 1;
        }
        at_least("pairs", 1, count)?;
        let share = 1.0 / count as f64;
        Ok(Self {
            rouge1: sum.rouge1 * share,
            rouge2: sum.rouge2 * share,
            rouge_l: sum.rouge_l * share,
            rouge_l_sum: sum.rouge_l_sum * share,
        })
    }
}

/// Words of a text as numbers, line by line.
#[derive(Debug, Clone, Default)]
struct Lines {
    tokens: Vec<u32>,
    /// End of each line that is not empty in `tokens`.
    ends: Vec<usize>,
}

impl Lines {
    fn each(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.tokens[start..end])
    }
}

/// Counts matches of pairs of texts; keep one for a corpus, since it remembers words, stems and buffers.
#[derive(Debug, Clone)]
pub struct RougeScorer {
    stemming: bool,
    words: HashMap<Box<str>, u32>,
    stems: Vocabulary,
    word: String,
    hypothesis: Lines,
    reference: Lines,
    own_grams: Grams,
    their_grams: [Grams; 1],
    masks: PatternMasks,
    state: Vec<u64>,
    table: Vec<u32>,
    in_union: Vec<bool>,
}

impl RougeScorer {
    /// A scorer; `stemming` reduces words of more than three characters to their Porter stem.
    #[must_use]
    pub fn new(stemming: bool) -> Self {
        Self {
            stemming,
            words: HashMap::new(),
            stems: Vocabulary::default(),
            word: String::new(),
            hypothesis: Lines::default(),
            reference: Lines::default(),
            own_grams: Grams::new(2, 32),
            their_grams: [Grams::new(2, 32)],
            masks: PatternMasks::default(),
            state: Vec::new(),
            table: Vec::new(),
            in_union: Vec::new(),
        }
    }

    /// The counts of one hypothesis; of several references each variant takes the one with the largest F (the first of
    /// equals).
    ///
    /// Words are runs of ASCII letters and digits in lower case; every other character separates.
    ///
    /// ```
    /// use evalgauge::stats::text::RougeScorer;
    /// let pair = RougeScorer::new(false).statistics("the cat sat on the mat", &["the cat is on the mat"])?;
    /// assert!((pair.rouge2.f_measure() - 0.6).abs() < 1e-12);
    /// assert_eq!(pair.rouge_l.matches, 5);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] without a reference.
    pub fn statistics<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<RougeStatistics> {
        at_least("references", 1, references.len())?;
        let mut lines = std::mem::take(&mut self.hypothesis);
        self.read(hypothesis, &mut lines);
        self.own_grams.fill(&lines.tokens);
        self.hypothesis = lines;
        let mut best = RougeStatistics::default();
        for (index, reference) in references.iter().enumerate() {
            let mut lines = std::mem::take(&mut self.reference);
            self.read(reference.as_ref(), &mut lines);
            self.reference = lines;
            let pair = self.compare();
            let better = |new: RougeCounts, old: RougeCounts| {
                if index == 0 || new.f_measure() > old.f_measure() { new } else { old }
            };
            best = RougeStatistics {
                rouge1: better(pair.rouge1, best.rouge1),
                rouge2: better(pair.rouge2, best.rouge2),
                rouge_l: better(pair.rouge_l, best.rouge_l),
                rouge_l_sum: better(pair.rouge_l_sum, best.rouge_l_sum),
            };
        }
        Ok(best)
    }

    /// The counts of each pair of a corpus; [`RougeMeans::of`] makes scores of them.
    ///
    /// `references[i]` holds the references of `hypotheses[i]`.
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] for an empty corpus or a pair without references,
    /// [`crate::stats::StatError::Lengths`] when the two slices differ in length.
    pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
        &mut self,
        hypotheses: &[H],
        references: &[Vec<R>],
    ) -> Result<Vec<RougeStatistics>> {
        each_pair(hypotheses, references, |own, theirs| self.statistics(own, theirs))
    }

    fn read(&mut self, text: &str, lines: &mut Lines) {
        lines.tokens.clear();
        lines.ends.clear();
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            self.word.clear();
            for c in line.chars() {
                if c.is_ascii_alphanumeric() {
                    self.word.push(c.to_ascii_lowercase());
                } else if c.is_ascii() {
                    self.end_word(lines);
                } else {
                    // Two letters have an ASCII one in their lower case: the Kelvin sign and the dotted capital I.
                    for lower in c.to_lowercase() {
                        if lower.is_ascii_alphanumeric() {
                            self.word.push(lower);
                        } else {
                            self.end_word(lines);
                        }
                    }
                }
            }
            self.end_word(lines);
            lines.ends.push(lines.tokens.len());
        }
    }

    fn end_word(&mut self, lines: &mut Lines) {
        if self.word.is_empty() {
            return;
        }
        let id = self.words.get(self.word.as_str()).copied().unwrap_or_else(|| {
            let stems = self.stemming && self.word.len() > 3;
            let id = if stems { self.stems.id(&porter::stem(&self.word)) } else { self.stems.id(&self.word) };
            self.words.insert(self.word.as_str().into(), id);
            id
        });
        lines.tokens.push(id);
        self.word.clear();
    }

    fn compare(&mut self) -> RougeStatistics {
        let (own, theirs) = (&self.hypothesis.tokens, &self.reference.tokens);
        self.their_grams[0].fill(theirs);
        let mut grams = |n: usize| RougeCounts {
            matches: clipped_matches(&self.own_grams, &mut self.their_grams, n),
            hypothesis: self.own_grams.total(n),
            reference: self.their_grams[0].total(n),
        };
        let (rouge1, rouge2) = (grams(1), grams(2));
        self.masks.fill(theirs);
        let matches = common_subsequence(&self.masks, theirs.len(), own, &mut self.state);
        let rouge_l = RougeCounts { matches, hypothesis: own.len() as u64, reference: theirs.len() as u64 };
        // One line against one line: the union has a single member.
        let single = self.hypothesis.ends.len() <= 1 && self.reference.ends.len() <= 1;
        let rouge_l_sum = if single { rouge_l } else { RougeCounts { matches: self.union_matches(), ..rouge_l } };
        RougeStatistics { rouge1, rouge2, rouge_l, rouge_l_sum }
    }

    /// Words of the reference in the union of the subsequences that its lines have in common with the hypothesis
    /// lines, each counted at most as often as either text has it.
    fn union_matches(&mut self) -> u64 {
        let mut left: HashMap<u32, (u64, u64)> = HashMap::new();
        for token in &self.reference.tokens {
            left.entry(*token).or_default().0 += 1;
        }
        for token in &self.hypothesis.tokens {
            left.entry(*token).or_default().1 += 1;
        }
        let mut matches = 0;
        for line in self.reference.each() {
            self.in_union.clear();
            self.in_union.resize(line.len(), false);
            for other in self.hypothesis.each() {
                mark_subsequence(line, other, &mut self.table, &mut self.in_union);
            }
            for (token, _) in line.iter().zip(&self.in_union).filter(|(_, marked)| **marked) {
                if let Some((theirs, own)) = left.get_mut(token).filter(|(theirs, own)| *theirs > 0 && *own > 0) {
                    *theirs -= 1;
                    *own -= 1;
                    matches += 1;
                }
            }
        }
        matches
    }
}

/// Marks the words of `line` in one longest common subsequence with `other`: of several, the one that rouge-score
/// finds, on which the union depends.
fn mark_subsequence(line: &[u32], other: &[u32], table: &mut Vec<u32>, marks: &mut [bool]) {
    let width = other.len() + 1;
    table.clear();
    table.resize((line.len() + 1) * width, 0);
    for (i, token) in line.iter().enumerate() {
        for (j, candidate) in other.iter().enumerate() {
            let above = i * width + j;
            table[above + width + 1] =
                if token == candidate { table[above] + 1 } else { table[above + 1].max(table[above + width]) };
        }
    }
    let (mut i, mut j) = (line.len(), other.len());
    while i > 0 && j > 0 {
        if line[i - 1] == other[j - 1] {
            marks[i - 1] = true;
            i -= 1;
            j -= 1;
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(hypothesis: &str, reference: &str) -> RougeStatistics {
        RougeScorer::new(false).statistics(hypothesis, &[reference]).unwrap()
    }

    /// Lin (2004), section 3: "police killed the gunman" against two candidates.
    #[test]
    fn word_order_matters_to_rouge_l_only() {
        let reference = "police killed the gunman";
        let (kept, swapped) = (pair("police kill the gunman", reference), pair("the gunman kill police", reference));
        assert_eq!((kept.rouge_l.matches, swapped.rouge_l.matches), (3, 2));
        assert_eq!(kept.rouge1, swapped.rouge1);
        assert!((kept.rouge_l.f_measure() - 0.75).abs() < 1e-12);
    }

    /// Lin (2004), section 3.2: w1…w5 against "w1 w2 w6 w7 w8" and "w1 w3 w8 w9 w5" has the union w1 w2 w3 w5.
    #[test]
    fn union_of_subsequences_as_in_the_paper() {
        let statistics = pair("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5");
        assert_eq!(statistics.rouge_l_sum, RougeCounts { matches: 4, hypothesis: 10, reference: 5 });
    }

    #[test]
    fn only_ascii_letters_and_digits_make_words() {
        assert_eq!(pair("naïve 3.14", "na ve 3 14").rouge1.matches, 4);
        assert_eq!(pair("300 \u{212a}elvin", "300 kelvin").rouge2.matches, 1);
        assert_eq!(pair("日本語", "日本語"), RougeStatistics::default());
        assert_eq!(pair("日本語", "日本語").rouge1.f_measure(), 0.0);
    }

    #[test]
    fn stemming_joins_forms_of_long_words_only() {
        let mut scorer = RougeScorer::new(true);
        assert_eq!(scorer.statistics("runners jumped", &["runner jumps"]).unwrap().rouge1.matches, 2);
        assert_eq!(scorer.statistics("was its", &["wa it"]).unwrap().rouge1.matches, 0);
        assert_eq!(pair("runners jumped", "runner jumps").rouge1.matches, 0);
    }

    #[test]
    fn each_variant_takes_its_best_reference() {
        let statistics = RougeScorer::new(false).statistics("a b c", &["c b a", "a b", ""]).unwrap();
        assert_eq!(statistics.rouge1.reference, 3);
        assert_eq!(statistics.rouge2.reference, 1);
        let none: [&str; 0] = [];
        assert!(RougeScorer::new(false).statistics("a", &none).is_err());
        assert!(RougeMeans::of([]).is_err());
    }

    proptest! {
        #[test]
        fn the_subsequence_is_as_long_as_the_table_says(a in "[ab]( [a-c]){0,90}", b in "[ab]( [a-c]){0,90}") {
            let statistics = pair(&a, &b);
            let ids = |text: &str| text.split(' ').map(|word| u32::from(word.as_bytes()[0])).collect::<Vec<_>>();
            let (x, y) = (ids(&a), ids(&b));
            let mut marks = vec![false; y.len()];
            mark_subsequence(&y, &x, &mut Vec::new(), &mut marks);
            let marked = marks.iter().filter(|marked| **marked).count();
            prop_assert_eq!(statistics.rouge_l.matches, marked as u64);
            prop_assert_eq!(statistics.rouge_l, statistics.rouge_l_sum);
            let swapped = pair(&b, &a);
            prop_assert_eq!(statistics.rouge1.precision(), swapped.rouge1.recall());
            prop_assert_eq!(statistics.rouge_l.matches, swapped.rouge_l.matches);
        }
    }
}
