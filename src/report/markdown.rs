//! A report in GitHub's Markdown.

use std::fmt::Write;

use super::text::escape_markdown;
use super::view::{Row, View};

/// Broken examples shown.
const MOST_FLIPS: usize = 10;
/// Characters of an answer.
const MOST_CHARACTERS: usize = 300;

/// The report as Markdown; the verdict is the heading.
#[must_use]
pub fn markdown(view: &View) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = sections(&mut out, view);
    out
}

fn sections(out: &mut String, view: &View) -> std::fmt::Result {
    match view.decision {
        Some(decision) => {
            let mark = if view.good { "✅" } else { "❌" };
            writeln!(out, "## {mark} {decision}: {}\n", escape_markdown(&view.reason, 400))?;
        }
        None => writeln!(out, "## Comparison\n")?,
    }
    writeln!(out, "**{}** · {}\n", escape_markdown(&view.subject, 200), view.setting)?;
    if !view.regressed.is_empty() {
        writeln!(out, "### Regressed, the deepest fall first\n")?;
        for cell in &view.regressed {
            let name = escape_markdown(&cell.name, 200);
            writeln!(
                out,
                "- **{name}**: {}; {} broke, {} went the other way",
                cell.summary, cell.broke, cell.recovered
            )?;
        }
        writeln!(out)?;
    }
    broken(out, view)?;
    table(out, view, &view.rows)?;
    if !view.small_rows.is_empty() {
        writeln!(out, "<details><summary>{} slices too small to test</summary>\n", view.small_rows.len())?;
        table(out, view, &view.small_rows)?;
        writeln!(out, "</details>\n")?;
    }
    list(out, "Undecided, and what would settle it", &view.undecided)?;
    let flips: Vec<String> =
        view.flips.iter().filter(|(_, n)| *n > 0).map(|(class, n)| format!("{n} {class}")).collect();
    if !flips.is_empty() {
        writeln!(out, "Examples that changed: {}.\n", flips.join(", "))?;
    }
    list(out, "Warnings", &view.warnings)?;
    writeln!(out, "<details><summary>Provenance and method</summary>\n")?;
    for (label, text) in &view.provenance {
        writeln!(out, "- {label}: {}", escape_markdown(text, 300))?;
    }
    for sentence in &view.method {
        writeln!(out, "- {sentence}")?;
    }
    writeln!(out, "\n</details>")
}

fn broken(out: &mut String, view: &View) -> std::fmt::Result {
    if view.broken.is_empty() {
        return Ok(());
    }
    let shown = view.broken.len().min(MOST_FLIPS);
    writeln!(out, "<details><summary>Examples that broke there ({shown} of {})</summary>\n", view.broken.len())?;
    writeln!(out, "| example | passes | input | before | now |\n| --- | --- | --- | --- | --- |")?;
    for flip in view.broken.iter().take(MOST_FLIPS) {
        let text = |text: &Option<String>| escape_markdown(text.as_deref().unwrap_or("–"), MOST_CHARACTERS);
        writeln!(
            out,
            "| {} | {}/{} → {}/{} | {} | {} | {} |",
            escape_markdown(&flip.id, 80),
            flip.baseline_passes,
            flip.baseline_trials,
            flip.head_passes,
            flip.head_trials,
            text(&flip.input),
            text(&flip.baseline_answer),
            text(&flip.head_answer)
        )?;
    }
    writeln!(out, "\n</details>\n")
}

fn table(out: &mut String, view: &View, rows: &[Row]) -> std::fmt::Result {
    let with_state = view.decision.is_some();
    write!(
        out,
        "| cell | n | baseline | head | Δ | 95 % | `{} … {}` | {} |",
        view.axis.0, view.axis.1, view.p_heading
    )?;
    writeln!(out, "{}", if with_state { " state |" } else { "" })?;
    write!(out, "| --- | --: | --: | --: | --: | --- | --- | --: |")?;
    writeln!(out, "{}", if with_state { " --- |" } else { "" })?;
    for row in rows {
        let bold = if row.bad { "**" } else { "" };
        let plot = if row.plot.is_empty() { String::new() } else { format!("`{}`", row.plot) };
        write!(
            out,
            "| {bold}{} @ {}{bold} | {} | {} | {} | {} | {} | {plot} | {} |",
            escape_markdown(&row.metric, 60),
            escape_markdown(&row.slice, 100),
            row.n,
            row.baseline,
            row.head,
            row.delta,
            row.ci,
            row.p,
        )?;
        writeln!(out, "{}", if with_state { format!(" {bold}{}{bold} |", row.state) } else { String::new() })?;
    }
    writeln!(out)
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {title}\n")?;
    items.iter().try_for_each(|item| writeln!(out, "- {}", escape_markdown(item, 500)))?;
    writeln!(out)
}
