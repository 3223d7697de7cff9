//! Reports: for a terminal, in Markdown, and as one page that asks nobody for anything.

use std::fmt::Write as _;

use crate::bench::Bench;

const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=y> \"quoted\" | `tick` @someone http://evil.example";

/// A hundred and twenty items with a hostile text everywhere a text can be.
fn hostile() -> Bench {
    let bench = Bench::new();
    let cell = format!("\"{}\"", HOSTILE.replace('"', "\"\""));
    let mut text = format!("id,a,b,c,j,why,{cell}\n");
    for item in 0..120 {
        let label = if item % 2 == 0 { "pass" } else { "fail" };
        let says = if item % 6 == 0 { "fail" } else { label };
        let _ = writeln!(text, "\"i{item:03}\u{202e}<b>\",{label},{label},{label},{says},{cell},{cell}");
    }
    bench.file("t.csv", text);
    bench
}

fn run(bench: &Bench, format: &str) -> String {
    let ran = bench.run(&[
        "calibrate",
        "--table",
        "t.csv",
        "--raters",
        "a,b,c",
        "--judge",
        "j",
        "--rationale",
        "why",
        "--show",
        HOSTILE,
        "--format",
        format,
    ]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn the_page_is_whole_and_every_text_is_a_text() {
    let bench = hostile();
    let page = run(&bench, "html");
    assert_eq!(page, run(&bench, "html"));
    for markup in ["<script", "<img", "<link", "<iframe", "@import", "url(", " src=\"", " href=\"", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;"), "the text itself is shown");
    assert!(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("width=device-width") && page.contains("class=\"matrix\""));
    assert!(page.contains("may be used for <strong>"));
}

#[test]
fn the_diagram_is_drawn_where_grades_map_to_probabilities() {
    let bench = Bench::new();
    let mut text = "id,human,j\n".to_owned();
    for item in 0..200 {
        let passes = u8::from(item * 7 % 10 < item / 20);
        let _ = writeln!(text, "i{item:03},{passes},{:.2}", f64::from(item) / 200.0);
    }
    bench.file("t.csv", text);
    let line = ["calibrate", "--table", "t.csv", "--raters", "human", "--judge", "j", "--pass-at", "1"];
    let page = bench.run(&[&line[..], &["--output", "page.html"]].concat());
    assert_eq!((page.exit, page.stdout.as_str()), (0, ""), "the ending of the file says the format: {}", page.stderr);
    let page = bench.read("page.html");
    assert!(page.contains("<svg") && page.matches("<circle").count() >= 3, "{page}");
    let text = bench.run(&line).stdout;
    assert!(text.contains("AUROC") && text.contains("people pass"), "{text}");
}

#[test]
fn markdown_and_terminal_keep_hostile_texts_in_their_place() {
    let bench = hostile();
    let text = run(&bench, "md");
    assert!(!text.contains("<script") && !text.contains("http://evil") && text.contains("&#124;"), "{text}");
    let text = run(&bench, "text");
    assert!(!text.contains('\u{202e}') && text.contains("may be used for"), "{text}");
    let first = text.lines().take(4).collect::<String>();
    assert!(first.contains("may be used for"), "what it may be used for comes first: {first}");
}

#[test]
fn only_reports_are_pages() {
    let bench = Bench::new();
    let ran = bench.run(&["list", "metrics", "--format", "html"]);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("this verb makes none"), "{}", ran.stderr);
}

/// Several judges stand side by side with what they cost.
#[test]
fn judges_side_by_side() {
    let bench = Bench::new();
    let mut text = "id,a,b,big,small,big_usd,small_usd,big_ms,small_ms\n".to_owned();
    for item in 0..80 {
        let label = item % 2;
        let small = if item % 9 == 0 { 1 - label } else { label };
        let _ = writeln!(text, "i{item},{label},{label},{label},{small},0.02,0.001,900,120");
    }
    bench.file("t.csv", text);
    let ran = bench.run(&[
        "calibrate",
        "--table",
        "t.csv",
        "--raters",
        "a,b",
        "--judge",
        "big,small",
        "--cost",
        "big_usd,small_usd",
        "--latency",
        "big_ms,small_ms",
    ]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("judges side by side"), "{}", ran.stdout);
    for part in ["0.0200 $", "0.001000 $", "900 ms", "120 ms"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}
