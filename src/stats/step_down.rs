//! Westfall–Young step-down minP over a family of cells: what its tests share, whatever they draw.
//!
//! A test ranks its cells by their observed Q, draws, and says of each draw which cells reached their own change and with
//! what Q. Here is what becomes of that: adjusted p-values, and how many draws it takes.

use rayon::prelude::*;

use super::p_value::monte_carlo_p;

/// With fewer blocks that can move a one-sided p cannot even reach 1/2⁴ = .0625 in theory; such a cell is not tested.
pub const FEWEST_MOVED: usize = 5;

/// Draws that share a task; fixed, so that the work is cut the same way on any number of threads.
const CHUNK: u64 = 500;

/// How far, in standard errors of simulation, an adjusted p must lie from α before drawing stops.
const CLEAR_OF_ALPHA: f64 = 3.5;

/// How many draws to make, and from which seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// Seed of the draws.
    pub seed: u64,
    /// Draws made at once; the minimum.
    pub step: u32,
    /// Never more draws than this.
    pub cap: u32,
    /// The level that decides when an adjusted p is clear enough.
    pub alpha: f64,
}

impl Draws {
    /// 10,000 draws, up to 400,000 while a decision is open.
    #[must_use]
    pub const fn new(seed: u64, alpha: f64) -> Self {
        Self { seed, step: 10_000, cap: 400_000, alpha }
    }
}

/// What a test says of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// One-sided p of "the head is not worse", before adjustment; `None` when untestable.
    pub p: Option<f64>,
    /// The same, adjusted over the family; `None` when untestable.
    pub p_adjusted: Option<f64>,
    /// How many blocks can move.
    pub moved: usize,
    /// Whether `p_adjusted` is still within simulation error of α at the cap.
    pub borderline: bool,
}

/// The outcome for a family of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyTest {
    /// One entry a cell, in the order given.
    pub cells: Vec<Tested>,
    /// How many draws were made; 0 when a single cell was solved exactly.
    pub draws: u32,
    /// How many threads were available to draw.
    pub threads: usize,
}

impl FamilyTest {
    /// Nothing tested yet; `moved` blocks can move in each cell.
    pub(super) fn untested(moved: impl Iterator<Item = usize>) -> Self {
        let cells = moved.map(|moved| Tested { p: None, p_adjusted: None, moved, borderline: false }).collect();
        Self { cells, draws: 0, threads: rayon::current_num_threads() }
    }

    /// The cells with enough blocks that can move.
    pub(super) fn testable(&self) -> Vec<usize> {
        (0..self.cells.len()).filter(|&cell| self.cells[cell].moved >= FEWEST_MOVED).collect()
    }

    /// Makes blocks of draws until the adjusted p of every decisive cell is clear of α, or the cap is reached.
    ///
    /// `order` has the cell of each rank, `decisive` says of each cell whether its verdict hangs on its p, and `draw` makes
    /// the draws of a range, each from a stream of its own.
    pub(super) fn draw_until_clear(
        &mut self,
        order: &[usize],
        draws: Draws,
        decisive: impl Fn(usize) -> bool,
        draw: impl Fn(std::ops::Range<u64>) -> Hits + Sync,
    ) {
        let mut hits = Hits::none(order.len());
        loop {
            let (from, until) = (u64::from(self.draws), u64::from(self.draws + draws.step));
            let block = (0..(until - from).div_ceil(CHUNK))
                .into_par_iter()
                .map(|chunk| {
                    let first = from + chunk * CHUNK;
                    draw(first..(first + CHUNK).min(until))
                })
                .reduce(|| Hits::none(order.len()), |a, b| a.plus(&b));
            hits = hits.plus(&block);
            self.draws += draws.step;
            let adjusted = hits.step_down(self.draws);
            let standard_error = (draws.alpha * (1.0 - draws.alpha) / f64::from(self.draws)).sqrt();
            let open = |rank: usize| {
                decisive(order[rank]) && (adjusted[rank] - draws.alpha).abs() < CLEAR_OF_ALPHA * standard_error
            };
            if (0..order.len()).any(open) && self.draws < draws.cap {
                continue;
            }
            for (rank, &cell) in order.iter().enumerate() {
                let tested = &mut self.cells[cell];
                tested.p = Some(monte_carlo_p(hits.own[rank].into(), self.draws.into()));
                tested.p_adjusted = Some(adjusted[rank]);
                tested.borderline = open(rank);
            }
            return;
        }
    }
}

/// Counts over draws, by rank (cells from the smallest Q to the largest).
pub(super) struct Hits {
    /// Draws in which the smallest Q among this rank and the later ones is at most this rank's.
    minimum: Vec<u32>,
    /// Draws in which the cell's own change is at most the observed one.
    own: Vec<u32>,
}

impl Hits {
    fn none(cells: usize) -> Self {
        Self { minimum: vec![0; cells], own: vec![0; cells] }
    }

    fn plus(mut self, other: &Self) -> Self {
        self.minimum.iter_mut().zip(&other.minimum).for_each(|(a, b)| *a += b);
        self.own.iter_mut().zip(&other.own).for_each(|(a, b)| *a += b);
        self
    }

    /// Adjusted p by rank: never smaller than that of an earlier rank.
    fn step_down(&self, draws: u32) -> Vec<f64> {
        let mut floor = 0.0_f64;
        self.minimum
            .iter()
            .map(|&hits| {
                floor = floor.max(monte_carlo_p(hits.into(), draws.into()));
                floor
            })
            .collect()
    }
}

/// Counts hits, draw by draw.
pub(super) struct Counter<'a> {
    /// The observed Q of each rank, ascending.
    observed: &'a [f64],
    hits: Hits,
    /// The last draw whose smallest Q was counted for a rank.
    counted: Vec<u64>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(observed: &'a [f64]) -> Self {
        Self { observed, hits: Hits::none(observed.len()), counted: vec![u64::MAX; observed.len()] }
    }

    /// In this draw the cell of `rank` changed by no more than observed; `q` is its Q then, at most the observed one.
    ///
    /// A cell that stays above its observed change need not be reported: Q is monotone in the change, so it cannot reach
    /// its own rank's Q, nor an earlier, smaller one.
    pub(super) fn reached(&mut self, draw: u64, rank: usize, q: f64) {
        self.hits.own[rank] += 1;
        // Q of the draw is at most the observed Q of every rank from `first` on, and this cell counts up to its own.
        let first = self.observed[..rank].partition_point(|&observed| observed < q);
        for (counted, minimum) in self.counted[first..=rank].iter_mut().zip(&mut self.hits.minimum[first..=rank]) {
            if *counted != draw {
                *counted = draw;
                *minimum += 1;
            }
        }
    }

    pub(super) fn hits(self) -> Hits {
        self.hits
    }
}
