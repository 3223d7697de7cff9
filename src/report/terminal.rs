//! A report for a terminal.

use std::fmt::Write;

use super::honest::HonestView;
use super::judged::CorrectedRow;
use super::text::escape_control;
use super::view::{Row, RuleRow, View};

/// Broken examples shown.
const MOST_FLIPS: usize = 5;
/// Characters of an answer.
const MOST_CHARACTERS: usize = 90;

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The report as text of about a hundred columns; the verdict is the first line.
#[must_use]
pub fn terminal(view: &View, color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = sections(&mut out, view, &paint);
    out
}

fn sections(out: &mut String, view: &View, paint: &Paint) -> std::fmt::Result {
    if let Some(decision) = view.decision {
        let badge = paint.with(if view.good { "1;32" } else { "1;31" }, decision);
        writeln!(out, "{badge}  {}  (exit {})", escape_control(&view.reason, 400), view.exit_code)?;
    }
    writeln!(out, "{}", escape_control(&view.subject, 200))?;
    writeln!(out, "{}\n", view.setting)?;
    table(out, view, paint)?;
    if !view.small_rows.is_empty() {
        let names: Vec<String> = view.small_rows.iter().map(|row| format!("{} ({})", row.slice, row.n)).collect();
        writeln!(out, "too small to test: {}", escape_control(&names.join(", "), 400))?;
    }
    if !view.regressed.is_empty() {
        writeln!(out, "\nregressed, the deepest fall first:")?;
    }
    for cell in &view.regressed {
        writeln!(out, "  {}", paint.with("1", &escape_control(&cell.name, 200)))?;
        writeln!(out, "      {}; {} broke, {} went the other way", cell.summary, cell.broke, cell.recovered)?;
    }
    broken(out, view)?;
    let rules: Vec<String> = view.rules.iter().map(RuleRow::line).collect();
    list(out, "rules", &rules)?;
    let corrected: Vec<String> = view.corrected.iter().map(CorrectedRow::line).collect();
    list(out, "judged rates, corrected by the labels", &corrected)?;
    list(out, "undecided", &view.undecided)?;
    let flips: Vec<String> =
        view.flips.iter().filter(|(_, n)| *n > 0).map(|(class, n)| format!("{n} {class}")).collect();
    if !flips.is_empty() {
        writeln!(out, "\nexamples that changed: {}", flips.join(", "))?;
    }
    honest(out, view)?;
    list(out, "warnings", &view.warnings)?;
    writeln!(out)?;
    for (label, text) in &view.provenance {
        writeln!(out, "{}", paint.with("2", &format!("{label:<9}{}", escape_control(text, 300))))?;
    }
    Ok(())
}

fn broken(out: &mut String, view: &View) -> std::fmt::Result {
    if view.broken.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nexamples that broke there ({}):", view.broken.len())?;
    for flip in view.broken.iter().take(MOST_FLIPS) {
        writeln!(
            out,
            "  {}  passes {}/{} → {}/{}",
            escape_control(&flip.id, 80),
            flip.baseline_passes,
            flip.baseline_trials,
            flip.head_passes,
            flip.head_trials
        )?;
        for (label, text) in [("input", &flip.input), ("before", &flip.baseline_answer), ("now", &flip.head_answer)] {
            if let Some(text) = text {
                writeln!(out, "      {label:<7}{}", escape_control(text, MOST_CHARACTERS))?;
            }
        }
    }
    if view.broken.len() > MOST_FLIPS {
        writeln!(out, "  … and {} more", view.broken.len() - MOST_FLIPS)?;
    }
    Ok(())
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    items.iter().try_for_each(|item| writeln!(out, "  - {}", escape_control(item, 500)))
}

fn honest(out: &mut String, view: &View) -> std::fmt::Result {
    if view.honest.rows.is_empty() {
        return Ok(());
    }
    list(out, "an afternoon's rules", &view.honest.sentences)?;
    let mut lines = vec![HonestView::HEADINGS.map(str::to_owned)];
    lines.extend(view.honest.rows.iter().map(|row| row.cells().map(|cell| escape_control(&cell, 80))));
    let widths: [usize; 7] =
        std::array::from_fn(|column| lines.iter().map(|line| width(&line[column])).max().unwrap_or(0));
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let gap = " ".repeat(widths[column] - width(cell));
            let (before, after) = if matches!(column, 0 | 1 | 6) { ("", gap.as_str()) } else { (gap.as_str(), "") };
            write!(text, "  {before}{cell}{after}")?;
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn table(out: &mut String, view: &View, paint: &Paint) -> std::fmt::Result {
    let several = view.rows.iter().any(|row| row.metric != view.rows[0].metric);
    let cells = |row: &Row| -> Vec<String> {
        let name = if several { format!("{} @ {}", row.metric, row.slice) } else { row.slice.clone() };
        [
            &escape_control(&name, 60),
            &row.n,
            &row.baseline,
            &row.head,
            &row.delta,
            &row.ci,
            &row.plot,
            &row.p,
            &row.state,
        ]
        .into_iter()
        .cloned()
        .collect()
    };
    let axis = format!("{:<12}0{:>12}", view.axis.0, view.axis.1);
    let mut lines: Vec<Vec<String>> = vec![
        ["slice", "n", "baseline", "head", "delta", "95 %", &axis, view.p_heading, ""].map(str::to_owned).to_vec(),
    ];
    lines.extend(view.rows.iter().map(cells));
    let widths: Vec<usize> =
        (0..lines[0].len()).map(|column| lines.iter().map(|line| width(&line[column])).max().unwrap_or(0)).collect();
    for (index, line) in lines.iter().enumerate() {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let gap = " ".repeat(widths[column] - width(cell));
            // Names, plots and states to the left, numbers to the right.
            let (before, after) = if matches!(column, 0 | 6 | 8) { ("", gap.as_str()) } else { (gap.as_str(), "") };
            write!(text, "{}{before}{cell}{after}", if column == 0 { "" } else { "  " })?;
        }
        let text = text.trim_end();
        let bad = index > 0 && view.rows[index - 1].bad;
        writeln!(out, "{}", if bad { paint.with("31", text) } else { text.to_owned() })?;
    }
    Ok(())
}
