//! Labelled texts → a model: logistic regression with an L2 penalty over runs of tokens.
//!
//! Assumption: what an attempt looks like follows from its short runs of tokens, summed. Formula: minimise
//! `½‖w‖² + C Σ ln(1 + exp(−y (b + w·x)))` with `x` the known runs of a lesson, each `r / √n`; `n` is how many it has, and `r` the
//! root of how differently often a run stands in attempts and in other texts (`|ln odds|`), so that what tells them apart weighs
//! more than what both have (Wang and Manning 2012, "Baselines and Bigrams"). Solved by L-BFGS (Nocedal 1980); the same texts
//! give the same weights on any number of threads. `C` and the longest run were chosen by leaving
//! sources out (`cargo bench --bench steering`): from a third to thrice this `C`, and for runs of two to four, the error rates
//! hardly differ.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::kind::Kind;
use super::lessons::{Lesson, lessons};
use super::minimise::minimise;
use super::model::{Model, SUMS};
use super::parts::PART;

/// A text of which it is known whether it is an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The text.
    pub text: String,
    /// Whether it tries to steer the judge.
    pub steers: bool,
    /// Of an attempt: its kind, where somebody said it.
    pub kind: Option<Kind>,
}

/// Runs that stand in fewer texts say nothing about others.
const LEAST_TEXTS: u32 = 3;

/// How much a wrong text costs, beside the size of the weights.
const COST: f64 = 10.0;

/// Words, numbers and signs of every kind: how they are read is part of what was learned.
const PROBE: &str = "Don't give <b>10/10</b> or 3.5,\n 007 of 95%: {\"final_score\": 満点} İtem\u{200b}s 12345 a/b!";

/// SHA-256 over labelled texts, in their order, and over how a sentence with a bit of everything is read.
#[must_use]
pub fn corpus_sha256(texts: &[Labelled]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(format!("{LEAST_TEXTS} {COST} {PART} {:?}\n", Lesson::of_text(PROBE, false).runs));
    for text in texts {
        let kind = text.kind.map_or("", Kind::name);
        hasher.update(serde_json::json!([text.text, text.steers, kind]).to_string());
        hasher.update("\n");
    }
    hasher.finalize().into()
}

/// Learns a model.
#[must_use]
pub fn learn(texts: &[Labelled]) -> Model {
    let wholes: Vec<Lesson> =
        texts.par_iter().map(|labelled| Lesson::of_text(&labelled.text, labelled.steers)).collect();
    let mut texts_with: BTreeMap<u32, u32> = BTreeMap::new();
    for run in wholes.iter().flat_map(|lesson| &lesson.runs) {
        *texts_with.entry(*run).or_default() += 1;
    }
    let vocabulary: Vec<u32> =
        texts_with.into_iter().filter(|(_, texts)| *texts >= LEAST_TEXTS).map(|(run, _)| run).collect();
    let known = |lesson: &Lesson, steers: bool| Row {
        runs: lesson.runs.iter().filter_map(|run| vocabulary.binary_search(run).ok()).map(|at| at as u32).collect(),
        steers,
    };
    let rows: Vec<Row> = wholes.iter().map(|lesson| known(lesson, lesson.steers)).collect();
    let ratio = ratios(&rows, vocabulary.len());
    let rows: Vec<Row> = lessons(texts).par_iter().map(|lesson| known(lesson, lesson.steers)).collect();
    let mut sums = vec![fit(&rows, &ratio)];
    sums.par_extend(Kind::ALL.par_iter().map(|kind| {
        let of_known_kind = wholes.iter().zip(texts).filter(|(_, labelled)| labelled.kind.is_some());
        let rows: Vec<Row> =
            of_known_kind.map(|(lesson, labelled)| known(lesson, labelled.kind == Some(*kind))).collect();
        fit(&rows, &vec![1.0; vocabulary.len()])
    }));
    quantised(corpus_sha256(texts), vocabulary, &sums)
}

/// One lesson as the model sees it: which of its known runs it has, by their places, ascending.
struct Row {
    runs: Vec<u32>,
    steers: bool,
}

/// The root of how differently often each run stands in both sorts of texts.
fn ratios(rows: &[Row], runs: usize) -> Vec<f64> {
    let mut counts = vec![[1.0_f64; 2]; runs];
    for row in rows {
        for run in &row.runs {
            counts[*run as usize][usize::from(row.steers)] += 1.0;
        }
    }
    let [other, steering] = counts.iter().fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
    counts.iter().map(|[a, b]| (b / steering / (a / other)).ln().abs().sqrt()).collect()
}

/// The weights of the runs and the bias.
fn fit(rows: &[Row], ratio: &[f64]) -> (Vec<f64>, f64) {
    /// Rows whose part of the slope one thread sums.
    const PIECE: usize = 4096;
    let scale = |row: &Row| 1.0 / (row.runs.len().max(1) as f64).sqrt();
    let bias_at = ratio.len();
    let slope = |point: &[f64]| {
        let pieces: Vec<(f64, Vec<f64>)> = rows
            .par_chunks(PIECE)
            .map(|rows| {
                let mut gradient = vec![0.0; point.len()];
                let mut cost = 0.0;
                for row in rows {
                    let scale = scale(row);
                    let sum: f64 = row.runs.iter().map(|run| point[*run as usize] * ratio[*run as usize]).sum();
                    let side = if row.steers { 1.0 } else { -1.0 };
                    let margin = side * (point[bias_at] + sum * scale);
                    cost += COST * ln_1p_exp(-margin);
                    let push = -COST * side / (1.0 + margin.exp());
                    row.runs.iter().for_each(|run| gradient[*run as usize] += push * scale * ratio[*run as usize]);
                    gradient[bias_at] += push;
                }
                (cost, gradient)
            })
            .collect();
        let mut gradient: Vec<f64> = point.to_vec();
        gradient[bias_at] = 0.0;
        let mut value = 0.5 * point[..bias_at].iter().map(|weight| weight * weight).sum::<f64>();
        for (cost, piece) in pieces {
            value += cost;
            gradient.iter_mut().zip(piece).for_each(|(sum, part)| *sum += part);
        }
        (value, gradient)
    };
    let mut point = minimise(vec![0.0; bias_at + 1], slope);
    let bias = point.pop().unwrap_or_default();
    (point.iter().zip(ratio).map(|(weight, ratio)| weight * ratio).collect(), bias)
}

/// `ln(1 + exp(x))` that does not overflow.
fn ln_1p_exp(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Weights in steps of a byte.
fn quantised(learned_from: [u8; 32], hashes: Vec<u32>, sums: &[(Vec<f64>, f64)]) -> Model {
    let mut model =
        Model { learned_from, biases: [0.0; SUMS], steps: [0.0; SUMS], weights: vec![[0; SUMS]; hashes.len()], hashes };
    for (at, (weights, bias)) in sums.iter().enumerate() {
        let most = weights.iter().fold(f64::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
        let step = most / f64::from(i8::MAX);
        model.biases[at] = *bias as f32;
        model.steps[at] = step as f32;
        for (all, weight) in model.weights.iter_mut().zip(weights) {
            all[at] = (weight / step).round() as i8;
        }
    }
    model
}
