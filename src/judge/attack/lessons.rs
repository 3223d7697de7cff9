//! Labelled texts → what the model learns from: the texts as they will be looked at, in parts; attempts between harmless
//! texts; and the lines, sentences and words of harmless ones.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::features::features;
use super::fold::fold;
use super::learn::Labelled;
use super::parts::{PART, parts};
use super::tokens::{Token, tokens};

/// A part of a text: its different runs, ascending, and whether it is an attempt.
pub(super) struct Lesson {
    pub(super) runs: Vec<u32>,
    pub(super) steers: bool,
}

impl Lesson {
    fn new(tokens: &[Token], opens: bool, closes: bool, steers: bool) -> Self {
        let mut runs: Vec<u32> = features(tokens, opens, closes).iter().map(|feature| feature.hash).collect();
        runs.sort_unstable();
        runs.dedup();
        Self { runs, steers }
    }

    /// A text as a whole.
    pub(super) fn of_text(text: &str, steers: bool) -> Self {
        Self::new(&tokens(&fold(text)), true, true, steers)
    }
}

/// Everything that is learned from.
pub(super) fn lessons(texts: &[Labelled]) -> Vec<Lesson> {
    let mut lessons: Vec<Lesson> = texts.par_iter().flat_map_iter(of_parts).collect();
    lessons.par_extend(among_harmless(texts));
    lessons.par_extend(harmless_pieces(texts).par_iter().map(|piece| Lesson::of_text(piece, false)));
    lessons
}

/// The parts of a text, as they will be looked at. An attempt is one whole: which part of a long one steers nobody said.
fn of_parts(labelled: &Labelled) -> Vec<Lesson> {
    let tokens = tokens(&fold(&labelled.text));
    let count = tokens.len();
    let parts: Vec<_> = if labelled.steers { std::iter::once(0..count).collect() } else { parts(count).collect() };
    parts
        .into_iter()
        .map(|part| Lesson::new(&tokens[part.clone()], part.start == 0, part.end == count, labelled.steers))
        .collect()
}

/// Every attempt, and twice as many harmless texts, between two harmless texts: a part of the whole in which it stands. What
/// stands around an attempt excuses nothing.
fn among_harmless(texts: &[Labelled]) -> impl ParallelIterator<Item = Lesson> {
    /// Steps through the harmless texts that meet each of them before any again.
    const STRIDES: [usize; 3] = [7_919, 104_729, 15_485_863];
    /// Longer ones would leave no room for what stands around.
    const LONGEST: usize = PART * 3 / 4;
    let (attempts, harmless): (Vec<&Labelled>, Vec<&Labelled>) = texts.iter().partition(|labelled| labelled.steers);
    let tokens_of = |labelled: &&Labelled| tokens(&fold(&labelled.text));
    let attempts: Vec<Vec<Token>> = attempts.par_iter().map(tokens_of).collect();
    let harmless: Vec<Vec<Token>> =
        harmless.par_iter().map(tokens_of).filter(|tokens| tokens.len() <= 2 * PART).collect();
    let count = if harmless.is_empty() { 0 } else { 3 * attempts.len() };
    (0..count).into_par_iter().filter_map(move |at| {
        let other = |stride: usize| &harmless[(at * (STRIDES[stride] % harmless.len()) + stride) % harmless.len()];
        let (inner, steers) = attempts.get(at).map_or_else(|| (other(1), false), |attempt| (attempt, true));
        if inner.len() > LONGEST {
            return None;
        }
        let line_break = Token { text: "\n".to_owned(), start: 0, end: 0 };
        let whole: Vec<Token> = [other(0), inner, other(2)].map(Vec::as_slice).join(std::slice::from_ref(&line_break));
        let from = other(0).len() + 1;
        // In the beginning, the middle and the end of the part in turns.
        let start = from.saturating_sub((PART - inner.len()) * (at % 5) / 4);
        let end = (start + PART).min(whole.len());
        Some(Lesson::new(&whole[start..end], start == 0, end == whole.len(), steers))
    })
}

/// Lines, sentences and words of harmless texts, as far as no whole text is the same. What is quoted as an attack becomes
/// harmless too by this; there is little of it, and it stands among attempts as often.
fn harmless_pieces(texts: &[Labelled]) -> Vec<String> {
    /// Words of fewer texts are names.
    const LEAST: u32 = 2;
    let whole: BTreeSet<&str> = texts.iter().map(|labelled| labelled.text.as_str()).collect();
    let mut pieces = BTreeSet::new();
    let mut words: BTreeMap<String, u32> = BTreeMap::new();
    for labelled in texts.iter().filter(|labelled| !labelled.steers) {
        let text = &labelled.text;
        let tokens = tokens(&fold(text));
        let mut first = 0;
        for (at, token) in tokens.iter().enumerate() {
            if token.ends_sentence() || at + 1 == tokens.len() {
                let piece = text[tokens[first].start..token.end].trim();
                if piece.chars().count() > 2 && !whole.contains(piece) {
                    pieces.insert(piece.to_owned());
                }
                first = at + 1;
            }
        }
        let different: BTreeSet<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        for word in different.into_iter().filter(|word| word.chars().all(char::is_lowercase)) {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }
    pieces.extend(words.into_iter().filter(|(_, texts)| *texts >= LEAST).map(|(word, _)| word));
    pieces.into_iter().collect()
}
