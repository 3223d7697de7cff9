//! Permutation of trial labels within blocks, for sides with different numbers of trials: Westfall–Young step-down minP.
//!
//! The mean of one trial against the mean of five is skewed for every example that passes sometimes, so swapping the two
//! sides changes more than the sign, and sign flips are no symmetry. What is one, when both systems are the same, is which
//! of an example's trials were the baseline's: each draw deals the trials of every block out anew, the same for all cells.
//! Examples of one block that share the noise of a trial are dealt out together.
//!
//! Alone this answers "did anything change on exactly these examples": it grows certain from a system that repeats itself,
//! however neutral its change. So a cell needs both this and the sign flips ([`super::sign_flip`]).
//!
//! Source: Westfall & Young 1993; Pitman 1937 for the permutation test.

use std::collections::{BTreeMap, HashMap};

use super::rng::{self, Stream, index_below};
use super::special::normal_cdf;
use super::step_down::{Counter, Draws, FamilyTest, Hits};

/// A draw here costs a random number a block, where a sign costs a bit.
const MOST_DRAWS: u32 = 100_000;

/// Changes are equal that differ by less than this share: the same values added up in another order.
const TIE: f64 = 1e-12;

/// Other streams than those of the sign flips.
const STREAMS: u64 = 0x9D1E_57A7_3C05_B62F;

/// Trials of the examples that a cell has of one block, and that have equally many of them.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockTrials {
    /// The block.
    pub block: u32,
    /// Of each trial of the baseline: the sum of the examples' values, positive is better. At least one.
    pub baseline: Vec<f64>,
    /// Likewise of the head.
    pub head: Vec<f64>,
}

impl BlockTrials {
    /// Whether dealing them out anew can change anything.
    fn can_move(&self) -> bool {
        self.baseline.iter().chain(&self.head).any(|value| value != &self.baseline[0])
    }
}

/// One metric on one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The trials, ascending by block.
    pub trials: Vec<BlockTrials>,
    /// The share of α that the cell receives; only ratios between cells matter.
    pub weight: f64,
    /// Whether the cell's verdict hangs on its p, so that more draws are spent while that p is close to α.
    pub decisive: bool,
}

impl Cell {
    fn moved(&self) -> usize {
        let mut blocks: Vec<u32> = self.trials.iter().filter(|trials| trials.can_move()).map(|t| t.block).collect();
        blocks.dedup();
        blocks.len()
    }
}

/// Tests every cell for a loss, holding the family-wise error rate over all of them.
///
/// A cell's change T is the sum over its blocks of the mean of the head's trials less that of the baseline's; its
/// statistic is Φ(T/S)/weight, with S² the sum of the blocks' permutation variances, s²(1/k + 1/k′), which no deal alters.
/// p-values are `(1 + hits) / (1 + draws)` and so never 0.
///
/// The result depends on the cells and the seed alone, not on the number of threads.
#[must_use]
pub fn test_family(cells: &[Cell], draws: Draws) -> FamilyTest {
    let mut result = FamilyTest::untested(cells.iter().map(Cell::moved));
    let testable = result.testable();
    if testable.is_empty() {
        return result;
    }
    let family = Family::new(cells, &testable);
    let draws = Draws { cap: draws.cap.min(MOST_DRAWS), ..draws };
    let decisive = |cell: usize| cells[cell].decisive;
    result.draw_until_clear(&family.order, draws, decisive, |range| family.draw(draws.seed ^ STREAMS, range));
    result
}

/// A block as it is dealt out: its slots are the baseline's trials, then the head's.
struct Dealt {
    baseline: usize,
    head: usize,
    /// Whether some of its parts have fewer trials than others.
    ragged: bool,
    parts: std::ops::Range<usize>,
}

/// What some cells have of a block.
struct Part {
    values: Vec<f64>,
    baseline: usize,
    total: f64,
}

impl Part {
    fn of(trials: &BlockTrials) -> Self {
        let values: Vec<f64> = trials.baseline.iter().chain(&trials.head).copied().collect();
        Self { baseline: trials.baseline.len(), total: values.iter().sum(), values }
    }

    const fn head(&self) -> usize {
        self.values.len() - self.baseline
    }

    /// The change when these values are the baseline's.
    fn change(&self, sum_of_baseline: f64) -> f64 {
        (self.total - sum_of_baseline) / self.head() as f64 - sum_of_baseline / self.baseline as f64
    }

    /// The variance of the change over all ways to deal its values out.
    fn variance(&self) -> f64 {
        let count = self.values.len() as f64;
        let mean = self.total / count;
        let squares: f64 = self.values.iter().map(|value| (value - mean) * (value - mean)).sum();
        squares / (count - 1.0) * (1.0 / self.baseline as f64 + 1.0 / self.head() as f64)
    }
}

struct RankedCell {
    parts: Vec<u32>,
    change: f64,
    spread: f64,
    weight: f64,
}

impl RankedCell {
    fn q_of(&self, change: f64) -> f64 {
        normal_cdf(change / self.spread) / self.weight
    }
}

/// The family laid out for drawing.
struct Family {
    order: Vec<usize>,
    ranked: Vec<RankedCell>,
    /// The observed Q of each rank.
    observed: Vec<f64>,
    blocks: Vec<Dealt>,
    parts: Vec<Part>,
}

impl Family {
    fn new(cells: &[Cell], testable: &[usize]) -> Self {
        let mut blocks: BTreeMap<u32, Vec<(usize, &BlockTrials)>> = BTreeMap::new();
        for &cell in testable {
            for trials in cells[cell].trials.iter().filter(|trials| trials.can_move()) {
                blocks.entry(trials.block).or_default().push((cell, trials));
            }
        }
        let mut family =
            Self { order: Vec::new(), ranked: Vec::new(), observed: Vec::new(), blocks: Vec::new(), parts: Vec::new() };
        let mut parts_of: HashMap<usize, Vec<u32>> = HashMap::new();
        for of_block in blocks.into_values() {
            // An example stands in several cells: what they share is dealt out once.
            let mut known: HashMap<(usize, Vec<u64>), u32> = HashMap::new();
            let first = family.parts.len();
            for (cell, trials) in of_block {
                let bits = trials.baseline.iter().chain(&trials.head).map(|value| value.to_bits()).collect();
                let part = *known.entry((trials.baseline.len(), bits)).or_insert_with(|| {
                    family.parts.push(Part::of(trials));
                    family.parts.len() as u32 - 1
                });
                parts_of.entry(cell).or_default().push(part);
            }
            let parts = first..family.parts.len();
            let most = |count: fn(&Part) -> usize| family.parts[parts.clone()].iter().map(count).max().unwrap_or(0);
            let (baseline, head) = (most(|part| part.baseline), most(Part::head));
            let ragged =
                family.parts[parts.clone()].iter().any(|part| (part.baseline, part.head()) != (baseline, head));
            family.blocks.push(Dealt { baseline, head, ragged, parts });
        }
        let observed_change = |part: &Part| part.change(part.values[..part.baseline].iter().sum());
        let mut ranked: Vec<(usize, f64, RankedCell)> = testable
            .iter()
            .map(|&index| {
                let parts = parts_of.remove(&index).unwrap_or_default();
                let of = |what: &dyn Fn(&Part) -> f64| parts.iter().map(|&p| what(&family.parts[p as usize])).sum();
                let (change, variance): (f64, f64) = (of(&observed_change), of(&Part::variance));
                let cell = RankedCell { parts, change, spread: variance.sqrt(), weight: cells[index].weight };
                (index, cell.q_of(cell.change), cell)
            })
            .collect();
        ranked.sort_by(|(i, a, _), (j, b, _)| a.total_cmp(b).then(i.cmp(j)));
        for (index, q, cell) in ranked {
            family.order.push(index);
            family.observed.push(q);
            family.ranked.push(cell);
        }
        family
    }

    fn draw(&self, seed: u64, indices: std::ops::Range<u64>) -> Hits {
        let mut counter = Counter::new(&self.observed);
        let mut changes = vec![0.0; self.parts.len()];
        let mut slots: Vec<usize> = Vec::new();
        for index in indices {
            let mut stream = rng::stream(seed, index);
            for block in &self.blocks {
                let parts = block.parts.clone();
                self.deal(block, &mut stream, &mut slots, &mut changes[parts]);
            }
            for (rank, cell) in self.ranked.iter().enumerate() {
                let change: f64 = cell.parts.iter().map(|&part| changes[part as usize]).sum();
                let slack = TIE * (cell.spread + cell.change.abs());
                if change <= cell.change + slack {
                    let tied = change >= cell.change - slack;
                    counter.reached(index, rank, if tied { self.observed[rank] } else { cell.q_of(change) });
                }
            }
        }
        counter.hits()
    }

    /// Deals the trials of a block out, and fills in the change of each of its parts.
    fn deal(&self, block: &Dealt, stream: &mut Stream, slots: &mut Vec<usize>, changes: &mut [f64]) {
        let all = block.baseline + block.head;
        slots.clear();
        slots.extend(0..all);
        // Only the smaller side needs to be drawn, unless a part has to pick its own slots from the whole order.
        let smaller = block.baseline.min(block.head);
        for slot in 0..if block.ragged { all - 1 } else { smaller } {
            let other = slot + index_below(all - slot, stream);
            slots.swap(slot, other);
        }
        for (part, change) in self.parts[block.parts.clone()].iter().zip(changes) {
            let sum_of_baseline: f64 = if block.ragged {
                // Slots that the part lacks are passed over.
                let own = slots.iter().filter_map(|&slot| {
                    if slot < block.baseline {
                        (slot < part.baseline).then(|| part.values[slot])
                    } else {
                        let trial = slot - block.baseline;
                        (trial < part.head()).then(|| part.values[part.baseline + trial])
                    }
                });
                own.take(part.baseline).sum()
            } else {
                let drawn: f64 = slots[..smaller].iter().map(|&slot| part.values[slot]).sum();
                if block.baseline <= block.head { drawn } else { part.total - drawn }
            };
            *change = part.change(sum_of_baseline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::uniform;

    fn trials(block: u32, baseline: &[f64], head: &[f64]) -> BlockTrials {
        BlockTrials { block, baseline: baseline.to_vec(), head: head.to_vec() }
    }

    fn cell(trials: Vec<BlockTrials>) -> Cell {
        Cell { trials, weight: 1.0, decisive: true }
    }

    fn draws() -> Draws {
        Draws { cap: 20_000, step: 20_000, ..Draws::new(1, 0.05) }
    }

    #[test]
    fn a_broken_example_has_the_chance_of_its_deal() {
        // Six blocks with one pass among six trials, the baseline's: each deal has it there with probability 1/6.
        let cells = [cell((0..6).map(|block| trials(block, &[1.0], &[0.0; 5])).collect())];
        let tested = test_family(&cells, draws());
        assert_eq!((tested.cells[0].moved, tested.cells[0].p), (6, tested.cells[0].p_adjusted));
        assert!(tested.cells[0].p.unwrap() < 5e-4);
        // Five of seven: P(Binomial(7, 1/6) >= 5) = .00200.
        let of_seven = |block| match block {
            0..5 => trials(block, &[1.0], &[0.0; 5]),
            _ => trials(block, &[0.0], &[1.0, 0.0, 0.0, 0.0, 0.0]),
        };
        let p = test_family(&[cell((0..7).map(of_seven).collect())], draws()).cells[0].p.unwrap();
        assert!((p - 0.002_0).abs() < 0.0012, "{p}");
    }

    #[test]
    fn too_few_blocks_that_can_move_are_untestable() {
        let some = |count: u32| (0..20).map(move |b| trials(b, &[1.0], &[f64::from(u8::from(b >= count)); 2]));
        let tested = test_family(&[cell(some(4).collect()), cell(some(5).collect())], draws());
        assert_eq!((tested.cells[0].moved, tested.cells[0].p_adjusted), (4, None));
        assert!(tested.cells[1].p_adjusted.is_some());
    }

    /// Sixty examples in groups of three that share the noise of a trial, under two slices that overlap.
    fn family(seed: u64, ragged: bool) -> Vec<Cell> {
        let mut stream = rng::stream(seed, 0);
        let mut cells = [Vec::new(), Vec::new()];
        for block in 0..20_u32 {
            let mut draw = |count: usize| -> Vec<f64> {
                (0..count).map(|_| f64::from(u8::from(uniform(&mut stream) < 0.7)) * 3.0).collect()
            };
            let (baseline, head, fewer, more) = (draw(1), draw(4), draw(2), draw(3));
            cells[0].push(trials(block, &baseline, &head));
            if ragged {
                cells[0].push(trials(block, &fewer, &more));
            }
            if block % 2 == 0 {
                cells[1].push(trials(block, &baseline, &head));
            }
        }
        cells.map(|trials| Cell { trials, weight: 0.5, decisive: false }).to_vec()
    }

    #[test]
    fn threads_change_nothing() {
        for ragged in [false, true] {
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| test_family(&family(3, ragged), draws()).cells)
            };
            assert_eq!(run(1), run(2));
            assert_eq!(run(1), run(5));
        }
    }

    #[test]
    fn nothing_changed_is_rejected_as_often_as_it_may_be() {
        for ragged in [false, true] {
            let rejected = (0..400)
                .filter(|&seed| {
                    let draws = Draws { step: 1_000, cap: 1_000, ..Draws::new(seed, 0.05) };
                    let tested = test_family(&family(seed, ragged), draws);
                    tested.cells.iter().any(|cell| cell.p_adjusted.is_some_and(|p| p <= 0.05))
                })
                .count();
            println!("nothing changed: {rejected} of 400 families rejected (ragged: {ragged})");
            assert!((5..=35).contains(&rejected), "{rejected}");
        }
    }

    #[test]
    fn swapped_sides_turn_the_change() {
        let cells = family(8, true);
        let swapped: Vec<Cell> = cells
            .iter()
            .map(|cell| Cell {
                trials: cell.trials.iter().map(|t| trials(t.block, &t.head, &t.baseline)).collect(),
                ..cell.clone()
            })
            .collect();
        let testable = [0, 1];
        let change = |cells: &[Cell]| {
            let family = Family::new(cells, &testable);
            let mut changes = [0.0; 2];
            family.order.iter().zip(&family.ranked).for_each(|(&cell, ranked)| changes[cell] = ranked.change);
            changes
        };
        for (a, b) in change(&cells).into_iter().zip(change(&swapped)) {
            assert!((a + b).abs() < 1e-12, "{a} {b}");
        }
    }
}
