//! What a slice was promised to have.

use serde::{Deserialize, Serialize};

use super::example::Example;

/// How many examples a slice has to have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of examples, or a share of the set between 0.0 and 1.0")]
pub enum Quota {
    /// So many.
    Count(u32),
    /// This share of the set.
    Share(f64),
}

// A share that is no number is refused where a set is opened.
impl Eq for Quota {}

impl Quota {
    /// How many examples of a set of this size that is.
    #[must_use]
    pub fn of(self, examples: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Share(share) => (share * examples as f64).ceil() as usize,
        }
    }

    /// Whether it can be met at all.
    #[must_use]
    pub fn is_sound(self) -> bool {
        match self {
            Self::Count(_) => true,
            Self::Share(share) => (0.0..=1.0).contains(&share),
        }
    }
}

/// A slice by its name: `tier=1`, `tier=1,locale=de`, values in quotes where they hold `=`, `,` or a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceName(Vec<(String, String)>);

impl SliceName {
    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(name: &str) -> Result<Self, String> {
        let wrong = || format!("`{name}`: expected a slice like `tier=1` or `tier=1,locale=de`");
        let mut parts = Vec::new();
        let mut rest = name;
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or_else(wrong)?;
            let (value, after) = match after.strip_prefix('"') {
                None => after.split_once(',').map_or((after.to_owned(), ""), |(value, more)| (value.to_owned(), more)),
                Some(quoted) => {
                    let (value, after) = unquoted(quoted).ok_or_else(wrong)?;
                    (value, after.strip_prefix(',').or(Some(after).filter(|after| after.is_empty())).ok_or_else(wrong)?)
                }
            };
            if key.trim().is_empty() || value.is_empty() {
                return Err(wrong());
            }
            parts.push((key.trim().to_owned(), value));
            rest = after;
        }
        if parts.is_empty() { Err(wrong()) } else { Ok(Self(parts)) }
    }

    /// Whether an example belongs to it; `length` is the name of its length's bucket.
    #[must_use]
    pub fn has(&self, example: &Example, length: &str) -> bool {
        self.0.iter().all(|(key, value)| match example.labels.get(key) {
            Some(label) => label.iter().any(|have| have == value),
            None => key == super::profile::LENGTH && length == value,
        })
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_slices_are_read_as_reports_write_them() {
        let parts = |name: &str| SliceName::parse(name).map(|slice| slice.0);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(parts("tier=1"), Ok(vec![pair("tier", "1")]));
        assert_eq!(parts("tier=1,locale=de"), Ok(vec![pair("tier", "1"), pair("locale", "de")]));
        let quoted = r#"a="x, \"y\"=z",b=2"#;
        assert_eq!(parts(quoted), Ok(vec![pair("a", "x, \"y\"=z"), pair("b", "2")]));
        for wrong in ["", "tier", "=1", "tier=", "a=\"b", "a=\"b\"c", "a=1,b"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_quota_is_a_number_or_a_share() {
        assert_eq!((Quota::Count(20).of(7), Quota::Share(0.1).of(95), Quota::Share(0.0).of(5)), (20, 10, 0));
        assert!(!Quota::Share(1.5).is_sound() && !Quota::Share(f64::NAN).is_sound());
    }
}
