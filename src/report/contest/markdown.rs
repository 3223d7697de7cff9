//! Several candidates in GitHub's Markdown.

use std::fmt::Write;

use super::super::text::escape_markdown;
use super::ContestReport;
use super::blocks::{Block, Row, blocks, title};

/// Rows of a table shown.
const MOST_ROWS: usize = 60;
/// Items of a list shown.
const MOST_ITEMS: usize = 60;
/// Characters of a cell.
const MOST_CELL: usize = 80;

/// The report as Markdown; what may replace the baseline comes first.
pub(super) fn markdown(report: &ContestReport) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report);
    out
}

fn write_all(out: &mut String, report: &ContestReport) -> std::fmt::Result {
    writeln!(out, "## {}\n", escape_markdown(&title(report), 300))?;
    blocks(report).iter().try_for_each(|block| one(out, block))
}

fn one(out: &mut String, block: &Block) -> std::fmt::Result {
    match block {
        Block::Answer { text, .. } => writeln!(out, "**{}**\n", escape_markdown(text, 1_500)),
        Block::Heading { text } => writeln!(out, "### {}\n", escape_markdown(text, 200)),
        Block::Text { text } => writeln!(out, "{}\n", escape_markdown(text, 1_500)),
        Block::List { title, items, folded } => {
            if *folded {
                writeln!(out, "<details><summary>{}</summary>\n", escape_markdown(title, 200))?;
            } else {
                writeln!(out, "**{}**\n", escape_markdown(title, 200))?;
            }
            for item in items.iter().take(MOST_ITEMS) {
                writeln!(out, "- {}", escape_markdown(item, 500))?;
            }
            if items.len() > MOST_ITEMS {
                writeln!(out, "- … and {} more", items.len() - MOST_ITEMS)?;
            }
            writeln!(out, "{}", if *folded { "\n</details>\n" } else { "" })
        }
        Block::Table { title, head, texts, rows } => table(out, title, head, *texts, rows),
        // The numbers stand in the leaderboard.
        Block::Scatter { .. } => Ok(()),
    }
}

fn table(out: &mut String, title: &str, head: &[String], texts: usize, rows: &[Row]) -> std::fmt::Result {
    writeln!(out, "**{}**\n", escape_markdown(title, 300))?;
    let line = |cells: &[String], bold: bool| {
        let cell = |cell: &String| {
            let text = escape_markdown(cell, MOST_CELL);
            if bold && !text.is_empty() { format!("**{text}**") } else { text }
        };
        cells.iter().map(cell).collect::<Vec<_>>().join(" | ")
    };
    writeln!(out, "| {} |", line(head, false))?;
    let rules: Vec<&str> = (0..head.len()).map(|column| if column < texts { "---" } else { "--:" }).collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    for row in rows.iter().take(MOST_ROWS) {
        writeln!(out, "| {} |", line(&row.cells, !row.tone.is_empty()))?;
    }
    if rows.len() > MOST_ROWS {
        writeln!(out, "\n… and {} more in the HTML and JSON forms.", rows.len() - MOST_ROWS)?;
    }
    writeln!(out)
}
