//! A model server on 127.0.0.1 that speaks chat completions, counts everything, and fails as told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of the n-th request, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Answer,
    /// 429 with `Retry-After: 0`.
    TooMany,
    /// The connection is closed without a word.
    Reset,
    /// 200 with something that is no JSON.
    Malformed,
    /// 400 that repeats the key it was sent.
    Refuse,
    /// 401.
    Deny,
    /// Nothing, for longer than anybody waits.
    Silence,
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub requests: u64,
    pub faults: BTreeMap<&'static str, u64>,
    /// The last user turn of each answered request, in the order of arrival.
    pub answered: Vec<String>,
    /// The keys that came.
    pub keys: std::collections::BTreeSet<String>,
}

pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Seen>>,
}

impl Server {
    /// Starts a server; it ends with the test's process.
    pub fn start(delay: Duration, fate: impl Fn(u64) -> Fate + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (tell, told) = std::sync::mpsc::channel();
        let (state, fate) = (Arc::clone(&seen), Arc::new(fate));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (state, fate) = (Arc::clone(&state), Arc::clone(&fate));
                    tokio::spawn(async move {
                        // A client that is gone is no fault of the server.
                        let _ = serve(stream, delay, &state, &*fate).await;
                    });
                }
            });
        });
        Self { address: told.recv().unwrap(), seen }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

async fn serve(
    mut stream: TcpStream,
    delay: Duration,
    state: &Mutex<Seen>,
    fate: &(dyn Fn(u64) -> Fate + Send + Sync),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let Some((head, body)) = request(&mut stream, &mut buffer).await? else { return Ok(()) };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let prompt =
            body["messages"].as_array().and_then(|m| m.last()).and_then(|m| m["content"].as_str()).unwrap_or("");
        let key = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().starts_with("authorization:").then(|| line[14..].trim().to_owned())
            })
            .unwrap_or_default();
        let fate = {
            let mut seen = state.lock().unwrap();
            seen.requests += 1;
            seen.keys.insert(key.clone());
            let fate = fate(seen.requests);
            match fate {
                Fate::Answer => seen.answered.push(prompt.to_owned()),
                Fate::TooMany => *seen.faults.entry("429").or_default() += 1,
                Fate::Reset => *seen.faults.entry("reset").or_default() += 1,
                Fate::Malformed => *seen.faults.entry("malformed").or_default() += 1,
                Fate::Deny => *seen.faults.entry("401").or_default() += 1,
                Fate::Refuse => *seen.faults.entry("400").or_default() += 1,
                Fate::Silence => *seen.faults.entry("silence").or_default() += 1,
            }
            fate
        };
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        let (status, more, text) = match fate {
            Fate::Answer => ("200 OK", "", completion(prompt, &body)),
            Fate::TooMany => {
                ("429 Too Many Requests", "retry-after: 0\r\n", json!({"error": {"message": "slow down"}}).to_string())
            }
            Fate::Malformed => ("200 OK", "", "{\"choices\": [{\"mess".to_owned()),
            Fate::Refuse => {
                ("400 Bad Request", "", json!({"error": {"message": format!("you sent {key}")}}).to_string())
            }
            Fate::Deny => ("401 Unauthorized", "", json!({"error": {"message": "bad key"}}).to_string()),
            Fate::Reset => return Ok(()),
            Fate::Silence => {
                tokio::time::sleep(Duration::from_mins(1)).await;
                return Ok(());
            }
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(&[head.as_bytes(), text.as_bytes()].concat()).await?;
    }
}

fn completion(prompt: &str, body: &Value) -> String {
    json!({
        "id": "c", "object": "chat.completion", "model": body["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": prompt.to_uppercase()}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    })
    .to_string()
}

/// The head and body of the next request; `None` when the client is done.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length: usize = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                return Ok(Some((head, body)));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
