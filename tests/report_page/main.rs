//! The report in a browser: it shows what it should, its controls work, it asks nobody for anything, it stays fast.
//!
//! `EVALGAUGE_SCREENSHOTS=FOLDER` keeps pictures of a pass, a fail and an inconclusive report, of a long one and of one with
//! every drawing, at three widths, light and dark.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::format_collect, reason = "test program")]
#![allow(dead_code, reason = "the harness is shared with other test programs")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

#[path = "../browser_support/mod.rs"]
mod browser_support;
#[path = "../cli/harness.rs"]
mod harness;

use browser_support::{Browser, Page, say};
use harness::{AS_OF, Harness};

const WORDS: [&str; 12] =
    ["refund", "invoice", "delivery", "account", "the", "customer", "asked", "about", "a", "late", "parcel", "again"];
const TEAMS: [&str; 4] = ["billing", "shipping", "accounts", "legal"];

/// Some words that are the same for everybody.
fn prose(seed: usize, words: usize) -> String {
    (0..words).map(|at| WORDS[(seed * 7 + at * at + at * seed) % WORDS.len()]).collect::<Vec<_>>().join(" ")
}

/// A triage of `examples` tickets: the head is wrong about most tickets of tier 1 that the baseline was right about.
fn project(examples: usize) -> Harness {
    let ticket = |i: usize| {
        let locale = ["en", "de", "pt"][i / 3 % 3];
        let label = json!({"tier": (1 + i % 3).to_string(), "locale": locale});
        let input = format!("Ticket {i}: {}", prose(i, 60));
        format!(
            "{}\n",
            json!({"id": format!("t{i:05}"), "input": input, "expected": {"team": TEAMS[i % 4]}, "labels": label})
        )
    };
    let answer = |i: usize, is_head: bool| {
        let wrong = i % 11 == 5 || is_head && i.is_multiple_of(3) && i % 4 != 1;
        let team = TEAMS[(i + usize::from(wrong)) % 4];
        let sure = [0.55, 0.7, 0.85, 0.95][i % 4];
        let said = format!(
            "{} so this is one for {team}, {}",
            prose(i + 3, 12),
            prose(i + usize::from(is_head) * (i % 2), 18)
        );
        format!(
            "{}\n",
            json!({"id": format!("t{i:05}"), "answer": json!({"team": team, "sure": sure, "why": said}).to_string()})
        )
    };
    Harness::new()
        .config(
            "evalset = \"tickets\"\ncandidate = \"base\"\n[candidates.base.replay]\nfile = \"base.jsonl\"\n\
             [candidates.head.replay]\nfile = \"head.jsonl\"\n\
             [scorers.team.label]\nanswer = \"/team\"\nexpected = \"/team\"\nconfidence = \"/sure\"\n\
             labels = [\"billing\", \"shipping\", \"accounts\", \"legal\"]\n\
             [scorers.polite.contains]\nanswer = \"/why\"\nany = [\"refund\", \"invoice\"]\n\
             [metrics]\nrouting = { scorer = \"team\", estimate = \"pass_rate\" }\npolite = { scorer = \"polite\" }\n\
             [gate]\nmetrics = [\"routing\"]\n",
        )
        .file("base.jsonl", (0..examples).map(|i| answer(i, false)).collect::<String>())
        .file("head.jsonl", (0..examples).map(|i| answer(i, true)).collect::<String>())
        .evalset("tickets", &(0..examples).map(ticket).collect::<String>())
}

/// The page of a check of `head` against the blessed `base`.
fn failing(project: &Harness) -> PathBuf {
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.run(&["check", "--candidate", "head", "--base", "base", "--as-of", AS_OF, "-o", "page.html"]).exit(1);
    project.path("page.html")
}

fn open(page: &Page<'_>, file: &Path) {
    page.open(&format!("file://{}", file.display()));
    page.wait("document.documentElement.dataset.ready === 'all'");
}

/// Nothing but the file itself was asked for, and nobody complained.
#[track_caller]
fn is_quiet(page: &Page<'_>) {
    assert_eq!(page.problems(), Vec::<String>::new());
    let asked: Vec<String> = page
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with("file://") && !url.starts_with("data:image/svg"))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
}

fn count_shown(page: &Page<'_>) -> String {
    page.wait("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    page.text("#count")
}

#[test]
fn what_is_shown_and_what_the_controls_do() {
    let Some(browser) = Browser::start() else { return };
    let project = project(120);
    let file = failing(&project);
    let page = browser.page();
    page.view(1400, 900, false);
    open(&page, &file);
    assert!(page.text("h1").contains("FAIL"));
    assert!(page.text("#regressed + p + ol").contains("tier=1"), "what fell is said first");
    assert_eq!(count_shown(&page), "120 of 120 examples");

    // What broke stands first, before and after side by side, with the words that differ marked.
    let first = "#grid tr.row";
    assert!(page.text(first).contains("broke"));
    let marked = |name: &str| page.evaluate(&format!("document.querySelector('#grid tr.row {name}').textContent"));
    assert_eq!((marked("del"), marked("ins")), (json!("billing"), json!("shipping")));

    // A search, a class, a slice, each alone and together.
    page.click("#search");
    page.type_text("t0000");
    assert_eq!(count_shown(&page), "10 of 120 examples");
    page.click("#reset");
    page.click(".states button:nth-child(2)");
    let broke = count_shown(&page);
    page.evaluate(
        "(() => { const s = document.querySelector('#slice'); s.value = [...s.options].find(o => o.text === 'tier=2').value; \
         s.dispatchEvent(new Event('change')); })()",
    );
    assert_eq!(count_shown(&page), "0 of 120 examples", "nothing of tier 2 broke, of {broke}");
    page.click("#reset");
    page.evaluate(
        "(() => { const m = document.querySelector('#metric'); m.value = '1'; m.dispatchEvent(new Event('change')); })()",
    );
    assert_eq!(count_shown(&page), "120 of 120 examples");
    page.click("#reset");

    // Sorting by id, downwards.
    page.click("#grid th:first-child button");
    page.click("#grid th:first-child button");
    assert_eq!(page.evaluate("document.querySelector('#grid th').getAttribute('aria-sort')"), "descending");
    assert!(page.text(first).contains("t00119"), "{}", page.text(first));

    // A row opens with the keyboard, and closes again.
    page.evaluate("document.querySelector('#grid tr.row button').focus()");
    page.press("Enter");
    page.wait("document.querySelector('#grid .detail .text') !== null");
    assert!(page.text("#grid .detail").contains("Ticket 119"));
    page.press("Enter");
    page.wait("document.querySelector('#grid .detail') === null");

    // From a cell to its examples.
    page.click("tr.bad .link");
    page.wait("document.querySelector('#metric').selectedIndex > 0");
    page.click(".card .show");
    is_quiet(&page);

    for width in [380, 800, 1400] {
        page.view(width, 900, width == 800);
        assert!(!page.scrolls_sideways(), "at {width}");
    }
    is_quiet(&page);
}

#[test]
fn nothing_runs_but_our_own_script() {
    let Some(browser) = Browser::start() else { return };
    let project = project(60);
    let file = failing(&project);
    let page = browser.page();
    open(&page, &file);
    // Whatever got into the page, the policy would neither run it nor fetch it.
    page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.planted = 1'; document.body.append(s); \
         document.body.insertAdjacentHTML('beforeend', '<img src=http://127.0.0.1:9/x onerror=\"window.planted = 2\">'); })()",
    );
    page.wait("new Promise(done => setTimeout(() => done(true), 100))");
    assert_eq!(page.evaluate("window.planted === undefined"), true);
    assert!(page.problems().iter().any(|problem| problem.contains("Content Security Policy")), "{:?}", page.problems());
}

/// Contrast of every visible text with what is behind it, the worst first: `[ratio, text]`.
const CONTRAST: &str = r"(() => {
  const parse = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const light = ([r, g, b]) => { const f = [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const behind = (node) => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    if (node.closest('svg') || ![...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim())) continue;
    if (!node.checkVisibility() || node.matches('script, noscript, option, optgroup')) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.className + ': ' + node.textContent.slice(0, 40)]);
  }
  return found.sort((a, b) => a[0] - b[0]).slice(0, 5);
})()";

#[test]
fn it_can_be_read_by_everybody() {
    let Some(browser) = Browser::start() else { return };
    let project = project(120);
    let file = failing(&project);
    let page = browser.page();
    for dark in [false, true] {
        page.view(1400, 900, dark);
        open(&page, &file);
        page.evaluate("document.querySelector('#grid tr.row button').click()");
        let worst = page.evaluate(CONTRAST);
        let ratio = worst[0][0].as_f64().unwrap();
        assert!(ratio >= 4.5, "dark {dark}: {worst}");
        say(&format!("contrast, dark {dark}: the least is {ratio:.1}:1"));
    }
    // Headings go down by one, every table has a caption and headings, every field a label, every button a name.
    let levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])");
    let levels: Vec<u64> = levels.as_array().unwrap().iter().map(|level| level.as_u64().unwrap()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 || pair[1] == 4), "{levels:?}");
    for (what, selector) in [
        ("a table without a caption", "table:not(:has(caption))"),
        ("a heading of a column without a scope", "thead th:not([scope])"),
        ("a field without a label", "input:not(label input), select:not(label select)"),
        ("a drawing without words", "svg:not([aria-label]):not([aria-hidden])"),
    ] {
        assert_eq!(page.evaluate(&format!("document.querySelectorAll({}).length", json!(selector))), 0, "{what}");
    }
    assert_eq!(
        page.evaluate("[...document.querySelectorAll('button')].every(b => (b.ariaLabel || b.textContent).trim())"),
        true
    );
    is_quiet(&page);
}

/// CPU time of the page's main thread so far, in milliseconds.
fn cpu(page: &Page<'_>) -> f64 {
    let metrics = page.call("Performance.getMetrics", &json!({}));
    let all = metrics["metrics"].as_array().unwrap();
    let task = all.iter().find(|metric| metric["name"] == "TaskDuration").unwrap();
    1000.0 * task["value"].as_f64().unwrap()
}

#[test]
fn twenty_thousand_examples() {
    let Some(browser) = Browser::start() else { return };
    let project = project(20_000);
    let file = failing(&project);
    let size = std::fs::metadata(&file).unwrap().len();
    let page = browser.page();
    page.view(1400, 900, false);
    page.call("Performance.enable", &json!({"timeDomain": "threadTicks"}));
    page.call("Page.setLifecycleEventsEnabled", &json!({"enabled": true}));
    let before = cpu(&page);
    page.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}));
    let painted = || {
        let events = page.events("Page.lifecycleEvent");
        events.iter().any(|event| event["name"] == "firstContentfulPaint")
    };
    while !painted() {
        page.call("Runtime.evaluate", &json!({"expression": "0"}));
    }
    let first_paint = cpu(&page) - before;
    page.wait("document.documentElement.dataset.ready === 'all'");
    let ready = cpu(&page) - before;
    assert_eq!(count_shown(&page), "20,000 of 20,000 examples");
    let rows = page.evaluate("document.querySelectorAll('#grid tr.row').length").as_u64().unwrap();
    assert!(rows < 60, "{rows} rows are drawn, though a few can be seen");

    let start = cpu(&page);
    page.click("#search");
    page.type_text("ticket 1999");
    assert_eq!(count_shown(&page), "12 of 20,000 examples");
    let filter = cpu(&page) - start;

    page.click("#reset");
    let start = cpu(&page);
    page.evaluate("document.querySelector('#grid').scrollTop = 1e9");
    page.wait("document.querySelector('#grid tr.row:last-of-type').getAttribute('aria-rowindex') > 19990");
    let scroll = cpu(&page) - start;
    say(&format!(
        "20,000 examples, {:.1} MB of HTML: {first_paint:.0} ms of CPU to the first paint, {ready:.0} ms until all is read, \
         {filter:.0} ms a filter, {scroll:.0} ms from one end to the other",
        size as f64 / 1e6
    ));
    is_quiet(&page);
    pictures(&page, &file, "long");
}

/// Keeps pictures where a folder is named.
fn pictures(page: &Page<'_>, file: &Path, name: &str) {
    let Some(folder) = std::env::var_os("EVALGAUGE_SCREENSHOTS").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (width, dark) in [(380, false), (380, true), (800, false), (800, true), (1400, false), (1400, true)] {
        page.view(width, 900, dark);
        open(page, file);
        count_shown(page);
        let scheme = if dark { "dark" } else { "light" };
        page.screenshot(&folder.join(format!("{name}-{width}-{scheme}.png")), true);
    }
    page.view(1400, 900, false);
    open(page, file);
    page.evaluate("document.querySelector('#grid tr.row button').click()");
    page.evaluate("document.querySelector('#examples').scrollIntoView()");
    count_shown(page);
    page.screenshot(&folder.join(format!("{name}-open.png")), false);
    page.view(380, 800, true);
    page.evaluate("document.querySelector('#examples').scrollIntoView()");
    count_shown(page);
    page.screenshot(&folder.join(format!("{name}-open-phone.png")), false);
}

#[test]
fn several_candidates_on_a_page() {
    let Some(browser) = Browser::start() else { return };
    let table = |candidate: usize| -> String {
        let row = |i: usize| {
            let passed = u8::from((i * 37 + candidate * i * i) % 100 < 50 + 6 * candidate);
            format!("e{i:03},{},{passed},{},{}\n", i % 4, 0.001 * (1 + candidate) as f64, 200 + i % 90 + 50 * candidate)
        };
        format!("id,topic,score,cost_usd,latency_ms\n{}", (0..300).map(row).collect::<String>())
    };
    let project = (0..6).fold(Harness::new(), |project, at| project.table(&format!("model-{at}.csv"), table(at)));
    let names: Vec<String> = (0..6).map(|at| format!("model-{at}.csv")).collect();
    let mut arguments = vec!["compare"];
    arguments.extend(names.iter().map(String::as_str));
    arguments.extend(["--slice", "topic", "-o", "several.html"]);
    project.run(&arguments).exit(0);
    let file = project.path("several.html");
    let page = browser.page();
    for (width, dark) in [(380, false), (800, true), (1400, false)] {
        page.view(width, 900, dark);
        page.open(&format!("file://{}", file.display()));
        assert!(page.text(".answer").contains("model-0.csv"));
        assert!(!page.scrolls_sideways(), "at {width}");
        let worst = page.evaluate(CONTRAST);
        assert!(worst[0][0].as_f64().unwrap() >= 4.5, "at {width}: {worst}");
        if let Some(folder) = std::env::var_os("EVALGAUGE_SCREENSHOTS").map(PathBuf::from) {
            page.screenshot(&folder.join(format!("several-{width}.png")), true);
        }
    }
    assert_eq!(page.evaluate("document.querySelectorAll('svg circle').length"), 6);
    assert_eq!(page.evaluate("document.scripts.length"), 0);
    is_quiet(&page);
}

#[test]
fn this_repositorys_own_reports() {
    let Some(browser) = Browser::start() else { return };
    let page = browser.page();
    let folder = tempfile::tempdir().unwrap();
    let worse = ["--candidate", "rules-worse", "--base", "rules"];
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, more, word) in [
        ("pass", &[][..], "PASS"),
        ("fail", &worse, "FAIL"),
        ("inconclusive", &[&worse[..], &["--alpha", "1e-20", "--fail-undecided"]].concat(), "INCONCLUSIVE"),
    ] {
        let file = folder.path().join(format!("{name}.html"));
        // The repository's own project, copied: runs are written beside it.
        let copy = folder.path().join(name);
        for part in ["evalgauge.toml", "evalsets", "reports/baseline"] {
            let (from, to) = (repository.join(part), copy.join(part));
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
            assert!(copied.success());
        }
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_evalgauge"))
            .args(["check", "--cache", "off", "--as-of", AS_OF, "-q", "-o", file.to_str().unwrap()])
            .args(more)
            .current_dir(&copy)
            .output()
            .unwrap();
        assert!(output.status.code().is_some_and(|code| code != 2), "{}", String::from_utf8_lossy(&output.stderr));
        open(&page, &file);
        assert!(page.text("h1").contains(word), "{name}: {}", page.text("h1"));
        is_quiet(&page);
        pictures(&page, &file, name);
    }
}

#[test]
fn every_drawing() {
    let Some(browser) = Browser::start() else { return };
    let project = project(240);
    failing(&project);
    // A price for every answer, as a model would have one: what answers cost is beside the digest, not in it.
    let mut records = Vec::new();
    for entry in std::fs::read_dir(project.path("reports")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("samples.parquet").is_file() {
            let mut record = evalgauge::record::load(&folder).unwrap();
            let price = 0.0004 * (records.len() + 1) as f64;
            record.samples.iter_mut().for_each(|sample| sample.cost_usd = Some(price));
            evalgauge::record::save(&folder, &record).unwrap();
            records.push(folder.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    records.sort();
    let looks: String = (0..30)
        .map(|i| {
            let decision = if i % 9 == 8 { "fail" } else { "pass" };
            let share = 0.86 + 0.02 * f64::from(i % 5) - if i % 9 == 8 { 0.2 } else { 0.0 };
            let line =
                json!({"date": format!("2026-10-{:02}", i + 1), "decision": decision, "metrics": {"routing": share}});
            format!("{line}\n")
        })
        .collect();
    project.write("reports/history.jsonl", looks);
    let [base, head] = [&records[0], &records[1]];
    project.run(&["report", head, "--base", base, "--with", base, "--as-of", AS_OF, "-o", "all.html"]).exit(0);
    let file = project.path("all.html");
    let page = browser.page();
    page.view(1400, 900, false);
    open(&page, &file);
    for heading in ["#confusion", "#reliability", "#scatter", "#trend", "#costs"] {
        assert_eq!(page.evaluate(&format!("document.querySelector('{heading}') !== null")), true, "{heading}");
    }
    let numbers: Value = page.evaluate("[...document.querySelectorAll('svg *')].flatMap(e => [...e.attributes]).filter(a => /NaN|undefined|Infinity/.test(a.value)).length");
    assert_eq!(numbers, 0, "a place that is no number");
    is_quiet(&page);
    pictures(&page, &file, "all");
}
