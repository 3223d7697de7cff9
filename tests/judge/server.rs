//! A model server on 127.0.0.1 that answers as a test says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a request is answered with.
pub enum Say {
    /// A completion.
    Text(String),
    /// An error of this status.
    Status(u16),
}

impl Say {
    pub fn json(value: &Value) -> Self {
        Self::Text(value.to_string())
    }
}

type Answering = dyn Fn(&Asked) -> Say + Send + Sync;

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub body: Value,
}

impl Asked {
    /// The user's first turn: a judge's prompt.
    pub fn prompt(&self) -> &str {
        let turns = self.body["messages"].as_array().unwrap();
        turns.iter().find(|turn| turn["role"] == "user").unwrap()["content"].as_str().unwrap()
    }

    /// The text inside a block of the prompt.
    pub fn block(&self, name: &str) -> &str {
        let prompt = self.prompt();
        let start = prompt.find(&format!("<<<{name} ")).unwrap_or_else(|| panic!("no {name} in {prompt}"));
        let inside = prompt[start..].split_once(">>>\n").unwrap().1;
        inside.split_once(&format!("\n<<<END {name} ")).unwrap().0
    }

    /// How many turns there are.
    pub fn turns(&self) -> usize {
        self.body["messages"].as_array().unwrap().len()
    }
}

pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server; it ends with the test's process.
    pub fn start(answer: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = std::sync::mpsc::channel();
        let (state, answer): (_, Arc<Answering>) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (state, answer) = (Arc::clone(&state), Arc::clone(&answer));
                    tokio::spawn(async move {
                        // A client that is gone is no fault of the server.
                        let _ = serve(stream, &state, &*answer).await;
                    });
                }
            });
        });
        Self { address: told.recv().unwrap(), asked }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<Vec<Asked>>, answer: &Answering) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(body) = request(&mut stream, &mut buffer).await? {
        let asked = Asked { body: serde_json::from_slice(&body).unwrap() };
        let said = answer(&asked);
        let model = asked.body["model"].clone();
        state.lock().unwrap().push(asked);
        let (status, text) = match said {
            Say::Text(text) => ("200 OK".to_owned(), completion(&text, &model)),
            Say::Status(code) => (format!("{code} Error"), json!({"error": {"message": "no"}}).to_string()),
        };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", text.len());
        stream.write_all(&[head.as_bytes(), text.as_bytes()].concat()).await?;
    }
    Ok(())
}

fn completion(text: &str, model: &Value) -> String {
    json!({
        "id": "c", "object": "chat.completion", "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    })
    .to_string()
}

/// The body of the next request; `None` when the client is done.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
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
                return Ok(Some(body));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
