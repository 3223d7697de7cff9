//! Two sides of a corpus, block by block: resampled, or with some blocks' sides exchanged.

use std::collections::HashMap;

use super::{Corpus, Entries, merged};
use crate::stats::binomial;
use crate::stats::error::{Result, at_least};
use crate::stats::replicates::Replicates;
use crate::stats::resample::{Resampling, replicated};
use crate::stats::rng::index_below;
use crate::stats::sign_flip::Recompute;

/// Entries whose numbers are compared bit by bit.
type Bits = Vec<(u32, u64)>;

/// A binomial draw costs about as much as this many drawn indices.
const INDICES_PER_BINOMIAL: usize = 16;

/// Replicates without a value are left out, up to this share of them; beyond it there is no interval.
const MOST_UNDEFINED: f64 = 0.1;

/// What a block (an item, or a group of items that stand or fall together) adds on either side.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its number, by which other cells know it.
    pub number: u32,
    /// What it adds on the baseline's side.
    pub baseline: Entries,
    /// What it adds on the head's side.
    pub head: Entries,
}

/// Blocks that add the same.
#[derive(Debug, Clone, PartialEq)]
struct Kind {
    baseline: Entries,
    head: Entries,
    count: u64,
}

/// A measure of two sides over the same blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedCorpus<C> {
    corpus: C,
    /// 1 or −1 over the width of the scale: what turns a difference into a change for the better on a 0..1 scale.
    unit: f64,
    baseline: Vec<f64>,
    head: Vec<f64>,
    kinds: Vec<Kind>,
    /// The kind of each block.
    kind_of: Vec<u32>,
    /// (number, kind of exchange) of the blocks that add something else on either side.
    moved: Vec<(u32, u32)>,
    /// What exchanging the sides of a block takes from the head's totals and adds to the baseline's, by kind of exchange.
    exchanges: Vec<Entries>,
}

/// Bootstrap replicates of both sides and of the change; each is absent where too few have a value, or none differ.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusReplicates {
    /// Of the baseline's estimate.
    pub baseline: Option<Replicates>,
    /// Of the head's estimate.
    pub head: Option<Replicates>,
    /// Of the change for the better on a 0..1 scale, with the pseudo pair.
    pub change: Option<Replicates>,
}

fn bits(entries: &Entries) -> Vec<(u32, u64)> {
    entries.iter().map(|&(place, amount)| (place, amount.to_bits())).collect()
}

fn add(totals: &mut [f64], entries: &Entries, times: f64) {
    for &(place, amount) in entries {
        totals[place as usize] += times * amount;
    }
}

impl<C: Corpus> PairedCorpus<C> {
    /// Lays out blocks, ascending by number. `unit` turns head − baseline into a change for the better on a 0..1 scale.
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] without blocks.
    pub fn new(corpus: C, blocks: Vec<Block>, unit: f64) -> Result<Self> {
        at_least("blocks", 1, blocks.len())?;
        let width = corpus.width();
        let (mut baseline, mut head) = (vec![0.0; width], vec![0.0; width]);
        let mut kinds: Vec<Kind> = Vec::new();
        let mut exchange_of: Vec<Option<u32>> = Vec::new();
        let mut exchanges: Vec<Entries> = Vec::new();
        let mut known: HashMap<(Bits, Bits), u32> = HashMap::new();
        let mut kind_of = Vec::with_capacity(blocks.len());
        let mut moved = Vec::new();
        for block in blocks {
            let (b, h) = (merged(block.baseline), merged(block.head));
            add(&mut baseline, &b, 1.0);
            add(&mut head, &h, 1.0);
            let next = kinds.len() as u32;
            let kind = *known.entry((bits(&b), bits(&h))).or_insert(next);
            if kind == next {
                let exchange = merged(h.iter().copied().chain(b.iter().map(|&(at, x)| (at, -x))).collect());
                exchange_of.push((!exchange.is_empty()).then_some(exchanges.len() as u32));
                exchanges.extend((!exchange.is_empty()).then_some(exchange));
                kinds.push(Kind { baseline: b, head: h, count: 0 });
            }
            kinds[kind as usize].count += 1;
            kind_of.push(kind);
            moved.extend(exchange_of[kind as usize].map(|exchange| (block.number, exchange)));
        }
        Ok(Self { corpus, unit, baseline, head, kinds, kind_of, moved, exchanges })
    }

    /// Number of blocks.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.kind_of.len()
    }

    /// The baseline's estimate, where it has one.
    #[must_use]
    pub fn baseline(&self) -> Option<f64> {
        defined(self.corpus.estimate(&self.baseline))
    }

    /// The head's estimate, where it has one.
    #[must_use]
    pub fn head(&self) -> Option<f64> {
        defined(self.corpus.estimate(&self.head))
    }

    /// The change for the better on a 0..1 scale.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        Some(self.unit * (self.head()? - self.baseline()?))
    }

    /// (block, kind of exchange) of the blocks that add something else on either side, ascending by block.
    #[must_use]
    pub fn moved(&self) -> &[(u32, u32)] {
        &self.moved
    }

    /// The paired bootstrap: whole blocks are drawn with replacement, both sides together, and both estimates are
    /// recomputed.
    ///
    /// The change also gets a pseudo pair: two further blocks that each resample draws like any other, of which one
    /// adds the largest effect of a single item over √`trials` and the other takes it away. Without it, "no change in
    /// 20 items" would have an interval of zero width.
    ///
    /// # Errors
    /// [`crate::stats::StatError::TooFew`] below two blocks or 100 resamples.
    pub fn bootstrap(&self, resampling: Resampling, trials: u32) -> Result<CorpusReplicates> {
        at_least("blocks", 2, self.blocks())?;
        let resampling = resampling.checked()?;
        let step = |totals: &[f64]| self.corpus.largest_step(totals);
        let largest = step(&self.baseline).max(step(&self.head));
        let pseudo = self.unit.abs() * largest / f64::from(trials.max(1)).sqrt();
        let (blocks, width) = (self.blocks() as u64, self.corpus.width());
        let scratch = || (vec![0_u64; self.kinds.len()], vec![0.0; width], vec![0.0; width]);
        let draws = replicated(resampling, scratch, |(counts, baseline, head), rng| {
            counts.fill(0);
            if self.kinds.len() * INDICES_PER_BINOMIAL <= self.blocks() {
                let (mut left, mut of) = (blocks, blocks);
                for (count, kind) in counts.iter_mut().zip(&self.kinds) {
                    *count = binomial::draw(left, kind.count as f64 / of as f64, rng);
                    left -= *count;
                    of -= kind.count;
                }
            } else {
                for _ in 0..blocks {
                    counts[self.kind_of[index_below(self.blocks(), rng)] as usize] += 1;
                }
            }
            baseline.fill(0.0);
            head.fill(0.0);
            for (&count, kind) in counts.iter().zip(&self.kinds).filter(|(count, _)| **count > 0) {
                add(baseline, &kind.baseline, count as f64);
                add(head, &kind.head, count as f64);
            }
            let share = 1.0 / (blocks + 2) as f64;
            let (up, down) = (binomial::draw(blocks + 2, share, rng), binomial::draw(blocks + 2, share, rng));
            let (b, h) = (self.corpus.estimate(baseline), self.corpus.estimate(head));
            (b, h, self.unit * (h - b) + pseudo * (up as f64 - down as f64))
        });
        let of = |estimate: Option<f64>, values: Vec<f64>| replicates(estimate, values);
        Ok(CorpusReplicates {
            baseline: of(self.baseline(), draws.iter().map(|draw| draw.0).collect()),
            head: of(self.head(), draws.iter().map(|draw| draw.1).collect()),
            change: of(self.change(), draws.iter().map(|draw| draw.2).collect()),
        })
    }
}

fn defined(estimate: f64) -> Option<f64> {
    estimate.is_finite().then_some(estimate)
}

fn replicates(estimate: Option<f64>, mut values: Vec<f64>) -> Option<Replicates> {
    let all = values.len() as f64;
    values.retain(|value| value.is_finite());
    if (all - values.len() as f64) > MOST_UNDEFINED * all {
        return None;
    }
    Replicates::new(estimate?, values).ok()
}

impl<C: Corpus> Recompute for PairedCorpus<C> {
    fn change(&self, exchanged: &[u32]) -> f64 {
        let (mut baseline, mut head) = (self.baseline.clone(), self.head.clone());
        for (&count, exchange) in exchanged.iter().zip(&self.exchanges).filter(|(count, _)| **count > 0) {
            add(&mut baseline, exchange, f64::from(count));
            add(&mut head, exchange, -f64::from(count));
        }
        self.unit * (self.corpus.estimate(&head) - self.corpus.estimate(&baseline))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LabelScore, Measure};
    use super::*;
    use crate::stats::Alpha;
    use crate::stats::rng::{stream, uniform};

    const MACRO_F1: Measure = Measure::Labels { score: LabelScore::MacroF1, classes: 3 };

    /// 200 items of three classes; the baseline is right on 80 %, the head on `share`.
    fn two_sides(seed: u64, share: f64) -> Vec<Block> {
        let mut rng = stream(seed, 0);
        (0..200_u32)
            .map(|number| {
                let right = number % 3;
                let mut side = |share: f64| {
                    let said = if uniform(&mut rng) < share { right } else { (right + 1) % 3 };
                    Measure::label(3, right, Some(said), 1.0)
                };
                Block { number, baseline: side(0.8), head: side(share) }
            })
            .collect()
    }

    /// The estimate with the sides of some blocks exchanged, from the blocks themselves.
    fn by_hand(blocks: &[Block], exchanged: impl Fn(u32) -> bool) -> f64 {
        let swap = |block: &Block| {
            let Block { number, baseline, head } = block.clone();
            if exchanged(number) { Block { number, baseline: head, head: baseline } } else { block.clone() }
        };
        let swapped = PairedCorpus::new(MACRO_F1, blocks.iter().map(swap).collect(), 1.0).unwrap();
        swapped.change().unwrap()
    }

    #[test]
    fn exchanging_sides_is_recomputed_from_kinds() {
        let blocks = two_sides(1, 0.6);
        let paired = PairedCorpus::new(MACRO_F1, blocks.clone(), 1.0).unwrap();
        for modulus in 1..7 {
            let mut counts = vec![0; paired.exchanges.len()];
            for &(block, kind) in paired.moved() {
                counts[kind as usize] += u32::from(block % modulus == 0);
            }
            let expected = by_hand(&blocks, |block| block % modulus == 0);
            assert!((Recompute::change(&paired, &counts) - expected).abs() < 1e-12);
        }
        let all: Vec<u32> = (0..paired.exchanges.len() as u32)
            .map(|kind| paired.moved().iter().filter(|(_, k)| *k == kind).count() as u32)
            .collect();
        assert_eq!(Recompute::change(&paired, &all), -paired.change().unwrap());
    }

    #[test]
    fn a_share_has_the_interval_of_a_mean() {
        // Micro-F1 with one label an item is the accuracy, whose paired bootstrap is that of a mean.
        let measure = Measure::Labels { score: LabelScore::MicroF1, classes: 3 };
        let paired = PairedCorpus::new(measure, two_sides(2, 0.7), 1.0).unwrap();
        let replicates = paired.bootstrap(Resampling { replicates: 20_000, seed: 1 }, 1).unwrap();
        let changes: Vec<f64> = {
            let right = |entries: &Entries| f64::from(u8::from(entries.iter().any(|(place, _)| *place < 3)));
            two_sides(2, 0.7).iter().map(|block| right(&block.head) - right(&block.baseline)).collect()
        };
        let mut moments = crate::stats::BlockMoments::default();
        for &change in &changes {
            moments.push(change, 1.0);
        }
        let change = replicates.change.unwrap();
        assert!((change.estimate() - moments.mean().unwrap()).abs() < 1e-12);
        let expected = moments.with_pseudo_pair(1.0).standard_error().unwrap();
        assert!((change.standard_error() / expected - 1.0).abs() < 0.03, "{} {expected}", change.standard_error());
    }

    #[test]
    fn few_and_many_kinds_have_one_distribution() {
        let blocks = two_sides(3, 0.7);
        let few = PairedCorpus::new(MACRO_F1, blocks.clone(), 1.0).unwrap();
        // Amounts that differ in their last digits make every block a kind of its own.
        let apart = |(number, block): (usize, Block)| {
            let nudge = |entries: Entries| {
                entries.into_iter().map(|(place, x)| (place, x * (number as f64).mul_add(1e-13, 1.0))).collect()
            };
            Block { number: block.number, baseline: nudge(block.baseline), head: nudge(block.head) }
        };
        let many = PairedCorpus::new(MACRO_F1, blocks.into_iter().enumerate().map(apart).collect(), 1.0).unwrap();
        assert!(few.kinds.len() * INDICES_PER_BINOMIAL <= 200 && many.kinds.len() == 200);
        let resampling = Resampling { replicates: 20_000, seed: 1 };
        let (few, many) = (few.bootstrap(resampling, 1).unwrap(), many.bootstrap(resampling, 1).unwrap());
        for (a, b) in [(few.head, many.head), (few.change, many.change)] {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a.standard_error() / b.standard_error() - 1.0).abs() < 0.03);
            let (a, b) = (a.percentile(Alpha::FIVE_PERCENT).unwrap(), b.percentile(Alpha::FIVE_PERCENT).unwrap());
            assert!((a.low - b.low).abs() < 0.05 * a.width() && (a.high - b.high).abs() < 0.05 * a.width());
        }
    }

    #[test]
    fn nothing_that_changed_has_an_interval_of_some_width() {
        let same: Vec<Block> =
            two_sides(4, 0.8).into_iter().map(|block| Block { head: block.baseline.clone(), ..block }).collect();
        let paired = PairedCorpus::new(MACRO_F1, same, 1.0).unwrap();
        assert!(paired.moved().is_empty());
        let replicates = paired.bootstrap(Resampling { replicates: 2000, seed: 1 }, 1).unwrap();
        let interval = replicates.change.unwrap().percentile(Alpha::FIVE_PERCENT).unwrap();
        assert!(interval.low < -0.01 && interval.high > 0.01, "{interval:?}");
    }

    #[test]
    fn a_perfect_side_has_no_interval_and_an_undefined_one_no_estimate() {
        let right = |number: u32| Measure::label(3, number % 2, Some(number % 2), 1.0);
        let blocks: Vec<Block> =
            (0..20).map(|number| Block { number, baseline: right(number), head: right(number) }).collect();
        let paired = PairedCorpus::new(MACRO_F1, blocks.clone(), 1.0).unwrap();
        let replicates = paired.bootstrap(Resampling { replicates: 2000, seed: 1 }, 1).unwrap();
        assert!(replicates.head.is_none_or(|head| head.percentile(Alpha::FIVE_PERCENT).is_err()));
        let recall = Measure::Labels { score: LabelScore::Recall(2), classes: 3 };
        let paired = PairedCorpus::new(recall, blocks, 1.0).unwrap();
        assert_eq!((paired.baseline(), paired.change()), (None, None));
        let replicates = paired.bootstrap(Resampling { replicates: 2000, seed: 1 }, 1).unwrap();
        assert!(replicates.change.is_none());
    }

    #[test]
    fn threads_change_no_bit() {
        let paired = PairedCorpus::new(MACRO_F1, two_sides(5, 0.7), 1.0).unwrap();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| paired.bootstrap(Resampling { replicates: 500, seed: 3 }, 1).unwrap())
        };
        assert_eq!(run(1), run(4));
    }
}
