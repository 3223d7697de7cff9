//! A calibration for a terminal.

use std::fmt::Write;

use super::CalibrationReport;
use super::blocks::{Block, blocks, three};
use crate::calibrate::Disagreement;
use crate::report::escape_control;

/// Disagreements shown.
const MOST_DISAGREEMENTS: usize = 10;
/// Rows of a table shown.
const MOST_ROWS: usize = 60;
/// Characters of a cell.
const MOST_CELL: usize = 48;
/// Characters of a text.
const MOST_TEXT: usize = 160;

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The calibration as text; what the judge may be used for comes first.
#[must_use]
pub fn calibration_terminal(report: &CalibrationReport<'_>, color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report, &paint);
    out
}

fn write_all(out: &mut String, report: &CalibrationReport<'_>, paint: &Paint) -> std::fmt::Result {
    writeln!(out, "{}", paint.with("1", &escape_control(&report.title, 200)))?;
    for block in blocks(report) {
        one(out, &block, paint)?;
    }
    writeln!(out)?;
    for (label, text) in &report.provenance {
        writeln!(out, "{}", paint.with("2", &format!("{label:<11}{}", escape_control(text, 300))))?;
    }
    Ok(())
}

fn one(out: &mut String, block: &Block, paint: &Paint) -> std::fmt::Result {
    match block {
        Block::Heading { text, .. } => writeln!(out, "\n{}", paint.with("1", &escape_control(text, 200))),
        Block::Licence { judge, dimension, allows, tone, reasons } => {
            let code = match *tone {
                "good" => "1;32",
                "fair" => "1;33",
                _ => "1;31",
            };
            let badge = paint.with(code, &format!("may be used for {allows}"));
            writeln!(out, "\n{} ({}): {badge}", escape_control(judge, 80), escape_control(dimension, 80))?;
            reasons.iter().try_for_each(|reason| writeln!(out, "  - {}", escape_control(reason, 400)))
        }
        Block::Text { text } => writeln!(out, "{}", escape_control(text, 1000)),
        Block::List { title, items } => {
            writeln!(out, "\n{title}:")?;
            items.iter().try_for_each(|item| writeln!(out, "  - {}", escape_control(item, 500)))
        }
        Block::Table { title, head, rows } => table(out, title, head, rows),
        Block::Matrix { title, labels, rows } => {
            let mut head = vec![String::new()];
            head.extend(labels.iter().cloned());
            let rows: Vec<Vec<String>> = labels
                .iter()
                .zip(rows)
                .map(|(label, row)| {
                    let cells = row.iter().map(|cell| cell.count.to_string());
                    std::iter::once(label.clone()).chain(cells).collect()
                })
                .collect();
            table(out, title, &head, &rows)
        }
        Block::Reliability { title, points } => {
            let head: Vec<String> = ["probability", "n", "people pass", "interval"].map(str::to_owned).to_vec();
            let rows: Vec<Vec<String>> = points
                .iter()
                .map(|point| {
                    vec![
                        three(point.probability),
                        point.n.to_string(),
                        three(point.passed),
                        format!("{} … {}", three(point.low), three(point.high)),
                    ]
                })
                .collect();
            table(out, title, &head, &rows)
        }
        Block::Disagreements { total, items } => disagreements(out, *total, items),
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn table(out: &mut String, title: &str, head: &[String], rows: &[Vec<String>]) -> std::fmt::Result {
    writeln!(out, "\n{}:", escape_control(title, 300))?;
    let shown: Vec<Vec<String>> = std::iter::once(head)
        .chain(rows.iter().take(MOST_ROWS).map(Vec::as_slice))
        .map(|row| row.iter().map(|cell| escape_control(cell, MOST_CELL)).collect())
        .collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| shown.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    for row in &shown {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(width(cell)));
            let (before, after) = if column == 0 { ("", gap.as_str()) } else { (gap.as_str(), "") };
            write!(line, "  {before}{cell}{after}")?;
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    if rows.len() > MOST_ROWS {
        writeln!(out, "  … and {} more", rows.len() - MOST_ROWS)?;
    }
    Ok(())
}

fn disagreements(out: &mut String, total: usize, items: &[Disagreement]) -> std::fmt::Result {
    writeln!(out, "\njudge and raters part on {total} items, the worst first:")?;
    for item in items.iter().take(MOST_DISAGREEMENTS) {
        let labels: Vec<String> =
            item.labels.iter().take(6).map(|one| format!("{} {}", one.rater, one.label)).collect();
        let more = if item.labels.len() > 6 { " …" } else { "" };
        writeln!(
            out,
            "  {}  judge {}, raters {} ({}{more})",
            escape_control(&item.id, 60),
            escape_control(&item.judge, 30),
            escape_control(&item.reference, 30),
            escape_control(&labels.join(", "), 200)
        )?;
        for (label, text) in &item.shown {
            writeln!(out, "      {}: {}", escape_control(label, 30), escape_control(text, MOST_TEXT))?;
        }
        if let Some(rationale) = &item.rationale {
            writeln!(out, "      the judge: {}", escape_control(rationale, MOST_TEXT))?;
        }
    }
    if total > MOST_DISAGREEMENTS.min(items.len()) {
        writeln!(out, "  … and {} more", total - MOST_DISAGREEMENTS.min(items.len()))?;
    }
    Ok(())
}
