//! The server of one rater's page, on 127.0.0.1.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::blind::{Blind, Shown};
use super::error::PageError;
use super::http::{Request, Response, answer};
use super::labels::LabelFile;
use super::sheet::Sheet;
use super::token::{Session, random};
use crate::table::sha256_hex;

const HTML: &str = include_str!("page.html");
/// Stands in the page where the nonce of its script and its style belongs.
const NONCE: &str = "@NONCE@";
/// Connections at once; a browser opens six.
const MAX_CONNECTIONS: usize = 64;
/// The longest note on a grade, in bytes.
const MAX_NOTE: usize = 64 << 10;
/// What is being answered when the server is stopped may take this long.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A page that can be served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    desk: Arc<Desk>,
}

/// A page that is being served, until [`Running::stop`].
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    desk: Arc<Desk>,
    stop: Arc<AtomicBool>,
    active: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<()>,
}

/// One rater's sheet and file.
struct Desk {
    sheet: Sheet,
    blind: Blind,
    labels: LabelFile,
    token: String,
    port: u16,
    /// Opens the page once; a program that opens a browser shows its arguments to everybody on the machine.
    ticket: Mutex<Option<String>>,
    /// Changes of the file, one after the other.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Desk {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("labels", &self.labels).field("port", &self.port).finish_non_exhaustive()
    }
}

/// A grade that the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grading {
    item: String,
    /// The dimension's place.
    dimension: usize,
    /// The level's place; none takes the grade away.
    level: Option<usize>,
    #[serde(default)]
    note: String,
}

impl Server {
    /// Listens, on a free port where `port` is 0.
    ///
    /// # Errors
    /// A sheet that cannot be graded, a port that is taken.
    pub fn bind(sheet: Sheet, labels: LabelFile, seed: u64, session: &Session, port: u16) -> Result<Self, PageError> {
        sheet.check()?;
        let failed = |source| PageError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let desk = Desk {
            blind: Blind::new(&sheet, &labels.rater().name, seed),
            sheet,
            labels,
            token: session.token.clone(),
            port: address.port(),
            ticket: Mutex::new(None),
            writing: Mutex::new(()),
        };
        Ok(Self { listener, address, desk: Arc::new(desk) })
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of the page; whoever knows it may grade in the rater's name.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.desk.token)
    }

    /// An address that leads to the page once, for programs whose arguments others can see.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn ticket(&self) -> Result<String, PageError> {
        let ticket = random()?;
        *self.desk.ticket.lock().unwrap_or_else(PoisonError::into_inner) = Some(ticket.clone());
        Ok(format!("http://{}/open/{ticket}", self.address))
    }

    /// Answers requests on threads of its own.
    #[must_use]
    pub fn start(self) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let active = Arc::new(AtomicUsize::new(0));
        let (desk, listener) = (Arc::clone(&self.desk), self.listener);
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&active));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                match stream {
                    Ok(stream) => accept(stream, &desk, &counted),
                    // Too many open files, for example: it passes, and must not become a busy loop.
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        Running { address: self.address, desk: self.desk, stop, active, thread }
    }
}

/// Answers one connection on a thread of its own; one too many is closed.
fn accept(stream: TcpStream, desk: &Arc<Desk>, active: &Arc<AtomicUsize>) {
    if active.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
        active.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    let one = One(Arc::clone(active));
    let desk = Arc::clone(desk);
    let thread = std::thread::Builder::new().name("page".to_owned());
    // Without a thread the connection is closed, and the page tries again.
    let _ = thread.spawn(move || {
        let _one = one;
        answer(stream, |request| desk.respond(request));
    });
}

/// One connection in the count of those that are open, however it ends.
struct One(Arc<AtomicUsize>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Running {
    /// How many items have all their grades, and how many there are.
    ///
    /// # Errors
    /// When the file of labels cannot be read.
    pub fn progress(&self) -> Result<(usize, usize), PageError> {
        Ok((self.desk.graded()?.values().filter(|of| self.desk.is_complete(of)).count(), self.desk.sheet.items.len()))
    }

    /// Takes no more requests and waits for those that are being answered.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        // The thread that accepts is waiting for a connection.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        let _ = self.thread.join();
        let until = std::time::Instant::now() + ENDS_WITHIN;
        while self.active.load(Ordering::SeqCst) > 0 && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Desk {
    fn respond(&self, request: &Request) -> Response {
        if let Some(refusal) = self.stranger(request) {
            return refusal;
        }
        let mut parts = request.path.trim_start_matches('/').splitn(2, '/');
        let first = parts.next().unwrap_or_default();
        let rest = parts.next();
        if let (true, Some(ticket)) = (first == "open", rest) {
            return self.open(ticket);
        }
        if !same(first, &self.token) {
            return Response::text(403, "open the address that `evalgauge label serve` printed at its last start");
        }
        match (request.method.as_str(), rest.unwrap_or("?")) {
            ("GET", "") => page(),
            ("GET", "api/sheet") => or_error(self.sheet()),
            ("GET", path) => match path.strip_prefix("api/item/").and_then(|key| self.blind.find(key)) {
                Some(shown) => Response::json(200, &shown.view(&self.sheet.items[shown.item])),
                None => error(404, "there is no such item in this sheet any more"),
            },
            ("POST", "api/label") => self.grade(request),
            ("POST", _) => error(404, "not found"),
            _ => error(405, "not a method of this page"),
        }
    }

    /// Refuses what another site made a browser send: under another name of this machine (DNS rebinding), or from a
    /// page that is not ours.
    fn stranger(&self, request: &Request) -> Option<Response> {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let Some(host) = request.header("host").filter(|host| hosts.iter().any(|own| own == host)) else {
            return Some(Response::text(421, "this page is at 127.0.0.1 only"));
        };
        let foreign_origin = request.header("origin").is_some_and(|origin| origin != format!("http://{host}"));
        let site = request.header("sec-fetch-site").unwrap_or("none");
        let navigates = request.method == "GET" && request.header("sec-fetch-mode") == Some("navigate");
        if foreign_origin || !(["none", "same-origin"].contains(&site) || navigates) {
            return Some(Response::text(403, "not from another page"));
        }
        None
    }

    /// Leads to the page, once.
    fn open(&self, ticket: &str) -> Response {
        let mut kept = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.as_deref().is_some_and(|kept| same(ticket, kept)) {
            return Response::text(
                403,
                "this address was good once; open the one that `evalgauge label serve` printed",
            );
        }
        *kept = None;
        let mut response = Response::text(303, "");
        response.headers.push(("Location", format!("/{}/", self.token)));
        response
    }

    /// Everything but the texts.
    fn sheet(&self) -> Result<Value, PageError> {
        let rater = self.labels.rater();
        // The same at every start, whatever the secret is: the tab keeps what it could not save under this name.
        let place = std::path::absolute(self.labels.path()).unwrap_or_else(|_| self.labels.path().to_owned());
        let session = sha256_hex(format!("{}\0{}", place.display(), rater.name));
        let mut labels = Map::new();
        let graded = self.graded()?;
        for shown in self.blind.shown() {
            let Some(of) = graded.get(&shown.item) else { continue };
            let of = of.iter().map(|(dimension, (level, note))| {
                (dimension.to_string(), json!({"level": self.side(shown, *level), "note": note}))
            });
            labels.insert(shown.key.clone(), Value::Object(of.collect()));
        }
        Ok(json!({
            "title": self.sheet.title,
            "about": self.sheet.about,
            "rater": rater.name,
            "kind": rater.kind.name(),
            "session": &session[..20],
            "pairwise": self.sheet.pairwise,
            "dimensions": self.dimensions(),
            "items": self.blind.shown().iter().map(|shown| shown.key.as_str()).collect::<Vec<_>>(),
            "labels": labels,
        }))
    }

    fn dimensions(&self) -> Vec<Value> {
        let dimension = |dimension: &super::Dimension| {
            let keys = if self.sheet.pairwise { vec![Some('1'), Some('2'), Some('t')] } else { dimension.keys() };
            let sides = ["The first is better", "The second is better", "Neither is better"];
            let levels: Vec<Value> = dimension
                .levels
                .iter()
                .zip(keys)
                .enumerate()
                .map(|(at, (level, key))| {
                    let text = if self.sheet.pairwise { sides[at].to_owned() } else { level.value.to_string() };
                    json!({"text": text, "key": key, "means": level.means, "example": level.example})
                })
                .collect();
            json!({"name": dimension.name, "about": dimension.about, "levels": levels})
        };
        self.sheet.dimensions.iter().map(dimension).collect()
    }

    /// The rater's grades: item → dimension → level and note, all as places. What is not on the scale any more is left
    /// out, and stays in the file until it is graded again.
    fn graded(&self) -> Result<Graded, PageError> {
        let items: std::collections::HashMap<&str, usize> =
            self.sheet.items.iter().enumerate().map(|(at, item)| (item.id.as_str(), at)).collect();
        let mut graded = Graded::new();
        for label in self.labels.read()? {
            let Some(item) = items.get(label.id.as_str()) else { continue };
            let Some(at) = self.sheet.dimensions.iter().position(|dimension| dimension.name == label.dimension) else {
                continue;
            };
            if let Some(level) = self.sheet.dimensions[at].levels.iter().position(|level| level.is(&label.grade)) {
                graded.entry(*item).or_default().insert(at, (level, label.rationale));
            }
        }
        Ok(graded)
    }

    fn is_complete(&self, of: &std::collections::BTreeMap<usize, (usize, String)>) -> bool {
        of.len() == self.sheet.dimensions.len()
    }

    const fn side(&self, shown: &Shown, level: usize) -> usize {
        if self.sheet.pairwise { shown.side(level) } else { level }
    }

    /// Keeps a grade; says so only when it is on the disk.
    fn grade(&self, request: &Request) -> Response {
        let kind = request.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        if kind.trim() != "application/json" {
            return error(415, "expected application/json");
        }
        let grading: Grading = match serde_json::from_slice(&request.body) {
            Ok(grading) => grading,
            Err(wrong) => return error(400, &format!("not a grade: {wrong}")),
        };
        let Some(shown) = self.blind.find(&grading.item) else {
            return error(409, "the sheet has changed: this item is not in it any more, or has another text");
        };
        let Some(dimension) = self.sheet.dimensions.get(grading.dimension) else {
            return error(409, "the sheet has changed: there is no such dimension any more");
        };
        if grading.note.len() > MAX_NOTE {
            return error(413, "the note is too long");
        }
        let label = match grading.level.map(|level| dimension.levels.get(self.side(shown, level))) {
            Some(None) => return error(409, "the sheet has changed: there is no such grade any more"),
            Some(Some(level)) => Some((level.stored(), grading.note.trim())),
            None => None,
        };
        let item = &self.sheet.items[shown.item];
        // A note may speak of the first answer; later readers have to know which one that was.
        let first = [("first", json!(if shown.swapped { "B" } else { "A" }))];
        let extra: &[_] = if self.sheet.pairwise { &first } else { &[] };
        let one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.labels.set((&item.id, &dimension.name), label, extra);
        drop(one_at_a_time);
        or_error(kept.map(|()| json!({"saved": true})))
    }
}

type Graded = std::collections::BTreeMap<usize, std::collections::BTreeMap<usize, (usize, String)>>;

/// A file that cannot be read or written is said, and tried again by the page.
fn or_error(result: Result<Value, PageError>) -> Response {
    match result {
        Ok(value) => Response::json(200, &value),
        Err(wrong) => error(500, &wrong.to_string()),
    }
}

fn error(status: u16, text: &str) -> Response {
    Response::json(status, &json!({"error": text}))
}

/// Whether two secrets are the same; how long it takes says nothing of where they differ.
fn same(given: &str, own: &str) -> bool {
    sha256_hex(given) == sha256_hex(own)
}

/// The page, with a policy under which only its own script and style run, and reach only this server.
fn page() -> Response {
    let nonce = match random() {
        Ok(nonce) => nonce,
        Err(wrong) => return Response::text(500, &wrong.to_string()),
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    Response {
        status: 200,
        content_type: "text/html; charset=utf-8",
        headers: vec![("Content-Security-Policy", policy)],
        body: HTML.replace(NONCE, &nonce).into_bytes(),
    }
}
