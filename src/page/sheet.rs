//! What is graded, and on which scale.

use std::collections::HashSet;

use serde_json::Value;

use super::error::PageError;
use crate::judge::Grade;

/// Everything that raters are shown; there is no place in it for what they must not see.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// What it is called.
    pub title: String,
    /// What the rater is asked to do, in a sentence.
    pub about: String,
    /// What is graded.
    pub items: Vec<Item>,
    /// What each of them is graded for.
    pub dimensions: Vec<Dimension>,
    /// Two answers are compared; each dimension then has [`Level::preferences`].
    pub pairwise: bool,
}

/// One answer, or two of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique within the sheet; never shown, since it may say more than a rater should know.
    pub id: String,
    /// What was asked.
    pub input: Value,
    /// What was answered.
    pub answer: Value,
    /// What would be right.
    pub reference: Option<Value>,
    /// The answer that it is compared with.
    pub other: Option<Value>,
}

/// Something that an answer is graded for.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// The name in the label file.
    pub name: String,
    /// What it looks at.
    pub about: String,
    /// Worst first.
    pub levels: Vec<Level>,
}

/// A grade that can be given.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// What is stored.
    pub value: Grade,
    /// What it means, in words.
    pub means: String,
    /// A short example of it.
    pub example: Option<String>,
}

/// Keys of the page's own commands, which no grade may have.
#[cfg(test)]
const COMMANDS: &str = "npuwadj";
/// Keys for grades without a digit of their own, in the order in which they are given out.
const LETTERS: &str = "sfghklcvbmqertyziox";

impl Level {
    /// A level without words.
    #[must_use]
    pub const fn plain(value: Grade) -> Self {
        Self { value, means: String::new(), example: None }
    }

    /// The levels of a comparison: the answer is better, the other one is, neither is.
    #[must_use]
    pub fn preferences() -> Vec<Self> {
        ["A", "B", "tie"].map(|value| Self::plain(Grade::Label(value.to_owned()))).into()
    }

    /// The value as it is stored: a whole number without a decimal point.
    pub(super) fn stored(&self) -> Value {
        match &self.value {
            Grade::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
            Grade::Number(number) => Value::from(*number),
            Grade::Label(label) => Value::from(label.as_str()),
        }
    }

    /// Whether a stored label is this level; a number may have been written as text.
    pub(super) fn is(&self, label: &Value) -> bool {
        match (&self.value, label) {
            (Grade::Number(number), Value::Number(label)) => label.as_f64() == Some(*number),
            (value, Value::String(label)) => {
                Grade::read(label).as_ref() == Some(value) || *value == Grade::Label(label.clone())
            }
            _ => false,
        }
    }
}

impl Dimension {
    /// The key of each level: its own digit where all are digits (`x` for 10), else digits from 1 for labels and letters
    /// for other numbers; none when the keys run out.
    pub(super) fn keys(&self) -> Vec<Option<char>> {
        let digit = |level: &Level| match level.value {
            Grade::Number(10.0) => Some('x'),
            Grade::Number(number) if number.fract() == 0.0 && (0.0..10.0).contains(&number) => {
                char::from_digit(number as u32, 10)
            }
            _ => None,
        };
        let digits: Option<Vec<char>> = self.levels.iter().map(digit).collect();
        if let Some(digits) = digits {
            return digits.into_iter().map(Some).collect();
        }
        let labels = self.levels.iter().all(|level| matches!(level.value, Grade::Label(_)));
        let own = if labels { "123456789" } else { "" };
        let mut keys = own.chars().chain(LETTERS.chars());
        self.levels.iter().map(|_| keys.next()).collect()
    }
}

impl Sheet {
    /// Checks that the sheet can be graded.
    ///
    /// # Errors
    /// Nothing to grade, a name or a value twice, a comparison without the other answer.
    pub fn check(&self) -> Result<(), PageError> {
        let wrong = |why: String| Err(PageError::Sheet(why));
        if self.items.is_empty() {
            return wrong("the sheet has no items".to_owned());
        }
        if self.dimensions.is_empty() {
            return wrong("nothing says what the items are graded for".to_owned());
        }
        let mut ids = HashSet::new();
        if let Some(item) = self.items.iter().find(|item| !ids.insert(item.id.as_str())) {
            return wrong(format!("the id `{}` stands twice in the sheet", item.id));
        }
        let mut names = HashSet::new();
        for dimension in &self.dimensions {
            if !names.insert(dimension.name.as_str()) {
                return wrong(format!("the dimension `{}` stands twice", dimension.name));
            }
            if dimension.levels.len() < 2 {
                return wrong(format!("the dimension `{}` has fewer than two levels", dimension.name));
            }
            for (at, level) in dimension.levels.iter().enumerate() {
                if dimension.levels[..at].iter().any(|before| before.value == level.value) {
                    return wrong(format!("the dimension `{}` has the level {} twice", dimension.name, level.value));
                }
            }
        }
        if self.pairwise
            && let Some(item) = self.items.iter().find(|item| item.other.is_none())
        {
            return wrong(format!("`{}` has no `other` answer to compare with", item.id));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(values: &[Grade]) -> String {
        let levels = values.iter().cloned().map(Level::plain).collect();
        let dimension = Dimension { name: "d".to_owned(), about: String::new(), levels };
        dimension.keys().into_iter().map(|key| key.unwrap_or('-')).collect()
    }

    fn numbers(values: impl IntoIterator<Item = f64>) -> Vec<Grade> {
        values.into_iter().map(Grade::Number).collect()
    }

    #[test]
    fn a_digit_is_its_own_key_and_the_rest_gets_what_is_free() {
        assert_eq!(keys(&numbers([0.0, 1.0, 2.0, 3.0])), "0123");
        assert_eq!(keys(&numbers((0..=10).map(f64::from))), "0123456789x");
        assert_eq!(keys(&numbers([0.0, 0.5, 1.0])), "sfg");
        assert_eq!(keys(&numbers([-1.0, 0.0, 1.0])), "sfg");
        assert_eq!(keys(&["fail", "pass"].map(|label| Grade::Label(label.to_owned()))), "12");
        let many = keys(&numbers((0..40).map(f64::from)));
        assert_eq!(&many[..3], "sfg");
        assert!(many.ends_with("--"), "{many}");
        let given: Vec<char> = many.chars().filter(|key| *key != '-').collect();
        assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
        assert!(!given.iter().any(|key| COMMANDS.contains(*key)), "{many}");
    }

    #[test]
    fn labels_are_stored_as_they_stand_in_the_scale() {
        assert_eq!(Level::plain(Grade::Number(2.0)).stored().to_string(), "2");
        assert_eq!(Level::plain(Grade::Number(0.5)).stored().to_string(), "0.5");
        let level = Level::plain(Grade::Number(2.0));
        assert!(level.is(&Value::from(2)) && level.is(&Value::from(2.0)) && level.is(&Value::from("2")));
        assert!(!level.is(&Value::from(3)) && !level.is(&Value::Null) && !level.is(&Value::from("two")));
        assert!(Level::plain(Grade::Label("1".to_owned())).is(&Value::from("1")));
    }
}
