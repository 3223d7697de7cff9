//! The browser that other tests look at pages with: it presses keys, and it sees what a page should not do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test program")]

#[path = "browser_support/mod.rs"]
mod browser_support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use browser_support::Browser;

const PAGE: &str = r##"<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>t</title><meta name="viewport" content="width=device-width">
<p id="keys"></p><input id="note"><button id="button">b</button>
<script>
const keys = document.querySelector("#keys");
addEventListener("keydown", event => { if (event.target.id !== "note") keys.textContent += event.key + " "; });
document.querySelector("#button").addEventListener("click", () => { keys.textContent += "click "; });
</script>"##;

/// Gives every request the page, until the process ends.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", PAGE.len());
                let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{PAGE}").as_bytes());
            });
        }
    });
    url
}

#[test]
fn keys_requests_and_problems_are_seen() {
    let Some(browser) = Browser::start() else { return };
    let url = serve();
    let page = browser.page();
    page.view(380, 700, true);
    page.open(&url);
    for key in ["2", "n", "?", "ArrowLeft", "Enter"] {
        page.press(key);
    }
    page.click("#button");
    assert_eq!(page.text("#keys"), "2 n ? ArrowLeft Enter click");
    page.click("#note");
    page.press("x");
    page.type_text(" y <b>");
    assert_eq!(page.evaluate("document.querySelector('#note').value"), "x y <b>");
    assert_eq!(page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"), {
        serde_json::json!([380, true])
    });
    assert!(!page.scrolls_sideways());
    assert_eq!(page.problems(), Vec::<String>::new());
    assert_eq!(page.requests(), [url.as_str(), "data:,"][..page.requests().len()], "{:?}", page.requests());

    // What must not be is noticed.
    page.evaluate("document.body.style.width = '4000px'");
    assert!(page.scrolls_sideways());
    page.evaluate("void fetch('http://example.invalid/x').catch(() => 0)");
    page.evaluate("setTimeout(() => { throw new Error('planted') }); console.error('also planted')");
    page.wait("new Promise(done => setTimeout(() => done(true), 200))");
    assert!(page.requests().iter().any(|url| url == "http://example.invalid/x"), "{:?}", page.requests());
    let problems = page.problems().join("\n");
    assert!(problems.contains("Error: planted") && problems.contains("also planted"), "{problems}");

    // Tabs share no storage.
    page.evaluate("localStorage.setItem('a', 'b')");
    let other = browser.page();
    other.open(&url);
    assert_eq!(other.evaluate("localStorage.getItem('a')"), serde_json::Value::Null);

    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("page.png");
    page.screenshot(&picture, false);
    let bytes = std::fs::read(picture).unwrap();
    // The header of a PNG and its width.
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(u32::from_be_bytes(bytes[16..20].try_into().unwrap()), 380);
}
