//! The canonical text form of the stable part: one JSON line for what was asked, then for each example and trial a line
//! for the answer and one a score, by example, trial, scorer and part.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::Asked;
use super::sample::Sample;
use crate::score::ScoreRow;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// What was asked.
    Asked(Box<Asked>),
    /// An answer.
    Sample(Sample),
    /// A score of the sample above it.
    Score(ScoreRow),
}

/// The borrowed twin of [`Line`], for writing.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum LineRef<'a> {
    Asked(&'a Asked),
    Sample(&'a Sample),
    Score(&'a ScoreRow),
}

fn write_line(line: &LineRef<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn write_samples(samples: &[Sample], out: &mut impl Write) -> io::Result<()> {
    for sample in samples {
        write_line(&LineRef::Sample(sample), out)?;
        for score in &sample.scores {
            write_line(&LineRef::Score(score), out)?;
        }
    }
    Ok(())
}

/// The text whose SHA-256 is the record's digest.
///
/// # Errors
/// A value that is no JSON, which finite scores never are.
pub fn canonical_text(asked: &Asked, samples: &[Sample]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    write_line(&LineRef::Asked(asked), &mut text)?;
    write_samples(samples, &mut text)?;
    Ok(text)
}

/// Samples that one thread writes as text at a time.
const PIECE: usize = 512;
/// Pieces of text that are in memory at once.
const PIECES: usize = 32;

/// The record's digest. `samples` must be in the order of id bytes and trial.
///
/// The text is written by all threads, piece by piece, and hashed in its order.
///
/// # Errors
/// As [`canonical_text`].
pub fn record_sha256(asked: &Asked, samples: &[Sample]) -> io::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(canonical_text(asked, &[])?);
    for part in samples.chunks(PIECE * PIECES) {
        let texts: Vec<Vec<u8>> = part.par_chunks(PIECE).map(samples_text).collect::<io::Result<_>>()?;
        for text in &texts {
            hasher.update(text);
        }
    }
    Ok(crate::table::hex(&hasher.finalize()))
}

fn samples_text(samples: &[Sample]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    write_samples(samples, &mut text)?;
    Ok(text)
}
