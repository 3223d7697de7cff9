//! Compact columns: text in one buffer, categories as codes, numbers with gaps.

use std::collections::HashMap;

/// A column of texts in one buffer; a million short ids take megabytes, not a million allocations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    buffer: String,
    ends: Vec<usize>,
}

impl Text {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a row.
    ///
    /// # Panics
    /// When `row` is not below [`Text::len`], like indexing.
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.buffer[start..self.ends[row]]
    }

    /// Appends a row.
    pub fn push(&mut self, text: &str) {
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl<'a> FromIterator<&'a str> for Text {
    fn from_iter<I: IntoIterator<Item = &'a str>>(iter: I) -> Self {
        let mut text = Self::default();
        for item in iter {
            text.push(item);
        }
        text
    }
}

/// A column of few distinct texts: a code a row and a dictionary. Missing cells have no code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Category {
    /// The code of each row, an index into `names`; `None` where the cell is missing.
    pub codes: Vec<Option<u32>>,
    /// The distinct texts in order of first appearance.
    pub names: Vec<String>,
    lookup: HashMap<String, u32>,
}

impl Category {
    /// The code of `name`, new or known.
    pub fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.lookup.get(name) {
            return code;
        }
        let code = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.lookup.insert(name.to_owned(), code);
        code
    }

    /// Appends a row.
    pub fn push(&mut self, cell: Option<&str>) {
        let code = cell.map(|name| self.code(name));
        self.codes.push(code);
    }

    /// The text of a row, if the cell is there.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.codes[row].map(|code| self.names[code as usize].as_str())
    }
}

/// One column in the form that [`crate::table::Want`] asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts, all present.
    Text(Text),
    /// Few distinct texts, with gaps.
    Category(Category),
    /// Finite numbers, with gaps.
    Number(Vec<Option<f64>>),
}
