//! The canonical text form of the stable part: one JSON line for what was asked, then for each example and trial a line
//! for the answer and one a score, by example, trial, scorer and part.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::Asked;
use super::sample::Sample;
use crate::score::ScoreRow;
use crate::table::sha256_hex;

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

fn write_lines(asked: &Asked, samples: &[Sample], out: &mut impl Write) -> io::Result<()> {
    let mut line = |line: &LineRef<'_>| {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")
    };
    line(&LineRef::Asked(asked))?;
    for sample in samples {
        line(&LineRef::Sample(sample))?;
        for score in &sample.scores {
            line(&LineRef::Score(score))?;
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
    write_lines(asked, samples, &mut text)?;
    Ok(text)
}

/// The record's digest. `samples` must be in the order of id bytes and trial.
///
/// # Errors
/// As [`canonical_text`].
pub fn record_sha256(asked: &Asked, samples: &[Sample]) -> io::Result<String> {
    struct Hasher(Sha256);
    impl Write for Hasher {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    // Whole lines at a time: hashing a few bytes per call costs more than the hash.
    if samples.len() < 1000 {
        return Ok(sha256_hex(canonical_text(asked, samples)?));
    }
    let mut out = io::BufWriter::with_capacity(1 << 16, Hasher(Sha256::new()));
    write_lines(asked, samples, &mut out)?;
    let hasher = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(crate::table::hex(&hasher.0.finalize()))
}
