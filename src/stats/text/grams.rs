//! Multisets of n-grams of every order at once, exact and without hashing.

/// The n-grams of a sequence of symbols: for each position the symbols from there on packed into one integer, sorted.
///
/// All n-grams with a common prefix are neighbours in that order, so one sort serves every n up to `order`.
#[derive(Debug, Clone)]
pub(super) struct Grams {
    keys: Vec<u128>,
    bits: u32,
    order: usize,
    cursor: usize,
}

impl Grams {
    /// Room for n-grams of up to `order` symbols of `bits` bits each; `order * bits` is at most 128.
    pub(super) const fn new(order: usize, bits: u32) -> Self {
        assert!(order as u32 * bits <= 128, "an n-gram must fit into its key");
        Self { keys: Vec::new(), bits, order, cursor: 0 }
    }

    /// Replaces the content by the n-grams of `symbols`, none of which may be 0.
    pub(super) fn fill(&mut self, symbols: &[u32]) {
        self.keys.clear();
        let top = self.bits * (self.order as u32 - 1);
        let mut key = 0_u128;
        for &symbol in symbols.iter().rev() {
            key = (key >> self.bits) | (u128::from(symbol) << top);
            self.keys.push(key);
        }
        self.keys.sort_unstable();
    }

    /// How many n-grams of order `n` there are, repetitions counted.
    pub(super) const fn total(&self, n: usize) -> u64 {
        (self.keys.len() + 1).saturating_sub(n) as u64
    }

    /// The n-gram at the front of `key`, or `None` where the text ends before its last symbol.
    fn gram(&self, key: u128, n: usize) -> Option<u128> {
        let gram = key >> (self.bits * (self.order - n) as u32);
        let last = gram & ((1 << self.bits) - 1);
        (last != 0).then_some(gram)
    }

    /// How often `gram` occurs; called with ascending grams after the cursor was set to 0.
    fn count_next(&mut self, gram: u128, n: usize) -> u64 {
        let shift = self.bits * (self.order - n) as u32;
        while self.keys.get(self.cursor).is_some_and(|key| key >> shift < gram) {
            self.cursor += 1;
        }
        let rest = &self.keys[self.cursor..];
        rest.iter().take_while(|&&key| key >> shift == gram).count() as u64
    }
}

/// Clipped matches of order `n`: each n-gram of `hypothesis` counts at most as often as in the reference that has most
/// of it.
pub(super) fn clipped_matches(hypothesis: &Grams, references: &mut [Grams], n: usize) -> u64 {
    for reference in references.iter_mut() {
        reference.cursor = 0;
    }
    let mut matches = 0;
    let mut at = 0;
    while let Some(&key) = hypothesis.keys.get(at) {
        let Some(gram) = hypothesis.gram(key, n) else {
            at += 1;
            continue;
        };
        let own = hypothesis.keys[at..].iter().take_while(|&&key| hypothesis.gram(key, n) == Some(gram)).count();
        let most = references.iter_mut().map(|reference| reference.count_next(gram, n)).max();
        matches += most.unwrap_or(0).min(own as u64);
        at += own;
    }
    matches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn counts(symbols: &[u32], n: usize) -> BTreeMap<&[u32], u64> {
        let mut counts = BTreeMap::new();
        for gram in symbols.windows(n) {
            *counts.entry(gram).or_default() += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn matches_agree_with_maps_of_slices(
            hypothesis in prop::collection::vec(1_u32..5, 0..30),
            references in prop::collection::vec(prop::collection::vec(1_u32..5, 0..30), 1..4),
            n in 1_usize..=4,
        ) {
            let mut own = Grams::new(4, 32);
            own.fill(&hypothesis);
            let mut theirs: Vec<Grams> = references.iter().map(|symbols| {
                let mut grams = Grams::new(4, 32);
                grams.fill(symbols);
                grams
            }).collect();
            let expected: u64 = counts(&hypothesis, n).into_iter().map(|(gram, count)| {
                let most = references.iter().map(|r| counts(r, n).get(gram).copied().unwrap_or(0)).max().unwrap_or(0);
                most.min(count)
            }).sum();
            prop_assert_eq!(clipped_matches(&own, &mut theirs, n), expected);
            prop_assert_eq!(own.total(n), hypothesis.windows(n).count() as u64);
        }
    }
}
