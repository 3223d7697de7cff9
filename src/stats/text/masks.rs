//! Where each symbol of a pattern stands, as bit sets: the table of the bit-parallel edit-distance algorithms.

/// For each distinct symbol of a pattern the set of its positions, 64 to a word.
#[derive(Debug, Clone, Default)]
pub(super) struct PatternMasks {
    symbols: Vec<u32>,
    bits: Vec<u64>,
    words: usize,
}

impl PatternMasks {
    /// Replaces the content by the positions of the symbols of `pattern`.
    pub(super) fn fill(&mut self, pattern: &[u32]) {
        self.symbols.clear();
        self.symbols.extend_from_slice(pattern);
        self.symbols.sort_unstable();
        self.symbols.dedup();
        self.words = pattern.len().div_ceil(64);
        self.bits.clear();
        self.bits.resize(self.symbols.len() * self.words, 0);
        for (position, symbol) in pattern.iter().enumerate() {
            if let Ok(row) = self.symbols.binary_search(symbol) {
                self.bits[row * self.words + position / 64] |= 1 << (position % 64);
            }
        }
    }

    /// How many words a row has.
    pub(super) const fn words(&self) -> usize {
        self.words
    }

    /// The positions of `symbol`; `None` where the pattern has none.
    pub(super) fn row(&self, symbol: u32) -> Option<&[u64]> {
        let row = self.symbols.binary_search(&symbol).ok()?;
        Some(&self.bits[row * self.words..(row + 1) * self.words])
    }
}

/// Length of the longest common subsequence of the pattern (`length` symbols, in `masks`) and `text`.
///
/// Bit-vector algorithm of Hyyrö (2004): one step a symbol of `text` and 64 symbols of the pattern.
pub(super) fn common_subsequence(masks: &PatternMasks, length: usize, text: &[u32], state: &mut Vec<u64>) -> u64 {
    state.clear();
    state.resize(masks.words(), u64::MAX);
    for &symbol in text {
        let Some(row) = masks.row(symbol) else { continue };
        let mut carry = false;
        for (word, mask) in state.iter_mut().zip(row) {
            let hit = *word & mask;
            let (sum, over) = word.overflowing_add(hit);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over | over_again;
            *word = sum | (*word & !mask);
        }
    }
    let mut zeros = 0;
    for (index, word) in state.iter().enumerate() {
        let used = (length - index * 64).min(64);
        let mask = if used == 64 { u64::MAX } else { (1 << used) - 1 };
        zeros += u64::from((!word & mask).count_ones());
    }
    zeros
}

/// Length of the longest sequence of symbols that both lists hold in the same order, not necessarily side by side.
///
/// ```
/// use evalgauge::stats::text::longest_common_subsequence;
/// assert_eq!(longest_common_subsequence(&[1, 2, 3, 4], &[2, 9, 4, 1]), 2);
/// ```
#[must_use]
pub fn longest_common_subsequence(a: &[u32], b: &[u32]) -> usize {
    let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut masks = PatternMasks::default();
    masks.fill(pattern);
    common_subsequence(&masks, pattern.len(), text, &mut Vec::new()) as usize
}
