//! A calibration in GitHub's Markdown.

use std::fmt::Write;

use super::CalibrationReport;
use super::blocks::{Block, blocks, three};
use crate::calibrate::Disagreement;
use crate::report::escape_markdown;

/// Disagreements shown.
const MOST_DISAGREEMENTS: usize = 25;
/// Rows of a table shown.
const MOST_ROWS: usize = 100;
/// Characters of a cell.
const MOST_CELL: usize = 100;
/// Characters of a text.
const MOST_TEXT: usize = 300;

/// The calibration as Markdown; what the judge may be used for comes first.
#[must_use]
pub fn calibration_markdown(report: &CalibrationReport<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report);
    out
}

fn write_all(out: &mut String, report: &CalibrationReport<'_>) -> std::fmt::Result {
    writeln!(out, "## {}\n", escape_markdown(&report.title, 200))?;
    for block in blocks(report) {
        one(out, &block)?;
    }
    writeln!(out, "<details><summary>Provenance</summary>\n")?;
    for (label, text) in &report.provenance {
        writeln!(out, "- {label}: {}", escape_markdown(text, 300))?;
    }
    writeln!(out, "\n</details>")
}

fn one(out: &mut String, block: &Block) -> std::fmt::Result {
    match block {
        Block::Heading { rank, text } => {
            writeln!(out, "{} {}\n", "#".repeat(usize::from(*rank) + 1), escape_markdown(text, 200))
        }
        Block::Licence { judge, dimension, allows, tone, reasons } => {
            let mark = match *tone {
                "good" => "✅",
                "fair" => "🟡",
                _ => "❌",
            };
            let (judge, dimension) = (escape_markdown(judge, 80), escape_markdown(dimension, 80));
            writeln!(out, "{mark} **{judge}** ({dimension}): may be used for **{allows}**\n")?;
            reasons.iter().try_for_each(|reason| writeln!(out, "- {}", escape_markdown(reason, 400)))?;
            writeln!(out)
        }
        Block::Text { text } => writeln!(out, "{}\n", escape_markdown(text, 1000)),
        Block::List { title, items } => {
            writeln!(out, "**{title}**\n")?;
            items.iter().try_for_each(|item| writeln!(out, "- {}", escape_markdown(item, 500)))?;
            writeln!(out)
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

fn table(out: &mut String, title: &str, head: &[String], rows: &[Vec<String>]) -> std::fmt::Result {
    writeln!(out, "**{}**\n", escape_markdown(title, 300))?;
    let line = |out: &mut String, row: &[String]| {
        let cells: Vec<String> = row.iter().map(|cell| escape_markdown(cell, MOST_CELL)).collect();
        writeln!(out, "| {} |", cells.join(" | "))
    };
    line(out, head)?;
    let rules: Vec<&str> = (0..head.len()).map(|column| if column == 0 { "---" } else { "--:" }).collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    rows.iter().take(MOST_ROWS).try_for_each(|row| line(out, row))?;
    if rows.len() > MOST_ROWS {
        writeln!(out, "\n… and {} more", rows.len() - MOST_ROWS)?;
    }
    writeln!(out)
}

fn disagreements(out: &mut String, total: usize, items: &[Disagreement]) -> std::fmt::Result {
    let shown = items.len().min(MOST_DISAGREEMENTS);
    writeln!(out, "<details><summary>Judge and raters part on {total} items; the worst {shown}</summary>\n")?;
    writeln!(out, "| item | judge | raters | their labels | the judge's reason |\n| --- | --- | --- | --- | --- |")?;
    for item in items.iter().take(MOST_DISAGREEMENTS) {
        let labels: Vec<String> = item.labels.iter().map(|one| format!("{} {}", one.rater, one.label)).collect();
        let texts: Vec<String> = item.shown.iter().map(|(label, text)| format!("{label}: {text}")).collect();
        let id = std::iter::once(item.id.clone()).chain(texts).collect::<Vec<_>>().join(" · ");
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            escape_markdown(&id, MOST_TEXT),
            escape_markdown(&item.judge, 40),
            escape_markdown(&item.reference, 40),
            escape_markdown(&labels.join(", "), MOST_TEXT),
            escape_markdown(item.rationale.as_deref().unwrap_or("–"), MOST_TEXT)
        )?;
    }
    writeln!(out, "\n</details>\n")
}
