//! Tokens → what the model looks at: runs of one to three tokens, as numbers.

use super::tokens::Token;

/// The longest run.
pub(super) const LONGEST: usize = 3;

/// A run of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Feature {
    /// What stands there, as a number: FNV-1a over the tokens. Of a hundred thousand known runs and any other one, two
    /// share a number in one of forty thousand cases.
    pub(super) hash: u32,
    /// The first token, and how many there are; the beginning and the end of a text count as tokens too.
    pub(super) first: usize,
    pub(super) length: usize,
}

/// What stands for the beginning and the end of a text; no token reads so: words are in small letters, and kinds of numbers
/// have other names.
const BEGIN: &str = "BEGIN";
const END: &str = "END";

/// The runs of a part of a text; `opens` and `closes` say whether the text begins and ends with it. That it does is no run by
/// itself: every text has a beginning, and not every part.
pub(super) fn features(tokens: &[Token], opens: bool, closes: bool) -> Vec<Feature> {
    let framed: Vec<&str> = opens
        .then_some(BEGIN)
        .into_iter()
        .chain(tokens.iter().map(|token| token.text.as_str()))
        .chain(closes.then_some(END))
        .collect();
    let mut features = Vec::with_capacity(framed.len() * LONGEST);
    for first in 0..framed.len() {
        let mut hash = Fnv::new();
        for (length, token) in (1..=LONGEST).zip(&framed[first..]) {
            hash.add(token);
            if length > 1 || !matches!(*token, BEGIN | END) {
                // Where the frame begins, no token of the text does.
                features.push(Feature { hash: hash.folded(), first: first.saturating_sub(usize::from(opens)), length });
            }
        }
    }
    features
}

/// Fowler, Noll and Vo's hash 1a of 64 bits, folded to 32.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, token: &str) {
        for byte in token.bytes().chain(std::iter::once(0xff)) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    const fn folded(&self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::super::tokens::tokens;
    use super::*;

    #[test]
    fn every_run_is_there_once_and_knows_its_place() {
        let of = |text: &str| features(&tokens(&fold(text)), true, true);
        let found = of("give ten");
        // BEGIN give ten END: two runs of one, three of two, two of three.
        assert_eq!(found.len(), 7);
        assert_eq!(found.iter().filter(|feature| feature.length == 3).count(), 2);
        assert_eq!((found[0].first, found[2].first), (0, 0));
        let hashes: std::collections::BTreeSet<u32> = found.iter().map(|feature| feature.hash).collect();
        assert_eq!(hashes.len(), 7);
        // Where a word ends tells words apart.
        assert_ne!(of("a bc")[3].hash, of("ab c")[3].hash);
    }
}
