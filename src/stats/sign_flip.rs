//! The paired sign-flip test of many overlapping cells at once: Westfall–Young step-down minP.
//!
//! Under the hypothesis that the two systems are exchangeable within every block (an example, or a group of examples
//! that stand or fall together), swapping the two sides of a block changes nothing but the sign of its change. All
//! cells see the same swaps, so whatever correlation overlapping slices and correlated metrics have is reproduced
//! exactly, and the family-wise error rate is held at α without assuming independence.
//!
//! Westfall & Young 1993 (step-down minP); Romano & Wolf 2005 (weak conditions); the working p-value Φ(T/S) is
//! calibrated by the joint flips, its only job is to put cells of different size on one scale.
//!
//! An estimate that is no mean over blocks (macro-F1, AUC) takes part too: its change is recomputed under each draw
//! ([`Recompute`]), with the same coins.

use std::collections::HashMap;
use std::sync::Arc;

use rand::Rng;
use rayon::prelude::*;

use super::lattice::greatest_common_divisor;
use super::p_value::p_value;
use super::rng;
use super::special::normal_cdf;
use super::step_down::{Counter, Draws, FamilyTest, Hits};

/// The widest exact distribution worth convolving for a cell that stands alone.
const MOST_CONVOLUTION_STEPS: u64 = 50_000_000;

/// Draws from which the spread of a recomputed change is estimated.
const SPREAD_DRAWS: u64 = 1_000;

/// Changes are equal that differ by less than this share: the same totals added up in another order.
const TIE: f64 = 1e-12;

/// A change that is no sum over blocks.
pub trait Recompute: std::fmt::Debug + Send + Sync {
    /// The change, positive is better, when of each kind of block `exchanged[kind]` have exchanged their two sides.
    /// NaN, where there is none then, counts as no change.
    fn change(&self, exchanged: &[u32]) -> f64;
}

/// How the change of a cell depends on the blocks that changed.
#[derive(Debug, Clone)]
pub enum Changes {
    /// It is proportional to a sum: (block, summed change as a whole number ≠ 0; negative is worse), ascending by block.
    Sum(Vec<(u32, i64)>),
    /// It is recomputed.
    Recomputed {
        /// (block, kind), ascending by block; blocks of one kind do the same to the change by exchanging their sides.
        blocks: Vec<(u32, u32)>,
        /// What recomputes it.
        by: Arc<dyn Recompute>,
    },
}

impl Changes {
    /// How many blocks changed.
    #[must_use]
    pub const fn moved(&self) -> usize {
        match self {
            Self::Sum(changes) => changes.len(),
            Self::Recomputed { blocks, .. } => blocks.len(),
        }
    }

    /// (block, what is the same for blocks that are interchangeable in this cell).
    fn signature(&self) -> Box<dyn Iterator<Item = (u32, i64)> + '_> {
        match self {
            Self::Sum(changes) => Box::new(changes.iter().copied()),
            Self::Recomputed { blocks, .. } => Box::new(blocks.iter().map(|&(block, kind)| (block, kind.into()))),
        }
    }
}

/// One metric on one slice.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What changed.
    pub changes: Changes,
    /// The share of α that the cell receives; only ratios between cells matter.
    pub weight: f64,
    /// Whether the cell's verdict hangs on its p, so that more draws are spent while that p is close to α.
    pub decisive: bool,
}

/// Tests every cell for a loss, holding the family-wise error rate over all of them.
///
/// One ±1 is drawn per block and shared by all cells. A cell's statistic is Φ(T/S)/weight with `T` the sum of its
/// changes and `S` the root of the sum of their squares (which no flip alters); of a change that is recomputed, `T` is the
/// change and `S` its standard deviation over 1,000 flips of their own, which is the same thing. p-values are
/// `(1 + hits) / (1 + draws)` and so never 0. A family with one testable cell is solved exactly where that cell is a sum
/// and the lattice is small enough.
///
/// The result depends on the cells and the seed alone, not on the number of threads.
#[must_use]
pub fn test_family(cells: &[Cell], draws: Draws) -> FamilyTest {
    let mut result = FamilyTest::untested(cells.iter().map(|cell| cell.changes.moved()));
    let testable = result.testable();
    if testable.is_empty() {
        return result;
    }
    if let [only] = testable[..]
        && let Changes::Sum(changes) = &cells[only].changes
        && let Some(p) = exact_lower_tail(changes)
    {
        result.cells[only].p = Some(p);
        result.cells[only].p_adjusted = Some(p);
        return result;
    }
    let family = Family::new(cells, &testable, draws.seed);
    let decisive = |cell: usize| cells[cell].decisive;
    result.draw_until_clear(&family.order, draws, decisive, |range| family.draw(draws.seed, range));
    result
}

/// Sign bits in one word of the draw: which word, and which of its bits.
type WordMask = (u32, u64);

/// Draws that are made side by side, so that what describes a cell is read once for all of them.
const LANES: usize = 16;
type Lanes<T> = [T; LANES];

/// Whole numbers up to this are exact as floats, and so is any sum of them that stays below it.
const EXACT_AS_FLOAT: u64 = 1 << 53;

/// Reading a word of every draw, and counting its bits, costs about as much as this many terms of a sum.
const TERMS_PER_WORD: usize = 8;

/// How a cell's sum is made from the drawn signs; whichever is quicker. Each gives the exact sum.
enum Sum {
    /// (bundle, change): blocks with the same changes in the same cells only matter by how many of them flip.
    Bundles(Vec<(u32, f64)>),
    /// The same, with sums too large to be exact as floats.
    WideBundles(Vec<(u32, i64)>),
    /// Per distinct change: its value, how many blocks have it, and where their sign bits are.
    Masks(Vec<(i64, i64, Vec<WordMask>)>),
}

impl Sum {
    fn flipped(&self, drawn: &Drawn) -> Lanes<i64> {
        match self {
            Self::Bundles(terms) => weighted(terms, &drawn.bundles).map(|sum| sum as i64),
            Self::WideBundles(terms) => weighted(terms, &drawn.wide_bundles),
            Self::Masks(values) => {
                let mut sums = [0; LANES];
                for (change, count, words) in values {
                    let plus = ones(&drawn.bits, words);
                    for (sum, plus) in sums.iter_mut().zip(plus) {
                        *sum += change * (2 * i64::from(plus) - count);
                    }
                }
                sums
            }
        }
    }
}

/// Per draw Σ change × (blocks of the bundle that stay less those that flip).
fn weighted<T>(terms: &[(u32, T)], bundles: &[Lanes<T>]) -> Lanes<T>
where
    T: Copy + Default + std::ops::Mul<Output = T> + std::ops::AddAssign,
{
    let mut sums = [T::default(); LANES];
    for &(bundle, change) in terms {
        for (sum, stay) in sums.iter_mut().zip(&bundles[bundle as usize]) {
            *sum += change * *stay;
        }
    }
    sums
}

/// How many of these bits are set in each draw.
fn ones(bits: &[Lanes<u64>], words: &[WordMask]) -> Lanes<u32> {
    let mut counts = [0; LANES];
    for &(word, mask) in words {
        for (count, bits) in counts.iter_mut().zip(&bits[word as usize]) {
            *count += (bits & mask).count_ones();
        }
    }
    counts
}

/// What some draws came to, before it is told from cell to cell.
struct Drawn {
    /// The sign bits, word by word.
    bits: Vec<Lanes<u64>>,
    /// Of each bundle the blocks that stay less those that flip.
    bundles: Vec<Lanes<f64>>,
    /// The same, where a cell needs it.
    wide_bundles: Vec<Lanes<i64>>,
}

/// The blocks of one kind in a cell whose change is recomputed: how many there are, and where their sign bits are.
type KindMask = (u32, Vec<WordMask>);

/// What a draw makes of a cell.
enum Statistic {
    Sum { observed: i64, sum: Sum },
    Recomputed { observed: f64, kinds: Vec<KindMask>, by: Arc<dyn Recompute> },
}

/// The change under a draw; blocks whose bit is not set exchange their sides.
fn recomputed(kinds: &[KindMask], by: &dyn Recompute, bits: &[u64]) -> f64 {
    let exchanged: Vec<u32> = kinds
        .iter()
        .map(|(count, words)| {
            let stay: u32 = words.iter().map(|&(word, mask)| (bits[word as usize] & mask).count_ones()).sum();
            count - stay
        })
        .collect();
    let change = by.change(&exchanged);
    if change.is_nan() { 0.0 } else { change }
}

struct RankedCell {
    /// Root of the sum of squared changes, or the standard deviation of the change over flips.
    scale: f64,
    weight: f64,
    q: f64,
    statistic: Statistic,
}

impl RankedCell {
    fn q_of(&self, change: f64) -> f64 {
        normal_cdf(change / self.scale) / self.weight
    }

    /// Q under a draw, unless the change is above the observed one; `sum` and `bits` are those of the draw.
    fn drawn(&self, sum: i64, bits: &[u64]) -> Option<f64> {
        match &self.statistic {
            Statistic::Sum { observed, .. } => match sum.cmp(observed) {
                std::cmp::Ordering::Greater => None,
                std::cmp::Ordering::Equal => Some(self.q),
                std::cmp::Ordering::Less => Some(self.q_of(sum as f64)),
            },
            Statistic::Recomputed { observed, kinds, by } => {
                let change = recomputed(kinds, by.as_ref(), bits);
                let slack = TIE * (self.scale + observed.abs());
                if change > observed + slack {
                    None
                } else if change >= observed - slack {
                    Some(self.q)
                } else {
                    Some(self.q_of(change))
                }
            }
        }
    }
}

/// The family laid out for drawing. Sign bits are ordered so that equal blocks are neighbours.
struct Family {
    /// Original cell of each rank.
    order: Vec<usize>,
    ranked: Vec<RankedCell>,
    /// The observed Q of each rank.
    observed: Vec<f64>,
    /// Where the sign bits of each bundle of blocks that change alike are, and how many.
    bundles: Vec<(Vec<WordMask>, u32)>,
    words: usize,
    /// Whether some cell is a sum that is not exact as a float.
    needs_wide: bool,
    /// Whether some cell is recomputed from the bits of a draw.
    needs_bits: bool,
}

impl Family {
    fn new(cells: &[Cell], testable: &[usize], seed: u64) -> Self {
        // A block's signature: its change in every testable cell. Blocks of one signature are interchangeable.
        let mut signatures: std::collections::BTreeMap<u32, Vec<(u32, i64)>> = std::collections::BTreeMap::new();
        for &cell in testable {
            for (block, change) in cells[cell].changes.signature() {
                signatures.entry(block).or_default().push((cell as u32, change));
            }
        }
        let mut bundle_of: HashMap<&[(u32, i64)], usize> = HashMap::new();
        let mut members: Vec<(&[(u32, i64)], u32)> = Vec::new();
        for signature in signatures.values() {
            let next = members.len();
            let bundle = *bundle_of.entry(signature).or_insert(next);
            if bundle == next {
                members.push((signature, 0));
            }
            members[bundle].1 += 1;
        }
        let mut bundles = Vec::with_capacity(members.len());
        let mut terms: HashMap<u32, Vec<(u32, i64)>> = HashMap::new();
        let mut next_bit = 0;
        for (bundle, (signature, count)) in members.iter().enumerate() {
            bundles.push(next_bit..next_bit + count);
            next_bit += count;
            for &(cell, change) in *signature {
                terms.entry(cell).or_default().push((bundle as u32, change));
            }
        }

        let words = next_bit.div_ceil(64) as usize;
        let mut ranked: Vec<(usize, RankedCell)> = testable
            .iter()
            .map(|&index| {
                let terms = terms.remove(&(index as u32)).unwrap_or_default();
                (index, ranked_cell(&cells[index], terms, &bundles, words, seed))
            })
            .collect();
        ranked.sort_by(|(i, a), (j, b)| a.q.total_cmp(&b.q).then(i.cmp(j)));
        let any = |wanted: fn(&Statistic) -> bool| ranked.iter().any(|(_, cell)| wanted(&cell.statistic));
        let needs_wide = any(|statistic| matches!(statistic, Statistic::Sum { sum: Sum::WideBundles(_), .. }));
        let needs_bits = any(|statistic| matches!(statistic, Statistic::Recomputed { .. }));
        let (order, ranked): (_, Vec<RankedCell>) = ranked.into_iter().unzip();
        let observed = ranked.iter().map(|cell| cell.q).collect();
        let bundles = bundles.into_iter().map(|range| (word_masks(&range), range.end - range.start)).collect();
        Self { order, ranked, observed, bundles, words, needs_wide, needs_bits }
    }

    fn draw(&self, seed: u64, indices: std::ops::Range<u64>) -> Hits {
        let mut counter = Counter::new(&self.observed);
        let mut drawn = Drawn {
            bits: vec![[0; LANES]; self.words],
            bundles: vec![[0.0; LANES]; self.bundles.len()],
            wide_bundles: vec![[0; LANES]; if self.needs_wide { self.bundles.len() } else { 0 }],
        };
        let mut sums = vec![[0; LANES]; self.ranked.len()];
        let mut bits: Vec<u64> = Vec::new();
        for first in indices.clone().step_by(LANES) {
            let count = (indices.end - first).min(LANES as u64);
            for lane in 0..count {
                let mut stream = rng::stream(seed, first + lane);
                for word in &mut drawn.bits {
                    word[lane as usize] = stream.next_u64();
                }
            }
            self.add_up(&mut drawn, &mut sums);
            for lane in 0..count {
                if self.needs_bits {
                    bits.clear();
                    bits.extend(drawn.bits.iter().map(|word| word[lane as usize]));
                }
                for (rank, (cell, sums)) in self.ranked.iter().zip(&sums).enumerate() {
                    if let Some(q) = cell.drawn(sums[lane as usize], &bits) {
                        counter.reached(first + lane, rank, q);
                    }
                }
            }
        }
        counter.hits()
    }

    /// From the bits of some draws the sums of the bundles, and from these the sums of the cells.
    fn add_up(&self, drawn: &mut Drawn, sums: &mut [Lanes<i64>]) {
        for ((words, count), stay) in self.bundles.iter().zip(&mut drawn.bundles) {
            if let ([(word, mask)], 1) = (&words[..], count) {
                // One block: 1 where its bit is set, else -1.
                *stay = drawn.bits[*word as usize].map(|bits| if bits & mask == 0 { -1.0 } else { 1.0 });
            } else {
                *stay = ones(&drawn.bits, words).map(|plus| 2.0 * f64::from(plus) - f64::from(*count));
            }
        }
        for (wide, stay) in drawn.wide_bundles.iter_mut().zip(&drawn.bundles) {
            *wide = stay.map(|stay| stay as i64);
        }
        for (cell, sums) in self.ranked.iter().zip(sums) {
            if let Statistic::Sum { sum, .. } = &cell.statistic {
                *sums = sum.flipped(drawn);
            }
        }
    }
}

/// The words, and their bits, that a range of positions covers.
fn word_masks(range: &std::ops::Range<u32>) -> Vec<WordMask> {
    let (first, last) = (range.start / 64, (range.end - 1) / 64);
    (first..=last)
        .map(|word| {
            let from = if word == first { u64::MAX << (range.start % 64) } else { u64::MAX };
            let until = if word == last { u64::MAX >> (63 - (range.end - 1) % 64) } else { u64::MAX };
            (word, from & until)
        })
        .collect()
}

fn ranked_cell(
    cell: &Cell,
    terms: Vec<(u32, i64)>,
    bundles: &[std::ops::Range<u32>],
    words: usize,
    seed: u64,
) -> RankedCell {
    let weight = cell.weight;
    let (scale, change, statistic) = match &cell.changes {
        Changes::Sum(changes) => {
            let observed: i64 = changes.iter().map(|&(_, change)| change).sum();
            let squares: f64 = changes.iter().map(|&(_, change)| (change as f64) * (change as f64)).sum();
            (squares.sqrt(), observed as f64, Statistic::Sum { observed, sum: cheapest_sum(terms, bundles) })
        }
        Changes::Recomputed { by, .. } => {
            let masks = masks(&terms, bundles);
            let mut kinds: Vec<KindMask> =
                vec![(0, Vec::new()); masks.keys().next_back().map_or(0, |k| *k as usize + 1)];
            for (kind, (count, words)) in masks {
                kinds[kind as usize] = (count as u32, words.into_iter().collect());
            }
            let observed = recomputed(&kinds, by.as_ref(), &vec![u64::MAX; words]);
            let spread = spread(&kinds, by.as_ref(), words, seed);
            (spread, observed, Statistic::Recomputed { observed, kinds, by: Arc::clone(by) })
        }
    };
    let q = normal_cdf(change / scale) / weight;
    RankedCell { scale, weight, q, statistic }
}

/// The standard deviation of a change over flips: its mean is 0, since flipping all blocks only turns the sign.
///
/// It depends on the two sides of each block but not on which of them is the head's, so that every flip of the data has
/// the same one.
fn spread(kinds: &[KindMask], by: &dyn Recompute, words: usize, seed: u64) -> f64 {
    let changes: Vec<f64> = (0..SPREAD_DRAWS)
        .into_par_iter()
        .map(|index| {
            // Other streams than those of the test.
            let mut stream = rng::stream(!seed, index);
            let bits: Vec<u64> = (0..words).map(|_| stream.next_u64()).collect();
            recomputed(kinds, by, &bits)
        })
        .collect();
    let finite = changes.iter().filter(|change| change.is_finite());
    let squares: f64 = finite.clone().map(|change| change * change).sum();
    let spread = (squares / finite.count().max(1) as f64).sqrt();
    if spread > 0.0 { spread } else { 1.0 }
}

/// Per distinct number: how many blocks have it, and where their sign bits are.
fn masks(
    terms: &[(u32, i64)],
    bundles: &[std::ops::Range<u32>],
) -> std::collections::BTreeMap<i64, (i64, std::collections::BTreeMap<u32, u64>)> {
    let mut masks: std::collections::BTreeMap<i64, (i64, std::collections::BTreeMap<u32, u64>)> =
        std::collections::BTreeMap::new();
    for &(bundle, number) in terms {
        let range = &bundles[bundle as usize];
        let (count, words) = masks.entry(number).or_default();
        *count += i64::from(range.end - range.start);
        for bit in range.clone() {
            *words.entry(bit / 64).or_default() |= 1 << (bit % 64);
        }
    }
    masks
}

fn cheapest_sum(terms: Vec<(u32, i64)>, bundles: &[std::ops::Range<u32>]) -> Sum {
    let masks = masks(&terms, bundles);
    let reads: usize = masks.values().map(|(_, words)| words.len()).sum();
    if reads.saturating_mul(TERMS_PER_WORD) < terms.len() {
        let values = masks.into_iter().map(|(change, (count, words))| (change, count, words.into_iter().collect()));
        return Sum::Masks(values.collect());
    }
    let blocks = |bundle: u32| u64::from(bundles[bundle as usize].end - bundles[bundle as usize].start);
    let most = terms
        .iter()
        .try_fold(0_u64, |sum, &(bundle, change)| sum.checked_add(change.unsigned_abs().checked_mul(blocks(bundle))?));
    if most.is_some_and(|most| most <= EXACT_AS_FLOAT) {
        Sum::Bundles(terms.into_iter().map(|(bundle, change)| (bundle, change as f64)).collect())
    } else {
        Sum::WideBundles(terms)
    }
}

/// P(Σ ±change ≤ Σ change) over all 2ᵐ sign patterns, by convolution on the lattice of sums; `None` when the lattice is
/// too wide to be worth it.
fn exact_lower_tail(changes: &[(u32, i64)]) -> Option<f64> {
    let divisor =
        changes.iter().fold(0_u64, |divisor, &(_, change)| greatest_common_divisor(divisor, change.unsigned_abs()));
    let steps: Vec<u64> = changes.iter().map(|&(_, change)| change.unsigned_abs() / divisor).collect();
    let width: u64 = steps.iter().try_fold(0_u64, |sum, &step| sum.checked_add(step))?;
    if width.checked_mul(steps.len() as u64)? > MOST_CONVOLUTION_STEPS {
        return None;
    }
    // weight[k]: probability that the steps with a plus sign add up to k; the signed sum is then 2k - width.
    let mut weight = vec![0.0_f64; width as usize + 1];
    weight[0] = 1.0;
    let mut reach = 0;
    for &step in &steps {
        let step = step as usize;
        reach += step;
        for k in (0..=reach).rev() {
            let plus = if k >= step { weight[k - step] } else { 0.0 };
            weight[k] = f64::midpoint(weight[k], plus);
        }
    }
    let observed: i64 = changes.iter().map(|&(_, change)| change).sum::<i64>() / divisor as i64;
    let top = usize::try_from(i64::midpoint(observed, width as i64)).ok()?;
    Some(p_value(weight[..=top].iter().sum()))
}

#[cfg(test)]
mod tests;
