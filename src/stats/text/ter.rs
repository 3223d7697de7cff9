//! Translation edit rate (Snover et al. 2006) in the conventions of sacrebleu, which follow Tercom.

use std::ops::AddAssign;

use super::tokenize::words;
use super::vocabulary::Vocabulary;
use super::{each_pair, references_field};
use crate::stats::error::{Result, at_least};

const MAX_SHIFT_SIZE: usize = 10;
const MAX_SHIFT_DISTANCE: usize = 50;
const MAX_SHIFT_CANDIDATES: usize = 1000;
const BEAM_WIDTH: usize = 25;
const UNREACHED: u32 = u32::MAX / 2;

/// What a TER score depends on besides the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TerOptions {
    /// Whether words that differ in case only are different.
    pub case_sensitive: bool,
}

impl TerOptions {
    /// The signature that makes a score reproducible; `references` is `None` where their number varies.
    #[must_use]
    pub fn signature(&self, references: Option<usize>) -> String {
        format!(
            "nrefs:{}|case:{}|tok:tercom|norm:no|punct:yes|asian:no|version:{}",
            references_field(references),
            if self.case_sensitive { "mixed" } else { "lc" },
            super::SACREBLEU_VERSION,
        )
    }
}

/// The counts of one pair, or the sum over many, on which TER depends.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct TerStatistics {
    /// Fewest edits to any of the references: words inserted, deleted or replaced, and blocks shifted.
    pub edits: u64,
    /// Mean number of words of the references.
    pub reference_length: f64,
}

impl TerStatistics {
    /// Edits per 100 reference words; it can exceed 100. Without reference words 100 if there are edits, else 0.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.reference_length > 0.0 {
            100.0 * self.edits as f64 / self.reference_length
        } else if self.edits > 0 {
            100.0
        } else {
            0.0
        }
    }
}

impl AddAssign for TerStatistics {
    fn add_assign(&mut self, other: Self) {
        self.edits += other.edits;
        self.reference_length += other.reference_length;
    }
}

summable!(TerStatistics);

/// Counts edits of pairs of texts; keep one for a corpus, since it remembers words.
#[derive(Debug, Clone, Default)]
pub struct TerScorer {
    options: TerOptions,
    vocabulary: Vocabulary,
}

impl TerScorer {
    /// A scorer with these options.
    #[must_use]
    pub fn new(options: TerOptions) -> Self {
        Self { options, vocabulary: Vocabulary::default() }
    }

    fn words(&mut self, text: &str) -> Vec<u32> {
        let lower;
        let text = if self.options.case_sensitive {
            text
        } else {
            lower = text.to_lowercase();
            &lower
        };
        words(text).map(|word| self.vocabulary.id(word)).collect()
    }

    /// The counts of one hypothesis against its references.
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] without a reference.
    pub fn statistics<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<TerStatistics> {
        at_least("references", 1, references.len())?;
        let hypothesis = self.words(hypothesis);
        let (mut fewest, mut length) = (u64::MAX, 0);
        for reference in references {
            let reference = self.words(reference.as_ref());
            length += reference.len();
            fewest = fewest.min(edits(&hypothesis, &reference));
        }
        Ok(TerStatistics { edits: fewest, reference_length: length as f64 / references.len() as f64 })
    }

    /// The counts of each pair of a corpus; their sum gives the corpus score.
    ///
    /// `references[i]` holds the references of `hypotheses[i]`.
    ///
    /// ```
    /// use evalgauge::stats::text::{TerOptions, TerScorer, TerStatistics};
    /// // One shift of "on the mat" and one substitution, per six words.
    /// let mut scorer = TerScorer::new(TerOptions::default());
    /// let pairs = scorer.corpus(&["on the mat the cat sat"], &[vec!["the cat is on the mat"]])?;
    /// let corpus: TerStatistics = pairs.iter().sum();
    /// assert_eq!(corpus.edits, 2);
    /// # Ok::<(), evalgauge::stats::StatError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] for an empty corpus or a pair without references,
    /// [`crate::stats::StatError::Lengths`] when the two slices differ in length.
    pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
        &mut self,
        hypotheses: &[H],
        references: &[Vec<R>],
    ) -> Result<Vec<TerStatistics>> {
        each_pair(hypotheses, references, |own, theirs| self.statistics(own, theirs))
    }
}

/// Shifts while they lower the edit distance, then edits word by word.
fn edits(hypothesis: &[u32], reference: &[u32]) -> u64 {
    if reference.is_empty() {
        return hypothesis.len() as u64;
    }
    let mut matrix = EditMatrix::new(hypothesis, reference);
    let mut candidate = EditMatrix::new(hypothesis, reference);
    let (mut shifts, mut tried) = (0, 0);
    while let Some(shift) = best_shift(&matrix, &mut candidate, &mut tried) {
        // Tercom's limit: what was found in the round that reaches it is dropped.
        if tried >= MAX_SHIFT_CANDIDATES || shift.gain <= 0 {
            break;
        }
        shifts += 1;
        let from = shift.apply(&matrix.hypothesis, &mut candidate.hypothesis);
        matrix.hypothesis.clone_from(&candidate.hypothesis);
        matrix.update(from);
    }
    shifts + u64::from(matrix.distance())
}

/// A step of the way from the hypothesis to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Substitute,
    /// A word of the hypothesis without counterpart.
    Delete,
    /// A word of the reference without counterpart.
    Insert,
}

/// Edit distances of every prefix of the hypothesis to every prefix of the reference near the diagonal.
struct EditMatrix<'a> {
    hypothesis: Vec<u32>,
    reference: &'a [u32],
    cells: Vec<(u32, Edit)>,
}

impl<'a> EditMatrix<'a> {
    fn new(hypothesis: &[u32], reference: &'a [u32]) -> Self {
        let width = reference.len() + 1;
        let mut cells = vec![(UNREACHED, Edit::Substitute); (hypothesis.len() + 1) * width];
        for (cell, distance) in cells.iter_mut().take(width).zip(0..) {
            *cell = (distance, Edit::Insert);
        }
        let mut matrix = Self { hypothesis: hypothesis.to_vec(), reference, cells };
        matrix.update(0);
        matrix
    }

    fn distance(&self) -> u32 {
        self.cells.last().map_or(0, |cell| cell.0)
    }

    /// Computes the rows of the words of the hypothesis from number `from` on; those before must be up to date.
    fn update(&mut self, from: usize) {
        let width = self.reference.len() + 1;
        let rows = self.hypothesis.len();
        let ratio = self.reference.len() as f64 / rows.max(1) as f64;
        // Where lengths differ much, neighbouring rows must still overlap.
        let beam =
            if BEAM_WIDTH as f64 * 2.0 < ratio { (ratio / 2.0).ceil() as usize + BEAM_WIDTH } else { BEAM_WIDTH };
        for row in from + 1..=rows {
            let word = self.hypothesis[row - 1];
            let diagonal = (row as f64 * ratio).floor() as usize;
            let first = diagonal.saturating_sub(beam);
            let last = if row == rows { width } else { width.min(diagonal + beam) };
            let (done, rest) = self.cells.split_at_mut(row * width);
            let above = &done[(row - 1) * width..];
            let current = &mut rest[..width];
            // Outside the beam every cell keeps the value it was made with.
            for column in first..last {
                let mut best = (above[column].0 + 1, Edit::Delete);
                if column > 0 {
                    // Of equally good edits the earliest here: Tercom's preference seen from the other side.
                    let diagonal = if word == self.reference[column - 1] {
                        (above[column - 1].0, Edit::Keep)
                    } else {
                        (above[column - 1].0 + 1, Edit::Substitute)
                    };
                    if diagonal.0 <= best.0 {
                        best = diagonal;
                    }
                    if current[column - 1].0 + 1 < best.0 {
                        best = (current[column - 1].0 + 1, Edit::Insert);
                    }
                }
                current[column] = (best.0.min(UNREACHED), best.1);
            }
        }
    }

    fn alignment(&self) -> Alignment {
        let width = self.reference.len() + 1;
        let (mut row, mut column) = (self.hypothesis.len(), self.reference.len());
        let mut alignment = Alignment {
            after: vec![0; self.reference.len()],
            reference_wrong: vec![false; self.reference.len()],
            hypothesis_wrong: vec![false; self.hypothesis.len()],
        };
        while row > 0 || column > 0 {
            let edit = match (row, column) {
                (0, _) => Edit::Insert,
                (_, 0) => Edit::Delete,
                _ => self.cells[row * width + column].1,
            };
            if edit != Edit::Insert {
                row -= 1;
                alignment.hypothesis_wrong[row] = edit != Edit::Keep;
            }
            if edit != Edit::Delete {
                column -= 1;
                alignment.reference_wrong[column] = edit != Edit::Keep;
                alignment.after[column] = row + usize::from(edit != Edit::Insert);
            }
        }
        alignment
    }
}

/// Which words correspond, and which are wrong.
struct Alignment {
    /// For each word of the reference, how many words of the hypothesis come up to its counterpart, that included.
    after: Vec<usize>,
    reference_wrong: Vec<bool>,
    hypothesis_wrong: Vec<bool>,
}

/// A block of words moved to another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    /// By how much the edit distance falls.
    gain: i64,
    start: usize,
    length: usize,
    target: usize,
}

impl Shift {
    /// Tercom's preference: the larger gain, the longer block, the earlier block, the earlier target.
    fn rank(&self) -> impl Ord + use<> {
        (self.gain, self.length, std::cmp::Reverse(self.start), std::cmp::Reverse(self.target))
    }

    /// Writes the shifted words and returns the number of the first that may differ.
    fn apply(&self, words: &[u32], shifted: &mut Vec<u32>) -> usize {
        let &Self { start, length, target, .. } = self;
        let end = start + length;
        let block = &words[start..end];
        shifted.clear();
        if target < start {
            shifted.extend([&words[..target], block, &words[target..start], &words[end..]].concat());
        } else {
            // A target inside the block means as many words behind it.
            let target = if target > end { target } else { words.len().min(target + length) };
            shifted.extend([&words[..start], &words[end..target], block, &words[target..]].concat());
        }
        start.min(target)
    }
}

/// The shift that lowers the edit distance most; `candidate` is scratch space.
fn best_shift(matrix: &EditMatrix<'_>, candidate: &mut EditMatrix<'_>, tried: &mut usize) -> Option<Shift> {
    let alignment = matrix.alignment();
    let mut best: Option<Shift> = None;
    for (start, reference_start, length) in common_blocks(&matrix.hypothesis, matrix.reference) {
        let block = start..start + length;
        // Worth moving only where the hypothesis is wrong here and the reference unmatched there.
        if !alignment.hypothesis_wrong[block.clone()].contains(&true)
            || !alignment.reference_wrong[reference_start..reference_start + length].contains(&true)
            || (start + 1..=start + length).contains(&alignment.after[reference_start])
        {
            continue;
        }
        let before_first = reference_start.checked_sub(1).map_or(0, |previous| alignment.after[previous]);
        let inside = alignment.after[reference_start..reference_start + length].iter().copied();
        let mut previous = None;
        for target in std::iter::once(before_first).chain(inside) {
            if previous == Some(target) {
                continue;
            }
            previous = Some(target);
            let mut shift = Shift { gain: 0, start, length, target };
            let from = shift.apply(&matrix.hypothesis, &mut candidate.hypothesis);
            let width = matrix.reference.len() + 1;
            // All that the rows after it depend on.
            let row = from * width..(from + 1) * width;
            candidate.cells[row.clone()].copy_from_slice(&matrix.cells[row]);
            candidate.update(from);
            shift.gain = i64::from(matrix.distance()) - i64::from(candidate.distance());
            *tried += 1;
            if best.is_none_or(|best| shift.rank() > best.rank()) {
                best = Some(shift);
            }
        }
        if *tried >= MAX_SHIFT_CANDIDATES {
            break;
        }
    }
    best
}

/// Blocks of up to ten words that both texts have, as (start in the hypothesis, start in the reference, length).
fn common_blocks(hypothesis: &[u32], reference: &[u32]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..hypothesis.len()).flat_map(move |start| {
        let near = start.saturating_sub(MAX_SHIFT_DISTANCE)..reference.len().min(start + MAX_SHIFT_DISTANCE + 1);
        near.flat_map(move |other| {
            let equal = hypothesis[start..].iter().zip(&reference[other..]).take_while(|(a, b)| a == b);
            (1..=equal.take(MAX_SHIFT_SIZE).count()).map(move |length| (start, other, length))
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ter(hypothesis: &str, reference: &str) -> u64 {
        TerScorer::default().statistics(hypothesis, &[reference]).unwrap().edits
    }

    /// Snover et al. (2006), section 2: a shift, two substitutions and an insertion, 4 edits on 13 words.
    #[test]
    fn example_of_the_paper() {
        let reference = "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times";
        let hypothesis = "THIS WEEK THE SAUDIS denied information published in the new york times";
        assert_eq!(ter(hypothesis, reference), 4);
    }

    #[test]
    fn a_shifted_block_is_one_edit() {
        assert_eq!(ter("c d a b", "a b c d"), 1);
        assert_eq!(ter("a b c d", "a b c d"), 0);
        assert_eq!(ter("", "a b c"), 3);
        assert_eq!(ter("a b c", ""), 3);
        assert_eq!(ter("A b", "a B"), 0);
        assert_eq!(TerScorer::new(TerOptions { case_sensitive: true }).statistics("A b", &["a B"]).unwrap().edits, 2);
    }

    #[test]
    fn scores_of_empty_references_stay_defined() {
        assert_eq!(TerStatistics { edits: 3, reference_length: 0.0 }.score(), 100.0);
        assert_eq!(TerStatistics::default().score(), 0.0);
        assert_eq!(TerStatistics { edits: 3, reference_length: 2.0 }.score(), 150.0);
        let none: [&str; 0] = [];
        assert!(TerScorer::default().statistics("a", &none).is_err());
    }

    #[test]
    fn very_different_lengths_stay_connected() {
        let long = vec!["w"; 400].join(" ");
        assert_eq!(ter("w x", &long), 399);
        assert_eq!(ter(&long, "w x"), 399);
    }

    proptest! {
        #[test]
        fn never_more_than_the_plain_distance(a in "[a-d]( [a-d]){0,15}", b in "[a-d]( [a-d]){0,15}") {
            let glue = |text: &str| text.replace(' ', "");
            let plain = super::super::levenshtein(&glue(&a), &glue(&b)) as u64;
            prop_assert!(ter(&a, &b) <= plain);
            prop_assert_eq!(ter(&a, &a), 0);
        }
    }
}
