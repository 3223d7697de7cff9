//! A sheet as one rater sees it: shuffled, without ids, sides exchanged.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::sheet::{Item, Sheet};
use crate::table::sha256_hex;

/// The items of a sheet in the order of one rater.
///
/// Order and sides follow from the seed, the rater and the items, so that a page goes on where it was.
pub(super) struct Blind {
    shown: Vec<Shown>,
    places: HashMap<String, usize>,
}

/// One item as it is shown.
pub(super) struct Shown {
    /// Names the item to the page. Another text has another key: a grade never goes to what was not seen.
    pub(super) key: String,
    /// Its place in the sheet.
    pub(super) item: usize,
    /// The other answer stands first.
    pub(super) swapped: bool,
}

/// Hex digits of a key: far beyond chance for any sheet.
const KEY_DIGITS: usize = 20;

impl Blind {
    pub(super) fn new(sheet: &Sheet, rater: &str, seed: u64) -> Self {
        let mut shown: Vec<Shown> = sheet
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let text = json!([seed, rater, item.id, item.input, item.answer, item.reference, item.other]);
                let digest = sha256_hex(text.to_string());
                let swapped = sheet.pairwise && digest.ends_with(|digit: char| !digit.is_ascii_digit() || digit > '7');
                Shown { key: digest[..KEY_DIGITS].to_owned(), item: at, swapped }
            })
            .collect();
        shown.sort_by(|a, b| a.key.cmp(&b.key));
        let places = shown.iter().enumerate().map(|(at, shown)| (shown.key.clone(), at)).collect();
        Self { shown, places }
    }

    pub(super) fn shown(&self) -> &[Shown] {
        &self.shown
    }

    pub(super) fn find(&self, key: &str) -> Option<&Shown> {
        self.places.get(key).map(|at| &self.shown[*at])
    }
}

impl Shown {
    /// The place of a level of a comparison among the stored ones, or the reverse: what stands first is `A` only where
    /// the sides are not exchanged.
    pub(super) const fn side(&self, level: usize) -> usize {
        match level {
            0 | 1 if self.swapped => 1 - level,
            _ => level,
        }
    }

    /// What the page gets of an item.
    pub(super) fn view(&self, item: &Item) -> Value {
        let mut fields = Map::new();
        fields.insert("input".to_owned(), item.input.clone());
        if let Some(reference) = &item.reference {
            fields.insert("reference".to_owned(), reference.clone());
        }
        let mut answers = vec![item.answer.clone()];
        answers.extend(item.other.clone());
        if self.swapped {
            answers.reverse();
        }
        fields.insert("answers".to_owned(), answers.into());
        fields.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Dimension, Level};

    fn sheet(n: usize) -> Sheet {
        let item = |at: usize| Item {
            id: format!("it-{at}"),
            input: "q".into(),
            answer: format!("a{at}").into(),
            reference: None,
            other: Some(format!("b{at}").into()),
        };
        Sheet {
            title: "t".to_owned(),
            about: String::new(),
            items: (0..n).map(item).collect(),
            dimensions: vec![Dimension {
                name: "overall".to_owned(),
                about: String::new(),
                levels: Level::preferences(),
            }],
            pairwise: true,
        }
    }

    #[test]
    fn each_rater_has_an_order_and_sides_of_their_own_that_stay() {
        let sheet = sheet(200);
        let order = |rater: &str, seed| -> Vec<(usize, bool)> {
            Blind::new(&sheet, rater, seed).shown().iter().map(|shown| (shown.item, shown.swapped)).collect()
        };
        let first = order("r1", 7);
        assert_eq!(first, order("r1", 7));
        assert_ne!(first, order("r2", 7));
        assert_ne!(first, order("r1", 8));
        let mut all: Vec<usize> = first.iter().map(|(item, _)| *item).collect();
        assert_ne!(all, (0..200).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
        let swapped = first.iter().filter(|(_, swapped)| *swapped).count();
        assert!((60..140).contains(&swapped), "{swapped} of 200 have their sides exchanged");
    }

    #[test]
    fn another_text_has_another_key_and_sides_map_back() {
        let mut sheet = sheet(40);
        let before = Blind::new(&sheet, "r1", 7);
        sheet.items[3].answer = "edited".into();
        let after = Blind::new(&sheet, "r1", 7);
        let kept = before.shown().iter().filter(|shown| after.find(&shown.key).is_some()).count();
        assert_eq!(kept, 39);
        for shown in after.shown() {
            let view = shown.view(&sheet.items[shown.item]);
            let own = view["answers"].as_array().unwrap().iter().position(|a| *a == sheet.items[shown.item].answer);
            assert_eq!(shown.side(own.unwrap()), 0, "the item's own answer is A wherever it stands");
            assert_eq!((shown.side(2), shown.side(shown.side(0)), shown.side(shown.side(1))), (2, 0, 1));
        }
    }
}
