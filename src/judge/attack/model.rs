//! The model: a weight for every known run of tokens.
//!
//! How far a part of a text speaks for an attempt is `bias + Σ weight / √n` over its `n` different known runs: the logarithm
//! of the odds, by a linear model. What a run weighs can be looked up; one that weighs nothing counts in `n`. A part of unknown
//! runs alone has the bias, which is negative. The kind of an attempt is that of four more such sums that is the greatest.

use std::sync::OnceLock;

use super::features::{Feature, features};
use super::kind::Kind;
use super::tokens::Token;

/// The weights that the program ships, as `cargo bench --bench steering -- --write` made them.
const SHIPPED: &[u8] = include_bytes!("model.bin");

/// What the file begins with.
const MAGIC: [u8; 8] = *b"steering";

/// Sums that a model gives: whether, and which kind.
pub(super) const SUMS: usize = 1 + Kind::ALL.len();

/// A linear model over runs of tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// SHA-256 of the texts that it was learned from.
    pub(super) learned_from: [u8; 32],
    pub(super) biases: [f32; SUMS],
    /// What one step of a weight is worth, for each sum.
    pub(super) steps: [f32; SUMS],
    /// Ascending.
    pub(super) hashes: Vec<u32>,
    pub(super) weights: Vec<[i8; SUMS]>,
}

/// What a model says of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opinion {
    /// Above zero it is an attempt.
    pub(super) score: f32,
    pub(super) kind: Kind,
}

impl Model {
    /// The one that the program ships.
    pub fn shipped() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        // A test reads the file; without weights nothing would be reported, which other tests would see.
        MODEL.get_or_init(|| Self::from_bytes(SHIPPED).unwrap_or_else(Self::empty))
    }

    fn empty() -> Self {
        Self {
            learned_from: [0; 32],
            biases: [-1.0; SUMS],
            steps: [0.0; SUMS],
            hashes: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// SHA-256 of the texts that it was learned from, see [`super::corpus_sha256`].
    #[must_use]
    pub const fn learned_from(&self) -> [u8; 32] {
        self.learned_from
    }

    /// How many runs it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The whole as bytes: numbers with the lowest byte first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.learned_from);
        bytes.extend(self.biases.iter().chain(&self.steps).flat_map(|number| number.to_le_bytes()));
        bytes.extend(self.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.weights.iter().flatten().map(|weight| weight.to_le_bytes()[0]));
        bytes
    }

    /// Reads what [`Self::to_bytes`] gave; `None` where it is something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (magic, bytes) = bytes.split_first_chunk::<8>()?;
        let (learned_from, mut bytes) = bytes.split_first_chunk::<32>()?;
        let mut numbers = [0.0; 2 * SUMS];
        for number in &mut numbers {
            let (four, rest) = bytes.split_first_chunk::<4>()?;
            *number = f32::from_le_bytes(*four);
            bytes = rest;
        }
        let count = bytes.len() / (4 + SUMS);
        if *magic != MAGIC || bytes.len() != count * (4 + SUMS) {
            return None;
        }
        let (hashes, weights) = bytes.split_at(count * 4);
        let hashes = hashes.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        let weights =
            weights.as_chunks::<SUMS>().0.iter().map(|sums| sums.map(|byte| i8::from_le_bytes([byte]))).collect();
        let mut model = Self { learned_from: *learned_from, hashes, weights, ..Self::empty() };
        model.biases.copy_from_slice(&numbers[..SUMS]);
        model.steps.copy_from_slice(&numbers[SUMS..]);
        let is_sound = numbers.iter().all(|number| number.is_finite()) && model.hashes.is_sorted();
        is_sound.then_some(model)
    }

    fn weights_of(&self, hash: u32) -> Option<&[i8; SUMS]> {
        self.hashes.binary_search(&hash).ok().map(|at| &self.weights[at])
    }

    /// What the model says of a part of a text.
    pub(super) fn opinion(&self, tokens: &[Token], opens: bool, closes: bool) -> Opinion {
        let mut hashes: Vec<u32> = features(tokens, opens, closes).iter().map(|feature| feature.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let mut sums = [0_i32; SUMS];
        let mut known = 0_u32;
        for weights in hashes.iter().filter_map(|hash| self.weights_of(*hash)) {
            known += 1;
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += i32::from(*weight);
            }
        }
        let scale = 1.0 / f64::from(known.max(1)).sqrt();
        let of = |at: usize| self.biases[at] + (f64::from(sums[at]) * f64::from(self.steps[at]) * scale) as f32;
        let kind = Kind::ALL.into_iter().enumerate().max_by(|(a, _), (b, _)| of(a + 1).total_cmp(&of(b + 1)));
        Opinion { score: of(0), kind: kind.map_or(Kind::OrdersGrade, |(_, kind)| kind) }
    }

    /// What each token of a part of a text speaks for an attempt: the weight of a run is shared by its tokens.
    pub(super) fn credits(&self, tokens: &[Token]) -> Vec<f32> {
        let mut credits = vec![0.0; tokens.len()];
        for Feature { hash, first, length } in features(tokens, false, false) {
            let Some(weights) = self.weights_of(hash) else { continue };
            let share = f32::from(weights[0]) / length as f32;
            credits[first..first + length].iter_mut().for_each(|credit| *credit += share);
        }
        credits
    }
}
