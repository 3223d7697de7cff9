//! The page in a real browser, used with the keyboard as a rater would.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser_support::{Browser, Page};
use crate::desk::{Desk, GRADE, PAIRWISE, RUBRIC, SECRET, items, lines};

/// Where pictures of the page go, for people to look at; without it none are taken.
const PICTURES: &str = "EVALGAUGE_SCREENSHOTS";

const SAVED: &str = "document.querySelector('#status').textContent === 'Saved'";

/// Waits until the texts of an item are on the screen.
fn shown(page: &Page<'_>, place: usize) {
    page.wait(&format!(
        "document.querySelector('#place').textContent.startsWith('Item {place} of') && \
         !document.querySelector('.level').disabled"
    ));
}

/// The page asked only its own server, and nothing was wrong but what is named.
fn clean(page: &Page<'_>, url: &str, known: &[&str]) {
    let (server, _) = url.split_once("//").map(|(_, rest)| rest.split_once('/').unwrap()).unwrap();
    let own = format!("http://{server}/");
    let foreign: Vec<String> =
        page.requests().into_iter().filter(|asked| !asked.starts_with(&own) && asked != "data:,").collect();
    assert_eq!(foreign, Vec::<String>::new(), "requests that left the page");
    assert!(page.requests().len() > 2);
    let mut problems = page.problems();
    problems.retain(|problem| !known.iter().any(|known| problem.contains(known)));
    assert_eq!(problems, Vec::<String>::new());
}

/// Takes a picture of the window, where pictures are wanted.
fn picture(page: &Page<'_>, name: &str) {
    if let Some(folder) = std::env::var_os(PICTURES).map(PathBuf::from) {
        page.screenshot(&folder.join(format!("{name}.png")), false);
    }
}

/// The pressed levels of the item on the screen, by dimension.
fn pressed(page: &Page<'_>) -> Value {
    page.evaluate(
        "[...document.querySelectorAll('fieldset')].map(field => \
         [...field.querySelectorAll('.level')].findIndex(one => one.getAttribute('aria-pressed') === 'true'))",
    )
}

#[test]
fn twenty_items_are_graded_by_keyboard_through_a_crash() {
    let Some(browser) = Browser::start() else { return };
    let desk = Desk::new(RUBRIC, &items(20));
    let mut served = desk.serve("r1");
    let page = browser.page();
    page.open(&served.url);
    let given = |at: usize| [(at * 7 + 1) % 4, (at * 3 + 2) % 4];
    for at in 0..12 {
        shown(&page, at + 1);
        for level in given(at) {
            page.press(&level.to_string());
        }
        page.press("n");
    }
    page.wait(SAVED);
    assert_eq!(page.text("#count"), "12 of 20 graded");
    assert_eq!(desk.labels("r1").len(), 24);

    // The program dies, and the rater goes on: the next texts are there already.
    served.kill();
    shown(&page, 13);
    for level in given(12) {
        page.press(&level.to_string());
    }
    page.wait("document.querySelector('#status').textContent === 'Not saved: 2 changes wait'");
    assert!(page.text("#trouble").contains("the program does not answer"), "{}", page.text("#trouble"));
    for (width, dark) in [(380, false), (1400, true)] {
        page.view(width, 800, dark);
        assert_eq!(low_contrast(&page), json!([]), "what is not saved is readable");
        picture(&page, &format!("not-saved-{width}"));
    }
    assert_eq!(page.text("fieldset .state"), "not saved");
    page.press("n");
    shown(&page, 14);
    page.press(&given(13)[0].to_string());
    page.press("u");
    page.press(&given(13)[0].to_string());
    page.press(&given(13)[1].to_string());
    page.wait("document.querySelector('#status').textContent === 'Not saved: 4 changes wait'");
    assert_eq!(desk.labels("r1").len(), 24, "nothing of that is in the file");

    // It is started again, and everything arrives without a hand.
    let mut served = desk.serve("r1");
    page.wait(SAVED);
    assert_eq!(page.evaluate("document.querySelector('#trouble').hidden"), true);
    assert_eq!(desk.labels("r1").len(), 28);

    // It dies again under an unsaved grade; the tab is closed over it and comes back.
    page.press("n");
    shown(&page, 15);
    served.kill();
    for level in given(14) {
        page.press(&level.to_string());
    }
    page.wait("document.querySelector('#status').textContent.startsWith('Not saved: 2')");
    let served = desk.serve("r1");
    page.open(&served.url);
    assert!(page.dialogs().iter().all(|dialog| dialog == "beforeunload"), "{:?}", page.dialogs());
    page.wait(SAVED);
    shown(&page, 16);
    for at in 15..20 {
        shown(&page, at + 1);
        for level in given(at) {
            page.press(&level.to_string());
        }
        page.press("ArrowRight");
    }
    page.wait("!document.querySelector('#done').hidden");
    assert_eq!(page.text("#count"), "20 of 20 graded");
    picture(&page, "done");
    clean(&page, &served.url, &["net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE"]);

    // Everything is in the file, as it was given, and a fresh tab shows it.
    let keys = served.keys();
    let sheet = served.get("api/sheet");
    for (at, key) in keys.iter().enumerate() {
        for (dimension, level) in given(at).into_iter().enumerate() {
            assert_eq!(sheet["labels"][key][dimension.to_string()]["level"], level, "item {at}");
        }
    }
    let labels = desk.labels("r1");
    assert_eq!(labels.len(), 40);
    assert!(labels.iter().all(|label| label["rater"] == "r1" && label["id"].as_str().unwrap().starts_with(SECRET)));
    let fresh = browser.page();
    fresh.open(&served.url);
    shown(&fresh, 1);
    assert_eq!(pressed(&fresh), json!(given(0)));
    assert!(!fresh.evaluate("document.documentElement.outerHTML").as_str().unwrap().contains(SECRET));
    clean(&fresh, &served.url, &[]);
}

#[test]
fn a_rater_goes_back_changes_undoes_and_says_why() {
    let Some(browser) = Browser::start() else { return };
    let desk = Desk::new(RUBRIC, &items(3));
    let served = desk.serve("r1");
    let page = browser.page();
    page.open(&served.url);
    shown(&page, 1);
    assert!(page.evaluate("document.activeElement.id") == "place", "the item has the focus");
    // A note before the grade is kept with it.
    page.press("w");
    page.type_text("points at db-1, n p 3");
    page.press("Escape");
    assert!(!desk.path("judges/j/labels").exists());
    page.press("3");
    page.press("1");
    page.press("n");
    shown(&page, 2);
    page.press("0");
    page.press("p");
    shown(&page, 1);
    assert_eq!(pressed(&page), json!([3, 1]));
    page.press("2");
    page.wait(SAVED);
    let labels = desk.labels("r1");
    assert_eq!((&labels[0]["label"], &labels[0]["rationale"]), (&json!(2), &json!("points at db-1, n p 3")));
    // Undo: that change, then the grade of the second item, which comes back on the screen.
    page.press("u");
    assert_eq!(pressed(&page), json!([3, 1]));
    page.press("u");
    shown(&page, 2);
    assert_eq!(pressed(&page), json!([-1, -1]));
    page.wait(SAVED);
    let labels = desk.labels("r1");
    assert_eq!(labels.iter().map(|label| label["label"].clone()).collect::<Vec<_>>(), [json!(3), json!(1)]);
    // A note after the grade; it is saved when the rater stops typing.
    page.press("p");
    shown(&page, 1);
    page.press("d");
    page.press("w");
    page.type_text("too long");
    page.wait("document.querySelectorAll('.state')[1].textContent === 'saved'");
    page.press("Escape");
    page.wait(SAVED);
    let labels = desk.labels("r1");
    assert_eq!(labels[1]["rationale"], "too long", "{labels:?}");
    // A grade is taken away, and help opens and closes.
    page.press("Home");
    page.press("?");
    page.wait("document.querySelector('#help').open");
    page.press("2");
    page.press("Escape");
    page.wait("!document.querySelector('#help').open");
    assert_eq!(pressed(&page), json!([3, 1]));
    page.press("Backspace");
    page.wait(SAVED);
    assert_eq!(pressed(&page), json!([3, -1]));
    // Jump to what is open; go on by itself.
    page.press("j");
    shown(&page, 2);
    page.press("a");
    page.press("0");
    page.press("0");
    shown(&page, 3);
    // A mouse does it too.
    page.click("fieldset:nth-of-type(2) .level:nth-of-type(4)");
    assert_eq!(pressed(&page), json!([-1, 3]));
    page.wait(SAVED);
    clean(&page, &served.url, &[]);
}

#[test]
fn two_raters_in_one_browser_never_see_each_other() {
    let Some(browser) = Browser::start() else { return };
    let desk = Desk::new(GRADE, &items(4));
    let page = browser.page();
    let mut first = desk.serve("r1");
    page.open(&first.url);
    shown(&page, 1);
    for (at, key) in ["2", "2", "1"].into_iter().enumerate() {
        shown(&page, at + 1);
        page.press(key);
        page.press("n");
    }
    page.wait(SAVED);
    first.kill();
    shown(&page, 4);
    page.press("1");
    page.wait("document.querySelector('#status').textContent.startsWith('Not saved')");
    // The same tab, the same port, another rater: the grade that waits is not theirs.
    let second = desk.serve_with(&["j", "--rater", "r2", "--port", &first.port.to_string()]);
    page.open(&second.url);
    assert_eq!(page.dialogs(), ["beforeunload"], "whoever leaves unsaved grades is warned");
    shown(&page, 1);
    page.wait(SAVED);
    assert_eq!(page.text("#count"), "0 of 4 graded");
    assert!(page.text("#who").contains("r2"));
    assert_eq!(pressed(&page), json!([-1]));
    assert!(!desk.path("judges/j/labels/r2.jsonl").exists());
    // The old address is none of the second rater's server, and the page says what to do.
    let stale = browser.page();
    stale.open(&first.url);
    assert!(stale.text("body").contains("open the address"), "{}", stale.text("body"));
    drop(second);
    // The first one comes back to it.
    let first = desk.serve_with(&["j", "--rater", "r1", "--port", &first.port.to_string()]);
    page.open(&first.url);
    page.wait(SAVED);
    page.wait("document.querySelector('#count').textContent === '4 of 4 graded'");
    assert_eq!(desk.labels("r1").len(), 4);
    clean(
        &page,
        &first.url,
        &["net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "403"],
    );
}

#[test]
fn foreign_text_stays_text_however_long() {
    let Some(browser) = Browser::start() else { return };
    let hostile = "<script>window.broken = 1</script><img src=x onerror=\"window.broken = 2\">\
                   <svg onload=\"window.broken = 3\"></svg>{{7*7}}${7*7}\u{202e}\u{0}\u{1b}[31m</div></body>@NONCE@";
    let long = "0123456789abcde\n".repeat(65_536);
    let texts = [
        json!({"id": hostile, "input": [{"role": "user", "content": hostile}], "answer": hostile, "reference": hostile}),
        json!({"id": "b", "input": {"alert": hostile, "tier": 1}, "answer": {"team": "db", "why": [hostile]}}),
        json!({"id": "c", "input": "", "answer": long}),
        json!({"id": "d", "input": "i".repeat(100_000), "answer": 7}),
    ];
    let judge = GRADE.replace("Is it good?", "<b>bold</b>").replace("\"fail\"", "\"<i>fail</i>\"")
        + "[[level]]\nvalue = \"pass\"\nmeans = \"<script>window.broken = 4</script>\"\n";
    let desk = Desk::new(&judge, &lines(texts));
    let served = desk.serve("r1");
    let page = browser.page();
    page.open(&served.url);
    let mut seen = 0;
    for place in 1..=4 {
        shown(&page, place);
        let text = page.text("#item");
        seen += text.matches("<script>window.broken = 1</script>").count();
        if text.contains("0123456789abcde") {
            assert!(text.len() < 60_000, "not all of it at once: {}", text.len());
            page.evaluate("for (let more; (more = document.querySelector('.more')); ) more.click()");
            let all =
                page.evaluate("[...document.querySelectorAll('#answers .text')].map(one => one.textContent).join('')");
            assert_eq!(all.as_str().unwrap().len(), 1 << 20);
            assert!(!page.scrolls_sideways());
            page.press("2");
            page.wait(SAVED);
        }
        page.press("n");
    }
    assert!(seen >= 4, "the hostile text is shown as it is: {seen}");
    let made = "document.querySelectorAll('main img, main svg, main script').length";
    assert_eq!(page.evaluate(&format!("[typeof window.broken, {made}]")), json!(["undefined", 0]));
    assert_eq!(desk.labels("r1").len(), 1);
    clean(&page, &served.url, &[]);
}

#[test]
fn the_page_fits_every_window() {
    let Some(browser) = Browser::start() else { return };
    let items = lines((0..6).map(|at| {
        json!({
            "id": at.to_string(),
            "input": {"alert": "HighDiskUsage", "host": "db-3", "summary": "Disk usage above 95 % for 15 minutes on the \
                      primary of the orders database. Replication lag is 40 s and rising."},
            "reference": "databases",
            "answer": "Route to the database on-call. The disk of db-3 fills because the replication slot of a dropped \
                       consumer keeps WAL. Drop the slot, then check that the lag falls.\n\n\
                       1. `SELECT slot_name FROM pg_replication_slots WHERE NOT active;`\n\
                       2. a_very_long_word_without_any_place_to_break_it_anywhere_at_all_so_that_it_has_to_be_broken_by_\
                       force_or_make_the_page_too_wide",
            "other": "Route to the platform team. Restart the host.",
        })
    }));
    for (name, judge) in [("rubric", RUBRIC), ("pairwise", PAIRWISE), ("grade", GRADE)] {
        // Where one answer is graded, the other one is not shown.
        let desk = Desk::new(judge, &items);
        let served = desk.serve("r1");
        let page = browser.page();
        for (width, height) in [(380, 760), (800, 900), (1400, 900)] {
            for dark in [false, true] {
                page.view(width, height, dark);
                page.open(&served.url);
                shown(&page, 1);
                page.press(if name == "rubric" { "3" } else { "2" });
                page.wait("document.querySelector('#status').textContent === 'Saved'");
                assert!(!page.scrolls_sideways(), "{name} at {width}");
                let low = low_contrast(&page);
                assert_eq!(low, json!([]), "{name} at {width}, dark: {dark}");
                let small = page.evaluate(
                    "[...document.querySelectorAll('button')].filter(one => one.offsetParent).map(one => \
                     one.getBoundingClientRect()).filter(box => box.height < 40 || box.right > innerWidth + 1).length",
                );
                assert_eq!(small, 0, "buttons too small to hit, or outside");
                picture(&page, &format!("{name}-{width}-{}", if dark { "dark" } else { "light" }));
                page.press("u");
                page.wait("document.querySelector('#status').textContent === 'Saved'");
            }
        }
        let named = page.evaluate(
            "[...document.querySelectorAll('button, textarea, input, progress')].filter(one => \
             !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.textContent.trim() || \
             (one.labels && one.labels.length))).length",
        );
        assert_eq!(named, 0, "everything that can be used has a name");
        page.press("?");
        page.wait("document.querySelector('#help').open");
        picture(&page, &format!("{name}-help"));
    }
}

/// Texts whose colour is too near to what is behind them (WCAG AA: 4.5 to 1).
fn low_contrast(page: &Page<'_>) -> Value {
    page.evaluate(
        "(() => {
           const parts = text => { const all = text.match(/[\\d.]+/g).map(Number); return all.length > 3 ? all : [...all, 1]; };
           const light = ([r, g, b]) => [r, g, b].map(one => one / 255).map(one => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
             .reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
           const behind = element => { for (; element; element = element.parentElement) {
             const color = parts(getComputedStyle(element).backgroundColor); if (color[3] > 0) return color; } return [255, 255, 255, 1]; };
           const low = [];
           for (const element of document.querySelectorAll('body *')) {
             if (!element.offsetParent || ![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
             if (getComputedStyle(element).visibility === 'hidden' || ['SCRIPT', 'STYLE'].includes(element.tagName)) continue;
             const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
             if ((a + .05) / (b + .05) < 4.5) low.push([element.tagName, element.textContent.slice(0, 40), ((a + .05) / (b + .05)).toFixed(2)]);
           }
           return low;
         })()",
    )
}
