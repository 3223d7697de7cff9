//! Choosing some examples of a set.

use super::example::Example;

/// Which examples to take; the empty selection takes all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only these ids.
    pub ids: Vec<String>,
    /// Only examples with all of these label values.
    pub filters: Vec<(String, String)>,
    /// Only the first so many of what is left.
    pub limit: Option<usize>,
}

impl Selection {
    /// Whether everything is taken.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The chosen examples, in the order of the file.
    ///
    /// # Errors
    /// An id that the set does not have, or a selection that leaves nothing.
    pub fn choose<'e>(&self, examples: &'e [Example]) -> Result<Vec<&'e Example>, String> {
        if let Some(id) = self.ids.iter().find(|id| !examples.iter().any(|example| example.id == **id)) {
            return Err(format!("the eval set has no example `{id}`"));
        }
        let chosen: Vec<&Example> = examples
            .iter()
            .filter(|example| self.ids.is_empty() || self.ids.contains(&example.id))
            .filter(|example| {
                self.filters.iter().all(|(key, value)| {
                    example.labels.get(key).is_some_and(|label| label.iter().any(|have| have == value))
                })
            })
            .take(self.limit.unwrap_or(usize::MAX))
            .collect();
        if chosen.is_empty() { Err("the selection leaves no example".to_owned()) } else { Ok(chosen) }
    }
}
