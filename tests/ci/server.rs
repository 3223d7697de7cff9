//! A stand-in for GitHub's API: the comments of pull requests, kept in memory, with faults on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// The token that may comment.
pub const TOKEN: &str = "ghs_stand_in_token_4711";

/// One request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub body: Value,
}

/// What a fault answers: status, further header lines, body. Whether the request is carried out all the same.
#[derive(Debug, Clone)]
pub struct Fault {
    pub status: u16,
    pub headers: &'static str,
    pub body: String,
    pub done: bool,
}

impl Fault {
    pub fn of(status: u16, headers: &'static str) -> Self {
        Self { status, headers, body: json!({"message": format!("fault {status}")}).to_string(), done: false }
    }
}

type Fate = dyn Fn(&Request, usize) -> Option<Fault> + Send + Sync;

#[derive(Debug, Default)]
pub struct State {
    pub comments: Vec<Value>,
    pub requests: Vec<Request>,
    pub unknown_tokens: usize,
    /// How often the application was asked that is no part of the API.
    pub asked: usize,
    next_id: u64,
}

pub struct Server {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
}

/// Holds the first GETs back until so many are there, so that several runs find the same.
pub struct Gate {
    waiting: Mutex<usize>,
    there: Condvar,
    count: usize,
}

impl Gate {
    fn pass(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        *waiting += 1;
        if *waiting >= self.count {
            self.there.notify_all();
            return;
        }
        let many = |waiting: &mut usize| *waiting < self.count;
        let (_guard, timeout) = self.there.wait_timeout_while(waiting, Duration::from_mins(1), many).unwrap();
        assert!(!timeout.timed_out(), "the others never came");
    }
}

impl Server {
    pub fn start() -> Self {
        Self::with(0, |_, _| None)
    }

    /// A server on which the first `together` GETs wait for each other, and where `fate` says what goes wrong.
    /// It ends with the test's process.
    pub fn with(together: usize, fate: impl Fn(&Request, usize) -> Option<Fault> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { next_id: 101, ..State::default() }));
        let (shared, fate): (_, Arc<Fate>) = (Arc::clone(&state), Arc::new(fate));
        let gate = Arc::new(Gate { waiting: Mutex::new(0), there: Condvar::new(), count: together });
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, fate, gate) = (Arc::clone(&shared), Arc::clone(&fate), Arc::clone(&gate));
                std::thread::spawn(move || {
                    // A client that is gone is no fault of the server.
                    let _ = serve(&stream.unwrap(), &state, &*fate, &gate);
                });
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A comment that is there already.
    pub fn plant(&self, body: &str, kind: &str, association: &str) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.add(7, &json!(body), kind, association)
    }

    pub fn bodies(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.comments.iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|request| request.method == method).count()
    }
}

impl State {
    fn add(&mut self, number: u64, body: &Value, kind: &str, association: &str) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.comments.push(json!({
            "id": id, "number": number, "body": body, "user": {"login": "somebody", "type": kind}, "author_association": association,
            "html_url": format!("https://github.example/acme/app/pull/{number}#issuecomment-{id}"),
        }));
        id
    }

    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let path = request.path.split('?').next().unwrap();
        let query = |name: &str| {
            let query = request.path.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
        };
        let one = path.strip_prefix("/repos/acme/app/issues/comments/").and_then(|id| id.parse::<u64>().ok());
        let place = |state: &Self| state.comments.iter().position(|comment| comment["id"].as_u64() == one);
        let thread = path.strip_prefix("/repos/acme/app/issues/").and_then(|rest| rest.strip_suffix("/comments"));
        let number = thread.and_then(|number| number.parse::<u64>().ok());
        match (request.method.as_str(), path) {
            ("GET", _) if number.is_some() => {
                let size = query("per_page").unwrap_or(30);
                let page = query("page").unwrap_or(1);
                let of_thread = self.comments.iter().filter(|comment| comment["number"].as_u64() == number);
                let comments = of_thread.skip(size * (page - 1)).take(size);
                (200, comments.cloned().collect())
            }
            ("POST", _) if number.is_some() => {
                let body = request.body["body"].clone();
                if body.as_str().is_none_or(|body| body.encode_utf16().count() > 65_536) {
                    return (422, json!({"message": "Body is too long (maximum is 65536 characters)"}));
                }
                let id = self.add(number.unwrap(), &body, "Bot", "NONE");
                (201, self.comments.iter().find(|comment| comment["id"] == id).unwrap().clone())
            }
            ("PATCH", _) if one.is_some() => match place(self) {
                Some(at) => {
                    self.comments[at]["body"] = request.body["body"].clone();
                    (200, self.comments[at].clone())
                }
                None => (404, json!({"message": "Not Found"})),
            },
            ("DELETE", _) if one.is_some() => match place(self) {
                Some(at) => {
                    self.comments.remove(at);
                    (204, Value::Null)
                }
                None => (404, json!({"message": "Not Found"})),
            },
            _ => (404, json!({"message": "Not Found"})),
        }
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>, fate: &Fate, gate: &Gate) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut token) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => value.trim().clone_into(&mut token),
                _ => {}
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes)?;
        let request = Request { method, path, body: serde_json::from_slice(&bytes).unwrap_or_default() };
        if request.path == "/answer" {
            state.lock().unwrap().asked += 1;
            let body = r#"{"team": "billing"}"#;
            (&mut &*stream)
                .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
            continue;
        }
        let number = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            state.unknown_tokens += usize::from(token != format!("Bearer {TOKEN}"));
            state.requests.len()
        };
        let fault = fate(&request, number);
        let answer = || state.lock().unwrap().answer(&request);
        let (status, headers, body) = match fault {
            Some(fault) => {
                if fault.done {
                    answer();
                }
                if fault.status == 0 {
                    return Ok(());
                }
                (fault.status, fault.headers, fault.body)
            }
            None if token != format!("Bearer {TOKEN}") => (401, "", json!({"message": "Bad credentials"}).to_string()),
            None => {
                let (status, body) = answer();
                if request.method == "GET" {
                    gate.pass();
                }
                (status, "", if body.is_null() { String::new() } else { body.to_string() })
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
        (&mut &*stream).write_all(format!("{head}{body}").as_bytes())?;
    }
}
