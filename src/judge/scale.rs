//! The grades that a judge may give, in their order.

use super::grade::Grade;

/// A closed, ordered set of grades, the worst first. A grade off it is never bent onto it.
#[derive(Debug, Clone, PartialEq)]
pub enum GradeScale {
    /// Numbers, ascending.
    Numbers(Vec<f64>),
    /// Labels, worst first.
    Labels(Vec<String>),
}

/// The grades of a pairwise judge as it gives them: the other answer is better, neither is, this one is.
pub const PREFERENCES: [&str; 3] = ["B", "tie", "A"];

/// Signs that people and models put around a grade, and that mean nothing.
const DECORATION: [char; 11] = ['*', '_', '`', '"', '\'', '#', '~', '.', '“', '”', ','];

impl GradeScale {
    /// The scale of a comparison.
    #[must_use]
    pub fn of_preferences() -> Self {
        Self::Labels(PREFERENCES.map(str::to_owned).into())
    }

    /// Makes a scale of the values in a file.
    ///
    /// # Errors
    /// A sentence: fewer than two values, numbers among labels, numbers that do not ascend, labels that are alike.
    pub fn new(values: &[Grade]) -> Result<Self, String> {
        if values.len() < 2 {
            return Err("`values` of a scale are two or more grades".to_owned());
        }
        let numbers: Vec<f64> = values.iter().filter_map(Grade::number).collect();
        if numbers.len() == values.len() {
            if numbers.iter().any(|number| !number.is_finite()) {
                return Err("`values` of a scale: a grade is no finite number".to_owned());
            }
            return if numbers.windows(2).all(|pair| pair[0] < pair[1]) {
                Ok(Self::Numbers(numbers))
            } else {
                Err("`values` of a scale: numbers stand in ascending order, each once".to_owned())
            };
        }
        if !numbers.is_empty() {
            return Err("`values` of a scale: either numbers or labels, not both".to_owned());
        }
        let labels: Vec<String> = values.iter().map(|value| value.to_string().trim().to_owned()).collect();
        for (at, label) in labels.iter().enumerate() {
            if label.is_empty() {
                return Err("`values` of a scale: a label is empty".to_owned());
            }
            if labels[..at].iter().any(|other| folded(other) == folded(label)) {
                return Err(format!("`values` of a scale: the label `{label}` stands there twice"));
            }
        }
        Ok(Self::Labels(labels))
    }

    /// How many grades there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Labels(labels) => labels.len(),
        }
    }

    /// Whether there is none, which [`Self::new`] refuses.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The grade at a place, the worst at 0.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<Grade> {
        match self {
            Self::Numbers(numbers) => numbers.get(place).copied().map(Grade::Number),
            Self::Labels(labels) => labels.get(place).cloned().map(Grade::Label),
        }
    }

    /// All grades, the worst first.
    pub fn grades(&self) -> impl Iterator<Item = Grade> + '_ {
        (0..self.len()).filter_map(|place| self.at(place))
    }

    /// The place of a grade; `None` where it is not on the scale.
    #[must_use]
    pub fn place(&self, grade: &Grade) -> Option<usize> {
        match (self, grade) {
            (Self::Numbers(numbers), Grade::Number(number)) => numbers.iter().position(|known| known == number),
            (Self::Labels(labels), Grade::Label(label)) => labels.iter().position(|known| known == label),
            _ => None,
        }
    }

    /// The least grade of the upper half; of two, the better one.
    #[must_use]
    pub fn upper_half(&self) -> Option<Grade> {
        match self {
            Self::Numbers(numbers) => self.at(numbers.len().div_ceil(2)),
            Self::Labels(labels) => self.at(labels.len() - 1),
        }
    }

    /// The best grade.
    #[must_use]
    pub fn best(&self) -> Option<Grade> {
        self.at(self.len().checked_sub(1)?)
    }

    /// The grade that a JSON value of a reply names.
    ///
    /// # Errors
    /// A sentence, for anything that is not one of the offered grades.
    pub fn read(&self, value: &serde_json::Value) -> Result<Grade, String> {
        use serde_json::Value;
        match value {
            Value::Number(number) => {
                let found = number.as_f64().map(Grade::Number).filter(|grade| self.place(grade).is_some());
                found.or_else(|| self.named(&number.to_string())).ok_or_else(|| self.off(&number.to_string()))
            }
            Value::String(text) => self.read_text(text),
            Value::Bool(truth) => {
                let text = truth.to_string();
                self.named(&text).ok_or_else(|| self.off(&text))
            }
            Value::Null => Err("the grade is null".to_owned()),
            Value::Array(_) => Err("the grade is a list".to_owned()),
            Value::Object(_) => Err("the grade is an object".to_owned()),
        }
    }

    /// The grade that a text names: `4`, `**4**`, `4/5` where 5 is the best, `4 - mostly supported`, a label in any case.
    ///
    /// # Errors
    /// A sentence, for anything else.
    pub fn read_text(&self, text: &str) -> Result<Grade, String> {
        let around = |c: char| DECORATION.contains(&c) || c.is_whitespace();
        // A dot at the beginning belongs to a fraction.
        let bare = text.trim_end_matches(around).trim_start_matches(|c: char| c != '.' && around(c));
        match self {
            Self::Labels(_) => self.named(bare),
            Self::Numbers(numbers) => {
                let best = numbers.last().copied().unwrap_or_default();
                number_of(bare, best).map(Grade::Number).filter(|grade| self.place(grade).is_some())
            }
        }
        .ok_or_else(|| self.off(text))
    }

    /// The label of a name, in any case; blanks, `_` and `-` are alike. Only where that is one label.
    fn named(&self, text: &str) -> Option<Grade> {
        let Self::Labels(labels) = self else { return None };
        let found = labels.iter().find(|label| *label == text).or_else(|| {
            let mut alike = labels.iter().filter(|label| folded(label) == folded(text));
            alike.next().filter(|_| alike.next().is_none())
        });
        found.cloned().map(Grade::Label)
    }

    fn off(&self, said: &str) -> String {
        let said: String = said.chars().take(40).collect();
        format!("`{said}` is none of {}", self.offered())
    }

    /// The grades in words: `0, 1, 2, 3`.
    #[must_use]
    pub fn offered(&self) -> String {
        let grades: Vec<String> = self.grades().map(|grade| grade.to_string()).collect();
        grades.join(", ")
    }
}

fn folded(label: &str) -> String {
    label.split([' ', '_', '-']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A number at the beginning, with nothing behind it, with the best grade behind it (`/5`, `out of 5`), or with words
/// that hold no other digit behind a separator.
fn number_of(text: &str, best: f64) -> Option<f64> {
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || *at == 0 && matches!(c, '-' | '+')))
        .map_or(text.len(), |(at, _)| at);
    let number = plain(&text[..end])?;
    let rest = text[end..].trim_start_matches(|c: char| c.is_whitespace() || DECORATION.contains(&c));
    let lower = rest.to_lowercase();
    if let Some(top) = lower.strip_prefix('/').or_else(|| lower.strip_prefix("out of")) {
        let top = top.trim().trim_matches(|c: char| DECORATION.contains(&c));
        return plain(top).filter(|top| *top == best).map(|_| number);
    }
    let is_remark = rest.starts_with(['(', ':', '–', '—', '-']) && !rest.chars().any(char::is_numeric);
    (rest.is_empty() || is_remark).then_some(number)
}

/// A finite number without an exponent, and nothing else.
fn plain(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    text.parse().ok().filter(|number: &f64| digits && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn numbers(values: &[f64]) -> GradeScale {
        GradeScale::Numbers(values.to_vec())
    }

    #[test]
    fn numbers_are_read_as_models_write_them_and_never_bent() {
        let scale = numbers(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        for (said, grade) in [
            (json!(4), Some(4.0)),
            (json!(4.0), Some(4.0)),
            (json!("4"), Some(4.0)),
            (json!("**4**"), Some(4.0)),
            (json!(" 4/5 "), Some(4.0)),
            (json!("**4**/5"), Some(4.0)),
            (json!("4 out of 5"), Some(4.0)),
            (json!("4 - mostly supported"), Some(4.0)),
            (json!("4 (good)"), Some(4.0)),
            (json!("4/10"), None),
            (json!("4/4"), None),
            (json!("3-4"), None),
            (json!(4.5), None),
            (json!(0), None),
            (json!(6), None),
            (json!(-1), None),
            (json!("6"), None),
            (json!("1e0"), None),
            (json!("four"), None),
            (json!("not 3"), None),
            (json!("5 of 7"), None),
            (json!(".5"), None),
            (json!("4,5"), None),
            (json!(true), None),
            (json!(null), None),
            (json!([4]), None),
            (json!({"value": 4}), None),
        ] {
            assert_eq!(scale.read(&said).ok(), grade.map(Grade::Number), "{said}");
        }
    }

    #[test]
    fn labels_are_read_in_any_case_where_that_is_one_label() {
        let scale = GradeScale::Labels(vec!["fail".to_owned(), "partly right".to_owned(), "pass".to_owned()]);
        for (said, grade) in [
            (json!("PASS"), Some("pass")),
            (json!("**Partly_Right**."), Some("partly right")),
            (json!("passed"), None),
            (json!(true), None),
            (json!(1), None),
            (json!(""), None),
        ] {
            assert_eq!(scale.read(&said).ok(), grade.map(|label| Grade::Label(label.to_owned())), "{said}");
        }
        let truth = GradeScale::Labels(vec!["false".to_owned(), "true".to_owned()]);
        assert_eq!(truth.read(&json!(true)).ok(), Some(Grade::Label("true".to_owned())));
    }

    #[test]
    fn a_scale_is_checked() {
        let of = |values: serde_json::Value| {
            let values: Vec<Grade> = serde_json::from_value(values).unwrap();
            GradeScale::new(&values)
        };
        assert_eq!(of(json!([0, 1, 2, 3])).unwrap().upper_half(), Some(Grade::Number(2.0)));
        assert_eq!(of(json!([1, 2, 3, 4, 5])).unwrap().upper_half(), Some(Grade::Number(4.0)));
        assert_eq!(of(json!(["no", "so so", "yes"])).unwrap().upper_half(), Some(Grade::Label("yes".to_owned())));
        for wrong in [json!([1]), json!([2, 1]), json!([1, 1]), json!([1, "a"]), json!(["a", "A"]), json!(["", "a"])] {
            assert!(of(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
