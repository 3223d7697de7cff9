//! A real browser, without a window, for tests of what people see: headless Chromium over its DevTools protocol.
//!
//! ```ignore
//! let Some(browser) = Browser::start() else { return }; // it has said that it skips
//! let page = browser.page();
//! page.open("http://127.0.0.1:8000/");
//! page.press("2");
//! page.wait("document.querySelector('#saved').textContent === 'Saved'");
//! assert_eq!(page.problems(), Vec::<String>::new());
//! ```
//!
//! The browser speaks over two pipes, so there is no port that anybody else could use and no client library. It is told
//! to find no host but 127.0.0.1.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test program")]
#![allow(dead_code, reason = "not every test program uses all of it")]

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Names another browser than the ones that are looked for: a path.
const VARIABLE: &str = "EVALGAUGE_BROWSER";
/// The names under which Chromium is installed.
const NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"];
/// After this long a browser that says nothing hangs, and the test fails.
const HANGS_AFTER: Duration = Duration::from_mins(2);

/// A browser process; it ends with this value.
pub struct Browser {
    inner: RefCell<Inner>,
    child: Child,
    _profile: TempDir,
}

struct Inner {
    write: ChildStdin,
    messages: Receiver<Value>,
    /// Everything that the browser reported by itself, in its order.
    events: Vec<Value>,
    calls: u64,
}

/// One tab, with cookies and storage of its own.
pub struct Page<'b> {
    browser: &'b Browser,
    session: String,
}

impl Browser {
    /// Starts the browser of this machine; where there is none, says so and gives nothing: the caller skips.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            say(&format!("SKIPPED: no Chromium on this machine ({}, or {VARIABLE}=PATH)", NAMES.join(", ")));
            return None;
        };
        let profile = TempDir::with_prefix("evalgauge-browser-").unwrap();
        // The shell only moves the pipes to the numbers 3 and 4, where the browser expects them, and becomes it.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2"]).arg(&program).args([
            "--headless",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--no-default-browser-check",
            "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-extensions",
            "--disable-sync",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-US",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if rustix::process::geteuid().is_root() {
            // Chromium's sandbox refuses to run for root; the pages are our own.
            command.arg("--no-sandbox");
        }
        command.arg("about:blank").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let write = child.stdin.take().unwrap();
        let read = child.stdout.take().unwrap();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut read = BufReader::new(read);
            let mut message = Vec::new();
            // Messages end with a zero byte.
            while read.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        // What it says on stderr is of use only when it fails to start; unread it would block.
        let mut complaints = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = complaints.read_to_end(&mut text);
            if std::env::var_os("EVALGAUGE_BROWSER_STDERR").is_some() {
                say(&String::from_utf8_lossy(&text));
            }
        });
        let inner = Inner { write, messages, events: Vec::new(), calls: 0 };
        let browser = Self { inner: RefCell::new(inner), child, _profile: profile };
        let version = browser.call(None, "Browser.getVersion", &json!({}));
        say(&format!("{} ({})", version["product"].as_str().unwrap_or("?"), program.display()));
        Some(browser)
    }

    /// A new tab that shares nothing with the others.
    pub fn page(&self) -> Page<'_> {
        let context = self.call(None, "Target.createBrowserContext", &json!({}))["browserContextId"].clone();
        let target = self.call(
            None,
            "Target.createTarget",
            &json!({"url": "about:blank", "browserContextId": context, "width": 1000, "height": 800}),
        )["targetId"]
            .clone();
        let session = self.call(None, "Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        let page = Page { browser: self, session: session["sessionId"].as_str().unwrap().to_owned() };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        page
    }

    /// One command of the protocol and its result.
    fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.try_call(session, method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&self, session: Option<&str>, method: &str, params: &Value) -> Result<Value, String> {
        let mut inner = self.inner.borrow_mut();
        inner.calls += 1;
        let id = inner.calls;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        inner.write.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let mut message = inner.messages.recv_timeout(HANGS_AFTER).unwrap_or_else(|error| {
                panic!("the browser is gone or hangs in {method}: {error}; EVALGAUGE_BROWSER_STDERR=1 shows why")
            });
            if message["id"] != id {
                inner.events.push(message);
            } else if message.get("error").is_some() {
                return Err(message["error"].to_string());
            } else {
                return Ok(message["result"].take());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let asked = self.inner.get_mut().write.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let until = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && Instant::now() < until {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page<'_> {
    /// One command of the protocol, for what has no function of its own here.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }

    /// Goes to an address and waits until it is loaded.
    pub fn open(&self, url: &str) {
        let seen = self.events("Page.loadEventFired").len();
        let result = self.call("Page.navigate", &json!({"url": url}));
        assert!(result.get("errorText").is_none(), "{url}: {}", result["errorText"]);
        self.until(&format!("{url} to be loaded"), || self.events("Page.loadEventFired").len() > seen);
    }

    /// The value of an expression; a promise is waited for.
    pub fn evaluate(&self, expression: &str) -> Value {
        self.try_evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_evaluate(&self, expression: &str) -> Result<Value, String> {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut result = self.browser.try_call(Some(&self.session), "Runtime.evaluate", &params)?;
        match result.get("exceptionDetails") {
            Some(exception) => Err(exception.to_string()),
            None => Ok(result["result"]["value"].take()),
        }
    }

    /// Waits until an expression is true; a page that is about to be replaced is not.
    pub fn wait(&self, expression: &str) {
        self.until(expression, || self.try_evaluate(expression).is_ok_and(|value| value == true));
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + HANGS_AFTER;
        while !holds() {
            assert!(
                Instant::now() < until,
                "waited in vain for: {what}\nthe page says: {}",
                self.try_evaluate("document.body.innerText").map_or_else(|error| error, |text| text.to_string())
            );
            // Any answer brings the events before it.
            self.call("Runtime.evaluate", &json!({"expression": "0"}));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The text of the first element that a selector finds, as it is shown.
    pub fn text(&self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap_or_else(|| panic!("no text in {selector}")).to_owned()
    }

    /// Presses and releases a key: a character, or a name (`Enter`, `Escape`, `ArrowLeft` …).
    pub fn press(&self, key: &str) {
        let (code, number, text) = match key {
            "Enter" => ("Enter".to_owned(), 13, "\r"),
            "Escape" => ("Escape".to_owned(), 27, ""),
            "Tab" => ("Tab".to_owned(), 9, ""),
            "Backspace" => ("Backspace".to_owned(), 8, ""),
            "ArrowLeft" => ("ArrowLeft".to_owned(), 37, ""),
            "ArrowUp" => ("ArrowUp".to_owned(), 38, ""),
            "ArrowRight" => ("ArrowRight".to_owned(), 39, ""),
            "ArrowDown" => ("ArrowDown".to_owned(), 40, ""),
            "Home" => ("Home".to_owned(), 36, ""),
            "End" => ("End".to_owned(), 35, ""),
            _ => {
                let character = key.chars().next().unwrap();
                assert_eq!(key.chars().count(), 1, "not a key: {key}");
                let upper = character.to_ascii_uppercase();
                match character {
                    '0'..='9' => (format!("Digit{character}"), upper as u32, key),
                    'a'..='z' | 'A'..='Z' => (format!("Key{upper}"), upper as u32, key),
                    _ => (String::new(), 0, key),
                }
            }
        };
        let mut event =
            json!({"type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text});
        if text.is_empty() {
            event["type"] = "rawKeyDown".into();
        }
        self.call("Input.dispatchKeyEvent", &event);
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Types a text into what has the focus.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Clicks into the middle of the first element that a selector finds.
    pub fn click(&self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const element = document.querySelector({}); element.scrollIntoView({{block: 'center'}}); \
             const box = element.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// The size of the window, and whether the user likes it dark.
    pub fn view(&self, width: u32, height: u32, dark: bool) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
        let scheme = if dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// What the window shows, as a PNG; the whole page where `whole`.
    pub fn screenshot(&self, path: &Path, whole: bool) {
        let picture =
            self.call("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": whole}))["data"]
                .take();
        std::fs::write(path, from_base64(picture.as_str().unwrap())).unwrap();
    }

    /// Whether the page is wider than the window, which makes people scroll sideways.
    pub fn scrolls_sideways(&self) -> bool {
        self.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth") == true
    }

    /// Every address that the page asked for, in order; also `data:` and sockets.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.events("Network.requestWillBeSent").into_iter().map(|event| event["request"]["url"].clone());
        let sockets = self.events("Network.webSocketCreated").into_iter().map(|event| event["url"].clone());
        asked.chain(sockets).map(|url| url.as_str().unwrap().to_owned()).collect()
    }

    /// Exceptions, errors and warnings of the console, and what the browser itself complained of.
    pub fn problems(&self) -> Vec<String> {
        let exceptions =
            self.events("Runtime.exceptionThrown").into_iter().map(|event| event["exceptionDetails"].to_string());
        let console = self
            .events("Runtime.consoleAPICalled")
            .into_iter()
            .filter(|event| ["error", "warning", "assert"].iter().any(|bad| event["type"] == *bad))
            .map(|event| format!("console {}: {}", event["type"], event["args"]));
        let log = self
            .events("Log.entryAdded")
            .into_iter()
            .map(|event| event["entry"].clone())
            .filter(|entry| ["error", "warning"].iter().any(|bad| entry["level"] == *bad))
            .map(|entry| format!("{} {}: {} {}", entry["source"], entry["level"], entry["text"], entry["url"]));
        exceptions.chain(console).chain(log).collect()
    }

    /// The parameters of all events of one kind so far.
    pub fn events(&self, method: &str) -> Vec<Value> {
        let mut inner = self.browser.inner.borrow_mut();
        while let Ok(message) = inner.messages.try_recv() {
            inner.events.push(message);
        }
        let own = inner.events.iter().filter(|event| event["method"] == method && event["sessionId"] == self.session);
        own.map(|event| event["params"].clone()).collect()
    }
}

/// The browser to use, if there is one.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "{VARIABLE} names no file: {}", named.display());
        return Some(named);
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    NAMES.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()))
}

/// The bytes of a text in base64.
fn from_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter).expect("base64");
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// Prints a line past the capture of passing tests.
pub fn say(line: &str) {
    std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}
