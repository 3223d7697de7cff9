//! Several candidates for a terminal.

use std::fmt::Write;

use super::super::text::escape_control;
use super::ContestReport;
use super::blocks::{Block, Row, blocks, title};

/// Rows of a table shown.
const MOST_ROWS: usize = 40;
/// Items of a list shown.
const MOST_ITEMS: usize = 30;
/// Columns of a line of prose.
const WIDTH: usize = 100;
/// Characters of a cell.
const MOST_CELL: usize = 40;

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The report as text; what may replace the baseline comes first.
pub(super) fn terminal(report: &ContestReport, color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report, &paint);
    out
}

fn write_all(out: &mut String, report: &ContestReport, paint: &Paint) -> std::fmt::Result {
    writeln!(out, "{}", escape_control(&title(report), 300))?;
    blocks(report).iter().try_for_each(|block| one(out, block, paint))
}

fn one(out: &mut String, block: &Block, paint: &Paint) -> std::fmt::Result {
    match block {
        Block::Answer { text, tone } => {
            let code = if *tone == "good" { "1;32" } else { "1;33" };
            writeln!(out, "{}", paint.with(code, &wrapped(text, "")))
        }
        Block::Heading { text } => writeln!(out, "\n{}", paint.with("1", &escape_control(text, 200))),
        Block::Text { text } => writeln!(out, "{}", wrapped(text, "")),
        Block::List { title, items, folded } => {
            writeln!(out, "\n{title}:")?;
            for item in items.iter().take(MOST_ITEMS) {
                let line = format!("  - {}", wrapped(item, "    "));
                writeln!(out, "{}", if *folded { paint.with("2", &line) } else { line })?;
            }
            more(out, items.len(), MOST_ITEMS)
        }
        Block::Table { title, head, texts, rows } => table(out, (title, head, *texts), rows, paint),
        // The numbers stand in the leaderboard.
        Block::Scatter { .. } => Ok(()),
    }
}

/// Prose in lines of a readable length, all but the first with an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut width = indent.chars().count();
    for word in escape_control(text, 1_500).split(' ') {
        let length = word.chars().count();
        if !out.is_empty() && width + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(indent);
            width = indent.chars().count();
        } else if !out.is_empty() {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out
}

fn more(out: &mut String, count: usize, shown: usize) -> std::fmt::Result {
    if count > shown {
        writeln!(out, "  … and {} more (--format html and json have all)", count - shown)?;
    }
    Ok(())
}

fn table(
    out: &mut String,
    (title, head, texts): (&str, &[String], usize),
    rows: &[Row],
    paint: &Paint,
) -> std::fmt::Result {
    writeln!(out, "\n{}:", escape_control(title, 300))?;
    let shown: Vec<(Vec<String>, &str)> = std::iter::once((head, ""))
        .chain(rows.iter().take(MOST_ROWS).map(|row| (row.cells.as_slice(), row.tone)))
        .map(|(cells, tone)| (cells.iter().map(|cell| escape_control(cell, MOST_CELL)).collect(), tone))
        .collect();
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| shown.iter().filter_map(|(row, _)| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    for (row, tone) in &shown {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(width(cell)));
            let (before, after) = if column < texts { ("", gap.as_str()) } else { (gap.as_str(), "") };
            write!(line, "  {before}{cell}{after}")?;
        }
        let line = line.trim_end();
        let code = match *tone {
            "good" => "32",
            "bad" => "31",
            "first" => "1",
            _ => "0",
        };
        if tone.is_empty() { writeln!(out, "{line}")? } else { writeln!(out, "{}", paint.with(code, line))? }
    }
    more(out, rows.len(), MOST_ROWS)
}
