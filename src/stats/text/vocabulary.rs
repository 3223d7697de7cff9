//! Words as numbers, so that n-grams are compared as integers and no string is built for any of them.

use std::collections::HashMap;

/// Gives each distinct word a number from 1; 0 is left for "no word".
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<Box<str>, u32>,
}

impl Vocabulary {
    /// The number of `word`, the same at every call.
    pub(super) fn id(&mut self, word: &str) -> u32 {
        if let Some(&id) = self.ids.get(word) {
            return id;
        }
        let id = self.ids.len() as u32 + 1;
        self.ids.insert(word.into(), id);
        id
    }
}
