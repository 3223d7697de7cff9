//! A report in GitHub's Markdown.

use std::fmt::Write;

use super::honest::HonestView;
use super::judged::CORRECTED;
use super::text::escape_markdown;
use super::view::{Row, View, grouped_digits};

/// Broken examples shown.
const MOST_FLIPS: usize = 10;
/// Characters of an answer.
const MOST_CHARACTERS: usize = 300;

/// How long the text may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A comment on a pull request: 65,536 characters.
    Comment,
    /// A step's summary: 1 MiB.
    Summary,
}

impl Limit {
    /// Whether a text keeps to it, with a little room for what the publisher adds.
    fn holds(self, text: &str) -> bool {
        match self {
            // GitHub counts characters as UTF-16 does.
            Self::Comment => text.encode_utf16().count() <= 65_536 - 512,
            Self::Summary => text.len() <= (1 << 20) - 4096,
        }
    }
}

/// A part of the report that is shown whole or not at all.
struct Section {
    name: &'static str,
    text: String,
}

/// The report as Markdown; the verdict is the heading. Where it would be longer than the limit, whole sections are left out,
/// the last ones first, and the text says which.
#[must_use]
pub fn markdown(view: &View, limit: Limit) -> String {
    let mut sections = Vec::new();
    let mut add = |name: &'static str, write: &dyn Fn(&mut String) -> std::fmt::Result| {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write(&mut text);
        sections.push(Section { name, text });
    };
    add("verdict", &|out| head(out, view));
    add("regressed cells", &|out| regressed(out, view));
    add("rules", &|out| rules(out, view));
    add("corrected rates", &|out| corrected(out, view));
    add("what to do", &|out| list(out, "What to do", &view.next_steps));
    add("metrics", &|out| estimates(out, view));
    add("examples that broke", &|out| broken(out, view));
    add("cells", &|out| table(out, view, &view.rows));
    add("slices too small to test", &|out| small(out, view));
    add("undecided", &|out| list(out, "Undecided, and what would settle it", &view.undecided));
    add("examples that changed", &|out| changed(out, view));
    add("honest baselines", &|out| honest(out, view));
    add("warnings", &|out| list(out, "Warnings", &view.warnings));
    add("cost and latency", &|out| costs(out, view));
    add("scores by length", &|out| lengths(out, view));
    add("provenance", &|out| folded(out, "Provenance", view.provenance.iter().map(|(a, b)| format!("{a}: {b}"))));
    add("method", &|out| folded(out, "Method", view.method.iter().cloned()));
    fit(sections, limit)
}

/// As many sections as the limit allows, from the front.
fn fit(mut sections: Vec<Section>, limit: Limit) -> String {
    let mut dropped: Vec<&'static str> = Vec::new();
    loop {
        let mut text: String = sections.iter().map(|section| section.text.as_str()).collect();
        if !dropped.is_empty() {
            dropped.sort_unstable();
            text.push_str(&format!(
                "> Left out to stay within GitHub's limit: {}. The HTML report has everything.\n",
                dropped.join(", ")
            ));
        }
        if limit.holds(&text) || sections.len() == 1 {
            return text;
        }
        if let Some(section) = sections.pop().filter(|section| !section.text.is_empty()) {
            dropped.push(section.name);
        }
    }
}

fn head(out: &mut String, view: &View) -> std::fmt::Result {
    match view.decision {
        Some(decision) => {
            let mark = if view.good { "✅" } else { "❌" };
            writeln!(out, "## {mark} {decision}: {}\n", escape_markdown(&view.reason, 400))?;
        }
        None if view.estimates.is_empty() => writeln!(out, "## Comparison\n")?,
        None => writeln!(out, "## Record\n")?,
    }
    writeln!(out, "**{}** · {}\n", escape_markdown(&view.subject, 200), view.setting)
}

fn regressed(out: &mut String, view: &View) -> std::fmt::Result {
    if view.regressed.is_empty() {
        return Ok(());
    }
    writeln!(out, "### Regressed, the deepest fall first\n")?;
    for cell in &view.regressed {
        let name = escape_markdown(&cell.name, 200);
        writeln!(out, "- **{name}**: {}; {} broke, {} went the other way", cell.summary, cell.broke, cell.recovered)?;
    }
    writeln!(out)
}

fn rules(out: &mut String, view: &View) -> std::fmt::Result {
    if view.rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "### Rules\n\n| rule | about | state | why |\n| --- | --- | --- | --- |")?;
    for row in &view.rules {
        let bold = if row.bad { "**" } else { "" };
        let (subject, detail) = (escape_markdown(&row.subject, 120), escape_markdown(&row.detail, 300));
        writeln!(out, "| {} | {subject} | {bold}{}{bold} | {detail} |", row.rule, row.state)?;
    }
    writeln!(out)
}

fn estimates(out: &mut String, view: &View) -> std::fmt::Result {
    if view.estimates.is_empty() {
        return Ok(());
    }
    writeln!(out, "| metric | estimate | value | 95 % | passed | scored | unscored |")?;
    writeln!(out, "| --- | --- | --: | --: | --: | --: | --: |")?;
    for row in &view.estimates {
        let name = escape_markdown(&row.metric, 100);
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            row.estimate, row.value, row.ci, row.passed, row.scored, row.unscored
        )?;
    }
    writeln!(out)
}

fn broken(out: &mut String, view: &View) -> std::fmt::Result {
    if view.broken.is_empty() {
        return Ok(());
    }
    let shown = view.broken.len().min(MOST_FLIPS);
    writeln!(out, "<details><summary>Examples that broke there ({shown} of {})</summary>\n", view.broken.len())?;
    let has_texts = view.broken.iter().any(|flip| flip.baseline_answer.is_some() || flip.head_answer.is_some());
    let (heading, rule) = if has_texts { (" input | before | now |", " --- | --- | --- |") } else { ("", "") };
    writeln!(out, "| example | passes |{heading}\n| --- | --- |{rule}")?;
    for flip in view.broken.iter().take(MOST_FLIPS) {
        let text = |text: &Option<String>| escape_markdown(text.as_deref().unwrap_or("–"), MOST_CHARACTERS);
        write!(
            out,
            "| {} | {}/{} → {}/{} |",
            escape_markdown(&flip.id, 80),
            flip.baseline_passes,
            flip.baseline_trials,
            flip.head_passes,
            flip.head_trials,
        )?;
        if has_texts {
            let [input, before, now] = [&flip.input, &flip.baseline_answer, &flip.head_answer].map(text);
            write!(out, " {input} | {before} | {now} |")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "\n</details>\n")
}

fn small(out: &mut String, view: &View) -> std::fmt::Result {
    if view.small_rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{} slices too small to test</summary>\n", view.small_rows.len())?;
    table(out, view, &view.small_rows)?;
    writeln!(out, "</details>\n")
}

fn changed(out: &mut String, view: &View) -> std::fmt::Result {
    let flips: Vec<String> = view
        .flips
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(class, n)| format!("{} {class}", grouped_digits(*n as u64)))
        .collect();
    if flips.is_empty() { Ok(()) } else { writeln!(out, "Examples that changed: {}.\n", flips.join(", ")) }
}

fn table(out: &mut String, view: &View, rows: &[Row]) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
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
            "| {bold}{}{bold} | {} | {} | {} | {} | {} | {plot} | {} |",
            escape_markdown(&format!("{} @ {}", row.metric, row.slice), 160),
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

fn honest(out: &mut String, view: &View) -> std::fmt::Result {
    if view.honest.rows.is_empty() {
        return Ok(());
    }
    list(out, "Does it beat an afternoon's rules?", &view.honest.sentences)?;
    writeln!(out, "| {} |\n| --- | --- | --: | --: | --: | --: | --- |", HonestView::HEADINGS.join(" | "))?;
    for row in &view.honest.rows {
        writeln!(out, "| {} |", row.cells().map(|cell| escape_markdown(&cell, 160)).join(" | "))?;
    }
    writeln!(out)
}

fn costs(out: &mut String, view: &View) -> std::fmt::Result {
    if view.costs.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>Cost and latency</summary>\n")?;
    let alone = !view.estimates.is_empty();
    writeln!(
        out,
        "{}",
        if alone { "| figure | record |\n| --- | --: |" } else { "| figure | baseline | head |\n| --- | --: | --: |" }
    )?;
    for cost in &view.costs {
        let before = if alone { String::new() } else { format!(" {} |", cost.baseline) };
        writeln!(out, "| {} |{before} {} |", cost.what, cost.head)?;
    }
    writeln!(out, "\n</details>\n")
}

/// What judged rates come to, beside what the judge said.
fn corrected(out: &mut String, view: &View) -> std::fmt::Result {
    if view.corrected.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>Judged rates, corrected by the labels</summary>\n")?;
    writeln!(out, "| metric | side | judge | two-source | PPI++ |\n| --- | --- | --: | --: | --: |")?;
    for row in &view.corrected {
        let metric = escape_markdown(&row.metric, 100);
        writeln!(out, "| {metric} | {} | {} | {} | {} |", row.side, row.raw, row.corrected, row.ppi)?;
    }
    writeln!(out, "\n{CORRECTED}\n\n</details>\n")
}

/// What judges say by the length of the answer.
fn lengths(out: &mut String, view: &View) -> std::fmt::Result {
    for table in &view.lengths {
        let (scorer, judge) = (escape_markdown(&table.scorer, 100), escape_markdown(&table.judge, 80));
        writeln!(out, "<details><summary>Scores by length of the answer: {scorer}, by {judge}</summary>\n")?;
        writeln!(out, "| characters | {} |\n| --- |{}", table.head.join(" | "), " --: |".repeat(table.head.len()))?;
        for row in &table.rows {
            writeln!(out, "| {} | {} |", row.length, row.cells.join(" | "))?;
        }
        writeln!(out, "\nRank correlation of length and score: {}.\n\n</details>\n", table.correlation)?;
    }
    Ok(())
}

fn folded(out: &mut String, title: &str, lines: impl Iterator<Item = String>) -> std::fmt::Result {
    writeln!(out, "<details><summary>{title}</summary>\n")?;
    for line in lines {
        writeln!(out, "- {}", escape_markdown(&line, 400))?;
    }
    writeln!(out, "\n</details>\n")
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {title}\n")?;
    items.iter().try_for_each(|item| writeln!(out, "- {}", escape_markdown(item, 500)))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &'static str, text: &str) -> Section {
        Section { name, text: text.to_owned() }
    }

    #[test]
    fn whole_sections_go_the_last_ones_first_and_are_named() {
        let long = "x".repeat(40_000);
        let sections = || {
            vec![
                section("verdict", "V\n"),
                section("cells", &long),
                section("undecided", &long),
                section("method", "M\n"),
            ]
        };
        let text = fit(sections(), Limit::Comment);
        assert!(text.starts_with("V\nx") && !text.contains("M\n") && text.len() < 65_536, "{} bytes", text.len());
        assert!(text.ends_with(
            "> Left out to stay within GitHub's limit: method, undecided. The HTML report has everything.\n"
        ));
        assert!(fit(sections(), Limit::Summary).ends_with("M\n"));
    }

    #[test]
    fn characters_are_counted_as_github_counts_them() {
        // Thirty-three thousand emoji are 66,000 units of UTF-16.
        let text = fit(vec![section("verdict", "V\n"), section("cells", &"🙂".repeat(33_000))], Limit::Comment);
        assert!(text.contains("Left out"));
    }
}
