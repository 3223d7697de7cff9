//! Sums over bootstrap resamples, drawn faster than one index at a time and with exactly the same distribution.
//!
//! A resample's sum depends only on how often each distinct row was drawn. Few distinct rows: the counts are one
//! multinomial draw. Many: rows are cut into blocks whose sizes are powers of two, the multinomial counts of the blocks
//! are drawn first, and within a block each draw is a fixed number of random bits that index a table small enough for
//! the nearest cache. Rows are sorted first, so the order of the data never matters.

use rand::Rng;
use rayon::prelude::*;

use super::binomial::{self, Binomial};
use super::error::{Result, at_least};
use super::rng::{Stream, stream};

/// How a bootstrap is drawn. Both numbers belong in the report beside the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Resampling {
    /// Number of resamples, often called B.
    pub replicates: usize,
    /// Seed; resample `i` takes the stream `(seed, i)`.
    pub seed: u64,
}

impl Resampling {
    /// The number of resamples used where nobody asks for another.
    pub const DEFAULT_REPLICATES: usize = 10_000;

    /// The usual 10,000 resamples under `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { replicates: Self::DEFAULT_REPLICATES, seed }
    }

    /// The fewest resamples from which an interval may be read.
    pub const FEWEST_REPLICATES: usize = 100;

    /// Refuses too few resamples.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] below [`Self::FEWEST_REPLICATES`].
    pub(super) fn checked(self) -> Result<Self> {
        at_least("bootstrap replicates", Self::FEWEST_REPLICATES, self.replicates)?;
        Ok(self)
    }
}

/// `draw` once a replicate, each with the stream that belongs to the replicate, in the order of the replicates.
///
/// `scratch` makes the memory that a thread reuses from draw to draw; `draw` must not read what it finds there.
pub(super) fn replicated<S, T: Send>(
    resampling: Resampling,
    scratch: impl Fn() -> S + Sync + Send,
    draw: impl Fn(&mut S, &mut Stream) -> T + Sync + Send,
) -> Vec<T> {
    let one = |scratch: &mut S, index: usize| draw(scratch, &mut stream(resampling.seed, index as u64));
    (0..resampling.replicates).into_par_iter().with_min_len(BATCH).map_init(scratch, one).collect()
}

/// Bits of an index into a block's table.
const CELL_BITS: u32 = 11;
/// Entries of a block's table: 16 KiB of one column, half of the smallest first-level cache in use.
const CELLS: usize = 1 << CELL_BITS;
/// Indices taken from one random word.
const LANES: usize = 64 / CELL_BITS as usize;
/// Resamples that pass through a block's table before the next block is loaded.
const BATCH: usize = 64;
/// A binomial draw costs about as much as this many table look-ups.
const LOOKUPS_PER_BINOMIAL: usize = 64;

/// For every resample of `rows.len()` rows with replacement, the column sums. Rows must be finite and not empty.
pub(super) fn resampled_sums<const D: usize>(rows: &[[f64; D]], resampling: Resampling) -> Vec<[f64; D]> {
    let mut sorted: Vec<[f64; D]> = rows.iter().map(|row| row.map(|x| x + 0.0)).collect();
    sorted.par_sort_unstable_by(|a, b| {
        a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let groups = distinct(&sorted);
    if (groups.len() - 1).saturating_mul(LOOKUPS_PER_BINOMIAL) <= rows.len() {
        return by_counts(&groups, rows.len() as u64, resampling);
    }
    by_blocks(&Block::cut(&sorted), rows.len() as u64, resampling)
}

/// A distinct row and how often it occurs.
struct Group<const D: usize> {
    row: [f64; D],
    count: u64,
    /// Its share of the rows in this and all later groups.
    share: f64,
}

/// The distinct rows, the most frequent first: the remainder then runs out soonest.
fn distinct<const D: usize>(sorted: &[[f64; D]]) -> Vec<Group<D>> {
    let mut groups: Vec<Group<D>> =
        sorted.chunk_by(|a, b| a == b).map(|run| Group { row: run[0], count: run.len() as u64, share: 0.0 }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let mut left = sorted.len() as u64;
    for group in &mut groups {
        group.share = group.count as f64 / left as f64;
        left -= group.count;
    }
    groups
}

fn by_counts<const D: usize>(groups: &[Group<D>], n: u64, resampling: Resampling) -> Vec<[f64; D]> {
    let mut sums = vec![[0.0; D]; resampling.replicates];
    sums.par_chunks_mut(BATCH).enumerate().for_each(|(batch, sums)| {
        let mut rngs = streams(resampling.seed, batch, sums.len());
        let mut left = vec![n; sums.len()];
        let mut counts: Vec<Binomial> = Vec::with_capacity(sums.len());
        for group in groups {
            counts.clear();
            counts.extend(left.iter().map(|&left| Binomial::new(left, group.share)));
            for (((rng, left), sums), count) in rngs.iter_mut().zip(&mut left).zip(&mut *sums).zip(&counts) {
                let count = count.draw(rng);
                *left -= count;
                for (sum, x) in sums.iter_mut().zip(group.row) {
                    *sum += count as f64 * x;
                }
            }
        }
    });
    sums
}

/// The streams of the replicates of a batch.
fn streams(seed: u64, batch: usize, count: usize) -> Vec<Stream> {
    let first = (batch * BATCH) as u64;
    (first..first + count as u64).map(|index| stream(seed, index)).collect()
}

/// Rows of one power of two, repeated until they fill the table: every table index is then equally likely.
struct Block<const D: usize> {
    table: Box<[[f64; D]; CELLS]>,
    /// The block's share of the rows in this and all later blocks.
    share: f64,
}

impl<const D: usize> Block<D> {
    fn cut(rows: &[[f64; D]]) -> Vec<Self> {
        let mut blocks = Vec::with_capacity(rows.len() / CELLS + CELL_BITS as usize);
        let mut rest = rows;
        while !rest.is_empty() {
            let size = (1 << rest.len().ilog2()).min(CELLS);
            let (block, after) = rest.split_at(size);
            let mut table = Box::new([[0.0; D]; CELLS]);
            for (cell, row) in table.iter_mut().zip(block.iter().cycle()) {
                *cell = *row;
            }
            blocks.push(Self { table, share: size as f64 / rest.len() as f64 });
            rest = after;
        }
        blocks
    }

    /// The sum of `draws` rows of the block.
    fn sum(&self, draws: u64, rng: &mut Stream) -> [f64; D] {
        // One running sum a lane: the additions then do not wait for each other.
        let mut lanes = [[0.0; D]; LANES];
        // A copy of its own lets the compiler hold the generator in registers.
        let mut local = rng.clone();
        for _ in 0..draws / LANES as u64 {
            let word = local.next_u64();
            for (lane, sums) in lanes.iter_mut().enumerate() {
                self.add(word, lane, sums);
            }
        }
        let rest = (draws % LANES as u64) as usize;
        if rest > 0 {
            let word = local.next_u64();
            for (lane, sums) in lanes.iter_mut().enumerate().take(rest) {
                self.add(word, lane, sums);
            }
        }
        *rng = local;
        let mut total = [0.0; D];
        for sums in lanes {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        total
    }

    #[inline]
    fn add(&self, word: u64, lane: usize, sums: &mut [f64; D]) {
        let row = &self.table[(word >> (CELL_BITS as usize * lane)) as usize % CELLS];
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
}

fn by_blocks<const D: usize>(blocks: &[Block<D>], n: u64, resampling: Resampling) -> Vec<[f64; D]> {
    let mut sums = vec![[0.0; D]; resampling.replicates];
    sums.par_chunks_mut(BATCH).enumerate().for_each(|(batch, sums)| {
        let mut rngs = streams(resampling.seed, batch, sums.len());
        let mut left = vec![n; sums.len()];
        for block in blocks {
            for ((rng, left), sums) in rngs.iter_mut().zip(&mut left).zip(&mut *sums) {
                let draws = binomial::draw(*left, block.share, rng);
                *left -= draws;
                for (sum, x) in sums.iter_mut().zip(block.sum(draws, rng)) {
                    *sum += x;
                }
            }
        }
    });
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean, variance and third central moment of what came out.
    fn moments(sums: &[[f64; 1]]) -> [f64; 3] {
        let b = sums.len() as f64;
        let mean = sums.iter().map(|s| s[0]).sum::<f64>() / b;
        let central = |power| sums.iter().map(|s| (s[0] - mean).powi(power)).sum::<f64>() / b;
        [mean, central(2), central(3)]
    }

    /// A sum of n draws has n times the cumulants of one draw.
    fn check(rows: &[[f64; 1]], sums: &[[f64; 1]]) {
        let n = rows.len() as f64;
        let [mean, variance, third] = moments(rows);
        let got = moments(sums);
        let b = sums.len() as f64;
        let sd = (n * variance).sqrt();
        assert!((got[0] - n * mean).abs() < 5.0 * sd / b.sqrt(), "mean {got:?}");
        assert!((got[1] / (n * variance) - 1.0).abs() < 8.0 / b.sqrt(), "variance {got:?}");
        assert!((got[2] - n * third).abs() < 20.0 * sd.powi(3) / b.sqrt(), "third moment {got:?}");
    }

    fn skewed(n: usize) -> Vec<[f64; 1]> {
        (0..n).map(|i| [((i * 7919 % n) as f64 / n as f64).powi(5) * 3.0 - 1.0]).collect()
    }

    #[test]
    fn both_ways_of_drawing_have_the_moments_of_a_resample() {
        let resampling = Resampling { replicates: 20_000, seed: 3 };
        for n in [2, 3, 45, 333, 2500, 5000] {
            let mut rows = skewed(n);
            rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
            check(&rows, &by_blocks(&Block::cut(&rows), n as u64, resampling));
            if n < 400 {
                check(&rows, &by_counts(&distinct(&rows), n as u64, resampling));
            }
        }
    }

    #[test]
    fn counts_of_a_tiny_resample_are_multinomial() {
        // Three rows, three draws: the sum of powers of 4 tells the counts apart; 27 equally likely sequences.
        let rows = [[1.0], [4.0], [16.0]];
        let resampling = Resampling { replicates: 54_000, seed: 8 };
        for sums in [by_blocks(&Block::cut(&rows), 3, resampling), by_counts(&distinct(&rows), 3, resampling)] {
            for (sum, ways) in [(3.0, 1.0), (12.0, 1.0), (48.0, 1.0), (21.0, 6.0), (6.0, 3.0), (33.0, 3.0), (24.0, 3.0)]
            {
                let count = sums.iter().filter(|s| s[0] == sum).count() as f64;
                let expected = 2000.0 * ways;
                assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{sum}: {count}");
            }
        }
    }

    #[test]
    fn threads_and_order_do_not_change_a_bit() {
        let resampling = Resampling { replicates: 500, seed: 11 };
        let rows = skewed(3000);
        let mut reversed = rows.clone();
        reversed.reverse();
        let run = |rows: &[[f64; 1]], threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| resampled_sums(rows, resampling))
        };
        let one = run(&rows, 1);
        assert_eq!(one, run(&rows, 3));
        assert_eq!(one, run(&reversed, 2));
        assert_ne!(one, resampled_sums(&rows, Resampling { seed: 12, ..resampling }));
        // More resamples continue the sequence instead of starting another.
        assert_eq!(one[..], resampled_sums(&rows, Resampling { replicates: 777, seed: 11 })[..500]);
    }
}
