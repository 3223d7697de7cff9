//! Annotations: workflow commands that GitHub shows at a line of a file.

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Grey.
    Notice,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// A remark at a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Annotation {
    /// How loud.
    pub level: Level,
    /// The file, from the repository's top.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// A few words.
    pub title: String,
    /// What there is to say.
    pub message: String,
}

/// GitHub shows this many of each level for a step and drops the rest without a word.
const MOST: usize = 10;

/// The lines to print: per level the first ones, and where there are more the last one says how many.
#[must_use]
pub fn workflow_commands(annotations: &[Annotation]) -> Vec<String> {
    let mut lines = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_level: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if of_level.len() > MOST { MOST - 1 } else { of_level.len() };
        lines.extend(of_level[..shown].iter().map(|annotation| command(annotation)));
        if of_level.len() > shown {
            let rest = of_level.len() - shown;
            lines.push(format!("::{}::and {rest} more examples; the report lists them", level.name()));
        }
    }
    lines
}

fn command(annotation: &Annotation) -> String {
    let mut properties = Vec::new();
    if let Some(file) = &annotation.file {
        properties.push(format!("file={}", property(file)));
        properties.extend(annotation.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&annotation.title)));
    format!("::{} {}::{}", annotation.level.name(), properties.join(","), data(&annotation.message))
}

/// The text of a command: no line of it can be taken for a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which ends at a comma or at `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(level: Level, number: usize) -> Annotation {
        Annotation {
            level,
            file: Some("evalsets/a,b/v1.jsonl".to_owned()),
            line: Some(7),
            title: format!("{number}: broke"),
            message: "50 %\r\n::error::planted".to_owned(),
        }
    }

    #[test]
    fn a_command_is_one_line_that_says_what_was_meant() {
        assert_eq!(
            workflow_commands(&[annotation(Level::Error, 1)]),
            ["::error file=evalsets/a%2Cb/v1.jsonl,line=7,title=1%3A broke::50 %25%0D%0A::error::planted"]
        );
        let nowhere = Annotation { file: None, ..annotation(Level::Notice, 1) };
        assert!(workflow_commands(&[nowhere])[0].starts_with("::notice title=1"));
    }

    #[test]
    fn at_most_ten_of_a_level() {
        for (count, last) in [(10, "title=9"), (11, "and 2 more"), (500, "and 491 more")] {
            let many: Vec<Annotation> = (0..count).map(|number| annotation(Level::Error, number)).collect();
            let lines = workflow_commands(&many);
            assert_eq!(lines.len(), 10);
            assert!(lines[9].contains(last), "{}", lines[9]);
        }
        let both: Vec<Annotation> =
            (0..30).map(|number| annotation([Level::Warning, Level::Error][number % 2], number)).collect();
        let lines = workflow_commands(&both);
        assert_eq!(lines.iter().filter(|line| line.starts_with("::error")).count(), 10);
        assert_eq!(lines.iter().filter(|line| line.starts_with("::warning")).count(), 10);
    }
}
